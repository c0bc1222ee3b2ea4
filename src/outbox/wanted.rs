//! Whether what changed is worth a notification to a device. No IO, no clock.
//!
//! A device that synchronises with a filter (OMA DS 1.2, Filter; SyncML 1.1, target address filtering) is not woken for
//! items that are new to it and do not pass. For an item that it has it always is: the item changed, or has to leave it.

use super::mail::MailFacts;
use crate::content::email::{Folder, FolderRole, Head, Mail};
use crate::content::{self, Format};
use crate::filter::{Filter, Subject};
use crate::store::News;

/// Items that are looked at one by one; when more changed, the device is woken.
pub const MOST_JUDGED: usize = 64;

/// Whether some of it passes the filter under which the device got what it has. `news` has at most [`MOST_JUDGED`] items,
/// or one more if there are more.
pub fn passes(filter: &str, news: &[News], zone: chrono_tz::Tz) -> bool {
    // A filter that cannot be read, or one of fields alone, leaves nothing out.
    let Some(filter) = Filter::from_text(filter).filter(|filter| filter.record.is_some()) else {
        return true;
    };
    news.len() > MOST_JUDGED
        || news.iter().any(|news| {
            let meta = &news.item.meta;
            let record = || content::read_stored(&news.item.body, meta.format);
            news.known
                || record().is_none_or(|record| {
                    filter.passes(&Subject {
                        record: &record,
                        octets: news.item.body.len() as u64,
                        luid: None,
                        guid: &meta.id.guid(),
                        time_zone: zone,
                    })
                })
        })
}

/// Whether it is the rest of a mail that the device asked for: somebody waits for it.
pub fn is_rest(news: &News) -> bool {
    let whole = || Mail::state(&news.item.body).is_ok_and(|(mail, _)| mail.missing == 0);
    news.asked && !news.item.meta.deleted && whole()
}

/// What counts of mail that is new to a device; `None` for anything else. Mail at the top is in the inbox of a flat
/// mailbox.
pub fn mail_facts(news: &News) -> Option<MailFacts> {
    let meta = &news.item.meta;
    if news.known || meta.deleted || meta.format != Format::Mail {
        return None;
    }
    let (mail, message) = Mail::state(&news.item.body).ok()?;
    let head = Head::of(news.item.body.get(message..)?);
    let folder = news.folder.as_deref();
    let folder = folder.and_then(|body| Folder::read(body).ok());
    let (role, folder) = match folder {
        None => (FolderRole::Inbox.name(), String::new()),
        Some(folder) => (folder.role.map_or("", FolderRole::name), folder.name),
    };
    Some(MailFacts {
        role: role.to_owned(),
        folder,
        sender: head.sender(),
        urgent: head.urgent,
        read: mail.read,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Digest, Format, MatchKey};
    use crate::filter::{Expression, FilterType};
    use crate::sync::{Datastore, Item, ItemId, ItemMeta, Modseq};

    fn news(body: &str, known: bool) -> News {
        News {
            item: Item {
                meta: ItemMeta {
                    id: ItemId(1),
                    datastore: Datastore::Contacts,
                    modseq: Modseq(1),
                    deleted: false,
                    format: Format::VCard30,
                    digest: Digest([0; 16]),
                    key: MatchKey(0),
                    updated: 0,
                    parent: ItemId(0),
                    content: Modseq(1),
                },
                body: body.into(),
            },
            known,
            asked: false,
            folder: None,
        }
    }

    #[test]
    fn the_rest_of_a_mail_counts_for_who_asked_for_it_once_it_is_there() {
        let of = |missing: u64, asked: bool, deleted: bool| {
            let mail = Mail {
                message: b"Subject: x\r\n\r\ny".to_vec(),
                missing,
                ..Mail::default()
            };
            let mut news = news("", true);
            news.item.body = mail.write();
            news.item.meta.deleted = deleted;
            is_rest(&News { asked, ..news })
        };
        assert!(of(0, true, false));
        assert!(!of(7, true, false) && !of(0, false, false) && !of(0, true, true));
    }

    #[test]
    fn new_mail_is_told_by_its_head_and_its_folder() {
        let message =
            b"From: Ada <Ada@Example.org>\r\nImportance: high\r\nSubject: x\r\n\r\nbody\r\n";
        let mut mail = news("", false);
        mail.item.meta.format = Format::Mail;
        mail.item.body = Mail::received(message.to_vec(), 5).write();
        let facts = mail_facts(&mail).expect("a mail");
        let expected = MailFacts {
            role: "inbox".into(),
            folder: String::new(),
            sender: "ada@example.org".into(),
            urgent: true,
            read: false,
        };
        assert_eq!(facts, expected);
        let lists = Folder::new("Lists", None);
        mail.folder = Some(lists.write());
        let facts = mail_facts(&mail).expect("a mail");
        assert_eq!((&*facts.role, &*facts.folder), ("", "Lists"));
        mail.folder = Some(Folder::new("Skickat", Some(FolderRole::Sent)).write());
        assert_eq!(mail_facts(&mail).expect("a mail").role, "sent");
        mail.known = true;
        assert_eq!(mail_facts(&mail), None, "it changed, and is not new");
        assert_eq!(mail_facts(&news(&card("Ada"), false)), None);
    }

    fn card(name: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n")
    }

    #[test]
    fn what_a_filter_leaves_out_wakes_nobody() {
        let filter = Filter {
            kind: FilterType::Exclusive,
            record: Some(
                Expression::parse("FN&CON;Ada")
                    .expect("grammar")
                    .expect("one"),
            ),
            fields: None,
        };
        let text = filter.to_text();
        let passes = |news: &[News]| passes(&text, news, chrono_tz::UTC);
        assert!(passes(&[
            news(&card("Grace"), false),
            news(&card("Ada"), false)
        ]));
        assert!(!passes(&[news(&card("Grace"), false)]));
        assert!(!passes(&[]));
        assert!(passes(&[news(&card("Grace"), true)]), "the phone has it");
        assert!(
            passes(&[news("no card at all", false)]),
            "it cannot be judged"
        );
        let many = vec![news(&card("Grace"), false); MOST_JUDGED + 1];
        assert!(passes(&many));
        assert!(!passes(&many[..MOST_JUDGED]));
        let fields = Filter {
            record: None,
            fields: Some(Vec::new()),
            ..filter
        };
        let grace = [news(&card("Grace"), false)];
        assert!(super::passes(&fields.to_text(), &grace, chrono_tz::UTC));
        assert!(super::passes("no filter", &grace, chrono_tz::UTC));
    }
}
