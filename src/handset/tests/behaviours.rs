//! Each behaviour does what it says, and what the server sees of it.

use super::peer::PeerAuth;
use super::*;
use crate::handset::{
    DeviceInfo, Direction, Failure, Luid, PhaseJump, PhoneError, SessionIdStyle, StateFile,
};
use crate::syncml::Code;

fn behaving(set: fn(&mut Behaviour)) -> (Phone<impl Transport + use<>>, Shared) {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    sync(&mut phone, &peer, Mode::TwoWay);
    let mut behaviour = Behaviour::default();
    set(&mut behaviour);
    *phone.client_mut().behaviour_mut() = behaviour;
    (phone, peer)
}

fn luid_of<T: Transport>(phone: &Phone<T>, body: &str) -> Luid {
    let items = phone.items("notes");
    let found = items
        .iter()
        .find(|(_, item)| item.body.0 == body.as_bytes());
    found.expect("an item of the phone").0.clone()
}

#[test]
fn add_as_replace() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.add_as_replace = true);
    phone.add("notes", "two");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[1], "Sync[Replace] Final");
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one", "two"]);
}

#[test]
fn slow_as_add() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.slow_as_add = true);
    sync(&mut phone, &peer, Mode::Slow);
    assert_eq!(flow(&peer)[1], "Sync[Add] Final");
}

#[test]
fn maps_late() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.maps_late = true);
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[2], "Final");
    assert_eq!(peer.borrow_mut().store("notes").items["g1"].luid, None);
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        ["Alert:200 Final", "Map:1 Sync[] Final", "Final"]
    );
    let luid = luid_of(&phone, "theirs").0;
    assert_eq!(
        peer.borrow_mut().store("notes").items["g1"].luid,
        Some(luid)
    );
    assert_eq!(
        bodies(&phone),
        ["one", "theirs"],
        "the server does not add it again"
    );
}

#[test]
fn maps_at_end() {
    for at_end in [false, true] {
        let (mut phone, peer) = behaving(|_| {});
        phone.client_mut().behaviour_mut().maps_at_end = at_end;
        peer.borrow_mut().per_message = 1;
        peer.borrow_mut().store("notes").put("g1", "theirs");
        peer.borrow_mut().store("notes").put("g2", "too");
        sync(&mut phone, &peer, Mode::TwoWay);
        let expected = if at_end {
            ["Alert:222", "Map:2 Final"]
        } else {
            ["Map:1", "Map:1 Final"]
        };
        assert_eq!(flow(&peer)[2..], expected);
    }
}

#[test]
fn no_maps() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.no_maps = true);
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[2], "Final");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        bodies(&phone),
        ["one", "theirs", "theirs"],
        "this peer knows no better"
    );
}

#[test]
fn an_add_that_comes_again_before_its_map_is_not_doubled() {
    let (mut phone, peer) = behaving(|_| {});
    peer.borrow_mut().map_code = Some(Code::COMMAND_FAILED);
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        phone.memory().datastores["notes"].cached_maps.len(),
        1,
        "the server failed"
    );
    peer.borrow_mut().store("notes").put("g1", "theirs, newer");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        ["Alert:200 Final", "Map:1 Sync[] Final", "Map:1 Final"]
    );
    assert_eq!(bodies(&phone), ["one", "theirs, newer"]);
}

#[test]
fn a_refused_map_is_forgotten() {
    let (mut phone, peer) = behaving(|_| {});
    peer.borrow_mut().map_code = Some(Code::NOT_FOUND);
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert!(phone.memory().datastores["notes"].cached_maps.is_empty());
}

#[test]
fn empty_sync_omitted() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.empty_sync_omitted = true);
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer), ["Alert:200 Final", "Final", "Final"]);
    phone.add("notes", "two");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[1], "Sync[Add] Final");
}

#[test]
fn sync_without_init() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.sync_without_init = true);
    phone.add("notes", "two");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer), ["Alert:200 Sync[Add] Final", "Map:1 Final"]);
    assert_eq!(report.messages, 2);
    assert_eq!(bodies(&phone), ["one", "theirs", "two"]);
    assert_eq!(
        peer.borrow_mut().store("notes").bodies(),
        ["one", "theirs", "two"]
    );
}

#[test]
fn sync_without_init_is_sent_again_when_a_refresh_is_required() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.sync_without_init = true);
    phone.add("notes", "two");
    peer.borrow_mut()
        .alert_codes
        .insert("notes", Code::REFRESH_REQUIRED);
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        [
            "Alert:200 Sync[Add] Final",
            "Sync[Replace Replace] Final",
            "Final"
        ]
    );
    let notes = report.datastore("notes").expect("asked for");
    assert_eq!(
        (notes.used, notes.sent.replaces, notes.failures.len()),
        (Mode::Slow, 2, 0)
    );
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one", "two"]);
}

#[test]
fn jump_phases_with_an_alert_that_comes_late() {
    let (mut phone, peer) = behaving(|b| b.jump_phases = Some(PhaseJump::SyncFirst));
    peer.borrow_mut().strict_phases = true;
    phone.add("notes", "two");
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        ["Sync[Add] Alert:200 Final", "Sync[Add] Final", "Final"]
    );
    assert!(!report.has_failures());
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one", "two"]);
}

#[test]
fn jump_phases_without_alert() {
    let (mut phone, peer) = behaving(|b| b.jump_phases = Some(PhaseJump::NoAlert));
    peer.borrow_mut().strict_phases = true;
    phone.add("notes", "two");
    let before = phone.memory().datastores["notes"].last_anchor.clone();
    let error = phone.sync(&request(Mode::TwoWay)).expect_err("refused");
    let PhoneError::Failed(Failure::DatastoresRefused(code)) = error else {
        panic!("{error}")
    };
    assert_eq!(code, Code::COMMAND_NOT_ALLOWED);
    assert_eq!(phone.memory().datastores["notes"].last_anchor, before);
}

#[test]
fn duplicate_cmd_ids() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.duplicate_cmd_ids = true);
    phone.add("notes", "two");
    phone.add("notes", "bad");
    peer.borrow_mut()
        .item_codes
        .push(("bad", Code::COMMAND_FAILED));
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    let notes = report.datastore("notes").expect("asked for");
    assert_eq!(
        (notes.sent.adds, notes.failures.len()),
        (1, 1),
        "told apart by SourceRef"
    );
    assert_eq!(notes.failures[0].id, luid_of(&phone, "bad").0);
    let peer = peer.borrow();
    assert!(
        peer.requests
            .iter()
            .flat_map(|m| &m.body)
            .all(|command| command.cmd_id() == "1")
    );
}

#[test]
fn restart_when_challenged() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.restart_when_challenged = true);
    phone.client_mut().memory_mut().devinf_sent = None;
    peer.borrow_mut().auth = PeerAuth::Md5;
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        [
            "Put Alert:200 Final",
            "Alert:200 Final",
            "Sync[] Final",
            "Final"
        ]
    );
    let peer = peer.borrow();
    let ids: Vec<_> = peer
        .requests
        .iter()
        .map(|m| (&*m.header.session_id, &*m.header.msg_id))
        .collect();
    assert_eq!(ids, [("2", "1"), ("3", "1"), ("3", "2"), ("3", "3")]);
    assert_eq!(report.session_id, "3");
}

#[test]
fn no_user_name() {
    let (mut phone, peer) = behaving(|_| {});
    let named = |peer: &Shared| peer.borrow().requests[0].header.source.name.clone();
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(named(&peer).as_deref(), Some("Bruce2"));
    phone.client_mut().behaviour_mut().no_user_name = true;
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(named(&peer), None);
}

#[test]
fn statuses_grouped_late() {
    for late in [false, true] {
        let (mut phone, peer) = behaving(|_| {});
        phone.client_mut().behaviour_mut().statuses_grouped_late = late;
        peer.borrow_mut().per_message = 1;
        peer.borrow_mut().store("notes").put("g1", "theirs");
        peer.borrow_mut().store("notes").put("g2", "too");
        sync(&mut phone, &peer, Mode::TwoWay);
        let peer = peer.borrow();
        let adds = |index: usize| {
            statuses(&peer.requests[index])
                .iter()
                .filter(|(cmd, _)| cmd == "Add")
                .count()
        };
        assert_eq!((adds(2), adds(3)), if late { (0, 2) } else { (1, 1) });
    }
}

#[test]
fn crash_after_keeps_what_was_written() {
    for at_end in [false, true] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = StateFile::new(folder.path().join("phone.json"));
        let (mut phone, peer) = behaving(|behaviour| behaviour.crash_after = Some(3));
        phone.client_mut().behaviour_mut().write_at_end = at_end;
        phone = phone.with_file(file.clone());
        phone.save().expect("writable");
        peer.borrow_mut().store("notes").put("g1", "theirs");
        let error = phone
            .sync(&request(Mode::TwoWay))
            .expect_err("the battery is out");
        assert!(matches!(error, PhoneError::BatteryOut), "{error}");
        assert_eq!(
            peer.borrow().requests.len(),
            3 + 3,
            "the third message arrived"
        );
        let kept: &[&str] = if at_end { &["one"] } else { &["one", "theirs"] };
        assert_eq!(bodies(&phone), kept);
        let written = file.load().expect("readable").expect("it was written");
        assert_eq!(written.datastores["notes"].items.len(), kept.len());
        assert_eq!(
            written.datastores["notes"].last_anchor.as_deref(),
            Some("20041109T113320Z")
        );
    }
}

#[test]
fn device_full_after() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.device_full_after = Some(2));
    peer.borrow_mut().store("notes").put("g1", "theirs");
    peer.borrow_mut().store("notes").put("g2", "too");
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(bodies(&phone), ["one", "theirs"]);
    let failures = &report.datastore("notes").expect("asked for").failures;
    assert_eq!(failures.len(), 1);
    let failure = (
        failures[0].direction,
        failures[0].id.as_str(),
        failures[0].code,
    );
    assert_eq!(failure, (Direction::Received, "g2", Code::DEVICE_FULL));
    let peer = peer.borrow();
    let codes: Vec<_> = statuses(&peer.requests[2])
        .into_iter()
        .filter(|s| s.0 == "Add")
        .collect();
    assert_eq!(codes, [("Add".into(), 201), ("Add".into(), 420)]);
}

#[test]
fn refuse_item() {
    let (mut phone, peer) = behaving(|b| b.refuse_item = Some("PHOTO".into()));
    peer.borrow_mut().store("notes").put("g1", "a PHOTO");
    peer.borrow_mut().store("notes").put("g2", "text");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(bodies(&phone), ["one", "text"]);
    assert!(statuses(&peer.borrow().requests[2]).contains(&("Add".into(), 415)));
    assert_eq!(flow(&peer)[2], "Map:1 Final");
}

#[test]
fn lose_unknown_properties() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.lose_unknown_properties = true);
    phone.client_mut().settings_mut().devinf =
        DeviceInfo::default().limited("notes", &["N", "TEL"]);
    peer.borrow_mut()
        .store("notes")
        .put("g1", "BEGIN:VCARD\r\nN:A\r\nNOTE:x\r\nEND:VCARD\r\n");
    sync(&mut phone, &peer, Mode::TwoWay);
    let card = "BEGIN:VCARD\r\nN:A\r\nEND:VCARD\r\n";
    let luid = luid_of(&phone, card);
    phone.replace(
        "notes",
        &luid,
        "BEGIN:VCARD\r\nN:B\r\nTEL:1\r\nNOTE:y\r\nEND:VCARD\r\n",
    );
    sync(&mut phone, &peer, Mode::TwoWay);
    let sent = "BEGIN:VCARD\r\nN:B\r\nTEL:1\r\nEND:VCARD\r\n";
    assert_eq!(peer.borrow_mut().store("notes").bodies(), [sent, "one"]);
}

#[test]
fn session_id_styles() {
    for (style, expected) in [
        (SessionIdStyle::Counter, "11"),
        (SessionIdStyle::Hexadecimal, "B"),
        (SessionIdStyle::Padded, "0011"),
        (SessionIdStyle::Time, "1100000000"),
        (SessionIdStyle::Constant("1".into()), "1"),
    ] {
        let (mut phone, peer) = behaving(|_| {});
        phone.client_mut().behaviour_mut().session_id = style;
        phone.client_mut().memory_mut().session_counter = 10;
        let report = phone.sync(&request(Mode::TwoWay)).expect("a session");
        assert_eq!(report.session_id, expected);
        assert_eq!(
            peer.borrow()
                .requests
                .last()
                .expect("some")
                .header
                .session_id,
            expected
        );
    }
}

#[test]
fn unknown_command() {
    for (name, code) in [("Frobnicate", 501), ("Exec", 406), ("Search", 406)] {
        for carrier in [Carrier::Xml, Carrier::Wbxml] {
            let settings = settings(Version::V12, carrier);
            let peer = Peer::shared(&settings);
            let behaviour = Behaviour {
                unknown_command: Some(name.into()),
                ..Behaviour::default()
            };
            let mut phone = phone(&settings, behaviour, &peer);
            phone.add("notes", "one");
            let report = sync(&mut phone, &peer, Mode::TwoWay);
            assert_eq!(report.unknown_command, Some(Code(code)));
            assert_eq!(flow(&peer)[1], format!("{name} Sync[Replace] Final"));
            assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one"]);
        }
    }
}

#[test]
fn empty_target() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.empty_target = true);
    phone.add("notes", "two");
    sync(&mut phone, &peer, Mode::TwoWay);
    let peer = peer.borrow();
    let Command::Alert(alert) = &peer.requests[0].body[0] else {
        panic!("an Alert")
    };
    assert_eq!(
        alert.items[0].target.as_ref().map(|target| &*target.uri),
        Some("")
    );
    assert_eq!(
        alert.items[0].source.as_ref().map(|source| &*source.uri),
        Some("./notes")
    );
    assert_eq!(peer.stores["notes"].bodies(), ["one", "two"]);
}

#[test]
fn odd_last_anchors() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.last_equals_next = true);
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        report.datastore("notes").expect("asked for").used,
        Mode::Slow
    );

    let (mut phone, peer) = pair(Behaviour {
        first_last: Some("0".into()),
        ..Behaviour::default()
    });
    sync(&mut phone, &peer, Mode::TwoWay);
    let peer = peer.borrow();
    let alert = peer.requests[0]
        .body
        .iter()
        .find_map(|command| match command {
            Command::Alert(alert) => Some(alert),
            _ => None,
        });
    let meta = alert.expect("an Alert").items[0]
        .meta
        .clone()
        .expect("Meta");
    assert_eq!(meta.anchor.expect("an anchor").last.as_deref(), Some("0"));
}

#[test]
fn reuse_luids() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.reuse_luids = true);
    let one = luid_of(&phone, "one");
    phone.delete("notes", &one);
    assert_eq!(phone.add("notes", "other"), one);
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[1], "Sync[Replace] Final");
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["other"]);
}

#[test]
fn check_server_anchor() {
    let (mut phone, peer) = behaving(|behaviour| behaviour.check_server_anchor = true);
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        report.datastore("notes").expect("asked for").used,
        Mode::TwoWay
    );
    peer.borrow_mut().store("notes").anchor = 77;
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        report.datastore("notes").expect("asked for").used,
        Mode::Slow
    );
    assert!(statuses(&peer.borrow().requests[1]).contains(&("Alert".into(), 508)));
    assert_eq!(flow(&peer)[1], "Sync[Replace] Final");
}
