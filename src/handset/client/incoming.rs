//! What the client does with an answer: header, Statuses, Alerts, Get, Put, Results. Sync is in `received`.

use std::collections::HashSet;

use crate::handset::credentials::nonce_of;
use crate::handset::memory::{ItemState, Octets};
use crate::handset::mode::Mode;
use crate::handset::report::Direction;
use crate::syncml::{
    Alert, Anchor, Chal, ChangeKind, Code, Command, Data, DevInf, Get, Header, Item, Location,
    Message, Meta, Results, Status,
};

use super::packer::{Prepared, Sent};
use super::{Client, Failure, MAX_POLLS, Phase};

use crate::handset::behaviour::PhaseJump;

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
        match status.map(|status| (status.code, status.chal.as_ref())) {
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
        self.session.polls = 0;
        self.session.unanswered_challenges = 0;
        self.session.server_closed = message.last;

        let reply = Reply {
            msg_id: header.msg_id.to_string(),
            silent: header.no_resp,
        };
        if !reply.silent {
            self.session.statuses.push_back(header_status(header));
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
            meta: Some(Meta {
                kind: Some(self.settings.carrier.devinf_mime().into()),
                ..Meta::default()
            }),
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
            let changes_only = exchange.used == exchange.used.refreshed();
            if self.behaviour.check_server_anchor && differs && !changes_only {
                exchange.used = exchange.used.refreshed();
                exchange.restart |= sending;
                code = Code::REFRESH_REQUIRED;
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

    /// Reads a Status; `false` if it belongs to nothing that was sent.
    fn status(&mut self, status: &Status<'_>) -> bool {
        let flights = status
            .msg_ref
            .trim()
            .parse()
            .ok()
            .and_then(|id: u32| self.session.flights.get_mut(&id));
        let named = |uri: &str| status.source_refs.iter().any(|source| source == uri);
        let flight = flights.and_then(|flights| {
            let fits = |flight: &&mut super::packer::Flight| {
                !flight.answered
                    && flight.cmd_id == *status.cmd_ref
                    && (status.cmd.is_empty() || status.cmd == flight.name.as_str())
                    && match &flight.sent {
                        Sent::Change { luid, .. } => {
                            status.source_refs.is_empty() || named(&luid.0)
                        }
                        _ => true,
                    }
            };
            flights.iter_mut().find(fits)
        });
        let Some(flight) = flight else {
            self.session.complain(|| {
                format!(
                    "Status for {} {} of message {}, which was not sent or is answered",
                    status.cmd, status.cmd_ref, status.msg_ref
                )
            });
            return false;
        };
        flight.answered = true;
        let code = status.code;
        match flight.sent.clone() {
            Sent::Put => {
                if code.is_success() {
                    self.memory.devinf_sent = Some(self.devinf_mark());
                }
            }
            Sent::Alert(index) => self.alert_status(index, status),
            Sent::Sync(index) => self.sync_status(index, code),
            Sent::Change {
                exchange,
                kind,
                luid,
                more,
            } => {
                if more {
                    self.chunk_status(exchange, kind, &luid.0, code);
                } else {
                    self.change_status(exchange, kind, &luid, code);
                }
            }
            Sent::Map(index, guids) => {
                let exchange = &mut self.session.exchanges[index];
                let store = self.memory.datastore_mut(&exchange.name);
                for guid in guids {
                    exchange.maps_sent.remove(&guid);
                    // A server that failed may be told again, one that refused may not.
                    if code.0 / 100 != 5 {
                        store.cached_maps.retain(|map| map.guid != guid);
                    }
                }
            }
            Sent::Unknown => self.session.report.unknown_command = Some(code),
            Sent::Other => {}
        }
        true
    }

    fn alert_status(&mut self, index: usize, status: &Status<'_>) {
        let sending = self.session.phase != Phase::Initialising;
        let exchange = &mut self.session.exchanges[index];
        let code = status.code;
        if code == Code::REFRESH_REQUIRED {
            exchange.used = exchange.used.refreshed();
            exchange.restart |= sending;
        } else if !code.is_success() {
            exchange.refused = Some(code);
        }
        let echo = status.items.iter().find_map(|item| match &item.data {
            Data::Meta(meta) => meta.anchor.as_ref(),
            _ => None,
        });
        let expected = if self.behaviour.last_equals_next {
            None
        } else {
            Some(&exchange.next)
        };
        if let (Some(echo), Some(next)) = (echo, expected)
            && echo.next != next.as_str()
        {
            let text = format!("anchor {} echoed as {}", next, echo.next);
            self.session.complain(|| text);
        }
    }

    fn sync_status(&mut self, index: usize, code: Code) {
        let merged = self.behaviour.sync_without_init || self.behaviour.jump_phases.is_some();
        let session = &mut self.session;
        let exchange = &mut session.exchanges[index];
        if code == Code::REFRESH_REQUIRED {
            if merged {
                exchange.used = exchange.used.refreshed();
                exchange.restart = true;
            } else {
                exchange.stale = true;
            }
        } else if !code.is_success() {
            let first = self.behaviour.jump_phases == Some(PhaseJump::SyncFirst);
            if first && !exchange.jump_refused {
                exchange.jump_refused = true;
                exchange.restart = true;
            } else {
                exchange.refused = Some(code);
            }
        }
    }

    /// A part of an item was answered: 213, or the item is given up.
    fn chunk_status(&mut self, index: usize, kind: ChangeKind, luid: &str, code: Code) {
        if code == Code::CHUNK_ACCEPTED {
            return;
        }
        if code.is_success() {
            self.session
                .complain(|| format!("Status {code} for a part of an item"));
            return;
        }
        self.session.chunk_out = None;
        self.session.exchanges[index].fail_item(Direction::Sent, kind, luid, code);
    }

    fn change_status(
        &mut self,
        index: usize,
        kind: ChangeKind,
        luid: &crate::handset::memory::Luid,
        code: Code,
    ) {
        let exchange = &mut self.session.exchanges[index];
        let store = self.memory.datastore_mut(&exchange.name);
        let gone = matches!(code, Code::NOT_FOUND | Code::GONE | Code::ITEM_NOT_DELETED);
        let known = matches!(code, Code::ALREADY_EXISTS | Code::CONFLICT_SERVER_WINS);
        if code.is_success() || known || (gone && kind == ChangeKind::Delete) {
            let count = match kind {
                ChangeKind::Delete => {
                    store.deleted.remove(luid);
                    &mut exchange.sent.deletes
                }
                ChangeKind::Add => &mut exchange.sent.adds,
                ChangeKind::Replace | ChangeKind::Copy | ChangeKind::Move => {
                    &mut exchange.sent.replaces
                }
            };
            *count += 1;
            if kind != ChangeKind::Delete
                && let Some(item) = store.items.get_mut(luid)
            {
                item.state = ItemState::Clean;
            }
            return;
        }
        exchange.fail_item(Direction::Sent, kind, &luid.0, code);
        // What the server has not taken is offered again in the next session.
        if let Some(item) = store.items.get_mut(luid)
            && (item.state == ItemState::Clean || gone)
        {
            item.state = ItemState::Added;
        }
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
