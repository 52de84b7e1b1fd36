//! Signatures of commits and tags: which of those that are judged do not count.

use bstr::{BStr, ByteSlice};

use super::gather::Run;
use super::own::{Sides, concerns};
use crate::finding::Unread;
use crate::policy::signature::commit::{Anchors, Kind, Unsealed, asks};
use crate::policy::{self, Policy};
use crate::source::{Commit, History, ObjectId, Scope, Snapshot, Tag};
use crate::span::BlobId;

/// Gives the blob that stands for a path.
type Place<'a> = dyn FnMut(&BStr) -> BlobId + 'a;

impl Run<'_> {
    /// The commits of what is judged that touch data, policy or lock, and the tag that is judged, where their
    /// signatures do not count. Of a range, and of a merge that is about to be committed, all that it brings, judged
    /// today; of anything that has landed, all since the policy asks for signed commits. And what could not be read.
    pub(super) fn unsealed(
        &self,
        policy: &Policy,
        snapshot: &Snapshot,
        lock: &Sides,
        place: &mut Place<'_>,
    ) -> (Vec<Unsealed>, Vec<Unread>) {
        let (Some(repository), Some(anchors)) = (self.reader.repository(), Anchors::of(policy)) else {
            return Default::default();
        };
        let mut list = Vec::new();
        if let Scope::Revision(name) = &self.scope {
            list.extend(repository.tag(name).and_then(|tag| of_tag(&tag, &anchors, place)));
        }
        let counts = |path: &BStr| concerns(policy, lock, path);
        let brought = |before, after| repository.people(before, after, &counts, Some(&anchors), 0);
        let landed = |tip: ObjectId| repository.since(tip, policy::FILE.into(), &asks, &counts, &anchors);
        let head = || repository.head().ok().flatten();
        let histories: Vec<History> = match &self.scope {
            Scope::Range { .. } => snapshot.after.map(|after| brought(snapshot.before, after)).into_iter().collect(),
            Scope::Staged => repository.merging().into_iter().map(|tip| brought(head(), tip)).collect(),
            Scope::Revision(_) if anchors.required => snapshot.after.map(landed).into_iter().collect(),
            // `verify`: what is about to be trained on came by these commits.
            Scope::Worktree if anchors.required && self.checker.moment.is_some() => {
                head().map(landed).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let mut unread = Vec::new();
        for history in histories {
            unread.extend(history.unread);
            list.extend(history.judged.iter().filter_map(|commit| of_commit(commit, anchors.required, place)));
        }
        (list, unread)
    }
}

impl Run<'_> {
    /// The annotated tags whose signatures do not count. One of a version from before the policy asked for signatures
    /// is told only where it is broken.
    pub(super) fn unsealed_tags(&self, policy: &Policy, place: &mut Place<'_>) -> Vec<Unsealed> {
        let (Some(repository), Some(anchors)) = (self.reader.repository(), Anchors::of(policy)) else {
            return Vec::new();
        };
        let tags = repository.tags(policy::FILE.into(), &asks);
        tags.iter().filter_map(|tag| of_tag(tag, &anchors, place)).collect()
    }
}

fn of_tag(tag: &Tag, anchors: &Anchors, place: &mut Place<'_>) -> Option<Unsealed> {
    let refused = anchors.tag(tag.name.as_ref(), &tag.bytes).err()?;
    Some(Unsealed {
        kind: Kind::Tag,
        id: tag.id.to_string(),
        author: String::new(),
        name: tag.name.to_str_lossy().into_owned(),
        blob: place(policy::FILE.into()),
        asked: anchors.required && tag.asked,
        refused,
    })
}

fn of_commit(commit: &Commit, asked: bool, place: &mut Place<'_>) -> Option<Unsealed> {
    let refused = commit.verdict.as_ref()?.as_ref().err()?.clone();
    Some(Unsealed {
        kind: Kind::Commit,
        id: commit.id.to_string(),
        author: commit.author.mail.to_str_lossy().into_owned(),
        name: String::new(),
        blob: place(commit.paths.first()?.as_bstr()),
        asked,
        refused,
    })
}
