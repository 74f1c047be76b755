//! The till of the simulation: real books on a disk that can lose power, real sync over the simulated network.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;
use yijie_agency::{Client, ClientSettings, InstitutionId, Operator};
use yijie_offline_cache::SimulatedDisk;
use yijie_rules::Packs;

use super::SimulateError;
use super::net::{ANSWER_WAIT, Net};
use super::world::Event;
use crate::books::Books;
use crate::sync::Sync;

pub(super) const INSTITUTION: &str = "H53010200001";

/// A running till.
pub(super) struct Till {
    pub(super) books: Arc<Books>,
    pub(super) sync: Arc<Sync>,
    pub(super) disk: SimulatedDisk,
    /// What it is doing.
    pub(super) tasks: JoinSet<Event>,
    pub(super) draining: bool,
    data: PathBuf,
}

/// How a till ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// kill −9: what it wrote is in the system's hands.
    Kill,
    /// The power goes: of what was not flushed anything may be left.
    PowerCut,
}

impl Till {
    /// Starts it over a data directory, on this disk.
    pub(super) fn start(
        data: &Path,
        disk: SimulatedDisk,
        net: &Net,
        packs: &Arc<Packs>,
    ) -> Result<Till, SimulateError> {
        let (books, _) = Books::open_on(Arc::new(disk.clone()), data, INSTITUTION, 0)?;
        let books = Arc::new(books);
        let client = client(net, books.msgids());
        Ok(Till {
            sync: Arc::new(Sync::new(books.clone(), client, packs.clone())),
            books,
            disk,
            tasks: JoinSet::new(),
            draining: false,
            data: data.to_owned(),
        })
    }

    /// Ends it in the middle of whatever it is doing; the disk it leaves behind.
    pub(super) async fn crash(
        mut self,
        how: Crash,
        dice: &mut fastrand::Rng,
    ) -> Result<SimulatedDisk, SimulateError> {
        self.tasks.shutdown().await;
        let Till {
            books,
            sync,
            disk,
            data,
            ..
        } = self;
        drop(sync);
        // Tasks of tasks end a moment later than those that began them.
        while Arc::strong_count(&books) > 1 {
            tokio::task::yield_now().await;
        }
        if let Some(books) = Arc::into_inner(books) {
            books.kill();
        }
        if how == Crash::Kill && !disk.is_dead() {
            disk.calm();
            return Ok(disk);
        }
        let failed = |source| SimulateError::Directory {
            dir: data.clone(),
            source,
        };
        disk.left_after_cut(&data, &data, &mut |ways| dice.usize(..ways.max(1)))
            .map_err(failed)?;
        match dice.u8(..8) {
            // Nothing of the store outlives it, or not all.
            0 => fs::remove_dir_all(data.join("store")).map_err(failed)?,
            1 => cut_in_half(&data.join("store").join("db")).map_err(failed)?,
            _ => {}
        }
        SimulatedDisk::holding(&data).map_err(failed)
    }
}

fn cut_in_half(file: &Path) -> std::io::Result<()> {
    let open = fs::OpenOptions::new().write(true).open(file)?;
    open.set_len(open.metadata()?.len() / 2)
}

/// A client of the agency over the simulated network.
pub(super) fn client(net: &Net, msgids: Arc<yijie_agency::MsgIds>) -> Client {
    let settings = ClientSettings {
        url: String::new(),
        tls_dir: PathBuf::new(),
        institution: InstitutionId {
            code: INSTITUTION.to_owned(),
            name: "simulated".to_owned(),
            admdvs: "530100".to_owned(),
        },
        operator: Operator {
            id: "001".to_owned(),
            name: "simulated".to_owned(),
            kind: "1".to_owned(),
        },
        dev_no: String::new(),
        profile: net.profile(),
        timeout: ANSWER_WAIT,
        connect_timeout: ANSWER_WAIT,
        msgids,
    };
    Client::within(settings, Arc::new(net.clone()))
}
