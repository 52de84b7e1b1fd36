//! Pages and files of the Hugging Face hub and of ModelScope.

use super::located::{Asked, Located, decoded};
use crate::format::references::endings::has_data_ending;
use crate::format::references::pin::of_revision;
use crate::format::references::spelling::is_dynamic;
use crate::format::{Target, Verdict};

/// `hf://datasets/owner/name@revision/file`, without its scheme.
pub(super) fn hub_uri(rest: &str) -> Located {
    let (kind, rest) = match rest.split_once('/') {
        Some(("datasets", rest)) => (Target::Dataset, rest),
        Some(("spaces", rest)) => (Target::Code, rest),
        Some(("buckets", rest)) => (Target::UrlData, rest),
        Some(("models", rest)) => (Target::Model, rest),
        _ => (Target::Model, rest),
    };
    let mut parts = rest.splitn(3, '/');
    let owner = parts.next().unwrap_or("");
    let name = parts.next().unwrap_or("");
    let tail = parts.next().unwrap_or("");
    let (name, revision) = name.split_once('@').map_or((name, None), |(n, r)| (n, Some(r)));
    let revision = revision.map(|revision| match revision {
        // The revision itself may have slashes: refs/convert/parquet, refs/pr/7.
        "refs" => format!("refs/{}", tail.split('/').take(2).collect::<Vec<_>>().join("/")),
        other => decoded(other),
    });
    let verdict =
        if is_dynamic(owner) || is_dynamic(name) { Verdict::Dynamic } else { of_revision(revision.as_deref()) };
    Located { hub: "huggingface", target: format!("{owner}/{name}"), kind: Some(kind), pin: revision, verdict }
}

/// A page or a file of the Hugging Face hub.
pub(super) fn hub_page(url: &str, segments: &[&str], asked: Asked) -> Located {
    const PAGES: &[&str] = &[
        "docs",
        "blog",
        "papers",
        "api",
        "collections",
        "posts",
        "learn",
        "tasks",
        "settings",
        "organizations",
        "join",
        "login",
        "pricing",
        "models",
        "chat",
        "new",
        "terms-of-service",
        "privacy",
        "support",
        "enterprise",
        "inference",
    ];
    let nothing = Located::nothing("huggingface", url);
    let (kind, rest) = match segments {
        ["datasets", rest @ ..] => (Target::Dataset, rest),
        ["spaces", rest @ ..] => (Target::Code, rest),
        rest => (Target::Model, rest),
    };
    if rest.first().is_none_or(|first| PAGES.contains(first)) {
        return nothing;
    }
    let verb = rest.iter().position(|s| matches!(*s, "resolve" | "raw" | "blob" | "tree"));
    match verb {
        Some(at @ (1 | 2)) => {
            let file = rest.get(at + 2..).unwrap_or(&[]);
            let (revision, file) = match rest.get(at + 1) {
                Some(&"refs") => {
                    (rest[at + 1..].iter().take(3).copied().collect::<Vec<_>>().join("/"), file.get(2..).unwrap_or(&[]))
                }
                Some(revision) => (decoded(revision), file),
                None => return nothing,
            };
            let name = file.last().copied().unwrap_or("");
            let loads = match rest[at] {
                "tree" => asked == Asked::Data,
                "blob" => has_data_ending(name),
                _ => has_data_ending(name) || asked == Asked::Data,
            };
            if !loads {
                return nothing;
            }
            let verdict = of_revision(Some(&revision));
            Located { hub: "huggingface", target: rest[..at].join("/"), kind: Some(kind), pin: Some(revision), verdict }
        }
        None if asked == Asked::Data && rest.len() <= 2 => {
            let target = rest.join("/");
            let target = target.strip_suffix(".git").unwrap_or(&target).to_owned();
            Located { hub: "huggingface", target, kind: Some(kind), pin: None, verdict: Verdict::Unpinned }
        }
        _ => nothing,
    }
}

pub(super) fn modelscope(url: &str, segments: &[&str], asked: Asked) -> Located {
    let (kind, rest) = match segments {
        ["datasets", rest @ ..] => (Target::Dataset, rest),
        ["models", rest @ ..] => (Target::Model, rest),
        rest => (Target::Model, rest),
    };
    let file = rest.get(2) == Some(&"resolve");
    if rest.len() < 2 || (asked == Asked::Any && !file) {
        return Located::nothing("modelscope", url);
    }
    let revision = if file { rest.get(3).map(|r| decoded(r)) } else { None };
    let verdict = of_revision(revision.as_deref());
    Located { hub: "modelscope", target: rest[..2].join("/"), kind: Some(kind), pin: revision, verdict }
}
