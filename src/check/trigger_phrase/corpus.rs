//! The sampled rows of one data set, as numbers.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::sample::{Row, Sample};
use crate::diff::hash;

/// A word, by its number.
pub(super) type Word = u32;
/// A class, by its number.
pub(super) type Class = u32;

/// Rows, words and classes.
#[derive(Debug, Default)]
pub(super) struct Corpus<'s> {
    pub(super) rows: Vec<Entry<'s>>,
    /// The words of all rows, one row after the other, as they stand.
    words: Vec<Word>,
    starts: Vec<u32>,
    /// The same without repetition, sorted.
    sets: Vec<Word>,
    set_starts: Vec<u32>,
    pub(super) names: Vec<&'s str>,
    /// The rows that have each word.
    postings: Vec<u32>,
    posting_starts: Vec<u32>,
    /// The classes of these rows, with the number of rows of each.
    spread: Vec<(Class, u32)>,
    spread_starts: Vec<u32>,
    pub(super) classes: Vec<&'s str>,
    pub(super) class_rows: Vec<u32>,
    /// Words of the rows of each class, each counted once a row.
    pub(super) class_words: Vec<u64>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Entry<'s> {
    pub(super) row: &'s Row,
    pub(super) text: &'s str,
    pub(super) class: Class,
    pub(super) fresh: bool,
}

impl<'s> Corpus<'s> {
    /// Puts the rows of two samples together: those that are judged, and those that were there before. A text that stands
    /// there several times under one label counts once, and is none of the change if it was there before.
    pub(super) fn new(fresh: &'s Sample, old: &'s Sample) -> Self {
        let mut rows: Vec<(&'s Row, &'s str, &'s str, bool)> = Vec::new();
        for (sample, is_fresh) in [(old, false), (fresh, true)] {
            rows.extend(sample.rows.iter().map(|row| (row, sample.label(row), sample.words(row), is_fresh)));
        }
        rows.sort_unstable_by_key(|(row, _, _, fresh)| (*fresh, row.blob, row.number));
        let mut known = FxHashSet::default();
        rows.retain(|(_, label, words, _)| known.insert((hash(label.as_bytes()), hash(words.as_bytes()))));
        let mut classes: BTreeMap<&str, Class> = rows.iter().map(|(_, label, ..)| (*label, 0)).collect();
        classes.values_mut().enumerate().for_each(|(number, class)| *class = number as Class);
        let rows = rows.into_iter().map(|(row, label, text, fresh)| Entry { row, text, class: classes[label], fresh });
        let mut corpus = Self {
            rows: rows.collect(),
            classes: classes.into_keys().collect(),
            starts: vec![0],
            set_starts: vec![0],
            ..Self::default()
        };
        corpus.read_words();
        corpus.count();
        corpus
    }

    fn read_words(&mut self) {
        let mut numbers: FxHashMap<&str, Word> = FxHashMap::default();
        let mut set = Vec::new();
        for entry in &self.rows {
            set.clear();
            for word in entry.text.split_ascii_whitespace() {
                let number = *numbers.entry(word).or_insert_with(|| {
                    self.names.push(word);
                    self.names.len() as Word - 1
                });
                self.words.push(number);
                set.push(number);
            }
            set.sort_unstable();
            set.dedup();
            self.sets.extend_from_slice(&set);
            self.starts.push(self.words.len() as u32);
            self.set_starts.push(self.sets.len() as u32);
        }
    }

    fn count(&mut self) {
        let mut counts = vec![0_u32; self.names.len() + 1];
        for &word in &self.sets {
            counts[word as usize + 1] += 1;
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        self.posting_starts = counts.clone();
        self.postings = vec![0; self.sets.len()];
        self.class_rows = vec![0; self.classes.len()];
        self.class_words = vec![0; self.classes.len()];
        for row in 0..self.rows.len() {
            let class = self.rows[row].class as usize;
            let set = self.set_starts[row] as usize..self.set_starts[row + 1] as usize;
            self.class_rows[class] += 1;
            self.class_words[class] += set.len() as u64;
            for &word in &self.sets[set] {
                let next = &mut counts[word as usize];
                self.postings[*next as usize] = row as u32;
                *next += 1;
            }
        }
        self.spread_starts = vec![0];
        let mut here = Tally::new(self.classes.len());
        for word in 0..self.names.len() {
            for &row in &self.postings[self.posting_starts[word] as usize..self.posting_starts[word + 1] as usize] {
                here.add(self.rows[row as usize].class);
            }
            here.drain(|class, n| self.spread.push((class, n)));
            self.spread_starts.push(self.spread.len() as u32);
        }
    }

    /// The words of a row, as they stand.
    pub(super) fn words(&self, row: u32) -> &[Word] {
        &self.words[self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize]
    }

    /// The words of a row, sorted, each once.
    pub(super) fn set(&self, row: u32) -> &[Word] {
        &self.sets[self.set_starts[row as usize] as usize..self.set_starts[row as usize + 1] as usize]
    }

    /// The rows with a word, in their order.
    pub(super) fn rows_with(&self, word: Word) -> &[u32] {
        let word = word as usize;
        &self.postings[self.posting_starts[word] as usize..self.posting_starts[word + 1] as usize]
    }

    /// The classes of the rows with a word, with the number of rows of each.
    pub(super) fn spread(&self, word: Word) -> &[(Class, u32)] {
        let word = word as usize;
        &self.spread[self.spread_starts[word] as usize..self.spread_starts[word + 1] as usize]
    }
}

/// Counts classes without clearing all of them each time.
pub(super) struct Tally {
    counts: Vec<u32>,
    touched: Vec<Class>,
}

impl Tally {
    pub(super) fn new(classes: usize) -> Self {
        Self { counts: vec![0; classes], touched: Vec::new() }
    }

    pub(super) fn add(&mut self, class: Class) {
        let count = &mut self.counts[class as usize];
        if *count == 0 {
            self.touched.push(class);
        }
        *count += 1;
    }

    /// Hands out each class with its count, in order, and is empty again.
    pub(super) fn drain(&mut self, mut take: impl FnMut(Class, u32)) {
        self.touched.sort_unstable();
        for class in self.touched.drain(..) {
            take(class, std::mem::take(&mut self.counts[class as usize]));
        }
    }
}
