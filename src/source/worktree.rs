//! Files on disk: what is tracked, and what is neither tracked nor ignored.

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice, ByteVec};
use gix::glob::pattern::Case;
use gix::index::fs::Metadata;
use rustc_hash::FxHashMap;

use super::index::{Index, Staged};
use super::paths::Filter;
use super::repository::Repository;
use super::tree::{self, Changes, Trees};
use super::{Before, Bytes, Content, Entry, Mode, ObjectId, Snapshot, SourceError, bytes_path, plain, snapshot};
use crate::finding::Unread;

/// Folders inside one another.
const MAX_DEPTH: usize = 512;
/// Bytes of a `.gitignore`.
const MAX_IGNORE_FILE: u64 = 100 << 20;

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

/// Ignored files that `wanted` asks for, for datasets that a policy declares although git ignores them.
impl Repository {
    /// The untracked files that git ignores and that `wanted` takes.
    ///
    /// # Errors
    /// A damaged index.
    pub fn ignored(&self, wanted: &dyn Fn(&BStr) -> bool) -> Result<Vec<Entry>, SourceError> {
        let Some(top) = self.work_tree.as_deref() else { return Ok(Vec::new()) };
        let filter = Filter::default();
        let mut walk = Walk::new(self, top, self.index()?, &filter);
        walk.run();
        let mut entries = Vec::new();
        for path in std::mem::take(&mut walk.ignored) {
            for (path, mode) in everything(top, path) {
                if wanted(path.as_ref()) && !walk.index.tracks(path.as_ref()) {
                    let content = Some(Content::File(top.join(bytes_path(path.as_ref()))));
                    entries.push(Entry { path, mode, content, before: None, unchanged: false });
                }
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }
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

/// A walk over everything on disk that is not tracked.
struct Walk<'a> {
    top: &'a Path,
    index: &'a Index,
    filter: &'a Filter,
    rules: gix::ignore::Search,
    case: Case,
    untracked: Vec<BString>,
    /// Ignored files, and ignored folders as one path each.
    ignored: Vec<BString>,
    nested: Vec<BString>,
    unread: Vec<Unread>,
}

impl<'a> Walk<'a> {
    fn new(repository: &Repository, top: &'a Path, index: &'a Index, filter: &'a Filter) -> Self {
        let mut rules = gix::ignore::Search::default();
        let exclude = repository.common_dir.join("info").join("exclude");
        if let Ok(bytes) = std::fs::read(&exclude) {
            // Without a root the patterns are relative to the top; this cannot fail.
            let _ = rules.add_patterns_buffer(&bytes, exclude, None, gix::ignore::search::Ignore::default());
        }
        let fold = repository.with(|git| git.config_snapshot().boolean("core.ignoreCase")) == Some(true);
        let case = if fold { Case::Fold } else { Case::Sensitive };
        let (untracked, ignored, nested, unread) = Default::default();
        Self { top, index, filter, rules, case, untracked, ignored, nested, unread }
    }

    /// Lists every folder once. `rules` holds the ignore files of the folders above the one at hand, outermost first.
    fn run(&mut self) {
        let mut stack = vec![(BString::default(), self.rules.patterns.len(), 0)];
        while let Some((folder, rules, depth)) = stack.pop() {
            self.rules.patterns.truncate(rules);
            if depth == MAX_DEPTH {
                self.unread(folder, format!("folders nested more than {MAX_DEPTH} deep"));
                continue;
            }
            let on_disk = self.top.join(bytes_path(folder.as_ref()));
            self.add_rules(&folder, &on_disk);
            let list = match std::fs::read_dir(&on_disk) {
                Ok(list) => list,
                Err(error) => {
                    self.unread(folder, plain::reason(&error));
                    continue;
                }
            };
            for item in list {
                let item = match item {
                    Ok(item) => item,
                    Err(error) => {
                        self.unread(folder.clone(), plain::reason(&error));
                        break;
                    }
                };
                let name = item.file_name();
                if name.eq_ignore_ascii_case(".git") {
                    continue;
                }
                let Ok(kind) = item.file_type() else { continue };
                let mut path = folder.clone();
                path.push_str(super::path_bytes(Path::new(&name)));
                // A folder may stand where a file is tracked: what is in it is untracked, unless it is a submodule's.
                let tracked = if kind.is_dir() {
                    self.index.is_submodule(path.as_ref())
                } else {
                    self.index.tracks(path.as_ref())
                };
                if tracked {
                    continue;
                }
                if !kind.is_dir() {
                    self.file(path);
                } else if self.folder(&path, &item.path()) {
                    path.push_byte(b'/');
                    stack.push((path, self.rules.patterns.len(), depth + 1));
                }
            }
        }
    }

    fn file(&mut self, path: BString) {
        if !self.filter.takes(path.as_ref()) {
            return;
        }
        if self.is_ignored(&path, false) {
            self.ignored.push(path);
        } else {
            self.untracked.push(path);
        }
    }

    /// Whether to go into a folder.
    fn folder(&mut self, path: &BString, on_disk: &Path) -> bool {
        let mut inside = path.clone();
        inside.push_byte(b'/');
        if !self.filter.enters(inside.as_ref()) {
            return false;
        }
        if self.is_ignored(path, true) {
            self.ignored.push(path.clone());
            return false;
        }
        if !self.index.holds_under(inside.as_ref()) && gix::discover::is_git(&on_disk.join(".git")).is_ok() {
            self.nested.push(path.clone());
            return false;
        }
        true
    }

    fn is_ignored(&self, path: &BString, is_folder: bool) -> bool {
        self.rules
            .pattern_matching_relative_path(path.as_ref(), Some(is_folder), self.case)
            .is_some_and(|found| !found.pattern.is_negative())
    }

    fn add_rules(&mut self, folder: &BString, on_disk: &Path) {
        let file = on_disk.join(".gitignore");
        // git does not follow a link here either.
        if !file.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_IGNORE_FILE) {
            return;
        }
        if let Ok(bytes) = std::fs::read(&file) {
            let source = bytes_path(folder.as_ref()).join(".gitignore");
            let parse = gix::ignore::search::Ignore::default();
            // Fails only for paths that cannot be git's; then nothing is ignored and more is read.
            let _ = self.rules.add_patterns_buffer(&bytes, source, Some(Path::new("")), parse);
        }
    }

    fn unread(&mut self, path: BString, reason: String) {
        self.unread.push(Unread { path, reason });
    }
}

/// A file, or all files under a folder, whatever rules say of them. Links are listed, not followed.
fn everything(top: &Path, path: BString) -> Vec<(BString, Mode)> {
    let mut files = Vec::new();
    let mut stack = vec![(path, 0)];
    while let Some((path, depth)) = stack.pop() {
        let on_disk: PathBuf = top.join(bytes_path(path.as_ref()));
        let Ok(meta) = on_disk.symlink_metadata() else { continue };
        match plain::mode_of(&meta) {
            Some(mode) => files.push((path, mode)),
            None if depth == MAX_DEPTH => {}
            None => {
                for item in std::fs::read_dir(&on_disk).into_iter().flatten().flatten() {
                    if item.file_name() != ".git" {
                        let mut inside = path.clone();
                        inside.push_byte(b'/');
                        inside.push_str(super::path_bytes(Path::new(&item.file_name())));
                        stack.push((inside, depth + 1));
                    }
                }
            }
        }
    }
    files
}
