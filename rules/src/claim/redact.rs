//! `Debug` of the types that carry personal data: it shows what is there, never whose it is.

use std::fmt;

use super::{Accounts, Claim, FamilyAccount, Person, Practitioner, RegisteredDisease, Supplement, Visit};

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("person", &self.person)
            .field("institution", &self.institution)
            .field("visit", &self.visit)
            .field("lines", &self.lines.len())
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("insutype", &self.insutype)
            .field("psn_type", &self.psn_type)
            .field("insuplc_admdvs", &self.insuplc_admdvs)
            .field("psn_insu_stas", &self.psn_insu_stas)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("med_type", &self.med_type)
            .field("begntime", &self.begntime)
            .field("setl_time", &self.setl_time)
            .field("rx_circ_flag", &self.rx_circ_flag)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RegisteredDisease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredDisease").finish_non_exhaustive()
    }
}

impl fmt::Debug for Supplement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplement")
            .field("insutype", &self.insutype)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Practitioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Practitioner")
            .field("listed", &self.listed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("acct_used_flag", &self.acct_used_flag)
            .field("own", &self.own.is_some())
            .field("family", &self.family.len())
            .finish()
    }
}

impl fmt::Debug for FamilyAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyAccount")
            .field("listed", &self.listed)
            .finish_non_exhaustive()
    }
}
