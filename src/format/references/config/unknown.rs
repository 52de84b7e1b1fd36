//! Configuration of no known framework: names below parents that speak of data, and keys that only models have.

use super::entry::{certain, named, pin};
use crate::format::Target;
use crate::format::references::collector::Collector;
use crate::format::references::flags::is_service;
use crate::format::references::spelling::is_dynamic;
use crate::format::references::tree::View;
use crate::format::references::verdict::{Pin, Way};

const DATA_KEYS: &[&str] = &[
    "path",
    "repo_id",
    "repo",
    "hf_path",
    "hf_repo",
    "hf_repo_id",
    "dataset_name",
    "dataset_path",
    "dataset_id",
    "hf_dataset",
    "hf_dataset_id",
    "hub_id",
    "hub_path",
    "hf_hub_url",
    "source",
    "id",
    "name",
    "url",
    "uri",
    "data_files",
    "data_path",
    "train_path",
    "s3_uri",
    "name_or_path",
    "dataset",
    "train_files",
    "val_files",
];
const MODEL_KEYS: &[&str] =
    &["model_name_or_path", "pretrained_model_name_or_path", "base_model", "base_model_name_or_path"];
const MODEL_NODE_KEYS: &[&str] =
    &["path", "repo_id", "hf_path", "name_or_path", "hf_model", "pretrained", "hf_repo_id"];

/// Walks the whole file.
pub(super) fn find(root: View<'_>, path: &str, out: &mut Collector) {
    let group = group(path);
    root.walk(&mut |keys, node| {
        let mut named_keys = keys.iter().rev().filter(|key| **key != "[]").copied().chain(group);
        let (own, parent) = (named_keys.next().unwrap_or(""), named_keys.next().unwrap_or(""));
        if node.is_map() {
            // Arguments that are handed on belong to what they are handed to.
            let inside = keys.last() == Some(&"[]") || matches!(own, "init_args" | "params" | "kwargs" | "args");
            if speaks_of_data(own) || speaks_of_data(parent) && inside {
                for key in DATA_KEYS {
                    data(node, key, out);
                }
            }
            for key in MODEL_KEYS {
                model(node, key, out);
            }
            // `model:` is the name of much else, unless data to train on stands beside it.
            let served = node.get("model").and_then(View::text).is_some_and(is_service);
            if !served && node.entries().any(|(key, _)| key.text().is_some_and(names_data)) {
                model(node, "model", out);
            }
            if matches!(own, "model" | "policy_model" | "reward_model" | "teacher_model" | "actor" | "critic") {
                for key in MODEL_NODE_KEYS {
                    model(node, key, out);
                }
            }
            return;
        }
        // A name that stands right under a key of data, alone or in a list.
        let Some(text) = node.text() else { return };
        if (names_data(own) || speaks_of_data(own)) && certain(text) && !DATA_KEYS.contains(&own) | names_data(own) {
            let mut named = named(Target::Dataset, node, "config", own);
            named.way = LOCK;
            out.name(named);
        }
    });
}

/// The group of Hydra that a file is one choice of: `conf/dataset/squad.yaml` stands where the main file has `dataset:`.
fn group(path: &str) -> Option<&str> {
    let mut folders = path.rsplit('/').skip(1);
    let group = folders.next()?;
    let is_root = |folder: &str| {
        let lower = folder.to_ascii_lowercase();
        matches!(lower.as_str(), "conf" | "confs" | "config" | "configs" | "hydra" | "hydra_configs" | "hydra_plugins")
    };
    folders.any(is_root).then_some(group)
}

const LOCK: Way = Way::Words(
    "Pin it where it is loaded (revision=\"…\" with the 40-digit commit), or keep a local copy and lock it with `foretaste lock`.",
);

fn data(node: View<'_>, key: &str, out: &mut Collector) {
    let Some(value) = node.get(key) else { return };
    let values = std::iter::once(value).chain(value.items());
    for value in values.filter(|v| v.text().is_some_and(|text| certain(text) || is_dynamic(text))) {
        let mut named = named(Target::Dataset, value, "config", key);
        named.pin = pin(node.first(&["revision", "dataset_revision", "hf_revision"]));
        named.way = if named.pin == Pin::Absent { LOCK } else { Way::Key("revision") };
        named.remote_code = node.get("trust_remote_code").is_some_and(View::is_true);
        out.name(named);
    }
}

fn model(node: View<'_>, key: &str, out: &mut Collector) {
    let Some(value) = node.get(key) else { return };
    if !value.text().is_some_and(|text| certain(text) && !text.contains("://")) {
        return;
    }
    let revision = pin(node.first(&["model_revision", "revision_of_model", "revision"]));
    let mut named = named(Target::Model, value, "config", key);
    named.pin = revision;
    named.way = LOCK;
    named.remote_code = node.get("trust_remote_code").is_some_and(View::is_true);
    out.name(named);
}

/// Whether what stands below a key is data for training or evaluation.
fn speaks_of_data(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let key = key.trim_end_matches('s');
    key.split(['_', '-', '.']).any(|word| matches!(word, "dataset" | "data" | "corpu" | "mixture" | "dset"))
        && !key.contains("dir")
        && !key.contains("type")
        && !key.contains("class")
}

/// Keys whose very name says that the value is a dataset.
fn names_data(key: &str) -> bool {
    matches!(
        key,
        "dataset"
            | "datasets"
            | "dataset_name"
            | "dataset_path"
            | "dataset_id"
            | "hf_dataset"
            | "hf_dataset_id"
            | "hf_datasets"
            | "train_dataset"
            | "eval_dataset"
            | "test_dataset"
            | "val_dataset"
            | "train_datasets"
            | "eval_datasets"
            | "dataset_repo"
            | "dataset_repo_id"
            | "dataset_url"
    )
}
