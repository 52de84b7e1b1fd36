//! `conflicting-labels`: one text under two labels.

mod manual;
mod repeated;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bstr::ByteSlice;
use serde_json::json;

use super::{Check, Merge, Observation};
use crate::diff::{Index, Indexed, Label, short};
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::rule::{Confidence, Rule, Severity};
use crate::span::BlobId;
use manual::RULES;
use repeated::Repeated;

/// See the manual of its rule.
#[derive(Debug, Default)]
pub(crate) struct ConflictingLabels;

/// The files that were seen, and where their labels stand.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    segments: Vec<Segment>,
}

/// Consecutive rows of one file.
#[derive(Debug)]
struct Segment {
    /// The data set, and the fields that hold its labels: other fields say other things of the same texts.
    group: (String, Box<str>),
    blob: BlobId,
    index: Arc<Index>,
    rows: Range<usize>,
    /// Whether a field says who gave each label.
    by_user: bool,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.segments.append(&mut other.segments);
    }
}

impl Check for ConflictingLabels {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        let Observation::Indexed(indexed) = observation else { return };
        let labelled = indexed.index.stretches().filter(|(stretch, _)| stretch.labelled);
        seen.segments.extend(labelled.map(|(stretch, rows)| Segment {
            group: (set_of(indexed), stretch.fields.clone()),
            blob: indexed.blob,
            index: Arc::clone(indexed.index),
            rows,
            by_user: stretch.by_user,
        }));
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        seen.segments.sort_by(|a, b| (&a.group, a.blob, a.rows.start).cmp(&(&b.group, b.blob, b.rows.start)));
        for group in seen.segments.chunk_by(|a, b| a.group == b.group) {
            findings.extend(Group::new(group).finding());
        }
    }
}

/// The declared data set, else the folder.
fn set_of(indexed: &Indexed<'_>) -> String {
    match &indexed.lens.dataset {
        Some(name) => name.to_string(),
        None => {
            let end = indexed.path.rfind_byte(b'/').map_or(0, |at| at + 1);
            indexed.path[..end].to_str_lossy().into_owned()
        }
    }
}

/// The rows of one data set.
struct Group<'s> {
    segments: &'s [Segment],
    titles: Vec<String>,
    /// From the labels of each segment to the titles.
    maps: Vec<BTreeMap<Label, u32>>,
    /// The classes of each file.
    known: BTreeMap<BlobId, BTreeSet<u32>>,
}

/// A labelled row: its key, its label, its segment and its row there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    key: u64,
    segment: u32,
    row: u32,
}

/// Rows whose keys are looked at in the order of the keys, for the places that are kept; then the next so many.
const IN_ORDER: usize = 1 << 20;
/// Rows with a text that others may have, too, that are sorted at once: a large data set costs little more memory than its
/// index.
const AT_ONCE: usize = 2 * IN_ORDER;
/// Rows of one text that are shown.
const SHOWN: usize = 8;

impl<'s> Group<'s> {
    fn new(segments: &'s [Segment]) -> Self {
        let mut titles = BTreeMap::new();
        for segment in segments {
            for (label, _) in segment.index.classes().counts() {
                if let Some(title) = segment.index.classes().title(label) {
                    titles.insert(title.into_owned(), 0);
                }
            }
        }
        titles.values_mut().enumerate().for_each(|(number, value)| *value = number as u32);
        let map = |segment: &Segment| {
            let classes = segment.index.classes();
            classes.counts().filter_map(|(label, _)| Some((label, titles[&*classes.title(label)?]))).collect()
        };
        let maps: Vec<BTreeMap<Label, u32>> = segments.iter().map(map).collect();
        let mut known: BTreeMap<BlobId, BTreeSet<u32>> = BTreeMap::new();
        for (segment, map) in segments.iter().zip(&maps) {
            known.entry(segment.blob).or_default().extend(map.values());
        }
        Self { segments, titles: titles.into_keys().collect(), maps, known }
    }

    fn finding(&self) -> Option<Finding> {
        let starts = || {
            self.segments.iter().scan(0_u32, |next, segment| {
                let start = *next;
                *next = next.saturating_add(segment.rows.len() as u32);
                Some((segment, start))
            })
        };
        let classed = |(segment, start): (&'s Segment, u32)| {
            let first = segment.rows.start as u32;
            let classed = segment.index.classed(segment.rows.clone());
            classed.map(move |(row, key)| (start + (row - first), key))
        };
        let rows: usize = self.segments.iter().map(|segment| segment.rows.len()).sum();
        let repeated = Repeated::of(rows, || starts().flat_map(classed));
        let mut found = Found { texts: repeated.alone, ..Found::default() };

        let parts = u32::try_from(rows.div_ceil(IN_ORDER)).unwrap_or(u32::MAX).max(1);
        let part = |key: u64| if parts == 1 { 0 } else { (key >> 32) as u32 % parts };
        let at_once = if repeated.count <= AT_ONCE { parts } else { (AT_ONCE / IN_ORDER) as u32 };
        for first in (0..parts).step_by(at_once as usize) {
            let these = first..first.saturating_add(at_once);
            let mut rows = Vec::new();
            for ((segment, start), number) in starts().zip(0..) {
                let start = start as usize;
                let among = repeated.among(start..start + segment.rows.len());
                rows.extend(among.filter_map(|at| {
                    let row = at - start + segment.rows.start;
                    let key = segment.index.key(row).filter(|&key| these.contains(&part(key)))?;
                    Some(Row { key, segment: number, row: row as u32 })
                }));
            }
            rows.sort_unstable_by_key(|row| (part(row.key), *row));
            for same in rows.chunk_by(|a, b| a.key == b.key) {
                found.texts += 1;
                if same.len() > 1 {
                    self.judge(same, &mut found);
                }
            }
        }
        found.finish(self)
    }

    fn judge(&self, same: &[Row], found: &mut Found) {
        let first = self.label(same[0]);
        if same.iter().all(|&row| self.label(row) == first) || !self.is_conflict(same) {
            return;
        }
        found.conflicts += 1;
        if !same.iter().any(|&row| self.is_fresh(row)) {
            return;
        }
        found.fresh += 1;
        // One row of each label, those of the change first.
        let mut shown: Vec<Row> = Vec::new();
        let mut labels = BTreeSet::new();
        for fresh in [true, false] {
            for &row in same.iter().filter(|&&row| self.is_fresh(row) == fresh) {
                if shown.len() < SHOWN && labels.insert(self.label(row)) {
                    shown.push(row);
                }
            }
        }
        found.places += shown.len() as u64;
        for &row in &shown {
            let blob = self.segments[row.segment as usize].blob;
            let marks = found.marks.entry(blob).or_default();
            if marks.len() < MAX_MARKS {
                marks.push(self.mark(row, &shown));
            }
        }
    }

    /// Whether two of the rows contradict each other. Files whose classes have nothing in common say different things of
    /// the same texts.
    fn is_conflict(&self, same: &[Row]) -> bool {
        /// Pairs of files and labels that are looked at; with so many, some contradict each other.
        const ENOUGH: usize = 64;
        let mut seen: BTreeSet<(BlobId, u32)> = BTreeSet::new();
        for row in same {
            seen.extend(self.label(*row).map(|label| (self.segments[row.segment as usize].blob, label)));
            if seen.len() > ENOUGH {
                break;
            }
        }
        let knows = |blob: BlobId, label: u32| self.known[&blob].contains(&label);
        let mut pairs = seen.iter().flat_map(|a| seen.iter().map(move |b| (a, b)));
        pairs.any(|(a, b)| a.1 != b.1 && (a.0 == b.0 || knows(a.0, b.1) || knows(b.0, a.1)))
    }

    fn label(&self, row: Row) -> Option<u32> {
        let label = self.segments[row.segment as usize].index.label(row.row as usize);
        self.maps[row.segment as usize].get(&label).copied()
    }

    fn is_fresh(&self, row: Row) -> bool {
        self.segments[row.segment as usize].index.is_fresh(row.row as usize)
    }

    fn title(&self, row: Row) -> &str {
        self.label(row).map_or("", |label| &self.titles[label as usize])
    }

    fn mark(&self, row: Row, shown: &[Row]) -> Mark {
        let Segment { index, blob, .. } = &self.segments[row.segment as usize];
        let title = self.title(row);
        let others = shown.iter().filter(|other| **other != row).map(|other| short(self.title(*other)));
        let others: Vec<String> = others.take(3).collect();
        let mut mark = Mark::at(index.place(row.row as usize, *blob)).with_note(format!(
            "{} here, {} elsewhere",
            short(title),
            others.join(", ")
        ));
        mark.record = Some(index.number(row.row as usize));
        mark.content = content_hash(format!("{:016x} {title}", row.key).as_bytes());
        mark
    }
}

#[derive(Default)]
struct Found {
    texts: u64,
    conflicts: u64,
    /// Conflicts with a row of the change.
    fresh: u64,
    places: u64,
    marks: BTreeMap<BlobId, Vec<Mark>>,
}

impl Found {
    fn finish(self, group: &Group<'_>) -> Option<Finding> {
        /// Fewer conflicts than these are no design.
        const FEWEST: u64 = 20;
        if self.fresh == 0 {
            return None;
        }
        let by_user = group.segments.iter().any(|segment| segment.by_user);
        let design = by_user || (self.conflicts >= FEWEST && self.conflicts * 5 > self.texts);
        let (set, fields) = &group.segments[0].group;
        let texts = match self.fresh {
            1 => "1 text stands".to_owned(),
            n => format!("{n} texts stand"),
        };
        let message = match (design, by_user) {
            (true, true) => format!("{texts} under several labels, given by different people"),
            (true, false) => format!(
                "{texts} under several labels, {} of {} in all: several annotators or several labels a text, it seems",
                self.conflicts, self.texts
            ),
            (false, _) => format!("{texts} under several labels"),
        };
        let mut finding = Finding::new(&RULES[0], format!("{set} {fields}"), message);
        finding.help = "decide which label is right and remove the other record".into();
        if design {
            (finding.severity, finding.confidence) = (Severity::Note, Confidence::Low);
            finding.help = "declare how a text with several labels is to be read, or merge the labels of a text".into();
        }
        finding.total = self.places;
        finding.marks = self.marks.into_values().flatten().collect();
        finding.marks.sort();
        finding.evidence.extend([
            ("finding", json!(if design { "several-labels" } else { "conflicting-labels" })),
            ("dataset", json!(set)),
            ("fields", json!(fields)),
            ("texts", json!(self.texts)),
            ("conflicts", json!(self.conflicts)),
            ("fresh", json!(self.fresh)),
        ]);
        Some(finding)
    }
}

#[cfg(test)]
mod tests;
