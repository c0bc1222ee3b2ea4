//! The rule of a recurrence in Outlook's fields: RecurrenceType, Interval, DayOfWeekMask, DayOfMonth, MonthOfYear, Instance.
//!
//! Types (Funambol RecurrencePattern): 0 daily, 1 weekly, 2 monthly on a day, 3 monthly on the nth weekday, 5 yearly on a date, 6 yearly
//! on the nth weekday of a month. The mask has Sunday as 1 and Saturday as 64; an instance of 5 is the last one.

use chrono::{Datelike, Weekday};

use crate::content::calendar::moment::Moment;
use crate::content::calendar::recurrence::{End, Frequency, Rule};

/// Days of the mask, the lowest bit first.
const DAYS: [Weekday; 7] = [
    Weekday::Sun,
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
];

/// The fields of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fields {
    pub(super) kind: u8,
    pub(super) interval: u32,
    pub(super) days: u8,
    pub(super) day: u8,
    pub(super) month: u8,
    pub(super) instance: u8,
}

impl Fields {
    /// The rule; `None` where the fields say none.
    pub(super) fn rule(&self, end: End) -> Option<Rule> {
        let frequency = match self.kind {
            0 if self.days & 0x7F != 0 && self.days & 0x7F != 0x7F => Frequency::Weekly,
            0 => Frequency::Daily,
            1 => Frequency::Weekly,
            2 | 3 => Frequency::Monthly,
            5 | 6 => Frequency::Yearly,
            _ => return None,
        };
        let mut rule = Rule::new(frequency, self.interval.clamp(1, 9_999), end);
        if matches!(self.kind, 5 | 6) && (1..=12).contains(&self.month) {
            rule.by_month = vec![self.month.into()];
        }
        match self.kind {
            2 | 5 if (1..=31).contains(&self.day) => rule.by_month_day = vec![self.day.into()],
            3 | 6 => {
                let instance = match self.instance {
                    1..=4 => i8::try_from(self.instance).ok()?,
                    5 => -1,
                    _ => return None,
                };
                let days: Vec<Weekday> = self.weekdays().collect();
                match days.as_slice() {
                    [] => return None,
                    [day] => rule.by_day = vec![(instance, *day)],
                    days => {
                        rule.by_day = days.iter().map(|day| (0, *day)).collect();
                        rule.by_set_pos = vec![instance.into()];
                    }
                }
            }
            0 | 1 if frequency == Frequency::Weekly => {
                rule.by_day = self.weekdays().map(|day| (0, day)).collect();
            }
            _ => {}
        }
        Some(rule)
    }

    fn weekdays(&self) -> impl Iterator<Item = Weekday> {
        // Monday first, as rules are written.
        let days = DAYS.iter().enumerate().cycle().skip(1).take(7);
        days.filter(|(bit, _)| self.days & (1 << bit) != 0)
            .map(|(_, day)| *day)
    }

    /// The fields of a rule; `None` if they cannot say it. `start` is local.
    pub(super) fn of(rule: &Rule, start: Moment) -> Option<Self> {
        let date = start.date();
        let unused = [
            &rule.by_year_day,
            &rule.by_week_no,
            &rule.by_hour,
            &rule.by_minute,
            &rule.by_second,
        ];
        if unused.iter().any(|list| !list.is_empty()) {
            return None;
        }
        let own_day = u8::try_from(date.day()).ok()?;
        let own_month = u8::try_from(date.month()).ok()?;
        let mut fields = Self {
            interval: rule.interval,
            ..Self::default()
        };
        let month = match rule.by_month.as_slice() {
            [] => own_month,
            [month] if rule.frequency == Frequency::Yearly => u8::try_from(*month).ok()?,
            _ => return None,
        };
        match rule.frequency {
            Frequency::WithinDay(_) => return None,
            Frequency::Daily => {
                let bare = rule.by_day.is_empty()
                    && rule.by_month_day.is_empty()
                    && rule.by_set_pos.is_empty();
                return bare.then_some(fields);
            }
            Frequency::Weekly => {
                if !rule.by_month_day.is_empty() || !rule.by_set_pos.is_empty() {
                    return None;
                }
                fields.kind = 1;
                fields.days = match rule.by_day.as_slice() {
                    [] => mask([date.weekday()]),
                    days if days.iter().all(|(ordinal, _)| *ordinal == 0) => {
                        mask(days.iter().map(|(_, day)| *day))
                    }
                    _ => return None,
                };
                return Some(fields);
            }
            Frequency::Monthly => fields.kind = 2,
            Frequency::Yearly => {
                fields.kind = 5;
                fields.month = month;
            }
        }
        let position = |position: i64| match position {
            -1 => Some(5),
            1..=4 => u8::try_from(position).ok(),
            _ => None,
        };
        match (
            rule.by_month_day.as_slice(),
            rule.by_day.as_slice(),
            rule.by_set_pos.as_slice(),
        ) {
            ([], [], []) => fields.day = own_day,
            ([day @ 1..=31], [], []) => fields.day = u8::try_from(*day).ok()?,
            ([], [(ordinal, day)], []) if *ordinal != 0 => {
                // The nth weekday of a year is none of a month.
                if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
                    return None;
                }
                fields.kind += 1;
                fields.instance = position((*ordinal).into())?;
                fields.days = mask([*day]);
            }
            ([], days, [at]) if !days.is_empty() && days.iter().all(|(of, _)| *of == 0) => {
                if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
                    return None;
                }
                fields.kind += 1;
                fields.instance = position((*at).into())?;
                fields.days = mask(days.iter().map(|(_, day)| *day));
            }
            _ => return None,
        }
        Some(fields)
    }
}

fn mask(days: impl IntoIterator<Item = Weekday>) -> u8 {
    days.into_iter()
        .filter_map(|day| DAYS.iter().position(|of| *of == day))
        .fold(0, |mask, bit| mask | 1 << bit)
}
