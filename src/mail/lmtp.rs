//! The LMTP listener (RFC 2033, with RFC 1870, 1652, 2920, 3463): the operator's delivery agent hands mail to us here.
//!
//! Each recipient has an answer of its own after the message, and 250 means that the message is in the store. What is
//! bounded: connections, their rest, lines, recipients, octets of a message and of all messages that are being taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 64;
/// How long a peer may rest.
const REST: Duration = Duration::from_secs(300);
/// Longest line of a command, octets (RFC 5321 has 512; parameters add to it).
const MAX_COMMAND: usize = 2048;
/// Octets of a message that are looked at together, if no line ends before.
const PIECE: usize = 64 << 10;
/// Recipients of one message.
const MAX_RECIPIENTS: usize = 100;
/// Commands that a peer may get wrong.
const MAX_WRONG: u32 = 20;

/// What became of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the store.
    Delivered,
    /// Nobody has that address.
    Unknown,
    /// It is no message that can be kept.
    Refused(String),
    /// Not now.
    Later(String),
}

/// Who takes the mail.
pub trait Deliver: Send + Sync + 'static {
    /// Whether somebody has this address; blocks. `Err`: it cannot be said now.
    fn knows(&self, address: &str) -> Result<bool, String>;

    /// Puts the message into the store for each recipient; blocks. One verdict for each, in order. `sender` is that of the envelope, and
    /// empty for reports.
    fn deliver(&self, sender: &str, recipients: &[String], message: &[u8]) -> Vec<Verdict>;
}

/// A listener at work. It ends when it is dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Listener {
    /// Listens at `host:port`, from within a runtime.
    pub async fn start(
        listen: &str,
        max_octets: usize,
        deliver: Arc<dyn Deliver>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(accept(listener, max_octets, deliver, stopped));
        Ok(Self { address, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _unused = self.stop.send(true);
    }
}

async fn accept(
    listener: TcpListener,
    max_octets: usize,
    deliver: Arc<dyn Deliver>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        match accepted {
            (Ok(place), Ok((stream, _))) => {
                let deliver = Arc::clone(&deliver);
                let mut stopped = stopped.clone();
                tokio::spawn(async move {
                    let _place = place;
                    let mut peer = Peer::new(stream, max_octets, deliver);
                    tokio::select! {
                        _ = stopped.changed() => {}
                        ended = peer.serve() => if let Err(error) = ended {
                            tracing::debug!("a connection for LMTP ended: {error}");
                        }
                    }
                });
            }
            (_, Err(error)) => {
                tracing::warn!("LMTP cannot take a connection: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            (Err(_), _) => return,
        }
    }
}

/// One connection.
struct Peer {
    stream: BufReader<TcpStream>,
    max_octets: usize,
    deliver: Arc<dyn Deliver>,
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    wrong: u32,
}

enum Read {
    Line(String),
    TooLong,
    End,
}

impl Peer {
    fn new(stream: TcpStream, max_octets: usize, deliver: Arc<dyn Deliver>) -> Self {
        Self {
            stream: BufReader::new(stream),
            max_octets,
            deliver,
            greeted: false,
            sender: None,
            recipients: Vec::new(),
            wrong: 0,
        }
    }

    async fn serve(&mut self) -> std::io::Result<()> {
        self.say("220 candybar LMTP").await?;
        while self.wrong < MAX_WRONG {
            let line = match self.line().await? {
                Read::Line(line) => line,
                Read::TooLong => {
                    self.fault("500 5.5.2 the line is too long").await?;
                    continue;
                }
                Read::End => return Ok(()),
            };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "LHLO" => {
                    self.greeted = true;
                    self.reset();
                    let size = self.max_octets;
                    self.say(&format!(
                        "250-candybar\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {size}"
                    ))
                    .await?;
                }
                "HELO" | "EHLO" => self.fault("500 5.5.1 this is LMTP: say LHLO").await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.reset();
                    self.say("250 2.0.0 done").await?;
                }
                "NOOP" => self.say("250 2.0.0 done").await?,
                "VRFY" => self.say("252 2.5.0 send some mail, and see").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.fault("500 5.5.1 there is no such command").await?,
            }
        }
        self.say("421 4.7.0 too many wrong commands").await
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    async fn mail(&mut self, rest: &str) -> std::io::Result<()> {
        if !self.greeted {
            return self.fault("503 5.5.1 say LHLO first").await;
        }
        if self.sender.is_some() {
            return self.fault("503 5.5.1 there is a sender already").await;
        }
        let Some((sender, parameters)) = path(rest, "FROM:") else {
            return self.fault("501 5.5.4 say MAIL FROM:<address>").await;
        };
        for parameter in parameters.split_ascii_whitespace() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_uppercase().as_str() {
                "SIZE"
                    if value
                        .parse()
                        .is_ok_and(|octets: u64| octets > self.max_octets as u64) =>
                {
                    return self.say("552 5.3.4 the message is too large").await;
                }
                "SIZE" | "BODY" => {}
                _ => return self.fault("555 5.5.4 there is no such parameter").await,
            }
        }
        self.sender = Some(sender);
        self.say("250 2.1.0 good").await
    }

    async fn recipient(&mut self, rest: &str) -> std::io::Result<()> {
        if self.sender.is_none() {
            return self.fault("503 5.5.1 say MAIL first").await;
        }
        let Some((address, _)) = path(rest, "TO:").filter(|(address, _)| !address.is_empty())
        else {
            return self.fault("501 5.5.4 say RCPT TO:<address>").await;
        };
        if self.recipients.len() >= MAX_RECIPIENTS {
            return self.say("452 4.5.3 too many recipients").await;
        }
        let deliver = Arc::clone(&self.deliver);
        let asked = address.clone();
        match tokio::task::spawn_blocking(move || deliver.knows(&asked)).await {
            Ok(Ok(true)) => {
                self.recipients.push(address);
                self.say("250 2.1.5 good").await
            }
            Ok(Ok(false)) => self.say("550 5.1.1 nobody here has that address").await,
            Ok(Err(why)) => {
                tracing::error!("LMTP cannot ask for an address: {why}");
                self.say("451 4.3.0 the database does not answer").await
            }
            Err(_) => self.say("451 4.3.0 it failed").await,
        }
    }

    async fn data(&mut self) -> std::io::Result<()> {
        if self.recipients.is_empty() {
            return self.fault("503 5.5.1 say RCPT first").await;
        }
        self.say("354 go on; end with a line that is a dot").await?;
        let message = self.message().await?;
        let recipients = std::mem::take(&mut self.recipients);
        let sender = self.sender.take().unwrap_or_default();
        self.reset();
        let Some(message) = message else {
            // One answer for each recipient (RFC 2033, section 4.2).
            let answer = vec!["552 5.3.4 the message is too large"; recipients.len()];
            return self.say(&answer.join("\r\n")).await;
        };
        let count = recipients.len();
        let deliver = Arc::clone(&self.deliver);
        let verdicts =
            tokio::task::spawn_blocking(move || deliver.deliver(&sender, &recipients, &message))
                .await;
        let mut verdicts = verdicts.unwrap_or_default();
        verdicts.resize(count, Verdict::Later("it failed".to_owned()));
        let answers: Vec<String> = verdicts
            .into_iter()
            .map(|verdict| match verdict {
                Verdict::Delivered => "250 2.1.5 delivered".to_owned(),
                Verdict::Unknown => "550 5.1.1 nobody here has that address".to_owned(),
                Verdict::Refused(why) => format!("554 5.6.0 {}", one_line(&why)),
                Verdict::Later(why) => format!("451 4.3.0 {}", one_line(&why)),
            })
            .collect();
        self.say(&answers.join("\r\n")).await
    }

    /// The message up to the dot; `None` if it is too large.
    async fn message(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut too_large = false;
        let mut begins_line = true;
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.read_line(PIECE, &mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let ends_line = line.ends_with(b"\n");
            // Only CR LF ends a line of SMTP: a bare LF before the dot is part of the message (RFC 5321, section 2.3.8).
            if begins_line && line == b".\r\n" {
                return Ok((!too_large).then_some(message));
            }
            let text = match line.strip_prefix(b".") {
                Some(rest) if begins_line => rest,
                _ => &line,
            };
            if message.len() + text.len() > self.max_octets {
                too_large = true;
                message = Vec::new();
            }
            if !too_large {
                message.extend_from_slice(text);
            }
            begins_line = ends_line && line.ends_with(b"\r\n");
        }
    }

    async fn line(&mut self) -> std::io::Result<Read> {
        let mut line = Vec::new();
        if self.read_line(MAX_COMMAND, &mut line).await? == 0 {
            return Ok(Read::End);
        }
        if !line.ends_with(b"\n") {
            // The rest of it is no command either.
            while !line.ends_with(b"\n") {
                line.clear();
                if self.read_line(PIECE, &mut line).await? == 0 {
                    return Ok(Read::End);
                }
            }
            return Ok(Read::TooLong);
        }
        Ok(Read::Line(
            String::from_utf8_lossy(&line).trim_end().to_owned(),
        ))
    }

    /// Appends a line, or this many octets of it; 0: the peer has gone.
    async fn read_line(&mut self, limit: usize, line: &mut Vec<u8>) -> std::io::Result<usize> {
        let mut limited = (&mut self.stream).take(limit as u64);
        timeout(REST, limited.read_until(b'\n', line)).await?
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        let octets = format!("{text}\r\n");
        timeout(REST, self.stream.get_mut().write_all(octets.as_bytes())).await?
    }

    async fn fault(&mut self, text: &str) -> std::io::Result<()> {
        self.wrong += 1;
        self.say(text).await
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .take(200)
        .collect()
}

/// The address of `FROM:<…>` or `TO:<…>` without a source route, and what follows.
fn path<'a>(text: &'a str, word: &str) -> Option<(String, &'a str)> {
    let head = text.get(..word.len())?;
    if !head.eq_ignore_ascii_case(word) {
        return None;
    }
    let rest = text[word.len()..].trim_start().strip_prefix('<')?;
    let mut quoted = false;
    let mut escaped = false;
    let end = rest.char_indices().find_map(|(at, c)| match c {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' if quoted => {
            escaped = true;
            None
        }
        '"' => {
            quoted = !quoted;
            None
        }
        '>' if !quoted => Some(at),
        _ => None,
    })?;
    let address = &rest[..end];
    let address = match address
        .strip_prefix('@')
        .and_then(|route| route.split_once(':'))
    {
        Some((_, address)) => address,
        None => address,
    };
    Some((address.to_owned(), &rest[end + 1..]))
}

#[cfg(test)]
#[path = "lmtp/tests.rs"]
mod tests;
