//! What phones make of items.

use super::*;
use crate::handset::model::Model;
use chrono_tz::Europe::Stockholm;

/// 2023-11-14, winter.
const WINTER: i64 = 1_700_000_000;
/// 2023-07-20, summer.
const SUMMER: i64 = 1_689_850_000;

struct Phone {
    storage: Storage,
    devinf: DeviceInfo,
}

fn phone(name: &str) -> Phone {
    let model = Model::named(name).expect("a model");
    let settings = model.settings("", "", "");
    Phone {
        storage: Storage {
            time_zone: Stockholm,
            ..settings.storage
        },
        devinf: settings.devinf,
    }
}

impl Phone {
    fn take(&self, store: &str, body: &str, previous: Option<&[u8]>, now: i64) -> Taken {
        self.storage
            .take(store, &self.devinf, body.as_bytes(), previous, now)
    }

    fn kept(&self, store: &str, body: &str) -> (String, Vec<String>) {
        match self.take(store, body, None, WINTER) {
            Taken::Kept { body, mishaps } => (String::from_utf8_lossy(&body).into_owned(), mishaps),
            other => panic!("{other:?}"),
        }
    }
}

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\n{lines}END:VCARD\r\n")
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[test]
fn fields_are_cut_counted_and_lost_as_the_phone_has_them() {
    let k800i = phone("sony-ericsson-k800i");
    let long = "x".repeat(80);
    let emails = "EMAIL;INTERNET:a@b\r\n".repeat(4);
    let (kept, mishaps) = k800i.kept(
        "contacts",
        &card(&format!(
            "N:Lovelace;Ada\r\nNOTE:{long}\r\n{emails}NICKNAME:x\r\nTEL;CELL;VOICE:1\r\n"
        )),
    );
    assert!(mishaps.is_empty(), "{mishaps:?}");
    assert!(
        kept.contains(&format!("NOTE:{}\r\n", "x".repeat(50))),
        "{kept}"
    );
    assert_eq!(kept.matches("EMAIL").count(), 3, "{kept}");
    assert!(
        !kept.contains("NICKNAME") && kept.contains("TEL;CELL:1\r\n"),
        "{kept}"
    );
}

#[test]
fn one_number_of_a_kind() {
    let s40 = phone("nokia-s40");
    let numbers = "TEL;CELL:1\r\nTEL;CELL;VOICE:2\r\nTEL;HOME;FAX:3\r\nTEL:4\r\nTEL;VOICE:5\r\nTEL;WORK:6\r\n";
    let (kept, _) = s40.kept("contacts", &card(&format!("N:a;b\r\n{numbers}")));
    let expected = "TEL;CELL:1\r\nTEL;HOME:3\r\nTEL:4\r\nTEL;WORK:6\r\n";
    assert!(kept.contains(expected), "{kept}");
    assert!(
        !kept.contains(":2\r\n") && !kept.contains(":5\r\n"),
        "{kept}"
    );
}

#[test]
fn what_a_phone_does_not_understand_is_a_mishap() {
    for (model, store, body, mishap) in [
        (
            "nokia-s40",
            "contacts",
            card("N:a;b;;;\r\n"),
            "N with empty parts",
        ),
        (
            "nokia-s40",
            "calendar",
            event("AALARM:20070601T084500;;;\r\n"),
            "AALARM in this form",
        ),
        (
            "nokia-s40",
            "calendar",
            event("DTSTART:20070601T084500Z\r\n"),
            "UTC time",
        ),
        (
            "nokia-s60",
            "contacts",
            card("N:a\r\nEMAIL:a@b\r\n"),
            "EMAIL without INTERNET",
        ),
        (
            "nokia-s60",
            "contacts",
            card("N:a\r\nPHOTO;JPEG;ENCODING=BASE64:\r\n AAAA\r\n\r\n"),
            "PHOTO",
        ),
        (
            "nokia-s60",
            "calendar",
            event("AALARM:20070601T084500\r\n"),
            "AALARM",
        ),
        (
            "nokia-s60",
            "calendar",
            event("DTSTART:19070601T084500Z\r\n"),
            "before 1980",
        ),
        (
            "nokia-7610",
            "contacts",
            card("N:a\r\nTEL;PREF:1\r\n"),
            "TEL with PREF",
        ),
        (
            "sony-ericsson-t610",
            "contacts",
            card("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=96\r\n"),
            "character set",
        ),
        (
            "motorola-v3",
            "contacts",
            card("N;ENCODING=QUOTED-PRINTABLE:a=\r\nb\r\n"),
            "line is broken",
        ),
        (
            "motorola-v3",
            "contacts",
            card("N:a\r\nADR;HOME:;;Street;;;;\r\n"),
            "street",
        ),
        (
            "motorola-v3",
            "calendar",
            event("RRULE:W1 MO 20071201T000000\r\n"),
            "RRULE",
        ),
        (
            "siemens-s55",
            "calendar",
            event("AALARM:20070601T084500\r\n"),
            "AALARM",
        ),
    ] {
        let (kept, mishaps) = phone(model).kept(store, &body);
        assert!(
            mishaps.len() == 1 && mishaps[0].contains(mishap),
            "{model}: {mishaps:?} {kept}"
        );
    }
}

#[test]
fn what_a_phone_understands_is_none() {
    for (model, store, body) in [
        (
            "nokia-s40",
            "contacts",
            card("N:a;b\r\nADR:;;Street;;;;\r\n"),
        ),
        (
            "nokia-s40",
            "calendar",
            event("DTSTART:20070601T084500\r\nAALARM:20070601T084500\r\n"),
        ),
        (
            "nokia-s60",
            "contacts",
            card("N:a;b;;;\r\nEMAIL;INTERNET:a@b\r\nPHOTO;ENCODING=BASE64:\r\n AAAA\r\n\r\n"),
        ),
        (
            "nokia-s60",
            "calendar",
            event("DTSTART:20070601T084500Z\r\nAALARM:20070601T084500Z\r\n"),
        ),
        (
            "sony-ericsson-t610",
            "contacts",
            card("N;ENCODING=QUOTED-PRINTABLE:=D6\r\n"),
        ),
        (
            "motorola-v3",
            "contacts",
            card("N;ENCODING=QUOTED-PRINTABLE:=D6\r\nADR;HOME:;Street;;;;;\r\n"),
        ),
        ("motorola-v3", "calendar", event("RRULE:W1 MO #0\r\n")),
        (
            "siemens-s55",
            "calendar",
            event("DALARM:20070601T084500\r\n"),
        ),
    ] {
        let (kept, mishaps) = phone(model).kept(store, &body);
        assert!(mishaps.is_empty(), "{model}: {mishaps:?} {kept}");
        let before = body.lines().count();
        let added = usize::from(kept.contains("X-EPOCAGENDAENTRYTYPE"));
        assert_eq!(kept.lines().count(), before + added, "{model}: {kept}");
    }
}

#[test]
fn some_items_break_a_phone_and_some_are_refused() {
    let take = |model, store, body: &str| phone(model).take(store, body, None, WINTER);
    let broken = |taken| matches!(taken, Taken::Broken(_));
    assert!(broken(take(
        "motorola-v3",
        "contacts",
        &card("N:a\r\nEMAIL;INTERNET:\r\n")
    )));
    assert!(broken(take(
        "siemens-sx1",
        "contacts",
        &card("N:a\r\nADR:;;;;;;\r\n")
    )));
    let task = event("CATEGORIES:X\r\n").replace("VEVENT", "VTODO");
    assert!(broken(take("sony-ericsson-k610i", "tasks", &task)));
    assert!(!broken(take("sony-ericsson-k800i", "tasks", &task)));
    assert!(matches!(
        take("motorola-w510", "contacts", &card("N:a\r\n")),
        Taken::Refused(_)
    ));
}

#[test]
fn an_absent_field_stays_and_a_dash_does_not_hide() {
    let k800i = phone("sony-ericsson-k800i");
    let before = card("N:a\r\nNOTE:old\r\nTITLE:t\r\n");
    let now = card("N:a\r\nNOTE:\r\nTITLE:-\r\n");
    let Taken::Kept { body, .. } = k800i.take("contacts", &now, Some(before.as_bytes()), WINTER)
    else {
        panic!("kept");
    };
    let kept = String::from_utf8(body).expect("text");
    assert!(
        kept.contains("NOTE:old\r\n") && kept.contains("TITLE:-\r\n"),
        "{kept}"
    );
    assert!(!kept.contains("TITLE:t"), "{kept}");
}

#[test]
fn the_offset_of_now_moves_times_of_the_other_season() {
    let k800i = phone("sony-ericsson-k800i");
    let body = event("DTSTART:20240701T080000Z\r\nSUMMARY:x\r\n");
    let Taken::Kept { body: kept, .. } = k800i.take("calendar", &body, None, WINTER) else {
        panic!("kept");
    };
    // Ten o'clock in summer is shown as nine.
    assert_eq!(
        k800i.storage.shown("calendar", &kept, "DTSTART"),
        ["20240701T090000"]
    );
    let given = |now| {
        let given = k800i.storage.give("calendar", "7", &kept, now);
        k800i.storage.shown("calendar", &given, "DTSTART").remove(0)
    };
    assert_eq!(
        given(WINTER),
        "20240701T080000Z",
        "in the same season it comes back as it went"
    );
    assert_eq!(given(SUMMER), "20240701T070000Z");
}

#[test]
fn the_user_types_within_the_fields() {
    let t610 = phone("sony-ericsson-t610");
    let typed = card("N:Ångström;Anders\r\nTEL;CELL:1\r\nTEL;CELL:2\r\nNOTE:x\r\n");
    let entered = t610
        .storage
        .enter("contacts", &t610.devinf, typed.as_bytes());
    let text = String::from_utf8(entered).expect("quoted-printable");
    assert!(
        text.contains("N;ENCODING=QUOTED-PRINTABLE:=C5ngstr=F6m;Anders\r\n"),
        "{text}"
    );
    assert!(
        text.contains("TEL;CELL:1\r\n") && !text.contains(":2\r\n") && !text.contains("NOTE"),
        "{text}"
    );
}

#[test]
fn categories_of_the_users_own_are_marked_when_they_are_sent() {
    let s60 = phone("nokia-e7");
    let given = s60.storage.give(
        "calendar",
        "7",
        event("CATEGORIES:Work;X-Home\r\n").as_bytes(),
        WINTER,
    );
    assert_eq!(
        s60.storage.shown("calendar", &given, "CATEGORIES"),
        ["X-Work;X-Home"]
    );
}

#[test]
fn a_phone_may_put_its_own_id_into_what_it_sends() {
    let p900 = phone("sony-ericsson-p900");
    let given = p900.storage.give(
        "calendar",
        "667",
        event("UID:of-the-server\r\n").as_bytes(),
        WINTER,
    );
    assert_eq!(p900.storage.shown("calendar", &given, "UID"), ["667"]);
    assert_eq!(
        p900.storage.label("calendar", "text/x-vcalendar"),
        "text/calendar"
    );
    assert_eq!(
        p900.storage.label("contacts", "text/x-vcard"),
        "text/x-vcard"
    );
}

#[test]
fn the_standard_offset_is_wrong_in_summer_and_the_mark_tells_the_season() {
    let x70 = phone("panasonic-x70");
    let body = event("DTSTART:20240701T080000Z\r\nSUMMARY:x\r\n");
    for now in [WINTER, SUMMER] {
        let Taken::Kept { body: kept, .. } = x70.take("calendar", &body, None, now) else {
            panic!("kept");
        };
        assert_eq!(
            x70.storage.shown("calendar", &kept, "DTSTART"),
            ["20240701T090000"]
        );
    }
    let k800i = phone("sony-ericsson-k800i");
    let mark = |now| {
        let given = k800i
            .storage
            .give("calendar", "1", event("SUMMARY:x\r\n").as_bytes(), now);
        k800i
            .storage
            .shown("calendar", &given, "X-SONYERICSSON-DST")
            .remove(0)
    };
    assert_eq!(
        (mark(SUMMER), mark(WINTER)),
        ("4".to_owned(), "0".to_owned())
    );
}

#[test]
fn an_alarm_in_utc_is_kept_by_a_phone_that_converts_it() {
    let k800i = phone("sony-ericsson-k800i");
    let body = event("DTSTART:20240115T100000Z\r\nDALARM:20240115T094500Z;;;x\r\n");
    let (kept, mishaps) = k800i.kept("calendar", &body);
    assert!(mishaps.is_empty(), "{mishaps:?}");
    assert!(kept.contains("DALARM:20240115T104500;;;x\r\n"), "{kept}");
}
