//! One run from start to end: open, list, read, compare, judge.

use std::cmp::Reverse;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use rayon::prelude::*;

use super::again::Reread;
use super::blobs::{Blobs, number};
use super::budget::Budget;
use super::names::looks_like_data;
use super::own::Sides;
use super::scan::{Compare, Part, Reader, Scanner};
use super::{Checker, Error, Outcome, Progress, origin, weigh};
use crate::check::{self, Observation};
use crate::diff::{self, Summary};
use crate::finding::{Finding, LookedAt, Unread};
use crate::fold::Fold;
use crate::format::Reference;
use crate::policy::accept::{self, Extent};
use crate::policy::signature::commit::Anchors;
use crate::policy::trust::Judgement;
use crate::policy::{self, Policy};
use crate::source::{
    Attributes, Content, Entry, Files, History, Mode, ObjectId, People, Repository, Scope, Snapshot, Source,
};
use crate::span::BlobId;

/// Bytes of decoded blobs that may be held at once.
pub(super) const IN_FLIGHT: u64 = 192 << 20;
/// Commits before the change that are read for the repository's own base rates, newest first.
const EARLIER: usize = 2_000;

impl Checker {
    /// Looks at what is in scope, as seen from the folder `dir`.
    ///
    /// # Errors
    /// Where the run cannot start: no such revision or path, a policy that cannot be used, a repository that cannot be
    /// opened. What cannot be read on the way is no error but [`Outcome::unread`].
    pub fn run(&self, dir: impl AsRef<Path>) -> Result<Outcome, Error> {
        self.run_with(dir.as_ref(), &super::Silent)
    }

    pub(crate) fn run_with(&self, dir: impl AsRef<Path>, progress: &dyn Progress) -> Result<Outcome, Error> {
        self.prepared(dir.as_ref(), progress)?.go()
    }

    pub(super) fn prepared<'a>(&'a self, dir: &Path, progress: &'a dyn Progress) -> Result<Run<'a>, Error> {
        let source = match self.scope {
            Scope::Files(_) => Source::plain(),
            _ => Source::discover(dir, &self.environment)?,
        };
        // Outside of any repository, plain files can be judged all the same.
        let scope = match (source.repository(), &self.scope) {
            (None, Scope::Worktree) if !self.paths.is_empty() => {
                Scope::Files(self.paths.iter().map(|path| dir.join(path)).collect())
            }
            (_, scope) => scope.clone(),
        };
        Ok(Run { checker: self, reader: Reader { source, memory: None }, scope, progress })
    }
}

/// What is judged, and by what.
struct Case<'a> {
    judgement: &'a Judgement,
    snapshot: &'a Snapshot,
    lock: &'a Sides,
    numbered: &'a [(BlobId, &'a Entry)],
}

/// Shows an observation to every check.
type Show<'a> = dyn FnMut(&Observation<'_>) + 'a;

/// A run that can start.
pub(super) struct Run<'a> {
    pub(super) checker: &'a Checker,
    pub(super) reader: Reader,
    pub(super) scope: Scope,
    pub(super) progress: &'a dyn Progress,
}

impl Run<'_> {
    pub(super) fn go(self) -> Result<Outcome, Error> {
        let mut snapshot = self.snapshot()?;
        let mut judgement = self.judgement(&snapshot)?;
        judgement.policy.show_info = self.checker.show_info;
        let lock = self.lock()?;
        self.add_declared(&mut snapshot, &judgement.policy, &|path| lock.line(path).is_some())?;
        let policy = &judgement.policy;
        let mut entries = std::mem::take(&mut snapshot.entries);
        let listed = entries.len();
        entries.retain(|entry| !policy.excludes(entry.path()));
        let excluded = (listed - entries.len()) as u64;
        let numbered: Vec<(BlobId, &Entry)> = entries.iter().enumerate().map(|(n, e)| (number(n), e)).collect();

        let checks = self.checks(policy)?;
        let budget = Budget::new(IN_FLIGHT);
        let (attributes, mut unread) = self.attributes(&entries)?;
        let is_locked = |path: &BStr| self.hashes(policy, &lock, path);
        let line = |path: &BStr| lock.line(path);
        let settled = |reference: &Reference| lock.settled(reference);
        let scanner = Scanner {
            checks: &checks,
            policy,
            reader: &self.reader,
            compare: self.compare(),
            budget: &budget,
            attributes: &attributes,
            locked: &is_locked,
            settled: &settled,
            blake3: self.checker.measures,
            hashing: self.checker.hashing.map(|hashing| (hashing, &line as _)),
        };
        let mut part = self.scan(&scanner, &numbered);
        let mut states = std::mem::take(&mut part.seen);
        let mut show = |observation: &Observation<'_>| {
            for (check, seen) in checks.iter().zip(&mut states) {
                check.observe(seen, observation);
            }
        };
        let mut blobs = Blobs::new(&entries);
        let case = Case { judgement: &judgement, snapshot: &snapshot, lock: &lock, numbered: &numbered };
        self.show_files(&case, &mut show);
        let summary = self.show_changes(&case, &scanner, &entries, &mut part, &mut show);
        let (commits, mut people_notes) = self.show_people(&case, &mut part.unread, &mut show);
        self.show_policy(&case, &mut blobs, &mut show)?;
        self.show_unsealed(&case, &mut blobs, &mut part, &mut show);
        self.show_lock(&case, &mut blobs, &mut part, &mut show)?;
        let models = self.models(policy, &lock, &numbered, &mut blobs, &mut part.unread)?;
        if !models.is_empty() {
            show(&Observation::Models(&models));
        }

        let mut findings = Vec::new();
        for (check, seen) in checks.iter().zip(states) {
            check.finish(seen, &mut findings);
        }
        findings.retain(|finding| self.checker.wants(finding.rule.id));
        weigh::weigh(&mut findings);
        let path_of = |id: BlobId| blobs.path(id);
        let applied = accept::apply(findings, policy, &judgement.baseline, self.extent(), &path_of);
        let mut findings = applied.findings;
        let found = findings.len();
        findings.retain(|finding| !finding.is_info() || policy.shows_info(finding.rule));
        let not_shown = (found - findings.len()) as u64;
        sort_by(&mut findings, &path_of);
        if !self.checker.everything {
            accept::cut(&mut findings);
        }
        self.tell_origins(&mut findings, &case, &entries);

        let mut looked_at = LookedAt { commits, excluded, ignored: snapshot.ignored, ..LookedAt::default() };
        looked_at.add(&part.looked_at);
        unread.append(&mut snapshot.unread);
        unread.append(&mut part.unread);
        unread.sort();
        unread.dedup();
        let mut notes = judgement.notes.clone();
        notes.extend(self.reader.repository().into_iter().flat_map(Repository::notes));
        notes.append(&mut snapshot.notes);
        notes.append(&mut people_notes);
        notes.extend(applied.stale.into_iter().map(|stale| stale.message));
        part.notes.sort();
        notes.append(&mut part.notes);
        part.guesses.sort();
        part.cards.sort_by_key(|(blob, _)| *blob);
        part.references.sort_by_key(|(blob, reference)| (*blob, reference.span));
        part.measures.sort_by_key(|measure| measure.blob);
        Ok(Outcome {
            findings,
            unread,
            looked_at,
            policy: policy.origin.clone(),
            scope: self.words(&snapshot),
            full_coverage: policy.require.full_coverage,
            summary,
            guesses: part.guesses,
            notes,
            accepted: applied.accepted,
            not_shown,
            references: part.references,
            cards: part.cards,
            named: part.named.into_iter().collect(),
            measures: part.measures,
            blobs: blobs.with(part.held, part.feeds),
            audit: None,
            reader: self.reader,
        })
    }

    /// The checks that are asked for, with their settings.
    fn checks(&self, policy: &Policy) -> Result<Vec<Box<dyn Fold>>, Error> {
        let asked = check::CATALOG.iter().filter(|e| e.rules.iter().any(|rule| self.checker.wants(rule.id)));
        Ok(asked.map(|entry| (entry.make)(policy)).collect::<Result<_, _>>()?)
    }

    /// Reads every entry once, on all threads.
    fn scan(&self, scanner: &Scanner<'_>, numbered: &[(BlobId, &Entry)]) -> Part {
        self.progress.total(numbered.len() as u64);
        let look = |mut part: Part, (id, entry): &(BlobId, &Entry)| {
            scanner.entry(&mut part, *id, entry);
            self.progress.done();
            part
        };
        let parts = numbered.par_iter().fold(|| scanner.start(), look);
        let part = parts.reduce(|| scanner.start(), |a, b| scanner.merge(a, b));
        self.progress.finish();
        part
    }

    fn show_files(&self, case: &Case<'_>, show: &mut Show<'_>) {
        let branch = self.branch();
        let branch = branch.as_ref().map(|name| name.as_bstr());
        show(&Observation::Files(&Files { list: case.numbered, branch }));
    }

    /// What the change did to records, and how many of which kind.
    fn show_changes(
        &self,
        case: &Case<'_>,
        scanner: &Scanner<'_>,
        entries: &[Entry],
        part: &mut Part,
        show: &mut Show<'_>,
    ) -> Summary {
        part.sides.sort_by_key(diff::Side::blob);
        if self.compare() == Compare::Labels && !part.sides.iter().any(diff::Side::had_rows) {
            // New files alone: nothing that was labelled before could be labelled otherwise now.
            part.sides.clear();
        }
        let again = Reread {
            scanner,
            sides: &part.sides,
            entries,
            tallies: &part.tallies,
            is_complete: self.is_complete(),
            after: case.snapshot.after,
        };
        let changes = diff::compare(&part.sides, &again);
        if self.compare() != Compare::No {
            show(&Observation::Changes(&changes));
        }
        changes.summary.clone()
    }

    /// Who wrote the change, and who changed data before it. Returns how many commits it has, and what reading the
    /// history has left to say.
    fn show_people(&self, case: &Case<'_>, unread: &mut Vec<Unread>, show: &mut Show<'_>) -> (u64, Vec<String>) {
        let Some(history) = self.people(&case.judgement.policy, case.snapshot) else { return (0, Vec::new()) };
        let (judged, earlier) = (&history.judged, &history.earlier);
        show(&Observation::People(&People { judged, earlier, files: case.numbered }));
        unread.extend(history.unread);
        (history.judged.len() as u64, history.notes)
    }

    /// What the change does to the policy, and what vendors have delivered.
    fn show_policy(&self, case: &Case<'_>, blobs: &mut Blobs, show: &mut Show<'_>) -> Result<(), Error> {
        if case.judgement.proposed(None, None).is_some() {
            let file = self.judged(policy::FILE)?.map(|bytes| blobs.own(policy::FILE, bytes));
            let baseline = self.judged(policy::BASELINE)?.map(|bytes| blobs.own(policy::BASELINE, bytes));
            if let Some(proposed) = case.judgement.proposed(file, baseline) {
                show(&Observation::Policy(&proposed));
            }
        }
        let policy = &case.judgement.policy;
        if policy.register.iter().any(|vendor| vendor.signs) {
            show(&Observation::Deliveries(&self.deliveries(policy, case.numbered, case.lock)?));
        }
        Ok(())
    }

    /// Whose signatures of commits and tags do not count.
    fn show_unsealed(&self, case: &Case<'_>, blobs: &mut Blobs, part: &mut Part, show: &mut Show<'_>) {
        let policy = &case.judgement.policy;
        let mut place = |path: &BStr| match case.numbered.binary_search_by(|(_, entry)| entry.path().cmp(path)) {
            Ok(at) => case.numbered[at].0,
            Err(_) => blobs.own(policy::FILE, policy.text.as_bytes().to_vec()),
        };
        let (unsealed, gaps) = self.unsealed(policy, case.snapshot, case.lock, &mut place);
        part.unread.extend(gaps);
        show(&Observation::Unsealed(&unsealed));
    }

    fn show_lock(&self, case: &Case<'_>, blobs: &mut Blobs, part: &mut Part, show: &mut Show<'_>) -> Result<(), Error> {
        let Some(judged) = case.lock.judged(self.asks_for_lock(case.judgement)) else { return Ok(()) };
        let files = self.compared(&case.judgement.policy, case.numbered, &part.measures, case.lock);
        let beside = self.beside(case.judgement, case.snapshot, case.lock, blobs, &mut part.unread)?;
        show(&Observation::Lock(&beside.locked(judged, case.lock, &files, self.is_complete(), case.judgement)));
        Ok(())
    }

    /// Names the commits that brought the rows of a signal.
    fn tell_origins(&self, findings: &mut [Finding], case: &Case<'_>, entries: &[Entry]) {
        // Who wrote what is not said to contributors in their own hook (law 8).
        let Some((repository, tip)) = self.tip(case.snapshot).filter(|_| self.checker.people) else { return };
        let limit = case.judgement.policy.limits.blob;
        let judged = |id: BlobId| {
            let entry = entries.get(id.0 as usize)?;
            let bytes = self.reader.read(entry.content.as_ref()?, limit).ok()?;
            Some((entry.path.clone(), bytes))
        };
        origin::tell(findings, repository, tip, limit, &judged);
    }

    /// What the judged side's attributes say of git LFS, and attribute files that could not be used.
    fn attributes(&self, entries: &[Entry]) -> Result<(Attributes, Vec<Unread>), Error> {
        let repository = self.reader.repository();
        Ok(repository.map(|repository| repository.attributes(&self.scope, entries)).transpose()?.unwrap_or_default())
    }

    /// How entries are compared in this scope.
    fn compare(&self) -> Compare {
        match self.scope {
            _ if self.checker.hashing.is_some() => Compare::No,
            Scope::Staged | Scope::Range { .. } => Compare::Change,
            Scope::Worktree if self.reader.repository().is_some() => Compare::Labels,
            _ => Compare::No,
        }
    }

    /// Whether everything that the lock may list is in scope.
    fn is_complete(&self) -> bool {
        self.checker.paths.is_empty() && matches!(self.scope, Scope::Worktree | Scope::Index | Scope::Revision(_))
    }

    /// How much of the repository is judged.
    fn extent(&self) -> Extent {
        match self.scope {
            Scope::Staged | Scope::Range { .. } => Extent::Change,
            _ if self.is_complete() => Extent::Whole,
            _ => Extent::Some,
        }
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        if let Some((name, _)) = &self.reader.memory {
            return Ok(memory(name));
        }
        Ok(self.reader.source.snapshot(&self.scope, &self.checker.paths)?)
    }

    /// What git ignores and the policy or the lock names is training data all the same.
    pub(super) fn add_declared(
        &self,
        snapshot: &mut Snapshot,
        policy: &Policy,
        locked: &dyn Fn(&BStr) -> bool,
    ) -> Result<(), Error> {
        if let (Scope::Worktree, Some(repository)) = (&self.scope, self.reader.repository())
            && self.checker.paths.is_empty()
            && snapshot.ignored > 0
        {
            let declared = repository.ignored(&|path| policy.lens(path).dataset.is_some() || locked(path))?;
            snapshot.entries.extend(declared);
            snapshot.entries.sort_by(|a, b| a.path.cmp(&b.path));
            snapshot.entries.dedup_by(|a, b| a.path == b.path);
        }
        Ok(())
    }

    /// Who changed data, in the change and before it. Not in a contributor's own hook (law 8), and only for a range:
    /// what is staged has no author yet.
    fn people(&self, policy: &Policy, snapshot: &Snapshot) -> Option<History> {
        let Scope::Range { .. } = self.scope else { return None };
        if !self.checker.people {
            return None;
        }
        let repository = self.reader.repository()?;
        let is_data = |path: &BStr| policy.lens(path).dataset.is_some() || looks_like_data(path);
        let anchors = Anchors::of(policy);
        Some(repository.people(snapshot.before, snapshot.after?, &is_data, anchors.as_ref(), EARLIER))
    }

    /// The commit whose history leads to what is judged.
    fn tip(&self, snapshot: &Snapshot) -> Option<(&Repository, ObjectId)> {
        let repository = self.reader.repository()?;
        let tip = match &self.scope {
            Scope::Range { .. } | Scope::Revision(_) => snapshot.after,
            _ => repository.head().ok().flatten(),
        };
        tip.map(|tip| (repository, tip))
    }

    /// The name of the branch that is judged.
    fn branch(&self) -> Option<BString> {
        match &self.scope {
            Scope::Files(_) => None,
            Scope::Range { head, .. } | Scope::Revision(head) if head != "HEAD" => Some(head.as_str().into()),
            _ => self.reader.repository()?.branch(),
        }
    }

    /// What was judged, in words.
    fn words(&self, snapshot: &Snapshot) -> String {
        let short =
            |id: &Option<ObjectId>| id.map_or_else(|| "nothing".to_owned(), |id| id.to_hex_with_len(10).to_string());
        match &self.scope {
            Scope::Worktree => "the work tree".to_owned(),
            Scope::Index => "the whole index; nothing is staged".to_owned(),
            Scope::Staged => match snapshot.before {
                Some(_) => format!("what is staged, against HEAD {}", short(&snapshot.before)),
                None => "what is staged for the first commit".to_owned(),
            },
            Scope::Range { base, head } => {
                format!(
                    "what {head} brings over {base}, from {} to {}",
                    short(&snapshot.before),
                    short(&snapshot.after)
                )
            }
            Scope::Revision(revision) => format!("all files of {revision}, {}", short(&snapshot.after)),
            Scope::Files(files) => format!("{} plain file{}", files.len(), if files.len() == 1 { "" } else { "s" }),
        }
    }
}

/// The listing of bytes in memory.
fn memory(name: &BString) -> Snapshot {
    let content = Some(Content::File(name.to_string().into()));
    let entry = Entry { path: name.clone(), mode: Mode::File, content, before: None, unchanged: false };
    Snapshot { entries: vec![entry], ..Snapshot::default() }
}

/// Errors first, then by rule, path and place: the order of every report.
pub(super) fn sort_by(findings: &mut [Finding], path_of: &dyn Fn(BlobId) -> BString) {
    for finding in findings.iter_mut() {
        finding.marks.sort_by_cached_key(|mark| (path_of(mark.place.blob), mark.clone()));
    }
    findings.sort_by_cached_key(|finding| {
        let first = finding.marks.first().map(|mark| (path_of(mark.place.blob), mark.place.at));
        (Reverse(finding.severity), finding.rule.id, first, finding.cause.clone())
    });
}
