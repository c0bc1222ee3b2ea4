//! Dates in opaque data: decimal digits in the halves of octets, year to second, without the octets 0 at the end (SI and
//! EMN, WAP-167 8.2.2).

/// `2026-11-22T14:30:00Z` from octets; `None` if they are no date.
pub(super) fn from_octets(octets: &[u8]) -> Option<String> {
    if !(4..=7).contains(&octets.len()) {
        return None;
    }
    let mut digits = String::with_capacity(14);
    for octet in octets.iter().copied().chain(std::iter::repeat(0)).take(7) {
        digits.push(char::from_digit(u32::from(octet >> 4), 10)?);
        digits.push(char::from_digit(u32::from(octet & 0x0F), 10)?);
    }
    Some(format!(
        "{}-{}-{}T{}:{}:{}Z",
        &digits[..4],
        &digits[4..6],
        &digits[6..8],
        &digits[8..10],
        &digits[10..12],
        &digits[12..]
    ))
}

/// Octets from `2026-11-22T14:30:00Z`; `None` for any other text.
pub(super) fn to_octets(text: &str) -> Option<Vec<u8>> {
    let pattern = "0000-00-00T00:00:00Z";
    let fits = text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, pattern)| {
            if pattern == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == pattern
            }
        });
    if !fits {
        return None;
    }
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| digit - b'0')
        .collect();
    let mut octets: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    while octets.len() > 4 && octets.last() == Some(&0) {
        octets.pop();
    }
    Some(octets)
}
