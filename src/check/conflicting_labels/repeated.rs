//! Which texts stand in a data set more than once, told by a few bits of their keys instead of by sorting all of them.

use std::ops::Range;

/// Rows that are looked at in one round, in eight bytes each.
const AT_ONCE: usize = 8 << 20;
/// Rows are put into so many buckets by the highest bits of their keys, each small enough to stay near.
const BUCKETS: usize = 256;
/// Bits for each row of a bucket. With so many, one row in sixteen that stands alone is taken for one that may not.
const BITS: usize = 16;

/// The rows whose keys others may have, too. All that do are among them.
#[derive(Debug)]
pub(super) struct Repeated {
    /// A bit for each row.
    marked: Vec<u64>,
    /// How many these are.
    pub(super) count: usize,
    /// How many rows stand alone.
    pub(super) alone: u64,
}

impl Repeated {
    /// `keys` gives numbers of rows, all below `rows`, with their keys, which are hashes.
    pub(super) fn of<I: Iterator<Item = (u32, u64)>>(rows: usize, keys: impl Fn() -> I) -> Self {
        let rounds = u32::try_from(rows.div_ceil(AT_ONCE)).unwrap_or(u32::MAX).max(1);
        Self::in_rounds(rows, rounds, keys)
    }

    fn in_rounds<I: Iterator<Item = (u32, u64)>>(rows: usize, rounds: u32, keys: impl Fn() -> I) -> Self {
        let bucket = |key: u64| (key >> 56) as usize % BUCKETS;
        let mut found = Self { marked: vec![0; rows.div_ceil(64)], count: 0, alone: 0 };
        let (mut bucketed, mut bits) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let these = || keys().filter(|&(_, key)| rounds == 1 || (key >> 32) as u32 % rounds == round);
            let mut ends = [0; BUCKETS];
            these().for_each(|(_, key)| ends[bucket(key)] += 1);
            let mut count = 0;
            for end in &mut ends {
                count += std::mem::replace(end, count);
            }
            bucketed.clear();
            bucketed.resize(count, (0, 0));
            these().for_each(|(row, key)| {
                let at = &mut ends[bucket(key)];
                bucketed[*at] = (key as u32, row);
                *at += 1;
            });
            let mut start = 0;
            for end in ends {
                found.look(&bucketed[start..end], &mut bits);
                start = end;
            }
        }
        found
    }

    /// Looks at the rows of a bucket, which come with the lowest bits of their keys.
    fn look(&mut self, rows: &[(u32, u32)], bits: &mut Vec<[u64; 2]>) {
        let words = (rows.len() * BITS).div_ceil(64);
        let slot = |key: u32| (((u64::from(key >> 6) * words as u64) >> 26) as usize, 1_u64 << (key % 64));
        bits.clear();
        bits.resize(words, [0; 2]);
        for &(key, _) in rows {
            let (word, bit) = slot(key);
            let [once, again] = &mut bits[word];
            *again |= *once & bit;
            *once |= bit;
        }
        let before = self.count;
        for &(key, row) in rows {
            let (word, bit) = slot(key);
            if bits[word][1] & bit != 0 {
                self.marked[row as usize / 64] |= 1 << (row % 64);
                self.count += 1;
            }
        }
        self.alone += (rows.len() - (self.count - before)) as u64;
    }

    /// Those of some rows, in order.
    pub(super) fn among(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        let words = rows.start / 64..rows.end.div_ceil(64);
        let bits = words.flat_map(|word| {
            let mut left = self.marked[word];
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(64 * word + bit)
            })
        });
        bits.filter(move |number| rows.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::mix;

    proptest! {
        #[test]
        fn every_row_that_is_not_alone_is_found(
            texts in proptest::collection::vec(proptest::option::of(0_u64..300), 0..500),
            rounds in 1_u32..4,
            cuts in (0_usize..500, 0_usize..500),
        ) {
            let keys = || texts.iter().enumerate().filter_map(|(row, text)| Some((row as u32, mix(text.as_ref()? + 1))));
            let repeated = Repeated::in_rounds(texts.len(), rounds, keys);
            let is_repeated = |row: usize| texts[row].is_some() && texts.iter().filter(|text| **text == texts[row]).count() > 1;
            let among: Vec<usize> = repeated.among(0..texts.len()).collect();
            prop_assert!((0..texts.len()).filter(|&row| is_repeated(row)).all(|row| among.contains(&row)));
            prop_assert_eq!(among.len(), repeated.count);
            prop_assert_eq!(repeated.count as u64 + repeated.alone, keys().count() as u64);
            let (from, to) = (cuts.0.min(texts.len()), cuts.1.min(texts.len()));
            let expected: Vec<usize> = among.into_iter().filter(|row| (from..to).contains(row)).collect();
            prop_assert_eq!(repeated.among(from..to.max(from)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn few_rows_that_stand_alone_are_taken_for_others() {
        let keys = || (0..100_000).map(|row| (row, mix(u64::from(row))));
        let repeated = Repeated::of(100_000, keys);
        assert!(repeated.count < 7_000, "{}", repeated.count);
    }
}
