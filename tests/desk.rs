//! The counter as a pure function: events in, effects and a notice out, without any IO.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "desk/agent.rs"]
mod agent;
#[path = "desk/bill.rs"]
mod bill;
#[path = "desk/chance.rs"]
mod chance;
#[path = "desk/devices.rs"]
mod devices;
#[path = "desk/money.rs"]
mod money;
#[path = "desk/office.rs"]
mod office;
#[path = "desk/offline.rs"]
mod offline;
#[path = "desk/person.rs"]
mod person;
#[path = "desk/self_pay.rs"]
mod self_pay;
#[path = "desk/session.rs"]
mod session;
#[path = "desk/till.rs"]
mod till;
