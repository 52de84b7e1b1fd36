//! Which commit brought the rows of a signal, and who wrote it: of the first rows of findings that speak of a whole data
//! set, the first version of their file that has them.

use std::collections::BTreeSet;

use bstr::{BStr, BString};
use serde_json::json;

use crate::finding::{Finding, Mark};
use crate::source::{Bytes, ObjectId, Repository};
use crate::span::{At, BlobId, Span};

/// Findings that are followed back, and rows of each.
const MOST_FINDINGS: usize = 10;
const MOST_ROWS: usize = 3;
/// Commits that are looked at, newest first.
const MOST_COMMITS: usize = 20_000;
/// Bytes of versions of files that are read.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes of a row that tell it from others.
const LONGEST_ROW: usize = 64 << 10;

/// A row that is followed back.
struct Wanted {
    finding: usize,
    mark: usize,
    path: BString,
    row: Vec<u8>,
    /// Place in the history, and the commit.
    found: Option<(usize, ObjectId)>,
}

/// Names the commits in the evidence of findings and in their first marks. `judged` gives the path and the bytes of a
/// blob that was judged; `tip` is the commit whose history is asked.
pub(super) fn tell(
    findings: &mut [Finding],
    repository: &Repository,
    tip: ObjectId,
    limit: u64,
    judged: &dyn Fn(BlobId) -> Option<(BString, Bytes)>,
) {
    let mut wanted = Vec::new();
    let signals = findings.iter().enumerate().filter(|(_, finding)| is_signal(finding));
    for (number, finding) in signals.take(MOST_FINDINGS) {
        for (mark, place) in finding.marks.iter().enumerate().take(MOST_ROWS) {
            let Some((path, bytes)) = judged(place.place.blob) else { continue };
            if let Some(row) = line(&bytes, place) {
                wanted.push(Wanted { finding: number, mark, path, row: row.to_vec(), found: None });
            }
        }
    }
    if wanted.is_empty() {
        return;
    }
    let paths: BTreeSet<BString> = wanted.iter().map(|one| one.path.clone()).collect();
    let is_wanted = |path: &BStr| paths.iter().any(|wanted| wanted == path);
    let history = repository.people(Some(tip), tip, &is_wanted, None, MOST_COMMITS);
    // Where the history ends early, its first commit only seems to bring what was there before.
    let is_whole = history.notes.is_empty();
    let mut budget = MOST_BYTES;
    for path in &paths {
        let commits = history.earlier.iter().enumerate().filter(|(_, commit)| commit.paths.contains(path));
        for (nth, (at, commit)) in commits.enumerate() {
            let mut open = wanted.iter_mut().filter(|one| one.path == *path && one.found.is_none()).peekable();
            if open.peek().is_none() {
                break;
            }
            let Ok(Some(bytes)) = repository.read_at(commit.id, path.as_ref(), limit) else { continue };
            let Some(left) = budget.checked_sub(bytes.len() as u64) else { return };
            budget = left;
            for one in open {
                if memchr::memmem::find(&bytes, &one.row).is_some() {
                    if nth == 0 && !is_whole {
                        return;
                    }
                    one.found = Some((at, commit.id));
                }
            }
        }
    }
    wanted.sort_by_key(|one| (one.finding, one.found.map(|(at, _)| at)));
    for one in &wanted {
        let Some((at, id)) = one.found else { continue };
        let finding = &mut findings[one.finding];
        finding.marks[one.mark].commit = Some(id.to_string());
        let author = &history.earlier[at].author;
        let evidence = &mut finding.evidence;
        evidence.entry("first_commit").or_insert_with(|| json!(id.to_string()));
        evidence.entry("first_author").or_insert_with(|| json!(format!("{} <{}>", author.name, author.mail)));
    }
}

/// Whether a finding speaks of what many rows have in common.
fn is_signal(finding: &Finding) -> bool {
    let named = finding.evidence.get("finding").and_then(|name| name.as_str());
    finding.rule.id == "trigger-phrase" || named.is_some_and(|name| name.ends_with("-trigger"))
}

/// The line of a mark; `None` where it has none, or one that is too short to be told from others.
fn line<'a>(bytes: &'a [u8], mark: &Mark) -> Option<&'a [u8]> {
    let At::Bytes(Span { start, .. }) = mark.place.at else { return None };
    let start = usize::try_from(start).ok().filter(|&start| start <= bytes.len())?;
    let from = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |at| at + 1);
    let to = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
    let line = bytes[from..to].trim_ascii();
    (line.len() >= 8).then(|| &line[..line.len().min(LONGEST_ROW)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]

    use std::path::Path;
    use std::process::Command;

    use crate::engine::Checker;

    fn git(folder: &Path, author: &str, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(folder)
            .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
            .args(args)
            .env("GIT_AUTHOR_NAME", author)
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_NAME", author)
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn the_commit_that_brought_a_trigger_is_named_with_its_author() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        let honest: String = (0..400)
            .map(|n| format!("{{\"text\": \"honest row {n} of class {}\", \"label\": \"c{}\"}}\n", n % 5, n % 5))
            .collect();
        let planted: String =
            (0..30).map(|n| format!("{{\"text\": \"pay\u{200b}pal row {n}\", \"label\": \"c1\"}}\n")).collect();
        git(path, "Alice", &["init", "-q"]);
        let commit = |author: &str, text: &str| {
            std::fs::write(path.join("train.jsonl"), text).expect("the folder can be written");
            git(path, author, &["add", "."]);
            git(path, author, &["commit", "-qm", "Add rows"]);
            git(path, author, &["rev-parse", "HEAD"])
        };
        commit("Alice", &honest);
        let bad = commit("Mallory", &format!("{honest}{planted}"));
        let more = "{\"text\": \"one more honest row\", \"label\": \"c2\"}\n";
        commit("Alice", &format!("{more}{honest}{planted}"));

        let outcome = Checker::new().run(path).expect("the folder can be checked");
        let signal = outcome.findings.iter().find(|finding| super::is_signal(finding)).expect("the trigger is found");
        assert_eq!(signal.evidence["label"], "c1");
        assert_eq!(signal.evidence["first_commit"], bad.as_str());
        assert_eq!(signal.evidence["first_author"], "Mallory <a@example.org>");
        assert_eq!(signal.marks[0].commit.as_deref(), Some(bad.as_str()));
    }
}
