//! The words of a line: digests, numbers, days and escaped names, each in its one form.

use std::fmt::Write;

use bstr::{BStr, BString, ByteSlice, ByteVec};
use jiff::civil::Date;

/// A relative path whose parts are all names.
pub(crate) fn stays_inside(path: &BStr) -> bool {
    !path.is_empty() && path.split_str("/").all(|part| !matches!(part, b"" | b"." | b".."))
}

/// Names of repositories: what fits into a trusted comment without quoting.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b))
}

/// A decimal number in its one form.
pub(super) fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A path on one line: controls, the backslash and what is not UTF-8 become `\xHH`.
pub(super) fn escape(path: &BStr) -> String {
    escape_also(path, &[])
}

/// The same for a word between other signs.
pub(super) fn escape_also(path: &BStr, also: &[char]) -> String {
    let mut text = String::with_capacity(path.len());
    let bytes = |raw: &[u8], text: &mut String| {
        for byte in raw {
            let _ = write!(text, "\\x{byte:02X}");
        }
    };
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' || also.contains(&c) {
                bytes(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut text);
            } else {
                text.push(c);
            }
        }
        bytes(chunk.invalid(), &mut text);
    }
    text
}

/// The path behind its escaped form; `None` where that is not the one form that [`escape`] writes.
pub(super) fn unescape(text: &str) -> Option<BString> {
    unescape_also(text, &[])
}

/// The same for what [`escape_also`] wrote.
pub(super) fn unescape_also(text: &str, also: &[char]) -> Option<BString> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        path.push_str(&rest[..at]);
        let digits = rest.get(at..at + 4)?.strip_prefix("\\x")?;
        path.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[at + 4..];
    }
    path.push_str(rest);
    let path = BString::from(path);
    (escape_also(path.as_ref(), also) == text).then_some(path)
}

/// A day in its one form.
pub(super) fn day(text: &str) -> Option<Date> {
    let day: Date = text.parse().ok()?;
    (day.to_string() == text).then_some(day)
}
