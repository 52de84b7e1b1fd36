//! The commits of an audit: what each did to the labels, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::escape::{Escaped, json_path};
use super::words::{count, grouped};
use crate::diff::{How, Kind};
use crate::engine::audit::{Audit, Audited};

/// Commits that are listed for people; programs get them all.
const MAX_COMMITS: usize = 30;
/// Transitions that are listed of one commit.
const MAX_TRANSITIONS: usize = 4;

/// The history as it was audited.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) commits: Vec<Audited>,
    pub(super) coverage: String,
}

impl History {
    pub(super) fn new(audit: &Audit) -> Self {
        Self { commits: audit.commits.clone(), coverage: audit.coverage.clone() }
    }
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

/// The commits for people: those with the most signals and flips first.
pub(super) fn write(history: &History, out: &mut dyn Write) -> io::Result<()> {
    if history.commits.is_empty() {
        writeln!(out, "no commit changes a label")?;
        return writeln!(out, "coverage: {}\n", Escaped::new(&history.coverage));
    }
    let mut commits: Vec<&Audited> = history.commits.iter().collect();
    commits.sort_by_key(|commit| std::cmp::Reverse((commit.evil, commit.signals.len(), flips(commit), total(commit))));
    writeln!(
        out,
        "{} changed labels, {}; those to look at first:",
        count(commits.len() as u64, "commit"),
        count(commits.iter().map(|commit| total(commit)).sum(), "record")
    )?;
    for commit in commits.iter().take(MAX_COMMITS) {
        one(commit, out)?;
    }
    if let Some(more @ 1..) = commits.len().checked_sub(MAX_COMMITS) {
        writeln!(out, "  and {}; `--format json` has them all", count(more as u64, "more commit"))?;
    }
    writeln!(out, "coverage: {}\n", Escaped::new(&history.coverage))
}

fn one(commit: &Audited, out: &mut dyn Write) -> io::Result<()> {
    let short = |text: &str| Escaped::new(text).cap(60).to_string();
    let id = commit.commit.get(..10).unwrap_or(&commit.commit);
    write!(out, "  {id} {} {}", commit.day, short(&commit.author))?;
    if !commit.subject.is_empty() {
        write!(out, ": {}", short(&commit.subject))?;
    }
    writeln!(out)?;
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut table: BTreeMap<(Kind, &Option<String>, &Option<String>), u64> = BTreeMap::new();
    for change in &commit.changes {
        *kinds.entry(change.kind).or_default() += change.count;
        *table.entry((change.kind, &change.from, &change.to)).or_default() += change.count;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{} {}", grouped(*n), kind.as_str())).collect();
    let mut rows: Vec<_> = table.into_iter().collect();
    rows.sort_by_key(|((kind, ..), n)| (*kind, std::cmp::Reverse(*n)));
    let class = |class: &Option<String>| class.as_deref().map_or("(no label)".to_owned(), short);
    let list: Vec<String> = rows
        .iter()
        .take(MAX_TRANSITIONS)
        .map(|((_, from, to), n)| format!("{} -> {} {}", class(from), class(to), grouped(*n)))
        .collect();
    write!(out, "    {}: {}", kinds.join(", "), list.join("; "))?;
    if rows.len() > MAX_TRANSITIONS {
        write!(out, "; {} more", rows.len() - MAX_TRANSITIONS)?;
    }
    writeln!(out)?;
    let mut words = Vec::new();
    if commit.evil {
        words.push("a merge with labels that none of its parents has".to_owned());
    }
    words.extend(commit.signals.iter().filter_map(|signal| signal.get("name")?.as_str().map(short)));
    if !words.is_empty() {
        writeln!(out, "    signs: {}", words.join(", "))?;
    }
    let dwell = &commit.dwell;
    if let Some(days) = dwell.days {
        write!(out, "    there for {}", count(days.max(0) as u64, "day"))?;
        match &dwell.tags[..] {
            [] => writeln!(out)?,
            [one] => writeln!(out, ", in tag {}", short(one))?,
            [first, ..] => writeln!(out, ", in {} from {} on", count(dwell.tagged as u64, "tag"), short(first))?,
        }
    }
    Ok(())
}

fn flips(commit: &Audited) -> u64 {
    commit.changes.iter().filter(|change| change.kind == Kind::Flip).map(|change| change.count).sum()
}

fn total(commit: &Audited) -> u64 {
    commit.changes.iter().map(|change| change.count).sum()
}
