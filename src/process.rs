//! What the process keeps to itself. Its memory holds keys and names: no crash leaves them in a file, no other program of
//! this user reads them, and every file it makes, the store's included, is its owner's alone.

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Called first thing. What the system does not grant of it, a till does without.
pub fn keep_to_itself() {
    umask(Mode::from_bits_truncate(0o077));
    let _refused = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // A system may hand cores to a program whatever the limit; of this process it gets none.
    #[cfg(target_os = "linux")]
    let _refused = nix::sys::prctl::set_dumpable(false);
}
