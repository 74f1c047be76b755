//! The envelope around every answer, in the shapes that agencies and the gateways before them give it.

use std::borrow::Cow;

use encoding_rs::GB18030;

use crate::{
    lenient::{Fields, Node, Survey, WRAPPED_MAX, WRAPPERS},
    numbers::whole_number,
    output::{Output, read_output},
    verdict::{WORDS, denied},
};

/// A reply that is one of the interface's: it has an infcode.
pub(crate) struct Reply<'a> {
    pub(crate) infcode: i64,
    pub(crate) err_msg: String,
    pub(crate) inf_refmsgid: String,
    pub(crate) refmsg_time: String,
    pub(crate) respond_time: String,
    pub(crate) cainfo: String,
    /// The gateway put the reply inside an envelope of its own.
    pub(crate) wrapped: bool,
    /// The content stood beside infcode, or under another name than `output`.
    pub(crate) output_elsewhere: bool,
    /// Something in it, or around it, says that the thing was not done, whatever infcode says.
    pub(crate) denied: bool,
    /// It has no infcode: a gateway in front of the agency answered by itself, or in its own words for the agency.
    pub(crate) gateway: bool,
    /// The profile has replies signed, and this one's signature was not checked: no key is here, or nothing is signed.
    pub(crate) unchecked: bool,
    /// Content that stands beside the output it belongs to.
    beside: Vec<(&'static str, Node<'a>)>,
    /// What is odd about its content.
    pub(crate) survey: Survey,
    /// The output, if it holds anything: an object, or the object inside a string.
    pub(crate) output: Output<'a>,
}

/// What a body is, if not a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAReply {
    Empty,
    OtherBytes,
    Compressed,
    Utf16,
    Html,
    Xml,
    NotJson,
    OtherShape,
    InfcodeUnreadable,
    SignatureWrong,
}

impl NotAReply {
    pub(crate) fn what(self) -> &'static str {
        match self {
            NotAReply::Empty => "empty body",
            NotAReply::OtherBytes => "neither UTF-8 nor GB 18030",
            NotAReply::Compressed => "compressed (gzip)",
            NotAReply::Utf16 => "UTF-16",
            NotAReply::Html => "a page of HTML",
            NotAReply::Xml => "XML",
            NotAReply::NotJson => "broken or incomplete JSON",
            NotAReply::OtherShape => "JSON without infcode",
            NotAReply::InfcodeUnreadable => "infcode is no number",
            NotAReply::SignatureWrong => "its signature does not hold",
        }
    }
}

impl<'a> Reply<'a> {
    /// Reads a body.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Reply<'a>, NotAReply> {
        let root = json_of(body)?;
        let mut reply = Reply::within(root)?;
        reply.survey = root.survey();
        Ok(reply)
    }

    /// Brings an opened output into the form in which it is read.
    pub(crate) fn gather(&mut self) {
        if let Some(joined) = self.output.joined(&self.beside) {
            self.output = Output::Inner(joined);
            self.output_elsewhere = true;
        }
        // What was opened or joined has not been looked through yet.
        let packed = self.survey.packed || !matches!(self.output, Output::Object(_));
        if packed && let Some(unpacked) = self.output.node().and_then(Node::unpacked) {
            self.output = Output::Text(unpacked);
        }
        if let Output::Text(text) | Output::Inner(text) = &self.output
            && let Some(node) = Node::parse(text)
        {
            let found = &mut self.survey.disputed;
            *found = found.take().or_else(|| node.survey().disputed);
            self.denied |= node.fields().is_some_and(|fields| denied(&fields));
        }
    }

    /// The reply in a body, or in what a gateway put around it.
    fn within(node: Node<'a>) -> Result<Reply<'a>, NotAReply> {
        let fields = node.fields().ok_or(NotAReply::OtherShape)?;
        if fields.get("infcode").is_some() {
            return Reply::of(node, &fields);
        }
        if let Some(reply) = Reply::in_two(&fields) {
            return reply;
        }
        // A gateway's envelope around the reply, or several.
        let Some((node, inner)) = within(&fields, WRAPPED_MAX) else {
            return Reply::of_gateway(node, &fields).ok_or(NotAReply::OtherShape);
        };
        let mut reply = Reply::of(node, &inner)?;
        reply.wrapped = true;
        reply.denied |= denied(&fields);
        Ok(reply)
    }

    /// `{"head": {"infcode": …}, "body": {…}}`.
    fn in_two(fields: &Fields<'a>) -> Option<Result<Reply<'a>, NotAReply>> {
        let node = ["head", "header"].iter().find_map(|name| fields.get(name))?;
        let head = node.fields().filter(|head| head.get("infcode").is_some())?;
        Some(Reply::of(node, &head).map(|mut reply| {
            reply.wrapped = true;
            reply.denied |= denied(fields);
            if matches!(reply.output, Output::Nothing)
                && let Some(body) = ["body", "output", "data"]
                    .iter()
                    .find_map(|name| fields.get(name))
            {
                let inner = body.fields().map(|body| read_output(&body, "output"));
                let inner = inner.filter(|inner| !matches!(inner, Output::Nothing));
                reply.output = inner.unwrap_or(Output::Object(body));
            }
            reply
        }))
    }

    /// `{"code": …, "success": …, "message": …, "data": …}`: yes where `success` is true or the code one of those that
    /// mean it, and something is told; no where either says so in words. An HTTP status for a code is about the way.
    fn of_gateway(node: Node<'a>, fields: &Fields<'a>) -> Option<Reply<'a>> {
        let code = fields.text_of(&[
            "code", "errcode", "retcode", "status", "err_code", "ret_code", "rtn_code", "type",
        ]);
        let success = fields.get("success").and_then(Node::text);
        let agrees = GATEWAY_YES.contains(&code.to_lowercase().as_str());
        let yes = match success.as_deref() {
            Some("true" | "1") => code.is_empty() || agrees,
            Some(_) => false,
            None => agrees,
        };
        let mut reply = Reply::with(0, node, fields);
        if yes && matches!(reply.output, Output::Nothing) {
            return None;
        }
        if !yes {
            let of_the_way = whole_number(&code).is_some_and(|code| (100..600).contains(&code));
            if of_the_way || reply.err_msg.is_empty() || (code.is_empty() && success.is_none()) {
                return None;
            }
            reply.infcode = whole_number(&code).filter(|code| *code != 0).unwrap_or(-2);
        }
        reply.gateway = true;
        Some(reply)
    }

    fn of(node: Node<'a>, fields: &Fields<'a>) -> Result<Reply<'a>, NotAReply> {
        let infcode = fields.get("infcode").ok_or(NotAReply::OtherShape)?;
        let infcode = infcode
            .text()
            .and_then(|text| whole_number(&text))
            .ok_or(NotAReply::InfcodeUnreadable)?;
        Ok(Reply::with(infcode, node, fields))
    }

    fn with(infcode: i64, node: Node<'a>, fields: &Fields<'a>) -> Reply<'a> {
        let mut reply = Reply {
            infcode,
            err_msg: match infcode {
                0 => fields.text_of(&WORDS),
                _ => words_of(fields),
            },
            inf_refmsgid: fields.text("inf_refmsgid"),
            refmsg_time: fields.text("refmsg_time"),
            respond_time: fields.text("respond_time"),
            cainfo: fields.text("cainfo"),
            wrapped: false,
            output_elsewhere: false,
            denied: denied(fields),
            gateway: false,
            unchecked: false,
            beside: CONTENT
                .iter()
                .filter_map(|name| Some((*name, fields.get(name)?)))
                .collect(),
            survey: Survey::default(),
            output: read_output(fields, "output"),
        };
        if matches!(reply.output, Output::Nothing) {
            let elsewhere = ["data", "result", "body"]
                .iter()
                .map(|name| read_output(fields, name))
                .find(|output| matches!(output, Output::Object(_) | Output::Text(_)));
            let beside = ["setlinfo", "baseinfo", "signinoutb"]
                .iter()
                .any(|name| fields.get(name).is_some());
            if beside {
                reply.output = Output::Object(node);
            } else if let Some(output) = elsewhere {
                reply.output = output;
            }
            reply.output_elsewhere = !matches!(reply.output, Output::Nothing);
        }
        reply
    }
}

/// The reply that stands somewhere in a gateway's envelope.
fn within<'a>(fields: &Fields<'a>, depth: u32) -> Option<(Node<'a>, Fields<'a>)> {
    WRAPPERS.iter().find_map(|name| {
        let node = fields.get(name).filter(|node| !node.is_string())?;
        let inner = node.fields()?;
        if inner.get("infcode").is_some() {
            return Some((node, inner));
        }
        depth.checked_sub(1).and_then(|depth| within(&inner, depth))
    })
}

/// Content that agencies put beside the output.
const CONTENT: [&str; 4] = ["insuinfo", "idetinfo", "setldetail", "feedetail"];

/// Codes by which gateways say yes.
const GATEWAY_YES: [&str; 7] = ["0", "200", "00", "0000", "00000", "success", "ok"];

/// The words of a reply, wherever they stand.
fn words_of(fields: &Fields<'_>) -> String {
    let own = fields.text_of(&WORDS);
    if !own.is_empty() {
        return own;
    }
    // Words in a piece of JSON are words, too.
    let nested = |node: Node<'_>| {
        node.fields()
            .map(|inner| inner.text_of(&WORDS))
            .filter(|text| !text.is_empty())
    };
    let told = WORDS
        .iter()
        .chain(&["data", "output"])
        .find_map(|name| nested(fields.get(name)?));
    told.or_else(|| Some(fields.get("err_msg")?.raw().to_owned()))
        .unwrap_or_default()
}

/// A body as the readers take it: in UTF-8, where a gateway wrote GB 18030; the reply itself, where a gateway put its
/// text inside a string. What is neither stays as it is. And what was odd about it.
pub(crate) fn plain(body: &[u8]) -> (Cow<'_, [u8]>, Option<&'static str>) {
    if std::str::from_utf8(body).is_err() && of_another_kind(body).is_none() {
        let text = GB18030.decode_without_bom_handling_and_without_replacement(body);
        return match text {
            Some(text) => {
                let text = text.into_owned().into_bytes();
                let unwrapped = text_within(&text);
                (Cow::Owned(unwrapped.unwrap_or(text)), Some("BODY_IS_GB18030"))
            }
            None => (Cow::Borrowed(body), None),
        };
    }
    match text_within(body) {
        Some(text) => (Cow::Owned(text), Some("ENVELOPE_WRAPPED")),
        None => (Cow::Borrowed(body), None),
    }
}

const INFCODE: &[u8] = b"\"infcode\"";

/// A reply that stands as text in a string of a gateway's envelope.
fn text_within(body: &[u8]) -> Option<Vec<u8>> {
    // Most are the reply itself; inside a string the name's quotes have a backslash before them.
    if body.windows(INFCODE.len()).any(|part| part == INFCODE) {
        return None;
    }
    let whole = json_of(body).ok()?;
    if whole.is_string() {
        let text = whole.text()?;
        let inner = Node::parse(&text)?.fields()?;
        return inner.get("infcode").is_some().then(|| text.into_bytes());
    }
    let fields = whole.fields()?;
    if fields.get("infcode").is_some() || denied(&fields) {
        return None;
    }
    WRAPPERS.iter().find_map(|name| {
        let text = fields.get(name).filter(|node| node.is_string())?.text()?;
        let inner = Node::parse(&text)?.fields()?;
        inner.get("infcode").is_some().then(|| text.into_bytes())
    })
}

/// What a body surely is where it is no text in UTF-8 or GB 18030.
fn of_another_kind(body: &[u8]) -> Option<NotAReply> {
    match body {
        [0x1f, 0x8b, ..] => Some(NotAReply::Compressed),
        [0xff, 0xfe, _, ..] | [0xfe, 0xff, _, ..] | [b'{', 0, ..] | [0, b'{', ..] => Some(NotAReply::Utf16),
        _ => None,
    }
}

fn json_of(body: &[u8]) -> Result<Node<'_>, NotAReply> {
    if let Some(other) = of_another_kind(body) {
        return Err(other);
    }
    let text = std::str::from_utf8(body).map_err(|_| NotAReply::OtherBytes)?;
    // Buffers of fixed length end in zero bytes.
    let text = text
        .trim_start_matches('\u{feff}')
        .trim_matches(['\0', ' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err(NotAReply::Empty);
    }
    if text.starts_with('<') {
        let pages = [
            "<html",
            "<!doctype",
            "<head",
            "<body",
            "<center",
            "<h1",
            "<script",
            "<!--",
        ];
        let tag = text.to_ascii_lowercase();
        let page = pages.iter().any(|page| tag.starts_with(page));
        return Err(if page { NotAReply::Html } else { NotAReply::Xml });
    }
    Node::parse(text).ok_or(NotAReply::NotJson)
}

/// What a gateway says in a JSON of its own shape.
pub(crate) fn gateway_words(body: &[u8]) -> Option<String> {
    let fields = json_of(body).ok()?.fields()?;
    let words = fields.text_of(&WORDS);
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infcode_in_its_shapes() {
        for (body, infcode) in [
            (r#"{"infcode":0}"#, 0),
            (r#"{"infcode":"0","output":null}"#, 0),
            (r#"{"infcode":-1,"inf_refmsgid":"","err_msg":""}"#, -1),
            (r#"{"infcode":"1","output":{}}"#, 1),
            ("\u{feff}{\"infcode\":0.0}", 0),
        ] {
            assert_eq!(
                Reply::parse(body.as_bytes()).ok().map(|reply| reply.infcode),
                Some(infcode),
                "{body}"
            );
        }
    }

    #[test]
    fn bodies_that_are_no_reply() {
        for (body, fault) in [
            (&b""[..], NotAReply::Empty),
            (b"\xff\xfe", NotAReply::OtherBytes),
            (b"<html>502</html>", NotAReply::Html),
            (br#"{"infcode":0,"outp"#, NotAReply::NotJson),
            (br#"{"timestamp":1,"path":"/fsi"}"#, NotAReply::OtherShape),
            (b"[0]", NotAReply::OtherShape),
            (br#"{"infcode":"yes"}"#, NotAReply::InfcodeUnreadable),
            (br#"{"infcode":""}"#, NotAReply::InfcodeUnreadable),
            (br#"{"infcode":null}"#, NotAReply::OtherShape),
        ] {
            assert_eq!(
                Reply::parse(body).err(),
                Some(fault),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn output_in_its_shapes() {
        for (body, kind) in [
            (r#"{"infcode":0}"#, "nothing"),
            (r#"{"infcode":0,"output":null}"#, "nothing"),
            (r#"{"infcode":0,"output":""}"#, "nothing"),
            (r#"{"infcode":0,"output":{}}"#, "object"),
            (r#"{"infcode":0,"output":"{\"a\":1}"}"#, "text"),
            (r#"{"infcode":0,"output":"q83vEjRWeJA="}"#, "opaque"),
        ] {
            let reply = Reply::parse(body.as_bytes()).ok().unwrap();
            let found = match reply.output {
                Output::Nothing => "nothing",
                Output::Object(_) => "object",
                Output::Text(_) => "text",
                Output::Inner(_) => "inner",
                Output::Opaque(_) => "opaque",
            };
            assert_eq!(found, kind, "{body}");
        }
    }
}
