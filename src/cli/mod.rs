//! Command line: one file per subcommand.
//!
//! Data goes to standard output, everything else to standard error. What a command does not do, it says in plain
//! words (`failure::Failure`); exit codes are those of `failure::Code`.

mod account;
mod config;
pub mod decode;
mod demo;
mod device;
mod export;
mod failure;
mod gateways;
pub mod handset;
mod import;
mod mail;
mod mailbox;
mod memory;
mod outbox;
mod output;
mod password;
mod provision;
mod push;
mod serve;
mod sessions;
mod setup;
mod signal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::Code;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; standard error says why
  2  wrong usage or configuration
  3  refused, or not found
  4  done in part; standard error says what was left out";

/// SyncML / OMA DS server for feature phones.
#[derive(Debug, Parser)]
#[command(name = "candybar", version, about, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Configuration file [default: candybar.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database: sqlite:PATH or postgres://… [default: sqlite:candybar.db]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Key that secrets in the database are encrypted with [default: beside the database]
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<String>,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Log more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Args),
    /// Show a whole synchronisation, told step by step, with a virtual phone
    Demo(demo::Args),
    /// Accounts: user name and password
    Account(account::Args),
    /// Devices: the phones of an account
    Device(device::Args),
    /// Wake a phone: queue package #0 now
    Push(push::Args),
    /// Send a phone its settings by SMS
    Provision(provision::Args),
    /// What the server has to say to phones, and what came of it
    Outbox(outbox::Args),
    /// Mailboxes: where an account's mail comes from
    Mailbox(mailbox::Args),
    /// The ways out to phones, and how they fare
    Gateways,
    /// Take vCards, calendars or notes from a file into an account
    Import(import::Args),
    /// Print the items of an account
    Export(export::Args),
    /// Recorded sessions: what they did and why; undo them, decide what is held
    Sessions(sessions::Args),
    /// Show a SyncML message in readable form
    Decode(decode::Args),
    /// Be a phone: a virtual one, which synchronises with any SyncML server
    Handset(Box<handset::Args>),
    /// Print or check the configuration in force
    Config(config::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come as errors too; clap knows which stream and exit code each has.
        Err(error) => error.exit(),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { global, command } = cli;
    let code = match command {
        Command::Serve(args) => serve::run(&args, &global),
        Command::Demo(args) => demo::run(&args, &global),
        Command::Account(args) => account::run(args, &global),
        Command::Device(args) => device::run(args, &global),
        Command::Push(args) => push::run(&args, &global),
        Command::Provision(args) => provision::run(&args, &global),
        Command::Outbox(args) => outbox::run(args, &global),
        Command::Mailbox(args) => mailbox::run(args, &global),
        Command::Gateways => gateways::show::run(&global),
        Command::Import(args) => import::run(&args, &global),
        Command::Export(args) => export::run(&args, &global),
        Command::Sessions(args) => sessions::run(args, &global),
        Command::Decode(args) => decode::run(args).map(|()| Code::Done),
        Command::Handset(args) => return handset::run(*args),
        Command::Config(args) => config::run(&args, &global),
    }?;
    Ok(code.into())
}
