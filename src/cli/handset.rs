//! `candybar handset`: a virtual phone on the command line. Its memory is a JSON file.
//!
//! Data go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the
//! server refused, 4 some items failed.

mod listen;
mod models;
mod replay;
mod seen;
#[cfg(test)]
mod tests;
mod wanted;

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use crate::handset::{
    Addresses, Auth, HttpTransport, Luid, Memory, Mode, ModelError, Notification, Phone,
    PhoneError, Progress, Report, Request, StateFile,
};
use crate::syncml::{Carrier, Version};
use models::Kind;

const DATASTORES: [&str; 5] = ["contacts", "calendar", "tasks", "notes", MAIL];
/// It is synchronised when it is named.
const MAIL: &str = "mail";

const REFUSED: u8 = 3;
const ITEMS_FAILED: u8 = 4;

/// A virtual phone.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Sync with a server.
    #[command(
        after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by the server, 4 some items failed."
    )]
    Sync(SyncArgs),
    /// Show the items of the phone.
    Show(ShowArgs),
    /// Make an item; prints its LUID.
    Add(AddArgs),
    /// Change an item.
    Edit(EditArgs),
    /// Put an item into another folder.
    Move(MoveArgs),
    /// Delete an item.
    Delete(DeleteArgs),
    /// Wait for short messages on a UDP port, and sync when the server asks.
    #[command(
        after_help = "Takes WAP pushes, and short messages with their user data header, one in each datagram. Ends by a signal, or with --once."
    )]
    Listen(listen::Args),
    /// List the phones that --as knows.
    Models(models::Args),
    /// Play recorded sessions of real phones to a server, and tell what it accepts.
    #[command(after_help = replay::HELP)]
    Replay(replay::Args),
}

#[derive(Debug, clap::Args)]
struct State {
    /// Where the phone keeps its items and anchors.
    #[arg(long, value_name = "FILE", default_value = "phone.json")]
    state: PathBuf,
}

#[derive(Debug, clap::Args)]
struct SyncArgs {
    #[command(flatten)]
    state: State,
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:8080/sync")]
    url: String,
    /// Account.
    #[arg(long)]
    user: String,
    /// Password.
    #[arg(long, env = "CANDYBAR_HANDSET_PASSWORD", hide_env_values = true)]
    password: String,
    /// The server's password at the phone (`device show` tells it). With it the phone gives the server a nonce in each session,
    /// and follows no notification that is signed with anything else; without it the phone follows every one.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "CANDYBAR_HANDSET_SERVER_PASSWORD",
        hide_env_values = true
    )]
    server_password: Option<String>,
    /// Device id of a new phone, such as IMEI:490154203237518; made up if it is not given.
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// Be this phone: its device information, formats, limits and faults, such as nokia-s40; `handset models` lists them. A
    /// phone stays what it is once it has synchronised.
    #[arg(long = "as", value_name = "MODEL")]
    model: Option<String>,
    /// What to sync: contacts, calendar, tasks, notes, mail; all that the phone has but mail if it is not given. NAME=ADDRESS syncs
    /// with another address on the server.
    #[arg(long = "datastore", value_name = "NAME")]
    datastores: Vec<String>,
    /// two-way, slow, one-way-from-client, refresh-from-client, one-way-from-server or refresh-from-server.
    #[arg(long, default_value = "two-way")]
    mode: Mode,
    /// wbxml or xml [default: wbxml, or the model's].
    #[arg(long, value_parser = carrier)]
    carrier: Option<Carrier>,
    /// 1.0, 1.1 or 1.2 [default: 1.2, or the model's].
    #[arg(long, value_parser = protocol)]
    protocol: Option<Version>,
    /// md5, basic, or challenged: no credentials until the server asks [default: md5, or the model's].
    #[arg(long, value_parser = auth)]
    auth: Option<Auth>,
    /// Octets of the largest message that the phone takes [default: 16384, or the model's].
    #[arg(long, value_name = "OCTETS",
          value_parser = clap::value_parser!(u64).range(1000..))]
    max_msg_size: Option<u64>,
    /// Where a phone of a model is, such as Europe/Stockholm [default: UTC].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<chrono_tz::Tz>,
    #[command(flatten)]
    wanted: wanted::WantedArgs,
    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// How often a message without answer is sent again, a second after the one before.
    #[arg(long, value_name = "N", default_value_t = 2)]
    resends: u32,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    state: State,
    /// Only these datastores.
    #[arg(long = "datastore", value_name = "NAME")]
    datastores: Vec<String>,
    /// Print the whole memory as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    #[command(flatten)]
    state: State,
    /// contacts, calendar, tasks, notes or mail.
    datastore: String,
    /// The item, in the form that the phone uses: vCard, vCalendar or text.
    file: PathBuf,
    /// The folder into which it goes, as `handset show` names it.
    #[arg(long, value_name = "LUID", default_value = "")]
    folder: String,
    /// Media type, if it is not the datastore's usual one.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Device id of a new phone; made up if it is not given.
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// The phone is of this model, as with `handset sync --as`.
    #[arg(long = "as", value_name = "MODEL")]
    model: Option<String>,
}

#[derive(Debug, clap::Args)]
struct EditArgs {
    #[command(flatten)]
    state: State,
    /// contacts, calendar, tasks, notes or mail.
    datastore: String,
    /// The item, as `handset show` names it.
    luid: String,
    /// What it is to be.
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
struct MoveArgs {
    #[command(flatten)]
    state: State,
    /// mail.
    datastore: String,
    /// The item, as `handset show` names it.
    luid: String,
    /// The folder; empty: the top.
    folder: String,
}

#[derive(Debug, clap::Args)]
struct DeleteArgs {
    #[command(flatten)]
    state: State,
    /// contacts, calendar, tasks, notes or mail.
    datastore: String,
    /// The item, as `handset show` names it.
    luid: String,
}

/// Arguments that clap cannot judge; exit code 2.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("there is no datastore {0:?}; a phone has contacts, calendar, tasks, notes and mail")]
    Datastore(String),
    #[error("{0} belongs to device {1}; give another --state for another phone")]
    Device(PathBuf, String),
    #[error("{0} of {1} is not on the phone")]
    Item(String, String),
    #[error("a filter of fields needs --protocol 1.2; {version} has none", version = .0.dtd())]
    Fields(Version),
    #[error("{0} is not there; a phone begins with `handset sync` or `handset add`")]
    NoPhone(PathBuf),
    #[error("{0} is a {1}; give another --state for another phone")]
    Model(PathBuf, String),
    #[error(transparent)]
    NoModel(#[from] ModelError),
    #[error("there is no message of a phone in {0}")]
    NoRecording(PathBuf),
    #[error("a {0} has no {1}")]
    NoDatastore(String, String),
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let result = match args.command {
        Action::Sync(args) if args.model.as_deref() == Some("help") => {
            models::list(false).map(|()| ExitCode::SUCCESS)
        }
        Action::Sync(args) => sync_as(&args, None),
        Action::Listen(args) => listen::run(&args),
        Action::Replay(args) => replay::run(&args),
        Action::Models(args) => models::run(&args).map(|()| ExitCode::SUCCESS),
        Action::Show(args) => show(&args).map(|()| ExitCode::SUCCESS),
        Action::Add(args) => add(&args).map(|()| ExitCode::SUCCESS),
        Action::Edit(args) => edit(&args).map(|()| ExitCode::SUCCESS),
        Action::Move(args) => move_to(&args).map(|()| ExitCode::SUCCESS),
        Action::Delete(args) => delete(&args).map(|()| ExitCode::SUCCESS),
    };
    match result {
        Err(error) if error.is::<UsageError>() => {
            eprintln!("error: {error}");
            Ok(ExitCode::from(2))
        }
        // Who reads has seen enough, as `head` does.
        Err(error) if error.chain().any(is_broken_pipe) => Ok(ExitCode::SUCCESS),
        result => result,
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = match error.downcast_ref::<serde_json::Error>() {
        Some(error) => error.io_error_kind(),
        None => error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind),
    };
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

fn carrier(text: &str) -> Result<Carrier, String> {
    match text.to_ascii_lowercase().as_str() {
        "wbxml" => Ok(Carrier::Wbxml),
        "xml" => Ok(Carrier::Xml),
        _ => Err("wbxml or xml".to_owned()),
    }
}

fn zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse()
        .map_err(|_| "no such time zone; Europe/Stockholm is one".to_owned())
}

fn protocol(text: &str) -> Result<Version, String> {
    Version::from_dtd(text).ok_or_else(|| "1.0, 1.1 or 1.2".to_owned())
}

fn auth(text: &str) -> Result<Auth, String> {
    match text.to_ascii_lowercase().as_str() {
        "basic" => Ok(Auth::Basic),
        "md5" => Ok(Auth::Md5),
        "challenged" => Ok(Auth::Challenged),
        _ => Err("basic, md5 or challenged".to_owned()),
    }
}

/// One of the phone's datastores.
fn known(datastore: &str) -> Result<&'static str, UsageError> {
    let known = DATASTORES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(datastore.trim()));
    known.ok_or_else(|| UsageError::Datastore(datastore.to_owned()))
}

/// A made-up IMEI: 14 digits and the check digit (3GPP TS 23.003, Luhn).
fn new_imei() -> anyhow::Result<String> {
    let mut random = [0; 14];
    getrandom::fill(&mut random).context("no random numbers")?;
    let digits = random.map(|byte| u32::from(byte) % 10);
    let doubled = digits
        .iter()
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        });
    let check = (10 - doubled.sum::<u32>() % 10) % 10;
    let digits = digits
        .into_iter()
        .chain([check])
        .map(|digit| digit.to_string());
    Ok(digits.collect::<String>())
}

/// The phone's memory and kind; a new one if the file is not there.
fn memory(
    state: &State,
    device: Option<&str>,
    model: Option<&str>,
) -> anyhow::Result<(StateFile, Memory, Kind)> {
    let file = StateFile::new(&state.state);
    let Some(mut memory) = file.load()? else {
        let kind = Kind::of(model)?;
        let id = match device {
            Some(device) => device.to_owned(),
            None => kind.device_id(&new_imei()?),
        };
        let mut memory = Memory::new(id);
        memory.model = kind.name();
        return Ok((file, memory, kind));
    };
    if device.is_some_and(|device| memory.device_id != device) {
        return Err(UsageError::Device(state.state.clone(), memory.device_id).into());
    }
    let kind = Kind::of(model.or(memory.model.as_deref()))?;
    match (&memory.model, kind.name()) {
        (Some(known), Some(wanted)) if *known != wanted => {
            return Err(UsageError::Model(state.state.clone(), known.clone()).into());
        }
        (None, wanted) => memory.model = wanted,
        _ => {}
    }
    Ok((file, memory, kind))
}

/// The memory of a phone that exists.
fn existing(state: &State) -> anyhow::Result<(StateFile, Memory)> {
    let file = StateFile::new(&state.state);
    let memory = file
        .load()?
        .ok_or_else(|| UsageError::NoPhone(state.state.clone()))?;
    Ok((file, memory))
}

/// Syncs, as the user wants or as a notification asks: its datastores, kinds of sync and session id take the place of
/// the user's.
fn sync_as(args: &SyncArgs, asked: Option<&Notification>) -> anyhow::Result<ExitCode> {
    let (file, memory, kind) = memory(&args.state, args.device.as_deref(), args.model.as_deref())?;
    let mut settings = kind.settings(&args.url, &args.user, &args.password);
    settings.server_password.clone_from(&args.server_password);
    settings.version = args.protocol.unwrap_or(settings.version);
    settings.carrier = args.carrier.unwrap_or(settings.carrier);
    settings.auth = args.auth.unwrap_or(settings.auth);
    settings.max_msg_size = args.max_msg_size.unwrap_or(settings.max_msg_size);
    settings.storage.time_zone = args.time_zone.unwrap_or(settings.storage.time_zone);
    let mut names = Vec::new();
    for datastore in &args.datastores {
        let (name, address) = datastore.split_once('=').unwrap_or((datastore, ""));
        let name = known(name)?;
        if name == MAIL && settings.devinf.datastores.contains_key(MAIL) {
            let addresses = settings.datastores.entry(MAIL.to_owned());
            addresses.or_insert_with(|| Addresses::same("./mail"));
        }
        let Some(addresses) = settings.datastores.get_mut(name) else {
            return Err(UsageError::NoDatastore(kind.title(), name.to_owned()).into());
        };
        if !address.is_empty() {
            address.clone_into(&mut addresses.remote);
        }
        names.push(name);
    }
    if names.is_empty() {
        let has = |name: &&str| *name != MAIL && settings.datastores.contains_key(*name);
        names.extend(DATASTORES.into_iter().filter(has));
    }
    args.wanted.apply(&mut settings, &names)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?;
    let mut request = Request::new(&names, args.mode, i64::try_from(now.as_secs())?);
    if let Some(asked) = asked {
        if settings.devinf.datastores.contains_key(MAIL) {
            let addresses = settings.datastores.entry(MAIL.to_owned());
            addresses.or_insert_with(|| Addresses::same("./mail"));
        }
        request.datastores = asked.syncs(&settings);
        if request.datastores.is_empty() {
            anyhow::bail!("the server asks for datastores that the phone does not have");
        }
        let id = asked.notice.session_id;
        request.session_id = (id != 0).then(|| id.to_string());
    }
    let before = asked.map(|_| seen::Before::of(&memory));
    let transport = HttpTransport::new(Duration::from_secs(args.timeout.max(1)));
    let mut phone = Phone::new(settings, kind.behaviour(), memory, transport)
        .with_file(file)
        .with_resends(args.resends, Duration::from_secs(1));

    let bar = std::io::stderr().is_terminal().then(progress_bar);
    let outcome = phone.sync_with(&request, |progress| {
        if let Some(bar) = &bar {
            step(bar, progress);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    match outcome {
        Ok(report) => {
            print(&report, args.json)?;
            if let Some(before) = before {
                seen::print(&before.changes(phone.memory()), args.json)?;
            }
            Ok(if report.has_failures() {
                ExitCode::from(ITEMS_FAILED)
            } else {
                ExitCode::SUCCESS
            })
        }
        Err(error) => {
            let refused = error.is_refusal();
            if args.json {
                let report = phone.client().report();
                let failed = serde_json::json!({ "error": error.to_string(), "refused": refused, "report": report });
                writeln!(std::io::stdout().lock(), "{failed:#}")?;
            }
            if refused {
                eprintln!("error: {error}");
                return Ok(ExitCode::from(REFUSED));
            }
            Err(explained(error, &args.url))
        }
    }
}

fn explained(error: PhoneError, url: &str) -> anyhow::Error {
    match error {
        PhoneError::Transport(error) => {
            anyhow::Error::new(error).context(format!("cannot sync with {url}"))
        }
        error => error.into(),
    }
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    for text in &report.displayed {
        eprintln!("the server shows: {}", text.escape_debug());
    }
    for complaint in &report.complaints {
        eprintln!("note: the server: {complaint}");
    }
    for mishap in &report.mishaps {
        eprintln!("note: the phone: {mishap}");
    }
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} items {elapsed}");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn step(bar: &ProgressBar, progress: &Progress) {
    let position = progress.sent + progress.received;
    bar.set_length((progress.to_send + progress.to_receive).max(position));
    bar.set_position(position);
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let (_, mut memory) = existing(&args.state)?;
    let wanted = args
        .datastores
        .iter()
        .map(|name| known(name))
        .collect::<Result<Vec<_>, _>>()?;
    memory
        .datastores
        .retain(|name, _| wanted.is_empty() || wanted.contains(&name.as_str()));
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &memory)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{}", memory.device_id)?;
    for (name, datastore) in &memory.datastores {
        let anchor = datastore.last_anchor.as_deref().unwrap_or("never");
        writeln!(
            out,
            "\n{name}: {} items, last sync {anchor}",
            datastore.items.len()
        )?;
        for (luid, item) in &datastore.items {
            let state = match item.state {
                crate::handset::ItemState::Clean => "",
                crate::handset::ItemState::Added => ", new",
                crate::handset::ItemState::Changed => ", changed",
            };
            let moved = if item.moved { ", moved" } else { "" };
            let folder = match &*item.parent {
                "" => String::new(),
                folder => format!(", in folder {}", printable(folder)),
            };
            writeln!(out, "{luid} ({}{state}{moved}{folder})", item.content_type)?;
            for line in String::from_utf8_lossy(&item.body.0).lines() {
                writeln!(out, "    {}", printable(line))?;
            }
        }
        for luid in &datastore.deleted {
            writeln!(out, "{luid} (deleted)")?;
        }
    }
    Ok(())
}

/// What a server sent must not command the terminal.
fn printable(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let name = known(&args.datastore)?;
    let body = read(&args.file)?;
    let (file, mut memory, kind) =
        memory(&args.state, args.device.as_deref(), args.model.as_deref())?;
    let settings = kind.settings("", "", "");
    let content_type = args
        .content_type
        .as_deref()
        .unwrap_or_else(|| settings.devinf.preferred_type(name));
    let body = settings.storage.enter(name, &settings.devinf, &body);
    let store = memory.datastore_mut(name);
    if !args.folder.is_empty() && !store.items.contains_key(&Luid(args.folder.clone())) {
        return Err(UsageError::Item(args.folder.clone(), name.to_owned()).into());
    }
    let luid = store.add(content_type, &body, false);
    store.move_to(&luid, &args.folder);
    file.save(&memory)?;
    writeln!(std::io::stdout().lock(), "{luid}")?;
    Ok(())
}

fn edit(args: &EditArgs) -> anyhow::Result<()> {
    let name = known(&args.datastore)?;
    let body = read(&args.file)?;
    let (file, mut memory) = existing(&args.state)?;
    let settings = Kind::of(memory.model.as_deref())?.settings("", "", "");
    let body = settings.storage.enter(name, &settings.devinf, &body);
    if !memory
        .datastore_mut(name)
        .replace(&Luid(args.luid.clone()), &body)
    {
        return Err(UsageError::Item(args.luid.clone(), name.to_owned()).into());
    }
    Ok(file.save(&memory)?)
}

fn move_to(args: &MoveArgs) -> anyhow::Result<()> {
    let name = known(&args.datastore)?;
    let (file, mut memory) = existing(&args.state)?;
    let store = memory.datastore_mut(name);
    if !store.move_to(&Luid(args.luid.clone()), &args.folder) {
        let missing = format!("{} or folder {}", args.luid, args.folder);
        return Err(UsageError::Item(missing, name.to_owned()).into());
    }
    Ok(file.save(&memory)?)
}

fn delete(args: &DeleteArgs) -> anyhow::Result<()> {
    let name = known(&args.datastore)?;
    let (file, mut memory) = existing(&args.state)?;
    if !memory.datastore_mut(name).delete(&Luid(args.luid.clone())) {
        return Err(UsageError::Item(args.luid.clone(), name.to_owned()).into());
    }
    Ok(file.save(&memory)?)
}
