//! The signal of a whole data set: hidden characters and look-alike words that go with one label, with one author or
//! commit, or with one split.
//!
//! Here the occurrences count too that context excuses: a joiner may be orthography in each of its rows, and still have
//! been put where one label is. Those that context does not excuse are rare, and all of them are counted. Those that it
//! excuses are not, so they are counted in the same sample of rows that the labels are counted in. Rows that a change
//! leaves as they were count as well, or everything that it brings would seem to be its own; they are never shown.

mod counts;
mod judge;
mod spread;

use std::collections::BTreeMap;
use std::ops::Range;

use super::context::after;
use super::machine::{Level, Machine};
use super::tables::{Class, class_of, wide_class_of};
use crate::check::Merge;
use crate::diff::{mix, set_of};
use crate::finding::{Finding, Mark};
use crate::format::{Coding, Field, Record, Records};
use crate::lens::Role;
use crate::rule::Rule;
use crate::source::People;
use crate::span::Place;
use counts::Counts;
use spread::{Makers, Spot};

/// Data sets; those behind them in the order of their names are not looked at.
const MOST_SETS: usize = 256;
/// A label that is longer is a text.
const LONGEST_LABEL: usize = 200;
/// Code points of a sequence that are told apart.
const LONGEST: usize = 8;
/// Bytes of a file up to which every row is counted.
const SMALL: usize = 4 << 20;
/// Marks a sequence that stands at the start or the end of its text.
const START: &str = " at the start";
const END: &str = " at the end";

/// What goes with what, by data set and the names of its label fields.
#[derive(Debug, Default)]
pub(in crate::check) struct Signal {
    sets: BTreeMap<(String, String), Set>,
    makers: Makers,
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

impl Merge for Signal {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.sets, other.sets);
        self.makers.merge(other.makers);
        self.prune();
    }
}

impl Merge for Set {
    fn merge(&mut self, other: Self) {
        self.loud.merge(other.loud);
        self.quiet.merge(other.quiet);
    }
}

impl Signal {
    /// Looks at the labels of a batch, before its texts.
    pub(in crate::check) fn open(&mut self, records: &Records<'_>) {
        self.here = None;
        if !records.kind.is_data() || records.rows.is_empty() {
            return;
        }
        let labels = records.names.iter().filter(|name| name.role == Role::Label).map(|name| name.path.as_str());
        let labels = labels.collect::<Vec<_>>().join(", ");
        let is_labelled = !labels.is_empty();
        let key = (set_of(records.blob.lens, records.blob.path), labels);
        if !self.sets.contains_key(&key) {
            self.sets.insert(key.clone(), Set::default());
            self.prune();
        }
        let Some(set) = self.sets.get_mut(&key) else { return };
        let step = step(records.blob.decoded.bytes.len());
        let mut here = Here { key, step, label: String::new(), token: String::new() };
        for record in sampled(records, step) {
            let spot = Spot::of(record);
            set.loud.spread.add(spot, step);
            set.quiet.spread.add(spot, 1);
            if is_labelled && read_label(record, &mut here.label) {
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

    /// Whether batches of this file count.
    pub(super) fn is_open(&self) -> bool {
        self.here.is_some()
    }

    /// Rows of the file under way of which one is counted; `None` where none is.
    pub(super) fn step(&self) -> Option<u64> {
        self.here.as_ref().map(|here| here.step)
    }

    /// Whether every row of the file under way is counted.
    pub(super) fn counts_every_row(&self) -> bool {
        self.step() == Some(1)
    }

    /// Takes in who wrote the change that is judged.
    pub(in crate::check) fn people(&mut self, people: &People<'_>) {
        self.makers.learn(people);
    }

    /// Takes in what the machine passed in a text, or `only_wide`ly what honest text is full of. `mark` makes the mark of
    /// a place.
    pub(super) fn note(
        &mut self,
        field: Field<'_>,
        text: &[u8],
        machine: &Machine,
        only_wide: bool,
        mark: impl Fn(Range<usize>) -> Mark,
    ) {
        if machine.passed.is_empty() {
            return;
        }
        let found = &machine.found;
        let Some((counted, here, set)) = self.row(field, !found.is_empty()) else { return };
        for range in &machine.passed {
            let touches = |other: &Range<usize>| other.start < range.end && range.start < other.end;
            let first = after(text, range.start).map(|(c, _)| c);
            if only_wide && first.is_some_and(|c| class_of(c).is_some()) {
                continue;
            }
            let loud = found.iter().any(|o| o.level >= Level::Low && touches(&o.range));
            if !loud && !counted.chosen {
                continue;
            }
            let counts = if loud { &mut set.loud } else { &mut set.quiet };
            let mut add = |token: &str| counts.token(token, &here.label, counted.spot, || mark(range.clone()));
            here.token.clear();
            let Some(class) = spell(text, range, &mut here.token) else { continue };
            add(&here.token);
            for (place, is_there) in [(START, range.start == 0), (END, range.end == text.len())] {
                if is_there {
                    let len = here.token.len();
                    here.token.push_str(place);
                    add(&here.token);
                    here.token.truncate(len);
                }
            }
            if loud {
                add(class.id());
            }
        }
    }

    /// Takes in a word that is made of other letters than it seems. `loud` where nothing excuses it.
    pub(in crate::check) fn word(&mut self, field: Field<'_>, word: &str, loud: bool, mark: impl FnOnce() -> Mark) {
        let Some((counted, here, set)) = self.row(field, loud) else { return };
        if !loud && !counted.chosen {
            return;
        }
        here.token.clear();
        here.token.push('"');
        here.token.extend(word.chars().take(40));
        let counts = if loud { &mut set.loud } else { &mut set.quiet };
        counts.token(&here.token, &here.label, counted.spot, mark);
    }

    /// The row of a field, with its label read; `None` where it does not count.
    fn row(&mut self, field: Field<'_>, loud: bool) -> Option<(Counted, &mut Here, &mut Set)> {
        let here = self.here.as_mut().filter(|_| field.role() != Role::Label)?;
        let record = field.record();
        let number = record.number().saturating_sub(1);
        let is_chosen = chosen(number / here.step, here.step) == number;
        if !is_chosen && !loud {
            return None;
        }
        let set = self.sets.get_mut(&here.key)?;
        if here.key.1.is_empty() || !read_label(record, &mut here.label) {
            here.label.clear();
        }
        Some((Counted { spot: Spot::of(record), chosen: is_chosen }, here, set))
    }

    /// Says what goes with one label, one author, one commit or one split.
    pub(in crate::check) fn findings(self, rule: &'static Rule, findings: &mut Vec<Finding>) {
        for (key, set) in &self.sets {
            judge::findings(rule, key, [(&set.loud, false), (&set.quiet, true)], &self.makers, findings);
        }
    }
}

/// A row that counts.
#[derive(Copy, Clone)]
struct Counted {
    spot: Spot,
    /// Whether it belongs to the sample.
    chosen: bool,
}

/// Rows of a file of which one is counted.
fn step(bytes: usize) -> u64 {
    match bytes {
        0..SMALL => 1,
        _ => (bytes / SMALL).next_power_of_two().clamp(2, 64) as u64,
    }
}

/// The records of a batch that are counted where one of so many is.
pub(super) fn sampled<'r>(records: &'r Records<'_>, step: u64) -> impl Iterator<Item = Record<'r>> {
    let (first, rows) = (records.first, records.rows.len() as u64);
    let blocks = first / step..=(first + rows).saturating_sub(1) / step;
    blocks.map(move |block| chosen(block, step)).filter_map(|number| records.record(number.saturating_add(1)))
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

/// A place of the signal.
pub(super) fn mark(field: Field<'_>, place: Place, content: u128) -> Mark {
    Mark {
        record: Some(field.record().number()),
        field: (!field.name().path.is_empty()).then(|| field.dotted()),
        content,
        ..Mark::at(place)
    }
}
