//! Whether the judged files are what the lock says, and whether the lock is newer than the one before.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use serde_json::json;

use super::{DIGEST, RULES, lock_mark, push};
use crate::check::unpinned_reference::short;
use crate::finding::{Finding, MAX_MARKS, Mark, content_hash};
use crate::policy::lock::{Compared, Lock, Locked, LockedFile, hex};

/// Compares the judged files with the lock.
pub(super) fn compare(locked: &Locked<'_>, repo: Option<&str>, findings: &mut Vec<Finding>) {
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
    // Where locks have numbers, two different locks never have the same.
    let older = |trusted: &Lock| trusted.seq.is_some() && trusted.seq >= lock.seq && !locked.same;
    if let Some(trusted) = locked.trusted.filter(|trusted| trusted.repo != lock.repo || older(trusted)) {
        let message = "the lock is not newer than the one on the trusted side, or is of another repository";
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

    let (mut differ, mut stale, mut unlocked, mut gone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut facts, mut added) = (Vec::new(), Vec::new());
    for file in locked.files {
        match (lock.file(file.path.as_bstr()), file.sha256) {
            (Some(line), Some(sha256)) if line.sha256 != sha256 => {
                let mark = mark(file, &sha256).with_note(difference(line, file, &sha256));
                // What was as locked before this very change is no riddle: the lock was not written again.
                let is_stale = file.before == Some(line.sha256);
                if is_stale { &mut stale } else { &mut differ }.push(mark);
                facts.push((is_stale, fact(line, file, &sha256)));
            }
            (None, Some(sha256)) if file.declared => added.push((file, sha256)),
            (Some(line), None) => gone.push(gone_mark(locked, line)),
            _ => {}
        }
    }
    origins(lock, locked, &added, &mut unlocked);
    outside(lock, locked, &mut differ, &mut unlocked, &mut gone);
    if locked.complete {
        let there: BTreeSet<_> = locked.files.iter().map(|file| file.path.as_bstr()).collect();
        for line in lock.files.iter().filter(|line| !there.contains(line.path.as_bstr())) {
            gone.push(gone_mark(locked, line));
        }
    }

    for (name, marks, what, help) in [
        (
            "hash-mismatch",
            differ,
            "not what foretaste.lock says",
            "if the change is meant, run `foretaste lock` and commit foretaste.lock with it",
        ),
        (
            "lock-stale",
            stale,
            "changed here and foretaste.lock was not written again",
            "look at what changed, run `foretaste lock` and commit foretaste.lock with the data",
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
        let is_stale = name == "lock-stale";
        if is_stale || name == "hash-mismatch" {
            let of_these = facts.iter().filter(|(stale, _)| *stale == is_stale).map(|(_, fact)| fact);
            finding.evidence.insert("files", json!(of_these.take(MAX_MARKS).collect::<Vec<_>>()));
        }
        push(finding, name, marks, findings);
    }
}

/// Files without a line, each with where its content is from: renamed, or copied from another.
fn origins(lock: &Lock, locked: &Locked<'_>, added: &[(&Compared, [u8; 32])], unlocked: &mut Vec<Mark>) {
    if added.is_empty() {
        return;
    }
    let by_content: BTreeMap<_, _> = lock.files.iter().rev().map(|line| (line.sha256, line.path.as_bstr())).collect();
    let judged: BTreeMap<_, _> = locked.files.iter().map(|file| (file.path.as_bstr(), file.sha256.is_some())).collect();
    for (file, sha256) in added {
        let mut mark = mark(file, sha256);
        mark.note = by_content.get(sha256).map(|path| match judged.get(path).copied().unwrap_or(!locked.complete) {
            true => format!("the content that is locked as {path}"),
            false => format!("{path} under another name"),
        });
        unlocked.push(mark);
    }
}

/// Compares the files of folders outside of the repository. They have no place of their own: the lock is the place.
fn outside(lock: &Lock, locked: &Locked<'_>, differ: &mut Vec<Mark>, unlocked: &mut Vec<Mark>, gone: &mut Vec<Mark>) {
    let mark = |content: &[u8], span| Mark { content: content_hash(content), ..Mark::bytes(locked.blob, span) };
    for file in locked.outside {
        let Some(sha256) = file.sha256 else { continue };
        match lock.outside.iter().find(|line| line.path == file.path) {
            Some(line) if line.sha256 != sha256 => {
                let note = format!("{}: {}", line.path, difference(line, file, &sha256));
                differ.push(mark(&sha256, line.span).with_note(note));
            }
            Some(_) => {}
            None => unlocked.push(lock_mark(locked).with_note(file.path.to_string())),
        }
    }
    let there: BTreeSet<_> = locked.outside.iter().map(|file| file.path.as_bstr()).collect();
    let looked_at = |line: &&LockedFile| {
        let folder = line.path.split_once_str("/").map_or(line.path.as_slice(), |(folder, _)| folder);
        locked.folders.iter().any(|name| name.as_bytes() == folder)
    };
    let lost = lock.outside.iter().filter(looked_at).filter(|line| !there.contains(line.path.as_bstr()));
    gone.extend(lost.map(|line| gone_mark(locked, line)));
}

/// What exactly differs, for a person.
fn difference(line: &LockedFile, file: &Compared, sha256: &[u8; 32]) -> String {
    let (was, is) = (hex(&line.sha256), hex(sha256));
    let mut text = format!(
        "locked {} with {} bytes{}; found {} with {} bytes{}",
        &was[..12],
        line.size,
        records(line.records),
        &is[..12],
        file.size,
        records(file.records),
    );
    let labels = labels(line, file);
    let shown = labels.iter().take(5).map(|(name, a, b)| format!("{} {a} -> {b}", short(name)));
    if !labels.is_empty() {
        let more = if labels.len() > 5 { ", …" } else { "" };
        text.push_str(&format!("; labels: {}{more}", shown.collect::<Vec<_>>().join(", ")));
    }
    if file.line_ends {
        text.push_str("; only the line ends differ, which .gitattributes and core.autocrlf convert");
    }
    text
}

/// The same for a program.
fn fact(line: &LockedFile, file: &Compared, sha256: &[u8; 32]) -> serde_json::Value {
    let labels: Vec<_> =
        labels(line, file).into_iter().map(|(name, a, b)| json!({"label": name, "before": a, "after": b})).collect();
    json!({
        "path": file.path.to_string(),
        "locked": hex(&line.sha256),
        "found": hex(sha256),
        "bytes_before": line.size,
        "bytes_after": file.size,
        "records_before": line.records,
        "records_after": file.records,
        "labels": labels,
        "line_ends_only": file.line_ends,
    })
}

/// Classes whose numbers differ, where both sides were counted.
fn labels(line: &LockedFile, file: &Compared) -> Vec<(String, u64, u64)> {
    match (&line.labels, &file.labels) {
        (Some(before), Some(after)) => before.changed(after),
        _ => Vec::new(),
    }
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

fn records(count: Option<u64>) -> String {
    count.map_or_else(String::new, |n| format!(" and {n} records"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lock::Labels;
    use crate::policy::lock::{LockError, Moment};
    use crate::span::BlobId;

    fn line(path: &str, byte: u8) -> LockedFile {
        let (sha256, blake3) = ([byte; 32], [byte; 32]);
        LockedFile { path: path.into(), sha256, blake3, size: 5, records: Some(1), ..LockedFile::default() }
    }

    fn found(path: &str, byte: Option<u8>, declared: bool) -> Compared {
        let sha256 = byte.map(|b| [b; 32]);
        Compared {
            path: path.into(),
            blob: BlobId(1),
            sha256,
            size: 6,
            records: Some(2),
            declared,
            ..Compared::default()
        }
    }

    fn judge(
        lock: Result<&Lock, &LockError>,
        trusted: Option<&Lock>,
        files: &[Compared],
        complete: bool,
    ) -> Vec<String> {
        let mut findings = Vec::new();
        let locked = Locked {
            lock,
            blob: BlobId(0),
            text: b"",
            trusted,
            files,
            complete,
            receipts: &[],
            outside: &[],
            folders: &[],
            signatures: &[],
            enforced: true,
            moment: Moment::Change,
            authors: &[],
            same: false,
            policy: None,
            proposed: None,
        };
        compare(&locked, None, &mut findings);
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
    fn a_lock_that_was_merely_not_written_again_is_told_from_a_riddle() {
        let lock = lock(vec![line("a", 1), line("b", 2)]);
        let changed = |path, before| Compared { before: Some([before; 32]), ..found(path, Some(9), true) };
        let files = [changed("a", 1), changed("b", 8)];
        assert_eq!(judge(Ok(&lock), None, &files, false), ["hash-mismatch 1", "lock-stale 1"]);
    }

    #[test]
    fn a_difference_is_told_in_bytes_records_and_labels() {
        let labels = |n| Labels::new([("spam".to_owned(), n), ("ham".to_owned(), 7)]);
        let line = LockedFile { labels: labels(3), ..line("a", 1) };
        let file = Compared { labels: labels(1), ..found("a", Some(2), true) };
        let text = difference(&line, &file, &[2; 32]);
        assert!(text.contains("5 bytes and 1 records") && text.ends_with("labels: spam 3 -> 1"), "{text}");
        assert_eq!(fact(&line, &file, &[2; 32])["labels"][0]["after"], 1);
    }

    #[test]
    fn an_older_lock_and_one_of_another_repository_are_told() {
        let old = Lock { seq: Some(3), ..lock(vec![]) };
        let new = Lock { seq: Some(4), ..lock(vec![]) };
        assert_eq!(judge(Ok(&old), Some(&new), &[], false), ["lock-rollback 1"]);
        assert!(judge(Ok(&new), Some(&old), &[], false).is_empty());
        let same_number = Lock { seq: Some(4), ..lock(vec![line("a", 1)]) };
        assert_eq!(judge(Ok(&same_number), Some(&new), &[], false), ["lock-rollback 1"]);
        assert_eq!(judge(Ok(&lock(vec![])), Some(&new), &[], false), ["lock-rollback 1"]);
        let other = Lock { repo: "s".into(), seq: Some(9), ..Lock::default() };
        assert_eq!(judge(Ok(&other), Some(&new), &[], false), ["lock-rollback 1"]);
        let error = LockError { line: 3, message: "m".into() };
        assert_eq!(judge(Err(&error), Some(&new), &[], false), ["lock-unreadable 1"]);
    }
}
