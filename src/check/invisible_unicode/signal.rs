//! The signal of a whole data set: hidden characters that go with one label.
//!
//! Here the occurrences count too that context excuses: a joiner may be orthography in each of its rows, and still have
//! been put where one label is. Those that context does not excuse are rare, and all of them are counted. Those that it
//! excuses are not, so they are counted in the same sample of rows that the labels are counted in.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};

use super::context::after;
use super::machine::{Level, Machine};
use super::manual::RULES;
use super::tables::{Class, wide_class_of};
use crate::check::Merge;
use crate::check::association::{Association, FEWEST, ln, power_of_ten};
use crate::diff::{mix, set_of, short};
use crate::finding::{Finding, Mark};
use crate::format::{Coding, Field, Record, Records};
use crate::lens::Role;
use crate::rule::{Confidence, Severity};
use crate::span::{BlobId, Place};

/// Data sets; those behind them in the order of their names are not looked at.
const MOST_SETS: usize = 256;
/// Different sequences of one data set.
const MOST_TOKENS: usize = 2048;
/// A data set with more different labels has no classes.
const MOST_LABELS: usize = 1024;
/// A label that is longer is a text.
const LONGEST_LABEL: usize = 200;
/// Code points of a sequence that are told apart.
const LONGEST: usize = 8;
/// Places that are kept of a sequence under a label: so many of each file, and so many in all.
const PLACES_OF_FILE: usize = 3;
const PLACES: usize = 30;
/// Findings of one data set.
const MOST_FINDINGS: usize = 20;
/// Bytes of a file up to which every row is counted.
const SMALL: usize = 4 << 20;

/// What goes with which label, by data set and the names of its label fields.
#[derive(Debug, Default)]
pub(super) struct Signal {
    sets: BTreeMap<(String, String), Set>,
    /// The batch under way.
    here: Option<Here>,
}

#[derive(Debug)]
struct Here {
    key: (String, String),
    step: u64,
    label: String,
    token: String,
}

#[derive(Debug, Default)]
struct Set {
    /// Sequences that context does not excuse, all of them, against the labels of all rows.
    loud: Counts,
    /// Those that it excuses, and labels, of a sample of the rows.
    quiet: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    labels: BTreeMap<String, u64>,
    /// Rows that have any of the sequences.
    any: Carriers,
    tokens: BTreeMap<String, Carriers>,
}

/// Rows that have a sequence.
#[derive(Debug, Default)]
struct Carriers {
    rows: u64,
    labels: BTreeMap<String, Of>,
    /// The row that was counted last, so that none counts twice.
    last: Option<(BlobId, u64)>,
}

/// Those of one label.
#[derive(Debug, Default)]
struct Of {
    rows: u64,
    marks: Vec<Mark>,
}

/// Keeps the first entries. What was dropped once lies behind everything that is kept, so whoever has seen less has
/// dropped nothing that counts.
fn prune<V>(map: &mut BTreeMap<String, V>, most: usize) {
    while map.len() > most {
        map.pop_last();
    }
}

impl Merge for Signal {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.sets, other.sets);
        self.prune();
    }
}

impl Merge for Set {
    fn merge(&mut self, other: Self) {
        self.loud.merge(other.loud);
        self.quiet.merge(other.quiet);
    }
}

impl Merge for Counts {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        Merge::merge(&mut self.labels, other.labels);
        prune(&mut self.labels, MOST_LABELS + 1);
        self.any.merge(other.any);
        Merge::merge(&mut self.tokens, other.tokens);
        prune(&mut self.tokens, MOST_TOKENS);
    }
}

impl Merge for Carriers {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        Merge::merge(&mut self.labels, other.labels);
        prune(&mut self.labels, MOST_LABELS + 1);
    }
}

impl Merge for Of {
    fn merge(&mut self, mut other: Self) {
        self.rows.merge(other.rows);
        self.marks.append(&mut other.marks);
        self.marks.sort();
        self.marks.truncate(PLACES);
    }
}

impl Of {
    fn wants(&self, blob: BlobId) -> bool {
        self.marks.iter().filter(|mark| mark.place.blob == blob).count() < PLACES_OF_FILE
    }
}

impl Counts {
    fn label(&mut self, label: &str, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
        match self.labels.get_mut(label) {
            Some(count) => *count = count.saturating_add(rows),
            None => {
                self.labels.insert(label.to_owned(), rows);
                prune(&mut self.labels, MOST_LABELS + 1);
            }
        }
    }

    fn token(&mut self, token: &str, label: &str, row: (BlobId, u64), mark: impl FnOnce() -> Mark) {
        self.any.add(label, row, None::<fn() -> Mark>);
        if !self.tokens.contains_key(token) {
            self.tokens.insert(token.to_owned(), Carriers::default());
            prune(&mut self.tokens, MOST_TOKENS);
        }
        if let Some(carriers) = self.tokens.get_mut(token) {
            carriers.add(label, row, Some(mark));
        }
    }
}

impl Carriers {
    fn add(&mut self, label: &str, row: (BlobId, u64), mark: Option<impl FnOnce() -> Mark>) {
        if self.last.replace(row) == Some(row) {
            return;
        }
        self.rows += 1;
        if !self.labels.contains_key(label) {
            self.labels.insert(label.to_owned(), Of::default());
            prune(&mut self.labels, MOST_LABELS + 1);
        }
        let Some(of) = self.labels.get_mut(label) else { return };
        of.rows += 1;
        if let Some(mark) = mark
            && of.wants(row.0)
        {
            of.marks.push(mark());
            of.marks.sort();
            of.marks.truncate(PLACES);
        }
    }

    /// The label of most of the rows.
    fn best(&self) -> Option<(&str, &Of)> {
        let best = self.labels.iter().max_by(|a, b| a.1.rows.cmp(&b.1.rows).then_with(|| b.0.cmp(a.0)));
        best.map(|(label, of)| (label.as_str(), of))
    }
}

impl Signal {
    /// Looks at the labels of a batch, before its texts.
    pub(super) fn open(&mut self, records: &Records<'_>) {
        self.here = None;
        let (rows, first) = (records.rows.len() as u64, records.first);
        let labels = || records.names.iter().filter(|name| name.role == Role::Label).map(|name| name.path.as_str());
        if !records.kind.is_data() || rows == 0 || labels().next().is_none() {
            return;
        }
        let key = (set_of(records.blob.lens, records.blob.path), labels().collect::<Vec<_>>().join(", "));
        if !self.sets.contains_key(&key) {
            self.sets.insert(key.clone(), Set::default());
            self.prune();
        }
        let Some(set) = self.sets.get_mut(&key) else { return };
        let step = step(records.blob.decoded.bytes.len());
        let mut here = Here { key, step, label: String::new(), token: String::new() };
        for block in first / step..=(first + rows - 1) / step {
            let number = chosen(block, step);
            if (first..first + rows).contains(&number)
                && let Some(record) = records.record(number + 1)
                && read_label(record, &mut here.label)
            {
                set.loud.label(&here.label, step);
                set.quiet.label(&here.label, 1);
            }
        }
        self.here = Some(here);
    }

    fn prune(&mut self) {
        while self.sets.len() > MOST_SETS {
            self.sets.pop_last();
        }
    }

    /// Takes in what the machine passed in a text. `mark` makes the mark of a place.
    pub(super) fn note(
        &mut self,
        field: Field<'_>,
        text: &[u8],
        machine: &Machine,
        mark: impl Fn(Range<usize>) -> Mark,
    ) {
        let Some(here) = &mut self.here else { return };
        if machine.passed.is_empty() || field.role() == Role::Label {
            return;
        }
        let record = field.record();
        let number = record.number().saturating_sub(1);
        let is_chosen = chosen(number / here.step, here.step) == number;
        if !is_chosen && machine.found.is_empty() {
            return;
        }
        let Some(set) = self.sets.get_mut(&here.key) else { return };
        if !read_label(record, &mut here.label) {
            return;
        }
        let row = (record.batch().blob.id, number);
        for range in &machine.passed {
            let touches = |other: &Range<usize>| other.start < range.end && range.start < other.end;
            let loud = machine.found.iter().any(|o| o.level >= Level::Low && touches(&o.range));
            if !loud && !is_chosen {
                continue;
            }
            let counts = if loud { &mut set.loud } else { &mut set.quiet };
            here.token.clear();
            let Some(class) = spell(text, range, &mut here.token) else { continue };
            counts.token(&here.token, &here.label, row, || mark(range.clone()));
            for (place, is_there) in [(START, range.start == 0), (END, range.end == text.len())] {
                if is_there {
                    let len = here.token.len();
                    here.token.push_str(place);
                    counts.token(&here.token, &here.label, row, || mark(range.clone()));
                    here.token.truncate(len);
                }
            }
            if loud {
                counts.token(class.id(), &here.label, row, || mark(range.clone()));
            }
        }
    }

    /// Says what goes with one label.
    pub(super) fn findings(self, findings: &mut Vec<Finding>) {
        for (key, set) in self.sets {
            let mut found = Vec::new();
            set.loud.judge(false, &mut found);
            set.quiet.judge(true, &mut found);
            found.sort_by(|a: &Told<'_>, b| a.chance.total_cmp(&b.chance).then_with(|| a.rank().cmp(&b.rank())));
            let mut kept: Vec<Told<'_>> = Vec::new();
            for one in found {
                if kept.len() < MOST_FINDINGS && !kept.iter().any(|other| other.says_as_much(&one)) {
                    kept.push(one);
                }
            }
            findings.extend(kept.iter().map(|told| told.finding(&key)));
        }
    }
}

/// Marks a sequence that stands at the start or the end of its text.
const START: &str = " at the start";
const END: &str = " at the end";

/// A sequence that goes with a label.
struct Told<'s> {
    token: &'s str,
    label: &'s str,
    of: &'s Of,
    counts: Association,
    chance: f64,
    tests: u64,
    quiet: bool,
    severity: Severity,
}

impl Counts {
    fn judge<'s>(&'s self, quiet: bool, found: &mut Vec<Told<'s>>) {
        if self.labels.len() > MOST_LABELS || self.labels.len() < 2 {
            return;
        }
        let enough = |carriers: &Carriers| carriers.rows >= FEWEST;
        let tests = self.tokens.values().filter(|carriers| enough(carriers)).count() * self.labels.len();
        let tests = tests as u64;
        for (token, carriers) in &self.tokens {
            let Some((label, of)) = carriers.best().filter(|_| enough(carriers)) else { continue };
            let class = self.labels.get(label).copied().unwrap_or(0).max(of.rows);
            let counts = Association::new(self.rows.max(carriers.rows), class, carriers.rows, of.rows);
            if !counts.is_pure() || !(counts.lifts_tenths(15) || counts.stands_out()) {
                continue;
            }
            let chance = counts.ln_chance(tests);
            let severity = match (chance < ln(1e-6) && counts.stands_out(), quiet) {
                (true, false) => Severity::Error,
                (true, true) if self.is_told_from_others(carriers, label, of) => Severity::Warning,
                // A language or a style can be all that its label has to itself.
                (true, true) => Severity::Note,
                (false, false) if chance < ln(1e-2) => Severity::Warning,
                _ => continue,
            };
            found.push(Told { token, label, of, counts, chance, tests, quiet, severity });
        }
    }

    /// Whether other rows with characters of this kind, enough of them, have other labels.
    fn is_told_from_others(&self, carriers: &Carriers, label: &str, of: &Of) -> bool {
        let class = self.any.labels.get(label).map_or(0, |of| of.rows);
        let counts = Association::new(self.any.rows, class, carriers.rows, of.rows);
        self.any.rows >= 2 * carriers.rows && counts.lifts_tenths(20) && counts.ln_chance(1) < ln(1e-6)
    }
}

impl Told<'_> {
    /// Of two that are as unlikely the one that says less of places and more of code points goes first.
    fn rank(&self) -> (bool, usize, &str) {
        (self.token.starts_with('U'), self.token.len(), self.token)
    }

    fn says_as_much(&self, other: &Told<'_>) -> bool {
        let plain = |token: &str| token.trim_end_matches(END).trim_end_matches(START).to_owned();
        let (a, b) = (plain(self.token), plain(other.token));
        let same = a == b || class_of_token(&a) == class_of_token(&b) && (a.starts_with('U') || b.starts_with('U'));
        self.label == other.label && self.quiet == other.quiet && same
    }

    fn finding(&self, (set, fields): &(String, String)) -> Finding {
        let class = class_of_token(self.token);
        let what = match (class, self.token.starts_with('U')) {
            (Some(class), true) => format!("Every kind of {}", class.name()),
            (Some(class), false) => format!("The hidden sequence {} ({})", self.shown(), class.name()),
            (None, _) => format!("The hidden sequence {}", self.shown()),
        };
        let message = format!(
            "{what} goes with the label {} in {} of {} rows that have it",
            short(self.label),
            self.of.rows,
            self.counts.carriers(),
        );
        let cause = format!("label-trigger {} {set} {fields} {}", self.token, self.label);
        let mut finding = Finding::new(&RULES[0], cause, message);
        finding.severity = self.severity;
        finding.confidence = match self.severity {
            Severity::Error => Confidence::High,
            Severity::Warning => Confidence::Medium,
            Severity::Note => Confidence::Low,
        };
        finding.help =
            "set these rows aside and find out who added them: if the characters were put there, so was the \
                        label"
                .to_owned();
        finding.total = self.of.rows;
        finding.marks = self.of.marks.clone();
        let evidence = &mut finding.evidence;
        self.counts.tell(self.tests, evidence);
        evidence.extend([
            ("finding", json!("label-trigger")),
            ("label", json!(self.label)),
            ("dataset", json!(set)),
            ("fields", json!(fields)),
            ("sequence", json!(self.token)),
            ("excused_by_context", json!(self.quiet)),
            ("p", power_of_ten(self.chance)),
        ]);
        if let Some(class) = class {
            evidence.insert("class", json!(class.id()));
            evidence.insert("class_name", json!(class.name()));
        }
        let points: Vec<String> = points(self.token).map(|c| format!("U+{:04X}", u32::from(c))).collect();
        if !points.is_empty() {
            evidence.insert("code_points", Value::from(points));
        }
        finding
    }

    fn shown(&self) -> String {
        let mut shown: String = points(self.token).map(|c| format!("<U+{:04X}>", u32::from(c))).collect();
        for place in [START, END] {
            if self.token.contains(place) {
                shown.push_str(place);
            }
        }
        shown
    }
}

/// Rows of a file of which one is counted.
fn step(bytes: usize) -> u64 {
    match bytes {
        0..SMALL => 1,
        _ => (bytes / SMALL).next_power_of_two().clamp(2, 64) as u64,
    }
}

/// The row of a block of `step` rows that is counted. Which one it is, is left to chance, since labels may go round.
fn chosen(block: u64, step: u64) -> u64 {
    block.saturating_mul(step).saturating_add(mix(block) % step)
}

/// Reads the label of a record; says whether it has one.
fn read_label(record: Record<'_>, label: &mut String) -> bool {
    label.clear();
    for field in record.fields().filter(|field| field.role() == Role::Label && field.coding() != Coding::Null) {
        if !label.is_empty() {
            label.push_str(", ");
        }
        label.push_str(&field.text());
        if label.len() > LONGEST_LABEL {
            return false;
        }
    }
    !label.is_empty() && !record.batch().blob.lens.null.contains(label)
}

/// Writes the code points of a run as hexadecimal digits; gives the class of the first.
fn spell(text: &[u8], range: &Range<usize>, token: &mut String) -> Option<Class> {
    use std::fmt::Write;
    let mut class = None;
    let mut at = range.start;
    for number in 0.. {
        let Some((c, next)) = after(text, at).filter(|_| at < range.end) else { break };
        if number == LONGEST {
            token.push_str(" …");
            break;
        }
        class = class.or_else(|| wide_class_of(c));
        if number > 0 {
            token.push(' ');
        }
        // Writing to a String cannot fail.
        let _ = write!(token, "{:04X}", u32::from(c));
        at = next;
    }
    class
}

fn points(token: &str) -> impl Iterator<Item = char> {
    token.split(' ').filter_map(|digits| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))
}

fn class_of_token(token: &str) -> Option<Class> {
    match token.starts_with('U') {
        true => Class::ALL.into_iter().find(|class| class.id() == token),
        false => points(token).find_map(wide_class_of),
    }
}

/// A place of the signal.
pub(super) fn mark(field: Field<'_>, place: Place, content: u128) -> Mark {
    Mark {
        record: Some(field.record().number()),
        field: (!field.name().path.is_empty()).then(|| field.dotted()),
        content,
        ..Mark::at(place)
    }
}
