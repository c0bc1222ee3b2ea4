//! Phones that people own, as `candybar handset sync --as` plays them, against the engine in memory: slow sync, edits on
//! both sides, another slow sync. A limited phone edits, and nothing that it does not know is lost.
//!
//! The release build takes 1,000 contacts and 500 events for each phone, the development build fewer.

mod http;
mod items;
mod world;

use std::collections::BTreeSet;

use candybar::handset::{Model, Times};
use world::World;

/// Contacts and events on the server before the phone comes.
const SIZE: (usize, usize) = if cfg!(debug_assertions) {
    (40, 20)
} else {
    (1_000, 500)
};

/// What happens in summer is in the other season.
const WINTER: i64 = 1_700_000_000;
/// And what happens in winter, now.
const SUMMER: i64 = 1_689_850_000;

/// Other sizes, by `CANDYBAR_MODEL_ITEMS=1000,500`.
fn size() -> (usize, usize) {
    let asked = std::env::var("CANDYBAR_MODEL_ITEMS").ok();
    let asked = asked.and_then(|text| {
        let (contacts, events) = text.split_once(',')?;
        Some((contacts.trim().parse().ok()?, events.trim().parse().ok()?))
    });
    asked.unwrap_or(SIZE)
}

/// What no profile of the server answers: a line for each model and finding of [`World::live`].
const UNANSWERED: &str = include_str!("unanswered.txt");

fn unanswered(name: &str) -> BTreeSet<String> {
    let of_model = |line: &str| {
        let (model, finding) = line.split_once(": ")?;
        (model == name).then(|| finding.to_owned())
    };
    UNANSWERED.lines().filter_map(of_model).collect()
}

/// One phone, or only that of `CANDYBAR_MODEL`.
fn live(name: &str) {
    if std::env::var("CANDYBAR_MODEL").is_ok_and(|only| only != name) {
        return;
    }
    let model = Model::named(name).unwrap_or_else(|error| panic!("{error}"));
    let mut findings = World::new(&model, size(), WINTER).live();
    let times = model
        .settings("", "", "")
        .storage
        .rules
        .get("calendar")
        .map(|rules| rules.times);
    if matches!(times, Some(Times::OffsetOfNow | Times::StandardOffset)) {
        findings.extend(World::new(&model, size(), SUMMER).live());
    }
    for finding in &findings {
        println!("{name}: {finding}");
    }
    let new: Vec<String> = findings
        .difference(&unanswered(name))
        .map(|finding| format!("{name}: {finding}"))
        .collect();
    assert!(new.is_empty(), "\n{}", new.join("\n"));
}

macro_rules! models {
    ($($test:ident: $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                live($name);
            }
        )*

        #[test]
        fn every_model_lives() {
            let tested: BTreeSet<&str> = [$($name),*].into();
            let known: BTreeSet<&str> = Model::names().collect();
            assert_eq!(tested, known);
        }
    };
}

models! {
    funambol_outlook: "funambol-outlook";
    funambol_windows_mobile: "funambol-windows-mobile";
    motorola_v3: "motorola-v3";
    motorola_v8: "motorola-v8";
    motorola_w510: "motorola-w510";
    nokia_7610: "nokia-7610";
    nokia_9210: "nokia-9210";
    nokia_9500: "nokia-9500";
    nokia_e7: "nokia-e7";
    nokia_s40: "nokia-s40";
    nokia_s40_2nd: "nokia-s40-2nd";
    nokia_s40_6th: "nokia-s40-6th";
    nokia_s60: "nokia-s60";
    panasonic_x70: "panasonic-x70";
    siemens_s55: "siemens-s55";
    siemens_sx1: "siemens-sx1";
    sony_ericsson_k610i: "sony-ericsson-k610i";
    sony_ericsson_k750i: "sony-ericsson-k750i";
    sony_ericsson_k800i: "sony-ericsson-k800i";
    sony_ericsson_m600i: "sony-ericsson-m600i";
    sony_ericsson_p1i: "sony-ericsson-p1i";
    sony_ericsson_p900: "sony-ericsson-p900";
    sony_ericsson_t610: "sony-ericsson-t610";
    sony_ericsson_w910i: "sony-ericsson-w910i";
}
