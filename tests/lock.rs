//! The lock from end to end: written, verified, signed, and refused when anything is not as it was.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::{Repo, rules};

const ROWS: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n";
const POLICY: &str = "version: 1\ndatasets:\n  a:\n    files: [\"data/*.jsonl\"]\n    text: [text]\n    label: label\n";

fn locked(policy: &str) -> Repo {
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", policy)]);
    let run = repo.foretaste(&["lock", "--repo", "org/data"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "lock");
    repo
}

#[test]
fn what_is_locked_verifies_until_a_byte_changes() {
    let repo = locked(POLICY);
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    assert!(lock.contains(" 2 data/a.jsonl\n"), "hash, size and number of records: {lock}");
    let run = repo.foretaste(&["verify"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert!(repo.foretaste(&["lock"]).stdout().contains("up to date"));

    repo.write(&[("data/a.jsonl", &ROWS.replace("greet", "leave"))]);
    let (code, report) = repo.json(&["verify"]);
    assert_eq!((code, rules(&report)), (1, vec!["digest-mismatch".to_owned()]), "{report}");
    assert_eq!(report["findings"][0]["evidence"]["finding"], "hash-mismatch");
    // The hook says the same of what is staged, and is content once the lock goes with it.
    repo.git(&["add", "--all"]);
    assert!(rules(&repo.json(&["check", "--staged"]).1).contains(&"digest-mismatch".to_owned()));
    repo.foretaste(&["lock"]);
    repo.git(&["add", "--all"]);
    let (_, report) = repo.json(&["check", "--staged"]);
    assert!(!rules(&report).contains(&"digest-mismatch".to_owned()), "{report}");
}

#[test]
fn files_that_come_and_go_are_told() {
    let repo = locked(POLICY);
    repo.write(&[("data/b.jsonl", ROWS)]);
    std::fs::remove_file(repo.dir().join("data/a.jsonl")).unwrap();
    let (code, report) = repo.json(&["verify"]);
    let kinds: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|f| f["evidence"]["finding"].as_str().unwrap()).collect();
    assert_eq!(code, 1);
    assert!(kinds.contains(&"file-not-locked") && kinds.contains(&"locked-file-missing"), "{report}");
    std::fs::remove_file(repo.dir().join("foretaste.lock")).unwrap();
    assert_eq!(repo.foretaste(&["verify"]).code(), 2, "without a lock there is nothing to verify");
}

/// A repository whose policy asks for one signature by a key that was just made.
fn signed() -> (Repo, String) {
    let repo = Repo::new();
    let key = repo.beside("alice.key");
    let run = repo.foretaste(&["key", "--no-password", key.to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.all());
    let public = std::fs::read_to_string(repo.beside("alice.key.pub")).unwrap();
    let public = public.lines().nth(1).unwrap();
    assert_eq!(public.len(), 56);
    let policy = format!(
        "{POLICY}keys:\n  alice: {{minisign: \"{public}\", principal: alice@example.org}}\nrequire: {{signatures: 1}}\n"
    );
    repo.commit(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy)], "first");
    repo.foretaste(&["lock", "--repo", "org/data"]);
    let run = repo.foretaste(&["sign", "--key", key.to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "lock and sign");
    (repo, public.to_owned())
}

fn signature(repo: &Repo) -> std::path::PathBuf {
    let mut found = std::fs::read_dir(repo.dir()).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|e| e == "minisig")).expect("a signature was written")
}

#[test]
fn a_signature_counts_until_anything_it_speaks_of_changes() {
    let (repo, _) = signed();
    let run = repo.foretaste(&["verify"]);
    assert_eq!(run.code(), 0, "{}", run.all());

    // Locked again and not signed again: the old signature does not carry over.
    repo.write(&[("data/a.jsonl", &ROWS.replace("greet", "leave"))]);
    repo.foretaste(&["lock"]);
    let (code, report) = repo.json(&["verify"]);
    assert_eq!(code, 1, "{report}");
    assert_eq!(rules(&report), ["bad-signature", "bad-signature"], "bad, and none left: {report}");

    // Without the file none is there.
    std::fs::remove_file(signature(&repo)).unwrap();
    let (_, report) = repo.json(&["verify"]);
    assert_eq!(report["findings"][0]["evidence"]["finding"], "signature-missing", "{report}");
}

#[test]
fn a_key_that_the_change_brings_with_it_does_not_count() {
    let (repo, _) = signed();
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    let mallory = repo.beside("mallory.key");
    repo.foretaste(&["key", "--no-password", mallory.to_str().unwrap()]);
    let public = std::fs::read_to_string(repo.beside("mallory.key.pub")).unwrap();
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let line =
        format!("keys:\n  mallory: {{minisign: \"{}\", principal: m@example.org}}\n", public.lines().nth(1).unwrap());
    std::fs::remove_file(signature(&repo)).unwrap();
    repo.write(&[
        ("foretaste.yaml", &policy.replace("keys:\n", &line)),
        ("data/a.jsonl", &ROWS.replace("greet", "leave")),
    ]);
    repo.foretaste(&["lock"]);
    repo.foretaste(&["sign", "--key", mallory.to_str().unwrap()]);
    repo.commit(&[], "my data, my key");
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert_eq!(code, 1, "{report}");
    assert!(rules(&report).contains(&"bad-signature".to_owned()), "{report}");
    assert!(rules(&report).contains(&"policy-loosened".to_owned()), "{report}");
}

#[test]
fn a_key_is_never_overwritten() {
    let repo = Repo::new();
    let key = repo.beside("k.key");
    assert_eq!(repo.foretaste(&["key", "--no-password", key.to_str().unwrap()]).code(), 0);
    let before = std::fs::read(&key).unwrap();
    assert_eq!(repo.foretaste(&["key", "--no-password", key.to_str().unwrap()]).code(), 2);
    assert_eq!(std::fs::read(&key).unwrap(), before);
}

#[test]
#[ignore = "needs minisign"]
fn minisign_verifies_ours_and_we_verify_its() {
    let (repo, public) = signed();
    let file = signature(&repo);
    let output = repo
        .command("minisign")
        .args(["-V", "-H", "-P", &public, "-m", "foretaste.lock", "-x"])
        .arg(&file)
        .output()
        .expect("minisign is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // The same comment, signed by minisign itself.
    let text = std::fs::read_to_string(&file).unwrap();
    let comment = text.lines().nth(2).unwrap().strip_prefix("trusted comment: ").unwrap().to_owned();
    std::fs::remove_file(&file).unwrap();
    let output = repo
        .command("minisign")
        .args(["-S", "-m", "foretaste.lock", "-t", &comment, "-s"])
        .arg(repo.beside("alice.key"))
        .arg("-x")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = repo.foretaste(&["verify"]);
    assert_eq!(run.code(), 0, "{}", run.all());
}

#[test]
fn a_lock_of_another_repository_is_refused_with_its_signatures() {
    // Two repositories of one team, with the same keys and the same data.
    let (other, _) = signed();
    let policy = std::fs::read_to_string(other.dir().join("foretaste.yaml")).unwrap();
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &format!("{policy}repo: org/here\n"))]);
    for path in [other.dir().join("foretaste.lock"), signature(&other)] {
        std::fs::copy(&path, repo.dir().join(path.file_name().unwrap())).unwrap();
    }
    repo.commit(&[], "what was signed elsewhere");
    for arguments in [&["verify"][..], &["check", "--rev", "HEAD"], &["check"]] {
        let (code, report) = repo.json(arguments);
        let findings: Vec<_> =
            report["findings"].as_array().unwrap().iter().map(|f| &f["evidence"]["finding"]).collect();
        assert_eq!((code, findings), (1, vec![&"signature-missing".into(), &"lock-of-another-repository".into()]));
    }
    let key = other.beside("alice.key");
    let run = repo.foretaste(&["sign", "--key", key.to_str().unwrap()]);
    assert_eq!(run.code(), 2, "a signature that cannot count is not made: {}", run.all());
    assert!(run.stderr().contains("org/here"), "{}", run.stderr());
    let run = repo.foretaste(&["lock", "--repo", "org/elsewhere"]);
    assert!(run.code() == 2 && run.stderr().contains("repo: org/here"), "{}", run.all());

    // The name comes from the policy, over the lock that is there.
    std::fs::remove_file(signature(&repo)).unwrap();
    assert_eq!(repo.foretaste(&["lock"]).code(), 0);
    assert!(std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap().contains("\nrepo org/here\n"));
    assert_eq!(repo.foretaste(&["sign", "--key", key.to_str().unwrap()]).code(), 0);
    repo.commit(&[], "signed here");
    assert_eq!(repo.json(&["verify"]).0, 0);
}

#[test]
fn a_name_that_no_lock_can_carry_is_a_policy_error() {
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\nrepo: our data\n")]);
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("foretaste.yaml:2:7"), "{}", run.stderr());
}
