//! When a mail is tried again, and when no more.

use std::time::Duration;

/// Waits between attempts, seconds; the last one repeats.
const BACKOFF: [i64; 7] = [15, 60, 180, 600, 1_200, 1_800, 3_600];

/// What the queue is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a node that says nothing keeps what it claimed. Longer than any attempt.
    pub lease: Duration,
    /// How long a mail is tried.
    pub expiry: Duration,
    /// Octets of a message that is sent.
    pub max_octets: u64,
    /// Waits are so many times as long, in thousandths.
    pub backoff_permille: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(1_200),
            expiry: Duration::from_secs(2 * 86_400),
            max_octets: 25 << 20,
            backoff_permille: 1_000,
        }
    }
}

impl Settings {
    pub(super) fn lease_milliseconds(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX / 4)
    }

    /// When a mail is tried again, milliseconds since 1970; `None` if it is too old for that.
    pub(super) fn next(&self, created: i64, attempts: i64, now: i64) -> Option<i64> {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
        let wait = BACKOFF[index.min(BACKOFF.len() - 1)] * i64::from(self.backoff_permille);
        let expiry = i64::try_from(self.expiry.as_millis()).unwrap_or(i64::MAX / 4);
        (now - created < expiry).then(|| now + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn waits_grow_and_end() {
        let settings = Settings::default();
        let wait = |attempts| settings.next(0, attempts, 1_000).map(|at| at - 1_000);
        assert_eq!(wait(0), Some(15_000));
        assert_eq!(wait(1), Some(15_000));
        assert_eq!(wait(2), Some(60_000));
        assert_eq!(wait(100), Some(3_600_000));
        assert_eq!(settings.next(0, 3, 2 * 86_400_000), None);
    }
}
