//! The commands of a Sync in their order; those of an Atomic all or none (SyncML Representation Protocol 1.1, Atomic,
//! Sequence and Copy).
//!
//! A message is one transaction, so nothing of an Atomic that fails has been written: what it changed in this turn is taken
//! back. Its members then have 216 (taken back) or 215 (not executed), the one that failed its own code, the Atomic 507.

use rustc_hash::FxHashMap;

use super::apply::Op;
use super::incoming::{Content, Incoming};
use super::lookup::Lookup;
use super::profile::Target;
use super::state::Counts;
use super::turn::{Held, Turn};
use crate::content::Kind;
use crate::sync::recording::{Event, What};
use crate::sync::{Datastore, Entry, ItemId, Modseq};
use crate::syncml::{ChangeKind, Code};

/// An Atomic of a Sync.
pub(super) struct Atomic<'m> {
    pub position: u32,
    pub cmd_id: &'m str,
    pub answered: bool,
    /// It has a command that cannot be part of one.
    pub refused: bool,
    /// It has been answered.
    pub done: bool,
}

/// What an Atomic may change, as it was before.
struct Before {
    changes: usize,
    modseq: Modseq,
    next_item: ItemId,
    items: FxHashMap<ItemId, Held>,
    claims: FxHashMap<ItemId, Datastore>,
    by_luid: FxHashMap<String, ItemId>,
    counts: Counts,
    usage: Option<(u64, u64)>,
}

impl Turn<'_> {
    /// Applies the ops of a Sync and answers them.
    pub(super) fn apply_all(
        &mut self,
        link: usize,
        target: &Target,
        ops: &[Op<'_>],
        atomics: &mut [Atomic<'_>],
        lookup: &mut Lookup,
    ) {
        // What the device still has as it was comes first: no other item may take its place.
        let mut codes: Vec<Option<Code>> = vec![None; ops.len()];
        for (op, code) in ops.iter().zip(&mut codes) {
            if op.atomic.is_none() && matches!(op.content, Ok(Content::Unchanged(_))) {
                *code = Some(self.apply(link, target, op, lookup));
            }
        }
        let mut codes = codes.into_iter();
        for members in ops.chunk_by(|a, b| a.atomic.is_some() && a.atomic == b.atomic) {
            let atomic = members[0].atomic.and_then(|index| atomics.get_mut(index));
            let known = codes.by_ref().take(members.len());
            match atomic {
                Some(atomic) => {
                    known.for_each(drop);
                    self.apply_atomic(link, target, members, atomic, lookup);
                }
                None => {
                    for (op, code) in members.iter().zip(known.collect::<Vec<_>>()) {
                        let before = lookup.by_luid.get(&op.luid).copied();
                        let code = code.unwrap_or_else(|| self.apply(link, target, op, lookup));
                        self.applied(link, op, code, before, lookup);
                    }
                }
            }
        }
        for atomic in atomics.iter_mut().filter(|atomic| !atomic.done) {
            self.answer_atomic(atomic, !atomic.refused);
        }
    }

    fn apply_atomic(
        &mut self,
        link: usize,
        target: &Target,
        ops: &[Op<'_>],
        atomic: &mut Atomic<'_>,
        lookup: &mut Lookup,
    ) {
        let before = Before {
            changes: self.changes.len(),
            modseq: self.modseq,
            next_item: self.next_item,
            items: self.items.clone(),
            claims: self.claims.clone(),
            by_luid: lookup.by_luid.clone(),
            counts: self.state.links[link].counts,
            usage: self.state.usage,
        };
        // What may be undone is not kept beyond this message.
        self.end_repetition(self.state.links[link].view);
        let mut failed = atomic.refused;
        let mut codes = Vec::with_capacity(ops.len());
        for op in ops {
            let code = if failed {
                Code::NOT_EXECUTED
            } else {
                self.apply(link, target, op, lookup)
            };
            failed |= !stands(code);
            codes.push(code);
        }
        let named: Vec<_> = ops
            .iter()
            .map(|op| before.by_luid.get(&op.luid).copied())
            .collect();
        if failed {
            self.changes.truncate(before.changes);
            self.modseq = before.modseq;
            self.next_item = before.next_item;
            self.items = before.items;
            self.claims = before.claims;
            lookup.by_luid = before.by_luid;
            self.state.usage = before.usage;
            let counts = &mut self.state.links[link].counts;
            *counts = before.counts;
            counts.received_refused += u32::try_from(ops.len()).unwrap_or(u32::MAX);
            for code in codes
                .iter_mut()
                .filter(|code| stands(**code) && **code != Code::NOT_EXECUTED)
            {
                *code = Code::ATOMIC_ROLL_BACK_OK;
            }
        }
        self.answer_atomic(atomic, !failed);
        for ((op, code), before) in ops.iter().zip(codes).zip(named) {
            self.applied(link, op, code, before, lookup);
        }
    }

    fn answer_atomic(&mut self, atomic: &mut Atomic<'_>, stands: bool) {
        atomic.done = true;
        if atomic.answered {
            let code = if stands {
                Code::OK
            } else {
                Code::ATOMIC_FAILED
            };
            self.answer(atomic.position, atomic.cmd_id, "Atomic", code);
        }
    }

    /// What follows an op whatever came of it: the trace and the Status.
    fn applied(
        &mut self,
        link: usize,
        op: &Op<'_>,
        code: Code,
        before: Option<ItemId>,
        lookup: &Lookup,
    ) {
        if let Some(finished) = &mut self.state.finished
            && finished.luid == op.luid
        {
            finished.code = code;
        }
        let item = lookup.by_luid.get(&op.luid).copied().or(before);
        let what = match op.kind {
            ChangeKind::Add | ChangeKind::Copy => What::ReceivedAdd,
            ChangeKind::Delete => What::ReceivedDelete,
            ChangeKind::Replace | ChangeKind::Move => What::ReceivedReplace,
        };
        self.trace.push(&Event {
            item: item.unwrap_or_default(),
            code: code.0,
            luid: &op.luid,
            ..Event::new(what, Some(self.state.links[link].view))
        });
        if op.answered {
            let luid = Some(op.luid.as_str()).filter(|luid| !luid.is_empty());
            self.answer_refs(op.position, op.cmd_id, op.kind.name(), code, None, luid);
        }
    }

    pub(super) fn note_move(&mut self, link: usize) {
        let view = self.state.links[link].view;
        self.note(
            Some(view),
            None,
            "Move is refused: the datastore has no folders",
        );
    }

    /// Copy without a body: the device has an item twice, the second under another LUID.
    pub(super) fn copy(
        &mut self,
        link: usize,
        op: &Op<'_>,
        from: &str,
        lookup: &mut Lookup,
    ) -> Code {
        let living = |id: &ItemId| self.items.get(id).filter(|held| !held.meta.deleted);
        if lookup
            .by_luid
            .get(&op.luid)
            .is_some_and(|id| living(id).is_some())
        {
            return Code::ALREADY_EXISTS;
        }
        let Some(held) = lookup.by_luid.get(from).and_then(living) else {
            return Code::NOT_FOUND;
        };
        let (meta, Some(body)) = (held.meta.clone(), held.body.clone()) else {
            return Code::COMMAND_FAILED;
        };
        if self.is_over_quota(1, body.len()) {
            return Code::DEVICE_FULL;
        }
        let Some(incoming) = Incoming::of_stored(&meta, &body) else {
            return Code::COMMAND_FAILED;
        };
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        let place = lookup.place.or(Some(meta.parent));
        if incoming.kind == Kind::Folder {
            return Code::FEATURE_NOT_SUPPORTED;
        }
        let new = self.write_item(None, &incoming, None, place);
        let entry = Entry {
            digest: incoming.digest,
            ..Entry::named(new, &op.luid, self.modseq, round).within(self.items[&new].meta.parent)
        };
        self.put_entry(view, entry, Some(lookup));
        Code::ITEM_ADDED
    }
}

/// An Atomic goes on after such a Status: the item is as it should be, if not by this command.
fn stands(code: Code) -> bool {
    code.is_success() || matches!(code, Code::CONFLICT_SERVER_WINS | Code::ALREADY_EXISTS)
}
