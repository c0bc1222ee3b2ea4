//! A POP3 client (RFC 1939) with CAPA and TOP, UIDL, STLS (RFC 2595), SASL XOAUTH2 (RFC 5034).

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{MailError, excerpt};
use super::link::Link;
use super::settings::{Address, Encryption, Shown};

/// Longest line of an answer, octets.
const MAX_ANSWER: usize = 4096;
/// Messages of a maildrop that are looked at, at most: the newest.
const MAX_MESSAGES: usize = 100_000;
/// Longest name that UIDL may give a message, octets (RFC 1939 has 70).
const MAX_UIDL: usize = 128;
/// How long a good-bye may take; with it deletions take effect.
const FAREWELL: Duration = Duration::from_secs(20);

/// A message of a maildrop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// In this session.
    pub(super) number: u32,
    /// For ever.
    pub(super) uidl: String,
    /// Octets; 0 if the server does not say.
    pub(super) size: u32,
}

/// A connection to a POP3 server.
pub(super) struct Pop3 {
    link: Link,
    capabilities: HashSet<String>,
}

impl Pop3 {
    /// Connects, and begins TLS if that is a matter of a command.
    pub(super) async fn connect(address: &Address) -> Result<Self, MailError> {
        let link = Link::connect(address).await?;
        Self::over(link, address.encryption == Encryption::StartTls).await
    }

    /// Begins on a link.
    pub(super) async fn over(link: Link, start_tls: bool) -> Result<Self, MailError> {
        let mut pop3 = Self {
            link,
            capabilities: HashSet::new(),
        };
        pop3.answer("the connection").await?;
        if start_tls {
            pop3.ask("STLS", "STLS")
                .await
                .map_err(|error| match error {
                    MailError::Refused { text, .. } => {
                        MailError::Tls(format!("the mail server does not offer it: {text}"))
                    }
                    error => error,
                })?;
            pop3.link.begin_tls().await?;
        }
        pop3.ask_capabilities().await?;
        Ok(pop3)
    }

    async fn ask_capabilities(&mut self) -> Result<(), MailError> {
        self.capabilities.clear();
        match self.ask("CAPA", "CAPA").await {
            Ok(_) => {}
            // RFC 2449 is optional.
            Err(MailError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        let text = self.block(64 << 10, usize::MAX).await?.0;
        for line in String::from_utf8_lossy(&text).lines() {
            self.capabilities.insert(line.trim().to_ascii_uppercase());
        }
        Ok(())
    }

    /// Whether the server named a capability, or one of its arguments.
    fn can(&self, name: &str, argument: &str) -> bool {
        self.capabilities.iter().any(|line| {
            let mut words = line.split_ascii_whitespace();
            words.next() == Some(name)
                && (argument.is_empty() || words.any(|word| word == argument))
        })
    }

    /// Logs in.
    pub(super) async fn login(&mut self, user: &str, shown: &Shown) -> Result<(), MailError> {
        let refused = |error: MailError| match error {
            MailError::Refused { text, .. } => MailError::Login(text),
            error => error,
        };
        match shown {
            Shown::Password(password) => {
                for text in [user, password] {
                    if text.contains(['\r', '\n', '\0']) {
                        return Err(MailError::Settings(
                            "user name or password has a line break in it".to_owned(),
                        ));
                    }
                }
                self.ask("USER", &format!("USER {user}"))
                    .await
                    .map_err(refused)?;
                self.ask("PASS", &format!("PASS {password}"))
                    .await
                    .map_err(refused)?;
            }
            Shown::Token(token) => {
                let text = format!("user={user}\x01auth=Bearer {token}\x01\x01");
                let encoded = STANDARD.encode(text);
                self.link.send(b"AUTH XOAUTH2\r\n").await?;
                let mut line = encoded;
                loop {
                    let answer = self.line().await?;
                    if !answer.starts_with('+') || answer.starts_with("+OK") {
                        verdict("AUTH", &answer).map_err(refused)?;
                        break;
                    }
                    self.link.send(format!("{line}\r\n").as_bytes()).await?;
                    line.clear();
                }
            }
        }
        Ok(())
    }

    /// What the maildrop has, in its order.
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, MailError> {
        self.ask("UIDL", "UIDL").await?;
        let text = self.block(MAX_MESSAGES * 96, usize::MAX).await?.0;
        let mut listed: Vec<Listed> = String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| {
                let (number, uidl) = line.trim().split_once(' ')?;
                let uidl = uidl.trim();
                let good = !uidl.is_empty() && uidl.len() <= MAX_UIDL;
                Some(Listed {
                    number: number.parse().ok().filter(|_| good)?,
                    uidl: uidl.to_owned(),
                    size: 0,
                })
            })
            .collect();
        self.ask("LIST", "LIST").await?;
        let text = self.block(MAX_MESSAGES * 32, usize::MAX).await?.0;
        let sizes: std::collections::HashMap<u32, u32> = String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| {
                let (number, size) = line.trim().split_once(' ')?;
                Some((number.parse().ok()?, size.trim().parse().ok()?))
            })
            .collect();
        for message in &mut listed {
            message.size = sizes.get(&message.number).copied().unwrap_or(0);
        }
        Ok(listed)
    }

    /// A message, or its beginning if it has more octets than the limit; and whether that is all of it.
    pub(super) async fn retrieve(
        &mut self,
        message: &Listed,
        limit: usize,
    ) -> Result<(Vec<u8>, bool), MailError> {
        let whole = message.size as usize <= limit;
        if !whole && self.can("TOP", "") {
            // Lines of mail have some 70 octets; what comes too much is passed over.
            let lines = limit / 64;
            self.ask("TOP", &format!("TOP {} {lines}", message.number))
                .await?;
        } else {
            self.ask("RETR", &format!("RETR {}", message.number))
                .await?;
        }
        let (octets, cut) = self.block(MAX_MESSAGE, limit.max(1)).await?;
        let all = !cut && octets.len() >= message.size as usize;
        Ok((octets, all || (whole && !cut)))
    }

    /// Marks a message for deletion; [`Self::close`] makes it so.
    pub(super) async fn delete(&mut self, number: u32) -> Result<(), MailError> {
        self.ask("DELE", &format!("DELE {number}")).await.map(drop)
    }

    /// Ends the session; deletions take effect.
    pub(super) async fn close(mut self) -> Result<(), MailError> {
        tokio::time::timeout(FAREWELL, self.ask("QUIT", "QUIT"))
            .await
            .map_err(|_| MailError::Silent)?
            .map(drop)
    }

    async fn ask(&mut self, name: &'static str, command: &str) -> Result<String, MailError> {
        self.link.send(format!("{command}\r\n").as_bytes()).await?;
        self.answer(name).await
    }

    async fn answer(&mut self, name: &'static str) -> Result<String, MailError> {
        let line = self.line().await?;
        verdict(name, &line)
    }

    async fn line(&mut self) -> Result<String, MailError> {
        let mut line = Vec::new();
        self.link.line(&mut line, MAX_ANSWER).await?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// The lines up to the dot, with the dots that were doubled made single. What is more than `kept` octets is read
    /// and dropped; gives whether something was.
    async fn block(&mut self, limit: usize, kept: usize) -> Result<(Vec<u8>, bool), MailError> {
        let (mut block, mut line) = (Vec::new(), Vec::new());
        let (mut octets, mut cut) = (0, false);
        loop {
            line.clear();
            self.link.line(&mut line, super::link::MAX_LINE).await?;
            octets += line.len();
            if octets > limit {
                return Err(MailError::Protocol("an answer has no end".to_owned()));
            }
            if matches!(&*line, b".\r\n" | b".\n") {
                return Ok((block, cut));
            }
            let text = line.strip_prefix(b".").unwrap_or(&line);
            let room = kept.saturating_sub(block.len()).min(text.len());
            cut |= room < text.len();
            block.extend_from_slice(&text[..room]);
        }
    }
}

/// Largest message that is read at all, octets.
const MAX_MESSAGE: usize = 64 << 20;

fn verdict(command: &'static str, line: &str) -> Result<String, MailError> {
    match line.strip_prefix("+OK") {
        Some(rest) => Ok(rest.trim().to_owned()),
        None if line.starts_with("-ERR") => Err(MailError::Refused {
            command,
            text: excerpt(&line[4..]),
        }),
        None => Err(MailError::Protocol("this is no POP3 server".to_owned())),
    }
}
