//! A version of a file read by way of one that was read before: of the lines that both share nothing is parsed again.
//!
//! That goes for texts whose lines are records by themselves. What a line comes to then hangs on its bytes and on the
//! roles of the fields, which are told from the first records; so the start of the new version is read too, and where
//! it says anything else than the start of the known one, all of it is read the plain way.

use std::borrow::Cow;
use std::sync::Arc;

use super::index::{Index, Label};
use super::keyer::decides;
use super::rows::Walk;
use super::runs::{Run, runs};
use crate::format::{self, Blob, Decoded, Name, Records, References, Sink};
use crate::lens::class_of;
use crate::policy::Limits;
use crate::span::Fresh;

/// Fields that a text may have and still be read by way of another: the parser keeps a limited number of names.
const MOST_NAMES: usize = 256;

/// A version that was read, by way of which others can be.
#[derive(Debug)]
pub(crate) struct Known<'t> {
    text: Cow<'t, [u8]>,
    /// Bytes at the start that tell the roles of all fields.
    head: usize,
    index: Arc<Index>,
    /// The fields that it has.
    names: Vec<Name>,
    /// The class that its path gives its lines.
    class: Option<Box<[u8]>>,
}

/// What reading a version came to.
#[derive(Debug)]
pub(crate) struct Version<'t> {
    /// Whether it is data.
    pub(crate) is_data: bool,
    /// Its records.
    pub(crate) index: Arc<Index>,
    /// What others can be read by way of.
    pub(crate) known: Option<Known<'t>>,
}

/// Reads a version into an index, by way of the `known` one of the same file, or of one like it, where that is possible.
/// The index is the same as without it.
///
/// # Errors
/// As [`format::read`].
pub(crate) fn read<'t>(known: Option<&Known<'_>>, blob: &Blob<'t>, limits: &Limits) -> Result<Version<'t>, String> {
    let by_line = format::by_line(blob);
    if let (Some(known), Some(by_line)) = (known, &by_line)
        && let Some(version) = known.next(by_line, blob, limits)
    {
        return Ok(version);
    }
    let mut reading = Reading::default();
    let read = format::read(blob, limits, &mut reading)?;
    let is_data = read.kind.is_data();
    let (index, known) = reading.finish(blob, by_line.filter(|_| is_data));
    Ok(Version { is_data, index, known })
}

impl<'t> Known<'t> {
    /// Bytes that it holds.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// With a copy of the text, so that it outlives the blob. The memory of one that is not needed any more is used
    /// for it: asking for new pages costs as much as the copy.
    pub(crate) fn owned(self, old: Option<Known<'static>>) -> Known<'static> {
        let text = match self.text {
            Cow::Owned(text) => text,
            Cow::Borrowed(text) => {
                let room = old.map(|old| old.text.into_owned()).filter(|room| room.capacity() / 2 <= text.len());
                let mut room = room.unwrap_or_default();
                room.clear();
                if room.capacity() < text.len() {
                    // Versions grow little by little.
                    room.reserve_exact(text.len() + text.len() / 16);
                }
                room.extend_from_slice(text);
                room
            }
        };
        Known { text: Cow::Owned(text), head: self.head, index: self.index, names: self.names, class: self.class }
    }

    /// `None` where nothing is gained, or the roles of fields may be others.
    fn next<'n>(&self, by_line: &format::ByLine, blob: &Blob<'n>, limits: &Limits) -> Option<Version<'n>> {
        let text: &'n [u8] = &blob.decoded.bytes;
        if self.class != class(blob) {
            return None;
        }
        let head = by_line.head(text);
        let runs = runs(&self.text, text);
        let changed: usize = runs.iter().filter(|run| !run.same).map(|run| run.new.len()).sum();
        if head + changed > text.len() / 2 {
            return None;
        }
        // The start, and behind it the lines that are new.
        let mut part = text[..head].to_vec();
        for run in runs.iter().filter(|run| !run.same) {
            if part.last().is_some_and(|&last| last != b'\n') {
                return None;
            }
            part.extend_from_slice(&text[run.new.clone()]);
        }
        let encoding = blob.decoded.encoding;
        let decoded = Decoded { bytes: part.into(), offsets: Default::default(), encoding };
        let mut noted = Reading::default();
        by_line.read(&Blob { decoded: &decoded, fresh: &Fresh::All, ..*blob }, limits, &mut noted);
        let told = noted.first_end.is_some_and(|end| end <= head as u64);
        if !told || !noted.is_local() || !self.agrees(&noted, &text[..head]) {
            return None;
        }
        let index = self.spliced(&runs, &noted.index, head)?;
        let mut names = noted.names;
        names.extend(self.names.iter().filter(|name| !has(&names, name)).cloned().collect::<Vec<_>>());
        if names.len() > MOST_NAMES {
            return None;
        }
        let index = Arc::new(index);
        let known = Known { text: text.into(), head, index: Arc::clone(&index), names, class: class(blob) };
        Some(Version { is_data: true, index, known: Some(known) })
    }

    /// Whether the lines of this version would be read alike behind another start.
    fn agrees(&self, noted: &Reading, head: &[u8]) -> bool {
        let same_stretch = self.index.one_stretch().is_some() && self.index.one_stretch() == noted.index.one_stretch();
        let same_head = self.text.get(..self.head) == Some(head);
        same_stretch && (same_head || self.names.iter().all(|name| has(&noted.names, name)))
    }

    /// The index of a text of these runs; `part` is that of its start and, behind it, of its new lines.
    fn spliced(&self, runs: &[Run], part: &Index, head: usize) -> Option<Index> {
        let mut index = part.like(self.index.len() + part.len());
        let mut old = Copying::new(&self.index)?;
        let mut new = Copying::new(part)?;
        new.skip_to(head);
        let mut at = head;
        for run in runs {
            if run.same {
                old.skip_to(run.old.start);
                old.copy_to(run.old.end, run.new.start as i64 - run.old.start as i64, &mut index)?;
            } else {
                new.copy_to(at + run.new.len(), run.new.start as i64 - at as i64, &mut index)?;
                at += run.new.len();
            }
        }
        index.set_by_line();
        index.close();
        Some(index)
    }
}

/// The class that the path of a blob gives its lines.
fn class(blob: &Blob<'_>) -> Option<Box<[u8]>> {
    class_of(blob.path).map(|class| class.name.into())
}

/// Whether a field of this name with this role is among them.
fn has(names: &[Name], wanted: &Name) -> bool {
    names.iter().any(|name| name.path == wanted.path && name.role == wanted.role)
}

/// Takes rows of one index over into another.
struct Copying<'i> {
    index: &'i Index,
    walk: Walk<'i>,
    /// Labels of this index, as the other one has them.
    labels: Vec<Option<Label>>,
}

impl<'i> Copying<'i> {
    fn new(index: &'i Index) -> Option<Self> {
        Some(Self { index, walk: index.rows()?.walk(), labels: Vec::new() })
    }

    fn skip_to(&mut self, start: usize) {
        while let Some(row) = self.walk.peek().filter(|row| row.start < start as u64) {
            self.walk.pass(row);
        }
    }

    /// Copies the rows before `end`, each moved by some bytes. `None` where a row reaches over it.
    fn copy_to(&mut self, end: usize, shift: i64, into: &mut Index) -> Option<()> {
        into.take(self.index, &mut self.walk, end as u64, shift, &mut self.labels)
    }
}

/// Takes records into an index, and notes of which fields they are made.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    index: Index,
    /// Where the first batch ends: with it the roles are told.
    first_end: Option<u64>,
    names: Vec<Name>,
    /// A field that says how records are labelled came only later.
    late: bool,
}

impl Reading {
    /// Into this index.
    pub(crate) fn new(index: Index) -> Self {
        Self { index, ..Self::default() }
    }

    /// Takes the records of a batch in. Batches must come in the order of the file.
    pub(crate) fn observe(&mut self, records: &Records<'_>) {
        if self.first_end.is_none() {
            self.first_end = Some(records.rows.last().map_or(0, |row| row.end));
        } else {
            self.late |= records.names.iter().skip(self.names.len()).any(decides);
        }
        self.names.extend_from_slice(records.names.get(self.names.len()..).unwrap_or_default());
        self.index.observe(records);
    }

    /// The index, and where the blob is `by_line` what others can be read by way of.
    pub(crate) fn finish<'t>(
        self,
        blob: &Blob<'t>,
        by_line: Option<format::ByLine>,
    ) -> (Arc<Index>, Option<Known<'t>>) {
        let by_line = by_line.filter(|_| self.is_local() && self.index.len() > 0);
        let Self { mut index, names, .. } = self;
        if by_line.is_some() {
            index.set_by_line();
        }
        index.close();
        let index = Arc::new(index);
        let text: &'t [u8] = &blob.decoded.bytes;
        let known = by_line.map(|by_line| Known {
            text: text.into(),
            head: by_line.head(text),
            index: Arc::clone(&index),
            names,
            class: class(blob),
        });
        (index, known)
    }

    /// Whether each record says the same wherever it stands.
    fn is_local(&self) -> bool {
        !self.late && self.names.len() <= MOST_NAMES && !self.index.classes().is_open() && self.index.rows().is_some()
    }
}

impl Sink for Reading {
    fn records(&mut self, records: &Records<'_>) {
        self.observe(records);
    }

    fn references(&mut self, _: &References<'_>) {}
}

#[cfg(test)]
mod tests;
