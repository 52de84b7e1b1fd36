//! How values are written down: decoding them, and leading decoded offsets back to the bytes they came from.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::{Coding, Decoded, Encoding, Field, Offsets};
use crate::span::{At, Place, Span};

impl<'a> Field<'a> {
    /// The value as the trainer's parser would hand it over. Lone surrogates and malformed UTF-8 become U+FFFD here;
    /// the reader has reported them as flaws.
    pub(crate) fn text(self) -> Cow<'a, str> {
        decode(self.coding(), self.raw())
    }

    /// The place of a range of bytes of [`Field::text`], led back through the escapes, the encoding and the quotes to
    /// the raw bytes of the blob.
    pub(crate) fn locate(self, range: Range<usize>) -> Place {
        let batch = self.record().batch();
        if batch.kind.is_columnar() {
            let at = At::Cell { row: self.record().number() - 1, column: self.name().column };
            return Place { blob: batch.blob.id, at };
        }
        batch.place(self.span_of(range))
    }

    /// Like [`Field::locate`], in offsets of the decoded blob. Meaningless for columnar files.
    pub(crate) fn span_of(self, range: Range<usize>) -> Span {
        let (start, end) = raw_range(self.coding(), self.raw(), range);
        Span::new(self.cell().start + start as u64, self.cell().start + end as u64)
    }
}

/// Decodes a value.
pub(crate) fn decode(coding: Coding, raw: &[u8]) -> Cow<'_, str> {
    let escaped = match coding {
        Coding::Json => memchr(b'\\', raw).is_some(),
        Coding::Csv => memchr(b'"', raw).is_some(),
        Coding::Plain | Coding::Bare | Coding::Columnar => false,
        Coding::Null => return Cow::Borrowed(""),
    };
    if !escaped {
        // The quick way to the same: only what is malformed has to be looked at byte by byte.
        return simdutf8::basic::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed);
    }
    let mut text = String::with_capacity(raw.len());
    append(coding, raw, &mut text);
    Cow::Owned(text)
}

/// Decodes a value to the end of `text`, for those who have memory of their own for it.
pub(crate) fn decode_into(coding: Coding, raw: &[u8], text: &mut String) {
    if coding != Coding::Null {
        append(coding, raw, text);
    }
}

/// The range of raw bytes behind a range of decoded ones. A piece that is touched counts whole.
fn raw_range(coding: Coding, raw: &[u8], range: Range<usize>) -> (usize, usize) {
    let range = Trail::new(coding, raw).lead(range);
    (range.start, range.end)
}

/// Leads ranges of a decoded value back to its raw bytes, one after the other: what lies behind is not walked again, so
/// that any number of ranges costs one walk.
#[derive(Debug)]
pub(crate) struct Trail<'a> {
    raw: &'a [u8],
    pieces: Pieces<'a>,
    /// The piece that the last range ended in, and where it begins in the decoded value.
    piece: Option<Piece<'a>>,
    at: usize,
}

impl<'a> Trail<'a> {
    pub(crate) fn new(coding: Coding, raw: &'a [u8]) -> Self {
        let mut pieces = Pieces { coding, raw, at: 0, stretch: 0, bad: 0 };
        let piece = pieces.next();
        Self { raw, pieces, piece, at: 0 }
    }

    /// The raw range behind a decoded one, which must not begin before the end of the last. A piece that is touched
    /// counts whole.
    pub(crate) fn lead(&mut self, range: Range<usize>) -> Range<usize> {
        let (mut start, mut end) = (None, 0);
        while let Some(piece) = &self.piece {
            let next = self.at + piece.text.len();
            // Unescaped stretches map byte by byte, escapes as a whole.
            let plain = piece.text.len() == piece.raw.len();
            if next > range.start && start.is_none() {
                start =
                    Some(if plain { piece.raw.start + range.start.saturating_sub(self.at) } else { piece.raw.start });
            }
            if self.at < range.end {
                end = if plain { piece.raw.start + (range.end.min(next) - self.at) } else { piece.raw.end };
            }
            if next >= range.end && start.is_some() {
                break;
            }
            self.at = next;
            self.piece = self.pieces.next();
        }
        let start = start.unwrap_or(self.raw.len());
        start..end.max(start)
    }
}

/// An unescaped stretch of a value, or a single escape.
#[derive(Debug)]
struct Piece<'a> {
    text: Text<'a>,
    raw: Range<usize>,
}

/// What a piece stands for.
#[derive(Debug)]
enum Text<'a> {
    Stretch(&'a str),
    One(char),
}

impl Text<'_> {
    fn len(&self) -> usize {
        match self {
            Text::Stretch(text) => text.len(),
            Text::One(c) => c.len_utf8(),
        }
    }
}

/// Cuts a value into unescaped stretches and single escapes.
#[derive(Debug)]
struct Pieces<'a> {
    coding: Coding,
    raw: &'a [u8],
    at: usize,
    /// The end of the unescaped stretch under way.
    stretch: usize,
    /// Malformed bytes that come next.
    bad: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let start = self.at;
        if start >= self.raw.len() {
            return None;
        }
        if start >= self.stretch {
            let special = match self.coding {
                Coding::Json => memchr(b'\\', &self.raw[start..]),
                Coding::Csv => memchr(b'"', &self.raw[start..]),
                _ => None,
            };
            self.stretch = special.map_or(self.raw.len(), |n| start + n);
            if self.stretch == start {
                let (character, len) = match self.coding {
                    Coding::Json => json_escape(&self.raw[start..]),
                    _ => ('"', csv_quote_len(&self.raw[start..])),
                };
                self.at += len;
                return Some(Piece { text: Text::One(character), raw: start..self.at });
            }
        }
        // Malformed UTF-8 changes lengths, so each malformed sequence is a piece of its own.
        if self.bad == 0 {
            let chunk = self.raw[start..self.stretch].utf8_chunks().next()?;
            self.bad = chunk.invalid().len();
            let valid = chunk.valid();
            if !valid.is_empty() {
                self.at += valid.len();
                return Some(Piece { text: Text::Stretch(valid), raw: start..self.at });
            }
        }
        self.at += std::mem::take(&mut self.bad);
        Some(Piece { text: Text::One('\u{FFFD}'), raw: start..self.at })
    }
}

/// Adds a decoded value to the end of `text`.
fn append(coding: Coding, raw: &[u8], text: &mut String) {
    for piece in (Pieces { coding, raw, at: 0, stretch: 0, bad: 0 }) {
        match piece.text {
            Text::Stretch(stretch) => text.push_str(stretch),
            Text::One(c) => text.push(c),
        }
    }
}

/// One JSON escape at the start of `raw`: the character it stands for and its length in bytes. A surrogate pair is one
/// escape; a lone surrogate, or an escape that JSON does not know, stands for U+FFFD.
fn json_escape(raw: &[u8]) -> (char, usize) {
    let simple = |c| (c, 2);
    match raw.get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'"') => simple('"'),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'u') => match (unit(raw), raw.get(6..).and_then(unit)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                let scalar = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                (char::from_u32(scalar).unwrap_or('\u{FFFD}'), 12)
            }
            (Some(unit), _) => (char::from_u32(u32::from(unit)).unwrap_or('\u{FFFD}'), 6),
            (None, _) => simple('\u{FFFD}'),
        },
        Some(_) => simple('\u{FFFD}'),
        None => ('\u{FFFD}', 1),
    }
}

/// Length in bytes of the escape at the start of `raw`.
pub(super) fn escape_len(coding: Coding, raw: &[u8]) -> usize {
    match coding {
        Coding::Json => json_escape(raw).1,
        _ => csv_quote_len(raw),
    }
}

/// A doubled quote is one quote; a stray single one stands for itself.
fn csv_quote_len(raw: &[u8]) -> usize {
    if raw.get(1) == Some(&b'"') { 2 } else { 1 }
}

/// The UTF-16 unit of a `\uXXXX` at the start of `raw`.
pub(super) fn unit(raw: &[u8]) -> Option<u16> {
    let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0_u16, |n, &d| Some(n << 4 | char::from(d).to_digit(16)? as u16))
}

impl Offsets {
    /// The raw span behind a span of the decoded bytes.
    pub(crate) fn raw(&self, decoded: &[u8], span: Span) -> Span {
        match self {
            Offsets::Same => span,
            Offsets::Mapped(points, encoding) => {
                let lead = |at| raw_offset(points, *encoding, decoded, at);
                Span::new(lead(span.start), lead(span.end))
            }
        }
    }
}

/// Walks from the checkpoint before `at` to `at`, counting what each character took in the raw file.
fn raw_offset(points: &[(u64, u64)], encoding: Encoding, decoded: &[u8], at: u64) -> u64 {
    let index = points.partition_point(|&(d, _)| d <= at);
    let (start, raw) = if index == 0 { (0, 0) } else { points[index - 1] };
    if runs_alike(encoding) {
        return raw + at.saturating_sub(start);
    }
    // The next checkpoint is a ceiling: a character that the end of the file cut follows no rule.
    let ceiling = points.get(index).map_or(u64::MAX, |&(_, r)| r);
    let stretch = Span::new(start, at.max(start)).of(decoded);
    let walked: u64 = stretch.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).map(|c| took(encoding, c)).sum();
    (raw + walked).min(ceiling)
}

/// The inverse of [`raw_offset`]: the start of the decoded character that the raw byte belongs to.
fn decoded_offset(points: &[(u64, u64)], encoding: Encoding, decoded: &[u8], raw: u64) -> u64 {
    let index = points.partition_point(|&(_, r)| r <= raw);
    if index == 0 {
        return 0;
    }
    let (mut at, mut here) = points[index - 1];
    if runs_alike(encoding) {
        return at + (raw - here);
    }
    let end = points.get(index).map_or(decoded.len() as u64, |&(d, _)| d);
    let stretch = Span::new(at, end.max(at)).of(decoded);
    for c in stretch.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
        here += took(encoding, c);
        if here > raw {
            break;
        }
        at += c.len_utf8() as u64;
    }
    at
}

/// Whether decoded and raw bytes are the same behind a checkpoint.
fn runs_alike(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Utf8 | Encoding::BrokenUtf8 | Encoding::Binary)
}

/// Raw bytes of a character.
fn took(encoding: Encoding, c: char) -> u64 {
    match encoding {
        Encoding::Latin1 => 1,
        Encoding::Utf16Le | Encoding::Utf16Be => 2 * c.len_utf16() as u64,
        Encoding::Utf32Le | Encoding::Utf32Be => 4,
        Encoding::Utf8 | Encoding::BrokenUtf8 | Encoding::Binary => c.len_utf8() as u64,
    }
}

impl Decoded<'_> {
    /// The raw span behind a span of the decoded bytes.
    pub(crate) fn raw(&self, span: Span) -> Span {
        self.offsets.raw(&self.bytes, span)
    }

    /// The offset in the decoded bytes of what stands at `raw`; inside a character, where that character begins.
    pub(crate) fn decoded_at(&self, raw: u64) -> u64 {
        let at = match &self.offsets {
            Offsets::Same => raw,
            Offsets::Mapped(points, encoding) => decoded_offset(points, *encoding, &self.bytes, raw),
        };
        at.min(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_decode_and_lead_back() {
        let raw = br"a\u200bb\ud83d\ude00c\n";
        assert_eq!(decode(Coding::Json, raw), "a\u{200b}b\u{1f600}c\n");
        // U+200B is bytes 1..4 of the text and 1..7 of the file.
        assert_eq!(raw_range(Coding::Json, raw, 1..4), (1, 7));
        // The emoji is bytes 5..9 of the text and 8..20 of the file.
        assert_eq!(raw_range(Coding::Json, raw, 5..9), (8, 20));
        assert_eq!(raw_range(Coding::Json, raw, 9..10), (20, 21));
    }

    #[test]
    fn lone_surrogates_and_unknown_escapes_become_the_replacement() {
        assert_eq!(decode(Coding::Json, br"\ud800x\q\u12"), "\u{FFFD}x\u{FFFD}\u{FFFD}12");
    }

    #[test]
    fn doubled_quotes_are_one() {
        assert_eq!(decode(Coding::Csv, br#"say ""hi"" now"#), "say \"hi\" now");
        assert_eq!(raw_range(Coding::Csv, br#"say ""hi"" now"#, 5..7), (6, 8));
    }

    #[test]
    fn a_trail_leads_many_ranges_back_as_one_by_one() {
        let cases: [(Coding, &[u8]); 3] = [
            (Coding::Json, br#"a\u200bb\ud83d\ude00c\n\ud800\\\u2"#),
            (Coding::Csv, br#"say ""hi"" now "" or "never""#),
            (Coding::Plain, b"ab\xff\xe2\x80c\xe2\x80\x8bd"),
        ];
        for (coding, raw) in cases {
            let text = decode(coding, raw).into_owned();
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut trail = Trail::new(coding, raw);
            for pair in ends.windows(2) {
                let range = pair[0]..pair[1];
                let (start, end) = raw_range(coding, raw, range.clone());
                assert_eq!(trail.lead(range), start..end, "{raw:?}");
                let c = &text[pair[0]..pair[1]];
                assert_eq!(decode(coding, &raw[start..end]), c, "{raw:?}");
            }
        }
    }

    #[test]
    fn malformed_utf8_keeps_later_offsets_right() {
        let raw = b"a\xffb";
        assert_eq!(decode(Coding::Plain, raw), "a\u{FFFD}b");
        assert_eq!(raw_range(Coding::Plain, raw, 4..5), (2, 3));
    }
}
