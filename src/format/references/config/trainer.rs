//! TRL, alignment-handbook, open-instruct, runs of LLaMA-Factory, and what is built like them.

use super::entry::{certain, data_files, entry, named, pin, scalars};
use super::factory::keys_of_dataset_info;
use crate::format::Target;
use crate::format::references::collector::Collector;
use crate::format::references::spelling::is_builder;
use crate::format::references::tree::View;
use crate::format::references::verdict::{NO_FIELD, TRL_DATA, Way};

/// TRL, alignment-handbook, open-instruct, LLaMA-Factory runs and the example scripts of transformers: they share the
/// name of the model and differ in how they name data.
pub(super) fn find(root: View<'_>, out: &mut Collector) -> bool {
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
