//! `candybar handset replay`: recorded sessions of real phones against a server.
//!
//! Without `--server` the server is a private engine in memory, with an account for each recording that does not follow
//! the one before. Exit codes: 0 everything was accepted, 1 failed, 2 wrong usage, 4 something was not accepted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use super::{ITEMS_FAILED, UsageError};
use crate::exchange::{self, Exchange};
use crate::handset::replay::{Access, Entry, Player, ReplayReport, datastores, read, sessions};
use crate::handset::{Answer, HttpTransport, Post, TransportError};
use crate::session;
use crate::store::{Store, StoreConfig};
use crate::sync::{Datastore, Secret};

/// Most files of a folder.
const MAX_FILES: usize = 20_000;
/// Deepest folder.
const MAX_DEPTH: usize = 8;

/// Flags of `handset replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recording: a folder, whose files are taken in the order of their names (message 2 before message 10), or one
    /// file.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Address of a server; a private one in memory if it is not given.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Account on the server.
    #[arg(long, requires = "server", default_value = "replay")]
    user: String,
    /// Its password.
    #[arg(long, env = "CANDYBAR_HANDSET_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What a recording may look like.
pub(super) const HELP: &str = "\
A file holds one message or several: XML, WBXML, hex (plain or as a dump with offsets), or HTTP requests and responses with
their headers. Messages of the phone are sent, those of the server are compared. What belongs to the server of then is
written anew: credentials, SessionID and MsgID where needed, Target, Statuses and Maps; the report says what was left out.

Exit codes: 0 everything was accepted, 1 failed, 2 wrong usage, 4 something was not accepted or could not be read.";

/// Runs the command.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = replay(args)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let accepted = report.is_accepted();
        let whole = serde_json::json!({ "accepted": accepted, "report": report });
        serde_json::to_writer_pretty(&mut out, &whole)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    Ok(if report.is_accepted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ITEMS_FAILED)
    })
}

fn replay(args: &Args) -> anyhow::Result<ReplayReport> {
    let mut report = ReplayReport::default();
    let mut messages = Vec::new();
    for (name, path) in files(&args.folder)? {
        let octets =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in read(&name, &octets) {
            match entry {
                Entry::Message(recorded) => {
                    report.server_messages += usize::from(recorded.from_server);
                    messages.push(*recorded);
                }
                Entry::Unreadable { name, error } => report.unreadable.push((name, error)),
                Entry::Nothing { name } => report.skipped.push(name),
            }
        }
    }
    if messages.iter().all(|recorded| recorded.from_server) && report.unreadable.is_empty() {
        return Err(UsageError::NoRecording(args.folder.clone()).into());
    }
    let sessions = sessions(messages);
    let addresses = datastores(&sessions);
    report.sessions = sessions.len();
    report.datastores = addresses
        .iter()
        .map(|(address, kind)| (address.clone(), (*kind).to_owned()))
        .collect();
    match &args.server {
        Some(url) => {
            let access = Access {
                url: url.clone(),
                user: args.user.clone(),
                password: args.password.clone().unwrap_or_default(),
                new_session_ids: true,
            };
            let transport = HttpTransport::new(Duration::from_secs(args.timeout.max(1)));
            let mut player = Player::new(access, transport);
            for session in &sessions {
                player.play(session);
                report.messages.extend(player.take_reports());
            }
        }
        None => {
            let engine = Private::new(&addresses)?;
            let mut player = Player::new(engine.account(0)?, engine.transport());
            let mut accounts = 0;
            for session in &sessions {
                if player.is_foreign(session) {
                    accounts += 1;
                    player.move_to(engine.account(accounts)?, engine.transport());
                }
                player.play(session);
                report.messages.extend(player.take_reports());
            }
        }
    }
    Ok(report)
}

/// The files of a folder with their names in it, in natural order.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let whole = || format!("cannot read {}", folder.display());
    if folder.metadata().with_context(whole)?.is_file() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        return Ok(vec![(name.into_owned(), folder.to_owned())]);
    }
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        for entry in
            std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?
        {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if hidden {
                continue;
            }
            if path.is_dir() && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if path.is_file() && found.len() < MAX_FILES {
                let name = path.strip_prefix(folder).unwrap_or(&path);
                found.push((name.to_string_lossy().into_owned(), path));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| natural(one, other));
    Ok(found)
}

/// Names with their numbers by value.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.chars().peekable(), other.chars().peekable());
    loop {
        match (one.peek().copied(), other.peek().copied()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let number = |of: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                    let mut digits = String::new();
                    while let Some(digit) = of.next_if(char::is_ascii_digit) {
                        digits.push(digit);
                    }
                    let bare = digits.trim_start_matches('0');
                    (bare.len(), bare.to_owned())
                };
                match number(&mut one).cmp(&number(&mut other)) {
                    Ordering::Equal => {}
                    order => return order,
                }
            }
            (Some(a), Some(b)) => match a.cmp(&b) {
                Ordering::Equal => {
                    one.next();
                    other.next();
                }
                order => return order,
            },
        }
    }
}

type Delivery = Box<dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>>;

/// A server in memory.
struct Private {
    store: Store,
    exchange: Exchange,
}

impl Private {
    fn new(addresses: &BTreeMap<String, &'static str>) -> anyhow::Result<Self> {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".to_owned(),
            key: None,
        })?;
        let mut secret = vec![0; 32];
        getrandom::fill(&mut secret).context("no random numbers")?;
        let aliases = addresses
            .iter()
            .filter_map(|(address, kind)| Some((address.clone(), Datastore::resolve(kind)?)))
            .collect();
        let exchange = Exchange::new(
            store.clone(),
            exchange::Settings {
                session: session::Settings {
                    aliases,
                    ..session::Settings::default()
                },
                session_timeout: 3_600,
                nonce_secret: secret,
            },
        );
        Ok(Self { store, exchange })
    }

    /// A new account.
    fn account(&self, number: usize) -> anyhow::Result<Access> {
        let (user, password) = (format!("replay{number}"), "replay");
        self.store
            .add_account(&user, &Secret(password.to_owned()))?;
        Ok(Access {
            url: "http://candybar.invalid/sync".to_owned(),
            user,
            password: password.to_owned(),
            new_session_ids: false,
        })
    }

    fn transport(&self) -> Delivery {
        let exchange = self.exchange.clone();
        Box::new(move |post: &Post<'_>| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(0));
            let request = exchange::Request {
                content_type: post.content_type,
                body: post.body,
                user_agent: Some(post.user_agent),
                profile_header: post.profile,
                query: None,
            };
            match exchange.handle(request, now) {
                Ok(reply) => Ok(Answer::ok(reply.content_type, reply.body)),
                Err(error) => Err(TransportError::Address(error.to_string())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_natural_order() {
        let mut names = ["msg10.xml", "msg2.xml", "a", "msg02b.xml", "msg1.wbxml"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(
            names,
            ["a", "msg1.wbxml", "msg2.xml", "msg02b.xml", "msg10.xml"]
        );
    }
}
