//! The README is true: its table of rules is what `foretaste explain` prints, and its commands work.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::Repo;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_table_of_rules_is_what_explain_prints() {
    let readme = readme();
    let (_, rest) = readme.split_once("a test -->\n").expect("the README marks its table");
    let (table, _) = rest.split_once("<!-- /rules -->").expect("the README marks the end of its table");
    let explained = Repo::new().foretaste(&["explain"]).stdout();
    assert_eq!(table.trim(), explained.trim(), "put the output of `foretaste explain` into the README");
}

#[test]
fn every_command_of_foretaste_in_the_readme_works() {
    let readme = readme();
    let mut run = 0;
    // In blocks, and in code spans of the tables.
    let blocks = readme
        .split("```sh\n")
        .skip(1)
        .filter(|block| !in_order(&readme).starts_with(block.split("```").next().unwrap_or_default()))
        .flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    let spans =
        readme.lines().filter(|line| line.starts_with("| ")).flat_map(|line| line.split('`').skip(1).step_by(2));
    for command in blocks.chain(spans).filter(|command| command.starts_with("foretaste ") && !command.contains("RULE"))
    {
        let repo = Repo::with(&[
            ("data/a.jsonl", "{\"text\": \"hi\", \"label\": \"greet\"}\n"),
            ("train.csv", "text,label\nhi,a\n"),
        ]);
        repo.git(&["tag", "v2"]);
        repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = repo.foretaste(&arguments);
        assert!(output.code() == 0, "{command}: {}", output.all());
        run += 1;
    }
    assert!(run >= 8, "{run} commands were run");
}

/// The commands that build on each other.
fn in_order(readme: &str) -> &str {
    let (_, block) = readme.split_once("<!-- in this order -->\n```sh\n").expect("the README marks them");
    block.split("```").next().unwrap_or_default()
}

#[test]
fn the_commands_that_lock_and_sign_work_in_their_order() {
    let readme = readme();
    let repo = Repo::with(&[("data/a.jsonl", "{\"text\": \"hi\", \"label\": \"greet\"}\n")]);
    let lines = in_order(&readme).lines();
    let mut run = 0;
    for line in lines {
        let command = line.split(" #").next().unwrap_or_default();
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = repo.foretaste(&arguments);
        assert!(output.code() == 0, "{command}: {}", output.all());
        run += 1;
    }
    assert_eq!(run, 5);
}

#[test]
fn every_command_of_cargo_in_the_readme_is_run_by_the_gate() {
    let gate = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    let readme = readme();
    let blocks =
        readme.split("```sh\n").skip(1).flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    for command in blocks.filter(|line| line.starts_with("cargo ")) {
        assert!(gate.contains(command), "{command} is not run by .ci/run");
    }
}
