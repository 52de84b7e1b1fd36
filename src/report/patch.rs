//! A unified diff of what `foretaste fix` would write, with everything hidden drawn. It is for people: a line that is
//! longer than a screen is cut, and no tool could apply it.

use std::io::{self, Write};

use super::escape::{Escaped, Unit, draw, units};
use crate::fix::Edit;
use crate::span::Span;

/// At most this many lines of one file are shown.
const LINES: usize = 100;
/// Of a longer line, so many characters around what changes.
const LONG: usize = 400;
const AROUND: usize = 80;

/// Writes the lines in which something is cut, before and after.
pub(crate) fn edits(path: &[u8], text: &[u8], edits: &[Edit], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    head(path, colour, out)?;
    let mut lines = Counter::new(text);
    let mut at = 0;
    let mut shown = 0;
    while at < edits.len() {
        let (number, line) = lines.line(edits[at].span.start);
        let behind = edits[at..].partition_point(|edit| edit.span.start < line.end.max(line.start + 1)).max(1);
        let own = &edits[at..at + behind];
        at += behind;
        shown += 1;
        if shown > LINES {
            continue;
        }
        let window = window(text, line, own);
        let before = drawn(text, window, line, &[]);
        let after = drawn(text, window, line, own);
        hunk(colour, &format!("@@ -{number} +{number} @@"), out)?;
        removed(colour, &before, out)?;
        added(colour, &after, out)?;
    }
    more(shown, out)
}

/// Writes the rows that leave a file.
pub(crate) fn rows(path: &[u8], text: &[u8], rows: &[Span], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    head(path, colour, out)?;
    let mut lines = Counter::new(text);
    for (gone, row) in rows.iter().enumerate().take(LINES) {
        let (number, _) = lines.line(row.start);
        hunk(colour, &format!("@@ -{number} +{},0 @@", number.saturating_sub(gone as u64 + 1)), out)?;
        // A row over several lines is shown on one.
        let end = row.end.min(row.start + 4 * LONG as u64);
        removed(colour, &drawn(text, Span::new(row.start, end), *row, &[]), out)?;
    }
    more(rows.len(), out)
}

fn head(path: &[u8], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let path = Escaped::new(path);
    let (bold, plain) = if colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    writeln!(out, "{bold}--- a/{path}{plain}\n{bold}+++ b/{path}{plain}")
}

fn hunk(colour: bool, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if colour { writeln!(out, "\u{1b}[36m{text}\u{1b}[0m") } else { writeln!(out, "{text}") }
}

fn removed(colour: bool, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if colour { writeln!(out, "\u{1b}[31m-{text}\u{1b}[0m") } else { writeln!(out, "-{text}") }
}

fn added(colour: bool, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if colour { writeln!(out, "\u{1b}[32m+{text}\u{1b}[0m") } else { writeln!(out, "+{text}") }
}

fn more(shown: usize, out: &mut dyn Write) -> io::Result<()> {
    if shown > LINES { writeln!(out, "… and {} more lines", shown - LINES) } else { Ok(()) }
}

/// The part of a line that is shown: all of it, or what lies around the edits.
fn window(text: &[u8], line: Span, edits: &[Edit]) -> Span {
    if line.len() <= LONG as u64 {
        return line;
    }
    let (first, last) = (edits[0].span.start, edits[edits.len() - 1].span.end);
    let from = first.saturating_sub(AROUND as u64).max(line.start);
    let to = last.min(first + LONG as u64).saturating_add(AROUND as u64).min(line.end);
    // Not in the middle of a character.
    let start = (from..first).find(|&at| text.get(at as usize).is_none_or(|b| b & 0xC0 != 0x80)).unwrap_or(first);
    let end = (to..line.end).find(|&at| text.get(at as usize).is_none_or(|b| b & 0xC0 != 0x80)).unwrap_or(line.end);
    Span::new(start, end.max(start))
}

/// A stretch of a line without what is cut.
fn drawn(text: &[u8], window: Span, line: Span, edits: &[Edit]) -> String {
    let mut kept = Vec::new();
    let mut at = window.start;
    for edit in edits.iter().take_while(|edit| edit.span.start < window.end) {
        kept.extend_from_slice(Span::new(at, edit.span.start.max(at)).of(text));
        if edit.space {
            kept.push(b' ');
        }
        at = edit.span.end.max(at);
    }
    kept.extend_from_slice(Span::new(at, window.end.max(at)).of(text));
    let units: Vec<Unit> = units(&kept).collect();
    let (left, right) =
        (if window.start > line.start { "…" } else { "" }, if window.end < line.end { "…" } else { "" });
    format!("{left}{}{right}", draw(&units, true).text)
}

/// Counts lines, forward only.
struct Counter<'a> {
    text: &'a [u8],
    at: usize,
    number: u64,
    end: u8,
}

impl<'a> Counter<'a> {
    fn new(text: &'a [u8]) -> Self {
        let end = if memchr::memchr(b'\n', text).is_none() { b'\r' } else { b'\n' };
        Self { text, at: 0, number: 1, end }
    }

    /// Number and bytes of the line of an offset, without its end.
    fn line(&mut self, offset: u64) -> (u64, Span) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        while let Some(next) = memchr::memchr(self.end, &self.text[self.at..offset.max(self.at)]) {
            self.at += next + 1;
            self.number += 1;
        }
        let end = memchr::memchr(self.end, &self.text[self.at..]).map_or(self.text.len(), |n| self.at + n);
        let end = if end > self.at && self.text[end - 1] == b'\r' { end - 1 } else { end };
        (self.number, Span::new(self.at as u64, end as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(text: &str, cut: &[&str]) -> String {
        let list: Vec<Edit> = cut
            .iter()
            .map(|cut| {
                let at = text.find(cut).expect("it is there");
                Edit { span: Span::new(at as u64, (at + cut.len()) as u64), space: false }
            })
            .collect();
        let mut out = Vec::new();
        edits(b"data/a.jsonl", text.as_bytes(), &list, false, &mut out).expect("memory takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn hidden_characters_are_drawn_and_lines_are_counted() {
        insta::assert_snapshot!(patch("one\npay\u{200B}pal \u{202E}now\nthree", &["\u{200B}"]), @r"
        --- a/data/a.jsonl
        +++ b/data/a.jsonl
        @@ -2 +2 @@
        -pay<U+200B>pal <U+202E>now
        +paypal <U+202E>now
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_what_changes() {
        let text = format!("{}\u{E0041}{}\n", "é".repeat(1000), "ü".repeat(1000));
        let patch = patch(&text, &["\u{E0041}"]);
        let line = patch.lines().nth(3).expect("a line that goes");
        assert!(line.starts_with("-…é") && line.ends_with("ü…"), "{line}");
        assert!(line.contains("é<U+E0041>ü") && line.chars().count() < 200, "{line}");
    }

    #[test]
    fn nothing_of_the_data_reaches_a_terminal_as_it_is() {
        let patch = patch("a\u{1b}[31mb\u{E0041}\r\n::error::x", &["\u{E0041}"]);
        assert!(patch.chars().all(|c| c == '\n' || !c.is_control()), "{patch}");
    }
}
