//! Who runs a command: an operator with the PIN, and a second one where one alone may not.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Out, pin_from_stdin};
use crate::books::Books;
use crate::clock;
use crate::operators::{Operator, Role, check};
use crate::record::Record;

/// Name in the records of a program that gave no operator.
pub const CLIENT: &str = "client";

/// An operator and where the PIN is.
#[derive(Debug, Clone, Default, Args)]
pub struct Who {
    /// Operator number.
    #[arg(long)]
    pub operator: Option<String>,
    /// File with the operator's PIN.
    #[arg(long)]
    pub pin_file: Option<PathBuf>,
    /// Read the PIN from the first line of standard input.
    #[arg(long, conflicts_with = "pin_file")]
    pub pin_stdin: bool,
}

/// The second person of what one alone may not do.
#[derive(Debug, Clone, Default, Args)]
pub struct Approver {
    /// Number of the supervisor who approves.
    #[arg(long)]
    approver: Option<String>,
    /// File with the approver's PIN.
    #[arg(long)]
    approver_pin_file: Option<PathBuf>,
}

/// One or two persons who let something happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Who asked for it.
    pub operator: String,
    /// Who approved it, where two are needed.
    pub approver: Option<String>,
}

impl Who {
    /// The PIN, from where it was said to be.
    pub(super) fn pin(&self) -> Result<String, Failure> {
        match &self.pin_file {
            _ if self.pin_stdin => pin_from_stdin(),
            None => Err(Failure::input("PIN_FILE_MISSING", "--pin-file, --pin-stdin")),
            Some(file) => {
                let pin = std::fs::read_to_string(file)
                    .map_err(|e| Failure::input("PIN_FILE_MISSING", format!("{}: {e}", file.display())))?;
                Ok(pin.trim().to_owned())
            }
        }
    }

    /// The operator, if the PIN is right.
    ///
    /// # Errors
    /// [`Failure`]: exit code 1 for an unknown operator, 2 for a wrong PIN, a lock-out or a disabled operator.
    pub fn signed(&self, books: &Books, out: Out) -> Result<Operator, Failure> {
        let id = self
            .operator
            .as_ref()
            .ok_or_else(|| Failure::input("USAGE", "--operator"))?;
        match check(books, id, &self.pin()?, clock::now_ms())? {
            Ok(operator) => {
                if let Some(file) = self
                    .pin_file
                    .as_deref()
                    .filter(|file| super::open_to_others(file))
                {
                    Failure::could_not("SECRET_EXPOSED", file.display()).report(out);
                }
                Ok(operator)
            }
            Err(refused) if refused.code == "OPERATOR_UNKNOWN" => Err(Failure::input(refused.code, id)),
            Err(refused) => Err(Failure::refused(refused.code, refused.detail())),
        }
    }

    /// The operator, if the PIN is right and the role is a supervisor's.
    ///
    /// # Errors
    /// As [`Who::signed`]; exit code 2 for another role.
    pub fn supervisor(&self, books: &Books, out: Out) -> Result<Operator, Failure> {
        let operator = self.signed(books, out)?;
        if operator.role == Role::Supervisor {
            Ok(operator)
        } else {
            Err(Failure::refused("SUPERVISOR_NEEDED", operator.id))
        }
    }
}

/// Four eyes: where two people work at the till, one asks and a supervisor (for an export also an inspector) approves.
/// A till of one operator has no second pair: there a program may ask in nobody's name, as it may sell.
///
/// # Errors
/// [`Failure`]: exit code 2 if the persons may not.
pub fn four_eyes(
    books: &Books,
    who: &Who,
    approver: &Approver,
    what: &str,
    about: &str,
    out: Out,
) -> Result<Allowed, Failure> {
    let named = who.operator.clone().unwrap_or_else(|| CLIENT.to_owned());
    let two = books.two_persons()?;
    let proves = who.pin_file.is_some() || who.pin_stdin;
    if !two && !proves {
        return Ok(Allowed {
            operator: named,
            approver: None,
        });
    }
    if who.operator.is_none() || !proves {
        return Err(Failure::refused("TWO_PERSONS_NEEDED", "--operator --pin-file"));
    }
    let operator = who.signed(books, out)?;
    if !two {
        return Ok(Allowed {
            operator: operator.id,
            approver: None,
        });
    }
    let approver = Who {
        operator: approver.approver.clone(),
        pin_file: approver.approver_pin_file.clone(),
        pin_stdin: false,
    };
    if approver.operator.is_none() || approver.operator == who.operator {
        return Err(Failure::refused(
            "TWO_PERSONS_NEEDED",
            "--approver --approver-pin-file",
        ));
    }
    let second = approver.signed(books, out)?;
    if second.role != Role::Supervisor && !(what == "export" && second.role == Role::Inspector) {
        return Err(Failure::refused("SUPERVISOR_NEEDED", second.id));
    }
    let record = Record::Approved {
        what: what.to_owned(),
        operator: operator.id.clone(),
        by: second.id.clone(),
        about: about.to_owned(),
    };
    books.append(&record, clock::now_ms())?;
    Ok(Allowed {
        operator: operator.id,
        approver: Some(second.id),
    })
}
