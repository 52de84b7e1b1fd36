//! Merges: labels that a record has in none of the parents.
//!
//! A merge may settle a conflict, and a class that one side renamed takes the records of the other side with it. So
//! what each parent calls its classes is put into the other's words first; what is left was written into the merge
//! itself, where no pull request shows it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::story::{Look, Pair, Story};
use super::tally::Counts;
use crate::diff::{Changes, Edit, Evil, How, Kind};
use crate::finding::{Mark, Versions, content_hash};
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

/// The class before and the class after.
type Between = (Option<String>, Option<String>);

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
        pairs.iter().zip(parents).map(|(pair, counts)| story.compare(pair, counts, Look::Not)).collect();
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
        let known = known(pair, &told);
        told.retain(|one, edits| {
            // A file that the merge has from this parent holds what this parent says.
            let here = |(other, edit): (&usize, &Edit)| {
                let path = pairs[*other].edges[edit.side as usize].path;
                pair.edges.binary_search_by_key(&path, |edge| edge.path).is_ok()
            };
            edits.contains_key(&parent) || (!known.contains(one) && edits.iter().next().is_some_and(here))
        });
    }
    let mut maps: FxHashMap<(usize, usize), Words> = FxHashMap::default();
    // What is left, by the classes it goes between: with how often one of the sides did the same to other records.
    let mut left: BTreeMap<Between, (u64, Vec<Evil>)> = BTreeMap::new();
    for ((_, to), edits) in told {
        let Some((&parent, edit)) = edits.first_key_value() else { continue };
        let (pair, changed) = (&pairs[parent], &changes[parent]);
        let side = &pair.sides[edit.side as usize];
        let from = changed.class(edit.from).map(str::to_owned);
        own.edits.push((pair.edges[edit.side as usize].path, from.clone(), to.clone(), edit.kind));
        let (mut renamed, mut alike) = (false, 0);
        for (&one, edit) in &edits {
            let Some((from, to)) = changes[one].class(edit.from).zip(to.as_deref()) else { continue };
            for other in (0..pairs.len()).filter(|&other| other != one) {
                let words = maps
                    .entry((one, other))
                    .or_insert_with(|| Words::between(story, step, parents, (one, other), between));
                renamed |= words.renamed.contains(&(from.to_owned(), to.to_owned()));
                alike = alike.max(words.flipped.get(&(from.to_owned(), to.to_owned())).copied().unwrap_or(0));
            }
        }
        if !renamed {
            let mut mark = Mark::at(side.place(edit.row));
            mark.record = side.number(edit.row);
            mark.commit = Some(step.commit.id.to_string());
            mark.content = content_hash(&edit.key.to_le_bytes());
            let mut versions = Versions::default();
            (versions.before.label, versions.after.label) = (from.clone(), to.clone());
            mark.versions = Some(Box::new(versions));
            let set = changed.summary.sets[edit.set as usize].name.clone();
            let (often, list) = left.entry((from.clone(), to.clone())).or_default();
            *often = alike.max(*often);
            list.push(Evil { set, from, to, mark, path: side.path().to_owned() });
        }
    }
    // A merge that carries on what one side did between two classes, no more often than the side itself, settles a
    // conflict.
    own.evil =
        left.into_values().filter(|(often, list)| *often < list.len() as u64).flat_map(|(_, list)| list).collect();
    own.evil.sort_by(|a, b| (&a.path, &a.mark).cmp(&(&b.path, &b.mark)));
    own.edits.sort();
    own
}

/// Those of the records that have the same label before.
fn known(pair: &Pair, told: &BTreeMap<Told, BTreeMap<usize, Edit>>) -> FxHashSet<Told> {
    let wanted: FxHashSet<u64> = told.keys().map(|(key, _)| *key).collect();
    let mut found = FxHashSet::default();
    for index in pair.indexes_before() {
        for row in 0..index.len() {
            if let Some(key) = index.key(row).filter(|key| wanted.contains(key)) {
                found.insert((key, index.classes().title(index.label(row)).map(Cow::into_owned)));
            }
        }
    }
    found
}

/// What becomes of the classes of one parent in the words of another.
#[derive(Debug, Default)]
struct Words {
    /// Classes that are gone by their old name.
    renamed: BTreeSet<(String, String)>,
    /// Records that flipped between classes that are in both.
    flipped: BTreeMap<(String, String), u64>,
}

impl Words {
    fn between(
        story: &Story<'_>,
        step: &Step,
        parents: &[&Counts],
        (one, other): (usize, usize),
        between: &mut dyn FnMut(ObjectId, ObjectId) -> Vec<Edge>,
    ) -> Self {
        let tree = |parent: usize| story.walk.steps[step.parents[parent] as usize].tree;
        let edges = between(tree(one), tree(other));
        let pair = story.pair(&edges, &mut |_| 0);
        let changes = story.compare(&pair, parents[one], Look::Not);
        let mut words = Self::default();
        for edit in &changes.edits {
            let Some((from, to)) = changes.class(edit.from).zip(changes.class(edit.to)) else { continue };
            let names = (from.to_owned(), to.to_owned());
            match edit.kind {
                Kind::Rename | Kind::Merge => _ = words.renamed.insert(names),
                Kind::Flip => *words.flipped.entry(names).or_default() += 1,
                Kind::CarveOut | Kind::Fill | Kind::Blank => {}
            }
        }
        words
    }
}
