//! `candybar push`: wakes a phone.

use serde_json::Value;

use super::failure::{Code, Failure};
use super::{Global, output, setup};
use crate::config::Config;
use crate::outbox::desk::{self, DeskError};
use crate::sync::Datastore;

/// Flags of `push`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// User name
    name: String,
    /// The device's address [default: all devices that can be spoken to]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// A datastore to be synchronised; may be given again [default: those that the device has]
    #[arg(long, value_name = "DATASTORE")]
    datastore: Vec<Datastore>,
}

/// Queues package #0.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let (config, store) = setup::store(global)?;
    gateways(&config)?;
    let account = setup::account(&store, &args.name)?;
    let device = args.device.as_deref();
    let asked_by = "asked for on the command line";
    let queued = desk::push(&store, &account, device, &args.datastore, asked_by)
        .map_err(|error| refusal(error, &args.name))?;
    if global.json {
        let list = queued
            .iter()
            .map(|(device, notification)| desk::to_json(notification, &account.name, &device.uri));
        return output::json(&list.collect::<Vec<Value>>()).map(|()| Code::Done);
    }
    for (device, notification) in &queued {
        output::line(format!("queued {} for {}", notification.id, device.uri))?;
    }
    eprintln!("candybar outbox show ID tells what becomes of it; a running server sends it");
    Ok(Code::Done)
}

/// Without a gateway nothing can go out.
pub(super) fn gateways(config: &Config) -> Result<(), Failure> {
    if config.gateways.is_empty() {
        let what = "there is no gateway, so nothing can reach a phone";
        let hint = "add a [[gateway]] to the configuration; docs/gateways.md has one of each kind";
        return Err(Failure::new(Code::Refused, what).hint(hint));
    }
    Ok(())
}

/// Words and exit code for what the outbox does not do.
pub(super) fn refusal(error: DeskError, name: &str) -> anyhow::Error {
    match error {
        DeskError::Store(error) => error.into(),
        error @ DeskError::NotFound(_) => Failure::new(Code::Refused, error.to_string())
            .hint(format!(
                "candybar device list {name} shows the devices; candybar outbox list the notifications"
            ))
            .into(),
        error @ DeskError::Refused(_) => Failure::new(Code::Refused, error.to_string()).into(),
    }
}
