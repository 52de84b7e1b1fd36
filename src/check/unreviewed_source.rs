//! `unreviewed-source`: sources that are listed, and whose entry does not carry what it should.

mod cards;
mod manual;
mod reviewers;

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;
use globset::Candidate;
use serde::Deserialize;
use serde_json::json;

use super::allowlist::Allowlist;
use super::unpinned_reference::{mark, short};
use super::{Check, Configured, Merge, Observation};
use crate::finding::{Finding, Mark, content_hash, first_of_each_blob};
use crate::format::{References, Verdict};
use crate::policy::lock::Lock;
use crate::policy::{Dataset, Exception, FILE, Policy, Source};
use crate::rule::{Rule, Severity};
use crate::span::BlobId;
use manual::RULES;
pub(super) use reviewers::sole_author;

/// What an entry must carry.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Fields that every source must have: `licence`, `reviewer`, `reviewed`, `expires`.
    evidence: Vec<Field>,
    /// Days that a name elsewhere must have been locked before it is trained on.
    min_age_days: u32,
}

/// A field of a source.
#[derive(Copy, Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Field {
    Licence,
    Reviewer,
    Reviewed,
    Expires,
}

/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct UnreviewedSource {
    settings: Settings,
    allowed: Allowlist,
    sources: Vec<Source>,
    datasets: Vec<Dataset>,
    exceptions: Vec<Exception>,
    owned: cards::Owned,
    as_of: jiff::civil::Date,
}

/// What was seen of each source.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The policy as a file of the run, and whether all files are.
    policy: Option<BlobId>,
    whole: bool,
    /// Whether the change proposes another policy, so that places in this one would mislead.
    proposed: bool,
    /// Sources that something names.
    used: BTreeSet<String>,
    /// Places that name a source where or for what it is not allowed.
    misused: BTreeMap<String, Vec<(BString, Mark)>>,
    /// Places that name a source less firmly than its entry asks.
    loose: BTreeMap<String, Vec<(BString, Mark)>>,
    /// Names elsewhere that were locked a short time ago, and the share of each source among the locked records.
    young: Vec<Mark>,
    shares: BTreeMap<String, u64>,
    records: u64,
    cards: cards::Seen,
    reviewers: reviewers::Seen,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.policy = self.policy.max(other.policy);
        self.whole |= other.whole;
        self.proposed |= other.proposed;
        self.used.append(&mut other.used);
        Merge::merge(&mut self.misused, other.misused);
        Merge::merge(&mut self.loose, other.loose);
        self.young.append(&mut other.young);
        Merge::merge(&mut self.shares, other.shares);
        self.records += other.records;
        self.cards.merge(other.cards);
        self.reviewers.merge(other.reviewers);
    }
}

impl Configured for UnreviewedSource {
    type Settings = Settings;

    fn new(settings: Settings, policy: &Policy) -> Self {
        Self {
            settings,
            allowed: Allowlist::new(policy),
            sources: policy.sources.clone(),
            datasets: policy.datasets.clone(),
            exceptions: policy.exceptions.clone(),
            owned: cards::Owned::new(policy),
            as_of: policy.as_of,
        }
    }
}

impl Check for UnreviewedSource {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Card(card) => seen.cards.card(card),
            Observation::People(people) => seen.reviewers.people(people),
            Observation::Lock(locked) => seen.cards.lock(locked),
            Observation::Policy(proposed) => {
                seen.reviewers.proposed(proposed);
                seen.proposed = true;
            }
            Observation::Files(files) => {
                let own = files.list.iter().find(|(_, entry)| entry.path == FILE && entry.content.is_some());
                seen.policy = own.map(|(blob, _)| *blob);
            }
            _ => {}
        }
        if self.sources.is_empty() {
            return;
        }
        match observation {
            Observation::Files(files) => {
                for (blob, entry) in files.list.iter().filter(|(_, entry)| entry.content.is_some()) {
                    self.file(seen, *blob, &entry.path);
                }
            }
            Observation::References(references) => self.references(seen, references),
            Observation::Lock(locked) => {
                seen.whole |= locked.complete;
                if let Ok(lock) = locked.lock {
                    self.lock(seen, lock, locked.blob);
                }
            }
            _ => {}
        }
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        if let Some(blob) = seen.policy.filter(|_| !seen.proposed) {
            for source in &self.sources {
                self.entry(&seen, source, blob, findings);
            }
            let ended = self.exceptions.iter().filter(|one| one.until.is_some_and(|until| until < self.as_of));
            findings.extend(ended.map(|exception| expired(exception, blob)));
        }
        for (places, severity, kind, what, help) in [
            (
                std::mem::take(&mut seen.misused),
                Severity::Warning,
                "use-not-allowed",
                "is used where its entry does not allow it",
                "use another source here, or widen `allow` of the entry in a change of its own",
            ),
            (
                std::mem::take(&mut seen.loose),
                Severity::Error,
                "source-underspecified-pin",
                "is named less firmly than its entry asks",
                "tie the reference down in the code as `pin` of the entry says, or let the entry say `pin: lock`",
            ),
        ] {
            for (source, mut marks) in places {
                marks.sort();
                let message = format!("the source `{}` {what}", short(&source));
                let marks = marks.into_iter().map(|(_, mark)| mark).collect();
                findings.push(finding(kind, &source, message, help, severity, marks));
            }
        }
        seen.cards.finish(&self.sources, &self.owned, findings);
        std::mem::take(&mut seen.reviewers).finish(&self.sources, findings);
        if !seen.young.is_empty() {
            seen.young.sort();
            let days = self.settings.min_age_days;
            let message = format!("names elsewhere were locked less than {days} days ago");
            let help = "wait before training on them: what is poisoned and published is mostly found in the first days";
            findings.push(finding("too-new", "young", message, help, Severity::Warning, seen.young));
        }
    }
}

impl UnreviewedSource {
    /// Which source a file belongs to, and whether that allows what its dataset is used for.
    fn file(&self, seen: &mut Seen, blob: BlobId, path: &BString) {
        let candidate = Candidate::from_bytes(path);
        let dataset = self.datasets.iter().find(|dataset| dataset.files.is_match_candidate(&candidate));
        let named = dataset.and_then(|dataset| dataset.source.as_deref()).and_then(|name| self.allowed.named(name));
        if let Some(source) = named.or_else(|| self.allowed.source_of_file(path)) {
            seen.used.insert(source.name.clone());
            let uses = &source.evidence.uses;
            let other = dataset.iter().flat_map(|dataset| &dataset.role).find(|role| !allows(uses, role));
            if let Some(role) = other.filter(|_| !uses.is_empty()) {
                let content = content_hash(source.name.as_bytes());
                let mark = Mark { content, ..Mark::name(blob) }.with_note(format!("used for {role}"));
                seen.misused.entry(source.name.clone()).or_default().push((path.clone(), mark));
            }
        }
    }

    fn references(&self, seen: &mut Seen, references: &References<'_>) {
        let path = references.blob.path;
        for reference in references.list {
            let Some(source) = self.allowed.source(reference).filter(|_| reference.is_remote()) else { continue };
            seen.used.insert(source.name.clone());
            if !references.blob.fresh.touches(reference.span) {
                continue;
            }
            let place = || (path.to_owned(), mark(references, reference));
            let (at, mark) = place();
            seen.reviewers.brings(&source.name, at, mark);
            if source
                .evidence
                .paths
                .as_ref()
                .is_some_and(|paths| !paths.is_match_candidate(&Candidate::from_bytes(path)))
            {
                seen.misused.entry(source.name.clone()).or_default().push(place());
            }
            let pin = reference.pin.as_deref().unwrap_or("");
            let firm = match (source.pin.as_deref(), reference.verdict) {
                // What is not tied down at all is judged by `unpinned-reference`.
                (_, Verdict::Weak | Verdict::Unpinned) => true,
                (Some("sha256"), verdict) => verdict == Verdict::Pinned && pin.len() >= 64,
                (Some("commit" | "version_id"), verdict) => verdict == Verdict::Pinned,
                _ => true,
            };
            if !firm {
                seen.loose.entry(source.name.clone()).or_default().push(place());
            }
        }
    }

    /// Ages of names elsewhere, and shares of sources.
    fn lock(&self, seen: &mut Seen, lock: &Lock, blob: BlobId) {
        let days = i64::from(self.settings.min_age_days.min(100_000));
        for reference in &lock.references {
            if days > 0 && reference.retrieved.saturating_add(jiff::Span::new().days(days)) > self.as_of {
                let content = content_hash(format!("{}\0{}", reference.target, reference.pin).as_bytes());
                let note = format!("{} was first locked on {}", short(&reference.target), reference.retrieved);
                seen.young.push(Mark { content, ..Mark::bytes(blob, reference.span) }.with_note(note));
            }
        }
        for file in lock.files.iter().chain(&lock.outside) {
            let records = file.records.unwrap_or(0);
            seen.records += records;
            if let Some(source) = &file.source {
                *seen.shares.entry(source.clone()).or_default() += records;
            }
        }
    }

    /// What is wrong with an entry of the policy.
    fn entry(&self, seen: &Seen, source: &Source, blob: BlobId, findings: &mut Vec<Finding>) {
        let name = short(&source.name);
        let mut say = |kind: &'static str, severity, message: String, help: &str| {
            let content = content_hash(source.name.as_bytes());
            let marks = vec![Mark { content, ..Mark::bytes(blob, source.span) }];
            findings.push(finding(kind, &source.name, message, help, severity, marks));
        };
        let missing: Vec<&str> = self.settings.evidence.iter().filter_map(|field| missing(*field, source)).collect();
        if !missing.is_empty() {
            let message = format!("the entry of the source `{name}` lacks {}", missing.join(", "));
            let card = seen.cards.licence(&source.name, &self.owned).filter(|_| missing.contains(&"licence"));
            let help = match card {
                Some((path, said)) => {
                    format!("{path} says {}; write down what was seen when it was reviewed", short(said))
                }
                None => "write down what was seen when the source was reviewed".to_owned(),
            };
            say("evidence-missing", Severity::Warning, message, &help);
        }
        let evidence = &source.evidence;
        if let Some(allowed) = &evidence.licence_allow {
            let fits = evidence.licence.as_ref().is_some_and(|licence| licence.satisfies(allowed));
            if !fits {
                let licence = source.licence.as_deref().unwrap_or("none");
                let message =
                    format!("the licence of the source `{name}` is {}, which its entry does not allow", short(licence));
                say(
                    "licence-mismatch",
                    Severity::Warning,
                    message,
                    "correct the licence, or do not train on this source",
                );
            }
        }
        if evidence.scrape_trusted {
            let message = format!("the source `{name}` was scraped from the web, and its entry calls it trusted");
            say(
                "scrape-marked-trusted",
                Severity::Error,
                message,
                "write `trust: untrusted`: whoever can edit a page can poison it",
            );
        }
        if let (Some(most), Some(share)) = (evidence.max_fraction, seen.shares.get(&source.name)) {
            let (share, all) = (u128::from(*share) * 1_000_000, u128::from(seen.records.max(1)));
            if share > u128::from(most) * all {
                let message = format!(
                    "the scrape `{name}` makes up {} % of the locked records, and its entry allows {} %",
                    share / all / 10_000,
                    most / 10_000
                );
                say(
                    "scrape-over-fraction",
                    Severity::Error,
                    message,
                    "take less of it, or review it as a source of its own",
                );
            }
        }
        // Only where everything was looked at does "nothing" mean anything.
        if seen.whole && !seen.used.contains(&source.name) {
            let message = format!("nothing that was looked at matches the source `{name}`");
            say(
                "unused-entry",
                Severity::Note,
                message,
                "take the entry away: what is allowed and not needed is a door left open",
            );
        }
    }
}

/// An exception that has ended. What it excused fires again by itself.
fn expired(exception: &Exception, blob: BlobId) -> Finding {
    let Exception { rule, owner, patterns, fingerprints, .. } = exception;
    let until = exception.until.map(|day| day.to_string()).unwrap_or_default();
    let cause = format!("exception-expired {rule} {owner} {until} {patterns:?} {fingerprints:?}");
    let message = format!("the exception for `{rule}` ended on {until} and no longer counts");
    let mut finding = Finding::new(&RULES[0], cause.as_str(), message);
    finding.help =
        format!("let {} mend what it excused and take it away, or review it and give it a new end", short(owner));
    finding.evidence.insert("finding", json!("exception-expired"));
    finding.evidence.insert("rule", json!(rule));
    finding.evidence.insert("until", json!(until));
    let mark = Mark { content: content_hash(cause.as_bytes()), ..Mark::bytes(blob, exception.span) };
    finding.marks = first_of_each_blob(vec![mark]);
    finding
}

/// Whether one of the uses of an entry is this role of a dataset; stages of training are training.
fn allows(uses: &[String], role: &str) -> bool {
    const TRAINING: [&str; 7] = ["train", "training", "pretrain", "sft", "dpo", "rlhf", "finetune"];
    uses.iter().any(|word| word == role || role == "train" && TRAINING.contains(&word.as_str()))
}

/// The name of a field that an entry does not have.
fn missing(field: Field, source: &Source) -> Option<&'static str> {
    let blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
    let (name, lacks) = match field {
        Field::Licence => ("licence", blank(&source.licence)),
        Field::Reviewer => ("reviewer", blank(&source.reviewer)),
        Field::Reviewed => ("reviewed", source.reviewed.is_none()),
        Field::Expires => ("expires", source.expires.is_none()),
    };
    lacks.then_some(name)
}

fn finding(
    kind: &'static str,
    source: &str,
    message: String,
    help: &str,
    severity: Severity,
    marks: Vec<Mark>,
) -> Finding {
    let mut finding = Finding::new(&RULES[0], format!("{kind} {source}"), message);
    finding.severity = severity;
    finding.help = help.to_owned();
    finding.evidence.insert("finding", json!(kind));
    finding.evidence.insert("source", json!(source));
    finding.total = marks.len() as u64;
    finding.marks = first_of_each_blob(marks);
    finding
}
