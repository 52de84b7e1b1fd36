//! The way from the hits of a batch to what they stand in, for those who judge and for those who cut.

use std::borrow::Cow;
use std::ops::Range;

use super::prefilter::{Hits, Known};
use crate::format::coding::{self, Trail};
use crate::format::sieve::{CONTROL, ESCAPE, Kinds, TAB, WIDE};
use crate::format::{Coding, Field, Kind, Record, Records};
use crate::span::Span;

/// A value, or what stands between values, in which there is a hit.
pub(super) struct Stretch<'a> {
    pub(super) span: Span,
    /// The record it belongs to; `None` before the first and between two.
    pub(super) record: Option<Record<'a>>,
    /// The value; `None` for keys, separators and the head of a file.
    pub(super) field: Option<Field<'a>>,
}

/// Where a batch has bytes that may be hits at all.
#[derive(Debug)]
pub(super) struct Sieved<'a> {
    records: &'a Records<'a>,
    kinds: Kinds,
}

impl<'a> Sieved<'a> {
    pub(super) fn new(records: &'a Records<'a>, escapes: bool) -> Self {
        Self { records, kinds: WIDE | CONTROL | TAB | if escapes { ESCAPE } else { 0 } }
    }
}

impl Known for Sieved<'_> {
    fn next(&self, at: usize) -> Option<Range<usize>> {
        self.records.stretch(at, self.kinds)
    }
}

/// Hands on every stretch of a batch that has a hit, in the order of its bytes, each once. `hits` are those of the text
/// up to the end of the last row.
pub(super) fn stretches<'a>(
    records: &'a Records<'a>,
    hits: &mut Hits<'_>,
    take: &mut dyn FnMut(Stretch<'a>, &mut Hits<'_>),
) {
    let from = if records.first == 0 { 0 } else { records.rows.first().map_or(0, |row| row.start) };
    let mut list = records.iter();
    let mut read = 0;
    let mut at = from;
    while let Some(hit) = first(hits, at) {
        let index = read + records.rows[read..].partition_point(|row| row.end <= hit);
        let Some(row) = records.rows.get(index) else { break };
        if hit < row.start {
            let before = index.checked_sub(1).map_or(from, |before| records.rows[before].end);
            let span = Span::new(before.max(from).min(row.start), row.start);
            take(Stretch { span, record: None, field: None }, hits);
            at = row.start;
            continue;
        }
        // `nth` walks, so the iterator only ever goes forward.
        let Some(record) = list.nth(index - read) else { break };
        read = index + 1;
        of_record(record, hits, take);
        at = row.end.max(hit + 1);
    }
}

fn of_record<'a>(record: Record<'a>, hits: &mut Hits<'_>, take: &mut dyn FnMut(Stretch<'a>, &mut Hits<'_>)) {
    let end = record.row().end;
    let mut done = record.row().start;
    let mut hand = |span: Span, field, hits: &mut Hits<'_>| {
        let hit = first(hits, span.start).filter(|&hit| hit < end);
        if hit.is_some_and(|hit| hit < span.end) {
            take(Stretch { span, record: Some(record), field }, hits);
        }
        hit.is_some()
    };
    for field in record.fields() {
        let cell = field.cell();
        if cell.start >= cell.end || cell.start < done {
            continue;
        }
        if !hand(Span::new(done, cell.start), None, hits) {
            return;
        }
        hand(Span::new(cell.start, cell.end), Some(field), hits);
        done = cell.end;
    }
    hand(Span::new(done, end.max(done)), None, hits);
}

/// The first hit at or behind an offset of the blob.
fn first(hits: &mut Hits<'_>, at: u64) -> Option<u64> {
    hits.first_from(usize::try_from(at).ok()?).map(|hit| hit as u64)
}

/// Whether the cells of a batch were written out one after the other, so that no bytes of the blob stand behind them.
pub(super) fn is_columnar(records: &Records<'_>) -> bool {
    // All cells of a batch are of one kind or the other.
    records.kind.is_columnar() || records.cells.first().is_some_and(|cell| cell.coding == Coding::Columnar)
}

/// How what stands between the values of a file is written.
pub(super) fn container(kind: Kind) -> Coding {
    if crate::check::places::is_json(kind) { Coding::Json } else { Coding::Plain }
}

/// A value without the escapes of its container. Where it has none it stays as it is, malformed bytes too.
pub(super) fn decoded(coding: Coding, raw: &[u8]) -> Cow<'_, [u8]> {
    let mark = match coding {
        Coding::Json => b'\\',
        Coding::Csv => b'"',
        _ => return Cow::Borrowed(raw),
    };
    match memchr::memchr(mark, raw) {
        Some(_) => Cow::Owned(coding::decode(coding, raw).into_owned().into_bytes()),
        None => Cow::Borrowed(raw),
    }
}

/// Leads ranges of a [`decoded`] value back to the bytes of the blob. Ranges that come in order cost one walk together.
pub(super) struct Back<'a> {
    coding: Coding,
    raw: &'a [u8],
    /// `None` where nothing was decoded, and malformed bytes stand as they are.
    trail: Option<Trail<'a>>,
    start: u64,
    done: usize,
}

impl<'a> Back<'a> {
    /// `raw` begins at `start`; it `was_decoded` or it was taken as it is.
    pub(super) fn new(coding: Coding, raw: &'a [u8], start: u64, was_decoded: bool) -> Self {
        Self { coding, raw, trail: was_decoded.then(|| Trail::new(coding, raw)), start, done: 0 }
    }

    pub(super) fn lead(&mut self, range: Range<usize>) -> Span {
        let range = match &mut self.trail {
            Some(trail) => {
                if range.start < self.done {
                    *trail = Trail::new(self.coding, self.raw);
                }
                self.done = range.end;
                trail.lead(range)
            }
            None => range,
        };
        Span::new(self.start + range.start as u64, self.start + range.end as u64)
    }
}
