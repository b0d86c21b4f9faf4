//! What goes into a statement and comes out of a row: TEXT and BIGINT, nothing else (booleans are 0 and 1, times milliseconds).

use std::fmt;

use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{ApplicationId, AuditId, InvitationId, MailId, SecurityKeyId, SessionId, TicketId, UserId};
use crate::core::token::SecretHash;

/// A bound parameter or a column.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::core::store) enum Value {
    Null,
    Int(i64),
    Text(String),
}

/// Texts are not shown: drivers write what is bound into their log lines.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(_) => f.write_str("text"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Int(moment.as_millis())
    }
}

impl From<&SecretHash> for Value {
    fn from(hash: &SecretHash) -> Self {
        Self::Text(hash.digits())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_ids {
    ($($id:ty),+) => { $(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Text(id.to_string())
            }
        }
    )+ };
}

from_ids!(UserId, SessionId, SecurityKeyId, TicketId, InvitationId, ApplicationId, MailId, AuditId);

/// A row, column by column.
#[derive(Debug)]
pub(in crate::core::store) struct Row(pub(super) Vec<Value>);

impl Row {
    /// The columns at these places.
    pub(in crate::core::store) fn at(&self, places: &[usize]) -> Vec<Value> {
        places.iter().filter_map(|place| self.0.get(*place).cloned()).collect()
    }

    /// All columns.
    pub(in crate::core::store) fn values(&self) -> &[Value] {
        &self.0
    }

    /// Reads the columns in their order.
    pub(in crate::core::store) fn fields(self) -> Fields {
        Fields(self.0.into_iter())
    }
}

impl From<Vec<Value>> for Row {
    fn from(values: Vec<Value>) -> Self {
        Self(values)
    }
}

/// A cursor over a row's columns: each call takes the next. A column of another type than asked for is a fault.
pub(in crate::core::store) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub(in crate::core::store) fn opt_text(&mut self) -> Result<Option<String>, Fault> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("TEXT", other.as_ref())),
        }
    }

    pub(in crate::core::store) fn text(&mut self) -> Result<String, Fault> {
        self.opt_text()?.ok_or_else(|| unexpected("TEXT", Some(&Value::Null)))
    }

    pub(in crate::core::store) fn opt_int(&mut self) -> Result<Option<i64>, Fault> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("BIGINT", other.as_ref())),
        }
    }

    pub(in crate::core::store) fn int(&mut self) -> Result<i64, Fault> {
        self.opt_int()?.ok_or_else(|| unexpected("BIGINT", Some(&Value::Null)))
    }

    pub(in crate::core::store) fn truth(&mut self) -> Result<bool, Fault> {
        Ok(self.int()? != 0)
    }

    pub(in crate::core::store) fn time(&mut self) -> Result<Timestamp, Fault> {
        self.int().map(Timestamp::from_millis)
    }

    pub(in crate::core::store) fn opt_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        Ok(self.opt_int()?.map(Timestamp::from_millis))
    }

    /// A column whose text is read by `FromStr` (an id).
    pub(in crate::core::store) fn parsed<T: std::str::FromStr>(&mut self) -> Result<T, Fault> {
        self.opt_parsed()?.ok_or_else(|| unexpected("an id", Some(&Value::Null)))
    }

    /// As [`Fields::parsed`], or NULL.
    pub(in crate::core::store) fn opt_parsed<T: std::str::FromStr>(&mut self) -> Result<Option<T>, Fault> {
        let text = self.opt_text()?;
        text.map(|text| text.parse().map_err(|_| Fault::internal("a column holds a text that its type cannot read"))).transpose()
    }

    /// A column whose text is one of a closed list.
    pub(in crate::core::store) fn known<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| Fault::internal(format!("a column holds the unknown name {text:?}")))
    }
}

fn unexpected(wanted: &str, got: Option<&Value>) -> Fault {
    let got = match got {
        None => "no column",
        Some(Value::Null) => "NULL",
        Some(Value::Int(_)) => "BIGINT",
        Some(Value::Text(_)) => "TEXT",
    };
    Fault::internal(format!("a column holds {got} where {wanted} belongs"))
}
