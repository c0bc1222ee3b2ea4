//! What no client should send.

use super::*;
use crate::content::ContentError;

#[test]
fn broken_documents_are_refused() {
    let read = |body: &str, format| content::read(body.as_bytes(), &hint(format)).map(|_| ());
    for (body, why) in [
        ("<contact><LastName>x", ContentError::Truncated),
        ("<contact><LastName>x</LastName>", ContentError::Truncated),
        ("<contact", ContentError::Truncated),
        ("no markup", ContentError::NotThisType),
        ("", ContentError::NotThisType),
        (
            "<Email><read>true</read></Email>",
            ContentError::NotThisType,
        ),
    ] {
        assert_eq!(read(body, Format::SifContact), Err(why), "{body}");
    }
    let many = format!("<contact>{}</contact>", "<A/>".repeat(3_000));
    assert_eq!(
        read(&many, Format::SifContact),
        Err(ContentError::TooManyProperties)
    );
    let deep = format!("<task>{}{}</task>", "<A>".repeat(50), "</A>".repeat(50));
    assert_eq!(
        read(&deep, Format::SifTask),
        Err(ContentError::TooManyProperties)
    );
}

#[test]
fn numbers_that_are_none_are_nothing() {
    let event = record(
        Format::SifEvent,
        "<Start>20091016T080000Z</Start><End>never</End><Importance>99999999999</Importance><BusyStatus>-7</BusyStatus>\
         <IsRecurring>1</IsRecurring><RecurrenceType>4</RecurrenceType><Interval>0</Interval><Occurrences>-1</Occurrences>\
         <ReminderSet>1</ReminderSet><ReminderMinutesBeforeStart>4294967295</ReminderMinutesBeforeStart>\
         <Timezone><BasicOffset>+99</BasicOffset></Timezone><PercentComplete>900</PercentComplete>",
    );
    let item = &event.root.children[0];
    assert_eq!(item.property("RRULE"), None);
    assert_eq!(item.property("PRIORITY"), None);
    let text = written(&event, Format::SifEvent);
    assert!(text.contains("<Importance>1</Importance>"), "{text}");
}

#[test]
fn text_cannot_leave_its_element() {
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:</LastName><Hobby>;;;;\r\nFN:]]>&amp;\r\n\
                PHOTO;ENCODING=b;TYPE=\"a>b\":AQID\r\nEND:VCARD\r\n";
    let stored = content::read(card.as_bytes(), &ReadHint::default())
        .unwrap()
        .record;
    let back = content::read(
        written(&stored, Format::SifContact).as_bytes(),
        &hint(Format::SifContact),
    )
    .unwrap()
    .record;
    assert_eq!(back.root.property("X-FUNAMBOL-HOBBIES"), None);
    assert_eq!(back.root.text("FN"), Some("]]>&amp;"));
}
