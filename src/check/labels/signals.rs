//! What is unusual about a commit, measured against the repository's own past.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{MixedScript, skeleton};

use super::people::{Identity, NEW, SETTLED, folded, mail};
use crate::source::{Commit, Person};

/// One thing that is unusual.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signal {
    pub(super) name: &'static str,
    /// What was found, and the bound it was held against.
    pub(super) value: Value,
    pub(super) threshold: Value,
    /// Whether it is worth a warning by itself: it was never seen in honest histories.
    pub(super) alone: bool,
    /// In words, to follow "the author".
    pub(super) words: String,
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
    /// Commits to data, of people.
    commits: usize,
    people: BTreeMap<Identity, Standing>,
    mails: BTreeMap<String, Trail>,
    /// Names that are known, by how they are drawn, and by their letters alone.
    drawn: BTreeMap<String, BTreeSet<(Identity, String)>>,
    bare: BTreeMap<String, BTreeSet<Identity>>,
    /// Commits of people who sign, and those of them without a signature.
    held: usize,
    lapsed: usize,
    /// Commits of the web page, and those of them without a signature.
    web: usize,
    web_unsigned: usize,
    times: Vec<i64>,
}

/// What is known of a person.
#[derive(Debug, Default)]
struct Standing {
    commits: usize,
    signed: usize,
    domains: BTreeSet<String>,
}

/// What is known of an address. Machines differ, so people are not joined here.
#[derive(Debug, Default)]
struct Trail {
    /// How often each zone stands in its commits.
    zones: BTreeMap<i32, usize>,
    /// When it was stamped, and where.
    stamps: BTreeSet<(i64, i32)>,
    people: BTreeSet<Identity>,
}

const DAY: i64 = 24 * 3600;

impl Past {
    /// Takes in a commit that is not judged, or has been.
    pub(super) fn add(&mut self, identity: Identity, commit: &Commit) {
        let address = mail(&commit.author);
        let person = self.people.entry(identity).or_default();
        if signs(person.signed, person.commits) {
            self.held += 1;
            self.lapsed += usize::from(!commit.signed);
        }
        person.commits += 1;
        person.signed += usize::from(commit.signed);
        if let Some(domain) = domain(&address)
            && !person.domains.contains(domain)
        {
            person.domains.insert(domain.to_owned());
        }
        if is_web(&commit.committer) {
            self.web += 1;
            self.web_unsigned += usize::from(!commit.signed);
        }
        let near = bare(&commit.author);
        self.drawn.entry(drawn(&commit.author)).or_default().insert((identity, near.clone()));
        self.bare.entry(near).or_default().insert(identity);
        let trail = self.mails.entry(address).or_default();
        *trail.zones.entry(commit.author.offset).or_default() += 1;
        trail.people.insert(identity);
        self.times.push(commit.author.seconds);
        self.commits += 1;
        self.stamp(commit);
    }

    /// Takes in only when and where a commit was made.
    pub(super) fn stamp(&mut self, commit: &Commit) {
        let stamp = (commit.author.seconds, commit.author.offset);
        self.mails.entry(mail(&commit.author)).or_default().stamps.insert(stamp);
    }

    /// Commits to data, of people.
    pub(super) fn commits(&self) -> usize {
        self.commits
    }

    /// Commits to data of a person.
    fn before(&self, identity: Identity) -> usize {
        self.people.get(&identity).map_or(0, |person| person.commits)
    }

    fn is_settled(&self) -> bool {
        self.commits >= SETTLED
    }

    /// Whether a person is new to the data.
    pub(super) fn is_new(&self, identity: Identity) -> bool {
        self.is_settled() && self.before(identity) < NEW
    }

    /// What is unusual about a judged commit.
    pub(super) fn signals(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Vec<Signal> {
        [
            self.newcomer(identity, evidence),
            look_alike_script(commit),
            self.look_alike(identity, commit, evidence),
            self.drift(identity, commit, evidence),
            self.signing(identity, commit),
            self.web(commit),
            self.foreign_zone(identity, commit),
            self.jump(commit),
            self.revival(commit, evidence),
            hidden(commit, evidence),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Somebody who has hardly touched the data changes labels that others gave.
    fn newcomer(&self, identity: Identity, evidence: Evidence) -> Option<Signal> {
        (evidence.flips > 0 && self.is_new(identity)).then(|| Signal {
            name: "newcomer-label-edit",
            value: json!(self.before(identity)),
            threshold: json!(NEW),
            alone: evidence.flips >= 3,
            words: format!(
                "changes labels after {} of {} earlier commits to data",
                self.before(identity),
                self.commits
            ),
        })
    }

    /// A new name that looks like one that is known.
    fn look_alike(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        if self.before(identity) > 0 {
            return None;
        }
        let (mine, near) = (drawn(&commit.author), bare(&commit.author));
        let alike = self.drawn.get(&mine);
        let (value, alone, words) = if alike.is_some_and(|all| all.iter().any(|(id, b)| *id != identity && *b != near))
        {
            ("same-skeleton", true, "has a name that is drawn like that of a known author and is another")
        } else if evidence.flips > 0
            && near.chars().count() >= 5
            && self.bare.iter().any(|(bare, ids)| {
                *bare != near && within_one_edit(&near, bare) && ids.iter().any(|id| *id != identity)
            })
        {
            ("one-edit", false, "has a name one letter away from that of a known author")
        } else {
            return None;
        };
        let threshold = json!("no known author with another address");
        Some(Signal { name: "look-alike-identity", value: json!(value), threshold, alone, words: words.into() })
    }

    /// A known name comes from a domain it never came from, and changes labels at once.
    fn drift(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        let mine = mail(&commit.author);
        let domain = domain(&mine)?;
        if evidence.flips == 0 || self.before(identity) < NEW || domain.ends_with("noreply.github.com") {
            return None;
        }
        let known = &self.people.get(&identity)?.domains;
        (!known.contains(domain)).then(|| Signal {
            name: "identity-drift",
            value: json!("new-domain"),
            threshold: json!(known.len()),
            alone: false,
            words: "uses a known name with an address of a domain it never had".into(),
        })
    }

    /// Somebody who signs did not.
    fn signing(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let usual = self.lapsed >= 3 && self.lapsed * 20 > self.held;
        if commit.signed || usual {
            return None;
        }
        let person = self.people.get(&identity)?;
        let (signed, all) = (person.signed, person.commits);
        signs(signed, all).then(|| Signal {
            name: "unsigned-where-signed",
            value: json!(format!("{signed}/{all}")),
            threshold: json!("9/10 of at least 10"),
            alone: false,
            words: format!("signed {signed} of {all} earlier commits and not this one"),
        })
    }

    /// The platform signs what is committed on its pages.
    fn web(&self, commit: &Commit) -> Option<Signal> {
        let usual = self.web_unsigned * 100 > self.web;
        (is_web(&commit.committer) && !commit.signed && !usual).then(|| Signal {
            name: "unsigned-web-commit",
            value: json!(false),
            threshold: json!(true),
            alone: true,
            words: "committed under the name of the web page, which signs, without a signature".into(),
        })
    }

    /// A stamp of a zone that the author hardly ever has, and that is the usual one of whoever committed it.
    fn foreign_zone(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let mine = self.zones(&mail(&commit.author))?;
        let all: usize = mine.values().sum();
        let home = modal(mine)?;
        let here = commit.author.offset;
        let rare = mine.get(&here).copied().unwrap_or(0) * 50 < all;
        let committer = mail(&commit.committer);
        if all < 30
            || !rare
            || here == 0
            || (here - home).unsigned_abs() < 3 * 3600
            || committer == mail(&commit.author)
        {
            return None;
        }
        let theirs = self.zones(&committer)?;
        (modal(theirs) == Some(here)).then(|| Signal {
            name: "foreign-timezone",
            value: json!(zone(here)),
            threshold: json!(zone(home)),
            alone: {
                let maintainers = self.maintainers();
                let theirs = self.mails.get(&committer).map(|trail| &trail.people);
                maintainers.contains(&identity) && theirs.is_none_or(|ids| ids.is_disjoint(&maintainers))
            },
            words: format!(
                "is stamped {} and not {}, which is the zone of another, who committed it",
                zone(here),
                zone(home)
            ),
        })
    }

    /// Faster than any aeroplane.
    fn jump(&self, commit: &Commit) -> Option<Signal> {
        let stamps = &self.mails.get(&mail(&commit.author))?.stamps;
        let &(seconds, offset) = stamps.range(..(commit.author.seconds, i32::MIN)).next_back()?;
        let (change, time) = ((commit.author.offset - offset).unsigned_abs(), commit.author.seconds - seconds);
        let utc = commit.author.offset == 0 || offset == 0;
        (!utc && change >= 180 * 60 && time < i64::from(change)).then(|| Signal {
            name: "impossible-timezone-jump",
            value: json!(format!("{} to {} in {} min", zone(offset), zone(commit.author.offset), time / 60)),
            threshold: json!("as long as the zones are apart"),
            alone: false,
            words: format!("went from {} to {} in {} minutes", zone(offset), zone(commit.author.offset), time / 60),
        })
    }

    /// Data that rested for long wakes with other labels.
    fn revival(&self, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        if evidence.flips == 0 || !self.is_settled() {
            return None;
        }
        let mut times = self.times.clone();
        times.sort_unstable();
        let days = (commit.author.seconds - times.last()?) / DAY;
        let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        let p99 = gaps.get(gaps.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(0);
        // Days that the data may rest before its waking is unusual.
        let rest = (180 * DAY).max(3 * p99) / DAY;
        (days >= rest).then(|| Signal {
            name: "dormant-revival",
            value: json!(days),
            threshold: json!(rest),
            alone: false,
            words: format!("changes labels after the data rested for {days} days"),
        })
    }

    fn zones(&self, address: &str) -> Option<&BTreeMap<i32, usize>> {
        self.mails.get(address).map(|trail| &trail.zones)
    }

    /// The people who hold most of the data: the fewest with four fifths of the commits.
    fn maintainers(&self) -> BTreeSet<Identity> {
        let mut list: Vec<_> = self.people.iter().map(|(&identity, person)| (identity, person.commits)).collect();
        list.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let (mut held, mut most) = (0, BTreeSet::new());
        for (identity, count) in list {
            if held * 5 >= self.commits * 4 {
                break;
            }
            held += count;
            most.insert(identity);
        }
        most
    }
}

/// Letters of several scripts in one word.
fn look_alike_script(commit: &Commit) -> Option<Signal> {
    let name = commit.author.name.to_str_lossy();
    let words = name.split(|c: char| !c.is_alphanumeric());
    let mixed = words.into_iter().any(|word| !word.is_empty() && !word.is_single_script());
    mixed.then(|| Signal {
        name: "look-alike-identity",
        value: json!("mixed-script"),
        threshold: json!("one script a word"),
        alone: true,
        words: "has a name with letters of several scripts in one word".into(),
    })
}

/// A few flips in a change of thousands of records, and no word of them.
fn hidden(commit: &Commit, evidence: Evidence) -> Option<Signal> {
    const WORDS: &[&str] =
        &["label", "intent", "annot", "tag", "class", "fix", "correct", "review", "clean", "categor"];
    let subject = commit.subject.to_lowercase();
    let few = evidence.flips > 0 && evidence.flips * 50 <= evidence.touched;
    (few && !WORDS.iter().any(|word| subject.contains(word))).then(|| Signal {
        name: "hidden-label-edit",
        value: json!(format!("{}/{}", evidence.flips, evidence.touched)),
        threshold: json!("1/50"),
        alone: false,
        words: format!(
            "changes {} labels in a change of {} records that does not speak of labels",
            evidence.flips, evidence.touched
        ),
    })
}

fn signs(signed: usize, all: usize) -> bool {
    all >= 10 && signed * 10 >= all * 9
}

fn is_web(committer: &Person) -> bool {
    mail(committer) == "noreply@github.com"
}

/// How a name is drawn: characters that look alike are one.
fn drawn(person: &Person) -> String {
    let name: String = person.name.to_str_lossy().nfkc().filter(|c| !c.is_whitespace()).collect();
    skeleton(&name).collect()
}

/// Letters and digits of a name: blanks and hyphens are where honest names differ.
fn bare(person: &Person) -> String {
    folded(person).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether one letter put in, taken out or replaced makes one of the other.
fn within_one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => a.get(1..) == b.get(1..),
        std::cmp::Ordering::Less => b.get(1..) == Some(a),
        std::cmp::Ordering::Greater => a.get(1..) == Some(b),
    }
}

fn domain(mail: &str) -> Option<&str> {
    mail.rsplit_once('@').map(|(_, domain)| domain)
}

fn modal(zones: &BTreeMap<i32, usize>) -> Option<i32> {
    zones.iter().max_by_key(|&(_, &n)| n).map(|(&zone, _)| zone)
}

/// `+05:30`.
fn zone(offset: i32) -> String {
    let minutes = offset.unsigned_abs() / 60;
    format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
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
