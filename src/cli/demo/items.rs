//! What the people of the demonstration have in their address books and calendars.

/// On the server at the beginning. Nicknames and categories are nothing that the demonstration's phone can hold.
pub(super) const SERVER_CONTACTS: &str = "\
BEGIN:VCARD\r
VERSION:3.0\r
UID:ada@example.org\r
N:Lovelace;Ada;;;\r
FN:Ada Lovelace\r
TEL;TYPE=CELL:+442071234567\r
EMAIL;TYPE=INTERNET:ada@example.org\r
BDAY:1815-12-10\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:3.0\r
UID:grace@example.org\r
N:Hopper;Grace;;Rear Admiral;\r
FN:Grace Hopper\r
NICKNAME:Amazing Grace\r
CATEGORIES:Navy,COBOL\r
ORG:Navy\r
TEL;TYPE=WORK:+12025550143\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:3.0\r
UID:konrad@example.org\r
N:Zuse;Konrad;;;\r
FN:Konrad Zuse\r
TEL;TYPE=HOME:+4930123456\r
NOTE:Z3\\, Berlin\r
END:VCARD\r
";

/// A newer version of one of them.
pub(super) const ADA_MOVED: &str = "\
BEGIN:VCARD\r
VERSION:3.0\r
UID:ada@example.org\r
N:Lovelace;Ada;;;\r
FN:Ada Lovelace\r
TEL;TYPE=CELL:+442079460018\r
EMAIL;TYPE=INTERNET:ada@example.org\r
BDAY:1815-12-10\r
END:VCARD\r
";

/// On the server at the beginning.
pub(super) const SERVER_CALENDAR: &str = "\
BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:standup@example.org\r
DTSTART:20260105T090000Z\r
DTEND:20260105T091500Z\r
RRULE:FREQ=WEEKLY;BYDAY=MO\r
SUMMARY:Stand-up\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:dentist@example.org\r
DTSTART:20260312T140000Z\r
DTEND:20260312T150000Z\r
SUMMARY:Dentist\r
LOCATION:Main Street 5\r
END:VEVENT\r
BEGIN:VTODO\r
UID:battery@example.org\r
SUMMARY:Buy a battery for the phone\r
DUE:20260401T160000Z\r
END:VTODO\r
END:VCALENDAR\r
";

/// On the server at the beginning.
pub(super) const SERVER_NOTE: &str = "Packing list\ncharger, SIM card, spare battery";

/// On the phone at the beginning: one that the server has as well, one that it has not.
pub(super) const PHONE_CONTACTS: [&str; 2] = [
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Lovelace;Ada\r\nTEL;CELL:+442071234567\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Turing;Alan\r\nTEL;CELL:+441612750000\r\nEND:VCARD\r\n",
];

/// The id of the mail that comes.
pub(super) const MAIL_ID: &str = "tea-1843@example.org";

/// The mail that comes.
pub(super) const MAIL: &str = "\
From: Ada Lovelace <ada@example.org>\r
To: demo@example.org\r
Subject: Tea\r
Date: Thu, 26 Nov 2026 09:00:00 +0000\r
Message-ID: <tea-1843@example.org>\r
\r
The engine is ready, and so is the kettle.\r
When do you come?\r
";
