//! What blobs came to, kept for the next audit of the same repository.
//!
//! A cache never shows: what it gives is what reading would have given. So only what was read in full is kept, and it
//! is used only while the blob is there. It hangs on the blob, on how its path has it read, on the limits and on the
//! program itself: another build begins anew.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::decode::{Unit, View};
use crate::diff::Index;
use crate::diff::frozen::{LAYOUT, Reader, Writer};
use crate::policy::Limits;
use crate::source::{Cache, ObjectId};

/// Bytes of a part, above which the next one begins.
const PART: usize = 16 << 20;

/// How a path has a blob read, as a hash.
pub(super) type Digest = [u8; 32];

/// The hash of a view. Its debugging form has all that counts, and never the same for two.
pub(super) fn digest(view: &View) -> Digest {
    *blake3::hash(format!("{view:?}").as_bytes()).as_bytes()
}

/// What all entries hang on: the program, byte for byte, the layout of its indexes and the limits.
pub(super) fn settings(limits: &Limits) -> Option<Vec<u8>> {
    let program = std::fs::read(std::env::current_exe().ok()?).ok()?;
    let program = blake3::Hasher::new().update_rayon(&program).finalize();
    Some(format!("{LAYOUT} {} {limits:?} {program}", env!("CARGO_PKG_VERSION")).into_bytes())
}

/// A blob and how it is read.
pub(super) type Key = (ObjectId, Digest);

/// Takes from the cache what is wanted: gives each unit, and the bytes of its blob.
pub(super) fn take(cache: &mut Cache, wanted: &FxHashMap<Key, usize>, give: &mut dyn FnMut(usize, Unit, u64)) {
    cache.read(&mut |part| {
        let mut reader = Reader::new(part);
        while !reader.is_empty() {
            if entry(&mut reader, wanted, give).is_none() {
                return;
            }
        }
    });
}

fn entry(
    reader: &mut Reader<'_>,
    wanted: &FxHashMap<Key, usize>,
    give: &mut dyn FnMut(usize, Unit, u64),
) -> Option<()> {
    let id = ObjectId::try_from(reader.text()?).ok()?;
    let view: Digest = reader.take(32)?.try_into().ok()?;
    let bytes = reader.number()?;
    let body = reader.text()?;
    if let Some(&unit) = wanted.get(&(id, view)) {
        match body {
            [] => give(unit, Unit::Other, bytes),
            body => {
                let index = Index::thaw(&mut Reader::new(body))?;
                give(unit, Unit::Rows(Arc::new(index), bytes), bytes);
            }
        }
    }
    Some(())
}

/// Gathers what was read, and writes it part by part.
pub(super) struct Keeping<'c> {
    cache: &'c mut Cache,
    part: Writer,
    body: Writer,
    full: bool,
}

impl<'c> Keeping<'c> {
    pub(super) fn new(cache: &'c mut Cache) -> Self {
        Self { cache, part: Writer::default(), body: Writer::default(), full: false }
    }

    /// Keeps a unit that was read from so many bytes. Gaps are never kept: tomorrow they may be filled.
    pub(super) fn keep(&mut self, (id, view): &Key, unit: &Unit, bytes: u64) {
        self.body.bytes.clear();
        let keeps = match unit {
            Unit::Rows(index, _) => index.freeze(&mut self.body),
            Unit::Other => true,
            Unit::Gap(_) => false,
        };
        if self.full || !keeps {
            return;
        }
        if !self.part.bytes.is_empty() && self.part.bytes.len() + self.body.bytes.len() > PART {
            self.write();
        }
        self.part.text(id.as_slice());
        self.part.bytes.extend_from_slice(view);
        self.part.number(bytes);
        self.part.text(&self.body.bytes);
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) {
        if !self.part.bytes.is_empty() {
            self.write();
        }
    }

    fn write(&mut self) {
        self.full |= !self.cache.add(&self.part.bytes);
        self.part.bytes.clear();
    }
}
