//! Log set-up: lines for people or JSON objects, on standard error.
//!
//! Events carry a readable message and dotted field names (`device.id`, `session.id`), units in the name. Never
//! logged: passwords, nonces, item bodies.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, field};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogConfig;

/// What kind of process logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A server: as configured.
    Server,
    /// A command whose output is read by people: warnings at most.
    Command,
}

/// Starts logging; each `verbose` is one level more. A second call changes nothing.
pub fn start(config: &LogConfig, mode: Mode, verbose: u8) {
    let level = level(config.level, mode, verbose);
    // What the HTTP libraries tell of themselves is for those who look closely.
    let libraries = match level {
        LevelFilter::DEBUG | LevelFilter::TRACE => LevelFilter::INFO,
        level => level.min(LevelFilter::WARN),
    };
    let targets = Targets::new()
        .with_default(level)
        .with_target("actix_server", libraries)
        .with_target("actix_http", libraries)
        .with_target("actix_web", libraries)
        .with_target("mio", libraries)
        .with_target("ureq", libraries)
        .with_target("ureq_proto", libraries);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // An error means that a log was started already.
    let _unused = if config.json {
        let layer = layer.event_format(JsonLines).with_filter(targets);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
    } else {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let layer = layer.with_ansi(terminal).with_target(false);
        let layer = layer.with_filter(targets);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
    };
}

fn level(configured: LevelFilter, mode: Mode, verbose: u8) -> LevelFilter {
    const LEVELS: [LevelFilter; 6] = [
        LevelFilter::OFF,
        LevelFilter::ERROR,
        LevelFilter::WARN,
        LevelFilter::INFO,
        LevelFilter::DEBUG,
        LevelFilter::TRACE,
    ];
    let base = match mode {
        Mode::Server => configured,
        Mode::Command => configured.min(LevelFilter::WARN),
    };
    let index = LEVELS.iter().position(|level| *level == base).unwrap_or(0);
    LEVELS[(index + usize::from(verbose)).min(LEVELS.len() - 1)]
}

/// One JSON object a line: `time`, `level`, `target`, `message` and the fields.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let line = object(event, now);
        writeln!(writer, "{line}")
    }
}

fn object(event: &Event<'_>, now: String) -> serde_json::Value {
    let mut fields = Fields(serde_json::Map::new());
    fields.0.insert("time".to_owned(), now.into());
    let metadata = event.metadata();
    fields
        .0
        .insert("level".to_owned(), metadata.level().as_str().into());
    fields
        .0
        .insert("target".to_owned(), metadata.target().into());
    event.record(&mut fields);
    fields.0.into()
}

struct Fields(serde_json::Map<String, serde_json::Value>);

impl Fields {
    fn put(&mut self, field: &field::Field, value: impl Into<serde_json::Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl field::Visit for Fields {
    fn record_f64(&mut self, field: &field::Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &field::Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &field::Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &field::Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &field::Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::{JsonLines, LevelFilter, Mode, level};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn json_lines_hold_message_and_fields() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .event_format(JsonLines)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(
                account.name = "a\nb",
                wait.seconds = 1.5,
                tries = 3,
                "wrong {}",
                "word"
            );
        });
        let bytes = buffer.0.lock().expect("not poisoned").clone();
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "wrong word");
        assert_eq!(line["account.name"], "a\nb");
        assert_eq!(line["wait.seconds"], 1.5);
        assert_eq!(line["tries"], 3);
        assert!(
            line["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z'))
        );
    }

    #[test]
    fn verbose_raises_the_level() {
        for (mode, verbose, expected) in [
            (Mode::Server, 0, LevelFilter::INFO),
            (Mode::Server, 1, LevelFilter::DEBUG),
            (Mode::Server, 9, LevelFilter::TRACE),
            (Mode::Command, 0, LevelFilter::WARN),
            (Mode::Command, 1, LevelFilter::INFO),
        ] {
            assert_eq!(level(LevelFilter::INFO, mode, verbose), expected);
        }
        assert_eq!(
            level(LevelFilter::ERROR, Mode::Command, 0),
            LevelFilter::ERROR
        );
    }
}
