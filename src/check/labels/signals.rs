//! What is unusual about a commit, measured against the repository's own past.

mod clock;
mod hands;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::people::{Identity, NEW, SETTLED, folded, mail};
use crate::source::{Commit, ObjectId, Person};

/// One thing that is unusual.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signal {
    pub(super) name: &'static str,
    /// What was found, and the bound it was held against.
    pub(super) value: Value,
    pub(super) threshold: Value,
    /// Whether it is worth a warning by itself: it was never seen in honest histories.
    pub(super) alone: bool,
    /// Whether honest histories are full of it, so that it weighs only beside changed labels.
    pub(super) context: bool,
    /// In words, to follow "the author".
    pub(super) words: String,
}

impl Signal {
    pub(super) fn new(name: &'static str, value: Value, threshold: Value, words: impl Into<String>) -> Self {
        Self { name, value, threshold, alone: false, context: false, words: words.into() }
    }

    pub(super) fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }

    pub(super) fn context(self) -> Self {
        Self { context: true, ..self }
    }

    /// As evidence shows it.
    pub(super) fn to_json(&self) -> Value {
        json!({"name": self.name, "value": self.value, "threshold": self.threshold})
    }
}

/// How many different signals weigh, beside so many changed labels.
pub(super) fn weight<'s>(signals: impl Iterator<Item = &'s Signal>, flips: u64) -> usize {
    let mut names: BTreeSet<_> = signals.filter(|one| flips > 0 || !one.context).map(|one| one.name).collect();
    // Committing for another is how patches are applied; with a clock that is not the author's it is more.
    if !names.contains("foreign-timezone") && !names.contains("impossible-timezone-jump") {
        names.remove("author-is-not-committer");
    }
    names.len()
}

/// What the labels say about one commit.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Evidence {
    /// True flips in files that the commit touches.
    pub(super) flips: u64,
    /// Records that the whole change touches in the data sets of these files.
    pub(super) touched: u64,
}

/// The past of a repository, as far as signals are held against it. It grows commit by commit.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Commits to data, of people: when, and who, in their order.
    log: Vec<(i64, Identity)>,
    /// The latest time among the first commits, by their number.
    latest: Vec<i64>,
    people: BTreeMap<Identity, Standing>,
    mails: BTreeMap<String, Trail>,
    /// Names that are known, by how they are drawn, and by their letters alone.
    drawn: BTreeMap<String, BTreeSet<(Identity, String)>>,
    bare: BTreeMap<String, BTreeSet<Identity>>,
    /// Commits of people who sign, and those of them without a signature.
    held: usize,
    lapsed: usize,
    /// Commits of the web page since it signs, and those of them without a signature.
    web: usize,
    web_unsigned: usize,
    /// Merges, and those that merge what the merger wrote, without a review.
    merges: usize,
    self_merges: usize,
    /// When each commit was committed, and who wrote it.
    commits: FxHashMap<ObjectId, (i64, Option<Identity>)>,
    /// Who was told to have taken the data over.
    told: BTreeSet<Identity>,
}

/// What is known of a person.
#[derive(Debug, Default)]
struct Standing {
    commits: usize,
    signed: usize,
    domains: BTreeSet<String>,
    /// When their first commit was written.
    first: i64,
    /// Commits by week.
    weeks: BTreeMap<i64, u64>,
}

/// What is known of an address. Machines differ, so people are not joined here.
#[derive(Debug, Default)]
struct Trail {
    /// How often each zone stands in its commits.
    zones: BTreeMap<i32, usize>,
    /// When it was stamped, and where.
    stamps: BTreeSet<(i64, i32)>,
    people: BTreeSet<Identity>,
    /// Names it was used under.
    names: BTreeSet<String>,
}

const DAY: i64 = 24 * 3600;
const WEEK: i64 = 7 * DAY;

impl Past {
    /// Takes in a commit that is not judged, or has been.
    pub(super) fn add(&mut self, identity: Identity, commit: &Commit) {
        if self.owns(identity, commit).is_some() {
            self.told.insert(identity);
        }
        let is_self_merge = self.merges_own(identity, commit);
        self.merges += usize::from(commit.before.len() > 1);
        self.self_merges += usize::from(is_self_merge);
        let address = mail(&commit.author);
        let person = self.people.entry(identity).or_default();
        if signs(person.signed, person.commits) {
            self.held += 1;
            self.lapsed += usize::from(!commit.is_signed());
        }
        if person.commits == 0 {
            person.first = commit.author.seconds;
        }
        person.commits += 1;
        person.signed += usize::from(commit.is_signed());
        *person.weeks.entry(commit.author.seconds.div_euclid(WEEK)).or_default() += 1;
        if let Some(domain) = domain(&address)
            && !person.domains.contains(domain)
        {
            person.domains.insert(domain.to_owned());
        }
        if hands::signs_on_the_web(&commit.committer) {
            self.web += 1;
            self.web_unsigned += usize::from(!commit.signed);
        }
        let near = names::bare(&commit.author);
        self.drawn.entry(names::drawn(&commit.author)).or_default().insert((identity, near.clone()));
        self.bare.entry(near).or_default().insert(identity);
        let trail = self.mails.entry(address).or_default();
        *trail.zones.entry(commit.author.offset).or_default() += 1;
        trail.people.insert(identity);
        trail.names.insert(folded(&commit.author));
        let seconds = commit.author.seconds;
        self.log.push((seconds, identity));
        self.latest.push(self.latest.last().map_or(seconds, |&latest| latest.max(seconds)));
        self.stamp(commit);
        self.place(commit, Some(identity));
    }

    /// Takes in only when and where a commit was made.
    pub(super) fn stamp(&mut self, commit: &Commit) {
        let stamp = (commit.author.seconds, commit.author.offset);
        self.mails.entry(mail(&commit.author)).or_default().stamps.insert(stamp);
    }

    /// Takes in only where a commit stands among its children.
    pub(super) fn place(&mut self, commit: &Commit, identity: Option<Identity>) {
        self.commits.insert(commit.id, (commit.committer.seconds, identity));
    }

    /// Commits to data, of people.
    pub(super) fn commits(&self) -> usize {
        self.log.len()
    }

    /// Commits to data of a person.
    fn before(&self, identity: Identity) -> usize {
        self.people.get(&identity).map_or(0, |person| person.commits)
    }

    fn is_settled(&self) -> bool {
        self.log.len() >= SETTLED
    }

    /// Whether a person is new to the data.
    pub(super) fn is_new(&self, identity: Identity) -> bool {
        self.is_settled() && self.before(identity) < NEW
    }

    /// Whether a person has hardly touched the data and was not the first who did.
    pub(super) fn is_unknown(&self, identity: Identity) -> bool {
        self.before(identity) < NEW && self.log.first().is_some_and(|&(_, first)| first != identity)
    }

    /// What is unusual about a judged commit.
    pub(super) fn signals(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Vec<Signal> {
        let labels = evidence.flips > 0;
        [
            self.newcomer(identity, evidence),
            names::look_alike_script(commit),
            self.look_alike(identity, commit, evidence),
            self.drift(identity, commit, evidence),
            self.signing(identity, commit),
            self.web(commit),
            self.foreign_zone(identity, commit),
            self.jump(commit),
            self.revival(commit, evidence),
            self.takeover(identity, commit),
            self.owns(identity, commit),
            self.order(identity, commit),
            labels.then(|| self.committer(identity, commit)).flatten(),
            labels.then(|| self.self_merge(identity, commit)).flatten(),
            labels.then(|| self.burst(identity, commit)).flatten(),
            hidden(commit, evidence),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The people who hold most of the data: the fewest with four fifths of the commits.
    fn maintainers(&self) -> BTreeSet<Identity> {
        let mut list: Vec<_> = self.people.iter().map(|(&identity, person)| (identity, person.commits)).collect();
        list.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let (mut held, mut most) = (0, BTreeSet::new());
        for (identity, count) in list {
            if held * 5 >= self.log.len() * 4 {
                break;
            }
            held += count;
            most.insert(identity);
        }
        most
    }
}

/// A few flips in a change of thousands of records, and no word of them.
fn hidden(commit: &Commit, evidence: Evidence) -> Option<Signal> {
    const WORDS: &[&str] =
        &["label", "intent", "annot", "tag", "class", "fix", "correct", "review", "clean", "categor"];
    let subject = commit.subject.to_lowercase();
    let few = evidence.flips > 0 && evidence.flips * 50 <= evidence.touched;
    (few && !WORDS.iter().any(|word| subject.contains(word))).then(|| {
        let words = format!(
            "changes {} labels in a change of {} records that does not speak of labels",
            evidence.flips, evidence.touched
        );
        let value = json!(format!("{}/{}", evidence.flips, evidence.touched));
        Signal::new("hidden-label-edit", value, json!("1/50"), words)
    })
}

fn signs(signed: usize, all: usize) -> bool {
    all >= 10 && signed * 10 >= all * 9
}

fn domain(mail: &str) -> Option<&str> {
    mail.rsplit_once('@').map(|(_, domain)| domain)
}

/// The flips of each file, for [`Evidence`].
#[derive(Debug, Default)]
pub(super) struct ByPath {
    files: BTreeMap<BString, Evidence>,
}

impl ByPath {
    pub(super) fn add(&mut self, path: &BStr, evidence: Evidence) {
        let sum = self.files.entry(path.to_owned()).or_default();
        sum.flips += evidence.flips;
        sum.touched = sum.touched.max(evidence.touched);
    }

    /// What the labels say of the files of a commit.
    pub(super) fn of(&self, commit: &Commit) -> Evidence {
        let mut all = Evidence::default();
        for found in commit.paths.iter().filter_map(|path| self.files.get(path)) {
            all.flips += found.flips;
            all.touched = all.touched.max(found.touched);
        }
        all
    }
}

/// An address of the web page, where commits are made under its own name.
fn is_web(committer: &Person) -> bool {
    mail(committer) == "noreply@github.com"
}
