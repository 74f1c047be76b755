//! What a settlement came to: the lenient reading of setlinfo and setldetail, normalised, with every oddity named.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use yijie_rules::{Accumulated, Money, Ratio, SetlInfo};

use crate::{
    envelope::Output,
    lenient::{Fields, Node, amount, money as money_of, time},
    profile::Profile,
};

/// A settlement as the agency gave it, under the field names of 2102/2207. Serialises for the journal and for
/// people; `Debug` shows no person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SettledReply {
    /// Settlement number; empty in a trial settlement.
    pub setl_id: String,
    /// Visit number.
    pub mdtrt_id: String,
    /// Person number; empty where the agency left it out.
    pub psn_no: String,
    /// The msgid of the settlement, as the agency keeps it.
    pub medins_setl_id: String,
    /// Insurance type.
    pub insutype: String,
    /// Kind of care.
    pub med_type: String,
    /// Settling agency, for 3201.
    pub clr_optins: String,
    /// Way of settlement.
    pub clr_way: String,
    /// Category of settlement, for 3201.
    pub clr_type: String,
    /// Time of the settlement by the agency's clock, `yyyy-MM-dd HH:mm:ss` where it can be read. Not to be used for
    /// ordering.
    pub setl_time: String,
    /// refd_setl_flag 1: the settlement was cancelled or reversed.
    pub refunded: bool,
    /// The amounts.
    pub setlinfo: SetlInfo,
    /// Who paid: funds, and other sources the agency lists with them.
    pub setldetail: Vec<FundLine>,
    /// What the year has used afterwards, where the agency says so in exp_content.
    pub accumulated_after: Option<Vec<Accumulated>>,
    /// What was odd about the reply.
    #[serde(default)]
    pub irregularities: Vec<Irregularity>,
}

/// A row of setldetail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundLine {
    /// Kind of fund; unknown kinds are kept as they are.
    pub fund_pay_type: String,
    /// Its name in the agency's words.
    pub fund_pay_type_name: String,
    /// What it paid.
    pub fund_payamt: Money,
    /// What was in its scope.
    pub inscp_scp_amt: Option<Money>,
    /// What it could have paid at most.
    pub crt_payb_lmt_amt: Option<Money>,
}

/// Something in a reply that is not as it should be, but could be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Irregularity {
    /// Stable code.
    pub code: Cow<'static, str>,
    /// The field or identity.
    pub field: String,
}

impl Irregularity {
    pub(crate) fn new(code: &'static str, field: &str) -> Irregularity {
        Irregularity {
            code: Cow::Borrowed(code),
            field: field.to_owned(),
        }
    }
}

impl fmt::Debug for SettledReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettledReply")
            .field("setl_id", &self.setl_id)
            .field("medins_setl_id", &self.medins_setl_id)
            .field("refunded", &self.refunded)
            .field("irregularities", &self.irregularities)
            .finish_non_exhaustive()
    }
}

impl SettledReply {
    /// The own account's balance, where the agency tells it: none is not a balance of 0.00.
    #[must_use]
    pub fn balance(&self) -> Option<Money> {
        let untold =
            |odd: &Irregularity| odd.field == BALANCE && [EMPTY, UNREADABLE].contains(&odd.code.as_ref());
        (!self.irregularities.iter().any(untold)).then_some(self.setlinfo.balc)
    }

    /// Whether a money identity holds; nothing where it could not be checked.
    pub(crate) fn holds(&self, identity: &str) -> Option<bool> {
        let noted = |code: &str, field: &str| {
            self.irregularities
                .iter()
                .any(|odd| odd.code == code && odd.field == field)
        };
        let unchecked = match identity {
            PERSON => noted(DERIVED, PERSON_PART[0]),
            DETAIL => self.setldetail.is_empty(),
            _ => false,
        };
        (!unchecked).then(|| !noted(IDENTITY_BROKEN, identity))
    }

    /// Notes an echo of another msgid than the one sent.
    pub(crate) fn compare_msgid(&mut self, msgid: &str) {
        if !self.medins_setl_id.is_empty() && self.medins_setl_id != msgid {
            self.irregularities
                .push(Irregularity::new("MSGID_OTHER", "medins_setl_id"));
        }
    }
}

/// 2101, 2206: setl_id may be missing.
pub(crate) fn read_trial(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    read(output, profile, Signs::Kept)
}

/// 2102, 2207: without setl_id there is no settlement to speak of.
pub(crate) fn read_settled(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    read(output, profile, Signs::Kept).filter(|reply| !reply.setl_id.is_empty())
}

/// 2103, 2208: some agencies give the amounts negative, some as they were.
pub(crate) fn read_cancelled(output: &Output<'_>, profile: &Profile) -> Option<SettledReply> {
    read(output, profile, Signs::Dropped)
}

/// 5203: nothing found is an answer too.
pub(crate) fn read_found(output: &Output<'_>, profile: &Profile) -> Option<Option<SettledReply>> {
    let nothing = match output {
        Output::Nothing => true,
        Output::Opaque(_) => return None,
        _ => output.fields().is_some_and(|fields| {
            fields
                .get("setlinfo")
                .is_none_or(|info| matches!(info.raw(), "{}" | "[]"))
        }),
    };
    if nothing {
        Some(None)
    } else {
        read_settled(output, profile).map(Some)
    }
}

/// Whether a settlement's number stands in an output, whatever else is said of it.
pub(crate) fn holds_settlement(output: &Output<'_>) -> bool {
    let info = output
        .fields()
        .and_then(|fields| fields.get("setlinfo")?.fields());
    info.is_some_and(|info| !info.text("setl_id").is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    Kept,
    Dropped,
}

fn read(output: &Output<'_>, profile: &Profile, signs: Signs) -> Option<SettledReply> {
    let fields = output.fields()?;
    // One setlinfo in a list is that one; of two nobody knows which is meant.
    let info = fields.get("setlinfo")?.fields()?;
    if fields.disputed().is_some() || info.disputed().is_some() {
        return None;
    }
    let flag = info.text("refd_setl_flag").to_lowercase();
    let refunded = matches!(flag.trim_start_matches('0'), "1" | "true" | "y" | "yes");
    // The settlement that was undone may be told with the undoing's signs.
    let signs = if refunded { Signs::Dropped } else { signs };
    let mut reading = Reading {
        info: &info,
        signs,
        untold: Vec::new(),
        signs_seen: [false; 2],
        irregularities: Vec::new(),
    };
    if matches!(output, Output::Text(_)) {
        reading.note("OUTPUT_IS_TEXT", "output");
    }
    if !refunded && !matches!(flag.trim_start_matches('0'), "" | "false" | "n" | "no") {
        reading.note("FLAG_UNKNOWN", "refd_setl_flag");
    }
    let mut setlinfo = reading.setlinfo()?;
    let setl_time = reading.time("setl_time");
    if reading.signs_seen == [true; 2] {
        reading.note("SIGNS_MIXED", "setlinfo");
    }
    if PERSON_PART.iter().all(|name| info.text(name).is_empty()) {
        // By definition what the person's accounts and cash come to; reversals leave it out.
        let own = [setlinfo.acct_pay, setlinfo.psn_cash_pay];
        let family = (!profile.family_inside_account).then_some(setlinfo.acct_mulaid_pay);
        setlinfo.psn_part_amt = Money::sum(own.into_iter().chain(family)).unwrap_or(Money::ZERO);
        reading.note(DERIVED, PERSON_PART[0]);
    }
    as_the_nation_sums(&mut setlinfo, profile, &mut reading.irregularities);
    // A share that is not told is nothing where the others come to the bill; else nobody can say what it is.
    let shares_told = reading.untold.len() < SHARES.len();
    let settles = signs == Signs::Kept;
    if settles && !reading.untold.is_empty() && !(shares_told && payers_pay(&setlinfo)) {
        return None;
    }
    let rows = fields.items("setldetail");
    let setldetail: Vec<FundLine> = rows.iter().filter_map(|row| reading.fund_line(*row)).collect();
    let none = |node: Node<'_>| matches!(node.raw(), "[]" | "{}" | "\"\"");
    if setldetail.len() != rows.len() || rows.is_empty() && !fields.get("setldetail").is_none_or(none) {
        reading.note("LIST_UNREADABLE", "setldetail");
    }
    check_identities(&setlinfo, &setldetail, &mut reading.irregularities);
    Some(SettledReply {
        setl_id: info.id("setl_id"),
        mdtrt_id: info.id("mdtrt_id"),
        psn_no: info.id("psn_no"),
        medins_setl_id: info.id("medins_setl_id"),
        insutype: info.text("insutype"),
        med_type: info.text("med_type"),
        clr_optins: info.text("clr_optins"),
        clr_way: info.text("clr_way"),
        clr_type: info.text("clr_type"),
        setl_time,
        refunded,
        setlinfo,
        setldetail,
        accumulated_after: accumulated_after(&fields),
        irregularities: reading.irregularities,
    })
}

#[derive(Deserialize)]
struct SettledExtension {
    accumulated_after: Option<Vec<Accumulated>>,
}

fn accumulated_after(fields: &Fields<'_>) -> Option<Vec<Accumulated>> {
    let text = fields.text_of(&["exp_content", "expContent"]);
    serde_json::from_str::<SettledExtension>(&text)
        .ok()?
        .accumulated_after
}

const PERSON_PART: [&str; 2] = ["psn_part_amt", "psn_pay"];
const BALANCE: &str = "balc";
/// Codes of an amount that is missing, and of one that is none.
pub(super) const EMPTY: &str = "AMOUNT_EMPTY";
pub(super) const UNREADABLE: &str = "AMOUNT_UNREADABLE";
/// Code of an amount that was not told but follows from others.
const DERIVED: &str = "AMOUNT_DERIVED";
/// Who pays a bill: each is told in every settlement.
const SHARES: [&str; 3] = ["fund_pay_sumamt", "acct_pay", "psn_cash_pay"];

struct Reading<'f, 'a> {
    info: &'f Fields<'a>,
    signs: Signs,
    /// Those of [`SHARES`] that are missing or no amount.
    untold: Vec<&'static str>,
    /// Whether an amount above zero was there, and one below.
    signs_seen: [bool; 2],
    irregularities: Vec<Irregularity>,
}

impl Reading<'_, '_> {
    fn note(&mut self, code: &'static str, field: &str) {
        self.irregularities.push(Irregularity::new(code, field));
    }

    /// The amounts; None if not even the total can be read.
    fn setlinfo(&mut self) -> Option<SetlInfo> {
        let medfee_sumamt = self.found(&["medfee_sumamt", "med_fee_sumamt", "medfeeSumamt"])?;
        Some(SetlInfo {
            medfee_sumamt,
            fulamt_ownpay_amt: self.money(&["fulamt_ownpay_amt"]),
            overlmt_selfpay: self.money(&["overlmt_selfpay", "overlmt_amt", "overlmt_selfpay_amt"]),
            preselfpay_amt: self.money(&["preselfpay_amt", "prese_ifpay_amt"]),
            inscp_scp_amt: self.money(&["inscp_scp_amt", "inscp_amt"]),
            act_pay_dedc: self.money(&["act_pay_dedc"]),
            pool_prop_selfpay: self.ratio("pool_prop_selfpay"),
            hifp_pay: self.money(&["hifp_pay"]),
            cvlserv_pay: self.money(&["cvlserv_pay"]),
            hifes_pay: self.money(&["hifes_pay"]),
            hifmi_pay: self.money(&["hifmi_pay"]),
            hifob_pay: self.money(&["hifob_pay"]),
            maf_pay: self.money(&["maf_pay"]),
            hifdm_pay: self.money(&["hifdm_pay"]),
            oth_pay: self.money(&["oth_pay"]),
            fund_pay_sumamt: self.money(&["fund_pay_sumamt"]),
            psn_part_amt: self.money(&PERSON_PART),
            acct_pay: self.money(&["acct_pay"]),
            acct_mulaid_pay: self.money(&["acct_mulaid_pay"]),
            psn_cash_pay: self.money(&[
                "psn_cash_pay",
                "cash_payamt",
                "pdn_cash_pay",
                "psnCash_pay",
                "cashPayamt",
            ]),
            hosp_part_amt: self.money(&["hosp_part_amt", "ownpay_hosp_part"]),
            balc: self.balance(),
        })
    }

    /// An amount under the first spelling that has one; zero where it is missing or null. A field that is null under
    /// its own name and absent under the others is worth a note, one that is not there at all is not.
    fn money(&mut self, spellings: &[&'static str]) -> Money {
        match self.found(spellings) {
            Some(amount) => amount,
            None => {
                if let Some(name) = spellings.first() {
                    if self.info.has(name) {
                        self.note(EMPTY, name);
                    }
                    self.untold.extend(SHARES.iter().filter(|share| *share == name));
                }
                Money::ZERO
            }
        }
    }

    /// A time in the interface's form; one that cannot be read stays as it is.
    fn time(&mut self, name: &str) -> String {
        let told = self.info.text(name);
        match time(&told) {
            Some(time) => {
                if time != told {
                    self.note("TIME_SPELLED_OTHERWISE", name);
                }
                time
            }
            None => {
                if !told.is_empty() {
                    self.note("TIME_UNREADABLE", name);
                }
                told
            }
        }
    }

    fn found(&mut self, spellings: &[&str]) -> Option<Money> {
        let info = self.info;
        for (nth, name) in spellings.iter().enumerate() {
            let text = info.text(name);
            if text.is_empty() {
                continue;
            }
            match info.other_spelling(name) {
                Some(spelling) => self.note("FIELD_SPELLED_OTHERWISE", spelling),
                None if nth > 0 => self.note("FIELD_SPELLED_OTHERWISE", name),
                None => {}
            }
            let spelled = info.other_spelling(name).unwrap_or(name);
            let money = self.amount(&text, spelled)?;
            self.signs_seen[0] |= money > Money::ZERO;
            self.signs_seen[1] |= money.is_negative();
            let others = spellings.iter().skip(nth.saturating_add(1));
            let mut others = others.filter_map(|name| money_of(&info.text(name)));
            if others.any(|other| other != money) {
                self.note("SPELLINGS_DIFFER", name);
            }
            return Some(if self.signs == Signs::Dropped && money.is_negative() {
                Money::ZERO.checked_sub(money).unwrap_or(money)
            } else {
                money
            });
        }
        None
    }

    /// The balance keeps its sign: it is no part of a reversal's amounts.
    fn balance(&mut self) -> Money {
        let text = self.info.text(BALANCE);
        if text.is_empty() {
            self.note(EMPTY, BALANCE);
            return Money::ZERO;
        }
        self.amount(&text, BALANCE).unwrap_or(Money::ZERO)
    }

    fn amount(&mut self, text: &str, name: &str) -> Option<Money> {
        let Some(amount) = amount(text) else {
            self.note(UNREADABLE, name);
            return None;
        };
        if amount.rounded {
            self.note("AMOUNT_BELOW_FEN", name);
        }
        let money = amount.money;
        if money.is_negative() && self.signs == Signs::Kept {
            self.note("AMOUNT_NEGATIVE", name);
        }
        Some(money)
    }

    fn ratio(&mut self, name: &str) -> Ratio {
        let text = self.info.text(name);
        if text.is_empty() {
            return Ratio::ZERO;
        }
        Ratio::parse(&text).unwrap_or_else(|_| {
            self.note("RATIO_UNREADABLE", name);
            Ratio::ZERO
        })
    }

    fn fund_line(&mut self, row: Node<'_>) -> Option<FundLine> {
        let row = row.fields()?;
        let mut reading = Reading {
            info: &row,
            signs: self.signs,
            untold: Vec::new(),
            signs_seen: [false; 2],
            irregularities: Vec::new(),
        };
        let fund_pay_type = row.text("fund_pay_type");
        if !known_fund(&fund_pay_type) {
            reading.note("FUND_TYPE_UNKNOWN", &fund_pay_type);
        }
        let line = FundLine {
            fund_pay_type_name: row.text("fund_pay_type_name"),
            fund_payamt: reading.money(&["fund_payamt"]),
            inscp_scp_amt: reading.found(&["inscp_scp_amt"]),
            crt_payb_lmt_amt: reading.found(&["crt_payb_lmt_amt"]),
            fund_pay_type,
        };
        self.irregularities.append(&mut reading.irregularities);
        Some(line)
    }
}

/// The sums as the national interface has them: the fund's without the personal account, the own account without the
/// family's. Where the profile says so, or where the figures say so all by themselves.
fn as_the_nation_sums(info: &mut SetlInfo, profile: &Profile, irregularities: &mut Vec<Irregularity>) {
    let sum = |amounts: &[Money]| Money::sum(amounts.iter().copied());
    let funds = sum(&funds_of(info));
    let with_account = funds.and_then(|funds| funds.checked_add(info.acct_pay));
    let plain = funds == Some(info.fund_pay_sumamt);
    let shows = !plain && with_account == Some(info.fund_pay_sumamt);
    if (profile.fund_sum_includes_account && !plain || shows)
        && let Some(less) = info.fund_pay_sumamt.checked_sub(info.acct_pay)
    {
        info.fund_pay_sumamt = less;
        if !profile.fund_sum_includes_account {
            irregularities.push(Irregularity::new("FUND_SUM_INCLUDES_ACCOUNT", "fund_pay_sumamt"));
        }
    }
    let inside = sum(&[info.acct_pay, info.psn_cash_pay]);
    let beside = sum(&[info.acct_pay, info.acct_mulaid_pay, info.psn_cash_pay]);
    let plain = beside == Some(info.psn_part_amt);
    let shows = !plain && inside == Some(info.psn_part_amt);
    if (profile.family_inside_account && !plain || shows)
        && !info.acct_mulaid_pay.is_zero()
        && let Some(own) = info.acct_pay.checked_sub(info.acct_mulaid_pay)
        && !own.is_negative()
    {
        info.acct_pay = own;
        if !profile.family_inside_account {
            irregularities.push(Irregularity::new("FAMILY_INSIDE_ACCOUNT", "acct_pay"));
        }
    }
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

/// Fund, person and hospital come to the bill.
fn payers_pay(info: &SetlInfo) -> bool {
    let person = [info.acct_pay, info.acct_mulaid_pay, info.psn_cash_pay];
    let payers = [info.fund_pay_sumamt, info.hosp_part_amt]
        .into_iter()
        .chain(person);
    Money::sum(payers) == Some(info.medfee_sumamt)
}

const KNOWN_FUNDS: [&str; 27] = [
    "310100", "310101", "310103", "310200", "310201", "320100", "330100", "330101", "340100", "350100",
    "360100", "370100", "390100", "390200", "390300", "390400", "510100", "610100", "610102", "610103",
    "610104", "620100", "640100", "999900", "999901", "999996", "999997",
];

fn known_fund(fund_pay_type: &str) -> bool {
    KNOWN_FUNDS.contains(&fund_pay_type)
}

/// Code of an irregularity whose field names a money identity that does not hold.
pub(crate) const IDENTITY_BROKEN: &str = "IDENTITY_BROKEN";
const SCOPE: &str = "medfee_sumamt = own pay + over limit + first self-pay + in scope";
const FUNDS: &str = "fund_pay_sumamt = sum of the funds";
const PERSON: &str = "psn_part_amt = account + family + cash";
const PAYERS: &str = "medfee_sumamt = fund + person + hospital";
const DETAIL: &str = "sum of setldetail = funds, account and hospital";

/// The money identities that are checked.
pub(crate) const IDENTITIES: [&str; 5] = [SCOPE, FUNDS, PERSON, PAYERS, DETAIL];

/// Notes the money identities that do not hold.
fn check_identities(info: &SetlInfo, detail: &[FundLine], irregularities: &mut Vec<Irregularity>) {
    let scope = [
        info.fulamt_ownpay_amt,
        info.overlmt_selfpay,
        info.preselfpay_amt,
        info.inscp_scp_amt,
    ];
    let own_and_family = [info.acct_pay, info.acct_mulaid_pay, info.psn_cash_pay];
    let parts = [info.fund_pay_sumamt, info.psn_part_amt, info.hosp_part_amt];
    let mut expect = |name: &str, holds: bool| {
        if !holds {
            irregularities.push(Irregularity::new(IDENTITY_BROKEN, name));
        }
    };
    let sum = |amounts: &[Money]| Money::sum(amounts.iter().copied());
    expect(SCOPE, sum(&scope) == Some(info.medfee_sumamt));
    expect(FUNDS, sum(&funds_of(info)) == Some(info.fund_pay_sumamt));
    expect(PERSON, sum(&own_and_family) == Some(info.psn_part_amt));
    expect(PAYERS, sum(&parts) == Some(info.medfee_sumamt));
    if !detail.is_empty() {
        let listed = Money::sum(detail.iter().map(|line| line.fund_payamt));
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
        expect(DETAIL, holds);
    }
}
