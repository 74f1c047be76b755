//! What the cashier is told, and how devices and the line are doing.

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For information.
    Info,
    /// The cashier should know.
    Warning,
    /// It does not go on like this.
    Error,
}

/// Something to tell the cashier: a stable code, which [`crate::advice`] puts into words, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// Stable code.
    pub code: String,
    /// What it is about, in no language or the agency's: an amount, a date, a name of goods.
    pub detail: String,
    /// It is over then; counted down on the screen.
    pub until_ms: Option<i64>,
}

impl Notice {
    /// A notice without particulars.
    #[must_use]
    pub fn new(level: Level, code: &str) -> Notice {
        Notice {
            level,
            code: code.to_owned(),
            detail: String::new(),
            until_ms: None,
        }
    }

    /// The same with particulars.
    #[must_use]
    pub fn about(mut self, detail: impl Into<String>) -> Notice {
        self.detail = detail.into();
        self
    }
}

/// How a device or line is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Works.
    Ok,
    /// At work.
    Busy,
    /// Works, with something to look at.
    Warning,
    /// Does not work.
    Fault,
    /// Not fitted, or not asked yet.
    #[default]
    Off,
}

/// A device's condition with the stable code of what is wrong, blank if nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// How it is doing.
    pub health: Health,
    /// Stable code.
    pub code: String,
}

impl Condition {
    pub(super) fn set(&mut self, health: Health, code: &str) {
        self.health = health;
        code.clone_into(&mut self.code);
    }
}

/// Since when and why the agency cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Since when.
    pub since_ms: i64,
    /// Stable code of the cause.
    pub cause: String,
}
