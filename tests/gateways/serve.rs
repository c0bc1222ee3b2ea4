//! The program with gateways: what they may ask of it, what it counts, and phones that hold a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use crate::support::kannel::free_ports;
use crate::support::program::Program;

const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");

/// Status and body of an answer.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned());
    (status.expect("a status"), body.unwrap_or_default())
}

/// One message of a phone that holds a connection, and the code and first parameter of the answer.
fn ask(stream: &mut TcpStream, code: u8, parameters: &[(u8, &[u8])]) -> (u8, Vec<u8>) {
    let mut body = vec![0x10, code];
    for (code, value) in parameters {
        body.extend_from_slice(&[*code, value.len() as u8]);
        body.extend_from_slice(value);
    }
    let length = u16::try_from(body.len()).expect("short").to_be_bytes();
    stream
        .write_all(&[&length[..], &body].concat())
        .expect("it reads");
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("an answer");
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).expect("an answer");
    (answer[1], answer.get(4..).unwrap_or_default().to_vec())
}

fn auth(stream: &mut TcpStream, password: &str, nonce: &[u8]) -> (u8, Vec<u8>) {
    let inner = STANDARD.encode(Md5::digest(format!("{}:{password}", ACCOUNT.0)));
    let outer = Md5::digest([inner.as_bytes(), b":", nonce].concat());
    let shown = STANDARD.encode(outer);
    ask(
        stream,
        0x01,
        &[
            (0x01, b"IMEI:1"),
            (0x02, ACCOUNT.0.as_bytes()),
            (0x03, shown.as_bytes()),
        ],
    )
}

#[test]
fn a_running_server_takes_callbacks_counts_and_lets_phones_hold_connections() {
    let [port] = free_ports();
    let configuration = format!(
        "[[gateway]]\nname = \"held\"\nkind = \"ctp\"\nurl = \"127.0.0.1:{port}\"\n\
         [[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"http://127.0.0.1:9/\"\ntoken = \"t7\"\n\
         [[gateway]]\nname = \"trace\"\nkind = \"file\"\nurl = \"sms.jsonl\"\n"
    );
    let server = Program::start(&configuration, &[ACCOUNT]);
    let receipt = "/gateway/kannel/receipt?token=t7&ref=m-1.0&state=1";
    assert_eq!(get(server.address(), receipt), (200, String::new()));
    assert_eq!(get(server.address(), &receipt.replace("t7", "t8")).0, 403);
    assert_eq!(
        get(server.address(), "/gateway/trace/receipt?token=t7").0,
        404
    );
    assert_eq!(get(server.address(), "/gateway/nobody/mo").0, 404);
    let (_, metrics) = get(server.address(), "/metrics");
    for line in [
        "candybar_gateway_up{gateway=\"kannel\"} 1",
        "candybar_gateway_total{gateway=\"kannel\",outcome=\"receipt\"} 1",
        "candybar_gateway_total{gateway=\"trace\",outcome=\"accepted\"} 0",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("set");
        stream
    };
    let mut phone = connect();
    let (code, nonce) = auth(&mut phone, ACCOUNT.1, b"");
    assert_eq!(code, 0x41);
    assert_eq!(auth(&mut phone, ACCOUNT.1, &nonce).0, 0x20);
    assert_eq!(ask(&mut phone, 0x02, &[]).0, 0x20);
    let mut stranger = connect();
    let (_, nonce) = auth(&mut stranger, "wrong", b"");
    assert_eq!(auth(&mut stranger, "wrong", &nonce).0, 0x42);
    assert!(server.file("sms.jsonl").exists());
}
