//! `candybar decode`: shows a message, from octets or hex.
//!
//! What can be read is shown, also of a broken message; then the error is said, with its offset.

mod input;
mod layers;
mod section;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;

pub use input::octets;
pub use layers::Secrets;
pub use section::Section;
pub use tree::{Document, Problem};

use crate::push::san;
use crate::push::sms::{self, ShortMessage};
use crate::push::wsp::Push;
use crate::wbxml::tables::{LANGUAGES, OTA_BROWSER, OTA_SYNC};
use crate::wbxml::{Decoder, Event, Language, Limits, Name};

/// Octets of input; more is no message.
const MOST_INPUT: u64 = 64 << 20;

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Kind {
    /// Found out from the input.
    #[default]
    Auto,
    /// Short messages: a line of hex for each, SMS-DELIVER, SMS-SUBMIT or header and data; or what a gateway shows.
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

/// Shows a message: short messages, WAP push, notification, WBXML or XML; octets or hex.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the input is.
    #[arg(long = "as", value_enum, default_value_t)]
    pub kind: Kind,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Check the digest of a notification with the server's password at the phone.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "CANDYBAR_DECODE_PASSWORD",
        hide_env_values = true
    )]
    pub password: Option<String>,
    /// The phone's nonce for the digest, in base64.
    #[arg(long, value_name = "BASE64", requires = "password", value_parser = nonce)]
    pub nonce: Option<Nonce>,
    /// Check the signature of settings with the user's PIN.
    #[arg(long, value_name = "DIGITS")]
    pub pin: Option<String>,
    /// Check the signature of settings with the IMSI of the phone's card.
    #[arg(long, value_name = "DIGITS")]
    pub imsi: Option<String>,
    /// The input; standard input if there is none, or if it is `-`.
    pub file: Option<PathBuf>,
}

/// A nonce in octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(Vec<u8>);

fn nonce(text: &str) -> Result<Nonce, String> {
    base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map(Nonce)
        .map_err(|_| "a nonce is given in base64, as `device show --json` prints it".to_owned())
}

/// What was read.
#[derive(Debug)]
pub enum Shown {
    /// A document.
    Document(Document),
    /// The layers around one.
    Layers(Section),
}

impl Shown {
    /// As it is printed.
    pub fn format(&self, format: Format) -> anyhow::Result<String> {
        let mut out = match (self, format) {
            (Self::Document(document), Format::Text) => document.text(),
            (Self::Document(document), Format::Xml) => document.xml(),
            (Self::Document(document), Format::Json) => {
                serde_json::to_string_pretty(&document.json())?
            }
            (Self::Layers(section), Format::Text) => {
                let mut out = String::new();
                section.text(&mut out, 0);
                out
            }
            (Self::Layers(section), Format::Xml) => section.xml(),
            (Self::Layers(section), Format::Json) => serde_json::to_string_pretty(&section.json())?,
        };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        Ok(out)
    }

    /// What could not be read.
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Document(document) => {
                let problems = document.problems().iter();
                problems.map(ToString::to_string).collect()
            }
            Self::Layers(section) => section.problems(),
        }
    }
}

/// Reads an input: octets, hex, or what a gateway shows.
pub fn read(input: Vec<u8>, kind: Kind, secrets: &Secrets) -> anyhow::Result<Shown> {
    let text = std::str::from_utf8(&input).ok();
    if kind == Kind::Sms || (kind == Kind::Auto && text.is_some_and(sms::looks_like_messages)) {
        return short_messages(&input, secrets);
    }
    let octets = octets(input.clone())?;
    match kind {
        Kind::Wbxml => {
            if !matches!(octets.first(), Some(0x01..=0x03)) {
                bail!("not a WBXML document: it begins with no known version, at offset 0");
            }
            Ok(Shown::Document(document(&octets)))
        }
        Kind::Wsp => {
            let push =
                Push::read(&octets).map_err(|error| anyhow!("the WAP push is broken: {error}"))?;
            Ok(Shown::Layers(layers::push_section(&push, secrets)))
        }
        Kind::San => {
            let received = san::read(&octets)
                .map_err(|error| anyhow!("the notification is broken: {error}"))?;
            Ok(Shown::Layers(layers::san_section(&received, secrets)))
        }
        Kind::Auto | Kind::Sms => Ok(guessed(&input, &octets, secrets)),
    }
}

fn short_messages(input: &[u8], secrets: &Secrets) -> anyhow::Result<Shown> {
    let broken = |error| anyhow!("the short message is broken: {error}");
    let messages = match std::str::from_utf8(input) {
        // Octets below 0x20 are in no text form.
        Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) => {
            sms::read_text(text).map_err(broken)?
        }
        _ => vec![ShortMessage::read(input).map_err(broken)?],
    };
    Ok(Shown::Layers(layers::messages(&messages, secrets)))
}

/// The type of a WBXML document, if it begins with the root element of one.
fn language(octets: &[u8]) -> Option<&'static Language> {
    let limits = Limits::default();
    let begins = |language: &'static Language| {
        let mut decoder = Decoder::with_language(octets, language, &limits).ok()?;
        let known = decoder.language();
        let Some(Ok(Event::Start { name, .. })) = decoder.next() else {
            return None;
        };
        (name == Name::Tag(known.root)).then_some(known)
    };
    let named = LANGUAGES.iter().copied();
    named.chain([&OTA_SYNC, &OTA_BROWSER]).find_map(begins)
}

fn document(octets: &[u8]) -> Document {
    Document::of_type(octets, language(octets))
}

/// Finds out what the octets are: what is right as a whole, else a document as far as it can be read.
fn guessed(input: &[u8], octets: &[u8], secrets: &Secrets) -> Shown {
    if tree::is_xml(octets) || language(octets).is_some() {
        return Shown::Document(document(octets));
    }
    if let Ok(push) = Push::read(octets) {
        return Shown::Layers(layers::push_section(&push, secrets));
    }
    if let Ok(shown) = short_messages(input, secrets) {
        return shown;
    }
    if let Ok(received) = san::read(octets) {
        return Shown::Layers(layers::san_section(&received, secrets));
    }
    Shown::Document(Document::read(octets))
}

/// Runs the command. An error if the input is broken, after what could be read of it was printed.
pub fn run(args: Args) -> anyhow::Result<()> {
    let secrets = Secrets {
        password: args.password,
        nonce: args.nonce.map(|nonce| nonce.0).unwrap_or_default(),
        pin: args.pin,
        imsi: args.imsi,
    };
    let mut bytes = Vec::new();
    match args.file.filter(|file| file.as_os_str() != "-") {
        Some(file) => std::fs::File::open(&file)
            .and_then(|opened| opened.take(MOST_INPUT + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read {}", file.display()))?,
        None => std::io::stdin()
            .take(MOST_INPUT + 1)
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?,
    };
    if bytes.len() as u64 > MOST_INPUT {
        bail!("the input has more than {} MB", MOST_INPUT >> 20);
    }
    let shown = read(bytes, args.kind, &secrets)?;
    let out = shown.format(args.format)?;
    match std::io::stdout().write_all(out.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        result => result.context("cannot write")?,
    }
    match shown.problems() {
        problems if problems.is_empty() => Ok(()),
        problems => Err(anyhow!(problems.join("\n"))),
    }
}
