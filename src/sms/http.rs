//! HTTP towards gateways: one request, one bounded answer, and whether the gateway may have the message if none came.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Method, Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error, Timeout};

use super::error::{GatewayError, excerpt};
use super::settings::TlsSettings;

/// Octets of an answer at most; a gateway says little.
const MAX_ANSWER: u64 = 64 << 10;
/// How long a connection may rest before it is not used again; less than what servers wait.
const IDLE: Duration = Duration::from_secs(4);
/// Connections that rest at most: as many as a gateway may be asked at once (`push.in_flight`).
const MOST_IDLE: usize = 256;
/// Seconds that a gateway may ask us to wait at most.
const MAX_RETRY_AFTER: u64 = 24 * 3600;

/// What is asked.
#[derive(Clone)]
pub(super) struct HttpRequest {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// `None`: no body at all.
    pub(super) body: Option<Vec<u8>>,
}

impl HttpRequest {
    pub(super) fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header; a value that no header can have is left out.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Adds a header that somebody configured; the text says what is wrong with it.
    pub(super) fn named_header(mut self, name: &str, value: &str) -> Result<Self, String> {
        let header: Result<HeaderName, _> = name.parse();
        match (header, HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.push((name, value));
                Ok(self)
            }
            _ => Err(format!(
                "the header {name} has a value that no header can have"
            )),
        }
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    /// From the header Retry-After, if it is in seconds.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl HttpAnswer {
    /// What the gateway said, for people.
    pub(super) fn words(&self) -> String {
        let text = excerpt(&self.body);
        if text.is_empty() {
            format!("HTTP status {}", self.status)
        } else {
            format!("HTTP status {}: {text}", self.status)
        }
    }
}

/// Asks in blocking threads; whoever calls bounds how many.
#[derive(Debug, Clone)]
pub(super) struct HttpClient(Agent);

impl HttpClient {
    /// An answer has to come within `timeout`. Reads certificates only if `url` needs them.
    pub(super) fn new(url: &str, timeout: Duration, tls: &TlsSettings) -> Result<Self, String> {
        let uri: Uri = url
            .parse()
            .map_err(|error| format!("the url is no address: {error}"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err("the url has no host".to_owned());
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("candybar/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(timeout))
            .timeout_global(Some(timeout))
            .max_idle_connections(MOST_IDLE)
            .max_idle_connections_per_host(MOST_IDLE)
            .max_idle_age(IDLE);
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                let tls = TlsConfig::builder()
                    .provider(TlsProvider::Rustls)
                    .root_certs(RootCerts::Specific(Arc::new(roots(tls)?)))
                    .unversioned_rustls_crypto_provider(Arc::new(
                        rustls::crypto::ring::default_provider(),
                    ))
                    .build();
                config = config.tls_config(tls);
            }
            _ => return Err("the url begins with neither http:// nor https://".to_owned()),
        }
        Ok(Self(config.build().into()))
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, GatewayError> {
        let agent = self.0.clone();
        tokio::task::spawn_blocking(move || send(&agent, request))
            .await
            .unwrap_or_else(|_| Err(GatewayError::in_doubt("the request was broken off")))
    }
}

fn send(agent: &Agent, request: HttpRequest) -> Result<HttpAnswer, GatewayError> {
    let mut builder = Request::builder().method(request.method).uri(&request.url);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    let not_built = |error| GatewayError::misconfigured(format!("no request can be made: {error}"));
    let answer = match request.body {
        Some(body) => agent.run(builder.body(body).map_err(not_built)?),
        None => agent.run(builder.body(()).map_err(not_built)?),
    };
    let mut answer = answer.map_err(|error| no_answer(&error))?;
    let retry_after = answer.headers().get("retry-after");
    let retry_after = retry_after
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
        .map(|seconds| Duration::from_secs(seconds.min(MAX_RETRY_AFTER)));
    let status = answer.status().as_u16();
    let body = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec();
    let body = match body {
        Ok(body) => body,
        // The status alone says that it was not taken.
        Err(_) if status >= 400 => Vec::new(),
        Err(Error::BodyExceedsLimit(_)) => {
            return Err(GatewayError::in_doubt(format!(
                "HTTP status {status} with an answer of more than {MAX_ANSWER} octets"
            )));
        }
        Err(error) => return Err(no_answer(&error)),
    };
    Ok(HttpAnswer {
        status,
        retry_after,
        body,
    })
}

/// Whether the request may have arrived although no answer came.
fn no_answer(error: &Error) -> GatewayError {
    match error {
        Error::HostNotFound => GatewayError::unreachable("the host's name is not known"),
        Error::ConnectionFailed => GatewayError::unreachable("no connection"),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            GatewayError::unreachable("no connection within the time")
        }
        Error::Timeout(_) => GatewayError::in_doubt("no answer within the time"),
        Error::BadUri(why) => GatewayError::misconfigured(format!("the url is wrong: {why}")),
        Error::Rustls(error) => tls_error(error),
        Error::Tls(why) => GatewayError::misconfigured(format!("TLS: {why}")),
        Error::Io(error) => {
            if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
                return tls_error(tls);
            }
            match error.kind() {
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
                | io::ErrorKind::AddrNotAvailable => GatewayError::unreachable(error.to_string()),
                _ => GatewayError::in_doubt(format!("the connection was lost ({error})")),
            }
        }
        Error::Protocol(error) => {
            GatewayError::in_doubt(format!("the answer is no HTTP ({error})"))
        }
        error => GatewayError::in_doubt(error.to_string()),
    }
}

/// TLS fails before the request goes out.
fn tls_error(error: &rustls::Error) -> GatewayError {
    match error {
        rustls::Error::InvalidCertificate(why) => GatewayError::misconfigured(format!(
            "the gateway's certificate is not accepted ({why}); ca_file names the authority of a private one"
        )),
        rustls::Error::InvalidMessage(_) => {
            GatewayError::misconfigured("the gateway does not speak TLS there")
        }
        error => GatewayError::unreachable(format!("TLS: {error}")),
    }
}

/// The authorities that are trusted: those of the file, else those of the system, which are read once.
pub(super) fn authorities(
    tls: &TlsSettings,
) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, String> {
    static SYSTEM: OnceLock<Vec<rustls::pki_types::CertificateDer<'static>>> = OnceLock::new();
    use rustls::pki_types::pem::PemObject as _;
    let Some(path) = &tls.ca_file else {
        let certificates = SYSTEM.get_or_init(|| rustls_native_certs::load_native_certs().certs);
        return if certificates.is_empty() {
            Err("this system has no certificates of authorities; install them (on Debian: ca-certificates), or name a file with ca_file".to_owned())
        } else {
            Ok(certificates.clone())
        };
    };
    let shown = path.display();
    let certificates = rustls::pki_types::CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("ca_file {shown} cannot be read: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("ca_file {shown} has no certificate"));
    }
    Ok(certificates)
}

fn roots(tls: &TlsSettings) -> Result<Vec<Certificate<'static>>, String> {
    let certificates = authorities(tls)?;
    Ok(certificates
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect())
}

/// Appends `name=value` to a query, percent-encoded.
pub(super) fn parameter(query: &mut String, name: &str, value: impl AsRef<[u8]>) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    percent_encode(query, value.as_ref());
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(super) fn percent_encode(out: &mut String, octets: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(octet) {
            out.push(char::from(*octet));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(octet >> 4)]));
            out.push(char::from(HEX[usize::from(octet & 15)]));
        }
    }
}

/// Parameters of a query or a form; a `+` is a blank.
pub(super) struct Parameters(Vec<(String, Vec<u8>)>);

impl Parameters {
    /// Parameters that are read at most; more are left out.
    const MOST: usize = 64;

    pub(super) fn read(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .take(Self::MOST)
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (name.to_owned(), percent_decode(value))
                })
                .collect(),
        )
    }

    pub(super) fn octets(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    /// The value as text; `None` if it is not there, or not UTF-8.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.octets(name)?).ok()
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high << 4 | low).expect("two hexadecimal digits"));
                at += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Octets as hexadecimal digits, upper case.
pub(super) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_written_and_read() {
        let mut query = String::new();
        parameter(&mut query, "to", "+46 70");
        parameter(&mut query, "text", [0x00, 0x41, 0xFF, b'&', b'%']);
        assert_eq!(query, "to=%2B46%2070&text=%00A%FF%26%25");
        let read = Parameters::read(&query);
        assert_eq!(read.text("to"), Some("+46 70"));
        assert_eq!(
            read.octets("text"),
            Some(&[0x00, 0x41, 0xFF, b'&', b'%'][..])
        );
        assert_eq!(read.text("text"), None, "not UTF-8");
        let read = Parameters::read("a=1+2&b&=x&a=3&c=%zz%4&d=%C3%A4");
        assert_eq!(read.text("a"), Some("1 2"), "the first counts");
        assert_eq!(read.text("b"), Some(""));
        assert_eq!(read.text("c"), Some("%zz%4"));
        assert_eq!(read.text("d"), Some("ä"));
        assert_eq!(read.text("e"), None);
    }

    #[test]
    fn octets_become_digits() {
        assert_eq!(hex(&[0x06, 0xAF]), "06AF");
    }
}
