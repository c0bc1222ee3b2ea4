//! How messages get to the server and back: a trait, closures for tests in memory, and HTTP.

use std::time::Duration;

/// A message on its way to the server.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// Its media type.
    pub content_type: &'a str,
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
        let mut response = request
            .header("Accept", post.content_type)
            .send(post.body)
            .map_err(lost)?;
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
