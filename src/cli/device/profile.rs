//! A device's profile: which one, which rules, and why.

use serde_json::{Value, json};

use super::super::failure::{Code, Failure};
use super::super::output;
use crate::config::Config;
use crate::device::profile::{Applied, Catalogue, Identity, Matched, Resolved, Why};
use crate::sync::Device;
use crate::syncml::Carrier;
use crate::syncml::codec::{Limits, decode_devinf};

/// Names of one line.
const NAMES: usize = 40;

/// What a device that is known does its own way.
pub(super) fn resolved(catalogue: &Catalogue, device: &Device) -> Resolved {
    let devinf = (!device.devinf.is_empty())
        .then(|| decode_devinf(&device.devinf, Carrier::Xml, &Limits::default()).ok())
        .flatten();
    let devinf = devinf.as_ref();
    catalogue.resolve(&Identity {
        by_hand: device.profile.as_deref(),
        user_agent: device.user_agent.as_deref(),
        profile_header: device.profile_header.as_deref(),
        manufacturer: devinf.and_then(|devinf| devinf.man.as_deref()),
        model: devinf.and_then(|devinf| devinf.model.as_deref()),
        software: devinf.and_then(|devinf| devinf.sw_v.as_deref()),
        device: &device.uri,
    })
}

/// Refuses a profile that does not exist.
pub(super) fn check(config: &Config, name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let catalogue = config.catalogue()?;
    if catalogue.find(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = catalogue
        .profiles()
        .map(|profile| profile.name.as_str())
        .take(NAMES)
        .collect();
    let failure = Failure::new(Code::Usage, format!("there is no device profile {name}"));
    Err(failure
        .hint(format!("there are {}", names.join(", ")))
        .into())
}

/// Adds the profile and its rules to what is printed as JSON: the name in force, whether it was set by hand, and why.
pub(super) fn put(value: &mut Value, device: &Device, own: &Resolved) {
    let name = own.profile.as_ref().map(|(name, _)| name.clone());
    value["profile"] = json!(name.or_else(|| device.profile.clone()));
    value["profile_by_hand"] = json!(device.profile);
    value["profile_why"] = json!(own.profile.as_ref().map(|(_, why)| why));
    value["rules"] = json!(own.rules);
}

/// Prints them.
pub(super) fn show(own: &Resolved) -> anyhow::Result<()> {
    if let Some(name) = &own.unknown {
        output::line(format!(
            "{:12}{name} was set by hand, but does not exist",
            "profile"
        ))?;
    }
    let text = match &own.profile {
        Some((name, why)) => format!("{name}; {}", reason(why)),
        None => "none fits; what the phone says of itself counts".to_owned(),
    };
    output::line(format!("{:12}{text}", "profile"))?;
    for rule in &own.rules {
        output::line(format!(
            "{:12}{} ({}): {}",
            "rule",
            rule.rule,
            rule.profile,
            effects(rule)
        ))?;
        output::line(format!("{:12}  {}; {}", "", reason(&rule.why), rule.source))?;
    }
    Ok(())
}

fn reason(why: &Why) -> String {
    let fits = |matched: &Matched| {
        format!(
            "{} {:?} fits {}",
            matched.key.words(),
            matched.value,
            matched.pattern
        )
    };
    match why {
        Why::ByHand => "set by hand".to_owned(),
        Why::Always => "for all of its phones".to_owned(),
        Why::Matches(matched) => matched.iter().map(fits).collect::<Vec<_>>().join(", "),
    }
}

/// `name_parts = 2, address_swap = true`
fn effects(rule: &Applied) -> String {
    let words: Vec<_> = rule
        .effects()
        .into_iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    words.join(", ")
}
