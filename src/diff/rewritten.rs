//! Records that are written in another way than before and are the same: a change of layout in which labels may hide.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::again::Again;
use super::compare::{Ladder, Relabel};
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
