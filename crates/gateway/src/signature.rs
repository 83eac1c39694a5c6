//! How two ends that share a secret know each other's words: HMAC-SHA256 over a time and the bytes.
//!
//! The header is `double11-signature: t=SECONDS,v1=HEX`, after the manner of Stripe's webhooks: `t` is
//! when it was signed, in seconds of the Unix epoch, and `v1` the HMAC-SHA256 of `SECONDS.MESSAGE` in
//! hexadecimal digits. Several `v1` may stand beside each other while a secret is changed; members of
//! other names are passed over. The time is signed too, so that what was overheard grows old.

use std::fmt::Write as _;
use std::time::Duration;

use double11_units::UnixMicros;
use ring::hmac;

/// The header that carries a signature.
pub const HEADER: &str = "double11-signature";

/// How far the time of a signature may be from that of the reader, to either side.
pub const TOLERANCE: Duration = Duration::from_mins(5);
/// Most signatures of one header: one by the new secret, one by the old, and some air.
const SIGNATURES_MAX: usize = 4;

/// What both ends know and nobody else. Never shown.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// A secret that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret needs at least {} bytes, this one has {bytes}",
    Secret::MIN_BYTES
)]
pub struct SecretTooShort {
    /// Bytes that were given.
    pub bytes: usize,
}

/// Why words are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header has no time or no signature that can be read.
    #[error("the signature is malformed")]
    Malformed,
    /// It was signed too long ago, or ahead of our clock.
    #[error("the signature is of another time")]
    OtherTime,
    /// Somebody else signed it, or the words were changed.
    #[error("the signature is wrong")]
    Wrong,
}

impl Secret {
    /// The fewest bytes of a secret: shorter ones can be guessed.
    pub const MIN_BYTES: usize = 16;

    /// Makes a secret of these bytes.
    ///
    /// # Errors
    /// [`SecretTooShort`] below [`Secret::MIN_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, SecretTooShort> {
        if bytes.len() < Self::MIN_BYTES {
            return Err(SecretTooShort { bytes: bytes.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The value of the header for this message, signed at this time.
    pub fn sign(&self, at: UnixMicros, message: &[u8]) -> String {
        let seconds = at.get().div_euclid(1_000_000);
        let tag = hmac::sign(&self.0, &timed(seconds, message));
        let mut value = format!("t={seconds},v1=");
        for byte in tag.as_ref() {
            // Writing to a text does not fail.
            let written = write!(value, "{byte:02x}");
            debug_assert!(written.is_ok());
        }
        value
    }

    /// Checks the value of the header for this message. Takes the same time wherever it differs.
    ///
    /// # Errors
    /// [`SignatureError`]: which part of it does not hold.
    pub fn verify(
        &self,
        header: &[u8],
        now: UnixMicros,
        message: &[u8],
    ) -> Result<(), SignatureError> {
        let header = std::str::from_utf8(header).map_err(|_| SignatureError::Malformed)?;
        let members = || {
            let pairs = header.split(',').map(str::trim);
            pairs.filter_map(|member| member.split_once('='))
        };
        let mut times = members().filter(|(name, _)| *name == "t");
        // Two times would leave open which of them was signed.
        let (Some((_, seconds)), None) = (times.next(), times.next()) else {
            return Err(SignatureError::Malformed);
        };
        let seconds: i64 = seconds.parse().map_err(|_| SignatureError::Malformed)?;
        let signatures: Vec<[u8; 32]> = members()
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, hex)| bytes_of(hex))
            .take(SIGNATURES_MAX + 1)
            .collect();
        // The whole message is read again for each of them.
        if signatures.is_empty() || signatures.len() > SIGNATURES_MAX {
            return Err(SignatureError::Malformed);
        }
        let timed = timed(seconds, message);
        let is_ours = |signature: &[u8; 32]| hmac::verify(&self.0, &timed, signature).is_ok();
        if !signatures.iter().any(is_ours) {
            return Err(SignatureError::Wrong);
        }
        let apart = now.get().div_euclid(1_000_000).abs_diff(seconds);
        if apart > TOLERANCE.as_secs() {
            return Err(SignatureError::OtherTime);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// What is signed.
fn timed(seconds: i64, message: &[u8]) -> Vec<u8> {
    let mut timed = format!("{seconds}.").into_bytes();
    timed.extend_from_slice(message);
    timed
}

/// What is signed of a request: it says what is asked, so that a signature fits nothing else.
pub(crate) fn request_message(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{method} {path}\n").into_bytes();
    message.extend_from_slice(body);
    message
}

/// The bytes of 64 hexadecimal digits.
fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        // A sign would be taken too.
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Secret, SecretTooShort, SignatureError, TOLERANCE};
    use double11_units::UnixMicros;

    fn at(seconds: i64) -> UnixMicros {
        UnixMicros::new(seconds * 1_000_000 + 999_999)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes()).unwrap()
    }

    /// Against a value that another program computed:
    /// `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef`.
    #[test]
    fn the_signature_is_the_documented_one() {
        let signed = secret("0123456789abcdef").sign(at(1_700_000_000), br#"{"a":1}"#);
        let expected =
            "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23";
        assert_eq!(signed, expected);
    }

    #[test]
    fn only_the_same_words_of_the_same_time_are_believed() {
        let ours = secret("a secret of ours");
        let signed = ours.sign(at(1_000), b"pay");
        let check = |header: &str, now: i64, message: &[u8]| {
            ours.verify(header.as_bytes(), at(now), message)
        };
        assert_eq!(check(&signed, 1_000, b"pay"), Ok(()));
        let tolerance = i64::try_from(TOLERANCE.as_secs()).unwrap();
        assert_eq!(check(&signed, 1_000 + tolerance, b"pay"), Ok(()));
        assert_eq!(check(&signed, 1_000 - tolerance, b"pay"), Ok(()));
        for now in [1_001 + tolerance, 999 - tolerance] {
            assert_eq!(check(&signed, now, b"pay"), Err(SignatureError::OtherTime));
        }
        assert_eq!(check(&signed, 1_000, b"paid"), Err(SignatureError::Wrong));
        // The time belongs to what is signed.
        let moved = signed.replace("t=1000", "t=1001");
        assert_eq!(check(&moved, 1_001, b"pay"), Err(SignatureError::Wrong));
        let other = secret("another's secret").sign(at(1_000), b"pay");
        assert_eq!(check(&other, 1_000, b"pay"), Err(SignatureError::Wrong));
        // While a secret is changed both signatures are sent.
        let both = format!("{other},{}", signed.split_once(',').unwrap().1);
        assert_eq!(check(&both, 1_000, b"pay"), Ok(()));
        let spaced = signed.replace(',', " , v0=x, ").to_uppercase();
        let spaced = spaced
            .replace("T=", "t=")
            .replace("V1=", "v1=")
            .replace("V0=X", "v0=x");
        assert_eq!(check(&spaced, 1_000, b"pay"), Ok(()));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let ours = secret("a secret of ours");
        let hex = ours.sign(at(1_000), b"pay").split_off("t=1000,v1=".len());
        for header in [
            String::new(),
            "t=1000".to_owned(),
            format!("v1={hex}"),
            format!("t=,v1={hex}"),
            format!("t=x,v1={hex}"),
            format!("t=1000,t=1001,v1={hex}"),
            format!("t=1000,v1={}", hex.get(1..).unwrap()),
            format!("t=1000,v1=+{}", hex.get(1..).unwrap()),
            format!("t=1000,v1={hex}00"),
            format!("t=1000{}", format!(",v1={hex}").repeat(5)),
            "t=1000,v1=手手手手手手手手手手手手手手手手手手手手手a".to_owned(),
        ] {
            let checked = ours.verify(header.as_bytes(), at(1_000), b"pay");
            assert_eq!(checked, Err(SignatureError::Malformed), "{header}");
        }
        let checked = ours.verify(&[0xff], at(1_000), b"pay");
        assert_eq!(checked, Err(SignatureError::Malformed));
    }

    #[test]
    fn secrets_are_long_and_not_shown() {
        assert_eq!(
            Secret::new(b"too short").unwrap_err(),
            SecretTooShort { bytes: 9 }
        );
        let shown = format!("{:?}", secret("0123456789abcdef"));
        assert_eq!(shown, "Secret(…)");
    }
}
