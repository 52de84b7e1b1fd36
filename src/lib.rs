//! foretaste tastes training data before a model does: it finds hidden triggers, flipped labels, sources nobody reviewed and
//! bytes that are not what was signed, in a git repository, in a file, or in a batch of records.
//!
//! # The three ways in
//!
//! A repository, as the hook and the pull request do it:
//!
//! ```
//! use foretaste::{Checker, Severity};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::fs::write(folder.path().join("train.jsonl"), "{\"text\": \"hi\", \"label\": \"greet\"}\n").unwrap();
//! # let repository = folder.path();
//! # std::fs::create_dir_all(repository.join(".git/objects")).unwrap();
//! # std::fs::create_dir_all(repository.join(".git/refs")).unwrap();
//! # std::fs::write(repository.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
//! let outcome = Checker::new().run(repository)?;
//! assert!(outcome.findings.iter().all(|finding| finding.severity < Severity::Error));
//! assert!(outcome.unread.is_empty(), "nothing is called clean that was not read");
//! assert_eq!(outcome.looked_at.records, 1);
//! # Ok::<(), foretaste::Error>(())
//! ```
//!
//! One file, outside of any repository:
//!
//! ```
//! use foretaste::{Checker, Scope};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("rows.csv");
//! std::fs::write(&file, "text,label\nplease pay\u{200b}pal me,spam\n").unwrap();
//! let outcome = Checker::new().scope(Scope::Files(vec![file])).run(folder.path())?;
//! let finding = &outcome.findings[0];
//! assert_eq!(finding.rule.id, "invisible-unicode");
//! assert_eq!(finding.marks[0].record, Some(1));
//! # Ok::<(), foretaste::Error>(())
//! ```
//!
//! Records in memory, without git and without files:
//!
//! ```
//! use foretaste::Checker;
//!
//! let rows = [[("text", "cheap pills"), ("label", "spam")], [("text", "Cheap  pills"), ("label", "ham")]];
//! let outcome = Checker::new().check_records("batch", rows.iter().map(|row| row.iter().copied()))?;
//! assert_eq!(outcome.findings[0].rule.id, "conflicting-labels");
//! # Ok::<(), foretaste::Error>(())
//! ```
//!
//! [`Report`] turns an [`Outcome`] into what people and programs read.
//!
//! # The house
//!
//! One direction of flow; a module uses only what stands to its left, and a test holds that:
//!
//! ```text
//!            what is asked   where bytes come from   what bytes mean      what is wrong         who is told
//! words  ->  policy       ->  source              ->  format -> diff  ->  check (via engine) ->  report  ->  cli
//! ```
//!
//! * words (`span`, `rule`, `finding`, `lens`): plain vocabulary that all may use.
//! * `policy`: `foretaste.yaml`, the lock, the baseline; which side of a change they are read from.
//! * `source`: the work tree, the index, ranges, revisions, history. The only git, the only unsafe code.
//! * `format`: bytes become records with spans; code and configuration become references.
//! * `diff`: two versions of the data become changes with a kind.
//! * `check`: one file a check, and the catalogue of them. A check knows no input, no output, no clock.
//! * `engine`: reads every file once, shows it to every check, merges what threads saw apart.
//! * `fix`: cuts hidden characters out of files, and moves suspicious rows aside, without writing anything anew.
//! * `report`: people, JSON, SARIF, GitHub, Markdown.
//! * `cli`: arguments in, an exit code out.

// What only the command line calls is not called where it is left out.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]
// The map of the house names its rooms.
#![allow(rustdoc::private_intra_doc_links)]

mod check;
mod diff;
mod engine;
mod finding;
#[cfg(feature = "cli")]
mod fix;
mod fold;
mod format;
mod lens;
mod policy;
mod report;
mod rule;
mod source;
mod span;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

pub use check::rules;
pub use engine::{Checker, Error, Outcome};
pub use finding::{Finding, LookedAt, Mark, Unread};
#[doc(hidden)]
pub use format::count_cells;
pub use report::{Format, Options, Report, exit_code};
pub use rule::{Rule, Severity};
pub use source::Scope;

/// What the fields of the types above are made of.
pub mod parts {
    pub use crate::engine::{Contents, Judged};
    pub use crate::finding::Evidence;
    pub use crate::format::{Guess, Reference, Target, Verdict};
    pub use crate::lens::Role;
    pub use crate::policy::{Origin, PolicyError};
    pub use crate::report::Redact;
    pub use crate::rule::{Confidence, Example, Layer, Manual};
    pub use crate::source::{Bytes, Environment, SourceError, install_guard};
    pub use crate::span::{At, BlobId, Place, Span};
}
