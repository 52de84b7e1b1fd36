//! The second look: an index knows records by hashes, so the few that matter are read once more.

use super::index::Tally;
use super::keyer::Keyer;
use super::{Side, Version, pick};
use crate::format::{Blob, Record, Records, References, Sink};
use crate::policy::Limits;

/// Gives the two versions of the sides of a comparison once more.
pub(crate) trait Again {
    /// Reads one version of a side (its index in the slice that is compared) into `sink` as it was read before, batch by
    /// batch from its first record. `false` where that cannot be done any more; the answer is then less detailed,
    /// never wrong.
    fn read(&self, side: usize, version: Version, sink: &mut dyn Sink) -> bool;

    /// Shows `look` the bytes of one version of a side as they were read before: for those who need few of its records.
    /// `false` where they cannot be had any more.
    fn show(&self, _side: usize, _version: Version, _look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> bool {
        false
    }

    /// The classes of all files of a data set ([`super::set_of`]) that are not among the sides: those that did not
    /// change. `None` where it would cost too much to know.
    fn rest(&self, set: &str) -> Option<Tally>;
}

/// Gives nothing: for comparisons whose versions are gone.
#[cfg(test)]
#[derive(Copy, Clone, Debug)]
pub(crate) struct Never;

#[cfg(test)]
impl Again for Never {
    fn read(&self, _: usize, _: Version, _: &mut dyn Sink) -> bool {
        false
    }

    fn rest(&self, _: &str) -> Option<Tally> {
        None
    }
}

/// A record that is to be looked at again, and what for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) side: u32,
    pub(super) version: Version,
    pub(super) row: u32,
    pub(super) tag: u32,
}

/// Shows `look` every record of `wanted` that can be read, each with its tag, in the order of sides and rows.
pub(super) fn visit(
    sides: &[Side],
    again: &dyn Again,
    wanted: &mut [Wanted],
    look: &mut dyn FnMut(u32, &mut Keyer, Record<'_>),
) {
    wanted.sort_unstable();
    for file in wanted.chunk_by(|a, b| (a.side, a.version) == (b.side, b.version)) {
        let Wanted { side, version, .. } = file[0];
        let index = sides[side as usize].index(version).filter(|index| index.lines().is_some());
        let mut shown = false;
        if let Some(index) = index {
            again.show(side as usize, version, &mut |blob, limits| {
                let look =
                    &mut |wanted: &Wanted, keyer: &mut Keyer, record: Record<'_>| look(wanted.tag, keyer, record);
                shown = pick::rows(index, blob, limits, file, |wanted| wanted.row, look);
            });
        }
        if shown {
            continue;
        }
        let mut picker = Picker { wanted: file, row: 0, keyer: Keyer::default(), look };
        again.read(side as usize, version, &mut picker);
    }
}

/// Lets only the wanted records through.
struct Picker<'p> {
    wanted: &'p [Wanted],
    /// Rows that have passed.
    row: usize,
    keyer: Keyer,
    look: &'p mut dyn FnMut(u32, &mut Keyer, Record<'_>),
}

impl Sink for Picker<'_> {
    fn records(&mut self, records: &Records<'_>) {
        if !records.kind.is_data() {
            return;
        }
        let first = self.row;
        self.row += records.rows.len();
        if self.wanted.first().is_none_or(|wanted| wanted.row as usize >= self.row) {
            return;
        }
        self.keyer.prepare(records);
        while let Some((next, rest)) = self.wanted.split_first()
            && (next.row as usize) < self.row
        {
            if let Some(record) = records.iter().nth(next.row as usize - first) {
                (self.look)(next.tag, &mut self.keyer, record);
            }
            self.wanted = rest;
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}
