//! What Unicode says of a character's surroundings: scripts, joining, emoji, directions.

use std::ops::BitOr;

use icu_properties::props::{
    BidiClass, CanonicalCombiningClass, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, JoiningType, RegionalIndicator, Script,
};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;

mod paragraph;

use super::variants::VARIANTS;
pub(super) use paragraph::Paragraph;

/// Families of scripts in which a hidden character can be orthography. A set.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Groups(u8);

impl Groups {
    pub(super) const NONE: Groups = Groups(0);
    /// Cursive scripts, in which joiners choose the form of letters.
    pub(super) const JOIN: Groups = Groups(1);
    /// Scripts with conjuncts, in which joiners choose the form of clusters.
    pub(super) const INDIC: Groups = Groups(2);
    /// Scripts without spaces between words, in which ZWSP marks a break.
    pub(super) const UNSPACED: Groups = Groups(4);
    /// East Asian scripts, in which wide forms are ordinary.
    pub(super) const EAST_ASIAN: Groups = Groups(8);
    /// Characters that run from right to left.
    pub(super) const RTL: Groups = Groups(16);
    pub(super) const ALL: Groups = Groups(31);

    pub(super) fn has(self, any: Groups) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) fn within(self, mask: Groups) -> Groups {
        Groups(self.0 & mask.0)
    }
}

impl BitOr for Groups {
    type Output = Groups;
    fn bitor(self, other: Groups) -> Groups {
        Groups(self.0 | other.0)
    }
}

fn groups_of_script(script: Script) -> Groups {
    match script {
        Script::Arabic
        | Script::Syriac
        | Script::Nko
        | Script::Mandaic
        | Script::Mongolian
        | Script::Adlam
        | Script::HanifiRohingya
        | Script::Manichaean
        | Script::PhagsPa
        | Script::Sogdian
        | Script::PsalterPahlavi => Groups::JOIN,
        Script::Devanagari
        | Script::Bengali
        | Script::Gurmukhi
        | Script::Gujarati
        | Script::Oriya
        | Script::Tamil
        | Script::Telugu
        | Script::Kannada
        | Script::Malayalam
        | Script::Sinhala
        | Script::Sundanese
        | Script::Chakma
        | Script::MeeteiMayek
        | Script::Limbu
        | Script::Newa
        | Script::Tirhuta
        | Script::Grantha
        | Script::Sharada
        | Script::Brahmi => Groups::INDIC,
        Script::Khmer | Script::Myanmar | Script::Tibetan | Script::Javanese | Script::Balinese => {
            Groups::INDIC | Groups::UNSPACED
        }
        Script::Thai | Script::Lao | Script::TaiLe | Script::NewTaiLue | Script::TaiTham | Script::TaiViet => {
            Groups::UNSPACED
        }
        Script::Han | Script::Hiragana | Script::Katakana => Groups::UNSPACED | Groups::EAST_ASIAN,
        Script::Hangul | Script::Bopomofo => Groups::EAST_ASIAN,
        _ => Groups::NONE,
    }
}

/// The families of scripts that a character belongs to. Marks that several scripts share belong to each of them.
pub(super) fn groups(c: char) -> Groups {
    match c as u32 {
        // No script of any family begins before Hebrew.
        0..0x590 => return Groups::NONE,
        // The letters of the great scripts, without the long way over the tables.
        0x620..=0x63F | 0x641..=0x64A | 0x671..=0x6D3 => return Groups::JOIN,
        0x904..=0x939 => return Groups::INDIC,
        0xE01..=0xE3A => return Groups::UNSPACED,
        0x1000..=0x1049 | 0x1780..=0x17B3 | 0x17B6..=0x17D3 => return Groups::INDIC | Groups::UNSPACED,
        0x3041..=0x3096 | 0x4E00..=0x9FFF => return Groups::UNSPACED | Groups::EAST_ASIAN,
        0xAC00..=0xD7A3 => return Groups::EAST_ASIAN,
        _ => {}
    }
    groups_by_table(c)
}

/// What a character says of the line it stands in: its families of scripts and its direction. What is hidden would
/// excuse itself.
#[inline]
pub(super) fn groups_of_text(c: char) -> Groups {
    match c as u32 {
        0..0x590
        | 0x61C
        | 0x115F..=0x1160
        | 0x17B4..=0x17B5
        | 0x180B..=0x180F
        | 0x2000..=0x206F
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFFA0 => Groups::NONE,
        _ => groups(c) | if is_rtl(c) { Groups::RTL } else { Groups::NONE },
    }
}

fn groups_by_table(c: char) -> Groups {
    match CodePointMapData::<Script>::new().get(c) {
        Script::Common | Script::Inherited => ScriptWithExtensions::new()
            .get_script_extensions_val(c)
            .iter()
            .fold(Groups::NONE, |all, script| all | groups_of_script(script)),
        script => groups_of_script(script),
    }
}

/// Whether a script is the character's own or one of those it is shared by.
pub(super) fn is_in(c: char, script: Script) -> bool {
    c as u32 >= 0x80 && ScriptWithExtensions::new().has_script(c, script)
}

pub(super) fn is_rtl(c: char) -> bool {
    // Direction marks would excuse themselves.
    (c as u32) >= 0x590
        && !matches!(c, '\u{200F}' | '\u{61C}')
        && matches!(bidi_class(c), BidiClass::RightToLeft | BidiClass::ArabicLetter)
}

pub(super) fn bidi_class(c: char) -> BidiClass {
    CodePointMapData::<BidiClass>::new().get(c)
}

pub(super) fn joining(c: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(c)
}

pub(super) fn is_virama(c: char) -> bool {
    (c as u32) >= 0x900 && CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

/// Whether a mark is the sign of a vowel in a script of India or its neighbours.
pub(super) fn is_indic_vowel_sign(c: char) -> bool {
    let is_starter = CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::NotReordered;
    is_starter && groups(c).has(Groups::INDIC)
}

pub(super) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

pub(super) fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

pub(super) fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c))
}

/// What an emoji joiner can stand behind and before.
pub(super) fn is_pictographic(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

pub(super) fn is_emoji_modifier(c: char) -> bool {
    CodePointSetData::new::<EmojiModifier>().contains(c)
}

pub(super) fn is_regional(c: char) -> bool {
    CodePointSetData::new::<RegionalIndicator>().contains(c)
}

/// What may be told by a selector to look like text or like an emoji: the bases of the listed pairs, and by property
/// whatever else is an emoji, since keyboards put the selector behind those too.
pub(super) fn takes_emoji_selector(c: char) -> bool {
    matches!(c as u32, 0x1F400..=0x1F4FC | 0x1F600..=0x1F64F | 0x1F680..=0x1F6C5 | 0x1F910..=0x1F93A)
        || takes_emoji_selector_by_table(c)
}

fn takes_emoji_selector_by_table(c: char) -> bool {
    c == '\u{20E3}' || is_listed(c, 0xFE0E) || CodePointSetData::new::<Emoji>().contains(c) || is_pictographic(c)
}

/// Whether (base, selector) of FE00 to FE0D is a standardised variant.
pub(super) fn takes_selector(base: char, selector: char) -> bool {
    is_listed(base, selector as u32) || is_compatibility_pair(base, selector)
}

fn is_listed(base: char, selector: u32) -> bool {
    let base = base as u32;
    let Ok(at) = VARIANTS.binary_search_by_key(&selector, |&(selector, _)| selector) else { return false };
    let ranges = VARIANTS[at].1;
    let next = ranges.partition_point(|&(_, last)| last < base);
    ranges.get(next).is_some_and(|&(first, _)| first <= base)
}

/// A CJK compatibility ideograph written as its unified twin and a selector.
fn is_compatibility_pair(base: char, selector: char) -> bool {
    // Only asked for the rare selectors themselves, so a walk over the thousand ideographs is affordable, once.
    static PAIRS: std::sync::LazyLock<Vec<(char, char)>> = std::sync::LazyLock::new(|| {
        let mut pairs: Vec<(char, char)> = (0xF900..=0xFAFF)
            .chain(0x2_F800..=0x2_FA1F)
            .filter_map(char::from_u32)
            .filter_map(|c| {
                let mut pair = std::iter::once(c).cjk_compat_variants();
                Some((pair.next()?, pair.next()?))
            })
            .collect();
        pairs.sort_unstable();
        pairs
    });
    PAIRS.binary_search(&(base, selector)).is_ok()
}

/// Steps that were taken over characters, so that a test can say how work grows without a clock.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local!(static TAKEN: Cell<u64> = const { Cell::new(0) });

    pub(in super::super) fn taken() -> u64 {
        TAKEN.get()
    }

    pub(super) fn take() {
        TAKEN.set(TAKEN.get() + 1);
    }
}

/// The character before `at`. Malformed bytes count as U+FFFD, one each.
#[inline]
pub(super) fn before(text: &[u8], at: usize) -> Option<(char, usize)> {
    #[cfg(test)]
    steps::take();
    let rest = text.get(..at)?;
    match *rest {
        [.., a @ 0..=0x7F] => Some((char::from(a), at - 1)),
        [.., a @ 0xC2..=0xDF, b @ 0x80..=0xBF] => Some((two(a, b), at - 2)),
        // The ends of these two leads hold overlong forms and surrogates, which the slow way knows.
        [.., a @ (0xE1..=0xEC | 0xEE..=0xEF), b @ 0x80..=0xBF, c @ 0x80..=0xBF] => Some((three(a, b, c), at - 3)),
        [] => None,
        _ => {
            let (c, len) = bstr::decode_last_utf8(&rest[at.saturating_sub(4)..]);
            Some((c.unwrap_or('\u{FFFD}'), at - len.max(1)))
        }
    }
}

/// The character at `at` and the offset behind it. Malformed bytes count as U+FFFD.
#[inline]
pub(super) fn after(text: &[u8], at: usize) -> Option<(char, usize)> {
    #[cfg(test)]
    steps::take();
    let rest = text.get(at..)?;
    match *rest {
        [a @ 0..=0x7F, ..] => Some((char::from(a), at + 1)),
        [a @ 0xC2..=0xDF, b @ 0x80..=0xBF, ..] => Some((two(a, b), at + 2)),
        [a @ (0xE1..=0xEC | 0xEE..=0xEF), b @ 0x80..=0xBF, c @ 0x80..=0xBF, ..] => Some((three(a, b, c), at + 3)),
        [] => None,
        _ => {
            let (c, len) = bstr::decode_utf8(&rest[..rest.len().min(4)]);
            Some((c.unwrap_or('\u{FFFD}'), at + len.max(1)))
        }
    }
}

fn two(a: u8, b: u8) -> char {
    char::from_u32(u32::from(a & 0x1F) << 6 | u32::from(b & 0x3F)).unwrap_or('\u{FFFD}')
}

fn three(a: u8, b: u8, c: u8) -> char {
    let scalar = u32::from(a & 0x0F) << 12 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F);
    char::from_u32(scalar).unwrap_or('\u{FFFD}')
}

/// The families of scripts that a language is written in. A language that is not known narrows nothing.
pub(super) fn groups_of_language(tag: &str) -> Groups {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match primary.as_str() {
        "ar" | "fa" | "ur" | "ps" | "sd" | "ug" | "ckb" | "ku" | "syr" | "dv" | "nqo" | "ff" | "azb" | "pnb" | "ks" => {
            Groups::JOIN | Groups::RTL
        }
        "he" | "iw" | "yi" => Groups::RTL,
        "mn" => Groups::JOIN,
        "hi" | "mr" | "ne" | "sa" | "bn" | "as" | "pa" | "gu" | "or" | "ta" | "te" | "kn" | "ml" | "si" | "su"
        | "mni" | "mai" | "kok" | "new" => Groups::INDIC,
        "km" | "my" | "bo" | "dz" | "jv" | "ban" | "shn" | "mnw" => Groups::INDIC | Groups::UNSPACED,
        "th" | "lo" | "nod" | "khb" => Groups::UNSPACED,
        "zh" | "ja" | "yue" | "wuu" => Groups::UNSPACED | Groups::EAST_ASIAN,
        "ko" => Groups::EAST_ASIAN,
        "en" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "sv" | "da" | "nb" | "nn" | "no" | "fi" | "is" | "pl"
        | "cs" | "sk" | "sl" | "hr" | "sr" | "bs" | "bg" | "mk" | "ru" | "uk" | "be" | "el" | "hu" | "ro" | "et"
        | "lv" | "lt" | "tr" | "az" | "vi" | "id" | "ms" | "sw" | "ca" | "eu" | "gl" | "cy" | "ga" | "sq" | "hy"
        | "ka" | "la" => Groups::NONE,
        _ => Groups::ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_marks_belong_to_every_script_that_uses_them() {
        assert!(groups('\u{640}').has(Groups::JOIN)); // tatweel, Common
        assert!(groups('\u{964}').has(Groups::INDIC)); // danda, Common
        assert!(groups('\u{64E}').has(Groups::JOIN)); // fatha, Inherited
        assert!(!groups('.').has(Groups::ALL));
        assert!(!groups('\u{200B}').has(Groups::ALL));
    }

    #[test]
    fn the_short_way_to_groups_and_characters_ends_where_the_long_way_does() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            // The middle dot and a few modifiers are shared by scripts that they do not excuse anything for.
            if c as u32 >= 0x590 {
                assert_eq!(groups(c), groups_by_table(c), "U+{:04X}", c as u32);
            }
            assert_eq!(takes_emoji_selector(c), takes_emoji_selector_by_table(c), "U+{:04X}", c as u32);
            let text = format!("a{c}b");
            assert_eq!(after(text.as_bytes(), 1), Some((c, 1 + c.len_utf8())));
            assert_eq!(before(text.as_bytes(), 1 + c.len_utf8()), Some((c, 1)));
        }
    }

    #[test]
    fn a_paragraph_ends_at_a_line_feed_and_knows_its_scripts() {
        let text = "abc\nسلام\nकख".as_bytes();
        let mut p = Paragraph::new(Groups::ALL);
        assert_eq!(p.groups(text, 1), Groups::NONE);
        assert_eq!(p.range(text, 1), 0..4);
        assert!(p.groups(text, 5).has(Groups::RTL));
        assert!(p.groups(text, 5).has(Groups::JOIN));
        assert!(p.groups(text, text.len() - 1).has(Groups::INDIC));
        assert!(!p.groups(text, text.len() - 1).has(Groups::RTL));
    }

    #[test]
    fn compatibility_ideographs_are_pairs_and_other_ideographs_are_not() {
        // U+FA10 is written as U+585A and the first selector.
        assert!(takes_selector('\u{585A}', '\u{FE00}'));
        assert!(!takes_selector('\u{4E00}', '\u{FE00}'));
        assert!(takes_selector('\u{2229}', '\u{FE00}'));
        assert!(!takes_selector('a', '\u{FE00}'));
    }

    #[test]
    fn the_pairs_are_those_of_the_standard_and_not_their_neighbours() {
        assert!(takes_selector('\u{FF10}', '\u{FE00}'));
        assert!(takes_selector('\u{2018}', '\u{FE02}'));
        assert!(!takes_selector('\u{FF11}', '\u{FE00}'));
        assert!(!takes_selector('\u{2229}', '\u{FE01}'));
        assert!(!takes_selector('\u{2228}', '\u{FE00}'));
        assert!(takes_selector('\u{1DB10}', '\u{FE00}'));
        let emoji = VARIANTS.iter().find(|(selector, _)| *selector == 0xFE0E).expect("the emoji pairs are listed").1;
        let missing = emoji.iter().flat_map(|&(first, last)| first..=last).filter_map(char::from_u32);
        assert!(missing.into_iter().all(takes_emoji_selector));
    }

    #[test]
    fn malformed_bytes_are_walked_one_by_one() {
        let text = b"a\xE2\x80b";
        assert_eq!(after(text, 0), Some(('a', 1)));
        let (c, next) = after(text, 1).expect("bytes follow");
        assert_eq!(c, '\u{FFFD}');
        assert!(next > 1);
        assert_eq!(before(text, 3).map(|(c, _)| c), Some('\u{FFFD}'));
        assert_eq!(before(text, 0), None);
    }
}
