use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Engine, Limits, Server};
use crate::exchange::{ExchangeError, Reply, Request, Summary};
use crate::session::{Counts, ViewSummary};
use crate::sync::Datastore;

/// What a request looks like to the engine, without borrows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    content_type: String,
    body: Vec<u8>,
    user_agent: Option<String>,
    query: Option<String>,
}

type Answer = dyn Fn(&Seen) -> Result<Reply, ExchangeError> + Send + Sync;

/// An engine whose answers a test chooses.
#[derive(Clone)]
struct Scripted {
    answer: Arc<Answer>,
    ready: Arc<Mutex<Result<(), String>>>,
    busy: bool,
}

impl Engine for Scripted {
    fn handle(&self, request: Request<'_>, now: i64) -> Result<Reply, ExchangeError> {
        assert!(now > 1_500_000_000, "seconds since 1970");
        (self.answer)(&Seen {
            content_type: request.content_type.to_owned(),
            body: request.body.to_vec(),
            user_agent: request.user_agent.map(str::to_owned),
            query: request.query.map(str::to_owned),
        })
    }

    fn busy(&self, _: Request<'_>) -> Option<Reply> {
        self.busy.then(|| reply(b"busy"))
    }

    fn ready(&self) -> Result<(), String> {
        self.ready.lock().expect("not poisoned").clone()
    }
}

fn scripted(
    answer: impl Fn(&Seen) -> Result<Reply, ExchangeError> + Send + Sync + 'static,
) -> Scripted {
    Scripted {
        answer: Arc::new(answer),
        ready: Arc::new(Mutex::new(Ok(()))),
        busy: false,
    }
}

const LIMITS: Limits = Limits {
    body_bytes: 10_000,
    workers: 2,
    request_timeout: Duration::from_secs(60),
    queue_timeout: Duration::from_secs(60),
    patience: Duration::from_secs(3600),
    first_delay: Duration::from_secs(3600),
    stop_timeout: Duration::from_secs(60),
};

fn start(engine: Scripted, limits: Limits) -> Server {
    Server::start(engine, "127.0.0.1:0", limits).expect("a server")
}

fn reply(body: &[u8]) -> Reply {
    Reply {
        content_type: "application/vnd.syncml+wbxml",
        body: body.to_vec(),
        ..Reply::default()
    }
}

/// One answer, read to the end that its Content-Length tells.
#[derive(Debug)]
struct Response {
    status: u16,
    version: String,
    headers: String,
    body: Vec<u8>,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a timeout");
    stream
}

fn read_response(stream: &TcpStream) -> Response {
    let mut reader = BufReader::new(stream);
    let mut status_line = String::new();
    reader.read_line(&mut status_line).expect("a status line");
    let mut words = status_line.split_whitespace();
    let version = words.next().unwrap_or_default().to_owned();
    let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let mut headers = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            break;
        }
        headers.push_str(&line);
    }
    let mut response = Response {
        status,
        version,
        headers,
        body: Vec::new(),
    };
    assert_eq!(response.header("transfer-encoding"), None, "never chunked");
    let length: usize = response
        .header("content-length")
        .expect("always a Content-Length")
        .parse()
        .expect("a number");
    response.body.resize(length, 0);
    reader.read_exact(&mut response.body).expect("the body");
    response
}

/// One request on a connection of its own.
fn request(address: SocketAddr, head: &str, body: &[u8]) -> Response {
    let mut stream = connect(address);
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body).expect("sent");
    read_response(&stream)
}

fn post(address: SocketAddr, body: &[u8]) -> Response {
    let head = format!(
        "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/vnd.syncml+wbxml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    request(address, &head, body)
}

fn fetch(address: SocketAddr, path: &str) -> Response {
    request(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        b"",
    )
}

#[test]
fn a_message_reaches_the_engine_whole_and_the_reply_the_phone() {
    let (sender, seen) = channel();
    let sender = Mutex::new(sender);
    let server = start(
        scripted(move |request| {
            let sent = sender.lock().expect("not poisoned").send(request.clone());
            sent.expect("the test waits");
            Ok(reply(b"\x02answer"))
        }),
        LIMITS,
    );
    let body: Vec<u8> = (0..=255).collect();
    for (path, query) in [
        ("/sync", None),
        ("/sync/", None),
        ("/sync?s=1.2", Some("s=1.2")),
        ("/sync/?s=1.2&x", Some("s=1.2&x")),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: Nokia6230\r\nContent-Type: application/vnd.syncml+wbxml; charset=utf-8\r\nContent-Length: 256\r\n\r\n",
        );
        let response = request(server.address(), &head, &body);
        assert_eq!(response.status, 200);
        assert_eq!(response.body, b"\x02answer");
        assert_eq!(
            response.header("content-type"),
            Some("application/vnd.syncml+wbxml")
        );
        assert_eq!(
            seen.recv().expect("seen"),
            Seen {
                content_type: "application/vnd.syncml+wbxml; charset=utf-8".to_owned(),
                body: body.clone(),
                user_agent: Some("Nokia6230".to_owned()),
                query: query.map(str::to_owned),
            }
        );
    }
    server.stop().expect("stopped");
}

#[test]
fn http_1_0_and_chunked_requests_are_taken() {
    let server = start(scripted(|request| Ok(reply(&request.body))), LIMITS);
    let head = "POST /sync HTTP/1.0\r\nContent-Type: application/vnd.syncml+xml\r\nContent-Length: 3\r\n\r\n";
    let mut stream = connect(server.address());
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(b"abc").expect("sent");
    let response = read_response(&stream);
    assert_eq!((response.status, response.body), (200, b"abc".to_vec()));
    assert_eq!(response.version, "HTTP/1.0");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the server closes");
    assert!(rest.is_empty());
    let head = "POST /sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let response = request(server.address(), head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_eq!((response.status, response.body), (200, b"abcde".to_vec()));
    let head =
        "POST /sync HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut stream = connect(server.address());
    stream.write_all(head.as_bytes()).expect("sent");
    let mut line = String::new();
    let mut reader = BufReader::new(&stream);
    reader.read_line(&mut line).expect("a line");
    assert_eq!(line.trim(), "HTTP/1.1 100 Continue");
    reader.read_line(&mut line).expect("an empty line");
    drop(reader);
    stream.write_all(b"abc").expect("sent");
    assert_eq!(read_response(&stream).body, b"abc");
    server.stop().expect("stopped");
}

#[test]
fn refusals_have_their_status_and_a_line_of_text() {
    let server = start(
        scripted(|request| match request.body.as_slice() {
            b"type" => Err(ExchangeError::UnsupportedMediaType),
            b"broken" => Err(ExchangeError::Undecodable(
                "at octet 3: the string table is cut".to_owned(),
            )),
            b"busy" => Err(ExchangeError::Busy),
            b"gone" => Err(ExchangeError::Unavailable("/secret/path".to_owned())),
            b"panic" => panic!("a defect"),
            _ => Ok(reply(b"fine")),
        }),
        LIMITS,
    );
    let address = server.address();
    for (body, status, words) in [
        (&b"type"[..], 415, "application/vnd.syncml+wbxml"),
        (b"broken", 400, "at octet 3"),
        (b"busy", 503, "busy"),
        (b"gone", 503, "the database does not answer"),
        (b"panic", 500, "failed on this message"),
    ] {
        let response = post(address, body);
        assert_eq!(response.status, status);
        assert!(response.text().contains(words), "{}", response.text());
        assert_eq!(response.text().lines().count(), 1);
        assert!(!response.text().contains("/secret"), "{}", response.text());
        assert_eq!(response.header("retry-after").is_some(), status == 503);
        assert_eq!(
            response.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let head = format!("{method} /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let response = request(address, &head, b"");
        assert_eq!(response.status, 405);
        assert_eq!(response.header("allow"), Some("POST"));
    }
    let elsewhere = fetch(address, "/elsewhere");
    assert_eq!(elsewhere.status, 404);
    assert!(elsewhere.text().contains("/sync"), "{}", elsewhere.text());
    assert_eq!(post(address, b"well").text(), "fine", "still alive");
    server.stop().expect("stopped");
}

#[test]
fn too_large_bodies_are_refused_before_they_are_read() {
    let server = start(
        scripted(|_| unreachable!("the engine is not asked")),
        LIMITS,
    );
    // None of the hundred million octets is ever sent, and still there is an answer.
    let head = "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n";
    let response = request(server.address(), head, b"");
    assert_eq!(response.status, 413);
    assert!(
        response.text().contains("10000 octets"),
        "{}",
        response.text()
    );
    assert_eq!(response.header("connection"), Some("close"));
    // Without an announced length the limit holds as well.
    let head = "POST /sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = connect(server.address());
    stream.write_all(head.as_bytes()).expect("sent");
    for _ in 0..3 {
        stream.write_all(b"1000\r\n").expect("sent");
        stream.write_all(&[b'x'; 0x1000]).expect("sent");
        stream.write_all(b"\r\n").expect("sent");
    }
    assert_eq!(read_response(&stream).status, 413);
    server.stop().expect("stopped");
}

#[test]
fn a_body_that_does_not_arrive_times_out() {
    let limits = Limits {
        request_timeout: Duration::from_millis(50),
        ..LIMITS
    };
    let server = start(scripted(|_| unreachable!("not asked")), limits);
    let head = "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(request(server.address(), head, b"half").status, 408);
    server.stop().expect("stopped");
}

/// An engine that says when it works on a message, and goes on when it is told to.
fn gated() -> (Scripted, Receiver<()>, Sender<()>) {
    let (began_sender, began) = channel();
    let (go, go_receiver) = channel();
    let gate = Mutex::new((began_sender, go_receiver));
    let engine = scripted(move |_| {
        let gate = gate.lock().expect("not poisoned");
        gate.0.send(()).expect("the test waits");
        gate.1.recv().expect("the test lets go");
        Ok(reply(b"done"))
    });
    (engine, began, go)
}

#[test]
fn a_full_server_tells_phones_to_come_again() {
    let (engine, began, go) = gated();
    let limits = Limits {
        workers: 1,
        queue_timeout: Duration::from_millis(20),
        ..LIMITS
    };
    let server = start(engine, limits);
    let address = server.address();
    let first = std::thread::spawn(move || post(address, b"1"));
    began.recv().expect("the first is worked on");
    let second = post(address, b"2");
    assert_eq!(second.status, 503);
    assert!(second.header("retry-after").is_some());
    assert_eq!(fetch(address, "/healthz").status, 200);
    go.send(()).expect("it waits");
    assert_eq!(first.join().expect("ended").status, 200);
    server.stop().expect("stopped");
}

#[test]
fn a_phone_that_waits_for_too_long_is_told_so_and_the_work_goes_on() {
    let (engine, began, go) = gated();
    let limits = Limits {
        patience: Duration::from_millis(20),
        ..LIMITS
    };
    let engine = Scripted {
        busy: true,
        ..engine
    };
    let server = start(engine, limits);
    let address = server.address();
    let first = std::thread::spawn(move || post(address, b"1"));
    began.recv().expect("it is worked on");
    assert_eq!(first.join().expect("ended").body, b"busy");
    // A server that stops waits for the work that goes on alone.
    let stopper = std::thread::spawn(move || server.stop());
    go.send(()).expect("the work goes on");
    stopper.join().expect("ended").expect("stopped");
}

#[test]
fn a_message_waits_for_the_one_before_of_its_session() {
    let (engine, began, go) = gated();
    let working = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (waits_sender, waits) = channel();
    let waits_sender = Mutex::new(waits_sender);
    let answer = Arc::clone(&engine.answer);
    let one_at_a_time = scripted(move |request| {
        use std::sync::atomic::Ordering::SeqCst;
        if working.fetch_add(1, SeqCst) > 0 {
            working.fetch_sub(1, SeqCst);
            let told = waits_sender.lock().expect("not poisoned").send(());
            told.expect("the test waits");
            return Err(ExchangeError::InProgress);
        }
        let outcome = answer(request);
        working.fetch_sub(1, SeqCst);
        outcome
    });
    let server = start(one_at_a_time, LIMITS);
    let address = server.address();
    let first = std::thread::spawn(move || post(address, b"1"));
    began.recv().expect("the first is worked on");
    let second = std::thread::spawn(move || post(address, b"2"));
    waits.recv().expect("the second waits");
    go.send(()).expect("the first goes on");
    assert_eq!(first.join().expect("ended").body, b"done");
    began.recv().expect("now the second is worked on");
    go.send(()).expect("the second goes on");
    assert_eq!(second.join().expect("ended").body, b"done");
    server.stop().expect("stopped");
}

#[test]
fn stopping_ends_running_requests_and_takes_no_new_ones() {
    let (engine, began, go) = gated();
    let server = start(engine, LIMITS);
    let address = server.address();
    // Another connection, open and idle, must not hold the server up, and gets no answer to a new message.
    let mut idle = connect(address);
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("sent");
    assert_eq!(read_response(&idle).status, 200);
    let first = std::thread::spawn(move || post(address, b"1"));
    began.recv().expect("the first is worked on");
    let stopper = std::thread::spawn(move || server.stop());
    // It is stopping as soon as it says that it is not ready.
    let probe = loop {
        idle.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("sent");
        let probe = read_response(&idle);
        if probe.status != 200 {
            break probe;
        }
    };
    assert_eq!(probe.status, 503);
    assert_eq!(probe.text(), "not ready: the server is stopping\n");
    idle.write_all(b"POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2")
        .expect("sent");
    assert_eq!(read_response(&idle).status, 503);
    go.send(()).expect("it waits");
    let response = first.join().expect("ended");
    assert_eq!((response.status, response.text().as_str()), (200, "done"));
    stopper.join().expect("ended").expect("stopped");
    assert!(TcpStream::connect(address).is_err(), "no one listens");
}

/// Reads a counter from `/metrics`.
fn counter(address: SocketAddr, name: &str) -> u64 {
    let text = fetch(address, "/metrics").text();
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[test]
fn refused_passwords_wait_and_hold_no_one_else_up() {
    let server = start(
        scripted(|request| {
            Ok(Reply {
                rejected: (request.body == b"wrong").then(|| "alice".to_owned()),
                ..reply(&request.body)
            })
        }),
        Limits {
            workers: 1,
            ..LIMITS
        },
    );
    let address = server.address();
    for _ in 0..3 {
        assert_eq!(
            post(address, b"wrong").body,
            b"wrong",
            "the first ones are free"
        );
    }
    // The next ones wait for an hour; none of them has an answer while the right password is taken at once.
    let waiting: Vec<_> = (0..3)
        .map(|_| std::thread::spawn(move || post(address, b"wrong")))
        .collect();
    while counter(address, "candybar_delayed_replies") < 3 {
        std::thread::yield_now();
    }
    assert_eq!(post(address, b"right").body, b"right");
    assert_eq!(counter(address, "candybar_delayed_replies"), 3);
    assert_eq!(
        counter(address, "candybar_sessions_total{outcome=\"rejected\"}"),
        6
    );
    // A stopping server lets them go.
    server.stop().expect("stopped");
    for thread in waiting {
        assert_eq!(thread.join().expect("ended").body, b"wrong");
    }
}

#[test]
fn monitors_get_their_answers() {
    let engine = scripted(|request| match request.body.as_slice() {
        b"end" => Ok(Reply {
            last: true,
            summary: Some(Summary {
                views: vec![ViewSummary {
                    datastore: Datastore::Contacts,
                    mode: 200,
                    counts: Counts {
                        received_added: 1,
                        received_replaced: 2,
                        sent_deleted: 4,
                        ..Counts::default()
                    },
                }],
                ..Summary::default()
            }),
            ..reply(b"12345")
        }),
        _ => Err(ExchangeError::UnsupportedMediaType),
    });
    let ready = Arc::clone(&engine.ready);
    let server = start(engine, LIMITS);
    let address = server.address();
    assert_eq!(fetch(address, "/readyz").text(), "ready\n");
    *ready.lock().expect("not poisoned") = Err("the disk is full".to_owned());
    let response = fetch(address, "/readyz");
    assert_eq!(response.status, 503);
    assert_eq!(response.text(), "not ready: the disk is full\n");
    assert_eq!(fetch(address, "/healthz").text(), "ok\n");
    assert!(fetch(address, "/").text().contains("/sync"));
    post(address, b"end");
    post(address, b"else");
    for (name, value) in [
        ("candybar_sessions_total{outcome=\"completed\"}", 1),
        ("candybar_sessions_total{outcome=\"partly\"}", 0),
        ("candybar_items_total{direction=\"received\"}", 3),
        ("candybar_items_total{direction=\"sent\"}", 4),
        ("candybar_message_bytes_total{direction=\"received\"}", 3),
        ("candybar_message_bytes_total{direction=\"sent\"}", 5),
        ("candybar_message_seconds_bucket{le=\"+Inf\"}", 1),
        ("candybar_message_seconds_count", 1),
        ("candybar_responses_total{code=\"200\"}", 1),
        ("candybar_responses_total{code=\"415\"}", 1),
    ] {
        assert_eq!(counter(address, name), value, "{name}");
    }
    server.stop().expect("stopped");
}
