//! Why a request is not answered with a message, as HTTP: the one place that maps reasons to status codes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};

use crate::exchange::ExchangeError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not POST.
    #[error("this address takes SyncML messages by POST; point a phone at it, not a browser")]
    Method,
    /// None of SyncML's content types.
    #[error(
        "the Content-Type has to be application/vnd.syncml+wbxml or application/vnd.syncml+xml"
    )]
    MediaType,
    /// Broken WBXML or XML.
    #[error("the message cannot be read: {0}")]
    Undecodable(String),
    /// The body broke off.
    #[error("the request's body ended early")]
    Cut,
    /// The body is too large.
    #[error("the message is too large; {0} octets are the limit")]
    TooLarge(usize),
    /// The body did not arrive in time.
    #[error("the request took too long to arrive")]
    Slow,
    /// Come again.
    #[error("the server is busy; try again")]
    Busy,
    /// A message of the session is not done; only seen while a phone waits for it.
    #[error("the message before is still being worked on; try again")]
    InProgress,
    /// Come again later.
    #[error("the database does not answer; try again later")]
    Unavailable(String),
    /// The server stops.
    #[error("the server is stopping; try again")]
    Closing,
    /// A defect of ours.
    #[error("the server failed on this message; its log says more")]
    Failed,
}

impl From<ExchangeError> for Refusal {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::UnsupportedMediaType => Self::MediaType,
            ExchangeError::Undecodable(why) => Self::Undecodable(why),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::InProgress => Self::InProgress,
            ExchangeError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl Refusal {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Undecodable(_) | Self::Cut => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::InProgress | Self::Unavailable(_) | Self::Closing => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// As an answer with a line of plain text.
    pub(super) fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        match self {
            Self::Method => {
                response.insert_header((ALLOW, "POST"));
            }
            Self::Busy | Self::InProgress | Self::Closing => {
                response.insert_header((RETRY_AFTER, "5"));
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, "30"));
            }
            _ => {}
        }
        if matches!(
            self,
            Self::TooLarge(_) | Self::Slow | Self::Cut | Self::Closing
        ) {
            // What is left of the body is not read, so the connection is of no more use.
            response.force_close();
        }
        response
            .content_type("text/plain; charset=utf-8")
            .body(format!("{self}\n"))
    }
}
