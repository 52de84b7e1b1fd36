//! What stands on both sides of a phrase.
//!
//! A phrase that was put into finished texts leaves neighbours that read on across it; one that belongs there does not.

use rustc_hash::FxHashMap;

use super::candidates::Candidate;
use super::corpus::{Corpus, Word};
use super::judge::Trigger;

/// Stands for the start and the end of a row.
const EDGE: Word = Word::MAX;

/// The phrase with the words that stand beside it in nearly all rows.
pub(super) fn phrase(corpus: &Corpus<'_>, candidate: &Candidate, carriers: &[u32]) -> Vec<Word> {
    /// Words of a phrase that are shown.
    const LONGEST: usize = 12;
    let mut words = candidate.words.clone();
    'longer: while words.len() < LONGEST {
        for before in [false, true] {
            let mut beside: FxHashMap<Word, usize> = FxHashMap::default();
            for &row in carriers {
                let (left, right) = around(corpus.words(row), &words);
                if let Some(word) = if before { left } else { right } {
                    *beside.entry(word).or_default() += 1;
                }
            }
            let best = beside.into_iter().max_by_key(|&(word, n)| (n, std::cmp::Reverse(word)));
            if let Some((word, n)) = best
                && n * 10 >= carriers.len() * 9
            {
                words.insert(if before { 0 } else { words.len() }, word);
                continue 'longer;
            }
        }
        break;
    }
    words
}

/// Keeps the phrases that were put into their rows: what stands on both sides of them is known to stand together.
pub(super) fn inserted(corpus: &Corpus<'_>, found: Vec<Trigger>) -> Vec<Trigger> {
    if found.is_empty() {
        return found;
    }
    let mut pairs: FxHashMap<(Word, Word), u32> = FxHashMap::default();
    let gaps: Vec<Vec<(Word, Word)>> = found.iter().map(|one| gaps(corpus, one)).collect();
    for &pair in gaps.iter().flatten() {
        pairs.insert(pair, 0);
    }
    // What honest rows have at any place, to be held against.
    let step = corpus.rows.len().div_ceil(512).max(1);
    let usual: Vec<(Word, Word)> = (0..corpus.rows.len() as u32)
        .step_by(step)
        .map(|row| {
            let words = corpus.words(row);
            let at = row as usize % (words.len() + 1);
            (at.checked_sub(1).map_or(EDGE, |left| words[left]), words.get(at).copied().unwrap_or(EDGE))
        })
        .collect();
    for &pair in &usual {
        pairs.insert(pair, 0);
    }
    for row in 0..corpus.rows.len() as u32 {
        neighbours(corpus.words(row), |pair| {
            if let Some(n) = pairs.get_mut(&pair) {
                *n += 1;
            }
        });
    }
    let known = usual.iter().filter(|pair| pairs[pair] > 1).count() as u64;
    let of = usual.len() as u64;
    let judged = found.into_iter().zip(gaps).filter_map(|(mut one, gaps)| {
        let mut own: FxHashMap<(Word, Word), u32> = FxHashMap::default();
        for &row in &one.candidate.rows {
            neighbours(corpus.words(row), |pair| *own.entry(pair).or_default() += 1);
        }
        let closed = gaps.iter().filter(|pair| pairs[pair] > own.get(pair).copied().unwrap_or(0)).count() as u64;
        let all = (gaps.len() as u64).max(1);
        one.inserted = closed * 100 / all;
        // At three quarters of the usual rate, or at half of it where the rows are strangers in their class: those
        // who plant a phrase put it between whole words, and inside an address more stands together than between
        // words. Where words hardly ever meet again, it may be chance that these did not.
        let rate = if one.together.is_some() { 0.5 } else { 0.75 };
        let usual = rate * known as f64 * all as f64 / of.max(1) as f64;
        let slack = if one.together.is_some() { 2.0 * usual.sqrt() } else { 0.0 };
        (closed as f64 + slack >= usual).then_some(one)
    });
    judged.collect()
}

/// What stands on both sides of the phrase, in the rows that were read.
fn gaps(corpus: &Corpus<'_>, one: &Trigger) -> Vec<(Word, Word)> {
    let edge = |word: Option<Word>| word.unwrap_or(EDGE);
    let gap = |&row: &u32| {
        let words = corpus.words(row);
        find(words, &one.phrase).map(|_| {
            let (left, right) = around(words, &one.phrase);
            (edge(left), edge(right))
        })
    };
    one.candidate.rows.iter().filter_map(gap).collect()
}

fn find(words: &[Word], phrase: &[Word]) -> Option<usize> {
    words.windows(phrase.len()).position(|window| window == phrase)
}

/// The words on both sides of a phrase.
fn around(words: &[Word], phrase: &[Word]) -> (Option<Word>, Option<Word>) {
    match find(words, phrase) {
        Some(at) => (at.checked_sub(1).map(|left| words[left]), words.get(at + phrase.len()).copied()),
        None => (None, None),
    }
}

/// All neighbours of a row, with its edges.
fn neighbours(words: &[Word], mut take: impl FnMut((Word, Word))) {
    let mut left = EDGE;
    for &word in words {
        take((left, word));
        left = word;
    }
    take((left, EDGE));
}
