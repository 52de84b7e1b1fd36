//! The files in scope and the policy in force, for verbs that go through them by themselves.

use std::path::Path;

use super::gather::Run;
use super::scan::Reader;
use super::{Checker, Error, Silent};
use crate::finding::Unread;
use crate::policy::Policy;
use crate::policy::baseline::Baseline;
use crate::source::{self, Bytes, Content, Entry, Snapshot, Source};

/// The files in scope, for a verb that goes through them by itself.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) policy: Policy,
    pub(crate) baseline: Baseline,
    /// What the policy does not exclude, sorted by path.
    pub(crate) entries: Vec<Entry>,
    /// What could not even be listed.
    pub(crate) unread: Vec<Unread>,
    reader: Reader,
}

impl Listed {
    /// The bytes of a file; see [`Source::read`].
    ///
    /// # Errors
    /// A short phrase that says why not.
    pub(crate) fn read(&self, content: &Content) -> Result<Bytes, String> {
        self.reader.read(content, self.policy.limits.blob)
    }

    /// The same, however large it is.
    pub(super) fn raw(&self, content: &Content) -> Result<Bytes, String> {
        self.reader.read(content, u64::MAX)
    }

    /// What a pointer of git LFS stands for; `None` where the bytes are no pointer.
    pub(crate) fn object(&self, bytes: &[u8]) -> Option<Result<Bytes, String>> {
        let pointer = source::pointer(bytes)?;
        let object = self.reader.source.resolve_lfs(&pointer, self.policy.limits.blob);
        Some(object.map_err(|error| error.to_string()))
    }

    /// The top of the work tree, where there is one.
    pub(crate) fn work_tree(&self) -> Option<&Path> {
        self.reader.repository()?.work_tree()
    }
}

impl Checker {
    /// The policy that would judge, without looking at any data.
    pub(crate) fn judged_by(&self, dir: &Path) -> Result<(Policy, Vec<String>), Error> {
        let source = Source::discover(dir, &self.environment)?;
        let reader = Reader { source, memory: None };
        let run = Run { checker: self, reader, scope: self.scope.clone(), progress: &Silent };
        let judgement = run.judgement(&Snapshot::default())?;
        Ok((judgement.policy, judgement.notes))
    }

    /// Lists what is in scope without reading it, with the policy and the baseline in force.
    pub(crate) fn listed(&self, dir: &Path) -> Result<Listed, Error> {
        let run = self.prepared(dir, &Silent)?;
        let mut snapshot = run.snapshot()?;
        let judgement = run.judgement(&snapshot)?;
        run.add_declared(&mut snapshot, &judgement.policy, &|_| false)?;
        snapshot.entries.retain(|entry| !judgement.policy.excludes(entry.path()));
        let (policy, baseline) = (judgement.policy, judgement.baseline);
        Ok(Listed { policy, baseline, entries: snapshot.entries, unread: snapshot.unread, reader: run.reader })
    }
}
