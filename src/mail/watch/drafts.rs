//! Drafts at the mail server. IMAP changes no message: an edited draft is put there anew (APPEND), and the one before is expunged by its UID.
//!
//! What is put there has a Message-ID, made of the item and its text if the phone gave none: so what an attempt before a sudden end has
//! left is found, and nothing is there twice. The draft before goes when the new one is there, not earlier.

use sha2::{Digest as _, Sha256};

use super::imap::Imap;
use super::task::Ended;
use crate::content::email::{Head, Mail};
use crate::mail::batch;
use crate::mail::flags::Flags;
use crate::sync::{ItemId, MirrorChange, MirrorFolder, MirrorMessage};

/// What stands before the item's number in an id of ours.
const PREFIX: &str = "draft.";
/// The host of such an id, which is nobody's.
const HOST: &str = "@candybar.invalid";

/// A message as it is put to a server: its lines end with CR LF, and it has an id.
pub(super) fn wire_form(item: ItemId, message: &[u8]) -> Vec<u8> {
    let message = with_line_ends(message);
    if Head::of(&message).message_id.is_some() {
        return message;
    }
    let mark = Sha256::digest(&message);
    let mark = u64::from_be_bytes([
        mark[0], mark[1], mark[2], mark[3], mark[4], mark[5], mark[6], mark[7],
    ]);
    let mut out = format!("Message-ID: <{PREFIX}{item}.{mark:016x}{HOST}>\r\n").into_bytes();
    out.extend_from_slice(&message);
    out
}

/// The item that a message of the server was put there for, if it has an id of ours.
pub(super) fn item_of(message: &[u8]) -> Option<ItemId> {
    let id = Head::of(message).message_id?;
    let (item, _) = id
        .strip_prefix(PREFIX)?
        .strip_suffix(HOST)?
        .split_once('.')?;
    item.parse().ok().map(ItemId)
}

/// Whether a message of the server is what the item says.
pub(super) fn is_same(item: ItemId, stored: &[u8], there: &[u8]) -> bool {
    let there = with_line_ends(there);
    there == wire_form(item, stored) || there == with_line_ends(stored)
}

fn with_line_ends(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    for (at, octet) in message.iter().enumerate() {
        if *octet == b'\n' && (at == 0 || message[at - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

/// Puts an edited draft, or what became of it, into `target` in place of the message that the server has. False if that is the same still,
/// or cannot be told.
pub(super) async fn replace(
    imap: &mut Imap<'_>,
    row: &MirrorMessage,
    folder: &MirrorFolder,
    target: &MirrorFolder,
) -> Result<bool, Ended> {
    let (account, item) = (imap.books.id.account, row.item);
    let found = imap
        .stored(move |books| batch::items(&books.store, account, &[item]))
        .await?;
    let mail = found.first().and_then(|item| Mail::read(&item.body).ok());
    let Some(mail) = mail.filter(|mail| mail.missing == 0 && !mail.message.is_empty()) else {
        return Ok(false);
    };
    let Ok(old) = u32::try_from(row.uid) else {
        return Ok(false);
    };
    if !imap.select_valid(folder).await? {
        return Ok(false);
    }
    let limit = imap.context.watchers.0.settings.max_message;
    // What attempts before a sudden end have left, of versions that are old now.
    for uid in imap.session.uids_of(&format!("<{PREFIX}{item}.")).await? {
        if uid == old {
            continue;
        }
        let left = imap.session.fetch(&[uid], limit).await?.pop();
        if left.is_some_and(|left| {
            item_of(&left.octets) == Some(item) && !is_same(item, &mail.message, &left.octets)
        }) {
            imap.session.expunge(uid).await?;
        }
    }
    let there = imap.session.fetch(&[old], limit).await?.pop();
    let Some(there) = there.filter(|there| there.octets.len() < limit) else {
        return Ok(false);
    };
    if is_same(item, &mail.message, &there.octets) {
        return Ok(false);
    }
    let flags = super::pull::flags_of(&mail);
    let new = put(imap, item, &mail, target, flags, Some(old)).await?;
    if imap.select_valid(folder).await? {
        imap.session.expunge(old).await?;
    }
    let (row, target) = (row.clone(), target.id);
    imap.stored(move |books| {
        let mut changes = vec![MirrorChange::DropMessage {
            folder: row.folder,
            uid: row.uid,
        }];
        // Without the new UID the next look finds the message, and knows the item.
        changes.extend(new.map(|uid| {
            MirrorChange::PutMessage(MirrorMessage {
                folder: target,
                uid: i64::from(uid),
                flags: flags.number(),
                ..row
            })
        }));
        books.note(changes)
    })
    .await?;
    Ok(true)
}

/// Puts a mail into a folder, unless it is there: a sudden end may have come before the books, and some servers file what is submitted by
/// themselves. Gives its UID, if that is known. `but` is the UID of the one that it replaces.
pub(super) async fn put(
    imap: &mut Imap<'_>,
    item: ItemId,
    mail: &Mail,
    folder: &MirrorFolder,
    flags: Flags,
    but: Option<u32>,
) -> Result<Option<u32>, Ended> {
    let message = wire_form(item, &mail.message);
    let head = Head::of(&message);
    let limit = imap.context.watchers.0.settings.max_message;
    if let Some(id) = &head.message_id
        && imap.select_valid(folder).await?
    {
        let mut uids = imap.session.uids_of(&format!("<{id}>")).await?;
        uids.retain(|uid| Some(*uid) != but);
        while let Some(uid) = uids.pop() {
            let draft = flags.has(Flags::DRAFT) || but.is_some();
            if !draft {
                return Ok(Some(uid));
            }
            // Drafts of one id can be of different times.
            let found = imap.session.fetch(&[uid], limit).await?.pop();
            if found.is_some_and(|found| is_same(item, &mail.message, &found.octets)) {
                return Ok(Some(uid));
            }
        }
    }
    let received = mail.received.or(head.date).unwrap_or_default();
    let uid = imap
        .session
        .append(&folder.name, flags, received, &message)
        .await?;
    Ok(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_has_an_id_that_tells_its_item_and_text() {
        let item = ItemId(17);
        let put = wire_form(item, b"Subject: a\n\nx\r\ny\n");
        let text = String::from_utf8(put.clone()).unwrap();
        assert!(text.ends_with("Subject: a\r\n\r\nx\r\ny\r\n"), "{text}");
        assert_eq!(item_of(&put), Some(item));
        assert_eq!(wire_form(item, b"Subject: a\r\n\r\nx\r\ny\r\n"), put);
        assert_ne!(wire_form(item, b"Subject: a\n\nz"), put);
        assert!(is_same(item, b"Subject: a\n\nx\ny\n", &put));
        assert!(is_same(item, b"Subject: a\n\nx", b"Subject: a\r\n\r\nx"));
        assert!(!is_same(ItemId(18), b"Subject: a\n\nx\ny\n", &put));
        let named = b"Message-ID: <a@b>\r\n\r\nx";
        assert_eq!(wire_form(item, named), named);
        for other in [
            "draft.x.1@candybar.invalid",
            "draft.1@candybar.invalid",
            "draft.1.2@b",
        ] {
            let message = format!("Message-ID: <{other}>\r\n\r\n");
            assert_eq!(item_of(message.as_bytes()), None, "{other}");
        }
        assert_eq!(
            wire_form(item, b"\n\nbody")
                .split(|octet| *octet == b'\n')
                .count(),
            4
        );
    }
}
