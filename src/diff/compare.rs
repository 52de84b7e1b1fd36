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

use std::collections::{BTreeMap, BTreeSet};

use super::again::{Again, Wanted, visit};
use super::align::align;
use super::index::{Index, Label, Tally};
use super::kind::{Class, Kind};
use super::near::{Likeness, TokenSets, mutual};
use super::{Changes, ClassSummary, Relabelled, SetSummary, Side, Summary, Transition, Version, flips};

/// Rows without an equal on the other side beyond which no near-duplicates are looked for.
const MOST_UNMATCHED: usize = 200_000;
/// Hundredths of their tokens that two versions of one identified record share at least.
const SAME_RECORD: usize = 50;

/// Finds the changes between the two versions of all `sides`.
pub(crate) fn compare<'a>(sides: &'a [Side], again: &dyn Again) -> Changes<'a> {
    let mut ladder = Ladder::new(sides);
    let (gone, come) = ladder.differences();
    let (gone, come) = ladder.by_content(gone, come);
    ladder.find_replaced(&gone, &come);
    ladder.by_likeness(gone, come, again);
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
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
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
        Self { sides, set_of, sets, names: titles, pairs, maps, counts, families, lost, replaced, relabels: Vec::new() }
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

    /// Step 1 within each file: rows of either version that the other lacks, by key.
    fn differences(&mut self) -> (Vec<Left>, Vec<Left>) {
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for (number, side) in self.sides.iter().enumerate() {
            let number = number as u32;
            let (before, after) = (side.index(Version::Before), side.index(Version::After));
            let (n, m) = (before.map_or(0, Index::len), after.map_or(0, Index::len));
            let [old, new] = &self.maps[number as usize];
            let left = |index: Option<&Index>, row: usize| Left {
                key: index.map_or(0, |index| index.keys[row]),
                side: number,
                row: row as u32,
            };
            let (gone_before, come_before) = (gone.len(), come.len());
            let equal = |i: usize, j: usize| {
                let (Some(a), Some(b)) = (before, after) else { return false };
                a.keys[i] == b.keys[j] && old.get(usize::from(a.labels[i].0)) == new.get(usize::from(b.labels[j].0))
            };
            align((n, m), equal, |i| gone.push(left(before, i)), |j| come.push(left(after, j)));
            if n > 0 && n == m && gone.len() == gone_before && come.len() == come_before {
                let set = self.set_of[number as usize] as usize;
                self.sets[set].format_only.push(side.path.to_string());
            }
        }
        gone.sort_unstable();
        come.sort_unstable();
        (gone, come)
    }

    /// Steps 1 and 2 over all files. Returns the rows whose content the other version does not have at all.
    fn by_content(&mut self, gone: Vec<Left>, come: Vec<Left>) -> (Vec<Left>, Vec<Left>) {
        let (mut old, mut new) = (gone.chunk_by(same_key).peekable(), come.chunk_by(same_key).peekable());
        let (mut only_old, mut only_new) = (Vec::new(), Vec::new());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) => a[0].key.cmp(&b[0].key),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            let old = if order.is_le() { old.next().unwrap_or_default() } else { &[] };
            let new = if order.is_ge() { new.next().unwrap_or_default() } else { &[] };
            // A row without content is known by nothing.
            if order.is_ne() || old[0].key == 0 {
                only_old.extend_from_slice(old);
                only_new.extend_from_slice(new);
            } else {
                self.same_content(old, new);
            }
        }
        (only_old, only_new)
    }

    /// Rows of one content that are gone in some places and came in others.
    fn same_content(&mut self, old: &[Left], new: &[Left]) {
        let (old, new) = self.cancel(old, new);
        let (mut rest_old, mut rest_new) = (Vec::new(), Vec::new());
        // Rows of files without a field for labels have nothing to say here, and neither have those of a data set with
        // other classes.
        let family = |version, left: &Left| {
            let family = self.families[self.set_of[left.side as usize] as usize];
            if self.label(version, *left) == NONE { u32::MAX } else { family }
        };
        let of_old: Vec<_> = old.iter().map(|left| (family(Version::Before, left), *left)).collect();
        let of_new: Vec<_> = new.iter().map(|left| (family(Version::After, left), *left)).collect();
        let families: BTreeSet<u32> = of_old.iter().chain(&of_new).map(|&(family, _)| family).collect();
        for family in families {
            let members = |list: &[(u32, Left)]| -> Vec<Left> {
                list.iter().filter(|(other, _)| *other == family).map(|&(_, left)| left).collect()
            };
            let (mut old, mut new) = (members(&of_old), members(&of_new));
            if family != u32::MAX {
                self.relabelled_content(&mut old, &mut new);
            }
            rest_old.append(&mut old);
            rest_new.append(&mut new);
        }
        // What is left of one text in one data set is the same record still, though nobody can say what became of its
        // label.
        let by_set = |list: Vec<Left>| {
            let mut list: Vec<_> = list.into_iter().map(|left| (self.set_of[left.side as usize], left)).collect();
            list.sort_unstable();
            list
        };
        let (rest_old, rest_new, changed) = drop_equal(by_set(rest_old), by_set(rest_new), |&(set, _)| set);
        for (_, left) in changed {
            self.set(left).changed += 1;
        }
        rest_old.into_iter().for_each(|(_, left)| self.lose(Version::Before, left));
        rest_new.into_iter().for_each(|(_, left)| self.lose(Version::After, left));
    }

    /// Step 2: takes the rows out of both lists of which it can be said what became of their labels.
    fn relabelled_content(&mut self, old: &mut Vec<Left>, new: &mut Vec<Left>) {
        if old.len() > 1 || new.len() > 1 {
            for (a, b) in self.by_id(old, new) {
                self.pair(a, b, How::Exact);
            }
        }
        let alike = |version, lefts: &[Left]| {
            let first = self.label(version, lefts[0]);
            lefts.iter().all(|&left| self.label(version, left) == first)
        };
        match (&old[..], &new[..]) {
            ([], _) | (_, []) => {}
            (&[a], &[b]) => {
                self.pair(a, b, How::Exact);
                old.clear();
                new.clear();
            }
            (olds, news) if alike(Version::Before, olds) && alike(Version::After, news) => {
                let both = olds.len().min(news.len());
                for (a, b) in old.drain(..both).zip(new.drain(..both)) {
                    self.pair(a, b, How::Copies);
                }
            }
            (_, news) => self.set(news[0]).conflicts += 1,
        }
    }

    /// Takes rows with the same label out of both lists, those of one file first; the others were moved.
    fn cancel(&mut self, old: &[Left], new: &[Left]) -> (Vec<Left>, Vec<Left>) {
        let by_label = |version, lefts: &[Left]| {
            let mut list: Vec<_> = lefts.iter().map(|&left| (self.label(version, left), left)).collect();
            list.sort_unstable_by_key(|&(label, left)| (label, left.side, left.row));
            list
        };
        let (old, new) = (by_label(Version::Before, old), by_label(Version::After, new));
        let (old, new, _) = drop_equal(old, new, |&(label, left)| (label, left.side));
        let (old, new, moved) = drop_equal(old, new, |&(label, _)| label);
        for (_, left) in moved {
            self.set(left).moved += 1;
        }
        let plain = |list: Vec<(u32, Left)>| list.into_iter().map(|(_, left)| left).collect();
        (plain(old), plain(new))
    }

    /// Takes out of both lists the rows whose identifier each of them has once.
    fn by_id(&self, old: &mut Vec<Left>, new: &mut Vec<Left>) -> Vec<(Left, Left)> {
        let once = |version, lefts: &[Left]| {
            let mut ids: Vec<_> = lefts.iter().filter_map(|&left| Some((self.id(version, left)?, left))).collect();
            ids.sort_unstable_by_key(|&(id, left)| (id, left.side, left.row));
            let mut single = Vec::new();
            for same in ids.chunk_by(|a, b| a.0 == b.0) {
                if let [one] = same {
                    single.push(*one);
                }
            }
            single
        };
        let (a, b) = (once(Version::Before, old), once(Version::After, new));
        let (mut pairs, mut at) = (Vec::new(), 0);
        for (id, left) in a {
            while b.get(at).is_some_and(|&(other, _)| other < id) {
                at += 1;
            }
            if let Some(&(other, right)) = b.get(at)
                && other == id
            {
                pairs.push((left, right));
            }
        }
        let taken: BTreeSet<_> = pairs.iter().map(|&(a, _)| a).collect();
        old.retain(|left| !taken.contains(left));
        let taken: BTreeSet<_> = pairs.iter().map(|&(_, b)| b).collect();
        new.retain(|left| !taken.contains(left));
        pairs
    }

    /// Finds files of which hardly a record survives although they did not shrink or grow much: they were replaced, and
    /// what little they share with their former self is chance.
    fn find_replaced(&mut self, gone: &[Left], come: &[Left]) {
        /// Fewer records than these may all have been edited.
        const FEWEST: u64 = 20;
        let mut lost = vec![[0_u64; 2]; self.sides.len()];
        for (version, lefts) in [gone, come].into_iter().enumerate() {
            for left in lefts {
                lost[left.side as usize][version] += 1;
            }
        }
        for (number, side) in self.sides.iter().enumerate() {
            let (Some(before), Some(after)) = (&side.before, &side.after) else { continue };
            let (n, m) = (before.len() as u64, after.len() as u64);
            let (smaller, larger) = (n.min(m), n.max(m));
            let survive = if n <= m { n - lost[number][0] } else { m - lost[number][1] };
            if smaller >= FEWEST && larger <= 4 * smaller && survive * 4 < smaller {
                self.replaced[number] = true;
                self.sets[self.set_of[number] as usize].replaced.push(side.path.to_string());
            }
        }
    }

    /// Steps 3 and 4.
    fn by_likeness(&mut self, mut gone: Vec<Left>, mut come: Vec<Left>, again: &dyn Again) {
        let whole = |ladder: &Self, left: &Left| ladder.replaced[left.side as usize];
        let (mut rest_gone, mut rest_come) = (Vec::new(), Vec::new());
        for (list, rest) in [(&mut gone, &mut rest_gone), (&mut come, &mut rest_come)] {
            rest.extend(list.extract_if(.., |left| whole(self, left)));
        }
        if gone.is_empty() || come.is_empty() || gone.len() + come.len() > MOST_UNMATCHED {
            if !gone.is_empty() && !come.is_empty() {
                for &left in &come {
                    self.set(left).not_matched += 1;
                }
            }
        } else {
            let identified = self.by_id(&mut gone, &mut come);
            let (old, new): (Vec<_>, Vec<_>) = identified.iter().copied().unzip();
            let lists =
                [(Version::Before, &old), (Version::After, &new), (Version::Before, &gone), (Version::After, &come)];
            let sets = lists.map(|(version, lefts)| read_tokens(again, version, lefts));
            for (at, &(a, b)) in identified.iter().enumerate() {
                match (sets[0].at[at], sets[1].at[at]) {
                    (Some(i), Some(j)) if Likeness::of(&sets[0].sets, i, &sets[1].sets, j).at_least(SAME_RECORD) => {
                        self.pair(a, b, How::Exact);
                    }
                    _ => {
                        rest_gone.push(a);
                        rest_come.push(b);
                    }
                }
            }
            let (mut paired_old, mut paired_new) = (BTreeSet::new(), BTreeSet::new());
            for (i, j) in mutual(&sets[2].sets, &sets[3].sets) {
                let (a, b) = (sets[2].rows[i], sets[3].rows[j]);
                paired_old.insert(a);
                paired_new.insert(b);
                self.pair(gone[a], come[b], How::Near);
            }
            let left_over = |list: &[Left], paired: &BTreeSet<usize>| {
                list.iter()
                    .enumerate()
                    .filter(|(at, _)| !paired.contains(at))
                    .map(|(_, &left)| left)
                    .collect::<Vec<_>>()
            };
            let (unmatched_gone, unmatched_come) = (left_over(&gone, &paired_old), left_over(&come, &paired_new));
            (gone, come) = (unmatched_gone, unmatched_come);
        }
        gone.into_iter().chain(rest_gone).for_each(|left| self.lose(Version::Before, left));
        come.into_iter().chain(rest_come).for_each(|left| self.lose(Version::After, left));
    }

    /// The two are one record.
    fn pair(&mut self, a: Left, b: Left, how: How) {
        let (mut from, mut to) = (self.label(Version::Before, a), self.label(Version::After, b));
        if self.pairs.contains(&from) && self.pairs.contains(&to) && from > to {
            // Which of the two answers comes first is chance; what counts is that they changed places.
            std::mem::swap(&mut from, &mut to);
        }
        let (old_set, set) = (self.set_of[a.side as usize], self.set_of[b.side as usize]);
        if old_set != set && self.families[old_set as usize] != self.families[set as usize] {
            // Two data sets that happen to share a text and no class.
            self.lose(Version::Before, a);
            self.lose(Version::After, b);
            return;
        }
        self.set(b).changed += 1;
        let says = |label| label != NONE && label != OTHER;
        if from != to && says(from) && says(to) {
            self.relabels.push(Relabel { set, from, to, side: b.side, row: b.row, how, old_set, old: (a.side, a.row) });
        }
    }

    /// The row has no other version.
    fn lose(&mut self, version: Version, left: Left) {
        let label = self.label(version, left);
        let set = self.set_of[left.side as usize] as usize;
        *self.lost[set][version as usize].entry(label).or_default() += 1;
        match version {
            Version::Before => self.sets[set].removed += 1,
            Version::After => self.sets[set].added += 1,
        }
    }

    /// Tells the kinds, and looks at the flips once more.
    fn finish(mut self, again: &dyn Again) -> Changes<'a> {
        let mut relabels = std::mem::take(&mut self.relabels);
        // Whatever a file that was replaced shares with its former self, its labels were not changed one by one.
        relabels.retain(|relabel| !self.replaced[relabel.side as usize]);
        relabels.retain(|relabel| !self.is_open(relabel.set));
        relabels.sort_unstable();
        let mut asked: BTreeMap<u32, bool> = BTreeMap::new();
        for relabel in &relabels {
            if relabel.from != NULL && relabel.to != NULL {
                asked.insert(relabel.set, false);
                asked.insert(relabel.old_set, false);
            }
        }
        for (&set, known) in &mut asked {
            if let Some(rest) = again.rest(&self.sets[set as usize].name) {
                *known = true;
                self.add_rest(set, &rest);
            }
        }
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
        let flips = flips::look(&self, &flipped, again);
        let files = self.sides.iter().map(|side| (side.path(), side.blob)).collect();
        Changes { summary: Summary { sets: self.sets }, flips, relabelled, files }
    }

    /// Whether the labels of a data set are no classes but values: scores, answers. What changes there is content.
    fn is_open(&self, set: u32) -> bool {
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
                Err(_) => continue,
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
    pub(super) fn size(&self, set: u32, version: Version, label: u32) -> u64 {
        self.counts[set as usize][version as usize].get(&label).copied().unwrap_or(0)
    }

    fn kind(&self, relabel: &Relabel) -> Kind {
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

    fn title(&self, label: u32) -> Option<String> {
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

fn same_key(a: &Left, b: &Left) -> bool {
    a.key == b.key
}

/// Takes pairs with equal `by` out of two lists that are sorted by it. Returns what is left and what was taken of the
/// second list.
fn drop_equal<T: Copy, K: Ord>(a: Vec<T>, b: Vec<T>, by: impl Fn(&T) -> K) -> (Vec<T>, Vec<T>, Vec<T>) {
    let (mut left, mut right, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match by(&a[i]).cmp(&by(&b[j])) {
            std::cmp::Ordering::Less => {
                left.push(a[i]);
                i += 1;
            }
            std::cmp::Ordering::Greater => {
                right.push(b[j]);
                j += 1;
            }
            std::cmp::Ordering::Equal => {
                both.push(b[j]);
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    left.extend_from_slice(&a[i..]);
    right.extend_from_slice(&b[j..]);
    (left, right, both)
}

/// Token sets of the rows that could be read again.
struct ReadTokens {
    sets: TokenSets,
    /// The row in the list that each set belongs to.
    rows: Vec<usize>,
    /// The set of each row of the list.
    at: Vec<Option<usize>>,
}

fn read_tokens(again: &dyn Again, version: Version, lefts: &[Left]) -> ReadTokens {
    let wanted = |(tag, left): (usize, &Left)| Wanted { side: left.side, version, row: left.row, tag: tag as u32 };
    let mut wanted: Vec<_> = lefts.iter().enumerate().map(wanted).collect();
    let mut read = ReadTokens { sets: TokenSets::default(), rows: Vec::new(), at: vec![None; lefts.len()] };
    let mut text = String::new();
    visit(again, &mut wanted, &mut |tag, keyer, record| {
        text.clear();
        keyer.text(record, &mut text);
        if read.sets.push(&text) {
            read.at[tag as usize] = Some(read.sets.len() - 1);
            read.rows.push(tag as usize);
        }
    });
    read
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::trial::{Table, Trial};
    use crate::lens::Role;

    const BEFORE: &str =
        "where is my parcel\tdelivery\nit never came\tdelivery\ni want my money back\trefund\nthank you\tchat\n";

    /// Classes that live on elsewhere, so that every change between them is a flip.
    fn living() -> [(&'static str, u64); 3] {
        [("delivery", 50), ("refund", 50), ("chat", 50)]
    }

    fn one(after: &str) -> Vec<String> {
        Trial::default().file("d/a.csv", Some(BEFORE), Some(after)).rest("d/", &living()).transitions()
    }

    #[test]
    fn a_flip_is_found_wherever_the_row_went() {
        let flipped =
            "thank you\tchat\nit never came\trefund\nwhere is my parcel\tdelivery\ni want my money back\trefund\n";
        assert_eq!(one(flipped), ["flip delivery>refund 1+0+0"]);
        let moved = Trial::default()
            .file("d/a.csv", Some(BEFORE), Some("thank you\tchat\n"))
            .file("d/b.csv", None, Some("i want my money back\trefund\nIt  never came\trefund\n"))
            .rest("d/", &living());
        assert_eq!(moved.transitions(), ["flip delivery>refund 1+0+0"]);
        moved.compare(|changes| {
            let set = &changes.summary.sets[0];
            assert_eq!((set.moved, set.changed, set.removed, set.added), (1, 1, 1, 0));
            assert_eq!(set.scope, "dataset");
        });
    }

    #[test]
    fn kinds_follow_from_the_classes_of_the_whole_set() {
        let table = |before: &str, after: &str, rest: &[(&str, u64)]| {
            Trial::default().file("d/a.csv", Some(before), Some(after)).rest("d/", rest).transitions()
        };
        assert_eq!(table("a\tx\nb\tx\n", "a\ty\nb\ty\n", &[]), ["rename x>y 2+0+0"]);
        assert_eq!(table("a\tx\nb\ty\n", "a\ty\nb\ty\n", &[]), ["merge x>y 1+0+0"]);
        assert_eq!(table("a\tx\nb\ty\n", "a\ty\nb\ty\n", &[("x", 3)]), ["flip x>y 1+0+0"]);
        assert_eq!(table("a\tx\nb\tx\n", "a\tz\nb\tx\n", &[]), ["carve-out x>z 1+0+0"]);
        assert_eq!(table("a\t\nb\tx\n", "a\tx\nb\t\n", &[]), ["fill >x 1+0+0", "blank x> 1+0+0"]);
        assert_eq!(table("a\tnull\n", "a\tx\n", &[]), ["fill >x 1+0+0"]);
    }

    #[test]
    fn without_the_other_files_only_what_changed_decides() {
        let trial = Trial::default().file("d/a.csv", Some("a\tx\nb\ty\n"), Some("a\ty\nb\ty\n"));
        assert_eq!(trial.transitions(), ["merge x>y 1+0+0"]);
        trial.compare(|changes| assert_eq!(changes.summary.sets[0].scope, "changed-files"));
    }

    #[test]
    fn several_rows_of_one_text_are_kept_apart() {
        // All of them alike: they are copies, outside the exact count.
        assert_eq!(
            Trial::default()
                .file("d/a.csv", Some("a\tx\na\tx\nb\tx\n"), Some("a\ty\na\ty\nb\tx\n"))
                .rest("d/", &[("x", 9), ("y", 9)])
                .transitions(),
            ["flip x>y 0+2+0"]
        );
        // One of two changed: what did not change cancels.
        assert_eq!(
            Trial::default()
                .file("d/a.csv", Some("a\tx\na\tx\n"), Some("a\ty\na\tx\n"))
                .rest("d/", &[("x", 9), ("y", 9)])
                .transitions(),
            ["flip x>y 1+0+0"]
        );
        // Files without a field for labels do not matter.
        let unlabelled = |text| Some(Table::new("d/b.csv", &[("text", Role::Text)], text));
        assert_eq!(
            Trial::default()
                .file("d/a.csv", Some("a\tx\n"), Some("a\ty\n"))
                .tables(unlabelled("a\nb\n"), unlabelled("b\n"))
                .rest("d/", &[("x", 9), ("y", 9)])
                .transitions(),
            ["flip x>y 1+0+0"]
        );
        // Two labels became two others: nobody can say which became which.
        let conflict = Trial::default()
            .file("d/a.csv", Some("a\tx\na\ty\n"), Some("a\tz\na\tw\n"))
            .rest("d/", &[("x", 9), ("y", 9), ("z", 9), ("w", 9)]);
        assert_eq!(conflict.transitions(), [""; 0]);
        conflict.compare(|changes| assert_eq!(changes.summary.sets[0].conflicts, 1));
        // Labels of duplicates that changed places changed nothing.
        assert_eq!(Trial::default().file("d/a.csv", Some("a\tx\na\ty\n"), Some("a\ty\na\tx\n")).transitions(), [""; 0]);
    }

    #[test]
    fn identifiers_tell_duplicates_apart_and_carry_edited_texts() {
        let columns = [("id", Role::Id), ("text", Role::Text), ("label", Role::Label)];
        let table = |text: &str| Some(Table::new("d/a.csv", &columns, text));
        let rest = [("x", 9), ("y", 9), ("z", 9), ("w", 9)];
        let trial = |before, after| Trial::default().tables(table(before), table(after)).rest("d/", &rest);
        let conflict = trial("1\ta\tx\n2\ta\ty\n", "1\ta\tz\n2\ta\tw\n");
        assert_eq!(conflict.transitions(), ["flip x>z 1+0+0", "flip y>w 1+0+0"]);
        let edited = trial("7\tmy parcel is late again\tx\n", "7\tmy parcel is late\ty\n");
        assert_eq!(edited.transitions(), ["flip x>y 1+0+0"]);
        // The number was given to another text: a record went and another came.
        let reused = trial("7\tmy parcel is late again\tx\n", "7\tguten morgen\ty\n");
        assert_eq!(reused.transitions(), [""; 0]);
        reused.compare(|changes| {
            let set = &changes.summary.sets[0];
            assert_eq!((set.added, set.removed, set.changed), (1, 1, 0));
        });
    }

    #[test]
    fn near_duplicates_stand_outside_the_exact_counts() {
        let before = "please cancel the order that i made on the website last monday\tx\n";
        let after = "please cancel the order that i made on the website last monday now\ty\n";
        let trial = Trial::default().file("d/a.csv", Some(before), Some(after)).rest("d/", &[("x", 9), ("y", 9)]);
        assert_eq!(trial.transitions(), ["flip x>y 0+0+1"]);
    }

    #[test]
    fn an_invisible_character_does_not_make_another_record() {
        let after = BEFORE.replace("it never came\tdelivery", "it never\u{200b} came\trefund");
        assert_eq!(one(&after), ["flip delivery>refund 1+0+0"]);
    }

    #[test]
    fn a_file_that_was_replaced_has_no_flips() {
        let rows = |word: &str, label: &str| (0..40).map(|n| format!("{word} {n}\t{label}\n")).collect::<String>();
        let before = rows("bonjour", "x") + "ok\tx\n";
        let after = rows("guten tag", "y") + "ok\ty\n";
        let trial = Trial::default().file("d/a.csv", Some(&before), Some(&after)).rest("d/", &[("x", 9), ("y", 9)]);
        assert_eq!(trial.transitions(), [""; 0]);
        trial.compare(|changes| assert_eq!(changes.summary.sets[0].replaced, ["d/a.csv"]));
    }

    #[test]
    fn a_split_of_a_file_replaces_nothing() {
        let rows =
            |from: usize, label: &str| (from..from + 40).map(|n| format!("text {n}\t{label}\n")).collect::<String>();
        let trial = Trial::default().file("d/a.csv", Some(&rows(0, "x")), Some(&rows(100, "x"))).file(
            "d/b.csv",
            Some(&rows(100, "x")),
            Some(&rows(0, "y")),
        );
        assert_eq!(trial.transitions(), ["carve-out x>y 40+0+0"]);
    }

    #[test]
    fn another_layout_of_the_same_records_is_only_that() {
        let after = BEFORE.replace("where is", "Where  is");
        let trial = Trial::default().file("d/a.csv", Some(BEFORE), Some(&after));
        trial.compare(|changes| {
            let set = &changes.summary.sets[0];
            assert_eq!(set.format_only, ["d/a.csv"]);
            assert_eq!((set.added, set.removed, set.changed), (0, 0, 0));
        });
    }

    #[test]
    fn chosen_and_rejected_that_change_places_are_a_flip() {
        let columns = [("prompt", Role::Text), ("chosen", Role::Text), ("rejected", Role::Text)];
        let table = |text: &str| Some(Table::new("d/a.csv", &columns, text));
        let trial = Trial::default().tables(table("p\tgood\tbad\nq\tyes\tno\n"), table("p\tbad\tgood\nq\tyes\tno\n"));
        let transitions = trial.transitions();
        assert_eq!(transitions.len(), 1);
        assert!(transitions[0].starts_with("flip ") && transitions[0].ends_with(" 1+0+0"), "{transitions:?}");
    }

    #[test]
    fn data_sets_that_share_a_text_do_not_flip_each_other() {
        let trial = Trial::default().file("mood/a.csv", Some("hello\tgood\n"), None).file(
            "topic/a.csv",
            None,
            Some("hello\tgreeting\n"),
        );
        assert_eq!(trial.transitions(), [""; 0]);
    }

    #[test]
    fn scores_are_no_classes() {
        let rows = |add: u32| (0..60).map(|n| format!("text {n}\t0.{}\n", n + add)).collect::<String>();
        let trial = Trial::default().file("d/a.csv", Some(&rows(100)), Some(&rows(200)));
        assert_eq!(trial.transitions(), [""; 0]);
        trial.compare(|changes| assert_eq!(changes.summary.sets[0].changed, 60));
    }

    #[test]
    fn files_whose_folder_is_the_label() {
        let index = |files: &[(&str, &str)]| {
            let mut index = Index::default();
            for (number, (path, content)) in files.iter().enumerate() {
                index.file(path.as_bytes(), content.as_bytes(), crate::span::BlobId(number as u32));
            }
            std::sync::Arc::new(index)
        };
        let before = index(&[("train/cat/1.png", "aa"), ("train/cat/2.png", "bb"), ("train/dog/3.png", "cc")]);
        let after = index(&[("train/cat/1.png", "aa"), ("train/dog/2.png", "bb"), ("train/dog/3.png", "cc")]);
        let blob = crate::span::BlobId(0);
        let sides = [Side::new(blob, "train/".into(), &Default::default(), Some(before), Some(after))];
        let changes = compare(&sides, &crate::diff::Never);
        assert_eq!(changes.summary.sets[0].transitions[0].to.as_deref(), Some("dog"));
        assert_eq!(changes.flips[0].marks[0].place.blob, crate::span::BlobId(1));
    }

    proptest! {
        #[test]
        fn the_multiset_rule_holds(
            before in proptest::collection::vec((0_u8..12, 0_u8..4), 0..40),
            after in proptest::collection::vec((0_u8..12, 0_u8..4), 0..40),
            cut in 0_usize..40,
        ) {
            let text = |rows: &[(u8, u8)]| rows.iter().map(|(text, label)| format!("t{text}\tl{label}\n")).collect::<String>();
            let cut = cut.min(after.len());
            let living = [("l0", 9), ("l1", 9), ("l2", 9), ("l3", 9)];
            let trial = Trial::default()
                .file("d/a.csv", Some(&text(&before)), Some(&text(&after[..cut])))
                .file("d/b.csv", None, Some(&text(&after[cut..])))
                .rest("d/", &living);
            // As the reference reader counts: multiset differences, then one gone and one come for a key.
            let mut difference: BTreeMap<u8, BTreeMap<u8, i64>> = BTreeMap::new();
            for (text, label) in &after { *difference.entry(*text).or_default().entry(*label).or_default() += 1; }
            for (text, label) in &before { *difference.entry(*text).or_default().entry(*label).or_default() -= 1; }
            let mut expected: BTreeMap<(u8, u8), u64> = BTreeMap::new();
            for labels in difference.values() {
                let gone: Vec<_> = labels.iter().filter(|(_, n)| **n < 0).collect();
                let come: Vec<_> = labels.iter().filter(|(_, n)| **n > 0).collect();
                if let ([(from, -1)], [(to, 1)]) = (&gone[..], &come[..]) {
                    *expected.entry((**from, **to)).or_default() += 1;
                }
            }
            let found = trial.compare(|changes| {
                let number = |class: &Option<String>| class.as_deref().and_then(|class| class[1..].parse().ok()).unwrap_or(99);
                let all = changes.summary.sets.iter().flat_map(|set| &set.transitions);
                all.filter(|t| t.count > 0).map(|t| ((number(&t.from), number(&t.to)), t.count)).collect::<BTreeMap<(u8, u8), u64>>()
            });
            // A file of fewer than twenty rows is never held to be replaced.
            if before.len() < 20 || cut < 20 {
                prop_assert_eq!(found, expected);
            }
        }
    }
}
