//! Some of the phones over real HTTP: the real program as the server, and `candybar handset sync --as` as the phone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use candybar::content;

use super::{SIZE, items};
use crate::support::program::Program;

const CONFIGURATION: &str = "[sync]\ntime_zone = \"Europe/Stockholm\"\n";

struct Pair {
    server: Program,
    model: &'static str,
}

impl Pair {
    fn new(model: &'static str) -> Self {
        let server = Program::start(CONFIGURATION, &[("alice", "wonderland")]);
        let (contacts, events) = SIZE;
        let contacts: String = (0..contacts).map(items::contact).collect();
        let events: String = (0..events).map(items::event).collect();
        for (datastore, file, text) in [
            ("contacts", "all.vcf", contacts),
            ("calendar", "all.ics", events),
        ] {
            let path = server.file(file);
            fs::write(&path, text).expect("a file");
            server.command(&["import", "alice", datastore, &path.to_string_lossy()]);
        }
        Self { server, model }
    }

    fn sync(&self, more: &[&str]) -> serde_json::Value {
        let url = self.server.url();
        let mut words = vec![
            "handset",
            "sync",
            "--url",
            &url,
            "--user",
            "alice",
            "--password",
            "wonderland",
            "--json",
            "--time-zone",
            "Europe/Stockholm",
            "--datastore",
            "contacts",
            "--datastore",
            "calendar",
        ];
        words.extend(more);
        let out = self.server.command(&words);
        let start = out.find('{').unwrap_or_else(|| panic!("no JSON: {out}"));
        let mut values = serde_json::Deserializer::from_str(&out[start..]).into_iter();
        values
            .next()
            .expect("a report")
            .unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// What the server's items say, by title.
    fn exported(&self, datastore: &str) -> BTreeMap<String, BTreeSet<String>> {
        let text = self.server.command(&["export", "alice", datastore]);
        let (begin, end) = match datastore {
            "contacts" => ("BEGIN:VCARD", "END:VCARD"),
            _ => ("BEGIN:VEVENT", "END:VEVENT"),
        };
        text.split(begin)
            .skip(1)
            .map(|part| {
                let part = part.split(end).next().unwrap_or_default();
                let body = match datastore {
                    "contacts" => format!("{begin}{part}{end}\r\n"),
                    _ => format!(
                        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{begin}{part}{end}\r\nEND:VCALENDAR\r\n"
                    ),
                };
                let said = items::says(body.as_bytes());
                let record = content::read(body.as_bytes(), &content::ReadHint::default());
                let title = content::title(&record.expect("an item of ours").record);
                (title, said)
            })
            .collect()
    }

    fn live(self) {
        let before = [self.exported("contacts"), self.exported("calendar")];
        assert_eq!(
            (before[0].len(), before[1].len()),
            SIZE,
            "all titles differ"
        );
        let first = self.sync(&["--as", self.model]);
        let received = |report: &serde_json::Value, index: usize| {
            report["datastores"][index]["received"]["adds"]
                .as_u64()
                .unwrap_or_default()
        };
        assert_eq!(
            (received(&first, 0), received(&first, 1)),
            (SIZE.0 as u64, SIZE.1 as u64),
            "{first:#}"
        );
        assert_eq!(
            first["complaints"].as_array().map(Vec::len),
            Some(0),
            "{first:#}"
        );

        let card = self.server.file("own.vcf");
        fs::write(
            &card,
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Own;Card\r\nTEL;CELL:1234567\r\nEND:VCARD\r\n",
        )
        .expect("a file");
        self.server
            .command(&["handset", "add", "contacts", &card.to_string_lossy()]);
        let second = self.sync(&[]);
        assert_eq!(second["datastores"][0]["sent"]["adds"], 1, "{second:#}");
        self.sync(&["--mode", "slow"]);
        let third = self.sync(&[]);
        for index in 0..2 {
            let store = &third["datastores"][index];
            for side in ["sent", "received"] {
                for kind in ["adds", "replaces", "deletes"] {
                    assert_eq!(store[side][kind], 0, "nothing has changed: {third:#}");
                }
            }
        }
        for (before, datastore) in before.into_iter().zip(["contacts", "calendar"]) {
            let after = self.exported(datastore);
            let new = usize::from(datastore == "contacts");
            assert_eq!(after.len(), before.len() + new, "{datastore}");
            for (title, said) in before {
                let lost: Vec<_> = said.difference(&after[&title]).collect();
                assert!(lost.is_empty(), "{title} has lost {lost:?}");
            }
        }
    }
}

#[test]
fn a_motorola_v8_over_http() {
    Pair::new("motorola-v8").live();
}

#[test]
fn a_nokia_9210_over_http() {
    Pair::new("nokia-9210").live();
}

#[test]
fn the_models_are_listed_and_a_phone_stays_what_it_is() {
    let server = Program::start("", &[("alice", "wonderland")]);
    let list = server.command(&["handset", "models"]);
    let help = server.command(&[
        "handset",
        "sync",
        "--user",
        "u",
        "--password",
        "p",
        "--as",
        "help",
    ]);
    assert_eq!(list, help);
    for name in candybar::handset::Model::names() {
        assert!(list.contains(name), "{name}: {list}");
    }
    let url = server.url();
    let words = [
        "handset",
        "sync",
        "--url",
        &url,
        "--user",
        "alice",
        "--password",
        "wonderland",
    ];
    server.command(&[&words[..], &["--as", "sony-ericsson-p900"]].concat());
    let state = fs::read_to_string(server.file("phone.json")).expect("the phone's memory");
    assert!(state.contains("\"sony-ericsson-p900\""), "{state}");
    server.command(&words);
    let memory: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    let id = memory["device_id"].as_str().expect("a device id");
    let shown = server.command(&["device", "show", "alice", id]);
    assert!(shown.contains("EPOC SyncML Client"), "{shown}");
}
