//! The metadata at the top of a dataset or model card.

use super::entry::{data_file, named, scalars};
use crate::format::Target;
use crate::format::cards::{Card, Said};
use crate::format::references::collector::Collector;
use crate::format::references::tree::View;
use crate::format::references::verdict::Way;

/// Whether front matter is that of a card, and not of a page.
pub(in crate::format::references) fn is_card(root: View<'_>) -> bool {
    const SIGNS: &[&str] = &[
        "license",
        "task_categories",
        "size_categories",
        "dataset_info",
        "configs",
        "source_datasets",
        "annotations_creators",
        "language_creators",
        "pretty_name",
    ];
    root.has(SIGNS)
}

/// The metadata at the top of a dataset or model card.
pub(in crate::format::references) fn find(root: View<'_>, out: &mut Collector) {
    const WAY: Way = Way::Words(
        "A card cannot pin: name the commit that was used in the text, and list the source in foretaste.yaml.",
    );
    let words = |key: &str| root.get(key).into_iter().flat_map(scalars);
    let said = |value: View<'_>| Said { text: value.text().unwrap_or("").trim().to_owned(), span: value.span() };
    // The card of a model says nothing of the data beside it.
    if !root.has(&["pipeline_tag", "library_name", "base_model"]) {
        let licences = words("license").map(said).filter(|said| !said.text.is_empty()).collect();
        out.card(Card { licences, ..Card::default() });
    }
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
