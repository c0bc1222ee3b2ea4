use std::time::Duration;

use super::super::{Config, ConfigError};
use super::key::{GATEWAY_KEYS, KINDS};
use crate::sms::settings::{GatewayKind, GatewaySettings};

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("candybar.toml");
    std::fs::write(&path, text).expect("written");
    std::fs::write(folder.path().join("secret"), "hunter2\n").expect("written");
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), variables, &[])
}

fn gateways(text: &str) -> Vec<GatewaySettings> {
    load(text, &[]).expect("right").gateways
}

const KANNEL: &str = r#"
[[gateway]]
name = "kannel"
kind = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"
username = "tester"
password_file = "secret"
prefixes = ["+46", "*"]
timeout_seconds = 10
"#;

#[test]
fn tables_become_gateways_in_order() {
    let text = format!(
        "{KANNEL}\n[[gateway]]\nname = \"emulator\"\nkind = \"loopback\"\nurl = \"udp://127.0.0.1:2948\"\nprefixes = \"+000\"\n\
         [[gateway]]\nname = \"trace\"\nkind = \"file\"\nurl = \"sms.jsonl\"\n"
    );
    let gateways = gateways(&text);
    let names: Vec<&str> = gateways.iter().map(|gateway| &*gateway.name).collect();
    assert_eq!(names, ["kannel", "emulator", "trace"]);
    let GatewayKind::Kannel(kannel) = &gateways[0].kind else {
        panic!("the first is Kannel");
    };
    assert_eq!(kannel.login.password.reveal(), "hunter2");
    assert!(!format!("{:?}", gateways[0]).contains("hunter2"));
    assert_eq!(gateways[0].timeout, Duration::from_secs(10));
    assert_eq!(gateways[0].prefixes.len(), 2);
    assert_eq!(gateways[0].window, 8, "the default");
    assert!(
        matches!(gateways[1].kind, GatewayKind::Loopback { address } if address.port() == 2948)
    );
}

#[test]
fn the_environment_changes_and_adds_gateways() {
    let config = load(
        KANNEL,
        &[
            ("CANDYBAR_GATEWAY__KANNEL__PASSWORD", "other"),
            ("CANDYBAR_GATEWAY__TRACE_FILE__KIND", "file"),
            ("CANDYBAR_GATEWAY__TRACE_FILE__URL", "/tmp/sms.jsonl"),
        ],
    )
    .expect("right");
    let GatewayKind::Kannel(kannel) = &config.gateways[0].kind else {
        panic!("the first is Kannel");
    };
    assert_eq!(kannel.login.password.reveal(), "other");
    assert_eq!(config.gateways[1].name, "trace-file");
}

#[test]
fn what_is_wrong_is_told_with_the_gateways_name() {
    for (text, words) in [
        (
            "[[gateway]]\nname = \"a\"",
            "gateway a has no kind: it is one of kannel",
        ),
        (
            "[[gateway]]\nkind = \"file\"\nurl = \"x\"",
            "[[gateway]] number 1 has no name",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"",
            "gateway a has no url",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"pigeon\"\nurl = \"x\"",
            "kind = pigeon is wrong",
        ),
        (
            "[[gateway]]\nname = \"A b\"\nkind = \"file\"\nurl = \"x\"",
            "lower-case letters",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"x\"\npasword = \"hunter2\"",
            "did you mean password?",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"x\"\npassword = \"hunter2\"",
            "a gateway of the kind file has no such key",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"kannel\"\nurl = \"x\"",
            "it is an address such as http://",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"loopback\"\nurl = \"phone\"",
            "UDP address",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"x\"\nprefixes = [\"4x\"]",
            "4x is no beginning",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"x\"\nper_second = -1",
            "from 0 to 10000",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = true",
            "url cannot be a boolean",
        ),
        ("[gateway]\nname = \"a\"", "begins with [[gateway]]"),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"kannel\"\nurl = \"http://k/\"\npassword_file = \"absent\"",
            "absent cannot be read",
        ),
        (
            "[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"x\"\n[[gateway]]\nname = \"a\"\nkind = \"file\"\nurl = \"y\"",
            "two gateways have the name a",
        ),
    ] {
        let error = load(text, &[]).expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = load("", &[("CANDYBAR_GATEWAY__X", "1")])
        .expect_err("no key")
        .to_string();
    assert!(error.contains("CANDYBAR_GATEWAY__NAME__KEY"), "{error}");
}

#[test]
fn gateways_are_printed_without_their_secrets_and_can_be_read_again() {
    let config = load(KANNEL, &[]).expect("right");
    let printed = config.to_toml();
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("password = \"…\""), "{printed}");
    let again = load(&printed, &[]).expect(&printed);
    assert_eq!(again.gateways[0].prefixes, config.gateways[0].prefixes);
    assert_eq!(again.gateways[0].timeout, config.gateways[0].timeout);
    let json = config.to_json();
    assert_eq!(json["values"]["gateway"][0]["password"], "…");
    assert_eq!(json["values"]["gateway"][0]["prefixes"][1], "*");
    assert_eq!(json["values"]["gateway"][0]["timeout_seconds"], 10);
    let origin = json["origins"]["gateway.kannel.password"].as_str();
    assert!(
        origin.is_some_and(|origin| origin.contains("secret, named by ")),
        "{origin:?}"
    );
    assert!(
        load("", &[]).expect("right").to_json()["values"]["gateway"]
            .as_array()
            .is_some_and(Vec::is_empty)
    );
}

#[test]
fn the_documentation_has_every_key_and_kind() {
    let text = include_str!("../../../docs/gateways.md");
    for key in GATEWAY_KEYS {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.name)))
            .unwrap_or_else(|| panic!("docs/gateways.md has no row for {}", key.name));
        let default = if key.default.is_empty() {
            "unset"
        } else {
            key.default
        };
        assert!(row.contains(default), "default of {}: {row}", key.name);
        for kind in key.kinds {
            assert!(row.contains(kind), "{} is a key of {kind}: {row}", key.name);
        }
    }
    for kind in KINDS {
        assert!(
            text.contains(&format!("## `{kind}`")),
            "no section on {kind}"
        );
    }
}
