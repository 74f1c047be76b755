//! Words for differences, reconciliation, clearing and the simulation.

use super::{Advice, rows};

pub(super) const ROWS: &[Advice] = rows! {
    // Differences.
    "DIFFERENCE_OPEN"
        "这笔已结算，多退少补还没有处理。" => "请主管在待传页面处理，或用 --difference 处理。"
        "The sale is settled; its difference with the patient is open." => "A supervisor closes it on the queue page, or with --difference and the PIN."
    "NO_DIFFERENCE"
        "这笔没有未处理的差异。" => "用 queue differences 查看还有哪些。"
        "This sale has no open difference." => "See queue differences for those there are."
    "DIFFERENCE_OTHER_WAY"
        "现金差异的方向相反。" => "应补收的用 collect，应退还的用 refund。"
        "The cash would go the other way." => "Use collect where the patient owes, refund where the patient is owed."

    // Simulation.
    "INVARIANT_BROKEN"
        "模拟中有一条不变式不成立。" => "用所示的种子和步数重现，并告诉软件供应商。"
        "An invariant did not hold in the simulation." => "Repeat it with the seed and steps shown, and tell the vendor."
    "SIMULATION_DIRECTORY"
        "模拟用的临时目录无法使用。" => "核对内存盘或临时目录的空间和权限。"
        "The simulation's directory cannot be used." => "Check room and permissions of the temporary directory."
};
