//! Where the rows of a sequence lie: in which files and splits, in which part of them, and whose they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Merge;
use crate::check::association::{Association, ln};
use crate::format::Record;
use crate::source::People;
use crate::span::BlobId;

/// Files of a sequence that are told apart.
const MOST_FILES: usize = 256;
/// Parts of a file.
const PARTS: usize = 16;
/// A split has this many times the rate of the others.
const FACTOR: u64 = 5;

/// Where a row lies.
#[derive(Copy, Clone, Debug)]
pub(super) struct Spot {
    pub(super) blob: BlobId,
    pub(super) record: u64,
    /// Whether the change that is judged brings it.
    pub(super) fresh: bool,
    split: Option<&'static str>,
    /// Which sixteenth of its file; the first where rows have no place in it.
    part: usize,
}

impl Spot {
    pub(super) fn of(record: Record<'_>) -> Self {
        let batch = record.batch();
        let whole = batch.blob.decoded.bytes.len().max(1) as u64;
        let part = if batch.kind.is_columnar() { 0 } else { record.row().start.min(whole - 1) * PARTS as u64 / whole };
        Self {
            blob: batch.blob.id,
            record: record.number(),
            fresh: record.is_fresh(),
            split: batch.blob.lens.split,
            part: part as usize,
        }
    }
}

/// Rows, by where they lie.
#[derive(Debug, Default)]
pub(super) struct Spread {
    pub(super) rows: u64,
    /// Those that the change brings.
    pub(super) fresh: u64,
    splits: BTreeMap<&'static str, u64>,
    parts: [u64; PARTS],
    files: BTreeMap<BlobId, File>,
}

#[derive(Copy, Clone, Debug, Default)]
struct File {
    rows: u64,
    fresh: u64,
}

impl Merge for File {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        self.fresh.merge(other.fresh);
    }
}

impl Merge for Spread {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
        self.fresh.merge(other.fresh);
        Merge::merge(&mut self.splits, other.splits);
        for (mine, more) in self.parts.iter_mut().zip(other.parts) {
            mine.merge(more);
        }
        Merge::merge(&mut self.files, other.files);
        self.prune();
    }
}

impl Spread {
    pub(super) fn add(&mut self, spot: Spot, rows: u64) {
        let fresh = if spot.fresh { rows } else { 0 };
        self.rows.merge(rows);
        self.fresh.merge(fresh);
        if let Some(split) = spot.split {
            self.splits.entry(split).or_default().merge(rows);
        }
        self.parts[spot.part].merge(rows);
        self.files.entry(spot.blob).or_default().merge(File { rows, fresh });
        self.prune();
    }

    /// The first files stay; what was dropped once lies behind all of them.
    fn prune(&mut self) {
        while self.files.len() > MOST_FILES {
            self.files.pop_last();
        }
    }

    /// What the rows with a sequence have in common against `all` rows.
    pub(super) fn kinships<'s>(&'s self, all: &'s Spread, makers: &'s Makers, tests: u64) -> Vec<Kinship<'s>> {
        let mut kin = Vec::new();
        kin.extend(self.of_maker(all, makers, With::Author, tests));
        kin.extend(self.of_maker(all, makers, With::Commit, tests));
        kin.extend(self.of_split(all, tests));
        kin
    }

    /// Nine tenths of the rows come from one maker, who brought less than a fifth of all rows.
    fn of_maker<'s>(&self, all: &Spread, makers: &'s Makers, with: With, tests: u64) -> Option<Kinship<'s>> {
        let mut rows: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (blob, maker) in &makers.0 {
            let Some(name) = maker.only(with) else { continue };
            let fresh = |spread: &Spread| spread.files.get(blob).map_or(0, |file| file.fresh);
            let (mine, owned) = rows.entry(name).or_default();
            *mine += fresh(self);
            *owned += fresh(all);
        }
        let (name, (mine, owned)) = rows.into_iter().max_by(|a, b| a.1.0.cmp(&b.1.0).then_with(|| b.0.cmp(a.0)))?;
        let owned = owned.max(mine);
        let counts = Association::new(all.rows.max(self.rows), owned, self.rows, mine);
        let concentrated = mine * 10 >= self.rows * 9 && owned.saturating_mul(5) < all.rows;
        concentrated
            .then_some(Kinship { with, name, mine, counts, chance: counts.ln_chance(tests) })
            .filter(Kinship::holds)
    }

    /// One split has many times the rate of the others.
    fn of_split<'s>(&'s self, all: &'s Spread, tests: u64) -> Option<Kinship<'s>> {
        let (rows, carriers): (u64, u64) = (all.splits.values().sum(), self.splits.values().sum());
        let of = |spread: &Spread, name| spread.splits.get(name).copied().unwrap_or(0);
        let kinship = |&name: &&'static str| {
            let (owned, mine) = (of(all, name), of(self, name));
            let (others, elsewhere) = (rows - owned, carriers - mine);
            let many = others > 0 && wide(mine) * wide(others) >= wide(FACTOR) * wide(elsewhere) * wide(owned);
            let counts = Association::new(rows.max(carriers), owned.max(mine), carriers, mine);
            let kinship = Kinship { with: With::Split, name, mine, counts, chance: counts.ln_chance(tests) };
            (many && self.fresh > 0).then_some(kinship).filter(Kinship::holds)
        };
        all.splits.keys().filter_map(kinship).max_by(|a, b| b.chance.total_cmp(&a.chance))
    }

    /// Whether nine tenths of the rows lie in one file, or in one sixteenth of the files, that holds less than a fifth of
    /// all rows.
    pub(super) fn is_concentrated(&self, all: &Spread) -> bool {
        let most = |mine: u64, owned: u64| mine * 10 >= self.rows * 9 && owned.saturating_mul(5) < all.rows;
        let in_file = |(blob, file): (&BlobId, &File)| most(file.rows, all.files.get(blob).map_or(0, |all| all.rows));
        self.parts.iter().zip(all.parts).any(|(&mine, owned)| most(mine, owned)) || self.files.iter().any(in_file)
    }

    /// Files that were counted one by one, and how many rows of them.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }
}

fn wide(n: u64) -> u128 {
    u128::from(n)
}

/// What rows with a sequence have in common beside a label.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum With {
    Author,
    Commit,
    Split,
}

impl With {
    pub(super) fn word(self) -> &'static str {
        match self {
            With::Author => "author",
            With::Commit => "commit",
            With::Split => "split",
        }
    }

    /// The key of the number of its rows.
    pub(super) fn carriers(self) -> &'static str {
        match self {
            With::Author => "carriers_of_author",
            With::Commit => "carriers_of_commit",
            With::Split => "carriers_of_split",
        }
    }

    pub(super) fn finding(self) -> &'static str {
        match self {
            With::Author => "author-trigger",
            With::Commit => "commit-trigger",
            With::Split => "split-trigger",
        }
    }
}

/// That rows with a sequence come from one hand, or lie in one split.
#[derive(Copy, Clone, Debug)]
pub(super) struct Kinship<'s> {
    pub(super) with: With,
    pub(super) name: &'s str,
    /// Rows with the sequence that do.
    pub(super) mine: u64,
    pub(super) counts: Association,
    pub(super) chance: f64,
}

impl Kinship<'_> {
    fn holds(&self) -> bool {
        self.chance < ln(1e-6)
    }
}

/// Who made the change of each file that is judged.
#[derive(Debug, Default)]
pub(super) struct Makers(BTreeMap<BlobId, Maker>);

/// Two of each are kept: more than one is several.
#[derive(Debug, Default)]
struct Maker {
    authors: BTreeSet<String>,
    commits: BTreeSet<String>,
}

impl Maker {
    fn only(&self, with: With) -> Option<&str> {
        let set = if with == With::Author { &self.authors } else { &self.commits };
        set.first().filter(|_| set.len() == 1).map(String::as_str)
    }
}

impl Merge for Maker {
    fn merge(&mut self, other: Self) {
        for (mine, more) in [(&mut self.authors, other.authors), (&mut self.commits, other.commits)] {
            mine.extend(more);
            while mine.len() > 2 {
                mine.pop_last();
            }
        }
    }
}

impl Merge for Makers {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.0, other.0);
    }
}

impl Makers {
    pub(super) fn learn(&mut self, people: &People<'_>) {
        for commit in people.judged {
            for path in &commit.paths {
                let Ok(at) = people.files.binary_search_by(|(_, entry)| entry.path.cmp(path)) else { continue };
                let author = format!("{} <{}>", commit.author.name, commit.author.mail);
                let maker = Maker { authors: [author].into(), commits: [commit.id.to_string()].into() };
                self.0.entry(people.files[at].0).or_default().merge(maker);
            }
        }
    }
}
