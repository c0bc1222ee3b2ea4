//! Who a message says that it is from: wrong passwords, and devices of other accounts.

use candybar::handset::{Auth, Behaviour, Mode, PhoneError};
use candybar::syncml::{Carrier, Command, Message};

use super::dialogue::{Dialogue, add, alert, codes, read, sync};
use super::http::{Connection, post};
use super::target::{self, ACCOUNT, OTHER, Target, WITNESS, card, names_on};

/// The kind of credentials that a message's Status for the header asks for.
fn challenge(message: &Message<'_>) -> Option<String> {
    message.body.iter().find_map(|command| match command {
        Command::Status(status) if status.cmd_ref == "0" => {
            let chal = status.chal.as_ref()?;
            chal.meta.kind.as_ref().map(ToString::to_string)
        }
        _ => None,
    })
}

#[test]
fn wrong_credentials_are_challenged() {
    let target = Target::start();
    let items = sync("contacts", &add(3, "1", &card("Intruder", 1)));
    let commands = alert(201, "contacts") + &items;
    for (user, password) in [(ACCOUNT.0, "wrong"), (ACCOUNT.0, ""), ("nobody", ACCOUNT.1)] {
        let mut dialogue = Dialogue::new(&target, "IMEI:wrong", "1");
        dialogue.credentials = Some((user.to_owned(), password.to_owned()));
        let answer = dialogue.send(&commands, true);
        for name in ["SyncHdr", "Alert", "Sync"] {
            assert_eq!(codes(&answer, name), [401], "{user}: {name}");
        }
        assert_eq!(challenge(&answer).as_deref(), Some("syncml:auth-basic"));
    }
    let mut dialogue = Dialogue::new(&target, "IMEI:wrong", "1");
    dialogue.credentials = None;
    let answer = dialogue.send(&commands, true);
    assert_eq!(codes(&answer, "SyncHdr"), [407]);
    assert_eq!(challenge(&answer).as_deref(), Some("syncml:auth-md5"));
    // MD5 with a wrong password: one challenge with a nonce, then no.
    for device in ["IMEI:wrong5", WITNESS] {
        let mut phone = target.phone((ACCOUNT.0, "wrong"), device);
        phone.client_mut().settings_mut().auth = Auth::Md5;
        *phone.client_mut().behaviour_mut() = Behaviour::default();
        phone.add("contacts", card("Intruder", 2));
        let request = candybar::handset::Request::new(&["contacts"], Mode::Slow, 1_700_000_000);
        let error = phone.sync(&request).expect_err("the password is wrong");
        assert!(error.is_refusal(), "{error}");
        assert!(matches!(error, PhoneError::Failed(_)), "{error}");
    }
    target.unharmed();
}

#[test]
fn wrong_passwords_wait_longer_and_longer_and_the_right_one_does_not() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:guess", "1");
    let mut guess = |password: &str| -> Connection {
        dialogue.msg = 1;
        dialogue.credentials = Some((ACCOUNT.0.to_owned(), password.to_owned()));
        let body = dialogue.message(&alert(201, "contacts"), true);
        let mut connection = target.connect();
        connection.send(&post(Carrier::Xml.mime(), body.as_bytes()));
        connection
    };
    for number in 0..3 {
        let response = guess(&format!("free {number}")).response();
        assert_eq!(codes(&read(&response), "SyncHdr"), [401]);
    }
    let mut waiting: Vec<_> = (0..10).map(|number| guess(&format!("{number}"))).collect();
    while target.metric("candybar_sessions_total{outcome=\"rejected\"}") < 13 {
        std::thread::yield_now();
    }
    let delayed = target.metric("candybar_delayed_replies");
    assert!(delayed >= 3, "{delayed} of 10 answers wait");
    // Meanwhile the right password is taken, from a device that is known and from a new one.
    target.unharmed();
    let mut phone = target.phone(ACCOUNT, "IMEI:right");
    target::sync(&mut phone, Mode::TwoWay);
    // Those that wait longest are not answered yet, which they are after half a minute.
    let still = waiting
        .iter_mut()
        .filter_map(|one| one.waits().then_some(()))
        .count();
    assert!(still >= 3, "{still} of 10 answers still wait");
    target.alive();
}

#[test]
fn a_device_id_of_another_account_opens_nothing_there() {
    let target = Target::start();
    // The other account's phone says that it is the witness.
    let mut thief = target.phone(OTHER, WITNESS);
    thief.add("contacts", card("Thief", 1));
    for mode in [Mode::TwoWay, Mode::Slow, Mode::RefreshFromServer] {
        target::sync(&mut thief, mode);
        assert_eq!(names_on(&thief), ["Thief"]);
    }
    assert_eq!(target.names(OTHER), ["Thief"]);
    assert_eq!(target.names(ACCOUNT), ["Witness"]);
    target.keep();
    // The same by hand, with the witness's account in the address, as our own answers would have it.
    for (session, query) in [("70", "?s=1"), ("71", "?s=2"), ("72", "?s=999")] {
        let mut dialogue = Dialogue::new(&target, WITNESS, session);
        dialogue.credentials = Some((OTHER.0.to_owned(), OTHER.1.to_owned()));
        dialogue.query = query.to_owned();
        dialogue.begin();
        let answer = dialogue.send(&sync("contacts", &add(3, session, &card(session, 1))), true);
        let statuses = dialogue.end(answer);
        assert!(statuses.contains(&("Add".to_owned(), 201)), "{statuses:?}");
        assert_eq!(target.names(ACCOUNT), ["Witness"]);
        assert!(target.names(OTHER).contains(&session.to_owned()));
    }
    // The other way round: a refresh that would empty the thief's account is held there, and leaves this one alone.
    let before = target.names(OTHER);
    let mut empty = target.phone(OTHER, "IMEI:empty");
    target::sync(&mut empty, Mode::RefreshFromClient);
    assert_eq!(target.names(OTHER), before);
    target.keep();
    target.unharmed();
    assert_eq!(target.names_of_witness(), ["Witness"]);
}

#[test]
fn an_open_session_takes_no_message_of_another_account() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, WITNESS, "500");
    dialogue.begin();
    // Same device, same SessionID, next MsgID, but the credentials of another account.
    let mut thief = Dialogue::new(&target, WITNESS, "500");
    thief.msg = 1;
    thief.credentials = Some((OTHER.0.to_owned(), OTHER.1.to_owned()));
    let answer = thief.send(&sync("contacts", &add(3, "9", &card("Thief", 1))), true);
    assert_eq!(codes(&answer, "SyncHdr"), [408]);
    assert_eq!(target.names(ACCOUNT), ["Witness"]);
    assert_eq!(target.names(OTHER), [""; 0]);
    // The session goes on as if nothing had been.
    let answer = dialogue.send(&sync("contacts", &add(3, "8", &card("Own", 1))), true);
    let statuses = dialogue.end(answer);
    assert!(statuses.contains(&("Add".to_owned(), 201)), "{statuses:?}");
    assert_eq!(target.names(ACCOUNT), ["Own", "Witness"]);
    assert_eq!(target.names(OTHER), [""; 0]);
}

#[test]
fn an_open_session_takes_no_message_with_a_wrong_password() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, WITNESS, "500");
    dialogue.begin();
    dialogue.credentials = Some((ACCOUNT.0.to_owned(), "wrong".to_owned()));
    let answer = dialogue.send(&sync("contacts", &add(3, "9", &card("Thief", 1))), true);
    assert_eq!(codes(&answer, "SyncHdr"), [401]);
    assert_eq!(target.names(ACCOUNT), ["Witness"]);
}
