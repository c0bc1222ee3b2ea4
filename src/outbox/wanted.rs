//! Whether what changed is worth a notification to a device. No IO, no clock.
//!
//! A device that synchronises with a filter (OMA DS 1.2, Filter; SyncML 1.1, target address filtering) is not woken for
//! items that are new to it and do not pass. For an item that it has it always is: the item changed, or has to leave it.

use super::mail::MailFacts;
use crate::content::email::{Folder, FolderRole, Head, Mail};
use crate::content::{self, Format};
use crate::filter::{Filter, Subject};
use crate::store::News;
use crate::sync::{Datastore, ItemId, MAX_COUNT, Newest, NewestQuery, Windows};

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

/// A folder of mail, as far as it counts here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderOf {
    id: ItemId,
    role: Option<FolderRole>,
}

impl FolderOf {
    /// Of the item that the folder is.
    pub fn read(id: ItemId, body: &[u8]) -> Self {
        let role = Folder::read(body).ok().and_then(|folder| folder.role);
        Self { id, role }
    }
}

/// Which mails a device is to have, as sessions decide it: of each folder the newest; of a `flat` mailbox, of the inbox alone. Mail
/// at the top counts as in the inbox. `now` is in seconds since 1970.
pub fn within(folders: &[FolderOf], windows: &Windows, flat: bool, now: i64) -> NewestQuery {
    let inbox = Some(FolderRole::Inbox);
    let top = FolderOf {
        id: ItemId(0),
        role: inbox,
    };
    let wanted = folders
        .iter()
        .chain([&top])
        .filter(|of| !flat || of.role == inbox);
    let newest = wanted.map(|of| {
        let window = windows.of(of.role);
        Newest {
            folder: of.id,
            since: window.since(now),
            count: window.count.unwrap_or(MAX_COUNT),
        }
    });
    NewestQuery {
        view: Datastore::Mail,
        folders: newest.collect(),
    }
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
                body: body.to_owned().into(),
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
            news.item.body = mail.write().into();
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
        mail.item.body = Mail::received(message.to_vec(), 5).write().into();
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

    #[test]
    fn windows_say_which_mails_a_device_is_to_have() {
        const NOW: i64 = 1_800_000_000;
        let folder = |id: i64, name: &str, role| {
            FolderOf::read(ItemId(id), &Folder::new(name, role).write())
        };
        let folders = [
            folder(1, "Inbox", Some(FolderRole::Inbox)),
            folder(2, "Skickat", Some(FolderRole::Sent)),
            folder(3, "Lists", None),
        ];
        let windows: Windows = "days=14,count=50,sent.count=0".parse().expect("windows");
        let limits = |flat| {
            let query = within(&folders, &windows, flat, NOW);
            let limits = query.folders.iter().map(|of| (of.folder.0, of.count));
            limits.collect::<Vec<_>>()
        };
        assert_eq!(limits(false), [(1, 50), (2, 0), (3, 50), (0, 50)]);
        assert_eq!(limits(true), [(1, 50), (0, 50)]);
        let query = within(&folders, &windows, true, NOW);
        assert!(query.folders.iter().all(|of| of.since == NOW - 14 * 86_400));
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
