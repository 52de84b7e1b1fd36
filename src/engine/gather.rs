//! One run from start to end: open, list, read, compare, judge.

use std::cmp::Reverse;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use rayon::prelude::*;

use super::again::Reread;
use super::budget::Budget;
use super::folders;
use super::origin;
use super::scan::{Compare, Reader, Scanner};
use super::{Checker, Error, Judged, Outcome, PolicyChoice, Progress};
use crate::check::{self, Observation};
use crate::diff;
use crate::finding::{Finding, LookedAt, Unread};
use crate::format::Reference;
use crate::lens::class_of;
use crate::policy::accept::{self, Extent};
use crate::policy::baseline::Baseline;
use crate::policy::trust::{self, Judgement};
use crate::policy::{self, Policy};
use crate::source::{
    self, Attributes, Before, Bytes, Content, Entry, Files, History, Mode, ObjectId, People, Repository, Scope,
    Snapshot, Source, SourceError, Trusted,
};
use crate::span::BlobId;

/// Bytes of decoded blobs that may be held at once.
const IN_FLIGHT: u64 = 192 << 20;
/// Commits before the change that are read for the repository's own base rates, newest first.
const EARLIER: usize = 2_000;
/// Paths of policies of folders, and their texts.
type Folders = Vec<(BString, String)>;

/// Bytes of a policy, a lock or a baseline.
const MAX_OWN_FILE: u64 = 64 << 20;

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

impl Checker {
    /// The policy that would judge, without looking at any data.
    pub(crate) fn judged_by(&self, dir: &Path) -> Result<(Policy, Vec<String>), Error> {
        let source = Source::discover(dir, &self.environment)?;
        let reader = Reader { source, memory: None };
        let run = Run { checker: self, reader, scope: self.scope.clone(), progress: &super::Silent };
        let judgement = run.judgement(&Snapshot::default())?;
        Ok((judgement.policy, judgement.notes))
    }
}

/// The files in scope, for a verb that goes through them by itself.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) policy: Policy,
    pub(crate) baseline: Baseline,
    /// What the policy does not exclude, sorted by path.
    pub(crate) entries: Vec<Entry>,
    /// What could not even be listed.
    pub(crate) unread: Vec<Unread>,
    reader: Reader,
}

impl Listed {
    /// The bytes of a file; see [`Source::read`].
    ///
    /// # Errors
    /// A short phrase that says why not.
    pub(crate) fn read(&self, content: &Content) -> Result<Bytes, String> {
        self.reader.read(content, self.policy.limits.blob)
    }

    /// The same, however large it is.
    pub(super) fn raw(&self, content: &Content) -> Result<Bytes, String> {
        self.reader.read(content, u64::MAX)
    }

    /// What a pointer of git LFS stands for; `None` where the bytes are no pointer.
    pub(crate) fn object(&self, bytes: &[u8]) -> Option<Result<Bytes, String>> {
        let pointer = source::pointer(bytes)?;
        let object = self.reader.source.resolve_lfs(&pointer, self.policy.limits.blob);
        Some(object.map_err(|error| error.to_string()))
    }

    /// The top of the work tree, where there is one.
    pub(crate) fn work_tree(&self) -> Option<&Path> {
        self.reader.repository()?.work_tree()
    }
}

impl Checker {
    /// Lists what is in scope without reading it, with the policy and the baseline in force.
    pub(crate) fn listed(&self, dir: &Path) -> Result<Listed, Error> {
        let run = self.prepared(dir, &super::Silent)?;
        let mut snapshot = run.snapshot()?;
        let judgement = run.judgement(&snapshot)?;
        run.add_declared(&mut snapshot, &judgement.policy, &|_| false)?;
        snapshot.entries.retain(|entry| !judgement.policy.excludes(entry.path()));
        let (policy, baseline) = (judgement.policy, judgement.baseline);
        Ok(Listed { policy, baseline, entries: snapshot.entries, unread: snapshot.unread, reader: run.reader })
    }
}

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
        let mut notes = judgement.notes.clone();
        notes.extend(self.reader.repository().into_iter().flat_map(Repository::notes));
        let policy = &judgement.policy;
        let lock = self.lock()?;
        self.add_declared(&mut snapshot, policy, &|path| lock.line(path).is_some())?;
        notes.append(&mut snapshot.notes);
        let mut excluded = 0;
        let entries: Vec<Entry> = std::mem::take(&mut snapshot.entries)
            .into_iter()
            .filter(|entry| {
                let out = policy.excludes(entry.path());
                excluded += u64::from(out);
                !out
            })
            .collect();
        let numbered: Vec<(BlobId, &Entry)> = entries.iter().enumerate().map(|(n, e)| (number(n), e)).collect();

        let mut checks = Vec::new();
        for entry in check::CATALOG.iter().filter(|e| e.rules.iter().any(|rule| self.checker.wants(rule.id))) {
            checks.push((entry.make)(policy)?);
        }
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
        self.progress.total(entries.len() as u64);
        let mut part = numbered
            .par_iter()
            .fold(
                || scanner.start(),
                |mut part, (id, entry)| {
                    scanner.entry(&mut part, *id, entry);
                    self.progress.done();
                    part
                },
            )
            .reduce(|| scanner.start(), |a, b| scanner.merge(a, b));
        self.progress.finish();
        let mut states = std::mem::take(&mut part.seen);
        let mut show = |observation: &Observation<'_>| {
            for (check, seen) in checks.iter().zip(&mut states) {
                check.observe(seen, observation);
            }
        };

        let mut blobs = Blobs::new(&entries);
        let branch = self.branch();
        show(&Observation::Files(&Files { list: &numbered, branch: branch.as_ref().map(|name| name.as_bstr()) }));
        part.sides.sort_by_key(diff::Side::blob);
        if self.compare() == Compare::Labels && !part.sides.iter().any(diff::Side::had_rows) {
            // New files alone: nothing that was labelled before could be labelled otherwise now.
            part.sides.clear();
        }
        let again = Reread {
            scanner: &scanner,
            sides: &part.sides,
            entries: &entries,
            tallies: &part.tallies,
            is_complete: self.is_complete(),
            after: snapshot.after,
        };
        let changes = diff::compare(&part.sides, &again);
        if self.compare() != Compare::No {
            show(&Observation::Changes(&changes));
        }
        let summary = changes.summary.clone();
        drop(changes);
        let mut commits = 0;
        let mut history_unread = Vec::new();
        if let Some(history) = self.people(policy, &snapshot) {
            commits = history.judged.len() as u64;
            show(&Observation::People(&People {
                judged: &history.judged,
                earlier: &history.earlier,
                files: &numbered,
            }));
            history_unread = history.unread;
            notes.extend(history.notes);
        }
        if judgement.proposed(None, None).is_some() {
            let file = self.judged(policy::FILE)?.map(|bytes| blobs.own(policy::FILE, bytes));
            let baseline = self.judged(policy::BASELINE)?.map(|bytes| blobs.own(policy::BASELINE, bytes));
            if let Some(proposed) = judgement.proposed(file, baseline) {
                show(&Observation::Policy(&proposed));
            }
        }
        if policy.register.iter().any(|vendor| vendor.signs) {
            show(&Observation::Deliveries(&self.deliveries(policy, &numbered, &lock)?));
        }
        if let Some(judged) = lock.judged() {
            let files = self.compared(policy, &numbered, &part.measures, &lock);
            let beside = self.beside(&judgement, &snapshot, &lock, &mut blobs, &mut part.unread)?;
            show(&Observation::Lock(&beside.locked(judged, &lock, &files, self.is_complete(), &judgement)));
        }

        let mut findings = Vec::new();
        for (check, seen) in checks.iter().zip(states) {
            check.finish(seen, &mut findings);
        }
        findings.retain(|finding| self.checker.wants(finding.rule.id));
        let path_of = |id: BlobId| blobs.path(id);
        let applied = accept::apply(findings, policy, &judgement.baseline, self.extent(), &path_of);
        let mut findings = applied.findings;
        notes.extend(applied.stale.into_iter().map(|stale| stale.message));
        sort_by(&mut findings, &path_of);
        if !self.checker.everything {
            accept::cut(&mut findings);
        }
        if let Some((repository, tip)) = self.tip(&snapshot) {
            let judged = |id: BlobId| {
                let entry = entries.get(id.0 as usize)?;
                let bytes = self.reader.read(entry.content.as_ref()?, policy.limits.blob).ok()?;
                Some((entry.path.clone(), bytes))
            };
            origin::tell(&mut findings, repository, tip, policy.limits.blob, &judged);
        }

        let words = self.words(&snapshot);
        let mut looked_at = LookedAt { commits, excluded, ignored: snapshot.ignored, ..LookedAt::default() };
        looked_at.add(&part.looked_at);
        unread.append(&mut snapshot.unread);
        unread.append(&mut part.unread);
        unread.extend(history_unread);
        unread.sort();
        unread.dedup();
        part.guesses.sort();
        part.references.sort_by_key(|(blob, reference)| (*blob, reference.span));
        part.notes.sort();
        notes.append(&mut part.notes);
        part.measures.sort_by_key(|measure| measure.blob);
        for (id, bytes) in part.held {
            blobs.list[id.0 as usize].held = Some(bytes);
        }
        for (id, feeds) in part.feeds {
            blobs.list[id.0 as usize].feeds = feeds;
        }
        Ok(Outcome {
            findings,
            unread,
            looked_at,
            policy: policy.origin.clone(),
            scope: words,
            full_coverage: policy.require.full_coverage,
            summary,
            guesses: part.guesses,
            notes,
            accepted: applied.accepted,
            references: part.references,
            named: part.named.into_iter().collect(),
            measures: part.measures,
            blobs: blobs.list,
            audit: None,
            reader: self.reader,
        })
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

    /// The policy in force, by law 1. The policies of folders are those over what `snapshot` lists.
    pub(super) fn judgement(&self, snapshot: &Snapshot) -> Result<Judgement, Error> {
        let known = check::known();
        let side = self.trusted_side()?;
        let is_worktree = side.from == "worktree";
        let own = |name: &str| self.own_text(name, &side);
        let (policy, baseline) = (own(policy::FILE)?, own(policy::BASELINE)?);
        let baseline = if self.checker.everything { None } else { baseline };
        // The work tree and a single revision answer for themselves: there is no other side.
        let judged = match (&self.scope, &self.checker.policy) {
            (Scope::Staged | Scope::Index | Scope::Range { .. }, _) | (_, PolicyChoice::Head) => {
                Some((self.judged_text(policy::FILE)?, self.judged_text(policy::BASELINE)?))
            }
            _ => None,
        };
        let head = match (is_worktree, self.reader.repository()) {
            (true, Some(repository)) => {
                let head = Trusted { from: "head", commit: repository.head()? };
                head.commit.is_some().then(|| self.own_text(policy::FILE, &head)).transpose()?
            }
            _ => None,
        };
        let (folders, judged_folders) = self.folders(&side, snapshot, judged.is_some())?;
        fn lent(folders: &[(BString, String)]) -> Vec<(BString, &str)> {
            folders.iter().map(|(path, text)| (path.clone(), text.as_str())).collect()
        }
        let sides = trust::Sides {
            from: match side.from {
                "worktree" => trust::Trusted::Worktree,
                "base" => trust::Trusted::Base,
                _ => trust::Trusted::Head,
            },
            trusted: trust::Side {
                policy: policy.as_deref(),
                baseline: baseline.as_deref(),
                folders: lent(&folders),
                commit: side.commit.map(|id| id.to_string()),
            },
            judged: judged.as_ref().map(|(policy, baseline)| trust::Side {
                policy: policy.as_deref(),
                baseline: baseline.as_deref(),
                folders: lent(&judged_folders),
                commit: None,
            }),
            head: head.as_ref().map(|text| text.as_deref()),
            flag: match &self.checker.policy {
                PolicyChoice::Flag { name, text } => Some((name, text)),
                _ => None,
            },
        };
        Ok(trust::judge(&sides, self.checker.as_of, &known)?)
    }

    /// The policies of folders over what is in scope: of the trusted side, and of the judged one where there is another.
    fn folders(&self, side: &Trusted, snapshot: &Snapshot, both: bool) -> Result<(Folders, Folders), Error> {
        let Some(repository) = self.reader.repository() else { return Ok(Default::default()) };
        let paths = folders::candidates(&snapshot.entries);
        let is_whole = self.checker.paths.is_empty();
        let trusted = folders::trusted(repository, side, &self.scope, snapshot, is_whole, &paths)?;
        let judged = if both { folders::judged(repository, &self.scope, &paths)? } else { Vec::new() };
        Ok((trusted, judged))
    }

    /// A file of foretaste's own on the trusted side.
    pub(super) fn own(&self, name: &str, side: &Trusted) -> Result<Option<Vec<u8>>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(None) };
        let bytes = match side.commit {
            Some(commit) => repository.read_at(commit, name.into(), MAX_OWN_FILE),
            None if side.from == "worktree" => repository.read_judged(&Scope::Worktree, name.into(), MAX_OWN_FILE),
            // Before the first commit there is no trusted side.
            None => Ok(None),
        };
        Ok(bytes.map_err(|reason| unusable(name, &reason))?.map(|bytes| bytes.to_vec()))
    }

    fn own_text(&self, name: &str, side: &Trusted) -> Result<Option<String>, Error> {
        self.own(name, side)?.map(|bytes| utf8(name, bytes)).transpose()
    }

    /// A file of foretaste's own on the judged side.
    pub(super) fn judged(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(None) };
        let bytes = repository.read_judged(&self.scope, name.into(), MAX_OWN_FILE);
        Ok(bytes.map_err(|reason| unusable(name, &reason))?.map(|bytes| bytes.to_vec()))
    }

    fn judged_text(&self, name: &str) -> Result<Option<String>, Error> {
        self.judged(name)?.map(|bytes| utf8(name, bytes)).transpose()
    }

    pub(super) fn trusted_side(&self) -> Result<Trusted, Error> {
        let worktree = Trusted { from: "worktree", commit: None };
        Ok(match (&self.checker.policy, self.reader.repository()) {
            (_, None) | (PolicyChoice::Worktree, _) => worktree,
            (PolicyChoice::Head, Some(repository)) => Trusted { from: "head", commit: repository.head()? },
            (_, Some(repository)) => repository.trusted(&self.scope)?,
        })
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        if let Some((name, _)) = &self.reader.memory {
            return Ok(memory(name));
        }
        Ok(self.reader.source.snapshot(&self.scope, &self.checker.paths)?)
    }

    /// What git ignores and the policy or the lock names is training data all the same.
    fn add_declared(
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
        Some(repository.people(snapshot.before, snapshot.after?, &is_data, EARLIER))
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

/// Whether a file of history is likely to hold data, by its name alone: nothing of history is read to know who changed
/// what.
pub(super) fn looks_like_data(path: &BStr) -> bool {
    const ENDINGS: [&str; 20] = [
        "jsonl", "ndjson", "csv", "tsv", "parquet", "arrow", "feather", "conll", "conllu", "conllx", "conllup", "iob",
        "iob2", "bio", "bioes", "gz", "zst", "txt", "json", "md",
    ];
    const FIRST_TEXT: usize = 17;
    let ending = path.rsplit_str(".").next().unwrap_or_default().to_ascii_lowercase();
    let name = path.rsplit_str("/").next().unwrap_or_default();
    let stem = name.split_str(".").next().unwrap_or_default().to_ascii_lowercase();
    let in_data =
        path.split_str("/").any(|part| matches!(part, b"data" | b"dataset" | b"datasets" | b"train" | b"corpus"))
            || matches!(stem.as_slice(), b"train" | b"valid" | b"validation" | b"dev" | b"test");
    match ENDINGS.iter().position(|known| known.as_bytes() == ending) {
        // Text, JSON and Markdown are data only where the folder says so.
        Some(at) if at >= FIRST_TEXT => in_data || class_of(path).is_some(),
        Some(_) => true,
        // `eng.train`, and what stands for data that is kept elsewhere.
        None if matches!(ending.as_slice(), b"train" | b"dev" | b"testa" | b"testb" | b"dvc") => true,
        None if name == b"dvc.lock" => true,
        // `rt-polarity.neg`.
        None => (in_data && matches!(ending.as_slice(), b"yml" | b"yaml")) || class_of(path).is_some(),
    }
}

/// The listing of bytes in memory.
fn memory(name: &BString) -> Snapshot {
    let content = Some(Content::File(name.to_string().into()));
    let entry = Entry { path: name.clone(), mode: Mode::File, content, before: None, unchanged: false };
    Snapshot { entries: vec![entry], ..Snapshot::default() }
}

fn unusable(name: &str, reason: &str) -> SourceError {
    SourceError::new(format!("{name} cannot be read: {reason}"))
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| unusable(name, "it is not UTF-8").into())
}

fn number(index: usize) -> BlobId {
    BlobId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The table of blobs: the entries in scope, and behind them foretaste's own files where those are not among them.
pub(super) struct Blobs {
    list: Vec<Judged>,
}

impl Blobs {
    fn new(entries: &[Entry]) -> Self {
        let list = entries
            .iter()
            .map(|entry| {
                // What the change removed is shown as it was.
                let before = entry.before.as_ref().map(|before: &Before| Content::Object(before.id));
                Judged {
                    path: entry.path.clone(),
                    content: entry.content.clone().or(before),
                    held: None,
                    feeds: Vec::new(),
                }
            })
            .collect();
        Self { list }
    }

    fn path(&self, id: BlobId) -> BString {
        self.list.get(id.0 as usize).map(|blob| blob.path.clone()).unwrap_or_default()
    }

    /// The number of one of foretaste's own files, which is added where it is not in scope.
    pub(super) fn own(&mut self, name: &str, bytes: Vec<u8>) -> BlobId {
        if let Some(at) = self.list.iter().position(|blob| blob.path == name) {
            return number(at);
        }
        self.list.push(Judged { path: name.into(), content: None, held: Some(bytes.into()), feeds: Vec::new() });
        number(self.list.len() - 1)
    }
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
