//! Whether a gateway is asked at all: one that is down, or asked us to wait, is left alone for a while.
//!
//! Closed: all is well. Open: it failed some times in a row; nobody asks until the pause is over. Then one message is let
//! through, and what becomes of it decides. Pauses double, with jitter, so that nodes do not come back all at once.

use std::time::{Duration, Instant};

use super::error::GatewayError;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 3;
/// The first pause.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause that we choose ourselves.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Doublings after which the pause is the longest.
const DOUBLINGS: u32 = 6;

/// What operators see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitState {
    /// Messages go.
    Closed,
    /// Messages do not go.
    Open {
        /// For how long still; zero: the next message tries.
        remaining: Duration,
        /// What went wrong last.
        why: String,
    },
}

/// One gateway's circuit.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    /// In a row.
    failures: u32,
    /// Pauses in a row.
    pauses: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    /// A message is on its way to try it.
    trying: bool,
    why: String,
}

/// What a note changed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Opened(Duration),
    Closed,
}

impl Circuit {
    /// Lets a message through, or says how long to wait.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), (Duration, String)> {
        match &mut self.open {
            None => Ok(()),
            Some(open) if now >= open.until && !open.trying => {
                open.trying = true;
                Ok(())
            }
            Some(open) => {
                let remaining = open.until.saturating_duration_since(now);
                Err((remaining.max(Duration::from_secs(1)), open.why.clone()))
            }
        }
    }

    /// The message that was let through did not end: another one may try.
    pub(super) fn abandoned(&mut self) {
        if let Some(open) = &mut self.open {
            open.trying = false;
        }
    }

    /// What became of a message. `jitter` is a random number.
    pub(super) fn note(
        &mut self,
        error: Option<&GatewayError>,
        now: Instant,
        jitter: u32,
    ) -> Change {
        let Some(error) = error.filter(|error| error.is_of_gateway()) else {
            self.failures = 0;
            self.pauses = 0;
            return match self.open.take() {
                Some(_) => Change::Closed,
                None => Change::None,
            };
        };
        self.failures = self.failures.saturating_add(1);
        let asked = match error {
            GatewayError::Throttled { retry_after, .. } => *retry_after,
            _ => None,
        };
        let at_once = matches!(
            error,
            GatewayError::Throttled { .. } | GatewayError::Misconfigured { .. }
        );
        let late_word = self.open.as_ref().is_some_and(|open| !open.trying);
        if late_word || (self.failures < FAILURES && !at_once && self.open.is_none()) {
            // The word on a message that left before the circuit opened changes nothing.
            return Change::None;
        }
        let pause = asked.unwrap_or_else(|| {
            let doubled = FIRST_PAUSE * 2_u32.pow(self.pauses.min(DOUBLINGS));
            let pause = doubled.min(LONGEST_PAUSE);
            // Four fifths to six fifths of it.
            pause * 4 / 5 + pause * (jitter % 1000) / 1000 * 2 / 5
        });
        self.pauses = self.pauses.saturating_add(1);
        self.open = Some(Open {
            until: now + pause,
            trying: false,
            why: error.to_string(),
        });
        Change::Opened(pause)
    }

    pub(super) fn state(&self, now: Instant) -> CircuitState {
        match &self.open {
            None => CircuitState::Closed,
            Some(open) => CircuitState::Open {
                remaining: open.until.saturating_duration_since(now),
                why: open.why.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> GatewayError {
        GatewayError::unreachable("connection refused")
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn some_failures_in_a_row_open_it_and_a_good_one_closes_it() {
        let mut circuit = Circuit::default();
        let begin = Instant::now();
        for _ in 0..2 {
            circuit.admit(begin).expect("closed");
            assert_eq!(circuit.note(Some(&down()), begin, 0), Change::None);
        }
        assert_eq!(circuit.note(None, begin, 0), Change::None, "in a row");
        for _ in 0..2 {
            assert_eq!(circuit.note(Some(&down()), begin, 0), Change::None);
        }
        assert_eq!(
            circuit.note(Some(&down()), begin, 500),
            Change::Opened(seconds(5))
        );
        let (wait, why) = circuit.admit(begin).expect_err("open");
        assert_eq!(
            (wait, &*why),
            (seconds(5), "not reached: connection refused")
        );
        let later = begin + seconds(5);
        circuit.admit(later).expect("one may try");
        circuit.admit(later).expect_err("one alone");
        assert_eq!(circuit.note(None, later, 0), Change::Closed);
        circuit.admit(later).expect("closed");
        assert_eq!(circuit.state(later), CircuitState::Closed);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut circuit = Circuit::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            if circuit.admit(now).is_ok()
                && let Change::Opened(pause) = circuit.note(Some(&down()), now, 500)
            {
                pauses.push(pause.as_secs());
                now += pause;
            }
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
        let mut circuit = Circuit::default();
        let wrong = GatewayError::misconfigured("password");
        let Change::Opened(shortest) = circuit.note(Some(&wrong), now, 0) else {
            panic!("a wrong password opens it at once");
        };
        let mut circuit = Circuit::default();
        let Change::Opened(longest) = circuit.note(Some(&wrong), now, 999) else {
            panic!("a wrong password opens it at once");
        };
        assert!(shortest >= seconds(4) && longest <= seconds(6) && shortest < longest);
    }

    #[test]
    fn a_gateway_that_asks_to_wait_is_waited_for() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        let busy = GatewayError::Throttled {
            retry_after: Some(seconds(17)),
            why: "queue full".to_owned(),
        };
        assert_eq!(
            circuit.note(Some(&busy), now, 0),
            Change::Opened(seconds(17))
        );
        assert_eq!(
            circuit.admit(now).map_err(|(wait, _)| wait),
            Err(seconds(17))
        );
        // Others that were on their way at the same time do not prolong it.
        assert_eq!(circuit.note(Some(&busy), now + seconds(1), 0), Change::None);
    }

    #[test]
    fn a_refused_message_says_nothing_of_the_gateway() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        for _ in 0..10 {
            let refused = GatewayError::refused(true, "unknown number");
            assert_eq!(circuit.note(Some(&refused), now, 0), Change::None);
        }
        circuit.admit(now).expect("closed");
    }

    #[test]
    fn a_try_that_does_not_end_blocks_nobody() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        circuit.note(Some(&GatewayError::misconfigured("x")), now, 0);
        let later = now + seconds(60);
        circuit.admit(later).expect("one may try");
        circuit.abandoned();
        circuit.admit(later).expect("another one may");
    }
}
