//! Sessions that jump, overlap or never end.

use std::thread;

use candybar::handset::{Behaviour, Mode, PhaseJump};

use super::dialogue::{Dialogue, add, alert_222, codes, sync};
use super::target::{self, ACCOUNT, Target, card, names_on};

#[test]
fn a_sync_without_an_alert_is_405() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:jump", "1");
    let items = sync("contacts", &add(3, "1", &card("Jumper", 1)));
    let answer = dialogue.send(&items, true);
    assert_eq!(codes(&answer, "SyncHdr"), [212]);
    assert_eq!(codes(&answer, "Sync"), [405]);
    assert_eq!(codes(&answer, "Add"), [405]);
    // In the middle of nowhere.
    let mut dialogue = Dialogue::new(&target, "IMEI:jump", "2");
    dialogue.msg = 6;
    let answer = dialogue.send(&items, true);
    assert_eq!(codes(&answer, "SyncHdr"), [408]);
    assert_eq!(codes(&answer, "Add"), [0; 0]);
    target.unharmed();
    for jump in [PhaseJump::SyncFirst, PhaseJump::NoAlert] {
        let mut phone = target.phone(ACCOUNT, "IMEI:jump");
        phone.client_mut().memory_mut().session_counter = 10 + jump as u64;
        *phone.client_mut().behaviour_mut() = Behaviour {
            jump_phases: Some(jump),
            ..Behaviour::default()
        };
        phone.add("contacts", card(&format!("{jump:?}"), 1));
        let request = candybar::handset::Request::new(&["contacts"], Mode::Slow, 1_700_000_000);
        let result = phone.sync(&request);
        let names = target.names(ACCOUNT);
        let there = names.contains(&format!("{jump:?}"));
        let told = result.is_ok_and(|report| !report.has_failures());
        assert_eq!(
            there, told,
            "{jump:?}: what the phone was told is what is there"
        );
        target.sync();
    }
    target.alive();
}

#[test]
fn a_map_before_everything_changes_nothing() {
    let target = Target::start();
    let map = |datastore: &str| {
        format!(
            "<Map><CmdID>1</CmdID><Target><LocURI>./{datastore}</LocURI></Target><Source><LocURI>./contacts</LocURI></Source>\
             <MapItem><Target><LocURI>1</LocURI></Target><Source><LocURI>77</LocURI></Source></MapItem>\
             <MapItem><Target><LocURI>zzz</LocURI></Target><Source><LocURI>78</LocURI></Source></MapItem></Map>"
        )
    };
    let mut dialogue = Dialogue::new(&target, "IMEI:map", "1");
    let answer = dialogue.send(&(map("contacts") + &map("recipes")), true);
    assert_eq!(codes(&answer, "Map"), [200, 404]);
    target.unharmed();
    // A phone of that id gets all items all the same.
    let mut phone = target.phone(ACCOUNT, "IMEI:map");
    phone.client_mut().memory_mut().session_counter = 10;
    target::sync(&mut phone, Mode::TwoWay);
    assert_eq!(names_on(&phone), ["Witness"]);
}

#[test]
fn a_session_without_final_holds_nothing_up() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:endless", "1");
    dialogue.begin();
    for number in 0..100 {
        let body = card(&format!("Endless{number:03}"), 1);
        let answer = dialogue.send(
            &sync("contacts", &add(3, &number.to_string(), &body)),
            false,
        );
        assert_eq!(codes(&answer, "Add"), [201]);
        assert!(!answer.last);
    }
    // A phone that only asks for more is told to stop.
    let ends = (0..100).position(|_| dialogue.send(&alert_222(), false).last);
    assert!(ends.is_some_and(|asked| asked > 10), "{ends:?}");
    // What the phone was told to be taken is there, once, for others too.
    assert_eq!(target.names(ACCOUNT).len(), 101);
    target.sync();
    target.alive();
    assert_eq!(target.names(ACCOUNT), target.names_of_witness());
    // The phone begins anew, and nothing is doubled.
    let mut dialogue = Dialogue::new(&target, "IMEI:endless", "2");
    dialogue.begin();
    let items: String = (0..100_u32)
        .map(|number| {
            let body = card(&format!("Endless{number:03}"), 1);
            add(number + 3, &number.to_string(), &body)
        })
        .collect();
    let answer = dialogue.send(&sync("contacts", &items), true);
    dialogue.end(answer);
    assert_eq!(target.names(ACCOUNT).len(), 101);
    target.alive();
}

#[test]
fn statuses_that_a_phone_does_not_fetch_are_bounded() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:backlog", "1");
    dialogue.max_msg_size = "1000".to_owned();
    dialogue.begin();
    let unknown: String = (1..8_000)
        .map(|number| format!("<Boom><CmdID>{number}</CmdID></Boom>"))
        .collect();
    let before = size(&target);
    for _ in 0..40 {
        dialogue.msg += 1;
        let response = dialogue.respond(&unknown, false);
        assert!(response.body.len() < 10_000, "{}", response.body.len());
        if response.status != 200 {
            break;
        }
    }
    let grown = size(&target) - before;
    assert!(grown < 30_000_000, "the session takes {grown} octets");
    target.unharmed();
}

/// Octets of the database file, without what is in the log.
fn size(target: &Target) -> u64 {
    let size = |name| std::fs::metadata(target.program().file(name)).map_or(0, |data| data.len());
    size("candybar.db")
}

#[test]
fn msg_ids_that_jump_back_are_405_or_answered_as_before() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:back", "1");
    dialogue.begin();
    let item = |name: &str, luid: &str| sync("contacts", &add(3, luid, &card(name, 1)));
    let first = dialogue.send(&item("One", "1"), false);
    assert_eq!(codes(&first, "Add"), [201]);
    // The same octets: the same answer.
    assert_eq!(dialogue.send_again(&item("One", "1"), false), first);
    dialogue.send(&item("Two", "2"), false);
    // Others with an old number, and with numbers that are none.
    for msg in [2, 3, 0] {
        let now = dialogue.msg;
        dialogue.msg = msg;
        let answer = dialogue.send_again(&item("Old", "9"), false);
        assert_eq!(codes(&answer, "SyncHdr"), [405], "MsgID {msg}");
        dialogue.msg = now;
    }
    let answer = dialogue.send(&item("Three", "3"), true);
    dialogue.end(answer);
    assert_eq!(target.names(ACCOUNT), ["One", "Three", "Two", "Witness"]);
    target.sync();
    target.alive();
}

#[test]
fn the_newer_of_two_sessions_of_a_device_wins() {
    let target = Target::start();
    let item = |name: &str, luid: &str| sync("contacts", &add(3, luid, &card(name, 1)));
    let mut old = Dialogue::new(&target, "IMEI:twice", "1");
    old.begin();
    let answer = old.send(&item("One", "1"), false);
    assert_eq!(codes(&answer, "Add"), [201]);
    let mut new = Dialogue::new(&target, "IMEI:twice", "2");
    new.begin();
    // The older one is over.
    let answer = old.send(&item("Two", "2"), true);
    assert_eq!(codes(&answer, "SyncHdr"), [408]);
    assert_eq!(codes(&answer, "Add"), [0; 0]);
    let both = [add(3, "1", &card("One", 1)), add(4, "2", &card("Two", 1))];
    let answer = new.send(&sync("contacts", &both.concat()), true);
    new.end(answer);
    assert_eq!(target.names(ACCOUNT), ["One", "Two", "Witness"]);
    target.sync();
    target.alive();
}

#[test]
fn sessions_of_one_device_at_the_same_time_lose_and_double_nothing() {
    let target = Target::start();
    for _ in 0..3 {
        thread::scope(|scope| {
            for number in 0..4 {
                // Four copies of one phone, each with the same memory.
                let mut phone = target.phone(ACCOUNT, "IMEI:copies");
                scope.spawn(move || {
                    for name in 0..20 {
                        phone.add("contacts", card(&format!("Copy{name:02}"), 1));
                    }
                    // They end each other's sessions; what counts is what is there at the end.
                    let now = 1_700_000_000 + number;
                    let request = candybar::handset::Request::new(&["contacts"], Mode::Slow, now);
                    phone.sync(&request).ok();
                });
            }
        });
    }
    let mut phone = target.phone(ACCOUNT, "IMEI:copies");
    phone.client_mut().memory_mut().session_counter = 100;
    for name in 0..20 {
        phone.add("contacts", card(&format!("Copy{name:02}"), 1));
    }
    target::sync(&mut phone, Mode::Slow);
    let mut expected: Vec<String> = (0..20).map(|name| format!("Copy{name:02}")).collect();
    expected.push("Witness".to_owned());
    assert_eq!(target.names(ACCOUNT), expected);
    assert_eq!(names_on(&phone), expected);
    target.sync();
    assert_eq!(target.names_of_witness(), expected);
    target.alive();
}

#[test]
fn a_phone_that_uses_a_session_id_again_and_is_challenged_begins_anew() {
    let target = Target::start();
    let mut broken = Dialogue::new(&target, "IMEI:again", "1");
    broken.begin();
    // The phone lost power, and begins with the same SessionID, MD5, and no nonce: 401, then MsgID 2.
    let mut phone = target.phone(ACCOUNT, "IMEI:again");
    target::sync(&mut phone, Mode::TwoWay);
    assert_eq!(names_on(&phone), ["Witness"]);
}
