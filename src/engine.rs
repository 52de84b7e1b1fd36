//! Fan out, merge, finish: runs the checks over what is in scope.
//!
//! Every file is read once. While its records pass by, every check looks at them and the differ indexes them; threads
//! work apart and their states are merged, so that the number of threads never shows (law 4).

mod again;
pub(crate) mod audit;
pub(crate) mod blame;
mod blobs;
#[cfg(feature = "cli")]
pub(crate) mod bom;
mod budget;
mod commits;
mod deliveries;
mod folders;
mod gather;
#[cfg(feature = "cli")]
pub(crate) mod inventory;
mod listed;
mod measure;
mod memory;
mod models;
mod names;
mod origin;
mod outside;
mod own;
mod publisher;
mod scan;
mod sides;
mod weigh;

use std::path::PathBuf;
use std::sync::Arc;

use bstr::BString;
use jiff::civil::Date;

use crate::diff::Summary;
use crate::finding::{Finding, LookedAt, Unread};
use crate::format::{Feeds, Guess, Reference};
use crate::policy::{Origin, PolicyError};
use crate::source::{Bytes, Content, Environment, Scope, SourceError};
use crate::span::BlobId;
pub(crate) use listed::Listed;
pub(crate) use measure::Measures;
pub(crate) use outside::hashed as hashed_outside;
pub(crate) use scan::Hashing;
use scan::{Measure, Reader};

/// What is to be checked, and how.
///
/// ```no_run
/// use foretaste::{Checker, Scope};
///
/// let outcome = Checker::new().scope(Scope::Staged).run(".")?;
/// for finding in &outcome.findings {
///     println!("{} {}", finding.rule.id, finding.message);
/// }
/// # Ok::<(), foretaste::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checker {
    scope: Scope,
    paths: Vec<PathBuf>,
    policy: PolicyChoice,
    as_of: Date,
    environment: Environment,
    everything: bool,
    people: bool,
    measures: bool,
    only: &'static [&'static str],
    show_info: bool,
    cache: Option<PathBuf>,
    moment: Option<crate::policy::lock::Moment>,
    hashing: Option<Hashing>,
    /// Folders outside of the repository, by the names that the lock gives them.
    outside: Vec<(String, PathBuf)>,
}

/// Which policy judges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum PolicyChoice {
    /// The one of the trusted side (law 1).
    #[default]
    Trusted,
    /// HEAD's.
    Head,
    /// The work tree's, as a preview of what it would say once it has landed.
    Worktree,
    /// This text, from a file that the user named.
    Flag { name: String, text: String },
}

impl Default for Checker {
    fn default() -> Self {
        Self {
            scope: Scope::Worktree,
            paths: Vec::new(),
            policy: PolicyChoice::Trusted,
            as_of: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
            environment: Environment::default(),
            everything: false,
            people: true,
            measures: false,
            only: &[],
            show_info: false,
            cache: None,
            moment: None,
            hashing: None,
            outside: Vec::new(),
        }
    }
}

impl Checker {
    /// A checker of the work tree, with the policy of the trusted side, on today's date in UTC. What the environment
    /// says of git is not heeded unless [`Checker::environment`] asks for it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges this scope.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Judges only these files and folders, relative to the folder of the run.
    #[must_use]
    pub fn paths(mut self, paths: &[PathBuf]) -> Self {
        self.paths = paths.to_vec();
        self
    }

    /// Judges by this policy. `name` is how it is called in what is said of it.
    #[must_use]
    pub fn policy(mut self, name: &str, text: &str) -> Self {
        self.policy = PolicyChoice::Flag { name: name.to_owned(), text: text.to_owned() };
        self
    }

    /// Judges by the policy in the work tree, as a preview.
    #[must_use]
    pub fn policy_from_worktree(mut self) -> Self {
        self.policy = PolicyChoice::Worktree;
        self
    }

    pub(crate) fn policy_from_head(mut self) -> Self {
        self.policy = PolicyChoice::Head;
        self
    }

    /// Compares the dates in the policy with this day.
    #[must_use]
    pub fn as_of(mut self, day: Date) -> Self {
        self.as_of = day;
        self
    }

    /// Heeds these variables of git, as a hook must.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Whether rules about people run. They do not speak to contributors in their own hook (law 8).
    #[must_use]
    pub fn people(mut self, people: bool) -> Self {
        self.people = people;
        self
    }

    /// Whether rules also report what is harmless alone and usually honest.
    #[must_use]
    pub fn show_info(mut self, show: bool) -> Self {
        self.show_info = show;
        self
    }

    /// Runs these rules alone.
    pub(crate) fn only(mut self, rules: &'static [&'static str]) -> Self {
        self.only = rules;
        self
    }

    /// Says what the run is for: signatures may be asked for only then.
    pub(crate) fn moment(mut self, moment: crate::policy::lock::Moment) -> Self {
        self.moment = Some(moment);
        self
    }

    /// Compares files with the lock and asks nothing else of them.
    pub(crate) fn hashing(mut self, blake3_only: bool) -> Self {
        self.hashing = Some(if blake3_only { Hashing::Blake3 } else { Hashing::Sha256 });
        self
    }

    /// Looks at these folders, too, which the lock knows by these names.
    pub(crate) fn outside(mut self, folders: &[(String, PathBuf)]) -> Self {
        self.outside = folders.to_vec();
        self
    }

    /// Leaves the baseline out and cuts no list of places, to see everything that may be accepted.
    pub(crate) fn everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// Counts the records of every file, for [`Outcome::records_of`].
    pub(crate) fn recording(mut self) -> Self {
        self.measures = true;
        self
    }

    /// Keeps what an audit has read in this folder, the cache folder of the user. What lies there already is believed only
    /// where it is authentic; it never shows in what is said.
    pub(crate) fn cache(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    fn wants(&self, rule: &str) -> bool {
        self.only.is_empty() || self.only.contains(&rule)
    }
}

/// Hears how far a run has come. Called from several threads.
pub(crate) trait Progress: Sync {
    /// So many files will be looked at.
    fn total(&self, files: u64);
    /// One more is done.
    fn done(&self);
    /// All are done.
    fn finish(&self);
}

/// Nobody listens.
pub(crate) struct Silent;

impl Progress for Silent {
    fn total(&self, _: u64) {}
    fn done(&self) {}
    fn finish(&self) {}
}

/// Why a run could not start. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for is not there, or the repository cannot be opened.
    #[error("{}", .0.in_full())]
    Source(#[from] SourceError),
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A folder is no git repository, and the scope needs one.
    #[error("{0} is not inside a git repository; name plain files to look at them without one")]
    NoRepository(String),
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong: errors first, then by rule, path and place.
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
    /// Findings of the level info, which were counted and not asked for ([`Checker::show_info`]).
    pub not_shown: u64,
    /// Whether files without a reader fail the run (`require: {coverage: full}`).
    pub full_coverage: bool,
    /// The references that were found, with the blob each stands in.
    pub references: Vec<(BlobId, Reference)>,
    /// What dataset cards and Croissant files say of the data beside them, with the blob each stands in.
    pub(crate) cards: Vec<(BlobId, crate::format::cards::Card)>,
    pub(crate) summary: Summary,
    /// Sources that the changed lines name, sorted.
    pub(crate) named: Vec<String>,
    measures: Vec<Measure>,
    /// What an audit says beside its findings.
    pub(crate) audit: Option<audit::Audit>,
    reader: Reader,
}

impl Outcome {
    /// Records of one file, where they were counted.
    pub(crate) fn records_of(&self, blob: BlobId) -> Option<u64> {
        let at = self.measures.binary_search_by_key(&blob, |measure| measure.blob).ok()?;
        self.measures[at].records
    }
}

/// A blob that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its path.
    pub path: BString,
    /// Where its bytes are.
    content: Option<Content>,
    /// Bytes that were handed over, or resolved from an LFS pointer.
    held: Option<Arc<[u8]>>,
    /// Line feeds on the way through a long text, as they were counted while it was read.
    feeds: Vec<Feeds>,
}

impl Judged {
    /// Line feeds before some offsets of its bytes, in ascending order; none where it is short or is no plain text.
    pub(crate) fn feeds(&self) -> &[Feeds] {
        &self.feeds
    }
}

/// Gives the bytes of judged blobs again, so that places can be turned into lines and excerpts.
pub trait Contents {
    /// The raw bytes of a blob; `None` where they are gone.
    fn bytes(&self, blob: BlobId) -> Option<Bytes>;
}

impl Contents for Outcome {
    fn bytes(&self, blob: BlobId) -> Option<Bytes> {
        let judged = self.blobs.get(blob.0 as usize)?;
        match (&judged.held, &judged.content) {
            (Some(held), _) => Some(Bytes::from(held.to_vec())),
            // Places of an audit lie in many versions of few files.
            (None, Some(Content::Object(id))) if self.audit.is_some() => {
                self.reader.repository()?.version(*id, u64::MAX).ok()
            }
            (None, Some(content)) => self.reader.read(content, u64::MAX).ok(),
            (None, None) => None,
        }
    }
}
