//! Time as an argument: nothing in core reads a clock, every flow is told when it runs.

use std::fmt;
use std::time::Duration;

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

    /// Whether this is at most `span` after `earlier`. What lies ahead of this by more than the clocks of two nodes differ was written by a clock
    /// that was wrong, and is not.
    #[must_use]
    pub fn is_within(self, span: Duration, earlier: Self) -> bool {
        earlier <= self.after(SKEW) && self.since(earlier) <= span
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// More than the clocks of two nodes differ.
const SKEW: Duration = Duration::from_secs(5 * 60);

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with milliseconds, the form of every time on a wire.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text().as_ref().map(|text| std::str::from_utf8(&text.0)) {
            Some(Ok(text)) => f.write_str(text),
            _ => write!(f, "{}ms", self.0),
        }
    }
}

/// At a place in memory from which it is looked through in words.
#[repr(align(8))]
struct Text([u8; 24]);

impl Timestamp {
    /// RFC 3339 on the stack, for a session check has seven of them; `None` before the year 0 and after 9999.
    fn text(self) -> Option<Text> {
        let moment = jiff::Timestamp::from_millisecond(self.0).ok()?;
        let moment = jiff::tz::Offset::UTC.to_datetime(moment);
        let year = u16::try_from(moment.year()).ok()?;
        let milli = moment.millisecond().unsigned_abs();
        let ([a, b], [c, d]) = (two(year / 100), two(year % 100));
        let [[e, f], [g, h]] = [moment.month(), moment.day()].map(|number| two(number.unsigned_abs().into()));
        let [[i, j], [k, l], [m, n]] =
            [moment.hour(), moment.minute(), moment.second()].map(|number| two(number.unsigned_abs().into()));
        let ([_, o], [p, q]) = (two(milli / 100), two(milli % 100));
        Some(Text([a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'.', o, p, q, b'Z']))
    }
}

/// The digits of the numbers up to 99.
const PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut number) = ([[0; 2]; 100], 0);
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The last two digits of a number.
fn two(number: u16) -> [u8; 2] {
    PAIRS[usize::from(number % 100)]
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
        match self.text().as_ref().map(|text| std::str::from_utf8(&text.0)) {
            Some(Ok(text)) => serializer.serialize_str(text),
            _ => serializer.collect_str(self),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_written_as_the_library_writes_it(millis in 0_i64..253_402_207_200_000) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(moment.to_string(), format!("{:.3}", jiff::Timestamp::from_millisecond(millis).unwrap()));
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }

    #[test]
    fn the_edges() {
        let text = |millis| Timestamp::from_millis(millis).to_string();
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(951_782_399_999), "2000-02-28T23:59:59.999Z");
        assert_eq!(text(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(text(i64::MAX), format!("{}ms", i64::MAX));
    }
}
