//! How many SMS a second a gateway gets at most: places in time, given out one behind the other.

use std::time::{Duration, Instant};

/// One gateway's pace.
#[derive(Debug)]
pub(super) struct Rate {
    /// Between two SMS; zero: no limit.
    interval: Duration,
    next: Option<Instant>,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1)
                .checked_div(per_second)
                .unwrap_or_default(),
            next: None,
        }
    }

    /// Takes places for some SMS; the first may go after the wait that is returned.
    pub(super) fn reserve(&mut self, sms: u32, now: Instant) -> Duration {
        let begin = self.next.map_or(now, |next| next.max(now));
        self.next = Some(begin + self.interval * sms);
        begin - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other() {
        let mut rate = Rate::new(10);
        let now = Instant::now();
        let milliseconds = Duration::from_millis;
        assert_eq!(rate.reserve(1, now), milliseconds(0));
        assert_eq!(rate.reserve(3, now), milliseconds(100));
        assert_eq!(rate.reserve(1, now), milliseconds(400));
        let later = now + milliseconds(700);
        assert_eq!(
            rate.reserve(1, later),
            milliseconds(0),
            "a rest is not saved up"
        );
        assert_eq!(rate.reserve(1, later), milliseconds(100));
        let mut free = Rate::new(0);
        assert_eq!(
            free.reserve(100, now) + free.reserve(1, now),
            milliseconds(0)
        );
    }
}
