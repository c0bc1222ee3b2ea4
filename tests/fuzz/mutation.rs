//! Changes of an input, by a seed.

/// SplitMix64.
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit that is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What readers look for.
const WORDS: [&[u8]; 32] = [
    b"\0",
    b"\xFF",
    b"\xFF\xFF\xFF\xFF\x7F",
    b"\x80\x80\x80\x80\x80",
    b"\xC3\x84\x04",
    b"\r\n",
    b"\n ",
    b"=\r\n",
    b"=3D=",
    b":",
    b";",
    b",",
    b"\\n\\,\\;\\",
    b"&#x10FFFF;",
    b"&amp;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"&AND;",
    b"&OR;",
    b"&NULL;",
    b"(",
    b")",
    b"%00",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b";ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:",
    b";TZID=Europe/Stockholm:",
    b"RRULE:FREQ=YEARLY;BYMONTHDAY=-1;INTERVAL=9999\r\n",
    b"99991231T235959Z",
    b"00010101",
    b"-P9999999DT9999999S",
];

/// One change.
pub(super) fn mutate(input: &mut Vec<u8>, samples: &[Vec<u8>], random: &mut Random) {
    if input.is_empty() {
        input.push(random.below(256) as u8);
        return;
    }
    let at = random.below(input.len());
    let length = 1 + random.below((input.len() - at).min(40));
    match random.below(9) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = random.below(256) as u8,
        2 => input.truncate(at),
        3 => drop(input.drain(at..at + length)),
        4 => {
            let part = input[at..at + length].to_vec();
            input.splice(at..at, part);
        }
        5 => {
            let word = WORDS[random.below(WORDS.len())];
            input.splice(at..at, word.iter().copied());
        }
        6 => {
            let word = WORDS[random.below(WORDS.len())];
            let end = (at + word.len()).min(input.len());
            input.splice(at..end, word.iter().copied());
        }
        7 => {
            // The rest of another sample.
            let other = &samples[random.below(samples.len())];
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            // One part goes elsewhere.
            let part: Vec<u8> = input.drain(at..at + length).collect();
            let to = random.below(input.len() + 1);
            input.splice(to..to, part);
        }
    }
}
