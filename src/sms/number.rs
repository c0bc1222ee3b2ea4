//! Phone numbers (ITU-T E.164) and the prefixes that choose a gateway.

use std::fmt;
use std::str::FromStr;

/// Digits of the longest international number (E.164, section 6).
const MAX_DIGITS: usize = 15;
/// Digits of the shortest number that services use.
const MIN_DIGITS: usize = 3;

/// A phone's number: digits, with a leading `+` if it is international.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(String);

/// The text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a phone number has 3 to 15 digits, with a leading + if it is international, such as +46701234567"
)]
pub struct NumberError;

impl Msisdn {
    /// With its `+`, if it has one.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// It begins with the country's code.
    pub fn is_international(&self) -> bool {
        self.0.starts_with('+')
    }

    /// For a log: the last three digits.
    pub fn masked(&self) -> String {
        let digits = self.digits();
        format!("…{}", &digits[digits.len() - MIN_DIGITS..])
    }
}

impl FromStr for Msisdn {
    type Err = NumberError;

    /// Takes the blanks, dashes, dots and brackets that people write, and `00` for `+`.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        let (plus, rest) = match text.strip_prefix('+') {
            Some(rest) => ("+", rest),
            None => match text.strip_prefix("00") {
                Some(rest) => ("+", rest),
                None => ("", text),
            },
        };
        let mut number = String::from(plus);
        for character in rest.chars() {
            match character {
                '0'..='9' => number.push(character),
                ' ' | '-' | '.' | '(' | ')' | '/' => {}
                _ => return Err(NumberError),
            }
            if number.len() > plus.len() + MAX_DIGITS {
                return Err(NumberError);
            }
        }
        if number.len() < plus.len() + MIN_DIGITS {
            return Err(NumberError);
        }
        Ok(Self(number))
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({})", self.masked())
    }
}

/// The beginning of numbers; `*` is that of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix of all numbers.
    pub fn any() -> Self {
        Self(String::new())
    }

    /// The number begins so.
    pub fn matches(&self, number: &Msisdn) -> bool {
        number.as_str().starts_with(&self.0)
    }

    /// It is that of all numbers.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Prefix {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        let text = text.strip_suffix('*').unwrap_or(text);
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_any() { "*" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        for (text, number) in [
            ("+46701234567", "+46701234567"),
            (" +46 70-123 45 67 ", "+46701234567"),
            ("0046 (70) 1234567", "+46701234567"),
            ("070/123.45.67", "0701234567"),
            ("112", "112"),
        ] {
            assert_eq!(text.parse::<Msisdn>().expect(text).as_str(), number);
        }
        for text in [
            "",
            "+",
            "12",
            "+12",
            "alice",
            "+467012345678901234",
            "46+70123",
            "+46 70 123 a",
        ] {
            assert_eq!(text.parse::<Msisdn>(), Err(NumberError), "{text}");
        }
    }

    #[test]
    fn a_log_shows_three_digits() {
        let number: Msisdn = "+46701234567".parse().expect("a number");
        assert_eq!(number.masked(), "…567");
        assert!(!format!("{number:?}").contains("1234"));
        assert_eq!(number.digits(), "46701234567");
    }

    #[test]
    fn prefixes_choose() {
        let number: Msisdn = "+46701234567".parse().expect("a number");
        for (prefix, matches) in [
            ("*", true),
            ("", true),
            ("+46", true),
            ("+4670*", true),
            ("46", false),
            ("+358", false),
        ] {
            assert_eq!(
                prefix.parse::<Prefix>().expect(prefix).matches(&number),
                matches,
                "{prefix}"
            );
        }
        for prefix in ["4*6", "+46 70", "alice", "++4", "+1234567890123456"] {
            assert_eq!(prefix.parse::<Prefix>(), Err(NumberError), "{prefix}");
        }
    }
}
