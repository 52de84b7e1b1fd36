//! Records of data, in batches: rows and cells as plain arrays, with the way back to the bytes.

use std::ops::Range;

use super::sieve::{Kinds, Sieve};
use super::{Blob, Kind};
use crate::lens::Role;
use crate::span::{At, Place, Span};

/// A batch of records of one blob. Rows and cells are plain arrays, so that no row costs an allocation.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    /// The blob they come from.
    pub blob: Blob<'a>,
    /// What it is.
    pub kind: Kind,
    /// Names and roles of fields.
    pub names: &'a [Name],
    /// What the cells' offsets count: the decoded blob, or a batch's own memory for columnar files.
    pub text: &'a [u8],
    /// Number of the first row in the file, from 0.
    pub first: u64,
    /// The rows.
    pub rows: &'a [Row],
    /// The cells of all rows, one row after the other.
    pub cells: &'a [Cell],
    /// What a trainer's parser would read differently, or not at all.
    pub flaws: &'a [Flaw],
    /// Which kinds of bytes stand where in the text; `None` where nobody has looked.
    pub sieve: Option<&'a Sieve>,
}

/// The name of a field.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Name {
    /// Dotted, with `[]` for every element of a list: `messages[].content`.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// The column it has in a table, from 0.
    pub column: u32,
}

/// A row: where it lies and which cells are its own.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Row {
    /// First byte of the record in [`Records::text`].
    pub start: u64,
    /// Behind its last byte.
    pub end: u64,
    /// Index of its first cell.
    pub cells: u32,
    /// Number of its cells.
    pub len: u32,
}

/// The value of one field of one row.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Cell {
    /// First byte of the value in [`Records::text`], inside its quotes.
    pub start: u64,
    /// Behind its last byte, inside its quotes.
    pub end: u64,
    /// Index into [`Records::names`].
    pub name: u16,
    /// Index of the list element it lies in, where the name has `[]`.
    pub index: u32,
    /// How it is written.
    pub coding: Coding,
}

/// How a value is written down.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(crate) enum Coding {
    /// A string without any escape.
    Plain,
    /// A string with JSON escapes.
    Json,
    /// A quoted CSV field in which quotes are doubled.
    Csv,
    /// A number, `true` or `false`.
    Bare,
    /// `null`, or a missing value.
    Null,
    /// A value of a columnar file, written out as text into the batch's own memory.
    Columnar,
}

/// What a trainer's parser would read differently.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Flaw {
    /// Which flaw: `duplicate-key`, `not-a-number`, `lone-surrogate`, `swallowed-quote`, `stray-quote`,
    /// `oversized-record`, `unparsable-record`, `trailing-garbage`, `ragged-row`, `malformed-utf8`, `not-utf8`,
    /// `lfs-mismatch`.
    pub kind: &'static str,
    /// Where, in [`Records::text`].
    pub span: Span,
    /// Number of the record, from 1.
    pub record: Option<u64>,
    /// One phrase of detail, without data in it.
    pub detail: String,
}

impl<'a> Records<'a> {
    /// The record of this number, from 1, where the batch holds it.
    pub(crate) fn record(&self, number: u64) -> Option<Record<'_>> {
        let index = usize::try_from(number.checked_sub(self.first + 1)?).ok()?;
        (index < self.rows.len()).then_some(Record { batch: self, index })
    }

    /// The records of the batch, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.rows.len()).map(|i| Record { batch: self, index: i })
    }

    /// The next stretch of the text at or behind `at` that may have bytes of these kinds. It may end behind the text.
    pub(crate) fn stretch(&self, at: usize, kinds: Kinds) -> Option<Range<usize>> {
        match self.sieve {
            Some(sieve) => sieve.next(at, kinds),
            None => (at < self.text.len()).then_some(at..self.text.len()),
        }
    }

    /// A place in the raw blob for a span of [`Records::text`].
    pub(crate) fn place(&self, span: Span) -> Place {
        if self.kind.is_columnar() {
            return Place { blob: self.blob.id, at: self.cell_at(span.start) };
        }
        Place { blob: self.blob.id, at: At::Bytes(self.blob.decoded.offsets.raw(&self.blob.decoded.bytes, span)) }
    }

    /// The cell of a columnar file whose text lies at this offset of the batch's memory.
    fn cell_at(&self, offset: u64) -> At {
        let row = self.rows.partition_point(|row| row.start <= offset).saturating_sub(1);
        let cells = self.rows.get(row).map(|row| &self.cells[row.cells as usize..(row.cells + row.len) as usize]);
        let cell = cells.and_then(|cells| cells.iter().find(|cell| cell.end > offset));
        let column = cell.map_or(0, |cell| self.names[usize::from(cell.name)].column);
        At::Cell { row: self.first + row as u64, column }
    }
}

/// One record of a batch.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Record<'a> {
    batch: &'a Records<'a>,
    index: usize,
}

impl<'a> Record<'a> {
    /// Its number in the file, from 1.
    pub(crate) fn number(self) -> u64 {
        self.batch.first + self.index as u64 + 1
    }

    /// Its row.
    pub(crate) fn row(self) -> &'a Row {
        &self.batch.rows[self.index]
    }

    /// Its span in [`Records::text`], which is the decoded blob unless the file is columnar.
    pub(crate) fn span(self) -> Span {
        Span::new(self.row().start, self.row().end)
    }

    /// Whether a change brought or touched it.
    ///
    /// In columnar files the fresh spans count records, from 0, not bytes.
    pub(crate) fn is_fresh(self) -> bool {
        let number = self.number();
        let span = if self.batch.kind.is_columnar() { Span::new(number - 1, number) } else { self.span() };
        self.batch.blob.fresh.touches(span)
    }

    /// Its fields, in the order of the file.
    pub(crate) fn fields(self) -> impl Iterator<Item = Field<'a>> {
        let row = self.row();
        let (first, len) = (row.cells as usize, row.len as usize);
        self.batch.cells[first..first + len].iter().map(move |cell| Field { record: self, cell })
    }

    /// Its fields of this role.
    pub(crate) fn with_role(self, role: Role) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |f| f.role() == role)
    }

    /// The batch it belongs to.
    pub(crate) fn batch(self) -> &'a Records<'a> {
        self.batch
    }
}

/// One field of one record.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Field<'a> {
    record: Record<'a>,
    cell: &'a Cell,
}

impl<'a> Field<'a> {
    /// What it is for.
    pub(crate) fn role(self) -> Role {
        self.name().role
    }

    /// Its name in the schema.
    pub(crate) fn name(self) -> &'a Name {
        &self.record.batch.names[usize::from(self.cell.name)]
    }

    /// Its dotted name with the index of its list element: `messages.2.content`.
    pub(crate) fn dotted(self) -> String {
        self.name().path.replacen("[]", &format!(".{}", self.cell.index), 1)
    }

    /// How it is written.
    pub(crate) fn coding(self) -> Coding {
        self.cell.coding
    }

    /// Its bytes as they stand in the blob, without the quotes around them.
    pub(crate) fn raw(self) -> &'a [u8] {
        Span::new(self.cell.start, self.cell.end).of(self.record.batch.text)
    }

    /// The record it belongs to.
    pub(crate) fn record(self) -> Record<'a> {
        self.record
    }

    /// Its cell.
    pub(crate) fn cell(self) -> &'a Cell {
        self.cell
    }
}
