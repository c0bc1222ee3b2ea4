//! What holds of any input.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn integers_survive(value: u32) {
        let mut bytes = Vec::new();
        integer(&mut bytes, value);
        prop_assert!(bytes.len() <= 5 && (bytes.len() == 1 || bytes[0] != 0x80));
        let mut pos = 0;
        prop_assert_eq!(header::integer(&bytes, &mut pos), Ok(value));
        prop_assert_eq!(pos, bytes.len());
    }

    #[test]
    fn what_is_read_from_noise_is_written_and_read_alike(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [hex(r#"02 A4 01 6A 06 "Odd" 00 "x" 00 6D"#), noise].concat();
        let events: Vec<_> = Decoder::new(&bytes, &Limits::default()).unwrap().map_while(Result::ok).collect();
        let mut depth = 0_usize;
        for event in &events {
            match event {
                Event::Start { .. } => depth += 1,
                Event::End => depth -= 1,
                _ => {}
            }
        }
        let foreign = |event: &Event<'_>| matches!(event, Event::Start { name: Name::Tag(tag), .. } if tag.space() > 2);
        prop_assume!(!events.iter().any(foreign));
        let whole = events.into_iter().chain(std::iter::repeat_n(Event::End, depth)).collect::<Vec<_>>();
        let written = encode(&SYNCML, 2, 0x1201, whole.clone()).unwrap();
        let again: Vec<_> = Decoder::new(&written, &Limits::default()).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(again, whole);
    }
}
