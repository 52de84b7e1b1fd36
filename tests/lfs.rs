//! What git holds of a file is held against what its attributes ask of git LFS.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

const ROWS: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";
const ASKS: &str = "*.jsonl filter=lfs diff=lfs merge=lfs -text\n";

/// The findings that speak of git LFS: kind, severity and path.
fn told(report: &Value) -> Vec<(String, String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lfs = findings.filter(|f| f["evidence"]["finding"].as_str().is_some_and(|kind| kind.starts_with("lfs-")));
    lfs.map(|f| (text(&f["evidence"]["finding"]), text(&f["severity"]), text(&f["places"][0]["path"]))).collect()
}

fn one(kind: &str, severity: &str, path: &str) -> Vec<(String, String, String)> {
    vec![(kind.to_owned(), severity.to_owned(), path.to_owned())]
}

/// A pointer to the rows, which are put where git LFS keeps them.
fn pointer(repo: &Repo) -> String {
    use sha2::Digest;
    let oid: String = sha2::Sha256::digest(ROWS).iter().map(|byte| format!("{byte:02x}")).collect();
    let object = repo.dir().join(format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]));
    std::fs::create_dir_all(object.parent().unwrap()).unwrap();
    std::fs::write(object, ROWS).unwrap();
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", ROWS.len())
}

#[test]
fn a_file_that_went_past_git_lfs_is_a_note_and_its_rows_are_judged() {
    let repo = Repo::with(&[(".gitattributes", ASKS)]);
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.stage(&[("data/a.jsonl", ROWS)]);
    let (code, report) = repo.json(&["check", "--staged"]);
    assert_eq!((code, told(&report)), (0, one("lfs-bypassed", "note", "data/a.jsonl")));
    assert_eq!(report["looked_at"]["records"], 1);
    repo.commit(&[], "rows");
    for arguments in [&["check", "--rev", "HEAD"][..], &["check", "--range", &format!("{base}..HEAD")], &["check"]] {
        assert_eq!(told(&repo.json(arguments).1), one("lfs-bypassed", "note", "data/a.jsonl"), "{arguments:?}");
    }
    // What was there before is not the next contributor's.
    repo.stage(&[("data/a.jsonl", &ROWS.repeat(2).replacen("parcel", "letter", 1))]);
    assert_eq!(told(&repo.json(&["check", "--staged"]).1), []);
}

#[test]
fn a_pointer_that_nobody_asked_for_is_what_a_trainer_would_read() {
    let repo = Repo::with(&[(".gitattributes", "*.csv filter=lfs\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.stage(&[("data/a.jsonl", &pointer(&repo))]);
    let expected = one("lfs-not-asked", "warning", "data/a.jsonl");
    assert_eq!(told(&repo.json(&["check", "--staged"]).1), expected);
    repo.commit(&[], "a pointer");
    for arguments in [&["check", "--rev", "HEAD"][..], &["check", "--range", &format!("{base}..HEAD")], &["check"]] {
        let (_, report) = repo.json(arguments);
        assert_eq!(told(&report), expected, "{arguments:?}");
    }
}

#[test]
fn a_repository_that_uses_git_lfs_as_it_should_hears_nothing() {
    let repo = Repo::new();
    let pointer = pointer(&repo);
    repo.commit(&[(".gitattributes", ASKS), ("data/a.jsonl", &pointer), ("data/empty.jsonl", "")], "through git LFS");
    assert_eq!(told(&repo.json(&["check", "--rev", "HEAD"]).1), []);
    assert_eq!(told(&repo.json(&["check"]).1), [], "with the pointer on disk");
    repo.write(&[("data/a.jsonl", ROWS), ("data/new.jsonl", ROWS)]);
    assert_eq!(told(&repo.json(&["check"]).1), [], "with the file on disk, and one that is not committed yet");
}

#[test]
fn moving_a_pointer_out_of_the_reach_of_its_attributes_is_new() {
    let repo = Repo::new();
    let pointer = pointer(&repo);
    repo.commit(&[(".gitattributes", "data/** filter=lfs\n"), ("data/a.jsonl", &pointer)], "through git LFS");
    std::fs::create_dir(repo.dir().join("train")).unwrap();
    repo.git(&["mv", "data/a.jsonl", "train/a.jsonl"]);
    assert_eq!(told(&repo.json(&["check", "--staged"]).1), one("lfs-not-asked", "warning", "train/a.jsonl"));
}

#[test]
fn attributes_that_cannot_be_used_are_a_gap() {
    let repo = Repo::with(&[(".gitattributes", &format!("{}x filter=lfs\n", "*a".repeat(30))), ("data/a.jsonl", ROWS)]);
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!((code, report["unread"][0]["path"].as_str()), (3, Some(".gitattributes")), "{report:#}");
}
