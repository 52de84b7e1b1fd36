//! `foretaste.lock`: what each file was when it was reviewed, and who signed that.
//!
//! ```text
//! foretaste.lock v1
//! # Written by `foretaste lock`; compare with `foretaste verify`.
//! repo support-intents
//! policy 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! seq 4
//! locked 2026-11-23
//! reference dataset huggingface 0123456789abcdef0123456789abcdef01234567 2026-11-23 org/name<TAB>how=cache
//! outside <sha256> <blake3> <size> <records or -> <folder>/<path>
//! file <sha256> <blake3> <size> <records or -> <path><TAB>labels=greet:12,leave:3<TAB>source=tickets<TAB>…
//! ```
//!
//! One line a file, sorted bytewise by path, so that two changes of different files merge. The bytes are what is signed,
//! so the text has one form only and anything else is refused.

mod file;
mod judged;
pub(crate) mod receipt;
mod reference;
pub(crate) mod resolved;
mod text;

use std::fmt::Write;

use bstr::{BStr, ByteSlice};
use jiff::civil::Date;

use crate::span::Span;
pub(crate) use file::{Labels, LockedFile, Publisher};
pub(crate) use judged::{Compared, Locked, Moment, Receipt, SignatureFile};
pub(crate) use reference::{LockedReference, is_pin, name};
use text::{day, number};
pub(crate) use text::{digest, hex, is_name, stays_inside};

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
    /// The day of locking, where signatures are required: an SSH signature has no day of its own.
    pub(crate) locked: Option<Date>,
    /// What references to other places resolved to, sorted by kind, hub and target.
    pub(crate) references: Vec<LockedReference>,
    /// Files of folders outside of the repository, under the name of the folder: `corpus/train.parquet`. Sorted by path.
    pub(crate) outside: Vec<LockedFile>,
    /// The files, sorted bytewise by path.
    pub(crate) files: Vec<LockedFile>,
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
                if line.strip_suffix('\r') == Some(HEAD) {
                    let why = "its line ends were converted; write `foretaste.lock* -text` into .gitattributes, and \
                               check it out again";
                    return Err(failed(why));
                }
                if line != HEAD {
                    return Err(failed("it does not begin with `foretaste.lock v1`; made by a newer version?"));
                }
                continue;
            }
            if line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').ok_or_else(|| failed("neither a header nor a file"))?;
            let late = match word {
                "file" => false,
                "outside" => !lock.files.is_empty(),
                "reference" => !lock.files.is_empty() || !lock.outside.is_empty(),
                _ => !lock.files.is_empty() || !lock.outside.is_empty() || !lock.references.is_empty(),
            };
            if late {
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
                "locked" if lock.locked.is_none() => {
                    lock.locked = Some(day(rest).ok_or_else(|| failed("locked is not a day, written 2026-11-23"))?);
                }
                "reference" => {
                    let reference = LockedReference::parse(rest, span).map_err(&failed)?;
                    if lock.references.last().is_some_and(|last| last.key() >= reference.key()) {
                        return Err(failed("references are not sorted, or one stands there twice"));
                    }
                    lock.references.push(reference);
                }
                "outside" | "file" => {
                    let list = if word == "file" { &mut lock.files } else { &mut lock.outside };
                    let file = LockedFile::parse(rest, span).map_err(&failed)?;
                    if list.last().is_some_and(|last| last.path >= file.path) {
                        return Err(failed("paths are not sorted, or one stands there twice"));
                    }
                    list.push(file);
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
        if let Some(day) = self.locked {
            let _ = writeln!(text, "locked {day}");
        }
        for reference in &self.references {
            let _ = writeln!(text, "{reference}");
        }
        for file in &self.outside {
            let _ = writeln!(text, "outside {file}");
        }
        for file in &self.files {
            let _ = writeln!(text, "file {file}");
        }
        text
    }

    /// What a name elsewhere was resolved to, by kind (`dataset`, `model`, …), hub, name and revision as written.
    pub(crate) fn reference(
        &self,
        kind: &str,
        hub: &str,
        target: &str,
        revision: Option<&str>,
    ) -> Option<&LockedReference> {
        let name = reference::name(target, revision);
        let key = (kind, hub, &*name);
        self.references.binary_search_by(|reference| reference.key().cmp(&key)).ok().map(|at| &self.references[at])
    }

    /// The files as `sha256sum -c` reads them, and those that its format cannot name.
    pub(crate) fn sums(&self) -> (String, Vec<&BStr>) {
        let (mut sums, mut left) = (String::new(), Vec::new());
        for file in &self.files {
            // With a backslash or a line feed the names are escaped, which not every reader of such lists knows.
            match file.path.to_str() {
                Ok(path) if !path.contains(['\n', '\r', '\\']) => {
                    let _ = writeln!(sums, "{}  {path}", hex(&file.sha256));
                }
                _ => left.push(file.path.as_bstr()),
            }
        }
        (sums, left)
    }

    /// The entry of a path.
    pub(crate) fn file(&self, path: &BStr) -> Option<&LockedFile> {
        self.files.binary_search_by(|file| file.path.as_bstr().cmp(path)).ok().map(|at| &self.files[at])
    }
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
            ..LockedFile::default()
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
            paths.retain(|path| text::stays_inside(path.as_slice().into()));
            let files = paths.iter().map(|path| file(path)).collect();
            let lock = Lock { repo: "org/name".into(), policy, seq, files, ..Lock::default() };
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
