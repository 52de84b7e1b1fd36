//! The loop: decode a batch, write its rows out, hand them on, and stop where a cap bites.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;

use super::arrow::{Batches, Step};
use super::lend::{Lent, lend};
use super::parquet::File;
use super::plan::{Plan, Plans};
use super::rows::Rows;
use crate::format::{Blob, Flaw, Guess, Kind, Name, Read, Records, Sink, roles};
use crate::policy::Limits;
use crate::span::Span;

/// At most this many reasons are given.
const REASONS: usize = 8;

/// Calls into a library that may panic. The panic is not a way out for the data: the file counts as unread.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    // What the closure leaves half done is thrown away, or is plain memory of our own.
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "the reader gave up on it (parser panic)".to_owned())
}

pub(super) fn read(blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<Read, String> {
    let bytes: &[u8] = &blob.decoded.bytes;
    match super::detect(bytes) {
        Some(Kind::Parquet) => lend(bytes, |lent| parquet(bytes, lent, blob, limits, sink)).flatten(),
        Some(Kind::Arrow) => arrow(bytes, blob, limits, sink),
        _ => Err("neither Parquet nor Arrow".to_owned()),
    }
}

fn parquet(bytes: &[u8], lent: Lent, blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<Read, String> {
    let named = |reason| format!("Parquet: {reason}");
    let file = guarded(|| File::open(bytes, lent, limits)).flatten().map_err(named)?;
    let plans = guarded(|| Plans::new(file.schema(), &file.numbers, limits.fields)).map_err(named)?;
    let mut reading = Reading::new(blob, Kind::Parquet, plans, limits, sink);
    reading.unread.extend(file.unread.iter().map(|reason| named(reason.clone())));
    for (group, claimed) in file.row_groups().into_iter().enumerate() {
        let first = reading.rows.next();
        let done = guarded(|| file.batches(group)).flatten().and_then(|mut batches| {
            while let Some(batch) = guarded(|| batches.next())?.transpose().map_err(|_| "damaged page")? {
                reading.take(&batch)?;
            }
            Ok(())
        });
        if let Err(reason) = done {
            reading.give_up(format!("Parquet row group {}: {reason}", group + 1));
        }
        if reading.rows.is_spent() {
            break;
        }
        // Rows keep their numbers behind a row group that could not be read to its end.
        reading.seek(first.saturating_add(claimed));
    }
    reading.finish()
}

fn arrow(bytes: &[u8], blob: &Blob<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<Read, String> {
    let named = |reason| format!("Arrow: {reason}");
    let mut batches = guarded(|| Batches::open(bytes, limits)).flatten().map_err(named)?;
    let numbers: Vec<u32> = (0..).take(batches.schema().fields().len()).collect();
    let plans = guarded(|| Plans::new(batches.schema(), &numbers, limits.fields)).map_err(named)?;
    let mut reading = Reading::new(blob, Kind::Arrow, plans, limits, sink);
    for message in 1_u64.. {
        let (reason, goes_on) = match guarded(|| batches.step()) {
            Ok(Ok(Step::Batch(batch))) => match reading.take(&batch) {
                Ok(()) => continue,
                Err(reason) => (reason, true),
            },
            Ok(Ok(Step::Other)) => continue,
            Ok(Ok(Step::End)) => break,
            Ok(Err(reason)) => reason,
            // The frame was passed before its content was decoded.
            Err(reason) => (reason, true),
        };
        reading.give_up(format!("Arrow message {message}: {reason}"));
        if !goes_on || reading.rows.is_spent() {
            break;
        }
    }
    reading.finish()
}

/// A file being read.
struct Reading<'a, 'b> {
    blob: &'b Blob<'a>,
    kind: Kind,
    sink: &'b mut dyn Sink,
    plans: Vec<Plan>,
    names: Vec<Name>,
    rows: Rows,
    records: u64,
    guess: Option<Guess>,
    unread: Vec<String>,
    /// Reasons that were not kept any more.
    more: u64,
    twins: bool,
    begun: bool,
}

impl<'a, 'b> Reading<'a, 'b> {
    fn new(blob: &'b Blob<'a>, kind: Kind, plans: Plans, limits: &Limits, sink: &'b mut dyn Sink) -> Self {
        let named = |reason| format!("{}: {reason}", if kind == Kind::Parquet { "Parquet" } else { "Arrow" });
        Self {
            blob,
            kind,
            sink,
            plans: plans.columns,
            names: plans.names,
            rows: Rows::new(limits),
            records: 0,
            guess: None,
            unread: plans.unread.into_iter().map(named).collect(),
            more: 0,
            twins: plans.twins,
            begun: false,
        }
    }

    /// Writes the rows of a batch out and hands full batches on.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let mut row = 0;
        while row < batch.num_rows() {
            let (rows, plans) = (&mut self.rows, &self.plans);
            let next = guarded(|| {
                let mut next = row;
                while next < batch.num_rows() && !rows.is_full() && !rows.is_spent() {
                    rows.push(plans, batch, next);
                    next += 1;
                }
                next
            });
            // A row that was being written when the library panicked is not kept.
            self.rows.settle();
            row = next?;
            if self.rows.is_spent() {
                return Err("larger than the limit when written out".to_owned());
            }
            if self.rows.is_full() {
                self.flush();
            }
        }
        Ok(())
    }

    fn flush(&mut self) {
        if self.rows.rows.is_empty() {
            return;
        }
        if !self.begun {
            self.begin();
        }
        self.records += self.rows.rows.len() as u64;
        self.sink.records(&Records {
            blob: *self.blob,
            kind: self.kind,
            names: &self.names,
            text: &self.rows.text,
            first: self.rows.first,
            rows: &self.rows.rows,
            cells: &self.rows.cells,
            flaws: &self.rows.flaws,
            sieve: None,
        });
        self.rows.clear();
    }

    /// Before the first batch is handed on: roles, and what is wrong with the columns as such.
    fn begin(&mut self) {
        self.begun = true;
        let Rows { text, rows, cells, .. } = &self.rows;
        self.guess = roles::settle(self.blob, self.kind, &mut self.names, text, rows, cells);
        if self.twins {
            let detail = "two columns have the same name".to_owned();
            self.rows.flaws.insert(0, Flaw { kind: "duplicate-key", span: Span::new(0, 0), record: None, detail });
        }
    }

    fn seek(&mut self, row: u64) {
        if row > self.rows.next() {
            self.flush();
            self.rows.first = row;
        }
    }

    fn give_up(&mut self, reason: String) {
        if self.unread.len() < REASONS {
            self.unread.push(reason);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Result<Read, String> {
        self.flush();
        if self.more > 0 {
            self.unread.push(format!("{} more parts", self.more));
        }
        if self.records == 0 && !self.unread.is_empty() {
            return Err(self.unread.swap_remove(0));
        }
        let (kind, records, guess, unread) = (self.kind, self.records, self.guess, self.unread);
        Ok(Read { kind, records, references: 0, guess, unread })
    }
}
