//! One file in a ZIP, as 9101 and 9102 carry it. The only file that names zip.

use std::io::{Cursor, Read, Write};

use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Unpacked files beyond this size are refused.
const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whether a body is a ZIP and not an envelope with an error.
pub(crate) fn is_zip(body: &[u8]) -> bool {
    body.starts_with(b"PK")
}

/// A ZIP that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the ZIP can't be written")]
pub struct NotPacked(#[from] zip::result::ZipError);

/// A ZIP that holds `content` as `name`.
///
/// # Errors
/// What the archive's writer says; memory is its only resource.
pub fn pack(name: &str, content: &[u8]) -> Result<Vec<u8>, NotPacked> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default())?;
    archive.write_all(content).map_err(zip::result::ZipError::from)?;
    Ok(archive.finish()?.into_inner())
}

/// The text of the first file in a ZIP.
///
/// # Errors
/// What is wrong with it. A broken file is an error as a whole: half a list could pass for a list.
pub fn unpack_text(body: &[u8]) -> Result<String, &'static str> {
    String::from_utf8(unpack(body)?).map_err(|_| "the file is not UTF-8")
}

/// The first file in a ZIP.
pub(crate) fn unpack(body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|_| "not a readable ZIP")?;
    let file = archive.by_index(0).map_err(|_| "no file in the ZIP")?;
    let mut bytes = Vec::new();
    file.take(UNPACKED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| "the ZIP is damaged")?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > UNPACKED_BYTES_MAX) {
        return Err("the file is too large");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_damage_is_told() {
        let zip = pack("a.txt", "甲\t1\n".as_bytes()).unwrap();
        assert!(is_zip(&zip));
        assert_eq!(unpack_text(&zip), Ok("甲\t1\n".to_owned()));
        assert_eq!(unpack_text(b"PK and nothing"), Err("not a readable ZIP"));
        assert_eq!(
            unpack_text(&pack("a", b"\xff").unwrap()),
            Err("the file is not UTF-8")
        );
        for cut in 0..zip.len() {
            assert!(unpack_text(&zip[..cut]).is_err(), "{cut}");
        }
    }
}
