//! Configurations, by the framework that they are of.

use super::{check, table};

#[test]
fn axolotl_configurations() {
    check(
        "examples/llama/lora.yml",
        "base_model: NousResearch/Llama-3.2-1B\n# hub_model_id: me/pushed\ndatasets:\n  - path: teknium/GPT4-LLM-Cleaned\n    type: alpaca\n\
         dataset_prepared_path: last_run_prepared\noutput_dir: ./outputs/lora-out\nadapter: lora\n",
        &[
            "unpinned model huggingface:NousResearch/Llama-3.2-1B",
            "unpinned dataset huggingface:teknium/GPT4-LLM-Cleaned",
        ],
    );
    check(
        "a.yaml",
        "base_model: acme/model\nrevision_of_model: 6299b5a\ntrust_remote_code: true\nhub_model_id: me/out\nhub_revision: main\ndatasets:\n\
         - path: acme/pinned\n  revision: SHA\n- path: json\n  data_files: hf://datasets/acme/files@main/x.jsonl\n- path: ./data/local\n\
         - path: s3://bucket/set\n  revision: SHA\n- path: ${DATASET}\n- path: <your-dataset>\ntest_datasets:\n- {path: acme/eval, split: test}\n\
         pretraining_dataset: acme/pre\n",
        &[
            "weak model huggingface:acme/model@6299b5a remote-code",
            "pinned dataset huggingface:acme/pinned@SHA",
            "unpinned dataset huggingface:acme/files@main",
            "local dataset local:./data/local",
            "unpinned url-data s3:s3://bucket/set",
            "dynamic dataset huggingface:${DATASET}",
            "not-a-dataset dataset huggingface:<your-dataset>",
            "unpinned dataset huggingface:acme/eval",
            "unpinned dataset huggingface:acme/pre",
        ],
    );
}

#[test]
fn trl_and_alignment_handbook_and_open_instruct() {
    check(
        "recipes/sft.yaml",
        "model_name_or_path: acme/base\nmodel_revision: main\nhub_model_id: me/out\nhub_model_revision: v1\ndataset_mixture:\n  datasets:\n\
         \x20 - id: HuggingFaceH4/ultrachat_200k\n    config: default\n    split: train_sft\n",
        &["unpinned model huggingface:acme/base@main", "unpinned dataset huggingface:HuggingFaceH4/ultrachat_200k"],
    );
    check(
        "dpo.yaml",
        "model_name_or_path: acme/base\nmodel_revision: SHA\nteacher_model_name_or_path: acme/teacher\ndataset_name: trl-lib/tldr\ndataset_config: en\n",
        &[
            "pinned model huggingface:acme/base@SHA",
            "unpinned model huggingface:acme/teacher",
            "unpinned dataset huggingface:trl-lib/tldr",
        ],
    );
    check(
        "mix.yaml",
        "datasets:\n- path: parquet\n  data_files: hf://datasets/acme/set@SHA/**/*.parquet\nmodel_name_or_path: acme/base\n",
        &["pinned dataset huggingface:acme/set@SHA", "unpinned model huggingface:acme/base"],
    );
    check(
        "tulu.yaml",
        "model_name_or_path: acme/base\ndataset_mixer_list: [acme/a, '1.0', acme/b, 0.5]\ndataset_mixer:\n  acme/c: 1.0\n  # acme/d: 1.0\n",
        &[
            "unpinned model huggingface:acme/base",
            "unpinned dataset huggingface:acme/a",
            "unpinned dataset huggingface:acme/b",
            "unpinned dataset huggingface:acme/c",
        ],
    );
}

#[test]
fn llama_factory() {
    check(
        "data/dataset_info.json",
        r#"{"one": {"hf_hub_url": "acme\/one", "ms_hub_url": "mirror/one"}, "two": {"file_name": "two.json"},
            "three": {"script_url": "some_folder"}, "four": {"cloud_file_name": "s3://b/four.json"}, "five": {"ms_hub_url": "acme/five"}}"#,
        &[
            "unpinned dataset huggingface:acme/one",
            "local dataset local:two.json",
            "local code local:some_folder remote-code",
            "unpinned url-data s3:s3://b/four.json",
            "unpinned dataset modelscope:acme/five",
        ],
    );
    check(
        "run.yaml",
        "model_name_or_path: acme/base\nstage: sft\nfinetuning_type: lora\ndataset: one,two\ntemplate: llama3\noutput_dir: saves/x\n",
        &[
            "unpinned model huggingface:acme/base",
            "dynamic dataset dataset_info.json:one",
            "dynamic dataset dataset_info.json:two",
        ],
    );
}

#[test]
fn evaluation_tasks_and_torchtune() {
    check(
        "task.yaml",
        "task: t\ndataset_path: super_glue\ndataset_name: boolq\ndoc_to_text: !function utils.text\noutput_type: multiple_choice\n",
        &["unpinned dataset huggingface:super_glue"],
    );
    check(
        "task.yaml",
        "task: t\ndataset_path: acme/set\ndataset_kwargs:\n  revision: SHA\n  trust_remote_code: true\n",
        &["pinned dataset huggingface:acme/set@SHA remote-code"],
    );
    check(
        "task.yaml",
        "include: base.yaml\ntask: t\ndataset_kwargs:\n  data_files:\n    test: https://data.acme.org/t.json\n",
        &["unpinned url-data url:https://data.acme.org/t.json"],
    );
    check(
        "tune.yaml",
        "model:\n  _component_: torchtune.models.llama3.x\ndataset:\n  _component_: torchtune.datasets.instruct_dataset\n  source: acme/set\n\
         \x20 revision: SHA\n",
        &["pinned dataset huggingface:acme/set@SHA"],
    );
}

#[test]
fn unknown_configurations_only_below_words_of_data() {
    check(
        "conf/config.yaml",
        "dataset:\n  path: ${oc.env:DATA}\ntrain_dataset:\n  repo_id: acme/set\n  revision: SHA\nname: not/this\nmodel:\n  path: acme/model\n\
         data:\n  name: default\nimage: acme/image\nlogger: acme/logger\n",
        &[
            "dynamic dataset huggingface:${oc.env:DATA}",
            "pinned dataset huggingface:acme/set@SHA",
            "unpinned model huggingface:acme/model",
        ],
    );
    check(
        "run.toml",
        "[data.train]\nhf_dataset = \"acme/set\"\n[model]\npretrained_model_name_or_path = 'acme/model'\n[project]\nname = \"a/b\"\n",
        &["unpinned dataset huggingface:acme/set", "unpinned model huggingface:acme/model"],
    );
    check("package.json", r#"{"name": "@a/b", "repository": "c/d", "data": {"version": "1/2"}}"#, &[]);
}

#[test]
fn every_framework_has_its_verdicts_and_its_traps() {
    const AXOLOTL: &str = "adapter: lora\nbase_model: acme/m\nrevision_of_model: SHA\n";
    let axolotl = |rest: &str| format!("{AXOLOTL}{rest}");
    let trl = |rest: &str| format!("model_name_or_path: acme/m\nmodel_revision: SHA\n{rest}");
    let (base, model) = ("pinned model huggingface:acme/m@SHA", "pinned model huggingface:acme/m@SHA");
    table(&[
        ("a.yaml", &axolotl("datasets:\n- path: acme/a\n"), &[base, "unpinned dataset huggingface:acme/a"]),
        (
            "a.yaml",
            &axolotl("test_datasets:\n- path: acme/a\n  revision: SHA\n"),
            &[base, "pinned dataset huggingface:acme/a@SHA"],
        ),
        ("a.yaml", &axolotl("pretraining_dataset:\n- path: acme/a\n"), &[base, "unpinned dataset huggingface:acme/a"]),
        (
            "a.yaml",
            &axolotl("rl: dpo\ndatasets:\n- path: json\n  data_files: [https://data.acme.org/a.json]\n"),
            &[base, "unpinned url-data url:https://data.acme.org/a.json"],
        ),
        (
            "a.yaml",
            &axolotl("reward_model: acme/r\nlora_model_dir: acme/l\n"),
            &[base, "pinned model huggingface:acme/r@SHA", "unpinned model huggingface:acme/l"],
        ),
        (
            "a.yaml",
            &axolotl("hub_model_id: me/x\nhub_revision: main\noutput_dir: ./out\ndataset_prepared_path: me/prep\n"),
            &[base],
        ),
        (
            "a.yaml",
            &axolotl("datasets:\n- path: abfs://container/a\n  revision: SHA\n- path: oci://bucket@space/a\n"),
            &[base, "unpinned url-data azure:abfs://container/a", "unpinned url-data bucket:oci://bucket@space/a"],
        ),
        ("a.yaml", "base_model: acme/m\nmodel_revision: SHA\nadapter: lora\n", &[base]),
        // TRL and the handbook have no field for data, and what they push to is no source.
        (
            "a.yaml",
            &trl("dataset_name: acme/a\ndataset_config: en\nhub_model_id: me/x\n"),
            &[model, "unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            &trl("datasets:\n- path: acme/a\n  name: en\n  revision: SHA\n"),
            &[model, "unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            "model_name_or_path: acme/m\nmodel_revision: main\ndataset_mixture:\n  datasets:\n  - id: acme/a\n",
            &["unpinned model huggingface:acme/m@main", "unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            &trl("dataset_mixer:\n  acme/a: 1.0\n  ./data/b: 0.5\nhub_model_revision: v1\n"),
            &[model, "unpinned dataset huggingface:acme/a", "local dataset local:./data/b"],
        ),
        // LLaMA-Factory.
        (
            "data/dataset_info.json",
            r#"{"a": {"hf_hub_url": "acme/a", "ms_hub_url": "x/a", "om_hub_url": "y/a"}}"#,
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "data/dataset_info.json",
            r#"{"a": {"om_hub_url": "acme/a"}, "b": {"script_url": "acme/b"}}"#,
            &["unpinned dataset openmind:acme/a", "unpinned code huggingface:acme/b remote-code"],
        ),
        (
            "a.yaml",
            "stage: sft\nfinetuning_type: lora\nmodel_name_or_path: saves/llama3/sft\ndataset: a\n",
            &["local model local:saves/llama3/sft", "dynamic dataset dataset_info.json:a"],
        ),
        (
            "data/info.yaml",
            "a:\n  path: acme/a\n  source: hf_hub\n  converter: alpaca\nb:\n  path: data/b.json\n  source: local\n",
            &["unpinned dataset huggingface:acme/a", "local dataset local:data/b.json"],
        ),
        (
            "a.yaml",
            "model: acme/m\nmodel_class: llm\ntrain_dataset: data/info.yaml\noutput_dir: outputs/x\n",
            &["unpinned model huggingface:acme/m"],
        ),
        // lm-evaluation-harness.
        (
            "a.yaml",
            "task: t\ndataset_path: json\ndataset_kwargs:\n  data_files: {test: hf://datasets/acme/a/x.json}\n",
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            "task: t\ndataset_path: json\ndataset_kwargs:\n  data_files: [https://data.acme.org/a.json]\n",
            &["unpinned url-data url:https://data.acme.org/a.json"],
        ),
        ("a.yaml", "task: t\ndataset_name: subset\ninclude: _base_yaml\n", &[]),
        ("a.yaml", "task: t\ncustom_dataset: !function utils.load\n", &["dynamic dataset function:utils.load"]),
        (
            "tasks/_default_template_yaml",
            "dataset_path: acme/a\noutput_type: multiple_choice\n",
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            "task:\n- task: inner\n  dataset_path: acme/a\n  dataset_kwargs: {revision: SHA}\n",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        // open-instruct.
        (
            "a.yaml",
            &trl("dataset_mixer_list:\n- acme/a\n- 1.0\n# - acme/b\ndataset_mixer_eval_list: [acme/c, '16']\n"),
            &[model, "unpinned dataset huggingface:acme/a", "unpinned dataset huggingface:acme/c"],
        ),
        // torchtune, NeMo, LitGPT.
        (
            "a.yaml",
            "dataset:\n  _component_: torchtune.datasets.alpaca_dataset\n  source: acme/a\n  packed: false\n",
            &["unpinned dataset huggingface:acme/a"],
        ),
        (
            "a.yaml",
            "dataset:\n  _component_: torchtune.datasets.chat_dataset\n  source: json\n  data_files: data/a.json\n",
            &["local url-data local:data/a.json"],
        ),
        (
            "a.yaml",
            "dataset:\n- _component_: torchtune.datasets.text_completion_dataset\n  source: acme/a\n- _component_: torchtune.datasets.x_dataset\n  source: acme/b\n  revision: SHA\n",
            &["unpinned dataset huggingface:acme/a", "pinned dataset huggingface:acme/b@SHA"],
        ),
        ("a.yaml", "data:\n  repo_id: acme/a\n", &["unpinned dataset huggingface:acme/a"]),
        (
            "a.yaml",
            "data:\n  class_path: litgpt.data.JSON\n  init_args:\n    repo_id: acme/a\n",
            &["unpinned dataset huggingface:acme/a"],
        ),
        // Hydra.
        (
            "conf/config.yaml",
            "defaults:\n- dataset: squad\n- _self_\ndataset:\n  path: ${oc.env:X}\n  revision: SHA\n",
            &["dynamic dataset huggingface:${oc.env:X}"],
        ),
        (
            "conf/dataset/squad.yaml",
            "path: acme/a\nrevision: SHA\nsplit: train\n",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        ("conf/model/base.yaml", "name_or_path: acme/m\n", &["unpinned model huggingface:acme/m"]),
        ("conf/optimizer/x.yaml", "path: acme/a\nname: acme/b\n", &[]),
        // Unknown frameworks, in three languages.
        (
            "a.json",
            r#"{"datasets": [{"path": "acme/a", "revision": "SHA"}], "lr": 1}"#,
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        (
            "a.toml",
            "[dataset]\nname = \"acme/a\"\ndataset_revision = \"SHA\"\n",
            &["pinned dataset huggingface:acme/a@SHA"],
        ),
        (
            "a.toml",
            "[dataset]\nname = \"acme/a\"\nmodel_revision = \"SHA\"\n",
            &["unpinned dataset huggingface:acme/a"],
        ),
    ]);
}

#[test]
fn what_builders_mean_and_lists_of_sources_name() {
    table(&[
        (
            "recipes/alpaca.yaml",
            "model: {_component_: torchtune.models.x}\ndataset:\n  _component_: torchtune.datasets.alpaca_dataset\n  packed: false\n",
            &["unpinned dataset huggingface:tatsu-lab/alpaca"],
        ),
        (
            "recipes/pinned.yaml",
            "dataset:\n  _component_: torchtune.datasets.slimorca_dataset\n  revision: SHA\n",
            &["pinned dataset huggingface:Open-Orca/SlimOrca-Dedup@SHA"],
        ),
        ("recipes/own.yaml", "dataset:\n  _component_: torchtune.datasets.my_dataset\n", &[]),
        ("recipes/other.yaml", "dataset:\n  _component_: mine.alpaca_dataset\n", &[]),
        (
            "recipes/multi.yaml",
            "optimizer: {_component_: torchtune.x}\ndatasets:\n- source: acme/a\n  transform: {_component_: torchtune.datasets.multimodal.t}\n- source: acme/b\n  revision: SHA\n",
            &["unpinned dataset huggingface:acme/a", "pinned dataset huggingface:acme/b@SHA"],
        ),
        (
            "data/v1_dpo_demo.yaml",
            "dpo_zh_demo:\n  path: acme/pairs\n  split: train_prefs\n  converter: pair\n",
            &["unpinned dataset huggingface:acme/pairs"],
        ),
        ("vocab.json", "{\"dataset\": 22090, \"template\": 1, \"stage\": 2}", &[]),
    ]);
}
