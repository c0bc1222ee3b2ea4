//! Compares items field by field: what a user entered must be the same on both sides, however it is written.
//!
//! An independent small reader of vCard 3.0 (RFC 2426), iCalendar (RFC 5545) and plain text; it shares nothing with the
//! server's own. An item becomes the sorted list of its properties, each with its parameters and its unescaped value, so
//! that order, folding, line ends and letter case of names do not matter. What else is set aside, and why, is said at
//! [`IGNORED`] and [`canonical_value`].

use std::collections::BTreeMap;
use std::fmt::Write;

use super::datastore::Datastore;

/// One card, event, task or note as the sorted list of what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item(Vec<String>);

/// Properties that no user enters: who wrote the object and when.
const IGNORED: [&str; 6] = [
    "PRODID",
    "VERSION",
    "REV",
    "DTSTAMP",
    "LAST-MODIFIED",
    "CREATED",
];

/// The items in some files: one each for cards and texts; a calendar object may hold several events or tasks.
pub(crate) fn items(datastore: Datastore, bodies: &[String]) -> Vec<Item> {
    let kinds: &[&str] = match datastore {
        Datastore::Contacts => &["VCARD"],
        Datastore::Calendar => &["VEVENT"],
        Datastore::Tasks => &["VTODO"],
        Datastore::Notes => return sorted(bodies.iter().map(|body| note(body)).collect()),
    };
    sorted(
        bodies
            .iter()
            .flat_map(|body| components(body, kinds))
            .collect(),
    )
}

/// Fails, showing what differs, unless both sides hold the same items.
pub(crate) fn assert_same(
    context: &str,
    datastore: Datastore,
    expected: &[String],
    actual: &[String],
) {
    let (expected, actual) = (items(datastore, expected), items(datastore, actual));
    assert!(
        expected == actual,
        "{context}: {datastore:?} differ\n{}",
        difference(&expected, &actual)
    );
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort();
    items
}

/// What differs: each item that is expected beside the one that is most like it.
fn difference(expected: &[Item], actual: &[Item]) -> String {
    let mut text = format!("{} expected, {} there\n", expected.len(), actual.len());
    let mut others: Vec<&Item> = actual
        .iter()
        .filter(|item| !expected.contains(item))
        .collect();
    for item in expected.iter().filter(|item| !actual.contains(item)) {
        let common = |other: &Item| other.0.iter().filter(|line| item.0.contains(line)).count();
        let likest = (0..others.len()).max_by_key(|index| common(others[*index]));
        let other = likest
            .filter(|index| common(others[*index]) > 0)
            .map(|index| others.swap_remove(index));
        writeln!(
            text,
            "--- expected{}",
            if other.is_some() {
                ""
            } else {
                ", and nothing like it there"
            }
        )
        .ok();
        let there = other.map_or(&[][..], |other| &other.0);
        for line in item.0.iter().filter(|line| !line.is_empty()) {
            writeln!(
                text,
                "  {} {}",
                if there.contains(line) { ' ' } else { '-' },
                shortened(line)
            )
            .ok();
        }
        for line in there.iter().filter(|line| !item.0.contains(line)) {
            writeln!(text, "  + {}", shortened(line)).ok();
        }
    }
    for item in others {
        writeln!(text, "+++ there, and not expected").ok();
        for line in &item.0 {
            writeln!(text, "  + {}", shortened(line)).ok();
        }
    }
    text
}

/// A line for a message: pictures are long.
fn shortened(line: &str) -> String {
    const MOST: usize = 200;
    let rest = line.chars().count().saturating_sub(MOST);
    if rest == 0 {
        return line.to_owned();
    }
    format!(
        "{}… and {rest} characters",
        line.chars().take(MOST).collect::<String>()
    )
}

/// A text by lines. Line breaks at its end do not count: SyncEvolution adds one each way.
fn note(body: &str) -> Item {
    let text = body.replace("\r\n", "\n");
    Item(
        text.trim_end_matches('\n')
            .split('\n')
            .map(str::to_owned)
            .collect(),
    )
}

/// A component that has begun.
struct Open {
    name: String,
    lines: Vec<String>,
}

/// The components of the given kinds in a body. A component within them (an alarm) is one line of theirs.
fn components(body: &str, kinds: &[&str]) -> Vec<Item> {
    let mut open: Vec<Open> = Vec::new();
    let mut found = Vec::new();
    for line in unfold(body) {
        let property = Property::parse(&line);
        match property.name.as_str() {
            "BEGIN" => open.push(Open {
                name: property.value.to_ascii_uppercase(),
                lines: Vec::new(),
            }),
            "END" => {
                let mut closed = open
                    .pop()
                    .unwrap_or_else(|| panic!("END without BEGIN in\n{body}"));
                assert_eq!(
                    closed.name,
                    property.value.to_ascii_uppercase(),
                    "wrong END in\n{body}"
                );
                drop_default_month(&mut closed.lines);
                closed.lines.sort();
                if kinds.contains(&closed.name.as_str()) {
                    found.push(Item(closed.lines));
                } else if let Some(parent) = open.last_mut() {
                    parent.lines.push(format!(
                        "{} {{ {} }}",
                        closed.name,
                        closed.lines.join(" / ")
                    ));
                }
            }
            // A card's identity is its LUID: SyncEvolution neither sends nor keeps a UID, and a server may make one.
            "UID"
                if open
                    .last()
                    .is_some_and(|component| component.name == "VCARD") => {}
            _ => match open.last_mut() {
                Some(component) => component.lines.extend(property.canonical()),
                None => panic!("a property outside of any component in\n{body}"),
            },
        }
    }
    assert!(open.is_empty(), "{} is not closed in\n{body}", open[0].name);
    found
}

/// Takes BYMONTH out of a yearly rule where it only repeats the month of the start, as vCalendar 1.0 has to.
fn drop_default_month(lines: &mut [String]) {
    let start = lines.iter().find(|line| line.starts_with("DTSTART"));
    let month = start
        .and_then(|line| line.rsplit(':').next())
        .and_then(|value| value.get(4..6));
    let Some(Ok(month)) = month.map(str::parse::<u8>) else {
        return;
    };
    let yearly = |line: &&mut String| {
        line.starts_with("RRULE:") && line.contains("FREQ=YEARLY") && !line.contains("BYDAY")
    };
    for rule in lines.iter_mut().filter(yearly) {
        *rule = rule.replace(&format!("BYMONTH={month};"), "");
    }
}

/// The logical lines of a body: RFC 2426 2.6, RFC 5545 3.1.
fn unfold(body: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in body
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
    {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// One logical line.
struct Property {
    name: String,
    parameters: BTreeMap<String, Vec<String>>,
    value: String,
}

impl Property {
    fn parse(line: &str) -> Self {
        let colon = outside_quotes(line, ':').unwrap_or_else(|| panic!("no property: {line:?}"));
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let mut parts = split_outside_quotes(head, ';').into_iter();
        let name = parts.next().unwrap_or_default().to_ascii_uppercase();
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in parts {
            let (key, list) = part.split_once('=').unwrap_or(("TYPE", part));
            let values = split_outside_quotes(list, ',')
                .into_iter()
                .map(|value| value.trim_matches('"').to_owned());
            parameters
                .entry(key.to_ascii_uppercase())
                .or_default()
                .extend(values);
        }
        Self {
            name,
            parameters,
            value: value.to_owned(),
        }
    }

    /// What the property says, or nothing; a list of dates or of categories says one thing per member.
    fn canonical(&self) -> Vec<String> {
        if IGNORED.contains(&self.name.as_str()) || self.is_default() {
            return Vec::new();
        }
        let values = canonical_value(&self.name, &self.value);
        let head = format!("{}{}", self.name, self.canonical_parameters());
        values
            .into_iter()
            .filter(|value| !value.is_empty())
            .map(|value| format!("{head}:{value}"))
            .collect()
    }

    /// True when leaving the property out says the same.
    fn is_default(&self) -> bool {
        false
    }

    fn canonical_parameters(&self) -> String {
        let mut text = String::new();
        for (key, values) in &self.parameters {
            let mut values = values.clone();
            if key == "TYPE" || key == "VALUE" || key == "ENCODING" {
                values
                    .iter_mut()
                    .for_each(|value| value.make_ascii_uppercase());
            }
            values.sort();
            values.dedup();
            write!(text, ";{key}={}", values.join(",")).ok();
        }
        text
    }
}

/// The value in one form, split into members where the property is a list.
fn canonical_value(name: &str, value: &str) -> Vec<String> {
    match name {
        "N" | "ADR" | "ORG" | "GEO" => {
            let mut fields: Vec<String> = split_unescaped(value, ';')
                .into_iter()
                .map(unescape)
                .collect();
            while fields.last().is_some_and(String::is_empty) {
                fields.pop();
            }
            vec![fields.join(" | ")]
        }
        "CATEGORIES" | "EXDATE" | "RDATE" => split_unescaped(value, ',')
            .into_iter()
            .map(unescape)
            .collect(),
        "PHOTO" => vec![
            value
                .chars()
                .filter(|character| !character.is_whitespace())
                .collect(),
        ],
        // The date in basic or in extended form.
        "BDAY" => vec![value.replace('-', "")],
        "RRULE" => {
            // An interval of 1 is the default; SyncEvolution writes it.
            let mut parts: Vec<&str> = value
                .split(';')
                .filter(|part| *part != "INTERVAL=1")
                .collect();
            parts.sort_unstable();
            vec![parts.join(";")]
        }
        _ => vec![unescape(value)],
    }
}

fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

fn split_unescaped(value: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    split_where(value, |character| {
        let separates = character == separator && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    })
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    split_where(text, |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    text.find(|character| {
        quoted ^= character == '"';
        character == wanted && !quoted
    })
}

fn split_where(text: &str, separates: impl FnMut(char) -> bool) -> Vec<&str> {
    text.split(separates).collect()
}

#[cfg(test)]
mod tests {
    use super::{Datastore, items};

    fn same(datastore: Datastore, left: &str, right: &str) -> bool {
        items(datastore, &[left.to_owned()]) == items(datastore, &[right.to_owned()])
    }

    fn card(lines: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n")
    }

    fn event(lines: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[test]
    fn spelling_does_not_count() {
        let pairs = [
            ("TEL;TYPE=WORK,VOICE:1", "tel;type=voice;type=Work:1"),
            ("N:Ä;B;;;\r\nNOTE:x", "NOTE:x\r\nN:Ä;B"),
            ("NOTE:ab\\ncd\\, e", "NOTE:ab\r\n \\ncd\\, \r\n e"),
            ("BDAY:1970-05-01", "BDAY:19700501"),
            ("CATEGORIES:a,b", "CATEGORIES:b\r\nCATEGORIES:a"),
            ("FN:x\r\nGEO:;\r\nPHOTO:\r\nREV:1", "FN:x\r\nPRODID:y"),
        ];
        for (left, right) in pairs {
            assert!(
                same(Datastore::Contacts, &card(left), &card(right)),
                "{left:?} {right:?}"
            );
        }
        assert!(same(Datastore::Notes, "a\r\nb\r\n", "a\nb"));
        assert!(same(
            Datastore::Calendar,
            &event("RRULE:FREQ=DAILY;INTERVAL=1"),
            &event("RRULE:FREQ=DAILY")
        ));
    }

    #[test]
    fn every_difference_counts() {
        let pairs = [
            ("TEL;TYPE=WORK:1", "TEL;TYPE=HOME:1"),
            ("TEL;TYPE=WORK:1", "TEL;TYPE=WORK,PREF:1"),
            ("TEL:1\r\nTEL:1", "TEL:1"),
            ("N:a;b", "N:b;a"),
            ("ADR:;;a", "ADR:;a"),
            ("NOTE:a\\nb", "NOTE:a b"),
            ("NOTE:a\\;b", "NOTE:a\\\\;b"),
            ("PHOTO;ENCODING=B:AAAA", "PHOTO;ENCODING=B:AAAB"),
            ("X-SKYPE:a", "X-SKYPE:b"),
        ];
        for (left, right) in pairs {
            assert!(
                !same(Datastore::Contacts, &card(left), &card(right)),
                "{left:?} {right:?}"
            );
        }
        let pairs = [
            ("DTSTART:20260101T000000Z", "DTSTART:20260101T000000"),
            (
                "DTSTART;TZID=Europe/Berlin:20260101T000000",
                "DTSTART:20260101T000000",
            ),
            ("RRULE:FREQ=DAILY;INTERVAL=2", "RRULE:FREQ=DAILY"),
            (
                "DTSTART:20260201\r\nRRULE:FREQ=YEARLY;BYMONTH=3",
                "DTSTART:20260201\r\nRRULE:FREQ=YEARLY",
            ),
            (
                "EXDATE:20260101T000000Z,20260102T000000Z",
                "EXDATE:20260101T000000Z",
            ),
            (
                "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM",
                "BEGIN:VALARM\r\nTRIGGER:-PT6M\r\nEND:VALARM",
            ),
            ("BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM", "SUMMARY:x"),
        ];
        for (left, right) in pairs {
            assert!(
                !same(Datastore::Calendar, &event(left), &event(right)),
                "{left:?} {right:?}"
            );
        }
        assert!(!same(Datastore::Notes, "a\n\nb", "a\nb"));
        let twice = [card("FN:x"), card("FN:x")];
        assert_ne!(
            items(Datastore::Contacts, &twice),
            items(Datastore::Contacts, &twice[..1])
        );
    }
}
