//! SIF against what it means in the other forms.

mod hostile;
mod properties;
mod zones;

use chrono_tz::Tz;

use crate::content::{self, Format, Kind, ReadHint, Record, Target};

fn hint(format: Format) -> ReadHint<'static> {
    ReadHint {
        format: Some(format),
        time_zone: Tz::Europe__Rome,
        ..ReadHint::default()
    }
}

fn record(format: Format, fields: &str) -> Record {
    let root = match format {
        Format::SifContact => "contact",
        Format::SifEvent => "appointment",
        Format::SifTask => "task",
        _ => "note",
    };
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{fields}</{root}>");
    let parsed = content::read(body.as_bytes(), &hint(format))
        .unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(parsed.format, format, "{body}");
    parsed.record
}

fn target(format: Format) -> Target<'static> {
    Target {
        time_zone: Tz::Europe__Rome,
        ..Target::new(format)
    }
}

fn written(record: &Record, format: Format) -> String {
    String::from_utf8(content::write(record, &target(format))).expect("text")
}

/// The lines of an item in another form, without what frames them.
fn lines(record: &Record, format: Format) -> Vec<String> {
    let text = written(record, format).replace("\r\n ", "");
    let frame = ["BEGIN:VC", "END:VC", "VERSION:", "PRODID:", "DTSTAMP:"];
    text.lines()
        .filter(|line| !frame.iter().any(|of| line.starts_with(of)))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn check(format: Format, fields: &str, other: Format, expected: &[&str]) {
    let record = record(format, fields);
    let found = lines(&record, other);
    for line in expected {
        assert!(found.iter().any(|of| of == line), "{line} in {found:#?}");
    }
    // And back.
    let again = written(&record, format);
    for field in fields.split_inclusive('>').collect::<String>().split('\n') {
        let field = field.trim();
        assert!(again.contains(field), "{field} in {again}");
    }
}

#[test]
fn a_contact_of_outlook() {
    check(
        Format::SifContact,
        "<FirstName>Susan</FirstName>
        <LastName>Fös&amp;ter</LastName>
        <Title>Dr.</Title>
        <FileAs>Föster, Susan</FileAs>
        <Birthday>1980-01-02</Birthday>
        <CompanyName>Magazine; USA</CompanyName>
        <Department>Print</Department>
        <JobTitle>Editor</JobTitle>
        <Profession>Writer</Profession>
        <MobileTelephoneNumber>111</MobileTelephoneNumber>
        <HomeTelephoneNumber>222</HomeTelephoneNumber>
        <Home2TelephoneNumber>223</Home2TelephoneNumber>
        <BusinessFaxNumber>333</BusinessFaxNumber>
        <Email1Address>s@example.org</Email1Address>
        <Email3Address>work@example.org</Email3Address>
        <HomeWebPage>http://example.org/</HomeWebPage>
        <OtherAddressStreet>Central park 1</OtherAddressStreet>
        <OtherAddressCity>New York</OtherAddressCity>
        <Categories>Friends, Work</Categories>
        <Sensitivity>2</Sensitivity>
        <Spouse>Bob</Spouse>
        <Hobby>Chess</Hobby>
        <Body>two\nlines</Body>
        <Photo TYPE=\"JPEG\">AQIDBA==</Photo>",
        Format::VCard30,
        &[
            "N:Fös&ter;Susan;;Dr.;",
            "FN:Föster\\, Susan",
            "BDAY:1980-01-02",
            "ORG:Magazine\\; USA;Print",
            "TITLE:Editor",
            "ROLE:Writer",
            "TEL;TYPE=CELL:111",
            "TEL;TYPE=HOME:222",
            "TEL;TYPE=HOME:223",
            "TEL;TYPE=FAX,WORK:333",
            "EMAIL:s@example.org",
            "EMAIL;TYPE=WORK:work@example.org",
            "URL;TYPE=HOME:http://example.org/",
            "ADR:;;Central park 1;New York;;;",
            "CATEGORIES:Friends,Work",
            "CLASS:PRIVATE",
            "X-SPOUSE:Bob",
            "X-FUNAMBOL-HOBBIES:Chess",
            "NOTE:two\\nlines",
            "PHOTO;TYPE=JPEG;ENCODING=b:AQIDBA==",
        ],
    );
}

#[test]
fn what_outlook_says_of_nothing_is_nothing() {
    let record = record(
        Format::SifContact,
        "<SIFVersion>1.1</SIFVersion><LastName>x</LastName><Gender>0</Gender><Importance>1</Importance>\
         <Folder>DEFAULT_FOLDER</Folder><Sensitivity>0</Sensitivity><Email1AddressType>SMTP</Email1AddressType>\
         <Subject>x</Subject><Anniversary>4501-01-01</Anniversary><Photo/><HomeAddressCity></HomeAddressCity>\
         <Mileage/>",
    );
    let names: Vec<_> = record.root.properties.iter().map(|of| &of.name).collect();
    assert_eq!(names, ["N"]);
}

#[test]
fn elements_of_other_clients_are_understood_or_kept() {
    let record = record(
        Format::SifContact,
        "<lastname>x</lastname><Home3TelephoneNumber>5</Home3TelephoneNumber>\
         <OtherEmail2Address>o@example.org</OtherEmail2Address><PagerNumber2>6</PagerNumber2>\
         <ShoeSize>44</ShoeSize><X-Mine>7</X-Mine>",
    );
    let found = lines(&record, Format::VCard30);
    for line in [
        "N:x;;;;",
        "TEL;TYPE=HOME:5",
        "EMAIL:o@example.org",
        "TEL;TYPE=PAGER:6",
        "X-FUNAMBOL-SHOESIZE:44",
        "X-MINE:7",
    ] {
        assert!(found.iter().any(|of| of == line), "{line} in {found:#?}");
    }
}

#[test]
fn numbers_find_the_element_that_is_nearest() {
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:x;;;;\r\nFN:x\r\nTEL;TYPE=CELL,PREF:1\r\nTEL;TYPE=HOME,VOICE:2\r\n\
                TEL;TYPE=CELL:3\r\nTEL;TYPE=VIDEO:4\r\nTEL;TYPE=FAX,PREF:5\r\nTEL;TYPE=HOME:6\r\nTEL;TYPE=HOME:7\r\n\
                TEL;TYPE=WORK,PREF:8\r\nEMAIL:a@b\r\nEMAIL:c@d\r\nEMAIL;TYPE=WORK:e@f\r\nEMAIL:g@h\r\nEND:VCARD\r\n";
    let record = content::read(card.as_bytes(), &ReadHint::default())
        .unwrap()
        .record;
    let text = written(&record, Format::SifContact);
    for field in [
        // The one that is just that kind has the element; the preferred one the next that fits.
        "<MobileTelephoneNumber>3</MobileTelephoneNumber>",
        "<HomeTelephoneNumber>2</HomeTelephoneNumber>",
        "<Home2TelephoneNumber>6</Home2TelephoneNumber>",
        "<CompanyMainTelephoneNumber>8</CompanyMainTelephoneNumber>",
        "<OtherFaxNumber>5</OtherFaxNumber>",
        "<PrimaryTelephoneNumber>1</PrimaryTelephoneNumber>",
        "<OtherTelephoneNumber>4</OtherTelephoneNumber>",
        "<Email1Address>a@b</Email1Address>",
        "<Email2Address>c@d</Email2Address>",
        "<Email3Address>e@f</Email3Address>",
        "<BusinessTelephoneNumber/>",
    ] {
        assert!(text.contains(field), "{field} in {text}");
    }
    assert!(!text.contains("g@h") && !text.contains(">7<"), "{text}");
}

#[test]
fn events() {
    let event = Format::SifEvent;
    check(
        event,
        "<AllDayEvent>0</AllDayEvent>
        <Start>20091010T090000Z</Start>
        <End>20091010T093000Z</End>
        <Subject>subject; with, signs</Subject>
        <Location>Here</Location>
        <Body>body</Body>
        <Importance>2</Importance>
        <Sensitivity>3</Sensitivity>
        <BusyStatus>0</BusyStatus>
        <Categories>Business</Categories>
        <ReminderSet>1</ReminderSet>
        <ReminderMinutesBeforeStart>25</ReminderMinutesBeforeStart>
        <ReminderSoundFile>C:\\music.wma</ReminderSoundFile>",
        Format::ICalendar20,
        &[
            "DTSTART:20091010T090000Z",
            "DTEND:20091010T093000Z",
            "SUMMARY:subject\\; with\\, signs",
            "LOCATION:Here",
            "DESCRIPTION:body",
            "PRIORITY:1",
            "CLASS:CONFIDENTIAL",
            "TRANSP:TRANSPARENT",
            "CATEGORIES:Business",
            "TRIGGER:-PT25M",
            "ACTION:AUDIO",
        ],
    );
    // The end of an all-day event is its last day.
    check(
        event,
        "<AllDayEvent>1</AllDayEvent>
        <Start>2009-10-16</Start>
        <End>2009-10-17</End>
        <BusyStatus>3</BusyStatus>
        <IsRecurring>1</IsRecurring>
        <RecurrenceType>1</RecurrenceType>
        <Interval>1</Interval>
        <DayOfWeekMask>32</DayOfWeekMask>
        <Occurrences>3</Occurrences>
        <ExcludeDate>2009-10-23</ExcludeDate>"
            .replace("<ExcludeDate>", "<Exceptions><ExcludeDate>")
            .replace("</ExcludeDate>", "</ExcludeDate></Exceptions>")
            .as_str(),
        Format::ICalendar20,
        &[
            "DTSTART;VALUE=DATE:20091016",
            "DTEND;VALUE=DATE:20091018",
            "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
            "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=FR",
            "EXDATE;VALUE=DATE:20091023",
        ],
    );
    // Clients of old write the whole days as times.
    let old = record(
        event,
        "<AllDayEvent>1</AllDayEvent><Start>20091016T000000</Start><End>20091017T000000</End>",
    );
    assert!(lines(&old, Format::ICalendar20).contains(&"DTEND;VALUE=DATE:20091017".to_owned()));
}

#[test]
fn attendees() {
    check(
        Format::SifEvent,
        "<Start>20070101T120000Z</Start>
        <End>20070101T130000Z</End>
        <Attendees><Attendee><AttendeeName>Alpha</AttendeeName><AttendeeEmail>alpha@example.org</AttendeeEmail><AttendeeStatus>2</AttendeeStatus><AttendeeType>2</AttendeeType></Attendee><Attendee><AttendeeName>Room</AttendeeName><AttendeeEmail/><AttendeeStatus>1</AttendeeStatus><AttendeeType>3</AttendeeType></Attendee></Attendees>",
        Format::ICalendar20,
        &[
            "ATTENDEE;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT;CN=Alpha:mailto:alpha@example.org",
            "ATTENDEE;PARTSTAT=ACCEPTED;CUTYPE=RESOURCE:Room",
        ],
    );
}

#[test]
fn every_kind_of_recurrence_goes_both_ways() {
    for (fields, rule) in [
        ((0, 3, 0, 0, 0, 0), "FREQ=DAILY;INTERVAL=3"),
        ((1, 1, 62, 0, 0, 0), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ((1, 2, 65, 0, 0, 0), "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"),
        ((2, 1, 0, 15, 0, 0), "FREQ=MONTHLY;BYMONTHDAY=15"),
        ((3, 1, 4, 0, 0, 2), "FREQ=MONTHLY;BYDAY=2TU"),
        ((3, 2, 32, 0, 0, 5), "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR"),
        (
            (3, 1, 62, 0, 0, 1),
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        ),
        ((5, 1, 0, 16, 10, 0), "FREQ=YEARLY;BYMONTHDAY=16;BYMONTH=10"),
        ((6, 1, 1, 0, 3, 5), "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
    ] {
        let (kind, interval, days, day, month, instance) = fields;
        let text = format!(
            "<RecurrenceType>{kind}</RecurrenceType><Interval>{interval}</Interval><MonthOfYear>{month}</MonthOfYear>\
             <DayOfMonth>{day}</DayOfMonth><DayOfWeekMask>{days}</DayOfWeekMask><Instance>{instance}</Instance>"
        );
        let event = record(
            Format::SifEvent,
            &format!(
                "<Start>20091016T090000Z</Start><End>20091016T100000Z</End><IsRecurring>1</IsRecurring>{text}\
                 <NoEndDate>1</NoEndDate><PatternEndDate>20091016T000000</PatternEndDate>"
            ),
        );
        let told = event.root.children[0].text("RRULE").unwrap_or_default();
        assert_eq!(sorted(told), sorted(rule), "{text}");
        let again = written(&event, Format::SifEvent);
        assert!(again.contains(&text), "{text} in {again}");
        assert!(again.contains("<NoEndDate>1</NoEndDate>"), "{again}");
    }
}

fn sorted(rule: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = rule.split(';').collect();
    parts.sort_unstable();
    parts
}

#[test]
fn tasks() {
    let task = Format::SifTask;
    check(
        task,
        "<Subject>Task</Subject>
        <StartDate>2009-10-13</StartDate>
        <DueDate>2009-10-14</DueDate>
        <Complete>0</Complete>
        <PercentComplete>25</PercentComplete>
        <Status>1</Status>
        <Importance>0</Importance>
        <ReminderSet>1</ReminderSet>
        <ReminderTime>20091014T080000</ReminderTime>
        <TotalWork>1800</TotalWork>
        <Companies>companies</Companies>",
        Format::ICalendar20,
        &[
            "SUMMARY:Task",
            "DTSTART;VALUE=DATE:20091013",
            "DUE;VALUE=DATE:20091014",
            "PERCENT-COMPLETE:25",
            "STATUS:IN-PROCESS",
            "PRIORITY:9",
            "X-FUNAMBOL-TOTALWORK:1800",
            "X-FUNAMBOL-COMPANIES:companies",
        ],
    );
    check(
        task,
        "<DueDate>2009-10-14</DueDate>
        <DateCompleted>2009-10-13</DateCompleted>
        <Complete>1</Complete>
        <PercentComplete>100</PercentComplete>
        <Status>2</Status>",
        Format::ICalendar20,
        &[
            "STATUS:COMPLETED",
            "COMPLETED:20091012T220000Z",
            "PERCENT-COMPLETE:100",
        ],
    );
    // Waiting for somebody, which no other form knows.
    check(
        task,
        "<Complete>0</Complete>
        <Status>3</Status>
        <Subject>x</Subject>",
        Format::VCalendar10,
        &["STATUS:NEEDS ACTION", "X-FUNAMBOL-STATUS:3"],
    );
}

#[test]
fn notes() {
    check(
        Format::SifNote,
        "<Subject>Milk</Subject>
        <Body>Milk\neggs</Body>
        <Color>3</Color>
        <Categories>Shop</Categories>",
        Format::VNote11,
        &["CATEGORIES:Shop", "X-FUNAMBOL-COLOR:3"],
    );
    let note = record(
        Format::SifNote,
        "<Subject>Milk</Subject><Body>Milk\neggs</Body>",
    );
    assert_eq!(
        note.root.property("SUMMARY"),
        None,
        "the body begins with it"
    );
    assert_eq!(note.root.text("BODY"), Some("Milk\neggs"));
    let apart = record(Format::SifNote, "<Subject>List</Subject><Body>Milk</Body>");
    assert_eq!(apart.root.text("SUMMARY"), Some("List"));
}

#[test]
fn a_document_says_what_it_is() {
    let task = b"<task><Subject>x</Subject></task>";
    let parsed = content::read(task, &hint(Format::SifEvent)).unwrap();
    assert_eq!(
        (parsed.format, parsed.record.kind),
        (Format::SifTask, Kind::Task)
    );
    // Base64 that nobody told of.
    let wrapped = content::wrapped(task.to_vec(), Format::SifTask);
    let parsed = content::read(&wrapped, &hint(Format::SifTask)).unwrap();
    assert_eq!(content::title(&parsed.record), "x");
    // A label of SIF on a form that is none.
    let card = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:x\r\nEND:VCARD\r\n";
    assert_eq!(
        content::read(card, &hint(Format::SifContact))
            .unwrap()
            .format,
        Format::VCard21
    );
    // Latin 1, as it says.
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><contact><LastName>Bj\xF6rk</LastName></contact>";
    let parsed = content::read(latin, &hint(Format::SifContact)).unwrap();
    assert_eq!(content::title(&parsed.record), "Björk");
}
