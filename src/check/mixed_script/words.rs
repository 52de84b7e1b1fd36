//! Words, the scripts of their letters, and what they look like.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use unicode_normalization::{IsNormalized, is_nfc, is_nfc_quick};

use crate::format::sieve::within;

/// A longer word is no word.
pub(super) const LONGEST: usize = 64;

/// The scripts whose letters look like Latin ones.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Letter {
    Latin,
    Cyrillic,
    Greek,
    Armenian,
    Cherokee,
    Phonetic,
    /// Of a script that is not asked for.
    Other,
    /// A digit, a mark, an apostrophe, a sign of a unit.
    Neutral,
}

impl Letter {
    fn of(c: char) -> Letter {
        match c as u32 {
            0x41..=0x5A | 0x61..=0x7A => Letter::Latin,
            0..0x80 | 0x300..=0x36F => Letter::Neutral,
            // Micro and ohm stand in units, kelvin and ångström are letters of their own.
            0xB5 | 0x3BC | 0x3A9 | 0x2126 | 0x212A | 0x212B => Letter::Neutral,
            0x250..=0x2AF => Letter::Phonetic,
            0x370..=0x3FF | 0x1F00..=0x1FFF if c.is_alphabetic() => Letter::Greek,
            0x400..=0x52F if c.is_alphabetic() => Letter::Cyrillic,
            0x531..=0x587 => Letter::Armenian,
            0x13A0..=0x13FD | 0xAB70..=0xABBF => Letter::Cherokee,
            _ if !c.is_alphabetic() => Letter::Neutral,
            _ => match CodePointMapData::<Script>::new().get(c) {
                Script::Latin => Letter::Latin,
                Script::Common | Script::Inherited => Letter::Neutral,
                _ => Letter::Other,
            },
        }
    }

    fn is_foreign(self) -> bool {
        !matches!(self, Letter::Latin | Letter::Other | Letter::Neutral)
    }

    fn name(self) -> &'static str {
        match self {
            Letter::Latin => "Latin",
            Letter::Cyrillic => "Cyrillic",
            Letter::Greek => "Greek",
            Letter::Armenian => "Armenian",
            Letter::Cherokee => "Cherokee",
            Letter::Phonetic => "phonetic",
            Letter::Other | Letter::Neutral => "other",
        }
    }
}

/// A word that has foreign letters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) range: Range<usize>,
    mixed: bool,
}

impl Token<'_> {
    /// Whether its letters are of several scripts.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// Its letters that are not Latin.
    pub(super) fn foreign(&self) -> impl Iterator<Item = char> {
        self.text.chars().filter(|&c| Letter::of(c).is_foreign())
    }

    /// Whether its letters that are not Latin are phonetic ones.
    pub(super) fn is_phonetic(&self) -> bool {
        self.text.chars().map(Letter::of).filter(|letter| letter.is_foreign()).all(|letter| letter == Letter::Phonetic)
    }

    /// The scripts of its letters.
    pub(super) fn scripts(&self) -> BTreeSet<&'static str> {
        self.text.chars().map(Letter::of).filter(|&letter| letter != Letter::Neutral).map(Letter::name).collect()
    }

    /// What it looks like, in a form in which look-alikes are the same; `None` where that is not ASCII.
    pub(super) fn skeleton(&self) -> Option<String> {
        if self.text.len() > 2 * LONGEST {
            return None;
        }
        let skeleton: String = unicode_security::skeleton(self.text).collect();
        skeleton.is_ascii().then(|| skeleton.to_ascii_lowercase())
    }

    /// The ASCII word that it looks like, as a reader would write it.
    pub(super) fn plain(&self) -> String {
        let plain: String = self
            .text
            .chars()
            .map(|c| {
                let mut alike = [0; 4];
                let mut skeleton = unicode_security::skeleton(c.encode_utf8(&mut alike));
                match (c.is_ascii(), skeleton.next(), skeleton.next()) {
                    (false, Some(one), None) if one.is_ascii() => one,
                    _ => c,
                }
            })
            .collect();
        if plain.is_ascii() { plain.to_ascii_lowercase() } else { String::new() }
    }
}

/// The words of a text that have foreign letters.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    /// Behind so many bytes without a foreign letter the next one is searched for.
    const QUIET: usize = 32;
    let bytes = text.as_bytes();
    let mut table = Table::new();
    // No word reaches over `at`; from `quiet` on words are passed over unread.
    let (mut at, mut quiet) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            if at >= quiet {
                let found = at + next(&bytes[at..], opening)?;
                let before = text[at..found].char_indices().rev().take_while(|&(_, c)| table.of(c).is_part()).last();
                at = before.map_or(found, |(start, _)| at + start);
                quiet = found + QUIET;
            }
            let start = at;
            let mut kinds = Kind(0);
            let gap = loop {
                let Some((kind, width)) = table.next(&bytes[at..]) else { break 0 };
                if !kind.is_part() {
                    break width;
                }
                kinds.0 |= kind.0;
                at += width;
            };
            let range = start..at;
            if at < bytes.len() {
                at += gap;
            } else {
                // Nothing is left to be searched.
                quiet = quiet.min(at);
            }
            if kinds.0 & Kind::FOREIGN != 0 {
                quiet = quiet.max((range.end + QUIET).min(bytes.len()));
                return Some(Token { text: &text[range.clone()], range, mixed: kinds.is_mixed() });
            }
        }
    })
}

/// The word that the character at `at` is a part of, from `from` on, if it has foreign letters; and where the character
/// or the word ends.
pub(super) fn token_around<'a>(text: &'a str, at: usize, from: usize, table: &mut Table) -> (usize, Option<Token<'a>>) {
    let bytes = text.as_bytes();
    let (mut kinds, mut end) = (Kind(0), at);
    while let Some((kind, width)) = table.next(&bytes[end..]) {
        if !kind.is_part() {
            if end == at {
                return (at + width, None);
            }
            break;
        }
        kinds.0 |= kind.0;
        end += width;
    }
    let before = text[from..at].char_indices().rev().map(|(n, c)| (from + n, table.of(c)));
    let mut start = at;
    for (n, kind) in before.take_while(|(_, kind)| kind.is_part()) {
        kinds.0 |= kind.0;
        start = n;
    }
    let token = || Token { text: &text[start..end], range: start..end, mixed: kinds.is_mixed() };
    (end, (kinds.0 & Kind::FOREIGN != 0).then(token))
}

/// What a character is in a word, as bits: which letter, and whether it is a part of words at all.
#[derive(Copy, Clone, Debug)]
struct Kind(u8);

impl Kind {
    const PART: u8 = 1 << 7;
    const FOREIGN: u8 = 0b1_1111;

    fn is_part(self) -> bool {
        self.0 & Self::PART != 0
    }

    fn is_mixed(self) -> bool {
        (self.0 & !Self::PART).count_ones() > 1
    }

    fn of(c: char) -> Kind {
        let letter = match Letter::of(c) {
            Letter::Cyrillic => 1,
            Letter::Greek => 1 << 1,
            Letter::Armenian => 1 << 2,
            Letter::Cherokee => 1 << 3,
            Letter::Phonetic => 1 << 4,
            Letter::Latin => 1 << 5,
            Letter::Other => 1 << 6,
            Letter::Neutral => 0,
        };
        Kind(if is_part(c) { letter | Self::PART } else { letter })
    }
}

/// Characters of one page of the table of kinds.
const PAGE: usize = 256;

/// The kinds of all characters of one or two bytes, and the page of others that was used last.
pub(super) struct Table {
    two: &'static [Kind; 0x800],
    number: usize,
    page: &'static [Kind; PAGE],
}

impl Table {
    pub(super) fn new() -> Self {
        static TWO: LazyLock<Box<[Kind; 0x800]>> =
            LazyLock::new(|| Box::new(std::array::from_fn(|code| page(code / PAGE)[code % PAGE])));
        Self { two: &TWO, number: 0, page: page(0) }
    }

    #[inline]
    fn of(&mut self, c: char) -> Kind {
        self.at(c as usize)
    }

    #[inline(always)]
    fn at(&mut self, code: usize) -> Kind {
        if let Some(&kind) = self.two.get(code) {
            return kind;
        }
        if self.number != code / PAGE {
            (self.number, self.page) = (code / PAGE, page(code / PAGE));
        }
        self.page[code % PAGE]
    }

    /// The kind of the character that the bytes of a text begin with, and its length.
    #[inline(always)]
    fn next(&mut self, bytes: &[u8]) -> Option<(Kind, usize)> {
        let first = usize::from(*bytes.first()?);
        let low = |at: usize| usize::from(bytes[at] & 0x3F);
        Some(match first {
            0..=0x7F => (self.two[first], 1),
            0x80..=0xDF => (self.two[(first & 0x1F) << 6 | low(1)], 2),
            0xE0..=0xEF => (self.at((first & 0xF) << 12 | low(1) << 6 | low(2)), 3),
            _ => (self.at((first & 0x7) << 18 | low(1) << 12 | low(2) << 6 | low(3)), 4),
        })
    }
}

fn page(number: usize) -> &'static [Kind; PAGE] {
    // Made where they are first needed: a text uses few, and properties take long to look up.
    static PAGES: [OnceLock<Box<[Kind; PAGE]>>; 0x11_0000 / PAGE] = [const { OnceLock::new() }; 0x11_0000 / PAGE];
    let kind = |low: usize| char::from_u32((number * PAGE + low) as u32).map_or(Kind(0), Kind::of);
    PAGES[number].get_or_init(|| Box::new(std::array::from_fn(kind)))
}

fn is_part(c: char) -> bool {
    match c {
        '\0'..='\x7F' => c.is_ascii_alphanumeric() || c == '\'',
        '\u{300}'..='\u{36F}' | '’' => true,
        _ => c.is_alphanumeric(),
    }
}

/// The words with foreign letters and whether they are mixed, found by a walk over all characters.
#[cfg(test)]
pub(super) fn slowly(text: &str) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(is_part).map(|n| at + n) {
        at = text[start..].find(|c| !is_part(c)).map_or(text.len(), |n| start + n);
        let letters = || text[start..at].chars().map(Letter::of).filter(|&letter| letter != Letter::Neutral);
        if letters().any(Letter::is_foreign) {
            let first = letters().next();
            found.push((start..at, letters().any(|letter| Some(letter) != first)));
        }
    }
    found
}

/// Whether a text is mainly written in Latin letters: those that are foreign are a fifth of them at most.
pub(super) fn is_latin(text: &str) -> bool {
    let latin = count(text, |b| (b | 0x20).wrapping_sub(b'a') < 26);
    // The second bytes of letters are not counted; two or three bytes make one.
    let foreign = count(text, |b| b.wrapping_sub(0xC9) <= 0xF4 - 0xC9);
    latin >= 5 * foreign
}

/// How many bytes of a text are such.
fn count(text: &str, is: impl Fn(u8) -> bool) -> usize {
    // Counted in bytes for as long as these cannot overflow: that is vector code.
    let some = |part: &[u8]| usize::from(part.iter().fold(0_u8, |count, &b| count + u8::from(is(b))));
    text.as_bytes().chunks(usize::from(u8::MAX)).map(some).sum()
}

/// What may begin something that has to be looked at.
#[derive(Copy, Clone, Debug)]
pub(super) struct Openings {
    /// Whether letters may be written as escapes of JSON.
    pub(super) escapes: bool,
    /// Whether every character beyond ASCII is worth a look.
    pub(super) wide: bool,
}

impl Openings {
    /// The first place of a text.
    pub(super) fn first(self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            at += match (self.wide, self.escapes) {
                (false, false) => next(text.get(at..)?, opening),
                (false, true) => next(text.get(at..)?, |x, y| opening(x, y).min((x ^ b'\\') | (y ^ b'u'))),
                (true, false) => next(text.get(at..)?, |x, _| within(x, 0xC2, 0xFF)),
                (true, true) => next(text.get(at..)?, |x, y| within(x, 0xC2, 0xFF).min((x ^ b'\\') | (y ^ b'u'))),
            }?;
            if text[at] != b'\\' || self.wide || escapes_letter(&text[at..]) {
                return Some(at);
            }
            at += 1;
        }
    }
}

/// Zero at the first byte of a letter that may look Latin: of the phonetic ones, Greek, Cyrillic, Armenian, and of the
/// blocks of Cherokee.
#[inline(always)]
fn opening(x: u8, y: u8) -> u8 {
    within(x, 0xC9, 0xD6)
        .min((x ^ 0xE1) | within(y, 0x8E, 0x8F).min(within(y, 0xBC, 0xBF)))
        .min((x ^ 0xEA) | within(y, 0xAD, 0xAE))
}

/// Whether an escape may stand for such a letter: of U+0250 to U+058F, U+13xx, U+1Fxx and U+ABxx.
fn escapes_letter(escape: &[u8]) -> bool {
    match escape.get(2..4) {
        Some([b'0', b'2'..=b'5'] | [b'1', b'3' | b'f' | b'F']) => true,
        Some([a, b]) => a.eq_ignore_ascii_case(&b'a') && b.eq_ignore_ascii_case(&b'b'),
        _ => false,
    }
}

/// Bytes that are tested side by side, and fewer of them that are once something is among those.
const BLOCK: usize = 64;
const LANES: usize = 16;

/// Where `test`, of a byte and the one behind it, first comes to zero. Written so that the compiler makes vector code of
/// it: no byte is tested alone but among the few in which a hit lies.
#[inline(always)]
fn next(text: &[u8], test: impl Fn(u8, u8) -> u8) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = text[at..].first_chunk::<{ BLOCK + 1 }>() {
        if let Some(found) = in_block(block, &test) {
            return Some(at + found);
        }
        at += BLOCK;
    }
    // Blanks stand in for what lies behind the end; what is no hit beside a blank is none there.
    let rest = &text[at..];
    let mut last = [b' '; BLOCK + 1];
    last[..rest.len().min(BLOCK + 1)].copy_from_slice(rest);
    in_block(&last, &test).filter(|&found| found < rest.len()).map(|found| at + found)
}

/// Where `test` first comes to zero in a block, behind which one byte more is known.
#[inline(always)]
fn in_block(block: &[u8; BLOCK + 1], test: &impl Fn(u8, u8) -> u8) -> Option<usize> {
    let least = |from: usize, len: usize| {
        let (x, y) = (&block[from..from + len], &block[from + 1..from + 1 + len]);
        (0..len).fold(u8::MAX, |least, i| least.min(test(x[i], y[i])))
    };
    if least(0, BLOCK) != 0 {
        return None;
    }
    let lanes = (0..BLOCK).step_by(LANES).find(|&from| least(from, LANES) == 0)?;
    (lanes..lanes + LANES).find(|&at| test(block[at], block[at + 1]) == 0)
}

/// Stretches of styled letters (`true`), and the first place where a text leaves normal form C or uses forms that are
/// only there for compatibility (`false`).
pub(super) fn forms(text: &str) -> Vec<(bool, Range<usize>)> {
    let mut found = Vec::new();
    let east_asian = || {
        text.chars().any(|c| matches!(c as u32, 0x3040..=0x30FF | 0x3105..=0x312F | 0x3400..=0x9FFF | 0xAC00..=0xD7A3 | 0x2_0000..=0x3_FFFF))
    };
    let mut styled: Option<Range<usize>> = None;
    for (at, c) in text.char_indices() {
        let is = match c as u32 {
            0x1D400..=0x1D7FF | 0x2460..=0x24FF | 0x1F130..=0x1F1E5 => true,
            0x2070..=0x209C | 0x1D2C..=0x1D6A | 0x2C7C..=0x2C7D => c.is_alphabetic(),
            0xFF01..=0xFF5E => !east_asian(),
            _ => false,
        };
        match (&mut styled, is) {
            (Some(range), true) => range.end = at + c.len_utf8(),
            (None, true) => styled = Some(at..at + c.len_utf8()),
            (Some(range), false) if at > range.end + 1 => {
                found.push((true, range.clone()));
                styled = None;
            }
            _ => {}
        }
    }
    found.extend(styled.map(|range| (true, range)));
    if is_nfc_quick(text.chars()) != IsNormalized::Yes && !is_nfc(text) {
        let first = text.char_indices().find(|&(_, c)| {
            let category = CodePointMapData::<GeneralCategory>::new().get(c);
            matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
                || is_nfc_quick(std::iter::once(c)) == IsNormalized::No
        });
        let (at, c) = first.unwrap_or((0, text.chars().next().unwrap_or(' ')));
        let start = text[..at].chars().next_back().map_or(at, |before| at - before.len_utf8());
        found.push((false, start..at + c.len_utf8()));
    }
    let compatible = |c: char| matches!(c as u32, 0xFE70..=0xFEFC | 0xFB00..=0xFB06);
    if let Some((at, c)) = text.char_indices().find(|&(_, c)| compatible(c)) {
        found.push((false, at..at + c.len_utf8()));
    }
    if let Some(at) = text.find("\u{640}\u{640}") {
        found.push((false, at..at + 4));
    }
    found
}
