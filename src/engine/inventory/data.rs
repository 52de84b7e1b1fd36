//! The data in the repository, by declared dataset or by folder.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::{Known, gaps};
use crate::lens::Standing;
use crate::span::BlobId;

/// Data in the repository: a declared dataset, or the files of one folder that nobody declared.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    /// Name of the dataset under `datasets`.
    pub(crate) name: Option<String>,
    /// A file of it, or the folder.
    pub(crate) path: BString,
    pub(crate) files: u64,
    pub(crate) records: u64,
    pub(crate) standing: Standing,
    /// Name of its source under `sources`.
    pub(crate) source: Option<String>,
    /// Whether it is indexed for retrieval.
    pub(crate) retrieval: bool,
    /// Files that the lock holds.
    pub(crate) locked: u64,
    pub(crate) missing: Vec<String>,
}

/// Groups the files with records.
pub(super) fn list(known: &Known<'_>) -> Vec<Data> {
    let mut groups: BTreeMap<(Option<String>, BString, Standing), Data> = BTreeMap::new();
    for (number, blob) in known.outcome.blobs.iter().enumerate() {
        let lens = known.policy.lens(blob.path.as_ref());
        let records = known.outcome.records_of(BlobId(number as u32));
        if lens.dataset.is_none() && records.is_none_or(|n| n == 0) {
            continue;
        }
        let name = lens.dataset.as_deref().map(str::to_owned);
        let folder = blob.path.rfind_byte(b'/').map_or(&b"."[..], |at| &blob.path[..at]);
        let path: BString = if name.is_some() { BString::default() } else { folder.into() };
        let declared = known.policy.datasets.iter().find(|set| Some(&*set.name) == name.as_deref());
        let source = match declared.and_then(|set| set.source.as_deref()) {
            Some(source) => known.sources.named(source),
            None => known.sources.of_file(blob.path.as_ref()),
        };
        let group = groups.entry((name.clone(), path.clone(), lens.standing)).or_insert_with(|| Data {
            name,
            path: if path.is_empty() { blob.path.clone() } else { path },
            files: 0,
            records: 0,
            standing: lens.standing,
            source: source.map(|source| source.name.clone()),
            retrieval: lens.retrieval,
            locked: 0,
            missing: match source {
                Some(source) => said(gaps(source, known.policy), known, blob.path.as_ref()),
                None => vec!["a source".to_owned()],
            },
        });
        group.files += 1;
        group.records += records.unwrap_or_default();
        group.locked += u64::from(known.lock.as_ref().is_some_and(|lock| lock.file(blob.path.as_ref()).is_some()));
    }
    let mut out: Vec<Data> = groups.into_values().collect();
    for set in &known.policy.datasets {
        if !out.iter().any(|data| data.name.as_deref() == Some(&*set.name)) {
            out.push(Data {
                name: Some(set.name.to_string()),
                path: set.patterns.first().map(|glob| glob.as_str().into()).unwrap_or_default(),
                files: 0,
                records: 0,
                standing: Standing::Training,
                source: set.source.clone(),
                retrieval: set.role.iter().any(|role| role == "rag"),
                locked: 0,
                missing: vec!["its files: no path matches".to_owned()],
            });
        }
    }
    for data in &mut out {
        if data.name.is_none() {
            data.missing.insert(0, "a name under `datasets`".to_owned());
        }
        if data.locked < data.files {
            data.missing.push(match data.locked {
                0 => "lines in foretaste.lock".to_owned(),
                _ => format!("{} of its files in foretaste.lock", data.files - data.locked),
            });
        }
    }
    out.sort_by(|a, b| (&a.path, &a.name, a.standing).cmp(&(&b.path, &b.name, b.standing)));
    out
}

/// What is missing, with what the nearest card says of it.
fn said(missing: Vec<String>, known: &Known<'_>, path: &BStr) -> Vec<String> {
    let above = |card: &BStr| {
        let folder = card.rfind_byte(b'/').map_or(&b""[..], |at| &card[..=at]);
        path.starts_with(folder).then_some(folder.len())
    };
    let cards = known.outcome.cards.iter().filter_map(|(id, card)| {
        let at = known.outcome.blobs[id.0 as usize].path.as_bstr();
        Some((above(at)?, at, card.licences.first()?))
    });
    let Some((_, card, licence)) = cards.max_by_key(|(depth, ..)| *depth) else { return missing };
    let with = |what: String| match what.as_str() {
        "a licence" => format!("a licence ({card} says {})", licence.text),
        _ => what,
    };
    missing.into_iter().map(with).collect()
}
