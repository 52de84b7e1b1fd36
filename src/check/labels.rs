//! `label-flip` and `maintainer-risk`: what happened to the labels, and what is unusual about who did it.
//!
//! The two are one check because each weighs the other: metadata never convicts alone, and a change of labels weighs more
//! where the one who made it is new.

mod flip;
mod history;
mod manual;
mod people;
mod rank;
mod removal;
mod risk;
mod signals;

use bstr::BString;

use super::{Check, Merge, Observation};
use crate::diff::{Changes, Common, FlippedFrom, Kind, SetSummary};
use crate::finding::{Finding, Mark};
use crate::rule::Rule;
use crate::source::Commit;
use crate::span::BlobId;
use manual::RULES;
pub(crate) use people::identities;

const FLIP: usize = 0;
const RISK: usize = 1;

/// See the manuals of its rules.
#[derive(Debug, Default)]
pub(crate) struct Labels;

/// Changes and people are seen once, and whole.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sets: Vec<SetSummary>,
    flips: Vec<Flips>,
    relabelled: Vec<Relabelled>,
    files: Vec<(BString, BlobId)>,
    judged: Vec<Commit>,
    earlier: Vec<Commit>,
    /// The commits of a history that is audited.
    chapters: Vec<history::Kept>,
}

/// [`crate::diff::Flips`], kept.
#[derive(Debug)]
struct Flips {
    set: usize,
    to: String,
    to_size: u64,
    pairs: bool,
    from: Vec<FlippedFrom>,
    reverse: u64,
    paths: Vec<(BString, u64)>,
    marks: Vec<Mark>,
    common: Common,
}

impl Flips {
    fn count(&self) -> u64 {
        self.from.iter().map(|from| from.count).sum()
    }
}

/// [`crate::diff::Relabelled`], kept.
#[derive(Debug)]
struct Relabelled {
    set: usize,
    blob: BlobId,
    kind: Kind,
    count: u64,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        let sets = self.sets.len();
        self.sets.append(&mut other.sets);
        self.flips.extend(other.flips.into_iter().map(|flips| Flips { set: flips.set + sets, ..flips }));
        self.relabelled.extend(other.relabelled.into_iter().map(|file| Relabelled { set: file.set + sets, ..file }));
        self.files.append(&mut other.files);
        self.judged.append(&mut other.judged);
        self.earlier.append(&mut other.earlier);
        self.chapters.append(&mut other.chapters);
    }
}

impl Check for Labels {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Changes(changes) => seen.merge(kept(changes)),
            Observation::People(people) => {
                seen.judged.extend_from_slice(people.judged);
                seen.earlier.extend_from_slice(people.earlier);
            }
            Observation::Commit(chapter) => seen.chapters.push(history::keep(chapter)),
            _ => {}
        }
    }

    fn finish(&self, seen: Seen, findings: &mut Vec<Finding>) {
        let who = people::Who::new(&seen.judged, &seen.earlier, &seen.files);
        for flips in &seen.flips {
            findings.push(flip::finding(flips, &seen.sets[flips.set], &who));
        }
        for (number, set) in seen.sets.iter().enumerate() {
            let files: Vec<_> = seen.relabelled.iter().filter(|file| file.set == number).collect();
            findings.extend(flip::renamed(set, &files));
        }
        for set in &seen.sets {
            findings.extend(removal::selective(set).map(|gone| removal::of_change(&gone, set, &seen.files, &who)));
        }
        risk::findings(&seen, &who, findings);
        history::findings(&seen.chapters, findings);
    }
}

fn kept(changes: &Changes<'_>) -> Seen {
    let flips = changes.flips.iter().map(|flips| Flips {
        set: flips.set,
        to: flips.to.clone(),
        to_size: flips.to_size,
        pairs: flips.pairs,
        from: flips.from.clone(),
        reverse: flips.reverse,
        paths: flips.paths.iter().map(|&(path, count)| (path.to_owned(), count)).collect(),
        marks: flips.marks.clone(),
        common: flips.common.clone(),
    });
    let relabelled = changes.relabelled.iter().map(|file| Relabelled {
        set: file.set,
        blob: file.blob,
        kind: file.kind,
        count: file.count,
    });
    Seen {
        sets: changes.summary.sets.clone(),
        flips: flips.collect(),
        relabelled: relabelled.collect(),
        files: changes.files.iter().map(|&(path, blob)| (path.to_owned(), blob)).collect(),
        ..Seen::default()
    }
}
