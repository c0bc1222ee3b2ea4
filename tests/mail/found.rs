//! A mailbox that is found by its address: the program asks the provider over HTTPS, here through a proxy that leads to a page of our own.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::line_file;
use crate::support::peer::present;
use crate::support::process::{self, Daemon, Ended};
use crate::support::program::{self, Program};

const LIMIT: Duration = Duration::from_secs(60);

/// A proxy (CONNECT) behind which two hosts have pages: `autoconfig.example.test` and `autoconfig.token.test`.
const PROXY: &str = r#"
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
pages = {'autoconfig.example.test:443': 'password.xml', 'autoconfig.token.test:443': 'token.xml'}
def head(stream):
    text = b''
    while b'\r\n\r\n' not in text:
        part = stream.recv(4096)
        if not part:
            raise OSError('it ended')
        text += part
    return text.decode().split(' ')[1]
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True:
    stream, _ = server.accept()
    try:
        stream.settimeout(30)
        page = pages.get(head(stream))
        if not page:
            stream.sendall(b'HTTP/1.1 502 nobody\r\n\r\n')
            stream.close()
            continue
        stream.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        with context.wrap_socket(stream, server_side=True) as inner:
            path = head(inner)
            body = open(page, 'rb').read() if path.startswith('/mail/config-v1.1.xml?emailaddress=') else b''
            inner.sendall(b'HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % (b'200 OK' if body else b'404 no', len(body)) + body)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
"#;

fn page(authentication: &str) -> String {
    let server = |kind: &str, element: &str, host: &str, port: u16, tls: &str| {
        format!(
            "<{element} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{tls}</socketType>\
             <username>%EMAILADDRESS%</username><authentication>{authentication}</authentication></{element}>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider id=\"example.test\"><domain>example.test</domain>{}{}\
         </emailProvider></clientConfig>",
        server("imap", "incomingServer", "imap.%EMAILDOMAIN%", 993, "SSL"),
        server(
            "smtp",
            "outgoingServer",
            "smtp.%EMAILDOMAIN%",
            587,
            "STARTTLS"
        ),
    )
}

fn certificate(root: &Path) {
    let names = "subjectAltName=DNS:autoconfig.example.test,DNS:autoconfig.token.test";
    let mut command = Command::new("openssl");
    command
        .current_dir(root)
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
        ])
        .args(["-subj", "/CN=autoconfig.example.test", "-addext", names])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"]);
    let ended = process::run(&mut command, LIMIT);
    assert!(ended.success(), "{}", ended.text);
}

#[test]
fn a_mailbox_is_added_by_its_address_with_what_the_provider_publishes() {
    if !present("a page over TLS", &["python3", "openssl"]) {
        return;
    }
    let program = Program::start("[mail]\nwatchers = 0\n", &[("alice", "secret-1")]);
    let root = program.file("");
    certificate(&root);
    std::fs::write(program.file("password.xml"), page("password-cleartext")).expect("written");
    std::fs::write(program.file("token.xml"), page("OAuth2")).expect("written");
    line_file(&program.file("secret"), "alice-pw");
    let mut command = Command::new("python3");
    command.current_dir(&root).args(["-c", PROXY]);
    let log = File::create(program.file("proxy.log")).expect("a log");
    let (_proxy, port) = Daemon::start_until(&mut command, log, LIMIT, |line| {
        line.trim().parse::<u16>().ok()
    });
    let add = |address: &str, more: &[&str]| -> Ended {
        let arguments = [
            &[
                "mailbox",
                "add",
                "alice",
                "--unchecked",
                "--address",
                address,
            ],
            more,
        ];
        let mut command = program::candybar(&root, &arguments.concat());
        command
            .env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"))
            .env("SSL_CERT_FILE", root.join("cert.pem"))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        process::run(&mut command, LIMIT)
    };
    let added = add("alice@example.test", &["--password-file", "secret"]);
    assert!(added.success(), "{}", added.text);
    assert!(
        added
            .text
            .contains("found by https://autoconfig.example.test/mail/config-v1.1.xml"),
        "{}",
        added.text
    );
    let listed = program.command(&["mailbox", "list", "alice", "--json"]);
    for expected in [
        "imaps://",
        "imap.example.test",
        "smtp.example.test",
        "alice@example.test",
    ] {
        assert!(listed.contains(expected), "{expected}: {listed}");
    }
    assert!(!listed.contains("alice-pw"), "{listed}");
    // A provider that wants a token says so, and gets no password.
    let refused = add("alice@token.test", &["--password-file", "secret"]);
    assert!(
        !refused.success() && refused.text.contains("--token-command"),
        "{}",
        refused.text
    );
    let added = add("alice@token.test", &["--token-command", "echo token-1"]);
    assert!(added.success(), "{}", added.text);
    let listed = program.command(&["mailbox", "list", "alice", "--json"]);
    assert!(listed.contains("imap.token.test"), "{listed}");
}
