//! Two phones on one account, through every kind of sync, compared with what their users entered after each step.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::datastore::{Datastore, Edit, Items};
use crate::support::fields;
use crate::support::recording;
use crate::support::report::{Changes, Report};
use crate::support::server::SyncServer;
use crate::support::syncevolution::{Auth, Carrier, Dialect, Mode, Phone, Version};

use super::edits::{self, Hand};

/// One item added, one changed, one deleted.
const ONE_EACH: Changes = Changes {
    added: 1,
    updated: 1,
    removed: 1,
};

/// What there should be: the users' own words, never what has been through a sync.
#[derive(Clone)]
struct Truth(BTreeMap<Datastore, Items>);

impl Truth {
    fn of_seeds() -> Self {
        Self(
            Datastore::ALL
                .map(|datastore| (datastore, datastore.seeds()))
                .into(),
        )
    }

    fn edit(&mut self, edits: &[(Datastore, Edit)]) {
        for (datastore, edit) in edits {
            edit.apply(
                self.0
                    .get_mut(datastore)
                    .expect("every datastore has items"),
            );
        }
    }

    fn bodies(&self, datastore: Datastore) -> Vec<String> {
        self.0[&datastore].values().cloned().collect()
    }

    fn assert_on_phone(&self, context: &str, phone: &Phone) {
        for datastore in Datastore::ALL {
            fields::assert_same(
                context,
                datastore,
                &self.bodies(datastore),
                &phone.bodies(datastore),
            );
        }
    }

    fn assert_on_server(&self, context: &str, server: &dyn SyncServer) {
        for datastore in Datastore::ALL {
            fields::assert_same(
                context,
                datastore,
                &self.bodies(datastore),
                &server.items(datastore),
            );
        }
    }
}

/// Two phones and the server.
pub(crate) struct Scenario<'s> {
    server: &'s dyn SyncServer,
    a: Phone,
    b: Phone,
    truth: Truth,
}

/// Every basic mode, with changes on both sides, for all datastores in each session.
pub(crate) fn every_mode(server: &dyn SyncServer, name: &str, dialect: &Dialect) {
    let mut scenario = Scenario {
        server,
        a: Phone::new(server, &format!("sc-pim-{name}-a"), dialect),
        b: Phone::new(server, &format!("sc-pim-{name}-b"), dialect),
        truth: Truth::of_seeds(),
    };
    scenario.slow(dialect);
    scenario.two_way();
    scenario.one_way_from_client();
    scenario.one_way_from_server();
    scenario.refresh_from_client();
    scenario.refresh_from_server();
    scenario.slow_again();
    for process in server.processes() {
        assert!(
            Path::new(&format!("/proc/{process}")).exists(),
            "a process of the server has died"
        );
    }
}

impl Scenario<'_> {
    /// The first phone fills the account, the second is filled from it.
    fn slow(&mut self, dialect: &Dialect) {
        for datastore in Datastore::ALL {
            self.a.put_all(datastore, &self.truth.0[&datastore]);
        }
        self.a.log_messages(true);
        let filling = sync(&self.a, Mode::Slow);
        self.a.log_messages(false);
        assert_spoken(&filling, dialect);
        self.truth
            .assert_on_server("the server after A's slow sync", self.server);
        let filled = sync(&self.b, Mode::Slow);
        self.truth.assert_on_phone("B after its slow sync", &self.b);
        self.truth.assert_on_phone("A after its slow sync", &self.a);
        for datastore in Datastore::ALL {
            let all = Changes {
                added: u32::try_from(self.truth.0[&datastore].len()).expect("few seeds"),
                ..Changes::NONE
            };
            assert_eq!(
                (filling.on_phone(datastore), filling.on_server(datastore)),
                (Changes::NONE, all),
                "{}",
                filling.describe()
            );
            assert_eq!(
                (filled.on_phone(datastore), filled.on_server(datastore)),
                (all, Changes::NONE),
                "{}",
                filled.describe()
            );
        }
    }

    /// Adds, changes and deletes on both phones, first one session after the other, then a session without changes.
    fn two_way(&mut self) {
        expect(&sync(&self.a, Mode::TwoWay), Changes::NONE, Changes::NONE);
        self.a.edit(&edits::of_seeds(Hand::A));
        self.b.edit(&edits::of_seeds(Hand::B));
        self.truth.edit(&edits::of_seeds(Hand::A));
        self.truth.edit(&edits::of_seeds(Hand::B));
        let with_second = Changes {
            added: 2,
            ..ONE_EACH
        };
        expect(&sync(&self.a, Mode::TwoWay), Changes::NONE, with_second);
        expect(&sync(&self.b, Mode::TwoWay), with_second, with_second);
        expect(&sync(&self.a, Mode::TwoWay), with_second, Changes::NONE);
        self.truth
            .assert_on_server("the server after two-way", self.server);
        self.truth.assert_on_phone("A after two-way", &self.a);
        self.truth.assert_on_phone("B after two-way", &self.b);
        expect(&sync(&self.b, Mode::TwoWay), Changes::NONE, Changes::NONE);
        expect(&sync(&self.a, Mode::TwoWay), Changes::NONE, Changes::NONE);
    }

    /// The server takes A's changes and keeps B's to itself, until a two-way sync.
    fn one_way_from_client(&mut self) {
        let mut on_a = self.truth.clone();
        self.edit_both(3);
        on_a.edit(&edits::of_round(3, Hand::A));
        expect(&sync(&self.b, Mode::TwoWay), Changes::NONE, ONE_EACH);
        expect(
            &sync(&self.a, Mode::OneWayFromClient),
            Changes::NONE,
            ONE_EACH,
        );
        self.truth
            .assert_on_server("the server after one-way from client", self.server);
        on_a.assert_on_phone("A after one-way from client", &self.a);
        if self.server.forgets_changes_in_one_way() {
            let again = edits::again(3, Hand::B);
            self.b.edit(&again);
            self.truth.edit(&again);
            sync(&self.b, Mode::TwoWay);
        }
        self.settle("one-way from client");
    }

    /// A takes B's changes and keeps its own.
    ///
    /// SyncEvolution's client does not remember over such a session which items its user had changed, and takes those
    /// that the server changed for its user's: a two-way sync would not bring A's changes to the server. Hence the
    /// refresh.
    fn one_way_from_server(&mut self) {
        let mut on_server = self.truth.clone();
        self.edit_both(4);
        on_server.edit(&edits::of_round(4, Hand::B));
        expect(&sync(&self.b, Mode::TwoWay), Changes::NONE, ONE_EACH);
        expect(
            &sync(&self.a, Mode::OneWayFromServer),
            ONE_EACH,
            Changes::NONE,
        );
        on_server.assert_on_server("the server after one-way from server", self.server);
        self.truth
            .assert_on_phone("A after one-way from server", &self.a);
        sync(&self.a, Mode::RefreshFromClient);
        self.settle("one-way from server");
    }

    /// A's items replace the server's, B's changes on it included.
    fn refresh_from_client(&mut self) {
        self.a.edit(&edits::of_round(5, Hand::A));
        self.b.edit(&edits::of_round(5, Hand::B));
        self.truth.edit(&edits::of_round(5, Hand::A));
        expect(&sync(&self.b, Mode::TwoWay), Changes::NONE, ONE_EACH);
        sync(&self.a, Mode::RefreshFromClient);
        self.truth
            .assert_on_server("the server after refresh from client", self.server);
        self.settle("refresh from client");
    }

    /// The server's items replace A's.
    fn refresh_from_server(&mut self) {
        self.a.edit(&edits::of_round(6, Hand::A));
        sync(&self.a, Mode::RefreshFromServer);
        self.truth
            .assert_on_phone("A after refresh from server", &self.a);
        self.settle("refresh from server");
    }

    /// All items meet themselves again: nothing is doubled.
    fn slow_again(&mut self) {
        let report = sync(&self.a, Mode::Slow);
        for datastore in Datastore::ALL {
            let on_phone = report.on_phone(datastore);
            assert_eq!(
                (on_phone.added, on_phone.removed),
                (0, 0),
                "{}",
                report.describe()
            );
        }
        self.settle("another slow sync");
    }

    fn edit_both(&mut self, round: u32) {
        for (phone, hand) in [(&self.a, Hand::A), (&self.b, Hand::B)] {
            phone.edit(&edits::of_round(round, hand));
            self.truth.edit(&edits::of_round(round, hand));
        }
    }

    /// After a two-way sync of both phones all three sides are equal.
    fn settle(&self, context: &str) {
        sync(&self.a, Mode::TwoWay);
        sync(&self.b, Mode::TwoWay);
        self.truth
            .assert_on_server(&format!("the server, settled after {context}"), self.server);
        self.truth
            .assert_on_phone(&format!("A, settled after {context}"), &self.a);
        self.truth
            .assert_on_phone(&format!("B, settled after {context}"), &self.b);
    }
}

/// One session over all datastores, which must keep to the mode that the phone asked for.
fn sync(phone: &Phone, mode: Mode) -> Report {
    let report = phone.sync_well(mode, &Datastore::ALL);
    for datastore in Datastore::ALL {
        assert_eq!(report.mode(datastore), mode.name(), "{}", report.describe());
    }
    report
}

/// The numbers of a session, the same in each datastore.
fn expect(report: &Report, on_phone: Changes, on_server: Changes) {
    for datastore in Datastore::ALL {
        let numbers = (report.on_phone(datastore), report.on_server(datastore));
        assert_eq!(
            numbers,
            (on_phone, on_server),
            "{datastore:?}\n{}",
            report.describe()
        );
    }
}

/// The messages of the session are in the dialect that is being tested, and so are the answers.
fn assert_spoken(report: &Report, dialect: &Dialect) {
    let log = report.log.as_ref().expect("the client has left a log");
    let messages = recording::messages(log);
    assert!(
        messages.len() >= 4,
        "{} messages in {}",
        messages.len(),
        log.display()
    );
    let carrier = match dialect.carrier {
        Carrier::Xml => "xml",
        Carrier::Wbxml => "wbxml",
    };
    let version = match dialect.version {
        Version::V10 => "SyncML/1.0",
        Version::V11 => "SyncML/1.1",
        Version::V12 => "SyncML/1.2",
    };
    for message in &messages {
        assert_eq!(message.carrier, carrier, "{}", message.path.display());
        assert!(
            message.contains(version),
            "no {version} in {}",
            message.path.display()
        );
    }
    let auth = match dialect.auth {
        Auth::Basic => "syncml:auth-basic",
        Auth::Md5 => "syncml:auth-md5",
    };
    let mut from_client = messages.iter().filter(|message| message.sender == "client");
    assert!(
        from_client.any(|message| message.contains(auth)),
        "no {auth} in {}",
        log.display()
    );
}
