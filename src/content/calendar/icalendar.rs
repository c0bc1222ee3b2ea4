//! iCalendar 2.0 (RFC 5545): values unescaped on reading and escaped on writing, all else as it came.
//!
//! Invariants: a property of another value type than TEXT, and every property that is not known, keeps its value byte for byte;
//! VTIMEZONE rules are kept; a TZID that an IANA zone explains gets a VTIMEZONE on writing if it has none, because readers
//! that follow RFC 5545 section 3.6.5 ask for one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Datelike;
use chrono_tz::Tz;

use super::moment::Moment;
use super::timezone::{Zones, iana, vtimezone};
use super::{is_item, stamp};
use crate::content::capabilities::{self, PropertyCapability};
use crate::content::line::{self, Form, Writer};
use crate::content::{
    Component, Floating, Param, Params, Property, ReadHint, Record, Target, Text, Value,
};

const PRODUCT: &str = "-//candybar//candybar//EN";
/// Longest way down; the line reader makes no deeper trees.
const DEPTH: usize = 16;
/// How many TZIDs of an item are looked at.
const TIMEZONES: usize = 32;

fn is_text(name: &str) -> bool {
    matches!(
        name,
        "SUMMARY"
            | "DESCRIPTION"
            | "LOCATION"
            | "COMMENT"
            | "CONTACT"
            | "UID"
            | "RELATED-TO"
            | "TZID"
            | "TZNAME"
            | "STATUS"
            | "CLASS"
            | "TRANSP"
            | "ACTION"
    )
}

fn is_list(name: &str) -> bool {
    matches!(name, "CATEGORIES" | "RESOURCES")
}

/// Raises a calendar; `root` is the tree of raw values that the line reader made.
pub(super) fn read(mut root: Component, hint: &ReadHint<'_>) -> Component {
    root.properties
        .retain(|property| !matches!(property.name.as_str(), "VERSION" | "PRODID"));
    raise(&mut root, hint, DEPTH);
    root
}

fn raise(component: &mut Component, hint: &ReadHint<'_>, depth: usize) {
    let timed = is_item(component) && hint.floating != Floating::Keep;
    for property in &mut component.properties {
        let Value::Text(text) = &mut property.value else {
            continue;
        };
        if is_text(&property.name) {
            if text.contains('\\') {
                *text = line::unescape(text, Form::Modern);
            }
        } else if is_list(&property.name) && !line::is_overlong(text) {
            property.value = Value::Parts(vec![line::split(text, b',', Form::Modern).into()]);
        } else if timed
            && matches!(
                property.name.as_str(),
                "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "EXDATE" | "RDATE"
            )
        {
            anchor(property, hint);
        }
    }
    if depth > 0 {
        for child in &mut component.children {
            raise(child, hint, depth - 1);
        }
    }
}

/// Gives floating times the meaning that the hint says.
fn anchor(property: &mut Property, hint: &ReadHint<'_>) {
    let Value::Text(text) = &mut property.value else {
        return;
    };
    let floats = |text: &str| matches!(Moment::parse(text), Some(Moment::Floating(_)));
    if property.params.iter().any(|param| param.name == "TZID") || !text.split(',').all(floats) {
        return;
    }
    if hint.floating == Floating::Utc || hint.time_zone == Tz::UTC {
        let utc: Vec<String> = text
            .split(',')
            .filter_map(Moment::parse)
            .map(|moment| Moment::Utc(moment.naive()).to_string())
            .collect();
        *text = utc.join(",").into();
    } else {
        property
            .params
            .push(Param::one("TZID", hint.time_zone.name()));
    }
}

/// Writes a record with the VTIMEZONEs that it uses.
pub(super) fn write(record: &Record, target: &Target<'_>, out: &mut Writer) {
    let root = &record.root;
    out.begin("VCALENDAR");
    out.raw(None, "VERSION", &[], "2.0");
    out.raw(None, "PRODID", &[], PRODUCT);
    for property in root
        .properties
        .iter()
        .filter(|property| property.name != "PRODID")
    {
        write_property(property, None, out);
    }
    for zone in root
        .children
        .iter()
        .filter(|child| child.name == "VTIMEZONE")
    {
        write_whole(zone, out, DEPTH);
    }
    for zone in missing(root) {
        write_whole(&zone, out, DEPTH);
    }
    for child in root
        .children
        .iter()
        .filter(|child| child.name != "VTIMEZONE")
    {
        if is_item(child) {
            write_item(child, target, out)
        } else {
            write_whole(child, out, DEPTH)
        }
    }
    out.end("VCALENDAR");
}

/// VTIMEZONEs for the TZIDs that are used, have none, and name an IANA zone.
fn missing(root: &Component) -> Vec<Component> {
    let zones = Zones::of(root);
    let (mut made, mut seen): (Vec<Component>, Vec<&str>) = Default::default();
    for item in root.children.iter().filter(|child| is_item(child)) {
        for property in &item.properties {
            let Some(tzid) = property.first_param("TZID") else {
                continue;
            };
            if seen.len() == TIMEZONES || seen.contains(&tzid) {
                continue;
            }
            seen.push(tzid);
            if zones.definition(tzid).is_some() {
                continue;
            }
            if let Some(tz) = iana(tzid) {
                let year = stamp::moment(property).map_or(2000, |moment| moment.date().year());
                made.push(vtimezone(tz, tzid, year));
            }
        }
    }
    made
}

fn write_item(item: &Component, target: &Target<'_>, out: &mut Writer) {
    out.begin(&item.name);
    // DTSTAMP is mandatory (section 3.6.1), and says nothing where no one gave it.
    if item.property("DTSTAMP").is_none() {
        let known = ["LAST-MODIFIED", "CREATED"]
            .iter()
            .find_map(|name| item.property(name).and_then(stamp::moment));
        let stamp = known.map_or("19700101T000000Z".to_owned(), |moment| {
            Moment::Utc(moment.naive()).to_string()
        });
        out.raw(None, "DTSTAMP", &[], &stamp);
    }
    for property in item.all("DTSTAMP") {
        write_property(property, None, out);
    }
    for (_, property, capability) in capabilities::visible(item, target.capabilities) {
        if property.name != "DTSTAMP" {
            write_property(property, capability, out);
        }
    }
    for child in &item.children {
        if child.name != "VALARM"
            || target
                .capabilities
                .is_none_or(|capabilities| capabilities.holds("VALARM"))
        {
            write_whole(child, out, DEPTH);
        }
    }
    out.end(&item.name);
}

fn write_whole(component: &Component, out: &mut Writer, depth: usize) {
    out.begin(&component.name);
    for property in &component.properties {
        write_property(property, None, out);
    }
    if depth > 0 {
        for child in &component.children {
            write_whole(child, out, depth - 1);
        }
    }
    out.end(&component.name);
}

fn write_property(property: &Property, capability: Option<&PropertyCapability>, out: &mut Writer) {
    let Property {
        group,
        name,
        params,
        value,
    } = property;
    match value {
        Value::Text(text) if is_text(name) => out.text(
            group.as_deref(),
            name,
            params,
            capabilities::cut(text, capability),
        ),
        Value::Text(text) => out.raw(group.as_deref(), name, params, text),
        Value::Parts(parts) if is_list(name) => {
            let items: Vec<Text> = parts.iter().flatten().cloned().collect();
            out.list(group.as_deref(), name, params, &items);
        }
        Value::Parts(parts) => out.parts(group.as_deref(), name, params, parts),
        Value::Binary(bytes) => {
            // RFC 5545 section 3.3.1 asks for both parameters.
            let mut params: Params = params
                .iter()
                .filter(|param| !matches!(param.name.as_str(), "VALUE" | "ENCODING"))
                .cloned()
                .collect();
            for (name, value) in [("ENCODING", "BASE64"), ("VALUE", "BINARY")] {
                params.push(Param::one(name, value));
            }
            out.raw(group.as_deref(), name, &params, &STANDARD.encode(bytes));
        }
    }
}
