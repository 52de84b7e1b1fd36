//! The labels of a whole history: each commit is held against those before it.
//!
//! No single number convicts. How many labels honest commits flip varies so much that a commit with many is only a
//! commit to look at; one sign stays a note, and two that coincide are a warning. Signs that honest histories do not
//! have (a merge with labels of its own, flips that share a phrase, a newcomer's flips) are one by themselves.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::flip::{carry_all, some, transitions};
use super::people::{Identity, Who, mail};
use super::rank::Distribution;
use super::signals::{Evidence, Past, Signal};
use super::{FLIP, Flips, RISK, RULES, kept};
use crate::diff::{Chapter, Evil, Kind, SetSummary, short};
use crate::finding::{Finding, Mark};
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
    all.touched = changes.summary.sets.iter().map(|set| set.added + set.removed + set.changed).sum();
    if changes.edits.is_empty() {
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
    findings.extend(risks.values().map(|commits| risk(commits, judge.past.commits())));
}

/// The repository so far.
#[derive(Default)]
struct Judge {
    past: Past,
    flips: Distribution,
    /// Who flipped a record last, from one class to another: to know what takes it back.
    done: FxHashMap<(u64, u64, u64), ObjectId>,
    /// Flips of people who began as newcomers, towards each class.
    campaigns: BTreeMap<Identity, Campaign>,
}

/// The flips of one person from their first commits on.
#[derive(Debug, Default)]
struct Campaign {
    /// Commits with flips, and flips by class, while the person was new and in what followed.
    commits: usize,
    targets: BTreeMap<String, u64>,
    /// Whether the first flips were a newcomer's.
    began_new: bool,
}

impl Judge {
    fn add(&mut self, chapter: &Kept, identity: Option<Identity>) {
        if let Some(identity) = identity {
            let flips = count(chapter);
            if flips > 0 {
                let new = self.past.is_new(identity);
                let campaign = self
                    .campaigns
                    .entry(identity)
                    .or_insert_with(|| Campaign { began_new: new, ..Campaign::default() });
                campaign.commits += 1;
                for flips in &chapter.flips {
                    *campaign.targets.entry(flips.to.clone()).or_default() += flips.count();
                }
            }
            self.past.add(identity, &chapter.commit);
        }
        if chapter.judged && chapter.touched > 0 {
            self.flips.add(count(chapter), chapter.touched);
        }
        for &flip in &chapter.flipped {
            self.done.insert(flip, chapter.commit.id);
        }
    }

    /// The finding about the labels of a commit, and what is unusual about its author.
    fn commit(&self, chapter: &Kept, identity: Option<Identity>) -> (Vec<Finding>, Vec<Signal>) {
        if !chapter.judged {
            return (Vec::new(), Vec::new());
        }
        let flips = count(chapter);
        let evidence = Evidence { flips, touched: chapter.touched };
        let people = identity.map(|identity| self.past.signals(identity, &chapter.commit, evidence));
        let people = people.unwrap_or_default();
        let mut told = Vec::new();
        if flips > 0 {
            let mut signals = self.labels(chapter, identity);
            signals.extend(people.iter().cloned());
            told.push(self.flipped(chapter, &signals));
        }
        if !chapter.evil.is_empty() {
            told.push(evil(chapter));
        }
        (told, people)
    }

    /// What is unusual about the labels of a commit.
    fn labels(&self, chapter: &Kept, identity: Option<Identity>) -> Vec<Signal> {
        let flips = count(chapter);
        let mut signals = Vec::new();
        let usual = self.flips.high().max(MANY);
        if flips >= usual {
            signals.push(Signal {
                name: "bulk-relabel",
                value: json!(flips),
                threshold: json!(usual),
                alone: false,
                words: format!("flips {flips} labels, where {usual} are many here"),
            });
        }
        if let Some(target) = chapter.flips.iter().max_by_key(|flips| flips.count())
            && target.count() >= DIRECTED
            && target.count() * 10 >= flips * 9
            && target.reverse * 10 <= target.count()
        {
            signals.push(Signal {
                name: "one-target",
                value: json!(format!("{}/{flips}", target.count())),
                threshold: json!("9/10"),
                alone: false,
                words: format!("turns {} of {flips} flipped records to one class", target.count()),
            });
        }
        if let Some(flips) = chapter.flips.iter().find(|flips| flips.common.is_some()) {
            signals.push(Signal {
                name: "shared-trigger",
                value: json!(carry_all(&flips.common)),
                threshold: json!("rare among the others of their class"),
                alone: true,
                words: "flips records that share what others of their class lack".to_owned(),
            });
        }
        if let Some(campaign) = identity.and_then(|identity| self.campaigns.get(&identity))
            && campaign.began_new
            && campaign.commits + 1 >= CAMPAIGN
        {
            let of = |flips: &&Flips| campaign.targets.get(&flips.to).copied().unwrap_or(0) + flips.count();
            if let Some(most) = chapter.flips.iter().max_by_key(of)
                && of(&most) >= MANY
            {
                signals.push(Signal {
                    name: "newcomer-campaign",
                    value: json!(of(&most)),
                    threshold: json!(MANY),
                    alone: true,
                    words: format!(
                        "is one of {} commits of one newcomer with flips to one class",
                        campaign.commits + 1
                    ),
                });
            }
        }
        signals
    }

    /// The finding about the flips of a commit.
    fn flipped(&self, chapter: &Kept, signals: &[Signal]) -> Finding {
        let id = chapter.commit.id.to_string();
        let flips = count(chapter);
        let mut words: Vec<&str> = signals.iter().map(|signal| signal.words.as_str()).collect();
        words.truncate(3);
        let also = if words.is_empty() { String::new() } else { format!("; it {}", words.join(", and ")) };
        let message = format!("commit {} changed {}{also}", &id[..10], transitions_in_words(chapter));
        let mut finding = Finding::new(&RULES[FLIP], format!("commit {id}"), message);
        let reverted = self.reverted(chapter);
        (finding.severity, finding.confidence) = weigh(chapter, signals, is_revert(chapter, &reverted));
        finding.help =
            "read the rows with whoever knows the classes: where the new labels are right, accept the finding with \
                        a reason; otherwise put the old labels back and look at what was trained since"
                .into();
        finding.total = flips;
        for flips in &chapter.flips {
            finding.marks.extend(flips.marks.iter().cloned().map(|mark| Mark { commit: Some(id.clone()), ..mark }));
        }
        let rank = self.flips.rank(flips, chapter.touched);
        let table: Vec<_> = chapter.sets.iter().flat_map(|set| set.transitions.iter().cloned()).collect();
        let targets: Vec<Value> = chapter
            .flips
            .iter()
            .map(|flips| json!({"class": flips.to, "count": flips.count(), "size": flips.to_size, "reverse": flips.reverse}))
            .collect();
        finding.evidence.extend([
            ("finding", json!("label-flip")),
            ("commit", json!(id)),
            ("author", json!(author(&chapter.commit))),
            ("subject", json!(chapter.commit.subject)),
            ("flips", json!(flips)),
            ("touched", json!(chapter.touched)),
            ("scope", json!(chapter.sets.first().map_or("dataset", |set| set.scope))),
            ("transitions", transitions(&table)),
            ("targets", Value::Array(targets)),
            ("rank", rank),
            ("signals", signals_of(signals)),
        ]);
        if let Some(flips) = chapter.flips.iter().find(|flips| flips.common.is_some()) {
            finding.evidence.insert("common", json!(flips.common));
        }
        if !reverted.is_empty() {
            finding.evidence.insert("takes_back", json!(reverted));
        }
        finding
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
    let mut names: Vec<&str> = signals.iter().map(|signal| signal.name).collect();
    names.retain(|name| !is_revert || !["bulk-relabel", "one-target"].contains(name));
    names.sort_unstable();
    names.dedup();
    if grave {
        (Severity::Error, Confidence::Medium)
    } else if signals.iter().any(|signal| signal.alone) || names.len() >= 2 {
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

/// The finding about a merge with labels of its own.
fn evil(chapter: &Kept) -> Finding {
    let id = chapter.commit.id.to_string();
    let count = chapter.evil.len() as u64;
    let mut pairs: BTreeMap<(&Option<String>, &Option<String>), u64> = BTreeMap::new();
    for evil in &chapter.evil {
        *pairs.entry((&evil.from, &evil.to)).or_default() += 1;
    }
    let mut list: Vec<_> = pairs.into_iter().collect();
    list.sort_by_key(|&(_, n)| std::cmp::Reverse(n));
    let class = |class: &Option<String>| class.as_deref().map_or("no label".to_owned(), short);
    let words: Vec<String> =
        list.iter().take(3).map(|((from, to), n)| format!("{n} from {} to {}", class(from), class(to))).collect();
    let message = format!(
        "the merge {} gives {} a label that none of its parents has: {}; a pull request does not show it",
        &id[..10],
        some(count, "record"),
        words.join(", ")
    );
    let mut finding = Finding::new(&RULES[FLIP], format!("merge {id}"), message);
    (finding.severity, finding.confidence) = (Severity::Warning, Confidence::High);
    finding.help =
        "ask whoever merged where these labels come from; compare with `git show -m`, since a plain `git show` \
                    or `git log` shows nothing of a merge"
            .into();
    finding.total = count;
    finding.marks = chapter.evil.iter().take(MOST_MARKS).map(|evil| evil.mark.clone()).collect();
    let files: std::collections::BTreeSet<&BString> = chapter.evil.iter().map(|evil| &evil.path).collect();
    let sets: std::collections::BTreeSet<&String> = chapter.evil.iter().map(|evil| &evil.set).collect();
    let rows = list.iter().map(|((from, to), n)| json!({"from": from, "to": to, "count": n})).take(50);
    finding.evidence.extend([
        ("finding", json!("evil-merge-label")),
        ("commit", json!(id)),
        ("author", json!(author(&chapter.commit))),
        ("files", json!(files.len())),
        ("datasets", json!(sets.len())),
        ("transitions", Value::Array(rows.collect())),
        ("signals", json!([{"name": "evil-merge-label", "value": count, "threshold": 1}])),
    ]);
    finding
}

/// The finding about a person, over all their commits.
fn risk(commits: &[(&Kept, Vec<Signal>)], earlier: usize) -> Finding {
    let mut names: Vec<&str> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for signal in commits.iter().flat_map(|(_, signals)| signals) {
        if !names.contains(&signal.name) {
            names.push(signal.name);
            words.push(&signal.words);
        }
    }
    names.sort_unstable();
    words.truncate(4);
    let (first, _) = &commits[0];
    let id = first.commit.id.to_string();
    let more = match commits.len() {
        1 => String::new(),
        n => format!(" and of {} more", some(n as u64 - 1, "commit")),
    };
    let message = format!(
        "the author of commit {}{more} {}; consistent with an honest change as well as with a borrowed or new account",
        &id[..10],
        words.join(", and "),
    );
    let mut finding = Finding::new(&RULES[RISK], format!("person {}", mail(&first.commit.author)), message);
    // What weighs on flipped labels is told with them; here only what honest histories do not have is a warning.
    let of_labels = ["newcomer-label-edit", "hidden-label-edit"];
    let alone = |signal: &Signal| signal.alone && !of_labels.contains(&signal.name);
    let warn = commits.iter().flat_map(|(_, signals)| signals).any(alone);
    finding.severity = if warn { Severity::Warning } else { Severity::Note };
    finding.confidence = Confidence::Low;
    finding.help =
        "ask the author, by a way that does not depend on this repository, whether the commits are theirs".into();
    for (chapter, signals) in commits {
        let note: Vec<&str> = signals.iter().map(|signal| signal.name).collect();
        let marks = chapter.flips.iter().flat_map(|flips| flips.marks.first());
        finding.marks.extend(marks.map(|mark| Mark {
            commit: Some(chapter.commit.id.to_string()),
            note: Some(note.join(", ")),
            ..mark.clone()
        }));
    }
    finding.total = (commits.len() as u64).max(finding.marks.len() as u64);
    let list = commits.iter().flat_map(|(chapter, signals)| {
        signals.iter().map(|signal| {
            json!({
                "name": signal.name,
                "value": signal.value,
                "threshold": signal.threshold,
                "commit": chapter.commit.id.to_string(),
            })
        })
    });
    finding.evidence.extend([
        ("signals", Value::Array(list.collect())),
        ("commits", json!(commits.len())),
        ("earlier_commits", json!(earlier)),
        ("author", json!(first.commit.author.name.to_str_lossy())),
    ]);
    finding
}

fn signals_of(signals: &[Signal]) -> Value {
    let signal = |signal: &Signal| json!({"name": signal.name, "value": signal.value, "threshold": signal.threshold});
    Value::Array(signals.iter().map(signal).collect())
}

fn author(commit: &Commit) -> String {
    format!("{} <{}>", commit.author.name.to_str_lossy(), commit.author.mail.to_str_lossy())
}

fn count(chapter: &Kept) -> u64 {
    chapter.flips.iter().map(Flips::count).sum()
}

/// `49 records from one class to another: 26 from a to b, 7 from a to c, and 3 more transitions`.
fn transitions_in_words(chapter: &Kept) -> String {
    let flips = count(chapter);
    let mut list: Vec<(u64, String)> = Vec::new();
    for flips in &chapter.flips {
        for from in &flips.from {
            list.push((from.count, format!("{} from {} to {}", from.count, short(&from.class), short(&flips.to))));
        }
    }
    list.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut words = format!("the class of {}: ", some(flips, "record"));
    let told: Vec<&str> = list.iter().take(3).map(|(_, words)| words.as_str()).collect();
    words.push_str(&told.join(", "));
    if list.len() > 3 {
        words.push_str(&format!(", and {} more", some(list.len() as u64 - 3, "transition")));
    }
    words
}
