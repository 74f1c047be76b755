//! A scanner in software, for the demo and the tests: a pseudo-terminal that the terminal opens like a real port.

use std::io::{self, Write};

use crate::serial::{Pty, ScannerError, open_pty};

/// A virtual scanner. Dropping it unplugs it.
#[derive(Debug)]
pub struct VirtualScanner {
    pty: Pty,
}

impl VirtualScanner {
    /// Plugs a scanner in, at a new path.
    pub fn open() -> Result<Self, ScannerError> {
        Ok(Self { pty: open_pty()? })
    }

    /// The port at which to open it.
    pub fn path(&self) -> &str {
        &self.pty.path
    }

    /// Scans a code: its text and CR.
    pub fn scan(&mut self, text: &str) -> io::Result<()> {
        self.send(format!("{text}\r").as_bytes())
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pty.master.write_all(bytes)?;
        self.pty.master.flush()
    }
}
