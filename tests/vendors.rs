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
