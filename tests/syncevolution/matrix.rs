//! Each carrier with each version and each kind of credentials.

use crate::support::server::{Candybar, SyncServer};
use crate::support::syncevolution::{self, Auth, Carrier, Dialect, Version};
use crate::support::syncevolution_server::{self, SyncEvolutionServer};

use super::scenario;

fn against_candybar(name: &str, carrier: Carrier, version: Version, auth: Auth) {
    if syncevolution::present() {
        run(&Candybar::start(), name, carrier, version, auth);
    }
}

fn run(server: &dyn SyncServer, name: &str, carrier: Carrier, version: Version, auth: Auth) {
    scenario::every_mode(server, name, &Dialect::new(carrier, version, auth));
}

/// The scenario itself, with a server that we did not write.
#[test]
fn control() {
    if syncevolution::present() && syncevolution_server::present() {
        run(
            &SyncEvolutionServer::start(),
            "control",
            Carrier::Wbxml,
            Version::V12,
            Auth::Md5,
        );
    }
}
