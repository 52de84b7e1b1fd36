//! Policies of folders, which may only tighten: found from the entries in scope and the folders above them, so that
//! what is not touched costs nothing.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};

use super::Error;
use crate::policy::FILE;
use crate::source::{Content, Entry, ObjectId, Repository, Scope, Snapshot, SourceError, Trusted, above};

/// Bytes of the policy of a folder.
const MAX_BYTES: u64 = 1 << 20;
/// Policies of folders that may stand above what is in scope.
const MAX_POLICIES: usize = 1000;

/// The paths at which a policy of a folder would stand over something in scope.
pub(super) fn candidates(entries: &[Entry]) -> BTreeSet<BString> {
    let mut paths = above(entries, FILE);
    paths.remove(BStr::new(FILE));
    paths
}

/// What the trusted side has at `paths`.
pub(super) fn trusted(
    repository: &Repository,
    side: &Trusted,
    scope: &Scope,
    snapshot: &Snapshot,
    is_whole: bool,
    paths: &BTreeSet<BString>,
) -> Result<Vec<(BString, String)>, Error> {
    let Some(commit) = side.commit else {
        return if side.from == "worktree" { judged(repository, &Scope::Worktree, paths) } else { Ok(Vec::new()) };
    };
    if is_whole && *scope == Scope::Staged && snapshot.before == Some(commit) {
        // HEAD has what is staged, except where the change says otherwise: no tree needs to be opened.
        let is_policy = |path: &BString| path.ends_with_str(FILE);
        let befores = snapshot.entries.iter().filter_map(|entry| entry.before.as_ref());
        let gone: BTreeMap<&BString, ObjectId> =
            befores.filter(|before| is_policy(&before.path)).map(|before| (&before.path, before.id)).collect();
        let new: BTreeSet<&BString> =
            snapshot.entries.iter().map(|entry| &entry.path).filter(|p| is_policy(p)).collect();
        let mut ids = Vec::new();
        for path in paths {
            let id = match gone.get(path) {
                Some(id) => Some(*id),
                None if new.contains(path) => None,
                None => repository.staged_file(path.as_ref())?,
            };
            ids.extend(id.map(|id| (path.clone(), id)));
        }
        return texts(repository, ids);
    }
    at(repository, commit, paths)
}

/// What the judged side has at `paths`.
pub(super) fn judged(
    repository: &Repository,
    scope: &Scope,
    paths: &BTreeSet<BString>,
) -> Result<Vec<(BString, String)>, Error> {
    let read = |(path, content): (BString, Content)| {
        let bytes = repository.read(&content, MAX_BYTES).map_err(|reason| unusable(&path, &reason))?;
        text(path, bytes.to_vec())
    };
    few(repository.judged_files(scope, paths)?)?.into_iter().map(read).collect()
}

fn at(repository: &Repository, commit: ObjectId, paths: &BTreeSet<BString>) -> Result<Vec<(BString, String)>, Error> {
    let files = repository.files_at(commit, paths.iter().map(|path| path.as_bstr()));
    texts(
        repository,
        files.map_err(|reason| {
            SourceError::new(format!("{commit}: {reason}; fetch it (git fetch --unshallow, or without a filter)"))
        })?,
    )
}

fn texts(repository: &Repository, files: Vec<(BString, ObjectId)>) -> Result<Vec<(BString, String)>, Error> {
    let read = |(path, id): (BString, ObjectId)| {
        let bytes = repository.blob(id, MAX_BYTES).map_err(|reason| unusable(&path, &reason))?;
        text(path, bytes.to_vec())
    };
    few(files)?.into_iter().map(read).collect()
}

fn few<T>(files: Vec<T>) -> Result<Vec<T>, Error> {
    if files.len() <= MAX_POLICIES {
        return Ok(files);
    }
    let message = format!(
        "{} policies of folders stand over what is in scope, more than {MAX_POLICIES}; name fewer paths",
        files.len()
    );
    Err(SourceError::new(message).into())
}

fn text(path: BString, bytes: Vec<u8>) -> Result<(BString, String), Error> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok((path, text)),
        Err(_) => Err(unusable(&path, "it is not UTF-8")),
    }
}

fn unusable(path: &BString, reason: &str) -> Error {
    SourceError::new(format!("{path} cannot be read: {reason}; mend the file, or fetch what is missing")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Mode;

    #[test]
    fn every_folder_above_an_entry_may_have_a_policy() {
        let entry = |path: &str| {
            let (path, mode) = (path.into(), Mode::File);
            Entry { path, mode, content: None, before: None, unchanged: false }
        };
        let entries = [entry("a/b/c.csv"), entry("a/d.csv"), entry("top.csv"), entry("a/b/e.csv")];
        let found: Vec<_> = candidates(&entries).into_iter().collect();
        assert_eq!(found, ["a/b/foretaste.yaml", "a/foretaste.yaml"]);
    }
}
