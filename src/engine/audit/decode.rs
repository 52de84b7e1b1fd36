//! Every blob of the history read once, in the order of the packs, into the index of its records.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bstr::{BStr, BString, ByteSlice};
use rustc_hash::FxHashMap;

use super::cached::{self, Keeping};
use super::neighbours::Neighbours;
use super::unpacked::Unpacked;
use crate::diff::Index;
use crate::engine::Progress;
use crate::engine::scan::Reader;
use crate::format::{self, Blob, Sink};
use crate::lens::{FieldRoles, Lens, class_of, class_of_image};
use crate::policy::{Limits, Policy};
use crate::source::{self, Cache, ObjectId};
use crate::span::{BlobId, Fresh};

/// What a blob came to, as it is seen under one path.
#[derive(Clone, Debug)]
pub(super) enum Unit {
    /// Records of data, and the bytes they were read from.
    Rows(Arc<Index>, u64),
    /// No data.
    Other,
    /// It could not be read, and why.
    Gap(String),
}

/// Records of a blob.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Stands for them.
    pub(super) unit: usize,
    /// Their index.
    pub(super) index: Arc<Index>,
    /// Bytes they were read from.
    pub(super) bytes: u64,
}

/// How a path has a blob read: paths that agree here share what was read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct View {
    dataset: Option<Arc<str>>,
    roles: Option<Vec<(String, crate::lens::Role)>>,
    null: Vec<String>,
    /// The end of its name, by which kinds of text are told apart.
    ending: BString,
    /// The class that its name or its folder gives its records.
    class: Option<BString>,
}

/// Blobs that are to be read, and then what they hold.
pub(super) struct Units<'a> {
    policy: &'a Policy,
    reader: &'a Reader,
    views: Vec<(BString, Lens)>,
    view_numbers: FxHashMap<View, u32>,
    /// View of each path of the walk.
    of_path: Vec<u32>,
    wanted: FxHashMap<(u32, u32), usize>,
    /// The path under which each was asked for first.
    paths: Vec<u32>,
    neighbours: Neighbours,
    read: Vec<OnceLock<Unit>>,
    bytes: AtomicU64,
}

impl<'a> Units<'a> {
    /// For the paths of a walk.
    pub(super) fn new(policy: &'a Policy, reader: &'a Reader) -> Self {
        Self {
            policy,
            reader,
            views: Vec::new(),
            view_numbers: FxHashMap::default(),
            of_path: Vec::new(),
            wanted: FxHashMap::default(),
            paths: Vec::new(),
            neighbours: Neighbours::default(),
            read: Vec::new(),
            bytes: AtomicU64::new(0),
        }
    }

    /// Takes in paths that were met since.
    pub(super) fn paths(&mut self, paths: &[BString]) {
        for path in &paths[self.of_path.len()..] {
            let lens = self.policy.lens(path.as_ref());
            let view = View {
                dataset: lens.dataset.clone(),
                roles: lens.roles.as_ref().map(|FieldRoles { fields }| fields.clone()),
                null: lens.null.clone(),
                ending: ending(path.as_ref()),
                class: class_of(path.as_ref())
                    .map(|class| class.name)
                    .or(class_of_image(path.as_ref(), lens.dataset.is_some()))
                    .map(BString::from),
            };
            let next = self.views.len() as u32;
            let number = *self.view_numbers.entry(view).or_insert(next);
            if number == next {
                self.views.push((path.clone(), lens));
            }
            self.of_path.push(number);
        }
    }

    /// Asks for a blob as it is seen under a path.
    pub(super) fn want(&mut self, blob: u32, path: u32) {
        let paths = &mut self.paths;
        self.wanted.entry((blob, self.of_path[path as usize])).or_insert_with(|| {
            paths.push(path);
            paths.len() - 1
        });
    }

    /// Reads all that is wanted.
    pub(super) fn read(&mut self, blobs: &[ObjectId], mut cache: Option<&mut Cache>, progress: &dyn Progress) {
        self.read = (0..self.wanted.len()).map(|_| OnceLock::new()).collect();
        let mut by_blob: Vec<(u32, u32, usize)> =
            self.wanted.iter().map(|(&(blob, view), &at)| (blob, view, at)).collect();
        by_blob.sort_unstable();
        // An image is known by its id, and its class by its folder: it need not be read.
        by_blob.retain(|&(blob, view, unit)| {
            let image = self.image(view, blobs[blob as usize]);
            image.map(|image| self.read[unit].set(image)).is_none()
        });
        let keys = match &mut cache {
            None => Vec::new(),
            Some(cache) => self.cached(cache, &mut by_blob, blobs),
        };
        let groups: Vec<&[(u32, u32, usize)]> = by_blob.chunk_by(|a, b| a.0 == b.0).collect();
        let ids: Vec<ObjectId> = groups.iter().map(|group| blobs[group[0].0 as usize]).collect();
        progress.total(ids.len() as u64);
        let Some(repository) = self.reader.repository() else { return };
        let sizes: Vec<AtomicU64> = groups.iter().map(|_| AtomicU64::new(u64::MAX)).collect();
        repository.each_blob(&ids, self.policy.limits.blob, &|at, bytes| {
            if let Ok(bytes) = &bytes {
                self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                // What a pointer stands for is not in the repository, and may be gone tomorrow.
                if source::pointer(bytes).is_none() {
                    sizes[at].store(bytes.len() as u64, Ordering::Relaxed);
                }
            }
            for &(_, view, unit) in groups[at] {
                let read = match &bytes {
                    Ok(bytes) => self.one(unit, view, bytes),
                    Err(reason) => Unit::Gap(reason.clone()),
                };
                // Nobody else has this number.
                let _ = self.read[unit].set(read);
            }
            progress.done();
        });
        progress.finish();
        let Some(cache) = cache else { return };
        let mut keeping = Keeping::new(cache);
        for (group, bytes) in groups.iter().zip(&sizes) {
            let bytes = bytes.load(Ordering::Relaxed);
            for &(_, _, unit) in group.iter().filter(|_| bytes != u64::MAX) {
                if let (Some(key), Some(read)) = (keys.get(unit), self.read[unit].get()) {
                    keeping.keep(key, read, bytes);
                }
            }
        }
        keeping.finish();
    }

    /// Takes what the cache has, and out of the list what need not be read any more. Returns the key of each unit.
    fn cached(&self, cache: &mut Cache, by_blob: &mut Vec<(u32, u32, usize)>, blobs: &[ObjectId]) -> Vec<cached::Key> {
        let digests: Vec<_> = {
            let mut views: Vec<_> = self.view_numbers.iter().collect();
            views.sort_unstable_by_key(|(_, number)| **number);
            views.into_iter().map(|(view, _)| cached::digest(view)).collect()
        };
        let Some(&any) = blobs.first() else { return Vec::new() };
        let mut keys = vec![(any, [0; 32]); self.wanted.len()];
        for &(blob, view, unit) in &*by_blob {
            keys[unit] = (blobs[blob as usize], digests[view as usize]);
        }
        let wanted = by_blob.iter().map(|&(_, _, unit)| (keys[unit], unit)).collect();
        let Some(repository) = self.reader.repository() else { return keys };
        let mut sizes: FxHashMap<ObjectId, u64> = FxHashMap::default();
        cached::take(cache, &wanted, &mut |unit, read, bytes| {
            // Where the blob is missing today, that is what is to be said.
            let id = keys[unit].0;
            if bytes <= self.policy.limits.blob && repository.has(id) && self.read[unit].set(read).is_ok() {
                sizes.insert(id, bytes);
            }
        });
        // A blob that is read all the same is counted when it is.
        by_blob.retain(|&(_, _, unit)| self.read[unit].get().is_none());
        for &(blob, ..) in &*by_blob {
            sizes.remove(&blobs[blob as usize]);
        }
        // The order of a sum does not matter.
        let bytes: Vec<u64> = sizes.into_values().collect();
        self.bytes.fetch_add(bytes.iter().sum(), Ordering::Relaxed);
        keys
    }

    /// What an image of a data set comes to as a view has it.
    fn image(&self, view: u32, id: ObjectId) -> Option<Unit> {
        let (path, lens) = &self.views[view as usize];
        class_of_image(path.as_ref(), lens.dataset.is_some())?;
        let mut index = Index::default();
        index.file(path, id.as_bytes(), BlobId(0));
        index.close();
        Some(Unit::Rows(Arc::new(index), 0))
    }

    fn one(&self, unit: usize, view: u32, bytes: &[u8]) -> Unit {
        let path = self.paths[unit];
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let (name, lens) = &self.views[view as usize];
            with_object(self.reader, self.policy, (name.as_ref(), bytes), |bytes| {
                let limits = &self.policy.limits;
                let decoded = format::decode(bytes, limits)?;
                let blob = Blob { id: BlobId(0), path: name.as_ref(), lens, decoded: &decoded, fresh: &Fresh::All };
                self.neighbours.read(path, &blob, limits)
            })
        }));
        match caught {
            Ok(Ok(Some(index))) => Unit::Rows(index, bytes.len() as u64),
            Ok(Ok(None)) => Unit::Other,
            Ok(Err(reason)) => Unit::Gap(reason),
            Err(_) => Unit::Gap("internal error while it was read; please report this".to_owned()),
        }
    }

    /// Reads the bytes of a blob as a view has it.
    fn feed(&self, view: u32, bytes: &[u8], sink: &mut dyn Sink) -> Result<format::Read, String> {
        let (path, lens) = &self.views[view as usize];
        feed(self.reader, self.policy, (path.as_ref(), lens), bytes, sink)
    }

    /// What a blob came to under a path; `None` where there is none, or nobody asked.
    pub(super) fn get(&self, blob: Option<u32>, path: u32) -> Option<&Unit> {
        let at = *self.wanted.get(&(blob?, self.of_path[path as usize]))?;
        self.read[at].get()
    }

    /// Its records, with a number that stands for them.
    pub(super) fn rows(&self, blob: Option<u32>, path: u32) -> Option<Rows> {
        let unit = *self.wanted.get(&(blob?, self.of_path[path as usize]))?;
        match self.read[unit].get() {
            Some(Unit::Rows(index, bytes)) => Some(Rows { unit, index: Arc::clone(index), bytes: *bytes }),
            _ => None,
        }
    }

    /// Reads the bytes of a blob once more into a sink.
    pub(super) fn again(&self, bytes: &[u8], path: u32, sink: &mut dyn Sink) -> bool {
        let view = self.of_path[path as usize];
        let read = catch_unwind(AssertUnwindSafe(|| self.feed(view, bytes, sink)));
        matches!(read, Ok(Ok(_)))
    }

    /// Shows the bytes of a blob once more as its path has them read.
    pub(super) fn show(&self, bytes: &[u8], path: u32, look: &mut dyn FnMut(&Blob<'_>, &Limits)) -> bool {
        let (path, lens) = &self.views[self.of_path[path as usize] as usize];
        let read =
            catch_unwind(AssertUnwindSafe(|| show(self.reader, self.policy, (path.as_ref(), lens), bytes, look)));
        matches!(read, Ok(Ok(())))
    }

    /// Blobs that are looked at again.
    pub(super) fn unpacked(&self) -> Option<Unpacked<'a>> {
        Some(Unpacked::new(self.reader.repository()?, self.policy.limits.blob))
    }

    /// Bytes of blobs that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Everything that was read: the blob, and what it came to.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Unit)> {
        let mut list: Vec<_> = self.wanted.iter().map(|(&(blob, _), &at)| (at, blob)).collect();
        list.sort_unstable();
        list.into_iter().filter_map(|(at, blob)| Some((blob, self.read.get(at)?.get()?)))
    }
}

/// Reads the bytes of a blob that is seen under a path, or those of the object that it points to.
pub(in crate::engine) fn feed(
    reader: &Reader,
    policy: &Policy,
    (path, lens): (&BStr, &Lens),
    bytes: &[u8],
    sink: &mut dyn Sink,
) -> Result<format::Read, String> {
    let limits = &policy.limits;
    with_object(reader, policy, (path, bytes), |bytes| {
        let decoded = format::decode(bytes, limits)?;
        format::read(&Blob { id: BlobId(0), path, lens, decoded: &decoded, fresh: &Fresh::All }, limits, sink)
    })
}

/// Shows `look` a blob that is seen under a path, or the object that it points to.
pub(in crate::engine) fn show(
    reader: &Reader,
    policy: &Policy,
    (path, lens): (&BStr, &Lens),
    bytes: &[u8],
    look: &mut dyn FnMut(&Blob<'_>, &Limits),
) -> Result<(), String> {
    let limits = &policy.limits;
    with_object(reader, policy, (path, bytes), |bytes| {
        let decoded = format::decode(bytes, limits)?;
        look(&Blob { id: BlobId(0), path, lens, decoded: &decoded, fresh: &Fresh::All }, limits);
        Ok(())
    })
}

/// Shows `look` the bytes of a file, or those of the object that they point to.
fn with_object<T>(
    reader: &Reader,
    policy: &Policy,
    (path, bytes): (&BStr, &[u8]),
    look: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, String> {
    source::elsewhere(path, bytes).map_or(Ok(()), Err)?;
    match source::pointer(bytes) {
        None => look(bytes),
        Some(pointer) => {
            let object = reader.source.resolve_lfs(&pointer, policy.limits.blob);
            look(&object.map_err(|error| error.to_string())?)
        }
    }
}

/// What a reader goes by in a name: its last extension, with that of a compression; the whole name where it has none.
fn ending(path: &BStr) -> BString {
    let name = path.rsplit_str("/").next().unwrap_or_default().to_ascii_lowercase();
    let plain = [".gz", ".zst", ".zstd", ".gzip"].iter().find_map(|end| name.strip_suffix(end.as_bytes()));
    let at = plain.unwrap_or(&name).rfind_byte(b'.').unwrap_or(0);
    name[at..].into()
}
