//! What is wrong with a pack file: file, line, what, and what to do.

use jiff::civil::Date;
use smol_str::SmolStr;
use thiserror::Error;

use crate::codes::Lang;

/// One mistake in a pack file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {fault}")]
pub struct PackError {
    /// The file, as it was named when it was added.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: PackFault,
}

impl PackError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// What to do.
    pub fn advice(&self, lang: Lang) -> &'static str {
        self.fault.advice(lang)
    }
}

/// Kinds of mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PackFault {
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("{reason}")]
    NotReadable {
        /// What the TOML reader says.
        reason: String,
    },
    /// A name that nothing defines.
    #[error("there is no {kind} named \"{name}\"")]
    UnknownName {
        /// parameter, pool, source, reading, level …
        kind: &'static str,
        /// The name.
        name: SmolStr,
    },
    /// A name that is defined twice.
    #[error("the {kind} \"{name}\" is defined twice")]
    Twice {
        /// parameter, pool, source …
        kind: &'static str,
        /// The name.
        name: SmolStr,
    },
    /// Something no benefit uses.
    #[error("the {kind} \"{name}\" is used by nothing")]
    Unused {
        /// parameter, pool, reading
        kind: &'static str,
        /// The name.
        name: SmolStr,
    },
    /// A value that its place does not take.
    #[error("\"{found}\" does not stand here; expected {expected}")]
    BadValue {
        /// What was found.
        found: SmolStr,
        /// What may stand here.
        expected: String,
    },
    /// Days of the pack on which a parameter has no value.
    #[error("the parameter \"{parameter}\" has no value from {from}{}", to(*until))]
    Gap {
        /// Its name.
        parameter: SmolStr,
        /// First day without a value.
        from: Date,
        /// Last day without a value.
        until: Date,
    },
    /// Days on which a parameter has two values.
    #[error("the parameter \"{parameter}\" has two values from {from}{}", to(*until))]
    Overlap {
        /// Its name.
        parameter: SmolStr,
        /// First day with two values.
        from: Date,
        /// Last day with two values.
        until: Date,
    },
    /// A value that ends before it begins.
    #[error("the value of \"{parameter}\" ends before it begins")]
    Backwards {
        /// Its name.
        parameter: SmolStr,
    },
    /// A table without a row it needs.
    #[error("the table of \"{parameter}\" has no figure for {cell}")]
    MissingCell {
        /// Its name.
        parameter: SmolStr,
        /// Such as `retired 2`.
        cell: String,
    },
    /// A value with neither figure, table nor `not_published`, or with more than one of them.
    #[error("the value of \"{parameter}\" needs exactly one of value, table, not_published = true")]
    NoFigure {
        /// Its name.
        parameter: SmolStr,
    },
    /// An empty article.
    #[error("the article is empty")]
    NoArticle,
    /// A ratio that is not higher at the lower institution.
    #[error("the ratio \"{parameter}\" is not higher at level {lower} than at level {higher}")]
    GrassrootsNotHigher {
        /// Its name.
        parameter: SmolStr,
        /// The lower level with its ratio.
        lower: SmolStr,
        /// The higher level with its ratio.
        higher: SmolStr,
    },
    /// A pool without a limit and without the article that says so.
    #[error("the pool \"{pool}\" has no limit")]
    PoolWithoutLimit {
        /// Its id.
        pool: SmolStr,
    },
    /// A limit that belongs to no pool.
    #[error("the limit \"{parameter}\" belongs to no pool")]
    LimitWithoutPool {
        /// The parameter.
        parameter: SmolStr,
    },
    /// Something a wider one before it always takes the place of.
    #[error("the {kind} \"{name}\" is never reached")]
    NeverReached {
        /// benefit, step of pool
        kind: &'static str,
        /// The name.
        name: SmolStr,
    },
    /// An overlay whose pack has not been added.
    #[error("this overlay needs the pack \"{pack}\", which is not loaded")]
    NoBase {
        /// The pack's id.
        pack: SmolStr,
    },
    /// More than the engine can index.
    #[error("too many different {kind} (at most {max})")]
    TooMany {
        /// What.
        kind: &'static str,
        /// How many are possible.
        max: usize,
    },
}

/// The end of a span of days, in words.
fn to(until: Date) -> String {
    if until.year() == Date::MAX.year() {
        " on".to_owned()
    } else {
        format!(" to {until}")
    }
}

impl PackFault {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PackFault::NotReadable { .. } => "PACK_NOT_READABLE",
            PackFault::UnknownName { .. } => "PACK_UNKNOWN_NAME",
            PackFault::Twice { .. } => "PACK_DEFINED_TWICE",
            PackFault::Unused { .. } => "PACK_UNUSED",
            PackFault::BadValue { .. } => "PACK_BAD_VALUE",
            PackFault::Gap { .. } => "PACK_GAP",
            PackFault::Overlap { .. } => "PACK_OVERLAP",
            PackFault::Backwards { .. } => "PACK_BACKWARDS",
            PackFault::MissingCell { .. } => "PACK_MISSING_CELL",
            PackFault::NoFigure { .. } => "PACK_NO_FIGURE",
            PackFault::NoArticle => "PACK_NO_ARTICLE",
            PackFault::GrassrootsNotHigher { .. } => "PACK_GRASSROOTS_NOT_HIGHER",
            PackFault::PoolWithoutLimit { .. } => "PACK_POOL_WITHOUT_LIMIT",
            PackFault::LimitWithoutPool { .. } => "PACK_LIMIT_WITHOUT_POOL",
            PackFault::NeverReached { .. } => "PACK_NEVER_REACHED",
            PackFault::NoBase { .. } => "PACK_NO_BASE",
            PackFault::TooMany { .. } => "PACK_TOO_MANY",
        }
    }

    /// What to do.
    pub fn advice(&self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            PackFault::NotReadable { reason } if reason.starts_with("missing field") => (
                "补上缺少的键（每个数值都要有 source 和 article）；rules/packs/README.md 列出了每个键。",
                "Add the key that is missing (every figure needs source and article); rules/packs/README.md lists every key.",
            ),
            PackFault::NotReadable { reason } if reason.contains("expected a string") => (
                "加上引号：数值写成文字，例如 \"0.55\"。",
                "Put it in quotes: figures and words are text, such as \"0.55\".",
            ),
            PackFault::NotReadable { .. } => (
                "按 rules/packs/README.md 改正键名或写法。",
                "Correct the key or the form; rules/packs/README.md lists every key.",
            ),
            PackFault::UnknownName { .. } => (
                "改正名称，或补上定义。",
                "Correct the name, or add its definition.",
            ),
            PackFault::Twice { .. } => ("删去其中一个。", "Remove one of the two."),
            PackFault::Unused { .. } => (
                "在待遇或额度中使用它，或删去。",
                "Use it in a benefit or pool, or remove it.",
            ),
            PackFault::BadValue { .. } => ("改为列出的写法之一。", "Write one of the forms that are named."),
            PackFault::Gap { .. } => (
                "补上这些日期的值；尚未公布的写 not_published = true。",
                "Add a value for these days; if it is not published write not_published = true.",
            ),
            PackFault::Overlap { .. } => (
                "给较早的值写上 until（新值前一日）。",
                "Give the earlier value an until, the day before the new one.",
            ),
            PackFault::Backwards { .. } => (
                "交换或改正 from 与 until。",
                "Exchange or correct from and until.",
            ),
            PackFault::MissingCell { .. } => ("在表中补上这一格。", "Add the figure to the table."),
            PackFault::NoFigure { .. } => (
                "只保留 value、table、not_published 之一。",
                "Keep exactly one of value, table, not_published.",
            ),
            PackFault::NoArticle => (
                "写明条款，例如 第九条第二款。",
                "Name the article, such as 第九条第二款.",
            ),
            PackFault::GrassrootsNotHigher { .. } => (
                "核对原文：基层支付比例应当高于其他机构。",
                "Check the text: the ratio at the grassroots must be higher.",
            ),
            PackFault::PoolWithoutLimit { .. } => (
                "写 limit；确无限额的写 unlimited 并注明条款。",
                "Write limit; where there is none write unlimited with its article.",
            ),
            PackFault::LimitWithoutPool { .. } => (
                "在某个额度的 limit 中引用它，或删去。",
                "Name it in the limit of a pool, or remove it.",
            ),
            PackFault::NeverReached { .. } => (
                "前面较宽的待遇（或写了 stop 的一步）总是先用到：把窄的移到前面，或删去。",
                "A wider benefit (or a step that stops) before it is always taken: move the narrower one up, or remove it.",
            ),
            PackFault::NoBase { .. } => ("先载入被覆盖的规则包。", "Load the pack it changes first."),
            PackFault::TooMany { .. } => (
                "合并不需要区分的项。",
                "Merge entries that need not be told apart.",
            ),
        };
        lang.pick(zh, en)
    }
}
