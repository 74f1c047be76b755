//! Certificates: who is let in, what each refusal is called, and which of them prove that nothing was sent.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::*;
use proptest::{prelude::*, sample::Index, test_runner::Config};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use tokio::net::TcpListener;
use yijie_agency::{Client, Credential, MsgIds, Sandbox, validity};

fn anyone() -> Credential {
    Credential::IdNumber {
        certno: "1".to_owned(),
    }
}

/// The client's tls directory with some files taken from elsewhere.
fn mixed(base: &Path, files: &[(&Path, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["ca.pem", "client.pem", "client.key"] {
        let from = files
            .iter()
            .find(|(_, other)| *other == name)
            .map_or(base, |(from, _)| *from);
        fs::copy(from.join(name), dir.path().join(name)).unwrap();
    }
    dir
}

#[tokio::test]
async fn another_authority() {
    let (rig, other) = (Rig::start().await, Rig::start().await);
    let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
    let (own, foreign) = (
        rig.sandbox.as_ref().unwrap().tls_dir(),
        other.sandbox.as_ref().unwrap().tls_dir(),
    );
    let url = rig.sandbox.as_ref().unwrap().url();

    let wrong_ca = mixed(&own, &[(&foreign, "ca.pem")]);
    let client = Client::new(client_settings(&url, wrong_ca.path(), &ids)).unwrap();
    assert_eq!(
        not_sent(client.person(&anyone()).await).code(),
        "AGENCY_CERT_UNKNOWN_CA"
    );

    // Under TLS 1.3 the terminal learns of it after its own handshake is done: not proved unsent.
    let wrong_client = mixed(&own, &[(&foreign, "client.pem"), (&foreign, "client.key")]);
    let client = Client::new(client_settings(&url, wrong_client.path(), &ids)).unwrap();
    for _ in 0..20 {
        assert_eq!(
            unknown(client.person(&anyone()).await).code(),
            "CLIENT_CERT_REFUSED"
        );
    }
    assert_eq!(
        refused(rig.client.person(&anyone()).await),
        "PERSON_UNKNOWN",
        "the right one is let in"
    );
}

/// Puts a server certificate of the given hosts and last year into a sandbox's tls directory, with an authority
/// that stays valid.
fn plant_server(tls: &Path, hosts: &[&str], last_year: i32) {
    plant_server_from(tls, hosts, (2000, last_year), None);
}

/// The same from a first year on, revoked by the list that is put beside it if a serial number is given.
fn plant_server_from(tls: &Path, hosts: &[&str], years: (i32, i32), revoked: Option<u8>) {
    fs::create_dir_all(tls).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca_params = CertificateParams::new(Vec::new()).unwrap();
    ca_params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key_pem = ca_key.serialize_pem();
    let ca = CertifiedIssuer::self_signed(ca_params, ca_key).unwrap();
    fs::write(tls.join("ca.pem"), ca.pem()).unwrap();
    fs::write(tls.join("ca.key"), ca_key_pem).unwrap();
    if let Some(serial) = revoked {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(u64::from(serial)),
                revocation_time: date_time_ymd(2020, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        fs::write(
            tls.join("revoked.pem"),
            list.signed_by(&ca).unwrap().pem().unwrap(),
        )
        .unwrap();
    }
    for (name, hosts, (from, until), serial) in [
        ("server", hosts, years, 7_u64),
        ("client", &["localhost"][..], (2000, 4000), 8),
    ] {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        fs::write(
            tls.join(format!("{name}.pem")),
            params.signed_by(&key, &ca).unwrap().pem(),
        )
        .unwrap();
        fs::write(tls.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_host() {
    for (hosts, year, code) in [
        (["127.0.0.1"], 2001, "AGENCY_CERT_EXPIRED"),
        (["elsewhere.invalid"], 4000, "AGENCY_CERT_WRONG_HOST"),
    ] {
        let rig = Rig::with(|settings| plant_server(&settings.data.join("tls"), &hosts, year)).await;
        assert_eq!(not_sent(rig.client.person(&anyone()).await).code(), code);
    }
}

#[tokio::test]
async fn a_revoked_certificate_and_one_that_is_not_yet_valid() {
    for (from, revoked, code) in [
        (3000, None, "AGENCY_CERT_NOT_YET_VALID"),
        (2000, Some(7), "AGENCY_CERT_REVOKED"),
        (2000, Some(9), ""),
    ] {
        let rig = Rig::with(|settings| {
            plant_server_from(&settings.data.join("tls"), &["127.0.0.1"], (from, 4000), revoked);
        })
        .await;
        let answer = rig.client.person(&anyone()).await;
        if code.is_empty() {
            assert_eq!(
                refused(answer),
                "PERSON_UNKNOWN",
                "another certificate was revoked"
            );
        } else {
            assert_eq!(not_sent(answer).code(), code);
        }
    }
}

#[tokio::test]
async fn nobody_there() {
    let mut rig = Rig::start().await;
    assert_eq!(refused(rig.client.person(&anyone()).await), "PERSON_UNKNOWN");
    rig.sandbox.take().unwrap().stop().await;
    // The connection of before is dead and a new one is refused: both are proved unsent or in doubt, never done.
    let _first = rig.client.person(&anyone()).await;
    assert_eq!(
        not_sent(rig.client.person(&anyone()).await).code(),
        "AGENCY_UNREACHABLE"
    );

    let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
    let tls = rig.settings.data.join("tls");
    let nowhere = Client::new(client_settings("https://no-such-host.invalid:1", &tls, &ids)).unwrap();
    assert_eq!(
        not_sent(nowhere.person(&anyone()).await).code(),
        "AGENCY_UNREACHABLE"
    );

    // A listener that says nothing, and one that hangs up, before TLS stands.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut settings = client_settings(&url, &tls, &ids);
    settings.connect_timeout = Duration::from_millis(300);
    let silent = Client::new(settings).unwrap();
    assert_eq!(not_sent(silent.person(&anyone()).await).code(), "AGENCY_TIMEOUT");
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let client = Client::new(client_settings(&url, &tls, &ids)).unwrap();
    assert_eq!(not_sent(client.person(&anyone()).await).code(), "AGENCY_RESET");
}

#[tokio::test]
async fn plain_http_is_refused_on_both_sides() {
    let rig = Rig::start().await;
    let sandbox = rig.sandbox.as_ref().unwrap();
    let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
    for url in [
        sandbox.url().replace("https", "http"),
        "127.0.0.1:1".to_owned(),
        "https://".to_owned(),
        String::new(),
    ] {
        let error = Client::new(client_settings(&url, &sandbox.tls_dir(), &ids)).unwrap_err();
        assert_eq!(error.code(), "AGENCY_URL_INVALID", "{url}");
    }
    let address = sandbox.address();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        // A reset is as good an end as an alert.
        let _ended = stream.read_to_end(&mut answer);
        answer
    });
    let answer = answer.await.unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}

#[tokio::test]
async fn missing_and_useless_files() {
    let rig = Rig::start().await;
    let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
    let own = rig.sandbox.as_ref().unwrap().tls_dir();
    for (name, code) in [
        ("ca.pem", "TLS_CA_MISSING"),
        ("client.pem", "TLS_CERT_MISSING"),
        ("client.key", "TLS_KEY_MISSING"),
    ] {
        let dir = mixed(&own, &[]);
        fs::remove_file(dir.path().join(name)).unwrap();
        let settings = client_settings(&rig.sandbox.as_ref().unwrap().url(), dir.path(), &ids);
        assert_eq!(Client::new(settings.clone()).unwrap_err().code(), code);
        // A directory where a file belongs, and text that is no PEM.
        fs::create_dir(dir.path().join(name)).unwrap();
        assert_eq!(
            Client::new(settings.clone()).unwrap_err().code(),
            "TLS_FILES_UNREADABLE",
            "{name} a directory"
        );
        fs::remove_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name), "no certificate").unwrap();
        assert_eq!(
            Client::new(settings).unwrap_err().code(),
            "TLS_FILES_UNREADABLE",
            "{name} no PEM"
        );
    }
}

/// Runs openssl; the test fails, not skips, where it is missing (Debian package: openssl).
fn openssl(args: &[&str]) -> Output {
    let run = Command::new("openssl").args(args).stdin(Stdio::null()).output();
    run.unwrap_or_else(|error| panic!("openssl can't be run (Debian package: openssl): {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_agrees() {
    let rig = Rig::start().await;
    let sandbox = rig.sandbox.as_ref().unwrap();
    let (tls, address) = (sandbox.tls_dir(), sandbox.address().to_string());
    let file = |name: &str| tls.join(name).to_str().unwrap().to_owned();
    let (ca, server, client, key) = (
        file("ca.pem"),
        file("server.pem"),
        file("client.pem"),
        file("client.key"),
    );

    for (args, good) in [
        (
            vec![
                "verify",
                "-x509_strict",
                "-CAfile",
                &ca,
                "-purpose",
                "sslserver",
                "-verify_ip",
                "127.0.0.1",
                &server,
            ],
            true,
        ),
        (
            vec![
                "verify",
                "-x509_strict",
                "-CAfile",
                &ca,
                "-purpose",
                "sslserver",
                "-verify_hostname",
                "localhost",
                &server,
            ],
            true,
        ),
        (
            vec![
                "verify",
                "-x509_strict",
                "-CAfile",
                &ca,
                "-purpose",
                "sslclient",
                &client,
            ],
            true,
        ),
        (
            vec![
                "verify",
                "-CAfile",
                &ca,
                "-purpose",
                "sslserver",
                "-verify_hostname",
                "example.com",
                &server,
            ],
            false,
        ),
        (
            vec!["verify", "-CAfile", &ca, "-purpose", "sslserver", &client],
            false,
        ),
        (vec!["verify", "-CAfile", &client, &server], false),
    ] {
        let output = openssl(&args);
        assert_eq!(
            output.status.success(),
            good,
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    let connect = [
        "s_client",
        "-connect",
        &address,
        "-CAfile",
        &ca,
        "-verify_return_error",
        "-verify_ip",
        "127.0.0.1",
    ];
    let identity = ["-cert", &client, "-key", &key];
    for (version, identity, good) in [
        ("-tls1_3", &identity[..], true),
        ("-tls1_2", &identity[..], true),
        // Under TLS 1.2 the refusal is part of the handshake.
        ("-tls1_2", &[][..], false),
        ("-tls1_1", &identity[..], false),
    ] {
        let args: Vec<&str> = connect
            .iter()
            .chain([&version])
            .chain(identity)
            .copied()
            .collect();
        let output = openssl(&args);
        let text = String::from_utf8_lossy(&output.stdout);
        let stands = output.status.success() && text.contains("Verify return code: 0 (ok)");
        assert_eq!(
            stands,
            good,
            "{version} {identity:?}: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// `openssl s_server` with a planted certificate, ended with the test.
struct OpensslServer {
    process: Child,
    url: String,
}

impl OpensslServer {
    fn start(tls: &Path, version: &str) -> OpensslServer {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut process = Command::new("openssl")
            .args(["s_server", "-quiet", "-no_ign_eof", "-Verify", "1", version])
            .args(["-cipher", "ALL:@SECLEVEL=0", "-accept", &address])
            .args(["-cert", "server.pem", "-key", "server.key", "-CAfile", "ca.pem"])
            .current_dir(tls)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("openssl can't be run (Debian package: openssl): {error}"));
        while TcpStream::connect(&address).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "openssl s_server ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        let url = format!("https://{address}");
        OpensslServer { process, url }
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_openssl_is_refused_with_the_reason_and_below_tls_1_2_always() {
    let (elsewhere, here) = (["elsewhere.invalid"], ["127.0.0.1"]);
    for (version, hosts, years, revoked, foreign, code) in [
        ("-tls1_3", here, (2000, 4000), None, false, ""),
        ("-tls1_2", here, (2000, 4000), None, false, ""),
        ("-tls1_1", here, (2000, 4000), None, false, "AGENCY_TLS_REFUSED"),
        ("-tls1", here, (2000, 4000), None, false, "AGENCY_TLS_REFUSED"),
        ("-tls1_2", here, (2000, 2001), None, false, "AGENCY_CERT_EXPIRED"),
        (
            "-tls1_2",
            here,
            (3000, 4000),
            None,
            false,
            "AGENCY_CERT_NOT_YET_VALID",
        ),
        (
            "-tls1_2",
            elsewhere,
            (2000, 4000),
            None,
            false,
            "AGENCY_CERT_WRONG_HOST",
        ),
        (
            "-tls1_2",
            here,
            (2000, 4000),
            Some(7),
            false,
            "AGENCY_CERT_REVOKED",
        ),
        (
            "-tls1_3",
            here,
            (2000, 4000),
            Some(7),
            false,
            "AGENCY_CERT_REVOKED",
        ),
        (
            "-tls1_2",
            here,
            (2000, 4000),
            None,
            true,
            "AGENCY_CERT_UNKNOWN_CA",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (tls, other) = (dir.path().join("tls"), dir.path().join("other"));
        plant_server_from(&tls, &hosts, years, revoked);
        plant_server_from(&other, &hosts, years, None);
        let server = OpensslServer::start(&tls, version);
        if foreign {
            fs::copy(other.join("ca.pem"), tls.join("ca.pem")).unwrap();
        }
        let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
        let mut settings = client_settings(&server.url, &tls, &ids);
        settings.timeout = Duration::from_secs(1);
        let answer = Client::new(settings).unwrap().person(&anyone()).await;
        if code.is_empty() {
            // It stands, the request went over it, and openssl has no answer to it.
            assert_eq!(unknown(answer).code(), "AGENCY_TIMEOUT", "{version}");
        } else {
            assert_eq!(not_sent(answer).code(), code, "{version}");
        }
    }
}

/// A PEM file with its bytes changed here, cut or doubled there.
fn broken_pem(sound: &str, changes: &[(Index, u8)], cut: Option<Index>, doubled: bool) -> String {
    let mut lines: Vec<&str> = sound.lines().collect();
    let (first, last) = (lines.remove(0), lines.pop().unwrap());
    let mut der = BASE64_STANDARD.decode(lines.concat()).unwrap();
    for (at, byte) in changes {
        let at = at.index(der.len());
        der[at] = *byte;
    }
    if doubled {
        der.extend_from_within(..);
    }
    if let Some(cut) = cut {
        der.truncate(cut.index(der.len()));
    }
    format!("{first}\n{}\n{last}\n", BASE64_STANDARD.encode(der))
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_broken_certificate_key_or_list_breaks_the_reader(
        which in 0..4_usize,
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..5),
        cut in proptest::option::weighted(0.2, any::<Index>()),
        doubled in proptest::bool::weighted(0.1),
    ) {
        static SOUND: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
            let dir = tempfile::tempdir().unwrap();
            plant_server_from(dir.path(), &["127.0.0.1"], (2000, 4000), Some(7));
            dir
        });
        let ids = Arc::new(MsgIds::new(INSTITUTION, 0));
        let dir = mixed(SOUND.path(), &[]);
        fs::copy(SOUND.path().join("revoked.pem"), dir.path().join("revoked.pem")).unwrap();
        let settings = client_settings("https://127.0.0.1:1", dir.path(), &ids);
        assert!(Client::new(settings.clone()).is_ok());
        let file = dir.path().join(["ca.pem", "client.pem", "client.key", "revoked.pem"][which]);
        let broken = broken_pem(&fs::read_to_string(&file).unwrap(), &changes, cut, doubled);
        fs::write(&file, &broken).unwrap();
        // Taken, or refused with a code that names the file's fault; a certificate's days are read or not.
        if let Err(error) = Client::new(settings) {
            prop_assert!(error.code().starts_with("TLS_"), "{}", error.code());
        }
        let _days = validity(broken.as_bytes());
    }
}

#[tokio::test]
async fn keys_are_private_and_files_are_kept() {
    let mut rig = Rig::start().await;
    let tls = rig.sandbox.as_ref().unwrap().tls_dir();
    let names = [
        "ca.pem",
        "ca.key",
        "server.pem",
        "server.key",
        "client.pem",
        "client.key",
    ];
    let read = || names.map(|name| fs::read(tls.join(name)).unwrap());
    #[cfg(unix)]
    for name in ["ca.key", "server.key", "client.key"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(tls.join(name)).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let before = read();
    rig.restart().await;
    assert_eq!(before, read());
    assert_eq!(refused(rig.client.person(&anyone()).await), "PERSON_UNKNOWN");
    // One that is missing is not made anew under the terminals' feet.
    rig.sandbox.take().unwrap().stop().await;
    fs::rename(tls.join("server.key"), tls.join("elsewhere")).unwrap();
    assert_eq!(
        Sandbox::start(rig.settings.clone()).await.unwrap_err().code(),
        "SANDBOX_TLS_NO_PEM"
    );
    fs::rename(tls.join("elsewhere"), tls.join("server.key")).unwrap();
    rig.restart().await;
    // The address is taken: said with a code.
    let mut settings = rig.settings.clone();
    settings.listen = rig.sandbox.as_ref().unwrap().address();
    settings.data = rig.dir.path().join("second");
    assert_eq!(
        Sandbox::start(settings).await.unwrap_err().code(),
        "SANDBOX_ADDRESS_IN_USE"
    );
}
