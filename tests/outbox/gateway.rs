//! A Kannel of our own: takes what sendsms gets, and answers as it is told to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// 202, accepted.
    Take,
    /// 202, and before that the receipt: delivered.
    ReceiptFirst,
    /// The request is held until it is to be answered in another way.
    Hold,
    /// 400, refused for good.
    Refuse,
    /// Nothing: the request is read, and the connection held.
    Silent,
    /// 503.
    Down,
    /// Something that is no HTTP.
    Garbage,
    /// The connection is closed after the request was read.
    Cut,
}

/// A gateway on a free port.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    answer: Answer,
    /// The head of each request, and how it was answered.
    requests: Vec<(String, Answer)>,
}

impl Gateway {
    pub(super) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                answer,
                requests: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.lock().answer = answer;
        self.shared.changed.notify_all();
    }

    /// The heads of the requests that were answered so.
    pub(super) fn requests(&self, answered: Answer) -> Vec<String> {
        let state = self.lock();
        let requests = state.requests.iter();
        let wanted = requests.filter(|(_, answer)| *answer == answered);
        wanted.map(|(head, _)| head.clone()).collect()
    }

    /// The configuration of it.
    pub(super) fn configuration(&self) -> String {
        format!(
            "[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"http://{}/cgi-bin/sendsms\"\nusername = \"u\"\npassword = \"p\"\n",
            self.address
        )
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request on a connection, which is closed then.
fn serve(mut stream: TcpStream, shared: &Shared) {
    let _unused = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => head.push(octet[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    let answer = {
        let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = |state: &mut State| state.answer == Answer::Hold;
        let waited = shared.changed.wait_while(state, is_held);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let answer = state.answer;
        state.requests.push((head.clone(), answer));
        answer
    };
    if answer == Answer::ReceiptFirst {
        tell_receipt(&head);
    }
    let text = match answer {
        Answer::Take | Answer::ReceiptFirst => {
            "HTTP/1.1 202 Accepted\r\nContent-Length: 25\r\nConnection: close\r\n\r\n0: Accepted for delivery\n"
        }
        Answer::Down => {
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nConnection: close\r\n\r\ndown\n"
        }
        Answer::Refuse => {
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 34\r\nConnection: close\r\n\r\nMissing receiver number, rejected\n"
        }
        Answer::Hold | Answer::Silent => {
            // Until the peer gives up.
            let _unused = stream.read(&mut octet);
            return;
        }
        Answer::Garbage => "\u{1}\u{2}\u{3} this is no HTTP at all\r\n\r\n",
        Answer::Cut => "",
    };
    // The peer may have gone.
    let _unused = stream.write_all(text.as_bytes());
}

/// Says that the SMS was delivered, and gives the server a moment to take it before it knows that the SMS is out.
fn tell_receipt(head: &str) {
    let url = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-kannel-dlr-url").then(|| {
            value
                .trim()
                .replace("%d", "1")
                .replace("%A", "ok")
                .replace("%F", "f-1")
        })
    });
    let url = url.expect("it wants a receipt");
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("an address");
    let mut stream = TcpStream::connect(host).expect("the server listens");
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let _unused = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let _unused = stream.read(&mut [0; 64]);
    // The server goes on with it while the connection lives.
    std::mem::forget(stream);
}
