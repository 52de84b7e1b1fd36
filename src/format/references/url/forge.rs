//! Files, archives and releases of code hosts.

use super::located::{Asked, Located, decoded};
use crate::format::Verdict;
use crate::format::references::endings::{has_data_ending, names_data};
use crate::format::references::pin::of_revision;

/// A file of a git host, whose revision stands at segment `at`.
pub(super) fn git_file(hub: &'static str, url: &str, segments: &[&str], at: usize, asked: Asked) -> Located {
    let revision = match segments.get(at) {
        Some(&"refs") => segments[at..].iter().take(3).copied().collect::<Vec<_>>().join("/"),
        Some(revision) => decoded(revision),
        None => String::new(),
    };
    let file = segments.get(at + 1..).map(|s| s.join("/")).unwrap_or_default();
    let verdict =
        if revision.is_empty() || !asked.wants(&file) { Verdict::NotADataset } else { of_revision(Some(&revision)) };
    let pin = Some(revision).filter(|r| !r.is_empty());
    Located { hub, target: url.to_owned(), kind: None, pin, verdict }
}

pub(super) fn github(url: &str, segments: &[&str], asked: Asked) -> Located {
    let plain = |pin: Option<&str>, verdict| Located {
        hub: "github",
        target: url.to_owned(),
        kind: None,
        pin: pin.map(str::to_owned),
        verdict,
    };
    match segments {
        [_, _, "raw", ..] => git_file("github", url, segments, 3, asked),
        [_, _, "blob", .., name] if has_data_ending(name) => git_file("github", url, segments, 3, asked),
        [_, _, "archive", rest @ ..] => archive(url, &rest.join("/"), asked),
        [_, _, "releases", "latest", "download", rest @ ..] if asked.wants(&rest.join("/")) => {
            plain(None, Verdict::Unpinned)
        }
        // What a release holds can be replaced.
        [_, _, "releases", "download", tag, rest @ ..] if asked.wants(&rest.join("/")) => {
            plain(Some(tag), Verdict::Weak)
        }
        [_, _] if asked == Asked::Data => plain(None, Verdict::Unpinned),
        _ => plain(None, Verdict::NotADataset),
    }
}

/// An archive of a whole repository.
pub(super) fn archive(url: &str, revision: &str, asked: Asked) -> Located {
    let revision =
        [".zip", ".tar.gz", ".tgz", ".tar.bz2"].iter().find_map(|end| revision.strip_suffix(end)).unwrap_or(revision);
    let verdict =
        if asked == Asked::Any && !names_data(url) { Verdict::NotADataset } else { of_revision(Some(revision)) };
    Located { hub: "github", target: url.to_owned(), kind: None, pin: Some(revision.to_owned()), verdict }
}
