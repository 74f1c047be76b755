//! Social-security cards of every generation and addressing, read from a card that shares no code with the reader.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here fails the test"
)]

mod common;

use common::{ALL_WAYS, ForeignCard, Way, hex};
use proptest::prelude::*;
use yijie_hardware::{
    AuthRequest, CardChannel, CardError, Generation, OtherCard, Pin, PinOutcome, Psam, ReaderFault,
    SecurityModule, Sex, SocialCard, VirtualCard, VirtualPsam, read_social_card, read_with_module,
    verify_pin,
};

const BANK: &str = "A000000333010101";

fn assert_whole(card: &SocialCard, version: &str, why: &str) {
    assert_eq!(card.version, version, "{why}");
    assert_eq!(card.region_code, "639900", "{why}");
    assert_eq!(card.card_sn, "639900D15600000500BF7C7A48FB4966", "{why}");
    assert_eq!(card.card_no.as_deref(), Some("X00000019"), "{why}");
    assert_eq!(card.id_no.as_deref(), Some("11010519491231002X"), "{why}");
    assert_eq!(card.name.as_deref(), Some("王小明"), "{why}");
    assert_eq!(card.sex, Some(Sex::Female), "{why}");
    assert_eq!(card.nation.as_deref(), Some("01"), "{why}");
    assert_eq!(card.birthplace.as_deref(), Some("110105"), "{why}");
    assert_eq!(card.birth_date, Some(jiff::civil::date(1949, 12, 31)), "{why}");
    assert_eq!(card.issued_on, Some(jiff::civil::date(2021, 12, 3)), "{why}");
    assert_eq!(card.expires_on, Some(jiff::civil::date(2031, 12, 2)), "{why}");
    assert_eq!(card.atr_history, "00814E43238697159900BF7C7A", "{why}");
}

fn read(card: &mut ForeignCard) -> Result<SocialCard, CardError> {
    read_social_card(card, None)
}

#[test]
fn generations_one_and_two_are_read_whole_by_every_addressing() {
    for (version, generation) in [
        (b"1.00", Generation::First),
        (b"2.00", Generation::Second),
        (b"2.01", Generation::Second),
    ] {
        for bits in 1u8..16 {
            let ways: Vec<Way> = ALL_WAYS
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| bits >> bit & 1 == 1)
                .map(|(_, way)| way)
                .collect();
            for select_p1 in [vec![0x00, 0x02], vec![0x02], vec![0x00]] {
                let mut card = ForeignCard::new(version);
                card.ways = ways.iter().copied().collect();
                card.select_p1 = select_p1;
                let why = format!("{version:?} {ways:?} {:?}", card.select_p1);
                let read = read(&mut card).unwrap_or_else(|error| panic!("{why}: {error:?}"));
                assert_eq!(read.generation, generation);
                assert_whole(&read, std::str::from_utf8(version).unwrap(), &why);
            }
        }
    }
}

#[test]
fn whatever_a_card_says_to_an_unknown_addressing_another_is_tried() {
    for unknown_way in [
        0x6700, 0x6982, 0x6985, 0x6986, 0x6A81, 0x6A83, 0x6A86, 0x6B00, 0x6D00, 0x6F00,
    ] {
        for way in ALL_WAYS {
            let mut card = ForeignCard::new(b"2.00");
            (card.unknown_way, card.ways) = (unknown_way, [way].into());
            assert_whole(
                &read(&mut card).unwrap(),
                "2.00",
                &format!("{unknown_way:04X} {way:?}"),
            );
        }
    }
    let mut card = ForeignCard::new(b"2.00");
    (card.odd_lengths, card.wrong_le) = (true, Some(0x6700));
    assert_whole(&read(&mut card).unwrap(), "2.00", "6700 for a wrong Le");
}

#[test]
fn a_card_that_refuses_every_read_says_with_what() {
    let mut card = ForeignCard::new(b"2.00");
    (card.unknown_way, card.ways) = (0x6F00, [].into());
    let error = read(&mut card).unwrap_err();
    assert_eq!(error.code(), "CARD_REFUSED");
    assert_eq!(
        error.to_string(),
        "the card refused to read the card identification code: status 6F00"
    );
}

#[test]
fn a_card_of_generation_two_takes_at_most_twelve_commands() {
    let mut card = ForeignCard::new(b"2.00");
    assert_whole(&read(&mut card).unwrap(), "2.00", "plain");
    assert_eq!(card.commands_sent(), 12);
    let mut card = ForeignCard::new(b"1.00");
    assert_whole(&read(&mut card).unwrap(), "1.00", "plain");
    assert_eq!(card.commands_sent(), 11);
}

#[test]
fn wrong_lengths_and_answers_in_pieces_are_followed() {
    for (odd_lengths, piecewise) in [(true, None), (false, Some(40)), (false, Some(7)), (true, Some(5))] {
        let mut card = ForeignCard::new(b"2.00");
        card.odd_lengths = odd_lengths;
        card.piecewise = piecewise;
        assert_whole(
            &read(&mut card).unwrap(),
            "2.00",
            &format!("{odd_lengths} {piecewise:?}"),
        );
    }
    // A card that never comes to an end is given up.
    struct Endless;
    impl CardChannel for Endless {
        type Error = std::convert::Infallible;
        fn atr(&self) -> &[u8] {
            &[]
        }
        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Self::Error> {
            Ok(if command[1] == 0xA4 {
                vec![0x90, 0x00]
            } else {
                vec![0x01, 0x61, 0x01]
            })
        }
    }
    assert_eq!(
        read_social_card(&mut Endless, None).unwrap_err().code(),
        "CARD_UNREADABLE"
    );
}

#[test]
fn generation_three_shows_no_holder_without_authentication() {
    for way in ALL_WAYS {
        let mut card = ForeignCard::new(b"3.00");
        card.ways = [way].into();
        let read = read(&mut card).unwrap();
        assert_eq!(
            (read.generation, read.version.as_str()),
            (Generation::Third, "3.00"),
            "{way:?}"
        );
        assert_eq!(
            (&read.card_no, &read.id_no, &read.name),
            (&None, &None, &None),
            "{way:?}"
        );
        assert_eq!(read.card_sn, "639900D15600000500BF7C7A48FB4966");
        assert_eq!(read.sex, Some(Sex::Female));
        assert_eq!(
            read.birth_date,
            Some(jiff::civil::date(1949, 12, 31)),
            "read from its own record"
        );
        assert_eq!(
            read.basic_info_string("T1", "D1"),
            "639900|||639900D15600000500BF7C7A48FB4966||00814E43238697159900BF7C7A|3.00|20211203|20311202|T1|D1|"
        );
    }
    // Some cards answer with blanks instead of a refusal.
    let mut card = ForeignCard::new(b"3.00")
        .with(0x07, b"", 9, 0)
        .with(0x08, b"", 18, 0)
        .with(0x09, b"", 30, 0);
    card.hidden.clear();
    let read = read(&mut card).unwrap();
    assert_eq!((&read.card_no, &read.id_no, &read.name), (&None, &None, &None));
}

#[test]
fn the_basic_information_string_has_the_eleven_items_in_order() {
    let read = read(&mut ForeignCard::new(b"2.00")).unwrap();
    assert_eq!(
        read.basic_info_string("530000000001", ""),
        "639900|11010519491231002X|X00000019|639900D15600000500BF7C7A48FB4966|王小明|00814E43238697159900BF7C7A|2.00|20211203|20311202|530000000001||"
    );
}

#[test]
fn names_long_rare_and_without_extension() {
    let name = |card: ForeignCard| read(&mut card.clone()).unwrap().name.clone();
    assert_eq!(
        name(ForeignCard::new(b"2.00").without(0x4E)).as_deref(),
        Some("王小明")
    );
    // 15 characters fill the record, the rest stands in the extension.
    let (zhang, feng) = (b"\xD5\xC5".repeat(15), b"\xB7\xE1".repeat(3));
    let card = ForeignCard::new(b"2.00")
        .with(0x09, &zhang, 30, 0)
        .with(0x4E, &feng, 20, 0xFF);
    assert_eq!(name(card), Some("张".repeat(15) + "丰丰丰"));
    // A four-byte character across the border of the two.
    let mut bytes = b"\xD5\xC5".repeat(14);
    bytes.extend(b"\x95\x34");
    let card = ForeignCard::new(b"2.00")
        .with(0x09, &bytes, 30, 0)
        .with(0x4E, b"\xB2\x35", 20, 0x00);
    assert_eq!(name(card), Some("张".repeat(14) + "𠮷"));
    assert_eq!(
        name(ForeignCard::new(b"2.00").with(0x09, b"\xCD\xF5\x81\x39\xEF\x31", 30, 0)).as_deref(),
        Some("王㐂")
    );
}

#[test]
fn blank_versions_and_dates_are_tolerated_and_the_birth_date_read_where_the_number_is_none() {
    let read_card = |card: ForeignCard| read(&mut card.clone()).unwrap();
    assert_eq!(
        read_card(ForeignCard::new(b"\0\0\0\0")).generation,
        Generation::Second
    );
    assert_eq!(
        read_card(ForeignCard::new(b"2.00").with(0x06, &[], 4, 0xFF)).expires_on,
        None
    );
    let old = read_card(ForeignCard::new(b"1.00").with(0x08, b"110105491231002", 18, 0));
    assert_eq!(old.id_no.as_deref(), Some("110105491231002"));
    assert_eq!(old.birth_date, Some(jiff::civil::date(1949, 12, 31)));
}

#[test]
fn unreadable_cards_say_which_item_and_never_its_bytes() {
    let cases = [
        (
            "no number",
            ForeignCard::new(b"2.00").without(0x01),
            "CARD_UNREADABLE",
            "card identification code",
        ),
        (
            "short number",
            ForeignCard::new(b"2.00").with(0x01, &[0x63], 3, 0),
            "CARD_UNREADABLE",
            "card identification code",
        ),
        ("version", ForeignCard::new(b"9.00"), "CARD_UNREADABLE", "version"),
        (
            "expiry",
            ForeignCard::new(b"2.00").with(0x06, &[0x20, 0x23, 0x02, 0x30], 4, 0xFF),
            "CARD_UNREADABLE",
            "date of expiry",
        ),
        (
            "name",
            ForeignCard::new(b"2.00").with(0x09, &[0x81, 0x20], 30, 0),
            "CARD_UNREADABLE",
            "name",
        ),
        (
            "id",
            ForeignCard::new(b"2.00").with(0x08, &[0x11, 0x01, 0x05], 18, 0),
            "CARD_UNREADABLE",
            "social security number",
        ),
    ];
    for (why, mut card, code, item) in cases {
        let error = read(&mut card).unwrap_err();
        assert_eq!(error.code(), code, "{why}");
        assert!(error.to_string().contains(item), "{why}: {error}");
    }
}

#[test]
fn other_cards_are_told_apart() {
    for (applications, status, kind) in [
        (vec![hex(BANK)], 0x6A82, OtherCard::Bank),
        (vec![], 0x6A82, OtherCard::Unknown),
        (vec![], 0x6D00, OtherCard::Unknown),
        (vec![], 0x6E00, OtherCard::Unknown),
    ] {
        let mut card = ForeignCard::new(b"2.00");
        card.applications = applications;
        card.unknown_application = status;
        let error = read(&mut card).unwrap_err();
        assert!(
            matches!(error, CardError::NotSocial { kind: found } if found == kind),
            "{status:04X} {error:?}"
        );
        assert_eq!(error.code(), "CARD_NOT_SOCIAL");
    }
    let mut card = ForeignCard::new(b"2.00");
    card.applications.clear();
    card.unknown_application = 0x9303;
    assert_eq!(read(&mut card).unwrap_err().code(), "CARD_LOCKED");
}

#[test]
fn the_pin_is_counted_down_and_locks() {
    let (right, wrong) = (Pin::new("123456").unwrap(), Pin::new("000000").unwrap());
    for mut card in [Card::Foreign(ForeignCard::new(b"2.00")), Card::virtual_card("{}")] {
        assert_whole_or_default(&read_social_card(&mut card, Some(&right)).unwrap());
        for tries_left in [2, 1] {
            let error = read_social_card(&mut card, Some(&wrong)).unwrap_err();
            assert!(
                matches!(error, CardError::PinWrong { tries_left: left } if left == tries_left),
                "{error:?}"
            );
            assert_eq!(error.code(), "PIN_WRONG");
        }
        assert_eq!(verify_pin(&mut card, &wrong).unwrap(), PinOutcome::Locked);
        assert_eq!(verify_pin(&mut card, &right).unwrap(), PinOutcome::Locked);
        assert_eq!(
            read_social_card(&mut card, Some(&right)).unwrap_err().code(),
            "PIN_LOCKED"
        );
    }
    for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
        assert!(Pin::new(text).is_none(), "{text}");
    }
    assert_eq!(format!("{right:?}"), "Pin(…)");
}

/// The test's own card and the crate's, behind one channel.
enum Card {
    Foreign(ForeignCard),
    Virtual(yijie_hardware::virtual_card::InProcessCard),
}

impl Card {
    fn virtual_card(json: &str) -> Self {
        Self::Virtual(VirtualCard::from_json(json).unwrap().in_process())
    }
}

impl CardChannel for Card {
    type Error = ReaderFault;
    fn atr(&self) -> &[u8] {
        match self {
            Self::Foreign(card) => card.atr(),
            Self::Virtual(card) => card.atr(),
        }
    }
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, ReaderFault> {
        Ok(match self {
            Self::Foreign(card) => card.transmit(command)?,
            Self::Virtual(card) => card.transmit(command)?,
        })
    }
}

fn assert_whole_or_default(card: &SocialCard) {
    assert!(card.id_no.is_some() && card.name.is_some(), "{card:?}");
}

#[test]
fn debug_and_errors_hide_the_holder() {
    let card = read(&mut ForeignCard::new(b"2.00")).unwrap();
    let shown = format!("{card:?}");
    for secret in [
        "11010519491231002X",
        "王小明",
        "X00000019",
        "639900D15600000500BF7C7A48FB4966",
        "1949",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let json = serde_json::to_value(&card).unwrap();
    assert_eq!(json["birth_date"], "1949-12-31");
    assert_eq!(json["sex"], "2");
    assert_eq!(json["generation"], "2");
}

proptest! {
    /// Whatever a card answers, reading it ends, and with a value.
    #[test]
    fn random_answers_never_break_the_reader(answers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..30)) {
        struct Random { answers: Vec<Vec<u8>>, next: usize }
        impl CardChannel for Random {
            type Error = std::convert::Infallible;
            fn atr(&self) -> &[u8] {
                &self.answers[0]
            }
            fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, Self::Error> {
                self.next += 1;
                let mut answer = self.answers[self.next % self.answers.len()].clone();
                if !self.next.is_multiple_of(3) {
                    answer.extend([0x90, 0x00]);
                }
                Ok(answer)
            }
        }
        let _ = read_social_card(&mut Random { answers, next: 0 }, None);
    }

    /// A real card whose answers come with bytes changed, missing or added: it is read or refused with a code, the words
    /// of which name nobody, and reading it ends.
    #[test]
    fn spoilt_answers_of_a_real_card_are_read_or_told(
        version in proptest::sample::select(vec![b"1.00", b"2.00", b"3.00"]),
        spoilt in proptest::collection::vec((0usize..30, 0usize..40, any::<u8>(), 0u8..3), 1..4),
    ) {
        struct Spoilt { card: ForeignCard, spoilt: Vec<(usize, usize, u8, u8)>, commands: usize }
        impl CardChannel for Spoilt {
            type Error = std::convert::Infallible;
            fn atr(&self) -> &[u8] {
                self.card.atr()
            }
            fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Self::Error> {
                let mut answer = self.card.transmit(command)?;
                for (_, at, byte, how) in self.spoilt.iter().filter(|spoilt| spoilt.0 == self.commands) {
                    let at = at % answer.len().max(1);
                    match how {
                        0 if !answer.is_empty() => answer[at] = *byte,
                        1 => answer.truncate(at),
                        _ => answer.insert(at, *byte),
                    }
                }
                self.commands += 1;
                Ok(answer)
            }
        }
        let mut card = Spoilt { card: ForeignCard::new(version), spoilt, commands: 0 };
        let read = read_with_module(&mut card, None, Some(&mut Psam(VirtualPsam::new())));
        prop_assert!(card.commands < 300, "{} commands", card.commands);
        if let Err(error) = read {
            let words = format!("{error} {error:?} {}", error.code());
            for secret in ["11010519491231002X", "王小明", "X00000019"] {
                prop_assert!(!words.contains(secret), "{}", words);
            }
        }
    }
}

#[test]
fn a_card_of_generation_three_opens_to_the_right_module_only() {
    let card = |region: &str| {
        let person = format!(r#"{{"version": "3.00", "card_sn": "{region}D1560000050000000000000001"}}"#);
        VirtualCard::from_json(&person).unwrap().in_process()
    };
    let mut module = Psam(VirtualPsam::new());
    let read = read_with_module(&mut card("530100"), None, Some(&mut module)).unwrap();
    assert_eq!(read.name.as_deref(), Some("张三"));
    assert_eq!(read.card_no.as_deref(), Some("A12345678"));
    // The same module, another card: it has a key of its own.
    let other = read_with_module(&mut card("510400"), None, Some(&mut module)).unwrap();
    assert_eq!(other.id_no.as_deref(), Some("530102195803020019"));

    /// A module with other keys.
    struct Wrong;
    impl SecurityModule for Wrong {
        fn cryptogram(&mut self, _: &AuthRequest) -> Result<[u8; 8], CardError> {
            Ok([0x5A; 8])
        }
    }
    let mut guarded = card("530100");
    for tries_left in [Some(4), Some(3), Some(2), Some(1), Some(0), None] {
        match read_with_module(&mut guarded, None, Some(&mut Wrong)) {
            Err(CardError::NotAuthenticated { status }) => assert_eq!(status.tries_left(), tries_left),
            other => panic!("{other:?}"),
        }
    }
    let right = read_with_module(&mut guarded, None, Some(&mut module)).unwrap_err();
    assert_eq!(right.code(), "PSAM_NOT_ACCEPTED", "locked for good");
    // A card of generation 2.0 asks for none.
    let mut second = VirtualCard::from_json("{}").unwrap().in_process();
    assert!(read_with_module(&mut second, None, Some(&mut Wrong)).is_ok());
}
