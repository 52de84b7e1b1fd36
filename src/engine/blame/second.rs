//! The two versions of a step of the blame, read once more.

use bstr::BStr;

use super::Follower;
use crate::diff::{self, Again, Index, Tally, Version};
use crate::engine::audit::may_be_data;
use crate::engine::scan::Quiet;
use crate::format::{Blob, Sink};
use crate::policy::Limits;
use crate::source::{Ancestor, Changed, ObjectId};

/// Bytes of unchanged files that are read to tell what a change of a label means.
const MOST_TALLIED: u64 = 64 << 20;

/// The versions of a step, once more.
pub(super) struct Second<'s, 'a> {
    pub(super) follower: &'s Follower<'a>,
    pub(super) here: &'s Ancestor,
    pub(super) list: &'s [Changed],
}

impl Second<'_, '_> {
    fn blob(&self, side: usize, version: Version) -> Option<(ObjectId, &BStr)> {
        let file = &self.list[side];
        let blob = match version {
            Version::Before => file.before,
            Version::After => file.after,
        };
        Some((blob?, file.path.as_ref()))
    }
}

impl Again for Second<'_, '_> {
    fn read(&self, side: usize, version: Version, sink: &mut dyn Sink) -> bool {
        self.blob(side, version).is_some_and(|(blob, path)| self.follower.feed(blob, path, sink).is_ok())
    }

    fn show(&self, side: usize, version: Version, look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> bool {
        self.blob(side, version).is_some_and(|(blob, path)| self.follower.show(blob, path, look).is_ok())
    }

    fn rest(&self, set: &str) -> Option<Tally> {
        let policy = self.follower.policy;
        let touched = |path: &BStr| self.list.binary_search_by(|file| BStr::new(&file.path).cmp(path)).is_ok();
        let is_rest = |path: &BStr| {
            !touched(path)
                && !policy.excludes(path)
                && (policy.lens(path).dataset.is_some() || may_be_data(path))
                && diff::set_of(&policy.lens(path), path) == set
        };
        let (files, gaps) = self.follower.back.changed(None, self.here.tree, &is_rest);
        if !gaps.is_empty() {
            return None;
        }
        let repository = self.follower.reader.repository()?;
        let mut left = MOST_TALLIED;
        let mut tally = Tally::default();
        for file in files {
            let blob = file.after?;
            left = left.checked_sub(repository.size(blob)?)?;
            let mut index = Index::default();
            self.follower.feed(blob, file.path.as_ref(), &mut Quiet::Count(&mut index)).ok()?;
            tally.add(&index);
        }
        Some(tally)
    }
}
