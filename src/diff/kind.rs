//! What a change of a label means, told from the classes of the whole data set.

use serde::Serialize;

/// What a change of a label is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Both classes live on: the record went from the one to the other.
    Flip,
    /// The old class is gone, the new one is new: it was renamed or split.
    Rename,
    /// The old class is gone, the new one was there: they were merged.
    Merge,
    /// The old class lives on, the new one is new: it was carved out.
    CarveOut,
    /// There was no label.
    Fill,
    /// There is no label any more.
    Blank,
}

impl Kind {
    /// The word used in every report.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Flip => "flip",
            Kind::Rename => "rename",
            Kind::Merge => "merge",
            Kind::CarveOut => "carve-out",
            Kind::Fill => "fill",
            Kind::Blank => "blank",
        }
    }

    /// The kind of a change from `from` to `to`. `from_after` is the number of records that still carry the old class,
    /// `to_before` of those that already carried the new one.
    pub(crate) fn of(from: Class, to: Class, from_after: u64, to_before: u64) -> Kind {
        match (from, to) {
            (Class::Null, _) => Kind::Fill,
            (_, Class::Null) => Kind::Blank,
            // Which answer of a pair is chosen is no class that could go or come.
            (Class::Pair, _) | (_, Class::Pair) => Kind::Flip,
            (Class::Named, Class::Named) => match (from_after == 0, to_before == 0) {
                (true, true) => Kind::Rename,
                (true, false) => Kind::Merge,
                (false, true) => Kind::CarveOut,
                (false, false) => Kind::Flip,
            },
        }
    }
}

/// What a label is, as far as kinds need it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Not labelled.
    Null,
    /// A class by name.
    Named,
    /// One of the two answers of a preference pair.
    Pair,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_of_the_whole_set_decide() {
        use Class::{Named, Null, Pair};
        let table = [
            (Named, Named, 0, 0, Kind::Rename),
            (Named, Named, 0, 7, Kind::Merge),
            (Named, Named, 7, 0, Kind::CarveOut),
            (Named, Named, 7, 7, Kind::Flip),
            (Null, Named, 0, 0, Kind::Fill),
            (Named, Null, 0, 0, Kind::Blank),
            (Pair, Pair, 0, 0, Kind::Flip),
        ];
        for (from, to, from_after, to_before, kind) in table {
            assert_eq!(Kind::of(from, to, from_after, to_before), kind);
        }
    }
}
