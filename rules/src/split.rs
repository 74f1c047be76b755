//! The split of one claim: standing, lines, benefit, deductible, funds, accounts, cash.

mod accounts;
mod buckets;
mod cascade;
mod enrolled;
mod explain;
mod funds;
mod layers;
mod lines;
mod select;
mod standing;
mod trace;

use smol_str::SmolStr;

use crate::claim::{Accumulated, Claim, Institution, Person, Used, Visit};
use crate::codes::{Code, Lang};
use crate::decimal::Ratio;
use crate::money::Money;
use crate::outcome::{FundPay, Grade, Note, Outcome, PackRef, Refusal, SetlInfo, Settlement};
use crate::pack::{Axes, Column, Figure, FigureFault, NONE, Pack, Packs, Parameter};
use buckets::Funds;
use lines::Bill;
use standing::Standing;
use trace::Trace;

/// How a claim is to be split.
#[derive(Clone, Debug)]
pub struct Options {
    /// The pack to use; `None` = the one that answers for the claim.
    pub pack: Option<String>,
    /// Whether the reasons are wanted.
    pub trace: bool,
    /// Language of the reasons.
    pub lang: Lang,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pack: None,
            trace: true,
            lang: Lang::Zh,
        }
    }
}

/// Splits a claim: what fund, accounts and patient each pay, or which rule refuses it.
///
/// Amounts are yuan; fractions are kept exact and rounded half-up once for each fund bucket; the patient's part is
/// the remainder. Source: the pack's articles, cited in the trace.
pub fn split(packs: &Packs, claim: &Claim, options: &Options) -> Outcome {
    let pack = match &options.pack {
        Some(id) => packs
            .get(id)
            .filter(|pack| pack.covers(pack.rule_date(&claim.visit))),
        None => packs.choose(claim),
    };
    let Some(pack) = pack else {
        return Outcome::Refused(refusal(Code::NoPack, SmolStr::default(), options.lang));
    };
    match Run::new(pack, claim, options).settle() {
        Ok(settlement) => Outcome::Settled(settlement),
        Err(refused) => Outcome::Refused(*refused),
    }
}

/// Whether the person has benefits here and now, before there is any line. A suspension of network settlement is a
/// note, not a refusal. Words are Chinese; [`Code::says`] has the others.
pub fn check_person(
    packs: &Packs,
    person: &Person,
    institution: &Institution,
    visit: &Visit,
) -> Result<Vec<Note>, Refusal> {
    let pack = packs.choose_for(person, visit);
    let pack = pack.ok_or_else(|| refusal(Code::NoPack, SmolStr::default(), Lang::Zh))?;
    let standing = Standing::of(pack, person, institution, visit, Lang::Zh).map_err(|refused| *refused)?;
    Ok(standing.notes())
}

pub(crate) fn refusal(code: Code, article: SmolStr, lang: Lang) -> Refusal {
    Refusal {
        code,
        article,
        says: code.says(lang).to_owned(),
        advice: code.advice(lang).to_owned(),
    }
}

/// The refusal of a figure that the regulation leaves to a later document.
fn not_published(parameter: &Parameter, cite: &str, lang: Lang) -> Refused {
    let mut refused = refusal(Code::FigureNotPublished, SmolStr::from(cite), lang);
    refused.says = format!("{} {} ({})", refused.says, parameter.title, parameter.name);
    Box::new(refused)
}

/// A refusal on its way out; boxed because it is rare and large.
type Refused = Box<Refusal>;

/// One claim being split.
struct Run<'a> {
    pack: &'a Pack,
    claim: &'a Claim,
    lang: Lang,
    day: jiff::civil::Date,
    axes: Axes,
    grade: Grade,
    trace: Trace,
    /// The article of a fund that would pay if the person were insured in it.
    lacking: Option<&'a SmolStr>,
}

impl<'a> Run<'a> {
    fn new(pack: &'a Pack, claim: &'a Claim, options: &Options) -> Run<'a> {
        Run {
            pack,
            claim,
            lang: options.lang,
            day: pack.rule_date(&claim.visit),
            axes: select::axes(pack, claim),
            grade: Grade::Regulation,
            trace: Trace::new(options.trace, options.lang),
            lacking: None,
        }
    }

    fn settle(mut self) -> Result<Box<Settlement>, Refused> {
        let claim = self.claim;
        let standing = Standing::of(
            self.pack,
            &claim.person,
            &claim.institution,
            &claim.visit,
            self.lang,
        )?;
        let mut notes = standing.notes();
        self.grade = standing.grade();
        self.axes.region = standing.region();
        let bill = self.cut_lines(standing.funds_pay())?;
        let mut funds = Funds::new();
        if standing.funds_pay() {
            // the benefit the bill is named after goes first, whatever the order of the lines
            let named = bill
                .groups
                .iter()
                .filter(|group| std::ptr::eq(group.benefit, bill.benefit));
            let others = bill
                .groups
                .iter()
                .filter(|group| !std::ptr::eq(group.benefit, bill.benefit));
            for group in named.chain(others) {
                self.pay_group(group, &mut funds)?;
            }
            self.pay_layers(&mut funds)?;
            notes.extend(self.lacking.map(|article| Note {
                code: Code::SupplementNotPaid,
                article: article.clone(),
            }));
        }
        let covers_first = self.pack.layers.iter().any(|layer| layer.covers.first_self_pay);
        let first = if covers_first { bill.sums.first } else { 0 };
        let setldetail = self.round(&mut funds, bill.sums.scope + first)?;
        let mut setlinfo = self.sums(&bill, &funds)?;
        self.trace.hospital(bill.benefit, setlinfo.hosp_part_amt);
        let accounts_after = self.pay_from_accounts(&standing, &mut setlinfo, &mut notes)?;
        let settlement = Box::new(Settlement {
            pack: PackRef {
                id: self.pack.id.clone(),
                version: self.pack.version.clone(),
            },
            benefit: bill.benefit.id.clone(),
            setlinfo,
            setldetail,
            detlcutinfo: bill.cuts,
            accumulated_after: self.accumulated_after(&funds)?,
            accounts_after,
            excluded: bill.excluded,
            notes,
            grade: self.grade,
            trace: self.trace.into_steps(),
        });
        if settlement.check().is_err() {
            return Err(Box::new(refusal(
                Code::SumsDoNotHold,
                SmolStr::default(),
                self.lang,
            )));
        }
        Ok(settlement)
    }

    /// One half-up rounding for each fund bucket; no bucket may take more than is left of what funds may pay.
    fn round(&mut self, funds: &mut Funds<'a>, payable: i64) -> Result<Vec<FundPay>, Refused> {
        let mut left = payable - funds.hospital;
        let mut rows = Vec::with_capacity(funds.buckets.len());
        for place in 0..funds.buckets.len() {
            left -= self.fits(funds.round(place, left))?;
            let Some(bucket) = funds.buckets.get(place) else {
                break;
            };
            if bucket.rounded > 0 {
                rows.push(FundPay {
                    fund_pay_type: bucket.pool.fund_pay_type.clone(),
                    pool: bucket.pool.id.clone(),
                    fund_payamt: Money::from_fen(bucket.rounded),
                    crt_payb_lmt_amt: bucket.before.map(Money::from_fen),
                });
            }
            self.trace.pool(bucket);
        }
        Ok(rows)
    }

    /// The sums up to the personal part.
    fn sums(&self, bill: &Bill<'a>, funds: &Funds<'a>) -> Result<SetlInfo, Refused> {
        let mut sums = SetlInfo {
            medfee_sumamt: Money::from_fen(bill.sums.total),
            fulamt_ownpay_amt: Money::from_fen(bill.sums.full),
            overlmt_selfpay: Money::from_fen(bill.sums.over),
            preselfpay_amt: Money::from_fen(bill.sums.first),
            inscp_scp_amt: Money::from_fen(bill.sums.scope),
            act_pay_dedc: Money::from_fen(funds.deductible),
            pool_prop_selfpay: funds.ratio.unwrap_or(Ratio::ZERO),
            ..SetlInfo::default()
        };
        for bucket in &funds.buckets {
            let column = match bucket.pool.column {
                Column::HifpPay => &mut sums.hifp_pay,
                Column::CvlservPay => &mut sums.cvlserv_pay,
                Column::HifesPay => &mut sums.hifes_pay,
                Column::HifmiPay => &mut sums.hifmi_pay,
                Column::HifobPay => &mut sums.hifob_pay,
                Column::MafPay => &mut sums.maf_pay,
                Column::HifdmPay => &mut sums.hifdm_pay,
                Column::OthPay => &mut sums.oth_pay,
            };
            *column = Money::from_fen(self.fits(column.fen().checked_add(bucket.rounded))?);
        }
        let paid: i64 = funds.buckets.iter().map(|bucket| bucket.rounded).sum();
        sums.fund_pay_sumamt = Money::from_fen(paid);
        sums.hosp_part_amt = Money::from_fen(funds.hospital);
        sums.psn_part_amt = Money::from_fen(bill.sums.total - paid - funds.hospital);
        Ok(sums)
    }

    /// The rows this bill changed: deductible and scope on the benefit's own row, payments on the pool that paid and
    /// on those it counts with.
    fn accumulated_after(&self, funds: &Funds<'a>) -> Result<Vec<Accumulated>, Refused> {
        let mut rows: Vec<Accumulated> = Vec::with_capacity(funds.touched.len() + funds.buckets.len());
        for touched in &funds.touched {
            self.add_to_row(
                &mut rows,
                touched.row,
                touched.key.clone(),
                [touched.deductible, 0, touched.scope],
            )?;
        }
        for bucket in funds.buckets.iter().filter(|bucket| bucket.rounded > 0) {
            let pools = std::iter::successors(Some(bucket.pool), |pool| pool.within.as_ref());
            for pool in pools {
                let key = pool.limit.as_ref().and_then(|limit| self.key(limit.per));
                self.add_to_row(&mut rows, &pool.id, key, [0, bucket.rounded, 0])?;
            }
        }
        Ok(rows)
    }

    /// Adds deductible, fund and scope to a row, which begins with what the year has used.
    fn add_to_row(
        &self,
        rows: &mut Vec<Accumulated>,
        pool: &SmolStr,
        key: Option<SmolStr>,
        added: [i64; 3],
    ) -> Result<(), Refused> {
        let known = rows.iter().position(|row| row.pool == *pool && row.key == key);
        let place = known.unwrap_or(rows.len());
        if known.is_none() {
            let used = Used::of_row(&self.claim.accumulated, pool, key.as_ref());
            rows.push(Accumulated {
                pool: pool.clone(),
                key,
                deductible: Money::from_fen(used.deductible),
                fund: Money::from_fen(used.fund),
                in_scope: Money::from_fen(used.in_scope),
            });
        }
        let Some(row) = rows.get_mut(place) else {
            return Ok(());
        };
        for (money, fen) in [&mut row.deductible, &mut row.fund, &mut row.in_scope]
            .into_iter()
            .zip(added)
        {
            *money = Money::from_fen(self.fits(money.fen().checked_add(fen))?);
        }
        Ok(())
    }

    // ---- what every step needs

    /// An amount of the pack; `None` = the pack says there is none.
    fn amount(&mut self, parameter: &Parameter, axes: &Axes) -> Result<Option<i64>, Refused> {
        let fen = self.figure(parameter, axes)?.scaled;
        Ok((fen != NONE).then_some(fen))
    }

    /// A figure of the pack on the bill's day; what it rests on weakens the grade of the whole.
    fn figure<'p>(&mut self, parameter: &'p Parameter, axes: &Axes) -> Result<Figure<'p>, Refused> {
        match parameter.on(self.day, axes) {
            Ok(figure) => {
                if figure.scaled != 0 {
                    self.grade = self.grade.max(figure.grade);
                }
                Ok(figure)
            }
            Err(FigureFault::NotPublished { parameter, cite }) => {
                Err(not_published(parameter, cite, self.lang))
            }
            Err(FigureFault::NoStatus | FigureFault::NoAge) => Err(Box::new(refusal(
                Code::PersonTypeNotCovered,
                SmolStr::default(),
                self.lang,
            ))),
        }
    }

    /// `None` is an amount beyond what can be computed.
    fn fits<T>(&self, amount: Option<T>) -> Result<T, Refused> {
        amount.ok_or_else(|| Box::new(refusal(Code::AmountTooLarge, SmolStr::default(), self.lang)))
    }
}
