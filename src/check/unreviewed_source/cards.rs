//! Cards and Croissant files against the policy and the lock: what the publisher says, and what was written down here.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use serde_json::json;

use super::{finding, short};
use crate::check::Merge;
use crate::finding::{Finding, Mark, content_hash};
use crate::format::cards::Carded;
use crate::policy::licence::Licence;
use crate::policy::lock::{Locked, digest, hex};
use crate::policy::{Policy, Source, SourceMatch};
use crate::rule::Severity;
use crate::span::BlobId;

/// The folders that belong to sources: those of their own paths, and those of datasets that name them.
#[derive(Debug, Default)]
pub(super) struct Owned(Vec<(BString, String)>);

impl Owned {
    pub(super) fn new(policy: &Policy) -> Self {
        let of_sources = policy.sources.iter().filter(|source| matches!(source.matches, SourceMatch::Path(_)));
        let paths =
            of_sources.flat_map(|source| source.written.iter().map(|glob| (folder_of(glob), source.name.clone())));
        let of_sets = policy.datasets.iter().filter_map(|set| Some((set, set.source.clone()?)));
        let sets =
            of_sets.flat_map(|(set, source)| set.patterns.iter().map(move |glob| (folder_of(glob), source.clone())));
        let mut owned: Vec<_> = paths.chain(sets).collect();
        owned.sort();
        owned.dedup();
        Self(owned)
    }
}

/// The folder that a glob cannot leave.
fn folder_of(glob: &str) -> BString {
    let fixed = &glob[..glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len())];
    fixed.rfind('/').map_or("", |at| &fixed[..at]).into()
}

/// What one card says.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Kept {
    path: BString,
    /// Each licence as written, where it stands, and whether a change brought it.
    licences: Vec<(String, Mark, bool)>,
    /// Files with their SHA-256, where that stands, and whether a change brought it.
    files: Vec<(BString, [u8; 32], Mark, bool)>,
}

/// Cards, and what the files are that the lock was compared with.
#[derive(Debug, Default)]
pub(super) struct Seen {
    cards: Vec<Kept>,
    hashes: BTreeMap<BString, (BlobId, [u8; 32])>,
    /// Published hashes that the lock has recorded: `digest-mismatch` holds the files against those.
    recorded: BTreeSet<(BString, [u8; 32])>,
}

impl Seen {
    pub(super) fn merge(&mut self, mut other: Self) {
        Merge::merge(&mut self.cards, std::mem::take(&mut other.cards));
        self.hashes.append(&mut other.hashes);
        self.recorded.append(&mut other.recorded);
    }

    pub(super) fn card(&mut self, card: &Carded<'_>) {
        let blob = &card.blob;
        let mark = |span, words: &str| {
            let content = content_hash(words.as_bytes());
            Mark { content, ..Mark::bytes(blob.id, blob.decoded.raw(span)) }
        };
        let licences = card
            .card
            .spdx()
            .map(|(said, _)| (said.text.clone(), mark(said.span, &said.text), blob.fresh.touches(said.span)));
        let files = card.card.files.iter().filter_map(|file| {
            let (digest, path, said) = (file.digest()?, file.path(blob.path)?, file.sha256.as_ref()?);
            Some((path, digest, mark(said.span, &said.text), blob.fresh.touches(said.span)))
        });
        let kept = Kept { path: blob.path.to_owned(), licences: licences.collect(), files: files.collect() };
        if !(kept.licences.is_empty() && kept.files.is_empty()) {
            self.cards.push(kept);
        }
    }

    /// The files as they are, with what the lock was compared with.
    pub(super) fn lock(&mut self, locked: &Locked<'_>) {
        for file in locked.files {
            if let Some(sha256) = file.sha256 {
                self.hashes.insert(file.path.clone(), (file.blob, sha256));
            }
        }
        for line in locked.lock.iter().flat_map(|lock| &lock.files) {
            let said = line.publisher.as_ref().and_then(|publisher| digest(&publisher.digest));
            self.recorded.extend(said.map(|said| (line.path.clone(), said)));
        }
    }

    /// The nearest cards above the folders of a source.
    fn of<'s>(&'s self, source: &'s str, owned: &'s Owned) -> BTreeSet<&'s Kept> {
        let folders = owned.0.iter().filter(move |(_, name)| name == source).map(|(folder, _)| folder.as_bstr());
        let mut nearest = BTreeSet::new();
        for folder in folders {
            let depth = |card: &&Kept| above(folder_above(card.path.as_ref()), folder);
            let best = self.cards.iter().filter(|card| !card.licences.is_empty()).filter_map(|card| depth(&card)).max();
            nearest.extend(
                self.cards
                    .iter()
                    .filter(|card| !card.licences.is_empty() && depth(card).is_some() && depth(card) == best),
            );
        }
        nearest
    }

    /// What the nearest card says of the licence of a source, for whoever has to fill it in.
    pub(super) fn licence<'s>(&'s self, source: &'s str, owned: &'s Owned) -> Option<(&'s BStr, &'s str)> {
        let card = self.of(source, owned).into_iter().next()?;
        Some((card.path.as_ref(), card.licences.first()?.0.as_str()))
    }

    /// Licences that contradict the entries, and files that are not what their card says.
    pub(super) fn finish(&self, sources: &[Source], owned: &Owned, findings: &mut Vec<Finding>) {
        for source in sources {
            for card in self.of(&source.name, owned) {
                self.licences(source, card, findings);
            }
        }
        for card in &self.cards {
            for (path, said, mark, _) in card.files.iter().filter(|(.., fresh)| *fresh) {
                let Some((blob, is)) = self.hashes.get(path).filter(|(_, is)| is != said) else { continue };
                if self.recorded.contains(&(path.clone(), *said)) {
                    continue;
                }
                let name = path.to_str_lossy();
                let message = format!("`{}` is not the file that its Croissant description names", short(&name));
                let help = "find out which of the two was changed: the data, or the hash that was published for it";
                let content = content_hash(path);
                let marks = vec![mark.clone(), Mark { content, ..Mark::name(*blob) }.with_note("this file")];
                let mut found = finding("hash-mismatch", &name, message, help, Severity::Error, marks);
                found.evidence.insert("published", json!(hex(said)));
                found.evidence.insert("sha256", json!(hex(is)));
                findings.push(found);
            }
        }
    }

    fn licences(&self, source: &Source, card: &Kept, findings: &mut Vec<Finding>) {
        let fresh: Vec<_> = card.licences.iter().filter(|(.., fresh)| *fresh).collect();
        let Some((first, ..)) = fresh.first() else { return };
        let says: Vec<Licence> = card.licences.iter().filter_map(|(text, ..)| parsed(text)).collect();
        let agrees = |entry: &Licence| says.iter().any(|said| said.agrees(entry));
        let allowed = |entry: &Licence| says.iter().any(|said| said.satisfies(entry));
        let evidence = &source.evidence;
        let (name, said) = (short(&source.name), short(first));
        let message = if evidence.licence.as_ref().is_some_and(|entry| !agrees(entry)) {
            let entry = short(source.licence.as_deref().unwrap_or(""));
            format!("the card says the licence is {said}, and the entry of the source `{name}` says {entry}")
        } else if evidence.licence_allow.as_ref().is_some_and(|entry| !allowed(entry)) {
            format!("the card says the licence is {said}, which the entry of the source `{name}` does not allow")
        } else {
            return;
        };
        let help = "find out which licence holds and correct the entry or the card, or do not train on this source";
        let marks = fresh.iter().map(|(_, mark, _)| mark.clone()).collect();
        let mut found = finding("licence-mismatch", &source.name, message, help, Severity::Warning, marks);
        found.cause = format!("licence-mismatch card {} {}", source.name, card.path);
        found.evidence.insert("card", json!(first));
        findings.push(found);
    }
}

fn parsed(text: &str) -> Option<Licence> {
    Licence::parse(&crate::format::cards::spdx(text)?)
}

fn folder_above(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |at| path[..at].as_bstr())
}

/// How deep a folder lies, where it is the other one or above it.
fn above(folder: &BStr, other: &BStr) -> Option<usize> {
    let rest = other.strip_prefix(folder.as_bytes())?;
    let inside = folder.is_empty() || rest.is_empty() || rest.starts_with(b"/");
    inside.then_some(folder.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_speaks_for_the_folders_below_it() {
        assert_eq!(above("".into(), "data/a".into()), Some(0));
        assert_eq!(above("data".into(), "data/a".into()), Some(4));
        assert_eq!(above("data".into(), "database".into()), None);
        assert_eq!(above("data/a".into(), "data".into()), None);
        assert_eq!(folder_of("data/*/x-[0-9].jsonl"), "data");
        assert_eq!(folder_of("*.jsonl"), "");
    }
}
