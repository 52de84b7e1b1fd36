//! What a reader and a trainer take from a file, row by row, to be held against what they take from its new version.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use bstr::BStr;

use crate::check::visible;
use crate::format::coding;
use crate::format::{self, Blob, Coding, Decoded, Kind, Record, Records, References, Sink};
use crate::lens::{Lens, Role};
use crate::policy::Limits;
use crate::span::{BlobId, Fresh, Span};

/// What stands in a row that is no JSON.
const UNPARSED: &str = "(unparsed)";

/// All rows of a file, as far as they have to be compared.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) kind: Kind,
    list: Vec<Row>,
    names: BTreeSet<String>,
    flaws: u64,
    unread: usize,
    /// Where each row stands in the decoded file; the first byte of its line's content.
    pub(super) spans: Vec<Span>,
}

/// A row. Texts are hashed: two rows are only ever told apart by them, never called the same.
#[derive(Debug)]
struct Row {
    cells: u32,
    is_parsed: bool,
    is_blank: bool,
    /// What is seen of its bytes, and of its values.
    line: u64,
    values: u64,
    /// Its labels as they are.
    labels: u64,
    /// What the model reads, as it is.
    text: u64,
    /// All of its bytes.
    bytes: u64,
}

/// Reads what has to be compared.
pub(super) fn read(path: &BStr, lens: &Lens, decoded: &Decoded<'_>, limits: &Limits) -> Result<Rows, String> {
    let mut rows =
        Rows { kind: Kind::Unknown, list: Vec::new(), names: BTreeSet::new(), flaws: 0, unread: 0, spans: Vec::new() };
    let blob = Blob { id: BlobId(0), path, lens, decoded, fresh: &Fresh::All };
    let read = format::read(&blob, limits, &mut rows)?;
    rows.kind = read.kind;
    rows.unread = read.unread.len();
    Ok(rows)
}

impl Sink for Rows {
    fn records(&mut self, records: &Records<'_>) {
        for name in records.names.iter().filter(|name| name.path != UNPARSED) {
            if !self.names.contains(&name.path) {
                self.names.insert(name.path.clone());
            }
        }
        self.flaws += records.flaws.len() as u64;
        for record in records.iter() {
            self.list.push(row(record));
            self.spans.push(record.span());
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn row(record: Record<'_>) -> Row {
    let batch = record.batch();
    let raw = record.span().of(batch.text);
    let coding = if matches!(batch.kind, Kind::JsonLines | Kind::Json) { Coding::Json } else { Coding::Plain };
    let mut line = DefaultHasher::new();
    visible(&coding::decode(coding, raw)).hash(&mut line);
    let mut bytes = DefaultHasher::new();
    raw.hash(&mut bytes);
    let (mut values, mut labels, mut text) = (DefaultHasher::new(), DefaultHasher::new(), DefaultHasher::new());
    let has_text = record.with_role(Role::Text).next().is_some();
    let mut is_blank = true;
    let mut is_parsed = true;
    for field in record.fields() {
        let value = field.text();
        is_parsed &= field.name().path != UNPARSED;
        visible(&value).hash(&mut values);
        match field.role() {
            Role::Label => value.hash(&mut labels),
            Role::Text => {
                value.hash(&mut text);
                is_blank &= value.trim().is_empty();
            }
            _ if !has_text => {
                value.hash(&mut text);
                is_blank &= value.trim().is_empty();
            }
            _ => {}
        }
    }
    Row {
        cells: record.row().len,
        is_parsed,
        is_blank,
        line: line.finish(),
        values: values.finish(),
        labels: labels.finish(),
        text: text.finish(),
        bytes: bytes.finish(),
    }
}

impl Rows {
    /// Whether the new version says the same to a reader and to a trainer, hidden characters aside.
    ///
    /// # Errors
    /// What would be different, in one sentence with the way out.
    pub(super) fn same_as(&self, new: &Rows) -> Result<(), String> {
        const BY_HAND: &str = "edit it by hand";
        if self.kind != new.kind || self.list.len() != new.list.len() {
            return Err(format!("the number of its rows would change; {BY_HAND}"));
        }
        if !self.names.is_subset(&new.names) {
            return Err(format!("hidden characters stand in the name of a field, which code may ask for; {BY_HAND}"));
        }
        if new.flaws > self.flaws || new.unread > self.unread {
            return Err(format!("a parser would read it differently; {BY_HAND}"));
        }
        for (index, (old, new)) in self.list.iter().zip(&new.list).enumerate() {
            let number = index + 1;
            // A row that no parser took can become one that they take: a mark in front of it is gone.
            let repaired = !old.is_parsed && new.is_parsed;
            if !repaired && old.labels != new.labels {
                return Err(format!(
                    "the label of row {number} would change; {BY_HAND}, or move the row with --quarantine"
                ));
            }
            if old.line != new.line || !repaired && (old.values != new.values || old.cells != new.cells) {
                return Err(format!("what is seen of row {number} would change; {BY_HAND}"));
            }
        }
        if self.kind.is_data() { self.tell_apart(new) } else { Ok(()) }
    }

    /// A row must not lose all of its text, nor become the twin of another.
    fn tell_apart(&self, new: &Rows) -> Result<(), String> {
        const WAY_OUT: &str = "move such rows with --quarantine, or edit it by hand";
        let changed = || self.list.iter().zip(&new.list).enumerate().filter(|(_, (old, new))| old.text != new.text);
        if let Some((index, _)) = changed().find(|(_, (old, new))| new.is_blank && !old.is_blank) {
            return Err(format!("nothing would be left of the text of row {}; {WAY_OUT}", index + 1));
        }
        let mut changing: BTreeMap<u64, usize> = BTreeMap::new();
        for (index, (_, new)) in changed() {
            changing.entry(new.text).or_insert(index);
        }
        for (index, (old, new)) in self.list.iter().zip(&new.list).enumerate() {
            if let Some(&other) = changing.get(&new.text)
                && other != index
                && self.list[other].text != old.text
            {
                let (a, b) = (other.min(index) + 1, other.max(index) + 1);
                return Err(format!("rows {a} and {b} would have the same text; {WAY_OUT}"));
            }
        }
        Ok(())
    }

    /// Whether the new version is this one without the rows of these indices, byte by byte.
    pub(super) fn without(&self, gone: &BTreeSet<usize>, new: &Rows) -> bool {
        let kept = self.list.iter().enumerate().filter(|(index, _)| !gone.contains(index)).map(|(_, row)| row.bytes);
        kept.eq(new.list.iter().map(|row| row.bytes))
    }
}
