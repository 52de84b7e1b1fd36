//! A repository of another owner is read only where a person says so.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use support::Repo;

#[test]
#[ignore = "needs root, to give a repository to somebody else"]
fn a_repository_of_another_owner_needs_the_flag_that_the_error_names() {
    let repo = Repo::with(&[("data/a.jsonl", "{\"text\": \"hello\", \"label\": \"greet\"}\n")]);
    assert!(repo.command("chown").args(["-R", "65534", "."]).status().unwrap().success(), "this test runs as root");
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 2, "{}", run.all());
    let top = repo.dir().canonicalize().unwrap();
    let way_out = format!("--safe-directory {}", top.display());
    assert!(run.stderr().contains(&way_out), "{}", run.stderr());
    for folder in [top.to_str().unwrap(), ".", "*"] {
        for verb in [&["check"][..], &["check", "--rev", "HEAD"], &["hook", "run"], &["lock"]] {
            let run = repo.foretaste(&[verb, &["--safe-directory", folder]].concat());
            assert_eq!(run.code(), 0, "{verb:?} {folder}: {}", run.all());
        }
    }
    assert_eq!(repo.foretaste(&["check", "--safe-directory", "data"]).code(), 2, "a part is not the whole");
}
