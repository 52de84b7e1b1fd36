//! What is asked: the policy, as it holds after it was read and checked.
//!
//! `policy/file.rs` has the words as people write them, with the place of each; here is what they come to. Which
//! side of a change a policy may be read from is decided in `policy/trust.rs` (law 1).

pub(crate) mod accept;
pub(crate) mod baseline;
pub(crate) mod delivery;
pub(crate) mod evidence;
mod file;
mod glob;
pub(crate) mod init;
pub(crate) mod licence;
pub(crate) mod lock;
pub(crate) mod loosened;
mod node;
pub(crate) mod propose;
pub(crate) mod schema;
pub(crate) mod signature;
mod standing;
pub(crate) mod trust;
mod validate;
pub(crate) mod vendors;
mod words;

use std::sync::Arc;

use bstr::BStr;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use crate::lens::{FieldRoles, Lens};
use crate::policy::node::{Fault, Node, Value};
use crate::policy::words::Named;
use crate::rule::{Rule, Severity};
use crate::span::Span;

/// Name of the file that people write.
pub(crate) const FILE: &str = "foretaste.yaml";
/// Name of the file that `foretaste lock` writes.
pub(crate) const LOCK: &str = "foretaste.lock";
/// Name of the file that `foretaste baseline` writes.
pub(crate) const BASELINE: &str = "foretaste.baseline";

/// The policy that judges a run.
#[derive(Clone)]
pub(crate) struct Policy {
    /// Where it was read.
    pub(crate) origin: Origin,
    /// The file, as it was given; empty for the built-in policy.
    pub(crate) file: String,
    /// Its text, to draw places from.
    pub(crate) text: Arc<str>,
    /// Name of the repository, bound into signatures.
    pub(crate) repo: Option<String>,
    /// Declared datasets.
    pub(crate) datasets: Vec<Dataset>,
    /// Allowed sources. An unlisted source is denied once this is not empty.
    pub(crate) sources: Vec<Source>,
    /// Keys that may sign, of every kind.
    pub(crate) keys: Vec<Key>,
    /// What must hold.
    pub(crate) require: Require,
    /// Exceptions in force.
    pub(crate) exceptions: Vec<Exception>,
    /// Paths that are left out, and counted.
    pub(crate) exclude: globset::GlobSet,
    /// The same as written, with their places.
    pub(crate) excluded: Vec<(String, Span)>,
    /// Languages that narrow lenient rules.
    pub(crate) languages: Vec<String>,
    /// Caps.
    pub(crate) limits: Limits,
    /// People whom rules about people should know.
    pub(crate) people: People,
    /// Firms that deliver data, as the register has them.
    pub(crate) register: Vec<vendors::Vendor>,
    /// The same as written.
    pub(crate) vendors: Named<file::VendorWords>,
    /// Fine-tuning runs.
    pub(crate) runs: Named<file::RunWords>,
    /// The day that dates are compared with (`--as-of`).
    pub(crate) as_of: jiff::civil::Date,
    /// Whether what is usually honest is reported, too (`--show-info`). Not part of the file.
    pub(crate) show_info: bool,
    /// Blocks under `rules:`, as written.
    pub(crate) rules: Vec<RuleBlock>,
    /// Policies of folders, which only raise severities.
    pub(crate) folders: Vec<Folder>,
    /// What a reader of the report should know of the policy, one sentence each.
    pub(crate) notes: Vec<String>,
    /// The whole file with its places; `None` for the built-in policy.
    tree: Option<Arc<Node>>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Compiled globs alone fill pages.
        f.debug_struct("Policy").field("origin", &self.origin).field("as_of", &self.as_of).finish_non_exhaustive()
    }
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
    /// The globs as written.
    pub(crate) patterns: Vec<String>,
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
    /// What it matches, as written.
    pub(crate) written: Vec<String>,
    /// `dataset` or `model`; both where it does not say.
    pub(crate) kind: Option<&'static str>,
    pub(crate) licence: Option<String>,
    pub(crate) reviewer: Option<String>,
    pub(crate) reviewed: Option<jiff::civil::Date>,
    pub(crate) expires: Option<jiff::civil::Date>,
    /// `commit` asks for an immutable pin; `lock` lets the lock hold it.
    pub(crate) pin: Option<String>,
    /// `first-party`, `third-party`, `vendor`, `untrusted`.
    pub(crate) trust: Option<&'static str>,
    /// What stands behind it.
    pub(crate) evidence: evidence::Evidence,
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// The whole 56-character minisign public key.
    pub(crate) minisign: String,
    /// An SSH public key in place of it.
    pub(crate) ssh: Option<String>,
    /// A P-256 public key in place of both, which signs models.
    pub(crate) ecdsa: Option<String>,
    pub(crate) principal: String,
    /// What its signatures count for.
    pub(crate) roles: Vec<String>,
    pub(crate) from: Option<jiff::civil::Date>,
    pub(crate) until: Option<jiff::civil::Date>,
    pub(crate) revoked: bool,
    /// Day of the revocation, where the policy says it.
    pub(crate) revoked_at: Option<jiff::civil::Date>,
    /// Whether the signatures from before its revocation are void too.
    pub(crate) earlier_untrusted: bool,
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
    /// Signatures that a change of the policy needs.
    pub(crate) policy_change_signatures: u32,
    /// Roles of which their keys must have one; any where it is empty.
    pub(crate) policy_change_roles: Vec<String>,
    /// When signatures are asked for; always where it is empty.
    pub(crate) signed_at: Vec<lock::Moment>,
    /// Folders of models that must carry a model signature by one of the keys.
    pub(crate) models: Vec<String>,
    /// Whether commits that change data, policy or lock must be signed.
    pub(crate) signed_commits: bool,
    /// Whether the author of a change does not count among the signers.
    pub(crate) exclude_author: bool,
    /// Roles of which the signers' keys must have one; any where it is empty.
    pub(crate) roles: Vec<String>,
    /// Age in days at which a signature no longer counts.
    pub(crate) max_age_days: Option<u32>,
}

impl Require {
    /// Signatures of the lock that are asked for at this moment.
    pub(crate) fn signatures_at(&self, moment: lock::Moment) -> u32 {
        if self.is_asked_at(moment) { self.signatures } else { 0 }
    }

    /// Whether models have to be signed at this moment.
    pub(crate) fn models_at(&self, moment: lock::Moment) -> bool {
        !self.models.is_empty() && self.is_asked_at(moment)
    }

    fn is_asked_at(&self, moment: lock::Moment) -> bool {
        self.signed_at.is_empty() || self.signed_at.contains(&moment)
    }
}

/// People whom rules about people should know.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct People {
    /// Mail addresses of automation.
    pub(crate) bots: Vec<String>,
    /// Mail addresses of people who are no newcomers.
    pub(crate) maintainers: Vec<String>,
}

/// An exception, which acts on places and never on a whole folder without saying what it allows.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) rule: String,
    pub(crate) files: Option<globset::GlobSet>,
    /// The globs as written.
    pub(crate) patterns: Vec<String>,
    /// Fingerprints of findings or of single places.
    pub(crate) fingerprints: Vec<String>,
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
pub(crate) struct Limits {
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
    /// What is written under it.
    node: Node,
}

impl RuleBlock {
    /// A block that says a severity and nothing else.
    fn severity_alone(rule: &str, severity: Option<Severity>) -> Self {
        let node = Node { span: Span::default(), value: Value::Null };
        Self { rule: rule.to_owned(), severity: Some(severity), node }
    }
}

/// What the policy of a folder raises.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Folder {
    /// Path with its last `/`.
    pub(crate) path: bstr::BString,
    /// Rules and their severities.
    pub(crate) severities: Vec<(String, Severity)>,
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

/// What the policy needs to know of a rule. The checks stand to its right, so they hand it in.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Known {
    /// The rule.
    pub(crate) rule: &'static Rule,
    /// Id of the rule under which the settings of its check are written.
    pub(crate) settings: &'static str,
}

/// Keys that every block under `rules:` may have, besides the settings of its check.
const COMMON: [&str; 1] = ["severity"];

impl Policy {
    /// Reads and checks a policy. `file` is how the file is called in what is said of it, `as_of` the day of the run.
    ///
    /// # Errors
    /// Where anything in it is not understood. Nothing is ever ignored.
    pub(crate) fn parse(file: &str, text: &str, as_of: Date, known: &[Known]) -> Result<Policy, PolicyError> {
        let text: Arc<str> = text.into();
        validate::policy(file, &text, as_of, known).map_err(|fault| PolicyError::from_fault(fault, file, &text))
    }

    /// The policy that holds where there is no file: whatever is recognised is read, every rule has its own severity,
    /// and nothing is allowed, excused or required.
    pub(crate) fn builtin(as_of: Date) -> Policy {
        Policy {
            origin: Origin { from: "builtin", path: None, commit: None },
            file: String::new(),
            text: "".into(),
            repo: None,
            datasets: Vec::new(),
            sources: Vec::new(),
            keys: Vec::new(),
            require: Require::default(),
            exceptions: Vec::new(),
            exclude: globset::GlobSet::empty(),
            excluded: Vec::new(),
            languages: Vec::new(),
            limits: Limits::default(),
            people: People::default(),
            register: Vec::new(),
            vendors: Named::default(),
            runs: Named::default(),
            as_of,
            show_info: false,
            rules: Vec::new(),
            folders: Vec::new(),
            notes: Vec::new(),
            tree: None,
        }
    }

    /// The severity that the policy gives a rule: `None` where it does not say, `Some(None)` where it is off.
    pub(crate) fn severity(&self, rule: &Rule) -> Option<Option<Severity>> {
        self.block(rule.id).and_then(|block| block.severity)
    }

    /// Whether what a rule finds of the level info is shown: the run asks for it, or the settings of the rule do.
    pub(crate) fn shows_info(&self, rule: &Rule) -> bool {
        let asks = |block: &RuleBlock| {
            let is_yes = |value: &Value| matches!(value, Value::Scalar { text, plain: true } if text == "true");
            block.node.entries().iter().any(|entry| entry.key == "show_info" && is_yes(&entry.node.value))
        };
        self.show_info || self.block(rule.id).is_some_and(asks)
    }

    /// The settings of a check.
    ///
    /// # Errors
    /// Where the block has a key or a value that the check does not know.
    pub(crate) fn settings<S: DeserializeOwned + Default>(&self, rule: &str) -> Result<S, PolicyError> {
        let Some(block) = self.block(rule) else { return Ok(S::default()) };
        let own: Vec<_> =
            block.node.entries().iter().filter(|entry| !COMMON.contains(&entry.key.as_str())).cloned().collect();
        if own.is_empty() {
            return Ok(S::default());
        }
        let node = Node { span: block.node.span, value: Value::Map { entries: own, flow: false } };
        words::read(&node).map_err(|fault| PolicyError::from_fault(fault, &self.file, &self.text))
    }

    /// How the blob at `path` is to be seen.
    pub(crate) fn lens(&self, path: &BStr) -> Lens {
        let dataset = self.datasets.iter().find(|dataset| glob::matches(&dataset.files, path));
        Lens {
            dataset: dataset.map(|dataset| Arc::clone(&dataset.name)),
            roles: dataset.and_then(|dataset| dataset.roles.clone()),
            null: dataset.map_or_else(|| vec![String::new()], |dataset| dataset.null.clone()),
            standing: standing::standing(path, dataset.is_some()),
            split: standing::split(path),
            retrieval: dataset.is_some_and(|dataset| dataset.role.iter().any(|role| role == "rag")),
        }
    }

    /// Name of the source that a file of the repository belongs to: that of its dataset, else the first that covers its
    /// path.
    pub(crate) fn source_of(&self, path: &BStr) -> Option<String> {
        let dataset = self.datasets.iter().find(|dataset| glob::matches(&dataset.files, path));
        let covers = |source: &&Source| match &source.matches {
            SourceMatch::Path(globs) => glob::matches(globs, path),
            _ => false,
        };
        let own = dataset.and_then(|dataset| dataset.source.clone());
        own.or_else(|| self.sources.iter().find(covers).map(|source| source.name.clone()))
    }

    /// Whether `path` is left out.
    pub(crate) fn excludes(&self, path: &BStr) -> bool {
        glob::matches(&self.exclude, path)
    }

    /// Where something is written, by the keys that lead to it: the nearest of them that is there.
    pub(crate) fn place(&self, keys: &[&str]) -> Option<Span> {
        let mut node = self.tree.as_deref()?;
        let mut place = None;
        for key in keys {
            let Some(entry) = node.get(key) else { break };
            place = Some(entry.at);
            node = &entry.node;
        }
        place
    }

    /// The severity that the policy of a folder above `path` asks for, where one does: the strictest of them.
    pub(crate) fn folder_severity(&self, rule: &str, path: &BStr) -> Option<Severity> {
        let above = self.folders.iter().filter(|folder| path.starts_with(&folder.path));
        above.flat_map(|folder| &folder.severities).filter(|(id, _)| id == rule).map(|(_, severity)| *severity).max()
    }

    /// Keys in use that permit something or judge differently; for policies that may do neither.
    fn permits(&self) -> Vec<&'static str> {
        let settings = |block: &RuleBlock| block.node.entries().iter().any(|e| !COMMON.contains(&e.key.as_str()));
        [
            ("`datasets`", !self.datasets.is_empty()),
            ("`sources`", !self.sources.is_empty()),
            ("`keys`", !self.keys.is_empty()),
            ("`require`", self.place(&["require"]).is_some()),
            ("`rules` with settings", self.rules.iter().any(settings)),
            ("`rules` with \"off\"", self.rules.iter().any(|block| block.severity == Some(None))),
            ("`exceptions`", !self.exceptions.is_empty()),
            ("`exclude`", !self.excluded.is_empty()),
            ("`people`", self.people != People::default()),
            ("`languages`", !self.languages.is_empty()),
            ("`limits`", self.limits != Limits::default()),
            ("`vendors`", !self.vendors.0.is_empty()),
            ("`runs`", !self.runs.0.is_empty()),
        ]
        .into_iter()
        .filter_map(|(name, used)| used.then_some(name))
        .collect()
    }

    fn block(&self, rule: &str) -> Option<&RuleBlock> {
        self.rules.iter().find(|block| block.rule == rule)
    }
}

impl PolicyError {
    fn from_fault(fault: Fault, file: &str, text: &Arc<str>) -> Self {
        Self {
            message: fault.message,
            help: fault.help,
            file: file.to_owned(),
            text: Arc::clone(text),
            span: fault.span,
        }
    }
}

#[cfg(test)]
mod tests;
