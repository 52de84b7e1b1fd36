//! Tasks of lm-evaluation-harness, recipes of torchtune, adapters of PEFT.

use super::entry::{data_files, entry, named, pin};
use crate::format::references::collector::Collector;
use crate::format::references::spelling::is_builder;
use crate::format::references::tree::View;
use crate::format::references::verdict::{Pin, Way};
use crate::format::{Reference, Target, Verdict};

/// lm-evaluation-harness: `dataset_path` beside the keys of a task, or the files alone where the rest is included.
pub(super) fn lm_eval(root: View<'_>, out: &mut Collector) -> bool {
    // A group may hold tasks of its own.
    let inner = root.get("task").filter(|inner| inner.is_list());
    let mut found = task(root, out);
    for inner in inner.into_iter().flat_map(View::items).filter(|inner| inner.is_map()) {
        found |= task(inner, out);
    }
    found
}

fn task(root: View<'_>, out: &mut Collector) -> bool {
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
    if let Some(value) = root.get("custom_dataset").filter(|value| value.tag().is_some() && value.text().is_some()) {
        out.push(Reference {
            kind: Target::Dataset,
            hub: "function",
            target: value.text().unwrap_or("").to_owned(),
            pin: None,
            verdict: Verdict::Dynamic,
            framework: "lm-eval",
            by: "custom_dataset".into(),
            span: value.span(),
            remote_code: false,
            fix: String::new(),
        });
    }
    for files in ["data_files", "data_dir"].iter().filter_map(|key| kwargs.and_then(|k| k.get(key))) {
        data_files(files, "lm-eval", builder, out);
    }
    true
}

/// What the builders of torchtune load where their `source` is left out (its 0.6).
const BUILDERS: &[(&str, &str)] = &[
    ("alpaca_cleaned_dataset", "yahma/alpaca-cleaned"),
    ("alpaca_dataset", "tatsu-lab/alpaca"),
    ("cnn_dailymail_articles_dataset", "ccdv/cnn_dailymail"),
    ("grammar_dataset", "liweili/c4_200m"),
    ("gsm8k_dataset", "openai/gsm8k"),
    ("hh_rlhf_helpful_dataset", "RLHFlow/HH-RLHF-Helpful-standard"),
    ("llava_instruct_dataset", "liuhaotian/LLaVA-Instruct-150K"),
    ("samsum_dataset", "Samsung/samsum"),
    ("slimorca_dataset", "Open-Orca/SlimOrca-Dedup"),
    ("stack_exchange_paired_dataset", "lvwerra/stack-exchange-paired"),
    ("the_cauldron_dataset", "HuggingFaceM4/the_cauldron"),
    ("wikitext_dataset", "EleutherAI/wikitext_document_level"),
];

fn component(node: View<'_>) -> Option<&str> {
    node.get("_component_").and_then(View::text)
}

/// torchtune: a `_component_` of datasets with the `source` it loads, or the one that it means without.
pub(super) fn torchtune(root: View<'_>, out: &mut Collector) -> bool {
    let mut found = false;
    root.walk(&mut |_, node| found |= component(node).is_some_and(|name| name.starts_with("torchtune")));
    if !found {
        return false;
    }
    root.walk(&mut |keys, node| {
        let own = keys.iter().rev().find(|key| **key != "[]").copied().unwrap_or("");
        let is_entry = matches!(own, "dataset" | "datasets") || own.ends_with("_dataset");
        let builds = component(node).is_some_and(|name| name.contains("dataset"));
        if !(builds || is_entry && component(node).is_none()) {
            return;
        }
        entry(node, "source", "torchtune", "dataset.source", Way::Key("revision"), out);
        let (Some(value), None) = (node.get("_component_"), node.get("source")) else { return };
        let builder = value.text().and_then(|name| name.strip_prefix("torchtune.")?.rsplit('.').next());
        if let Some((_, source)) = BUILDERS.iter().find(|(name, _)| Some(*name) == builder) {
            let mut named = named(Target::Dataset, value, "torchtune", "_component_");
            (named.value, named.pin) = (source, pin(node.get("revision")));
            out.name(named);
        }
    });
    true
}

/// The configuration of a PEFT adapter names the model it belongs to.
pub(super) fn peft(root: View<'_>, out: &mut Collector) -> bool {
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
