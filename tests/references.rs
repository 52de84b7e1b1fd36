//! The worked examples of three public repositories, at the commits at which they were judged by hand.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::path::Path;

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
