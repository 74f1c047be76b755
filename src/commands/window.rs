//! `yijie`: the window over a prepared data directory.

mod second_screen;

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use yijie_ui::slint::{self, ComponentHandle as _};
use yijie_ui::{AppWindow, CustomerWindow};

use super::{Failure, OtherAgency, Out, Till, tasks};
use crate::catalogue::Catalogue;
use crate::desk::{Event, Health, Setup, State, devices};
use crate::print::Printing;
use crate::runtime::renewal::{self, Renewal};
use crate::runtime::{self, Runtime};
use crate::view::{self, Screen};
use crate::workbench::Workbench;
use crate::{clock, devices as watches};

/// Whether a display can be expected.
#[must_use]
pub fn has_display() -> bool {
    cfg!(not(unix))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some())
}

/// Opens the till and shows the window until it is closed.
///
/// # Errors
/// [`Failure`] if the till or the window cannot be opened.
pub fn run(data: &Path, agency: &OtherAgency, customer_window: bool, out: Out) -> Result<(), Failure> {
    let mut till = Till::open(data, agency, out)?;
    till.config.devices.customer_window |= customer_window;
    let tasks = tasks()?;
    let _inside = tasks.enter();
    let (runtime, state, events) = counter(&till, out)?;
    let watched = watches::watch(&till.config.devices, true, &runtime.events);
    let shown = show(runtime, state, events);
    drop(watched);
    shown
}

/// The desk of an opened till, with the channel its events come through.
///
/// # Errors
/// [`Failure`] if the books cannot be read.
pub fn counter(till: &Till, out: Out) -> Result<(Runtime, State, Receiver<Event>), Failure> {
    let setup = Setup {
        packs_since: Arc::new(renewal::in_use_since(&till.books, &till.sync.packs())?),
        institution: till.config.institution.clone(),
        packs: till.sync.packs(),
        catalogue: Arc::new(
            Catalogue::new(till.books.catalogue()?).with_trace_codes(till.config.devices.trace_codes.clone()),
        ),
        lost_cards: Arc::new(till.books.lost_cards()?),
    };
    let mut state = State::new(setup.clone(), clock::now_ms(), out.lang);
    for (no, bill) in till.books.held()? {
        if let Ok(held) = serde_json::from_value(bill) {
            state.held.push((no, held));
        }
    }
    state.note_findings(&till.findings);
    if till.config.devices.printer.is_some() {
        state.printer.health = Health::Ok;
    }
    let (sender, events) = mpsc::channel();
    state.devices = devices::first(&till.config.devices, &till.config.agency.url);
    let runtime = Runtime {
        workbench: Arc::new(Workbench::of(&till.config.devices, &till.data, &sender)),
        books: till.books.clone(),
        sync: till.sync.clone(),
        tasks: tokio::runtime::Handle::current(),
        printing: Arc::new(Printing::of(&till.config.devices)),
        events: sender,
        draining: Arc::default(),
        drain_asked: Arc::default(),
        renewal: Arc::new(Renewal::of(till, out)),
        setup: Arc::new(Mutex::new(setup)),
    };
    Ok((runtime, state, events))
}

/// Runs the loop on a thread of its own and the window on this one.
///
/// # Errors
/// [`Failure`] if there is no window to be had.
pub fn show(runtime: Runtime, mut state: State, events: Receiver<Event>) -> Result<(), Failure> {
    // What the toolkit says is for its authors: paths and lines of its own sources.
    let no_display = |_: slint::PlatformError| Failure::could_not("NO_DISPLAY", "");
    let window = AppWindow::new().map_err(no_display)?;
    view::connect(&window, &runtime.events, &state.devices.fitted.trace_codes);
    let customer = state.devices.fitted.customer_window.then(CustomerWindow::new);
    let customer = customer.transpose().map_err(no_display)?;
    let first = Screen::of(&state);
    view::apply(&window, None, &first);
    if let Some(customer) = &customer {
        view::customer::apply(customer, &first);
        customer.show().map_err(no_display)?;
        second_screen::place(&window, customer);
    }
    let customer_weak = customer.as_ref().map(|window| window.as_weak());
    let weak = window.as_weak();
    let shown = Arc::new(Mutex::new(first));
    let desk = std::thread::spawn(move || {
        runtime::run(&runtime, &mut state, &events, |state| {
            let screen = Screen::of(state);
            let (shown, customer) = (shown.clone(), customer_weak.clone());
            // Fails only when the window is gone, and then the loop is to end.
            weak.upgrade_in_event_loop(move |window| {
                let mut before = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if *before != screen {
                    view::apply(&window, Some(&before), &screen);
                    if let Some(customer) = customer.and_then(|weak| weak.upgrade()) {
                        view::customer::apply(&customer, &screen);
                    }
                    *before = screen;
                }
            })
            .is_ok()
        });
    });
    let ran = run_until_closed(&window).map_err(no_display);
    drop((window, customer));
    // The loop ends at its next tick, when it finds the window gone; a sale under way is in the journal by then.
    drop(desk);
    ran
}

/// Runs until the cashier's window is closed, whatever other window is still open.
fn run_until_closed(window: &AppWindow) -> Result<(), slint::PlatformError> {
    window.window().on_close_requested(|| {
        // Fails only where no loop runs, and then nothing is left to be ended.
        drop(slint::quit_event_loop());
        slint::CloseRequestResponse::HideWindow
    });
    window.run()
}
