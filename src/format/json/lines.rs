//! JSON Lines: one value a line.

use memchr::memchr;

use super::stencil::Stencil;
use super::{Fail, Parser, space};
use crate::format::batch::Writer;
use crate::format::sieve::{CONTROL, TAB};
use crate::format::{Cell, Coding};
use crate::lens::Role;
use crate::span::Span;

/// Reads every line as a record. Lines end at `\n` only, as they do for Python's files.
pub(in crate::format) fn read(w: &mut Writer<'_, '_>) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let mut reader = Reader::new(w);
    let mut at = 0;
    while at < text.len() {
        w.line(at);
        at = match reader.usual_line(w, text, at) {
            Some(next) => next,
            None => {
                let end = memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
                reader.line(w, text, at, end);
                end + 1
            }
        };
    }
}

/// Turns stretches of a text into rows, and keeps those that are no JSON as they stand.
pub(super) struct Reader {
    pub(super) parser: Parser,
    stencil: Stencil,
    raw: Option<u16>,
}

impl Reader {
    pub(super) fn new(w: &Writer<'_, '_>) -> Self {
        Self { parser: Parser::new(w), stencil: Stencil::default(), raw: None }
    }

    /// The line at `at` as a row, where it is laid out as those before it. Returns where the next one begins.
    fn usual_line(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Option<usize> {
        let end = self.usual(w, text, at)?;
        let next = match text.get(end..)? {
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => {
                w.abandon();
                return None;
            }
        };
        look_for_controls(w, text, at, end);
        w.row(at, end);
        Some(next)
    }

    /// The value at `at` as the cells of the row under way, where it is laid out as those before it.
    fn usual(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Option<usize> {
        let end = self.stencil.read(w, text, at);
        if end.is_none() {
            w.abandon();
        }
        end
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

    /// The element of an array at `at` as the cells of the row under way. Returns the offset behind it.
    pub(super) fn element(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Result<usize, Fail> {
        match self.usual(w, text, at) {
            Some(end) => {
                look_for_controls(w, text, at, end);
                Ok(end)
            }
            None => self.record(w, text, at),
        }
    }

    /// The value at `at` as the cells of the row under way, read key by key. Returns the offset behind it.
    pub(super) fn record(&mut self, w: &mut Writer<'_, '_>, text: &[u8], at: usize) -> Result<usize, Fail> {
        let flaws = w.flaws();
        let end = self.parser.record(w, text, at)?;
        if w.flaws() == flaws {
            self.stencil.learn(text, at, end, w.open_row());
        }
        look_for_controls(w, text, at, end);
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
}

/// Python's parser refuses raw controls in strings; others let them pass.
fn look_for_controls(w: &mut Writer<'_, '_>, text: &[u8], start: usize, end: usize) {
    if !w.may_have(start..end, CONTROL | TAB) || !text[start..end].iter().any(|&b| is_control(b)) {
        return;
    }
    let found = w.open_row().iter().find_map(|cell| {
        let span = Span::new(cell.start, cell.end);
        let at = span.of(text).iter().position(|&b| is_control(b))? as u64 + cell.start;
        Some(Span::new(at, at + 1))
    });
    if let Some(span) = found {
        w.flaw("unparsable-record", span, "a raw control character in a string");
    }
}

/// The name of what could not be parsed.
const UNPARSED: &str = "(unparsed)";

fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\n' && byte != b'\r'
}
