//! Files on disk that git does not track: those that it would show, and those that it is told to ignore.

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteVec};
use gix::glob::pattern::Case;

use super::index::Index;
use super::paths::Filter;
use super::repository::Repository;
use super::{Content, Entry, Mode, SourceError, bytes_path, path_bytes, plain};
use crate::finding::Unread;

/// Folders inside one another.
const MAX_DEPTH: usize = 512;
/// Bytes of a `.gitignore`.
const MAX_IGNORE_FILE: u64 = 100 << 20;

impl Repository {
    /// The untracked files that git ignores and that `wanted` takes: a policy may declare a dataset that git ignores.
    ///
    /// # Errors
    /// A damaged index.
    pub(crate) fn ignored(&self, wanted: &dyn Fn(&BStr) -> bool) -> Result<Vec<Entry>, SourceError> {
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

/// A walk over everything on disk that is not tracked.
pub(super) struct Walk<'a> {
    top: &'a Path,
    index: &'a Index,
    filter: &'a Filter,
    rules: gix::ignore::Search,
    case: Case,
    pub(super) untracked: Vec<BString>,
    /// Ignored files, and ignored folders as one path each.
    pub(super) ignored: Vec<BString>,
    /// Folders that are repositories of their own.
    pub(super) nested: Vec<BString>,
    pub(super) unread: Vec<Unread>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(repository: &Repository, top: &'a Path, index: &'a Index, filter: &'a Filter) -> Self {
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
    pub(super) fn run(&mut self) {
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
                path.push_str(path_bytes(Path::new(&name)));
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
pub(super) fn everything(top: &Path, path: BString) -> Vec<(BString, Mode)> {
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
                        inside.push_str(path_bytes(Path::new(&item.file_name())));
                        stack.push((inside, depth + 1));
                    }
                }
            }
        }
    }
    files
}
