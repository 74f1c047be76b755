//! The split: what fund, accounts and patient each pay for a bill, and why, by rule packs.
//!
//! Pure: no file, clock, network or thread. Text goes in, text comes out, amounts are exact.

mod claim;
mod codes;
mod decimal;
mod exact;
mod money;
mod outcome;
mod pack;
mod split;
mod stamp;

pub use claim::{
    Accounts, Accumulated, Cause, Claim, ClaimError, Department, FamilyAccount, Flag, Goods, Institution,
    ItemClass, Line, OwnAccount, Person, Practitioner, Referral, RegisteredDisease, RxFlag, Supplement,
    Visit,
};
pub use codes::{Code, CodeKind, CodeText, Lang, codes};
pub use decimal::{DecimalError, Quantity, Ratio, UnitPrice};
pub use money::Money;
pub use outcome::{
    AccountsAfter, Excluded, FamilyBalance, FundPay, Grade, IdentityError, LineCut, Note, Outcome,
    OwnBalance, PackRef, Refusal, SetlInfo, Settlement, StepKind, TraceStep,
};
pub use pack::{
    Change, OfflineLimits, OfflineMode, Pack, PackError, PackFault, PackSummary, Packs, Reading, Source,
    check as check_pack, diff as diff_packs, is_overlay, sandbox_overlays,
};
pub use smol_str::SmolStr;
pub use split::{Options, check_person, split};

pub use stamp::{Period, Stamp};
