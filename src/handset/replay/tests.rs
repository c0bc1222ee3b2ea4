//! Recordings of every layout, and what is written anew.

use super::*;
use crate::handset::transport::{Answer, Post, TransportError};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{
    Alert, Carrier, Change, ChangeKind, Code, Command, Cred, Data, Header, Item, Location, Message,
    Meta, Status, Sync, Version,
};
use proptest::prelude::*;

fn header(session: &str, msg: u32) -> Header<'static> {
    Header {
        ver_dtd: "1.2".into(),
        ver_proto: "SyncML/1.2".into(),
        session_id: session.to_owned().into(),
        msg_id: msg.to_string().into(),
        target: Location::new("http://server.example/sync"),
        source: Location::new("IMEI:1"),
        ..Header::default()
    }
}

fn alert(last: &str) -> Command<'static> {
    Command::Alert(Alert {
        cmd_id: "1".into(),
        code: Some(if last.is_empty() { 201 } else { 200 }),
        items: vec![Item {
            target: Some(Location::new("./k")),
            source: Some(Location::new("./C:Contacts.cdb")),
            meta: Some(Box::new(Meta {
                anchor: Some(crate::syncml::Anchor {
                    last: Some(last.to_owned().into()),
                    next: "20240101T000000Z".into(),
                }),
                ..Meta::default()
            })),
            ..Item::default()
        }],
        ..Alert::default()
    })
}

fn upload() -> Command<'static> {
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:a;b\r\nEND:VCARD\r\n";
    Command::Sync(Sync {
        cmd_id: "7".into(),
        target: Some(Location::new("./k")),
        source: Some(Location::new("./C:Contacts.cdb")),
        commands: vec![Command::Change(Change {
            kind: ChangeKind::Add,
            cmd_id: "8".into(),
            no_resp: false,
            archive: false,
            soft: false,
            cred: None,
            meta: Some(Box::new(Meta {
                kind: Some("text/x-vcard".into()),
                ..Meta::default()
            })),
            items: vec![Item {
                source: Some(Location::new("14")),
                data: Data::Bytes(card.as_bytes().to_vec().into()),
                ..Item::default()
            }],
        })],
        ..Sync::default()
    })
}

fn message(session: &str, msg: u32, body: Vec<Command<'static>>) -> Message<'static> {
    Message {
        header: header(session, msg),
        body,
        last: true,
    }
}

fn octets(message: &Message<'_>, carrier: Carrier) -> Vec<u8> {
    encode(message, &Form::new(carrier, Version::V12))
}

fn messages(name: &str, octets: &[u8]) -> Vec<Recorded> {
    read(name, octets)
        .into_iter()
        .map(|entry| match entry {
            Entry::Message(recorded) => *recorded,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Hex as `xxd` writes it.
fn xxd(octets: &[u8]) -> String {
    let line = |(index, line): (usize, &[u8])| {
        let pairs: Vec<String> = line
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        let text: String = line
            .iter()
            .map(|byte| {
                if byte.is_ascii_graphic() {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        format!("{:08x}: {:39}  {text}\n", index * 16, pairs.join(" "))
    };
    octets.chunks(16).enumerate().map(line).collect()
}

/// Hex as `hexdump -C` writes it.
fn hexdump(octets: &[u8]) -> String {
    let line = |(index, line): (usize, &[u8])| {
        let half = |part: &[u8]| {
            let pairs: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
            pairs.join(" ")
        };
        let (first, second) = line.split_at(line.len().min(8));
        format!(
            "{:08x}  {:23}  {:23}  |{}|\n",
            index * 16,
            half(first),
            half(second),
            "fe ed".repeat(3)
        )
    };
    octets.chunks(16).enumerate().map(line).collect()
}

#[test]
fn every_layout_is_read() {
    let meant = message("5", 1, vec![alert("")]);
    for carrier in [Carrier::Wbxml, Carrier::Xml] {
        let plain = octets(&meant, carrier);
        let hex: String = plain.iter().map(|byte| format!("{byte:02X} ")).collect();
        let source: String = plain.iter().map(|byte| format!("0x{byte:02x}, ")).collect();
        let mime = carrier.mime();
        let request = [
            format!(
                "POST /sync HTTP/1.1\r\nHost: x\r\nUser-Agent: Phone/1\r\nx-wap-profile: \"http://p\"\r\nContent-Type: {mime}\r\nContent-Length: {}\r\n\r\n",
                plain.len()
            )
            .into_bytes(),
            plain.clone(),
        ]
        .concat();
        let (one, other) = plain.split_at(20);
        let chunked = [
            b"POST /sync HTTP/1.1\nTransfer-Encoding: chunked\n\n14\r\n".as_slice(),
            one,
            format!("\r\n{:x}\r\n", other.len()).as_bytes(),
            other,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        for (layout, octets) in [
            ("plain", plain.clone()),
            ("hex", hex.into_bytes()),
            ("source", source.into_bytes()),
            (
                "base64",
                crate::handset::credentials::base64(&plain).into_bytes(),
            ),
            ("xxd", xxd(&plain).into_bytes()),
            ("hexdump", hexdump(&plain).into_bytes()),
            ("http", request.clone()),
            ("http in hex", xxd(&request).into_bytes()),
            ("chunked", chunked),
            (
                "cut length",
                String::from_utf8_lossy(&request)
                    .replace("Content-Length: ", "Content-Length: 9")
                    .into_bytes(),
            ),
            (
                "short length",
                String::from_utf8_lossy(&request)
                    .replace(
                        &format!("Content-Length: {}", plain.len()),
                        &format!("Content-Length: {}", plain.len() - 30),
                    )
                    .into_bytes(),
            ),
        ] {
            if layout.ends_with(" length") && carrier == Carrier::Wbxml {
                continue;
            }
            let found = messages(layout, &octets);
            assert_eq!(found.len(), 1, "{layout}");
            assert_eq!(found[0].message.body, meant.body, "{layout} {carrier:?}");
            assert!(!found[0].from_server, "{layout}");
            if layout.starts_with("http") {
                assert_eq!(found[0].user_agent.as_deref(), Some("Phone/1"), "{layout}");
                assert_eq!(
                    found[0].profile.as_deref(),
                    Some("\"http://p\""),
                    "{layout}"
                );
            }
        }
    }
}

#[test]
fn wide_characters_are_read() {
    let meant = message("5", 1, vec![alert("")]);
    let text = String::from_utf8(octets(&meant, Carrier::Xml)).expect("XML is text");
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(messages("wide", &wide)[0].message.body, meant.body);
}

#[test]
fn a_file_may_hold_a_conversation_or_a_log() {
    let request = octets(&message("5", 1, vec![alert("")]), Carrier::Wbxml);
    let mut answer = message("5", 1, Vec::new());
    std::mem::swap(&mut answer.header.target, &mut answer.header.source);
    let answer = octets(&answer, Carrier::Wbxml);
    let talk = [
        format!(
            "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            request.len()
        )
        .as_bytes(),
        &request,
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        )
        .as_bytes(),
        &answer,
    ]
    .concat();
    let found = messages("talk", &talk);
    let sides: Vec<bool> = found.iter().map(|recorded| recorded.from_server).collect();
    assert_eq!(sides, [false, true]);
    assert_eq!(found[1].name, "talk#2");

    let xml = octets(&message("5", 1, vec![alert("")]), Carrier::Xml);
    let xml = String::from_utf8(xml).expect("XML is text");
    let log = format!("10:00 received\n{xml}\n10:01 received\n{xml}\n10:02 <SyncMLish/>\n");
    assert_eq!(messages("log", log.as_bytes()).len(), 2);
    assert!(matches!(
        read("notes.txt", b"nothing of the kind")[0],
        Entry::Nothing { .. }
    ));
    assert!(matches!(read("empty", b"")[0], Entry::Nothing { .. }));
    let broken = xml.replace("</SyncHdr>", "");
    let Entry::Unreadable { error, .. } = &read("broken", broken.as_bytes())[0] else {
        panic!("it is broken");
    };
    assert!(error.contains("offset"), "the place is told: {error}");
}

#[test]
fn sessions_are_told_apart_and_datastores_are_guessed() {
    let recorded = |session: &str, msg, body| {
        let octets = octets(&message(session, msg, body), Carrier::Xml);
        messages("m", &octets).remove(0)
    };
    let mut second = recorded("5", 1, vec![alert("")]);
    second.name = "again".into();
    let all = vec![
        recorded("5", 1, vec![alert("")]),
        recorded("5", 1, vec![alert("")]),
        recorded("5", 2, vec![upload()]),
        recorded("6", 1, vec![alert("x")]),
        second,
    ];
    let sessions = sessions(all);
    let counts: Vec<usize> = sessions
        .iter()
        .map(|session| session.messages.len())
        .collect();
    assert_eq!(
        counts,
        [2, 1, 1],
        "a repeated message is left out, MsgID 1 begins anew"
    );
    let guessed: Vec<_> = datastores(&sessions).into_iter().collect();
    assert_eq!(guessed, [("./k".to_owned(), "contacts")]);
}

type Seen = std::rc::Rc<std::cell::RefCell<Vec<Message<'static>>>>;

/// A server that notes what it gets and says yes, or what it is told to say to the header first.
fn server(
    heads: Vec<Code>,
) -> (
    Seen,
    impl FnMut(&Post<'_>) -> Result<Answer, TransportError>,
) {
    let seen = Seen::default();
    let noted = std::rc::Rc::clone(&seen);
    let mut heads = heads.into_iter();
    let deliver = move |post: &Post<'_>| {
        let carrier = Carrier::from_mime(post.content_type).expect("a SyncML type");
        let message = decode(post.body, carrier, &Limits::default())
            .expect("the replay sends messages")
            .into_owned();
        let head = heads.next().unwrap_or(Code::AUTHENTICATED);
        let mut body = vec![Command::Status(Status {
            cmd_id: "1".into(),
            msg_ref: message.header.msg_id.clone(),
            cmd_ref: "0".into(),
            cmd: "SyncHdr".into(),
            code: head,
            chal: (head == Code::INVALID_CREDENTIALS)
                .then(|| crate::syncml::Chal {
                    meta: Meta {
                        kind: Some("syncml:auth-md5".into()),
                        next_nonce: Some(b"Tm9uY2U=".to_vec().into()),
                        ..Meta::default()
                    },
                })
                .map(Box::new),
            ..Status::default()
        })];
        let mut id = 1;
        for command in &message.body {
            let mut all = vec![command];
            if let Command::Sync(sync) = command {
                all.extend(&sync.commands);
            }
            for command in all {
                if matches!(command, Command::Status(_)) || !head.is_success() {
                    continue;
                }
                id += 1;
                body.push(Command::Status(Status {
                    cmd_id: id.to_string().into(),
                    msg_ref: message.header.msg_id.clone(),
                    cmd_ref: command.cmd_id().to_owned().into(),
                    cmd: command.name().to_owned().into(),
                    code: Code::OK,
                    ..Status::default()
                }));
            }
        }
        let answer = Message {
            header: Header {
                target: message.header.source.clone(),
                source: message.header.target.clone(),
                cred: None,
                ..message.header.clone()
            },
            body,
            last: message.last,
        };
        noted.borrow_mut().push(message);
        Ok(Answer::ok(carrier.mime(), octets(&answer, carrier)))
    };
    (seen, deliver)
}

fn play(
    heads: Vec<Code>,
    all: Vec<Message<'static>>,
) -> (Vec<Message<'static>>, Vec<MessageReport>) {
    let (seen, deliver) = server(heads);
    let access = Access {
        url: "http://now.example/sync".into(),
        user: "Bruce2".into(),
        password: "OhBehave".into(),
        new_session_ids: false,
    };
    let mut player = Player::new(access, deliver);
    let recorded = all
        .into_iter()
        .map(|message| Recorded {
            name: "m".into(),
            carrier: Carrier::Wbxml,
            from_server: false,
            user_agent: None,
            profile: None,
            message,
        })
        .collect();
    for session in &sessions(recorded) {
        player.play(session);
    }
    (seen.take(), player.take_reports())
}

#[test]
fn what_belongs_to_the_server_of_then_is_written_anew() {
    let old_status = Command::Status(Status {
        cmd_id: "1".into(),
        msg_ref: "77".into(),
        cmd_ref: "12".into(),
        cmd: "Replace".into(),
        code: Code::OK,
        ..Status::default()
    });
    let mut first = message("5", 1, vec![alert("")]);
    first.header.cred = Some(Cred {
        meta: Meta {
            kind: Some("syncml:auth-md5".into()),
            ..Meta::default()
        },
        data: b"old".to_vec().into(),
    });
    let (seen, reports) = play(
        vec![Code::INVALID_CREDENTIALS],
        vec![first, message("5", 2, vec![old_status, upload()])],
    );
    assert!(
        reports.iter().all(MessageReport::is_accepted),
        "{reports:#?}"
    );
    assert_eq!(seen[0].header.target.uri, "http://now.example/sync");
    let digest = seen[1].header.cred.as_ref().map(|cred| cred.data.to_vec());
    assert_eq!(
        digest.as_deref(),
        Some(b"Zz6EivR3yeaaENcRN6lpAQ==".as_slice()),
        "with the new nonce"
    );
    let statuses: Vec<_> = seen[2]
        .body
        .iter()
        .filter_map(|command| match command {
            Command::Status(status) => Some((status.msg_ref.to_string(), status.cmd.to_string())),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [("2".to_owned(), "SyncHdr".to_owned())]);
    let notes = &reports
        .iter()
        .find(|report| report.msg_id == 3)
        .expect("sent")
        .notes;
    assert!(notes[0].contains("1 Statuses left out"), "{notes:?}");
}

#[test]
fn a_session_without_its_beginning_gets_one_and_anchors_are_made_known() {
    let (seen, reports) = play(Vec::new(), vec![message("5", 3, vec![upload()])]);
    assert!(matches!(&seen[0].body[0], Command::Alert(alert) if alert.code == Some(201)));
    assert_eq!(seen[0].header.msg_id, "1");
    assert!(reports[0].made && !reports[1].made, "{reports:?}");
    assert_eq!(reports[1].answers.len(), 2, "{reports:?}");

    let (seen, reports) = play(
        Vec::new(),
        vec![message("5", 1, vec![alert("20231231T000000Z")])],
    );
    let Command::Alert(before) = &seen[0].body[0] else {
        panic!("an Alert first");
    };
    let anchor = before.items[0]
        .meta
        .as_ref()
        .and_then(|meta| meta.anchor.as_ref());
    assert_eq!(anchor.map(|anchor| &*anchor.next), Some("20231231T000000Z"));
    assert_eq!(seen[0].header.session_id, "5-before");
    assert!(
        reports.iter().all(MessageReport::is_accepted),
        "{reports:#?}"
    );
}

#[test]
fn messages_that_the_server_of_now_does_not_need_are_left_out() {
    let more = || {
        vec![Command::Alert(Alert {
            cmd_id: "2".into(),
            code: Some(222),
            ..Alert::default()
        })]
    };
    let all = vec![
        message("5", 1, vec![alert("")]),
        message("5", 2, vec![upload()]),
        message("5", 3, more()),
        message("5", 4, more()),
    ];
    let (seen, reports) = play(Vec::new(), all);
    assert_eq!(
        seen.len(),
        3,
        "package 5 is sent, what comes after it is not"
    );
    let last = reports.last().expect("reports");
    assert!(last.left_out && last.is_accepted(), "{last:?}");
    assert!(last.to_string().contains("complete"), "{last}");
}

#[test]
fn a_refusal_is_told_and_ends_the_session() {
    let (seen, reports) = play(
        vec![Code::FORBIDDEN],
        vec![
            message("5", 1, vec![alert("")]),
            message("5", 2, vec![upload()]),
        ],
    );
    assert_eq!((seen.len(), reports.len()), (1, 1));
    assert!(!reports[0].is_accepted());
    assert!(
        reports[0].to_string().contains("header 403"),
        "{}",
        reports[0]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2_000 }))]

    #[test]
    fn any_octets_are_read(junk: Vec<u8>, at in 0_usize..400, xml: bool) {
        let carrier = if xml { Carrier::Xml } else { Carrier::Wbxml };
        let mut octets = octets(&message("5", 1, vec![alert("x"), upload()]), carrier);
        let at = at.min(octets.len());
        let end = (at + junk.len()).min(octets.len());
        octets.splice(at..end, junk.iter().copied());
        let _ = read("odd", &octets);
        let _ = read("junk", &junk);
        let text: String = junk.iter().map(|byte| format!("{byte:02x}{}", if byte % 5 == 0 { ":\n" } else { " " })).collect();
        let _ = read("hex", text.as_bytes());
        let http = [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n".as_slice(), &junk].concat();
        let _ = read("http", &http);
    }

    #[test]
    fn any_order_of_messages_can_be_played(order in proptest::collection::vec((0_u32..4, 0_u8..4, any::<bool>()), 0..8)) {
        let all = order.iter().map(|(msg, kind, last)| {
            let body = match kind {
                0 => vec![alert("")],
                1 => vec![alert("x"), upload()],
                2 => vec![upload()],
                _ => Vec::new(),
            };
            Message { last: *last, ..message("5", *msg, body) }
        });
        let (seen, _) = play(Vec::new(), all.collect());
        prop_assert!(seen.len() < 2_000);
    }
}
