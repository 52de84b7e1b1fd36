//! What checks over the text of fields share: the places of one cause, and the way from a hit to its field.

use std::collections::BTreeMap;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::Merge;
use crate::finding::{MAX_MARKS, Mark};
use crate::format::sieve::Kinds;
use crate::format::{Coding, Field, Kind, Records};
use crate::span::{BlobId, Span};

/// Once a cause has this many places, further blobs are only counted.
const ENOUGH: usize = 1000;
/// At least as long as everything that checks search for.
const LONGEST: usize = 32;

/// The places of one cause: the first of each blob, of the first blobs. Which these are does not depend on the order in
/// which threads finish.
#[derive(Debug, Default)]
pub(super) struct Places {
    total: u64,
    marks: BTreeMap<BlobId, Vec<Mark>>,
    kept: usize,
}

impl Places {
    /// Counts a place. Its mark is only made where it is kept; within a blob places come in order.
    pub(super) fn add(&mut self, blob: BlobId, mark: impl FnOnce() -> Mark) {
        self.total = self.total.saturating_add(1);
        if self.kept >= ENOUGH && self.marks.last_key_value().is_some_and(|(last, _)| *last < blob) {
            return;
        }
        let here = self.marks.entry(blob).or_default();
        if here.len() < MAX_MARKS {
            here.push(mark());
            self.kept += 1;
            self.prune();
        }
    }

    /// How many places there are.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The places that were kept, in order.
    pub(super) fn into_marks(self) -> Vec<Mark> {
        let mut marks: Vec<Mark> = self.marks.into_values().flatten().collect();
        marks.sort();
        marks
    }

    fn prune(&mut self) {
        while let Some((_, last)) = self.marks.last_key_value() {
            if self.kept - last.len() < ENOUGH {
                break;
            }
            self.kept -= last.len();
            self.marks.pop_last();
        }
    }
}

impl Merge for Places {
    fn merge(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        for (blob, mut marks) in other.marks {
            let mine = self.marks.entry(blob).or_default();
            self.kept -= mine.len();
            mine.append(&mut marks);
            mine.sort();
            mine.truncate(MAX_MARKS);
            self.kept += mine.len();
        }
        self.prune();
    }
}

/// The text of a batch up to the end of its last row. What lies behind is for the batches to come: were it searched for
/// each of those before, large files would take for ever.
pub(super) fn text_of<'a>(records: &Records<'a>) -> &'a [u8] {
    Span::new(0, records.rows.last().map_or(0, |row| row.end)).of(records.text)
}

/// Where `find` finds something first, at or behind `at`. It is asked only for the stretches of `text` that may have bytes
/// of these kinds: all that it finds begins with one of them.
pub(super) fn find_from(
    records: &Records<'_>,
    text: &[u8],
    mut at: usize,
    kinds: Kinds,
    find: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    while let Some(stretch) = records.stretch(at, kinds) {
        // What begins in the stretch may end behind it.
        let piece = text.get(stretch.start..text.len().min(stretch.end + LONGEST))?;
        match find(piece).map(|n| stretch.start + n) {
            Some(hit) if hit < stretch.end => return Some(hit),
            _ => at = stretch.end,
        }
    }
    None
}

/// Hands on every field in which a hit lies, once, in the order of the file; with `only_fresh` those that a change
/// brings. `next` gives the first hit at or
/// behind an offset of the batch's text.
pub(super) fn fields_with_hits<'a>(
    records: &'a Records<'a>,
    only_fresh: bool,
    mut next: impl FnMut(usize) -> Option<usize>,
    mut take: impl FnMut(Field<'a>),
) {
    let (Some(first), Some(last)) = (records.rows.first(), records.rows.last()) else { return };
    let (mut read, mut passed) = (0, 0);
    let mut at = first.start;
    while let Some(hit) = usize::try_from(at).ok().and_then(&mut next).map(|hit| hit as u64) {
        if hit >= last.end {
            return;
        }
        let before = read;
        read += records.rows[read..].partition_point(|row| row.end <= hit);
        let Some(record) = records.record(records.first + read as u64 + 1) else { return };
        // Fields that ended before the last hit are not looked at again, however many hits a row has.
        passed = if read == before { passed } else { 0 };
        passed += record.fields().skip(passed).take_while(|field| field.cell().end <= hit).count();
        // Between the values of a row are names and punctuation.
        let field = record.fields().nth(passed);
        at = match field {
            _ if only_fresh && !record.is_fresh() => record.row().end,
            Some(field) if field.cell().start <= hit => {
                take(field);
                field.cell().end
            }
            Some(field) => field.cell().start,
            None => record.row().end,
        }
        .max(hit + 1);
    }
}

/// Searches for the beginnings of what a check looks at closely.
pub(super) struct Openings {
    searcher: Option<Searcher>,
    first: [u8; 3],
}

impl Openings {
    /// On machines without vectors the bytes of `first` are searched for: where one of the `beginnings` is, one of these
    /// stands in it or before it.
    pub(super) fn new<'b>(beginnings: impl IntoIterator<Item = &'b str>, first: [u8; 3]) -> Self {
        let beginnings = beginnings.into_iter().map(str::as_bytes);
        let searcher = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(beginnings).build();
        Self { searcher, first }
    }

    /// Where one may begin, at or behind `at`.
    pub(super) fn next(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let [a, b, c] = self.first;
        match &self.searcher {
            Some(searcher) => searcher.find(rest).map(|found| at + found.start()),
            None => memchr::memchr3(a, b, c, rest).map(|n| at + n),
        }
    }
}

/// A mark on a range of the decoded text of a field.
pub(super) fn mark_in(field: Field<'_>, range: std::ops::Range<usize>) -> Mark {
    let record = field.record();
    let batch = record.batch();
    let content = if field.coding() == Coding::Columnar { field.raw() } else { record.span().of(batch.text) };
    Mark {
        record: Some(record.number()),
        field: (!field.name().path.is_empty()).then(|| field.dotted()),
        content: crate::finding::content_hash(content),
        ..Mark::at(field.locate(range))
    }
}

/// A mark on bytes of a blob that stand in no field.
pub(super) fn mark_on(records: &Records<'_>, span: Span) -> Mark {
    Mark { content: crate::finding::content_hash(span.of(records.text)), ..Mark::at(records.place(span)) }
}

/// Whether values are written with the escapes of JSON.
pub(super) fn is_json(kind: Kind) -> bool {
    matches!(kind, Kind::JsonLines | Kind::Json)
}

/// At most so many characters of a text, for a message.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_places_are_kept_in_whatever_order_they_come() {
        let all: Vec<(u32, u64)> = (0..30).flat_map(|blob| (0..150).map(move |at| (blob, at))).collect();
        let gather = |parts: &[&[u32]]| {
            let mut whole = Places::default();
            for blobs in parts {
                let mut part = Places::default();
                for (blob, at) in all.iter().filter(|(blob, _)| blobs.contains(blob)) {
                    part.add(BlobId(*blob), || Mark::bytes(BlobId(*blob), Span::new(*at, at + 1)));
                }
                whole.merge(part);
            }
            (whole.total(), whole.into_marks())
        };
        let forward: Vec<u32> = (0..30).collect();
        let backward: Vec<u32> = (0..30).rev().collect();
        let (even, odd): (Vec<u32>, Vec<u32>) = forward.iter().partition(|n| *n % 2 == 0);
        let one = gather(&[&forward]);
        assert_eq!((one.0, one.1.len()), (4500, 1000));
        assert_eq!(one, gather(&[&backward]));
        assert_eq!(one, gather(&[&odd, &even]));
    }
}
