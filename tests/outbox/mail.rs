//! New mail: what is worth an SMS, and what waits for the next sync.

use candybar::content::email::Mail;
use candybar::content::{Digest, Format, Kind, MatchKey};
use candybar::push::san;
use candybar::store::{NewItem, Store, StoreConfig};
use candybar::sync::{
    AccountId, Change, Commit, Datastore, DeviceId, Generation, Round, ViewState,
};

use super::{ACCOUNT, World, push, until, with_file};

/// The database of the running server, as a mailbox that is watched writes into it.
struct Mailbox {
    store: Store,
    account: AccountId,
}

impl Mailbox {
    fn of(world: &World) -> Self {
        let store = Store::open(&StoreConfig {
            url: format!("sqlite:{}", world.server.file("candybar.db").display()),
            key: None,
        })
        .expect("the server's database");
        let account = store.account(ACCOUNT.0).expect("the account").id;
        Self { store, account }
    }

    /// A phone that has synchronised an empty mailbox.
    fn phone(&self) -> DeviceId {
        let device = self.store.register_device(self.account, "IMEI:1", 1);
        let device = device.expect("a device").id;
        self.store
            .set_device(self.account, device, Some("+46700000001"), None)
            .expect("its number");
        let known = self.store.account_by_id(self.account).expect("the account");
        let state = ViewState {
            round: Round(1),
            confirmed: Some(Generation {
                client_anchor: "1".into(),
                server_anchor: "1".into(),
                base: known.modseq,
                filter: None,
            }),
            ..ViewState::default()
        };
        let commit = Commit {
            account: self.account,
            device: Some(device),
            expected: known.modseq,
            modseq: known.modseq,
            next_item: known.next_item,
            changes: vec![Change::PutView {
                view: Datastore::Mail,
                state,
            }],
            session: None,
            now: 1,
        };
        self.store.commit(commit).expect("a view");
        device
    }

    fn receive(&self, number: u8, from: &str) {
        let message = format!(
            "From: {from}\r\nTo: alice@example.org\r\nSubject: Mail {number}\r\nMessage-ID: <{number}@test>\r\n\r\nHello\r\n"
        );
        let item = NewItem {
            datastore: Datastore::Mail,
            kind: Kind::Mail,
            format: Format::Mail,
            body: Mail::received(message.into(), 1_800_000_000).write(),
            digest: Digest([number; 16]),
            key: MatchKey(number.into()),
        };
        self.store
            .put_items(self.account, None, vec![item])
            .expect("a mail");
    }
}

#[test]
fn only_mail_that_is_worth_it_wakes_a_phone() {
    let world = World::new(&with_file(
        "coalesce_seconds = 0\n[push.mail]\nsenders = \"*@friends.test\"",
    ));
    let mailbox = Mailbox::of(&world);
    mailbox.phone();
    mailbox.receive(1, "Shop <sale@shop.test>");
    let dropped = world.reaches("dropped");
    let why = dropped["why"].as_str().expect("a reason");
    assert!(why.contains("[push.mail]"), "{why}");
    mailbox.receive(2, "Ada <Ada@friends.test>");
    let sms = until("an SMS", || Some(world.sms()).filter(|sms| !sms.is_empty()));
    let package = san::read(&push(&sms).body).expect("package #0");
    let uris: Vec<&str> = package.notice.syncs.iter().map(|sync| &*sync.uri).collect();
    assert_eq!(uris, ["mail"]);
    assert_eq!(world.sms().len(), 1);
}

#[test]
fn mail_that_is_read_at_night_waits_for_the_morning() {
    let world = World::new(&with_file(
        "coalesce_seconds = 0\n[push.mail]\nquiet_hours = \"00:00-23:59\"\nalways = \"boss@work.test\"",
    ));
    let mailbox = Mailbox::of(&world);
    mailbox.phone();
    mailbox.receive(1, "ada@friends.test");
    until("the hold", || {
        let outbox = world.outbox();
        (outbox.first()?["why"] == "quiet hours of mail").then_some(())
    });
    assert_eq!(world.sms().len(), 0);
    mailbox.receive(2, "boss@work.test");
    // It is told with the notification that waits already.
    until("an SMS", || (world.sms().len() == 1).then_some(()));
    assert_eq!(world.outbox().len(), 1);
}
