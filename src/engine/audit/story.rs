//! Walks the history from its first commit to its last and compares each commit with its parents.

use std::cell::RefCell;
use std::rc::Rc;

use super::decode::{Rows, Unit, Units};
use super::tally::{Counter, Counts};
use super::unpacked::Unpacked;
use crate::diff::{self, Again, Changes, Index, Side, Tally, Version};
use crate::format::{Blob, Sink};
use crate::policy::Limits;
use crate::source::{Bytes, Edge, Walk};
use crate::span::BlobId;

/// A history whose blobs have been read.
pub(super) struct Story<'a> {
    pub(super) walk: &'a Walk,
    pub(super) units: &'a Units<'a>,
    /// The data set of each path.
    pub(super) sets: &'a [String],
    /// All data of the commits that others are compared with and that are not compared themselves.
    pub(super) listings: &'a [Option<Vec<Edge>>],
    counter: RefCell<Counter>,
    unpacked: Option<Unpacked<'a>>,
}

/// Whether the records that matter are read once more.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// They are not.
    Not,
    /// They are.
    Again,
}

/// The two versions of the data around a commit.
pub(super) struct Pair {
    pub(super) sides: Vec<Side>,
    /// The edge behind each side.
    pub(super) edges: Vec<Edge>,
    /// The records before.
    before: Vec<Option<Rows>>,
    /// Bytes of both versions.
    pub(super) bytes: u64,
}

impl Pair {
    /// The indexes of the versions before.
    pub(super) fn indexes_before(&self) -> impl Iterator<Item = &Index> {
        self.before.iter().flatten().map(|rows| &*rows.index)
    }
}

/// What happened at a commit.
pub(super) enum Event<'s, 'p> {
    /// It has one parent, and was compared with it.
    Change(&'s Pair, Changes<'p>),
    /// It merges, and some of its data is that of none of its parents: the counts of each parent.
    Merge(&'s [&'s Counts]),
    /// It was not compared: a first commit, one whose parent is missing, or a merge that takes every file from a parent.
    Nothing,
}

impl<'a> Story<'a> {
    pub(super) fn new(
        walk: &'a Walk,
        units: &'a Units<'a>,
        sets: &'a [String],
        listings: &'a [Option<Vec<Edge>>],
    ) -> Self {
        Self { walk, units, sets, listings, counter: RefCell::default(), unpacked: units.unpacked() }
    }

    /// Tells every judged commit in its order. `look` says of which commits the records that matter are read once more;
    /// `number` gives the files of a commit their numbers.
    pub(super) fn tell(
        &self,
        look: &dyn Fn(u32) -> Look,
        number: &mut dyn FnMut(&[Edge]) -> u32,
        each: &mut dyn FnMut(u32, Event<'_, '_>),
    ) {
        let steps = &self.walk.steps;
        // Counts are kept until the last child has been told.
        let mut waiting = vec![0_u32; steps.len()];
        for step in steps.iter().filter(|step| step.judged) {
            step.parents.iter().for_each(|&parent| waiting[parent as usize] += 1);
        }
        let mut counts: Vec<Option<Counts>> = steps.iter().map(|_| None).collect();
        let nothing = Counts::new();
        for (rank, step) in (0..).zip(steps) {
            let at = rank as usize;
            let compared = step.judged && !step.is_cut;
            if !compared {
                if waiting[at] > 0 {
                    counts[at] = Some(self.listed(self.listings[at].as_deref().unwrap_or_default()));
                }
                if step.judged {
                    each(rank, Event::Nothing);
                }
                continue;
            }
            let of_parents: Vec<&Counts> =
                step.parents.iter().map(|&parent| counts[parent as usize].as_ref().unwrap_or(&nothing)).collect();
            match (&step.parents[..], &step.against[..]) {
                ([_], [edges]) => {
                    let pair = self.pair(edges, number);
                    let changes = self.compare(&pair, of_parents[0], look(rank));
                    each(rank, Event::Change(&pair, changes));
                }
                ([_, _, ..], [_, _, ..]) => each(rank, Event::Merge(&of_parents)),
                _ => each(rank, Event::Nothing),
            }
            if waiting[at] > 0 {
                let mut now = of_parents.first().map_or_else(Counts::new, |&counts| counts.clone());
                self.step(&mut now, rank);
                counts[at] = Some(now);
            }
            for &parent in &step.parents {
                waiting[parent as usize] -= 1;
                if waiting[parent as usize] == 0 {
                    counts[parent as usize] = None;
                }
            }
        }
    }

    /// The versions before and after some edges. A file of which one version could not be read is left out: against
    /// nothing, all its records would seem new.
    pub(super) fn pair(&self, edges: &[Edge], number: &mut dyn FnMut(&[Edge]) -> u32) -> Pair {
        let gap = |blob, path| matches!(self.units.get(blob, path), Some(Unit::Gap(_)));
        let mut pair = Pair { sides: Vec::new(), edges: Vec::new(), before: Vec::new(), bytes: 0 };
        let mut rows = Vec::new();
        for edge in edges {
            if gap(edge.before, edge.path) || gap(edge.after, edge.path) {
                continue;
            }
            let (before, after) = (self.units.rows(edge.before, edge.path), self.units.rows(edge.after, edge.path));
            if before.is_some() || after.is_some() {
                pair.edges.push(*edge);
                rows.push((before, after));
            }
        }
        let first = number(&pair.edges);
        for (at, (before, after)) in rows.into_iter().enumerate() {
            let edge = pair.edges[at];
            pair.bytes += before.iter().chain(&after).map(|rows| rows.bytes).sum::<u64>();
            let index = |rows: &Option<Rows>| rows.as_ref().map(|rows| rows.index.clone());
            pair.sides.push(Side::shared(
                BlobId(first.saturating_add(at as u32)),
                self.walk.path_of(edge.path).to_owned(),
                self.sets[edge.path as usize].clone(),
                index(&before),
                index(&after),
            ));
            pair.before.push(before);
        }
        pair
    }

    /// Compares; `parent` is what the classes of all data were before.
    pub(super) fn compare<'p>(&self, pair: &'p Pair, parent: &Counts, look: Look) -> Changes<'p> {
        let one_sided =
            pair.edges.iter().all(|edge| edge.before.is_none()) || pair.edges.iter().all(|edge| edge.after.is_none());
        let look = if one_sided { Look::Not } else { look };
        diff::compare(&pair.sides, &Second { story: self, pair, parent, look })
    }

    fn listed(&self, edges: &[Edge]) -> Counts {
        let mut counts = Counts::new();
        for edge in edges {
            self.count(&mut counts, edge.path, edge.after, 1);
        }
        counts
    }

    /// The classes at a commit that is followed from nothing: a first commit, or one that is known as a whole.
    pub(super) fn at(&self, rank: u32) -> Counts {
        let step = &self.walk.steps[rank as usize];
        if step.judged && !step.is_cut {
            let mut counts = Counts::new();
            self.step(&mut counts, rank);
            return counts;
        }
        self.listed(self.listings[rank as usize].as_deref().unwrap_or_default())
    }

    /// Leads the classes of the first parent of a commit on to it.
    pub(super) fn step(&self, counts: &mut Counts, rank: u32) {
        for edge in self.walk.steps[rank as usize].against.first().into_iter().flatten() {
            self.count(counts, edge.path, edge.before, -1);
            self.count(counts, edge.path, edge.after, 1);
        }
    }

    /// The name of a data set in [`Counts`].
    pub(super) fn set_name(&self, set: u32) -> String {
        self.counter.borrow().set(set)
    }

    /// The name of a class in [`Counts`]; `None` for records without a label.
    pub(super) fn class_name(&self, class: u32) -> Option<String> {
        self.counter.borrow().class(class)
    }

    fn count(&self, counts: &mut Counts, path: u32, blob: Option<u32>, sign: i64) {
        if let Some(rows) = self.units.rows(blob, path) {
            self.counter.borrow_mut().add(counts, &self.sets[path as usize], &rows, sign);
        }
    }
}

/// The second look at a commit.
struct Second<'s, 'a> {
    story: &'s Story<'a>,
    pair: &'s Pair,
    parent: &'s Counts,
    look: Look,
}

impl Second<'_, '_> {
    /// The bytes of a version, and the number of its path.
    fn bytes(&self, side: usize, version: Version) -> Option<(Rc<Bytes>, u32)> {
        let edge = self.pair.edges[side];
        let blob = match version {
            Version::Before => edge.before,
            Version::After => edge.after,
        };
        let unpacked = self.story.unpacked.as_ref().filter(|_| self.look == Look::Again)?;
        Some((unpacked.get(self.story.walk.blobs[blob? as usize])?, edge.path))
    }
}

impl Again for Second<'_, '_> {
    fn read(&self, side: usize, version: Version, sink: &mut dyn Sink) -> bool {
        self.bytes(side, version).is_some_and(|(bytes, path)| self.story.units.again(&bytes, path, sink))
    }

    fn show(&self, side: usize, version: Version, look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> bool {
        self.bytes(side, version).is_some_and(|(bytes, path)| self.story.units.show(&bytes, path, look))
    }

    fn rest(&self, set: &str) -> Option<Tally> {
        let mut rest = self.story.counter.borrow().tally(self.parent, set);
        let mut changed = Tally::default();
        for (edge, rows) in self.pair.edges.iter().zip(&self.pair.before) {
            if let (Some(rows), true) = (rows, self.story.sets[edge.path as usize] == set) {
                changed.add(&rows.index);
            }
        }
        rest.null = rest.null.saturating_sub(changed.null);
        for (class, rows) in changed.classes {
            if let Some(count) = rest.classes.get_mut(&class) {
                *count = count.saturating_sub(rows);
            }
        }
        Some(rest)
    }
}
