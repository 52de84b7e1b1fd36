//! Hashing alone, for `foretaste verify`: nothing is parsed of a file that is what the lock says.

use bstr::BStr;
use sha2::{Digest, Sha256};

use super::{Measure, Part, Quiet, Scanner, labels};
use crate::diff::Index;
use crate::format::{self, Blob};
use crate::lens::Lens;
use crate::policy::lock::Labels;
use crate::source::{self, Content, Entry, LfsError};
use crate::span::{BlobId, Fresh};

/// Which hash a file is compared by.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Hashing {
    /// What is signed.
    Sha256,
    /// The fast one.
    Blake3,
    /// Both, to write a lock.
    Both,
}

/// The hashes that are wanted. SHA-256 has no parts, so that only BLAKE3 uses several threads for one file.
pub(in crate::engine) fn digests(bytes: &[u8], wanted: Hashing) -> ([u8; 32], Option<[u8; 32]>) {
    let sha256 = || if wanted == Hashing::Blake3 { [0; 32] } else { Sha256::digest(bytes).into() };
    let blake3 =
        || (wanted != Hashing::Sha256).then(|| *blake3::Hasher::new().update_rayon(bytes).finalize().as_bytes());
    rayon::join(sha256, blake3)
}

impl Scanner<'_> {
    pub(super) fn hash(
        &self,
        part: &mut Part,
        id: BlobId,
        entry: &Entry,
        content: &Content,
        lens: &Lens,
    ) -> Result<(), String> {
        let Some((hashing, line)) = self.hashing else { return Ok(()) };
        if !(self.locked)(entry.path()) {
            return Ok(());
        }
        let _share = self.budget.take(self.reader.owned_size(content));
        // However large it is: weights are locked, too, and nothing is held of a mapping.
        let raw = self.reader.read(content, u64::MAX)?;
        let object = match source::pointer(&raw).map(|pointer| self.reader.source.resolve_lfs(&pointer, u64::MAX)) {
            None => None,
            Some(Ok(bytes)) => Some(bytes),
            Some(Err(LfsError::Mismatch)) => {
                let decoded = format::decode(&raw, &self.policy.limits)?;
                let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
                self.flaw(part, blob, "lfs-mismatch", LfsError::Mismatch.to_string());
                return Ok(());
            }
            Some(Err(gap)) => return Err(gap.to_string()),
        };
        let bytes: &[u8] = object.as_deref().unwrap_or(&raw);
        let line = line(entry.path());
        let (mut sha256, blake3) = digests(bytes, hashing);
        let same = match (line, hashing) {
            (Some(line), Hashing::Blake3) => blake3 == Some(line.blake3),
            (Some(line), _) => sha256 == line.sha256,
            (None, _) => false,
        };
        if let (Hashing::Blake3, Some(line)) = (hashing, line) {
            // Only what differs is hashed a second time, to be told by the hash that is signed.
            sha256 = if same { line.sha256 } else { digests(bytes, Hashing::Sha256).0 };
        }
        // Rows and labels are counted where there is something to tell of them.
        let (records, labels) = if same { (None, None) } else { self.counted(id, entry, bytes, lens) };
        raw.verify()?;
        if let Some(object) = &object {
            object.verify()?;
        }
        part.looked_at.files += 1;
        part.looked_at.bytes += bytes.len() as u64;
        part.looked_at.records += records.unwrap_or(0);
        let size = bytes.len() as u64;
        part.measures.push(Measure { blob: id, sha256, blake3, size, records, labels, pointer: None });
        Ok(())
    }

    /// Records and labels of a file, where it can be read as data.
    fn counted(&self, id: BlobId, entry: &Entry, bytes: &[u8], lens: &Lens) -> (Option<u64>, Option<Labels>) {
        let limits = &self.policy.limits;
        let mut index = Index::default();
        let decoded = if bytes.len() as u64 > limits.blob { None } else { format::decode(bytes, limits).ok() };
        let Some(decoded) = decoded else { return (None, None) };
        let blob = Blob { id, path: entry.path(), lens, decoded: &decoded, fresh: &Fresh::All };
        let read = format::read(&blob, limits, &mut Quiet::Rows(&mut index));
        index.close();
        match read {
            Ok(read) if read.kind.is_data() => (Some(read.records), labels(&index)),
            _ => (None, None),
        }
    }
}

/// Files of git that change what other files are read as; they are locked with the data.
pub(in crate::engine) fn is_about_data(path: &BStr) -> bool {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    name == b".gitattributes" || path == ".gitmodules" || path == ".lfsconfig"
}
