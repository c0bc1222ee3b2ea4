//! HTTP by hand, so that it can be wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that says nothing for so long is stuck, which fails the test; nothing else waits for it.
const STUCK: Duration = Duration::from_secs(60);

/// One answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Response {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that stays open.
pub(super) struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&stream, Some(STUCK)).expect("a time-out can be set");
        }
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// Sends these octets; the server must take them.
    pub(super) fn send(&mut self, octets: &[u8]) {
        self.try_send(octets).expect("the server reads");
    }

    /// Sends these octets; fails if the server has closed the connection.
    pub(super) fn try_send(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.reader.get_mut().write_all(octets)
    }

    /// One message, and its answer.
    pub(super) fn post(&mut self, content_type: &str, body: &[u8]) -> Response {
        self.send(&post(content_type, body));
        self.response()
    }

    /// The next answer; the server must give one.
    pub(super) fn response(&mut self) -> Response {
        self.try_response().expect("an answer")
    }

    /// The next answer; `None` if the server closed the connection without one.
    pub(super) fn try_response(&mut self) -> Option<Response> {
        let mut line = String::new();
        let count = self.reader.read_line(&mut line).unwrap_or_else(|error| {
            assert!(
                !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ),
                "the server is stuck"
            );
            0
        });
        if count == 0 {
            return None;
        }
        let mut response = Response {
            status: line
                .split(' ')
                .nth(1)
                .and_then(|code| code.parse().ok())
                .unwrap_or_else(|| panic!("no status line: {line:?}")),
            ..Response::default()
        };
        loop {
            line.clear();
            self.reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(':') else {
                assert_eq!(line, "\r\n", "no header");
                break;
            };
            response
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = response.header("content-length");
        let length = length.and_then(|length| length.parse().ok());
        response.body = vec![0; length.expect("an answer says its length")];
        self.reader
            .read_exact(&mut response.body)
            .expect("the answer is whole");
        Some(response)
    }

    /// True while there is no answer yet, and the connection is open.
    pub(super) fn waits(&mut self) -> bool {
        let stream = self.reader.get_mut();
        stream.set_nonblocking(true).expect("a socket");
        let waits = stream.peek(&mut [0]).is_err();
        stream.set_nonblocking(false).expect("a socket");
        waits
    }
}

/// The octets of a request with one message.
pub(super) fn post(content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut request = head(content_type, body.len()).into_bytes();
    request.extend_from_slice(body);
    request
}

/// The head of a request whose body is said to be so long.
pub(super) fn head(content_type: &str, length: usize) -> String {
    format!(
        "POST /sync HTTP/1.1\r\nHost: candybar\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
}
