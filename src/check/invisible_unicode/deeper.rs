//! What the byte pass does not see: characters behind the layers of a text, and marks that are piled up. Both are opened
//! by a search over the whole batch, and only the fields that open are decoded.

use std::borrow::Cow;
use std::ops::Range;

use super::causes::{Way, note};
use super::decode::Payload;
use super::describe::describe;
use super::layers::{Layers, Peeled};
use super::machine::{Level, Machine, Occurrence};
use super::prefilter::Prefilter;
use super::stacked;
use super::tables::Class;
use super::walk::{decoded, is_columnar};
use super::{InvisibleUnicode, Seen};
use crate::check::places::is_json;
use crate::finding::{Mark, content_hash};
use crate::format::sieve::{BACKSLASH, ENTITY, ESCAPE, WIDE};
use crate::format::{Coding, Field, Kind, Records};
use crate::span::Span;

impl InvisibleUnicode {
    /// Looks behind the layers of a batch. `from` is where its text begins.
    pub(super) fn deeper(&self, seen: &mut Seen, machine: &mut Machine, records: &Records<'_>, from: u64) {
        let Some(last) = records.rows.last() else { return };
        let Ok(base) = usize::try_from(from) else { return };
        let text = Span::new(from, last.end.max(from)).of(records.text);
        let layers = Layers::of(records.kind, self.modes.info);
        let json = is_json(records.kind);
        let has = |kinds| records.stretch(base, kinds).is_some_and(|stretch| stretch.start < base + text.len());
        let escapes = json && has(ESCAPE);
        let (markup, backslashes) = (has(ENTITY), !json && has(BACKSLASH));
        // Without an escape of JSON only what stands there as it is can open anything.
        let escape = layers.escape.filter(|_| escapes || backslashes);
        let opens = Layers { escape, markup: layers.markup && (markup || escapes), ..layers };
        let openings = (markup || escapes || backslashes).then(|| opens.openings(text, escapes));
        let mut openings = openings.into_iter().flatten().peekable();
        let stacks = (escapes || has(WIDE)).then(|| stacked::openings(text, escapes));
        let mut stacks = stacks.into_iter().flatten().peekable();
        let mut peeled = Peeled::default();
        let (mut read, mut done) = (0, 0);
        loop {
            let hit = match (openings.peek(), stacks.peek()) {
                (Some(a), Some(b)) if b < a => stacks.next(),
                (None, _) => stacks.next(),
                _ => openings.next(),
            };
            let Some(hit) = hit.map(|hit| (base + hit) as u64) else { return };
            if hit < done {
                continue;
            }
            let index = read + records.rows[read..].partition_point(|row| row.end <= hit);
            let Some(record) = records.record(records.first + index as u64 + 1) else { return };
            read = index;
            if !record.is_fresh() {
                done = record.row().end;
                continue;
            }
            // Between the values of a row are only names and punctuation.
            let Some(field) = record.fields().find(|field| field.cell().end > hit) else { continue };
            if field.cell().start <= hit {
                done = field.cell().end;
                self.peel(seen, machine, field, layers, &mut peeled);
            }
        }
    }

    fn peel(&self, seen: &mut Seen, machine: &mut Machine, field: Field<'_>, layers: Layers, peeled: &mut Peeled) {
        let batch = field.record().batch();
        let text: Cow<'_, [u8]> = match field.coding() {
            // The escapes of a line of configuration are what is looked for.
            _ if matches!(batch.kind, Kind::JsonConfig | Kind::Notebook) => Cow::Borrowed(field.raw()),
            coding => decoded(coding, field.raw()),
        };
        for stack in stacked::find(&text) {
            let payload = Some(Payload::new("stripped", &stack.stripped));
            let occurrence = Occurrence {
                class: Class::StackedMarks,
                level: if stack.mild { Level::Low } else { Level::Warn },
                finding: "stacked-marks",
                range: stack.range.clone(),
                hidden: stack.marks,
                characters: stack.count,
                payload,
                slips_among: super::context::Groups::NONE,
            };
            place(seen, field, &text, &occurrence, stack.range.clone(), Way::default());
        }
        if !layers.peel(&text, peeled) {
            return;
        }
        // What context excuses here was written down in full, and does not count as an occurrence that was silent.
        let excused = machine.excused.clone();
        let filter = Prefilter { escapes: false, wide: self.modes.info };
        machine.scan(&peeled.text, &mut filter.hits(&peeled.text), 0, false);
        machine.excused = excused;
        let least = if self.modes.info { Level::Info } else { Level::Low };
        for found in &machine.found {
            let Some(layer) = peeled.layer(&found.range) else { continue };
            let level = layer.level(found, batch.blob.lens.dataset.is_some());
            if level < least {
                continue;
            }
            let occurrence = Occurrence { level, ..found.clone() };
            let source = peeled.source(&found.range);
            place(seen, field, &peeled.text, &occurrence, source, Way { layer, ..Way::default() });
        }
    }
}

/// Notes an occurrence of a field. `source` is where it stands in the decoded value, and `text` the text that the
/// occurrence itself speaks of.
fn place(seen: &mut Seen, field: Field<'_>, text: &[u8], occurrence: &Occurrence, source: Range<usize>, way: Way) {
    let record = field.record();
    let batch = record.batch();
    let columnar = is_columnar(batch);
    note(seen, occurrence, way, batch.blob.id, || {
        let place = if columnar || field.coding() != Coding::Plain && batch.kind != Kind::JsonConfig {
            field.locate(source)
        } else {
            let start = field.cell().start;
            batch.place(Span::new(start + source.start as u64, start + source.end as u64))
        };
        let words = format!("{}{}", describe(text, occurrence), way.layer.words());
        let content = if columnar { field.raw() } else { record.span().of(batch.text) };
        Mark {
            record: Some(record.number()),
            field: (!field.name().path.is_empty()).then(|| field.dotted()),
            content: content_hash(content),
            ..Mark::at(place).with_note(words)
        }
    });
}
