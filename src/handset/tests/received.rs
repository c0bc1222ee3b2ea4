//! What the phone answers to single commands of a server, right and wrong ones.

use super::*;
use crate::handset::{Luid, Next};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{
    Alert, Anchor, Change, ChangeKind, Data, Exec, Get, Group, GroupKind, Header, Item, Location,
    Meta, Put, Search, Status, Sync,
};

/// A phone that waits for package 4, with the items 1 `one` and 2 `two`.
struct Waiting<T> {
    phone: Phone<T>,
    session: String,
    msg_id: u32,
    cmd_id: u32,
}

fn waiting() -> Waiting<impl Transport> {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    phone.add("notes", "two");
    sync(&mut phone, &peer, Mode::TwoWay);
    phone.client_mut().settings_mut().max_obj_size = 1000;
    let client = phone.client_mut();
    let first = client.start(&request(Mode::TwoWay));
    let post = Post {
        url: "",
        content_type: Carrier::Wbxml.mime(),
        user_agent: "",
        profile: None,
        body: &first,
    };
    let answer = peer.borrow_mut().exchange(&post).expect("an answer").body;
    assert!(
        matches!(client.receive(&answer), Next::Send(_)),
        "package 3"
    );
    let session = client.report().session_id;
    Waiting {
        phone,
        session,
        msg_id: 1,
        cmd_id: 1,
    }
}

impl<T: Transport> Waiting<T> {
    /// Sends a message with these commands; gives the phone's answer.
    fn send(&mut self, body: Vec<Command<'static>>, no_resp: bool, last: bool) -> Message<'static> {
        self.msg_id += 1;
        let header = Header {
            ver_dtd: "1.2".into(),
            ver_proto: "SyncML/1.2".into(),
            session_id: self.session.clone().into(),
            msg_id: self.msg_id.to_string().into(),
            target: Location::new("IMEI:490154203237518"),
            source: Location::new("http://phone.test/sync"),
            no_resp,
            ..Header::default()
        };
        let status = Status {
            cmd_id: "1".into(),
            msg_ref: "1".into(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            code: crate::syncml::Code::OK,
            ..Status::default()
        };
        let mut whole = vec![Command::Status(status)];
        whole.extend(body);
        let message = Message {
            header,
            body: whole,
            last,
        };
        let form = Form::new(Carrier::Wbxml, Version::V12);
        let next = self.phone.client_mut().receive(&encode(&message, &form));
        let Next::Send(answer) = next else {
            panic!("{next:?}")
        };
        decode(&answer, Carrier::Wbxml, &Limits::default())
            .expect("a message")
            .into_owned()
    }

    /// Sends item commands in a Sync; gives the Statuses of the items, and the other commands.
    fn sync(&mut self, commands: Vec<Command<'static>>) -> (Vec<u16>, String) {
        let answer = self.send(vec![in_sync("./notes", commands)], false, false);
        let wanted = [
            "Add", "Replace", "Delete", "Copy", "Move", "Atomic", "Sequence", "Odd",
        ];
        let codes = statuses(&answer)
            .into_iter()
            .filter(|(cmd, _)| wanted.contains(&&**cmd));
        (codes.map(|(_, code)| code).collect(), line(&answer))
    }

    fn id(&mut self) -> std::borrow::Cow<'static, str> {
        self.cmd_id += 1;
        self.cmd_id.to_string().into()
    }

    fn change(&mut self, kind: ChangeKind, item: Item<'static>) -> Command<'static> {
        let cmd_id = self.id();
        Command::Change(Change {
            kind,
            cmd_id,
            no_resp: false,
            archive: false,
            soft: false,
            cred: None,
            meta: None,
            items: vec![item],
        })
    }

    fn body_of(&self, luid: &str) -> Option<Vec<u8>> {
        self.phone
            .items("notes")
            .get(&Luid(luid.into()))
            .map(|item| item.body.0.clone())
    }
}

fn in_sync(target: &'static str, commands: Vec<Command<'static>>) -> Command<'static> {
    Command::Sync(Sync {
        cmd_id: "1000".into(),
        target: Some(Location::new(target)),
        source: Some(Location::new(target)),
        commands,
        ..Sync::default()
    })
}

fn from_server(guid: &'static str, body: &'static str) -> Item<'static> {
    Item {
        source: Some(Location::new(guid)),
        data: Data::text(body),
        ..Item::default()
    }
}

fn of_phone(luid: &'static str, body: &'static str) -> Item<'static> {
    Item {
        target: Some(Location::new(luid)),
        data: Data::text(body),
        ..Item::default()
    }
}

fn part(body: &'static str, size: Option<u64>, more_data: bool) -> Item<'static> {
    let meta = size.map(|size| Meta {
        size: Some(size),
        ..Meta::default()
    });
    Item {
        meta: meta.map(Box::new),
        more_data,
        ..from_server("g", body)
    }
}

#[test]
fn items_that_the_phone_has_not_are_not_found() {
    let mut waiting = waiting();
    let commands = vec![
        waiting.change(ChangeKind::Replace, of_phone("1", "ONE")),
        waiting.change(ChangeKind::Replace, of_phone("77", "x")),
        waiting.change(ChangeKind::Delete, of_phone("77", "")),
        waiting.change(ChangeKind::Delete, of_phone("2", "")),
        waiting.change(ChangeKind::Delete, Item::default()),
    ];
    assert_eq!(waiting.sync(commands).0, [200, 404, 211, 200, 412]);
    assert_eq!(waiting.body_of("1"), Some(b"ONE".to_vec()));
    assert_eq!(waiting.body_of("2"), None);
    let report = waiting.phone.client().report();
    let notes = report.datastore("notes").expect("asked for");
    assert_eq!((notes.received.replaces, notes.received.deletes), (1, 1));
    assert_eq!(
        notes.failures.len(),
        2,
        "211 is a success that changed nothing"
    );
}

#[test]
fn a_replace_of_an_item_without_luid_is_an_add() {
    let mut waiting = waiting();
    let replace = waiting.change(ChangeKind::Replace, from_server("g", "new"));
    let (codes, line) = waiting.sync(vec![replace]);
    assert_eq!((codes.as_slice(), line.as_str()), (&[201][..], "Map:1"));
    assert_eq!(waiting.body_of("3"), Some(b"new".to_vec()));
}

#[test]
fn items_without_usable_data_are_refused() {
    let mut waiting = waiting();
    let no_data = Item {
        source: Some(Location::new("g")),
        ..Item::default()
    };
    let meta = Data::Meta(Box::new(Meta {
        size: Some(1),
        ..Meta::default()
    }));
    let b64 = |body| Item {
        meta: Some(Box::new(Meta {
            format: Some("b64".into()),
            ..Meta::default()
        })),
        ..from_server("h", body)
    };
    let commands = vec![
        waiting.change(ChangeKind::Add, no_data.clone()),
        waiting.change(
            ChangeKind::Add,
            Item {
                data: meta,
                ..no_data
            },
        ),
        waiting.change(
            ChangeKind::Add,
            Item {
                data: Data::text("x"),
                ..Item::default()
            },
        ),
        waiting.change(ChangeKind::Add, b64("no base64!")),
        waiting.change(ChangeKind::Add, b64("aGVs\r\nbG8=")),
        waiting.change(ChangeKind::Copy, from_server("g", "x")),
        waiting.change(ChangeKind::Move, of_phone("1", "x")),
    ];
    assert_eq!(
        waiting.sync(commands).0,
        [412, 415, 412, 415, 201, 406, 412]
    );
    assert_eq!(waiting.body_of("3"), Some(b"hello".to_vec()));
}

#[test]
fn parts_are_put_together_or_refused() {
    let one_by_one = |parts: Vec<Item<'static>>| {
        let mut waiting = waiting();
        let mut codes = Vec::new();
        let mut lines = Vec::new();
        for part in parts {
            let add = waiting.change(ChangeKind::Add, part);
            let (code, line) = waiting.sync(vec![add]);
            codes.extend(code);
            lines.push(line);
        }
        (codes, lines, waiting.body_of("3"))
    };
    let (codes, lines, body) = one_by_one(vec![
        part("a\r", Some(6), true),
        part("\nb\r", None, true),
        part("\n", None, false),
    ]);
    assert_eq!(
        (codes.as_slice(), body),
        (&[213, 213, 201][..], Some(b"a\r\nb\r\n".to_vec()))
    );
    assert_eq!(lines, ["Alert:222", "Alert:222", "Map:1"]);

    let (codes, _, body) = one_by_one(vec![part("abc", None, true)]);
    assert_eq!((codes.as_slice(), body), (&[411][..], None), "no Size");
    let (codes, ..) = one_by_one(vec![part("abc", Some(1001), true)]);
    assert_eq!(codes, [416], "larger than MaxObjSize");
    let (codes, _, body) = one_by_one(vec![part("abc", Some(7), true), part("def", None, false)]);
    assert_eq!(
        (codes.as_slice(), body),
        (&[213, 424][..], None),
        "too short"
    );
    let (codes, _, body) = one_by_one(vec![part("abc", Some(5), true), part("def", None, true)]);
    assert_eq!(
        (codes.as_slice(), body),
        (&[213, 424][..], None),
        "too long"
    );
    let (codes, lines, body) = one_by_one(vec![
        part("abc", Some(6), true),
        from_server("other", "whole"),
    ]);
    assert_eq!(
        (codes.as_slice(), body),
        (&[213, 201][..], Some(b"whole".to_vec()))
    );
    assert_eq!(
        lines[1], "Alert:223 Map:1",
        "the end of the first one is missed"
    );
}

#[test]
fn groups_and_unknown_commands() {
    let mut waiting = waiting();
    let inner = waiting.change(ChangeKind::Add, from_server("g", "inner"));
    let group = |kind, cmd_id, commands| {
        Command::Group(Group {
            kind,
            cmd_id,
            no_resp: false,
            meta: None,
            commands,
        })
    };
    let (first, second, third) = (waiting.id(), waiting.id(), waiting.id());
    let nested = group(GroupKind::Sequence, first, vec![inner]);
    let skipped = waiting.change(ChangeKind::Add, from_server("h", "atomic"));
    let commands = vec![
        group(GroupKind::Sequence, second, vec![nested]),
        group(GroupKind::Atomic, third, vec![skipped]),
        Command::Unknown {
            name: "Odd".into(),
            cmd_id: "900".into(),
        },
    ];
    assert_eq!(waiting.sync(commands).0, [200, 200, 201, 406, 501]);
    assert_eq!(waiting.body_of("3"), Some(b"inner".to_vec()));
    assert_eq!(waiting.body_of("4"), None);
}

#[test]
fn commands_outside_of_sync() {
    let mut waiting = waiting();
    let get = |uri: &'static str, cmd_id: &'static str| {
        let items = vec![Item {
            target: Some(Location::new(uri)),
            ..Item::default()
        }];
        Command::Get(Get {
            cmd_id: cmd_id.into(),
            items,
            ..Get::default()
        })
    };
    let alert = |code, cmd_id: &'static str| {
        let items = vec![Item {
            target: Some(Location::new("./nowhere")),
            ..Item::default()
        }];
        Command::Alert(Alert {
            cmd_id: cmd_id.into(),
            code,
            items,
            ..Alert::default()
        })
    };
    let add = waiting.change(ChangeKind::Add, from_server("g", "x"));
    let lost = waiting.change(ChangeKind::Add, from_server("g", "x"));
    let body = vec![
        Command::Put(Put {
            cmd_id: "11".into(),
            ..Put::default()
        }),
        get("./devinf12", "12"),
        get("./else", "13"),
        alert(Some(100), "14"),
        alert(Some(224), "15"),
        alert(Some(200), "16"),
        alert(None, "17"),
        Command::Exec(Exec {
            cmd_id: "18".into(),
            ..Exec::default()
        }),
        Command::Search(Search {
            cmd_id: "19".into(),
            ..Search::default()
        }),
        Command::Unknown {
            name: "Odd".into(),
            cmd_id: "20".into(),
        },
        add,
        in_sync("./nowhere", vec![lost]),
    ];
    let answer = waiting.send(body, false, false);
    let codes: Vec<_> = statuses(&answer)
        .into_iter()
        .map(|(cmd, code)| format!("{cmd} {code}"))
        .collect();
    assert_eq!(
        codes,
        [
            "SyncHdr 200",
            "Put 200",
            "Get 200",
            "Get 404",
            "Alert 200",
            "Alert 406",
            "Alert 404",
            "Alert 406",
            "Exec 406",
            "Search 406",
            "Odd 501",
            "Add 405",
            "Sync 404",
            "Add 404",
        ]
    );
    assert_eq!(line(&answer), "Results");
    assert_eq!(waiting.phone.items("notes").len(), 2);
}

#[test]
fn no_resp_is_respected_for_each_command_and_each_message() {
    let mut waiting = waiting();
    let mut quiet = waiting.change(ChangeKind::Add, from_server("g", "quiet"));
    let Command::Change(change) = &mut quiet else {
        panic!("an Add")
    };
    change.no_resp = true;
    let loud = waiting.change(ChangeKind::Add, from_server("h", "loud"));
    assert_eq!(waiting.sync(vec![quiet, loud]).0, [201]);
    let silent = waiting.change(ChangeKind::Add, from_server("i", "silent"));
    let answer = waiting.send(vec![in_sync("./notes", vec![silent])], true, false);
    assert!(statuses(&answer).is_empty());
    assert_eq!(waiting.phone.items("notes").len(), 5);
}

#[test]
fn what_a_server_must_not_do_is_noted() {
    let mut waiting = waiting();
    let long: &'static str =
        "a-temporary-id-that-is-much-longer-than-what-the-phone-said-it-can-keep";
    let add = waiting.change(ChangeKind::Add, from_server(long, "x"));
    let again = add.clone();
    waiting.sync(vec![add, again]);
    let orphan = Status {
        cmd_id: "9".into(),
        msg_ref: "1".into(),
        cmd_ref: "55".into(),
        cmd: "Add".into(),
        ..Status::default()
    };
    waiting.msg_id -= 1;
    waiting.send(vec![Command::Status(orphan)], false, false);
    let complaints = waiting.phone.client().report().complaints.join("\n");
    for part in [
        "longer than MaxGUIDSize",
        "is no new id",
        "twice",
        "was not sent or is answered",
    ] {
        assert!(complaints.contains(part), "{part}: {complaints}");
    }
}

#[test]
fn wrong_counts_anchors_and_finals_are_noted() {
    let (mut phone, peer) = pair(Behaviour::default());
    sync(&mut phone, &peer, Mode::TwoWay);
    {
        let mut peer = peer.borrow_mut();
        peer.announce = Some(9);
        peer.early_final = true;
        peer.max_msg_size = Some(1000);
        peer.store("notes").anchor = 77;
        peer.store("notes").put("g1", "theirs");
    }
    for _ in 0..20 {
        phone.add("notes", "x".repeat(100));
    }
    let report = phone.sync(&request(Mode::TwoWay)).expect("a session");
    assert_eq!(report.datastore("notes").expect("asked for").sent.adds, 20);
    let complaints = report.complaints.join("\n");
    for part in [
        "NumberOfChanges Some(9) of notes, 1 came",
        "Last of notes is not the Next before",
        "Final before the client's package is complete",
    ] {
        assert!(complaints.contains(part), "{part}: {complaints}");
    }
}

#[test]
fn the_status_for_an_alert_echoes_the_anchor() {
    let (mut phone, peer) = pair(Behaviour::default());
    sync(&mut phone, &peer, Mode::TwoWay);
    let peer = peer.borrow();
    let status = peer.requests[1]
        .body
        .iter()
        .find_map(|command| match command {
            Command::Status(status) if status.cmd == "Alert" => Some(status),
            _ => None,
        });
    let Data::Meta(meta) = &status.expect("a Status for the Alert").items[0].data else {
        panic!("an anchor")
    };
    let next = "1".into();
    assert_eq!(meta.anchor, Some(Anchor { last: None, next }));
}
