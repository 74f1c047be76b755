//! The window: the module generated from the `.slint` files, and the Slint it was generated for.
#![allow(
    missing_docs,
    reason = "generated code; the contract is documented in adapters.slint"
)]

slint::include_modules!();
pub use slint;
