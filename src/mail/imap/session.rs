//! A connection to an IMAP server: commands and their responses.

use std::collections::HashSet;

use imap_proto::{Capability, MailboxDatum, Response, ResponseCode, Status};

use super::super::error::{MailError, excerpt};
use super::super::link::{Link, MAX_LINE};
use super::super::settings::Address;
use super::name::{Argument, argument};

/// Octets of responses to one command that are not message bodies, at most.
const MAX_ANSWERS: usize = 16 << 20;
/// Untagged responses that are passed over before a server that greets has to greet.
const MAX_BEFORE_GREETING: usize = 16;

/// A connection to an IMAP server.
pub(in crate::mail) struct Session {
    pub(super) link: Link,
    tag: u32,
    pub(super) capabilities: HashSet<String>,
    /// The folder that is selected.
    pub(super) selected: Option<String>,
    /// Messages in it, as far as the server has said.
    pub(super) exists: u32,
    /// The server spoke of changes that were not asked for.
    pub(super) news: bool,
    /// Folders beside the selected one that the server spoke of.
    pub(super) others: HashSet<String>,
    /// Octets that one literal may have.
    pub(super) literal_limit: usize,
    /// QRESYNC is switched on.
    pub(super) qresync: bool,
    /// The server tells of folders beside the selected one.
    pub(super) notified: bool,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) ok: bool,
    pub(super) text: String,
    /// The response code in its own words; empty if there is none.
    pub(super) code: String,
    /// Of APPENDUID: validity and UID; of COPYUID: validity and the new UID.
    pub(super) uid: Option<(u32, u32)>,
}

impl Ended {
    pub(super) fn done(self, command: &'static str) -> Result<Self, MailError> {
        if self.ok {
            return Ok(self);
        }
        let text = excerpt(&self.text);
        Err(MailError::Refused { command, text })
    }
}

/// A part of a command.
pub(super) enum Part<'a> {
    Text(&'a str),
    /// A text that is quoted.
    Argument(&'a str),
    /// Octets that are counted.
    Literal(&'a [u8]),
}

impl Session {
    /// Connects, and begins TLS if that is a matter of a command.
    pub(in crate::mail) async fn connect(
        address: &Address,
        literal_limit: usize,
    ) -> Result<Self, MailError> {
        let link = Link::connect(address).await?;
        let start_tls = address.encryption == super::super::settings::Encryption::StartTls;
        Self::over(link, start_tls, literal_limit).await
    }

    /// Begins on a link.
    pub(in crate::mail) async fn over(
        link: Link,
        start_tls: bool,
        literal_limit: usize,
    ) -> Result<Self, MailError> {
        let mut session = Self {
            link,
            tag: 0,
            capabilities: HashSet::new(),
            selected: None,
            exists: 0,
            news: false,
            others: HashSet::new(),
            literal_limit,
            qresync: false,
            notified: false,
        };
        session.greeting().await?;
        if start_tls {
            session.start_tls().await?;
        }
        if session.capabilities.is_empty() {
            session.ask_capabilities().await?;
        }
        Ok(session)
    }

    async fn greeting(&mut self) -> Result<(), MailError> {
        for _ in 0..MAX_BEFORE_GREETING {
            let frame = self.frame().await?;
            let text = String::from_utf8_lossy(&frame);
            let Some(rest) = text.strip_prefix("* ") else {
                return Err(MailError::Protocol("this is no IMAP server".to_owned()));
            };
            self.note(&frame);
            let word = rest.split(' ').next().unwrap_or_default();
            match word.trim().to_ascii_uppercase().as_str() {
                "OK" => return Ok(()),
                "PREAUTH" => {
                    return Err(MailError::Protocol(
                        "the server takes this connection for a known user's".to_owned(),
                    ));
                }
                "BYE" => return Err(MailError::Lost(excerpt(rest))),
                _ => {}
            }
        }
        Err(MailError::Protocol("the server does not greet".to_owned()))
    }

    async fn start_tls(&mut self) -> Result<(), MailError> {
        let ended = self.command(&[Part::Text("STARTTLS")], &mut |_| {}).await?;
        if !ended.ok {
            return Err(MailError::Tls(format!(
                "the mail server does not offer it: {}",
                excerpt(&ended.text)
            )));
        }
        self.link.begin_tls().await?;
        // What was said before is not to be trusted.
        self.capabilities.clear();
        Ok(())
    }

    pub(super) async fn ask_capabilities(&mut self) -> Result<(), MailError> {
        self.capabilities.clear();
        self.command(&[Part::Text("CAPABILITY")], &mut |_| {})
            .await?
            .done("CAPABILITY")?;
        Ok(())
    }

    /// The folder that is selected.
    pub(in crate::mail) fn selected(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    /// Whether the server spoke of changes of the selected folder.
    pub(in crate::mail) fn has_news(&self) -> bool {
        self.news
    }

    /// Other folders that the server spoke of; they are forgotten with that.
    pub(in crate::mail) fn take_others(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.others)
    }

    /// Whether QRESYNC is switched on.
    pub(in crate::mail) fn has_qresync(&self) -> bool {
        self.qresync
    }

    /// Whether the server tells of folders beside the selected one.
    pub(in crate::mail) fn is_notified(&self) -> bool {
        self.notified
    }

    /// Whether the server said that it can do this; in capitals.
    pub(in crate::mail) fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Ends the session in the protocol's way; how does not matter.
    pub(in crate::mail) async fn close(mut self) {
        let mut ignore = |_: &Response<'_>| {};
        let parts = [Part::Text("LOGOUT")];
        let goodbye = self.command(&parts, &mut ignore);
        let _unused = tokio::time::timeout(std::time::Duration::from_secs(2), goodbye).await;
    }

    /// Sends a command and gives each untagged response to `each`, until the tagged one.
    pub(super) async fn command(
        &mut self,
        parts: &[Part<'_>],
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Ended, MailError> {
        let tag = self.send_command(parts, each).await?;
        match tag {
            Sent::Tag(tag) => self.responses(&tag, each).await,
            Sent::Ended(ended) => Ok(ended),
        }
    }

    /// Sends a command; its literals wait for the server's consent.
    async fn send_command(
        &mut self,
        parts: &[Part<'_>],
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Sent, MailError> {
        self.tag += 1;
        let tag = format!("A{}", self.tag);
        let mut out = tag.clone().into_bytes();
        for (index, part) in parts.iter().enumerate() {
            if index == 0 {
                out.push(b' ');
            }
            let quoted;
            let literal: &[u8] = match part {
                Part::Text(text) => {
                    out.extend_from_slice(text.as_bytes());
                    continue;
                }
                Part::Argument(text) => match argument(text) {
                    Argument::Quoted(text) => {
                        out.extend_from_slice(text.as_bytes());
                        continue;
                    }
                    Argument::Literal(octets) => {
                        quoted = octets;
                        &quoted
                    }
                },
                Part::Literal(octets) => octets,
            };
            let at_once = self.can("LITERAL+") || (self.can("LITERAL-") && literal.len() <= 4096);
            let plus = if at_once { "+" } else { "" };
            out.extend_from_slice(format!("{{{}{plus}}}\r\n", literal.len()).as_bytes());
            if !at_once {
                self.link.send(&out).await?;
                out.clear();
                if let Some(ended) = self.consent(&tag, each).await? {
                    return Ok(Sent::Ended(ended));
                }
            }
            out.extend_from_slice(literal);
        }
        out.extend_from_slice(b"\r\n");
        self.link.send(&out).await?;
        Ok(Sent::Tag(tag))
    }

    /// Waits for `+`; a command that ends instead was refused.
    pub(super) async fn consent(
        &mut self,
        tag: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Option<Ended>, MailError> {
        loop {
            let frame = self.frame().await?;
            if frame.starts_with(b"+") {
                return Ok(None);
            }
            if let Some(ended) = self.take(&frame, tag, each)? {
                return Ok(Some(ended));
            }
        }
    }

    /// Reads responses until the tagged one.
    pub(super) async fn responses(
        &mut self,
        tag: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Ended, MailError> {
        let mut octets = 0;
        loop {
            let frame = self.frame().await?;
            octets += frame.len().min(MAX_LINE);
            if octets > MAX_ANSWERS + self.literal_limit * 64 {
                return Err(MailError::Protocol("an answer has no end".to_owned()));
            }
            if let Some(ended) = self.take(&frame, tag, each)? {
                return Ok(ended);
            }
        }
    }

    /// Sends a command without arguments that are counted; gives its tag.
    pub(super) async fn begin(&mut self, command: &str) -> Result<String, MailError> {
        self.tag += 1;
        let tag = format!("A{}", self.tag);
        self.link
            .send(format!("{tag} {command}\r\n").as_bytes())
            .await?;
        Ok(tag)
    }

    /// Reads one response.
    pub(super) async fn frame(&mut self) -> Result<Vec<u8>, MailError> {
        let mut frame = Vec::new();
        self.link.line(&mut frame, MAX_LINE).await?;
        self.literals(&mut frame).await?;
        Ok(frame)
    }

    /// Reads the literals that a line announces, and the lines behind them.
    pub(super) async fn literals(&mut self, frame: &mut Vec<u8>) -> Result<(), MailError> {
        let mut limit = MAX_LINE;
        while let Some(count) = announced(frame) {
            if count > self.literal_limit {
                return Err(MailError::Protocol(format!(
                    "a literal of {count} octets is longer than what was asked for"
                )));
            }
            self.link.octets(frame, count).await?;
            limit += count;
            self.link.line(frame, limit).await?;
        }
        Ok(())
    }

    /// Takes a response: the end of the command, or one for `each`.
    fn take(
        &mut self,
        frame: &[u8],
        tag: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Option<Ended>, MailError> {
        if let Some(ended) = ended(frame, tag) {
            if let Some(Response::Done { outcome, .. }) = parsed(frame)
                && let Some(ResponseCode::Capabilities(found)) = &outcome.code
            {
                self.learn(found);
            }
            return Ok(Some(ended));
        }
        self.note(frame);
        let Some(response) = parsed(frame) else {
            // Servers say more than anybody knows.
            tracing::trace!("a response of the mail server is not understood");
            return Ok(None);
        };
        if let Response::Data {
            status: Status::Bye,
            outcome,
        } = &response
        {
            let text = outcome.information.as_deref().unwrap_or_default();
            return Err(MailError::Lost(format!(
                "the mail server closed the connection: {}",
                excerpt(text)
            )));
        }
        each(&response);
        Ok(None)
    }

    /// Learns what a response tells without being asked.
    pub(super) fn note(&mut self, frame: &[u8]) {
        let Some(response) = parsed(frame) else {
            return;
        };
        match &response {
            Response::Capabilities(found) => self.learn(found),
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::Capabilities(found)) => self.learn(found),
                _ if contains(frame, b"[NOTIFICATIONOVERFLOW]") => {
                    self.notified = false;
                    self.news = true;
                }
                _ => {}
            },
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.news |= *count != self.exists;
                self.exists = *count;
            }
            Response::Expunge(_) => {
                self.exists = self.exists.saturating_sub(1);
                self.news = true;
            }
            Response::Vanished { earlier: false, .. } => self.news = true,
            Response::MailboxData(MailboxDatum::Status { mailbox, .. })
                if self.selected.as_deref() != Some(&**mailbox) =>
            {
                self.others.insert(mailbox.clone().into_owned());
            }
            _ => {}
        }
    }

    fn learn(&mut self, found: &[Capability<'_>]) {
        // What was switched on (RFC 5161) looks the same, and is not all that there is.
        let is_list = |capability: &Capability<'_>| match capability {
            Capability::Imap4rev1 => true,
            Capability::Atom(name) => name.eq_ignore_ascii_case("IMAP4rev2"),
            Capability::Auth(_) => false,
        };
        if !found.iter().any(is_list) {
            return;
        }
        self.capabilities = found
            .iter()
            .map(|capability| match capability {
                Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
                Capability::Atom(name) => name.to_ascii_uppercase(),
            })
            .collect();
    }
}

enum Sent {
    Tag(String),
    /// It was refused before all of it was sent.
    Ended(Ended),
}

fn contains(frame: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(frame, word).is_some()
}

/// Lists within lists that a response may have; nothing that is asked for has more.
const MAX_DEPTH: usize = 8;

/// A response, if it is one that is known.
pub(super) fn parsed(frame: &[u8]) -> Option<Response<'_>> {
    if !is_tame(frame) {
        return None;
    }
    Response::parse(frame).ok().map(|(_, response)| response)
}

fn begins(text: &[u8], head: &[u8]) -> bool {
    text.get(..head.len())
        .is_some_and(|part| part.eq_ignore_ascii_case(head))
}

fn ends(text: &[u8], tail: &[u8]) -> bool {
    let begin = text.len().checked_sub(tail.len());
    begin.is_some_and(|begin| text[begin..].eq_ignore_ascii_case(tail))
}

/// Whether the reader of responses can have it: it goes as deep as lists do, cuts the octet behind a response code, and
/// takes it for granted that a message has a date.
fn is_tame(frame: &[u8]) -> bool {
    let unasked = [&b"* ID "[..], b"* METADATA "];
    if unasked.iter().any(|head| begins(frame, head)) {
        return false;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    let mut code = false;
    while let Some(octet) = frame.get(at) {
        at += 1;
        match octet {
            b'"' if !code => {
                while let Some(inner) = frame.get(at) {
                    at += 1;
                    match inner {
                        b'\\' => at += 1,
                        b'"' | b'\n' => break,
                        _ => {}
                    }
                }
            }
            b'(' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b')' => depth = depth.saturating_sub(1),
            b' ' if begins(&frame[at..], b"NIL") && ends(&frame[..at], b"INTERNALDATE ") => {
                return false;
            }
            b'[' => code = true,
            b']' => {
                code = false;
                if frame.get(at).is_some_and(|next| !next.is_ascii()) {
                    return false;
                }
            }
            b'\n' => {
                if let Some(count) = announced(&frame[..at]) {
                    at = at.saturating_add(count);
                }
            }
            _ => {}
        }
    }
    true
}

/// Octets of the literal that a line announces with its end.
fn announced(frame: &[u8]) -> Option<usize> {
    let line = frame
        .strip_suffix(b"\r\n")
        .or_else(|| frame.strip_suffix(b"\n"))?;
    let line = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', line)?;
    let digits = std::str::from_utf8(&line[open + 1..]).ok()?;
    let digits = digits.strip_suffix('+').unwrap_or(digits);
    (!digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// The end of a command, if the response is that.
fn ended(frame: &[u8], tag: &str) -> Option<Ended> {
    let text = String::from_utf8_lossy(frame);
    let rest = text.strip_prefix(tag)?.strip_prefix(' ')?;
    let (word, rest) = rest.split_once(' ').unwrap_or((rest.trim(), ""));
    let (code, words) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((code, words)) => (code.to_owned(), words),
        None => (String::new(), rest),
    };
    let mut numbers = code.split(' ');
    let uid = match numbers
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "APPENDUID" => numbers.next().zip(numbers.next()),
        "COPYUID" => numbers.next().zip(numbers.nth(1)),
        _ => None,
    };
    let uid = uid.and_then(|(validity, uid)| Some((validity.parse().ok()?, uid.parse().ok()?)));
    Some(Ended {
        ok: word.trim().eq_ignore_ascii_case("OK"),
        text: words.trim().to_owned(),
        uid,
        code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_seen_at_the_end_of_a_line_only() {
        for (line, count) in [
            ("* 1 FETCH (BODY[] {12}\r\n", Some(12)),
            ("* 1 FETCH (BODY[] {12+}\r\n", Some(12)),
            ("* OK {12} octets\r\n", None),
            ("* OK {}\r\n", None),
            ("* OK {99999999999999999999999}\r\n", None),
            ("* OK {1x}\r\n", None),
            ("\r\n", None),
        ] {
            assert_eq!(announced(line.as_bytes()), count, "{line}");
        }
    }

    #[test]
    fn what_would_break_the_reader_is_passed_over() {
        let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(500_000));
        assert!(parsed(deep.as_bytes()).is_none());
        assert!(parsed("* OK [ALERT]é\r\n".as_bytes()).is_none());
        assert!(parsed(b"* 1 FETCH (UID 7 internaldate NIL)\r\n").is_none());
        assert!(parsed(b"* id (\"name\" NIL)\r\n").is_none());
        let quoting = b"* 1 FETCH (UID 7 BODY[]<0> {16}\r\nINTERNALDATE NIL)\r\n";
        assert!(matches!(parsed(quoting), Some(Response::Fetch(1, _))));
        assert!(
            parsed(b"* 1 FETCH (UID 7 BODY[]<0> {10}\r\n((((((((((\r\n)\r\n".as_slice()).is_none()
        );
        let framed = b"* 1 FETCH (UID 7 BODY[]<0> {10}\r\n(((((((((()\r\n";
        assert!(matches!(parsed(framed), Some(Response::Fetch(1, _))));
        assert!(parsed(b"* LIST (\\HasNoChildren) \"/\" \"((((((((((\"\r\n").is_some());
    }

    #[test]
    fn the_end_of_a_command_has_its_numbers() {
        let end =
            ended(b"A7 OK [APPENDUID 38505 3955] APPEND completed\r\n", "A7").expect("the end");
        assert!(end.ok);
        assert_eq!(end.uid, Some((38505, 3955)));
        let end = ended(b"A7 ok [COPYUID 5 10 12] Moved\r\n", "A7").expect("the end");
        assert_eq!(end.uid, Some((5, 12)));
        let end = ended(b"A7 NO [AUTHENTICATIONFAILED] no.\r\n", "A7").expect("the end");
        assert_eq!(
            (end.ok, &*end.code, &*end.text),
            (false, "AUTHENTICATIONFAILED", "no.")
        );
        assert!(ended(b"A7 BAD\r\n", "A7").is_some_and(|end| !end.ok));
        assert!(ended(b"A71 OK x\r\n", "A7").is_none());
        assert!(ended(b"* OK x\r\n", "A7").is_none());
    }
}
