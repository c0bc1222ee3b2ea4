//! Mail of phones on its way to a real submission server: refusals, lost links, logins, TLS, and never twice.

pub(crate) mod sink;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use candybar::content::email::{Head, Mail, Mailbox};
use candybar::mail::submission::{Login, Post, Security, Sender, Server, Settings, Submission};

use candybar::store::{QueuedMail, Reached, Store, StoreConfig, StoreError, SubmissionState};
use candybar::sync::{AccountId, ItemId, Secret};
use sink::Sink;

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// An account's mailbox, in memory.
#[derive(Default)]
struct Memory {
    server: Mutex<Option<Server>>,
    outbox: Mutex<HashMap<i64, Mail>>,
    sent: Mutex<Vec<(i64, String)>>,
    inbox: Mutex<Vec<String>>,
    /// Addresses of other accounts of this server, and what they got.
    near: Mutex<Vec<String>>,
    delivered: Mutex<Vec<(i64, String)>>,
}

/// The number of the first of the other accounts.
const NEAR: i64 = 100;

impl Post for Memory {
    fn sender(&self, _account: AccountId) -> Result<Sender, String> {
        Ok(Sender {
            server: self.server.lock().unwrap().clone(),
            addresses: vec![Mailbox {
                name: "Ann".to_owned(),
                address: "ann@example.org".to_owned(),
            }],
        })
    }

    fn local(&self, address: &str) -> Result<Option<AccountId>, StoreError> {
        let near = self.near.lock().unwrap();
        let found = (NEAR..).zip(near.iter()).find(|(_, of)| *of == address);
        Ok(found.map(|(number, _)| AccountId(number)))
    }

    fn mail(&self, _account: AccountId, item: ItemId) -> Result<Option<Mail>, StoreError> {
        Ok(self.outbox.lock().unwrap().get(&item.0).cloned())
    }

    fn answered(&self, _account: AccountId, _written: &Head) -> Result<Option<Head>, StoreError> {
        Ok(None)
    }

    fn sent(&self, _account: AccountId, item: ItemId, message: Vec<u8>) -> Result<(), StoreError> {
        let message = String::from_utf8(message).expect("ASCII");
        self.sent.lock().unwrap().push((item.0, message));
        Ok(())
    }

    fn deliver(&self, account: AccountId, from: &str, message: Vec<u8>) -> Result<(), StoreError> {
        // Reports have no sender, so that nobody answers them with a report.
        assert_eq!(from.is_empty(), account.0 < NEAR);
        let message = String::from_utf8(message).expect("ASCII");
        if account.0 >= NEAR {
            let mut delivered = self.delivered.lock().unwrap();
            delivered.push((account.0, message));
            return Ok(());
        }
        self.inbox.lock().unwrap().push(message);
        Ok(())
    }
}

struct World {
    folder: tempfile::TempDir,
    store: Store,
    account: AccountId,
    post: Arc<Memory>,
    next: i64,
    runtime: tokio::runtime::Runtime,
}

fn settings() -> Settings {
    Settings {
        backoff_permille: 2,
        ..Settings::default()
    }
}

fn server(port: u16) -> Server {
    Server {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        ca_file: None,
        login: None,
    }
}

fn open(folder: &Path) -> Store {
    Store::open(&StoreConfig {
        url: format!("sqlite:{}", folder.join("candybar.db").display()),
        key: None,
    })
    .expect("a store")
}

impl World {
    fn new(server: Server) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        let password = Secret("sync-it-7".to_owned());
        let account = store.add_account("ann", &password).expect("an account");
        let post = Arc::new(Memory::default());
        *post.server.lock().unwrap() = Some(server);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            folder,
            store,
            account: account.id,
            post,
            next: 1,
            runtime,
        }
    }

    /// Starts a node that works on the queue.
    fn node(&self, settings: Settings) -> Submission {
        let post: Arc<dyn Post> = Arc::<Memory>::clone(&self.post);
        let node = Submission::new(self.store.clone(), post, settings);
        let running = node.clone();
        self.runtime.spawn(async move { running.run().await });
        node
    }

    /// Puts a mail into the outbox.
    fn put(&mut self, to: &str) -> ItemId {
        let item = ItemId(self.next);
        self.next += 1;
        let message = format!("To: {to}\nSubject: S{}\n\nHello\n.\nthere\n", item.0);
        let mail = Mail {
            message: message.into_bytes(),
            ..Mail::default()
        };
        self.post.outbox.lock().unwrap().insert(item.0, mail);
        let now = chrono::Utc::now().timestamp_millis();
        self.store
            .queue_mail(self.account, item, now)
            .expect("queued");
        item
    }

    #[track_caller]
    fn until(&self, what: &str, item: ItemId, look: impl Fn(&QueuedMail) -> bool) -> QueuedMail {
        let begin = Instant::now();
        loop {
            let mail = self
                .store
                .queued_mail(self.account, item)
                .expect("read")
                .expect("queued");
            if look(&mail) {
                return mail;
            }
            assert!(begin.elapsed() < LIMIT, "{what} did not happen: {mail:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn finished(&self, item: ItemId) -> QueuedMail {
        self.until("the end", item, |mail| {
            mail.state == SubmissionState::Finished
        })
    }

    fn reports(&self) -> Vec<String> {
        self.post.inbox.lock().unwrap().clone()
    }

    fn sent(&self) -> Vec<(i64, String)> {
        self.post.sent.lock().unwrap().clone()
    }
}

fn reached(mail: &QueuedMail) -> Vec<Reached> {
    mail.recipients.iter().map(|of| of.reached).collect()
}

#[test]
fn mail_reaches_a_server_once_and_is_filed() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let _node = world.node(settings());
    let item = world.put("Bob <bob@example.net>\nBcc: eve@example.net");
    let taken = sink.mail();
    assert_eq!(taken.sender, "ann@example.org");
    assert_eq!(taken.to, ["bob@example.net", "eve@example.net"]);
    assert!(
        taken.message.starts_with(
            "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: S1\r\n"
        ),
        "{}",
        taken.message
    );
    // The line of one dot comes through, and nothing tells of Bcc.
    assert!(
        taken.message.contains("\r\nHello\r\n.\r\nthere\r\n") && !taken.message.contains("eve"),
        "{}",
        taken.message
    );
    let mail = world.finished(item);
    assert_eq!(reached(&mail), [Reached::Sent, Reached::Sent]);
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].1.starts_with("Bcc: eve@example.net\r\nFrom: Ann"));
    assert!(world.reports().is_empty());
    // It is in the queue once, whoever asks.
    world
        .store
        .queue_mail(world.account, item, 0)
        .expect("queued");
    assert_eq!(world.finished(item).state, SubmissionState::Finished);
    assert_eq!(sink.count(), 1);
}

#[test]
fn who_has_a_mailbox_here_gets_it_without_a_server() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let near = ["eve@example.org", "kim@example.org"].map(str::to_owned);
    *world.post.near.lock().unwrap() = near.to_vec();
    let _node = world.node(settings());
    let both = world.put("kim@example.org, bob@example.net");
    assert_eq!(sink.mail().to, ["bob@example.net"]);
    let mail = world.finished(both);
    assert_eq!(reached(&mail), [Reached::Sent, Reached::Sent]);
    *world.post.server.lock().unwrap() = None;
    let one = world.put("eve@example.org, bob@example.net");
    let mail = world.finished(one);
    assert_eq!(reached(&mail), [Reached::Sent, Reached::Refused]);
    let delivered = world.post.delivered.lock().unwrap().clone();
    let to: Vec<i64> = delivered.iter().map(|(account, _)| *account).collect();
    assert_eq!(to, [NEAR + 1, NEAR]);
    assert!(
        delivered[1]
            .1
            .starts_with("From: Ann <ann@example.org>\r\n")
    );
    let reports = world.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0].contains("no server that sends mail") && !reports[0].contains("rfc822; eve@")
    );
    assert_eq!((sink.count(), world.sent().len()), (1, 2));
}

#[test]
fn each_recipient_has_an_answer_of_its_own() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let _node = world.node(settings());
    let item = world.put("bob@example.net, never@example.net, later@example.net");
    let first = sink.mail();
    assert_eq!(first.to, ["bob@example.net"]);
    let second = sink.mail();
    assert_eq!(second.to, ["later@example.net"]);
    assert_eq!(first.message, second.message);
    let mail = world.finished(item);
    assert_eq!(
        reached(&mail),
        [Reached::Sent, Reached::Refused, Reached::Sent]
    );
    let reports = world.reports();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains("Subject: Not sent: S1\r\n"),
        "{}",
        reports[0]
    );
    assert!(
        reports[0].contains("never@example.net") && reports[0].contains("no such user"),
        "{}",
        reports[0]
    );
    assert!(!reports[0].contains("rfc822; bob@"));
    // An independent reader takes it for what it is.
    let file = world.folder.path().join("report.eml");
    std::fs::write(&file, &reports[0]).expect("written");
    let script = "import email, sys\n\
        m = email.message_from_bytes(open(sys.argv[1], 'rb').read())\n\
        print(m.get_content_type(), m.get_param('report-type'), *[p.get_content_type() for p in m.get_payload()])\n\
        mta, *rest = m.get_payload(1).get_payload()\n\
        print(mta['Reporting-MTA'], *[(r['Final-Recipient'], r['Action'], r['Status']) for r in rest])\n\
        print(email.message_from_string(m.get_payload(2).get_payload())['Subject'])\n";
    let mut python = Command::new("python3");
    python.arg("-c").arg(script).arg(&file);
    let read = crate::support::process::run(&mut python, LIMIT);
    assert_eq!(
        read.text.lines().map(str::trim_end).collect::<Vec<_>>(),
        [
            "multipart/report delivery-status text/plain message/delivery-status text/rfc822-headers",
            "dns; example.org ('rfc822; never@example.net', 'failed', '5.1.1')",
            "S1"
        ]
    );
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn what_the_server_did_not_take_is_sent_again_or_reported() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let _node = world.node(settings());
    let early = world.put("early@example.net");
    sink.next("lost");
    assert_eq!(sink.mail().to, ["early@example.net"]);
    assert!(world.finished(early).attempts >= 2);
    let postponed = world.put("postpone@example.net");
    sink.next("postponed");
    assert_eq!(sink.mail().to, ["postpone@example.net"]);
    assert_eq!(reached(&world.finished(postponed)), [Reached::Sent]);
    let refused = world.put("refuse@example.net");
    assert_eq!(reached(&world.finished(refused)), [Reached::Refused]);
    let reports = world.reports();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].contains("looks like spam"), "{}", reports[0]);
    assert_eq!(world.sent().len(), 2);
    assert_eq!(sink.count(), 2);
}

#[test]
fn a_link_that_breaks_behind_the_content_sends_nothing_twice() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let _node = world.node(settings());
    let item = world.put("lose@example.net");
    sink.mail();
    let mail = world.finished(item);
    assert_eq!((reached(&mail), mail.attempts), (vec![Reached::Unknown], 1));
    let reports = world.reports();
    assert!(
        reports.len() == 1 && reports[0].contains("Subject: Perhaps not sent: S1"),
        "{reports:?}"
    );
    assert_eq!(sink.count(), 1);
}

#[test]
fn a_node_that_ends_with_the_content_on_its_way_sends_nothing_twice() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let (handed, waiting) = (world.put("bob@example.net"), world.put("carol@example.net"));
    // A node takes both, gets so far with one, and is never heard of again.
    let now = chrono::Utc::now().timestamp_millis();
    let claimed = world
        .store
        .claim_mail("dead", now, now + 400)
        .expect("claimed");
    assert_eq!(claimed.len(), 2);
    let mut first = claimed
        .into_iter()
        .find(|mail| mail.item == handed)
        .expect("claimed");
    first.state = SubmissionState::Handed;
    first.recipients = vec![candybar::store::Recipient {
        address: "bob@example.net".to_owned(),
        reached: Reached::Waiting,
        why: String::new(),
    }];
    assert!(
        world
            .store
            .settle_mail("dead", &first, Some(now + 400), true, now)
            .expect("settled")
    );
    assert!(
        !world
            .store
            .settle_mail("other", &first, None, false, now)
            .expect("settled")
    );
    // The database is what is left of it.
    world.store = open(world.folder.path());
    let _node = world.node(settings());
    assert_eq!(sink.mail().to, ["carol@example.net"]);
    assert_eq!(reached(&world.finished(handed)), [Reached::Unknown]);
    assert_eq!(reached(&world.finished(waiting)), [Reached::Sent]);
    assert_eq!(sink.count(), 1);
    assert_eq!(world.reports().len(), 1);
}

#[test]
fn what_cannot_be_sent_is_told_to_its_owner() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let mut world = World::new(server(sink.port));
    let _node = world.node(settings());
    let nobody = world.put("");
    world.finished(nobody);
    *world.post.server.lock().unwrap() = None;
    let nowhere = world.put("bob@example.net");
    world.finished(nowhere);
    let reports = world.reports();
    assert_eq!(reports.len(), 2);
    assert!(
        reports[0].contains("the mail has no recipient"),
        "{}",
        reports[0]
    );
    assert!(
        reports[1].contains("no server that sends mail"),
        "{}",
        reports[1]
    );
    // A mail that its owner took away is gone without a word.
    let gone = world.next;
    let item = ItemId(gone);
    let now = chrono::Utc::now().timestamp_millis();
    world
        .store
        .queue_mail(world.account, item, now)
        .expect("queued");
    world.finished(item);
    assert_eq!(
        (world.reports().len(), world.sent().len(), sink.count()),
        (2, 0, 0)
    );
}

#[test]
fn a_server_that_is_away_is_tried_until_the_mail_is_too_old() {
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    // A port where nobody listens.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").port()
    };
    let mut world = World::new(server(port));
    let node = world.node(settings());
    let item = world.put("bob@example.net");
    let waiting = world.until("a second attempt", item, |mail| mail.attempts >= 2);
    assert!(waiting.why.expect("a reason").contains("127.0.0.1"));
    *world.post.server.lock().unwrap() = Some(server(sink.port));
    assert_eq!(sink.mail().to, ["bob@example.net"]);
    node.stop();
    *world.post.server.lock().unwrap() = Some(server(port));
    let old = world.put("bob@example.net");
    let _impatient = world.node(Settings {
        expiry: Duration::from_millis(1),
        ..settings()
    });
    assert_eq!(reached(&world.finished(old)), [Reached::Refused]);
    let reports = world.reports();
    assert!(
        reports.len() == 1 && reports[0].contains("tried for too long"),
        "{reports:?}"
    );
    assert_eq!(sink.count(), 1);
}

/// A key, and a certificate for 127.0.0.1.
fn certificate(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    if !crate::support::peer::present("openssl", &["openssl"]) {
        return None;
    }
    let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Some((key, certificate))
}

#[test]
fn logins_and_tls_of_every_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((key, pem)) = certificate(folder.path()) else {
        return;
    };
    let password = |password: &str| {
        Some(Login::Password {
            user: "ann".to_owned(),
            password: password.to_owned(),
        })
    };
    let token = Some(Login::Token {
        user: "ann".to_owned(),
        token: "token-1".to_owned(),
    });
    for (mode, security, login, user) in [
        ("", Security::None, password("p\u{e4}ss"), "ann by PLAIN"),
        (
            "starttls",
            Security::StartTls,
            password("p\u{e4}ss"),
            "ann by PLAIN",
        ),
        ("tls", Security::Tls, token, "ann by token"),
    ] {
        let (key, certificate) = (key.to_string_lossy(), pem.to_string_lossy());
        let arguments: Vec<&str> = match mode {
            "" => vec!["login"],
            mode => vec![mode, &key, &certificate, "login"],
        };
        let Some(mut sink) = Sink::start(&arguments) else {
            return;
        };
        let place = Server {
            security,
            login,
            ca_file: Some(pem.clone()),
            ..server(sink.port)
        };
        let mut world = World::new(place.clone());
        let _node = world.node(settings());
        world.put("bob@example.net");
        let taken = sink.mail();
        assert_eq!(
            (taken.user.as_deref(), taken.tls),
            (Some(user), mode == "starttls" || mode == "tls"),
            "{mode}"
        );
        // An authority that is not ours, and a password that is wrong: nothing goes out, and the mail waits.
        if security != Security::None {
            *world.post.server.lock().unwrap() = Some(Server {
                ca_file: None,
                ..place.clone()
            });
            let item = world.put("bob@example.net");
            let mail = world.until("a refusal", item, |mail| mail.attempts >= 1);
            assert_ne!(mail.state, SubmissionState::Finished);
            assert_eq!(sink.count(), 1);
        } else {
            *world.post.server.lock().unwrap() = Some(Server {
                login: password("wrong"),
                ..place
            });
            let item = world.put("bob@example.net");
            sink.next("login refused");
            let mail = world.until("a refusal", item, |mail| mail.attempts >= 1);
            let why = mail.why.expect("a reason");
            assert!(
                why.contains("the login is refused") && !why.contains("wrong"),
                "{why}"
            );
            assert_eq!(sink.count(), 1);
        }
    }
}
