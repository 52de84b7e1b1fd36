//! True flips, looked at once more: where they are, and what the flipped records have in common.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BStr;

use super::again::{Again, Wanted, visit};
use super::common::{Crowd, Gatherer};
use super::compare::{Ladder, Relabel};
use super::keyer::Keyer;
use super::{FlippedFrom, Flips, Version};
use crate::finding::{MAX_MARKS, Mark, Versions, content_hash};
use crate::format::{Coding, Record};
use crate::lens::Role;
use crate::span::{At, Place};

/// Flipped records of one target whose texts are compared, and as many others of the classes they left.
const TEXTS: usize = 1000;
/// Targets whose records are compared: those with the most flips.
const TARGETS: usize = 32;
/// Places of one target that are kept, so that what is accepted does not hide what is not.
const MOST_MARKS: usize = 10_000;
/// Records of one target that are shown before and after, and the characters that are shown of each.
const SHOWN: usize = 20;
const LENGTH: usize = 400;
/// A version before with more rows is not read again for the records that are shown of one or two flips.
const CHEAP: usize = 100_000;
/// Fewer flips than these share things by chance.
const FEWEST: usize = 3;

/// Groups the flips by data set and class they went to.
pub(super) fn look<'a>(ladder: &Ladder<'a>, flipped: &[Relabel], again: &dyn Again) -> Vec<Flips<'a>> {
    let mut flipped = flipped.to_vec();
    flipped.sort_unstable_by_key(|flip| (flip.set, flip.to, path(ladder, flip), flip.row));
    let mut targets: Vec<Target<'_, 'a>> = Vec::new();
    for group in flipped.chunk_by(|a, b| (a.set, a.to) == (b.set, b.to)) {
        targets.push(Target::new(ladder, &flipped, group));
    }
    let mut largest: Vec<usize> = (0..targets.len()).filter(|&at| targets[at].group.len() >= FEWEST).collect();
    largest.sort_by_key(|&at| std::cmp::Reverse(targets[at].group.len()));
    largest.truncate(TARGETS);

    // The first look: the flipped records as they are now.
    let mut wanted = Vec::new();
    let mut tags = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let compared = if largest.contains(&number) { TEXTS } else { 0 };
        let mut mark = 0;
        for (at, (flip, &marked)) in target.group.iter().zip(&target.marked).enumerate() {
            if marked || at < compared {
                wanted.push(Wanted { side: flip.side, version: Version::After, row: flip.row, tag: tags.len() as u32 });
                tags.push((number, marked.then_some(mark), at < compared));
            }
            mark += usize::from(marked);
        }
    }
    let (mut normal, mut text) = (String::new(), String::new());
    visit(ladder.sides, again, &mut wanted, &mut |tag, keyer, record| {
        let (number, mark, compared) = tags[tag as usize];
        let target = &mut targets[number];
        texts(keyer, record, &mut normal, &mut text);
        if let Some(mark) = mark {
            let mark = &mut target.flips.marks[mark];
            point(mark, record);
            if let Some(versions) = &mut mark.versions {
                versions.after.text = Some(beginning(&text));
            }
        }
        if compared {
            target.gatherer.flipped(&normal, &text);
        }
    });

    // The second look: the records that these classes had before and that kept their label, and the flipped ones that
    // are shown as they were.
    let mut wanted = Vec::new();
    for &number in &largest {
        if targets[number].gatherer.choose() {
            others(ladder, targets[number].group, number as u32, &mut wanted);
        }
    }
    let first_shown = 2 * targets.len();
    let shown = shown_before(ladder, &targets, &largest, first_shown, &mut wanted);
    visit(ladder.sides, again, &mut wanted, &mut |tag, keyer, record| {
        texts(keyer, record, &mut normal, &mut text);
        match (tag as usize).checked_sub(first_shown) {
            Some(at) => {
                let (number, mark) = shown[at];
                if let Some(versions) = &mut targets[number].flips.marks[mark].versions {
                    versions.before.text = Some(beginning(&text));
                }
            }
            None => {
                let crowd = if tag % 2 == 0 { Crowd::Others } else { Crowd::Target };
                targets[tag as usize / 2].gatherer.other(crowd, &normal, &text);
            }
        }
    });
    let finish = |target: Target<'_, 'a>| Flips { common: target.gatherer.finish(), ..target.flips };
    targets.into_iter().map(finish).collect()
}

/// The flips towards one class, while they are looked at.
struct Target<'g, 'a> {
    group: &'g [Relabel],
    /// Which of the group have a mark: the first of each file.
    marked: Vec<bool>,
    flips: Flips<'a>,
    gatherer: Gatherer,
}

impl<'g, 'a> Target<'g, 'a> {
    fn new(ladder: &Ladder<'a>, all: &[Relabel], group: &'g [Relabel]) -> Self {
        let Relabel { set, to, .. } = group[0];
        let mut from: BTreeMap<u32, u64> = BTreeMap::new();
        let mut paths: BTreeMap<&BStr, u64> = BTreeMap::new();
        for flip in group {
            *from.entry(flip.from).or_default() += 1;
            *paths.entry(path(ladder, flip)).or_default() += 1;
        }
        let back = |flip: &&Relabel| flip.set == set && flip.from == to && from.contains_key(&flip.to);
        let reverse = all.iter().filter(back).count() as u64;
        let name = |label: u32| ladder.names[label as usize].clone();
        let size = |label| match ladder.pairs.contains(&label) {
            true => ladder.pairs.iter().map(|&label| ladder.size(set, Version::Before, label)).sum(),
            false => ladder.size(set, Version::Before, label),
        };
        let mut sources: Vec<_> =
            from.iter().map(|(&label, &count)| FlippedFrom { class: name(label), size: size(label), count }).collect();
        sources.sort_by_key(|source| std::cmp::Reverse(source.count));
        let mut marked = Vec::with_capacity(group.len());
        for file in group.chunk_by(|a, b| a.side == b.side) {
            marked.extend((0..file.len()).map(|at| at < MAX_MARKS));
        }
        let mut left = MOST_MARKS;
        for marked in &mut marked {
            *marked &= left > 0;
            left -= usize::from(*marked);
        }
        let mut marks: Vec<Mark> =
            group.iter().zip(&marked).filter(|(_, marked)| **marked).map(|(flip, _)| mark(ladder, flip)).collect();
        marks.iter_mut().skip(SHOWN).for_each(|mark| mark.versions = None);
        let flips = Flips {
            set: set as usize,
            to: name(to),
            to_size: size(to),
            pairs: ladder.pairs.contains(&to),
            from: sources,
            reverse,
            paths: paths.into_iter().collect(),
            marks,
            common: Default::default(),
        };
        Self { group, marked, flips, gatherer: Gatherer::default() }
    }
}

fn path<'a>(ladder: &Ladder<'a>, flip: &Relabel) -> &'a BStr {
    ladder.sides[flip.side as usize].path()
}

/// The mark of a flip as far as the index knows it.
fn mark(ladder: &Ladder<'_>, flip: &Relabel) -> Mark {
    let (from, to) = (&ladder.names[flip.from as usize], &ladder.names[flip.to as usize]);
    let note = match ladder.pairs.contains(&flip.from) {
        true => "chosen and rejected are swapped".to_owned(),
        false => format!("was {}, is {}", short(from), short(to)),
    };
    let blob = ladder.sides[flip.side as usize].blob();
    let mut versions = Versions::default();
    (versions.before.label, versions.after.label) = (Some(from.clone()), Some(to.clone()));
    let versions = Some(Box::new(versions));
    let Some(index) = ladder.index(flip.side, Version::After) else { return Mark::name(blob).with_note(note) };
    let row = flip.row as usize;
    let mut mark = Mark::at(index.place(row, blob)).with_note(note);
    mark.record = Some(index.number(row));
    mark.versions = versions;
    // What tells the record, where its bytes cannot be had again: its key, and both labels.
    mark.content = content_hash(format!("{:016x} {from} {to}", index.keys[row]).as_bytes());
    mark
}

/// Points a mark at the label in the record itself.
fn point(mark: &mut Mark, record: Record<'_>) {
    mark.content = content_of(record);
    let label = record.with_role(Role::Label).next();
    let pointed = label.or_else(|| record.fields().find(|field| field.name().path.contains("chosen")));
    if let Some(field) = pointed {
        // Whoever reads a version again may not know the number that the side has here.
        let at = field.locate(0..field.text().len()).at;
        // A label that stands in a heading above is that of other records too.
        let is_here = match (&at, &mark.place.at) {
            (At::Bytes(label), At::Bytes(record)) => label.overlaps(*record),
            _ => true,
        };
        if is_here {
            mark.place = Place { at, ..mark.place };
        }
        mark.field = Some(field.dotted());
    }
}

/// The hash of the bytes of a record; of a columnar one, that of its values.
fn content_of(record: Record<'_>) -> u128 {
    let columnar = record.fields().any(|field| field.coding() == Coding::Columnar);
    if !columnar {
        return content_hash(record.span().of(&record.batch().blob.decoded.bytes));
    }
    let mut bytes = Vec::new();
    for field in record.fields() {
        bytes.extend_from_slice(&(field.raw().len() as u64).to_le_bytes());
        bytes.extend_from_slice(field.raw());
    }
    content_hash(&bytes)
}

/// As much of a text as is shown.
fn beginning(text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.chars().take(LENGTH).collect()
}

/// Picks the records that are shown as they were before they flipped. The tags count on from `first`; gives the target
/// and the mark of each.
fn shown_before(
    ladder: &Ladder<'_>,
    targets: &[Target<'_, '_>],
    largest: &[usize],
    first: usize,
    wanted: &mut Vec<Wanted>,
) -> Vec<(usize, usize)> {
    let read: BTreeSet<u32> = wanted.iter().map(|wanted| wanted.side).collect();
    let mut shown = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let marked = target.group.iter().zip(&target.marked).filter(|(_, marked)| **marked);
        for (mark, (flip, _)) in marked.take(SHOWN).enumerate() {
            let (side, row) = flip.old;
            let cheap = ladder.index(side, Version::Before).is_some_and(|index| index.len() <= CHEAP);
            if largest.contains(&number) || read.contains(&side) || cheap {
                let tag = (first + shown.len()) as u32;
                wanted.push(Wanted { side, version: Version::Before, row, tag });
                shown.push((number, mark));
            }
        }
    }
    shown
}

/// The texts of a record: normalised, and as they are.
fn texts(keyer: &mut Keyer, record: Record<'_>, normal: &mut String, text: &mut String) {
    normal.clear();
    keyer.text(record, normal);
    text.clear();
    for field in keyer.content(record) {
        text.push_str(&field.text());
        text.push('\n');
    }
}

/// Picks records that did not flip, evenly over the data set: those that kept one of the classes that were left, and
/// those that had the target all along. The tag is twice the number of the target, and one more for the latter.
fn others(ladder: &Ladder<'_>, group: &[Relabel], number: u32, wanted: &mut Vec<Wanted>) {
    let sets: BTreeSet<u32> = group.iter().map(|flip| flip.old_set).collect();
    let mut flipped: Vec<(u32, u32)> = group.iter().map(|flip| flip.old).collect();
    flipped.sort_unstable();
    // Every row is asked: a list of flags is faster than a tree.
    let mut from = vec![false; ladder.names.len()];
    group.iter().for_each(|flip| from[flip.from as usize] = true);
    let mut to = vec![false; ladder.names.len()];
    to[group[0].to as usize] = true;
    for (tag, classes) in [(2 * number, from), (2 * number + 1, to)] {
        let mut rows = Vec::new();
        let mut flipped = flipped.iter().peekable();
        for (side, _) in ladder.set_of.iter().enumerate().filter(|(_, set)| sets.contains(set)) {
            let labels = (0..).zip(ladder.labels(side as u32, Version::Before));
            for (row, _) in labels.filter(|&(_, label)| classes.get(label as usize).is_some_and(|&is_one| is_one)) {
                let at = (side as u32, row);
                while flipped.next_if(|&&other| other < at).is_some() {}
                if flipped.peek() != Some(&&at) {
                    rows.push(at);
                }
            }
        }
        let stride = rows.len().div_ceil(TEXTS).max(1);
        let picked = rows.iter().step_by(stride);
        wanted.extend(picked.map(|&(side, row)| Wanted { side, version: Version::Before, row, tag }));
    }
}

/// A label short enough for a message.
pub(crate) fn short(label: &str) -> String {
    const LONGEST: usize = 60;
    match label.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("`{}…`", &label[..at]),
        None => format!("`{label}`"),
    }
}
