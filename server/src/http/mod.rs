//! The plumbing between the network and a dialect: what every dialect may use, knowing none of them and no flow.

pub mod accept;
pub mod bearer;
pub mod body;
pub mod call;
mod connection;
pub mod cookie;
mod drain;
pub mod forwarded;
pub mod head;
pub mod health;
pub mod here;
pub mod layers;
pub mod metrics;
pub mod origin;
pub mod original;
mod preface;
mod refuse;
pub mod serve;
mod times;
mod watched;
