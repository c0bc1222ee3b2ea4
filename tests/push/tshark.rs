//! tshark as the second opinion on user data headers, concatenation, and WSP headers.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use candybar::push::sms::ShortMessage;
use candybar::push::wdp::Ports;

use super::pushes::{Made, all};
use crate::support::peer::present;

/// Link type of captures whose packets are what the user says.
const USER_0: u32 = 147;

/// A capture file with these packets.
fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut number = |value: u32| out.extend_from_slice(&value.to_le_bytes());
    number(0xA1B2_C3D4);
    number(2 | 4 << 16);
    number(0);
    number(0);
    number(65_535);
    number(USER_0);
    for (second, packet) in packets.iter().enumerate() {
        let length = packet.len() as u32;
        for value in [second as u32, 0, length, length] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(packet);
    }
    out
}

/// What tshark shows of short messages.
fn shown(made: &Made) -> String {
    let packets: Vec<Vec<u8>> = made
        .segments()
        .iter()
        .map(|segment| ShortMessage::deliver("+358401234567", [26, 11, 22, 14, 30, 0, 0], segment))
        .collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&capture(&packets)).expect("a capture");
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new("tshark")
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .args(["-V", "-o"])
        .arg("uat:user_dlts:\"User 0 (DLT=147)\",\"gsm_sms\",\"0\",\"\",\"0\",\"\"")
        .args([
            "-o",
            "gsm_sms.reassemble:TRUE",
            "-o",
            "gsm_sms_ud.port_number_udh_means_wsp:TRUE",
        ])
        .arg("-r")
        .arg(file.path())
        .output()
        .expect("tshark starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}: {}",
        made.name,
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(folder) = std::env::var_os("CANDYBAR_TSHARK_OUTPUT") {
        let path = std::path::Path::new(&folder).join(format!("{}.txt", made.name));
        fs::write(path, &text).expect("the output is kept");
    }
    text
}

/// What tshark 4.0 calls the media types.
fn media(name: &str) -> &'static str {
    match name {
        "san-12" | "san-12-long" => "<Unknown media type identifier 0x4E>",
        "notification-11" | "notification-10" => "<Unknown media type identifier 0x303>",
        "emn" => "<Unknown media type identifier 0x30A>",
        "si" => "application/vnd.wap.sic",
        "sl" => "application/vnd.wap.slc",
        "ota-sync" => "application/vnd.nokia.syncset+wbxml; charset=UTF-8",
        "ota-browser" => "application/x-wap-prov.browser-settings; charset=UTF-8",
        _ => "application/vnd.wap.connectivity-wbxml",
    }
}

/// What it has to show of the rest.
fn parts(name: &str) -> &'static [&'static str] {
    match name {
        "san-12" | "san-12-long" | "notification-11" | "notification-10" => {
            &["X-Wap-Application-Id: x-wap-application:push.syncml"]
        }
        "emn" => &["X-Wap-Application-Id: x-wap-application:emn.ua"],
        "si" => &[
            "X-Wap-Application-Id: x-wap-application:wml.ua",
            "You have 4 new emails",
        ],
        "sl" => &["X-Wap-Application-Id: x-wap-application:wml.ua"],
        "cp-userpin" => &["SEC: USERPIN", "MAC:", "wap-provisioningdoc", "AAUTHSECRET"],
        "cp-netwpin" => &["SEC: NETWPIN", "MAC:", "wap-provisioningdoc"],
        "cp-usernetwpin" => &["SEC: USERNETWPIN", "MAC:", "wap-provisioningdoc"],
        "cp-userpinmac" => &["SEC: USERPINMAC", "wap-provisioningdoc"],
        "cp" => &["wap-provisioningdoc", "GSM-GPRS"],
        "ota-browser" => &["CHARACTERISTIC-LIST", "internet.example"],
        _ => &[],
    }
}

#[test]
fn tshark_reads_our_headers_and_puts_segments_together() {
    if !present("tshark", &["tshark"]) {
        return;
    }
    for made in all() {
        let text = shown(&made);
        let count = made.segments().len();
        let name = made.name;
        assert!(!text.contains("Malformed"), "{name}: {text}");
        assert_eq!(
            text.matches("TP-MTI: SMS-DELIVER").count(),
            count,
            "{name}: {text}"
        );
        let port = format!("({})", made.ports.destination());
        let ports = text
            .lines()
            .filter(|line| line.contains("Destination port:") && line.ends_with(&port));
        assert_eq!(ports.count(), count, "{name}: {text}");
        if count > 1 {
            for number in 1..=count {
                let part = format!("Message parts: {count}");
                assert_eq!(text.matches(&part).count(), count, "{name}: {text}");
                let part = format!("Message part number: {number}");
                assert_eq!(text.matches(&part).count(), 1, "{name}: {part}: {text}");
            }
            let whole = made.push.octets().expect("a push").len();
            let part = format!("[Reassembled Short Message length: {whole}]");
            assert!(text.contains(&part), "{name}: {part}: {text}");
        }
        // It knows the ports of OTA by number only; what goes there is a push like any other.
        let text = if made.ports.destination() == 2948 {
            text
        } else {
            let ports = Ports::PUSH;
            shown(&Made { ports, ..made })
        };
        let content = format!("Content-Type: {}", media(name));
        assert!(text.contains(&content), "{name}: {content}: {text}");
        for part in parts(name) {
            assert!(text.contains(part), "{name}: {part}: {text}");
        }
    }
}
