//! Finds the few bytes that the machine must look at, at the speed of memory.
//!
//! Text is taken in pieces. A piece of harmless ASCII, which is nearly every piece of nearly every file, costs a handful
//! of operations that the compiler turns into vector code. Of other pieces it is asked first which bytes that begin
//! something are there at all, and then only for those whether what follows fits: most scripts have one or two of them.
//! That costs the same however dense the candidates are, as in all Khmer and Persian. Every candidate is then decoded, so
//! what comes out is exact.

use std::fmt::Debug;
use std::ops::Range;

mod exact;
mod piece;

use exact::is_hit;
use piece::{first_zero, test};

/// Bytes of one piece: it stays near while it is looked at several times.
const PIECE: usize = 512;
/// A piece at the end of a text is as long as so many bytes times a whole number.
const BLOCK: usize = 64;
/// Bytes behind a place that tell whether something begins at it.
const AHEAD: usize = 2;

/// What to look for.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Prefilter {
    /// Also look for JSON escapes of what is looked for.
    pub(super) escapes: bool,
    /// Also look for the classes that honest text is full of.
    pub(super) wide: bool,
}

/// Knows of stretches of a text in which nothing that is looked for can begin.
pub(super) trait Known: Debug {
    /// The next stretch at or behind `at` in which something may begin.
    fn next(&self, at: usize) -> Option<Range<usize>>;
}

/// The hits of one text, in order.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    text: &'a [u8],
    filter: Prefilter,
    known: Option<&'a dyn Known>,
    /// Up to here it has been asked what is known.
    asked: usize,
    /// Where the piece starts that was looked at last, and its length.
    start: usize,
    len: usize,
    /// Zero for each byte of the piece at which something may begin.
    tests: [u8; PIECE],
    /// Behind the last candidate that was taken.
    next: usize,
    /// The hit that was given last.
    last: Option<usize>,
}

impl Prefilter {
    /// The hits of `text`.
    pub(super) fn hits(self, text: &[u8]) -> Hits<'_> {
        Hits { text, filter: self, known: None, asked: 0, start: 0, len: 0, tests: [0; PIECE], next: 0, last: None }
    }
}

impl<'a> Hits<'a> {
    /// Passes over stretches of which it is known that nothing begins in them.
    pub(super) fn knowing(self, known: &'a dyn Known) -> Self {
        Self { known: Some(known), ..self }
    }

    /// The first hit at or behind `from`: the first byte of a character of the catalogue, or the backslash of an escape
    /// that stands for one. `from` never goes back; asked twice for the same place, it gives the same hit.
    pub(super) fn first_from(&mut self, from: usize) -> Option<usize> {
        if let Some(last) = self.last
            && last >= from
        {
            return Some(last);
        }
        self.last = match (self.filter.wide, self.filter.escapes) {
            (false, false) => self.find::<false, false>(from),
            (false, true) => self.find::<false, true>(from),
            (true, false) => self.find::<true, false>(from),
            (true, true) => self.find::<true, true>(from),
        };
        self.last
    }

    fn find<const WIDE: bool, const ESCAPES: bool>(&mut self, from: usize) -> Option<usize> {
        self.next = self.next.max(from);
        loop {
            // A piece never lies behind the next candidate that is asked for.
            let tests = self.tests[..self.len].get(self.next - self.start..).unwrap_or_default();
            match first_zero(tests) {
                Some(n) => {
                    let at = self.next + n;
                    self.next = at + 1;
                    if is_hit::<WIDE, ESCAPES>(self.text, at) {
                        return Some(at);
                    }
                }
                None => {
                    self.next = self.next.max(self.start + self.len);
                    self.advance::<WIDE, ESCAPES>()?;
                }
            }
        }
    }

    /// Goes on to the next piece with candidates.
    fn advance<const WIDE: bool, const ESCAPES: bool>(&mut self) -> Option<()> {
        let mut at = self.next;
        loop {
            if let Some(known) = self.known
                && at >= self.asked
            {
                let stretch = known.next(at).unwrap_or(self.text.len()..self.text.len());
                at = at.max(stretch.start);
                self.asked = stretch.end.max(at);
            }
            let rest = self.text.get(at..).filter(|rest| !rest.is_empty());
            let Some(rest) = rest else {
                (self.next, self.start, self.len) = (self.text.len(), self.text.len(), 0);
                return None;
            };
            let found;
            if let Some(piece) = rest.get(..PIECE + AHEAD) {
                self.len = PIECE;
                found = test::<WIDE, ESCAPES>(piece, &mut self.tests);
            } else {
                // Blanks stand in for what lies behind the end, and are never candidates.
                let mut padded = [b' '; PIECE + BLOCK + AHEAD];
                padded[..rest.len()].copy_from_slice(rest);
                self.len = rest.len().next_multiple_of(BLOCK).min(PIECE);
                found = test::<WIDE, ESCAPES>(&padded[..self.len + AHEAD], &mut self.tests);
            }
            if found {
                (self.next, self.start) = (at, at);
                return Some(());
            }
            at += self.len;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tables::{class_of, wide_class_of};
    use super::exact::{is_control_hit, is_escape_hit};
    use super::*;

    /// Every hit, found without blocks.
    fn slowly(text: &[u8], filter: Prefilter) -> Vec<usize> {
        (0..text.len())
            .filter(|&at| match text[at] {
                b'\\' if filter.escapes => {
                    if filter.wide {
                        is_escape_hit::<true>(text, at)
                    } else {
                        is_escape_hit::<false>(text, at)
                    }
                }
                0..0x80 => !matches!(text[at], b'\n' | b'\t' | b' '..=b'~') && is_control_hit(text, at),
                0x80..0xC0 => false,
                _ => {
                    let (c, _) = bstr::decode_utf8(&text[at..]);
                    c.is_some_and(|c| if filter.wide { wide_class_of(c) } else { class_of(c) }.is_some())
                }
            })
            .collect()
    }

    const NONE: [usize; 0] = [];

    fn quickly(text: &[u8], filter: Prefilter) -> Vec<usize> {
        let mut hits = filter.hits(text);
        let (mut all, mut at) = (Vec::new(), 0);
        while let Some(hit) = hits.first_from(at) {
            all.push(hit);
            at = hit + 1;
        }
        all
    }

    #[test]
    fn the_catalogue_is_found_at_every_offset_of_a_block_and_nothing_else_is() {
        let (mut wanted, mut other): (Vec<char>, Vec<char>) =
            (0..=0x10_FFFF).filter_map(char::from_u32).partition(|&c| class_of(c).is_some());
        other.retain(|&c| c != '\r');
        assert_eq!(quickly(other.iter().collect::<String>().as_bytes(), Prefilter::default()), NONE);
        // The unassigned end of plane 14 is long and alike.
        wanted.retain(|&c| (c as u32) < 0xE0200 || (c as u32).is_multiple_of(89) || c as u32 % 0x1_0000 > 0xFFF0);
        for c in wanted {
            let pad = c as usize % 70;
            let text = format!("{}{c}{}", "x".repeat(pad), "y".repeat(80));
            assert_eq!(quickly(text.as_bytes(), Prefilter::default()), [pad], "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn escapes_are_found_and_escaped_backslashes_are_not_escapes() {
        let filter = Prefilter { escapes: true, wide: false };
        let found = |text: &str| quickly(text.as_bytes(), filter);
        assert_eq!(found(r#"{"a": "pay\u200bpal"}"#), [10]);
        assert_eq!(found(r#"{"a": "pay\\u200bpal"}"#), NONE);
        assert_eq!(found(r#"{"a": "pay\\\u200Bpal"}"#), [12]);
        assert_eq!(found(r#"{"a": "\udb40\udc41"}"#), [7]);
        assert_eq!(found(r#"{"a": "\ud83d\ude00 \u00e9 \n \t \""}"#), NONE);
        assert_eq!(found(r#"{"a": "a\b"}"#), [8]);
        assert_eq!(found(r#"{"a": "one\r\ntwo\r"}"#), NONE);
        assert_eq!(found(r#"{"a": "one\rtwo"}"#), [10]);
        assert_eq!(quickly(r"\u200b".as_bytes(), Prefilter::default()), NONE);
    }

    #[test]
    fn carriage_returns_of_line_ends_are_no_hits() {
        assert_eq!(quickly(b"one\r\ntwo\r", Prefilter::default()), NONE);
        assert_eq!(quickly(b"one\rtwo", Prefilter::default()), [3]);
    }

    proptest! {
        #[test]
        fn blocks_lose_nothing_and_add_nothing(
            parts in prop::collection::vec(
                prop_oneof![
                    "[ -~]{0,90}".prop_map(String::into_bytes),
                    "\\PC{0,12}".prop_map(String::into_bytes),
                    "[\u{200B}-\u{200F}\u{2028}-\u{202E}\u{E0001}-\u{E007F}\u{FE00}-\u{FE0F}ក-៹آ-ی—’]{0,9}".prop_map(String::into_bytes),
                    prop::collection::vec(any::<u8>(), 0..12),
                    prop::sample::select(vec!["\\u200b", "\\\\u200b", "\\", "\r", "\r\n", "\\r\\n", "\\b", "\\udb40\\udc41"])
                        .prop_map(|s: &str| s.as_bytes().to_vec()),
                ],
                0..12,
            ),
            escapes: bool,
            wide: bool,
        ) {
            let text = parts.concat();
            let filter = Prefilter { escapes, wide };
            prop_assert_eq!(quickly(&text, filter), slowly(&text, filter));
        }
    }
}
