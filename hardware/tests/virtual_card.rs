//! The virtual card, spoken to in raw bytes: whoever reads real cards must be able to read it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here fails the test"
)]

use yijie_hardware::virtual_card::InProcessCard;
use yijie_hardware::{CardChannel, Generation, VirtualCard, read_social_card};

const SELECT: &str = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF";

fn card(json: &str) -> InProcessCard {
    VirtualCard::from_json(json).unwrap().in_process()
}

/// Sends commands and expects answers, all in hexadecimal.
fn check(json: &str, exchanges: &[(&str, &str)]) {
    let mut card = card(json);
    for (index, (command, expected)) in exchanges.iter().enumerate() {
        let answer = card.transmit(&hex(command)).unwrap();
        let answer: String = answer.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(answer, expected.replace(' ', ""), "command {index}: {command}");
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|index| u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).unwrap())
        .collect()
}

#[test]
fn takes_all_four_record_addressings_and_both_selects() {
    let id = "0812 353330313032313935383033303230303139 9000";
    let sex = "0A01 31 9000";
    check(
        "{}",
        &[
            (SELECT, "611B"),
            (
                "00C000001B",
                "6F19840F7378312E73682EC9E7BBE1B1A3D5CFA5069F0C03860103 9000",
            ),
            // by tag and by number with short file identifier
            ("00B2083014", id),
            ("00B20A3003", sex),
            ("00B2013414", id),
            ("00B2043403", sex),
            ("00B2032806", "0304 322E3030 9000"),
            ("00B2032C06", "0304 322E3030 9000"),
            // by tag and by number in the selected file
            ("00A4020002EF06", "9000"),
            ("00B2080014", id),
            ("00B2010414", id),
            ("00B2040403", sex),
            ("00A4000002EF05", "9000"),
            ("00B2030006", "0304 322E3030 9000"),
            ("00B2030406", "0304 322E3030 9000"),
            ("00B2050000", "0504 20200101 9000"),
        ],
    );
}

#[test]
fn refuses_as_real_cards_do() {
    check(
        r#"{"version":"1.00"}"#,
        &[
            ("00B2032806", "6A82"),
            ("00A4040008A000000333010101", "6A82"),
            (SELECT, "611B"),
            ("00C0000010", "6C1B"),
            ("00C000001B", "6985"),
            ("00B2033004", "6A83"),
            ("00B2083012", "6C14"),
            ("00B24E3016", "6A83"),
            ("00B2033403", "0A01 31 9000"),
            ("00A4020002EF0C", "6A82"),
            ("00B2083114", "6A86"),
            ("0086000008", "6D00"),
            ("80B2083014", "6E00"),
            ("00B2", "6700"),
            ("0020000003111111", "63C2"),
            ("0020000003123456", "9000"),
            ("0020000003111111", "63C2"),
            ("0020000003111111", "63C1"),
            ("0020000003111111", "63C0"),
            ("0020000003123456", "6983"),
        ],
    );
    check(
        r#"{"version":"3.00"}"#,
        &[
            (SELECT, "611B"),
            ("00B2083014", "6982"),
            ("00B207280B", "6982"),
            ("00B20A3003", "0A0131 9000"),
        ],
    );
}

#[test]
fn is_read_as_the_person_file_says() {
    let read = read_social_card(
        &mut card(
            r#"{"version":"2.01","card_sn":"653100D1560000050102030405060708","card_no":"Q1234567X","id_no":"650102198507070012",
                "name":"阿卜杜热合曼·麦麦提依明·吐尔逊江","sex":"1","nation":"05","birthplace":"650102","birth_date":"19850707",
                "issued_on":"20190501","expires_on":"20290430","atr":"3B6D000000855431008660650001020304","pin":"654321"}"#,
        ),
        None,
    )
    .unwrap();
    assert_eq!(read.generation, Generation::Second);
    assert_eq!(
        read.basic_info_string("", ""),
        "653100|650102198507070012|Q1234567X|653100D1560000050102030405060708|阿卜杜热合曼·麦麦提依明·吐尔逊江|00855431008660650001020304|2.01|20190501|20290430|||"
    );
    assert_eq!(
        (read.nation.as_deref(), read.birthplace.as_deref()),
        (Some("05"), Some("650102"))
    );

    let default = read_social_card(&mut card("{}"), None).unwrap();
    assert_eq!(default.name.as_deref(), Some("张三"));
    assert_eq!(
        default.birth_date,
        Some(jiff::civil::date(1958, 3, 2)),
        "the default number's check digit holds"
    );
    assert_eq!(default.atr_history, "00814E43218660000000000001");
}

#[test]
fn person_files_that_fit_on_no_card_are_refused_by_field() {
    for (json, says) in [
        ("{", "PERSON_FILE_INVALID"),
        (r#"{"nmae":"x"}"#, "PERSON_FILE_INVALID"),
        (r#"{"card_no":"1234567890"}"#, "`card_no`"),
        (r#"{"birth_date":"1958-03-02"}"#, "`birth_date`"),
        (r#"{"pin":"12"}"#, "`pin`"),
        (r#"{"atr":"3"}"#, "`atr`"),
        (
            r#"{"version":"1.00","name":"张张张张张张张张张张张张张张张张"}"#,
            "`name`",
        ),
        (
            r#"{"name":"张张张张张张张张张张张张张张张张张张张张张张张张张张"}"#,
            "`name`",
        ),
    ] {
        let error = VirtualCard::from_json(json).unwrap_err();
        assert_eq!(error.code(), "PERSON_FILE_INVALID");
        assert!(
            says == error.code() || error.to_string().contains(says),
            "{json}: {error}"
        );
    }
}
