//! What can be done about hidden characters: cutting them out of the bytes they stand in, or moving their rows aside.
//!
//! Nothing is written anew. Only the bytes of hidden characters, or of their escapes, go; quotes, key order, line ends and
//! the mark at the head of a file stay as they are. What came out is read again before it is written: where it says
//! anything else to a reader, or to a trainer, the file is left alone and the reason given.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use crate::check::{self, Cure, Observation};
use crate::engine::Listed;
use crate::finding::Finding;
use crate::fold::Fold;
use crate::format::{self, Blob, Decoded, Encoding, Kind, Read, Records, References, Row, Sink};
use crate::lens::Lens;
use crate::policy::accept::{self, Extent};
use crate::policy::{self, PolicyError};
use crate::rule::Severity;
use crate::source::{Bytes, Content, Entry, Mode};
use crate::span::{BlobId, Fresh, Span};

mod quarantine;
mod replace;
mod rows;

pub(crate) use quarantine::{Aside, Moving, Shelf};
pub(crate) use replace::{Target, write};

/// The rule whose findings are cut.
const RULE: &str = "invisible-unicode";
/// Cutting can bring characters together that are hidden only then. So often it is tried again.
const PASSES: usize = 4;

/// Goes through files one by one.
pub(crate) struct Fixer<'a> {
    listed: &'a Listed,
    cure: Cure,
    bold: bool,
    checks: Vec<Box<dyn Fold>>,
}

impl std::fmt::Debug for Fixer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixer").field("bold", &self.bold).finish_non_exhaustive()
    }
}

/// What is to be done about a file.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing. So many hidden characters are left that may be honest.
    Nothing { left: u64 },
    /// It can be rewritten.
    Rewrite(Box<Rewrite>),
    /// It cannot, and why, in one sentence with the way out.
    Refused(String),
}

/// A file as it is and as it is going to be.
#[derive(Debug)]
pub(crate) struct Rewrite {
    pub(crate) path: BString,
    /// Where it is on disk.
    pub(crate) file: PathBuf,
    pub(crate) before: Bytes,
    pub(crate) after: Vec<u8>,
    /// What is cut, in offsets of the decoded file; sorted and apart.
    pub(crate) edits: Vec<Edit>,
    /// Hidden characters that go.
    pub(crate) characters: u64,
    /// Hidden characters that stay, since they may be honest.
    pub(crate) left: u64,
    /// Whether it holds rows of data, whose labels stay behind.
    pub(crate) is_data: bool,
}

/// Bytes that go.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Edit {
    /// Which, in the decoded file.
    pub(crate) span: Span,
    /// Whether a space takes their place.
    pub(crate) space: bool,
}

/// What was found in one version of a file.
struct Scan {
    read: Read,
    edits: Vec<Edit>,
    characters: u64,
    left: u64,
}

impl<'a> Fixer<'a> {
    /// A fixer that cuts what is safe, and where it is `bold` also what may be honest.
    pub(crate) fn new(listed: &'a Listed, bold: bool) -> Result<Self, PolicyError> {
        let policy = &listed.policy;
        let mut checks = Vec::new();
        for entry in check::CATALOG.iter().filter(|entry| entry.rules.iter().any(|rule| rule.id == RULE)) {
            checks.push((entry.make)(policy)?);
        }
        Ok(Self { listed, cure: Cure::new(policy, bold)?, bold, checks })
    }

    /// What is to be done about a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn plan(&self, entry: &Entry) -> Result<Plan, String> {
        caught(|| self.look(entry))
    }

    fn look(&self, entry: &Entry) -> Result<Plan, String> {
        let Some((content, file)) = on_disk(entry) else { return Ok(Plan::Nothing { left: 0 }) };
        let raw = self.listed.read(content)?;
        let stored = Stored::of(self.listed, &raw)?;
        let lens = self.listed.policy.lens(entry.path());
        let scan = self.scan(entry, &lens, stored.bytes(&raw))?;
        raw.verify()?;
        if scan.edits.is_empty() {
            return Ok(Plan::Nothing { left: scan.left });
        }
        if let Some(reason) = stored.reason(scan.read.kind) {
            return Ok(Plan::Refused(reason));
        }
        let before = self.decoded(&raw)?;
        let mut after = apply(&raw, &before, &scan.edits);
        // The edits of later passes are few, and only shown as part of the first.
        let mut passes = 1;
        let left = loop {
            let again = self.scan(entry, &lens, &after)?;
            if again.edits.is_empty() {
                break again.left;
            }
            if passes == PASSES {
                return Ok(Plan::Refused(
                    "hidden characters come up again whenever some are cut; edit it by hand".into(),
                ));
            }
            passes += 1;
            after = apply(&after, &self.decoded(&after)?, &again.edits);
        };
        let limits = &self.listed.policy.limits;
        let old = rows::read(entry.path(), &lens, &before, limits)?;
        let new = rows::read(entry.path(), &lens, &self.decoded(&after)?, limits)?;
        if let Err(reason) = old.same_as(&new) {
            return Ok(Plan::Refused(reason));
        }
        drop(before);
        Ok(Plan::Rewrite(Box::new(Rewrite {
            path: entry.path.clone(),
            file: file.clone(),
            before: raw,
            after,
            edits: scan.edits,
            characters: scan.characters,
            left,
            is_data: scan.read.kind.is_data(),
        })))
    }

    fn decoded<'b>(&self, bytes: &'b [u8]) -> Result<Decoded<'b>, String> {
        format::decode(bytes, &self.listed.policy.limits)
    }

    fn scan(&self, entry: &Entry, lens: &Lens, bytes: &[u8]) -> Result<Scan, String> {
        let mut finder = Finder { fixer: self, cuts: Vec::new(), findings: Vec::new(), only_cut: true };
        let read = finder.read(entry, lens, bytes)?;
        let accepted = self.accepted(entry, finder.findings);
        let mut scan = Scan { read, edits: Vec::new(), characters: 0, left: 0 };
        for (record, cut) in finder.cuts {
            if record.is_some_and(|record| accepted.contains(&record)) {
                continue;
            }
            if cut.safe || self.bold {
                scan.edits.push(Edit { span: cut.span, space: cut.space });
                scan.characters += cut.characters;
            } else {
                scan.left += cut.characters;
            }
        }
        scan.edits.sort();
        scan.edits.dedup_by(|next, last| next.span.start < last.span.end);
        Ok(scan)
    }

    /// Records of which everything is accepted, by an exception or the baseline, or because the rule is off.
    fn accepted(&self, entry: &Entry, findings: Vec<Finding>) -> BTreeSet<u64> {
        let mut records = spoken_of(&findings, Severity::Note);
        let standing = self.standing(entry, findings);
        let left = spoken_of(&standing, Severity::Note);
        records.retain(|record| !left.contains(record));
        records
    }

    /// What nobody accepts.
    fn standing(&self, entry: &Entry, findings: Vec<Finding>) -> Vec<Finding> {
        let path_of = |_: BlobId| entry.path.clone();
        accept::apply(findings, &self.listed.policy, &self.listed.baseline, Extent::Some, &path_of).findings
    }

    /// What the checks say of one record alone.
    fn judge(&self, records: &Records<'_>, row: usize, findings: &mut Vec<Finding>) {
        let Some(own) = records.rows.get(row) else { return };
        let cells = &records.cells[own.cells as usize..(own.cells + own.len) as usize];
        let rows = [Row { cells: 0, ..*own }];
        let alone = Records { rows: &rows, cells, flaws: &[], first: records.first + row as u64, ..*records };
        self.judge_batch(&alone, findings);
    }

    fn judge_batch(&self, records: &Records<'_>, findings: &mut Vec<Finding>) {
        for check in &self.checks {
            let mut seen = check.start();
            check.observe(&mut seen, &Observation::Records(records));
            check.finish(seen, findings);
        }
    }
}

/// Numbers of the records that findings of this severity and above speak of.
fn spoken_of(findings: &[Finding], least: Severity) -> BTreeSet<u64> {
    let loud = findings.iter().filter(|finding| finding.severity >= least);
    loud.flat_map(|finding| finding.marks.iter().filter_map(|mark| mark.record)).collect()
}

/// A panic in a reader or a check makes a file unread, as everywhere.
fn caught<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err("internal error while it was read; please report this".into()))
}

/// Where a file is, if it is one that could be rewritten: on disk, no link, and not a file of foretaste's own.
fn on_disk(entry: &Entry) -> Option<(&Content, &PathBuf)> {
    let name = entry.path.rsplit_str("/").next().unwrap_or_default();
    let own =
        name == policy::FILE.as_bytes() || name == policy::BASELINE.as_bytes() || name.starts_with_str(policy::LOCK);
    match (&entry.content, entry.mode) {
        (Some(content @ Content::File(file)), Mode::File | Mode::Executable) if !own => Some((content, file)),
        _ => None,
    }
}

/// How the bytes of a file are kept.
enum Stored {
    Plain,
    /// In an object of git LFS, of which the work tree has the pointer.
    Lfs(Bytes),
    Compressed(&'static str),
}

impl Stored {
    fn of(listed: &Listed, raw: &[u8]) -> Result<Self, String> {
        match listed.object(raw) {
            Some(object) => Ok(Stored::Lfs(object?)),
            None => Ok(format::compressed_kind(raw).map_or(Stored::Plain, Stored::Compressed)),
        }
    }

    fn bytes<'b>(&'b self, raw: &'b [u8]) -> &'b [u8] {
        match self {
            Stored::Lfs(object) => object,
            Stored::Plain | Stored::Compressed(_) => raw,
        }
    }

    /// Why it cannot be rewritten, and the way out.
    fn reason(&self, kind: Kind) -> Option<String> {
        match self {
            Stored::Lfs(_) => {
                Some("it is a pointer of git LFS; run `git lfs checkout` for it, and fix the file that comes".into())
            }
            Stored::Compressed(how) => {
                Some(format!("it is compressed ({how}); expand it, fix what comes, and compress that again"))
            }
            Stored::Plain if kind.is_columnar() => {
                Some("its columns cannot be cut in place; fix the rows where they are made, and write it again".into())
            }
            Stored::Plain => None,
        }
    }
}

/// The bytes without what is cut.
fn apply(raw: &[u8], decoded: &Decoded<'_>, edits: &[Edit]) -> Vec<u8> {
    let space: &[u8] = match decoded.encoding {
        Encoding::Utf16Le => b" \0",
        Encoding::Utf16Be => b"\0 ",
        Encoding::Utf32Le => b" \0\0\0",
        Encoding::Utf32Be => b"\0\0\0 ",
        _ => b" ",
    };
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    for edit in edits {
        let span = decoded.raw(edit.span);
        out.extend_from_slice(Span::new(at, span.start.max(at)).of(raw));
        if edit.space {
            out.extend_from_slice(space);
        }
        at = span.end.max(at);
    }
    out.extend_from_slice(Span::new(at, (raw.len() as u64).max(at)).of(raw));
    out
}

/// Collects what can be cut, and what is said of the rows.
struct Finder<'f, 'a> {
    fixer: &'f Fixer<'a>,
    /// With the number of the record each stands in.
    cuts: Vec<(Option<u64>, check::Cut)>,
    /// One record each.
    findings: Vec<Finding>,
    /// Only records that something can be cut from are judged.
    only_cut: bool,
}

impl Finder<'_, '_> {
    fn read(&mut self, entry: &Entry, lens: &Lens, bytes: &[u8]) -> Result<Read, String> {
        let limits = self.fixer.listed.policy.limits;
        let decoded = format::decode(bytes, &limits)?;
        let blob = Blob { id: BlobId(0), path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
        format::read(&blob, &limits, self)
    }
}

impl Sink for Finder<'_, '_> {
    fn records(&mut self, records: &Records<'_>) {
        if !self.only_cut {
            // Most batches have nothing to say, and need no second look.
            let mut any = Vec::new();
            self.fixer.judge_batch(records, &mut any);
            if !any.is_empty() {
                (0..records.rows.len()).for_each(|row| self.fixer.judge(records, row, &mut self.findings));
            }
            return;
        }
        let mut rows = BTreeSet::new();
        let cuts = &mut self.cuts;
        self.fixer.cure.cuts(records, &mut |cut| {
            rows.extend(cut.row);
            cuts.push((cut.row.map(|row| records.first + row as u64 + 1), cut));
        });
        rows.into_iter().for_each(|row| self.fixer.judge(records, row, &mut self.findings));
    }

    fn references(&mut self, _: &References<'_>) {}
}

#[cfg(test)]
mod tests;
