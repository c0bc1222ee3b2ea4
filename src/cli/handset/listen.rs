//! `candybar handset listen`: the virtual phone waits for short messages on a UDP port, as emulators take them and the
//! loopback gateway sends them, and syncs when the server asks.

use std::io::Write as _;
use std::net::UdpSocket;
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use serde_json::json;

use super::{SyncArgs, sync_as};
use crate::handset::{Inbox, Incoming, Keys, Notification, Signature, StateFile};
use crate::push::{Notice, ServerAlert, Sync};

/// Octets of a datagram: more than 255 segments hold.
const MOST_DATAGRAM: usize = 64 << 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// UDP address; the port of WAP push is 2948.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2948")]
    listen: String,
    /// The nonce of the digest as long as the phone has given the server none, in base64; empty if it is not given.
    #[arg(long, value_name = "BASE64", requires = "server_password", value_parser = nonce)]
    nonce: Option<Octets>,
    /// The PIN that the user types when settings come.
    #[arg(long, value_name = "DIGITS")]
    pin: Option<String>,
    /// The number of the card, with which settings are signed.
    #[arg(long, value_name = "DIGITS")]
    imsi: Option<String>,
    /// End after the first notification that was followed.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    sync: SyncArgs,
}

#[derive(Debug, Clone)]
struct Octets(Vec<u8>);

fn nonce(text: &str) -> Result<Octets, String> {
    base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map(Octets)
        .map_err(|_| "a nonce is given in base64".to_owned())
}

/// Prints one event: a line, or an object on one line.
fn tell(json: bool, text: &str, value: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{value}")?;
    } else {
        writeln!(out, "{text}")?;
    }
    out.flush()?;
    Ok(())
}

/// Waits, and syncs when it is asked to. Ends by a signal, or with `--once`.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let socket = UdpSocket::bind(&args.listen).with_context(|| {
        format!(
            "cannot listen on udp {}; --listen HOST:PORT names another address",
            args.listen
        )
    })?;
    let address = socket.local_addr().context("no address")?;
    let json = args.sync.json;
    tell(
        json,
        &format!("listening on udp://{address}"),
        &json!({ "listening": address.to_string() }),
    )?;
    let initial = args.nonce.as_ref().map_or(&[][..], |nonce| &nonce.0);
    let memory = StateFile::new(&args.sync.state.state);
    let mut inbox = Inbox::new(Keys {
        server_password: args.sync.server_password.clone(),
        nonces: Vec::new(),
        pin: args.pin.clone(),
        imsi: args.imsi.clone(),
    });
    let mut datagram = vec![0; MOST_DATAGRAM];
    loop {
        let (length, from) = socket
            .recv_from(&mut datagram)
            .context("cannot receive on the UDP port")?;
        // The last session may have given the server another nonce.
        let known = memory.load()?.unwrap_or_default();
        inbox.set_nonces(known.server_nonces(initial));
        // Segments of one message may come from different ports.
        let sender = from.ip().to_string();
        match inbox.receive_datagram(&sender, &datagram[..length]) {
            Err(error) => eprintln!("a message from {from} cannot be read: {error}"),
            Ok(None) => {}
            Ok(Some(Incoming::Notification(notification))) => {
                show(json, &notification)?;
                if !notification.is_believed() {
                    continue;
                }
                if let Some(code) = follow(args, &notification)? {
                    return Ok(code);
                }
            }
            Ok(Some(other)) => {
                let text = other_text(&other);
                tell(json, &text, &json!({ "received": text }))?;
                // A phone fetches the mail that it is told of.
                if matches!(other, Incoming::Mail(_))
                    && let Some(code) = follow(args, &for_mail())?
                {
                    return Ok(code);
                }
            }
        }
    }
}

/// Synchronises what is asked for. With an exit code, the command ends.
fn follow(args: &Args, notification: &Notification) -> anyhow::Result<Option<ExitCode>> {
    match sync_as(&args.sync, Some(notification)) {
        Ok(code) => Ok(args.once.then_some(code)),
        Err(error) if args.once => Err(error),
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(None)
        }
    }
}

/// What an e-mail notification asks for: it has no signature, and names no datastore.
fn for_mail() -> Notification {
    let mail = Sync::new(ServerAlert::TwoWay, "", "./mail");
    Notification {
        notice: Notice {
            syncs: vec![mail],
            ..Notice::default()
        },
        signature: Signature::Unchecked,
    }
}

fn show(json: bool, notification: &Notification) -> anyhow::Result<()> {
    let notice = &notification.notice;
    let names: Vec<&str> = notice.syncs.iter().map(|sync| &*sync.uri).collect();
    let what = if names.is_empty() {
        "all datastores".to_owned()
    } else {
        names.join(", ")
    };
    let signature = match notification.signature {
        Signature::Missing => "not followed: it has no digest",
        Signature::Wrong => "not followed: its digest is wrong",
        Signature::Right => "its digest is right",
        Signature::Unchecked => "not checked",
    };
    let text = format!(
        "{} asks for a sync of {what} ({}, session {}): {signature}",
        notice.server_id,
        notice.ui_mode.name(),
        notice.session_id
    );
    let syncs = notice.syncs.iter().map(
        |sync| json!({ "datastore": sync.uri, "alert": sync.alert.code(), "mode": sync.alert.name() }),
    );
    let value = json!({
        "notification": {
            "server_id": notice.server_id,
            "session_id": notice.session_id,
            "ui_mode": notice.ui_mode,
            "followed": notification.is_believed(),
            "syncs": syncs.collect::<Vec<_>>(),
        }
    });
    tell(json, &text, &value)
}

fn other_text(incoming: &Incoming) -> String {
    let signed = |signature: &Signature| match signature {
        Signature::Missing => "not signed",
        Signature::Unchecked => "signed",
        Signature::Right => "signed, and the signature is right",
        Signature::Wrong => "signed, and the signature is wrong",
    };
    match incoming {
        Incoming::Notification(_) => "a notification".to_owned(),
        Incoming::Settings(settings, signature) => format!(
            "settings {:?}: {} as {}, {}",
            settings.name,
            settings.url,
            settings.user,
            signed(signature)
        ),
        Incoming::AccessPoint(access_point) => {
            format!("access point {:?}: {}", access_point.name, access_point.apn)
        }
        Incoming::Mail(emn) => format!("new mail in {}", emn.mailbox),
        Incoming::Indication(indication) => match &indication.href {
            Some(href) => format!("message: {} ({href})", indication.text),
            None => format!("message: {}", indication.text),
        },
        Incoming::Loading(loading) => format!("a page to open: {}", loading.href),
        Incoming::Text(text) => format!("text: {text}"),
        Incoming::Other(media) => format!("a push of type {media}"),
    }
}
