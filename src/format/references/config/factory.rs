//! The `dataset_info.json` of LLaMA-Factory, and the keys of it that its runs name.

use std::collections::BTreeMap;

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
    let source = |item: View<'_>| {
        item.get("source").and_then(View::text).is_some_and(|hub| matches!(hub, "hf_hub" | "ms_hub" | "local"))
    };
    let second = |item: View<'_>| item.get("path").is_some() && (source(item) || item.get("converter").is_some());
    let hub_key = |item: View<'_>| HUBS.iter().any(|(key, _)| item.get(key).is_some()) || second(item);
    if name != DATASET_INFO && !root.entries().take(64).any(|(_, item)| hub_key(item)) {
        return false;
    }
    for (entry, item) in root.entries().filter(|(_, item)| item.get("path").is_some()) {
        // The second shape of the list: a path, and the hub that it is a name of.
        let hub = match item.get("source").and_then(View::text) {
            Some("ms_hub") => "modelscope",
            Some("local") => "local",
            _ => "huggingface",
        };
        let Some(value) = item.get("path") else { continue };
        let mut named = named(Target::Dataset, value, "llama-factory", format!("{}.path", entry.text().unwrap_or("")));
        (named.hub, named.way) = (hub, WAY);
        if hub == "local" { out.local(named) } else { out.name(named) }
    }
    for (entry, item) in root.entries() {
        let entry = entry.text().unwrap_or("");
        let named = |kind, value, key: &str| named(kind, value, "llama-factory", format!("{entry}.{key}"));
        let hub = HUBS.iter().find_map(|&(key, hub)| item.get(key).map(|value| (key, hub, value)));
        // Several hubs in one entry are mirrors of one dataset.
        if let Some((key, hub, value)) = hub {
            let mut named = named(Target::Dataset, value, key);
            (named.hub, named.way) = (hub, WAY);
            out.name(named);
        }
        if let Some(value) = item.get("script_url") {
            let mut named = named(Target::Code, value, "script_url");
            (named.remote_code, named.single, named.way) = (true, false, WAY);
            if certain(named.value) { out.name(named) } else { out.local(named) }
        }
        if let Some(value) = item.get("cloud_file_name") {
            let mut named = named(Target::UrlData, value, "cloud_file_name");
            named.way = WAY;
            out.name(named);
        }
        if let Some(value) = item.get("file_name") {
            out.local(named(Target::Dataset, value, "file_name"));
        }
    }
    true
}

/// Where runs of LLaMA-Factory look their datasets up.
pub(crate) const DATASET_INFO: &str = "dataset_info.json";

/// `dataset: a,b` of a LLaMA-Factory run names entries of `dataset_info.json`, which hold the references.
pub(super) fn keys_of_dataset_info(value: View<'_>, by: &str, out: &mut Collector) {
    let inner = value.inner();
    let mut at = 0;
    for part in inner.text().split(',') {
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        let name = part.trim();
        // The tables of tokenizers have a word `dataset` with its number.
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let span = inner.span(start..start + name.len());
        out.push(Reference {
            kind: Target::Dataset,
            hub: DATASET_INFO,
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

/// What the entries of lists of datasets name: a LLaMA-Factory run says `dataset: a`, and the list says what `a` is.
#[derive(Debug)]
pub(crate) struct Lists<'r>(BTreeMap<&'r str, &'r Reference>);

impl<'r> Lists<'r> {
    /// The entries among the references of a whole repository. The first of a name counts.
    pub(crate) fn of(all: impl Iterator<Item = &'r Reference>) -> Self {
        let mut entries = BTreeMap::new();
        for reference in all.filter(|reference| reference.framework == "llama-factory") {
            if let Some((entry, _)) = reference.by.rsplit_once('.') {
                entries.entry(entry).or_insert(reference);
            }
        }
        Self(entries)
    }

    /// The reference that is meant by one, which stays where it stands.
    pub(crate) fn meant(&self, reference: &Reference) -> Reference {
        match self.0.get(reference.target.as_str()).filter(|_| reference.hub == DATASET_INFO) {
            Some(entry) => Reference { by: reference.by.clone(), span: reference.span, ..(*entry).clone() },
            None => reference.clone(),
        }
    }
}
