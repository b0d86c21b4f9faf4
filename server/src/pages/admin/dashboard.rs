//! `/admin`: sign-ins and refusals over time, as bars.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::core::flows::counts::{self, Count, Span};
use crate::core::flows::session::Need;
use crate::locale::minute;
use crate::pages::render::View;
use crate::pages::visit::{Turned, Visit};

/// The charts.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Dashboard {
    section: &'static str,
    charts: Vec<Chart>,
}

/// One of them: drawn, and as a table for whoever does not see it.
#[derive(Serialize)]
struct Chart {
    id: &'static str,
    /// Its heading, as a message's name.
    heading: &'static str,
    sign_ins: i64,
    refusals: i64,
    /// Whether a bar stands for more than are counted.
    more: bool,
    width: i64,
    bars: Vec<Bar>,
}

/// An hour or a day. Refusals stand on sign-ins; lengths are of the drawing, whose height is [`HEIGHT`].
#[derive(Serialize)]
struct Bar {
    from: String,
    sign_ins: i64,
    refusals: i64,
    x: i64,
    sign_ins_y: i64,
    sign_ins_height: i64,
    refusals_y: i64,
    refusals_height: i64,
}

const HEIGHT: i64 = 120;
const STEP: i64 = 12;

impl Chart {
    fn of(id: &'static str, heading: &'static str, counts: &[Count]) -> Self {
        let highest = counts.iter().map(|count| count.sign_ins + count.refusals).max().unwrap_or(0).max(1);
        let bars: Vec<Bar> = counts.iter().zip(0..).map(|(count, place)| Bar::of(count, place, highest)).collect();
        Self {
            id,
            heading,
            sign_ins: counts.iter().map(|count| count.sign_ins).sum(),
            refusals: counts.iter().map(|count| count.refusals).sum(),
            more: counts.iter().any(|count| count.more),
            width: bars.iter().map(|bar| bar.x + STEP).max().unwrap_or(STEP),
            bars,
        }
    }
}

impl Bar {
    fn of(count: &Count, place: i64, highest: i64) -> Self {
        // What happened at all is seen: never less than a line.
        let length = |number: i64| if number == 0 { 0 } else { (number * (HEIGHT - 2) / highest).max(1) };
        let (sign_ins_height, refusals_height) = (length(count.sign_ins), length(count.refusals));
        Self {
            from: minute(count.from),
            sign_ins: count.sign_ins,
            refusals: count.refusals,
            x: place * STEP,
            sign_ins_y: HEIGHT - sign_ins_height,
            sign_ins_height,
            refusals_y: HEIGHT - sign_ins_height - refusals_height,
            refusals_height,
        }
    }
}

impl View for Dashboard {
    const TEMPLATE: &'static str = "admin/dashboard.html";

    fn samples() -> Vec<Self> {
        use crate::core::clock::Timestamp;
        let count = |sign_ins, more| Count { from: Timestamp::from_millis(0), sign_ins, refusals: 1, more };
        let chart = Chart::of("days", "admin.by_day", &[count(3, true), count(0, false)]);
        let none = Chart::of("hours", "admin.by_hour", &[Count { refusals: 0, ..count(0, false) }]);
        vec![Self { section: SECTION, charts: vec![chart, none] }, Self::default()]
    }
}

const SECTION: &str = "dashboard";

/// Shows them.
pub(in crate::pages) async fn show(mut visit: Visit) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Full, "/admin").await?;
    let mut charts = Vec::new();
    for (id, heading, span) in [("hours", "admin.by_hour", Span::Hour), ("days", "admin.by_day", Span::Day)] {
        let counted = counts::sign_ins(visit.core(), &visit.call, authority, span).await;
        charts.push(Chart::of(id, heading, &counted.map_err(|error| visit.turn(&error, "/admin"))?));
    }
    Ok(visit.show(StatusCode::OK, &Dashboard { section: SECTION, charts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::clock::Timestamp;

    #[test]
    fn bars_stay_within_the_drawing() {
        for (sign_ins, refusals) in [(0, 0), (1, 0), (0, 1), (1, 99_999), (100_000, 200_000), (7, 7)] {
            let count = Count { from: Timestamp::from_millis(0), sign_ins, refusals, more: false };
            let chart = Chart::of("x", "x", &[count, count]);
            assert_eq!((chart.width, chart.sign_ins, chart.refusals), (2 * STEP, 2 * sign_ins, 2 * refusals));
            for bar in chart.bars {
                assert!(bar.refusals_y >= 0 && bar.sign_ins_y + bar.sign_ins_height == HEIGHT, "{sign_ins} {refusals}");
                assert_eq!(bar.refusals_y + bar.refusals_height, bar.sign_ins_y);
                assert_eq!((bar.sign_ins_height > 0, bar.refusals_height > 0), (sign_ins > 0, refusals > 0));
            }
        }
    }
}
