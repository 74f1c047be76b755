//! The reasons: each step with its article and the formula with the numbers in it. Nothing is formatted unless wanted.

use std::fmt::{self, Write as _};

use smol_str::SmolStr;

use super::buckets::Bucket;
use crate::claim::Line;
use crate::codes::Lang;
use crate::decimal::{Percent, Quantity, Ratio, UnitPrice};
use crate::exact::Exact;
use crate::money::Money;
use crate::outcome::{SetlInfo, StepKind, TraceStep};
use crate::pack::{Benefit, Pay, Per, each};

pub(super) struct Trace {
    steps: Option<Vec<TraceStep>>,
    lang: Lang,
}

/// Room for the steps of a bill of a few lines.
const STEPS_USUAL: usize = 8;

/// How a part of a bucket came about.
pub(super) struct Paid<'a> {
    pub(super) step: &'a Pay,
    pub(super) eligible: Exact,
    pub(super) ratio: Ratio,
    /// What the pool had left, where that is less than its share.
    pub(super) capped: Option<Exact>,
    /// The ratio's summands with their sources.
    pub(super) cites: Vec<(Ratio, &'a SmolStr)>,
}

impl Trace {
    pub(super) fn new(on: bool, lang: Lang) -> Trace {
        Trace {
            steps: on.then(|| Vec::with_capacity(STEPS_USUAL)),
            lang,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.steps.is_some()
    }

    pub(super) fn into_steps(self) -> Vec<TraceStep> {
        self.steps.unwrap_or_default()
    }

    fn push(&mut self, step: StepKind, article: &SmolStr, amount: Money, says: impl FnOnce(Lang) -> String) {
        if let Some(steps) = &mut self.steps {
            steps.push(TraceStep {
                step,
                article: article.clone(),
                says: says(self.lang),
                amount,
            });
        }
    }

    pub(super) fn full_own_pay(&mut self, article: &SmolStr, line: &Line, amount: Money) {
        self.push(StepKind::FullOwnPay, article, amount, |lang| match lang {
            Lang::Zh => format!("第 {} 行 丙类，全自费 {amount}", line.feedetl_sn),
            Lang::En => format!("line {}: class C, own pay {amount}", line.feedetl_sn),
        });
    }

    pub(super) fn over_limit(&mut self, article: &SmolStr, line: &Line, amount: Money) {
        let total = line.det_item_fee_sumamt.unwrap_or_default();
        self.push(StepKind::OverLimit, article, amount, |lang| {
            let ceiling = line.pric_uplmt_amt.unwrap_or(UnitPrice::from_scaled(0));
            let cnt = line.cnt.unwrap_or(Quantity::ONE);
            match lang {
                Lang::Zh => format!(
                    "第 {} 行 超限价 {total} − {ceiling} × {cnt} = {amount}",
                    line.feedetl_sn
                ),
                Lang::En => format!(
                    "line {}: above the price ceiling {total} − {ceiling} × {cnt} = {amount}",
                    line.feedetl_sn
                ),
            }
        });
    }

    pub(super) fn first_self_pay(
        &mut self,
        article: &SmolStr,
        line: &Line,
        base: Money,
        ratio: Ratio,
        amount: Money,
    ) {
        self.push(StepKind::FirstSelfPay, article, amount, |lang| {
            let (sn, percent) = (&line.feedetl_sn, Percent(ratio));
            match lang {
                Lang::Zh => format!("第 {sn} 行 先行自付 {base} × {percent} = {amount}"),
                Lang::En => format!("line {sn}: first self-pay {base} × {percent} = {amount}"),
            }
        });
    }

    /// `figures` = the whole deductible, what of it is borne already, the scope it is taken from; fen.
    pub(super) fn deductible(
        &mut self,
        benefit: &Benefit,
        per: Per,
        level: &str,
        figures: (i64, i64, i64),
        borne: i64,
    ) {
        let (whole, already, scope) = figures;
        let borne = Money::from_fen(borne);
        self.push(StepKind::Deductible, &benefit.article, borne, |lang| {
            let (whole, left, scope) = (
                Money::from_fen(whole),
                Money::from_fen(whole - already),
                Money::from_fen(scope),
            );
            let already = Money::from_fen(already);
            let each = each(per, lang);
            let mut says = match lang {
                Lang::Zh => format!("{} {level} 级，起付标准（{each}）{whole}", benefit.title),
                Lang::En => format!("{}, level {level}, deductible ({each}) {whole}", benefit.id),
            };
            if !already.is_zero() {
                says.push_str(&match lang {
                    Lang::Zh => format!("，已付 {already}，尚余 {left}"),
                    Lang::En => format!(", {already} borne already, {left} left"),
                });
            }
            if borne < left {
                says.push_str(&match (borne == scope, lang) {
                    (true, Lang::Zh) => format!("；政策范围内仅 {scope}"),
                    (true, Lang::En) => format!("; only {scope} within the scope"),
                    (false, Lang::Zh) => format!("；年度累计上限内尚余 {borne}"),
                    (false, Lang::En) => format!("; {borne} left below the year's ceiling"),
                });
            }
            says
        });
    }

    /// What of the scope is the own account's before the funds look at it; fen.
    pub(super) fn account_first(&mut self, benefit: &Benefit, scope: i64, held: i64) {
        let (scope, amount) = (Money::from_fen(scope), Money::from_fen(held));
        if amount.is_zero() {
            return;
        }
        self.push(
            StepKind::AccountFirst,
            &benefit.article,
            amount,
            |lang| match lang {
                Lang::Zh => format!("先由个人账户支付 {amount}，其余 {scope} − {amount} 再计起付标准"),
                Lang::En => format!(
                    "the own account goes first, {amount}; the deductible is taken from {scope} − {amount}"
                ),
            },
        );
    }

    /// One step for each fund bucket that paid.
    pub(super) fn pool(&mut self, bucket: &Bucket<'_>) {
        let Some(first) = bucket.parts.first() else { return };
        if bucket.rounded == 0 {
            return;
        }
        let amount = Money::from_fen(bucket.rounded);
        let article = articles(&bucket.parts, first);
        self.push(StepKind::Pool, &article, amount, |lang| {
            let title = lang.pick(bucket.pool.title.as_str(), bucket.pool.id.as_str());
            // one text for the whole step, long enough for nearly every one
            let mut says = String::with_capacity(256);
            says.push_str(title);
            for (place, part) in bucket.parts.iter().enumerate() {
                says.push_str(if place == 0 { ": " } else { " + " });
                part.formula(lang, &mut says);
            }
            add(&mut says, format_args!(" = {amount}"));
            if let Some((whole, already)) = bucket.threshold {
                let (whole, already) = (Money::from_fen(whole), Money::from_fen(already));
                match lang {
                    Lang::Zh => add(
                        &mut says,
                        format_args!("；起付标准（每年累计）{whole}，此前已付 {already}"),
                    ),
                    Lang::En => add(
                        &mut says,
                        format_args!("; threshold (once a year) {whole}, {already} borne before"),
                    ),
                }
            }
            if let Some(before) = bucket.before.map(Money::from_fen) {
                match lang {
                    Lang::Zh => add(&mut says, format_args!("；限额此前尚余 {before}")),
                    Lang::En => add(&mut says, format_args!("; {before} of the limit left before")),
                }
            }
            for (ratio, cite) in &first.cites {
                let percent = Percent(*ratio);
                match lang {
                    Lang::Zh => add(&mut says, format_args!("；{percent} 见 {cite}")),
                    Lang::En => add(&mut says, format_args!("; {percent} from {cite}")),
                }
            }
            says
        });
    }

    pub(super) fn hospital(&mut self, benefit: &Benefit, amount: Money) {
        if amount.is_zero() {
            return;
        }
        self.push(StepKind::Hospital, &benefit.article, amount, |lang| match lang {
            Lang::Zh => format!("超过病种付费标准的部分由医疗机构负担 {amount}"),
            Lang::En => format!("above the price of the case, borne by the institution: {amount}"),
        });
    }

    pub(super) fn account(&mut self, article: &SmolStr, balance: Money, part: Money, amount: Money) {
        self.push(StepKind::Account, article, amount, |lang| match lang {
            Lang::Zh => format!("个人账户余额 {balance}，个人负担 {part}，支付 {amount}"),
            Lang::En => format!("own account {balance} of the personal part {part}: {amount}"),
        });
    }

    pub(super) fn family(&mut self, article: &SmolStr, balance: Money, amount: Money) {
        self.push(StepKind::FamilyAccount, article, amount, |lang| match lang {
            Lang::Zh => format!("家庭共济账户余额 {balance}，支付 {amount}"),
            Lang::En => format!("family account {balance}: {amount}"),
        });
    }

    pub(super) fn cash(&mut self, article: &SmolStr, sums: &SetlInfo) {
        self.push(StepKind::Cash, article, sums.psn_cash_pay, |lang| {
            let accounts = [sums.acct_pay, sums.acct_mulaid_pay]
                .into_iter()
                .filter(|amount| !amount.is_zero());
            let less: String = accounts.map(|amount| format!(" − {amount}")).collect();
            let word = lang.pick("现金", "cash");
            match less.as_str() {
                "" => format!("{word} {}", sums.psn_cash_pay),
                less => format!("{word} {}{less} = {}", sums.psn_part_amt, sums.psn_cash_pay),
            }
        });
    }
}

/// The articles of a bucket's parts, each once.
fn articles(parts: &[Paid<'_>], first: &Paid<'_>) -> SmolStr {
    if parts.iter().all(|part| part.step.article == first.step.article) {
        return first.step.article.clone();
    }
    let mut articles: Vec<&str> = parts.iter().map(|part| part.step.article.as_str()).collect();
    articles.dedup();
    SmolStr::from(articles.join("；"))
}

/// Says more; a `String` takes whatever is written to it.
fn add(says: &mut String, more: fmt::Arguments<'_>) {
    let _ = says.write_fmt(more);
}

impl Paid<'_> {
    fn formula(&self, lang: Lang, says: &mut String) {
        // shown to the fen; what is computed with is the exact fraction
        let eligible = Money::from_fen(self.eligible.half_up().unwrap_or_default());
        if self.capped.is_some() {
            says.push_str("min(");
        }
        add(says, format_args!("{eligible} × "));
        let factors = self.step.times.len();
        let (summands, factors) = self.cites.split_at(self.cites.len().saturating_sub(factors));
        match summands {
            [] if factors.is_empty() => add(says, format_args!("{}", Percent(self.ratio))),
            [] => says.push_str("100 %"),
            [(one, _)] => add(says, format_args!("{}", Percent(*one))),
            [(first, _), others @ ..] => {
                add(says, format_args!("({}", Percent(*first)));
                for (other, _) in others {
                    add(says, format_args!(" + {}", Percent(*other)));
                }
                says.push(')');
            }
        }
        for (factor, _) in factors {
            add(says, format_args!(" × {}", Percent(*factor)));
        }
        if let Some(left) = self.capped {
            let left = Money::from_fen(left.half_up().unwrap_or_default());
            match lang {
                Lang::Zh => add(says, format_args!(", 余额 {left})")),
                Lang::En => add(says, format_args!(", {left} left)")),
            }
        }
    }
}
