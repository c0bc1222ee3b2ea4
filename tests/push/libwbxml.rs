//! libwbxml's `wbxml2xml` as the second opinion on documents: what it makes of ours says what we meant.

use std::process::{Command, Output};

use candybar::push::emn::Emn;
use candybar::push::si::{Indication, Loading};
use candybar::push::{notification, ota, prov};

use super::pushes::{self, Made, all};
use crate::support::peer::present;

/// What libwbxml makes of a document.
fn xml(made: &Made, language: Option<&str>) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), &made.push.body).expect("the document is written");
    let mut command = Command::new("wbxml2xml");
    command.args(["-m", "0", "-k"]);
    if let Some(language) = language {
        command.args(["-l", language]);
    }
    let output: Output = command
        .args(["-o", "-"])
        .arg(file.path())
        .output()
        .expect("wbxml2xml starts");
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "{}: {}",
        made.name,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn made(name: &str) -> Made {
    let mut all = all().into_iter();
    all.find(|made| made.name == name)
        .expect("a push of that name")
}

#[test]
fn libwbxml_reads_our_documents_as_we_meant_them() {
    if !present("libwbxml", &["wbxml2xml"]) {
        return;
    }
    assert_eq!(Emn::read(&xml(&made("emn"), None)), Ok(pushes::emn()));
    assert_eq!(
        Indication::read(&xml(&made("si"), None)),
        Ok(pushes::indication())
    );
    assert_eq!(
        Loading::read(&xml(&made("sl"), None)),
        Ok(pushes::loading())
    );
    let document = prov::Document::read(&xml(&made("cp"), None)).expect("a document");
    let settings = document.settings().expect("settings");
    // Versions of media types are in the old form only.
    let mut expected = pushes::settings();
    for datastore in &mut expected.datastores {
        for content_type in &mut datastore.content_types {
            content_type.versions.clear();
        }
    }
    assert_eq!(settings.password, expected.password);
    assert_eq!(settings, expected);
    let browser = xml(&made("ota-browser"), Some("OTA"));
    let (access_point, home) = ota::read_browser(&browser).expect("browser settings");
    assert_eq!(access_point, pushes::access_point());
    assert_eq!(home, "http://example.org/");
}

#[test]
fn libwbxml_reads_our_messages_as_we_meant_them() {
    if !present("libwbxml", &["wbxml2xml"]) {
        return;
    }
    for name in ["notification-11", "notification-10"] {
        let made = made(name);
        let theirs = notification::read(&xml(&made, None)).expect("a notification");
        let ours = notification::read(&made.push.body).expect("a notification");
        assert!(theirs == ours, "{name}: {theirs:?}");
        assert_eq!(theirs.notice.syncs, pushes::notice().syncs);
    }
}
