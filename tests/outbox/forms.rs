//! Forms of notifications through Kannel: what its SMS centre gets is what the device's profile asks for, octet for octet
//! what was meant.

use candybar::handset::{HttpTransport, Phone};
use candybar::push::emn::Emn;
use candybar::push::si::{Indication, Loading};
use candybar::push::{UiMode, notification, san, wdp, wsp};
use candybar::syncml::Version;
use tempfile::TempDir;

use super::{ACCOUNT, World, card, sync};
use crate::support::kannel::{Kannel, Shown};

/// Profiles of phones that know a form of no embedded profile.
const PROFILES: [(&str, &str); 2] = [("with-emn", "emn"), ("with-sl", "sl")];

fn world(kannel: &Kannel) -> (World, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, form) in PROFILES {
        let text = format!(
            "name = \"{name}\"\ntitle = \"A phone\"\nmatch = [{{ device = \"none\" }}]\n[[rule]]\nname = \"form\"\n\
             source = \"made for a test\"\nsession = {{ notification = \"{form}\" }}\n"
        );
        std::fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
    }
    let configuration = format!(
        "public_url = \"http://sync.example.org/sync\"\n[push]\ncoalesce_seconds = 0\n[devices]\nprofiles = \"{}\"\n\
         [[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        folder.path().display(),
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    );
    (World::new(&configuration), folder)
}

/// A phone whose server is where it was set up, not where `public_url` says.
fn phone(world: &World, number: u32) -> Phone<HttpTransport> {
    let mut phone = world.phone(number);
    phone.client_mut().behaviour_mut().ignore_resp_uri = true;
    sync(&mut phone, &["contacts"]);
    phone
}

/// Reads SMS until they make the push that the phone with that number gets.
fn push_for(kannel: &mut Kannel, number: u32) -> wsp::Push {
    let mut reassembly = wdp::Reassembly::new();
    loop {
        let Shown {
            from,
            to,
            udh,
            body,
        } = kannel.next();
        assert!(to.ends_with(&format!("46700000{number:03}")), "{to}");
        let whole = reassembly.add(&from, &udh, &body).expect("a segment");
        if let Some(datagram) = whole {
            assert_eq!(datagram.ports, Some(wdp::Ports::PUSH));
            return wsp::Push::read(&datagram.payload).expect("a push");
        }
    }
}

#[test]
fn each_phone_gets_the_form_of_its_profile() {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    let (world, _profiles) = world(&kannel);
    let mut author = phone(&world, 1);
    // The devices are known one after the other, so that each change wakes one phone alone.
    let mut edit = |name: &str, profile: &str, number: u32| {
        let mut phone = phone(&world, number);
        let device = format!("IMEI:{number}");
        let msisdn = format!("+467000{number:05}");
        world.server.command(&[
            "device",
            "set",
            ACCOUNT.0,
            &device,
            "--msisdn",
            &msisdn,
            "--profile",
            profile,
        ]);
        author.add("contacts", card(name));
        sync(&mut author, &["contacts"]);
        let push = push_for(&mut kannel, number);
        sync(&mut phone, &["contacts"]);
        world
            .server
            .command(&["device", "set", ACCOUNT.0, &device, "--channel", "none"]);
        push
    };

    let push = edit("Lovelace", "nokia-s40-2nd", 2);
    assert_eq!(push.content_type, wsp::MediaType::SYNCML_WBXML);
    assert_eq!(push.application(), wsp::Application::SYNCML);
    let read = notification::read(&push.body).expect("a message of 1.1");
    assert_eq!((read.version, &*read.target), (Version::V11, "IMEI:2"));
    assert_eq!(read.notice.syncs[0].uri, "./contacts");
    assert_eq!(read.notice.syncs[0].alert.code(), 206);

    let push = edit("Hopper", "siemens", 3);
    assert_eq!(push.content_type, wsp::MediaType::SI);
    let read = Indication::read(&push.body).expect("an indication");
    assert_eq!(
        read.text,
        "Something changed: contacts. Please synchronise."
    );
    assert_eq!(read.href.as_deref(), Some("http://sync.example.org/sync"));

    let push = edit("Hamilton", "with-sl", 4);
    assert_eq!(push.content_type, wsp::MediaType::SL);
    let read = Loading::read(&push.body).expect("a page");
    assert_eq!(read.href, "http://sync.example.org/sync");

    // A phone that asks its user.
    let push = edit("Ride", "sony-ericsson-uiq3", 6);
    let read = san::read(&push.body).expect("package #0");
    assert_eq!(read.notice.ui_mode, UiMode::UserInteraction);

    // An e-mail notification says nothing of contacts: they are told of as the phone's version has it.
    let push = edit("Liskov", "with-emn", 5);
    assert_eq!(push.content_type, wsp::MediaType::DS_NOTIFICATION);
    let read = san::read(&push.body).expect("package #0");
    assert_eq!(read.notice.syncs[0].uri, "./contacts");
    world
        .server
        .command(&["device", "set", ACCOUNT.0, "IMEI:5", "--channel", "sms"]);
    world.server.command(&[
        "push",
        ACCOUNT.0,
        "--device",
        "IMEI:5",
        "--datastore",
        "mail",
    ]);
    let push = push_for(&mut kannel, 5);
    assert_eq!(push.content_type, wsp::MediaType::EMN);
    assert_eq!(push.application(), wsp::Application::EMN);
    let read = Emn::read(&push.body).expect("an e-mail notification");
    assert_eq!(read.mailbox, "mailat:alice@sync.example.org");
    assert!(read.timestamp.is_some());
}

#[test]
fn a_phone_without_a_sync_client_gets_a_text() {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    let (world, _profiles) = world(&kannel);
    world.server.command(&[
        "device",
        "add",
        ACCOUNT.0,
        "handset",
        "--msisdn",
        "+46700000006",
    ]);
    world.server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        "handset",
        "--notification",
        "si",
    ]);
    let mut author = phone(&world, 1);
    for (name, datastore) in [("Lovelace", "contacts"), ("Hopper", "contacts")] {
        author.add(datastore, card(name));
        sync(&mut author, &[datastore]);
        let push = push_for(&mut kannel, 6);
        assert_eq!(push.content_type, wsp::MediaType::SI);
        let read = Indication::read(&push.body).expect("an indication");
        assert_eq!(
            read.text,
            "Something changed: contacts. Please synchronise."
        );
        // Until then nothing else goes out to it.
        let outbox = world.outbox();
        let newest = outbox[0]["id"].as_str().expect("an id");
        world.server.command(&["outbox", "cancel", newest]);
    }
    assert_eq!(world.outbox().len(), 2);
}
