//! `digest-mismatch` and `bad-signature`: whether the data is what was locked, and whether the right people signed that.

mod manual;

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};
use jiff::civil::Date;
use serde_json::json;

use super::{Check, Merge, NoSettings, Observation};
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash, first_of_each_blob};
use crate::policy::lock::{Compared, Locked, LockedFile, hex, signature};
use crate::policy::{Key, Policy};
use crate::rule::Rule;
use manual::RULES;

const DIGEST: usize = 0;
const SIGNATURE: usize = 1;

/// See the manuals of its rules.
#[derive(Debug)]
pub(crate) struct Integrity {
    keys: Vec<Key>,
    required: u32,
    as_of: Date,
    /// What the policy calls the repository.
    repo: Option<String>,
}

/// Findings about the lock are made at once: it is seen once, and whole.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    findings: Vec<Finding>,
    /// LFS objects that are not what their pointer says.
    forged: Vec<(BString, Mark)>,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.forged.append(&mut other.forged);
    }
}

impl Check for Integrity {
    const RULES: &'static [Rule] = &RULES;
    type Settings = NoSettings;
    type Seen = Seen;

    fn new(_: NoSettings, policy: &Policy) -> Self {
        let (keys, repo) = (policy.keys.clone(), policy.repo.clone());
        Self { keys, required: policy.require.signatures, as_of: policy.as_of, repo }
    }

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Lock(locked) => {
                digests(locked, self.repo.as_deref(), &mut seen.findings);
                self.signatures(locked, &mut seen.findings);
            }
            Observation::Records(records) => {
                for flaw in records.flaws.iter().filter(|flaw| flaw.kind == "lfs-mismatch") {
                    let mut mark = Mark::name(records.blob.id).with_note(flaw.detail.clone());
                    mark.content = content_hash(&records.blob.decoded.bytes);
                    seen.forged.push((records.blob.path.to_owned(), mark));
                }
            }
            _ => {}
        }
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        findings.append(&mut seen.findings);
        seen.forged.sort();
        for (path, mark) in seen.forged {
            let message = "the local LFS object is not what its pointer says";
            let mut finding = Finding::new(&RULES[DIGEST], format!("lfs {path}"), message);
            finding.help =
                "delete the object, fetch it again with git lfs, and find out where this one came from".into();
            push(finding, "hash-mismatch", vec![mark], findings);
        }
    }
}

/// Compares the judged files with the lock.
fn digests(locked: &Locked<'_>, repo: Option<&str>, findings: &mut Vec<Finding>) {
    let lock = match locked.lock {
        Ok(lock) => lock,
        Err(error) => {
            let message = format!("the lock cannot be used: {}", error.message);
            let mut finding = Finding::new(&RULES[DIGEST], "lock-unreadable", message);
            finding.help = "write it anew with `foretaste lock`".into();
            push(finding, "lock-unreadable", vec![lock_mark(locked)], findings);
            return;
        }
    };
    if let Some(trusted) = locked.trusted.filter(|trusted| trusted.repo != lock.repo || trusted.seq > lock.seq) {
        let message = "the lock is older than the one on the trusted side, or of another repository";
        let mut finding = Finding::new(&RULES[DIGEST], "lock-rollback", message);
        finding.help = "start from the lock of the base branch and run `foretaste lock`".into();
        finding.evidence.insert("trusted_seq", json!(trusted.seq));
        finding.evidence.insert("seq", json!(lock.seq));
        push(finding, "lock-rollback", vec![lock_mark(locked)], findings);
    }

    // Where locks and signatures of one team are good in all its repositories, one can be carried into another.
    if let Some(repo) = repo.filter(|repo| *repo != lock.repo) {
        let message = format!("the lock is that of {}, and the policy says that this repository is {repo}", lock.repo);
        let mut finding = Finding::new(&RULES[DIGEST], "lock-of-another-repository", message);
        finding.help = "write it anew with `foretaste lock`, and let it be signed again".into();
        finding.evidence.insert("locked_repo", json!(lock.repo));
        finding.evidence.insert("repo", json!(repo));
        push(finding, "lock-of-another-repository", vec![lock_mark(locked)], findings);
    }

    let (mut differ, mut unlocked, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut facts = Vec::new();
    for file in locked.files {
        match (lock.file(file.path.as_bstr()), file.sha256) {
            (Some(line), Some(sha256)) if line.sha256 != sha256 => {
                facts.push(json!({
                    "path": file.path.to_string(),
                    "locked": hex(&line.sha256),
                    "found": hex(&sha256),
                    "records_before": line.records,
                    "records_after": file.records,
                }));
                differ.push(mark(file, &sha256).with_note(format!(
                    "locked {} with {} bytes{}; found {} with {} bytes{}",
                    &hex(&line.sha256)[..12],
                    line.size,
                    records(line.records),
                    &hex(&sha256)[..12],
                    file.size,
                    records(file.records),
                )));
            }
            (None, Some(sha256)) if file.declared => unlocked.push(mark(file, &sha256)),
            (Some(line), None) => gone.push(gone_mark(locked, line)),
            _ => {}
        }
    }
    if locked.complete {
        let there: BTreeSet<_> = locked.files.iter().map(|file| file.path.as_bstr()).collect();
        for line in lock.files.iter().filter(|line| !there.contains(line.path.as_bstr())) {
            gone.push(gone_mark(locked, line));
        }
    }

    facts.truncate(MAX_MARKS);
    for (name, marks, what, help) in [
        (
            "hash-mismatch",
            differ,
            "not what foretaste.lock says",
            "if the change is meant, run `foretaste lock` and commit foretaste.lock with it",
        ),
        (
            "file-not-locked",
            unlocked,
            "in a declared dataset but not in foretaste.lock",
            "look at what was added, then run `foretaste lock` and commit foretaste.lock with it",
        ),
        (
            "locked-file-missing",
            gone,
            "in foretaste.lock but gone",
            "if it was removed on purpose, run `foretaste lock` and commit foretaste.lock with it",
        ),
    ] {
        if marks.is_empty() {
            continue;
        }
        let count = marks.len();
        let subject = if count == 1 { "1 file is".to_owned() } else { format!("{count} files are") };
        let mut finding = Finding::new(&RULES[DIGEST], name, format!("{subject} {what}"));
        finding.help = help.into();
        if name == "hash-mismatch" {
            finding.evidence.insert("files", json!(facts));
        }
        push(finding, name, marks, findings);
    }
}

impl Integrity {
    /// Verifies every signature file and counts those who signed.
    fn signatures(&self, locked: &Locked<'_>, findings: &mut Vec<Finding>) {
        let Ok(lock) = locked.lock else { return };
        if !locked.enforced || (self.keys.is_empty() && self.required == 0) {
            return;
        }
        let mut principals = BTreeSet::new();
        for file in locked.signatures {
            let verified = match &self.repo {
                // One that is bound to another repository counts for nothing here, whoever made it.
                Some(repo) if *repo != lock.repo => continue,
                _ => signature::verify(&file.bytes, lock, locked.text, &self.keys, self.as_of),
            };
            match verified {
                Ok(signed) => {
                    principals.insert(signed.principal);
                }
                Err(refused) => {
                    let cause = format!("{} {}", refused.finding, file.path);
                    let message = format!("the signature does not hold: {}", refused.why);
                    let mut finding = Finding::new(&RULES[SIGNATURE], cause, message);
                    finding.help = "remove the file, or sign the lock as it is now with `foretaste sign`".into();
                    let mut mark = Mark::name(file.blob);
                    mark.content = content_hash(&file.bytes);
                    push(finding, refused.finding, vec![mark], findings);
                }
            }
        }
        let signed = principals.len() as u64;
        if signed < u64::from(self.required) {
            let whom = match self.required {
                1 => "one person".to_owned(),
                n => format!("{n} different people"),
            };
            let message = format!("the policy asks for signatures by {whom}, and {signed} signed this lock");
            let mut finding = Finding::new(&RULES[SIGNATURE], "threshold", message);
            finding.help =
                "let holders of keys in the policy run `foretaste sign`, and commit the signature files".into();
            finding.evidence.insert("required", json!(self.required));
            finding.evidence.insert("signed_by", json!(principals));
            let name = if signed == 0 { "signature-missing" } else { "threshold-not-met" };
            push(finding, name, vec![lock_mark(locked)], findings);
        }
    }
}

fn push(mut finding: Finding, name: &'static str, marks: Vec<Mark>, findings: &mut Vec<Finding>) {
    finding.evidence.insert("finding", json!(name));
    finding.total = marks.len() as u64;
    finding.marks = first_of_each_blob(marks);
    findings.push(finding);
}

fn mark(file: &Compared, sha256: &[u8; 32]) -> Mark {
    let mut mark = Mark::name(file.blob);
    mark.content = content_hash(sha256);
    mark
}

/// A line of the lock whose file is gone.
fn gone_mark(locked: &Locked<'_>, line: &LockedFile) -> Mark {
    let content = content_hash(&line.path);
    Mark { content, ..Mark::bytes(locked.blob, line.span).with_note(line.path.to_string()) }
}

fn lock_mark(locked: &Locked<'_>) -> Mark {
    let mut mark = Mark::name(locked.blob);
    mark.content = content_hash(locked.text);
    mark
}

fn records(count: Option<u64>) -> String {
    count.map_or_else(String::new, |n| format!(" and {n} records"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lock::{Lock, LockError, LockedFile};
    use crate::span::{BlobId, Span};

    fn line(path: &str, byte: u8) -> LockedFile {
        let (sha256, blake3) = ([byte; 32], [byte; 32]);
        LockedFile { path: path.into(), sha256, blake3, size: 5, records: Some(1), span: Span::default() }
    }

    fn found(path: &str, byte: Option<u8>, declared: bool) -> Compared {
        let sha256 = byte.map(|b| [b; 32]);
        Compared { path: path.into(), blob: BlobId(1), sha256, size: 6, records: Some(2), declared }
    }

    fn judge(
        lock: Result<&Lock, &LockError>,
        trusted: Option<&Lock>,
        files: &[Compared],
        complete: bool,
    ) -> Vec<String> {
        let mut findings = Vec::new();
        let locked =
            Locked { lock, blob: BlobId(0), text: b"", trusted, files, complete, signatures: &[], enforced: true };
        digests(&locked, None, &mut findings);
        findings.iter().map(|f| format!("{} {}", f.evidence["finding"].as_str().unwrap(), f.total)).collect()
    }

    fn lock(files: Vec<LockedFile>) -> Lock {
        Lock { repo: "r".into(), files, ..Lock::default() }
    }

    #[test]
    fn each_way_to_differ_is_one_finding() {
        let lock = lock(vec![line("a", 1), line("b", 2), line("c", 3), line("d", 4)]);
        let files = [
            found("a", Some(1), true),
            found("b", Some(9), true),
            found("c", None, true),
            found("x", Some(5), true),
            found("y", Some(5), false),
        ];
        let part = judge(Ok(&lock), None, &files, false);
        assert_eq!(part, ["hash-mismatch 1", "file-not-locked 1", "locked-file-missing 1"]);
        // In a full scan the file that was not even listed is missing, too.
        assert_eq!(judge(Ok(&lock), None, &files, true)[2], "locked-file-missing 2");
        assert!(judge(Ok(&lock), None, &[found("a", Some(1), true)], false).is_empty());
    }

    #[test]
    fn an_older_lock_and_one_of_another_repository_are_told() {
        let old = Lock { seq: Some(3), ..lock(vec![]) };
        let new = Lock { seq: Some(4), ..lock(vec![]) };
        assert_eq!(judge(Ok(&old), Some(&new), &[], false), ["lock-rollback 1"]);
        assert!(judge(Ok(&new), Some(&old), &[], false).is_empty());
        assert_eq!(judge(Ok(&lock(vec![])), Some(&new), &[], false), ["lock-rollback 1"]);
        let other = Lock { repo: "s".into(), seq: Some(9), ..Lock::default() };
        assert_eq!(judge(Ok(&other), Some(&new), &[], false), ["lock-rollback 1"]);
        let error = LockError { line: 3, message: "m".into() };
        assert_eq!(judge(Err(&error), Some(&new), &[], false), ["lock-unreadable 1"]);
    }
}
