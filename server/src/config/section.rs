//! How the one struct is walked: every key by its name, with its documentation, so that reading, showing and the example file
//! cannot drift from it.

use super::setting::{Raw, Setting};

/// A key or a section of the configuration.
pub(super) enum Entry {
    /// A table.
    Section {
        /// Its dotted name.
        key: String,
        /// Its documentation, a line each.
        doc: &'static [&'static str],
    },
    /// A key with a value.
    Leaf {
        /// Its dotted name.
        key: String,
        /// Its documentation, a line each.
        doc: &'static [&'static str],
        /// The present value, masked if secret.
        value: toml::Value,
    },
}

/// Why a key could not be set.
pub(super) enum Problem {
    /// There is no such key.
    Unknown,
    /// The value is not of its form; what would be right.
    Wrong(String),
}

/// A part of the configuration: a section or a value.
pub(super) trait Node {
    /// Sets the value at the end of `path`.
    fn set(&mut self, path: &[&str], raw: &Raw<'_>) -> Result<(), Problem>;
    /// Appends this and all below it, in the order of writing.
    fn visit(&self, key: &str, doc: &'static [&'static str], entries: &mut Vec<Entry>);
}

impl<T: Setting> Node for T {
    fn set(&mut self, path: &[&str], raw: &Raw<'_>) -> Result<(), Problem> {
        if !path.is_empty() {
            return Err(Problem::Unknown);
        }
        *self = T::read(raw).map_err(Problem::Wrong)?;
        Ok(())
    }

    fn visit(&self, key: &str, doc: &'static [&'static str], entries: &mut Vec<Entry>) {
        entries.push(Entry::Leaf { key: key.to_owned(), doc, value: self.show() });
    }
}

/// Writes a section of the configuration: a struct with public fields, their defaults, and its [`Node`].
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:expr; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $key: $kind, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )+ }
            }
        }

        impl $crate::config::section::Node for $name {
            fn set(
                &mut self,
                path: &[&str],
                raw: &$crate::config::setting::Raw<'_>,
            ) -> Result<(), $crate::config::section::Problem> {
                let Some((first, rest)) = path.split_first() else {
                    return Err($crate::config::section::Problem::Wrong("this is a section, not a value".to_owned()));
                };
                $( if *first == stringify!($key) {
                    return $crate::config::section::Node::set(&mut self.$key, rest, raw);
                } )+
                Err($crate::config::section::Problem::Unknown)
            }

            fn visit(&self, key: &str, doc: &'static [&'static str], entries: &mut Vec<$crate::config::section::Entry>) {
                let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
                if !key.is_empty() {
                    entries.push($crate::config::section::Entry::Section { key: key.to_owned(), doc });
                }
                $( $crate::config::section::Node::visit(
                    &self.$key,
                    &format!("{prefix}{}", stringify!($key)),
                    &[$($doc),+],
                    entries,
                ); )+
            }
        }
    };
}

pub(super) use section;
