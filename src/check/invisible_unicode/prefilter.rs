//! Finds the few bytes that the machine must look at, at the speed of memory.
//!
//! Text is taken in blocks. A block of harmless ASCII, which is nearly every block of nearly every file, costs a handful
//! of comparisons that the compiler turns into vector code; other blocks are tested for the first two or three bytes of
//! what is looked for; only blocks that fail that test are walked byte by byte. A stretch that is dense with hits, as
//! Khmer and Persian are, stays with the walk, which never asks more than a table of lead bytes.

use super::tables::{class_of, wide_class_of};

/// Bytes of one block of the vector test. The walk behind it sees two more.
const BLOCK: usize = 64;

/// What to look for.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Prefilter {
    /// Also look for JSON escapes of what is looked for.
    pub(super) escapes: bool,
    /// Also look for the classes that honest text is full of.
    pub(super) wide: bool,
}

/// The hits of one text, in order.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    text: &'a [u8],
    filter: Prefilter,
    /// Up to here blocks are walked without being tested: the block before was dense.
    walk_to: usize,
}

impl Prefilter {
    /// The hits of `text`.
    pub(super) fn hits(self, text: &[u8]) -> Hits<'_> {
        Hits { text, filter: self, walk_to: 0 }
    }
}

impl Hits<'_> {
    /// The first hit at or behind `from`: the first byte of a character of the catalogue, or the backslash of an escape
    /// that stands for one.
    pub(super) fn next_from(&mut self, from: usize) -> Option<usize> {
        match (self.filter.wide, self.filter.escapes) {
            (false, false) => self.next::<false, false>(from),
            (false, true) => self.next::<false, true>(from),
            (true, false) => self.next::<true, false>(from),
            (true, true) => self.next::<true, true>(from),
        }
    }

    fn next<const WIDE: bool, const ESCAPES: bool>(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        let mut at = from;
        loop {
            if at < self.walk_to {
                let end = self.walk_to.min(text.len());
                if let Some(hit) = walk::<WIDE, ESCAPES>(text, at, end) {
                    // Where one hit was, the next is near.
                    self.walk_to = self.walk_to.max(hit + BLOCK);
                    return Some(hit);
                }
                at = end;
            }
            let Some(block) = text.get(at..at + BLOCK + 2).and_then(|b| b.first_chunk::<{ BLOCK + 2 }>()) else {
                self.walk_to = text.len();
                return if at < text.len() { walk::<WIDE, ESCAPES>(text, at, text.len()) } else { None };
            };
            if is_suspicious::<WIDE, ESCAPES>(block) {
                if let Some(hit) = walk::<WIDE, ESCAPES>(text, at, at + BLOCK) {
                    self.walk_to = at + BLOCK;
                    return Some(hit);
                }
            }
            at += BLOCK;
        }
    }
}

/// Whether a block may hold a hit that starts in it. Written without branches, so that it becomes vector code.
#[inline]
fn is_suspicious<const WIDE: bool, const ESCAPES: bool>(block: &[u8; BLOCK + 2]) -> bool {
    let plain = block[..BLOCK].iter().fold(false, |any, &b| any | needs_a_look(b));
    let escape = ESCAPES
        && (0..BLOCK).fold(false, |any, i| {
            any | ((block[i] == b'\\') & ((block[i + 1] == b'u') | (block[i + 1] == b'b') | (block[i + 1] == b'r')))
        });
    if !plain {
        return escape;
    }
    escape || WIDE || (0..BLOCK).fold(false, |any, i| any | may_start(block[i], block[i + 1], block[i + 2]))
}

/// Anything but printable ASCII, tab and line feed.
#[inline(always)]
fn needs_a_look(b: u8) -> bool {
    ((b as i8) < 0x20) & (b != b'\n') & (b != b'\t') | (b == 0x7F)
}

/// Whether three bytes may start a hit. A little too wide here and there; the walk decides.
#[inline(always)]
fn may_start(x: u8, y: u8, z: u8) -> bool {
    let control = (x < 0x20) & (x != b'\n') & (x != b'\t') & ((x != b'\r') | (y != b'\n')) | (x == 0x7F);
    let two = (x == 0xC2) & ((y < 0xA0) | (y == 0xAD)) | (x == 0xCD) & (y == 0x8F) | (x == 0xD8) & (y == 0x9C);
    let e1 = (x == 0xE1)
        & ((y == 0x85) & ((z == 0x9F) | (z == 0xA0)) | (y == 0x9E) & ((z & 0xFE) == 0xB4) | (y == 0xA0) & (z < 0x90));
    let general = (z >= 0x8B) & (z <= 0x8F) | (z >= 0xA8) & (z <= 0xAE);
    let e2 = (x == 0xE2) & ((y == 0x80) & general | (y == 0x81) & (z >= 0xA0) & (z < 0xB0) | (y == 0xA0) & (z == 0x80));
    let e3 = (x == 0xE3) & (y == 0x85) & (z == 0xA4);
    let ef = (x == 0xEF)
        & ((y == 0xB7)
            | (y == 0xB8) & (z < 0x90)
            | (y == 0xBB) & (z == 0xBF)
            | (y == 0xBE) & (z == 0xA0)
            | (y == 0xBF));
    let four = (x >= 0xF0) & ((y & 0x0F) == 0x0F) & (z == 0xBF)
        | (x == 0xF0) & ((y == 0x9B) & (z == 0xB2) | (y == 0x9D) & (z == 0x85))
        | (x == 0xF3) & (y < 0xB0);
    control | two | e1 | e2 | e3 | ef | four
}

/// What a byte can be the first byte of.
const fn leads() -> [u8; 256] {
    let mut table = [NOTHING; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b {
            0x09 | 0x0A => NOTHING,
            0x00..0x20 | 0x7F => CONTROL,
            0x5C => BACKSLASH,
            0xC2 | 0xCD | 0xD8 | 0xE1 | 0xE2 | 0xE3 | 0xEF | 0xF0..=0xF4 => LEAD,
            0xC3..=0xF4 => OTHER_LEAD,
            _ => NOTHING,
        };
        b += 1;
    }
    table
}

const NOTHING: u8 = 0;
const CONTROL: u8 = 1;
const LEAD: u8 = 2;
const BACKSLASH: u8 = 3;
const OTHER_LEAD: u8 = 4;
static LEADS: [u8; 256] = leads();

/// The first hit that starts in `from..to`, byte by byte.
fn walk<const WIDE: bool, const ESCAPES: bool>(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    while at < to {
        match LEADS[usize::from(text[at])] {
            NOTHING => at += 1,
            CONTROL => {
                if is_control_hit(text, at) {
                    return Some(at);
                }
                at += 1;
            }
            BACKSLASH => {
                if ESCAPES && is_escape_hit::<WIDE>(text, at) {
                    return Some(at);
                }
                at += 1;
            }
            lead => {
                if (WIDE || lead == LEAD) && is_character_hit::<WIDE>(text, at) {
                    return Some(at);
                }
                // The second byte of a well-formed character starts none, and malformed text is stepped through.
                at += if text.get(at + 1).is_some_and(|b| (0x80..0xC0).contains(b)) { 2 } else { 1 };
            }
        }
    }
    None
}

/// A carriage return is a hit where no line feed follows and text does.
fn is_control_hit(text: &[u8], at: usize) -> bool {
    text[at] != b'\r' || text.get(at + 1).is_some_and(|&b| b != b'\n')
}

#[inline]
fn is_character_hit<const WIDE: bool>(text: &[u8], at: usize) -> bool {
    let rest = &text[at..];
    let [x, y, z] = [rest[0], rest.get(1).copied().unwrap_or(0), rest.get(2).copied().unwrap_or(0)];
    if !WIDE && !may_start(x, y, z) {
        return false;
    }
    let (c, _) = bstr::decode_utf8(&rest[..rest.len().min(4)]);
    c.is_some_and(|c| if WIDE { wide_class_of(c) } else { class_of(c) }.is_some())
}

/// Whether the backslash at `at` starts a JSON escape of something that is looked for.
fn is_escape_hit<const WIDE: bool>(text: &[u8], at: usize) -> bool {
    let interesting = match text.get(at + 1) {
        Some(b'b') => true,
        // Followed by the escape of a line feed, or last in its string, it is a line end.
        Some(b'r') => !matches!(text.get(at + 2..), Some([b'\\', b'n', ..] | [b'"', ..]) | None),
        Some(b'u') => {
            escaped_character(text, at).is_some_and(|c| if WIDE { wide_class_of(c) } else { class_of(c) }.is_some())
        }
        _ => false,
    };
    // An escaped backslash escapes nothing itself.
    interesting && text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0
}

/// The character of a `\uXXXX` at `at`, with the pair's second half where it is a surrogate.
fn escaped_character(text: &[u8], at: usize) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0_u32, |n, &d| Some(n << 4 | char::from(d).to_digit(16)?))
    };
    match unit(at)? {
        high @ 0xD800..=0xDBFF => match unit(at + 6)? {
            low @ 0xDC00..=0xDFFF => char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)),
            _ => None,
        },
        scalar => char::from_u32(scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        while let Some(hit) = hits.next_from(at) {
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
        wanted.retain(|&c| (c as u32) < 0xE0200 || c as u32 % 89 == 0 || c as u32 % 0x1_0000 > 0xFFF0);
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
