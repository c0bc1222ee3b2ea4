//! Sessions that a phone suspends (Alert 224) and resumes (225), while the server is ended or killed in between: at every
//! other message of a slow sync up and of one down, with an object of many chunks among the items. The real server, over HTTP.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use candybar::handset::{Auth, Behaviour, Memory, Mode, Phone, PhoneError, Request, Settings};

use super::wire::Wire;
use super::{ACCOUNT, STORE};
use crate::support::program::Program;

/// Small items.
const ITEMS: usize = 30;
/// Octets of the note of the large one; a message has 5,000.
const LARGE: usize = 30_000;

/// How the server goes while the session is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// By SIGTERM, as it is restarted.
    Orderly,
    /// By SIGKILL.
    Killed,
}

struct World {
    server: Rc<RefCell<Program>>,
    sessions: i64,
    suspended: u32,
}

impl World {
    fn phone(&self, number: u64) -> Phone<Wire> {
        let behaviour = Behaviour {
            resumes: true,
            ..Behaviour::default()
        };
        let mut settings = Settings::new(&self.server.borrow().url(), ACCOUNT.0, ACCOUNT.1);
        settings.auth = Auth::Md5;
        settings.max_msg_size = 5_000;
        let wire = Wire::new(Rc::clone(&self.server), number);
        Phone::new(
            settings,
            behaviour,
            Memory::new(format!("IMEI:suspended{number}")),
            wire,
        )
    }

    /// One session; false if it was suspended.
    fn sync(&mut self, phone: &mut Phone<Wire>, suspend_after: Option<u32>) -> bool {
        phone.client_mut().behaviour_mut().suspend_after = suspend_after;
        self.sessions += 1;
        let request = Request::new(&[STORE], Mode::Slow, 1_700_000_000 + self.sessions);
        match phone.sync(&request) {
            Ok(report) => {
                assert!(!report.has_failures(), "{report:?}");
                assert!(report.complaints.is_empty(), "{report:?}");
                true
            }
            Err(PhoneError::Suspended) => false,
            Err(error) => panic!("suspended after {suspend_after:?}: {error}"),
        }
    }

    /// Suspended after one message more each time, while the server goes in between, until a session ends well.
    fn sync_through(&mut self, phone: &mut Phone<Wire>, ends: Ends) {
        for after in [1, 2, 3, 4, 6, 9] {
            if self.sync(phone, Some(after)) {
                return;
            }
            self.suspended += 1;
            let mut server = self.server.borrow_mut();
            match ends {
                Ends::Orderly => server.end(),
                Ends::Killed => server.kill(),
            }
            server.restart();
        }
        assert!(self.sync(phone, None));
    }

    fn names_on_server(&self) -> Vec<String> {
        let server = self.server.borrow();
        let export = server.command(&["export", ACCOUNT.0, STORE, "--format", "vcard"]);
        names(export.split_inclusive("END:VCARD"))
    }
}

/// The family names of cards, and how many pieces their notes have.
fn names<'a>(cards: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = cards
        .filter_map(|card| {
            let unfolded = card.replace("\r\n ", "");
            let name = unfolded.lines().find_map(|line| line.strip_prefix("N:"))?;
            let octets = unfolded.matches('x').count();
            Some(format!("{} {octets}", name.split(';').next()?))
        })
        .collect();
    found.sort();
    found
}

fn on_phone(phone: &Phone<Wire>) -> Vec<String> {
    let items = phone.items(STORE);
    let bodies: Vec<String> = items
        .values()
        .map(|item| String::from_utf8_lossy(&item.body.0).into_owned())
        .collect();
    names(bodies.iter().map(String::as_str))
}

fn suspended_and_resumed(ends: Ends) {
    let server = Program::start("[sync]\nmax_message_bytes = 6000\n", &[ACCOUNT]);
    let mut world = World {
        server: Rc::new(RefCell::new(server)),
        sessions: 0,
        suspended: 0,
    };
    let card = |name: &str, note: &str| {
        format!(
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL;CELL:1\r\nNOTE:{note}\r\nEND:VCARD\r\n"
        )
    };
    let (mut giver, mut taker) = (world.phone(1), world.phone(2));
    let mut expected = Vec::new();
    for number in 0..ITEMS {
        giver.add(STORE, card(&format!("Person{number}"), "short"));
        expected.push(format!("Person{number} 0"));
    }
    // No two parts of it are alike.
    let pieces = LARGE / 7;
    let note: String = (0..pieces).map(|number| format!("{number:06}x")).collect();
    giver.add(STORE, card("Large", &note));
    expected.push(format!("Large {pieces}"));
    expected.sort();

    world.sync_through(&mut giver, ends);
    assert_eq!(world.names_on_server(), expected, "{ends:?}");
    let up = world.suspended;
    world.sync_through(&mut taker, ends);
    assert_eq!(on_phone(&taker), expected, "{ends:?}");
    assert_eq!(world.names_on_server(), expected, "{ends:?}");
    let down = world.suspended - up;
    assert!(up >= 4 && down >= 4, "{up} and {down} were suspended");
    let log = world.server.borrow().log();
    let resumed = log.matches("resumes its last session").count();
    assert!(resumed >= 6, "{resumed} were resumed");
    // And nothing is left to do.
    let distinct: BTreeSet<_> = on_phone(&giver).into_iter().collect();
    assert_eq!(distinct.len(), ITEMS + 1);
}

#[test]
fn the_server_is_restarted() {
    suspended_and_resumed(Ends::Orderly);
}

#[test]
fn the_server_is_killed() {
    suspended_and_resumed(Ends::Killed);
}
