//! Buckets and other object stores.

use super::located::{Located, Parts};
use crate::format::Verdict;
use crate::format::references::spelling::is_dynamic;

pub(super) fn bucket(hub: &'static str, url: &str, parts: &Parts<'_>) -> Located {
    let dynamic = is_dynamic(url);
    const PLACEHOLDERS: &[&str] =
        &["bucket-name", "bucket_name", "my-bucket", "mybucket", "your-bucket", "your_bucket", "bucketname"];
    if (parts.host.is_empty() && !dynamic) || PLACEHOLDERS.contains(&parts.host) || parts.host.starts_with('<') {
        // The bare prefix that code tells such addresses by, or what a reader is to fill in.
        return Located::nothing(hub, url);
    }
    let version = parts.query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let version = ["versionid", "generation", "version_id"].contains(&key.to_ascii_lowercase().as_str());
        (version && !value.is_empty()).then(|| value.to_owned())
    });
    let generation =
        parts.fragment.bytes().all(|b| b.is_ascii_digit()).then_some(parts.fragment).filter(|f| !f.is_empty());
    let pin = version.or_else(|| generation.map(str::to_owned));
    let verdict = match (&pin, dynamic) {
        (_, true) => Verdict::Dynamic,
        (Some(_), _) => Verdict::Pinned,
        (None, _) => Verdict::Unpinned,
    };
    Located { hub, target: url.to_owned(), kind: None, pin, verdict }
}
