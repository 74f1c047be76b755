//! The command line of yijie. Every command's work stands in `commands/`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use yijie::commands::{
    self, Failure, OtherAgency, Out, card, close, init::NewTill, journal, operator, packs::bundles,
    people::Who, pin_from_stdin, queue, receipt, resume, salvage, sell, split,
};
use yijie::config::{Devices, Institution};
use yijie::operators::Role;
use yijie::record::Closing;
use yijie_agency::{Profile, SandboxSettings};
use yijie_hardware::Paper;
use yijie_rules::Lang;

/// 医结 yijie: settlement terminal for institutions designated by China's medical insurance.
#[derive(Parser)]
#[command(name = "yijie", version)]
struct Cli {
    /// Where the terminal keeps its state.
    #[arg(long, env = "YIJIE_DATA", global = true)]
    data: Option<PathBuf>,
    /// Machine output.
    #[arg(long, global = true)]
    json: bool,
    /// Language of the words: zh or en. Otherwise by LANG.
    #[arg(long, global = true)]
    lang: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The main job on embedded parts: sandbox agency, virtual card and scanner, fresh data directory.
    Demo {
        /// Without a window; prints each step.
        #[arg(long)]
        headless: bool,
        /// Start in an outage.
        #[arg(long)]
        offline: bool,
    },
    /// Prepare a data directory.
    Init(Box<Init>),
    /// Split claims read from standard input.
    Split {
        /// Directory with more packs; may be given again.
        #[arg(long = "packs")]
        packs: Vec<PathBuf>,
        /// Pack to use.
        #[arg(long)]
        pack: Option<String>,
        /// Leave the reasons out.
        #[arg(long)]
        no_trace: bool,
        /// For a person to read.
        #[arg(long)]
        explain: bool,
        /// One claim a line.
        #[arg(long)]
        jsonl: bool,
    },
    /// Rule packs: list, or check those of a directory.
    Packs {
        /// Directory with more packs; may be given again.
        #[arg(long = "packs")]
        packs: Vec<PathBuf>,
        #[command(subcommand)]
        action: Option<PacksAction>,
    },
    /// Card readers and social-security cards.
    Card {
        #[command(subcommand)]
        action: CardAction,
    },
    /// What a serial scanner reads.
    Scan {
        /// Serial port.
        #[arg(long)]
        port: String,
        /// Speed.
        #[arg(long, default_value_t = 9600)]
        baud: u32,
        /// End after this many.
        #[arg(long)]
        count: Option<u64>,
    },
    /// Commit and settle sales from standard input, one a line.
    Sell {
        #[command(flatten)]
        agency: AgencyArgs,
        #[command(flatten)]
        who: WhoArgs,
        /// Do not ask the agency.
        #[arg(long)]
        offline: bool,
    },
    /// Sales that have not reached a final state.
    Queue {
        #[command(flatten)]
        agency: AgencyArgs,
        #[command(subcommand)]
        action: QueueAction,
    },
    /// Undo a settled sale.
    Reverse {
        #[command(flatten)]
        agency: AgencyArgs,
        /// Sale or message id.
        id: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        approver: ApproverArgs,
    },
    /// Print or reprint a sale's receipt; without a target, on the till's printer.
    Receipt {
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
        #[arg(long, value_parser = ["58", "80"])]
        paper: Option<String>,
    },
    /// Compare a day with the agency: totals (3201), and where they differ, each settlement (3202).
    Reconcile {
        #[command(flatten)]
        agency: AgencyArgs,
        /// Day, yyyy-MM-dd.
        #[arg(long)]
        date: Date,
        /// Do what is proposed about this row: its message id, or all. Needs a supervisor's PIN.
        #[arg(long)]
        confirm: Vec<String>,
        #[command(flatten)]
        supervisor: WhoArgs,
    },
    /// Close today.
    Close {
        #[command(flatten)]
        agency: AgencyArgs,
    },
    /// Till, disk, network and agency in one process under a simulated clock, everything going wrong: do the books hold?
    Simulate {
        /// Everything follows from it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many steps.
        #[arg(long, default_value_t = 10_000)]
        steps: u64,
    },
    /// The journal.
    Journal {
        #[command(subcommand)]
        action: JournalAction,
    },
    /// Who works at this till.
    Operator {
        #[command(subcommand)]
        action: OperatorAction,
    },
    /// The keys that seal the records.
    Keys {
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Look at everything the till rests on: each part ok, warning or fault, and what to do.
    Doctor,
    /// The sandbox agency.
    Agency {
        #[command(subcommand)]
        action: AgencyAction,
    },
    /// What an agency's raw reply means to the terminal.
    Wire {
        #[command(subcommand)]
        action: WireAction,
    },
}

#[derive(Args)]
struct AgencyArgs {
    /// Another agency than the configured one.
    #[arg(long = "agency", global = true)]
    url: Option<String>,
    /// Its TLS files.
    #[arg(long, global = true)]
    tls: Option<PathBuf>,
}

impl From<AgencyArgs> for OtherAgency {
    fn from(args: AgencyArgs) -> OtherAgency {
        OtherAgency {
            url: args.url,
            tls: args.tls,
        }
    }
}

#[derive(Args)]
struct Init {
    /// Address of the agency.
    #[arg(long)]
    agency: String,
    /// Directory with ca.pem, client.pem and client.key, and the keys the profile asks for.
    #[arg(long)]
    tls: PathBuf,
    /// Province profile.
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
    /// Serial port of the scanner.
    #[arg(long)]
    scanner: Option<String>,
    /// Where receipts go: tcp://HOST:9100, a serial port, a device such as /dev/usb/lp0, or a file.
    #[arg(long)]
    printer: Option<String>,
    /// Width of the receipt printer's paper in millimetres.
    #[arg(long, default_value = "80", value_parser = ["58", "80"])]
    paper: String,
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

#[derive(Subcommand)]
enum PacksAction {
    /// Load errors of a directory's packs.
    Check {
        /// The directory.
        dir: PathBuf,
    },
    /// Make a signed bundle of a directory's packs.
    Sign {
        /// The directory.
        dir: PathBuf,
        /// Secret key, Ed25519 or SM2 in PKCS#8 PEM (openssl genpkey -algorithm ed25519).
        #[arg(long)]
        key: PathBuf,
        /// Version of the bundle, above every one before it.
        #[arg(long = "bundle-version")]
        version: u64,
        /// First day its packs are settled by, yyyy-MM-dd; otherwise today.
        #[arg(long)]
        from: Option<Date>,
        /// Last day it may be installed on.
        #[arg(long)]
        until: Date,
        /// File to write.
        #[arg(long)]
        to: PathBuf,
    },
    /// Check a bundle's signature, days and packs; with --data also that it is newer than what is installed.
    Verify {
        /// The bundle.
        bundle: PathBuf,
        /// Public key in PEM (openssl pkey -pubout); otherwise the one pinned in the data directory.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Install a bundle in the data directory; an unsigned, tampered, expired or older one is refused.
    Install {
        /// The bundle.
        bundle: PathBuf,
        /// Public key to pin, the first time.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// What changes for whom from which day: directories, pack files, bundles, or `builtin`.
    Diff {
        /// Before.
        old: PathBuf,
        /// After.
        new: PathBuf,
    },
}

#[derive(Subcommand)]
enum CardAction {
    /// List the readers.
    List,
    /// Read one card.
    Read {
        /// Reader, if not any.
        #[arg(long)]
        reader: Option<String>,
        /// Reader with the security module (PSAM) that a 3.0 card asks for.
        #[arg(long)]
        psam: Option<String>,
        /// Read the card's PIN from standard input.
        #[arg(long)]
        pin_stdin: bool,
        /// Print the ministry's basic-information string: eleven items, each ended by |.
        #[arg(long)]
        basic_info: bool,
    },
    /// Serve a virtual card, or a security module with test keys, to the virtual reader.
    Emulate {
        /// The person on the card.
        #[arg(required_unless_present = "psam")]
        person: Option<PathBuf>,
        /// A security module instead of a card.
        #[arg(long, conflicts_with = "person")]
        psam: bool,
        /// vpcd's port.
        #[arg(long, default_value_t = 35963)]
        port: u16,
    },
}

#[derive(Subcommand)]
enum QueueAction {
    /// List it.
    List,
    /// Work on all of it.
    Drain,
    /// One sale with its history.
    Show {
        /// Sale or message id.
        id: String,
    },
    /// Work on one sale; or, with a supervisor's PIN, close its difference with the patient.
    Resolve {
        /// Sale or message id.
        id: String,
        /// How the difference is closed: the agency's figures are accepted without cash, cash is collected, or given
        /// back.
        #[arg(long)]
        difference: Option<HowClosed>,
        #[command(flatten)]
        supervisor: WhoArgs,
    },
    /// Settled sales whose figures differ from what the patient was told.
    Differences,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum HowClosed {
    Accept,
    Collect,
    Refund,
}

#[derive(Subcommand)]
enum JournalAction {
    /// One line an entry.
    List,
    /// One entry whole.
    Show {
        /// Number of the entry.
        seq: u64,
    },
    /// Check every checksum and the chain.
    Verify,
    /// Write everything to a file, CSV or JSON by its ending.
    Export {
        /// The file.
        #[arg(long)]
        to: PathBuf,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        approver: ApproverArgs,
    },
    /// Make a damaged journal anew from all that can be read of it; the damaged files are kept.
    Salvage {
        #[command(flatten)]
        who: WhoArgs,
    },
    /// After a backup was put back or a journal salvaged: ask the agency what it holds, and go on.
    Resume {
        #[command(flatten)]
        agency: AgencyArgs,
        #[command(flatten)]
        who: WhoArgs,
    },
}

/// An operator and the PIN.
#[derive(Args)]
struct WhoArgs {
    /// Operator number.
    #[arg(long)]
    operator: Option<String>,
    /// File with the operator's PIN.
    #[arg(long)]
    pin_file: Option<PathBuf>,
    /// Read the PIN from the first line of standard input.
    #[arg(long, conflicts_with = "pin_file")]
    pin_stdin: bool,
}

impl From<WhoArgs> for Who {
    fn from(args: WhoArgs) -> Who {
        Who {
            operator: args.operator,
            pin_file: args.pin_file,
            pin_stdin: args.pin_stdin,
        }
    }
}

/// The second person of what one alone may not do.
#[derive(Args)]
struct ApproverArgs {
    /// Number of the supervisor who approves.
    #[arg(long)]
    approver: Option<String>,
    /// File with the approver's PIN.
    #[arg(long)]
    approver_pin_file: Option<PathBuf>,
}

impl From<ApproverArgs> for Who {
    fn from(args: ApproverArgs) -> Who {
        Who {
            operator: args.approver,
            pin_file: args.approver_pin_file,
            pin_stdin: false,
        }
    }
}

#[derive(Subcommand)]
enum OperatorAction {
    /// Everyone.
    List,
    /// A new operator; the PIN is the (next) line of standard input.
    Add {
        /// Number.
        id: String,
        /// Name on screen and receipt; the number if absent.
        #[arg(long)]
        name: Option<String>,
        /// What they may do.
        #[arg(long, value_enum)]
        role: RoleArg,
        #[command(flatten)]
        who: WhoArgs,
    },
    /// May work here no more.
    Disable {
        /// Number.
        id: String,
        #[command(flatten)]
        who: WhoArgs,
    },
    /// May work here again.
    Enable {
        /// Number.
        id: String,
        #[command(flatten)]
        who: WhoArgs,
    },
    /// A new PIN, the (next) line of standard input; ends a lock-out.
    Reset {
        /// Number.
        id: String,
        #[command(flatten)]
        who: WhoArgs,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RoleArg {
    Cashier,
    Supervisor,
    Inspector,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Cashier => Role::Cashier,
            RoleArg::Supervisor => Role::Supervisor,
            RoleArg::Inspector => Role::Inspector,
        }
    }
}

#[derive(Subcommand)]
enum KeysAction {
    /// New keys for what is written from now on; what was written stays readable.
    Rotate {
        #[command(flatten)]
        who: WhoArgs,
    },
}

#[derive(Subcommand)]
enum AgencyAction {
    /// Serve an agency to test against.
    Sandbox {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Province profile.
        #[arg(long, default_value = "plain")]
        profile: String,
        /// Who is insured, JSON.
        #[arg(long)]
        persons: Option<PathBuf>,
        /// An unknown person counts as insured as the claim says.
        #[arg(long)]
        any_person: bool,
        /// How it misbehaves.
        #[arg(long)]
        faults: Option<PathBuf>,
    },
    /// What a sandbox holds.
    Ledger,
}

#[derive(Subcommand)]
enum WireAction {
    /// Decode a reply read from standard input.
    Decode {
        /// Transaction number.
        #[arg(long)]
        infno: String,
        /// Province profile.
        #[arg(long, default_value = "plain")]
        profile: String,
        /// Directory with the profile's keys, to open an encrypted reply and check a signed one.
        #[arg(long)]
        keys: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.exit_code() == 0 => {
            // Help or version; nothing to do if it cannot be written.
            drop(error.print());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let failure = Failure::input("USAGE", error.render().to_string().trim_end());
            failure.report(out_of_arguments());
            return ExitCode::from(failure.exit);
        }
    };
    let out = Out {
        json: cli.json,
        lang: language(cli.lang.as_deref()),
    };
    std::panic::set_hook(Box::new(tell_place));
    yijie_agency::install_crypto();
    match run(cli, out) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            failure.report(out);
            ExitCode::from(failure.exit)
        }
    }
}

/// Tells where the program failed and nothing else: what a panic says may be a person's. The store's library panics over
/// damaged files, which is caught and told where it happens.
fn tell_place(panic: &std::panic::PanicHookInfo<'_>) {
    let Some(place) = panic.location().filter(|place| !place.file().contains("/sled-")) else {
        return;
    };
    Failure::could_not("INTERNAL", format!("{}:{}", place.file(), place.line())).report(out_of_arguments());
}

/// How to tell what is wrong with arguments that could not be parsed.
fn out_of_arguments() -> Out {
    let args: Vec<String> = std::env::args().collect();
    let after_lang = args.iter().skip_while(|arg| *arg != "--lang").nth(1);
    let lang = args.iter().find_map(|arg| arg.strip_prefix("--lang="));
    Out {
        json: args.iter().any(|arg| arg == "--json"),
        lang: language(lang.or(after_lang.map(String::as_str))),
    }
}

/// Chinese unless English is asked for, by `--lang` or by the environment.
fn language(asked: Option<&str>) -> Lang {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    match asked.map(str::to_owned).or(named) {
        Some(name) if name.starts_with("en") => Lang::En,
        _ => Lang::Zh,
    }
}

/// The data directory given, or this user's.
fn data_dir(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let share = || std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    given
        .or_else(|| share().map(|dir| dir.join("yijie")))
        .ok_or_else(|| Failure::input("USAGE", "--data"))
}

fn run(cli: Cli, out: Out) -> Result<u8, Failure> {
    let data = cli.data;
    let Some(command) = cli.command else {
        return commands::window::run(&data_dir(data)?, &OtherAgency::default(), out).map(|()| 0);
    };
    match command {
        Command::Demo { headless, offline } => commands::demo::run(data, headless, offline, out),
        Command::Init(new) => init(data_dir(data)?, *new, out),
        Command::Split {
            packs,
            pack,
            no_trace,
            explain,
            jsonl,
        } => split::run(
            &split::Request {
                packs,
                pack,
                no_trace,
                explain,
                jsonl,
            },
            out,
        ),
        Command::Packs { packs, action: None } => {
            commands::packs::list(&packs, data.as_deref(), out).map(|()| 0)
        }
        Command::Packs {
            action: Some(action), ..
        } => packs(data, action, out),
        Command::Card { action } => match action {
            CardAction::List => card::list(out),
            CardAction::Read {
                reader,
                psam,
                pin_stdin,
                basic_info,
            } => {
                let read = card::Read {
                    reader,
                    psam,
                    pin_stdin,
                    basic_info,
                };
                card::read(&read, out)
            }
            CardAction::Emulate {
                person: Some(person),
                port,
                ..
            } => card::emulate(&person, port, out),
            CardAction::Emulate { port, .. } => card::emulate_psam(port, out),
        }
        .map(|()| 0),
        Command::Scan { port, baud, count } => commands::scan::run(&port, baud, count, out).map(|()| 0),
        Command::Sell { agency, who, offline } => sell::run(
            &sell::Request {
                data: data_dir(data)?,
                agency: agency.into(),
                who: who.into(),
                offline,
            },
            out,
        ),
        Command::Queue { agency, action } => {
            let request = match action {
                QueueAction::List => queue::Request::List,
                QueueAction::Drain => queue::Request::Drain,
                QueueAction::Show { id } => queue::Request::Show(id),
                QueueAction::Resolve {
                    id, difference: None, ..
                } => queue::Request::Resolve(id),
                QueueAction::Resolve {
                    id,
                    difference: Some(how),
                    supervisor,
                } => {
                    let closing = match how {
                        HowClosed::Accept => Closing::Accepted,
                        HowClosed::Collect => Closing::Collected,
                        HowClosed::Refund => Closing::Refunded,
                    };
                    queue::Request::Close(id, closing, supervisor.into())
                }
                QueueAction::Differences => queue::Request::Differences,
            };
            queue::run(&data_dir(data)?, &agency.into(), request, out)
        }
        Command::Reverse {
            agency,
            id,
            who,
            approver,
        } => {
            let request = queue::Request::Reverse {
                id,
                who: who.into(),
                approver: approver.into(),
            };
            queue::run(&data_dir(data)?, &agency.into(), request, out)
        }
        Command::Receipt {
            id,
            escpos,
            pdf,
            statement,
            paper,
        } => {
            let request = receipt::Request {
                id,
                escpos,
                pdf,
                statement,
                paper: paper.as_deref().map(paper_of),
            };
            receipt::run(&data_dir(data)?, &request, out).map(|()| 0)
        }
        Command::Reconcile {
            agency,
            date,
            confirm,
            supervisor,
        } => {
            let request = close::Request {
                day: Some(date),
                confirm,
                supervisor: supervisor.into(),
            };
            close::run(&data_dir(data)?, &agency.into(), &request, out)
        }
        Command::Close { agency } => {
            close::run(&data_dir(data)?, &agency.into(), &close::Request::default(), out)
        }
        Command::Simulate { seed, steps } => commands::simulate::run(seed, steps, out),
        Command::Journal { action } => {
            let data = data_dir(data)?;
            match action {
                JournalAction::List => journal::run(&data, journal::Request::List, out),
                JournalAction::Show { seq } => journal::run(&data, journal::Request::Show(seq), out),
                JournalAction::Verify => journal::run(&data, journal::Request::Verify, out),
                JournalAction::Export { to, who, approver } => {
                    let request = journal::Request::Export {
                        to: &to,
                        who: who.into(),
                        approver: approver.into(),
                    };
                    journal::run(&data, request, out)
                }
                JournalAction::Salvage { who } => salvage::run(&data, &who.into(), out),
                JournalAction::Resume { agency, who } => resume::run(&data, &agency.into(), &who.into(), out),
            }
        }
        Command::Operator { action } => {
            let (request, who) = match action {
                OperatorAction::List => (operator::Request::List, Who::default()),
                OperatorAction::Add { id, name, role, who } => {
                    let role = role.into();
                    (operator::Request::Add { id, name, role }, who.into())
                }
                OperatorAction::Disable { id, who } => {
                    (operator::Request::Disable { id, disabled: true }, who.into())
                }
                OperatorAction::Enable { id, who } => {
                    (operator::Request::Disable { id, disabled: false }, who.into())
                }
                OperatorAction::Reset { id, who } => (operator::Request::Reset { id }, who.into()),
            };
            operator::run(&data_dir(data)?, request, &who, out)
        }
        Command::Keys {
            action: KeysAction::Rotate { who },
        } => commands::keys::rotate(&data_dir(data)?, &who.into(), out),
        Command::Doctor => commands::doctor::run(&data_dir(data)?, out),
        Command::Agency { action } => agency(data_dir(data)?, action, out).map(|()| 0),
        Command::Wire {
            action: WireAction::Decode { infno, profile, keys },
        } => commands::agency::decode(&infno, &profile, keys.as_deref(), out),
    }
}

fn packs(data: Option<PathBuf>, action: PacksAction, out: Out) -> Result<u8, Failure> {
    match action {
        PacksAction::Check { dir } => return commands::packs::check(&dir, out),
        PacksAction::Sign {
            dir,
            key,
            version,
            from,
            until,
            to,
        } => bundles::sign(
            &bundles::ToSign {
                dir,
                key,
                version,
                from,
                until,
                to,
            },
            out,
        ),
        PacksAction::Verify { bundle, key } => bundles::verify(&bundle, key.as_deref(), data.as_deref(), out),
        PacksAction::Install { bundle, key } => {
            bundles::install(&bundle, key.as_deref(), &data_dir(data)?, out)
        }
        PacksAction::Diff { old, new } => bundles::diff(&old, &new, out),
    }
    .map(|()| 0)
}

fn paper_of(millimetres: &str) -> Paper {
    if millimetres == "58" {
        Paper::Mm58
    } else {
        Paper::Mm80
    }
}

fn init(data: PathBuf, new: Init, out: Out) -> Result<u8, Failure> {
    let kind = if new.fixmedins.starts_with('P') { "2" } else { "1" };
    let level = new.level.or_else(|| (kind == "1").then(|| "1".to_owned()));
    let till = NewTill {
        institution: Institution {
            name: new.name.unwrap_or_else(|| new.fixmedins.clone()),
            code: new.fixmedins,
            kind: kind.to_owned(),
            level,
            area: new.area,
        },
        agency: new.agency,
        tls: new.tls,
        operator_name: new.operator_name.unwrap_or_else(|| new.operator.clone()),
        operator: new.operator,
        pin: pin_from_stdin()?,
        devices: Devices {
            scanner: new.scanner,
            printer: new.printer,
            paper: paper_of(&new.paper),
            ..Devices::default()
        },
        catalogue: new.catalogue,
        till: new.till,
        sandbox_figures: new.sandbox_figures,
        profile: new.profile,
    };
    commands::init::run(&data, &till, out).map(|()| 0)
}

fn agency(data: PathBuf, action: AgencyAction, out: Out) -> Result<(), Failure> {
    match action {
        AgencyAction::Ledger => commands::agency::ledger(&data, out),
        AgencyAction::Sandbox {
            listen,
            profile,
            persons,
            any_person,
            faults,
        } => {
            let profile = Profile::built_in(&profile).map_err(|e| Failure::input(e.code(), &e))?;
            commands::agency::sandbox(
                SandboxSettings {
                    listen,
                    data,
                    profile,
                    persons,
                    any_person,
                    faults,
                },
                out,
            )
        }
    }
}
