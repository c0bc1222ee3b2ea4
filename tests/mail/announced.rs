//! Every mail is announced once, over links that break: from Dovecot through watcher and outbox to an SMS, and to the phone that
//! synchronises when an SMS comes, and only then.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use candybar::exchange::{
    Depth, Exchange, Request as ServerRequest, SESSION_OCTETS, Settings as ServerSettings,
};
use candybar::handset::{
    Addresses, Answer, Behaviour, Memory, Mode, Phone, Post, Report, Request,
    Settings as PhoneSettings, TransportError,
};
use candybar::outbox::message::Sender;
use candybar::outbox::policy::Policy;
use candybar::outbox::{Outbox, Settings};
use candybar::session;
use candybar::sms::settings::{GatewayKind, GatewaySettings};
use candybar::sms::{Gateways, Prefix};
use candybar::store::Store;
use candybar::sync::{MailboxState, NotificationState};

use super::world::{World, message, settings};
use crate::support::cutter::Cutter;
use crate::support::dovecot::Dovecot;

pub(super) const MAIL: &str = "mail";
const MAILS: usize = 120;
const CUTS: usize = 100;

pub(super) type Delivery = Box<dyn FnMut(&Post<'_>) -> Result<Answer, TransportError> + Send>;

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A phone of the account that talks to an engine over this store.
pub(super) fn phone(store: &Store) -> Phone<Delivery> {
    let engine = Exchange::new(
        store.clone(),
        ServerSettings {
            session: session::Settings::default(),
            session_timeout: 3600,
            nonce_secret: b"mail".to_vec(),
        },
    )
    .recorded(Depth::Numbers, SESSION_OCTETS);
    let deliver: Delivery = Box::new(move |post| {
        let request = ServerRequest {
            content_type: post.content_type,
            body: post.body,
            user_agent: None,
            profile_header: None,
            query: None,
        };
        let reply = engine.handle(request, now()).expect("the server answers");
        Ok(Answer::ok(reply.content_type, reply.body))
    });
    let mut settings = PhoneSettings::new("http://server/sync", "alice", "secret");
    settings.datastores = [(MAIL.to_owned(), Addresses::same("./mail"))].into();
    Phone::new(
        settings,
        Behaviour::default(),
        Memory::new("IMEI:1"),
        deliver,
    )
}

/// Synchronises; gives what came.
pub(super) fn sync_all(phone: &mut Phone<Delivery>, mode: Mode) -> Report {
    let report = phone
        .sync(&Request::new(&[MAIL], mode, now()))
        .expect("a sync");
    assert!(!report.has_failures(), "{report}");
    report
}

/// Synchronises; gives how many items came.
fn sync(phone: &mut Phone<Delivery>, mode: Mode) -> u64 {
    let report = sync_all(phone, mode);
    let received = &report.datastores[0].received;
    assert_eq!(received.deletes, 0, "{report}");
    received.adds
}

/// An outbox whose SMS go into a file.
fn outbox(store: &Store, file: PathBuf) -> Outbox {
    let gateway = GatewaySettings {
        name: "file".into(),
        prefixes: vec![Prefix::any()],
        window: 1,
        per_second: 0,
        timeout: Duration::from_secs(10),
        callback_url: None,
        token: None,
        kind: GatewayKind::File { path: file },
    };
    let Ok((gateways, _deliveries)) = Gateways::start(vec![gateway]) else {
        panic!("the gateway does not start");
    };
    Outbox::new(
        store.clone(),
        gateways,
        Settings {
            sender: Sender {
                server_id: "candybar".into(),
                url: None,
                profiles: candybar::device::profile::Catalogue::embedded(),
            },
            policy: Policy {
                coalesce: 0,
                sms_per_device: 0,
                sms_per_account: 0,
                ..Policy::default()
            },
            mail: candybar::outbox::mail::MailRules::default(),
            mail_windows: candybar::sync::Windows::default(),
            in_flight: 1,
            lease: Duration::from_secs(30),
            keep: Duration::from_secs(86_400),
            texts: candybar::outbox::events::Texts::Off,
        },
    )
}

fn sms(file: &Path) -> usize {
    let text = std::fs::read(file).unwrap_or_default();
    text.iter().filter(|octet| **octet == b'\n').count()
}

/// Says that it is over when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn every_mail_is_announced_once_over_a_hundred_broken_links() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let cutter = Cutter::start(dovecot.imap);
    let url = format!("imap://127.0.0.1:{}", cutter.port());
    let mailbox = world.join(&url, "alice", "alice-pw");
    let look = |world: &World| world.store.mailbox(mailbox.id).expect("the mailbox");
    let checked = |world: &World| look(world).checked;
    world.watch(settings());
    world.until("the first look's end", |world| {
        (look(world).state == MailboxState::Watched).then_some(())
    });
    // The phone knows the folders, and has a number.
    let mut phone = phone(&world.store);
    sync(&mut phone, Mode::Slow);
    let device = world
        .store
        .device(world.account, "IMEI:1")
        .expect("the phone");
    let windows = "count=1000".parse().expect("limits");
    world
        .store
        .set_mail_window(world.account, device.id, &windows)
        .expect("a window");
    world
        .store
        .set_device(world.account, device.id, Some("+46700000001"), None)
        .expect("a number");
    sync(&mut phone, Mode::TwoWay);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sms.jsonl");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outbox = {
        let _entered = runtime.enter();
        outbox(&world.store, file.clone())
    };
    let running = outbox.clone();
    let work = runtime.spawn(async move { running.run().await });

    let over = AtomicBool::new(false);
    let (came, syncs) = std::thread::scope(|scope| {
        // A failure ends the reader too.
        let _over = Over(&over);
        let deliveries = scope.spawn(|| {
            for number in 0..MAILS {
                dovecot.deliver("alice", &message(&format!("number {number}")));
            }
        });
        let reader = scope.spawn(|| {
            let (mut came, mut syncs) = (0, 0);
            loop {
                let ends = over.load(Ordering::SeqCst);
                if sms(&file) > syncs {
                    syncs += 1;
                    assert_eq!(sms(&file), syncs, "an SMS while the phone was still asked");
                    let new = sync(&mut phone, Mode::TwoWay);
                    assert!(new > 0, "SMS {syncs} announced what the phone knew");
                    came += new;
                } else if ends {
                    return (came, syncs);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        // The moments differ: the watcher is greeted, logs in, lists, fetches, idles.
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let (mut made, mut before) = (0, 0);
        for cut in 0..CUTS {
            world.until("a connection", |_| (cutter.made() > made).then_some(()));
            if cut % 3 == 0 {
                // Pauses grow with each failure: now and then it comes to an end of its look.
                world.until("a look's end", |world| {
                    (checked(world) > before).then_some(())
                });
            }
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_millis(random % 120));
            cutter.cut();
            made = cutter.made();
            before = checked(&world);
            if cut % 25 == 24 {
                // The node dies too, and another one takes over.
                world.kill();
                world.watch(settings());
            }
            cutter.mend();
        }
        deliveries.join().expect("delivered");
        world.until("all mails", |world| {
            (world.mails().len() >= MAILS).then_some(())
        });
        dovecot.deliver("alice", &message("the end"));
        world.until("the last one", |world| world.mail("the end"));
        // Everything that was said is answered, and nothing is left to say.
        world.until("the end of the outbox", |world| {
            let open = world.store.open_notifications().expect("the outbox");
            (open == 0).then_some(())
        });
        over.store(true, Ordering::SeqCst);
        reader.join().expect("the phone reads")
    });
    let mut subjects: Vec<String> = world
        .mails()
        .iter()
        .map(|(_, mail)| mail.head().subject)
        .collect();
    subjects.sort();
    let mut expected: Vec<String> = (0..MAILS)
        .map(|number| format!("number {number}"))
        .collect();
    expected.push("the end".to_owned());
    expected.sort();
    assert_eq!(subjects, expected);
    // None was there twice in between either: each item that there ever was is there.
    let account = world
        .store
        .account_by_id(world.account)
        .expect("the account");
    let folders = world.store.folders(world.account).expect("folders").len();
    assert_eq!(account.next_item.0 as usize - 1, MAILS + 1 + folders);
    // The phone has each of them by an SMS that asked for it, once; there is a row of the outbox for each SMS.
    assert_eq!(came as usize, MAILS + 1);
    let rows = world
        .store
        .notifications(Some(world.account), 10_000)
        .expect("the outbox");
    let answered = rows
        .iter()
        .filter(|row| row.state == NotificationState::Synced);
    assert_eq!(answered.count(), syncs, "{rows:?}");
    outbox.stop();
    runtime.block_on(work).expect("the outbox ends");
    world.stop();
}
