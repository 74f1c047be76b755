//! The journal that nothing is lost from, and the sled store that is rebuilt from it. Bytes, keys, order.
//!
//! [`DataLock`] keeps a second process out, [`Vault`] holds the keys, [`Journal`] is the truth on disk,
//! [`Store`] is an index of it that may be thrown away at any time.

mod content;
mod disk;
mod file;
mod journal;
mod lock;
mod mark;
mod record;
mod recover;
mod replay;
pub mod salvage;
mod segment;
mod simulated;
mod store;
#[cfg(test)]
mod trouble_tests;
mod unwritten;
mod vault;
mod verify;
mod witness;
mod writer;

pub use disk::{Disk, LogFile, OsDisk, free_bytes};
pub use journal::{Draft, Entry, Journal, JournalError, Limits, Opened, Torn};
pub use lock::{DataLock, LockError};
pub use mark::MarkFound;
pub use replay::Replay;
pub use segment::{Broken, Fault};
pub use simulated::{SimulatedDisk, Trouble};
pub use store::{Change, Key, Scan, Store, StoreError, StoreOpened};
pub use vault::{Vault, VaultError};
pub use verify::{Verified, verify};
pub use witness::Witness;
