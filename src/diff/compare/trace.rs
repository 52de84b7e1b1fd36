//! One record followed from the version after a change to the version before it.

use super::{How, Kind, Ladder, Left, Relabel};
use crate::diff::again::Again;
use crate::diff::{Side, Version};

/// What one record was before a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Traced {
    /// The side and the row it was; `None` where the change brought it.
    pub(crate) was: Option<(u32, u32)>,
    /// What its content has in common with that row.
    pub(crate) likeness: Likeness,
    /// The class it had.
    pub(crate) from: Option<String>,
    /// The class it has.
    pub(crate) to: Option<String>,
    /// What the change of its label is; `None` where the label stayed, and where labels are values and no classes.
    pub(crate) kind: Option<Kind>,
    /// `dataset` where the classes of the whole data set decided the kind, else `changed-files`.
    pub(crate) scope: &'static str,
}

/// What the two versions of a traced record have in common.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Likeness {
    /// Their normalised content is the same.
    Same,
    /// It was edited: an identifier or nearly all of its words say that it is the same record.
    Edited,
    /// The same content stands there several times, and their labels changed in different ways: which of them it was
    /// cannot be told.
    Unclear,
    /// The file was replaced as a whole; that a text of it stayed is chance.
    Replaced,
}

/// Where the ladder left the record that is traced.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    wanted: (u32, u32),
    fate: Fate,
}

#[derive(Copy, Clone, Debug)]
enum Fate {
    /// Nothing was said of it, so it stands in both versions.
    Same,
    Paired(Left, How),
    Unclear,
    New,
}

impl Trace {
    /// The two are one record.
    pub(super) fn paired(&mut self, a: Left, b: Left, how: How) {
        if (b.side, b.row) == self.wanted {
            self.fate = Fate::Paired(a, how);
        }
    }

    /// The row has no other version.
    pub(super) fn brought(&mut self, left: Left) {
        if (left.side, left.row) == self.wanted {
            self.fate = Fate::New;
        }
    }

    /// The row is one of several, and nobody can say which it was.
    pub(super) fn unclear(&mut self, left: Left) {
        if (left.side, left.row) == self.wanted {
            self.fate = Fate::Unclear;
        }
    }
}

/// Tells what the record at `row` of the version after of `side` was before, by the same ladder that counts changes.
pub(crate) fn trace(sides: &[Side], again: &dyn Again, side: u32, row: u32) -> Traced {
    let mut ladder = Ladder::new(sides);
    ladder.trace = Some(Trace { wanted: (side, row), fate: Fate::Same });
    ladder.match_all(again);
    let fate = ladder.trace.take().map_or(Fate::Same, |trace| trace.fate);
    let now = Left { key: ladder.index(side, Version::After).map_or(0, |index| index.keys[row as usize]), side, row };
    let (was, how) = match fate {
        Fate::New => (None, How::Exact),
        Fate::Paired(was, how) => (Some(was), how),
        Fate::Same => (ladder.twin(now, true), How::Exact),
        Fate::Unclear => (ladder.twin(now, false), How::Copies),
    };
    let to = ladder.label(Version::After, now);
    let mut traced = Traced {
        was: was.map(|was| (was.side, was.row)),
        likeness: Likeness::Same,
        from: None,
        to: ladder.title(to),
        kind: None,
        scope: "changed-files",
    };
    let Some(was) = was else { return traced };
    traced.likeness = match fate {
        Fate::Unclear => Likeness::Unclear,
        _ if was.key != now.key => Likeness::Edited,
        _ if ladder.replaced[side as usize] && was.side == side => Likeness::Replaced,
        _ => Likeness::Same,
    };
    let from = ladder.label(Version::Before, was);
    traced.from = ladder.title(from);
    if from != to && traced.likeness != Likeness::Unclear {
        let (set, old_set) = (ladder.set_of[side as usize], ladder.set_of[was.side as usize]);
        let relabel = Relabel { set, from, to, side, row, how, old_set, old: (was.side, was.row) };
        traced.scope = if ladder.ask(&[relabel], again).get(&set) == Some(&true) { "dataset" } else { "changed-files" };
        traced.kind = (!ladder.is_open(set)).then(|| ladder.kind(&relabel));
    }
    traced
}

impl Ladder<'_> {
    /// The row of the version before with the content of `now`, and with its label if `same`: in its own file the one
    /// that comes as late among its equals, else the first in another file.
    fn twin(&self, now: Left, same: bool) -> Option<Left> {
        let label = self.label(Version::After, now);
        let equal = |version, side: u32, row: usize| {
            self.index(side, version).is_some_and(|index| index.keys[row] == now.key)
                && (!same || self.label(version, Left { key: now.key, side, row: row as u32 }) == label)
        };
        let rows = |version, side: u32| 0..self.index(side, version).map_or(0, |index| index.len());
        let nth = (0..now.row as usize).filter(|&row| equal(Version::After, now.side, row)).count();
        let others = (0..self.sides.len() as u32).filter(|&side| side != now.side);
        for side in [now.side].into_iter().chain(others) {
            let mut found = rows(Version::Before, side).filter(|&row| equal(Version::Before, side, row));
            let mut last = found.next();
            for _ in 0..nth {
                last = found.next().or(last);
                if side != now.side {
                    break;
                }
            }
            if let Some(row) = last {
                return Some(Left { key: now.key, side, row: row as u32 });
            }
        }
        None
    }
}
