//! The parts that configurations of many frameworks share: names, pins, entries of datasets and their files.

use crate::format::Target;
use crate::format::references::collector::Collector;
use crate::format::references::endings::has_data_ending;
use crate::format::references::spelling::{is_builder, is_hub_id, is_local};
use crate::format::references::tree::View;
use crate::format::references::verdict::{Named, Pin, TRL_DATA, Way};

/// A name with no pin, to be filled in.
pub(super) fn named<'v>(kind: Target, value: View<'v>, framework: &'static str, by: impl Into<String>) -> Named<'v> {
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
pub(super) fn pin(value: Option<View<'_>>) -> Pin<'_> {
    match value.and_then(|v| v.text().map(|text| (text, v.span()))) {
        Some((text, span)) => Pin::At(text, span),
        None => Pin::Absent,
    }
}

/// A scalar, or every scalar of a list.
pub(super) fn scalars<'t>(value: View<'t>) -> impl Iterator<Item = View<'t>> {
    std::iter::once(value).filter(|v| v.text().is_some()).chain(value.items().filter(|v| v.text().is_some()))
}

/// What the entry of a dataset names: its path, or the files of a builder.
pub(super) fn entry(item: View<'_>, key: &str, framework: &'static str, by: &str, way: Way, out: &mut Collector) {
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
pub(super) fn data_files(files: View<'_>, framework: &'static str, builder: bool, out: &mut Collector) {
    let splits = files.entries().map(|(_, value)| value);
    for value in std::iter::once(files).chain(splits).flat_map(scalars) {
        if builder || value.text().is_some_and(|text| text.contains("://")) {
            data_file(value, framework, "data_files", out);
        }
    }
}

pub(super) fn data_file(value: View<'_>, framework: &'static str, by: &str, out: &mut Collector) {
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
pub(super) fn certain(text: &str) -> bool {
    let two = text.contains('/') && is_hub_id(text) && !is_local(text) && !has_data_ending(text);
    two || text.contains("://")
}
