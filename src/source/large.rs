//! Large blobs: unpacked once, into memory of exactly their size, and kept for whoever asks again.
//!
//! The two versions of a large file mostly lie in a pack as a whole and a delta of it. Asked for one by one, the whole
//! would be inflated for either of them, and again for every second look; the general reader also works in two buffers
//! of the largest size of a chain and copies the result. Here a delta is applied to the version that is there already.
//!
//! Whatever is unusual or damaged is left to the general reader, which says what is wrong with it.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{Bundle, data};
use gix::zlib::{Decompress, FlushDecompress, Inflate, Status};

use super::bytes::Buffer;
use super::object::Absent;
use super::repository::Repository;
use super::{ObjectId, delta};

/// Blobs from this size on come this way.
pub(super) const LARGE: u64 = 4 << 20;
/// Bytes that blobs which nobody holds any more may take together with the next one. The two versions of a file may have
/// more: they are kept until another file is unpacked.
const KEPT: usize = 192 << 20;
/// Bytes of one object of a chain.
const LARGEST: usize = 1 << 30;
/// Deltas of one chain; git makes none that is longer.
const CHAIN: usize = 4096;
/// Bytes of a loose object's header: its kind and its size.
const HEADER: usize = 32;

/// Where an object lies.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum At {
    /// In a pack, by its number, at an offset.
    Pack(usize, u64),
    /// In a file of its own.
    Loose(ObjectId),
}

/// The large blobs of a repository that were unpacked.
#[derive(Default)]
pub(super) struct Large {
    /// Those that somebody holds or that are kept, the latest one last.
    known: Mutex<Vec<Known>>,
}

struct Known {
    at: At,
    bytes: Weak<Buffer>,
    kept: Option<Arc<Buffer>>,
}

impl Large {
    /// The bytes of what lies there, if they are there still.
    fn get(&self, at: At) -> Option<Arc<Buffer>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|known| known.at == at)?.bytes.upgrade()
    }

    /// Makes room for so many bytes: of those that nobody holds, what was kept longest goes first.
    fn make_room(&self, bytes: usize) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let idle =
            |known: &Known| known.kept.as_ref().filter(|_| known.bytes.strong_count() == 1).map(|kept| kept.len());
        let mut all: usize = known.iter().filter_map(idle).sum();
        for known in known.iter_mut() {
            if let Some(idle) = idle(known).filter(|_| all + bytes > KEPT) {
                all -= idle;
                known.kept = None;
            }
        }
        known.retain(|known| known.bytes.strong_count() > 0);
    }

    fn keep(&self, at: At, bytes: Buffer) -> Arc<Buffer> {
        let bytes = Arc::new(bytes);
        let kept = Some(Arc::clone(&bytes));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.push(Known { at, bytes: Arc::downgrade(&bytes), kept });
        bytes
    }

    fn buffer(&self, len: usize) -> Option<Buffer> {
        self.make_room(len);
        Buffer::new(len)
    }

    /// The object of a pack at an offset.
    fn packed(&self, packs: &[Bundle], number: usize, offset: u64) -> Option<Arc<Buffer>> {
        let Bundle { pack, index } = packs.get(number)?;
        let mut inflate = Inflate::default();
        let mut chain: Vec<(u64, data::Entry)> = Vec::new();
        let mut offset = offset;
        let mut bytes = loop {
            if let Some(bytes) = self.get(At::Pack(number, offset)) {
                break bytes;
            }
            let entry = pack.entry(offset).ok()?;
            let base = match entry.header {
                Header::Blob => {
                    let mut bytes = self.buffer(within(entry.decompressed_size)?)?;
                    pack.decompress_entry(&entry, &mut inflate, &mut bytes).ok()?;
                    break self.keep(At::Pack(number, offset), bytes);
                }
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance)?,
                Header::RefDelta { base_id } => index.pack_offset_at_index(index.lookup(base_id)?),
                _ => return None,
            };
            if chain.len() == CHAIN {
                return None;
            }
            chain.push((offset, entry));
            offset = base;
        };
        while let Some((offset, entry)) = chain.pop() {
            let mut steps = vec![0; within(entry.decompressed_size)?];
            pack.decompress_entry(&entry, &mut inflate, &mut steps).ok()?;
            let (sizes, steps) = delta::sizes(&steps)?;
            if sizes.base != bytes.len() as u64 {
                return None;
            }
            let mut next = self.buffer(within(sizes.result)?)?;
            delta::apply(&bytes, &mut next, steps)?;
            bytes = self.keep(At::Pack(number, offset), next);
        }
        Some(bytes)
    }

    /// The blob of a file of its own. The general reader does not look at the checksum at its end.
    fn loose(&self, id: ObjectId, size: usize, packed: &[u8]) -> Result<Option<Arc<Buffer>>, Absent> {
        let Some(mut bytes) = self.buffer(size) else { return Ok(None) };
        inflate_loose(packed, &mut bytes).ok_or(Absent::Broken)?;
        Ok(Some(self.keep(At::Loose(id), bytes)))
    }
}

/// Inflates a loose blob whose size is that of `bytes`.
fn inflate_loose(packed: &[u8], bytes: &mut [u8]) -> Option<()> {
    let mut inflate = Decompress::new();
    let mut start = [0; HEADER];
    inflate.decompress(packed, &mut start, FlushDecompress::None).ok()?;
    let (read, written) = (usize::try_from(inflate.total_in()).ok()?, usize::try_from(inflate.total_out()).ok()?);
    let header = format!("blob {}\0", bytes.len());
    let first = start.get(..written)?.strip_prefix(header.as_bytes())?;
    let whole = (header.len() + bytes.len()) as u64;
    let (head, rest) = bytes.split_at_mut_checked(first.len())?;
    head.copy_from_slice(first);
    let status = inflate.decompress(packed.get(read..)?, rest, FlushDecompress::Finish).ok()?;
    (status == Status::StreamEnd && inflate.total_out() == whole).then_some(())
}

impl Repository {
    /// The bytes of a blob whose header promises `size` bytes; `None` where the general reader has to look at it.
    ///
    /// # Errors
    /// Where it is damaged in a way that the general reader does not see.
    pub(super) fn large(&self, id: ObjectId, size: u64) -> Result<Option<Arc<Buffer>>, Absent> {
        let Some(size) = within(size) else { return Ok(None) };
        let read = || {
            let packs = self.bundles();
            let find = |bundle: &Bundle| Some(bundle.index.pack_offset_at_index(bundle.index.lookup(id)?));
            let found = packs.iter().enumerate().find_map(|(number, bundle)| Some((number, find(bundle)?)));
            let bytes = match (found, self.large.get(At::Loose(id))) {
                (Some((number, offset)), _) => self.large.packed(packs, number, offset),
                (None, Some(bytes)) => Some(bytes),
                (None, None) => match self.loose_file(id) {
                    Some(packed) => self.large.loose(id, size, &packed)?,
                    None => None,
                },
            };
            Ok(bytes.filter(|bytes| bytes.len() == size))
        };
        // A hostile pack must not take the run with it, whatever assertion it breaks.
        catch_unwind(AssertUnwindSafe(read)).unwrap_or(Ok(None))
    }

    /// The compressed bytes of an object in a file of its own.
    fn loose_file(&self, id: ObjectId) -> Option<Vec<u8>> {
        let hex = id.to_hex().to_string();
        let (folder, name) = hex.split_at(2);
        let open = |objects: std::path::PathBuf| std::fs::File::open(objects.join(folder).join(name)).ok();
        let file = self.object_folders().into_iter().find_map(open)?;
        let size = file.metadata().ok()?.len();
        let mut bytes = Vec::with_capacity(within(size)?);
        file.take(LARGEST as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn within(size: u64) -> Option<usize> {
    usize::try_from(size).ok().filter(|&size| size <= LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_makes_room_for_the_next_and_what_is_held_is_found() {
        let size = KEPT / 2 - 1;
        let large = Large::default();
        let at = |n: u64| At::Pack(0, n);
        // Nothing is written to them, so that they take no memory.
        let keep = |n: u64| large.keep(at(n), large.buffer(size).expect("pages that are not touched"));
        let there = || (1..=4).filter(|&n| large.get(at(n)).is_some()).collect::<Vec<_>>();
        drop((keep(1), keep(2)));
        assert_eq!(there(), [1, 2]);
        let held = large.get(at(1));
        drop(keep(3));
        assert_eq!(there(), [1, 2, 3], "one that is held takes no room of the others");
        drop(keep(4));
        assert_eq!(there(), [1, 3, 4], "the older of those that nobody holds is gone");
        drop(held);
        large.make_room(2 * KEPT);
        assert!(there().is_empty());
    }
}
