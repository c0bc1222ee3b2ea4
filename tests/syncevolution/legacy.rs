//! A phone of vCard 2.1 and vCalendar 1.0 beside one of vCard 3.0 and iCalendar 2.0, on one account.

use crate::support::datastore::{Datastore, Edit, Items};
use crate::support::fields;
use crate::support::server::{Candybar, SyncServer};
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Mode, Phone, Version};

/// What of an item must be the same on the older phone: of events and tasks the texts. SyncEvolution's client makes its
/// own guess of the time zone from a vCalendar 1.0, has alarms at a fixed time, fewer priorities and no percentage.
fn as_legacy(datastore: Datastore, bodies: &[String]) -> Vec<String> {
    const TEXTS: [&str; 8] = [
        "BEGIN:V",
        "END:V",
        " ",
        "UID",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "CATEGORIES",
    ];
    if matches!(datastore, Datastore::Contacts | Datastore::Notes) {
        return bodies.to_vec();
    }
    let held = |line: &&str| TEXTS.iter().any(|start| line.starts_with(start));
    bodies
        .iter()
        .map(|body| body.split_inclusive('\n').filter(held).collect())
        .collect()
}

/// The older phone sees every field that it can hold, and its edits take none of the others away.
#[test]
fn edits_on_the_older_phone() {
    if !syncevolution::present() {
        return;
    }
    let server = Candybar::start();
    let newer = Dialect::new(Carrier::Wbxml, Version::V12, Auth::Md5);
    let older = Dialect {
        legacy_items: true,
        ..Dialect::new(Carrier::Wbxml, Version::V11, Auth::Md5)
    };
    let newer = Phone::new(&server, "sc-pim-newer", &newer);
    let older = Phone::new(&server, "sc-pim-older", &older);
    let mut truth: Vec<(Datastore, Items)> = Datastore::ALL
        .map(|datastore| (datastore, datastore.seeds()))
        .into();
    for (datastore, items) in &truth {
        newer.put_all(*datastore, items);
    }
    newer.sync_well(Mode::Slow, &Datastore::ALL);
    older.sync_well(Mode::Slow, &Datastore::ALL);
    let bodies = |items: &Items| items.values().cloned().collect::<Vec<String>>();
    for (datastore, items) in &truth {
        let (expected, actual) = (
            as_legacy(*datastore, &bodies(items)),
            as_legacy(*datastore, &older.bodies(*datastore)),
        );
        fields::assert_same("on the older phone", *datastore, &expected, &actual);
    }

    let edits = [
        (
            Datastore::Contacts,
            Edit::change("Prokurist", "Prokurist", "Prokuristin"),
        ),
        (
            Datastore::Calendar,
            Edit::change("Tagesordnung", "Raum 1", "Raum 7"),
        ),
        (
            Datastore::Tasks,
            Edit::change("Steuererklärung", "Steuererklärung", "Steuererklärung 2026"),
        ),
        (
            Datastore::Notes,
            Edit::change("Schließfach", "Links unten", "Rechts oben"),
        ),
    ];
    older.edit(&edits);
    for (edited, edit) in &edits {
        for (_, items) in truth
            .iter_mut()
            .filter(|(datastore, _)| datastore == edited)
        {
            edit.apply(items);
        }
    }
    older.sync_well(Mode::TwoWay, &Datastore::ALL);
    newer.sync_well(Mode::TwoWay, &Datastore::ALL);
    for (datastore, items) in &truth {
        let expected = bodies(items);
        fields::assert_same(
            "the server after edits on the older phone",
            *datastore,
            &expected,
            &server.items(*datastore),
        );
        fields::assert_same(
            "the newer phone after edits on the older",
            *datastore,
            &expected,
            &newer.bodies(*datastore),
        );
    }
}
