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
const MESSAGES: [&[u8]; 7] = [
    b"",
    "{\"data\":{\"psn_no\":\"甲\"}}".as_bytes(),
    &[1; 15],
    &[2; 16],
    &[3; 17],
    &[0; 1000],
    &[4; 200_000],
];

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
    // What is longer than a pipe holds is answered while it is written.
    let (mut to, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writes = std::thread::spawn(move || to.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writes.join().unwrap().unwrap();
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
    let verify = VerifyKey::read(fs::read_to_string(dir.path().join("public.pem")).unwrap()).unwrap();
    for message in MESSAGES {
        fs::write(dir.path().join("message"), message).unwrap();
        let arguments = ["dgst", "-sm3", "-sign", "own.pem", "-sigopt", ID, "message"];
        let signature = BASE64_STANDARD.encode(openssl(dir.path(), &arguments, b"").unwrap());
        assert!(verify.verifies(message, &signature));
        assert!(!verify.verifies(b"another", &signature));
    }
    // A key that openssl made signs here.
    let own = SignKey::read(fs::read_to_string(dir.path().join("own.pem")).unwrap()).unwrap();
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

/// As files hold keys: PKCS#8 and SEC 1, in PEM and DER, the bare number and point, in hex, Base64 and as they are.
#[test]
fn keys_that_openssl_writes_in_any_form_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| openssl(dir.path(), arguments, b"").unwrap();
    fs::write(dir.path().join("own.pem"), run(&["genpkey", "-algorithm", "SM2"])).unwrap();
    fs::write(
        dir.path().join("public.pem"),
        run(&["pkey", "-in", "own.pem", "-pubout"]),
    )
    .unwrap();
    let message = b"{}";
    let text = String::from_utf8(run(&["pkey", "-in", "own.pem", "-text", "-noout"])).unwrap();
    let number = |from: &str, to: &str| {
        let rest = text.split(from).nth(1).unwrap();
        let digits = rest.split(to).next().unwrap();
        hex(&digits.replace([':', ' ', '\n'], ""))
    };
    let (private, point) = (number("priv:", "pub:"), number("pub:", "ASN1"));
    let pkcs8 = run(&["pkcs8", "-topk8", "-nocrypt", "-in", "own.pem", "-outform", "DER"]);
    let sec1 = run(&["pkey", "-in", "own.pem", "-traditional", "-outform", "DER"]);
    assert_ne!(sec1, pkcs8);
    let private_keys = [
        run(&["pkey", "-in", "own.pem"]),
        pem("SM2 PRIVATE KEY", &sec1).into_bytes(),
        pem("EC PRIVATE KEY", &sec1).into_bytes(),
        sec1,
        BASE64_STANDARD.encode(&pkcs8).into_bytes(),
        pkcs8,
        BASE64_STANDARD.encode(&private).into_bytes(),
        hex_of(&private).into_bytes(),
        hex_of(&[&[0], &private[..]].concat()).into_bytes(),
        private,
    ];
    for (nth, key) in private_keys.iter().enumerate() {
        let key = SignKey::read(key).unwrap_or_else(|error| panic!("private key {nth}: {error}"));
        let der = hex(&key.sign(message, SignatureForm::HexDer).unwrap());
        assert!(
            verified_by_openssl(dir.path(), message, &der),
            "private key {nth}"
        );
    }
    // What openssl made of both at once: the curve's name stands before the key.
    let both = run(&["ecparam", "-name", "SM2", "-genkey"]);
    SignKey::read(&both).unwrap();

    fs::write(dir.path().join("message"), message).unwrap();
    let signature = BASE64_STANDARD.encode(run(&[
        "dgst", "-sm3", "-sign", "own.pem", "-sigopt", ID, "message",
    ]));
    let info = run(&["pkey", "-in", "own.pem", "-pubout", "-outform", "DER"]);
    let public_keys = [
        run(&["pkey", "-in", "own.pem", "-pubout"]),
        BASE64_STANDARD.encode(&info).into_bytes(),
        info,
        hex_of(&point).into_bytes(),
        hex_of(&point[1..]).into_bytes(),
        BASE64_STANDARD.encode(&point).into_bytes(),
        point,
    ];
    for (nth, key) in public_keys.iter().enumerate() {
        let key = VerifyKey::read(key).unwrap_or_else(|error| panic!("public key {nth}: {error}"));
        assert!(key.verifies(message, &signature), "public key {nth}");
        assert!(!key.verifies(b"[]", &signature), "public key {nth}");
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    let lines = BASE64_STANDARD.encode(der);
    let (first, rest) = lines.split_at(64);
    format!("-----BEGIN {kind}-----\n{first}\n{rest}\n-----END {kind}-----\n")
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
