//! All-day items in a form without dates (vCalendar 1.0 has date-times only): the ways in which phones write them.
//!
//! An event is all-day from midnight to 23:59, to 24:00, or to a later midnight, on the local clock, or as written where the
//! phone writes local midnight with a `Z` (UIQ); an S60 memo or anniversary and a Series 40 special occasion without end is too.
//! A task is all-day where its due time is midnight or 23:59: phones have due dates only.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::content::Component;
use crate::content::calendar::moment::Moment;
use crate::content::calendar::stamp;

/// On which clock an item's midnights lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The digits as written, whatever the `Z`.
    AsWritten,
    /// The wall clock of the device.
    Wall,
}

/// An item that is all-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AllDay {
    /// How its times become dates.
    pub(super) view: View,
    /// The exclusive end of an event; the due date of a task.
    pub(super) end: Option<NaiveDate>,
    /// Times of 23:59 are of the next day (Series 40 birthdays).
    pub(super) shift: bool,
}

/// The date that a time of an all-day item stands for.
pub(super) fn date(time: NaiveDateTime, shift: bool) -> NaiveDate {
    if shift && late(time) {
        next(time.date())
    } else {
        time.date()
    }
}

/// S60's memo, whose end is the next midnight (`X-EPOCAGENDAENTRYTYPE:EVENT`).
pub(in crate::content::calendar) fn is_memo(item: &Component) -> bool {
    item.text("X-EPOCAGENDAENTRYTYPE")
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("EVENT"))
}

/// Whether, and how, an item as it came is all-day. `wall` answers the device's clock; `lost` says that nothing is known of its
/// place, so that UTC midnights count as well.
pub(super) fn detect(
    item: &Component,
    wall: &dyn Fn(Moment) -> NaiveDateTime,
    lost: bool,
) -> Option<AllDay> {
    match item.name.as_str() {
        "VEVENT" => event(item, wall, lost),
        _ => task(item, wall),
    }
}

fn event(item: &Component, wall: &dyn Fn(Moment) -> NaiveDateTime, lost: bool) -> Option<AllDay> {
    let start = item.property("DTSTART").and_then(stamp::moment)?;
    let end_text = item.text("DTEND").unwrap_or_default();
    let end = Moment::parse(end_text);
    if let Moment::Date(date) = start {
        let end = end.map_or(date, Moment::date).max(next(date));
        return Some(AllDay {
            view: View::AsWritten,
            end: Some(end),
            shift: false,
        });
    }
    let birthday = item.text("CATEGORIES").is_some_and(|list| {
        list.split(';')
            .any(|category| category.trim().eq_ignore_ascii_case("SPECIAL OCCASION"))
    });
    let anniversary = item
        .text("X-EPOCAGENDAENTRYTYPE")
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("ANNIVERSARY"));
    let marked = birthday || anniversary || is_memo(item);
    let zulu = matches!(start, Moment::Utc(_));
    if zulu && !lost {
        // Midnight with a Z, where no UTC time of an all-day event would lie: only ends that nothing else has count.
        let plain = end.is_some_and(|end| late(end.naive())) || end_text.contains("T24");
        if let Some(end) = span(start.naive(), end.map(Moment::naive), marked)
            .filter(|_| plain || marked && start.naive().time() == NaiveTime::MIN)
        {
            return Some(AllDay {
                view: View::AsWritten,
                end: Some(end),
                shift: false,
            });
        }
    }
    let (begin, stop) = (wall(start), end.map(wall));
    if let Some(end) = span(begin, stop, marked) {
        return Some(AllDay {
            view: View::Wall,
            end: Some(end),
            shift: false,
        });
    }
    if birthday
        && late(begin)
        && stop.is_none_or(|stop| stop == begin || late(stop) || stop.time() == NaiveTime::MIN)
    {
        let end = stop
            .map_or(begin.date(), |stop| date(stop, true))
            .max(next(next(begin.date())));
        return Some(AllDay {
            view: View::Wall,
            end: Some(end),
            shift: true,
        });
    }
    None
}

/// The exclusive end of a span of whole days.
fn span(start: NaiveDateTime, end: Option<NaiveDateTime>, marked: bool) -> Option<NaiveDate> {
    if start.time() != NaiveTime::MIN {
        return None;
    }
    match end {
        Some(end) if late(end) && end > start => Some(next(end.date())),
        Some(end) if end.time() == NaiveTime::MIN && end > start => Some(end.date()),
        Some(end) if marked && end == start => Some(next(start.date())),
        None if marked => Some(next(start.date())),
        _ => None,
    }
}

fn task(item: &Component, wall: &dyn Fn(Moment) -> NaiveDateTime) -> Option<AllDay> {
    let due_text = item.text("DUE").unwrap_or_default();
    let (due, start) = (
        Moment::parse(due_text),
        item.property("DTSTART").and_then(stamp::moment),
    );
    if due.is_none() && start.is_none() {
        return None;
    }
    let midnight = |time: NaiveDateTime| time.time() == NaiveTime::MIN;
    let due = due.map(wall);
    if !due.is_none_or(|due| midnight(due) || late(due)) || !start.map(wall).is_none_or(midnight) {
        return None;
    }
    // 24:00 is the end of the day that it names.
    let end = due.map(|due| {
        if due_text.contains("T24") {
            due.date().pred_opt().unwrap_or(due.date())
        } else {
            due.date()
        }
    });
    Some(AllDay {
        view: View::Wall,
        end,
        shift: false,
    })
}

/// 23:59, seconds whatever.
fn late(time: NaiveDateTime) -> bool {
    time.hour() == 23 && time.minute() == 59
}

fn next(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(date)
}
