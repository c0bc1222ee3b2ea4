//! `candybar import`: items from a file of another program into an account.
//!
//! The file is cut into single items; each is read, so that a broken one is named and the rest goes on. An item that
//! is stored already is skipped, one with the UID of a stored one replaces it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::PathBuf;

use memchr::{memchr_iter, memmem};
use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, output, setup};
use crate::content::{self, Digest, Format, Kind, ReadHint, Record, Value};
use crate::store::{NewItem, Store, StoreError};
use crate::sync::{
    Account, AccountId, Change, Commit, Cursor, Datastore, ItemId, ItemMeta, ItemWrite,
};

/// Items that are written at once.
const CHUNK: usize = 256;
/// Largest file that is taken, octets.
const LARGEST_FILE: u64 = 1 << 30;
/// Broken items that are named; the rest is only counted.
const NAMED: usize = 50;

/// Flags of `import`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// User name
    name: String,
    /// contacts, calendar, tasks or notes; events and to-dos of one file go each to its own
    datastore: Datastore,
    /// vCard, vCalendar, iCalendar, vNote or plain text; - reads standard input
    file: PathBuf,
    /// Add items even if equal ones are stored already
    #[arg(long)]
    keep_doubles: bool,
}

/// What became of the items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// New items, by where they went.
    pub(super) added: HashMap<Datastore, usize>,
    /// New versions of stored items.
    pub(super) replaced: usize,
    /// Items that were there already.
    pub(super) doubles: usize,
    /// Items that were left out.
    pub(super) broken: Vec<Broken>,
}

/// An item that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// From 1.
    number: usize,
    /// Where it begins in the file, from 1.
    line: Option<usize>,
    why: String,
}

/// An item of the file, read.
struct Ready {
    datastore: Datastore,
    kind: Kind,
    format: Format,
    digest: Digest,
    key: content::MatchKey,
    uid: Option<String>,
    body: Vec<u8>,
}

/// Imports.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    if args.datastore == Datastore::Mail {
        return Err(Failure::new(Code::Usage, "mail cannot be imported")
            .hint("there are contacts, calendar, tasks and notes")
            .into());
    }
    let (_config, store) = setup::store(global)?;
    let account = setup::account(&store, &args.name)?;
    let file = read_file(&args.file)?;
    let bodies = content::split(&file);
    if bodies.is_empty() {
        return Err(Failure::new(
            Code::Failed,
            format!("{} has no items in it", args.file.display()),
        )
        .into());
    }
    let progress = output::progress(bodies.len() as u64, "importing");
    let tally = import(&store, &account, args, &file, &bodies, || progress.inc(1))?;
    progress.finish_and_clear();
    report(&tally, global)
}

/// Imports items that are part of a program, such as the demonstration's.
pub(super) fn own(
    store: &Store,
    account: &Account,
    datastore: Datastore,
    file: &[u8],
) -> anyhow::Result<Tally> {
    let args = Args {
        name: account.name.clone(),
        datastore,
        file: PathBuf::new(),
        keep_doubles: false,
    };
    import(store, account, &args, file, &content::split(file), || {})
}

fn import(
    store: &Store,
    account: &Account,
    args: &Args,
    file: &[u8],
    bodies: &[Cow<'_, [u8]>],
    each: impl Fn(),
) -> anyhow::Result<Tally> {
    let mut import = Import::new(store, account, args.keep_doubles);
    for (index, body) in bodies.iter().enumerate() {
        match read_item(body, args.datastore) {
            Ok(ready) => import.take(ready)?,
            Err(why) => import.tally.broken.push(Broken {
                number: index + 1,
                line: line_of(file, body),
                why,
            }),
        }
        each();
    }
    import.flush()?;
    Ok(import.tally)
}

fn read_file(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Code::Failed,
            format!("{} cannot be read: {error}", path.display()),
        )
    };
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
    } else {
        std::fs::File::open(path)
            .map_err(unreadable)?
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::new(
            Code::Failed,
            format!("{} is larger than a gigabyte", path.display()),
        )
        .hint("cut it into several files")
        .into());
    }
    Ok(bytes)
}

/// Reads one item for a datastore; an error is in plain words.
fn read_item(body: &[u8], datastore: Datastore) -> Result<Ready, String> {
    let kind = match datastore {
        Datastore::Contacts => Some(Kind::Contact),
        Datastore::Calendar => Some(Kind::Event),
        Datastore::Tasks => Some(Kind::Task),
        Datastore::Notes => Some(Kind::Note),
        Datastore::Mail | Datastore::Agenda => None,
    };
    let hint = ReadHint {
        kind,
        ..ReadHint::default()
    };
    let parsed = content::read(body, &hint).map_err(|error| error.to_string())?;
    for warning in &parsed.warnings {
        tracing::info!("{warning}");
    }
    let (home, what) = match parsed.record.kind {
        Kind::Contact => (Datastore::Contacts, "a contact"),
        Kind::Event => (Datastore::Calendar, "an event"),
        Kind::Task => (Datastore::Tasks, "a to-do"),
        Kind::Note => (Datastore::Notes, "a note"),
    };
    let calendar = [Datastore::Calendar, Datastore::Tasks, Datastore::Agenda];
    let fits = home == datastore || (calendar.contains(&home) && calendar.contains(&datastore));
    if !fits {
        return Err(format!("it is {what}, which {datastore} does not hold"));
    }
    Ok(Ready {
        datastore: home,
        kind: parsed.record.kind,
        format: parsed.format,
        digest: content::digest(&parsed.record),
        key: content::match_key(&parsed.record),
        uid: uid(&parsed.record),
        body: body.to_vec(),
    })
}

/// The UID of a contact, or of a calendar's event or to-do.
fn uid(record: &Record) -> Option<String> {
    let children = record.root.children.iter();
    let properties = children
        .filter(|child| matches!(child.name.as_str(), "VEVENT" | "VTODO"))
        .chain([&record.root])
        .flat_map(|component| &component.properties);
    properties
        .filter(|property| property.name == "UID")
        .find_map(|property| match &property.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        })
}

/// The line of the file where an item begins.
#[allow(
    clippy::ptr_arg,
    reason = "a borrowed body is a place in the file, one that was put together is not"
)]
fn line_of(file: &[u8], body: &Cow<'_, [u8]>) -> Option<usize> {
    let inside = || {
        // A body that was put together still has the item's own block from the file.
        let from =
            memmem::find(body, b"BEGIN:VEVENT").or_else(|| memmem::find(body, b"BEGIN:VTODO"))?;
        let to = memmem::find(&body[from..], b"\nEND:V").map_or(body.len(), |end| from + end);
        memmem::find(file, &body[from..to])
    };
    let offset = match body {
        Cow::Borrowed(body) => (body.as_ptr() as usize)
            .checked_sub(file.as_ptr() as usize)
            .filter(|offset| *offset <= file.len()),
        Cow::Owned(_) => inside(),
    }?;
    Some(memchr_iter(b'\n', &file[..offset]).count() + 1)
}

/// Items on their way into the store.
struct Import<'a> {
    store: &'a Store,
    account: &'a Account,
    keep_doubles: bool,
    tally: Tally,
    /// Items that wait to be added.
    new: Vec<Ready>,
    /// Items that wait to replace stored ones.
    replacing: Vec<(ItemId, Ready)>,
    /// Stored items by UID, for each datastore that was looked through.
    uids: HashMap<Datastore, HashMap<String, (ItemId, Digest)>>,
    /// What waits: digests and UIDs.
    digests: HashSet<(Datastore, Digest)>,
    waiting_uids: HashSet<(Datastore, String)>,
}

impl<'a> Import<'a> {
    fn new(store: &'a Store, account: &'a Account, keep_doubles: bool) -> Self {
        Self {
            store,
            account,
            keep_doubles,
            tally: Tally::default(),
            new: Vec::new(),
            replacing: Vec::new(),
            uids: HashMap::new(),
            digests: HashSet::new(),
            waiting_uids: HashSet::new(),
        }
    }

    fn take(&mut self, ready: Ready) -> anyhow::Result<()> {
        let waits = ready
            .uid
            .as_ref()
            .is_some_and(|uid| self.waiting_uids.contains(&(ready.datastore, uid.clone())));
        if waits {
            self.flush()?;
        }
        let stored = match &ready.uid {
            Some(uid) => self.stored_uids(ready.datastore)?.get(uid).copied(),
            None => None,
        };
        if let Some(uid) = &ready.uid {
            self.waiting_uids.insert((ready.datastore, uid.clone()));
        }
        match stored {
            Some((id, digest)) if digest != ready.digest => self.replacing.push((id, ready)),
            Some(_) if !self.keep_doubles => self.tally.doubles += 1,
            _ if !self.keep_doubles && !self.digests.insert((ready.datastore, ready.digest)) => {
                self.tally.doubles += 1;
            }
            _ => self.new.push(ready),
        }
        if self.new.len() + self.replacing.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Ids of the stored items of a datastore by UID; they are looked through once.
    fn stored_uids(
        &mut self,
        datastore: Datastore,
    ) -> anyhow::Result<&mut HashMap<String, (ItemId, Digest)>> {
        if !self.uids.contains_key(&datastore) {
            let mut uids = HashMap::new();
            let mut reader = self.store.reader()?;
            let mut after = Cursor::default();
            loop {
                let page = reader.items(self.account.id, datastore, after, 500)?;
                let Some(last) = page.last() else { break };
                after = Cursor {
                    modseq: last.meta.modseq,
                    item: last.meta.id,
                };
                for item in &page {
                    let hint = ReadHint {
                        format: Some(item.meta.format),
                        ..ReadHint::default()
                    };
                    if let Ok(parsed) = content::read(&item.body, &hint)
                        && let Some(uid) = uid(&parsed.record)
                    {
                        uids.insert(uid, (item.meta.id, item.meta.digest));
                    }
                }
            }
            self.uids.insert(datastore, uids);
        }
        Ok(self.uids.entry(datastore).or_default())
    }

    /// Writes what waits.
    fn flush(&mut self) -> anyhow::Result<()> {
        self.waiting_uids.clear();
        self.digests.clear();
        let new = std::mem::take(&mut self.new);
        let replacing = std::mem::take(&mut self.replacing);
        let doubles = if self.keep_doubles {
            HashSet::new()
        } else {
            self.stored_digests(&new)?
        };
        let (doubles, new): (Vec<_>, Vec<_>) = new
            .into_iter()
            .partition(|ready| doubles.contains(&(ready.datastore, ready.digest)));
        self.tally.doubles += doubles.len();
        let items = new.iter().map(Ready::new_item).collect();
        let ids = self.store.put_items(self.account.id, None, items)?;
        for (ready, id) in new.into_iter().zip(ids) {
            *self.tally.added.entry(ready.datastore).or_default() += 1;
            if let Some(uid) = ready.uid
                && let Some(uids) = self.uids.get_mut(&ready.datastore)
            {
                uids.insert(uid, (id, ready.digest));
            }
        }
        replace(self.store, self.account.id, &replacing)?;
        for (id, ready) in replacing {
            self.tally.replaced += 1;
            if let (Some(uid), Some(uids)) = (ready.uid, self.uids.get_mut(&ready.datastore)) {
                uids.insert(uid, (id, ready.digest));
            }
        }
        Ok(())
    }

    fn stored_digests(&self, items: &[Ready]) -> anyhow::Result<HashSet<(Datastore, Digest)>> {
        let mut found = HashSet::new();
        for datastore in Datastore::ALL {
            let keys: Vec<_> = items
                .iter()
                .filter(|ready| ready.datastore == datastore)
                .map(|ready| ready.key)
                .collect();
            if !keys.is_empty() {
                let stored = self.store.matching(self.account.id, datastore, &keys)?;
                found.extend(stored.into_iter().map(|meta| (datastore, meta.digest)));
            }
        }
        Ok(found)
    }
}

impl Ready {
    fn new_item(&self) -> NewItem {
        NewItem {
            datastore: self.datastore,
            kind: self.kind,
            format: self.format,
            body: self.body.clone(),
            digest: self.digest,
            key: self.key,
        }
    }
}

/// Writes new versions of stored items, in one transaction.
fn replace(store: &Store, id: AccountId, items: &[(ItemId, Ready)]) -> anyhow::Result<()> {
    while !items.is_empty() {
        let account = store.account_by_id(id)?;
        let now = output::now();
        let mut modseq = account.modseq;
        let changes = items
            .iter()
            .map(|(item, ready)| {
                modseq = modseq.next();
                Change::PutItem(ItemWrite {
                    meta: ItemMeta {
                        id: *item,
                        datastore: ready.datastore,
                        modseq,
                        deleted: false,
                        format: ready.format,
                        digest: ready.digest,
                        key: ready.key,
                        updated: now,
                    },
                    body: ready.body.clone(),
                    original: None,
                    origin: None,
                })
            })
            .collect();
        let commit = Commit {
            account: id,
            device: None,
            expected: account.modseq,
            modseq,
            next_item: account.next_item,
            changes,
            session: None,
            now,
        };
        match store.commit(commit) {
            // A phone was faster; what it wrote is a revision after this.
            Err(StoreError::Conflict) => {}
            other => return Ok(other?),
        }
    }
    Ok(())
}

fn report(tally: &Tally, global: &Global) -> anyhow::Result<Code> {
    for broken in tally.broken.iter().take(NAMED) {
        let place = broken
            .line
            .map_or_else(String::new, |line| format!(" (line {line})"));
        eprintln!(
            "candybar: left out item {}{place}: {}",
            broken.number, broken.why
        );
    }
    if tally.broken.len() > NAMED {
        eprintln!("candybar: and {} more", tally.broken.len() - NAMED);
    }
    let added: usize = tally.added.values().sum();
    if global.json {
        let by_datastore: serde_json::Map<_, _> = tally
            .added
            .iter()
            .map(|(datastore, count)| (datastore.name().to_owned(), (*count).into()))
            .collect();
        let broken: Vec<_> = tally
            .broken
            .iter()
            .map(|broken| json!({ "item": broken.number, "line": broken.line, "why": broken.why }))
            .collect();
        output::json(&json!({
            "added": by_datastore,
            "replaced": tally.replaced,
            "doubles": tally.doubles,
            "left_out": broken,
        }))?;
    } else {
        let mut parts: Vec<String> = Datastore::ALL
            .iter()
            .filter_map(|datastore| {
                let count = *tally.added.get(datastore)?;
                Some(format!("{count} added to {datastore}"))
            })
            .collect();
        if parts.is_empty() {
            parts.push("nothing added".to_owned());
        }
        for (count, what) in [
            (tally.replaced, "replaced"),
            (tally.doubles, "there already"),
            (tally.broken.len(), "left out"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        output::line(parts.join(", "))?;
    }
    Ok(if tally.broken.is_empty() {
        Code::Done
    } else if added + tally.replaced + tally.doubles > 0 {
        Code::Partly
    } else {
        Code::Failed
    })
}
