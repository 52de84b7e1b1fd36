//! Files on disk: what is tracked, and what is neither tracked nor ignored.

use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::index::fs::Metadata;
use rustc_hash::FxHashMap;

use super::index::{Index, Staged};
use super::paths::Filter;
use super::repository::Repository;
use super::tree::{self, Changes, Trees};
use super::untracked::{Walk, everything};
use super::{Before, Bytes, Content, Entry, Mode, ObjectId, Snapshot, SourceError, bytes_path, plain, snapshot};
use crate::finding::Unread;

/// The bytes of a path in the work tree; `None` where there is no file. No link on the way is followed.
pub(super) fn read(top: &Path, path: &BStr, limit: u64) -> Result<Option<Bytes>, String> {
    let Some(meta) = Disk::new(top).look(path) else { return Ok(None) };
    if meta.is_dir() {
        return Ok(None);
    }
    if meta.is_symlink() {
        return Err(format!("{}, not a file", Mode::Link.name()));
    }
    plain::read(&top.join(bytes_path(path)), limit).map(Some)
}

impl Repository {
    /// Which of `paths` are regular files in the work tree. No link on the way is followed.
    pub(crate) fn files_on_disk<'p>(&self, paths: impl Iterator<Item = &'p BStr>) -> Vec<(BString, Content)> {
        let Some(top) = self.work_tree() else { return Vec::new() };
        let mut disk = Disk::new(top);
        paths
            .filter(|path| disk.look(path).is_some_and(|meta| meta.is_file()))
            .map(|path| (path.to_owned(), Content::File(top.join(bytes_path(path)))))
            .collect()
    }
}

/// Lists the work tree.
pub(super) fn list(repository: &Repository, filter: &Filter) -> Result<Snapshot, SourceError> {
    let Some(top) = repository.work_tree.as_deref() else {
        return Err(SourceError::new("a bare repository has no work tree")
            .with_help("Judge a revision or a range of it instead."));
    };
    let index = repository.index()?;
    let head = repository.head()?;
    let head_tree = head.map(|id| repository.tree_of(id)).transpose()?;
    let mut changes = Changes::default();
    repository.with(|git| index.against(git, head_tree, filter, &mut changes));
    let mut listing = Listing {
        top,
        index,
        filter,
        disk: Disk::new(top),
        earlier: changes.list.iter().map(|change| (change.path.clone(), change.before)).collect(),
        out: Snapshot { unread: std::mem::take(&mut changes.unread), before: head, ..Snapshot::default() },
    };
    for staged in index.entries().filter(|staged| filter.takes(staged.path)) {
        listing.tracked(&staged);
    }
    for (folder, tree) in index.folders() {
        let mut hidden = Changes::default();
        repository.with(|git| tree::diff(&mut Trees::new(git), folder.into(), None, Some(tree), filter, &mut hidden));
        for change in hidden.list {
            if let Some((mode, id)) = change.after {
                let before = listing.before(change.path.as_ref(), Some((mode, id)));
                listing.push(change.path, mode, Some(Content::Object(id)), before, false);
            }
        }
        listing.out.unread.append(&mut hidden.unread);
    }
    for path in changes.conflicts.iter() {
        let before =
            head_tree.and_then(|tree| repository.with(|git| tree::lookup(git, tree, path.as_ref()).ok().flatten()));
        listing.earlier.insert(path.clone(), before);
        listing.found(path.clone());
    }
    listing.untracked(repository)?;
    for change in &changes.list {
        if change.after.is_none() && listing.disk.look(change.path.as_ref()).is_none_or(|meta| meta.is_dir()) {
            let before = listing.before(change.path.as_ref(), None);
            let mode = change.before.map_or(Mode::File, |(mode, _)| mode);
            listing.push(change.path.clone(), mode, None, before, false);
        }
    }
    listing.named(repository)?;
    let mut out = listing.out;
    // One folder may have been named inside another.
    out.entries.sort_by(|a, b| a.path.cmp(&b.path));
    out.entries.dedup_by(|a, b| a.path == b.path);
    join_renames(&mut out, &changes);
    Ok(out)
}

/// A listing of the work tree in the making.
struct Listing<'a> {
    top: &'a Path,
    index: &'a Index,
    filter: &'a Filter,
    disk: Disk<'a>,
    /// What paths were in HEAD, as far as the index differs from it.
    earlier: FxHashMap<BString, Option<(Mode, ObjectId)>>,
    out: Snapshot,
}

impl Listing<'_> {
    /// What a path was in HEAD, given what it is in the index.
    fn before(&self, path: &BStr, staged: Option<(Mode, ObjectId)>) -> Option<Before> {
        let earlier = self.earlier.get(path).copied().unwrap_or(staged);
        earlier.map(|(mode, id)| Before { path: path.to_owned(), mode, id })
    }

    fn push(&mut self, path: BString, mode: Mode, content: Option<Content>, before: Option<Before>, unchanged: bool) {
        if content.is_none() && before.is_none() {
            return;
        }
        if mode == Mode::Other {
            self.out.unread.push(Unread { path: path.clone(), reason: "not a regular file".to_owned() });
        }
        self.out.entries.push(Entry { path, mode, content, before, unchanged });
    }

    fn tracked(&mut self, staged: &Staged<'_>) {
        let path = staged.path;
        let before = self.before(path, Some((staged.mode, staged.id)));
        if staged.mode == Mode::Submodule {
            return self.push(path.to_owned(), staged.mode, Some(Content::Object(staged.id)), before, false);
        }
        match self.disk.look(path).filter(|meta| !meta.is_dir()) {
            Some(meta) => {
                let mode = mode_of(&meta);
                let same = before.as_ref().is_some_and(|b| b.id == staged.id && b.mode == staged.mode);
                let unchanged = same && mode == staged.mode && self.index.is_fresh(staged, &meta);
                let content = Some(Content::File(self.top.join(bytes_path(path))));
                self.push(path.to_owned(), mode, content, before, unchanged);
            }
            // A sparse checkout leaves files out on purpose: what a commit would hold is in the index.
            None if staged.hidden => {
                self.push(path.to_owned(), staged.mode, Some(Content::Object(staged.id)), before, false);
            }
            None => {
                let mode = before.as_ref().map_or(staged.mode, |b| b.mode);
                self.push(path.to_owned(), mode, None, before, false);
            }
        }
    }

    /// A path that is on disk and stands in no usable entry of the index.
    fn found(&mut self, path: BString) {
        if !self.filter.takes(path.as_ref()) {
            return;
        }
        if let Some(meta) = self.disk.look(path.as_ref()).filter(|meta| !meta.is_dir()) {
            let before = self.before(path.as_ref(), None);
            let content = Some(Content::File(self.top.join(bytes_path(path.as_ref()))));
            self.push(path, mode_of(&meta), content, before, false);
        }
    }

    fn untracked(&mut self, repository: &Repository) -> Result<(), SourceError> {
        let mut walk = Walk::new(repository, self.top, self.index, self.filter);
        walk.run();
        for path in walk.untracked {
            self.found(path);
        }
        self.out.ignored = walk.ignored.len() as u64;
        self.out.unread.append(&mut walk.unread);
        walk.nested.sort();
        for path in walk.nested {
            self.out.notes.push(format!("{path} is a repository of its own and was not entered"));
        }
        Ok(())
    }

    /// Paths that a person named are judged even where git ignores them; one that names nothing is an error.
    fn named(&mut self, repository: &Repository) -> Result<(), SourceError> {
        let filter = self.filter;
        for name in filter.without(self.out.entries.iter().map(|entry| &entry.path)) {
            for (path, _) in everything(self.top, name.to_owned()) {
                if !self.index.tracks(path.as_ref()) {
                    self.found(path);
                }
            }
        }
        let top = self.top;
        let exists = |path: &BStr| Ok(self.index.holds(path) || top.join(bytes_path(path)).symlink_metadata().is_ok());
        repository.must_exist(filter, &self.out, exists)
    }
}

/// Tells a staged rename from a removal and an addition.
fn join_renames(out: &mut Snapshot, changes: &Changes) {
    let at: FxHashMap<BString, usize> = out.entries.iter().enumerate().map(|(at, e)| (e.path.clone(), at)).collect();
    let mut joined = Vec::new();
    for (from, to) in snapshot::renames(&changes.list) {
        let (from, to) = (&changes.list[from], &changes.list[to]);
        let gone = at.get(&from.path).filter(|at| out.entries[**at].content.is_none());
        let new = at.get(&to.path).filter(|at| out.entries[**at].before.is_none());
        if let (Some(gone), Some(new), Some((mode, id))) = (gone, new, from.before) {
            out.entries[*new].before = Some(Before { path: from.path.clone(), mode, id });
            joined.push(*gone);
        }
    }
    joined.sort_unstable();
    let mut number = 0;
    out.entries.retain(|_| {
        number += 1;
        joined.binary_search(&(number - 1)).is_err()
    });
}

fn mode_of(meta: &Metadata) -> Mode {
    if meta.is_symlink() {
        Mode::Link
    } else if !meta.is_file() {
        Mode::Other
    } else if meta.is_executable() {
        Mode::Executable
    } else {
        Mode::File
    }
}

/// Looks at paths without ever passing through a link.
struct Disk<'a> {
    top: &'a Path,
    folders: FxHashMap<BString, bool>,
}

impl<'a> Disk<'a> {
    fn new(top: &'a Path) -> Self {
        Self { top, folders: FxHashMap::default() }
    }

    /// The state of a path; `None` where there is nothing, or a folder above it is a link.
    fn look(&mut self, path: &BStr) -> Option<Metadata> {
        if let Some(slash) = path.rfind_byte(b'/')
            && !self.is_folder(path[..slash].as_bstr())
        {
            return None;
        }
        Metadata::from_path_no_follow(&self.top.join(bytes_path(path))).ok()
    }

    fn is_folder(&mut self, folder: &BStr) -> bool {
        if let Some(known) = self.folders.get(folder) {
            return *known;
        }
        // From the top down, so that nothing is looked at behind a link.
        let ends = memchr::memchr_iter(b'/', folder).chain([folder.len()]);
        for end in ends.collect::<Vec<_>>() {
            let part = folder[..end].as_bstr();
            let is_folder = match self.folders.get(part) {
                Some(known) => *known,
                None => {
                    let path = self.top.join(bytes_path(part));
                    let is_folder = Metadata::from_path_no_follow(&path).is_ok_and(|meta| meta.is_dir());
                    self.folders.insert(part.to_owned(), is_folder);
                    is_folder
                }
            };
            if !is_folder {
                self.folders.insert(folder.to_owned(), false);
                return false;
            }
        }
        true
    }
}
