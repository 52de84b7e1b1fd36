//! The side of a change that may be believed, and what of a repository is not what it seems.

use bstr::{BString, ByteSlice};

use super::repository::Repository;
use super::{ObjectId, Scope, SourceError};

/// Where a policy may be read for a scope (law 1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trusted {
    /// `worktree`, `head` or `base`.
    pub from: &'static str,
    /// The commit, or tree; `None` for the work tree, and before the first commit.
    pub commit: Option<ObjectId>,
}

/// What an upstream calls its default branch, if it does not say.
const DEFAULT_BRANCHES: [&str; 3] =
    ["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master"];

impl Repository {
    /// The trusted side of a scope: of a range its base, of what is staged the merge base with the upstream default
    /// branch or else HEAD, of the work tree the work tree, of a revision that revision.
    ///
    /// # Errors
    /// A revision that names nothing, or a damaged HEAD.
    pub(crate) fn trusted(&self, scope: &Scope) -> Result<Trusted, SourceError> {
        Ok(match scope {
            Scope::Worktree | Scope::Files(_) => Trusted { from: "worktree", commit: None },
            Scope::Range { base, .. } => Trusted { from: "base", commit: Some(self.resolve(base)?) },
            // A revision answers for itself: there is no other side.
            Scope::Revision(revision) => Trusted { from: "head", commit: Some(self.resolve(revision)?) },
            Scope::Staged | Scope::Index => {
                let head = self.head()?;
                // Where the two have several merge bases or none, CI will refuse the change; here HEAD must do.
                let upstream = head.zip(self.upstream()).map(|(head, upstream)| self.merge_bases(upstream, head).best);
                match upstream.as_deref() {
                    Some([one]) => Trusted { from: "base", commit: Some(*one) },
                    _ => Trusted { from: "head", commit: head },
                }
            }
        })
    }

    /// Whether a name is that of a tag.
    pub(crate) fn is_tag(&self, name: &str) -> bool {
        let name = name.strip_prefix("refs/tags/").unwrap_or(name);
        self.with(|git| git.try_find_reference(&format!("refs/tags/{name}")).ok().flatten().is_some())
    }

    /// Name of the branch that changes go to: the upstream's default branch, else the one that is checked out.
    pub(crate) fn default_branch(&self) -> Option<String> {
        self.with(|git| {
            let upstream = git.try_find_reference(DEFAULT_BRANCHES[0]).ok().flatten();
            let target =
                upstream.and_then(|reference| reference.target().try_name().map(|name| name.as_bstr().to_owned()));
            let upstream = target.and_then(|name| name.strip_prefix(b"refs/remotes/origin/").map(BString::from));
            let own = || git.head_name().ok().flatten().map(|name| name.shorten().to_owned());
            upstream.or_else(own).map(|name| name.to_string())
        })
    }

    /// The commit of the upstream default branch, as it was last fetched.
    fn upstream(&self) -> Option<ObjectId> {
        self.with(|git| {
            DEFAULT_BRANCHES.iter().find_map(|name| {
                let mut reference = git.try_find_reference(*name).ok().flatten()?;
                reference.peel_to_id().ok().map(gix::Id::detach)
            })
        })
    }

    /// What a reader should know of this repository, one sentence each: that it is shallow or partial, that its owner
    /// can see other objects or files than those that were committed.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let replaced = self.with(|git| {
            let references = git.references().ok()?;
            let replaced = references.prefixed(b"refs/replace/".as_bstr()).ok()?;
            Some(replaced.filter_map(Result::ok).count())
        });
        if let Some(count @ 1..) = replaced {
            notes.push(format!("{count} replace ref(s) would show git other objects; what was committed is judged"));
        }
        let lines = |file: &str| {
            let bytes = std::fs::read(self.common_dir.join(file)).unwrap_or_default();
            bytes.lines().filter(|line| !line.is_empty() && line[0] != b'#').map(BString::from).collect::<Vec<_>>()
        };
        let grafts = lines("info/grafts").len();
        if grafts > 0 {
            notes.push(format!(
                "info/grafts would show git other parents for {grafts} commit(s); the true ones are used"
            ));
        }
        let shallow = lines("shallow").len();
        if shallow > 0 {
            notes.push(format!("this clone is shallow: its history ends at {shallow} commit(s)"));
        }
        for borrowed in lines("objects/info/alternates") {
            notes.push(format!("objects are borrowed from {borrowed}"));
        }
        let partial = self.with(|git| git.config_snapshot().string("extensions.partialClone").is_some());
        if partial {
            notes.push("this is a partial clone: missing objects are reported, not fetched".to_owned());
        }
        if let Some(hidden @ 1..) = self.hidden() {
            notes.push(format!("git was told not to look at {hidden} tracked file(s); they are judged all the same"));
        }
        notes
    }
}
