//! Two clients change the same items between their sessions, under each policy.

use crate::support::datastore::{Datastore, Edit, Items};
use crate::support::fields;
use crate::support::server::SyncServer;
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Mode, Phone, Version};

use super::world::{World, bodies};

/// What both change: the same field of an item in each datastore. Marker, what was there, A's and B's word for it.
const SAME_FIELD: [(Datastore, &str, &str, &str, &str); 4] = [
    (
        Datastore::Contacts,
        "Prokurist",
        "Prokurist",
        "Leitung",
        "Rente",
    ),
    (
        Datastore::Calendar,
        "Betriebsausflug",
        "Spreewald",
        "Harz",
        "Rhön",
    ),
    (
        Datastore::Tasks,
        "Steuererklärung",
        "PERCENT-COMPLETE:40",
        "PERCENT-COMPLETE:60",
        "PERCENT-COMPLETE:80",
    ),
    (
        Datastore::Notes,
        "Schließfach",
        "Links unten",
        "Rechts oben",
        "Ganz hinten",
    ),
];

struct Conflict {
    world: World,
    a: Phone,
    b: Phone,
}

impl Conflict {
    /// Both phones hold the seeds.
    fn under(policy: &str) -> Self {
        let world = World::start(&format!("[sync]\nconflict = \"{policy}\"\n"));
        let dialect = Dialect::new(Carrier::Wbxml, Version::V12, Auth::Md5);
        let a = Phone::new(&world, &format!("sc-pim-{policy}-a"), &dialect);
        let b = Phone::new(&world, &format!("sc-pim-{policy}-b"), &dialect);
        for datastore in Datastore::ALL {
            a.put_all(datastore, &datastore.seeds());
        }
        a.sync_well(Mode::Slow, &Datastore::ALL);
        b.sync_well(Mode::Slow, &Datastore::ALL);
        Self { world, a, b }
    }

    /// A's edits reach the server first; B's meet them there.
    fn meet(&self) {
        for phone in [&self.a, &self.b, &self.a] {
            phone.sync_well(Mode::TwoWay, &Datastore::ALL);
        }
    }

    fn check(&self, datastore: Datastore, expected: &Items) {
        let expected = bodies(expected);
        for (whose, items) in [
            ("A", self.a.bodies(datastore)),
            ("B", self.b.bodies(datastore)),
            ("the server", self.world.items(datastore)),
        ] {
            fields::assert_same(whose, datastore, &expected, &items);
        }
    }
}

fn same_field(policy: &str, expect: impl Fn(&mut Items, Edit, Edit)) {
    if !syncevolution::present() {
        return;
    }
    let conflict = Conflict::under(policy);
    for (datastore, marker, from, a, b) in SAME_FIELD {
        conflict
            .a
            .edit(&[(datastore, Edit::change(marker, from, a))]);
        conflict
            .b
            .edit(&[(datastore, Edit::change(marker, from, b))]);
    }
    conflict.meet();
    for (datastore, marker, from, a, b) in SAME_FIELD {
        let mut expected = datastore.seeds();
        let edit = |to: &str| Edit::change(marker, from, to);
        expect(&mut expected, edit(a), edit(b));
        conflict.check(datastore, &expected);
    }
    let record = conflict.world.command(&["sessions", "tester", "--json"]);
    assert!(record.contains("conflict"), "{record}");
}

#[test]
fn the_client_wins() {
    same_field("client", |items, _, b| b.apply(items));
}

#[test]
fn the_server_wins() {
    same_field("server", |items, a, _| a.apply(items));
}

#[test]
fn both_are_kept() {
    same_field("duplicate", |items, a, b| {
        let mut other = items.clone();
        b.apply(&mut other);
        let seeds = items.clone();
        a.apply(items);
        let changed = other
            .into_iter()
            .filter(|(name, body)| seeds[name] != *body);
        items.extend(changed.map(|(name, body)| (format!("{name}-b"), body)));
    });
}

/// Each phone changes another field of the same item: all have both.
#[test]
fn fields_are_merged() {
    if !syncevolution::present() {
        return;
    }
    let conflict = Conflict::under("merge");
    let edits = [
        (
            Datastore::Contacts,
            Edit::change("Lüdenscheidt", "Prokurist", "Leitung"),
            Edit::change("Lüdenscheidt", "Jürgi", "Jockel"),
        ),
        (
            Datastore::Calendar,
            Edit::change("Betriebsausflug", "Spreewald", "Harz"),
            Edit::change(
                "Betriebsausflug",
                "SUMMARY:Betriebsausflug",
                "SUMMARY:Betriebsausflug neu",
            ),
        ),
        (
            Datastore::Tasks,
            Edit::change(
                "Steuererklärung",
                "PERCENT-COMPLETE:40",
                "PERCENT-COMPLETE:60",
            ),
            Edit::change("Steuererklärung", "PRIORITY:1", "PRIORITY:2"),
        ),
    ];
    let mut expected = Vec::new();
    for (datastore, a, b) in edits {
        conflict.a.edit(&[(datastore, a.clone())]);
        conflict.b.edit(&[(datastore, b.clone())]);
        let mut items = datastore.seeds();
        a.apply(&mut items);
        b.apply(&mut items);
        expected.push((datastore, items));
    }
    conflict.meet();
    for (datastore, items) in expected {
        conflict.check(datastore, &items);
    }
}
