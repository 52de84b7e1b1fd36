//! Records: their fields, and what stands between them.

use std::borrow::Cow;
use std::cell::RefCell;

use super::causes::{Way, note};
use super::context::Groups;
use super::describe::describe;
use super::machine::{Level, Machine};
use super::prefilter::{Hits, Prefilter};
use super::walk::{Back, Sieved, container, decoded, is_columnar, stretches};
use super::{InvisibleUnicode, Seen, signal};
use crate::check::places::{is_json, text_of};
use crate::finding::{Mark, content_hash};
use crate::format::sieve::{ESCAPE, WIDE};
use crate::format::{Coding, Field, Records};
use crate::span::Span;

/// A text that is scanned, and what it belongs to.
struct Spot<'a> {
    records: &'a Records<'a>,
    coding: Coding,
    /// Its bytes in the batch.
    span: Span,
    /// The value that it is; `None` for what stands between values: keys, separators, the head of the file.
    value: Option<Field<'a>>,
    record: Option<u64>,
    /// The bytes whose hash names the place.
    content: &'a [u8],
    /// Whether a change brings it; what was there before only counts for the whole data set.
    fresh: bool,
    /// Whether classes that honest text is full of are looked at, too.
    wide: bool,
}

impl InvisibleUnicode {
    pub(super) fn records(&self, seen: &mut Seen, records: &Records<'_>) {
        if records.rows.is_empty() {
            return;
        }
        seen.signal.open(records);
        let mut machine = Machine::new(self.modes);
        if is_columnar(records) {
            self.columns(seen, &mut machine, records);
            self.deeper(seen, &mut machine, records, 0);
        } else {
            self.rows(seen, &mut machine, records);
            self.sample(seen, &mut machine, records);
            self.deeper(seen, &mut machine, records, records.rows[0].start);
        }
        seen.excused.add(&machine.excused);
    }

    /// Records that lie in the blob as they are read: one pass over their bytes, and the machine for what has a hit.
    fn rows(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>) {
        let wide = self.modes.info || seen.signal.counts_every_row();
        let filter = Prefilter { escapes: is_json(records.kind), wide };
        let sieved = Sieved::new(records, filter.escapes);
        let mut hits = filter.hits(text_of(records)).knowing(&sieved);
        stretches(records, &mut hits, &mut |stretch, hits| {
            let fresh = match stretch.record {
                Some(record) => record.is_fresh(),
                None => records.blob.fresh.touches(stretch.span),
            };
            // What was there before only counts for the whole data set.
            if !fresh && (stretch.field.is_none() || !seen.signal.is_open()) {
                return;
            }
            let content = stretch.record.map_or(stretch.span, |record| record.span()).of(records.text);
            let record = stretch.record.map(|record| record.number());
            let (value, coding, hits) = match stretch.field {
                // A nested value that was kept as it is written.
                Some(field) if field.coding() == Coding::Bare && is_escaped(field) => (None, Coding::Json, None),
                Some(field) => (Some(field), field.coding(), Some(hits)),
                None => (None, container(records.kind), None),
            };
            let spot = Spot { records, coding, span: stretch.span, value, record, content, fresh, wide };
            self.text(seen, machine, &spot, hits);
        });
    }

    /// Spaces and symbols that honest text is full of, in the rows of a large file that are counted. Of a small file they
    /// are seen with everything else.
    fn sample(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>) {
        let Some(step) = seen.signal.step().filter(|&step| step > 1 && !self.modes.info) else { return };
        let span = Span::new(records.rows[0].start, records.rows.last().map_or(0, |row| row.end));
        let (text, start) = (span.of(records.text), usize::try_from(span.start).unwrap_or(usize::MAX));
        let may_have = |kinds| records.stretch(start, kinds).is_some_and(|stretch| (stretch.start as u64) < span.end);
        let wide = || may_have(WIDE) && !text.is_ascii();
        let escaped = || may_have(ESCAPE) && memchr::memmem::find(text, b"\\u").is_some();
        let is_worth_it = wide() || escaped();
        if !is_worth_it {
            return;
        }
        let excused = machine.excused.clone();
        for record in signal::sampled(records, step) {
            for field in record.fields() {
                let (cell, coding) = (field.cell(), field.coding());
                let text = decoded(coding, field.raw());
                let mut hits = Prefilter { escapes: false, wide: true }.hits(&text);
                if hits.first_from(0).is_none() {
                    continue;
                }
                machine.scan(&text, &mut hits, 0, false);
                let was_decoded = matches!(text, Cow::Owned(_));
                let back = RefCell::new(Back::new(coding, field.raw(), cell.start, was_decoded));
                seen.signal.note(field, &text, machine, true, |range| {
                    let content = content_hash(record.span().of(records.text));
                    signal::mark(field, records.place(back.borrow_mut().lead(range)), content)
                });
            }
        }
        machine.excused = excused;
    }

    /// Records of columnar files: their cells are written out one after the other.
    fn columns(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>) {
        if records.first == 0 {
            self.column_names(seen, machine, records);
        }
        let wide = self.modes.info || seen.signal.is_open();
        if (Prefilter { escapes: false, wide }).hits(records.text).first_from(0).is_none() {
            return;
        }
        for record in records.iter() {
            let fresh = record.is_fresh();
            if !fresh && !seen.signal.is_open() {
                continue;
            }
            for field in record.fields() {
                let (value, coding, content) = (Some(field), field.coding(), field.raw());
                let span = Span::new(field.cell().start, field.cell().end);
                let spot = Spot { records, coding, span, value, record: Some(record.number()), content, fresh, wide };
                self.text(seen, machine, &spot, None);
            }
        }
    }

    /// Scans a text. `hits` are those of the whole batch, where it was searched.
    fn text(&self, seen: &mut Seen, machine: &mut Machine, spot: &Spot<'_>, hits: Option<&mut Hits<'_>>) {
        let &Spot { records, coding, span, value, .. } = spot;
        let raw = span.of(records.text);
        let text = decoded(coding, raw);
        let was_decoded = matches!(text, Cow::Owned(_));
        let columnar = coding == Coding::Columnar;
        let at_file_start = span.start == 0 && !columnar && !was_decoded;
        let excused = (!spot.fresh).then(|| machine.excused.clone());
        match (hits, usize::try_from(span.start)) {
            (Some(hits), Ok(base)) if !was_decoded => machine.scan(&text, hits, base, at_file_start),
            _ => {
                let filter = Prefilter { escapes: false, wide: spot.wide };
                machine.scan(&text, &mut filter.hits(&text), 0, at_file_start);
            }
        }
        let place = |span: Span, range| match value {
            Some(field) if columnar => field.locate(range),
            _ => records.place(span),
        };
        if let Some(field) = value
            && !machine.passed.is_empty()
        {
            let back = RefCell::new(Back::new(coding, raw, span.start, was_decoded));
            seen.signal.note(field, &text, machine, false, |range| {
                let span = back.borrow_mut().lead(range.clone());
                signal::mark(field, place(span, range), content_hash(spot.content))
            });
        }
        if let Some(excused) = excused {
            // Nothing of a row that was there before is told, not even as excused.
            machine.excused = excused;
            return;
        }
        let mut back = Back::new(coding, raw, span.start, was_decoded);
        for occurrence in &mut machine.found {
            if occurrence.slips_among != Groups::NONE && !self.modes.strict {
                let around = machine.around.groups(records.text, span.start).within(self.modes.lenient);
                if around.has(occurrence.slips_among) {
                    occurrence.level = occurrence.level.min(Level::Low);
                }
            }
            let span = back.lead(occurrence.range.clone());
            let escaped = !columnar && span.of(records.text).first() == Some(&b'\\');
            note(seen, occurrence, Way { escaped, ..Way::default() }, records.blob.id, || {
                let mut words = describe(&text, occurrence);
                if escaped {
                    words.push_str(", written as an escape");
                }
                if value.is_none() {
                    words.push_str(", outside the values");
                }
                Mark {
                    record: spot.record,
                    field: value.filter(|field| !field.name().path.is_empty()).map(|field| field.dotted()),
                    content: content_hash(spot.content),
                    ..Mark::at(place(span, occurrence.range.clone())).with_note(words)
                }
            });
        }
    }
}

fn is_escaped(field: Field<'_>) -> bool {
    is_json(field.record().batch().kind) && memchr::memchr(b'\\', field.raw()).is_some()
}
