//! What mail counts, for Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::store::Reached;
use crate::sync::MailboxState;

/// What became of recipients, as labels.
const OUTCOMES: [&str; 3] = ["sent", "failed", "unknown"];
/// How watchers end, as labels.
const ENDS: [&str; 2] = ["down", "refused"];

/// Counters of a process since its start; they only grow.
#[derive(Debug, Default)]
pub struct Figures {
    recipients: [AtomicU64; OUTCOMES.len()],
    ends: [AtomicU64; ENDS.len()],
}

/// What the database knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Mailboxes that are to be watched, by state.
    pub mailboxes: Vec<(MailboxState, u64)>,
    /// Mails that wait to be sent.
    pub queued: u64,
}

impl Figures {
    /// A mail is done: what became of its recipients.
    pub(super) fn sent(&self, recipients: impl IntoIterator<Item = Reached>) {
        for reached in recipients {
            let at = match reached {
                Reached::Sent => 0,
                Reached::Waiting | Reached::Refused => 1,
                Reached::Unknown => 2,
            };
            self.recipients[at].fetch_add(1, Relaxed);
        }
    }

    /// The watching of a mailbox ended, and stands so.
    pub(super) fn ended(&self, state: MailboxState) {
        let at = match state {
            MailboxState::Down => 0,
            MailboxState::Refused => 1,
            MailboxState::New | MailboxState::Watched => return,
        };
        self.ends[at].fetch_add(1, Relaxed);
    }

    /// As text. `watchers`: the tasks of this process; `standing`: what the database says, if it does.
    pub fn text(&self, watchers: usize, standing: Option<&Standing>) -> String {
        let mut out = String::with_capacity(1024);
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        let name = "candybar_watchers";
        head(
            &mut out,
            name,
            "gauge",
            "Mailboxes that this process watches.",
        );
        let _ = writeln!(out, "{name} {watchers}");
        if let Some(standing) = standing {
            let name = "candybar_mailboxes";
            let help = "Mailboxes that are to be watched, by how that stands, in the database.";
            head(&mut out, name, "gauge", help);
            for state in MailboxState::ALL.iter().copied() {
                let found = standing.mailboxes.iter().find(|(known, _)| *known == state);
                let count = found.map_or(0, |(_, count)| *count);
                let _ = writeln!(out, "{name}{{state=\"{}\"}} {count}", state.word());
            }
            let name = "candybar_mail_queued";
            let help = "Mails of phones that wait to be sent, in the database.";
            head(&mut out, name, "gauge", help);
            let _ = writeln!(out, "{name} {}", standing.queued);
        }
        let name = "candybar_watches_ended_total";
        let help = "Watches that ended by themselves: the server was lost, or refuses the login.";
        head(&mut out, name, "counter", help);
        for (end, counter) in ENDS.iter().zip(&self.ends) {
            let _ = writeln!(out, "{name}{{state=\"{end}\"}} {}", counter.load(Relaxed));
        }
        let name = "candybar_mail_recipients_total";
        let help = "Recipients of mails of phones, by what became of them.";
        head(&mut out, name, "counter", help);
        for (outcome, counter) in OUTCOMES.iter().zip(&self.recipients) {
            let count = counter.load(Relaxed);
            let _ = writeln!(out, "{name}{{outcome=\"{outcome}\"}} {count}");
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
        figures.sent([Reached::Sent, Reached::Sent, Reached::Refused]);
        figures.sent([Reached::Unknown]);
        figures.ended(MailboxState::Down);
        figures.ended(MailboxState::Watched);
        let standing = Standing {
            mailboxes: vec![(MailboxState::Watched, 3), (MailboxState::Refused, 1)],
            queued: 2,
        };
        let text = figures.text(4, Some(&standing));
        for line in [
            "candybar_watchers 4",
            "candybar_mailboxes{state=\"new\"} 0",
            "candybar_mailboxes{state=\"watched\"} 3",
            "candybar_mailboxes{state=\"refused\"} 1",
            "candybar_mail_queued 2",
            "candybar_watches_ended_total{state=\"down\"} 1",
            "candybar_watches_ended_total{state=\"refused\"} 0",
            "candybar_mail_recipients_total{outcome=\"sent\"} 2",
            "candybar_mail_recipients_total{outcome=\"failed\"} 1",
            "candybar_mail_recipients_total{outcome=\"unknown\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!figures.text(0, None).contains("candybar_mailboxes"));
    }
}
