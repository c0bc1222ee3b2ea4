//! Counters for Prometheus (text exposition format 0.0.4).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::exchange::Summary;

/// Upper bounds of the histogram's buckets, microseconds.
const BOUNDS: [(u64, &str); 10] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// The status codes that are counted apart.
const CODES: [u16; 9] = [200, 400, 405, 408, 413, 415, 500, 503, 0];

/// The outcomes of sessions: all items were taken, some were refused, the credentials were refused.
const OUTCOMES: [&str; 3] = ["completed", "partly", "rejected"];

/// All counters; they only grow, but for the gauges.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    sessions: [AtomicU64; OUTCOMES.len()],
    items_received: AtomicU64,
    items_sent: AtomicU64,
    octets_received: AtomicU64,
    octets_sent: AtomicU64,
    delayed: AtomicU64,
    responses: [AtomicU64; CODES.len()],
    buckets: [AtomicU64; BOUNDS.len()],
    messages: AtomicU64,
    microseconds: AtomicU64,
}

/// Counts a wait for as long as it lives.
pub(super) struct Delayed<'a>(&'a Metrics);

impl Drop for Delayed<'_> {
    fn drop(&mut self) {
        self.0.delayed.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// A message was answered by the engine.
    pub(super) fn message(&self, took: Duration, received: usize, sent: usize) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.messages.fetch_add(1, Relaxed);
        self.microseconds.fetch_add(microseconds, Relaxed);
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| microseconds <= *bound) {
            self.buckets[bucket].fetch_add(1, Relaxed);
        }
        self.octets_received.fetch_add(received as u64, Relaxed);
        self.octets_sent.fetch_add(sent as u64, Relaxed);
    }

    /// A session ended.
    pub(super) fn session(&self, summary: &Summary) {
        let refused = summary
            .views
            .iter()
            .any(|view| view.counts.received_refused > 0 || view.counts.sent_refused > 0);
        self.sessions[usize::from(refused)].fetch_add(1, Relaxed);
        self.items_received.fetch_add(summary.received(), Relaxed);
        self.items_sent.fetch_add(summary.sent(), Relaxed);
    }

    /// Credentials were refused.
    pub(super) fn rejected(&self) {
        self.sessions[2].fetch_add(1, Relaxed);
    }

    /// An answer waits until the value is dropped.
    pub(super) fn delayed(&self) -> Delayed<'_> {
        self.delayed.fetch_add(1, Relaxed);
        Delayed(self)
    }

    /// The sync address answered with this status code.
    pub(super) fn response(&self, code: u16) {
        let index = CODES
            .iter()
            .position(|known| *known == code)
            .unwrap_or(CODES.len() - 1);
        self.responses[index].fetch_add(1, Relaxed);
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        let mut out = String::with_capacity(4096);
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(
            &mut out,
            "candybar_build_info",
            "gauge",
            "The program's version.",
        );
        let _ = writeln!(
            out,
            "candybar_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        );
        let name = "candybar_sessions_total";
        head(
            &mut out,
            name,
            "counter",
            "Sessions that ended, by outcome.",
        );
        for (outcome, counter) in OUTCOMES.iter().zip(&self.sessions) {
            let _ = writeln!(
                out,
                "{name}{{outcome=\"{outcome}\"}} {}",
                counter.load(Relaxed)
            );
        }
        let name = "candybar_items_total";
        head(
            &mut out,
            name,
            "counter",
            "Items of ended sessions, by direction.",
        );
        for (direction, counter) in [
            ("received", &self.items_received),
            ("sent", &self.items_sent),
        ] {
            let _ = writeln!(
                out,
                "{name}{{direction=\"{direction}\"}} {}",
                counter.load(Relaxed)
            );
        }
        let name = "candybar_message_bytes_total";
        head(
            &mut out,
            name,
            "counter",
            "Octets of messages, by direction.",
        );
        for (direction, counter) in [
            ("received", &self.octets_received),
            ("sent", &self.octets_sent),
        ] {
            let _ = writeln!(
                out,
                "{name}{{direction=\"{direction}\"}} {}",
                counter.load(Relaxed)
            );
        }
        let name = "candybar_message_seconds";
        head(
            &mut out,
            name,
            "histogram",
            "Time that the engine took for a message.",
        );
        let mut sum = 0;
        for ((_, bound), bucket) in BOUNDS.iter().zip(&self.buckets) {
            sum += bucket.load(Relaxed);
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {sum}");
        }
        let messages = self.messages.load(Relaxed);
        let seconds = Duration::from_micros(self.microseconds.load(Relaxed)).as_secs_f64();
        let _ = writeln!(
            out,
            "{name}_bucket{{le=\"+Inf\"}} {messages}\n{name}_sum {seconds}\n{name}_count {messages}"
        );
        let name = "candybar_responses_total";
        head(
            &mut out,
            name,
            "counter",
            "Answers of the sync address, by status code.",
        );
        for (code, counter) in CODES.iter().zip(&self.responses) {
            let code = match code {
                0 => "other".to_owned(),
                code => code.to_string(),
            };
            let _ = writeln!(out, "{name}{{code=\"{code}\"}} {}", counter.load(Relaxed));
        }
        let name = "candybar_delayed_replies";
        head(
            &mut out,
            name,
            "gauge",
            "Refusals of credentials that wait.",
        );
        let _ = writeln!(out, "{name} {}", self.delayed.load(Relaxed));
        out
    }
}
