//! Reads one entry after the other and shows what it holds to every check.

mod hash;
mod lfs;
mod other;
mod part;
mod sink;

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use self::other::{image, is_image, submodule_note};
use self::sink::Feed;
use super::budget::Budget;
use crate::check::Observation;
use crate::diff::{self, Index, Indexed, Tally, Version, next};
use crate::finding::{MOST_FOR_INFO, Unread};
use crate::fold::Fold;
use crate::format::{self, Blob, Flaw, Kind, Records, Reference, Sink};
use crate::lens::Lens;
use crate::policy::lock::{Labels, LockedFile};
use crate::policy::{Limits, Policy};
use crate::source::{self, Attributes, Before, Bytes, Content, Entry, LfsError, Mode, Repository, Source};
use crate::span::{BlobId, Fresh, Span};

/// Texts of so many bytes keep the numbers of their lines on the way.
const LONG: usize = 4 << 20;

pub(crate) use hash::Hashing;
pub(super) use hash::{digests, is_about_data};
pub(super) use part::{Measure, Part};
pub(super) use sink::Quiet;

/// How entries are compared.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Compare {
    /// Nothing is compared: one revision, plain files.
    No,
    /// Everything is judged; labels are compared where a file differs from HEAD.
    Labels,
    /// Only what the change brought is judged.
    Change,
}

/// Reads blobs: of a repository, of the disk alone, or of memory.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) source: Source,
    /// A name and its bytes, which stand for a file.
    pub(super) memory: Option<(BString, Arc<[u8]>)>,
}

impl Reader {
    pub(super) fn repository(&self) -> Option<&Repository> {
        self.source.repository()
    }

    /// The bytes of an entry, at most `limit`; a link is read, not followed.
    pub(super) fn read(&self, content: &Content, limit: u64) -> Result<Bytes, String> {
        match &self.memory {
            Some((_, bytes)) if bytes.len() as u64 > limit => Err(format!("larger than {limit} bytes")),
            Some((_, bytes)) => Ok(Bytes::from(bytes.to_vec())),
            None => self.source.read(content, limit),
        }
    }

    /// Bytes of an entry, without reading it.
    pub(super) fn size(&self, content: &Content) -> Option<u64> {
        match content {
            Content::Object(id) => self.repository()?.size(*id),
            Content::File(path) => std::fs::symlink_metadata(path).ok().map(|meta| meta.len()),
        }
    }

    /// Bytes that reading an entry will allocate; 0 where that is not known, or a mapping takes none.
    pub(super) fn owned_size(&self, content: &Content) -> u64 {
        match (self.repository(), content) {
            (Some(repository), Content::Object(id)) => repository.size(*id).unwrap_or(0),
            _ => 0,
        }
    }
}

/// The line of a path in the lock.
pub(super) type LineOf<'a> = dyn Fn(&BStr) -> Option<&'a LockedFile> + Sync + 'a;

pub(super) struct Scanner<'a> {
    pub(super) checks: &'a [Box<dyn Fold>],
    pub(super) policy: &'a Policy,
    pub(super) reader: &'a Reader,
    pub(super) compare: Compare,
    pub(super) budget: &'a Budget,
    /// What the judged side's attributes say of git LFS.
    pub(super) attributes: &'a Attributes,
    /// Whether a path is in the lock, so that it has to be hashed.
    pub(super) locked: &'a (dyn Fn(&BStr) -> bool + Sync),
    /// A reference as the lock settles it, where the code leaves it open and the lock does not.
    pub(super) settled: &'a (dyn Fn(&Reference) -> Option<Reference> + Sync),
    /// Whether a lock is to be written.
    pub(super) blake3: bool,
    /// What files are compared with, where nothing else is asked of them.
    pub(super) hashing: Option<(Hashing, &'a LineOf<'a>)>,
}

impl Scanner<'_> {
    pub(super) fn start(&self) -> Part {
        Part { seen: self.checks.iter().map(|check| check.start()).collect(), ..Part::default() }
    }

    /// Adds what another thread has gathered.
    pub(super) fn merge(&self, mut into: Part, mut from: Part) -> Part {
        for ((check, seen), more) in self.checks.iter().zip(&mut into.seen).zip(from.seen) {
            check.merge(seen, more);
        }
        into.unread.append(&mut from.unread);
        into.looked_at.add(&from.looked_at);
        into.guesses.append(&mut from.guesses);
        into.references.append(&mut from.references);
        into.cards.append(&mut from.cards);
        into.named.append(&mut from.named);
        into.sides.append(&mut from.sides);
        for (set, tally) in from.tallies {
            into.tallies.entry(set).or_default().merge(tally);
        }
        into.measures.append(&mut from.measures);
        into.held.append(&mut from.held);
        into.notes.append(&mut from.notes);
        into.feeds.append(&mut from.feeds);
        into
    }

    /// Looks at one entry. A panic in a reader or a check is caught: the file is unread, the others go on.
    pub(super) fn entry(&self, part: &mut Part, id: BlobId, entry: &Entry) {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.look(part, id, entry)));
        if let Err(reason) =
            caught.unwrap_or_else(|_| Err("internal error while it was read; please report this".into()))
        {
            part.unread.push(Unread { path: entry.path.clone(), reason });
        }
    }

    fn look(&self, part: &mut Part, id: BlobId, entry: &Entry) -> Result<(), String> {
        let lens = self.policy.lens(entry.path());
        let Some(content) = &entry.content else {
            // Removing rows of one class is poisoning too: what is gone is compared with nothing.
            return self.removed(part, id, entry, &lens);
        };
        match entry.mode {
            Mode::File | Mode::Executable => self.file(part, id, entry, content, &lens),
            Mode::Link => self.link(part, id, entry, content, &lens),
            Mode::Submodule => {
                part.looked_at.no_reader += 1;
                part.notes.push(submodule_note(entry));
                Ok(())
            }
            // The listing has named it as a gap already.
            Mode::Other => Ok(()),
        }
    }

    fn file(&self, part: &mut Part, id: BlobId, entry: &Entry, content: &Content, lens: &Lens) -> Result<(), String> {
        if self.hashing.is_some() {
            return self.hash(part, id, entry, content, lens);
        }
        let limits = &self.policy.limits;
        // Twice its size: the blob, and what decoding it may add. Taken once, before anything is held, since a thread
        // that waits for more while it holds some could wait for ever.
        let _share = self.budget.take(2 * self.reader.owned_size(content));
        let raw = self.reader.read(content, limits.blob)?;
        self.unseen(part, entry, &raw);
        let object = source::pointer(&raw).map(|pointer| self.reader.source.resolve_lfs(&pointer, limits.blob));
        let object = match object {
            None => None,
            Some(Ok(bytes)) => Some(bytes),
            // The object is there and is not what the pointer says: that is a fact about the data, not a gap.
            Some(Err(LfsError::Mismatch)) => {
                let detail = LfsError::Mismatch.to_string();
                let decoded = format::decode(&raw, limits)?;
                let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
                self.flaw(part, blob, "lfs-mismatch", detail);
                return Ok(());
            }
            Some(Err(gap)) => return Err(gap.to_string()),
        };
        let bytes: &[u8] = object.as_deref().unwrap_or(&raw);
        let decoded = format::decode(bytes, limits)?;

        let before = self.before(entry)?;
        let whole = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
        let fresh = self.fresh(&whole, entry, before.as_deref(), bytes)?;
        let blob = Blob { fresh: &fresh, ..whole };
        // Rows are compared with others where there is another version of this file; else only labelled ones are kept, to
        // be compared with each other.
        let is_compared = self.compare == Compare::Change || before.is_some();
        let mut reading = next::Reading::new(if is_compared { Index::default() } else { Index::labelled() });
        let mut feed = Feed {
            checks: self.checks,
            seen: &mut part.seen,
            reading: &mut reading,
            references: &mut part.references,
            settled: self.settled,
            cards: &mut part.cards,
            named: (self.compare == Compare::Change).then_some(&mut part.named),
            records: 0,
            feeds: Vec::new(),
        };
        let read = format::read(&blob, limits, &mut feed);
        let records = feed.records;
        let feeds = std::mem::take(&mut feed.feeds);
        let read = read?;
        raw.verify()?;
        if (read.kind.is_data() || lens.dataset.is_some())
            && let Some((kind, detail)) = self.past_lfs(entry, content, &raw)
        {
            // Moving it is enough, whatever of it is new.
            self.flaw(part, Blob { fresh: &Fresh::All, ..blob }, kind, detail.to_owned());
        }
        // Only where the text is the bytes themselves do their offsets mean the same.
        if bytes.len() >= LONG && std::ptr::eq(&*decoded.bytes, bytes) {
            part.feeds.push((id, feeds));
        }
        if let Some(object) = &object {
            object.verify()?;
        }

        part.looked_at.bytes += bytes.len() as u64;
        if read.kind == Kind::Unknown {
            part.looked_at.no_reader += 1;
        } else {
            part.looked_at.files += 1;
        }
        if read.kind.is_data() {
            let is_large = decoded.bytes.len() > MOST_FOR_INFO;
            part.looked_at.without_info += u64::from(is_large && !self.policy.show_info);
            part.looked_at.records += read.records;
        }
        part.looked_at.references += read.references;
        part.unread.extend(read.unread.into_iter().map(|reason| Unread { path: entry.path.clone(), reason }));
        if let Some(guess) = read.guess {
            part.guesses.push((id, guess));
        }
        let is_changed = is_compared && before.is_some() && read.kind.is_data();
        let (index, known) = reading.finish(&blob, if is_changed { format::by_line(&blob) } else { None });
        if (self.locked)(entry.path()) {
            let records = read.kind.is_data().then_some(records);
            let pointer = source::pointer(&raw).or_else(|| self.pointer_before(entry)).map(|pointer| pointer.oid);
            part.measures.push(self.measure(id, bytes, records, &index, pointer));
        }
        if index.len() > 0 {
            let indexed = Indexed { blob: id, path: entry.path(), lens, index: &index };
            for (check, seen) in self.checks.iter().zip(&mut part.seen) {
                check.observe(seen, &Observation::Indexed(&indexed));
            }
        }
        if self.compare != Compare::No && read.kind.is_data() {
            if entry.unchanged {
                part.tallies.entry(diff::set_of(lens, entry.path())).or_default().add(&index);
            } else {
                let before = before.map(|bytes| self.index(id, entry, &bytes, lens, known.as_ref())).transpose()?;
                part.sides.push(diff::Side::new(id, entry.path.clone(), lens, before, Some(index)));
            }
        }
        if self.compare == Compare::Change && !read.kind.is_data() && is_image(entry.path(), lens) {
            part.sides.push(image(id, entry, lens));
        }
        if let Some(object) = object {
            part.held.push((id, Arc::from(&object[..])));
        }
        Ok(())
    }

    /// What the lock records of what the trainer reads: behind an LFS pointer, the object.
    fn measure(
        &self,
        blob: BlobId,
        bytes: &[u8],
        records: Option<u64>,
        index: &Index,
        pointer: Option<String>,
    ) -> Measure {
        let (sha256, blake3) = digests(bytes, if self.blake3 { Hashing::Both } else { Hashing::Sha256 });
        Measure { blob, sha256, blake3, size: bytes.len() as u64, records, labels: labels(index), pointer }
    }

    /// What of a file the change brought: its records, or its lines.
    fn fresh(&self, new: &Blob<'_>, entry: &Entry, before: Option<&[u8]>, bytes: &[u8]) -> Result<Fresh, String> {
        let (Some(before), Compare::Change) = (before, self.compare) else { return Ok(Fresh::All) };
        let limits = &self.policy.limits;
        // Columnar files have no lines; their records are compared instead.
        if let Some(records) = format::fresh_records(before, bytes, limits) {
            return Ok(records);
        }
        let before = format::decode(before, limits)?;
        let lines = diff::fresh(&before.bytes, &new.decoded.bytes);
        let path = entry.before.as_ref().map_or(entry.path(), |before| before.path.as_bstr());
        let old = Blob { path, decoded: &before, ..*new };
        // A pin can be taken away from a reference without touching its line.
        let references = format::fresh_references(&old, &Blob { fresh: &lines, ..*new }, limits);
        Ok(references.unwrap_or(lines))
    }

    fn removed(&self, part: &mut Part, id: BlobId, entry: &Entry, lens: &Lens) -> Result<(), String> {
        part.looked_at.files += 1;
        if self.compare == Compare::No || entry.mode == Mode::Submodule || entry.mode == Mode::Link {
            return Ok(());
        }
        if self.compare == Compare::Change && is_image(entry.path(), lens) {
            part.sides.push(image(id, entry, lens));
            return Ok(());
        }
        if let Some(bytes) = self.before(entry)? {
            let before = Some(self.index(id, entry, &bytes, lens, None)?);
            part.sides.push(diff::Side::new(id, entry.path.clone(), lens, before, None));
        }
        Ok(())
    }

    /// The bytes before the change, with LFS pointers resolved, where there were any.
    fn before(&self, entry: &Entry) -> Result<Option<Bytes>, String> {
        let compared = |before: &&Before| {
            self.compare != Compare::No && !entry.unchanged && matches!(before.mode, Mode::File | Mode::Executable)
        };
        let Some(before) = entry.before.as_ref().filter(compared) else { return Ok(None) };
        self.resolved(&Content::Object(before.id))
            .map(Some)
            .map_err(|reason| format!("its version before the change: {reason}"))
    }

    /// The bytes of an entry, with an LFS pointer resolved.
    pub(super) fn resolved(&self, content: &Content) -> Result<Bytes, String> {
        let limit = self.policy.limits.blob;
        let raw = self.reader.read(content, limit)?;
        match source::pointer(&raw) {
            None => Ok(raw),
            Some(pointer) => self.reader.source.resolve_lfs(&pointer, limit).map_err(|error| error.to_string()),
        }
    }

    /// The index of the version before, by way of the one after where that is `known`.
    fn index(
        &self,
        id: BlobId,
        entry: &Entry,
        bytes: &[u8],
        lens: &Lens,
        known: Option<&next::Known<'_>>,
    ) -> Result<Arc<Index>, String> {
        let path = entry.before.as_ref().map_or(entry.path(), |before| before.path.as_bstr());
        let limits = &self.policy.limits;
        let read = || {
            let decoded = format::decode(bytes, limits)?;
            let blob = Blob { id, path, lens, decoded: &decoded, fresh: &Fresh::All };
            Ok::<_, String>(next::read(known, &blob, limits)?.index)
        };
        read().map_err(|reason| format!("its version before the change: {reason}"))
    }

    /// Reads one version of an entry again, as it was read before.
    pub(super) fn again(&self, id: BlobId, entry: &Entry, version: Version, sink: &mut dyn Sink) -> Result<(), String> {
        let (path, content) = version_of(entry, version)?;
        self.feed(id, path, &self.resolved(&content)?, &self.policy.lens(entry.path()), sink)
    }

    /// Shows one version of an entry again, as it was read before.
    pub(super) fn show(
        &self,
        id: BlobId,
        entry: &Entry,
        version: Version,
        look: &mut dyn FnMut(&Blob<'_>, &Limits),
    ) -> Result<(), String> {
        let (path, content) = version_of(entry, version)?;
        let (limits, lens) = (&self.policy.limits, self.policy.lens(entry.path()));
        let bytes = self.resolved(&content)?;
        let decoded = format::decode(&bytes, limits)?;
        look(&Blob { id, path, lens: &lens, decoded: &decoded, fresh: &Fresh::All }, limits);
        Ok(())
    }

    /// Reads bytes into a sink, outside of the judged pass.
    pub(super) fn feed(
        &self,
        id: BlobId,
        path: &BStr,
        bytes: &[u8],
        lens: &Lens,
        sink: &mut dyn Sink,
    ) -> Result<(), String> {
        let limits = &self.policy.limits;
        let decoded = format::decode(bytes, limits)?;
        let blob = Blob { id, path, lens, decoded: &decoded, fresh: &Fresh::All };
        format::read(&blob, limits, sink).map(|_| ())
    }

    /// Shows a flaw of a whole blob to the checks, as a batch without rows.
    fn flaw(&self, part: &mut Part, blob: Blob<'_>, kind: &'static str, detail: String) {
        let flaws = [Flaw { kind, span: Span::new(0, blob.decoded.bytes.len() as u64), record: None, detail }];
        let records = Records {
            blob,
            kind: Kind::Unknown,
            names: &[],
            text: &blob.decoded.bytes,
            first: 0,
            rows: &[],
            cells: &[],
            flaws: &flaws,
            sieve: None,
        };
        for (check, seen) in self.checks.iter().zip(&mut part.seen) {
            check.observe(seen, &Observation::Records(&records));
        }
    }
}

/// How many records have which label.
fn labels(index: &Index) -> Option<Labels> {
    let mut tally = Tally::default();
    tally.add(index);
    Labels::new(tally.classes)
}

/// The path and the content of one version of an entry.
fn version_of(entry: &Entry, version: Version) -> Result<(&BStr, Content), String> {
    match (version, &entry.before, &entry.content) {
        (Version::Before, Some(before), _) => Ok((before.path.as_bstr(), Content::Object(before.id))),
        (Version::After, _, Some(content)) => Ok((entry.path(), content.clone())),
        _ => Err("there is no such version".to_owned()),
    }
}
