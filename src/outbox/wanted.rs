//! Whether what changed is worth a notification to a device. No IO, no clock.
//!
//! A device that synchronises with a filter (OMA DS 1.2, Filter; SyncML 1.1, target address filtering) is not woken for
//! items that are new to it and do not pass. For an item that it has it always is: the item changed, or has to leave it.

use crate::content;
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
                },
                body: body.into(),
            },
            known,
        }
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
