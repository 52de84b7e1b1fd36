//! What is said: findings, what could not be read, and what was looked at.

use std::collections::BTreeMap;

use bstr::BString;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::rule::{Confidence, Rule, Severity};
use crate::span::{At, BlobId, Place, Span};

/// Facts behind a finding, by name; written as they are into JSON and SARIF.
pub type Evidence = BTreeMap<&'static str, serde_json::Value>;

/// One cause that a rule found, with all its places (law 7).
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that speaks.
    pub rule: &'static Rule,
    /// Its severity here.
    pub severity: Severity,
    /// Its confidence here.
    pub confidence: Confidence,
    /// One sentence that says what is wrong. Bytes of the data in it are escaped when it is shown.
    pub message: String,
    /// One sentence that says what to do.
    pub help: String,
    /// Where, first place first.
    pub marks: Vec<Mark>,
    /// How many places there are, with those that the cap left out.
    pub total: u64,
    /// Facts.
    pub evidence: Evidence,
    /// What makes this cause this cause, in words that survive moved lines. Part of the fingerprint.
    pub cause: String,
}

/// A place of a finding, with what a reader wants to know of it.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct Mark {
    /// Where.
    pub place: Place,
    /// The commit that brought it, as hexadecimal digits, where that is known.
    pub commit: Option<String>,
    /// Number of the record, from 1.
    pub record: Option<u64>,
    /// Dotted name of the field.
    pub field: Option<String>,
    /// What is to be seen here.
    pub note: Option<String>,
    /// Hash of the content that carries the finding ([`content_hash`]), so that a place is known again after its line
    /// has moved.
    pub content: u128,
    /// The record before and after, where its label changed and both could be read once more.
    pub(crate) versions: Option<Box<Versions>>,
}

/// A record before and after a change of its label.
#[derive(Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Versions {
    /// As it was.
    pub(crate) before: Version,
    /// As it is now.
    pub(crate) after: Version,
}

/// A record as reports show it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Version {
    /// Its class; `None` without a label.
    pub(crate) label: Option<String>,
    /// The beginning of its text; `None` where it was not read.
    pub(crate) text: Option<String>,
}

impl Mark {
    /// A mark on these bytes of a blob.
    pub fn bytes(blob: BlobId, span: Span) -> Self {
        Self::at(Place { blob, at: At::Bytes(span) })
    }

    /// A mark on a blob as a whole.
    pub fn name(blob: BlobId) -> Self {
        Self::at(Place { blob, at: At::Name })
    }

    /// A mark at a place.
    pub fn at(place: Place) -> Self {
        Self { place, commit: None, record: None, field: None, note: None, content: 0, versions: None }
    }

    /// The same mark with a note.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Files of data of up to so many bytes are searched for what is of level info, so that it can be counted. Odd spaces and
/// forms are everywhere in dense text, and looking for them in all of a large set costs more than half as much again.
pub(crate) const MOST_FOR_INFO: usize = 8 << 20;

/// At most this many places of one finding are shown (law 7).
pub(crate) const MAX_MARKS: usize = 100;

/// The first [`MAX_MARKS`] marks of each blob, in their order. Checks hand over so many, and not the first of all: what
/// a policy accepts in one file must not hide what is new in another. Reports cut to the first of all at the end.
pub(crate) fn first_of_each_blob(marks: impl IntoIterator<Item = Mark>) -> Vec<Mark> {
    let mut listed: BTreeMap<BlobId, usize> = BTreeMap::new();
    let mut marks: Vec<Mark> = marks.into_iter().collect();
    marks.retain(|mark| {
        let listed = listed.entry(mark.place.blob).or_default();
        *listed += 1;
        *listed <= MAX_MARKS
    });
    marks
}

impl Finding {
    /// A finding of `rule` with the rule's own severity and confidence. `cause` tells it from the rule's other findings.
    pub fn new(rule: &'static Rule, cause: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            confidence: rule.confidence,
            message: message.into(),
            help: String::new(),
            marks: Vec::new(),
            total: 0,
            evidence: Evidence::new(),
            cause: cause.into(),
        }
    }

    /// Whether it is only counted, and shown on request.
    pub(crate) fn is_info(&self) -> bool {
        self.evidence.get("level").is_some_and(|level| level == "info")
    }

    /// SHA-256 of rule and cause, cut to 128 bits, as 32 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.rule.id);
        hash.update([0]);
        hash.update(&self.cause);
        hex128(hash)
    }

    /// The fingerprint of one place: rule, path, and the content that carries the finding, so that baseline and
    /// exceptions act on places and a cause that grows fires for what is new.
    pub fn place_fingerprint(&self, path: &[u8], mark: &Mark) -> String {
        let mut hash = Sha256::new();
        hash.update(self.rule.id);
        hash.update([0]);
        hash.update(path);
        hash.update([0]);
        hash.update(&self.cause);
        hash.update([0]);
        hash.update(mark.content.to_le_bytes());
        hex128(hash)
    }
}

/// SHA-256 of the bytes that carry a finding, cut to 128 bits: wide enough that no row can be made to collide with an
/// accepted one.
pub(crate) fn content_hash(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(half)
}

fn hex128(hash: Sha256) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Something in scope that could not be read. It is printed, counted, and can fail the run (law 2).
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct Unread {
    /// Path in the repository, or as it was given.
    pub path: BString,
    /// Why, as one short phrase: `lfs object missing`, `changed while it was read`.
    pub reason: String,
}

/// What was looked at (law 9).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LookedAt {
    /// Files whose content was judged.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Records of data.
    pub records: u64,
    /// References to datasets and models.
    pub references: u64,
    /// Commits.
    pub commits: u64,
    /// Files that no reader understands as data, such as images and archives: counted, not judged.
    pub no_reader: u64,
    /// Files that were left out because the policy excludes them.
    pub excluded: u64,
    /// Untracked files that git ignores.
    pub ignored: u64,
    /// Files of data too large to be searched for what is of level info without being asked.
    pub without_info: u64,
}

impl LookedAt {
    /// Adds up, without ever overflowing.
    pub fn add(&mut self, other: &LookedAt) {
        let pairs = [
            (&mut self.files, other.files),
            (&mut self.bytes, other.bytes),
            (&mut self.records, other.records),
            (&mut self.references, other.references),
            (&mut self.commits, other.commits),
            (&mut self.no_reader, other.no_reader),
            (&mut self.excluded, other.excluded),
            (&mut self.ignored, other.ignored),
            (&mut self.without_info, other.without_info),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
    }
}
