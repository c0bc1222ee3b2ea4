//! How a device writes items its own way: the forms' dialects, as data.
//!
//! A [`Dialect`] says what is done to the lines of an item between the form's writer and the wire, and between the wire
//! and the form's reader. It knows names of properties, never of phones. What a dialect leaves out, or changes so
//! that it does not come back, is no edit of the device: [`restored`](super::restored) sees to that.
//!
//! Names in effects are those of the wire (`AALARM`, `X-EPOCSECONDNAME`); a header such as `TEL;HOME` is a property with TYPE
//! values, one such as `TEL;X-MOT-POSITION=1` has a parameter.
//!
//! Invariants: no effect, no cost; no panic on what a device sends; the reader's limits hold.

mod contact;
mod header;
mod lines;
mod season;
mod slots;

use std::collections::BTreeMap;

use super::effects::{effects, replaced};
use super::email::{MailCoding, MailExt};
use super::{Component, Kind, ReadHint, Record, Target};

pub use header::Header;
pub use season::Season;
pub use slots::Slot;

/// The charset in which texts that are not ASCII are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CharsetOut {
    /// What the forms and SyncML suggest.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Characters beyond it become their nearest, or `?`.
    #[serde(rename = "iso-8859-1")]
    Latin1,
    /// ISO-8859-1 for a text that it holds, UTF-8 for others.
    #[serde(rename = "iso-8859-1-or-utf-8")]
    Latin1OrUtf8,
}

/// When an empty slot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptySlots {
    /// Always, so that it is cleared.
    Always,
    /// Beside others of its property, where the device counts them.
    BesideOthers,
}

/// How an all-day event ends in a form without dates (vCalendar 1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AllDayEnd {
    /// `T235900` of the last day.
    #[serde(rename = "23:59")]
    Late,
    /// `T240000` of the last day.
    #[serde(rename = "24:00")]
    TwentyFour,
    /// `T000000` of the day after.
    #[serde(rename = "midnight")]
    Midnight,
}

/// When X-EPOCAGENDAENTRYTYPE is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryTypes {
    /// For all-day events: EVENT, or ANNIVERSARY if it recurs every year.
    AllDay,
    /// For all events: APPOINTMENT and REMINDER too.
    All,
}

/// Where the TZ and DAYLIGHT lines of vCalendar 1.0 go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneLines {
    /// Before the first item, as the form says.
    Calendar,
    /// Into each item.
    Item,
    /// Nowhere.
    None,
}

/// The property of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AlarmProperty {
    /// A sound.
    #[serde(rename = "AALARM")]
    Audio,
    /// A text.
    #[serde(rename = "DALARM")]
    Display,
}

replaced!(
    EmptySlots,
    CharsetOut,
    AllDayEnd,
    EntryTypes,
    ZoneLines,
    AlarmProperty,
    MailCoding,
    MailExt,
    Season
);

effects! {
    /// What a device does its own way with the lines of items. All fields unset: nothing.
    pub struct Dialect {
        /// The charset of texts that are not ASCII, in the legacy forms.
        charset_out: CharsetOut,
        /// The charset of what the device sends and names none for.
        charset_in: String,
        /// `false`: no line of the legacy forms is broken, however long it is.
        fold: bool,
        /// `true`: a property without a value is not written.
        omit_empty: bool,
        /// So many parts of N are written, and believed when they come.
        name_parts: u8,
        /// `true`: a name in one part that comes is given name and surname.
        split_name: bool,
        /// `true`: the second and third part of ADR change places.
        address_swap: bool,
        /// `true`: EMAIL has the type INTERNET, whatever the device lists.
        email_internet: bool,
        /// `true`: telephone numbers are digits and `+` alone.
        tel_digits: bool,
        /// `false`: PHOTO is written without its TYPE.
        photo_type: bool,
        /// `true`: a contact without a number and an address for mail gets `EMAIL;INTERNET:-`.
        reachable: bool,
        /// Of these properties, the first one of each kind is written.
        first_of_kind: Vec<String>,
        /// The places that the device has for a property, in the order in which they are written.
        slots: Vec<Slot>,
        /// When an empty slot is written.
        empty_slots: EmptySlots,
        /// Properties of contacts that are not written.
        drop_contact: Vec<Header>,
        /// Properties of events that are not written.
        drop_event: Vec<Header>,
        /// Properties of tasks that are not written.
        drop_task: Vec<Header>,
        /// Names of a contact's properties, and what the device calls them.
        rename_contact: BTreeMap<String, String>,
        /// Names of an event's or task's properties, and what the device calls them.
        rename_calendar: BTreeMap<String, String>,
        /// What stands in a contact's property that is missing; taken away when it comes back.
        fill_contact: BTreeMap<Header, String>,
        /// What stands in an event's property that is missing; taken away when it comes back.
        fill_event: BTreeMap<Header, String>,
        /// What stands in a task's property that is missing; taken away when it comes back.
        fill_task: BTreeMap<Header, String>,
        /// Properties that are written last, in this order.
        last: Vec<Header>,
        /// Before every category.
        category_prefix: String,
        /// The device's priorities for high to low.
        priorities: Vec<u8>,
        /// The one alarm property that it knows.
        alarm_property: AlarmProperty,
        /// `true`: an alarm is a bare time, without `;snooze;repeat;text`.
        alarm_bare: bool,
        /// `true`: alarms ring in UTC, whatever the event's times are in.
        alarm_utc: bool,
        /// How an all-day event ends.
        all_day_end: AllDayEnd,
        /// `true`: an all-day event's times are written with a `Z`, as if its midnights were UTC.
        all_day_zulu: bool,
        /// `true`: an all-day event of every year has the category SPECIAL OCCASION, if it has none.
        special_occasion: bool,
        /// When X-EPOCAGENDAENTRYTYPE is written.
        entry_types: EntryTypes,
        /// `true`: an all-day event of every year recurs by `YD1`.
        yearly_by_day: bool,
        /// `true`: a recurrence has no end.
        endless: bool,
        /// Where TZ and DAYLIGHT go.
        zone_lines: ZoneLines,
        /// No date of the calendar is earlier than this year.
        earliest_year: u16,
        /// How it converts its times to UTC, if not by the daylight saving of their date.
        season_in: Season,
        /// How it converts UTC to its times, if not by the daylight saving of their date.
        season_out: Season,
        /// The content type of a bare message, if not `message/rfc822`.
        mail_type: String,
        /// `true`: the Email object has no attribute and no element that the specification does not name.
        mail_strict: bool,
        /// The Ext elements of mail that it understands.
        mail_ext: MailExt,
        /// `true`: the message in an Email object is base64, and an attribute says so.
        mail_base64: bool,
        /// The charset of the texts of mail, such as `iso-8859-1` or `us-ascii`; what it does not have becomes the nearest.
        mail_charset: String,
        /// `false`: characters beyond the first plane of Unicode (pictographs) become words.
        mail_astral: bool,
        /// How the text of a mail is coded, if it is not plain ASCII.
        mail_coding: MailCoding,
        /// Pictures are sent beside the text, with so many pixels on their longest side.
        mail_picture: u16,
        /// `true`: quotations of what was said before are left out.
        mail_trim_quotes: bool,
    }
}

/// An effect that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{effect}: {why}")]
pub struct BadEffect {
    /// Its name.
    pub effect: &'static str,
    /// What is wrong.
    pub why: String,
}

impl Dialect {
    /// Checks what the types leave open.
    pub fn check(&self) -> Result<(), BadEffect> {
        let bad = |effect, why: &str| {
            Err(BadEffect {
                effect,
                why: why.to_owned(),
            })
        };
        if let Some(label) = &self.charset_in
            && super::charset::Charset::for_label(label).is_none()
        {
            return bad("charset_in", "no charset is called that");
        }
        if let Some(label) = &self.mail_charset
            && !label.eq_ignore_ascii_case("us-ascii")
            && super::charset::Charset::for_label(label).is_none()
        {
            return bad("mail_charset", "no charset is called that");
        }
        if let Some(media) = &self.mail_type
            && super::Format::from_mime(media, None) != Some(super::Format::Message)
        {
            return bad(
                "mail_type",
                "it is message/rfc822, message/rfc2822 or message/x-rfc822",
            );
        }
        if self
            .mail_picture
            .is_some_and(|side| !(16..=2_000).contains(&side))
        {
            return bad("mail_picture", "it is a number of pixels from 16 to 2000");
        }
        if self
            .name_parts
            .is_some_and(|parts| !(1..=5).contains(&parts))
        {
            return bad("name_parts", "a name has 1 to 5 parts");
        }
        if self
            .priorities
            .as_ref()
            .is_some_and(|of| !(2..=9).contains(&of.len()) || of.iter().any(|one| *one > 9))
        {
            return bad(
                "priorities",
                "these are 2 to 9 numbers from 0 to 9, high to low",
            );
        }
        if self
            .earliest_year
            .is_some_and(|year| !(1900..=2100).contains(&year))
        {
            return bad("earliest_year", "it is a year from 1900 to 2100");
        }
        Ok(())
    }

    /// Lowers the lines of an item that is about to be written.
    pub(super) fn lower(&self, tree: &mut Component, record: &Record, target: &Target<'_>) {
        match record.kind {
            Kind::Contact => contact::lower(self, tree),
            Kind::Event | Kind::Task if tree.name == "VCALENDAR" => {
                super::calendar::lower_dialect(self, tree, record, target);
            }
            _ => {}
        }
    }

    /// Raises the lines of an item that came.
    pub(super) fn raise(&self, tree: &mut Component, hint: &ReadHint<'_>) {
        match tree.name.as_str() {
            "VCARD" => contact::raise(self, tree),
            "VCALENDAR" => super::calendar::raise_dialect(self, tree, hint),
            _ => {}
        }
    }
}

pub(super) use contact::{add_prefix, strip_prefix};
pub(super) use lines::{drop_all, fill, omit_empty, put_last, rename, rename_back, unfill};
pub(super) use season::TOLD;

#[cfg(test)]
mod tests;
