//! `candybar provision`: settings for a phone, by SMS.

use serde_json::json;

use super::failure::{Code, Failure};
use super::push::{gateways, refusal};
use super::{Global, device, output, password, setup};
use crate::outbox::desk;
use crate::outbox::settings::{AccessPointOrder, SettingsKind, SettingsOrder};
use crate::sync::{Datastore, Secret};

/// Flags of `provision`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// User name
    name: String,
    /// Telephone number of the phone, with + and country code
    #[arg(long, value_name = "NUMBER")]
    msisdn: String,
    /// cp (OMA Client Provisioning), or nokia-ota for the Series 40 and Ericssons before it [default: as the profile of the
    /// phone with that number has it, else cp]
    #[arg(long, value_name = "KIND")]
    kind: Option<SettingsKind>,
    /// The phone's profile, if the server does not know the phone yet
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Digits that the user types when the settings come; made and printed if neither this nor --imsi is given
    #[arg(long, value_name = "DIGITS")]
    pin: Option<String>,
    /// Number of the phone's card: then the phone checks the settings by itself
    #[arg(long, value_name = "DIGITS")]
    imsi: Option<String>,
    /// The user types the PIN and a signature, which are printed
    #[arg(long, requires = "pin")]
    pin_mac: bool,
    /// The phone gets the server's password as well, with which it checks notifications (cp only)
    #[arg(long)]
    server_credentials: bool,
    /// Where the phone synchronises [default: public_url of the configuration]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the phone calls the settings
    #[arg(long, value_name = "NAME", default_value = "candybar")]
    settings_name: String,
    /// A datastore; may be given again [default: contacts, calendar, tasks, notes]
    #[arg(long, value_name = "DATASTORE")]
    datastore: Vec<Datastore>,
    /// An access point that the phone has, by its name
    #[arg(long, value_name = "NAME", conflicts_with = "apn")]
    access_point: Option<String>,
    /// Name of a GPRS access point in the network, which is made with the settings
    #[arg(long, value_name = "APN")]
    apn: Option<String>,
    /// User of the access point
    #[arg(long, value_name = "USER", requires = "apn")]
    apn_user: Option<String>,
    /// Password of the access point
    #[arg(long, value_name = "PASSWORD", requires = "apn")]
    apn_password: Option<String>,
    /// HTTP proxy of the access point, host:port; nokia-ota needs one
    #[arg(long, value_name = "HOST:PORT", requires = "apn")]
    proxy: Option<String>,
}

/// Queues the settings.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let (config, store) = setup::store(global)?;
    gateways(&config)?;
    let account = setup::account(&store, &args.name)?;
    let Some(msisdn) = device::number(&args.msisdn)? else {
        return Err(Failure::new(Code::Usage, "the telephone number is empty").into());
    };
    let Some(url) = args.url.clone().or_else(|| config.public_url.clone()) else {
        return Err(
            Failure::new(Code::Usage, "the phone has to know where it synchronises")
                .hint("give --url http://HOST:PORT/sync, or set public_url in the configuration")
                .into(),
        );
    };
    let kind = match args.kind {
        Some(kind) => kind,
        None => {
            let (profiles, profile) = (config.catalogue()?, args.profile.as_deref());
            desk::settings_kind(&store, &profiles, &account, &msisdn, profile)
                .map_err(|error| refusal(error, &args.name))?
        }
    };
    let mut pin = args.pin.clone();
    if kind == SettingsKind::Cp && pin.is_none() && args.imsi.is_none() {
        pin = Some(made_pin()?);
    }
    let order = SettingsOrder {
        kind: Some(kind),
        name: args.settings_name.clone(),
        url,
        datastores: match &*args.datastore {
            [] => [
                Datastore::Contacts,
                Datastore::Calendar,
                Datastore::Tasks,
                Datastore::Notes,
            ]
            .into(),
            datastores => datastores.to_vec(),
        },
        pin,
        imsi: args.imsi.clone(),
        pin_mac: args.pin_mac,
        existing: args.access_point.clone(),
        access_point: args.apn.clone().map(|apn| AccessPointOrder {
            apn,
            user: args.apn_user.clone().unwrap_or_default(),
            password: args.apn_password.clone().unwrap_or_default(),
            proxy: args.proxy.clone().unwrap_or_default(),
            ..AccessPointOrder::default()
        }),
        server_credentials: args.server_credentials,
        browser: false,
    };
    let password = Secret(password::make()?);
    let asked_by = "asked for on the command line";
    let (device, queued, typed) = desk::provision(
        &store,
        &account,
        &config.server_id,
        &msisdn,
        &password,
        &order,
        asked_by,
    )
    .map_err(|error| refusal(error, &args.name))?;
    if global.json {
        let queued = queued
            .iter()
            .map(|notification| desk::to_json(notification, &account.name, &device.uri));
        let queued: Vec<_> = queued.collect();
        return output::json(&json!({
            "device": device.uri,
            "kind": kind,
            "password": password.0,
            "pin": typed,
            "notifications": queued,
        }))
        .map(|()| Code::Done);
    }
    for notification in &queued {
        let kind = match kind {
            SettingsKind::Cp => "client provisioning",
            SettingsKind::NokiaOta => "OTA settings 7.0",
        };
        output::line(format!("queued {} for {msisdn}: {kind}", notification.id))?;
    }
    if let Some(typed) = typed {
        output::line(format!("  the user types  {typed}"))?;
    }
    output::line(format!("  the password    {}", password.0))?;
    eprintln!(
        "the phone gets a password of its own, and is bound to {} by its first synchronisation with it",
        account.name
    );
    Ok(Code::Done)
}

/// Four digits.
pub(super) fn made_pin() -> anyhow::Result<String> {
    let random = getrandom::u32()
        .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(format!("{:04}", random % 10_000))
}
