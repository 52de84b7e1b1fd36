//! The frameworks that are known by the shape of their files.

use super::{certain, data_files, entry, named, pin, scalars};
use crate::format::references::Collector;
use crate::format::references::tree::View;
use crate::format::references::verdict::{NO_FIELD, Pin, TRL_DATA, Way, is_builder};
use crate::format::{Reference, Target, Verdict};

/// Reads the file as the first framework whose shape it has; `false` where it has none.
pub(super) fn known(root: View<'_>, name: &str, out: &mut Collector) -> bool {
    dataset_info(root, name, out)
        || axolotl(root, out)
        || trainer(root, out)
        || lm_eval(root, out)
        || torchtune(root, out)
        || peft(root, out)
}

/// axolotl: `base_model` with lists of datasets whose items have a `path`.
pub(super) fn axolotl(root: View<'_>, out: &mut Collector) -> bool {
    const SIGNS: &[&str] = &[
        "adapter",
        "sequence_len",
        "micro_batch_size",
        "val_set_size",
        "dataset_prepared_path",
        "load_in_8bit",
        "load_in_4bit",
        "sample_packing",
        "lora_r",
        "rl",
        "special_tokens",
        "chat_template",
        "base_model_config",
        "revision_of_model",
    ];
    // Plugins bring lists of their own: `nemo_gym_datasets`.
    let lists = || {
        let named = root.entries().filter_map(|(key, value)| Some((key.text()?, value)));
        named.filter(|(key, _)| key.ends_with("datasets") || *key == "pretraining_dataset")
    };
    let paths = lists().flat_map(|(_, list)| list.items()).any(|item| item.get("path").is_some());
    // The full set of signs, or the list of paths with one of them.
    let base = root.get("base_model").is_some();
    if !(base && (paths || root.has(SIGNS)) || paths && root.has(SIGNS)) {
        return false;
    }
    let remote_code = root.get("trust_remote_code").is_some_and(View::is_true);
    let gptq = root.get("gptq").is_some_and(View::is_true);
    for key in [
        "base_model",
        "base_model_config",
        "tokenizer_config",
        "processor_config",
        "reward_model",
        "lora_model_dir",
        "peft_model_dir",
    ] {
        let Some(value) = root.get(key) else { continue };
        let revision =
            pin(if key.ends_with("_dir") { None } else { root.first(&["revision_of_model", "model_revision"]) });
        let mut named = named(Target::Model, value, "axolotl", key);
        named.pin = revision;
        named.remote_code = remote_code;
        named.way = match (gptq, key.ends_with("_dir")) {
            (true, _) => Way::Words(
                "With `gptq: true` axolotl refuses a revision: keep a local copy of the model and lock it with `foretaste lock`.",
            ),
            (_, true) => {
                Way::Words("axolotl has no revision for adapters: keep a local copy and lock it with `foretaste lock`.")
            }
            _ => Way::Key("revision_of_model"),
        };
        out.name(named);
    }
    for (list, value) in lists() {
        // `pretraining_dataset` may also be one name, or one entry.
        for item in scalars(value) {
            out.name(named(Target::Dataset, item, "axolotl", list));
        }
        for item in value.items().chain(std::iter::once(value)).filter(|item| item.is_map()) {
            entry(item, "path", "axolotl", &format!("{list}[].path"), Way::Key("revision"), out);
        }
    }
    true
}

/// TRL, alignment-handbook, open-instruct, LLaMA-Factory runs and the example scripts of transformers: they share the
/// name of the model and differ in how they name data.
fn trainer(root: View<'_>, out: &mut Collector) -> bool {
    let model = root.has(&["model_name_or_path"]);
    let mixture = root.has(&["dataset_mixture", "dataset_mixer"]);
    let lists = root.has(&["dataset_mixer_list", "dataset_mixer_eval_list"]);
    let factory = root.has(&["stage", "finetuning_type"]) && root.has(&["dataset", "template", "model_name_or_path"]);
    let named_data = root.has(&["dataset_name"]) && !root.has(&["dataset_path"]);
    const SIGNS: &[&str] =
        &["learning_rate", "output_dir", "per_device_train_batch_size", "num_train_epochs", "max_steps", "max_length"];
    if !(model || mixture || lists || factory || (named_data && root.has(SIGNS))) {
        return false;
    }
    let framework = match (lists, mixture, factory) {
        (true, ..) => "open-instruct",
        (_, true, _) => "alignment-handbook",
        (_, _, true) => "llama-factory",
        _ => "trl",
    };
    let remote_code = root.get("trust_remote_code").is_some_and(View::is_true);
    for (key, revisions) in [
        ("model_name_or_path", &["model_revision"][..]),
        ("tokenizer_name_or_path", &["tokenizer_revision"]),
        ("tokenizer_name", &["tokenizer_revision"]),
        ("teacher_model_name_or_path", &["teacher_model_revision"]),
        ("reward_model_path", &["reward_model_revision"]),
        ("reward_model_name_or_path", &["reward_model_revision"]),
        ("sft_model_path", &[]),
        ("adapter_name_or_path", &[]),
        ("ref_model", &[]),
    ] {
        let Some(value) = root.get(key) else { continue };
        let revision = pin(root.first(revisions));
        let mut named = named(Target::Model, value, framework, key);
        named.pin = revision;
        named.remote_code = remote_code;
        named.way = match revisions.first() {
            Some(key) => Way::Key(key),
            None => {
                Way::Words("There is no revision for this key: keep a local copy and lock it with `foretaste lock`.")
            }
        };
        out.name(named);
    }
    let way = if framework == "trl" { TRL_DATA } else { NO_FIELD };
    if framework == "llama-factory" {
        for key in ["dataset", "eval_dataset"] {
            for value in root.get(key).into_iter().flat_map(scalars) {
                keys_of_dataset_info(value, key, out);
            }
        }
    } else {
        for key in ["dataset_name", "eval_dataset_name", "train_dataset", "eval_dataset", "dataset"] {
            for value in root.get(key).into_iter().flat_map(scalars) {
                // Only `dataset_name` is always the name of a repository.
                if key.ends_with("_name") || value.text().is_some_and(certain) {
                    if value.text().is_some_and(is_builder) {
                        continue;
                    }
                    let mut named = named(Target::Dataset, value, framework, key);
                    named.way = way;
                    out.name(named);
                }
            }
        }
        if let Some(files) = root.first(&["data_files", "train_file"]) {
            data_files(files, framework, true, out);
        }
    }
    for (list, key) in
        [(root.get("datasets"), "path"), (root.get("dataset_mixture").and_then(|m| m.get("datasets")), "id")]
    {
        for item in list.into_iter().flat_map(View::items) {
            let by = if key == "id" { "dataset_mixture.datasets[].id" } else { "datasets[].path" };
            entry(item, key, framework, by, if key == "id" { NO_FIELD } else { way }, out);
        }
    }
    for by in ["dataset_mixer", "dataset_mixer_list", "dataset_mixer_eval_list", "dataset_mixer_eval"] {
        let Some(mixer) = root.get(by) else { continue };
        // The names are the keys of a map, or every other item of a list.
        let keys = mixer.entries().map(|(key, _)| key).filter(|key| key.text().is_some());
        for value in keys.chain(mixer.items().step_by(2)) {
            let mut named = named(Target::Dataset, value, framework, by);
            named.way = NO_FIELD;
            out.name(named);
        }
    }
    true
}

/// `dataset: a,b` of a LLaMA-Factory run names entries of `dataset_info.json`, which hold the references.
fn keys_of_dataset_info(value: View<'_>, by: &str, out: &mut Collector) {
    let inner = value.inner();
    let mut at = 0;
    for part in inner.text().split(',') {
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        let name = part.trim();
        if name.is_empty() {
            continue;
        }
        let span = inner.span(start..start + name.len());
        out.push(Reference {
            kind: Target::Dataset,
            hub: "dataset_info.json",
            target: name.to_owned(),
            pin: None,
            verdict: Verdict::Dynamic,
            framework: "llama-factory",
            by: by.to_owned(),
            span,
            remote_code: false,
            fix: String::new(),
        });
    }
}

/// The `dataset_info.json` of LLaMA-Factory: entries that name a repository, a script, a bucket or a file.
fn dataset_info(root: View<'_>, name: &str, out: &mut Collector) -> bool {
    const HUBS: [(&str, &str); 3] =
        [("hf_hub_url", "huggingface"), ("ms_hub_url", "modelscope"), ("om_hub_url", "openmind")];
    const WAY: Way = Way::Words(
        "LLaMA-Factory has no revision field: put the data into the repository as `file_name:` and lock it with `foretaste lock`, or mirror it at the reviewed commit.",
    );
    let hub_key = |item: View<'_>| HUBS.iter().any(|(key, _)| item.get(key).is_some());
    if name != "dataset_info.json" && !root.entries().take(64).any(|(_, item)| hub_key(item)) {
        return false;
    }
    for (_, item) in root.entries() {
        let hub = HUBS.iter().find_map(|&(key, hub)| item.get(key).map(|value| (key, hub, value)));
        // Several hubs in one entry are mirrors of one dataset.
        if let Some((key, hub, value)) = hub {
            let mut named = named(Target::Dataset, value, "llama-factory", key);
            (named.hub, named.way) = (hub, WAY);
            out.name(named);
        }
        if let Some(value) = item.get("script_url") {
            let mut named = named(Target::Code, value, "llama-factory", "script_url");
            (named.remote_code, named.single, named.way) = (true, false, WAY);
            if certain(named.value) { out.name(named) } else { out.local(named) }
        }
        if let Some(value) = item.get("cloud_file_name") {
            let mut named = named(Target::UrlData, value, "llama-factory", "cloud_file_name");
            named.way = WAY;
            out.name(named);
        }
        if let Some(value) = item.get("file_name") {
            out.local(named(Target::Dataset, value, "llama-factory", "file_name"));
        }
    }
    true
}

/// lm-evaluation-harness: `dataset_path` beside the keys of a task, or the files alone where the rest is included.
fn lm_eval(root: View<'_>, out: &mut Collector) -> bool {
    const SIGNS: &[&str] = &[
        "task",
        "group",
        "tag",
        "output_type",
        "doc_to_text",
        "doc_to_target",
        "doc_to_choice",
        "test_split",
        "validation_split",
        "fewshot_split",
        "include",
        "dataset_kwargs",
        "metric_list",
        "process_docs",
        "custom_dataset",
    ];
    if !root.is_map()
        || !root.has(SIGNS)
        || !root.has(&["dataset_path", "dataset_kwargs", "custom_dataset", "dataset_name"])
    {
        return false;
    }
    let kwargs = root.get("dataset_kwargs");
    let path = root.get("dataset_path");
    let builder = path.is_none_or(|path| path.text().is_some_and(is_builder));
    if let Some(value) = path.filter(|_| !builder) {
        let revision = pin(kwargs.and_then(|k| k.get("revision")));
        let mut named = named(Target::Dataset, value, "lm-eval", "dataset_path");
        named.pin = if value.tag().is_some() { Pin::Dynamic } else { revision };
        named.remote_code = kwargs.and_then(|k| k.get("trust_remote_code")).is_some_and(View::is_true);
        named.way = Way::Words("Add the 40-digit commit that was reviewed: `dataset_kwargs: {revision: …}`.");
        out.name(named);
    }
    for files in ["data_files", "data_dir"].iter().filter_map(|key| kwargs.and_then(|k| k.get(key))) {
        data_files(files, "lm-eval", builder, out);
    }
    true
}

/// torchtune: a `_component_` of datasets with the `source` it loads.
fn torchtune(root: View<'_>, out: &mut Collector) -> bool {
    let mut found = false;
    root.walk(&mut |_, node| {
        let Some(component) = node.get("_component_").and_then(View::text) else { return };
        found |= component.starts_with("torchtune");
        if !component.contains("dataset") {
            return;
        }
        entry(node, "source", "torchtune", "dataset.source", Way::Key("revision"), out);
    });
    found
}

/// The configuration of a PEFT adapter names the model it belongs to.
fn peft(root: View<'_>, out: &mut Collector) -> bool {
    let (Some(value), true) =
        (root.get("base_model_name_or_path"), root.has(&["peft_type", "lora_alpha", "task_type"]))
    else {
        return false;
    };
    let revision = pin(root.get("revision"));
    let mut named = named(Target::Model, value, "peft", "base_model_name_or_path");
    named.pin = revision;
    out.name(named);
    true
}
