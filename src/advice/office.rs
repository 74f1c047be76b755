//! Words of the pages beside the counter: approvals, day close, cancellations, the locked till.

use super::{Advice, rows};

pub(super) const ROWS: &[Advice] = rows! {
    // What a supervisor is asked.
    "LIMIT_NEEDS_APPROVAL"
        "这一笔超过离线限额，垫付要主管批准。" => "主管核对后输入编号和口令，否则全额自费。"
        "This sale is over an offline limit; carrying it needs a supervisor." => "The supervisor enters number and PIN; else the patient pays in full."
    "NAMES_NEED_APPROVAL"
        "显示姓名和证件号要主管批准，并记入日志。" => "主管输入编号和口令后显示 30 秒。"
        "Showing names and numbers needs a supervisor and is recorded." => "With number and PIN they are shown for 30 seconds."
    "DIFFERENCE_NEEDS_APPROVAL"
        "处理差异要主管批准。" => "主管核对收退的现金后输入编号和口令。"
        "Closing a difference needs a supervisor." => "The supervisor checks the cash and enters number and PIN."
    "REVERSAL_NEEDS_APPROVAL"
        "撤销已结算的单要主管批准。" => "主管核对参保人和小票后输入编号和口令。"
        "Cancelling a settled sale needs a supervisor." => "The supervisor checks patient and receipt and enters number and PIN."
    "DAY_NEEDS_APPROVAL"
        "处理有差异的结算要主管确认。" => "主管看过每一行的处理办法后输入编号和口令。"
        "What is done about the differing rows needs a supervisor." => "The supervisor reads each row's action and enters number and PIN."
    "CLEARING_NEEDS_APPROVAL"
        "申请清算要主管批准。" => "主管核对当月各日都已对平，输入编号和口令。"
        "Applying for clearing needs a supervisor." => "The supervisor sees that every day is balanced, then enters number and PIN."
    "LIMIT_NO_LONGER"
        "批准时这一笔已不在收款页。" => "重新按 F9 收款，需要时再请主管批准。"
        "The sale had left the pay page when the approval came." => "Press F9 again and, if needed, ask the supervisor once more."

    // Day close.
    "DAY_AT_WORK"
        "对账正在进行。" => "等这一步做完；其间可以照常收费。"
        "The day is being worked on." => "Wait until it is done; selling goes on meanwhile."
    "DAY_NOT_BALANCED"
        "还有日子没有对平，不能申请清算。" => "先把当月有结算的每一天对平，再申请。"
        "A day is not balanced, so clearing cannot be applied for." => "Balance every day of the month that has settlements first."
    "CLEARING_APPLIED"
        "清算已申请。" => "记下编号；申请后不要再撤销当月的结算。"
        "Clearing was applied for." => "Keep the number; do not cancel settlements of that month any more."

    // Sales looked up.
    "SALE_REVERSED"
        "已撤销，请退还现金。" => "收回小票；统筹和账户由平台退回。"
        "Cancelled; pay the cash back to the patient." => "Take the receipt back; the platform returns what funds and account paid."
    "DIFFERENCE_IS_CLOSED"
        "差异已处理，并记入日志。" => "需要时补打小票给参保人。"
        "The difference is closed and recorded." => "Print the receipt again for the patient if wanted."
    "JOURNAL_FOR_INSPECTORS"
        "日志只供主管和检查员查看。" => "请主管或检查员签到后查看。"
        "The journal is for supervisors and inspectors." => "Let one of them sign in to read it."
    "LOCKED_WITH_BILL"
        "收款机由另一位操作员锁定，账单还没结完。" => "请锁定的操作员解锁，结完或挂起账单。"
        "Another operator locked the till with an open bill." => "Let that operator unlock it and settle or hold the bill."
};
