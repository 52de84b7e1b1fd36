//! Croissant: the description of a dataset as JSON-LD of schema.org, with the files of its distribution.
//!
//! Terms: <https://docs.mlcommons.org/croissant/docs/croissant-spec.html>.

use super::entry::named;
use super::entry::scalars;
use crate::format::cards::{Card, CardFile, Said};
use crate::format::references::collector::Collector;
use crate::format::references::pin::is_digest;
use crate::format::references::tree::View;
use crate::format::references::url::{self, Asked};
use crate::format::{Reference, Target, Verdict};

/// Whether a document is one.
pub(super) fn is_card(root: View<'_>) -> bool {
    let kind = |name: &str| name.rsplit(['/', ':', '#']).next() == Some("Dataset");
    let said = root.get("@type").into_iter().flat_map(scalars).filter_map(View::text).any(kind);
    said && root.has(&["@context", "distribution", "conformsTo"])
}

/// Finds what it loads, and keeps what it says.
pub(super) fn find(root: View<'_>, out: &mut Collector) {
    let mut card = Card { croissant: true, ..Card::default() };
    for licence in root.first(&["license", "sc:license"]).into_iter().flat_map(|value| one_or_all(value)) {
        // An address, a name, or an object that has one.
        let value = if licence.is_map() { licence.first(&["url", "@id", "name"]) } else { Some(licence) };
        card.licences.extend(value.and_then(said));
    }
    card.live = root.first(&["isLiveDataset", "cr:isLiveDataset"]).filter(|live| live.is_true()).map(View::span);
    for item in root.get("distribution").into_iter().flat_map(|value| one_or_all(value)) {
        let Some(value) = item.first(&["contentUrl", "sc:contentUrl"]) else { continue };
        // What lies in another file of the distribution is covered by that one's hash.
        let Some(location) = said(value).filter(|_| !item.has(&["containedIn"])) else { continue };
        // A repository has commits where a file has a hash.
        let is_repository =
            item.get("encodingFormat").and_then(View::text).is_some_and(|kind| kind.starts_with("git+"));
        let hash = |key: &str| item.get(key).and_then(said).filter(|_| !is_repository);
        let file = CardFile { location, sha256: hash("sha256"), md5: hash("md5") };
        reference(value, &file, out);
        if !is_repository {
            card.files.push(file);
        }
    }
    out.card(card);
}

fn reference(value: View<'_>, file: &CardFile, out: &mut Collector) {
    let text = value.text().unwrap_or("");
    let Some(found) = url::locate(text, Asked::Data) else {
        return out.local(named(Target::UrlData, value, "croissant", "distribution[].contentUrl"));
    };
    let open = matches!(found.verdict, Verdict::Unpinned | Verdict::Weak);
    let sha256 = file.sha256.as_ref().filter(|said| is_digest(&said.text)).map(|said| format!("sha256:{}", said.text));
    let md5 = file.md5.as_ref().map(|said| format!("md5:{}", said.text));
    let (pin, verdict) = match (sha256, md5, open) {
        (Some(pin), _, true) => (Some(pin), Verdict::Pinned),
        (None, Some(pin), true) => (Some(pin), Verdict::Weak),
        _ => (found.pin, found.verdict),
    };
    out.push(Reference {
        kind: found.kind.unwrap_or(Target::UrlData),
        hub: found.hub,
        target: found.target,
        pin,
        verdict,
        framework: "croissant",
        by: "distribution[].contentUrl".into(),
        span: value.span(),
        remote_code: false,
        fix: "Give the file of the distribution its `sha256`.".into(),
    });
}

fn one_or_all<'t>(value: View<'t>) -> impl Iterator<Item = View<'t>> {
    std::iter::once(value).filter(|value| !value.is_list()).chain(value.items())
}

fn said(value: View<'_>) -> Option<Said> {
    Some(Said { text: value.text()?.trim().to_owned(), span: value.span() }).filter(|said| !said.text.is_empty())
}
