//! A link that loses answers between the phone and the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Octets of a message, at most.
const MOST: u64 = 1 << 20;

/// Starts a link to the server that loses every second answer. Gives the address of its end at the phone.
pub(super) fn link(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let count = Arc::new(AtomicU32::new(0));
        for phone in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || carry(phone, server, &count));
        }
    });
    address
}

/// Starts a link to the server that carries so many answers and none after them. Gives the address of its end at the phone, and says when
/// the phone waits for one that does not come.
pub(super) fn silent_after(server: SocketAddr, answers: u32) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (waits, waiting) = channel();
    thread::spawn(move || {
        let mut carried = 0;
        let mut open = Vec::new();
        for mut phone in listener.incoming().flatten() {
            let Ok(requests) = phone.try_clone() else {
                continue;
            };
            let mut requests = BufReader::new(requests);
            while let Some(request) = message(&mut requests) {
                let Ok(mut up) = TcpStream::connect(server) else {
                    return;
                };
                let sent = up.write_all(&request);
                let Some(answer) = sent.ok().and_then(|()| message(&mut BufReader::new(up))) else {
                    return;
                };
                if carried == answers {
                    let _nobody = waits.send(());
                    break;
                }
                carried += 1;
                if phone.write_all(&answer).is_err() {
                    break;
                }
            }
            // It is not closed: the phone goes on waiting.
            open.push(phone);
        }
    });
    (address, waiting)
}

/// Starts a link to the server that carries so many answers, and hangs up on whoever asks for more. Gives the address of its end at the
/// phone.
pub(super) fn cut_after(server: SocketAddr, answers: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let mut left = answers;
        for mut phone in listener.incoming().flatten() {
            let Ok(requests) = phone.try_clone() else {
                continue;
            };
            let mut requests = BufReader::new(requests);
            while let Some(request) = message(&mut requests) {
                if left == 0 {
                    break;
                }
                left -= 1;
                let Ok(mut up) = TcpStream::connect(server) else {
                    return;
                };
                let sent = up.write_all(&request);
                let answer = sent.ok().and_then(|()| message(&mut BufReader::new(up)));
                if answer.is_none_or(|answer| phone.write_all(&answer).is_err()) {
                    break;
                }
            }
            phone.shutdown(Shutdown::Both).ok();
        }
    });
    address
}

/// Carries requests until an answer is to be lost, or the phone hangs up.
fn carry(mut phone: TcpStream, server: SocketAddr, count: &AtomicU32) -> Option<()> {
    let mut requests = BufReader::new(phone.try_clone().ok()?);
    while let Some(request) = message(&mut requests) {
        let mut up = TcpStream::connect(server).ok()?;
        up.write_all(&request).ok()?;
        let answer = message(&mut BufReader::new(up))?;
        if count.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            phone.shutdown(Shutdown::Both).ok()?;
            return None;
        }
        phone.write_all(&answer).ok()?;
    }
    Some(())
}

/// One message of HTTP with its length in a header; none at the end.
fn message(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        octets.extend_from_slice(line.as_bytes());
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    from.take(length.min(MOST)).read_to_end(&mut octets).ok()?;
    Some(octets)
}
