//! Receipts on their way to paper.

use super::Runtime;
use crate::books::row::SaleRow;
use crate::clock;
use crate::desk::Event;
use crate::print::Printed;
use crate::record::Record;

impl Runtime {
    /// Wanted in the journal first, so that a receipt the printer does not take now is not forgotten.
    pub(super) fn want_print(&self, row: &SaleRow) {
        if self.printing.port().is_none() {
            return self.tell(Event::Printed(Err("PRINTER_NOT_SET".to_owned())));
        }
        let record = Record::PrintWanted {
            sale: row.sale.id.clone(),
        };
        match self.books.append(&record, clock::now_ms()) {
            Ok(_) => self.print_waiting(),
            Err(error) => self.fault(&error),
        }
    }

    /// Prints what waits for paper.
    pub(super) fn print_waiting(&self) {
        if self.printing.port().is_none() {
            return;
        }
        let this = self.clone();
        self.tasks.spawn_blocking(move || {
            let institution = this
                .setup
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .institution
                .clone();
            let worked = this
                .printing
                .work(&this.books, &institution, |printed| match printed {
                    Printed::Done(row) => {
                        this.tell(Event::SaleMoved(row));
                        this.tell(Event::Printed(Ok(())));
                    }
                    Printed::Failed(error) => this.tell(Event::Printed(Err(error.code().to_owned()))),
                });
            match worked.and_then(|()| this.books.prints()) {
                Ok(waiting) => this.tell(Event::PrintsWaiting(waiting.len())),
                Err(error) => this.fault(&error),
            }
        });
    }
}
