//! Forms of several parts.
//!
//! Source: RFC 7578, and what Apache's HTTP client 4.5 sends.

use double11_load::random::Stream;

use super::encode::Charset;

/// What listeners see instead of a file.
pub(super) const OMITTED: &str = "<actual file content, not shown here>";

/// One part.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    /// The name of the file, if it is one.
    pub(super) file: Option<String>,
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

/// A form.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) parts: Vec<Part>,
    pub(super) boundary: String,
    pub(super) charset: Charset,
    /// Headers as browsers send them, instead of all that the standard allows.
    pub(super) is_lax: bool,
}

impl Form {
    /// Appends the form; files are left out when it is only to be shown.
    pub(super) fn write(&self, is_shown: bool, out: &mut Vec<u8>) {
        let names = if self.is_lax {
            self.charset
        } else {
            Charset::Ascii
        };
        for part in &self.parts {
            out.extend_from_slice(b"--");
            out.extend_from_slice(self.boundary.as_bytes());
            out.extend_from_slice(b"\r\nContent-Disposition: form-data; name=\"");
            names.encode(&part.name, out);
            out.push(b'"');
            if let Some(file) = &part.file {
                out.extend_from_slice(b"; filename=\"");
                names.encode(file, out);
                out.push(b'"');
            }
            if !self.is_lax || part.file.is_some() {
                out.extend_from_slice(b"\r\nContent-Type: ");
                names.encode(&part.content_type, out);
            }
            if !self.is_lax {
                let coding = if part.file.is_some() {
                    "binary"
                } else {
                    "8bit"
                };
                out.extend_from_slice(b"\r\nContent-Transfer-Encoding: ");
                out.extend_from_slice(coding.as_bytes());
            }
            out.extend_from_slice(b"\r\n\r\n");
            if is_shown && part.file.is_some() {
                out.extend_from_slice(OMITTED.as_bytes());
            } else {
                out.extend_from_slice(&part.bytes);
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"--");
        out.extend_from_slice(self.boundary.as_bytes());
        out.extend_from_slice(b"--\r\n");
    }
}

/// A boundary of 30 to 40 random characters.
pub(super) fn boundary(random: &mut Stream) -> String {
    const ALPHABET: &[u8; 64] = b"-_1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let length = random.between(30, 40);
    let letters = (0..length).map(|_| {
        let index = usize::try_from(random.between(0, 63)).unwrap_or(0);
        char::from(ALPHABET[index])
    });
    letters.collect()
}
