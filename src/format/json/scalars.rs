//! The parts of JSON that have no parts: strings with their escapes, numbers, words.

use memchr::memchr2;

use super::{Parsed, Parser, fail};
use crate::format::Coding;
use crate::format::batch::Writer;
use crate::format::coding::unit;
use crate::span::Span;

/// Python refuses to turn longer runs of digits into a number.
const MAX_DIGITS: usize = 4300;

impl Parser {
    /// Reads a string from behind its opening quote. Returns the offset of its closing quote and whether it has escapes.
    #[inline]
    pub(super) fn string(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Parsed<(usize, bool)> {
        let mut from = at;
        let mut escaped = false;
        loop {
            match quote_or_backslash(text, from) {
                Some(end) if text[end] == b'"' => return Ok((end, escaped)),
                Some(escape) => {
                    escaped = true;
                    from = self.escape(w, text, escape);
                }
                None => return fail(at - 1, "a string is not closed"),
            }
        }
    }

    /// Looks at an escape and returns the offset behind it.
    fn escape(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> usize {
        if let Some(behind) = plain_escape(text, at) {
            return behind;
        }
        match text.get(at + 1) {
            Some(b'u') if unit(&text[at..]).is_some() => {
                w.flaw("lone-surrogate", Span::new(at as u64, at as u64 + 6), "");
                at + 6
            }
            Some(b'u') => self.refuse(w, at, "an escape without four digits"),
            _ => self.refuse(w, at, "an escape that JSON does not know"),
        }
    }

    /// Something that Python's parser refuses and that is read all the same. One flaw a record says so.
    #[cold]
    fn refuse(&mut self, w: &mut Writer<'_, '_>, at: usize, what: &'static str) -> usize {
        if !std::mem::replace(&mut self.refused, true) {
            w.flaw("unparsable-record", Span::new(at as u64, at as u64 + 1), what);
        }
        at + 2
    }

    /// Reads a number, `true`, `false`, `null`, or one of Python's three words that are no JSON.
    pub(super) fn bare(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Parsed<(usize, Coding)> {
        let rest = &text[at..];
        let word = |word: &[u8]| rest.starts_with(word).then_some(at + word.len());
        let (end, coding) = match rest[0] {
            b't' => (word(b"true"), Coding::Bare),
            b'f' => (word(b"false"), Coding::Bare),
            b'n' => (word(b"null"), Coding::Null),
            b'0'..=b'9' | b'-' => match number(rest) {
                Some((len, plain)) => {
                    if !plain || len > MAX_DIGITS {
                        self.big(w, at, &rest[..len]);
                    }
                    (Some(at + len), Coding::Bare)
                }
                None => (word(b"-Infinity"), Coding::Bare),
            },
            b'N' => (word(b"NaN"), Coding::Bare),
            b'I' => (word(b"Infinity"), Coding::Bare),
            _ => (None, Coding::Bare),
        };
        let Some(end) = end else { return fail(at, "not a value") };
        if matches!(rest[0], b'N' | b'I') || rest.starts_with(b"-I") {
            w.flaw("not-a-number", Span::new(at as u64, end as u64), "");
        }
        Ok((end, coding))
    }

    /// Numbers that parsers disagree on: floats that become infinite, integers that Python refuses.
    #[cold]
    fn big(&mut self, w: &mut Writer<'_, '_>, at: usize, digits: &[u8]) {
        let whole = digits.iter().all(|b| b.is_ascii_digit() || *b == b'-');
        if whole && digits.len() > MAX_DIGITS {
            self.refuse(w, at, "an integer with more digits than Python reads");
        } else if std::str::from_utf8(digits).is_ok_and(|d| d.parse::<f64>().is_ok_and(f64::is_infinite)) && !whole {
            w.flaw("not-a-number", Span::new(at as u64, (at + digits.len()) as u64), "");
        }
    }
}

/// The length of the number at the start, and whether it is short and has no exponent.
pub(super) fn number(rest: &[u8]) -> Option<(usize, bool)> {
    let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(rest[0] == b'-');
    at += match rest.get(at) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(at),
        _ => return None,
    };
    if rest.get(at) == Some(&b'.') {
        let more = digits(at + 1);
        if more == 0 {
            return None;
        }
        at += 1 + more;
    }
    let mut plain = at < 300;
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let more = digits((at + 1 + sign).min(rest.len()));
        if more == 0 {
            return None;
        }
        at += 1 + sign + more;
        plain = false;
    }
    Some((at, plain))
}

/// The offset of the next byte that is not JSON's white space.
#[inline]
pub(in crate::format) fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The offset behind the escape at `at`, where every parser reads it alike.
#[inline]
pub(super) fn plain_escape(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1)? {
        b'n' | b't' | b'r' | b'"' | b'\\' | b'/' | b'b' | b'f' => Some(at + 2),
        b'u' => match unit(&text[at..])? {
            high @ 0xD800..=0xDFFF => {
                let low = text.get(at + 6..).and_then(unit);
                (high < 0xDC00 && matches!(low, Some(0xDC00..=0xDFFF))).then_some(at + 12)
            }
            _ => Some(at + 6),
        },
        _ => None,
    }
}

/// Has the highest bit of the first byte of a word set that is this one. Bits above it mean nothing.
#[inline(always)]
pub(super) fn zero(word: u64, byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = word ^ (ONES * u64::from(byte));
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The next quote or backslash. Most strings are short, so the first words are looked at in place, before the vector
/// search starts up.
#[inline]
pub(in crate::format) fn quote_or_backslash(text: &[u8], at: usize) -> Option<usize> {
    let mut from = at;
    for word in text.get(at..)?.as_chunks::<8>().0.iter().take(3) {
        let word = u64::from_le_bytes(*word);
        let hits = zero(word, b'"') | zero(word, b'\\');
        if hits != 0 {
            return Some(from + hits.trailing_zeros() as usize / 8);
        }
        from += 8;
    }
    memchr2(b'"', b'\\', &text[from..]).map(|n| from + n)
}
