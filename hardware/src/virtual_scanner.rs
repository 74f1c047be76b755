//! A scanner in software, for the demo and the tests: a pseudo-terminal that the terminal opens like a real port.

use std::io::{self, Read, Write};

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

    /// What the terminal has sent to the port meanwhile; waits a moment for it.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        match self.pty.master.read(&mut bytes) {
            Ok(length) => {
                bytes.truncate(length);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
