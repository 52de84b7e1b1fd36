//! The second look of the differ: an index knows records by hashes, so the few that matter are read once more.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice};

use super::scan::{Quiet, Scanner};
use crate::diff::{self, Again, Tally, Version};
use crate::format::{Blob, Sink};
use crate::lens::class_of_image;
use crate::policy::Limits;
use crate::source::{Entry, ObjectId, Scope};

/// Bytes of unchanged files of a data set that are read to count its classes. Above that a change is judged by the
/// classes of the changed files, and says so.
const MOST_TALLIED: u64 = 64 << 20;

/// Reads sides of a comparison again.
pub(super) struct Reread<'a, 's> {
    pub(super) scanner: &'a Scanner<'s>,
    pub(super) sides: &'a [diff::Side],
    pub(super) entries: &'a [Entry],
    /// Classes of the files that did not change, where they were read anyway.
    pub(super) tallies: &'a BTreeMap<String, Tally>,
    /// Whether everything in scope was read, so that `tallies` has them all.
    pub(super) is_complete: bool,
    /// The judged commit of a range.
    pub(super) after: Option<ObjectId>,
}

impl Again for Reread<'_, '_> {
    fn read(&self, side: usize, version: Version, sink: &mut dyn Sink) -> bool {
        let Some(id) = self.sides.get(side).map(diff::Side::blob) else { return false };
        let entry = self.entries.get(id.0 as usize);
        entry.is_some_and(|entry| self.scanner.again(id, entry, version, sink).is_ok())
    }

    fn show(&self, side: usize, version: Version, look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> bool {
        let Some(id) = self.sides.get(side).map(diff::Side::blob) else { return false };
        let entry = self.entries.get(id.0 as usize);
        entry.is_some_and(|entry| self.scanner.show(id, entry, version, look).is_ok())
    }

    fn rest(&self, set: &str) -> Option<Tally> {
        if self.is_complete {
            return Some(self.tallies.get(set).cloned().unwrap_or_default());
        }
        self.unchanged(set)
    }
}

impl Reread<'_, '_> {
    /// The classes of the files of the set that a range does not touch, if they are small.
    fn unchanged(&self, set: &str) -> Option<Tally> {
        let (after, repository) = (self.after?, self.scanner.reader.repository()?);
        let all = repository.snapshot(&Scope::Revision(after.to_string()), &[]).ok()?;
        let touched = |path: &BStr| self.entries.binary_search_by(|entry| entry.path().cmp(path)).is_ok();
        let mut left = MOST_TALLIED;
        let mut tally = Tally::default();
        let mut files = Vec::new();
        for entry in &all.entries {
            let lens = self.scanner.policy.lens(entry.path());
            if diff::set_of(&lens, entry.path()) != set || touched(entry.path()) || entry.path().is_empty() {
                continue;
            }
            let Some(crate::source::Content::Object(id)) = &entry.content else { continue };
            if let Some(class) = class_of_image(entry.path(), lens.dataset.is_some()) {
                *tally.classes.entry(String::from_utf8_lossy(class).into_owned()).or_default() += 1;
                continue;
            }
            left = left.checked_sub(repository.size(*id)?)?;
            files.push((entry, lens));
        }
        for (entry, lens) in files {
            let mut index = diff::Index::default();
            let content = entry.content.as_ref()?;
            let bytes = self.scanner.resolved(content).ok()?;
            self.scanner
                .feed(Default::default(), entry.path.as_bstr(), &bytes, &lens, &mut Quiet::Count(&mut index))
                .ok()?;
            tally.add(&index);
        }
        Some(tally)
    }
}
