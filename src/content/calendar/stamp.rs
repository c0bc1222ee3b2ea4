//! Date and date-time properties: the moment, the zone beside it, and the instant of both (RFC 5545 sections 3.2.19, 3.8.2).
//!
//! Invariant: a TZID that means nothing makes a time floating, it never makes it UTC.

use std::rc::Rc;

use super::moment::{Moment, Span};
use super::timezone::{Zone, Zones};
use crate::content::{Component, Param, Params, Property, Value};

/// The moment of a property as it stands there.
pub(super) fn moment(property: &Property) -> Option<Moment> {
    property.value.as_text().and_then(Moment::parse)
}

/// The zone that a property's TZID means.
pub(super) fn zone(property: &Property, zones: &Zones<'_>) -> Option<Rc<Zone>> {
    property
        .first_param("TZID")
        .and_then(|tzid| zones.zone(tzid))
}

/// A moment on the clock of a zone as UTC; a date, a UTC time, and a time without zone as they are.
pub(super) fn resolved(moment: Moment, zone: Option<&Zone>) -> Moment {
    match (moment, zone) {
        (Moment::Floating(time), Some(zone)) => Moment::Utc(zone.to_utc(time)),
        (moment, _) => moment,
    }
}

/// The moment of a property, in UTC where its zone is known.
pub(super) fn instant(property: &Property, zones: &Zones<'_>) -> Option<Moment> {
    Some(resolved(
        moment(property)?,
        zone(property, zones).as_deref(),
    ))
}

/// The moments of a list property (EXDATE, RDATE), in UTC where the zone is known; of a period its start.
pub(super) fn instants(property: &Property, zones: &Zones<'_>) -> Vec<Moment> {
    let zone = zone(property, zones);
    let dates = property.value.as_text().unwrap_or_default().split(',');
    let moments =
        dates.filter_map(|date| Moment::parse(date.split('/').next().unwrap_or_default()));
    moments
        .map(|moment| resolved(moment, zone.as_deref()))
        .collect()
}

/// A property that holds a moment, with VALUE=DATE or TZID where they belong.
pub(super) fn property(name: &str, moment: Moment, tzid: Option<&str>) -> Property {
    let mut property = Property::new(name, Value::Text(moment.to_string().into()));
    property.params = params(moment, tzid);
    property
}

/// The parameters that a moment needs beside it.
pub(super) fn params(moment: Moment, tzid: Option<&str>) -> Params {
    let one = |name: &str, value: &str| Params::from(vec![Param::one(name, value)]);
    match (moment, tzid) {
        (Moment::Date(_), _) => one("VALUE", "DATE"),
        (Moment::Floating(_), Some(tzid)) => one("TZID", tzid),
        _ => Params::new(),
    }
}

/// When an event or task ends or is due: DTEND, DUE, or DTSTART with DURATION; in UTC where the zone is known.
pub(super) fn end(component: &Component, zones: &Zones<'_>) -> Option<Moment> {
    let end = component
        .property("DTEND")
        .or_else(|| component.property("DUE"));
    if let Some(end) = end.and_then(|end| instant(end, zones)) {
        return Some(end);
    }
    let start = component.property("DTSTART")?;
    let span = Span::parse(component.text("DURATION")?)?;
    let zone = zone(start, zones);
    // Days move on the wall clock, seconds on the instant.
    Some(match moment(start)? {
        Moment::Date(date) => Moment::Date(span.after(Moment::Date(date).naive())?.date()),
        Moment::Utc(time) => Moment::Utc(span.after(time)?),
        Moment::Floating(time) => {
            let days = Span {
                days: span.days,
                seconds: 0,
            }
            .after(time)?;
            let rest = Span {
                days: 0,
                seconds: span.seconds,
            };
            match resolved(Moment::Floating(days), zone.as_deref()) {
                Moment::Utc(time) => Moment::Utc(rest.after(time)?),
                other => Moment::Floating(rest.after(other.naive())?),
            }
        }
    })
}
