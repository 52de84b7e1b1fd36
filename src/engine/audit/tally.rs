//! How many records of each data set carry each class, commit by commit: what a change means depends on the classes of
//! the whole data set, not only of the files that changed.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::decode::Rows;
use crate::diff::{Label, Tally};

/// Names of data sets and classes by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: FxHashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

/// Records without a label.
const NULL: u32 = u32::MAX;

/// Records by data set and class.
pub(super) type Counts = BTreeMap<(u32, u32), i64>;

/// Counts classes of indexes, each index once.
#[derive(Debug, Default)]
pub(super) struct Counter {
    sets: Names,
    classes: Names,
    known: FxHashMap<usize, Vec<(u32, i64)>>,
}

impl Counter {
    /// Adds records to a data set, or takes them away where `sign` is -1.
    pub(super) fn add(&mut self, counts: &mut Counts, set: &str, rows: &Rows, sign: i64) {
        let set = self.sets.number(set);
        let classes = &mut self.classes;
        let index = &rows.index;
        let of_index = self.known.entry(rows.unit).or_insert_with(|| {
            let of = |(label, rows): (Label, u64)| {
                let class = match index.classes().title(label) {
                    Some(title) => classes.number(&title),
                    None if label == Label::NULL => NULL,
                    None => return None,
                };
                Some((class, rows as i64))
            };
            index.classes().counts().filter_map(of).collect()
        });
        for &(class, rows) in &*of_index {
            let count = counts.entry((set, class)).or_default();
            *count += sign * rows;
            if *count == 0 {
                counts.remove(&(set, class));
            }
        }
    }

    /// The name of a data set.
    pub(super) fn set(&self, set: u32) -> String {
        self.sets.names.get(set as usize).cloned().unwrap_or_default()
    }

    /// The name of a class; `None` for records without a label.
    pub(super) fn class(&self, class: u32) -> Option<String> {
        self.classes.names.get(class as usize).cloned()
    }

    /// The classes of one data set, as the differ wants them.
    pub(super) fn tally(&self, counts: &Counts, set: &str) -> Tally {
        let mut tally = Tally::default();
        let Some(set) = self.sets.find(set) else { return tally };
        for (&(_, class), &rows) in counts.range((set, 0)..=(set, NULL)) {
            // A file that could not be read on one side only must not make less than nothing.
            let rows = u64::try_from(rows).unwrap_or(0);
            match class {
                NULL => tally.null += rows,
                class => *tally.classes.entry(self.classes.names[class as usize].clone()).or_default() += rows,
            }
        }
        tally
    }
}
