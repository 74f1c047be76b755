//! A serial cable: what devices at serial ports are tested with.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::Running;

pub const LOOKS_MAX: u32 = 1_000;
pub const PAUSE: Duration = Duration::from_millis(10);

/// A serial cable of socat's: two linked pseudo-terminals, one for the program, one for the device.
pub struct Cable {
    pub socat: Running,
    port: PathBuf,
    /// The device's end.
    pub scanner: PathBuf,
}

impl Cable {
    pub fn plug(dir: &Path) -> Cable {
        let (port, scanner) = (dir.join("port"), dir.join("scanner"));
        let end = |path: &Path| format!("PTY,link={},raw,echo=0", path.display());
        let socat = Command::new("socat")
            .args([end(&port), end(&scanner)])
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("socat (Debian package socat): {e}"));
        let socat = Running(socat);
        for _ in 0..LOOKS_MAX {
            if port.exists() && scanner.exists() {
                return Cable { socat, port, scanner };
            }
            thread::sleep(PAUSE);
        }
        panic!("socat makes no pseudo-terminals");
    }

    pub fn port(&self) -> &str {
        self.port.to_str().unwrap()
    }

    pub fn send(&self, bytes: &[u8]) {
        let mut line = fs::File::options().write(true).open(&self.scanner).unwrap();
        line.write_all(bytes).unwrap();
    }

    pub fn scan(&self, code: &str) {
        self.send(format!("{code}\r").as_bytes());
    }
}
