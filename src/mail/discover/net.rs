//! The net, as one looks for servers in it: HTTPS, and the DNS servers of this machine.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, TYPE};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::Lookup;
use super::autoconfig::MAX_FILE;

/// How long one page may take.
const PAGE: Duration = Duration::from_secs(8);
/// How long one DNS server may take.
const ANSWER: Duration = Duration::from_secs(3);
/// Octets of an answer by UDP.
const MAX_ANSWER: usize = 4096;
/// DNS servers that are asked.
const SERVERS: usize = 3;

/// The net.
pub struct Net {
    agent: Agent,
    servers: Vec<SocketAddr>,
}

impl Net {
    /// With the authorities and the DNS servers that this machine has.
    pub fn new() -> Self {
        let authorities = rustls_native_certs::load_native_certs().certs;
        let roots = authorities
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .https_only(true)
            .max_redirects(3)
            .user_agent(concat!("candybar/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PAGE))
            .tls_config(tls)
            .build();
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Self {
            agent: agent.into(),
            servers: dns_servers(&text),
        }
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Lookup for Net {
    fn page(&self, url: &str) -> Option<Vec<u8>> {
        let mut answer = self.agent.get(url).call().ok()?;
        let body = answer.body_mut().with_config().limit(MAX_FILE as u64);
        body.read_to_vec().ok()
    }

    fn service(&self, name: &str) -> Option<(String, u16)> {
        self.servers
            .iter()
            .find_map(|server| ask(*server, name).ok())
            .flatten()
    }
}

/// The name servers of a resolv.conf.
fn dns_servers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|address| address.trim().parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .take(SERVERS)
        .collect()
}

/// Asks one server for the best host of a service. `Err`: it did not answer.
fn ask(server: SocketAddr, name: &str) -> std::io::Result<Option<(String, u16)>> {
    let broken = |_| std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(own)?;
    // Answers of others do not arrive.
    socket.connect(server)?;
    let id = getrandom::u32().map_or(1, |random| random as u16);
    let mut query = Packet::new_query(id);
    query.set_flags(PacketFlag::RECURSION_DESIRED);
    query.questions.push(Question::new(
        Name::new(name).map_err(broken)?,
        QTYPE::TYPE(TYPE::SRV),
        QCLASS::CLASS(CLASS::IN),
        false,
    ));
    socket.send(&query.build_bytes_vec().map_err(broken)?)?;
    let end = Instant::now() + ANSWER;
    let mut buffer = vec![0; MAX_ANSWER];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut buffer)?;
        if let Some(found) = answer(&buffer[..length], id) {
            return Ok(found);
        }
    }
}

/// The best host of an answer; `None` if it is no answer to this question.
fn answer(octets: &[u8], id: u16) -> Option<Option<(String, u16)>> {
    let packet = Packet::parse(octets).ok()?;
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let services = packet
        .answers
        .iter()
        .filter_map(|record| match &record.rdata {
            RData::SRV(service) => Some(service),
            _ => None,
        });
    // The lowest priority, and of those the heaviest.
    let best = services.min_by_key(|service| (service.priority, u16::MAX - service.weight));
    Some(best.map(|service| {
        let host = match service.target.to_string() {
            host if host.is_empty() => ".".to_owned(),
            host => host,
        };
        (host, service.port)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::SRV;

    /// A DNS server that answers one question, after it said nonsense.
    fn server(
        services: Vec<(u16, u16, &'static str)>,
    ) -> (SocketAddr, std::thread::JoinHandle<()>) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("an address");
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 512];
            let (length, peer) = socket.recv_from(&mut buffer).expect("a question");
            let query = Packet::parse(&buffer[..length]).expect("a question");
            let mut reply = Packet::new_reply(query.id());
            reply.questions.clone_from(&query.questions);
            for (priority, weight, host) in services {
                reply.answers.push(ResourceRecord::new(
                    query.questions[0].qname.clone(),
                    CLASS::IN,
                    60,
                    RData::SRV(SRV {
                        priority,
                        weight,
                        port: 993,
                        target: Name::new(host).expect("a name"),
                    }),
                ));
            }
            socket.send_to(b"nonsense", peer).expect("sent");
            let wrong = Packet::new_reply(query.id().wrapping_add(1));
            socket
                .send_to(&wrong.build_bytes_vec().expect("octets"), peer)
                .expect("sent");
            socket
                .send_to(&reply.build_bytes_vec().expect("octets"), peer)
                .expect("sent");
        });
        (address, thread)
    }

    #[test]
    fn the_best_host_of_a_service_is_taken() {
        let (address, thread) = server(vec![
            (10, 5, "second.example.org"),
            (1, 1, "light.example.org"),
            (1, 9, "heavy.example.org"),
        ]);
        let found = ask(address, "_imaps._tcp.example.org").expect("an answer");
        assert_eq!(found, Some(("heavy.example.org".to_owned(), 993)));
        thread.join().expect("served");
        let (address, thread) = server(Vec::new());
        assert_eq!(
            ask(address, "_imaps._tcp.example.org").expect("an answer"),
            None
        );
        thread.join().expect("served");
    }

    #[test]
    fn name_servers_are_read() {
        let text = "# nameserver 1.1.1.1\nnameserver 192.0.2.1\n nameserver\t2001:db8::1\nsearch x\nnameserver y\n";
        let expected: Vec<SocketAddr> = vec![
            "192.0.2.1:53".parse().expect("an address"),
            "[2001:db8::1]:53".parse().expect("an address"),
        ];
        assert_eq!(dns_servers(text), expected);
    }
}
