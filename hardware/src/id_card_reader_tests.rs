//! Frames and texts of an identity-card reader as no reader should send them.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_frame_comes_whole_through_noise_and_no_spoilt_byte_is_taken_for_it(
        said in proptest::collection::vec(any::<u8>(), 1..300),
        noise in proptest::collection::vec(0u8..0xAA, 0..20),
        at in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let frame = framed(&said);
        let sent = [&noise[..], &frame].concat();
        prop_assert_eq!(unframed(&sent), Frame::Whole(&said));
        for end in 0..sent.len() {
            prop_assert_eq!(unframed(&sent[..end]), Frame::Unfinished);
        }
        let mut spoilt = frame.clone();
        spoilt[at.index(frame.len())] ^= 1 << bit;
        prop_assert_ne!(unframed(&spoilt), Frame::Whole(&said));
    }

    #[test]
    fn random_bytes_are_a_frame_or_none_and_a_card_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = (unframed(&bytes), IdCard::from_text(&bytes));
        let framed = [&PREAMBLE[..], &bytes].concat();
        let _ = unframed(&framed);
    }
}
