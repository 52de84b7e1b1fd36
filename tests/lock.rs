//! The lock from end to end: written, verified, and refused when anything is not as it was.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::lock::{POLICY, ROWS, findings};
use support::{Repo, rules};

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
    assert!(lock.contains(" 2 data/a.jsonl\tlabels=greet:1,leave:1\t"), "hash, size, records and labels: {lock}");
    let run = repo.foretaste(&["verify"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert!(repo.foretaste(&["lock"]).stdout().contains("up to date"));

    repo.write(&[("data/a.jsonl", &ROWS.replace("greet", "leave"))]);
    let (code, report) = repo.json(&["verify"]);
    assert_eq!((code, rules(&report)), (1, vec!["digest-mismatch".to_owned()]), "{report}");
    assert_eq!(report["findings"][0]["evidence"]["finding"], "hash-mismatch");
    assert_eq!(report["findings"][0]["evidence"]["files"][0]["labels"][0]["before"], 1, "{report}");
    // The hook says the same of what is staged, and is content once the lock goes with it.
    repo.git(&["add", "--all"]);
    let (_, report) = repo.json(&["check", "--staged"]);
    let stale = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "digest-mismatch").unwrap();
    assert_eq!(stale["evidence"]["finding"], "lock-stale", "the hook offers to lock: {report}");
    assert!(stale["help"].as_str().unwrap().contains("foretaste lock"));
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

#[test]
fn a_name_that_no_lock_can_carry_is_a_policy_error() {
    let repo = Repo::with(&[("foretaste.yaml", "version: 1\nrepo: our data\n")]);
    let run = repo.foretaste(&["check"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("foretaste.yaml:2:7"), "{}", run.stderr());
}

#[test]
fn any_file_can_be_locked_and_attributes_always_are() {
    let repo = Repo::with(&[
        ("data/a.jsonl", ROWS),
        ("foretaste.yaml", POLICY),
        (".gitattributes", "* text=auto\n"),
        ("models/adapter.bin", "weights"),
        (".gitignore", "models/big.bin\n"),
        ("models/big.bin", "more weights"),
    ]);
    let run = repo.foretaste(&["lock", "models/adapter.bin"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    assert!(lock.contains(" - models/adapter.bin\t") && lock.contains(" - .gitattributes\t"), "{lock}");
    repo.foretaste(&["lock"]);
    assert_eq!(std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap(), lock, "it stays locked");
    repo.commit(&[], "lock");
    assert_eq!(repo.foretaste(&["verify"]).code(), 0);
    assert_eq!(repo.foretaste(&["verify", "--blake3"]).code(), 0);
    for (path, text) in [("models/adapter.bin", "Weights"), (".gitattributes", "*.jsonl text eol=crlf\n")] {
        let before = std::fs::read_to_string(repo.dir().join(path)).unwrap();
        repo.write(&[(path, text)]);
        for flags in [&["verify"][..], &["verify", "--blake3"]] {
            let (code, report) = repo.json(flags);
            assert_eq!((code, rules(&report)), (1, vec!["digest-mismatch".to_owned()]), "{report}");
            assert_eq!(report["findings"][0]["places"][0]["path"], path);
        }
        repo.write(&[(path, &before)]);
    }
    repo.write(&[("data/.gitattributes", "*.jsonl filter=evil\n")]);
    let (code, report) = repo.json(&["verify"]);
    assert_eq!(code, 1);
    assert_eq!(report["findings"][0]["evidence"]["finding"], "file-not-locked", "{report}");
}

#[test]
fn the_list_is_the_one_that_sha256sum_checks() {
    let repo = locked(POLICY);
    let sums = repo.foretaste(&["lock", "--sums"]);
    assert_eq!(sums.code(), 0);
    let line = sums.stdout();
    let (hash, path) = line.trim_end_matches('\n').split_once("  ").unwrap();
    assert_eq!((hash.len(), path), (64, "data/a.jsonl"));
    std::fs::write(repo.beside("sums"), &line).unwrap();
    // Where coreutils are there, they agree.
    if let Ok(output) = repo.command("sha256sum").arg("-c").arg(repo.beside("sums")).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn folders_outside_are_locked_under_a_name_and_asked_for() {
    let repo = locked(POLICY);
    let folder = repo.beside("hub");
    std::fs::create_dir_all(folder.join("part")).unwrap();
    std::fs::write(folder.join("part/a.parquet"), "one").unwrap();
    let from = format!("corpus={}", folder.display());
    assert_eq!(repo.foretaste(&["lock", "--from", &from]).code(), 0);
    repo.commit(&[], "lock");
    assert_eq!(repo.foretaste(&["verify", "--from", &from]).code(), 0);
    assert_eq!(repo.foretaste(&["verify", "--blake3", "--from", &from]).code(), 0);
    let (code, report) = repo.json(&["verify"]);
    assert_eq!(code, 3, "what was not looked at is said: {report}");
    assert!(report["unread"][0]["reason"].as_str().unwrap().contains("--from corpus="), "{report}");
    std::fs::write(folder.join("part/a.parquet"), "two").unwrap();
    std::fs::write(folder.join("part/b.parquet"), "three").unwrap();
    let (code, report) = repo.json(&["verify", "--from", &from]);
    let kinds: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|f| f["evidence"]["finding"].as_str().unwrap()).collect();
    assert_eq!((code, kinds), (1, vec!["file-not-locked", "hash-mismatch"]), "{report}");
}

#[test]
fn names_elsewhere_are_resolved_by_a_list_and_never_fetched() {
    let repo = Repo::with(&[
        ("data/a.jsonl", ROWS),
        ("foretaste.yaml", POLICY),
        ("train.py", "from datasets import load_dataset\nload_dataset(\"foretaste-test/chats\")\n"),
    ]);
    let run = repo.foretaste(&["lock"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    assert!(
        run.stdout().contains("git ls-remote https://huggingface.co/datasets/foretaste-test/chats HEAD"),
        "{}",
        run.all()
    );
    let pin = "0123456789abcdef0123456789abcdef01234567";
    std::fs::write(repo.beside("resolved"), format!("dataset huggingface foretaste-test/chats {pin}\n")).unwrap();
    let run = repo.foretaste(&["lock", "--resolved", repo.beside("resolved").to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.all());
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    assert!(lock.contains(&format!("reference dataset huggingface {pin} ")), "{lock}");
    // Once resolved it stays so, without the list.
    repo.foretaste(&["lock"]);
    assert_eq!(std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap(), lock);
}

#[test]
fn a_locked_file_that_becomes_a_link_is_gone() {
    let repo = locked(POLICY);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.write(&[("other/rows.txt", &ROWS.replace("greet", "leave"))]);
    // A link, as git stores it, whatever the file system makes of it.
    std::fs::write(repo.beside("target"), "../other/rows.txt").unwrap();
    let id = repo.git(&["hash-object", "-w", repo.beside("target").to_str().unwrap()]);
    repo.git(&["add", "other"]);
    repo.git(&["update-index", "--cacheinfo", &format!("120000,{},data/a.jsonl", id.trim())]);
    repo.git(&["commit", "--quiet", "--no-verify", "-m", "Link"]);
    let (_, report) = repo.json(&["check", "--range", "main..change"]);
    assert!(findings(&report).contains(&"locked-file-missing"), "{report}");
}

#[test]
fn code_that_names_another_revision_than_the_lock_is_told() {
    let code = |pin: &str| {
        format!("from datasets import load_dataset\nload_dataset(\"foretaste-test/chats\", revision=\"{pin}\")\n")
    };
    let (old, new) = ("0".repeat(40), "1".repeat(40));
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", POLICY), ("train.py", &code(&old))]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    repo.commit(&[], "lock");
    assert_eq!(findings(&repo.json(&["check"]).1), [""; 0]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("train.py", &code(&new))], "Another revision, and nobody signs");
    let (code, report) = repo.json(&["check", "--range", "main..change"]);
    assert_eq!((code, findings(&report)), (1, vec!["reference-not-locked"]), "{report}");
    repo.foretaste(&["lock"]);
    repo.commit(&[], "lock");
    assert_eq!(findings(&repo.json(&["check", "--range", "main..change"]).1), [""; 0]);
}

#[test]
fn an_md5_of_the_publisher_is_kept_and_called_weak() {
    let dvc = "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 78\n  path: a.jsonl\n";
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("data/a.jsonl.dvc", dvc), ("foretaste.yaml", POLICY)]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    assert!(lock.contains("\tpublisher=dvc-md5:0123456789abcdef0123456789abcdef"), "{lock}");
    repo.commit(&[], "lock");
    assert_eq!(findings(&repo.json(&["verify"]).1), ["weak-hash"]);
    // A publisher that says another SHA-256 than what was locked.
    let other =
        lock.replace("dvc-md5:0123456789abcdef0123456789abcdef", &format!("croissant-sha256:{}", "0".repeat(64)));
    repo.write(&[("foretaste.lock", &other)]);
    repo.commit(&[], "lock");
    let (code, report) = repo.json(&["verify"]);
    assert_eq!((code, findings(&report)), (1, vec!["publisher-mismatch"]), "{report}");
}

#[test]
fn what_a_croissant_file_says_of_a_file_is_held_against_it() {
    let card = |sha256: &str| {
        format!(
            "{{\"@context\": {{\"cr\": \"http://mlcommons.org/croissant/\"}}, \"@type\": \"sc:Dataset\", \
             \"conformsTo\": \"http://mlcommons.org/croissant/1.0\", \"name\": \"intents\", \"distribution\": \
             [{{\"@type\": \"cr:FileObject\", \"@id\": \"a\", \"contentUrl\": \"a.jsonl\", \"sha256\": \"{sha256}\"}}]}}\n"
        )
    };
    let repo = Repo::with(&[
        ("data/a.jsonl", ROWS),
        ("data/croissant.json", &card(&"0".repeat(64))),
        ("foretaste.yaml", POLICY),
    ]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    repo.commit(&[], "lock");
    assert_eq!(findings(&repo.json(&["verify"]).1), ["publisher-mismatch"]);
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    let line = lock.lines().find(|line| line.contains(" data/a.jsonl\t")).unwrap();
    let own = line.split(' ').nth(1).unwrap();
    repo.commit(&[("data/croissant.json", &card(own))], "mended");
    assert_eq!(repo.foretaste(&["lock"]).code(), 0);
    repo.commit(&[], "lock");
    assert_eq!(findings(&repo.json(&["verify"]).1), [""; 0]);
}

#[test]
fn what_was_renamed_or_only_converted_is_said_so() {
    let repo = Repo::with(&[("data/a.jsonl", ROWS), ("foretaste.yaml", POLICY)]);
    repo.foretaste(&["lock"]);
    repo.commit(&[], "lock");
    let note = |report: &serde_json::Value| report["findings"][0]["places"][0]["note"].as_str().unwrap().to_owned();
    repo.write(&[("data/a.jsonl", &ROWS.replace('\n', "\r\n"))]);
    let (code, report) = repo.json(&["verify"]);
    assert!(code == 1 && note(&report).contains("only the line ends differ"), "{report}");
    repo.write(&[("data/a.jsonl", &ROWS.replace('\n', "\r\n").replace("bye", "BYE"))]);
    assert!(!note(&repo.json(&["verify"]).1).contains("line ends"));
    repo.write(&[("data/a.jsonl", ROWS), ("data/b.jsonl", ROWS)]);
    assert_eq!(note(&repo.json(&["verify"]).1), "the content that is locked as data/a.jsonl");
    std::fs::remove_file(repo.dir().join("data/a.jsonl")).unwrap();
    assert_eq!(note(&repo.json(&["verify"]).1), "data/a.jsonl under another name");
    repo.git(&["checkout", "--quiet", "data/a.jsonl"]);
    std::fs::remove_file(repo.dir().join("data/b.jsonl")).unwrap();
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    repo.write(&[("foretaste.lock", &lock.replace('\n', "\r\n"))]);
    let (code, report) = repo.json(&["verify"]);
    assert!(code == 1 && report.to_string().contains("line ends were converted"), "{report}");
}
