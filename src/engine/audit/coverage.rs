//! What an audit has seen of the history, and what it could not see.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BStr;

use super::Asked;
use super::decode::{Unit, Units};
use crate::finding::{LookedAt, Unread};
use crate::source::Walk;

/// Gaps that are told one by one.
const MOST_GAPS: usize = 10_000;

/// What was read.
pub(super) fn looked_at(walk: &Walk, units: &Units<'_>) -> LookedAt {
    let mut looked_at = LookedAt { bytes: units.bytes(), ..LookedAt::default() };
    looked_at.commits = walk.steps.iter().filter(|step| step.judged).count() as u64;
    for (_, unit) in units.all() {
        match unit {
            Unit::Rows(index, _) => {
                looked_at.files += 1;
                looked_at.records += index.len() as u64;
            }
            Unit::Other => looked_at.no_reader += 1,
            Unit::Gap(_) => {}
        }
    }
    looked_at
}

/// What could not be read, by file and reason with the commits between which it lies, and the coverage in words. A file
/// is data if it is `named` so, or if any version of it is; what is missing of others is a note.
pub(super) fn gaps(
    walk: &Walk,
    units: &Units<'_>,
    named: &dyn Fn(&BStr) -> bool,
    notes: &mut Vec<String>,
) -> (Vec<Unread>, String) {
    struct Missing<'w> {
        blobs: BTreeSet<u32>,
        first: &'w str,
        last: &'w str,
    }
    let ids: Vec<String> = walk.steps.iter().map(|step| step.commit.id.to_hex_with_len(10).to_string()).collect();
    let mut versions: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut missing: BTreeMap<(u32, &str), Missing<'_>> = BTreeMap::new();
    for (step, id) in walk.steps.iter().zip(&ids) {
        for edge in step.against.iter().flatten() {
            for blob in [edge.before, edge.after].into_iter().flatten() {
                match units.get(Some(blob), edge.path) {
                    Some(Unit::Gap(reason)) => {
                        let new = || Missing { blobs: BTreeSet::new(), first: id, last: id };
                        let gap = missing.entry((edge.path, reason)).or_insert_with(new);
                        gap.blobs.insert(blob);
                        gap.last = id;
                    }
                    Some(Unit::Rows(..)) => {}
                    Some(Unit::Other) | None => continue,
                }
                versions.entry(edge.path).or_default().insert(blob);
            }
        }
    }
    let rows = |path: u32, blob: u32| matches!(units.get(Some(blob), path), Some(Unit::Rows(..)));
    let is_data = |path: u32| {
        named(walk.path_of(path)) || versions.get(&path).is_some_and(|all| all.iter().any(|&blob| rows(path, blob)))
    };
    let beside: BTreeSet<u32> = missing.keys().map(|&(path, _)| path).filter(|&path| !is_data(path)).collect();
    if let Some(first) = beside.first() {
        notes.push(format!(
            "{} file(s) that are no data by their names could not be read in some versions, {} first",
            beside.len(),
            walk.path_of(*first)
        ));
    }
    missing.retain(|(path, _), _| !beside.contains(path));
    versions.retain(|path, _| !beside.contains(path));
    let mut all: BTreeSet<u32> = BTreeSet::new();
    versions.values().for_each(|blobs| all.extend(blobs));
    let lost: BTreeSet<u32> = missing.values().flat_map(|gap| gap.blobs.iter().copied()).collect();
    let mut unread = walk.unread.clone();
    for ((path, reason), gap) in missing.into_iter().take(MOST_GAPS) {
        let (n, of) = (gap.blobs.len(), versions.get(&path).map_or(0, BTreeSet::len));
        let between =
            if gap.first == gap.last { gap.first.to_owned() } else { format!("{} to {}", gap.first, gap.last) };
        unread.push(Unread {
            path: walk.path_of(path).to_owned(),
            reason: format!("{n} of {of} versions not read, in commits {between}: {reason}"),
        });
    }
    unread.sort();
    unread.dedup();
    let commits = walk.unread.len();
    let coverage = match (lost.len(), commits) {
        (0, 0) => format!("all {} data blobs of the history were read", all.len()),
        (0, _) => format!("{commits} commits, trees or names could not be read; label history not fully audited"),
        (n, 0) => {
            format!("{n} of {} data blobs not present or not readable; label history not fully audited", all.len())
        }
        (n, _) => format!(
            "{n} of {} data blobs and {commits} commits, trees or names not present or not readable; label history not \
             fully audited",
            all.len()
        ),
    };
    (unread, coverage)
}

/// What was judged, in words.
pub(super) fn words(walk: &Walk, asked: &Asked) -> String {
    let judged = walk.steps.iter().filter(|step| step.judged).count();
    let tags = walk.refs.iter().filter(|(name, _)| name.starts_with(b"refs/tags/")).count();
    let others = walk.refs.len() - tags - 1;
    let mut words = format!("the history of HEAD, {judged} commits");
    if tags > 0 {
        words.push_str(&format!(", with {tags} tags"));
    }
    if others > 0 {
        words.push_str(&format!(" and {others} other references"));
    }
    if let Some(since) = &asked.since {
        words.push_str(&format!(", since {since}"));
    }
    words
}
