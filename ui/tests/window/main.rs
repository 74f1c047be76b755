//! The window without a display: every key and button does what it says, every page fits in both languages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "tests"
)]

mod clicks;
mod counter_keys;
mod customer;
mod fit;
mod page_keys;
mod pages;
mod record;
mod sample;
mod translations;

use i_slint_backend_testing as testing;
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, PhysicalSize, SharedString};
use testing::{AccessibleRole, ElementHandle, ElementQuery};
use yijie_ui::{AppWindow, Page, Session, slint};

/// Runs a test in a window of its own, in a thread of its own: a platform belongs to one thread.
fn in_window(size: (u32, u32), test: impl FnOnce(&AppWindow) + Send) {
    std::thread::scope(|scope| {
        let run = scope.spawn(move || {
            slint::platform::set_platform(Box::new(testing::TestingBackend::new(
                testing::TestingBackendOptions {
                    mock_time: true,
                    threading: false,
                    renderer_name: Some("software".into()),
                },
            )))
            .expect("one platform a thread");
            let ui = AppWindow::new().expect("the window is made");
            ui.window().set_size(PhysicalSize::new(size.0, size.1));
            ui.show().expect("the window is shown");
            ui.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
            speak(&ui, "zh");
            settle(&ui);
            test(&ui);
        });
        if let Err(cause) = run.join() {
            std::panic::resume_unwind(cause);
        }
    });
}

/// Switches the language as the program does.
fn speak(ui: &AppWindow, language: &str) {
    slint::select_bundled_translation(if language == "zh" { "" } else { language })
        .expect("a bundled language");
    ui.global::<Session>().set_language(language.into());
}

fn go(ui: &AppWindow, page: Page) {
    ui.global::<Session>().set_page(page);
    settle(ui);
}

/// Lets pages be made, changes be noticed, focus arrive. Looking for an element makes the pages without drawing them.
fn settle(ui: &AppWindow) {
    for _ in 0..3 {
        testing::mock_elapsed_time(std::time::Duration::from_millis(20));
        assert!(
            ElementQuery::from_root(ui).find_first().is_some(),
            "the window has elements"
        );
    }
}

fn key(ui: &AppWindow, key: impl Into<SharedString>) {
    let text = key.into();
    ui.window()
        .dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
    ui.window().dispatch_event(WindowEvent::KeyReleased { text });
    settle(ui);
}

/// A key with Shift or Control held.
fn chord(ui: &AppWindow, held: Key, then: Key) {
    ui.window()
        .dispatch_event(WindowEvent::KeyPressed { text: held.into() });
    key(ui, then);
    ui.window()
        .dispatch_event(WindowEvent::KeyReleased { text: held.into() });
}

fn type_text(ui: &AppWindow, text: &str) {
    for letter in text.chars() {
        key(ui, letter);
    }
}

/// The button a cashier would call by that name; the uppermost if two do.
fn button(ui: &AppWindow, label: &str) -> ElementHandle {
    ElementHandle::find_by_accessible_label(ui, label)
        .filter(|found| {
            let role = found.accessible_role();
            [
                AccessibleRole::Button,
                AccessibleRole::Tab,
                AccessibleRole::ListItem,
            ]
            .iter()
            .any(|one| Some(*one) == role)
        })
        .last()
        .unwrap_or_else(|| panic!("nothing to press is labelled {label:?}"))
}

fn click(ui: &AppWindow, label: &str) {
    button(ui, label).mock_single_click(PointerEventButton::Left);
    settle(ui);
}

/// Whether anything in the window carries that label.
fn says(ui: &AppWindow, label: &str) -> bool {
    ElementHandle::find_by_accessible_label(ui, label)
        .next()
        .is_some()
}
