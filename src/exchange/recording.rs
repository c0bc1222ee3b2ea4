//! What is kept of a message: request and reply, what happened to each item, and no credentials.

use std::borrow::Cow;

use memchr::memmem;

use crate::session::Outcome;
use crate::sync::recording::pack_items;
use crate::sync::{Change, Modseq, RecordingWrite};
use crate::syncml::{Carrier, Command, Cred, Message};

/// How much of a session is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// What can be undone: which items were written.
    Numbers,
    /// And what happened to each item, and why.
    Items,
    /// And every message as it came and went.
    #[default]
    Messages,
}

/// Octets of messages that are kept of one session, unless it is said otherwise: enough for all of a usual one, and too
/// little to be felt in a first sync of thousands of items.
pub const SESSION_OCTETS: u64 = 262_144;

/// What takes the place of credentials.
const MASK: u8 = b'x';

/// What is kept of one message.
pub(super) fn of(
    outcome: &mut Outcome,
    depth: Depth,
    device: &str,
    carrier: Carrier,
    modseq_before: Modseq,
    request: Option<&[u8]>,
) -> RecordingWrite {
    let written = pack_items(outcome.changes.iter().filter_map(|change| match change {
        Change::PutItem(write) => Some(write.meta.id),
        Change::MoveItem { item, .. } | Change::DeleteItem { item, .. } => Some(*item),
        _ => None,
    }));
    let trace = std::mem::take(&mut outcome.trace).into_octets();
    RecordingWrite {
        device: device.to_owned(),
        holds: outcome.holds,
        modseq_before,
        content_type: carrier.mime().to_owned(),
        summary: serde_json::to_string(&outcome.progress.views)
            .expect("numbers and names are always JSON"),
        written,
        // What is held is decided on by it.
        trace: if depth == Depth::Numbers && !outcome.holds {
            Vec::new()
        } else {
            trace
        },
        request: match depth {
            Depth::Messages => request.unwrap_or_default().to_vec(),
            _ => Vec::new(),
        },
        keeps_reply: depth == Depth::Messages,
    }
}

/// A request without its credentials: as long as before, and as well-formed. `None` if they cannot be found in it.
pub(super) fn masked<'b>(body: &'b [u8], message: &Message<'_>) -> Option<Cow<'b, [u8]>> {
    let mut copy = Cow::Borrowed(body);
    for cred in credentials(message) {
        let secret = cred.data.trim_ascii();
        let mut found = secret.is_empty();
        for at in memmem::find_iter(body, secret).take_while(|_| !secret.is_empty()) {
            copy.to_mut()[at..at + secret.len()].fill(MASK);
            found = true;
        }
        if !found {
            return None;
        }
    }
    Some(copy)
}

/// Those of the header, and those that commands may have.
fn credentials<'m>(message: &'m Message<'_>) -> Vec<&'m Cred<'m>> {
    let mut found: Vec<&Cred<'_>> = message.header.cred.iter().collect();
    let mut rest: Vec<&Command<'_>> = message.body.iter().collect();
    while let Some(command) = rest.pop() {
        let cred = match command {
            Command::Sync(sync) => {
                rest.extend(&sync.commands);
                &sync.cred
            }
            Command::Group(group) => {
                rest.extend(&group.commands);
                &None
            }
            Command::Change(change) => &change.cred,
            Command::Alert(alert) => &alert.cred,
            Command::Map(map) => &map.cred,
            Command::Put(put) => &put.cred,
            Command::Get(get) => &get.cred,
            Command::Status(status) => &status.cred,
            Command::Exec(exec) => &exec.cred,
            Command::Search(search) => &search.cred,
            Command::Results(_) | Command::Unknown { .. } => &None,
        };
        found.extend(cred.as_deref());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::syncml::codec::{Form, Limits, decode, encode};
    use crate::syncml::{Carrier, Command, Cred, Message, Sync, Version};

    fn message(secrets: [&'static [u8]; 2]) -> Message<'static> {
        let cred = |data: &'static [u8]| {
            Some(Cred {
                data: data.into(),
                ..Cred::default()
            })
        };
        let mut message = Message::default();
        message.header.cred = cred(secrets[0]);
        message.body.push(Command::Sync(Sync {
            cmd_id: "1".into(),
            cred: cred(secrets[1]).map(Box::new),
            ..Sync::default()
        }));
        message
    }

    #[test]
    fn credentials_go_and_the_rest_stays() {
        for carrier in [Carrier::Wbxml, Carrier::Xml] {
            let form = Form::new(carrier, Version::V12);
            let body = encode(&message([b"YWxpY2U6c2VjcmV0", b"Ym9iOmhpZGRlbg=="]), &form);
            let read = decode(&body, carrier, &Limits::default()).unwrap();
            let kept = masked(&body, &read).unwrap();
            assert_eq!(kept.len(), body.len());
            for secret in [&b"YWxpY2U6c2VjcmV0"[..], b"Ym9iOmhpZGRlbg=="] {
                assert!(memchr::memmem::find(&body, secret).is_some());
                assert!(memchr::memmem::find(&kept, secret).is_none());
            }
            let expected = message([b"xxxxxxxxxxxxxxxx", b"xxxxxxxxxxxxxxxx"]);
            let shown = decode(&kept, carrier, &Limits::default()).unwrap();
            assert_eq!(shown.header.cred, expected.header.cred);
            assert_eq!(shown.body, expected.body);
        }
    }

    #[test]
    fn a_request_whose_credentials_are_written_otherwise_is_not_kept() {
        let form = Form::new(Carrier::Xml, Version::V12);
        let body = encode(&message([b"YWxpY2U6c2VjcmV0", b""]), &form);
        let text = String::from_utf8(body).unwrap();
        let escaped = text.replace("YWxp", "&#89;Wxp");
        let read = decode(escaped.as_bytes(), Carrier::Xml, &Limits::default()).unwrap();
        assert_eq!(
            read.header.cred.as_ref().unwrap().data[..],
            *b"YWxpY2U6c2VjcmV0"
        );
        assert!(masked(escaped.as_bytes(), &read).is_none());
    }
}
