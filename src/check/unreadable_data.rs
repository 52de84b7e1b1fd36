//! `unreadable-data`: what a trainer's parser reads differently from others, or not at all.
//!
//! The readers of [`crate::format`] report such places as flaws while they read on; here they become findings, one for
//! each kind in each file.

mod kinds;
mod manual;

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;
use serde_json::json;

use super::{Check, Merge, Observation};
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::format::{Encoding, Field, Flaw, Record, Records};
use crate::lens::Role;
use crate::rule::{Rule, Severity};
use crate::span::BlobId;
use kinds::KINDS;
use manual::RULES;

/// Details that are told apart in the evidence.
const MAX_DETAILS: usize = 5;

/// Code points or byte sequences that are listed in the evidence.
const MAX_DIGITS: usize = 16;

/// See the manual of its rule.
#[derive(Debug, Default)]
pub(crate) struct UnreadableData;

/// Flaws of one kind in one blob.
#[derive(Debug, Default)]
pub(crate) struct Group {
    path: BString,
    /// The first places.
    marks: Vec<Mark>,
    total: u64,
    /// Places where parsers disagree on a label.
    labels: u64,
    severity: Option<Severity>,
    details: BTreeSet<String>,
    /// What stands there, in digits: code points of half pairs, bytes of malformed sequences.
    digits: BTreeSet<String>,
}

impl Merge for Group {
    fn merge(&mut self, mut other: Self) {
        if self.path.is_empty() {
            self.path = other.path;
        }
        self.marks.append(&mut other.marks);
        self.marks.sort();
        self.marks.truncate(MAX_MARKS);
        self.total += other.total;
        self.labels += other.labels;
        self.severity = self.severity.max(other.severity);
        self.details.append(&mut other.details);
        self.digits.append(&mut other.digits);
        while self.digits.len() > MAX_DIGITS {
            self.digits.pop_last();
        }
        while self.details.len() > MAX_DETAILS {
            self.details.pop_last();
        }
    }
}

/// Groups by blob and by the place of the kind in [`KINDS`].
pub(crate) type Seen = BTreeMap<(BlobId, usize), Group>;

impl Check for UnreadableData {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        let Observation::Records(records) = observation else { return };
        // In code and configuration, programs would have stopped at these. What is wrong with a file as git holds it is no
        // matter of formats.
        let is_of_git = |flaw: &Flaw| flaw.kind.starts_with("link-") || flaw.kind.starts_with("lfs-");
        if records.flaws.is_empty()
            || !(records.flaws.first().is_some_and(is_of_git)
                || records.kind.is_data()
                || records.blob.lens.dataset.is_some())
        {
            return;
        }
        for flaw in records.flaws {
            if let Some(kind) = KINDS.iter().position(|kind| kind.id == flaw.kind)
                && is_fresh(records, flaw)
            {
                take(seen.entry((records.blob.id, kind)).or_default(), kind, records, flaw);
            }
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        for ((_, kind), group) in seen {
            let kind = &KINDS[kind];
            let mut finding =
                Finding::new(&RULES[0], format!("{} {}", kind.id, group.path), kind.message(group.total, group.labels));
            finding.help = kind.help.to_owned();
            finding.severity = group.severity.unwrap_or(kind.severity);
            finding.total = group.total;
            finding.marks = group.marks;
            finding.evidence.insert("finding", json!(kind.id));
            finding.evidence.insert("count", json!(group.total));
            if let Some(class) = kind.class() {
                finding.evidence.insert("class", json!(class));
                let (points, bytes) = if kind.id == "lone-surrogate" {
                    (group.digits, BTreeSet::new())
                } else {
                    (BTreeSet::new(), group.digits)
                };
                finding.evidence.insert("code_points", json!(points));
                if !bytes.is_empty() {
                    finding.evidence.insert("bytes", json!(bytes));
                }
            }
            if group.labels > 0 {
                finding.evidence.insert("in_labels", json!(group.labels));
            }
            if !group.details.is_empty() {
                finding.evidence.insert("details", json!(group.details));
            }
            findings.push(finding);
        }
    }
}

/// Whether the change brought the flaw: it touched the record, or, for a flaw of the file as a whole, the place.
fn is_fresh(records: &Records<'_>, flaw: &Flaw) -> bool {
    match flaw.record.and_then(|number| records.record(number)) {
        Some(record) => record.is_fresh(),
        None => records.blob.fresh.touches(flaw.span),
    }
}

fn take(group: &mut Group, kind: usize, records: &Records<'_>, flaw: &Flaw) {
    let record = flaw.record.and_then(|number| records.record(number));
    let field = record.and_then(|record| field_at(record, flaw));
    // A column of a header has no record.
    let column = || records.names.iter().find(|name| name.path.as_bytes() == flaw.span.of(records.text).trim_ascii());
    let in_label = match record {
        Some(_) => field.is_some_and(|field| field.role() == Role::Label),
        None => column().is_some_and(|name| name.role == Role::Label),
    };
    let kind = &KINDS[kind];
    let mut severity = if in_label { kind.in_label } else { kind.severity };
    // Single-byte text is read the same by whoever knows its encoding; a wide one is garbage to most tools.
    if kind.id == "not-utf8" && records.blob.decoded.encoding == Encoding::Latin1 {
        severity = Severity::Note;
    }
    group.severity = group.severity.max(Some(severity));
    group.total += 1;
    group.labels += u64::from(in_label);
    if !flaw.detail.is_empty() && group.details.len() < MAX_DETAILS {
        group.details.insert(flaw.detail.clone());
    }
    if group.digits.len() < MAX_DIGITS {
        group.digits.extend(digits(kind.id, flaw.span.of(records.text)));
    }
    if group.path.is_empty() {
        group.path = records.blob.path.to_owned();
    }
    if group.marks.len() < MAX_MARKS {
        let mut mark = Mark::at(records.place(flaw.span));
        let carrier = record.map_or(flaw.span, Record::span);
        mark.content = content_hash(carrier.of(records.text));
        mark.record = flaw.record;
        mark.field = field.map(Field::dotted);
        mark.note = Some(if flaw.detail.is_empty() { kind.note.to_owned() } else { flaw.detail.clone() });
        group.marks.push(mark);
    }
}

/// What stands at a flaw that has no character: `U+D83D`, or `C0 80`.
fn digits(kind: &str, at: &[u8]) -> Option<String> {
    match kind {
        "lone-surrogate" => {
            let digits = std::str::from_utf8(at.strip_prefix(b"\\u")?).ok()?;
            Some(format!("U+{}", digits.to_ascii_uppercase()))
        }
        "malformed-utf8" => {
            let bytes: Vec<String> = at.iter().take(4).map(|byte| format!("{byte:02X}")).collect();
            Some(bytes.join(" "))
        }
        _ => None,
    }
}

/// The field that the flaw is in, or whose key it is.
fn field_at<'a>(record: Record<'a>, flaw: &Flaw) -> Option<Field<'a>> {
    if !matches!(flaw.kind, "duplicate-key" | "lone-surrogate" | "not-a-number" | "swallowed-quote" | "stray-quote") {
        return None;
    }
    let row = record.row();
    let cells = record.batch().cells.get(row.cells as usize..(row.cells + row.len) as usize)?;
    // Cells stand in the order of the text.
    let index = cells.partition_point(|cell| cell.end <= flaw.span.start);
    record.fields().nth(index)
}

#[cfg(test)]
mod tests;
