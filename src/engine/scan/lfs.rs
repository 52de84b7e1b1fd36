//! Content that git holds elsewhere: pointers of git LFS, and of tools that keep data outside of git.

use super::{Compare, Part, Scanner};
use crate::finding::Unread;
use crate::source::{self, Before, Content, Entry, Mode};
use bstr::ByteSlice;

impl Scanner<'_> {
    /// Whether what git holds of a file is what its attributes ask for: a pointer, or else the file itself.
    pub(super) fn past_lfs(
        &self,
        entry: &Entry,
        content: &Content,
        raw: &[u8],
    ) -> Option<(&'static str, &'static str)> {
        let is_pointer = |bytes: &[u8]| (!bytes.is_empty()).then(|| source::pointer(bytes).is_some());
        let before = || entry.before.as_ref().filter(|before| matches!(before.mode, Mode::File | Mode::Executable));
        let committed = |before: &Before| match self.reader.read(&Content::Object(before.id), source::MAX_POINTER) {
            Ok(bytes) => is_pointer(&bytes),
            Err(_) => Some(false),
        };
        let (held, path) = match content {
            Content::Object(_) => (is_pointer(raw)?, entry.path()),
            // On disk a file stands in for its pointer, as it should: what was committed of it counts.
            Content::File(_) => before().and_then(|before| Some((committed(before)?, before.path.as_bstr())))?,
        };
        let asks = self.attributes.asks_lfs(path);
        let is_new = self.compare != Compare::Change
            || before()
                .is_none_or(|b| committed(b) != Some(held) || self.attributes.asks_lfs(b.path.as_bstr()) != asks);
        match (asks, held) {
            (true, false) if is_new => {
                Some(("lfs-bypassed", "the attributes say `filter=lfs`, and git holds the file itself"))
            }
            (false, true) if is_new => {
                Some(("lfs-not-asked", "git holds a pointer, and no attribute says `filter=lfs`"))
            }
            _ => None,
        }
    }

    /// Data that is kept elsewhere: what a change says of it cannot be seen. Outside of a change it is only noted.
    pub(super) fn unseen(&self, part: &mut Part, entry: &Entry, bytes: &[u8]) {
        let Some(reason) = source::elsewhere(entry.path(), bytes) else { return };
        if self.compare != Compare::Change {
            part.notes.push(format!("{}: {reason}", entry.path));
            return;
        }
        let before = self.before(entry).ok().flatten();
        let before = before.map(|bytes| source::dvc_outputs(entry.path(), &bytes)).unwrap_or_default();
        let after = source::dvc_outputs(entry.path(), bytes);
        if before.is_empty() || before != after {
            part.unread.push(Unread { path: entry.path.clone(), reason: format!("{reason}; what changed is unseen") });
        }
    }

    /// The pointer that is committed where the work tree has the object.
    pub(super) fn pointer_before(&self, entry: &Entry) -> Option<source::Pointer> {
        let id = entry.before.as_ref().filter(|_| self.blake3)?.id;
        let bytes = self.reader.repository()?.blob(id, 1 << 10).ok()?;
        source::pointer(&bytes)
    }
}
