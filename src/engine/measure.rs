//! What a lock has to hold: hashes, records and labels of the data, and what references resolve to.

use std::path::Path;

use bstr::ByteSlice;
use rayon::prelude::*;

use super::own::is_own;
use super::scan::{Hashing, digests, is_about_data};
use super::{Checker, Error, Progress};
use crate::finding::Unread;
use crate::format::Reference;
use crate::lens::Standing;
use crate::policy::Policy;
use crate::policy::lock::{LockedFile, Publisher};
use crate::source::{Entry, Mode};

/// What a lock of the work tree has to hold.
#[derive(Debug)]
pub(crate) struct Measures {
    /// The files of declared datasets, or of every dataset that is recognised where none is declared; files that change
    /// what others are read as; and those that were asked for. Sorted by path.
    pub(crate) files: Vec<LockedFile>,
    /// What could not be measured.
    pub(crate) unread: Vec<Unread>,
    /// The policy of the work tree.
    pub(crate) policy: Policy,
    /// What code and configuration name, in the order of the files.
    pub(crate) references: Vec<Reference>,
}

impl Checker {
    /// Measures the data in the work tree, for `foretaste lock`, and files beyond it that `also` names.
    pub(crate) fn measure(
        mut self,
        dir: &Path,
        progress: &dyn Progress,
        also: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Result<Measures, Error> {
        self.measures = true;
        let listed = self.listed(dir)?;
        let declared = !listed.policy.datasets.is_empty();
        let wanted = |path: &[u8]| is_own(path.as_bstr()).is_none() && (is_about_data(path.as_bstr()) || also(path));
        let outcome = self.only(&["no rule"]).run_with(dir, progress)?;
        let measured = outcome.measures.iter().filter(|measure| declared || measure.records.is_some());
        let mut files: Vec<LockedFile> = measured
            .map(|measure| LockedFile {
                path: outcome.blobs[measure.blob.0 as usize].path.clone(),
                sha256: measure.sha256,
                blake3: measure.blake3.unwrap_or_default(),
                size: measure.size,
                records: measure.records,
                labels: measure.labels.clone(),
                publisher: measure.pointer.as_ref().map(|oid| Publisher {
                    by: "lfs".to_owned(),
                    algorithm: "sha256".to_owned(),
                    digest: oid.clone(),
                }),
                ..LockedFile::default()
            })
            .collect();
        let mut unread = outcome.unread;
        let known = |entry: &Entry| files.binary_search_by(|file| file.path.cmp(&entry.path)).is_ok();
        let more: Vec<&Entry> = listed.entries.iter().filter(|entry| wanted(&entry.path) && !known(entry)).collect();
        let more: Vec<_> = more.par_iter().filter_map(|entry| hashed(&listed, entry)).collect();
        for file in more {
            match file {
                Ok(file) => {
                    unread.retain(|gap| gap.path != file.path);
                    files.push(file);
                }
                Err(gap) => unread.push(gap),
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut said = super::publisher::of_dvc(&listed);
        for (blob, card) in &outcome.cards {
            super::publisher::of_card(card, outcome.blobs[blob.0 as usize].path.as_bstr(), &mut said);
        }
        for file in &mut files {
            file.source = listed.policy.source_of(file.path.as_bstr());
            file.publisher = file.publisher.take().or_else(|| said.get(&file.path).cloned());
        }
        // What documentation and tests name goes into no model.
        let counts = |blob: crate::span::BlobId| {
            let path = outcome.blobs[blob.0 as usize].path.as_bstr();
            matches!(listed.policy.lens(path).standing, Standing::Training | Standing::Ci | Standing::Code)
        };
        let references = outcome
            .references
            .iter()
            .filter(|(blob, _)| counts(*blob))
            .map(|(_, reference)| reference.clone())
            .collect();
        Ok(Measures { files, unread, policy: listed.policy, references })
    }
}

/// A file that is hashed and not read as data, however large it is.
fn hashed(listed: &super::Listed, entry: &Entry) -> Option<Result<LockedFile, Unread>> {
    let content = entry.content.as_ref().filter(|_| matches!(entry.mode, Mode::File | Mode::Executable))?;
    let read = || {
        let raw = listed.raw(content)?;
        let object = listed.object(&raw).transpose()?;
        let bytes: &[u8] = object.as_deref().unwrap_or(&raw);
        let (sha256, blake3) = digests(bytes, Hashing::Both);
        raw.verify()?;
        let (path, size, blake3) = (entry.path.clone(), bytes.len() as u64, blake3.unwrap_or_default());
        Ok(LockedFile { path, sha256, blake3, size, ..LockedFile::default() })
    };
    Some(read().map_err(|reason| Unread { path: entry.path.clone(), reason }))
}
