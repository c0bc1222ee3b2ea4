//! What a program prints, line by line as it comes: so that a test waits for a line and not for a time.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// The lines of one program.
pub(crate) struct Lines {
    receiver: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    /// A file to give to the program as its outputs, and what it writes there.
    pub(crate) fn pipe() -> (File, Self) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let lines = Self {
            receiver,
            seen: Vec::new(),
        };
        (File::from(OwnedFd::from(writer)), lines)
    }

    /// Waits for the next line from which `wanted` makes a value; gives up at the end of the output, or after a long time.
    pub(crate) fn wait<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.try_wait(&wanted)
            .unwrap_or_else(|| panic!("{what} did not come:\n{}", self.seen.join("\n")))
    }

    /// As [`Self::wait`], or `None`.
    pub(crate) fn try_wait<T>(&mut self, wanted: &impl Fn(&str) -> Option<T>) -> Option<T> {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.receiver.recv_timeout(left).ok()?;
            let value = wanted(&line);
            self.seen.push(line);
            if value.is_some() {
                return value;
            }
        }
    }

    /// What has been printed so far.
    pub(crate) fn so_far(&mut self) -> String {
        self.seen.extend(self.receiver.try_iter());
        self.seen.join("\n")
    }
}
