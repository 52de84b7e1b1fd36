//! Erases the types of the checks once, so that everything else can iterate them.

use std::any::Any;

use crate::check::{Check, Configured, Merge, Observation};
use crate::finding::Finding;
use crate::policy::{Policy, PolicyError};
use crate::rule::Rule;

/// One line of the catalogue: the static side of a check.
pub(crate) struct Entry {
    /// Its rules.
    pub(crate) rules: &'static [Rule],
    /// Makes it ready with its settings from the policy.
    pub(crate) make: fn(&Policy) -> Result<Box<dyn Fold>, PolicyError>,
    /// Adds the JSON Schema of its settings.
    pub(crate) schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("rules", &self.rules.iter().map(|r| r.id).collect::<Vec<_>>()).finish()
    }
}

/// The entry of a check.
pub(crate) const fn entry<C: Configured>() -> Entry {
    Entry {
        rules: C::RULES,
        make: |policy| {
            let settings = policy.settings::<C::Settings>(C::RULES[0].id)?;
            Ok(Box::new(Erased(C::new(settings, policy))))
        },
        schema: |generator| generator.subschema_for::<C::Settings>(),
    }
}

/// What a check has seen, with its type erased.
pub(crate) type Seen = Box<dyn Any + Send>;

/// A check with its types erased.
pub(crate) trait Fold: Send + Sync {
    /// Nothing seen yet.
    fn start(&self) -> Seen;
    /// See [`Check::observe`].
    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>);
    /// See [`Merge::merge`].
    fn merge(&self, into: &mut Seen, from: Seen);
    /// See [`Check::finish`].
    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>);
}

struct Erased<C>(C);

impl<C: Check> Erased<C> {
    fn open(seen: &mut Seen) -> &mut C::Seen {
        seen.downcast_mut().expect("a state is only ever given back to the check that started it")
    }

    fn take(seen: Seen) -> C::Seen {
        *seen.downcast().expect("a state is only ever given back to the check that started it")
    }
}

impl<C: Check> Fold for Erased<C> {
    fn start(&self) -> Seen {
        Box::new(C::Seen::default())
    }

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        self.0.observe(Self::open(seen), observation);
    }

    fn merge(&self, into: &mut Seen, from: Seen) {
        Self::open(into).merge(Self::take(from));
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        self.0.finish(Self::take(seen), findings);
    }
}
