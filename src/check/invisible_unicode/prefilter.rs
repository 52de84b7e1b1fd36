//! Finds the few bytes that the machine must look at, at the speed of memory.
//!
//! Text is taken in blocks. A block of harmless ASCII, which is nearly every block of nearly every file, costs a handful
//! of operations that the compiler turns into vector code. From a block that is not harmless, a longer piece is searched
//! for the beginnings of what is looked for; in most scripts that finds nothing. Only a piece that has something, as
//! all Khmer and Persian has, is taken block by block to a mask of candidates, which costs the same however dense they
//! are. Every candidate is then decoded, so what comes out is exact.

use std::sync::LazyLock;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::context::after;
use super::tables::{class_of, wide_class_of};

/// Bytes of one block. The tests of a block see [`AHEAD`] more.
const BLOCK: usize = 64;
/// Bytes behind a place that tell whether something begins at it.
const AHEAD: usize = 2;
/// Where one piece had candidates, the next are likely to: so many bytes go without the search.
const DENSE: usize = 4 * PIECE;
/// Bytes of one piece.
const PIECE: usize = 16 * BLOCK;

type Block = [u8; BLOCK + AHEAD];

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
    /// Where the block of the mask starts.
    block: usize,
    /// Candidates of that block that were not asked for yet, the first in the lowest bit.
    mask: u64,
    /// Behind that block.
    next: usize,
    /// The hit that was given last.
    known: Option<usize>,
    /// Up to here blocks go straight to their mask.
    dense_to: usize,
}

impl Prefilter {
    /// The hits of `text`.
    pub(super) fn hits(self, text: &[u8]) -> Hits<'_> {
        Hits { text, filter: self, block: 0, mask: 0, next: 0, known: None, dense_to: 0 }
    }
}

impl Hits<'_> {
    /// The first hit at or behind `from`: the first byte of a character of the catalogue, or the backslash of an escape
    /// that stands for one. `from` never goes back; asked twice for the same place, it gives the same hit.
    pub(super) fn first_from(&mut self, from: usize) -> Option<usize> {
        if let Some(known) = self.known
            && known >= from
        {
            return Some(known);
        }
        self.known = match (self.filter.wide, self.filter.escapes) {
            (false, false) => self.find::<false, false>(from),
            (false, true) => self.find::<false, true>(from),
            (true, false) => self.find::<true, false>(from),
            (true, true) => self.find::<true, true>(from),
        };
        self.known
    }

    fn find<const WIDE: bool, const ESCAPES: bool>(&mut self, from: usize) -> Option<usize> {
        if from > self.block {
            let passed = from - self.block;
            self.mask &= if passed < BLOCK { u64::MAX << passed } else { 0 };
        }
        loop {
            while self.mask != 0 {
                let at = self.block + self.mask.trailing_zeros() as usize;
                self.mask &= self.mask - 1;
                if is_hit::<WIDE, ESCAPES>(self.text, at) {
                    return Some(at);
                }
            }
            self.advance::<WIDE, ESCAPES>(from)?;
        }
    }

    /// Goes on to the next block with candidates.
    fn advance<const WIDE: bool, const ESCAPES: bool>(&mut self, from: usize) -> Option<()> {
        let text = self.text;
        let mut at = self.next.max(from);
        loop {
            let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) else {
                let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
                // Spaces stand in for what lies behind the end, and are never candidates.
                let mut padded = [b' '; 2 * BLOCK];
                padded[..rest.len()].copy_from_slice(rest);
                let last: &Block = padded.first_chunk().expect("two blocks are longer than one and what it sees ahead");
                self.block = at;
                self.mask = candidates::<WIDE, ESCAPES>(last);
                self.next = at + BLOCK;
                if self.mask != 0 {
                    return Some(());
                }
                at = self.next;
                continue;
            };
            if is_plain::<ESCAPES>(block) {
                at += BLOCK;
                continue;
            }
            if !WIDE && at >= self.dense_to {
                let piece = &text[at..text.len().min(at + PIECE + AHEAD)];
                if is_clear::<ESCAPES>(piece) {
                    at += piece.len() - AHEAD;
                    continue;
                }
                self.dense_to = at + DENSE;
            }
            self.mask = candidates::<WIDE, ESCAPES>(block);
            self.block = at;
            self.next = at + BLOCK;
            if self.mask != 0 {
                return Some(());
            }
            at = self.next;
        }
    }
}

/// Whether a block is printable ASCII, tabs and line feeds, with no escape that may matter.
#[inline]
fn is_plain<const ESCAPES: bool>(block: &Block) -> bool {
    is_ascii_text(block) && !(ESCAPES && occurs(block, |x, y, _| escape(x, y)))
}

#[inline]
fn is_ascii_text(block: &Block) -> bool {
    // As a signed number every byte of a longer character is below the first printable one.
    let odd = |b: u8| ((b as i8) < 0x20) & (b != b'\n') & (b != b'\t') | (b == 0x7F);
    !block[..BLOCK].iter().fold(false, |any, &b| any | odd(b))
}

/// Whether nothing begins in a piece. Its last bytes are only looked at as what follows.
fn is_clear<const ESCAPES: bool>(piece: &[u8]) -> bool {
    let Some(searchers) = &*SEARCHERS else {
        // Without vector units of a known kind the masks do all the work.
        return false;
    };
    let len = piece.len() - AHEAD;
    let (x, y) = (&piece[..len], &piece[1..=len]);
    let plain = |x: u8, y: u8| {
        let control = within(x, 0x00, 0x08).min(within(x, 0x0B, 0x1F)).min(x ^ 0x7F);
        if ESCAPES { control.min(escape(x, y)) } else { control }
    };
    if x.iter().zip(y).fold(u8::MAX, |least, (&x, &y)| least.min(plain(x, y))) == 0 {
        return false;
    }
    let two = |at: usize| rare(piece[at], piece[at + 1]) != 0;
    memchr::memchr2_iter(0xC2, 0xF3, x).all(two)
        && searchers.pairs.find(&piece[..=len]).is_none()
        && searchers.triples.find(piece).is_none()
}

/// Vector searches for what begins with the same two or three bytes every time.
#[derive(Debug)]
struct Searchers {
    pairs: Searcher,
    triples: Searcher,
}

static SEARCHERS: LazyLock<Option<Searchers>> = LazyLock::new(|| {
    let mut beginnings: Vec<[u8; 3]> = Vec::new();
    beginnings.extend((0x8B..=0x8F).chain(0xA8..=0xAE).map(|z| [0xE2, 0x80, z]));
    beginnings.extend((0xA0..=0xAF).map(|z| [0xE2, 0x81, z]));
    beginnings.extend((0x8B..=0x8F).map(|z| [0xE1, 0xA0, z]));
    beginnings.extend([
        [0xE2, 0xA0, 0x80],
        [0xE1, 0x85, 0x9F],
        [0xE1, 0x85, 0xA0],
        [0xE1, 0x9E, 0xB4],
        [0xE1, 0x9E, 0xB5],
        [0xE3, 0x85, 0xA4],
        [0xEF, 0xBB, 0xBF],
        [0xEF, 0xBE, 0xA0],
        [0xF0, 0x9B, 0xB2],
        [0xF0, 0x9D, 0x85],
    ]);
    // The last two code points of every plane but the first.
    beginnings.extend((1..=16_u32).map(|plane| {
        let bits = plane << 4 | 0xF;
        [0xF0 | (bits >> 6) as u8, 0x80 | (bits & 0x3F) as u8, 0xBF]
    }));
    let build =
        |patterns: &[&[u8]]| Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(patterns).build();
    let triples: Vec<&[u8]> = beginnings.iter().map(<[u8; 3]>::as_slice).collect();
    Some(Searchers {
        pairs: build(&[&[0xCD, 0x8F], &[0xD8, 0x9C], &[0xEF, 0xB7], &[0xEF, 0xB8], &[0xEF, 0xBF]])?,
        triples: build(&triples)?,
    })
});

/// The candidates of a block as bits, the first byte in the lowest.
fn candidates<const WIDE: bool, const ESCAPES: bool>(block: &Block) -> u64 {
    let escapes =
        if ESCAPES && occurs(block, |x, y, _| escape(x, y)) { mask(block, |x, y, _| escape(x, y)) } else { 0 };
    let others = if is_ascii_text(block) {
        0
    } else if WIDE {
        mask(block, |x, y, _| control(x, y).min(within(x, 0xC2, 0xF4)))
    } else {
        mask(block, |x, y, z| rare(x, y).min(control(x, y)).min(common(x, y, z)))
    };
    escapes | others
}

// The tests are written as arithmetic on bytes that comes to zero for a candidate: an alternative is a minimum and a
// conjunction an "or". Comparisons would say the same, but the compiler makes branches of them and no vector code.

/// Whether a test comes to zero anywhere in a block.
#[inline(always)]
fn occurs(block: &Block, test: impl Fn(u8, u8, u8) -> u8) -> bool {
    let (x, y, z) = (&block[..BLOCK], &block[1..=BLOCK], &block[2..BLOCK + 2]);
    (0..BLOCK).fold(u8::MAX, |least, i| least.min(test(x[i], y[i], z[i]))) == 0
}

/// Where a test comes to zero.
#[inline(always)]
fn mask(block: &Block, test: impl Fn(u8, u8, u8) -> u8) -> u64 {
    let (x, y, z) = (&block[..BLOCK], &block[1..=BLOCK], &block[2..BLOCK + 2]);
    let mut flags = [0_u8; BLOCK];
    for i in 0..BLOCK {
        flags[i] = 1 - test(x[i], y[i], z[i]).min(1);
    }
    let (eights, _) = flags.as_chunks::<8>();
    // The product moves the lowest bit of each of eight bytes into the highest byte, in order.
    let pack = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |mask, (n, eight)| mask | pack(eight) << (8 * n))
}

/// Zero where `from <= a <= to`.
#[inline(always)]
fn within(a: u8, from: u8, to: u8) -> u8 {
    a.wrapping_sub(from).saturating_sub(to - from)
}

/// Zero at the backslash of an escape that may matter: of a code unit, a backspace, a carriage return.
#[inline(always)]
fn escape(x: u8, y: u8) -> u8 {
    (x ^ b'\\') | (y ^ b'u').min(y ^ b'b').min(y ^ b'r')
}

/// Zero at a control character; a carriage return before a line feed is none.
#[inline(always)]
fn control(x: u8, y: u8) -> u8 {
    let line_end = 1 - (y ^ b'\n').min(1);
    within(x, 0x00, 0x08)
        .min(within(x, 0x0B, 0x0C))
        .min((x ^ b'\r') | line_end)
        .min(within(x, 0x0E, 0x1F))
        .min(x ^ 0x7F)
}

/// Zero at the first of two bytes that are enough to tell.
#[inline(always)]
fn rare(x: u8, y: u8) -> u8 {
    ((x ^ 0xC2) | within(y, 0x80, 0x9F).min(y ^ 0xAD))
        .min((x ^ 0xCD) | (y ^ 0x8F))
        .min((x ^ 0xD8) | (y ^ 0x9C))
        .min((x ^ 0xEF) | (y ^ 0xB7).min(y ^ 0xB8).min(y ^ 0xBF))
        .min((x ^ 0xF3) | within(y, 0xA0, 0xAF))
}

/// Zero at the first byte of what takes three bytes to tell.
#[inline(always)]
fn common(x: u8, y: u8, z: u8) -> u8 {
    let e1 =
        ((y ^ 0x85) | within(z, 0x9F, 0xA0)).min((y ^ 0x9E) | ((z | 1) ^ 0xB5)).min((y ^ 0xA0) | within(z, 0x8B, 0x8F));
    let general = within(z, 0x8B, 0x8F).min(within(z, 0xA8, 0xAE));
    let e2 = ((y ^ 0x80) | general).min((y ^ 0x81) | ((z & 0xF0) ^ 0xA0)).min((y ^ 0xA0) | (z ^ 0x80));
    let e3 = (y ^ 0x85) | (z ^ 0xA4);
    let ef = ((y ^ 0xBB) | (z ^ 0xBF)).min((y ^ 0xBE) | (z ^ 0xA0));
    let f0 = ((y ^ 0x9B) | (z ^ 0xB2)).min((y ^ 0x9D) | (z ^ 0x85));
    let last = within(x, 0xF0, 0xF4) | ((y & 0x0F) ^ 0x0F) | (z ^ 0xBF);
    ((x ^ 0xE1) | e1).min((x ^ 0xE2) | e2).min((x ^ 0xE3) | e3).min((x ^ 0xEF) | ef).min((x ^ 0xF0) | f0).min(last)
}

/// Whether the candidate at `at` is what it seems.
fn is_hit<const WIDE: bool, const ESCAPES: bool>(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'\\' => ESCAPES && is_escape_hit::<WIDE>(text, at),
        0x00..0x80 => is_control_hit(text, at),
        _ => {
            // A malformed sequence comes back as the replacement character, with the length of one byte to three.
            after(text, at).is_some_and(|(c, end)| {
                let class = if WIDE { wide_class_of(c) } else { class_of(c) };
                class.is_some()
                    && end == at + c.len_utf8()
                    && (c != '\u{FFFD}' || text[at..].starts_with(b"\xEF\xBF\xBD"))
            })
        }
    }
}

/// A carriage return is a hit where no line feed follows and text does.
fn is_control_hit(text: &[u8], at: usize) -> bool {
    text[at] != b'\r' || text.get(at + 1).is_some_and(|&b| b != b'\n')
}

/// Whether the backslash at `at` starts a JSON escape of something that is looked for.
fn is_escape_hit<const WIDE: bool>(text: &[u8], at: usize) -> bool {
    let interesting = match text.get(at + 1) {
        Some(b'b') => true,
        // Followed by the escape of a line feed, or last in its string, it is a line end.
        Some(b'r') => !matches!(text.get(at + 2..), Some([b'\\', b'n', ..] | [b'"', ..]) | None),
        Some(b'u') => escaped_character::<WIDE>(text, at)
            .is_some_and(|c| if WIDE { wide_class_of(c) } else { class_of(c) }.is_some()),
        _ => false,
    };
    // An escaped backslash escapes nothing itself.
    interesting && text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0
}

/// The character of a `\uXXXX` at `at`, with the pair's second half where it is a surrogate. Escapes of nearly all
/// letters are told by their first two digits, and are `None`.
fn escaped_character<const WIDE: bool>(text: &[u8], at: usize) -> Option<char> {
    let byte = |at: usize| {
        let [high, low] = *text.get(at..)?.first_chunk()?;
        let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
        ((high | low) < 16).then_some(u32::from(high << 4 | low))
    };
    let high = byte(at + 2)?;
    if !WIDE
        && matches!(high, 0x01..=0x02 | 0x04..=0x05 | 0x07..=0x10 | 0x12..=0x16 | 0x19..=0x1F | 0x21..=0x27 | 0x29..=0x30 | 0x32..=0xD7)
    {
        return None;
    }
    match high << 8 | byte(at + 4)? {
        first @ 0xD800..=0xDBFF if text.get(at + 6..at + 8) == Some(b"\\u") => {
            match byte(at + 8)? << 8 | byte(at + 10)? {
                second @ 0xDC00..=0xDFFF => char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)),
                _ => None,
            }
        }
        scalar => char::from_u32(scalar),
    }
}

/// The value of each hexadecimal digit; 255 for every other byte.
static DIGITS: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut n = 0;
    while n < 16 {
        table[b"0123456789abcdef"[n] as usize] = n as u8;
        table[b"0123456789ABCDEF"[n] as usize] = n as u8;
        n += 1;
    }
    table
};

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
