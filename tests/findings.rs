//! The finer names of findings: every one that the facts about provenance list is told by the code and shown by a test.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use support::Repo;

const PIN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Findings of `evidence.finding`, with the rule that tells each.
const NAMES: [(&str, &str); 38] = [
    ("unpinned-dataset", "unpinned-reference"),
    ("unpinned-model", "unpinned-reference"),
    ("unpinned-url", "unpinned-reference"),
    ("unpinned-code", "unpinned-reference"),
    ("weak-pin", "unpinned-reference"),
    ("weak-hash", "unpinned-reference"),
    ("floating-submodule", "unpinned-reference"),
    ("unpinned-image", "unpinned-reference"),
    ("remote-code", "unpinned-reference"),
    ("source-not-allowed", "unlisted-source"),
    ("source-underspecified-pin", "unreviewed-source"),
    ("evidence-missing", "unreviewed-source"),
    ("review-expired", "unlisted-source"),
    ("vendor-review-expired", "unvetted-vendor"),
    ("exception-expired", "unreviewed-source"),
    ("licence-mismatch", "unreviewed-source"),
    ("use-not-allowed", "unreviewed-source"),
    ("look-alike-org", "unlisted-source"),
    ("org-renamed", "unlisted-source"),
    ("too-new", "unreviewed-source"),
    ("unused-entry", "unreviewed-source"),
    ("scrape-marked-trusted", "unreviewed-source"),
    ("scrape-over-fraction", "unreviewed-source"),
    ("anchor-changed", "bad-signature"),
    ("hash-mismatch", "digest-mismatch"),
    ("file-not-locked", "digest-mismatch"),
    ("locked-file-missing", "digest-mismatch"),
    ("lock-stale", "digest-mismatch"),
    ("lock-rollback", "digest-mismatch"),
    ("signature-bad", "bad-signature"),
    ("signature-unknown-key", "bad-signature"),
    ("signature-expired-key", "bad-signature"),
    ("signature-revoked-key", "bad-signature"),
    ("signature-missing", "bad-signature"),
    ("threshold-not-met", "bad-signature"),
    ("live-dataset-no-checksum", "unpinned-reference"),
    ("croissant-bad-digest", "unpinned-reference"),
    ("model-mismatch", "bad-signature"),
];

/// The text of every Rust file below a folder, the tests in them apart from the rest.
fn texts(folder: &Path, code: &mut String, tests: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            texts(&path, code, tests);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
            let (own, rest) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            match is_test {
                true => tests.push_str(&text),
                false => {
                    code.push_str(own);
                    tests.push_str(rest);
                }
            }
        }
    }
}

#[test]
fn every_name_is_told_by_the_code_and_shown_by_a_test() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut code, mut tests) = (String::new(), String::new());
    texts(&top.join("src"), &mut code, &mut tests);
    // This table is no proof of itself.
    let own = fs::read_to_string(top.join(file!())).unwrap();
    let all = fs::read_dir(top.join("tests")).unwrap().map(|entry| entry.unwrap().path());
    for path in all.filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = fs::read_to_string(path).unwrap();
        tests.push_str(if text == own { own.split_once("];\n").unwrap().1 } else { &text });
    }
    for (name, rule) in NAMES {
        assert!(code.contains(&format!("\"{name}\"")), "{name} is told by nothing");
        let shown = [format!("\"{name}\""), format!(" {name}\""), format!("\"{name} ")]
            .iter()
            .any(|quoted| tests.contains(quoted));
        assert!(shown, "no test shows {name}");
        assert!(code.contains(&format!("id: \"{rule}\"")), "{rule} is no rule");
    }
}

/// Findings of a report: rule, finer name and severity, sorted.
fn told(report: &serde_json::Value) -> Vec<String> {
    let words = |f: &serde_json::Value| {
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        format!("{} {} {}", word(&f["severity"]), word(&f["rule"]), word(&f["evidence"]["finding"]))
    };
    let mut told: Vec<String> = report["findings"].as_array().unwrap().iter().map(words).collect();
    told.sort_unstable();
    told
}

#[test]
fn each_kind_of_reference_has_its_name() {
    for (path, text, expected) in [
        ("train.py", "load_dataset(\"acme/chats\")\n", "unpinned-dataset"),
        ("train.py", "AutoModel.from_pretrained(\"acme/model\")\n", "unpinned-model"),
        ("train.py", "evaluate.load(\"acme/metric\")\n", "unpinned-code"),
        ("train.py", "pd.read_csv(\"https://data.acme.org/rows.csv\")\n", "unpinned-url"),
        ("train.py", "load_dataset(\"acme/chats\", revision=\"d05c1cb\")\n", "weak-pin"),
        (
            "train.py",
            &format!("AutoModel.from_pretrained(\"acme/model\", revision=\"{PIN}\", trust_remote_code=True)\n"),
            "remote-code",
        ),
        ("Dockerfile", "FROM acme/train:latest\n", "unpinned-image"),
    ] {
        let repo = Repo::with(&[("README.md", "# Words\n"), (path, text)]);
        let (_, report) = repo.json(&["check"]);
        let names: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|f| f["evidence"]["finding"].as_str().unwrap()).collect();
        assert_eq!(names, [expected], "{text}: {report}");
    }
}

#[test]
fn an_exception_that_has_ended_is_told_at_its_place() {
    let policy = |until: &str| {
        format!(
            "version: 1\nexceptions:\n  - {{rule: unpinned-reference, files: \"old/**\", count: 9, reason: legacy, owner: a@b.c, until: {until}}}\n"
        )
    };
    let repo = Repo::with(&[("foretaste.yaml", &policy("2026-11-01"))]);
    assert_eq!(told(&repo.json(&["check", "--as-of", "2026-11-01"]).1), [""; 0]);
    let (code, report) = repo.json(&["check", "--as-of", "2026-11-02"]);
    assert_eq!((code, told(&report)), (0, vec!["warning unreviewed-source exception-expired".to_owned()]), "{report}");
    let place = &report["findings"][0]["places"][0];
    assert_eq!((&place["path"], &place["line"]), (&"foretaste.yaml".into(), &3.into()), "{report}");
    assert!(report["findings"][0]["help"].as_str().unwrap().contains("a@b.c"), "{report}");
}

#[test]
fn a_publisher_that_was_renamed_is_known_by_the_commit_in_the_trusted_lock() {
    let policy = "version: 1\nsources:\n  a: {match: {hub: \"huggingface:acme/chats\"}}\n";
    let call = |name: &str, pin: &str| format!("load_dataset(\"{name}\", revision=\"{pin}\")\n");
    let repo = Repo::with(&[("foretaste.yaml", policy), ("train.py", &call("acme/chats", PIN))]);
    assert_eq!(repo.foretaste(&["lock", "--repo", "org/data"]).code(), 0);
    let base = repo.commit(&[], "lock");
    let head = |name: &str, pin: &str, lock: &dyn Fn(String) -> String| {
        repo.git(&["reset", "--quiet", "--hard", &base]);
        let text = fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
        let head = repo.commit(&[("train.py", &call(name, pin)), ("foretaste.lock", &lock(text))], "rename");
        let (_, report) = repo.json(&["check", "--range", &format!("{base}..{head}")]);
        let of = |line: &String| line.contains("unlisted-source");
        told(&report).into_iter().filter(of).collect::<Vec<_>>()
    };
    let same = |text: String| text;
    assert_eq!(head("acme-ai-labs/chats", PIN, &same), ["warning unlisted-source org-renamed"]);
    let other = PIN.replace("01", "10");
    assert_eq!(head("acme-ai-labs/chats", &other, &same), ["error unlisted-source source-not-allowed"]);
    let forged = |text: String| text.replace(PIN, &other);
    assert_eq!(
        head("acme-ai-labs/chats", &other, &forged),
        ["error unlisted-source source-not-allowed"],
        "by its own word"
    );
}
