//! From a `[[gateway]]` table to the typed settings of a gateway.

use std::time::Duration;

use super::{GatewayKeyKind, KINDS, MAX_NAME, Problem, Table, key, list};
use crate::sms::Prefix;
use crate::sms::settings::{
    GatewayKind, GatewaySettings, KannelSettings, Login, Secret, TlsSettings,
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
        window: number(table, "window"),
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
        "kannel" => GatewayKind::Kannel(KannelSettings {
            url: http_url(url, wrong)?,
            login: login(table),
            sender: text("sender"),
            smsc: text("smsc"),
            post: table.text("method") == "post",
            tls: tls(table),
        }),
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
        GatewayKeyKind::Text | GatewayKeyKind::List | GatewayKeyKind::Path => text
            .chars()
            .any(char::is_control)
            .then(|| "it has a line break or another control character".to_owned()),
        GatewayKeyKind::Name => (!is_name(text)).then(|| {
            format!("it is a name of 1 to {MAX_NAME} lower-case letters, digits and dashes")
        }),
        GatewayKeyKind::Number { min, max } => {
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
