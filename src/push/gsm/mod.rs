//! Text of short messages: the GSM 7-bit alphabet with its extension (3GPP TS 23.038 6.2.1), packed into octets
//! (6.1.2.1), and UCS-2.

#[cfg(test)]
mod tests;

use super::BuildError;

const ESCAPE: u8 = 0x1B;
/// Stands for what the alphabet does not have, and for septets without a character.
const UNKNOWN: char = '?';

/// The alphabet; U+FFFF is the escape.
#[rustfmt::skip]
const ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{FFFF}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// What follows the escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Septets of a text, one in each octet. An error names the first character that the alphabet does not have.
pub fn septets(text: &str) -> Result<Vec<u8>, BuildError> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        let code = ALPHABET.iter().position(|&known| known == character);
        if let Some(code) = code.filter(|&code| code != usize::from(ESCAPE)) {
            septets.push(code as u8);
        } else if let Some((code, _)) = EXTENSION.iter().find(|(_, known)| *known == character) {
            septets.extend([ESCAPE, *code]);
        } else {
            return Err(BuildError::Character(character));
        }
    }
    Ok(septets)
}

/// Text of septets, one in each octet. What has no character is a question mark, an unknown extension the character
/// without it, as the specification has it.
pub fn text(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut septets = septets.iter().map(|septet| septet & 0x7F);
    while let Some(septet) = septets.next() {
        if septet != ESCAPE {
            text.push(ALPHABET[usize::from(septet)]);
            continue;
        }
        let Some(code) = septets.next() else { break };
        let extended = EXTENSION.iter().find(|(known, _)| *known == code);
        text.push(match (extended, code) {
            (Some((_, character)), _) => *character,
            (None, ESCAPE) => UNKNOWN,
            (None, code) => ALPHABET[usize::from(code)],
        });
    }
    text
}

/// Packs septets into octets after `fill` bits of 0, fewer than 7: so text begins at a septet border after a header.
pub fn pack(septets: &[u8], fill: u8) -> Vec<u8> {
    let mut octets = Vec::with_capacity(septets.len());
    let mut bits = u32::from(fill.min(6));
    let mut held = 0_u32;
    for &septet in septets {
        held |= u32::from(septet & 0x7F) << bits;
        bits += 7;
        while bits >= 8 {
            octets.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        octets.push(held as u8);
    }
    octets
}

/// Unpacks at most `count` septets after `fill` bits.
pub fn unpack(octets: &[u8], count: usize, fill: u8) -> Vec<u8> {
    let mut septets = Vec::with_capacity(count.min(octets.len() * 8 / 7 + 1));
    let mut held = 0_u32;
    let mut bits = 0;
    let mut skip = u32::from(fill.min(6));
    for &octet in octets {
        held |= u32::from(octet) << bits;
        bits += 8;
        if skip > 0 {
            held >>= skip;
            bits -= skip;
            skip = 0;
        }
        while bits >= 7 && septets.len() < count {
            septets.push(held as u8 & 0x7F);
            held >>= 7;
            bits -= 7;
        }
    }
    septets
}

/// Text of UCS-2, which phones fill with UTF-16; an odd octet at the end is left out.
pub fn ucs2_text(octets: &[u8]) -> String {
    let units = octets
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// UCS-2 of a text.
pub fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
