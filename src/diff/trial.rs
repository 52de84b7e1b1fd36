//! Small data sets for the tests of this module, without any reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BStr;

use super::again::Again;
use super::{Index, Indexed, Side, Tally, Version};
use crate::format::{Blob, Cell, Coding, Decoded, Encoding, Kind, Name, Offsets, Records, Row, Sink};
use crate::lens::{Lens, Role};
use crate::span::{BlobId, Fresh};

/// A table of tab-separated values whose columns have these roles.
pub(crate) struct Table {
    path: String,
    names: Vec<Name>,
    decoded: Decoded<'static>,
    rows: Vec<Row>,
    cells: Vec<Cell>,
    pub(crate) lens: Lens,
    pub(crate) fresh: Fresh,
    pub(crate) blob: BlobId,
}

impl Table {
    /// `columns` are names with roles; each line of `text` is a row.
    pub(crate) fn new(path: &str, columns: &[(&str, Role)], text: &str) -> Self {
        let name =
            |(column, &(path, role)): (usize, &(&str, Role))| Name { path: path.into(), role, column: column as u32 };
        let (mut rows, mut cells, mut at) = (Vec::new(), Vec::new(), 0_u64);
        for line in text.lines() {
            let start = at;
            let first = cells.len();
            for (column, value) in line.split('\t').enumerate() {
                let end = at + value.len() as u64;
                let coding = if value == "null" { Coding::Null } else { Coding::Plain };
                cells.push(Cell { start: at, end, name: column as u16, index: 0, coding });
                at = end + 1;
            }
            rows.push(Row { start, end: at - 1, cells: first as u32, len: (cells.len() - first) as u32 });
        }
        let bytes = text.as_bytes().to_vec().into();
        Self {
            path: path.to_owned(),
            names: columns.iter().enumerate().map(name).collect(),
            decoded: Decoded { bytes, offsets: Offsets::Same, encoding: Encoding::Utf8 },
            rows,
            cells,
            lens: Lens::default(),
            fresh: Fresh::All,
            blob: BlobId(0),
        }
    }

    /// A table of texts and labels.
    pub(crate) fn labelled(path: &str, text: &str) -> Self {
        Self::new(path, &[("text", Role::Text), ("label", Role::Label)], text)
    }

    /// Shows the rows in batches of this size.
    pub(crate) fn batches(&self, size: usize, mut take: impl FnMut(&Records<'_>)) {
        for (number, rows) in self.rows.chunks(size).enumerate() {
            take(&Records {
                blob: Blob {
                    id: self.blob,
                    path: BStr::new(&self.path),
                    lens: &self.lens,
                    decoded: &self.decoded,
                    fresh: &self.fresh,
                },
                kind: Kind::Csv,
                names: &self.names,
                text: &self.decoded.bytes,
                first: (number * size) as u64,
                rows,
                cells: &self.cells,
                flaws: &[],
                sieve: None,
            });
        }
    }

    /// Its index.
    pub(crate) fn index(&self) -> Arc<Index> {
        let mut index = Index::default();
        self.batches(7, |records| index.observe(records));
        Arc::new(index)
    }

    /// The index of its labelled rows, read in batches of this size, as a check is shown it.
    pub(crate) fn indexed(&self, size: usize, look: impl FnOnce(&Indexed<'_>)) {
        let mut index = Index::labelled();
        self.batches(size, |records| index.observe(records));
        let path = BStr::new(&self.path);
        look(&Indexed { blob: self.blob, path, lens: &self.lens, index: &Arc::new(index) });
    }
}

/// Two versions of some files, and what else there is in their data sets.
#[derive(Default)]
pub(crate) struct Trial {
    sides: Vec<Side>,
    tables: Vec<[Option<Table>; 2]>,
    rest: BTreeMap<String, Tally>,
}

impl Trial {
    /// Adds a file of texts and labels.
    pub(crate) fn file(self, path: &str, before: Option<&str>, after: Option<&str>) -> Self {
        self.tables(before.map(|text| Table::labelled(path, text)), after.map(|text| Table::labelled(path, text)))
    }

    /// Adds a file.
    pub(crate) fn tables(mut self, before: Option<Table>, after: Option<Table>) -> Self {
        let path = after.as_ref().or(before.as_ref()).expect("a file is there before or after").path.clone();
        let blob = BlobId(self.sides.len() as u32);
        let (old, new) = (before.as_ref().map(Table::index), after.as_ref().map(Table::index));
        self.sides.push(Side::new(blob, path.into(), &Lens::default(), old, new));
        self.tables.push([before, after]);
        self
    }

    /// Says what the files that did not change hold.
    pub(crate) fn rest(mut self, set: &str, classes: &[(&str, u64)]) -> Self {
        let tally = Tally { classes: classes.iter().map(|&(class, n)| (class.to_owned(), n)).collect(), null: 0 };
        self.rest.insert(set.to_owned(), tally);
        self
    }

    /// Compares and shows the changes.
    pub(crate) fn compare<T>(&self, look: impl FnOnce(&super::Changes<'_>) -> T) -> T {
        look(&super::compare(&self.sides, self))
    }

    /// The transitions of the only data set, as text: `flip ham>spam 2+0+0`.
    pub(crate) fn transitions(&self) -> Vec<String> {
        self.compare(|changes| {
            let all = changes.summary.sets.iter().flat_map(|set| &set.transitions);
            let class = |class: &Option<String>| class.clone().unwrap_or_default();
            all.map(|t| {
                let (from, to) = (class(&t.from), class(&t.to));
                format!("{} {from}>{to} {}+{}+{}", t.kind.as_str(), t.count, t.copies, t.near)
            })
            .collect()
        })
    }
}

impl Again for Trial {
    fn read(&self, side: usize, version: Version, sink: &mut dyn Sink) -> bool {
        let Some(table) = &self.tables[side][version as usize] else { return false };
        table.batches(3, |records| sink.records(records));
        true
    }

    fn rest(&self, set: &str) -> Option<Tally> {
        self.rest.get(set).cloned()
    }
}
