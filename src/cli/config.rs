//! `candybar config`: the configuration in force.

use super::failure::Code;
use super::{Global, output, setup};

/// Flags of `config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print only what is wrong
    #[arg(long)]
    check: bool,
}

/// Prints or checks.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let config = setup::config(global, Vec::new())?;
    // Printed or not, a broken profile is told.
    config.catalogue()?;
    if args.check {
        let what = match &config.file {
            Some(path) => format!("{} and the environment are right", path.display()),
            None => "there is no configuration file; defaults and environment are right".to_owned(),
        };
        if global.json {
            output::json(&serde_json::json!({ "right": true, "file": config.file }))?;
        } else {
            output::line(what)?;
        }
    } else if global.json {
        output::json(&config.to_json())?;
    } else {
        output::line(config.to_toml().trim_end())?;
    }
    Ok(Code::Done)
}
