//! A bad network, by a seed: requests and answers are lost, doubled, delayed, cut off.
//!
//! Invariant: what happens depends on the seed and on the number of messages only, so a run can be repeated.

use super::transport::{Answer, Post, Transport, TransportError};

/// How often what goes wrong, in thousandths of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultRates {
    /// The request does not arrive.
    pub lose_request: u16,
    /// The request arrives, the answer does not.
    pub lose_answer: u16,
    /// The request arrives twice; the phone sees the second answer.
    pub duplicate: u16,
    /// The request arrives, and once more after some later requests; nobody reads the second answer.
    pub delay_duplicate: u16,
    /// The answer is cut off somewhere.
    pub truncate: u16,
    /// Of lost messages: the phone gives up and does not send again.
    pub give_up: u16,
}

impl FaultRates {
    /// Every fault with the same rate, giving up after one of ten lost messages.
    pub const fn all(thousandths: u16) -> Self {
        Self {
            lose_request: thousandths,
            lose_answer: thousandths,
            duplicate: thousandths,
            delay_duplicate: thousandths,
            truncate: thousandths,
            give_up: 100,
        }
    }
}

/// What has gone wrong so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultCounts {
    /// Requests that did not arrive.
    pub lost_requests: u32,
    /// Answers that did not arrive.
    pub lost_answers: u32,
    /// Requests that arrived twice at once.
    pub duplicates: u32,
    /// Requests that arrived again later.
    pub late_duplicates: u32,
    /// Answers that were cut off.
    pub truncated: u32,
    /// Losses after which the phone gave up.
    pub given_up: u32,
}

struct Late {
    after: u64,
    url: String,
    content_type: String,
    user_agent: String,
    profile: Option<String>,
    body: Vec<u8>,
}

/// A transport with faults in front of another one.
pub struct Faults<T> {
    inner: T,
    rates: FaultRates,
    counts: FaultCounts,
    state: u64,
    late: Vec<Late>,
}

impl<T: Transport> Faults<T> {
    /// Faults by a seed.
    pub const fn new(inner: T, seed: u64, rates: FaultRates) -> Self {
        Self {
            inner,
            rates,
            counts: NONE,
            state: seed,
            late: Vec::new(),
        }
    }

    /// What has gone wrong so far.
    pub const fn counts(&self) -> FaultCounts {
        self.counts
    }

    /// The transport behind.
    pub const fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// From now on everything works; what is delayed never arrives.
    pub fn heal(&mut self) {
        self.rates = FaultRates::default();
        self.late.clear();
    }

    /// From now on things go wrong that often.
    pub const fn disturb(&mut self, rates: FaultRates) {
        self.rates = rates;
    }

    /// Delivers what is delayed, now.
    pub fn flush(&mut self) {
        for late in std::mem::take(&mut self.late) {
            self.deliver(&late);
        }
    }

    /// SplitMix64: the whole state is one number.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn chance(&mut self, thousandths: u16) -> bool {
        self.random() % 1000 < u64::from(thousandths)
    }

    fn deliver(&mut self, late: &Late) {
        self.counts.late_duplicates += 1;
        // Nobody waits for this answer.
        let _ = self.inner.exchange(&Post {
            url: &late.url,
            content_type: &late.content_type,
            user_agent: &late.user_agent,
            profile: late.profile.as_deref(),
            body: &late.body,
        });
    }

    fn lost(&mut self) -> TransportError {
        if self.chance(self.rates.give_up) {
            self.counts.given_up += 1;
            return TransportError::Gone;
        }
        TransportError::Lost("the network lost it".to_owned())
    }
}

const NONE: FaultCounts = FaultCounts {
    lost_requests: 0,
    lost_answers: 0,
    duplicates: 0,
    late_duplicates: 0,
    truncated: 0,
    given_up: 0,
};

impl<T: Transport> Transport for Faults<T> {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        for late in &mut self.late {
            late.after -= 1;
        }
        let due = self
            .late
            .extract_if(.., |late| late.after == 0)
            .collect::<Vec<_>>();
        for late in due {
            self.deliver(&late);
        }
        if self.chance(self.rates.lose_request) {
            self.counts.lost_requests += 1;
            return Err(self.lost());
        }
        let mut answer = self.inner.exchange(post);
        if self.chance(self.rates.duplicate) {
            self.counts.duplicates += 1;
            answer = self.inner.exchange(post);
        }
        if self.chance(self.rates.delay_duplicate) {
            let after = 1 + self.random() % 5;
            self.late.push(Late {
                after,
                url: post.url.to_owned(),
                content_type: post.content_type.to_owned(),
                user_agent: post.user_agent.to_owned(),
                profile: post.profile.map(str::to_owned),
                body: post.body.to_vec(),
            });
        }
        if self.chance(self.rates.lose_answer) {
            self.counts.lost_answers += 1;
            return Err(self.lost());
        }
        let mut answer = answer?;
        if self.chance(self.rates.truncate) && !answer.body.is_empty() {
            self.counts.truncated += 1;
            let len = self.random() % answer.body.len() as u64;
            answer.body.truncate(usize::try_from(len).unwrap_or(0));
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `n` numbered messages; gives what arrived and what came back.
    fn run(
        seed: u64,
        rates: FaultRates,
        n: u8,
    ) -> (Vec<u8>, Vec<Result<usize, TransportError>>, FaultCounts) {
        let mut arrived = Vec::new();
        let inner = |post: &Post<'_>| {
            arrived.push(post.body[0]);
            Ok(Answer::ok("text/plain", vec![b'x'; 100]))
        };
        let mut faults = Faults::new(inner, seed, rates);
        let answers = (0..n)
            .map(|number| {
                let post = Post {
                    url: "",
                    content_type: "",
                    user_agent: "",
                    profile: None,
                    body: &[number],
                };
                faults.exchange(&post).map(|answer| answer.body.len())
            })
            .collect();
        faults.flush();
        let counts = faults.counts();
        (arrived, answers, counts)
    }

    #[test]
    fn without_rates_nothing_goes_wrong() {
        let (arrived, answers, counts) = run(1, FaultRates::default(), 50);
        assert_eq!(arrived, (0..50).collect::<Vec<u8>>());
        assert!(answers.iter().all(|answer| *answer == Ok(100)));
        assert_eq!(counts, FaultCounts::default());
    }

    #[test]
    fn each_fault_does_what_it_says_and_repeats_by_its_seed() {
        let always = |set: fn(&mut FaultRates)| {
            let mut rates = FaultRates::default();
            set(&mut rates);
            run(7, rates, 3)
        };
        let (arrived, answers, _) = always(|rates| rates.lose_request = 1000);
        assert!(arrived.is_empty() && answers.iter().all(Result::is_err));
        let (arrived, answers, _) = always(|rates| rates.lose_answer = 1000);
        assert!(arrived == [0, 1, 2] && answers.iter().all(Result::is_err));
        let (arrived, answers, _) = always(|rates| rates.duplicate = 1000);
        assert!(arrived == [0, 0, 1, 1, 2, 2] && answers.iter().all(Result::is_ok));
        let (arrived, answers, counts) = always(|rates| rates.delay_duplicate = 1000);
        assert!(
            arrived.len() == 6 && counts.late_duplicates == 3 && answers.iter().all(Result::is_ok)
        );
        let (_, answers, counts) = always(|rates| rates.truncate = 1000);
        assert!(counts.truncated == 3 && answers.iter().flatten().all(|len| *len < 100));
        let (_, answers, counts) = always(|rates| {
            rates.lose_answer = 1000;
            rates.give_up = 1000;
        });
        assert_eq!(answers, vec![Err(TransportError::Gone); 3]);
        assert_eq!(counts.given_up, 3);

        let rates = FaultRates::all(100);
        assert_eq!(run(42, rates, 200), run(42, rates, 200));
        assert_ne!(run(42, rates, 200).0, run(43, rates, 200).0);
    }
}
