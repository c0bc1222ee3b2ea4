//! `candybar import`: items from a file of another program into an account.
//!
//! The file is cut into single items; each is read, so that a broken one is named and the rest goes on. An item that
//! is stored already is skipped, one with the UID of a stored one replaces it.

mod intake;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;

use memchr::{memchr_iter, memmem};
use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, output, setup};
use crate::content::{self, Digest, Format, Kind, ReadHint, Record, Value};
use crate::store::Store;
use crate::sync::{Account, Datastore};
use intake::Intake;

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
    let mut intake = Intake::new(store, account, args.keep_doubles);
    for (index, body) in bodies.iter().enumerate() {
        match read_item(body, args.datastore) {
            Ok(ready) => intake.take(ready)?,
            Err(why) => intake.tally.broken.push(Broken {
                number: index + 1,
                line: line_of(file, body),
                why,
            }),
        }
        each();
    }
    intake.flush()?;
    Ok(intake.tally)
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
        Datastore::Mail => Some(Kind::Mail),
        Datastore::Agenda => None,
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
        Kind::Mail => (Datastore::Mail, "a mail"),
        Kind::Folder => (Datastore::Mail, "a folder"),
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
