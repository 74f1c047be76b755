//! 9101 file upload and 9102 file download (文件上传、文件下载): the lists of the interface travel as files in a ZIP.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    fields::{Checked, FieldFault, required},
    lenient::Node,
    output::Output,
};

/// fixmedins_code of the files that the agency offers to everybody (1301–1319).
pub(crate) const FOR_EVERYBODY: &str = "plc";

/// A file that the agency holds: what 9101 answers, and what 9102 asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTicket {
    /// Number to ask for the file by.
    pub file_qury_no: String,
    /// Its name.
    pub filename: String,
    /// Offered until then, as the agency wrote it; may be empty.
    pub dld_endtime: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct UploadInput {
    #[serde(rename = "fsUploadIn")]
    pub(crate) upload: UploadData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct UploadData {
    /// The file's bytes in Base64; an array of numbers is read too.
    #[serde(rename = "in", deserialize_with = "content_as_base64")]
    pub(crate) content: String,
    pub(crate) filename: String,
    pub(crate) fixmedins_code: String,
}

impl UploadData {
    pub(crate) fn of(content: &[u8], filename: &str, fixmedins_code: &str) -> UploadData {
        UploadData {
            content: BASE64_STANDARD.encode(content),
            filename: filename.to_owned(),
            fixmedins_code: fixmedins_code.to_owned(),
        }
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, FieldFault> {
        BASE64_STANDARD.decode(&self.content).map_err(|_| FieldFault {
            field: "in",
            problem: "not Base64",
        })
    }
}

fn content_as_base64<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        // Numbers arrive as texts.
        Bytes(Vec<String>),
    }
    match Content::deserialize(from)? {
        Content::Text(text) => Ok(text),
        Content::Bytes(bytes) => {
            let bytes: Result<Vec<u8>, _> = bytes.iter().map(|byte| byte.parse()).collect();
            Ok(BASE64_STANDARD.encode(bytes.map_err(D::Error::custom)?))
        }
    }
}

impl Checked for UploadInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("in", &self.upload.content, usize::MAX)?;
        required("filename", &self.upload.filename, 200)?;
        required("fixmedins_code", &self.upload.fixmedins_code, 30)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DownloadInput {
    #[serde(rename = "fsDownloadIn")]
    pub(crate) download: DownloadData,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct DownloadData {
    pub(crate) file_qury_no: String,
    pub(crate) filename: String,
    pub(crate) fixmedins_code: String,
}

impl Checked for DownloadInput {
    fn check(&self) -> Result<(), FieldFault> {
        required("file_qury_no", &self.download.file_qury_no, 30)?;
        required("filename", &self.download.filename, 200)?;
        required("fixmedins_code", &self.download.fixmedins_code, 30)
    }
}

/// Reads a ticket that hangs under `output`, or under the node of that name (3202, the catalogue downloads).
pub(crate) fn read_ticket(output: &Output<'_>) -> Option<FileTicket> {
    let around = output.with_any(&["fileinfo", "file_qury_no"])?;
    let node = around.get("fileinfo").and_then(Node::fields).unwrap_or(around);
    let file_qury_no = node.id("file_qury_no");
    (!file_qury_no.is_empty()).then(|| FileTicket {
        file_qury_no,
        filename: node.text("filename"),
        dld_endtime: node.text("dld_endtime"),
    })
}
