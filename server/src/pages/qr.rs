//! A QR code as the path of an SVG: dark squares of one unit.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;

/// A code to be scanned.
#[derive(Serialize)]
pub(super) struct Qr {
    /// Units of a side, with the quiet zone of four on each (ISO/IEC 18004).
    side: i32,
    /// The path.
    path: String,
}

const QUIET: i32 = 4;

/// The code of a text; `None` for one that is too long.
pub(super) fn code(text: &str) -> Option<Qr> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
    }
    Some(Qr { side: code.size() + 2 * QUIET, path })
}
