//! Tries the devices: a card read, a page printed, the drawer opened, the agency asked, the disk written; and looks at
//! those that tell nothing by themselves.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use yijie_agency::Answer;
use yijie_hardware::{OnDisplay, Shown, Slip, check_module, read_in_reader};
use yijie_offline_cache::free_bytes;

use crate::desk::Event;
use crate::desk::devices::{Device, Looked, Told};
use crate::print::Printing;
use crate::sync::Sync;
use crate::{clock, config, typeface};

/// Longest wait for a card's answer.
const READ_WAIT: Duration = Duration::from_secs(5);
/// Pause before a customer display that failed is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(3);
/// Written, flushed and removed again where the journal is.
const TRIAL_FILE: &str = "disk.trial";

/// What trying devices takes.
#[derive(Debug)]
pub struct Workbench {
    fitted: config::Devices,
    data: PathBuf,
    /// What the customer display is to show; absent without one.
    display: Option<Sender<OnDisplay>>,
}

impl Workbench {
    /// The devices that the settings name, of a till in this data directory. What comes of showing something to the
    /// customer is told as an event.
    #[must_use]
    pub fn of(fitted: &config::Devices, data: &Path, events: &Sender<Event>) -> Workbench {
        let display = fitted.display.clone().map(|port| {
            let (to, wanted) = mpsc::channel();
            let (baud, events) = (fitted.display_baud, events.clone());
            std::thread::spawn(move || keep_shown(&port, baud, &wanted, &events));
            // What an earlier run left on it goes.
            drop(to.send(OnDisplay::Nothing));
            to
        });
        Workbench {
            fitted: fitted.clone(),
            data: data.to_owned(),
            display,
        }
    }

    /// Shows it on the customer display.
    pub fn show(&self, shown: OnDisplay) {
        if let Some(display) = &self.display {
            // Its thread ends with the events' loop, and the till with it.
            drop(display.send(shown));
        }
    }

    /// Looks at what tells nothing by itself.
    #[must_use]
    pub fn look(&self, printing: &Printing) -> Looked {
        let code = |error: &'static str| error.to_owned();
        Looked {
            printer: printing
                .between(|port, _| port.ready().map(drop))
                .map(|seen| seen.map_err(|error| code(error.code()))),
            module: self
                .fitted
                .psam
                .as_deref()
                .map(|reader| check_module(reader).map_err(|error| code(error.code()))),
            free_bytes: free_bytes(&self.data).map_err(|_| code("DISK_ERROR")),
        }
    }

    /// Tries a device that answers at once: figures of it in no language, or the stable code of why not.
    ///
    /// # Errors
    /// The code.
    pub fn test(&self, device: &Device, printing: &Printing) -> Result<String, String> {
        let begin = Instant::now();
        let took = || format!("{} ms", begin.elapsed().as_millis());
        let at_work = || Err("PRINTER_AT_WORK".to_owned());
        match device {
            Device::Reader(name) => {
                let shown = Shown {
                    pin: None,
                    psam: self.fitted.psam.clone(),
                };
                let name = Some(name.as_str()).filter(|name| !name.is_empty());
                let card = read_in_reader(name, &shown, READ_WAIT).map_err(|e| e.code().to_owned())?;
                Ok(format!("{} · {} · {}", card.version, card.region_code, took()))
            }
            Device::Module => {
                let reader = self.fitted.psam.as_deref().unwrap_or_default();
                check_module(reader).map_err(|e| e.code().to_owned())?;
                Ok(took())
            }
            Device::Printer => printing
                .between(|port, paper| port.send(&page().to_escpos(paper, typeface::bundled())))
                .map_or_else(at_work, |sent| {
                    sent.map(|()| took()).map_err(|e| e.code().to_owned())
                }),
            Device::Drawer => printing
                .between(|port, _| port.open_drawer())
                .map_or_else(at_work, |sent| {
                    sent.map(|()| took()).map_err(|e| e.code().to_owned())
                }),
            Device::Disk => write_trial(&self.data)
                .and_then(|()| free_bytes(&self.data))
                .map(|free| format!("{} MiB · {}", free >> 20, took()))
                .map_err(|_| "DISK_ERROR".to_owned()),
            // These tell by themselves.
            Device::Scanner | Device::IdReader | Device::Display | Device::Agency => Ok(String::new()),
        }
    }

    /// Asks the agency the cheapest question.
    ///
    /// # Errors
    /// The code of why it did not answer.
    pub async fn ask_agency(&self, sync: &Sync) -> Result<String, String> {
        let begin = Instant::now();
        let answer = sync.client().lost_cards().await;
        sync.heard(&answer);
        match answer {
            Answer::Done(_) => Ok(format!("{} ms", begin.elapsed().as_millis())),
            Answer::Refused(_) => Err("AGENCY_REFUSED".to_owned()),
            Answer::NotSent(cause) | Answer::Unknown(cause) => Err(cause.code().to_owned()),
        }
    }
}

/// What a printer must be able to print: Chinese, characters beyond its own, both columns, a QR code.
fn page() -> Slip {
    Slip::new()
        .title("打印测试")
        .centred(clock::stamp(clock::now_ms()))
        .rule()
        .pair("中文 Latin 0123456789", "¥ 1,234.56")
        .pair("生僻字", "㐂𠮷䶮")
        .bold_pair("加粗", "右对齐")
        .rule()
        .mark("测试页，不作凭证")
        .qr("YIJIE-TEST")
}

/// A disk that takes a file and says that it is durable.
fn write_trial(data: &Path) -> std::io::Result<()> {
    let path = data.join(TRIAL_FILE);
    let mut file = File::create(&path)?;
    file.write_all(&[0x5A; 4096])?;
    file.sync_all()?;
    std::fs::remove_file(&path)
}

/// Keeps the latest thing on the customer display: what fails is shown again until it stands or something newer is to
/// be shown.
fn keep_shown(port: &str, baud: u32, wanted: &mpsc::Receiver<OnDisplay>, events: &Sender<Event>) {
    let mut failed: Option<OnDisplay> = None;
    loop {
        let next = match &failed {
            None => wanted.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => wanted.recv_timeout(RETRY_PAUSE),
        };
        let next = match next {
            Ok(next) => wanted.try_iter().last().unwrap_or(next),
            Err(RecvTimeoutError::Timeout) => failed.take().unwrap_or_default(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let sent = next.send(port, baud).map_err(|error| display_code(error.code()));
        failed = sent.is_err().then_some(next);
        if events.send(Told::Displayed(sent).into()).is_err() {
            return;
        }
    }
}

/// The display has the printers' faults, and words of its own for them.
fn display_code(code: &str) -> String {
    match code {
        "PRINTER_MISSING" => "DISPLAY_MISSING",
        _ => "DISPLAY_FAILED",
    }
    .to_owned()
}
