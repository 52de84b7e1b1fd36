//! Reads one entry after the other and shows what it holds to every check.

mod hash;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::budget::Budget;
use crate::check::Observation;
use crate::diff::{self, Index, Indexed, Tally, Version, next};
use crate::finding::{LookedAt, Unread};
use crate::fold::{Fold, Seen};
use crate::format::{self, Blob, Feeds, Flaw, Guess, Kind, Records, Reference, References, Sink, Verdict};
use crate::lens::{Lens, class_of_image};
use crate::policy::Policy;
use crate::policy::lock::{Labels, LockedFile};
use crate::source::{self, Attributes, Before, Bytes, Content, Entry, LfsError, Mode, Repository, Source};
use crate::span::{BlobId, Fresh, Span};

/// Texts of so many bytes keep the numbers of their lines on the way.
const LONG: usize = 4 << 20;

/// What one thread has gathered.
#[derive(Default)]
pub(super) struct Part {
    /// State of each check, in the order of the catalogue; empty until the first entry.
    pub(super) seen: Vec<Seen>,
    pub(super) unread: Vec<Unread>,
    pub(super) looked_at: LookedAt,
    pub(super) guesses: Vec<(BlobId, Guess)>,
    pub(super) references: Vec<(BlobId, Reference)>,
    /// Sources that a change names, for its summary.
    pub(super) named: BTreeSet<String>,
    pub(super) sides: Vec<diff::Side>,
    /// Classes of the files that did not change, by data set.
    pub(super) tallies: BTreeMap<String, Tally>,
    /// What each judged file is, for the lock.
    pub(super) measures: Vec<Measure>,
    /// LFS objects that stand in for their pointers.
    pub(super) held: Vec<(BlobId, Arc<[u8]>)>,
    pub(super) notes: Vec<String>,
    /// Line feeds on the way through long texts, so that reports need not count them.
    pub(super) feeds: Vec<(BlobId, Vec<Feeds>)>,
}

/// What a judged file is, as the lock records it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Measure {
    pub(super) blob: BlobId,
    pub(super) sha256: [u8; 32],
    /// Only where a lock is written.
    pub(super) blake3: Option<[u8; 32]>,
    pub(super) size: u64,
    pub(super) records: Option<u64>,
    pub(super) labels: Option<Labels>,
    /// SHA-256 that its publisher gives, where an LFS pointer stands for it.
    pub(super) pointer: Option<String>,
}

pub(crate) use hash::Hashing;
pub(super) use hash::{digests, is_about_data};

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

    /// Bytes that reading an entry will allocate; 0 where that is not known, or a mapping takes none.
    fn owned_size(&self, content: &Content) -> u64 {
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
        let fresh = match (&before, self.compare) {
            // Columnar files have no lines; their records are compared instead.
            (Some(before), Compare::Change) => match format::fresh_records(before, bytes, limits) {
                Some(records) => records,
                None => {
                    let before = format::decode(before, limits)?;
                    let lines = diff::fresh(&before.bytes, &decoded.bytes);
                    let path = entry.before.as_ref().map_or(entry.path(), |before| before.path.as_bstr());
                    let old = Blob { id, path, lens, decoded: &before, fresh: &Fresh::All };
                    let new = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &lines };
                    // A pin can be taken away from a reference without touching its line.
                    format::fresh_references(&old, &new, limits).unwrap_or(lines)
                }
            },
            _ => Fresh::All,
        };
        let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &fresh };
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
            // What the trainer reads: behind an LFS pointer, the object.
            let wanted = if self.blake3 { Hashing::Both } else { Hashing::Sha256 };
            let (sha256, blake3) = digests(bytes, wanted);
            let records = read.kind.is_data().then_some(records);
            let labels = labels(&index);
            let pointer = source::pointer(&raw).or_else(|| self.pointer_before(entry)).map(|pointer| pointer.oid);
            let size = bytes.len() as u64;
            part.measures.push(Measure { blob: id, sha256, blake3, size, records, labels, pointer });
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

    /// Whether what git holds of a file is what its attributes ask for: a pointer, or else the file itself.
    fn past_lfs(&self, entry: &Entry, content: &Content, raw: &[u8]) -> Option<(&'static str, &'static str)> {
        let is_pointer = |bytes: &[u8]| (!bytes.is_empty()).then(|| source::pointer(bytes).is_some());
        let before = || entry.before.as_ref().filter(|before| matches!(before.mode, Mode::File | Mode::Executable));
        let committed = |before: &Before| match self.reader.read(&Content::Object(before.id), source::MAX_POINTER) {
            Ok(bytes) => is_pointer(&bytes),
            Err(_) => Some(false),
        };
        let (held, path) = match content {
            Content::Object(_) => (is_pointer(raw)?, entry.path()),
            // On disk a file stands in for its pointer, as it should: what was committed of it counts.
            Content::File(_) => before().and_then(|before| Some((committed(before)?, before.path.as_bstr())))?,
        };
        let asks = self.attributes.asks_lfs(path);
        let is_new = self.compare != Compare::Change
            || before()
                .is_none_or(|b| committed(b) != Some(held) || self.attributes.asks_lfs(b.path.as_bstr()) != asks);
        match (asks, held) {
            (true, false) if is_new => {
                Some(("lfs-bypassed", "the attributes say `filter=lfs`, and git holds the file itself"))
            }
            (false, true) if is_new => {
                Some(("lfs-not-asked", "git holds a pointer, and no attribute says `filter=lfs`"))
            }
            _ => None,
        }
    }

    /// Data that is kept elsewhere: what a change says of it cannot be seen. Outside of a change it is only noted.
    fn unseen(&self, part: &mut Part, entry: &Entry, bytes: &[u8]) {
        let Some(reason) = source::elsewhere(entry.path(), bytes) else { return };
        if self.compare != Compare::Change {
            part.notes.push(format!("{}: {reason}", entry.path));
            return;
        }
        let before = self.before(entry).ok().flatten();
        let before = before.map(|bytes| source::dvc_outputs(entry.path(), &bytes)).unwrap_or_default();
        let after = source::dvc_outputs(entry.path(), bytes);
        if before.is_empty() || before != after {
            part.unread.push(Unread { path: entry.path.clone(), reason: format!("{reason}; what changed is unseen") });
        }
    }

    /// The pointer that is committed where the work tree has the object.
    fn pointer_before(&self, entry: &Entry) -> Option<source::Pointer> {
        let id = entry.before.as_ref().filter(|_| self.blake3)?.id;
        let bytes = self.reader.repository()?.blob(id, 1 << 10).ok()?;
        source::pointer(&bytes)
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
        let lens = self.policy.lens(entry.path());
        let (path, content) = match (version, &entry.before, &entry.content) {
            (Version::Before, Some(before), _) => (before.path.as_bstr(), Content::Object(before.id)),
            (Version::After, _, Some(content)) => (entry.path(), content.clone()),
            _ => return Err("there is no such version".to_owned()),
        };
        self.feed(id, path, &self.resolved(&content)?, &lens, sink)
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

    /// A link is judged by its target, which is never followed.
    fn link(&self, part: &mut Part, id: BlobId, entry: &Entry, content: &Content, lens: &Lens) -> Result<(), String> {
        let target = self.reader.read(content, self.policy.limits.blob)?;
        part.looked_at.files += 1;
        let decoded = format::decode(&target, &self.policy.limits)?;
        let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
        if source::annex_key(&target, true).is_some() {
            return Err("git-annex link: its content is not in the repository".to_owned());
        }
        if leaves(entry.path(), &target) {
            self.flaw(part, blob, "link-outside", "the link points outside the repository".to_owned());
        } else if entry.before.as_ref().is_some_and(|before| before.mode != Mode::Link) {
            self.flaw(part, blob, "link-replaces-file", "a link took the place of a file".to_owned());
        }
        Ok(())
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

/// Whether a file is an image by its name, and a record of a data set whose folder is its class.
fn is_image(path: &BStr, lens: &Lens) -> bool {
    class_of_image(path, lens.dataset.is_some()).is_some()
}

/// An image in the two versions of a change: its folder is its label, so that a move between folders is a change of label.
fn image(id: BlobId, entry: &Entry, lens: &Lens) -> diff::Side {
    let version = |path: &BStr, object: &crate::source::ObjectId| {
        let mut index = Index::default();
        index.file(path, object.as_bytes(), id);
        Arc::new(index)
    };
    let after = match &entry.content {
        Some(Content::Object(object)) => Some(version(entry.path(), object)),
        _ => None,
    };
    let before = entry.before.as_ref().map(|before| version(before.path.as_bstr(), &before.id));
    diff::Side::new(id, entry.path.clone(), lens, before, after)
}

/// Whether a relative link, followed from the folder of its path, climbs out of the repository. Absolute ones do.
fn leaves(path: &BStr, target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let mut depth = path.split_str("/").count() as i64 - 1;
    for part in target.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

fn submodule_note(entry: &Entry) -> String {
    let now = match &entry.content {
        Some(Content::Object(id)) => id.to_hex_with_len(12).to_string(),
        _ => "an unknown commit".to_owned(),
    };
    match &entry.before {
        Some(before) => format!(
            "the submodule {} moves from {} to {now}; what it holds was not looked at",
            entry.path,
            before.id.to_hex_with_len(12)
        ),
        None => format!("the submodule {} is at {now}; what it holds was not looked at", entry.path),
    }
}

/// Takes records for the differ alone.
pub(super) enum Quiet<'s> {
    /// Every row.
    Rows(&'s mut Index),
    /// The number of rows of each class.
    Count(&'s mut Index),
}

impl Sink for Quiet<'_> {
    fn records(&mut self, records: &Records<'_>) {
        match self {
            Quiet::Rows(index) => index.observe(records),
            Quiet::Count(index) => index.count(records),
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

/// Hands each batch to every check and to the differ.
struct Feed<'s> {
    checks: &'s [Box<dyn Fold>],
    seen: &'s mut [Seen],
    reading: &'s mut next::Reading,
    references: &'s mut Vec<(BlobId, Reference)>,
    settled: &'s (dyn Fn(&Reference) -> Option<Reference> + Sync),
    named: Option<&'s mut BTreeSet<String>>,
    records: u64,
    feeds: Vec<Feeds>,
}

impl Sink for Feed<'_> {
    fn records(&mut self, records: &Records<'_>) {
        self.records += records.rows.len() as u64;
        for (check, seen) in self.checks.iter().zip(self.seen.iter_mut()) {
            check.observe(seen, &Observation::Records(records));
        }
        self.reading.observe(records);
    }

    fn feeds(&mut self, feeds: Feeds) {
        self.feeds.push(feeds);
    }

    fn references(&mut self, references: &References<'_>) {
        let settled = |reference: &Reference| (self.settled)(reference).unwrap_or_else(|| reference.clone());
        let list: Vec<Reference> = references.list.iter().map(settled).collect();
        let references = &References { list: &list, ..*references };
        for (check, seen) in self.checks.iter().zip(self.seen.iter_mut()) {
            check.observe(seen, &Observation::References(references));
        }
        if let Some(named) = &mut self.named {
            let fresh = references.list.iter().filter(|r| references.blob.fresh.touches(r.span) && names_source(r));
            named.extend(fresh.map(|r| format!("{}:{}", r.hub, r.target)));
        }
        let id = references.blob.id;
        self.references.extend(list.into_iter().map(|reference| (id, reference)));
    }
}

/// Whether a reference names something that is known, and outside of the repository.
fn names_source(reference: &Reference) -> bool {
    !matches!(reference.verdict, Verdict::Dynamic | Verdict::Local | Verdict::NotADataset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_climb_out_are_told_from_those_that_stay() {
        let leaves = |path: &str, target: &str| leaves(path.into(), target.as_bytes());
        assert!(leaves("data/x.csv", "/etc/passwd"));
        assert!(leaves("data/x.csv", "../../x"));
        assert!(leaves("x", ".."));
        assert!(leaves("data/x", "a/../../../b/c"));
        assert!(!leaves("data/x.csv", "../other/y.csv"));
        assert!(!leaves("data/deep/x", "../.././y"));
    }
}
