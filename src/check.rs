//! What is wrong: the checks, and the catalogue of them.
//!
//! A check is three functions over batches of observations. It knows no input or output, no clock and no printing. To
//! add one: one new file, one `mod` line, one line in [`CATALOG`].

mod allowlist;
mod association;
mod conflicting_labels;
mod hidden_markup;
mod incomplete_run;
mod integrity;
mod invisible_unicode;
mod labels;
mod listed;
mod mixed_script;
mod places;
mod policy_loosened;
mod template_token;
mod trigger_phrase;
mod unlisted_source;
mod unpinned_reference;
mod unreadable_data;
mod unreviewed_source;
mod unvetted_vendor;

pub(crate) use labels::identities;
use serde::de::DeserializeOwned;

pub(crate) use self::listed::ListedSources;

use crate::diff::{Changes, Chapter, Indexed};
use crate::finding::Finding;
use crate::fold::{self, Entry};
use crate::format::cards::Carded;
use crate::format::{Records, References};
use crate::policy::delivery::Delivery;
use crate::policy::lock::Locked;
use crate::policy::signature::commit::Unsealed;
use crate::policy::signature::oms;
use crate::policy::trust::Proposed;
use crate::policy::{Known, Policy};
use crate::rule::Rule;
use crate::source::{Files, People};

/// Every check, in the order of the reports' table of rules.
#[rustfmt::skip] // one line a check
pub(crate) static CATALOG: &[Entry] = &[
    entry::<conflicting_labels::ConflictingLabels>(),
    entry::<hidden_markup::HiddenMarkup>(),
    entry::<incomplete_run::IncompleteRun>(),
    entry::<integrity::Integrity>(),
    entry::<invisible_unicode::InvisibleUnicode>(),
    entry::<labels::Labels>(),
    entry::<mixed_script::MixedScript>(),
    entry::<policy_loosened::PolicyLoosened>(),
    entry::<template_token::TemplateToken>(),
    entry::<trigger_phrase::TriggerPhrase>(),
    entry::<unlisted_source::UnlistedSource>(),
    entry::<unpinned_reference::UnpinnedReference>(),
    entry::<unreadable_data::UnreadableData>(),
    entry::<unreviewed_source::UnreviewedSource>(),
    entry::<unvetted_vendor::UnvettedVendor>(),
];

/// Every rule of every check.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    CATALOG.iter().flat_map(|entry| entry.rules)
}

/// What the policy needs to know of every rule.
pub(crate) fn known() -> Vec<Known> {
    let of = |entry: &'static Entry| entry.rules.iter().map(|rule| Known { rule, settings: entry.rules[0].id });
    CATALOG.iter().flat_map(of).collect()
}

/// The JSON Schema of `foretaste.yaml` with the settings of every check.
pub(crate) fn policy_schema() -> serde_json::Value {
    let settings: Vec<_> = CATALOG.iter().map(|entry| (entry.rules[0].id, entry.schema)).collect();
    crate::policy::schema::schema(&known(), &settings)
}

/// The rule with this id.
pub(crate) fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// What a check is shown. Always batches, so that a call costs nothing per row.
#[derive(Debug)]
pub(crate) enum Observation<'a> {
    /// The entries in scope, once, before anything else.
    Files(&'a Files<'a>),
    /// A batch of records.
    Records(&'a Records<'a>),
    /// The keys and labels of the rows of a file, once, after all its records.
    Indexed(&'a Indexed<'a>),
    /// The references of a blob.
    References(&'a References<'a>),
    /// What a card says of the data beside it.
    Card(&'a Carded<'a>),
    /// What changed between two versions of the data, once, after all records.
    Changes(&'a Changes<'a>),
    /// Who changed it, and who changed things before, once, after the changes.
    People(&'a People<'a>),
    /// A commit of the history that is audited, in the order of parents and children.
    Commit(&'a Chapter<'a>),
    /// The policy of the trusted side and the one that is proposed, once, where they differ.
    Policy(&'a Proposed<'a>),
    /// Commits and tags whose signatures do not count, once, where there are any and the policy has keys for them.
    Unsealed(&'a [Unsealed]),
    /// Models with signatures of their own, once, where there are any.
    Models(&'a [oms::Judged]),
    /// What vendors delivered of what is judged, once, where the policy knows one that signs its deliveries.
    Deliveries(&'a [Delivery]),
    /// The lock, what it was compared with, and its signatures, once, where there is a lock.
    Lock(&'a Locked<'a>),
}

/// Adds up what was seen apart. Must be commutative and associative, with `Default` as its neutral element: the order
/// in which threads finish must not show (law 4).
pub(crate) trait Merge: Default {
    /// Takes what `other` has seen.
    fn merge(&mut self, other: Self);
}

/// One or several rules that look at the same things.
pub(crate) trait Check: Sized + Send + Sync + 'static {
    /// Its rules.
    const RULES: &'static [Rule];
    /// What it has seen so far.
    type Seen: Merge + Send + 'static;

    /// Looks at a batch.
    fn observe(&self, seen: &mut Self::Seen, observation: &Observation<'_>);
    /// Says what is wrong.
    fn finish(&self, seen: Self::Seen, findings: &mut Vec<Finding>);
}

/// How a check is made ready for a run.
pub(crate) trait Configured: Check {
    /// Its own block under `rules:` in the policy, under the name of its first rule.
    type Settings: DeserializeOwned + Default + schemars::JsonSchema;

    /// Makes the check ready.
    fn new(settings: Self::Settings, policy: &Policy) -> Self;
}

/// One that asks nothing of the policy.
impl<C: Check + Default> Configured for C {
    type Settings = NoSettings;

    fn new(_: NoSettings, _: &Policy) -> Self {
        Self::default()
    }
}

/// A check without settings of its own. `severity` and the other common keys are read before it.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoSettings {}

impl Merge for () {
    fn merge(&mut self, (): ()) {}
}

impl<T> Merge for Vec<T> {
    fn merge(&mut self, mut other: Self) {
        // Order is made in `finish`; here only the multiset counts.
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        self.append(&mut other);
    }
}

impl<K: Ord, V: Merge> Merge for std::collections::BTreeMap<K, V> {
    fn merge(&mut self, other: Self) {
        for (key, value) in other {
            self.entry(key).or_default().merge(value);
        }
    }
}

impl Merge for u64 {
    fn merge(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

pub(crate) use fold::entry;
pub(crate) use invisible_unicode::cure::{Cure, Cut, visible};
