//! Portraits of 300 KB through messages of 10 KB, in both directions.

use std::fmt::Write as _;

use base64::Engine as _;

use crate::support::datastore::{Datastore, Items};
use crate::support::fields;
use crate::support::recording;
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Mode, Phone, Version};

use super::world::{World, bodies};
use crate::support::server::SyncServer;

/// Octets of a portrait.
const OCTETS: usize = 300 * 1024;

/// A card with a portrait of octets that no packing makes smaller.
pub(super) fn card(name: &str, seed: u64) -> String {
    let mut random = seed;
    let octets: Vec<u8> = (0..OCTETS)
        .map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        })
        .collect();
    let portrait = base64::engine::general_purpose::STANDARD.encode(octets);
    let mut card = format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:{name};Portrait;;;\r\nFN:Portrait {name}\r\nPHOTO;ENCODING=B;TYPE=JPEG:"
    );
    for line in portrait.as_bytes().chunks(74) {
        let line = std::str::from_utf8(line).expect("BASE64 is ASCII");
        write!(card, "\r\n {line}").expect("a text takes everything");
    }
    card.push_str("\r\nEND:VCARD\r\n");
    card
}

fn both_ways(name: &str, carrier: Carrier, version: Version) {
    if !syncevolution::present() {
        return;
    }
    let world = World::start("[sync]\nmax_message_bytes = 12000\n");
    let dialect = Dialect {
        max_message: 10_240,
        ..Dialect::new(carrier, version, Auth::Md5)
    };
    let a = Phone::new(&world, &format!("sc-pim-portrait-{name}-a"), &dialect);
    let b = Phone::new(&world, &format!("sc-pim-portrait-{name}-b"), &dialect);
    let contacts = [Datastore::Contacts];
    let mut truth: Items = [1, 2]
        .map(|seed| (format!("p{seed}"), card(&format!("Nr{seed}"), seed)))
        .into();
    a.put_all(Datastore::Contacts, &truth);
    a.log_messages(true);
    let report = a.sync_well(Mode::Slow, &contacts);
    let log = report.log.expect("the client has left a log");
    let messages = recording::messages(&log).len();
    assert!(messages > 100, "{messages} messages for two portraits");
    b.sync_well(Mode::Slow, &contacts);
    let check = |when: &str, truth: &Items| {
        let truth = bodies(truth);
        for (whose, items) in [
            ("A", a.bodies(Datastore::Contacts)),
            ("B", b.bodies(Datastore::Contacts)),
            ("the server", world.items(Datastore::Contacts)),
        ] {
            let context = format!("{whose} {when}");
            fields::assert_same(&context, Datastore::Contacts, &truth, &items);
        }
    };
    check("after the portraits", &truth);
    // Another portrait on the second phone.
    let luids = b.items(Datastore::Contacts);
    let (luid, _) = luids
        .iter()
        .find(|(_, body)| body.contains("FN:Portrait Nr2"))
        .expect("it has the second");
    let other = card("Nr2", 3);
    b.put(Datastore::Contacts, luid, &other);
    truth.insert("p2".to_owned(), other);
    b.sync_well(Mode::TwoWay, &contacts);
    a.sync_well(Mode::TwoWay, &contacts);
    check("after another portrait", &truth);
}

#[test]
fn wbxml_12() {
    both_ways("wbxml-12", Carrier::Wbxml, Version::V12);
}

#[test]
fn xml_11() {
    both_ways("xml-11", Carrier::Xml, Version::V11);
}
