//! How messages get to the server and back: a trait, closures for tests in memory, and HTTP.

use std::time::Duration;

/// A message on its way to the server.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// Its media type.
    pub content_type: &'a str,
    /// User-Agent; that of the transport if empty.
    pub user_agent: &'a str,
    /// x-wap-profile.
    pub profile: Option<&'a str>,
    /// The message.
    pub body: &'a [u8],
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its media type, with parameters.
    pub content_type: String,
    /// The message.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with status 200.
    pub fn ok(content_type: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type: content_type.into(),
            body,
        }
    }
}

/// Why no message came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No answer came; the server may have got the message or not. It can be sent again.
    #[error("no answer: {0}")]
    Lost(String),
    /// No answer came, and the phone does not try again.
    #[error("the connection is gone")]
    Gone,
    /// The server answered with this HTTP status.
    #[error("the server answered with HTTP status {0}")]
    Status(u16),
    /// The answer is of another media type than the messages.
    #[error("the server answered with {0:?}, which is no SyncML message of the kind that was sent")]
    ContentType(String),
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
}

impl TransportError {
    /// The same message may be sent again.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Status(500..=599))
    }
}

/// Carries one message to the server and its answer back.
pub trait Transport {
    /// Sends a message and waits for the answer, whatever its HTTP status.
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError>;
}

impl<F: FnMut(&Post<'_>) -> Result<Answer, TransportError>> Transport for F {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        self(post)
    }
}

/// HTTP/1.1 without TLS, with Content-Length, as phones speak it.
#[derive(Debug)]
pub struct HttpTransport {
    agent: ureq::Agent,
    largest_answer: u64,
}

impl HttpTransport {
    /// Waits at most so long for an answer.
    pub fn new(timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent("candybar handset")
            .build();
        Self {
            agent: config.into(),
            largest_answer: 16 << 20,
        }
    }
}

impl Transport for HttpTransport {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        if !post.url.starts_with("http://") {
            let text = format!("{:?} is no address that begins with http://", post.url);
            return Err(TransportError::Address(text));
        }
        let lost = |error: ureq::Error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::TlsRequired => {
                TransportError::Address(format!("{}: {error}", post.url))
            }
            error => TransportError::Lost(error.to_string()),
        };
        let request = self
            .agent
            .post(post.url)
            .header("Content-Type", post.content_type);
        let mut request = request.header("Accept", media_type(post.content_type));
        if !post.user_agent.is_empty() {
            request = request.header("User-Agent", post.user_agent);
        }
        if let Some(profile) = post.profile {
            request = request.header("x-wap-profile", profile);
        }
        let mut response = request.send(post.body).map_err(lost)?;
        let content_type = response.headers().get("Content-Type");
        let content_type =
            content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let body = response
            .body_mut()
            .with_config()
            .limit(self.largest_answer)
            .read_to_vec();
        Ok(Answer {
            status: response.status().as_u16(),
            content_type: content_type.unwrap_or_default(),
            body: body.map_err(lost)?,
        })
    }
}

/// A media type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request with these octets; gives what arrived.
    fn serve(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/sync?s=1", listener.local_addr().expect("bound"));
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"BODY") {
                let len = stream.read(&mut buffer).expect("a request");
                assert_ne!(len, 0, "the request ends with its body");
                request.extend_from_slice(&buffer[..len]);
            }
            stream.write_all(answer).expect("the client reads");
            String::from_utf8(request).expect("text")
        });
        (url, served)
    }

    fn post(url: &str) -> Result<Answer, TransportError> {
        let post = Post {
            url,
            content_type: "application/vnd.syncml+xml",
            user_agent: "Phone/1.0",
            profile: None,
            body: b"the BODY",
        };
        HttpTransport::new(Duration::from_secs(60)).exchange(&post)
    }

    #[test]
    fn a_message_goes_out_with_its_length_and_an_answer_comes_back() {
        let (url, served) = serve(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml+xml; charset=UTF-8\r\nContent-Length: 3\r\n\r\nyes",
        );
        let answer = post(&url).expect("an answer");
        assert_eq!(
            answer,
            Answer::ok("application/vnd.syncml+xml; charset=UTF-8", b"yes".to_vec())
        );
        let request = served.join().expect("served").to_ascii_lowercase();
        assert!(
            request.starts_with("post /sync?s=1 http/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\ncontent-length: 8\r\n"), "{request}");
        assert!(
            request.contains("\r\nuser-agent: phone/1.0\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\ncontent-type: application/vnd.syncml+xml\r\n"),
            "{request}"
        );
    }

    #[test]
    fn other_statuses_come_back_too() {
        let (url, served) = serve(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(post(&url).map(|answer| answer.status), Ok(503));
        served.join().expect("served");
        let (url, served) =
            serve(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(
            post(&url).map(|answer| answer.status),
            Ok(302),
            "redirects are not followed"
        );
        served.join().expect("served");
    }

    #[test]
    fn a_lost_connection_may_be_tried_again_and_a_wrong_address_may_not() {
        let (url, served) = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\ncut off");
        let error = post(&url).expect_err("the answer is cut off");
        assert!(error.is_passing(), "{error}");
        served.join().expect("served");
        let error = post(&url).expect_err("nobody listens any more");
        assert!(error.is_passing(), "{error}");
        for url in ["https://127.0.0.1/", "no address", ""] {
            let error = post(url).expect_err("no such address");
            assert!(
                matches!(error, TransportError::Address(_)),
                "{url}: {error:?}"
            );
        }
        assert!(
            TransportError::Status(503).is_passing() && !TransportError::Status(404).is_passing()
        );
    }
}
