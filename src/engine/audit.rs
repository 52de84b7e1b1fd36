//! The audit of a history: every version of the data read once, every commit compared with its parents, and what
//! changed labels told with its author, its reach and how long it has been there.
//!
//! Two passes over the commits, both on indexes alone: the first counts, the second looks at the records of the
//! commits that matter once more, and shows every commit to the checks.

mod cached;
mod decode;
mod dwell;
mod merge;
mod neighbours;
mod shares;
mod story;
mod tally;
mod touches;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use serde_json::Value;

use super::gather::{self, Run};
use super::names::looks_like_data;
use super::scan::Reader;
use super::{Checker, Error, Judged, Outcome, Progress};
use crate::check::{self, Observation};
use crate::diff::{self, Chapter, How, Kind};
use crate::finding::{LookedAt, Unread};
use crate::fold::Entry;
use crate::lens::class_of_image;
use crate::policy::accept::{self, Extent};
use crate::policy::signature::commit::Anchors;
use crate::source::{Cache, Content, Edge, Repository, Scope, Source, SourceError, Walk};
use crate::span::BlobId;
pub(super) use decode::feed;
use decode::{Unit, Units};
pub(crate) use dwell::Dwell;
pub(crate) use shares::{Point, Shares};
use story::{Event, Story};
pub(crate) use touches::Touch;

/// Bytes of data that are read a second time, to see what flipped records have in common. Commits with many flips come
/// first.
const SECOND_LOOK: u64 = 512 << 20;
/// Gaps that are told one by one.
const MOST_GAPS: usize = 10_000;
/// Rules that look at commits; the checks of these are shown a history.
const HISTORY: [&str; 2] = ["bad-signature", "label-flip"];

/// What an audit is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// What can be reached from this revision is known and not judged.
    pub(crate) since: Option<String>,
    /// Patterns of full names of references to follow, besides HEAD and the tags.
    pub(crate) refs: Vec<String>,
    /// Whether what could not be read fails the run.
    pub(crate) require_coverage: bool,
}

/// What an audit says beside its findings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audit {
    /// Every commit that changes a label, in the order of the history.
    pub(crate) commits: Vec<Audited>,
    /// Every commit that touches data, in the order of the history.
    pub(crate) touches: Vec<Touch>,
    /// The classes of the largest data sets over time, and how many data sets are left out.
    pub(crate) shares: (Vec<Shares>, usize),
    /// What was read and what could not be, in words.
    pub(crate) coverage: String,
    /// Whether what could not be read fails the run.
    pub(crate) require_coverage: bool,
}

/// A commit that changes labels.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    /// Its id.
    pub(crate) commit: String,
    /// Name and address of its author, as they are claimed.
    pub(crate) author: String,
    /// The day it was committed, as it claims.
    pub(crate) day: String,
    /// First line of its message.
    pub(crate) subject: String,
    /// The changes of labels, by file, classes and kind.
    pub(crate) changes: Vec<Relabel>,
    /// Whether it is a merge with labels that none of its parents has.
    pub(crate) evil: bool,
    /// How long it has been there.
    pub(crate) dwell: dwell::Dwell,
    /// What is unusual about it: objects with `name`, `value` and `threshold`.
    pub(crate) signals: Vec<Value>,
}

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

impl Checker {
    /// Audits the history that `dir` lies in.
    ///
    /// # Errors
    /// Where the run cannot start. What cannot be read on the way is no error but [`Outcome::unread`].
    pub(crate) fn audit(&self, dir: &Path, asked: &Asked, progress: &dyn Progress) -> Result<Outcome, Error> {
        let source = Source::discover(dir, &self.environment)?;
        let Some(repository) = source.repository() else {
            return Err(Error::NoRepository(dir.display().to_string()));
        };
        if repository.head()?.is_none() {
            let message = "there is no commit yet; `foretaste check` looks at what is in the work tree";
            return Err(SourceError::new(message).into());
        }
        let scope = Scope::Revision("HEAD".to_owned());
        Run { checker: self, reader: Reader { source, memory: None }, scope, progress }.audit(asked)
    }
}

impl Run<'_> {
    fn audit(self, asked: &Asked) -> Result<Outcome, Error> {
        let snapshot = self.snapshot()?;
        let mut judgement = self.judgement(&snapshot)?;
        judgement.policy.show_info = self.checker.show_info;
        let policy = &judgement.policy;
        let mut notes = judgement.notes.clone();
        let repository = self.reader.repository().ok_or_else(|| Error::NoRepository("this folder".to_owned()))?;
        notes.extend(repository.notes());
        let is_data =
            |path: &BStr| !policy.excludes(path) && (policy.lens(path).dataset.is_some() || may_be_data(path));
        let mut walk = repository.walk(asked.since.as_deref(), &asked.refs, &is_data, Anchors::of(policy).as_ref())?;
        notes.append(&mut walk.notes);
        let listings = listings(repository, &is_data, &mut walk);
        let mut units = Units::new(policy, &self.reader);
        units.paths(&walk.paths);
        want(&mut units, &walk, &listings);
        let mut cache = self
            .checker
            .cache
            .as_deref()
            .and_then(|folder| Cache::open(folder, repository.common_dir(), &cached::settings(&policy.limits)?));
        units.read(&walk.blobs, cache.as_mut(), self.progress);
        only_data(&mut walk, &units);
        let walk = walk;
        let sets: Vec<String> =
            walk.paths.iter().map(|path| diff::set_of(&policy.lens(path.as_ref()), path.as_ref())).collect();
        let story = Story::new(&walk, &units, &sets, &listings);
        let (chosen, left_out) = choose(&story);
        if left_out > 0 {
            notes.push(format!(
                "{left_out} commit(s) with changed labels were not searched for what their records share; `--since` \
                 leaves out older ones"
            ));
        }

        let mut checks = Vec::new();
        let of_history = |entry: &&Entry| entry.rules.iter().any(|rule| HISTORY.contains(&rule.id));
        for entry in check::CATALOG.iter().filter(of_history) {
            checks.push((entry.make)(policy)?);
        }
        let mut states: Vec<_> = checks.iter().map(|check| check.start()).collect();
        let mut show = |chapter: &Chapter<'_>| {
            for (check, seen) in checks.iter().zip(&mut states) {
                check.observe(seen, &Observation::Commit(chapter));
            }
        };
        let blobs: RefCell<Vec<Judged>> = RefCell::default();
        let number = |edges: &[Edge]| {
            let mut blobs = blobs.borrow_mut();
            let first = blobs.len() as u32;
            blobs.extend(edges.iter().map(|edge| Judged {
                path: walk.path_of(edge.path).to_owned(),
                content: edge.after.or(edge.before).map(|blob| Content::Object(walk.blobs[blob as usize])),
                held: None,
                feeds: Vec::new(),
            }));
            first
        };
        // Commits that are not judged are shown first: they come before those that are.
        for step in walk.steps.iter().filter(|step| !step.judged) {
            show(&Chapter { commit: &step.commit, judged: false, changes: None, evil: &[] });
        }
        let mut commits = Vec::new();
        let mut rows = Vec::new();
        story.tell(&|rank| chosen.contains(&rank), &mut { number }, &mut |rank, event| {
            let step = &walk.steps[rank as usize];
            rows.push((rank, touches::rows(&story, rank, &event)));
            let before = blobs.borrow().len();
            let mut chapter = Chapter { commit: &step.commit, judged: true, changes: None, evil: &[] };
            let mut list = Vec::new();
            let mut keeps = false;
            match &event {
                Event::Nothing => show(&chapter),
                Event::Change(pair, changes) => {
                    list = relabels(changes);
                    keeps = !list.is_empty();
                    chapter.changes = Some(changes);
                    show(&chapter);
                    if !keeps {
                        // Their numbers were the last that were given.
                        blobs.borrow_mut().truncate(before - pair.edges.len());
                    }
                }
                Event::Merge(parents) => {
                    let between = |a, b| repository.data_between(a, b, &walk);
                    let own = merge::own(&story, step, parents, &mut { number }, &mut { between });
                    list = of_merge(&walk, &own.edits);
                    keeps = !list.is_empty();
                    chapter.evil = &own.evil;
                    show(&chapter);
                    if !keeps {
                        blobs.borrow_mut().truncate(before);
                    }
                    if !own.evil.is_empty() {
                        commits.push((rank, list.clone(), true));
                        return;
                    }
                }
            }
            if keeps {
                commits.push((rank, list, false));
            }
        });
        let mut place = |path: &BStr| {
            blobs.borrow_mut().push(Judged { path: path.to_owned(), content: None, held: None, feeds: Vec::new() });
            BlobId(blobs.borrow().len() as u32 - 1)
        };
        let (unsealed, mut gaps_of_signed) = self.unsealed(policy, &snapshot, &self.lock()?, &mut place);
        let mut findings = Vec::new();
        for (check, mut seen) in checks.iter().zip(states) {
            check.observe(&mut seen, &Observation::Unsealed(&unsealed));
            check.finish(seen, &mut findings);
        }
        findings.retain(|finding| self.checker.wants(finding.rule.id));

        let ranks: Vec<u32> = commits.iter().map(|(rank, ..)| *rank).collect();
        let mut audited: Vec<Audited> =
            commits.into_iter().map(|(rank, list, evil)| self.audited(&walk, rank, list, evil)).collect();
        let touches = touches::of(&walk, &rows, &ranks.into_iter().zip(&audited).collect::<Vec<_>>());
        let shares = shares::of(&story);
        for finding in &mut findings {
            gather_signals(finding, &mut audited);
        }
        let blobs = blobs.into_inner();
        let path_of = |id: BlobId| blobs.get(id.0 as usize).map(|b| b.path.clone()).unwrap_or_default();
        let applied = accept::apply(findings, policy, &judgement.baseline, Extent::Some, &path_of);
        let mut findings = applied.findings;
        notes.extend(applied.stale.into_iter().map(|stale| stale.message));
        gather::sort_by(&mut findings, &path_of);
        accept::cut(&mut findings);

        let looked_at = looked_at(&walk, &units);
        let named = |path: &BStr| policy.lens(path).dataset.is_some() || looks_like_data(path);
        let (mut unread, coverage) = gaps(&walk, &units, &named, &mut notes);
        unread.append(&mut gaps_of_signed);
        unread.sort();
        unread.dedup();
        Ok(Outcome {
            findings,
            unread,
            looked_at,
            policy: policy.origin.clone(),
            scope: words(&walk, asked),
            full_coverage: policy.require.full_coverage,
            summary: Default::default(),
            guesses: Vec::new(),
            notes,
            accepted: applied.accepted,
            not_shown: 0,
            references: Vec::new(),
            cards: Vec::new(),
            named: Vec::new(),
            measures: Vec::new(),
            blobs,
            audit: Some(Audit {
                commits: audited,
                touches,
                shares,
                coverage,
                require_coverage: asked.require_coverage,
            }),
            reader: self.reader,
        })
    }

    fn audited(&self, walk: &Walk, rank: u32, changes: Vec<Relabel>, evil: bool) -> Audited {
        let commit = &walk.steps[rank as usize].commit;
        let day = jiff::Timestamp::from_second(commit.committer.seconds)
            .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
            .unwrap_or_default();
        Audited {
            commit: commit.id.to_string(),
            author: touches::author(commit),
            day,
            subject: commit.subject.clone(),
            changes,
            evil,
            dwell: dwell::of(walk, rank, self.checker.as_of),
            signals: Vec::new(),
        }
    }
}

/// Whether a file of history may hold data, by its name alone; its content decides once it is read.
pub(super) fn may_be_data(path: &BStr) -> bool {
    let name = path.rsplit_str("/").next().unwrap_or_default().to_ascii_lowercase();
    let archive = name.ends_with(b".tar.gz") || name.ends_with(b".tgz");
    !archive && (looks_like_data(path) || name.ends_with(b".json") || class_of_image(path, false).is_some())
}

/// All data of the commits that others are compared with and that are not compared themselves.
fn listings(repository: &Repository, is_data: &dyn Fn(&BStr) -> bool, walk: &mut Walk) -> Vec<Option<Vec<Edge>>> {
    let mut wanted = vec![false; walk.steps.len()];
    for step in walk.steps.iter().filter(|step| step.judged) {
        for &parent in &step.parents {
            let before = &walk.steps[parent as usize];
            wanted[parent as usize] |= !before.judged || before.is_cut;
        }
    }
    let list = |(rank, wanted): (u32, bool)| wanted.then(|| repository.data_of(rank, is_data, walk));
    (0..).zip(wanted).map(list).collect()
}

/// Asks for every blob that a judged commit brings or takes away.
fn want(units: &mut Units<'_>, walk: &Walk, listings: &[Option<Vec<Edge>>]) {
    let judged = walk.steps.iter().filter(|step| step.judged).flat_map(|step| step.against.iter().flatten());
    for edge in judged.chain(listings.iter().flatten().flatten()) {
        for blob in [edge.before, edge.after].into_iter().flatten() {
            units.want(blob, edge.path);
        }
    }
}

/// Takes the paths out of the commits that turned out to hold no data.
fn only_data(walk: &mut Walk, units: &Units<'_>) {
    let mut data: BTreeMap<BString, bool> = BTreeMap::new();
    for edge in walk.steps.iter().flat_map(|step| step.against.iter().flatten()) {
        let any = data.entry(walk.paths[edge.path as usize].clone()).or_default();
        let sides = [edge.before, edge.after];
        // What was not read keeps its name's word.
        *any |= sides.iter().any(|side| side.is_some() && !matches!(units.get(*side, edge.path), Some(Unit::Other)));
    }
    for step in &mut walk.steps {
        step.commit.paths.retain(|path| data.get(path).copied().unwrap_or(true));
    }
}

/// The first pass: which commits are worth a second look at their records, and how many there was no room for.
fn choose(story: &Story<'_>) -> (BTreeSet<u32>, usize) {
    let mut candidates: Vec<(u64, u32, u64)> = Vec::new();
    story.tell(&|_| false, &mut |_| 0, &mut |rank, event| {
        if let Event::Change(pair, changes) = event {
            let flips = changes.edits.iter().filter(|edit| edit.kind == Kind::Flip).count() as u64;
            let near = changes.summary.sets.iter().any(|set| set.added > 0 && set.removed > 0);
            if flips > 0 || near {
                candidates.push((flips, rank, pair.bytes));
            }
        }
    });
    candidates.sort_unstable_by_key(|&(flips, rank, _)| Reverse((flips, rank)));
    let (mut left, mut chosen) = (SECOND_LOOK, BTreeSet::new());
    for &(_, rank, bytes) in &candidates {
        // Both versions, and once more for what is at home in the classes.
        match left.checked_sub(2 * bytes) {
            Some(rest) => {
                left = rest;
                chosen.insert(rank);
            }
            None => break,
        }
    }
    let all = candidates.len();
    let count = chosen.len();
    (chosen, all - count)
}

/// The changes of labels by file, classes and kind.
fn relabels(changes: &diff::Changes<'_>) -> Vec<Relabel> {
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

fn of_merge(walk: &Walk, edits: &[(u32, Option<String>, Option<String>, Kind)]) -> Vec<Relabel> {
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
fn gather_signals(finding: &mut crate::finding::Finding, audited: &mut [Audited]) {
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

fn looked_at(walk: &Walk, units: &Units<'_>) -> LookedAt {
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
fn gaps(
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
fn words(walk: &Walk, asked: &Asked) -> String {
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
