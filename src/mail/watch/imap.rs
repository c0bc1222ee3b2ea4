//! Watching a mailbox over IMAP: rounds over the folders that changed, and waiting in between.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::time::Instant;

use super::carry;
use super::pull::{Arrived, Books, Place};
use super::task::{Context, Ended};
use super::tree;
use crate::content::email::FolderRole;
use crate::mail::error::MailError;
use crate::mail::flags::Flags;
use crate::mail::imap::{Fetched, ListedFolder, News, Seen, Selected, Session};
use crate::store::StoreError;
use crate::sync::{MirrorChange, MirrorFolder, MirrorMessage};

/// Octets of bodies that are fetched at once, about.
const FETCH_OCTETS: usize = 1 << 20;
/// Messages that are fetched at once.
const FETCH_COUNT: usize = 16;
/// Messages that wait for a look at the folder where they may have been.
const MOST_HELD: usize = 32;
/// Octets that a literal may have which is no body.
const SMALL_LITERAL: usize = 64 << 10;
/// How often the list of folders is asked for, and what is older than the window dropped.
const LIST_AGAIN: Duration = Duration::from_secs(3600);
/// Folders that are watched of one mailbox.
const MAX_FOLDERS: usize = 100;
/// How many times more messages than are mirrored a first look has the server search: some of the newest can have old dates.
const LOOKED_AT: usize = 4;
/// How often what is astray is carried again before something else happens.
const MAX_AGAIN: usize = 3;
/// The inbox's name at every server.
pub(super) const INBOX: &str = "INBOX";

/// A mailbox that is being watched.
pub(super) struct Imap<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) session: Session,
    pub(super) books: Books,
    /// The folders that are mirrored, by the UIDVALIDITY that holds.
    pub(super) folders: Vec<MirrorFolder>,
    /// The list of the server.
    pub(super) listed: Vec<ListedFolder>,
    /// A phone's changes have made the list another one.
    pub(super) renewed: bool,
    /// Folders beside the inbox that were selected: of what came meanwhile the server does not speak again.
    left: BTreeSet<String>,
    /// Folders that are to be looked at, since something of ours was not where it should be, or is new there.
    pub(super) doubtful: BTreeSet<String>,
    /// Messages may be elsewhere than their items.
    pub(super) astray: bool,
}

/// What a round found and has not settled.
#[derive(Default)]
struct Round {
    /// Gone from where they were.
    limbo: Vec<MirrorMessage>,
    /// New here, and known elsewhere.
    held: Vec<Arrived>,
    /// The folders' books, for the end.
    states: Vec<MirrorFolder>,
    /// Folders of an older UIDVALIDITY, whose messages are in limbo.
    stale: Vec<i64>,
}

/// Watches until something goes wrong.
pub(super) async fn watch(context: &Context<'_>) -> Result<Infallible, Ended> {
    let incoming = context
        .settings
        .incoming
        .as_ref()
        .ok_or_else(|| MailError::Settings("the mailbox has no server".to_owned()))?;
    let shown = context.shown().await?;
    let mut session = Session::connect(&incoming.login.address, SMALL_LITERAL).await?;
    session.login(&incoming.login.user, &shown).await?;
    let shared = &context.watchers.0;
    let copies = !session.can("MOVE");
    let mut imap = Imap {
        context,
        session,
        books: Books {
            store: shared.store.clone(),
            node: shared.node.clone(),
            id: context.mailbox.id,
            copies,
        },
        folders: Vec::new(),
        listed: Vec::new(),
        renewed: false,
        left: BTreeSet::new(),
        doubtful: BTreeSet::new(),
        astray: true,
    };
    let ended = imap.lead().await;
    if !matches!(
        ended,
        Err(Ended::Mail(MailError::Lost(_) | MailError::Silent))
    ) {
        imap.session.close().await;
    }
    ended
}

impl Imap<'_> {
    /// Runs what blocks on the database.
    pub(super) async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Books) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Ended> {
        let books = self.books.clone();
        let done = self.context.watchers.blocking(move |_| work(&books)).await;
        match done.ok_or(Ended::Failed)? {
            Ok(value) => Ok(value),
            // The lease is another's, or the mailbox was removed.
            Err(StoreError::NotFound) => Err(Ended::Later(0)),
            Err(error) => Err(error.into()),
        }
    }

    async fn lead(&mut self) -> Result<Infallible, Ended> {
        let settings = self.context.watchers.0.settings.clone();
        self.list().await?;
        let mut notified = self.notify().await?;
        self.round(self.names().collect()).await?;
        self.context.checked().await?;
        let mut listed = Instant::now();
        let mut polled = Instant::now();
        let mut again = 0;
        loop {
            carry::carry(self).await?;
            if std::mem::take(&mut self.renewed) {
                self.list().await?;
                notified = self.notify().await?;
                let unseen = self.folders.iter().filter(|folder| folder.uid_next == 0);
                let unseen = unseen.map(|folder| folder.name.clone()).collect();
                self.round(unseen).await?;
            }
            if self.session.selected() != Some(INBOX) {
                // What came while another folder was selected is news.
                self.round(BTreeSet::from([INBOX.to_owned()])).await?;
            }
            let mut missed = self.missed(notified).await?;
            missed.append(&mut self.doubtful);
            missed.retain(|name| self.folders.iter().any(|folder| folder.name == *name));
            let looks = !missed.is_empty();
            if looks {
                self.round(missed).await?;
                self.context.checked().await?;
            }
            again += usize::from(self.astray);
            if looks || (self.astray && again < MAX_AGAIN) {
                continue;
            }
            again = 0;
            let until = polled + settings.poll;
            let news = if self.session.can("IDLE") {
                self.session
                    .idle(until, self.context.stirred.notified())
                    .await?
            } else if self.session.has_news() {
                News::Changed
            } else {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.context.stirred.notified() => {}
                }
                News::Time
            };
            let mut dirty = BTreeSet::new();
            if news == News::Changed {
                dirty.extend(self.session.take_others());
                if self.session.has_news() || dirty.is_empty() {
                    dirty.insert(INBOX.to_owned());
                }
                dirty.retain(|name| self.folders.iter().any(|folder| folder.name == *name));
            }
            if Instant::now() >= until {
                polled = Instant::now();
                if listed.elapsed() >= LIST_AGAIN {
                    listed = Instant::now();
                    self.list().await?;
                    self.trim().await?;
                }
                dirty.insert(INBOX.to_owned());
                // Where the server speaks first, that is for what it did not say.
                dirty.extend(self.changed().await?);
                if notified && !self.session.is_notified() {
                    // It had too much to tell, and stopped.
                    notified = self.notify().await?;
                }
            }
            if !dirty.is_empty() {
                self.round(dirty).await?;
                self.context.checked().await?;
            }
        }
    }

    /// Names of the folders that are watched.
    fn names(&self) -> impl Iterator<Item = String> {
        self.folders.iter().map(|folder| folder.name.clone())
    }

    /// Has the server speak of all folders, where it can.
    async fn notify(&mut self) -> Result<bool, Ended> {
        let others: Vec<String> = self.names().filter(|name| name != INBOX).collect();
        Ok(self.session.notify(&others).await?)
    }

    /// Whether no more folders are watched.
    pub(super) fn is_full(&self) -> bool {
        self.folders.len() >= MAX_FOLDERS
    }

    /// Folders with mail that came while they were selected and was not looked at. Without notifications they are polled.
    async fn missed(&mut self, notified: bool) -> Result<BTreeSet<String>, Ended> {
        let mut missed = BTreeSet::new();
        for name in std::mem::take(&mut self.left) {
            let Some(next) = self.folder(&name).map(|folder| folder.uid_next) else {
                continue;
            };
            if notified
                && let Some(status) = self.session.status(&name).await?
                && i64::from(status.uid_next) > next
            {
                missed.insert(name);
            }
        }
        Ok(missed)
    }

    fn note_left(&mut self, name: &str) {
        if name != INBOX {
            self.left.insert(name.to_owned());
        }
    }

    /// Selects a folder; false if it was not looked at yet. If its UIDs are those of other messages by now, the watch ends and begins
    /// anew: that look finds out which, and what was to be carried is carried then.
    pub(super) async fn select_valid(&mut self, folder: &MirrorFolder) -> Result<bool, Ended> {
        if self.session.selected() == Some(&*folder.name) {
            return Ok(true);
        }
        self.note_left(&folder.name);
        let selected = self.session.select(&folder.name).await?;
        if folder.uid_validity == 0 {
            return Ok(false);
        }
        if i64::from(selected.uid_validity) != folder.uid_validity {
            let why = "a folder was made anew at the mail server; it is looked at again";
            return Err(MailError::Lost(why.to_owned()).into());
        }
        Ok(true)
    }

    /// Selects another folder than this one, which is to get another name, or to go.
    pub(super) async fn leave(&mut self, folder: &str) -> Result<(), Ended> {
        let selected = self.session.selected();
        if selected.is_some_and(|selected| selected.starts_with(folder)) {
            self.session.select(INBOX).await?;
        }
        Ok(())
    }

    /// Asks for the folders, and brings them into the books.
    async fn list(&mut self) -> Result<(), Ended> {
        self.listed = self.session.folders().await?;
        self.folders = self
            .stored(|books| books.store.mirror_folders(books.id))
            .await?;
        tree::find_renamed(self).await?;
        let mut placed: Vec<(String, Place)> = Vec::new();
        for folder in &self.listed {
            let place = match folder.role {
                _ if folder.junk => continue,
                Some(role) => Place::Role(role),
                None => Place::Path(folder.path.clone()),
            };
            placed.push((folder.name.clone(), place));
        }
        // The inbox first: others name folders within it.
        placed.sort_by_key(|(name, place)| {
            (
                name != INBOX,
                !matches!(place, Place::Role(_)),
                name.clone(),
            )
        });
        placed.truncate(MAX_FOLDERS);
        let wanted = placed.clone();
        let all = self.stored(move |books| books.folders(&wanted)).await?;
        let gone: Vec<MirrorFolder> = all
            .iter()
            .filter(|folder| !placed.iter().any(|(name, _)| *name == folder.name))
            .cloned()
            .collect();
        for folder in gone {
            let listed = self.listed.iter().any(|listed| listed.name == folder.name);
            self.stored(move |books| {
                let rows = books.store.mirror_messages(books.id, folder.id)?;
                books.drop(&rows)?;
                books.note(vec![MirrorChange::DropFolder(folder.id)])?;
                match listed {
                    // There are more than are watched.
                    true => Ok(()),
                    false => books.forget_folder(folder.folder),
                }
            })
            .await?;
        }
        self.folders = all
            .into_iter()
            .filter(|folder| placed.iter().any(|(name, _)| *name == folder.name))
            .collect();
        Ok(())
    }

    /// The folder of that name whose UIDVALIDITY is the newest in the books.
    fn folder(&self, name: &str) -> Option<&MirrorFolder> {
        self.folders.iter().rev().find(|folder| folder.name == name)
    }

    /// Folders beside the inbox that are not as the books have them.
    async fn changed(&mut self) -> Result<Vec<String>, Ended> {
        let mut changed = Vec::new();
        let mut names: Vec<String> = self
            .folders
            .iter()
            .map(|folder| folder.name.clone())
            .collect();
        names.dedup();
        for name in names.into_iter().filter(|name| name != INBOX) {
            let Some(status) = self.session.status(&name).await? else {
                continue;
            };
            let same = self.folder(&name).is_some_and(|folder| {
                folder.uid_validity == i64::from(status.uid_validity)
                    && folder.uid_next == i64::from(status.uid_next)
                    && folder.modseq == modseq(status)
                    // Without numbers of changes only a look tells.
                    && folder.modseq > 0
            });
            if !same {
                changed.push(name);
            }
        }
        Ok(changed)
    }

    /// Looks at these folders, and at those that turn out to matter; then settles what was found.
    async fn round(&mut self, dirty: BTreeSet<String>) -> Result<(), Ended> {
        let mut round = Round::default();
        let mut looked = BTreeSet::new();
        let mut waiting: Vec<String> = dirty.into_iter().collect();
        // The inbox is first in time: it is what a phone is woken for.
        waiting.sort_by_key(|name| name == INBOX);
        let mut searched = false;
        loop {
            while let Some(name) = waiting.pop() {
                if looked.insert(name.clone()) {
                    let more = self.look(&name, &mut round).await?;
                    waiting.extend(more.into_iter().filter(|name| !looked.contains(name)));
                }
            }
            if round.limbo.is_empty() || searched {
                break;
            }
            // What is gone from one folder may be new in another that the server did not speak of.
            searched = true;
            waiting = self.changed().await?;
            waiting.retain(|name| !looked.contains(name));
        }
        let Round {
            mut limbo,
            held,
            states,
            stale,
        } = round;
        let folders = self.folders.clone();
        self.stored(move |books| {
            for part in held.chunks(FETCH_COUNT) {
                books.add(&folders, part, &mut limbo)?;
            }
            books.drop(&limbo)?;
            let mut changes: Vec<MirrorChange> =
                states.into_iter().map(MirrorChange::PutFolder).collect();
            changes.extend(stale.into_iter().map(MirrorChange::DropFolder));
            books.note(changes)
        })
        .await?;
        self.folders = self
            .stored(|books| books.store.mirror_folders(books.id))
            .await?;
        self.folders.retain(|folder| {
            self.listed
                .iter()
                .any(|listed| listed.name == folder.name && !listed.junk)
        });
        Ok(())
    }

    /// Looks at a folder; gives other folders that have to be looked at too.
    async fn look(&mut self, name: &str, round: &mut Round) -> Result<Vec<String>, Ended> {
        self.note_left(name);
        let selected = match self.session.select(name).await {
            Ok(selected) => selected,
            // It was removed since it was listed; the next list tells.
            Err(MailError::Refused { .. }) if name != INBOX => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut folder = self.valid(name, selected, round).await?;
        let id = folder.id;
        let rows = self
            .stored(move |books| books.store.mirror_messages(books.id, id))
            .await?;
        let first = folder.uid_next == 0;
        let now = modseq(selected);
        let idle = !first
            && folder.modseq > 0
            && folder.modseq == now
            && self.session.has_qresync()
            && folder.uid_next == i64::from(selected.uid_next);
        if idle {
            return Ok(Vec::new());
        }
        let (mut seen, gone) = if first {
            (self.window().await?, Vec::new())
        } else {
            self.since(&folder, &rows).await?
        };
        round.limbo.extend(gone);
        let (known, mut new): (Vec<Seen>, Vec<Seen>) = seen
            .drain(..)
            .partition(|seen| row_of(&rows, seen.uid).is_some());
        let marked: Vec<(MirrorMessage, Flags)> = known
            .iter()
            .filter_map(|seen| {
                let row = row_of(&rows, seen.uid)?;
                (row.flags != seen.flags.number()).then(|| (row.clone(), seen.flags))
            })
            .collect();
        for part in marked.chunks(FETCH_COUNT) {
            let part = part.to_vec();
            self.stored(move |books| books.mark(&part)).await?;
        }
        new.retain(|seen| first || i64::from(seen.uid) >= folder.uid_next);
        new.sort_unstable_by_key(|seen| seen.uid);
        let settings = &self.context.watchers.0.settings;
        let excess = new.len().saturating_sub(settings.count);
        new.drain(..excess);
        let more = self.fetch(&folder, &new, round).await?;
        let newest = new.last().map_or(0, |seen| i64::from(seen.uid) + 1);
        folder.uid_next = i64::from(selected.uid_next)
            .max(newest)
            .max(folder.uid_next)
            .max(1);
        // What came between SELECT and here has a later number, and is looked at again: the books know it.
        folder.modseq = now;
        round.states.retain(|state| state.id != folder.id);
        round.states.push(folder);
        Ok(more)
    }

    /// The books of a folder as it is now; those of another UIDVALIDITY go to limbo.
    async fn valid(
        &mut self,
        name: &str,
        selected: Selected,
        round: &mut Round,
    ) -> Result<MirrorFolder, Ended> {
        let validity = i64::from(selected.uid_validity);
        let named: Vec<MirrorFolder> = self
            .folders
            .iter()
            .filter(|folder| folder.name == name)
            .cloned()
            .collect();
        let mut found = None;
        for folder in &named {
            if folder.uid_validity == validity {
                found = Some(folder.clone());
            } else if folder.uid_validity != 0 {
                let id = folder.id;
                let rows = self
                    .stored(move |books| books.store.mirror_messages(books.id, id))
                    .await?;
                round.limbo.extend(rows);
                round.stale.push(id);
            }
        }
        if let Some(found) = found {
            return Ok(found);
        }
        let fresh = named
            .iter()
            .find(|folder| folder.uid_validity == 0)
            .cloned();
        let mut folder = match (fresh, named.last()) {
            (Some(folder), _) => folder,
            (None, Some(before)) => MirrorFolder {
                id: self
                    .folders
                    .iter()
                    .map(|folder| folder.id)
                    .max()
                    .unwrap_or(0)
                    + 1,
                ..before.clone()
            },
            (None, None) => return Err(Ended::Failed),
        };
        folder.uid_validity = validity;
        folder.uid_next = 0;
        folder.modseq = 0;
        let written = folder.clone();
        self.stored(move |books| books.note(vec![MirrorChange::PutFolder(written)]))
            .await?;
        self.folders.retain(|known| known.id != folder.id);
        self.folders.push(folder.clone());
        Ok(folder)
    }

    /// The messages of the window.
    async fn window(&mut self) -> Result<Vec<Seen>, Ended> {
        let settings = self.context.watchers.0.settings.clone();
        let begin = chrono::Utc::now().timestamp()
            - i64::try_from(settings.age.as_secs()).unwrap_or(i64::MAX / 2);
        // Of a large folder only its end can matter.
        let most = settings.count.saturating_mul(LOOKED_AT);
        let mut uids = self.session.uids_since(begin, most).await?;
        let excess = uids.len().saturating_sub(settings.count);
        uids.drain(..excess);
        Ok(self.session.seen(&uids).await?)
    }

    /// What changed since the books were written: messages, and those that are gone.
    async fn since(
        &mut self,
        folder: &MirrorFolder,
        rows: &[MirrorMessage],
    ) -> Result<(Vec<Seen>, Vec<MirrorMessage>), Ended> {
        if self.session.has_qresync() && folder.modseq > 0 {
            let since = u64::try_from(folder.modseq).unwrap_or(0);
            let (seen, ranges) = self.session.changes(since).await?;
            let gone = rows.iter().filter(|row| {
                u32::try_from(row.uid)
                    .is_ok_and(|uid| ranges.iter().any(|range| range.contains(&uid)))
            });
            return Ok((seen, gone.cloned().collect()));
        }
        let uids: Vec<u32> = rows
            .iter()
            .filter_map(|row| u32::try_from(row.uid).ok())
            .collect();
        let mut seen = self.session.seen(&uids).await?;
        let there: BTreeSet<i64> = seen.iter().map(|seen| i64::from(seen.uid)).collect();
        let gone = rows.iter().filter(|row| !there.contains(&row.uid));
        let gone = gone.cloned().collect();
        let from = u32::try_from(folder.uid_next).unwrap_or(u32::MAX);
        let new = self.session.uids_from(from).await?;
        seen.extend(self.session.seen(&new).await?);
        Ok((seen, gone))
    }

    /// Fetches and stores messages; gives folders where some of them may have been.
    async fn fetch(
        &mut self,
        folder: &MirrorFolder,
        new: &[Seen],
        round: &mut Round,
    ) -> Result<Vec<String>, Ended> {
        let limit = self.context.watchers.0.settings.octets;
        let mut suspects = Vec::new();
        let mut rest = new;
        while !rest.is_empty() {
            let mut octets = 0;
            let part = rest
                .iter()
                .take(FETCH_COUNT)
                .take_while(|seen| {
                    let fits = octets == 0 || octets < FETCH_OCTETS;
                    octets += (seen.size as usize).min(limit);
                    fits
                })
                .count()
                .max(1);
            let uids: Vec<u32> = rest[..part].iter().map(|seen| seen.uid).collect();
            rest = &rest[part..];
            let mut fetched = self.session.fetch(&uids, limit).await?;
            fetched.sort_unstable_by_key(|fetched| fetched.seen.uid);
            let arrived: Vec<Arrived> = fetched
                .into_iter()
                .map(|fetched| arrived(folder.id, fetched))
                .collect();
            let folders = self.folders.clone();
            let mut limbo = std::mem::take(&mut round.limbo);
            let room = MOST_HELD.saturating_sub(round.held.len());
            let (held, places, left) = self
                .stored(move |books| {
                    let (mut held, mut places, mut add) = (Vec::new(), Vec::new(), Vec::new());
                    for message in arrived {
                        let known = match held.len() < room {
                            true => books.elsewhere(&message)?,
                            false => None,
                        };
                        match known {
                            Some(place) if !limbo.iter().any(|gone| gone.folder == place) => {
                                places.push(place);
                                held.push(message);
                            }
                            _ => add.push(message),
                        }
                    }
                    books.add(&folders, &add, &mut limbo)?;
                    Ok((held, places, limbo))
                })
                .await?;
            round.limbo = left;
            round.held.extend(held);
            suspects.extend(places);
        }
        let name = |id: i64| {
            let folder = self.folders.iter().find(|folder| folder.id == id);
            folder.map(|folder| folder.name.clone())
        };
        Ok(suspects.into_iter().filter_map(name).collect())
    }

    /// Drops from the store what fell out of the window; it stays at the server.
    async fn trim(&mut self) -> Result<(), Ended> {
        let settings = self.context.watchers.0.settings.clone();
        let begin = chrono::Utc::now().timestamp()
            - i64::try_from(settings.age.as_secs()).unwrap_or(i64::MAX / 2);
        for folder in self.folders.clone() {
            let count = settings.count;
            self.stored(move |books| {
                let rows = books.store.mirror_messages(books.id, folder.id)?;
                let excess = rows.len().saturating_sub(count);
                let old: Vec<MirrorMessage> = rows
                    .into_iter()
                    .enumerate()
                    // A day more than what is fetched, so that nothing comes and goes.
                    .filter(|(at, row)| *at < excess || row.received < begin - 86_400)
                    .map(|(_, row)| row)
                    .collect();
                books.drop(&old)
            })
            .await?;
        }
        Ok(())
    }

    /// The server's folder of a role.
    pub(super) fn of_role(&self, role: FolderRole) -> Option<&MirrorFolder> {
        let listed = self
            .listed
            .iter()
            .find(|listed| listed.role == Some(role))?;
        self.folder(&listed.name)
    }
}

/// The books' row of a message; they are in the order of UIDs.
fn row_of(rows: &[MirrorMessage], uid: u32) -> Option<&MirrorMessage> {
    let at = rows.binary_search_by_key(&i64::from(uid), |row| row.uid);
    rows.get(at.ok()?)
}

fn arrived(folder: i64, fetched: Fetched) -> Arrived {
    let size = u64::from(fetched.seen.size);
    Arrived {
        folder,
        uid: i64::from(fetched.seen.uid),
        uidl: None,
        flags: fetched.seen.flags,
        received: fetched.seen.received,
        missing: size.saturating_sub(fetched.octets.len() as u64),
        octets: fetched.octets,
    }
}

fn modseq(selected: Selected) -> i64 {
    i64::try_from(selected.highest_modseq).unwrap_or(i64::MAX)
}
