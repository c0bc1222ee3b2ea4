//! What the server has before the phone comes, and how items are compared.

use std::collections::BTreeSet;

use candybar::content::{self, Component, ReadHint, Value};

/// A rich contact: more than any old phone can hold.
pub(crate) fn contact(number: usize) -> String {
    let name = match number % 7 {
        0 => format!("Öberg{number}"),
        _ => format!("Person{number}"),
    };
    let mut lines = format!(
        "N:{name};Åsa;Maria;Dr.;\r\nFN:Åsa {name}\r\nUID:contact-{number}@example.org\r\nTEL;TYPE=CELL:+46700{number:06}\r\n"
    );
    if number.is_multiple_of(2) {
        lines += &format!(
            "TEL;TYPE=HOME:+46800{number:06}\r\nEMAIL;TYPE=INTERNET:p{number}@example.org\r\n"
        );
    }
    if number.is_multiple_of(3) {
        lines += &format!(
            "TEL;TYPE=WORK,FAX:+46900{number:06}\r\nADR;TYPE=HOME:;;Storgatan {number};Umeå;;90326;Sverige\r\nBDAY:19{:02}-03-0{}\r\n",
            40 + number % 50,
            1 + number % 9
        );
    }
    if number.is_multiple_of(4) {
        lines += "NOTE:A note that is longer than fifty characters\\, as notes are\\, with ÅÄÖ in it\\nand a second line\r\n";
    }
    if number.is_multiple_of(5) {
        lines += &format!(
            "NICKNAME:Nick{number}\r\nORG:Bolaget AB;Avdelning {number}\r\nTITLE:Chief of department {number}\r\nURL:http://example.org/{number}\r\nCATEGORIES:Friends,Choir\r\n"
        );
    }
    lines += &format!("X-SHOE-SIZE:{}\r\nROLE:Role {number}\r\n", 36 + number % 10);
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n")
}

/// An event: in summer or winter, some with alarm, recurrence, and more than any old phone can hold.
pub(crate) fn event(number: usize) -> String {
    let (month, day, hour) = (1 + number % 12, 1 + number % 27, 8 + number % 9);
    let mut lines = format!(
        "UID:event-{number}@example.org\r\nSUMMARY:Möte {number}\r\nDTSTART:2024{month:02}{day:02}T{hour:02}0000Z\r\nDTEND:2024{month:02}{day:02}T{hour:02}3000Z\r\n"
    );
    if number.is_multiple_of(3) {
        lines += &format!(
            "LOCATION:Sal {number}\r\nDESCRIPTION:What is to be told in room {number}\\, at length\\, ÅÄÖ\r\n"
        );
    }
    if number % 4 == 1 {
        lines += "RRULE:FREQ=WEEKLY;UNTIL=20241224T120000Z\r\n";
    }
    if number.is_multiple_of(5) {
        lines += "CATEGORIES:Work\r\nCLASS:PRIVATE\r\n";
    }
    lines += &format!("X-ROOM-KEY:{number}\r\nURL:http://example.org/event/{number}\r\n");
    if number % 4 == 2 {
        lines +=
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Now\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n";
    }
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//candybar//tests//EN\r\nBEGIN:VEVENT\r\nDTSTAMP:20240101T000000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// Who wrote the object and when: nothing that a user enters.
const IGNORED: [&str; 9] = [
    "PRODID",
    "VERSION",
    "REV",
    "DTSTAMP",
    "LAST-MODIFIED",
    "CREATED",
    "X-EPOCAGENDAENTRYTYPE",
    "SEQUENCE",
    "ACTION",
];

/// What an item says, property by property, without parameters; times in UTC.
pub(crate) fn says(body: &[u8]) -> BTreeSet<String> {
    let hint = ReadHint::default();
    let record = content::read(body, &hint)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
        .record;
    let mut said = BTreeSet::new();
    let mut open: Vec<&Component> = vec![&record.root];
    while let Some(component) = open.pop() {
        open.extend(
            component
                .children
                .iter()
                .filter(|child| child.name != "VTIMEZONE"),
        );
        for property in &component.properties {
            if IGNORED.contains(&property.name.as_str()) {
                continue;
            }
            let value = match &property.value {
                Value::Text(text) => text.trim().to_owned(),
                Value::Parts(parts) => {
                    let parts: Vec<String> = parts.iter().map(|part| part.join(",")).collect();
                    parts.join(";").trim_end_matches(';').to_owned()
                }
                Value::Binary(data) => format!("{} octets", data.len()),
            };
            said.insert(format!("{}.{}={value}", component.name, property.name));
        }
    }
    said
}

/// The first value of a property in an item's words.
pub(crate) fn value<'a>(said: &'a BTreeSet<String>, property: &str) -> Option<&'a str> {
    let found = said.iter().find(|entry| {
        entry
            .split_once('=')
            .and_then(|(name, _)| name.split_once('.'))
            .is_some_and(|(_, name)| name == property)
    });
    found
        .and_then(|entry| entry.split_once('='))
        .map(|(_, value)| value)
}
