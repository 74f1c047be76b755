//! The receipt of a sale as a slip: what the patient takes home, provisional or settled, and says so.

use yijie_hardware::{Paper, Slip};
use yijie_rules::{Grade, ItemClass, Money};

use crate::books::row::{SaleRow, SaleState};
use crate::claim_papers::{self, ClaimPapers};
use crate::config::Institution;
use crate::record::{Agent, Difference};
use crate::{clock, typeface, view};

/// What a slip says of figures that the agency has not confirmed.
pub const PROVISIONAL: &str = "暂定金额，以医保经办机构结算为准";

/// A slip as PDF, in the bundled typeface.
#[must_use]
pub fn to_pdf(slip: &Slip, row: &SaleRow, paper: Paper) -> Option<Vec<u8>> {
    let sheet = slip.to_sheet(format!("{} {}", title(row), row.sale.id), paper);
    sheet.to_pdf(typeface::bundled())
}

/// What the head of the slip calls it.
#[must_use]
pub fn title(row: &SaleRow) -> &'static str {
    match row.state {
        SaleState::Settled => "医保结算单",
        SaleState::SelfPaid => "自费票据（凭此申报）",
        SaleState::Reversed => "结算已撤销",
        SaleState::Refused => "未结算",
        SaleState::Committed | SaleState::Sending | SaleState::Unknown | SaleState::Reversing => {
            "医保结算单（暂定）"
        }
    }
}

/// The slip of a sale. Receipts are Chinese whatever the language of the screen. The first one opens the drawer where
/// cash was paid; one that may be the second is marked so.
#[must_use]
pub fn of(row: &SaleRow, institution: &Institution) -> Slip {
    let sums = row.sums();
    let mut slip = Slip::new().title(title(row)).centred(&institution.name).blank();
    let again = row.copies > 0 || row.printing;
    if again {
        slip = slip.mark("补打");
    } else if sums.psn_cash_pay > Money::ZERO {
        slip = slip.open_drawer();
    }
    if !row.state.is_final() {
        slip = slip.mark(PROVISIONAL);
    }
    slip = slip
        .pair("单号", &row.sale.id)
        .pair("时间", clock::stamp(row.time_ms))
        .pair("收费员", &row.sale.operator);
    if let Some(name) = &row.sale.psn_name {
        slip = slip.pair("参保人", view::mask_name(name));
    }
    if let Some(Agent { name, .. }) = &row.sale.agent {
        slip = slip.pair("代购人", view::mask_name(name));
    }
    slip = goods(slip.rule(), row);
    slip = slip
        .rule()
        .pair("医疗费总额", yuan(sums.medfee_sumamt))
        .pair("全自费", yuan(sums.fulamt_ownpay_amt))
        .pair("超限价自费", yuan(sums.overlmt_selfpay))
        .pair("先行自付", yuan(sums.preselfpay_amt))
        .pair("政策范围内", yuan(sums.inscp_scp_amt))
        .pair("起付线", yuan(sums.act_pay_dedc))
        .rule()
        .bold_pair("统筹基金支付", yuan(sums.fund_pay_sumamt))
        .pair("个人账户支付", yuan(sums.acct_pay));
    if sums.acct_mulaid_pay > Money::ZERO {
        slip = slip.pair("家庭共济支付", yuan(sums.acct_mulaid_pay));
    }
    slip = slip.bold_pair("现金支付", yuan(sums.psn_cash_pay));
    if let (Some(tendered), Some(change)) = (row.sale.tendered, row.change()) {
        slip = slip.pair("实收", yuan(tendered)).pair("找零", yuan(change));
    }
    if let Some(balance) = row.balance() {
        slip = slip.pair("账户余额", yuan(balance));
    }
    foot(reasons(slip.rule(), row), row)
}

fn yuan(sum: Money) -> String {
    format!("{sum} 元")
}

fn goods(mut slip: Slip, row: &SaleRow) -> Slip {
    for line in &row.sale.claim.lines {
        let name = line.name.as_deref().unwrap_or_default();
        slip = slip.text(format!("{name} [{}]", class(line.chrgitm_lv)));
        let price = line
            .pric
            .as_ref()
            .map(|price| format!("  {price} × "))
            .unwrap_or_default();
        let count = line.cnt.as_ref().map(ToString::to_string).unwrap_or_default();
        let amount = line
            .det_item_fee_sumamt
            .map(|sum| sum.to_string())
            .unwrap_or_default();
        slip = slip.pair(format!("{price}{count}"), amount);
    }
    slip
}

/// 甲、乙 or 丙.
#[must_use]
pub fn class(class: ItemClass) -> &'static str {
    match class {
        ItemClass::A => "甲",
        ItemClass::B => "乙",
        ItemClass::C => "丙",
    }
}

/// Why: the steps of the split with their articles.
fn reasons(mut slip: Slip, row: &SaleRow) -> Slip {
    if row.difference.is_some() {
        slip = slip.text("以下为收费时本机测算依据：");
    }
    for step in &row.sale.settlement.trace {
        // A printer's GBK has no minus sign of its own.
        slip = slip.text(format!("· {} {}", step.article, step.says.replace('−', "-")));
    }
    slip
}

fn foot(mut slip: Slip, row: &SaleRow) -> Slip {
    slip = notes(slip, row);
    if let Some(terms) = &row.sale.offline
        && terms.carried
        && !row.state.is_final()
    {
        slip = slip.pair("最迟结算时间", clock::stamp(terms.settle_by_ms));
        slip = slip.text("结算结果与本单不一致时，凭本单多退少补。");
    }
    if let Some(papers) = claim_papers::of(row) {
        slip = claim(slip.rule(), &papers);
    }
    if let Some(sum) = &row.difference {
        slip = difference(slip.rule(), sum);
    }
    if let Some(reply) = &row.reply {
        slip = slip.pair("结算号", &reply.setl_id);
    }
    slip.qr(code(row))
}

/// What the QR code says: the settlement's number, or the message id it can be found by.
#[must_use]
pub fn code(row: &SaleRow) -> &str {
    row.reply.as_ref().map_or(&row.msgid, |reply| &reply.setl_id)
}

/// What must be told with the figures.
#[must_use]
pub fn notes(mut slip: Slip, row: &SaleRow) -> Slip {
    if row.sale.settlement.grade == Grade::Sandbox {
        slip = slip.mark("含测试数值，不作结算依据");
    }
    for note in &row.sale.settlement.notes {
        slip = slip.text(format!(
            "{}（{}）",
            note.code.text().text(yijie_rules::Lang::Zh),
            note.article
        ));
    }
    slip
}

/// How the patient gets back what he paid in advance.
#[must_use]
pub fn claim(slip: Slip, papers: &ClaimPapers) -> Slip {
    let mut slip = slip
        .bold_pair("申报凭证（未联网结算，个人垫付）", "")
        .text(format!("请凭下列资料原件向{}申报：", papers.office));
    for (index, document) in papers.documents.iter().enumerate() {
        slip = slip.text(format!("  {}. {document}", index + 1));
    }
    match papers.until {
        Some(until) => slip.bold_pair("受理截止", until.to_string()),
        None => slip.text("申报期限以参保地规定为准。"),
    }
    .text(format!("依据：{}", papers.article))
}

/// What the patient owes or gets back (多退少补).
#[must_use]
pub fn difference(slip: Slip, difference: &Difference) -> Slip {
    let (what, sum) = if difference.cash > Money::ZERO {
        ("应补收现金", difference.cash)
    } else {
        ("应退还现金", Money::ZERO.saturating_sub(difference.cash))
    };
    slip.bold_pair(what, yuan(sum))
}
