//! Folders of a hierarchical datastore as the client's changes meet them (OMA DS 1.2: SourceParent, TargetParent, Move).
//!
//! Folders are items, so everything that holds for items holds for them. What is of their own: a parent has to be a living
//! folder, no folder is within itself, a folder of a role stays, and whoever deletes a folder deletes what is in it.

use rustc_hash::FxHashSet;

use super::LoadFailed;
use super::apply::Op;
use super::incoming::Incoming;
use super::lookup::Lookup;
use super::turn::Turn;
use crate::content::Format;
use crate::content::email::{Folder, FolderRole};
use crate::sync::{
    Answer, Change, ConflictPolicy, Datastore, Entry, ItemId, Known, Newest, NewestQuery, Query,
};
use crate::syncml::{self, Code};

/// Folders within each other.
pub(super) const MAX_DEPTH: usize = 16;
/// Folders of an account.
const MAX_FOLDERS: usize = crate::sync::MAX_FOLDERS - 8;

/// The folder that a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The top.
    Top,
    /// By the device's id.
    Luid(String),
    /// By ours.
    Guid(String),
}

impl Place {
    /// What an item says of its parent.
    pub(super) fn of(item: &syncml::Item<'_>) -> Option<Self> {
        let named = |uri: &Option<std::borrow::Cow<'_, str>>| {
            let uri = uri.as_deref().map(str::trim).filter(|uri| !uri.is_empty());
            uri.map(ToOwned::to_owned)
        };
        let is_top = |uri: &String| uri.trim_matches(['.', '/']).is_empty();
        match (named(&item.target_parent), named(&item.source_parent)) {
            (Some(uri), _) | (None, Some(uri)) if is_top(&uri) => Some(Self::Top),
            (Some(guid), _) => Some(Self::Guid(guid)),
            (None, Some(luid)) => Some(Self::Luid(luid)),
            (None, None) => None,
        }
    }
}

/// Whether a datastore has folders.
pub(super) fn has_folders(view: Datastore) -> bool {
    view == Datastore::Mail
}

impl Turn<'_> {
    /// Whether the datastore of a link has folders.
    pub(super) fn is_hierarchical(&self, link: usize) -> bool {
        has_folders(self.state.links[link].view)
    }

    /// The folders of a link's datastore, loaded once for a message; those that have a role and are missing are made.
    pub(super) fn load_folders(&mut self, link: usize) -> Result<(), LoadFailed> {
        if self.folders.is_some() || !self.is_hierarchical(link) {
            return Ok(());
        }
        let view = self.state.links[link].view;
        let Answer::Outgoing(found) = self.loads.load(&Query::Folders(view))? else {
            return Err(LoadFailed);
        };
        let mut folders = Vec::with_capacity(found.items.len());
        for (item, entry) in found.items {
            let role = Folder::read(&item.body).ok().and_then(|folder| folder.role);
            let id = item.meta.id;
            folders.push((id, role));
            self.keep_known(vec![Known {
                item: item.meta,
                entry,
            }]);
            if let Some(held) = self.items.get_mut(&id)
                && held.body.is_none()
            {
                held.body = Some(item.body);
            }
        }
        self.folders = Some(folders);
        for role in FolderRole::ALL {
            if self.folder_of(role).is_none() {
                let folder = Folder::new(role.title(), Some(role));
                if let Some(incoming) = Incoming::of_folder(&folder) {
                    self.write_item(None, &incoming, None, None);
                }
            }
        }
        Ok(())
    }

    /// The folder of a role, if it was loaded and lives.
    pub(super) fn folder_of(&self, role: FolderRole) -> Option<ItemId> {
        let folders = self.folders.as_deref().unwrap_or_default();
        folders
            .iter()
            .filter(|(_, of)| *of == Some(role))
            .map(|(id, _)| *id)
            .find(|id| self.is_folder(*id))
    }

    /// What a folder is for.
    pub(super) fn role_of(&self, id: ItemId) -> Option<FolderRole> {
        let folders = self.folders.as_deref().unwrap_or_default();
        folders
            .iter()
            .find(|(of, _)| *of == id)
            .and_then(|(_, role)| *role)
    }

    /// A folder that was written is one of the loaded from now on.
    pub(super) fn note_folder(&mut self, id: ItemId, role: Option<FolderRole>) {
        let folders = self.folders.get_or_insert_default();
        match folders.iter_mut().find(|(of, _)| *of == id) {
            Some((_, of)) => *of = role,
            None => folders.push((id, role)),
        }
    }

    /// Whether an item that was loaded is a living folder.
    pub(super) fn is_folder(&self, id: ItemId) -> bool {
        self.items
            .get(&id)
            .is_some_and(|held| !held.meta.deleted && held.meta.format == Format::Folder)
    }

    /// How many folders are above an item; [`MAX_DEPTH`] for one that hangs in the air.
    pub(super) fn depth(&self, id: ItemId) -> usize {
        let mut at = id;
        for depth in 0..MAX_DEPTH {
            match self.items.get(&at).map(|held| held.meta.parent) {
                Some(ItemId(0)) => return depth,
                Some(parent) => at = parent,
                None => return MAX_DEPTH,
            }
        }
        MAX_DEPTH
    }

    fn is_within(&self, id: ItemId, folder: ItemId) -> bool {
        let mut at = id;
        for _ in 0..=MAX_DEPTH {
            if at == folder {
                return true;
            }
            match self.items.get(&at) {
                Some(held) => at = held.meta.parent,
                None => return false,
            }
        }
        true
    }

    /// The folder that an op names; none if it names none. `Err` is the Status.
    pub(super) fn place_of(
        &mut self,
        link: usize,
        op: &Op<'_>,
        lookup: &Lookup,
    ) -> Result<Option<ItemId>, Code> {
        let view = self.state.links[link].view;
        let id = match &op.place {
            _ if !self.is_hierarchical(link) => return Ok(None),
            None => return Ok(None),
            Some(Place::Top) => return Ok(Some(ItemId(0))),
            Some(Place::Guid(guid)) => ItemId::from_guid(guid),
            Some(Place::Luid(luid)) => lookup.by_luid.get(luid).copied(),
        };
        match id.filter(|id| self.is_folder(*id)) {
            Some(id) => Ok(Some(id)),
            None => {
                let text = "the folder that it is in is not known";
                self.note(Some(view), Some(&op.luid), text);
                Err(Code::NOT_FOUND)
            }
        }
    }

    /// Where a new item goes that names no folder. A device without folders may say it in its id of the item.
    pub(super) fn default_place(&self, op: &Op<'_>, incoming: &Incoming<'_>) -> ItemId {
        if incoming.format == Format::Folder {
            return ItemId(0);
        }
        let named = op.luid.split(['/', '\\']).find_map(FolderRole::from_name);
        self.folder_of(named.unwrap_or(FolderRole::Drafts))
            .unwrap_or_default()
    }

    /// Whether an item may go into a folder; `Err` is the Status.
    pub(super) fn may_go(
        &mut self,
        link: usize,
        luid: &str,
        id: Option<ItemId>,
        to: ItemId,
    ) -> Result<(), Code> {
        let view = self.state.links[link].view;
        let folder = id.is_none_or(|id| self.is_folder(id));
        let below = id.filter(|_| folder).map_or(0, |id| self.height(id));
        let (code, text) =
            if id.is_some_and(|id| folder && to != ItemId(0) && self.is_within(to, id)) {
                (Code::FORBIDDEN, "a folder cannot go into itself")
            } else if folder && to != ItemId(0) && self.depth(to) + 1 + below >= MAX_DEPTH {
                (Code::FORBIDDEN, "folders are too deep within each other")
            } else if id.is_some_and(|id| self.role_of(id).is_some()) && to != ItemId(0) {
                (
                    Code::PERMISSION_DENIED,
                    "a folder that the server needs stays where it is",
                )
            } else if !folder && to == ItemId(0) {
                (Code::NOT_FOUND, "mail has to be in a folder")
            } else {
                return Ok(());
            };
        self.note(Some(view), Some(luid), text);
        Err(code)
    }

    /// Folders below a folder, in levels.
    fn height(&self, id: ItemId) -> usize {
        let folders = self.folders.as_deref().unwrap_or_default();
        let mine = self.depth(id);
        folders
            .iter()
            .filter(|(of, _)| self.is_folder(*of) && self.is_within(*of, id))
            .map(|(of, _)| self.depth(*of).saturating_sub(mine))
            .max()
            .unwrap_or(0)
    }

    /// Whether one more folder is too many.
    pub(super) fn has_too_many_folders(&self) -> bool {
        self.folders
            .as_ref()
            .is_some_and(|folders| folders.len() >= MAX_FOLDERS)
    }

    /// Puts an item that exists into another folder.
    pub(super) fn move_item(&mut self, id: ItemId, parent: ItemId) {
        self.modseq = self.modseq.next();
        if let Some(held) = self.items.get_mut(&id) {
            held.meta.parent = parent;
            held.meta.modseq = self.modseq;
            held.meta.updated = self.context.now;
            held.changed = true;
        }
        self.changes.push(Change::MoveItem {
            item: id,
            parent,
            modseq: self.modseq,
            origin: Some(self.device.id),
        });
        self.submit(id);
    }

    /// After an Add, Replace or Move of an item: moves it if the device did, and remembers where the device has it. `had` is
    /// where the device had it before. Both moved it: the device's folder counts, unless the server's side wins conflicts.
    pub(super) fn settle_place(
        &mut self,
        link: usize,
        op: &Op<'_>,
        id: ItemId,
        place: Option<ItemId>,
        had: Option<ItemId>,
    ) -> Result<(), Code> {
        let view = self.state.links[link].view;
        let Some(held) = self.items.get(&id) else {
            return Ok(());
        };
        let (is_at, before) = (held.meta.parent, held.meta.modseq);
        let Some(mut entry) = held.entry.clone() else {
            return Ok(());
        };
        let has = place.or(had).unwrap_or(is_at);
        let moved_there = had.is_some_and(|had| had != has);
        let moved_here = had.is_some_and(|had| had != is_at);
        let server_wins = moved_here && self.policy(view) == ConflictPolicy::Server;
        if moved_there && has != is_at && !server_wins {
            self.may_go(link, &op.luid, Some(id), has)?;
            self.move_item(id, has);
            if entry.seen == before {
                entry.seen = self.modseq;
            }
        }
        entry.parent = has;
        if self.items[&id].entry.as_ref() != Some(&entry) {
            self.put_entry(view, entry, None);
        }
        Ok(())
    }

    /// Move: an item goes into another folder (OMA DS 1.2, Move).
    pub(super) fn relocate(
        &mut self,
        link: usize,
        op: &Op<'_>,
        place: Option<ItemId>,
        lookup: &Lookup,
    ) -> Code {
        if !self.is_hierarchical(link) {
            self.note_move(link);
            return Code::FEATURE_NOT_SUPPORTED;
        }
        let known = lookup.by_luid.get(&op.luid).copied();
        let Some((id, entry)) = known.and_then(|id| {
            let held = self.items.get(&id).filter(|held| !held.meta.deleted)?;
            Some((id, held.entry.clone()?))
        }) else {
            return Code::NOT_FOUND;
        };
        let Some(to) = place else {
            return Code::INCOMPLETE_COMMAND;
        };
        if let Err(code) = self.may_go(link, &op.luid, Some(id), to) {
            return code;
        }
        match self.settle_place(link, op, id, Some(to), Some(entry.parent)) {
            Ok(()) => Code::OK,
            Err(code) => code,
        }
    }

    /// Adds to deletions what is in the folders among them, and puts the innermost first.
    pub(super) fn with_contents(
        &mut self,
        link: usize,
        deletions: &mut FxHashSet<ItemId>,
    ) -> Result<(), LoadFailed> {
        self.load_folders(link)?;
        let view = self.state.links[link].view;
        let gone: Vec<ItemId> = deletions
            .iter()
            .copied()
            .filter(|id| self.is_folder(*id))
            .collect();
        let folders = self.folders.clone().unwrap_or_default();
        let mut within = Vec::new();
        for (id, _) in folders {
            if self.is_folder(id) && gone.iter().any(|folder| self.is_within(id, *folder)) {
                deletions.insert(id);
                within.push(Newest {
                    folder: id,
                    since: i64::MIN,
                    count: u32::MAX,
                });
            }
        }
        if within.is_empty() {
            return Ok(());
        }
        let query = NewestQuery {
            view,
            folders: within,
        };
        let Answer::Known(known) = self.loads.load(&Query::Newest(query))? else {
            return Err(LoadFailed);
        };
        self.keep_known(known);
        // As this message left them.
        let inside = |id: &ItemId| {
            let held = &self.items[id];
            !held.meta.deleted && deletions.contains(&held.meta.parent)
        };
        let found: Vec<ItemId> = self.items.keys().copied().filter(inside).collect();
        deletions.extend(found);
        Ok(())
    }

    /// Carries out the deletion of an item: a mail that the device had goes to the trash first.
    pub(super) fn delete_or_discard(
        &mut self,
        link: usize,
        id: ItemId,
        deletions: &FxHashSet<ItemId>,
    ) {
        let view = self.state.links[link].view;
        let trash = self.folder_of(FolderRole::Trash);
        let to = self.items.get(&id).and_then(|held| {
            let mail = held.meta.format == Format::Mail;
            trash.filter(|trash| {
                mail && held.meta.parent != *trash && !deletions.contains(&held.meta.parent)
            })
        });
        let Some(trash) = to else {
            self.delete_item(id);
            self.drop_entry(view, id);
            return;
        };
        self.move_item(id, trash);
        // The device does not want it back, not in its trash either.
        let round = self.state.links[link].round;
        let gone = Entry {
            luid: None,
            ..Entry::named(id, "", self.modseq, round).within(trash)
        };
        self.put_entry(view, gone, None);
    }
}
