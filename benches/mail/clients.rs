//! Peers of the measuring, as small as they can be: an IMAP client that idles, an LMTP client, a proxy that notes when EXISTS
//! passes, and a gateway that notes when a request comes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

fn connected(port: u16) -> (BufReader<TcpStream>, TcpStream) {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_nodelay(true).expect("set");
    let reader = BufReader::new(stream.try_clone().expect("a second handle"));
    (reader, stream)
}

fn line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    assert!(!line.is_empty(), "the peer has gone");
    line
}

/// Reads until a line that begins so; it has to be a good one.
fn answer(reader: &mut BufReader<TcpStream>, begins: &str) {
    loop {
        let line = line(reader);
        if let Some(rest) = line.strip_prefix(begins) {
            assert!(rest.starts_with(" OK") || begins == "+", "{line}");
            return;
        }
    }
}

/// A client of its own that idles in the inbox; tells when EXISTS comes.
pub(crate) fn watcher(port: u16, user: &str) -> Receiver<Instant> {
    let (mut reader, mut stream) = connected(port);
    line(&mut reader);
    write!(
        stream,
        "a LOGIN {user} {user}-pw\r\nb SELECT INBOX\r\nc IDLE\r\n"
    )
    .expect("sent");
    answer(&mut reader, "a");
    answer(&mut reader, "b");
    answer(&mut reader, "+");
    let (sender, times) = channel();
    std::thread::spawn(move || {
        let _open = stream;
        let mut line = String::new();
        // It ends with the server.
        while let Ok(1..) = reader.read_line(&mut line) {
            if line.ends_with(" EXISTS\r\n") && sender.send(Instant::now()).is_err() {
                return;
            }
            line.clear();
        }
    });
    times
}

/// A connection to a delivery agent's port.
pub(crate) struct Lmtp(BufReader<TcpStream>, TcpStream);

impl Lmtp {
    pub(crate) fn connect(port: u16) -> Self {
        let (mut reader, mut stream) = connected(port);
        line(&mut reader);
        write!(stream, "LHLO bench\r\n").expect("sent");
        while !line(&mut reader).starts_with("250 ") {}
        Self(reader, stream)
    }

    /// Hands a message over; it ends with CR LF and has no line that begins with a dot.
    pub(crate) fn deliver(&mut self, user: &str, message: &str) {
        write!(
            self.1,
            "MAIL FROM:<s@example.org>\r\nRCPT TO:<{user}>\r\nDATA\r\n"
        )
        .expect("sent");
        for code in ["250", "250", "354"] {
            let line = line(&mut self.0);
            assert!(line.starts_with(code), "{line}");
        }
        write!(self.1, "{message}.\r\n").expect("sent");
        let line = line(&mut self.0);
        assert!(line.starts_with("250"), "{line}");
    }
}

/// A proxy before a port; tells when EXISTS of a client in IDLE passes.
pub(crate) fn proxy(port: u16) -> (u16, Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = listener.local_addr().expect("an address").port();
    let (sender, times) = channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            client.set_nodelay(true).expect("set");
            let (_, server) = connected(port);
            let second = |stream: &TcpStream| stream.try_clone().expect("a second handle");
            let (from, to) = (second(&client), second(&server));
            std::thread::spawn(move || pass(from, to, None));
            let sender = sender.clone();
            std::thread::spawn(move || pass(server, client, Some(sender)));
        }
    });
    (own, times)
}

fn pass(mut from: TcpStream, mut to: TcpStream, exists: Option<Sender<Instant>>) {
    let mut buffer = [0; 16384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        // In IDLE it comes alone, or with RECENT; the answer to SELECT begins with the flags.
        let unasked = buffer.starts_with(b"* ")
            && !buffer.starts_with(b"* FLAGS")
            && buffer[..count].windows(7).any(|part| part == b" EXISTS");
        if let (true, Some(exists)) = (unasked, &exists) {
            let _nobody = exists.send(Instant::now());
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// A gateway like Kannel's sendsms; tells when a request has come.
pub(crate) fn gateway() -> (u16, Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, times) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || serve(stream, &sender));
        }
    });
    (port, times)
}

fn serve(stream: TcpStream, sender: &Sender<Instant>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    loop {
        let mut line = String::new();
        let mut first = true;
        let mut length = 0;
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(1..) => {}
                _ => return,
            }
            if first {
                let _nobody = sender.send(Instant::now());
                first = false;
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let answer =
            "HTTP/1.1 202 Accepted\r\nContent-Length: 25\r\n\r\n0: Accepted for delivery\n";
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
