//! Which change gave a file its content.

use bstr::BStr;

use super::links;
use crate::source::{ObjectId, Repository};

/// Commits of a line that are looked at.
const MAX_STEPS: usize = 100_000;

impl Repository {
    /// The change that gave `path` the content it has at `tip`: the commit of the first-parent line, and its first
    /// parent. `None` where the file is not there, or history ends before its beginning is seen.
    pub(crate) fn introduced(&self, tip: ObjectId, path: &BStr) -> Option<(Option<ObjectId>, ObjectId)> {
        let now = self.entry_at(tip, path).ok()??;
        let mut commit = tip;
        for _ in 0..MAX_STEPS {
            let parent = self.with(|git| links(git, &commit, &mut Vec::new())).ok()?.parents.first().copied();
            let Some(parent) = parent else { return Some((None, commit)) };
            if self.entry_at(parent, path).ok()? != Some(now) {
                return Some((Some(parent), commit));
            }
            commit = parent;
        }
        None
    }
}
