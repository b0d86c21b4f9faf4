//! Lines of the audit log as CSV (RFC 4180). Much of a line is a stranger's text, and a spreadsheet runs what begins like a formula.

use crate::core::audit::Entry;
use crate::core::clock::Timestamp;

const HEAD: [&str; 12] =
    ["id", "at", "event", "outcome", "user_id", "actor", "dialect", "address", "peer", "user_agent", "request_id", "detail"];

/// A file, with a line of names at its head.
pub(super) fn entries(entries: &[Entry]) -> String {
    let mut text = row(HEAD.map(str::to_owned));
    for entry in entries {
        let maybe = |value: &Option<String>| value.clone().unwrap_or_default();
        text.push_str(&row([
            entry.id.to_string(),
            entry.at.to_string(),
            entry.event.clone(),
            entry.outcome.clone(),
            entry.user_id.map(|user| user.to_string()).unwrap_or_default(),
            entry.actor.clone(),
            entry.dialect.clone(),
            maybe(&entry.address),
            maybe(&entry.peer),
            maybe(&entry.user_agent),
            entry.request_id.clone(),
            maybe(&entry.detail),
        ]));
    }
    text
}

/// The last line of a file that does not have all: of no id, from the moment down to which it was sought, with the words for it.
pub(super) fn end(last: Timestamp, words: &str) -> String {
    let mut cells = [(); 12].map(|()| String::new());
    cells[1] = last.to_string();
    cells[11] = words.to_owned();
    row(cells)
}

fn row(cells: [String; 12]) -> String {
    let cells = cells.map(|cell| format!("\"{}\"", guarded(cell).replace('"', "\"\"")));
    format!("{}\r\n", cells.join(","))
}

/// What begins like a formula gets an apostrophe, which spreadsheets take for "this is text".
fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(guarded(cell.to_owned()), safe);
        }
        let mut cells = [(); 12].map(|()| String::new());
        cells[9] = "=\"a\",\"b\r\n".to_owned();
        assert_eq!(row(cells).split(",\"'").nth(1), Some("=\"\"a\"\",\"\"b\r\n\",\"\",\"\"\r\n"));
    }
}
