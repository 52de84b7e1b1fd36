//! `incomplete-run`: fine-tuning runs that nobody can make a bill of materials of.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;
use globset::{Candidate, GlobSet};
use jiff::civil::Date;
use serde_json::json;

use super::allowlist::Allowlist;
use super::{Check, Configured, Merge, NoSettings, Observation};
use crate::finding::{Finding, Mark, content_hash};
use crate::format::{References, Target};
use crate::policy::{self, Policy, Source};
use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity};
use crate::span::{BlobId, Span};

static RULES: [Rule; 1] = [Rule {
    id: "incomplete-run",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::High,
    layer: Layer::Provenance,
    gates: true,
    summary: "A fine-tuning run names data that is not locked, listed or reviewed, or loads data it does not name",
    manual: Manual {
        what: "Looks at every run under `runs` in the policy: each of its datasets must have its files in \
               `foretaste.lock`, and a source in the policy; each remote dataset that its configuration loads must be one that \
               the run names. that source needs a reviewer and the day of a review that has not \
               expired. With `foretaste bom --run NAME` the same run becomes a \
               bill of materials, which lists these gaps.",
        why: "After an incident the first question is which data went into the model. A run whose datasets were not hashed, \
              or that loaded one that nobody wrote down, has no answer, and the model has to be trained again from nothing.",
        bad: &[
            Example {
                title: "a run over data that was never locked",
                base: &[],
                files: &[
                    ("data/a.jsonl", HELLO),
                    (
                        "foretaste.yaml",
                        "version: 1\ndatasets:\n  greetings: {files: [\"data/*.jsonl\"], text: [text], label: label, source: own}\nsources:\n  own: {match: {path: \"data/**\"}, licence: MIT, reviewer: data@example.org, reviewed: 2026-10-01}\nruns:\n  assistant: {datasets: [greetings]}\n",
                    ),
                ],
            },
            Example {
                title: "a configuration loads what its run does not name",
                base: &[],
                files: &[
                    (
                        "configs/sft.yaml",
                        "base_model: acme/base\nrevision_of_model: 0123456789abcdef0123456789abcdef01234567\ndatasets:\n  - path: acme/chats\n    revision: 0123456789abcdef0123456789abcdef01234567\n",
                    ),
                    (
                        "foretaste.yaml",
                        "version: 1\nsources:\n  own: {match: {hub: \"huggingface:acme/*\"}, licence: MIT, reviewer: data@example.org, reviewed: 2026-10-01}\n  other: {match: {hub: \"huggingface:other/set\"}, licence: MIT, reviewer: data@example.org, reviewed: 2026-10-01}\nruns:\n  assistant: {config: configs/sft.yaml, datasets: [other]}\n",
                    ),
                ],
            },
        ],
        good: &[Example {
            title: "everything is locked, listed and reviewed",
            base: &[],
            files: &[
                ("data/a.jsonl", HELLO),
                ("foretaste.lock", LOCK),
                (
                    "foretaste.yaml",
                    "version: 1\ndatasets:\n  greetings: {files: [\"data/*.jsonl\"], text: [text], label: label, source: own}\nsources:\n  own: {match: {path: \"data/**\"}, licence: MIT, reviewer: data@example.org, reviewed: 2026-10-01}\nruns:\n  assistant: {datasets: [greetings]}\n",
                ),
            ],
        }],
        fix: "Run `foretaste lock` and commit the lock; give the dataset a `source`, with a `reviewer` and a `reviewed` day once \
              somebody has looked at it; add what the configuration loads to the `datasets` of the run, or take it out of the \
              configuration.",
        misses: "Whether a review was thorough, and whether the training job used what the run says. What Python code loads for \
                 a run is not held against it, only its configuration file. In a change only runs that it adds or alters are \
                 looked at, and what it adds to their configurations.",
    },
    tags: &["OWASP:LLM03", "ATLAS:AML.M0023", "ATLAS:AML.M0025", "EU-AI-ACT:Annex-IV-2(d)"],
}];

const HELLO: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n";
const LOCK: &str = "foretaste.lock v1\n\
    # Written by `foretaste lock`; compare with `foretaste verify`.\n\
    repo example\n\
    file af4d68ac0eb60eb9959a7ec74b8f35bc77974eef6d4d0279174a7ab89e22d892 76cb2d4dfbf5a406a1e274b9156141a86889e9fd7415cc3a72005b17d9acd150 36 1 data/a.jsonl\n";

/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct IncompleteRun {
    /// Configuration and names of the datasets of each run, in the order of the policy.
    runs: Vec<Run>,
    globs: Globs,
    allowed: Allowlist,
}

/// Files of the declared datasets, by name.
type Globs = BTreeMap<String, GlobSet>;

/// A run of the policy, with what the policy alone says against it.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Run {
    name: String,
    config: Option<String>,
    /// Names of its datasets, of the sources of these, and where each is named.
    sets: Vec<Set>,
}

/// A dataset of a run.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Set {
    name: String,
    source: Option<String>,
    span: Span,
    /// Whether the policy says nothing of where it comes from.
    unsourced: bool,
    /// What is wrong with the review of its source.
    unreviewed: Option<String>,
}

/// Why the review of a source counts for nothing today.
fn unreviewed(source: &Source, as_of: Date) -> Option<String> {
    let (reviewer, expires) = (source.reviewer.as_ref(), source.expires);
    match expires.filter(|expires| as_of > *expires) {
        _ if reviewer.is_none() || source.reviewed.is_none() => Some("which nobody has reviewed".to_owned()),
        Some(expires) => Some(format!("whose review has expired on {expires}")),
        None => None,
    }
}

/// What was seen of the runs.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The policy file and the runs to be judged in it.
    policy: Option<(BlobId, Vec<Run>)>,
    /// The policy that a change proposes, with the runs that it adds or alters.
    proposed: Option<(Option<BlobId>, Vec<Run>, Globs)>,
    /// Paths that the lock holds.
    locked: BTreeSet<BString>,
    /// Remote datasets of a configuration that its run does not name: run, dataset, place.
    unnamed: BTreeSet<(String, String, Mark)>,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.policy = self.policy.take().or(other.policy);
        self.proposed = self.proposed.take().or(other.proposed);
        self.locked.append(&mut other.locked);
        self.unnamed.append(&mut other.unnamed);
    }
}

fn globs(policy: &Policy) -> Globs {
    policy.datasets.iter().map(|set| (set.name.to_string(), set.files.clone())).collect()
}

/// The runs of a policy.
fn runs(policy: &Policy) -> Vec<Run> {
    let source_of = |name: &str| policy.sources.iter().find(|source| source.name == name);
    let set = |name: &str, span| {
        let declared = policy.datasets.iter().find(|set| &*set.name == name);
        let source = match declared {
            Some(set) => set.source.as_deref().and_then(source_of),
            None => source_of(name),
        };
        Set {
            name: name.to_owned(),
            source: source.map(|source| source.name.clone()),
            span,
            unsourced: source.is_none(),
            unreviewed: source.and_then(|source| unreviewed(source, policy.as_of)),
        }
    };
    let each = policy.runs.0.iter().map(|(name, run)| Run {
        name: name.value.clone(),
        config: run.config().map(str::to_owned),
        sets: run.datasets.0.iter().map(|word| set(&word.value, word.span)).collect(),
    });
    each.collect()
}

impl Run {
    /// The same without places, to tell whether a change alters it.
    fn bare(&self) -> Run {
        let mut bare = self.clone();
        bare.sets.iter_mut().for_each(|set| (set.span, set.unreviewed) = (Span::default(), None));
        bare
    }
}

impl Configured for IncompleteRun {
    type Settings = NoSettings;

    fn new(_: NoSettings, policy: &Policy) -> Self {
        Self { runs: runs(policy), globs: globs(policy), allowed: Allowlist::new(policy) }
    }
}

impl Check for IncompleteRun {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Files(files) => {
                let file = files.list.iter().find(|(_, entry)| entry.path == policy::FILE);
                seen.policy = file.map(|(blob, _)| (*blob, self.runs.clone()));
            }
            Observation::References(references) => self.references(seen, references),
            Observation::Policy(proposed) => {
                let before: Vec<Run> = runs(proposed.before).iter().map(Run::bare).collect();
                let after = runs(proposed.after);
                let changed = after.into_iter().filter(|run| !before.contains(&run.bare())).collect();
                seen.proposed = Some((proposed.file, changed, globs(proposed.after)));
            }
            Observation::Lock(locked) => {
                if let Ok(lock) = locked.lock {
                    seen.locked = lock.files.iter().map(|file| file.path.clone()).collect();
                }
            }
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        let (judged, globs) = match (seen.proposed, seen.policy) {
            (Some((file, runs, globs)), _) => (file.map(|file| (file, runs)), globs),
            (None, policy) => (policy, self.globs.clone()),
        };
        let is_locked = |name: &str| {
            let Some(set) = globs.get(name) else { return true };
            seen.locked.iter().any(|path| set.is_match_candidate(&Candidate::from_bytes(path)))
        };
        for (file, run) in judged.iter().flat_map(|(file, runs)| runs.iter().map(move |run| (*file, run))) {
            for set in &run.sets {
                if !is_locked(&set.name) {
                    let message =
                        format!("the run `{}` trains on `{}`, which foretaste.lock does not hold", run.name, set.name);
                    let help = "run `foretaste lock` and commit the lock, so that the bytes can be told later";
                    findings.push(finding("unlocked-dataset", run, &set.name, message, help, at(file, set)));
                }
                if let Some(why) = &set.unreviewed {
                    let message = format!("the run `{}` trains on `{}`, {why}", run.name, set.name);
                    let help = "look at the data, then write `reviewer`, `reviewed` and `expires` into the entry of its source";
                    findings.push(finding("unreviewed-dataset", run, &set.name, message, help, at(file, set)));
                }
                if set.unsourced {
                    let message =
                        format!("the run `{}` trains on `{}`, of which the policy names no source", run.name, set.name);
                    let help = "give the dataset a `source`, with its licence, its reviewer and the day of the review";
                    findings.push(finding("unsourced-dataset", run, &set.name, message, help, at(file, set)));
                }
            }
        }
        for (name, target, mark) in seen.unnamed {
            let Some(run) = self.runs.iter().find(|run| run.name == name) else { continue };
            let message =
                format!("the configuration of the run `{name}` loads `{target}`, which the run does not name");
            let help = "add its source to the `datasets` of the run, or take it out of the configuration";
            findings.push(finding("unnamed-dataset", run, &target, message, help, mark));
        }
    }
}

impl IncompleteRun {
    fn references(&self, seen: &mut Seen, references: &References<'_>) {
        let blob = &references.blob;
        for run in self.runs.iter().filter(|run| run.config.as_deref().is_some_and(|path| blob.path == path)) {
            for reference in references.list.iter().filter(|reference| blob.fresh.touches(reference.span)) {
                if !reference.is_remote() || !matches!(reference.kind, Target::Dataset | Target::UrlData) {
                    continue;
                }
                let source = self.allowed.source(reference).map(|source| source.name.as_str());
                let named = |set: &Set| {
                    source.is_some_and(|source| set.name == source || set.source.as_deref() == Some(source))
                };
                if !run.sets.iter().any(named) {
                    let mut mark = Mark::bytes(blob.id, blob.decoded.raw(reference.span));
                    mark.field = Some(reference.by.clone());
                    mark.content = content_hash(format!("{}\0{}", run.name, reference.target).as_bytes());
                    seen.unnamed.insert((run.name.clone(), reference.target.clone(), mark));
                }
            }
        }
    }
}

fn at(file: BlobId, set: &Set) -> Mark {
    let mut mark = Mark::bytes(file, set.span);
    mark.content = content_hash(set.name.as_bytes());
    mark
}

fn finding(kind: &'static str, run: &Run, name: &str, message: String, help: &str, mark: Mark) -> Finding {
    let mut finding = Finding::new(&RULES[0], format!("{kind}\0{}\0{name}", run.name), message);
    finding.help = help.to_owned();
    for (key, value) in [("finding", json!(kind)), ("run", json!(run.name)), ("dataset", json!(name))] {
        finding.evidence.insert(key, value);
    }
    finding.total = 1;
    finding.marks = vec![mark];
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_altered_by_what_it_names_and_not_by_where_it_stands() {
        let day = jiff::civil::date(2026, 11, 1);
        let parse = |text: &str| Policy::parse("foretaste.yaml", text, day, &[]).expect("the policy is right");
        let sets = "datasets:\n  a: {files: [\"a/*\"]}\n  b: {files: [\"b/*\"]}\n";
        let one = runs(&parse(&format!("version: 1\n{sets}runs:\n  r: {{datasets: [a]}}\n")));
        let moved = runs(&parse(&format!("version: 1\n# moved\n{sets}runs:\n  r: {{datasets: [a]}}\n")));
        let more = runs(&parse(&format!("version: 1\n{sets}runs:\n  r: {{datasets: [a, b]}}\n")));
        assert_ne!(one, moved);
        assert_eq!(one[0].bare(), moved[0].bare());
        assert_ne!(one[0].bare(), more[0].bare());
        assert!(one[0].sets[0].unsourced);
    }
}
