//! A server that can be configured and killed, behind a gate that stays where it is, and sessions that are cut off.

use std::cell::{Ref, RefCell};
use std::sync::Mutex;
use std::thread;

use crate::support::datastore::{Datastore, Items};
use crate::support::gate::{Gate, Hold};
use crate::support::process;
use crate::support::program::Program;
use crate::support::server::{Candybar, SyncServer, exported};
use crate::support::syncevolution::{Mode, Phone};

/// Who dies in the middle of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dies {
    /// SyncEvolution, by SIGKILL.
    Client,
    /// candybar, by SIGKILL; it is started anew.
    Server,
}

/// candybar behind a gate.
pub(super) struct World {
    program: RefCell<Program>,
    gate: Gate,
}

impl World {
    /// Starts the server with this configuration.
    pub(super) fn start(configuration: &str) -> Self {
        let program = Program::start(configuration, &[Candybar::ACCOUNT]);
        let gate = Gate::before(program.address());
        Self {
            program: RefCell::new(program),
            gate,
        }
    }

    /// What a subcommand prints.
    pub(super) fn command(&self, arguments: &[&str]) -> String {
        self.program().command(arguments)
    }

    fn program(&self) -> Ref<'_, Program> {
        self.program.borrow()
    }

    /// A session in which someone dies at the message of that number. False if the session ended before.
    pub(super) fn cut(&self, phone: &Phone, mode: Mode, at: u32, hold: Hold, dies: Dies) -> bool {
        self.gate.hold(at, hold);
        let client = Mutex::new(0);
        let gate = &self.gate;
        thread::scope(|scope| {
            scope.spawn(|| {
                let started = |process| *client.lock().expect("unharmed") = process;
                phone.sync_watched(mode, &Datastore::ALL, started);
                gate.over();
            });
            let held = gate.wait();
            match dies {
                Dies::Client if held => process::kill_group(*client.lock().expect("unharmed")),
                Dies::Server if held => {
                    let mut program = self.program.borrow_mut();
                    program.kill();
                    program.restart();
                    gate.lead_to(program.address());
                }
                _ => {}
            }
            gate.open();
            held
        })
    }
}

impl SyncServer for World {
    fn url(&self) -> String {
        format!("http://{}/sync", self.gate.address())
    }

    fn uri(&self, datastore: Datastore) -> &'static str {
        datastore.name()
    }

    fn credentials(&self) -> (&str, &str) {
        Candybar::ACCOUNT
    }

    fn expect_device(&self, _: &str) {}

    fn processes(&self) -> Vec<u32> {
        vec![self.program().id()]
    }

    fn items(&self, datastore: Datastore) -> Vec<String> {
        exported(datastore, Candybar::ACCOUNT.0, |arguments| {
            self.command(arguments)
        })
    }
}

/// The bodies of items.
pub(super) fn bodies(items: &Items) -> Vec<String> {
    items.values().cloned().collect()
}
