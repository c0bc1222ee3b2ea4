//! How long the answer to a wrong password waits.
//!
//! Refusals are counted per name; the wait doubles with each. Only answers that refuse wait, so that no one can keep
//! the right user out by guessing in his name. The table is bounded: the names that were refused longest ago go.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Names that are remembered.
const NAMES: usize = 4096;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);
/// After so long without a refusal a name is forgotten.
const FORGET: Duration = Duration::from_secs(15 * 60);
/// Answers that wait at once; more are told to come again.
pub(super) const WAITING: usize = 256;

/// Refusals by name.
#[derive(Debug)]
pub(super) struct DelayTable {
    first: Duration,
    hasher: RandomState,
    names: HashMap<u64, Refusals>,
}

#[derive(Debug, Clone, Copy)]
struct Refusals {
    count: u32,
    last: Instant,
}

impl DelayTable {
    /// With the wait after a second refusal.
    pub(super) fn new(first: Duration) -> Self {
        Self {
            first,
            hasher: RandomState::new(),
            names: HashMap::new(),
        }
    }

    /// Counts a refusal and says how long its answer has to wait. The first one is free: a phone that begins with an
    /// outdated nonce is refused as well.
    pub(super) fn refused(&mut self, name: &str, now: Instant) -> Duration {
        let name = self.hasher.hash_one(name);
        if self.names.len() >= NAMES && !self.names.contains_key(&name) {
            self.make_room(now);
        }
        let refusals = self.names.entry(name).or_insert(Refusals {
            count: 0,
            last: now,
        });
        if now.saturating_duration_since(refusals.last) > FORGET {
            refusals.count = 0;
        }
        refusals.last = now;
        refusals.count = refusals.count.saturating_add(1);
        match refusals.count {
            1 => Duration::ZERO,
            count => {
                let factor = 1_u32.checked_shl(count - 2).unwrap_or(u32::MAX);
                self.first
                    .saturating_mul(factor.max(1))
                    .min(LONGEST.max(self.first))
            }
        }
    }

    /// Drops the older half, so that the cost of looking through the table is shared by many refusals.
    fn make_room(&mut self, now: Instant) {
        let mut ages: Vec<Instant> = self.names.values().map(|refusals| refusals.last).collect();
        let middle = ages.len() / 2;
        let (_, median, _) = ages.select_nth_unstable(middle);
        let median = *median;
        self.names.retain(|_, refusals| {
            refusals.last > median && now.saturating_duration_since(refusals.last) <= FORGET
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{DelayTable, Duration, FORGET, Instant, LONGEST, NAMES};

    #[test]
    fn waits_double_up_to_the_longest_and_are_forgotten() {
        let first = Duration::from_millis(500);
        let mut table = DelayTable::new(first);
        let start = Instant::now();
        let waits: Vec<_> = (0..9).map(|_| table.refused("alice", start)).collect();
        assert_eq!(waits[0], Duration::ZERO);
        assert_eq!(waits[1..4], [first, first * 2, first * 4]);
        assert_eq!(waits[8], LONGEST);
        for _ in 0..100 {
            assert_eq!(table.refused("alice", start), LONGEST);
        }
        assert_eq!(table.refused("bob", start), Duration::ZERO);
        let later = start + FORGET + Duration::from_secs(1);
        assert_eq!(table.refused("alice", later), Duration::ZERO);
        assert_eq!(table.refused("alice", later), first);
    }

    #[test]
    fn a_flood_of_names_keeps_the_table_small() {
        let mut table = DelayTable::new(Duration::from_secs(1));
        let start = Instant::now();
        for number in 0..3 * NAMES as u64 {
            let now = start + Duration::from_millis(number);
            table.refused(&format!("name {number}"), now);
            assert!(table.names.len() <= NAMES);
        }
        let now = start + Duration::from_secs(13);
        let newest = format!("name {}", 3 * NAMES - 1);
        assert!(
            table.refused(&newest, now) > Duration::ZERO,
            "the newest are kept"
        );
    }
}
