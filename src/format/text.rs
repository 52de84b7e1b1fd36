//! Running text, source code and configuration: a line a record. And fastText's lines, which carry labels.

use memchr::memchr;

use super::batch::Writer;
use super::{Cell, Coding};
use crate::lens::Role;

/// What begins a label in a line of fastText.
const LABEL: &[u8] = b"__label__";

/// Reads every line as a record with one field. Blank lines are records without a field, so that the number of a
/// record is the number of its line.
pub(super) fn lines(w: &mut Writer<'_, '_>, name: &str, role: Role, coding: Coding) {
    let name = w.name_as(name, role);
    each(w, |w, start, end| {
        if start < end {
            w.cell(Cell { start: start as u64, end: end as u64, name, index: 0, coding });
        }
        w.row(start, end);
    });
}

/// What cannot be read as what it should be, from `from` on: lines in which only hidden characters are looked for.
pub(super) fn rest(w: &mut Writer<'_, '_>, from: usize, name: u16) {
    each_from(w, from, |w, start, end| {
        if start < end {
            w.cell(Cell { start: start as u64, end: end as u64, name, index: 0, coding: Coding::Json });
        }
        w.row(start, end);
    });
}

/// Whether the lines are those of fastText: nearly all begin with a label.
pub(super) fn is_fasttext(sample: &[u8]) -> bool {
    let lines = || sample.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(100);
    let labelled = lines().filter(|line| line.starts_with(LABEL)).count();
    labelled > 0 && labelled * 10 >= lines().count() * 9
}

/// Reads lines of the form `__label__one __label__two words of the text`.
pub(super) fn fasttext(w: &mut Writer<'_, '_>) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let label = w.name_as("label", Role::Label);
    let words = w.name_as("text", Role::Text);
    each(w, |w, start, end| {
        let mut at = start;
        let mut cell = |start: usize, end: usize, name| {
            w.cell(Cell { start: start as u64, end: end as u64, name, index: 0, coding: Coding::Plain });
        };
        while text[at..end].starts_with(LABEL) {
            let stop = text[at..end].iter().position(|b| matches!(b, b' ' | b'\t')).map_or(end, |n| at + n);
            cell(at + LABEL.len(), stop, label);
            at = stop + text[stop..end].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        }
        if at < end {
            cell(at, end, words);
        }
        w.row(start, end);
    });
}

/// Hands on the start and end of every line.
pub(super) fn each(w: &mut Writer<'_, '_>, take: impl FnMut(&mut Writer<'_, '_>, usize, usize)) {
    each_from(w, 0, take);
}

/// Hands on the start and end of every line. Lines end at `\n`, or at `\r` in a text that has no `\n` at all.
fn each_from(w: &mut Writer<'_, '_>, from: usize, mut take: impl FnMut(&mut Writer<'_, '_>, usize, usize)) {
    let text: &[u8] = &w.blob.decoded.bytes;
    let newline = if memchr(b'\n', text).is_none() { b'\r' } else { b'\n' };
    let mut at = from;
    while at < text.len() {
        let next = memchr(newline, &text[at..]).map_or(text.len(), |n| at + n);
        let end = if next > at && newline == b'\n' && text[next - 1] == b'\r' { next - 1 } else { next };
        take(w, at, end);
        at = next + 1;
    }
}
