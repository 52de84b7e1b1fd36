//! Finds the few bytes that the machine must look at, at the speed of memory.
//!
//! Text is taken in pieces. A piece of harmless ASCII, which is nearly every piece of nearly every file, costs a handful
//! of operations that the compiler turns into vector code. Of other pieces it is asked first which bytes that begin
//! something are there at all, and then only for those whether what follows fits: most scripts have one or two of them.
//! That costs the same however dense the candidates are, as in all Khmer and Persian. Every candidate is then decoded, so
//! what comes out is exact.

use std::fmt::Debug;
use std::ops::Range;

use super::context::after;
use super::tables::{class_of, wide_class_of};

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

/// Looks at a piece: whether anything may begin in it, and if so, where. Its last bytes are only looked at as what follows.
fn test<const WIDE: bool, const ESCAPES: bool>(piece: &[u8], tests: &mut [u8; PIECE]) -> bool {
    let there = There::of(&piece[..piece.len() - AHEAD]);
    let escapes = ESCAPES && there.backslash;
    if !(there.control || there.wide || escapes) {
        return false;
    }
    let mut tests = Tests { piece, zero: &mut tests[..piece.len() - AHEAD], any: false };
    tests.zero.fill(u8::MAX);
    if escapes {
        tests.add(escape::<WIDE>);
    }
    if there.control {
        tests.add(|x, y, _| control(x, y));
    }
    if !there.wide {
        return tests.any;
    }
    if WIDE {
        tests.add(|x, _, _| within(x, 0xC2, 0xF4));
        return tests.any;
    }
    let leads = Leads::of(piece);
    if leads.c2 {
        tests.add(|x, y, _| c2(x, y));
    }
    if leads.cd_or_d8 {
        tests.add(|x, y, _| cd_or_d8(x, y));
    }
    if leads.e1 {
        tests.add(|x, y, z| {
            let filler = (y ^ 0x85) | within(z, 0x9F, 0xA0);
            (x ^ 0xE1) | filler.min((y ^ 0x9E) | ((z | 1) ^ 0xB5)).min((y ^ 0xA0) | within(z, 0x8B, 0x8F))
        });
    }
    if leads.e2 {
        tests.add(|x, y, z| {
            let general = (y ^ 0x80) | within(z, 0x8B, 0x8F).min(within(z, 0xA8, 0xAE));
            (x ^ 0xE2) | general.min((y ^ 0x81) | ((z & 0xF0) ^ 0xA0)).min((y ^ 0xA0) | (z ^ 0x80))
        });
    }
    if leads.e3 {
        tests.add(|x, y, z| (x ^ 0xE3) | (y ^ 0x85) | (z ^ 0xA4));
    }
    if leads.ef {
        tests.add(|x, y, z| {
            let two = (y ^ 0xB7).min(y ^ 0xB8).min(y ^ 0xBF);
            (x ^ 0xEF) | two.min((y ^ 0xBB) | (z ^ 0xBF)).min((y ^ 0xBE) | (z ^ 0xA0))
        });
    }
    if leads.four {
        tests.add(|x, y, z| {
            let f0 = ((y ^ 0x9B) | (z ^ 0xB2)).min((y ^ 0x9D) | (z ^ 0x85));
            // The last two code points of every plane but the first.
            let last = within(x, 0xF0, 0xF4) | ((y & 0x0F) ^ 0x0F) | (z ^ 0xBF);
            ((x ^ 0xF0) | f0).min((x ^ 0xF3) | within(y, 0xA0, 0xAF)).min(last)
        });
    }
    tests.any
}

// The tests are written as arithmetic on bytes that comes to zero for a candidate: an alternative is a minimum and a
// conjunction an "or". Comparisons would say the same, but the compiler makes branches of them and no vector code.

/// Candidates of a piece while its tests are made one after the other.
struct Tests<'t> {
    piece: &'t [u8],
    zero: &'t mut [u8],
    any: bool,
}

impl Tests<'_> {
    /// Adds those of a test of three bytes in a row.
    #[inline(always)]
    fn add(&mut self, test: impl Fn(u8, u8, u8) -> u8) {
        let mut least = u8::MAX;
        let following = self.piece[1..].iter().zip(&self.piece[2..]);
        for ((zero, &x), (&y, &z)) in self.zero.iter_mut().zip(self.piece).zip(following) {
            let test = test(x, y, z);
            *zero = (*zero).min(test);
            least = least.min(test);
        }
        self.any |= least == 0;
    }
}

/// Bytes that are looked at side by side.
const LANES: usize = 16;

/// What a piece has at all.
struct There {
    /// A control character that is no line feed.
    control: bool,
    backslash: bool,
    /// A byte beyond ASCII.
    wide: bool,
}

impl There {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let (mut most, mut low, mut delete, mut backslash) =
            ([0; LANES], [u8::MAX; LANES], [u8::MAX; LANES], [u8::MAX; LANES]);
        for lanes in bytes.as_chunks::<LANES>().0 {
            for i in 0..LANES {
                let b = lanes[i];
                most[i] = most[i].max(b);
                // Only control characters but for the line feed come to less than 0x1F.
                low[i] = low[i].min((b ^ b'\n').wrapping_sub(1));
                delete[i] = delete[i].min(b ^ 0x7F);
                backslash[i] = backslash[i].min(b ^ b'\\');
            }
        }
        Self {
            control: least(low) < 0x1F || least(delete) == 0,
            backslash: least(backslash) == 0,
            wide: most.into_iter().fold(0, u8::max) >= 0x80,
        }
    }
}

fn least(bytes: [u8; LANES]) -> u8 {
    bytes.into_iter().fold(u8::MAX, u8::min)
}

/// Which of the bytes that begin something a piece has, with a second byte that fits.
struct Leads {
    c2: bool,
    cd_or_d8: bool,
    e1: bool,
    e2: bool,
    e3: bool,
    ef: bool,
    /// One that begins four bytes.
    four: bool,
}

impl Leads {
    #[inline]
    fn of(piece: &[u8]) -> Self {
        let mut found = [[u8::MAX; LANES]; 6];
        let mut most = [0; LANES];
        for (x, y) in piece.as_chunks::<LANES>().0.iter().zip(piece[1..].as_chunks::<LANES>().0) {
            for i in 0..LANES {
                let (x, y) = (x[i], y[i]);
                most[i] = most[i].max(x);
                found[0][i] = found[0][i].min(c2(x, y));
                found[1][i] = found[1][i].min(cd_or_d8(x, y));
                found[2][i] = found[2][i].min((x ^ 0xE1) | (y ^ 0x85).min(y ^ 0x9E).min(y ^ 0xA0));
                found[3][i] = found[3][i].min((x ^ 0xE2) | within(y, 0x80, 0x81).min(y ^ 0xA0));
                found[4][i] = found[4][i].min((x ^ 0xE3) | (y ^ 0x85));
                found[5][i] =
                    found[5][i].min((x ^ 0xEF) | within(y, 0xB7, 0xB8).min(y ^ 0xBB).min(within(y, 0xBE, 0xBF)));
            }
        }
        let [c2, cd_or_d8, e1, e2, e3, ef] = found.map(|lanes| least(lanes) == 0);
        Self { c2, cd_or_d8, e1, e2, e3, ef, four: most.into_iter().fold(0, u8::max) >= 0xF0 }
    }
}

/// Zero where `from <= a <= to`.
#[inline(always)]
fn within(a: u8, from: u8, to: u8) -> u8 {
    a.wrapping_sub(from).saturating_sub(to - from)
}

/// Zero at a control character of the second half of Latin-1, and at a soft hyphen.
#[inline(always)]
fn c2(x: u8, y: u8) -> u8 {
    (x ^ 0xC2) | within(y, 0x80, 0x9F).min(y ^ 0xAD)
}

/// Zero at the grapheme joiner and at the Arabic letter mark.
#[inline(always)]
fn cd_or_d8(x: u8, y: u8) -> u8 {
    ((x ^ 0xCD) | (y ^ 0x8F)).min((x ^ 0xD8) | (y ^ 0x9C))
}

/// Zero at the backslash of an escape that may matter: of a backspace, a carriage return, or a code unit, which is told by
/// its first digit from ideographs and syllables.
#[inline(always)]
fn escape<const WIDE: bool>(x: u8, y: u8, z: u8) -> u8 {
    let digit = if WIDE { 0 } else { within(z, b'0', b'3').min(within(z | 0x20, b'd', b'f')) };
    (x ^ b'\\') | ((y ^ b'u') | digit).min(y ^ b'b').min(y ^ b'r')
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

/// The first zero. Where candidates are dense it is near.
#[inline]
fn first_zero(tests: &[u8]) -> Option<usize> {
    if let Some(word) = tests.first_chunk() {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
        if zeros != 0 {
            return Some(zeros.trailing_zeros() as usize / 8);
        }
    }
    memchr::memchr(0, tests)
}

/// Whether the candidate at `at` is what it seems.
fn is_hit<const WIDE: bool, const ESCAPES: bool>(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'\\' => ESCAPES && is_escape_hit::<WIDE>(text, at),
        0x00..0x80 => is_control_hit(text, at),
        // All that the tests let through is of the catalogue.
        0xC2..=0xE3 if !WIDE => true,
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
