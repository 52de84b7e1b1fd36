//! What the rest of a row says of its class: naive Bayes over the words of all other rows.
//!
//! It does not have to be a good classifier. What counts is whether the rows that carry a phrase read, without it, as
//! the rows of other classes do.

use super::corpus::{Class, Corpus, Word};
use crate::check::association::ln;

/// Added to each count, so that a word that a class never had does not decide everything.
const SMOOTHING: f64 = 0.5;
/// Honest rows that are read to know how firmly rows speak for their class.
const HONEST: usize = 512;
/// A row that speaks less firmly than this against its label does not speak: e² to one.
const LEAST: f64 = 2.0;
/// A row counts for no more than this: e³⁰ to one.
const FIRMEST: f64 = 30.0;

/// A classifier that is trained on everything but the row it is asked about.
pub(super) struct Rest<'c, 's> {
    pub(super) corpus: &'c Corpus<'s>,
    /// Logarithm of what each class's words add up to.
    weight: Vec<f64>,
    /// Logarithm of each class's rows.
    prior: Vec<f64>,
    /// What a word adds for a class of which so many rows have it.
    gain: Vec<f64>,
    scores: Vec<f64>,
    /// From here on a row speaks firmly for another class.
    firm: f64,
    /// Of a thousand honest rows so many speak firmly for another class.
    noise: u64,
    /// Words that are left out, sorted.
    pub(super) without: Vec<Word>,
}

/// What the rest of a row says.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Says {
    /// Nothing: no word is left.
    Nothing,
    /// What its label says, as well as anything else.
    Same,
    /// Another class, though not firmly.
    Other,
    /// Another class, as firmly as honest rows speak for theirs.
    Firmly(Class),
}

impl<'c, 's> Rest<'c, 's> {
    pub(super) fn new(corpus: &'c Corpus<'s>) -> Self {
        let words = corpus.names.len() as f64;
        let most = corpus.class_rows.iter().copied().max().unwrap_or(0);
        let mut rest = Self {
            corpus,
            weight: corpus.class_words.iter().map(|&n| ln(n as f64 + SMOOTHING * words)).collect(),
            prior: corpus.class_rows.iter().map(|&n| ln(f64::from(n) + 1.0)).collect(),
            gain: (0..=most).map(|n| ln(f64::from(n) + SMOOTHING) - ln(SMOOTHING)).collect(),
            scores: vec![0.0; corpus.classes.len()],
            firm: LEAST,
            noise: 0,
            without: Vec::new(),
        };
        rest.calibrate();
        rest
    }

    /// Learns from honest rows how firmly rows speak.
    fn calibrate(&mut self) {
        let rows = self.corpus.rows.len();
        let step = rows.div_ceil(HONEST).max(1);
        let mut margins: Vec<f64> =
            (0..rows).step_by(step).filter_map(|row| self.margin(row as u32)).map(|(margin, _)| -margin).collect();
        margins.sort_by(f64::total_cmp);
        // With many classes a row is soon nearer to one of the others, so more is asked for.
        let at = if self.corpus.classes.len() > 10 { margins.len() / 2 } else { margins.len() / 4 };
        self.firm = margins.get(at).copied().unwrap_or(LEAST).max(LEAST);
        let wrong = margins.iter().filter(|&&margin| margin <= -self.firm).count();
        self.noise = (wrong * 1000 / margins.len().max(1)) as u64;
    }

    /// Of a thousand honest rows so many speak firmly for another class than theirs.
    pub(super) fn noise(&self) -> u64 {
        self.noise
    }

    /// What a row says without the words that are left out.
    pub(super) fn says(&mut self, row: u32) -> Says {
        match self.margin(row) {
            None => Says::Nothing,
            Some((margin, class)) if margin >= self.firm => Says::Firmly(class),
            Some((margin, _)) if margin > 0.0 => Says::Other,
            Some(_) => Says::Same,
        }
    }

    /// By how much the best other class is ahead of the row's own, and which that is.
    fn margin(&mut self, row: u32) -> Option<(f64, Class)> {
        self.ahead_of(row, self.corpus.rows[row as usize].class)
    }

    /// How firmly a row speaks for a class: by how much that is ahead of the best other one, and below zero where it is
    /// behind. No row counts for more than [`FIRMEST`], for long rows speak as firmly as they are long.
    pub(super) fn lean(&mut self, row: u32, class: Class) -> Option<f64> {
        self.ahead_of(row, class).map(|(ahead, _)| (-ahead).clamp(-FIRMEST, FIRMEST))
    }

    /// By how much the best class beside `class` is ahead of it, and which that is.
    fn ahead_of(&mut self, row: u32, class: Class) -> Option<(f64, Class)> {
        let corpus = self.corpus;
        let (own, set) = (corpus.rows[row as usize].class as usize, corpus.set(row));
        let smooth = ln(SMOOTHING);
        // The row itself is not among those it is held against.
        let weight = ln((corpus.class_words[own] - set.len() as u64) as f64 + SMOOTHING * corpus.names.len() as f64);
        self.scores.fill(0.0);
        let mut words = 0_u32;
        for &word in set {
            if corpus.rows_with(word).len() < 2 || self.without.binary_search(&word).is_ok() {
                continue;
            }
            words += 1;
            for &(class, n) in corpus.spread(word) {
                let n = n as usize - usize::from(class as usize == own);
                self.scores[class as usize] += self.gain[n];
            }
        }
        if words == 0 {
            return None;
        }
        let (mut mine, mut best) = (0.0, None);
        for (at, gain) in self.scores.iter().enumerate() {
            let (prior, weight) = match at == own {
                true => (ln(f64::from(corpus.class_rows[own])), weight),
                false => (self.prior[at], self.weight[at]),
            };
            let score = prior + gain - f64::from(words) * (weight - smooth);
            if at == class as usize {
                mine = score;
            } else if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, at));
            }
        }
        best.map(|(score, at)| (score - mine, at as Class))
    }
}
