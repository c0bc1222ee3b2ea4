//! The submission server: aiosmtpd, led by `tests/support/smtp_sink.py`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::lines::Lines;
use crate::support::peer::present;

/// A running server. Dropping ends it.
pub(super) struct Sink {
    child: Child,
    lines: Lines,
    pub(super) port: u16,
}

/// A mail that it took.
pub(super) struct Taken {
    pub(super) sender: String,
    pub(super) to: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) tls: bool,
    pub(super) message: String,
}

impl Sink {
    /// `None` if it is not installed.
    pub(super) fn start(arguments: &[&str]) -> Option<Self> {
        let library = "/usr/lib/python3/dist-packages/aiosmtpd/smtp.py";
        if !present("aiosmtpd", &["python3", library]) {
            return None;
        }
        let (output, mut lines) = Lines::pipe();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/smtp_sink.py");
        let mut command = Command::new("/usr/bin/python3");
        command
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output);
        let child = command.spawn().expect("python3 starts");
        drop(command);
        let port = lines.wait("the sink's port", |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            u16::try_from(event["port"].as_u64()?).ok()
        });
        Some(Self { child, lines, port })
    }

    /// Waits for an event of that name.
    pub(super) fn next(&mut self, name: &str) -> Value {
        self.lines.wait(name, |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == name).then_some(event)
        })
    }

    /// Waits for a mail.
    pub(super) fn mail(&mut self) -> Taken {
        taken(&self.next("mail"))
    }

    /// How many mails it took in all.
    pub(super) fn count(&mut self) -> usize {
        let all = self.lines.so_far();
        let mail = |line: &&str| line.contains("\"event\": \"mail\"");
        all.lines().filter(mail).count()
    }
}

fn taken(event: &Value) -> Taken {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let data = STANDARD
        .decode(text(&event["data"]).expect("data"))
        .expect("base64");
    let to = event["to"].as_array().expect("recipients");
    Taken {
        sender: text(&event["sender"]).expect("a sender"),
        to: to.iter().filter_map(text).collect(),
        user: text(&event["user"]),
        tls: event["tls"] == true,
        message: String::from_utf8(data).expect("ASCII"),
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
