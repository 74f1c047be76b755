//! The files that 9101 brought and 9102 serves: kept under `files/` of the sandbox's data directory, by number.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{
    clock::{beijing_now, compact_time},
    messages::files::FileTicket,
};

const DAYS_OFFERED: i64 = 7;

/// See the module.
pub(crate) struct Files {
    dir: PathBuf,
    serial: u64,
}

/// A file and its name.
pub(crate) struct Found {
    pub(crate) filename: String,
    pub(crate) content: Vec<u8>,
}

impl Files {
    pub(crate) fn new(data: &Path) -> Files {
        Files {
            dir: data.join("files"),
            serial: 0,
        }
    }

    /// Keeps an institution's file; what is answered is on disk.
    pub(crate) fn keep(
        &mut self,
        filename: &str,
        content: &[u8],
        institution: &str,
    ) -> io::Result<FileTicket> {
        fs::create_dir_all(&self.dir)?;
        let now = beijing_now();
        let file_qury_no = loop {
            self.serial += 1;
            let number = format!("F{}{:08}", compact_time(now), self.serial);
            if !self.dir.join(&number).exists() {
                break number;
            }
        };
        let ticket = FileTicket {
            dld_endtime: crate::clock::wire_time(now.saturating_add(jiff::Span::new().days(DAYS_OFFERED))),
            filename: filename.to_owned(),
            file_qury_no,
        };
        fs::write(self.dir.join(&ticket.file_qury_no), content)?;
        let name = format!("{filename}\n{institution}\n{}", ticket.dld_endtime);
        fs::write(self.dir.join(format!("{}.name", ticket.file_qury_no)), name)?;
        Ok(ticket)
    }

    /// The rule packs that the agency offers: `rule_packs.zip` beside the ledger, if somebody put it there.
    pub(crate) fn packs(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.dir.with_file_name("rule_packs.zip")) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file by its number; None: this institution has none, or none any more.
    pub(crate) fn find(&self, file_qury_no: &str, institution: &str) -> io::Result<Option<Found>> {
        // The number becomes a file name: nothing else may be reached through it.
        if !file_qury_no.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let name = match fs::read_to_string(self.dir.join(format!("{file_qury_no}.name"))) {
            Ok(name) => name,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut lines = name.lines();
        let (filename, owner, endtime) = (lines.next(), lines.next(), lines.next());
        let now = crate::clock::wire_time(beijing_now());
        if owner != Some(institution) || endtime.is_none_or(|endtime| endtime <= now.as_str()) {
            return Ok(None);
        }
        Ok(Some(Found {
            filename: filename.unwrap_or_default().to_owned(),
            content: fs::read(self.dir.join(file_qury_no))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_number_until_its_end_by_whose_it_is_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        let mut files = Files::new(dir.path());
        let ticket = files.keep("a.txt.zip", b"abc", "H1").unwrap();
        let other = Files::new(dir.path()).keep("b", b"x", "H1").unwrap();
        assert_ne!(ticket.file_qury_no, other.file_qury_no);
        assert!(ticket.file_qury_no.len() <= 30);
        let found = |number: &str, institution: &str| {
            let found = files.find(number, institution).unwrap();
            found.map(|found| (found.filename, found.content))
        };
        let whole = Some(("a.txt.zip".to_owned(), b"abc".to_vec()));
        let day = 24 * 60 * 60;
        assert_eq!(found(&ticket.file_qury_no, "H1"), whole);
        assert_eq!(found(&ticket.file_qury_no, "H2"), None);
        let later = |days: i64| crate::clock::ahead(days * day, || found(&ticket.file_qury_no, "H1"));
        assert_eq!((later(DAYS_OFFERED - 1), later(DAYS_OFFERED + 1)), (whole, None));
        assert_eq!(found("F1", "H1"), None);
        assert_eq!(found("../secret", "H1"), None);
    }
}
