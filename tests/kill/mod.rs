//! `kill -9` of the server at random moments of slow syncs of 500 items over HTTP: the phone sends its message again to a
//! server that was started anew, or gives up and syncs anew. No item is lost, none is doubled, on either side.
//!
//! Every world is one seed; the moments are counted in messages and octets, not in time.

mod suspended;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use candybar::handset::{
    Auth, Behaviour, Luid, Memory, Mode, Phone, PhoneError, Request, Settings, TransportError,
};
use candybar::syncml::{Carrier, Version};

use crate::support::program::Program;
use wire::{Moment, Random, Wire};

const ACCOUNT: (&str, &str) = ("tester", "sync-it-7");
const STORE: &str = "contacts";
const ITEMS: usize = 500;

/// Kills of one world, of which there are four.
const KILLS: usize = 16;

#[test]
fn wbxml_1_2_md5() {
    World::new(
        1,
        Carrier::Wbxml,
        Version::V12,
        Auth::Md5,
        Behaviour::default(),
    )
    .live();
}

#[test]
fn xml_1_2_basic_with_maps_in_the_next_session() {
    let behaviour = Behaviour {
        maps_late: true,
        ..Behaviour::default()
    };
    World::new(2, Carrier::Xml, Version::V12, Auth::Basic, behaviour).live();
}

#[test]
fn wbxml_1_1_without_separate_initialisation() {
    let behaviour = Behaviour {
        sync_without_init: true,
        ..Behaviour::default()
    };
    World::new(3, Carrier::Wbxml, Version::V11, Auth::Basic, behaviour).live();
}

#[test]
fn wbxml_1_2_with_maps_at_the_end_and_adds_in_slow_syncs() {
    let behaviour = Behaviour {
        maps_at_end: true,
        slow_as_add: true,
        ..Behaviour::default()
    };
    World::new(4, Carrier::Wbxml, Version::V12, Auth::Md5, behaviour).live();
}

/// A name and everything that the card says of it.
type Cards = Vec<(String, String)>;

struct World {
    seed: u64,
    server: Rc<RefCell<Program>>,
    phones: Vec<Phone<Wire>>,
    random: Random,
    sessions: i64,
    /// A phone that gave up may choose a slow sync.
    slow: bool,
    /// What everyone has to hold at the end.
    expected: BTreeMap<String, String>,
    /// What happened; shown if the world fails.
    log: Vec<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- seed {}\n{}", self.seed, self.log.join("\n"));
        }
    }
}

impl World {
    fn new(
        seed: u64,
        carrier: Carrier,
        version: Version,
        auth: Auth,
        behaviour: Behaviour,
    ) -> Self {
        // Small messages in both directions, so that a session has many of them.
        let server = Program::start("[sync]\nmax_message_bytes = 6000\n", &[ACCOUNT]);
        let server = Rc::new(RefCell::new(server));
        let phone = |number: u64| {
            let mut settings = Settings::new(&server.borrow().url(), ACCOUNT.0, ACCOUNT.1);
            settings.carrier = carrier;
            settings.version = version;
            settings.auth = auth;
            settings.max_msg_size = 5_000;
            let wire = Wire::new(Rc::clone(&server), seed * 100 + number);
            let memory = Memory::new(format!("IMEI:{seed}{number}"));
            Phone::new(settings, behaviour.clone(), memory, wire)
        };
        Self {
            seed,
            phones: vec![phone(1), phone(2)],
            server,
            random: Random(seed),
            sessions: 0,
            slow: true,
            expected: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn live(mut self) {
        for number in 0..ITEMS {
            let name = format!("Person{number}");
            self.write(0, &name, None);
        }
        self.sync(0, Mode::Slow, 5);
        self.check("the upload", &[0]);
        self.sync(1, Mode::TwoWay, 5);
        self.check("the download", &[0, 1]);
        self.edit();
        // A slow sync does not say what was deleted, so there is none until both know.
        self.slow = false;
        for phone in [0, 1, 0] {
            self.sync(phone, Mode::TwoWay, 1);
        }
        self.check("edits on both sides", &[0, 1]);
        self.slow = true;
        while self.kills().len() < KILLS {
            let phone = self.random.below(2) as usize;
            self.sync(phone, Mode::Slow, 3);
        }
        for phone in [0, 1, 0] {
            self.sync(phone, Mode::TwoWay, 0);
        }
        self.check("everything", &[0, 1]);
        let kills = self.kills();
        let kinds: BTreeSet<Moment> = kills.iter().copied().collect();
        assert!(kinds.len() > 3, "the kills are all of one kind: {kills:?}");
    }

    fn kills(&mut self) -> Vec<Moment> {
        let phones = self.phones.iter_mut();
        phones
            .flat_map(|phone| phone.transport_mut().kills().to_vec())
            .collect()
    }

    /// Adds the card of that name, or changes it.
    fn write(&mut self, phone: usize, name: &str, luid: Option<&Luid>) {
        let rest = format!(
            "+46{:08} and {:016x}",
            self.random.below(100_000_000),
            self.random.below(u64::MAX)
        );
        let (number, note) = rest.split_once(" and ").expect("made so");
        let body = format!(
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL;CELL:{number}\r\nNOTE:{note}\r\nEND:VCARD\r\n"
        );
        match luid {
            Some(luid) => assert!(self.phones[phone].replace(STORE, luid, body)),
            None => {
                self.phones[phone].add(STORE, body);
            }
        }
        self.expected.insert(name.to_owned(), rest);
    }

    /// Both users change, delete and add items; never the same item on both phones.
    fn edit(&mut self) {
        for phone in 0..2 {
            let items = self.phones[phone].items(STORE);
            for (luid, item) in items {
                let (name, _) = card(&item.body.0);
                let number: usize = name["Person".len()..].parse().expect("a number");
                if number % 40 == 4 + phone {
                    self.write(phone, &name, Some(&luid));
                } else if number % 40 == 24 + phone {
                    assert!(self.phones[phone].delete(STORE, &luid));
                    self.expected.remove(&name);
                }
            }
            for number in 0..20 {
                let name = format!("Person{}", ITEMS + 1000 * (phone + 1) + number);
                self.write(phone, &name, None);
            }
        }
    }

    /// Syncs until a session ends well, while the server dies so many times.
    fn sync(&mut self, phone: usize, mode: Mode, kills: u32) {
        self.phones[phone].transport_mut().kill(kills);
        let mut mode = mode;
        for _ in 0..=kills {
            self.sessions += 1;
            let request = Request::new(&[STORE], mode, 1_700_000_000 + self.sessions);
            let result = self.phones[phone].sync(&request);
            let so_far = self.phones[phone].transport_mut().kills().to_vec();
            self.log
                .push(format!("phone {phone} {mode:?}: {result:?}; {so_far:?}"));
            match result {
                Ok(report) => {
                    let seed = self.seed;
                    assert!(!report.has_failures(), "seed {seed}: {report:?}");
                    assert!(report.complaints.is_empty(), "seed {seed}: {report:?}");
                    self.phones[phone].transport_mut().kill(0);
                    return;
                }
                Err(PhoneError::Transport(TransportError::Gone | TransportError::Lost(_))) => {
                    if self.slow {
                        mode = [Mode::TwoWay, Mode::Slow][self.random.below(2) as usize];
                    }
                }
                Err(error) => panic!("seed {}: {error}", self.seed),
            }
        }
        panic!("seed {}: more failures than kills", self.seed);
    }

    /// These phones and the server hold what is expected, each item once.
    fn check(&self, when: &str, phones: &[usize]) {
        let seed = self.seed;
        let expected: Cards = self.expected.clone().into_iter().collect();
        let export = self
            .server
            .borrow()
            .command(&["export", ACCOUNT.0, STORE, "--format", "vcard"]);
        let cards = export
            .split_inclusive("END:VCARD")
            .filter(|text| text.contains("BEGIN:VCARD"));
        assert_same(
            &format!("seed {seed}, after {when}: the export"),
            &expected,
            sorted(cards.map(|text| card(text.as_bytes()))),
        );
        for phone in phones {
            let items = self.phones[*phone].items(STORE);
            assert_same(
                &format!("seed {seed}, after {when}: phone {phone}"),
                &expected,
                sorted(items.into_values().map(|item| card(&item.body.0))),
            );
        }
    }
}

fn sorted(cards: impl Iterator<Item = (String, String)>) -> Cards {
    let mut cards: Cards = cards.collect();
    cards.sort();
    cards
}

fn assert_same(context: &str, expected: &Cards, actual: Cards) {
    let missing: Vec<_> = expected
        .iter()
        .filter(|card| !actual.contains(card))
        .collect();
    let strange: Vec<_> = actual
        .iter()
        .filter(|card| !expected.contains(card))
        .collect();
    let doubled: Vec<_> = actual
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .collect();
    assert!(
        *expected == actual,
        "{context}: {} items are missing, {} are strange, {} are doubled\n{missing:?}\n{strange:?}\n{doubled:?}",
        missing.len(),
        strange.len(),
        doubled.len()
    );
}

/// Name, and number and note together.
fn card(body: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(body);
    let value = |name: &str| {
        let found: Vec<&str> = text
            .lines()
            .filter(|line| line.split([':', ';']).next() == Some(name))
            .filter_map(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
            .collect();
        assert_eq!(found.len(), 1, "{name} in {text}");
        found[0].to_owned()
    };
    let name = value("N");
    let name = name.split(';').next().unwrap_or_default().to_owned();
    (name, format!("{} and {}", value("TEL"), value("NOTE")))
}
