//! Words for differences, reconciliation, clearing and the simulation.

use super::{Advice, rows};

pub(super) const ROWS: &[Advice] = rows! {
    // Differences.
    "CLEARING_NOT_FOUND"
        "经办机构没有这份清算申请。" => "不必处理；需要时重新申请。"
        "The agency has no such application for clearing." => "Nothing to do; apply again if need be."
    "CLEARING_NUMBER_UNKNOWN"
        "清算已申请，但本机没有申请号。" => "请经办机构按月份撤回，或告知申请号。"
        "The month is applied for, but its number is not known here." => "Ask the agency to take the application back."
    "CLEARING_REFUSED"
        "医保平台没有接受清算申请或撤销。" => "按平台给的原因核对当月账；仍不清楚的联系经办机构。"
        "The agency did not take the application or its withdrawal." => "Check the month by the reason it gives; else call the agency."
    "DIFFERENCE_OPEN"
        "这笔已结算，多退少补还没有处理。" => "请主管在待传页面处理，或用 --difference 处理。"
        "The sale is settled; its difference with the patient is open." => "A supervisor closes it on the queue page, or with --difference and the PIN."
    "NO_DIFFERENCE"
        "这笔没有未处理的差异。" => "用 queue differences 查看还有哪些。"
        "This sale has no open difference." => "See queue differences for those there are."
    "DIFFERENCE_OTHER_WAY"
        "现金差异的方向相反。" => "应补收的用 collect，应退还的用 refund。"
        "The cash would go the other way." => "Use collect where the patient owes, refund where the patient is owed."

    // Sums as a province writes them.
    "FAMILY_INSIDE_ACCOUNT"
        "本地把家庭共济金额计在账户支付之内。" => "已拆开入账，不用处理。"
        "The province counts the family account inside the own account." => "It was taken apart; nothing is to be done."
    "FUND_SUM_INCLUDES_ACCOUNT"
        "本地的基金总额包括账户支付。" => "已拆开入账，不用处理。"
        "The province's fund total includes the own account." => "It was taken apart; nothing is to be done."

    // Replies in another shape.
    "ENVELOPE_OF_GATEWAY"
        "答复是网关自己的格式。" => "按结果办理；常出现时转给经办机构。"
        "The reply has the gateway's own shape." => "Go by the outcome; where it comes often, show it to the agency."
    "BODY_IS_GB18030"
        "答复的编码是国标不是统一码。" => "已按国标编码读取，不用处理。"
        "The reply is in GB 18030, not in UTF-8." => "It was read as such; nothing is to be done."
    "ENVELOPE_WRAPPED"
        "答复外面多包了一层。" => "已按里面的内容读取，不用处理。"
        "The reply stood in another envelope." => "What stood inside was read; nothing is to be done."
    "ERR_MSG_ON_SUCCESS"
        "答复成功，却带有错误说明。" => "按成功处理；反复出现时告诉管理员。"
        "The reply succeeded and carries an error text all the same." => "It counts as done; tell the administrator where it goes on."
    "OUTPUT_ELSEWHERE"
        "答复的内容不在约定的位置。" => "已从所在位置读取，不用处理。"
        "What was answered stood in another place than agreed." => "It was read where it stood; nothing is to be done."

    // Day close.
    "STATEMENT_REFUSED"
        "医保平台没有接受对账。" => "核对日期后再试；仍不行请联系医保经办机构。"
        "The insurance platform refused the statement." => "Check the day and try again; else call the agency."
    "AMOUNTS_DIFFER"
        "对账明细的总额与这笔不同。" => "请主管联系医保经办机构核对这一笔。"
        "The statement's bill is not this sale's." => "A supervisor checks this sale with the agency."
    "AGENCY_SAYS_OTHERWISE"
        "平台的查询结果与对账明细不符。" => "稍后再对账；仍不符请联系医保经办机构。"
        "The platform's query contradicts its statement." => "Compare again later; else call the agency."
    "NOTHING_TO_DO"
        "这一行没有可以由本机做的事。" => "请主管联系医保经办机构。"
        "There is nothing this till can do about the row." => "A supervisor calls the agency."

    // Simulation.
    "INVARIANT_BROKEN"
        "模拟中有一条不变式不成立。" => "用所示的种子和步数重现，并告诉软件供应商。"
        "An invariant did not hold in the simulation." => "Repeat it with the seed and steps shown, and tell the vendor."
    "SIMULATION_DIRECTORY"
        "模拟用的临时目录无法使用。" => "核对内存盘或临时目录的空间和权限。"
        "The simulation's directory cannot be used." => "Check room and permissions of the temporary directory."
};
