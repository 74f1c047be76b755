//! What the agency's book says of a person today: insurance, pools used, balances.

use std::collections::BTreeMap;

use jiff::civil::Date;
use yijie_rules::{Accumulated, Claim, FamilyAccount, Money, OwnAccount, Person};

use super::{Book, Opening, PoolKey, Sign, add};

impl Book {
    /// The claim with the agency's own facts in the place of the terminal's. None: the person is not known, or not
    /// by this insurance. `any_person`: an insurance the agency does not know is taken from the claim.
    pub(crate) fn with_own_facts(&self, claim: &Claim, any_person: bool) -> Option<Claim> {
        let psn_no = claim.person.psn_no.as_str();
        let Some(opening) = self.openings.get(psn_no) else {
            let mut claim = claim.clone();
            self.settle_family_balances(&mut claim.accounts.family);
            return any_person.then_some(claim);
        };
        let place = claim.person.insuplc_admdvs.as_ref();
        let same = |person: &&Person| {
            person.insutype == claim.person.insutype
                && (place.is_none()
                    || person.insuplc_admdvs.is_none()
                    || place == person.insuplc_admdvs.as_ref())
        };
        let mut own = claim.clone();
        match opening.persons.iter().find(same) {
            Some(person) => own.person = person.clone(),
            None if any_person => {}
            None => return None,
        }
        own.accumulated = self.accumulated(psn_no, claim.visit.settled_at().date().year());
        own.accounts.own = self.own_account(psn_no);
        own.accounts.family = self.family(opening, &claim.accounts.family, any_person);
        Some(own)
    }

    /// Whether a person is insured in a place, as far as the book knows.
    pub(crate) fn insured_in(&self, psn_no: &str, place: &str) -> bool {
        let here = |person: &Person| {
            let own = person.insuplc_admdvs.as_ref();
            own.is_none_or(|own| own == place)
        };
        let opening = self.openings.get(psn_no);
        opening.is_none_or(|opening| opening.persons.is_empty() || opening.persons.iter().any(here))
    }

    /// Whether a person's network settlement is suspended on a day.
    pub(crate) fn suspended_on(&self, psn_no: &str, insutype: &str, day: Date) -> bool {
        let persons = self
            .openings
            .get(psn_no)
            .map(|opening| opening.persons.as_slice());
        let person = persons
            .unwrap_or_default()
            .iter()
            .find(|person| person.insutype == insutype);
        let period = person.and_then(|person| person.network_settlement_suspended.as_ref());
        period.is_some_and(|period| {
            period.begndate.is_none_or(|first| first <= day) && period.enddate.is_none_or(|last| day <= last)
        })
    }

    /// The same before the person's first settlement.
    pub(crate) fn with_first_facts(&self, claim: &Claim, any_person: bool) -> Option<Claim> {
        let mut claim = self.with_own_facts(claim, any_person)?;
        if let Some(opening) = self.openings.get(claim.person.psn_no.as_str()) {
            claim.accumulated.clone_from(&opening.accumulated);
            claim.accounts.own.clone_from(&opening.own);
        }
        Some(claim)
    }

    fn family(&self, opening: &Opening, claimed: &[FamilyAccount], any_person: bool) -> Vec<FamilyAccount> {
        let known = |account: &FamilyAccount| {
            opening
                .family
                .iter()
                .find(|own| own.psn_no == account.psn_no)
                .cloned()
        };
        let mut family: Vec<FamilyAccount> = claimed
            .iter()
            .filter_map(|account| known(account).or(any_person.then(|| account.clone())))
            .collect();
        self.settle_family_balances(&mut family);
        family
    }

    fn settle_family_balances(&self, family: &mut [FamilyAccount]) {
        for account in family {
            let holder = account.psn_no.as_str();
            let own = self.own_account(holder).map(|own| own.balc);
            let opened = self
                .family_openings
                .get(holder)
                .map(|balance| self.less_debits(holder, *balance));
            if let Some(balance) = own.or(opened) {
                account.balc = balance;
            }
        }
    }

    /// The person's own account now.
    pub(crate) fn own_account(&self, psn_no: &str) -> Option<OwnAccount> {
        let own = self.openings.get(psn_no)?.own.as_ref()?;
        Some(OwnAccount {
            balc: self.less_debits(psn_no, own.balc),
        })
    }

    /// The relatives' accounts a person may use, now.
    pub(crate) fn family_accounts(&self, psn_no: &str) -> Vec<FamilyAccount> {
        let mut family = self
            .openings
            .get(psn_no)
            .map(|opening| opening.family.clone())
            .unwrap_or_default();
        self.settle_family_balances(&mut family);
        family
    }

    fn less_debits(&self, psn_no: &str, balance: Money) -> Money {
        let debited = self.debited.get(psn_no).copied().unwrap_or(Money::ZERO);
        balance
            .checked_sub(debited)
            .filter(|left| !left.is_negative())
            .unwrap_or(Money::ZERO)
    }

    /// What a person has used in a year.
    pub(crate) fn accumulated(&self, psn_no: &str, year: i16) -> Vec<Accumulated> {
        let mut rows: BTreeMap<PoolKey, Accumulated> = BTreeMap::new();
        if let Some(opening) = self
            .openings
            .get(psn_no)
            .filter(|opening| opening.year.is_none_or(|own| own == year))
        {
            for row in &opening.accumulated {
                add(&mut rows, row, Sign::Plus);
            }
        }
        for row in self
            .used
            .get(&(psn_no.to_owned(), year))
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            add(&mut rows, row, Sign::Plus);
        }
        let floor = |amount: Money| if amount.is_negative() { Money::ZERO } else { amount };
        rows.into_values()
            .map(|row| Accumulated {
                deductible: floor(row.deductible),
                fund: floor(row.fund),
                in_scope: floor(row.in_scope),
                ..row
            })
            .filter(|row| !(row.deductible.is_zero() && row.fund.is_zero() && row.in_scope.is_zero()))
            .collect()
    }
}
