//! Messages of the selected folder: what changed, bodies in parts, flags, moves, deletions; and new ones put into a folder.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use chrono::DateTime;
use imap_proto::{AttributeValue, MailboxDatum, Response};

use super::super::error::MailError;
use super::super::flags::Flags;
use super::session::{Part, Session};

/// What is known of a message without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::mail) struct Seen {
    /// Within the folder.
    pub(in crate::mail) uid: u32,
    /// Its marks.
    pub(in crate::mail) flags: Flags,
    /// Octets of the whole message.
    pub(in crate::mail) size: u32,
    /// When the server got it, seconds since 1970.
    pub(in crate::mail) received: i64,
}

/// A message with as much of its octets as was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::mail) struct Fetched {
    pub(in crate::mail) seen: Seen,
    pub(in crate::mail) octets: Vec<u8>,
}

/// Where an appended or moved message is now, if the server says so.
pub(in crate::mail) type Appended = Option<u32>;

impl Session {
    /// What changed in the selected folder since a change: messages, new ones too, and UIDs that are gone. Only with
    /// QRESYNC.
    pub(in crate::mail) async fn changes(
        &mut self,
        since: u64,
    ) -> Result<(Vec<Seen>, Vec<RangeInclusive<u32>>), MailError> {
        let command = format!(
            "UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE) (CHANGEDSINCE {since} VANISHED)"
        );
        let (mut seen, mut gone) = (Vec::new(), Vec::new());
        self.news = false;
        let mut take = |response: &Response<'_>| match response {
            Response::Fetch(_, attributes) => seen.extend(seen_of(attributes)),
            Response::Vanished { uids, .. } => gone.extend(uids.iter().cloned()),
            _ => {}
        };
        self.command(&[Part::Text(&command)], &mut take)
            .await?
            .done("UID FETCH")?;
        Ok((seen, gone))
    }

    /// Marks and sizes of messages; those that are gone are left out.
    pub(in crate::mail) async fn seen(&mut self, uids: &[u32]) -> Result<Vec<Seen>, MailError> {
        let mut seen = Vec::new();
        for part in uids.chunks(MOST_UIDS) {
            let command = format!(
                "UID FETCH {} (UID FLAGS RFC822.SIZE INTERNALDATE)",
                uid_set(part)
            );
            let mut take = |response: &Response<'_>| {
                if let Response::Fetch(_, attributes) = response {
                    seen.extend(seen_of(attributes).filter(|seen| part.contains(&seen.uid)));
                }
            };
            self.command(&[Part::Text(&command)], &mut take)
                .await?
                .done("UID FETCH")?;
        }
        Ok(seen)
    }

    /// Messages with their first `limit` octets; those that are gone are left out.
    pub(in crate::mail) async fn fetch(
        &mut self,
        uids: &[u32],
        limit: usize,
    ) -> Result<Vec<Fetched>, MailError> {
        let command = format!(
            "UID FETCH {} (UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{limit}>)",
            uid_set(uids)
        );
        let mut fetched: Vec<Fetched> = Vec::new();
        let mut take = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else {
                return;
            };
            let octets = attributes.iter().find_map(|attribute| match attribute {
                AttributeValue::BodySection { data, .. } => data.as_deref(),
                _ => None,
            });
            if let (Some(octets), Some(seen)) = (octets, seen_of(attributes).next())
                && uids.contains(&seen.uid)
                && !fetched.iter().any(|known| known.seen.uid == seen.uid)
            {
                fetched.push(Fetched {
                    seen,
                    octets: octets.to_vec(),
                });
            }
        };
        let before = std::mem::replace(&mut self.literal_limit, limit + 1024);
        let ended = self.command(&[Part::Text(&command)], &mut take).await;
        self.literal_limit = before;
        ended?.done("UID FETCH")?;
        Ok(fetched)
    }

    /// UIDs that a search finds, in order.
    async fn search(&mut self, parts: &[Part<'_>]) -> Result<Vec<u32>, MailError> {
        let mut found = Vec::new();
        let mut take = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend_from_slice(uids);
            }
        };
        self.command(parts, &mut take).await?.done("UID SEARCH")?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// UIDs from this one on.
    pub(in crate::mail) async fn uids_from(&mut self, uid: u32) -> Result<Vec<u32>, MailError> {
        let command = format!("UID SEARCH UID {uid}:*");
        let mut found = self.search(&[Part::Text(&command)]).await?;
        // `*` is the last message, whatever its UID.
        found.retain(|found| *found >= uid);
        Ok(found)
    }

    /// UIDs of messages that the server got on this day or later (seconds since 1970), among the last `most` of the folder.
    pub(in crate::mail) async fn uids_since(
        &mut self,
        time: i64,
        most: usize,
    ) -> Result<Vec<u32>, MailError> {
        let day = DateTime::from_timestamp(time, 0).unwrap_or_default();
        let day = day.format("%-d-%b-%Y");
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let command = match self.exists.checked_sub(most) {
            Some(before @ 1..) => format!("UID SEARCH {}:* SINCE {day}", before.saturating_add(1)),
            _ => format!("UID SEARCH SINCE {day}"),
        };
        self.search(&[Part::Text(&command)]).await
    }

    /// UIDs of messages with this Message-ID.
    pub(in crate::mail) async fn uids_of(
        &mut self,
        message_id: &str,
    ) -> Result<Vec<u32>, MailError> {
        let parts = [
            Part::Text("UID SEARCH HEADER Message-ID "),
            Part::Argument(message_id),
        ];
        self.search(&parts).await
    }

    /// Sets and takes away marks. A message that is gone has none.
    pub(in crate::mail) async fn mark(
        &mut self,
        uid: u32,
        added: Flags,
        removed: Flags,
    ) -> Result<(), MailError> {
        for (sign, flags) in [('+', added), ('-', removed)] {
            if flags == Flags::NONE {
                continue;
            }
            let command = format!("UID STORE {uid} {sign}FLAGS.SILENT ({})", flags.names());
            self.command(&[Part::Text(&command)], &mut |_| {})
                .await?
                .done("UID STORE")?;
        }
        Ok(())
    }

    /// Moves a message into another folder.
    pub(in crate::mail) async fn move_to(
        &mut self,
        uid: u32,
        folder: &str,
    ) -> Result<Appended, MailError> {
        let number = uid.to_string();
        let verb = if self.can("MOVE") { "MOVE" } else { "COPY" };
        let parts = [
            Part::Text("UID "),
            Part::Text(verb),
            Part::Text(" "),
            Part::Text(&number),
            Part::Text(" "),
            Part::Argument(folder),
        ];
        // MOVE tells the new UID in a response of its own (RFC 6851, section 4.3).
        let mut told = None;
        let mut take = |response: &Response<'_>| {
            if let Response::Data { outcome, .. } = response
                && let Some(imap_proto::ResponseCode::CopyUid(_, _, to)) = &outcome.code
            {
                told = single(to);
            }
        };
        let ended = self.command(&parts, &mut take).await?.done("UID MOVE")?;
        if verb == "COPY" {
            self.expunge(uid).await?;
        }
        Ok(told.or(ended.uid.map(|(_, uid)| uid)))
    }

    /// Removes a message for good, and no other one where the server can do that.
    pub(in crate::mail) async fn expunge(&mut self, uid: u32) -> Result<(), MailError> {
        self.mark(uid, Flags::DELETED, Flags::NONE).await?;
        if !self.can("UIDPLUS") {
            // EXPUNGE alone would take what others marked. What is marked is gone for all who look at marks.
            return Ok(());
        }
        let command = format!("UID EXPUNGE {uid}");
        self.command(&[Part::Text(&command)], &mut |_| {})
            .await?
            .done("UID EXPUNGE")?;
        Ok(())
    }

    /// Puts a message into a folder. `received` is in seconds since 1970.
    pub(in crate::mail) async fn append(
        &mut self,
        folder: &str,
        flags: Flags,
        received: i64,
        message: &[u8],
    ) -> Result<Appended, MailError> {
        let time = DateTime::from_timestamp(received, 0).unwrap_or_default();
        let head = format!(
            " ({}) \"{}\" ",
            flags.names(),
            time.format("%e-%b-%Y %H:%M:%S +0000")
        );
        let parts = [
            Part::Text("APPEND "),
            Part::Argument(folder),
            Part::Text(&head),
            Part::Literal(message),
        ];
        let ended = self.command(&parts, &mut |_| {}).await?.done("APPEND")?;
        Ok(ended.uid.map(|(_, uid)| uid))
    }
}

/// UIDs that one command names at most.
const MOST_UIDS: usize = 500;

fn single(set: &[imap_proto::rfc4315::UidSetMember]) -> Option<u32> {
    use imap_proto::rfc4315::UidSetMember;
    match set {
        [UidSetMember::Uid(uid)] => Some(*uid),
        [UidSetMember::UidRange(range)] if range.start() == range.end() => Some(*range.start()),
        _ => None,
    }
}

/// What a FETCH response tells, if it names the message.
fn seen_of(attributes: &[AttributeValue<'_>]) -> std::option::IntoIter<Seen> {
    let mut seen = Seen::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => seen.uid = *uid,
            AttributeValue::Flags(names) => {
                seen.flags = Flags::of_names(names.iter().map(|name| &**name));
            }
            AttributeValue::Rfc822Size(size) => seen.size = *size,
            AttributeValue::InternalDate(date) => {
                let time = DateTime::parse_from_str(date.trim(), "%d-%b-%Y %H:%M:%S %z");
                seen.received = time.map_or(0, |time| time.timestamp());
            }
            _ => {}
        }
    }
    (seen.uid != 0).then_some(seen).into_iter()
}

/// UIDs as a set, with ranges for runs.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut text = String::new();
    let mut rest = &*sorted;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .zip(u64::from(*first)..)
            .take_while(|(uid, expected)| u64::from(**uid) == *expected)
            .count()
            .max(1);
        let last = rest[run - 1];
        if !text.is_empty() {
            text.push(',');
        }
        let _infallible = match run {
            1 => write!(text, "{first}"),
            _ => write!(text, "{first}:{last}"),
        };
        rest = &rest[run..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_uids_are_ranges() {
        assert_eq!(uid_set(&[5, 1, 2, 3, 9, 10, 5]), "1:3,5,9:10");
        assert_eq!(uid_set(&[u32::MAX]), u32::MAX.to_string());
        assert_eq!(uid_set(&[]), "");
    }

    #[test]
    fn a_fetch_tells_what_it_has() {
        let frame = b"* 23 FETCH (FLAGS (\\Seen $Forwarded) UID 4827313 MODSEQ (624) INTERNALDATE \" 1-Jul-2005 02:44:25 -0700\" RFC822.SIZE 4423)\r\n";
        let Some(Response::Fetch(23, attributes)) = super::super::session::parsed(frame) else {
            panic!("no FETCH")
        };
        let seen = seen_of(&attributes).next().expect("a message");
        assert_eq!(
            seen,
            Seen {
                uid: 4_827_313,
                flags: Flags::READ.with(Flags::FORWARDED),
                size: 4423,
                received: 1_120_211_065,
            }
        );
    }
}
