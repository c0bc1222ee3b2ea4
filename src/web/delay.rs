//! How long the answer to a wrong password waits.
//!
//! Refusals are counted per name; the wait doubles with each. Only answers that refuse wait, so that no one can keep
//! the right user out by guessing in his name. The table is bounded: the names that were refused longest ago go.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Refusals that are answered at once: a phone that begins with an outdated nonce is refused as well.
const FREE: u32 = 3;
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
    /// With the wait of the first refusal that is not free.
    pub(super) fn new(first: Duration) -> Self {
        Self {
            first,
            hasher: RandomState::new(),
            names: HashMap::new(),
        }
    }

    /// Counts a refusal and says how long its answer has to wait.
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
        match refusals.count.saturating_sub(FREE) {
            0 => Duration::ZERO,
            count => {
                let factor = 1_u32.checked_shl(count - 1).unwrap_or(u32::MAX);
                let wait = self.first.saturating_mul(factor.max(1));
                wait.min(LONGEST.max(self.first))
            }
        }
    }

    /// The right password came: the count begins again.
    pub(super) fn accepted(&mut self, name: &str) {
        self.names.remove(&self.hasher.hash_one(name));
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
        let waits: Vec<_> = (0..11).map(|_| table.refused("alice", start)).collect();
        assert_eq!(waits[..3], [Duration::ZERO; 3]);
        assert_eq!(waits[3..6], [first, first * 2, first * 4]);
        assert_eq!(waits[10], LONGEST);
        for _ in 0..100 {
            assert_eq!(table.refused("alice", start), LONGEST);
        }
        assert_eq!(table.refused("bob", start), Duration::ZERO);
        let later = start + FORGET + Duration::from_secs(1);
        assert_eq!(table.refused("alice", later), Duration::ZERO);
    }

    #[test]
    fn the_right_password_ends_the_waits_of_its_name_alone() {
        let mut table = DelayTable::new(Duration::from_secs(1));
        let now = Instant::now();
        for name in ["alice", "bob"] {
            while table.refused(name, now).is_zero() {}
        }
        table.accepted("alice");
        assert_eq!(table.refused("alice", now), Duration::ZERO);
        assert!(table.refused("bob", now) > Duration::ZERO);
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
        let free = (0..4)
            .filter(|_| table.refused(&newest, now).is_zero())
            .count();
        assert_eq!(free, 2, "the newest are kept");
    }
}
