//! The ladder of identity: which record of one version is which of the other.
//!
//! 1. Rows with the same content and label in both versions are the same, wherever they lie.
//! 2. One row gone and one come with the same content: its label changed. With several, identifiers tell them apart;
//!    else all must have changed alike, and they count as copies; else nothing can be told (`conflict`).
//! 3. One row gone and one come with the same identifier, and at least half of their tokens: the same record, edited.
//! 4. Mutual best matches among what is left, if they share nearly everything.
//!
//! Contents come before identifiers because an identifier alone lies: sets are renumbered, and files are replaced under
//! the same numbers.

mod kinds;
mod ladder;
mod trace;

use std::collections::{BTreeMap, BTreeSet};

use super::again::Again;
use super::index::{Index, Label};
use super::{Changes, Kind, SetSummary, Side, Version};
pub(crate) use trace::{Likeness, Traced, trace};

/// Finds the changes between the two versions of all `sides`.
pub(crate) fn compare<'a>(sides: &'a [Side], again: &dyn Again) -> Changes<'a> {
    let mut ladder = Ladder::new(sides);
    ladder.match_all(again);
    ladder.finish(again)
}

/// A row of one version that has no equal at its place in the other.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    key: u64,
    side: u32,
    row: u32,
}

/// How the two versions of a record were found to be one.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum How {
    /// By content that stands once on either side, or by identifier.
    Exact,
    /// By content that stands there several times.
    Copies,
    /// By likeness.
    Near,
}

/// A record whose label changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relabel {
    /// Of the data set it is in now.
    pub(super) set: u32,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) side: u32,
    pub(super) row: u32,
    pub(super) how: How,
    /// The data set it was in.
    pub(super) old_set: u32,
    /// The side and the row it was.
    pub(super) old: (u32, u32),
}

/// Labels of all indexes under one numbering, in the order of their names.
pub(super) const NONE: u32 = 0;
pub(super) const NULL: u32 = 1;
const OTHER: u32 = u32::MAX;

pub(super) struct Ladder<'a> {
    pub(super) sides: &'a [Side],
    /// The data set of each side, as an index into `sets`.
    pub(super) set_of: Vec<u32>,
    pub(super) sets: Vec<SetSummary>,
    /// Names of labels; the first two are not classes.
    pub(super) names: Vec<String>,
    /// Labels that are answers of preference pairs.
    pub(super) pairs: BTreeSet<u32>,
    /// From the labels of each index to the common numbering: before and after.
    maps: Vec<[Vec<u32>; 2]>,
    /// Records by data set and label: before and after.
    pub(super) counts: Vec<[BTreeMap<u32, u64>; 2]>,
    /// Data sets that share a class belong together: a record may go from one to the other. Each is told by the first of
    /// its family.
    families: Vec<u32>,
    /// Records by data set and label that are gone and that came.
    lost: Vec<[BTreeMap<u32, u64>; 2]>,
    /// Sides whose records were replaced as a whole.
    replaced: Vec<bool>,
    relabels: Vec<Relabel>,
    /// The one record that somebody asks for.
    trace: Option<trace::Trace>,
}

impl<'a> Ladder<'a> {
    fn new(sides: &'a [Side]) -> Self {
        let names: BTreeSet<&str> = sides.iter().map(|side| side.set.as_str()).collect();
        let sets: Vec<SetSummary> =
            names.iter().map(|&name| SetSummary { name: name.to_owned(), ..SetSummary::default() }).collect();
        let set_of: Vec<u32> = sides
            .iter()
            .map(|side| sets.binary_search_by(|set| set.name.as_str().cmp(&side.set)).unwrap_or_default() as u32)
            .collect();
        let mut labels = BTreeMap::new();
        let indexes = || sides.iter().flat_map(|side| [side.index(Version::Before), side.index(Version::After)]);
        for index in indexes().flatten() {
            for (label, _) in index.classes().counts() {
                if let Some(title) = index.classes().title(label) {
                    labels.entry(title.into_owned()).or_insert(0_u32);
                }
            }
        }
        let mut titles = vec![String::new(), String::new()];
        for (title, number) in &mut labels {
            *number = titles.len() as u32;
            titles.push(title.clone());
        }
        let mut pairs = BTreeSet::new();
        let mut counts = vec![<[BTreeMap<u32, u64>; 2]>::default(); sets.len()];
        let mut maps = Vec::with_capacity(sides.len());
        for (side, &set) in sides.iter().zip(&set_of) {
            let mut map = <[Vec<u32>; 2]>::default();
            for (version, map) in [Version::Before, Version::After].into_iter().zip(&mut map) {
                let Some(index) = side.index(version) else { continue };
                for (label, rows) in index.classes().counts() {
                    let number = match label {
                        Label::NONE => NONE,
                        Label::NULL => NULL,
                        _ => index.classes().title(label).map_or(OTHER, |title| labels[title.as_ref()]),
                    };
                    if label == Label::FIRST || label == Label::SECOND {
                        pairs.insert(number);
                    }
                    if number != OTHER {
                        let at = usize::from(label.0);
                        map.resize(map.len().max(at + 1), OTHER);
                        map[at] = number;
                    }
                    *counts[set as usize][version as usize].entry(number).or_default() += rows;
                }
            }
            maps.push(map);
        }
        let lost = vec![<[BTreeMap<u32, u64>; 2]>::default(); sets.len()];
        let replaced = vec![false; sides.len()];
        let families = families(&counts);
        let (names, relabels, trace) = (titles, Vec::new(), None);
        Self { sides, set_of, sets, names, pairs, maps, counts, families, lost, replaced, relabels, trace }
    }

    /// Walks the ladder: every record finds its other version, or is gone or new.
    fn match_all(&mut self, again: &dyn Again) {
        let (gone, come) = self.differences();
        let (gone, come) = self.by_content(gone, come);
        self.find_replaced(&gone, &come);
        self.by_likeness(gone, come, again);
    }

    pub(super) fn index(&self, side: u32, version: Version) -> Option<&'a Index> {
        self.sides[side as usize].index(version)
    }

    fn label(&self, version: Version, left: Left) -> u32 {
        let label = self.index(left.side, version).map_or(Label::NONE, |index| index.label(left.row as usize));
        self.maps[left.side as usize][version as usize].get(usize::from(label.0)).copied().unwrap_or(OTHER)
    }

    /// The labels of all rows of one version of a side.
    pub(super) fn labels(&self, side: u32, version: Version) -> impl Iterator<Item = u32> {
        let map = &self.maps[side as usize][version as usize];
        let labels = self.index(side, version).map_or(&[][..], |index| &index.labels);
        labels.iter().map(|label| map.get(usize::from(label.0)).copied().unwrap_or(OTHER))
    }

    fn id(&self, version: Version, left: Left) -> Option<u64> {
        let id = self.index(left.side, version)?.ids.get(left.row as usize).copied()?;
        (id != 0).then_some(id)
    }

    fn set(&mut self, left: Left) -> &mut SetSummary {
        &mut self.sets[self.set_of[left.side as usize] as usize]
    }
}

/// The first of the data sets that each one shares a class with, directly or by way of others.
fn families(counts: &[[BTreeMap<u32, u64>; 2]]) -> Vec<u32> {
    let mut families: Vec<u32> = (0..counts.len() as u32).collect();
    let mut first: BTreeMap<u32, u32> = BTreeMap::new();
    for (set, counts) in counts.iter().enumerate() {
        for &label in counts.iter().flat_map(|counts| counts.keys()).filter(|&&label| label > NULL && label != OTHER) {
            let known = *first.entry(label).or_insert(set as u32);
            let (mine, other) = (families[set], families[known as usize]);
            if mine != other {
                let (low, high) = (mine.min(other), mine.max(other));
                families.iter_mut().filter(|family| **family == high).for_each(|family| *family = low);
            }
        }
    }
    families
}

#[cfg(test)]
mod tests;
