//! `candybar export`: the items of an account, on standard output.
//!
//! Items that are stored in the form that is asked for come out byte for byte.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, setup};
use crate::content::{self, Format, ReadHint, Target};
use crate::sync::{Cursor, Datastore, Item};

/// Items that are read at once.
const PAGE: u32 = 500;

/// Forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// vCard 3.0 (4.0 where it is stored so)
    Vcard,
    /// iCalendar 2.0
    Icalendar,
    /// Every property, and the stored octets
    Json,
    /// For reading
    Text,
}

/// Flags of `export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// User name
    name: String,
    /// contacts, calendar, tasks or notes; agenda is calendar and tasks in one
    datastore: Datastore,
    /// Form [default: vcard for contacts, icalendar for calendar and tasks, text for notes]
    #[arg(long, value_name = "FORM")]
    format: Option<Form>,
}

/// Exports.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let form = form(args, global.json)?;
    let (_config, store) = setup::store(global)?;
    let account = setup::account(&store, &args.name)?;
    let mut sink = Sink::new(form, BufWriter::new(io::stdout().lock()));
    let mut reader = store.reader()?;
    let mut unreadable = 0;
    for collection in args.datastore.collections() {
        let mut after = Cursor::default();
        loop {
            let page = reader.items(account.id, *collection, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Cursor {
                modseq: last.meta.modseq,
                item: last.meta.id,
            };
            for item in &page {
                if !sink.item(item)? {
                    unreadable += 1;
                    eprintln!("candybar: item {} cannot be read", item.meta.id.guid());
                }
            }
        }
    }
    sink.finish()?;
    Ok(if unreadable == 0 {
        Code::Done
    } else {
        Code::Partly
    })
}

fn form(args: &Args, json: bool) -> Result<Form, Failure> {
    let (own, right): (Form, &[Form]) = match args.datastore {
        Datastore::Contacts => (Form::Vcard, &[Form::Vcard, Form::Json, Form::Text]),
        Datastore::Calendar | Datastore::Tasks | Datastore::Agenda => {
            (Form::Icalendar, &[Form::Icalendar, Form::Json, Form::Text])
        }
        Datastore::Notes => (Form::Text, &[Form::Json, Form::Text]),
        Datastore::Mail => {
            return Err(Failure::new(Code::Usage, "mail cannot be exported")
                .hint("there are contacts, calendar, tasks and notes"));
        }
    };
    let chosen = match args.format {
        Some(form) => form,
        None if json => Form::Json,
        None => own,
    };
    if right.contains(&chosen) {
        return Ok(chosen);
    }
    let names: Vec<_> = right.iter().map(|form| form.name()).collect();
    Err(Failure::new(
        Code::Usage,
        format!("{} cannot be written as {}", args.datastore, chosen.name()),
    )
    .hint(format!("it can as {}", names.join(", "))))
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Vcard => "vcard",
            Self::Icalendar => "icalendar",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// Writes items one after another.
struct Sink<W> {
    form: Form,
    out: W,
    items: usize,
    zones: HashMap<Vec<u8>, Vec<u8>>,
}

impl<W: Write> Sink<W> {
    fn new(form: Form, out: W) -> Self {
        Self {
            form,
            out,
            items: 0,
            zones: HashMap::new(),
        }
    }

    /// False if the item is damaged.
    fn item(&mut self, item: &Item) -> io::Result<bool> {
        let hint = ReadHint {
            format: Some(item.meta.format),
            ..ReadHint::default()
        };
        let Ok(parsed) = content::read(&item.body, &hint) else {
            return Ok(false);
        };
        let written = |format| content::write(&parsed.record, &Target::new(format));
        match (self.form, item.meta.format) {
            (Form::Vcard, Format::VCard30 | Format::VCard40) | (Form::Text, Format::PlainText) => {
                self.text(&item.body)?
            }
            (Form::Vcard, _) => self.text(&written(Format::VCard30))?,
            (Form::Text, _) => self.text(&written(Format::PlainText))?,
            (Form::Icalendar, Format::ICalendar20) => self.calendar(&item.body)?,
            (Form::Icalendar, _) => self.calendar(&written(Format::ICalendar20))?,
            (Form::Json, _) => {
                let mut value = json!({
                    "id": item.meta.id.guid(),
                    "datastore": item.meta.datastore,
                    "content_type": item.meta.format.mime(),
                    "version": item.meta.format.version(),
                    "updated": item.meta.updated,
                    "title": content::title(&parsed.record),
                    "item": content::to_json(&parsed.record),
                });
                match std::str::from_utf8(&item.body) {
                    Ok(text) => value["body"] = text.into(),
                    Err(_) => {
                        use base64::Engine as _;
                        let coded = base64::engine::general_purpose::STANDARD.encode(&item.body);
                        value["body_base64"] = coded.into();
                    }
                }
                let before: &[u8] = if self.items == 0 { b"[\n" } else { b",\n" };
                self.out.write_all(before)?;
                serde_json::to_writer_pretty(&mut self.out, &value)?;
            }
        }
        self.items += 1;
        Ok(true)
    }

    fn text(&mut self, body: &[u8]) -> io::Result<()> {
        if self.form == Form::Text && self.items > 0 {
            self.out.write_all(b"----\n")?;
        }
        self.out.write_all(body)?;
        if !body.ends_with(b"\n") {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Puts the components of an item's calendar into the one that is being written, each time zone once.
    fn calendar(&mut self, body: &[u8]) -> io::Result<()> {
        let blocks = blocks(body);
        let clashes = blocks.iter().any(|block| {
            zone_name(block)
                .and_then(|name| self.zones.get(name))
                .is_some_and(|known| known != block)
        });
        if clashes {
            // Another zone of the same name: it needs a calendar of its own.
            self.out.write_all(b"END:VCALENDAR\r\n")?;
            self.zones.clear();
        }
        if clashes || self.items == 0 {
            self.begin_calendar()?;
        }
        for block in blocks {
            if let Some(name) = zone_name(block) {
                if self.zones.contains_key(name) {
                    continue;
                }
                self.zones.insert(name.to_vec(), block.to_vec());
            }
            self.out.write_all(block)?;
            if !block.ends_with(b"\n") {
                self.out.write_all(b"\r\n")?;
            }
        }
        Ok(())
    }

    fn begin_calendar(&mut self) -> io::Result<()> {
        self.out
            .write_all(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//candybar//EN\r\n")
    }

    fn finish(mut self) -> io::Result<()> {
        match self.form {
            Form::Icalendar => {
                if self.items == 0 {
                    self.begin_calendar()?;
                }
                self.out.write_all(b"END:VCALENDAR\r\n")?;
            }
            Form::Json if self.items == 0 => self.out.write_all(b"[]\n")?,
            Form::Json => self.out.write_all(b"\n]\n")?,
            Form::Vcard | Form::Text => {}
        }
        self.out.flush()
    }
}

/// The components directly within a VCALENDAR, as they stand.
fn blocks(calendar: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    let mut at = 0;
    for line in calendar.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len();
        if starts(line, b"BEGIN:") {
            depth += 1;
            if depth == 2 {
                start = at;
            }
        } else if starts(line, b"END:") {
            if depth == 2 {
                blocks.push(&calendar[start..end]);
            }
            depth = depth.saturating_sub(1);
        }
        at = end;
    }
    blocks
}

fn starts(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// The TZID of a VTIMEZONE.
fn zone_name(block: &[u8]) -> Option<&[u8]> {
    let mut lines = block.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    if !starts(first, b"BEGIN:VTIMEZONE") {
        return None;
    }
    let name = lines.find(|line| starts(line, b"TZID"))?;
    Some(name.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::{Form, Sink};
    use crate::content::{Digest, Format, MatchKey};
    use crate::sync::{Datastore, Item, ItemId, ItemMeta, Modseq};

    fn item(id: i64, format: Format, body: &str) -> Item {
        Item {
            meta: ItemMeta {
                id: ItemId(id),
                datastore: Datastore::Calendar,
                modseq: Modseq(id),
                deleted: false,
                format,
                digest: Digest([0; 16]),
                key: MatchKey(0),
                updated: 0,
                parent: ItemId(0),
                content: Modseq(id),
            },
            body: body.as_bytes().to_vec().into(),
        }
    }

    fn event(uid: &str, offset: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Home\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n\
             TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
             DTSTART;TZID=Home:20260301T100000\r\nSUMMARY:{uid}\r\nBEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT5M\r\n\
             END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn export(form: Form, items: &[Item]) -> String {
        let mut out = Vec::new();
        let mut sink = Sink::new(form, &mut out);
        for item in items {
            assert!(sink.item(item).expect("written"));
        }
        sink.finish().expect("written");
        String::from_utf8(out).expect("text")
    }

    fn count(text: &str, word: &str) -> usize {
        text.matches(word).count()
    }

    #[test]
    fn events_share_one_calendar_and_its_zones() {
        let items = [
            item(1, Format::ICalendar20, &event("one", "+0100")),
            item(2, Format::ICalendar20, &event("two", "+0100")),
        ];
        let text = export(Form::Icalendar, &items);
        assert_eq!(count(&text, "BEGIN:VCALENDAR"), 1);
        assert_eq!(count(&text, "END:VCALENDAR"), 1);
        assert_eq!(count(&text, "BEGIN:VTIMEZONE"), 1);
        assert_eq!(count(&text, "BEGIN:VEVENT"), 2);
        assert_eq!(count(&text, "END:VALARM"), 2);
        // Each is found again, with its zone.
        assert_eq!(crate::content::split(text.as_bytes()).len(), 2);
    }

    #[test]
    fn zones_of_one_name_with_other_rules_stay_apart() {
        let items = [
            item(1, Format::ICalendar20, &event("one", "+0100")),
            item(2, Format::ICalendar20, &event("two", "+0200")),
        ];
        let text = export(Form::Icalendar, &items);
        assert_eq!(count(&text, "BEGIN:VCALENDAR"), 2);
        assert_eq!(count(&text, "END:VCALENDAR"), 2);
        assert_eq!(count(&text, "TZOFFSETTO:+0200"), 1);
    }

    #[test]
    fn nothing_is_still_a_whole_document() {
        assert_eq!(export(Form::Json, &[]), "[]\n");
        assert_eq!(export(Form::Text, &[]), "");
        let text = export(Form::Icalendar, &[]);
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    }

    #[test]
    fn legacy_items_are_raised_and_modern_ones_left_alone() {
        let old = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Uwe\r\nTEL;CELL:+49170\r\nEND:VCARD\r\n";
        let new = "BEGIN:VCARD\nVERSION:4.0\nFN:Uwe\nX-ODD;A=b:c\nEND:VCARD";
        let items = [item(1, Format::VCard21, old), item(2, Format::VCard40, new)];
        let text = export(Form::Vcard, &items);
        assert!(text.contains("N:Müller;Uwe"), "{text}");
        assert!(text.contains("VERSION:3.0"), "{text}");
        assert!(text.ends_with(&format!("{new}\n")), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&export(Form::Json, &items)).expect("JSON");
        assert_eq!(json[0]["body"], old);
        assert_eq!(json[1]["version"], "4.0");
        assert_eq!(json[0]["id"], "1");
    }

    #[test]
    fn notes_are_told_apart() {
        let items = [
            item(1, Format::PlainText, "milk\nbread"),
            item(2, Format::PlainText, "call\n"),
        ];
        assert_eq!(export(Form::Text, &items), "milk\nbread\n----\ncall\n");
    }
}
