//! What a phone owes to the server of now: Statuses for its commands, Maps for its Adds.

use std::collections::{BTreeMap, VecDeque};

use crate::syncml::{
    Change, ChangeKind, Code, Command, Data, Item, Map, MapItem, Message, Meta, Status,
};

/// A command of the server that waits for a Status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owed {
    msg_ref: String,
    cmd_ref: String,
    name: String,
    target: Option<String>,
    source: Option<String>,
    code: Code,
    /// Next of an Alert's anchor, to be said again.
    echo: Option<Meta<'static>>,
}

/// An item that the server added: the datastore's addresses and the server's id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Added {
    /// The datastore on the server.
    pub(super) remote: String,
    /// The datastore on the phone.
    pub(super) local: String,
    /// The server's id.
    pub(super) guid: String,
}

/// What the phone owes.
#[derive(Debug, Default)]
pub(super) struct Debts {
    owed: Vec<Owed>,
    pub(super) added: VecDeque<Added>,
    /// A Get of the server's that Results may answer: MsgID and CmdID.
    pub(super) get: Option<(String, String)>,
    made_up: u32,
}

impl Debts {
    /// Something other than the Status for a header is owed.
    pub(super) fn matter(&self) -> bool {
        !self.added.is_empty() || self.owed.iter().any(|owed| owed.cmd_ref != "0")
    }

    /// Notes what an answer wants.
    pub(super) fn note(&mut self, answer: &Message<'_>) {
        if answer.header.no_resp {
            return;
        }
        let msg_ref = answer.header.msg_id.to_string();
        self.owed.push(Owed {
            msg_ref: msg_ref.clone(),
            cmd_ref: "0".to_owned(),
            name: "SyncHdr".to_owned(),
            target: Some(answer.header.target.uri.to_string()),
            source: Some(answer.header.source.uri.to_string()),
            code: Code::OK,
            echo: None,
        });
        let mut open: Vec<(&Command<'_>, Option<(String, String)>)> = answer
            .body
            .iter()
            .rev()
            .map(|command| (command, None))
            .collect();
        while let Some((command, store)) = open.pop() {
            self.command(command, &msg_ref, store.as_ref());
            match command {
                Command::Sync(sync) => {
                    let uri = |location: &Option<crate::syncml::Location<'_>>| {
                        location
                            .as_ref()
                            .map_or(String::new(), |location| location.uri.to_string())
                    };
                    // The server's Target is the phone's datastore.
                    let store = (uri(&sync.source), uri(&sync.target));
                    open.extend(
                        sync.commands
                            .iter()
                            .rev()
                            .map(|inner| (inner, Some(store.clone()))),
                    );
                }
                Command::Group(group) => {
                    open.extend(
                        group
                            .commands
                            .iter()
                            .rev()
                            .map(|inner| (inner, store.clone())),
                    );
                }
                _ => {}
            }
        }
    }

    fn command(&mut self, command: &Command<'_>, msg_ref: &str, store: Option<&(String, String)>) {
        if matches!(command, Command::Status(_)) {
            return;
        }
        let mut owe = |target: Option<String>, source: Option<String>, code, echo| {
            if !command.no_resp() {
                self.owed.push(Owed {
                    msg_ref: msg_ref.to_owned(),
                    cmd_ref: command.cmd_id().to_owned(),
                    name: command.name().to_owned(),
                    target,
                    source,
                    code,
                    echo,
                });
            }
        };
        let uri =
            |location: Option<&crate::syncml::Location<'_>>| location.map(|of| of.uri.to_string());
        match command {
            Command::Change(Change { kind, items, .. }) => {
                for item in items {
                    let (target, source) = (uri(item.target.as_ref()), uri(item.source.as_ref()));
                    let code = match kind {
                        _ if item.more_data => Code::CHUNK_ACCEPTED,
                        ChangeKind::Add => Code::ITEM_ADDED,
                        _ => Code::OK,
                    };
                    owe(target.clone(), source.clone(), code, None);
                    if *kind == ChangeKind::Add
                        && !item.more_data
                        && let (Some(guid), Some((remote, local))) = (source, store)
                    {
                        self.added.push_back(Added {
                            remote: remote.clone(),
                            local: local.clone(),
                            guid,
                        });
                    }
                }
            }
            Command::Alert(alert) => {
                let item = alert.items.first();
                let next = item
                    .and_then(|item| item.meta.as_ref())
                    .and_then(|meta| meta.anchor.as_ref())
                    .map(|anchor| anchor.next.to_string());
                let echo = next.map(|next| Meta {
                    anchor: Some(crate::syncml::Anchor {
                        last: None,
                        next: next.into(),
                    }),
                    ..Meta::default()
                });
                owe(
                    item.and_then(|item| uri(item.target.as_ref())),
                    item.and_then(|item| uri(item.source.as_ref())),
                    Code::OK,
                    echo,
                );
            }
            Command::Sync(sync) => owe(
                uri(sync.target.as_ref()),
                uri(sync.source.as_ref()),
                Code::OK,
                None,
            ),
            Command::Get(get) => {
                owe(None, None, Code::OK, None);
                self.get = Some((msg_ref.to_owned(), get.cmd_id.to_string()));
            }
            _ => owe(None, None, Code::OK, None),
        }
    }

    /// The Statuses that are owed, with the codes that the phone gave to commands of the same name, in order.
    pub(super) fn statuses(
        &mut self,
        recorded: &mut BTreeMap<String, VecDeque<Code>>,
        mut cmd_id: impl FnMut() -> String,
    ) -> Vec<Command<'static>> {
        let owed = std::mem::take(&mut self.owed);
        owed.into_iter()
            .map(|owed| {
                let then = recorded.get_mut(&owed.name).and_then(VecDeque::pop_front);
                // 213 belongs to parts, and nothing else to them.
                let code = match then {
                    Some(code) if owed.cmd_ref != "0" && owed.code != Code::CHUNK_ACCEPTED => code,
                    _ => owed.code,
                };
                let items = owed.echo.into_iter().map(|meta| Item {
                    data: Data::Meta(Box::new(meta)),
                    ..Item::default()
                });
                Command::Status(Status {
                    cmd_id: cmd_id().into(),
                    msg_ref: owed.msg_ref.into(),
                    cmd_ref: owed.cmd_ref.into(),
                    cmd: owed.name.into(),
                    target_refs: owed.target.into_iter().map(Into::into).collect(),
                    source_refs: owed.source.into_iter().map(Into::into).collect(),
                    code,
                    items: items.collect(),
                    ..Status::default()
                })
            })
            .collect()
    }

    /// Maps for what the server added: the phone's ids as far as there are some, then made-up ones.
    pub(super) fn maps(
        &mut self,
        mut luids: VecDeque<String>,
        mut cmd_id: impl FnMut() -> String,
    ) -> Vec<Command<'static>> {
        let mut maps: Vec<Map<'static>> = Vec::new();
        while let Some(added) = self.added.pop_front() {
            let luid = luids.pop_front().unwrap_or_else(|| {
                self.made_up += 1;
                format!("replay-{}", self.made_up)
            });
            let item = MapItem {
                target: added.guid.into(),
                source: luid.into(),
            };
            let open = maps
                .iter_mut()
                .find(|map| map.target.uri == added.remote.as_str());
            match open {
                Some(map) => map.items.push(item),
                None => maps.push(Map {
                    cmd_id: cmd_id().into(),
                    target: crate::syncml::Location::new(added.remote),
                    source: crate::syncml::Location::new(added.local),
                    items: vec![item],
                    ..Map::default()
                }),
            }
        }
        maps.into_iter().map(Command::Map).collect()
    }
}
