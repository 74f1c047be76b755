//! The seeded simulation: till, disk, network and agency in one process under a paused clock, everything going wrong at
//! once, and what must hold asked after every step.
//!
//! The till's books, journal, store and sync are the real ones, and so are the rules and the sandbox agency's own; only
//! TLS is not there, which cannot run under a clock of ours: the client hands its messages to [`net`] instead. A world
//! lasts a hundred steps or so and begins with an empty till and agency; a run is as many worlds as it needs, each of the
//! seed after the one before, so that what was found in one is shown again by that world alone.

mod check;
mod net;
mod till;
mod world;

use std::fmt;
use std::path::PathBuf;

use yijie_agency::SandboxError;

use crate::books::BooksError;
use world::World;

/// Steps after which a world is healed, looked at as a whole, and ended: from the first to below the second. What is
/// looked at grows with what was sold, so many short worlds are more steps an hour than a few long ones.
const WORLD_STEPS: std::ops::Range<u64> = 40..160;

/// What was tried and what came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Worlds begun.
    pub worlds: u64,
    /// Sales acknowledged.
    pub sales: u64,
    /// Receipts printed.
    pub receipts: u64,
    /// Settlements that stood at the end.
    pub settled: u64,
    /// Differences at the end.
    pub differences: u64,
    /// kill −9 of the till.
    pub kills: u64,
    /// Power cuts of the till.
    pub power_cuts: u64,
    /// Times the agency went down.
    pub outages: u64,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl Broken {
    fn new(invariant: &'static str, found: impl fmt::Display) -> Broken {
        Broken {
            invariant,
            found: found.to_string(),
        }
    }
}

/// Why a simulation ended early.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// An invariant does not hold.
    #[error("{}: {} (--seed {seed} --steps {step})", broken.invariant, broken.found)]
    Broken {
        /// Seed of the world.
        seed: u64,
        /// Step of the world after which it was noticed, counted from 1: as many steps show it again.
        step: u64,
        /// What.
        broken: Broken,
    },
    /// The books cannot be opened or written though nothing was done to them.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The agency cannot be started.
    #[error(transparent)]
    Agency(#[from] SandboxError),
    /// The directory of the simulation cannot be used.
    #[error("{dir}: {source}")]
    Directory {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SimulateError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SimulateError::Broken { .. } => "INVARIANT_BROKEN",
            SimulateError::Books(error) => error.code(),
            SimulateError::Agency(error) => error.code(),
            SimulateError::Directory { .. } => "SIMULATION_DIRECTORY",
        }
    }
}

/// Runs `steps` steps that follow from the seed alone; `told` hears the tally after each world.
///
/// # Errors
/// [`SimulateError::Broken`] names the first invariant that did not hold.
pub fn run(seed: u64, steps: u64, mut told: impl FnMut(&Tally)) -> Result<Tally, SimulateError> {
    quiet_sled();
    let mut tally = Tally::default();
    while tally.steps < steps {
        let seed = seed.wrapping_add(tally.worlds);
        let mut dice = fastrand::Rng::with_seed(seed);
        let of_world = dice.u64(WORLD_STEPS).min(steps - tally.steps);
        let dir = Directory::new()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|source| SimulateError::Directory {
                dir: dir.0.clone(),
                source,
            })?;
        let begun = tally.steps;
        runtime.block_on(async {
            let mut world = World::new(&dir.0, dice)?;
            let lived = world.live(of_world, &mut tally).await;
            lived.map_err(|end| match end {
                world::End::Broken(broken) => SimulateError::Broken {
                    seed,
                    step: (tally.steps - begun).max(1),
                    broken,
                },
                world::End::Failed(error) => error,
            })
        })?;
        tally.worlds += 1;
        told(&tally);
    }
    Ok(tally)
}

/// sled panics over files that a power cut damaged; the store catches that, and here it is asked for again and again.
fn quiet_sled() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|at| at.file().contains("sled-")) {
                loud(panic);
            }
        }));
    });
}

/// Where a world's files are: in memory where the system has such a place. Gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Directory, SimulateError> {
        let shared = PathBuf::from("/dev/shm");
        let above = if shared.is_dir() {
            shared
        } else {
            std::env::temp_dir()
        };
        let name = format!("yijie-simulate-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let dir = above.join(name);
        std::fs::create_dir_all(&dir).map_err(|source| SimulateError::Directory {
            dir: dir.clone(),
            source,
        })?;
        Ok(Directory(dir))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that stays behind costs memory, not truth.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
