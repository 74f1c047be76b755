//! The real window over the real loop, books and a sandbox agency: a cashier's day with key events alone.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "tests"
)]

#[path = "window/devices.rs"]
mod devices;
#[path = "../ui/tests/window/fit.rs"]
mod fit;
#[path = "window/hand.rs"]
mod hand;
#[path = "window/office.rs"]
mod office;
#[path = "window/offline.rs"]
mod offline;
#[path = "window/refusals.rs"]
mod refusals;
#[path = "window/sale.rs"]
mod sale;
#[path = "window/stage.rs"]
mod stage;
