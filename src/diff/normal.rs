//! What a text comes to when only its content counts: compatibility forms, case, blanks, invisible characters and
//! annotation markup are folded away.
//!
//! Two records with the same normalised text are the same record. Invisible characters are dropped because a record that
//! gains one together with another label is the very thing that is looked for: it must still be known again.

use unicode_normalization::UnicodeNormalization;

use crate::format::Coding;
use crate::format::coding::decode_into;

/// Normalises texts into memory of its own, so that no record costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Normaliser {
    plain: String,
    folded: String,
    out: Vec<u8>,
}

impl Normaliser {
    /// The normalised value of a field. Empty where nothing is left.
    pub(crate) fn value(&mut self, coding: Coding, raw: &[u8]) -> &[u8] {
        self.out.clear();
        if escaped(coding, raw) {
            self.plain.clear();
            decode_into(coding, raw, &mut self.plain);
            fold(self.plain.as_bytes(), &mut self.folded, &mut self.out);
        } else if coding != Coding::Null {
            fold(raw, &mut self.folded, &mut self.out);
        }
        &self.out
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

fn fold(text: &[u8], folded: &mut String, out: &mut Vec<u8>) {
    if text.is_ascii() {
        fold_bytes(text, out);
    } else {
        folded.clear();
        fold_unicode(&String::from_utf8_lossy(text), folded);
        fold_bytes(folded.as_bytes(), out);
    }
    out.truncate(out.trim_ascii_end().len());
}

/// Folds ASCII case, blanks and markup; other bytes pass.
fn fold_bytes(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        let run = &text[at..at + plain_run(&text[at..])];
        at += run.len();
        let run = if matches!(out.last(), None | Some(b' ')) { run.trim_ascii_start() } else { run };
        let start = out.len();
        out.extend_from_slice(run);
        out[start..].make_ascii_lowercase();
        let Some(&special) = text.get(at) else { break };
        if special.is_ascii_whitespace() || special == 0x0b {
            if !matches!(out.last(), None | Some(b' ')) {
                out.push(b' ');
            }
            at += 1;
        } else if let Some((inner, len)) = annotation(text, at) {
            fold_bytes(inner, out);
            at += len;
        } else {
            out.push(special);
            at += 1;
        }
    }
}

/// Length of the stretch at the start that needs no thought: no control character, no `[`, no two blanks in a row.
fn plain_run(text: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let special = |byte: u8, next: u8| (byte < 0x20) | (byte == b'[') | ((byte == b' ') & (next == b' '));
    let mut at = 0;
    // One byte more than a block is looked at, since two blanks may stand across its end.
    while let Some(block) = text.get(at..at + BLOCK + 1) {
        let mut any = false;
        for i in 0..BLOCK {
            any |= special(block[i], block[i + 1]);
        }
        if any {
            break;
        }
        at += BLOCK;
    }
    while at < text.len() && !special(text[at], text.get(at + 1).copied().unwrap_or(0)) {
        at += 1;
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
fn fold_unicode(text: &str, out: &mut String) {
    for c in text.chars() {
        match simple(c) {
            Some(Simple::One(c)) => out.push(c),
            Some(Simple::Nothing) => {}
            None => {
                // One character with marks or compatibility forms, and the exact way is taken for the whole text, since
                // marks act on what stands before them.
                out.clear();
                return fold_exactly(text, out);
            }
        }
    }
}

fn fold_exactly(text: &str, out: &mut String) {
    for c in text.chars().filter(|&c| !is_invisible(c)).nfkc() {
        match c {
            // The dotless i is a letter of its own in Turkish; its capital is not only its own.
            'ı' => out.push(c),
            _ if c.is_whitespace() => out.push(' '),
            // By way of the capital, so that all forms of a letter meet: `ß` and `SS`, `ς` and `σ`.
            _ => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
}

enum Simple {
    One(char),
    Nothing,
}

/// What [`fold_exactly`] makes of a character that stands for itself whatever stands beside it, provided that its
/// neighbours are such characters too.
fn simple(c: char) -> Option<Simple> {
    let code = u32::from(c);
    let shifted = |by: u32| char::from_u32(code + by);
    Some(Simple::One(match code {
        // Markup and case of ASCII are folded later, on bytes.
        0..=0x7f => c,
        0xc0..=0xd6 | 0xd8..=0xde => shifted(0x20)?,
        0xe0..=0xf6 | 0xf8..=0xff => c,
        0x391..=0x3a1 | 0x3a3..=0x3a9 => shifted(0x20)?,
        0x3c2 => 'σ',
        0x3ac..=0x3af | 0x3b1..=0x3c9 | 0x3cc..=0x3ce => c,
        0x400..=0x40f => shifted(0x50)?,
        0x410..=0x42f => shifted(0x20)?,
        0x430..=0x45f => c,
        0x5d0..=0x5ea | 0x620..=0x626 | 0x627..=0x63a | 0x641..=0x64a => c,
        // Letters and digits of Persian, Urdu and their neighbours, without those that decompose.
        0x660..=0x669 | 0x671..=0x674 | 0x679..=0x6bf | 0x6c1 | 0x6c3..=0x6d2 | 0x6f0..=0x6f9 => c,
        // Dashes, quotes, bullets; the ideographic blank, comma, full stop and brackets.
        0x2012..=0x2016 | 0x2018..=0x201f | 0x2020..=0x2022 => c,
        0x3000 => ' ',
        0x3001 | 0x3002 | 0x3008..=0x3011 => c,
        // Kana, ideographs, Hangul syllables.
        0x3041..=0x3096 | 0x30a1..=0x30fa | 0x30fc => c,
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3 => c,
        // Fullwidth forms of ASCII.
        0xff01..=0xff5e => char::from_u32(code - 0xfee0)?,
        0x1_f300..=0x1_f64f | 0x1_f680..=0x1_f6ff | 0x1_f900..=0x1_f9ff => c,
        _ if is_invisible(c) => return Some(Simple::Nothing),
        _ => return None,
    }))
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
        let mut out = String::new();
        fold_exactly(text, &mut out);
        let words: Vec<_> =
            out.split(|c: char| c.is_ascii_whitespace() || c == '\u{b}').filter(|w| !w.is_empty()).collect();
        words.join(" ").to_ascii_lowercase()
    }

    proptest! {
        #[test]
        fn the_short_way_through_unicode_is_the_exact_one(text in "[ -~À-ÿΑ-ωЀ-џא-תؠ-غぁ-ヺ一-龥가-힣！-～　、。“”–🌀-🙏\u{200b}\u{fe0f}]{0,40}") {
            let mut exact = String::new();
            fold_exactly(&text, &mut exact);
            let mut short = String::new();
            fold_unicode(&text, &mut short);
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
