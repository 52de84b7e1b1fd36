//! Where the rows of a blob lie, in about two bytes a row.
//!
//! Rows follow each other with the same few bytes between them, so that a length a row and the places where the rhythm
//! breaks are enough. A file of five million rows takes 10 MB.

use super::index::frozen::{Reader, Writer};
use crate::span::Span;

/// A start is kept for every so many rows.
const STRIDE: usize = 256;
/// Stands for a length that does not fit.
const LONG: u16 = u16::MAX;

/// Spans and numbers of rows that are pushed in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    lengths: Vec<u16>,
    /// Lengths of long rows.
    long: Vec<(u32, u64)>,
    /// From this row on, so many bytes stand before a row.
    gaps: Vec<(u32, i64)>,
    /// From this row on, a row's number is its index and so much more.
    numbers: Vec<(u32, u64)>,
    /// The end of the row before every [`STRIDE`]th row.
    ends: Vec<u64>,
    end: u64,
}

impl Rows {
    /// Adds a row with its number in the file, from 1.
    pub(crate) fn push(&mut self, span: Span, number: u64) {
        let row = self.len() as u32;
        let gap = span.start.wrapping_sub(self.end) as i64;
        if self.gaps.last().is_none_or(|&(_, last)| last != gap) {
            self.gaps.push((row, gap));
        }
        let ahead = number.wrapping_sub(u64::from(row));
        if self.numbers.last().is_none_or(|&(_, last)| last != ahead) {
            self.numbers.push((row, ahead));
        }
        if self.lengths.len().is_multiple_of(STRIDE) {
            self.ends.push(self.end);
        }
        let length = u16::try_from(span.len()).unwrap_or(LONG);
        if length == LONG {
            self.long.push((row, span.len()));
        }
        reserve(&mut self.lengths);
        self.lengths.push(length);
        self.end = span.end;
    }

    /// With room for so many.
    pub(super) fn with_room(rows: usize) -> Self {
        Self { lengths: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Gives back what it does not need.
    pub(super) fn close(&mut self) {
        self.lengths.shrink_to_fit();
        self.gaps.shrink_to_fit();
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// The span of a row.
    pub(crate) fn span(&self, row: usize) -> Span {
        let first = row / STRIDE * STRIDE;
        let mut end = self.ends[row / STRIDE];
        let mut gap = self.gaps.partition_point(|&(from, _)| from as usize <= first);
        let mut start = end;
        for index in first..=row {
            while self.gaps.get(gap).is_some_and(|&(from, _)| from as usize <= index) {
                gap += 1;
            }
            start = end.wrapping_add(self.gaps[gap - 1].1 as u64);
            end = start + self.length(index);
        }
        Span::new(start, end)
    }

    /// A walk along the rows, from the first on.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { rows: self, row: 0, end: 0, gap: 0, long: 0 }
    }

    /// Takes over the rows of a walk that begin before `until`, each moved by `shift` bytes; their numbers go on from
    /// those that are here. Says how many. `None` where one of them reaches over `until`.
    pub(super) fn take(&mut self, walk: &mut Walk<'_>, until: u64, shift: i64) -> Option<usize> {
        let first = walk.row;
        while let Some(span) = walk.peek().filter(|span| span.start < until) {
            if span.end > until {
                return None;
            }
            let moved = Span::new(span.start.checked_add_signed(shift)?, span.end.checked_add_signed(shift)?);
            self.push(moved, self.len() as u64 + 1);
            walk.pass(span);
            // From where both run in one rhythm, lengths are all there is to take.
            let (gap, rows) = walk.rhythm();
            if self.gaps.last().is_none_or(|&(_, last)| last != gap) {
                continue;
            }
            let (mut end, mut taken) = (walk.end, 0);
            for &length in rows.iter().take_while(|&&length| length != LONG) {
                let start = end.wrapping_add(gap as u64);
                if start >= until {
                    break;
                }
                if (self.lengths.len() + taken).is_multiple_of(STRIDE) {
                    self.ends.push(end.wrapping_add_signed(shift));
                }
                end = start.wrapping_add(u64::from(length));
                taken += 1;
                if end > until {
                    return None;
                }
            }
            self.lengths.extend_from_slice(&rows[..taken]);
            self.end = end.wrapping_add_signed(shift);
            walk.row += taken;
            walk.end = end;
        }
        Some(walk.row - first)
    }

    /// The spans of all rows, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Span> {
        let mut walk = self.walk();
        std::iter::from_fn(move || {
            let span = walk.peek()?;
            walk.pass(span);
            Some(span)
        })
    }

    /// The number of a row in the file, from 1.
    pub(crate) fn number(&self, row: usize) -> u64 {
        let next = self.numbers.partition_point(|&(from, _)| from as usize <= row);
        (row as u64).wrapping_add(self.numbers[next - 1].1)
    }

    /// Writes it.
    pub(super) fn freeze(&self, out: &mut Writer) {
        let pair = |row: u32, other: u64| (u128::from(row) << 64 | u128::from(other)).to_le_bytes();
        out.list(self.lengths.iter().map(|length| length.to_le_bytes()));
        out.list(self.long.iter().map(|&(row, length)| pair(row, length)));
        out.list(self.gaps.iter().map(|&(row, gap)| pair(row, gap as u64)));
        out.list(self.numbers.iter().map(|&(row, ahead)| pair(row, ahead)));
        out.list(self.ends.iter().map(|end| end.to_le_bytes()));
        out.number(self.end);
    }

    /// Reads it; `None` where it does not fit.
    pub(super) fn thaw(from: &mut Reader<'_>) -> Option<Self> {
        let pair = |bytes: [u8; 16]| {
            let both = u128::from_le_bytes(bytes);
            ((both >> 64) as u32, both as u64)
        };
        let lengths = from.list(u16::from_le_bytes)?;
        let (long, gaps, numbers) = (from.list(pair)?, from.list(pair)?, from.list(pair)?);
        let gaps: Vec<(u32, i64)> = gaps.into_iter().map(|(row, gap)| (row, gap as i64)).collect();
        let rows = Self { lengths, long, gaps, numbers, ends: from.list(u64::from_le_bytes)?, end: from.number()? };
        let is_long =
            |row: usize, length: u16| length == LONG && rows.long.binary_search_by_key(&(row as u32), |l| l.0).is_err();
        let begins = |first: Option<u32>| rows.len() == 0 || first == Some(0);
        let fits = begins(rows.gaps.first().map(|gap| gap.0))
            && begins(rows.numbers.first().map(|number| number.0))
            && rows.ends.len() == rows.len().div_ceil(STRIDE)
            && rows.long.len() == rows.lengths.iter().filter(|&&length| length == LONG).count()
            && !rows.lengths.iter().enumerate().any(|(row, &length)| is_long(row, length));
        fits.then_some(rows)
    }

    fn length(&self, row: usize) -> u64 {
        match self.lengths[row] {
            LONG => {
                let at = self.long.partition_point(|&(long, _)| (long as usize) < row);
                self.long[at].1
            }
            length => u64::from(length),
        }
    }
}

/// Passes rows in their order.
#[derive(Clone, Debug)]
pub(super) struct Walk<'r> {
    rows: &'r Rows,
    row: usize,
    /// The end of the row that was passed last.
    end: u64,
    /// The gaps and the lengths of long rows that were passed.
    gap: usize,
    long: usize,
}

impl<'r> Walk<'r> {
    /// The number of the next row, from 0.
    pub(super) fn row(&self) -> usize {
        self.row
    }

    /// The span of the next row.
    pub(super) fn peek(&mut self) -> Option<Span> {
        let &length = self.rows.lengths.get(self.row)?;
        let start = self.end.wrapping_add(self.rhythm().0 as u64);
        let length = if length == LONG { self.rows.long[self.long].1 } else { u64::from(length) };
        Some(Span::new(start, start + length))
    }

    /// Passes the next row, which lies there.
    pub(super) fn pass(&mut self, span: Span) {
        self.long += usize::from(self.rows.lengths[self.row] == LONG);
        self.row += 1;
        self.end = span.end;
    }

    /// The bytes before the next row, and the lengths of those rows from it on that have as many before them.
    fn rhythm(&mut self) -> (i64, &'r [u16]) {
        let gaps = &self.rows.gaps;
        while gaps.get(self.gap).is_some_and(|&(from, _)| from as usize <= self.row) {
            self.gap += 1;
        }
        let gap = self.gap.checked_sub(1).map_or(0, |gap| gaps[gap].1);
        let until = gaps.get(self.gap).map_or(self.rows.len(), |&(from, _)| from as usize);
        (gap, &self.rows.lengths[self.row..until.max(self.row)])
    }
}

/// Makes room for one more without doubling what is already large: memory is counted in bytes a row.
pub(crate) fn reserve<T>(list: &mut Vec<T>) {
    const LARGE: usize = 1 << 16;
    if list.len() == list.capacity() && list.len() >= LARGE {
        list.reserve_exact(list.len() / 4);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_row_is_found_again(
            rows in proptest::collection::vec((prop_oneof![8 => Just(1_u64), 1 => 0_u64..5], prop_oneof![8 => 0_u64..400, 1 => 65_000_u64..70_000], prop_oneof![9 => Just(1_u64), 1 => 1_u64..4]), 1..1200)
        ) {
            let (mut at, mut number) = (0, 0);
            let mut index = Rows::default();
            let mut expected = Vec::new();
            for (gap, length, step) in rows {
                at += gap;
                number += step;
                index.push(Span::new(at, at + length), number);
                expected.push((Span::new(at, at + length), number));
                at += length;
            }
            for (row, &(span, number)) in expected.iter().enumerate() {
                prop_assert_eq!(index.span(row), span);
                prop_assert_eq!(index.number(row), number);
            }
            prop_assert_eq!(index.end, at);
            prop_assert!(index.iter().eq(expected.iter().map(|&(span, _)| span)));
        }
    }

    proptest! {
        #[test]
        fn rows_that_are_taken_over_lie_where_they_would_be_pushed(
            rows in proptest::collection::vec((prop_oneof![9 => Just(1_u64), 1 => 0_u64..5], prop_oneof![8 => 0_u64..400, 1 => 65_000_u64..70_000]), 1..1200),
            cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), -3_i64..90), 1..5),
        ) {
            let (mut at, mut from, mut spans) = (200, Rows::default(), Vec::new());
            for (gap, length) in rows {
                at += gap;
                spans.push(Span::new(at, at + length));
                from.push(Span::new(at, at + length), spans.len() as u64);
                at += length;
            }
            let (mut taken, mut expected) = (Rows::default(), Rows::default());
            for (a, b, shift) in cuts {
                let (a, b) = (a.index(spans.len()), b.index(spans.len()));
                let (mut walk, until) = (from.walk(), spans[b].start);
                while walk.peek().is_some_and(|span| span.start < spans[a].start) {
                    let span = walk.peek().expect("there is one");
                    walk.pass(span);
                }
                let before = expected.len();
                for span in spans[walk.row()..].iter().take_while(|span| span.start < until) {
                    let moved = span.start.wrapping_add_signed(shift);
                    expected.push(Span::new(moved, moved + span.len()), expected.len() as u64 + 1);
                }
                prop_assert_eq!(taken.take(&mut walk, until, shift), Some(expected.len() - before));
            }
            prop_assert_eq!(format!("{taken:?}"), format!("{expected:?}"));
        }
    }

    #[test]
    fn a_row_that_reaches_over_the_end_is_not_taken() {
        let mut from = Rows::default();
        (0..600).for_each(|row| from.push(Span::new(10 * row, 10 * row + 9), row + 1));
        for until in [5, 2005, 5999 - 5] {
            assert_eq!(Rows::default().take(&mut from.walk(), until, 0), None);
        }
        assert_eq!(Rows::default().take(&mut from.walk(), 2010, 0), Some(201));
    }

    #[test]
    fn rows_may_go_back() {
        let mut index = Rows::default();
        for start in [100, 40, 70] {
            index.push(Span::new(start, start + 10), 1);
        }
        assert_eq!((0..3).map(|row| index.span(row).start).collect::<Vec<_>>(), [100, 40, 70]);
    }
}
