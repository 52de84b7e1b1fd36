//! Combining marks piled up on a letter: text that a reader cannot read and a model can.

use std::ops::Range;
use std::sync::LazyLock;

use icu_properties::props::{GeneralCategory, Script};
use memchr::{memchr2_iter, memmem};
use unicode_normalization::UnicodeNormalization;

use super::context::{self, after, before};
use super::prefilter::vector::{ANY, Tables, may_begin};
use super::tables::is_default_ignorable;

/// So many marks no honest script puts on one base: Myanmar, Lao, Tibetan and Devanagari come to four.
const MANY: usize = 5;
/// So many of the general marks are many on a Latin letter.
const MANY_ON_LATIN: usize = 3;
/// Bytes that are searched at once.
const PIECE: usize = 1024;
/// Every so many bytes a text is sampled: five marks of two bytes are longer.
const STRIDE: usize = 8;
/// Stacks this close to each other are one occurrence.
const NEAR: usize = 16;
/// At most so many marks of one base are counted.
const COUNTED: usize = 4096;

/// What a mark may begin with. In most scripts letters begin otherwise; in those of India and their neighbours anything may
/// be a mark, and so may what has four bytes and is no emoji.
static MARKS: Tables = Tables::of(
    &[&[(0, (0xCC, 0xCD)), (1, (0xDC, 0xDF)), (2, (0xE0, 0xE1)), (3, (0xF0, 0xF0))]],
    &[&[
        (0, [(0xD2, 0xD2), (0x83, 0x87), ANY]),
        (0, [(0xD7, 0xD7), (0x81, 0x8F), ANY]),
        (1, [(0xD9, 0xD9), (0x8B, 0x8F), ANY]),
        (2, [(0xD9, 0xD9), (0xB0, 0xB0), ANY]),
        (3, [(0xD6, 0xD6), (0x91, 0x9F), ANY]),
        (3, [(0xD8, 0xD9), (0x90, 0x9F), ANY]),
        (3, [(0xDB, 0xDB), (0x96, 0x9F), ANY]),
        (4, [(0xD6, 0xD6), (0xA0, 0xBF), ANY]),
        (4, [(0xDB, 0xDB), (0xA0, 0xAD), ANY]),
        (5, [(0xE2, 0xE2), (0x83, 0x83), (0x90, 0xBF)]),
        (5, [(0xE2, 0xE2), (0xB3, 0xB3), (0xAF, 0xB1)]),
        (5, [(0xE2, 0xE2), (0xB5, 0xB5), (0xBF, 0xBF)]),
        (5, [(0xE2, 0xE2), (0xB7, 0xB7), (0xA0, 0xBF)]),
        (5, [(0xEF, 0xEF), (0xB8, 0xB8), (0xA0, 0xAF)]),
        (6, [(0xE3, 0xE3), (0x80, 0x80), (0xAA, 0xAF)]),
        (6, [(0xE3, 0xE3), (0x82, 0x82), (0x99, 0x9A)]),
        (6, [(0xEF, 0xEF), (0xAC, 0xAC), (0x9E, 0x9E)]),
        (7, [(0xEA, 0xEA), (0x80, 0xAF), ANY]),
    ]],
);

/// One stretch of stacks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stack {
    /// From the first base to behind the last mark.
    pub(super) range: Range<usize>,
    /// The marks, each once.
    pub(super) marks: Vec<char>,
    /// How many marks there are.
    pub(super) count: u64,
    /// The text without them.
    pub(super) stripped: String,
    /// Whether they cover no letter, or are only typed on and on, as a cry is.
    pub(super) mild: bool,
}

fn is_stacking(c: char) -> bool {
    /// A bit for each character of the first plane: properties take long to look up.
    static FIRST_PLANE: LazyLock<Box<[u64; 0x400]>> = LazyLock::new(|| {
        let bit = |code: u32| u64::from(char::from_u32(code).is_some_and(is_mark)) << (code % 64);
        let word = |n: usize| (0..64).fold(0, |word, low| word | bit(64 * n as u32 + low));
        Box::new(std::array::from_fn(word))
    });
    match FIRST_PLANE.get(c as usize / 64) {
        Some(word) => word >> (c as u32 % 64) & 1 != 0,
        None => is_mark(c),
    }
}

fn is_mark(c: char) -> bool {
    c as u32 >= 0x300 && !is_default_ignorable(c) && context::category(c) == GeneralCategory::NonspacingMark
}

/// Where stacks may begin, in order: in texts as they stand, and in the escapes of JSON.
pub(super) fn openings(text: &[u8], json: bool) -> impl Iterator<Item = usize> {
    let mut at = 0;
    let mut raw = std::iter::from_fn(move || {
        while at < text.len() {
            let len = PIECE.min(text.len() - at);
            if may_begin(&MARKS, text, at..at + len)
                && let Some(stack) = in_piece(text, at, len)
            {
                at = stack.end;
                return Some(stack.start);
            }
            at += len;
        }
        None
    })
    .peekable();
    let escaped = (json && memmem::find(text, b"\\u03").is_some()).then(|| memmem::find_iter(text, b"\\u03"));
    let mut escaped = escaped
        .into_iter()
        .flatten()
        .filter(|&at| {
            (0..MANY_ON_LATIN)
                .all(|n| matches!(text.get(at + 6 * n..at + 6 * n + 5), Some([b'\\', b'u', b'0', b'3', b'0'..=b'6'])))
        })
        .peekable();
    std::iter::from_fn(move || match (raw.peek(), escaped.peek()) {
        (Some(a), Some(b)) if b < a => escaped.next(),
        (None, _) => escaped.next(),
        _ => raw.next(),
    })
}

/// The first stack of a piece.
fn in_piece(text: &[u8], start: usize, len: usize) -> Option<Range<usize>> {
    let piece = &text[start..start + len];
    // Three general marks of two bytes each.
    let latin = memchr2_iter(0xCC, 0xCD, piece).map(|at| start + at).find_map(|at| {
        let three = matches!(text.get(at..at + 6), Some([_, _, 0xCC | 0xCD, _, 0xCC | 0xCD, _]));
        if three { stack_around(text, at) } else { None }
    });
    let mut beyond_ascii = (0..len).step_by(STRIDE).map(|at| start + at).filter(|&at| text[at] >= 0x80);
    let sampled = beyond_ascii.find_map(|at| {
        // Back to the first byte of the character.
        let back = text[..=at].iter().rev().take(4).position(|b| !matches!(b, 0x80..=0xBF)).unwrap_or(0);
        let at = at - back;
        // The letters of the great scripts are told by their first byte.
        let may = matches!(text[at], 0xCC | 0xCD | 0xD2 | 0xD6..=0xE3 | 0xEA | 0xEF | 0xF0);
        // Most marks stand alone or in twos, and the one beside it is told quickly.
        let is_mark = |c: Option<(char, usize)>| c.filter(|&(c, _)| is_stacking(c));
        let (_, end) = is_mark(if may { after(text, at) } else { None })?;
        let next = is_mark(after(text, end));
        let is_third = |c: Option<(char, usize)>| is_mark(c).is_some();
        let in_threes = match (is_mark(before(text, at)), next) {
            (Some(_), Some(_)) => true,
            (Some((_, start)), None) => is_third(before(text, start)),
            (None, Some((_, end))) => is_third(after(text, end)),
            (None, None) => false,
        };
        if in_threes { stack_around(text, at) } else { None }
    });
    latin.into_iter().chain(sampled).filter(|stack| stack.end > start).min_by_key(|stack| stack.start)
}

/// The base and the end of the stack that the mark at `at` belongs to, where it is one.
fn stack_around(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut base = at;
    for _ in 0..COUNTED {
        let (c, next) = before(text, base)?;
        base = next;
        if !is_stacking(c) {
            break;
        }
    }
    let (c, mut end) = after(text, base)?;
    let first = end;
    let (mut count, mut general, mut last) = (0, 0, None);
    for _ in 0..COUNTED {
        let Some((mark, next)) = after(text, end).filter(|&(c, _)| is_stacking(c)) else { break };
        // Subjoined letters of Tibetan are letters, and a vowel sign that is typed on and on is a long vowel.
        let is_letter = matches!(mark as u32, 0xF90..=0xFBC);
        let is_longer = last == Some(mark) && context::is_indic_vowel_sign(mark);
        count += usize::from(!is_letter && !is_longer);
        last = Some(mark);
        general += usize::from(mark <= '\u{36F}');
        end = next;
    }
    let many = count >= MANY
        || general >= MANY_ON_LATIN && (c.is_ascii_alphanumeric() || context::is_in(c, Script::Latin)) && {
            let marks = std::str::from_utf8(&text[first..end]).unwrap_or_default();
            // A letter with two marks that compose may honestly carry a third.
            std::iter::once(c).chain(marks.chars()).nfc().skip(1).filter(|&c| is_stacking(c)).count() >= 2
        };
    many.then_some(base..end)
}

/// The stacks of a text.
pub(super) fn find(text: &[u8]) -> Vec<Stack> {
    let mut found: Vec<Stack> = Vec::new();
    let mut at = 0;
    while let Some((c, next)) = after(text, at) {
        if !is_stacking(c) {
            at = next;
            continue;
        }
        let Some(range) = stack_around(text, at) else {
            // Behind the marks that are no stack.
            at = next;
            while let Some((_, next)) = after(text, at).filter(|&(c, _)| is_stacking(c)) {
                at = next;
            }
            continue;
        };
        at = range.end;
        let chars = String::from_utf8_lossy(&text[range.clone()]);
        let marks = || chars.chars().filter(|&c| is_stacking(c));
        let mild = is_mild(&chars);
        match found.last_mut() {
            Some(last) if range.start <= last.range.end + NEAR => {
                let between = String::from_utf8_lossy(&text[last.range.end..range.start.max(last.range.end)]);
                last.stripped.extend(between.chars().chain(chars.chars().filter(|&c| !is_stacking(c))));
                last.count += marks().count() as u64;
                last.marks.extend(marks());
                last.range.end = range.end;
                last.mild &= mild;
            }
            _ => found.push(Stack {
                count: marks().count() as u64,
                marks: marks().collect(),
                stripped: chars.chars().filter(|&c| !is_stacking(c)).collect(),
                range,
                mild,
            }),
        }
        if let Some(last) = found.last_mut() {
            last.marks.sort_unstable();
            last.marks.dedup();
        }
    }
    found
}

/// Whether a stack covers no letter and no digit, or is one of a few marks of its own script, repeated.
fn is_mild(stack: &str) -> bool {
    let base = stack.chars().next();
    if !base.is_some_and(char::is_alphanumeric) {
        return true;
    }
    let mut marks: Vec<char> = stack.chars().skip(1).collect();
    marks.dedup();
    marks.len() <= MANY_ON_LATIN && marks.iter().all(|&c| c > '\u{36F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opens(text: &str) -> bool {
        openings(text.as_bytes(), false).next().is_some()
    }

    #[test]
    fn piled_marks_are_found_and_the_text_below_them_is_shown() {
        let zalgo = "say p\u{300}\u{301}\u{302}a\u{316}\u{31B}\u{35C}\u{345}y\u{33B}\u{330}\u{30C} me";
        let found = find(zalgo.as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].stripped.as_str(), found[0].count), ("pay", 10));
        assert!(opens(zalgo));
        let thai = "ก\u{E47}\u{E47}\u{E47}\u{E47}\u{E47}";
        assert_eq!(find(thai.as_bytes()).len(), 1);
        assert!(opens(thai));
        assert!(!found[0].mild);
        let is_mild = |text: &str| find(text.as_bytes()).iter().all(|stack| stack.mild);
        assert!(
            is_mild("นุ้้้้้้้เ") && is_mild("चुू\u{93C}\u{93C}\u{93C}\u{93C}") && is_mild("♡̷̷̷̷̷̷̷ x"),
            "a cry and a struck-out heart"
        );
        assert!(!is_mild("ก\u{E47}\u{E48}\u{E47}\u{E49}\u{E4A}") && !is_mild("p\u{337}\u{337}\u{337}\u{337}\u{337}"));
    }

    #[test]
    fn what_scripts_honestly_pile_up_is_no_stack() {
        for honest in [
            "ế ệ ǭ̃ ɔ\u{303}\u{301} a\u{301}",
            "e\u{302}\u{301}\u{323}",
            "בְּרֵאשִׁ֖ית",
            "မြန်မာဘာသာစကား ငြိမ်းချမ်း",
            "བསྒྲུབས་ རྒྱུ",
            "เก็บ น้ำ ที่",
            "हिन्दी क्षत्रिय ँ",
            "च\u{93C}\u{941}\u{941}\u{941}\u{941}\u{941}\u{942}",
            "\u{F59}\u{FAA}\u{FAD}\u{F71}\u{F7E}\u{F39}\u{F35}",
            "اللَّهِ مُحَمَّدٌ",
        ] {
            assert_eq!(find(honest.as_bytes()), [], "{honest}");
            assert!(!opens(honest), "{honest}");
        }
    }

    #[test]
    fn escaped_marks_open_a_stack() {
        assert_eq!(openings(br"ab\u0300\u0301\u0302 c", true).next(), Some(2));
        assert!(openings(br"\u0300\u03b1\u0302", true).next().is_none());
    }

    #[test]
    fn every_mark_opens_a_stack() {
        let is_missed = |&c: &char| {
            [0, PIECE - 7].into_iter().any(|pad| {
                let text = format!("{}世{}", "x".repeat(pad), c.to_string().repeat(6));
                opens(&text) == find(text.as_bytes()).is_empty()
            })
        };
        let marks = (0..=0x10_FFFF).filter_map(char::from_u32).filter(|&c| is_stacking(c));
        assert_eq!(marks.filter(is_missed).collect::<String>(), "");
        let text = "Добрый день — «cafe»… سلام، کتاب پ שלום 你好，世界：こんにちは 안녕 Αθήνα";
        assert!(!may_begin(&MARKS, text.as_bytes(), 0..text.len()));
    }

    proptest! {
        #[test]
        fn sampling_misses_no_stack(pad in "[a-zé世ก]{0,40}", base in "[aЖกअ世]", mark in prop::sample::select(vec!['\u{300}', '\u{36F}', '\u{64B}', '\u{5B0}', '\u{E47}', '\u{93C}', '\u{302A}', '\u{1AB0}', '\u{FE20}']), tail in "[a-z世]{0,20}") {
            let text = format!("{pad}{base}{}{tail}", mark.to_string().repeat(5));
            prop_assert_eq!(find(text.as_bytes()).len(), 1);
            prop_assert!(opens(&text));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xCC), Just(0x80)], 0..90)) {
            let _ = find(&bytes);
            let _ = openings(&bytes, true).count();
        }
    }
}
