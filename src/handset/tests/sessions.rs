//! Credentials, message sizes, split items, addresses, devices, busy servers, lost answers.

use super::peer::PeerAuth;
use super::*;
use crate::handset::{Answer, Auth, Failure, Next, PhoneError, TransportError};
use crate::syncml::codec::{Form, encode};
use crate::syncml::{Code, Data};

fn with_auth(auth: Auth, wanted: PeerAuth, version: Version) -> (Phone<impl Transport>, Shared) {
    let settings = Settings {
        auth,
        ..settings(version, Carrier::Wbxml)
    };
    let peer = Peer::shared(&settings);
    peer.borrow_mut().auth = wanted;
    (phone(&settings, Behaviour::default(), &peer), peer)
}

#[test]
fn credentials_are_sent_as_the_server_wants_them() {
    for version in Version::ALL {
        for (auth, wanted, challenges) in [
            (Auth::Basic, PeerAuth::Basic, 0),
            (Auth::Basic, PeerAuth::Md5, 1),
            (Auth::Md5, PeerAuth::Md5, 1),
            (Auth::Md5, PeerAuth::Basic, 1),
            (Auth::Challenged, PeerAuth::Md5, 1),
            (Auth::Challenged, PeerAuth::Basic, 1),
            (Auth::Challenged, PeerAuth::None, 0),
        ] {
            let (mut phone, peer) = with_auth(auth, wanted, version);
            phone.add("notes", "one");
            let report = sync(&mut phone, &peer, Mode::TwoWay);
            assert_eq!(
                report.challenges, challenges,
                "{version:?} {auth:?} {wanted:?}"
            );
            assert_eq!(peer.borrow_mut().store("notes").bodies(), ["one"]);
            if challenges == 1 {
                let peer = peer.borrow();
                let [first, second] = [&peer.requests[0], &peer.requests[1]];
                assert_eq!(line(first), line(second), "the same commands again");
                assert_eq!(first.header.session_id, second.header.session_id);
                assert_eq!((&*first.header.msg_id, &*second.header.msg_id), ("1", "2"));
                assert_eq!(statuses(second), [("SyncHdr".into(), 200)]);
            }
        }
    }
}

#[test]
fn the_nonce_of_212_serves_the_next_session() {
    let (mut phone, peer) = with_auth(Auth::Md5, PeerAuth::Md5, Version::V12);
    assert_eq!(sync(&mut phone, &peer, Mode::TwoWay).challenges, 1);
    for _ in 0..3 {
        assert_eq!(sync(&mut phone, &peer, Mode::TwoWay).challenges, 0);
    }
}

#[test]
fn without_212_every_message_has_new_credentials() {
    for wanted in [PeerAuth::Basic, PeerAuth::Md5] {
        let (mut phone, peer) = with_auth(Auth::Md5, wanted, Version::V12);
        peer.borrow_mut().each_message = true;
        assert_eq!(sync(&mut phone, &peer, Mode::TwoWay).challenges, 1);
        let peer = peer.borrow();
        let creds: Vec<_> = peer
            .requests
            .iter()
            .map(|message| &message.header.cred)
            .collect();
        assert_eq!(creds.len(), 4);
        assert!(creds.iter().all(|cred| cred.is_some()));
        assert_eq!(
            creds[2] == creds[3],
            wanted == PeerAuth::Basic,
            "MD5 takes a new nonce"
        );
    }
}

#[test]
fn a_wrong_password_fails_after_one_retry() {
    for auth in [Auth::Basic, Auth::Md5, Auth::Challenged] {
        let (mut phone, peer) = with_auth(auth, PeerAuth::Md5, Version::V12);
        phone.client_mut().behaviour_mut().wrong_password = true;
        let error = phone
            .sync(&request(Mode::TwoWay))
            .expect_err("a wrong password");
        assert!(error.is_refusal());
        let PhoneError::Failed(Failure::Unauthorised(code)) = error else {
            panic!("{error}")
        };
        assert_eq!(code, Code::INVALID_CREDENTIALS);
        assert_eq!(peer.borrow().requests.len(), 2);
        assert_eq!(phone.memory().datastores["notes"].last_anchor, None);
    }
}

#[test]
fn messages_stay_under_the_servers_limit() {
    for carrier in [Carrier::Xml, Carrier::Wbxml] {
        let settings = settings(Version::V12, carrier);
        let peer = Peer::shared(&settings);
        let limit = if carrier == Carrier::Xml { 3000 } else { 1500 };
        peer.borrow_mut().max_msg_size = Some(limit);
        peer.borrow_mut().per_message = 7;
        let mut phone = phone(&settings, Behaviour::default(), &peer);
        for number in 0..60 {
            phone.add("notes", format!("{number:03} {}", "é".repeat(number)));
            peer.borrow_mut()
                .store("notes")
                .put(&format!("g{number}"), &format!("{number:03}"));
        }
        sync(&mut phone, &peer, Mode::TwoWay);
        assert_eq!(phone.items("notes").len(), 120);
        assert_eq!(peer.borrow_mut().store("notes").items.len(), 120);
        assert!(
            peer.borrow().stores["notes"]
                .items
                .values()
                .all(|item| item.luid.is_some())
        );
        let peer = peer.borrow();
        for (size, message) in peer.sizes.iter().zip(&peer.requests).skip(1) {
            assert!(*size as u64 <= limit, "{size} octets: {}", line(message));
            assert_eq!(statuses(message)[0].0, "SyncHdr");
        }
        let flow: Vec<_> = peer.requests.iter().map(line).collect();
        let package_3 = flow
            .iter()
            .position(|line| line.ends_with("] Final"))
            .expect("package 3");
        assert!(package_3 > 3, "split: {flow:?}");
        assert!(
            flow[2..package_3]
                .iter()
                .all(|line| line.starts_with("Sync[") && !line.contains("Alert"))
        );
        let maps = flow[package_3 + 1..]
            .iter()
            .filter(|line| line.contains("Map:"))
            .count();
        assert!(
            maps > 3,
            "maps go with the messages that ask for more: {flow:?}"
        );
        assert_eq!(
            flow.iter().filter(|line| line.ends_with("Final")).count(),
            3
        );
        assert!(
            peer.stores["notes"].counts == [60],
            "NumberOfChanges only with the first Sync"
        );
    }
}

#[test]
fn large_items_are_split_in_both_directions() {
    for carrier in [Carrier::Xml, Carrier::Wbxml] {
        let settings = settings(Version::V11, carrier);
        let peer = Peer::shared(&settings);
        let large: String = (0..3000).map(|n| format!("ä{n}\r\n")).collect();
        {
            let mut peer = peer.borrow_mut();
            peer.max_msg_size = Some(4000);
            peer.max_obj_size = Some(100_000);
            peer.part = 5000;
            peer.store("notes").put("g1", &format!("theirs {large}"));
            peer.store("notes").put("g2", "small");
        }
        let mut phone = phone(&settings, Behaviour::default(), &peer);
        phone.add("notes", "before");
        phone.add("notes", &large);
        phone.add("notes", "after");
        let report = sync(&mut phone, &peer, Mode::TwoWay);
        assert!(!report.has_failures());
        let mut all = [
            "before",
            &large,
            "after",
            &format!("theirs {large}"),
            "small",
        ];
        all.sort_unstable();
        assert_eq!(bodies(&phone), all);
        assert_eq!(peer.borrow_mut().store("notes").bodies(), all);
        let peer = peer.borrow();
        assert!(
            peer.sizes.iter().skip(1).all(|size| *size <= 4000),
            "{:?}",
            peer.sizes
        );
        let parts = peer
            .requests
            .iter()
            .flat_map(statuses)
            .filter(|status| status.1 == 213);
        let theirs = "theirs ".len() + large.len();
        assert_eq!(
            parts.count(),
            theirs.div_ceil(5000) - 1,
            "one for each part but the last"
        );
    }
}

#[test]
fn items_that_are_no_text_travel_as_base64_in_xml() {
    let settings = settings(Version::V12, Carrier::Xml);
    let peer = Peer::shared(&settings);
    let mut phone = phone(&settings, Behaviour::default(), &peer);
    phone.add("notes", [0xFF, 0x00, 0x41]);
    phone.add("notes", "\u{1}");
    phone.add("notes", "é\r\n");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        peer.borrow_mut().store("notes").bodies(),
        ["/wBB", "AQ==", "é\r\n"]
    );
    let peer = peer.borrow();
    let sync = peer.requests[1]
        .body
        .iter()
        .find_map(|command| match command {
            Command::Sync(sync) => Some(sync),
            _ => None,
        });
    let formats: Vec<_> = sync
        .expect("a Sync")
        .commands
        .iter()
        .map(|command| match command {
            Command::Change(change) => change.meta.as_ref().and_then(|meta| meta.format.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(formats, [Some("b64"), Some("b64"), None]);
}

#[test]
fn an_item_larger_than_the_server_takes_is_not_sent() {
    for (version, code) in [(Version::V12, 416), (Version::V10, 413)] {
        let settings = settings(version, Carrier::Wbxml);
        let peer = Peer::shared(&settings);
        peer.borrow_mut().max_msg_size = Some(2000);
        peer.borrow_mut().max_obj_size = Some(3000);
        let mut phone = phone(&settings, Behaviour::default(), &peer);
        phone.add("notes", "x".repeat(4000));
        phone.add("notes", "small");
        let report = phone.sync(&request(Mode::TwoWay)).expect("a session");
        let failures = &report.datastore("notes").expect("asked for").failures;
        assert_eq!(failures.len(), 1);
        assert_eq!(
            (failures[0].id.as_str(), failures[0].code),
            ("1", Code(code))
        );
        assert_eq!(peer.borrow_mut().store("notes").bodies(), ["small"]);
    }
}

#[test]
fn a_refused_part_ends_the_item_only() {
    let (mut phone, peer) = pair(Behaviour::default());
    let settings = usual();
    peer.borrow_mut().max_msg_size = Some(2000);
    phone.add("notes", "x".repeat(10_000));
    phone.add("notes", "small");
    // A peer that has no room for the second part.
    let inner = Rc::clone(&peer);
    let mut answers = 0;
    let transport = move |post: &Post<'_>| {
        let mut answer = inner.borrow_mut().exchange(post)?;
        answers += 1;
        if answers == 3 {
            let mut message = inner.borrow().answers[2].clone();
            for command in &mut message.body {
                if let Command::Status(status) = command
                    && status.cmd == "Replace"
                {
                    status.code = Code::DEVICE_FULL;
                }
            }
            inner.borrow_mut().store("notes").forget_part();
            answer.body = encode(&message, &Form::new(settings.carrier, settings.version));
        }
        Ok::<_, TransportError>(answer)
    };
    let memory = phone.memory().clone();
    let mut phone = Phone::new(usual(), Behaviour::default(), memory, transport);
    let report = phone.sync(&request(Mode::TwoWay)).expect("a session");
    let failures = &report.datastore("notes").expect("asked for").failures;
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (failures[0].id.as_str(), failures[0].code),
        ("1", Code::DEVICE_FULL)
    );
    assert_eq!(peer.borrow_mut().store("notes").bodies(), ["small"]);
}

#[test]
fn the_phone_tells_what_it_is_until_the_server_knows() {
    let (mut phone, peer) = pair(Behaviour::default());
    sync(&mut phone, &peer, Mode::TwoWay);
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(flow(&peer)[0], "Alert:200 Final");
    let info = phone
        .client()
        .settings()
        .devinf
        .clone()
        .named("Nokia", "6600");
    phone.client_mut().settings_mut().devinf = info;
    peer.borrow_mut().ask_devinf = true;
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer)[..2],
        ["Put Alert:200 Final", "Results Sync[] Final"]
    );
    let peer = peer.borrow();
    for message in &peer.requests[..2] {
        let items = message.body.iter().find_map(|command| match command {
            Command::Put(put) => Some(&put.items),
            Command::Results(results) => Some(&results.items),
            _ => None,
        });
        let item = &items.expect("Put or Results")[0];
        assert_eq!(
            item.source.as_ref().map(|source| &*source.uri),
            Some("./devinf12")
        );
        let Data::DevInf(devinf) = &item.data else {
            panic!("{:?}", item.data)
        };
        assert_eq!(devinf.model.as_deref(), Some("6600"));
        assert_eq!(devinf.dev_id, "IMEI:490154203237518");
        assert_eq!(devinf.datastores.len(), 4);
    }
    assert!(statuses(&peer.requests[1]).contains(&("Get".into(), 200)));
}

#[test]
fn messages_follow_resp_uri() {
    let (mut phone, peer) = pair(Behaviour::default());
    peer.borrow_mut().resp_uri = Some("/sync?session=7".into());
    sync(&mut phone, &peer, Mode::TwoWay);
    let next = "http://phone.test/sync?session=7";
    assert_eq!(peer.borrow().urls, ["http://phone.test/sync", next, next]);
    phone.client_mut().behaviour_mut().ignore_resp_uri = true;
    peer.borrow_mut().urls.clear();
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(peer.borrow().urls, ["http://phone.test/sync"; 3]);
}

#[test]
fn no_status_is_sent_where_none_is_wanted() {
    let (mut phone, peer) = pair(Behaviour::default());
    peer.borrow_mut().no_resp = true;
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert!(
        peer.borrow()
            .requests
            .iter()
            .all(|message| statuses(message).is_empty())
    );
    assert_eq!(bodies(&phone), ["theirs"]);
}

#[test]
fn a_busy_server_is_polled() {
    let (mut phone, peer) = pair(Behaviour::default());
    peer.borrow_mut().busy = 2;
    peer.borrow_mut().store("notes").put("g1", "theirs");
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(
        flow(&peer),
        [
            "Put Alert:201 Final",
            "Alert:221",
            "Alert:221",
            "Sync[] Final",
            "Map:1 Final"
        ]
    );
    assert_eq!(bodies(&phone), ["theirs"]);
    peer.borrow_mut().busy = 1000;
    let error = phone
        .sync(&request(Mode::TwoWay))
        .expect_err("it stays busy");
    assert!(
        matches!(error, PhoneError::Failed(Failure::Busy)),
        "{error}"
    );
}

#[test]
fn a_session_that_does_not_end_is_given_up() {
    let (phone, peer) = pair(Behaviour::default());
    let memory = phone.memory().clone();
    let settings = usual();
    let form = Form::new(settings.carrier, settings.version);
    let transport = move |post: &Post<'_>| {
        let answer = peer.borrow_mut().exchange(post)?;
        let mut message = peer.borrow().answers.last().expect("it answered").clone();
        message.last = false;
        Ok::<_, TransportError>(Answer::ok(answer.content_type, encode(&message, &form)))
    };
    let mut phone = Phone::new(settings, Behaviour::default(), memory, transport);
    let error = phone
        .sync(&request(Mode::TwoWay))
        .expect_err("no package of the server ends");
    assert!(
        matches!(error, PhoneError::Failed(Failure::Endless)),
        "{error}"
    );
    assert!(
        phone.client().report().messages < 100,
        "bare 222 in both directions"
    );
}

#[test]
fn an_answer_that_cannot_be_read_changes_nothing() {
    let (mut phone, peer) = pair(Behaviour::default());
    let first = phone.client_mut().start(&request(Mode::TwoWay));
    let post = Post {
        url: "",
        content_type: Carrier::Wbxml.mime(),
        user_agent: "",
        profile: None,
        body: &first,
    };
    let answer = peer.borrow_mut().exchange(&post).expect("an answer").body;
    let client = phone.client_mut();
    for len in [0, 1, answer.len() / 2, answer.len() - 1] {
        let next = client.receive(&answer[..len]);
        assert!(
            matches!(next, Next::Failed(Failure::Undecodable(_))),
            "{next:?}"
        );
    }
    assert_eq!(client.resend(), first);
    assert!(matches!(client.receive(&answer), Next::Send(_)));
    assert_eq!(client.report().resends, 1);
}

#[test]
fn without_a_session_nothing_is_received() {
    let (mut phone, _) = pair(Behaviour::default());
    assert_eq!(
        phone.client_mut().receive(b""),
        Next::Failed(Failure::NoSession)
    );
}
