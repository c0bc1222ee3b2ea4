//! Waiting for news: IDLE (RFC 2177), and NOTIFY (RFC 5465) for folders beside the selected one.

use std::time::Duration;

use imap_proto::{MailboxDatum, Response};
use tokio::time::Instant;

use super::super::error::MailError;
use super::super::link::MAX_LINE;
use super::name::{Argument, argument};
use super::session::{Session, parsed};

/// IDLE begins anew after this: servers may close what was silent for half an hour, address translators much earlier.
pub(in crate::mail) const LONGEST_IDLE: Duration = Duration::from_secs(9 * 60);
/// Folders that NOTIFY names at most.
const MOST_NOTIFIED: usize = 100;

/// What ended the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mail) enum News {
    /// The server spoke of a change.
    Changed,
    /// It is time for something else.
    Time,
}

impl Session {
    /// Asks the server to tell what happens in these folders and in the selected one. False: it cannot, or will not.
    pub(in crate::mail) async fn notify(&mut self, folders: &[String]) -> Result<bool, MailError> {
        if !self.can("NOTIFY") {
            return Ok(false);
        }
        let mut names = String::new();
        for folder in folders.iter().take(MOST_NOTIFIED) {
            // A name that needs a literal is left to polling.
            if let Argument::Quoted(name) = argument(folder) {
                names.push(' ');
                names.push_str(&name);
            }
        }
        let events = "(MessageNew MessageExpunge FlagChange)";
        let mut command = format!("NOTIFY SET (SELECTED {events})");
        if !names.is_empty() {
            command.push_str(&format!(" (MAILBOXES ({}) {events})", names.trim_start()));
        }
        let tag = self.begin(&command).await?;
        let ended = self.responses(&tag, &mut |_| {}).await?;
        self.notified = ended.ok;
        Ok(ended.ok)
    }

    /// Waits in IDLE until the server speaks of a change, `woken` is ready, or the time is there.
    pub(in crate::mail) async fn idle(
        &mut self,
        until: Instant,
        woken: impl Future<Output = ()>,
    ) -> Result<News, MailError> {
        if self.news || !self.others.is_empty() {
            return Ok(News::Changed);
        }
        let until = until.min(Instant::now() + LONGEST_IDLE);
        let tag = self.begin("IDLE").await?;
        if let Some(ended) = self.consent(&tag, &mut |_| {}).await? {
            ended.done("IDLE")?;
            return Ok(News::Time);
        }
        let mut frame = Vec::new();
        let mut changed = self.news || !self.others.is_empty();
        tokio::pin!(woken);
        while !changed {
            let line = self.link.line_until(&mut frame, MAX_LINE, until);
            let came = tokio::select! {
                came = line => came?,
                () = &mut woken => break,
            };
            if !came {
                break;
            }
            self.literals(&mut frame).await?;
            self.note(&frame);
            changed = self.news || !self.others.is_empty();
            match parsed(&frame) {
                Some(Response::Fetch(..)) => changed = true,
                Some(Response::MailboxData(MailboxDatum::Exists(_))) => changed = true,
                Some(Response::Data {
                    status: imap_proto::Status::Bye,
                    ..
                }) => {
                    return Err(MailError::Lost(
                        "the mail server closed the connection".to_owned(),
                    ));
                }
                _ => {}
            }
            frame.clear();
        }
        self.link.send(b"DONE\r\n").await?;
        self.responses(&tag, &mut |response| {
            changed |= matches!(response, Response::Fetch(..));
        })
        .await?
        .done("IDLE")?;
        Ok(if changed || self.news || !self.others.is_empty() {
            News::Changed
        } else {
            News::Time
        })
    }
}
