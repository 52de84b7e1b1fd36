//! A small window of text around a place, with everything hidden drawn: all that a renderer ever gets of a file.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memrchr};

use super::escape::{Unit, draw, units};
use crate::span::Span;

/// Code points shown on either side of a place.
const AROUND: usize = 40;
/// Code points shown of the place itself.
const INSIDE: usize = 80;

/// A piece of one line, drawn, and which part of it is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Excerpt {
    /// The text, without any character that cannot be seen.
    pub(crate) text: String,
    /// The part that is meant, as bytes of `text`.
    pub(crate) focus: Range<usize>,
    /// Where something hidden was drawn, as bytes of `text`.
    pub(crate) hidden: Vec<Range<usize>>,
}

impl Excerpt {
    /// The surroundings of `span` in `text`, within its line. Looks at a few hundred bytes, however long the line is.
    pub(crate) fn new(text: &[u8], span: Span) -> Self {
        let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
        let (start, end) = (clamp(span.start), clamp(span.end.max(span.start)));

        let reach = start.saturating_sub(AROUND * 4 + 4);
        let line = memrchr(b'\n', &text[reach..start]).map_or(reach, |feed| reach + feed + 1);
        let before: Vec<Unit> = units(whole_characters(&text[line..start], line == reach)).collect();
        let skip = before.len().saturating_sub(AROUND);
        let cut_before = skip > 0 || (line == reach && reach > 0);

        // What is meant is followed to the end of its first line. A line feed that is meant itself is drawn.
        let mut stop = end.min(start + INSIDE * 4);
        if let Some(feed) = memchr(b'\n', &text[start..stop]) {
            stop = start + if feed == 0 { 1 } else { feed };
        }
        // A record that begins with a line of brackets alone says nothing there: its lines are joined.
        let joined = match text[start..stop].iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
            false if stop < end && text[stop] == b'\n' => {
                stop = end.min(start + INSIDE * 8);
                join(&text[start..stop])
            }
            _ => Cow::Borrowed(&text[start..stop]),
        };
        let mut inside: Vec<Unit> = units(&joined).collect();
        let cut_inside = inside.len() > INSIDE || stop < end;
        inside.truncate(INSIDE);

        let mut after: Vec<Unit> = Vec::new();
        let mut cut_after = cut_inside;
        if !cut_inside {
            let far = text.len().min(stop + AROUND * 4 + 4);
            let rest = if stop > start && text[stop - 1] == b'\n' { &[][..] } else { &text[stop..far] };
            let feed = memchr(b'\n', rest);
            let rest = match feed {
                Some(feed) => rest[..feed].strip_suffix(b"\r").unwrap_or(&rest[..feed]),
                None => rest,
            };
            after = units(rest).take(AROUND + 1).collect();
            cut_after = after.len() > AROUND || (feed.is_none() && !rest.is_empty() && far < text.len());
            after.truncate(AROUND);
        }

        let first = before.len() - skip;
        let all: Vec<Unit> = before[skip..].iter().chain(&inside).chain(&after).copied().collect();
        let drawn = draw(&all, true);
        let mut excerpt = Excerpt {
            focus: drawn.starts[first]..drawn.starts[first + inside.len()],
            text: drawn.text,
            hidden: drawn.hidden,
        };
        if cut_before {
            excerpt.put(0, "…");
        }
        if cut_after {
            excerpt.text.push('…');
        }
        excerpt
    }

    /// Puts something into the text at `at`, and moves what lies behind.
    pub(crate) fn put(&mut self, at: usize, what: &str) {
        self.text.insert_str(at, what);
        for range in self.hidden.iter_mut().chain([&mut self.focus]) {
            if range.start >= at {
                range.start += what.len();
            }
            if range.end > at || (range.end == at && range.start > at) {
                range.end += what.len();
            }
        }
    }
}

/// Lines as one, with a space for each break and the indentation behind it.
fn join(text: &[u8]) -> Cow<'_, [u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.trim_ascii()).filter(|line| !line.is_empty());
    Cow::Owned(lines.collect::<Vec<_>>().join(&b' '))
}

/// The bytes without the rest of a character at their start, where they were cut without looking.
fn whole_characters(bytes: &[u8], cut: bool) -> &[u8] {
    let rest = bytes.iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
    if cut { &bytes[rest..] } else { bytes }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &[u8], span: Span) -> String {
        let mut excerpt = Excerpt::new(text, span);
        let focus = excerpt.focus.clone();
        excerpt.text.insert(focus.end, '»');
        excerpt.text.insert(focus.start, '«');
        excerpt.text
    }

    #[test]
    fn a_short_line_is_shown_whole() {
        let text = "first\n{\"text\": \"can\u{200B}cel\"}\r\nlast".as_bytes();
        assert_eq!(marked(text, Span::new(19, 22)), "{\"text\": \"can«<U+200B>»cel\"}");
    }

    #[test]
    fn a_record_that_begins_with_a_bracket_alone_is_shown_with_what_follows() {
        let text = b"[\n  [\r\n    \"play a song\",\r\n    \"music\"\r\n  ],\n  [\n";
        assert_eq!(marked(text, Span::new(4, 43)), "  \u{ab}[ \"play a song\", \"music\" ]\u{bb},");
        let long = format!("[\n  \"{}\"\n]", "word ".repeat(100));
        let shown = marked(long.as_bytes(), Span::new(0, long.len() as u64));
        assert!(shown.starts_with("\u{ab}[ \"word word") && shown.ends_with("\u{bb}…") && shown.len() < 100, "{shown}");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let text = format!("{}NEEDLE{}", "ä".repeat(1000), "ö".repeat(1000));
        let (around, other) = ("ä".repeat(40), "ö".repeat(40));
        assert_eq!(marked(text.as_bytes(), Span::new(2000, 2006)), format!("…{around}«NEEDLE»{other}…"));
    }

    #[test]
    fn a_place_over_several_lines_ends_with_its_first() {
        assert_eq!(marked(b"a\nbcd\ne\nf", Span::new(3, 8)), "b«cd»…");
        assert_eq!(marked(b"a\nb", Span::new(1, 2)), "a«<U+000A>»");
    }

    #[test]
    fn the_ends_of_a_file_are_no_trouble() {
        assert_eq!(marked(b"", Span::new(0, 0)), "«»");
        assert_eq!(marked(b"ab", Span::new(2, 2)), "ab«»");
        assert_eq!(marked(b"ab", Span::new(7, 9)), "ab«»");
    }

    proptest! {
        #[test]
        fn any_span_of_any_bytes_gives_a_small_safe_text(
            text in crate::report::escape::tests::nasty(), start in 0_u64..200, len in 0_u64..200,
        ) {
            let excerpt = Excerpt::new(&text, Span::new(start, start + len));
            prop_assert!(excerpt.text.get(excerpt.focus.clone()).is_some());
            prop_assert!(!excerpt.text.contains(crate::report::escape::is_hidden));
            prop_assert!(!excerpt.text.contains("##["));
            prop_assert!(excerpt.text.chars().count() <= 12 * (2 * AROUND + INSIDE) + 2);
        }
    }
}
