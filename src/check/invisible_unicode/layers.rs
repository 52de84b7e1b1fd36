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
use escapes::{backslash, entity, is_quoted, percent};

mod escapes;

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
            Kind::JsonLines
            | Kind::Json
            | Kind::Csv
            | Kind::Text
            | Kind::Tokens
            | Kind::Parquet
            | Kind::Arrow
            | Kind::Markdown => (true, Some(Writing::Twice), false),
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
#[cfg(test)]
mod tests;
