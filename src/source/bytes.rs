//! The bytes of files on disk: read, or mapped behind a guard, and compared afterwards with what they were.
//!
//! A file that is truncated while it is mapped kills the process with SIGBUS, and a file that is rewritten in place
//! changes under its reader without any signal. So a mapping is taken only where the guard of [`install_guard`] stands:
//! it puts zeros in the place of what is gone and notes the mapping, and [`Bytes::verify`] then says that the file
//! changed. Git objects never come this way; they are read into memory.

// The only room with unsafe code. A mapping and a signal handler cannot be had without it; everything else reads the
// bytes through a slice, and what it reads is parsed as hostile anyway.
#![allow(unsafe_code)]

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use buffer::Buffer;

/// Files below this size are read: a mapping costs more than the copy it saves.
const MAPPED_FROM: u64 = 1 << 20;

const CHANGED: &str = "changed while it was read";
const NOT_REGULAR: &str = "not a regular file";

/// Bytes of a blob: owned, shared with others that look at it, or a guarded read-only mapping of a file.
///
/// Those of a mapping may change between two looks at them. Nothing may rest on an earlier check of theirs, and what
/// was found in them counts only once [`Bytes::verify`] has said that they stood still.
#[derive(Debug)]
pub struct Bytes(Held);

#[derive(Debug)]
enum Held {
    Owned(Vec<u8>),
    Shared(Arc<Buffer>),
    #[cfg(target_os = "linux")]
    Mapped(guard::Mapping),
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Owned(bytes) => bytes,
            Held::Shared(bytes) => bytes,
            #[cfg(target_os = "linux")]
            Held::Mapped(mapping) => mapping.bytes(),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Held::Owned(bytes))
    }
}

impl From<Arc<Buffer>> for Bytes {
    fn from(bytes: Arc<Buffer>) -> Self {
        Self(Held::Shared(bytes))
    }
}

impl Bytes {
    /// Whether the file is still what it was when it was opened. To be asked after the last byte has been read.
    ///
    /// Truncating, growing, rewriting in place and renaming over the path all show. Owned bytes were compared when they
    /// were read and cannot change any more.
    ///
    /// # Errors
    /// `changed while it was read`, the reason under which the file is to be reported as unread.
    pub fn verify(&self) -> Result<(), String> {
        match &self.0 {
            Held::Owned(_) | Held::Shared(_) => Ok(()),
            #[cfg(target_os = "linux")]
            Held::Mapped(mapping) => mapping.verify(),
        }
    }
}

/// Puts up the guard under which large files are mapped; without it they are read into memory.
///
/// It is a handler of SIGBUS for the whole process, so a library must not do this unasked: a program calls it once,
/// before it starts threads. Faults that are not ours go on to the handler that was there before. Does nothing where
/// mappings are not guarded (anything but Linux).
pub fn install_guard() {
    #[cfg(target_os = "linux")]
    guard::install();
}

/// Reads or maps the file at `path`, which must be a regular file of at most `limit` bytes. Links are not followed.
///
/// # Errors
/// A short reason why the file is unread.
pub(crate) fn read_file(path: &Path, limit: u64) -> Result<Bytes, String> {
    // Looked at before it is opened: opening a device can already do something.
    let seen = fs::symlink_metadata(path).map_err(|e| reason(&e))?;
    if seen.file_type().is_symlink() {
        return Err("is a symbolic link".to_owned());
    }
    if !seen.is_file() {
        return Err(NOT_REGULAR.to_owned());
    }
    let file = open(path).map_err(|e| reason(&e))?;
    // Asked of the open file, since the path may name something else by now.
    let meta = file.metadata().map_err(|e| reason(&e))?;
    if !meta.is_file() {
        return Err(NOT_REGULAR.to_owned());
    }
    let size = meta.len();
    if size > limit {
        return Err(format!("larger than the limit of {limit} bytes"));
    }
    let opened = Opened { stamp: Stamp::of(&meta), file, path: path.to_owned() };
    #[cfg(target_os = "linux")]
    if size >= MAPPED_FROM
        && guard::stands()
        && let Some(mapping) = guard::Mapping::new(&opened, size)
    {
        return Ok(Bytes(Held::Mapped(mapping.keep(opened))));
    }
    // Where the kernel or the registry refuses a mapping, reading is always possible.
    opened.read(size).map(Bytes::from)
}

/// The target of the symbolic link at `path`, as git would store it.
///
/// # Errors
/// A short reason why the link is unread.
pub(crate) fn read_link(path: &Path) -> Result<Vec<u8>, String> {
    let target = fs::read_link(path).map_err(|e| reason(&e))?;
    Ok(target.into_os_string().into_encoded_bytes())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // NONBLOCK, so that a FIFO put in its place cannot hold us up; NOFOLLOW, so that a link cannot lead away.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// A short reason without paths or numbers of the system in it, so that it reads alike everywhere.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        #[cfg(unix)]
        _ if error.raw_os_error() == Some(libc::ELOOP) => "is a symbolic link".to_owned(),
        kind => format!("cannot be read ({kind})"),
    }
}

/// An open file and what it was at that moment.
#[derive(Debug)]
struct Opened {
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

impl Opened {
    fn read(self, size: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(|_| CHANGED)?);
        // One byte more than there is: a file that grows, or one of /proc that has no size, is seen by it.
        (&self.file).take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| reason(&e))?;
        if bytes.len() as u64 != size {
            return Err(CHANGED.to_owned());
        }
        self.verify()?;
        Ok(bytes)
    }

    fn verify(&self) -> Result<(), String> {
        let now = self.file.metadata().map(|meta| Stamp::of(&meta));
        let named = fs::symlink_metadata(&self.path).map(|meta| Stamp::of(&meta));
        match (now, named) {
            (Ok(now), Ok(named)) if now == self.stamp && named.names(&self.stamp) => Ok(()),
            _ => Err(CHANGED.to_owned()),
        }
    }
}

/// What must not change while a file is read. A writer can set the time of modification back, the time of the last
/// change of the inode it cannot.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Stamp {
    inode: Option<(u64, u64)>,
    size: u64,
    modified: Option<(i64, i64)>,
    changed: Option<(i64, i64)>,
}

impl Stamp {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            inode: Some((meta.dev(), meta.ino())),
            size: meta.size(),
            modified: Some((meta.mtime(), meta.mtime_nsec())),
            changed: Some((meta.ctime(), meta.ctime_nsec())),
        }
    }

    #[cfg(not(unix))]
    fn of(meta: &Metadata) -> Self {
        let since = meta.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since.map(|d| (i64::try_from(d.as_secs()).unwrap_or(i64::MAX), i64::from(d.subsec_nanos())));
        Self { inode: None, size: meta.len(), modified, changed: None }
    }

    /// Whether a path with this stamp still names the file of the other.
    fn names(&self, other: &Stamp) -> bool {
        self.inode == other.inode
    }
}

mod buffer;

/// The mappings and the handler that guards them.
#[cfg(target_os = "linux")]
mod guard;

#[cfg(test)]
#[cfg(unix)]
mod tests;
