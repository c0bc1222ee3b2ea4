//! Sessions that must not do what a phone asks, and items larger than a message.

use crate::support::datastore::{Datastore, Edit};
use crate::support::fields;
use crate::support::report::Changes;
use crate::support::server::{Candybar, SyncServer};
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Mode, Phone, Version};

fn dialect() -> Dialect {
    Dialect::new(Carrier::Wbxml, Version::V12, Auth::Md5)
}

fn fill(phone: &Phone) {
    for datastore in Datastore::ALL {
        phone.put_all(datastore, &datastore.seeds());
    }
}

fn seeds(datastore: Datastore) -> Vec<String> {
    datastore.seeds().into_values().collect()
}

/// A wrong password is refused with 401 in each kind of credentials, and nothing is stored.
#[test]
fn wrong_password() {
    if !syncevolution::present() {
        return;
    }
    let server = Candybar::start();
    for (device, auth) in [
        ("sc-pim-wrong-md5", Auth::Md5),
        ("sc-pim-wrong-basic", Auth::Basic),
    ] {
        let wrong = Dialect {
            password: Some("another"),
            auth,
            ..dialect()
        };
        let phone = Phone::new(&server, device, &wrong);
        fill(&phone);
        let report = phone.sync(Mode::Slow, &Datastore::ALL);
        assert!(!report.success, "{}", report.describe());
        assert_eq!(report.status(), 401, "{}", report.describe());
    }
    for datastore in Datastore::ALL {
        fields::assert_same(
            "after wrong passwords",
            datastore,
            &[],
            &server.items(datastore),
        );
    }
}

/// A datastore that does not exist is refused with 404, and the others sync.
#[test]
fn unknown_datastore() {
    if !syncevolution::present() {
        return;
    }
    let server = Candybar::start();
    let elsewhere = Dialect {
        uris: [(Datastore::Notes, "nowhere")].into(),
        ..dialect()
    };
    let phone = Phone::new(&server, "sc-pim-elsewhere", &elsewhere);
    fill(&phone);
    let report = phone.sync(Mode::Slow, &Datastore::ALL);
    assert!(!report.success, "{}", report.describe());
    assert_eq!(
        report.datastore_status(Datastore::Notes),
        404,
        "{}",
        report.describe()
    );
    for datastore in [Datastore::Contacts, Datastore::Calendar, Datastore::Tasks] {
        assert_eq!(
            report.datastore_status(datastore),
            0,
            "{}",
            report.describe()
        );
        fields::assert_same(
            "beside an unknown datastore",
            datastore,
            &seeds(datastore),
            &server.items(datastore),
        );
    }
    fields::assert_same(
        "of an unknown datastore",
        Datastore::Notes,
        &[],
        &server.items(Datastore::Notes),
    );
}

/// A portrait larger than the phone's messages goes up and down in chunks, in both carriers.
#[test]
fn large_objects() {
    if !syncevolution::present() {
        return;
    }
    for (name, carrier) in [("xml", Carrier::Xml), ("wbxml", Carrier::Wbxml)] {
        let server = Candybar::start();
        let small = Dialect {
            max_message: 10_240,
            carrier,
            ..dialect()
        };
        let sender = Phone::new(&server, &format!("sc-pim-large-{name}-a"), &small);
        let receiver = Phone::new(&server, &format!("sc-pim-large-{name}-b"), &small);
        fill(&sender);
        sender.sync_well(Mode::Slow, &Datastore::ALL);
        receiver.log_messages(true);
        let report = receiver.sync_well(Mode::Slow, &Datastore::ALL);
        for datastore in Datastore::ALL {
            fields::assert_same(
                "large objects",
                datastore,
                &seeds(datastore),
                &receiver.bodies(datastore),
            );
        }
        let log = report.log.expect("the client has left a log");
        for message in crate::support::recording::messages(&log) {
            let length = std::fs::metadata(&message.path)
                .expect("a message has a length")
                .len();
            assert!(
                message.sender == "client" || length <= 10_240,
                "{length} bytes in {}",
                message.path.display()
            );
        }
    }
}

/// What is imported at the server reaches the phone, once.
#[test]
fn imported_items() {
    if !syncevolution::present() {
        return;
    }
    let server = Candybar::start();
    let phone = Phone::new(&server, "sc-pim-import", &dialect());
    phone.sync_well(Mode::TwoWay, &Datastore::ALL);
    let card = &Datastore::Contacts.seeds()["juergen"];
    server.import(Datastore::Contacts, "vcf", card);
    let report = phone.sync_well(Mode::TwoWay, &Datastore::ALL);
    assert_eq!(
        report.on_phone(Datastore::Contacts),
        Changes {
            added: 1,
            ..Changes::NONE
        },
        "{}",
        report.describe()
    );
    fields::assert_same(
        "after import",
        Datastore::Contacts,
        std::slice::from_ref(card),
        &phone.bodies(Datastore::Contacts),
    );
    let report = phone.sync_well(Mode::TwoWay, &Datastore::ALL);
    assert_eq!(
        report.on_phone(Datastore::Contacts),
        Changes::NONE,
        "{}",
        report.describe()
    );
}

/// A phone that gives a new item the LUID of one it has just deleted: the file backend counts on from the highest name.
#[test]
fn reused_luid() {
    if !syncevolution::present() {
        return;
    }
    let server = Candybar::start();
    let giver = Phone::new(&server, "sc-pim-reuse-a", &dialect());
    let phone = Phone::new(&server, "sc-pim-reuse-b", &dialect());
    fill(&giver);
    giver.sync_well(Mode::Slow, &Datastore::ALL);
    phone.sync_well(Mode::Slow, &Datastore::ALL);
    let last = phone
        .items(Datastore::Notes)
        .into_keys()
        .max_by_key(|luid| luid.parse::<u32>().unwrap_or(0));
    let last = last.expect("the phone has notes");
    let deleted = phone.items(Datastore::Notes)[&last].trim_end().to_owned();
    phone.edit(&[(Datastore::Notes, Edit::delete(&deleted))]);
    phone.sync_well(Mode::TwoWay, &Datastore::ALL);
    giver.edit(&[(
        Datastore::Notes,
        Edit::add("new", "Neue Notiz\nmit alter Nummer\n".to_owned()),
    )]);
    giver.sync_well(Mode::TwoWay, &Datastore::ALL);
    phone.sync_well(Mode::TwoWay, &Datastore::ALL);
    assert!(
        phone.items(Datastore::Notes).contains_key(&last),
        "the phone was expected to use {last} again"
    );
    let expected = giver.bodies(Datastore::Notes);
    assert_eq!(
        expected.len(),
        Datastore::Notes.seeds().len(),
        "one note less, one more"
    );
    fields::assert_same(
        "a LUID used again",
        Datastore::Notes,
        &expected,
        &phone.bodies(Datastore::Notes),
    );
    fields::assert_same(
        "a LUID used again",
        Datastore::Notes,
        &expected,
        &server.items(Datastore::Notes),
    );
}
