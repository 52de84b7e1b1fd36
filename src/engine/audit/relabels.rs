//! What an audit tells of one commit: which labels changed, and what is unusual about it.

use std::collections::BTreeMap;

use bstr::BString;
use serde_json::Value;

use super::Audited;
use crate::diff::{self, How, Kind};
use crate::source::Walk;

/// Records of one file that went from one class to another.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Relabel {
    /// The file, as it is called after the change.
    pub(crate) path: BString,
    /// The class before.
    pub(crate) from: Option<String>,
    /// The class now.
    pub(crate) to: Option<String>,
    /// What the change is.
    pub(crate) kind: Kind,
    /// How the versions were matched.
    pub(crate) how: How,
    /// How many.
    pub(crate) count: u64,
}

/// The changes of labels by file, classes and kind.
pub(super) fn relabels(changes: &diff::Changes<'_>) -> Vec<Relabel> {
    let mut table: BTreeMap<(u32, u32, u32, Kind, How), u64> = BTreeMap::new();
    for edit in &changes.edits {
        *table.entry((edit.side, edit.from, edit.to, edit.kind, edit.how)).or_default() += 1;
    }
    let class = |label| changes.class(label).map(str::to_owned);
    let relabel = |((side, from, to, kind, how), count): ((u32, u32, u32, Kind, How), u64)| {
        let path = changes.files[side as usize].0.to_owned();
        Relabel { path, from: class(from), to: class(to), kind, how, count }
    };
    let mut list: Vec<Relabel> = table.into_iter().map(relabel).collect();
    list.sort();
    list
}

/// The changes that a merge made of its own.
pub(super) fn of_merge(walk: &Walk, edits: &[(u32, Option<String>, Option<String>, Kind)]) -> Vec<Relabel> {
    let mut list = Vec::new();
    for same in edits.chunk_by(|a, b| a == b) {
        let (path, from, to, kind) = same[0].clone();
        let path = walk.path_of(path).to_owned();
        list.push(Relabel { path, from, to, kind, how: How::Exact, count: same.len() as u64 });
    }
    list.sort();
    list
}

/// Hands the signals of a finding to the commits they speak of, and the commits' dwell time to the finding.
pub(super) fn gather_signals(finding: &mut crate::finding::Finding, audited: &mut [Audited]) {
    let of = finding.evidence.get("commit").and_then(Value::as_str).map(str::to_owned);
    let signals = finding.evidence.get("signals").and_then(Value::as_array).cloned().unwrap_or_default();
    for mut signal in signals {
        let own = signal.as_object_mut().and_then(|signal| signal.remove("commit"));
        let id = own.as_ref().and_then(Value::as_str).or(of.as_deref());
        if let Some(commit) = audited.iter_mut().find(|commit| Some(commit.commit.as_str()) == id)
            && !commit.signals.contains(&signal)
        {
            commit.signals.push(signal);
        }
    }
    if let Some(commit) = audited.iter().find(|commit| Some(&commit.commit) == of.as_ref()) {
        finding.evidence.insert("dwell", commit.dwell.to_json());
    }
}
