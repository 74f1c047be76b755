//! A till that serves other programs of the machine, and what they ask it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use super::{Running, Shop, serve};

/// A till that serves.
pub struct Served {
    process: Running,
    address: String,
    pub token: String,
}

impl Served {
    pub fn start(shop: &Shop) -> Served {
        let command = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
        let (process, line, _) = serve(command, &shop.dir.path().join("serve.err"));
        let address = line.strip_prefix("listening on http://").unwrap().to_owned();
        let file = shop.data.join("serve.token");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let token = fs::read_to_string(file).unwrap();
        Served {
            process,
            address,
            token,
        }
    }

    pub fn ask_as(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let mut line = TcpStream::connect(&self.address).unwrap();
        write!(
            line,
            "{method} {path} HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).unwrap();
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer[head + 4..].to_vec())
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, answer) = self.ask_as(&self.token, method, path, &body);
        (status, serde_json::from_slice(&answer).unwrap())
    }

    /// SIGTERM, and a clean end.
    pub fn stop(mut self) {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.process.end().code(), Some(0));
    }
}
