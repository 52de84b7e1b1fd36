//! Fan out, merge, finish: runs the checks over what is in scope.

use bstr::BString;

use crate::finding::{Finding, LookedAt, Unread};
use crate::format::Guess;
use crate::policy::Origin;
use crate::source::{Bytes, Content};
use crate::span::BlobId;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong: sorted by severity (errors first), then rule, path and place.
    pub findings: Vec<Finding>,
    /// What could not be read, sorted by path.
    pub unread: Vec<Unread>,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// The policy that judged.
    pub policy: Origin,
    /// What was judged, in words: `what is staged, against HEAD 1a2b3c4`.
    pub scope: String,
    /// Paths and contents by [`BlobId`].
    pub blobs: Vec<Judged>,
    /// What was guessed of the fields of data files.
    pub guesses: Vec<(BlobId, Guess)>,
    /// What a reader should know of the run itself, one sentence each.
    pub notes: Vec<String>,
    /// Places that the baseline or an exception accepts.
    pub accepted: u64,
    /// Whether files without a reader fail the run (`require: {coverage: full}`).
    pub full_coverage: bool,
}

/// A blob that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its path.
    pub path: BString,
    /// Where its bytes are.
    pub content: Content,
}

/// Gives the bytes of judged blobs again, so that places can be turned into lines and excerpts.
pub trait Contents {
    /// The raw bytes of a blob; `None` where they are gone.
    fn bytes(&self, blob: BlobId) -> Option<Bytes>;
}
