//! The commits of a history since its policy asks for something, and the annotated tag that a name leads to.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Graph, History, MAX_COMMITS, Reader, unread};
use crate::policy::signature::commit::Anchors;
use crate::source::object::{MAX_STRUCTURE, object};
use crate::source::tree::Trees;
use crate::source::{Mode, ObjectId, Repository};

/// Commits that a merge in progress brings. Git merges more than two heads at once, and nobody merges so many.
const MAX_HEADS: usize = 64;
/// First commits of a question. Beside the one that brought the policy there are those that were cherry-picked before.
const MAX_FIRST: usize = 64;
/// Tags that lead to tags.
const MAX_DEPTH: usize = 16;
/// Tags of one repository.
const MAX_TAGS: usize = 100_000;

/// An annotated tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    /// Its name, without `refs/tags/`.
    pub(crate) name: BString,
    pub(crate) id: ObjectId,
    pub(crate) bytes: Vec<u8>,
    /// Whether the question stands in what it names.
    pub(crate) asked: bool,
}

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
            if first.len() > MAX_FIRST {
                let count = first.len();
                history.notes.push(format!(
                    "{count} commits ask for signatures and none comes after another: all commits are judged, however old"
                ));
                older = Some(FxHashSet::default());
                first.clear();
            }
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

    /// The annotated tag of this name; `None` where there is none, or it only names a commit.
    pub(crate) fn tag(&self, name: &str) -> Option<Tag> {
        let name = name.strip_prefix("refs/tags/").unwrap_or(name);
        self.with(|git| {
            let reference = git.try_find_reference(&format!("refs/tags/{name}")).ok()??;
            let id = reference.target().try_id()?.to_owned();
            Some(Tag { name: name.into(), id, bytes: tag_bytes(git, &id)?, asked: true })
        })
    }

    /// All annotated tags, by their names. What is asked of one is what `asks` finds at `path` in what it names.
    pub(crate) fn tags(&self, path: &BStr, asks: &dyn Fn(&[u8]) -> bool) -> Vec<Tag> {
        let mut named: Vec<(BString, ObjectId)> = self.with(|git| {
            let references = git.references().ok();
            let tags = references.as_ref().and_then(|references| references.prefixed(b"refs/tags/".as_bstr()).ok());
            let id = |reference: gix::Reference<'_>| {
                let name = reference.name().as_bstr().strip_prefix(b"refs/tags/").map(BString::from);
                name.zip(reference.target().try_id().map(ToOwned::to_owned))
            };
            tags.into_iter().flatten().filter_map(Result::ok).filter_map(id).take(MAX_TAGS).collect()
        });
        named.sort();
        let tag = |(name, id): (BString, ObjectId)| {
            let bytes = self.with(|git| tag_bytes(git, &id))?;
            let target = self.with(|git| {
                let mut target = of_tag(&bytes);
                for _ in 0..MAX_DEPTH {
                    let Some(inner) = target.and_then(|id| tag_bytes(git, &id)) else { break };
                    target = of_tag(&inner);
                }
                target
            });
            let policy = target.and_then(|target| self.read_at(target, path, MAX_STRUCTURE).ok().flatten());
            Some(Tag { name, id, bytes, asked: policy.is_some_and(|policy| asks(&policy)) })
        };
        named.into_iter().filter_map(tag).collect()
    }

    /// The commits that a merge in progress brings, as git notes them until it is committed.
    pub(crate) fn merging(&self) -> Vec<ObjectId> {
        let text = crate::source::read_file(&self.git_dir.join("MERGE_HEAD"), 1 << 16);
        let heads = text.as_deref().unwrap_or_default().lines().filter_map(|line| ObjectId::from_hex(line.trim()).ok());
        heads.take(MAX_HEADS).collect()
    }
}

fn tag_bytes(git: &gix::Repository, id: &gix::oid) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    object(git, id, Kind::Tag, MAX_STRUCTURE, &mut buffer).ok()?;
    Some(buffer)
}

/// What a tag names.
fn of_tag(bytes: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(bytes.lines().next()?.strip_prefix(b"object ")?).ok()
}
