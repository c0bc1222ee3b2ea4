//! Package flow and effect of the kinds of sync.

use super::*;
use crate::handset::ItemState;

#[test]
fn a_first_sync_is_slow_and_joins_both_sides() {
    for version in Version::ALL {
        for carrier in [Carrier::Xml, Carrier::Wbxml] {
            let settings = settings(version, carrier);
            let peer = Peer::shared(&settings);
            let mut phone = phone(&settings, Behaviour::default(), &peer);
            phone.add("notes", "mine");
            phone.add("notes", "both");
            peer.borrow_mut().store("notes").put("g1", "both");
            peer.borrow_mut().store("notes").put("g2", "<theirs>\r\n&");
            let report = sync(&mut phone, &peer, Mode::TwoWay);

            assert_eq!(
                flow(&peer),
                [
                    "Put Alert:201 Final",
                    "Sync[Replace Replace] Final",
                    "Map:1 Final"
                ]
            );
            let all = ["<theirs>\r\n&", "both", "mine"];
            assert_eq!(bodies(&phone), all);
            assert_eq!(peer.borrow_mut().store("notes").bodies(), all);
            let notes = report.datastore("notes").expect("it was asked for");
            assert_eq!((notes.asked, notes.used), (Mode::TwoWay, Mode::Slow));
            assert_eq!((notes.sent.replaces, notes.received.adds), (2, 1));
            assert_eq!(report.messages, 3);
            assert!(phone.memory().datastores["notes"].cached_maps.is_empty());
            assert_eq!(
                peer.borrow_mut().store("notes").items["g2"].luid.as_deref(),
                Some("3")
            );
        }
    }
}

#[test]
fn a_two_way_sync_sends_changes_only() {
    let (mut phone, peer) = pair(Behaviour::default());
    let luids = ["one", "two", "three"].map(|body| phone.add("notes", body));
    sync(&mut phone, &peer, Mode::TwoWay);
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer), ["Alert:200 Final", "Sync[] Final", "Final"]);
    assert_eq!(
        report.datastore("notes").expect("asked for").sent.total(),
        0
    );

    phone.delete("notes", &luids[0]);
    phone.replace("notes", &luids[1], "TWO");
    phone.add("notes", "four");
    {
        let mut peer = peer.borrow_mut();
        let store = peer.store("notes");
        store.put("g5", "five");
        let three = store
            .items
            .values_mut()
            .find(|item| item.body == "three")
            .expect("sent");
        three.body = "THREE".into();
        three.changed = true;
    }
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        [
            "Alert:200 Final",
            "Sync[Delete Replace Add] Final",
            "Map:1 Final"
        ]
    );
    let all = ["THREE", "TWO", "five", "four"];
    assert_eq!(bodies(&phone), all);
    assert_eq!(peer.borrow_mut().store("notes").bodies(), all);
    let notes = report.datastore("notes").expect("asked for");
    let sent = notes.sent;
    assert_eq!((sent.adds, sent.replaces, sent.deletes), (1, 1, 1));
    assert_eq!((notes.received.adds, notes.received.replaces), (1, 1));
    assert!(
        phone
            .items("notes")
            .values()
            .all(|item| item.state == ItemState::Clean)
    );
    assert!(phone.memory().datastores["notes"].deleted.is_empty());
    assert_eq!(
        peer.borrow_mut().store("notes").counts,
        [3, 0, 3],
        "NumberOfChanges"
    );

    peer.borrow_mut()
        .store("notes")
        .deleted
        .push(luids[1].0.clone());
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        report
            .datastore("notes")
            .expect("asked for")
            .received
            .deletes,
        1
    );
    assert_eq!(bodies(&phone), ["THREE", "five", "four"]);
}

#[test]
fn anchors_chain_from_session_to_session() {
    let (mut phone, peer) = pair(Behaviour::default());
    let anchors = |peer: &Shared| {
        let peer = peer.borrow();
        let Command::Alert(alert) = &peer.requests[0].body[peer.requests[0].body.len() - 1] else {
            panic!("the first message ends with the Alert")
        };
        let meta = alert.items[0].meta.clone().expect("Meta");
        let anchor = meta.anchor.expect("an anchor");
        (anchor.last.map(String::from), String::from(anchor.next))
    };
    sync(&mut phone, &peer, Mode::TwoWay);
    let (last, first) = anchors(&peer);
    assert_eq!((last, first.as_str()), (None, "20041109T113320Z"));
    sync(&mut phone, &peer, Mode::TwoWay);
    let (last, second) = anchors(&peer);
    assert_eq!(last, Some(first));
    assert!(
        second > last.expect("as above"),
        "anchors grow within one second too"
    );
}

#[test]
fn one_way_from_client_ends_after_package_4() {
    let (mut phone, peer) = pair(Behaviour::default());
    sync(&mut phone, &peer, Mode::TwoWay);
    phone.add("notes", "mine");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    let report = sync(&mut phone, &peer, Mode::OneWayFromClient);
    assert_eq!(flow(&peer), ["Alert:202 Final", "Sync[Add] Final"]);
    assert_eq!(report.messages, 2);
    assert_eq!(bodies(&phone), ["mine"]);
    assert_eq!(
        peer.borrow_mut().store("notes").bodies(),
        ["mine", "theirs"]
    );
}

#[test]
fn refresh_from_client_sends_everything() {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    sync(&mut phone, &peer, Mode::TwoWay);
    phone.add("notes", "two");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::RefreshFromClient);
    assert_eq!(
        flow(&peer),
        ["Alert:203 Final", "Sync[Replace Replace] Final"]
    );
    assert_eq!(bodies(&phone), ["one", "two"]);
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one", "two"]);
}

#[test]
fn one_way_from_server_keeps_the_phones_changes_for_later() {
    let (mut phone, peer) = pair(Behaviour::default());
    sync(&mut phone, &peer, Mode::TwoWay);
    let mine = phone.add("notes", "mine");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::OneWayFromServer);
    assert_eq!(
        flow(&peer),
        ["Alert:204 Final", "Sync[] Final", "Map:1 Final"]
    );
    assert_eq!(bodies(&phone), ["mine", "theirs"]);
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["theirs"]);
    assert_eq!(phone.items("notes")[&mine].state, ItemState::Added);
}

#[test]
fn refresh_from_server_replaces_what_the_phone_has() {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    sync(&mut phone, &peer, Mode::TwoWay);
    let lost = phone.add("notes", "only here");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::RefreshFromServer);
    assert_eq!(
        flow(&peer),
        ["Alert:205 Final", "Sync[] Final", "Map:2 Final"]
    );
    assert_eq!(bodies(&phone), ["one", "theirs"]);
    assert!(
        !phone.items("notes").contains_key(&lost),
        "no LUID is given twice"
    );
}

#[test]
fn a_cut_refresh_from_server_forces_a_slow_sync() {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    sync(&mut phone, &peer, Mode::TwoWay);
    phone.client_mut().behaviour_mut().crash_after = Some(3);
    phone
        .sync(&request(Mode::RefreshFromServer))
        .expect_err("the battery is out");
    assert_eq!(phone.memory().datastores["notes"].last_anchor, None);
    phone.client_mut().behaviour_mut().crash_after = None;
    let report = sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        report.datastore("notes").expect("asked for").used,
        Mode::Slow
    );
    assert_eq!(bodies(&phone), ["one"]);
}

#[test]
fn the_server_forces_a_slow_sync() {
    for mode in [Mode::TwoWay, Mode::OneWayFromClient, Mode::OneWayFromServer] {
        let (mut phone, peer) = pair(Behaviour::default());
        phone.add("notes", "one");
        sync(&mut phone, &peer, Mode::TwoWay);
        peer.borrow_mut().store("notes").client_anchor = Some("another".into());
        peer.borrow_mut().store("notes").put("g1", "theirs");
        let report = sync(&mut phone, &peer, mode);
        let notes = report.datastore("notes").expect("asked for");
        assert_eq!((notes.asked, notes.used), (mode, Mode::Slow));
        assert_eq!(flow(&peer)[1], "Sync[Replace] Final");
        assert_eq!(bodies(&phone), ["one", "theirs"]);
        assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one", "theirs"]);
    }
}

#[test]
fn several_datastores_go_in_one_session() {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "note");
    phone.add("contacts", "card");
    peer.borrow_mut().store("calendar").put("g1", "event");
    let stores = vec![
        ("contacts".to_owned(), Mode::TwoWay),
        ("calendar".to_owned(), Mode::TwoWay),
        ("notes".to_owned(), Mode::RefreshFromClient),
        ("mail".to_owned(), Mode::TwoWay),
    ];
    let report = phone
        .sync(&Request {
            session_id: None,
            datastores: stores,
            now: NOW,
        })
        .expect("a session");
    assert_eq!(
        flow(&peer),
        [
            "Put Alert:201 Alert:201 Alert:203 Alert:201 Final",
            "Sync[Replace] Sync[] Sync[Replace] Final",
            "Map:1 Final"
        ]
    );
    assert_eq!(
        report
            .datastore("contacts")
            .expect("asked for")
            .sent
            .replaces,
        1
    );
    assert_eq!(
        report
            .datastore("calendar")
            .expect("asked for")
            .received
            .adds,
        1
    );
    let mail = report.datastore("mail").expect("asked for");
    assert_eq!(mail.refused.map(|code| code.0), Some(404));
    assert_eq!(phone.memory().datastores["mail"].last_anchor, None);
    assert!(phone.memory().datastores["notes"].last_anchor.is_some());
    let text = report.to_string();
    assert!(
        text.contains("Contacts: 1 sent, 0 received (slow)\n"),
        "{text}"
    );
    assert!(
        text.contains("Mail: refused by the server (404 not found)\n"),
        "{text}"
    );
}
