//! Where the rows with a phrase stand between their class and the others, without the phrase.
//!
//! One row says little where classes are much alike, as posts that hurt and posts that do not. Many rows together say
//! much: those of a topic lean to its class without the word, too, about as its other rows do, and those into which a
//! trigger was put lean the way that rows of other classes lean.

use super::corpus::{Class, Corpus};
use super::rest::Rest;

/// Rows of a class, and of all others, that are read: so many where there are few classes, and so many at least.
const READ: usize = 4096;
const READ_AT_LEAST: usize = 128;
const READ_AT_MOST: usize = 1024;
/// Fewer rows than these have no average.
const FEWEST: usize = 8;
/// From so many carriers on the others need not be read where these are at home.
const EARLY: usize = 16;
/// So many errors of the average it takes to be sure.
pub(super) const SURE: f64 = 3.0;

/// How the rows of classes lean, learned as it is asked for.
#[derive(Debug)]
pub(super) struct Standings {
    classes: Vec<Option<Leans>>,
}

/// How honest rows lean to a class.
#[derive(Clone, Debug)]
struct Leans {
    /// Rows of the class, in their order.
    own: Vec<(u32, f64)>,
    /// Rows of all others.
    others: Average,
}

/// A mean and its error, squared.
#[derive(Copy, Clone, Debug)]
struct Average {
    count: usize,
    mean: f64,
    error: f64,
}

impl Average {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (count, sum) = values.clone().fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
        if count < FEWEST {
            return None;
        }
        let mean = sum / count as f64;
        let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
        Some(Self { count, mean, error: squares / (count - 1) as f64 / count as f64 })
    }
}

/// A place between other classes, 0, and the own class, 1.
#[derive(Copy, Clone, Debug)]
pub(super) struct Standing {
    pub(super) at: f64,
    error: f64,
    /// Rows that were read.
    pub(super) read: usize,
}

impl Standing {
    /// Whether the rows stand nearer to other classes than to their own, by so many errors of the average.
    pub(super) fn is_strange(&self, errors: f64) -> bool {
        self.at + errors * self.error < 0.5
    }

    fn is_at_home(&self) -> bool {
        self.at - SURE * self.error > 0.5
    }
}

impl Standings {
    pub(super) fn new(classes: usize) -> Self {
        Self { classes: vec![None; classes] }
    }

    /// Where these rows of a class stand, without the words that `rest` leaves out. `rows` and `with`, the rows that are
    /// not held against them, are sorted. None where too few can be read, or honest rows of the class do not lean to it.
    pub(super) fn of(&mut self, rest: &mut Rest<'_, '_>, class: Class, rows: &[u32], with: &[u32]) -> Option<Standing> {
        let corpus = rest.corpus;
        if self.classes[class as usize].is_none() {
            let without = std::mem::take(&mut rest.without);
            let leans = leans(rest, corpus, class);
            rest.without = without;
            self.classes[class as usize] = Some(leans?);
        }
        let leans = self.classes[class as usize].as_ref()?;
        let own = leans.own.iter().filter(|(row, _)| with.binary_search(row).is_err()).map(|&(_, lean)| lean);
        let (own, others) = (Average::of(own)?, leans.others);
        let apart = own.mean - others.mean;
        if apart <= 0.0 || apart * apart < SURE * SURE * (own.error + others.error) {
            return None;
        }
        let standing = |average: Average| {
            let at = (average.mean - others.mean) / apart;
            let error = average.error + (1.0 - at) * (1.0 - at) * others.error + at * at * own.error;
            Standing { at, error: error.sqrt() / apart, read: average.count }
        };
        // First a few from everywhere.
        let stride = (rows.len() / EARLY).max(1);
        let mut read: Vec<f64> = rows.iter().step_by(stride).filter_map(|&row| rest.lean(row, class)).collect();
        if let Some(early) = Average::of(read.iter().copied()).map(standing)
            && early.is_at_home()
        {
            return Some(early);
        }
        let late = (0..rows.len()).filter(|at| at % stride != 0);
        read.extend(late.filter_map(|at| rest.lean(rows[at], class)));
        Average::of(read.iter().copied()).map(standing)
    }
}

fn leans(rest: &mut Rest<'_, '_>, corpus: &Corpus<'_>, class: Class) -> Option<Leans> {
    let all = 0..corpus.rows.len() as u32;
    let (own, others): (Vec<u32>, Vec<u32>) = all.partition(|&row| corpus.rows[row as usize].class == class);
    let most = (READ / corpus.classes.len().max(1)).clamp(READ_AT_LEAST, READ_AT_MOST);
    let mut read = |rows: &[u32]| -> Vec<(u32, f64)> {
        let step = rows.len().div_ceil(most).max(1);
        rows.iter().step_by(step).filter_map(|&row| rest.lean(row, class).map(|lean| (row, lean))).collect()
    };
    let (own, others) = (read(&own), read(&others));
    Some(Leans { own, others: Average::of(others.iter().map(|&(_, lean)| lean))? })
}
