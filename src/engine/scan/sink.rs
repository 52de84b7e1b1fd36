//! Where records go as they are read: to every check and to the differ, or to the differ alone.

use std::collections::BTreeSet;

use crate::check::Observation;
use crate::diff::{Index, next};
use crate::engine::own::is_own;
use crate::fold::{Fold, Seen};
use crate::format::cards::{Card, Carded};
use crate::format::{Feeds, Records, Reference, References, Sink};
use crate::span::BlobId;

/// Takes records for the differ alone.
pub(in crate::engine) enum Quiet<'s> {
    /// Every row.
    Rows(&'s mut Index),
    /// The number of rows of each class.
    Count(&'s mut Index),
}

impl Sink for Quiet<'_> {
    fn records(&mut self, records: &Records<'_>) {
        match self {
            Quiet::Rows(index) => index.observe(records),
            Quiet::Count(index) => index.count(records),
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

/// Hands each batch to every check and to the differ.
pub(super) struct Feed<'s> {
    pub(super) checks: &'s [Box<dyn Fold>],
    pub(super) seen: &'s mut [Seen],
    pub(super) reading: &'s mut next::Reading,
    pub(super) references: &'s mut Vec<(BlobId, Reference)>,
    pub(super) settled: &'s (dyn Fn(&Reference) -> Option<Reference> + Sync),
    pub(super) cards: &'s mut Vec<(BlobId, Card)>,
    pub(super) named: Option<&'s mut BTreeSet<String>>,
    pub(super) records: u64,
    pub(super) feeds: Vec<Feeds>,
}

impl Sink for Feed<'_> {
    fn records(&mut self, records: &Records<'_>) {
        self.records += records.rows.len() as u64;
        for (check, seen) in self.checks.iter().zip(self.seen.iter_mut()) {
            check.observe(seen, &Observation::Records(records));
        }
        self.reading.observe(records);
    }

    fn feeds(&mut self, feeds: Feeds) {
        self.feeds.push(feeds);
    }

    fn card(&mut self, card: &Carded<'_>) {
        for (check, seen) in self.checks.iter().zip(self.seen.iter_mut()) {
            check.observe(seen, &Observation::Card(card));
        }
        self.cards.push((card.blob.id, card.card.clone()));
    }

    fn references(&mut self, references: &References<'_>) {
        // What the policy names is what it allows, and nothing is loaded from there.
        if is_own(references.blob.path).is_some() {
            return;
        }
        let settled = |reference: &Reference| (self.settled)(reference).unwrap_or_else(|| reference.clone());
        let list: Vec<Reference> = references.list.iter().map(settled).collect();
        let references = &References { list: &list, ..*references };
        for (check, seen) in self.checks.iter().zip(self.seen.iter_mut()) {
            check.observe(seen, &Observation::References(references));
        }
        if let Some(named) = &mut self.named {
            let fresh = references.list.iter().filter(|r| references.blob.fresh.touches(r.span) && r.is_remote());
            named.extend(fresh.map(|r| format!("{}:{}", r.hub, r.target)));
        }
        let id = references.blob.id;
        self.references.extend(list.into_iter().map(|reference| (id, reference)));
    }
}
