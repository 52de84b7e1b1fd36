//! Flags and settings by name: which of them take a dataset or a model, and which one pins it.

use crate::format::Target;

/// A flag that takes a name.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Flag {
    /// What is named.
    pub(super) kind: Target,
    /// Whether a name without an owner is certain to be one on the hub.
    pub(super) single: bool,
    /// Flags that pin it, first one preferred.
    pub(super) pins: &'static [&'static str],
}

/// The flag of this name, `--` taken off and `-` read as `_`.
pub(super) fn flag(name: &str) -> Option<Flag> {
    const DATA: &[&str] = &["dataset_revision", "data_revision", "revision"];
    const MODEL: &[&str] = &["model_revision", "revision"];
    let name = name.trim_start_matches('-').replace('-', "_").to_ascii_lowercase();
    let dataset = |single| Some(Flag { kind: Target::Dataset, single, pins: DATA });
    let model = |single, pins| Some(Flag { kind: Target::Model, single, pins });
    match name.as_str() {
        "dataset_name"
        | "dataset_id"
        | "hf_dataset"
        | "dataset_name_or_path"
        | "train_dataset_name"
        | "eval_dataset_name" => dataset(true),
        "dataset"
        | "datasets"
        | "dataset_path"
        | "train_dataset"
        | "eval_dataset"
        | "test_dataset"
        | "dataset_repo"
        | "dataset_repo_id"
        | "dataset_mixer"
        | "dataset_mixer_list"
        | "dataset_mixer_eval_list"
        | "train_data"
        | "eval_data"
        | "prompt_data"
        | "train_file"
        | "validation_file"
        | "test_file"
        | "data_files"
        | "data_path"
        | "hf_dataset_path" => dataset(false),
        "model_name_or_path" | "pretrained_model_name_or_path" => model(true, MODEL),
        "model"
        | "model_name"
        | "model_id"
        | "model_path"
        | "base_model"
        | "hf_model"
        | "pretrained"
        | "pretrain"
        | "base_model_name_or_path" => model(false, MODEL),
        "tokenizer" | "tokenizer_name" | "tokenizer_name_or_path" => model(false, &["tokenizer_revision"]),
        "reward_model"
        | "reward_model_path"
        | "reward_model_name_or_path"
        | "reward_pretrain"
        | "sft_model_path"
        | "critic_pretrain" => model(false, &["reward_model_revision"]),
        "teacher_model_name_or_path" | "teacher_model" => model(false, &["teacher_model_revision"]),
        _ => None,
    }
}

/// Whether a name is one that a service gives its models: `openai/gpt-5` is no repository on the hub.
pub(super) fn is_service(value: &str) -> bool {
    const SERVICES: &[&str] = &[
        "openai",
        "anthropic",
        "azure",
        "gemini",
        "vertex_ai",
        "vertex",
        "bedrock",
        "groq",
        "ollama",
        "openrouter",
        "cohere",
        "together_ai",
        "together",
        "fireworks_ai",
        "fireworks",
        "xai",
        "perplexity",
        "replicate",
        "litellm",
        "hosted_vllm",
        "litellm_proxy",
    ];
    let Some((owner, name)) = value.split_once('/') else { return false };
    // OpenAI does publish open weights on the hub.
    SERVICES.contains(&owner)
        && !(owner == "openai" && ["gpt-oss", "whisper", "clip", "gsm8k"].iter().any(|open| name.starts_with(open)))
}
