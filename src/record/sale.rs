//! A sale as it was committed, and what is told of it afterwards.

use serde::{Deserialize, Serialize};
use yijie_agency::{Credential, SoldCode};
use yijie_rules::{Claim, Money, SetlInfo, Settlement};

/// One sale as committed at the counter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sale {
    /// Id given by the counter or by the client program; unique in this till for ever.
    pub id: String,
    /// Message id its settlement leaves under.
    pub msgid: String,
    /// Who, where, what.
    pub claim: Claim,
    /// The split computed here.
    pub settlement: Settlement,
    /// What the patient was told: the agency's trial figures (2101) where it gave them, else those of the split.
    pub told: SetlInfo,
    /// What the patient showed.
    pub credential: Credential,
    /// Name as the agency keeps it; absent for a client program's sale.
    pub psn_name: Option<String>,
    /// Who collects for the patient.
    pub agent: Option<Agent>,
    /// Operator number.
    pub operator: String,
    /// Under which terms it was sold without network; absent if online.
    pub offline: Option<OfflineTerms>,
    /// Goods outside the fund's scope the patient agreed to pay.
    pub consent: Vec<String>,
    /// Cash handed over.
    pub tendered: Option<Money>,
    /// Trace codes of the packs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<SoldCode>,
}

impl Sale {
    /// A sale online, by the split's figures, with nothing told beside.
    #[must_use]
    pub fn new(
        id: String,
        msgid: String,
        claim: Claim,
        settlement: Settlement,
        credential: Credential,
        operator: String,
    ) -> Sale {
        Sale {
            id,
            msgid,
            claim,
            told: settlement.setlinfo.clone(),
            settlement,
            credential,
            psn_name: None,
            agent: None,
            operator,
            offline: None,
            consent: Vec::new(),
            tendered: None,
            traces: Vec::new(),
        }
    }
}

/// Packs of one line of a bill, as one 3505 (sold) or 3506 (returned) tells them.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Goods {
    /// The settlement they go with; blank for a sale paid in full by the patient.
    pub setl_id: String,
    /// Its visit.
    pub mdtrt_id: String,
    /// The line.
    pub feedetl_sn: String,
    /// The packs.
    pub codes: Vec<SoldCode>,
    /// They come back.
    pub returned: bool,
}

impl Goods {
    /// The same packs coming back.
    #[must_use]
    pub fn coming_back(&self) -> Goods {
        Goods {
            returned: true,
            ..self.clone()
        }
    }
}

/// A person buying for the patient: both identities stand with the sale (昆明市人民政府令第161号 第二十七条).
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Agent {
    /// Name.
    pub name: String,
    /// Citizen number.
    pub id_no: String,
    /// Relation to the patient: spouse, parent, child, other.
    pub relation: String,
    /// Number of the written authorisation, where one is needed.
    pub authorisation: Option<String>,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("relation", &self.relation)
            .finish_non_exhaustive()
    }
}

/// Why and under which limits a sale was made without the agency.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct OfflineTerms {
    /// Stable code of what was missing (network, agency, certificate …).
    pub reason: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// True: the fund's part is carried until the agency settles. False: the patient paid all and claims later.
    pub carried: bool,
    /// By when it must be settled.
    pub settle_by_ms: i64,
    /// The limit it was judged by, as `id@version` of the pack.
    pub pack: String,
}

/// Agency's figures minus those the patient was told (多退少补): positive cash means the patient still owes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Difference {
    /// Funds.
    pub fund: Money,
    /// Own and family account.
    pub account: Money,
    /// Cash.
    pub cash: Money,
}

/// A refund as the agency counts it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Refund {
    /// The refund's own settlement number; blank where the answer was lost.
    pub setl_id: String,
    /// When, by the agency's clock; blank where the answer was lost.
    pub setl_time: String,
}

/// How a difference was closed with the patient.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// The agency's figures stand and no cash moved: the institution bears it.
    Accepted,
    /// The patient paid what was missing.
    Collected,
    /// The patient got back what was too much.
    Refunded,
}
