//! SIF-E and SIF-T: Outlook's events and tasks (Funambol pim-framework, SIFCalendarParser, CalendarToSIFE, TaskToSIFT).
//!
//! Times are UTC, or local ones of the zone that the element Timezone describes, as in vCalendar 1.0; so what has to do with
//! time is raised by its reader. The rule of a recurrence is in Outlook's fields ([`rule`]). An all-day event ends with the
//! day that it names; a task has dates only.

mod read;
mod rule;
mod write;

pub(in crate::content) use read::read;
pub(in crate::content) use write::write;

/// PRIORITY of the importances 0, 1 and 2 (RFC 5545 section 3.8.1.9).
const PRIORITIES: [&str; 3] = ["9", "5", "1"];

/// X-MICROSOFT-CDO-BUSYSTATUS of the busy statuses 0 to 3.
const BUSY: [&str; 4] = ["FREE", "TENTATIVE", "BUSY", "OOF"];
/// The property of that name.
const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

/// STATUS of the task statuses 0 to 2; 3 (waiting for somebody) and 4 (deferred) have no equal.
const STATUSES: [&str; 3] = ["NEEDS-ACTION", "IN-PROCESS", "COMPLETED"];
/// Where a status without equal is kept.
const OTHER_STATUS: &str = "X-FUNAMBOL-STATUS";

/// PARTSTAT of the statuses 1 to 4 of an attendee.
const PARTSTATS: [(&str, &str); 4] = [
    ("1", "ACCEPTED"),
    ("2", "DECLINED"),
    ("3", "TENTATIVE"),
    ("4", "NEEDS-ACTION"),
];
