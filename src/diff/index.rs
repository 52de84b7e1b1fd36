//! The compact index of one version of a blob: what each record is known by and how it is labelled, in about twelve
//! bytes a record.

pub(crate) mod frozen;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::keyer::{Keyed, Keyer, LabelOf};
use super::rows::{Rows, Walk, reserve};
use crate::format::{Offsets, Records};
use crate::lens::Role;
use crate::span::{At, BlobId, Fresh, Place, Span};

/// Stands between the names of fields.
const FIELDS: &str = ", ";

/// The index of one version of a blob. Made while the blob is scanned, so that it is parsed once.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Key of each row's content; 0 where a row has none.
    pub(super) keys: Vec<u64>,
    /// Label of each row.
    pub(super) labels: Vec<Label>,
    /// Hash of each row's identifier; empty until the first row that has one, 0 where a row has none.
    pub(super) ids: Vec<u64>,
    pub(super) classes: Classes,
    lies: Lies,
    stretches: Vec<Stretch>,
    /// Rows that the change brought; `None` where that is all of them.
    fresh: Option<Vec<u32>>,
    keyer: Keyer,
    /// Whether only labelled rows are wanted, without their identifiers.
    labelled: bool,
    /// Whether each row is a line that says the same wherever it stands.
    by_line: bool,
}

/// Consecutive rows of one file whose labels stand in the same fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stretch {
    /// Its first row.
    pub(crate) from: usize,
    /// Names of the fields with labels; empty where answers of preference pairs are the labels.
    pub(crate) fields: Box<str>,
    /// Whether rows have a label, or two answers of which one is preferred.
    pub(crate) labelled: bool,
    /// Whether a field says who gave each label.
    pub(crate) by_user: bool,
}

/// Where rows lie.
#[derive(Debug, Default)]
enum Lies {
    #[default]
    Nowhere,
    /// In the bytes of a file.
    Rows(Rows),
    /// In a columnar file: the number of each row from 0 is its index and so much more.
    Cells(Rows),
    /// Each row is a file of its own.
    Files(Vec<BlobId>),
}

/// A label within one index.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Label(pub(super) u16);

impl Label {
    /// The file has no field for labels.
    pub(crate) const NONE: Label = Label(0);
    /// Not labelled yet.
    pub(crate) const NULL: Label = Label(1);
    /// The first of the two answers is preferred.
    pub(crate) const FIRST: Label = Label(2);
    /// The second of the two answers is preferred.
    pub(crate) const SECOND: Label = Label(3);
    /// One of the labels that came after too many others to be told apart. Such values are no classes.
    pub(crate) const OTHER: Label = Label(u16::MAX);
    const NAMED: u16 = 4;

    /// Whether it is a class.
    pub(crate) fn is_class(self) -> bool {
        self > Label::NULL && self != Label::OTHER
    }
}

/// The classes of an index, numbered in the order in which they were met, and how many rows have each.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    names: Vec<Box<[u8]>>,
    numbers: FxHashMap<Box<[u8]>, u16>,
    counts: Vec<u64>,
    other: u64,
    /// Numbers that were met lately, by what their names look like.
    recent: [u16; RECENT],
}

/// Classes that are told without a look into the map.
const RECENT: usize = 32;

/// What the labels of preference pairs are called. Which is which is an order of the contents of the two answers; a
/// record that changes from one to the other had its answers swapped.
const FIRST: &str = "chosen answer";
const SECOND: &str = "rejected answer";

/// A label longer than this is no class but a text; it is cut, and the rest told by its hash.
const LONGEST: usize = 256;

impl Classes {
    fn label(&mut self, label: LabelOf<'_>) -> Label {
        let label = match label {
            LabelOf::None => Label::NONE,
            LabelOf::Null => Label::NULL,
            LabelOf::Pair(true) => Label::FIRST,
            LabelOf::Pair(false) => Label::SECOND,
            LabelOf::Class(name) => self.named(name),
        };
        self.count(label, 1);
        label
    }

    fn named(&mut self, name: &[u8]) -> Label {
        if name.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&at| name[at] & 0xc0 != 0x80).unwrap_or(LONGEST);
            let mut cut = name[..end].to_vec();
            cut.extend_from_slice(format!("… ({:016x})", super::hash::hash(name)).as_bytes());
            return self.number(&cut);
        }
        self.number(name)
    }

    fn number(&mut self, name: &[u8]) -> Label {
        // Most files have few classes, of which first and last letter and length are told apart.
        let edge = |byte: Option<&u8>| byte.map_or(0, |&byte| usize::from(byte));
        let slot = (name.len() + 5 * edge(name.first()) + 3 * edge(name.last())) % RECENT;
        let recent = self.recent[slot];
        if self.names.get(usize::from(recent)).is_some_and(|known| **known == *name) {
            return Label(recent + Label::NAMED);
        }
        if let Some(&number) = self.numbers.get(name) {
            self.recent[slot] = number;
            return Label(number + Label::NAMED);
        }
        let Ok(number) = u16::try_from(self.names.len()) else { return Label::OTHER };
        if number >= Label::OTHER.0 - Label::NAMED {
            return Label::OTHER;
        }
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        self.recent[slot] = number;
        Label(number + Label::NAMED)
    }

    /// What a label of other classes is here. `labels` remembers it. `None` where it cannot be told.
    fn taken(&mut self, from: &Self, theirs: Label, labels: &mut Vec<Option<Label>>) -> Option<Label> {
        let label = if theirs.is_class() && theirs > Label::SECOND {
            let at = usize::from(theirs.0);
            if labels.len() <= at {
                labels.resize(at + 1, None);
            }
            let known = &mut labels[at];
            *known.get_or_insert_with(|| self.number(&from.names[usize::from(theirs.0 - Label::NAMED)]))
        } else {
            theirs
        };
        (label != Label::OTHER).then_some(label)
    }

    fn count(&mut self, label: Label, rows: u64) {
        if label == Label::OTHER {
            self.other += rows;
            return;
        }
        let at = usize::from(label.0);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += rows;
    }

    /// Whether there are too many labels to be told apart.
    pub(super) fn is_open(&self) -> bool {
        self.other > 0
    }

    /// What a label is called; `None` for those that are no class.
    pub(crate) fn title(&self, label: Label) -> Option<Cow<'_, str>> {
        match label {
            Label::NONE | Label::NULL | Label::OTHER => None,
            Label::FIRST => Some(Cow::Borrowed(FIRST)),
            Label::SECOND => Some(Cow::Borrowed(SECOND)),
            Label(number) => {
                let name = self.names.get(usize::from(number - Label::NAMED))?;
                Some(String::from_utf8_lossy(name))
            }
        }
    }

    /// Labels with the number of rows that carry each, in the order in which they were met.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Label, u64)> {
        let labels = self.counts.iter().enumerate().map(|(at, &rows)| (Label(at as u16), rows));
        labels.chain([(Label::OTHER, self.other)]).filter(|&(_, rows)| rows > 0)
    }
}

/// How many records carry each class, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Classes by name.
    pub(crate) classes: BTreeMap<String, u64>,
    /// Records without a label.
    pub(crate) null: u64,
}

impl Tally {
    /// Adds another tally.
    pub(crate) fn merge(&mut self, other: Tally) {
        self.null += other.null;
        for (class, rows) in other.classes {
            *self.classes.entry(class).or_default() += rows;
        }
    }

    /// Adds the classes of an index.
    pub(crate) fn add(&mut self, index: &Index) {
        for (label, rows) in index.classes.counts() {
            match index.classes.title(label) {
                Some(class) => *self.classes.entry(class.into_owned()).or_default() += rows,
                None if label == Label::NULL => self.null += rows,
                None => {}
            }
        }
    }
}

impl Index {
    /// An index of labelled rows alone, for those who ask which contents are the same: it keeps no identifiers.
    pub(crate) fn labelled() -> Self {
        Self { labelled: true, keyer: Keyer::without_ids(), ..Self::default() }
    }

    /// Takes the records of a batch in. Batches must come in the order of the file.
    pub(crate) fn observe(&mut self, records: &Records<'_>) {
        if !records.kind.is_data() {
            return;
        }
        self.keyer.prepare(records);
        if self.labelled && !self.keyer.is_labelled() {
            return;
        }
        self.stretch(records);
        if *records.blob.fresh != Fresh::All {
            self.fresh.get_or_insert_default();
        }
        for record in records.iter() {
            let Keyed { key, id, label } = self.keyer.key(record, &records.blob.lens.null);
            let label = self.classes.label(label);
            let row = self.keys.len();
            self.push(key.unwrap_or(0), id.unwrap_or(0), label);
            self.lies.push(records, record.span(), record.number());
            if let Some(fresh) = &mut self.fresh
                && record.is_fresh()
            {
                fresh.push(row as u32);
            }
        }
    }

    fn push(&mut self, key: u64, id: u64, label: Label) {
        if id != 0 && self.ids.is_empty() {
            self.ids.reserve_exact(self.keys.capacity());
            self.ids.resize(self.keys.len(), 0);
        }
        if id != 0 || !self.ids.is_empty() {
            reserve(&mut self.ids);
            self.ids.push(id);
        }
        reserve(&mut self.keys);
        self.keys.push(key);
        reserve(&mut self.labels);
        self.labels.push(label);
    }

    /// An index without rows whose labels will stand in the same fields, with room for so many rows.
    pub(super) fn like(&self, rows: usize) -> Self {
        Self {
            keys: Vec::with_capacity(rows),
            labels: Vec::with_capacity(rows),
            lies: Lies::Rows(Rows::with_room(rows)),
            stretches: self.stretches.clone(),
            ..Self::default()
        }
    }

    /// The only stretch, where all rows have their labels in the same fields.
    pub(super) fn one_stretch(&self) -> Option<&Stretch> {
        if let [one] = &self.stretches[..] { Some(one) } else { None }
    }

    /// Where rows lie in the bytes of the file.
    pub(super) fn rows(&self) -> Option<&Rows> {
        if let Lies::Rows(rows) = &self.lies { Some(rows) } else { None }
    }

    /// Notes that each row is a line that says the same wherever it stands.
    pub(super) fn set_by_line(&mut self) {
        self.by_line = !self.labelled;
    }

    /// Where rows lie, if each is a line that says the same wherever it stands.
    pub(super) fn lines(&self) -> Option<&Rows> {
        self.rows().filter(|_| self.by_line)
    }

    /// Takes over the rows of another index that a walk passes before `until`, each moved by `shift` bytes. `labels`
    /// remembers what the labels of the other one are here. `None` where one of its labels cannot be told, or a row
    /// reaches over the end.
    pub(super) fn take(
        &mut self,
        from: &Self,
        walk: &mut Walk<'_>,
        until: u64,
        shift: i64,
        labels: &mut Vec<Option<Label>>,
    ) -> Option<()> {
        let Lies::Rows(rows) = &mut self.lies else { return None };
        let (first, before) = (walk.row(), self.keys.len());
        let taken = first..first + rows.take(walk, until, shift)?;
        for &theirs in &from.labels[taken.clone()] {
            let label = self.classes.taken(&from.classes, theirs, labels)?;
            self.classes.count(label, 1);
            self.labels.push(label);
        }
        self.keys.extend_from_slice(&from.keys[taken.clone()]);
        let ids = from.ids.get(taken).unwrap_or_default();
        if !self.ids.is_empty() || ids.iter().any(|&id| id != 0) {
            self.ids.reserve_exact(self.keys.capacity() - self.ids.len());
            self.ids.resize(before, 0);
            self.ids.extend_from_slice(ids);
            self.ids.resize(self.keys.len(), 0);
        }
        Some(())
    }

    /// Notes where labels stand in the rows to come.
    fn stretch(&mut self, records: &Records<'_>) {
        let named = |role: Role| records.names.iter().filter(move |name| name.role == role);
        let by_user = named(Role::User).next().is_some();
        let labelled = self.keyer.is_labelled() && !self.keyer.is_list();
        let same = |names: &str| named(Role::Label).map(|name| name.path.as_str()).eq(names.split(FIELDS));
        let goes_on = |last: &Stretch| {
            last.by_user == by_user
                && last.labelled == labelled
                && if last.fields.is_empty() { named(Role::Label).next().is_none() } else { same(&last.fields) }
        };
        if !self.stretches.last().is_some_and(goes_on) {
            let fields: Vec<&str> = named(Role::Label).map(|name| name.path.as_str()).collect();
            let fields = fields.join(FIELDS).into();
            self.stretches.push(Stretch { from: self.keys.len(), fields, labelled, by_user });
        }
    }

    /// Lets go of what only reading needs.
    pub(crate) fn close(&mut self) {
        self.keyer = Keyer::default();
        self.keys.shrink_to_fit();
        self.labels.shrink_to_fit();
        self.ids.shrink_to_fit();
        if let Lies::Rows(rows) | Lies::Cells(rows) = &mut self.lies {
            rows.close();
        }
    }

    /// Its rows, in stretches whose labels stand in the same fields.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (&Stretch, Range<usize>)> {
        let ends = self.stretches.iter().skip(1).map(|next| next.from).chain([self.len()]);
        self.stretches.iter().zip(ends).map(|(stretch, end)| (stretch, stretch.from..end))
    }

    /// How many rows the change brought, where that is known.
    pub(crate) fn fresh_rows(&self) -> Option<u64> {
        self.fresh.as_ref().map(|rows| rows.len() as u64)
    }

    /// Whether the change brought a row.
    pub(crate) fn is_fresh(&self, row: usize) -> bool {
        self.fresh.as_ref().is_none_or(|fresh| fresh.binary_search(&(row as u32)).is_ok())
    }

    /// Counts the classes of a batch and keeps no row: for files that did not change, whose classes still decide what a
    /// change elsewhere means.
    pub(crate) fn count(&mut self, records: &Records<'_>) {
        if !records.kind.is_data() {
            return;
        }
        self.keyer.prepare(records);
        for record in records.iter() {
            let label = self.keyer.label_only(record, &records.blob.lens.null);
            self.classes.label(label);
        }
    }

    /// Takes in a file that is a record by itself and whose folder is its label: `train/cat/001.png`. `content` is what
    /// tells its content, such as its object id.
    pub(crate) fn file(&mut self, path: &[u8], content: &[u8], blob: BlobId) {
        let folder = path.iter().rposition(|&b| b == b'/').map_or(&[][..], |at| &path[..at]);
        let class = folder.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let label = self.classes.label(if class.is_empty() { LabelOf::Null } else { LabelOf::Class(class) });
        self.keys.push(super::hash::hash(content).max(1));
        self.labels.push(label);
        match &mut self.lies {
            Lies::Files(files) => files.push(blob),
            lies => *lies = Lies::Files(vec![blob]),
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Its classes.
    pub(crate) fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Key of a row's content; `None` where it has none.
    pub(crate) fn key(&self, row: usize) -> Option<u64> {
        Some(self.keys[row]).filter(|&key| key != 0)
    }

    /// Those of some rows that have a key and a class, with their keys.
    pub(crate) fn classed(&self, rows: Range<usize>) -> impl Iterator<Item = (u32, u64)> {
        let both = self.keys[rows.clone()].iter().zip(&self.labels[rows.clone()]).zip(rows);
        both.filter(|((key, label), _)| **key != 0 && label.is_class()).map(|((key, _), row)| (row as u32, *key))
    }

    /// Label of a row.
    pub(crate) fn label(&self, row: usize) -> Label {
        self.labels[row]
    }

    /// Number of a row in its file, from 1.
    pub(crate) fn number(&self, row: usize) -> u64 {
        match &self.lies {
            Lies::Rows(rows) | Lies::Cells(rows) => rows.number(row),
            Lies::Files(_) | Lies::Nowhere => 1,
        }
    }

    /// Where a row lies in the raw blob.
    pub(crate) fn place(&self, row: usize, blob: BlobId) -> Place {
        match &self.lies {
            Lies::Rows(rows) => Place { blob, at: At::Bytes(rows.span(row)) },
            Lies::Cells(rows) => Place { blob, at: At::Cell { row: rows.number(row) - 1, column: 0 } },
            // A file that is one record lies where it is looked for.
            Lies::Files(files) if files.len() > 1 => Place { blob: files[row], at: At::Name },
            Lies::Files(_) | Lies::Nowhere => Place { blob, at: At::Name },
        }
    }
}

impl Lies {
    fn push(&mut self, records: &Records<'_>, span: Span, number: u64) {
        use crate::format::Kind;
        if matches!(records.kind, Kind::Parquet | Kind::Arrow) {
            if !matches!(self, Lies::Cells(_)) {
                *self = Lies::Cells(Rows::default());
            }
            if let Lies::Cells(rows) = self {
                rows.push(Span::default(), number);
            }
            return;
        }
        if !matches!(self, Lies::Rows(_)) {
            *self = Lies::Rows(Rows::default());
        }
        let Lies::Rows(rows) = self else { return };
        let decoded = records.blob.decoded;
        match &decoded.offsets {
            Offsets::Same => rows.push(span, number),
            mapped => rows.push(mapped.raw(&decoded.bytes, span), number),
        }
    }
}
