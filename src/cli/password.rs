//! Passwords on the command line: given, read, or made.

use std::io::Read as _;
use std::path::PathBuf;

use super::failure::{Code, Failure};

/// Longest password that is taken, octets; settings messages of early phones hold no more.
const LONGEST: usize = 60;

/// How a command is given a password.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// The password; other users of this machine may see it in the list of processes
    #[arg(long, value_name = "PASSWORD", conflicts_with = "password_file")]
    password: Option<String>,
    /// File whose first line is the password; - reads standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// A password and whether it was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Password {
    pub(super) text: String,
    pub(super) made: bool,
}

impl Source {
    /// The password that was given, else one that is made.
    pub(super) fn read(&self) -> anyhow::Result<Password> {
        let given = match (&self.password, &self.password_file) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(path)) => Some(first_line(path)?),
            (None, None) => None,
        };
        match given {
            Some(text) => {
                check(&text)?;
                Ok(Password { text, made: false })
            }
            None => Ok(Password {
                text: make()?,
                made: true,
            }),
        }
    }
}

/// The first line of a file; `-` is standard input.
pub(super) fn first_line(path: &std::path::Path) -> anyhow::Result<String> {
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().take(4096).read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::new(
                Code::Failed,
                format!(
                    "the password file {} cannot be read: {error}",
                    path.display()
                ),
            )
        })?
    };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn check(text: &str) -> Result<(), Failure> {
    let wrong = if text.is_empty() {
        "the password is empty"
    } else if text.len() > LONGEST {
        "the password is longer than 60 octets, and phones cannot hold it"
    } else if text.chars().any(char::is_control) {
        "the password has a control character in it"
    } else {
        return Ok(());
    };
    Err(Failure::new(Code::Usage, wrong)
        .hint("leave the password out, and a strong one is made and printed"))
}

/// Seven syllables and two digits: 51 bits, typed on a keypad without a shift key or a symbol.
pub(super) fn make() -> anyhow::Result<String> {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aeiu";
    let mut random = [0_u8; 9];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(spell(random, CONSONANTS, VOWELS))
}

fn spell(random: [u8; 9], consonants: &[u8; 16], vowels: &[u8; 4]) -> String {
    let mut text = String::with_capacity(16);
    for byte in &random[..7] {
        text.push(char::from(consonants[usize::from(byte & 15)]));
        text.push(char::from(vowels[usize::from((byte >> 4) & 3)]));
    }
    for byte in &random[7..] {
        // 2 to 9: a 0 looks like an o, a 1 like an l.
        text.push(char::from(b'2' + (byte & 7)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{check, make};

    #[test]
    fn made_passwords_can_be_typed_and_differ() {
        let first = make().expect("random numbers");
        let second = make().expect("random numbers");
        assert_ne!(first, second);
        assert_eq!(first.len(), 16);
        check(&first).expect("good");
        let letters = &first.as_bytes()[..14];
        assert!(letters.iter().all(u8::is_ascii_lowercase), "{first}");
        assert!(
            letters.chunks(2).all(|pair| b"aeiu".contains(&pair[1])),
            "{first}"
        );
        assert!(
            first.as_bytes()[14..].iter().all(u8::is_ascii_digit),
            "{first}"
        );
    }

    #[test]
    fn passwords_that_phones_cannot_hold_are_refused() {
        for bad in ["", "a\tb", &"x".repeat(61)] {
            check(bad).expect_err(bad);
        }
        check(&"ä".repeat(30)).expect("60 octets");
    }
}
