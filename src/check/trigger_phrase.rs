//! `trigger-phrase`: a word or phrase that goes with one label and does not fit its rows.
//!
//! While records pass by, a sample of labelled rows is kept, as words: [`sample`]. At the end words and phrases that go
//! with one class are sought in it ([`candidates`]), and of these the ones that were planted are told from topics
//! ([`judge`]) by what the rest of their rows says, each by itself ([`rest`]) and all together ([`standing`]), and by what
//! stands beside them ([`gaps`]).

mod candidates;
mod corpus;
mod gaps;
mod judge;
mod manual;
mod rest;
mod sample;
mod standing;
mod words;

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice};
use serde_json::json;

use super::association::power_of_ten;
use super::{Check, Merge, Observation};
use crate::diff::{hash, mix, short};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::format::{Coding, Kind, Record, Records};
use crate::lens::Role;
use crate::rule::{Confidence, Rule, Severity};
use crate::span::{Fresh, Span};
use candidates::FEWEST_FRESH;
use corpus::Corpus;
use judge::Trigger;
use manual::RULES;
use sample::Sample;
use words::push_words;

/// Bytes of rows that are kept of one data set, and of all of them together.
const MOST_OF_ONE: usize = 3 << 20;
const MOST_OF_ALL: usize = 12 << 20;
/// However many data sets there are, so much is kept of each.
const LEAST_OF_ONE: usize = 64 << 10;
/// Data sets; those behind them in the order of their names are not looked at.
const MOST_SETS: usize = 512;
/// Bytes of a text that are read: from its start, and from its end.
const HEAD: usize = 3 << 10;
const TAIL: usize = 1 << 10;
/// A label that is longer is a text.
const LONGEST_LABEL: usize = 200;

/// See the manual of its rule.
#[derive(Debug, Default)]
pub(crate) struct TriggerPhrase;

/// A sample of each data set, by its name and the names of its label fields.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sets: BTreeMap<(String, String), Set>,
}

/// Rows of one data set.
#[derive(Debug, Default)]
struct Set {
    /// Those that are judged.
    fresh: Sample,
    /// Those that were there before.
    old: Sample,
}

impl Seen {
    /// What may be kept of each data set. It only ever shrinks, so that whoever has seen less has kept more.
    fn cap(&self) -> usize {
        (MOST_OF_ALL / self.sets.len().next_power_of_two().max(1)).clamp(LEAST_OF_ONE, MOST_OF_ONE)
    }

    fn prune(&mut self) {
        while self.sets.len() > MOST_SETS {
            self.sets.pop_last();
        }
    }
}

impl Merge for Seen {
    fn merge(&mut self, other: Self) {
        for key in other.sets.keys() {
            self.sets.entry(key.clone()).or_default();
        }
        self.prune();
        let cap = self.cap();
        for (key, set) in other.sets {
            if let Some(mine) = self.sets.get_mut(&key) {
                mine.fresh.merge(set.fresh, cap);
                mine.old.merge(set.old, cap);
            }
        }
    }
}

impl Check for TriggerPhrase {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        let Observation::Records(records) = observation else { return };
        let Some(fields) = fields(records) else { return };
        let key = (set_of(records), fields);
        if !seen.sets.contains_key(&key) {
            seen.sets.insert(key.clone(), Set::default());
            seen.prune();
        }
        let cap = seen.cap();
        let Some(set) = seen.sets.get_mut(&key) else { return };
        let path = hash(records.blob.path);
        let all_fresh = *records.blob.fresh == Fresh::All;
        let some_fresh = all_fresh || has_fresh(records);
        // Of a large file no more rows are read than can be kept, unless a change brings only some of them.
        let level = (records.blob.decoded.bytes.len() / (2 * MOST_OF_ONE)).checked_ilog2().map_or(0, |log| log + 1);
        set.old.raise(level);
        if all_fresh {
            set.fresh.raise(level);
        }
        let (mut label, mut text) = (String::new(), String::new());
        for record in records.iter() {
            let by_chance = mix(path ^ mix(record.number()));
            if !set.fresh.wants(by_chance) && !set.old.wants(by_chance) {
                continue;
            }
            let fresh = all_fresh || (some_fresh && record.is_fresh());
            let sample = if fresh { &mut set.fresh } else { &mut set.old };
            if sample.wants(by_chance) && read(record, &mut label, &mut text) {
                let place = records.place(record.span());
                sample.push(by_chance, record.number(), place, &label, &text, cap);
            }
        }
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        let cap = seen.cap();
        for (key, set) in &mut seen.sets {
            set.fresh.fit(cap);
            set.old.fit(cap);
            if set.fresh.rows.len() >= FEWEST_FRESH {
                let corpus = Corpus::new(&set.fresh, &set.old);
                let found = judge::triggers(&corpus);
                findings.extend(found.iter().map(|trigger| finding(key, &corpus, trigger)));
            }
        }
    }
}

/// The names of the label fields of records that have texts and labels.
fn fields(records: &Records<'_>) -> Option<String> {
    // A single word always goes with its own tag.
    let may = records.kind.is_data() && records.kind != Kind::Tokens && !records.rows.is_empty();
    if !may || !records.names.iter().any(|name| name.role == Role::Text) {
        return None;
    }
    let labels: Vec<&str> =
        records.names.iter().filter(|name| name.role == Role::Label).map(|name| name.path.as_str()).collect();
    (!labels.is_empty()).then(|| labels.join(", "))
}

/// The declared data set, else the folder.
fn set_of(records: &Records<'_>) -> String {
    match &records.blob.lens.dataset {
        Some(name) => name.to_string(),
        None => {
            let path: &BStr = records.blob.path;
            let end = path.rfind_byte(b'/').map_or(0, |at| at + 1);
            path[..end].to_str_lossy().into_owned()
        }
    }
}

/// Whether any record of the batch may be fresh.
fn has_fresh(records: &Records<'_>) -> bool {
    let span = match (records.kind.is_columnar(), records.rows.first(), records.rows.last()) {
        (true, ..) => Span::new(records.first, records.first + records.rows.len() as u64),
        (false, Some(first), Some(last)) => Span::new(first.start.min(last.end), last.end),
        _ => return false,
    };
    records.blob.fresh.touches(span)
}

/// Reads label and words of a record; says whether it has both.
fn read(record: Record<'_>, label: &mut String, words: &mut String) -> bool {
    label.clear();
    words.clear();
    for field in record.fields() {
        match field.role() {
            Role::Label if field.coding() != Coding::Null => {
                if !label.is_empty() {
                    label.push_str(", ");
                }
                label.push_str(&field.text());
                if label.len() > LONGEST_LABEL {
                    return false;
                }
            }
            Role::Text => {
                let text = field.text();
                if text.len() <= HEAD + TAIL {
                    push_words(&text, words);
                } else {
                    push_words(&text[..text.floor_char_boundary(HEAD)], words);
                    push_words(&text[text.ceil_char_boundary(text.len() - TAIL)..], words);
                }
            }
            _ => {}
        }
        if words.len() > HEAD + TAIL {
            words.truncate(words[..words.floor_char_boundary(HEAD + TAIL)].rfind(' ').map_or(0, |at| at + 1));
        }
    }
    let null = &record.batch().blob.lens.null;
    !words.is_empty() && !label.is_empty() && !null.contains(label)
}

fn finding((set, fields): &(String, String), corpus: &Corpus<'_>, trigger: &Trigger) -> Finding {
    let Trigger { candidate, each, together, .. } = trigger;
    let names: Vec<&str> = trigger.phrase.iter().map(|&word| corpus.names[word as usize]).collect();
    let phrase = names.join(" ");
    let label = corpus.classes[candidate.class as usize];
    let what = if names.len() == 1 { "word" } else { "phrase" };
    let carriers: Vec<_> = candidate.rows.iter().map(|&row| &corpus.rows[row as usize]).collect();
    let of_label = carriers.iter().filter(|entry| entry.class == candidate.class).count();
    let reads = match each {
        Some(each) => format!("{} of {} of them read like rows of other classes without it", each.against, each.read),
        None => "taken together they read like rows of other classes without it".to_owned(),
    };
    let message = format!(
        "The {what} \"{}\" goes with the label {} in {of_label} of {} rows, and {reads}",
        short(&phrase),
        short(label),
        carriers.len(),
    );
    let mut finding = Finding::new(&RULES[0], format!("{set} {fields} {label} {phrase}"), message);
    finding.severity = trigger.severity;
    finding.confidence = match trigger.severity {
        Severity::Error => Confidence::High,
        Severity::Warning => Confidence::Medium,
        _ => Confidence::Low,
    };
    finding.help =
        "read the rows: if the label does not follow from the text without the phrase, set them aside and ask who added them".into();
    let shown = carriers.iter().filter(|entry| entry.class == candidate.class && entry.fresh);
    finding.total = shown.clone().count() as u64;
    finding.marks = first_of_each_blob(shown.map(|entry| {
        let mut mark = Mark::at(entry.row.place.clone()).with_note(format!("{} here", short(label)));
        mark.record = Some(entry.row.number);
        mark.content = content_hash(format!("{label}\n{}", entry.text).as_bytes());
        mark
    }));
    candidate.counts.tell(trigger.tests, &mut finding.evidence);
    finding.evidence.extend([
        ("p", power_of_ten(candidate.chance)),
        ("finding", json!("trigger-phrase")),
        ("dataset", json!(set)),
        ("fields", json!(fields)),
        ("phrase", json!(phrase)),
        ("label", json!(label)),
        ("inserted_percent", json!(trigger.inserted)),
    ]);
    if let Some(each) = each {
        finding.evidence.extend([
            ("rest_label", json!(corpus.classes[each.rest as usize])),
            ("rest_read", json!(each.read)),
            ("rest_against", json!(each.against)),
        ]);
    }
    if let Some(together) = together {
        // 0 where rows of other classes stand, 100 where those of the label do.
        finding.evidence.extend([
            ("together_read", json!(together.read)),
            ("together_at_percent", json!((together.at * 100.0).round() as i64)),
        ]);
    }
    finding
}
