use super::*;

fn component(name: &str, lines: &[(&str, &str)]) -> Component {
    let mut component = Component::new(name);
    component.properties = lines
        .iter()
        .map(|(name, text)| Property::text(*name, *text))
        .collect();
    component
}

fn raised(name: &str, text: &str, anchor: Option<&str>) -> Option<String> {
    let anchor = anchor.map(|time| Anchor {
        time: Moment::parse(time).expect("a moment"),
        end: false,
    });
    let distance = |anchor: Moment, time: Moment| (time.naive() - anchor.naive()).num_seconds();
    let alarm = raise(&Property::text(name, text), anchor, distance, |time| {
        Moment::Utc(time.naive())
    })?;
    let line = |property: &Property| {
        format!(
            "{}:{}",
            property.name,
            property.value.as_text().unwrap_or_default()
        )
    };
    Some(
        alarm
            .properties
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[test]
fn every_form_of_an_alarm() {
    let start = Some("20260701T090000Z");
    for (name, text, anchor, expected) in [
        (
            "AALARM",
            "20260701T084500Z",
            start,
            Some("ACTION:AUDIO TRIGGER:-PT15M"),
        ),
        (
            "AALARM",
            "20260701T084500Z;;;",
            start,
            Some("ACTION:AUDIO TRIGGER:-PT15M"),
        ),
        (
            "AALARM",
            "20260701T093000Z;;0;",
            start,
            Some("ACTION:AUDIO TRIGGER:PT30M"),
        ),
        (
            "AALARM",
            "20260630T090000Z;PT10M;3;bell.wav",
            start,
            Some("ACTION:AUDIO TRIGGER:-P1D DURATION:PT10M REPEAT:3 ATTACH:bell.wav"),
        ),
        (
            "DALARM",
            "20260701T090000Z;;;a\\;b",
            start,
            Some("ACTION:DISPLAY TRIGGER:PT0S DESCRIPTION:a;b"),
        ),
        (
            "MALARM",
            "20260701T090000Z;;;a@example.com;Go",
            start,
            Some("ACTION:EMAIL TRIGGER:PT0S ATTENDEE:mailto:a@example.com DESCRIPTION:Go"),
        ),
        (
            "PALARM",
            "20260701T090000Z;;;ring.sis",
            start,
            Some("ACTION:PROCEDURE TRIGGER:PT0S ATTACH:ring.sis"),
        ),
        (
            "AALARM",
            "-PT5M;;;",
            start,
            Some("ACTION:AUDIO TRIGGER:-PT5M"),
        ),
        (
            "AALARM",
            "20260701T084500",
            None,
            Some("ACTION:AUDIO TRIGGER:20260701T084500Z"),
        ),
        (
            "AALARM",
            "20360701T084500Z",
            start,
            Some("ACTION:AUDIO TRIGGER:20360701T084500Z"),
        ),
        ("AALARM", ";;;", start, None),
        ("AALARM", "", start, None),
        ("AALARM", "99999999T000000", start, None),
    ] {
        assert_eq!(
            raised(name, text, anchor).as_deref(),
            expected,
            "{name}:{text}"
        );
    }
}

#[test]
fn an_alarm_rings_relative_to_start_or_end() {
    let root = Component::new("VCALENDAR");
    let zones = Zones::of(&root);
    let alarm = |trigger: &str, end: bool| {
        let mut alarm = component("VALARM", &[("ACTION", "DISPLAY"), ("TRIGGER", trigger)]);
        if end && let Some(trigger) = alarm.property_mut("TRIGGER") {
            trigger.add_param("RELATED", ["END".into()]);
        }
        alarm
    };
    let event = component(
        "VEVENT",
        &[("DTSTART", "20260701T090000Z"), ("DURATION", "PT1H")],
    );
    let task = component("VTODO", &[("DUE", "20260701")]);
    let nothing = component("VTODO", &[]);
    for (alarm, owner, expected) in [
        (alarm("-PT15M", false), &event, Some("20260701T084500Z")),
        (alarm("-PT15M", true), &event, Some("20260701T094500Z")),
        (alarm("-PT15M", false), &task, Some("20260630T234500")),
        (
            alarm("20260701T060000Z", false),
            &nothing,
            Some("20260701T060000Z"),
        ),
        (alarm("-PT15M", false), &nothing, None),
        (alarm("-P9999999W", false), &event, None),
        (alarm("soon", false), &event, None),
    ] {
        assert_eq!(
            ring(&alarm, owner, &zones)
                .map(|time| time.to_string())
                .as_deref(),
            expected,
            "{alarm:?}"
        );
    }
}

#[test]
fn an_alarm_goes_under_a_name_that_the_device_knows() {
    let root = Component::new("VCALENDAR");
    let zones = Zones::of(&root);
    let event = component("VEVENT", &[("DTSTART", "20260701T090000Z")]);
    let alarm = component(
        "VALARM",
        &[
            ("ACTION", "EMAIL"),
            ("TRIGGER", "PT0S"),
            ("ATTENDEE", "MAILTO:a@example.com"),
            ("DESCRIPTION", "a;b"),
        ],
    );
    for (held, expected) in [
        (
            vec!["MALARM", "AALARM"],
            Some(("MALARM", ";;;a@example.com;a\\;b")),
        ),
        (vec!["AALARM", "DALARM"], Some(("AALARM", ""))),
        (vec!["DALARM"], Some(("DALARM", ";;;a\\;b"))),
        (vec![], None),
    ] {
        let lowered = lower(&alarm, &event, &zones, |name| held.contains(&name));
        assert_eq!(
            lowered
                .as_ref()
                .map(|lowered| (lowered.name, lowered.rest.as_str())),
            expected,
            "{held:?}"
        );
    }
}
