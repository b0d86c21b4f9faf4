//! What the accounts' hashes cost beside what the server asks for: what an operator brings about who changes the setting.

use super::subject::State;

/// A situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Cost {
    /// The setting was never changed: 2 passes, the default.
    Same,
    /// It was raised after the accounts were made: 2 passes, then 3.
    Raised,
    /// It was lowered: 2 passes, then 1.
    Lowered,
    /// The accounts of one state cost three times the others: they must be told apart, or the measurement is blind.
    Apart,
}

impl Cost {
    /// The arguments with which an account of this state is made.
    pub(crate) const fn of_account(self, state: State) -> &'static [&'static str] {
        match (self, state) {
            (Self::Apart, State::Known) => &["--passwords-iterations", "6"],
            _ => &[],
        }
    }

    /// The arguments with which the server is started.
    pub(crate) const fn of_server(self) -> &'static [&'static str] {
        match self {
            Self::Same | Self::Apart => &[],
            Self::Raised => &["--passwords-iterations", "3"],
            Self::Lowered => &["--passwords-iterations", "1"],
        }
    }
}
