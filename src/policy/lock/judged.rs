//! The lock as the checks see it: beside what it was compared with, and who signed it.

use bstr::BString;

use super::{Labels, Lock, LockError};
use crate::policy::Policy;
use crate::span::BlobId;

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
    /// Files of folders outside of the repository, as they are now, under the names of their folders.
    pub(crate) outside: &'a [Compared],
    /// Folders outside of the repository that were looked at.
    pub(crate) folders: &'a [String],
    /// Whether everything in the lock was in scope, so that what is not among `files` is missing.
    pub(crate) complete: bool,
    /// Signature files beside the lock.
    pub(crate) signatures: &'a [SignatureFile],
    /// Whether keys and thresholds are in force: the trusted side has a policy (law 1, adoption).
    pub(crate) enforced: bool,
    /// The receipts of the runs that the policy names.
    pub(crate) receipts: &'a [Receipt],
    /// What the run is for: the policy may ask for signatures only then.
    pub(crate) moment: Moment,
    /// Mail addresses of those who wrote what is judged, where the policy leaves them out.
    pub(crate) authors: &'a [String],
    /// Whether the judged lock is the trusted one, byte for byte.
    pub(crate) same: bool,
    /// SHA-256 of the judged `foretaste.yaml`, where there is one.
    pub(crate) policy: Option<[u8; 32]>,
    /// The policy that the change proposes, where it changes it.
    pub(crate) proposed: Option<&'a Policy>,
}

/// What there is of the receipt of a run.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    /// Name of the run in the policy.
    pub(crate) run: String,
    /// The receipt; `None` where there is none.
    pub(crate) file: Option<SignatureFile>,
    pub(crate) signatures: Vec<SignatureFile>,
}

/// When signatures may be asked for.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) enum Moment {
    /// A change: the work tree, what is staged, a range.
    Change,
    /// What has been merged: a revision, or `verify`.
    Merge,
    /// A tag.
    Tag,
    /// A fine-tuning run that is about to begin.
    Run,
}

impl Moment {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Moment::Change => "change",
            Moment::Merge => "merge",
            Moment::Tag => "tag",
            Moment::Run => "run",
        }
    }
}

/// A judged file, as the lock would record it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) path: BString,
    pub(crate) blob: BlobId,
    /// `None` for a file that the change removed.
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) size: u64,
    pub(crate) records: Option<u64>,
    /// Whether the policy declares it to be part of a dataset, so that it has to be in the lock.
    pub(crate) declared: bool,
    /// How many records have which label, where they were counted.
    pub(crate) labels: Option<Labels>,
    /// SHA-256 of what it was on the other side of the change, where the file is not what the lock says.
    pub(crate) before: Option<[u8; 32]>,
    /// Whether nothing but its line ends differs from what the lock says.
    pub(crate) line_ends: bool,
}

/// A signature file beside the lock.
#[derive(Clone, Debug)]
pub(crate) struct SignatureFile {
    pub(crate) blob: BlobId,
    pub(crate) path: BString,
    pub(crate) bytes: Vec<u8>,
    /// Whether the trusted side has the same file.
    pub(crate) standing: bool,
}
