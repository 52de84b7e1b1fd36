//! The catalogue: which code points are looked for, and the class each belongs to.

/// A class of the catalogue. Its id (`U01` …) stands in the evidence of every finding.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(super) enum Class {
    ZeroWidthSpace,
    Joiner,
    WordJoiner,
    ByteOrderMark,
    BidiOverride,
    BidiEmbedding,
    BidiMark,
    Tag,
    SelectorRun,
    LoneSelector,
    HangulFiller,
    MongolianFormat,
    SoftHyphen,
    GraphemeJoiner,
    InvisibleOperator,
    UnassignedIgnorable,
    Annotation,
    DeprecatedFormat,
    NotationFormat,
    KhmerVowel,
    BrailleBlank,
    OddSpace,
    LineSeparator,
    Control,
    ErasingControl,
    C1Control,
    PrivateUse,
    Noncharacter,
    StackedMarks,
    Replacement,
}

impl Class {
    /// Every class that this machine looks for, in the order of the catalogue.
    pub(super) const ALL: [Class; 30] = [
        Class::ZeroWidthSpace,
        Class::Joiner,
        Class::WordJoiner,
        Class::ByteOrderMark,
        Class::BidiOverride,
        Class::BidiEmbedding,
        Class::BidiMark,
        Class::Tag,
        Class::SelectorRun,
        Class::LoneSelector,
        Class::HangulFiller,
        Class::MongolianFormat,
        Class::SoftHyphen,
        Class::GraphemeJoiner,
        Class::InvisibleOperator,
        Class::UnassignedIgnorable,
        Class::Annotation,
        Class::DeprecatedFormat,
        Class::NotationFormat,
        Class::KhmerVowel,
        Class::BrailleBlank,
        Class::OddSpace,
        Class::LineSeparator,
        Class::Control,
        Class::ErasingControl,
        Class::C1Control,
        Class::PrivateUse,
        Class::Noncharacter,
        Class::StackedMarks,
        Class::Replacement,
    ];

    /// Its id in the catalogue.
    pub(super) fn id(self) -> &'static str {
        match self {
            Class::ZeroWidthSpace => "U01",
            Class::Joiner => "U02",
            Class::WordJoiner => "U03",
            Class::ByteOrderMark => "U04",
            Class::BidiOverride => "U05",
            Class::BidiEmbedding => "U06",
            Class::BidiMark => "U07",
            Class::Tag => "U08",
            Class::SelectorRun => "U09",
            Class::LoneSelector => "U10",
            Class::HangulFiller => "U11",
            Class::MongolianFormat => "U12",
            Class::SoftHyphen => "U13",
            Class::GraphemeJoiner => "U14",
            Class::InvisibleOperator => "U15",
            Class::UnassignedIgnorable => "U16",
            Class::Annotation => "U17",
            Class::DeprecatedFormat => "U18",
            Class::NotationFormat => "U19",
            Class::KhmerVowel => "U20",
            Class::BrailleBlank => "U21",
            Class::OddSpace => "U22",
            Class::LineSeparator => "U23",
            Class::Control => "U24",
            Class::ErasingControl => "U25",
            Class::C1Control => "U26",
            Class::PrivateUse => "U27",
            Class::Noncharacter => "U28",
            Class::StackedMarks => "U29",
            Class::Replacement => "U41",
        }
    }

    /// What its characters are called, in the singular.
    pub(super) fn name(self) -> &'static str {
        match self {
            Class::ZeroWidthSpace => "zero-width space",
            Class::Joiner => "zero-width joiner or non-joiner",
            Class::WordJoiner => "word joiner",
            Class::ByteOrderMark => "byte-order mark inside text",
            Class::BidiOverride => "direction override",
            Class::BidiEmbedding => "direction embedding or isolate",
            Class::BidiMark => "direction mark",
            Class::Tag => "tag character",
            Class::SelectorRun => "run of variation selectors",
            Class::LoneSelector => "variation selector on a wrong base",
            Class::HangulFiller => "Hangul filler",
            Class::MongolianFormat => "Mongolian selector or vowel separator",
            Class::SoftHyphen => "soft hyphen",
            Class::GraphemeJoiner => "combining grapheme joiner",
            Class::InvisibleOperator => "invisible mathematical operator",
            Class::UnassignedIgnorable => "unassigned invisible code point",
            Class::Annotation => "interlinear annotation",
            Class::DeprecatedFormat => "deprecated format character",
            Class::NotationFormat => "format character of music or shorthand",
            Class::KhmerVowel => "invisible Khmer vowel",
            Class::BrailleBlank => "blank Braille cell",
            Class::OddSpace => "odd space",
            Class::LineSeparator => "line or paragraph separator",
            Class::Control => "control character",
            Class::ErasingControl => "erasing control character",
            Class::C1Control => "C1 control character",
            Class::PrivateUse => "private-use character",
            Class::Noncharacter => "noncharacter",
            Class::StackedMarks => "pile of combining marks",
            Class::Replacement => "replacement or object character",
        }
    }

    /// Whether its characters are hidden marks that can stand next to each other as one run and carry a payload.
    pub(super) fn runs(self) -> bool {
        matches!(
            self,
            Class::ZeroWidthSpace
                | Class::Joiner
                | Class::WordJoiner
                | Class::ByteOrderMark
                | Class::BidiMark
                | Class::Tag
                | Class::SelectorRun
                | Class::LoneSelector
                | Class::HangulFiller
                | Class::MongolianFormat
                | Class::SoftHyphen
                | Class::GraphemeJoiner
                | Class::InvisibleOperator
                | Class::UnassignedIgnorable
                | Class::DeprecatedFormat
                | Class::NotationFormat
                | Class::KhmerVowel
        )
    }

    /// Whether its characters are known as symbols of bit channels.
    pub(super) fn carries_bits(self) -> bool {
        matches!(
            self,
            Class::ZeroWidthSpace
                | Class::Joiner
                | Class::WordJoiner
                | Class::ByteOrderMark
                | Class::BidiMark
                | Class::HangulFiller
                | Class::MongolianFormat
                | Class::SoftHyphen
                | Class::GraphemeJoiner
                | Class::InvisibleOperator
                | Class::DeprecatedFormat
                | Class::NotationFormat
        )
    }
}

/// The class of a code point that is always looked for. Carriage returns count as controls here; whether one is bare
/// is for the caller to say.
#[inline]
pub(super) fn class_of(c: char) -> Option<Class> {
    let c = c as u32;
    if c < 0x1_0000 {
        let row = ROWS[(c >> 8) as usize];
        return CLASSES[row as usize][(c & 0xFF) as usize];
    }
    Class::of(c)
}

/// The rows of 256 code points that hold something, by number; row 0 of [`CLASSES`] is empty.
static ROWS: [u8; 256] = {
    let mut rows = [0; 256];
    let mut n = 0;
    while n < FULL_ROWS.len() {
        rows[FULL_ROWS[n]] = n as u8 + 1;
        n += 1;
    }
    rows
};

const FULL_ROWS: [usize; 12] = [0x00, 0x03, 0x06, 0x11, 0x17, 0x18, 0x20, 0x28, 0x31, 0xFD, 0xFE, 0xFF];

static CLASSES: [[Option<Class>; 256]; FULL_ROWS.len() + 1] = {
    let mut classes = [[None; 256]; FULL_ROWS.len() + 1];
    let mut n = 0;
    while n < FULL_ROWS.len() {
        let mut low = 0;
        while low < 256 {
            classes[n + 1][low] = Class::of((FULL_ROWS[n] << 8 | low) as u32);
            low += 1;
        }
        n += 1;
    }
    classes
};

impl Class {
    /// See [`class_of`]; this is what its table is made from.
    const fn of(c: u32) -> Option<Class> {
        Some(match c {
            0x09 | 0x0A => return None,
            0x08 | 0x7F => Class::ErasingControl,
            0x00..=0x1F => Class::Control,
            0x80..=0x9F => Class::C1Control,
            0xAD => Class::SoftHyphen,
            0x34F => Class::GraphemeJoiner,
            0x61C | 0x200E | 0x200F => Class::BidiMark,
            0x115F | 0x1160 | 0x3164 | 0xFFA0 => Class::HangulFiller,
            0x17B4 | 0x17B5 => Class::KhmerVowel,
            0x180B..=0x180F => Class::MongolianFormat,
            0x200B => Class::ZeroWidthSpace,
            0x200C | 0x200D => Class::Joiner,
            0x2028 | 0x2029 => Class::LineSeparator,
            0x202D | 0x202E => Class::BidiOverride,
            0x202A..=0x202C | 0x2066..=0x2069 => Class::BidiEmbedding,
            0x2060 => Class::WordJoiner,
            0x2061..=0x2064 => Class::InvisibleOperator,
            0x2065 | 0xFFF0..=0xFFF8 => Class::UnassignedIgnorable,
            0x206A..=0x206F => Class::DeprecatedFormat,
            0x2800 => Class::BrailleBlank,
            0xFE00..=0xFE0F | 0xE0100..=0xE01EF => Class::LoneSelector,
            0xFEFF => Class::ByteOrderMark,
            0xFFF9..=0xFFFB => Class::Annotation,
            0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A => Class::NotationFormat,
            0xE0001 | 0xE0020..=0xE007F => Class::Tag,
            _ if c & 0xFFFE == 0xFFFE || matches!(c, 0xFDD0..=0xFDEF) => Class::Noncharacter,
            // The whole of plane 14 that is not assigned: lax encoders overflow into it.
            0xE0000..=0xEFFFF => Class::UnassignedIgnorable,
            _ => return None,
        })
    }
}

/// The class of a code point that is looked for only on request, since honest text is full of it.
pub(super) fn wide_class_of(c: char) -> Option<Class> {
    Some(match c as u32 {
        0xA0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => Class::OddSpace,
        0xE000..=0xF8FF | 0xF0000..=0xFFFFD | 0x10_0000..=0x10_FFFD => Class::PrivateUse,
        0xFFFC | 0xFFFD => Class::Replacement,
        _ => return class_of(c),
    })
}

/// Whether a code point is Default_Ignorable: drawn as nothing where a font does not know better.
pub(super) fn is_default_ignorable(c: char) -> bool {
    matches!(c as u32,
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFF8
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// A variation selector of the two blocks that can carry bytes.
pub(super) fn is_selector(c: char) -> bool {
    matches!(c as u32, 0xFE00..=0xFE0F | 0xE0100..=0xE01EF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::CodePointSetData;
    use icu_properties::props::DefaultIgnorableCodePoint;

    #[test]
    fn the_ranges_of_default_ignorables_are_those_of_the_unicode_tables() {
        let set = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            assert_eq!(is_default_ignorable(c), set.contains(c), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn the_table_has_every_class() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            assert_eq!(class_of(c), Class::of(c as u32), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn every_default_ignorable_has_a_class() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32).filter(|&c| is_default_ignorable(c)) {
            assert!(class_of(c).is_some(), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn ids_are_unique_and_in_order() {
        let ids: Vec<_> = Class::ALL.iter().map(|c| c.id()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.len(), ids.iter().collect::<std::collections::BTreeSet<_>>().len());
    }
}
