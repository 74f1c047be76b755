//! SM2, SM3 and SM4 against the system's `openssl`, both ways, with keys either side made.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use yijie_agency::{CipherKey, SignKey, SignatureForm, VerifyKey, sm3_hex};

const ID: &str = "distid:1234567812345678";
const MESSAGES: [&[u8]; 3] = [b"", "{\"data\":{\"psn_no\":\"甲\"}}".as_bytes(), &[0; 1000]];

/// What openssl answers; None: it says no.
fn openssl(dir: &Path, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn verified_by_openssl(dir: &Path, message: &[u8], der: &[u8]) -> bool {
    fs::write(dir.join("message"), message).unwrap();
    fs::write(dir.join("signature"), der).unwrap();
    let arguments = [
        "dgst",
        "-sm3",
        "-verify",
        "public.pem",
        "-signature",
        "signature",
        "-sigopt",
        ID,
        "message",
    ];
    openssl(dir, &arguments, b"").is_some()
}

#[test]
fn openssl_verifies_what_is_signed_here() {
    let dir = tempfile::tempdir().unwrap();
    let key = SignKey::generate().unwrap();
    fs::write(dir.path().join("public.pem"), key.verify_key().to_pem().unwrap()).unwrap();
    for message in MESSAGES {
        let der = hex(&key.sign(message, SignatureForm::HexDer).unwrap());
        assert!(verified_by_openssl(dir.path(), message, &der));
        assert!(!verified_by_openssl(dir.path(), b"another", &der));
    }
    // openssl takes the private key as its own.
    fs::write(dir.path().join("own.pem"), &*key.to_pem().unwrap()).unwrap();
    let public = openssl(dir.path(), &["pkey", "-in", "own.pem", "-pubout"], b"").unwrap();
    assert_eq!(
        VerifyKey::read(std::str::from_utf8(&public).unwrap())
            .unwrap()
            .to_pem(),
        key.verify_key().to_pem()
    );
}

#[test]
fn what_openssl_signs_verifies_here() {
    let dir = tempfile::tempdir().unwrap();
    openssl(
        dir.path(),
        &["genpkey", "-algorithm", "SM2", "-out", "own.pem"],
        b"",
    )
    .unwrap();
    let public = openssl(
        dir.path(),
        &["pkey", "-in", "own.pem", "-pubout", "-out", "public.pem"],
        b"",
    );
    public.unwrap();
    let verify = VerifyKey::read(&fs::read_to_string(dir.path().join("public.pem")).unwrap()).unwrap();
    for message in MESSAGES {
        fs::write(dir.path().join("message"), message).unwrap();
        let arguments = ["dgst", "-sm3", "-sign", "own.pem", "-sigopt", ID, "message"];
        let signature = BASE64_STANDARD.encode(openssl(dir.path(), &arguments, b"").unwrap());
        assert!(verify.verifies(message, &signature));
        assert!(!verify.verifies(b"another", &signature));
    }
    // A key that openssl made signs here.
    let own = SignKey::read(&fs::read_to_string(dir.path().join("own.pem")).unwrap()).unwrap();
    let der = hex(&own.sign(b"x", SignatureForm::HexDer).unwrap());
    assert!(verified_by_openssl(dir.path(), b"x", &der));
}

#[test]
fn sm3_and_sm4_are_the_same_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let (key, key_hex) = (b"0123456789abcdef", "30313233343536373839616263646566");
    let cipher = CipherKey::new(key).unwrap();
    for message in MESSAGES {
        let digest = openssl(dir.path(), &["dgst", "-sm3", "-binary"], message).unwrap();
        assert_eq!(hex(&sm3_hex(message)), digest);
        let sealed = openssl(dir.path(), &["enc", "-sm4-ecb", "-K", key_hex], message).unwrap();
        assert_eq!(BASE64_STANDARD.decode(cipher.seal(message)).unwrap(), sealed);
        let opened = openssl(dir.path(), &["enc", "-d", "-sm4-ecb", "-K", key_hex], &sealed).unwrap();
        assert_eq!(opened, message);
        assert_eq!(cipher.open(&BASE64_STANDARD.encode(sealed)), Some(opened));
    }
}
