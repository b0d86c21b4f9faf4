//! What commands write to standard output: JSON for programs, lines and aligned tables for people.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;
use crate::core::model::Paged;
use crate::log;

/// Where a command writes to, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

/// A page of a list on the wire: where the next begins, if there is one.
#[derive(Serialize)]
struct List<'a, T> {
    items: &'a [T],
    next: Option<&'a str>,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Writes a value: as JSON, or as what `people` makes of it.
    pub(super) fn value(self, value: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { write(&json(value)?) } else { write(&people()) }
    }

    /// Writes a page of a list: as JSON, or as a table with these headings.
    pub(super) fn list<T: Serialize, const N: usize>(
        self,
        page: &Paged<T>,
        headings: [&str; N],
        cells: impl Fn(&T) -> [String; N],
    ) -> Result<(), Failure> {
        if self.json {
            return write(&json(&List { items: &page.items, next: page.next.as_deref() })?);
        }
        if page.items.is_empty() {
            return note("There is none.");
        }
        write(&table(headings, page.items.iter().map(cells)))?;
        page.next.as_ref().map_or(Ok(()), |next| note(&format!("There are more: --after {next}")))
    }
}

/// Text as it stands, with a line feed at its end.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// A remark for people, which is no part of the output.
fn note(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stderr(), "{text}")?)
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::failed(format!("this cannot be written as JSON: {error}")))
}

/// What came from outside, made fit for a terminal; nothing becomes a dash.
fn cell(text: &str) -> String {
    let text = log::escaped(text, |c, out| out.extend(c.escape_unicode()));
    if text.is_empty() { "-".to_owned() } else { text }
}

/// Columns aligned, two spaces between.
fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = std::iter::once(headings.map(str::to_owned)).chain(rows).map(|row| row.map(|text| cell(&text))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and values, a line each, the values aligned.
pub(super) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    fields.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {}", cell(value));
        text
    })
}

/// What may be missing, as a cell.
pub(super) fn or_nothing(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub(super) fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_tame() {
        let rows = [["ann".to_owned(), "x".to_owned()], ["\u{1b}[2J".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "B"], rows.into_iter()), "NAME       B\nann        x\n\\u{1b}[2J  -\n");
        assert_eq!(fields(&[("id", "1".to_owned()), ("name", "a\nb".to_owned())]), "id    1\nname  a\\u{a}b\n");
    }
}
