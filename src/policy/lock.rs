//! `foretaste.lock`: what each file was when it was reviewed, and who signed that.
//!
//! ```text
//! foretaste.lock v1
//! # Written by `foretaste lock`; compare with `foretaste verify`.
//! repo support-intents
//! policy 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! seq 4
//! file <sha256> <blake3> <size> <records or -> <path>
//! ```
//!
//! One line a file, sorted bytewise by path, so that two changes of different files merge. The bytes are what is signed,
//! so the text has one form only and anything else is refused.

pub(crate) mod signature;

use std::fmt::Write;

use bstr::{BStr, BString, ByteSlice, ByteVec};

use crate::span::{BlobId, Span};

const HEAD: &str = "foretaste.lock v1";
const COMMENT: &str = "# Written by `foretaste lock`; compare with `foretaste verify`.";

/// The lock as it is written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lock {
    /// Name of the repository that it speaks of. Signatures are bound to it.
    pub(crate) repo: String,
    /// SHA-256 of the policy at the time of locking, so that a signed lock covers the policy, too.
    pub(crate) policy: Option<[u8; 32]>,
    /// Grows with every locking where signatures are required, so that an old lock cannot be put back.
    pub(crate) seq: Option<u64>,
    /// The files, sorted bytewise by path.
    pub(crate) files: Vec<LockedFile>,
}

/// One file of the lock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LockedFile {
    pub(crate) path: BString,
    /// What is signed.
    pub(crate) sha256: [u8; 32],
    /// A second hash of another family, fast to check.
    pub(crate) blake3: [u8; 32],
    /// Bytes.
    pub(crate) size: u64,
    /// Records, where it holds data.
    pub(crate) records: Option<u64>,
    /// Its line in the lock; empty for a line that is yet to be written.
    pub(crate) span: Span,
}

/// What is wrong with the text of a lock.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("foretaste.lock, line {line}: {message}")]
pub(crate) struct LockError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Lock {
    /// Reads a lock, strictly: one form, sorted, no path twice, none that leaves the repository.
    ///
    /// # Errors
    /// Names the first line that is not as `foretaste lock` would have written it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, LockError> {
        let mut lock = Lock::default();
        let mut offset = 0_u64;
        if !text.ends_with(b"\n") {
            return Err(LockError { line: text.lines().count(), message: "the last line has no end".to_owned() });
        }
        for (index, line) in text.split_inclusive(|&b| b == b'\n').enumerate() {
            let span = Span::new(offset, offset + line.len() as u64 - 1);
            offset += line.len() as u64;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let failed = |message: &str| LockError { line: index + 1, message: message.to_owned() };
            let line = line.to_str().map_err(|_| failed("not UTF-8"))?;
            if index == 0 {
                if line != HEAD {
                    return Err(failed("it does not begin with `foretaste.lock v1`; made by a newer version?"));
                }
                continue;
            }
            if line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').ok_or_else(|| failed("neither a header nor a file"))?;
            if word != "file" && !lock.files.is_empty() {
                return Err(failed("a header behind the first file"));
            }
            match word {
                "repo" if lock.repo.is_empty() && is_name(rest) => lock.repo = rest.to_owned(),
                "policy" if lock.policy.is_none() => {
                    lock.policy = Some(digest(rest).ok_or_else(|| failed("the policy hash is not 64 hex digits"))?);
                }
                "seq" if lock.seq.is_none() => {
                    lock.seq = Some(number(rest).ok_or_else(|| failed("seq is not a number"))?);
                }
                "file" => {
                    let file = LockedFile::parse(rest, span).map_err(&failed)?;
                    if lock.files.last().is_some_and(|last| last.path >= file.path) {
                        return Err(failed("paths are not sorted, or one stands there twice"));
                    }
                    lock.files.push(file);
                }
                _ => return Err(failed("a header that is unknown, repeated or malformed")),
            }
        }
        if lock.repo.is_empty() {
            return Err(LockError { line: 2, message: "the `repo` header is missing".to_owned() });
        }
        Ok(lock)
    }

    /// The one text of this lock.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n{COMMENT}\nrepo {}\n", self.repo);
        // Writing to a String cannot fail.
        if let Some(policy) = &self.policy {
            let _ = writeln!(text, "policy {}", hex(policy));
        }
        if let Some(seq) = self.seq {
            let _ = writeln!(text, "seq {seq}");
        }
        for file in &self.files {
            let records = file.records.map_or_else(|| "-".to_owned(), |n| n.to_string());
            let path = escape(file.path.as_ref());
            let _ = writeln!(text, "file {} {} {} {records} {path}", hex(&file.sha256), hex(&file.blake3), file.size);
        }
        text
    }

    /// The entry of a path.
    pub(crate) fn file(&self, path: &BStr) -> Option<&LockedFile> {
        self.files.binary_search_by(|file| file.path.as_bstr().cmp(path)).ok().map(|at| &self.files[at])
    }
}

impl LockedFile {
    fn parse(text: &str, span: Span) -> Result<Self, &'static str> {
        let mut parts = text.splitn(5, ' ');
        let mut next = || parts.next().ok_or("a file line has five parts: sha256, blake3, size, records, path");
        let sha256 = digest(next()?).ok_or("the SHA-256 is not 64 hex digits")?;
        let blake3 = digest(next()?).ok_or("the BLAKE3 is not 64 hex digits")?;
        let size = number(next()?).ok_or("the size is not a number")?;
        let records = match next()? {
            "-" => None,
            text => Some(number(text).ok_or("the number of records is not a number")?),
        };
        let path = unescape(next()?).ok_or("the path is not written as `foretaste lock` writes it")?;
        if !stays_inside(path.as_ref()) {
            return Err("the path leaves the repository");
        }
        Ok(Self { path, sha256, blake3, size, records, span })
    }
}

/// A relative path whose parts are all names.
fn stays_inside(path: &BStr) -> bool {
    !path.is_empty() && path.split_str("/").all(|part| !matches!(part, b"" | b"." | b".."))
}

/// Names of repositories: what fits into a trusted comment without quoting.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b))
}

/// A decimal number in its one form.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// 64 lower-case hexadecimal digits.
fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A path on one line: controls, the backslash and what is not UTF-8 become `\xHH`.
fn escape(path: &BStr) -> String {
    let mut text = String::with_capacity(path.len());
    let bytes = |raw: &[u8], text: &mut String| {
        for byte in raw {
            let _ = write!(text, "\\x{byte:02X}");
        }
    };
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                bytes(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut text);
            } else {
                text.push(c);
            }
        }
        bytes(chunk.invalid(), &mut text);
    }
    text
}

/// The path behind its escaped form; `None` where that is not the one form that [`escape`] writes.
fn unescape(text: &str) -> Option<BString> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        path.push_str(&rest[..at]);
        let digits = rest.get(at..at + 4)?.strip_prefix("\\x")?;
        path.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[at + 4..];
    }
    path.push_str(rest);
    let path = BString::from(path);
    (escape(path.as_ref()) == text).then_some(path)
}

/// The lock of the judged side, what it was compared with, and its signatures.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    /// The lock of the judged side; `None` where the change removes it, or it cannot be read.
    pub(crate) lock: Result<&'a Lock, &'a LockError>,
    /// Its blob.
    pub(crate) blob: BlobId,
    /// Its bytes, which are what is signed.
    pub(crate) text: &'a [u8],
    /// The lock of the trusted side.
    pub(crate) trusted: Option<&'a Lock>,
    /// Files that were judged and are in the lock, or belong to a declared dataset.
    pub(crate) files: &'a [Compared],
    /// Whether everything in the lock was in scope, so that what is not among `files` is missing.
    pub(crate) complete: bool,
    /// Signature files beside the lock.
    pub(crate) signatures: &'a [SignatureFile],
    /// Whether keys and thresholds are in force: the trusted side has a policy (law 1, adoption).
    pub(crate) enforced: bool,
}

/// A judged file, as the lock would record it.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) path: BString,
    pub(crate) blob: BlobId,
    /// `None` for a file that the change removed.
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) size: u64,
    pub(crate) records: Option<u64>,
    /// Whether the policy declares it to be part of a dataset, so that it has to be in the lock.
    pub(crate) declared: bool,
}

/// A signature file beside the lock.
#[derive(Clone, Debug)]
pub(crate) struct SignatureFile {
    pub(crate) blob: BlobId,
    pub(crate) path: BString,
    pub(crate) bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &[u8]) -> LockedFile {
        LockedFile {
            path: path.into(),
            sha256: [0xAB; 32],
            blake3: [0xCD; 32],
            size: 42,
            records: Some(7),
            span: Span::default(),
        }
    }

    fn without_spans(mut lock: Lock) -> Lock {
        for file in &mut lock.files {
            file.span = Span::default();
        }
        lock
    }

    #[test]
    fn spans_lead_to_the_line_of_the_file() {
        let lock = Lock { repo: "r".into(), files: vec![file(b"a"), file(b"b c")], ..Lock::default() };
        let text = lock.to_text();
        let read = Lock::parse(text.as_bytes()).unwrap();
        let line = read.files[1].span.of(text.as_bytes());
        assert!(line.starts_with(b"file ") && line.ends_with(b" b c"));
    }

    #[test]
    fn what_foretaste_lock_would_not_write_is_refused() {
        let good = Lock { repo: "r".into(), seq: Some(3), files: vec![file(b"a"), file(b"b")], ..Lock::default() };
        let text = good.to_text();
        assert!(Lock::parse(text.as_bytes()).is_ok());
        let lines: Vec<&str> = text.lines().collect();
        let swapped = [&lines[..4], &[lines[5], lines[4]]].concat().join("\n") + "\n";
        let twice = [&lines[..5], &[lines[4]]].concat().join("\n") + "\n";
        let late = text.clone() + "seq 4\n";
        for (bad, why) in [
            (swapped, "sorted"),
            (twice, "twice"),
            (late, "behind the first file"),
            (text.replace(" a\n", " ../a\n"), "leaves"),
            (text.replace(" a\n", " /a\n"), "leaves"),
            (text.replace(" a\n", " \\x61\n"), "written"),
            (text.replace("seq 3", "seq 03"), "number"),
            (text.replace("abab", "ABAB"), "SHA-256"),
            (text.replace("repo r\n", ""), "repo"),
            (text.trim_end().to_owned(), "no end"),
            (text.replace(" v1", " v2"), "newer"),
        ] {
            let error = Lock::parse(bad.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(why), "{error} should speak of {why}");
        }
    }

    proptest! {
        #[test]
        fn a_lock_reads_back_as_it_was_written(
            mut paths in proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 1..12), 0..8),
            seq in proptest::option::of(any::<u64>()),
            policy in proptest::option::of(any::<[u8; 32]>()),
        ) {
            paths.retain(|path| stays_inside(path.as_slice().into()));
            let files = paths.iter().map(|path| file(path)).collect();
            let lock = Lock { repo: "org/name".into(), policy, seq, files };
            let text = lock.to_text();
            let read = Lock::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(read.to_text(), text);
            prop_assert_eq!(without_spans(read), lock);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Lock::parse(&bytes);
            let _ = Lock::parse(&[HEAD.as_bytes(), b"\nrepo x\nfile ", &bytes, b"\n"].concat());
        }
    }
}
