//! Where bytes come from: the work tree, the index, a range of commits, one revision, plain files.
//!
//! This is the only module that talks to git (through gix, isolated: no program of the repository's configuration is
//! ever started, no network is touched) and the only one with unsafe code, in `source/bytes.rs`.

use std::path::PathBuf;

use bstr::{BStr, BString};

mod bytes;

pub use bytes::{Bytes, install_guard};
pub(crate) use bytes::{read_file, read_link};

use crate::finding::Unread;
use crate::span::BlobId;

/// What is to be judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Tracked files as they are on disk, and untracked ones that are not ignored.
    Worktree,
    /// The index against HEAD.
    Staged,
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
pub type ObjectId = gix::ObjectId;

/// What is in scope.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The entries, sorted by path bytewise.
    pub entries: Vec<Entry>,
    /// What could not even be listed.
    pub unread: Vec<Unread>,
    /// Untracked files that git ignores.
    pub ignored: u64,
    /// The commit before the change: HEAD for what is staged, the merge base for a range.
    pub before: Option<ObjectId>,
    /// The commit or tree that is judged, where there is one.
    pub after: Option<ObjectId>,
}

/// A path in scope.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path in the repository, `/` between its parts, in any bytes.
    pub path: BString,
    /// What kind of entry it is.
    pub mode: Mode,
    /// Where its bytes are; `None` for a path that the change removed.
    pub content: Option<Content>,
    /// What it was before the change; `None` where it is new, or nothing is compared.
    pub before: Option<Before>,
}

/// An earlier version of an entry.
#[derive(Clone, Debug)]
pub struct Before {
    /// Its path then; another one after a rename.
    pub path: BString,
    /// Its mode then.
    pub mode: Mode,
    /// Its bytes then.
    pub id: ObjectId,
}

/// The kinds of entries of a git tree.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Mode {
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
pub enum Content {
    /// In the object database.
    Object(ObjectId),
    /// On disk.
    File(PathBuf),
}

/// All entries in scope, as checks see them.
#[derive(Debug)]
pub struct Files<'a> {
    /// The entries with the number each has as a blob.
    pub list: &'a [(BlobId, &'a Entry)],
    /// The entries of the trusted lock, where there is one.
    pub before: Option<ObjectId>,
}

/// Who changed data, in the judged commits and before them.
#[derive(Debug, Default)]
pub struct People<'a> {
    /// Commits that are judged, parents first.
    pub judged: &'a [Commit],
    /// Commits before them that touch data, parents first: the repository's own base rates.
    pub earlier: &'a [Commit],
}

/// A commit, as far as rules about people need it.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Number of its parents.
    pub parents: usize,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// Whether it carries a signature (present, not verified).
    pub signed: bool,
    /// First line of its message.
    pub subject: String,
    /// Data paths that it changes against its first parent.
    pub paths: Vec<BString>,
}

/// A claim of identity: names and times in commits can be forged.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct Person {
    /// Name, after the trusted mailmap.
    pub name: BString,
    /// Mail address, after the trusted mailmap.
    pub mail: BString,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl Entry {
    /// The path for a glob or a comparison.
    pub fn path(&self) -> &BStr {
        self.path.as_ref()
    }
}
