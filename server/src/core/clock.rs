//! Time as an argument: nothing in core reads a clock, every flow is told when it runs.

use std::fmt;
use std::time::Duration;

use jiff::fmt::temporal::DateTimePrinter;

/// A moment, in whole milliseconds since the Unix epoch, UTC; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch, as the store keeps them.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `span` later; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The moment `span` earlier; saturates.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with milliseconds, the form of every time on a wire.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text().as_ref() {
            Some(text) => f.write_str(text.as_str()),
            None => write!(f, "{}ms", self.0),
        }
    }
}

/// As long as a year has four digits.
const LONGEST: usize = "2026-11-23T17:59:00.000Z".len();

/// A time as text, on the stack: a session check has seven of them.
struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl jiff::fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> Result<(), jiff::Error> {
        let end = self.length + more.len();
        let room = self.bytes.get_mut(self.length..end).ok_or_else(|| jiff::Error::from_args(format_args!("too long")))?;
        room.copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Timestamp {
    fn text(self) -> Option<Text> {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        let moment = jiff::Timestamp::from_millisecond(self.0).ok()?;
        let mut text = Text { bytes: [0; LONGEST], length: 0 };
        PRINTER.print_timestamp(&moment, &mut text).ok()?;
        Some(text)
    }
}

/// RFC 3339, in any zone.
impl std::str::FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        if moment.as_millisecond() < 0 { Err(NotATime) } else { Ok(Self(moment.as_millisecond())) }
    }
}

/// A text that is no moment since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time is of the form 2026-11-23T17:59:00Z (RFC 3339)")
    }
}

impl std::error::Error for NotATime {}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(text.as_str()),
            None => serializer.collect_str(self),
        }
    }
}

/// As it is serialised.
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let date_time = utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime);
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String).format(Some(date_time));
        text.description(Some("RFC 3339, UTC, with milliseconds.")).into()
    }
}

impl utoipa::ToSchema for Timestamp {}

/// Where `now` comes from. The server has [`SystemClock`]; a test has one that it moves.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(millis(elapsed))
    }
}
