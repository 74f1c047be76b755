//! The terminal: counter, books, sync and window over the crates beside it. `main.rs` is its command line.

pub mod advice;
pub mod books;
pub mod bundle;
pub mod catalogue;
pub mod claim_papers;
pub mod clock;
pub mod commands;
pub mod config;
pub mod desk;
pub mod devices;
pub mod operators;
pub mod print;
pub mod process;
pub mod reconcile;
pub mod record;
pub mod runtime;
pub mod simulate;
pub mod slip;
pub mod statement;
pub mod sync;
pub mod typeface;
pub mod view;
pub mod workbench;

/// What a sale is made of is made and freed on many threads: see docs/benchmarks.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
