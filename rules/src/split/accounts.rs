//! The accounts: the person's own, then the relatives' in their order, then cash (KM-15 18, 21, 22; Q-15).

use super::standing::Standing;
use super::{Refused, Run};
use crate::claim::{FamilyAccount, Flag, OwnAccount};
use crate::codes::Code;
use crate::money::Money;
use crate::outcome::{AccountsAfter, FamilyBalance, Note, SetlInfo};
use crate::pack::in_area;

impl Run<'_> {
    /// Debits the accounts and leaves the rest to cash; fills the last fields of the sums.
    pub(super) fn pay_from_accounts(
        &mut self,
        standing: &Standing<'_>,
        sums: &mut SetlInfo,
        notes: &mut Vec<Note>,
    ) -> Result<AccountsAfter, Refused> {
        let accounts = &self.claim.accounts;
        let may_pay = standing.accounts_pay() && accounts.acct_used_flag != Some(Flag::No);
        let part = sums.psn_part_amt.fen();
        let mut open = if may_pay {
            part - self.beyond_accounts(sums)
        } else {
            0
        };
        let mut after = AccountsAfter {
            own: None,
            family: Vec::with_capacity(accounts.family.len()),
        };
        if let Some(own) = &accounts.own {
            let usable = if self.pack.accounts.own { own.balc.fen() } else { 0 };
            let pays = open.min(usable);
            open -= pays;
            sums.acct_pay = Money::from_fen(pays);
            sums.balc = Money::from_fen(own.balc.fen() - pays);
            after.own = Some(OwnAccount { balc: sums.balc });
            if pays > 0 {
                self.trace.account(
                    &self.pack.article.account,
                    own.balc,
                    sums.psn_part_amt,
                    sums.acct_pay,
                );
            }
        }
        let mut by_family: i64 = 0;
        for account in &accounts.family {
            let usable = self.may_be_debited(account);
            if may_pay && !usable {
                notes.push(Note {
                    code: Code::FamilyNotListed,
                    article: self.pack.article.family.clone(),
                });
            }
            let pays = if usable { open.min(account.balc.fen()) } else { 0 };
            open -= pays;
            by_family += pays;
            let balc = Money::from_fen(account.balc.fen() - pays);
            after.family.push(FamilyBalance {
                psn_no: account.psn_no.clone(),
                balc,
            });
            if pays > 0 {
                self.trace
                    .family(&self.pack.article.family, account.balc, Money::from_fen(pays));
            }
        }
        sums.acct_mulaid_pay = Money::from_fen(by_family);
        let cash = part - sums.acct_pay.fen() - by_family;
        sums.psn_cash_pay = Money::from_fen(cash);
        self.trace.cash(&self.pack.article.cash, sums);
        Ok(after)
    }

    /// The part of the bill no account may pay, fen.
    fn beyond_accounts(&self, sums: &SetlInfo) -> i64 {
        if self.pack.accounts.pays_out_of_scope {
            return 0;
        }
        sums.fulamt_ownpay_amt.fen() + sums.overlmt_selfpay.fen()
    }

    /// Listed by its holder, who is spouse, parent or child and insured in the area the pack names.
    fn may_be_debited(&self, account: &FamilyAccount) -> bool {
        let rules = &self.pack.accounts;
        account.listed
            && !rules.relations.is_empty()
            && account
                .relation
                .as_ref()
                .is_none_or(|relation| rules.relations.contains(relation))
            && account
                .insuplc_admdvs
                .as_ref()
                .is_none_or(|place| in_area(place, &rules.family_area))
    }
}
