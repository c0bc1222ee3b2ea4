//! Autoconfig files, as Thunderbird reads them: `clientConfig`, version 1.1.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::found::{Found, is_domain};
use crate::mail::settings::{Address, Encryption, Protocol};

/// Octets of a file at most.
pub(super) const MAX_FILE: usize = 256 << 10;
/// Elements of a file that are looked at.
const MAX_ELEMENTS: usize = 10_000;
/// Characters of one value.
const MAX_VALUE: usize = 512;

/// A server as the file tells it.
#[derive(Default)]
struct Server {
    kind: String,
    host: String,
    port: String,
    socket: String,
    user: String,
    authentications: Vec<String>,
}

/// The first incoming and the first outgoing server that can be used; IMAP before POP3.
pub(in crate::mail) fn read(
    body: &[u8],
    address: &str,
    local: &str,
    domain: &str,
) -> Option<(Found, Option<Found>)> {
    if body.len() > MAX_FILE {
        return None;
    }
    let filled = |text: &str| {
        text.replace("%EMAILADDRESS%", address)
            .replace("%EMAILLOCALPART%", local)
            .replace("%EMAILDOMAIN%", domain)
    };
    let found: Vec<Found> = servers(body)?
        .into_iter()
        .filter_map(|server| usable(&server, &filled))
        .collect();
    let first = |protocol: Protocol| found.iter().find(|found| found.protocol == protocol);
    let incoming = first(Protocol::Imap).or_else(|| first(Protocol::Pop3))?;
    Some((incoming.clone(), first(Protocol::Smtp).cloned()))
}

fn usable(server: &Server, filled: &impl Fn(&str) -> String) -> Option<Found> {
    let protocol = match &*server.kind {
        "imap" => Protocol::Imap,
        "pop3" => Protocol::Pop3,
        "smtp" => Protocol::Smtp,
        _ => return None,
    };
    let encryption = match &*server.socket.to_ascii_uppercase() {
        "SSL" => Encryption::Tls,
        "STARTTLS" => Encryption::StartTls,
        // A password is not sent in the clear because a file says so.
        _ => return None,
    };
    let host = filled(&server.host).to_ascii_lowercase();
    if !is_domain(&host) {
        return None;
    }
    let has = |names: &[&str]| {
        server
            .authentications
            .iter()
            .any(|known| names.contains(&known.to_ascii_lowercase().as_str()))
    };
    let password = has(&["password-cleartext", "plain"]);
    let token = has(&["oauth2"]);
    if !password && !token && !server.authentications.is_empty() {
        return None;
    }
    let user = filled(&server.user);
    Some(Found {
        protocol,
        address: Address {
            host,
            port: server.port.parse().ok().filter(|port| *port != 0)?,
            encryption,
            ca_file: None,
        },
        user: match user.is_empty() || user.chars().any(char::is_control) {
            true => filled("%EMAILADDRESS%"),
            false => user,
        },
        token: token && !password,
    })
}

/// The servers of a file, in its order; `None` if it is no such file.
fn servers(body: &[u8]) -> Option<Vec<Server>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut found = Vec::new();
    let mut current: Option<Server> = None;
    let mut element = String::new();
    let mut is_config = false;
    for _ in 0..MAX_ELEMENTS {
        match reader.read_event().ok()? {
            Event::Eof => return is_config.then_some(found),
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                match &*name {
                    "clientConfig" => is_config = true,
                    "incomingServer" | "outgoingServer" => {
                        let kind = start
                            .attributes()
                            .flatten()
                            .find(|attribute| attribute.key.local_name().as_ref() == "type");
                        let kind = kind.map(|kind| kind.value.into_owned());
                        current = Some(Server {
                            kind: kind.unwrap_or_default().to_ascii_lowercase(),
                            ..Server::default()
                        });
                    }
                    _ => {}
                }
                element = name;
            }
            Event::Text(text) => {
                let text = text.trim().to_owned();
                if let Some(server) = &mut current
                    && !text.is_empty()
                    && text.len() <= MAX_VALUE
                {
                    match &*element {
                        "hostname" => server.host = text,
                        "port" => server.port = text,
                        "socketType" => server.socket = text,
                        "username" => server.user = text,
                        "authentication" if server.authentications.len() < 16 => {
                            server.authentications.push(text);
                        }
                        _ => {}
                    }
                }
            }
            Event::End(end) => {
                if matches!(
                    end.local_name().as_ref(),
                    "incomingServer" | "outgoingServer"
                ) {
                    found.extend(current.take());
                }
                element.clear();
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(servers: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><clientConfig version=\"1.1\"><emailProvider id=\"x\">{servers}</emailProvider></clientConfig>"
        )
    }

    fn server(kind: &str, host: &str, socket: &str, authentication: &str) -> String {
        let element = if kind == "smtp" {
            "outgoingServer"
        } else {
            "incomingServer"
        };
        format!(
            "<{element} type=\"{kind}\">\n <hostname>{host}</hostname><port>1</port>\
             <socketType>{socket}</socketType><username>%EMAILADDRESS%</username>\
             <authentication>{authentication}</authentication></{element}>"
        )
    }

    fn found(servers: &str) -> Option<(Found, Option<Found>)> {
        read(page(servers).as_bytes(), "a@b.example", "a", "b.example")
    }

    #[test]
    fn imap_is_taken_before_pop3_and_what_cannot_be_used_is_passed_over() {
        let servers = [
            server("pop3", "pop.b.example", "SSL", "password-cleartext"),
            server("imap", "plain.b.example", "plain", "password-cleartext"),
            server("imap", "kerberos.b.example", "SSL", "GSSAPI"),
            server(
                "imap",
                "imap.%EMAILDOMAIN%",
                "STARTTLS",
                "password-cleartext",
            ),
            server("smtp", "smtp.b.example", "SSL", "OAuth2"),
        ];
        let (incoming, outgoing) = found(&servers.concat()).expect("found");
        assert_eq!(
            incoming.address.shown(Protocol::Imap),
            "imap://imap.b.example:1?tls=start"
        );
        assert_eq!((&*incoming.user, incoming.token), ("a@b.example", false));
        assert!(outgoing.expect("a way out").token);
    }

    #[test]
    fn what_is_no_such_file_gives_nothing() {
        for body in [
            "",
            "<html>",
            "<html><body>hello</body></html>",
            "<clientConfig",
            "\u{0}\u{1}",
        ] {
            assert_eq!(
                read(body.as_bytes(), "a@b.example", "a", "b.example"),
                None,
                "{body}"
            );
        }
        assert_eq!(found(""), None);
        for host in ["", "a b", "x/../y.z", "localhost", "http://x.y"] {
            let servers = server("imap", host, "SSL", "password-cleartext");
            assert_eq!(found(&servers), None, "{host}");
        }
    }
}
