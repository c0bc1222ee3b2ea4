//! An SMS centre on code that we did not write: the npm package `smpp`, led by `smsc.js`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use super::lines::Lines;
use super::peer::present;

/// Where `tools/install-test-peers` installs it.
fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-peers/node_modules")
}

/// A running centre. Dropping ends it.
pub(crate) struct Centre {
    child: Child,
    orders: ChildStdin,
    lines: Lines,
    port: u16,
}

impl Centre {
    pub(crate) const USER: &str = "tester";
    pub(crate) const PASSWORD: &str = "secret08";

    /// Starts it; `None` if it is not installed. `tls`: files with key and certificate.
    pub(crate) fn start(tls: Option<(&Path, &Path)>) -> Option<Self> {
        let module = modules().join("smpp/package.json");
        if !present("the SMPP centre", &["node", &module.to_string_lossy()]) {
            return None;
        }
        let (output, mut lines) = Lines::pipe();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/smsc.js");
        let mut command = Command::new("node");
        command
            .arg(script)
            .env("SMPP_MODULES", modules())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output);
        if let Some((key, certificate)) = tls {
            command.arg(key).arg(certificate);
        }
        let mut child = command.spawn().expect("node starts");
        drop(command);
        let orders = child.stdin.take().expect("standard input is piped");
        let port = lines.wait("the centre's port", |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            u16::try_from(event["port"].as_u64()?).ok()
        });
        Some(Self {
            child,
            orders,
            lines,
            port,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Gives an order and waits until it is done.
    pub(crate) fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").expect("the centre reads");
        self.next("done");
    }

    /// How it answers the next messages; then it takes all.
    pub(crate) fn answers(&mut self, answers: &[&str]) {
        self.order(&json!({ "answers": answers }));
    }

    /// Waits for the next event of that name.
    pub(crate) fn next(&mut self, name: &str) -> Value {
        self.lines.wait(&format!("{name} at the centre"), |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == name).then_some(event)
        })
    }

    /// How many events of that name have been so far.
    pub(crate) fn count(&mut self, name: &str) -> usize {
        let mark = format!("\"event\":\"{name}\"");
        self.lines.so_far().matches(&mark).count()
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
