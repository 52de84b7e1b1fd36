//! A file of its user's cache folder: what was computed once from a repository, so that it need not be again.
//!
//! Whatever lies there may be damaged, cut short, old, or made by somebody else. So everything is authenticated with a
//! key that only its user can read, over its place in the file and the repository that it belongs to; what does not
//! hold is dropped, and computed again. No folder, no key, a folder that others can write to, or a second run at the
//! same time: no cache. Nothing that goes wrong here is an error.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of the file of one repository. What does not fit is computed again.
const MOST: u64 = 1 << 30;
/// Bytes of the files of all repositories together; the oldest go first.
const MOST_OF_ALL: u64 = 4 << 30;
/// Bytes of one part.
const LARGEST: usize = 64 << 20;
/// What all files begin with. Grows with their layout.
const MAGIC: &[u8; 8] = b"ftcache1";
/// Length of a part, and its authentication.
const HEAD: usize = 8 + 32;

/// The parts of one file, in order.
#[derive(Debug)]
pub(crate) struct Cache {
    file: File,
    key: [u8; 32],
    /// The authentication of the last part, or of the name: none can be left out, put in or exchanged.
    chain: [u8; 32],
    /// Behind the last part that holds.
    end: u64,
}

impl Cache {
    /// Opens the file of the repository at `repository` in the cache folder of the user. `settings` stands for all that
    /// what is kept hangs on; a file of others is begun anew. `None` where there can be no cache.
    pub(crate) fn open(folder: &Path, repository: &Path, settings: &[u8]) -> Option<Self> {
        let folder = own_folder(folder)?;
        let key = key(&folder.join("key"))?;
        let name = mac(&key, &[b"name", repository.as_os_str().as_encoded_bytes()]);
        let path = folder.join(format!("history-{}", blake3::Hash::from(name).to_hex()));
        make_room(&folder, &path);
        let mut file = open_own(&path, true)?;
        // Another run has it: this one goes without.
        file.try_lock().ok()?;
        let chain = mac(&key, &[MAGIC, &name, settings]);
        let mut found = [0; 8 + 32];
        let holds = file.read_exact(&mut found).is_ok() && found[..8] == *MAGIC && same(&found[8..], &chain);
        if !holds {
            file.set_len(0).ok()?;
            file.seek(SeekFrom::Start(0)).ok()?;
            file.write_all(&[&MAGIC[..], &chain].concat()).ok()?;
        }
        Some(Self { file, key, chain, end: found.len() as u64 })
    }

    /// Shows `look` every part that holds, from the first on. Behind one that does not, nothing is looked at.
    pub(crate) fn read(&mut self, look: &mut dyn FnMut(&[u8])) {
        let mut part = Vec::new();
        while self.next(&mut part).is_some() {
            look(&part);
        }
    }

    fn next(&mut self, part: &mut Vec<u8>) -> Option<()> {
        self.file.seek(SeekFrom::Start(self.end)).ok()?;
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head).ok()?;
        let (len, told) = head.split_at(8);
        let len = usize::try_from(u64::from_le_bytes(len.try_into().ok()?)).ok().filter(|&len| len <= LARGEST)?;
        part.clear();
        let read = (&mut self.file).take(len as u64).read_to_end(part).ok()?;
        let holds = mac(&self.key, &[&self.chain, part]);
        if read < len || !same(told, &holds) {
            return None;
        }
        self.chain = holds;
        self.end += (HEAD + len) as u64;
        Some(())
    }

    /// Adds a part behind those that hold, in place of what does not. Says whether there is room for more.
    pub(crate) fn add(&mut self, part: &[u8]) -> bool {
        let end = self.end + (HEAD + part.len()) as u64;
        if part.len() > LARGEST || end > MOST {
            return false;
        }
        let chain = mac(&self.key, &[&self.chain, part]);
        let mut write = || {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(&(part.len() as u64).to_le_bytes())?;
            self.file.write_all(&chain)?;
            self.file.write_all(part)
        };
        if write().is_err() {
            return false;
        }
        (self.chain, self.end) = (chain, end);
        true
    }
}

/// BLAKE3 as a message authentication code, over the lengths of the pieces as well.
fn mac(key: &[u8; 32], pieces: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for piece in pieces {
        hasher.update(&(piece.len() as u64).to_le_bytes());
        hasher.update(piece);
    }
    *hasher.finalize().as_bytes()
}

/// Whether they are the same, in a time that tells nothing of where they differ.
fn same(told: &[u8], holds: &[u8; 32]) -> bool {
    told.try_into().is_ok_and(|told: [u8; 32]| blake3::Hash::from(told) == blake3::Hash::from(*holds))
}

/// The folder `foretaste` below the user's cache folder: made where it is missing, and used where nobody else can write
/// to it.
fn own_folder(above: &Path) -> Option<PathBuf> {
    if !above.is_absolute() {
        return None;
    }
    let folder = above.join("foretaste");
    if folder.symlink_metadata().is_err() {
        let _ = fs::create_dir_all(above);
        let mut builder = fs::DirBuilder::new();
        private::folder(&mut builder);
        let _ = builder.create(&folder);
    }
    let meta = folder.symlink_metadata().ok()?;
    (meta.is_dir() && private::is_own(&folder, &meta)).then_some(folder)
}

/// The key: 32 bytes that nobody but the user can read, made where there is none.
fn key(path: &Path) -> Option<[u8; 32]> {
    if path.symlink_metadata().is_err() {
        let mut key = [0; 32];
        private::random(&mut key)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private::file(&mut options);
        // Where another run was faster, its key is read.
        if let Ok(mut file) = options.open(path) {
            file.write_all(&key).ok()?;
        }
    }
    let mut bytes = Vec::new();
    open_own(path, false)?.take(33).read_to_end(&mut bytes).ok()?;
    bytes.try_into().ok()
}

/// Opens a regular file that is the user's alone, and no link.
fn open_own(path: &Path, create: bool) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(create).create(create);
    private::file(&mut options);
    let file = options.open(path).ok()?;
    let meta = file.metadata().ok()?;
    (meta.is_file() && private::is_own(path, &meta)).then_some(file)
}

/// Takes away the oldest files of other repositories where all together are too many bytes.
fn make_room(folder: &Path, own: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"history-") && entry.path() != own)
        .filter_map(|entry| entry.metadata().ok().map(|meta| (meta.modified().ok(), meta.len(), entry.path())))
        .collect();
    files.sort();
    let mut all: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files {
        if all + MOST <= MOST_OF_ALL {
            break;
        }
        all -= len;
        let _ = fs::remove_file(path);
    }
}

#[cfg(unix)]
mod private {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io::Read;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    pub(super) fn folder(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub(super) fn file(options: &mut OpenOptions) {
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    }

    /// Whether it is the user's, and others can neither read nor write a file, nor write to a folder.
    pub(super) fn is_own(path: &Path, meta: &Metadata) -> bool {
        let others = if meta.is_dir() { 0o022 } else { 0o077 };
        meta.mode() & others == 0
            && (meta.is_dir() || meta.nlink() == 1)
            && gix::sec::identity::is_path_owned_by_current_user(path).unwrap_or(false)
    }

    pub(super) fn random(key: &mut [u8; 32]) -> Option<()> {
        File::open("/dev/urandom").ok()?.read_exact(key).ok()
    }
}

/// Who may read a file cannot be told there: no cache.
#[cfg(not(unix))]
mod private {
    use std::fs::{DirBuilder, Metadata, OpenOptions};
    use std::path::Path;

    pub(super) fn folder(_: &mut DirBuilder) {}

    pub(super) fn file(_: &mut OpenOptions) {}

    pub(super) fn is_own(_: &Path, _: &Metadata) -> bool {
        false
    }

    pub(super) fn random(_: &mut [u8; 32]) -> Option<()> {
        None
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn parts(folder: &Path, repository: &str, settings: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut cache = Cache::open(folder, Path::new(repository), settings)?;
        let mut parts = Vec::new();
        cache.read(&mut |part| parts.push(part.to_vec()));
        Some(parts)
    }

    fn filled(folder: &Path, repository: &str) {
        let mut cache = Cache::open(folder, Path::new(repository), b"s").expect("a folder of our own");
        cache.read(&mut |_| {});
        assert!(cache.add(b"first part") && cache.add(b"the second one"));
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder.join("foretaste")).expect("it was made").flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| !path.ends_with("key")).collect();
        files.sort();
        files
    }

    fn whole() -> Vec<Vec<u8>> {
        vec![b"first part".to_vec(), b"the second one".to_vec()]
    }

    #[test]
    fn what_was_added_is_read_again_and_gone_on_from() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(parts(folder.path(), "/r", b"s"), Some(vec![]));
        filled(folder.path(), "/r");
        assert_eq!(parts(folder.path(), "/r", b"s"), Some(whole()));
        filled(folder.path(), "/r");
        assert_eq!(parts(folder.path(), "/r", b"s"), Some([whole(), whole()].concat()));
        let mode = fs::metadata(folder.path().join("foretaste/key")).expect("the key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Other settings begin anew; another repository has a file of its own.
        assert_eq!(parts(folder.path(), "/q", b"s"), Some(vec![]));
        assert_eq!(parts(folder.path(), "/r", b"t"), Some(vec![]));
        assert_eq!(parts(folder.path(), "/r", b"s"), Some(vec![]), "it was dropped");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_only_loses_parts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        filled(folder.path(), "/r");
        let path = files(folder.path()).remove(0);
        let bytes = fs::read(&path).expect("it can be read");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, &damaged).expect("it can be written");
            let found = parts(folder.path(), "/r", b"s").expect("the folder is fine");
            assert!(found.len() < 2 && whole().starts_with(&found), "byte {at}: {found:?}");
            fs::write(&path, &bytes[..at]).expect("it can be written");
            let found = parts(folder.path(), "/r", b"s").expect("the folder is fine");
            assert!(found.len() < 2 && whole().starts_with(&found), "cut at {at}: {found:?}");
        }
        // What is added goes in the place of what is damaged.
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("it can be written");
        filled(folder.path(), "/r");
        let first = whole().remove(0);
        assert_eq!(parts(folder.path(), "/r", b"s"), Some([vec![first], whole()].concat()));
    }

    #[test]
    fn parts_and_files_that_were_exchanged_do_not_hold() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        filled(folder.path(), "/r");
        let one = files(folder.path()).remove(0);
        let bytes = fs::read(&one).expect("it can be read");
        let (start, second) = (40, 40 + HEAD + 10);
        let swapped = [&bytes[..start], &bytes[second..], &bytes[start..second]].concat();
        let left_out = [&bytes[..start], &bytes[second..]].concat();
        let twice = [&bytes[..second], &bytes[start..second]].concat();
        for (made_up, holds) in [(swapped, 0), (left_out, 0), (twice, 1)] {
            fs::write(&one, made_up).expect("it can be written");
            assert_eq!(parts(folder.path(), "/r", b"s").map(|parts| parts.len()), Some(holds));
        }
        // The file of one repository in the place of another's, and of another user's with another key.
        parts(folder.path(), "/q", b"s").expect("a folder of our own");
        for path in files(folder.path()) {
            fs::write(path, &bytes).expect("it can be written");
        }
        assert_eq!(parts(folder.path(), "/q", b"s"), Some(vec![]));
        fs::write(&one, &bytes).expect("it can be written");
        fs::write(folder.path().join("foretaste/key"), [7; 32]).expect("it can be written");
        assert_eq!(parts(folder.path(), "/r", b"s"), Some(vec![]));
    }

    #[test]
    fn what_others_could_write_or_read_is_not_used() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        filled(folder.path(), "/r");
        let own = folder.path().join("foretaste");
        let set = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("it is ours");
        set(&own, 0o777);
        assert_eq!(parts(folder.path(), "/r", b"s"), None, "a folder that others can write to");
        set(&own, 0o700);
        set(&own.join("key"), 0o644);
        assert_eq!(parts(folder.path(), "/r", b"s"), None, "a key that others can read");
        set(&own.join("key"), 0o600);
        assert_eq!(parts(folder.path(), "/r", b"s"), Some(whole()));
        assert_eq!(parts(Path::new("relative"), "/r", b"s"), None);
        // Links lead elsewhere.
        let file = files(folder.path()).remove(0);
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&file, &elsewhere).expect("it is ours");
        std::os::unix::fs::symlink(&elsewhere, &file).expect("links can be made");
        assert_eq!(parts(folder.path(), "/r", b"s"), None, "a link in the place of the file");
        let other = tempfile::tempdir().expect("a temporary folder");
        std::os::unix::fs::symlink(&own, other.path().join("foretaste")).expect("links can be made");
        assert_eq!(parts(other.path(), "/q", b"s"), None, "a link in the place of the folder");
        // A file in the place of the folder, and a key that is too short.
        let third = tempfile::tempdir().expect("a temporary folder");
        fs::write(third.path().join("foretaste"), "").expect("it can be written");
        assert_eq!(parts(third.path(), "/r", b"s"), None);
        fs::write(own.join("key"), [1; 31]).expect("it can be written");
        assert_eq!(parts(folder.path(), "/q", b"s"), None);
    }

    #[test]
    fn of_two_runs_at_once_one_goes_without() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = Cache::open(folder.path(), Path::new("/r"), b"s").expect("a folder of our own");
        assert!(Cache::open(folder.path(), Path::new("/r"), b"s").is_none());
        assert!(Cache::open(folder.path(), Path::new("/q"), b"s").is_some());
        drop(first);
        assert!(Cache::open(folder.path(), Path::new("/r"), b"s").is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_no_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("file"), "").expect("it can be written");
        assert_eq!(parts(&folder.path().join("file"), "/r", b"s"), None);
        let mut cache = Cache::open(folder.path(), Path::new("/r"), b"s").expect("a folder of our own");
        let path = files(folder.path()).remove(0);
        cache.file = File::open(path).expect("it can be read");
        assert!(!cache.add(b"nothing is written"));
        assert!(!cache.add(&vec![0; LARGEST + 1]));
    }
}
