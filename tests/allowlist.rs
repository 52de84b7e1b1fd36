//! The allowlist, cards and Croissant files, from end to end: one test for each finding.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod support;

use support::Repo;

const ROWS: &str = "{\"text\": \"hello\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n";
const PIN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Finer names of the findings of a report, with their severities, sorted.
fn told(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let name = |f: &serde_json::Value| f["evidence"]["finding"].as_str().or(f["rule"].as_str()).unwrap().to_owned();
    let mut told: Vec<String> = findings.map(|f| format!("{} {}", f["severity"].as_str().unwrap(), name(f))).collect();
    told.sort_unstable();
    told
}

fn call(name: &str) -> String {
    format!("load_dataset(\"{name}\", revision=\"{PIN}\")\n")
}

fn sources(entries: &str) -> String {
    format!("version: 1\nsources:\n{entries}")
}

#[test]
fn a_source_that_is_not_listed_is_refused() {
    let policy = sources("  a: {match: {hub: \"huggingface:acme/chats\"}}\n");
    let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &call("acme/chats"))]);
    assert_eq!(repo.json(&["check"]).0, 0);
    repo.write(&[("train.py", &call("somebody/chats"))]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, told(&report)), (1, vec!["error source-not-allowed".to_owned()]), "{report}");
}

#[test]
fn a_look_alike_of_an_allowed_publisher_is_called_one() {
    let policy = sources("  a: {match: {hub: \"huggingface:acme-research/*\"}}\n");
    for name in ["acme-researrch/chats", "acme_research/chats", "acmeresearch/chats", "acme-rese\u{0430}rch/chats"] {
        let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &call(name))]);
        let (code, report) = repo.json(&["check"]);
        assert_eq!((code, told(&report)[0].as_str()), (1, "error look-alike-org"), "{name}: {report}");
        assert_eq!(report["findings"][0]["evidence"]["looks_like"], "acme-research");
    }
}

#[test]
fn an_entry_that_matches_nothing_is_told_where_everything_was_looked_at() {
    let policy =
        sources("  a: {match: {hub: \"huggingface:acme/chats\"}}\n  b: {match: {hub: \"huggingface:acme/old\"}}\n");
    let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &call("acme/chats"))]);
    repo.foretaste(&["lock"]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, told(&report)), (0, vec!["note unused-entry".to_owned()]), "{report}");
    let place = &report["findings"][0]["places"][0];
    assert_eq!((&place["path"], &place["line"]), (&"foretaste.yaml".into(), &4.into()), "{report}");
    // Of one file, nothing can be said.
    let (_, report) = repo.json(&["check", "train.py"]);
    assert_eq!(told(&report), [""; 0], "{report}");
}

#[test]
fn a_name_rests_before_it_is_trained_on() {
    let policy =
        sources("  a: {match: {hub: \"huggingface:acme/chats\"}}\nrules:\n  unreviewed-source: {min_age_days: 7}\n");
    let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &call("acme/chats"))]);
    repo.foretaste(&["lock", "--as-of", "2026-11-01"]);
    let (_, report) = repo.json(&["check", "--as-of", "2026-11-05"]);
    assert_eq!(told(&report), ["warning too-new"], "{report}");
    assert_eq!(report["findings"][0]["places"][0]["path"], "foretaste.lock");
    let (_, report) = repo.json(&["check", "--as-of", "2026-11-09"]);
    assert_eq!(told(&report), [""; 0], "{report}");
}

#[test]
fn a_review_counts_until_its_last_day() {
    let policy = sources("  a: {match: {hub: \"huggingface:acme/chats\"}, expires: 2026-11-01}\n")
        + "vendors:\n  LabelCo: {data: [\"labels/**\"], expires: 2026-11-01}\n";
    let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &call("acme/chats"))]);
    let expired = |day: &str| {
        let (_, report) = repo.json(&["check", "--as-of", day]);
        told(&report).into_iter().filter(|told| told.ends_with("expired")).collect::<Vec<_>>()
    };
    assert_eq!(expired("2026-11-01"), [""; 0]);
    assert_eq!(expired("2026-11-02"), ["warning review-expired", "warning vendor-review-expired"]);
}

#[test]
fn an_entry_says_where_and_for_what_it_may_be_used_and_how_firmly() {
    let policy = sources(
        "  a: {match: {hub: \"huggingface:acme/chats\"}, allow: {paths: [\"configs/**\"]}}\n  b: {match: {url: \"https://data.acme.org/\"}, pin: sha256}\n",
    );
    let code = format!("{}torch.hub.load_state_dict_from_url('https://data.acme.org/x')\n", call("acme/chats"));
    let repo = Repo::with(&[("foretaste.yaml", &policy), ("train.py", &code)]);
    let (_, report) = repo.json(&["check"]);
    assert!(told(&report).contains(&"warning use-not-allowed".to_owned()), "{report}");
}

#[test]
fn a_scrape_is_never_trusted_and_never_too_much() {
    let policy = "version: 1\ndatasets:\n  news: {files: [\"data/*.jsonl\"], text: [text], label: label, source: news}\nsources:\n  \
                  news: {match: {path: \"data/**\"}, scrape: {trust: third-party, max_fraction: 0.5}}\n";
    let repo = Repo::with(&[("foretaste.yaml", policy), ("data/a.jsonl", ROWS)]);
    repo.foretaste(&["lock"]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!(
        (code, told(&report)),
        (1, vec!["error scrape-marked-trusted".to_owned(), "error scrape-over-fraction".to_owned()]),
        "{report}"
    );
}

#[test]
fn who_brings_a_source_does_not_review_it() {
    let entry = |reviewer: &str| {
        sources(&format!("  a: {{match: {{hub: \"huggingface:acme/chats\"}}, reviewer: {reviewer}}}\n"))
    };
    let repo = Repo::with(&[("foretaste.yaml", &entry("ana@example.org"))]);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    repo.commit(&[("train.py", &call("acme/chats"))], "train on it");
    let (code, report) = repo.json(&["check", "--range", "main..HEAD"]);
    assert_eq!((code, told(&report)), (0, vec!["warning reviewer-is-author".to_owned()]), "{report}");
    assert_eq!(report["findings"][0]["places"][0]["path"], "train.py");
    // That somebody else read it is a claim of its author; that somebody else committed it is not.
    repo.git(&["commit", "--quiet", "--amend", "-m", "train on it\n\nReviewed-by: Bob <bob@example.org>"]);
    assert_eq!(told(&repo.json(&["check", "--range", "main..HEAD"]).1), ["warning reviewer-is-author"]);
    let mut amend = repo.command("git");
    amend.env("GIT_COMMITTER_EMAIL", "bob@example.org").args(["commit", "--quiet", "--amend", "-m", "train on it"]);
    assert!(amend.status().unwrap().success());
    assert_eq!(told(&repo.json(&["check", "--range", "main..HEAD"]).1), [""; 0]);
    // An entry of one's own, reviewed by oneself.
    repo.commit(
        &[(
            "foretaste.yaml",
            &(entry("bob@example.org") + "  b: {match: {hub: \"huggingface:acme/b\"}, reviewer: ana@example.org}\n"),
        )],
        "list",
    );
    let (_, report) = repo.json(&["check", "--range", "HEAD~1..HEAD"]);
    let own = report["findings"].as_array().unwrap().iter().find(|f| f["evidence"]["finding"] == "reviewer-is-author");
    let own = own.unwrap_or_else(|| panic!("{report}"));
    assert_eq!((&own["evidence"]["source"], &own["places"][0]["line"]), (&"b".into(), &4.into()), "{report}");
}

#[test]
fn a_card_that_contradicts_the_entry_is_told_and_fills_in_what_is_missing() {
    let policy = |licence: &str| {
        format!(
            "version: 1\ndatasets:\n  a: {{files: [\"data/*.jsonl\"], text: [text], label: label, source: own}}\nsources:\n  own: \
             {{match: {{path: \"data/**\"}}{licence}}}\nrules:\n  unreviewed-source: {{evidence: [licence]}}\n"
        )
    };
    let card =
        |licence: &str| format!("---\nlicense: {licence}\ntask_categories: [text-classification]\n---\n# Data\n");
    let repo = Repo::with(&[
        ("foretaste.yaml", &policy(", licence: MIT")),
        ("data/a.jsonl", ROWS),
        ("data/README.md", &card("cc-by-nc-4.0")),
    ]);
    let (_, report) = repo.json(&["check"]);
    assert_eq!(told(&report), ["warning licence-mismatch"], "{report}");
    assert_eq!(report["findings"][0]["places"][0]["path"], "data/README.md");
    for (licence, card_says, expected) in [
        (", licence: MIT", "mit", vec![]),
        (", licence: GPL-3.0-or-later", "gpl-3.0", vec![]),
        (", licence: MIT", "other", vec![]),
        (", licence: MIT, evidence: {licence_allow: MIT OR Apache-2.0}", "mit", vec![]),
        (", licence: MIT, evidence: {licence_allow: Apache-2.0}", "mit", vec!["warning licence-mismatch"; 2]),
        ("", "mit", vec!["warning evidence-missing"]),
    ] {
        repo.write(&[("foretaste.yaml", &policy(licence)), ("data/README.md", &card(card_says))]);
        let (_, report) = repo.json(&["check"]);
        assert_eq!(told(&report), expected, "{licence} and {card_says}: {report}");
        if licence.is_empty() {
            assert!(report["findings"][0]["help"].as_str().unwrap().contains("data/README.md says mit"), "{report}");
        }
    }
    let (_, inventory) = repo.json(&["inventory"]);
    assert_eq!(inventory["datasets"][0]["missing"][0], "a licence (data/README.md says mit)", "{inventory}");
}

#[test]
fn a_croissant_file_is_held_to_its_hashes() {
    use sha2::Digest;
    let digest: String = sha2::Sha256::digest(ROWS).iter().map(|byte| format!("{byte:02x}")).collect();
    let croissant = |rest: &str, file: &str| {
        format!(
            "{{\"@context\": {{}}, \"@type\": \"sc:Dataset\", \"license\": \"https://spdx.org/licenses/MIT.html\", {rest}\n\"distribution\": [\n\
             {{\"@type\": \"cr:FileObject\", \"contentUrl\": \"data/a.jsonl\", {file}}}]}}\n"
        )
    };
    let repo = Repo::with(&[
        ("foretaste.yaml", "version: 1\ndatasets:\n  a: {files: [\"data/*.jsonl\"], text: [text], label: label}\n"),
        ("data/a.jsonl", ROWS),
        ("croissant.json", &croissant("", &format!("\"sha256\": \"{digest}\""))),
    ]);
    repo.foretaste(&["lock"]);
    assert_eq!(told(&repo.json(&["check"]).1), [""; 0]);
    let other = digest.replace(['0', '1', '2', '3'], "f");
    for (rest, file, expected) in [
        ("", format!("\"sha256\": \"{other}\""), "error hash-mismatch"),
        ("", "\"sha256\": \"48a7c257f3c90b2a3e529ddd2cca8f4f\"".to_owned(), "warning croissant-bad-digest"),
        ("", "\"md5\": \"48a7c257f3c90b2a3e529ddd2cca8f4f\"".to_owned(), "warning weak-hash"),
        ("\"isLiveDataset\": true,", "\"name\": \"a\"".to_owned(), "warning live-dataset-no-checksum"),
    ] {
        repo.write(&[("croissant.json", &croissant(rest, &file))]);
        let (_, report) = repo.json(&["check"]);
        assert_eq!(told(&report), [expected], "{report}");
        assert_eq!(report["findings"][0]["places"][0]["path"], "croissant.json", "{report}");
    }
    // What the lock has recorded of it is told of the lock, and once.
    repo.write(&[("croissant.json", &croissant("", &format!("\"sha256\": \"{other}\"")))]);
    repo.foretaste(&["lock"]);
    assert_eq!(told(&repo.json(&["check"]).1), ["error publisher-mismatch"]);
}

#[test]
fn an_entry_of_a_list_is_told_with_the_runs_that_train_on_it() {
    let list = r#"{"chats": {"hf_hub_url": "acme/chats"}, "own": {"file_name": "own.json"}}"#;
    let run = "stage: sft\nfinetuning_type: lora\nmodel_name_or_path: ./base\ntemplate: llama3\ndataset: chats,own\n";
    let repo = Repo::with(&[("data/dataset_info.json", list), ("configs/sft.yaml", run)]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, told(&report)), (1, vec!["error unpinned-dataset".to_owned()]), "{report}");
    let places = report["findings"][0]["places"].as_array().unwrap().iter();
    let places: Vec<_> =
        places.map(|place| (place["path"].as_str().unwrap(), place["line"].as_u64().unwrap())).collect();
    assert_eq!(places, [("configs/sft.yaml", 5), ("data/dataset_info.json", 1)], "{report}");
    let (_, inventory) = repo.json(&["inventory"]);
    let references = inventory["references"].as_array().unwrap().iter();
    let run: Vec<_> = references
        .filter(|r| r["path"] == "configs/sft.yaml" && r["kind"] == "dataset")
        .map(|r| format!("{} {}", r["verdict"].as_str().unwrap(), r["target"].as_str().unwrap()))
        .collect();
    assert_eq!(run, ["unpinned acme/chats", "local own.json"], "{inventory}");
}

#[test]
fn a_submodule_with_data_that_follows_a_branch_floats() {
    let modules =
        "[submodule \"sets\"]\n\tpath = sets\n\turl = https://huggingface.co/datasets/acme/sets\n\tbranch = main\n";
    let workflow =
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: git submodule update --init --remote\n";
    let repo = Repo::with(&[(".gitmodules", modules)]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, told(&report)), (0, vec!["note floating-submodule".to_owned()]), "{report}");
    repo.write(&[(".github/workflows/train.yml", workflow)]);
    let (_, report) = repo.json(&["check"]);
    assert_eq!(told(&report), ["error floating-submodule", "note floating-submodule"], "{report}");
}
