//! What stands under `output`, however it is wrapped.

use crate::lenient::{Fields, Node};

/// What stands under `output`.
pub(crate) enum Output<'a> {
    /// Missing, null or an empty string.
    Nothing,
    /// An object.
    Object(Node<'a>),
    /// An object as text inside a string, where the profile expects none; read it with [`Node::parse`].
    Text(String),
    /// The same where the profile expects it, or decrypted.
    Inner(String),
    /// A string that is no JSON object: ciphertext, as long as nobody opens it.
    Opaque(String),
}

/// What a field holds as an output.
pub(crate) fn read_output<'a>(fields: &Fields<'a>, name: &str) -> Output<'a> {
    let Some(node) = fields.get(name) else {
        return Output::Nothing;
    };
    if !node.is_string() {
        // One object in a list is that object.
        let only = node.items();
        return match only.as_slice() {
            [only] => Output::Object(*only),
            _ => Output::Object(node),
        };
    }
    match node.text() {
        None => Output::Nothing,
        Some(text) if Node::parse(&text).is_some_and(|inner| inner.fields().is_some()) => Output::Text(text),
        Some(text) => Output::Opaque(text),
    }
}

impl Output<'_> {
    /// The object under output, wherever it was.
    pub(crate) fn node(&self) -> Option<Node<'_>> {
        match self {
            Output::Object(node) => Some(*node),
            Output::Text(text) | Output::Inner(text) => Node::parse(text),
            Output::Nothing | Output::Opaque(_) => None,
        }
    }

    /// The fields of the object under output.
    pub(crate) fn fields(&self) -> Option<Fields<'_>> {
        self.node().and_then(Node::fields)
    }

    /// The same with what stands beside it in one object. None: nothing is missing.
    pub(crate) fn joined(&self, beside: &[(&str, Node<'_>)]) -> Option<String> {
        let (node, fields) = (self.node()?, self.fields()?);
        let missing = beside
            .iter()
            .filter(|(name, node)| !node.is_bare() && fields.get(name).is_none());
        let more: Vec<String> = missing
            .map(|(name, node)| format!("\"{name}\":{}", node.raw()))
            .collect();
        let open = node
            .raw()
            .strip_suffix('}')
            .filter(|_| !more.is_empty())?
            .trim_end();
        let comma = if open.ends_with('{') { "" } else { "," };
        Some(format!("{open}{comma}{}}}", more.join(",")))
    }

    /// The object in which one of these names stands: the output itself, or the one it wraps. None: nowhere, or in several.
    pub(crate) fn with_any(&self, names: &[&str]) -> Option<Fields<'_>> {
        self.fields()?.with_any(names)
    }

    /// Whether nothing is in it.
    pub(crate) fn is_bare(&self) -> bool {
        match self {
            Output::Nothing => true,
            Output::Opaque(_) => false,
            _ => self.node().is_some_and(Node::is_bare),
        }
    }

    /// The rows under `name`; none where it is not there. None: the output can't be read.
    pub(crate) fn rows(&self, name: &str) -> Option<Vec<Fields<'_>>> {
        if matches!(self, Output::Opaque(_)) {
            return None;
        }
        let rows = self.fields().map(|fields| fields.items(name)).unwrap_or_default();
        Some(rows.into_iter().filter_map(Node::fields).collect())
    }
}
