//! What a run leaves behind: a receipt, which counts for this run, this data and a command that ended well.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::Repo;
use support::lock::{POLICY, ROWS, findings};

/// A repository with a run `sft`, locked, and the key that its receipts are signed with.
fn trained(words: &str) -> (Repo, String) {
    let repo = Repo::new();
    let key = repo.beside("ana.key").to_str().unwrap().to_owned();
    repo.foretaste(&["key", "--no-password", &key]);
    let public = std::fs::read_to_string(repo.beside("ana.key.pub")).unwrap();
    let public = public.lines().nth(1).unwrap();
    let policy = format!(
        "{POLICY}keys:\n  a: {{minisign: \"{public}\", principal: ana@example.org}}\nruns:\n  sft: {{datasets: [a]{words}}}\n"
    );
    repo.commit(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy)], "first");
    repo.foretaste(&["lock", "--repo", "org/data"]);
    repo.commit(&[], "lock");
    (repo, key)
}

fn run(repo: &Repo, key: &str, command: &[&str]) -> (i32, String) {
    let run = repo.foretaste(&[&["verify", "--run", "sft", "--key", key, "--"], command].concat());
    (run.code(), run.all())
}

fn told(repo: &Repo) -> (i32, Vec<String>) {
    let (code, report) = repo.json(&["verify"]);
    (code, findings(&report).into_iter().map(str::to_owned).collect())
}

fn receipt(repo: &Repo) -> std::path::PathBuf {
    repo.dir().join("foretaste.run.sft.json")
}

#[test]
fn a_run_begins_only_where_everything_verifies_and_leaves_a_receipt() {
    let (repo, key) = trained("");
    assert_eq!(told(&repo), (0, vec!["run-without-receipt".to_owned()]));
    assert_eq!(run(&repo, &key, &["git", "--version"]).0, 0);
    repo.commit(&[], "a run");
    assert_eq!(told(&repo), (0, vec![]));
    let (code, report) = repo.json(&["verify", "--as-of", "2045-01-01"]);
    assert_eq!((code, findings(&report)), (0, vec![]), "what was done stays done: {report}");

    // A receipt that says something else than what was signed.
    let text = std::fs::read_to_string(receipt(&repo)).unwrap();
    std::fs::write(receipt(&repo), text.replace("\"hash\": \"sha256\"", "\"hash\": \"blake3\"")).unwrap();
    assert_eq!(told(&repo), (1, vec!["receipt-bad".to_owned()]));
    std::fs::remove_file(receipt(&repo)).unwrap();
    repo.write(&[("data/a.jsonl", &ROWS.replace("greet", "leave"))]);
    assert_eq!(run(&repo, &key, &["git", "--version"]).0, 1);
    assert!(!receipt(&repo).exists(), "nothing was begun");
    assert_eq!(repo.foretaste(&["verify", "--run", "other", "--key", &key, "--", "git"]).code(), 2);
}

#[test]
fn the_receipt_of_a_command_that_failed_shows_no_run() {
    let (repo, key) = trained("");
    let (code, text) = run(&repo, &key, &["git", "no-such-verb"]);
    assert!(code == 1 && text.contains("no finished run"), "{text}");
    repo.commit(&[], "a run that failed");
    assert_eq!(told(&repo), (0, vec!["receipt-of-failed-run".to_owned()]));
}

#[test]
fn a_receipt_does_not_carry_over_to_other_data() {
    let (repo, key) = trained("");
    run(&repo, &key, &["git", "--version"]);
    repo.commit(&[], "a run");
    // A file beside the dataset changes nothing, a row of it does.
    repo.write(&[("data/a.jsonl", &format!("{ROWS}{{\"text\": \"hey\", \"label\": \"greet\"}}\n"))]);
    repo.foretaste(&["lock"]);
    repo.commit(&[], "more rows");
    assert_eq!(told(&repo), (0, vec!["receipt-outdated".to_owned()]));
}

#[test]
fn a_command_that_changes_what_was_verified_leaves_no_receipt() {
    let (repo, key) = trained(", output: out/model");
    // Any command that writes a file does.
    let writes = |path: &str| run(&repo, &key, &["git", "archive", "--output", path, "HEAD"]);
    for path in ["data/a.jsonl", "data/b.jsonl", "foretaste.lock"] {
        let (code, text) = writes(path);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&format!("{path} was changed while the run sft went on")), "{text}");
        assert!(!receipt(&repo).exists());
        repo.git(&["reset", "--quiet", "--hard"]);
        repo.git(&["clean", "--quiet", "-fd"]);
    }
    let (code, text) = run(&repo, &key, &["git", "rm", "--quiet", "data/a.jsonl"]);
    assert!(code == 1 && text.contains("data/a.jsonl was changed while"), "{text}");
    repo.git(&["reset", "--quiet", "--hard"]);
    // What the run makes may be locked, too, and is written anew.
    repo.commit(&[("out/model/weights.bin", "old")], "weights");
    repo.foretaste(&["lock", "out/model/weights.bin"]);
    repo.commit(&[], "lock the weights");
    assert_eq!(writes("out/model/weights.bin").0, 0);
    assert!(receipt(&repo).exists());
}

#[test]
fn a_key_whose_receipt_would_not_count_begins_no_run() {
    let (repo, key) = trained("");
    let other = repo.beside("other.key").to_str().unwrap().to_owned();
    repo.foretaste(&["key", "--no-password", &other]);
    let marker = repo.dir().join("begun");
    for key in [other.as_str(), "no-such-key"] {
        let (code, text) = run(&repo, key, &["git", "archive", "--output", "begun", "HEAD"]);
        assert!(code == 2 && !marker.exists(), "{text}");
    }
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let ended = policy.replace("principal: ana@example.org", "principal: ana@example.org, until: 2025-01-01");
    repo.commit(&[("foretaste.yaml", &ended)], "the key has ended");
    let (code, text) = run(&repo, &key, &["git", "archive", "--output", "begun", "HEAD"]);
    assert!(code == 2 && text.contains("is not valid on") && !marker.exists(), "{text}");
    // Nor a policy of one's own.
    let arguments = ["verify", "--run", "sft", "--key", &key, "--policy", "foretaste.yaml", "--", "git", "--version"];
    assert_eq!(repo.foretaste(&arguments).code(), 2);
}

#[test]
fn a_receipt_counts_for_its_own_run_alone() {
    let beside = Repo::new();
    let seed = ssh_key::private::Ed25519Keypair::from_seed(&[5; 32]);
    let private = ssh_key::PrivateKey::new(ssh_key::private::KeypairData::Ed25519(seed), "").unwrap();
    let secret = beside.beside("id");
    std::fs::write(&secret, private.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes()).unwrap();
    let public = private.public_key().to_openssh().unwrap();
    let policy = format!(
        "{POLICY}keys:\n  a: {{ssh: \"{}\", principal: ana@example.org}}\nruns:\n  sft: {{datasets: [a]}}\n  dpo: {{datasets: [a]}}\n",
        public.trim()
    );
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy)]);
    repo.foretaste(&["lock", "--repo", "org/data"]);
    repo.commit(&[], "lock");
    let run = repo.foretaste(&["verify", "--run", "sft", "--key", secret.to_str().unwrap(), "--", "git", "--version"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    for entry in std::fs::read_dir(repo.dir()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.contains("run.sft") {
            std::fs::copy(entry.path(), repo.dir().join(name.replace("run.sft", "run.dpo"))).unwrap();
        }
    }
    assert_eq!(findings(&repo.json(&["verify"]).1), ["receipt-bad"], "that of another run, with its signature");
}
