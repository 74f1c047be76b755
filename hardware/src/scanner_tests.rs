//! Tests of framing and classification.

use super::*;
use proptest::prelude::*;

const SILENCE: Duration = Duration::from_millis(500);

fn kind(text: &str) -> CodeKind {
    classify(text).kind
}

fn texts(framed: Vec<Framed>) -> Vec<String> {
    framed
        .into_iter()
        .map(|framed| match framed {
            Framed::Scan(scan) => scan.text,
            Framed::Garbage => "<garbage>".to_owned(),
        })
        .collect()
}

#[test]
fn classifies_codes() {
    let cases = [
        ("81773220288616423835", CodeKind::TraceCode),
        ("]C081773220288616423835", CodeKind::TraceCode),
        ("6901234567892", CodeKind::Gtin),
        ("]E06901234567892", CodeKind::Gtin),
        ("96385074", CodeKind::Gtin),
        ("6901234567893", CodeKind::Unknown),
        ("11010519491231002X", CodeKind::IdNumber),
        ("110105194912310021", CodeKind::Unknown),
        ("1234567890123456789012345678", CodeKind::InsuranceCode),
        ("]Q11234567890123456789012345678", CodeKind::InsuranceCode),
        ("ADBHJRS5I01E0F3438C00000B959FA88", CodeKind::InsuranceCode),
        ("]X1", CodeKind::Unknown),
        ("https://example.com/aaaaaaaaaaaaaaaaaaaaa", CodeKind::Unknown),
        ("医保码医保码医保码医保码医保码医保码医保码", CodeKind::Unknown),
        ("two words and then some more words", CodeKind::Unknown),
        ("12345", CodeKind::Unknown),
        ("(01)06901234567893", CodeKind::Unknown),
        ("(01)06901234567892(10", CodeKind::Unknown),
        ("", CodeKind::Unknown),
    ];
    for (text, expected) in cases {
        assert_eq!(kind(text), expected, "{text}");
    }
    let gs1 = CodeKind::Gs1 {
        gtin: Some("06901234567892".to_owned()),
        lot: Some("AB12".to_owned()),
        expires_on: Some(jiff::civil::date(2028, 12, 31)),
        serial: None,
    };
    for text in [
        "]d201069012345678921728123110AB12",
        "01069012345678921728123110AB12",
        "\u{1D}01069012345678921728123110AB12",
        "(01)06901234567892(17)281231(10)AB12",
        "]C1(01)06901234567892(10)AB12(17)281231",
    ] {
        assert_eq!(kind(text), gs1, "{text:?}");
    }
    // GS1 by its mark, and no element string: never taken for a person's code.
    assert_eq!(
        kind("]d29999999999999999999999999999999X"),
        CodeKind::Gs1 {
            gtin: None,
            lot: None,
            expires_on: None,
            serial: None
        }
    );
    assert_eq!(kind("]d2A9999999999999999999999999999999X"), CodeKind::Unknown);
}

#[test]
fn debug_hides_what_may_be_personal() {
    for text in [
        "1234567890123456789012345678",
        "11010519491231002X",
        "110105194912310021",
        "王小明",
    ] {
        assert!(!format!("{:?}", classify(text)).contains(text));
    }
    assert!(format!("{:?}", classify("6901234567892")).contains("6901234567892"));
}

#[test]
fn a_scan_is_one_flat_object_in_json() {
    let json = serde_json::to_value(classify("]E06901234567892")).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"kind": "gtin", "text": "6901234567892", "symbology": "]E0"})
    );
    let json = serde_json::to_value(classify("010690123456789217281231")).unwrap();
    assert_eq!(
        (&json["kind"], &json["expires_on"]),
        (&"gs1".into(), &"2028-12-31".into())
    );
}

#[test]
fn frames_by_every_terminator() {
    let now = Instant::now();
    let mut framer = Framer::new(SILENCE);
    let bytes = b"6901234567892\r11\r\n22\n33\t44\r\t55\n\r\r\n";
    assert_eq!(
        texts(framer.push(bytes, now)),
        ["6901234567892", "11", "22", "33", "44", "55"]
    );
}

#[test]
fn silence_ends_a_code_of_a_scanner_without_terminator() {
    let start = Instant::now();
    let mut framer = Framer::new(SILENCE);
    assert_eq!(framer.push(b"69012345", start), []);
    assert_eq!(framer.push(b"67892", start + SILENCE / 2), []);
    assert_eq!(framer.pass_time(start + SILENCE), None);
    let framed = framer.pass_time(start + SILENCE * 3 / 2).unwrap();
    assert_eq!(texts(vec![framed]), ["6901234567892"]);
    assert_eq!(framer.pass_time(start + SILENCE * 9), None);
}

#[test]
fn where_terminators_are_used_an_unfinished_code_never_becomes_one() {
    let start = Instant::now();
    let mut framer = Framer::new(SILENCE);
    assert_eq!(texts(framer.push(b"1111\r22", start)), ["1111"]);
    assert_eq!(framer.pass_time(start + SILENCE), None);
    assert_eq!(
        framer.pass_time(start + UNFINISHED_AGE_MAX),
        Some(Framed::Garbage)
    );
    assert_eq!(
        texts(framer.push(b"3333\r", start + UNFINISHED_AGE_MAX)),
        ["3333"]
    );
}

#[test]
fn garbage_is_said_to_be_garbage() {
    let now = Instant::now();
    for bytes in [
        &b"\xF8\x00\x80\x78\r"[..],
        b"abc\x01def\r",
        b"\xFF\xFF\xFE\r",
        b"12\x7F34\r",
    ] {
        assert_eq!(
            Framer::new(SILENCE).push(bytes, now),
            [Framed::Garbage],
            "{bytes:x?}"
        );
    }
    let mut framer = Framer::new(SILENCE);
    let mut long = vec![b'1'; CODE_LENGTH_MAX + 1];
    long.extend_from_slice(b"\r6901234567892\r");
    assert_eq!(texts(framer.push(&long, now)), ["<garbage>", "6901234567892"]);
}

#[test]
fn chinese_is_read_in_both_encodings() {
    let now = Instant::now();
    let mut bytes = "阿莫西林胶囊".as_bytes().to_vec();
    bytes.push(b'\r');
    bytes.extend_from_slice(&GB18030.encode("阿莫西林胶囊").0);
    bytes.push(b'\r');
    assert_eq!(
        texts(Framer::new(SILENCE).push(&bytes, now)),
        ["阿莫西林胶囊", "阿莫西林胶囊"]
    );
}

proptest! {
    /// However the bytes of many codes are cut, each code comes out once, in order.
    #[test]
    fn no_split_loses_or_doubles_a_code(
        codes in proptest::collection::vec("[0-9A-Za-z]{1,40}", 1..50),
        ends in proptest::collection::vec(proptest::sample::select(vec!["\r", "\n", "\r\n", "\t", "\r\t"]), 50),
        cuts in proptest::collection::vec(0usize..2200, 0..60),
    ) {
        let bytes: Vec<u8> = codes.iter().zip(&ends).flat_map(|(code, end)| [code.as_bytes(), end.as_bytes()].concat()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let (mut framer, now, mut from, mut got) = (Framer::new(SILENCE), Instant::now(), 0, Vec::new());
        for cut in cuts {
            got.extend(texts(framer.push(&bytes[from..cut], now)));
            from = cut;
        }
        prop_assert_eq!(got, codes);
    }

    #[test]
    fn random_bytes_never_break_the_framer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let now = Instant::now();
        let mut framer = Framer::new(SILENCE);
        framer.push(&bytes, now);
        framer.pass_time(now + SILENCE);
    }
}
