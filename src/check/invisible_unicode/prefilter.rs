//! Finds the few bytes that the machine must look at, at the speed of memory.
//!
//! Text is taken in pieces. Vector code names the candidates of a piece, at a cost that is nearly the same for every
//! script and however dense they are, as in all Khmer and Persian; a group of blocks of harmless ASCII, which is nearly
//! every one of nearly every file, costs half of it. Every candidate is then decoded, so what comes out is exact.

use std::fmt::Debug;
use std::ops::Range;

use fearless_simd::Level;

mod exact;
pub(super) mod vector;

use exact::is_hit;
use vector::{Candidates, Tables, search};

/// Bytes of one piece.
const PIECE: usize = 1024;
/// A piece at the end of a text is as long as so many bytes times a whole number.
const BLOCK: usize = 64;
/// Bytes behind a place that tell whether something may begin at it.
const AHEAD: usize = 2;

/// What to look for.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Prefilter {
    /// Also look for JSON escapes of what is looked for.
    pub(super) escapes: bool,
    /// Also look for the classes that honest text is full of.
    pub(super) wide: bool,
}

/// Knows of stretches of a text in which nothing that is looked for can begin.
pub(super) trait Known: Debug {
    /// The next stretch at or behind `at` in which something may begin.
    fn next(&self, at: usize) -> Option<Range<usize>>;
}

/// The hits of one text, in order.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    text: &'a [u8],
    filter: Prefilter,
    known: Option<&'a dyn Known>,
    /// Up to here it has been asked what is known.
    asked: usize,
    level: Level,
    /// Where the piece starts that was looked at last, and where it ends.
    start: usize,
    end: usize,
    /// What has not been taken of its candidates, and in front of which of them nothing is left.
    candidates: Candidates,
    word: usize,
    /// The hit that was given last.
    last: Option<usize>,
}

impl Prefilter {
    /// The hits of `text`.
    pub(super) fn hits(self, text: &[u8]) -> Hits<'_> {
        Hits {
            text,
            filter: self,
            known: None,
            asked: 0,
            level: Level::new(),
            start: 0,
            end: 0,
            candidates: [0; PIECE / BLOCK],
            word: PIECE / BLOCK,
            last: None,
        }
    }
}

impl<'a> Hits<'a> {
    /// Passes over stretches of which it is known that nothing begins in them.
    pub(super) fn knowing(self, known: &'a dyn Known) -> Self {
        Self { known: Some(known), ..self }
    }

    /// The first hit at or behind `from`: the first byte of a character of the catalogue, or the backslash of an escape
    /// that stands for one. `from` never goes back; asked twice for the same place, it gives the same hit.
    #[inline]
    pub(super) fn first_from(&mut self, from: usize) -> Option<usize> {
        if let Some(last) = self.last
            && last >= from
        {
            return Some(last);
        }
        loop {
            while let Some(word) = self.candidates.get_mut(self.word) {
                if *word == 0 {
                    self.word += 1;
                    continue;
                }
                let at = self.start + BLOCK * self.word + word.trailing_zeros() as usize;
                *word &= *word - 1;
                if at >= from && is_hit(self.text, at, self.filter) {
                    self.last = Some(at);
                    return self.last;
                }
            }
            self.advance(from)?;
        }
    }

    /// Goes on to the next piece with candidates at or behind `from`.
    fn advance(&mut self, from: usize) -> Option<()> {
        let tables = Tables::with(self.filter.wide, self.filter.escapes);
        let mut at = self.end.max(from);
        loop {
            if let Some(known) = self.known
                && at >= self.asked
            {
                let stretch = known.next(at).unwrap_or(self.text.len()..self.text.len());
                at = at.max(stretch.start);
                self.asked = stretch.end.max(at);
            }
            if at >= self.text.len() {
                (self.start, self.end, self.last) = (self.text.len(), self.text.len(), None);
                return None;
            }
            let (end, found) = search(self.level, tables, self.text, at, &mut self.candidates);
            self.end = end;
            if found {
                (self.start, self.word) = (at, 0);
                return Some(());
            }
            at = self.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tables::{class_of, wide_class_of};
    use super::exact::{is_control_hit, is_escape_hit};
    use super::*;

    /// Every hit, found without blocks.
    fn slowly(text: &[u8], filter: Prefilter) -> Vec<usize> {
        (0..text.len())
            .filter(|&at| match text[at] {
                b'\\' if filter.escapes => {
                    if filter.wide {
                        is_escape_hit::<true>(text, at)
                    } else {
                        is_escape_hit::<false>(text, at)
                    }
                }
                0..0x80 => !matches!(text[at], b'\n' | b'\t' | b' '..=b'~') && is_control_hit(text, at),
                0x80..0xC0 => false,
                _ => {
                    let (c, _) = bstr::decode_utf8(&text[at..]);
                    c.is_some_and(|c| if filter.wide { wide_class_of(c) } else { class_of(c) }.is_some())
                }
            })
            .collect()
    }

    const NONE: [usize; 0] = [];

    fn quickly(text: &[u8], filter: Prefilter) -> Vec<usize> {
        all_of(filter.hits(text))
    }

    fn all_of(mut hits: Hits<'_>) -> Vec<usize> {
        let (mut all, mut at) = (Vec::new(), 0);
        while let Some(hit) = hits.first_from(at) {
            all.push(hit);
            at = hit + 1;
        }
        all
    }

    #[test]
    fn the_catalogue_is_found_at_every_offset_of_a_block_and_nothing_else_is() {
        let (mut wanted, mut other): (Vec<char>, Vec<char>) =
            (0..=0x10_FFFF).filter_map(char::from_u32).partition(|&c| class_of(c).is_some());
        other.retain(|&c| c != '\r');
        assert_eq!(quickly(other.iter().collect::<String>().as_bytes(), Prefilter::default()), NONE);
        // The unassigned end of plane 14 is long and alike.
        wanted.retain(|&c| (c as u32) < 0xE0200 || (c as u32).is_multiple_of(89) || c as u32 % 0x1_0000 > 0xFFF0);
        for c in wanted {
            let pad = c as usize % 70;
            let text = format!("{}{c}{}", "x".repeat(pad), "y".repeat(80));
            assert_eq!(quickly(text.as_bytes(), Prefilter::default()), [pad], "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn escapes_are_found_and_escaped_backslashes_are_not_escapes() {
        let filter = Prefilter { escapes: true, wide: false };
        let found = |text: &str| quickly(text.as_bytes(), filter);
        assert_eq!(found(r#"{"a": "pay\u200bpal"}"#), [10]);
        assert_eq!(found(r#"{"a": "pay\\u200bpal"}"#), NONE);
        assert_eq!(found(r#"{"a": "pay\\\u200Bpal"}"#), [12]);
        assert_eq!(found(r#"{"a": "\udb40\udc41"}"#), [7]);
        assert_eq!(found(r#"{"a": "\ud83d\ude00 \u00e9 \n \t \""}"#), NONE);
        assert_eq!(found(r#"{"a": "a\b"}"#), [8]);
        assert_eq!(found(r#"{"a": "one\r\ntwo\r"}"#), NONE);
        assert_eq!(found(r#"{"a": "one\rtwo"}"#), [10]);
        assert_eq!(quickly(r"\u200b".as_bytes(), Prefilter::default()), NONE);
    }

    #[test]
    fn few_letters_of_any_script_are_candidates() {
        let text = "Ein naïves Café; «guillemets» — “quotes”… Добрый день, где мой заказ? Καλημέρα. سلام، کتاب\u{200C}ها و مدرسه؛ \
            שָׁלוֹם עוֹלָם नमस्ते दुनिया কেমন আছেন வணக்கம் ഹലോ ආයුබෝවන් ខ្ញុំ\u{200B}ចង់ទៅសាលារៀន မြန်မာစာ သတင်းစာ สวัสดีชาวโลก བོད་ཡིག \
            你好，世界。「こんにちは」カタカナ 안녕하세요 გამარჯობა Բարեւ ሰላም Việt Nam 😂👍🏽❤\u{FE0F}🇩🇪 ᠮᠣᠩᠭᠣᠯ     ".repeat(3);
        let hits = quickly(text.as_bytes(), Prefilter::default()).len();
        for level in [Level::new(), Level::baseline()] {
            let (mut candidates, mut count) = ([0; PIECE / BLOCK], 0);
            let mut at = 0;
            while at < text.len() {
                (at, _) = search(level, Tables::with(false, true), text.as_bytes(), at, &mut candidates);
                count += candidates.iter().map(|word| word.count_ones()).sum::<u32>();
            }
            // The guillemet and the skin tone are told from what is looked for by decoding them.
            assert!(hits == 9 && (9..=15).contains(&count), "{level:?}: {hits} hits, {count} candidates");
        }
    }

    #[test]
    fn carriage_returns_of_line_ends_are_no_hits() {
        assert_eq!(quickly(b"one\r\ntwo\r", Prefilter::default()), NONE);
        assert_eq!(quickly(b"one\rtwo", Prefilter::default()), [3]);
    }

    proptest! {
        #[test]
        fn blocks_lose_nothing_and_add_nothing(
            parts in prop::collection::vec(
                prop_oneof![
                    "[ -~]{0,90}".prop_map(String::into_bytes),
                    "\\PC{0,12}".prop_map(String::into_bytes),
                    "[\u{200B}-\u{200F}\u{2028}-\u{202E}\u{E0001}-\u{E007F}\u{FE00}-\u{FE0F}ក-៹آ-ی—’]{0,9}".prop_map(String::into_bytes),
                    prop::collection::vec(any::<u8>(), 0..12),
                    prop::sample::select(vec!["\\u200b", "\\\\u200b", "\\", "\r", "\r\n", "\\r\\n", "\\b", "\\udb40\\udc41"])
                        .prop_map(|s: &str| s.as_bytes().to_vec()),
                ],
                0..40,
            ),
            times in 1..4_usize,
            escapes: bool,
            wide: bool,
        ) {
            let text = parts.concat().repeat(times);
            let filter = Prefilter { escapes, wide };
            let wanted = slowly(&text, filter);
            prop_assert_eq!(quickly(&text, filter), &wanted[..]);
            // On a machine with nothing but what all of its kind have.
            prop_assert_eq!(all_of(Hits { level: Level::baseline(), ..filter.hits(&text) }), wanted);
        }
    }
}
