//! Time-based one-time passwords (RFC 6238) as every authenticator app makes them: HMAC-SHA-1, steps of 30 seconds, 6 digits.
//!
//! SHA-1 is what the apps share; HMAC does not lean on the collision resistance that SHA-1 has lost (RFC 6238, 1.2; RFC 6194, 3.3).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::call::Call;
use super::clock::Timestamp;
use super::fault::Fault;
use super::token::Secret;

/// Milliseconds that a code stands for.
const STEP: i64 = 30_000;
/// Steps by which a phone's clock may be wrong, each way (RFC 6238, 5.2).
const DRIFT: i64 = 1;
const DIGITS: usize = 6;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new seed of 160 bits (RFC 4226, R6: the length recommended), in base32, the form in which people type it into an app.
///
/// # Errors
/// A fault when the operating system has no randomness to give.
pub(in crate::core) fn generate(call: &Call) -> Result<Secret, Fault> {
    Ok(Secret::new(base32(&*Zeroizing::new(call.random::<20>()?))))
}

/// The seed as an app scans it (the `otpauth` key URI format).
pub(in crate::core) fn uri(seed: &Secret, issuer: &str, account: &str) -> Secret {
    // The format has no colon in either part of the label: it is what parts them.
    let (issuer, account) = (encoded(&issuer.replace(':', " ")), encoded(&account.replace(':', " ")));
    let seed = seed.reveal();
    Secret::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={seed}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={}",
        STEP / 1000
    ))
}

/// The step that a code is of, if it is of this moment's or a neighbour's; the latest, if of several. Which digits were right cannot be
/// told from the time that it takes.
///
/// # Errors
/// A fault when the seed at rest is none.
pub(in crate::core) fn check(seed: &Secret, code: &Secret, now: Timestamp) -> Result<Option<i64>, Fault> {
    let key =
        Zeroizing::new(bytes(seed.reveal()).ok_or_else(|| Fault::internal("a stored authenticator's seed cannot be read"))?);
    let presented = Zeroizing::new(code.reveal().chars().filter(|c| !c.is_whitespace()).collect::<String>());
    let (current, mut found, mut matched) = (now.as_millis().div_euclid(STEP), Choice::from(0), 0);
    for step in current - DRIFT..=current + DRIFT {
        let expected = Zeroizing::new(format!("{:0DIGITS$}", number(&key, step)? % 1_000_000));
        let same = expected.as_bytes().ct_eq(presented.as_bytes());
        matched.conditional_assign(&step, same);
        found |= same;
    }
    Ok(bool::from(found).then_some(matched))
}

/// HOTP before it is cut to digits (RFC 4226, 5.3).
fn number(key: &[u8], step: i64) -> Result<u32, Fault> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).map_err(|_| Fault::internal("HMAC takes keys of any length"))?;
    mac.update(&step.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let [.., last] = digest;
    let mut four = [0; 4];
    for (place, byte) in four.iter_mut().zip(digest.iter().skip(usize::from(last & 0x0f))) {
        *place = *byte;
    }
    Ok(u32::from_be_bytes(four) & 0x7fff_ffff)
}

/// RFC 4648, section 6, without padding. Whole groups of 5 bytes alone, as the seed has.
fn base32(bytes: &[u8]) -> String {
    let group = |five: &[u8]| five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letters = |bits: u64| (0..8).rev().map(move |place| char::from(ALPHABET[usize::from((bits >> (5 * place)) as u8 & 31)]));
    bytes.chunks_exact(5).flat_map(|five| letters(group(five))).collect()
}

/// The bytes of [`base32`]'s text.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    for eight in text.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for letter in eight {
            let place = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 5 | u64::try_from(place).ok()?;
        }
        out.extend_from_slice(bits.to_be_bytes().get(3..).filter(|_| eight.len() == 8)?);
    }
    Some(out)
}

/// Percent-encoded, but for what RFC 3986 leaves unreserved. `+` for a space would be shown as a plus.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B, SHA-1: seconds and eight digits.
    const VECTORS: [(i64, u32); 6] = [
        (59, 94_287_082),
        (1_111_111_109, 7_081_804),
        (1_111_111_111, 14_050_471),
        (1_234_567_890, 89_005_924),
        (2_000_000_000, 69_279_037),
        (20_000_000_000, 65_353_130),
    ];

    fn code(step: i64) -> Secret {
        Secret::new(format!("{:06}", number(SEED, step).unwrap() % 1_000_000))
    }

    #[test]
    fn the_rfc_s_vectors() {
        for (seconds, digits) in VECTORS {
            assert_eq!(number(SEED, seconds / 30).unwrap() % 100_000_000, digits);
            let six = Secret::new(format!("{:06}", digits % 1_000_000));
            let at = Timestamp::from_millis(seconds * 1000);
            assert_eq!(check(&Secret::new(base32(SEED)), &six, at).unwrap(), Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_of_drift_each_way() {
        let seed = Secret::new(base32(SEED));
        let now = Timestamp::from_millis(1_000 * STEP + 29_999);
        for (step, expected) in [(998, None), (999, Some(999)), (1000, Some(1000)), (1001, Some(1001)), (1002, None)] {
            assert_eq!(check(&seed, &code(step), now).unwrap(), expected);
        }
    }

    #[test]
    fn six_digits_and_nothing_else() {
        let (seed, now) = (Secret::new(base32(SEED)), Timestamp::from_millis(1_000 * STEP));
        let right = code(1000).reveal().to_owned();
        let spaced = format!(" {} {}\n", &right[..3], &right[3..]);
        assert_eq!(check(&seed, &Secret::new(spaced), now).unwrap(), Some(1000));
        for wrong in [String::new(), right[1..].to_owned(), format!("0{right}"), format!("{right}0"), format!("+{right}")] {
            assert_eq!(check(&seed, &Secret::new(wrong), now).unwrap(), None);
        }
    }

    #[test]
    fn base32_there_and_back() {
        // RFC 4648, section 10.
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(SEED), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(bytes("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap(), SEED);
        for broken in ["M", "MZXW6YT", "mzxw6ytb", "MZXW6YT1", "MZXW6YT="] {
            assert!(bytes(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_uri_is_one() {
        let uri = uri(&Secret::new("MZXW6YTB"), "Ärzte: Haus & Co", "ann+x@example.com");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/%C3%84rzte%20%20Haus%20%26%20Co:ann%2Bx%40example.com\
             ?secret=MZXW6YTB&issuer=%C3%84rzte%20%20Haus%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(url::Url::parse(uri.reveal()).unwrap().scheme(), "otpauth");
    }
}
