//! What an audit could not see is told as coverage, never taken for an empty or a short history: partial and shallow
//! clones made by git, grafts and replace refs. Git says what is missing.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::Repo;

/// Rows of some kilobytes, of which some have another class than before.
fn table(rows: usize, flipped: usize) -> String {
    let class = |n: usize| ["delivery", "refund"][(n + usize::from(n < flipped)) % 2];
    (0..rows)
        .map(|n| format!("{{\"text\": \"question {n} of somebody who waits\", \"label\": \"{}\"}}\n", class(n)))
        .collect()
}

/// Four versions of a small file and three of a large one.
fn history() -> Repo {
    let repo = Repo::with(&[("data/small.jsonl", &table(20, 0)), ("data/large.jsonl", &table(300, 0))]);
    for n in 1..3 {
        repo.commit(&[("data/small.jsonl", &table(20, n))], &format!("Small, part {n}"));
        repo.commit(&[("data/large.jsonl", &table(300, 2 * n))], &format!("Large, part {n}"));
    }
    repo.commit(&[("data/small.jsonl", &table(20, 3)), ("readme.md", "# Questions\n")], "Small and no data");
    repo
}

fn clone(repo: &Repo, name: &str, options: &[&str]) -> PathBuf {
    let folder = repo.beside(name);
    let url = format!("file://{}", repo.dir().display());
    repo.git(&[&["clone", "--quiet", "--no-local"], options, &[&url, folder.to_str().unwrap()]].concat());
    folder
}

fn git(repo: &Repo, folder: &Path, arguments: &[&str]) -> String {
    let output = repo.command("git").current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn audit(repo: &Repo, folder: &Path, more: &[&str]) -> (i32, Value) {
    let mut command = repo.command(support::binary());
    let output = command.current_dir(folder).args(["audit", "--format", "json"]).args(more).output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

/// The label changes of each commit, without those of some files.
fn changes(report: &Value, without: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for commit in report["commits"].as_array().unwrap() {
        for change in commit["label_changes"].as_array().unwrap().iter().filter(|change| change["path"] != without) {
            all.insert(format!("{} {change}", commit["commit"]));
        }
    }
    all
}

#[test]
fn blobs_that_a_partial_clone_lacks_are_counted_by_file() {
    let repo = history();
    let (code, whole) = audit(&repo, &repo.dir(), &[]);
    assert_eq!((code, whole["coverage"].as_str()), (0, Some("all 7 data blobs of the history were read")));
    // The promisor would send what is asked for: nobody may ask.
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = clone(&repo, "partial", &["--no-checkout", "--filter=blob:limit=4k"]);
    let missing = |folder: &Path| {
        let list = git(&repo, folder, &["rev-list", "--objects", "--all", "--missing=print"]);
        list.lines().filter(|line| line.starts_with('?')).count()
    };
    assert_eq!(missing(&partial), 3, "git misses three versions of the large file");
    let (code, report) = audit(&repo, &partial, &[]);
    assert_eq!(missing(&partial), 3, "and nobody fetched them");
    assert_eq!(code, 0, "in an audit a gap is told");
    let coverage = "3 of 7 data blobs not present or not readable; label history not fully audited";
    assert_eq!(report["coverage"], coverage);
    let unread = report["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert_eq!(unread[0]["path"], "data/large.jsonl");
    let reason = unread[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("3 of 3 versions not read, in commits "), "{reason}");
    // Nothing is told of the file that is not there, and of the others the same as ever.
    assert_eq!(changes(&report, ""), changes(&whole, "data/large.jsonl"));
    assert_eq!(audit(&repo, &partial, &["--require-coverage"]).0, 3);
    let text = repo.command(support::binary()).current_dir(&partial).arg("audit").output().unwrap();
    assert!(String::from_utf8_lossy(&text.stdout).contains(coverage));
}

#[test]
fn the_past_that_a_shallow_clone_lacks_is_told() {
    let repo = history();
    let shallow = clone(&repo, "shallow", &["--depth=3"]);
    assert_eq!(git(&repo, &shallow, &["rev-parse", "--is-shallow-repository"]).trim(), "true");
    let (code, report) = audit(&repo, &shallow, &[]);
    assert_eq!(code, 0);
    let told = report.to_string();
    assert!(told.contains("shallow"), "{told}");
    assert!(report["coverage"].as_str().unwrap().ends_with("label history not fully audited"), "{told}");
    // The commits that are there are judged; the cut one is compared with nothing, and not taken for a first one.
    let (_, whole) = audit(&repo, &repo.dir(), &[]);
    let last: BTreeSet<String> = git(&repo, &shallow, &["rev-list", "HEAD"]).lines().map(str::to_owned).collect();
    let cut = git(&repo, &shallow, &["rev-list", "HEAD"]).lines().last().unwrap().to_owned();
    let expected = changes(&whole, "");
    let of = |line: &&String| last.iter().any(|id| *id != cut && line.contains(id.as_str()));
    assert_eq!(changes(&report, ""), expected.iter().filter(of).cloned().collect());
    assert_eq!(audit(&repo, &shallow, &["--require-coverage"]).0, 3);
    // A start that is not there is no empty history.
    let run =
        repo.command(support::binary()).current_dir(&shallow).args(["audit", "--since", "HEAD~4"]).output().unwrap();
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
fn grafts_and_replace_refs_are_told_and_hide_nothing() {
    let repo = history();
    let (_, whole) = audit(&repo, &repo.dir(), &[]);
    // Git itself now shows a history of one commit, and another file.
    let blob = repo.git(&["rev-parse", "HEAD~2:data/small.jsonl"]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    std::fs::write(repo.dir().join(".git/info/grafts"), head.trim()).unwrap();
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]).trim(), "1");
    repo.write(&[("other.jsonl", "{\"text\": \"innocent\", \"label\": \"refund\"}\n")]);
    let other = repo.git(&["hash-object", "-w", "other.jsonl"]);
    std::fs::remove_file(repo.dir().join("other.jsonl")).unwrap();
    repo.git(&["replace", blob.trim(), other.trim()]);
    let (code, report) = audit(&repo, &repo.dir(), &[]);
    assert_eq!(code, 0);
    assert_eq!(report["commits"], whole["commits"], "nothing is hidden");
    assert_eq!(report["looked_at"], whole["looked_at"]);
    let notes = report["notes"].to_string();
    assert!(notes.contains("1 replace ref(s)") && notes.contains("info/grafts"), "{notes}");
    let text = repo.foretaste(&["audit"]);
    assert!(text.all().contains("info/grafts"), "{}", text.all());
}

#[test]
fn trees_and_commits_that_are_missing_are_told() {
    let repo = history();
    let remove = |id: &str| {
        let (folder, file) = id.trim().split_at(2);
        std::fs::remove_file(repo.dir().join(".git/objects").join(folder).join(file)).unwrap();
    };
    remove(&repo.git(&["rev-parse", "HEAD~2:data"]));
    let (_, report) = audit(&repo, &repo.dir(), &[]);
    let coverage = report["coverage"].as_str().unwrap();
    assert!(coverage.ends_with("label history not fully audited"), "{coverage}");
    assert_ne!(report["unread"], serde_json::json!([]));
    remove(&repo.git(&["rev-parse", "HEAD~3"]));
    let (code, report) = audit(&repo, &repo.dir(), &["--require-coverage"]);
    assert_eq!(code, 3);
    assert!(report["unread"].to_string().contains("missing"), "{}", report["unread"]);
}
