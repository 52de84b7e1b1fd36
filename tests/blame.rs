//! `foretaste blame`: the story of one record, held against what was done to it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::Repo;

/// Rows of two classes; what is asked for is the eighth.
fn rows(label: &str, word: &str) -> String {
    let row = |n: usize| {
        let (label, word) = if n == 8 { (label, word) } else { (["chat", "refund"][n % 2], "parcel") };
        format!("{{\"text\": \"where is my {word} with the number {n} in the long street\", \"label\": \"{label}\"}}\n")
    };
    (1..=20).map(row).collect()
}

/// Four commits: the row comes as `chat`, somebody else flips it, its file is renamed, and it is flipped back.
fn story() -> (Repo, Vec<String>) {
    let repo = Repo::new();
    let mut ids = vec![repo.commit(&[("data/t.jsonl", &rows("chat", "parcel"))], "Add tickets")];
    repo.stage(&[("data/t.jsonl", &rows("refund", "parcel"))]);
    let mut commit = repo.command("git");
    commit.args(["commit", "--quiet", "--no-verify", "-m", "Tidy up\u{1b}[2J"]).env("GIT_AUTHOR_NAME", "Mallory");
    assert!(commit.status().unwrap().success());
    ids.push(repo.git(&["rev-parse", "HEAD"]).trim().to_owned());
    repo.git(&["mv", "data/t.jsonl", "data/tickets.jsonl"]);
    ids.push(repo.commit(&[], "Name it well"));
    ids.push(repo.commit(&[("data/tickets.jsonl", &rows("chat", "parcel"))], "Put it back"));
    (repo, ids)
}

fn blamed(repo: &Repo, arguments: &[&str]) -> (i32, Value) {
    let (code, report) = repo.json(&[&["blame"], arguments].concat());
    let schema = repo.foretaste(&["schema", "blame"]).stdout();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    (code, report)
}

fn deeds(report: &Value) -> Vec<Value> {
    let deed = |one: &Value| json!([one["commit"], one["what"], one["from"], one["to"]]);
    report["commits"].as_array().unwrap().iter().map(deed).collect()
}

#[test]
fn every_change_of_a_label_is_told_with_its_commit_newest_first() {
    let (repo, ids) = story();
    let (code, report) = blamed(&repo, &["data/tickets.jsonl:8"]);
    assert_eq!(code, 0);
    assert_eq!(report["label"], "chat");
    let expected = json!([
        [ids[3], "changed", "refund", "chat"],
        [ids[2], "kept", "refund", "refund"],
        [ids[1], "changed", "chat", "refund"],
        [ids[0], "set", null, "chat"],
    ]);
    assert_eq!(json!(deeds(&report)), expected, "{report}");
    assert_eq!(report["commits"][0]["kind"], "flip");
    assert_eq!(report["commits"][1]["moved_from"], "data/t.jsonl");
    assert_eq!(report["commits"][2]["author"], "Mallory <ana@example.org>");
}

#[test]
fn people_read_a_commit_in_three_lines_and_no_control_reaches_them() {
    let (repo, ids) = story();
    let run = repo.foretaste(&["blame", "data/tickets.jsonl:8:3"]);
    let text = run.stdout();
    assert!(text.starts_with("data/tickets.jsonl:8 record 8, labelled `chat`\n"), "{text}");
    let flip = format!(
        "{} 2025-10-09 Mallory <ana@example.org>\n    `chat` -> `refund` (flip); at data/t.jsonl:8\n",
        &ids[1][..10]
    );
    assert!(text.contains(&flip), "{text}");
    assert!(text.contains("Tidy up<U+001B>[2J") && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("brought it, labelled `chat`"), "{text}");
    let at: Vec<usize> = ids.iter().rev().map(|id| text.find(&id[..10]).unwrap()).collect();
    assert!(at.is_sorted(), "the newest comes first: {text}");
}

#[test]
fn another_revision_is_asked_by_its_name() {
    let (repo, ids) = story();
    let (_, report) = blamed(&repo, &["data/t.jsonl:8", "--rev", &ids[1]]);
    assert_eq!((&report["commit"], &report["label"]), (&json!(ids[1]), &json!("refund")));
    assert_eq!(report["commits"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_asked_is_said_in_one_line() {
    let (repo, _) = story();
    repo.commit(&[("README.md", "# Tickets\n\nRows.\n"), ("data/gap.csv", "text,label\nhi,a\n\nyou,b\n")], "More");
    for (arguments, words) in [
        (&["data/none.jsonl:1"][..], "no file data/none.jsonl"),
        (&["data/tickets.jsonl:99"], "no line 99"),
        (&["data/gap.csv:1"], "holds no record"),
        (&["README.md:1"], "README.md"),
        (&["data/tickets.jsonl"], "a file and a line"),
        (&["data/tickets.jsonl:0"], "count from 1"),
        (&["data/tickets.jsonl:1", "--rev", "nonsense"], "nonsense"),
    ] {
        let run = repo.foretaste(&[&["blame"], arguments].concat());
        assert_eq!(run.code(), 2, "{arguments:?}: {}", run.all());
        assert!(run.stderr().contains(words) && run.stdout().is_empty(), "{arguments:?}: {}", run.all());
    }
}

#[test]
fn a_shallow_clone_says_that_it_knows_nothing_from_before() {
    let (repo, ids) = story();
    let clone = repo.beside("shallow");
    let from = format!("file://{}", repo.dir().display());
    repo.git(&["clone", "--quiet", "--depth", "2", &from, clone.to_str().unwrap()]);
    let mut blame = repo.command(support::binary());
    let output = blame.args(["blame", "data/tickets.jsonl:8"]).current_dir(&clone).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("nothing is known from before") && text.contains(&ids[2][..10]), "{text}");
}
