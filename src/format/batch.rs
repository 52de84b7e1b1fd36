//! Collects rows and cells and hands them on in batches, so that a reader allocates nothing per row.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::coding::escape_len;
use super::sieve::{Kinds, Sieve};
use super::{Blob, Cell, Coding, Feeds, Flaw, Guess, Kind, Name, Read, Records, Row, Sink, roles};
use crate::lens::Role;
use crate::policy::Limits;
use crate::span::Span;

/// Records that roles are guessed from. They are held back until the guess is made.
pub(super) const SAMPLE_ROWS: usize = 500;
/// Bytes of records that roles are guessed from, where the records are long.
pub(super) const SAMPLE_BYTES: u64 = 1 << 20;

/// A batch ends behind this many rows, cells or bytes: small enough that what the checks read again is still near.
const BATCH_ROWS: usize = 2048;
/// Rows that are held back at most, where they belong together.
const HELD_ROWS: usize = 1 << 16;
const BATCH_CELLS: usize = 16 << 10;
const BATCH_BYTES: u64 = 256 << 10;

/// Cells of one record. What lies behind them is handed on as it stands.
pub(super) const MAX_CELLS: usize = 1 << 18;

/// Takes the cells and rows of one blob from its reader.
pub(super) struct Writer<'a, 's> {
    pub(super) blob: Blob<'a>,
    pub(super) limits: Limits,
    kind: Kind,
    text: &'a [u8],
    sink: &'s mut dyn Sink,
    names: Vec<Name>,
    rows: Vec<Row>,
    cells: Vec<Cell>,
    flaws: Vec<Flaw>,
    /// Number of the first row of the batch in the file, from 0.
    first: u64,
    /// Index of the first cell of the row under way.
    open: usize,
    /// Rows that hold something.
    filled: u64,
    /// Whether the roles are settled.
    settled: bool,
    guess: Option<Guess>,
    unread: Vec<String>,
    /// Line feeds up to where they were counted, or to the line that the reader said it is at.
    feeds: Feeds,
    /// Whether the reader counts them.
    told: bool,
    /// Whether a batch ends only where a row is empty.
    held: bool,
    /// Whether rows may lie before those that have been read.
    back: bool,
    sieve: Sieve,
}

impl<'a, 's> Writer<'a, 's> {
    pub(super) fn new(blob: &Blob<'a>, kind: Kind, limits: &Limits, sink: &'s mut dyn Sink) -> Self {
        Self {
            blob: *blob,
            limits: *limits,
            kind,
            text: &blob.decoded.bytes,
            sink,
            names: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            flaws: Vec::new(),
            first: 0,
            open: 0,
            filled: 0,
            settled: false,
            guess: None,
            unread: Vec::new(),
            feeds: Feeds::default(),
            told: false,
            held: false,
            back: false,
            sieve: Sieve::default(),
        }
    }

    /// A reader that goes line by line is at the start of one. Whoever says so says it of every line.
    #[inline]
    pub(super) fn line(&mut self, at: usize) {
        self.feeds = Feeds { at: at as u64, count: self.feeds.count + u64::from(self.told) };
        self.told = true;
    }

    /// From here on a batch ends behind an empty row: what stands between two of them belongs together.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    /// A new name. Its role is guessed from the sample, unless the sample is over.
    pub(super) fn name(&mut self, path: impl Into<String>) -> u16 {
        let path = path.into();
        let role = match (&self.blob.lens.roles, self.settled) {
            (Some(declared), _) => roles::declared(declared, &path),
            (None, true) => roles::late(self.guess.as_ref(), &path),
            (None, false) => Role::Other,
        };
        // Readers stop making names long before the numbers run out.
        let number = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.names.push(Name { path, role, column: u32::from(number) });
        number
    }

    /// A new name whose role is known without a guess.
    pub(super) fn name_as(&mut self, path: &str, role: Role) -> u16 {
        let number = self.name(path);
        let name = &mut self.names[usize::from(number)];
        if self.blob.lens.roles.is_none() {
            name.role = role;
        }
        number
    }

    #[inline]
    pub(super) fn cell(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// A cell that was pushed into the row under way, by its place in it.
    pub(super) fn cell_mut(&mut self, index: usize) -> Option<&mut Cell> {
        self.cells.get_mut(self.open + index)
    }

    /// The cells of the row under way.
    pub(super) fn open_row(&self) -> &[Cell] {
        &self.cells[self.open..]
    }

    /// Number of the flaws of the batch under way.
    pub(super) fn flaws(&self) -> usize {
        self.flaws.len()
    }

    /// Number of the cells of the row under way.
    #[inline]
    pub(super) fn open_cells(&self) -> usize {
        self.cells.len() - self.open
    }

    /// Whether a stretch of the text may have bytes of these kinds.
    #[inline]
    pub(super) fn may_have(&mut self, stretch: Range<usize>, kinds: Kinds) -> bool {
        self.sieve.reach(self.text, stretch.end);
        self.sieve.may_have(stretch, kinds)
    }

    /// Drops the cells of the row under way.
    pub(super) fn abandon(&mut self) {
        self.cells.truncate(self.open);
    }

    /// Number of the record under way, from 1.
    pub(super) fn number(&self) -> u64 {
        self.first + self.rows.len() as u64 + 1
    }

    /// A flaw of the record under way.
    pub(super) fn flaw(&mut self, kind: &'static str, span: Span, detail: impl Into<String>) {
        let record = Some(self.number());
        self.flaws.push(Flaw { kind, span, record, detail: detail.into() });
    }

    /// A flaw of the blob as a whole.
    pub(super) fn blob_flaw(&mut self, kind: &'static str, span: Span, detail: impl Into<String>) {
        self.flaws.push(Flaw { kind, span, record: None, detail: detail.into() });
    }

    /// A part that could not be read.
    pub(super) fn unread(&mut self, reason: impl Into<String>) {
        self.unread.push(reason.into());
    }

    /// Ends the row under way, which lies at `start..end`.
    #[inline]
    pub(super) fn row(&mut self, start: usize, end: usize) {
        let (start, end) = (start as u64, end as u64);
        if end - start > self.limits.record {
            self.oversized(Span::new(start, end));
        }
        let len = self.open_cells();
        self.rows.push(Row { start, end, cells: self.open as u32, len: len as u32 });
        self.open = self.cells.len();
        self.filled += u64::from(len > 0);
        let from = self.rows.first().map_or(start, |row| row.start);
        // Saturating, since the extra row of a document may lie before its records.
        let bytes = end.saturating_sub(from);
        let full = match self.settled {
            true => self.rows.len() >= BATCH_ROWS || self.cells.len() >= BATCH_CELLS || bytes >= BATCH_BYTES,
            false => self.rows.len() >= SAMPLE_ROWS || self.cells.len() >= 4 * BATCH_CELLS || bytes >= SAMPLE_BYTES,
        };
        if full && (!self.held || len == 0 || self.rows.len() >= HELD_ROWS) {
            self.flush();
        }
    }

    /// From here on rows may lie before those that have been read: they are a batch of their own, since rows of one batch
    /// follow each other, and no sieve looks back.
    pub(super) fn turn_back(&mut self) {
        self.flush();
        self.back = true;
    }

    /// Ends the row under way as one that is no record of the data: it is looked at and not counted.
    pub(super) fn row_beside(&mut self, start: usize, end: usize) {
        let filled = self.filled;
        self.row(start, end);
        self.filled = filled;
    }

    /// A record over the cap is read all the same, but in pieces, so that no check has to hold all of it.
    #[cold]
    fn oversized(&mut self, span: Span) {
        if self.kind.is_data() {
            let limit = self.limits.record;
            self.flaw("oversized-record", span, format!("{} bytes, where the limit is {limit}", span.len()));
        }
        let piece = usize::try_from(self.limits.record).unwrap_or(usize::MAX).max(64);
        let whole = self.cells.split_off(self.open);
        for cell in whole {
            let raw = Span::new(cell.start, cell.end).of(self.text);
            let mut at = 0;
            while raw.len() - at > piece {
                let next = at + cut(cell.coding, &raw[at..], piece);
                self.cells.push(Cell { start: cell.start + at as u64, end: cell.start + next as u64, ..cell });
                at = next;
            }
            self.cells.push(Cell { start: cell.start + at as u64, ..cell });
        }
    }

    fn flush(&mut self) {
        if !self.settled {
            self.settled = true;
            self.guess = roles::settle(&self.blob, self.kind, &mut self.names, self.text, &self.rows, &self.cells);
        }
        if self.rows.is_empty() && self.flaws.is_empty() {
            return;
        }
        let end = self.rows.last().and_then(|row| usize::try_from(row.end).ok()).unwrap_or(0);
        if !self.back {
            self.sieve.reach(self.text, end);
        }
        self.sink.records(&Records {
            blob: self.blob,
            kind: self.kind,
            names: &self.names,
            text: self.text,
            first: self.first,
            rows: &self.rows,
            cells: &self.cells,
            flaws: &self.flaws,
            sieve: (!self.back).then_some(&self.sieve),
        });
        if !self.back {
            self.sieve.forget(end);
        }
        if !self.told
            && let Some(row) = self.rows.last()
            && row.end > self.feeds.at
        {
            // The batch was just read, so that its bytes are near.
            let bytes = Span::new(self.feeds.at, row.end).of(self.text);
            let count = self.feeds.count + memchr_iter(b'\n', bytes).count() as u64;
            self.feeds = Feeds { at: row.end, count };
        }
        self.sink.feeds(self.feeds);
        self.first += self.rows.len() as u64;
        self.rows.clear();
        self.cells.clear();
        self.flaws.clear();
        self.open = 0;
    }

    pub(super) fn finish(mut self) -> Read {
        self.flush();
        let data = self.kind.is_data() || self.blob.lens.dataset.is_some();
        if let Some(declared) = &self.blob.lens.roles
            && self.filled > 0
            && !declared.fields.is_empty()
            && self.names.iter().all(|name| name.role == Role::Other)
        {
            let fields: Vec<&str> = declared.fields.iter().map(|(field, _)| field.as_str()).collect();
            self.unread.push(format!("none of the declared fields ({}) is in it", fields.join(", ")));
        }
        Read {
            kind: self.kind,
            records: if data { self.filled } else { 0 },
            references: 0,
            guess: self.guess,
            unread: self.unread,
        }
    }
}

/// Where to cut a value that is longer than `piece`: at or before `piece`, between characters and between escapes.
fn cut(coding: Coding, raw: &[u8], piece: usize) -> usize {
    let mark = match coding {
        Coding::Json => Some(b'\\'),
        Coding::Csv => Some(b'"'),
        _ => None,
    };
    let mut at = 0;
    if let Some(mark) = mark {
        while let Some(n) = memchr(mark, &raw[at..piece]) {
            let next = at + n + escape_len(coding, &raw[at + n..]);
            if next > piece {
                return if at + n > 0 { at + n } else { next.min(raw.len()) };
            }
            at = next;
        }
    }
    let mut end = piece;
    while end > at && end > piece - 3 && raw.get(end).is_some_and(|b| b & 0xC0 == 0x80) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_between_characters_and_escapes() {
        assert_eq!(cut(Coding::Plain, "ab中d".as_bytes(), 4), 2);
        assert_eq!(cut(Coding::Json, br"abcd\ud83d\ude00 tail", 10), 4);
        assert_eq!(cut(Coding::Json, br"abcdefghi\\tail", 10), 9);
        assert_eq!(cut(Coding::Csv, br#"abc""""tail"#, 6), 5);
        // Malformed UTF-8 does not hold it up.
        assert_eq!(cut(Coding::Plain, &[0x80; 20], 10), 7);
    }
}
