//! Receipts on their way to paper. The journal says which are wanted; they are printed in order, and tried again until
//! the printer takes them, after a restart too. No sale waits for any of this.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use yijie_hardware::{Paper, PrinterError, PrinterPort};

use crate::books::row::SaleRow;
use crate::books::{Books, BooksError};
use crate::config::{self, Institution};
use crate::record::Record;
use crate::{clock, slip, typeface};

/// Pause before a printer that failed is tried again.
const RETRY_PAUSE_MS: i64 = 5_000;

/// The printer of a till, and whether it is at work.
#[derive(Debug)]
pub struct Printing {
    port: Option<PrinterPort>,
    paper: Paper,
    busy: AtomicBool,
    asked_again: AtomicBool,
    /// When it failed last; 0 if the last receipt was printed.
    failed_ms: AtomicI64,
}

/// What came of one receipt.
#[derive(Debug)]
pub enum Printed {
    /// It is on paper, and the journal says so: the sale as it stands now.
    Done(Box<SaleRow>),
    /// It still waits.
    Failed(PrinterError),
}

impl Printing {
    /// The printer that the settings name.
    #[must_use]
    pub fn of(settings: &config::Devices) -> Printing {
        let port = settings.printer.as_deref();
        Printing {
            port: port.map(|port| PrinterPort::parse(port, settings.printer_baud)),
            paper: settings.paper,
            busy: AtomicBool::new(false),
            asked_again: AtomicBool::new(false),
            failed_ms: AtomicI64::new(0),
        }
    }

    /// Where the printer is, if there is one.
    #[must_use]
    pub fn port(&self) -> Option<&PrinterPort> {
        self.port.as_ref()
    }

    /// Does something else with the printer while no receipt is on its way; nothing without a printer, or while it
    /// is at work.
    pub fn between<T>(&self, work: impl FnOnce(&PrinterPort, Paper) -> T) -> Option<T> {
        let port = self.port.as_ref()?;
        if self.busy.swap(true, Ordering::AcqRel) {
            return None;
        }
        let done = work(port, self.paper);
        self.busy.store(false, Ordering::Release);
        Some(done)
    }

    /// Whether what failed is to be tried again by now.
    #[must_use]
    pub fn due(&self, now_ms: i64) -> bool {
        let failed_ms = self.failed_ms.load(Ordering::Acquire);
        failed_ms != 0 && now_ms - failed_ms >= RETRY_PAUSE_MS
    }

    /// Prints what waits, oldest first, until nothing does or the printer fails. Where this runs already, that run
    /// sees to what was wanted meanwhile.
    ///
    /// # Errors
    /// [`BooksError`] if what waits cannot be read or what was printed cannot be written.
    pub fn work(
        &self,
        books: &Books,
        institution: &Institution,
        mut tell: impl FnMut(Printed),
    ) -> Result<(), BooksError> {
        if self.busy.swap(true, Ordering::AcqRel) {
            self.asked_again.store(true, Ordering::Release);
            return Ok(());
        }
        loop {
            self.asked_again.store(false, Ordering::Release);
            let done = self.pass(books, institution, &mut tell);
            self.busy.store(false, Ordering::Release);
            if done.is_err()
                || !self.asked_again.load(Ordering::Acquire)
                || self.busy.swap(true, Ordering::AcqRel)
            {
                return done;
            }
        }
    }

    fn pass(
        &self,
        books: &Books,
        institution: &Institution,
        tell: &mut impl FnMut(Printed),
    ) -> Result<(), BooksError> {
        self.failed_ms.store(0, Ordering::Release);
        for row in books.prints()? {
            let Some(port) = &self.port else { return Ok(()) };
            let slip = slip::of(&row, institution).to_escpos(self.paper, typeface::bundled());
            match print(books, row, port, &slip)? {
                Ok(row) => tell(Printed::Done(Box::new(row))),
                Err(error) => {
                    self.failed_ms.store(clock::now_ms(), Ordering::Release);
                    tell(Printed::Failed(error));
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Prints a sale's receipt and gives the sale as it stands then. That its bytes leave is journalled before they do: should
/// the till or the printer stop half-way, the next receipt says that it may be the second.
///
/// # Errors
/// [`BooksError`] if that cannot be journalled; the inner one if the printer does not take it.
pub fn print(
    books: &Books,
    row: SaleRow,
    port: &PrinterPort,
    slip: &[u8],
) -> Result<Result<SaleRow, PrinterError>, BooksError> {
    let ready = match port.ready() {
        Ok(ready) => ready,
        Err(error) => return Ok(Err(error)),
    };
    if !row.printing {
        let sale = row.sale.id.clone();
        books.append(&Record::Printing { sale }, clock::now_ms())?;
    }
    Ok(match ready.print(slip) {
        Ok(()) => Ok(note_printed(books, &row)?),
        Err(error) => Err(error),
    })
}

/// Journals that a receipt of this sale was handed out, and gives the sale as it stands then.
///
/// # Errors
/// [`BooksError`] if it cannot be written.
pub fn note_printed(books: &Books, row: &SaleRow) -> Result<SaleRow, BooksError> {
    let record = Record::Printed {
        sale: row.sale.id.clone(),
        copies_before: row.copies,
    };
    books.append(&record, clock::now_ms())?;
    books.sale(&row.sale.id)?.ok_or(BooksError::NoSuchSale)
}
