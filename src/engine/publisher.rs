//! What publishers say of the files that lie in the repository: hashes beside the data, which are claims.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::Listed;
use crate::format::cards::Card;
use crate::policy::lock::{Publisher, hex, stays_inside};
use crate::source;

/// Hashes that a Croissant file at `path` gives for files of the repository. They are better than what DVC says.
pub(super) fn of_card(card: &Card, path: &BStr, said: &mut BTreeMap<BString, Publisher>) {
    for file in &card.files {
        if let (Some(path), Some(digest)) = (file.path(path), file.digest()) {
            let (by, algorithm, digest) = ("croissant".to_owned(), "sha256".to_owned(), hex(&digest));
            said.insert(path, Publisher { by, algorithm, digest });
        }
    }
}

/// Hashes that files of DVC give for data in the work tree, by its path.
pub(super) fn of_dvc(listed: &Listed) -> BTreeMap<BString, Publisher> {
    let mut said = BTreeMap::new();
    for entry in &listed.entries {
        let path = entry.path();
        let Some(content) = entry.content.as_ref().filter(|_| path.ends_with(b".dvc") || path.ends_with(b"dvc.lock"))
        else {
            continue;
        };
        let Ok(bytes) = listed.read(content) else { continue };
        let folder = path.rsplit_once_str("/").map_or(&b""[..], |(folder, _)| folder);
        for (name, digest) in source::dvc_outputs(path, &bytes) {
            let name = name.trim_start_matches("./");
            let whole = if folder.is_empty() { name.into() } else { [folder, b"/", name.as_bytes()].concat() };
            // A folder has a list of its own, and stores of other kinds have other words.
            let is_md5 = digest.len() == 32 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if is_md5 && stays_inside(whole.as_bstr()) {
                said.insert(whole.into(), Publisher { by: "dvc".to_owned(), algorithm: "md5".to_owned(), digest });
            }
        }
    }
    said
}
