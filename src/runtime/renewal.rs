//! Rule packs that come while the counter works: a bundle installed beside the open window, or one whose first day has
//! come, is settled by from the next change of the bill on, and that is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::civil::Date;
use yijie_agency::Answer;
use yijie_rules::Packs;

use super::Runtime;
use crate::books::{Books, BooksError};
use crate::bundle::BundleError;
use crate::bundle::shelf::Shelf;
use crate::clock;
use crate::commands::{Failure, Out, Till, packs};
use crate::config::Config;
use crate::desk::{Event, Level, Notice};

/// Where new packs would come from, and what was there when it was looked at last.
#[derive(Debug)]
pub struct Renewal {
    data: PathBuf,
    config: Config,
    out: Out,
    seen: Mutex<(Option<SystemTime>, Date)>,
}

impl Renewal {
    /// Of a till that was opened just now.
    #[must_use]
    pub fn of(till: &Till, out: Out) -> Renewal {
        Renewal {
            data: till.data.clone(),
            config: till.config.clone(),
            out,
            seen: Mutex::new((Shelf::of(&till.data).changed_at(), today())),
        }
    }

    /// Whether a bundle has come, or a day that one may begin on, since this was asked last.
    pub(crate) fn due(&self) -> bool {
        let now = (Shelf::of(&self.data).changed_at(), today());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, now) != now
    }

    /// What is settled by from now on; in the journal first.
    pub(crate) fn read(&self, books: &Books) -> Result<Packs, Failure> {
        packs::renew(books, &self.data, &self.config, self.out)
    }
}

impl Runtime {
    /// Takes new packs up, if there are any: into the journal first, then to whatever settles by them.
    pub(super) fn renew_packs(&self) {
        if !self.renewal.due() {
            return;
        }
        let this = self.clone();
        self.tasks.spawn_blocking(move || {
            let read = this.renewal.read(&this.books);
            let told = read.and_then(|packs| Ok((in_use_since(&this.books, &packs)?, packs)));
            match told {
                Ok((since, packs)) => this.settle_by(Arc::new(packs), since),
                Err(failure) => {
                    let notice = Notice::new(Level::Error, &failure.code).about(failure.detail);
                    this.tell(Event::Told(notice));
                }
            }
        });
    }

    /// Asks the agency for newer packs where a key is pinned to check them by; they are taken up as any that come. That
    /// none is offered, or no answer comes, is nothing to be told.
    pub(super) async fn fetch_packs(&self) {
        let data = &self.renewal.data;
        let shelf = Shelf::of(data);
        if shelf.key().is_err() {
            return;
        }
        let Answer::Done(text) = self.sync.client().rule_packs().await else {
            return;
        };
        match shelf.install(&text, None, today()) {
            Ok(_) | Err(BundleError::NotNewer { .. }) => {}
            Err(error) => {
                let notice = Notice::new(Level::Error, error.code()).about(error.to_string());
                self.tell(Event::Told(notice));
            }
        }
    }

    fn settle_by(&self, packs: Arc<Packs>, since: BTreeMap<String, i64>) {
        let names = |packs: &Packs| -> Vec<String> {
            let named = packs
                .iter()
                .map(|pack| format!("{} {}", pack.id(), pack.version()));
            named.collect()
        };
        let renewed = {
            let mut setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
            let before = names(&setup.packs);
            let new: Vec<String> = names(&packs)
                .into_iter()
                .filter(|name| !before.contains(name))
                .collect();
            if new.is_empty() {
                return;
            }
            setup.packs = packs.clone();
            setup.packs_since = Arc::new(since);
            (setup.clone(), new.join(", "))
        };
        self.sync.settle_by(packs);
        self.tell(Event::SetupRead(renewed.0));
        self.tell(Event::Told(
            Notice::new(Level::Info, "PACKS_RENEWED").about(renewed.1),
        ));
    }
}

fn today() -> Date {
    clock::today(clock::now_ms())
}

/// Since when the till has had each pack.
///
/// # Errors
/// [`BooksError`] if the books cannot be read.
pub fn in_use_since(books: &Books, packs: &Packs) -> Result<BTreeMap<String, i64>, BooksError> {
    let mut since = BTreeMap::new();
    for pack in packs.iter() {
        if let Some((since_ms, _)) = books.pack(&format!("{}@{}", pack.id(), pack.version()))? {
            since.insert(pack.id().to_owned(), since_ms);
        }
    }
    Ok(since)
}
