//! The index: what is staged, against HEAD.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bstr::{BStr, BString, ByteVec};
use gix::index::entry::Flags;
use gix::index::extension::Tree;
use rustc_hash::FxHashMap;

use super::paths::Filter;
use super::tree::{self, Change, Changes, Item, Items, Trees, mode_of};
use super::{Mode, ObjectId, SourceError};

/// The index as it stands in its file.
pub(super) struct Index {
    file: gix::index::File,
}

/// An entry of the index that stands for itself: not in conflict, not merely intended.
pub(super) struct Staged<'a> {
    pub(super) path: &'a BStr,
    pub(super) mode: Mode,
    pub(super) id: ObjectId,
    /// Whether a person told git not to look at the file on disk.
    pub(super) hidden: bool,
    /// What the file on disk looked like when git last read it.
    pub(super) stat: gix::index::entry::Stat,
}

impl Index {
    /// Reads the index; a missing file is an empty index.
    pub(super) fn load(path: &Path, hash: gix::hash::Kind) -> Result<Self, SourceError> {
        // The checksum over the whole file costs more than all the rest and guards against accidents only.
        let skip_hash = true;
        let options = gix::index::decode::Options {
            thread_limit: Some(1),
            alloc_limit_bytes: Some(3 << 30),
            ..gix::index::decode::Options::default()
        };
        let damaged = |why: String| {
            SourceError::new(format!("the index at {} cannot be read: {why}", path.display()))
                .with_help("Let git write it anew: git reset, then git add what is to be committed.")
        };
        catch_unwind(AssertUnwindSafe(|| gix::index::File::at_or_default(path, hash, skip_hash, options)))
            .map_err(|_| damaged("it is damaged".to_owned()))?
            .map_err(|error| damaged(error.to_string()))
            .map(|file| Self { file })
    }

    /// Mode and id of a staged path.
    pub(super) fn find(&self, path: &BStr) -> Option<(Mode, ObjectId)> {
        let entry = self.file.entry_by_path(path)?;
        if entry.flags.contains(Flags::INTENT_TO_ADD) {
            return None;
        }
        Some((mode_of(entry.mode.bits())?, entry.id))
    }

    /// Whether a path, or something under it, is in the index in any form.
    pub(super) fn holds(&self, path: &BStr) -> bool {
        let entries = self.file.entries();
        let at = entries.partition_point(|entry| entry.path(&self.file) < path);
        if entries.get(at).is_some_and(|entry| entry.path(&self.file) == path) {
            return true;
        }
        let mut folder = path.to_owned();
        folder.push_byte(b'/');
        self.holds_under(folder.as_ref())
    }

    /// Whether something lies under this folder, which is written with a `/` at its end.
    pub(super) fn holds_under(&self, folder: &BStr) -> bool {
        let entries = self.file.entries();
        let at = entries.partition_point(|entry| entry.path(&self.file) < folder);
        entries.get(at).is_some_and(|entry| entry.path(&self.file).starts_with(folder))
    }

    /// Whether exactly this path is tracked, in any form.
    pub(super) fn tracks(&self, path: &BStr) -> bool {
        let entries = self.file.entries();
        let at = entries.partition_point(|entry| entry.path(&self.file) < path);
        entries.get(at).is_some_and(|entry| entry.path(&self.file) == path)
    }

    /// Whether this path is tracked as a submodule.
    pub(super) fn is_submodule(&self, path: &BStr) -> bool {
        self.file.entry_by_path(path).is_some_and(|entry| entry.mode.is_submodule())
    }

    /// The entries that stand for themselves, in order. Folders of a sparse index are not among them.
    pub(super) fn entries(&self) -> impl Iterator<Item = Staged<'_>> {
        self.file.entries().iter().filter_map(|entry| {
            if entry.stage_raw() != 0 || entry.flags.contains(Flags::INTENT_TO_ADD) {
                return None;
            }
            Some(Staged {
                path: entry.path(&self.file),
                mode: mode_of(entry.mode.bits())?,
                id: entry.id,
                hidden: entry.flags.intersects(Flags::SKIP_WORKTREE | Flags::ASSUME_VALID),
                stat: entry.stat,
            })
        })
    }

    /// The folders of a sparse index: path with a `/` at its end, and tree.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&BStr, ObjectId)> {
        self.file.entries().iter().filter(|e| e.mode.is_sparse()).map(|e| (e.path(&self.file), e.id))
    }

    /// Whether a file with this state on disk still is what git put into the index.
    pub(super) fn is_fresh(&self, staged: &Staged<'_>, on_disk: &gix::index::fs::Metadata) -> bool {
        let options = gix::index::entry::stat::Options::default();
        gix::index::entry::Stat::from_fs(on_disk).is_ok_and(|stat| {
            staged.stat.matches(&stat, options) && !staged.stat.is_racy(self.file.timestamp(), options)
        })
    }

    /// Adds what is staged: paths whose entry differs from HEAD's tree.
    ///
    /// The index keeps the ids of the trees it would make. Where such an id equals HEAD's, everything under that folder
    /// is unchanged and is not looked at, so that the cost follows the change, not the repository.
    pub(super) fn against(&self, git: &gix::Repository, head: Option<ObjectId>, filter: &Filter, out: &mut Changes) {
        let mut trees = Trees::new(git);
        let end = self.file.entries().len();
        let mut stack = vec![Step { start: 0, end, prefix: BString::default(), node: self.file.tree(), head }];
        while let Some(step) = stack.pop() {
            let known = step.node.filter(|node| node.num_entries == u32::try_from(step.end - step.start).ok());
            if known.is_some_and(|node| Some(node.id) == step.head) || !filter.enters(step.prefix.as_ref()) {
                continue;
            }
            match step.head.map_or(Ok(Items::default()), |id| tree::items(git, &id)) {
                Ok(items) => self.step(&mut trees, &step, &items, filter, &mut stack, out),
                Err(absent) => out.unread(step.prefix.as_ref(), absent.reason("tree")),
            }
        }
    }

    /// Compares one folder.
    fn step<'a>(
        &'a self,
        trees: &mut Trees<'_>,
        step: &Step<'a>,
        items: &Items,
        filter: &Filter,
        stack: &mut Vec<Step<'a>>,
        out: &mut Changes,
    ) {
        let entries = self.file.entries();
        let children: FxHashMap<&[u8], &Tree> =
            step.node.iter().flat_map(|node| &node.children).map(|child| (child.name.as_slice(), child)).collect();
        let mut items = items.iter().peekable();
        let mut at = step.start;
        while at < step.end {
            let path = entries[at].path(&self.file);
            let rest = path.get(step.prefix.len()..).unwrap_or_default();
            let folder = memchr::memchr(b'/', rest);
            let name = folder.map_or(rest, |slash| &rest[..slash]);
            let is_folder = folder.is_some();
            while let Some(gone) = items.next_if(|item| item.order(name, is_folder).is_lt()) {
                removed(trees, step, gone, filter, out);
            }
            let head = items.next_if(|item| item.order(name, is_folder).is_eq());
            let first = at;
            let entry = &entries[first];
            if is_folder {
                let full = &path[..path.len() - rest.len() + name.len() + 1];
                at += entries[at..step.end].partition_point(|entry| entry.path(&self.file).starts_with(full)).max(1);
                let head = head.map(|item| item.id);
                if entry.mode.is_sparse() && path == full {
                    tree::diff(trees, full.into(), head, Some(entry.id), filter, out);
                } else {
                    let node = children.get(name).copied();
                    stack.push(Step { start: first, end: at, prefix: full.into(), node, head });
                }
                continue;
            }
            at += entries[at..step.end].partition_point(|entry| entry.path(&self.file) == path).max(1);
            let before = head.and_then(|item| Some((item.mode?, item.id)));
            let after = if entry.stage_raw() != 0 {
                if filter.takes(path) {
                    out.conflicts.push(path.to_owned());
                }
                continue;
            } else if entry.flags.contains(Flags::INTENT_TO_ADD) {
                None
            } else {
                mode_of(entry.mode.bits()).map(|mode| (mode, entry.id))
            };
            if before != after && filter.takes(path) {
                out.list.push(Change { path: path.to_owned(), before, after });
            }
        }
        for gone in items {
            removed(trees, step, gone, filter, out);
        }
    }
}

/// A folder that is still to be compared.
struct Step<'a> {
    start: usize,
    end: usize,
    prefix: BString,
    node: Option<&'a Tree>,
    head: Option<ObjectId>,
}

fn removed(trees: &mut Trees<'_>, step: &Step<'_>, item: Item<'_>, filter: &Filter, out: &mut Changes) {
    let mut path = step.prefix.clone();
    path.push_str(item.name);
    match item.mode {
        None => {
            path.push_byte(b'/');
            tree::diff(trees, path, Some(item.id), None, filter, out);
        }
        Some(mode) if filter.takes(path.as_ref()) => {
            out.list.push(Change { path, before: Some((mode, item.id)), after: None });
        }
        Some(_) => {}
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("entries", &self.file.entries().len()).finish()
    }
}
