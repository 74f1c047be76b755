//! `yijie init`: prepares a data directory: settings, TLS files, keys, the first operator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use yijie_agency::{Keys, MsgIds, Profile};
use yijie_hardware::Paper;

use crate::books::Books;
use crate::clock;
use crate::commands::{Failure, Out, catalogue, paper, pin_from_stdin};
use crate::config::{self, Agency, Config, Devices, Institution};
use crate::operators::{Operator, Role};
use crate::record::Record;

/// What a new till is told on the command line.
#[derive(Args)]
pub struct Init {
    /// Address of the agency.
    #[arg(long)]
    agency: String,
    /// Directory with ca.pem, client.pem and client.key, and the keys the profile asks for.
    #[arg(long)]
    tls: PathBuf,
    /// Province profile: a name, or the path of a TOML file.
    #[arg(long, default_value = "plain")]
    profile: String,
    /// Institution code.
    #[arg(long)]
    fixmedins: String,
    /// Institution name; the code if absent.
    #[arg(long)]
    name: Option<String>,
    /// Level of a medical institution, 1 to 3.
    #[arg(long)]
    level: Option<String>,
    /// Administrative division.
    #[arg(long, default_value = "530100")]
    area: String,
    /// Number of the first operator, a supervisor.
    #[arg(long)]
    operator: String,
    /// The operator's name; the number if absent.
    #[arg(long)]
    operator_name: Option<String>,
    /// Read the PIN from standard input.
    #[arg(long, required = true)]
    pin_stdin: bool,
    /// Card reader, if not any.
    #[arg(long)]
    reader: Option<String>,
    /// Reader with the security module (PSAM) that 3.0 cards ask for.
    #[arg(long)]
    psam: Option<String>,
    /// Serial port of the scanner.
    #[arg(long)]
    scanner: Option<String>,
    /// Serial port of the identity-card reader.
    #[arg(long)]
    id_reader: Option<String>,
    /// Serial port of the customer display (LED8).
    #[arg(long)]
    display: Option<String>,
    /// Where receipts go: tcp://HOST:9100, a serial port, a device such as /dev/usb/lp0, or a file.
    #[arg(long)]
    printer: Option<String>,
    /// Width of the receipt printer's paper in millimetres.
    #[arg(long, default_value = "80", value_parser = paper())]
    paper: Paper,
    /// Price list in CSV.
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// Number of the till, 0 to 9.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=9))]
    till: u8,
    /// Fill what no document publishes with made-up figures, to show every benefit. Never where people are settled for.
    #[arg(long)]
    sandbox_figures: bool,
}

impl Init {
    fn till(self) -> Result<NewTill, Failure> {
        let kind = if self.fixmedins.starts_with('P') { "2" } else { "1" };
        let level = self.level.or_else(|| (kind == "1").then(|| "1".to_owned()));
        Ok(NewTill {
            institution: Institution {
                name: self.name.unwrap_or_else(|| self.fixmedins.clone()),
                code: self.fixmedins,
                kind: kind.to_owned(),
                level,
                area: self.area,
            },
            agency: self.agency,
            tls: self.tls,
            operator_name: self.operator_name.unwrap_or_else(|| self.operator.clone()),
            operator: self.operator,
            pin: pin_from_stdin()?,
            devices: Devices {
                reader: self.reader,
                psam: self.psam,
                scanner: self.scanner,
                id_reader: self.id_reader,
                display: self.display,
                printer: self.printer,
                paper: self.paper,
                ..Devices::default()
            },
            catalogue: self.catalogue,
            till: self.till,
            sandbox_figures: self.sandbox_figures,
            profile: self.profile,
        })
    }
}

/// What a new till is told.
pub struct NewTill {
    /// The institution.
    pub institution: Institution,
    /// Address of the agency.
    pub agency: String,
    /// Directory with ca.pem, client.pem and client.key.
    pub tls: PathBuf,
    /// First operator, a supervisor.
    pub operator: String,
    /// Name on screen and receipt.
    pub operator_name: String,
    /// The operator's PIN.
    pub pin: String,
    /// Devices.
    pub devices: Devices,
    /// Price list in CSV.
    pub catalogue: Option<PathBuf>,
    /// Number of the till.
    pub till: u8,
    /// Whether made-up figures fill what is not published.
    pub sandbox_figures: bool,
    /// Province profile.
    pub profile: String,
}

/// Prepares `data`.
///
/// # Errors
/// [`Failure`]; a directory in use is refused and nothing in it is changed.
pub fn run(data: &Path, new: Init, out: Out) -> Result<(), Failure> {
    let new = new.till()?;
    prepare(data, &new)?;
    let told = serde_json::json!({
        "data": data.display().to_string(), "institution": new.institution.code, "operator": new.operator,
    });
    out.print(&told, || match out.lang {
        yijie_rules::Lang::Zh => format!("已准备：{}（机构 {}）", data.display(), new.institution.code),
        yijie_rules::Lang::En => format!(
            "prepared: {} (institution {})",
            data.display(),
            new.institution.code
        ),
    })
}

/// A profile's file is found again from wherever the till is started.
fn in_full(profile: &str) -> String {
    let place = Profile::is_file(profile).then(|| std::path::absolute(profile).ok());
    let place = place.flatten().map(|place| place.display().to_string());
    place.unwrap_or_else(|| profile.to_owned())
}

/// The same without output.
///
/// # Errors
/// [`Failure`].
pub fn prepare(data: &Path, new: &NewTill) -> Result<(), Failure> {
    let operator = Operator::new(&new.operator, &new.operator_name, Role::Supervisor, &new.pin)
        .map_err(|e| Failure::input(e.code(), &e))?;
    let items = new.catalogue.as_deref().map(catalogue::read).transpose()?;
    let settings = Config {
        institution: new.institution.clone(),
        agency: Agency {
            url: new.agency.clone(),
            answer_s_max: 20,
            profile: in_full(&new.profile),
        },
        devices: new.devices.clone(),
        till: new.till,
        sandbox_figures: new.sandbox_figures,
    };
    let msgids = Arc::new(MsgIds::new(&new.institution.code, new.till));
    // What no sale could be sent through is told now, before anything is written.
    let client = super::client(&settings, new.agency.clone(), new.tls.clone(), msgids)?;
    let keys = Keys::files(&client.settings().profile);
    config::prepare(data, &settings, &new.tls, &keys)?;
    let (books, _) = Books::open(data, &new.institution.code, new.till)?;
    let now_ms = clock::now_ms();
    books.append(
        &Record::Opened {
            institution: new.institution.clone(),
        },
        now_ms,
    )?;
    books.append(&Record::Operator { operator, by: None }, now_ms)?;
    books.note_settings(&config::files(data))?;
    if let Some(items) = items {
        books.append(&Record::Catalogue { items, by: None }, now_ms)?;
    }
    Ok(())
}
