//! Which sequences go with one label, one author, one commit or one split, and what is said of them.

use serde_json::{Value, json};

use super::counts::{Carriers, Counts, MOST_LABELS, Of};
use super::spread::{Kinship, Makers, With};
use super::{END, START};
use crate::check::association::{Association, FEWEST, ln, power_of_ten};
use crate::check::invisible_unicode::tables::{Class, wide_class_of};
use crate::diff::short;
use crate::finding::{Finding, Mark};
use crate::rule::{Confidence, Rule, Severity};

/// Findings of one data set.
const MOST_FINDINGS: usize = 20;
/// Places of a finding that no label binds.
const PLACES: usize = 30;

/// A sequence that goes with something.
struct Told<'s> {
    token: &'s str,
    what: What<'s>,
    carriers: &'s Carriers,
    counts: Association,
    chance: f64,
    tests: u64,
    quiet: bool,
    severity: Severity,
    /// Whether its rows lie in one file or in one part of the files.
    concentrated: bool,
    /// What else its rows have in common.
    kin: Vec<Kinship<'s>>,
}

/// What a sequence goes with.
#[derive(Copy, Clone)]
enum What<'s> {
    Label(&'s str, &'s Of),
    With(Kinship<'s>),
}

/// Says what is wrong in one data set. `all` are its counts, and whether context excuses what they count.
pub(super) fn findings(
    rule: &'static Rule,
    set: &(String, String),
    all: [(&Counts, bool); 2],
    makers: &Makers,
    findings: &mut Vec<Finding>,
) {
    let mut found = Vec::new();
    for (counts, quiet) in all {
        judge(counts, quiet, makers, &mut found);
    }
    found.sort_by(|a, b| a.chance.total_cmp(&b.chance).then_with(|| a.rank().cmp(&b.rank())));
    let mut kept: Vec<Told<'_>> = Vec::new();
    for one in found {
        if kept.len() < MOST_FINDINGS && !kept.iter().any(|other| other.says_as_much(&one)) {
            kept.push(one);
        }
    }
    findings.extend(kept.iter().map(|told| told.finding(rule, set)));
}

fn judge<'s>(counts: &'s Counts, quiet: bool, makers: &'s Makers, found: &mut Vec<Told<'s>>) {
    let enough = |carriers: &&Carriers| carriers.spread.rows >= FEWEST && carriers.spread.fresh > 0;
    let candidates = counts.tokens.values().filter(enough).count() as u64;
    let tests = candidates * counts.labels.len().max(1) as u64;
    for (token, carriers) in counts.tokens.iter().filter(|(_, carriers)| enough(carriers)) {
        let kin = carriers.spread.kinships(&counts.spread, makers, candidates * 3);
        let concentrated = carriers.spread.is_concentrated(&counts.spread);
        let base = |what, counts, chance, severity| Told {
            token,
            what,
            carriers,
            counts,
            chance,
            tests,
            quiet,
            severity,
            concentrated,
            kin: kin.clone(),
        };
        if let Some((label, of, own, chance, severity)) = of_label(counts, carriers, quiet, tests) {
            found.push(base(What::Label(label, of), own, chance, severity));
        } else if let Some(first) = kin.first() {
            // One hand, or one half of the data, is a reason to look, and none to fail.
            let severity = if quiet { Severity::Note } else { Severity::Warning };
            found.push(base(What::With(*first), first.counts, first.chance, severity));
        }
    }
}

/// The label that a sequence goes with, how firmly, and how bad that is.
fn of_label<'s>(
    counts: &Counts,
    carriers: &'s Carriers,
    quiet: bool,
    tests: u64,
) -> Option<(&'s str, &'s Of, Association, f64, Severity)> {
    if carriers.labelled < FEWEST || counts.labels.len() > MOST_LABELS || counts.labels.len() < 2 {
        return None;
    }
    let (label, of) = carriers.best().filter(|(_, of)| of.fresh > 0)?;
    let class = counts.labels.get(label).copied().unwrap_or(0).max(of.rows);
    let own = Association::new(counts.labelled.max(carriers.labelled), class, carriers.labelled, of.rows);
    if !own.is_pure() || !(own.lifts_tenths(15) || own.stands_out()) {
        return None;
    }
    let chance = own.ln_chance(tests);
    let severity = match (chance < ln(1e-6) && own.stands_out(), quiet) {
        (true, false) => Severity::Error,
        (true, true) if is_told_from_others(counts, carriers, label, of) => Severity::Warning,
        // A language or a style can be all that its label has to itself.
        (true, true) => Severity::Note,
        (false, false) if chance < ln(1e-2) => Severity::Warning,
        _ => return None,
    };
    Some((label, of, own, chance, severity))
}

/// Whether other rows with characters of this kind, enough of them, have other labels.
fn is_told_from_others(counts: &Counts, carriers: &Carriers, label: &str, of: &Of) -> bool {
    let class = counts.any.labels.get(label).map_or(0, |of| of.rows);
    let own = Association::new(counts.any.labelled, class, carriers.labelled, of.rows);
    counts.any.labelled >= 2 * carriers.labelled && own.lifts_tenths(20) && own.ln_chance(1) < ln(1e-6)
}

impl Told<'_> {
    /// Of two that are as unlikely the one that says less of places and more of code points goes first.
    fn rank(&self) -> (bool, usize, &str) {
        (self.token.starts_with('U'), self.token.len(), self.token)
    }

    fn says_as_much(&self, other: &Told<'_>) -> bool {
        let plain = |token: &str| token.trim_end_matches(END).trim_end_matches(START).to_owned();
        let (a, b) = (plain(self.token), plain(other.token));
        let of_kind = a.starts_with('U') || b.starts_with('U');
        let same = a == b || of_kind && class_of(&a).is_some() && class_of(&a) == class_of(&b);
        let with = match (self.what, other.what) {
            (What::Label(a, _), What::Label(b, _)) => a == b,
            (What::With(a), What::With(b)) => a.with == b.with && a.name == b.name,
            _ => false,
        };
        with && self.quiet == other.quiet && same
    }

    fn finding(&self, rule: &'static Rule, (set, fields): &(String, String)) -> Finding {
        let (name, with, both) = match self.what {
            What::Label(label, of) => ("label-trigger", format!("the label {}", short(label)), of.rows),
            What::With(kin) => {
                let with = match kin.with {
                    With::Commit => format!("the commit {}", kin.name.get(..10).unwrap_or(kin.name)),
                    With::Author | With::Split => format!("the {} {}", kin.with.word(), short(kin.name)),
                };
                (kin.with.finding(), with, kin.mine)
            }
        };
        let message =
            format!("{} goes with {with} in {both} of {} rows that have it", self.subject(), self.counts.carriers());
        let value = match self.what {
            What::Label(label, _) => label,
            What::With(kin) => kin.name,
        };
        let mut finding = Finding::new(rule, format!("{name} {} {set} {fields} {value}", self.token), message);
        finding.severity = self.severity;
        finding.confidence = match (self.severity, self.concentrated) {
            (Severity::Error, _) | (Severity::Warning, true) => Confidence::High,
            (Severity::Warning, false) => Confidence::Medium,
            (Severity::Note, _) => Confidence::Low,
        };
        finding.help = match self.what {
            What::Label(..) => {
                "set these rows aside and find out who added them: if the characters were put there, so was the label"
            }
            What::With(_) => "read these rows and ask where they come from: what only one hand writes may be its mark",
        }
        .to_owned();
        (finding.total, finding.marks) = self.places();
        self.evidence(name, set, fields, &mut finding);
        finding
    }

    fn subject(&self) -> String {
        match (class_of(self.token), self.token.starts_with('U')) {
            _ if self.token.starts_with('"') => format!("The look-alike word {}\"", self.token),
            (Some(class), true) => format!("Every kind of {}", class.name()),
            (Some(class), false) => format!("The hidden sequence {} ({})", self.shown(), class.name()),
            (None, _) => format!("The hidden sequence {}", self.shown()),
        }
    }

    /// Rows that a change brings, and the first of them.
    fn places(&self) -> (u64, Vec<Mark>) {
        if let What::Label(_, of) = self.what {
            return (of.fresh, of.marks.clone());
        }
        let mut marks: Vec<Mark> = self.carriers.labels.values().flat_map(|of| of.marks.iter().cloned()).collect();
        marks.sort();
        marks.truncate(PLACES);
        (self.carriers.spread.fresh, marks)
    }

    fn evidence(&self, name: &'static str, set: &str, fields: &str, finding: &mut Finding) {
        let evidence = &mut finding.evidence;
        self.counts.tell(self.tests, evidence);
        evidence.extend([
            ("finding", json!(name)),
            ("dataset", json!(set)),
            ("fields", json!(fields)),
            ("sequence", json!(self.token.trim_start_matches('"'))),
            ("excused_by_context", json!(self.quiet)),
            ("p", power_of_ten(self.chance)),
            ("carrier_files", json!(self.carriers.spread.files())),
            ("concentrated", json!(self.concentrated)),
        ]);
        if let What::Label(label, _) = self.what {
            evidence.insert("label", json!(label));
        }
        for kin in &self.kin {
            evidence.insert(kin.with.word(), json!(kin.name));
            evidence.insert(kin.with.carriers(), json!(kin.mine));
        }
        let class = class_of(self.token).map(|class| (class.id(), class.name()));
        let class = class.or_else(|| self.token.starts_with('"').then_some(("U30", "look-alike word")));
        if let Some((id, name)) = class {
            evidence.insert("class", json!(id));
            evidence.insert("class_name", json!(name));
        }
        let points: Vec<String> = points(self.token).map(|c| format!("U+{:04X}", u32::from(c))).collect();
        if !points.is_empty() {
            evidence.insert("code_points", Value::from(points));
        }
    }

    fn shown(&self) -> String {
        let mut shown: String = points(self.token).map(|c| format!("<U+{:04X}>", u32::from(c))).collect();
        for place in [START, END] {
            if self.token.contains(place) {
                shown.push_str(place);
            }
        }
        shown
    }
}

/// The code points of a sequence, or those of a word that are not ASCII.
fn points(token: &str) -> impl Iterator<Item = char> {
    let word = token.strip_prefix('"');
    let sequence = token.split(' ').filter(move |_| word.is_none());
    let sequence = sequence.filter_map(|digits| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
    sequence.chain(word.unwrap_or_default().chars().filter(|c| !c.is_ascii()))
}

fn class_of(token: &str) -> Option<Class> {
    match token.as_bytes().first() {
        Some(b'"') => None,
        Some(b'U') => Class::ALL.into_iter().find(|class| class.id() == token),
        _ => points(token).find_map(wide_class_of),
    }
}
