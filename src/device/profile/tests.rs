mod lossless;
mod replay;

use std::collections::BTreeSet;
use std::path::Path;

use super::{Catalogue, Identity, Key, Why, table};

fn files() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let entries = std::fs::read_dir(folder).expect("the folder of profiles");
    entries
        .map(|entry| {
            let name = entry.expect("listed").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect()
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let built_in: BTreeSet<String> = super::embedded::FILES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(built_in, files());
    let read = Catalogue::default().with(super::embedded::FILES.iter().copied());
    let texts: Vec<String> = read
        .err()
        .into_iter()
        .flatten()
        .map(|fault| fault.to_string())
        .collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

#[test]
fn the_documentation_has_the_table_of_these_files() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/profiles.md");
    let mark = "<!-- What follows is made from the files of the folder `profiles`. -->\n";
    let page = std::fs::read_to_string(&path).expect("docs/profiles.md");
    let (head, told) = page.split_once(mark).expect("the mark of the table");
    let made = table(&Catalogue::embedded());
    if told == made {
        return;
    }
    if std::env::var_os("CANDYBAR_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{mark}{made}")).expect("written");
        return;
    }
    panic!(
        "docs/profiles.md is behind the files: run this test once with CANDYBAR_UPDATE_DOCS=1 in the environment"
    );
}

fn identity<'a>(user_agent: &'a str, manufacturer: &'a str, model: &'a str) -> Identity<'a> {
    let some = |text: &'a str| Some(text).filter(|text| !text.is_empty());
    Identity {
        user_agent: some(user_agent),
        manufacturer: some(manufacturer),
        model: some(model),
        device: "IMEI:350000000000001",
        ..Identity::default()
    }
}

#[test]
fn headers_and_addresses_count_as_well() {
    let mut device = Identity {
        profile_header: Some(
            "\"http://motorola.handango.com/phoneconfig/motorazrV8/Profile/motorazrv8.rdf\"",
        ),
        device: "IMEI:1",
        ..Identity::default()
    };
    assert_eq!(profile_of(&device).as_deref(), Some("motorola-v8"));
    device.profile_header = Some("http://motorola.handango.com/phoneconfig/l7");
    assert_eq!(profile_of(&device).as_deref(), Some("motorola"));
    for (address, expected) in [
        ("fol-S0VVOnBpZXRybw==", "funambol-outlook"),
        ("fjm-123", "funambol-j2me"),
        ("fmz-123", "funambol-mozilla"),
        ("sc-pim-123", "syncevolution"),
    ] {
        let device = Identity {
            device: address,
            ..Identity::default()
        };
        assert_eq!(profile_of(&device).as_deref(), Some(expected), "{address}");
    }
}

fn profile_of(identity: &Identity<'_>) -> Option<String> {
    let resolved = Catalogue::embedded().resolve(identity);
    resolved.profile.map(|(name, _)| name)
}

#[test]
fn phones_find_their_profiles() {
    for (user_agent, manufacturer, model, expected) in [
        ("Nokia6300/2.0 (04.92)", "", "", "nokia-s40-3rd"),
        ("Nokia602x/1.0", "", "", "nokia-s40-2nd"),
        ("Nokia7510/2.0", "NOKIA", "Nokia 7510a", "nokia-s40-6th"),
        ("Nokia5310XpressMusic/2.0", "", "", "nokia-s40-5th"),
        ("Nokia SyncML HTTP Client", "NOKIA", "6600", "nokia-s60-2nd"),
        ("Nokia SyncML HTTP Client", "NOKIA", "9999", "nokia-s60-2nd"),
        ("Nokia SyncML HTTP Client", "", "", "nokia-s60"),
        ("", "NOKIA", "Nokia E51-1", "nokia-s60-3rd"),
        ("", "NOKIA", "Nokia N97 mini", "nokia-s60-5th"),
        ("", "NOKIA", "E7-00", "nokia-symbian3"),
        ("", "Nokia", "N9", "nokia-n9"),
        ("", "NOKIA", "9210i", "nokia-9210"),
        ("Nokia 9500/1.0", "", "", "nokia-series80"),
        ("", "NOKIA", "7210c", "nokia-s40-5th"),
        ("", "NOKIA", "something new", "nokia"),
        (
            "SonyEricssonK800i/R1ED Browser/NetFront/3.3",
            "SonyEricsson",
            "K800i",
            "sony-ericsson-k800i",
        ),
        ("SonyEricssonT610/R201", "", "", "sony-ericsson-t610"),
        ("", "SonyEricsson", "Z1010", "sony-ericsson"),
        ("", "Ericsson", "T39m", "ericsson"),
        (
            "EPOC SyncML Client",
            "Sony Ericsson",
            "P900",
            "sony-ericsson-p900",
        ),
        (
            "Symbian SyncMLClient SonyEricssonP1i",
            "",
            "",
            "sony-ericsson-uiq3",
        ),
        ("EPOC SyncML Client", "Motorola", "A1000", "motorola-a1000"),
        ("EPOC SyncML Client", "Siemens", "SX1", "siemens-sx1"),
        ("", "Motorola", "V3", "motorola-v3"),
        ("", "Motorola", "V3xx", "motorola-v3xx"),
        ("SIEMENS,S55", "", "", "siemens-s55"),
        ("", "SIEMENS", "S65", "siemens-s65"),
        ("Panasonic-X70", "", "", "panasonic-x70"),
        ("SAMSUNG-SGH-E900", "", "", "samsung"),
        ("", "LG Electronics", "KU990", "lg"),
        ("SyncEvolution 1.5", "", "", "syncevolution"),
        ("Synthesis SyncML Client 3.4", "", "", "synthesis"),
        ("Funambol Outlook Plug-in 8.0", "", "", "funambol-outlook"),
        ("", "NextHaus", "SyncJe Outlook Edition 2", "syncje-outlook"),
    ] {
        let found = profile_of(&identity(user_agent, manufacturer, model));
        assert_eq!(found.as_deref(), Some(expected), "{user_agent} {model}");
    }
    for unknown in [
        identity("Mozilla/5.0", "", ""),
        identity("", "ACME", "X1"),
        Identity::default(),
    ] {
        assert_eq!(profile_of(&unknown), None, "{unknown:?}");
    }
}

const BASE: (&str, &str) = (
    "acme.toml",
    r#"
name = "acme"
title = "Acme"
match = [{ manufacturer = "ACME" }]
[[rule]]
name = "messages"
source = "test"
session = { max_message = 4000, devinf_hides = ["mail"] }
[[rule]]
name = "old-firmware"
match = [{ software = "R1*" }]
source = "test"
session = { max_message = 2000 }
"#,
);
const CHILD: (&str, &str) = (
    "acme-x1.toml",
    r#"
name = "acme-x1"
title = "Acme X1"
extends = "acme"
match = [{ manufacturer = "ACME", model = "X1*" }, { user_agent = "AcmeX1*" }]
[[rule]]
name = "name"
source = "test"
session = { devinf_hides = ["notes"] }
content = { name_parts = 2 }
"#,
);

#[test]
fn the_more_specific_rule_wins_each_effect_and_lists_add_up() {
    let catalogue = Catalogue::default()
        .with([BASE, CHILD])
        .expect("both are right");
    let mut device = identity("AcmeX1/1", "ACME", "X1i");
    let resolved = catalogue.resolve(&device);
    assert_eq!(resolved.traits.max_message, Some(4000));
    assert_eq!(resolved.dialect.name_parts, Some(2));
    assert_eq!(resolved.traits.devinf_hides.as_ref().map(Vec::len), Some(2));
    let names: Vec<_> = resolved
        .rules
        .iter()
        .map(|rule| rule.rule.as_str())
        .collect();
    assert_eq!(names, ["messages", "name"]);
    let Some((name, Why::Matches(matched))) = &resolved.profile else {
        panic!("{:?}", resolved.profile);
    };
    assert_eq!(name, "acme-x1");
    let keys: Vec<_> = matched.iter().map(|one| one.key).collect();
    assert_eq!(keys, [Key::Manufacturer, Key::Model]);

    device.software = Some("R1B");
    let resolved = catalogue.resolve(&device);
    assert_eq!(resolved.traits.max_message, Some(2000));
}

#[test]
fn a_profile_set_by_hand_wins_and_one_that_does_not_exist_is_told() {
    let catalogue = Catalogue::default()
        .with([BASE, CHILD])
        .expect("both are right");
    let mut device = identity("AcmeX1/1", "ACME", "X1i");
    device.by_hand = Some("acme");
    let resolved = catalogue.resolve(&device);
    assert_eq!(resolved.profile, Some(("acme".to_owned(), Why::ByHand)));
    assert_eq!(resolved.dialect.name_parts, None);
    device.by_hand = Some("acme-x2");
    let resolved = catalogue.resolve(&device);
    assert_eq!(resolved.unknown.as_deref(), Some("acme-x2"));
    assert_eq!(
        resolved.profile.map(|(name, _)| name).as_deref(),
        Some("acme-x1")
    );
}

#[test]
fn a_file_of_the_same_name_takes_the_place_of_another() {
    let own = ("nokia-s60.toml", "name = \"nokia-s60\"\ntitle = \"Mine\"\n");
    let catalogue = Catalogue::embedded().with([own]).expect("right");
    assert_eq!(
        catalogue.find("nokia-s60").map(|of| of.title.as_str()),
        Some("Mine")
    );
    assert!(catalogue.find("nokia-s40").is_some());
}

#[test]
fn what_is_wrong_is_told_with_file_place_and_reason() {
    let head = "name = \"a\"\ntitle = \"A\"\n";
    let rule = "[[rule]]\nname = \"r\"\nsource = \"s\"\n";
    for (text, place, why) in [
        ("title = 3".to_owned(), "line 1, title", "invalid type"),
        (
            format!("{head}colour = 1"),
            "line 3, colour",
            "unknown field",
        ),
        (format!("{head}[["), "line 3", ""),
        (
            format!("{head}{rule}session = {{ max_message = \"big\" }}"),
            "line 6, session",
            "invalid type",
        ),
        (
            format!("{head}{rule}session = {{ max_mesage = 1 }}"),
            "line 6, session",
            "unknown field `max_mesage`",
        ),
        (
            format!("{head}{rule}session = {{ max_message = 10 }}"),
            "rule r, session.max_message",
            "at least",
        ),
        (
            format!("{head}{rule}content = {{ name_parts = 9 }}"),
            "rule r, content.name_parts",
            "1 to 5",
        ),
        (
            format!("{head}{rule}content = {{ charset_in = \"klingon\" }}"),
            "rule r, content.charset_in",
            "no charset",
        ),
        (
            format!("{head}{rule}content = {{ drop_event = [\"A B\"] }}"),
            "line 6, content",
            "A B",
        ),
        (format!("{head}{rule}"), "rule r, effects", "none"),
        (
            format!(
                "{head}[[rule]]\nname = \"r\"\nsource = \" \"\nsession = {{ max_message = 2000 }}"
            ),
            "rule r, source",
            "known from",
        ),
        (format!("{head}extends = \"b\""), "extends", "no profile b"),
        (format!("{head}extends = \"a\""), "extends", "circle"),
        (format!("{head}match = [{{ }}]"), "match", "every device"),
        (
            format!("{head}match = [{{ model = \"*\" }}]"),
            "match",
            "fits everything",
        ),
        ("name = \"b\"\ntitle = \"B\"".to_owned(), "name", "b.toml"),
    ] {
        let faults = Catalogue::default()
            .with([("a.toml", text.as_str())])
            .expect_err(&text);
        let fault = &faults[0];
        assert_eq!(
            (fault.file.as_str(), fault.place.as_str()),
            ("a.toml", place),
            "{text}\n{fault}"
        );
        assert!(fault.why.contains(why), "{fault}");
    }
    let all = Catalogue::default()
        .with([("a.toml", "x"), ("b.toml", "y")])
        .expect_err("both are wrong");
    assert_eq!(all.len(), 2, "all files are told at once");
}
