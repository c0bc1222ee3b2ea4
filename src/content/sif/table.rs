//! Which property of a record each element of SIF is, in the order in which they are written.
//!
//! Names as in Funambol's pim-framework (SIFC, SIFCalendar, SIFE, SIFT, SIFN); types of numbers and addresses as its
//! ContactToVcard pairs them with those of vCard. What only SIF has goes by the names that Funambol's clients give it in vCard and
//! vCalendar (their DevInf: X-FUNAMBOL-HOBBIES, X-FUNAMBOL-BILLINGINFO ...).

use Place::{Address, Alias, Class, Coded, Date, Kept, List, Nothing, Part, Photo, Text, Typed};

/// One element.
#[derive(Debug, Clone, Copy)]
pub(in crate::content) struct Field {
    pub(in crate::content) name: &'static str,
    pub(in crate::content) place: Place,
}

/// What an element is in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::content) enum Place {
    /// The text of a property.
    Text(&'static str),
    /// A list of words.
    List(&'static str),
    /// A date.
    Date(&'static str),
    /// One of the parts of a property.
    Part(&'static str, usize),
    /// One of the parts of the address of a type; the type is empty for the one that is neither of home nor of work.
    Address(&'static str, usize),
    /// One of several properties of a name: the one of these types.
    Typed(&'static str, &'static [&'static str]),
    /// The same, only read: other clients have another name for it.
    Alias(&'static str, &'static [&'static str]),
    /// CLASS as a number.
    Class,
    /// PHOTO.
    Photo,
    /// What the code of its module reads and writes, by the properties that it is.
    Coded(&'static [&'static str]),
    /// Kept under its own name.
    Kept,
    /// Says nothing that other elements do not say.
    Nothing,
}

impl Field {
    /// The names of the properties that it is.
    pub(super) fn properties(&self) -> Vec<String> {
        match self.place {
            Text(name) | List(name) | Date(name) | Part(name, _) | Typed(name, _) => {
                vec![name.to_owned()]
            }
            Address(..) => vec!["ADR".to_owned()],
            Class => vec!["CLASS".to_owned()],
            Photo => vec!["PHOTO".to_owned()],
            Coded(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            Kept => vec![format!("{}{}", super::KEPT, self.name.to_ascii_uppercase())],
            Alias(..) | Nothing => Vec::new(),
        }
    }
}

/// Values that say no more than the element's absence.
pub(super) const SILENT: &[(&str, &str)] = &[
    ("BusyStatus", "2"),
    ("Email1AddressType", "SMTP"),
    ("Email2AddressType", "SMTP"),
    ("Email3AddressType", "SMTP"),
    ("Folder", "DEFAULT_FOLDER"),
    ("Gender", "0"),
    ("Importance", "1"),
    ("MeetingStatus", "0"),
    ("Mileage", "0"),
    ("NoAging", "0"),
    ("ReminderInterval", "0"),
    ("ReminderOptions", "0"),
    ("ReminderRepeatCount", "0"),
    ("TeamTask", "0"),
    ("UnRead", "0"),
    ("ActualWork", "0"),
    ("TotalWork", "0"),
];

const fn of(name: &'static str, place: Place) -> Field {
    Field { name, place }
}

const fn tel(name: &'static str, types: &'static [&'static str]) -> Field {
    of(name, Typed("TEL", types))
}

/// SIF-C.
pub(in crate::content) const CONTACT: &[Field] = &[
    of("SIFVersion", Nothing),
    of("Title", Part("N", 3)),
    of("FirstName", Part("N", 1)),
    of("MiddleName", Part("N", 2)),
    of("LastName", Part("N", 0)),
    of("Suffix", Part("N", 4)),
    of("FileAs", Text("FN")),
    of("NickName", List("NICKNAME")),
    of("Initials", Kept),
    // Outlook makes it of the name.
    of("Subject", Nothing),
    of("Anniversary", Date("ANNIVERSARY")),
    of("Birthday", Date("BDAY")),
    of("CompanyName", Part("ORG", 0)),
    of("Department", Part("ORG", 1)),
    of("OfficeLocation", Part("ORG", 2)),
    of("JobTitle", Text("TITLE")),
    of("Profession", Text("ROLE")),
    of("ManagerName", Text("X-MANAGER")),
    of("AssistantName", Text("X-ASSISTANT")),
    of("Spouse", Text("X-SPOUSE")),
    of("Children", Text("X-FUNAMBOL-CHILDREN")),
    of("Categories", List("CATEGORIES")),
    of("Sensitivity", Class),
    of("Body", Text("NOTE")),
    tel("MobileTelephoneNumber", &["CELL"]),
    tel("MobileHomeTelephoneNumber", &["CELL", "HOME"]),
    tel("MobileBusinessTelephoneNumber", &["CELL", "WORK"]),
    tel("HomeTelephoneNumber", &["HOME"]),
    tel("Home2TelephoneNumber", &["HOME"]),
    tel("BusinessTelephoneNumber", &["WORK"]),
    tel("Business2TelephoneNumber", &["WORK"]),
    tel("CompanyMainTelephoneNumber", &["WORK", "PREF"]),
    tel("PrimaryTelephoneNumber", &["PREF"]),
    tel("HomeFaxNumber", &["FAX", "HOME"]),
    tel("BusinessFaxNumber", &["FAX", "WORK"]),
    tel("OtherFaxNumber", &["FAX"]),
    tel("PagerNumber", &["PAGER"]),
    tel("CarTelephoneNumber", &["CAR"]),
    tel("AssistantTelephoneNumber", &["X-ASSISTANT"]),
    tel("CallbackTelephoneNumber", &["X-FUNAMBOL-CALLBACK"]),
    tel("RadioTelephoneNumber", &["X-FUNAMBOL-RADIO"]),
    tel("TelexNumber", &["X-FUNAMBOL-TELEX"]),
    tel("OtherTelephoneNumber", &[]),
    of("Email1Address", Typed("EMAIL", &[])),
    of("Email2Address", Typed("EMAIL", &["HOME"])),
    of("Email3Address", Typed("EMAIL", &["WORK"])),
    of("OtherEmailAddress", Alias("EMAIL", &[])),
    of("HomeEmailAddress", Alias("EMAIL", &["HOME"])),
    of("BusinessEmailAddress", Alias("EMAIL", &["WORK"])),
    of("Email1AddressType", Kept),
    of("Email2AddressType", Kept),
    of("Email3AddressType", Kept),
    of("IMAddress", Kept),
    of("WebPage", Typed("URL", &[])),
    of("HomeWebPage", Typed("URL", &["HOME"])),
    of("PersonalWebPage", Alias("URL", &["HOME"])),
    of("BusinessWebPage", Typed("URL", &["WORK"])),
    of("InternetFreeBusyAddress", Text("FBURL")),
    of("HomeAddressPostOfficeBox", Address("HOME", 0)),
    of("HomeAddressExtended", Address("HOME", 1)),
    of("HomeAddressStreet", Address("HOME", 2)),
    of("HomeAddressCity", Address("HOME", 3)),
    of("HomeAddressState", Address("HOME", 4)),
    of("HomeAddressPostalCode", Address("HOME", 5)),
    of("HomeAddressCountry", Address("HOME", 6)),
    of("HomeLabel", Typed("LABEL", &["HOME"])),
    of("BusinessAddressPostOfficeBox", Address("WORK", 0)),
    of("BusinessAddressExtended", Address("WORK", 1)),
    of("BusinessAddressStreet", Address("WORK", 2)),
    of("BusinessAddressCity", Address("WORK", 3)),
    of("BusinessAddressState", Address("WORK", 4)),
    of("BusinessAddressPostalCode", Address("WORK", 5)),
    of("BusinessAddressCountry", Address("WORK", 6)),
    of("BusinessLabel", Typed("LABEL", &["WORK"])),
    of("OtherAddressPostOfficeBox", Address("", 0)),
    of("OtherAddressExtended", Address("", 1)),
    of("OtherAddressStreet", Address("", 2)),
    of("OtherAddressCity", Address("", 3)),
    of("OtherAddressState", Address("", 4)),
    of("OtherAddressPostalCode", Address("", 5)),
    of("OtherAddressCountry", Address("", 6)),
    of("OtherLabel", Typed("LABEL", &[])),
    // Outlook makes it of the address that is used for letters.
    of("MailingAddress", Nothing),
    of("BillingInformation", Text("X-FUNAMBOL-BILLINGINFO")),
    of("Companies", Kept),
    of("ComputerNetworkName", Kept),
    of("Folder", Kept),
    of("Gender", Kept),
    of("Hobby", Text("X-FUNAMBOL-HOBBIES")),
    of("Importance", Kept),
    of("Language", Text("X-FUNAMBOL-LANGUAGES")),
    of("Mileage", Kept),
    of(
        "OrganizationalIDNumber",
        Text("X-FUNAMBOL-ORGANIZATIONALID"),
    ),
    of("Timezone", Text("TZ")),
    of("Uid", Text("UID")),
    of("Revision", Text("REV")),
    of("YomiCompanyName", Kept),
    of("YomiFirstName", Kept),
    of("YomiLastName", Kept),
    of("Photo", Photo),
];

/// SIF-E.
pub(in crate::content) const EVENT: &[Field] = &[
    of("SIFVersion", Nothing),
    of("Timezone", Nothing),
    of("Subject", Text("SUMMARY")),
    of("Location", Text("LOCATION")),
    of("Body", Text("DESCRIPTION")),
    of("AllDayEvent", Nothing),
    of("Start", Coded(&["DTSTART"])),
    of("End", Coded(&["DTEND"])),
    of("Duration", Nothing),
    of("Categories", List("CATEGORIES")),
    of("Sensitivity", Class),
    of("Importance", Coded(&["PRIORITY"])),
    of(
        "BusyStatus",
        Coded(&["TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"]),
    ),
    of("MeetingStatus", Kept),
    of("IsRecurring", Coded(&["RRULE"])),
    of("RecurrenceType", Nothing),
    of("Interval", Nothing),
    of("MonthOfYear", Nothing),
    of("DayOfMonth", Nothing),
    of("DayOfWeekMask", Nothing),
    of("Instance", Nothing),
    of("PatternStartDate", Nothing),
    of("NoEndDate", Nothing),
    of("PatternEndDate", Nothing),
    of("Occurrences", Nothing),
    of("Exceptions", Coded(&["EXDATE", "RDATE"])),
    of("ReminderSet", Coded(&["VALARM"])),
    of("ReminderMinutesBeforeStart", Nothing),
    of("ReminderTime", Nothing),
    of("ReminderSoundFile", Kept),
    of("ReminderOptions", Kept),
    of("ReminderInterval", Kept),
    of("ReminderRepeatCount", Kept),
    of("Attendees", Coded(&["ATTENDEE"])),
    of("BillingInformation", Text("X-FUNAMBOL-BILLINGINFO")),
    of("Companies", Kept),
    of("Mileage", Kept),
    of("NoAging", Kept),
    of("ReplyTime", Text("X-MICROSOFT-CDO-REPLYTIME")),
    of("UnRead", Kept),
    of("Folder", Kept),
    of("Status", Kept),
    of("Transp", Nothing),
    of("Url", Text("URL")),
    of("Geo", Text("GEO")),
    of("Contact", Text("CONTACT")),
    of("Sequence", Text("SEQUENCE")),
    of("Uid", Text("UID")),
    of("Dtstamp", Nothing),
    of("Last-Modified", Nothing),
    of("Prodid", Nothing),
    of("Version", Nothing),
    of("Calscale", Nothing),
    of("Method", Nothing),
    of("DAlarm", Nothing),
    of("PAlarm", Nothing),
];

/// SIF-T.
pub(in crate::content) const TASK: &[Field] = &[
    of("SIFVersion", Nothing),
    of("Timezone", Nothing),
    of("Subject", Text("SUMMARY")),
    of("Location", Text("LOCATION")),
    of("Body", Text("DESCRIPTION")),
    of("StartDate", Coded(&["DTSTART"])),
    of("DueDate", Coded(&["DUE"])),
    of("DateCompleted", Coded(&["COMPLETED"])),
    of("Complete", Nothing),
    of("PercentComplete", Coded(&["PERCENT-COMPLETE"])),
    of("Status", Coded(&["STATUS", "X-FUNAMBOL-STATUS"])),
    of("Categories", List("CATEGORIES")),
    of("Sensitivity", Class),
    of("Importance", Coded(&["PRIORITY"])),
    of("IsRecurring", Coded(&["RRULE"])),
    of("RecurrenceType", Nothing),
    of("Interval", Nothing),
    of("MonthOfYear", Nothing),
    of("DayOfMonth", Nothing),
    of("DayOfWeekMask", Nothing),
    of("Instance", Nothing),
    of("PatternStartDate", Nothing),
    of("NoEndDate", Nothing),
    of("PatternEndDate", Nothing),
    of("Occurrences", Nothing),
    of("Exceptions", Coded(&["EXDATE", "RDATE"])),
    of("ReminderSet", Coded(&["VALARM"])),
    of("ReminderMinutesBeforeStart", Nothing),
    of("ReminderTime", Nothing),
    of("ReminderSoundFile", Kept),
    of("ReminderOptions", Kept),
    of("ReminderInterval", Kept),
    of("ReminderRepeatCount", Kept),
    of("Attendees", Coded(&["ATTENDEE"])),
    of("ActualWork", Kept),
    of("TotalWork", Kept),
    of("BillingInformation", Text("X-FUNAMBOL-BILLINGINFO")),
    of("Companies", Kept),
    of("Mileage", Kept),
    of("Owner", Kept),
    of("Role", Kept),
    of("TeamTask", Kept),
    of("UnRead", Kept),
    of("Folder", Kept),
    of("Url", Text("URL")),
    of("Uid", Text("UID")),
    of("Dtstamp", Nothing),
    of("Last-Modified", Nothing),
    of("Prodid", Nothing),
    of("Version", Nothing),
];

/// SIF-N.
pub(in crate::content) const NOTE: &[Field] = &[
    of("SIFVersion", Nothing),
    of("Subject", Text("SUMMARY")),
    of("Body", Text("BODY")),
    of("Categories", List("CATEGORIES")),
    of("Date", Kept),
    of("Folder", Kept),
    of("Color", Kept),
    of("Height", Kept),
    of("Width", Kept),
    of("Left", Kept),
    of("Top", Kept),
];
