//! The client's changes: Sync with Add, Replace and Delete (Sync Protocol 1.1 section 5).
//!
//! Flattens the commands of a Sync and joins their chunks. `super::incoming` reads the bodies, `super::lookup` loads what
//! they may meet, `super::decide` has the rules for single items, `super::write` keeps what they come to.

use super::LoadFailed;
use super::group::Atomic;
use super::hierarchy::Place;
use super::incoming::{Content, Incoming, unread};
use super::state::{Phase, Stage};
use super::turn::Turn;
use crate::syncml::{self, ChangeKind, Code, Command, GroupKind, Sync};

/// Octets of a LUID.
const MAX_LUID: usize = 255;

/// One item command.
pub(super) struct Op<'m> {
    pub position: u32,
    pub cmd_id: &'m str,
    pub kind: ChangeKind,
    /// Answer it.
    pub answered: bool,
    pub luid: String,
    /// Delete frees memory on the device only.
    pub soft: bool,
    /// The Atomic that it is part of.
    pub atomic: Option<usize>,
    /// LUID of the item that this one is a copy of.
    pub copy_of: Option<String>,
    /// The folder that it names.
    pub place: Option<Place>,
    /// What came for it; `Err` is the Status for what cannot be read.
    pub content: Result<Content<'m>, Code>,
}

impl<'m> Op<'m> {
    /// The body that came and was read.
    pub(super) fn body(&self) -> Option<&Incoming<'m>> {
        match &self.content {
            Ok(Content::Body(incoming)) => Some(incoming),
            _ => None,
        }
    }
}
impl Turn<'_> {
    pub(super) fn sync(&mut self, sync: &Sync<'_>, position: u32) -> Result<(), LoadFailed> {
        let uri = |location: &Option<syncml::Location<'_>>| {
            location.as_ref().map(|location| location.uri.to_string())
        };
        let (target, source) = (uri(&sync.target), uri(&sync.source));
        let link = self.state.link_at(target.as_deref(), source.as_deref());
        let code = match link {
            None if target
                .as_deref()
                .and_then(|uri| self.context.settings.resolve(uri))
                .is_none() =>
            {
                Code::NOT_FOUND
            }
            // No Alert, or out of its phase.
            None => Code::COMMAND_NOT_ALLOWED,
            Some(link) if self.forced.contains(&link) => Code::REFRESH_REQUIRED,
            Some(_) if !matches!(self.state.phase, Phase::Initialising | Phase::Receiving) => {
                Code::COMMAND_NOT_ALLOWED
            }
            Some(_) => Code::OK,
        };
        if !sync.no_resp {
            self.answer_refs(
                position,
                &sync.cmd_id,
                "Sync",
                code,
                target.as_deref(),
                source.as_deref(),
            );
        }
        let Some(link) = link.filter(|_| code == Code::OK) else {
            self.refuse(&sync.commands, position, code);
            return Ok(());
        };
        self.state.links[link].stage = Stage::Receiving;
        let target = self.target(link);
        let mut ops = Vec::with_capacity(sync.commands.len());
        let mut atomics = Vec::new();
        self.note_memory(link, sync);
        self.collect(link, &sync.commands, position, &mut ops, &mut atomics);
        if !ops.is_empty() {
            self.load_usage()?;
            self.load_folders(link)?;
        }
        self.state.commands += ops.len() as u64;
        let mut lookup = self.look_up(link, &target, &mut ops)?;
        self.apply_all(link, &target, &ops, &mut atomics, &mut lookup);
        Ok(())
    }

    /// The same Status for every command of a Sync that is not worked on.
    pub(super) fn refuse(&mut self, commands: &[Command<'_>], position: u32, code: Code) {
        let mut rest: Vec<&Command<'_>> = commands.iter().rev().collect();
        while let Some(command) = rest.pop() {
            if !command.no_resp() {
                self.answer(position, command.cmd_id(), command.name(), code);
            }
            match command {
                Command::Group(group) => rest.extend(group.commands.iter().rev()),
                Command::Sync(sync) => rest.extend(sync.commands.iter().rev()),
                _ => {}
            }
        }
    }

    /// Flattens the commands, reads their bodies, joins chunks.
    fn collect<'m>(
        &mut self,
        link: usize,
        commands: &'m [Command<'m>],
        position: u32,
        ops: &mut Vec<Op<'m>>,
        atomics: &mut Vec<Atomic<'m>>,
    ) {
        let mut rest: Vec<(&'m Command<'m>, Option<usize>)> = commands
            .iter()
            .rev()
            .map(|command| (command, None))
            .collect();
        while let Some((command, within)) = rest.pop() {
            let mut refused = None;
            match command {
                Command::Group(group) if group.kind == GroupKind::Sequence => {
                    if !group.no_resp {
                        self.answer(position, &group.cmd_id, "Sequence", Code::OK);
                    }
                    let members = group.commands.iter().rev();
                    rest.extend(members.map(|command| (command, within)));
                }
                Command::Group(group) if within.is_none() => {
                    atomics.push(Atomic {
                        position,
                        cmd_id: &group.cmd_id,
                        answered: !group.no_resp,
                        refused: false,
                        done: false,
                    });
                    let within = Some(atomics.len() - 1);
                    let members = group.commands.iter().rev();
                    rest.extend(members.map(|command| (command, within)));
                }
                // An Atomic within an Atomic is not allowed.
                Command::Group(_) => refused = Some(Code::COMMAND_FAILED),
                Command::Change(change)
                    if within.is_some() && change.items.iter().any(|item| item.more_data) =>
                {
                    // It would end in another message.
                    refused = Some(Code::FEATURE_NOT_SUPPORTED);
                }
                Command::Change(change) => {
                    for item in &change.items {
                        if let Some(op) = self.op(link, change, item, position) {
                            ops.push(Op {
                                atomic: within,
                                ..op
                            });
                        }
                    }
                }
                _ => refused = Some(Code::COMMAND_NOT_ALLOWED),
            }
            if let Some(code) = refused {
                self.refuse(std::slice::from_ref(command), position, code);
                if let Some(atomic) = within.and_then(|index| atomics.get_mut(index)) {
                    atomic.refused = true;
                }
            }
        }
    }

    fn op<'m>(
        &mut self,
        link: usize,
        change: &'m syncml::Change<'m>,
        item: &'m syncml::Item<'m>,
        position: u32,
    ) -> Option<Op<'m>> {
        let uri = |place: &Option<syncml::Location<'_>>| {
            let uri = place.as_ref().map(|place| place.uri.to_string());
            uri.filter(|uri| !uri.is_empty())
        };
        let (source, target_of_item) = (uri(&item.source), uri(&item.target));
        // Copy without a body: Source is what is copied, Target the copy.
        let copy_of = source
            .clone()
            .filter(|_| change.kind == ChangeKind::Copy && !item.data.is_some());
        let luid = if copy_of.is_some() {
            target_of_item
        } else {
            source.or(target_of_item)
        };
        let luid = luid.unwrap_or_default();
        let place = Place::of(item);
        let bare = matches!(change.kind, ChangeKind::Delete | ChangeKind::Move);
        let content = if luid.is_empty() || luid.len() > MAX_LUID {
            Err(Code::INCOMPLETE_COMMAND)
        } else if bare || copy_of.is_some() {
            Ok(Content::Absent)
        } else {
            let metas = [item.meta.as_deref(), change.meta.as_deref()];
            let media = metas.iter().flatten().find_map(|meta| meta.kind.as_deref());
            match self.whole(link, &luid, item, metas, media) {
                super::chunk::Whole::Body { data, media } => {
                    unread(data, media.as_deref(), metas).map(Content::Unread)
                }
                super::chunk::Whole::Part => {
                    self.answer_refs(
                        position,
                        &change.cmd_id,
                        change.kind.name(),
                        Code::CHUNK_ACCEPTED,
                        None,
                        Some(&luid),
                    );
                    return None;
                }
                super::chunk::Whole::Repeated(code) => {
                    let name = change.kind.name();
                    self.answer_refs(position, &change.cmd_id, name, code, None, Some(&luid));
                    return None;
                }
                super::chunk::Whole::Refused(code) => Err(code),
            }
        };
        Some(Op {
            position,
            cmd_id: &change.cmd_id,
            kind: change.kind,
            answered: !change.no_resp,
            luid,
            soft: change.soft,
            atomic: None,
            copy_of,
            place,
            content,
        })
    }
}
