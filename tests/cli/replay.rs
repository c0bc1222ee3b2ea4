//! `candybar handset replay`: recordings of sessions that virtual phones have had, in several layouts.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;

use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{Answer, Memory, Mode, Model, Phone, Post, Request, TransportError};
use candybar::session;
use candybar::store::{Store, StoreConfig};
use candybar::sync::Secret;

use super::program::Place;

/// Request and answer of each message.
type Talk = Vec<(Vec<u8>, Vec<u8>)>;

/// Two sessions of a phone of a model with a server.
fn record(model: &str) -> Talk {
    let store = Store::open(&StoreConfig {
        url: "sqlite::memory:".into(),
        key: None,
    })
    .expect("a store in memory");
    store
        .add_account("then", &Secret("secret of then".into()))
        .expect("an account");
    let exchange = Exchange::new(
        store,
        ServerSettings {
            session: session::Settings::default(),
            session_timeout: 3_600,
            nonce_secret: b"then".to_vec(),
        },
    );
    let talk: Rc<RefCell<Talk>> = Rc::default();
    let noted = Rc::clone(&talk);
    let deliver = move |post: &Post<'_>| -> Result<Answer, TransportError> {
        let request = ServerRequest {
            content_type: post.content_type,
            body: post.body,
            user_agent: Some(post.user_agent),
            profile_header: post.profile,
            query: None,
        };
        let reply = exchange.handle(request, 1_700_000_000).expect("an answer");
        noted
            .borrow_mut()
            .push((post.body.to_vec(), reply.body.clone()));
        Ok(Answer::ok(reply.content_type, reply.body))
    };
    let model = Model::named(model).expect("a model");
    let settings = model.settings("http://then.example/sync", "then", "secret of then");
    let memory = Memory::new(model.device_id("490154203237518"));
    let mut phone = Phone::new(settings, model.behaviour.clone(), memory, deliver);
    for number in 0..30 {
        phone.add("contacts", format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Person{number};A\r\nTEL;CELL:{number}\r\nEND:VCARD\r\n"));
    }
    let stores: Vec<&str> = model.datastores().collect();
    phone
        .sync(&Request::new(&stores, Mode::TwoWay, 1_700_000_000))
        .expect("a sync");
    phone.add(
        "contacts",
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Late;B\r\nTEL;CELL:77\r\nEND:VCARD\r\n",
    );
    phone
        .sync(&Request::new(&stores, Mode::TwoWay, 1_700_000_900))
        .expect("another");
    talk.take()
}

#[test]
fn a_recording_is_accepted_in_every_layout() {
    for (model, extension) in [
        ("sony-ericsson-p900", "xml"),
        ("nokia-9210", "wbxml"),
        ("motorola-v8", "wbxml"),
    ] {
        let talk = record(model);
        let place = Place::new();
        for layout in ["files", "http", "hex"] {
            let folder = place.path(layout);
            fs::create_dir(&folder).expect("a folder");
            for (index, (request, answer)) in talk.iter().enumerate() {
                // No leading zeros: message 10 comes after message 9.
                let name = |side: &str, extension: &str| {
                    folder.join(format!("{index}-{side}.{extension}"))
                };
                match layout {
                    "files" => {
                        fs::write(name("client", extension), request).expect("a file");
                        fs::write(name("server", extension), answer).expect("a file");
                    }
                    "hex" => {
                        let hex: String =
                            request.iter().map(|byte| format!("{byte:02x}\n")).collect();
                        fs::write(name("client", "hex"), hex).expect("a file");
                    }
                    _ => {
                        let head = |first: &str, body: &[u8]| {
                            format!("{first}\r\nContent-Length: {}\r\n\r\n", body.len())
                                .into_bytes()
                        };
                        let whole = [
                            head("POST /sync HTTP/1.1", request),
                            request.clone(),
                            head("HTTP/1.1 200 OK", answer),
                            answer.clone(),
                        ]
                        .concat();
                        fs::write(name("both", "http"), whole).expect("a file");
                    }
                }
            }
            fs::write(folder.join("readme.txt"), "recorded by nobody").expect("a file");
            let path = folder.to_string_lossy().into_owned();
            let run = place.run(&["handset", "replay", &path, "--json"]).ends(0);
            let report = run.json();
            assert_eq!(report["accepted"], true, "{model} {layout}: {report:#}");
            let messages = report["report"]["messages"].as_array().expect("messages");
            let played = messages
                .iter()
                .filter(|message| message["made"] == false)
                .count();
            assert_eq!(played, talk.len(), "{model} {layout}: {report:#}");
            let adds = messages
                .iter()
                .flat_map(|message| message["answers"].as_array().expect("answers"))
                .filter(|answer| {
                    answer["subject"]
                        .as_str()
                        .is_some_and(|subject| subject.parse::<u32>().is_ok())
                })
                .count();
            assert_eq!(adds, 31, "{model} {layout}: {report:#}");
            assert_eq!(report["report"]["skipped"][0], "readme.txt");
            let text = place.run(&["handset", "replay", &path]).ends(0).out;
            assert!(text.contains("0 commands refused"), "{text}");
        }
    }
}

#[test]
fn a_recording_from_the_middle_and_broken_files_are_borne() {
    let talk = record("sony-ericsson-p900");
    let place = Place::new();
    let folder = place.path("middle");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("2.xml"), &talk[1].0).expect("a file");
    let path = folder.to_string_lossy().into_owned();
    let run = place.run(&["handset", "replay", &path]).ends(0);
    assert!(
        run.out.contains("the beginning is not recorded"),
        "{}",
        run.out
    );
    let cut = &talk[0].0[..talk[0].0.len() / 2];
    fs::write(folder.join("1.xml"), cut).expect("a file");
    let run = place.run(&["handset", "replay", &path]).ends(4);
    assert!(
        run.out.contains("1.xml") && run.out.contains("cannot be read"),
        "{}",
        run.out
    );
    assert!(run.out.contains("offset"), "the place is told: {}", run.out);
}

#[test]
fn a_refusal_decides_the_exit_code() {
    let talk = record("sony-ericsson-p900");
    let text = String::from_utf8(talk[0].0.clone()).expect("XML is text");
    let place = Place::new();
    let folder = place.path("refused");
    fs::create_dir(&folder).expect("a folder");
    let odd = text
        .replace("<LocURI>contacts</LocURI>", "<LocURI>zebras</LocURI>")
        .replace(r"c:\Documents\contacts\contacts", "zoo")
        .replace("text/x-vcard", "text/x-zebra");
    assert_ne!(odd, text);
    fs::write(folder.join("1.xml"), odd).expect("a file");
    let path = folder.to_string_lossy().into_owned();
    let run = place.run(&["handset", "replay", &path]).ends(4);
    assert!(
        run.out.contains("! Alert") && run.out.contains("404"),
        "{}",
        run.out
    );
}

#[test]
fn device_information_that_cannot_be_read_is_left_out() {
    let talk = record("sony-ericsson-p900");
    let text = String::from_utf8(talk[0].0.clone()).expect("XML is text");
    let (start, end) = (text.find("<DevInf"), text.find("</DevInf>"));
    let (start, end) = (start.expect("a DevInf"), end.expect("its end"));
    let mangled = format!(
        "{}^B^Cj^@ mangled{}",
        &text[..start],
        &text[end + "</DevInf>".len()..]
    );
    let place = Place::new();
    let folder = place.path("mangled");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("1.xml"), mangled).expect("a file");
    let path = folder.to_string_lossy().into_owned();
    let run = place.run(&["handset", "replay", &path]).ends(0);
    assert!(run.out.contains("Put 1: 200"), "{}", run.out);
    assert!(run.out.contains("Alert 4 201 contacts: 200"), "{}", run.out);
}

#[test]
fn what_is_no_recording_is_wrong_usage() {
    let place = Place::new();
    let empty = place.path("empty");
    fs::create_dir(&empty).expect("a folder");
    fs::write(empty.join("a.txt"), "nothing").expect("a file");
    let path = empty.to_string_lossy().into_owned();
    place
        .run(&["handset", "replay", &path])
        .ends(2)
        .says("no message");
    place
        .run(&["handset", "replay", "nowhere"])
        .ends(1)
        .says("cannot read nowhere");
}
