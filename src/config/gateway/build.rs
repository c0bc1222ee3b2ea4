//! From a `[[gateway]]` table to the typed settings of a gateway.

use std::time::Duration;

use super::{GatewayKeyKind, KINDS, MAX_NAME, Problem, Table, key, lines, list};
use crate::sms::Prefix;
use crate::sms::settings::{
    CtpSettings, GatewayKind, GatewaySettings, KannelSettings, Login, PapSettings, Secret,
    SmppBind, SmppForm, SmppSettings, SpoolFormat, SpoolSettings, TemplateSettings, TlsSettings,
};

/// Lower-case letters, digits and dashes.
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_NAME && !text.starts_with('-') && text.bytes().all(known)
}

/// The settings, or problems.
pub(super) fn gateway(table: &Table, problems: &mut Vec<Problem>) -> Option<GatewaySettings> {
    let before = problems.len();
    let kind = table.text("kind");
    if kind.is_empty() {
        problems.push(Problem {
            what: format!("{} has no kind", table.label),
            why: format!("it is one of {}", KINDS.join(", ")),
        });
        return None;
    }
    for (name, setting) in &table.settings {
        let key = key::find(name).expect("only keys of the table are set");
        let why = if KINDS.contains(&kind) && !key.is_of(kind) {
            Some(format!("a gateway of the kind {kind} has no such key"))
        } else {
            fault(key.kind, &setting.text)
        };
        if let Some(why) = why {
            let shown = if key.secret { "…" } else { &setting.text };
            problems.push(Problem {
                what: format!(
                    "{}: {name} = {shown} is wrong ({})",
                    table.label, setting.origin
                ),
                why,
            });
        }
    }
    for needed in ["name", "url"] {
        if table.text(needed).is_empty() {
            problems.push(Problem {
                what: format!("{} has no {needed}", table.label),
                why: key::find(needed)
                    .map_or("it needs one", |key| key.help)
                    .to_owned(),
            });
        }
    }
    if problems.len() > before {
        return None;
    }
    let mut wrong = |name: &str, why: String| {
        problems.push(Problem {
            what: format!(
                "{}: {name} = {} is wrong ({})",
                table.label,
                table.text(name),
                table.origin(name)
            ),
            why,
        });
    };
    let kind = kind_of(table, kind, &mut wrong)?;
    let mut prefixes = Vec::new();
    for prefix in list(table.text("prefixes")) {
        match prefix.parse::<Prefix>() {
            Ok(prefix) => prefixes.push(prefix),
            Err(_) => {
                let why = format!("{prefix} is no beginning of a phone number, such as +46 or *");
                wrong("prefixes", why);
                return None;
            }
        }
    }
    let callback = table.text("callback_url");
    if !callback.is_empty() && !callback.starts_with("http://") && !callback.starts_with("https://")
    {
        wrong(
            "callback_url",
            "it begins with http:// or https://".to_owned(),
        );
        return None;
    }
    Some(GatewaySettings {
        name: table.text("name").to_owned(),
        prefixes,
        window: number::<u16>(table, "window").max(1),
        per_second: number(table, "per_second"),
        timeout: seconds(table, "timeout_seconds"),
        callback_url: some(callback).map(str::to_owned),
        token: some(table.text("token")).map(Secret::new),
        kind,
    })
}

/// What only its kind has.
fn kind_of(table: &Table, kind: &str, wrong: &mut impl FnMut(&str, String)) -> Option<GatewayKind> {
    let text = |name: &str| table.text(name).to_owned();
    let url = table.text("url");
    Some(match kind {
        "kannel" if table.text("method") == "put" => {
            wrong("method", "Kannel takes get and post".to_owned());
            return None;
        }
        "kannel" => GatewayKind::Kannel(KannelSettings {
            url: http_url(url, wrong)?,
            login: login(table),
            sender: text("sender"),
            smsc: text("smsc"),
            post: table.text("method") != "get",
            tls: tls(table),
        }),
        "pap" => GatewayKind::Pap(PapSettings {
            url: http_url(url, wrong)?,
            login: login(table),
            domain: text("domain"),
            tls: tls(table),
        }),
        "smpp" => GatewayKind::Smpp(smpp(table, wrong)?),
        "http" => GatewayKind::Http(Box::new(template(table, wrong)?)),
        "spool" => GatewayKind::Spool(SpoolSettings {
            path: url.into(),
            format: match table.text("format") {
                "gammu" => SpoolFormat::Gammu,
                _ => SpoolFormat::Smstools,
            },
            sender: text("sender"),
            queue: text("queue"),
        }),
        "ctp" => {
            let listen = url.strip_prefix("ctp://").unwrap_or(url);
            let port = listen.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(_))) {
                let why = "it is where phones connect to, such as 0.0.0.0:4745";
                wrong("url", why.to_owned());
                return None;
            }
            GatewayKind::Ctp(CtpSettings {
                listen: listen.to_owned(),
                max_connections: number(table, "max_connections"),
                heartbeat: seconds(table, "heartbeat_seconds"),
            })
        }
        "loopback" => {
            let address = url.strip_prefix("udp://").unwrap_or(url);
            match address.parse() {
                Ok(address) => GatewayKind::Loopback { address },
                Err(_) => {
                    let why = "it is the UDP address of a phone, such as 127.0.0.1:2948";
                    wrong("url", why.to_owned());
                    return None;
                }
            }
        }
        _ => GatewayKind::File {
            path: url.strip_prefix("file:").unwrap_or(url).into(),
        },
    })
}

fn smpp(table: &Table, wrong: &mut impl FnMut(&str, String)) -> Option<SmppSettings> {
    let text = |name: &str| table.text(name).to_owned();
    let url = table.text("url");
    let (encrypted, rest) = match (url.strip_prefix("smpp://"), url.strip_prefix("smpps://")) {
        (Some(rest), _) => (false, Some(rest)),
        (_, rest) => (true, rest),
    };
    let place = rest.and_then(|rest| {
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        (!host.is_empty() && !host.contains(['/', '@'])).then(|| (host.to_owned(), port))
    });
    let Some((host, port)) = place else {
        let why = "it is smpp://host:port, or smpps://host:port with TLS";
        wrong("url", why.to_owned());
        return None;
    };
    let optional = |name: &str| table.text(name).parse().ok();
    Some(SmppSettings {
        host,
        port,
        encrypted,
        login: login(table),
        system_type: text("system_type"),
        sender: text("sender"),
        bind: match table.text("bind") {
            "transmitter" => SmppBind::Transmitter,
            "separate" => SmppBind::Separate,
            _ => SmppBind::Transceiver,
        },
        form: match table.text("form") {
            "payload" => SmppForm::Payload,
            "sar" => SmppForm::Sar,
            _ => SmppForm::Udh,
        },
        enquire: seconds(table, "enquire_seconds"),
        reconnect: seconds(table, "reconnect_seconds"),
        sender_ton: optional("sender_ton"),
        sender_npi: optional("sender_npi"),
        phone_ton: optional("phone_ton"),
        phone_npi: optional("phone_npi"),
        answer_ids_are_hex: table.text("ids") == "hex-answer",
        receipt_ids_are_hex: table.text("ids") == "hex-receipt",
        tls: tls(table),
    })
}

fn template(table: &Table, wrong: &mut impl FnMut(&str, String)) -> Option<TemplateSettings> {
    let text = |name: &str| table.text(name).to_owned();
    let words = |name: &str| {
        list(table.text(name))
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let mut statuses = |name: &str| -> Option<Vec<u16>> {
        let parsed: Result<Vec<u16>, _> =
            list(table.text(name)).into_iter().map(str::parse).collect();
        if parsed.is_err() {
            wrong(
                name,
                "it is a list of HTTP statuses, such as \"200,202\"".to_owned(),
            );
        }
        parsed.ok()
    };
    let success_status = statuses("success_status")?;
    let throttled_status = statuses("throttled_status")?;
    Some(TemplateSettings {
        url: http_url(table.text("url"), wrong)?,
        method: table.text("method").to_ascii_uppercase(),
        headers: lines(table.text("headers"))
            .into_iter()
            .map(str::to_owned)
            .collect(),
        body: text("body"),
        text_body: text("text_body"),
        login: login(table),
        sender: text("sender"),
        success_status,
        success_text: text("success_text"),
        failure_text: text("failure_text"),
        throttled_status,
        throttled_text: text("throttled_text"),
        id_path: text("id_path"),
        id_after: text("id_after"),
        receipt_id: text("receipt_id"),
        receipt_state: text("receipt_state"),
        receipt_delivered: words("receipt_delivered"),
        receipt_failed: words("receipt_failed"),
        incoming_from: text("incoming_from"),
        incoming_to: text("incoming_to"),
        incoming_text: text("incoming_text"),
        tls: tls(table),
    })
}

fn http_url(url: &str, wrong: &mut impl FnMut(&str, String)) -> Option<String> {
    let good = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains('#'));
    if good {
        return Some(url.to_owned());
    }
    let why = "it is an address such as http://127.0.0.1:13013/cgi-bin/sendsms";
    wrong("url", why.to_owned());
    None
}

fn login(table: &Table) -> Login {
    Login {
        username: table.text("username").to_owned(),
        password: Secret::new(table.text("password")),
    }
}

fn tls(table: &Table) -> TlsSettings {
    TlsSettings {
        ca_file: some(table.text("ca_file")).map(Into::into),
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A number that was checked before; one that its kind does not have is its default.
fn number<T: TryFrom<u64> + Default>(table: &Table, name: &str) -> T {
    let number: u64 = table.text(name).parse().unwrap_or_default();
    T::try_from(number).unwrap_or_default()
}

fn seconds(table: &Table, name: &str) -> Duration {
    Duration::from_secs(number(table, name))
}

/// Why a value is none of this kind.
fn fault(kind: GatewayKeyKind, text: &str) -> Option<String> {
    match kind {
        GatewayKeyKind::Lines | GatewayKeyKind::Template => None,
        GatewayKeyKind::Text | GatewayKeyKind::List | GatewayKeyKind::Path => text
            .chars()
            .any(char::is_control)
            .then(|| "it has a line break or another control character".to_owned()),
        GatewayKeyKind::Name => (!is_name(text)).then(|| {
            format!("it is a name of 1 to {MAX_NAME} lower-case letters, digits and dashes")
        }),
        GatewayKeyKind::Optional { .. } if text.is_empty() => None,
        GatewayKeyKind::Number { min, max } | GatewayKeyKind::Optional { min, max } => {
            let good = text
                .parse()
                .is_ok_and(|number| (min..=max).contains(&number));
            (!good).then(|| format!("it is a whole number from {min} to {max}"))
        }
        GatewayKeyKind::Choice(words) => {
            (!words.contains(&text)).then(|| format!("it is one of {}", words.join(", ")))
        }
    }
}
