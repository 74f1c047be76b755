//! The transactions, one file a family: what is sent, checked, and what is understood of the answer.

pub(crate) mod audit;
pub(crate) mod benefits;
pub(crate) mod clearing;
pub(crate) mod codes;
pub(crate) mod ec_query;
pub(crate) mod files;
pub(crate) mod form;
pub(crate) mod goods;
pub(crate) mod lost_cards;
pub(crate) mod named;
pub(crate) mod person;
pub(crate) mod pharmacy;
pub(crate) mod query;
pub(crate) mod reversal;
pub(crate) mod settled;
pub(crate) mod sign;
pub(crate) mod statement;
pub(crate) mod statement_detail;
pub(crate) mod visit;

#[cfg(test)]
mod check_tests;
