//! Models that carry a signature of their own: whether it holds, and whether it speaks of the files that are there.

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice, ByteVec};
use rayon::prelude::*;

use super::Error;
use super::blobs::Blobs;
use super::budget::Budget;
use super::gather::{IN_FLIGHT, Run};
use super::own::Sides;
use crate::finding::Unread;
use crate::policy::Policy;
use crate::policy::lock::{hex, stays_inside};
use crate::policy::signature::oms::{self, Differs, MAX_BUNDLE, Manifest, Sum};
use crate::policy::signature::{Signed, Trust};
use crate::source::{self, Content, Entry, LfsError, Mode, Scope};
use crate::span::BlobId;

/// Files of one model.
const MAX_FILES: usize = 100_000;

/// A file below the folder of a model.
struct Found {
    path: BString,
    /// `None` for a link or a submodule, which no signature speaks of.
    content: Option<Content>,
}

impl Run<'_> {
    /// The models whose signatures are asked for by the policy, or lie in the lock; of a change those that it touches.
    pub(super) fn models(
        &self,
        policy: &Policy,
        lock: &Sides,
        entries: &[(BlobId, &Entry)],
        blobs: &mut Blobs,
        unread: &mut Vec<Unread>,
    ) -> Result<Vec<oms::Judged>, Error> {
        if self.reader.repository().is_none() || matches!(self.scope, Scope::Files(_)) {
            return Ok(Vec::new());
        }
        let is_change = matches!(self.scope, Scope::Staged | Scope::Range { .. });
        let touches = |folder: &str| {
            let signature = format!("{folder}.sig");
            let is_of = |path: &BStr| is_below(path, folder) || path == signature.as_str();
            let before = |entry: &Entry| entry.before.as_ref().is_some_and(|before| is_of(before.path.as_ref()));
            !is_change || entries.iter().any(|(_, entry)| is_of(entry.path()) || before(entry))
        };
        let asked = policy.require.models_at(self.moment());
        let trust = Trust { keys: &policy.keys, as_of: policy.as_of, max_age_days: None, standing: false };
        let mut models = Vec::new();
        let mut known = Vec::new();
        let folders = policy.require.models.iter().map(|folder| folder.trim_end_matches('/').trim_start_matches("./"));
        for folder in folders.map(|folder| if folder == "." { "" } else { folder }).filter(|folder| touches(folder)) {
            let found = self.below(folder, unread)?;
            let bundles = self.bundles(folder, &found);
            if asked && !bundles.iter().any(|(path, bytes)| speaks_of(folder, path, bytes, &trust) == folder) {
                let blob = blobs.own(crate::policy::FILE, policy.text.as_bytes().to_vec());
                let (folder, verdict) = (folder.to_owned(), Err(oms::missing(!found.is_empty())));
                models.push(oms::Judged { folder, bundle: None, blob, verdict, bound: false });
            }
            known.extend(bundles.iter().map(|(path, _)| path.clone()));
            for bundle in bundles {
                let of = speaks_of(folder, &bundle.0, &bundle.1, &trust).to_owned();
                let one = if of == folder { None } else { Some(self.below(&of, unread)?) };
                let found = one.as_deref().unwrap_or(&found);
                models.push(self.model(&of, found, bundle, lock, &trust, blobs, unread));
            }
        }
        // What is locked as a signature is taken for that of the folder it lies in, or of the file it is named after.
        for path in lock.paths().filter_map(|path| path.to_str().ok()).filter(|path| path.ends_with(".sig")) {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if known.iter().any(|bundle| bundle == path) || !touches(folder) {
                continue;
            }
            let Some(bytes) = self.bundle(path) else { continue };
            let folder = speaks_of(folder, path, &bytes, &trust);
            let found = self.below(folder, unread)?;
            models.push(self.model(folder, &found, (path.to_owned(), bytes), lock, &trust, blobs, unread));
        }
        Ok(models)
    }

    /// A model and one of its bundles.
    #[expect(clippy::too_many_arguments, reason = "one step of a loop, told apart from the two places that take it")]
    fn model(
        &self,
        folder: &str,
        found: &[Found],
        (bundle, bytes): (String, Vec<u8>),
        lock: &Sides,
        trust: &Trust<'_>,
        blobs: &mut Blobs,
        unread: &mut Vec<Unread>,
    ) -> oms::Judged {
        let mut bound = lock.line(bundle.as_str().into()).is_some();
        let held = |(signed, manifest): (Signed, Manifest)| {
            bound |= manifest.files.keys().all(|path| lock.line(joined(folder, path.as_ref()).as_ref()).is_some());
            (signed, self.differs(folder, &bundle, found, &manifest, unread))
        };
        let verdict = oms::verify(&bytes, trust).map(held);
        let blob = blobs.own(&bundle, bytes);
        oms::Judged { folder: folder.to_owned(), bundle: Some(bundle), blob, verdict, bound }
    }

    /// Every file and link below a folder of the judged side, or the file of that name under an empty path; sorted.
    fn below(&self, folder: &str, unread: &mut Vec<Unread>) -> Result<Vec<Found>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(Vec::new()) };
        if !folder.is_empty() && !stays_inside(folder.into()) {
            return Ok(Vec::new());
        }
        let scope = match &self.scope {
            Scope::Staged | Scope::Index => Scope::Index,
            Scope::Range { head, .. } => Scope::Revision(head.clone()),
            Scope::Revision(revision) => Scope::Revision(revision.clone()),
            Scope::Worktree | Scope::Files(_) => {
                let Some(top) = repository.work_tree() else { return Ok(Vec::new()) };
                return Ok(listed(&top.join(folder)).unwrap_or_else(|reason| {
                    unread.push(Unread { path: folder.into(), reason });
                    Vec::new()
                }));
            }
        };
        let named = match repository.work_tree() {
            _ if folder.is_empty() => Vec::new(),
            Some(top) => vec![top.join(folder)],
            None => vec![PathBuf::from(folder)],
        };
        // A folder that the judged side does not have is one where nothing lies.
        let Ok(snapshot) = repository.snapshot(&scope, &named) else { return Ok(Vec::new()) };
        unread.extend(snapshot.unread);
        let found = snapshot.entries.into_iter().map(|entry| {
            let is_file = matches!(entry.mode, Mode::File | Mode::Executable);
            let below = entry.path.strip_prefix(folder.as_bytes()).unwrap_or_default();
            let path = below.strip_prefix(b"/").filter(|_| !folder.is_empty()).unwrap_or(below).into();
            Found { path, content: entry.content.filter(|_| is_file) }
        });
        Ok(found.collect())
    }

    /// The bundles of a model, in its folder and beside it.
    fn bundles(&self, folder: &str, found: &[Found]) -> Vec<(String, Vec<u8>)> {
        let names = found.iter().map(|file| &file.path).filter(|path| !path.contains(&b'/') && path.ends_with(b".sig"));
        let mut paths: Vec<String> =
            names.filter_map(|path| String::from_utf8(joined(folder, path.as_ref()).into()).ok()).collect();
        if !folder.is_empty() {
            paths.push(format!("{folder}.sig"));
        }
        paths.sort();
        paths.into_iter().filter_map(|path| self.bundle(&path).map(|bytes| (path, bytes))).collect()
    }

    /// A file of the judged side, where it is a bundle.
    fn bundle(&self, path: &str) -> Option<Vec<u8>> {
        let read = self.reader.repository()?.read_judged(&self.scope, path.into(), MAX_BUNDLE);
        read.ok().flatten().filter(|bytes| oms::is_bundle(bytes)).map(|bytes| bytes.to_vec())
    }

    /// What of a model is not as it was signed.
    fn differs(
        &self,
        folder: &str,
        bundle: &str,
        found: &[Found],
        manifest: &Manifest,
        unread: &mut Vec<Unread>,
    ) -> Differs {
        let mut differs = Differs::default();
        let present = |path: &BString| found.binary_search_by(|file| file.path.cmp(path)).is_ok();
        differs.missing = manifest.files.keys().filter(|path| !present(path)).cloned().collect();
        let budget = Budget::new(IN_FLIGHT);
        let judged = found.par_iter().filter_map(|file| {
            let path = file.path.clone();
            let (signed, content) = match (manifest.files.get(&path), &file.content) {
                (Some(sum), Some(content)) => (sum, content),
                (Some(_), None) => return Some(Ok((path, How::Link))),
                (None, content) => {
                    if joined(folder, path.as_ref()) == bundle || path.starts_with(b".git/") {
                        return None;
                    }
                    let size = content.as_ref().and_then(|content| self.reader.size(content));
                    let left_out = manifest.leaves_out(path.as_ref(), size);
                    return Some(Ok((path, if left_out { How::LeftOut } else { How::Added })));
                }
            };
            let _share = budget.take(self.reader.owned_size(content));
            match self.is_as_signed(content, signed) {
                Ok(true) => None,
                Ok(false) => Some(Ok((path, How::Changed))),
                Err(reason) => Some(Err(Unread { path: joined(folder, path.as_ref()), reason })),
            }
        });
        for one in judged.collect::<Vec<_>>() {
            match one {
                Ok((path, How::LeftOut)) => differs.ignored.push(path),
                Ok((path, How::Added)) => differs.added.push(path),
                Ok((path, How::Changed)) => differs.changed.push(path),
                Ok((path, How::Link)) => differs.links.push(path),
                Err(gap) => unread.push(gap),
            }
        }
        differs
    }

    /// Whether a file, or that for which a pointer of git LFS stands, is what was signed.
    fn is_as_signed(&self, content: &Content, signed: &Sum) -> Result<bool, String> {
        let raw = self.reader.read(content, u64::MAX)?;
        if signed.holds(&raw) {
            raw.verify()?;
            return Ok(true);
        }
        let Some(pointer) = source::pointer(&raw) else { return raw.verify().map(|()| false) };
        // What git holds of such a file is its SHA-256; only `verify` asks for the bytes themselves.
        if let (Sum::Sha256(sum), None) = (signed, self.checker.hashing) {
            return Ok(hex(sum) == pointer.oid);
        }
        match self.reader.source.resolve_lfs(&pointer, u64::MAX) {
            Ok(bytes) => {
                let same = signed.holds(&bytes);
                bytes.verify().map(|()| same)
            }
            Err(LfsError::Mismatch) => Ok(false),
            Err(gap) => Err(gap.to_string()),
        }
    }
}

/// In which way a file is not as it was signed.
enum How {
    LeftOut,
    Added,
    Changed,
    Link,
}

/// What a bundle speaks of: the model that it was found with, or one file of that, which it is named after.
fn speaks_of<'p>(model: &'p str, path: &'p str, bytes: &[u8], trust: &Trust<'_>) -> &'p str {
    let is_file = matches!(oms::verify(bytes, trust), Ok((_, manifest)) if manifest.is_file());
    path.strip_suffix(".sig").filter(|_| is_file).unwrap_or(model)
}

/// A path below a folder, from the top; the folder itself for an empty one.
fn joined(folder: &str, path: &BStr) -> BString {
    match (folder, path.is_empty()) {
        ("", _) => path.to_owned(),
        (folder, true) => folder.into(),
        (folder, false) => format!("{folder}/{path}").into(),
    }
}

fn is_below(path: &BStr, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// Every file and link below a folder on disk, or the file of that name; sorted. Links are not followed.
fn listed(root: &Path) -> Result<Vec<Found>, String> {
    let Ok(meta) = std::fs::symlink_metadata(root) else { return Ok(Vec::new()) };
    let content = |path: &Path| Some(Content::File(path.to_owned()));
    if !meta.is_dir() {
        let content = if meta.is_file() { content(root) } else { None };
        return Ok(vec![Found { path: BString::default(), content }]);
    }
    let mut found = Vec::new();
    for entry in ignore::WalkBuilder::new(root).standard_filters(false).follow_links(false).build() {
        let entry = entry.map_err(|error| error.to_string())?;
        let kind = entry.file_type();
        if kind.is_none_or(|kind| kind.is_dir()) {
            continue;
        }
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let path = Vec::from_path_lossy(below).into_owned();
        let path = if std::path::MAIN_SEPARATOR == '/' { path } else { path.replace(b"\\", b"/") };
        let content = if kind.is_some_and(|kind| kind.is_file()) { content(entry.path()) } else { None };
        found.push(Found { path: path.into(), content });
        if found.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files; sign the folders below it one by one"));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
