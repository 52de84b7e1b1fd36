//! axolotl.

use super::entry::{entry, named, pin, scalars};
use crate::format::Target;
use crate::format::references::collector::Collector;
use crate::format::references::tree::View;
use crate::format::references::verdict::Way;

/// axolotl: `base_model` with lists of datasets whose items have a `path`.
pub(in crate::format::references) fn find(root: View<'_>, out: &mut Collector) -> bool {
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
