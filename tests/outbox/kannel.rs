//! Through Kannel: an edit by phone A is an SMS in its SMS centre for phone B, octet for octet what the outbox meant; receipts and
//! texts come back.

use candybar::push::{san, wdp, wsp};
use serde_json::Value;

use super::{ACCOUNT, World, card, sync, until};
use crate::support::kannel::Kannel;

#[test]
fn an_edit_on_one_phone_is_an_sms_for_the_other() {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    let world = World::new(&format!(
        "[push]\ncoalesce_seconds = 0\n[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    ));
    let mut a = world.known_phone(1);
    let mut b = world.known_phone(2);
    a.add("contacts", card("Lovelace"));
    sync(&mut a, &["contacts"]);
    let sms = kannel.next();
    assert!(sms.to.ends_with("46700000002"), "{}", sms.to);
    let mut reassembly = wdp::Reassembly::new();
    let datagram = reassembly
        .add(&sms.from, &sms.udh, &sms.body)
        .expect("a segment")
        .expect("it is one SMS");
    assert_eq!(datagram.ports, Some(wdp::Ports::PUSH));
    let package = wsp::Push::read(&datagram.payload).expect("a push");
    let received = san::read(&package.body).expect("package #0");
    assert!(received.is_signed_with(ACCOUNT.1, b""));
    assert_eq!(received.notice.syncs[0].uri, "./contacts");
    // Kannel says what its centre said.
    let receipt = until("the receipt", || {
        let shown = world.server.command(&["outbox", "show", "1-1", "--json"]);
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        let receipt = shown["parts"][0]["receipt"].as_str()?.to_owned();
        (receipt != "none").then_some(receipt)
    });
    assert!(["pending", "delivered"].contains(&&*receipt), "{receipt}");
    sync(&mut b, &["contacts"]);
    assert_eq!(b.items("contacts").len(), 1);
    assert_eq!(world.reaches("synced")["gateway"], "kannel");
    assert_eq!(kannel.taken(), 1);
}
