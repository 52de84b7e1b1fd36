//! `unlisted-source`: data and models that come from where nobody has allowed them to come from.

mod manual;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice};
use globset::Candidate;
use serde::Deserialize;
use serde_json::json;

use super::allowlist::Allowlist;
use super::unpinned_reference::{Level, mark, short, standing};
use super::{Check, Configured, Merge, Observation};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::format::{Reference, References, Target, Verdict};
use crate::lens::Standing;
use crate::policy::lock::LockedReference;
use crate::policy::{Dataset, Policy, Source};
use crate::rule::{Rule, Severity};
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

/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct UnlistedSource {
    settings: Settings,
    allowed: Allowlist,
    datasets: Vec<Dataset>,
    as_of: jiff::civil::Date,
}

/// What one finding is about.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Cause {
    /// A reference that no source matches.
    Reference { kind: Target, hub: &'static str, target: String, imitates: Option<String> },
    /// A declared dataset without a source.
    Dataset { name: String, asked: Option<String> },
    /// A source whose review has expired.
    Expired { source: String },
}

/// A place and how bad it is there.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Placed {
    severity: Severity,
    /// Marks of references know their path by the order of blobs; those of files are sorted by it.
    path: BString,
    mark: Mark,
    by: String,
    standing: Standing,
    /// The commit that a reference is pinned to.
    commit: Option<String>,
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    causes: BTreeMap<Cause, Vec<Placed>>,
    /// What allowed names were locked to on the trusted side: kind and commit, and the name. On the side under judgement
    /// anybody could write such a line.
    commits: BTreeMap<(String, String), String>,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        Merge::merge(&mut self.causes, other.causes);
        self.commits.append(&mut other.commits);
    }
}

impl Configured for UnlistedSource {
    type Settings = Settings;

    fn new(settings: Settings, policy: &Policy) -> Self {
        Self { settings, allowed: Allowlist::new(policy), datasets: policy.datasets.clone(), as_of: policy.as_of }
    }
}

impl Check for UnlistedSource {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        // Without a list nothing is unlisted.
        if self.allowed.is_empty() {
            return;
        }
        match observation {
            Observation::Files(files) => self.files(seen, files),
            Observation::References(references) => {
                let fresh = references.list.iter().filter(|reference| references.blob.fresh.touches(reference.span));
                fresh.for_each(|reference| self.reference(seen, references, reference));
            }
            Observation::Lock(locked) => {
                let lines = locked.trusted.into_iter().flat_map(|lock| &lock.references);
                seen.commits.extend(lines.filter_map(|line| self.commit(line)));
            }
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        for (cause, mut places) in seen.causes {
            places.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
            let known = renamed(&cause, &places, &seen.commits);
            let mut finding = self.finding(&cause, places);
            if let Some(known) = known {
                finding.severity = finding.severity.min(Severity::Warning);
                finding.message = format!("{}; the lock has the same commit as the allowed `{known}`", finding.message);
                finding.help = format!(
                    "`{known}` was renamed or copied: find out which, list the new name in a change of its own, and keep in \
                     mind that anybody can register the old one"
                );
                finding.evidence.insert("finding", json!("org-renamed"));
                finding.evidence.insert("known_as", json!(known));
            }
            findings.push(finding);
        }
    }
}

/// The allowed name that the lock has for the commit of a reference, wherever that stands.
fn renamed(cause: &Cause, places: &[Placed], commits: &BTreeMap<(String, String), String>) -> Option<String> {
    let Cause::Reference { kind, hub: "huggingface", imitates: None, .. } = cause else { return None };
    let of = |place: &Placed| commits.get(&(kind.as_str().to_owned(), place.commit.clone()?));
    let first = places.first().and_then(of)?;
    places.iter().all(|place| of(place).is_some()).then(|| short(first))
}

/// Whether it reads `owner/name`, in any alphabet.
fn is_owned(target: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
    target.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

impl UnlistedSource {
    fn reference(&self, seen: &mut Seen, references: &References<'_>, reference: &Reference) {
        let remote = reference.is_remote();
        // What looks like a placeholder can be registered by anybody, and a name with a letter of another alphabet is
        // no name on a hub and the oldest trick there is.
        let hub = matches!(reference.hub, "huggingface" | "modelscope" | "kaggle");
        let unsure = reference.verdict == Verdict::NotADataset && hub && is_owned(&reference.target);
        let foreign = unsure && !reference.target.is_ascii();
        if !(remote || unsure) || reference.kind == Target::Image {
            return;
        }
        let standing = standing(references, reference);
        let worst = match standing {
            Standing::Docs => self.settings.docs.severity(),
            Standing::Test => self.settings.tests.severity(),
            Standing::Training | Standing::Ci | Standing::Code => Some(Severity::Error),
        };
        let Some(severity) = worst else { return };
        let (cause, severity) = match self.allowed.source(reference) {
            Some(source) if self.expired(source) => {
                (Cause::Expired { source: source.name.clone() }, severity.min(Severity::Warning))
            }
            Some(_) => return,
            None => {
                let imitates = self.allowed.imitated(reference).map(str::to_owned);
                if foreign && imitates.is_none() {
                    return;
                }
                let target = reference.target.clone();
                (Cause::Reference { kind: reference.kind, hub: reference.hub, target, imitates }, severity)
            }
        };
        let mark = mark(references, reference).with_note(match cause {
            Cause::Expired { .. } => "used here",
            _ => "no entry under `sources:` in foretaste.yaml matches this",
        });
        let path = references.blob.path.to_owned();
        let commit = reference.pin.clone().filter(|_| reference.verdict == Verdict::Pinned);
        let by = reference.by.clone();
        seen.causes.entry(cause).or_default().push(Placed { severity, path, mark, by, standing, commit });
    }

    /// Kind and commit of a locked name that is allowed, and the name.
    fn commit(&self, line: &LockedReference) -> Option<((String, String), String)> {
        let kind =
            [Target::Dataset, Target::Model, Target::Code].into_iter().find(|kind| kind.as_str() == line.kind)?;
        let target = line.target.split('@').next().unwrap_or_default().to_owned();
        let reference = Reference {
            kind,
            hub: "huggingface",
            target,
            pin: Some(line.pin.clone()),
            verdict: Verdict::Locked,
            framework: "",
            by: String::new(),
            span: line.span,
            remote_code: false,
            fix: String::new(),
        };
        let is_allowed = line.hub == reference.hub && self.allowed.source(&reference).is_some();
        is_allowed.then(|| ((line.kind.clone(), line.pin.clone()), reference.target))
    }

    fn expired(&self, source: &Source) -> bool {
        source.expires.is_some_and(|expires| self.as_of > expires)
    }

    /// The files of declared datasets.
    fn files(&self, seen: &mut Seen, files: &Files<'_>) {
        for (blob, entry) in files.list.iter().filter(|(_, entry)| entry.content.is_some()) {
            let candidate = Candidate::from_bytes(entry.path.as_bytes());
            let Some(dataset) = self.datasets.iter().find(|dataset| dataset.files.is_match_candidate(&candidate))
            else {
                continue;
            };
            let source = match &dataset.source {
                Some(name) => self.allowed.named(name),
                None => self.allowed.source_of_file(&entry.path),
            };
            let (cause, severity) = match source {
                Some(source) if self.expired(source) => {
                    (Cause::Expired { source: source.name.clone() }, Severity::Warning)
                }
                Some(_) => continue,
                None => {
                    (Cause::Dataset { name: dataset.name.to_string(), asked: dataset.source.clone() }, Severity::Error)
                }
            };
            let mut mark = Mark::name(*blob);
            mark.content = content_hash(dataset.name.as_bytes());
            let placed = Placed {
                severity,
                path: entry.path.clone(),
                mark,
                by: dataset.name.to_string(),
                standing: Standing::Training,
                commit: None,
            };
            seen.causes.entry(cause).or_default().push(placed);
        }
    }

    fn finding(&self, cause: &Cause, places: Vec<Placed>) -> Finding {
        let add = "review it and list it under `sources:` in foretaste.yaml in a change of its own, or use a source that is listed";
        let (words, id, message, help) = match cause {
            Cause::Reference { kind, hub, target, imitates: None } => (
                format!("unlisted\0{}\0{hub}\0{target}", kind.as_str()),
                "source-not-allowed",
                format!("`{}` comes from a source that the policy does not list", short(target)),
                add.to_owned(),
            ),
            Cause::Reference { kind, hub, target, imitates: Some(known) } => (
                format!("unlisted\0{}\0{hub}\0{target}", kind.as_str()),
                "look-alike-org",
                format!(
                    "`{}` is published under a name that looks like the allowed `{}` and is not",
                    short(target),
                    short(known)
                ),
                format!("use the dataset or model of `{}`, and find out where this name came from", short(known)),
            ),
            Cause::Dataset { name, asked: None } => (
                format!("dataset\0{name}"),
                "source-not-allowed",
                format!("the dataset `{}` does not say where it comes from", short(name)),
                "give the dataset a `source:` in foretaste.yaml, and list that source under `sources:`".to_owned(),
            ),
            Cause::Dataset { name, asked: Some(source) } => (
                format!("dataset\0{name}"),
                "source-not-allowed",
                format!("the dataset `{}` comes from `{}`, which the policy does not list", short(name), short(source)),
                add.to_owned(),
            ),
            Cause::Expired { source } => (
                format!("expired\0{source}"),
                "review-expired",
                format!("the review of the source `{}` has expired", short(source)),
                format!("review `{}` again and write the new dates into foretaste.yaml", short(source)),
            ),
        };
        let mut finding = Finding::new(&RULES[0], words, message);
        finding.severity = places.iter().map(|place| place.severity).max().unwrap_or(Severity::Note);
        finding.help = help;
        finding.evidence.insert("finding", json!(id));
        match cause {
            Cause::Reference { kind, hub, target, imitates } => {
                finding.evidence.insert("target", json!(target));
                finding.evidence.insert("hub", json!(hub));
                finding.evidence.insert("kind", json!(kind.as_str()));
                if let Some(known) = imitates {
                    finding.evidence.insert("looks_like", json!(known));
                }
            }
            Cause::Dataset { name, .. } => {
                finding.evidence.insert("dataset", json!(name));
            }
            Cause::Expired { source } => {
                finding.evidence.insert("source", json!(source));
                let expires = self.allowed.named(source).and_then(|source| source.expires);
                finding.evidence.insert("expires", json!(expires.map(|day| day.to_string())));
                finding.evidence.insert("as_of", json!(self.as_of.to_string()));
            }
        }
        let all = |part: fn(&Placed) -> &str| places.iter().map(part).collect::<BTreeSet<_>>();
        finding.evidence.insert("by", json!(all(|place| &place.by)));
        finding.evidence.insert("where", json!(all(|place| place.standing.as_str())));
        finding.total = places.len() as u64;
        finding.marks = first_of_each_blob(places.into_iter().map(|place| place.mark));
        finding
    }
}

#[cfg(test)]
mod tests;
