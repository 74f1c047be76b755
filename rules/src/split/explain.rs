//! The reasons of a settlement as text for a person.

use std::fmt::Write;

use crate::codes::Lang;
use crate::outcome::Settlement;

impl Settlement {
    /// The settlement for a person to read: the three amounts, then every reason with its article. The reasons are in
    /// the language the split was asked for.
    pub fn explain(&self, lang: Lang) -> String {
        let sums = &self.setlinfo;
        let mut text = String::new();
        let amounts = [
            (lang.pick("合计", "total"), sums.medfee_sumamt),
            (lang.pick("基金支付", "funds"), sums.fund_pay_sumamt),
            (lang.pick("个人账户", "own account"), sums.acct_pay),
            (lang.pick("家庭共济", "family account"), sums.acct_mulaid_pay),
            (lang.pick("现金", "cash"), sums.psn_cash_pay),
        ];
        // writing to a String cannot fail
        let _ = writeln!(text, "{} {} · {}", self.pack.id, self.pack.version, self.benefit);
        for (name, amount) in amounts {
            let _ = writeln!(text, "  {name}  {amount}");
        }
        if !sums.hosp_part_amt.is_zero() {
            let _ = writeln!(
                text,
                "  {}  {}",
                lang.pick("医院负担", "institution"),
                sums.hosp_part_amt
            );
        }
        for step in &self.trace {
            let _ = writeln!(text, "- {}  [{}]  {}", step.says, step.article, step.amount);
        }
        for line in &self.excluded {
            let _ = writeln!(
                text,
                "! {} {}: {} [{}]",
                lang.pick("行", "line"),
                line.feedetl_sn,
                line.code.says(lang),
                line.article
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "! {} [{}]", note.code.says(lang), note.article);
        }
        let _ = writeln!(
            text,
            "{}: {}",
            lang.pick("数值依据等级", "grade of the figures"),
            self.grade.as_str()
        );
        text
    }
}
