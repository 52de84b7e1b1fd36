//! What vendors delivered: whether each file stands in a manifest that the vendor has signed.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::Error;
use super::gather::Run;
use super::own::Sides;
use super::scan::{Hashing, digests};
use crate::policy::delivery::{Delivered, Delivery, MANIFEST, Manifest};
use crate::policy::signature::{Kind, Subject, Trust, minisign, verify};
use crate::policy::vendors::Vendor;
use crate::policy::{Key, Policy};
use crate::source::{self, Entry, Mode};
use crate::span::BlobId;

impl Run<'_> {
    /// The files in scope that a vendor delivers with a signed manifest, and what became of each.
    pub(super) fn deliveries(
        &self,
        policy: &Policy,
        entries: &[(BlobId, &Entry)],
        lock: &Sides,
    ) -> Result<Vec<Delivery>, Error> {
        let repo = policy.repo.clone().or_else(|| lock.repo().map(str::to_owned)).unwrap_or_default();
        let mut deliveries = Vec::new();
        for vendor in policy.register.iter().filter(|vendor| vendor.signs) {
            let keys: Vec<Key> =
                policy.keys.iter().filter(|key| Some(&key.name) == vendor.key.as_ref()).cloned().collect();
            let mut manifests = BTreeMap::new();
            let mut files = Vec::new();
            for (id, entry) in entries {
                let is_file = matches!(entry.mode, Mode::File | Mode::Executable) && entry.content.is_some();
                if !is_file || !is_delivered(vendor, entry.path()) {
                    continue;
                }
                let state = self.delivered(policy, entry, lock, &keys, &repo, &mut manifests)?;
                files.push((*id, entry.path.clone(), state));
            }
            deliveries.push(Delivery { vendor: vendor.name.clone(), files });
        }
        Ok(deliveries)
    }

    fn delivered(
        &self,
        policy: &Policy,
        entry: &Entry,
        lock: &Sides,
        keys: &[Key],
        repo: &str,
        manifests: &mut BTreeMap<BString, Option<Result<Manifest, String>>>,
    ) -> Result<Delivered, Error> {
        let path = entry.path();
        let mut folder = path;
        // The nearest manifest above a file speaks for it.
        while let Some(at) = folder.rfind_byte(b'/') {
            folder = folder[..at].as_bstr();
            if !manifests.contains_key(folder) {
                let manifest = self.manifest(policy, folder, keys, repo)?;
                manifests.insert(folder.to_owned(), manifest);
            }
            let Some(Some(manifest)) = manifests.get(folder) else { continue };
            let manifest = match manifest {
                Ok(manifest) => manifest,
                Err(why) => return Ok(Delivered::NotSigned(why.clone())),
            };
            let Some(listed) = manifest.digest(path[folder.len() + 1..].as_bstr()) else {
                return Ok(Delivered::NotListed);
            };
            let found = match lock.line(path) {
                // What is locked is compared with the lock by another rule.
                Some(line) => Some(line.sha256),
                None => self.sha256(entry),
            };
            return Ok(if found == Some(listed) { Delivered::Signed } else { Delivered::Differs });
        }
        Ok(Delivered::NoManifest)
    }

    /// The manifest of a folder and who signed it; `None` where the folder has none.
    fn manifest(
        &self,
        policy: &Policy,
        folder: &BStr,
        keys: &[Key],
        repo: &str,
    ) -> Result<Option<Result<Manifest, String>>, Error> {
        let name = format!("{folder}/{MANIFEST}");
        let Some(bytes) = self.judged(&name)? else { return Ok(None) };
        let mut endings = vec!["minisig".to_owned()];
        let numbers = keys.iter().filter_map(|key| minisign::key_number(&key.minisign));
        endings.extend(numbers.map(|number| format!("{}.minisig", minisign::number_text(number))));
        let subject = Subject { kind: Kind::File, repo, file: name.as_str().into(), bytes: &bytes, seq: 0, day: None };
        let trust = Trust {
            keys,
            as_of: policy.as_of,
            max_age_days: None,
            // A delivery is judged on the day it comes; afterwards the lock speaks for it.
            standing: false,
        };
        let mut why = format!("{name} is not signed");
        for ending in endings {
            let file = format!("{name}.{ending}");
            let Some(signature) = self.judged(&file)? else { continue };
            match verify(file.as_str().into(), &signature, &subject, &trust) {
                Ok(_) => return Ok(Some(Manifest::parse(&bytes))),
                Err(refused) => why = format!("the signature of {name} does not hold: {}", refused.why),
            }
        }
        Ok(Some(Err(why)))
    }

    fn sha256(&self, entry: &Entry) -> Option<[u8; 32]> {
        let raw = self.reader.read(entry.content.as_ref()?, u64::MAX).ok()?;
        match source::pointer(&raw) {
            Some(pointer) => crate::policy::lock::digest(&pointer.oid),
            None => Some(digests(&raw, Hashing::Sha256).0),
        }
    }
}

/// Whether a file is data that a vendor delivers, and not the paper that comes with it.
fn is_delivered(vendor: &Vendor, path: &BStr) -> bool {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    vendor.data.is_match_candidate(&globset::Candidate::from_bytes(path)) && !name.starts_with(MANIFEST.as_bytes())
}
