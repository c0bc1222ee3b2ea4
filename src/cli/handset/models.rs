//! What kind of phone a virtual one is: a model, or a phone that keeps to the specification.

use std::io::Write as _;

use super::UsageError;
use crate::handset::{Behaviour, Model, Settings};

/// Flags of `handset models`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the list as JSON, with sources and assumptions.
    #[arg(long)]
    json: bool,
}

/// Prints the models.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    list(args.json)
}

/// Prints the models.
pub(super) fn list(json: bool) -> anyhow::Result<()> {
    let models = Model::names()
        .map(Model::named)
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout().lock();
    if json {
        let listed: Vec<_> = models
            .iter()
            .map(|model| {
                serde_json::json!({
                    "name": model.name,
                    "title": model.title,
                    "datastores": model.datastores().collect::<Vec<_>>(),
                    "sources": model.sources,
                    "assumptions": model.assumptions,
                })
            })
            .collect();
        serde_json::to_writer_pretty(&mut out, &listed)?;
        writeln!(out)?;
        return Ok(());
    }
    for model in models {
        writeln!(out, "{:22} {}", model.name, model.title)?;
    }
    Ok(())
}

/// What kind of phone it is.
pub(super) struct Kind(Option<Model>);

impl Kind {
    /// The model of that name; none is the phone of the specification.
    pub(super) fn of(model: Option<&str>) -> Result<Self, UsageError> {
        Ok(Self(model.map(Model::named).transpose()?))
    }

    /// The model's name.
    pub(super) fn name(&self) -> Option<String> {
        self.0.as_ref().map(|model| model.name.clone())
    }

    /// What people call it.
    pub(super) fn title(&self) -> String {
        match &self.0 {
            Some(model) => model.title.clone(),
            None => "phone".to_owned(),
        }
    }

    /// How it writes its device id.
    pub(super) fn device_id(&self, imei: &str) -> String {
        match &self.0 {
            Some(model) => model.device_id(imei),
            None => format!("IMEI:{imei}"),
        }
    }

    /// How it speaks.
    pub(super) fn settings(&self, url: &str, user: &str, password: &str) -> Settings {
        match &self.0 {
            Some(model) => model.settings(url, user, password),
            None => Settings::new(url, user, password),
        }
    }

    /// What it does in its own way.
    pub(super) fn behaviour(&self) -> Behaviour {
        match &self.0 {
            Some(model) => model.behaviour.clone(),
            None => Behaviour::default(),
        }
    }
}
