//! The mapping, both ways and over both carriers.

use super::*;
use crate::syncml::*;

fn sample() -> Message<'static> {
    let hex = "02 A4 01 6A 00 6D 6C 71 03 31 2E 32 00 01 72 C3 0A 53 79 6E 63 4D 4C 2F 31 2E 32 01 65 03 31 00 01 5B 03 31 00 01 \
        6E 57 03 78 00 01 01 67 57 03 49 4D 45 49 3A 31 00 01 01 5A 00 01 4C 03 31 36 33 38 34 00 01 01 01 \
        00 00 6B 46 4B 03 31 00 01 4F 03 32 30 31 00 01 54 6E 57 03 63 00 01 01 5A 00 01 45 4A 03 30 00 01 4F 03 31 00 01 01 01 01 01 00 00 12 01 01";
    let bytes: Vec<u8> = hex
        .split_whitespace()
        .map(|b| u8::from_str_radix(b, 16).unwrap())
        .collect();
    decode(&bytes, Carrier::Wbxml, &Limits::default())
        .unwrap()
        .into_owned()
}

#[test]
fn a_message_survives_both_carriers() {
    let message = sample();
    assert_eq!(message.header.version(), Some(Version::V12));
    assert_eq!(
        message.header.meta.as_ref().unwrap().max_msg_size,
        Some(16384)
    );
    assert!(message.last);
    for carrier in [Carrier::Xml, Carrier::Wbxml] {
        let form = Form::new(carrier, Version::V12);
        let bytes = encode(&message, &form);
        assert_eq!(
            decode(&bytes, carrier, &Limits::default()).unwrap(),
            message,
            "{carrier:?} {}",
            String::from_utf8_lossy(&bytes)
        );
        let sum = header_len(&message.header, &form)
            + message
                .body
                .iter()
                .map(|c| encoded_len(c, &form))
                .sum::<usize>();
        assert!(
            sum >= bytes.len() && sum <= bytes.len() + 16,
            "{sum} {}",
            bytes.len()
        );
    }
}
