//! What reads well and still makes no sense: an empty or doubled head, a benefit or a step that nothing can reach.

use smol_str::SmolStr;

use super::super::fault::PackFault;
use super::super::file::Word;
use super::super::{Benefit, When};
use super::Compiler;

impl Compiler<'_> {
    fn bad(&mut self, word: &Word, expected: &str) {
        let found = SmolStr::from(word.get_ref());
        let expected = expected.to_owned();
        self.fault(0, word.span().start, PackFault::BadValue { found, expected });
    }

    /// Checks what the rest of the pack hangs on; `None` when nothing more can be said.
    pub(super) fn head(&mut self) -> Option<()> {
        let base = &self.parts.base;
        if base.id.get_ref().is_empty() || base.id.get_ref().contains(char::is_whitespace) {
            self.bad(&base.id, "a name without spaces");
        }
        for area in [&base.area, &base.accounts.family_area] {
            if area.get_ref().len() != 6 || !area.get_ref().bytes().all(|byte| byte.is_ascii_digit()) {
                self.bad(area, "an administrative code of six digits such as \"530100\"");
            }
        }
        if base.insutype.is_empty() {
            let expected = "at least one insutype such as \"310\"".to_owned();
            let found = SmolStr::new_static("insutype = []");
            self.fault(0, base.area.span().start, PackFault::BadValue { found, expected });
        }
        if let Some(until) = base.until.as_ref().filter(|_| self.until < self.from) {
            let expected = "a day not before from".to_owned();
            let found = SmolStr::from(until.get_ref().to_string());
            self.fault(0, until.span().start, PackFault::BadValue { found, expected });
        }
        for relation in &base.accounts.relations {
            if !["spouse", "parent", "child"].contains(&relation.get_ref().as_str()) {
                self.bad(relation, "spouse | parent | child");
            }
        }
        self.once(base.level.known.iter(), "level");
        self.once(base.status.values().flatten(), "psn_type");
        if base.level.known.is_empty() {
            self.bad(&base.level.otherwise, "a level of [level] known, which is empty");
            return None;
        }
        Some(())
    }

    fn once<'w>(&mut self, words: impl Iterator<Item = &'w Word>, kind: &'static str) {
        let mut seen: Vec<&str> = Vec::new();
        for word in words {
            if seen.contains(&word.get_ref().as_str()) {
                let name = SmolStr::from(word.get_ref());
                self.fault(0, word.span().start, PackFault::Twice { kind, name });
            }
            seen.push(word.get_ref());
        }
    }

    /// The first benefit a visit meets is taken: one behind a wider one is never reached, nor is a step below a stop.
    pub(super) fn reachable(&mut self, benefits: &[Benefit]) {
        let files = &self.parts.base.benefit;
        if benefits.len() != files.len() {
            return; // a benefit with a mistake of its own is missing from the list
        }
        for (place, (benefit, file)) in benefits.iter().zip(files).enumerate() {
            let earlier = || benefits.iter().take(place).flat_map(|earlier| &earlier.when);
            let is_hidden = |when: &When| when.med_types == 0 || earlier().any(|wider| contains(wider, when));
            let id = &file.get_ref().id;
            if benefit.when.iter().all(is_hidden) {
                let name = SmolStr::from(id.get_ref());
                self.fault(
                    0,
                    id.span().start,
                    PackFault::NeverReached {
                        kind: "benefit",
                        name,
                    },
                );
            }
            let steps = benefit.pay.iter().zip(&file.get_ref().pay);
            // a switch may stop a step in one of its meanings
            let by_switch = |word: &Option<Word>| {
                word.as_ref()
                    .is_some_and(|word| word.get_ref().starts_with("reading:"))
            };
            let below = steps
                .skip_while(|(step, file)| step.goes_on || by_switch(&file.exhausted))
                .skip(1);
            for (_, file) in below.filter(|(step, _)| !step.beside) {
                let name = SmolStr::from(file.pool.get_ref());
                let at = file.pool.span().start;
                self.fault(
                    0,
                    at,
                    PackFault::NeverReached {
                        kind: "step of pool",
                        name,
                    },
                );
            }
        }
    }
}

/// Whether every visit that meets `narrow` meets `wide` too.
fn contains(wide: &When, narrow: &When) -> bool {
    let all = |wide: &[usize], narrow: &[usize]| {
        wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|row| wide.contains(row)))
    };
    wide.med_types & narrow.med_types == narrow.med_types
        && (wide.at.is_none() || wide.at == narrow.at)
        && (wide.disease.is_none() || wide.disease == narrow.disease)
        && (wide.disease.is_none() || all(&wide.classes, &narrow.classes))
        && (!wide.negotiated || narrow.negotiated)
        && (wide.prehospital_120.is_none() || wide.prehospital_120 == narrow.prehospital_120)
        && (wide.civil_servant.is_none() || wide.civil_servant == narrow.civil_servant)
        && all(&wide.levels, &narrow.levels)
        && all(&wide.statuses, &narrow.statuses)
        && all(&wide.ages, &narrow.ages)
        && all(&wide.regions, &narrow.regions)
}
