//! What a change brings over the point where it left its base.

use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::history::{Links, links};
use super::repository::Repository;
use super::{ObjectId, SourceError};

const FROM_BASE: u8 = 1;
const FROM_HEAD: u8 = 2;
/// Reachable from a common ancestor that is already known, so no best one itself.
const STALE: u8 = 4;

/// The common ancestors of two commits.
#[derive(Debug)]
pub(super) struct MergeBases {
    /// The best ones: none is an ancestor of another. Newest first.
    pub(super) best: Vec<ObjectId>,
    /// Whether history ended early on the way, as in a shallow clone.
    pub(super) cut: bool,
}

impl Repository {
    /// The commit at which `head` left `base`.
    ///
    /// # Errors
    /// Where there is none or more than one, since an answer would judge the wrong change.
    pub(super) fn merge_base(&self, base: ObjectId, head: ObjectId) -> Result<ObjectId, SourceError> {
        let bases = self.merge_bases(base, head);
        let (base, head) = (base.to_hex_with_len(12), head.to_hex_with_len(12));
        match (bases.best.as_slice(), bases.cut) {
            ([one], _) => Ok(*one),
            ([], true) => Err(SourceError::new(format!(
                "the history of this clone ends before the point where {head} left {base}"
            ))
            .with_help("Fetch more of it (git fetch --unshallow), or check out with fetch-depth: 0.")),
            ([], false) => Err(SourceError::new(format!("{base} and {head} have no common history"))
                .with_help("Judge the whole of the new history instead of a range.")),
            (several, _) => Err(SourceError::new(format!(
                "{head} left {base} at {} different points, since each was merged into the other",
                several.len()
            ))
            .with_help("Merge the base into the change once more, so that one point remains.")),
        }
    }

    /// All best common ancestors, by the links of the commits themselves: dates only decide in which order to look.
    pub(super) fn merge_bases(&self, base: ObjectId, head: ObjectId) -> MergeBases {
        self.with(|git| {
            let mut walk = Walk { git, buffer: Vec::new(), known: FxHashMap::default(), cut: false };
            let mut queue = Queue::default();
            for (id, flag) in [(base, FROM_BASE), (head, FROM_HEAD)] {
                queue.add(id, flag, &mut walk);
            }
            let mut candidates = Vec::new();
            while let Some((id, mut flags)) = queue.next() {
                if flags == FROM_BASE | FROM_HEAD {
                    candidates.push(id);
                    flags |= STALE;
                }
                for parent in walk.parents(id) {
                    queue.add(parent, flags, &mut walk);
                }
            }
            candidates.sort();
            candidates.dedup();
            candidates.retain(|id| queue.marks[id].0 & STALE == 0);
            let mut best = walk.without_ancestors(candidates);
            best.sort_by_key(|id| (std::cmp::Reverse(walk.seconds(*id)), *id));
            MergeBases { best, cut: walk.cut }
        })
    }
}

/// Commits to look at, newest first.
#[derive(Default)]
struct Queue {
    heap: BinaryHeap<(i64, ObjectId)>,
    /// What is known of each commit, and whether it stands in the heap.
    marks: FxHashMap<ObjectId, (u8, bool)>,
    /// How many in the heap are not stale. Once none is, nothing new can be found.
    open: usize,
}

impl Queue {
    fn add(&mut self, id: ObjectId, flags: u8, walk: &mut Walk<'_>) {
        let (seen, waits) = self.marks.entry(id).or_default();
        if *seen | flags == *seen {
            return;
        }
        if *waits && *seen & STALE == 0 {
            self.open -= 1;
        }
        *seen |= flags;
        if *seen & STALE == 0 {
            self.open += 1;
        }
        if !*waits {
            *waits = true;
            self.heap.push((walk.seconds(id), id));
        }
    }

    fn next(&mut self) -> Option<(ObjectId, u8)> {
        if self.open == 0 {
            return None;
        }
        let (_, id) = self.heap.pop()?;
        let (flags, waits) = self.marks.get_mut(&id).expect("what is in the heap was marked when it was put there");
        *waits = false;
        if *flags & STALE == 0 {
            self.open -= 1;
        }
        Some((id, *flags))
    }
}

/// Reads each commit once.
struct Walk<'a> {
    git: &'a gix::Repository,
    buffer: Vec<u8>,
    known: FxHashMap<ObjectId, Option<Links>>,
    cut: bool,
}

impl Walk<'_> {
    fn links(&mut self, id: ObjectId) -> Option<&Links> {
        let Self { git, buffer, known, cut } = self;
        let links = known.entry(id).or_insert_with(|| links(git, &id, buffer).ok());
        *cut |= links.is_none();
        links.as_ref()
    }

    fn parents(&mut self, id: ObjectId) -> Vec<ObjectId> {
        self.links(id).map(|links| links.parents.clone()).unwrap_or_default()
    }

    fn seconds(&mut self, id: ObjectId) -> i64 {
        self.links(id).map_or(i64::MIN, |links| links.seconds)
    }

    /// Drops commits that another one of them descends from. Dates that lie can leave such ones among candidates.
    fn without_ancestors(&mut self, mut candidates: Vec<ObjectId>) -> Vec<ObjectId> {
        if candidates.len() < 2 {
            return candidates;
        }
        let mut seen = FxHashSet::default();
        let mut stack: Vec<ObjectId> = candidates.iter().flat_map(|id| self.parents(*id)).collect();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                stack.extend(self.parents(id));
            }
        }
        candidates.retain(|id| !seen.contains(id));
        candidates
    }
}
