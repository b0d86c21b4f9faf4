//! Log lines: text for people, JSON for machines, one line each, with the id of the request that they belong to.
//!
//! Text from outside can get into a line (a user agent, an error of a library); control characters are written escaped, so that it
//! can neither begin a line of its own nor speak to a terminal.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::Log;
use crate::config::kinds::LogFormat;
use crate::core::clock::{Clock, SystemClock};

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Runs `work`; the lines that it writes carry `request_id`.
pub async fn within<F: Future>(request_id: Arc<str>, work: F) -> F::Output {
    REQUEST.scope(request_id, work).await
}

/// As [`within`], of work that waits for nothing.
pub fn within_at_once<T>(request_id: Arc<str>, work: impl FnOnce() -> T) -> T {
    REQUEST.sync_scope(request_id, work)
}

/// Sets up the one logger of the process, to standard error, and makes panics lines of it.
///
/// # Errors
/// When the process has a logger already, or the filter cannot be read.
pub fn init(log: &Log) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let json = match log.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = Lines { json, clock: Arc::new(SystemClock) };
    let filter = EnvFilter::builder().parse(log.filter.as_str())?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Forgiving(std::io::stderr()));
    logger.log_internal_errors(false).event_format(lines).try_init()?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// A log that cannot be written (a full disk, a reader that has gone) is no reason to stop serving: what it does not take is lost.
struct Forgiving<W>(W);

impl<W: io::Write> io::Write for Forgiving<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(line).unwrap_or(line.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// A text made at run time may hold anything, so only one that stands in the program is written.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a text with values, not shown");
    tracing::error!(at, text, "panic");
}

/// Writes events as lines.
struct Lines {
    json: bool,
    clock: Arc<dyn Clock>,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let (time, level) = (self.clock.now().to_string(), event.metadata().level().as_str());
        let target = line.target.take().unwrap_or_else(|| event.metadata().target().to_owned());
        let text = if self.json { line.json(&time, level, &target) } else { line.text(&time, level, &target) };
        writeln!(writer, "{text}")
    }
}

/// What an event says.
#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, Value)>,
    target: Option<String>,
}

impl Line {
    fn json(self, time: &str, level: &str, target: &str) -> String {
        let mut object = Map::new();
        for (name, value) in self.fields {
            object.insert(name.to_owned(), value);
        }
        for (name, text) in [("time", time), ("level", level), ("target", target), ("message", &self.message)] {
            object.insert(name.to_owned(), text.into());
        }
        let _ = REQUEST.try_with(|id| object.insert("request".to_owned(), (**id).into()));
        escaped(&Value::Object(object).to_string(), |c, out| {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        })
    }

    fn text(self, time: &str, level: &str, target: &str) -> String {
        let mut text = format!("{time} {level:5} {target}: {}", self.message);
        for (name, value) in self.fields {
            let _ = match value {
                Value::String(value) if plain(&value) => write!(text, " {name}={value}"),
                Value::String(value) => write!(text, " {name}={value:?}"),
                other => write!(text, " {name}={other}"),
            };
        }
        let _ = REQUEST.try_with(|id| write!(text, " request={id}"));
        escaped(&text, |c, out| out.extend(c.escape_unicode()))
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            // Lines of libraries that use the `log` crate come with their own target and place as fields.
            ("log.target", Value::String(target)) => self.target = Some(target),
            (name, _) if name.starts_with("log.") => (),
            (name, value) => self.fields.push((name, value)),
        }
    }
}

fn plain(value: &str) -> bool {
    !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '=' | '\\'))
}

/// The text with what could end a line or speak to a terminal written by `escape`.
pub(crate) fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // The two separators end lines in some viewers; the others of the second range turn the direction of writing.
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::sync::Once;

    use super::*;
    use crate::core::clock::Timestamp;

    thread_local! {
        /// Whether this thread's lines are JSON, and those written; `None` if nobody listens.
        static LINES: RefCell<Option<(bool, Vec<u8>)>> = const { RefCell::new(None) };
    }

    /// Keeps the lines that the present thread writes. One logger for all tests: with one for each thread, `tracing` at times takes
    /// a line for unwanted that another thread was the first to pass.
    pub(crate) struct Memory;

    impl Memory {
        pub(crate) fn listen(json: bool) -> Self {
            static LOGGER: Once = Once::new();
            LOGGER.call_once(|| {
                let logger =
                    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(|| Self).event_format(EitherWay);
                logger.try_init().expect("the only logger of the tests");
            });
            LINES.set(Some((json, Vec::new())));
            Self
        }

        /// The lines since the last time.
        pub(crate) fn take(&self) -> String {
            let bytes = LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| std::mem::take(&mut lines.1)));
            String::from_utf8(bytes.unwrap_or_default()).expect("UTF-8")
        }
    }

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.1.extend_from_slice(bytes)));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct EitherWay;

    impl<S, N> FormatEvent<S, N> for EitherWay
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        fn format_event(&self, context: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
            let json = LINES.with_borrow(|lines| lines.as_ref().is_some_and(|lines| lines.0));
            Lines { json, clock: Arc::new(Epoch) }.format_event(context, writer, event)
        }
    }

    struct Epoch;
    impl Clock for Epoch {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    const NASTY: &str = "a\r\n1970 INFO forged\u{1b}[2J\u{7f}\u{85}\u{2028}\u{202e}z";

    #[tokio::test]
    async fn text() {
        let memory = Memory::listen(false);
        tracing::info!(count = 3, fine = true, agent = "curl/8", empty = "", "hello");
        assert_eq!(
            memory.take(),
            "1970-01-01T00:00:00.000Z INFO  doorward::log::tests: hello count=3 fine=true agent=curl/8 empty=\"\"\n"
        );
        within("4711".into(), async { tracing::warn!(agent = NASTY, error = %NASTY, "said {NASTY}") }).await;
        let line = memory.take();
        assert!(line.ends_with(" request=4711\n"), "{line}");
        let inside = line.trim_end_matches('\n');
        assert!(!inside.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')), "{line:?}");
    }

    #[tokio::test]
    async fn json() {
        let memory = Memory::listen(true);
        within("4711".into(), async { tracing::error!(agent = NASTY, level = "forged", n = -1, "said {NASTY}") }).await;
        let line = memory.take();
        assert_eq!(line.matches(char::is_control).collect::<String>(), "\n");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let expected = serde_json::json!({
            "time": "1970-01-01T00:00:00.000Z", "level": "ERROR", "target": "doorward::log::tests", "message": format!("said {NASTY}"),
            "agent": NASTY, "n": -1, "request": "4711",
        });
        assert_eq!(value, expected);
    }
}
