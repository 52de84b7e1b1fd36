//! Files that stand for others: pointers of git LFS and of git-annex.
//!
//! Nothing is ever fetched. What a pointer stands for is read where the local clone keeps it, and is believed only
//! after its size and its hash have been checked.

use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};
use sha2::{Digest, Sha256};

use super::repository::Repository;
use super::{Bytes, bytes_path, read_file};

/// Longest file that git LFS takes for a pointer.
pub(crate) const MAX_POINTER: u64 = 1024;
/// Longest file that git-annex takes for a pointer.
const MAX_ANNEX_POINTER: usize = 32 << 10;

/// Longest file of DVC that is read.
const MAX_DVC: usize = 4 << 20;

/// What a pointer of git LFS says of the file it stands for (specification version 1).
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(crate) struct Pointer {
    /// SHA-256 of the file: 64 lower-case hexadecimal digits.
    pub oid: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Why the file that a pointer stands for cannot be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum LfsError {
    /// It was never fetched.
    #[error("lfs object missing")]
    Missing,
    /// What lies in its place has another size or another hash. Somebody put it there.
    #[error("lfs object does not match its pointer")]
    Mismatch,
    /// It is there and cannot be read, or is too large.
    #[error("lfs object: {0}")]
    Unread(String),
}

/// Reads a pointer of git LFS, exactly as leniently as git LFS does; `None` for any other file.
pub(crate) fn pointer(bytes: &[u8]) -> Option<Pointer> {
    // A cheap test first: nearly no file is a pointer.
    if bytes.len() as u64 > MAX_POINTER || !bytes.trim_start().starts_with(b"version ") {
        return None;
    }
    let mut lines = bytes.trim().lines().filter(|line| !line.is_empty());
    let mut pair = || -> Option<(&[u8], &[u8])> { lines.next()?.split_once_str(" ") };
    let versions =
        ["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];
    let (key, version) = pair()?;
    if key != b"version" || !versions.iter().any(|known| version == known.as_bytes()) {
        return None;
    }
    let (mut key, mut value) = pair()?;
    while key.starts_with(b"ext-") {
        (key, value) = pair()?;
    }
    let hex = value.strip_prefix(b"sha256:").filter(|_| key == b"oid")?.to_str().ok()?;
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (key, size) = pair()?;
    let size = size.to_str().ok().filter(|_| key == b"size")?.parse().ok()?;
    if pair().is_some() {
        return None;
    }
    Some(Pointer { oid: hex.to_ascii_lowercase(), size })
}

/// What a file of DVC says of data that is kept elsewhere: the paths and hashes it names, in its order; empty for any
/// other file. Only a `.dvc` file and `dvc.lock` are ones.
pub(crate) fn dvc_outputs(path: &BStr, bytes: &[u8]) -> Vec<(String, String)> {
    /// Outputs of one file that are told.
    const MOST: usize = 1000;
    let name = path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name);
    let is_dvc = name == b"dvc.lock" || (name.ends_with(b".dvc") && name.len() > 4);
    if !is_dvc || bytes.len() > MAX_DVC {
        return Vec::new();
    }
    // What a stage reads comes from somewhere else; what it makes, and what was added by hand, is kept by DVC.
    let (mut outputs, mut item, mut is_output) = (Vec::new(), (None, None), false);
    for line in bytes.lines().chain([&b"- end:"[..]]) {
        let text = line.trim();
        let begins = text.starts_with(b"- ") || !line.starts_with(b" ");
        if let (true, (Some(path), Some(hash))) = (begins, &item) {
            outputs.push((String::clone(path), String::clone(hash)));
            if outputs.len() >= MOST {
                break;
            }
        }
        if begins {
            item = (None, None);
        }
        let text = text.strip_prefix(b"- ").unwrap_or(text);
        let Some((key, value)) = text.split_once_str(":") else { continue };
        let value = || Some(value.trim().trim_with(|c| matches!(c, '"' | '\'')).to_str_lossy().into_owned());
        match key {
            b"outs" => is_output = true,
            b"deps" | b"params" | b"cmd" | b"stages" => is_output = false,
            b"path" if is_output => item.0 = value(),
            b"md5" | b"etag" | b"checksum" if is_output => item.1 = value(),
            _ => {}
        }
    }
    outputs
}

/// Why the data that a file stands for cannot be seen: it is kept by DVC or by git-annex. `None` for any other file.
pub(crate) fn elsewhere(path: &BStr, bytes: &[u8]) -> Option<String> {
    if annex_key(bytes, false).is_some() {
        return Some("git-annex pointer: its content is not in the repository".to_owned());
    }
    let outputs = dvc_outputs(path, bytes);
    let (first, _) = outputs.first()?;
    let more = if outputs.len() > 1 { format!(" and {} more", outputs.len() - 1) } else { String::new() };
    Some(format!("pointer of DVC: {first:?}{more} is not in the repository"))
}

/// The key of a file that git-annex keeps elsewhere, from a link's target or the content of an unlocked file; `None` for
/// anything else.
pub(crate) fn annex_key(bytes: &[u8], is_link: bool) -> Option<&BStr> {
    if bytes.len() > MAX_ANNEX_POINTER {
        return None;
    }
    let key = if is_link {
        let target = bytes.replace(b"\\", b"/");
        let inside = target.find(b".git/annex/objects/")?;
        let (key, parent) = (bytes.rsplit_once_str("/")?.1, target[inside..].rsplit_once_str("/")?.0);
        // The folder that holds the file has its name as well.
        if !parent.ends_with(key) {
            return None;
        }
        key
    } else {
        let line = bytes.strip_prefix(b"/annex/objects/")?.lines().next()?;
        line.rsplit_once_str("/").map_or(line, |(_, key)| key)
    };
    // BACKEND[-sSIZE…]--NAME
    let (backend, name) = key.split_once_str("--")?;
    let is_key = !backend.is_empty() && !name.is_empty() && backend[0].is_ascii_uppercase();
    is_key.then(|| key.as_bstr())
}

impl Repository {
    /// The file that a pointer stands for, from the local store of git LFS, at most `limit` bytes. Size and SHA-256 have
    /// been checked.
    ///
    /// # Errors
    /// It is missing, another file, or unreadable.
    pub(crate) fn resolve_lfs(&self, pointer: &Pointer, limit: u64) -> Result<Bytes, LfsError> {
        let (first, second) = (pointer.oid.get(..2), pointer.oid.get(2..4));
        let (Some(first), Some(second)) = (first, second) else { return Err(LfsError::Missing) };
        let path = self.lfs_store().join("objects").join(first).join(second).join(&pointer.oid);
        resolve(&path, pointer, limit)
    }

    /// Where git LFS keeps its files.
    fn lfs_store(&self) -> PathBuf {
        let named = self.with(|git| git.config_snapshot().string("lfs.storage").map(|path| bytes_path(path.as_ref())));
        self.common_dir.join(named.unwrap_or_else(|| PathBuf::from("lfs")))
    }
}

fn resolve(path: &Path, pointer: &Pointer, limit: u64) -> Result<Bytes, LfsError> {
    let Ok(meta) = path.symlink_metadata() else { return Err(LfsError::Missing) };
    if meta.is_file() && meta.len() != pointer.size {
        return Err(LfsError::Mismatch);
    }
    let bytes = read_file(path, limit).map_err(LfsError::Unread)?;
    let digest = Sha256::digest(&*bytes);
    let expected = pointer.oid.as_bytes().chunks(2).map(|pair| {
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)
    });
    if !digest.iter().map(|byte| Some(*byte)).eq(expected) {
        return Err(LfsError::Mismatch);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    fn text(size: &str) -> String {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {size}\n")
    }

    #[test]
    fn pointers_are_read_as_git_lfs_reads_them() {
        let expected = Some(Pointer { oid: OID.to_owned(), size: 12345 });
        let plain = text("12345");
        assert_eq!(pointer(plain.as_bytes()), expected);
        assert_eq!(pointer(plain.trim_end().as_bytes()), expected, "without the last newline");
        assert_eq!(pointer(plain.replace('\n', "\r\n").as_bytes()), expected, "with CRLF");
        assert_eq!(pointer(format!("\n{plain}\n").as_bytes()), expected, "with blank lines around");
        let extended = plain.replace("oid sha", &format!("ext-0-foo sha256:{OID}\noid sha"));
        assert_eq!(pointer(extended.as_bytes()), expected, "with an extension");
    }

    #[test]
    fn other_files_are_no_pointers() {
        let plain = text("12345");
        for other in [
            String::new(),
            "version 2".to_owned(),
            text("-1"),
            text("12 345"),
            plain.replace("sha256", "md5"),
            plain.replace("v1", "v3"),
            plain.replace(OID, &OID[1..]),
            plain.replace(OID, &OID.replace('4', "g")),
            format!("{plain}more 1\n"),
            format!("{plain}{}", " ".repeat(MAX_POINTER as usize)),
        ] {
            assert_eq!(pointer(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_dvc_keeps_elsewhere_is_known() {
        let file = b"outs:\n- md5: 22a1a2931c8370d3aeedd7183606fd7f.dir\n  size: 4\n  nfiles: 1\n  path: data\n- path: x.csv\n  md5: 'ab'\n";
        let found = dvc_outputs("sets/data.dvc".into(), file);
        assert_eq!(
            found,
            [("data".into(), "22a1a2931c8370d3aeedd7183606fd7f.dir".into()), ("x.csv".into(), "ab".into())]
        );
        let lock = b"stages:\n  clean:\n    cmd: python clean.py\n    deps:\n    - path: raw.csv\n      md5: 11\n    \
            outs:\n    - path: clean.csv\n      hash: md5\n      md5: 22\n";
        assert_eq!(dvc_outputs("dvc.lock".into(), lock), [("clean.csv".into(), "22".into())]);
        assert!(dvc_outputs("data.yaml".into(), file).is_empty());
        assert!(dvc_outputs("data.dvc".into(), b"\xff outs").is_empty());
    }

    #[test]
    fn annex_links_and_files_are_known() {
        let key = "SHA256E-s31390--f50d7ac4c6b9031379986bc362fcefb65f1e52621ce1708d537e740fefc59cc0.csv";
        let link = format!("../.git/annex/objects/7f/kQ/{key}/{key}");
        assert_eq!(annex_key(link.as_bytes(), true), Some(key.into()));
        assert_eq!(annex_key(format!("/annex/objects/{key}\n").as_bytes(), false), Some(key.into()));
        assert_eq!(annex_key(b"../../etc/passwd", true), None);
        assert_eq!(annex_key(format!("../.git/annex/objects/7f/kQ/other/{key}").as_bytes(), true), None);
        assert_eq!(annex_key(b"text,label\n", false), None);
    }
}
