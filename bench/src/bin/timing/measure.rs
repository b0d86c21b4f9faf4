//! Taking samples: all states of a round in random order, so that whatever drifts drifts through all of them alike.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::endpoint::{self, Endpoint, Form, Kind};
use super::subject::{Account, State, Subject};
use super::wire::Wire;

/// Rounds that are not counted: caches fill, the processor finds its speed.
const WARM_UP: usize = 10;
/// How long after a request for a link the outbox is at rest, amply: a few commits and a file.
const LINK_REST: Duration = Duration::from_millis(20);
/// The same of a request for a code, which is hashed.
const CODE_REST: Duration = Duration::from_millis(60);
/// Wrong guesses that a mailed code survives.
const TRIES: usize = 5;

/// What was measured of one endpoint.
pub(crate) struct Series {
    /// Milliseconds, by state, in the order of [`Endpoint::states`].
    pub(crate) times: Vec<(State, Vec<f64>)>,
    /// Of the follow-up requests, the same way; empty where there are none.
    pub(crate) after: Vec<(State, Vec<f64>)>,
    /// Answers that were not what the unknown name was answered.
    pub(crate) odd: Vec<String>,
}

/// What is needed to measure.
pub(crate) struct Bench<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) wire: Wire,
    pub(crate) rng: StdRng,
    /// The tries that the open codes still bear, by account.
    codes: BTreeMap<String, usize>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(subject: &'a Subject, rng: StdRng) -> io::Result<Self> {
        Ok(Self { wire: Wire::connect(subject.address)?, subject, rng, codes: BTreeMap::new() })
    }

    /// Measures one endpoint, `samples` times in every state.
    pub(crate) fn endpoint(&mut self, endpoint: &Endpoint, samples: usize) -> io::Result<Series> {
        let states = endpoint.states();
        let empty = || states.iter().map(|state| (*state, Vec::with_capacity(samples))).collect::<Vec<_>>();
        let mut series = Series { times: empty(), after: empty(), odd: Vec::new() };
        let mut order: Vec<usize> = (0..states.len()).collect();
        let forms = endpoint.forms();
        for round in 0..WARM_UP + samples {
            let form = *forms.choose(&mut self.rng).unwrap_or(&Form::Wrong);
            let accounts = self.accounts(endpoint, states)?;
            let mut answers = vec![String::new(); states.len()];
            order.shuffle(&mut self.rng);
            for &at in &order {
                let (Some(account), Some(answer)) = (accounts.get(at), answers.get_mut(at)) else { continue };
                let request = endpoint.request(account, form, &self.subject.application);
                self.wire.exchange(&endpoint::neutral())?;
                let timed = self.wire.exchange(&request)?;
                // Whoever asks again at once may hear the mail being made.
                let after = if endpoint.kind.mails() { Some(self.follow_up(endpoint.kind)?) } else { None };
                if round >= WARM_UP {
                    push(&mut series.times, at, timed.ms);
                    after.into_iter().for_each(|ms| push(&mut series.after, at, ms));
                }
                *answer = timed.text;
            }
            note_odd(&mut series.odd, states, form, &answers);
        }
        series.after.retain(|(_, times)| !times.is_empty());
        Ok(series)
    }

    /// A random account for every state. Who is to have a code gets one.
    fn accounts(&mut self, endpoint: &Endpoint, states: &[State]) -> io::Result<Vec<&'a Account>> {
        let subject = self.subject;
        let mut accounts = Vec::new();
        for state in states {
            let pool = subject.accounts(*state);
            let account = pool.choose(&mut self.rng).ok_or_else(|| io::Error::other("a state has no accounts"))?;
            if endpoint.kind == Kind::Code && *state == State::CodeOpen {
                self.keep_code_open(account)?;
            }
            accounts.push(account);
        }
        Ok(accounts)
    }

    fn keep_code_open(&mut self, account: &Account) -> io::Result<()> {
        let left = self.codes.get(&account.email).copied().unwrap_or(0);
        if left == 0 {
            let before = self.subject.mails();
            self.wire.exchange(&endpoint::code_request(account))?;
            self.subject.await_mail(before)?;
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = if left == 0 { TRIES } else { left };
        self.codes.insert(account.email.clone(), left - 1);
        Ok(())
    }

    /// A request for a name that nobody has, made at once after another; then waits until the outbox is at rest.
    fn follow_up(&mut self, kind: Kind) -> io::Result<f64> {
        let nobody = Account::random(&mut self.rng);
        let after = self.wire.exchange(&endpoint::recovery_request(&nobody))?;
        let rest = if kind == Kind::CodeRequest { CODE_REST } else { LINK_REST };
        // Not always the same, lest every sample meets the same moment of something else.
        std::thread::sleep(rest.mul_f64(self.rng.random_range(1.0..1.3)));
        Ok(after.ms)
    }
}

fn push(series: &mut [(State, Vec<f64>)], at: usize, ms: f64) {
    if let Some((_, times)) = series.get_mut(at) {
        times.push(ms);
    }
}

fn note_odd(odd: &mut Vec<String>, states: &[State], form: Form, answers: &[String]) {
    let Some(expected) = answers.first() else { return };
    for (state, answer) in states.iter().zip(answers).filter(|(_, answer)| *answer != expected) {
        let text = format!("{state:?}, {form:?} secret:\n{answer}\nwhere the unknown name gets\n{expected}");
        if !odd.contains(&text) {
            odd.push(text);
        }
    }
}
