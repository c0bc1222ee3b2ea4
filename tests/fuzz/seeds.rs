//! What the targets start from: the recorded messages, and items of every form.

use std::path::{Path, PathBuf};

use candybar::push::{
    DatastoreSettings, Notice, ServerAlert, Settings, Sync, emn, ota, prov, san, si, wdp, wsp,
};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, Command, Message};

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The recorded messages of a carrier.
fn recorded(ending: &str) -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(root().join("oma-samples")).expect("the samples");
    let mut paths: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| std::fs::read(path).expect("readable"))
        .collect()
}

/// The items in recorded messages that begin with a word.
fn items(begin: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (ending, carrier) in [("wbxml", Carrier::Wbxml), ("xml", Carrier::Xml)] {
        for octets in recorded(ending) {
            if let Ok(message) = decode(&octets, carrier, &Limits::default()) {
                collect(&message, begin, &mut found);
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn collect(message: &Message<'_>, begin: &str, found: &mut Vec<Vec<u8>>) {
    let mut rest: Vec<&Command<'_>> = message.body.iter().collect();
    while let Some(command) = rest.pop() {
        match command {
            Command::Sync(sync) => rest.extend(&sync.commands),
            Command::Group(group) => rest.extend(&group.commands),
            Command::Change(change) => {
                let bodies = change.items.iter().filter_map(|item| item.data.bytes());
                let bodies = bodies.filter(|body| body.starts_with(begin.as_bytes()));
                found.extend(bodies.map(<[u8]>::to_vec));
            }
            _ => {}
        }
    }
}

/// With the octets that choose circumstances before them.
fn chosen(bodies: Vec<Vec<u8>>, choices: &[u8]) -> Vec<Vec<u8>> {
    let with = |body: &Vec<u8>, choice: u8| [&[choice], body.as_slice()].concat();
    bodies
        .iter()
        .flat_map(|body| choices.iter().map(move |choice| with(body, *choice)))
        .collect()
}

/// The samples of a target.
pub(super) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "wbxml" => recorded("wbxml"),
        "xml" => recorded("xml"),
        "syncml" => {
            let mut samples = chosen(recorded("wbxml"), &[0, 2]);
            samples.extend(chosen(recorded("xml"), &[1, 5]));
            samples
        }
        "vcard" => {
            let mut bodies = items("BEGIN:VCARD");
            bodies.extend(CARDS.map(|card| card.as_bytes().to_vec()));
            chosen(bodies, &[0, 1, 2, 0x10])
        }
        "calendar" => {
            let mut bodies = items("BEGIN:VCALENDAR");
            bodies.extend(CALENDARS.map(|calendar| calendar.as_bytes().to_vec()));
            chosen(bodies, &[0, 1, 0x20, 0xC1])
        }
        "mail" => chosen(
            MAILS.map(|mail| mail.as_bytes().to_vec()).to_vec(),
            &[0, 1, 2, 3],
        ),
        "note" => chosen(NOTES.map(|note| note.as_bytes().to_vec()).to_vec(), &[0, 1]),
        "sif" => chosen(
            SIF.map(|document| document.as_bytes().to_vec()).to_vec(),
            &[0, 1, 2, 3, 0x20, 0x80],
        ),
        "filter" => FILTERS.map(|filter| filter.as_bytes().to_vec()).to_vec(),
        "san" => notifications(),
        "wsp" => pushes(),
        "push" => documents(),
        _ => Vec::new(),
    }
}

fn notifications() -> Vec<Vec<u8>> {
    let uris = [
        (ServerAlert::TwoWay, "text/x-vcard", "contacts"),
        (
            ServerAlert::RefreshFromServer,
            "text/calendar",
            "./Calendar",
        ),
        (
            ServerAlert::TwoWay,
            "application/vnd.omads-email+xml",
            "mail",
        ),
    ];
    (1..=uris.len())
        .map(|count| {
            let syncs = uris[..count].iter();
            let notice = Notice {
                session_id: 7,
                server_id: "sync.example.org".to_owned(),
                syncs: syncs
                    .map(|(alert, media, uri)| Sync::new(*alert, media, *uri))
                    .collect(),
                ..Notice::default()
            };
            san::build(&notice, "password", b"nonce").expect("a notification")
        })
        .collect()
}

fn documents() -> Vec<Vec<u8>> {
    let settings = Settings {
        name: "Home".to_owned(),
        server_id: Some("sync.example.org".to_owned()),
        url: "http://sync.example.org:8080/sync".to_owned(),
        user: "alice".to_owned(),
        password: "wonderland".to_owned(),
        datastores: vec![DatastoreSettings::new(
            "contacts",
            "Contacts",
            &[("text/x-vcard", "2.1")],
        )],
        ..Settings::default()
    };
    let mail = emn::Emn {
        mailbox: "mailat:alice@example.org".to_owned(),
        timestamp: None,
    };
    let indication = si::Indication {
        text: "You have mail".to_owned(),
        href: Some("http://www.example.org/".to_owned()),
        ..si::Indication::default()
    };
    let loading = si::Loading {
        href: "https://www.example.com/page".to_owned(),
        ..si::Loading::default()
    };
    let document = prov::Document::new(&settings, prov::Shape::default()).expect("settings");
    let old = ota::sync_settings(&settings, ota::Scheme::Md5);
    let text = |text: Result<String, _>| text.map(String::into_bytes);
    let built = [
        mail.wbxml(),
        text(mail.xml()),
        indication.wbxml(),
        text(indication.xml()),
        loading.wbxml(),
        text(loading.xml()),
        document.wbxml(),
        text(document.xml()),
        old,
    ];
    let mut samples: Vec<_> = built
        .into_iter()
        .map(|of| of.expect("a document"))
        .collect();
    // The notification of 1.0 and 1.1 is a message.
    samples.extend(recorded("wbxml").into_iter().take(3));
    samples
}

fn pushes() -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    for package in notifications() {
        let push = wsp::Push::notification(package);
        let octets = push.octets().expect("a push");
        let long = [octets.as_slice(), &[b'x'; 300]].concat();
        for payload in [&octets, &long] {
            let reference = wdp::Reference::Octet(7);
            let segments = wdp::segments(payload, wdp::Ports::PUSH, reference).expect("segments");
            let messages = segments.iter().map(|segment| {
                let message = [segment.udh.as_slice(), &segment.body].concat();
                [&[message.len() as u8], message.as_slice()].concat()
            });
            samples.push(messages.collect::<Vec<_>>().concat());
            samples.extend(segments.iter().map(|segment| segment.udh.clone()));
        }
        samples.push(octets);
    }
    samples
}

const CARDS: [&str; 5] = [
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=85berg;Eva;;Dr.;\r\nTEL;CELL;PREF:+46700000001\r\n\
     TEL;WORK;FAX:1\r\nADR;HOME:;;Street 1;Town;;12345;Sweden\r\nEMAIL;INTERNET:eva@example.org\r\nPHOTO;ENCODING=BASE64;TYPE=JPEG:\r\n \
     /9j/4AAQ\r\n\r\nX-EPOCSECONDNAME:Evi\r\nBDAY:19800517\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nitem1.TEL;TYPE=CELL,VOICE:+491701234567\r\nitem1.X-ABLabel:own\r\nN:M\u{fc}ller;Uwe;;;\r\n\
     FN:Uwe M\u{fc}ller\r\nNOTE:line one\\nline\\, two\\;\r\n  folded\r\nCATEGORIES:a,b\\,c\r\nGEO:1.5;2\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zo\u{eb}\r\nTEL;VALUE=uri;TYPE=\"voice,home\":tel:+1\r\nBDAY:--0517\r\nKIND:individual\r\n\
     PHOTO:data:image/png;base64,AAAA\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\nVERSION:2.1\nAGENT:\nBEGIN:VCARD\nVERSION:2.1\nN:Inner\nEND:VCARD\nN:Outer\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\n=3Db\nEND:VCARD\n",
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:One;;;;\r\nTEL:1\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nN:One;;;;\r\nTEL:2\r\nORG:A;B\r\nEND:VCARD\r\n",
];

const CALENDARS: [&str; 6] = [
    "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nTZ:+01\r\nDAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;;\r\nBEGIN:VEVENT\r\n\
     SUMMARY;ENCODING=QUOTED-PRINTABLE:caf=E9\r\nDTSTART:20260301T100000\r\nDTEND:20260301T113000\r\nRRULE:MP1 2+ TU #5\r\n\
     EXDATE:20260310T100000;20260414T100000\r\nAALARM:20260301T094500;;;\r\nX-EPOCAGENDAENTRYTYPE:APPOINTMENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VTODO\r\nSUMMARY:Milk\r\nDUE:20260301T000000\r\nPRIORITY:1\r\nSTATUS:NEEDS ACTION\r\n\
     DALARM:20260301T080000Z;PT5M;2;now\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Home\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
     TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n\
     DTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n\
     BEGIN:VEVENT\r\nUID:e1\r\nDTSTART;TZID=Home:20260301T100000\r\nDURATION:PT1H30M\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261231T225959Z\r\n\
     EXDATE;TZID=Home:20260302T100000\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT\r\n\
     BEGIN:VEVENT\r\nUID:e1\r\nRECURRENCE-ID;TZID=Home:20260304T100000\r\nDTSTART;TZID=Home:20260304T110000\r\nSUMMARY:later\r\nEND:VEVENT\r\n\
     END:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260228\r\nDTEND;VALUE=DATE:20260301\r\nSUMMARY:leap\r\n\
     RRULE:FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2;COUNT=5\r\nRDATE:20260401,20260501\r\nATTENDEE;CN=\"A, B\":mailto:a@example.org\r\n\
     CATEGORIES:x,y\r\nCLASS:PRIVATE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nSUMMARY:a note\r\nDESCRIPTION:text\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY:birthday\r\nDTSTART:19800517T000000\r\nDTEND:19800517T235959\r\nRRULE:YM1 5 #0\r\n\
     X-EPOCAGENDAENTRYTYPE:ANNIVERSARY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\
     BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY:birthday\r\nDTSTART:19800517T000000\r\nRRULE:D2 20270101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
];

const NOTES: [&str; 3] = [
    "milk\r\nbread",
    "BEGIN:VNOTE\r\nVERSION:1.1\r\nBODY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=85 note=0D=0Aof two lines\r\nDCREATED:20260301T100000Z\r\nEND:VNOTE\r\n",
    "\u{feff}text with a mark",
];

const SIF: [&str; 6] = [
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<contact><SIFVersion>1.1</SIFVersion><Title>Dr.</Title><FirstName>Åsa</FirstName>\
     <LastName>B &amp; C</LastName><FileAs>x</FileAs><Birthday>1980-01-02</Birthday><MobileTelephoneNumber>1</MobileTelephoneNumber>\
     <Home2TelephoneNumber>2</Home2TelephoneNumber><BusinessFaxNumber>3</BusinessFaxNumber><Email1Address>a@b</Email1Address>\
     <OtherAddressCity>c</OtherAddressCity><Categories>x, y</Categories><Photo TYPE=\"JPEG\">AQIDBA==</Photo><Sensitivity>2</Sensitivity></contact>",
    "<appointment><Timezone><BasicOffset>+0100</BasicOffset><DayLight><DSTOffset>+0200</DSTOffset><DSTStart>20260329T020000</DSTStart>\
     <DSTEnd>20261025T030000</DSTEnd><StandardName>Europe/Rome</StandardName></DayLight></Timezone><AllDayEvent>0</AllDayEvent>\
     <Start>20260301T090000Z</Start><End>20260301T100000Z</End><Subject>x</Subject><IsRecurring>1</IsRecurring><RecurrenceType>3</RecurrenceType>\
     <Interval>1</Interval><DayOfWeekMask>62</DayOfWeekMask><Instance>5</Instance><NoEndDate>0</NoEndDate><Occurrences>3</Occurrences>\
     <PatternEndDate>20261231T000000</PatternEndDate><Exceptions><ExcludeDate>20260401T080000Z</ExcludeDate><IncludeDate>20260402</IncludeDate></Exceptions>\
     <ReminderSet>1</ReminderSet><ReminderMinutesBeforeStart>15</ReminderMinutesBeforeStart><BusyStatus>3</BusyStatus><Importance>2</Importance>\
     <Attendees><Attendee><AttendeeName>A</AttendeeName><AttendeeEmail>a@b</AttendeeEmail><AttendeeStatus>1</AttendeeStatus></Attendee></Attendees></appointment>",
    "<appointment><AllDayEvent>1</AllDayEvent><Start>2026-02-28</Start><End>2026-03-01</End><IsRecurring>1</IsRecurring><RecurrenceType>5</RecurrenceType>\
     <MonthOfYear>2</MonthOfYear><DayOfMonth>29</DayOfMonth><NoEndDate>1</NoEndDate></appointment>",
    "<task><Subject>x</Subject><StartDate>2026-03-01</StartDate><DueDate>2026-03-02</DueDate><Complete>1</Complete><DateCompleted>2026-03-01</DateCompleted>\
     <Status>4</Status><PercentComplete>50</PercentComplete><ReminderSet>1</ReminderSet><ReminderTime>20260302T080000</ReminderTime><X-Mine>1</X-Mine></task>",
    "<note><Subject>milk</Subject><Body><![CDATA[milk\r\nbread]]></Body><Color>3</Color></note>",
    "PG5vdGU+PEJvZHk+eDwvQm9keT48L25vdGU+",
];

const FILTERS: [&str; 8] = [
    "SINCE&EQ;20070807T000000Z&AND;BEFORE&EQ;20070808T000000Z",
    "CLASS&EQ;PRIVATE",
    "./Calendar?TODO",
    "contacts?(CLASS&NE;PRIVATE&OR;CATEGORIES&iCON;family)&AND;TEL[2]&NE;&NULL;",
    "&LUID;&EQ;17&OR;GUID&EQ;2s",
    "REV&GE;20070101&AND;MAXSIZE&LE;2048|X-RANK&GT;10%25",
    "((N&EQ;Berg;Anna))&AND;BDAY&LT;19900101",
    "EVENT&AND;SUMMARY&NCON;x&AND;(DTSTART&GT;20000101T000000Z&OR;BEFORE&LT;2010-01-01)",
];

const MAILS: [&str; 6] = [
    "From: =?utf-8?q?=C3=85sa?= <a@example.org>\r\nTo: b@example.net, \"C, D\" <c@example.net>\r\nBcc: d@example.net\r\nSubject: x\r\n\
     Date: Sun, 1 Mar 2026 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n> a\r\n> b\r\n> c\r\n> d\r\n",
    "To: b@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=\"c\"\n\n--c\n\
     Content-Type: text/plain; charset=iso-8859-1; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\na=E5 =\n b \n\n--c\nContent-Type: text/html\n\n\
     <p>a&aring; <img alt=\"x\"><br>b</p>\n--c--\n--b\nContent-Type: image/png; name=\"../a.png\"\nContent-Transfer-Encoding: base64\n\nAQID\n--b--\n",
    "<Email><read>true</read><received>20260301T100000Z</received><emailitem enc=\"base64\">U3ViamVjdDogeA0KDQp4</emailitem>\
     <Ext><XNam>x-funambol-body</XNam><XVal>9</XVal></Ext></Email>",
    "<![CDATA[<Email><flagged>false</flagged><emailitem><![CDATA[To: b@example.net\r\n\r\nx]]]]>&gt;<![CDATA[</emailitem><truncated><body><size>5</size></body></truncated></Email>]]>",
    "<Folder><name>Lost &amp; found</name><created>20260301T100000Z</created><attributes><d>true</d></attributes><role>inbox</role></Folder>",
    "candybar-mail 1\nflags: read draft\nreceived: 20260301T100000Z\nmissing: 7\next: [\"a\",\"b\"]\n\nSubject: x\r\n\r\nx",
];
