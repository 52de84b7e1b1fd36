//! Names of container images.

use super::pin::is_digest;
use super::spelling::is_dynamic;
use crate::format::Verdict;

/// How firm the name of an image is: what it is called, its tag or digest, and the verdict.
pub(super) fn image(text: &str) -> (String, Option<String>, Verdict) {
    if is_dynamic(text) {
        return (text.to_owned(), None, Verdict::Dynamic);
    }
    if let Some((name, digest)) = text.split_once('@') {
        let verdict = if is_digest(digest) { Verdict::Pinned } else { Verdict::Weak };
        let name = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name);
        return (name.to_owned(), Some(digest.to_owned()), verdict);
    }
    // A colon before a slash is the port of a registry.
    match text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((name, tag)) => {
            (name.to_owned(), Some(tag.to_owned()), if tag == "latest" { Verdict::Unpinned } else { Verdict::Weak })
        }
        None => (text.to_owned(), None, Verdict::Unpinned),
    }
}
