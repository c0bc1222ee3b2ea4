//! `import` and `export`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::program::{Place, text};

const CARDS: &str = "\
BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nN:Müller;Uwe;;;\r\nFN:Uwe Müller\r\nTEL;TYPE=CELL:+491701234567\r\n\
X-SHOE-SIZE:44\r\nEND:VCARD\r\n\
BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=85berg;Eva\r\nEMAIL;INTERNET:eva@example.org\r\nEND:VCARD\r\n\
BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zoë\r\nEND:VCARD\r\n";

const CALENDAR: &str = "\
BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n\
BEGIN:VTIMEZONE\r\nTZID:Home\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
BEGIN:VEVENT\r\nUID:e1\r\nDTSTART;TZID=Home:20260301T100000\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:Stand-up\r\nEND:VEVENT\r\n\
BEGIN:VTODO\r\nUID:t1\r\nSUMMARY:Buy milk\r\nEND:VTODO\r\n\
BEGIN:VEVENT\r\nUID:e1\r\nRECURRENCE-ID;TZID=Home:20260302T100000\r\nDTSTART;TZID=Home:20260302T110000\r\nSUMMARY:Later\r\nEND:VEVENT\r\n\
END:VCALENDAR\r\n";

fn with_account() -> Place {
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "x"])
        .ends(0);
    place
}

fn export(place: &Place, name: &str, datastore: &str) -> Value {
    place
        .run(&["export", name, datastore, "--format", "json"])
        .ends(0)
        .json()
}

/// The items without what differs between accounts.
fn bodies(items: &Value) -> Vec<String> {
    let items = items.as_array().expect("an array");
    let mut bodies: Vec<_> = items.iter().map(|item| item["body"].to_string()).collect();
    bodies.sort();
    bodies
}

#[test]
fn contacts_of_every_form_come_in_and_out() {
    let place = with_account();
    let file = place.write("cards.vcf", CARDS);
    let done = place
        .run(&["import", "alice", "contacts", text(&file)])
        .ends(0);
    assert_eq!(done.out.trim(), "3 added to contacts");
    let out = place.run(&["export", "alice", "contacts"]).ends(0).out;
    assert!(out.contains("X-SHOE-SIZE:44"), "{out}");
    assert!(out.contains("N:Åberg;Eva"), "{out}");
    assert_eq!(out.matches("BEGIN:VCARD").count(), 3);
    let items = export(&place, "alice", "contacts");
    let titles: Vec<_> = items
        .as_array()
        .expect("an array")
        .iter()
        .map(|item| &item["title"])
        .collect();
    assert_eq!(titles, ["Uwe Müller", "Eva Åberg", "Zoë"]);
    assert_eq!(items[1]["content_type"], "text/x-vcard");
    let eva = CARDS.split("END:VCARD\r\n").nth(1).expect("a second card");
    assert_eq!(
        items[1]["body"],
        format!("{eva}END:VCARD\r\n"),
        "kept octet for octet"
    );
    // What was exported can be imported, and is the same.
    place
        .run(&["account", "add", "bob", "--password", "x"])
        .ends(0);
    place.write("again.vcf", &out);
    place
        .run(&["import", "bob", "contacts", "again.vcf"])
        .ends(0);
    assert_eq!(place.run(&["export", "bob", "contacts"]).ends(0).out, out);
    let text = place
        .run(&["export", "alice", "contacts", "--format", "text"])
        .ends(0)
        .out;
    assert!(text.contains("Uwe"), "{text}");
}

#[test]
fn a_broken_item_is_named_and_the_rest_goes_on() {
    let place = with_account();
    let file = format!("BEGIN:VEVENT\r\nSUMMARY:no card\r\nEND:VEVENT\r\n{CARDS}");
    place.write("mixed.vcf", file);
    let done = place
        .run(&["import", "alice", "contacts", "mixed.vcf"])
        .ends(4);
    assert_eq!(done.out.trim(), "3 added to contacts, 1 left out");
    done.says("left out item 1 (line 1): ");
    place.write(
        "later.vcf",
        format!("{CARDS}BEGIN:VEVENT\r\nEND:VEVENT\r\n"),
    );
    let done = place
        .run(&["import", "alice", "contacts", "later.vcf", "--json"])
        .ends(4);
    let told = done.json();
    assert_eq!(told["doubles"], 3);
    assert_eq!(told["left_out"][0]["item"], 4);
    assert_eq!(told["left_out"][0]["line"], 18);
    // Nothing of use at all is a failure.
    place.write("calendar.ics", CALENDAR);
    place
        .run(&["import", "alice", "contacts", "calendar.ics"])
        .ends(1)
        .says("left out item 1 (line 12): it is an event, which contacts does not hold");
    place.write("empty.vcf", "");
    place
        .run(&["import", "alice", "contacts", "empty.vcf"])
        .ends(1)
        .says("has no items");
}

#[test]
fn equal_items_are_skipped_and_the_same_uid_replaces() {
    let place = with_account();
    place.write("cards.vcf", CARDS);
    place
        .run(&["import", "alice", "contacts", "cards.vcf"])
        .ends(0);
    let before = bodies(&export(&place, "alice", "contacts"));
    let again = place
        .run(&["import", "alice", "contacts", "cards.vcf"])
        .ends(0);
    assert_eq!(again.out.trim(), "nothing added, 3 there already");
    assert_eq!(bodies(&export(&place, "alice", "contacts")), before);

    place.write("moved.vcf", CARDS.replace("+491701234567", "+4930555"));
    let moved = place
        .run(&["import", "alice", "contacts", "moved.vcf", "--json"])
        .ends(0)
        .json();
    assert_eq!(moved["replaced"], 1);
    assert_eq!(moved["doubles"], 2);
    let items = export(&place, "alice", "contacts");
    assert_eq!(items.as_array().map(Vec::len), Some(3));
    assert_eq!(
        bodies(&items)
            .iter()
            .filter(|body| body.contains("+4930555"))
            .count(),
        1
    );

    let kept = place
        .run(&["import", "alice", "contacts", "moved.vcf", "--keep-doubles"])
        .ends(0);
    assert_eq!(kept.out.trim(), "3 added to contacts");
    // Doubles within one file, and two versions of one item: the later one holds.
    place
        .run(&["account", "add", "bob", "--password", "x"])
        .ends(0);
    place.write(
        "twice.vcf",
        format!("{CARDS}{}", CARDS.replace("+491701234567", "+4930555")),
    );
    let twice = place
        .run(&["import", "bob", "contacts", "twice.vcf", "--json"])
        .ends(0)
        .json();
    assert_eq!(twice["added"]["contacts"], 3);
    assert_eq!(twice["replaced"], 1);
    assert_eq!(twice["doubles"], 2);
    let items = export(&place, "bob", "contacts");
    assert_eq!(
        bodies(&items)
            .iter()
            .filter(|body| body.contains("+4930555"))
            .count(),
        1
    );
}

#[test]
fn events_and_todos_of_one_file_go_each_to_its_own() {
    let place = with_account();
    place.write("calendar.ics", CALENDAR);
    let done = place
        .run(&["import", "alice", "calendar", "calendar.ics", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        done["added"]["calendar"], 1,
        "a series and its exception are one item"
    );
    assert_eq!(done["added"]["tasks"], 1);
    let out = place.run(&["export", "alice", "calendar"]).ends(0).out;
    assert_eq!(out.matches("BEGIN:VEVENT").count(), 2);
    assert_eq!(out.matches("BEGIN:VTIMEZONE").count(), 1);
    assert!(!out.contains("VTODO"), "{out}");
    let out = place
        .run(&["export", "alice", "agenda", "--format", "icalendar"])
        .ends(0)
        .out;
    assert_eq!(out.matches("BEGIN:VTODO").count(), 1);
    assert_eq!(out.matches("BEGIN:VCALENDAR").count(), 1);
    let again = place
        .run(&["import", "alice", "tasks", "calendar.ics"])
        .ends(0);
    assert_eq!(again.out.trim(), "nothing added, 2 there already");
    let tasks = export(&place, "alice", "tasks");
    assert_eq!(tasks[0]["title"], "Buy milk");
    assert_eq!(tasks[0]["datastore"], "tasks");
}

#[test]
fn notes_come_from_text_and_standard_input() {
    let place = with_account();
    let note = "Packing list\ncharger; SIM, battery";
    place
        .run_with(&["import", "alice", "notes", "-"], note.as_bytes())
        .ends(0);
    place
        .run_with(
            &["import", "alice", "notes", "-"],
            b"BEGIN:VNOTE\r\nVERSION:1.1\r\nBODY:from a phone\r\nEND:VNOTE\r\n",
        )
        .ends(0);
    let items = export(&place, "alice", "notes");
    assert_eq!(items[0]["body"], note);
    assert_eq!(items[0]["title"], "Packing list");
    let out = place.run(&["export", "alice", "notes"]).ends(0).out;
    assert!(out.starts_with(&format!("{note}\n----\n")), "{out}");
    assert!(out.contains("from a phone"), "{out}");
}

#[test]
fn wrong_requests_say_what_is_right() {
    let place = with_account();
    for (args, code, words) in [
        (
            &["import", "bob", "contacts", "x.vcf"][..],
            3,
            "there is no account bob",
        ),
        (
            &["import", "alice", "contacts", "absent.vcf"],
            1,
            "absent.vcf cannot be read",
        ),
        (
            &["import", "alice", "mail", "x"],
            2,
            "mail cannot be imported",
        ),
        (
            &["import", "alice", "pictures", "x"],
            2,
            "there is no datastore pictures",
        ),
        (&["export", "bob", "contacts"], 3, "there is no account bob"),
        (
            &["export", "alice", "contacts", "--format", "icalendar"],
            2,
            "it can as vcard, json, text",
        ),
        (
            &["export", "alice", "notes", "--format", "vcard"],
            2,
            "it can as json, text",
        ),
        (
            &["export", "alice", "contacts", "--format", "pdf"],
            2,
            "possible values",
        ),
        (&["export", "alice", "mail"], 2, "mail cannot be exported"),
    ] {
        place.run(args).ends(code).says(words);
    }
    assert_eq!(
        export(&place, "alice", "contacts"),
        Value::Array(Vec::new())
    );
    let empty = place.run(&["export", "alice", "contacts"]).ends(0);
    assert_eq!(empty.out, "");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = with_account();
    let cards: String = (0..2000)
        .map(|number| {
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nN:Nr{number};Eva;;;\r\nFN:Eva Nr{number}\r\nNOTE:{}\r\nEND:VCARD\r\n", "x".repeat(100))
        })
        .collect();
    place.write("many.vcf", cards);
    let done = place
        .run(&["import", "alice", "contacts", "many.vcf"])
        .ends(0);
    assert_eq!(done.out.trim(), "2000 added to contacts");
    let mut child = place
        .command(&["export", "alice", "contacts"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    assert_eq!(line.trim(), "BEGIN:VCARD");
    drop(out);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
