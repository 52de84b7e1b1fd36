//! The layers that text itself can have: HTML entities, percent-encoding, escapes that are still there after the
//! container's own were taken off, and the escapes of configuration and source code.
//!
//! What hides behind them is decoded and shown to the same machine as everything else; only how bad it is differs, since
//! a reader of the raw text does see that something is there.

use std::ops::Range;

use memchr::{memchr_iter, memchr2_iter, memmem};

use super::decode;
use super::machine::{Level, Occurrence};
use super::tables::{Class, class_of, wide_class_of};
use crate::format::Kind;

/// How a character is written.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(super) enum Writing {
    /// As it is, or in the escapes of its container.
    #[default]
    Plain,
    /// As an HTML entity, or as the entity of an entity.
    Entity,
    /// As percent-encoded bytes.
    Percent,
    /// As an escape that is left after the container's were taken off.
    Twice,
    /// As an escape in a string of a configuration file.
    Configuration,
    /// As an escape in source code, where its reader sees it.
    Code,
}

impl Writing {
    /// The word used in the evidence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Writing::Plain => "plain",
            Writing::Entity => "html-entity",
            Writing::Percent => "percent-encoding",
            Writing::Twice => "escaped-twice",
            Writing::Configuration => "configuration-escape",
            Writing::Code => "code-escape",
        }
    }

    /// How it is said in a note.
    pub(super) fn words(self) -> &'static str {
        match self {
            Writing::Plain => "",
            Writing::Entity => ", written as an HTML entity",
            Writing::Percent => ", percent-encoded",
            Writing::Twice => ", escaped twice",
            Writing::Configuration | Writing::Code => ", written as an escape",
        }
    }

    /// The id of its class in the catalogue, where the layer has one of its own.
    pub(super) fn class(self) -> Option<&'static str> {
        match self {
            Writing::Entity => Some("U36"),
            Writing::Percent => Some("U37"),
            _ => None,
        }
    }

    /// How bad an occurrence is that is written so.
    pub(super) fn level(self, occurrence: &Occurrence, is_dataset: bool) -> Level {
        let Occurrence { class, level, ref payload, .. } = *occurrence;
        let speaks = payload.as_ref().is_some_and(|p| p.scheme != "S12" && decode::is_words(&p.text));
        let carrier =
            matches!(class, Class::Tag | Class::UnassignedIgnorable | Class::SelectorRun | Class::InvisibleOperator);
        let shown = if speaks { Level::Warn } else { Level::Info };
        match self {
            Writing::Plain => level,
            Writing::Entity if carrier => level,
            Writing::Percent if class == Class::Tag => level,
            Writing::Entity | Writing::Percent | Writing::Code => level.min(shown),
            Writing::Twice if class == Class::Control => level.min(Level::Info),
            Writing::Twice => level.min(shown.max(Level::Low)),
            Writing::Configuration if is_dataset || carrier => level,
            Writing::Configuration if class == Class::Control => level.min(Level::Info),
            Writing::Configuration => level.min(Level::Warn),
        }
    }
}

/// Which layers a text is searched for.
#[derive(Copy, Clone, Debug)]
pub(super) struct Layers {
    /// Of entities and percent-encoding: those of data and documents.
    pub(super) markup: bool,
    /// What a backslash escape is here; `None` where nothing has any.
    pub(super) escape: Option<Writing>,
    /// Only inside double quotes is a backslash an escape.
    pub(super) quoted: bool,
    /// Also classes that are only worth knowing.
    pub(super) wide: bool,
}

impl Layers {
    /// The layers of a file.
    pub(super) fn of(kind: Kind, wide: bool) -> Self {
        let (markup, escape, quoted) = match kind {
            Kind::JsonLines | Kind::Json | Kind::Csv | Kind::Text | Kind::Parquet | Kind::Arrow | Kind::Markdown => {
                (true, Some(Writing::Twice), false)
            }
            Kind::JsonConfig => (true, Some(Writing::Configuration), false),
            Kind::Yaml | Kind::Toml => (true, Some(Writing::Configuration), true),
            Kind::Python | Kind::Shell | Kind::Code => (false, Some(Writing::Code), false),
            // Notebooks hold the output of terminals, escaped as JSON.
            Kind::Notebook | Kind::Unknown => (false, None, false),
        };
        Self { markup, escape, quoted, wide }
    }

    fn is_looked_for(self, c: char) -> bool {
        if self.wide { wide_class_of(c) } else { class_of(c) }.is_some()
    }

    /// Where something begins that a layer hides, in order; `json` text has its backslashes doubled.
    pub(super) fn openings(self, text: &[u8], json: bool) -> impl Iterator<Item = usize> {
        let markup = self.markup.then(|| memchr2_iter(b'&', b'%', text)).into_iter().flatten();
        let mut markup = markup.filter(move |&at| self.opens(text, at)).peekable();
        let raw = (self.escape.is_some() && !json).then(|| memchr_iter(b'\\', text)).into_iter().flatten();
        let mut raw = raw.filter(move |&at| self.opens(text, at)).peekable();
        // `\\u200b` is an escape behind a JSON escape.
        let any = json && memmem::find(text, b"\\u").is_some();
        let twice = (any && self.escape.is_some()).then(|| memmem::find_iter(text, b"\\\\u")).into_iter().flatten();
        let mut twice = twice.filter(move |&at| self.opens(text, at + 1)).peekable();
        // What a layer begins with may be an escape of JSON itself.
        let begins = move |&at: &usize| {
            let Some(&[high, low, next]) = text.get(at + 4..at + 7) else { return false };
            match (high, low) {
                (b'2', b'6') => self.markup && (matches!(next, b'#' | b'\\') || next.is_ascii_alphabetic()),
                (b'2', b'5') => self.markup && (next == b'\\' || next.is_ascii_hexdigit()),
                (b'5', b'c' | b'C') => self.escape.is_some() && matches!(next, b'\\' | b'u' | b'U' | b'x'),
                _ => false,
            }
        };
        let begun = any.then(|| memmem::find_iter(text, b"\\u00")).into_iter().flatten();
        let mut begun = begun.filter(begins).peekable();
        std::iter::from_fn(move || {
            let heads = [markup.peek(), raw.peek(), twice.peek(), begun.peek()].map(|head| head.copied());
            let least = heads.into_iter().flatten().min()?;
            for (n, head) in heads.into_iter().enumerate() {
                if head == Some(least) {
                    match n {
                        0 => markup.next(),
                        1 => raw.next(),
                        2 => twice.next(),
                        _ => begun.next(),
                    };
                }
            }
            Some(least)
        })
    }

    fn opens(self, text: &[u8], at: usize) -> bool {
        self.at(text, at).is_some_and(|(c, _, _)| self.is_looked_for(c))
    }

    /// The character that is written at `at`, the offset behind it, and its layer.
    fn at(self, text: &[u8], at: usize) -> Option<(char, usize, Writing)> {
        match *text.get(at)? {
            b'&' if self.markup => entity(text, at).map(|(c, end)| (c, end, Writing::Entity)),
            b'%' if self.markup => percent(text, at).map(|(c, end)| (c, end, Writing::Percent)),
            b'\\' => {
                let layer = self.escape?;
                let (c, end) = backslash(text, at)?;
                // A terminal sequence spelled out is text about terminals unless a bracket follows.
                let sequence = c != '\u{1B}' || matches!(text.get(end), Some(b'[' | b']'));
                sequence.then_some((c, end, layer))
            }
            _ => None,
        }
    }

    /// Takes the layers off; `false` where there are none.
    pub(super) fn peel(self, text: &[u8], out: &mut Peeled) -> bool {
        out.text.clear();
        out.pieces.clear();
        let mut from = 0;
        let mut at = 0;
        while let Some(next) = memchr::memchr3(b'&', b'%', b'\\', &text[at..]).map(|n| at + n) {
            if text[next] == b'\\' && text.get(next + 1) == Some(&b'\\') {
                // An escaped backslash escapes nothing.
                at = next + 2;
                continue;
            }
            let Some((c, end, mut layer)) = self.at(text, next) else {
                at = next + 1;
                continue;
            };
            if self.quoted && layer == Writing::Configuration && !is_quoted(text, next) {
                layer = Writing::Code;
            }
            out.text.extend_from_slice(&text[from..next]);
            let start = out.text.len();
            out.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            out.pieces.push(Piece { at: start..out.text.len(), from: next..end, layer });
            (from, at) = (end, end);
        }
        out.text.extend_from_slice(&text[from..]);
        !out.pieces.is_empty()
    }
}

/// A text without its layers, with the way back.
#[derive(Debug, Default)]
pub(super) struct Peeled {
    pub(super) text: Vec<u8>,
    pieces: Vec<Piece>,
}

/// One character that was taken off a layer.
#[derive(Debug)]
struct Piece {
    at: Range<usize>,
    from: Range<usize>,
    layer: Writing,
}

impl Peeled {
    /// The layer of what lies in a range; `None` where nothing in it was decoded.
    pub(super) fn layer(&self, range: &Range<usize>) -> Option<Writing> {
        let next = self.pieces.partition_point(|piece| piece.at.end <= range.start);
        self.pieces.get(next).filter(|piece| piece.at.start < range.end).map(|piece| piece.layer)
    }

    /// The range of the text before that a range of this one came from.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let lead = |at: usize, is_end: bool| {
            // An end lies behind what it ends.
            let before = |piece: &Piece| if is_end { piece.at.start < at } else { piece.at.start <= at };
            match self.pieces.partition_point(before).checked_sub(1).map(|n| &self.pieces[n]) {
                None => at,
                Some(piece) if at < piece.at.end => {
                    if is_end {
                        piece.from.end
                    } else {
                        piece.from.start
                    }
                }
                Some(piece) => piece.from.end + (at - piece.at.end),
            }
        };
        let start = lead(range.start, false);
        start..lead(range.end, true).max(start)
    }
}

/// Whether a place lies inside double quotes of its line.
fn is_quoted(text: &[u8], at: usize) -> bool {
    const REACH: usize = 4096;
    let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1).max(at.saturating_sub(REACH));
    let mut quoted = false;
    let mut escaped = false;
    for &b in &text[line..at] {
        match b {
            b'\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = false;
    }
    quoted
}

/// The entity at `at`, also that of an escaped ampersand: what is unescaped twice ends up the same.
fn entity(text: &[u8], at: usize) -> Option<(char, usize)> {
    const AMPERSANDS: [&[u8]; 4] = [b"amp;", b"#38;", b"#x26;", b"#X26;"];
    let mut body = at + 1;
    if let Some(again) = AMPERSANDS.iter().find(|again| text[body..].starts_with(again)) {
        body += again.len();
    }
    if text.get(body) != Some(&b'#') {
        return named(text, body);
    }
    let (digits, radix) = match text.get(body + 1)? {
        b'x' | b'X' => (body + 2, 16),
        _ => (body + 1, 10),
    };
    let mut value = 0_u32;
    let mut end = digits;
    while let Some(digit) = text.get(end).and_then(|&b| char::from(b).to_digit(radix)) {
        value = value.checked_mul(radix)?.checked_add(digit)?;
        end += 1;
    }
    // Browsers read 128 to 159 as Windows-1252, in which they are visible.
    if end == digits || matches!(value, 0x80..=0x9F) {
        return None;
    }
    Some((char::from_u32(value)?, end + usize::from(text.get(end) == Some(&b';'))))
}

/// Entities with invisible values. Names tell capitals.
const NAMES: [(&str, char); 31] = [
    ("ApplyFunction;", '\u{2061}'),
    ("InvisibleComma;", '\u{2063}'),
    ("InvisibleTimes;", '\u{2062}'),
    ("MediumSpace;", '\u{205F}'),
    ("NegativeMediumSpace;", '\u{200B}'),
    ("NegativeThickSpace;", '\u{200B}'),
    ("NegativeThinSpace;", '\u{200B}'),
    ("NegativeVeryThinSpace;", '\u{200B}'),
    ("NoBreak;", '\u{2060}'),
    ("NonBreakingSpace;", '\u{A0}'),
    ("ThickSpace;", '\u{205F}'),
    ("ThinSpace;", '\u{2009}'),
    ("VeryThinSpace;", '\u{200A}'),
    ("ZeroWidthSpace;", '\u{200B}'),
    ("af;", '\u{2061}'),
    ("emsp13;", '\u{2004}'),
    ("emsp14;", '\u{2005}'),
    ("emsp;", '\u{2003}'),
    ("ensp;", '\u{2002}'),
    ("hairsp;", '\u{200A}'),
    ("ic;", '\u{2063}'),
    ("it;", '\u{2062}'),
    ("lrm;", '\u{200E}'),
    ("nbsp", '\u{A0}'),
    ("numsp;", '\u{2007}'),
    ("puncsp;", '\u{2008}'),
    ("rlm;", '\u{200F}'),
    ("shy", '\u{AD}'),
    ("thinsp;", '\u{2009}'),
    ("zwj;", '\u{200D}'),
    ("zwnj;", '\u{200C}'),
];

fn named(text: &[u8], body: usize) -> Option<(char, usize)> {
    let rest = &text[body..];
    let (name, c) = NAMES.iter().find(|(name, _)| rest.starts_with(name.as_bytes()))?;
    let end = body + name.len();
    Some((*c, end + usize::from(!name.ends_with(';') && text.get(end) == Some(&b';'))))
}

/// The character of several percent-encoded bytes. One of a single byte is visible, or a separator of URLs.
fn percent(text: &[u8], at: usize) -> Option<(char, usize)> {
    let byte = |n: usize| match text.get(at + 3 * n..at + 3 * n + 3)? {
        [b'%', high, low] => {
            let digit = |b: &u8| char::from(*b).to_digit(16);
            Some((digit(high)? << 4 | digit(low)?) as u8)
        }
        _ => None,
    };
    let first = byte(0)?;
    let len = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [first, 0, 0, 0];
    for (n, slot) in bytes.iter_mut().enumerate().take(len).skip(1) {
        *slot = byte(n)?;
    }
    let c = std::str::from_utf8(&bytes[..len]).ok()?.chars().next()?;
    Some((c, at + 3 * len))
}

/// The character of a backslash escape of the common languages.
fn backslash(text: &[u8], at: usize) -> Option<(char, usize)> {
    let hex = |from: usize, len: usize| {
        let digits = text.get(from..from + len)?;
        digits.iter().try_fold(0_u32, |n, &d| Some(n << 4 | char::from(d).to_digit(16)?))
    };
    let scalar = |value: u32, end: usize| Some((char::from_u32(value)?, end));
    match *text.get(at + 1)? {
        b'u' if text.get(at + 2) == Some(&b'{') => {
            let len = text[at + 3..].iter().take(7).position(|&b| b == b'}')?;
            scalar(hex(at + 3, len).filter(|_| len > 0)?, at + 4 + len)
        }
        b'u' => match (hex(at + 2, 4)?, text.get(at + 6..at + 8)) {
            (high @ 0xD800..=0xDBFF, Some(b"\\u")) => match hex(at + 8, 4)? {
                low @ 0xDC00..=0xDFFF => scalar(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), at + 12),
                _ => None,
            },
            (value, _) => scalar(value, at + 6),
        },
        b'U' => scalar(hex(at + 2, 8)?, at + 10),
        b'x' => match hex(at + 2, 2)? {
            // A letter of Latin-1 or half of something else: which, only the language knows.
            value @ (0x1B | 0xAD) => scalar(value, at + 4),
            _ => None,
        },
        b'0' if text.get(at + 2..at + 4) == Some(b"33") => scalar(0x1B, at + 4),
        b'e' => scalar(0x1B, at + 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data() -> Layers {
        Layers::of(Kind::Text, false)
    }

    fn peeled(layers: Layers, text: &str) -> (String, Vec<(Writing, String)>) {
        let mut out = Peeled::default();
        layers.peel(text.as_bytes(), &mut out);
        let pieces = out.pieces.iter().map(|p| (p.layer, text[p.from.clone()].to_owned())).collect();
        (String::from_utf8(out.text).expect("characters are written whole"), pieces)
    }

    #[test]
    fn entities_are_read_in_every_form_and_through_an_escaped_ampersand() {
        for form in [
            "&#8203;",
            "&#x200b;",
            "&#X200B;",
            "&#8203",
            "&ZeroWidthSpace;",
            "&amp;#x200B;",
            "&amp;ZeroWidthSpace;",
            "&#38;#8203;",
            "&NegativeThinSpace;",
        ] {
            let (text, pieces) = peeled(data(), &format!("a{form}b"));
            assert_eq!(text, "a\u{200B}b", "{form}");
            assert_eq!(pieces, [(Writing::Entity, form.to_owned())]);
        }
        for form in ["&zerowidthspace;", "&amp;amp;#8203;", "&#150;", "&#xD800;", "&#;", "&#x110000;", "&zwj", "& zwj;"]
        {
            assert!(peeled(data(), form).1.is_empty(), "{form}");
        }
        assert_eq!(peeled(data(), "co&shyop&shy;x").0, "co\u{AD}op\u{AD}x");
    }

    #[test]
    fn percent_encoding_is_read_where_its_bytes_are_a_character() {
        assert_eq!(peeled(data(), "a%E2%80%8Bb%f3%a0%81%81").0, "a\u{200B}b\u{E0041}");
        for text in ["100%", "%E2%80", "%E2%28%A1", "%20", "%ED%A0%80", "%C0%80"] {
            assert!(peeled(data(), text).1.is_empty(), "{text}");
        }
    }

    #[test]
    fn escapes_that_are_left_are_read_and_escaped_backslashes_are_not() {
        for form in [r"\u200b", r"\u{200b}", r"\U0000200B"] {
            assert_eq!(peeled(data(), form).0, "\u{200B}", "{form}");
        }
        assert_eq!(peeled(data(), r"\udb40\udc41").0, "\u{E0041}");
        assert!(peeled(data(), r"\\u200b").1.is_empty());
        assert_eq!(peeled(data(), r"\033[8m \x1b]8 \e[0m").1.len(), 3);
        assert!(peeled(data(), r"\e and \033 alone").1.is_empty());
    }

    #[test]
    fn yaml_escapes_only_in_double_quotes() {
        let yaml = Layers::of(Kind::Yaml, false);
        assert_eq!(peeled(yaml, r#"text: "pay\u200bpal""#).1[0].0, Writing::Configuration);
        assert_eq!(peeled(yaml, r"text: 'pay\u200bpal'").1[0].0, Writing::Code);
        assert_eq!(peeled(yaml, r#"a: "x", b: \u200b"#).1[0].0, Writing::Code);
    }

    #[test]
    fn the_openings_of_a_file_are_where_something_hides() {
        let at = |text: &str, json| data().openings(text.as_bytes(), json).collect::<Vec<_>>();
        assert_eq!(at("a &#39; &amp; 5% &zwj; %20 %E2%80%8B", false), [17, 27]);
        assert_eq!(at(r#"{"a": "\\u200b \u0026zwj; \n \\n"}"#, true), [7, 15]);
        assert_eq!(at(r"\u200b \n", false), [0]);
        assert!(Layers::of(Kind::Notebook, true).openings(b"&zwj; \\u200b", false).next().is_none());
    }

    proptest! {
        #[test]
        fn every_range_leads_back_to_what_it_came_from(text in "([a-z ]{0,3}|&#x200b;|&amp;zwnj;|%E2%80%8B|\\\\u200d|&#|%E2|ü){0,9}") {
            let mut out = Peeled::default();
            data().peel(text.as_bytes(), &mut out);
            let mut rebuilt = Vec::new();
            for (at, c) in String::from_utf8(out.text.clone()).expect("whole characters").char_indices() {
                let range = at..at + c.len_utf8();
                let source = out.source(&range);
                prop_assert!(source.start == rebuilt.len(), "{source:?}");
                rebuilt.extend_from_slice(&text.as_bytes()[source]);
                prop_assert_eq!(out.layer(&range).is_some(), class_of(c).is_some());
            }
            prop_assert_eq!(rebuilt, text.as_bytes());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), json: bool) {
            let mut out = Peeled::default();
            for kind in [Kind::Text, Kind::Yaml, Kind::Code] {
                let layers = Layers::of(kind, true);
                layers.peel(&bytes, &mut out);
                prop_assert!(layers.openings(&bytes, json).is_sorted());
                let _ = out.source(&(0..out.text.len()));
            }
        }
    }
}
