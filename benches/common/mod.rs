//! What the benchmarks share: how a till speaks to its agency.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use yijie_agency::{ClientSettings, InstitutionId, MsgIds, Operator, Profile};

pub(crate) fn client_settings(
    url: String,
    tls_dir: &Path,
    institution: &str,
    msgids: Arc<MsgIds>,
) -> ClientSettings {
    ClientSettings {
        url,
        tls_dir: tls_dir.to_owned(),
        institution: InstitutionId {
            code: institution.to_owned(),
            name: "bench".to_owned(),
            admdvs: "530100".to_owned(),
        },
        operator: Operator {
            id: "001".to_owned(),
            name: "bench".to_owned(),
            kind: "1".to_owned(),
        },
        dev_no: String::new(),
        profile: Profile::built_in("plain").unwrap(),
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(5),
        msgids,
    }
}
