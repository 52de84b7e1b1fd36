//! Bills of materials, in the forms that others read: CycloneDX and SPDX. The same bill gives the same bytes.

mod cyclonedx;
mod spdx;

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::escape::ascii_json;
use crate::engine::bom::Bill;
use crate::source;

/// The forms of a bill.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// CycloneDX 1.6.
    CycloneDx16,
    /// CycloneDX 1.7.
    CycloneDx17,
    /// SPDX 3.0.1, as JSON-LD.
    Spdx,
}

/// Writes a bill.
///
/// # Errors
/// Where `out` cannot be written to.
pub(crate) fn write(bill: &Bill, form: Form, out: &mut dyn Write) -> io::Result<()> {
    let document = match form {
        Form::CycloneDx16 => cyclonedx::document(bill, "1.6"),
        Form::CycloneDx17 => cyclonedx::document(bill, "1.7"),
        Form::Spdx => spdx::document(bill),
    };
    ascii_json(&document, out)
}

/// A UUID of version 5 made of everything that the bill says: equal content, equal number.
fn uuid(bill: &Bill) -> String {
    // The namespace of addresses, RFC 9562.
    const NAMESPACE: [u8; 16] =
        [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
    let content = Sha256::digest(format!("{bill:?}"));
    let mut bytes = NAMESPACE.to_vec();
    bytes.extend_from_slice(b"foretaste:");
    bytes.extend_from_slice(&content);
    let mut id = [0; 16];
    id.copy_from_slice(&source::sha1(&bytes)[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Whether a licence is written as an SPDX expression: identifiers joined by `AND`, `OR` and `WITH`.
fn is_expression(licence: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+:".contains(&b));
    let words: Vec<&str> = licence.split_whitespace().map(|part| part.trim_matches(['(', ')'])).collect();
    let joins = |text: &str| matches!(text, "AND" | "OR" | "WITH");
    words.len() % 2 == 1
        && words.iter().enumerate().all(|(at, text)| if at % 2 == 1 { joins(text) } else { word(text) && !joins(text) })
        && licence.matches('(').count() == licence.matches(')').count()
}

/// Midnight of a day, as both forms write it.
fn stamp(day: jiff::civil::Date) -> String {
    format!("{day}T00:00:00Z")
}

#[cfg(test)]
mod tests;
