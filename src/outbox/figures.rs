//! What the outbox counts, for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::sync::NotificationState;

/// Upper bounds of the buckets, seconds.
const BOUNDS: [(f64, &str); 14] = [
    (0.01, "0.01"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (5.0, "5"),
    (10.0, "10"),
    (30.0, "30"),
    (60.0, "60"),
    (300.0, "300"),
    (1800.0, "1800"),
    (7200.0, "7200"),
    (86_400.0, "86400"),
];

/// Durations.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    milliseconds: AtomicU64,
}

impl Histogram {
    fn note(&self, milliseconds: i64) {
        let milliseconds = milliseconds.max(0).unsigned_abs();
        let seconds = milliseconds as f64 / 1000.0;
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| seconds <= *bound) {
            self.buckets[bucket].fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.milliseconds.fetch_add(milliseconds, Relaxed);
    }

    fn text(&self, out: &mut String, name: &str, help: &str) {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut sum = 0;
        for ((_, bound), bucket) in BOUNDS.iter().zip(&self.buckets) {
            sum += bucket.load(Relaxed);
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {sum}");
        }
        let count = self.count.load(Relaxed);
        let seconds = self.milliseconds.load(Relaxed) as f64 / 1000.0;
        let _ = writeln!(
            out,
            "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {seconds}\n{name}_count {count}"
        );
    }
}

/// What one gateway did.
#[derive(Debug, Clone, Copy, Default)]
struct OfGateway {
    sent: u64,
    failed: u64,
    delivered: u64,
    undelivered: u64,
}

/// All counters; they only grow. They are those of this process since its start.
#[derive(Debug, Default)]
pub struct Figures {
    finished: [AtomicU64; NotificationState::ALL.len()],
    gateways: Mutex<BTreeMap<String, OfGateway>>,
    change_to_submit: Histogram,
    submit_to_sync: Histogram,
    incoming: [AtomicU64; 2],
}

impl Figures {
    fn gateway(&self, name: &str, change: impl FnOnce(&mut OfGateway)) {
        let mut gateways = self.gateways.lock().unwrap_or_else(PoisonError::into_inner);
        change(gateways.entry(name.to_owned()).or_default());
    }

    /// A gateway took all of a notification, that long after the change (or the wish).
    pub(super) fn submitted(&self, gateway: &str, milliseconds: i64) {
        self.change_to_submit.note(milliseconds);
        self.gateway(gateway, |of| of.sent += 1);
    }

    /// A gateway did not take it.
    pub(super) fn refused(&self, gateway: &str) {
        self.gateway(gateway, |of| of.failed += 1);
    }

    /// A final receipt.
    pub(super) fn receipt(&self, gateway: &str, delivered: bool) {
        self.gateway(gateway, |of| {
            if delivered {
                of.delivered += 1;
            } else {
                of.undelivered += 1;
            }
        });
    }

    /// A notification was finished.
    pub(super) fn finished(&self, state: NotificationState) {
        self.finished[state as usize].fetch_add(1, Relaxed);
    }

    /// The phone came, that long after the submission.
    pub(super) fn synced(&self, milliseconds: i64) {
        self.submit_to_sync.note(milliseconds);
    }

    /// A text came from a phone.
    pub(super) fn incoming(&self, obeyed: bool) {
        self.incoming[usize::from(obeyed)].fetch_add(1, Relaxed);
    }

    /// As text; `open`: how many wait in the database.
    pub fn text(&self, open: Option<u64>) -> String {
        let mut out = String::with_capacity(4096);
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        if let Some(open) = open {
            let name = "candybar_notifications_open";
            head(
                &mut out,
                name,
                "gauge",
                "Notifications that are queued or wait for their answer, in the database.",
            );
            let _ = writeln!(out, "{name} {open}");
        }
        let name = "candybar_notifications_total";
        head(
            &mut out,
            name,
            "counter",
            "Notifications that were finished, by how.",
        );
        for state in NotificationState::ALL {
            if state.is_finished() {
                let count = self.finished[state as usize].load(Relaxed);
                let _ = writeln!(out, "{name}{{outcome=\"{state}\"}} {count}");
            }
        }
        let name = "candybar_notifications_submitted_total";
        head(
            &mut out,
            name,
            "counter",
            "Submissions, by gateway and outcome, and the receipts for them.",
        );
        let gateways = self.gateways.lock().unwrap_or_else(PoisonError::into_inner);
        for (gateway, of) in &*gateways {
            for (outcome, count) in [
                ("sent", of.sent),
                ("failed", of.failed),
                ("delivered", of.delivered),
                ("undelivered", of.undelivered),
            ] {
                let _ = writeln!(
                    out,
                    "{name}{{gateway=\"{gateway}\",outcome=\"{outcome}\"}} {count}"
                );
            }
        }
        drop(gateways);
        self.change_to_submit.text(
            &mut out,
            "candybar_change_to_submit_seconds",
            "From the change to the gateway, coalescing and holds included.",
        );
        self.submit_to_sync.text(
            &mut out,
            "candybar_submit_to_sync_seconds",
            "From the gateway to the end of the sync that followed.",
        );
        let name = "candybar_incoming_texts_total";
        head(
            &mut out,
            name,
            "counter",
            "Texts from phones, by whether they were obeyed.",
        );
        for (obeyed, counter) in ["no", "yes"].into_iter().zip(&self.incoming) {
            let _ = writeln!(
                out,
                "{name}{{obeyed=\"{obeyed}\"}} {}",
                counter.load(Relaxed)
            );
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_told() {
        let figures = Figures::default();
        figures.submitted("kannel", 700);
        figures.receipt("kannel", true);
        figures.synced(12_000);
        figures.finished(NotificationState::Synced);
        figures.incoming(true);
        let text = figures.text(Some(3));
        for line in [
            "candybar_notifications_open 3",
            "candybar_notifications_total{outcome=\"synced\"} 1",
            "candybar_notifications_total{outcome=\"failed\"} 0",
            "candybar_notifications_submitted_total{gateway=\"kannel\",outcome=\"sent\"} 1",
            "candybar_notifications_submitted_total{gateway=\"kannel\",outcome=\"delivered\"} 1",
            "candybar_change_to_submit_seconds_bucket{le=\"0.5\"} 0",
            "candybar_change_to_submit_seconds_bucket{le=\"1\"} 1",
            "candybar_change_to_submit_seconds_sum 0.7",
            "candybar_submit_to_sync_seconds_bucket{le=\"30\"} 1",
            "candybar_incoming_texts_total{obeyed=\"yes\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
    }
}
