//! Signatures of commits and tags, from end to end: made here with git's own objects, judged by the policy's keys alone.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::process::Stdio;

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use support::Repo;

const ROWS: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n";

fn private(seed: u8) -> PrivateKey {
    PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
}

fn public(seed: u8) -> String {
    private(seed).public_key().to_openssh().unwrap().trim().to_owned()
}

fn policy(key: &str) -> String {
    format!(
        "version: 1\ndatasets:\n  a: {{files: [\"data/*.jsonl\"], text: text, label: label}}\n\
         keys:\n  ana: {{ssh: \"{}\", principal: ana@example.org{key}}}\nrequire: {{signed_commits: true}}\n",
        public(1)
    )
}

fn armour(seed: u8, bytes: &str) -> String {
    private(seed).sign("git", HashAlg::Sha512, bytes.as_bytes()).unwrap().to_pem(LineEnding::LF).unwrap()
}

/// Writes an object and gives its id.
fn object(repo: &Repo, kind: &str, text: &str) -> String {
    let mut command = repo.command("git");
    command.args(["hash-object", "-t", kind, "-w", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Puts a signature into the header of the commit at HEAD, after `change` had its way with what is signed.
fn sign_with(repo: &Repo, armour: impl Fn(&str) -> String, change: impl Fn(String) -> String) -> String {
    let commit = change(repo.git(&["cat-file", "commit", "HEAD"]));
    let (head, message) = commit.split_once("\n\n").unwrap();
    let header = armour(&commit).trim_end().replace('\n', "\n ");
    let id = object(repo, "commit", &format!("{head}\ngpgsig {header}\n\n{message}"));
    repo.git(&["reset", "--quiet", "--soft", &id]);
    id
}

fn sign(repo: &Repo, seed: u8) -> String {
    sign_with(repo, |text| armour(seed, text), |commit| commit)
}

fn findings(report: &serde_json::Value) -> Vec<&str> {
    let of = |f: &serde_json::Value| f["rule"] == "bad-signature";
    let all = report["findings"].as_array().unwrap().iter().filter(|f| of(f));
    all.map(|f| f["evidence"]["finding"].as_str().unwrap()).collect()
}

/// A repository whose policy asks for signed commits, on a branch that changes data.
fn changed(key: &str) -> Repo {
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy(key))]);
    sign(&repo, 1);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("data/a.jsonl", &ROWS.replace("bye", "so long"))], "Change a row");
    repo
}

fn judged(repo: &Repo) -> Vec<String> {
    let (_, report) = repo.json(&["check", "--range", "main..change"]);
    assert!(report["unread"].as_array().unwrap().is_empty(), "{report}");
    findings(&report).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_change_of_data_counts_by_a_listed_key_alone() {
    let repo = changed("");
    let plain = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let again = || repo.git(&["reset", "--quiet", "--soft", &plain]);
    assert_eq!(judged(&repo), ["signature-missing"]);
    sign(&repo, 1);
    assert_eq!(judged(&repo), [""; 0]);
    again();
    sign(&repo, 2);
    assert_eq!(judged(&repo), ["signature-unknown-key"]);
    again();
    sign_with(&repo, |text| armour(1, &text.replace("Change", "change")), |commit| commit);
    assert_eq!(judged(&repo), ["signature-bad"]);
    again();
    let pgp = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEE\n-----END PGP SIGNATURE-----\n";
    sign_with(&repo, |_| pgp.to_owned(), |commit| commit);
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert_eq!((code, findings(&report)), (1, vec!["signature-not-judged"]), "{report}");
    // What touches no data needs no signature.
    again();
    sign(&repo, 1);
    repo.commit(&[("README.md", "words\n")], "Words");
    assert_eq!(judged(&repo), [""; 0]);
    repo.commit(&[("foretaste.yaml", &policy(", roles: [x]"))], "Policy");
    assert_eq!(judged(&repo), ["signature-missing"], "the policy does");
}

#[test]
fn a_past_date_on_a_new_commit_wakes_no_old_key() {
    let repo = changed(", until: 2025-11-01");
    // The day of the run is in 2026, the dates of the commits are in October 2025.
    sign(&repo, 1);
    assert_eq!(judged(&repo), ["signature-expired-key"], "backdated");
    // On the trusted side the same commit keeps what it was worth.
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--ff-only", "change"]);
    let (_, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!(findings(&report), [""; 0], "{report}");
    let late = |commit: String| commit.replace("> 17600", "> 17700");
    repo.commit(&[("data/a.jsonl", ROWS)], "Back");
    sign_with(&repo, |text| armour(1, text), late);
    let (_, report) = repo.json(&["check", "--rev", "HEAD"]);
    assert_eq!(findings(&report), ["signature-expired-key"], "{report}");
}

#[test]
fn what_landed_past_every_review_is_found_before_training_and_in_the_audit() {
    let repo = Repo::with(&[("data/a.jsonl", "{\"text\": \"old\", \"label\": \"greet\"}\n")]);
    let ancient = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repo.commit(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy(""))], "Policy");
    repo.foretaste(&["lock", "--repo", "org/data"]);
    repo.commit(&[], "Lock");
    sign(&repo, 1);
    assert_eq!(findings(&repo.json(&["verify"]).1), [""; 0], "what is older than the question needs no signature");
    // A branch from before the policy, with rows of its own and even a policy, merged as the first parent.
    repo.git(&["checkout", "--quiet", "-b", "side", &ancient]);
    let other = policy("").replace("ana@", "eve@");
    let poison = repo.commit(&[("data/b.jsonl", ROWS), ("foretaste.yaml", &other)], "Poison");
    repo.git(&["merge", "--quiet", "--no-commit", "-X", "theirs", "-s", "recursive", "main"]);
    repo.git(&["checkout", "main", "--", "foretaste.yaml", "foretaste.lock", "data/a.jsonl"]);
    repo.commit(&[], "Merge");
    sign(&repo, 1);
    for arguments in [&["verify"][..], &["check", "--rev", "HEAD"], &["audit"]] {
        let (_, report) = repo.json(arguments);
        assert!(findings(&report).contains(&"signature-missing"), "{arguments:?}: {report}");
        assert!(report.to_string().contains(&poison), "{arguments:?}: {report}");
    }
}

#[test]
fn a_merge_that_is_about_to_be_committed_is_judged_by_what_it_brings() {
    let repo = changed("");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "change"]);
    let (_, report) = repo.json(&["check", "--staged"]);
    assert_eq!(findings(&report), ["signature-missing"], "{report}");
    repo.git(&["merge", "--abort"]);
    repo.git(&["checkout", "--quiet", "change"]);
    sign(&repo, 1);
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "change"]);
    assert_eq!(findings(&repo.json(&["check", "--staged"]).1), [""; 0]);
}

#[test]
fn a_tag_is_judged_by_its_own_signature() {
    let repo = changed("");
    sign(&repo, 1);
    let id = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let text = format!("object {id}\ntype commit\ntag v1\ntagger Ana <ana@example.org> 1760000000 +0000\n\nFirst\n");
    for (name, seed, expected) in
        [("v1", Some(1), &[][..]), ("v2", Some(2), &["signature-unknown-key"]), ("v3", None, &["signature-missing"])]
    {
        let text = text.replace("tag v1", &format!("tag {name}"));
        let tag = seed.map_or_else(|| text.clone(), |seed| format!("{text}{}", armour(seed, &text)));
        repo.git(&["update-ref", &format!("refs/tags/{name}"), &object(&repo, "tag", &tag)]);
        let (_, report) = repo.json(&["check", "--rev", name]);
        assert_eq!(findings(&report), expected, "{name}: {report}");
    }
    // A good tag under the name of another would pass an old version off as a new one.
    repo.git(&["update-ref", "refs/tags/v9", "refs/tags/v1"]);
    assert_eq!(findings(&repo.json(&["check", "--rev", "v9"]).1), ["signature-bad"]);
}

#[test]
fn an_audit_judges_every_annotated_tag_since_the_policy_asks() {
    let repo = Repo::with(&[("data/a.jsonl", ROWS)]);
    repo.git(&["tag", "-a", "-m", "Before", "v0"]);
    repo.commit(&[("foretaste.yaml", &policy(""))], "Policy");
    sign(&repo, 1);
    repo.git(&["tag", "light"]);
    assert_eq!(findings(&repo.json(&["audit"]).1), [""; 0], "older than the question, and one that is only a name");
    repo.git(&["tag", "-a", "-m", "First", "v1"]);
    repo.git(&["tag", "-a", "-m", "A tag of a tag", "v2", "v1"]);
    let (code, report) = repo.json(&["audit"]);
    assert_eq!((code, findings(&report)), (1, vec!["signature-missing"]), "{report}");
    assert!(
        report.to_string().contains("\"name\":\"v2\"") && !report.to_string().contains("\"name\":\"v0\""),
        "{report}"
    );
    // Signed, and altered since; under a policy that does not ask, that is told all the same.
    let text = repo.git(&["cat-file", "tag", "v1"]);
    repo.git(&["tag", "-d", "v1", "v2"]);
    repo.git(&["update-ref", "refs/tags/v1", &object(&repo, "tag", &format!("{text}{}", armour(1, &text)))]);
    assert_eq!(findings(&repo.json(&["audit"]).1), [""; 0]);
    let other = text.replace("First", "Last");
    repo.git(&["update-ref", "refs/tags/v1", &object(&repo, "tag", &format!("{other}{}", armour(1, &text)))]);
    assert_eq!(findings(&repo.json(&["audit"]).1), ["signature-bad"]);
}

#[test]
fn without_the_requirement_only_what_is_broken_is_told() {
    let repo = Repo::with(&[
        ("data/a.jsonl", ROWS),
        ("foretaste.yaml", &policy("").replace("commits: true", "commits: false")),
    ]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("data/a.jsonl", &ROWS.replace("bye", "so long"))], "Change a row");
    assert_eq!(judged(&repo), [""; 0]);
    sign_with(&repo, |text| armour(1, &text.replace("Change", "change")), |commit| commit);
    assert_eq!(judged(&repo), ["signature-bad"]);
}

#[test]
#[ignore = "needs ssh-keygen"]
fn git_says_the_same_of_ours_and_we_of_its() {
    let repo = changed("");
    let signers = repo.beside("signers");
    std::fs::write(&signers, format!("ana@example.org namespaces=\"git\" {}\n", public(1))).unwrap();
    let secret = repo.beside("id");
    std::fs::write(&secret, private(1).to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    let restricted = repo.command("chmod").arg("600").arg(&secret).status().unwrap();
    assert!(restricted.success());
    repo.git(&["config", "gpg.format", "ssh"]);
    repo.git(&["config", "gpg.ssh.allowedSignersFile", signers.to_str().unwrap()]);
    repo.git(&["config", "user.signingKey", secret.to_str().unwrap()]);
    let holds = || repo.command("git").args(["verify-commit", "HEAD"]).output().unwrap().status.success();
    let plain = repo.git(&["rev-parse", "HEAD"]).trim().to_owned();
    // Ours, whole and altered.
    sign(&repo, 1);
    assert!(holds());
    for change in [("Change", "change"), ("ana@", "Ana@")] {
        repo.git(&["reset", "--quiet", "--soft", &plain]);
        sign_with(&repo, |text| armour(1, &text.replace(change.0, change.1)), |commit| commit);
        assert!(!holds());
        assert_eq!(judged(&repo), ["signature-bad"]);
    }
    // Its own.
    repo.git(&["reset", "--quiet", "--soft", &plain]);
    repo.git(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    assert!(holds());
    assert_eq!(judged(&repo), [""; 0]);
    repo.git(&["tag", "-s", "-m", "First\n\nwith a body", "v1"]);
    assert!(repo.command("git").args(["verify-tag", "v1"]).output().unwrap().status.success());
    assert_eq!(findings(&repo.json(&["check", "--rev", "v1"]).1), [""; 0]);
}
