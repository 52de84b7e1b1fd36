//! What a text comes to when only its content counts: compatibility forms, case, blanks, invisible characters and
//! annotation markup are folded away.
//!
//! Two records with the same normalised text are the same record. Invisible characters are dropped because a record that
//! gains one together with another label is the very thing that is looked for: it must still be known again.

use std::sync::OnceLock;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::format::Coding;
use crate::format::coding::decode_into;

/// Normalises texts into memory of its own, so that no record costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Normaliser {
    plain: String,
    folded: Folded,
    out: Folded,
}

impl Normaliser {
    /// The normalised value of a field. Empty where nothing is left.
    pub(crate) fn value(&mut self, coding: Coding, raw: &[u8]) -> &[u8] {
        self.out.len = 0;
        if escaped(coding, raw) {
            self.plain.clear();
            decode_into(coding, raw, &mut self.plain);
            fold(self.plain.as_bytes(), &mut self.folded, &mut self.out);
        } else if coding != Coding::Null {
            fold(raw, &mut self.folded, &mut self.out);
        }
        self.out.written()
    }

    /// The normalised form of running text.
    #[cfg(test)]
    pub(crate) fn text(&mut self, text: &str) -> &[u8] {
        self.value(Coding::Plain, text.as_bytes())
    }
}

/// Whether a value differs from its bytes.
pub(crate) fn escaped(coding: Coding, raw: &[u8]) -> bool {
    match coding {
        Coding::Json => memchr::memchr(b'\\', raw).is_some(),
        Coding::Csv => memchr::memchr(b'"', raw).is_some(),
        Coding::Plain | Coding::Bare | Coding::Null | Coding::Columnar => false,
    }
}

/// Bytes that are written one after the other into memory that is there already.
#[derive(Debug, Default)]
struct Folded {
    /// What lies behind `len` means nothing.
    bytes: Vec<u8>,
    len: usize,
}

impl Folded {
    /// Makes room for so many bytes, and for a block of which only a part counts.
    fn reserve(&mut self, more: usize) {
        let least = self.len + more + BLOCK;
        if self.bytes.len() < least {
            self.bytes.resize(least, 0);
        }
    }

    fn last(&self) -> Option<u8> {
        self.bytes[..self.len].last().copied()
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline(always)]
    fn push_char(&mut self, c: Encoded) {
        let target = self.bytes[self.len..].first_chunk_mut().expect("room for a block is kept");
        *target = c.bytes;
        self.len += usize::from(c.len);
    }

    fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A character in UTF-8, always of the same size, so that it is written without a call.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Encoded {
    bytes: [u8; 4],
    len: u8,
}

impl From<char> for Encoded {
    fn from(c: char) -> Self {
        let mut bytes = [0; 4];
        let len = c.encode_utf8(&mut bytes).len() as u8;
        Self { bytes, len }
    }
}

fn fold(text: &[u8], folded: &mut Folded, out: &mut Folded) {
    out.reserve(text.len());
    if !fold_bytes::<true>(text, out) {
        out.len = 0;
        folded.len = 0;
        match simdutf8::basic::from_utf8(text) {
            Ok(text) => fold_unicode(text, folded),
            Err(_) => fold_unicode(&String::from_utf8_lossy(text), folded),
        }
        out.reserve(folded.len);
        fold_bytes::<false>(folded.written(), out);
    }
    out.len = out.written().trim_ascii_end().len();
}

/// Folds ASCII case, blanks and markup; other bytes pass, or are where it gives up and returns `false`. Adds no more bytes
/// than `text` has.
fn fold_bytes<const ASCII: bool>(text: &[u8], out: &mut Folded) -> bool {
    let mut at = 0;
    loop {
        at += fold_plain::<ASCII>(&text[at..], out);
        let Some(&special) = text.get(at) else { return true };
        if special.is_ascii_whitespace() || special == 0x0b {
            if !matches!(out.last(), None | Some(b' ')) {
                out.push(b' ');
            }
            at += 1;
        } else if ASCII && !special.is_ascii() {
            return false;
        } else if let Some((inner, len)) = annotation(text, at) {
            if !fold_bytes::<ASCII>(inner, out) {
                return false;
            }
            at += len;
        } else {
            out.push(special);
            at += 1;
        }
    }
}

/// Bytes that are folded at once.
const BLOCK: usize = 32;

/// Folds the stretch at the start that needs no thought: no control character, no `[`, no two blanks in a row, and where
/// only `ASCII` is taken nothing else. Returns its length.
fn fold_plain<const ASCII: bool>(text: &[u8], out: &mut Folded) -> usize {
    let special = |byte: u8, next: u8| {
        (byte < 0x20) | (byte == b'[') | ((byte == b' ') & (next == b' ')) | (ASCII & (byte >= 0x80))
    };
    let lower = |byte: u8| byte | (u8::from(byte.wrapping_sub(b'A') < 26) << 5);
    if text.first() == Some(&b' ') && matches!(out.last(), None | Some(b' ')) {
        return 0;
    }
    let mut at = 0;
    while at < text.len() {
        // One byte more than a block is looked at, since two blanks may stand across its end.
        let mut last = [b'x'; BLOCK + 1];
        let rest = &text[at..];
        // The last block may begin in the one before it: what is folded twice comes to the same.
        let (block, again, len) = match (rest.first_chunk::<{ BLOCK + 1 }>(), text.last_chunk::<BLOCK>()) {
            (Some(block), _) => (block, 0, BLOCK),
            (None, Some(block)) => {
                last[..BLOCK].copy_from_slice(block);
                (&last, BLOCK - rest.len().min(BLOCK), BLOCK)
            }
            (None, None) => {
                last[..rest.len()].copy_from_slice(rest);
                (&last, 0, rest.len())
            }
        };
        let target = out.bytes[out.len - again..].first_chunk_mut::<BLOCK>().expect("room for a block is kept");
        let mut any = false;
        for i in 0..BLOCK {
            any |= special(block[i], block[i + 1]);
            target[i] = lower(block[i]);
        }
        let plain = match any {
            true => (again..len).take_while(|&i| !special(block[i], block[i + 1])).count(),
            false => len - again,
        };
        out.len += plain;
        at += plain;
        if any {
            break;
        }
    }
    at
}

/// `[text](entity)` or `[text]{...}` at `at`: the text, and the length of the whole. Not behind a letter, a digit or a
/// closing bracket, where it is code that indexes something.
fn annotation(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    // Caps, so that a text full of brackets costs no more than any other.
    const INNER: usize = 1024;
    const TAG: usize = 256;
    if text[at] != b'[' {
        return None;
    }
    if at > 0 && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'_' | b')' | b']')) {
        return None;
    }
    let inner = &text[at + 1..text.len().min(at + 1 + INNER)];
    let inner = &inner[..memchr::memchr(b']', inner)?];
    let open = at + 1 + inner.len() + 1;
    let close = match text.get(open)? {
        b'(' => b')',
        b'{' => b'}',
        _ => return None,
    };
    let tag = &text[open..text.len().min(open + TAG)];
    let end = open + memchr::memchr(close, tag)? + 1;
    Some((inner, end - at))
}

/// NFKC and case folding, without invisible characters; every blank becomes a space.
///
/// Nearly every character comes to the same whatever stands beside it. Where one does not, the exact way is taken from the
/// last character that does to the next one: normalisation never reaches across those (UAX #15, 9.1: they are starters
/// whose quick check is "yes").
fn fold_unicode(text: &str, out: &mut Folded) {
    out.reserve(MOST * text.len());

    // The last character that stands for itself: where it begins in the text, and what it came to in `out`.
    let (mut start, mut kept) = (0, 0);
    let mut behind_mark = false;
    let mut rest = text.chars();
    let mut page = (usize::MAX, &[Part::Other; PAGE]);
    loop {
        let at = text.len() - rest.as_str().len();
        let Some(c) = rest.next() else { break };
        if c.is_ascii() {
            (start, kept, behind_mark) = (at, out.len, false);
            out.push(c as u8);
            continue;
        }
        let code = c as usize;
        if page.0 != code / PAGE {
            page = (code / PAGE, self::page(code / PAGE));
        }
        match page.1[code % PAGE] {
            Part::Alone(folded) => {
                (start, kept, behind_mark) = (at, out.len, false);
                out.push_char(folded);
            }
            Part::Mark if !behind_mark => {
                behind_mark = true;
                out.push_char(c.into());
            }
            Part::Invisible => {}
            Part::Mark | Part::Other => {
                let is_alone = |c: char| c.is_ascii() || matches!(part(c), Part::Alone(_));
                let len = rest.as_str().find(is_alone).unwrap_or(rest.as_str().len());
                let end = at + c.len_utf8() + len;
                out.len = kept;
                fold_exactly(&text[start..end], out);
                rest = text[end..].chars();
                out.reserve(MOST * rest.as_str().len());
                // Nothing reaches back across what comes next.
                (start, kept, behind_mark) = (end, out.len, false);
            }
        }
    }
}

fn fold_exactly(text: &str, out: &mut Folded) {
    for c in text.chars().filter(|&c| !is_invisible(c)).nfkc().flat_map(fold_case) {
        out.reserve(0);
        out.push_char(c.into());
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

/// Bytes that come of each byte of a text at most, but for what is folded exactly: of two, four.
const MOST: usize = 2;

/// What a character has to do with its neighbours.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Comes to this, whatever stands beside it, unless a mark follows that joins it.
    Alone(Encoded),
    /// A mark that joins nothing; where several stand in a row, their order counts.
    Mark,
    /// Leaves no trace.
    Invisible,
    /// Anything else.
    Other,
}

/// Characters of one page of the table.
const PAGE: usize = 256;

fn part(c: char) -> Part {
    page(c as usize / PAGE)[c as usize % PAGE]
}

fn page(number: usize) -> &'static [Part; PAGE] {
    // Made where they are first needed: a text uses few, and the start of the program waits for none.
    static PAGES: [OnceLock<Box<[Part; PAGE]>>; 0x11_0000 / PAGE] = [const { OnceLock::new() }; 0x11_0000 / PAGE];
    let make = |low: usize| char::from_u32((number * PAGE + low) as u32).map_or(Part::Other, tell);
    PAGES[number].get_or_init(|| Box::new(std::array::from_fn(make)))
}

fn tell(c: char) -> Part {
    if is_invisible(c) {
        return Part::Invisible;
    }
    let single = |mut found: &mut dyn Iterator<Item = char>| found.next().filter(|_| (&mut found).next().is_none());
    let Some(normal) = single(&mut std::iter::once(c).nfkc()) else { return Part::Other };
    let Some(folded) = single(&mut fold_case(normal)) else { return Part::Other };
    match (is_nfkc_quick(std::iter::once(normal)), canonical_combining_class(normal)) {
        (IsNormalized::Yes, 0) => Part::Alone(folded.into()),
        (IsNormalized::Yes, _) if folded == c => Part::Mark,
        _ => Part::Other,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> String {
        String::from_utf8(Normaliser::default().text(text).to_vec()).expect("folding keeps UTF-8")
    }

    fn folded(fold: fn(&str, &mut Folded), text: &str) -> Vec<u8> {
        let mut out = Folded::default();
        fold(text, &mut out);
        out.written().to_vec()
    }

    #[test]
    fn what_only_looks_different_is_the_same() {
        for (a, b) in [
            ("  Where is\tmy\r\n parcel?  ", "where is my parcel?"),
            ("ＦＵＬＬ　ｗｉｄｔｈ！", "full width!"),
            ("Stra\u{df}e", "STRASSE"),
            ("\u{41}\u{30a}ngstr\u{f6}m", "\u{e5}ngstr\u{f6}m"),
            ("par\u{200b}cel\u{e0041}", "parcel"),
            ("ΟΔΟΣ", "οδος"),
            ("Привет", "ПРИВЕТ"),
            ("show [me](pronoun) the [ big one ]{\"entity\": \"size\"}", "show me the big one"),
            ("a\u{a0}b", "a b"),
        ] {
            assert_eq!(normal(a), normal(b));
        }
    }

    #[test]
    fn what_means_something_else_stays_apart() {
        for (a, b) in
            [("a[0](x)", "a[0](y)"), ("[open", "open"), ("ab", "a b"), ("\u{131}s\u{131}", "isi"), ("[x] (y)", "x")]
        {
            assert_ne!(normal(a), normal(b));
        }
    }

    #[test]
    fn escapes_are_taken_off_first() {
        let mut normaliser = Normaliser::default();
        assert_eq!(normaliser.value(Coding::Json, br"Caf\u00C9\n\u200b now"), "caf\u{e9} now".as_bytes());
        assert_eq!(normaliser.value(Coding::Csv, br#"say ""HI"""#), br#"say "hi""#);
        assert_eq!(normaliser.value(Coding::Null, b"null"), b"");
    }

    #[test]
    fn a_text_of_brackets_is_done_at_once() {
        let text = "[".repeat(1 << 20);
        assert_eq!(normal(&text).len(), text.len());
    }

    /// The plain way, a byte after the other.
    fn slowly(text: &str) -> String {
        let out = String::from_utf8(folded(fold_exactly, text)).expect("folding keeps UTF-8");
        let words: Vec<_> =
            out.split(|c: char| c.is_ascii_whitespace() || c == '\u{b}').filter(|w| !w.is_empty()).collect();
        words.join(" ").to_ascii_lowercase()
    }

    #[test]
    fn every_character_between_two_marks_is_folded_exactly() {
        // Ideographs, syllables and empty planes are long and alike.
        let alike = |code: &u32| *code < 0x3400 || code.is_multiple_of(61) || (0xf900..0x1_0000).contains(code);
        for c in (0..=0x10_ffff).filter(alike).filter_map(char::from_u32) {
            let text = format!("a{c}\u{301}{c}\u{327}\u{301}b");
            let (exact, short) = (folded(fold_exactly, &text), folded(fold_unicode, &text));
            assert_eq!(short.to_ascii_lowercase(), exact, "U+{:04X}", c as u32);
        }
    }

    proptest! {
        #[test]
        fn the_short_way_through_unicode_is_the_exact_one(
            parts in proptest::collection::vec(prop_oneof![
                "[ -~À-ÿΑ-ωЀ-џא-תؠ-غぁ-ヺ一-龥가-힣！-～　、。“”–🌀-🙏\u{200b}\u{fe0f}]{0,9}",
                "[e\u{301}\u{327}\u{345}\u{3099}か\u{1100}\u{1161}\u{11a8}가क\u{93c}\u{94d}ကំ\u{200d}]{0,9}",
                "\\PC{0,9}",
            ], 0..6),
        ) {
            let text = parts.concat();
            let (exact, short) = (folded(fold_exactly, &text), folded(fold_unicode, &text));
            prop_assert_eq!(short.to_ascii_lowercase(), exact);
        }

        #[test]
        fn blocks_make_no_difference(text in "[a-zA-Z \t\n.é]{0,80}") {
            prop_assert_eq!(normal(&text), slowly(&text));
        }

        #[test]
        fn a_normal_text_is_its_own_normal_form(text in "[a-zA-Z \té\u{301}ﬁ①ℌ한\u{200d}]{0,40}") {
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }

        #[test]
        fn any_bytes_are_taken(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut normaliser = Normaliser::default();
            for coding in [Coding::Plain, Coding::Json, Coding::Csv, Coding::Null] {
                normaliser.value(coding, &raw);
            }
        }
    }
}
