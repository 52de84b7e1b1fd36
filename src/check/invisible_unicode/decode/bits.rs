//! Bits in two to eight kinds of hidden characters.

use super::super::tables::{Class, wide_class_of};
use super::Candidate;

/// The order in which four and eight symbols of known alphabets count, where not all of them need to be there.
const FOUR: [char; 4] = ['\u{200B}', '\u{200C}', '\u{200D}', '\u{FEFF}'];
const EIGHT: [char; 8] =
    ['\u{1D173}', '\u{1D174}', '\u{1D175}', '\u{1D176}', '\u{1D177}', '\u{1D178}', '\u{1D179}', '\u{1D17A}'];

/// How many bits a run carries; `None` for one kind of character, which carries none.
pub(super) fn number(hidden: &[char]) -> Option<usize> {
    let per_symbol = match symbols(hidden).len() {
        0 | 1 => return None,
        2 | 3 => 1,
        kinds => kinds.ilog2() as usize,
    };
    Some(hidden.len() * per_symbol)
}

fn symbols(hidden: &[char]) -> Vec<char> {
    let mut kinds: Vec<char> = hidden.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The scheme that a run is likely to be of, by its characters alone.
pub(super) fn scheme(hidden: &[char]) -> &'static str {
    scheme_of(&symbols(hidden))
}

fn scheme_of(kinds: &[char]) -> &'static str {
    let operators = kinds.iter().any(|c| matches!(c, '\u{2061}'..='\u{2064}'));
    let spaces = kinds.iter().all(|&c| c == ' ' || wide_class_of(c) == Some(Class::OddSpace));
    match kinds.len() {
        0..=2 if spaces => "S8",
        0..=2 if operators => "S4",
        3 if operators => "S5",
        0..=3 => "S6",
        _ => "S7",
    }
}

/// All readings of a run as bits, in the order of how common they are.
pub(super) fn candidates(hidden: &[char]) -> Vec<Candidate> {
    let kinds = symbols(hidden);
    let mut all = Vec::new();
    if kinds.len() < 2 {
        return all;
    }
    let mut push = |scheme, bytes: Option<Vec<u8>>| {
        all.extend(bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| Candidate::new(scheme, bytes, 97)));
    };
    let scheme = scheme_of(&kinds);
    match kinds[..] {
        [a, b] => {
            for zero in [a, b] {
                let digits: Vec<u8> = hidden.iter().map(|&c| u8::from(c != zero)).collect();
                for width in [8, 7, 16] {
                    push(scheme, units(&digits, width));
                }
                let scheme = if scheme == "S4" { "S5" } else { scheme };
                push(scheme, unpadded(&digits));
                push(scheme, sixes(&digits));
            }
        }
        [_, _, _] => {
            for third in 0..3 {
                let pair: Vec<char> = (0..3).filter(|&k| k != third).map(|k| kinds[k]).collect();
                for zero in &pair {
                    let chunks: Vec<Vec<u8>> = hidden
                        .split(|&c| c == kinds[third])
                        .map(|chunk| chunk.iter().map(|c| u8::from(c != zero)).collect())
                        .collect();
                    for width in [8, 7] {
                        push(scheme, joined(&chunks, b" ", |chunk| units(chunk, width)));
                    }
                    push(scheme, joined(&chunks, b" ", |chunk| unpadded(chunk).or_else(|| sixes(chunk))));
                    // One character between two separators.
                    push(scheme, joined(&chunks, b"", one_character));
                }
            }
        }
        [_, _, _, _] => {
            for order in orders_of_four() {
                push("S7", wide_units(hidden, 2, 8, |c| kinds.iter().position(|k| *k == c).map(|at| order[at])));
            }
        }
        [_, _, _, _, _, _, _, _] => {
            for width in [8, 7] {
                push("S7", wide_units(hidden, 3, width, |c| kinds.iter().position(|k| *k == c).map(|at| at as u8)));
            }
        }
        _ => {}
    }
    if kinds.len() < 4 {
        push("S7", wide_units(hidden, 2, 8, |c| FOUR.iter().position(|k| *k == c).map(|at| at as u8)));
    }
    if kinds.len() < 8 {
        for width in [8, 7] {
            push("S7", wide_units(hidden, 3, width, |c| EIGHT.iter().position(|k| *k == c).map(|at| at as u8)));
        }
    }
    all
}

/// Symbols of several bits each as units of so many bits; `None` where one of them counts for nothing.
fn wide_units(hidden: &[char], bits: u8, width: usize, value: impl Fn(char) -> Option<u8>) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(hidden.len() * usize::from(bits));
    for &c in hidden {
        let value = value(c)?;
        digits.extend((0..bits).rev().map(|n| value >> n & 1));
    }
    units(&digits, width)
}

/// Digits as bytes, so many bits a unit; a rest that fills no unit is cut. Units of sixteen bits are those of UTF-16.
fn units(digits: &[u8], width: usize) -> Option<Vec<u8>> {
    let units = digits.chunks_exact(width).map(|d| d.iter().fold(0_u16, |n, &bit| n << 1 | u16::from(bit)));
    match width {
        16 => char::decode_utf16(units).collect::<Result<String, _>>().ok().map(String::into_bytes),
        _ => Some(units.map(|u| u as u8).collect()),
    }
}

/// Seven bits a character, and six for a last one that lies below `@`. No character begins with a zero.
fn unpadded(digits: &[u8]) -> Option<Vec<u8>> {
    digits.chunks(7).map(|chunk| character(chunk, 6)).collect()
}

/// Six bits a character, for words of digits and signs.
fn sixes(digits: &[u8]) -> Option<Vec<u8>> {
    digits.chunks(6).map(|chunk| character(chunk, 6)).collect()
}

fn character(digits: &[u8], least: usize) -> Option<u8> {
    let whole = digits.len() >= least && digits.first() == Some(&1);
    whole.then(|| digits.iter().fold(0, |n, &bit| n << 1 | bit))
}

fn one_character(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() > 21 {
        return None;
    }
    let c = char::from_u32(digits.iter().fold(0, |n, &bit| n << 1 | u32::from(bit)))?;
    Some(c.to_string().into_bytes())
}

fn joined(chunks: &[Vec<u8>], between: &[u8], read: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let words: Option<Vec<Vec<u8>>> =
        chunks.iter().map(|chunk| if chunk.is_empty() { Some(Vec::new()) } else { read(chunk) }).collect();
    words.map(|words| words.join(between))
}

/// The 24 orders of four symbols, that of the code points first.
fn orders_of_four() -> impl Iterator<Item = [u8; 4]> {
    (0..256_u32).filter_map(|n| {
        let order = [(n >> 6 & 3) as u8, (n >> 4 & 3) as u8, (n >> 2 & 3) as u8, (n & 3) as u8];
        let set = order.iter().fold(0_u8, |set, d| set | 1 << d);
        (set == 0b1111).then_some(order)
    })
}
