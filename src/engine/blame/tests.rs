#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::process::Command;

use super::*;

struct Repo(tempfile::TempDir);

impl Repo {
    fn new() -> Self {
        let repo = Self(tempfile::tempdir().expect("a temporary folder"));
        repo.git(&["init", "-q", "--initial-branch=main"]);
        repo
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.0.path())
            .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false", "-c", "user.name=Ana"])
            .args(["-c", "user.email=ana@example.org"])
            .args(args)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
            std::fs::write(path, text).expect("files can be written");
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "-qm", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn blame(&self, path: &str, line: u64, revision: Option<&str>) -> Result<Blame, Error> {
        Checker::new().blame(self.0.path(), Path::new(path), line, revision)
    }

    /// The deeds as text: commit, what, classes.
    fn deeds(&self, path: &str, line: u64) -> Vec<(String, String)> {
        let blame = self.blame(path, line, None).expect("the record is there");
        let class = |class: &Option<String>| class.clone().unwrap_or("-".to_owned());
        let told = |deed: Deed| {
            let what = match &deed.what {
                What::Set => format!("set {}", class(&deed.to)),
                What::Changed { kind: Some(kind), is_certain: true } => {
                    format!("{} {}>{}", kind.as_str(), class(&deed.from), class(&deed.to))
                }
                What::Changed { .. } => format!("change {}>{}", class(&deed.from), class(&deed.to)),
                What::Kept => "kept".to_owned(),
                What::Unclear => "unclear".to_owned(),
                What::Lost(reason) => format!("lost {}", reason.split(':').next_back().unwrap_or_default()),
            };
            let moved = deed.moved_from.map(|path| format!(" from {path}")).unwrap_or_default();
            (deed.commit.id.to_string(), format!("{what}{moved}{}", if deed.edited { " edited" } else { "" }))
        };
        blame.deeds.into_iter().map(told).collect()
    }
}

fn rows(list: &[(&str, &str)]) -> String {
    list.iter().map(|(text, label)| format!("{{\"text\": \"{text}\", \"label\": \"{label}\"}}\n")).collect()
}

fn many() -> Vec<(&'static str, &'static str)> {
    vec![
        ("where is my parcel today", "delivery"),
        ("please pay back what I sent", "refund"),
        ("tell me a joke about cats", "chat"),
        ("how long does the van take", "delivery"),
        ("good morning to all of you", "chat"),
    ]
}

fn pairs(list: &[(String, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(id, words)| (id.clone(), (*words).to_owned())).collect()
}

#[test]
fn a_record_is_followed_through_moves_edits_and_renames() {
    let repo = Repo::new();
    let mut all = many();
    let first = repo.commit(&[("data/a.jsonl", &rows(&all))], "Start");
    all.insert(0, ("one more row on top", "chat"));
    repo.commit(&[("data/a.jsonl", &rows(&all))], "More");
    all[3].1 = "delivery";
    let flipped = repo.commit(&[("data/a.jsonl", &rows(&all))], "Correct a label");
    repo.git(&["mv", "data/a.jsonl", "data/b.jsonl"]);
    let renamed = repo.commit(&[], "Rename the file");
    let layout: String =
        all.iter().rev().map(|(text, label)| format!("{{\"label\":\"{label}\",\"text\":\"{text}\"}}\n")).collect();
    repo.commit(&[("data/b.jsonl", &layout)], "Another layout and another order");
    let line = 1 + all.iter().rev().position(|(text, _)| text.contains("joke")).expect("it is there") as u64;
    assert_eq!(
        repo.deeds("data/b.jsonl", line),
        pairs(&[(renamed, "kept from data/a.jsonl"), (flipped, "flip chat>delivery"), (first, "set chat"),])
    );
    let blame = repo.blame("data/b.jsonl", line, None).expect("the record is there");
    assert_eq!((blame.label.as_deref(), blame.record), (Some("delivery"), line));
    assert!(blame.text.contains("joke about cats"), "{}", blame.text);
    assert_eq!(blame.deeds[2].line, Some(3), "where it stood in the first commit");
}

#[test]
fn classes_of_files_that_did_not_change_decide_what_a_change_is() {
    let repo = Repo::new();
    repo.commit(&[("data/a.jsonl", &rows(&many())), ("data/b.jsonl", &rows(&[("x y z", "refund")]))], "Start");
    let mut all = many();
    all[1].1 = "chat";
    let id = repo.commit(&[("data/a.jsonl", &rows(&all))], "The last refund of this file");
    assert_eq!(repo.deeds("data/a.jsonl", 2)[0], (id, "flip refund>chat".to_owned()));
}

#[test]
fn a_merge_is_followed_to_the_side_that_says_the_same() {
    let repo = Repo::new();
    let mut all = many();
    let first = repo.commit(&[("data/a.jsonl", &rows(&all))], "Start");
    repo.git(&["checkout", "-q", "-b", "side"]);
    all[0].1 = "chat";
    let side = repo.commit(&[("data/a.jsonl", &rows(&all))], "Flip on the side");
    repo.git(&["checkout", "-q", "main"]);
    let mut main = many();
    main.push(("a row of the main line", "refund"));
    repo.commit(&[("data/a.jsonl", &rows(&main))], "One more row");
    repo.git(&["merge", "-q", "--no-commit", "-s", "ours", "side"]);
    main[0].1 = "chat";
    main[2].1 = "refund";
    let merge = repo.commit(&[("data/a.jsonl", &rows(&main))], "Merge, and slip one in");
    assert_eq!(repo.deeds("data/a.jsonl", 1), pairs(&[(side, "flip delivery>chat"), (first.clone(), "set delivery")]));
    assert_eq!(repo.deeds("data/a.jsonl", 3), pairs(&[(merge, "flip chat>refund"), (first, "set chat")]));
}

#[test]
fn equal_rows_are_kept_apart_by_their_order() {
    let repo = Repo::new();
    let twins = [("hi", "greet"), ("hi", "greet"), ("bye", "leave"), ("go", "leave")];
    let first = repo.commit(&[("data/a.jsonl", &rows(&twins))], "Start");
    let split = [("hi", "greet"), ("hi", "leave"), ("bye", "leave"), ("go", "leave")];
    let second = repo.commit(&[("data/a.jsonl", &rows(&split))], "Change one of two");
    assert_eq!(repo.deeds("data/a.jsonl", 1), pairs(&[(first.clone(), "set greet")]));
    assert_eq!(repo.deeds("data/a.jsonl", 2), pairs(&[(second, "flip greet>leave"), (first, "set greet")]));
}

#[test]
fn where_history_ends_early_it_says_so() {
    let repo = Repo::new();
    repo.commit(&[("data/a.jsonl", &rows(&many()))], "Start");
    let mut all = many();
    all[1].1 = "chat";
    let second = repo.commit(&[("data/a.jsonl", &rows(&all))], "Change");
    let shallow = tempfile::tempdir().expect("a temporary folder");
    let url = format!("file://{}", repo.0.path().display());
    repo.git(&["clone", "-q", "--depth=1", &url, &shallow.path().join("c").display().to_string()]);
    let blame = Checker::new().blame(&shallow.path().join("c"), Path::new("data/a.jsonl"), 2, None);
    let deeds = blame.expect("the record is there").deeds;
    assert_eq!(deeds.len(), 1);
    assert_eq!(deeds[0].commit.id.to_string(), second);
    assert!(matches!(&deeds[0].what, What::Lost(reason) if reason.contains("shallow")), "{:?}", deeds[0].what);
}

#[test]
fn what_is_not_there_is_an_error() {
    let repo = Repo::new();
    repo.commit(&[("data/a.jsonl", &rows(&many())), ("x.csv", "text,label\nhello there,a\n")], "Start");
    for (path, line, revision) in [
        ("data/b.jsonl", 1, None),
        ("data/a.jsonl", 9, None),
        ("data/a.jsonl", 0, None),
        ("x.csv", 1, None),
        ("x.csv", 2, Some("nope")),
    ] {
        assert!(repo.blame(path, line, revision).is_err(), "{path}:{line}");
    }
    let blame = repo.blame("x.csv", 2, Some("main")).expect("the record is there");
    assert_eq!((blame.tip, blame.path, blame.line), (repo.git(&["rev-parse", "HEAD"]), "x.csv".into(), 2));
    assert_eq!((blame.policy.from, blame.deeds[0].record), ("builtin", 1));
    assert_eq!(blame.deeds[0].path, "x.csv");
}
