//! Looks at a piece of a text for bytes at which something may begin, all of them side by side.

use super::{AHEAD, PIECE};

/// Looks at a piece: whether anything may begin in it, and if so, where. Its last bytes are only looked at as what follows.
pub(super) fn test<const WIDE: bool, const ESCAPES: bool>(piece: &[u8], tests: &mut [u8; PIECE]) -> bool {
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
    // A lead byte that begins many letters of a script is asked for with its second byte first: that is quick.
    if leads.c2 && has(piece, c2) {
        tests.add(|x, y, _| c2(x, y));
    }
    if (leads.cd || leads.d8) && has(piece, cd_or_d8) {
        tests.add(|x, y, _| cd_or_d8(x, y));
    }
    if leads.e1 && has(piece, |x, y| (x ^ 0xE1) | (y ^ 0x85).min(y ^ 0x9E).min(y ^ 0xA0)) {
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
    if leads.e3 && has(piece, |x, y| (x ^ 0xE3) | (y ^ 0x85)) {
        tests.add(|x, y, z| (x ^ 0xE3) | (y ^ 0x85) | (z ^ 0xA4));
    }
    if leads.ef && has(piece, |x, y| (x ^ 0xEF) | within(y, 0xB7, 0xB8).min(y ^ 0xBB).min(within(y, 0xBE, 0xBF))) {
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

/// Which of the bytes that begin something a piece has.
struct Leads {
    c2: bool,
    cd: bool,
    d8: bool,
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
        let mut found = [[u8::MAX; LANES]; 7];
        let mut most = [0; LANES];
        for lanes in piece.as_chunks::<LANES>().0 {
            for i in 0..LANES {
                let x = lanes[i];
                most[i] = most[i].max(x);
                found[0][i] = found[0][i].min(x ^ 0xC2);
                found[1][i] = found[1][i].min(x ^ 0xCD);
                found[2][i] = found[2][i].min(x ^ 0xD8);
                found[3][i] = found[3][i].min(x ^ 0xE1);
                found[4][i] = found[4][i].min(x ^ 0xE2);
                found[5][i] = found[5][i].min(x ^ 0xE3);
                found[6][i] = found[6][i].min(x ^ 0xEF);
            }
        }
        let [c2, cd, d8, e1, e2, e3, ef] = found.map(|lanes| least(lanes) == 0);
        Self { c2, cd, d8, e1, e2, e3, ef, four: most.into_iter().fold(0, u8::max) >= 0xF0 }
    }
}

/// Whether a test of two bytes in a row comes to zero anywhere.
#[inline(always)]
fn has(piece: &[u8], test: impl Fn(u8, u8) -> u8) -> bool {
    piece.iter().zip(&piece[1..]).fold(u8::MAX, |least, (&x, &y)| least.min(test(x, y))) == 0
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
pub(super) fn first_zero(tests: &[u8]) -> Option<usize> {
    if let Some(word) = tests.first_chunk() {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
        if zeros != 0 {
            return Some(zeros.trailing_zeros() as usize / 8);
        }
    }
    memchr::memchr(0, tests)
}
