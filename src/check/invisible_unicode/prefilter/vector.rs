//! Looks at a piece of a text for bytes at which something may begin, 32 of them side by side.
//!
//! A byte is looked up by each of its halves in a table of sixteen entries, of which every bit stands for a group of
//! sequences: a group may begin where the bit is set for both halves of three bytes in a row. So a script with many bytes
//! of one lead costs what every other does, and few places are candidates that are nothing.

use std::ops::Range;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x16, u8x32};

use super::{AHEAD, BLOCK, PIECE};

/// Blocks of which it is asked together whether there is anything but harmless ASCII.
const GROUP: usize = 4;
/// Bytes that are looked at side by side.
const LANES: usize = 32;

/// The candidates of a piece: a bit for each byte.
pub(super) type Candidates = [u64; PIECE / BLOCK];

/// Looks at the piece of a text that starts at an offset: where it ends, and whether anything may begin in it, and then
/// where.
pub(super) fn search(
    level: Level,
    tables: &Tables,
    text: &[u8],
    at: usize,
    candidates: &mut Candidates,
) -> (usize, bool) {
    let rest = &text[at..];
    let len = (rest.len().saturating_sub(AHEAD) / BLOCK * BLOCK).min(PIECE);
    // Blanks stand in for what lies behind the end, and are never candidates.
    let mut padded = [b' '; 2 * BLOCK + AHEAD];
    let (piece, end) = if len > 0 {
        (&rest[..len + AHEAD], at + len)
    } else {
        padded[..rest.len()].copy_from_slice(rest);
        (&padded[..], text.len())
    };
    (end, dispatch!(level, simd => look(simd, tables, piece, candidates)))
}

/// Whether anything may begin in a part of a text; at least there it is looked.
pub(in super::super) fn may_begin(tables: &Tables, text: &[u8], part: Range<usize>) -> bool {
    let (level, mut candidates, mut at) = (Level::new(), [0; PIECE / BLOCK], part.start);
    while at < part.end {
        match search(level, tables, text, at, &mut candidates) {
            (_, true) => return true,
            (end, false) => at = end,
        }
    }
    false
}

#[inline(always)]
fn look<S: Simd>(simd: S, tables: &Tables, piece: &[u8], candidates: &mut Candidates) -> bool {
    let looked = tables.load(simd);
    let (groups, _) = candidates.as_chunks_mut::<GROUP>();
    let blocks = (piece.len() - AHEAD) / BLOCK;
    let mut any = 0;
    for (found, at) in groups.iter_mut().zip((0..blocks / GROUP).map(|n| n * GROUP * BLOCK)) {
        any |= looked.group(simd, &piece[at..at + GROUP * BLOCK + AHEAD], found);
    }
    let done = blocks / GROUP * GROUP;
    for (n, found) in candidates[done..blocks].iter_mut().enumerate() {
        let at = (done + n) * BLOCK;
        any |= looked.group(simd, &piece[at..at + BLOCK + AHEAD], std::array::from_mut(found));
    }
    candidates[blocks..].fill(0);
    any != 0
}

/// [`Tables`] at the width of the machine.
#[derive(Copy, Clone)]
struct Looked<S: Simd> {
    alone: Halves<S>,
    first: Halves<S>,
    second: Halves<S>,
    third: Halves<S>,
}

impl<S: Simd> Looked<S> {
    /// Finds the candidates of some blocks: all of them together.
    #[inline(always)]
    fn group<const N: usize>(self, simd: S, bytes: &[u8], found: &mut [u64; N]) -> u64 {
        let load = |at: usize| u8x32::from_slice(simd, &bytes[at..at + LANES]);
        let zero = u8x32::splat(simd, 0);
        let (mut all, mut single) = (zero, zero);
        for n in 0..2 * N {
            let x = load(n * LANES);
            all |= x;
            single |= self.alone.of(x);
        }
        let is_wide = all.simd_ge(0x80).any_true();
        let is_single = !single.simd_eq(0).all_true();
        *found = [0; N];
        if is_wide {
            for n in 0..2 * N {
                let at = n * LANES;
                let here = self.first.of(load(at)) & self.second.of(load(at + 1)) & self.third.of(load(at + 2));
                found[n / 2] |= bits(here) << (n % 2 * LANES);
            }
        }
        if is_single {
            for n in 0..2 * N {
                found[n / 2] |= bits(self.alone.of(load(n * LANES))) << (n % 2 * LANES);
            }
        }
        found.iter().fold(0, |all, found| all | found)
    }
}

/// A bit for each byte that is not zero.
#[inline(always)]
fn bits<S: Simd>(bytes: u8x32<S>) -> u64 {
    u64::from(!(bytes.simd_eq(0).to_bitmask() as u32))
}

/// What the halves of a byte stand for, at the width of the machine.
#[derive(Copy, Clone)]
struct Halves<S: Simd> {
    high: u8x32<S>,
    low: u8x32<S>,
}

impl<S: Simd> Halves<S> {
    /// The groups that each byte belongs to.
    #[inline(always)]
    fn of(self, bytes: u8x32<S>) -> u8x32<S> {
        self.high.swizzle_dyn_within_blocks(bytes >> 4) & self.low.swizzle_dyn_within_blocks(bytes & 0x0F)
    }
}

/// The groups of each high and of each low half of a byte.
#[derive(Debug)]
struct Table {
    high: [u8; 16],
    low: [u8; 16],
}

impl Table {
    const EMPTY: Self = Self { high: [0; 16], low: [0; 16] };

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S) -> Halves<S> {
        Halves {
            high: u8x32::block_splat(u8x16::load_array(simd, self.high)),
            low: u8x32::block_splat(u8x16::load_array(simd, self.low)),
        }
    }

    /// Adds the bytes from one to another to a group.
    const fn add(mut self, group: u8, (first, last): (u8, u8)) -> Self {
        let mut byte = first;
        loop {
            self.high[(byte >> 4) as usize] |= 1 << group;
            self.low[(byte & 0x0F) as usize] |= 1 << group;
            if byte == last {
                return self;
            }
            byte += 1;
        }
    }
}

/// What is looked for.
#[derive(Debug)]
pub(in super::super) struct Tables {
    /// Bytes that may be something whatever follows.
    alone: Table,
    /// The first, second and third byte of what takes several.
    sequences: [Table; 3],
}

/// Bytes from one to another.
pub(in super::super) type Bytes = (u8, u8);
pub(in super::super) const ANY: Bytes = (0x00, 0xFF);

/// Bytes that may be something whatever follows, by group: control characters, and the lead of tags and selectors.
const ALONE: &[(u8, Bytes)] =
    &[(0, (0x00, 0x08)), (0, (0x0B, 0x0F)), (1, (0x10, 0x1F)), (2, (0x7F, 0x7F)), (4, (0xF3, 0xF3))];
/// The backslash of an escape.
const ESCAPE: &[(u8, Bytes)] = &[(3, (b'\\', b'\\'))];
/// The leads of private use.
const ALONE_WIDE: &[(u8, Bytes)] = &[(4, (0xF4, 0xF4)), (5, (0xEE, 0xEE))];

/// Sequences of two bytes and more, by group. Groups are put together so that none of their mixtures is a letter of a
/// script: what follows a lead in one group never follows the other lead in ordinary text.
const SEQUENCES: &[(u8, [Bytes; 3])] = &[
    (0, [(0xC2, 0xC2), (0x80, 0x9F), ANY]),
    (0, [(0xC2, 0xC2), (0xAD, 0xAD), ANY]),
    (0, [(0xCD, 0xCD), (0x8F, 0x8F), ANY]),
    (1, [(0xD8, 0xD8), (0x9C, 0x9C), ANY]),
    (2, [(0xE1, 0xE1), (0x85, 0x85), (0x9F, 0xA0)]),
    (2, [(0xE3, 0xE3), (0x85, 0x85), (0xA4, 0xA4)]),
    (3, [(0xE1, 0xE1), (0x9E, 0x9E), (0xB4, 0xB5)]),
    (4, [(0xE2, 0xE2), (0x80, 0x80), (0x8B, 0x8F)]),
    (4, [(0xE2, 0xE2), (0x80, 0x80), (0xA8, 0xAE)]),
    (5, [(0xE1, 0xE1), (0xA0, 0xA0), (0x8B, 0x8F)]),
    (5, [(0xE2, 0xE2), (0xA0, 0xA0), (0x80, 0x80)]),
    (6, [(0xEF, 0xEF), (0xB7, 0xB8), ANY]),
    (6, [(0xEF, 0xEF), (0xBB, 0xBB), ANY]),
    (6, [(0xEF, 0xEF), (0xBE, 0xBF), ANY]),
    (6, [(0xE2, 0xE2), (0x81, 0x81), (0xA0, 0xAF)]),
    (7, [(0xF0, 0xF0), (0x9B, 0x9B), (0xB2, 0xB2)]),
    (7, [(0xF0, 0xF0), (0x9D, 0x9D), (0x85, 0x85)]),
    // The last two code points of every plane but the first.
    (7, [(0xF0, 0xF4), (0x8F, 0x8F), (0xBF, 0xBF)]),
    (7, [(0xF0, 0xF4), (0x9F, 0x9F), (0xBF, 0xBF)]),
    (7, [(0xF0, 0xF4), (0xAF, 0xAF), (0xBF, 0xBF)]),
    (7, [(0xF0, 0xF4), (0xBF, 0xBF), (0xBF, 0xBF)]),
];

/// Those that honest text is full of.
const SEQUENCES_WIDE: &[(u8, [Bytes; 3])] = &[
    (0, [(0xC2, 0xC2), (0xA0, 0xA0), ANY]),
    (2, [(0xE3, 0xE3), (0x80, 0x80), (0x80, 0x80)]),
    (4, [(0xE2, 0xE2), (0x80, 0x81), (0x80, 0x8A)]),
    (4, [(0xE2, 0xE2), (0x80, 0x80), (0xAF, 0xAF)]),
    (5, [(0xE1, 0xE1), (0x9A, 0x9A), (0x80, 0x80)]),
    (6, [(0xE2, 0xE2), (0x81, 0x81), (0x9F, 0x9F)]),
    (6, [(0xEF, 0xEF), (0x80, 0xA3), ANY]),
];

impl Tables {
    /// Those of bytes that may be something whatever follows, and of sequences, each by group; there are eight groups of
    /// either.
    pub(in super::super) const fn of(alone: &[&[(u8, Bytes)]], sequences: &[&[(u8, [Bytes; 3])]]) -> Self {
        let mut single = Table::EMPTY;
        let mut n = 0;
        while n < alone.len() {
            let mut m = 0;
            while m < alone[n].len() {
                let (group, bytes) = alone[n][m];
                single = single.add(group, bytes);
                m += 1;
            }
            n += 1;
        }
        let [mut first, mut second, mut third] = [Table::EMPTY; 3];
        let mut n = 0;
        while n < sequences.len() {
            let mut m = 0;
            while m < sequences[n].len() {
                let (group, [x, y, z]) = sequences[n][m];
                (first, second, third) = (first.add(group, x), second.add(group, y), third.add(group, z));
                m += 1;
            }
            n += 1;
        }
        Self { alone: single, sequences: [first, second, third] }
    }

    #[inline(always)]
    fn load<S: Simd>(&self, simd: S) -> Looked<S> {
        let [first, second, third] = &self.sequences;
        Looked {
            alone: self.alone.load(simd),
            first: first.load(simd),
            second: second.load(simd),
            third: third.load(simd),
        }
    }

    /// Those of a way to look.
    pub(super) fn with(wide: bool, escapes: bool) -> &'static Self {
        static PLAIN: Tables = Tables::of(&[ALONE], &[SEQUENCES]);
        static ESCAPED: Tables = Tables::of(&[ALONE, ESCAPE], &[SEQUENCES]);
        static WIDE: Tables = Tables::of(&[ALONE, ALONE_WIDE], &[SEQUENCES, SEQUENCES_WIDE]);
        static WIDE_ESCAPED: Tables = Tables::of(&[ALONE, ALONE_WIDE, ESCAPE], &[SEQUENCES, SEQUENCES_WIDE]);
        match (wide, escapes) {
            (false, false) => &PLAIN,
            (false, true) => &ESCAPED,
            (true, false) => &WIDE,
            (true, true) => &WIDE_ESCAPED,
        }
    }
}
