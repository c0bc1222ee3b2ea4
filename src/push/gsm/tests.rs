//! Known answers, every character, there and back.

use proptest::prelude::*;

use super::*;
use crate::push::tests::hex;

#[test]
fn known_texts_are_packed_as_phones_pack_them() {
    for (text_of, packed) in [
        ("hellohello", "E8329BFD4697D9EC37"),
        ("SYNC", "D3AC7308"),
        ("", ""),
    ] {
        let septets = septets(text_of).unwrap();
        assert_eq!(pack(&septets, 0), hex(packed), "{text_of}");
        assert_eq!(text(&unpack(&hex(packed), septets.len(), 0)), text_of);
    }
    assert_eq!(septets("€[~]"), Ok(hex("1B65 1B3C 1B3D 1B3E")));
    assert_eq!(text(&hex("1B65 1B3C 1B41 1B1B 1B")), "€[A?");
}

#[test]
fn what_the_alphabet_lacks_is_named() {
    assert_eq!(septets("aя"), Err(BuildError::Character('я')));
    assert_eq!(
        septets("\u{FFFF}"),
        Err(BuildError::Character('\u{FFFF}')),
        "the place of the escape is no character"
    );
}

#[test]
fn ucs_2_holds_the_rest() {
    assert_eq!(ucs2("Aя😀"), hex("0041 044F D83D DE00"));
    assert_eq!(ucs2_text(&hex("0041 044F D83D DE00 00")), "Aя😀");
    assert_eq!(ucs2_text(&hex("D83D")), "\u{FFFD}");
}

proptest! {
    #[test]
    fn everything_comes_back(codes in prop::collection::vec(0..128_u8, 0..160), fill in 0..7_u8) {
        let packed = pack(&codes, fill);
        prop_assert_eq!(&unpack(&packed, codes.len(), fill), &codes);
        let shown = text(&codes);
        if !codes.contains(&ESCAPE) {
            prop_assert_eq!(septets(&shown), Ok(codes));
        }
    }
}
