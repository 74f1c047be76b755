//! `yijie scan`: what a serial scanner reads, classified.

use std::path::Path;
use std::sync::mpsc;

use clap::Args;
use yijie_hardware::{Scan, ScannerEvent, ScannerSettings, watch_scanner};

use super::{Failure, Out};
use crate::config::{self, ConfigError};

/// Where and how long to listen.
#[derive(Args)]
pub struct Listen {
    /// Serial port.
    #[arg(long)]
    port: String,
    /// Speed.
    #[arg(long, default_value_t = 9600)]
    baud: u32,
    /// End after this many.
    #[arg(long)]
    count: Option<u64>,
}

/// Prints scans until enough were read, or for ever; by the rules for trace codes of a till, if one is given.
///
/// # Errors
/// [`Failure`] if the till's settings cannot be read, or the port cannot be opened or goes away.
pub fn run(listen: &Listen, till: Option<&Path>, out: Out) -> Result<(), Failure> {
    let (events, news) = mpsc::channel();
    let mut settings = ScannerSettings::at(&listen.port);
    settings.baud = listen.baud;
    if let Some(data) = till {
        match config::load(data) {
            Ok(config) => settings.trace_codes = config.devices.trace_codes,
            Err(ConfigError::NotPrepared(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let watch = watch_scanner(settings, move |event| drop(events.send(event)))
        .map_err(|e| Failure::could_not(e.code(), &e))?;
    let mut read = 0;
    while listen.count.is_none_or(|count| read < count) {
        match news.recv() {
            Ok(ScannerEvent::Scanned(scan)) => {
                read += 1;
                out.line(if out.json {
                    serde_json::to_string(&scan).map_err(|e| Failure::could_not("INTERNAL", e))?
                } else {
                    words(&scan)
                })?;
            }
            Ok(ScannerEvent::Garbage) => Failure::could_not("SCANNER_GARBAGE", "").report(out),
            Ok(ScannerEvent::Opened) => {}
            Ok(ScannerEvent::Lost { error }) => return Err(Failure::could_not(error.code(), &error)),
            Err(_) => break,
        }
    }
    drop(watch);
    Ok(())
}

fn words(scan: &Scan) -> String {
    format!("{:<15} {}", scan.kind.word(), scan.text)
}
