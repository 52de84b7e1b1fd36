//! Where bytes come from: the work tree, the index, a range of commits, one revision, plain files.
//!
//! This is the only module that talks to git (through gix, isolated: no program of the repository's configuration is
//! ever started, no network is touched) and the only one with unsafe code, in `source/bytes.rs`.

mod attributes;
mod bytes;
mod cache;
mod delta;
mod history;
pub(crate) mod hub;
mod index;
mod large;
mod lfs;
mod object;
mod paths;
mod plain;
mod range;
mod repository;
mod snapshot;
mod tree;
mod trust;
mod untracked;
mod worktree;

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice, ByteVec};

use crate::finding::Unread;
use crate::policy::signature::commit::Verdict;
use crate::span::BlobId;

pub(crate) use attributes::{Attributes, above};
pub use bytes::{Bytes, install_guard};
pub(crate) use bytes::{read_file, read_link};
pub(crate) use cache::Cache;
pub(crate) use history::{Ancestor, Back, Changed, Edge, History, Step, Tag, Walk};
pub(crate) use lfs::{LfsError, MAX_POINTER, Pointer, annex_key, dvc_outputs, elsewhere, pointer};
pub use repository::Environment;
pub(crate) use repository::Repository;
pub(crate) use trust::Trusted;

/// SHA-1, as git computes it: for names that a standard derives by it, and for nothing that must withstand anybody.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(bytes);
    // Bytes that are made to collide have no name.
    let id = hasher.try_finalize().ok();
    id.and_then(|id| id.as_bytes().try_into().ok()).unwrap_or_default()
}

/// Why something cannot be judged at all, and the way out (exit 2).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl SourceError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Both in one.
    pub(crate) fn in_full(&self) -> String {
        match &self.help {
            Some(help) => format!("{}. {help}", self.message),
            None => self.message.clone(),
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Where a run reads: a repository, or plain files alone.
#[derive(Debug, Default)]
pub(crate) struct Source {
    repository: Option<Repository>,
}

impl Source {
    /// The repository that `dir` lies in, or plain files where there is none.
    ///
    /// # Errors
    /// See [`Repository::discover`].
    pub(crate) fn discover(dir: &Path, env: &Environment) -> Result<Self, SourceError> {
        Ok(Self { repository: Repository::discover(dir, env)? })
    }

    /// Plain files, whatever repository they lie in.
    pub(crate) fn plain() -> Self {
        Self::default()
    }

    /// The repository.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        self.repository.as_ref()
    }

    /// Lists what is in scope; see [`Repository::snapshot`].
    ///
    /// # Errors
    /// Any scope but plain files, where there is no repository; otherwise as the repository says.
    pub(crate) fn snapshot(&self, scope: &Scope, paths: &[PathBuf]) -> Result<Snapshot, SourceError> {
        match (&self.repository, scope) {
            (_, Scope::Files(files)) => plain::list(files),
            (Some(repository), _) => repository.snapshot(scope, paths),
            (None, _) => Err(SourceError::new("this folder is in no git repository")
                .with_help("Name the files to check, or run foretaste inside a repository.")),
        }
    }

    /// The bytes of an entry, at most `limit`; see [`Repository::read`].
    ///
    /// # Errors
    /// A short phrase that says why not.
    pub(crate) fn read(&self, content: &Content, limit: u64) -> Result<Bytes, String> {
        match (&self.repository, content) {
            (Some(repository), _) => repository.read(content, limit),
            (None, Content::File(path)) => plain::read(path, limit),
            (None, Content::Object(_)) => Err("object missing: there is no repository".to_owned()),
        }
    }

    /// The file that a pointer of git LFS stands for; see [`Repository::resolve_lfs`].
    ///
    /// # Errors
    /// It is missing, another file, or unreadable.
    pub(crate) fn resolve_lfs(&self, pointer: &Pointer, limit: u64) -> Result<Bytes, LfsError> {
        self.repository.as_ref().map_or(Err(LfsError::Missing), |repository| repository.resolve_lfs(pointer, limit))
    }
}

/// What is to be judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Tracked files as they are on disk, and untracked ones that are not ignored.
    Worktree,
    /// The index against HEAD.
    Staged,
    /// The whole index: what a hook judges where nothing is staged, since "0 files" must never pass for "clean".
    Index,
    /// What `head` brings over its merge base with `base`.
    Range {
        /// Where the change wants to go.
        base: String,
        /// The change.
        head: String,
    },
    /// All files of one revision.
    Revision(String),
    /// Plain files and folders outside any repository.
    Files(Vec<PathBuf>),
}

/// A git object id, as lower-case hexadecimal digits.
pub(crate) type ObjectId = gix::ObjectId;

/// What is in scope.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The entries, sorted by path bytewise.
    pub entries: Vec<Entry>,
    /// What could not even be listed.
    pub unread: Vec<Unread>,
    /// Untracked files that git ignores; an ignored folder counts once.
    pub ignored: u64,
    /// What a reader should know of the listing, one sentence each.
    pub notes: Vec<String>,
    /// The commit before the change: HEAD for what is staged, the merge base for a range.
    pub before: Option<ObjectId>,
    /// The commit or tree that is judged, where there is one.
    pub after: Option<ObjectId>,
}

/// A path in scope.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Path in the repository, `/` between its parts, in any bytes.
    pub path: BString,
    /// What kind of entry it is.
    pub mode: Mode,
    /// Where its bytes are; `None` for a path that the change removed.
    pub content: Option<Content>,
    /// What it was before the change; `None` where it is new, or nothing is compared.
    pub before: Option<Before>,
    /// Whether the file is known to be what HEAD has, without having been read. Where it is false, it may still be.
    pub unchanged: bool,
}

/// An earlier version of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    /// Its path then; another one after a rename.
    pub path: BString,
    /// Its mode then.
    pub mode: Mode,
    /// Its bytes then.
    pub id: ObjectId,
}

/// The kinds of entries of a git tree.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(crate) enum Mode {
    /// A regular file.
    File,
    /// An executable file.
    Executable,
    /// A symbolic link; its blob is the target.
    Link,
    /// A submodule.
    Submodule,
    /// FIFO, socket, device: only ever in a work tree.
    Other,
}

/// Where the bytes of an entry are.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In the object database.
    Object(ObjectId),
    /// On disk.
    File(PathBuf),
}

/// All entries in scope, as checks see them.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    /// The entries with the number each has as a blob.
    pub list: &'a [(BlobId, &'a Entry)],
    /// The branch that is judged, as it is called, where there is one.
    pub branch: Option<&'a BStr>,
}

/// Who changed data, in the judged commits and before them.
#[derive(Debug, Default)]
pub(crate) struct People<'a> {
    /// Commits that are judged, parents first.
    pub judged: &'a [Commit],
    /// Commits before them that touch data, parents first: the repository's own base rates.
    pub earlier: &'a [Commit],
    /// The entries in scope, sorted by path.
    pub files: &'a [(BlobId, &'a Entry)],
}

/// A commit, as far as rules about people need it.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Number of its parents.
    pub parents: usize,
    /// The ids of its parents, first parent first.
    pub before: Vec<ObjectId>,
    /// Whether its message says that somebody else read it (`Reviewed-by`, `Approved-by`, `Acked-by`).
    pub reviewed: bool,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// Whether it carries a signature (present, not verified).
    pub signed: bool,
    /// What the keys of the policy make of its signature, where they were asked.
    pub verdict: Option<Verdict>,
    /// First line of its message.
    pub subject: String,
    /// Data paths that it changes against its parent; of a merge, those that differ from every parent.
    pub paths: Vec<BString>,
}

/// A claim of identity: names and times in commits can be forged.
#[derive(Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Person {
    /// Name, after the trusted mailmap.
    pub name: BString,
    /// Mail address, after the trusted mailmap.
    pub mail: BString,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl Commit {
    /// Whether it is signed: by a key of the policy where that lists any, else at all.
    pub(crate) fn is_signed(&self) -> bool {
        self.verdict.as_ref().map_or(self.signed, Result::is_ok)
    }
}

impl Entry {
    /// The path for a glob or a comparison.
    pub(crate) fn path(&self) -> &BStr {
        self.path.as_ref()
    }
}

impl Mode {
    /// What it is, in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::File => "a file",
            Mode::Executable => "an executable file",
            Mode::Link => "a symbolic link",
            Mode::Submodule => "a submodule",
            Mode::Other => "a device, socket or pipe",
        }
    }
}

/// A path of the disk in git's bytes.
fn path_bytes(path: &Path) -> BString {
    let bytes = Vec::from_path_lossy(path).into_owned();
    if std::path::MAIN_SEPARATOR == '/' { bytes.into() } else { bytes.replace(b"\\", b"/").into() }
}

/// A path of git as one of the disk.
fn bytes_path(path: &BStr) -> PathBuf {
    path.to_path_lossy().into_owned()
}

#[cfg(test)]
mod tests;
