//! What the samples say, as text for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::measure::Series;
use super::stats::{Ks, detectable, kolmogorov_smirnov, median};
use super::subject::State;

/// How probable one false alarm may be in a whole run.
pub(crate) const ALPHA: f64 = 0.01;
/// A comparison that would miss a difference of this share of the median shows nothing.
const BLIND: f64 = 0.10;

/// One comparison of two series of times.
#[derive(Serialize)]
pub(crate) struct Comparison {
    states: (State, State),
    samples: usize,
    medians_ms: (f64, f64),
    #[serde(flatten)]
    ks: Ks,
    told_apart: bool,
}

/// What was found about one endpoint.
#[derive(Serialize)]
pub(crate) struct Finding {
    endpoint: &'static str,
    /// The unknown name against each other state.
    comparisons: Vec<Comparison>,
    /// Known accounts against others like them.
    control: Option<Comparison>,
    /// The smallest added time that would have been seen here, in milliseconds and as a share of the median.
    detectable_ms: Option<f64>,
    detectable_share: Option<f64>,
    /// A request sent at once after this one: it may hear what is done after the answer. Told, not judged.
    next_request: Vec<Comparison>,
    odd_answers: Vec<String>,
}

/// A whole run.
#[derive(Serialize)]
pub(crate) struct Report {
    alpha: f64,
    alpha_each: f64,
    findings: Vec<Finding>,
    verdict: Verdict,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// No difference was found, where one would have been.
    Same,
    /// Some endpoint tells accounts apart.
    ToldApart,
    /// Equal things looked different, or different ones would have looked equal: measure again, on a quieter machine or for longer.
    Worthless,
}

impl Report {
    pub(crate) fn new(measured: &[(&'static str, Series)]) -> Self {
        let judged: usize = measured.iter().map(|(_, series)| pairs(&series.times).count()).sum();
        let alpha = ALPHA / f64::from(u32::try_from(judged.max(1)).unwrap_or(u32::MAX));
        let findings: Vec<Finding> = measured.iter().map(|(name, series)| Finding::new(name, series, alpha)).collect();
        let verdict = if findings.iter().any(Finding::told_apart) {
            Verdict::ToldApart
        } else if findings.iter().any(Finding::worthless) {
            Verdict::Worthless
        } else {
            Verdict::Same
        };
        Self { alpha: ALPHA, alpha_each: alpha, findings, verdict }
    }

    pub(crate) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{:<26} {:<12} {:>5} {:>9} {:>9} {:>7} {:>9}  {}\n",
            "endpoint", "against", "n", "unknown", "it", "D", "p", "verdict"
        );
        for finding in &self.findings {
            finding.write(&mut text);
        }
        let _ = writeln!(
            text,
            "\nalpha {} over the run, {:.2e} for each comparison; times are medians in ms",
            self.alpha, self.alpha_each
        );
        let _ = writeln!(text, "verdict: {:?}", self.verdict);
        text
    }
}

impl Finding {
    fn new(endpoint: &'static str, series: &Series, alpha: f64) -> Self {
        let of = |state| series.times.iter().find(|(of, _)| *of == state).map(|(_, times)| (state, times.as_slice()));
        let (known, again) = (of(State::Known), of(State::KnownAgain));
        let detectable_ms = known.zip(again).and_then(|((_, a), (_, b))| detectable(a, b, alpha));
        Self {
            endpoint,
            comparisons: pairs(&series.times).map(|(a, b)| Comparison::new(a, b, alpha)).collect(),
            control: known.zip(again).map(|(a, b)| Comparison::new(a, b, alpha)),
            detectable_ms,
            detectable_share: known.zip(detectable_ms).map(|((_, times), ms)| ms / median(times)),
            next_request: pairs(&series.after).map(|(a, b)| Comparison::new(a, b, alpha)).collect(),
            odd_answers: series.odd.clone(),
        }
    }

    fn told_apart(&self) -> bool {
        !self.odd_answers.is_empty() || self.comparisons.iter().any(|comparison| comparison.told_apart)
    }

    fn worthless(&self) -> bool {
        self.control.as_ref().is_none_or(|control| control.told_apart) || self.detectable_share.is_none_or(|share| share > BLIND)
    }

    fn write(&self, text: &mut String) {
        for comparison in &self.comparisons {
            comparison.write(text, self.endpoint, "");
        }
        if let Some(control) = &self.control {
            control.write(text, "  control: known, known", "");
        }
        let (ms, share) = (self.detectable_ms.unwrap_or(f64::NAN), self.detectable_share.unwrap_or(f64::NAN) * 100.0);
        let blind = if self.worthless() { "  WORTHLESS" } else { "" };
        let _ = writeln!(text, "  a difference of {ms:.3} ms ({share:.1} %) would have been seen{blind}");
        for comparison in &self.next_request {
            comparison.write(text, "  the next request", " (not judged)");
        }
        for odd in &self.odd_answers {
            let _ = writeln!(text, "  ANSWERS DIFFER: {odd}");
        }
    }
}

impl Comparison {
    fn new((a, x): (State, &[f64]), (b, y): (State, &[f64]), alpha: f64) -> Self {
        let ks = kolmogorov_smirnov(x, y);
        Self { states: (a, b), samples: x.len(), medians_ms: (median(x), median(y)), ks, told_apart: ks.p < alpha }
    }

    fn write(&self, text: &mut String, what: &str, note: &str) {
        let against = format!("{:?}", self.states.1).to_lowercase();
        let (a, b) = self.medians_ms;
        let verdict = if self.told_apart { "TOLD APART" } else { "same" };
        let Ks { d, p } = self.ks;
        let _ =
            writeln!(text, "{what:<26} {against:<12} {:>5} {a:>9.3} {b:>9.3} {d:>7.4} {p:>9.2e}  {verdict}{note}", self.samples);
    }
}

type Times<'a> = (State, &'a [f64]);

/// The first series with each other; accounts that are there for the control alone stay out.
fn pairs(series: &[(State, Vec<f64>)]) -> impl Iterator<Item = (Times<'_>, Times<'_>)> {
    let first = series.first();
    let others = series.iter().skip(1).filter(|(state, _)| *state != State::KnownAgain);
    others.filter_map(move |(state, times)| first.map(|(of, against)| ((*of, against.as_slice()), (*state, times.as_slice()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(known_ms: f64, odd: &[&str]) -> Series {
        let times = |add: f64| (0..400).map(|i| 20.0 + add + f64::from(i * 7919 % 400) / 400.0).collect::<Vec<_>>();
        let states = [(State::Unknown, times(0.0)), (State::Known, times(known_ms)), (State::KnownAgain, times(known_ms))];
        Series { times: states.into(), after: Vec::new(), odd: odd.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn verdicts() {
        let verdict = |series| Report::new(&[("login", series)]).verdict();
        assert_eq!(verdict(series(0.0, &[])), Verdict::Same);
        assert_eq!(verdict(series(0.6, &[])), Verdict::ToldApart);
        assert_eq!(verdict(series(0.0, &["other bytes"])), Verdict::ToldApart);
        let mut noisy = series(0.0, &[]);
        for (_, times) in &mut noisy.times {
            *times = (0..20).map(|i| f64::from(i) * 10.0).collect();
        }
        assert_eq!(verdict(noisy), Verdict::Worthless);
    }
}
