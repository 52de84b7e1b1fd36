//! Models that carry a signature of their own: whether it holds, and whether it speaks of the files that are there.

use std::path::Path;

use bstr::{BString, ByteSlice, ByteVec};
use rayon::prelude::*;

use super::blobs::Blobs;
use super::gather::Run;
use super::own::Sides;
use super::scan::{Hashing, digests};
use crate::finding::Unread;
use crate::policy::Policy;
use crate::policy::lock::stays_inside;
use crate::policy::signature::oms::{self, Differs, MAX_BUNDLE, Manifest, Sum};
use crate::policy::signature::{Signed, Trust};
use crate::source;

/// Files of one model.
const MAX_FILES: usize = 100_000;

/// A file below the folder of a model.
struct Found {
    path: BString,
    /// `None` for a link, which no signature speaks of.
    file: Option<std::path::PathBuf>,
}

impl Run<'_> {
    /// The models of the work tree whose signatures are asked for by the policy, or lie in the lock; only where
    /// everything is hashed.
    pub(super) fn models(
        &self,
        policy: &Policy,
        lock: &Sides,
        blobs: &mut Blobs,
        unread: &mut Vec<Unread>,
    ) -> Vec<oms::Judged> {
        let top = self.reader.repository().and_then(|repository| repository.work_tree());
        let Some(top) = top.filter(|_| self.checker.hashing.is_some()) else { return Vec::new() };
        let mut list: Vec<(String, Option<String>)> = Vec::new();
        for folder in &policy.require.models {
            let folder = folder.trim_end_matches('/').trim_start_matches("./");
            let folder = if folder == "." { "" } else { folder };
            let beside = bundles(top, folder);
            if beside.is_empty() {
                list.push((folder.to_owned(), None));
            }
            list.extend(beside.into_iter().map(|bundle| (folder.to_owned(), Some(bundle))));
        }
        // What is locked as a signature is taken for that of the folder it lies in.
        for path in lock.paths().filter_map(|path| path.to_str().ok()).filter(|path| path.ends_with(".sig")) {
            let known = list.iter().any(|(_, bundle)| bundle.as_deref() == Some(path));
            let read = source::read_file(&top.join(path), MAX_BUNDLE);
            if !known && read.is_ok_and(|bytes| oms::is_bundle(&bytes)) {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                list.push((folder.to_owned(), Some(path.to_owned())));
            }
        }
        let trust = Trust { keys: &policy.keys, as_of: policy.as_of, max_age_days: None, standing: false };
        let mut models = Vec::new();
        for (folder, bundle) in list {
            let Some(bundle) = bundle else {
                let blob = blobs.own(crate::policy::FILE, policy.text.as_bytes().to_vec());
                models.push(oms::Judged { folder, bundle: None, blob, verdict: Err(oms::missing()) });
                continue;
            };
            let bytes = match source::read_file(&top.join(&bundle), MAX_BUNDLE) {
                Ok(bytes) => bytes,
                Err(reason) => {
                    unread.push(Unread { path: bundle.into(), reason });
                    continue;
                }
            };
            let held =
                |(signed, manifest): (Signed, Manifest)| (signed, compared(top, &folder, &bundle, &manifest, unread));
            let verdict = oms::verify(&bytes, &trust).map(held);
            let blob = blobs.own(&bundle, bytes.to_vec());
            models.push(oms::Judged { folder, bundle: Some(bundle), blob, verdict });
        }
        models
    }
}

/// Signature files of a model, in its folder and beside it.
fn bundles(top: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !folder.is_empty() && !stays_inside(folder.into()) {
        return found;
    }
    let beside = format!("{folder}.sig");
    let names = std::fs::read_dir(top.join(folder)).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| name.ends_with(".sig"))?;
        Some(if folder.is_empty() { name } else { format!("{folder}/{name}") })
    });
    for path in names.chain((!folder.is_empty()).then_some(beside)) {
        if source::read_file(&top.join(&path), MAX_BUNDLE).is_ok_and(|bytes| oms::is_bundle(&bytes)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What of a model is not as it was signed.
fn compared(top: &Path, folder: &str, bundle: &str, manifest: &Manifest, unread: &mut Vec<Unread>) -> Differs {
    let mut differs = Differs::default();
    let root = if folder.is_empty() { top.to_owned() } else { top.join(folder) };
    let own = bundle.strip_prefix(folder).map(|rest| rest.trim_start_matches('/'));
    let found = match listed(&root) {
        Ok(found) => found,
        Err(reason) => {
            unread.push(Unread { path: folder.into(), reason });
            return differs;
        }
    };
    let present = |path: &BString| found.binary_search_by(|file| file.path.cmp(path)).is_ok();
    differs.missing = manifest.files.keys().filter(|path| !present(path)).cloned().collect();
    let judged = found.par_iter().filter_map(|file| {
        let path = file.path.as_bstr();
        let Some(sum) = manifest.files.get(path) else {
            let is_own = own.is_some_and(|own| path == own);
            return (!is_own && !path.starts_with(b".git/"))
                .then(|| Ok((file.path.clone(), manifest.ignores(path), true)));
        };
        let Some(disk) = &file.file else { return Some(Ok((file.path.clone(), false, false))) };
        let read = || -> Result<bool, String> {
            let bytes = source::read_file(disk, u64::MAX)?;
            let same = match sum {
                Sum::Sha256(sum) => digests(&bytes, Hashing::Sha256).0 == *sum,
                Sum::Blake3(sum) => digests(&bytes, Hashing::Blake3).1 == Some(*sum),
            };
            bytes.verify()?;
            Ok(same)
        };
        match read() {
            Ok(true) => None,
            Ok(false) => Some(Ok((file.path.clone(), false, false))),
            Err(reason) => {
                let path = if folder.is_empty() { file.path.clone() } else { format!("{folder}/{}", file.path).into() };
                Some(Err(Unread { path, reason }))
            }
        }
    });
    for one in judged.collect::<Vec<_>>() {
        match one {
            Ok((path, true, _)) => differs.ignored.push(path),
            Ok((path, false, true)) => differs.added.push(path),
            Ok((path, false, false)) => differs.changed.push(path),
            Err(gap) => unread.push(gap),
        }
    }
    differs
}

/// Every file and link below a folder, sorted. Links are not followed.
fn listed(root: &Path) -> Result<Vec<Found>, String> {
    if !std::fs::symlink_metadata(root).is_ok_and(|meta| meta.is_dir()) {
        return Err("the folder of the model is not there, or is a link".to_owned());
    }
    let mut found = Vec::new();
    for entry in ignore::WalkBuilder::new(root).standard_filters(false).follow_links(false).build() {
        let entry = entry.map_err(|error| error.to_string())?;
        let kind = entry.file_type();
        if kind.is_none_or(|kind| kind.is_dir()) {
            continue;
        }
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let path = Vec::from_path_lossy(below).into_owned();
        let path = if std::path::MAIN_SEPARATOR == '/' { path } else { path.replace(b"\\", b"/") };
        let file = kind.is_some_and(|kind| kind.is_file()).then(|| entry.path().to_owned());
        found.push(Found { path: path.into(), file });
        if found.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
