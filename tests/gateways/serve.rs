//! The program with gateways: what they may ask of it, what it counts, and phones that hold a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::ctp::Held;
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
    let held = SocketAddr::from(([127, 0, 0, 1], port));
    let log_in = |password: &str| Held::connect(held).log_in("IMEI:1", ACCOUNT.0, password);
    assert_eq!(
        log_in(ACCOUNT.1),
        Held::UNAUTHORIZED,
        "it never synchronised"
    );
    let log = server.log();
    assert!(log.contains("it has to synchronise first"), "{log}");
    server.command(&["device", "add", ACCOUNT.0, "IMEI:1"]);
    assert_eq!(log_in("wrong"), Held::UNAUTHORIZED);
    drop(Held::ready(held, "IMEI:1", ACCOUNT.0, ACCOUNT.1));
    assert!(server.file("sms.jsonl").exists());
}
