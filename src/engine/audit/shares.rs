//! How the shares of the classes went over time, along the first parents of HEAD.

use std::collections::{BTreeMap, BTreeSet};

use super::story::Story;
use super::tally::Counts;

/// Data sets that are told, the largest first.
const SETS: usize = 6;
/// Classes of one data set that are told, the largest first; the others are one.
const CLASSES: usize = 15;
/// Points in time.
const POINTS: usize = 160;

/// The classes of one data set over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares {
    /// The data set.
    pub(crate) set: String,
    /// Its largest classes; `None` for records without a label.
    pub(crate) classes: Vec<Option<String>>,
    /// Classes that are not among them.
    pub(crate) others: u64,
    /// Its sizes, the oldest first.
    pub(crate) points: Vec<Point>,
}

/// The classes of one data set at a commit.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// When it was committed, as it claims: seconds since 1970.
    pub(crate) seconds: i64,
    /// Records of each class, and of all others last.
    pub(crate) rows: Vec<u64>,
}

/// The shares over a history: of the largest data sets, and how many others there are.
pub(super) fn of(story: &Story<'_>) -> (Vec<Shares>, usize) {
    let chain = chain(story);
    let changes = |rank: u32| story.walk.steps[rank as usize].against.first().is_some_and(|edges| !edges.is_empty());
    let mut marks: Vec<u32> = chain.iter().copied().filter(|&rank| changes(rank)).collect();
    if marks.len() > POINTS {
        let last = marks.len() - 1;
        marks = (0..POINTS).map(|at| marks[at * last / (POINTS - 1)]).collect();
    }
    let marks: BTreeSet<u32> = marks.into_iter().chain(chain.first().copied()).collect();
    // First the sizes, to know which classes are the largest.
    let mut largest: Counts = Counts::new();
    follow(story, &chain, &mut |rank, counts| {
        if marks.contains(&rank) {
            for (&class, &rows) in counts {
                let most = largest.entry(class).or_default();
                *most = rows.max(*most);
            }
        }
    });
    let mut sets: BTreeMap<u32, Vec<(i64, u32)>> = BTreeMap::new();
    for ((set, class), rows) in largest {
        sets.entry(set).or_default().push((rows, class));
    }
    // A set without any class has no shares.
    sets.retain(|_, classes| classes.iter().any(|&(_, class)| story.class_name(class).is_some()));
    let mut sets: Vec<(u32, Vec<(i64, u32)>)> = sets.into_iter().collect();
    let size = |classes: &[(i64, u32)]| classes.iter().map(|(rows, _)| rows).sum::<i64>();
    sets.sort_by_key(|(set, classes)| (std::cmp::Reverse(size(classes)), *set));
    let more = sets.len().saturating_sub(SETS);
    sets.truncate(SETS);
    for (_, classes) in &mut sets {
        classes.sort_by_key(|&(rows, class)| (std::cmp::Reverse(rows), class));
    }
    let mut told: Vec<Shares> = Vec::new();
    for (set, classes) in &sets {
        let shown = &classes[..classes.len().min(CLASSES)];
        told.push(Shares {
            set: story.set_name(*set),
            classes: shown.iter().map(|&(_, class)| story.class_name(class)).collect(),
            others: (classes.len() - shown.len()) as u64,
            points: Vec::new(),
        });
    }
    follow(story, &chain, &mut |rank, counts| {
        if !marks.contains(&rank) {
            return;
        }
        let commit = &story.walk.steps[rank as usize].commit;
        for ((set, classes), told) in sets.iter().zip(&mut told) {
            let of = |class| counts.get(&(*set, class)).map_or(0, |&rows| u64::try_from(rows).unwrap_or(0));
            let mut rows: Vec<u64> = classes.iter().take(CLASSES).map(|&(_, class)| of(class)).collect();
            rows.push(classes.iter().skip(CLASSES).map(|&(_, class)| of(class)).sum());
            // A data set begins with its first record.
            if told.points.is_empty() && rows.iter().all(|&rows| rows == 0) {
                continue;
            }
            told.points.push(Point { seconds: commit.committer.seconds, rows });
        }
    });
    (told, more)
}

/// HEAD and its first parents, the oldest first. What was not judged is known only as a whole, so the first of them ends
/// the chain.
fn chain(story: &Story<'_>) -> Vec<u32> {
    let steps = &story.walk.steps;
    let head = story.walk.refs.iter().find(|(name, _)| name == "HEAD").map(|(_, rank)| *rank);
    let mut chain = Vec::new();
    let mut next = head;
    while let Some(rank) = next {
        chain.push(rank);
        let step = &steps[rank as usize];
        next = step.parents.first().copied().filter(|_| step.judged && !step.is_cut);
    }
    chain.reverse();
    chain
}

/// Counts the classes along a chain.
fn follow(story: &Story<'_>, chain: &[u32], each: &mut dyn FnMut(u32, &Counts)) {
    let mut counts = Counts::new();
    for (at, &rank) in chain.iter().enumerate() {
        match at {
            0 => counts = story.at(rank),
            _ => story.step(&mut counts, rank),
        }
        each(rank, &counts);
    }
}
