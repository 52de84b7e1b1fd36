//! The lock of a run: on both sides of the change, with what lies beside it and those who wrote the change.

use std::sync::LazyLock;

use bstr::{BStr, ByteSlice};
use sha2::{Digest, Sha256};

use super::Error;
use super::blobs::Blobs;
use super::gather::Run;
use super::names::looks_like_data;
use super::scan::{Hashing, Measure, is_about_data};
use crate::finding::Unread;
use crate::format::{Reference, Verdict};
use crate::policy::lock::{Compared, Lock, LockError, Locked, Moment, Receipt, SignatureFile};
use crate::policy::signature::Trust;
use crate::policy::signature::commit::Anchors;
use crate::policy::trust::Judgement;
use crate::policy::{self, Policy, signature};
use crate::source::{Commit, Content, Entry, Mode, Scope, Snapshot, Trusted};
use crate::span::BlobId;

/// The lock on both sides of a change.
pub(super) struct Sides {
    judged: Option<Result<Lock, LockError>>,
    trusted: Option<Lock>,
    text: Vec<u8>,
    /// Whether both sides have the same bytes.
    same: bool,
}

impl Sides {
    /// The judged lock, or why there is none to go by; `None` where neither side has one and none is `asked` for.
    pub(super) fn judged(&self, asked: bool) -> Option<Result<&Lock, &LockError>> {
        static ABSENT: LazyLock<LockError> = LazyLock::new(|| LockError {
            line: 0,
            message: "there is none, and the policy asks for a signed one".to_owned(),
        });
        static REMOVED: LazyLock<LockError> =
            LazyLock::new(|| LockError { line: 0, message: "the change removes it".to_owned() });
        match (&self.judged, &self.trusted) {
            (Some(lock), _) => Some(lock.as_ref()),
            (None, Some(_)) => Some(Err(&REMOVED)),
            (None, None) => asked.then_some(Err(&ABSENT)),
        }
    }

    /// The judged lock, where it can be read.
    fn lock(&self) -> Option<&Lock> {
        self.judged.as_ref()?.as_ref().ok()
    }

    /// What the judged lock calls the repository.
    pub(super) fn repo(&self) -> Option<&str> {
        self.lock().map(|lock| lock.repo.as_str())
    }

    /// A reference as it is: what code and configuration leave open, the judged lock may hold.
    pub(super) fn settled(&self, reference: &Reference) -> Option<Reference> {
        let open = matches!(reference.verdict, Verdict::Unpinned | Verdict::Weak);
        let lock = self.lock().filter(|_| open)?;
        lock.reference(reference.kind.as_str(), reference.hub, &reference.target, reference.pin.as_deref())?;
        Some(Reference { verdict: Verdict::Locked, fix: String::new(), ..reference.clone() })
    }

    /// The paths of the judged lock.
    pub(super) fn paths(&self) -> impl Iterator<Item = &BStr> {
        self.lock().into_iter().flat_map(|lock| lock.files.iter().map(|file| file.path.as_bstr()))
    }

    /// The line of a path in the judged lock.
    pub(super) fn line(&self, path: &BStr) -> Option<&policy::lock::LockedFile> {
        self.lock()?.file(path)
    }
}

/// What lies beside the lock.
pub(super) struct Beside {
    blob: BlobId,
    signatures: Vec<SignatureFile>,
    authors: Vec<String>,
    policy: Option<[u8; 32]>,
    moment: Moment,
    receipts: Vec<Receipt>,
    outside: Vec<Compared>,
    folders: Vec<String>,
}

impl Beside {
    /// All of it, as checks are shown it.
    pub(super) fn locked<'a>(
        &'a self,
        lock: Result<&'a Lock, &'a LockError>,
        sides: &'a Sides,
        files: &'a [Compared],
        complete: bool,
        judgement: &'a Judgement,
    ) -> Locked<'a> {
        Locked {
            lock,
            blob: self.blob,
            text: &sides.text,
            trusted: sides.trusted.as_ref(),
            files,
            receipts: &self.receipts,
            outside: &self.outside,
            folders: &self.folders,
            complete,
            signatures: &self.signatures,
            enforced: !judgement.adoption,
            moment: self.moment,
            authors: &self.authors,
            same: sides.same,
            policy: self.policy,
            proposed: judgement.proposed(None, None).filter(|p| !p.first).map(|proposed| proposed.after),
        }
    }
}

impl Run<'_> {
    /// The lock on both sides.
    pub(super) fn lock(&self) -> Result<Sides, Error> {
        let trusted = self.own(policy::LOCK, &self.trusted_side()?)?;
        let text = self.judged(policy::LOCK)?;
        Ok(Sides {
            judged: text.as_deref().map(Lock::parse),
            same: trusted == text,
            // A lock that was broken before is nothing that a change can be held against.
            trusted: trusted.as_deref().and_then(|text| Lock::parse(text).ok()),
            text: text.unwrap_or_default(),
        })
    }

    /// Whether a file has to be hashed: it is in the lock, or should be.
    pub(super) fn hashes(&self, policy: &Policy, lock: &Sides, path: &BStr) -> bool {
        if self.checker.measures {
            return is_own(path).is_none() && (policy.datasets.is_empty() || policy.lens(path).dataset.is_some());
        }
        match &lock.judged {
            Some(Ok(lock)) => lock.file(path).is_some() || declared(policy, path),
            _ => false,
        }
    }

    /// The judged files, as the lock would record them.
    pub(super) fn compared(
        &self,
        policy: &Policy,
        entries: &[(BlobId, &Entry)],
        measures: &[Measure],
        lock: &Sides,
    ) -> Vec<Compared> {
        let mut measured = measures.iter().map(|measure| (measure.blob, measure)).collect::<Vec<_>>();
        measured.sort_by_key(|(blob, _)| *blob);
        let mut files = Vec::new();
        for (id, entry) in entries {
            let declared = declared(policy, entry.path());
            let file = Compared { path: entry.path.clone(), blob: *id, declared, ..Compared::default() };
            if let Ok(at) = measured.binary_search_by_key(id, |(blob, _)| *blob) {
                let m = measured[at].1;
                let differs = lock.line(entry.path()).is_some_and(|line| line.sha256 != m.sha256);
                let is_change = matches!(self.scope, Scope::Staged | Scope::Range { .. });
                let before = if differs && is_change { self.before(policy, entry) } else { None };
                let line_ends = differs && self.differs_in_line_ends(policy, entry, lock);
                files.push(Compared {
                    line_ends,
                    sha256: Some(m.sha256),
                    size: m.size,
                    records: m.records,
                    before,
                    labels: m.labels.clone(),
                    ..file
                });
            } else if entry.content.is_none() || !matches!(entry.mode, Mode::File | Mode::Executable) {
                // What became a link is gone, too: wherever that leads, it is not what was locked.
                files.push(file);
            }
        }
        files
    }

    /// Whether git, or somebody's editor, converted the line ends of a locked file and did nothing else to it.
    fn differs_in_line_ends(&self, policy: &Policy, entry: &Entry, lock: &Sides) -> bool {
        let bytes = entry.content.as_ref().and_then(|content| self.reader.read(content, policy.limits.blob).ok());
        let Some((bytes, line)) = bytes.zip(lock.line(entry.path())) else { return false };
        let is = |bytes: Vec<u8>| <[u8; 32]>::from(Sha256::digest(bytes)) == line.sha256;
        if bytes.contains_str("\r\n") { is(bytes.replace("\r\n", "\n")) } else { is(bytes.replace("\n", "\r\n")) }
    }

    /// SHA-256 of a file on the other side of the change, with a pointer of LFS resolved.
    fn before(&self, policy: &Policy, entry: &Entry) -> Option<[u8; 32]> {
        let content = Content::Object(entry.before.as_ref()?.id);
        let raw = self.reader.read(&content, policy.limits.blob).ok()?;
        match crate::source::pointer(&raw) {
            Some(pointer) => policy::lock::digest(&pointer.oid),
            None => Some(Sha256::digest(&*raw).into()),
        }
    }

    /// What lies beside the judged lock.
    pub(super) fn beside(
        &self,
        judgement: &Judgement,
        snapshot: &Snapshot,
        sides: &Sides,
        blobs: &mut Blobs,
        unread: &mut Vec<Unread>,
    ) -> Result<Beside, Error> {
        let blob = blobs.own(policy::LOCK, sides.text.clone());
        let signatures = self.signatures(policy::LOCK, blobs)?;
        let receipts = self.receipts(&judgement.policy, blobs)?;
        let authors = self.authors(&judgement.policy, snapshot, sides);
        let policy = self.judged(policy::FILE)?.map(|text| Sha256::digest(text).into());
        let mut outside = Vec::new();
        for (name, folder) in &self.checker.outside {
            for file in super::outside::hashed(name, folder, self.checker.hashing.unwrap_or(Hashing::Sha256), unread)? {
                let line = sides.lock().and_then(|lock| lock.outside.iter().find(|line| line.path == file.path));
                let same =
                    line.filter(|line| self.checker.hashing == Some(Hashing::Blake3) && line.blake3 == file.blake3);
                let sha256 = Some(same.map_or(file.sha256, |line| line.sha256));
                outside.push(Compared { path: file.path, blob, sha256, size: file.size, ..Compared::default() });
            }
        }
        let folders: Vec<String> = self.checker.outside.iter().map(|(name, _)| name.clone()).collect();
        if self.checker.hashing.is_some() {
            unread.extend(sides.lock().into_iter().flat_map(|lock| super::outside::unseen(lock, &folders)));
        }
        Ok(Beside { blob, signatures, authors, policy, moment: self.moment(), receipts, outside, folders })
    }

    /// Whether the policy asks for a lock by asking for signatures of it, now or for this change of the policy.
    pub(super) fn asks_for_lock(&self, judgement: &Judgement) -> bool {
        let require = &judgement.policy.require;
        let is_change = judgement.proposed(None, None).is_some_and(|proposed| !proposed.first);
        !judgement.adoption
            && self.reader.repository().is_some()
            && (require.signatures_at(self.moment()) > 0 || is_change && require.policy_change_signatures > 0)
    }

    /// What the run is for.
    pub(super) fn moment(&self) -> Moment {
        let is_tag = |revision: &str| self.reader.repository().is_some_and(|repository| repository.is_tag(revision));
        match (self.checker.moment, &self.scope) {
            (Some(moment), _) => moment,
            (None, Scope::Revision(revision)) if is_tag(revision) => Moment::Tag,
            (None, Scope::Revision(_)) => Moment::Merge,
            _ => Moment::Change,
        }
    }

    /// The receipts of the runs that the policy names.
    fn receipts(&self, policy: &Policy, blobs: &mut Blobs) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::new();
        for (run, _) in &policy.runs.0 {
            let name = policy::lock::receipt::receipt(&run.value);
            let bytes = if policy::lock::is_name(&run.value) { self.judged(&name)? } else { None };
            let file = bytes.map(|bytes| SignatureFile {
                blob: blobs.own(&name, bytes.clone()),
                path: name.as_str().into(),
                bytes,
                standing: true,
            });
            let signatures = if file.is_some() { self.signatures(&name, blobs)? } else { Vec::new() };
            receipts.push(Receipt { run: run.value.clone(), file, signatures });
        }
        Ok(receipts)
    }

    /// Names of the keys whose signatures of the judged lock hold, sorted.
    pub(super) fn signers(&self, policy: &Policy, lock: &Lock, text: &[u8]) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for file in self.signatures(policy::LOCK, &mut Blobs::new(&[]))? {
            let (keys, standing) = (policy.keys.as_slice(), file.standing);
            let trust = Trust { keys, as_of: policy.as_of, max_age_days: policy.require.max_age_days, standing };
            let subject = signature::rotation::subject(lock, text);
            names.extend(signature::verify(file.path.as_ref(), &file.bytes, &subject, &trust).ok().map(|by| by.key));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Signature files beside a file at the top of the judged side.
    fn signatures(&self, signed: &str, blobs: &mut Blobs) -> Result<Vec<SignatureFile>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(Vec::new()) };
        let mut side = self.trusted_side()?;
        if side.from == "worktree" {
            // What nobody has committed stands nowhere yet.
            side = Trusted { from: "head", commit: repository.head()? };
        }
        let mut found = Vec::new();
        for path in repository.names_at_top(&self.scope)? {
            if found.len() < signature::MAX_FILES && signature::is_signature_of(path.as_ref(), signed.into()) {
                let name = path.to_string();
                let bytes = self.judged(&name)?.unwrap_or_default();
                let standing = self.own(&name, &side)?.as_ref() == Some(&bytes);
                let blob = blobs.own(&name, bytes.clone());
                found.push(SignatureFile { blob, path, bytes, standing });
            }
        }
        Ok(found)
    }

    /// Mail addresses of those who wrote what is judged, where the policy does not count them among the signers. Of a
    /// range its commits; of anything else the change that gave the lock its content. Whoever only adds a signature has
    /// written nothing.
    fn authors(&self, policy: &Policy, snapshot: &Snapshot, lock: &Sides) -> Vec<String> {
        let Some(repository) = self.reader.repository().filter(|_| policy.require.exclude_author) else {
            return Vec::new();
        };
        let span = match &self.scope {
            Scope::Range { .. } => snapshot.after.map(|after| (snapshot.before, after)),
            Scope::Revision(_) => snapshot.after.and_then(|tip| repository.introduced(tip, policy::LOCK.into())),
            _ => repository.head().ok().flatten().and_then(|tip| repository.introduced(tip, policy::LOCK.into())),
        };
        let Some((before, after)) = span else { return Vec::new() };
        let counts = |path: &BStr| concerns(policy, lock, path);
        let anchors = Anchors::of(policy);
        let history = repository.people(before, after, &counts, anchors.as_ref(), 0);
        let wrote = history.judged.iter().filter(|commit| !commit.paths.is_empty());
        // An author is a claim, and whoever signed the commit is none: under the name of another it would be one's own
        // work that one reviews.
        let signer = |commit: &Commit| Some(commit.verdict.as_ref()?.as_ref().ok()?.principal.clone());
        let who = |commit: &Commit| [Some(commit.author.mail.to_string()), signer(commit)];
        let mut authors: Vec<String> = wrote.flat_map(who).flatten().collect();
        authors.sort();
        authors.dedup();
        authors
    }
}

/// Whether a path is one of those that signatures speak for: data, what such files are read as, policy and lock.
pub(super) fn concerns(policy: &Policy, lock: &Sides, path: &BStr) -> bool {
    let is_data = policy.datasets.is_empty() && looks_like_data(path);
    path == policy::FILE
        || path == policy::LOCK
        || path == policy::BASELINE
        || lock.line(path).is_some()
        || !policy.excludes(path) && (is_data || declared(policy, path))
}

/// Whether a path has to be in the lock: it is of a declared dataset, or changes what such files are read as.
fn declared(policy: &Policy, path: &BStr) -> bool {
    policy.lens(path).dataset.is_some() || is_about_data(path)
}

/// Whether a path is a file of foretaste's own.
pub(super) fn is_own(path: &BStr) -> Option<&BStr> {
    let name = path.rsplit_str("/").next().unwrap_or_default().as_bstr();
    let own = name == policy::FILE || name == policy::BASELINE || name.starts_with_str(policy::LOCK);
    own.then_some(name)
}
