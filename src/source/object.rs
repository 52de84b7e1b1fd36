//! Objects of the object database, and the bytes of entries wherever they are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bstr::{BStr, BString};
use gix::objs::Kind;
use gix::prelude::Find;

use super::large::LARGE;
use super::repository::Repository;
use super::tree::Trees;
use super::{Bytes, Content, Mode, ObjectId, Scope, SourceError, path_bytes, plain, tree, worktree};

/// Bytes of a commit, a tag or a tree.
pub(super) const MAX_STRUCTURE: u64 = 256 << 20;

/// Why an object of the repository cannot be had.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Absent {
    /// It is not in the object database: a partial or damaged clone.
    Missing,
    /// It is of another kind than its user says.
    OtherKind,
    /// It has more bytes than this.
    TooLarge(u64),
    /// It cannot be unpacked.
    Broken,
}

impl Absent {
    /// The reason as a short phrase, for `what` it is.
    pub(super) fn reason(&self, what: &str) -> String {
        match self {
            Absent::Missing => format!("{what} missing (partial clone)"),
            Absent::OtherKind => format!("{what} is of another kind"),
            Absent::TooLarge(limit) => format!("larger than the limit of {limit} bytes"),
            Absent::Broken => format!("{what} damaged"),
        }
    }
}

/// Reads an object into `buffer`, if it is of this kind and not larger than `limit`.
pub(super) fn object<'a>(
    git: &gix::Repository,
    id: &gix::oid,
    kind: Kind,
    limit: u64,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Absent> {
    if kind == Kind::Tree && id.is_empty_tree() {
        buffer.clear();
        return Ok(buffer);
    }
    size(git, id, kind, limit)?;
    find(git, id, kind, buffer)?;
    Ok(buffer)
}

/// Reads an object into `buffer`, whatever its size.
fn find(git: &gix::Repository, id: &gix::oid, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), Absent> {
    // Hostile packs must not take the run with them, whatever assertion they break.
    let read = catch_unwind(AssertUnwindSafe(|| match git.objects.try_find(id, buffer) {
        Ok(Some(data)) if data.kind == kind => Ok(()),
        Ok(Some(_)) => Err(Absent::OtherKind),
        Ok(None) => Err(Absent::Missing),
        Err(_) => Err(Absent::Broken),
    }));
    read.unwrap_or(Err(Absent::Broken))
}

/// The size of an object, if it is of this kind and not larger than `limit`.
fn size(git: &gix::Repository, id: &gix::oid, kind: Kind, limit: u64) -> Result<u64, Absent> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let header = match git.try_find_header(id) {
            Ok(Some(header)) => header,
            Ok(None) => return Err(Absent::Missing),
            Err(_) => return Err(Absent::Broken),
        };
        if header.kind() != kind {
            return Err(Absent::OtherKind);
        }
        if header.size() > limit {
            return Err(Absent::TooLarge(limit));
        }
        Ok(header.size())
    }));
    read.unwrap_or(Err(Absent::Broken))
}

impl Repository {
    /// The bytes of an entry, at most `limit`.
    ///
    /// # Errors
    /// A short phrase that says why not, fit for [`crate::finding::Unread::reason`].
    pub(crate) fn read(&self, content: &Content, limit: u64) -> Result<Bytes, String> {
        match content {
            Content::Object(id) => self.blob(*id, limit),
            Content::File(path) => plain::read(path, limit),
        }
    }

    /// The bytes of a blob, at most `limit`. Its size is asked for before anything is unpacked.
    ///
    /// # Errors
    /// A short phrase that says why not.
    pub(crate) fn blob(&self, id: ObjectId, limit: u64) -> Result<Bytes, String> {
        let absent = |absent: Absent| absent.reason("object");
        let size = self.with(|git| size(git, &id, Kind::Blob, limit)).map_err(absent)?;
        if size >= LARGE
            && let Some(bytes) = self.large(id, size).map_err(absent)?
        {
            return Ok(Bytes::from(bytes));
        }
        let mut bytes = Vec::new();
        self.with(|git| find(git, &id, Kind::Blob, &mut bytes)).map_err(absent)?;
        Ok(Bytes::from(bytes))
    }

    /// Bytes of an object, from its header alone; `None` where it is missing.
    pub(crate) fn size(&self, id: ObjectId) -> Option<u64> {
        self.with(|git| git.find_header(id).ok().map(|header| header.size()))
    }

    /// Names of the files in the top folder of the judged side of `scope`, sorted.
    ///
    /// # Errors
    /// A revision that names nothing, or a damaged index.
    pub(crate) fn names_at_top(&self, scope: &Scope) -> Result<Vec<BString>, SourceError> {
        let mut names: Vec<BString> = match scope {
            Scope::Staged | Scope::Index => {
                let index = self.index()?;
                let at_top = index.entries().filter(|staged| !staged.path.contains(&b'/'));
                at_top.map(|staged| staged.path.to_owned()).collect()
            }
            Scope::Range { head: revision, .. } | Scope::Revision(revision) => {
                let tree = self.tree_of(self.resolve(revision)?)?;
                self.with(|git| tree::items(git, &tree).map(|items| items.names())).map_err(|absent| {
                    SourceError::new(format!(
                        "{}; fetch it (git fetch --unshallow, or without a filter)",
                        absent.reason("tree")
                    ))
                })?
            }
            Scope::Worktree | Scope::Files(_) => {
                let folder = self.work_tree.as_deref().and_then(|top| std::fs::read_dir(top).ok());
                folder.into_iter().flatten().flatten().map(|entry| path_bytes(entry.file_name().as_ref())).collect()
            }
        };
        names.sort();
        Ok(names)
    }

    /// Mode and id of `path` in a commit or tree; `None` where there is no file of that name.
    ///
    /// # Errors
    /// A short phrase, where a tree on the way is missing: that is not the same as no such file.
    pub(crate) fn entry_at(&self, revision: ObjectId, path: &BStr) -> Result<Option<(Mode, ObjectId)>, String> {
        self.with(|git| {
            let root = tree::of_commit(git, revision).map_err(|absent| absent.reason("commit"))?;
            tree::lookup(git, root, path).map_err(|absent| absent.reason("tree"))
        })
    }

    /// Which of `paths` are regular files in a commit or tree, with their ids. Each folder on the way is opened once.
    ///
    /// # Errors
    /// A short phrase, where a tree on the way is missing.
    pub(crate) fn files_at<'p>(
        &self,
        revision: ObjectId,
        paths: impl Iterator<Item = &'p BStr>,
    ) -> Result<Vec<(BString, ObjectId)>, String> {
        self.with(|git| {
            let root = tree::of_commit(git, revision).map_err(|absent| absent.reason("commit"))?;
            let mut trees = Trees::new(git);
            let mut files = Vec::new();
            for path in paths {
                if let Some((Mode::File | Mode::Executable, id)) =
                    trees.lookup(root, path).map_err(|absent| absent.reason("tree"))?
                {
                    files.push((path.to_owned(), id));
                }
            }
            Ok(files)
        })
    }

    /// The id of a staged regular file.
    ///
    /// # Errors
    /// A damaged index.
    pub(crate) fn staged_file(&self, path: &BStr) -> Result<Option<ObjectId>, SourceError> {
        let entry = self.index()?.find(path);
        Ok(entry.and_then(|(mode, id)| matches!(mode, Mode::File | Mode::Executable).then_some(id)))
    }

    /// The bytes of `path` in a commit or tree; `None` where there is no file of that name. A link is not followed.
    ///
    /// # Errors
    /// A short phrase that says why an existing file cannot be read.
    pub(crate) fn read_at(&self, revision: ObjectId, path: &BStr, limit: u64) -> Result<Option<Bytes>, String> {
        match self.entry_at(revision, path)? {
            None => Ok(None),
            Some((Mode::File | Mode::Executable, id)) => self.blob(id, limit).map(Some),
            Some((mode, _)) => Err(format!("{}, not a file", mode.name())),
        }
    }

    /// The bytes of `path` on the judged side of `scope`; `None` where there is no file of that name.
    ///
    /// # Errors
    /// A short phrase that says why an existing file cannot be read.
    pub(crate) fn read_judged(&self, scope: &Scope, path: &BStr, limit: u64) -> Result<Option<Bytes>, String> {
        match scope {
            Scope::Staged | Scope::Index => match self.index().map_err(|error| error.message)?.find(path) {
                None => Ok(None),
                Some((Mode::File | Mode::Executable, id)) => self.blob(id, limit).map(Some),
                Some((mode, _)) => Err(format!("{}, not a file", mode.name())),
            },
            Scope::Range { head: revision, .. } | Scope::Revision(revision) => {
                let commit = self.resolve(revision).map_err(|error| error.message)?;
                self.read_at(commit, path, limit)
            }
            Scope::Worktree | Scope::Files(_) => match self.work_tree() {
                Some(top) => worktree::read(top, path, limit),
                None => Ok(None),
            },
        }
    }
}
