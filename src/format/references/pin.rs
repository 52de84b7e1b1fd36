//! The ladder of pins: how firm a revision, a digest or a version is.

use std::sync::LazyLock;

use regex::Regex;

use super::spelling::is_dynamic;
use crate::format::Verdict;

/// How firm a revision of a hub or of git is. Exactly 40 lower-case hexadecimal digits are a commit, and nothing else
/// is: the hub's own client takes everything else for a branch or a tag.
pub(super) fn of_revision(revision: Option<&str>) -> Verdict {
    let Some(revision) = revision else { return Verdict::Unpinned };
    if is_commit(revision) {
        return Verdict::Pinned;
    }
    if is_dynamic(revision) {
        return Verdict::Dynamic;
    }
    let hexish = (7..=64).contains(&revision.len()) && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if hexish || revision.starts_with("refs/tags/") || is_version(revision) { Verdict::Weak } else { Verdict::Unpinned }
}

/// Whether it is a full commit id as the hub's client knows it.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether it is a SHA-256 digest.
pub(super) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether it looks like the name of a version: a tag, most likely.
pub(super) fn is_version(text: &str) -> bool {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[vV]?[0-9]+(?:[._-][0-9]+)*(?:[-._]?(?:rc|alpha|beta|a|b|post|dev)[.-]?[0-9]*)?$")
            .expect("the pattern is a constant")
    });
    VERSION.is_match(text)
}

/// Whether an address of a repository ends in a full commit: `git+https://host/owner/name@COMMIT`.
pub(crate) fn pinned_commit(address: &str) -> bool {
    let revision = address.rsplit_once('@').map_or("", |(_, revision)| revision);
    is_commit(revision.split(['#', '&', ' ']).next().unwrap_or(""))
}
