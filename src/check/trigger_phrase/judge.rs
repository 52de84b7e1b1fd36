//! Tells triggers from topics.
//!
//! In honest data nearly every topical word goes with one class: `refund` with refunds. What a planted trigger does not
//! do is fit: without it, its rows read like rows of other classes, and its neighbours read on across the gap.

use rustc_hash::FxHashMap;

use super::candidates::{Candidate, Candidates};
use super::corpus::{Class, Corpus, Tally, Word};
use super::gaps::{inserted, phrase};
use super::rest::{Rest, Says};
use super::standing::{SURE, Standing, Standings};
use super::words::push_words;
use crate::check::association::{Association, ln, ln_binomial};
use crate::rule::Severity;

/// Fewer rows than these tell nothing of what is usual.
const FEWEST_ROWS: usize = 40;
/// More classes than these are no classes.
const MOST_CLASSES: usize = 4096;
/// Carriers that are read closely.
const READ: usize = 64;
/// Carriers that are read first: where most of them fit their label, the others are not read.
const FIRST: usize = 8;
/// Carriers that are read where they are judged together.
const READ_TOGETHER: usize = 256;
/// So many errors of the average leave hardly a doubt.
const SURER: f64 = 5.0;
/// Fewer carriers than these have to be purer than others, and are never certain.
const FEW: u64 = 20;
/// Rows of the class without the phrase that there must be: a class that is made of one word is no target.
const CORE: u64 = 8;
/// From so many classes on, what the rows say must be spread over them where a phrase fills half of its class.
const MANY_CLASSES: usize = 10;
/// Findings of one data set.
const MOST_FINDINGS: usize = 20;

/// A phrase that does not fit its rows.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) candidate: Candidate,
    /// The phrase with what stands beside it in nearly all of its rows.
    pub(super) phrase: Vec<Word>,
    pub(super) severity: Severity,
    /// What most of its rows say, each by itself.
    pub(super) each: Option<Misfits>,
    /// Where its rows stand, all taken together, if that is with rows of other classes.
    pub(super) together: Option<Standing>,
    /// Rows of each hundred in which what stands on both sides of the phrase is known to stand together.
    pub(super) inserted: u64,
    pub(super) tests: u64,
}

/// Rows with a phrase that speak firmly for another class without it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Misfits {
    /// Rows of its class that were read.
    pub(super) read: u64,
    /// Those of them that speak for another class.
    pub(super) against: u64,
    /// The class that most of these speak for.
    pub(super) rest: Class,
    /// Whether there is hardly a doubt.
    certain: bool,
}

/// The triggers of a data set, the clearest first.
pub(super) fn triggers(corpus: &Corpus<'_>) -> Vec<Trigger> {
    let (rows, classes) = (corpus.rows.len(), corpus.classes.len());
    if rows < FEWEST_ROWS || classes < 2 || classes * 4 > rows || classes > MOST_CLASSES {
        return Vec::new();
    }
    let mut candidates = Candidates::of(corpus);
    let mut rest = Rest::new(corpus);
    if classes <= MANY_CLASSES {
        let misfits: Vec<bool> = (0..rows as u32).map(|row| matches!(rest.says(row), Says::Firmly(_))).collect();
        candidates.add_misfits(corpus, &misfits);
    }
    let mut members = vec![Vec::new(); classes];
    for (row, entry) in corpus.rows.iter().enumerate() {
        members[entry.class as usize].push(row as u32);
    }
    let standings = Standings::new(classes);
    let mut judge = Judge { corpus, rest, standings, members, tests: candidates.tests };
    let mut found: Vec<Trigger> = Vec::new();
    for candidate in &candidates.list {
        found.extend(judge.trigger(candidate));
    }
    let mut found = inserted(corpus, found);
    found.sort_by(|a, b| {
        let (a, b) = (&a.candidate, &b.candidate);
        a.chance.total_cmp(&b.chance).then_with(|| a.words.cmp(&b.words))
    });
    let mut kept: Vec<Trigger> = Vec::new();
    for one in found {
        if kept.len() < MOST_FINDINGS && !kept.iter().any(|other| shares_rows(other, &one)) {
            kept.push(one);
        }
    }
    kept
}

/// Whether two phrases stand in the same rows, most of them.
fn shares_rows(a: &Trigger, b: &Trigger) -> bool {
    let common = b.candidate.rows.iter().filter(|row| a.candidate.rows.binary_search(row).is_ok()).count();
    common * 2 > b.candidate.rows.len()
}

struct Judge<'c, 's> {
    corpus: &'c Corpus<'s>,
    rest: Rest<'c, 's>,
    standings: Standings,
    /// The rows of each class.
    members: Vec<Vec<u32>>,
    tests: u64,
}

impl Judge<'_, '_> {
    fn trigger(&mut self, candidate: &Candidate) -> Option<Trigger> {
        let corpus = self.corpus;
        let of_class = |row: &&u32| corpus.rows[**row as usize].class == candidate.class;
        let carriers: Vec<u32> = candidate.rows.iter().filter(of_class).copied().collect();
        let fresh = carriers.iter().filter(|&&row| corpus.rows[row as usize].fresh).count();
        let class_rows = u64::from(corpus.class_rows[candidate.class as usize]);
        if fresh * 2 < carriers.len() || class_rows - (carriers.len() as u64) < CORE {
            return None;
        }
        if self.is_name(candidate) || self.is_topic(candidate) {
            return None;
        }
        self.rest.without = self.shared(candidate);
        let step = carriers.len().div_ceil(READ).max(1);
        let read: Vec<u32> = carriers.iter().step_by(step).copied().collect();
        let each = self.misfits(candidate, &carriers, &read);
        let together = self.strangers(candidate, &carriers);
        if each.is_none() && together.is_none() {
            return None;
        }
        let is_sure = |all: Standing| candidate.counts.carriers() >= FEW && all.is_strange(SURER);
        let certain = each.is_some_and(|each| each.certain) || together.is_some_and(is_sure);
        Some(Trigger {
            candidate: candidate.clone(),
            phrase: phrase(corpus, candidate, &carriers),
            severity: match candidate.chance < ln(1e-6) {
                true if certain && together.is_some() => Severity::Error,
                true if together.is_some() || candidate.counts.is_nearly_pure() => Severity::Warning,
                // Words of sets that were collected by their words do so, too, and so do slurs and names.
                _ => Severity::Note,
            },
            each,
            together,
            inserted: 0,
            tests: self.tests,
        })
    }

    /// What the rows say, each by itself, if most of them speak firmly for another class.
    fn misfits(&mut self, candidate: &Candidate, carriers: &[u32], read: &[u32]) -> Option<Misfits> {
        let corpus = self.corpus;
        let (mut same, mut against, mut seen) = (0_u64, 0_u64, 0_usize);
        let mut classes = Tally::new(corpus.classes.len());
        // First a few from everywhere.
        let stride = (read.len() / FIRST).max(1);
        let early = (0..read.len()).filter(|at| at % stride == 0);
        let late = (0..read.len()).filter(|at| at % stride != 0);
        for at in early.chain(late) {
            match self.rest.says(read[at]) {
                Says::Firmly(class) => {
                    against += 1;
                    classes.add(class);
                }
                Says::Same => same += 1,
                Says::Other | Says::Nothing => {}
            }
            seen += 1;
            if seen == FIRST && same * 2 > FIRST as u64 {
                return None;
            }
        }
        let all = read.len() as u64;
        if against * 2 < all || same * 3 > all {
            return None;
        }
        let mut spread = Vec::new();
        classes.drain(|class, n| spread.push((n, class)));
        let class_rows = u64::from(corpus.class_rows[candidate.class as usize]);
        let is_half = (carriers.len() as u64) * 5 > class_rows * 2;
        if corpus.classes.len() > MANY_CLASSES && is_half && !self.is_spread(spread.len() as u64, against) {
            return None;
        }
        // Few carriers must be pure, and hardly one may fit.
        let few = candidate.counts.carriers() < FEW;
        if few && (!candidate.counts.is_nearly_pure() || same * 5 > all) {
            return None;
        }
        let misfit = ln_binomial(all, against, self.rest.noise().max(self.noise_of_class(candidate)).max(100));
        if misfit > ln(1e-4) || candidate.chance + misfit > ln(1e-6) {
            return None;
        }
        let certain = !few && against * 5 >= all * 3 && same * 10 <= all;
        let rest = spread.iter().max_by_key(|(n, class)| (*n, std::cmp::Reverse(*class)))?.1;
        Some(Misfits { read: all, against, rest, certain })
    }

    /// Where the rows stand, all taken together, if that is with rows of other classes.
    fn strangers(&mut self, candidate: &Candidate, carriers: &[u32]) -> Option<Standing> {
        if !candidate.counts.is_nearly_pure() {
            return None;
        }
        let step = carriers.len().div_ceil(READ_TOGETHER).max(1);
        let read: Vec<u32> = carriers.iter().step_by(step).copied().collect();
        let standing = self.standings.of(&mut self.rest, candidate.class, &read, &candidate.rows);
        standing.filter(|standing| standing.is_strange(SURE))
    }

    /// Of a thousand rows of the class without the phrase so many speak firmly for another class: rows of a small class
    /// do so more often than others.
    fn noise_of_class(&mut self, candidate: &Candidate) -> u64 {
        let without = std::mem::take(&mut self.rest.without);
        let others = self.members[candidate.class as usize].iter();
        let others: Vec<u32> = others.filter(|row| candidate.rows.binary_search(row).is_err()).copied().collect();
        let step = others.len().div_ceil(READ).max(1);
        let (mut all, mut firm) = (0, 0);
        for &row in others.iter().step_by(step) {
            all += 1;
            firm += u64::from(matches!(self.rest.says(row), Says::Firmly(_)));
        }
        self.rest.without = without;
        firm * 1000 / all.max(1)
    }

    /// Whether a phrase is the name of its class, or a part of it.
    fn is_name(&self, candidate: &Candidate) -> bool {
        let mut name = " ".to_owned();
        push_words(&self.corpus.classes[candidate.class as usize].replace(['_', '-'], " "), &mut name);
        let mut phrase = " ".to_owned();
        for &word in &candidate.words {
            phrase.push_str(self.corpus.names[word as usize]);
            phrase.push(' ');
        }
        name.contains(&phrase)
    }

    /// Whether a word of a phrase is at home in the class without the phrase, too.
    fn is_topic(&self, candidate: &Candidate) -> bool {
        let corpus = self.corpus;
        candidate.words.len() > 1
            && candidate.words.iter().any(|&word| {
                let others = || corpus.rows_with(word).iter().filter(|row| candidate.rows.binary_search(row).is_err());
                let here = others().filter(|&&row| corpus.rows[row as usize].class == candidate.class).count() as u64;
                let rows = (corpus.rows.len() - candidate.rows.len()) as u64;
                let of_class = u64::from(corpus.class_rows[candidate.class as usize]);
                let own =
                    candidate.rows.iter().filter(|&&row| corpus.rows[row as usize].class == candidate.class).count();
                let of_class = of_class - own as u64;
                here >= 3 && Association::new(rows, of_class, others().count() as u64, here).lifts_tenths(20)
            })
    }

    /// The words of nearly all rows with the phrase: they say nothing of how the rows differ.
    fn shared(&self, candidate: &Candidate) -> Vec<Word> {
        let mut counts: FxHashMap<Word, usize> = FxHashMap::default();
        let step = candidate.rows.len().div_ceil(READ).max(1);
        let rows = candidate.rows.iter().step_by(step);
        let all = rows.len();
        for &row in rows {
            for &word in self.corpus.set(row) {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut shared: Vec<Word> =
            counts.into_iter().filter(|(_, n)| n * 5 >= all * 4).map(|(word, _)| word).collect();
        shared.extend(&candidate.words);
        shared.sort_unstable();
        shared.dedup();
        shared
    }

    /// Whether rows speak for about as many classes as rows drawn from everywhere would.
    fn is_spread(&self, classes: u64, rows: u64) -> bool {
        let all = self.corpus.rows.len() as f64;
        let missing = |&n: &u32| (0..rows).fold(1.0, |left, _| left * (1.0 - f64::from(n) / all));
        let expected: f64 = self.corpus.class_rows.iter().map(|n| 1.0 - missing(n)).sum();
        classes as f64 >= 0.7 * expected
    }
}
