//! A hospital's visits as the book holds them.

use super::Book;
use crate::sandbox::visit::Visit;

impl Book {
    /// An open visit.
    pub(crate) fn visit(&self, mdtrt_id: &str) -> Option<&Visit> {
        self.visits.get(mdtrt_id)
    }

    /// A person's open visits, in the order of their numbers.
    pub(crate) fn open_visits(&self, psn_no: &str) -> Vec<&Visit> {
        let mut open: Vec<&Visit> = self
            .visits
            .values()
            .filter(|visit| visit.psn_no == psn_no)
            .collect();
        open.sort_by(|one, other| one.mdtrt_id.cmp(&other.mdtrt_id));
        open
    }

    /// Whether an open visit of an institution has this number of its own.
    pub(crate) fn has_visit(&self, fixmedins_code: &str, own_no: &str) -> bool {
        self.visits
            .values()
            .any(|visit| visit.own_no == own_no && visit.fixmedins_code == fixmedins_code)
    }

    /// How many visits were ever opened, for the next number.
    pub(crate) fn visits_opened(&self) -> u64 {
        self.visits_opened
    }

    /// Whose stay a 2401 under this msgid opened, and its number.
    pub(crate) fn admission(&self, msgid: &str) -> Option<(&str, &str)> {
        let opened = self.admissions.get(msgid);
        opened.map(|(psn_no, mdtrt_id)| (psn_no.as_str(), mdtrt_id.as_str()))
    }

    /// Whether a visit was settled.
    pub(crate) fn has_settled(&self, mdtrt_id: &str) -> bool {
        self.rows.iter().any(|row| row.settled.mdtrt_id == mdtrt_id)
    }

    /// Takes over a visit as it stands now.
    pub(super) fn note_visit(&mut self, visit: &Visit) {
        if !visit.msgid.is_empty() {
            let opened = (visit.psn_no.clone(), visit.mdtrt_id.clone());
            self.admissions.insert(visit.msgid.clone(), opened);
        }
        if self
            .visits
            .insert(visit.mdtrt_id.clone(), visit.clone())
            .is_none()
        {
            self.visits_opened += 1;
        }
    }
}
