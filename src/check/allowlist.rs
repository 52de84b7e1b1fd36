//! Matching of references against the sources that the policy allows, and against names that only look like theirs.

use globset::{Candidate, GlobBuilder, GlobMatcher};
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use crate::format::{Reference, Target};
use crate::policy::{Policy, Source, SourceMatch};

/// The allowed sources, ready to be matched.
#[derive(Debug)]
pub(super) struct Allowlist {
    entries: Vec<(Source, Matcher)>,
    /// Publishers that are allowed: hub or `https`, and the name of the owner or the host.
    publishers: Vec<(String, String)>,
}

#[derive(Debug)]
enum Matcher {
    Path,
    /// Hub and repository in one, globs and all.
    Hub(Option<GlobMatcher>),
    /// Host and whole segments of a path.
    Address(Address),
    /// Host and whole segments, the last of which may have globs.
    Git(Option<GlobMatcher>),
    Bucket(String),
}

/// An address without what does not identify it.
#[derive(Debug, Eq, PartialEq)]
struct Address {
    scheme: String,
    host: String,
    segments: Vec<String>,
}

impl Allowlist {
    pub(super) fn new(policy: &Policy) -> Self {
        let entries: Vec<_> = policy.sources.iter().map(|source| (source.clone(), matcher(&source.matches))).collect();
        let mut publishers: Vec<(String, String)> =
            policy.sources.iter().filter_map(|source| publisher_of(&source.matches)).collect();
        publishers.sort();
        publishers.dedup();
        Self { entries, publishers }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first source that a reference is allowed by.
    pub(super) fn source(&self, reference: &Reference) -> Option<&Source> {
        let kind = match reference.kind {
            Target::Dataset | Target::UrlData => "dataset",
            Target::Model => "model",
            Target::Code | Target::Image => "",
        };
        let hub = folded(&format!("{}:{}", reference.hub, reference.target));
        let page = match (reference.hub, reference.kind) {
            ("huggingface", Target::Dataset) => format!("https://huggingface.co/datasets/{}", reference.target),
            ("huggingface", _) => format!("https://huggingface.co/{}", reference.target),
            _ => reference.target.clone(),
        };
        let address = Address::parse(&page);
        let git = git_name(&page);
        let bucket = page.split_once("://").map(|(_, rest)| rest).unwrap_or("");
        let hit = |matcher: &Matcher| match matcher {
            Matcher::Path => false,
            Matcher::Hub(glob) => glob.as_ref().is_some_and(|glob| glob.is_match_candidate(&Candidate::new(&hub))),
            Matcher::Address(prefix) => address.as_ref().is_some_and(|address| prefix.covers(address)),
            Matcher::Git(glob) => {
                let is_git = matches!(reference.hub, "git" | "github" | "gitlab");
                is_git && glob.as_ref().is_some_and(|glob| glob.is_match_candidate(&Candidate::new(&git)))
            }
            Matcher::Bucket(prefix) => {
                matches!(reference.hub, "s3" | "gcs" | "azure" | "bucket")
                    && bucket.starts_with(prefix.as_str())
                    && !bucket.split('/').any(|part| part == "..")
            }
        };
        let mut matching = self.entries.iter().filter(|(_, matcher)| hit(matcher)).map(|(source, _)| source);
        matching.find(|source| source.kind.is_none_or(|only| kind.is_empty() || only == kind))
    }

    /// The source that covers a file of the repository.
    pub(super) fn source_of_file(&self, path: &[u8]) -> Option<&Source> {
        let candidate = Candidate::from_bytes(path);
        self.entries.iter().map(|(source, _)| source).find(|source| match &source.matches {
            SourceMatch::Path(globs) => globs.is_match_candidate(&candidate),
            _ => false,
        })
    }

    /// A source by its name.
    pub(super) fn named(&self, name: &str) -> Option<&Source> {
        self.entries.iter().map(|(source, _)| source).find(|source| source.name == name)
    }

    /// The allowed publisher that the publisher of a reference is made to look like.
    pub(super) fn imitated(&self, reference: &Reference) -> Option<&str> {
        let (hub, name) = publisher(reference)?;
        let same_hub = || self.publishers.iter().filter(|(known, _)| *known == hub).map(|(_, name)| name.as_str());
        if same_hub().any(|known| known == name) {
            return None;
        }
        same_hub().find(|known| looks_like(&name, known))
    }
}

fn matcher(matches: &SourceMatch) -> Matcher {
    // In the name of a repository `*` stops at a `/`.
    let glob = |pattern: &str| {
        GlobBuilder::new(pattern).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
    };
    match matches {
        SourceMatch::Path(_) => Matcher::Path,
        SourceMatch::Hub(name) => Matcher::Hub(glob(&folded(name))),
        SourceMatch::Url(url) => match Address::parse(url) {
            Some(address) => Matcher::Address(address),
            // Nothing matches what is no address.
            None => Matcher::Hub(None),
        },
        SourceMatch::Git(remote) => Matcher::Git(glob(&git_name(remote))),
        SourceMatch::Bucket(prefix) => Matcher::Bucket(prefix.clone()),
    }
}

/// Compatibility forms and case taken off: hubs redirect names without regard to case.
fn folded(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

impl Address {
    /// Parses an address. One with a user name in it, or with `..` in its path, is none.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let rest = rest.split(['?', '#']).next().unwrap_or("");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let climbs =
            segments.iter().any(|part| matches!(part.replace("%2e", ".").replace("%2E", ".").as_str(), "." | ".."));
        if host.is_empty() || host.contains(['@', '\\']) || climbs {
            return None;
        }
        Some(Self { scheme: scheme.to_ascii_lowercase(), host: folded(host), segments })
    }

    fn covers(&self, other: &Address) -> bool {
        self.scheme == other.scheme && self.host == other.host && other.segments.starts_with(&self.segments)
    }
}

/// `host/owner/name` of a git remote in any of its spellings, or of a file on a code host.
fn git_name(remote: &str) -> String {
    let rest = remote.split_once("://").map_or(remote, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or("");
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    // `git@host:owner/name`.
    let rest = if remote.contains("://") { rest.to_owned() } else { rest.replacen(':', "/", 1) };
    let lower = folded(&rest);
    let mut parts: Vec<&str> = lower.split('/').filter(|part| !part.is_empty()).collect();
    if matches!(parts.first(), Some(&("raw.githubusercontent.com" | "codeload.github.com" | "www.github.com"))) {
        parts[0] = "github.com";
    }
    if parts.first() == Some(&"github.com") {
        parts.truncate(3);
    }
    let joined = parts.join("/");
    joined.strip_suffix(".git").unwrap_or(&joined).to_owned()
}

/// Who publishes what a source matches.
fn publisher_of(matches: &SourceMatch) -> Option<(String, String)> {
    match matches {
        SourceMatch::Hub(name) => {
            let name = folded(name);
            let (hub, name) = name.split_once(':')?;
            let (owner, _) = name.split_once('/')?;
            (!owner.contains(['*', '?', '['])).then(|| (hub.to_owned(), owner.to_owned()))
        }
        SourceMatch::Url(url) => Address::parse(url).map(|address| ("url".to_owned(), address.host)),
        SourceMatch::Git(remote) => git_owner(&git_name(remote)),
        SourceMatch::Path(_) | SourceMatch::Bucket(_) => None,
    }
}

fn git_owner(name: &str) -> Option<(String, String)> {
    let mut parts = name.split('/');
    let (host, owner) = (parts.next()?, parts.next()?);
    (!owner.contains(['*', '?', '['])).then(|| (format!("git {host}"), owner.to_owned()))
}

/// Who publishes what a reference names.
fn publisher(reference: &Reference) -> Option<(String, String)> {
    match reference.hub {
        "git" | "github" | "gitlab" => git_owner(&git_name(&reference.target)),
        "huggingface" | "modelscope" | "kaggle" => {
            let (owner, _) = reference.target.split_once('/')?;
            Some((reference.hub.to_owned(), folded(owner)))
        }
        "url" => Address::parse(&reference.target).map(|address| ("url".to_owned(), address.host)),
        _ => None,
    }
}

/// Whether one name is made to be taken for another: one edit apart, drawn alike, or with other marks between its parts.
fn looks_like(name: &str, known: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect::<String>();
    // Short names are one edit apart by accident.
    let near = known.chars().count() >= 5 && one_edit(name, known);
    near || bare(name) == bare(known) || skeleton(name).eq(skeleton(known))
}

/// Whether one insertion, deletion, substitution or swap of neighbours makes one of the other.
fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    match (a, b) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([x, y], [v, w]) => x == w && y == v,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::format::Verdict;
    use crate::span::Span;

    fn policy(sources: &str) -> Policy {
        let text = format!("version: 1\nsources:\n{sources}");
        Policy::parse("foretaste.yaml", &text, date(2026, 11, 1), &[]).expect("the policy is right")
    }

    fn reference(hub: &'static str, target: &str, kind: Target) -> Reference {
        Reference {
            kind,
            hub,
            target: target.into(),
            pin: None,
            verdict: Verdict::Unpinned,
            framework: "",
            by: String::new(),
            span: Span::default(),
            remote_code: false,
            fix: String::new(),
        }
    }

    #[test]
    fn sources_match_whole_parts_and_nothing_that_only_begins_alike() {
        let list = Allowlist::new(&policy(
            "  a: {match: {hub: \"huggingface:HuggingFaceH4/ultrachat_*\"}}\n\
             \x20 b: {match: {url: \"https://data.acme.org/sets/\"}}\n\
             \x20 c: {match: {git: \"ssh://git@github.com/acme/*.git\"}}\n\
             \x20 d: {match: {s3: \"acme-train/curated/\"}}\n\
             \x20 e: {match: {hub: \"huggingface:acme/base\", kind: model}}\n\
             \x20 f: {match: {path: \"data/**\"}}\n",
        ));
        for (hub, target, kind, allowed) in [
            ("huggingface", "HuggingFaceH4/ultrachat_200k", Target::Dataset, true),
            ("huggingface", "huggingfaceh4/Ultrachat_200k", Target::Dataset, true),
            ("huggingface", "HuggingFaceH4/other", Target::Dataset, false),
            ("huggingface", "other/ultrachat_200k", Target::Dataset, false),
            ("url", "https://data.acme.org/sets/a.csv", Target::UrlData, true),
            ("url", "https://DATA.acme.org/sets/a.csv?x=1", Target::UrlData, true),
            ("url", "https://data.acme.org/setsandmore/a.csv", Target::UrlData, false),
            ("url", "https://data.acme.org.evil.net/sets/a.csv", Target::UrlData, false),
            ("url", "https://data.acme.org@evil.net/sets/a.csv", Target::UrlData, false),
            ("url", "https://data.acme.org/sets/../x.csv", Target::UrlData, false),
            ("url", "http://data.acme.org/sets/a.csv", Target::UrlData, false),
            ("github", "https://raw.githubusercontent.com/acme/r/main/x.csv", Target::UrlData, true),
            ("git", "git@github.com:acme/data.git", Target::Dataset, true),
            ("git", "https://github.com/acmee/data", Target::Dataset, false),
            ("s3", "s3://acme-train/curated/x.csv", Target::UrlData, true),
            ("s3", "s3://acme-train/curated-not/x.csv", Target::UrlData, false),
            ("s3", "s3://acme-train/curated/../x.csv", Target::UrlData, false),
            ("huggingface", "acme/base", Target::Model, true),
            ("huggingface", "acme/base", Target::Dataset, false),
        ] {
            assert_eq!(list.source(&reference(hub, target, kind)).is_some(), allowed, "{hub}:{target}");
        }
        assert!(list.source_of_file(b"data/x/y.jsonl").is_some());
        assert!(list.source_of_file(b"other/y.jsonl").is_none());
    }

    #[test]
    fn imitations_of_an_allowed_publisher_are_told_from_other_publishers() {
        let list = Allowlist::new(&policy(
            "  a: {match: {hub: \"huggingface:teknium/x\"}}\n  b: {match: {hub: \"huggingface:meta-llama/x\"}}\n\
             \x20 c: {match: {url: \"https://data.acme.org/\"}}\n  d: {match: {hub: \"huggingface:abc/x\"}}\n",
        ));
        for (hub, target, imitated) in [
            ("huggingface", "teknlum/x", Some("teknium")),
            ("huggingface", "tekniumm/x", Some("teknium")),
            ("huggingface", "tekinum/x", Some("teknium")),
            ("huggingface", "meta_llama/x", Some("meta-llama")),
            ("huggingface", "metallama/x", Some("meta-llama")),
            ("huggingface", "m\u{0435}ta-llama/x", Some("meta-llama")),
            ("huggingface", "teknium/other", None),
            ("huggingface", "abd/x", None),
            ("huggingface", "somebody/x", None),
            ("url", "https://data.acrne.org/x.csv", Some("data.acme.org")),
            ("modelscope", "teknlum/x", None),
        ] {
            assert_eq!(list.imitated(&reference(hub, target, Target::Dataset)), imitated, "{target}");
        }
    }
}
