//! What a repository holds and takes in, declared or not: pipelines, data, packages that load data, references.
//!
//! An inventory judges nothing and fails nothing. It says of each thing what is missing for somebody to be able to say
//! where it came from, who looked at it, and that it has not changed.

mod data;
mod pipelines;

use std::collections::BTreeSet;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};

use super::{Checker, Error, Outcome, Progress, Silent};
use crate::check::ListedSources;
use crate::finding::Unread;
use crate::format::{self, Dependency, Lists, Reference, Verdict};
use crate::lens::Standing;
use crate::policy::lock::Lock;
use crate::policy::{self, Policy, Source};
use crate::source::Bytes;
use crate::span::{BlobId, Span};

pub(crate) use self::data::Data;
pub(crate) use self::pipelines::Pipeline;

/// Everything that was found, each list in the order of the paths.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) data: Vec<Data>,
    pub(crate) loaders: Vec<Loader>,
    pub(crate) references: Vec<Named>,
    /// What could not be read.
    pub(crate) unread: Vec<Unread>,
    /// What was looked at, in words.
    pub(crate) scope: String,
}

/// Where something stands: a file, and the raw bytes in it.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Spot {
    pub(crate) path: BString,
    /// Line, from 1.
    pub(crate) line: u64,
}

/// A reference with where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) spot: Spot,
    pub(crate) standing: Standing,
    pub(crate) reference: Reference,
    /// The source of the policy that lists it.
    pub(crate) source: Option<String>,
    pub(crate) missing: Vec<String>,
}

/// A package that loads data.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    pub(crate) spot: Spot,
    pub(crate) standing: Standing,
    pub(crate) dependency: Dependency,
    pub(crate) missing: Vec<String>,
}

/// What the rooms of the inventory look things up in.
struct Known<'a> {
    policy: &'a Policy,
    sources: ListedSources,
    lock: Option<Lock>,
    /// Every path that was looked at, and every folder above one.
    paths: BTreeSet<BString>,
    /// What the names mean that runs take from a list.
    lists: Lists<'a>,
    outcome: &'a Outcome,
}

impl Checker {
    /// Lists what is in scope.
    pub(crate) fn inventory(self, dir: &Path, progress: &dyn Progress) -> Result<Inventory, Error> {
        let lock = self.prepared(dir, &Silent)?.judged(policy::LOCK)?;
        let (policy, _) = self.judged_by(dir)?;
        let outcome = self.recording().only(&["no rule"]).run_with(dir, progress)?;
        let mut paths = BTreeSet::new();
        for blob in &outcome.blobs {
            let path: &[u8] = &blob.path;
            paths.insert(blob.path.clone());
            for at in path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at) {
                paths.insert(path[..at].into());
            }
        }
        let known = Known {
            sources: ListedSources::new(&policy),
            policy: &policy,
            // One that is broken is a finding of `check`; here it holds nothing.
            lock: lock.and_then(|text| Lock::parse(&text).ok()),
            paths,
            lists: Lists::of(outcome.references.iter().map(|(_, reference)| reference)),
            outcome: &outcome,
        };
        let mut read = Read::default();
        for (number, blob) in outcome.blobs.iter().enumerate() {
            read.blob(&known, BlobId(number as u32), blob.path.as_ref());
        }
        let pipelines = pipelines::joined(read.pipelines, &read.references, &known);
        Ok(Inventory {
            pipelines,
            data: data::list(&known),
            loaders: read.loaders,
            references: read.references,
            unread: outcome.unread.clone(),
            scope: outcome.scope.clone(),
        })
    }
}

/// What is read file by file.
#[derive(Default)]
struct Read {
    references: Vec<Named>,
    loaders: Vec<Loader>,
    pipelines: Vec<Pipeline>,
}

impl Read {
    fn blob(&mut self, known: &Known<'_>, id: BlobId, path: &BStr) {
        let kind = format::kind_of(path, b"{");
        let packages = format::lists_packages(path);
        let all = &known.outcome.references;
        let from = all.partition_point(|(blob, _)| *blob < id);
        let list = || all[from..].iter().take_while(|(blob, _)| *blob == id).map(|(_, reference)| reference);
        let signs = kind.is_some_and(pipelines::may_hold);
        if !packages && !signs && list().next().is_none() {
            return;
        }
        // What cannot be read was named as unread when it was looked at.
        let Some(bytes) = super::Contents::bytes(known.outcome, id) else { return };
        let Ok(decoded) = format::decode(&bytes, &known.policy.limits) else { return };
        let standing = known.policy.lens(path).standing;
        let mut lines = Lines::new(&bytes);
        for reference in list() {
            let reference = known.shown(reference);
            let span = decoded.raw(reference.span);
            self.references.push(Named {
                spot: Spot { path: path.to_owned(), line: lines.of(span) },
                standing: reference.standing(standing, kind),
                source: known.sources.of(&reference).map(|source| source.name.clone()),
                missing: missing(&reference, path, known),
                reference,
            });
        }
        if packages {
            let mut lines = Lines::new(&bytes);
            for dependency in format::dependencies(path, &decoded.bytes) {
                let spot = Spot { path: path.to_owned(), line: lines.of(decoded.raw(dependency.span)) };
                let missing = if dependency.exact { Vec::new() } else { vec!["one exact version".to_owned()] };
                self.loaders.push(Loader { spot, standing, dependency, missing });
            }
        }
        if signs {
            self.pipelines.extend(pipelines::of_file(path, &decoded.bytes, standing, list()));
        }
    }
}

/// What nobody can say of a reference yet.
fn missing(reference: &Reference, path: &BStr, known: &Known<'_>) -> Vec<String> {
    let mut out = Vec::new();
    match reference.verdict {
        Verdict::NotADataset => return out,
        Verdict::Dynamic => return vec!["a value that is known before it runs".into()],
        Verdict::Local => {
            match known.file_of(&reference.target, path) {
                None => out.push("the file itself: it is not in the repository".into()),
                Some(file) if !known.locks(file.as_ref()) => out.push("a line in foretaste.lock".into()),
                Some(_) => {}
            }
            return out;
        }
        Verdict::Unpinned => out.push("a pin".into()),
        Verdict::Weak => out.push("a pin that cannot be moved".into()),
        Verdict::Pinned | Verdict::Locked => {}
    }
    if !reference.is_remote() {
        return out;
    }
    match known.sources.of(reference) {
        None => out.push("a source that lists it".into()),
        Some(source) => out.extend(gaps(source, known.policy)),
    }
    if reference.remote_code {
        out.push("loading without code of its publisher".into());
    }
    out
}

/// What a source of the policy does not say.
fn gaps(source: &Source, policy: &Policy) -> Vec<String> {
    let mut out = Vec::new();
    for (there, what) in [
        (source.licence.is_some(), "a licence"),
        (source.reviewer.is_some(), "a reviewer"),
        (source.reviewed.is_some(), "the day of its review"),
    ] {
        if !there {
            out.push(what.to_owned());
        }
    }
    if source.expires.is_some_and(|day| day < policy.as_of) {
        out.push("a new review: the last one has expired".to_owned());
    }
    out
}

impl Known<'_> {
    /// A reference as it is meant: what its list says, with the pin that the lock holds for it where the code has none.
    fn shown(&self, reference: &Reference) -> Reference {
        let mut out = self.lists.meant(reference);
        let held = self.lock.as_ref().and_then(|lock| {
            lock.reference(out.kind.as_str(), out.hub, &out.target, out.pin.as_deref()).map(|held| held.pin.clone())
        });
        if let Some(pin) = held.filter(|_| out.verdict == Verdict::Locked) {
            out.pin = Some(pin);
        }
        out
    }

    /// The file or folder of the repository that a path in a file means: from the top, or from the folder of the file.
    fn file_of(&self, target: &str, from: &BStr) -> Option<BString> {
        let target = target.strip_prefix("file://").unwrap_or(target);
        // The fixed part in front of a glob.
        let fixed = target.find(['*', '?', '[', '{']).map_or(target, |at| {
            let head = &target[..at];
            head.rfind('/').map_or("", |slash| &head[..slash])
        });
        let folder = from.rfind_byte(b'/').map_or(&b""[..], |at| &from[..at]);
        [&b""[..], folder].into_iter().find_map(|base| {
            let path = joined(base, fixed.as_bytes())?;
            (path.is_empty() || self.paths.contains(&path)).then_some(path)
        })
    }

    /// Whether the lock holds a file, or a file of a folder.
    fn locks(&self, path: &BStr) -> bool {
        let Some(lock) = &self.lock else { return false };
        let under =
            |file: &BStr| file.as_bytes().strip_prefix(path.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
        lock.file(path).is_some() || lock.files.iter().any(|file| under(file.path.as_ref()))
    }
}

/// A relative path from a folder, without `.` and `..`; `None` where it leaves the repository.
fn joined(base: &[u8], path: &[u8]) -> Option<BString> {
    if path.starts_with(b"/") || path.starts_with(b"~") {
        return None;
    }
    let mut parts: Vec<&[u8]> = base.split_str("/").filter(|part| !part.is_empty()).collect();
    for part in path.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(bstr::join("/", parts).into())
}

/// Numbers of lines, for spans that mostly come in order.
struct Lines<'a> {
    bytes: &'a Bytes,
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a Bytes) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    fn of(&mut self, span: Span) -> u64 {
        let to = usize::try_from(span.start).unwrap_or(usize::MAX).min(self.bytes.len());
        if to < self.at {
            (self.at, self.line) = (0, 1);
        }
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.at..to]).count() as u64;
        self.at = to;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_a_shell_would() {
        assert_eq!(joined(b"configs", b"../data/./x.jsonl"), Some("data/x.jsonl".into()));
        assert_eq!(joined(b"", b"../x"), None);
        assert_eq!(joined(b"a/b", b"c/"), Some("a/b/c".into()));
        assert_eq!(joined(b"a", b"/etc/passwd"), None);
    }
}
