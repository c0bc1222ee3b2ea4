//! Mail of phones on its way, as its operator sees it: what was refused or is in doubt goes again, what waits is given up.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::Place;
use crate::submission::sink::Sink;

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < LIMIT, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A virtual phone of the command line.
struct Phone<'a> {
    place: &'a Place,
    url: String,
}

impl Phone<'_> {
    fn sync(&self) {
        let login = ["--user", "alice", "--password", "s3cret"];
        let what = ["--datastore", "mail", "--state", "phone.json"];
        let begin = ["handset", "sync", "--url", &self.url];
        self.place
            .run(&[&begin[..], &login, &what].concat())
            .ends(0);
    }

    fn show(&self) -> String {
        let shown = self
            .place
            .run(&["handset", "show", "--state", "phone.json"]);
        shown.ends(0).out
    }

    /// Puts a mail into the outbox.
    fn write(&self, subject: &str, to: &str) {
        let shown = self.show();
        let lines: Vec<&str> = shown.lines().collect();
        let role = lines
            .iter()
            .position(|line| line.contains("<role>outbox</role>"));
        let head = lines[..role.expect("the outbox")].iter().rev();
        let head = head.into_iter().find(|line| !line.starts_with(' '));
        let outbox = head
            .and_then(|line| line.split(' ').next())
            .expect("its LUID");
        let mail = format!(
            "<Email><emailitem><![CDATA[To: {to}\r\nSubject: {subject}\r\n\r\nHello\r\n]]></emailitem></Email>"
        );
        self.place.write("mail.xml", mail);
        let add = ["handset", "add", "mail", "mail.xml", "--folder", outbox];
        self.place
            .run(&[&add[..], &["--state", "phone.json"]].concat())
            .ends(0);
        self.sync();
    }
}

fn outgoing(place: &Place, subject: &str) -> Option<Value> {
    let listed = place
        .run(&["mailbox", "outgoing", "alice", "--json"])
        .ends(0)
        .json();
    let list = listed.as_array().expect("a list").clone();
    list.into_iter().find(|mail| mail["subject"] == subject)
}

/// Waits until a mail is in that state; gives its id.
fn reaches(place: &Place, subject: &str, state: &str) -> String {
    until(&format!("{subject}: {state}"), || {
        let mail = outgoing(place, subject)?;
        let id = mail["id"].as_str().expect("an id").to_owned();
        (mail["state"] == state).then_some(id)
    })
}

fn id_of(message: &str) -> &str {
    let line = message.lines().find(|line| line.starts_with("Message-ID:"));
    line.expect("an id")
}

#[test]
fn what_was_refused_or_is_in_doubt_goes_again_and_what_waits_is_given_up() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let place = Place::new();
    place
        .run(&["account", "add", "alice", "--password", "s3cret"])
        .ends(0);
    let smtp = format!("smtp://127.0.0.1:{}?tls=none", sink.port);
    let add = [
        "mailbox",
        "add",
        "alice",
        "--local",
        "--address",
        "alice@example.org",
    ];
    place.run(&[&add[..], &["--smtp", &smtp]].concat()).ends(0);
    let server = place.serve(&[]);
    let phone = Phone {
        place: &place,
        url: format!("http://{}/sync", server.address),
    };
    phone.sync();

    phone.write("Half", "bob@example.net, never@example.net");
    assert_eq!(sink.mail().to, ["bob@example.net"]);
    let half = reaches(&place, "Half", "in part");
    let shown = place.run(&["mailbox", "outgoing", "alice"]).ends(0).out;
    for words in [
        &*half,
        "bob@example.net",
        "never@example.net",
        "no such user",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    place
        .run(&["mailbox", "outgoing", "--retry", &half])
        .ends(0);
    let mail = until("the other refusal", || {
        let mail = outgoing(&place, "Half")?;
        (mail["state"] == "in part" && mail["attempts"] == 1).then_some(mail)
    });
    assert_eq!(mail["recipients"][0]["state"], "sent");
    assert_eq!(mail["recipients"][1]["state"], "refused");

    phone.write("Doubt", "lose@example.net");
    let first = sink.mail();
    let doubt = reaches(&place, "Doubt", "in doubt");
    place
        .run(&["mailbox", "outgoing", "--retry", &doubt])
        .ends(0);
    let second = sink.mail();
    assert_eq!(id_of(&first.message), id_of(&second.message));
    assert_eq!(sink.count(), 3, "who has it does not get it again");

    // It was told to come later: it is given up, and the phone told.
    phone.write("Wait", "later@example.net");
    let wait = until("the wait", || {
        let mail = outgoing(&place, "Wait")?;
        let waits = mail["state"] == "waiting" && mail["attempts"] == 1;
        waits.then(|| mail["id"].as_str().expect("an id").to_owned())
    });
    let open = place.run(&["mailbox", "outgoing", "--open"]).ends(0).out;
    assert!(open.contains(&wait) && !open.contains(&half), "{open}");
    place
        .run(&["mailbox", "outgoing", "--cancel", &wait])
        .ends(0);
    reaches(&place, "Wait", "refused");
    until("the report", || {
        phone.sync();
        phone
            .show()
            .contains("Subject: Not sent: Wait")
            .then_some(())
    });
    // And then sent after all.
    place
        .run(&["mailbox", "outgoing", "--retry", &wait])
        .ends(0);
    assert_eq!(sink.mail().to, ["later@example.net"]);
    reaches(&place, "Wait", "sent");

    place
        .run(&["mailbox", "outgoing", "--retry", &wait])
        .ends(3)
        .says("have it");
    place
        .run(&["mailbox", "outgoing", "--cancel", &wait])
        .ends(3)
        .says("is finished");
    place
        .run(&["mailbox", "outgoing", "--retry", "1-999"])
        .ends(3)
        .says("there is no outgoing mail 1-999");
    place
        .run(&["mailbox", "outgoing", "--retry", "tomorrow"])
        .ends(2)
        .says("such as 1-42");
}
