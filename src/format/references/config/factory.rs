//! The `dataset_info.json` of LLaMA-Factory, and the keys of it that its runs name.

use super::entry::{certain, named};
use crate::format::references::collector::Collector;
use crate::format::references::tree::View;
use crate::format::references::verdict::Way;
use crate::format::{Reference, Target, Verdict};

/// The `dataset_info.json` of LLaMA-Factory: entries that name a repository, a script, a bucket or a file.
pub(super) fn find(root: View<'_>, name: &str, out: &mut Collector) -> bool {
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

/// `dataset: a,b` of a LLaMA-Factory run names entries of `dataset_info.json`, which hold the references.
pub(super) fn keys_of_dataset_info(value: View<'_>, by: &str, out: &mut Collector) {
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
