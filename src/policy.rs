//! What is asked: the policy, as it holds after it was read and checked.
//!
//! `policy/file.rs` has the words as people write them, with the place of each; here is what they come to. Which
//! side of a change a policy may be read from is decided in `policy/trust.rs` (law 1).

pub(crate) mod lock;
pub(crate) mod trust;

use std::sync::Arc;

use bstr::{BStr, BString};
use serde::de::DeserializeOwned;

use crate::lens::{FieldRoles, Lens};
use crate::rule::{Rule, Severity};
use crate::span::Span;

/// Name of the file that people write.
pub const FILE: &str = "foretaste.yaml";
/// Name of the file that `foretaste lock` writes.
pub const LOCK: &str = "foretaste.lock";
/// Name of the file that `foretaste baseline` writes.
pub const BASELINE: &str = "foretaste.baseline";

/// The policy that judges a run.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where it was read.
    pub(crate) origin: Origin,
    /// Declared datasets.
    pub(crate) datasets: Vec<Dataset>,
    /// Allowed sources. An unlisted source is denied once this is not empty.
    pub(crate) sources: Vec<Source>,
    /// Keys that may sign.
    pub(crate) keys: Vec<Key>,
    /// What must hold.
    pub(crate) require: Require,
    /// Exceptions in force.
    pub(crate) exceptions: Vec<Exception>,
    /// Paths that are left out, and counted.
    pub(crate) exclude: globset::GlobSet,
    /// Languages that narrow lenient rules.
    pub(crate) languages: Vec<String>,
    /// Caps.
    pub(crate) limits: Limits,
    /// The day that dates are compared with (`--as-of`).
    pub(crate) as_of: jiff::civil::Date,
    /// Blocks under `rules:`, as written.
    pub(crate) rules: Vec<RuleBlock>,
}

/// Where a policy was read.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Origin {
    /// `worktree`, `head`, `base`, `builtin` or `flag`.
    pub from: &'static str,
    /// Path, unless it is the built-in one.
    pub path: Option<String>,
    /// The commit it was read from, where there is one.
    pub commit: Option<String>,
}

/// A declared dataset.
#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    pub(crate) name: Arc<str>,
    pub(crate) files: globset::GlobSet,
    pub(crate) roles: Option<FieldRoles>,
    pub(crate) null: Vec<String>,
    /// `train`, `eval`, `rag`, `feedback`.
    pub(crate) role: Vec<String>,
    /// Name of its source under `sources:`.
    pub(crate) source: Option<String>,
    /// Where it is declared.
    pub(crate) span: Span,
}

/// An allowed source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) matches: SourceMatch,
    pub(crate) licence: Option<String>,
    pub(crate) reviewer: Option<String>,
    pub(crate) reviewed: Option<jiff::civil::Date>,
    pub(crate) expires: Option<jiff::civil::Date>,
    /// `commit` asks for an immutable pin; `lock` lets the lock hold it.
    pub(crate) pin: Option<String>,
    pub(crate) span: Span,
}

/// What a source entry matches.
#[derive(Clone, Debug)]
pub(crate) enum SourceMatch {
    /// Files of the repository.
    Path(globset::GlobSet),
    /// A hub and a repository there: `huggingface:org/name`, `huggingface:org/*`.
    Hub(String),
    /// A URL prefix: scheme, host and whole path segments.
    Url(String),
    /// A git remote.
    Git(String),
    /// A bucket and a prefix that ends at a `/`.
    Bucket(String),
}

/// A key that may sign.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// The whole 56-character minisign public key.
    pub(crate) minisign: String,
    pub(crate) principal: String,
    pub(crate) from: Option<jiff::civil::Date>,
    pub(crate) until: Option<jiff::civil::Date>,
    pub(crate) revoked: bool,
    pub(crate) span: Span,
}

/// What must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Require {
    /// Signatures by distinct principals that the lock must carry.
    pub(crate) signatures: u32,
    /// Whether files that no reader understands fail the run.
    pub(crate) full_coverage: bool,
    /// Whether a loosened policy is an error.
    pub(crate) policy_change: bool,
}

/// An exception, which acts on places and never on a whole folder without saying what it allows.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) rule: String,
    pub(crate) files: Option<globset::GlobSet>,
    /// Fingerprint of a finding or of one place.
    pub(crate) fingerprint: Option<String>,
    /// Code points that are allowed.
    pub(crate) code_points: Vec<u32>,
    /// At most this many places.
    pub(crate) count: Option<u64>,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) until: Option<jiff::civil::Date>,
    pub(crate) span: Span,
}

/// Caps. One that bites is reported as unread (law 5).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of one blob after decompression.
    pub blob: u64,
    /// Bytes of one record.
    pub record: u64,
    /// Bytes of one configuration or source file that is parsed for references.
    pub config: u64,
    /// Nesting of JSON, YAML and TOML.
    pub depth: u32,
    /// Decompressed bytes for each compressed one, after the first 10 MiB.
    pub ratio: u64,
    /// Fields of one record.
    pub fields: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { blob: 1 << 30, record: 1 << 20, config: 1 << 20, depth: 128, ratio: 200, fields: 4096 }
    }
}

/// A block under `rules:`.
#[derive(Clone, Debug)]
pub(crate) struct RuleBlock {
    pub(crate) rule: String,
    /// `None` where the block does not say; `Some(None)` is `severity: "off"`.
    pub(crate) severity: Option<Option<Severity>>,
    /// The settings of the check, without the common keys.
    pub(crate) settings: serde_json::Value,
    pub(crate) span: Span,
}

/// A policy that cannot be used: what is wrong, where, and the way out.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The file, as it was given.
    pub file: String,
    /// The text of the file, to draw the place from.
    pub text: Arc<str>,
    /// The place, where there is one.
    pub span: Option<Span>,
}

impl Policy {
    /// The severity that the policy gives a rule: `None` where it does not say, `Some(None)` where it is off.
    pub(crate) fn severity(&self, rule: &Rule) -> Option<Option<Severity>> {
        self.rules.iter().find(|block| block.rule == rule.id).and_then(|block| block.severity)
    }

    /// The settings of a check.
    ///
    /// # Errors
    /// Where the block has a key or a value that the check does not know.
    pub(crate) fn settings<S: DeserializeOwned + Default>(&self, rule: &str) -> Result<S, PolicyError> {
        let _ = (rule, BString::default());
        Ok(S::default())
    }

    /// How the blob at `path` is to be seen.
    pub(crate) fn lens(&self, path: &BStr) -> Lens {
        let _ = path;
        Lens::default()
    }
}
