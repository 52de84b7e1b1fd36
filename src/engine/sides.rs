//! The two sides of a run: which policy judges, and foretaste's own files on either side.

use bstr::BString;

use super::gather::Run;
use super::{Error, PolicyChoice, folders};
use crate::check;
use crate::policy;
use crate::policy::trust::{self, Judgement};
use crate::source::{Scope, Snapshot, SourceError, Trusted};

/// Paths of policies of folders, and their texts.
type Folders = Vec<(BString, String)>;

/// Bytes of a policy, a lock or a baseline.
const MAX_OWN_FILE: u64 = 64 << 20;

impl Run<'_> {
    /// The policy in force, by law 1. The policies of folders are those over what `snapshot` lists.
    pub(super) fn judgement(&self, snapshot: &Snapshot) -> Result<Judgement, Error> {
        let known = check::known();
        let side = self.trusted_side()?;
        let is_worktree = side.from == "worktree";
        let own = |name: &str| self.own_text(name, &side);
        let (policy, baseline) = (own(policy::FILE)?, own(policy::BASELINE)?);
        let baseline = if self.checker.everything { None } else { baseline };
        // The work tree and a single revision answer for themselves: there is no other side.
        let judged = match (&self.scope, &self.checker.policy) {
            (Scope::Staged | Scope::Index | Scope::Range { .. }, _) | (_, PolicyChoice::Head) => {
                Some((self.judged_text(policy::FILE)?, self.judged_text(policy::BASELINE)?))
            }
            _ => None,
        };
        let head = match (is_worktree, self.reader.repository()) {
            (true, Some(repository)) => {
                let head = Trusted { from: "head", commit: repository.head()? };
                head.commit.is_some().then(|| self.own_text(policy::FILE, &head)).transpose()?
            }
            _ => None,
        };
        let (folders, judged_folders) = self.folders(&side, snapshot, judged.is_some())?;
        fn lent(folders: &[(BString, String)]) -> Vec<(BString, &str)> {
            folders.iter().map(|(path, text)| (path.clone(), text.as_str())).collect()
        }
        let sides = trust::Sides {
            from: match side.from {
                "worktree" => trust::Trusted::Worktree,
                "base" => trust::Trusted::Base,
                _ => trust::Trusted::Head,
            },
            trusted: trust::Side {
                policy: policy.as_deref(),
                baseline: baseline.as_deref(),
                folders: lent(&folders),
                commit: side.commit.map(|id| id.to_string()),
            },
            judged: judged.as_ref().map(|(policy, baseline)| trust::Side {
                policy: policy.as_deref(),
                baseline: baseline.as_deref(),
                folders: lent(&judged_folders),
                commit: None,
            }),
            head: head.as_ref().map(|text| text.as_deref()),
            flag: match &self.checker.policy {
                PolicyChoice::Flag { name, text } => Some((name, text)),
                _ => None,
            },
        };
        Ok(trust::judge(&sides, self.checker.as_of, &known)?)
    }

    /// The policies of folders over what is in scope: of the trusted side, and of the judged one where there is another.
    fn folders(&self, side: &Trusted, snapshot: &Snapshot, both: bool) -> Result<(Folders, Folders), Error> {
        let Some(repository) = self.reader.repository() else { return Ok(Default::default()) };
        let paths = folders::candidates(&snapshot.entries);
        let is_whole = self.checker.paths.is_empty();
        let trusted = folders::trusted(repository, side, &self.scope, snapshot, is_whole, &paths)?;
        let judged = if both { folders::judged(repository, &self.scope, &paths)? } else { Vec::new() };
        Ok((trusted, judged))
    }

    /// A file of foretaste's own on the trusted side.
    pub(super) fn own(&self, name: &str, side: &Trusted) -> Result<Option<Vec<u8>>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(None) };
        let bytes = match side.commit {
            Some(commit) => repository.read_at(commit, name.into(), MAX_OWN_FILE),
            None if side.from == "worktree" => repository.read_judged(&Scope::Worktree, name.into(), MAX_OWN_FILE),
            // Before the first commit there is no trusted side.
            None => Ok(None),
        };
        Ok(bytes.map_err(|reason| unusable(name, &reason))?.map(|bytes| bytes.to_vec()))
    }

    fn own_text(&self, name: &str, side: &Trusted) -> Result<Option<String>, Error> {
        self.own(name, side)?.map(|bytes| utf8(name, bytes)).transpose()
    }

    /// A file of foretaste's own on the judged side.
    pub(super) fn judged(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(repository) = self.reader.repository() else { return Ok(None) };
        let bytes = repository.read_judged(&self.scope, name.into(), MAX_OWN_FILE);
        Ok(bytes.map_err(|reason| unusable(name, &reason))?.map(|bytes| bytes.to_vec()))
    }

    fn judged_text(&self, name: &str) -> Result<Option<String>, Error> {
        self.judged(name)?.map(|bytes| utf8(name, bytes)).transpose()
    }

    pub(super) fn trusted_side(&self) -> Result<Trusted, Error> {
        let worktree = Trusted { from: "worktree", commit: None };
        Ok(match (&self.checker.policy, self.reader.repository()) {
            (_, None) | (PolicyChoice::Worktree, _) => worktree,
            (PolicyChoice::Head, Some(repository)) => Trusted { from: "head", commit: repository.head()? },
            (_, Some(repository)) => repository.trusted(&self.scope)?,
        })
    }
}

fn unusable(name: &str, reason: &str) -> SourceError {
    SourceError::new(format!("{name} cannot be read: {reason}; mend the file, or fetch what is missing"))
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| unusable(name, "it is not UTF-8").into())
}
