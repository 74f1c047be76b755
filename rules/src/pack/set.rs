//! The loaded packs: built in, replaced, overlaid; and which one answers for a claim.

use serde::Serialize;
use smol_str::SmolStr;

use super::compile::{Parts, Sheet, compile};
use super::fault::{PackError, PackFault};
use super::file::{OverlayFile, PackFile};
use super::{OfflineLimits, Pack};
use crate::claim::{Claim, Person, Visit};
use crate::outcome::Grade;

const BUILTIN: &[(&str, &str)] = &[
    (
        "530100-kunming/employee.toml",
        include_str!("../../packs/530100-kunming/employee.toml"),
    ),
    (
        "530100-kunming/resident.toml",
        include_str!("../../packs/530100-kunming/resident.toml"),
    ),
    (
        "532500-honghe/resident.toml",
        include_str!("../../packs/532500-honghe/resident.toml"),
    ),
    (
        "510400-panzhihua/resident.toml",
        include_str!("../../packs/510400-panzhihua/resident.toml"),
    ),
];

const SANDBOX: &[(&str, &str)] = &[
    (
        "sandbox/kunming-resident.toml",
        include_str!("../../packs/sandbox/kunming-resident.toml"),
    ),
    (
        "sandbox/honghe-resident.toml",
        include_str!("../../packs/sandbox/honghe-resident.toml"),
    ),
    (
        "sandbox/panzhihua-resident.toml",
        include_str!("../../packs/sandbox/panzhihua-resident.toml"),
    ),
];

/// Overlays with made-up figures (grade `sandbox`) for what is not published, each with its file name. They are not
/// in the built-in set: [`Packs::add`] lays them over it where a benefit is to be shown.
pub fn sandbox_overlays() -> &'static [(&'static str, &'static str)] {
    SANDBOX
}

/// The loaded set of packs.
#[derive(Clone, Default)]
pub struct Packs {
    packs: Vec<(Pack, Parts)>,
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.packs.iter().map(|(pack, _)| (&pack.id, &pack.version)))
            .finish()
    }
}

/// One pack as `yijie packs` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct PackSummary {
    /// Pack id.
    pub id: SmolStr,
    /// Title for people.
    pub title: SmolStr,
    /// 统筹区
    pub area: SmolStr,
    /// 险种
    pub insutype: Vec<SmolStr>,
    /// Version.
    pub version: SmolStr,
    /// First day.
    pub from: jiff::civil::Date,
    /// Last day; null = open.
    pub until: Option<jiff::civil::Date>,
    /// The documents it is taken from.
    pub sources: Vec<super::Source>,
    /// The grades of its figures, strongest first.
    pub grades: Vec<Grade>,
    /// Figures that are not published, each with the article that delegates it.
    pub missing: Vec<String>,
    /// What a terminal may do without network.
    pub offline: OfflineLimits,
}

impl Packs {
    /// The packs that are part of the program.
    pub fn builtin() -> Packs {
        let mut packs = Packs::default();
        for (file, text) in BUILTIN {
            let added = packs.add(file, text);
            debug_assert!(added.is_ok(), "a built-in pack does not load: {added:?}");
        }
        packs
    }

    /// The same with the made-up figures of [`sandbox_overlays`] laid over them.
    #[must_use]
    pub fn with_sandbox_figures(mut self) -> Packs {
        for (file, text) in SANDBOX {
            let added = self.add(file, text);
            debug_assert!(added.is_ok(), "a sandbox overlay does not load: {added:?}");
        }
        self
    }

    /// Adds a pack, replaces the one of the same id, or lays an overlay over the pack it names. `file` names the
    /// text in errors. The first mistake is returned, and then nothing has changed; [`check`] returns them all.
    pub fn add(&mut self, file: &str, toml: &str) -> Result<(), PackError> {
        let (pack, parts) = self
            .read(file, toml)
            .map_err(|mut errors| errors.swap_remove(0))?;
        match self.packs.iter_mut().find(|(known, _)| known.id == pack.id) {
            Some(known) => *known = (pack, parts),
            None => self.packs.push((pack, parts)),
        }
        Ok(())
    }

    /// Never an empty list of mistakes.
    fn read(&self, file: &str, toml: &str) -> Result<(Pack, Parts), Vec<PackError>> {
        let sheet = Sheet {
            file: file.to_owned(),
            text: toml.to_owned(),
        };
        let parts = self.parts(sheet)?;
        let pack = compile(&parts)?;
        Ok((pack, parts))
    }

    fn parts(&self, sheet: Sheet) -> Result<Parts, Vec<PackError>> {
        if !is_overlay(&sheet.text) {
            let base: PackFile =
                toml::from_str(&sheet.text).map_err(|error| vec![sheet.not_readable(&error)])?;
            return Ok(Parts {
                sheets: vec![sheet],
                base,
                overlays: Vec::new(),
            });
        }
        let overlay: OverlayFile =
            toml::from_str(&sheet.text).map_err(|error| vec![sheet.not_readable(&error)])?;
        let base = self
            .packs
            .iter()
            .find(|(pack, _)| pack.id == overlay.overlay.get_ref());
        let Some((_, base)) = base else {
            let pack = SmolStr::from(overlay.overlay.get_ref());
            return Err(vec![
                sheet.error(overlay.overlay.span().start, PackFault::NoBase { pack }),
            ]);
        };
        let mut parts = base.clone();
        parts.sheets.push(sheet);
        parts.overlays.push(overlay);
        Ok(parts)
    }

    /// Every pack, for people.
    pub fn list(&self) -> Vec<PackSummary> {
        self.packs.iter().map(|(pack, _)| summary(pack)).collect()
    }

    /// Every pack.
    pub fn iter(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(|(pack, _)| pack)
    }

    /// The pack of an id.
    pub fn get(&self, id: &str) -> Option<&Pack> {
        self.iter().find(|pack| pack.id == id)
    }

    /// The text a pack was read from, its overlays after it.
    pub fn text(&self, id: &str) -> Option<String> {
        let (_, parts) = self.packs.iter().find(|(pack, _)| pack.id == id)?;
        Some(
            parts
                .sheets
                .iter()
                .map(|sheet| sheet.text.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }

    /// The one pack that a text of [`Packs::text`] holds; `file` names it in errors.
    pub fn of_text(file: &str, text: &str) -> Result<Packs, PackError> {
        let mut packs = Packs::default();
        for sheet in sheets(text) {
            packs.add(file, &sheet)?;
        }
        Ok(packs)
    }

    /// The pack that answers for a claim's insurance type, place of insurance and date.
    pub fn choose(&self, claim: &Claim) -> Option<&Pack> {
        self.choose_for(&claim.person, &claim.visit)
    }

    /// The same before there is a bill.
    pub fn choose_for(&self, person: &Person, visit: &Visit) -> Option<&Pack> {
        self.iter().find(|pack| pack.answers_for_person(person, visit))
    }
}

/// Every mistake of a pack file, or none. An overlay is checked over the pack it names, if `packs` holds that.
pub fn check(packs: &Packs, file: &str, toml: &str) -> Vec<PackError> {
    packs.read(file, toml).err().unwrap_or_default()
}

/// Whether the text is an overlay: it says so in a key that a pack does not have, before its first table.
pub fn is_overlay(toml: &str) -> bool {
    let mut head = toml.lines().take_while(|line| !line.trim().starts_with('['));
    head.any(|line| key(line) == Some("overlay"))
}

fn key(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim())
}

/// The files whose texts stand one behind the other. An overlay begins with its comments and its two keys, which stand
/// in no table of a pack.
fn sheets(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let of_head = |line: &&&str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || key(line) == Some("version")
    };
    let mut sheets = Vec::new();
    let mut rest = lines.as_slice();
    while let Some(overlay) = rest.iter().rposition(|line| key(line) == Some("overlay")) {
        let (before, _) = rest.split_at(overlay);
        let head = before.iter().rev().take_while(of_head).count();
        let (before, sheet) = rest.split_at(overlay - head);
        sheets.push(sheet.concat());
        rest = before;
    }
    sheets.push(rest.concat());
    sheets.reverse();
    sheets
}

fn summary(pack: &Pack) -> PackSummary {
    let mut grades = Vec::new();
    let mut missing = Vec::new();
    for parameter in &pack.parameters {
        for value in &parameter.values {
            grades.push(value.grade);
            if value.cells.is_empty() || value.cells.contains(&None) {
                missing.push(format!(
                    "{} ({}): {}",
                    parameter.title, parameter.name, value.cite
                ));
            }
        }
    }
    grades.sort_unstable();
    grades.dedup();
    PackSummary {
        id: pack.id.clone(),
        title: pack.title.clone(),
        area: pack.area.clone(),
        insutype: pack.insutype.clone(),
        version: pack.version.clone(),
        from: pack.from,
        until: pack.until(),
        sources: pack.sources.clone(),
        grades,
        missing,
        offline: pack.offline.clone(),
    }
}
