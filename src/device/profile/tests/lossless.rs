//! For every profile: what a phone sends back untouched changes nothing, and an edit changes what was edited and nothing else.

use crate::content::{
    self, Format, Kind, Property, ReadHint, Record, Target, Value, digest, overlay, restored,
};
use crate::device::profile::{Catalogue, Identity, Resolved, Times};

const CONTACT: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Öberg;Åsa;Maria;Dr.;Jr.\r\nFN:Dr. Åsa Maria Öberg Jr.\r\n\
    NICKNAME:Ози\r\nTEL;TYPE=CELL:+46 (70) 123\r\nTEL;TYPE=HOME:+46 8 1\r\nTEL;TYPE=HOME:+46 8 2\r\nTEL;TYPE=WORK,PREF:+46 8 3\r\n\
    TEL;TYPE=FAX,WORK:+46 8 4\r\nTEL;TYPE=PAGER:+46 8 5\r\nTEL;TYPE=CAR:+46 8 6\r\nTEL:+46 8 7\r\n\
    EMAIL;TYPE=HOME:a@example.org\r\nEMAIL;TYPE=WORK:b@example.org\r\nADR;TYPE=HOME:;Flat 2;Street 1;Town;;90326;Sverige\r\n\
    ADR;TYPE=WORK:Box 3;;Street 2;City;;1;Sverige\r\nORG:Bolaget;Avdelning\r\nTITLE:Chef\r\nURL;TYPE=WORK:http://example.org/\r\n\
    BDAY:1950-03-01\r\nNOTE:“Long” – note\\, ÅÄÖ\\nand more\r\nCATEGORIES:Friends,Choir\r\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r\n\
    ROLE:r\r\nX-SHOE-SIZE:40\r\nEND:VCARD\r\n";

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Möte\r\nDESCRIPTION:Text “x”\r\n\
    DTSTART;TZID=Europe/Berlin:20260705T090000\r\nDTEND;TZID=Europe/Berlin:20260705T100000\r\n\
    RRULE:FREQ=WEEKLY;UNTIL=20261001T070000Z\r\nPRIORITY:4\r\nCATEGORIES:Work,Travel\r\nCLASS:PRIVATE\r\nSTATUS:CONFIRMED\r\n\
    X-ROOM-KEY:7\r\nBEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT15M\r\nDURATION:PT5M\r\nREPEAT:3\r\nEND:VALARM\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

const BIRTHDAY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Birthday\r\n\
    DTSTART;VALUE=DATE:19550312\r\nDTEND;VALUE=DATE:19550313\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn item(text: &str) -> Record {
    content::read(text.as_bytes(), &ReadHint::default())
        .expect("an item")
        .record
}

/// What the phone was shown, written and read back as a session does it.
fn shown(stored: &Record, own: &Resolved) -> Record {
    let time_zone = chrono_tz::Tz::Europe__Stockholm;
    let utc = own.traits.times != Some(Times::Local);
    let format = match stored.kind {
        Kind::Contact => Format::VCard21,
        _ => Format::VCalendar10,
    };
    let body = content::write(
        stored,
        &Target {
            utc,
            time_zone,
            dialect: own.dialect(),
            now: 1_768_435_200,
            ..Target::new(format)
        },
    );
    let floating = match own.traits.times {
        Some(Times::UnmarkedUtc) => content::Floating::Utc,
        Some(Times::Local) => content::Floating::Local,
        _ => content::Floating::Keep,
    };
    let hint = ReadHint {
        kind: Some(stored.kind),
        time_zone,
        floating,
        dialect: own.dialect(),
        now: 1_768_435_200,
        ..ReadHint::default()
    };
    content::read(&body, &hint)
        .expect("what was written")
        .record
}

fn each(check: impl Fn(&str, &Resolved)) {
    let catalogue = Catalogue::embedded();
    for profile in catalogue.profiles() {
        let own = catalogue.resolve(&Identity {
            by_hand: Some(&profile.name),
            ..Identity::default()
        });
        if own.dialect().is_some() {
            check(&profile.name, &own);
        }
    }
}

#[test]
fn what_comes_back_untouched_changes_nothing() {
    each(|name, own| {
        for text in [CONTACT, EVENT, BIRTHDAY] {
            let stored = item(text);
            let seen = shown(&stored, own);
            let edit = restored(&stored, &seen, &seen);
            let result = overlay(&stored, &edit, None);
            assert_eq!(
                digest(&result),
                digest(&stored),
                "{name}:\nshown {seen:#?}\nedit {edit:#?}\nresult {result:#?}"
            );
        }
    });
}

#[test]
fn an_edit_changes_what_was_edited_and_nothing_else() {
    each(|name, own| {
        let stored = item(CONTACT);
        let seen = shown(&stored, own);
        let mut edited = seen.clone();
        let cell = edited
            .root
            .properties
            .iter_mut()
            .find(|property| property.name == "TEL" && property.has_type("CELL"))
            .unwrap_or_else(|| panic!("{name}: the number of the mobile is not shown"));
        cell.value = Value::Text("+4670999".into());
        let result = overlay(&stored, &restored(&stored, &edited, &seen), None);
        let mut expected = stored;
        for property in &mut expected.root.properties {
            if property.name == "TEL" && property.has_type("CELL") {
                property.value = Value::Text("+4670999".into());
            }
        }
        assert_eq!(digest(&result), digest(&expected), "{name}: {result:#?}");

        let stored = item(EVENT);
        let seen = shown(&stored, own);
        let mut edited = seen.clone();
        edited.root.children.iter_mut().for_each(|child| {
            if child.name == "VEVENT" {
                child.set(Property::text("SUMMARY", "Changed"));
            }
        });
        let result = overlay(&stored, &restored(&stored, &edited, &seen), None);
        let mut expected = stored;
        for child in &mut expected.root.children {
            child.set(Property::text("SUMMARY", "Changed"));
        }
        assert_eq!(digest(&result), digest(&expected), "{name}: {result:#?}");
    });
}
