//! What the tests of the push layer share.

use super::ReadError;

/// The octets of hex digits; blanks between them are taken.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("a hex digit") as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Every prefix is refused or read, with offsets within it, and nothing panics. Says how many were refused.
pub(super) fn prefixes<T>(octets: &[u8], read: impl Fn(&[u8]) -> Result<T, ReadError>) -> usize {
    let refused = |end: &usize| match read(&octets[..*end]) {
        Ok(_) => false,
        Err(error) => {
            assert!(error.offset as usize <= *end, "cut at {end}: {error}");
            true
        }
    };
    (0..octets.len()).filter(refused).count()
}
