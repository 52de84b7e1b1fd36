//! The batch of records under construction: rows written out as text into memory of their own.

use std::io::Write;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};

use super::plan::Plan;
use crate::format::{Cell, Coding, Flaw, Row};
use crate::policy::Limits;
use crate::span::Span;

/// A batch ends behind this many rows, cells or bytes: small enough that what the checks read again is still near.
const ROWS: usize = 2048;
const CELLS: usize = 16 << 10;
const TEXT: usize = 256 << 10;
/// Records and bytes of the first batch, from which roles are guessed.
const SAMPLE_ROWS: usize = 500;
const SAMPLE_TEXT: usize = 1 << 20;

/// Cells of one record.
const MAX_CELLS: usize = 1 << 18;
/// A record of up to this many times the cap is read all the same, in pieces.
const PIECES: usize = 16;

/// Work over all batches, as a multiple of the cap on a decompressed blob.
const WORK: u64 = 4;

/// Numbers that share a cell are written out up to here. Pixels and embeddings go on, but no rule reads them.
const JOINED: usize = 64 << 10;

/// Why a row is not written.
enum Oversized {
    Bytes,
    Fields,
}

/// Rows, their cells and the text that the cells point into.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) text: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) cells: Vec<Cell>,
    pub(super) flaws: Vec<Flaw>,
    /// Number of the first row in the file, from 0.
    pub(super) first: u64,
    /// Work done so far in all batches: bytes of all values, read or left out, and something for every cell.
    spent: u64,
    /// How much of it is allowed.
    work: u64,
    /// Where the text of the row begins that is being written.
    row: usize,
    /// Bytes from which a record is oversized, and from which it is not read.
    record: usize,
    hard: usize,
}

impl Rows {
    pub(super) fn new(limits: &Limits) -> Self {
        let record = usize::try_from(limits.record).unwrap_or(usize::MAX);
        let work = limits.blob.saturating_mul(WORK);
        Self { work, record, hard: record.saturating_mul(PIECES), ..Self::default() }
    }

    /// Whether the work that is allowed has been done.
    pub(super) fn is_spent(&self) -> bool {
        self.spent > self.work
    }

    pub(super) fn is_full(&self) -> bool {
        let (rows, text) = if self.first == 0 { (SAMPLE_ROWS, SAMPLE_TEXT) } else { (ROWS, TEXT) };
        self.text.len() >= text || self.cells.len() >= CELLS || self.rows.len() >= rows
    }

    /// Number of the next row in the file, from 0.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.rows.len() as u64)
    }

    /// Takes back what a row that was never finished has left behind.
    pub(super) fn settle(&mut self) {
        let (text, cells) = self.rows.last().map_or((0, 0), |row| (row.end, row.cells.saturating_add(row.len)));
        self.text.truncate(usize::try_from(text).unwrap_or(usize::MAX));
        self.cells.truncate(usize::try_from(cells).unwrap_or(usize::MAX));
    }

    /// Starts the next batch behind this one.
    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.text.clear();
        self.rows.clear();
        self.cells.clear();
        self.flaws.clear();
    }

    /// Writes row `i` of `batch`. One that is too large is written without its fields, and reported.
    pub(super) fn push(&mut self, plans: &[Plan], batch: &RecordBatch, i: usize) {
        self.row = self.text.len();
        let first = self.cells.len();
        let columns = plans.iter().zip(batch.columns());
        let mut written = Ok(());
        for (plan, array) in columns {
            written = self.value(plan, array.as_ref(), i, None, first);
            if written.is_err() {
                break;
            }
        }
        self.spent += 8;
        if let Err(over) = written {
            self.text.truncate(self.row);
            self.cells.truncate(first);
            self.oversized(match over {
                Oversized::Bytes => format!("more than {} bytes, not read", self.hard),
                Oversized::Fields => format!("more than {MAX_CELLS} values, not read"),
            });
        } else if self.text.len() - self.row > self.record {
            self.oversized(format!("{} bytes, where the limit is {}", self.text.len() - self.row, self.record));
            self.cut(first);
        }
        let len = u32::try_from(self.cells.len() - first).unwrap_or(u32::MAX);
        let cells = u32::try_from(first).unwrap_or(u32::MAX);
        self.rows.push(Row { start: self.row as u64, end: self.text.len() as u64, cells, len });
    }

    #[cold]
    fn oversized(&mut self, detail: String) {
        let span = Span::new(self.row as u64, self.text.len() as u64);
        let record = Some(self.next() + 1);
        self.flaws.push(Flaw { kind: "oversized-record", span, record, detail });
    }

    /// Cuts the cells of the last row into pieces, so that no check has to hold all of it.
    #[cold]
    fn cut(&mut self, first: usize) {
        let piece = self.record.max(64);
        for cell in self.cells.split_off(first) {
            let raw = Span::new(cell.start, cell.end).of(&self.text);
            let mut at = 0;
            while raw.len() - at > piece {
                let near = raw[..=at + piece].iter().rposition(|b| b & 0xC0 != 0x80).unwrap_or(0);
                let next = if near + 3 >= at + piece { near } else { at + piece };
                self.cells.push(Cell { start: cell.start + at as u64, end: cell.start + next as u64, ..cell });
                at = next;
            }
            self.cells.push(Cell { start: cell.start + at as u64, ..cell });
        }
    }

    /// Writes value `i` of `array`. `index` is the place in the outermost list around it, `first` the row's first cell.
    fn value(
        &mut self,
        plan: &Plan,
        array: &dyn Array,
        i: usize,
        index: Option<u32>,
        first: usize,
    ) -> Result<(), Oversized> {
        if !matches!(plan, Plan::Left) && array.is_null(i) {
            return self.null(plan, index, first);
        }
        match plan {
            Plan::Left => Ok(()),
            Plan::Null { .. } => self.null(plan, index, first),
            Plan::Bytes { name, get, binary } => {
                let value = get(array, i);
                self.spent += value.len() as u64;
                if *binary && !is_text(value) {
                    return Ok(());
                }
                self.room(value.len())?;
                let start = self.text.len();
                self.text.extend_from_slice(value);
                self.cell(*name, index, start, first)
            }
            Plan::Number { name, write, .. } => {
                let start = self.text.len();
                write(array, i, &mut self.text);
                self.cell(*name, index, start, first)
            }
            Plan::Class { name, number, classes } => {
                let start = self.text.len();
                let number = number(array, i);
                match usize::try_from(number).ok().and_then(|n| classes.get(n)) {
                    Some(class) => {
                        self.spent += class.len() as u64;
                        self.room(class.len())?;
                        self.text.extend_from_slice(class.as_bytes());
                    }
                    // The library's sign for a label that is not there.
                    None if number == -1 => return self.null(plan, index, first),
                    None => {
                        // Writing into memory cannot fail.
                        let _ = write!(self.text, "{number}");
                    }
                }
                self.cell(*name, index, start, first)
            }
            Plan::Struct(plans) => {
                let array = array.as_struct();
                let mut children = plans.iter().zip(array.columns());
                children.try_for_each(|(plan, child)| self.value(plan, child.as_ref(), i, index, first))
            }
            Plan::Coded { key, values, item } => match key(array, i) {
                Some(key) => self.value(item, values(array), key, index, first),
                None => self.null(plan, index, first),
            },
            Plan::List { range, values, item, apart } => {
                let values = values(array);
                let elements = range(array, i);
                for (n, element) in elements.clone().enumerate() {
                    // Elements that hold nothing cost nothing in the file, and there can be any number of them.
                    self.spent += 4;
                    if self.spent > self.work {
                        return Err(Oversized::Bytes);
                    }
                    let index = index.or(Some(u32::try_from(n).unwrap_or(u32::MAX)));
                    if n < *apart {
                        self.value(item, values, element, index, first)?;
                        continue;
                    }
                    let start = self.text.len();
                    self.join(item, values, elements.start + n..elements.end, start);
                    return item.number().map_or(Ok(()), |name| self.cell(name, index, start, first));
                }
                Ok(())
            }
        }
    }

    /// The rest of a list of numbers, as one text.
    fn join(&mut self, item: &Plan, values: &dyn Array, elements: Range<usize>, start: usize) {
        for (n, element) in elements.enumerate() {
            if self.text.len() - start > JOINED {
                return;
            }
            if n > 0 {
                self.text.extend_from_slice(b", ");
            }
            self.spent += 2;
            match item {
                _ if values.is_null(element) => self.text.extend_from_slice(b"null"),
                Plan::Number { write, .. } => write(values, element, &mut self.text),
                Plan::List { range, values: inner, item, .. } => {
                    self.text.push(b'[');
                    self.join(item, inner(values), range(values, element), start);
                    self.text.push(b']');
                }
                _ => {}
            }
        }
    }

    /// A null for every field under the plan.
    fn null(&mut self, plan: &Plan, index: Option<u32>, first: usize) -> Result<(), Oversized> {
        match plan {
            Plan::Left => Ok(()),
            Plan::Struct(plans) => plans.iter().try_for_each(|plan| self.null(plan, index, first)),
            Plan::List { item, .. } | Plan::Coded { item, .. } => self.null(item, index, first),
            Plan::Null { name } | Plan::Bytes { name, .. } | Plan::Number { name, .. } | Plan::Class { name, .. } => {
                let at = self.text.len();
                self.cell(*name, index, at, first)?;
                if let Some(cell) = self.cells.last_mut() {
                    cell.coding = Coding::Null;
                }
                Ok(())
            }
        }
    }

    fn room(&self, more: usize) -> Result<(), Oversized> {
        let size = self.text.len() - self.row;
        if size.saturating_add(more) > self.hard { Err(Oversized::Bytes) } else { Ok(()) }
    }

    /// A cell of the text written since `start`.
    fn cell(&mut self, name: u16, index: Option<u32>, start: usize, first: usize) -> Result<(), Oversized> {
        self.room(0)?;
        if self.cells.len() - first >= MAX_CELLS {
            return Err(Oversized::Fields);
        }
        self.spent += 2;
        let (start, end) = (start as u64, self.text.len() as u64);
        self.cells.push(Cell { start, end, name, index: index.unwrap_or(0), coding: Coding::Columnar });
        Ok(())
    }
}

/// Whether the bytes of a binary column are text that somebody forgot to declare as such. Images, sound and other
/// encoded content are not: they have bytes that no text has.
fn is_text(bytes: &[u8]) -> bool {
    let strange = |&b: &u8| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x1b);
    !bytes.iter().any(strange) && simdutf8::basic::from_utf8(bytes).is_ok()
}
