//! Sync settings of the old form as others have them: a reader in Python that was written from the document's tables, and
//! the compiler of Kannel, which makes the same octets.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use candybar::push::{ota, wdp, wsp};
use serde_json::{Value, json};

use super::pushes::settings;
use crate::support::kannel::Kannel;
use crate::support::peer::present;

#[test]
fn a_reader_of_its_own_reads_what_was_meant() {
    if !present("Python", &["python3"]) {
        return;
    }
    let octets = ota::sync_settings(&settings(), ota::Scheme::Md5).expect("settings");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/push/ota_sync.py");
    let mut child = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(&octets).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        read,
        json!([
            "SyncSettings",
            [
                ["Version", "1.0"],
                ["HostAddr", "http://sync.example.org/sync"],
                ["Port", "8080"],
                [
                    "RemoteDB",
                    [
                        ["CTType", "text/x-vcard"],
                        ["CTVer", "2.1"],
                        ["CTType", "text/vcard"],
                        ["CTVer", "3.0"],
                        ["URI", "./contacts"],
                        ["Name", "Contacts"],
                    ]
                ],
                [
                    "RemoteDB",
                    [
                        ["CTType", "text/x-vcalendar"],
                        ["CTVer", "1.0"],
                        ["URI", "./calendar"],
                        ["Name", "Calendar"],
                    ]
                ],
                ["Name", "Example Sync"],
                [
                    "Auth",
                    [
                        ["AuthLevel", "1"],
                        ["AuthScheme", "2"],
                        ["Username", "alice"],
                        ["Cred", STANDARD.encode("s3cret")],
                    ]
                ],
                ["ConRef", [["ConType", "3"], ["RefID", "Example GPRS"]]],
            ]
        ])
    );
}

/// The same settings as XML, as Kannel wants it: with a blank in front of each element.
const XML: &str = "<?xml version=\"1.0\"?>
<SyncSettings>
 <Version>1.0</Version>
 <HostAddr>http://sync.example.org/sync</HostAddr>
 <Port>8080</Port>
 <RemoteDB>
  <CTType>text/x-vcard</CTType> <CTVer>2.1</CTVer>
  <CTType>text/vcard</CTType> <CTVer>3.0</CTVer>
  <URI>./contacts</URI> <Name>Contacts</Name>
 </RemoteDB>
 <RemoteDB>
  <CTType>text/x-vcalendar</CTType> <CTVer>1.0</CTVer>
  <URI>./calendar</URI> <Name>Calendar</Name>
 </RemoteDB>
 <Name>Example Sync</Name>
 <Auth>
  <AuthLevel>1</AuthLevel> <AuthScheme>2</AuthScheme> <Username>alice</Username> <Cred>czNjcmV0</Cred>
 </Auth>
 <ConRef> <ConType>3</ConType> <RefID>Example GPRS</RefID> </ConRef>
</SyncSettings>";

fn encoded(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

#[test]
fn another_compiler_makes_the_same_octets() {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    let url = format!(
        "{}?username={}&password={}&to=%2B46701234567&from=12345&type=syncsettings&text={}",
        kannel.sendsms().replace("sendsms", "sendota"),
        Kannel::SETTINGS_USER,
        encoded(Kannel::PASSWORD),
        encoded(XML)
    );
    let answer = ureq::get(&url).call().expect("Kannel takes it");
    assert_eq!(answer.status().as_u16(), 202);
    let mut reassembly = wdp::Reassembly::new();
    let datagram = loop {
        let sms = kannel.next();
        let whole = reassembly.add(&sms.from, &sms.udh, &sms.body);
        if let Some(datagram) = whole.expect("a segment") {
            break datagram;
        }
    };
    assert_eq!(datagram.ports, Some(wdp::Ports::OTA_SYNC));
    let theirs = wsp::Push::read(&datagram.payload).expect("a push");
    let ours = ota::sync_push(&settings(), ota::Scheme::Md5).expect("a push");
    assert_eq!(theirs.content_type, ours.content_type);
    assert_eq!(theirs.body, ours.body);
}
