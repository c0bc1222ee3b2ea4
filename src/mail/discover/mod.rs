//! Servers of a mail address: the autoconfig files that providers publish, the public collection of them (ISPDB), and DNS
//! (RFC 6186, RFC 8314).
//!
//! What comes from outside is only believed over HTTPS, or named by DNS within the address's own domain; and a password goes
//! nowhere without TLS.

pub(super) mod autoconfig;
mod found;
mod net;

pub use found::Found;
pub use net::Net;

use super::settings::{Address, Encryption, Protocol};
use found::is_domain;

/// Where one looks.
pub trait Lookup {
    /// The body of an HTTPS page; `None` if there is none.
    fn page(&self, url: &str) -> Option<Vec<u8>>;

    /// The best server of a service (RFC 2782), with its port; `None` if there is none.
    fn service(&self, name: &str) -> Option<(String, u16)>;
}

/// The servers of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// Where mail is fetched.
    pub incoming: Found,
    /// Where it is submitted.
    pub outgoing: Option<Found>,
    /// Where that was said.
    pub source: String,
}

/// Looks for the servers of an address. Blocks.
pub fn servers(address: &str, lookup: &dyn Lookup) -> Option<Servers> {
    let (local, domain) = address.rsplit_once('@')?;
    let domain = domain.to_ascii_lowercase();
    if !is_domain(&domain) {
        return None;
    }
    let encoded = percent_encoded(address);
    let pages = [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={encoded}"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
        format!("https://autoconfig.thunderbird.net/v1.1/{domain}"),
    ];
    for page in pages {
        let servers = lookup
            .page(&page)
            .and_then(|body| autoconfig::read(&body, address, local, &domain));
        if let Some((incoming, outgoing)) = servers {
            let source = page.split('?').next().unwrap_or(&page).to_owned();
            return Some(Servers {
                incoming,
                outgoing,
                source,
            });
        }
    }
    by_dns(address, &domain, lookup)
}

/// RFC 6186: services by their names, those with TLS first.
fn by_dns(address: &str, domain: &str, lookup: &dyn Lookup) -> Option<Servers> {
    let find = |services: &[(&str, Protocol, Encryption)]| {
        services.iter().find_map(|(service, protocol, encryption)| {
            let (host, port) = lookup.service(&format!("{service}._tcp.{domain}"))?;
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            // "." says that there is no such service.
            is_domain(&host).then(|| Found {
                protocol: *protocol,
                address: Address {
                    host,
                    port,
                    encryption: *encryption,
                    ca_file: None,
                },
                user: address.to_owned(),
                token: false,
            })
        })
    };
    let incoming = find(&[
        ("_imaps", Protocol::Imap, Encryption::Tls),
        ("_imap", Protocol::Imap, Encryption::StartTls),
        ("_pop3s", Protocol::Pop3, Encryption::Tls),
        ("_pop3", Protocol::Pop3, Encryption::StartTls),
    ])?;
    Some(Servers {
        incoming,
        outgoing: find(&[
            ("_submissions", Protocol::Smtp, Encryption::Tls),
            ("_submission", Protocol::Smtp, Encryption::StartTls),
        ]),
        source: format!("the DNS of {domain}"),
    })
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(octet).to_string()
            }
            octet => format!("%{octet:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    #[derive(Default)]
    struct World {
        pages: HashMap<String, &'static str>,
        services: HashMap<&'static str, (&'static str, u16)>,
        asked: RefCell<Vec<String>>,
    }

    impl Lookup for World {
        fn page(&self, url: &str) -> Option<Vec<u8>> {
            self.asked.borrow_mut().push(url.to_owned());
            self.pages.get(url).map(|page| page.as_bytes().to_vec())
        }

        fn service(&self, name: &str) -> Option<(String, u16)> {
            self.asked.borrow_mut().push(name.to_owned());
            let (host, port) = self.services.get(name)?;
            Some(((*host).to_owned(), *port))
        }
    }

    const PAGE: &str = "<clientConfig version=\"1.1\"><emailProvider id=\"x\"><incomingServer type=\"imap\">\
        <hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>\
        <username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>\
        </emailProvider></clientConfig>";

    #[test]
    fn the_provider_is_asked_before_the_collection_and_dns() {
        let mut world = World::default();
        world.pages.insert(
            "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml".into(),
            PAGE,
        );
        world
            .services
            .insert("_imaps._tcp.example.org", ("wrong.example.org", 993));
        let found = servers("åsa+x@Example.org", &world).expect("found");
        assert_eq!(found.incoming.address.host, "imap.example.org");
        assert_eq!(found.incoming.user, "åsa+x");
        assert_eq!(
            *world.asked.borrow(),
            [
                "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=%C3%A5sa%2Bx%40Example.org",
                "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml"
            ]
        );
    }

    #[test]
    fn dns_names_servers_or_says_that_there_are_none() {
        let mut world = World::default();
        world.services.insert("_imaps._tcp.example.org", (".", 0));
        world
            .services
            .insert("_imap._tcp.example.org", ("Mail.example.org.", 1143));
        world
            .services
            .insert("_submissions._tcp.example.org", ("smtp.example.org", 465));
        let found = servers("a@example.org", &world).expect("found");
        assert_eq!(
            found.incoming.address.shown(Protocol::Imap),
            "imap://mail.example.org:1143?tls=start"
        );
        assert_eq!(found.incoming.user, "a@example.org");
        let outgoing = found.outgoing.expect("a way out");
        assert_eq!(
            outgoing.address.shown(Protocol::Smtp),
            "smtps://smtp.example.org:465"
        );
        assert_eq!(servers("a@nowhere.example", &World::default()), None);
    }

    #[test]
    fn nothing_is_asked_for_what_is_no_domain() {
        let world = World::default();
        for address in [
            "a",
            "a@",
            "a@localhost",
            "a@b/../c.d",
            "a@b c.d",
            "a@x.y?z",
            "a@127.0.0.1:80",
            "a@-..x",
        ] {
            assert_eq!(servers(address, &world), None, "{address}");
        }
        assert!(world.asked.borrow().is_empty(), "{:?}", world.asked);
    }
}
