//! What Doorward decides and keeps, knowing nothing of HTTP, configuration files or dialects.
//!
//! A caller hands a flow a [`call::Call`] (who, when, from where) and a request; it gets the outcome or an [`Error`].

pub mod call;
pub mod clock;
pub mod entropy;
pub mod fault;
pub mod refusal;

pub use fault::Fault;
pub use refusal::Refusal;

/// Why a flow did not come to its outcome.
#[derive(Debug)]
pub enum Error {
    /// An expected "no": the caller is told, in the dialect's words.
    Refused(Refusal),
    /// The unexpected: logged once, told to nobody.
    Faulted(Fault),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Faulted(fault)
    }
}

/// What every flow returns.
pub type Result<T> = std::result::Result<T, Error>;
