//! The register of vendors and the entries of the allowlist, from end to end.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::{Repo, rules};

const ROWS: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n";

fn findings(report: &serde_json::Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().filter_map(|f| f["evidence"]["finding"].as_str()).collect()
}

#[test]
fn a_delivery_needs_a_manifest_that_the_vendor_signed() {
    let repo = Repo::new();
    let key = repo.beside("labelco.key");
    repo.foretaste(&["key", "--no-password", key.to_str().unwrap()]);
    let public = std::fs::read_to_string(repo.beside("labelco.key.pub")).unwrap();
    let public = public.lines().nth(1).unwrap();
    let policy = format!(
        "version: 1\nrepo: org/data\ndatasets:\n  labels: {{files: [\"labels/**/*.jsonl\"], text: [text], label: label}}\nkeys:\n  labelco: \
         {{minisign: \"{public}\", principal: ops@labelco.example}}\nvendors:\n  LabelCo: {{data: [\"labels/**\"], sends: \
         signed-manifest, key: labelco}}\n"
    );
    repo.commit(&[("foretaste.yaml", &policy), ("labels/one/a.jsonl", ROWS)], "a delivery");
    let (code, report) = repo.json(&["check"]);
    assert!(code == 1 && findings(&report).contains(&"delivery-without-manifest"), "{report}");
    assert!(findings(&report).contains(&"evidence-missing"), "the register has gaps: {report}");
    let gaps = report["findings"].as_array().unwrap().iter().find(|f| f["evidence"]["finding"] == "evidence-missing");
    assert_eq!(gaps.unwrap()["places"][0]["path"], "foretaste.yaml");

    use sha2::Digest;
    let hash: String = sha2::Sha256::digest(ROWS).iter().map(|byte| format!("{byte:02x}")).collect();
    repo.write(&[("labels/one/manifest-sha256.txt", &format!("{hash}  a.jsonl\n"))]);
    let (_, report) = repo.json(&["check"]);
    assert!(findings(&report).contains(&"delivery-not-signed"), "{report}");
    let run = repo.foretaste(&[
        "sign",
        "--key",
        key.to_str().unwrap(),
        "--repo",
        "org/data",
        repo.dir().join("labels/one/manifest-sha256.txt").to_str().unwrap(),
    ]);
    assert_eq!(run.code(), 0, "{}", run.all());
    let (code, report) = repo.json(&["check"]);
    assert!(code == 0 && findings(&report) == ["evidence-missing"], "{report}");

    // One row more than what was signed, and a file that was not.
    repo.write(&[("labels/one/a.jsonl", &format!("{ROWS}{ROWS}")), ("labels/one/b.jsonl", ROWS)]);
    let (_, report) = repo.json(&["check"]);
    assert!(
        findings(&report).contains(&"delivery-differs") && findings(&report).contains(&"delivery-not-listed"),
        "{report}"
    );
    // The signature cannot be carried to another folder.
    std::fs::rename(repo.dir().join("labels/one"), repo.dir().join("labels/two")).unwrap();
    repo.write(&[("labels/two/a.jsonl", ROWS)]);
    let (_, report) = repo.json(&["check"]);
    assert!(findings(&report).contains(&"delivery-not-signed"), "{report}");
}

#[test]
fn entries_are_held_to_what_they_say() {
    let policy = "version: 1\ndatasets:\n  a: {files: [\"data/*.jsonl\"], text: [text], label: label, source: news, role: [train]}\n\
                  sources:\n  news: {match: {path: \"data/**\"}, licence: GPL-3.0-only, evidence: {licence_allow: MIT OR CC-BY-4.0}, \
                  scrape: {trust: first-party, max_fraction: 0.2}, allow: {use: [eval]}}\n  unused: {match: {hub: \
                  \"huggingface:acme/x\"}, pin: lock}\nrules:\n  unreviewed-source: {evidence: [licence, reviewer]}\n";
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", policy)]);
    assert_eq!(repo.foretaste(&["lock"]).code(), 0);
    let (code, report) = repo.json(&["check"]);
    let mut found = findings(&report);
    found.sort_unstable();
    assert_eq!(code, 1, "{report}");
    assert!(rules(&report).iter().all(|rule| rule == "unreviewed-source"), "{report}");
    assert_eq!(
        found,
        [
            "evidence-missing",
            "evidence-missing",
            "licence-mismatch",
            "scrape-marked-trusted",
            "scrape-over-fraction",
            "unused-entry",
            "use-not-allowed"
        ],
        "{report}"
    );
}

#[test]
fn who_writes_the_entry_of_a_vendor_alone_has_not_reviewed_it() {
    let entry = |reviewer: &str| {
        format!(
            "version: 1\nvendors:\n  LabelCo: {{data: [\"labels/**\"], reviewer: {reviewer}, reviewed: 2026-10-01}}\n"
        )
    };
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\n")]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("foretaste.yaml", &entry("ana@example.org"))], "review");
    let range = ["check", "--range", "main..HEAD"];
    assert!(findings(&repo.json(&range).1).contains(&"reviewer-is-author"));
    repo.commit(&[("foretaste.yaml", &entry("bob@example.org"))], "by somebody else");
    assert!(!findings(&repo.json(&range).1).contains(&"reviewer-is-author"));
}

#[test]
fn a_run_over_what_nobody_reviewed_is_told_and_the_policy_is_no_configuration() {
    let policy = |review: &str| {
        format!(
            "version: 1\nsources:\n  chats: {{match: {{hub: \"huggingface:acme/*\"}}, licence: MIT{review}}}\nruns:\n  sft: \
             {{config: sft.yaml, base_model: acme/base, datasets: [chats]}}\n"
        )
    };
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let config = format!(
        "base_model: acme/base\nrevision_of_model: {sha}\nadapter: lora\ndatasets:\n- path: acme/chats\n  revision: {sha}\n"
    );
    let repo = Repo::with(&[("foretaste.yaml", &policy("")), ("sft.yaml", &config)]);
    let told = |review: &str| {
        repo.write(&[("foretaste.yaml", &policy(review))]);
        let (code, report) = repo.json(&["check"]);
        assert_eq!(code, 0, "the base model is pinned where it is loaded: {report}");
        findings(&report).contains(&"unreviewed-dataset")
    };
    assert!(told("") && told(", reviewer: bob@example.org"));
    assert!(told(", reviewer: bob@example.org, reviewed: 2024-10-01, expires: 2025-10-01"));
    assert!(!told(", reviewer: bob@example.org, reviewed: 2024-10-01"));
}
