//! The envelope as one province writes it: input as object, text or ciphertext, cainfo signed, the reply opened and its
//! signature checked. Both sides use it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{
    envelope::{Envelope, INPUT_LEN_MAX},
    fields::{Checked, FieldFault, optional},
    gm::sm3_hex,
    keys::Keys,
    lenient::Node,
    output::Output,
    profile::{Cainfo, InputForm, Profile},
    reply::{NotAReply, Reply},
};

/// As deep as anything in a request of the interface's stands, and deeper.
const DEPTH_MAX: u32 = 16;

/// Room for the fields around most inputs.
const HEAD_BYTES: usize = 1024;

/// One side's profile and keys.
#[derive(Debug, Clone)]
pub(crate) struct Seal {
    pub(crate) profile: Profile,
    pub(crate) keys: Keys,
}

/// What is wrong with a request at the gateway's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    Unreadable,
    /// The input is not in the profile's form, or under another key.
    Input,
    Signature,
}

impl Seal {
    /// A message of the terminal as bytes, its envelope checked once it is filled. What is signed and what is sent are
    /// the same text.
    pub(crate) fn letter<I: Serialize>(&self, mut envelope: Envelope<&I>) -> Result<Vec<u8>, FieldFault> {
        let unfit = |_| FieldFault {
            field: "input",
            problem: "can't be written",
        };
        let input = to_raw_value(envelope.input).map_err(unfit)?;
        envelope.signtype.clone_from(&self.profile.signtype);
        envelope.enc_type.clone_from(&self.profile.enc_type);
        let signed = match self.profile.cainfo {
            Cainfo::None => None,
            Cainfo::InputSm3 => {
                envelope.cainfo = sm3_hex(input.get().as_bytes());
                None
            }
            Cainfo::InputSm2 => Some(input.get().to_owned()),
            Cainfo::EnvelopeSm2 => {
                let head = serde_json::to_value(envelope.with(())).map_err(unfit)?;
                Some(canonical(head.as_object().unwrap_or(&Map::new())))
            }
        };
        if let Some(text) = signed {
            envelope.cainfo = self.sign(text.as_bytes())?;
        }
        envelope.check()?;
        let sealed = match self.profile.input {
            InputForm::Object | InputForm::String => None,
            InputForm::Ciphertext => Some(self.encrypt(input.get())?),
        };
        let text = sealed.as_deref().unwrap_or(input.get());
        // A file is as long as it is, and so is a claim for an agency that recomputes.
        let bound = self.profile.national_of(&envelope.infno) != "9101" && !self.profile.claim_in_exp_content;
        if bound {
            optional("input", text, INPUT_LEN_MAX)?;
        }
        let mut letter = Vec::with_capacity(text.len().saturating_add(HEAD_BYTES));
        match self.profile.input {
            InputForm::Object => serde_json::to_writer(&mut letter, &envelope.with(&*input)),
            InputForm::String | InputForm::Ciphertext => {
                serde_json::to_writer(&mut letter, &envelope.with(text))
            }
        }
        .map_err(unfit)?;
        Ok(letter)
    }

    fn sign(&self, text: &[u8]) -> Result<String, FieldFault> {
        let signature = self
            .keys
            .own
            .as_ref()
            .and_then(|key| key.sign(text, self.profile.cainfo_form).ok());
        signature.ok_or(FieldFault {
            field: "cainfo",
            problem: "can't be signed",
        })
    }

    fn encrypt(&self, text: &str) -> Result<String, FieldFault> {
        let key = self.keys.cipher.as_ref().ok_or(FieldFault {
            field: "input",
            problem: "no key to encrypt it",
        })?;
        Ok(key.seal(text.as_bytes()))
    }

    /// Reads a body; opens and checks its output where the keys for it are here.
    pub(crate) fn reply<'a>(&self, body: &'a [u8]) -> Result<Reply<'a>, NotAReply> {
        let mut reply = Reply::parse(body)?;
        let opened = match &reply.output {
            Output::Text(text) if self.profile.input != InputForm::Object => Some(text.clone()),
            Output::Opaque(sealed) => self.decrypt(sealed),
            _ => None,
        };
        if let Some(text) = opened {
            reply.output = Output::Inner(text);
        }
        reply.unchecked = self.profile.reply_signed;
        if let (true, Some(key)) = (self.profile.reply_signed, &self.keys.other) {
            let signed = match &reply.output {
                Output::Nothing => None,
                Output::Object(node) => Some(node.raw()),
                Output::Text(text) | Output::Inner(text) | Output::Opaque(text) => Some(text.as_str()),
            };
            if signed.is_some_and(|text| !key.verifies(text.as_bytes(), &reply.cainfo)) {
                return Err(NotAReply::SignatureWrong);
            }
            // Where there is no output nothing is signed.
            reply.unchecked = signed.is_none();
        }
        reply.gather();
        Ok(reply)
    }

    fn decrypt(&self, sealed: &str) -> Option<String> {
        let plain = self.keys.cipher.as_ref()?.open(sealed)?;
        let text = String::from_utf8(plain).ok()?;
        serde_json::from_str::<&RawValue>(&text).is_ok().then_some(text)
    }

    /// A message at the agency: its signature holds, and its input is the object it stands for, numbers as texts;
    /// null where there is none.
    pub(crate) fn request(&self, body: &[u8]) -> Result<Envelope<Value>, Rejected> {
        let mut fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(body).map_err(|_| Rejected::Unreadable)?;
        let input = fields.remove("input").filter(|raw| raw.get() != "null");
        let head = serde_json::to_string(&fields).ok();
        let head = head.and_then(|head| Node::parse(&head)?.in_texts(DEPTH_MAX));
        let envelope = head.and_then(|head| Envelope::<()>::deserialize(head).ok());
        let envelope = envelope.ok_or(Rejected::Unreadable)?;
        let (text, input) = match input {
            None => (String::new(), Value::Null),
            Some(raw) => self.plain_input(raw).ok_or(Rejected::Input)?,
        };
        let verifies = |text: &str| {
            let key = self.keys.other.as_ref();
            key.is_some_and(|key| key.verifies(text.as_bytes(), &envelope.cainfo))
        };
        let signed = match self.profile.cainfo {
            Cainfo::None => true,
            Cainfo::InputSm3 => envelope.cainfo.eq_ignore_ascii_case(&sm3_hex(text.as_bytes())),
            Cainfo::InputSm2 => verifies(&text),
            Cainfo::EnvelopeSm2 => {
                let fields: Map<String, Value> =
                    serde_json::from_slice(body).map_err(|_| Rejected::Unreadable)?;
                verifies(&canonical(&fields))
            }
        };
        if signed {
            Ok(envelope.with(input))
        } else {
            Err(Rejected::Signature)
        }
    }

    /// The text of an input and what it says. An object may stand as itself or as text, whichever the profile's own
    /// form is; what is to be under a key has to be.
    fn plain_input(&self, raw: &RawValue) -> Option<(String, Value)> {
        let text = match (self.profile.input, serde_json::from_str::<String>(raw.get())) {
            (InputForm::Ciphertext, sealed) => {
                String::from_utf8(self.keys.cipher.as_ref()?.open(&sealed.ok()?)?).ok()?
            }
            (_, Ok(text)) => text,
            (_, Err(_)) => raw.get().to_owned(),
        };
        let input = Node::parse(&text)?.in_texts(DEPTH_MAX)?;
        input.is_object().then_some((text, input))
    }

    /// The agency's reply in the province's form.
    pub(crate) fn answer(&self, mut reply: Map<String, Value>) -> String {
        let output = reply.get("output").filter(|output| !output.is_null());
        if let Some(text) = output.map(Value::to_string) {
            if self.profile.reply_signed
                && let Ok(signature) = self.sign(text.as_bytes())
            {
                reply.insert("cainfo".to_owned(), Value::String(signature));
            }
            let written = match self.profile.input {
                InputForm::Object => None,
                InputForm::String => Some(text),
                InputForm::Ciphertext => self.encrypt(&text).ok(),
            };
            if let Some(written) = written {
                reply.insert("output".to_owned(), Value::String(written));
            }
        }
        for (field, value) in [
            ("signtype", &self.profile.signtype),
            ("enc_type", &self.profile.enc_type),
        ] {
            reply.insert(field.to_owned(), Value::String(value.clone()));
        }
        Value::Object(reply).to_string()
    }
}

/// The envelope's fields but cainfo and input, sorted by name, as `k=v` joined by `&`; null is empty.
fn canonical(fields: &Map<String, Value>) -> String {
    let mut pairs: Vec<(&str, String)> = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "cainfo" | "input"))
        .map(|(name, value)| {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.as_str(), text)
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_envelope_is_signed_over_its_sorted_fields() {
        let fields =
            json!({"msgid": "m", "cainfo": "c", "infno": "1101", "dev_no": null, "input": {"a": 1}, "n": 3});
        assert_eq!(
            canonical(fields.as_object().unwrap()),
            "dev_no=&infno=1101&msgid=m&n=3"
        );
    }
}
