//! A gate between phones and a server: passes HTTP messages on, counts them, and holds a counted one until the test has
//! done what it wants to do at that moment. Then the connection ends without an answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// Octets of a head; far more than any client sends.
const MOST_HEAD: usize = 64 * 1024;

/// At which point a message is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The server never sees it.
    Request,
    /// The server has worked on it, and the client never sees the answer.
    Answer,
}

/// An open port in front of a server.
pub(crate) struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    server: SocketAddr,
    /// Messages since the plan was made.
    passed: u32,
    plan: Option<(u32, Hold)>,
    held: bool,
    over: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder has panicked")
    }

    /// Waits here if this is the message and the moment; true if it is.
    fn stops(&self, number: u32, moment: Hold) -> bool {
        let mut state = self.state();
        if state.plan != Some((number, moment)) {
            return false;
        }
        state.held = true;
        self.changed.notify_all();
        while state.plan.is_some() {
            state = self.changed.wait(state).expect("no holder has panicked");
        }
        true
    }
}

impl Gate {
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let state = State {
            server,
            passed: 0,
            plan: None,
            held: false,
            over: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        // Ends with the tests' process; each connection has a thread of its own, which ends with the connection.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || pass(client, &shared));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server is somewhere else now.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.shared.state().server = server;
    }

    /// The message of that number, counted from 1 from now on, is to be held.
    pub(crate) fn hold(&self, number: u32, moment: Hold) {
        let mut state = self.shared.state();
        (state.passed, state.plan) = (0, Some((number, moment)));
        (state.held, state.over) = (false, false);
    }

    /// Waits until the message is held (true), or until [`Self::over`] says that none will be.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.shared.state();
        while !state.held && !state.over {
            let waited = self.shared.changed.wait(state);
            state = waited.expect("no holder has panicked");
        }
        state.held
    }

    /// The client has ended.
    pub(crate) fn over(&self) {
        self.shared.state().over = true;
        self.shared.changed.notify_all();
    }

    /// What is held is dropped, and all else passes.
    pub(crate) fn open(&self) {
        self.shared.state().plan = None;
        self.shared.changed.notify_all();
    }
}

/// Passes the messages of one connection on until either side ends it.
fn pass(mut client: TcpStream, shared: &Shared) -> Option<()> {
    let server = shared.state().server;
    let mut server = TcpStream::connect(server).ok()?;
    loop {
        let head = head(&mut client).ok()?;
        server.write_all(&head).ok()?;
        if field(&head, "expect").is_some() {
            let go_on = self::head(&mut server).ok()?;
            client.write_all(&go_on).ok()?;
        }
        let body = body(&mut client, &head).ok()?;
        let number = {
            let mut state = shared.state();
            state.passed += 1;
            state.passed
        };
        if shared.stops(number, Hold::Request) {
            return None;
        }
        server.write_all(&body).ok()?;
        let answer = self::head(&mut server).ok()?;
        let content = self::body(&mut server, &answer).ok()?;
        if shared.stops(number, Hold::Answer) {
            return None;
        }
        client.write_all(&[answer, content].concat()).ok()?;
    }
}

fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
        if head.len() > MOST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

fn body(stream: &mut TcpStream, head: &[u8]) -> io::Result<Vec<u8>> {
    let length = field(head, "content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// The value of a header field.
fn field(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}
