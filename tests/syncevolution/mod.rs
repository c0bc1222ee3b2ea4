//! SyncEvolution's client as the phone, against candybar and, as a control of the scenario, against its own server.

mod accounts;
mod conflicts;
mod edits;
mod interrupted;
mod legacy;
mod portraits;
mod scenario;
mod world;

use crate::support::server::Candybar;
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Version};
use crate::support::syncevolution_server::{self, SyncEvolutionServer};

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
