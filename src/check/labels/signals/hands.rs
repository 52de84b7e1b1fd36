//! Whose hands the data is in: newcomers, new owners, those who commit and merge for others, and signatures.

use serde_json::json;

use super::{DAY, Evidence, Past, Signal, is_web, signs};
use crate::check::labels::people::{Identity, NEW, SETTLED, mail};
use crate::source::{Commit, Person};

/// Since the first of November 2017, in seconds since 1970, commits of the web page carry its signature: the last
/// without one that was seen in real histories is of September, the first with one of November.
const WEB_SIGNS: i64 = 1_509_494_400;
/// Commits after a long rest that are looked at, and how many of them one new person has to make.
const AFTER_REST: usize = 10;
const TAKEN: usize = 8;

/// Whether whoever committed it is the web page, at a time at which it signs.
pub(super) fn signs_on_the_web(committer: &Person) -> bool {
    is_web(committer) && committer.seconds >= WEB_SIGNS
}

impl Past {
    /// Somebody who has hardly touched the data changes labels that others gave.
    pub(super) fn newcomer(&self, identity: Identity, evidence: Evidence) -> Option<Signal> {
        (evidence.flips > 0 && self.is_new(identity)).then(|| {
            let (before, all) = (self.before(identity), self.commits());
            let words = format!("changes labels after {before} of {all} earlier commits to data");
            Signal::new("newcomer-label-edit", json!(before), json!(NEW), words).alone(evidence.flips >= 3)
        })
    }

    /// Somebody who signs did not.
    pub(super) fn signing(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let usual = self.lapsed >= 3 && self.lapsed * 20 > self.held;
        if commit.is_signed() || usual {
            return None;
        }
        let person = self.people.get(&identity)?;
        let (signed, all) = (person.signed, person.commits);
        signs(signed, all).then(|| {
            let words = format!("signed {signed} of {all} earlier commits and not this one");
            Signal::new("unsigned-where-signed", json!(format!("{signed}/{all}")), json!("9/10 of at least 10"), words)
        })
    }

    /// The platform signs what is committed on its pages.
    pub(super) fn web(&self, commit: &Commit) -> Option<Signal> {
        let usual = self.web_unsigned * 100 > self.web;
        (signs_on_the_web(&commit.committer) && !commit.signed && !usual).then(|| {
            let words = "committed under the name of the web page, which signs, without a signature";
            Signal::new("unsigned-web-commit", json!(false), json!(true), words).alone(true)
        })
    }

    /// The data rested for long, and somebody who never touched it before makes nearly every commit since.
    pub(super) fn takeover(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let first = (self.log.len() + 1).saturating_sub(AFTER_REST).max(SETTLED);
        for at in (first..=self.log.len()).rev() {
            let woke = self.log.get(at).map_or(commit.author.seconds, |&(seconds, _)| seconds);
            let latest = *self.latest.get(at - 1)?;
            if woke - latest < 180 * DAY || woke - latest < self.rest(at) {
                continue;
            }
            let mine = self.log[at..].iter().filter(|&&(_, other)| other == identity).count();
            return (self.before(identity) == mine && mine + 1 == TAKEN).then(|| {
                let days = (woke - latest) / DAY;
                let all = self.log.len() + 1 - at;
                let words = format!("is new and made {TAKEN} of {all} commits since the data rested for {days} days");
                let value = json!(format!("{days} days, {TAKEN}/{all}"));
                Signal::new("dormant-revival", value, json!(format!("{TAKEN}/{AFTER_REST}")), words)
            });
        }
        None
    }

    /// Half of the commits of half a year are of somebody who had hardly a part in those before.
    pub(super) fn owns(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        const WINDOW: i64 = 180 * DAY;
        let now = commit.author.seconds;
        let person = self.people.get(&identity)?;
        if self.told.contains(&identity) || self.log.len() < 70 || now - person.first > 540 * DAY {
            return None;
        }
        let recent = self.log.iter().rev().take_while(|&&(seconds, _)| seconds >= now - WINDOW);
        let (mut all, mut mine) = (1, 1);
        for &(_, other) in recent {
            all += 1;
            mine += usize::from(other == identity);
        }
        let earlier = self.log.len() + 1 - all;
        let before = (person.commits + 1).saturating_sub(mine);
        (all >= 20 && earlier >= 50 && mine * 2 >= all && before * 20 <= earlier).then(|| {
            let words = format!("made {mine} of the last {all} commits to data and {before} of {earlier} before");
            let value = json!(format!("{mine}/{all} after {before}/{earlier}"));
            Signal::new("ownership-shift", value, json!("1/2 after 1/20"), words).context()
        })
    }

    /// Somebody who does not hold the data committed what another wrote.
    pub(super) fn committer(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let committer = mail(&commit.committer);
        if is_web(&commit.committer) || committer == mail(&commit.author) || !self.is_settled() {
            return None;
        }
        let theirs = self.mails.get(&committer).map(|trail| &trail.people);
        let maintainers = self.maintainers();
        let known = theirs.is_some_and(|ids| ids.contains(&identity) || !ids.is_disjoint(&maintainers));
        (!known).then(|| {
            let words = "was committed by another, who does not hold the data";
            Signal::new("author-is-not-committer", json!(true), json!(false), words).context()
        })
    }

    /// Somebody merged what they wrote, and nobody else is said to have read it.
    pub(super) fn self_merge(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        self.merges_own(identity, commit).then(|| {
            let usual = json!(format!("{}/{}", self.self_merges, self.merges));
            let words = "merged their own work, and no review is noted";
            Signal::new("self-merge-no-review", json!(true), usual, words).context()
        })
    }

    /// Whether a commit merges what its author wrote, without a note of a review.
    pub(super) fn merges_own(&self, identity: Identity, commit: &Commit) -> bool {
        let tip = commit.before.get(1).and_then(|id| self.commits.get(id));
        !commit.reviewed && tip.is_some_and(|&(_, author)| author == Some(identity))
    }
}
