//! Push mail: a mail comes, the phone is woken, fetches it, reads it, answers it.

use serde_json::Value;

use super::emulator::{Air, Home, is_here};
use super::{ACCOUNT, device};
use crate::support::program::Program;

const OWN: &str = "Mail=alice@example.org";
const MAIL: &str = "From: Bob Beispiel <bob@example.net>\r\nTo: alice@example.org\r\n\
    Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= from Bob\r\nMessage-ID: <noon@example.net>\r\n\
    Date: Fri, 27 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Lunch at noon? It is =E2=82=AC 5.\r\n";

/// Another phone of the account: what it does with mail the server tells the MIDlet.
struct OtherPhone<'a>(&'a Program);

impl OtherPhone<'_> {
    fn handset(&self, arguments: &[&str]) -> String {
        let all = [&["handset"], arguments, &["--state", "other.json"]].concat();
        self.0.command(&all)
    }

    fn sync(&self) {
        let (user, password) = ACCOUNT;
        let url = self.0.url();
        self.handset(&[
            "sync",
            "--url",
            &url,
            "--user",
            user,
            "--password",
            password,
            "--datastore",
            "mail",
        ]);
    }

    /// Its id of the inbox.
    fn inbox(&self) -> String {
        let shown = self.handset(&["show", "--json", "--datastore", "mail"]);
        let memory: Value = serde_json::from_str(&shown).expect("JSON");
        let items = memory["datastores"]["mail"]["items"]
            .as_object()
            .expect("items");
        let inbox = items
            .iter()
            .find(|(_, item)| item["body"].to_string().contains("<role>inbox</role>"));
        inbox.expect("an inbox").0.clone()
    }

    /// A mail comes into the inbox.
    fn file(&self, message: &str) {
        std::fs::write(self.0.file("mail.eml"), message).expect("a file");
        let inbox = self.inbox();
        let kind = "message/rfc822";
        self.handset(&[
            "add",
            "mail",
            "mail.eml",
            "--folder",
            &inbox,
            "--content-type",
            kind,
        ]);
        self.sync();
    }
}

#[test]
fn a_mail_wakes_the_midlet_which_reads_and_answers_it() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let gateway = air.gateway("air", "*");
    let configuration = format!("[push]\ncoalesce_seconds = 1\n{gateway}");
    let server = Program::start(&configuration, &[ACCOUNT]);
    let other = OtherPhone(&server);
    other.sync();
    let home = Home::new(1);
    home.run(&server, &[OWN], &["sync"]);
    server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        &device(1),
        "--msisdn",
        "+46700000001",
    ]);

    let mut phone = home.start(
        &server,
        &[OWN],
        &[
            "listen",
            "wait",
            "read Grüße from Bob",
            "answer Grüße from Bob;Yes. Ünd you?",
            "sync mail",
        ],
    );
    phone.until("listening");
    other.file(MAIL);
    air.carry(&phone);
    assert_eq!(phone.until("notification")["believed"], true);
    let mail = phone.until("mail");
    assert_eq!(mail["from"], "Bob Beispiel <bob@example.net>");
    assert_eq!(mail["subject"], "Grüße from Bob");
    assert_eq!(
        mail["text"].as_str().map(str::trim),
        Some("Lunch at noon? It is € 5.")
    );
    let events = phone.done();
    // The answer, and the flags of what was answered.
    assert_eq!(events.sync("mail")["sent"], 2);
    assert_eq!(events.sync("mail")["failed"], 0);

    other.sync();
    let shown = other.handset(&["show", "--datastore", "mail"]);
    assert!(shown.contains("In-Reply-To: <noon@example.net>"), "{shown}");
    assert!(
        shown.contains("To: Bob Beispiel <bob@example.net>"),
        "{shown}"
    );
    assert!(shown.contains("Yes. Ünd you?"), "{shown}");
    assert!(shown.contains("<replied>true</replied>"), "{shown}");
}
