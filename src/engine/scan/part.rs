//! What one thread gathers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diff::{self, Tally};
use crate::finding::{LookedAt, Unread};
use crate::fold::Seen;
use crate::format::cards::Card;
use crate::format::{Feeds, Guess, Reference};
use crate::policy::lock::Labels;
use crate::span::BlobId;

/// What one thread has gathered.
#[derive(Default)]
pub(in crate::engine) struct Part {
    /// State of each check, in the order of the catalogue; empty until the first entry.
    pub(in crate::engine) seen: Vec<Seen>,
    pub(in crate::engine) unread: Vec<Unread>,
    pub(in crate::engine) looked_at: LookedAt,
    pub(in crate::engine) guesses: Vec<(BlobId, Guess)>,
    pub(in crate::engine) references: Vec<(BlobId, Reference)>,
    /// What cards say of the data beside them.
    pub(in crate::engine) cards: Vec<(BlobId, Card)>,
    /// Sources that a change names, for its summary.
    pub(in crate::engine) named: BTreeSet<String>,
    pub(in crate::engine) sides: Vec<diff::Side>,
    /// Classes of the files that did not change, by data set.
    pub(in crate::engine) tallies: BTreeMap<String, Tally>,
    /// What each judged file is, for the lock.
    pub(in crate::engine) measures: Vec<Measure>,
    /// LFS objects that stand in for their pointers.
    pub(in crate::engine) held: Vec<(BlobId, Arc<[u8]>)>,
    pub(in crate::engine) notes: Vec<String>,
    /// Line feeds on the way through long texts, so that reports need not count them.
    pub(in crate::engine) feeds: Vec<(BlobId, Vec<Feeds>)>,
}

/// What a judged file is, as the lock records it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::engine) struct Measure {
    pub(in crate::engine) blob: BlobId,
    pub(in crate::engine) sha256: [u8; 32],
    /// Only where a lock is written.
    pub(in crate::engine) blake3: Option<[u8; 32]>,
    pub(in crate::engine) size: u64,
    pub(in crate::engine) records: Option<u64>,
    pub(in crate::engine) labels: Option<Labels>,
    /// SHA-256 that its publisher gives, where an LFS pointer stands for it.
    pub(in crate::engine) pointer: Option<String>,
}
