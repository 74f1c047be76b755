//! The sums a settlement has to come to: which hold, and what they say of an amount that is not told.

use yijie_rules::{Money, SetlInfo};

use super::{
    FundLine, Irregularity, Signs,
    reading::{EMPTY, PERSON_PART, Reading},
};
use crate::profile::Profile;

/// Code of an irregularity whose field names a money identity that does not hold.
pub(crate) const IDENTITY_BROKEN: &str = "IDENTITY_BROKEN";
const SCOPE: &str = "medfee_sumamt = own pay + over limit + first self-pay + in scope";
const FUNDS: &str = "fund_pay_sumamt = sum of the funds";
pub(super) const PERSON: &str = "psn_part_amt = account + family + cash";
const PAYERS: &str = "medfee_sumamt = fund + person + hospital";
pub(super) const DETAIL: &str = "sum of setldetail = funds, account and hospital";

/// The money identities that are checked.
pub(crate) const IDENTITIES: [&str; 5] = [SCOPE, FUNDS, PERSON, PAYERS, DETAIL];

/// The identities that an amount stands in; None: it stands in none.
pub(super) fn of(amount: &str) -> Option<std::slice::Iter<'static, &'static str>> {
    let sums: &[&str] = match amount {
        "fulamt_ownpay_amt" | "overlmt_selfpay" | "preselfpay_amt" | "inscp_scp_amt" => &[SCOPE],
        "hifp_pay" | "cvlserv_pay" | "hifes_pay" | "hifmi_pay" | "hifob_pay" | "maf_pay" | "hifdm_pay"
        | "oth_pay" => &[FUNDS],
        FUND => &[FUNDS, PAYERS],
        ACCOUNT | FAMILY | CASH => &[PERSON, PAYERS],
        HOSPITAL => &[PAYERS],
        _ => return None,
    };
    Some(sums.iter())
}

const FUND: &str = "fund_pay_sumamt";
const ACCOUNT: &str = "acct_pay";
const FAMILY: &str = "acct_mulaid_pay";
const CASH: &str = "psn_cash_pay";
const HOSPITAL: &str = "hosp_part_amt";
const FUND_COLUMNS: [&str; 8] = [
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "maf_pay",
    "hifdm_pay",
    "oth_pay",
];

/// Brings the amounts to the nation's sums and notes which do not hold. None: of a share that is not told nobody can say
/// what it is.
pub(super) fn close(
    info: &mut SetlInfo,
    detail: &[FundLine],
    profile: &Profile,
    reading: &mut Reading<'_, '_>,
) -> Option<()> {
    if !reading.is_told(FUND)
        && let Some(sum) = fund_elsewhere(info, detail)
    {
        info.fund_pay_sumamt = sum;
        reading.derived(FUND);
    }
    as_the_nation_sums(info, profile, reading);
    let part_told = reading.is_told(PERSON_PART[0]);
    if !part_told {
        // By definition what the person's accounts and cash come to; reversals leave it out.
        info.psn_part_amt = sum(&person_of(info)).unwrap_or(Money::ZERO);
        reading.derived(PERSON_PART[0]);
    }
    let broken = broken(info, detail);
    for identity in &broken {
        reading.note(IDENTITY_BROKEN, identity);
    }
    let hospital_noted = |odd: &Irregularity| odd.code == EMPTY && odd.field == HOSPITAL;
    let unaccounted = !reading.is_told(HOSPITAL) && broken.contains(&PAYERS);
    if unaccounted && !reading.irregularities.iter().any(hospital_noted) {
        reading.note(EMPTY, HOSPITAL);
    }
    if reading.signs == Signs::Dropped {
        if info.medfee_sumamt.is_zero() {
            reading.note("NOTHING_UNDONE", "medfee_sumamt");
        }
        return Some(());
    }
    let certain = !info.acct_mulaid_pay.is_negative() && nothing_is_missing(info, detail, &broken, reading);
    certain.then_some(())
}

/// A share that is not told is nothing only where all that is told comes to the bill without it, in one way.
fn nothing_is_missing(
    info: &SetlInfo,
    detail: &[FundLine],
    broken: &[&str],
    reading: &Reading<'_, '_>,
) -> bool {
    let shares = [FUND, ACCOUNT, CASH];
    let untold = shares.iter().filter(|share| !reading.is_told(share)).count();
    if untold == 0 {
        return true;
    }
    let funds_told = FUND_COLUMNS.iter().any(|fund| reading.is_told(fund));
    let sums = broken.contains(&PAYERS) || broken.contains(&PERSON) || funds_told && broken.contains(&FUNDS);
    // Lines of the own account are money of the account, whether or not the sum has it.
    let listed = sum_of(detail, |line| line.fund_pay_type.starts_with("3102"));
    let account =
        reading.is_told(ACCOUNT) || [Some(Money::ZERO), Some(info.acct_mulaid_pay)].contains(&listed);
    // A relative's account beside the own one, or inside it and the rest in cash.
    let one_way = reading.is_told(CASH) || info.acct_mulaid_pay.is_zero() || reading.family_was_inside;
    untold < shares.len() && !sums && account && one_way
}

/// What the funds come to one by one, where their sum is not told.
fn fund_elsewhere(info: &SetlInfo, detail: &[FundLine]) -> Option<Money> {
    let others = ["3102", "999996", "999997"];
    let listed = sum_of(detail, |line| {
        !others.iter().any(|other| line.fund_pay_type.starts_with(other))
    });
    [sum(&funds_of(info)), listed]
        .into_iter()
        .flatten()
        .find(|sum| !sum.is_zero())
}

fn sum(amounts: &[Money]) -> Option<Money> {
    Money::sum(amounts.iter().copied())
}

fn sum_of(detail: &[FundLine], which: impl Fn(&&FundLine) -> bool) -> Option<Money> {
    Money::sum(detail.iter().filter(which).map(|line| line.fund_payamt))
}

fn person_of(info: &SetlInfo) -> [Money; 3] {
    [info.acct_pay, info.acct_mulaid_pay, info.psn_cash_pay]
}

/// The sums as the national interface has them: the fund's without the personal account, the own account without the
/// family's. Where the profile says so, or where the figures say so all by themselves.
fn as_the_nation_sums(info: &mut SetlInfo, profile: &Profile, reading: &mut Reading<'_, '_>) {
    let funds = sum(&funds_of(info));
    let with_account = funds.and_then(|funds| funds.checked_add(info.acct_pay));
    let plain = funds == Some(info.fund_pay_sumamt);
    let shows = !plain && with_account == Some(info.fund_pay_sumamt);
    if (profile.fund_sum_includes_account && !plain || shows)
        && let Some(less) = info.fund_pay_sumamt.checked_sub(info.acct_pay)
    {
        info.fund_pay_sumamt = less;
        if !profile.fund_sum_includes_account {
            reading.note("FUND_SUM_INCLUDES_ACCOUNT", FUND);
        }
    }
    if info.acct_mulaid_pay.is_zero() || !family_is_inside(info, profile, reading) {
        return;
    }
    if let Some(own) = info.acct_pay.checked_sub(info.acct_mulaid_pay)
        && !own.is_negative()
    {
        info.acct_pay = own;
        reading.family_was_inside = true;
        if !profile.family_inside_account {
            reading.note("FAMILY_INSIDE_ACCOUNT", ACCOUNT);
        }
    }
}

/// By what is left of the bill for the person, by the person's part, by the profile.
fn family_is_inside(info: &SetlInfo, profile: &Profile, reading: &Reading<'_, '_>) -> bool {
    let inside = sum(&[info.acct_pay, info.psn_cash_pay]);
    let beside = sum(&person_of(info));
    let others = sum(&[info.fund_pay_sumamt, info.hosp_part_amt]);
    let left = others.and_then(|others| info.medfee_sumamt.checked_sub(others));
    let part = reading.is_told(PERSON_PART[0]).then_some(info.psn_part_amt);
    let mut told = [left, part].into_iter().flatten();
    let shown = told.find_map(|told| match (inside == Some(told), beside == Some(told)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    });
    shown.unwrap_or(profile.family_inside_account)
}

fn funds_of(info: &SetlInfo) -> [Money; 8] {
    [
        info.hifp_pay,
        info.cvlserv_pay,
        info.hifes_pay,
        info.hifmi_pay,
        info.hifob_pay,
        info.maf_pay,
        info.hifdm_pay,
        info.oth_pay,
    ]
}

/// The money identities that do not hold.
fn broken(info: &SetlInfo, detail: &[FundLine]) -> Vec<&'static str> {
    let scope = [
        info.fulamt_ownpay_amt,
        info.overlmt_selfpay,
        info.preselfpay_amt,
        info.inscp_scp_amt,
    ];
    let parts = [info.fund_pay_sumamt, info.psn_part_amt, info.hosp_part_amt];
    let mut checked = vec![
        (SCOPE, sum(&scope) == Some(info.medfee_sumamt)),
        (FUNDS, sum(&funds_of(info)) == Some(info.fund_pay_sumamt)),
        (PERSON, sum(&person_of(info)) == Some(info.psn_part_amt)),
        (PAYERS, sum(&parts) == Some(info.medfee_sumamt)),
    ];
    if !detail.is_empty() {
        let listed = sum_of(detail, |_| true);
        let with = |more: &[Money]| sum(more).and_then(|more| more.checked_add(info.fund_pay_sumamt));
        let account = [info.acct_pay, info.hosp_part_amt];
        let family = [info.acct_pay, info.acct_mulaid_pay, info.hosp_part_amt];
        let holds = [
            with(&[]),
            with(&account),
            with(&family),
            with(&[info.hosp_part_amt]),
        ]
        .contains(&listed);
        checked.push((DETAIL, holds));
    }
    let broken = checked.into_iter().filter(|(_, holds)| !holds);
    broken.map(|(identity, _)| identity).collect()
}
