//! How often phones may ask by text. Bounded: numbers that are remembered.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Texts from one number in [`WINDOW`].
const PER_NUMBER: u32 = 6;
/// Texts from all numbers in [`WINDOW`].
const IN_ALL: u32 = 600;
/// How long texts count.
const WINDOW: Duration = Duration::from_secs(600);
/// Numbers that are remembered.
const NUMBERS: usize = 4096;
/// Between two complaints.
const QUIET: Duration = Duration::from_secs(60);

/// Counts texts.
#[derive(Debug, Default)]
pub(super) struct Flood {
    begun: Option<Instant>,
    numbers: HashMap<String, u32>,
    all: u32,
    told: Option<Instant>,
}

impl Flood {
    /// Whether a text of this number is read.
    pub(super) fn admits(&mut self, number: &str, now: Instant) -> bool {
        if self
            .begun
            .is_none_or(|begun| now.duration_since(begun) >= WINDOW)
        {
            *self = Self {
                begun: Some(now),
                told: self.told,
                ..Self::default()
            };
        }
        self.all = self.all.saturating_add(1);
        if self.all > IN_ALL
            || (self.numbers.len() >= NUMBERS && !self.numbers.contains_key(number))
        {
            return false;
        }
        let count = self.numbers.entry(number.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count <= PER_NUMBER
    }

    /// Whether a complaint goes into the log.
    pub(super) fn tells(&mut self, now: Instant) -> bool {
        let silent = self
            .told
            .is_none_or(|told| now.duration_since(told) >= QUIET);
        if silent {
            self.told = Some(now);
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_all_of_them_have_their_limits() {
        let mut flood = Flood::default();
        let begin = Instant::now();
        for _ in 0..PER_NUMBER {
            assert!(flood.admits("+1", begin));
        }
        assert!(!flood.admits("+1", begin));
        assert!(flood.admits("+2", begin), "another one may");
        assert!(flood.tells(begin));
        assert!(!flood.tells(begin));
        for number in 0..2 * IN_ALL {
            flood.admits(&number.to_string(), begin);
        }
        assert!(!flood.admits("+3", begin), "too many in all");
        let later = begin + WINDOW;
        assert!(flood.admits("+1", later));
        assert!(flood.tells(later));
    }
}
