//! Reconciliation and clearing: the file of 3202 by way of 9101 and 9102, 3203 and 3204.

use super::Client;
use crate::{
    answer::{Answer, Cause},
    messages::{
        clearing::{self, ClearingInput, ClearingRequest, WithdrawalData, WithdrawalInput},
        files,
        statement_detail::{
            DetailInput, StatementFile, StatementFinding, StatementRow, read_findings, write_rows,
        },
    },
    zip_text,
};

/// Name of the text within the ZIP, and with `.zip` of the file.
const TEXT_NAME: &str = "statement.txt";

impl Client {
    /// 9101, 3202, 9102: hands in the terminal's settlements and brings back where the agency's differ. Moves no money:
    /// whatever is lost on the way, it can be done again. `file` needs no number yet.
    pub async fn statement_detail(
        &self,
        rows: &[StatementRow],
        mut file: StatementFile,
    ) -> Answer<Vec<StatementFinding>> {
        let style = &self.seal.profile.statement;
        let Ok(zip) = zip_text::pack(TEXT_NAME, write_rows(rows, style).as_bytes()) else {
            return Answer::NotSent(Cause::RequestInvalid {
                field: "in",
                problem: "can't be written",
            });
        };
        let uploaded = self.upload_file(&format!("{TEXT_NAME}.zip"), &zip).await;
        let ticket = match uploaded {
            Answer::Done(ticket) => ticket,
            other => return other.map(|_| Vec::new()),
        };
        file.file_qury_no = ticket.file_qury_no;
        let input = DetailInput::from(&file);
        let result = match self.ask("3202", "", &input, files::read_ticket).await {
            Answer::Done(ticket) => self.download_file(&ticket.file_qury_no, &ticket.filename).await,
            other => other.map(|_| Vec::new()),
        };
        result.and_then(|zip| {
            match zip_text::unpack_text(&zip).and_then(|text| read_findings(&text, style)) {
                Ok(findings) => Answer::Done(findings),
                Err(what) => Answer::Unknown(Cause::BodyUnreadable { what }),
            }
        })
    }

    /// 3203: applies for the clearing of a month; the number of the application. An application without an answer may
    /// stand: a second one is then refused by the agency.
    pub async fn apply_for_clearing(&self, request: &ClearingRequest) -> Answer<String> {
        let input = ClearingInput::from(request);
        self.ask("3203", "", &input, clearing::read_application).await
    }

    /// 3204: withdraws an application.
    pub async fn withdraw_clearing(&self, clr_appy_evt_id: &str) -> Answer<()> {
        let input = WithdrawalInput {
            data: WithdrawalData {
                clr_appy_evt_id: clr_appy_evt_id.to_owned(),
            },
        };
        self.ask("3204", "", &input, |_| Some(())).await
    }
}
