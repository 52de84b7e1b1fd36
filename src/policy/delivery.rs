//! What a vendor delivered, and the manifest that comes with it.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use crate::policy::lock::digest;
use crate::span::BlobId;

/// Name of the manifest in the folder of a delivery: that of BagIt, in the form of `sha256sum`.
pub(crate) const MANIFEST: &str = "manifest-sha256.txt";

/// What a vendor delivered of what is judged.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Name of the vendor.
    pub(crate) vendor: String,
    pub(crate) files: Vec<(BlobId, BString, Delivered)>,
}

/// What became of one delivered file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Delivered {
    /// A manifest that the vendor signed names this content.
    Signed,
    /// No folder above it has a manifest.
    NoManifest,
    /// There is one, and nobody of the vendor signed it: why.
    NotSigned(String),
    /// The manifest does not name the file.
    NotListed,
    /// It names another content.
    Differs,
}

/// A list of files and their SHA-256.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Manifest(BTreeMap<BString, [u8; 32]>);

impl Manifest {
    /// Reads `<64 hex>  <path>` lines, as `sha256sum` writes them.
    ///
    /// # Errors
    /// Names the first line that is none.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let split = line.split_once_str(" ").filter(|(_, path)| path.len() > 1 && matches!(path[0], b' ' | b'*'));
            let entry = split.and_then(|(hash, path)| Some((digest(hash.to_str().ok()?)?, path[1..].as_bstr())));
            let Some((sha256, path)) = entry else {
                return Err(format!("line {} of {MANIFEST} is not `SHA-256  PATH`", number + 1));
            };
            let path = path.strip_prefix(b"./").unwrap_or(path).as_bstr();
            if files.insert(path.to_owned(), sha256).is_some_and(|before| before != sha256) {
                return Err(format!("{MANIFEST} names one file twice, in line {}", number + 1));
            }
        }
        Ok(Self(files))
    }

    /// The SHA-256 of a path below its folder.
    pub(crate) fn digest(&self, path: &BStr) -> Option<[u8; 32]> {
        self.0.get(path).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_manifest_is_what_sha256sum_writes() {
        let hash = "ab".repeat(32);
        let manifest = Manifest::parse(format!("{hash}  a.csv\n{hash} *./part/b c.csv\n").as_bytes()).unwrap();
        assert_eq!(manifest.digest("part/b c.csv".into()), Some([0xAB; 32]));
        assert_eq!(manifest.digest("c.csv".into()), None);
        for bad in [format!("{hash} a"), "a  b".to_owned(), format!("{hash}  a\n{}  a", "cd".repeat(32))] {
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Manifest::parse(&bytes);
        }
    }
}
