//! Plain files and folders, without any repository.

use std::path::{Path, PathBuf};

use bstr::BString;

use super::{Bytes, Content, Entry, Mode, Snapshot, SourceError, path_bytes, read_file, read_link};
use crate::finding::Unread;

/// Folders inside one another.
const MAX_DEPTH: usize = 512;

/// The bytes of a file, or the target of a link; never anything else that a path may name.
pub(super) fn read(path: &Path, limit: u64) -> Result<Bytes, String> {
    if path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        return read_link(path).map(Bytes::from);
    }
    read_file(path, limit)
}

/// Why something on disk cannot be read, in a few words.
pub(super) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// What the state of a path on disk makes of it; `None` for a folder.
pub(super) fn mode_of(meta: &std::fs::Metadata) -> Option<Mode> {
    if meta.is_dir() {
        None
    } else if meta.is_symlink() {
        Some(Mode::Link)
    } else if !meta.is_file() {
        Some(Mode::Other)
    } else if is_executable(meta) {
        Some(Mode::Executable)
    } else {
        Some(Mode::File)
    }
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// Lists plain files, and folders with all that is in them except repositories' own `.git`.
///
/// A link that a person named is followed, one that is met on the way is not.
///
/// # Errors
/// A named path that does not exist.
pub(super) fn list(paths: &[PathBuf]) -> Result<Snapshot, SourceError> {
    let mut snapshot = Snapshot::default();
    for named in paths {
        let missing = |error: std::io::Error| {
            SourceError::new(format!("{}: {}", named.display(), reason(&error)))
                .with_help("Name files or folders that exist.")
        };
        let real = std::fs::canonicalize(named).map_err(missing)?;
        let meta = std::fs::metadata(&real).map_err(missing)?;
        match mode_of(&meta) {
            Some(mode) => {
                push(&mut snapshot, path_bytes(named), mode, real);
            }
            None => folder(named, real, &mut snapshot),
        }
    }
    snapshot.entries.sort_by(|a, b| a.path.cmp(&b.path));
    snapshot.entries.dedup_by(|a, b| a.path == b.path);
    snapshot.unread.sort();
    snapshot.unread.dedup();
    Ok(snapshot)
}

fn folder(named: &Path, real: PathBuf, snapshot: &mut Snapshot) {
    let mut stack = vec![(named.to_owned(), real, 0)];
    while let Some((named, real, depth)) = stack.pop() {
        let unread = |snapshot: &mut Snapshot, reason| {
            snapshot.unread.push(Unread { path: path_bytes(&named), reason });
        };
        if depth == MAX_DEPTH {
            unread(snapshot, format!("folders nested more than {MAX_DEPTH} deep"));
            continue;
        }
        let list = match std::fs::read_dir(&real) {
            Ok(list) => list,
            Err(error) => {
                unread(snapshot, reason(&error));
                continue;
            }
        };
        for item in list {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    unread(snapshot, reason(&error));
                    break;
                }
            };
            let (name, path) = (item.file_name(), item.path());
            let Ok(meta) = path.symlink_metadata() else { continue };
            // `./data` and `data` are one folder; its files should not be named apart.
            let named = if named == Path::new(".") { PathBuf::from(&name) } else { named.join(&name) };
            match mode_of(&meta) {
                None if name == ".git" => {}
                None => stack.push((named, path, depth + 1)),
                Some(mode) => push(snapshot, path_bytes(&named), mode, path),
            }
        }
    }
}

fn push(snapshot: &mut Snapshot, path: BString, mode: Mode, real: PathBuf) {
    if mode == Mode::Other {
        snapshot.unread.push(Unread { path: path.clone(), reason: "not a regular file".to_owned() });
    }
    snapshot.entries.push(Entry { path, mode, content: Some(Content::File(real)), before: None, unchanged: false });
}
