//! The causes of what is wrong, and where each was found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::layers::Writing;
use super::machine::{Level, Occurrence};
use super::tables::Class;
use super::{Seen, manual::RULES, words};
use crate::check::Merge;
use crate::check::places::{Places, cut};
use crate::finding::{Finding, Mark};
use crate::rule::{Confidence, Severity};
use crate::span::BlobId;

/// At most this many payloads of one kind are told apart; a flood of them is one cause.
pub(super) const PAYLOADS: usize = 64;
/// At most this many code points of a cause are listed.
const POINTS: usize = 512;
/// Sets of code points up to this size make causes of their own.
const SMALL_SET: usize = 4;
/// Payloads of a cause that are given as examples.
const SPELLED: usize = 3;

/// What is wrong, without what is particular to a payload.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(super) struct Kin {
    pub(super) class: Class,
    level: Level,
    finding: &'static str,
    /// In a name, not in content.
    named: Option<Named>,
    /// How it is written.
    layer: Writing,
}

/// What a name belongs to.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(super) enum Named {
    File,
    Branch,
    Author,
}

impl Named {
    pub(super) fn words(self) -> &'static str {
        match self {
            Named::File => "a file",
            Named::Branch => "the branch",
            Named::Author => "an author",
        }
    }
}

/// In what way an occurrence is there.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Way {
    /// As an escape of the container.
    pub(super) escaped: bool,
    pub(super) named: Option<Named>,
    pub(super) layer: Writing,
}

/// The causes of a kind: one for each payload or set of code points, and one for all beyond the cap.
#[derive(Debug, Default)]
pub(super) struct Causes {
    each: BTreeMap<Tell, Carriers>,
    rest: Carriers,
}

/// What tells two causes of a kind apart.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Tell {
    /// They spell this.
    Spelled(&'static str, String),
    /// They have these code points.
    Points(Vec<char>),
    /// Nothing: too many different code points, none of them readable.
    Many,
}

/// Where a cause was found.
#[derive(Debug, Default)]
struct Carriers {
    places: Places,
    characters: u64,
    escaped: u64,
    bits: u64,
    points: BTreeSet<char>,
    /// What some of them spell where that does not tell causes apart, the smallest.
    spelled: BTreeSet<Spelled>,
}

/// A payload of one occurrence: its scheme, what it says, what is shown or stored in its place, and what it is.
type Spelled = (&'static str, String, String, Option<&'static str>);

impl Merge for Causes {
    fn merge(&mut self, other: Self) {
        Merge::merge(&mut self.each, other.each);
        self.rest.merge(other.rest);
        self.cap();
    }
}

impl Causes {
    /// The smallest payloads stay apart, whatever the order in which they came, so that threads do not show.
    fn cap(&mut self) {
        while self.each.len() > PAYLOADS {
            if let Some((_, last)) = self.each.pop_last() {
                self.rest.merge(last);
            }
        }
    }

    /// Says what is wrong. So many occurrences of the kind were `excused` by what stands around them.
    pub(super) fn findings(self, kin: &Kin, excused: u64, findings: &mut Vec<Finding>) {
        for (tell, carriers) in self.each {
            findings.push(finding(kin, &tell, carriers, excused));
        }
        if self.rest.places.total() > 0 {
            findings.push(finding(kin, &Tell::Many, self.rest, excused));
        }
    }
}

impl Merge for Carriers {
    fn merge(&mut self, other: Self) {
        self.places.merge(other.places);
        self.characters.merge(other.characters);
        self.escaped.merge(other.escaped);
        self.bits.merge(other.bits);
        self.points(other.points);
        self.spelled(other.spelled);
    }
}

impl Carriers {
    /// Keeps the smallest payloads.
    fn spelled(&mut self, spelled: impl IntoIterator<Item = Spelled>) {
        self.spelled.extend(spelled);
        while self.spelled.len() > SPELLED {
            self.spelled.pop_last();
        }
    }

    /// Keeps the smallest code points.
    fn points(&mut self, points: impl IntoIterator<Item = char>) {
        self.points.extend(points);
        while self.points.len() > POINTS {
            self.points.pop_last();
        }
    }
}

/// Counts an occurrence under its cause. The mark is only made where it is kept.
pub(super) fn note(seen: &mut Seen, occurrence: &Occurrence, way: Way, blob: BlobId, mark: impl FnOnce() -> Mark) {
    let Occurrence { class, level, finding, .. } = *occurrence;
    let Way { escaped, named, layer } = way;
    let causes = seen.causes.entry(Kin { class, level, finding, named, layer }).or_default();
    let carriers = causes.each.entry(tell(occurrence)).or_default();
    carriers.characters.merge(occurrence.characters);
    carriers.escaped.merge(u64::from(escaped));
    carriers.bits.merge(occurrence.payload.as_ref().and_then(|p| p.bits).unwrap_or(0) as u64);
    carriers.points(occurrence.hidden.iter().copied());
    let payload = occurrence.payload.as_ref().filter(|payload| !payload.text.is_empty());
    carriers.spelled(payload.map(|p| (p.scheme, p.text.clone(), p.base.clone(), p.kind)));
    carriers.places.add(blob, mark);
    causes.cap();
}

fn tell(occurrence: &Occurrence) -> Tell {
    if let Some(payload) = &occurrence.payload
        && !payload.text.is_empty()
        // What is reordered or taken back is different in every row, and the same cause.
        && !matches!(payload.scheme, "S10" | "S11" | "stripped")
    {
        return Tell::Spelled(payload.scheme, payload.text.clone());
    }
    let points: BTreeSet<char> = occurrence.hidden.iter().copied().collect();
    if points.len() <= SMALL_SET { Tell::Points(points.into_iter().collect()) } else { Tell::Many }
}

fn finding(kin: &Kin, tell: &Tell, carriers: Carriers, excused: u64) -> Finding {
    let points: Vec<char> = carriers.points.iter().copied().collect();
    let codes: Vec<String> = points.iter().map(|&c| format!("U+{:04X}", c as u32)).collect();
    let subject = words::subject(kin.class, &points);
    let (cause, mut message) = match tell {
        Tell::Spelled(scheme, text) => (
            format!("{scheme} {text}"),
            format!("Hidden characters ({}) say \"{}\"", words::scheme_name(scheme), cut(text, 60)),
        ),
        Tell::Points(_) => (codes.join(" "), format!("{subject} {}", words::predicate(kin.finding))),
        Tell::Many => ("many".to_owned(), format!("{subject} {}", words::predicate(kin.finding))),
    };
    if let Some(named) = kin.named {
        message = format!("In the name of {}: {message}", named.words());
    }
    let place = match (kin.named, kin.layer) {
        (Some(Named::File), _) => " name".to_owned(),
        (Some(named), _) => format!(" name of {}", named.words()),
        (_, Writing::Plain) => String::new(),
        (_, layer) => format!(" {}", layer.name()),
    };
    let mut finding = Finding::new(&RULES[0], format!("{} {}{place} {cause}", kin.class.id(), kin.finding), message);
    (finding.severity, finding.confidence) = match kin.level {
        Level::Error => (Severity::Error, Confidence::High),
        Level::Warn => (Severity::Warning, Confidence::Medium),
        Level::Low | Level::Info | Level::Silent => (Severity::Note, Confidence::Low),
    };
    finding.help = words::help(kin.finding).to_owned();
    let level = match kin.level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Low => "low",
        Level::Info | Level::Silent => "info",
    };
    let evidence = &mut finding.evidence;
    evidence.insert("class", json!(kin.layer.class().unwrap_or(kin.class.id())));
    if kin.layer != Writing::Plain {
        evidence.insert("of_class", json!(kin.class.id()));
        evidence.insert("layer", json!(kin.layer.name()));
    }
    evidence.insert("class_name", json!(kin.class.name()));
    evidence.insert("finding", json!(kin.finding));
    evidence.insert("level", json!(level));
    evidence.insert("code_points", Value::from(codes));
    evidence.insert("characters", json!(carriers.characters));
    if let Some((scheme, text, base, kind)) = carriers.spelled.first() {
        evidence.insert("scheme", json!(scheme));
        evidence.insert("scheme_name", json!(words::scheme_name(scheme)));
        evidence.insert("decoded", json!(text));
        if !base.is_empty() {
            evidence.insert(if *scheme == "S10" { "stored" } else { "shown" }, json!(base));
        }
        if let Some(kind) = kind {
            evidence.insert("payload", json!(kind));
        }
    }
    if carriers.bits > 0 {
        evidence.insert("bits", json!(carriers.bits));
    }
    if carriers.escaped > 0 {
        evidence.insert("escaped", json!(carriers.escaped));
    }
    if excused > 0 {
        evidence.insert("excused_by_context", json!(excused));
    }
    finding.total = carriers.places.total();
    finding.marks = carriers.places.into_marks();
    finding
}
