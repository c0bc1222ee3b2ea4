//! What the client does with an answer: header, Alerts, Get, Put, Results. Statuses are read in `statuses`, Sync in
//! `received`.

use std::collections::HashSet;

use crate::handset::credentials::{challenge, new_nonce, nonce_of};
use crate::handset::memory::Octets;
use crate::handset::mode::Mode;
use crate::syncml::{
    Alert, Anchor, Chal, Code, Command, Data, DevInf, Get, Header, Item, Location, Message, Meta,
    Results, Status,
};

use super::packer::{Prepared, Sent};
use super::{Client, Failure, MAX_POLLS, Phase};

/// The answer that is being read.
pub(super) struct Reply {
    /// Its MsgID.
    pub(super) msg_id: String,
    /// NoResp in the header: no Status for anything.
    pub(super) silent: bool,
}

impl Client {
    /// Takes an answer. A message that must leave at once is returned: the answer to a challenge, a poll.
    pub(super) fn take(&mut self, message: &Message<'_>) -> Result<Option<Vec<u8>>, Failure> {
        self.check(message);
        let header = &message.header;
        if let Some(meta) = &header.meta {
            self.session.server_limit = meta.max_msg_size.or(self.session.server_limit);
            self.session.server_object_limit =
                meta.max_obj_size.or(self.session.server_object_limit);
        }
        if let Some(uri) = &header.resp_uri
            && !self.behaviour.ignore_resp_uri
        {
            self.session.address = resolve(&self.settings.server_url, uri.trim());
        }
        let status = message.body.iter().find_map(|command| match command {
            Command::Status(status) if status.cmd_ref == "0" => Some(status),
            _ => None,
        });
        match status.map(|status| (status.code, status.chal.as_deref())) {
            Some((Code::IN_PROGRESS, _)) => return self.poll(header).map(Some),
            Some((code @ (Code::INVALID_CREDENTIALS | Code::MISSING_CREDENTIALS), chal)) => {
                let status = (!header.no_resp).then(|| header_status(header));
                return self.retry(code, chal, status).map(Some);
            }
            Some((code, chal)) if code.is_success() => self.accepted(code, chal),
            Some((code, _)) => return Err(Failure::Refused(code)),
            None => self
                .session
                .complain(|| "no Status for the header".to_owned()),
        }
        if self.session.nonce_offered
            && let Some(nonce) = self.memory.offered_nonce.take()
        {
            // The server has answered the message in which it was.
            self.memory.server_nonce = Some(nonce);
        }
        self.session.polls = 0;
        if self.session.statuses.is_empty() {
            self.part_in_is_known();
        }
        self.session.unanswered_challenges = 0;
        self.session.server_closed = message.last;
        if message.last && !self.session.closed {
            self.session
                .complain(|| "Final before the client's package is complete".to_owned());
        }

        let reply = Reply {
            msg_id: header.msg_id.to_string(),
            silent: header.no_resp,
        };
        if !reply.silent {
            let mut status = header_status(header);
            status.chal = self.nonce_for_server().map(Box::new);
            self.session.statuses.push_back(status);
        }
        let mut busy = message.last;
        for command in &message.body {
            busy |= match command {
                Command::Status(status) => status.cmd_ref != "0" && self.status(status),
                Command::Alert(alert) => self.alert(alert, &reply),
                other => {
                    self.command(other, &reply);
                    true
                }
            };
        }
        self.session.idle = if busy { 0 } else { self.session.idle + 1 };
        Ok(None)
    }

    /// Complains about what the server must not do.
    fn check(&mut self, message: &Message<'_>) {
        let session = &mut self.session;
        if session.last_server_msg.as_deref() == Some(&*message.header.msg_id) {
            session.complain(|| format!("MsgID {} twice", message.header.msg_id));
        }
        session.last_server_msg = Some(message.header.msg_id.to_string());
        match message.body.first() {
            Some(Command::Status(status)) if status.cmd_ref == "0" => {}
            _ => session.complain(|| "the first command is no Status for the header".to_owned()),
        }
        let mut seen = HashSet::new();
        let mut open: Vec<&Command<'_>> = message.body.iter().collect();
        while let Some(command) = open.pop() {
            let id = command.cmd_id();
            if id.is_empty() || id == "0" || !seen.insert(id) {
                session.complain(|| format!("CmdID {id:?} of {} is no new id", command.name()));
            }
            match command {
                Command::Sync(sync) => open.extend(&sync.commands),
                Command::Group(group) => open.extend(&group.commands),
                _ => {}
            }
        }
    }

    /// The header was accepted.
    fn accepted(&mut self, code: Code, chal: Option<&Chal<'_>>) {
        if let Some(nonce) = chal.and_then(nonce_of) {
            self.memory.nonce = Some(Octets(nonce));
        }
        if code == Code::AUTHENTICATED {
            self.session.authenticated = true;
        }
    }

    /// The challenge with the nonce for the server's next notification, once in a session. One that the server may not
    /// have got is given again.
    fn nonce_for_server(&mut self) -> Option<Chal<'static>> {
        let password = self.settings.server_password.as_deref()?;
        if std::mem::replace(&mut self.session.nonce_offered, true) {
            return None;
        }
        let memory = &mut self.memory;
        let now = self.session.now;
        let made = || Octets(new_nonce(password, memory.session_counter, now));
        let nonce = memory.offered_nonce.get_or_insert_with(made);
        Some(challenge(&nonce.0))
    }

    /// Asks a busy server for the result.
    fn poll(&mut self, header: &Header<'_>) -> Result<Vec<u8>, Failure> {
        self.session.polls += 1;
        if self.session.polls > MAX_POLLS {
            return Err(Failure::Busy);
        }
        let status = (!header.no_resp).then(|| header_status(header));
        Ok(self.compose_poll(status))
    }

    /// Notes that a command gets a Status, and gives it for references and items.
    pub(super) fn owe(
        &mut self,
        reply: &Reply,
        command: &Command<'_>,
        code: Code,
    ) -> Option<&mut Status<'static>> {
        if reply.silent || command.no_resp() {
            return None;
        }
        self.session.statuses.push_back(Status {
            msg_ref: reply.msg_id.clone().into(),
            cmd_ref: command.cmd_id().to_owned().into(),
            cmd: command.name().to_owned().into(),
            code,
            ..Status::default()
        });
        self.session.statuses.back_mut()
    }

    fn command(&mut self, command: &Command<'_>, reply: &Reply) {
        let code = match command {
            Command::Sync(sync) => return self.sync(sync, command, reply),
            Command::Get(get) => return self.get(get, command, reply),
            Command::Put(put) => {
                self.note_server(&put.items);
                Code::OK
            }
            Command::Results(results) => {
                self.note_server(&results.items);
                Code::OK
            }
            Command::Change(_) | Command::Map(_) => Code::COMMAND_NOT_ALLOWED,
            Command::Group(_) | Command::Exec(_) | Command::Search(_) => {
                Code::FEATURE_NOT_SUPPORTED
            }
            Command::Unknown { .. } => Code::NOT_IMPLEMENTED,
            Command::Status(_) | Command::Alert(_) => return,
        };
        self.owe(reply, command, code);
    }

    fn note_server(&mut self, items: &[Item<'_>]) {
        let described = items.iter().find_map(|item| match &item.data {
            Data::DevInf(devinf) => Some(devinf),
            _ => None,
        });
        if let Some(DevInf { man, model, .. }) = described.map(|devinf| &**devinf) {
            let words: Vec<_> = [man, model]
                .into_iter()
                .flatten()
                .map(|word| &**word)
                .collect();
            self.session.report.server = Some(words.join(" "));
        }
    }

    fn get(&mut self, get: &Get<'_>, command: &Command<'_>, reply: &Reply) {
        let version = self.settings.version;
        let asked = get.items.iter().any(|item| {
            item.target.as_ref().is_some_and(|target| {
                super::exchange::same_address(&target.uri, version.devinf_uri())
            })
        });
        if !asked {
            self.owe(reply, command, Code::NOT_FOUND);
            return;
        }
        self.owe(reply, command, Code::OK);
        let results = Results {
            msg_ref: Some(reply.msg_id.clone().into()),
            cmd_ref: get.cmd_id.to_string().into(),
            meta: Some(Box::new(Meta {
                kind: Some(self.settings.carrier.devinf_mime().into()),
                ..Meta::default()
            })),
            target_ref: Some(version.devinf_uri().into()),
            items: vec![self.devinf_item()],
            ..Results::default()
        };
        let command = Command::Results(results);
        self.session.queue.push_back(Prepared {
            command,
            sent: Sent::Other,
        });
    }

    /// Reads an Alert; `false` if it only asks for the next message.
    fn alert(&mut self, alert: &Alert<'_>, reply: &Reply) -> bool {
        let command = Command::Alert(alert.clone());
        let mode = match alert.code {
            Some(222) => {
                self.owe(reply, &command, Code::OK);
                return false;
            }
            Some(100 | 223) => {
                if alert.code == Some(100) {
                    self.display(alert);
                }
                self.owe(reply, &command, Code::OK);
                return true;
            }
            Some(code) => Mode::from_code(code),
            None => None,
        };
        let Some(mode) = mode else {
            self.owe(reply, &command, Code::FEATURE_NOT_SUPPORTED);
            return true;
        };
        for item in &alert.items {
            let code = self.alerted(mode, item);
            let next = item.meta.as_ref().and_then(|meta| meta.anchor.as_ref());
            let echo = next.map(|anchor| Meta {
                anchor: Some(Anchor {
                    last: None,
                    next: anchor.next.to_string().into(),
                }),
                ..Meta::default()
            });
            if let Some(status) = self.owe(reply, &command, code) {
                let uri = |location: &Option<Location<'_>>| {
                    location
                        .iter()
                        .map(|location| location.uri.to_string().into())
                        .collect()
                };
                status.target_refs = uri(&item.target);
                status.source_refs = uri(&item.source);
                status.items.extend(echo.map(|meta| Item {
                    data: Data::Meta(Box::new(meta)),
                    ..Item::default()
                }));
            }
        }
        true
    }

    /// Shows the user a text of the server.
    fn display(&mut self, alert: &Alert<'_>) {
        let texts = alert.items.iter().filter_map(|item| item.data.bytes());
        for text in texts {
            let displayed = &mut self.session.report.displayed;
            if displayed.len() < 100 {
                displayed.push(String::from_utf8_lossy(text).into_owned());
            }
        }
    }

    /// The server alerts one datastore.
    fn alerted(&mut self, mode: Mode, item: &Item<'_>) -> Code {
        let Some(index) = self.exchange_at(item.target.as_ref(), item.source.as_ref()) else {
            return Code::NOT_FOUND;
        };
        let sending = self.session.phase != Phase::Initialising;
        let exchange = &mut self.session.exchanges[index];
        let meta = item.meta.as_ref();
        if let Some(limit) = meta.and_then(|meta| meta.max_obj_size) {
            self.session.server_object_limit = Some(limit);
        }
        let mut complaint = None;
        if mode != exchange.used {
            let forced = matches!(
                mode,
                Mode::Slow | Mode::RefreshFromClient | Mode::RefreshFromServer
            );
            if forced {
                exchange.used = mode;
                exchange.restart |= sending;
            } else {
                complaint = Some(format!("Alert {mode} for {}", exchange.name));
            }
        }
        let mut code = Code::OK;
        if let Some(anchor) = meta.and_then(|meta| meta.anchor.as_ref()) {
            exchange.server_next = Some(anchor.next.to_string());
            let kept = self.memory.datastores.get(&exchange.name);
            let kept = kept.and_then(|store| store.server_anchor.as_deref());
            let differs = kept.is_some_and(|kept| anchor.last.as_deref() != Some(kept));
            let everything = exchange.used == exchange.used.refreshed();
            if differs && !everything {
                if self.behaviour.check_server_anchor {
                    exchange.used = exchange.used.refreshed();
                    exchange.restart |= sending;
                    code = Code::REFRESH_REQUIRED;
                } else {
                    complaint = Some(format!("Last of {} is not the Next before", exchange.name));
                }
            }
        } else {
            complaint = Some(format!("Alert without anchor for {}", exchange.name));
        }
        if let Some(complaint) = complaint {
            self.session.complain(|| complaint);
        }
        code
    }

    /// The datastore that a pair of addresses names.
    pub(super) fn exchange_at(
        &self,
        target: Option<&Location<'_>>,
        source: Option<&Location<'_>>,
    ) -> Option<usize> {
        [target, source].into_iter().flatten().find_map(|location| {
            self.session
                .exchanges
                .iter()
                .position(|exchange| exchange.is_at(&location.uri))
        })
    }
}

/// The Status for the header of an answer.
fn header_status(header: &Header<'_>) -> Status<'static> {
    Status {
        msg_ref: header.msg_id.to_string().into(),
        cmd_ref: "0".into(),
        cmd: "SyncHdr".into(),
        target_refs: vec![header.target.uri.to_string().into()],
        source_refs: vec![header.source.uri.to_string().into()],
        code: if header.cred.is_some() {
            Code::AUTHENTICATED
        } else {
            Code::OK
        },
        ..Status::default()
    }
}

/// A RespURI as an address: it may be a path on the server that was asked.
fn resolve(server: &str, uri: &str) -> String {
    if uri.is_empty() {
        return server.to_owned();
    }
    if uri.contains("://") {
        return uri.to_owned();
    }
    let path = server
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/'))
        .map(|slash| {
            let scheme = server.find("://").map_or(0, |at| at + 3);
            scheme + slash
        });
    let origin = &server[..path.unwrap_or(server.len())];
    if uri.starts_with('/') {
        return format!("{origin}{uri}");
    }
    if uri.starts_with('?') {
        let bare = server.split('?').next().unwrap_or(server);
        return format!("{bare}{uri}");
    }
    let folder = server[origin.len()..].split('?').next().unwrap_or_default();
    let folder = folder.rfind('/').map_or("/", |slash| &folder[..=slash]);
    format!("{origin}{folder}{uri}")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn resp_uri_may_be_relative() {
        let server = "http://host:8080/sync/ds?a=/b";
        assert_eq!(resolve(server, "http://other/x?s=1"), "http://other/x?s=1");
        assert_eq!(resolve(server, "/x?s=1"), "http://host:8080/x?s=1");
        assert_eq!(resolve(server, "?s=1"), "http://host:8080/sync/ds?s=1");
        assert_eq!(resolve(server, "next"), "http://host:8080/sync/next");
        assert_eq!(resolve("http://host", "next"), "http://host/next");
        assert_eq!(resolve(server, ""), server);
    }
}
