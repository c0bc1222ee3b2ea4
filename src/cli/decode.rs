//! `candybar decode`: shows a message, from octets or hex.
//!
//! What can be read is shown, also of a broken document; then the error is said, with its offset.

mod input;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};

pub use input::octets;
pub use tree::{Document, Problem};

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Kind {
    /// Found out from the input.
    #[default]
    Auto,
    /// Short messages.
    Sms,
    /// A WAP push.
    Wsp,
    /// A WBXML document.
    Wbxml,
    /// A server alerted notification.
    San,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// An indented tree.
    #[default]
    Text,
    /// Plain XML.
    Xml,
    /// The tree as JSON.
    Json,
}

/// Shows a message: WBXML or XML, octets or hex.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the input is.
    #[arg(long = "as", value_enum, default_value_t)]
    pub kind: Kind,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The input; standard input if there is none, or if it is `-`.
    pub file: Option<PathBuf>,
}

/// Runs the command. An error if the input is broken, after what could be read of it was printed.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.kind {
        Kind::Auto | Kind::Wbxml => {}
        Kind::Sms | Kind::Wsp | Kind::San => {
            bail!("reading short messages, WAP pushes and notifications is not supported yet")
        }
    }
    let bytes = match args.file.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("cannot read standard input")?;
            bytes
        }
    };
    let bytes = octets(bytes)?;
    if args.kind == Kind::Wbxml && !matches!(bytes.first(), Some(0x01..=0x03)) {
        bail!("not a WBXML document: it begins with no known version, at offset 0");
    }
    let document = Document::read(&bytes);
    let mut out = match args.format {
        Format::Text => document.text(),
        Format::Xml => document.xml(),
        Format::Json => serde_json::to_string_pretty(&document.json())?,
    };
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    match std::io::stdout().write_all(out.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        result => result.context("cannot write")?,
    }
    match document.problems() {
        [] => Ok(()),
        problems => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(anyhow!(lines.join("\n")))
        }
    }
}
