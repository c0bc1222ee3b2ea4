//! A phone that holds a connection for pushes: CTP, written from the protocol's description and of no code of ours.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// A connection. Dropping ends it.
pub(crate) struct Held(TcpStream);

impl Held {
    pub(crate) const AUTH: u8 = 0x01;
    pub(crate) const READY: u8 = 0x02;
    pub(crate) const OK: u8 = 0x20;
    pub(crate) const SYNC: u8 = 0x29;
    pub(crate) const NOT_AUTHENTICATED: u8 = 0x41;
    pub(crate) const UNAUTHORIZED: u8 = 0x42;

    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("set");
        Self(stream)
    }

    /// Connects and says that it is ready; the phone has to be let in.
    pub(crate) fn ready(address: SocketAddr, device: &str, user: &str, password: &str) -> Self {
        let mut held = Self::connect(address);
        assert_eq!(held.log_in(device, user, password), Self::OK);
        assert_eq!(held.ask(Self::READY, &[]).0, Self::OK);
        held
    }

    /// Shows who it is, as phones do: once to get a nonce, once with it. The code of the last answer.
    pub(crate) fn log_in(&mut self, device: &str, user: &str, password: &str) -> u8 {
        let (code, nonce) = self.authenticate(device, user, password, b"");
        assert_eq!(code, Self::NOT_AUTHENTICATED);
        self.authenticate(device, user, password, &nonce).0
    }

    fn authenticate(
        &mut self,
        device: &str,
        user: &str,
        password: &str,
        nonce: &[u8],
    ) -> (u8, Vec<u8>) {
        let inner = STANDARD.encode(Md5::digest(format!("{user}:{password}")));
        let outer = Md5::digest([inner.as_bytes(), b":", nonce].concat());
        let shown = STANDARD.encode(outer);
        let parameters = [
            (0x01, device.as_bytes()),
            (0x02, user.as_bytes()),
            (0x03, shown.as_bytes()),
        ];
        self.ask(Self::AUTH, &parameters)
    }

    /// Sends one message; code and first parameter of the answer.
    pub(crate) fn ask(&mut self, code: u8, parameters: &[(u8, &[u8])]) -> (u8, Vec<u8>) {
        let mut body = vec![0x10, code];
        for (code, value) in parameters {
            body.extend_from_slice(&[*code, value.len() as u8]);
            body.extend_from_slice(value);
        }
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        self.0
            .write_all(&[&length[..], &body].concat())
            .expect("it reads");
        self.next()
    }

    /// Waits for a message; its code and first parameter.
    pub(crate) fn next(&mut self) -> (u8, Vec<u8>) {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).expect("a message");
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut message).expect("a message");
        let length = message.get(3).map_or(0, |length| usize::from(*length));
        let value = message.get(4..4 + length).unwrap_or_default();
        (message[1], value.to_vec())
    }
}
