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
        self.receive_at(number, from, chrono::Utc::now().timestamp());
    }

    /// A mail that came at that time, seconds since 1970.
    fn receive_at(&self, number: u8, from: &str, received: i64) {
        let message = format!(
            "From: {from}\r\nTo: alice@example.org\r\nSubject: Mail {number}\r\nMessage-ID: <{number}@test>\r\n\r\nHello\r\n"
        );
        let item = NewItem {
            datastore: Datastore::Mail,
            kind: Kind::Mail,
            format: Format::Mail,
            body: Mail::received(message.into(), received).write(),
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

/// Why the newest notification, which went nowhere, did not.
fn dropped(world: &World, count: usize) -> String {
    until("the decision", || {
        let outbox = world.outbox();
        let newest = outbox.first()?;
        let over = outbox.len() == count && newest["state"] == "dropped";
        over.then(|| newest["why"].as_str().expect("a reason").to_owned())
    })
}

#[test]
fn mail_that_the_phone_does_not_get_does_not_wake_it() {
    const DAY: i64 = 86_400;
    let world = World::new(&with_file("coalesce_seconds = 0\n[mail]\nwindow_days = 14"));
    let mailbox = Mailbox::of(&world);
    mailbox.phone();
    let now = chrono::Utc::now().timestamp();
    // Too old: a mailbox that is imported, say.
    mailbox.receive_at(1, "ada@friends.test", now - 20 * DAY);
    let why = dropped(&world, 1);
    assert!(why.contains("mail window"), "{why}");
    let set = ["device", "set", ACCOUNT.0, "IMEI:1", "--mail-window"];
    // A folder of which it has nothing.
    world
        .server
        .command(&[&set[..], &["inbox.count=0"]].concat());
    mailbox.receive_at(2, "ada@friends.test", now);
    let why = dropped(&world, 2);
    assert!(why.contains("mail window"), "{why}");
    assert_eq!(world.sms().len(), 0);
    world.server.command(&[&set[..], &[""]].concat());
    mailbox.receive_at(3, "ada@friends.test", now);
    until("an SMS", || (world.sms().len() == 1).then_some(()));
}

#[test]
fn accounts_and_devices_have_rules_of_their_own() {
    let world = World::new(&with_file(
        "coalesce_seconds = 0\n[push.mail]\nsenders = \"*@friends.test\"",
    ));
    let mailbox = Mailbox::of(&world);
    mailbox.phone();
    let account = ["account", "set", ACCOUNT.0, "--mail-push"];
    let told = world
        .server
        .command(&[&account[..], &["senders=*@work.test"]].concat());
    assert!(told.contains("senders=*@work.test"), "{told}");
    mailbox.receive(1, "ada@friends.test");
    let why = dropped(&world, 1);
    assert!(why.contains("the account's"), "{why}");
    mailbox.receive(2, "boss@work.test");
    until("an SMS", || (world.sms().len() == 1).then_some(()));
    world.server.command(&["outbox", "cancel", "1-2"]);

    // The device stands over the account; what it does not set is as there.
    let device = ["device", "set", ACCOUNT.0, "IMEI:1", "--mail-push"];
    world
        .server
        .command(&[&device[..], &["importance=never;always=mum@home.test"]].concat());
    mailbox.receive(3, "boss@work.test");
    dropped(&world, 3);
    mailbox.receive(4, "mum@home.test");
    until("an SMS", || (world.sms().len() == 2).then_some(()));
    world.server.command(&["outbox", "cancel", "1-4"]);
    let shown = world
        .server
        .command(&["device", "show", ACCOUNT.0, "IMEI:1", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["mail_push"]["account"], "senders=*@work.test");
    assert_eq!(
        shown["mail_push"]["device"],
        "importance=never;always=mum@home.test"
    );

    // Taken away, the configuration counts again.
    for command in [&account[..], &device[..]] {
        world.server.command(&[command, &[""]].concat());
    }
    mailbox.receive(5, "ada@friends.test");
    until("an SMS", || (world.sms().len() == 3).then_some(()));
}

#[test]
fn the_api_sets_rules_for_mail() {
    let configuration = with_file("coalesce_seconds = 0");
    let world = World::new(&format!("{configuration}[api]\ntoken = \"a-token\"\n"));
    Mailbox::of(&world).phone();
    let ask = |method: &str, body: &str| {
        let path = format!("/api/v1/accounts/{}/mail-push", ACCOUNT.0);
        let body = serde_json::from_str(body).unwrap_or_default();
        super::settings::ask(&world, method, &path, "a-token", &body)
    };
    let (status, answer) = ask("POST", r#"{"rules": "folders=all; ignore=noreply@*"}"#);
    assert_eq!(
        (status, &answer["rules"]),
        (200, &"folders=all;ignore=noreply@*".into())
    );
    let (status, _) = ask(
        "POST",
        r#"{"device": "IMEI:1", "rules": "quiet_hours=22:00-07:00"}"#,
    );
    assert_eq!(status, 200);
    let (_, answer) = ask("GET", "");
    assert_eq!(answer["devices"]["IMEI:1"], "quiet_hours=22:00-07:00");
    assert_eq!(answer["rules"], "folders=all;ignore=noreply@*");
    let (status, answer) = ask("POST", r#"{"rules": "colour=red"}"#);
    assert_eq!(status, 400);
    assert!(
        answer["error"]
            .as_str()
            .is_some_and(|why| why.contains("colour")),
        "{answer}"
    );
    assert_eq!(ask("POST", r#"{"device": "IMEI:9", "rules": ""}"#).0, 404);
    // A device that is forgotten leaves nothing.
    world
        .server
        .command(&["device", "forget", ACCOUNT.0, "IMEI:1"]);
    let (_, answer) = ask("GET", "");
    assert_eq!(answer["devices"], serde_json::json!({}));
}
