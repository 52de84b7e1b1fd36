//! Policies of folders tighten what lies below them, on whichever side of a change they stand.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Repo;

/// Softened for the whole repository.
const SOFT: &str = "version: 1\nrules: {invisible-unicode: warning}\n";
const STRICT: &str = "version: 1\nrules: {invisible-unicode: error}\n";
const HIDDEN: &str = "{\"text\": \"where is \u{E0048}\u{E0069}my parcel\", \"label\": \"track\"}\n";
const CLEAN: &str = "{\"text\": \"where is my parcel\", \"label\": \"track\"}\n";

/// Severity of the finding of hidden characters; empty without one.
fn severity(report: &Value) -> String {
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings.find(|finding| finding["rule"] == "invisible-unicode");
    found.map(|finding| finding["severity"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn a_folder_is_stricter_in_every_scope() {
    let repo = Repo::with(&[("foretaste.yaml", SOFT), ("data/legal/foretaste.yaml", STRICT), ("README.md", "x\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.stage(&[("data/legal/a/b/rows.jsonl", HIDDEN)]);
    for arguments in [&["check"][..], &["check", "--staged"], &["check", "data/legal/a"]] {
        let (code, report) = repo.json(arguments);
        assert_eq!((code, severity(&report).as_str()), (1, "error"), "{arguments:?}");
    }
    repo.commit(&[], "rows");
    for arguments in [&["check", "--rev", "HEAD"][..], &["check", "--range", &format!("{base}..HEAD")]] {
        let (code, report) = repo.json(arguments);
        assert_eq!((code, severity(&report).as_str()), (1, "error"), "{arguments:?}");
    }
    repo.git(&["mv", "data/legal/a", "data/other"]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, severity(&report).as_str()), (0, "warning"), "elsewhere the policy of the top holds");
}

#[test]
fn a_folder_that_the_change_makes_stricter_is_stricter_at_once() {
    let repo = Repo::with(&[("foretaste.yaml", SOFT)]);
    repo.stage(&[("data/foretaste.yaml", STRICT), ("data/rows.jsonl", HIDDEN)]);
    assert_eq!(severity(&repo.json(&["check", "--staged"]).1), "error");
}

#[test]
fn who_takes_the_policy_of_a_folder_away_is_still_judged_by_it() {
    for how in ["delete", "move", "soften"] {
        let repo = Repo::with(&[("foretaste.yaml", SOFT), ("data/foretaste.yaml", STRICT), ("data/rows.jsonl", CLEAN)]);
        match how {
            "delete" => drop(repo.git(&["rm", "-q", "data/foretaste.yaml"])),
            "move" => drop(repo.git(&["mv", "data/foretaste.yaml", "data/policy.yaml"])),
            _ => repo.write(&[("data/foretaste.yaml", "version: 1\n")]),
        }
        repo.stage(&[("data/rows.jsonl", HIDDEN)]);
        let (code, report) = repo.json(&["check", "--staged"]);
        assert_eq!((code, severity(&report).as_str()), (1, "error"), "{how}");
        assert!(support::rules(&report).contains(&"policy-loosened".to_owned()), "{how}: {report:#}");
        // The same in a range, where trees are compared and not the index.
        repo.commit(&[], "loosen");
        let (code, report) = repo.json(&["check", "--range", "HEAD~1..HEAD"]);
        assert_eq!((code, severity(&report).as_str()), (1, "error"), "{how}");
        assert!(support::rules(&report).contains(&"policy-loosened".to_owned()), "{how}");
    }
}

#[test]
fn what_a_folder_would_permit_is_not_followed_and_said() {
    let repo = Repo::with(&[("data/rows.jsonl", HIDDEN)]);
    let permits = "version: 1\nexclude: [\"data/**\"]\nrules: {invisible-unicode: \"off\"}\n";
    repo.commit(&[("data/foretaste.yaml", permits)], "permit");
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 1, "{}", run.all());
    assert!(run.stdout().contains("data/foretaste.yaml only tightens"), "{}", run.all());
}

#[test]
fn a_broken_policy_of_a_folder_is_refused_and_its_mending_is_not() {
    let repo = Repo::with(&[("data/foretaste.yaml", "version: 1\nrulez: {}\n"), ("data/rows.jsonl", CLEAN)]);
    let run = repo.foretaste(&["check"]);
    assert!(run.code() == 2 && run.stderr().contains("data/foretaste.yaml:2:1"), "{}", run.all());
    repo.stage(&[("data/foretaste.yaml", STRICT)]);
    let run = repo.foretaste(&["check", "--staged"]);
    assert_eq!(run.code(), 0, "{}", run.all());
}
