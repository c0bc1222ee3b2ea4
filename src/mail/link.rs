//! A connection to a mail server: lines and counted octets, with or without TLS, within limits of size and time.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::MailError;
use super::settings::{Address, Encryption};

/// How long a connection may take to be made, TLS included.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a server may be silent while it owes an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(90);
/// Octets that are read at once.
const READ: usize = 4096;
/// Room that a connection keeps while nothing happens.
const KEPT: usize = 4096;
/// Sets of own authorities whose configuration is shared.
const MOST_KNOWN: usize = 16;
/// Longest line, octets.
pub(super) const MAX_LINE: usize = 1 << 20;

/// What a link can be over, beside TCP.
pub(super) trait Octets: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Octets for T {}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Other(Box<dyn Octets>),
}

/// A connection that is read by lines.
pub(super) struct Link {
    /// `None` only while TLS begins.
    stream: Option<Stream>,
    buffer: Vec<u8>,
    /// Octets of the buffer that were handed out.
    used: usize,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Link {
    /// Connects; TLS begins at once if the address says so.
    pub(super) async fn connect(address: &Address) -> Result<Self, MailError> {
        let tls = match address.encryption {
            Encryption::None => None,
            Encryption::Tls | Encryption::StartTls => Some(connector(address)?),
        };
        let connecting = async {
            let host = address.host.trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, address.port)).await;
            let stream = stream.map_err(|error| {
                MailError::Lost(format!(
                    "{}:{} cannot be reached: {error}",
                    address.host, address.port
                ))
            })?;
            // Commands are short, and each waits for its answer.
            stream
                .set_nodelay(true)
                .map_err(|error| MailError::lost(&error))?;
            let mut link = Self {
                stream: Some(Stream::Plain(stream)),
                buffer: Vec::new(),
                used: 0,
                tls,
            };
            if address.encryption == Encryption::Tls {
                link.begin_tls().await?;
            }
            Ok(link)
        };
        timeout(CONNECT, connecting)
            .await
            .map_err(|_| MailError::Silent)?
    }

    /// Over something that is connected already. TLS is not possible on it.
    pub(super) fn over(stream: impl Octets + 'static) -> Self {
        Self {
            stream: Some(Stream::Other(Box::new(stream))),
            buffer: Vec::new(),
            used: 0,
            tls: None,
        }
    }

    /// Goes over to TLS. What the server sent before is dropped: it was not protected.
    pub(super) async fn begin_tls(&mut self) -> Result<(), MailError> {
        let Some((connector, name)) = self.tls.clone() else {
            return Err(MailError::Tls("it is not wanted here".to_owned()));
        };
        let Some(Stream::Plain(stream)) = self.stream.take() else {
            return Err(MailError::Tls("it has begun already".to_owned()));
        };
        self.buffer.clear();
        self.used = 0;
        let secured = timeout(CONNECT, connector.connect(name, stream))
            .await
            .map_err(|_| MailError::Silent)?;
        let secured = secured.map_err(|error| MailError::Tls(error.to_string()))?;
        self.stream = Some(Stream::Tls(Box::new(secured)));
        Ok(())
    }

    /// Sends octets.
    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), MailError> {
        let sent = async {
            match self.stream.as_mut() {
                Some(Stream::Plain(stream)) => stream.write_all(octets).await,
                Some(Stream::Other(stream)) => stream.write_all(octets).await,
                Some(Stream::Tls(stream)) => {
                    stream.write_all(octets).await?;
                    stream.flush().await
                }
                None => Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        };
        timeout(ANSWER, sent)
            .await
            .map_err(|_| MailError::Silent)?
            .map_err(|error| MailError::lost(&error))
    }

    /// Appends a line with its end to `out`, which may grow to `limit` octets. `Ok(false)`: the time came first, and
    /// nothing of a line is lost.
    pub(super) async fn line_until(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        until: Instant,
    ) -> Result<bool, MailError> {
        // Octets behind `used` that hold no end of line.
        let mut scanned = 0;
        loop {
            let fresh = self.buffer.get(self.used + scanned..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let length = scanned + at + 1;
                if out.len() + length > limit {
                    return Err(too_long());
                }
                out.extend_from_slice(&self.buffer[self.used..self.used + length]);
                self.used += length;
                self.tidy();
                return Ok(true);
            }
            scanned = self.buffer.len() - self.used;
            if out.len() + scanned > limit {
                return Err(too_long());
            }
            if !self.fill(until).await? {
                return Ok(false);
            }
        }
    }

    /// Appends a line; the server owes it.
    pub(super) async fn line(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), MailError> {
        match self.line_until(out, limit, Instant::now() + ANSWER).await? {
            true => Ok(()),
            false => Err(MailError::Silent),
        }
    }

    /// Appends this many octets.
    pub(super) async fn octets(
        &mut self,
        out: &mut Vec<u8>,
        count: usize,
    ) -> Result<(), MailError> {
        let mut wanted = count;
        while wanted > 0 {
            let there = &self.buffer[self.used..];
            let part = there.len().min(wanted);
            out.extend_from_slice(&there[..part]);
            self.used += part;
            wanted -= part;
            self.tidy();
            if wanted > 0 && !self.fill(Instant::now() + ANSWER).await? {
                return Err(MailError::Silent);
            }
        }
        Ok(())
    }

    /// Reads something more; false if the time came first.
    async fn fill(&mut self, until: Instant) -> Result<bool, MailError> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        let reading = async {
            self.buffer.reserve(READ);
            match self.stream.as_mut() {
                Some(Stream::Plain(stream)) => stream.read_buf(&mut self.buffer).await,
                Some(Stream::Other(stream)) => stream.read_buf(&mut self.buffer).await,
                Some(Stream::Tls(stream)) => stream.read_buf(&mut self.buffer).await,
                None => Ok(0),
            }
        };
        match timeout_at(until, reading).await {
            Err(_) => Ok(false),
            Ok(Ok(0)) => Err(MailError::lost(&std::io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) => Err(MailError::lost(&error)),
        }
    }

    /// Gives room back when everything was handed out.
    fn tidy(&mut self) {
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
            self.buffer.shrink_to(KEPT);
        }
    }
}

fn too_long() -> MailError {
    MailError::Protocol("a line or message is longer than the limit".to_owned())
}

/// TLS towards a server. Settings with the same authorities share a configuration.
fn connector(address: &Address) -> Result<(TlsConnector, ServerName<'static>), MailError> {
    static SYSTEM: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    static KNOWN: Mutex<Vec<(Vec<u8>, Arc<rustls::ClientConfig>)>> = Mutex::new(Vec::new());
    let name = ServerName::try_from(address.host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| MailError::Settings(format!("{} is no host name", address.host)))?;
    let config = match (&address.ca_file, SYSTEM.get()) {
        (None, Some(config)) => Arc::clone(config),
        (None, None) => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(MailError::Settings(
                    "this system has no certificates of authorities; install them (on Debian: ca-certificates), or name a file with --ca-file"
                        .to_owned(),
                ));
            }
            Arc::clone(SYSTEM.get_or_init(|| client(found.certs)))
        }
        (Some(path), _) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                MailError::Settings(format!("{}: {error}", path.display()))
            };
            let octets = std::fs::read(path).map_err(|error| unreadable(&error))?;
            // Mailboxes with the same authorities share a configuration: it has a memory for sessions.
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, config)) = known.iter().find(|(pem, _)| *pem == octets) {
                Arc::clone(config)
            } else {
                let certificates: Result<Vec<_>, _> =
                    CertificateDer::pem_slice_iter(&octets).collect();
                let config = client(certificates.map_err(|error| unreadable(&error))?);
                if known.len() >= MOST_KNOWN {
                    known.remove(0);
                }
                known.push((octets, Arc::clone(&config)));
                config
            }
        }
    };
    Ok((TlsConnector::from(config), name))
}

fn client(authorities: Vec<CertificateDer<'static>>) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(authorities);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions that are compiled in")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
