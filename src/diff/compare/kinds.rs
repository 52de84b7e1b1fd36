//! What the changes of labels mean, once every record has found its other version.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ladder, NONE, NULL, OTHER, Relabel};
use crate::diff::again::Again;
use crate::diff::index::Tally;
use crate::diff::kind::{Class, Kind};
use crate::diff::{Changes, ClassSummary, Edit, Relabelled, Summary, Transition, Version, flips, rewritten};

/// Records that are gone, from which on it counts which classes they had.
const MANY_GONE: u64 = 20;

impl<'a> Ladder<'a> {
    /// Tells the kinds, and looks at the flips once more.
    pub(super) fn finish(mut self, again: &dyn Again) -> Changes<'a> {
        let mut relabels = std::mem::take(&mut self.relabels);
        // Whatever a file that was replaced shares with its former self, its labels were not changed one by one.
        relabels.retain(|relabel| !self.replaced[relabel.side as usize]);
        relabels.retain(|relabel| !self.is_open(relabel.set));
        relabels.sort_unstable();
        let asked = self.ask(&relabels, again);
        for (set, summary) in self.sets.iter_mut().enumerate() {
            let known = asked.get(&(set as u32)).copied().unwrap_or(false);
            summary.scope = if known { "dataset" } else { "changed-files" };
        }
        let kinds: Vec<Kind> = relabels.iter().map(|relabel| self.kind(relabel)).collect();
        self.count_transitions(&relabels, &kinds);
        self.count_classes();
        let relabelled = self.relabelled(&relabels, &kinds);
        let flipped: Vec<Relabel> =
            relabels.iter().zip(&kinds).filter(|&(_, &kind)| kind == Kind::Flip).map(|(&relabel, _)| relabel).collect();
        for (set, rows) in rewritten::count(&self, &flipped, again) {
            self.sets[set as usize].rewritten += rows;
        }
        let flips = flips::look(&self, &flipped, again);
        let files = self.sides.iter().map(|side| (side.path(), side.blob)).collect();
        let edit = |(relabel, &kind): (&Relabel, &Kind)| Edit {
            set: relabel.set,
            kind,
            from: relabel.from,
            to: relabel.to,
            how: relabel.how,
            side: relabel.side,
            row: relabel.row,
            key: self.index(relabel.side, Version::After).map_or(0, |index| index.keys[relabel.row as usize]),
        };
        let edits = relabels.iter().zip(&kinds).map(edit).collect();
        Changes { summary: Summary { sets: self.sets }, flips, relabelled, files, edits, names: self.names }
    }

    /// Asks for the classes of the files that did not change, of those data sets whose records changed classes. Says of
    /// each whether they are known.
    pub(super) fn ask(&mut self, relabels: &[Relabel], again: &dyn Again) -> BTreeMap<u32, bool> {
        let mut asked: BTreeMap<u32, bool> = BTreeMap::new();
        for relabel in relabels {
            if relabel.from != NULL && relabel.to != NULL {
                asked.insert(relabel.set, false);
                asked.insert(relabel.old_set, false);
            }
        }
        // Where many records of one class are gone, the others say how many of them might have been.
        for (set, lost) in self.lost.iter().enumerate() {
            let all = |version: usize| lost[version].values().sum::<u64>();
            if all(0) >= MANY_GONE && all(0) > 2 * all(1) {
                asked.entry(set as u32).or_insert(false);
            }
        }
        for (&set, known) in &mut asked {
            if let Some(rest) = again.rest(&self.sets[set as usize].name) {
                *known = true;
                self.add_rest(set, &rest);
            }
        }
        asked
    }

    /// Whether the labels of a data set are no classes but values: scores, answers. What changes there is content.
    pub(super) fn is_open(&self, set: u32) -> bool {
        /// A small set may well have a class for every other record.
        const FEWEST: u64 = 50;
        self.counts[set as usize].iter().any(|counts| {
            let classes = counts.range(NULL + 1..OTHER);
            let (distinct, rows) = classes.fold((0, 0), |(distinct, rows), (_, &n)| (distinct + 1, rows + n));
            rows >= FEWEST && distinct * 2 > rows
        })
    }

    fn add_rest(&mut self, set: u32, rest: &Tally) {
        for (name, &rows) in &rest.classes {
            let number = match self.names[2..].binary_search(name) {
                Ok(at) => at as u32 + 2,
                // A class that no changed file has: no change of a label can have to do with it.
                Err(_) => {
                    self.sets[set as usize].elsewhere += rows;
                    continue;
                }
            };
            for counts in &mut self.counts[set as usize] {
                *counts.entry(number).or_default() += rows;
            }
        }
        for counts in &mut self.counts[set as usize] {
            *counts.entry(NULL).or_default() += rest.null;
        }
    }

    /// Records of a data set with a label in one version.
    pub(in crate::diff) fn size(&self, set: u32, version: Version, label: u32) -> u64 {
        self.counts[set as usize][version as usize].get(&label).copied().unwrap_or(0)
    }

    pub(super) fn kind(&self, relabel: &Relabel) -> Kind {
        let class = |label| match label {
            NULL => Class::Null,
            _ if self.pairs.contains(&label) => Class::Pair,
            _ => Class::Named,
        };
        // Where a record changed its data set along with its label, both count.
        let sets: BTreeSet<u32> = [relabel.old_set, relabel.set].into();
        let from_after = sets.iter().map(|&set| self.size(set, Version::After, relabel.from)).sum();
        let to_before = sets.iter().map(|&set| self.size(set, Version::Before, relabel.to)).sum();
        Kind::of(class(relabel.from), class(relabel.to), from_after, to_before)
    }

    pub(super) fn title(&self, label: u32) -> Option<String> {
        (label > NULL).then(|| self.names[label as usize].clone())
    }

    fn count_transitions(&mut self, relabels: &[Relabel], kinds: &[Kind]) {
        let mut table: BTreeMap<(u32, Kind, u32, u32), [u64; 3]> = BTreeMap::new();
        for (relabel, &kind) in relabels.iter().zip(kinds) {
            table.entry((relabel.set, kind, relabel.from, relabel.to)).or_default()[relabel.how as usize] += 1;
        }
        for ((set, kind, from, to), [count, copies, near]) in table {
            let transition = Transition { from: self.title(from), to: self.title(to), kind, count, copies, near };
            self.sets[set as usize].transitions.push(transition);
        }
        for set in &mut self.sets {
            set.transitions.sort_by_key(|transition| (transition.kind, std::cmp::Reverse(transition.all())));
        }
    }

    fn count_classes(&mut self) {
        for set in 0..self.sets.len() {
            let counts = self.counts[set].iter().chain(&self.lost[set]);
            let labels: BTreeSet<u32> = counts.flat_map(|counts| counts.keys().copied()).collect();
            let of = |counts: &BTreeMap<u32, u64>, label| counts.get(&label).copied().unwrap_or(0);
            let classes =
                labels.into_iter().filter(|&label| label != NONE && label != OTHER).map(|label| ClassSummary {
                    name: self.title(label),
                    before: of(&self.counts[set][0], label),
                    after: of(&self.counts[set][1], label),
                    removed: of(&self.lost[set][0], label),
                    added: of(&self.lost[set][1], label),
                });
            self.sets[set].classes = classes.collect();
        }
    }

    fn relabelled(&self, relabels: &[Relabel], kinds: &[Kind]) -> Vec<Relabelled> {
        let mut table: BTreeMap<(u32, u32, Kind), u64> = BTreeMap::new();
        for (relabel, &kind) in relabels.iter().zip(kinds) {
            if kind != Kind::Flip {
                *table.entry((relabel.set, relabel.side, kind)).or_default() += 1;
            }
        }
        let side = |((set, side, kind), count): ((u32, u32, Kind), u64)| {
            let side = &self.sides[side as usize];
            Relabelled { set: set as usize, blob: side.blob, kind, count }
        };
        table.into_iter().map(side).collect()
    }
}
