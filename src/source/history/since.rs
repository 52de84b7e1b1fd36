//! The commits of a history since its policy asks for something, and the annotated tag that a name leads to.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice};
use gix::objs::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Graph, History, MAX_COMMITS, Reader, unread};
use crate::policy::signature::commit::Anchors;
use crate::source::object::{MAX_STRUCTURE, object};
use crate::source::tree::Trees;
use crate::source::{Mode, ObjectId, Repository};

/// Commits that a merge in progress brings. Git merges more than two heads at once, and nobody merges so many.
const MAX_HEADS: usize = 64;

impl Repository {
    /// The commits behind `tip` that touch data and that are not older than the question: the first commits in which
    /// `asks` holds for the file at `path` are found from below, and whatever all of them come after is left out. So
    /// neither a side branch from before, nor one that brings such a file of its own, is older.
    ///
    /// Those that can be reached from HEAD are judged by the days that they claim.
    pub(crate) fn since(
        &self,
        tip: ObjectId,
        path: &BStr,
        asks: &dyn Fn(&[u8]) -> bool,
        is_data: &dyn Fn(&BStr) -> bool,
        anchors: &Anchors,
    ) -> History {
        let mut history = History::default();
        let mailmap = self.mailmap(tip, &mut history.notes);
        let head = self.head().ok().flatten();
        self.with(|git| {
            let mut graph = Graph { git, commits: BTreeMap::new(), missing: Vec::new(), full: false };
            let all = graph.reach(Some(tip), &FxHashSet::default());
            for (child, id) in std::mem::take(&mut graph.missing) {
                history.unread.push(unread(child, &format!("parent {id} missing (shallow or partial clone)")));
            }
            if graph.full {
                history.unread.push(unread(tip, &format!("more than {MAX_COMMITS} commits")));
            }
            let order = graph.parents_first();
            let mut known: FxHashMap<ObjectId, bool> = FxHashMap::default();
            let mut trees = Trees::new(git);
            let mut asked_at = |tree: ObjectId| {
                let Ok(Some((Mode::File | Mode::Executable, id))) = trees.lookup(tree, path) else { return false };
                // What cannot be read is taken to ask.
                *known.entry(id).or_insert_with(|| self.blob(id, MAX_STRUCTURE).map_or(true, |text| asks(&text)))
            };
            // Commits at or behind which the question stood.
            let mut below: FxHashSet<ObjectId> = FxHashSet::default();
            let mut first = Vec::new();
            for id in &order {
                let links = &graph.commits[id];
                let late = links.parents.iter().any(|parent| below.contains(parent));
                if late || asked_at(links.tree) {
                    below.insert(*id);
                    first.extend((!late).then_some(*id));
                }
            }
            let mut older: Option<FxHashSet<ObjectId>> = None;
            for id in first {
                let behind = graph.reach(Some(id), &FxHashSet::default());
                older = Some(match older {
                    None => behind,
                    Some(older) => older.intersection(&behind).copied().collect(),
                });
            }
            let Some(older) = older else { return };
            let standing = graph.reach(head, &FxHashSet::default());
            let mut reader = Reader::new(git, &graph, &mailmap, is_data, Some(anchors));
            for id in order.iter().filter(|id| all.contains(*id) && !older.contains(*id)) {
                match reader.commit(*id, standing.contains(id)) {
                    Ok((commit, mut gaps)) => {
                        history.judged.push(commit);
                        history.unread.append(&mut gaps);
                    }
                    Err(absent) => history.unread.push(unread(*id, &absent.reason("commit"))),
                }
            }
        });
        history
    }

    /// The annotated tag of this name: its id and its bytes. `None` where there is none, or it only names a commit.
    pub(crate) fn tag_object(&self, name: &str) -> Option<(ObjectId, Vec<u8>)> {
        let name = name.strip_prefix("refs/tags/").unwrap_or(name);
        self.with(|git| {
            let reference = git.try_find_reference(&format!("refs/tags/{name}")).ok()??;
            let id = reference.target().try_id()?.to_owned();
            let mut buffer = Vec::new();
            object(git, &id, Kind::Tag, MAX_STRUCTURE, &mut buffer).ok()?;
            Some((id, buffer))
        })
    }

    /// The commits that a merge in progress brings, as git notes them until it is committed.
    pub(crate) fn merging(&self) -> Vec<ObjectId> {
        let text = crate::source::read_file(&self.git_dir.join("MERGE_HEAD"), 1 << 16);
        let heads = text.as_deref().unwrap_or_default().lines().filter_map(|line| ObjectId::from_hex(line.trim()).ok());
        heads.take(MAX_HEADS).collect()
    }
}
