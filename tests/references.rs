//! The worked examples of three public repositories, at the commits at which they were judged by hand.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::path::Path;

use support::Repo;

/// Repository and commit, place, what is written there, verdict; `-` where nothing may be reported.
const WORKED: &[(&str, &str, u64, &str, &str)] = &[
    ("axolotl", "examples/llama-3/lora-1b.yml", 6, "teknium/GPT4-LLM-Cleaned", "unpinned dataset"),
    ("axolotl", "examples/llama-3/lora-1b.yml", 1, "NousResearch/Llama-3.2-1B", "unpinned model"),
    ("axolotl", "examples/llama-3/lora-1b.yml", 3, "", "-"),
    ("axolotl", "examples/llama-3/lora-1b.yml", 10, "", "-"),
    ("axolotl", "examples/mimo/mimo-7b-qlora.yaml", 1, "", "weak model"),
    ("axolotl", "examples/trinity/trinity-nano-preview-qlora.yaml", 1, "", "weak model"),
    ("axolotl", "tests/test_datasets.py", 367, "", "weak dataset"),
    (
        "axolotl",
        "src/axolotl/integrations/hatchery/examples/tinker_rl.yaml",
        28,
        "./data/math_rl_level1",
        "local dataset",
    ),
    ("axolotl", ".runpod/src/config/config.yaml", 391, "${DATASET_PATH}", "dynamic dataset"),
    ("axolotl", "docker/Dockerfile-cloud-uv", 3, "axolotlai/axolotl-uv:$BASE_TAG", "dynamic image"),
    ("axolotl", ".github/workflows/tests.yml", 132, "", "unpinned dataset"),
    ("axolotl", "examples/orpheus/finetune.yml", 13, "<your-hf-dataset-id>", "not-a-dataset dataset"),
    ("axolotl", "README.md", 3, "", "-"),
    (
        "alignment-handbook",
        "recipes/zephyr-7b-beta/sft/config_full.yaml",
        11,
        "HuggingFaceH4/ultrachat_200k",
        "unpinned dataset",
    ),
    ("alignment-handbook", "recipes/zephyr-7b-beta/sft/config_full.yaml", 2, "", "unpinned model"),
    ("alignment-handbook", "recipes/zephyr-7b-beta/sft/config_full.yaml", 35, "", "-"),
    ("alignment-handbook", "recipes/smollm3/sft/sft.yaml", 3, "", "unpinned model"),
    ("alignment-handbook", "src/alignment/data.py", 37, "", "dynamic dataset"),
    ("trl", "examples/scripts/rloo.py", 46, "AI-MO/NuminaMath-TIR", "unpinned dataset"),
    ("trl", "examples/datasets/tldr.py", 90, "", "unpinned url-data"),
    ("trl", "docs/source/sft_trainer.md", 100, "", "-"),
    ("trl", "docker/trl/Dockerfile", 1, "pytorch/pytorch", "weak image"),
];

#[test]
#[ignore = "needs clones of axolotl, alignment-handbook and trl at their judged commits, side by side in FORETASTE_WORKED"]
fn every_worked_example_has_its_verdict() {
    let folder = std::env::var_os("FORETASTE_WORKED").expect("FORETASTE_WORKED names the folder of the clones");
    let mut wrong = 0;
    for name in ["axolotl", "alignment-handbook", "trl"] {
        let output = std::process::Command::new(support::binary())
            .args(["inventory", "--rev", "HEAD", "--format", "json"])
            .current_dir(Path::new(&folder).join(name))
            .output()
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let references = json["references"].as_array().unwrap();
        for (_, path, line, target, expected) in WORKED.iter().filter(|(repository, ..)| *repository == name) {
            let here: Vec<String> = references
                .iter()
                .filter(|r| r["path"] == *path && r["line"] == *line)
                .filter(|r| target.is_empty() || r["target"] == *target)
                .map(|r| format!("{} {}", r["verdict"].as_str().unwrap(), r["kind"].as_str().unwrap()))
                .collect();
            let found = if here.is_empty() { "-".to_owned() } else { here.join(", ") };
            let mark = if found == *expected { "  " } else { "! " };
            println!("{mark}{name} {path}:{line} {target}: expected {expected}, found {found}");
            wrong += usize::from(found != *expected);
        }
    }
    assert_eq!(wrong, 0, "verdicts that differ");
}

const PIN: &str = "0123456789abcdef0123456789abcdef01234567";
const CONFIG: &str = "base_model: acme/base\nadapter: lora\ndatasets:\n- path: acme/chats\n";

fn targets(report: &serde_json::Value) -> Vec<&str> {
    let of = |finding: &serde_json::Value| finding["rule"] == "unpinned-reference";
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| of(finding));
    findings.map(|finding| finding["evidence"]["target"].as_str().unwrap()).collect()
}

#[test]
fn what_the_lock_holds_is_no_longer_unpinned() {
    let repo = Repo::with(&[("configs/sft.yaml", CONFIG)]);
    let (code, report) = repo.json(&["check"]);
    assert_eq!((code, targets(&report)), (1, vec!["acme/base", "acme/chats"]), "{report}");
    // One of the two was looked up where there is a network.
    std::fs::write(repo.beside("resolved.txt"), format!("dataset huggingface acme/chats {PIN}\n")).unwrap();
    let handed = repo.beside("resolved.txt");
    let run = repo.foretaste(&["lock", "--resolved", handed.to_str().unwrap()]);
    assert_eq!(run.code(), 0, "{}", run.all());
    let (_, report) = repo.json(&["check"]);
    assert_eq!(targets(&report), ["acme/base"], "{report}");
    let (_, inventory) = repo.json(&["inventory"]);
    let chats = &inventory["references"][1];
    assert_eq!((&chats["verdict"], &chats["pin"]), (&"locked".into(), &PIN.into()), "{inventory}");
    // Locked again, it stays what it was.
    let lock = std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap();
    repo.foretaste(&["lock"]);
    assert_eq!(std::fs::read_to_string(repo.dir().join("foretaste.lock")).unwrap(), lock);
    // Another revision is other content.
    repo.write(&[("configs/sft.yaml", &format!("{CONFIG}  revision: experiment\n"))]);
    let (_, report) = repo.json(&["check"]);
    assert_eq!(targets(&report), ["acme/base", "acme/chats"], "{report}");
    // A lock that cannot be read holds nothing.
    repo.write(&[("configs/sft.yaml", CONFIG), ("foretaste.lock", "foretaste.lock v9\n")]);
    let (_, report) = repo.json(&["check"]);
    assert_eq!(targets(&report), ["acme/base", "acme/chats"], "{report}");
}

#[test]
fn a_source_may_ask_for_more_than_the_lock() {
    let policy = "version: 1\nsources:\n  chats: {match: {hub: \"huggingface:acme/chats\"}, pin: commit}\n  base: {match: {hub: \
                  \"huggingface:acme/base\"}, pin: lock}\n";
    let repo = Repo::with(&[("configs/sft.yaml", CONFIG), ("foretaste.yaml", policy)]);
    let handed = repo.beside("resolved.txt");
    let text = format!("dataset huggingface acme/chats {PIN}\nmodel huggingface acme/base {PIN}\n");
    std::fs::write(&handed, text).unwrap();
    repo.foretaste(&["lock", "--resolved", handed.to_str().unwrap()]);
    let (code, report) = repo.json(&["check"]);
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (&f["evidence"]["finding"], &f["evidence"]["source"]))
        .collect();
    assert_eq!((code, found), (1, vec![(&"source-underspecified-pin".into(), &"chats".into())]), "{report}");
}

#[test]
fn a_baseline_accepts_what_is_there_and_a_change_that_adds_to_it_fails() {
    let repo = Repo::with(&[("configs/sft.yaml", CONFIG)]);
    let run = repo.foretaste(&["baseline"]);
    assert_eq!(run.code(), 0, "{}", run.all());
    repo.commit(&[], "accept what is there");
    assert_eq!(repo.json(&["check"]).0, 0);
    repo.git(&["checkout", "--quiet", "-b", "change"]);
    // The same name at another place is a new place; another line around the old one is not.
    repo.commit(&[("configs/sft.yaml", &format!("learning_rate: 0.1\n{CONFIG}"))], "tune");
    for arguments in [&["check"][..], &["check", "--range", "main..HEAD"], &["check", "--rev", "HEAD"]] {
        let (code, report) = repo.json(arguments);
        assert_eq!((code, targets(&report)), (0, vec![]), "{arguments:?}: {report}");
    }
    repo.commit(&[("configs/dpo.yaml", CONFIG)], "train on it once more");
    for arguments in [&["check"][..], &["check", "--range", "main..HEAD"], &["check", "--rev", "HEAD"]] {
        let (code, report) = repo.json(arguments);
        assert_eq!((code, targets(&report)), (1, vec!["acme/base", "acme/chats"]), "{arguments:?}: {report}");
        let places = &report["findings"][0]["places"];
        assert_eq!((places.as_array().unwrap().len(), &places[0]["path"]), (1, &"configs/dpo.yaml".into()), "{report}");
    }
    // What is pinned adds nothing.
    let pinned = CONFIG.replace("adapter", &format!("revision_of_model: {PIN}\nadapter"));
    repo.commit(&[("configs/dpo.yaml", &format!("{pinned}  revision: {PIN}\n"))], "pin");
    assert_eq!(repo.json(&["check", "--range", "main..HEAD"]).0, 0);
}
