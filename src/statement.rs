//! The settlement statement (结算单) of a sale on A4: every figure of setlinfo, lines, funds, reasons, sources, grades.

use yijie_agency::SettledReply;
use yijie_hardware::{Align, Cell, Sheet, SheetForm, SheetRow, Slip};
use yijie_rules::{Grade, Lang, Source};

use crate::books::row::SaleRow;
use crate::claim_papers;
use crate::config::Institution;
use crate::{clock, slip, view};

/// The statement. `sources` are those of the pack the sale was split by.
#[must_use]
pub fn of(row: &SaleRow, institution: &Institution, sources: &[Source]) -> Sheet {
    let mut rows = head(row, institution);
    rows.extend(lines(row));
    rows.extend(sums(row));
    rows.extend(funds(row));
    rows.extend(reasons(row));
    rows.extend(backing(row, sources));
    rows.extend(foot(row));
    Sheet {
        title: format!("{} {}", slip::title(row), row.sale.id),
        form: SheetForm::A4,
        rows,
    }
}

fn slip_rows(slip: Slip) -> impl Iterator<Item = SheetRow> {
    slip.rows.into_iter().map(SheetRow::Slip)
}

fn cell(text: impl Into<String>, share: u32, align: Align, bold: bool) -> Cell {
    Cell {
        text: text.into(),
        share,
        align,
        bold,
    }
}

/// A heading over a rule.
fn heading(text: &str) -> impl Iterator<Item = SheetRow> {
    slip_rows(Slip::new().blank().bold_pair(text, "").rule())
}

fn head(row: &SaleRow, institution: &Institution) -> Vec<SheetRow> {
    let sale = &row.sale;
    let mut slip = Slip::new().title(slip::title(row));
    if !row.state.is_final() {
        slip = slip.mark(slip::PROVISIONAL);
    }
    let name = sale.psn_name.as_deref().map(view::mask_name).unwrap_or_default();
    let reply = row.reply.as_ref();
    let claim = &sale.claim;
    let facts = [
        (
            "医疗机构",
            institution.name.clone(),
            "机构编码",
            institution.code.clone(),
        ),
        ("参保人", name, "人员类别", claim.person.psn_type.to_string()),
        (
            "险种",
            claim.person.insutype.to_string(),
            "参保地",
            claim
                .person
                .insuplc_admdvs
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
        ),
        (
            "医疗类别",
            claim.visit.med_type.to_string(),
            "待遇",
            sale.settlement.benefit.to_string(),
        ),
        ("单号", sale.id.clone(), "时间", clock::stamp(row.time_ms)),
        (
            "结算号 setl_id",
            reply.map(|reply| reply.setl_id.clone()).unwrap_or_default(),
            "就诊号 mdtrt_id",
            reply.map(|reply| reply.mdtrt_id.clone()).unwrap_or_default(),
        ),
        ("报文号 msgid", row.msgid.clone(), "收费员", sale.operator.clone()),
    ];
    let mut rows: Vec<SheetRow> = slip_rows(slip.blank()).collect();
    rows.extend(facts.into_iter().map(|(left, left_text, right, right_text)| {
        SheetRow::Cells(vec![
            cell(left, 2, Align::Left, true),
            cell(left_text, 4, Align::Left, false),
            cell(right, 2, Align::Left, true),
            cell(right_text, 4, Align::Left, false),
        ])
    }));
    rows
}

fn lines(row: &SaleRow) -> Vec<SheetRow> {
    let columns = |texts: [String; 9], bold| {
        let shares = [7, 1, 2, 2, 2, 2, 2, 2, 2];
        let cells = texts.into_iter().zip(shares).enumerate();
        let cells = cells.map(|(index, (text, share))| {
            let align = if index < 2 { Align::Left } else { Align::Right };
            cell(text, share, align, bold)
        });
        SheetRow::Cells(cells.collect())
    };
    let titles = [
        "项目",
        "类",
        "单价",
        "数量",
        "金额",
        "全自费",
        "超限价",
        "先行自付",
        "范围内",
    ];
    let mut rows: Vec<SheetRow> = heading("费用明细").collect();
    rows.push(columns(titles.map(str::to_owned), true));
    for line in &row.sale.claim.lines {
        let cut = row
            .sale
            .settlement
            .detlcutinfo
            .iter()
            .find(|cut| cut.feedetl_sn == line.feedetl_sn);
        let part = |sum: Option<yijie_rules::Money>| sum.map(|sum| sum.to_string()).unwrap_or_default();
        rows.push(columns(
            [
                line.name.as_deref().unwrap_or_default().to_owned(),
                slip::class(line.chrgitm_lv).to_owned(),
                line.pric.as_ref().map(ToString::to_string).unwrap_or_default(),
                line.cnt.as_ref().map(ToString::to_string).unwrap_or_default(),
                part(line.det_item_fee_sumamt),
                part(cut.map(|cut| cut.fulamt_ownpay_amt)),
                part(cut.map(|cut| cut.overlmt_amt)),
                part(cut.map(|cut| cut.preselfpay_amt)),
                part(cut.map(|cut| cut.inscp_scp_amt)),
            ],
            false,
        ));
    }
    for excluded in &row.sale.settlement.excluded {
        let text = format!(
            "未列入本单：第 {} 行，{}（{}）",
            excluded.feedetl_sn,
            excluded.code.text().text(Lang::Zh),
            excluded.article
        );
        rows.extend(slip_rows(Slip::new().text(text)));
    }
    rows
}

/// Every figure of setlinfo under its national name.
fn sums(row: &SaleRow) -> Vec<SheetRow> {
    let sums = row.sums();
    let balance = row.reply.as_ref().map_or(Some(sums.balc), SettledReply::balance);
    let balance = balance.map_or_else(|| "—".to_owned(), |balance| balance.to_string());
    let figures = [
        ("医疗费总额", "medfee_sumamt", sums.medfee_sumamt.to_string()),
        (
            "全自费金额",
            "fulamt_ownpay_amt",
            sums.fulamt_ownpay_amt.to_string(),
        ),
        ("超限价自费", "overlmt_selfpay", sums.overlmt_selfpay.to_string()),
        ("先行自付", "preselfpay_amt", sums.preselfpay_amt.to_string()),
        ("符合政策范围", "inscp_scp_amt", sums.inscp_scp_amt.to_string()),
        ("实际起付线", "act_pay_dedc", sums.act_pay_dedc.to_string()),
        (
            "统筹支付比例",
            "pool_prop_selfpay",
            sums.pool_prop_selfpay.to_string(),
        ),
        ("统筹基金", "hifp_pay", sums.hifp_pay.to_string()),
        ("公务员补助", "cvlserv_pay", sums.cvlserv_pay.to_string()),
        ("企业补充", "hifes_pay", sums.hifes_pay.to_string()),
        ("居民大病", "hifmi_pay", sums.hifmi_pay.to_string()),
        ("职工大额", "hifob_pay", sums.hifob_pay.to_string()),
        ("医疗救助", "maf_pay", sums.maf_pay.to_string()),
        ("伤残人员", "hifdm_pay", sums.hifdm_pay.to_string()),
        ("其他支出", "oth_pay", sums.oth_pay.to_string()),
        (
            "基金支付总额",
            "fund_pay_sumamt",
            sums.fund_pay_sumamt.to_string(),
        ),
        ("个人负担总额", "psn_part_amt", sums.psn_part_amt.to_string()),
        ("个人账户", "acct_pay", sums.acct_pay.to_string()),
        ("家庭共济", "acct_mulaid_pay", sums.acct_mulaid_pay.to_string()),
        ("现金", "psn_cash_pay", sums.psn_cash_pay.to_string()),
        ("医院负担", "hosp_part_amt", sums.hosp_part_amt.to_string()),
        ("账户余额", "balc", balance),
    ];
    let from = if row.reply.is_some() {
        "结算结果（经办机构）"
    } else {
        "结算结果（本机测算）"
    };
    let mut rows: Vec<SheetRow> = heading(from).collect();
    for pair in figures.chunks(2) {
        let cells = pair.iter().flat_map(|(name, field, sum)| {
            [
                cell(*name, 3, Align::Left, false),
                cell(*field, 4, Align::Left, false),
                cell(sum.clone(), 3, Align::Right, true),
                cell("", 1, Align::Left, false),
            ]
        });
        rows.push(SheetRow::Cells(cells.collect()));
    }
    rows
}

fn funds(row: &SaleRow) -> Vec<SheetRow> {
    let fund = |kind: &str, name: &str, sum: String, limit: String| {
        SheetRow::Cells(vec![
            cell(kind, 2, Align::Left, false),
            cell(name, 5, Align::Left, false),
            cell(sum, 2, Align::Right, false),
            cell(limit, 3, Align::Right, false),
        ])
    };
    let optional = |sum: Option<yijie_rules::Money>| sum.map(|sum| sum.to_string()).unwrap_or_default();
    let own = &row.sale.settlement.setldetail;
    let told: Vec<SheetRow> = match &row.reply {
        Some(reply) if !reply.setldetail.is_empty() => reply
            .setldetail
            .iter()
            .map(|line| {
                let same = own.iter().find(|own| own.fund_pay_type == line.fund_pay_type);
                let name = match line.fund_pay_type_name.as_str() {
                    "" => same.map(|own| own.pool.as_str()).unwrap_or_default(),
                    name => name,
                };
                let limit = optional(line.crt_payb_lmt_amt);
                fund(&line.fund_pay_type, name, line.fund_payamt.to_string(), limit)
            })
            .collect(),
        _ => own
            .iter()
            .map(|line| {
                let limit = optional(line.crt_payb_lmt_amt);
                fund(
                    &line.fund_pay_type,
                    &line.pool,
                    line.fund_payamt.to_string(),
                    limit,
                )
            })
            .collect(),
    };
    if told.is_empty() {
        return told;
    }
    let titles = fund("基金类型", "名称", "支付".to_owned(), "本次可支付限额".to_owned());
    heading("基金支付").chain([titles]).chain(told).collect()
}

fn reasons(row: &SaleRow) -> Vec<SheetRow> {
    let trace = &row.sale.settlement.trace;
    if trace.is_empty() {
        return Vec::new();
    }
    let steps = trace.iter().map(|step| {
        SheetRow::Cells(vec![
            cell(step.article.as_str(), 4, Align::Left, false),
            cell(step.says.as_str(), 7, Align::Left, false),
            cell(step.amount.to_string(), 2, Align::Right, false),
        ])
    });
    heading("测算依据").chain(steps).collect()
}

/// What the figures rest on, and how far that can be relied on.
fn backing(row: &SaleRow, sources: &[Source]) -> Vec<SheetRow> {
    let settlement = &row.sale.settlement;
    let pack = format!("规则包 {} {}", settlement.pack.id, settlement.pack.version);
    let grade = format!("本单所用数值的最低等级：{}", grade_text(settlement.grade));
    let used = sources.iter().map(|source| {
        SheetRow::Cells(vec![
            cell(source.title.as_str(), 4, Align::Left, false),
            cell(source.name.as_str(), 7, Align::Left, false),
            cell(grade_text(source.grade), 2, Align::Left, false),
        ])
    });
    heading("来源与等级")
        .chain(slip_rows(Slip::new().pair(pack, "").pair(grade, "")))
        .chain(used)
        .collect()
}

fn grade_text(grade: Grade) -> &'static str {
    match grade {
        Grade::Regulation => "法规",
        Grade::Official => "官方文件",
        Grade::Reported => "第三方报道",
        Grade::Sandbox => "测试数值",
    }
}

fn foot(row: &SaleRow) -> Vec<SheetRow> {
    let mut slip = slip::notes(Slip::new().blank(), row);
    if let Some(papers) = claim_papers::of(row) {
        slip = slip::claim(slip, &papers);
    }
    if let Some(difference) = &row.difference {
        slip = slip::difference(slip, difference);
    }
    slip_rows(slip.qr(slip::code(row))).collect()
}
