//! The sources of the policy for those who only ask what is listed: the inventory and bills of materials.

use bstr::BStr;

use super::allowlist::Allowlist;
use crate::format::Reference;
use crate::policy::{Policy, Source};

/// Which source of the policy lists what.
#[derive(Debug)]
pub(crate) struct ListedSources(Allowlist);

impl ListedSources {
    /// The sources of a policy.
    pub(crate) fn new(policy: &Policy) -> Self {
        Self(Allowlist::new(policy))
    }

    /// The source that lists a reference.
    pub(crate) fn of(&self, reference: &Reference) -> Option<&Source> {
        self.0.source(reference)
    }

    /// The source that lists a file of the repository.
    pub(crate) fn of_file(&self, path: &BStr) -> Option<&Source> {
        self.0.source_of_file(path)
    }

    /// A source by its name.
    pub(crate) fn named(&self, name: &str) -> Option<&Source> {
        self.0.named(name)
    }
}
