//! `yijie operator`: who works at this till; a supervisor adds, disables and enables them and gives new PINs.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};
use yijie_rules::Lang;

use super::people::Who;
use super::{Failure, Out, pin_from_stdin};
use crate::books::Books;
use crate::operators::{Operator, Role};
use crate::record::Record;
use crate::{clock, config};

/// What is asked.
#[derive(Subcommand)]
pub enum Request {
    /// Everyone.
    List,
    /// A new operator; the PIN is the (next) line of standard input.
    Add {
        /// Number.
        id: String,
        /// Name on screen and receipt; the number if absent.
        #[arg(long)]
        name: Option<String>,
        /// What they may do.
        #[arg(long, value_enum)]
        role: Role,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
    /// May work here no more.
    Disable {
        /// Number.
        id: String,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
    /// May work here again.
    Enable {
        /// Number.
        id: String,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
    /// A new PIN, the (next) line of standard input; ends a lock-out.
    Reset {
        /// Number.
        id: String,
        /// Who asks for it.
        #[command(flatten)]
        who: Who,
    },
}

impl Request {
    /// Who changes something; nobody needs to be named to look.
    fn who(&self) -> Option<&Who> {
        match self {
            Request::List => None,
            Request::Add { who, .. }
            | Request::Disable { who, .. }
            | Request::Enable { who, .. }
            | Request::Reset { who, .. } => Some(who),
        }
    }
}

/// Runs it; all but the list is for a supervisor.
///
/// # Errors
/// [`Failure`]; nothing is changed then.
pub fn run(data: &Path, request: Request, out: Out) -> Result<u8, Failure> {
    let config = config::load(data)?;
    let (books, _) = super::books(data, &config, out)?;
    let Some(who) = request.who() else {
        return list(&books, out).map(|()| 0);
    };
    let by = who.supervisor(&books, out)?;
    let known = |id: &str| {
        books
            .operator(id)?
            .ok_or_else(|| Failure::input("OPERATOR_UNKNOWN", id))
    };
    let new_pin = |operator: &Operator| {
        let pin = pin_from_stdin()?;
        Operator::new(&operator.id, &operator.name, operator.role, &pin)
            .map_err(|e| Failure::input(e.code(), &e))
    };
    let operator = match request {
        Request::List => return Ok(0),
        Request::Add { id, name, role, .. } => {
            if id.is_empty() || id.chars().any(char::is_control) || id == super::people::CLIENT {
                return Err(Failure::input("OPERATOR_NUMBER", id));
            }
            if books.operator(&id)?.is_some() {
                return Err(Failure::input("OPERATOR_EXISTS", id));
            }
            let name = name.unwrap_or_else(|| id.clone());
            Operator::new(&id, &name, role, &pin_from_stdin()?).map_err(|e| Failure::input(e.code(), &e))?
        }
        Request::Disable { id, .. } => Operator {
            disabled: true,
            ..known(&id)?
        },
        Request::Enable { id, .. } => Operator {
            disabled: false,
            ..known(&id)?
        },
        Request::Reset { id, .. } => {
            let operator = known(&id)?;
            Operator {
                disabled: operator.disabled,
                ..new_pin(&operator)?
            }
        }
    };
    if operator.disabled && !another_supervisor(&books, &operator.id)? {
        return Err(Failure::refused("LAST_SUPERVISOR", operator.id));
    }
    let told = row(&operator);
    let words = line(&operator, out.lang);
    let record = Record::Operator {
        operator,
        by: Some(by.id),
    };
    books.append(&record, clock::now_ms())?;
    out.print(&told, || words)?;
    Ok(0)
}

fn another_supervisor(books: &Books, id: &str) -> Result<bool, Failure> {
    let all = books.operators()?;
    Ok(all
        .iter()
        .any(|other| other.id != id && other.role == Role::Supervisor && !other.disabled))
}

fn list(books: &Books, out: Out) -> Result<(), Failure> {
    let mut all = books.operators()?;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let rows: Vec<Value> = all.iter().map(row).collect();
    out.print(&rows, || {
        let lines: Vec<String> = all.iter().map(|operator| line(operator, out.lang)).collect();
        lines.join("\n")
    })
}

fn row(operator: &Operator) -> Value {
    json!({"operator": operator.id, "name": operator.name, "role": operator.role, "disabled": operator.disabled})
}

fn line(operator: &Operator, lang: Lang) -> String {
    let disabled = if operator.disabled {
        lang.pick("  已停用", "  disabled")
    } else {
        ""
    };
    format!(
        "{}  {}  {}{disabled}",
        operator.id,
        operator.role.word(lang),
        operator.name
    )
}
