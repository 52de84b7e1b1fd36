//! JSON Lines: one value a line.

use memchr::memchr;

use super::{Fail, Parser, space};
use crate::format::batch::Writer;
use crate::format::{Cell, Coding};
use crate::lens::Role;
use crate::span::Span;

/// Bytes that are looked through for controls at once.
const WINDOW: usize = 64 << 10;

/// Reads every line as a record. Lines end at `\n` only, as they do for Python's files.
pub(in crate::format) fn read(w: &mut Writer<'_, '_>) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let mut reader = Reader::new(w);
    let mut at = 0;
    while at < text.len() {
        let end = memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
        w.line(at);
        reader.line(w, text, at, end);
        at = end + 1;
    }
}

/// Turns stretches of a text into rows, and keeps those that are no JSON as they stand.
pub(super) struct Reader {
    pub(super) parser: Parser,
    raw: Option<u16>,
    checked: usize,
    controls: [bool; 2],
}

impl Reader {
    pub(super) fn new(w: &Writer<'_, '_>) -> Self {
        Self { parser: Parser::new(w), raw: None, checked: 0, controls: [false; 2] }
    }

    /// The line `at..end` as a row.
    fn line(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize, end: usize) {
        let start = space(&text[..end], at);
        if start == end {
            return;
        }
        let end = end - text[start..end].iter().rev().take_while(|b| matches!(b, b' ' | b'\r' | b'\t')).count();
        match self.record(w, &text[..end], start) {
            Ok(stop) => {
                let rest = space(&text[..end], stop);
                if rest < end {
                    w.flaw("trailing-garbage", Span::new(rest as u64, end as u64), "more behind the value of the line");
                    self.keep(w, rest, end);
                }
                w.row(start, end);
            }
            Err(fail) => self.refused(w, start, end, fail),
        }
    }

    /// The value at `at` as the cells of the row under way. Returns the offset behind it.
    pub(super) fn record(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Result<usize, Fail> {
        let end = self.parser.record(w, text, at)?;
        self.look_for_controls(w, text, at, end);
        Ok(end)
    }

    /// The name of what could not be parsed.
    pub(super) fn unparsed(&mut self, w: &mut Writer<'_, '_>) -> u16 {
        *self.raw.get_or_insert_with(|| w.name_as(UNPARSED, Role::Other))
    }

    /// A stretch that is no JSON: a flaw, and a row with all of it in one cell, so that it is looked at all the same.
    fn refused(&mut self, w: &mut Writer<'_, '_>, start: usize, end: usize, fail: Fail) {
        w.abandon();
        let at = (fail.at.min(end) as u64).min(end as u64 - 1);
        w.flaw("unparsable-record", Span::new(at, at + 1), fail.what);
        self.keep(w, start, end);
        w.row(start, end);
    }

    /// A cell with these bytes as they stand.
    fn keep(&mut self, w: &mut Writer<'_, '_>, start: usize, end: usize) {
        let name = self.unparsed(w);
        w.cell(Cell { start: start as u64, end: end as u64, name, index: 0, coding: Coding::Json });
    }

    /// Python's parser refuses raw controls in strings; others let them pass.
    fn look_for_controls(&mut self, w: &mut Writer<'_, '_>, text: &[u8], start: usize, end: usize) {
        while self.checked < end {
            let next = (self.checked + WINDOW).min(text.len());
            self.controls = [self.controls[1], has_controls(&text[self.checked..next])];
            self.checked = next;
        }
        if (self.controls == [false; 2] && end - start <= WINDOW) || !has_controls(&text[start..end]) {
            return;
        }
        let cells = w.open_cells();
        let found = (0..cells).find_map(|index| {
            let cell = *w.cell_mut(index)?;
            let span = Span::new(cell.start, cell.end);
            let at = span.of(text).iter().position(|&b| is_control(b))? as u64 + cell.start;
            Some(Span::new(at, at + 1))
        });
        if let Some(span) = found {
            w.flaw("unparsable-record", span, "a raw control character in a string");
        }
    }
}

/// The name of what could not be parsed.
const UNPARSED: &str = "(unparsed)";

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\n' && byte != b'\r'
}

/// Whether there is a control character other than those that end lines. Written so that the compiler makes vector
/// code of it.
fn has_controls(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, &b| found | is_control(b))
}
