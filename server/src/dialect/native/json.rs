//! JSON (RFC 8259) from what serde tells of a value, for the answers that a server gives all day.
//!
//! Libraries look through the name of every member for what must be escaped. Half of the texts of an answer are such names, and they are
//! words of the program. Knows the shapes that this wire has; any other is an error, at the first test that shows it.

use std::fmt::{self, Display, Write as _};

use serde::ser::{Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// Writes a value behind what is there already.
///
/// # Errors
/// [`Unwritable`]; then half of it may be there.
pub(super) fn write(text: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Unwritable> {
    value.serialize(Writer(text))
}

/// A value is of a shape that this wire does not have, or says of itself that it cannot be written.
#[derive(Debug)]
pub(super) struct Unwritable(String);

impl Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be written as JSON: {}", self.0)
    }
}

impl std::error::Error for Unwritable {}

impl Error for Unwritable {
    fn custom<T: Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

type Written = Result<(), Unwritable>;

struct Writer<'a>(&'a mut Vec<u8>);

/// Members or items; how many there are so far tells whether a comma is due.
struct Members<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
    end: u8,
}

impl<'a> Writer<'a> {
    fn begin(self, start: u8, end: u8) -> Members<'a> {
        self.0.push(start);
        Members { text: self.0, first: true, end }
    }

    fn literal(self, word: &'static str) -> Written {
        self.0.extend_from_slice(word.as_bytes());
        Ok(())
    }

    fn number(self, number: impl Display) -> Written {
        write!(Plain(self.0), "{number}").map_err(Error::custom)
    }
}

impl Members<'_> {
    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(b',');
        }
    }

    fn close(self) -> Written {
        self.text.push(self.end);
        Ok(())
    }
}

/// Text that needs no escapes.
struct Plain<'a>(&'a mut Vec<u8>);

impl fmt::Write for Plain<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// What cannot stand in a string as it is (RFC 8259, section 7).
const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether one of eight bytes is special: not zero then.
const fn specials(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    /// Has the highest bit of a byte set if one is less than `limit`, or was reached by the borrow of one that is.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word & (ONES * 0x80)
    }
    let word = u64::from_ne_bytes(word);
    below(word, b' ' as u64) | below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1)
}

/// Eight bytes at a time, the last eight perhaps twice: texts are short, and no time is left to get going.
fn has_specials(text: &[u8]) -> bool {
    match text.last_chunk() {
        Some(last) => text.as_chunks().0.iter().fold(specials(*last), |found, word| found | specials(*word)) != 0,
        None => text.iter().any(|byte| is_special(*byte)),
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if has_specials(text.as_bytes()) {
        escaped(out, text.as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

#[cold]
fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..b' ' => {
                let [high, low] = [byte >> 4, byte & 0xf].map(|half| DIGITS[usize::from(half)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            _ => out.push(byte),
        }
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),+) => { $(fn $method(self, value: $type) -> Written { self.number(value) })+ };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Members<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeTuple = Impossible<(), Unwritable>;
    type SerializeTupleStruct = Impossible<(), Unwritable>;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeStructVariant = Impossible<(), Unwritable>;

    numbers! { serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64 }
    numbers! { serialize_u16: u16, serialize_u32: u32, serialize_u64: u64 }

    fn serialize_u8(self, value: u8) -> Written {
        match value {
            0..10 => {
                self.0.push(b'0' + value);
                Ok(())
            }
            _ => self.number(value),
        }
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.literal(if value { "true" } else { "false" })
    }

    fn serialize_str(self, value: &str) -> Written {
        string(self.0, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_none(self) -> Written {
        self.literal("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.literal("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>, Unwritable> {
        Ok(self.begin(b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Unwritable> {
        Ok(self.begin(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Unwritable> {
        Ok(self.begin(b'{', b'}'))
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(unknown("a fraction"))
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(unknown("a fraction"))
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(unknown("bytes"))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Written {
        Err(unknown(name))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, name: &'static str, _: u32, _: &'static str, _: &T) -> Written {
        Err(unknown(name))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritable> {
        Err(unknown("a tuple"))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Err(unknown(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(unknown(name))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(unknown(name))
    }
}

fn unknown(what: &str) -> Unwritable {
    Error::custom(format_args!("{what} is of no shape that this wire has"))
}

impl SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.comma();
        value.serialize(Writer(self.text))
    }

    fn end(self) -> Written {
        self.close()
    }
}

/// Of what serde flattens. Its names are texts like others.
impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.comma();
        let before = self.text.len();
        key.serialize(Writer(self.text))?;
        if self.text.get(before) == Some(&b'"') { Ok(()) } else { Err(unknown("a name that is no text")) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.text.push(b':');
        value.serialize(Writer(self.text))
    }

    fn end(self) -> Written {
        self.close()
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Unwritable;

    /// The name is a word of the program, and no word of the program needs an escape. Always inlined: then its length is known, and it is
    /// written by a few moves.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        debug_assert!(!name.bytes().any(is_special), "{name:?} needs escapes");
        self.comma();
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
        value.serialize(Writer(self.text))
    }

    fn end(self) -> Written {
        self.close()
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
