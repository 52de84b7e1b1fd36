//! A history followed back from one commit, a commit at a time.

use bstr::{BStr, BString};

use super::{links, read_commit};
use crate::finding::Unread;
use crate::source::object::Absent;
use crate::source::paths::Filter;
use crate::source::repository::Repository;
use crate::source::tree::{self, Trees};
use crate::source::{Commit, Mode, ObjectId};

/// A commit, and where it leads.
#[derive(Debug)]
pub(crate) struct Ancestor {
    /// Who and when. It carries no paths.
    pub(crate) commit: Commit,
    /// Its tree.
    pub(crate) tree: ObjectId,
    /// Its parents, first parent first.
    pub(crate) parents: Vec<ObjectId>,
}

/// A file in two trees.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Changed {
    /// Its path.
    pub(crate) path: BString,
    /// What it held; `None` where there was no file.
    pub(crate) before: Option<ObjectId>,
    /// What it holds; `None` where there is none any more.
    pub(crate) after: Option<ObjectId>,
}

/// Reads a history backwards. Names and addresses are those of the `.mailmap` of the commit that it starts from.
#[derive(Debug)]
pub(crate) struct Back<'r> {
    repository: &'r Repository,
    mailmap: gix::mailmap::Snapshot,
}

impl Repository {
    /// Starts at a commit.
    pub(crate) fn back_from(&self, tip: ObjectId, notes: &mut Vec<String>) -> Back<'_> {
        Back { repository: self, mailmap: self.mailmap(tip, notes) }
    }
}

impl Back<'_> {
    /// Reads a commit.
    ///
    /// # Errors
    /// A short phrase that says why it cannot be read.
    pub(crate) fn commit(&self, id: ObjectId) -> Result<Ancestor, String> {
        self.repository
            .with(|git| {
                let mut buffer = Vec::new();
                let links = links(git, &id, &mut buffer)?;
                let commit = read_commit(git, id, &self.mailmap, &mut buffer)?;
                Ok(Ancestor { commit, tree: links.tree, parents: links.parents })
            })
            .map_err(|absent: Absent| absent.reason("commit"))
    }

    /// The regular file at a path of a tree.
    ///
    /// # Errors
    /// A short phrase, where a tree on the way is missing: that is not the same as no such file.
    pub(crate) fn file(&self, tree: ObjectId, path: &BStr) -> Result<Option<ObjectId>, String> {
        Ok(match self.repository.entry_at(tree, path)? {
            Some((Mode::File | Mode::Executable, id)) => Some(id),
            _ => None,
        })
    }

    /// The regular files that two trees do not share and that `is_wanted`, sorted by path, and what could not be compared.
    pub(crate) fn changed(
        &self,
        before: Option<ObjectId>,
        after: ObjectId,
        is_wanted: &dyn Fn(&BStr) -> bool,
    ) -> (Vec<Changed>, Vec<Unread>) {
        let mut changes = tree::Changes::default();
        self.repository.with(|git| {
            let trees = &mut Trees::new(git);
            tree::diff(trees, BString::default(), before, Some(after), &Filter::default(), &mut changes);
        });
        let file = |side: Option<(Mode, ObjectId)>| match side {
            Some((Mode::File | Mode::Executable, id)) => Some(id),
            _ => None,
        };
        let list = changes.list.into_iter().filter(|change| is_wanted(change.path.as_ref()));
        let mut list: Vec<Changed> = list
            .map(|change| Changed { before: file(change.before), after: file(change.after), path: change.path })
            .filter(|change| change.before != change.after)
            .collect();
        list.sort_unstable();
        (list, changes.unread)
    }
}
