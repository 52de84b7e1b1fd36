//! What the policy makes of findings: severities, exceptions, the baseline.
//!
//! Exceptions and baseline act on places (law 7): a cause of which every place is accepted is gone, and one that has
//! gained a place stays, with what is new.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString};

use crate::finding::{Evidence, Finding, MAX_MARKS, Mark};
use crate::policy::baseline::{Baseline, unlisted};
use crate::policy::{Exception, Policy, glob};
use crate::rule::Severity;
use crate::span::{BlobId, Span};

/// What is left of the findings.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What nobody has accepted. Their marks are not cut to [`MAX_MARKS`] yet; [`cut`] does that.
    pub(crate) findings: Vec<Finding>,
    /// Places that an exception or the baseline accepts.
    pub(crate) accepted: u64,
    /// Exceptions and entries of the baseline that no longer do what they say.
    pub(crate) stale: Vec<Stale>,
}

/// An exception or an entry of the baseline that no longer does what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stale {
    /// One sentence.
    pub(crate) message: String,
    /// Where, in the policy; `None` for the baseline.
    pub(crate) span: Option<Span>,
}

/// How much of the repository was judged.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Extent {
    /// What a change brought. Numbers of places that are not listed mean nothing here.
    Change,
    /// Some files, as they are.
    Some,
    /// Everything: only now can an exception be said to match nothing.
    Whole,
}

/// Applies the policy in force and its baseline.
///
/// Checks list up to [`MAX_MARKS`] places of each blob (not of all together), so that a file far back in the order of
/// paths is not hidden behind accepted ones.
pub(crate) fn apply(
    findings: Vec<Finding>,
    policy: &Policy,
    baseline: &Baseline,
    extent: Extent,
    path_of: &dyn Fn(BlobId) -> BString,
) -> Applied {
    let mut findings: Vec<Finding> =
        findings.into_iter().filter_map(|finding| judged(finding, policy, path_of)).collect();
    let exceptions = Exceptions::new(policy, &findings, path_of);
    let mut left = Budget::new(baseline);
    let mut accepted = 0;
    findings.retain_mut(|finding| {
        let before = finding.total.max(finding.marks.len() as u64).max(1);
        let excused = exceptions.excused(finding, path_of);
        let rest = if excused.rest { 0 } else { unlisted(finding) };
        let marks = std::mem::take(&mut finding.marks).into_iter().zip(&excused.marks);
        finding.marks = marks.filter_map(|(mark, excused)| (!excused).then_some(mark)).collect();
        let rest = left.accept(finding, rest, extent, path_of);
        let total = finding.marks.len() as u64 + rest;
        let gone = before.saturating_sub(total);
        accepted += gone;
        if gone > 0 && total > 0 {
            finding.total = total;
            finding.evidence.insert("accepted", gone.into());
        }
        total > 0
    });
    let mut stale = exceptions.stale(extent == Extent::Whole);
    if extent == Extent::Whole {
        stale.extend(left.stale(policy));
    }
    Applied { findings, accepted, stale }
}

/// What of a baseline is still in use: a place that was mended is no longer accepted when it comes back.
pub(crate) fn shrunk(baseline: &Baseline, findings: &[Finding], path_of: &dyn Fn(BlobId) -> BString) -> Baseline {
    let mut left = Budget::new(baseline);
    for finding in findings {
        let mut finding = finding.clone();
        let rest = unlisted(&finding);
        left.accept(&mut finding, rest, Extent::Whole, path_of);
    }
    baseline.with_counts(|rule, print| left.taken.get(&(rule, print)).copied().unwrap_or(0))
}

/// Cuts the places of every finding to those that are shown. Their number stays in `total`.
pub(crate) fn cut(findings: &mut [Finding]) {
    for finding in findings {
        finding.total = finding.total.max(finding.marks.len() as u64);
        finding.marks.truncate(MAX_MARKS);
    }
}

/// The finding with the severity that the policy gives it; `None` where its rule is off.
///
/// Lowering lowers everything. Raising raises what is worth a warning, or the rule's own severity; notes below that
/// (documentation, tests, what is mostly honest) stay notes. The policy of a folder may raise what lies in it, also out of `off`.
fn judged(mut finding: Finding, policy: &Policy, path_of: &dyn Fn(BlobId) -> BString) -> Option<Finding> {
    let rule = finding.rule;
    let of_folder = |mark: &Mark| policy.folder_severity(rule.id, path_of(mark.place.blob).as_ref());
    let of_folder = |mark: &Mark| if policy.folders.is_empty() { None } else { of_folder(mark) };
    match policy.severity(rule) {
        None => {}
        Some(Some(severity)) => {
            let soft = finding.severity < rule.severity.min(Severity::Warning);
            finding.severity = if soft { finding.severity.min(severity) } else { severity };
        }
        Some(None) => {
            finding.marks.retain(|mark| of_folder(mark).is_some());
            finding.total = finding.marks.len() as u64;
            finding.severity = finding.marks.iter().filter_map(of_folder).max()?;
        }
    }
    let raised = finding.marks.iter().filter_map(of_folder).max();
    finding.severity = finding.severity.max(raised.unwrap_or(finding.severity));
    Some(finding)
}

/// The exceptions of a policy, and what each of them met.
struct Exceptions<'p> {
    policy: &'p Policy,
    /// Places that each matches, whether it is in force or not.
    matched: Vec<u64>,
}

struct Excused {
    /// For each mark, whether it is.
    marks: Vec<bool>,
    /// Whether the places that are not listed are.
    rest: bool,
}

impl<'p> Exceptions<'p> {
    fn new(policy: &'p Policy, findings: &[Finding], path_of: &dyn Fn(BlobId) -> BString) -> Self {
        let mut matched = vec![0; policy.exceptions.len()];
        for finding in findings {
            let prints = Prints::new(policy, finding, path_of);
            for (exception, matched) in policy.exceptions.iter().zip(&mut matched) {
                if let Some(reach) = reach(exception, finding, &prints) {
                    *matched += reach.marks.iter().filter(|hit| **hit).count() as u64;
                    *matched += if reach.rest { unlisted(finding) } else { 0 };
                }
            }
        }
        Self { policy, matched }
    }

    fn holds(&self, index: usize) -> bool {
        let exception = &self.policy.exceptions[index];
        !self.expired(exception) && exception.count.is_none_or(|count| self.matched[index] <= count)
    }

    fn expired(&self, exception: &Exception) -> bool {
        exception.until.is_some_and(|until| until < self.policy.as_of)
    }

    fn excused(&self, finding: &Finding, path_of: &dyn Fn(BlobId) -> BString) -> Excused {
        let mut all = Excused { marks: vec![false; finding.marks.len()], rest: false };
        let prints = Prints::new(self.policy, finding, path_of);
        for (index, exception) in self.policy.exceptions.iter().enumerate() {
            if exception.rule != finding.rule.id || !self.holds(index) {
                continue;
            }
            if let Some(reach) = reach(exception, finding, &prints) {
                all.marks.iter_mut().zip(&reach.marks).for_each(|(mark, hit)| *mark |= hit);
                all.rest |= reach.rest;
            }
        }
        all
    }

    fn stale(&self, full: bool) -> Vec<Stale> {
        let mut stale = Vec::new();
        for (index, exception) in self.policy.exceptions.iter().enumerate() {
            let matched = self.matched[index];
            let off =
                self.policy.rules.iter().any(|block| block.rule == exception.rule && block.severity == Some(None));
            let message = if self.expired(exception) {
                // That it has ended is a finding of its own; this says why what it excused is told again.
                if matched == 0 {
                    continue;
                }
                let until = exception.until.expect("only what has an end expires");
                let Exception { rule, owner, .. } = exception;
                format!("the exception for `{rule}` ended on {until} and no longer counts; {owner} answers for it")
            } else if let Some(count) = exception.count.filter(|count| matched > *count) {
                format!(
                    "the exception for `{}` accepts {count} and {matched} were found, so that it accepts none of them",
                    exception.rule
                )
            } else if full && matched == 0 && !off {
                format!("the exception for `{}` matches nothing any more", exception.rule)
            } else {
                continue;
            };
            stale.push(Stale { message, span: Some(exception.span) });
        }
        stale
    }
}

/// Paths and fingerprints of a finding, made once for all exceptions, and only where one of them may need them.
#[derive(Default)]
struct Prints {
    paths: Vec<BString>,
    cause: String,
    marks: Vec<String>,
}

impl Prints {
    fn new(policy: &Policy, finding: &Finding, path_of: &dyn Fn(BlobId) -> BString) -> Self {
        let of_rule = || policy.exceptions.iter().filter(|exception| exception.rule == finding.rule.id);
        if of_rule().next().is_none() {
            return Self::default();
        }
        let paths: Vec<BString> = finding.marks.iter().map(|mark| path_of(mark.place.blob)).collect();
        if of_rule().all(|exception| exception.fingerprints.is_empty()) {
            return Self { paths, ..Self::default() };
        }
        let marks = finding.marks.iter().zip(&paths).map(|(mark, path)| finding.place_fingerprint(path, mark));
        Self { cause: finding.fingerprint(), marks: marks.collect(), paths }
    }
}

/// Which places of a finding an exception speaks of; `None` where it does not speak of the finding.
fn reach(exception: &Exception, finding: &Finding, prints: &Prints) -> Option<Excused> {
    if exception.rule != finding.rule.id || !allows_code_points(&exception.code_points, &finding.evidence) {
        return None;
    }
    let cause = exception.fingerprints.is_empty() || exception.fingerprints.contains(&prints.cause);
    let place = |at: usize| {
        let here = exception.files.as_ref().is_none_or(|files| glob::matches(files, prints.paths[at].as_ref()));
        here && (cause || exception.fingerprints.contains(&prints.marks[at]))
    };
    let marks: Vec<bool> = (0..finding.marks.len()).map(place).collect();
    let rest = cause && unlisted(finding) > 0 && covers_rest(exception, finding, &marks);
    (rest || marks.contains(&true)).then_some(Excused { marks, rest })
}

/// Whether the places that a finding does not list are covered too. They lie in the blobs of which as many places are
/// listed as ever are, so those must be covered to the last one.
fn covers_rest(exception: &Exception, finding: &Finding, marks: &[bool]) -> bool {
    if exception.files.is_none() {
        return true;
    }
    let mut by_blob: BTreeMap<BlobId, (usize, bool)> = BTreeMap::new();
    for (mark, hit) in finding.marks.iter().zip(marks) {
        let (listed, covered) = by_blob.entry(mark.place.blob).or_insert((0, true));
        *listed += 1;
        *covered &= hit;
    }
    let mut crowded = by_blob.values().filter(|(listed, _)| *listed >= MAX_MARKS).peekable();
    crowded.peek().is_some() && crowded.all(|(_, covered)| *covered)
}

/// Whether every code point of the finding is one of those that are allowed.
fn allows_code_points(allowed: &[u32], evidence: &Evidence) -> bool {
    if allowed.is_empty() {
        return true;
    }
    let Some(found) = evidence.get("code_points").and_then(|list| list.as_array()) else { return false };
    !found.is_empty()
        && found.iter().all(|point| {
            let digits = point.as_str().and_then(|text| text.strip_prefix("U+"));
            digits.and_then(|d| u32::from_str_radix(d, 16).ok()).is_some_and(|n| allowed.binary_search(&n).is_ok())
        })
}

/// What is left of the baseline while places take from it.
struct Budget<'b> {
    baseline: &'b Baseline,
    /// By rule and fingerprint.
    taken: BTreeMap<(&'b str, &'b str), u64>,
}

impl<'b> Budget<'b> {
    fn new(baseline: &'b Baseline) -> Self {
        Self { baseline, taken: BTreeMap::new() }
    }

    /// Takes away the marks of a finding that are accepted. Gives what is left of the `rest` places that are not listed.
    fn accept(
        &mut self,
        finding: &mut Finding,
        mut rest: u64,
        extent: Extent,
        path_of: &dyn Fn(BlobId) -> BString,
    ) -> u64 {
        if self.baseline.is_empty() {
            return rest;
        }
        let mut marks = std::mem::take(&mut finding.marks);
        let mut known = BTreeSet::new();
        marks.retain(|mark| {
            let accepted = self.take(finding, path_of(mark.place.blob).as_ref(), mark);
            if accepted {
                known.insert(mark.place.blob);
            }
            !accepted
        });
        if extent != Extent::Change {
            rest -= self.take_rest(finding, rest);
            // Where places before them were mended, some that were not listed are now: in a file that is known.
            marks.retain(|mark| !known.contains(&mark.place.blob) || self.take_rest(finding, 1) == 0);
        }
        finding.marks = marks;
        rest
    }

    fn take(&mut self, finding: &Finding, path: &BStr, mark: &Mark) -> bool {
        self.some(finding.rule.id, &finding.place_fingerprint(path, mark), 1) == 1
    }

    fn take_rest(&mut self, finding: &Finding, wanted: u64) -> u64 {
        if wanted == 0 {
            return 0;
        }
        self.some(finding.rule.id, &finding.fingerprint(), wanted)
    }

    fn some(&mut self, rule: &str, print: &str, wanted: u64) -> u64 {
        let Some((rule, print, all)) = self.baseline.entry(rule, print) else { return 0 };
        let taken = self.taken.entry((rule, print)).or_default();
        let given = wanted.min(all - *taken);
        *taken += given;
        given
    }

    /// One sentence about all entries that match nothing.
    fn stale(&self, policy: &Policy) -> Option<Stale> {
        let mut unused: BTreeMap<&str, u64> = BTreeMap::new();
        for (rule, print, count) in self.baseline.iter() {
            let off = policy.rules.iter().any(|block| block.rule == rule && block.severity == Some(None));
            let rest = count - self.taken.get(&(rule, print)).copied().unwrap_or(0);
            if rest > 0 && !off {
                *unused.entry(rule).or_default() += rest;
            }
        }
        if unused.is_empty() {
            return None;
        }
        let places: u64 = unused.values().sum();
        let by_rule: Vec<String> = unused.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        let message = format!(
            "{places} {} of {} match nothing any more ({}); `foretaste baseline` takes them away",
            if places == 1 { "place" } else { "places" },
            super::BASELINE,
            by_rule.join(", ")
        );
        Some(Stale { message, span: None })
    }
}

#[cfg(test)]
mod tests;
