//! A sample of rows that is the same whatever the order in which rows come.
//!
//! Every row has a key by chance. At level `n` those whose key begins with `n` zero bits are kept, and the level is the
//! lowest at which they fit. So a row costs one comparison once a data set is large, and threads do not show.

use crate::span::{BlobId, Place};

/// Rows with their label and their words.
#[derive(Debug, Default)]
pub(super) struct Sample {
    level: u32,
    pub(super) rows: Vec<Row>,
    text: String,
}

/// A row that was kept.
#[derive(Clone, Debug)]
pub(super) struct Row {
    key: u64,
    at: u32,
    label: u16,
    len: u32,
    /// Where it is.
    pub(super) blob: BlobId,
    pub(super) number: u64,
    pub(super) place: Place,
}

impl Sample {
    /// Whether a row of this key would be kept.
    #[inline]
    pub(super) fn wants(&self, key: u64) -> bool {
        key <= u64::MAX.checked_shr(self.level).unwrap_or(0)
    }

    /// Goes up to this level at least.
    pub(super) fn raise(&mut self, level: u32) {
        if level > self.level {
            self.level = level.min(u64::BITS);
            self.drop_unwanted();
        }
    }

    /// Keeps a row, and drops others where that makes it more than `cap` bytes.
    pub(super) fn push(&mut self, key: u64, number: u64, place: Place, label: &str, words: &str, cap: usize) {
        let (Ok(at), Ok(short), Ok(len)) =
            (u32::try_from(self.text.len()), u16::try_from(label.len()), u32::try_from(words.len()))
        else {
            return;
        };
        self.text.push_str(label);
        self.text.push_str(words);
        self.rows.push(Row { key, at, label: short, len, blob: place.blob, number, place });
        self.fit(cap);
    }

    /// Its label.
    pub(super) fn label(&self, row: &Row) -> &str {
        &self.text[row.at as usize..][..usize::from(row.label)]
    }

    /// Its words, with a blank behind each.
    pub(super) fn words(&self, row: &Row) -> &str {
        &self.text[row.at as usize + usize::from(row.label)..][..row.len as usize]
    }

    /// Bytes that it takes.
    fn size(&self) -> usize {
        self.text.len() + self.rows.len() * size_of::<Row>()
    }

    /// Goes up to the lowest level at which it takes no more than `cap` bytes.
    pub(super) fn fit(&mut self, cap: usize) {
        while self.size() > cap && self.level < u64::BITS {
            self.level += 1;
            self.drop_unwanted();
        }
    }

    fn drop_unwanted(&mut self) {
        let mut text = String::new();
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain_mut(|row| {
            let wanted = self.wants(row.key);
            if wanted {
                let at = text.len() as u32;
                text.push_str(self.label(row));
                text.push_str(self.words(row));
                row.at = at;
            }
            wanted
        });
        self.rows = rows;
        self.text = text;
    }

    /// Takes in another sample.
    pub(super) fn merge(&mut self, mut other: Self, cap: usize) {
        let level = self.level.max(other.level);
        for one in [&mut *self, &mut other] {
            if one.level < level {
                one.level = level;
                one.drop_unwanted();
            }
        }
        if self.rows.len() < other.rows.len() {
            std::mem::swap(self, &mut other);
        }
        let base = self.text.len() as u32;
        self.text.push_str(&other.text);
        self.rows.extend(other.rows.into_iter().map(|row| Row { at: row.at + base, ..row }));
        self.fit(cap);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::span::Span;

    fn add(sample: &mut Sample, n: u64, cap: usize) {
        let key = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 17);
        if sample.wants(key) {
            let place = crate::finding::Mark::bytes(BlobId(0), Span::new(n, n)).place;
            sample.push(key, n, place, &format!("class{}", n % 3), &format!("word{n} and more "), cap);
        }
    }

    fn list(sample: &Sample) -> Vec<(u64, String, String)> {
        let mut all: Vec<_> = sample
            .rows
            .iter()
            .map(|row| (row.number, sample.label(row).to_owned(), sample.words(row).to_owned()))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_large_set_is_cut_to_size_and_stays_whole_words() {
        let mut sample = Sample::default();
        (0..100_000).for_each(|n| add(&mut sample, n, 50_000));
        assert!(sample.size() <= 50_000 && sample.rows.len() > 150, "{}", sample.rows.len());
        for (n, label, words) in list(&sample) {
            assert_eq!((label, words), (format!("class{}", n % 3), format!("word{n} and more ")));
        }
    }

    proptest! {
        #[test]
        fn order_and_threads_do_not_show(mut numbers in proptest::collection::hash_set(any::<u64>(), 0..300).prop_map(Vec::from_iter), cut in 0_usize..300) {
            const CAP: usize = 6000;
            let mut all = Sample::default();
            numbers.iter().for_each(|&n| add(&mut all, n, CAP));
            numbers.sort_unstable();
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let (mut a, mut b) = (Sample::default(), Sample::default());
            left.iter().for_each(|&n| add(&mut a, n, CAP));
            right.iter().for_each(|&n| add(&mut b, n, CAP));
            b.merge(a, CAP);
            prop_assert_eq!(list(&all), list(&b));
        }
    }
}
