//! Whether an item passes a filter.
//!
//! A property of the device's vocabulary is looked for under its modern name. Of a property that occurs often, or holds
//! several texts, one that compares is enough; `&NE;` and `&NCON;` are the negations of `&EQ;` and `&CON;`. Times compare as
//! times, numbers as numbers, all else as text. Of a recurring event the series is looked at, not its exceptions.

use std::cmp::Ordering;

use super::{Comparison, Expression, Field, Operator};
use crate::content::{
    Component, Kind, Property, Record, Time, Value, Window, compare_time, modern_name, within,
};

/// An item, and what is known of it beside its content.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The content.
    pub record: &'a Record,
    /// Octets of its stored body.
    pub octets: u64,
    /// The device's id of it, if it has it.
    pub luid: Option<&'a str>,
    /// The server's id of it.
    pub guid: &'a str,
    /// Where floating times are.
    pub time_zone: chrono_tz::Tz,
}

impl Expression {
    /// Whether an item passes. The depth of an expression is limited where it is read.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All(list) => list.iter().all(|one| one.matches(subject)),
            Self::Any(list) => list.iter().any(|one| one.matches(subject)),
            Self::Compare(comparison) => comparison.holds(subject),
            Self::Window { since, before } => {
                let window = Window {
                    since: *since,
                    before: *before,
                };
                match subject.record.kind {
                    Kind::Mail => came_within(subject, &window),
                    _ => within(subject.record, &window, subject.time_zone),
                }
            }
            Self::MaxSize(octets) => subject.octets <= *octets,
            Self::Kind(kind) => subject.record.kind == *kind,
        }
    }
}

impl Comparison {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let negated = matches!(self.operator, Operator::NotEqual | Operator::NotContains);
        negated != self.found(subject)
    }

    /// Whether something compares, negation left out.
    fn found(&self, subject: &Subject<'_>) -> bool {
        let (name, index) = match &self.field {
            Field::Luid => return self.text(subject.luid.unwrap_or_default()),
            Field::Guid => return self.text(subject.guid),
            Field::Property(name, index) => (modern_name(name), *index),
        };
        let mut properties = item(subject.record)
            .all(name)
            .skip(index.map_or(0, |index| usize::from(index) - 1))
            .take(index.map_or(usize::MAX, |_| 1));
        match &self.value {
            None => properties.all(|property| property.value.is_blank()),
            Some(_) => properties.any(|property| self.compares(subject, property)),
        }
    }

    /// A text by itself.
    fn text(&self, text: &str) -> bool {
        match &self.value {
            None => text.is_empty(),
            Some(value) => !text.is_empty() && self.accepts(text, value),
        }
    }

    fn compares(&self, subject: &Subject<'_>, property: &Property) -> bool {
        let value = self.value.as_deref().unwrap_or_default();
        let contains = matches!(self.operator, Operator::Contains | Operator::NotContains);
        if !contains
            && let Some(time) = Time::parse(value)
            && let Some(ordering) = compare_time(subject.record, property, time, subject.time_zone)
        {
            return self.orders(ordering);
        }
        if property.value.texts().any(|text| self.accepts(text, value)) {
            return true;
        }
        // A structured value also as a device writes it: `Last;First`.
        match &property.value {
            Value::Parts(parts) if parts.len() > 1 => {
                let written: Vec<String> = parts.iter().map(|part| part.join(",")).collect();
                let written = written.join(";");
                self.accepts(&written, value) || self.accepts(written.trim_end_matches(';'), value)
            }
            _ => false,
        }
    }

    fn accepts(&self, text: &str, value: &str) -> bool {
        let (text, value) = if self.fold {
            (text.to_lowercase(), value.to_lowercase())
        } else {
            (text.to_owned(), value.to_owned())
        };
        match self.operator {
            Operator::Contains | Operator::NotContains => text.contains(&value),
            _ => {
                let number = |text: &str| text.trim().parse::<i64>().ok();
                let ordering = match (number(&text), number(&value)) {
                    (Some(a), Some(b)) => a.cmp(&b),
                    _ => text.trim().cmp(value.trim()),
                };
                self.orders(ordering)
            }
        }
    }

    const fn orders(&self, ordering: Ordering) -> bool {
        match self.operator {
            Operator::Equal | Operator::NotEqual => ordering.is_eq(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Contains | Operator::NotContains => false,
        }
    }
}

/// Whether a mail was received within a window; one that does not say it passes.
fn came_within(subject: &Subject<'_>, window: &Window) -> bool {
    let Some(received) = subject.record.root.property("RECEIVED") else {
        return true;
    };
    let compared = |time| compare_time(subject.record, received, time, subject.time_zone);
    let since = window.since.and_then(compared);
    let before = window.before.and_then(compared);
    since.is_none_or(Ordering::is_ge) && before.is_none_or(Ordering::is_lt)
}

/// The component that has the item's properties.
fn item(record: &Record) -> &Component {
    let inner = |component: &&Component| matches!(component.name.as_str(), "VEVENT" | "VTODO");
    let items = || record.root.children.iter().filter(inner);
    items()
        .find(|item| item.property("RECURRENCE-ID").is_none())
        .or_else(|| items().next())
        .unwrap_or(&record.root)
}
