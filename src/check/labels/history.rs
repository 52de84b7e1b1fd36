//! The labels of a whole history: each commit is held against those before it.
//!
//! No single number convicts. How many labels honest commits flip varies so much that a commit with many is only a
//! commit to look at; one sign stays a note, and two that coincide are a warning. Signs that honest histories do not
//! have (a merge with labels of its own, flips that share a phrase, a newcomer's flips) are one by themselves.

mod told;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::flip::{carry_all, some};
use super::people::{Identity, Who, is_bot, mail};
use super::rank::Distribution;
use super::removal;
use super::signals::{Evidence, Past, Signal, weight};
use super::{Flips, kept};
use crate::diff::{Chapter, Evil, Kind, SetSummary};
use crate::finding::Finding;
use crate::rule::{Confidence, Severity};
use crate::source::{Commit, ObjectId};

/// From so many on, flips of one commit or of one campaign are many.
const MANY: u64 = 20;
/// Flips of one commit towards one class that are enough to say that they have a direction.
const DIRECTED: u64 = 8;
/// Commits over which flips of one newcomer are added up.
const CAMPAIGN: usize = 3;
/// Places that are kept of one commit.
const MOST_MARKS: usize = 1000;
/// Commits that a commit is said to take back.
const MOST_REVERTED: usize = 5;

/// A commit, kept until all have been seen.
#[derive(Debug)]
pub(super) struct Kept {
    commit: Commit,
    judged: bool,
    /// Empty where no label changed.
    sets: Vec<SetSummary>,
    flips: Vec<Flips>,
    /// Records that it touches in all data sets.
    touched: u64,
    /// Flipped records by content and class, each a pair of hashes: what it did, and what would take it back.
    flipped: Vec<(u64, u64, u64)>,
    evil: Vec<Evil>,
}

/// Keeps what matters of a chapter.
pub(super) fn keep(chapter: &Chapter<'_>) -> Kept {
    let mut all = Kept {
        commit: chapter.commit.clone(),
        judged: chapter.judged,
        sets: Vec::new(),
        flips: Vec::new(),
        touched: 0,
        flipped: Vec::new(),
        evil: chapter.evil.to_vec(),
    };
    let Some(changes) = chapter.changes else { return all };
    all.touched = changes.summary.sets.iter().map(SetSummary::touched).sum();
    if changes.edits.is_empty() && !changes.summary.sets.iter().any(|set| removal::selective(set).is_some()) {
        return all;
    }
    let of_class = |label| changes.class(label).map_or(0, |class| crate::diff::hash(class.as_bytes()));
    for edit in changes.edits.iter().filter(|edit| edit.kind == Kind::Flip && edit.key != 0) {
        all.flipped.push((edit.key, of_class(edit.from), of_class(edit.to)));
    }
    all.flipped.sort_unstable();
    let seen = kept(changes);
    (all.sets, all.flips) = (seen.sets, seen.flips);
    for flips in &mut all.flips {
        flips.marks.truncate(MOST_MARKS);
    }
    all
}

/// Says what is to be said of each commit.
pub(super) fn findings(chapters: &[Kept], findings: &mut Vec<Finding>) {
    if chapters.is_empty() {
        return;
    }
    let commits: Vec<Commit> = chapters.iter().map(|chapter| chapter.commit.clone()).collect();
    let who = Who::new(&commits, &[], &[]);
    let people: BTreeMap<_, Identity> = who.judged.iter().map(|&(identity, commit)| (commit.id, identity)).collect();
    let mut judge = Judge::default();
    let mut risks: BTreeMap<Identity, Vec<(&Kept, Vec<Signal>)>> = BTreeMap::new();
    for chapter in chapters {
        let identity = people.get(&chapter.commit.id).copied();
        let (told, signals) = judge.commit(chapter, identity);
        findings.extend(told);
        if let (Some(identity), false) = (identity, signals.is_empty()) {
            risks.entry(identity).or_default().push((chapter, signals));
        }
        judge.add(chapter, identity);
    }
    findings.extend(risks.values().map(|commits| told::risk(commits, judge.past.commits())));
}

/// The repository so far.
#[derive(Default)]
struct Judge {
    past: Past,
    flips: Distribution,
    /// Who flipped a record last, from one class to another: to know what takes it back.
    done: FxHashMap<(u64, u64, u64), ObjectId>,
    /// Flips of people towards each class.
    campaigns: BTreeMap<Identity, Campaign>,
    /// Who made the commits with flips.
    authors: FxHashMap<ObjectId, Identity>,
    /// How often a record flipped, by its content.
    changed: FxHashMap<u64, u32>,
    /// Accounts of machines that changed labels.
    bots: BTreeSet<String>,
}

/// The flips of one person from their first commits on.
#[derive(Debug, Default)]
struct Campaign {
    /// Commits with flips, and flips by class, while the person was new and in what followed.
    commits: usize,
    targets: BTreeMap<String, u64>,
    /// Flips that go the other way.
    back: u64,
    /// Whether the first flips were a newcomer's.
    began_new: bool,
    /// Whether they were the work of somebody who had hardly touched the data and did not bring it, in a repository in
    /// which everybody is new.
    began_unknown: bool,
}

impl Judge {
    fn add(&mut self, chapter: &Kept, identity: Option<Identity>) {
        if let Some(identity) = identity {
            let flips = count(chapter);
            if flips > 0 {
                let (new, unknown) = (self.past.is_new(identity), self.past.is_unknown(identity));
                let begin = || Campaign { began_new: new, began_unknown: unknown, ..Campaign::default() };
                let campaign = self.campaigns.entry(identity).or_insert_with(begin);
                campaign.commits += 1;
                for flips in &chapter.flips {
                    *campaign.targets.entry(flips.to.clone()).or_default() += flips.count();
                    campaign.back += flips.reverse;
                }
            }
            self.past.add(identity, &chapter.commit);
        }
        if chapter.judged && chapter.touched > 0 {
            self.flips.add(count(chapter), chapter.touched);
        }
        for &flip in &chapter.flipped {
            // The same change may come by several branches.
            if self.done.insert(flip, chapter.commit.id).is_none() {
                *self.changed.entry(flip.0).or_default() += 1;
            }
        }
        if let (Some(identity), false) = (identity, chapter.flipped.is_empty()) {
            self.authors.insert(chapter.commit.id, identity);
        }
        if is_bot(&chapter.commit.author) && !chapter.flips.is_empty() {
            self.bots.insert(mail(&chapter.commit.author));
        }
        self.past.place(&chapter.commit, identity);
    }

    /// The finding about the labels of a commit, and what is unusual about its author.
    fn commit(&self, chapter: &Kept, identity: Option<Identity>) -> (Vec<Finding>, Vec<Signal>) {
        if !chapter.judged {
            return (Vec::new(), Vec::new());
        }
        let flips = count(chapter);
        let gone = chapter.sets.iter().filter(|_| flips == 0).find_map(removal::selective);
        let weighs = flips + chapter.evil.len() as u64 + gone.as_ref().map_or(0, |gone| gone.removed);
        let evidence = Evidence { flips: weighs, touched: chapter.touched };
        let people = identity.map(|identity| self.past.signals(identity, &chapter.commit, evidence));
        let people = people.unwrap_or_default();
        let mut list = Vec::new();
        if flips > 0 {
            let mut signals = self.labels(chapter, identity);
            signals.extend(people.iter().cloned());
            list.push(self.flipped(chapter, &signals));
        }
        if !chapter.evil.is_empty() {
            list.push(told::evil(chapter, &people));
        }
        if let Some(gone) = gone {
            let is_new = identity.is_some_and(|identity| self.past.is_new(identity));
            list.push(removal::of_commit(&gone, &chapter.commit, is_new));
        }
        (list, people)
    }

    /// What is unusual about the labels of a commit.
    fn labels(&self, chapter: &Kept, identity: Option<Identity>) -> Vec<Signal> {
        let bulk = || {
            let flips = count(chapter);
            let usual = self.flips.high().max(MANY);
            (flips >= usual).then(|| {
                let words = format!("flips {flips} labels, where {usual} are many here");
                Signal::new("bulk-relabel", json!(flips), json!(usual), words)
            })
        };
        let shared = || {
            let flips = chapter.flips.iter().find(|flips| flips.common.is_some())?;
            let words = "flips records that share what others of their class lack";
            let threshold = json!("rare among the others of their class");
            Some(Signal::new("shared-trigger", json!(carry_all(&flips.common)), threshold, words).alone(true))
        };
        [
            bulk(),
            one_target(chapter),
            shared(),
            identity.and_then(|identity| self.campaign(chapter, identity)),
            self.oscillation(chapter, identity),
            self.bot(chapter),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Flips of one person towards one class, over several commits.
    fn campaign(&self, chapter: &Kept, identity: Identity) -> Option<Signal> {
        let campaign = self.campaigns.get(&identity)?;
        let of = |flips: &Flips| campaign.targets.get(&flips.to).copied().unwrap_or(0) + flips.count();
        let most = chapter.flips.iter().max_by_key(|flips| of(flips))?;
        let (flips, commits) = (of(most), campaign.commits + 1);
        if flips < MANY || commits < CAMPAIGN {
            return None;
        }
        if campaign.began_new {
            let words = format!("is one of {commits} commits of one newcomer with flips to one class");
            return Some(Signal::new("newcomer-campaign", json!(flips), json!(MANY), words).alone(true));
        }
        let all = campaign.targets.values().sum::<u64>() + count(chapter);
        (campaign.began_unknown && flips * 10 >= all * 9 && campaign.back * 10 <= flips).then(|| {
            let words = format!("is one of {commits} commits of one person with {flips} of {all} flips to one class");
            Signal::new("label-campaign", json!(format!("{flips}/{all}")), json!("9/10"), words).alone(true)
        })
    }

    /// Records that go from a class to another and back by several hands, or for the third time.
    fn oscillation(&self, chapter: &Kept, identity: Option<Identity>) -> Option<Signal> {
        let author = |id: &ObjectId| self.authors.get(id).copied();
        let returns = |&&(key, from, to): &&(u64, u64, u64)| {
            let back = self.done.get(&(key, to, from)).is_some_and(|id| author(id) != identity);
            let again = self.done.contains_key(&(key, from, to));
            back || (!again && self.changed.get(&key).is_some_and(|&times| times >= 2))
        };
        let swung = chapter.flipped.iter().filter(returns).count() as u64;
        (swung > 0 && swung * 10 >= count(chapter)).then(|| {
            let words = format!("flips {} that went to and fro before", some(swung, "record"));
            Signal::new("oscillation", json!(swung), json!("1/10 of the flips"), words).context()
        })
    }

    /// An account of a machine changes labels for the first time.
    fn bot(&self, chapter: &Kept) -> Option<Signal> {
        let author = &chapter.commit.author;
        (is_bot(author) && !self.bots.contains(&mail(author))).then(|| {
            let words = "is a machine's, whose account never changed labels before";
            Signal::new("bot-author", json!(mail(author)), json!("no label changed before"), words).context()
        })
    }

    /// The earlier commits whose flips this one takes back, with how many.
    fn reverted(&self, chapter: &Kept) -> Vec<Value> {
        let mut of: BTreeMap<ObjectId, u64> = BTreeMap::new();
        for (key, from, to) in &chapter.flipped {
            if let Some(id) = self.done.get(&(*key, *to, *from)) {
                *of.entry(*id).or_default() += 1;
            }
        }
        let mut list: Vec<_> = of.into_iter().collect();
        list.sort_by_key(|&(id, count)| (std::cmp::Reverse(count), id));
        let told = |(id, count): (ObjectId, u64)| json!({"commit": id.to_string(), "count": count});
        list.into_iter().take(MOST_REVERTED).map(told).collect()
    }
}

/// Nearly all flips of a commit go to one class, and hardly any back.
fn one_target(chapter: &Kept) -> Option<Signal> {
    let flips = count(chapter);
    let target = chapter.flips.iter().max_by_key(|flips| flips.count())?;
    let to = target.count();
    (to >= DIRECTED && to * 10 >= flips * 9 && target.reverse * 10 <= to).then(|| {
        let words = format!("turns {to} of {flips} flipped records to one class");
        Signal::new("one-target", json!(format!("{to}/{flips}")), json!("9/10"), words)
    })
}

/// An error needs many flips towards one class and a sign of one making; a warning a sign that stands alone, or two
/// that coincide.
///
/// What takes another commit back has its size and its direction from that one, so these two say nothing more.
fn weigh(chapter: &Kept, signals: &[Signal], is_revert: bool) -> (Severity, Confidence) {
    let newcomer = signals.iter().any(|signal| signal.name.starts_with("newcomer"));
    let grave = chapter.flips.iter().any(|flips| {
        let large = |size: u64| flips.count() * 20 >= size;
        flips.count() >= MANY
            && (large(flips.to_size) || flips.from.iter().any(|from| from.count * 20 >= from.size))
            && (flips.common.is_some() || newcomer)
    });
    let of_the_other = |signal: &&Signal| ["bulk-relabel", "one-target", "oscillation"].contains(&signal.name);
    let own = signals.iter().filter(|signal| !is_revert || !of_the_other(signal));
    if grave {
        (Severity::Error, Confidence::Medium)
    } else if signals.iter().any(|signal| signal.alone) || weight(own, count(chapter)) >= 2 {
        (Severity::Warning, Confidence::Medium)
    } else {
        (Severity::Note, Confidence::Low)
    }
}

/// Whether nearly all flips of a commit take back those of one earlier commit.
fn is_revert(chapter: &Kept, reverted: &[Value]) -> bool {
    let most = reverted.first().and_then(|one| one["count"].as_u64()).unwrap_or(0);
    most > 0 && most * 10 >= chapter.flipped.len() as u64 * 9
}

fn count(chapter: &Kept) -> u64 {
    chapter.flips.iter().map(Flips::count).sum()
}
