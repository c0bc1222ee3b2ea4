//! One attempt to hand a mail to a submission server: SMTP (RFC 5321, RFC 6409), TLS (RFC 8314), login by password or token.
//!
//! Each recipient has its own answer. The content goes out in a step of its own, so that what is written down before it says the truth.

use std::path::PathBuf;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use crate::store::{Reached, Recipient};

/// How long a connection may take, TLS and login included.
const CONNECT: Duration = Duration::from_secs(60);
/// How long a server may think about a command.
const COMMAND: Duration = Duration::from_secs(120);
/// How long it may think about the content (RFC 5321 section 4.5.3.2.6), and how long that may take to be sent.
const CONTENT: Duration = Duration::from_secs(600);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// Characters of a server's words that are kept.
const MAX_WORDS: usize = 300;

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Never.
    None,
    /// By STARTTLS, before the login; a server without it is not used.
    StartTls,
    /// With the connection.
    Tls,
}

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// PLAIN or LOGIN.
    Password {
        /// Name.
        user: String,
        /// Never shown.
        password: String,
    },
    /// XOAUTH2.
    Token {
        /// Name.
        user: String,
        /// An access token as it is now; never shown.
        token: String,
    },
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password(…)",
            Self::Token { .. } => "Token(…)",
        })
    }
}

/// A submission server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// TCP port: 587 or 465 as a rule.
    pub port: u16,
    /// When TLS begins.
    pub security: Security,
    /// A PEM file with authorities that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// None: the server asks for none.
    pub login: Option<Login>,
}

/// Why a whole mail did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// It may go out later.
    #[error("{0}")]
    Later(String),
    /// The server will never take it.
    #[error("{0}")]
    Never(String),
    /// The connection broke when the server had the content, or a part of it.
    #[error("{0}")]
    Unknown(String),
}

/// A server's words, of one line, without what could be a control sequence.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text = format!("{text}: {source}");
    }
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(MAX_WORDS).collect::<String>().trim().to_owned()
}

fn problem(error: &Error) -> Problem {
    match error.is_permanent() {
        true => Problem::Never(words(error)),
        false => Problem::Later(words(error)),
    }
}

/// A connection on which a mail was announced; at least one recipient was taken.
pub(super) struct Announced {
    connection: AsyncSmtpConnection,
}

/// Connects, logs in, and names sender and recipients; what the server says of each is written into the list. `None` if it takes none.
pub(super) async fn announce(
    server: &Server,
    from: &str,
    recipients: &mut [Recipient],
) -> Result<Option<Announced>, Problem> {
    let connecting = timeout(CONNECT, connect(server));
    let mut connection = connecting
        .await
        .map_err(|_| Problem::Later("the server took too long to let us in".to_owned()))??;
    let from: Address = from
        .parse()
        .map_err(|_| Problem::Never(format!("{from} is no address to send from")))?;
    command(&mut connection, Mail::new(Some(from), Vec::new()))
        .await?
        .map_err(|error| problem(&error))?;
    let mut taken = false;
    for recipient in recipients
        .iter_mut()
        .filter(|of| of.reached == Reached::Waiting)
    {
        let Ok(address) = recipient.address.parse::<Address>() else {
            recipient.reached = Reached::Refused;
            recipient.why = "this is no address".to_owned();
            continue;
        };
        match command(&mut connection, Rcpt::new(address, Vec::new())).await? {
            Ok(_) => {
                // Until the content is there too, the server may forget it.
                recipient.why.clear();
                taken = true;
            }
            Err(error) if error.is_permanent() => {
                recipient.reached = Reached::Refused;
                recipient.why = words(&error);
            }
            Err(error) if error.is_transient() => recipient.why = words(&error),
            Err(error) => return Err(problem(&error)),
        }
    }
    if !taken {
        let _ = timeout(FAREWELL, connection.command(Quit)).await;
        return Ok(None);
    }
    command(&mut connection, Data)
        .await?
        .map_err(|error| problem(&error))?;
    Ok(Some(Announced { connection }))
}

impl Announced {
    /// Sends the content.
    pub(super) async fn send(mut self, message: &[u8]) -> Result<(), Problem> {
        let sending = timeout(CONTENT, self.connection.message(message));
        match sending.await {
            Ok(Ok(_)) => {
                let _ = timeout(FAREWELL, self.connection.command(Quit)).await;
                Ok(())
            }
            // An answer is an answer: it does not have the mail.
            Ok(Err(error)) if error.is_permanent() => Err(Problem::Never(words(&error))),
            Ok(Err(error)) if error.is_transient() => Err(Problem::Later(words(&error))),
            Ok(Err(error)) => Err(Problem::Unknown(words(&error))),
            Err(_) => Err(Problem::Unknown(
                "the server did not say that it has the mail".to_owned(),
            )),
        }
    }
}

type Answer = Result<lettre::transport::smtp::response::Response, Error>;

async fn command(
    connection: &mut AsyncSmtpConnection,
    command: impl std::fmt::Display,
) -> Result<Answer, Problem> {
    timeout(COMMAND, connection.command(command))
        .await
        .map_err(|_| Problem::Later("the server took too long to answer".to_owned()))
}

async fn connect(server: &Server) -> Result<AsyncSmtpConnection, Problem> {
    // Not our host's name: that is nobody's business, and some servers look it up.
    let hello = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
    let tls = match server.security {
        Security::None => None,
        Security::StartTls | Security::Tls => Some(parameters(server).await?),
    };
    let at_once = tls.clone().filter(|_| server.security == Security::Tls);
    let host = server.host.trim_matches(['[', ']']);
    let connecting =
        AsyncSmtpConnection::connect_tokio1((host, server.port), None, &hello, at_once, None);
    let mut connection = connecting.await.map_err(|error| {
        Problem::Later(format!(
            "{}:{}: {}",
            server.host,
            server.port,
            words(&error)
        ))
    })?;
    if server.security == Security::StartTls
        && let Some(tls) = tls
    {
        if !connection.can_starttls() {
            return Err(Problem::Later("the server offers no STARTTLS".to_owned()));
        }
        connection
            .starttls(tls, &hello)
            .await
            .map_err(|error| Problem::Later(words(&error)))?;
    }
    let (mechanisms, credentials): (&[Mechanism], _) = match &server.login {
        None => return Ok(connection),
        Some(Login::Password { user, password }) => (
            &[Mechanism::Plain, Mechanism::Login],
            Credentials::new(user.clone(), password.clone()),
        ),
        Some(Login::Token { user, token }) => (
            &[Mechanism::Xoauth2],
            Credentials::new(user.clone(), token.clone()),
        ),
    };
    // A refused login is mended by its owner: the mail waits for that.
    connection
        .auth(mechanisms, &credentials)
        .await
        .map_err(|error| Problem::Later(format!("the login is refused: {}", words(&error))))?;
    Ok(connection)
}

async fn parameters(server: &Server) -> Result<TlsParameters, Problem> {
    let server = server.clone();
    let made = tokio::task::spawn_blocking(move || {
        let mut builder = TlsParameters::builder(server.host.clone());
        if let Some(path) = &server.ca_file {
            let shown = path.display();
            let pem = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
            let certificate =
                Certificate::from_pem(&pem).map_err(|_| format!("{shown} has no certificate"))?;
            builder = builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| words(&error))
    });
    match made.await {
        Ok(made) => made.map_err(Problem::Later),
        Err(_) => Err(Problem::Later("TLS cannot be set up".to_owned())),
    }
}
