//! Links of mails: found in text, and in HTML made to open a page of their own.

use serde::Serialize;

/// A piece of a text: as it stands, or a link.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) link: bool,
}

/// What ends a sentence and not a link.
const AFTER: [char; 11] = ['.', ',', ';', ':', '!', '?', ')', ']', '>', '"', '\''];

/// The text in pieces. A link begins with `http://` or `https://` and ends before the next white space, quotation mark or angle bracket.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(start) = next(rest) {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let end = from.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c)).unwrap_or(from.len());
        let link = from[..end].trim_end_matches(AFTER);
        // A scheme and nothing behind it is none.
        if link.split_once("://").is_some_and(|(_, place)| !place.is_empty()) {
            pieces.extend(
                Some(std::mem::take(&mut plain)).filter(|plain| !plain.is_empty()).map(|text| Piece { text, link: false }),
            );
            pieces.push(Piece { text: link.to_owned(), link: true });
            rest = &from[link.len()..];
        } else {
            plain.push_str(&from[..end]);
            rest = &from[end..];
        }
    }
    plain.push_str(rest);
    pieces.extend(Some(plain).filter(|plain| !plain.is_empty()).map(|text| Piece { text, link: false }));
    pieces
}

fn next(text: &str) -> Option<usize> {
    [text.find("http://"), text.find("https://")].into_iter().flatten().min()
}

/// The document, with the order that each link opens a page of its own: in the frame none could.
pub(super) fn opening_elsewhere(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    match head(html) {
        Some(end) => format!("{}{BASE}{}", &html[..end], &html[end..]),
        None => format!("<!doctype html>{BASE}{html}"),
    }
}

/// Where the tag `<head …>` ends.
fn head(html: &str) -> Option<usize> {
    let start = html.char_indices().map(|(place, _)| place).find(|place| {
        let tag = html.as_bytes().get(*place..*place + 6);
        tag.is_some_and(|tag| tag[..5].eq_ignore_ascii_case(b"<head") && (tag[5] == b'>' || tag[5].is_ascii_whitespace()))
    })?;
    html[start..].find('>').map(|end| start + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        pieces(text).iter().map(|piece| if piece.link { format!("[{}]", piece.text) } else { piece.text.clone() }).collect()
    }

    #[test]
    fn links_in_text() {
        for (text, marked) in [
            ("", ""),
            ("no link", "no link"),
            ("http://a.example/?b=c&d=e\nmore", "[http://a.example/?b=c&d=e]\nmore"),
            ("see https://a.example/x.", "see [https://a.example/x]."),
            ("(https://a.example/x), and <http://b>", "([https://a.example/x]), and <[http://b]>"),
            ("https:// and http://", "https:// and http://"),
            ("http://http://a", "[http://http://a]"),
            ("javascript:alert(1) http:/x", "javascript:alert(1) http:/x"),
            ("é http://é.example/ü é", "é [http://é.example/ü] é"),
            ("http://a\" onclick=\"x", "[http://a]\" onclick=\"x"),
        ] {
            assert_eq!(shown(text), marked, "{text}");
            assert_eq!(pieces(text).into_iter().map(|piece| piece.text).collect::<String>(), text);
        }
    }

    #[test]
    fn links_in_html_open_elsewhere() {
        for (html, made) in [
            ("<html><HEAD lang=de><title>", "<html><HEAD lang=de><base target=\"_blank\"><title>"),
            ("<header><a>", "<!doctype html><base target=\"_blank\"><header><a>"),
            ("é<head>", "é<head><base target=\"_blank\">"),
            ("<head", "<!doctype html><base target=\"_blank\"><head"),
            ("", "<!doctype html><base target=\"_blank\">"),
        ] {
            assert_eq!(opening_elsewhere(html), made, "{html}");
        }
    }
}
