//! Background work: what happens after the answer, or on no call at all.

pub mod mail;
