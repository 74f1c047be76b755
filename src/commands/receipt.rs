//! `yijie receipt`: prints or reprints a sale's receipt, to a printer, a file or a PDF, and its settlement statement.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use yijie_hardware::{Paper, PrinterPort};
use yijie_rules::{Packs, Source};

use super::{Failure, OtherAgency, Out, Till, paper};
use crate::books::row::SaleRow;
use crate::{print, slip, statement, typeface};

/// What is asked for.
#[derive(Args)]
pub struct Request {
    /// Sale or message id.
    id: String,
    /// Printer (tcp://HOST:9100, serial port, device) or file for ESC/POS bytes.
    #[arg(long)]
    escpos: Option<String>,
    /// File for the receipt as PDF.
    #[arg(long)]
    pdf: Option<PathBuf>,
    /// File for the settlement statement (结算单) as PDF.
    #[arg(long)]
    statement: Option<PathBuf>,
    /// Width of the paper in millimetres, if not the till's.
    #[arg(long, value_parser = paper())]
    paper: Option<Paper>,
}

/// Prints. A receipt that was handed out before is marked 补打; without any target it goes to the till's printer. A
/// statement that fails keeps no receipt back: it is told after it.
///
/// # Errors
/// [`Failure`]. What failed does not count as handed out.
pub fn run(data: &Path, request: &Request, out: Out) -> Result<(), Failure> {
    let till = Till::open(data, &OtherAgency::default(), out)?;
    let row = super::queue::find(&till, &request.id)?;
    let devices = &till.config.devices;
    let paper = request.paper.unwrap_or(devices.paper);
    let slip = slip::of(&row, &till.config.institution);
    let own_printer = request.pdf.is_none() && request.statement.is_none();
    let printer = match &request.escpos {
        Some(printer) => Some(printer),
        None if own_printer => Some(
            devices
                .printer
                .as_ref()
                .ok_or_else(|| Failure::could_not("PRINTER_NOT_SET", ""))?,
        ),
        None => None,
    };
    let stated = match &request.statement {
        Some(path) => state(&till, &row, path),
        None => Ok(()),
    };
    if stated.is_err() && printer.is_none() && request.pdf.is_none() {
        return stated;
    }
    if let Some(path) = &request.pdf {
        write_pdf(path, slip::to_pdf(&slip, &row, paper))?;
    }
    let row = if let Some(printer) = printer {
        let port = PrinterPort::parse(printer, devices.printer_baud);
        print::print(
            &till.books,
            row,
            &port,
            &slip.to_escpos(paper, typeface::bundled()),
        )?
        .map_err(|e| Failure::could_not(e.code(), printer))?
    } else if request.pdf.is_some() {
        print::note_printed(&till.books, &row)?
    } else {
        row
    };
    let told = json!({
        "sale": row.sale.id, "state": row.word(), "copies": row.copies, "reprint": row.copies > 1,
        "escpos": printer, "pdf": request.pdf,
        "statement": request.statement.as_ref().filter(|_| stated.is_ok()),
    });
    out.print(&told, || match out.lang {
        yijie_rules::Lang::Zh => format!("{}：第 {} 张", row.sale.id, row.copies),
        yijie_rules::Lang::En => format!("{}: copy {}", row.sale.id, row.copies),
    })?;
    stated
}

/// Writes the settlement statement of a sale.
fn state(till: &Till, row: &SaleRow, path: &Path) -> Result<(), Failure> {
    let sheet = statement::of(row, &till.config.institution, &sources(till, row)?);
    write_pdf(path, sheet.to_pdf(typeface::bundled()))
}

fn write_pdf(path: &Path, pdf: Option<Vec<u8>>) -> Result<(), Failure> {
    let pdf = pdf.ok_or_else(|| Failure::could_not("INTERNAL", "pdf"))?;
    std::fs::write(path, pdf)
        .map_err(|e| Failure::could_not("FILE_FAILED", format!("{}: {e}", path.display())))
}

/// The sources of the pack a sale was split by, in the version it was split by: that stands in the books.
fn sources(till: &Till, row: &SaleRow) -> Result<Vec<Source>, Failure> {
    let used = &row.sale.settlement.pack;
    let packs = match till.books.pack(&format!("{}@{}", used.id, used.version))? {
        Some((_, text)) => Packs::of_text(&used.id, &text)
            .map_err(|e| Failure::could_not(e.code(), &e))?
            .list(),
        None => till.sync.packs().list(),
    };
    let found = packs.into_iter().find(|pack| pack.id == used.id);
    Ok(found.map(|pack| pack.sources).unwrap_or_default())
}
