//! Sessions that end in the middle because the client or the server is killed, and what the next ones make of it: nothing is
//! lost and nothing doubled. The moments are counted in messages, not in time; a portrait larger than thirty messages is
//! among the items, so that many of them lie within it.

use std::collections::BTreeMap;

use crate::support::datastore::{Datastore, Items};
use crate::support::fields;
use crate::support::gate::Hold;
use crate::support::server::SyncServer;
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Mode, Phone, Version};

use super::edits::{self, Hand};
use super::portraits;
use super::world::{Dies, World, bodies};

/// Messages at which a session is cut, one session after the other; the last ones lie within the portrait.
const MOMENTS: [(u32, Hold); 6] = [
    (1, Hold::Answer),
    (2, Hold::Answer),
    (3, Hold::Request),
    (4, Hold::Answer),
    (9, Hold::Answer),
    (20, Hold::Request),
];

struct Scenario {
    world: World,
    a: Phone,
    b: Phone,
    truth: BTreeMap<Datastore, Items>,
    dies: Dies,
    cuts: u32,
}

impl Scenario {
    fn new(name: &str, carrier: Carrier, version: Version, dies: Dies) -> Self {
        let world = World::start("[sync]\nmax_message_bytes = 12000\n");
        let dialect = Dialect {
            max_message: 10_240,
            ..Dialect::new(carrier, version, Auth::Md5)
        };
        let mut truth: BTreeMap<Datastore, Items> =
            Datastore::ALL.map(|of| (of, of.seeds())).into();
        let contacts = truth.get_mut(&Datastore::Contacts).expect("seeds");
        contacts.insert("large".to_owned(), portraits::card("Gross", 7));
        Self {
            a: Phone::new(&world, &format!("sc-pim-cut-{name}-a"), &dialect),
            b: Phone::new(&world, &format!("sc-pim-cut-{name}-b"), &dialect),
            world,
            truth,
            dies,
            cuts: 0,
        }
    }

    /// Cut off again and again, then through.
    fn sync(&mut self, hand: Hand, mode: Mode) {
        let phone = match hand {
            Hand::A => &self.a,
            Hand::B => &self.b,
        };
        for (at, hold) in MOMENTS {
            // What SyncEvolution deleted it tells once: it forgets that with a request that is lost, and nobody can know of it. The
            // virtual phone, which does not, has its requests lost in `netsim`.
            let hold = match mode {
                Mode::TwoWay => Hold::Answer,
                _ => hold,
            };
            self.cuts += u32::from(self.world.cut(phone, mode, at, hold, self.dies));
        }
        // The client asks for a slow sync itself where it has lost what it knew. Of an object in parts it confirms parts that
        // it forgets when it is cut off: resumed, it answers 424, and gets the whole object in the session after.
        if !phone.sync(Mode::TwoWay, &Datastore::ALL).success {
            phone.sync_well(Mode::TwoWay, &Datastore::ALL);
        }
    }

    fn edit(&mut self, hand: Hand) {
        let edits = edits::of_seeds(hand);
        match hand {
            Hand::A => self.a.edit(&edits),
            Hand::B => self.b.edit(&edits),
        }
        for (datastore, edit) in &edits {
            edit.apply(self.truth.get_mut(datastore).expect("all are there"));
        }
    }

    fn check(&self, when: &str, phones: &[&Phone]) {
        for datastore in Datastore::ALL {
            let expected = bodies(&self.truth[&datastore]);
            let context = format!("the server after {when}");
            fields::assert_same(&context, datastore, &expected, &self.world.items(datastore));
            for (number, phone) in phones.iter().enumerate() {
                let context = format!("phone {number} after {when}");
                fields::assert_same(&context, datastore, &expected, &phone.bodies(datastore));
            }
        }
    }

    fn play(mut self) {
        for (datastore, items) in &self.truth {
            self.a.put_all(*datastore, items);
        }
        self.sync(Hand::A, Mode::Slow);
        self.check("a slow sync up that was cut off", &[&self.a]);
        self.sync(Hand::B, Mode::Slow);
        self.check("a slow sync down that was cut off", &[&self.a, &self.b]);
        let before = self.cuts;
        assert!(before >= 10, "{before} sessions were cut off");
        self.edit(Hand::A);
        self.edit(Hand::B);
        self.sync(Hand::A, Mode::TwoWay);
        self.sync(Hand::B, Mode::TwoWay);
        self.sync(Hand::A, Mode::TwoWay);
        self.check("edits in sessions that were cut off", &[&self.a, &self.b]);
        let edits = self.cuts - before;
        assert!(edits >= 6, "{edits} sessions with edits were cut off");
    }
}

#[test]
fn the_client_is_killed() {
    if syncevolution::present() {
        Scenario::new("client", Carrier::Wbxml, Version::V12, Dies::Client).play();
    }
}

#[test]
fn the_server_is_killed() {
    if syncevolution::present() {
        Scenario::new("server", Carrier::Wbxml, Version::V12, Dies::Server).play();
    }
}

#[test]
fn the_server_is_killed_under_xml_11() {
    if syncevolution::present() {
        Scenario::new("server-xml", Carrier::Xml, Version::V11, Dies::Server).play();
    }
}
