//! Phones that do things their own way, right or wrong: after each of them a phone that does all as it should be done,
//! and the server, have the same items as the odd one.

use std::cell::Cell;
use std::rc::Rc;

use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Auth, Behaviour, Luid, Memory, Mode, Phone, Post, Request, SessionIdStyle, Settings,
    TransportError,
};
use candybar::session;
use candybar::store::{Store, StoreConfig};
use candybar::sync::Secret;
use candybar::syncml::{Carrier, Code, Version};

use super::world::{card, name_and_number};

const STORE: &str = "contacts";

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;

struct Pair {
    odd: Phone<Box<Delivery>>,
    plain: Phone<Box<Delivery>>,
    clock: Rc<Cell<i64>>,
}

impl Pair {
    fn new(behaviour: Behaviour, change: impl Fn(&mut Settings)) -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let exchange = Exchange::new(
            store,
            ServerSettings {
                session: session::Settings::default(),
                session_timeout: 3600,
                nonce_secret: b"netsim".to_vec(),
            },
        );
        let clock = Rc::new(Cell::new(1_700_000_000));
        let phone = |id: &str, behaviour: Behaviour, settings: Settings| {
            let (server, time) = (exchange.clone(), clock.clone());
            let deliver: Box<Delivery> = Box::new(move |post| {
                time.set(time.get() + 1);
                let request = ServerRequest {
                    content_type: post.content_type,
                    body: post.body,
                    user_agent: None,
                    profile_header: None,
                    query: None,
                };
                let reply = server
                    .handle(request, time.get())
                    .expect("the server answers");
                Ok(Answer::ok(reply.content_type, reply.body))
            });
            Phone::new(settings, behaviour, Memory::new(id), deliver)
        };
        let settings = Settings::new("http://server/sync", "alice", "wonderland");
        let mut odd_settings = settings.clone();
        change(&mut odd_settings);
        Self {
            odd: phone("IMEI:odd", behaviour, odd_settings),
            plain: phone("IMEI:plain", Behaviour::default(), settings),
            clock,
        }
    }

    fn sync_odd(&mut self, mode: Mode) {
        self.clock.set(self.clock.get() + 300);
        let request = Request::new(&[STORE], mode, self.clock.get());
        self.odd
            .sync(&request)
            .unwrap_or_else(|error| panic!("the odd phone: {error}"));
    }

    fn sync_plain(&mut self) {
        self.clock.set(self.clock.get() + 300);
        let request = Request::new(&[STORE], Mode::TwoWay, self.clock.get());
        let report = self
            .plain
            .sync(&request)
            .unwrap_or_else(|error| panic!("the plain phone: {error}"));
        assert!(report.complaints.is_empty(), "{:?}", report.complaints);
    }

    /// Until both have seen what the other did.
    fn settle(&mut self) {
        for _ in 0..3 {
            self.sync_odd(Mode::TwoWay);
            self.sync_plain();
        }
    }

    fn assert_same(&self, expected: &[(&str, &str)]) {
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(name, number)| ((*name).to_owned(), (*number).to_owned()))
            .collect();
        expected.sort();
        assert_eq!(held(&self.odd), expected, "the odd phone");
        assert_eq!(held(&self.plain), expected, "the plain phone");
    }

    /// Adds, edits and deletes on both sides, with a sync between.
    fn live(mut self) {
        let one = self.odd.add(STORE, card("One", "1"));
        let two = self.odd.add(STORE, card("Two", "2"));
        self.plain.add(STORE, card("Three", "3"));
        self.plain.add(STORE, card("Four", "4"));
        self.settle();
        self.assert_same(&[("One", "1"), ("Two", "2"), ("Three", "3"), ("Four", "4")]);
        assert!(self.odd.replace(STORE, &one, card("One", "11")));
        assert!(self.odd.delete(STORE, &two));
        let three = luid_of(&self.plain, "Three");
        let four = luid_of(&self.plain, "Four");
        assert!(self.plain.replace(STORE, &three, card("Three", "33")));
        assert!(self.plain.delete(STORE, &four));
        self.plain.add(STORE, card("Five", "5"));
        self.settle();
        self.assert_same(&[("One", "11"), ("Three", "33"), ("Five", "5")]);
    }
}

fn held(phone: &Phone<Box<Delivery>>) -> Vec<(String, String)> {
    let mut held: Vec<_> = phone
        .items(STORE)
        .into_values()
        .map(|item| name_and_number(&item.body.0).expect("a card of ours"))
        .collect();
    held.sort();
    held
}

fn luid_of(phone: &Phone<Box<Delivery>>, name: &str) -> Luid {
    let items = phone.items(STORE);
    let found = items
        .iter()
        .find(|(_, item)| name_and_number(&item.body.0).is_some_and(|(of, _)| of == name));
    found
        .map(|(luid, _)| luid.clone())
        .unwrap_or_else(|| panic!("{name} is not on the phone"))
}

fn as_usual(_: &mut Settings) {}

macro_rules! odd {
    ($($name:ident: { $($field:ident: $value:expr),* $(,)? };)*) => {
        $(
            #[test]
            fn $name() {
                Pair::new(Behaviour { $($field: $value,)* ..Behaviour::default() }, as_usual).live();
            }
        )*
    };
}

odd! {
    every_new_item_is_a_replace: { add_as_replace: true };
    slow_syncs_send_adds: { slow_as_add: true };
    maps_come_in_the_next_session: { maps_late: true };
    maps_come_at_the_end: { maps_at_end: true };
    the_address_of_replies_is_ignored: { ignore_resp_uri: true };
    an_empty_sync_is_left_out: { empty_sync_omitted: true };
    alert_and_sync_come_at_once: { sync_without_init: true };
    all_commands_have_the_same_number: { duplicate_cmd_ids: true };
    a_challenge_begins_a_new_session: { restart_when_challenged: true };
    statuses_come_late: { statuses_grouped_late: true };
    an_exec_comes_along: { unknown_command: Some("Exec".to_owned()) };
    a_command_of_no_version_comes_along: { unknown_command: Some("Frobnicate".to_owned()) };
    targets_are_empty: { empty_target: true };
    the_first_last_anchor_is_zero: { first_last: Some("0".to_owned()) };
    luids_are_used_again: { reuse_luids: true };
    the_servers_anchor_is_compared: { check_server_anchor: true };
    memory_is_written_at_the_end: { write_at_end: true };
    sessions_are_all_number_one: { session_id: SessionIdStyle::Constant("1".to_owned()) };
}

#[test]
fn a_phone_whose_last_anchor_is_the_next_is_not_made_to_begin_anew() {
    let behaviour = Behaviour {
        last_equals_next: true,
        ..Behaviour::default()
    };
    let mut pair = Pair::new(behaviour.clone(), as_usual);
    pair.odd.add(STORE, card("One", "1"));
    pair.sync_odd(Mode::TwoWay);
    let request = Request::new(&[STORE], Mode::TwoWay, pair.clock.get() + 300);
    let report = pair.odd.sync(&request).expect("a sync");
    assert_eq!(report.datastores[0].used, Mode::TwoWay);
    assert_eq!(report.datastores[0].sent.total(), 0);
    Pair::new(behaviour, as_usual).live();
}

#[test]
fn every_version_carrier_and_kind_of_credentials() {
    for version in Version::ALL {
        for carrier in [Carrier::Xml, Carrier::Wbxml] {
            for auth in [Auth::Basic, Auth::Md5, Auth::Challenged] {
                Pair::new(Behaviour::default(), |settings| {
                    settings.version = version;
                    settings.carrier = carrier;
                    settings.auth = auth;
                })
                .live();
            }
        }
    }
}

#[test]
fn messages_as_small_as_a_motorola_wants_them() {
    for octets in [1_850, 2_500, 4_000] {
        Pair::new(Behaviour::default(), |settings| {
            settings.max_msg_size = octets
        })
        .live();
    }
}

#[test]
fn what_a_full_phone_or_a_picky_one_refuses_is_offered_again() {
    let behaviours = [
        Behaviour {
            device_full_after: Some(2),
            ..Behaviour::default()
        },
        Behaviour {
            refuse_item: Some("Four".to_owned()),
            ..Behaviour::default()
        },
    ];
    for behaviour in behaviours {
        let mut pair = Pair::new(behaviour, as_usual);
        for (name, number) in [("One", "1"), ("Two", "2"), ("Three", "3"), ("Four", "4")] {
            pair.plain.add(STORE, card(name, number));
        }
        pair.sync_plain();
        pair.sync_odd(Mode::TwoWay);
        assert!(held(&pair.odd).len() < 4, "something was refused");
        *pair.odd.client_mut().behaviour_mut() = Behaviour::default();
        pair.settle();
        pair.assert_same(&[("One", "1"), ("Two", "2"), ("Three", "3"), ("Four", "4")]);
    }
}

#[test]
fn a_command_that_the_server_does_not_know_is_told_so() {
    for (command, code) in [
        ("Exec", Code::NOT_IMPLEMENTED),
        ("Search", Code::FEATURE_NOT_SUPPORTED),
        ("Frobnicate", Code::NOT_IMPLEMENTED),
    ] {
        let behaviour = Behaviour {
            unknown_command: Some(command.to_owned()),
            ..Behaviour::default()
        };
        let mut pair = Pair::new(behaviour, as_usual);
        let request = Request::new(&[STORE], Mode::TwoWay, pair.clock.get());
        let report = pair.odd.sync(&request).expect("the sync goes on");
        assert_eq!(report.unknown_command, Some(code), "{command}");
    }
}
