//! Octets as people paste them.

use anyhow::bail;

/// The octets that hex stands for (blanks, line breaks, `0x`, `\x`, colons, commas and hyphens between them are taken); the
/// input itself if it is not hex.
pub fn octets(input: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let Some(digits) = hex_digits(&input) else {
        return Ok(input);
    };
    if digits.len() % 2 != 0 {
        bail!("hex with an odd number of digits ({})", digits.len());
    }
    Ok(digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

/// The values of the digits; `None` if the input is not hex.
fn hex_digits(input: &[u8]) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(input.len());
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if matches!(
            (byte, input.get(at + 1)),
            (b'0', Some(b'x' | b'X')) | (b'\\', Some(b'x'))
        ) {
            at += 2;
            continue;
        }
        match char::from(byte).to_digit(16) {
            Some(value) => digits.push(value as u8),
            None if byte.is_ascii_whitespace() || matches!(byte, b':' | b',' | b'-') => {}
            None => return None,
        }
        at += 1;
    }
    (!digits.is_empty()).then_some(digits)
}
