//! Which commits set and changed the label of one record: its history followed back by the identity that the diff goes
//! by, through edits, moves between files and renames.

mod second;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use memchr::memchr_iter;
use rustc_hash::FxHashMap;

use super::audit::{feed, may_be_data, show};
use super::gather::Run;
use super::scan::{Quiet, Reader};
use super::{Checker, Error, Silent};
use crate::diff::{self, Index, Kind, Likeness, Side, Traced};
use crate::format::{self, Blob, Sink};
use crate::policy::{Limits, Origin, Policy};
use crate::source::{Ancestor, Back, Commit, ObjectId, Scope, Source, SourceError};
use crate::span::{At, BlobId, Span};
use second::Second;

/// Bytes of versions of files that are read on the way back.
const MOST_BYTES: u64 = 64 << 30;
/// Rows of versions that are kept while their neighbours in the history are compared with them.
const KEPT_ROWS: usize = 8 << 20;
/// Bytes of the record that are shown.
const MOST_TEXT: usize = 400;

/// What became of one record, from now back to where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Blame {
    /// The commit that was asked, as its id.
    pub(crate) tip: String,
    /// The file there.
    pub(crate) path: BString,
    /// The line that was asked for, from 1; of a columnar file, the number of the record.
    pub(crate) line: u64,
    /// The number of the record in the file, from 1.
    pub(crate) record: u64,
    /// Its label; `None` where it has none.
    pub(crate) label: Option<String>,
    /// The start of the record as it stands in the file; empty for columnar files.
    pub(crate) text: String,
    /// What happened to it, the newest first. The last one set the label, or says why nobody can look further back.
    pub(crate) deeds: Vec<Deed>,
    /// What a reader should know, one sentence each.
    pub(crate) notes: Vec<String>,
    /// The policy that says what data is, and which field is the label.
    pub(crate) policy: Origin,
}

/// What one commit did to the record.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// Who and when, as it claims; it carries no paths.
    pub(crate) commit: Commit,
    /// The file that the record is in, after the commit.
    pub(crate) path: BString,
    /// Its number there, from 1.
    pub(crate) record: u64,
    /// The line that it begins on, from 1; `None` for columnar files.
    pub(crate) line: Option<u64>,
    /// What was done to the label.
    pub(crate) what: What,
    /// The class before; `None` where there was no label, or no record.
    pub(crate) from: Option<String>,
    /// The class after; `None` where there is no label.
    pub(crate) to: Option<String>,
    /// Where the record came from, if that was another file.
    pub(crate) moved_from: Option<BString>,
    /// Whether its text was edited along the way.
    pub(crate) edited: bool,
}

/// What a commit did to the label of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// It brought the record, with this label.
    Set,
    /// It changed the label. What that means; `None` where labels are values and no classes.
    Changed {
        /// The kind of the change.
        kind: Option<Kind>,
        /// Whether the classes of the whole data set decided that, and not only those of the changed files.
        is_certain: bool,
    },
    /// It left the label as it was, and moved or edited the record.
    Kept,
    /// Several records with this text changed their labels in different ways, so that nobody can say which was this one.
    Unclear,
    /// It cannot be compared with the commit before it, and why: the record is older, or came with it.
    Lost(String),
}

impl Checker {
    /// Follows the record on `line` of `path` back through the history of `revision`, or of HEAD.
    ///
    /// # Errors
    /// Where there is no such revision, no such file, or no record on that line.
    pub(crate) fn blame(&self, dir: &Path, path: &Path, line: u64, revision: Option<&str>) -> Result<Blame, Error> {
        let source = Source::discover(dir, &self.environment)?;
        let revision = revision.unwrap_or("HEAD");
        let scope = Scope::Revision(revision.to_owned());
        let run = Run { checker: self, reader: Reader { source, memory: None }, scope, progress: &Silent };
        let Some(repository) = run.reader.repository() else {
            return Err(Error::NoRepository(dir.display().to_string()));
        };
        let tip = repository.resolve(revision)?;
        let Some(path) = repository.relative(path) else {
            return Err(SourceError::new(format!(
                "{} lies outside of the repository; name a file in it",
                path.display()
            ))
            .into());
        };
        let judgement = run.judgement(&run.snapshot()?)?;
        let policy = &judgement.policy;
        let mut notes = repository.notes();
        let back = repository.back_from(tip, &mut notes);
        let ancestor = back.commit(tip).map_err(SourceError::new)?;
        let file = back.file(ancestor.tree, path.as_ref()).map_err(SourceError::new)?;
        let Some(blob) = file else {
            return Err(SourceError::new(format!(
                "there is no file {path} in {revision}; check the path, or name a revision that has it"
            ))
            .into());
        };
        let follower =
            Follower { policy, reader: &run.reader, back, kept: RefCell::default(), left: RefCell::new(MOST_BYTES) };
        let found = follower.find(blob, path.as_ref(), line).map_err(SourceError::new)?;
        let index = follower.index(blob, path.as_ref()).map_err(SourceError::new)?;
        let mut blame = Blame {
            tip: tip.to_string(),
            path: path.clone(),
            line,
            record: index.number(found.row),
            label: index.classes().title(index.label(found.row)).map(std::borrow::Cow::into_owned),
            text: found.text,
            deeds: Vec::new(),
            notes,
            policy: policy.origin.clone(),
        };
        follower.follow(ancestor, Stand { path, blob, row: found.row }, &mut blame);
        Ok(blame)
    }
}

/// Where the record is in a commit.
struct Stand {
    path: BString,
    blob: ObjectId,
    row: usize,
}

/// A record that was asked for.
struct Found {
    row: usize,
    text: String,
}

/// Follows one record.
struct Follower<'a> {
    policy: &'a Policy,
    reader: &'a Reader,
    back: Back<'a>,
    /// Versions of files that were read: neighbours in the history share them.
    kept: RefCell<FxHashMap<(ObjectId, BString), Arc<Index>>>,
    /// Bytes that may still be read.
    left: RefCell<u64>,
}

impl Follower<'_> {
    /// The record on a line of a file.
    fn find(&self, blob: ObjectId, path: &BStr, line: u64) -> Result<Found, String> {
        let index = self.index(blob, path)?;
        let no_record = || format!("line {line} of {path} holds no record");
        let columnar = index.len() > 0 && matches!(index.place(0, BlobId(0)).at, At::Cell { .. });
        if columnar {
            let row = (0..index.len()).find(|&row| index.number(row) == line).ok_or_else(no_record)?;
            return Ok(Found { row, text: String::new() });
        }
        self.with_text(blob, |bytes, decoded| {
            let text: &[u8] = &decoded.bytes;
            let start = match line {
                0 => None,
                1 => Some(0),
                nth => memchr_iter(b'\n', text).nth(nth as usize - 2).map(|at| at + 1),
            };
            let start =
                start.filter(|&start| start < text.len()).ok_or_else(|| format!("{path} has no line {line}"))?;
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
            let wanted = decoded.offsets.raw(text, Span::new(start as u64, end as u64));
            let on_line = |row: &usize| match index.place(*row, BlobId(0)).at {
                At::Bytes(span) => index.key(*row).is_some() && span.overlaps(wanted),
                _ => false,
            };
            let row = (0..index.len()).find(on_line).ok_or_else(no_record)?;
            let At::Bytes(span) = index.place(row, BlobId(0)).at else { return Err(no_record()) };
            let shown = span.of(bytes);
            let shown = &shown[..shown.len().min(MOST_TEXT)];
            Ok(Found { row, text: shown.to_str_lossy().into_owned() })
        })?
    }

    /// Shows the bytes of a blob, and what they come to without encoding and compression.
    fn with_text<T>(&self, blob: ObjectId, look: impl FnOnce(&[u8], &format::Decoded<'_>) -> T) -> Result<T, String> {
        let bytes = self.bytes(blob)?;
        let decoded = format::decode(&bytes, &self.policy.limits)?;
        Ok(look(&bytes, &decoded))
    }

    fn bytes(&self, blob: ObjectId) -> Result<crate::source::Bytes, String> {
        let repository = self.reader.repository().ok_or("there is no repository")?;
        let limit = self.policy.limits.blob;
        let bytes = repository.version(blob, limit)?;
        let mut left = self.left.borrow_mut();
        *left = left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| format!("more than {MOST_BYTES} bytes of versions were read"))?;
        match crate::source::pointer(&bytes) {
            None => Ok(bytes),
            Some(pointer) => self.reader.source.resolve_lfs(&pointer, limit).map_err(|error| error.to_string()),
        }
    }

    /// The index of a version of a file; of no rows where it is no data.
    fn index(&self, blob: ObjectId, path: &BStr) -> Result<Arc<Index>, String> {
        let key = (blob, path.to_owned());
        if let Some(index) = self.kept.borrow().get(&key) {
            return Ok(Arc::clone(index));
        }
        let mut index = Index::default();
        self.feed(blob, path, &mut Quiet::Rows(&mut index))?;
        index.close();
        let index = Arc::new(index);
        let mut kept = self.kept.borrow_mut();
        // The order of a sum does not matter.
        #[expect(clippy::iter_over_hash_type, reason = "rows are added up")]
        let rows = {
            let mut rows = 0;
            for index in kept.values() {
                rows += index.len();
            }
            rows
        };
        if rows + index.len() > KEPT_ROWS {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&index));
        Ok(index)
    }

    fn feed(&self, blob: ObjectId, path: &BStr, sink: &mut dyn Sink) -> Result<(), String> {
        let bytes = self.bytes(blob)?;
        let lens = self.policy.lens(path);
        feed(self.reader, self.policy, (path, &lens), &bytes, sink).map(|_| ())
    }

    fn show(&self, blob: ObjectId, path: &BStr, look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> Result<(), String> {
        let bytes = self.bytes(blob)?;
        show(self.reader, self.policy, (path, &self.policy.lens(path)), &bytes, look)
    }

    /// Walks back until nobody can say more.
    fn follow(&self, tip: Ancestor, at: Stand, blame: &mut Blame) {
        let (mut here, mut at) = (tip, at);
        loop {
            match self.step(&here, &at, blame) {
                Some((next, stand)) => (here, at) = (next, stand),
                None => return,
            }
        }
    }

    /// One commit back. `None` where the record came with this one, or nobody can say.
    fn step(&self, here: &Ancestor, at: &Stand, blame: &mut Blame) -> Option<(Ancestor, Stand)> {
        let mut parents = Vec::new();
        for id in &here.parents {
            match self.back.commit(*id) {
                Ok(parent) => parents.push(parent),
                Err(reason) => {
                    let reason = format!("parent {id}: {reason}; this clone is shallow or partial");
                    self.tell(blame, here, at, What::Lost(reason), None);
                    return None;
                }
            }
        }
        // Where the file is that of a parent, this commit did nothing to it.
        for (number, parent) in parents.iter().enumerate() {
            if self.back.file(parent.tree, at.path.as_ref()).ok().flatten() == Some(at.blob) {
                let stand = Stand { path: at.path.clone(), blob: at.blob, row: at.row };
                return Some((parents.swap_remove(number), stand));
            }
        }
        let mut chosen: Option<(usize, Traced, Stand)> = None;
        for (number, parent) in parents.iter().enumerate() {
            match self.trace(Some(parent), here, at, blame) {
                Ok((traced, Some(stand))) => {
                    let is_kept = traced.from == traced.to;
                    if chosen.is_none() || is_kept {
                        chosen = Some((number, traced, stand));
                    }
                    if is_kept {
                        break;
                    }
                }
                Ok((_, None)) => {}
                Err(reason) => {
                    self.tell(blame, here, at, What::Lost(reason), None);
                    return None;
                }
            }
        }
        let Some((number, traced, stand)) = chosen else {
            self.tell(blame, here, at, What::Set, None);
            return None;
        };
        let what = match traced.likeness {
            Likeness::Unclear => What::Unclear,
            _ if traced.from != traced.to => What::Changed { kind: traced.kind, is_certain: traced.scope == "dataset" },
            _ => What::Kept,
        };
        if what != What::Kept || stand.path != at.path || traced.likeness == Likeness::Edited {
            self.tell(blame, here, at, what, Some((&traced, &stand)));
        }
        Some((parents.swap_remove(number), stand))
    }

    /// What the record was in a parent.
    fn trace(
        &self,
        parent: Option<&Ancestor>,
        here: &Ancestor,
        at: &Stand,
        blame: &mut Blame,
    ) -> Result<(Traced, Option<Stand>), String> {
        let is_data = |path: &BStr| {
            path == at.path
                || (!self.policy.excludes(path) && (self.policy.lens(path).dataset.is_some() || may_be_data(path)))
        };
        let (files, gaps) = self.back.changed(parent.map(|parent| parent.tree), here.tree, &is_data);
        if let Some(gap) = gaps.first() {
            return Err(format!("{}: {}", gap.path, gap.reason));
        }
        let (mut list, mut sides) = (Vec::new(), Vec::new());
        for file in files {
            let index = |blob: Option<ObjectId>| blob.map(|blob| self.index(blob, file.path.as_ref())).transpose();
            match (index(file.before), index(file.after)) {
                (Ok(before), Ok(after)) => {
                    let lens = self.policy.lens(file.path.as_ref());
                    let id = BlobId(sides.len() as u32);
                    sides.push(Side::new(id, file.path.clone(), &lens, before, after));
                    list.push(file);
                }
                (Err(reason), _) | (_, Err(reason)) if file.path == at.path => return Err(reason),
                (Err(reason), _) | (_, Err(reason)) => {
                    let id = here.commit.id.to_hex_with_len(10);
                    blame.notes.push(format!("{} was left out at commit {id}: {reason}", file.path));
                }
            }
        }
        let side =
            list.iter().position(|file| file.path == at.path).ok_or("the file is not among those that changed")?;
        let again = Second { follower: self, here, list: &list };
        let traced = diff::trace(&sides, &again, side as u32, at.row as u32);
        let stand = traced.was.and_then(|(side, row)| {
            let file = &list[side as usize];
            Some(Stand { path: file.path.clone(), blob: file.before?, row: row as usize })
        });
        Ok((traced, stand))
    }

    fn tell(&self, blame: &mut Blame, here: &Ancestor, at: &Stand, what: What, was: Option<(&Traced, &Stand)>) {
        let Ok(index) = self.index(at.blob, at.path.as_ref()) else { return };
        let line = match index.place(at.row, BlobId(0)).at {
            At::Bytes(span) => self
                .with_text(at.blob, |bytes, _| {
                    memchr_iter(b'\n', Span::new(0, span.start).of(bytes)).count() as u64 + 1
                })
                .ok(),
            _ => None,
        };
        let moved_from = was.map(|(_, stand)| &stand.path).filter(|path| **path != at.path).cloned();
        blame.deeds.push(Deed {
            commit: here.commit.clone(),
            path: at.path.clone(),
            record: index.number(at.row),
            line,
            what,
            from: was.and_then(|(traced, _)| traced.from.clone()),
            to: index.classes().title(index.label(at.row)).map(std::borrow::Cow::into_owned),
            moved_from,
            edited: was.is_some_and(|(traced, _)| traced.likeness == Likeness::Edited),
        });
    }
}

#[cfg(test)]
mod tests;
