//! NFKC and case folding, character by character wherever a character comes to the same whatever stands beside it.

use std::sync::{LazyLock, OnceLock};

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::Folded;

/// Bytes that come of each byte of a text at most, but for what is folded exactly: of two, four.
const MOST: usize = 2;

/// NFKC and case folding, without invisible characters; every blank becomes a space.
///
/// Nearly every character comes to the same whatever stands beside it. Where one does not, the exact way is taken from the
/// last character that does to the next one: normalisation never reaches across those (UAX #15, 9.1: they are starters
/// whose quick check is "yes").
pub(super) fn fold_unicode(text: &str, out: &mut Folded) {
    let mut at = 0;
    while at < text.len() {
        out.reserve(MOST * (text.len() - at));
        let mut table = Table::new();
        let (read, written) = apart(&text.as_bytes()[at..], &mut table, &mut out.bytes[out.len..]);
        at += read;
        out.len += written;
        if at < text.len() {
            at = together(text, at, out);
        }
    }
}

/// Folds characters that stand alone, and those that leave no trace or a mark between them. Returns how many bytes it has
/// read, and written to `out`, which has room for them and for a block more.
fn apart(text: &[u8], table: &mut Table, out: &mut [u8]) -> (usize, usize) {
    let (mut at, mut len) = (0, 0);
    let mut mark = Mark { start: 0, end: usize::MAX, len: 0 };
    while let Some(&first) = text.get(at) {
        if first.is_ascii() {
            match text[at..].first_chunk::<8>() {
                Some(&word) => {
                    *out[len..].first_chunk_mut().expect("room for a block is kept") = word;
                    let wide = u64::from_le_bytes(word) & 0x8080_8080_8080_8080;
                    let run = wide.trailing_zeros() as usize / 8;
                    (at, len) = (at + run, len + run);
                }
                None => {
                    out[len] = first;
                    (at, len) = (at + 1, len + 1);
                }
            }
            continue;
        }
        let (part, width) = table.part(&text[at..]);
        // Nearly every character comes to as many bytes as it has.
        if width == part.len_if_short() {
            *out[len..].first_chunk_mut().expect("room for a block is kept") = part.0.to_le_bytes();
            (at, len) = (at + width, len + width);
            continue;
        }
        let part = match part {
            _ if part.is_alone() => part,
            Part::INVISIBLE => {
                if mark.end == at {
                    mark.end += width;
                }
                at += width;
                continue;
            }
            Part::MARK if mark.end != at => {
                mark = Mark { start: at, end: at + width, len };
                Part::of_bytes(&text[at..at + width])
            }
            Part::MARK | Part::OTHER if mark.end == at => return (mark.start, mark.len),
            _ => break,
        };
        *out[len..].first_chunk_mut().expect("room for a block is kept") = part.0.to_le_bytes();
        (at, len) = (at + width, len + part.len());
    }
    (at, len)
}

/// The mark that was passed last: where it begins, where what comes next begins, and how much had been written before it.
struct Mark {
    start: usize,
    end: usize,
    len: usize,
}

/// Folds what begins at `at` with a character that does not stand alone, up to the next one that does. Returns its offset.
fn together(text: &str, at: usize, out: &mut Folded) -> usize {
    // The last that left a trace stands alone, and has been folded.
    let before = text[..at].char_indices().rev().find(|&(_, c)| part(c) != Part::INVISIBLE);
    let start = before.map_or(0, |(start, _)| start);
    let kept = out.len - before.map_or(0, |(_, c)| if c.is_ascii() { 1 } else { part(c).len() });
    let is_alone = |c: char| c.is_ascii() || part(c).is_alone();
    let mut behind_mark = false;
    for (n, c) in text[at..].char_indices() {
        match part(c) {
            _ if is_alone(c) => return at + n,
            Part::MARK if !behind_mark => {
                behind_mark = true;
                out.push_char(c);
            }
            Part::INVISIBLE => {}
            _ => {
                let rest = &text[at + n..];
                let end = at + n + rest.find(is_alone).unwrap_or(rest.len());
                out.len = kept;
                fold_exactly(&text[start..end], out);
                return end;
            }
        }
    }
    text.len()
}

pub(super) fn fold_exactly(text: &str, out: &mut Folded) {
    for c in text.chars().filter(|&c| !is_invisible(c)).nfkc().flat_map(fold_case) {
        out.push_char(c);
    }
}

/// A normalised character without its case; a blank is a space.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    let whole = match c {
        // The dotless i is a letter of its own in Turkish; its capital is not only its own.
        'ı' => Some(c),
        _ if c.is_whitespace() => Some(' '),
        _ => None,
    };
    // By way of the capital, so that all forms of a letter meet: `ß` and `SS`, `ς` and `σ`.
    let letters = whole.is_none().then(|| c.to_uppercase().flat_map(char::to_lowercase));
    whole.into_iter().chain(letters.into_iter().flatten())
}

/// What a character has to do with its neighbours: the bytes that it comes to, whatever stands beside it, unless a mark
/// follows that joins it, with the first as the lowest; or one of three others.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Part(u32);

impl Part {
    /// A mark that joins nothing; where several stand in a row, their order counts.
    const MARK: Part = Part(0x1FF);
    /// Leaves no trace.
    const INVISIBLE: Part = Part(0x2FF);
    /// Anything else.
    const OTHER: Part = Part(0x3FF);

    /// The bytes of a character.
    fn of(c: char) -> Self {
        Self::of_bytes(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    /// The bytes of a character, as they are.
    fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte)))
    }

    /// Whether it stands alone. No character begins with the byte 255.
    #[inline(always)]
    fn is_alone(self) -> bool {
        self.0 & 0xFF != 0xFF
    }

    /// Bytes of one that stands alone and has two or three; nothing else has so many.
    #[inline(always)]
    fn len_if_short(self) -> usize {
        let three = self.0 > 0xFFFF;
        // Of three bytes the first is the lead byte of a letter of three, of two that of one of two.
        if self.is_alone() && self.0 > 0xFF && self.0 <= 0xFF_FFFF { 2 + usize::from(three) } else { 0 }
    }

    /// Bytes of one that stands alone.
    #[inline(always)]
    fn len(self) -> usize {
        4 - self.0.leading_zeros() as usize / 8
    }
}

/// Characters of one page of the table.
const PAGE: usize = 256;

/// The table of parts: all characters of two bytes, and the page of others that was used last.
struct Table {
    two: &'static [Part; 0x800],
    number: usize,
    page: &'static [Part; PAGE],
}

impl Table {
    fn new() -> Self {
        static TWO: LazyLock<Box<[Part; 0x800]>> =
            LazyLock::new(|| Box::new(std::array::from_fn(|code| page(code / PAGE)[code % PAGE])));
        Self { two: &TWO, number: 0, page: page(0) }
    }

    /// The part of the character beyond ASCII that `bytes` begin with, and its length.
    #[inline(always)]
    fn part(&mut self, bytes: &[u8]) -> (Part, usize) {
        let low = |at: usize| usize::from(bytes[at] & 0x3F);
        let first = usize::from(bytes[0]);
        if first < 0xE0 {
            return (self.two[(first & 0x1F) << 6 | low(1)], 2);
        }
        let (code, len) = match first {
            ..0xF0 => ((first & 0xF) << 12 | low(1) << 6 | low(2), 3),
            _ => ((first & 0x7) << 18 | low(1) << 12 | low(2) << 6 | low(3), 4),
        };
        if self.number != code / PAGE {
            (self.number, self.page) = (code / PAGE, page(code / PAGE));
        }
        (self.page[code % PAGE], len)
    }
}

fn part(c: char) -> Part {
    page(c as usize / PAGE)[c as usize % PAGE]
}

fn page(number: usize) -> &'static [Part; PAGE] {
    // Made where they are first needed: a text uses few, and the start of the program waits for none.
    static PAGES: [OnceLock<Box<[Part; PAGE]>>; 0x11_0000 / PAGE] = [const { OnceLock::new() }; 0x11_0000 / PAGE];
    let make = |low: usize| char::from_u32((number * PAGE + low) as u32).map_or(Part::OTHER, tell);
    PAGES[number].get_or_init(|| Box::new(std::array::from_fn(make)))
}

fn tell(c: char) -> Part {
    if is_invisible(c) {
        return Part::INVISIBLE;
    }
    let single = |mut found: &mut dyn Iterator<Item = char>| found.next().filter(|_| (&mut found).next().is_none());
    let Some(normal) = single(&mut std::iter::once(c).nfkc()) else { return Part::OTHER };
    let Some(folded) = single(&mut fold_case(normal)) else { return Part::OTHER };
    match (is_nfkc_quick(std::iter::once(normal)), canonical_combining_class(normal)) {
        (IsNormalized::Yes, 0) => Part::of(folded),
        (IsNormalized::Yes, _) if folded == c => Part::MARK,
        _ => Part::OTHER,
    }
}

/// Characters that leave no trace on the page (`Default_Ignorable_Code_Point`).
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x34f
            | 0x61c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfff8
            | 0x1_bca0..=0x1_bca3
            | 0x1_d173..=0x1_d17a
            | 0xe_0000..=0xe_0fff
    )
}
