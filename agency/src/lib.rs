//! The national interface of China's medical insurance (国家医疗保障信息平台定点医药机构接口): typed messages, a client
//! over mutual TLS that tells done, refused, not sent and unknown apart, and a sandbox agency to test against.

mod answer;
mod certificate;
mod client;
mod clock;
mod crypto;
mod decode;
mod envelope;
mod fields;
mod gm;
mod keys;
mod lenient;
mod messages;
mod msgid;
mod numbers;
mod output;
mod profile;
mod reply;
mod sandbox;
mod seal;
mod times;
mod verdict;
mod zip_text;

pub use answer::{AgencyRefusal, Answer, Cause, MSGID_REPEATED};
pub use certificate::{Validity, validity};
pub use client::{Carried, Carrier, Client, ClientError, ClientSettings, InstitutionId};
pub use clock::{beijing_now, now, simulate_clock};
pub use crypto::install_crypto;
pub use decode::{Decoded, IdentityCheck, decode_reply};
pub use gm::{CipherKey, KeyUnreadable, SignKey, SignatureForm, VerifyKey, sm3_hex};
pub use keys::{Keys, KeysError};
pub use messages::{
    audit::AuditFinding,
    benefits::{BenefitQuestion, DiseaseQuestion, PersonTimeQuestion, Row, UsedQuestion, VisitQuestion},
    clearing::ClearingRequest,
    ec_query::DecodedPerson,
    files::FileTicket,
    goods::{GoodsReturned, GoodsSold},
    lost_cards::LostCard,
    person::{
        BaseInfo, CardFacts, Credential, IdentityRow, InsuredFacts, InsuredRow, PersonFacts, PersonRecord,
    },
    pharmacy::{
        CancelRequest, INPATIENT, Insured, OUTPATIENT, PHARMACY, SaleRequest, SoldCode, Transactions,
        clr_type_of, transactions_of,
    },
    settled::{FundLine, Irregularity, SettledReply},
    sign::{Operator, SignIn},
    statement::{StatementResult, StatementTotals, StatementVerdict},
    statement_detail::{StatementFile, StatementFinding, StatementRow},
    visit::{
        Admission, Diagnosis, Discharge, FeeCancel, FeeDetail, Registration, RegistrationCancel, StayCancel,
        VisitBill, VisitInfo,
    },
};
pub use msgid::{MSGID_LEN, MsgIds};
pub use profile::{Cainfo, HeaderScheme, InputForm, Profile, ProfileError, StatementStyle, TraceCodes};
pub use sandbox::{
    DEMO_PERSONS, LedgerError, LedgerRow, LocalAgency, Sandbox, SandboxError, SandboxSettings,
    SettlementState, TlsError, read_ledger,
};
pub use zip_text::{NotPacked, pack, unpack_text};
