//! Every example of every rule is played: written for the device, or read as it comes from it.

use super::super::file::{Example, Rule};
use super::super::traits::Times;
use crate::content::email::{Mail, Shape};
use crate::content::{self, Format, Kind, ReadHint, Target};
use crate::device::profile::Catalogue;

/// 2026-01-15.
const NOW: i64 = 1_768_435_200;

fn body(frame: &str, modern: bool, lines: &str) -> String {
    let lines = lines.trim().replace('\n', "\r\n");
    let (card, calendar) = if modern {
        ("3.0", "2.0")
    } else {
        ("2.1", "1.0")
    };
    match frame {
        "VCARD" => {
            let name = lines
                .lines()
                .any(|line| line.starts_with("N:") || line.starts_with("N;"));
            let name = if name { "" } else { "N:Doe;John;;;\r\n" };
            let shown = if modern { "FN:John Doe\r\n" } else { "" };
            format!("BEGIN:VCARD\r\nVERSION:{card}\r\n{name}{shown}{lines}\r\nEND:VCARD\r\n")
        }
        _ => format!(
            "BEGIN:VCALENDAR\r\nVERSION:{calendar}\r\nBEGIN:{frame}\r\n{lines}\r\nEND:{frame}\r\nEND:VCALENDAR\r\n"
        ),
    }
}

/// The lines of what comes out.
fn play(rule: &Rule, example: &Example) -> Vec<String> {
    let frame = example.frame.as_deref().unwrap_or("VEVENT");
    let time_zone = example
        .time_zone
        .as_deref()
        .map_or(chrono_tz::Tz::UTC, |zone| zone.parse().expect("a zone"));
    let now = example.now.as_deref().map_or(NOW, |now| {
        chrono::NaiveDateTime::parse_from_str(now, "%Y%m%dT%H%M%SZ")
            .expect("a time")
            .and_utc()
            .timestamp()
    });
    let contact = frame == "VCARD";
    let kind = match frame {
        "VCARD" => Kind::Contact,
        "VTODO" => Kind::Task,
        _ => Kind::Event,
    };
    let modern = if contact {
        Format::VCard30
    } else {
        Format::ICalendar20
    };
    let legacy = if contact {
        Format::VCard21
    } else {
        Format::VCalendar10
    };
    if frame == "EMAIL" {
        return mail(rule, example);
    }
    let out = match (&example.write, &example.read) {
        (Some(lines), None) => {
            let hint = ReadHint {
                kind: Some(kind),
                ..ReadHint::default()
            };
            let item = content::read(body(frame, true, lines).as_bytes(), &hint).expect("an item");
            content::write(
                &item.record,
                &Target {
                    utc: rule.session.times != Some(Times::Local),
                    time_zone,
                    dialect: Some(&rule.content),
                    now,
                    ..Target::new(legacy)
                },
            )
        }
        (None, Some(lines)) => {
            let hint = ReadHint {
                kind: Some(kind),
                time_zone,
                dialect: Some(&rule.content),
                now,
                ..ReadHint::default()
            };
            let item = content::read(body(frame, false, lines).as_bytes(), &hint).expect("an item");
            content::write(&item.record, &Target::new(modern))
        }
        _ => panic!("an example either writes or reads"),
    };
    let text = String::from_utf8(out).expect("text");
    let text = if example.read.is_some() {
        text.replace("\r\n ", "")
    } else {
        text
    };
    text.split("\r\n").map(str::to_owned).collect()
}

/// The elements of the object that is written of a message, one a line; ten octets of its text.
fn mail(rule: &Rule, example: &Example) -> Vec<String> {
    let message = example.write.as_deref().expect("a message");
    let mail = Mail::received(message.replace('\n', "\r\n").into_bytes(), NOW);
    let target = Target {
        dialect: Some(&rule.content),
        mail: Shape {
            body_octets: 10,
            ..Shape::default()
        },
        ..Target::new(Format::Email)
    };
    let object = content::write(&mail.into_record(), &target);
    let object = String::from_utf8(object).expect("text");
    let lines = object.replace("><", ">\r\n<");
    lines.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn every_example_of_every_rule_holds() {
    let catalogue = Catalogue::embedded();
    let mut played = 0;
    let mut wrong = Vec::new();
    for profile in catalogue.profiles() {
        for rule in &profile.rules {
            let place = format!("{}, rule {}", profile.name, rule.name);
            assert!(
                rule.content.is_empty() || !rule.example.is_empty(),
                "{place}: effects on items need an example"
            );
            for example in &rule.example {
                let lines = play(rule, example);
                let shown = lines.join("\n");
                assert!(
                    !example.has.is_empty() || !example.lacks.is_empty(),
                    "{place}"
                );
                for wanted in &example.has {
                    if !lines.contains(wanted) {
                        wrong.push(format!("{place}: no line {wanted:?} in\n{shown}"));
                    }
                }
                for unwanted in &example.lacks {
                    if lines.iter().any(|line| line.starts_with(unwanted)) {
                        wrong.push(format!("{place}: a line {unwanted:?} in\n{shown}"));
                    }
                }
                played += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(played > 20, "{played} examples");
}
