//! `yijie simulate`: the seeded simulation of till, disk, network and agency.

use std::io::Write as _;

use serde_json::json;
use yijie_rules::Lang;

use super::{Failure, Out};
use crate::simulate::{self, SimulateError, Tally};

/// Runs it; exit code 3 and the seed where an invariant does not hold.
///
/// # Errors
/// [`Failure`].
pub fn run(seed: u64, steps: u64, out: Out) -> Result<u8, Failure> {
    let progress = |tally: &Tally| {
        if !out.json && tally.worlds.is_multiple_of(50) {
            // Told on the side; nobody may be listening.
            drop(writeln!(std::io::stderr(), "{} / {steps}", tally.steps));
        }
    };
    let tally = simulate::run(seed, steps, progress).map_err(|error| match &error {
        SimulateError::Broken { .. } => Failure::could_not(error.code(), &error),
        _ => Failure::could_not(error.code(), format!("{error} (--seed {seed})")),
    })?;
    let told = json!({
        "seed": seed, "steps": tally.steps, "worlds": tally.worlds, "sales": tally.sales,
        "receipts": tally.receipts, "settled": tally.settled, "differences": tally.differences,
        "kills": tally.kills, "power_cuts": tally.power_cuts, "outages": tally.outages,
    });
    out.print(&told, || {
        let Tally { steps, worlds, sales, receipts, settled, differences, kills, power_cuts, outages } = tally;
        match out.lang {
            Lang::Zh => format!(
                "种子 {seed}：{steps} 步，{worlds} 个世界；{sales} 笔结算，{receipts} 张票据，{settled} 笔有效，{differences} 笔差异；{kills} 次强杀，{power_cuts} 次断电，{outages} 次平台中断；全部不变式成立"
            ),
            Lang::En => format!(
                "seed {seed}: {steps} steps in {worlds} worlds; {sales} sales, {receipts} receipts, {settled} stand, {differences} differences; {kills} kills, {power_cuts} power cuts, {outages} outages; every invariant held"
            ),
        }
    })?;
    Ok(0)
}
