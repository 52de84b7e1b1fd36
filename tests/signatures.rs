//! Signatures of the lock from end to end: by whom, for which repository, how many, and what a run leaves behind.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::lock::{POLICY, ROWS, findings};
use support::{Repo, rules};

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

/// A repository whose policy lists these keys, and asks for `require`; locked, and not signed.
fn keyed(keys: &str, require: &str) -> Repo {
    let policy = format!("{POLICY}keys:\n{keys}require: {{{require}}}\n");
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", &policy)]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    repo
}

fn minisign_key(repo: &Repo, name: &str) -> (String, String) {
    let key = repo.beside(&format!("{name}.key"));
    repo.foretaste(&["key", "--no-password", key.to_str().unwrap()]);
    let public = std::fs::read_to_string(repo.beside(&format!("{name}.key.pub"))).unwrap();
    (key.to_str().unwrap().to_owned(), public.lines().nth(1).unwrap().to_owned())
}

#[test]
fn a_threshold_counts_people_in_the_right_role_and_not_the_author() {
    let beside = Repo::new();
    let (ana, ana_public) = minisign_key(&beside, "ana");
    let (ana2, ana2_public) = minisign_key(&beside, "ana2");
    let (bob, bob_public) = minisign_key(&beside, "bob");
    let (carl, carl_public) = minisign_key(&beside, "carl");
    let line = |name: &str, public: &str, principal: &str, role: &str| {
        format!("  {name}: {{minisign: \"{public}\", principal: {principal}@example.org, roles: [{role}]}}\n")
    };
    let keys = line("a", &ana_public, "ana", "reviewer")
        + &line("a2", &ana2_public, "ana", "reviewer")
        + &line("b", &bob_public, "bob", "reviewer")
        + &line("c", &carl_public, "carl", "owner");
    let repo = keyed(&keys, "signatures: 2, roles: [reviewer]");
    for key in [&ana, &ana2, &carl] {
        assert_eq!(repo.foretaste(&["sign", "--key", key]).code(), 0);
    }
    repo.commit(&[], "signed thrice");
    let (code, report) = repo.json(&["verify"]);
    assert_eq!((code, findings(&report)), (1, vec!["threshold-not-met"]), "one person in the role: {report}");
    assert_eq!(report["findings"][0]["evidence"]["not_counted"][0]["principal"], "carl@example.org");
    repo.foretaste(&["sign", "--key", &bob]);
    repo.commit(&[], "signed by another");
    assert_eq!(repo.json(&["verify"]).0, 0);

    // Ana wrote the data: where authors do not count, hers is no signature of another.
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    let policy = policy.replace("signatures: 2", "exclude_author: true, signatures: 2");
    repo.write(&[("foretaste.yaml", &policy)]);
    repo.foretaste(&["lock"]);
    for key in [&ana, &bob] {
        repo.foretaste(&["sign", "--key", key]);
    }
    std::fs::read_dir(repo.dir()).unwrap().flatten().for_each(|entry| {
        // Signatures of the lock before.
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if entry.path().extension().is_some_and(|e| e == "minisig") && !text.contains("seq=2 ") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    });
    repo.commit(&[], "authors do not count");
    let (_, report) = repo.json(&["verify"]);
    assert_eq!(findings(&report), ["threshold-not-met"], "{report}");
    assert_eq!(report["findings"][0]["evidence"]["signed_by"][0], "bob@example.org");
}

#[test]
fn signatures_are_asked_for_when_the_policy_says() {
    let beside = Repo::new();
    let (key, public) = minisign_key(&beside, "ana");
    let keys = format!("  a: {{minisign: \"{public}\", principal: ana@example.org}}\n");
    let repo = keyed(&keys, "signatures: 1, signed_at: [merge]");
    repo.foretaste(&["sign", "--key", &key]);
    repo.commit(&[], "signed");
    assert_eq!(repo.json(&["verify"]).0, 0);
    // A change of data locks anew and leaves the signature of the lock before where it is.
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.write(&[("data/a.jsonl", &ROWS.replace("bye", "goodbye"))]);
    repo.foretaste(&["lock"]);
    repo.commit(&[], "a change");
    let (_, report) = repo.json(&["check", "--range", "main..change"]);
    assert!(!rules(&report).contains(&"bad-signature".to_owned()), "{report}");
    let (code, report) = repo.json(&["verify"]);
    assert_eq!((code, rules(&report)), (1, vec!["bad-signature".to_owned(); 2]), "{report}");
    // One that the change brings and that does not hold is told at any time.
    let path = signature(&repo);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("seq=1", "seq=2")).unwrap();
    repo.commit(&[], "forged");
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert!(code == 1 && findings(&report).contains(&"signature-bad"), "{report}");
}

#[test]
fn a_change_of_the_policy_needs_the_keys_before_and_after_it() {
    let beside = Repo::new();
    let (old, old_public) = minisign_key(&beside, "old");
    let (new, new_public) = minisign_key(&beside, "new");
    let line =
        |name: &str, public: &str| format!("  {name}: {{minisign: \"{public}\", principal: {name}@example.org}}\n");
    let repo = keyed(&line("old", &old_public), "policy_change: {signatures: 1}");
    repo.foretaste(&["sign", "--key", &old]);
    repo.commit(&[], "signed");
    repo.git(&["checkout", "--quiet", "-b", "rotate"]);
    let policy = std::fs::read_to_string(repo.dir().join("foretaste.yaml")).unwrap();
    repo.write(&[("foretaste.yaml", &policy.replace(&line("old", &old_public), &line("new", &new_public)))]);
    std::fs::remove_file(signature(&repo)).unwrap();
    repo.foretaste(&["lock"]);
    repo.foretaste(&["sign", "--key", &new]);
    repo.commit(&[], "my own key");
    let range = ["check", "--range", "main..rotate"];
    let (code, report) = repo.json(&range);
    assert!(code == 1 && findings(&report).contains(&"anchor-changed"), "{report}");
    // The holder of the key before stands up for it: by the old keys one, by the new keys the other.
    repo.foretaste(&["sign", "--key", &old]);
    repo.commit(&[], "signed by both");
    let (_, report) = repo.json(&range);
    assert!(!findings(&report).contains(&"anchor-changed"), "{report}");
    let loosened = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "policy-loosened").unwrap();
    assert_eq!(loosened["severity"], "warning", "told, and no error any more: {report}");
}

#[test]
#[ignore = "needs ssh-keygen"]
fn ssh_keygen_verifies_ours_and_we_verify_its() {
    let beside = Repo::new();
    let key = beside.beside("id");
    let made = beside.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&key).status();
    assert!(made.expect("ssh-keygen is installed").success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let keys = format!("  ana: {{ssh: \"{}\", principal: ana@example.org}}\n", public.trim());
    let repo = keyed(&keys, "signatures: 1");
    let run = repo.foretaste(&["sign", "--key", key.to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "signed");
    assert_eq!(repo.json(&["verify"]).0, 0);
    let file = std::fs::read_dir(repo.dir()).unwrap().flatten().map(|entry| entry.path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|e| e == "sshsig")).unwrap();
    let signers = repo.beside("signers");
    std::fs::write(&signers, format!("ana@example.org namespaces=\"foretaste-manifest\" {public}")).unwrap();
    let lock = std::fs::File::open(repo.dir().join("foretaste.lock")).unwrap();
    let output = repo
        .command("ssh-keygen")
        .args(["-Y", "verify", "-n", "foretaste-manifest", "-I", "ana@example.org", "-f"])
        .arg(&signers)
        .arg("-s")
        .arg(&file)
        .stdin(lock)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // The same, made by ssh-keygen itself; in another namespace it counts for nothing.
    for (namespace, code) in [("foretaste-manifest", 0), ("git", 1)] {
        let made = repo
            .command("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .arg(&key)
            .arg("foretaste.lock")
            .status();
        assert!(made.unwrap().success());
        std::fs::rename(repo.dir().join("foretaste.lock.sig"), &file).unwrap();
        repo.commit(&[], "signed by ssh-keygen");
        let (found, report) = repo.json(&["verify"]);
        assert_eq!(found, code, "{namespace}: {report}");
    }
}

#[test]
fn without_a_lock_that_has_to_be_signed_nothing_passes() {
    let (repo, _) = signed();
    repo.git(&["rm", "--quiet", "foretaste.lock"]);
    repo.commit(&[], "no lock, no signature, no question");
    for arguments in [&["check", "--rev", "HEAD"][..], &["check"]] {
        let (code, report) = repo.json(arguments);
        assert_eq!((code, findings(&report)), (1, vec!["lock-unreadable"]), "{report}");
    }
}
