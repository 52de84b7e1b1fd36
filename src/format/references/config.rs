//! References in configuration, read by the shape of the file first: a key means what its framework means by it.
//!
//! `dataset_name` is a repository in one framework and the name of a configuration in another, so keys are never judged
//! alone. Files of no known framework give references only below parents that speak of data.

use super::Collector;
use super::shell;
use super::tree::{Tree, View};
use super::verdict::{Named, Pin, TRL_DATA, Way, is_builder, is_hub_id, is_local};
use super::{passage::Passage, url};
use crate::format::Target;

mod frameworks;
mod pipeline;
mod unknown;

/// Finds the references of a parsed configuration. `path` tells a few fixed names apart.
pub(super) fn find(tree: &Tree, passage: &Passage<'_>, path: &str, out: &mut Collector) {
    for root in tree.documents(passage) {
        document(root, path, out);
    }
}

fn document(root: View<'_>, path: &str, out: &mut Collector) {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".dvc") || name == "dvc.lock" || name == "dvc.yaml" {
        return pipeline::dvc(root, out);
    }
    pipeline::commands(root, path, out);
    if !frameworks::known(root, name, out) {
        unknown::find(root, out);
    }
}

/// The settings of a training run that Python code builds as a dictionary: only shapes that cannot be mistaken.
pub(super) fn literal(root: View<'_>, out: &mut Collector) -> bool {
    frameworks::axolotl(root, out)
}

/// The metadata at the top of a dataset or model card.
pub(super) fn card(root: View<'_>, out: &mut Collector) {
    const WAY: Way = Way::Words(
        "A card cannot pin: name the commit that was used in the text, and list the source in foretaste.yaml.",
    );
    for (key, kind) in
        [("source_datasets", Target::Dataset), ("datasets", Target::Dataset), ("base_model", Target::Model)]
    {
        let Some(value) = root.get(key) else { continue };
        for item in scalars(value) {
            let text = item.text().unwrap_or("");
            // `original`, `extended` and `extended|other-dataset` are words of the card's own vocabulary.
            if text == "original" || text.starts_with("extended") || text == "other" {
                continue;
            }
            let mut named = named(kind, item, "hf-card", key);
            named.way = WAY;
            out.name(named);
        }
    }
    for config in root.get("configs").into_iter().flat_map(View::items) {
        let Some(files) = config.get("data_files") else { continue };
        let paths = files.items().filter_map(|file| file.get("path")).chain(std::iter::once(files));
        for item in paths.flat_map(scalars) {
            data_file(item, "hf-card", "configs[].data_files", out);
        }
    }
}

/// A name with no pin, to be filled in.
fn named<'v>(kind: Target, value: View<'v>, framework: &'static str, by: impl Into<String>) -> Named<'v> {
    Named {
        kind,
        value: value.text().unwrap_or(""),
        span: value.span(),
        pin: Pin::Absent,
        framework,
        by: by.into(),
        remote_code: false,
        way: Way::Key("revision"),
        hub: "huggingface",
        templates: true,
        single: true,
    }
}

/// The pin under a key.
fn pin(value: Option<View<'_>>) -> Pin<'_> {
    match value.and_then(|v| v.text().map(|text| (text, v.span()))) {
        Some((text, span)) => Pin::At(text, span),
        None => Pin::Absent,
    }
}

/// A scalar, or every scalar of a list.
fn scalars<'t>(value: View<'t>) -> impl Iterator<Item = View<'t>> {
    std::iter::once(value).filter(|v| v.text().is_some()).chain(value.items().filter(|v| v.text().is_some()))
}

/// What the entry of a dataset names: its path, or the files of a builder.
fn entry(item: View<'_>, key: &str, framework: &'static str, by: &str, way: Way, out: &mut Collector) {
    let Some(value) = item.get(key) else { return };
    let Some(text) = value.text() else { return };
    if !is_builder(text) {
        let mut named = named(Target::Dataset, value, framework, by);
        named.pin = if way == TRL_DATA { Pin::Absent } else { pin(item.get("revision")) };
        named.remote_code = item.get("trust_remote_code").is_some_and(View::is_true);
        named.way = way;
        out.name(named);
    }
    for files in ["data_files", "data_dir"].iter().filter_map(|key| item.get(key)) {
        data_files(files, framework, is_builder(text), out);
    }
}

/// Files that a builder reads, in any of the forms the datasets library takes. Beside the name of a repository plain
/// names are files of that repository, so that only addresses count.
fn data_files(files: View<'_>, framework: &'static str, builder: bool, out: &mut Collector) {
    let splits = files.entries().map(|(_, value)| value);
    for value in std::iter::once(files).chain(splits).flat_map(scalars) {
        if builder || value.text().is_some_and(|text| text.contains("://")) {
            data_file(value, framework, "data_files", out);
        }
    }
}

fn data_file(value: View<'_>, framework: &'static str, by: &str, out: &mut Collector) {
    let mut named = named(Target::UrlData, value, framework, by);
    let text = named.value;
    if !text.contains("://") && !text.contains('$') && !text.contains("{{") {
        // A file name or a glob; nothing on a hub is meant.
        out.local(named);
        return;
    }
    named.single = false;
    named.way = Way::Words("Name the commit in the address: `hf://datasets/OWNER/NAME@COMMIT/…`.");
    out.name(named);
}

/// Whether a value of an unknown key is certain enough: `owner/name`, or an address.
fn certain(text: &str) -> bool {
    let two = text.contains('/') && is_hub_id(text) && !is_local(text) && !url::has_data_ending(text);
    two || text.contains("://")
}

/// Runs a shell script that stands in a scalar.
fn script(value: View<'_>, framework: &'static str, out: &mut Collector) {
    shell::find(&value.inner(), framework, out);
}
