//! Versions of files that were just read: packs keep versions of one file side by side, and they share nearly all of
//! their lines.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crate::diff::Index;
use crate::diff::next::{self, Known};
use crate::format::Blob;
use crate::policy::Limits;

/// Bytes of texts that each thread keeps.
const KEPT: usize = 48 << 20;

/// The last version of each file, for each thread its own.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    of_threads: Mutex<Vec<(ThreadId, Kept)>>,
}

/// Versions by the numbers of their paths, the last used at the end.
#[derive(Debug, Default)]
struct Kept {
    list: Vec<(u32, Known<'static>)>,
    bytes: usize,
}

impl Neighbours {
    /// Reads a version of the file with this number; `None` where it is no data.
    ///
    /// # Errors
    /// Where it cannot be read, as a short phrase.
    pub(super) fn read(&self, path: u32, blob: &Blob<'_>, limits: &Limits) -> Result<Option<Arc<Index>>, String> {
        let thread = thread::current().id();
        let of_threads = || self.of_threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it is used, so that no thread waits for another.
        let mut kept = {
            let mut all = of_threads();
            let at = all.iter().position(|(id, _)| *id == thread);
            at.map(|at| all.swap_remove(at).1).unwrap_or_default()
        };
        let before = kept.take(path);
        let read = next::read(before.as_ref(), blob, limits);
        let result = read.map(|version| {
            if let Some(known) = version.known.filter(|known| known.size() <= KEPT) {
                kept.add(path, known.owned(before));
            }
            version.is_data.then_some(version.index)
        });
        of_threads().push((thread, kept));
        result
    }
}

impl Kept {
    fn take(&mut self, path: u32) -> Option<Known<'static>> {
        let at = self.list.iter().position(|(of, _)| *of == path)?;
        let known = self.list.remove(at).1;
        self.bytes -= known.size();
        Some(known)
    }

    fn add(&mut self, path: u32, known: Known<'static>) {
        self.bytes += known.size();
        self.list.push((path, known));
        while self.bytes > KEPT {
            self.bytes -= self.list.remove(0).1.size();
        }
    }
}
