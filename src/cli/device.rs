//! `candybar device`: the phones of an account.

mod profile;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::failure::{Code, Failure};
use super::{Global, output, setup};
use crate::device::profile::Resolved;
use crate::outbox::mail::OwnRules;
use crate::outbox::message::FORMS;
use crate::store::{Store, StoreError};
use crate::sync::{Account, Device, Reach, ViewState, Windows};

/// Longest device address, octets.
const LONGEST_URI: usize = 255;

/// Flags of `device`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a device before its first synchronisation
    Add {
        /// User name
        name: String,
        /// The address that the phone gives itself, such as IMEI:350000000000001
        device: String,
        /// Telephone number, with + and country code
        #[arg(long, value_name = "NUMBER")]
        msisdn: Option<String>,
        /// Device profile
        #[arg(long)]
        profile: Option<String>,
    },
    /// Print the devices of an account
    List {
        /// User name
        name: String,
    },
    /// Print all that is known of a device
    Show {
        /// User name
        name: String,
        /// The device's address
        device: String,
    },
    /// Change telephone number or profile; an empty value clears it
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// User name
        name: String,
        /// The device's address
        device: String,
        /// Telephone number, with + and country code
        #[arg(long, value_name = "NUMBER", group = "what")]
        msisdn: Option<String>,
        /// Device profile
        #[arg(long, group = "what")]
        profile: Option<String>,
        /// How it is spoken to: gateways, kinds of them or sms, in order, with commas; none: never
        #[arg(long, value_name = "CHANNELS", group = "what")]
        channel: Option<String>,
        /// Form of its notifications: san, syncml-1.1, emn, si or sl
        #[arg(long, value_name = "FORM", group = "what")]
        notification: Option<String>,
        /// Which mails it has: days=14,count=50,bytes=4096, of one folder sent.count=0; empty: as configured
        #[arg(long, value_name = "LIMITS", group = "what")]
        mail_window: Option<String>,
        /// Which new mail wakes it: senders=*@example.org;quiet_hours=22:00-07:00; empty: as the account has it
        #[arg(long, value_name = "RULES", group = "what")]
        mail_push: Option<OwnRules>,
    },
    /// Forget a device; its next synchronisation compares everything
    Forget {
        /// User name
        name: String,
        /// The device's address
        device: String,
    },
}

/// Runs one of them.
pub(super) fn run(args: Args, global: &Global) -> anyhow::Result<Code> {
    let (config, store) = setup::store(global)?;
    match args.command {
        Command::Add {
            name,
            device,
            msisdn,
            profile,
        } => {
            let account = setup::account(&store, &name)?;
            check_uri(&device)?;
            profile::check(&config, profile.as_deref())?;
            let new = Device {
                uri: device.clone(),
                msisdn: msisdn.as_deref().map(number).transpose()?.flatten(),
                profile: profile.filter(|profile| !profile.is_empty()),
                ..Device::default()
            };
            let added = store
                .add_device(account.id, new)
                .map_err(|error| match error {
                    StoreError::Exists => anyhow::Error::from(
                        Failure::new(
                            Code::Refused,
                            format!("{name} has the device {device} already"),
                        )
                        .hint(format!("candybar device set {name} {device} changes it")),
                    ),
                    error => error.into(),
                })?;
            if global.json {
                output::json(&summary(&added))?;
            } else {
                output::line(format!(
                    "added {device} to {name}; its first message will bind to it"
                ))?;
            }
        }
        Command::List { name } => {
            let account = setup::account(&store, &name)?;
            list(&name, &store.devices(account.id)?, global)?;
        }
        Command::Show { name, device } => {
            let account = setup::account(&store, &name)?;
            let device = find(&store, &account, &device)?;
            let views = store.views(account.id, device.id)?;
            let counts = store.item_counts(account.id)?;
            let (reach, own_password) = store.reach(account.id, device.id)?;
            let rules = store.mail_rules(account.id, device.id)?;
            let password = own_password.as_ref().unwrap_or(&account.password);
            let catalogue = config.catalogue()?;
            let own = profile::resolved(&catalogue, &device);
            if global.json {
                let mut value = shown(&config.server_id, &account, &device, &views, &counts);
                profile::put(&mut value, &device, &own);
                value["notification"]["password"] = password.0.clone().into();
                value["notification"]["form"] = reach.form.clone().into();
                value["channels"] = reach.channels.into();
                value["mail_push"] = json!({ "account": rules.account, "device": rules.device });
                output::json(&value)?;
            } else {
                show(&device, &reach, &views, &own)?;
                let rules = rules.device.or(rules.account);
                let rules = rules.unwrap_or_else(|| "as configured".to_owned());
                output::line(format!("{:12}{rules}", "mail push"))?;
            }
        }
        Command::Set {
            name,
            device,
            msisdn,
            profile,
            channel,
            notification,
            mail_window,
            mail_push,
        } => {
            let account = setup::account(&store, &name)?;
            let channels = channel.as_deref().map(channels).transpose()?;
            let form = notification.as_deref().map(form).transpose()?;
            let windows = mail_window.as_deref().map(windows).transpose()?;
            let mut device = find(&store, &account, &device)?;
            if let Some(text) = msisdn {
                device.msisdn = number(&text)?;
            }
            profile::check(&config, profile.as_deref())?;
            if let Some(profile) = profile {
                device.profile = Some(profile).filter(|profile| !profile.is_empty());
            }
            store.set_device(
                account.id,
                device.id,
                device.msisdn.as_deref(),
                device.profile.as_deref(),
            )?;
            if let Some(channels) = channels {
                store.set_channels(account.id, device.id, &channels)?;
            }
            if let Some(form) = form {
                store.set_form(account.id, device.id, form)?;
            }
            if let Some(windows) = windows {
                store.set_mail_window(account.id, device.id, &windows)?;
                device.mail_window = windows;
            }
            if let Some(rules) = mail_push {
                store.set_mail_rules(account.id, Some(device.id), &rules.to_string())?;
            }
            if global.json {
                output::json(&summary(&device))?;
            } else {
                output::line(format!("changed {}", device.uri))?;
            }
        }
        Command::Forget { name, device } => {
            let account = setup::account(&store, &name)?;
            let device = find(&store, &account, &device)?;
            store.forget_device(account.id, device.id)?;
            if global.json {
                output::json(&json!({ "forgotten": device.uri }))?;
            } else {
                output::line(format!(
                    "forgot {}; no item was touched, its next synchronisation compares everything",
                    device.uri
                ))?;
            }
        }
    }
    Ok(Code::Done)
}

fn find(store: &Store, account: &Account, uri: &str) -> anyhow::Result<Device> {
    match store.device(account.id, uri) {
        Ok(device) => Ok(device),
        Err(StoreError::NotFound) => Err(Failure::new(
            Code::Refused,
            format!("{} has no device {uri}", account.name),
        )
        .hint(format!(
            "candybar device list {} shows the devices",
            account.name
        ))
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn check_uri(uri: &str) -> Result<(), Failure> {
    let good = !uri.is_empty()
        && uri.len() <= LONGEST_URI
        && !uri.chars().any(|c| c.is_control() || c.is_whitespace());
    if good {
        return Ok(());
    }
    Err(Failure::new(
        Code::Usage,
        "a device's address has 1 to 255 octets and no blanks",
    )
    .hint("it is what the phone sends as Source LocURI, mostly IMEI: and 15 digits (*#06# shows them)"))
}

/// A form of notifications; `None` for an empty text.
fn form(text: &str) -> Result<Option<&'static str>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let known = FORMS.into_iter().find(|known| *known == text);
    known.map(Some).ok_or_else(|| {
        Failure::new(Code::Usage, format!("{text} is no form of a notification"))
            .hint(format!("there are {}", FORMS.join(", ")))
    })
}

/// Limits of what mails a device has.
fn windows(text: &str) -> Result<Windows, Failure> {
    text.parse().map_err(|why: String| {
        Failure::new(Code::Usage, why)
            .hint("write limits with commas: days=14,count=50,bytes=4096,sent.count=0")
    })
}

/// Names of gateways, or of kinds of them.
fn channels(text: &str) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = text
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    let good = |name: &String| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        name.len() <= 32 && name.bytes().all(known)
    };
    if names.len() <= 16 && names.iter().all(good) {
        return Ok(names);
    }
    Err(
        Failure::new(Code::Usage, format!("{text} is no list of channels"))
            .hint("write names of gateways, or sms, or ctp, in order: ctp,sms"),
    )
}

/// A telephone number as `+` and digits; `None` for an empty text.
pub(super) fn number(text: &str) -> Result<Option<String>, Failure> {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')'))
        .collect();
    if plain.is_empty() {
        return Ok(None);
    }
    let digits = plain.strip_prefix('+').unwrap_or_default();
    if (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(plain));
    }
    Err(
        Failure::new(Code::Usage, format!("{text} is no telephone number"))
            .hint("write + and the country code before it, such as +46701234567"),
    )
}

fn summary(device: &Device) -> serde_json::Value {
    json!({
        "device": device.uri,
        "msisdn": device.msisdn,
        "profile": device.profile,
        "mail_window": device.mail_window.to_string(),
        "user_agent": device.user_agent,
        "profile_header": device.profile_header,
        "last_seen": device.last_seen,
        "created": device.created,
    })
}

fn list(name: &str, devices: &[Device], global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(&devices.iter().map(summary).collect::<Vec<_>>());
    }
    if devices.is_empty() {
        eprintln!("{name} has no devices yet; a phone is added by its first synchronisation");
        return Ok(());
    }
    let mut rows = vec![
        ["device", "number", "profile", "last seen"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for device in devices {
        rows.push(vec![
            device.uri.clone(),
            device.msisdn.clone().unwrap_or_default(),
            device.profile.clone().unwrap_or_default(),
            output::time(device.last_seen),
        ]);
    }
    Ok(output::table(&rows)?)
}

fn shown(
    server_id: &str,
    account: &Account,
    device: &Device,
    views: &[(crate::sync::Datastore, ViewState)],
    counts: &[(crate::sync::Datastore, u64)],
) -> serde_json::Value {
    let anchors: serde_json::Map<_, _> = views
        .iter()
        .filter_map(|(datastore, view)| {
            let confirmed = view.confirmed.as_ref()?;
            let value = json!({
                "client": confirmed.client_anchor,
                "server": confirmed.server_anchor,
                "modseq": confirmed.base,
            });
            Some((datastore.name().to_owned(), value))
        })
        .collect();
    let datastores: serde_json::Map<_, _> = views
        .iter()
        .map(|(datastore, view)| {
            let items: u64 = counts
                .iter()
                .filter(|(counted, _)| datastore.collections().contains(counted))
                .map(|(_, count)| count)
                .sum();
            let value = json!({
                "items": items,
                "rounds": view.round,
                "synchronised": view.confirmed.is_some(),
            });
            (datastore.name().to_owned(), value)
        })
        .collect();
    let mut value = summary(device);
    value["account"] = account.name.clone().into();
    value["notification"] = json!({
        "server_id": server_id,
        "password": account.password.0,
        "nonce": BASE64.encode(&device.notification_nonce),
    });
    value["datastores"] = datastores.into();
    value["anchors"] = anchors.into();
    value["devinf"] = String::from_utf8_lossy(&device.devinf).into_owned().into();
    value
}

fn show(
    device: &Device,
    reach: &Reach,
    views: &[(crate::sync::Datastore, ViewState)],
    own: &Resolved,
) -> anyhow::Result<()> {
    let unknown = || "not known".to_owned();
    for (what, value) in [
        ("device", device.uri.clone()),
        ("number", device.msisdn.clone().unwrap_or_else(unknown)),
        (
            "user agent",
            device.user_agent.clone().unwrap_or_else(unknown),
        ),
        (
            "channels",
            match &*reach.channels {
                [] => "as configured".to_owned(),
                channels => channels.join(", "),
            },
        ),
        (
            "description",
            device.profile_header.clone().unwrap_or_else(unknown),
        ),
        (
            "mail",
            match device.mail_window.is_empty() {
                true => "as configured".to_owned(),
                false => device.mail_window.to_string(),
            },
        ),
        ("added", output::time(device.created)),
        ("last seen", output::time(device.last_seen)),
    ] {
        output::line(format!("{what:12}{value}"))?;
    }
    for (datastore, view) in views {
        let state = match &view.confirmed {
            Some(confirmed) => format!(
                "synchronised {}; anchors {} (phone) and {} (server)",
                output::count(usize::try_from(view.round.0).unwrap_or(0), "time", "times"),
                confirmed.client_anchor,
                confirmed.server_anchor
            ),
            None => "never synchronised to the end".to_owned(),
        };
        output::line(format!("{:12}{state}", datastore.name()))?;
    }
    profile::show(own)
}

#[cfg(test)]
mod tests {
    use super::{check_uri, number};

    #[test]
    fn numbers_are_brought_into_one_form() {
        for (text, expected) in [
            ("+46 70-123 45 67", Some("+46701234567")),
            ("+1 (555) 010.0000", Some("+15550100000")),
            ("", None),
        ] {
            assert_eq!(number(text).expect(text).as_deref(), expected);
        }
        for bad in [
            "0701234567",
            "+12",
            "+4670x234567",
            "+1234567890123456",
            "phone",
        ] {
            number(bad).expect_err(bad);
        }
    }

    #[test]
    fn addresses_have_no_blanks() {
        check_uri("IMEI:350000000000001").expect("good");
        for bad in ["", "a b", "a\n", &"x".repeat(256)] {
            check_uri(bad).expect_err(bad);
        }
    }
}
