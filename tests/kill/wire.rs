//! HTTP to a server that dies: at counted messages the server is killed, at a moment that the seed chooses, and started
//! again on the same database, at another port. The phone sees what a phone sees: no answer.

use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use candybar::handset::{Answer, Post, Transport, TransportError};

use crate::support::program::Program;

/// A server that says nothing for so long is stuck, which fails the test; nothing else waits for it.
const STUCK: Duration = Duration::from_secs(60);

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// When the server dies, seen from one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// Before the request: nobody listens.
    Before,
    /// Some octets of the request are sent.
    WithinRequest,
    /// The request is sent.
    AfterRequest,
    /// The server has begun to write to its database.
    AtWrite,
    /// Some octets of the answer have come; it may be all of them, but the phone does not take it.
    WithinAnswer,
    /// The phone has the answer, and goes on with a server that knows of it from its database alone.
    AfterAnswer,
}

impl Moment {
    pub(super) const ALL: [Self; 6] = [
        Self::Before,
        Self::WithinRequest,
        Self::AfterRequest,
        Self::AtWrite,
        Self::WithinAnswer,
        Self::AfterAnswer,
    ];
}

/// The way of one phone to the server.
pub(super) struct Wire {
    server: Rc<RefCell<Program>>,
    random: Random,
    /// Messages until the next kill.
    countdown: u64,
    /// Kills that are still to come.
    to_come: u32,
    kills: Vec<Moment>,
}

impl Wire {
    pub(super) fn new(server: Rc<RefCell<Program>>, seed: u64) -> Self {
        Self {
            server,
            random: Random(seed),
            countdown: 0,
            to_come: 0,
            kills: Vec::new(),
        }
    }

    /// From now on the server is killed so many times, every few messages.
    pub(super) fn kill(&mut self, times: u32) {
        self.to_come = times;
        self.countdown = self.random.below(4);
    }

    /// The kills so far.
    pub(super) fn kills(&self) -> &[Moment] {
        &self.kills
    }

    /// The moment of this message at which the server dies, if it is this message's turn.
    fn moment(&mut self) -> Option<Moment> {
        if self.to_come == 0 {
            return None;
        }
        if self.countdown > 0 {
            self.countdown -= 1;
            return None;
        }
        self.countdown = self.random.below(5);
        self.to_come -= 1;
        let moment = Moment::ALL[self.random.below(Moment::ALL.len() as u64) as usize];
        self.kills.push(moment);
        Some(moment)
    }

    /// Lets the server die at that moment of the message. The answer, if the phone got it.
    fn die(&mut self, moment: Moment, post: &Post<'_>) -> Option<Answer> {
        let request = request(post);
        let server = Rc::clone(&self.server);
        let mut server = server.borrow_mut();
        let address = server.address();
        let log = server.file("candybar.db-wal");
        let connect = || {
            let stream = TcpStream::connect(address).expect("the server listens");
            stream
                .set_read_timeout(Some(STUCK))
                .expect("a time-out can be set");
            stream
        };
        let mut answer = None;
        match moment {
            Moment::Before => {
                server.kill();
                let refused = TcpStream::connect(address).is_err();
                assert!(refused, "the server was killed and still listens");
            }
            Moment::WithinRequest => {
                let mut stream = connect();
                let octets = 1 + self.random.below(request.len() as u64 - 1) as usize;
                stream
                    .write_all(&request[..octets])
                    .expect("the server reads");
                server.kill();
            }
            Moment::AfterRequest => {
                let mut stream = connect();
                stream.write_all(&request).expect("the server reads");
                server.kill();
            }
            Moment::AtWrite => {
                let before = state(&log);
                let mut stream = connect();
                stream.write_all(&request).expect("the server reads");
                // Without a write there is an answer, and the server dies after that.
                stream.set_nonblocking(true).expect("a socket");
                while state(&log) == before && stream.peek(&mut [0]).is_err() {
                    std::thread::yield_now();
                }
                server.kill();
            }
            Moment::WithinAnswer => {
                let mut stream = connect();
                stream.write_all(&request).expect("the server reads");
                let mut octets = vec![0; 1 + self.random.below(400) as usize];
                let count = stream.read(&mut octets).expect("an answer begins");
                assert_ne!(count, 0, "an answer begins");
                server.kill();
                stream.shutdown(Shutdown::Both).ok();
            }
            Moment::AfterAnswer => {
                answer = Some(exchange(connect(), &request));
                server.kill();
            }
        }
        server.restart();
        answer
    }
}

impl Transport for Wire {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        let Some(moment) = self.moment() else {
            let stream = TcpStream::connect(self.server.borrow().address());
            let stream = stream.expect("the server listens");
            stream
                .set_read_timeout(Some(STUCK))
                .expect("a time-out can be set");
            return Ok(exchange(stream, &request(post)));
        };
        match self.die(moment, post) {
            Some(answer) => Ok(answer),
            None if self.random.below(3) == 0 => Err(TransportError::Gone),
            None => Err(TransportError::Lost(format!("killed: {moment:?}"))),
        }
    }
}

/// What can be seen of a file from outside.
fn state(path: &std::path::Path) -> Option<(u64, SystemTime)> {
    let data = fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok()?))
}

fn request(post: &Post<'_>) -> Vec<u8> {
    // The address is that of the server's first life.
    let query = post.url.split_once('?').map(|(_, query)| query);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = format!(
        "POST /sync{query} HTTP/1.1\r\nHost: candybar\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        post.content_type,
        post.body.len()
    )
    .into_bytes();
    request.extend_from_slice(post.body);
    request
}

/// One request on a connection, which ends with the answer.
fn exchange(mut stream: TcpStream, request: &[u8]) -> Answer {
    stream.write_all(request).expect("the server reads");
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).expect("an answer");
    let end = octets
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer has a head");
    let head = String::from_utf8_lossy(&octets[..end]).into_owned();
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let length: usize = header("Content-Length")
        .and_then(|length| length.parse().ok())
        .expect("an answer says its length");
    let body = octets.split_off(end + 4);
    assert_eq!(body.len(), length, "the answer is whole");
    Answer {
        status: status.expect("an answer has a status"),
        content_type: header("Content-Type").unwrap_or_default(),
        body,
    }
}
