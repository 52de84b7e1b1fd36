//! One look at every byte, for all who look for something: which kinds of bytes the blocks of a text have.
//!
//! Whoever searches a batch asks first where a byte stands that every hit has, and searches only there. Most blocks of most
//! texts are letters and blanks, and so are passed once instead of once for each check.

use std::ops::Range;

/// Kinds of bytes, as bits.
pub(crate) type Kinds = u8;

/// Beyond ASCII.
pub(crate) const WIDE: Kinds = 1;
/// A control character other than a tab, a line feed or a carriage return.
pub(crate) const CONTROL: Kinds = 1 << 1;
/// A tab or a carriage return.
pub(crate) const TAB: Kinds = 1 << 2;
/// `<`.
pub(crate) const ANGLE: Kinds = 1 << 3;
/// `[` or `]`.
pub(crate) const BRACKET: Kinds = 1 << 4;
/// `&` or `%`.
pub(crate) const ENTITY: Kinds = 1 << 5;
/// A backslash.
pub(crate) const BACKSLASH: Kinds = 1 << 6;
/// A backslash before `u`, `b` or `r`: an escape of JSON that may stand for something unusual.
pub(crate) const ESCAPE: Kinds = 1 << 7;

const ALL: Kinds = Kinds::MAX;

/// Bytes of one block.
const BLOCK: usize = 256;
/// Blocks of a stretch. More of them are given as several, so that asking costs the same however many follow.
const LONGEST: usize = 16;
/// Bytes that are looked at side by side.
const LANES: usize = 32;

/// The kinds of bytes in the blocks of a text, from some block on.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    /// Number of the first block that is known.
    first: usize,
    kinds: Vec<Kinds>,
}

impl Sieve {
    /// Looks at all blocks up to the one in which `end` lies.
    pub(super) fn reach(&mut self, text: &[u8], end: usize) {
        let blocks = end.min(text.len()).div_ceil(BLOCK);
        while self.first + self.kinds.len() < blocks {
            let start = (self.first + self.kinds.len()) * BLOCK;
            self.kinds.push(match text[start..].first_chunk() {
                Some(block) if is_plain(block) => 0,
                Some(block) => kinds(block, text.get(start + BLOCK)),
                None => {
                    // Blanks stand in for what lies behind the end.
                    let mut last = [b' '; BLOCK];
                    last[..text.len() - start].copy_from_slice(&text[start..]);
                    kinds(&last, None)
                }
            });
        }
    }

    /// Forgets the blocks before the one in which `at` lies.
    pub(super) fn forget(&mut self, at: usize) {
        let blocks = (at / BLOCK).saturating_sub(self.first).min(self.kinds.len());
        self.kinds.drain(..blocks);
        self.first += blocks;
    }

    /// Whether a stretch may have bytes of these kinds.
    pub(super) fn may_have(&self, stretch: Range<usize>, kinds: Kinds) -> bool {
        (stretch.start / BLOCK..stretch.end.div_ceil(BLOCK)).any(|block| self.of(block) & kinds != 0)
    }

    /// The next stretch at or behind `at` that may have bytes of these kinds. `None` where none follows in what is known.
    pub(crate) fn next(&self, at: usize, kinds: Kinds) -> Option<Range<usize>> {
        if at < self.first * BLOCK {
            return Some(at..self.first * BLOCK);
        }
        let rest = self.kinds.get(at / BLOCK - self.first..)?;
        let start = at / BLOCK + rest.iter().position(|has| has & kinds != 0)?;
        let run = self.kinds[start - self.first..].iter().take(LONGEST);
        let len = run.take_while(|has| **has & kinds != 0).count();
        Some(at.max(start * BLOCK)..(start + len) * BLOCK)
    }

    fn of(&self, block: usize) -> Kinds {
        block.checked_sub(self.first).and_then(|n| self.kinds.get(n)).copied().unwrap_or(ALL)
    }
}

// Written as arithmetic on bytes that comes to zero where something is found, and without a branch, so that the compiler
// makes vector code of it: see the prefilter of `invisible-unicode`.

/// Zero where `from <= a <= to`.
#[inline(always)]
pub(crate) fn within(a: u8, from: u8, to: u8) -> u8 {
    a.wrapping_sub(from).saturating_sub(to - from)
}

/// The least of all bytes after `test`.
#[inline(always)]
fn least(block: &[u8; BLOCK], test: impl Fn(u8) -> u8) -> u8 {
    let mut least = [u8::MAX; LANES];
    for lanes in block.as_chunks::<LANES>().0 {
        for (least, &b) in least.iter_mut().zip(lanes) {
            *least = (*least).min(test(b));
        }
    }
    least.into_iter().fold(u8::MAX, u8::min)
}

/// Whether a block has nothing of any kind.
#[inline]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let marks = |b: u8| (b ^ b'<').min(within(b, b'[', b']')).min(within(b, b'%', b'&'));
    let mut most = [0; LANES];
    let mut low = [u8::MAX; LANES];
    let mut found = [u8::MAX; LANES];
    for lanes in block.as_chunks::<LANES>().0 {
        for i in 0..LANES {
            let b = lanes[i];
            most[i] = most[i].max(b);
            // Only control characters but for the line feed come to less than 0x1F.
            low[i] = low[i].min((b ^ b'\n').wrapping_sub(1));
            found[i] = found[i].min(marks(b));
        }
    }
    let most = most.into_iter().fold(0, u8::max);
    let low = low.into_iter().fold(u8::MAX, u8::min);
    let found = found.into_iter().fold(u8::MAX, u8::min);
    most < 0x7F && low >= 0x1F && found != 0
}

fn kinds(block: &[u8; BLOCK], next: Option<&u8>) -> Kinds {
    let has = |found: bool, kind: Kinds| if found { kind } else { 0 };
    let control = |b: u8| b.saturating_sub(0x08).min(within(b, 0x0B, 0x0C)).min(within(b, 0x0E, 0x1F)).min(b ^ 0x7F);
    let mut kinds = has(!block.is_ascii(), WIDE)
        | has(least(block, control) == 0, CONTROL)
        | has(least(block, |b| (b ^ b'\t').min(b ^ b'\r')) == 0, TAB)
        | has(least(block, |b| b ^ b'<') == 0, ANGLE)
        | has(least(block, |b| (b ^ b'[').min(b ^ b']')) == 0, BRACKET)
        | has(least(block, |b| within(b, b'%', b'&')) == 0, ENTITY);
    for at in memchr::memchr_iter(b'\\', block) {
        kinds |= BACKSLASH;
        if matches!(block.get(at + 1).or(next), Some(b'u' | b'b' | b'r')) {
            kinds |= ESCAPE;
            break;
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The kinds of the byte at `at`.
    fn slowly(text: &[u8], at: usize) -> Kinds {
        match text[at] {
            b'\t' | b'\r' => TAB,
            b'\n' => 0,
            0..0x20 | 0x7F => CONTROL,
            b'<' => ANGLE,
            b'[' | b']' => BRACKET,
            b'&' | b'%' => ENTITY,
            b'\\' if matches!(text.get(at + 1), Some(b'u' | b'b' | b'r')) => BACKSLASH | ESCAPE,
            b'\\' => BACKSLASH,
            0x80.. => WIDE,
            _ => 0,
        }
    }

    fn all(text: &[u8], reaches: &[usize]) -> Sieve {
        let mut sieve = Sieve::default();
        for &end in reaches {
            sieve.reach(text, end);
        }
        sieve.reach(text, text.len());
        sieve
    }

    #[test]
    fn every_byte_alone_is_of_its_kind() {
        for b in 0..=u8::MAX {
            for at in [0, 1, 255, 256, 511, 600] {
                let mut text = vec![b'x'; 700];
                text[at] = b;
                let sieve = all(&text, &[]);
                let kinds: Vec<Kinds> = (0..3).map(|block| sieve.of(block)).collect();
                let mut expected = vec![0; 3];
                expected[at / BLOCK] = slowly(&text, at);
                assert_eq!(kinds, expected, "{b:#x} at {at}");
            }
        }
    }

    #[test]
    fn an_escape_across_two_blocks_is_seen() {
        let mut text = vec![b'x'; 600];
        text[255..257].copy_from_slice(b"\\u");
        assert_eq!(all(&text, &[]).next(0, ESCAPE), Some(0..256));
    }

    #[test]
    fn what_was_forgotten_may_have_anything() {
        let text = vec![b'x'; 2000];
        let mut sieve = all(&text, &[]);
        sieve.forget(1000);
        assert!(sieve.may_have(0..10, WIDE) && !sieve.may_have(1000..2000, ALL));
        assert_eq!(sieve.next(5, WIDE), Some(5..768));
        assert_eq!(sieve.next(800, ALL), None);
    }

    proptest! {
        #[test]
        fn nothing_is_missed(
            pieces in proptest::collection::vec((0_usize..400, proptest::sample::select(&b"\\urb<[]&%\t\r\n\x00\x7f\xc3\xa9x"[..])), 0..12),
            reaches in proptest::collection::vec(0_usize..3000, 0..4),
            kinds in 1_u8..,
        ) {
            let mut text = Vec::new();
            for (len, byte) in pieces {
                text.resize(text.len() + len, b'a');
                text.push(byte);
            }
            let sieve = all(&text, &reaches);
            let expected: Vec<usize> = (0..text.len()).filter(|&at| slowly(&text, at) & kinds != 0).collect();
            let mut found = Vec::new();
            let mut at = 0;
            while let Some(stretch) = sieve.next(at, kinds) {
                prop_assert!(stretch.start >= at && stretch.end > stretch.start);
                at = stretch.end;
                let there = stretch.start..stretch.end.min(text.len());
                prop_assert!(sieve.may_have(there.clone(), kinds));
                found.extend(there.filter(|&at| slowly(&text, at) & kinds != 0));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
