//! Phones at the CTP server, over real sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::frame::{Code, parameter};
use super::session::credentials;
use super::{Directory, Entry};
use crate::push::{wdp, wsp};
use crate::sms::settings::{CtpSettings, GatewayKind, GatewaySettings};
use crate::sms::{
    Content, Delivery, DeviceAddress, Event, GatewayError, Gateways, Message, Push, Recipient,
};

struct Accounts;

impl Directory for Accounts {
    fn entry(&self, account: &str, _device: &str) -> Result<Entry, String> {
        let passwords = ["its own", "sync-it-7"];
        match account {
            "alice" => Ok(Entry::Passwords(passwords.map(str::to_owned).into())),
            "broken" => Err("the database does not answer".to_owned()),
            _ => Ok(Entry::Unknown("there is no such account")),
        }
    }
}

struct World {
    runtime: tokio::runtime::Runtime,
    gateways: Gateways,
    deliveries: tokio::sync::mpsc::Receiver<Delivery>,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let settings = GatewaySettings {
            name: "ctp".to_owned(),
            prefixes: Vec::new(),
            window: 8,
            per_second: 0,
            timeout: Duration::from_secs(30),
            callback_url: None,
            token: None,
            kind: GatewayKind::Ctp(CtpSettings {
                listen: "127.0.0.1:0".to_owned(),
                max_connections: 10,
                heartbeat: Duration::from_secs(900),
            }),
        };
        let entered = runtime.enter();
        let (gateways, deliveries) =
            Gateways::start_with(vec![settings], Some(Arc::new(Accounts))).expect("started");
        drop(entered);
        Self {
            runtime,
            gateways,
            deliveries,
        }
    }

    fn phone(&self) -> Phone {
        let address = self.gateways.states()[0].listens_at.expect("it listens");
        let stream = TcpStream::connect(address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("set");
        Phone(stream)
    }

    /// Waits until a phone is ready for pushes.
    fn connected(&mut self) -> DeviceAddress {
        let delivery = self
            .runtime
            .block_on(self.deliveries.recv())
            .expect("an event");
        let Event::Connected(device) = delivery.event else {
            panic!("{:?}", delivery.event)
        };
        delivery.done.acknowledge();
        device
    }

    fn push(&self, account: &str, device: &str, octets: usize) -> Option<GatewayError> {
        let push = wsp::Push::notification(vec![0xA5; octets]);
        let push = Push::new(push, wdp::Ports::PUSH, wdp::Reference::Octet(1)).expect("cut");
        let message = Message {
            reference: "m-1".to_owned(),
            to: Recipient {
                number: None,
                device: Some(DeviceAddress {
                    account: account.to_owned(),
                    device: device.to_owned(),
                }),
            },
            content: Content::Push(push),
            receipt: false,
            validity: None,
        };
        let missing: Vec<u8> = (0..message.parts()).collect();
        self.runtime
            .block_on(self.gateways.submit(&message, &missing, None))
            .error
    }
}

/// A client that makes its octets by hand.
struct Phone(TcpStream);

impl Phone {
    fn send(&mut self, code: Code, parameters: &[(u8, &[u8])]) {
        let mut body = vec![0x10, code.0];
        for (code, value) in parameters {
            body.push(*code);
            body.push(u8::try_from(value.len()).expect("short"));
            body.extend_from_slice(value);
        }
        let mut message = u16::try_from(body.len())
            .expect("short")
            .to_be_bytes()
            .to_vec();
        message.extend_from_slice(&body);
        self.0.write_all(&message).expect("sent");
    }

    /// Code and the only parameter; `None` at the end.
    fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).ok()?;
        let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut body).ok()?;
        assert_eq!(body[0], 0x10);
        if body.len() > 2 {
            assert_eq!(usize::from(body[3]), body.len() - 4);
        }
        Some((body[1], body.get(4..).unwrap_or_default().to_vec()))
    }

    fn auth(&mut self, account: &str, password: &str, nonce: &[u8]) -> Option<(u8, Vec<u8>)> {
        let shown = credentials(account, password, nonce);
        self.send(
            Code::AUTH,
            &[
                (parameter::DEVICE, b"IMEI:490154203237518"),
                (parameter::USER, account.as_bytes()),
                (parameter::CREDENTIALS, shown.as_bytes()),
            ],
        );
        self.receive()
    }

    /// As clients do: first without a nonce, then with the one that came.
    fn enter(&mut self) {
        let (code, nonce) = self.auth("alice", "sync-it-7", b"").expect("an answer");
        assert_eq!(code, 0x41);
        let (code, next) = self.auth("alice", "sync-it-7", &nonce).expect("an answer");
        assert_eq!(code, 0x20);
        assert_ne!(next, nonce);
        self.ready();
    }

    fn ready(&mut self) {
        self.send(Code::READY, &[]);
        assert_eq!(self.receive(), Some((0x20, Vec::new())));
    }
}

const DEVICE: &str = "IMEI:490154203237518";

#[test]
fn a_phone_connects_and_is_pushed() {
    let mut world = World::new();
    let error = world.push("alice", DEVICE, 60).expect("not connected");
    assert!(matches!(error, GatewayError::Unreachable { .. }), "{error}");
    let mut phone = world.phone();
    phone.enter();
    assert_eq!(
        world.connected(),
        DeviceAddress {
            account: "alice".to_owned(),
            device: DEVICE.to_owned()
        }
    );
    assert_eq!(world.push("alice", DEVICE, 60), None);
    assert_eq!(phone.receive(), Some((0x29, vec![0xA5; 60])));
    phone.send(Code::OK, &[]);
    phone.ready();
    assert_eq!(world.push("alice", DEVICE, 255), None);
    assert_eq!(phone.receive(), Some((0x29, vec![0xA5; 255])));
    assert!(matches!(
        world.push("alice", DEVICE, 256),
        Some(GatewayError::Unsupported { .. })
    ));
    assert!(world.push("alice", "IMEI:other", 60).is_some());
    assert!(world.push("bob", DEVICE, 60).is_some());
    phone.send(Code::BYE, &[]);
    assert_eq!(phone.receive(), Some((0x20, Vec::new())));
    assert_eq!(phone.receive(), None, "closed");
    assert!(world.push("alice", DEVICE, 60).is_some());
}

#[test]
fn a_new_connection_takes_the_place_of_the_old_one() {
    let mut world = World::new();
    let mut old = world.phone();
    old.enter();
    world.connected();
    let mut new = world.phone();
    new.enter();
    world.connected();
    assert_eq!(old.receive(), None, "closed");
    assert_eq!(world.push("alice", DEVICE, 9), None);
    assert_eq!(new.receive(), Some((0x29, vec![0xA5; 9])));
}

#[test]
fn strangers_and_rubbish_are_not_let_in() {
    let world = World::new();
    for (account, password) in [("alice", "wrong"), ("mallory", "sync-it-7")] {
        let mut phone = world.phone();
        let (code, nonce) = phone.auth(account, password, b"").expect("an answer");
        assert_eq!(code, 0x41);
        assert_eq!(
            phone.auth(account, password, &nonce).expect("an answer").0,
            0x42
        );
        assert_eq!(phone.receive(), None, "two tries");
    }
    // The nonce of an answer counts once, and on its own connection.
    let mut phone = world.phone();
    let (_, nonce) = phone.auth("alice", "sync-it-7", b"").expect("an answer");
    let mut other = world.phone();
    assert_eq!(
        other
            .auth("alice", "sync-it-7", &nonce)
            .expect("an answer")
            .0,
        0x41
    );
    let mut phone = world.phone();
    assert_eq!(phone.auth("broken", "x", b"").expect("an answer").0, 0x50);
    let mut phone = world.phone();
    phone.send(Code::READY, &[]);
    assert_eq!(phone.receive().expect("an answer").0, 0x50);
    assert_eq!(phone.receive(), None);
    for rubbish in [
        &[0xFF, 0xFF, 0x10, 0x01][..],
        &[0, 1, 0x10],
        &[0, 4, 0x10, 1, 9, 200],
        b"GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut phone = world.phone();
        phone.0.write_all(rubbish).expect("sent");
        if let Err(error) = phone.0.shutdown(std::net::Shutdown::Write) {
            // The server has shut it already.
            assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
        }
        while let Some((code, _)) = phone.receive() {
            assert_eq!(code, 0x50);
        }
    }
}
