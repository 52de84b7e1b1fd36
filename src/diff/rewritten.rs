//! Records that are written in another way than before and are the same: a change of layout in which labels may hide.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::again::Again;
use super::compare::{Ladder, Relabel};
use super::index::Index;
use super::rows::Rows;
use super::runs::runs;
use super::{Version, hash};
use crate::format::{Records, References, Sink};

/// Flips that are more than one in so many records of their file cannot hide among them.
const HIDDEN: u64 = 50;
/// Records of a file beyond which its two versions are not held against each other.
const MOST: usize = 5_000_000;

/// Such records by data set, in the files with flips that are few among them.
pub(super) fn count(ladder: &Ladder<'_>, flipped: &[Relabel], again: &dyn Again) -> BTreeMap<u32, u64> {
    let mut of_set = BTreeMap::new();
    for side in flipped.iter().map(|flip| flip.side).collect::<BTreeSet<_>>() {
        let flips = flipped.iter().filter(|flip| flip.side == side).count() as u64;
        let (Some(before), Some(after)) = (ladder.index(side, Version::Before), ladder.index(side, Version::After))
        else {
            continue;
        };
        if flips * HIDDEN > after.len() as u64 || before.len().max(after.len()) > MOST {
            continue;
        }
        let fresh = match after.fresh_rows() {
            Some(rows) => rows,
            None if before.lines().is_some() && after.lines().is_some() => {
                match fresh_lines([before, after], side as usize, again) {
                    Some(rows) => rows,
                    None => continue,
                }
            }
            None => {
                let mut lines = Lines { known: FxHashSet::default(), learns: true, fresh: 0 };
                if !again.read(side as usize, Version::Before, &mut lines) {
                    continue;
                }
                lines.learns = false;
                again.read(side as usize, Version::After, &mut lines);
                lines.fresh
            }
        };
        // What flipped, and what came, is written in another way because it is another.
        let come = (after.len() as u64).saturating_sub(before.len() as u64);
        *of_set.entry(ladder.set_of[side as usize]).or_default() += fresh.saturating_sub(flips + come);
    }
    of_set
}

/// Records after that are no line of the version before, of two texts whose records are lines. Lines that both share
/// where they lie are not looked at; the others are held against every record before.
fn fresh_lines([before, after]: [&Index; 2], side: usize, again: &dyn Again) -> Option<u64> {
    let mut fresh = None;
    again.show(side, Version::Before, &mut |old, _| {
        let old: &[u8] = &old.decoded.bytes;
        again.show(side, Version::After, &mut |new, _| {
            let new: &[u8] = &new.decoded.bytes;
            let mut differ = Vec::new();
            let (mut runs, rows) = (runs(old, new).into_iter().filter(|run| !run.same).peekable(), after.lines());
            for row in rows.into_iter().flat_map(Rows::iter) {
                while runs.next_if(|run| run.new.end as u64 <= row.start).is_some() {}
                if runs.peek().is_some_and(|run| run.new.start as u64 <= row.start) {
                    differ.push(hash(row.of(new)));
                }
            }
            let mut known: Vec<u64> = differ.clone();
            known.sort_unstable();
            known.dedup();
            let mut met = vec![false; known.len()];
            if !known.is_empty() {
                for row in before.lines().into_iter().flat_map(Rows::iter) {
                    if let Ok(at) = known.binary_search(&hash(row.of(old))) {
                        met[at] = true;
                    }
                }
            }
            let is_new = |line: &&u64| known.binary_search(line).is_ok_and(|at| !met[at]);
            fresh = Some(differ.iter().filter(is_new).count() as u64);
        });
    });
    fresh
}

/// Records by their bytes.
struct Lines {
    known: FxHashSet<u64>,
    learns: bool,
    fresh: u64,
}

impl Sink for Lines {
    fn records(&mut self, records: &Records<'_>) {
        if records.kind.is_columnar() {
            return;
        }
        for record in records.iter() {
            let line = hash(record.span().of(records.text));
            if self.learns {
                self.known.insert(line);
            } else {
                self.fresh += u64::from(!self.known.contains(&line));
            }
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}
