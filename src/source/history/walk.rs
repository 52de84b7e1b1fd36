//! The whole history that an audit reads: commits in the order of parents and children, and what each of them changes
//! against every one of its parents. Trees are compared by id; no blob is opened here.

use bstr::{BStr, BString, ByteSlice};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Graph, MAX_COMMITS, read_commit, unread};
use crate::finding::Unread;
use crate::policy::signature::commit::Anchors;
use crate::source::paths::Filter;
use crate::source::repository::Repository;
use crate::source::tree::{self, Changes, Trees};
use crate::source::{Commit, Mode, ObjectId, SourceError};

/// Names that begin or end at one commit and that are kept: a repository may have one for every build.
const MAX_REFS: usize = 100_000;

/// A history.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The commits, parents first. The place of a commit here is its rank.
    pub(crate) steps: Vec<Step>,
    /// Paths of data, by the numbers that edges use.
    pub(crate) paths: Vec<BString>,
    /// Blobs of data, by the numbers that edges use.
    pub(crate) blobs: Vec<ObjectId>,
    /// What could not be read.
    pub(crate) unread: Vec<Unread>,
    /// What a reader should know, one sentence each.
    pub(crate) notes: Vec<String>,
    /// The names that were followed, each with the rank of its commit; `HEAD` first.
    pub(crate) refs: Vec<(BString, u32)>,
    path_numbers: FxHashMap<BString, Option<u32>>,
    blob_numbers: FxHashMap<ObjectId, u32>,
}

/// A commit and what it changes.
#[derive(Debug)]
pub(crate) struct Step {
    /// Who and when. Its paths are those of data; of a merge, those that differ from every parent.
    pub(crate) commit: Commit,
    /// Its tree.
    pub(crate) tree: ObjectId,
    /// Ranks of its parents, first parent first.
    pub(crate) parents: Vec<u32>,
    /// Whether it is to be audited, and not only to be known.
    pub(crate) judged: bool,
    /// Whether a parent of it is missing, so that nothing can be said of what it changes.
    pub(crate) is_cut: bool,
    /// What it changes against each parent; a first commit against nothing. For a merge that takes every file from one
    /// of its parents, only what it changes against the first.
    pub(crate) against: Vec<Vec<Edge>>,
}

/// A path of data in two commits.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Edge {
    /// Index into [`Walk::paths`].
    pub(crate) path: u32,
    /// Index into [`Walk::blobs`]; `None` where there was no file.
    pub(crate) before: Option<u32>,
    /// Index into [`Walk::blobs`]; `None` where there is none any more.
    pub(crate) after: Option<u32>,
}

impl Repository {
    /// Walks from HEAD, the tags, and the references whose full names match one of `globs` back to the first commits.
    /// What can be reached from `since` is known and not judged.
    ///
    /// Nothing is fetched: a commit, a tree or a name whose object is missing is told in [`Walk::unread`].
    ///
    /// # Errors
    /// No commit yet, a damaged HEAD, a glob that is none, or a revision that names nothing.
    pub(crate) fn walk(
        &self,
        since: Option<&str>,
        globs: &[String],
        is_data: &dyn Fn(&BStr) -> bool,
        anchors: Option<&Anchors>,
    ) -> Result<Walk, SourceError> {
        let head = self.head()?.ok_or_else(|| {
            SourceError::new("there is no commit yet").with_help("Use `foretaste check` for what is in the work tree.")
        })?;
        let since = since.map(|revision| self.resolve(revision)).transpose()?;
        let globs = set_of(globs)?;
        let mut walk = Walk::default();
        let mailmap = self.mailmap(head, &mut walk.notes);
        let mut tips = vec![(BString::from("HEAD"), head)];
        tips.extend(self.names(&globs, &mut walk));
        self.with(|git| {
            let mut graph = Graph { git, commits: Default::default(), missing: Vec::new(), full: false };
            let known = graph.reach(since, &FxHashSet::default());
            let judged = graph.reach(tips.iter().map(|(_, id)| *id), &known);
            for (child, id) in std::mem::take(&mut graph.missing) {
                walk.unread.push(unread(child, &format!("parent {id} missing (shallow or partial clone)")));
            }
            if graph.full {
                walk.unread.push(unread(head, &format!("more than {MAX_COMMITS} commits")));
            }
            let standing = anchors.map_or_else(FxHashSet::default, |_| graph.reach(Some(head), &FxHashSet::default()));
            let order = graph.parents_first();
            let ranks: FxHashMap<ObjectId, u32> = order.iter().zip(0..).map(|(id, rank)| (*id, rank)).collect();
            let mut trees = Trees::new(git);
            let mut buffer = Vec::new();
            for id in &order {
                let links = &graph.commits[id];
                let parents: Vec<u32> = links.parents.iter().filter_map(|id| ranks.get(id).copied()).collect();
                let is_cut = parents.len() < links.parents.len();
                let commit = match read_commit(git, *id, &mailmap, &mut buffer) {
                    Ok(commit) => commit,
                    Err(absent) => {
                        walk.unread.push(unread(*id, &absent.reason("commit")));
                        buffer.clear();
                        let (author, committer) = Default::default();
                        let (before, reviewed, signed, verdict, subject, paths) = Default::default();
                        Commit {
                            id: *id,
                            parents: parents.len(),
                            before,
                            reviewed,
                            author,
                            committer,
                            signed,
                            verdict,
                            subject,
                            paths,
                        }
                    }
                };
                let judged = judged.contains(id);
                let mut step = Step { commit, tree: links.tree, parents, judged, is_cut, against: Vec::new() };
                if !is_cut {
                    let before: Vec<Option<ObjectId>> = match &links.parents[..] {
                        [] => vec![None],
                        parents => parents.iter().map(|parent| Some(graph.commits[parent].tree)).collect(),
                    };
                    walk.compare(&mut step, &before, &mut trees, is_data);
                }
                if let Some(anchors) = anchors.filter(|_| !step.commit.paths.is_empty()) {
                    // What can be reached from HEAD is on the trusted side; nothing else is older than today.
                    let standing = standing.contains(id);
                    step.commit.verdict = Some(anchors.commit(&buffer, step.commit.committer.seconds, standing));
                }
                walk.steps.push(step);
            }
            let named = tips.into_iter().filter_map(|(name, id)| Some((name, *ranks.get(&id)?)));
            walk.refs = named.collect();
        });
        Ok(walk)
    }

    /// The commits behind the tags, and behind the references that are asked for.
    fn names(&self, globs: &GlobSet, walk: &mut Walk) -> Vec<(BString, ObjectId)> {
        let mut names = Vec::new();
        let listed = self.with(|git| {
            let references = git.references().ok()?;
            let all = references.all().ok()?;
            let named = |reference: gix::Reference<'_>| {
                let name = reference.name().as_bstr().to_owned();
                let wanted = name.starts_with(b"refs/tags/") || globs.is_match(name.to_str_lossy().as_ref());
                // A symbolic reference leads to another one that is listed itself.
                wanted.then(|| reference.target().try_id().map(|id| (name, id.to_owned()))).flatten()
            };
            Some(all.filter_map(Result::ok).filter_map(named).take(MAX_REFS).collect::<Vec<_>>())
        });
        let Some(mut list) = listed else {
            walk.unread.push(Unread { path: "refs".into(), reason: "the references cannot be listed".to_owned() });
            return names;
        };
        list.sort();
        for (name, id) in list {
            let label = name.to_string();
            match self.peel(id, &label) {
                // A tag may name a tree; it has no history.
                Ok(id) if self.with(|git| git.find_header(id).is_ok_and(|header| header.kind().is_commit())) => {
                    names.push((name, id));
                }
                Ok(_) => {}
                Err(error) => walk.unread.push(Unread { path: name, reason: error.message }),
            }
        }
        names
    }

    /// All data of a commit of the walk, as edges from nothing.
    pub(crate) fn data_of(&self, rank: u32, is_data: &dyn Fn(&BStr) -> bool, walk: &mut Walk) -> Vec<Edge> {
        let (id, tree) = (walk.steps[rank as usize].commit.id, walk.steps[rank as usize].tree);
        self.with(|git| walk.edges(None, tree, &mut Trees::new(git), is_data, id))
    }

    /// The data that differs between two trees of the walk. What cannot be read was told when it was walked.
    pub(crate) fn data_between(&self, before: ObjectId, after: ObjectId, walk: &Walk) -> Vec<Edge> {
        let mut changes = Changes::default();
        self.with(|git| {
            let trees = &mut Trees::new(git);
            tree::diff(trees, BString::default(), Some(before), Some(after), &Filter::default(), &mut changes);
        });
        let mut edges = Vec::new();
        for change in changes.list {
            let Some(Some(path)) = walk.path_numbers.get(&change.path).copied() else { continue };
            let side = |side: Option<(Mode, ObjectId)>| walk.blob_numbers.get(&side?.1).copied();
            edges.push(Edge { path, before: side(change.before), after: side(change.after) });
        }
        edges.sort_unstable();
        edges
    }
}

impl Walk {
    /// Fills in what a commit changes against each of its parents.
    fn compare(
        &mut self,
        step: &mut Step,
        before: &[Option<ObjectId>],
        trees: &mut Trees<'_>,
        is_data: &dyn Fn(&BStr) -> bool,
    ) {
        let (id, after) = (step.commit.id, step.tree);
        let mut own: Option<FxHashSet<u32>> = None;
        for tree in before {
            let edges = self.edges(*tree, after, trees, is_data, id);
            let paths: FxHashSet<u32> = edges.iter().map(|edge| edge.path).collect();
            step.against.push(edges);
            let both = match own {
                None => paths,
                Some(own) => own.intersection(&paths).copied().collect(),
            };
            let none = both.is_empty();
            own = Some(both);
            if none {
                step.against.truncate(1);
                break;
            }
        }
        let mut own: Vec<u32> = own.unwrap_or_default().into_iter().collect();
        own.sort_unstable();
        step.commit.paths = own.into_iter().map(|path| self.paths[path as usize].clone()).collect();
        step.commit.paths.sort();
    }

    fn edges(
        &mut self,
        before: Option<ObjectId>,
        after: ObjectId,
        trees: &mut Trees<'_>,
        is_data: &dyn Fn(&BStr) -> bool,
        commit: ObjectId,
    ) -> Vec<Edge> {
        let mut changes = Changes::default();
        tree::diff(trees, BString::default(), before, Some(after), &Filter::default(), &mut changes);
        for gap in changes.unread {
            let reason = format!("{}: {}", gap.path, gap.reason);
            self.unread.push(unread(commit, &reason));
        }
        let mut edges = Vec::new();
        for change in changes.list {
            let Some(path) = self.path(change.path, is_data) else { continue };
            let mut side = |side: Option<(Mode, ObjectId)>| match side {
                Some((Mode::File | Mode::Executable, id)) => Some(self.blob(id)),
                _ => None,
            };
            let edge = Edge { path, before: side(change.before), after: side(change.after) };
            // A file that only became executable has not changed.
            if edge.before != edge.after {
                edges.push(edge);
            }
        }
        edges.sort_unstable();
        edges
    }

    fn path(&mut self, path: BString, is_data: &dyn Fn(&BStr) -> bool) -> Option<u32> {
        if let Some(known) = self.path_numbers.get(&path) {
            return *known;
        }
        let number = is_data(path.as_ref()).then(|| {
            self.paths.push(path.clone());
            self.paths.len() as u32 - 1
        });
        self.path_numbers.insert(path, number);
        number
    }

    fn blob(&mut self, id: ObjectId) -> u32 {
        let next = self.blobs.len() as u32;
        *self.blob_numbers.entry(id).or_insert_with(|| {
            self.blobs.push(id);
            next
        })
    }

    /// The path with this number.
    pub(crate) fn path_of(&self, path: u32) -> &BStr {
        self.paths[path as usize].as_ref()
    }
}

fn set_of(globs: &[String]) -> Result<GlobSet, SourceError> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let glob = GlobBuilder::new(glob).build().map_err(|error| {
            SourceError::new(format!("{glob} is no pattern of references: {error}"))
                .with_help("Write full names, for example refs/heads/* or refs/remotes/origin/*.")
        })?;
        set.add(glob);
    }
    set.build().map_err(|error| {
        SourceError::new(format!("these patterns of references cannot be used: {error}; give fewer of them"))
    })
}
