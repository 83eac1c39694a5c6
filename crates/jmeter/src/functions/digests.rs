//! Digests and base 64.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use md5::Digest as _;

use super::Invocation;
use crate::user::Trouble;

/// `__digest(algorithm, text, salt, upper case, variable)`: in hexadecimal; `null` when there is no such
/// algorithm.
pub(super) fn digest(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let algorithm = call.argument(0);
    let mut text = call.argument(1).into_owned();
    text.push_str(&call.argument(2));
    let Some(digest) = digest_of(&algorithm, text.as_bytes()) else {
        call.out.push_str("null");
        return Ok(());
    };
    let upper = call.argument(3).eq_ignore_ascii_case("true");
    let text = hexadecimal(&digest);
    let text = if upper {
        text.to_ascii_uppercase()
    } else {
        text
    };
    call.yields(&text, 4);
    Ok(())
}

/// `__MD5(text, variable)`, of the functions plugin.
pub(super) fn md5(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let text = hexadecimal(&md5::Md5::digest(text.as_bytes()));
    call.yields(&text, 1);
    Ok(())
}

/// `__base64Encode(text, variable)`, of the functions plugin.
pub(super) fn base64_encode(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let text = general_purpose::STANDARD.encode(text.as_bytes());
    call.yields(&text, 1);
    Ok(())
}

/// `__base64Decode(text, variable)`, of the functions plugin: either alphabet; what belongs to none is
/// passed over.
pub(super) fn base64_decode(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    let text = String::from_utf8_lossy(&decoded(&text)).into_owned();
    call.yields(&text, 1);
    Ok(())
}

/// The bytes that a text in base 64 stands for, read as leniently as Java's common library does.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let characters = text.bytes().take_while(|byte| *byte != b'=');
    let mut characters: Vec<u8> = characters
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    if characters.len() % 4 == 1 {
        characters.pop();
    }
    LENIENT.decode(characters).unwrap_or_default()
}

fn digest_of(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm.to_ascii_uppercase().as_str() {
        "MD2" => md2::Md2::digest(bytes).to_vec(),
        "MD5" => md5::Md5::digest(bytes).to_vec(),
        "SHA" | "SHA1" | "SHA-1" => sha1::Sha1::digest(bytes).to_vec(),
        "SHA224" | "SHA-224" => sha2::Sha224::digest(bytes).to_vec(),
        "SHA256" | "SHA-256" => sha2::Sha256::digest(bytes).to_vec(),
        "SHA384" | "SHA-384" => sha2::Sha384::digest(bytes).to_vec(),
        "SHA512" | "SHA-512" => sha2::Sha512::digest(bytes).to_vec(),
        "SHA512/224" | "SHA-512/224" => sha2::Sha512_224::digest(bytes).to_vec(),
        "SHA512/256" | "SHA-512/256" => sha2::Sha512_256::digest(bytes).to_vec(),
        "SHA3-224" => sha3::Sha3_224::digest(bytes).to_vec(),
        "SHA3-256" => sha3::Sha3_256::digest(bytes).to_vec(),
        "SHA3-384" => sha3::Sha3_384::digest(bytes).to_vec(),
        "SHA3-512" => sha3::Sha3_512::digest(bytes).to_vec(),
        _ => return None,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
    digits.collect()
}
