//! What an item lost on its way to a device that cannot hold all of it, in words for people.

use super::digest::is_noise;
use super::model::{Component, Property, Record, Value};

/// Names of what the whole item has and the sent one has not: `PHOTO`, `TEL (1 of 3)`, `NOTE (cut)`; parts of a calendar
/// object by their own names (`VALARM`).
pub fn lost(whole: &Record, sent: &Record) -> Vec<String> {
    let mut found = Vec::new();
    component(&whole.root, &sent.root, &mut found);
    found.sort();
    found.dedup();
    found
}

/// Depth is limited by the readers.
fn component(whole: &Component, sent: &Component, found: &mut Vec<String>) {
    let mut done: Vec<&str> = Vec::new();
    for property in &whole.properties {
        let name = property.name.as_str();
        if is_noise(name) || done.contains(&name) || is_empty(property) {
            continue;
        }
        done.push(name);
        let ours: Vec<&Property> = whole.all(name).filter(|of| !is_empty(of)).collect();
        let theirs: Vec<&Property> = sent.all(name).filter(|of| !is_empty(of)).collect();
        match (ours.len(), theirs.len()) {
            (_, 0) => found.push(name.to_owned()),
            (all, some) if some < all => found.push(format!("{name} ({some} of {all})")),
            _ if theirs.iter().any(|of| is_cut(of, &ours)) => found.push(format!("{name} (cut)")),
            _ => {}
        }
    }
    let mut names: Vec<&str> = whole.children.iter().map(|of| of.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names.into_iter().filter(|name| *name != "VTIMEZONE") {
        let of = |component: &Component| -> Vec<Component> {
            let same = component.children.iter().filter(|child| child.name == name);
            same.cloned().collect()
        };
        let (ours, theirs) = (of(whole), of(sent));
        match (ours.len(), theirs.len()) {
            (_, 0) => found.push(name.to_owned()),
            (all, some) if some < all => found.push(format!("{name} ({some} of {all})")),
            _ => ours
                .iter()
                .zip(&theirs)
                .for_each(|(ours, theirs)| component(ours, theirs, found)),
        }
    }
}

fn is_empty(property: &Property) -> bool {
    match &property.value {
        Value::Text(text) => text.is_empty(),
        Value::Parts(parts) => parts.iter().flatten().all(|text| text.is_empty()),
        Value::Binary(octets) => octets.is_empty(),
    }
}

/// A text that is the beginning of a longer one that was to be sent, and none of those itself.
fn is_cut(sent: &Property, ours: &[&Property]) -> bool {
    let Value::Text(short) = &sent.value else {
        return false;
    };
    let texts = || ours.iter().filter_map(|of| of.value.as_text());
    !texts().any(|text| text == short)
        && texts().any(|text| text.len() > short.len() && text.starts_with(short.as_str()))
}

#[cfg(test)]
mod tests {
    use super::lost;
    use crate::content::{ReadHint, Record, read};

    fn record(lines: &str) -> Record {
        let body = format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n");
        read(body.as_bytes(), &ReadHint::default()).unwrap().record
    }

    #[test]
    fn what_is_missing_fewer_or_shorter_is_named() {
        let whole = record(
            "N:Doe;Jane;;;\r\nFN:Jane Doe\r\nTEL:1\r\nTEL:2\r\nTEL:3\r\nNOTE:a long text\r\n\
             X-SHOE-SIZE:44\r\nTITLE:\r\nUID:1\r\n",
        );
        let sent = record("N:Doe;Jane;;;\r\nFN:Jane Doe\r\nTEL:1\r\nNOTE:a long\r\n");
        assert_eq!(
            lost(&whole, &sent),
            ["NOTE (cut)", "TEL (1 of 3)", "X-SHOE-SIZE"]
        );
        assert_eq!(lost(&whole, &whole), Vec::<String>::new());
        assert_eq!(lost(&sent, &whole), Vec::<String>::new());
    }

    #[test]
    fn parts_of_calendars_are_looked_into() {
        let event = |lines: &str| {
            let body = format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260301T100000Z\r\n\
                 SUMMARY:x\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            read(body.as_bytes(), &ReadHint::default()).unwrap().record
        };
        let whole = event(
            "LOCATION:Here\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n",
        );
        assert_eq!(lost(&whole, &event("")), ["LOCATION", "VALARM"]);
    }
}
