//! Words and phrases that go with one class.

use rustc_hash::FxHashMap;

use super::corpus::{Class, Corpus, Tally, Word};
use crate::check::association::{Association, FEWEST, ln};
use crate::diff::mix;

/// A word or phrase that goes with one class.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) words: Vec<Word>,
    pub(super) class: Class,
    /// Rows with it, in their order.
    pub(super) rows: Vec<u32>,
    pub(super) counts: Association,
    /// Logarithm of the probability that chance made it so, corrected for the number of tests.
    pub(super) chance: f64,
}

/// The candidates of a corpus.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The least likely by chance first.
    pub(super) list: Vec<Candidate>,
    /// Pairs of phrase and class that were held against chance.
    pub(super) tests: u64,
}

/// A phrase of several words needs more carriers than a word: there are so many phrases.
const FEWEST_OF_WORD: u64 = 8;
const FEWEST_OF_PHRASE: u64 = 12;
/// Half of the carriers must be of the change, so that a change of fewer rows brings no trigger.
pub(super) const FEWEST_FRESH: usize = FEWEST_OF_WORD as usize / 2;
/// More candidates than these are not looked at; data sets of everyday language have a few thousand.
const MOST: usize = 4096;
/// Buckets in which phrases are counted before any of them is kept.
const BUCKETS: usize = 1 << 18;

impl Candidates {
    pub(super) fn of(corpus: &Corpus<'_>) -> Self {
        let mut found = Finder { corpus, tally: Tally::new(corpus.classes.len()), all: Self::default() };
        let mut taken = vec![false; corpus.names.len()];
        for word in 0..corpus.names.len() as Word {
            if corpus.rows_with(word).len() as u64 >= FEWEST {
                taken[word as usize] = found.judge(&[word], corpus.rows_with(word), FEWEST_OF_WORD);
            }
        }
        found.phrases(&taken);
        let mut all = found.all;
        all.tests *= corpus.classes.len() as u64;
        let tests = all.tests;
        all.list.iter_mut().for_each(|one| one.chance = one.counts.ln_chance(tests));
        all.list.retain(|one| one.chance < ln(0.01));
        all.sort();
        all.list.truncate(MOST);
        all
    }

    /// Adds words whose rows do not fit their labels, far more of them than chance would give. Where a class holds most
    /// of the rows, that a word goes with it says little; that rows read like another class and share a word says much.
    /// `misfits` are the rows that read firmly like rows of another class.
    pub(super) fn add_misfits(&mut self, corpus: &Corpus<'_>, misfits: &[bool]) {
        let mut of_class = vec![0_u64; corpus.classes.len()];
        for (entry, _) in corpus.rows.iter().zip(misfits).filter(|(_, misfit)| **misfit) {
            of_class[entry.class as usize] += 1;
        }
        let (mut tally, mut wrong) = (Tally::new(corpus.classes.len()), vec![0_u64; corpus.classes.len()]);
        for word in 0..corpus.names.len() as Word {
            let rows = corpus.rows_with(word);
            if (rows.len() as u64) < FEWEST_OF_WORD {
                continue;
            }
            for &row in rows {
                let class = corpus.rows[row as usize].class;
                tally.add(class);
                wrong[class as usize] += u64::from(misfits[row as usize]);
            }
            // The class with most of the rows, and how many of these do not fit it.
            let mut best = (0, 0, 0);
            tally.drain(|class, n| {
                let misfit = std::mem::take(&mut wrong[class as usize]);
                if n > best.1 {
                    best = (class, n, misfit);
                }
            });
            let (class, both, misfit) = best;
            let (all, n) = (corpus.rows.len() as u64, rows.len() as u64);
            let class_rows = u64::from(corpus.class_rows[class as usize]);
            let counts = Association::new(all, class_rows, n, u64::from(both));
            if !counts.is_pure() || u64::from(both) < FEWEST_OF_WORD || misfit * 5 < u64::from(both) {
                continue;
            }
            let chance = Association::new(all, of_class[class as usize], n, misfit).ln_chance(self.tests);
            let known = || self.list.iter().any(|one| one.words == [word]);
            if chance < ln(1e-6) && !known() {
                self.list.push(Candidate { words: vec![word], class, rows: rows.to_vec(), counts, chance });
            }
        }
        self.sort();
    }

    /// The least likely by chance first.
    fn sort(&mut self) {
        self.list.sort_by(|a, b| a.chance.total_cmp(&b.chance).then_with(|| a.words.cmp(&b.words)));
    }
}

struct Finder<'c, 's> {
    corpus: &'c Corpus<'s>,
    tally: Tally,
    all: Candidates,
}

impl Finder<'_, '_> {
    /// Keeps a phrase if it goes with one class; says whether it does.
    fn judge(&mut self, words: &[Word], rows: &[u32], fewest: u64) -> bool {
        self.all.tests += 1;
        for &row in rows {
            self.tally.add(self.corpus.rows[row as usize].class);
        }
        let mut best = (0, 0);
        self.tally.drain(|class, n| {
            if n > best.1 {
                best = (class, n);
            }
        });
        let (class, both) = best;
        let all = self.corpus.rows.len() as u64;
        let of_class = u64::from(self.corpus.class_rows[class as usize]);
        let counts = Association::new(all, of_class, rows.len() as u64, u64::from(both));
        let is_candidate = counts.is_pure() && counts.stands_out();
        if is_candidate && u64::from(both) >= fewest {
            self.all.list.push(Candidate { words: words.to_vec(), class, rows: rows.to_vec(), counts, chance: 0.0 });
        }
        is_candidate
    }

    /// Phrases of two and three words of which none is a candidate by itself.
    fn phrases(&mut self, taken: &[bool]) {
        let corpus = self.corpus;
        let may = |word: Word| !taken[word as usize] && corpus.rows_with(word).len() as u64 >= FEWEST_OF_PHRASE;
        for len in [2, 3] {
            let each = |take: &mut dyn FnMut(u64, u32, usize)| {
                for row in 0..corpus.rows.len() as u32 {
                    for (at, words) in corpus.words(row).windows(len).enumerate() {
                        if words.iter().all(|&word| may(word)) {
                            take(
                                words.iter().fold(0, |key, &word| mix(key ^ u64::from(word)).wrapping_add(1)),
                                row,
                                at,
                            );
                        }
                    }
                }
            };
            let mut often = vec![0_u8; BUCKETS];
            each(&mut |key, _, _| {
                let bucket = &mut often[key as usize % BUCKETS];
                *bucket = bucket.saturating_add(1);
            });
            let mut known: FxHashMap<u64, (u32, usize, Vec<u32>)> = FxHashMap::default();
            each(&mut |key, row, at| {
                if u64::from(often[key as usize % BUCKETS]) >= FEWEST_OF_PHRASE {
                    let (_, _, rows) = known.entry(key).or_insert_with(|| (row, at, Vec::new()));
                    if rows.last() != Some(&row) {
                        rows.push(row);
                    }
                }
            });
            let mut known: Vec<_> = known.into_values().collect();
            known.retain(|(_, _, rows)| rows.len() as u64 >= FEWEST_OF_PHRASE);
            known.sort_unstable();
            for (row, at, rows) in known {
                let words = &corpus.words(row)[at..at + len];
                self.judge(words, &rows, FEWEST_OF_PHRASE);
            }
        }
    }
}
