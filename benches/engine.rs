//! Where the server's time of a sync goes, without HTTP and without the phone's own work.
//!
//! ```text
//! cargo bench --bench engine                       5,000 contacts
//! cargo bench --bench engine -- 1000               another number
//! cargo bench --bench engine -- upload             only this, ten times: to look at with a profiler
//! cargo bench --bench engine -- slow | download
//! ```
//!
//! A virtual phone, the engine and a SQLite file with every fsync in this process. CPU is user and system time: of the
//! thread that answers and writes, while it does, and of the store's own thread. Prints a table, and asserts nothing.

#![allow(unsafe_code, reason = "the clock of a process has no other way")]

use std::cell::Cell;
use std::ffi::{c_int, c_long};
use std::rc::Rc;

use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Auth, Behaviour, Memory, Mode, Phone, Post, Request, Settings, TransportError,
};
use candybar::session;
use candybar::store::{Store, StoreConfig};
use candybar::sync::Secret;

const STORE: &str = "contacts";
const DEFAULT_SIZE: u32 = 5_000;

type Delivery = Box<dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>>;

fn main() {
    let mut size = DEFAULT_SIZE;
    let mut only = None;
    for argument in std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
    {
        match (argument.parse(), argument.as_str()) {
            (Ok(number), _) => size = number,
            (_, "upload" | "slow" | "download") => only = Some(argument),
            _ => return eprintln!("usage: engine [upload | slow | download] [NUMBER OF CONTACTS]"),
        }
    }
    println!("{:<26}{:>12}   {size} contacts", "", "CPU an item");
    let times = |of: &str, else_times: u32| match &only {
        Some(only) if only == of => 10,
        Some(_) => 1,
        None => else_times,
    };
    let mut last = None;
    for _ in 0..times("upload", 1) {
        let server = Server::start();
        let mut phone = server.phone("IMEI:1");
        for number in 0..size {
            phone.add(STORE, card(number));
        }
        server.measure("upload", size, &mut phone, Mode::Slow);
        last = Some((server, phone));
    }
    let Some((server, mut phone)) = last else {
        return;
    };
    server.measure("no changes", size, &mut phone, Mode::TwoWay);
    for _ in 0..times("slow", 2) {
        server.measure("slow sync of the same", size, &mut phone, Mode::Slow);
    }
    for number in 0..times("download", 3) {
        let mut other = server.phone(&format!("IMEI:2{number}"));
        server.measure("download", size, &mut other, Mode::Slow);
    }
}

struct Server {
    _folder: tempfile::TempDir,
    exchange: Exchange,
    answering: Rc<Cell<f64>>,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("engine.db").display());
        let store = Store::open(&StoreConfig { url, key: None }).expect("a store");
        store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let exchange = Exchange::new(
            store,
            ServerSettings {
                session: session::Settings::default(),
                session_timeout: 3600,
                nonce_secret: b"engine".to_vec(),
            },
        );
        Self {
            _folder: folder,
            exchange,
            answering: Rc::default(),
        }
    }

    fn phone(&self, device: &str) -> Phone<Delivery> {
        let (exchange, answering) = (self.exchange.clone(), self.answering.clone());
        let mut now = 1_700_000_000;
        let deliver: Delivery = Box::new(move |post| {
            now += 1;
            let request = ServerRequest {
                content_type: post.content_type,
                body: post.body,
                user_agent: None,
                profile_header: None,
                query: None,
            };
            let before = cpu(Clock::Thread);
            let reply = exchange.handle(request, now).expect("the server answers");
            answering.set(answering.get() + cpu(Clock::Thread) - before);
            Ok(Answer::ok(reply.content_type, reply.body))
        });
        let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
        settings.auth = Auth::Basic;
        settings.max_msg_size = 150_000;
        settings
            .devinf
            .datastores
            .get_mut(STORE)
            .expect("a phone has contacts")
            .content_types = vec![("text/vcard".into(), "3.0".into())];
        Phone::new(settings, Behaviour::default(), Memory::new(device), deliver)
    }

    fn measure(&self, what: &str, items: u32, phone: &mut Phone<Delivery>, mode: Mode) {
        self.answering.set(0.0);
        let (all, own) = (cpu(Clock::Process), cpu(Clock::Thread));
        let report = phone
            .sync(&Request::new(&[STORE], mode, 1_700_000_000))
            .expect("the sync succeeds");
        assert!(!report.has_failures(), "{report:?}");
        let elsewhere = (cpu(Clock::Process) - all) - (cpu(Clock::Thread) - own);
        let seconds = self.answering.get() + elsewhere;
        let an_item = format!("{:.1} µs", seconds * 1e6 / f64::from(items));
        println!("{what:<26}{an_item:>12}");
    }
}

/// A contact as people have them: about half a kilobyte, no picture.
fn card(number: u32) -> Vec<u8> {
    let names = ["Jürgen", "Åsa", "Zoë", "María", "John", "Łucja", "Renée"];
    let given = names[number as usize % names.len()];
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Name{number:05};{given};;;\r\nFN:{given} Name{number:05}\r\n\
         ORG:Company {};Department {}\r\nTITLE:Engineer\r\nTEL;TYPE=CELL,VOICE:+49170{number:07}\r\n\
         TEL;TYPE=WORK,VOICE:+4930{number:07}\r\nTEL;TYPE=HOME,VOICE:+49221{number:07}\r\n\
         EMAIL;TYPE=WORK,INTERNET:name{number}@example.com\r\nADR;TYPE=HOME:;;Street {};Köln;;{:05};Country\r\n\
         BDAY:19{:02}-{:02}-{:02}\r\nNOTE:Met in Köln\\, number {number}.\\nCalls back.\r\nEND:VCARD\r\n",
        number % 40,
        number % 7,
        number % 200,
        number * 7 % 100_000,
        50 + number % 50,
        1 + number % 12,
        1 + number % 28,
    )
    .into_bytes()
}

/// Linux' numbers of clocks.
#[derive(Clone, Copy)]
enum Clock {
    Process = 2,
    Thread = 3,
}

/// CPU seconds so far, to the nanosecond.
fn cpu(clock: Clock) -> f64 {
    #[repr(C)]
    #[derive(Default)]
    struct Timespec {
        seconds: c_long,
        nanoseconds: c_long,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    }
    let mut time = Timespec::default();
    // SAFETY: the pointer is to a timespec of this function, and 64-bit Linux lays it out as two longs.
    let result = unsafe { clock_gettime(clock as c_int, &raw mut time) };
    assert_eq!(result, 0, "Linux has these clocks");
    time.seconds as f64 + time.nanoseconds as f64 / 1e9
}
