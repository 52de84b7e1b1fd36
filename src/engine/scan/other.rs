//! Entries that hold no records of their own: links, submodules, images.

use std::sync::Arc;

use bstr::{BStr, ByteSlice};

use super::{Part, Scanner};
use crate::diff::{self, Index};
use crate::format::{self, Blob};
use crate::lens::{Lens, class_of_image};
use crate::source::{self, Content, Entry, Mode};
use crate::span::{BlobId, Fresh};

impl Scanner<'_> {
    /// A link is judged by its target, which is never followed.
    pub(super) fn link(
        &self,
        part: &mut Part,
        id: BlobId,
        entry: &Entry,
        content: &Content,
        lens: &Lens,
    ) -> Result<(), String> {
        let target = self.reader.read(content, self.policy.limits.blob)?;
        part.looked_at.files += 1;
        let decoded = format::decode(&target, &self.policy.limits)?;
        let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
        if source::annex_key(&target, true).is_some() {
            return Err("git-annex link: its content is not in the repository".to_owned());
        }
        if leaves(entry.path(), &target) {
            self.flaw(part, blob, "link-outside", "the link points outside the repository".to_owned());
        } else if entry.before.as_ref().is_some_and(|before| before.mode != Mode::Link) {
            self.flaw(part, blob, "link-replaces-file", "a link took the place of a file".to_owned());
        }
        Ok(())
    }
}

/// Whether a file is an image by its name, and a record of a data set whose folder is its class.
pub(super) fn is_image(path: &BStr, lens: &Lens) -> bool {
    class_of_image(path, lens.dataset.is_some()).is_some()
}

/// An image in the two versions of a change: its folder is its label, so that a move between folders is a change of label.
pub(super) fn image(id: BlobId, entry: &Entry, lens: &Lens) -> diff::Side {
    let version = |path: &BStr, object: &crate::source::ObjectId| {
        let mut index = Index::default();
        index.file(path, object.as_bytes(), id);
        Arc::new(index)
    };
    let after = match &entry.content {
        Some(Content::Object(object)) => Some(version(entry.path(), object)),
        _ => None,
    };
    let before = entry.before.as_ref().map(|before| version(before.path.as_bstr(), &before.id));
    diff::Side::new(id, entry.path.clone(), lens, before, after)
}

/// Whether a relative link, followed from the folder of its path, climbs out of the repository. Absolute ones do.
fn leaves(path: &BStr, target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let mut depth = path.split_str("/").count() as i64 - 1;
    for part in target.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// What a run says of a submodule.
pub(super) fn submodule_note(entry: &Entry) -> String {
    let now = match &entry.content {
        Some(Content::Object(id)) => id.to_hex_with_len(12).to_string(),
        _ => "an unknown commit".to_owned(),
    };
    match &entry.before {
        Some(before) => format!(
            "the submodule {} moves from {} to {now}; what it holds was not looked at",
            entry.path,
            before.id.to_hex_with_len(12)
        ),
        None => format!("the submodule {} is at {now}; what it holds was not looked at", entry.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_climb_out_are_told_from_those_that_stay() {
        let leaves = |path: &str, target: &str| leaves(path.into(), target.as_bytes());
        assert!(leaves("data/x.csv", "/etc/passwd"));
        assert!(leaves("data/x.csv", "../../x"));
        assert!(leaves("x", ".."));
        assert!(leaves("data/x", "a/../../../b/c"));
        assert!(!leaves("data/x.csv", "../other/y.csv"));
        assert!(!leaves("data/deep/x", "../.././y"));
    }
}
