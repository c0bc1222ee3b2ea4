//! A gateway with an HTTP interface that a test writes: answers as it is told, and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// One request.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Method, address and version.
    pub(crate) line: String,
    /// In lower case, with their values.
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

/// What it does with a request.
pub(crate) enum Answer {
    /// Status line behind the version, more headers, body.
    Says(&'static str, &'static str, &'static str),
    /// Octets, whatever they are, and the end.
    Octets(&'static [u8]),
    /// Reads the request and closes the connection.
    Closes,
    /// Reads the request and holds the connection without a word.
    Holds,
}

/// A running provider; it ends with the test's process.
pub(crate) struct Provider {
    address: SocketAddr,
    asked: Receiver<Asked>,
    answers: Sender<Answer>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (answers, wanted) = channel::<Answer>();
        let (sender, asked) = channel();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let Some(request) = read(&mut reader) else {
                    continue;
                };
                if sender.send(request).is_err() {
                    return;
                }
                let Ok(answer) = wanted.recv() else { return };
                let mut stream: TcpStream = stream;
                match answer {
                    Answer::Says(status, headers, body) => {
                        let head = format!(
                            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
                            body.len()
                        );
                        stream.write_all((head + body).as_bytes()).ok();
                    }
                    Answer::Octets(octets) => {
                        stream.write_all(octets).ok();
                    }
                    Answer::Closes => {}
                    Answer::Holds => held.push(stream),
                }
            }
        });
        Self {
            address,
            asked,
            answers,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it does with the next request that has no answer yet.
    pub(crate) fn will(&self, answer: Answer) {
        self.answers.send(answer).expect("it runs");
    }

    /// The next request.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.recv_timeout(LIMIT).expect("a request")
    }

    /// No request is there that was not looked at.
    pub(crate) fn was_left_alone(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut headers = String::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.trim().parse().ok()?;
        }
        headers.push_str(&format!("{name}: {}\n", value.trim()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        line: line.trim().to_owned(),
        headers,
        body,
    })
}
