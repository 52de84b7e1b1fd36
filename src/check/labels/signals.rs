//! What is unusual about a commit, measured against the repository's own past.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{MixedScript, skeleton};

use super::people::{Identity, NEW, Who, folded, mail};
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

/// The past of a repository, as far as signals are held against it.
#[derive(Debug)]
pub(super) struct Past<'w, 'c> {
    who: &'w Who<'c>,
    earlier: Vec<Early>,
    /// Names that are known, each once.
    known: Vec<Known>,
    /// Whether who signs has been seen to lapse in honest work here.
    lapses_are_usual: bool,
    /// Whether web commits without a signature are usual here.
    unsigned_web_is_usual: bool,
    /// Days that the data may rest before its waking is unusual.
    rest: i64,
    /// The people who hold most of the data: the fewest with four fifths of the commits.
    maintainers: BTreeSet<Identity>,
}

/// An earlier commit.
#[derive(Debug)]
struct Early {
    identity: Identity,
    mail: String,
    seconds: i64,
    offset: i32,
    signed: bool,
}

/// A name that is known.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    identity: Identity,
    drawn: String,
    bare: String,
}

const DAY: i64 = 24 * 3600;

impl<'w, 'c> Past<'w, 'c> {
    /// Takes the measure of the earlier commits.
    pub(super) fn new(who: &'w Who<'c>) -> Self {
        let mut signing: BTreeMap<Identity, (usize, usize)> = BTreeMap::new();
        let (mut held, mut lapsed, mut web, mut web_unsigned) = (0, 0, 0, 0);
        for &(identity, commit) in &who.earlier {
            let (signed, all) = signing.entry(identity).or_default();
            if signs(*signed, *all) {
                held += 1;
                lapsed += usize::from(!commit.signed);
            }
            *all += 1;
            *signed += usize::from(commit.signed);
            if is_web(&commit.committer) {
                web += 1;
                web_unsigned += usize::from(!commit.signed);
            }
        }
        let early = |&(identity, commit): &(Identity, &Commit)| Early {
            identity,
            mail: mail(&commit.author),
            seconds: commit.author.seconds,
            offset: commit.author.offset,
            signed: commit.signed,
        };
        let earlier: Vec<Early> = who.earlier.iter().map(early).collect();
        let names: BTreeMap<_, _> =
            who.earlier.iter().map(|(id, commit)| ((*id, &commit.author.name), &commit.author)).collect();
        let known = |(&(identity, _), person): (&(Identity, _), &&Person)| Known {
            identity,
            drawn: drawn(person),
            bare: bare(person),
        };
        let mut known: Vec<Known> = names.iter().map(known).collect();
        known.sort();
        known.dedup();
        let mut times: Vec<i64> = who.earlier.iter().map(|(_, commit)| commit.author.seconds).collect();
        times.sort_unstable();
        let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        let p99 = gaps.get(gaps.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(0);
        Self {
            who,
            earlier,
            known,
            lapses_are_usual: lapsed >= 3 && lapsed * 20 > held,
            unsigned_web_is_usual: web_unsigned * 100 > web,
            rest: (180 * DAY).max(3 * p99) / DAY,
            maintainers: maintainers(who),
        }
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
        (evidence.flips > 0 && self.who.is_new(identity)).then(|| Signal {
            name: "newcomer-label-edit",
            value: json!(self.who.before(identity)),
            threshold: json!(NEW),
            alone: evidence.flips >= 3,
            words: format!(
                "changes labels after {} of {} earlier commits to data",
                self.who.before(identity),
                self.who.earlier.len()
            ),
        })
    }

    /// A new name that looks like one that is known.
    fn look_alike(&self, identity: Identity, commit: &Commit, evidence: Evidence) -> Option<Signal> {
        if self.who.before(identity) > 0 {
            return None;
        }
        let (mine, near) = (drawn(&commit.author), bare(&commit.author));
        let others = || self.known.iter().filter(|known| known.identity != identity && known.bare != near);
        let (value, alone, words) = if others().any(|known| known.drawn == mine) {
            ("same-skeleton", true, "has a name that is drawn like that of a known author and is another")
        } else if evidence.flips > 0
            && near.chars().count() >= 5
            && others().any(|known| within_one_edit(&near, &known.bare))
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
        if evidence.flips == 0 || self.who.before(identity) < NEW || domain.ends_with("noreply.github.com") {
            return None;
        }
        let known: BTreeSet<&str> = self.of(identity).filter_map(|early| self::domain(&early.mail)).collect();
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
        if commit.signed || self.lapses_are_usual {
            return None;
        }
        let (signed, all) =
            self.of(identity).fold((0, 0), |(signed, all), early| (signed + usize::from(early.signed), all + 1));
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
        (is_web(&commit.committer) && !commit.signed && !self.unsigned_web_is_usual).then(|| Signal {
            name: "unsigned-web-commit",
            value: json!(false),
            threshold: json!(true),
            alone: true,
            words: "committed under the name of the web page, which signs, without a signature".into(),
        })
    }

    /// A stamp of a zone that the author hardly ever has, and that is the usual one of whoever committed it.
    fn foreign_zone(&self, identity: Identity, commit: &Commit) -> Option<Signal> {
        let mine = self.zones(&mail(&commit.author));
        let all: usize = mine.values().sum();
        let home = modal(&mine)?;
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
        let theirs = self.zones(&committer);
        (modal(&theirs) == Some(here)).then(|| Signal {
            name: "foreign-timezone",
            value: json!(zone(here)),
            threshold: json!(zone(home)),
            alone: self.maintainers.contains(&identity) && !self.is_maintainer(&committer),
            words: format!(
                "is stamped {} and not {}, which is the zone of another, who committed it",
                zone(here),
                zone(home)
            ),
        })
    }

    /// Faster than any aeroplane.
    fn jump(&self, commit: &Commit) -> Option<Signal> {
        let mine = mail(&commit.author);
        let earlier = self.earlier.iter().filter(|early| early.mail == mine).map(|early| (early.seconds, early.offset));
        let judged = self.who.judged.iter().map(|(_, other)| &other.author).filter(|other| mail(other) == mine);
        let all = earlier.chain(judged.map(|other| (other.seconds, other.offset)));
        let (seconds, offset) = all.filter(|&(seconds, _)| seconds < commit.author.seconds).max()?;
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
        let last = self.earlier.iter().map(|early| early.seconds).max()?;
        let days = (commit.author.seconds - last) / DAY;
        (evidence.flips > 0 && self.who.is_settled() && days >= self.rest).then(|| Signal {
            name: "dormant-revival",
            value: json!(days),
            threshold: json!(self.rest),
            alone: false,
            words: format!("changes labels after the data rested for {days} days"),
        })
    }

    fn of(&self, identity: Identity) -> impl Iterator<Item = &Early> {
        self.earlier.iter().filter(move |early| early.identity == identity)
    }

    /// How often each zone stands in the commits of an address. Machines differ, so people are not joined here.
    fn zones(&self, address: &str) -> BTreeMap<i32, usize> {
        let mut zones = BTreeMap::new();
        for early in self.earlier.iter().filter(|early| early.mail == address) {
            *zones.entry(early.offset).or_default() += 1;
        }
        zones
    }

    fn is_maintainer(&self, address: &str) -> bool {
        self.earlier.iter().any(|early| early.mail == address && self.maintainers.contains(&early.identity))
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

/// The fewest people with four fifths of the earlier commits.
fn maintainers(who: &Who<'_>) -> BTreeSet<Identity> {
    let mut counts: BTreeMap<Identity, usize> = BTreeMap::new();
    for &(identity, _) in &who.earlier {
        *counts.entry(identity).or_default() += 1;
    }
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let (mut held, mut most) = (0, BTreeSet::new());
    for (identity, count) in list {
        if held * 5 >= who.earlier.len() * 4 {
            break;
        }
        held += count;
        most.insert(identity);
    }
    most
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
