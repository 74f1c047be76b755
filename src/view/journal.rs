//! Journal page: entries in words.

use yijie_rules::Lang;
use yijie_ui::slint::ComponentHandle as _;
use yijie_ui::{AppWindow, Journal, JournalRow, Message};

use super::{Keys, list, message, row};
use crate::books::look::JournalLine;
use crate::clock;
use crate::desk::{self, Key, State};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    rows: Vec<JournalRow>,
    selected: i32,
    message: Message,
}

pub(super) fn view(state: &State) -> View {
    let here = state.page == desk::Page::Journal;
    View {
        rows: if here {
            let lines = state.journal.lines.iter();
            lines.map(|line| journal_row(line, state.lang)).collect()
        } else {
            Vec::new()
        },
        selected: i32::try_from(state.journal.selected).unwrap_or(-1),
        message: message(state.notice.as_ref().filter(|_| here), state),
    }
}

fn journal_row(line: &JournalLine, lang: Lang) -> JournalRow {
    JournalRow {
        no: line.seq.to_string().into(),
        time: clock::stamp(line.time_ms).get(..19).unwrap_or_default().into(),
        what: kind_text(&line.kind, lang).into(),
        about: deed_text(&line.about, lang).into(),
        operator: line.operator.as_str().into(),
        approver: line.by.as_str().into(),
    }
}

/// An approval's deed stands first in what it is about.
fn deed_text(about: &str, lang: Lang) -> String {
    let (word, rest) = about.split_once(' ').unwrap_or((about, ""));
    let said = match word {
        "id-number" => lang.pick("凭身份证号", "by ID number"),
        "offline-limit" => lang.pick("超限垫付", "past an offline limit"),
        "unmask" => lang.pick("显示姓名证件号", "names shown"),
        "difference" => lang.pick("处理差异", "difference"),
        "reversal" => lang.pick("撤销", "cancellation"),
        "day-close" => lang.pick("日结处理", "day close"),
        "clearing" => lang.pick("申请清算", "clearing"),
        "export" => lang.pick("导出", "export"),
        _ => return about.to_owned(),
    };
    format!("{said} {rest}").trim_end().to_owned()
}

/// A kind of entry in words.
pub(super) fn kind_text(kind: &str, lang: Lang) -> &str {
    let (zh, en) = match kind {
        "opened" => ("启用", "Opened"),
        "operator" => ("操作员登记", "Operator set"),
        "signed-in" => ("签到", "Signed in"),
        "signed-out" => ("签退", "Signed out"),
        "pack" => ("规则包", "Rule pack"),
        "catalogue" => ("价目", "Price list"),
        "lost-cards" => ("挂失名单", "Lost cards"),
        "person" => ("参保人信息", "Person's record"),
        "held" => ("挂单", "Bill held"),
        "sale" => ("已记账", "Committed"),
        "declined" => ("未受理", "Declined"),
        "attempt" => ("发送", "Sent"),
        "not-sent" => ("未发出", "Not sent"),
        "settled" => ("已结算", "Settled"),
        "refused" => ("被拒绝", "Refused"),
        "unknown" => ("结果不明", "Unknown"),
        "reversing" => ("冲正", "Reversing"),
        "reversed" => ("已冲正", "Reversed"),
        "reversal-refused" => ("撤销被拒绝", "Reversal refused"),
        "print-wanted" => ("待打印", "To be printed"),
        "diff-closed" => ("差异已处理", "Difference closed"),
        "printing" => ("开始打印", "Print begun"),
        "printed" => ("已打印", "Printed"),
        "uploading" => ("上传追溯码", "Trace codes sent"),
        "uploaded" => ("追溯码已上传", "Trace codes uploaded"),
        "upload-refused" => ("追溯码未被接受", "Trace codes refused"),
        "upload-dropped" => ("追溯码不再上传", "Trace codes dropped"),
        "found-reversing" => ("冲正多出的结算", "Reversing what was found"),
        "clearing-undone" => ("已撤回清算申请", "Clearing withdrawn"),
        "closed" => ("对账", "Day compared"),
        "clearing-applied" => ("已申请清算", "Clearing applied"),
        "exported" => ("导出记录", "Records exported"),
        "pin-tried" => ("口令正确", "PIN right again"),
        "pin-wrong" => ("口令不对", "Wrong PIN"),
        "approved" => ("主管批准", "Approved"),
        "settings" => ("设置变更", "Settings changed"),
        "keys-rotated" => ("更换密钥", "Keys rotated"),
        "salvaged" => ("日志抢救", "Journal salvaged"),
        "behind" => ("日志缺失", "Entries missing"),
        "compared" => ("已向中心核对", "Compared with the agency"),
        other => return other,
    };
    lang.pick(zh, en)
}

pub(super) fn apply(window: &AppWindow, before: Option<&View>, view: &View) {
    let journal = window.global::<Journal<'_>>();
    list(journal.get_rows(), &view.rows, |m| journal.set_rows(m));
    journal.set_message(view.message.clone());
    let other = before.is_none_or(|b| b.selected != view.selected || b.rows.first() != view.rows.first());
    if other {
        journal.set_selected(view.selected);
    }
}

pub(super) fn connect(window: &AppWindow, keys: &Keys) {
    let journal = window.global::<Journal<'_>>();
    let to = keys.clone();
    journal.on_show(move |at| to.press(Key::ChooseEntry(row(at))));
    let to = keys.clone();
    journal.on_turn(move |older| to.press(Key::TurnLeaf { older }));
    let to = keys.clone();
    journal.on_dismiss_message(move || to.press(Key::Dismiss));
}
