//! What is in scope: the five scopes, each listed by its own means, all told in the same words.

use std::collections::VecDeque;
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice};
use rustc_hash::{FxHashMap, FxHashSet};

use super::paths::Filter;
use super::repository::Repository;
use super::tree::{self, Change, Changes, Trees};
use super::{Before, Content, Entry, Mode, ObjectId, Scope, Snapshot, SourceError, plain, worktree};

impl Repository {
    /// Lists what is in scope, restricted to `paths` and what is under them unless there are none. They are literal, and
    /// relative to the folder that the repository was found from.
    ///
    /// # Errors
    /// A revision or a path that names nothing, a range without one merge base, a damaged index or HEAD.
    pub(crate) fn snapshot(&self, scope: &Scope, paths: &[PathBuf]) -> Result<Snapshot, SourceError> {
        if let Scope::Files(files) = scope {
            return plain::list(files);
        }
        let filter = self.filter(paths)?;
        let mut snapshot = match scope {
            Scope::Files(_) => unreachable!("answered above"),
            Scope::Worktree => worktree::list(self, &filter)?,
            // Everything would be gone, as far as an index says that is not there.
            Scope::Staged | Scope::Index if self.work_tree.is_none() && !self.index_file.exists() => {
                return Err(SourceError::new("nothing can be staged in a bare repository")
                    .with_help("Judge a revision or a range of it instead."));
            }
            Scope::Staged => {
                let head = self.head()?;
                let tree = head.map(|id| self.tree_of(id)).transpose()?;
                let index = self.index()?;
                let mut changes = Changes::default();
                self.with(|git| index.against(git, tree, &filter, &mut changes));
                let mut snapshot = from_changes(changes);
                snapshot.before = head;
                self.must_exist(&filter, &snapshot, |path| {
                    Ok(index.holds(path) || tree.map_or(Ok(false), |tree| self.exists_in(tree, path))?)
                })?;
                snapshot
            }
            Scope::Index => {
                // The index against nothing: every entry is new.
                let index = self.index()?;
                let mut changes = Changes::default();
                self.with(|git| index.against(git, None, &filter, &mut changes));
                let snapshot = from_changes(changes);
                self.must_exist(&filter, &snapshot, |path| Ok(index.holds(path)))?;
                snapshot
            }
            Scope::Range { base, head } => {
                let (base, head) = (self.resolve(base)?, self.resolve(head)?);
                let from = self.merge_base(base, head)?;
                let (old, new) = (self.tree_of(from)?, self.tree_of(head)?);
                let mut changes = Changes::default();
                self.with(|git| {
                    tree::diff(&mut Trees::new(git), BString::default(), Some(old), Some(new), &filter, &mut changes)
                });
                let mut snapshot = from_changes(changes);
                (snapshot.before, snapshot.after) = (Some(from), Some(head));
                self.must_exist(&filter, &snapshot, |path| {
                    Ok(self.exists_in(new, path)? || self.exists_in(old, path)?)
                })?;
                snapshot
            }
            Scope::Revision(revision) => {
                let commit = self.resolve(revision)?;
                let tree = self.tree_of(commit)?;
                let mut changes = Changes::default();
                self.with(|git| {
                    tree::diff(&mut Trees::new(git), BString::default(), None, Some(tree), &filter, &mut changes)
                });
                let mut snapshot = from_changes(changes);
                snapshot.after = Some(commit);
                self.must_exist(&filter, &snapshot, |path| self.exists_in(tree, path))?;
                snapshot
            }
        };
        snapshot.entries.sort_by(|a, b| a.path.cmp(&b.path));
        snapshot.unread.sort();
        snapshot.unread.dedup();
        Ok(snapshot)
    }

    /// The named paths in the repository's own words.
    fn filter(&self, paths: &[PathBuf]) -> Result<Filter, SourceError> {
        let relative = |path: &PathBuf| {
            self.relative(path).ok_or_else(|| {
                let top = self.work_tree.as_deref().unwrap_or(&self.git_dir);
                SourceError::new(format!("{} lies outside the repository at {}", path.display(), top.display()))
                    .with_help("Run foretaste on it from outside of any repository, or leave it out.")
            })
        };
        Ok(Filter::new(paths.iter().map(relative).collect::<Result<_, _>>()?))
    }

    /// Refuses a named path that neither has anything in scope nor `exists` on any side: a misspelt path must not pass.
    pub(super) fn must_exist(
        &self,
        filter: &Filter,
        snapshot: &Snapshot,
        exists: impl Fn(&BStr) -> Result<bool, SourceError>,
    ) -> Result<(), SourceError> {
        let unread = snapshot.unread.iter().map(|unread| &unread.path);
        let entries = snapshot.entries.iter().flat_map(|entry| {
            [Some(&entry.path), entry.before.as_ref().map(|before| &before.path)].into_iter().flatten()
        });
        for name in filter.without(entries.chain(unread)) {
            if !exists(name)? {
                return Err(SourceError::new(format!("{name} names nothing here"))
                    .with_help("Check the path; patterns are not expanded."));
            }
        }
        Ok(())
    }

    /// Whether a tree has a file or folder of this name.
    fn exists_in(&self, tree: ObjectId, path: &BStr) -> Result<bool, SourceError> {
        self.with(|git| tree::exists(git, tree, path)).map_err(|absent| {
            SourceError::new(format!(
                "{path}: {}; fetch it (git fetch --unshallow, or without a filter)",
                absent.reason("tree")
            ))
        })
    }
}

/// Entries for changes, with renames told from removals and additions.
fn from_changes(changes: Changes) -> Snapshot {
    let Changes { list, unread, conflicts } = changes;
    let mut snapshot = Snapshot { unread, ..Snapshot::default() };
    snapshot.unread.extend(conflicts.into_iter().map(|path| crate::finding::Unread {
        path,
        reason: "in conflict: more than one version is staged".to_owned(),
    }));
    let renames = renames(&list);
    let gone: FxHashSet<usize> = renames.iter().map(|(from, _)| *from).collect();
    let came: FxHashMap<usize, usize> = renames.iter().map(|(from, to)| (*to, *from)).collect();
    for (number, change) in list.iter().enumerate() {
        if gone.contains(&number) {
            continue;
        }
        let origin = came.get(&number).map_or(change, |from| &list[*from]);
        let before = origin.before.map(|(mode, id)| Before { path: origin.path.clone(), mode, id });
        let Some(mode) = change.after.or(change.before).map(|(mode, _)| mode) else { continue };
        snapshot.entries.push(Entry {
            path: change.path.clone(),
            mode,
            content: change.after.map(|(_, id)| Content::Object(id)),
            before,
            unchanged: false,
        });
    }
    snapshot
}

/// Pairs of numbers of a removal and an addition with the same content: what git calls an exact rename. Among several
/// removals the one with the same file name is taken, then the first by path.
pub(super) fn renames(changes: &[Change]) -> Vec<(usize, usize)> {
    // A file stays a file when it becomes executable; a link is another thing, even with the same bytes.
    let key = |side: Option<(Mode, ObjectId)>| match side {
        Some((Mode::Submodule | Mode::Other, _)) | None => None,
        Some((_, id)) if id.is_empty_blob() => None,
        Some((mode, id)) => Some((id, mode == Mode::Link)),
    };
    let mut by_path: Vec<usize> = (0..changes.len()).collect();
    by_path.sort_by(|a, b| changes[*a].path.cmp(&changes[*b].path));
    let mut removed: FxHashMap<_, VecDeque<usize>> = FxHashMap::default();
    let mut named: FxHashMap<_, VecDeque<usize>> = FxHashMap::default();
    for number in by_path.iter().copied() {
        let change = &changes[number];
        if let (Some(key), None) = (key(change.before), change.after) {
            removed.entry(key).or_default().push_back(number);
            named.entry((key, file_name(&change.path))).or_default().push_back(number);
        }
    }
    let mut taken = vec![false; changes.len()];
    let mut pairs = Vec::new();
    for same_name in [true, false] {
        for to in by_path.iter().copied() {
            let change = &changes[to];
            let (None, Some(key), false) = (change.before, key(change.after), taken[to]) else { continue };
            let candidates =
                if same_name { named.get_mut(&(key, file_name(&change.path))) } else { removed.get_mut(&key) };
            let Some(candidates) = candidates else { continue };
            while let Some(from) = candidates.pop_front() {
                if !taken[from] {
                    (taken[from], taken[to]) = (true, true);
                    pairs.push((from, to));
                    break;
                }
            }
        }
    }
    pairs
}

fn file_name(path: &BString) -> &[u8] {
    path.rfind_byte(b'/').map_or(path.as_slice(), |slash| &path[slash + 1..])
}
