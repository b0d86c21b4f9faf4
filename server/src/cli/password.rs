//! How a password comes in: on standard input, or typed twice. Never as an argument, which other users of the machine can read.

use std::io::{self, IsTerminal as _, Read};

use super::failure::Failure;
use crate::core::token::Secret;

/// More bytes than this are no password.
const MOST: u64 = 16 * 1024;

/// Takes a new password.
pub(super) fn take(from_stdin: bool) -> Result<Secret, Failure> {
    if from_stdin {
        return read(io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody can be asked for the password here; write it to standard input, with --password-stdin".into(),
        ));
    }
    let (first, second) = (ask("Password: ")?, ask("Once more: ")?);
    if first.reveal() != second.reveal() {
        return Err(Failure::failed("the two passwords differ, and nothing was done; try again"));
    }
    Ok(first)
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    let typed = rpassword::prompt_password(prompt);
    typed
        .map(Secret::new)
        .map_err(|error| Failure::failed(format!("the password cannot be asked for: {error}; use --password-stdin")))
}

/// All that there is, less the line feed with which most programs end it.
fn read(input: impl Read) -> Result<Secret, Failure> {
    // One allocation, so that no copy is left behind when it grows.
    let mut bytes = Vec::with_capacity(usize::try_from(MOST).unwrap_or(usize::MAX) + 1);
    let told = |text: &str| Failure::failed(format!("the password on standard input {text}"));
    input.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| told(&format!("cannot be read: {error}")))?;
    let secret = Secret::new(String::from_utf8(bytes).map_err(|_| told("is not UTF-8"))?);
    let text = secret.reveal();
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    match text {
        "" => Err(told("is missing; write it there, as one line")),
        text if text.len() as u64 > MOST => Err(told("is far too long")),
        text if text.contains(['\n', '\r']) => Err(told("has more than one line; write the password alone")),
        text => Ok(Secret::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn loses_one_line_feed() {
        for (given, taken) in [("a b\n", "a b"), ("a\r\n", "a"), ("a", "a"), (" a \n", " a "), ("ä\u{301}\n", "ä\u{301}")] {
            assert_eq!(read(given.as_bytes()).expect(given).reveal(), taken);
        }
        for given in [&b""[..], b"\n", b"a\nb", b"a\n\n", b"\xff\n", &[b'a'; 20_000]] {
            assert!(read(given).is_err());
        }
    }
}
