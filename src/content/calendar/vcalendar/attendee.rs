//! ATTENDEE of vCalendar 1.0 (section 2.3.2) to and from ATTENDEE and ORGANIZER (RFC 5545 sections 3.8.4.1, 3.8.4.3).
//!
//! 1.0 writes `Name <address>` as the value and ROLE, STATUS, RSVP, EXPECT as parameters. What has no equal in the other form
//! rides along as X-ROLE, X-STATUS or X-EXPECT, so that the way back gives what came.

use crate::content::line::{self, Form};
use crate::content::{Param, Params, Property, Value};

/// EXPECT and the ROLE that says nearly the same.
const EXPECT: [(&str, &str); 3] = [
    ("REQUIRE", "REQ-PARTICIPANT"),
    ("REQUEST", "OPT-PARTICIPANT"),
    ("FYI", "NON-PARTICIPANT"),
];
/// STATUS and PARTSTAT, the first of equals being the one written.
const STATUS: [(&str, &str); 8] = [
    ("NEEDS ACTION", "NEEDS-ACTION"),
    ("ACCEPTED", "ACCEPTED"),
    ("DECLINED", "DECLINED"),
    ("TENTATIVE", "TENTATIVE"),
    ("DELEGATED", "DELEGATED"),
    ("COMPLETED", "COMPLETED"),
    ("SENT", "NEEDS-ACTION"),
    ("CONFIRMED", "ACCEPTED"),
];

/// Raises an ATTENDEE.
pub(super) fn raise(property: Property) -> Property {
    let Value::Text(text) = &property.value else {
        return property;
    };
    let text = line::unescape(text, Form::Legacy);
    let text = text.trim();
    let (name, address) = match text.split_once('<') {
        Some((name, rest)) => (
            name.trim().trim_matches('"'),
            rest.split('>').next().unwrap_or_default().trim(),
        ),
        None => ("", text),
    };
    let mut raised = Property::new("ATTENDEE", Value::default());
    for param in &property.params {
        let value = param
            .values
            .first()
            .map(|value| value.trim().to_ascii_uppercase().replace('-', " "))
            .unwrap_or_default();
        let mut set = |name: &str, value: &str| raised.add_param(name, [value.into()]);
        match param.name.as_str() {
            "ROLE" => match value.as_str() {
                "ORGANIZER" => raised.name = "ORGANIZER".into(),
                "OWNER" => set("ROLE", "CHAIR"),
                "ATTENDEE" | "" => {}
                other => set("X-ROLE", other),
            },
            "STATUS" => match STATUS.iter().position(|(legacy, _)| *legacy == value) {
                Some(at) => {
                    set("PARTSTAT", STATUS[at].1);
                    if at >= 6 {
                        set("X-STATUS", &value);
                    }
                }
                None => set("X-STATUS", &value),
            },
            "RSVP" => set(
                "RSVP",
                if matches!(value.as_str(), "YES" | "TRUE") {
                    "TRUE"
                } else {
                    "FALSE"
                },
            ),
            "EXPECT" => match EXPECT.iter().find(|(legacy, _)| *legacy == value) {
                Some((_, role))
                    if property
                        .first_param("ROLE")
                        .is_none_or(|role| role.eq_ignore_ascii_case("ATTENDEE")) =>
                {
                    set("ROLE", role)
                }
                _ => set("X-EXPECT", &value),
            },
            _ => raised.params.push(param.clone()),
        }
    }
    if !name.is_empty() {
        raised.add_param("CN", [name.into()]);
    }
    // Without an address there is only a name.
    if address.contains('@') && !address.contains(':') {
        raised.value = Value::Text(format!("mailto:{address}").into());
    } else {
        raised.value = Value::Text(address.into());
    }
    raised
}

/// Lowers an ATTENDEE or ORGANIZER: the parameters and the value.
pub(super) fn lower(property: &Property) -> (Params, String) {
    let mut params = Params::new();
    let mut set = |name: &str, value: &str| params.push(Param::one(name, value));
    let role = property
        .first_param("ROLE")
        .unwrap_or_default()
        .to_ascii_uppercase();
    if property.name == "ORGANIZER" {
        set("ROLE", "ORGANIZER");
    } else if role == "CHAIR" {
        set("ROLE", "OWNER");
    } else if let Some(kept) = property.first_param("X-ROLE") {
        set("ROLE", kept);
    }
    let partstat = property.first_param("PARTSTAT").unwrap_or_default();
    let kept = property.first_param("X-STATUS").map(str::to_owned);
    let status = STATUS
        .iter()
        .find(|(_, modern)| modern.eq_ignore_ascii_case(partstat))
        .map(|(legacy, _)| (*legacy).to_owned());
    if let Some(status) = kept.or(status) {
        set("STATUS", &status);
    }
    if let Some(rsvp) = property.first_param("RSVP") {
        set(
            "RSVP",
            if rsvp.eq_ignore_ascii_case("TRUE") {
                "YES"
            } else {
                "NO"
            },
        );
    }
    let expect = property.first_param("X-EXPECT").or_else(|| {
        EXPECT
            .iter()
            .find(|(_, modern)| *modern == role)
            .map(|(legacy, _)| *legacy)
    });
    if let Some(expect) = expect {
        set("EXPECT", expect);
    }
    let value = property.value.as_text().unwrap_or_default();
    let address = match value.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &value[7..],
        _ => value,
    };
    let text = match property.first_param("CN") {
        Some(name) if !name.is_empty() => format!("{name} <{address}>"),
        _ => address.to_owned(),
    };
    (params, text)
}
