//! Cutting the lines: excluded goods, the price rule, full own pay, over-limit price, first self-pay, scope.

use smol_str::SmolStr;

use super::select::place;
use super::{Refused, Run, refusal};
use crate::claim::{Flag, ItemClass, Line};
use crate::codes::Code;
use crate::decimal::{Quantity, Ratio};
use crate::exact::Exact;
use crate::money::Money;
use crate::outcome::{Excluded, LineCut};
use crate::pack::{Benefit, Per, Place};

/// Sums in fen.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) total: i64,
    pub(super) full: i64,
    pub(super) over: i64,
    pub(super) first: i64,
    pub(super) scope: i64,
}

/// The lines of one benefit.
pub(super) struct Group<'a> {
    pub(super) benefit: &'a Benefit,
    pub(super) scope: i64,
    /// First self-pay of its lines.
    pub(super) first: i64,
    /// The benefit's own first self-pay, after that of each line.
    own_share: Ratio,
    /// Scope of each drug, where the deductible goes by drug.
    pub(super) drugs: Vec<(SmolStr, i64)>,
}

/// The bill after its lines are cut.
pub(super) struct Bill<'a> {
    /// The benefit the settlement is named after: that of the first line that is not a negotiated drug.
    pub(super) benefit: &'a Benefit,
    /// One, or two when negotiated drugs stand beside others.
    pub(super) groups: Vec<Group<'a>>,
    pub(super) sums: Sums,
    pub(super) cuts: Vec<LineCut>,
    pub(super) excluded: Vec<Excluded>,
}

/// Quantities have four decimals, prices six, fen two: price × quantity is in 10^-8 fen.
const PRICED: i128 = 100_000_000;

impl<'a> Run<'a> {
    /// Cuts every line. The level a benefit wants is only asked for when a fund is to pay.
    pub(super) fn cut_lines(&mut self, funds_pay: bool) -> Result<Bill<'a>, Refused> {
        let claim = self.claim;
        self.check_lines()?;
        let mut cuts = Vec::with_capacity(claim.lines.len());
        let mut excluded = Vec::new();
        let prescribed_at = place(claim);
        let mut sums = Sums::default();
        let mut groups: Vec<Group<'a>> = Vec::with_capacity(1);
        let mut chosen: [Option<&'a Benefit>; 2] = [None, None];
        for line in &claim.lines {
            if self.is_excluded(line, prescribed_at) {
                let article = self.pack.article.goods.clone();
                excluded.push(Excluded {
                    feedetl_sn: line.feedetl_sn.clone(),
                    code: Code::GoodsNotMedical,
                    article,
                });
                continue;
            }
            let negotiated = line.hi_nego_drug_flag == Some(Flag::Yes);
            let [ordinary, drug] = &mut chosen;
            let slot = if negotiated { drug } else { ordinary };
            let benefit = match *slot {
                Some(benefit) => benefit,
                None => *slot.insert(self.select_for(negotiated, funds_pay)?),
            };
            if let (Some(article), true) = (self.unrelated(line, benefit), funds_pay) {
                excluded.push(Excluded {
                    feedetl_sn: line.feedetl_sn.clone(),
                    code: Code::ItemNotForDisease,
                    article: article.clone(),
                });
                continue;
            }
            let known = groups
                .iter()
                .position(|group| std::ptr::eq(group.benefit, benefit));
            if known.is_none() {
                groups.push(self.group(benefit, funds_pay)?);
            }
            let place = known.unwrap_or(groups.len() - 1);
            let Some(group) = groups.get_mut(place) else {
                continue;
            };
            let cut = self.cut(line, group, &mut sums)?;
            group.scope = self.fits(group.scope.checked_add(cut.inscp_scp_amt.fen()))?;
            group.first += cut.preselfpay_amt.fen();
            self.count_drug(group, line, cut.inscp_scp_amt.fen())?;
            cuts.push(cut);
        }
        let [ordinary, drug] = chosen;
        let benefit = match ordinary.or(drug) {
            Some(benefit) => benefit,
            None => self.select(false, funds_pay)?,
        };
        Ok(Bill {
            benefit,
            groups,
            sums,
            cuts,
            excluded,
        })
    }

    fn select_for(&self, negotiated: bool, funds_pay: bool) -> Result<&'a Benefit, Refused> {
        let benefit = self.select(negotiated, funds_pay)?;
        if funds_pay && self.axes.level < benefit.level_min {
            return Err(Box::new(refusal(
                Code::BenefitBelowTier,
                benefit.article.clone(),
                self.lang,
            )));
        }
        Ok(benefit)
    }

    fn group(&mut self, benefit: &'a Benefit, funds_pay: bool) -> Result<Group<'a>, Refused> {
        let axes = self.axes;
        let own_share = match &benefit.first_self_pay {
            Some(share) if funds_pay => self.figure(share, &axes)?.scaled,
            _ => 0,
        };
        Ok(Group {
            benefit,
            scope: 0,
            first: 0,
            own_share: Ratio::from_scaled(own_share.max(0)),
            drugs: Vec::new(),
        })
    }

    /// Where the deductible goes by drug, so does the scope.
    fn count_drug(&self, group: &mut Group<'a>, line: &Line, scope: i64) -> Result<(), Refused> {
        if group
            .benefit
            .deductible
            .as_ref()
            .is_some_and(|deductible| deductible.per == Per::DrugYear)
        {
            let code = line.med_list_codg.clone().unwrap_or_default();
            match group.drugs.iter_mut().find(|(known, _)| *known == code) {
                Some((_, sum)) => *sum = self.fits(sum.checked_add(scope))?,
                None => group.drugs.push((code, scope)),
            }
        }
        Ok(())
    }

    /// Goods that may not be paid by the insurance at all (KM-SUP 29(3), KM-15 18(1)).
    fn is_excluded(&self, line: &Line, at: Place) -> bool {
        if self.pack.goods_excluded.contains(&line.goods) {
            return true;
        }
        let coded = line.med_list_codg.as_ref().is_some_and(|code| !code.is_empty());
        !coded && self.pack.goods_uncoded_at_pharmacy.contains(&line.goods) && at != Place::Hospital
    }

    /// A benefit of registered diseases is for what belongs to the visit's disease (KM-15 12): the article, where the
    /// line is for others.
    fn unrelated(&self, line: &Line, benefit: &Benefit) -> Option<&'a SmolStr> {
        let (article, used_for) = (
            self.pack.article.disease_item.as_ref()?,
            line.for_diseases.as_ref()?,
        );
        let visited = self.claim.visit.dise_codg.as_deref().unwrap_or_default();
        let by_disease = benefit.when.iter().all(|when| when.disease.is_some());
        let related = used_for.iter().any(|code| visited.starts_with(code.as_str()));
        (by_disease && !related).then_some(article)
    }

    /// Amounts of one line in yuan, first self-pay rounded half-up.
    fn cut(&mut self, line: &Line, group: &Group<'a>, sums: &mut Sums) -> Result<LineCut, Refused> {
        // from_json fills the amount in; a claim built by hand may lack it
        let total = self.fits(line.det_item_fee_sumamt)?.fen();
        let mut cut = LineCut {
            feedetl_sn: line.feedetl_sn.clone(),
            fulamt_ownpay_amt: Money::ZERO,
            overlmt_amt: Money::ZERO,
            preselfpay_amt: Money::ZERO,
            inscp_scp_amt: Money::ZERO,
        };
        sums.total = self.fits(sums.total.checked_add(total))?;
        if line.chrgitm_lv == ItemClass::C {
            sums.full = self.fits(sums.full.checked_add(total))?;
            cut.fulamt_ownpay_amt = Money::from_fen(total);
            self.trace
                .full_own_pay(&self.pack.article.scope, line, cut.fulamt_ownpay_amt);
            return Ok(cut);
        }
        let over = self.over_limit(line, total)?;
        let base = total - over;
        let ratio = line.selfpay_prop.unwrap_or(Ratio::ZERO);
        let of_line = self.first_of(base, ratio)?;
        let of_benefit = self.first_of(base - of_line, group.own_share)?;
        let first = of_line + of_benefit;
        sums.over += over;
        sums.first += first;
        sums.scope += base - first;
        cut.overlmt_amt = Money::from_fen(over);
        cut.preselfpay_amt = Money::from_fen(first);
        cut.inscp_scp_amt = Money::from_fen(base - first);
        if over > 0 {
            self.trace
                .over_limit(&self.pack.article.scope, line, cut.overlmt_amt);
        }
        let own = &group.benefit.article;
        for (article, base, ratio, first) in [
            (&self.pack.article.first_self_pay, base, ratio, of_line),
            (own, base - of_line, group.own_share, of_benefit),
        ] {
            if first > 0 {
                let (base, first) = (Money::from_fen(base), Money::from_fen(first));
                self.trace.first_self_pay(article, line, base, ratio, first);
            }
        }
        Ok(cut)
    }

    fn first_of(&self, base: i64, ratio: Ratio) -> Result<i64, Refused> {
        if ratio == Ratio::ZERO {
            return Ok(0);
        }
        self.fits(Exact::fen(base).times(ratio).and_then(Exact::half_up))
    }

    /// What the amount has above price ceiling × quantity, half-up to the fen.
    fn over_limit(&self, line: &Line, total: i64) -> Result<i64, Refused> {
        let Some(ceiling) = line.pric_uplmt_amt else {
            return Ok(0);
        };
        let allowed = priced(ceiling.scaled(), line.cnt);
        let over = allowed.and_then(|allowed| Exact::fen(total).sub(allowed)?.half_up());
        Ok(self.fits(over)?.clamp(0, total))
    }

    /// The insured price must not be above the cash price of the same article (KM-SUP 29(4)), nor the quantity above
    /// what the days of the prescription need (KM-SUP 26). Looked at before anything else, prices first, so that the
    /// order of the lines does not decide which refusal is given.
    fn check_lines(&self) -> Result<(), Refused> {
        let at = place(self.claim);
        for line in &self.claim.lines {
            if line.cash_pric.is_some() && !self.is_excluded(line, at) {
                self.check_price(line)?;
            }
        }
        if let Some(article) = &self.pack.article.quantity
            && self.claim.lines.iter().any(is_above_need)
        {
            return Err(Box::new(refusal(
                Code::QuantityAboveNeed,
                article.clone(),
                self.lang,
            )));
        }
        Ok(())
    }

    fn check_price(&self, line: &Line) -> Result<(), Refused> {
        let Some(cash) = line.cash_pric else { return Ok(()) };
        let above = match line.pric {
            Some(price) => price > cash,
            None => {
                let cash = self.fits(priced(cash.scaled(), line.cnt))?;
                let total = self.fits(line.det_item_fee_sumamt)?;
                self.fits(Exact::fen(total.fen()).compare(cash))?.is_gt()
            }
        };
        if above {
            return Err(Box::new(refusal(
                Code::PriceAboveCash,
                self.pack.article.price.clone(),
                self.lang,
            )));
        }
        Ok(())
    }
}

/// Whether a line is more than its days × what is used in a day; a pack begun is needed whole.
fn is_above_need(line: &Line) -> bool {
    let (Some(days), Some(a_day), Some(cnt)) = (line.prd_days, line.day_cnt, line.cnt) else {
        return false;
    };
    let one = i128::from(Quantity::ONE.scaled());
    let needed = i128::from(days.scaled()) * i128::from(a_day.scaled());
    let packs = needed.div_euclid(one * one) + i128::from(needed.rem_euclid(one * one) > 0);
    i128::from(cnt.scaled()) > packs * one
}

/// Price × quantity; no quantity is one.
fn priced(price_scaled: i64, cnt: Option<Quantity>) -> Option<Exact> {
    let cnt = cnt.map_or(10_000, |cnt| i128::from(cnt.scaled()));
    Exact::new(i128::from(price_scaled).checked_mul(cnt)?, PRICED)
}
