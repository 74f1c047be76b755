//! A real sandbox on loopback, a client against it, and claims for its invented people.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's set-up"
)]

use std::{fs, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use yijie_agency::{
    Answer, Cause, Client, ClientSettings, Credential, DEMO_PERSONS, HeaderScheme, InstitutionId, Insured,
    LocalAgency, MsgIds, Operator, Profile, SaleRequest, Sandbox, SandboxSettings,
};
use yijie_rules::Claim;

pub(crate) const INSTITUTION: &str = "H53010200001";
/// Active employee with an own account of 1530.00.
pub(crate) const ACTIVE: &str = "539900000000000000000002";
/// Retired, own account 826.40, which person 9 may use too.
pub(crate) const RETIRED: &str = "539900000000000000000001";
/// Active, own account 20.00, may use the account of the retired one.
pub(crate) const CHILD: &str = "539900000000000000000009";

pub(crate) struct Rig {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Option<Sandbox>,
    pub(crate) client: Client,
    pub(crate) ids: Arc<MsgIds>,
    pub(crate) settings: SandboxSettings,
}

impl Rig {
    pub(crate) async fn start() -> Rig {
        Rig::with(|_| {}).await
    }

    pub(crate) async fn under(profile: &str) -> Rig {
        Rig::with(|settings| settings.profile = Profile::built_in(profile).unwrap()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut SandboxSettings)) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let persons = dir.path().join("persons.json");
        fs::write(&persons, DEMO_PERSONS).unwrap();
        let mut settings = SandboxSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: dir.path().join("agency"),
            profile: Profile::built_in("plain").unwrap(),
            persons: Some(persons),
            any_person: false,
            faults: Some(dir.path().join("faults.toml")),
        };
        change(&mut settings);
        let sandbox = Sandbox::start(settings.clone()).await.unwrap();
        let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
        let client = client_of(&sandbox, &settings.profile, &ids);
        Rig {
            dir,
            sandbox: Some(sandbox),
            client,
            ids,
            settings,
        }
    }

    pub(crate) fn faults(&self, text: &str) {
        fs::write(self.dir.path().join("faults.toml"), text).unwrap();
    }

    /// Pulls the plug and starts it again on the same data; the client is a new one, for the port is.
    pub(crate) async fn restart(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
        let sandbox = Sandbox::start(self.settings.clone()).await.unwrap();
        self.client = client_of(&sandbox, &self.settings.profile, &self.ids);
        self.sandbox = Some(sandbox);
    }

    pub(crate) fn ledger(&self) -> Vec<yijie_agency::LedgerRow> {
        yijie_agency::read_ledger(&self.settings.data).unwrap()
    }
}

/// A client that speaks the sandbox's profile.
fn client_of(sandbox: &Sandbox, profile: &Profile, ids: &Arc<MsgIds>) -> Client {
    let settings = ClientSettings {
        profile: profile.clone(),
        ..client_settings(&sandbox.url(), &sandbox.tls_dir(), ids)
    };
    Client::new(settings).unwrap()
}

pub(crate) fn client_settings(url: &str, tls_dir: &Path, ids: &Arc<MsgIds>) -> ClientSettings {
    ClientSettings {
        url: url.to_owned(),
        tls_dir: tls_dir.to_owned(),
        institution: InstitutionId {
            code: INSTITUTION.to_owned(),
            name: "示例医院".to_owned(),
            admdvs: "530100".to_owned(),
        },
        operator: Operator {
            id: "0001".to_owned(),
            name: "示例收款员".to_owned(),
            kind: "1".to_owned(),
        },
        dev_no: "T1".to_owned(),
        profile: Profile::built_in("plain").unwrap(),
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(3),
        msgids: Arc::clone(ids),
    }
}

/// An ordinary outpatient bill of one line at a level-2 hospital.
pub(crate) fn claim(psn_no: &str, amount: &str) -> Claim {
    let psn_type = if psn_no == RETIRED { "1201" } else { "1101" };
    let text = format!(
        r#"{{"person": {{"psn_no": "{psn_no}", "insutype": "310", "psn_type": "{psn_type}", "insuplc_admdvs": "530100", "psn_insu_stas": "1"}},
        "institution": {{"fixmedins_code": "{INSTITUTION}", "fixmedins_type": "1", "medinslv": "2"}},
        "visit": {{"med_type": "11", "begntime": "2026-03-01 09:30:00", "mdtrtarea_admvs": "530100"}},
        "lines": [{{"feedetl_sn": "1", "med_list_codg": "XA0000001", "name": "甲类药", "chrgitm_lv": "01", "pric": "{amount}", "cnt": "1", "det_item_fee_sumamt": "{amount}", "goods": "drug"}}]}}"#
    );
    Claim::from_json(text.as_bytes()).unwrap()
}

pub(crate) fn sale(psn_no: &str, amount: &str) -> SaleRequest {
    sale_of(claim(psn_no, amount))
}

/// The same at a pharmacy, where 2102 is the whole of it.
pub(crate) fn pharmacy_sale(psn_no: &str, amount: &str) -> SaleRequest {
    let mut claim = claim(psn_no, amount);
    claim.institution.fixmedins_type = Some("2".into());
    claim.institution.medinslv = None;
    claim.visit.med_type = "41".into();
    sale_of(claim)
}

pub(crate) fn sale_of(claim: Claim) -> SaleRequest {
    let certno = format!("ID-OF-{}", claim.person.psn_no);
    SaleRequest {
        claim,
        credential: Credential::IdNumber { certno },
        invono: "INV1".to_owned(),
        traces: Vec::new(),
    }
}

pub(crate) fn insured(psn_no: &str) -> Insured {
    Insured {
        psn_no: psn_no.to_owned(),
        insuplc_admdvs: "530100".to_owned(),
    }
}

pub(crate) fn done<T: std::fmt::Debug>(answer: Answer<T>) -> T {
    match answer {
        Answer::Done(value) => value,
        other => panic!("expected it done, got {other:?}"),
    }
}

/// The code at the head of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    match answer {
        Answer::Refused(refusal) => {
            assert_eq!(refusal.infcode, -2);
            refusal
                .reason()
                .unwrap_or_else(|| panic!("no code in {}", refusal.message))
                .to_owned()
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(crate) fn unknown<T: std::fmt::Debug>(answer: Answer<T>) -> Cause {
    match answer {
        Answer::Unknown(cause) => cause,
        other => panic!("expected unknown, got {other:?}"),
    }
}

pub(crate) fn not_sent<T: std::fmt::Debug>(answer: Answer<T>) -> Cause {
    match answer {
        Answer::NotSent(cause) => cause,
        other => panic!("expected not sent, got {other:?}"),
    }
}

/// A terminal of any maker's, whose messages are plain JSON, and the agency within the process.
pub(crate) struct Desk {
    agency: Option<LocalAgency>,
    settings: SandboxSettings,
    count: u32,
    /// What stands in the envelopes besides.
    pub(crate) head: Value,
    _dir: TempDir,
}

impl Desk {
    pub(crate) fn start() -> Desk {
        Desk::with("plain", |_| {})
    }

    pub(crate) fn with(profile: &str, change: impl FnOnce(&mut SandboxSettings)) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let persons = dir.path().join("persons.json");
        fs::write(&persons, DEMO_PERSONS).unwrap();
        // The gateway's headers are of the way, which is none here.
        let profile = Profile {
            headers: HeaderScheme::None,
            ..Profile::built_in(profile).unwrap()
        };
        let mut settings = SandboxSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: dir.path().join("agency"),
            profile,
            persons: Some(persons),
            any_person: false,
            faults: None,
        };
        change(&mut settings);
        Desk {
            agency: Some(LocalAgency::open(settings.clone()).unwrap()),
            head: json!({
                "mdtrtarea_admvs": "530100", "insuplc_admdvs": "530100", "recer_sys_code": settings.profile.recer_sys_code,
                "dev_no": null, "cainfo": "", "infver": "V1.0", "opter_type": 1, "opter": "0001",
                "opter_name": "示例", "inf_time": "2026-03-01 09:30:00", "fixmedins_code": INSTITUTION,
                "fixmedins_name": "示例医院", "sign_no": "",
            }),
            settings,
            count: 0,
            _dir: dir,
        }
    }

    pub(crate) fn msgid(&mut self) -> String {
        self.count += 1;
        format!("{INSTITUTION}20260301093000{:04}", self.count)
    }

    /// What is answered under a message id of its own.
    pub(crate) fn ask(&mut self, infno: &str, input: Value) -> Value {
        let msgid = self.msgid();
        self.send(infno, &msgid, input)
    }

    pub(crate) fn send(&mut self, infno: &str, msgid: &str, input: Value) -> Value {
        serde_json::from_slice(&self.deliver(infno, msgid, input)).unwrap()
    }

    /// The answer's bytes: a file's, or an envelope's.
    pub(crate) fn deliver(&mut self, infno: &str, msgid: &str, input: Value) -> Vec<u8> {
        let mut message = self.head.clone();
        message["infno"] = json!(infno);
        message["msgid"] = json!(msgid);
        message["input"] = input;
        let path = self.settings.profile.path_of(infno);
        let agency = self.agency.as_ref().unwrap();
        agency.deliver(&path, message.to_string().as_bytes()).unwrap()
    }

    /// The output of what has to be done.
    pub(crate) fn done(&mut self, infno: &str, input: Value) -> Value {
        let mut reply = self.ask(infno, input);
        assert_eq!(reply["infcode"], json!(0), "{infno}: {reply}");
        reply["output"].take()
    }

    /// The words of a refusal.
    pub(crate) fn refused(&mut self, infno: &str, input: Value) -> String {
        words(&self.ask(infno, input))
    }

    pub(crate) fn ledger(&self) -> Vec<yijie_agency::LedgerRow> {
        self.agency.as_ref().unwrap().ledger()
    }

    /// The agency ends and starts again on its ledger.
    pub(crate) fn restart(&mut self) {
        self.agency = None;
        self.agency = Some(LocalAgency::open(self.settings.clone()).unwrap());
    }
}

/// The words of a refusal.
pub(crate) fn words(reply: &Value) -> String {
    assert_eq!(reply["infcode"], json!(-2), "{reply}");
    reply["err_msg"].as_str().unwrap().to_owned()
}
