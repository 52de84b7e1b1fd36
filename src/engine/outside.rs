//! Folders outside of the repository: a snapshot of a hub, the cache of DVC, a mounted bucket.

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::Error;
use super::scan::{Hashing, digests};
use crate::finding::Unread;
use crate::policy::lock::{Lock, LockedFile};
use crate::source::{self, SourceError};

/// Files of one folder.
const MAX_FILES: usize = 1_000_000;

/// Every file of a folder, hashed, under the name that the lock gives the folder. Links are followed as the user's own
/// tools follow them: the caches of hubs consist of links.
pub(crate) fn hashed(
    name: &str,
    folder: &Path,
    wanted: Hashing,
    unread: &mut Vec<Unread>,
) -> Result<Vec<LockedFile>, Error> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        Error::Source(SourceError::new(format!(
            "{} cannot be read: {error}; check its name, and that you may read it",
            path.display()
        )))
    };
    let mut paths: Vec<(BString, PathBuf)> = Vec::new();
    for entry in ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(true).build() {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts: Vec<_> = below.iter().map(|part| part.as_encoded_bytes()).collect();
        let path = BString::from([name.as_bytes(), b"/", &bstr::join("/", parts)].concat());
        paths.push((path, entry.path().canonicalize().map_err(|error| failed(entry.path(), &error))?));
        if paths.len() > MAX_FILES {
            return Err(failed(folder, &format!("more than {MAX_FILES} files")));
        }
    }
    paths.sort();
    let each = paths.par_iter().map(|(path, file)| {
        let read = || {
            let bytes = source::read_file(file, u64::MAX)?;
            let (sha256, blake3) = digests(&bytes, wanted);
            bytes.verify()?;
            let (size, blake3) = (bytes.len() as u64, blake3.unwrap_or_default());
            Ok(LockedFile { path: path.clone(), sha256, blake3, size, ..LockedFile::default() })
        };
        read().map_err(|reason: String| Unread { path: path.clone(), reason })
    });
    let mut files = Vec::new();
    for file in each.collect::<Vec<_>>() {
        match file {
            Ok(file) => files.push(file),
            Err(gap) => unread.push(gap),
        }
    }
    Ok(files)
}

/// Folders that the lock speaks of and nobody named.
pub(super) fn unseen(lock: &Lock, folders: &[String]) -> Vec<Unread> {
    let names =
        lock.outside.iter().filter_map(|line| Some(line.path.split_once_str("/")?.0.to_str_lossy().into_owned()));
    let names: std::collections::BTreeSet<String> = names.filter(|name| !folders.contains(name)).collect();
    let gap = |name: String| Unread {
        reason: format!("data outside of the repository: say where it is with --from {name}=FOLDER"),
        path: name.into(),
    };
    names.into_iter().map(gap).collect()
}
