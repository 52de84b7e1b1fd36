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

    /// The spans of all rows, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Span> {
        let (mut end, mut gap, mut long) = (0_u64, 0, 0);
        self.lengths.iter().enumerate().map(move |(row, &length)| {
            while self.gaps.get(gap).is_some_and(|&(from, _)| from as usize <= row) {
                gap += 1;
            }
            let start = end.wrapping_add(self.gaps[gap - 1].1 as u64);
            let length = match length {
                LONG => {
                    long += 1;
                    self.long[long - 1].1
                }
                length => u64::from(length),
            };
            end = start + length;
            Span::new(start, end)
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

    #[test]
    fn rows_may_go_back() {
        let mut index = Rows::default();
        for start in [100, 40, 70] {
            index.push(Span::new(start, start + 10), 1);
        }
        assert_eq!((0..3).map(|row| index.span(row).start).collect::<Vec<_>>(), [100, 40, 70]);
    }
}
