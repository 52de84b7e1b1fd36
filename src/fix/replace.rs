//! Puts new bytes in the place of a file: whole or not at all, and only where the file still is what was read.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::source::read_file;

/// A file that is to be written, and what it must still be then.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) file: &'a Path,
    /// What was read of it; `None` for a file that must not be there yet.
    pub(crate) before: Option<&'a [u8]>,
    /// The folder that it must lie in.
    pub(crate) inside: Option<&'a Path>,
}

/// Writes a temporary file beside the target and renames it over the target. Permissions are kept. Links are not
/// followed, and nothing outside of the folder is touched.
///
/// # Errors
/// Why nothing was written, as one short phrase.
pub(crate) fn write(target: &Target<'_>, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot be written: {error}");
    let folder = match target.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let real = folder.canonicalize().map_err(failed)?;
    if let Some(top) = target.inside
        && !real.starts_with(top.canonicalize().map_err(failed)?)
    {
        return Err("lies outside of the work tree behind a link".to_owned());
    }
    // Beside the real file, so that nobody can put a link in its way between here and the rename.
    let name = target.file.file_name().ok_or("has no name")?;
    let file = real.join(name);
    let mut new = tempfile::Builder::new().prefix(".foretaste-").tempfile_in(&real).map_err(failed)?;
    new.write_all(bytes).map_err(failed)?;
    let meta = file.symlink_metadata();
    match (&meta, target.before) {
        // Renaming would get around it.
        (Ok(meta), Some(_)) if meta.is_file() && meta.permissions().readonly() => {
            return Err("is write-protected".to_owned());
        }
        (Ok(meta), Some(_)) if meta.is_file() => {
            new.as_file().set_permissions(meta.permissions()).map_err(failed)?;
        }
        (Err(error), None) if error.kind() == std::io::ErrorKind::NotFound => {
            readable(new.as_file()).map_err(failed)?
        }
        (Ok(meta), _) if meta.is_symlink() => return Err("is a link; name the file itself".to_owned()),
        _ => return Err(CHANGED.to_owned()),
    }
    new.as_file().sync_all().map_err(failed)?;
    match target.before {
        Some(before) => {
            if *read_file(&file, before.len() as u64).map_err(|_| CHANGED)? != *before {
                return Err(CHANGED.to_owned());
            }
            new.persist(&file).map_err(|error| failed(error.error))?;
        }
        None => {
            new.persist_noclobber(&file).map_err(|_| CHANGED)?;
        }
    }
    Ok(())
}

const CHANGED: &str = "changed meanwhile, so nothing was written; run it again";

/// Temporary files are private; a file of a repository is for everybody who may read the others.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target<'a>(file: &'a Path, before: Option<&'a [u8]>) -> Target<'a> {
        Target { file, before, inside: None }
    }

    #[test]
    fn a_file_is_only_replaced_while_it_is_what_was_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.csv");
        std::fs::write(&file, "old").expect("written");
        assert!(write(&target(&file, Some(b"older")), b"new").is_err());
        assert!(write(&target(&file, Some(b"ol")), b"new").is_err());
        assert!(write(&target(&file, None), b"new").is_err());
        assert_eq!(std::fs::read(&file).expect("still there"), b"old");
        write(&target(&file, Some(b"old")), b"new").expect("it is what was read");
        assert_eq!(std::fs::read(&file).expect("still there"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
        std::fs::create_dir(&inside).expect("a folder");
        std::fs::create_dir(&outside).expect("a folder");
        let file = outside.join("a.csv");
        std::fs::write(&file, "old").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
        let link = inside.join("a.csv");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert!(write(&target(&link, Some(b"old")), b"new").is_err());
        let behind = inside.join("folder");
        std::os::unix::fs::symlink(&outside, &behind).expect("a link");
        let named = behind.join("a.csv");
        let within = Target { inside: Some(&inside), ..target(&named, Some(b"old")) };
        assert!(write(&within, b"new").is_err());
        assert_eq!(std::fs::read(&file).expect("still there"), b"old");
        write(&target(&file, Some(b"old")), b"new").expect("it is what was read");
        let mode = std::fs::metadata(&file).expect("still there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
