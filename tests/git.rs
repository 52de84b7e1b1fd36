//! The whole program on repositories, with git as the oracle: what git says is there is what was judged.
//!
//! How the listings themselves agree with git is tested beside the code, in `src/source/tests`.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Repo, binary};

/// Hidden tag characters: an error wherever they are read.
const HIDDEN: &str = "{\"text\": \"where is \u{E0048}\u{E0069}my parcel\", \"label\": \"track\"}\n";
const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";

/// A repository that a script of `fixtures/git` builds.
fn built(script: &str) -> Repo {
    let repo = Repo::new();
    fs::remove_dir_all(repo.dir().join(".git")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/git").join(script);
    let output = repo.command("sh").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    repo
}

/// The paths that hidden characters were found in.
fn found(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("a report has findings");
    let hidden = findings.iter().filter(|finding| finding["rule"] == "invisible-unicode");
    let places = hidden.flat_map(|finding| finding["places"].as_array().expect("a finding has places"));
    places.map(|place| place["path"].as_str().expect("a place has a path").to_owned()).collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn nothing_that_the_configuration_names_is_started() {
    let repo = built("hostile.sh");
    let ran = repo.beside("ran");
    for arguments in [
        &["check"][..],
        &["check", "--staged"],
        &["check", "--rev", "HEAD"],
        &["check", "--range", "HEAD..HEAD"],
        &["check", "data/a.csv"],
        &["hook", "run", "--stage", "pre-commit"],
        &["verify"],
    ] {
        let run = repo.foretaste(arguments);
        assert!(!ran.exists(), "{arguments:?}: {}\n{}", fs::read_to_string(&ran).unwrap_or_default(), run.all());
    }
    let _ = repo.command("git").arg("status").output();
    assert!(ran.exists(), "the trap is armed: git itself steps into it");
}

#[test]
#[ignore = "needs strace"]
fn no_process_and_no_socket_in_any_scope() {
    let repo = built("hostile.sh");
    for arguments in [&["check"][..], &["check", "--staged"], &["check", "--rev", "HEAD"]] {
        let log = repo.beside("strace");
        let mut command = repo.command("strace");
        command.args(["-f", "-o"]).arg(&log).args(["-e", "trace=execve,execveat,fork,vfork,socket,connect"]);
        command.arg(binary()).args(arguments).output().unwrap();
        let log = fs::read_to_string(log).unwrap();
        // A thread that ends while it is stopped leaves a line with `???(`, which names no call.
        let is_call = |line: &&str| line.contains('(') && !line.contains("---") && !line.contains("???(");
        let calls: Vec<&str> = log.lines().filter(is_call).collect();
        assert_eq!(calls.len(), 1, "only the program itself is started: {calls:?}");
    }
}

#[test]
fn every_change_of_a_range_is_judged_whatever_attributes_and_names_say() {
    // Twice the row, so that its removal is not taken for a rename.
    let gone = HIDDEN.repeat(2);
    let repo = Repo::with(&[("data/stays.jsonl", CLEAN), ("data/old.jsonl", CLEAN), ("data/gone.jsonl", &gone)]);
    repo.git(&["tag", "fork"]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    for name in [&b"data/new\nline.jsonl"[..], b"-rf.jsonl", b"data/\xd9\x85.jsonl", b" lead.jsonl", b"deep/er/x.jsonl"]
    {
        let path = repo.dir().join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, HIDDEN).unwrap();
    }
    repo.write(&[
        ("data/old.jsonl", &(CLEAN.to_owned() + HIDDEN)),
        (".gitattributes", "*.jsonl -diff -text binary linguist-generated export-ignore filter=lfs\n"),
        (".gitignore", "*.jsonl\n"),
    ]);
    repo.git(&["add", "--all", "--force"]);
    repo.git(&["rm", "--quiet", "-f", "data/gone.jsonl"]);
    repo.commit(&[], "change");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit(&[("data/main.jsonl", HIDDEN)], "what main brings is not the change's");
    let only = ["--no-renames", "--diff-filter=AM", "main...change", "--", "*.jsonl"];
    let listed = repo.git(&[&["diff", "-z", "--name-only"], &only[..]].concat());
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(found(&report), words(&listed));
    assert_eq!(found(&report).len(), 6);

    let (code, report) = repo.json(&["check", "--range", "main..change", "deep", "./data/old.jsonl"]);
    assert_eq!((code, found(&report)), (1, set(&["data/old.jsonl", "deep/er/x.jsonl"])));
    let (code, report) = repo.json(&["check", "--rev", "fork"]);
    assert_eq!((code, found(&report)), (1, set(&["data/gone.jsonl"])), "a revision is all that is in it");
}

#[test]
fn what_only_a_merge_brings_is_judged() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit(&[("data/side.jsonl", CLEAN)], "side");
    repo.git(&["checkout", "--quiet", "main"]);
    let base = repo.commit(&[("README.md", "# data\n")], "main");
    repo.git(&["merge", "--quiet", "--no-commit", "side"]);
    repo.commit(&[("data/side.jsonl", &(CLEAN.to_owned() + HIDDEN))], "evil merge");
    let (code, report) = repo.json(&["check", "--range", &format!("{base}..main")]);
    assert_eq!((code, found(&report)), (1, set(&["data/side.jsonl"])));
}

#[test]
fn the_work_tree_is_what_git_tracks_and_what_it_does_not_ignore() {
    let repo = Repo::with(&[
        ("data/hidden-from-git.jsonl", CLEAN),
        ("data/skipped.jsonl", CLEAN),
        ("data/tracked.jsonl", CLEAN),
        ("build/forced.jsonl", CLEAN),
        (".gitignore", "/build/\n*.tmp.jsonl\n!keep.tmp.jsonl\n"),
    ]);
    repo.git(&["add", "--force", "build/forced.jsonl"]);
    repo.git(&["commit", "--quiet", "-m", "forced"]);
    repo.git(&["update-index", "--assume-unchanged", "data/hidden-from-git.jsonl"]);
    repo.git(&["update-index", "--skip-worktree", "data/skipped.jsonl"]);
    let files = [
        "data/hidden-from-git.jsonl",
        "data/skipped.jsonl",
        "data/tracked.jsonl",
        "build/forced.jsonl",
        "build/ignored.jsonl",
        "data/x.tmp.jsonl",
        "data/keep.tmp.jsonl",
        "new.jsonl",
    ];
    repo.write(&files.map(|path| (path, HIDDEN)));
    let listed = repo.git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.jsonl"]);
    assert!(repo.git(&["status", "--porcelain"]).lines().all(|line| !line.contains("hidden-from-git")));
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, found(&report)), (1, words(&listed)));
    assert_eq!(report["looked_at"]["ignored"], 2, "an ignored folder with tracked files in it, and a file: {report:#}");
    let (code, report) = repo.json(&["check", "data/x.tmp.jsonl"]);
    assert_eq!((code, found(&report)), (1, set(&["data/x.tmp.jsonl"])), "what a person names is read");
    let inside = repo.command(binary()).current_dir(repo.dir().join("data")).args(["check", "tracked.jsonl"]).output();
    assert_eq!(inside.unwrap().status.code(), Some(1), "paths are relative to where one stands");
}

#[test]
fn what_was_committed_is_judged_and_not_what_git_was_told_to_show() {
    let repo = Repo::with(&[("data/a.jsonl", HIDDEN)]);
    repo.write(&[("innocent", CLEAN)]);
    let innocent = repo.git(&["hash-object", "-w", "innocent"]);
    repo.git(&["replace", "HEAD:data/a.jsonl", innocent.trim()]);
    assert_eq!(repo.git(&["show", "HEAD:data/a.jsonl"]), CLEAN);
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!((code, found(&report)), (1, set(&["data/a.jsonl"])));
    assert!(repo.foretaste(&["check", "--rev", "HEAD"]).all().contains("replace ref"));
}

#[test]
fn a_missing_object_is_a_gap_and_never_fetched() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN), ("data/b.jsonl", CLEAN), ("data/lost.jsonl", HIDDEN)]);
    let lost = repo.git(&["rev-parse", "HEAD:data/lost.jsonl"]);
    let lost = lost.trim();
    fs::remove_file(repo.dir().join(".git/objects").join(&lost[..2]).join(&lost[2..])).unwrap();
    let (code, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!(code, 3, "{report:#}");
    let unread = report["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 1, "{report:#}");
    assert_eq!(
        (&unread[0]["path"], &unread[0]["reason"]),
        (&"data/lost.jsonl".into(), &"object missing (partial clone)".into())
    );
}

#[test]
fn what_names_nothing_is_refused() {
    let repo = built("range.sh");
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", repo.dir().display());
    let clone = ["clone", "--quiet", "--depth=1", "--no-single-branch", &url, shallow.to_str().unwrap()];
    repo.git(&clone);
    let refused = |folder: &Path, arguments: &[&str], words: &str| {
        let output = repo.command(binary()).current_dir(folder).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        // Lines may be wrapped anywhere.
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "{arguments:?}: {said}");
    };
    let here = repo.dir();
    refused(&here, &["check", "--rev", "nowhere"], "no such revision: nowhere");
    refused(&here, &["check", "--range", "main..nowhere"], "no such revision: nowhere");
    refused(&here, &["check", "--range", "main..unrelated"], "no common history");
    refused(&here, &["check", "--range", "left-merged..right-merged"], "2 different points");
    refused(&here, &["check", "data/misspelt.csv"], "names nothing here");
    refused(&here, &["check", "--staged", "data/misspelt.csv"], "names nothing here");
    refused(&here, &["check", "--rev", "HEAD", "data/misspelt.csv"], "names nothing here");
    refused(&shallow, &["check", "--range", "origin/main..origin/feature"], "--unshallow");
}

#[test]
#[ignore = "needs root, to give a repository to somebody else"]
fn a_repository_of_another_owner_is_refused() {
    let repo = Repo::with(&[("data/a.jsonl", CLEAN)]);
    let chown = Command::new("chown").args(["-R", "65534"]).arg(repo.dir()).output().unwrap();
    assert!(chown.status.success());
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 2, "{}", run.all());
    assert!(run.all().contains("another user"), "{}", run.all());
}
