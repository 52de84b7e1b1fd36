//! Words, the scripts of their letters, and what they look like.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::ops::Range;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use rustc_hash::{FxHashMap, FxHasher};
use unicode_normalization::{IsNormalized, is_nfc, is_nfc_quick};

/// Bytes of a file that are read for its words: half of them at its start, half in the middle.
const READ: usize = 4 << 20;
/// Words of one file that are counted.
const WORDS: usize = 1 << 18;
/// A longer word is no word.
const LONGEST: usize = 64;

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
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].find(is_part)?;
            let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |n| start + n);
            at = end;
            let word = &text[start..end];
            if word.is_ascii() {
                continue;
            }
            let mut scripts: Option<Letter> = None;
            let (mut mixed, mut foreign) = (false, false);
            for letter in word.chars().map(Letter::of).filter(|&letter| letter != Letter::Neutral) {
                mixed |= scripts.is_some_and(|first| first != letter);
                foreign |= letter.is_foreign();
                scripts = scripts.or(Some(letter));
            }
            if foreign {
                return Some(Token { text: word, range: start..end, mixed });
            }
        }
    })
}

fn is_part(c: char) -> bool {
    match c {
        '\0'..='\x7F' => c.is_ascii_alphanumeric() || c == '\'',
        '\u{300}'..='\u{36F}' | '’' => true,
        _ => c.is_alphanumeric(),
    }
}

/// Whether a text is mainly written in Latin letters: those that are foreign are a fifth of them at most.
pub(super) fn is_latin(text: &str) -> bool {
    let latin = text.bytes().filter(u8::is_ascii_alphabetic).count();
    // The second bytes of letters are not counted; two or three bytes make one.
    let foreign = text.bytes().filter(|b| matches!(b, 0xC9..=0xF4)).count();
    latin >= 5 * foreign
}

/// How often the ASCII words of a file stand in it, by what they look like.
#[derive(Debug, Default)]
pub(super) struct Words {
    counts: FxHashMap<u64, u32>,
}

impl Words {
    /// Counts the words of a text; of a long one, those of a part.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut words = Self::default();
        if text.len() <= READ {
            words.read(text);
        } else {
            words.read(&text[..READ / 2]);
            let middle = text.len() / 2;
            words.read(&text[middle..(middle + READ / 2).min(text.len())]);
        }
        words
    }

    fn read(&mut self, text: &[u8]) {
        let mut word = String::new();
        let mut at = 0;
        while at < text.len() {
            let start = match text[at..].iter().position(u8::is_ascii_alphanumeric) {
                Some(n) => at + n,
                None => return,
            };
            // The letter of an escape such as `\n` is none of the word behind it.
            let start = start + usize::from(start > 0 && text[start - 1] == b'\\');
            let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'\'' || *b >= 0x80;
            let end = text[start..].iter().position(|b| !part(b)).map_or(text.len(), |n| start + n);
            at = end.max(start);
            let bytes = &text[start..at];
            // A word with other letters in it is another word, also where those stand in front.
            if bytes.is_empty() || bytes.len() > LONGEST || !bytes.is_ascii() || start > 0 && text[start - 1] >= 0x80 {
                continue;
            }
            word.clear();
            // As `skeleton` would write it.
            for &b in bytes {
                match b {
                    b'm' => word.push_str("rn"),
                    b'I' | b'1' | b'|' => word.push('l'),
                    b'0' => word.push('o'),
                    b => word.push(char::from(b.to_ascii_lowercase())),
                }
            }
            let key = key(&word);
            if self.counts.len() < WORDS || self.counts.contains_key(&key) {
                let count = self.counts.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// How often a word stands in the file that looks like this.
    pub(super) fn count(&self, skeleton: &str) -> u32 {
        self.counts.get(&key(skeleton)).copied().unwrap_or(0)
    }
}

fn key(word: &str) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(word)
}

/// Where something may begin that has to be looked at.
#[derive(Debug)]
pub(super) struct Openings<'a> {
    text: &'a [u8],
    /// Whether letters may be written as escapes of JSON.
    escapes: bool,
    /// Whether every character beyond ASCII is worth a look.
    wide: bool,
    escape: Option<usize>,
}

impl<'a> Openings<'a> {
    pub(super) fn new(text: &'a [u8], json: bool, wide: bool) -> Self {
        Self { text, escapes: json, wide, escape: None }
    }

    /// The first place at or behind `at`, which never goes back.
    pub(super) fn next_from(&mut self, at: usize) -> Option<usize> {
        let raw = self.raw(at);
        if !self.escapes {
            return raw;
        }
        if self.escape.is_none_or(|escape| escape < at) {
            // The escapes of letters that look Latin: U+0250 to U+058F, U+13xx, U+1Fxx and U+ABxx.
            let interesting = |from: usize| match self.text.get(from + 2..from + 4) {
                Some(_) if self.wide => true,
                Some([b'0', b'2'..=b'5'] | [b'1', b'3' | b'f' | b'F']) => true,
                Some([a, b]) => a.eq_ignore_ascii_case(&b'a') && b.eq_ignore_ascii_case(&b'b'),
                _ => false,
            };
            let rest = self.text.get(at..)?;
            let next = memchr::memmem::find_iter(rest, b"\\u").map(|n| at + n).find(|&n| interesting(n));
            self.escape = Some(next.unwrap_or(usize::MAX));
            self.escapes = next.is_some();
        }
        let escape = self.escape.filter(|&escape| escape != usize::MAX);
        raw.into_iter().chain(escape).min()
    }

    fn raw(&self, at: usize) -> Option<usize> {
        const PIECE: usize = 256;
        let mut at = at;
        while at < self.text.len() {
            let piece = &self.text[at..self.text.len().min(at + PIECE)];
            if !piece.is_ascii() {
                let lead = |b: &u8| match b {
                    _ if self.wide => *b >= 0xC2,
                    // Phonetic, Greek, Cyrillic, Armenian; and the blocks of Cherokee.
                    0xC9..=0xD6 | 0xE1 | 0xEA => true,
                    _ => false,
                };
                if let Some(n) = piece.iter().position(lead) {
                    return Some(at + n);
                }
            }
            at += piece.len();
        }
        None
    }
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
