//! SyncEvolution's client as the phone, against candybar and, as a control of the scenario, against its own server.

mod accounts;
mod conflicts;
mod edits;
mod interrupted;
mod legacy;
mod portraits;
mod scenario;
mod world;

use crate::support::process;
use crate::support::server::{Candybar, SyncServer as _};
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Version};
use crate::support::syncevolution_server::{self, SyncEvolutionServer};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

fn every_mode(name: &str, carrier: Carrier, version: Version, auth: Auth) {
    if syncevolution::present() {
        scenario::every_mode(
            &Candybar::start(),
            name,
            &Dialect::new(carrier, version, auth),
        );
    }
}

#[test]
fn xml_11_basic() {
    every_mode("xml-11-basic", Carrier::Xml, Version::V11, Auth::Basic);
}

#[test]
fn xml_11_md5() {
    every_mode("xml-11-md5", Carrier::Xml, Version::V11, Auth::Md5);
}

#[test]
fn xml_12_basic() {
    every_mode("xml-12-basic", Carrier::Xml, Version::V12, Auth::Basic);
}

#[test]
fn xml_12_md5() {
    every_mode("xml-12-md5", Carrier::Xml, Version::V12, Auth::Md5);
}

#[test]
fn wbxml_11_basic() {
    every_mode("wbxml-11-basic", Carrier::Wbxml, Version::V11, Auth::Basic);
}

#[test]
fn wbxml_11_md5() {
    every_mode("wbxml-11-md5", Carrier::Wbxml, Version::V11, Auth::Md5);
}

#[test]
fn wbxml_12_basic() {
    every_mode("wbxml-12-basic", Carrier::Wbxml, Version::V12, Auth::Basic);
}

#[test]
fn wbxml_12_md5() {
    every_mode("wbxml-12-md5", Carrier::Wbxml, Version::V12, Auth::Md5);
}

/// SyncML 1.0 has its own MD5 formula and its own DevInf; the client still speaks it.
#[test]
fn wbxml_10_md5() {
    every_mode("wbxml-10-md5", Carrier::Wbxml, Version::V10, Auth::Md5);
}

/// The scenario holds with a server that we did not write: what fails against candybar is candybar's fault.
#[test]
fn control() {
    if syncevolution::present() && syncevolution_server::present() {
        let dialect = Dialect::new(Carrier::Wbxml, Version::V12, Auth::Md5);
        scenario::every_mode(&SyncEvolutionServer::start(), "control", &dialect);
    }
}

#[test]
fn a_server_of_syncevolution_whose_worker_died_is_gone_too() {
    if !syncevolution::present() || !syncevolution_server::present() {
        return;
    }
    let server = SyncEvolutionServer::start();
    let url = server.url();
    let address = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next())
        .expect("an address");
    assert!(std::net::TcpStream::connect(address).is_ok());
    process::kill_group(server.processes()[1]);
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < LIMIT, "it still listens");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
