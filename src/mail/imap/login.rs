//! Login: AUTHENTICATE PLAIN (RFC 4616) or XOAUTH2 with an initial response (RFC 4959) where the server has that, else LOGIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::error::{MailError, excerpt};
use super::super::settings::Shown;
use super::session::{Ended, Part, Session};

impl Session {
    /// Logs in, and asks what the server can do for this user.
    pub(in crate::mail) async fn login(
        &mut self,
        user: &str,
        shown: &Shown,
    ) -> Result<(), MailError> {
        let before = self.capabilities.clone();
        let ended = match shown {
            Shown::Token(token) => {
                let text = format!("user={user}\x01auth=Bearer {token}\x01\x01");
                self.authenticate("XOAUTH2", text.as_bytes()).await?
            }
            Shown::Password(password) if self.can("AUTH=PLAIN") => {
                let text = format!("\0{user}\0{password}");
                self.authenticate("PLAIN", text.as_bytes()).await?
            }
            Shown::Password(_) if self.can("LOGINDISABLED") => {
                return Err(MailError::Settings(
                    "the mail server takes no password without TLS; use imaps:// or imap://…?tls=start".to_owned(),
                ));
            }
            Shown::Password(password) => {
                let parts = [
                    Part::Text("LOGIN "),
                    Part::Argument(user),
                    Part::Text(" "),
                    Part::Argument(password),
                ];
                self.command(&parts, &mut |_| {}).await?
            }
        };
        refused(ended)?;
        if self.capabilities == before {
            self.ask_capabilities().await?;
        }
        if self.can("QRESYNC") && self.can("ENABLE") {
            let parts = [Part::Text("ENABLE QRESYNC")];
            self.qresync = self.command(&parts, &mut |_| {}).await?.ok;
        }
        Ok(())
    }

    async fn authenticate(&mut self, mechanism: &str, text: &[u8]) -> Result<Ended, MailError> {
        let encoded = STANDARD.encode(text);
        if self.can("SASL-IR") {
            let command = format!("AUTHENTICATE {mechanism} {encoded}");
            return self.answered(&command, "").await;
        }
        self.answered(&format!("AUTHENTICATE {mechanism}"), &encoded)
            .await
    }

    /// Sends a command and this line for the server's `+`; further ones get an empty line, as XOAUTH2's errors want it.
    async fn answered(&mut self, command: &str, line: &str) -> Result<Ended, MailError> {
        let tag = self.begin(command).await?;
        let mut line = line;
        loop {
            match self.consent(&tag, &mut |_| {}).await? {
                Some(ended) => return Ok(ended),
                None => {
                    self.link.send(format!("{line}\r\n").as_bytes()).await?;
                    line = "";
                }
            }
        }
    }
}

fn refused(ended: Ended) -> Result<(), MailError> {
    if ended.ok {
        return Ok(());
    }
    let text = match excerpt(&ended.text) {
        text if text.is_empty() => "it does not say why".to_owned(),
        text => text,
    };
    // RFC 5530: this passes by itself.
    if ended.code.eq_ignore_ascii_case("UNAVAILABLE") || ended.code.eq_ignore_ascii_case("INUSE") {
        return Err(MailError::Refused {
            command: "the login",
            text,
        });
    }
    Err(MailError::Login(text))
}
