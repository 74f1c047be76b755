//! `yijie demo`: the main job on embedded parts: a sandbox agency, a virtual card and scanner, a fresh till.

mod headless;
mod stage;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Out, window};

/// Operator of the demo's till, a supervisor.
const OPERATOR: &str = "001";
/// A cashier and an inspector beside them.
const CASHIER: &str = "002";
const INSPECTOR: &str = "003";
/// Everybody's PIN, shown to whoever runs the demo.
const PIN: &str = "246810";

/// How often its directory is removed until nothing is left of it.
const REMOVALS_MAX: u32 = 100;

/// Runs the demo in a window where there is a display, else headless, and says so.
///
/// # Errors
/// [`Failure`] if a part could not be started or a step did not hold.
pub fn run(data: Option<PathBuf>, headless: bool, offline: bool, out: Out) -> Result<u8, Failure> {
    if !headless && !window::has_display() {
        let text = out.lang.pick(
            "没有显示器，改为无窗口演示",
            "no display: running without a window",
        );
        tell(out, text)?;
    }
    let tasks = super::tasks()?;
    let _inside = tasks.enter();
    let kept = data.is_some();
    let dir = data.unwrap_or_else(|| std::env::temp_dir().join(format!("yijie-demo-{}", std::process::id())));
    let own = (!kept).then(|| dir.clone());
    end_tidily(own);
    let stage = tasks.block_on(stage::Stage::set(&dir, out))?;
    let done = if headless || !window::has_display() {
        headless::run(stage, &tasks, offline, out)
    } else {
        in_window(stage, &tasks, offline, out)
    };
    if !kept {
        // A demo's own directory; what stays behind after a failure is for looking at.
        drop(done.is_ok().then(|| std::fs::remove_dir_all(&dir)));
    }
    done.map(|()| 0)
}

/// Ended from outside, by Ctrl-C or SIGTERM, a demo leaves no directory of its own behind either. What it started ends
/// with it: agency and till are in this process, and the smart-card service holds on to a pipe of it.
fn end_tidily(own: Option<PathBuf>) {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let own = own.clone();
        tokio::spawn(async move {
            // Where signals cannot be waited for they end the program as ever.
            let Ok(mut ended) = signal(kind) else { return };
            if ended.recv().await.is_none() {
                return;
            }
            // The other threads are still at work in it.
            for _ in 0..REMOVALS_MAX {
                if own
                    .as_ref()
                    .is_none_or(|own| std::fs::remove_dir_all(own).is_ok())
                {
                    break;
                }
            }
            std::process::exit(128 + kind.as_raw_value());
        });
    }
}

/// One line of the story.
fn tell(out: Out, text: &str) -> Result<(), Failure> {
    if out.json {
        out.line(serde_json::json!({"says": text}).to_string())
    } else {
        out.line(text)
    }
}

/// The window, with the card, the scanner and the agency worked from the shell.
fn in_window(
    mut stage: stage::Stage,
    tasks: &tokio::runtime::Runtime,
    offline: bool,
    out: Out,
) -> Result<(), Failure> {
    stage::staff(&stage.till.books)?;
    let (runtime, mut state, events) = window::counter(&stage.till, out)?;
    state.lang = out.lang;
    let devices = stage.watch(&runtime.events);
    let hand = runtime.events.clone();
    if offline {
        tasks.block_on(stage.stop_agency());
    }
    out.line(match out.lang {
        yijie_rules::Lang::Zh => format!(
            "主管 {OPERATOR}，收费员 {CASHIER}，检查员 {INSPECTOR}，PIN {PIN}。在此输入命令：card N（插卡）、pull（拔卡）、code N（扫医保码）、scan 条码、agency off|on、quit"
        ),
        yijie_rules::Lang::En => format!(
            "supervisor {OPERATOR}, cashier {CASHIER}, inspector {INSPECTOR}, PIN {PIN}. Commands here: card N, pull, code N, scan BARCODE, agency off|on, quit"
        ),
    })?;
    stage.list(out)?;
    let handle = tasks.handle().clone();
    // Lives as long as the program; reading the shell cannot be interrupted.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if let Err(failure) = handle.block_on(stage.work(&line, &hand)) {
                failure.report(out);
            }
        }
    });
    let shown = window::show(runtime, state, events);
    drop(devices);
    shown
}
