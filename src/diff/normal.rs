//! What a text comes to when only its content counts: compatibility forms, case, blanks, invisible characters and
//! annotation markup are folded away.
//!
//! Two records with the same normalised text are the same record. Invisible characters are dropped because a record that
//! gains one together with another label is the very thing that is looked for: it must still be known again.

mod unicode;

use crate::format::Coding;
use crate::format::coding::decode_into;
use unicode::fold_unicode;
pub(crate) use unicode::is_invisible;

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

    fn push_char(&mut self, c: char) {
        self.reserve(0);
        self.len += c.encode_utf8(&mut self.bytes[self.len..]).len();
    }

    fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
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
    if text.first() == Some(&b' ') && matches!(out.last(), None | Some(b' ')) {
        return 0;
    }
    let mut at = 0;
    // One byte more than a block is looked at, since two blanks may stand across its end.
    while let Some(block) = text[at..].first_chunk() {
        let plain = fold_block::<ASCII>(block, &mut out.bytes[out.len..]);
        out.len += plain;
        at += plain;
        if plain < BLOCK {
            return at;
        }
    }
    let rest = text.len() - at;
    let mut last = [b'x'; BLOCK + 1];
    let (again, len) = match text.last_chunk::<BLOCK>() {
        // The last block begins in the one before it: what is folded twice comes to the same.
        Some(block) => {
            last[..BLOCK].copy_from_slice(block);
            (BLOCK - rest, BLOCK)
        }
        None => {
            last[..rest].copy_from_slice(text);
            (0, rest)
        }
    };
    let plain = fold_block::<ASCII>(&last, &mut out.bytes[out.len - again..]).clamp(again, len) - again;
    out.len += plain;
    at + plain
}

/// Folds a block, and returns how many bytes of it need no thought. What is written behind those means nothing.
#[inline(always)]
fn fold_block<const ASCII: bool>(block: &[u8; BLOCK + 1], target: &mut [u8]) -> usize {
    // Of ASCII nothing is negative.
    let control = |byte: u8| if ASCII { byte.cast_signed() < 0x20 } else { byte < 0x20 };
    let special = |byte: u8, next: u8| control(byte) | (byte == b'[') | ((byte == b' ') & (next == b' '));
    let target = target.first_chunk_mut::<BLOCK>().expect("room for a block is kept");
    let mut any = false;
    for i in 0..BLOCK {
        any |= special(block[i], block[i + 1]);
        target[i] = block[i] | (u8::from(block[i].wrapping_sub(b'A') < 26) << 5);
    }
    if any { (0..BLOCK).take_while(|&i| !special(block[i], block[i + 1])).count() } else { BLOCK }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unicode::fold_exactly;
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
