//! `candybar demo`: a server with a database of its own, a virtual phone, and a story told as it happens.
//!
//! Nothing is said that was not looked up after it happened; if something is not as the story has it, the command
//! fails.

mod items;
mod mail;
mod push;
mod scene;

use super::failure::Code;
use super::gateways::Running;
use super::mail::Mail;
use super::serve::Service;
use super::signal::Signals;
use super::{Global, output, setup};
use crate::config::{Config, Flag};
use crate::exchange::Exchange;
use crate::telemetry;
use crate::web::{Limits, Server};
use scene::{Folder, Stage};

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after the story instead of serving on
    #[arg(long)]
    once: bool,
    /// Address and port of the server; 0.0.0.0:8080 lets phones of your network in [default: any free port of this machine]
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:0",
        hide_default_value = true
    )]
    listen: String,
}

/// The account of the story.
const ACCOUNT: &str = "demo";

/// Tells the story.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let folder = Folder::new()?;
    let database = format!("sqlite:{}", folder.path().join("candybar.db").display());
    let flags = [
        ("listen", "--listen", args.listen.clone()),
        ("database", "demo", database),
        ("key_file", "demo", String::new()),
        ("push.coalesce_seconds", "demo", "1".to_owned()),
    ];
    let flags: Vec<Flag> = flags
        .into_iter()
        .map(|(key, name, value)| Flag { key, name, value })
        .collect();
    // A configuration that is there for a real server has no say here, but for its flags.
    let mut config = Config::load_flags(&flags)?;
    let inbox = push::Inbox::open()?;
    config.gateways.push(inbox.gateway());
    telemetry::start(&config.log, telemetry::Mode::Command, global.verbose);
    let store = setup::open(&config)?;
    let settings = setup::settings(&config)?;
    let running = Running::start(&config, &store, &settings.nonce_secret)?;
    let mail = Mail::start(&config, &store)?;
    let exchange = Exchange::new(store.clone(), settings);
    let server = Server::start(
        Service::new(exchange, store.clone()),
        &config.listen,
        Limits::from(config.http),
    )
    .map_err(|error| super::serve::cannot_listen(&config.listen, &error))?;
    let signals = Signals::install()?;
    output::line(
        "candybar demo: a server, a phone and what they tell each other; all of it on this machine.",
    )?;
    let mut stage = Stage::new(store, server.address())?;
    stage.make_account()?;
    stage.first_sync()?;
    stage.change_on_server(&inbox)?;
    stage.change_on_phone()?;
    stage.mail_comes(&inbox)?;
    if args.once {
        output::line("")?;
        output::line("That was all. Without --once the server stays, for a phone of yours.")?;
    } else {
        stage.invite()?;
        signals.wait(&server)?;
    }
    server.stop()?;
    mail.stop();
    if let Some(running) = running {
        running.stop();
    }
    Ok(Code::Done)
}
