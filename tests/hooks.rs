//! The hook, run for real: by git alone, and by pre-commit and prek where they are installed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Output;

use support::Repo;

const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";
/// A row with "Hi" in tag characters behind its text.
const POISON: &str = "{\"text\": \"where is my mug\u{E0048}\u{E0069}\", \"label\": \"track\"}\n";

/// Who runs the hook.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Runner {
    Git,
    PreCommit,
    Prek,
}

/// A repository with a clean dataset and the hooks installed.
fn repo(runner: Runner) -> Repo {
    let repo = Repo::with(&[("data/train.jsonl", CLEAN)]);
    match runner {
        Runner::Git => {
            let run = repo.foretaste(&["hook", "install"]);
            assert_eq!(run.code(), 0, "{}", run.all());
        }
        Runner::PreCommit | Runner::Prek => {
            let config = "repos:\n  - repo: local\n    hooks:\n      - id: foretaste\n        name: foretaste\n        \
                          language: system\n        entry: foretaste hook run\n        pass_filenames: false\n        \
                          always_run: true\n        require_serial: true\n        verbose: true\n        \
                          stages: [pre-commit, pre-merge-commit, pre-push, manual]\n";
            repo.commit(&[(".pre-commit-config.yaml", config)], "configure the hook");
            let name = if runner == Runner::PreCommit { "pre-commit" } else { "prek" };
            let output = with_path(&repo, name)
                .args(["install", "-t", "pre-commit", "-t", "pre-merge-commit", "-t", "pre-push"])
                .output()
                .unwrap_or_else(|error| panic!("{name} is installed: {error}"));
            assert!(output.status.success(), "{}", text(&output));
        }
    }
    repo
}

/// A command that finds foretaste on PATH, with caches of its own.
fn with_path(repo: &Repo, program: &str) -> std::process::Command {
    let mut command = repo.command(program);
    let own = support::binary().parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&path));
    command
        .env("PATH", std::env::join_paths(all).unwrap())
        .env("PRE_COMMIT_HOME", repo.beside("pre-commit-home"))
        .env("PREK_HOME", repo.beside("prek-home"));
    command
}

fn git(repo: &Repo, arguments: &[&str]) -> Output {
    with_path(repo, "git").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn commits(repo: &Repo) -> usize {
    repo.git(&["rev-list", "--count", "HEAD"]).trim().parse().unwrap()
}

/// What every runner must do.
fn holds(runner: Runner) {
    let repo = repo(runner);
    let start = commits(&repo);

    // Clean rows go in, and the hook says what it looked at.
    repo.stage(&[("data/train.jsonl", &(CLEAN.to_owned() + "{\"text\": \"stop the lamp\", \"label\": \"cancel\"}\n"))]);
    let output = git(&repo, &["commit", "-m", "clean"]);
    assert!(output.status.success(), "{runner:?}: {}", text(&output));
    assert!(text(&output).contains("looked at"), "{runner:?} shows what was looked at: {}", text(&output));
    assert_eq!(commits(&repo), start + 1);

    // A hidden trigger does not, and the message names rule and row.
    repo.stage(&[("data/more.jsonl", POISON)]);
    let output = git(&repo, &["commit", "-m", "poison"]);
    assert!(!output.status.success(), "{runner:?} lets poison through: {}", text(&output));
    assert!(text(&output).contains("invisible-unicode"), "{runner:?}: {}", text(&output));
    assert_eq!(commits(&repo), start + 1);

    // The index decides, not the file on disk: with the file cleaned on disk alone, the poison is still staged.
    repo.write(&[("data/more.jsonl", CLEAN)]);
    let output = git(&repo, &["commit", "-m", "poison, but not on disk"]);
    assert!(!output.status.success(), "{runner:?} reads the disk: {}", text(&output));
    // And the other way round.
    repo.git(&["add", "data/more.jsonl"]);
    repo.write(&[("data/more.jsonl", POISON)]);
    let output = git(&repo, &["commit", "-m", "clean, but not on disk"]);
    assert!(output.status.success(), "{runner:?} reads the disk: {}", text(&output));
    repo.git(&["checkout", "--quiet", "--", "."]);

    // commit -a and commit -- path hand over an index of their own.
    repo.write(&[("data/more.jsonl", POISON)]);
    for arguments in [&["commit", "-a", "-m", "all"][..], &["commit", "-m", "one", "--", "data/more.jsonl"][..]] {
        let output = git(&repo, arguments);
        assert!(!output.status.success(), "{runner:?} {arguments:?} lets poison through: {}", text(&output));
    }
    repo.git(&["checkout", "--quiet", "--", "."]);

    // A clean merge fires no pre-commit hook; rows of a branch made without the hook are stopped all the same.
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit(&[("data/side.jsonl", POISON)], "made with --no-verify");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit(&[("README.md", "data\n")], "elsewhere");
    let output = git(&repo, &["merge", "--no-edit", "side"]);
    assert!(!output.status.success(), "{runner:?} merges poison: {}", text(&output));
    repo.git(&["merge", "--abort"]);

    // A push of a branch that is not even checked out, to an empty remote and to one that has the past.
    let remote = repo.beside("remote.git");
    repo.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    let output = git(&repo, &["push", "origin", "side"]);
    assert!(!output.status.success(), "{runner:?} pushes poison to an empty remote: {}", text(&output));
    let output = git(&repo, &["push", "origin", "main"]);
    assert!(output.status.success(), "{runner:?} stops a clean push: {}", text(&output));
    let output = git(&repo, &["push", "origin", "side"]);
    assert!(!output.status.success(), "{runner:?} pushes poison: {}", text(&output));
    assert!(refs(&remote).iter().all(|name| !name.ends_with("side")), "{:?}", refs(&remote));

    // Removing data is looked at as well, and may pass.
    repo.git(&["rm", "--quiet", "data/more.jsonl"]);
    let output = git(&repo, &["commit", "-m", "remove"]);
    assert!(output.status.success() && text(&output).contains("looked at"), "{runner:?}: {}", text(&output));
}

fn refs(remote: &Path) -> Vec<String> {
    let output = std::process::Command::new("git").arg("-C").arg(remote).arg("for-each-ref").output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn git_alone() {
    holds(Runner::Git);
}

#[test]
#[ignore = "needs pre-commit"]
fn pre_commit() {
    holds(Runner::PreCommit);
    nothing_staged_is_no_pass("pre-commit", Runner::PreCommit);
}

#[test]
#[ignore = "needs prek"]
fn prek() {
    holds(Runner::Prek);
    nothing_staged_is_no_pass("prek", Runner::Prek);
}

/// `run --all-files` in CI passes no names and has nothing staged: the whole index is judged.
fn nothing_staged_is_no_pass(name: &str, runner: Runner) {
    let repo = repo(runner);
    repo.commit(&[("data/more.jsonl", POISON)], "made with --no-verify");
    let output = with_path(&repo, name).args(["run", "--all-files"]).output().unwrap();
    assert!(!output.status.success(), "{name} read nothing and passed: {}", text(&output));
    assert!(text(&output).contains("whole index"), "{}", text(&output));
}

#[test]
#[ignore = "needs pre-commit"]
fn the_manifest_is_valid() {
    let repo = Repo::new();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let output = with_path(&repo, "pre-commit").arg("validate-manifest").arg(&manifest).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_linked_work_tree_has_the_hook_too() {
    let repo = repo(Runner::Git);
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "other", linked.to_str().unwrap()]);
    std::fs::write(linked.join("data/new.jsonl"), POISON).unwrap();
    repo.git(&["-C", linked.to_str().unwrap(), "add", "--all"]);
    let output = with_path(&repo, "git").current_dir(&linked).args(["commit", "-m", "poison"]).output().unwrap();
    assert!(!output.status.success() && text(&output).contains("invisible-unicode"), "{}", text(&output));
}

#[test]
fn the_first_commit_of_a_repository_is_judged() {
    let repo = Repo::new();
    repo.foretaste(&["hook", "install"]);
    repo.stage(&[("data.jsonl", POISON)]);
    let output = git(&repo, &["commit", "-m", "first"]);
    assert!(!output.status.success() && text(&output).contains("invisible-unicode"), "{}", text(&output));
}

#[test]
fn hooks_that_are_there_stay_as_they_are() {
    let repo = Repo::with(&[("a.txt", "x\n")]);
    let hook = repo.dir().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let run = repo.foretaste(&["hook", "install"]);
    assert_eq!(run.code(), 1, "{}", run.all());
    assert!(run.stdout().contains("stays as it is"), "{}", run.all());
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
}

#[test]
fn without_the_binary_the_hook_fails_closed() {
    let repo = repo(Runner::Git);
    repo.stage(&[("data/train.jsonl", CLEAN)]);
    let output = repo.command("git").env("PATH", "/usr/local/bin:/usr/bin:/bin").args(["commit", "-m", "x"]).output();
    let output = output.unwrap();
    assert!(!output.status.success() && text(&output).contains("not on PATH"), "{}", text(&output));
}
