//! How a mailbox is reached: addresses, encryption, credentials. It is kept sealed, as JSON.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::MailError;

/// How long a command that prints a token may run.
const TOKEN_COMMAND: Duration = Duration::from_secs(30);
/// Octets of a token at most.
const MAX_TOKEN: u64 = 16 << 10;

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Never.
    None,
    /// By a command, before the login.
    StartTls,
    /// With the connection.
    Tls,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Name or address; an IPv6 address in brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// When TLS begins.
    pub encryption: Encryption,
    /// A PEM file with authorities that are trusted instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// The protocol of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IMAP4rev1.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP submission.
    Smtp,
}

impl Protocol {
    /// Name in addresses; with an `s` behind it TLS begins with the connection.
    const fn scheme(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
        }
    }

    const fn port(self, encryption: Encryption) -> u16 {
        match (self, encryption) {
            (Self::Imap, Encryption::Tls) => 993,
            (Self::Imap, _) => 143,
            (Self::Pop3, Encryption::Tls) => 995,
            (Self::Pop3, _) => 110,
            (Self::Smtp, Encryption::Tls) => 465,
            (Self::Smtp, _) => 587,
        }
    }
}

impl Address {
    /// Reads `imaps://user@host:port`. Without an `s` STARTTLS is asked for, but from this machine itself; the ending
    /// `?tls=none` forbids it. Gives the user too, if there is one.
    pub fn of_url(url: &str, protocol: Protocol) -> Result<(Self, Option<String>), MailError> {
        let wrong = |why: &str| {
            let scheme = protocol.scheme();
            MailError::Settings(format!(
                "{why}; an address is {scheme}s://USER@HOST or {scheme}://USER@HOST:PORT"
            ))
        };
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| wrong("it has no ://"))?;
        let scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.trim_end_matches('/');
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(percent_decoded(user)), place),
            None => (None, authority),
        };
        if user.as_ref().is_some_and(|user| user.contains(':')) {
            return Err(wrong(
                "a password does not belong into an address: use --password-file",
            ));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().map_err(|_| wrong("the port is no number"))?;
                (host, Some(port))
            }
            _ => (place, None),
        };
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(wrong("it has no proper host"));
        }
        let own = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
        let encryption = match (scheme.strip_prefix(protocol.scheme()), query) {
            (Some("s"), "") => Encryption::Tls,
            (Some(""), "") if own => Encryption::None,
            (Some(""), "" | "tls=start") => Encryption::StartTls,
            (Some(""), "tls=none") => Encryption::None,
            (Some("" | "s"), _) => {
                return Err(wrong("behind the ? there is tls=start or tls=none"));
            }
            _ => return Err(wrong("the scheme is wrong")),
        };
        let address = Self {
            host: host.to_owned(),
            port: port.unwrap_or_else(|| protocol.port(encryption)),
            encryption,
            ca_file: None,
        };
        Ok((address, user))
    }

    /// For people.
    pub fn shown(&self, protocol: Protocol) -> String {
        let scheme = protocol.scheme();
        let (secure, query) = match self.encryption {
            Encryption::Tls => ("s", ""),
            Encryption::StartTls => ("", "?tls=start"),
            Encryption::None => ("", "?tls=none"),
        };
        format!("{scheme}{secure}://{}:{}{query}", self.host, self.port)
    }
}

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16);
                digit(high).zip(digit(low))
            }
            _ => None,
        };
        let (octet, behind) = match escaped {
            Some((high, low)) => ((high * 16 + low) as u8, &tail[2..]),
            None => (*first, tail),
        };
        octets.push(octet);
        rest = behind;
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// What a login shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A password.
    Password(String),
    /// A file whose first line is an OAuth2 access token; it is read for each login.
    TokenFile(PathBuf),
    /// A command that prints an OAuth2 access token; it is run for each login.
    TokenCommand(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::TokenFile(_) => "TokenFile(…)",
            Self::TokenCommand(_) => "TokenCommand(…)",
        })
    }
}

/// A credential as it goes to the server.
pub(super) enum Shown {
    Password(String),
    Token(String),
}

impl Credential {
    /// The password, or the token as it is now. Blocks.
    pub(super) fn shown(&self) -> Result<Shown, MailError> {
        match self {
            Self::Password(password) => Ok(Shown::Password(password.clone())),
            Self::TokenFile(path) => {
                let read = || {
                    use std::io::Read as _;
                    let mut text = String::new();
                    std::fs::File::open(path)?
                        .take(MAX_TOKEN)
                        .read_to_string(&mut text)?;
                    Ok::<_, std::io::Error>(text)
                };
                let text = read().map_err(|error| {
                    MailError::Settings(format!(
                        "the token file {} cannot be read: {error}",
                        path.display()
                    ))
                })?;
                token(&text)
            }
            Self::TokenCommand(command) => token(&output_of(command)?),
        }
    }
}

fn token(text: &str) -> Result<Shown, MailError> {
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() || token.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(MailError::Settings(
            "the token's file or command gives no token".to_owned(),
        ));
    }
    Ok(Shown::Token(token.to_owned()))
}

/// What a command prints.
fn output_of(command: &str) -> Result<String, MailError> {
    use std::io::Read as _;
    use std::process::{Command, Stdio};
    let failed = |why: String| MailError::Settings(format!("the token command failed: {why}"));
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let output = child.stdout.take();
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let read = output.map(|output| output.take(MAX_TOKEN).read_to_string(&mut text));
        let _unused = sender.send(());
        read.transpose().map(|_| text)
    });
    if receiver.recv_timeout(TOKEN_COMMAND).is_err() {
        let _unused = child.kill();
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    let text = match reader.join() {
        Ok(read) => read.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed("its output cannot be read".to_owned())),
    };
    if !status.success() {
        return Err(failed(status.to_string()));
    }
    Ok(text)
}

/// How a mailbox is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxSettings {
    /// Where mail is fetched; `None` for mail that is handed to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Incoming>,
    /// Where mail is submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<Login>,
}

/// Where mail is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// [`Protocol::Imap`] or [`Protocol::Pop3`].
    pub protocol: Protocol,
    /// Server and credentials.
    pub login: Login,
}

/// A server with what it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Where it is.
    pub address: Address,
    /// The user.
    pub user: String,
    /// What is shown.
    pub credential: Credential,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_when_tls_begins() {
        for (url, host, port, encryption, user) in [
            (
                "imaps://a%40b@mail.example.org",
                "mail.example.org",
                993,
                Encryption::Tls,
                Some("a@b"),
            ),
            (
                "imap://mail.example.org",
                "mail.example.org",
                143,
                Encryption::StartTls,
                None,
            ),
            (
                "IMAP://mail.example.org:10143/",
                "mail.example.org",
                10143,
                Encryption::StartTls,
                None,
            ),
            (
                "imap://mail.example.org?tls=none",
                "mail.example.org",
                143,
                Encryption::None,
                None,
            ),
            ("imap://127.0.0.1:9", "127.0.0.1", 9, Encryption::None, None),
            (
                "imap://localhost?tls=start",
                "localhost",
                143,
                Encryption::StartTls,
                None,
            ),
            ("imaps://[::1]", "[::1]", 993, Encryption::Tls, None),
        ] {
            let (address, found) = Address::of_url(url, Protocol::Imap).expect(url);
            assert_eq!(
                (
                    &*address.host,
                    address.port,
                    address.encryption,
                    found.as_deref()
                ),
                (host, port, encryption, user),
                "{url}"
            );
            let again = Address::of_url(&address.shown(Protocol::Imap), Protocol::Imap);
            let shown = address.shown(Protocol::Imap);
            if address.encryption == Encryption::StartTls || !shown.contains('?') {
                assert_eq!(again.expect(url).0, address, "{shown}");
            }
        }
    }

    #[test]
    fn wrong_addresses_say_why_and_show_no_password() {
        for url in [
            "mail.example.org",
            "pop3://h",
            "imap://",
            "imap://h:x",
            "imap://h?tls=x",
            "http://h",
        ] {
            Address::of_url(url, Protocol::Imap).expect_err(url);
        }
        let error = Address::of_url("imap://u:secret@h", Protocol::Imap).expect_err("a password");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_token_is_read_again_for_each_login() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let credential = Credential::TokenFile(path.clone());
        credential.shown().err().expect("no file");
        for token in ["first", "second"] {
            std::fs::write(&path, format!("{token}\n")).expect("written");
            let Ok(Shown::Token(read)) = credential.shown() else {
                panic!("no token")
            };
            assert_eq!(read, token);
        }
        let Ok(Shown::Token(read)) = Credential::TokenCommand("echo abc".into()).shown() else {
            panic!("no token")
        };
        assert_eq!(read, "abc");
        Credential::TokenCommand("exit 3".into())
            .shown()
            .err()
            .expect("failed");
    }
}
