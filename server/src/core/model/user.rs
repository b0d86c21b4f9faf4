//! Users, and the names by which one finds them.

use unicode_normalization::UnicodeNormalization as _;

use super::UserId;
use crate::core::clock::Timestamp;
use crate::core::refusal::Refusal;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// Unique by its key.
    pub username: Username,
    /// Unique by its key.
    pub email: Email,
    /// Given name; may be empty.
    pub first_name: PersonName,
    /// Family name; may be empty.
    pub last_name: PersonName,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may sign in.
    pub status: Status,
    /// When the user last proved to own the address; `None` if never.
    pub email_verified_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
}

impl User {
    /// Given and family name; empty when both are.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name.as_str(), self.last_name.as_str()).trim().to_owned()
    }

    /// Given and family name, or the username when both are empty.
    #[must_use]
    pub fn display_name(&self) -> String {
        let name = self.full_name();
        if name.is_empty() { self.username.as_str().to_owned() } else { name }
    }
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs in and manages their own account.
    Member,
    /// Also manages everybody's.
    Admin,
}

impl Role {
    /// `member` or `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// From [`Role::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Member, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// May sign in.
    Active,
    /// May not; has no sessions.
    Disabled,
}

impl Status {
    /// `active` or `disabled`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// From [`Status::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == text)
    }
}

/// The form under which names are compared: compatibility-normalised (NFKC) and in lower case.
pub(in crate::core) fn canonical(text: &str) -> String {
    text.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn has_forbidden(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// An e-mail address as its owner writes it. Compared by [`Email::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    const MAXIMUM: usize = 254;

    /// Reads an address: one `@` between a local part and a host name with at most 254 bytes (RFC 5321, 4.5.3.1).
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the field `email`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let refused = Refusal::Invalid { field: "email", problem: "An e-mail address has the form name@host." };
        let Some((local, host)) = text.split_once('@') else { return Err(refused) };
        let local_right = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        let host_right = !host.is_empty()
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            });
        if text.len() > Self::MAXIMUM || !local_right || !host_right {
            return Err(refused);
        }
        Ok(Self(text.to_owned()))
    }

    /// From [`Email::as_str`], which was read once.
    pub(in crate::core) fn again(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical form: two addresses are the same if their keys are.
    #[must_use]
    pub fn key(&self) -> String {
        canonical(&self.0)
    }
}

/// A username. It has no `@`, so that usernames and e-mail addresses can never be taken for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Reads a username: 1 to 64 letters, digits and `. _ -`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the field `username`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let right = (1..=64).contains(&text.chars().count()) && text.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        if !right {
            return Err(Refusal::Invalid {
                field: "username",
                problem: "A username has 1 to 64 letters, digits, dots, underscores or hyphens.",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// From [`Username::as_str`], which was read once.
    pub(in crate::core) fn again(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical form: two usernames are the same if their keys are.
    #[must_use]
    pub fn key(&self) -> String {
        canonical(&self.0)
    }
}

/// A given or family name; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Reads a name: at most 100 characters, none of them a control character.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the given field.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.chars().count() > 100 || text.chars().any(char::is_control) {
            return Err(Refusal::Invalid { field, problem: "A name has at most 100 characters and no control characters." });
        }
        Ok(Self(text.nfc().collect()))
    }

    /// From [`PersonName::as_str`], which was read once.
    pub(in crate::core) fn again(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody typed to say who they are. Any text is one; it may name nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The canonical key of an e-mail address.
    Email(String),
    /// The canonical key of a username.
    Username(String),
    /// Text that no account can have; kept for the limits alone.
    Nobody(String),
}

impl Identifier {
    /// A username or an e-mail address, told apart by the `@`.
    #[must_use]
    pub fn any(text: &str) -> Self {
        if text.contains('@') { Self::email(text) } else { Self::username(text) }
    }

    /// An e-mail address only.
    #[must_use]
    pub fn email(text: &str) -> Self {
        Email::parse(text).map_or_else(|_| Self::nobody(text), |email| Self::Email(email.key()))
    }

    fn username(text: &str) -> Self {
        Username::parse(text).map_or_else(|_| Self::nobody(text), |name| Self::Username(name.key()))
    }

    fn nobody(text: &str) -> Self {
        Self::Nobody(canonical(
            &text.chars().take(300).filter(|c| !has_forbidden(c.encode_utf8(&mut [0; 4]))).collect::<String>(),
        ))
    }

    /// As it waits in the outbox: what kind of name it is, and the name.
    pub(in crate::core) fn subject(&self) -> String {
        match self {
            Self::Email(key) => format!("email {key}"),
            Self::Username(key) => format!("username {key}"),
            Self::Nobody(_) => "nobody".to_owned(),
        }
    }

    /// From [`Identifier::subject`].
    pub(in crate::core) fn from_subject(subject: &str) -> Self {
        match subject.split_once(' ') {
            Some(("email", key)) => Self::Email(key.to_owned()),
            Some(("username", key)) => Self::Username(key.to_owned()),
            _ => Self::Nobody(String::new()),
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Email(key) | Self::Username(key) | Self::Nobody(key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Email, Identifier, Username, canonical};

    #[test]
    fn addresses() {
        for right in ["ann@example.com", "a.b+c@sub.example.org", "jörg@exämple.de", "x@localhost", " padded@example.com "] {
            assert!(Email::parse(right).is_ok(), "{right}");
        }
        for wrong in
            ["", "@", "a@", "@b", "a b@c", "a@b@c", "a\n@b", "a@b\0", "a@-b", "a@b..c", ".a@b", "a,b@c", "<a@b>", "\"a\"@b"]
        {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_width() {
        let key = |text| Email::parse(text).unwrap().key();
        assert_eq!(key("Ann@Example.COM"), key("ann@example.com"));
        assert_eq!(Username::parse("ＡＮＮ").unwrap().key(), "ann");
    }

    #[test]
    fn a_username_is_never_an_address() {
        assert!(Username::parse("ann@example.com").is_err());
        assert_eq!(Identifier::any("Ann"), Identifier::Username("ann".into()));
        assert_eq!(Identifier::any("Ann@b.c"), Identifier::Email("ann@b.c".into()));
        assert!(matches!(Identifier::any("a@b@c"), Identifier::Nobody(_)));
        assert_eq!(Identifier::any("a\0b").key(), "ab");
    }

    /// Limits rest on it: an account is found by two keys and no third, for nothing that is typed has both kinds of name.
    #[test]
    fn no_key_of_a_username_is_an_addresss() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric() || "._-".contains(*c)) {
            assert!(!canonical(c.encode_utf8(&mut [0; 4])).contains('@'), "{c:?}");
        }
    }
}
