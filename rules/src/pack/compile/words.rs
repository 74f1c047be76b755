//! Words of the file: mistakes with their line, readings, choices, dates, sources and citations.

use jiff::civil::Date;
use smol_str::{SmolStr, format_smolstr};
use toml::value::Datetime;

use super::super::fault::PackFault;
use super::super::file::Word;
use super::super::{Reading, Source};
use super::Compiler;

/// One bit of a mask for each.
const MED_TYPES_MAX: usize = 64;

impl Compiler<'_> {
    pub(super) fn fault(&mut self, origin: usize, at: usize, fault: PackFault) {
        if let Some(sheet) = self.parts.sheets.get(origin) {
            self.faults.push(sheet.error(at, fault));
        }
    }

    pub(super) fn unknown(&mut self, origin: usize, word: &Word, kind: &'static str) {
        let name = SmolStr::from(word.get_ref());
        self.fault(origin, word.span().start, PackFault::UnknownName { kind, name });
    }

    /// The word, or the value of the reading it names. Only the pack's own file names readings.
    pub(super) fn word(&mut self, word: &Word) -> Option<SmolStr> {
        let Some(name) = word.get_ref().strip_prefix("reading:") else {
            return Some(SmolStr::from(word.get_ref()));
        };
        let value = self
            .readings
            .iter()
            .find(|reading| reading.name == name)
            .map(|reading| reading.value.clone());
        if value.is_none() {
            self.fault(
                0,
                word.span().start,
                PackFault::UnknownName {
                    kind: "reading",
                    name: name.into(),
                },
            );
        }
        self.readings_used.insert(name.into());
        value
    }

    /// Where a word's meaning is written: the word itself, or the reading it names.
    fn place(&self, word: &Word) -> (usize, usize) {
        let reading = word.get_ref().strip_prefix("reading:");
        let places = self.reading_places.iter().rev();
        let place = reading.and_then(|name| places.clone().find(|(known, _, _)| known == name));
        place.map_or((0, word.span().start), |(_, origin, at)| (*origin, *at))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, word: &Word, choices: &[(&'static str, T)]) -> Option<T> {
        let found = self.word(word)?;
        let choice = choices
            .iter()
            .find(|(name, _)| *name == found)
            .map(|(_, value)| *value);
        if choice.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let (origin, at) = self.place(word);
            self.fault(
                origin,
                at,
                PackFault::BadValue {
                    found,
                    expected: names.join(" | "),
                },
            );
        }
        choice
    }

    pub(super) fn level(&mut self, word: &Word) -> Option<usize> {
        let name = self.word(word)?;
        let place = self.levels.iter().position(|level| *level == name);
        if place.is_none() {
            let (origin, at) = self.place(word);
            self.fault(origin, at, PackFault::UnknownName { kind: "level", name });
        }
        place
    }

    pub(super) fn class(&mut self, word: &Word) -> Option<usize> {
        let place = self.classes.iter().position(|class| class == word.get_ref());
        if place.is_none() {
            self.unknown(0, word, "disease class");
        }
        place
    }

    pub(super) fn med_types(&mut self, at: usize, codes: &[String]) -> u64 {
        let mut mask = 0;
        for code in codes {
            let place = self
                .med_types
                .iter()
                .position(|known| known == code)
                .unwrap_or_else(|| {
                    self.med_types.push(SmolStr::from(code));
                    self.med_types.len() - 1
                });
            if place >= MED_TYPES_MAX {
                self.fault(
                    0,
                    at,
                    PackFault::TooMany {
                        kind: "med_type",
                        max: MED_TYPES_MAX,
                    },
                );
                return mask;
            }
            mask |= 1 << place;
        }
        mask
    }

    pub(super) fn date(&mut self, origin: usize, at: usize, date: &Datetime) -> Option<Date> {
        let day = date.to_string().get(..10).and_then(|text| text.parse().ok());
        if day.is_none() {
            let found = SmolStr::from(date.to_string());
            self.fault(
                origin,
                at,
                PackFault::BadValue {
                    found,
                    expected: "2026-01-01".into(),
                },
            );
        }
        day
    }

    pub(super) fn sources(&mut self) {
        let overlays = self.parts.overlays.iter().enumerate();
        let files =
            std::iter::once((0, &self.parts.base.source)).chain(overlays.map(|(i, o)| (i + 1, &o.source)));
        for (origin, source) in
            files.flat_map(|(origin, list)| list.iter().map(move |source| (origin, source)))
        {
            let id = SmolStr::from(source.id.get_ref());
            if self.sources.iter().any(|known| known.id == id) {
                self.fault(
                    origin,
                    source.id.span().start,
                    PackFault::Twice {
                        kind: "source",
                        name: id,
                    },
                );
                continue;
            }
            let title = SmolStr::from(&source.title);
            self.sources.push(Source {
                id,
                title,
                name: source.name.clone(),
                grade: source.grade,
            });
        }
    }

    pub(super) fn readings(&mut self) {
        let overlays = self.parts.overlays.iter().enumerate();
        let files =
            std::iter::once((0, &self.parts.base.reading)).chain(overlays.map(|(i, o)| (i + 1, &o.reading)));
        for (origin, file) in
            files.flat_map(|(origin, list)| list.iter().map(move |reading| (origin, reading)))
        {
            let name = SmolStr::from(file.name.get_ref());
            let reading = Reading {
                name: name.clone(),
                value: SmolStr::from(&file.value),
                question: file.question.clone(),
                because: file.because.clone(),
            };
            self.reading_places
                .push((name.clone(), origin, file.name.span().start));
            match self.readings.iter_mut().find(|known| known.name == name) {
                Some(known) if origin > 0 => *known = reading,
                Some(_) => self.fault(
                    origin,
                    file.name.span().start,
                    PackFault::Twice {
                        kind: "reading",
                        name,
                    },
                ),
                None => self.readings.push(reading),
            }
        }
    }

    /// The source and its title with the article.
    pub(super) fn cite(&mut self, origin: usize, source: &Word, article: &Word) -> Option<(Source, SmolStr)> {
        if article.get_ref().trim().is_empty() {
            self.fault(origin, article.span().start, PackFault::NoArticle);
        }
        let Some(known) = self
            .sources
            .iter()
            .find(|known| known.id == source.get_ref())
            .cloned()
        else {
            self.unknown(origin, source, "source");
            return None;
        };
        let cite = format_smolstr!("{} {}", known.title, article.get_ref());
        Some((known, cite))
    }
}
