//! Transcripts: recorded around a channel, replayed strictly. The one in the folder is of a test card.

mod common;

use common::ForeignCard;
use yijie_hardware::transcript::{RecordingChannel, Transcript, TranscriptError};
use yijie_hardware::{CardChannel, read_social_card};

const GENERATION_TWO: &str = include_str!("transcripts/generation-2.jsonl");

#[test]
fn a_recorded_card_is_read_again_without_the_card() {
    let mut replay = Transcript::from_jsonl(GENERATION_TWO).unwrap().replay();
    let card = read_social_card(&mut replay, None).unwrap();
    assert_eq!(
        card.basic_info_string("", ""),
        "639900|11010519491231002X|X00000019|639900D15600000500BF7C7A48FB4966|王小明|00814E43238697159900BF7C7A|2.00|20211203|20311202|||"
    );
    replay.finish().unwrap();
}

#[test]
fn a_recording_is_the_conversation_and_nothing_else() {
    let mut recording = RecordingChannel::new(ForeignCard::new(b"2.00"));
    read_social_card(&mut recording, None).unwrap();
    let transcript = recording.into_transcript();
    assert_eq!(transcript.len(), 12);
    assert_eq!(transcript.to_jsonl(), GENERATION_TWO);
    assert_eq!(
        Transcript::from_jsonl(&transcript.to_jsonl()).unwrap(),
        transcript
    );
    assert!(
        !format!("{transcript:?}").contains("10519491231002"),
        "no card data in Debug"
    );
}

#[test]
fn another_command_one_more_or_one_less_fails_the_replay() {
    let transcript = Transcript::from_jsonl(GENERATION_TWO).unwrap();
    assert_eq!(
        transcript.clone().replay().finish().unwrap_err().code(),
        "TRANSCRIPT_LEFT_OVER"
    );

    let mut replay = transcript.clone().replay();
    let error = replay.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08]).unwrap_err();
    assert!(
        matches!(error, TranscriptError::Mismatch { number: 1 }),
        "{error:?}"
    );

    let mut replay = transcript.clone().replay();
    read_social_card(&mut replay, None).unwrap();
    let error = replay.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08]).unwrap_err();
    assert!(
        matches!(error, TranscriptError::Mismatch { number: 13 }),
        "{error:?}"
    );

    // A terminal that shows a PIN where none was recorded.
    let pin = yijie_hardware::Pin::new("123456");
    let error = read_social_card(&mut transcript.replay(), pin.as_ref()).unwrap_err();
    assert_eq!(error.code(), "READER_FAULT");
}

#[test]
fn broken_transcripts_name_the_line() {
    for (text, line) in [
        ("", 1),
        ("{\"tx\":\"00\",\"rx\":\"9000\"}\n", 1),
        ("{\"atr\":\"3B\"}\n{\"tx\":\"00\",\"rx\":\"900\"}\n", 2),
        ("{\"atr\":\"3B\"}\n{\"tx\":\"00\",\"rx\":\"9000\"}\nnonsense\n", 3),
    ] {
        let error = Transcript::from_jsonl(text).unwrap_err();
        assert_eq!(error.code(), "TRANSCRIPT_INVALID");
        assert!(
            matches!(error, TranscriptError::Line { line: found, .. } if found == line),
            "{error:?}"
        );
    }
}
