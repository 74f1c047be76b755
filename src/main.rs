//! The command line of yijie. Every command's work stands in `commands/`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use yijie::commands::{
    Failure, OtherAgency, Out, agency, card, catalogue, close, data_dir, demo, doctor, init, init::Init,
    journal, keys, operator, packs, people::Who, queue, receipt, scan, sell, serve, simulate, split, window,
};
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
    /// With the window: a second one for the customer, on the second screen where there is one.
    #[arg(long)]
    customer_window: bool,
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
    Split(split::Request),
    /// Rule packs: list, or check those of a directory; signed bundles of them.
    Packs(packs::Request),
    /// Card readers and social-security cards.
    Card {
        #[command(subcommand)]
        request: card::Request,
    },
    /// The price list.
    Catalogue {
        #[command(subcommand)]
        request: catalogue::Request,
    },
    /// What a serial scanner reads.
    Scan(scan::Listen),
    /// Commit and settle sales from standard input, one a line.
    Sell(sell::Request),
    /// The till for programs of this machine, over HTTP: see /openapi.json.
    Serve(serve::Request),
    /// Sales that have not reached a final state.
    Queue {
        #[command(flatten)]
        agency: OtherAgency,
        #[command(subcommand)]
        request: queue::Request,
    },
    /// Undo a settled sale.
    Reverse {
        #[command(flatten)]
        agency: OtherAgency,
        #[command(flatten)]
        reversal: queue::Reversal,
    },
    /// Print or reprint a sale's receipt; without a target, on the till's printer.
    Receipt(receipt::Request),
    /// Compare a day with the agency: totals (3201), and where they differ, each settlement (3202).
    Reconcile(close::Reconcile),
    /// Close today; or, once its days balance, apply for the clearing of a month (3203) or take that back (3204).
    Close(close::Close),
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
        request: journal::Request,
    },
    /// Who works at this till.
    Operator {
        #[command(subcommand)]
        request: operator::Request,
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

#[derive(Subcommand)]
enum KeysAction {
    /// New keys for what is written from now on; what was written stays readable.
    Rotate {
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Subcommand)]
enum AgencyAction {
    /// Serve an agency to test against.
    Sandbox(agency::Serve),
    /// What a sandbox holds.
    Ledger,
}

#[derive(Subcommand)]
enum WireAction {
    /// Decode a reply read from standard input.
    Decode(agency::Decode),
}

fn main() -> ExitCode {
    yijie::process::keep_to_itself();
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

fn run(cli: Cli, out: Out) -> Result<u8, Failure> {
    let Some(command) = cli.command else {
        let data = data_dir(cli.data)?;
        return window::run(&data, &OtherAgency::default(), cli.customer_window, out).map(|()| 0);
    };
    let given = cli.data;
    let data = || data_dir(given.clone());
    let done = match command {
        Command::Demo { headless, offline } => return demo::run(given, headless, offline, out),
        Command::Init(new) => init::run(&data()?, *new, out),
        Command::Split(request) => return split::run(&request, out),
        Command::Packs(request) => return packs::run(given, &request, out),
        Command::Card { request } => card::run(&request, out),
        Command::Catalogue { request } => catalogue::run(&data()?, &request, out),
        Command::Scan(listen) => scan::run(&listen, given.as_deref(), out),
        Command::Sell(request) => return sell::run(&data()?, &request, out),
        Command::Serve(request) => return serve::run(&data()?, &request, out),
        Command::Queue { agency, request } => return queue::run(&data()?, &agency, request, out),
        Command::Reverse { agency, reversal } => {
            return queue::run(&data()?, &agency, queue::Request::Reverse(reversal), out);
        }
        Command::Receipt(request) => receipt::run(&data()?, &request, out),
        Command::Reconcile(request) => return close::run(&data()?, &request, out),
        Command::Close(request) => return close::close(&data()?, request, out),
        Command::Simulate { seed, steps } => return simulate::run(seed, steps, out),
        Command::Journal { request } => return journal::run(&data()?, request, out),
        Command::Operator { request } => return operator::run(&data()?, request, out),
        Command::Keys {
            action: KeysAction::Rotate { who },
        } => return keys::rotate(&data()?, &who, out),
        Command::Doctor => return doctor::run(&data()?, out),
        Command::Agency { action } => match action {
            AgencyAction::Sandbox(serve) => agency::sandbox(data()?, serve, out),
            AgencyAction::Ledger => agency::ledger(&data()?, out),
        },
        Command::Wire {
            action: WireAction::Decode(what),
        } => agency::decode(&what, out),
    };
    done.map(|()| 0)
}
