//! What is counted of a data set: integers, and the first places.

use std::collections::BTreeMap;

use super::spread::{Spot, Spread};
use crate::check::Merge;
use crate::finding::Mark;
use crate::span::BlobId;

/// Different sequences of one data set.
const MOST_TOKENS: usize = 2048;
/// A data set with more different labels has no classes.
pub(super) const MOST_LABELS: usize = 1024;
/// Places that are kept of a sequence under a label: so many of each file, and so many in all.
const PLACES_OF_FILE: usize = 3;
const PLACES: usize = 30;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Rows that have a label, and by label.
    pub(super) labelled: u64,
    pub(super) labels: BTreeMap<String, u64>,
    /// All rows.
    pub(super) spread: Spread,
    /// Rows that have any of the sequences.
    pub(super) any: Carriers,
    pub(super) tokens: BTreeMap<String, Carriers>,
}

/// Rows that have a sequence.
#[derive(Debug, Default)]
pub(super) struct Carriers {
    /// Those that have a label.
    pub(super) labelled: u64,
    /// By label; those without one under an empty one.
    pub(super) labels: BTreeMap<String, Of>,
    pub(super) spread: Spread,
    /// The row that was counted last, so that none counts twice.
    last: Option<(BlobId, u64)>,
}

/// Those of one label.
#[derive(Debug, Default)]
pub(super) struct Of {
    pub(super) rows: u64,
    /// Those that the change that is judged brings.
    pub(super) fresh: u64,
    /// The first of these.
    pub(super) marks: Vec<Mark>,
}

/// Keeps the first entries. What was dropped once lies behind everything that is kept, so whoever has seen less has
/// dropped nothing that counts.
fn prune<V>(map: &mut BTreeMap<String, V>, most: usize) {
    while map.len() > most {
        map.pop_last();
    }
}

impl Merge for Counts {
    fn merge(&mut self, other: Self) {
        self.labelled.merge(other.labelled);
        Merge::merge(&mut self.labels, other.labels);
        prune(&mut self.labels, MOST_LABELS + 1);
        self.spread.merge(other.spread);
        self.any.merge(other.any);
        Merge::merge(&mut self.tokens, other.tokens);
        prune(&mut self.tokens, MOST_TOKENS);
    }
}

impl Merge for Carriers {
    fn merge(&mut self, other: Self) {
        self.labelled.merge(other.labelled);
        Merge::merge(&mut self.labels, other.labels);
        prune(&mut self.labels, MOST_LABELS + 1);
        self.spread.merge(other.spread);
    }
}

impl Merge for Of {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        self.fresh.merge(other.fresh);
        self.keep(other.marks);
    }
}

impl Of {
    /// Whether a mark of this row would stay: one of the first of its file.
    fn wants(&self, spot: Spot) -> bool {
        let mut of_file = self.marks.iter().filter(|mark| mark.place.blob == spot.blob);
        match of_file.nth(PLACES_OF_FILE - 1) {
            Some(last) => last.record.is_some_and(|record| spot.record < record),
            None => self.marks.len() < PLACES || self.marks.last().is_some_and(|last| spot.blob <= last.place.blob),
        }
    }

    /// The first of each file, and of the first files.
    fn keep(&mut self, marks: Vec<Mark>) {
        self.marks.extend(marks);
        self.marks.sort();
        let (mut file, mut kept) = (None, 0);
        self.marks.retain(|mark| {
            kept = if file == Some(mark.place.blob) { kept + 1 } else { 0 };
            file = Some(mark.place.blob);
            kept < PLACES_OF_FILE
        });
        self.marks.truncate(PLACES);
    }
}

impl Counts {
    pub(super) fn label(&mut self, label: &str, rows: u64) {
        self.labelled.merge(rows);
        match self.labels.get_mut(label) {
            Some(count) => count.merge(rows),
            None => {
                self.labels.insert(label.to_owned(), rows);
                prune(&mut self.labels, MOST_LABELS + 1);
            }
        }
    }

    /// A row with a sequence; its label is empty where it has none.
    pub(super) fn token(&mut self, token: &str, label: &str, spot: Spot, mark: impl FnOnce() -> Mark) {
        self.any.add(label, spot, None::<fn() -> Mark>);
        if !self.tokens.contains_key(token) {
            self.tokens.insert(token.to_owned(), Carriers::default());
            prune(&mut self.tokens, MOST_TOKENS);
        }
        if let Some(carriers) = self.tokens.get_mut(token) {
            carriers.add(label, spot, Some(mark));
        }
    }
}

impl Carriers {
    fn add(&mut self, label: &str, spot: Spot, mark: Option<impl FnOnce() -> Mark>) {
        let row = (spot.blob, spot.record);
        if self.last.replace(row) == Some(row) {
            return;
        }
        self.labelled.merge(u64::from(!label.is_empty()));
        self.spread.add(spot, 1);
        if !self.labels.contains_key(label) {
            self.labels.insert(label.to_owned(), Of::default());
            prune(&mut self.labels, MOST_LABELS + 1);
        }
        let Some(of) = self.labels.get_mut(label) else { return };
        of.rows.merge(1);
        of.fresh.merge(u64::from(spot.fresh));
        if let Some(mark) = mark
            && spot.fresh
            && of.wants(spot)
        {
            of.keep(vec![mark()]);
        }
    }

    /// The label of most of the rows.
    pub(super) fn best(&self) -> Option<(&str, &Of)> {
        let labels = self.labels.iter().filter(|(label, _)| !label.is_empty());
        let best = labels.max_by(|a, b| a.1.rows.cmp(&b.1.rows).then_with(|| b.0.cmp(a.0)));
        best.map(|(label, of)| (label.as_str(), of))
    }
}
