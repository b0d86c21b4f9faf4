//! Applications: programs that sign people in with credentials of their own.

use std::net::IpAddr;
use std::str::FromStr;

use super::ApplicationId;
use crate::core::clock::Timestamp;
use crate::core::refusal::Refusal;

/// A machine client. Its consumer key and access token are kept as hashes, by the store.
#[derive(Clone, Debug)]
pub struct Application {
    /// The `app_id`.
    pub id: ApplicationId,
    /// For people.
    pub name: String,
    /// From where it may be used; empty: from anywhere.
    pub networks: Vec<Network>,
    /// Whether its one-time token alone opens a session, without the access code.
    pub one_time_token_suffices: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Application {
    /// Whether a client at this address may use it. No address (a local tool) passes only an application without limits.
    #[must_use]
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty() || address.is_some_and(|address| self.networks.iter().any(|network| network.contains(address)))
    }
}

/// A range of addresses in CIDR notation (RFC 4632); a bare address is the range of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(ipnet::IpNet);

impl Network {
    /// Whether the address lies in it. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        text.parse::<ipnet::IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(ipnet::IpNet::from))
            .map(|network| Self(network.trunc()))
            .map_err(|_| Refusal::Invalid { field: "networks", problem: "A network has the form 192.0.2.0/24 or 2001:db8::/32." })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// As it is serialised.
impl utoipa::PartialSchema for Network {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for Network {}

impl serde::Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
