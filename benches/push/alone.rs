//! Kannel without candybar: what it takes by itself, asked for receipts as candybar asks for them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::support::kannel::Kannel;

/// Sends SMS, and takes the receipts for them.
pub(crate) struct Alone {
    sendsms: String,
    receipts: u16,
}

impl Alone {
    pub(crate) fn of(kannel: &Kannel) -> Self {
        Self {
            sendsms: kannel.sendsms(),
            receipts: receipts(),
        }
    }

    /// Sends the head of package #0 to a number; comes back with Kannel's answer.
    pub(crate) fn send(&self, agent: &ureq::Agent, number: usize) {
        let url = format!(
            "{}?username={}&password={}&to=%2B4670{number:07}&from=12345&coding=1&udh=%06%05%04%0B%84%23%F0&text=%01%06%03\
             &dlr-mask=31&dlr-url=http%3A%2F%2F127.0.0.1%3A{}%2F",
            self.sendsms,
            Kannel::USER,
            Kannel::PASSWORD.replace(' ', "%20"),
            self.receipts
        );
        let mut answer = agent.get(&url).call().expect("Kannel takes it");
        answer.body_mut().read_to_vec().expect("its answer");
    }
}

/// Takes receipts and says so, whatever they are.
fn receipts() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let mut stream = stream;
                let mut line = String::new();
                while let Ok(1..) = reader.read_line(&mut line) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    if line == "\r\n" && stream.write_all(answer).is_err() {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    port
}
