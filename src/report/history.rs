//! The commits of an audit: what each did to the labels, for people and for programs.

mod text;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::escape::json_path;
use super::words::{count, grouped};
use super::{Located, Report};
use crate::diff::{How, Kind};
use crate::engine::audit::{Audit, Audited, Shares, Touch};
use crate::rule::Severity;
pub(super) use text::write;

/// The history as it was audited.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) commits: Vec<Audited>,
    pub(super) touches: Vec<Touch>,
    pub(super) shares: (Vec<Shares>, usize),
    pub(super) coverage: String,
}

impl History {
    pub(super) fn new(audit: &Audit) -> Self {
        let Audit { commits, touches, shares, coverage, .. } = audit.clone();
        Self { commits, touches, shares, coverage }
    }
}

/// A commit that changes labels, with what is said of it.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    pub(super) commit: &'a Audited,
    pub(super) findings: Vec<&'a Located>,
}

impl Ranked<'_> {
    /// How grave what is said of it is; `None` where nothing is, or all is accepted.
    pub(super) fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// The commits of an audit, those to look at first in front: by what is said of them, by signs, by flips.
pub(super) fn ranked<'a>(report: &'a Report, history: &'a History) -> Vec<Ranked<'a>> {
    let mut of: BTreeMap<&str, Vec<&Located>> = BTreeMap::new();
    for finding in &report.findings {
        if let Some(id) = finding.evidence.get("commit").and_then(Value::as_str) {
            of.entry(id).or_default().push(finding);
        }
    }
    let one = |commit: &'a Audited| Ranked { commit, findings: of.remove(commit.commit.as_str()).unwrap_or_default() };
    let mut all: Vec<Ranked<'a>> = history.commits.iter().map(one).collect();
    all.sort_by_key(|one| {
        let commit = one.commit;
        std::cmp::Reverse((one.severity(), commit.evil, commit.signals.len(), flips(commit), total(commit)))
    });
    all
}

/// What is unusual about a commit: in words, and in numbers.
pub(super) fn signs(commit: &Audited) -> Vec<(String, String)> {
    let plain = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    // `18/3157` as people read it.
    let ratio = |value: &str| match value.split_once('/').map(|(part, all)| (part.parse(), all.parse())) {
        Some((Ok(part), Ok(all))) => format!("{} of {}", grouped(part), grouped(all)),
        _ => value.to_owned(),
    };
    let sign = |signal: &Value| {
        let name = signal.get("name").and_then(Value::as_str).unwrap_or_default();
        let (value, threshold) = (plain(signal.get("value")), plain(signal.get("threshold")));
        let (words, numbers) = match name {
            "bulk-relabel" => ("flips many labels", format!("{value}, where {threshold} are many")),
            "one-target" => ("flips nearly all to one class", ratio(&value)),
            "shared-trigger" => ("the rows share what others of their class lack", value),
            "newcomer-campaign" => ("one of several commits of a newcomer to one class", format!("{value} flips")),
            "label-campaign" => ("one of several commits that flip to one class", ratio(&value)),
            "oscillation" => ("labels that went back and forth before", value),
            "bot-author" => ("a machine's account that changed no label before", value),
            "newcomer-label-edit" => {
                let earlier = signal.get("value").and_then(Value::as_u64).unwrap_or(0);
                ("its author is new to the data", count(earlier, "earlier commit"))
            }
            "ownership-shift" => ("its author took over the data lately", value),
            "author-is-not-committer" => ("committed by another, who does not hold the data", String::new()),
            "self-merge-no-review" => ("merged by its own author", String::new()),
            "timestamp-order" => ("dates that do not fit together", value),
            "hidden-label-edit" => ("a few labels in a large change that does not speak of labels", ratio(&value)),
            "evil-merge-label" => ("a merge with labels that none of its parents has", value),
            "look-alike-identity" => ("its author has a name that looks like another's", value),
            "identity-drift" => ("a known name with an address of a new domain", String::new()),
            "unsigned-where-signed" => {
                ("its author signs, and did not here", format!("{} signed before", ratio(&value)))
            }
            "unsigned-web-commit" => ("made on the web page, which signs, without a signature", String::new()),
            "foreign-timezone" => ("stamped in the time zone of another", format!("{value}, not {threshold}")),
            "impossible-timezone-jump" => ("its author went faster than any aeroplane", value),
            "dormant-revival" if signal["value"].is_number() => {
                ("the data had rested for long", format!("{value} days; {threshold} are long here"))
            }
            "dormant-revival" => ("somebody new took the data over after a rest", value),
            other => (other, format!("{value}; usual: {threshold}")),
        };
        (words.to_owned(), numbers)
    };
    let mut signs: Vec<(String, String)> = commit.signals.iter().map(sign).collect();
    if commit.evil && !commit.signals.iter().any(|signal| signal["name"] == "evil-merge-label") {
        signs.insert(0, ("a merge with labels that none of its parents has".to_owned(), String::new()));
    }
    signs
}

/// How long a change has been there, in words.
pub(super) fn dwell(dwell: &crate::engine::audit::Dwell) -> Option<String> {
    let mut words = format!("there for {}", count(dwell.days?.max(0) as u64, "day"));
    match &dwell.tags[..] {
        [] => {}
        [one] => words.push_str(&format!(", in tag {one}")),
        [first, ..] => words.push_str(&format!(", in {} from {first} on", count(dwell.tagged as u64, "tag"))),
    }
    Some(words)
}

/// Whether what could not be read fails the run: always, except in an audit that was not asked for it.
pub(super) fn gaps_count(audit: Option<&Audit>) -> bool {
    audit.is_none_or(|audit| audit.require_coverage)
}

/// A commit, for programs.
#[derive(Serialize)]
pub(super) struct Commit<'a> {
    commit: &'a str,
    author: &'a str,
    date: &'a str,
    subject: &'a str,
    label_changes: Vec<LabelChange<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evil_merge: Option<bool>,
    signals: &'a [Value],
    dwell: Dwell<'a>,
}

#[derive(Serialize)]
struct LabelChange<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    kind: Kind,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    copies: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<bool>,
}

#[derive(Serialize)]
struct Dwell<'a> {
    days: Option<i64>,
    tagged: usize,
    tags: &'a [String],
}

pub(super) fn commit(audited: &Audited) -> Commit<'_> {
    let change = |change: &'_ crate::engine::audit::Relabel| {
        let (path, path_hex) = json_path(&change.path);
        (path, path_hex)
    };
    let label_changes = audited.changes.iter().map(|one| {
        let (path, path_hex) = change(one);
        LabelChange {
            path,
            path_hex,
            from: one.from.as_deref(),
            to: one.to.as_deref(),
            kind: one.kind,
            count: one.count,
            copies: (one.how == How::Copies).then_some(true),
            near: (one.how == How::Near).then_some(true),
        }
    });
    Commit {
        commit: &audited.commit,
        author: &audited.author,
        date: &audited.day,
        subject: &audited.subject,
        label_changes: label_changes.collect(),
        evil_merge: audited.evil.then_some(true),
        signals: &audited.signals,
        dwell: Dwell { days: audited.dwell.days, tagged: audited.dwell.tagged, tags: &audited.dwell.tags },
    }
}

/// The changes of a commit by kind and classes, true flips first and the largest of a kind in front.
pub(super) fn transitions(commit: &Audited) -> Vec<(Kind, Option<&str>, Option<&str>, u64)> {
    let mut table: BTreeMap<(Kind, Option<&str>, Option<&str>), u64> = BTreeMap::new();
    for change in &commit.changes {
        *table.entry((change.kind, change.from.as_deref(), change.to.as_deref())).or_default() += change.count;
    }
    let mut rows: Vec<_> = table.into_iter().map(|((kind, from, to), n)| (kind, from, to, n)).collect();
    rows.sort_by_key(|&(kind, .., n)| (kind, std::cmp::Reverse(n)));
    rows
}

/// How many records changed in each way: `28 flip, 3 rename`.
fn kinds<'a>(commits: impl Iterator<Item = &'a Audited>) -> String {
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    for change in commits.flat_map(|commit| &commit.changes) {
        *kinds.entry(change.kind).or_default() += change.count;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{} {}", grouped(*n), kind.as_str())).collect();
    kinds.join(", ")
}

fn flips(commit: &Audited) -> u64 {
    commit.changes.iter().filter(|change| change.kind == Kind::Flip).map(|change| change.count).sum()
}

fn total(commit: &Audited) -> u64 {
    commit.changes.iter().map(|change| change.count).sum()
}
