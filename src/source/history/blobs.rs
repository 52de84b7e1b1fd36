//! Many blobs at once, each unpacked once: in the order of the packs, since versions of a file lie there as deltas of
//! one another and looking for them one by one would unpack the same bases over and over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use gix::objs::Kind;
use gix::odb::pack::{Bundle, index::traverse};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::deltas::Bases;
use crate::source::repository::Repository;
use crate::source::{Bytes, ObjectId};

/// A pack is unpacked as a whole if at least so many hundredths of its objects are wanted, or of its bytes: a history of
/// one file has as many commits and trees as versions, and they cost next to nothing.
const WHOLE: u64 = 30;
/// Fewer blobs than these are read one by one where they are not most of their pack.
const FEW: usize = 100;
/// Bytes that one object of a pack may take while the pack is unpacked as a whole. A pack with a larger one is read
/// object by object, where the limit of the caller holds.
const LARGEST: usize = 1 << 30;
/// Blobs that a thread reads in one go: neighbours share their bases.
const RUN: usize = 256;

/// Is shown the bytes of a blob by its place in a list, or why there are none.
type Visit<'v> = dyn Fn(usize, Result<&[u8], String>) + Sync + 'v;

/// The packs of a repository, opened when they are first asked for.
#[derive(Default)]
pub(in crate::source) struct Packs {
    bundles: OnceLock<Vec<Bundle>>,
    bases: Mutex<Bases>,
}

impl Repository {
    /// The bytes of a blob like [`Repository::blob`], for those who ask for versions of one file in any order: one costs
    /// little more than a copy of it. One caller at a time.
    ///
    /// # Errors
    /// As for that.
    pub(crate) fn version(&self, id: ObjectId, limit: u64) -> Result<Bytes, String> {
        let made = self.put_together(id, limit, &mut self.packs.bases.lock().unwrap_or_else(PoisonError::into_inner));
        made.map_or_else(|| self.blob(id, limit), |bytes| Ok(Bytes::from(bytes)))
    }

    /// The bytes of a blob that a pack has as a delta.
    fn put_together(&self, id: ObjectId, limit: u64, bases: &mut Bases) -> Option<Vec<u8>> {
        let made = catch_unwind(AssertUnwindSafe(|| {
            self.bundles().iter().enumerate().find_map(|(number, bundle)| {
                let offset = bundle.index.pack_offset_at_index(bundle.index.lookup(id)?);
                bases.blob(bundle, number, offset, limit)
            })
        }));
        made.unwrap_or_default()
    }

    /// Shows `visit` each of these blobs once, with its place in the list: the bytes, or a short phrase that says why
    /// there are none. From several threads, in no particular order.
    ///
    /// That the bytes are those that the id promises is not verified: that costs four times as much, and whoever can
    /// write into the object database can do it right.
    pub(crate) fn each_blob(&self, wanted: &[ObjectId], limit: u64, visit: &Visit<'_>) {
        let numbers: FxHashMap<ObjectId, usize> = wanted.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let done: Vec<AtomicBool> = wanted.iter().map(|_| AtomicBool::new(false)).collect();
        let once = |at: usize, bytes: Result<&[u8], String>| {
            // The list may name a blob twice; so may several packs.
            if !done[at].swap(true, Ordering::SeqCst) {
                visit(at, bytes);
            }
        };
        let mut order: Vec<(usize, u64, usize)> = Vec::new();
        for (number, bundle) in self.bundles().iter().enumerate() {
            let lookup = |(at, id): (usize, &ObjectId)| {
                let entry = bundle.index.lookup(id)?;
                Some((number, bundle.index.pack_offset_at_index(entry), at))
            };
            let here = catch_unwind(AssertUnwindSafe(|| {
                let open = wanted.iter().enumerate().filter(|(at, _)| !done[*at].load(Ordering::SeqCst));
                open.filter_map(lookup).collect::<Vec<_>>()
            }));
            let Ok(here) = here else { continue };
            if catch_unwind(AssertUnwindSafe(|| is_whole(bundle, &here))).unwrap_or(false) {
                let _ = catch_unwind(AssertUnwindSafe(|| whole(bundle, &numbers, limit, &once)));
            }
            order.extend(here);
        }
        order.sort_unstable();
        let mut rest: Vec<usize> = order.into_iter().map(|(_, _, at)| at).collect();
        // What is in no pack: loose, or missing.
        let packed: rustc_hash::FxHashSet<usize> = rest.iter().copied().collect();
        rest.extend((0..wanted.len()).filter(|at| !packed.contains(at)));
        rest.retain(|at| !done[*at].load(Ordering::SeqCst));
        rest.par_chunks(RUN).for_each(|run| {
            let mut bases = Bases::default();
            for &at in run {
                match self.put_together(wanted[at], limit, &mut bases) {
                    Some(bytes) => once(at, Ok(&bytes)),
                    None => match self.blob(wanted[at], limit) {
                        Ok(bytes) => once(at, Ok(&bytes)),
                        Err(reason) => once(at, Err(reason)),
                    },
                }
            }
        });
    }

    /// All packs that can be opened. Whatever is wrong with the others, their objects are asked for one by one.
    pub(in crate::source) fn bundles(&self) -> &[Bundle] {
        self.packs.bundles.get_or_init(|| {
            let hash = self.with(gix::Repository::object_hash);
            let open = |path: PathBuf| catch_unwind(|| Bundle::at(&path, hash)).ok()?.ok();
            self.indexes().into_iter().filter_map(open).collect()
        })
    }

    /// The indexes of all packs, of this repository and of those that it borrows objects from, sorted.
    fn indexes(&self) -> Vec<PathBuf> {
        let mut packs = Vec::new();
        for folder in self.object_folders() {
            let entries = std::fs::read_dir(folder.join("pack")).into_iter().flatten().flatten();
            packs.extend(entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "idx")));
        }
        packs.sort();
        packs.dedup();
        packs
    }

    /// The folders of objects: its own, and those that it borrows from.
    pub(in crate::source) fn object_folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = vec![self.common_dir.join("objects")];
        folders.extend(self.with(|git| git.objects.store_ref().alternate_db_paths()).unwrap_or_default());
        folders
    }
}

/// Whether so much of a pack is wanted that it is unpacked as a whole.
fn is_whole(bundle: &Bundle, wanted: &[(usize, u64, usize)]) -> bool {
    if wanted.len() as u64 * 100 >= u64::from(bundle.index.num_objects()) * WHOLE {
        return true;
    }
    if wanted.len() < FEW {
        return false;
    }
    let (offsets, end) = (bundle.index.sorted_offsets(), bundle.pack.pack_end() as u64);
    let packed = |&(_, offset, _): &(usize, u64, usize)| {
        let next = offsets.partition_point(|&other| other <= offset);
        offsets.get(next).copied().unwrap_or(end).saturating_sub(offset)
    };
    wanted.iter().map(packed).sum::<u64>().saturating_mul(100) >= end.saturating_mul(WHOLE)
}

/// Unpacks a pack as a whole: every chain of deltas is resolved once.
fn whole(bundle: &Bundle, numbers: &FxHashMap<ObjectId, usize>, limit: u64, once: &Visit<'_>) {
    let each = |kind: Kind, bytes: &[u8], entry: &gix::odb::pack::index::Entry, _: &dyn gix::progress::Progress| {
        if let (Kind::Blob, Some(&at)) = (kind, numbers.get(&entry.oid)) {
            match bytes.len() as u64 > limit {
                true => once(at, Err(format!("larger than the limit of {limit} bytes"))),
                false => once(at, Ok(bytes)),
            }
        }
        Ok(())
    };
    let options = traverse::with_index::Options {
        thread_limit: None,
        check: traverse::SafetyCheck::SkipFileAndObjectChecksumVerification,
        alloc_limit_bytes: Some(LARGEST),
    };
    // An object that cannot be unpacked ends this; the others are then asked for one by one.
    let _ = bundle.index.traverse_with_index(
        &bundle.pack,
        each,
        &mut gix::progress::Discard,
        &AtomicBool::new(false),
        options,
    );
}
