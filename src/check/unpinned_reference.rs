//! `unpinned-reference`: datasets, models and files that are named without saying which content is meant.

mod cards;
mod manual;

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use serde::Deserialize;
use serde_json::json;

use super::allowlist::Allowlist;
use super::{Check, Configured, Merge, Observation};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::format::{DATASET_INFO, Reference, References, Target, Verdict};
use crate::lens::Standing;
use crate::policy::Policy;
use crate::rule::{Confidence, Rule, Severity};
use crate::source::Files;
use manual::RULES;

/// How references in documentation and in tests count.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// References in documentation.
    docs: Level,
    /// References in tests and their fixtures.
    tests: Level,
}

impl Default for Settings {
    fn default() -> Self {
        Self { docs: Level::Note, tests: Level::Off }
    }
}

/// A severity, or none.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Left out.
    Off,
    /// Worth knowing.
    Note,
    /// Somebody should look.
    Warning,
    /// Fails the run.
    Error,
}

impl Level {
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Level::Off => None,
            Level::Note => Some(Severity::Note),
            Level::Warning => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        }
    }
}

/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct UnpinnedReference {
    settings: Settings,
    allowed: Allowlist,
}

/// What one finding is about.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Cause {
    remote_code: bool,
    kind: Target,
    hub: &'static str,
    target: String,
}

/// Where it is named, and how.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Named {
    severity: Severity,
    mark: Mark,
    verdict: Verdict,
    standing: Standing,
    framework: &'static str,
    by: String,
    fix: String,
}

/// Everything named so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    causes: BTreeMap<Cause, Vec<Named>>,
    /// Folders at the top of the repository, and those right below them.
    folders: BTreeSet<String>,
    cards: cards::Seen,
    /// Places of runs that name an entry of a list of datasets, by the name of the entry.
    runs: BTreeMap<String, Vec<Named>>,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        Merge::merge(&mut self.causes, other.causes);
        self.folders.append(&mut other.folders);
        self.cards.merge(other.cards);
        Merge::merge(&mut self.runs, other.runs);
    }
}

impl Configured for UnpinnedReference {
    type Settings = Settings;

    fn new(settings: Settings, policy: &Policy) -> Self {
        Self { settings, allowed: Allowlist::new(policy) }
    }
}

impl Check for UnpinnedReference {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Files(files) => seen.folders = folders(files),
            Observation::References(references) => self.references(seen, references),
            Observation::Card(card) => cards::observe(&mut seen.cards, card),
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        for (cause, mut places) in seen.causes {
            // The datasets library prefers a folder of that name.
            let on_hub = cause.hub == "huggingface" && cause.kind != Target::Code;
            if on_hub && seen.folders.contains(&cause.target) {
                continue;
            }
            // An entry of a list is trained on where a run names it.
            let runs: Vec<Named> =
                places.iter().filter_map(|place| seen.runs.get(entry_of(place)?)).flatten().cloned().collect();
            places.extend(runs);
            places.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.mark.cmp(&b.mark)));
            findings.push(finding(&cause, places));
        }
        cards::finish(seen.cards, findings);
    }
}

impl UnpinnedReference {
    fn references(&self, seen: &mut Seen, references: &References<'_>) {
        let blob = &references.blob;
        for reference in references.list.iter().filter(|reference| blob.fresh.touches(reference.span)) {
            let standing = standing(references, reference);
            let mut take = |remote_code: bool, severity: Severity| {
                let cause =
                    Cause { remote_code, kind: reference.kind, hub: reference.hub, target: reference.target.clone() };
                let named = Named {
                    severity,
                    mark: mark(references, reference),
                    verdict: reference.verdict,
                    standing,
                    framework: reference.framework,
                    by: reference.by.clone(),
                    fix: reference.fix.clone(),
                };
                seen.causes.entry(cause).or_default().push(named);
            };
            let severity = match standing {
                Standing::Docs => self.settings.docs.severity(),
                Standing::Test => self.settings.tests.severity(),
                _ => Some(Severity::Error),
            };
            if let Some(severity) = severity.filter(|_| reference.hub == DATASET_INFO) {
                let named = Named {
                    severity,
                    mark: mark(references, reference).with_note("a run that trains on it"),
                    verdict: Verdict::Unpinned,
                    standing,
                    framework: reference.framework,
                    by: reference.by.clone(),
                    fix: String::new(),
                };
                seen.runs.entry(reference.target.clone()).or_default().push(named);
                continue;
            }
            if let Some(severity) = self.severity(reference, standing) {
                take(false, severity);
            }
            if let Some(severity) = self.remote_code(reference, standing) {
                take(true, severity);
            }
        }
    }

    fn severity(&self, reference: &Reference, standing: Standing) -> Option<Severity> {
        // What the lock holds is settled: the engine has made its verdict `Locked`.
        if !matches!(reference.verdict, Verdict::Unpinned | Verdict::Weak) {
            return None;
        }
        match standing {
            Standing::Docs => self.settings.docs.severity(),
            Standing::Test => self.settings.tests.severity(),
            // Git holds the commit all the same, until somebody asks it not to.
            _ if reference.hub == "submodule" => Some(Severity::Note),
            Standing::Training | Standing::Ci | Standing::Code => {
                let commit =
                    self.allowed.source(reference).is_some_and(|source| source.pin.as_deref() == Some("commit"));
                let mild = reference.verdict == Verdict::Weak
                    || reference.kind == Target::Image
                    || (reference.kind == Target::Model && standing == Standing::Code);
                Some(if mild && !commit { Severity::Warning } else { Severity::Error })
            }
        }
    }

    fn remote_code(&self, reference: &Reference, standing: Standing) -> Option<Severity> {
        if !reference.remote_code {
            return None;
        }
        let severity = match reference.verdict {
            Verdict::Unpinned | Verdict::Weak => Severity::Error,
            Verdict::Pinned | Verdict::Locked | Verdict::Dynamic => Severity::Warning,
            Verdict::Local | Verdict::NotADataset => return None,
        };
        match standing {
            Standing::Docs => self.settings.docs.severity(),
            Standing::Test => self.settings.tests.severity(),
            Standing::Training | Standing::Ci | Standing::Code => Some(severity),
        }
    }
}

/// The name of the entry of LLaMA-Factory's list that a place stands in.
fn entry_of(place: &Named) -> Option<&str> {
    let (entry, _) = place.by.rsplit_once('.').filter(|_| place.framework == "llama-factory")?;
    Some(entry)
}

/// Where a reference stands.
pub(super) fn standing(references: &References<'_>, reference: &Reference) -> Standing {
    reference.standing(references.blob.lens.standing, Some(references.kind))
}

/// The mark of a reference.
pub(super) fn mark(references: &References<'_>, reference: &Reference) -> Mark {
    let blob = &references.blob;
    let mut mark = Mark::bytes(blob.id, blob.decoded.raw(reference.span));
    mark.field = Some(reference.by.clone());
    let pin = reference.pin.as_deref().unwrap_or("");
    mark.content =
        content_hash(format!("{}\0{}\0{pin}\0{}", reference.hub, reference.target, reference.remote_code).as_bytes());
    mark
}

/// A name short enough for a sentence.
pub(super) fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= 60 {
        return text.to_owned();
    }
    let head: String = text.chars().take(35).collect();
    let tail: String = text.chars().skip(count - 24).collect();
    format!("{head}…{tail}")
}

fn finding(cause: &Cause, places: Vec<Named>) -> Finding {
    let name = short(&cause.target);
    let weak = places.iter().all(|place| place.verdict == Verdict::Weak);
    let kind = match cause.kind {
        Target::Dataset => "dataset",
        Target::Model => "model",
        Target::Code => "code",
        Target::Image => "image",
        Target::UrlData => "data",
    };
    let root = cause.hub == "python" && places.iter().all(|place| place.by == "default");
    let (id, message) = match (cause.remote_code, weak, cause.kind) {
        (false, ..) if cause.hub == "submodule" || (cause.hub, &*cause.target) == ("git", "submodules") => (
            "floating-submodule",
            format!(
                "the submodule `{name}` follows a branch: `git submodule update --remote` takes whatever is newest"
            ),
        ),
        (false, ..) if root => (
            if cause.kind == Target::Dataset { "unpinned-dataset" } else { "unpinned-model" },
            format!("`{name}` defaults to a branch or a tag, so that everything loaded through it can change"),
        ),
        (true, ..) => ("remote-code", format!("`{name}` may run code of its publisher while it is loaded")),
        (_, true, Target::UrlData) => {
            ("weak-pin", format!("`{name}` can change what it serves: its version can be replaced"))
        }
        (_, true, _) => ("weak-pin", format!("{kind} `{name}` is named by a tag or a short hash, which can be moved")),
        (_, _, Target::Dataset) => (
            "unpinned-dataset",
            format!("dataset `{name}` is not pinned: whoever can push to it decides what is trained on"),
        ),
        (_, _, Target::Model) => {
            ("unpinned-model", format!("model `{name}` is not pinned: whoever can push to it can swap its weights"))
        }
        (_, _, Target::Code) => {
            ("unpinned-code", format!("code from `{name}` is not pinned: what runs tomorrow was reviewed by nobody"))
        }
        (_, _, Target::Image) => {
            ("unpinned-image", format!("image `{name}` is not pinned: its tag can be moved to another image"))
        }
        (_, _, Target::UrlData) => {
            ("unpinned-url", format!("`{name}` is not pinned: the address can serve other data tomorrow"))
        }
    };
    let words = format!("{id}\0{}\0{}\0{}", cause.kind.as_str(), cause.hub, cause.target);
    let mut finding = Finding::new(&RULES[0], words, message);
    finding.severity = places.iter().map(|place| place.severity).max().unwrap_or(Severity::Note);
    if cause.kind == Target::UrlData || places.iter().all(|place| place.framework == "config") {
        finding.confidence = Confidence::Medium;
    }
    finding.help = if cause.remote_code {
        "load data as Parquet or JSON and models from safetensors without `trust_remote_code`, or pin the commit whose code was read".into()
    } else {
        places.iter().map(|place| place.fix.as_str()).find(|fix| !fix.is_empty()).unwrap_or("").to_owned()
    };
    let all = |part: fn(&Named) -> &str| places.iter().map(part).collect::<BTreeSet<_>>();
    for (key, value) in [
        ("finding", json!(id)),
        ("target", json!(cause.target)),
        ("hub", json!(cause.hub)),
        ("kind", json!(cause.kind.as_str())),
        ("verdicts", json!(all(|place| place.verdict.as_str()))),
        ("by", json!(all(|place| &place.by))),
        ("frameworks", json!(all(|place| place.framework))),
        ("where", json!(all(|place| place.standing.as_str()))),
    ] {
        finding.evidence.insert(key, value);
    }
    finding.total = places.len() as u64;
    finding.marks = first_of_each_blob(places.into_iter().map(|place| place.mark));
    finding
}

/// Folders that a name with one or two parts could mean.
fn folders(files: &Files<'_>) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    let mut last: &[u8] = b"";
    for (_, entry) in files.list {
        let path: &[u8] = &entry.path;
        let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for at in [slashes.next(), slashes.next()].into_iter().flatten() {
            let folder = &path[..at];
            if folder != last {
                last = folder;
                folders.insert(folder.to_str_lossy().into_owned());
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests;
