//! From a letter (`core::flows::delivery`) to a delivered mail: [`render`] puts it into words, [`message`] makes the MIME message of it,
//! [`transport`] hands it to an SMTP server or writes it to a file. None of these knows the store.

mod files;
pub mod message;
pub mod render;
mod smtp;
mod smtp_url;
pub mod transport;

#[cfg(test)]
mod tests;
