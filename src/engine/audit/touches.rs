//! Who touched the data: one entry a commit, for the timeline of the people behind a data set.

use bstr::ByteSlice;

use super::Audited;
use super::story::{Event, Story};
use crate::check;
use crate::diff::Kind;
use crate::source::{Commit, Walk};

/// A commit that touches data.
#[derive(Clone, Debug)]
pub(crate) struct Touch {
    /// Its id.
    pub(crate) commit: String,
    /// Its author, by a number that is the same for all names and addresses of one person.
    pub(crate) person: usize,
    /// Name and address of its author, as they are claimed.
    pub(crate) author: String,
    /// When it was committed, as it claims: seconds since 1970.
    pub(crate) seconds: i64,
    /// Whether it is signed: by a key of the policy where that lists SSH keys, else by anybody.
    pub(crate) signed: bool,
    /// Whether it merges.
    pub(crate) merges: bool,
    /// Records that it adds.
    pub(crate) added: u64,
    /// Records that it removes.
    pub(crate) removed: u64,
    /// Records whose label it changes, in any way.
    pub(crate) relabelled: u64,
    /// Those of them that went from one living class to another.
    pub(crate) flipped: u64,
}

/// Records that a commit adds and removes.
pub(super) fn rows(story: &Story<'_>, rank: u32, event: &Event<'_, '_>) -> (u64, u64) {
    let step = &story.walk.steps[rank as usize];
    match event {
        Event::Change(_, changes) => {
            changes.summary.sets.iter().fold((0, 0), |(added, removed), set| (added + set.added, removed + set.removed))
        }
        // A first commit brings all it has.
        Event::Nothing if step.parents.is_empty() && !step.is_cut => {
            let edges = step.against.first().into_iter().flatten();
            let rows = |edge: &crate::source::Edge| story.units.rows(edge.after, edge.path);
            (edges.filter_map(rows).map(|rows| rows.index.len() as u64).sum(), 0)
        }
        Event::Nothing | Event::Merge(_) => (0, 0),
    }
}

/// The judged commits that touch data; `rows` has what each adds and removes, by rank, and `audited` the labels.
pub(super) fn of(walk: &Walk, rows: &[(u32, (u64, u64))], audited: &[(u32, &Audited)]) -> Vec<Touch> {
    let touching = rows.iter().filter(|(rank, _)| !walk.steps[*rank as usize].commit.paths.is_empty());
    let commits: Vec<&Commit> = touching.clone().map(|(rank, _)| &walk.steps[*rank as usize].commit).collect();
    let people = check::identities(&commits);
    let touch = |((&(rank, (added, removed)), commit), person): ((_, &&Commit), usize)| {
        let at = audited.binary_search_by_key(&rank, |(rank, _)| *rank).ok();
        let changes = at.map(|at| &audited[at].1.changes[..]).unwrap_or_default();
        let count = |flips: bool| {
            let wanted = changes.iter().filter(|change| !flips || change.kind == Kind::Flip);
            wanted.map(|change| change.count).sum()
        };
        Touch {
            commit: commit.id.to_string(),
            person,
            author: author(commit),
            seconds: commit.committer.seconds,
            signed: commit.is_signed(),
            merges: commit.parents > 1,
            added,
            removed,
            relabelled: count(false),
            flipped: count(true),
        }
    };
    touching.zip(&commits).zip(people).map(touch).collect()
}

/// Name and address of an author.
pub(super) fn author(commit: &Commit) -> String {
    format!("{} <{}>", commit.author.name.to_str_lossy(), commit.author.mail.to_str_lossy())
}
