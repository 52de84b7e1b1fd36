//! Text cut out of a blob, with the way back to its bytes.
//!
//! References stand in code that stands in other things: a shell script in a YAML string, Python in a cell of a
//! notebook, a configuration in a block of Markdown. A [`Passage`] is such a text with everything around it taken off,
//! and leads every range of it back to the bytes of the blob.

use std::borrow::Cow;
use std::ops::Range;

use crate::span::Span;

/// A text and where its parts stand in the blob.
#[derive(Clone, Debug, Default)]
pub(super) struct Passage<'a> {
    text: Cow<'a, str>,
    /// Sorted by `at`; each runs up to the next one.
    pieces: Vec<Piece>,
}

/// A stretch of the text and the bytes it came from.
#[derive(Copy, Clone, Debug)]
struct Piece {
    at: usize,
    span: Span,
    /// Whether text and bytes run alike, so that offsets inside carry over; otherwise the stretch counts whole.
    alike: bool,
}

impl<'a> Passage<'a> {
    /// A whole blob. Malformed UTF-8 becomes U+FFFD, a byte-order mark is left out.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        let skip = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if let Ok(text) = std::str::from_utf8(&bytes[skip..]) {
            let span = Span::new(skip as u64, bytes.len() as u64);
            return Self { text: Cow::Borrowed(text), pieces: vec![Piece { at: 0, span, alike: true }] };
        }
        let (mut text, mut pieces, mut at) = (String::with_capacity(bytes.len()), Vec::new(), skip as u64);
        for chunk in bytes[skip..].utf8_chunks() {
            for (part, len, alike) in
                [(chunk.valid(), chunk.valid().len(), true), ("\u{FFFD}", chunk.invalid().len(), false)]
            {
                if len > 0 {
                    pieces.push(Piece { at: text.len(), span: Span::new(at, at + len as u64), alike });
                    text.push_str(part);
                    at += len as u64;
                }
            }
        }
        Self { text: Cow::Owned(text), pieces }
    }

    /// The same with a text of its own.
    pub(super) fn into_owned(self) -> Passage<'static> {
        Passage { text: Cow::Owned(self.text.into_owned()), pieces: self.pieces }
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the blob behind a range of the text.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let start = self.piece(range.start).map_or(0, |piece| {
            if piece.alike { piece.span.start + (range.start - piece.at) as u64 } else { piece.span.start }
        });
        if range.is_empty() {
            return Span::new(start, start);
        }
        let end = self.piece(range.end - 1).map_or(0, |piece| {
            if piece.alike { piece.span.start + (range.end - piece.at) as u64 } else { piece.span.end }
        });
        Span::new(start, end.max(start))
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces[..self.pieces.partition_point(|piece| piece.at <= at)].last()
    }

    /// Adds a range of another passage as it stands.
    pub(super) fn append(&mut self, from: &Passage<'_>, range: Range<usize>) {
        let Some(part) = from.text.get(range.clone()) else { return };
        let first = from.pieces.partition_point(|piece| piece.at <= range.start).saturating_sub(1);
        for (index, piece) in from.pieces.iter().enumerate().skip(first) {
            let stop = from.pieces.get(index + 1).map_or(from.text.len(), |next| next.at).min(range.end);
            let start = piece.at.max(range.start);
            if start >= range.end {
                break;
            }
            if start < stop {
                let at = self.text.len() + (start - range.start);
                let span = if piece.alike { from.span(start..stop) } else { piece.span };
                self.pieces.push(Piece { at, span, alike: piece.alike });
            }
        }
        self.text.to_mut().push_str(part);
    }

    /// Adds a text that stands for a range of another passage as a whole: an escape, or something put in its place.
    pub(super) fn append_as(&mut self, text: &str, from: &Passage<'_>, range: Range<usize>) {
        if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), span: from.span(range), alike: false });
            self.text.to_mut().push_str(text);
        }
    }

    /// Adds the decoded value of a string that is written in `range`, finding its way through escapes, folded lines and
    /// indentation. Where that fails the value stands for the range as a whole.
    pub(super) fn append_decoded(&mut self, decoded: &str, from: &Passage<'_>, range: Range<usize>) {
        let Some(raw) = from.text.get(range.clone()) else { return };
        if decoded == raw {
            return self.append(from, range);
        }
        match align(decoded, raw) {
            Some(steps) => {
                for step in steps {
                    let raw = range.start + step.raw.start..range.start + step.raw.end;
                    if step.alike {
                        self.append(from, raw);
                    } else {
                        self.append_as(&decoded[step.text.clone()], from, raw);
                    }
                }
            }
            None => self.append_as(decoded, from, range),
        }
    }
}

/// A stretch of a decoded value and how it is written.
struct Step {
    text: Range<usize>,
    raw: Range<usize>,
    alike: bool,
}

/// Walks a decoded value and its spelling side by side.
///
/// This needs no grammar of the language: what is alike is alike, a backslash begins an escape, and white space may be
/// folded or added by indentation. It gives up where the two cannot be the same.
fn align(decoded: &str, raw: &str) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut add = |text: Range<usize>, raw: Range<usize>, alike: bool| match steps.last_mut() {
        Some(last) if alike && last.alike && last.text.end == text.start && last.raw.end == raw.start => {
            last.text.end = text.end;
            last.raw.end = raw.end;
        }
        _ => steps.push(Step { text, raw, alike }),
    };
    let bytes = raw.as_bytes();
    let mut r = 0;
    for (d, c) in decoded.char_indices() {
        let text = d..d + c.len_utf8();
        loop {
            let rest = raw.get(r..)?;
            if let Some(behind) = rest.strip_prefix('\\') {
                let len = escape_len(rest, c);
                if behind.starts_with(['\n', '\r']) {
                    // An escaped line break stands for nothing.
                    r += len;
                    r += raw[r..].len() - raw[r..].trim_start_matches([' ', '\t']).len();
                    continue;
                }
                // A backslash that stands for itself, in block scalars and plain ones.
                if c == '\\' && !rest[1..].starts_with('\\') {
                    add(text, r..r + 1, true);
                    r += 1;
                } else {
                    let len = len.min(rest.len());
                    raw.get(r..r + len)?;
                    add(text, r..r + len, false);
                    r += len;
                }
                break;
            }
            if rest.starts_with(c) {
                // A doubled quote is one quote.
                let doubled = c == '\'' && bytes.get(r + 1) == Some(&b'\'') && !decoded[text.end..].starts_with('\'');
                let len = if doubled { 2 } else { c.len_utf8() };
                add(text, r..r + len, !doubled);
                r += len;
                // The indentation of the next line is no part of the value, unless the value goes on with it.
                if c == '\n' && !decoded[d + 1..].starts_with([' ', '\t']) {
                    r += indentation(&raw[r..]);
                }
                break;
            }
            let white = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            match c {
                // A folded line break.
                ' ' | '\n' if white > 0 => {
                    add(text, r..r + white, false);
                    r += white;
                    break;
                }
                // A line break that the end of the value is given.
                '\n' if text.end == decoded.len() => {
                    add(text, r..r, false);
                    break;
                }
                _ if white > 0 => r += white,
                _ => return None,
            }
        }
    }
    Some(steps)
}

fn indentation(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// The length of the escape at the start of `rest`, which decodes to `c`.
fn escape_len(rest: &str, c: char) -> usize {
    match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') if u32::from(c) > 0xFFFF => 12,
        Some(b'u') => 6,
        Some(b'U') => 10,
        Some(b'\r') if rest.as_bytes().get(2) == Some(&b'\n') => 3,
        Some(_) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str, raw: &'static str) -> Passage<'static> {
        let whole = Passage::whole(raw.as_bytes());
        let mut passage = Passage::default();
        passage.append_decoded(text, &whole, 0..raw.len());
        passage
    }

    fn slice<'r>(passage: &Passage<'_>, needle: &str, raw: &'r str) -> &'r str {
        let start = passage.text().find(needle).expect("the needle is in the text");
        let span = passage.span(start..start + needle.len());
        &raw[span.start as usize..span.end as usize]
    }

    #[test]
    fn ranges_lead_back_through_escapes() {
        let raw = r#"wget \"https:\/\/x.org\/d\u002ecsv\"\nnext \ud83d\ude00 end"#;
        let passage = decoded("wget \"https://x.org/d.csv\"\nnext \u{1F600} end", raw);
        assert_eq!(slice(&passage, "https://x.org/d.csv", raw), r"https:\/\/x.org\/d\u002ecsv");
        assert_eq!(slice(&passage, "next", raw), "next");
        assert_eq!(slice(&passage, "\u{1F600}", raw), r"\ud83d\ude00");
        assert_eq!(slice(&passage, "end", raw), "end");
    }

    #[test]
    fn ranges_lead_back_through_indentation_and_folding() {
        let raw = "first line\n      second line\n        deeper\n      last";
        let passage = decoded("first line\nsecond line\n  deeper\nlast\n", raw);
        assert_eq!(slice(&passage, "second line", raw), "second line");
        assert_eq!(slice(&passage, "deeper", raw), "deeper");
        assert_eq!(slice(&passage, "last", raw), "last");
        let folded = "curl\n    https://x.org\n    -o y";
        assert_eq!(slice(&decoded("curl https://x.org -o y", folded), "https://x.org", folded), "https://x.org");
        let quoted = "it''s here";
        assert_eq!(slice(&decoded("it's here", quoted), "here", quoted), "here");
    }

    #[test]
    fn a_value_that_is_not_its_spelling_stands_for_the_whole() {
        let passage = decoded("abc", "xyz");
        assert_eq!(passage.span(1..2), Span::new(0, 3));
    }

    #[test]
    fn malformed_bytes_and_the_byte_order_mark_keep_offsets_right() {
        let raw = b"\xef\xbb\xbfa\xffbc";
        let passage = Passage::whole(raw);
        assert_eq!(passage.text(), "a\u{FFFD}bc");
        assert_eq!(passage.span(0..1), Span::new(3, 4));
        assert_eq!(passage.span(4..5), Span::new(5, 6));
        assert_eq!(passage.span(4..6), Span::new(5, 7));
        let mut part = Passage::default();
        part.append(&passage, 1..6);
        assert_eq!(part.text(), "\u{FFFD}bc");
        assert_eq!(part.span(3..5), Span::new(5, 7));
    }

    proptest! {
        #[test]
        fn any_pair_of_texts_aligns_without_panic(decoded in r"[ab\\n\n'\u{1F600} ]{0,12}", raw in r"[ab\\nuxU\n'\u{1F600} 0]{0,16}") {
            let whole = Passage::whole(raw.as_bytes());
            let mut passage = Passage::default();
            passage.append_decoded(&decoded, &whole, 0..raw.len());
            for start in 0..passage.text().len() {
                let span = passage.span(start..passage.text().len());
                prop_assert!(span.end <= raw.len() as u64);
            }
        }

        #[test]
        fn appended_parts_lead_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 0_usize..40) {
            let whole = Passage::whole(&bytes);
            let cut = (0..=cut.min(whole.text().len())).rev().find(|&c| whole.text().is_char_boundary(c)).unwrap_or(0);
            let mut part = Passage::default();
            part.append(&whole, 0..cut);
            part.append(&whole, cut..whole.text().len());
            prop_assert_eq!(part.text(), whole.text());
            for at in 0..whole.text().len() {
                prop_assert_eq!(part.span(at..at + 1).start, whole.span(at..at + 1).start);
            }
        }
    }
}
