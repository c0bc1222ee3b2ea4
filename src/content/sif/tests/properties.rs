//! Properties: what was written is read as the same, and edits of one field lose no other.

use proptest::prelude::*;

use super::*;
use crate::content::{Capabilities, Component, Property, Value};

fn word() -> impl Strategy<Value = String> {
    "[a-zA-ZäöüÄß€<>&;: \\\\.\"=-]{1,20}"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("not blank", |text| !text.is_empty())
}

/// A document of a form: each element that stands for a text, here and there.
fn document(format: Format) -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = super::super::names(format)
        .filter(|name| {
            !matches!(
                *name,
                "Photo"
                    | "Birthday"
                    | "Anniversary"
                    | "Sensitivity"
                    | "Start"
                    | "End"
                    | "StartDate"
                    | "DueDate"
                    | "DateCompleted"
                    | "PercentComplete"
                    | "Status"
                    | "Importance"
                    | "BusyStatus"
                    | "IsRecurring"
                    | "Exceptions"
                    | "ReminderSet"
                    | "Attendees"
                    | "Geo"
                    | "Sequence"
            )
        })
        .collect();
    let times = match format {
        Format::SifEvent => prop_oneof![
            (1..=28_u32, 0..24_u32, 1..50_u32).prop_map(|(day, hour, minutes)| format!(
                "<AllDayEvent>0</AllDayEvent><Start>200910{day:02}T{hour:02}1000Z</Start><End>200911{day:02}T{hour:02}0000Z</End>\
                 <ReminderSet>1</ReminderSet><ReminderMinutesBeforeStart>{minutes}</ReminderMinutesBeforeStart>\
                 <Importance>{}</Importance><BusyStatus>{}</BusyStatus>",
                minutes % 3,
                minutes % 4
            )),
            (1..=28_u32).prop_map(|day| format!(
                "<AllDayEvent>1</AllDayEvent><Start>2009-10-{day:02}</Start><End>2009-11-{day:02}</End>"
            )),
        ]
        .boxed(),
        Format::SifTask => (1..=28_u32, 0..5_u32)
            .prop_map(|(day, status)| {
                let done = u32::from(status == 2);
                format!(
                    "<DueDate>2009-10-{day:02}</DueDate><Status>{status}</Status><Complete>{done}</Complete>\
                     <Sensitivity>{}</Sensitivity>",
                    status % 4
                )
            })
            .boxed(),
        _ => Just(String::new()).boxed(),
    };
    let fields = proptest::collection::btree_map(0..names.len(), word(), 0..12);
    (fields, times).prop_map(move |(fields, times)| {
        let fields: String = fields
            .into_iter()
            .map(|(at, text)| {
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                format!("<{}>{text}</{}>", names[at], names[at])
            })
            .collect();
        // A card has a name to show.
        let shown = match format {
            Format::SifContact if !fields.contains("<FileAs>") => "<FileAs>x</FileAs>",
            _ => "",
        };
        format!("{times}{shown}{fields}")
    })
}

fn any_document() -> impl Strategy<Value = (Format, String)> {
    prop_oneof![
        document(Format::SifContact).prop_map(|text| (Format::SifContact, text)),
        document(Format::SifEvent).prop_map(|text| (Format::SifEvent, text)),
        document(Format::SifTask).prop_map(|text| (Format::SifTask, text)),
        document(Format::SifNote).prop_map(|text| (Format::SifNote, text)),
    ]
}

/// A card with what SIF has no place for as well.
fn card() -> impl Strategy<Value = Record> {
    let kinds = [
        "CELL", "HOME", "WORK", "FAX", "PREF", "VIDEO", "VOICE", "PAGER",
    ];
    let number = (
        "[0-9]{3,9}",
        proptest::collection::btree_set(0..kinds.len(), 0..4),
    );
    let numbers = proptest::collection::vec(number, 0..7);
    let texts = proptest::collection::vec(word(), 3);
    (numbers, texts, word()).prop_map(move |(numbers, texts, other)| {
        let mut root = Component::new("VCARD");
        let name = Value::structure([texts[0].as_str(), texts[1].as_str(), "", "", ""]);
        root.properties.push(Property::new("N", name));
        root.properties
            .push(Property::text("FN", format!("{} {}", texts[1], texts[0])));
        root.properties
            .push(Property::text("NOTE", texts[2].as_str()));
        root.properties
            .push(Property::text("X-SHOE-SIZE", other.as_str()));
        root.properties.push(Property::text("MAILER", other));
        for (number, types) in numbers {
            let mut tel = Property::text("TEL", number);
            tel.add_param("TYPE", types.into_iter().map(|at| kinds[at].into()));
            root.properties.push(tel);
        }
        Record {
            kind: Kind::Contact,
            root,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same((format, fields) in any_document()) {
        let first = record(format, &fields);
        let text = written(&first, format);
        let again = content::read(text.as_bytes(), &hint(format)).unwrap().record;
        prop_assert_eq!(content::digest(&again), content::digest(&first), "{}", text);
        // By way of what is stored.
        let stored = match first.kind {
            Kind::Contact => Format::VCard30,
            Kind::Note => Format::VNote11,
            _ => Format::ICalendar20,
        };
        let kept = content::read_stored(&content::write(&first, &Target::new(stored)), stored).unwrap();
        prop_assert_eq!(written(&kept, format), text);
    }

    #[test]
    fn an_edit_of_one_field_loses_nothing(stored in card(), note in word()) {
        let shown = written(&stored, Format::SifContact);
        let read = |text: &str| content::read(text.as_bytes(), &hint(Format::SifContact)).unwrap().record;
        let mut edit = read(&shown);
        edit.root.set(Property::text("NOTE", note.as_str()));
        let restored = content::restored(&stored, &edit, &read(&shown));
        let capabilities = content::sif_capabilities(Format::SifContact, &Capabilities::default());
        let merged = content::overlay(&stored, &restored, Some(&capabilities));
        let mut expected = stored;
        expected.root.property_mut("NOTE").unwrap().value = Value::Text(note.into());
        prop_assert_eq!(content::digest(&merged), content::digest(&expected), "{}", shown);
    }
}
