//! Merges: labels that a record has in none of the parents.
//!
//! A merge may settle a conflict, and a class that one side renamed takes the records of the other side with it. So
//! what each parent calls its classes is put into the other's words first; what is left was written into the merge
//! itself, where no pull request shows it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::story::{Pair, Story};
use super::tally::Counts;
use crate::diff::{Changes, Edit, Evil, How, Kind};
use crate::finding::{Mark, content_hash};
use crate::source::{Edge, ObjectId, Step};

/// Records of one merge that are looked at.
const MOST: usize = 100_000;

/// What a merge does that none of its parents did.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Labels that no parent has, in its own words: path, classes, kind against the first parent that has the record.
    pub(super) edits: Vec<(u32, Option<String>, Option<String>, Kind)>,
    /// Those that are left in the words of all parents.
    pub(super) evil: Vec<Evil>,
}

/// A record and the label it has in the merge.
type Told = (u64, Option<String>);

/// Looks at a merge.
pub(super) fn own(
    story: &Story<'_>,
    step: &Step,
    parents: &[&Counts],
    number: &mut dyn FnMut(&[Edge]) -> u32,
    between: &mut dyn FnMut(ObjectId, ObjectId) -> Vec<Edge>,
) -> Own {
    let pairs: Vec<Pair> = step.against.iter().map(|edges| story.pair(edges, number)).collect();
    let changes: Vec<Changes<'_>> =
        pairs.iter().zip(parents).map(|(pair, counts)| story.compare(pair, counts, false)).collect();
    let mut own = Own::default();
    // For each record, its edit against each parent.
    let mut told: BTreeMap<Told, BTreeMap<usize, Edit>> = BTreeMap::new();
    for (parent, changes) in changes.iter().enumerate() {
        for edit in &changes.edits {
            let labelled = !matches!(edit.kind, Kind::Fill | Kind::Blank);
            if labelled && edit.how != How::Near && edit.key != 0 && told.len() < MOST {
                let to = changes.class(edit.to).map(str::to_owned);
                told.entry((edit.key, to)).or_default().insert(parent, *edit);
            }
        }
    }
    if told.is_empty() {
        return own;
    }
    for (parent, pair) in pairs.iter().enumerate() {
        let known = keys(pair, told.keys().map(|(key, _)| *key));
        told.retain(|(key, _), edits| {
            // A file that the merge has from this parent holds what this parent says.
            let here = |(other, edit): (&usize, &Edit)| {
                let path = pairs[*other].edges[edit.side as usize].path;
                pair.edges.iter().any(|edge| edge.path == path)
            };
            edits.contains_key(&parent) || (!known.contains(key) && edits.iter().next().is_some_and(here))
        });
    }
    let mut maps: FxHashMap<(usize, usize), BTreeSet<(String, String)>> = FxHashMap::default();
    for ((_, to), edits) in told {
        let Some((&parent, edit)) = edits.first_key_value() else { continue };
        let (pair, changed) = (&pairs[parent], &changes[parent]);
        let side = &pair.sides[edit.side as usize];
        let from = changed.class(edit.from).map(str::to_owned);
        own.edits.push((pair.edges[edit.side as usize].path, from.clone(), to.clone(), edit.kind));
        let renamed = edits.iter().any(|(&one, edit)| {
            let Some((from, to)) = changes[one].class(edit.from).zip(to.as_deref()) else { return false };
            (0..pairs.len()).filter(|&other| other != one).any(|other| {
                let map =
                    maps.entry((one, other)).or_insert_with(|| renames(story, step, parents, (one, other), between));
                map.contains(&(from.to_owned(), to.to_owned()))
            })
        });
        if !renamed {
            let mut mark = Mark::at(side.place(edit.row));
            mark.record = side.number(edit.row);
            mark.commit = Some(step.commit.id.to_string());
            mark.content = content_hash(&edit.key.to_le_bytes());
            let set = changed.summary.sets[edit.set as usize].name.clone();
            own.evil.push(Evil { set, from, to, mark, path: side.path().to_owned() });
        }
    }
    own.evil.sort_by(|a, b| (&a.path, &a.mark).cmp(&(&b.path, &b.mark)));
    own.edits.sort();
    own
}

/// Those of the keys that the versions before hold.
fn keys(pair: &Pair, wanted: impl Iterator<Item = u64>) -> rustc_hash::FxHashSet<u64> {
    let wanted: rustc_hash::FxHashSet<u64> = wanted.collect();
    let mut found = rustc_hash::FxHashSet::default();
    for index in pair.indexes_before() {
        for row in 0..index.len() {
            if let Some(key) = index.key(row).filter(|key| wanted.contains(key)) {
                found.insert(key);
            }
        }
    }
    found
}

/// What the classes of one parent are called in another, where they are gone by their old name.
fn renames(
    story: &Story<'_>,
    step: &Step,
    parents: &[&Counts],
    (one, other): (usize, usize),
    between: &mut dyn FnMut(ObjectId, ObjectId) -> Vec<Edge>,
) -> BTreeSet<(String, String)> {
    let tree = |parent: usize| story.walk.steps[step.parents[parent] as usize].tree;
    let edges = between(tree(one), tree(other));
    let pair = story.pair(&edges, &mut |_| 0);
    let changes = story.compare(&pair, parents[one], false);
    let renamed = |edit: &&Edit| matches!(edit.kind, Kind::Rename | Kind::Merge);
    let names = |edit: &Edit| Some((changes.class(edit.from)?.to_owned(), changes.class(edit.to)?.to_owned()));
    changes.edits.iter().filter(renamed).filter_map(names).collect()
}
