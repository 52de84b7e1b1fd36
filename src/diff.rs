//! Two versions of the data: which records changed, and what the change means.
//!
//! Each version of a blob is read once into an [`Index`], about twelve bytes a record. [`compare`] walks the ladder of
//! identity over all files of a change at once, so that records that move between files or splits cost nothing, and then
//! tells from the classes of the whole data set what each change of a label is: [`Kind`]. [`fresh`] tells which lines
//! a change brought, so that only those are judged.

mod again;
mod align;
mod common;
mod compare;
mod flips;
mod fresh;
mod hash;
mod index;
mod keyer;
mod kind;
mod near;
pub(crate) mod next;
mod normal;
mod pick;
mod rewritten;
mod rows;
mod runs;
#[cfg(test)]
pub(crate) mod trial;

use std::sync::Arc;

use bstr::{BStr, BString};
use serde::Serialize;

pub(crate) use again::Again;
#[cfg(test)]
pub(crate) use again::Never;
pub(crate) use common::{Common, Shared};
pub(crate) use compare::{How, Likeness, Traced, compare, trace};
pub(crate) use flips::short;
pub(crate) use fresh::fresh;
pub(crate) use hash::{hash, mix};
pub(crate) use index::frozen;
pub(crate) use index::{Index, Label, Tally};
pub(crate) use kind::Kind;
pub(crate) use normal::is_invisible;

use crate::finding::Mark;
use crate::lens::{Lens, class_of};
use crate::source::Commit;
use crate::span::{At, BlobId, Place};

/// One data file in the two versions of a change.
#[derive(Debug)]
pub(crate) struct Side {
    blob: BlobId,
    path: BString,
    set: String,
    before: Option<Arc<Index>>,
    after: Option<Arc<Index>>,
}

impl Side {
    /// The file `blob` at `path`, seen through `lens`, with the records it had and those it has: `None` where it was not
    /// there, or is not any more.
    pub(crate) fn new(
        blob: BlobId,
        path: BString,
        lens: &Lens,
        before: Option<Arc<Index>>,
        after: Option<Arc<Index>>,
    ) -> Self {
        let set = set_of(lens, path.as_ref());
        Self::shared(blob, path, set, before, after)
    }

    /// Like [`Side::new`], of the data set `set`, with indexes that other comparisons use too.
    pub(crate) fn shared(
        blob: BlobId,
        path: BString,
        set: String,
        before: Option<Arc<Index>>,
        after: Option<Arc<Index>>,
    ) -> Self {
        Self { blob, path, set, before, after }
    }

    /// Its number.
    pub(crate) fn blob(&self) -> BlobId {
        self.blob
    }

    /// Its path.
    pub(crate) fn path(&self) -> &BStr {
        self.path.as_ref()
    }

    /// Whether the file was there before.
    pub(crate) fn had_rows(&self) -> bool {
        self.before.is_some()
    }

    /// Where a row of the version after lies.
    pub(crate) fn place(&self, row: u32) -> Place {
        let name = Place { blob: self.blob, at: At::Name };
        self.after.as_ref().map_or(name, |index| index.place(row as usize, self.blob))
    }

    /// Number of a row of the version after in its file, from 1.
    pub(crate) fn number(&self, row: u32) -> Option<u64> {
        self.after.as_ref().map(|index| index.number(row as usize))
    }

    fn index(&self, version: Version) -> Option<&Index> {
        match version {
            Version::Before => self.before.as_deref(),
            Version::After => self.after.as_deref(),
        }
    }
}

/// The rows of a file, each known by the hash of its content and its label. Shared, so that no check has to read the
/// records again to know which are the same: those who need it keep it.
#[derive(Debug)]
pub(crate) struct Indexed<'a> {
    /// The file.
    pub(crate) blob: BlobId,
    /// Its path.
    pub(crate) path: &'a BStr,
    /// What the policy says of it.
    pub(crate) lens: &'a Lens,
    /// Its rows.
    pub(crate) index: &'a Arc<Index>,
}

/// One of the two versions of a change.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(crate) enum Version {
    /// What was there.
    Before,
    /// What is to be judged.
    After,
}

/// The name of the data set that a file belongs to: the declared one, else its topmost folder, with a `/` at its end.
pub(crate) fn set_of(lens: &Lens, path: &BStr) -> String {
    match &lens.dataset {
        Some(name) => name.to_string(),
        // Folders that are classes lie beside each other in one data set.
        None if class_of(path).is_some_and(|class| class.of_folder) && memchr::memchr_iter(b'/', path).count() == 1 => {
            "./".to_owned()
        }
        None => match memchr::memchr(b'/', path) {
            Some(at) => String::from_utf8_lossy(&path[..=at]).into_owned(),
            None => "./".to_owned(),
        },
    }
}

/// One commit of a history, as rules about labels and people see it. Chapters come in the order of parents and children.
#[derive(Debug)]
pub(crate) struct Chapter<'a> {
    /// Who, when, and which data.
    pub(crate) commit: &'a Commit,
    /// Whether it is audited, and not only known.
    pub(crate) judged: bool,
    /// What it did to the data against its only parent; `None` where nothing was compared, and for merges.
    pub(crate) changes: Option<&'a Changes<'a>>,
    /// Records of a merge with a label that they have in none of its parents.
    pub(crate) evil: &'a [Evil],
}

/// A record of a merge with a label that none of the parents gives it, whatever they call their classes.
#[derive(Clone, Debug)]
pub(crate) struct Evil {
    /// The data set.
    pub(crate) set: String,
    /// The class in the first parent that has the record; `None` without a label.
    pub(crate) from: Option<String>,
    /// The class in the merge.
    pub(crate) to: Option<String>,
    /// Where it is in the merge.
    pub(crate) mark: Mark,
    /// Its file there.
    pub(crate) path: BString,
}

/// The changes between two versions of all data in scope.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    /// What changed in each data set, for the report and for rules.
    pub(crate) summary: Summary,
    /// The true flips, by data set and class they went to.
    pub(crate) flips: Vec<Flips<'a>>,
    /// Files with changes of labels of other kinds.
    pub(crate) relabelled: Vec<Relabelled>,
    /// The files that were compared.
    pub(crate) files: Vec<(&'a BStr, BlobId)>,
    /// Every record whose label changed.
    pub(crate) edits: Vec<Edit>,
    names: Vec<String>,
}

impl Changes<'_> {
    /// The class that a label of an edit stands for; `None` where there is none.
    pub(crate) fn class(&self, label: u32) -> Option<&str> {
        (label > compare::NULL).then(|| self.names.get(label as usize).map(String::as_str)).flatten()
    }
}

/// A record whose label changed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct Edit {
    /// Index into [`Summary::sets`].
    pub(crate) set: u32,
    /// What the change is.
    pub(crate) kind: Kind,
    /// The label it had; see [`Changes::class`].
    pub(crate) from: u32,
    /// The label it has.
    pub(crate) to: u32,
    /// How the two versions were found to be one.
    pub(crate) how: How,
    /// The file it is in, as an index into [`Changes::files`].
    pub(crate) side: u32,
    /// Its row there, from 0.
    pub(crate) row: u32,
    /// The key of its content ([`Index::key`]).
    pub(crate) key: u64,
}

/// True flips towards one class of one data set: both classes live on, and records went from the one to the other.
#[derive(Debug)]
pub(crate) struct Flips<'a> {
    /// Index into [`Summary::sets`].
    pub(crate) set: usize,
    /// The class they went to.
    pub(crate) to: String,
    /// Records that carried it before, in the data set.
    pub(crate) to_size: u64,
    /// Whether these are preference pairs whose answers were swapped, and no classes.
    pub(crate) pairs: bool,
    /// The classes they came from, most flips first.
    pub(crate) from: Vec<FlippedFrom>,
    /// Records that flipped back, from this class to one of those.
    pub(crate) reverse: u64,
    /// The files, with the number of flips in each, in the order of their paths.
    pub(crate) paths: Vec<(&'a BStr, u64)>,
    /// The first flipped records of each file, in the order of paths and rows.
    pub(crate) marks: Vec<Mark>,
    /// What the flipped records have in common.
    pub(crate) common: Common,
}

/// Flips from one class.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FlippedFrom {
    /// The class.
    pub(crate) class: String,
    /// Records that carried it before, in the data set.
    pub(crate) size: u64,
    /// Records that flipped.
    pub(crate) count: u64,
}

/// A file with changes of labels that are no flips.
#[derive(Debug)]
pub(crate) struct Relabelled {
    /// Index into [`Summary::sets`].
    pub(crate) set: usize,
    /// Its number.
    pub(crate) blob: BlobId,
    /// What the changes are.
    pub(crate) kind: Kind,
    /// How many.
    pub(crate) count: u64,
}

/// What changed in the data, in numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The data sets that changed, by name.
    pub(crate) sets: Vec<SetSummary>,
}

/// What changed in one data set, in numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct SetSummary {
    /// The declared name, or a folder.
    pub(crate) name: String,
    /// Records that are new.
    pub(crate) added: u64,
    /// Records that are gone.
    pub(crate) removed: u64,
    /// Records that are there in both versions and differ, in content or in label.
    pub(crate) changed: u64,
    /// Records that went to another file as they were.
    pub(crate) moved: u64,
    /// Texts with several records whose labels changed in a way that cannot be told apart (`conflict`).
    pub(crate) conflicts: u64,
    /// Changes of labels, by kind, most frequent first.
    pub(crate) transitions: Vec<Transition>,
    /// Classes, and what changed in each.
    pub(crate) classes: Vec<ClassSummary>,
    /// `dataset` where the classes are counted over the whole data set, `changed-files` where only over what changed.
    pub(crate) scope: &'static str,
    /// Files whose records were replaced as a whole; no label changes are told of them.
    pub(crate) replaced: Vec<String>,
    /// Files that changed while none of their records did.
    pub(crate) format_only: Vec<String>,
    /// Records that were not looked at for near-duplicates, since there were too many.
    pub(crate) not_matched: u64,
    /// Records that are written in another way and are the same, in files with flips; 0 where that was not looked at.
    #[serde(skip)]
    pub(crate) rewritten: u64,
    /// Records of classes that no changed file has, where they are known.
    #[serde(skip)]
    pub(crate) elsewhere: u64,
}

impl SetSummary {
    /// Records that the change touches in any way.
    pub(crate) fn touched(&self) -> u64 {
        self.added + self.removed + self.changed + self.moved + self.rewritten
    }
}

/// Records of one class that became another.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Transition {
    /// The class before; `None` where there was no label.
    pub(crate) from: Option<String>,
    /// The class now; `None` where there is none.
    pub(crate) to: Option<String>,
    /// What the change is.
    pub(crate) kind: Kind,
    /// Records whose text stands once on both sides, or that have an identifier: exact.
    pub(crate) count: u64,
    /// Records whose text stands there several times, all relabelled alike.
    pub(crate) copies: u64,
    /// Records whose text changed a little along with the label.
    pub(crate) near: u64,
}

impl Transition {
    /// All records.
    pub(crate) fn all(&self) -> u64 {
        self.count + self.copies + self.near
    }
}

/// One class of a data set.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct ClassSummary {
    /// Its name; `None` for records without a label.
    pub(crate) name: Option<String>,
    /// Records that carried it.
    pub(crate) before: u64,
    /// Records that carry it.
    pub(crate) after: u64,
    /// Records of it that are gone.
    pub(crate) removed: u64,
    /// Records of it that are new.
    pub(crate) added: u64,
}
