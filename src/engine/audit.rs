//! The audit of a history: every version of the data read once, every commit compared with its parents, and what
//! changed labels told with its author, its reach and how long it has been there.
//!
//! Two passes over the commits, both on indexes alone: the first counts, the second looks at the records of the
//! commits that matter once more, and shows every commit to the checks.

mod cached;
mod coverage;
mod decode;
mod dwell;
mod merge;
mod neighbours;
mod relabels;
mod shares;
mod story;
mod tally;
mod touches;
mod unpacked;

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
use crate::diff::{self, Chapter, Kind};
use crate::fold::Entry;
use crate::lens::class_of_image;
use crate::policy::accept::{self, Extent};
use crate::policy::signature::commit::Anchors;
use crate::source::{Cache, Content, Edge, Repository, Scope, Source, SourceError, Walk};
use crate::span::BlobId;
use coverage::{gaps, looked_at, words};
use decode::{Unit, Units};
pub(super) use decode::{feed, show};
pub(crate) use dwell::Dwell;
pub(crate) use relabels::Relabel;
use relabels::{gather_signals, of_merge, relabels};
pub(crate) use shares::{Point, Shares};
use story::{Event, Look, Story};
pub(crate) use touches::Touch;

/// Bytes of data that are read a second time, to see what flipped records have in common. Commits with many flips come
/// first.
const SECOND_LOOK: u64 = 512 << 20;
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
        let look = |rank| if chosen.contains(&rank) { Look::Again } else { Look::Not };
        story.tell(&look, &mut { number }, &mut |rank, event| {
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
        let (mut unsealed, mut gaps_of_signed) = self.unsealed(policy, &snapshot, &self.lock()?, &mut place);
        unsealed.extend(self.unsealed_tags(policy, &mut place));
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
    story.tell(&|_| Look::Not, &mut |_| 0, &mut |rank, event| {
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
