//! The steps of the ladder.

use std::collections::BTreeSet;

use super::{How, Ladder, Left, NONE, OTHER, Relabel};
use crate::diff::again::{Again, Wanted, visit};
use crate::diff::align::align;
use crate::diff::index::Index;
use crate::diff::near::{Likeness, TokenSets, mutual};
use crate::diff::{Side, Version};

/// Rows without an equal on the other side beyond which no near-duplicates are looked for.
const MOST_UNMATCHED: usize = 200_000;
/// Hundredths of their tokens that two versions of one identified record share at least.
const SAME_RECORD: usize = 50;

impl Ladder<'_> {
    /// Step 1 within each file: rows of either version that the other lacks, by key.
    pub(super) fn differences(&mut self) -> (Vec<Left>, Vec<Left>) {
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
    pub(super) fn by_content(&mut self, gone: Vec<Left>, come: Vec<Left>) -> (Vec<Left>, Vec<Left>) {
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
            if let Some(trace) = &mut self.trace {
                trace.unclear(left);
            }
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
    pub(super) fn find_replaced(&mut self, gone: &[Left], come: &[Left]) {
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
    pub(super) fn by_likeness(&mut self, mut gone: Vec<Left>, mut come: Vec<Left>, again: &dyn Again) {
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
            let sets = lists.map(|(version, lefts)| read_tokens(self.sides, again, version, lefts));
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
        if let Some(trace) = &mut self.trace {
            trace.paired(a, b, how);
        }
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
            Version::After => {
                self.sets[set].added += 1;
                if let Some(trace) = &mut self.trace {
                    trace.brought(left);
                }
            }
        }
    }
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

fn read_tokens(sides: &[Side], again: &dyn Again, version: Version, lefts: &[Left]) -> ReadTokens {
    let wanted = |(tag, left): (usize, &Left)| Wanted { side: left.side, version, row: left.row, tag: tag as u32 };
    let mut wanted: Vec<_> = lefts.iter().enumerate().map(wanted).collect();
    let mut read = ReadTokens { sets: TokenSets::default(), rows: Vec::new(), at: vec![None; lefts.len()] };
    let mut text = String::new();
    visit(sides, again, &mut wanted, &mut |tag, keyer, record| {
        text.clear();
        keyer.text(record, &mut text);
        if read.sets.push(&text) {
            read.at[tag as usize] = Some(read.sets.len() - 1);
            read.rows.push(tag as usize);
        }
    });
    read
}
