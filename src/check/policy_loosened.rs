//! `policy-loosened`: a change that permits more than the policy in force.

use super::{Check, Configured, Merge, NoSettings, Observation};
use crate::finding::{Finding, Mark, content_hash};
use crate::policy::loosened::{Loosened, Places, loosened};
use crate::policy::signature::rotation::rotation;
use crate::policy::trust::Proposed;
use crate::policy::{Key, Policy, Require};
use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

const STRICT: &str = "\
version: 1
sources:
  tickets: {match: {path: \"data/**\"}, pin: lock}
require: {signatures: 1}
rules:
  policy-loosened: {severity: error}
";

static RULES: [Rule; 1] = [Rule {
    id: "policy-loosened",
    revision: 1,
    severity: Severity::Warning,
    confidence: Confidence::High,
    layer: Layer::Sources,
    gates: true,
    summary: "a change permits more than the policy in force",
    manual: Manual {
        what: "Compares the policy that a change proposes with the one on the trusted side and tells everything that it \
               permits in addition: severities lowered or turned off, settings of rules that change, exceptions, sources \
               and keys that are added, widened or prolonged, requirements lowered, paths excluded, limits raised, a \
               baseline that grows, datasets that lose files or labels.",
        why: "Whoever wants poisoned rows to pass changes the rules first, in the same change or in a small one before \
              it. What permits something counts only once it has landed on the trusted side, and this finding is what a \
              reviewer sees until then.",
        bad: &[
            Example {
                title: "a rule is turned off and a folder is excluded",
                base: &[("foretaste.yaml", STRICT)],
                files: &[(
                    "foretaste.yaml",
                    "\
version: 1
sources:
  tickets: {match: {path: \"data/**\"}, pin: lock}
require: {signatures: 1}
rules:
  policy-loosened: \"off\"
exclude: [data/new/]
",
                )],
            },
            Example {
                title: "the allowlist and the signatures are taken away",
                base: &[("foretaste.yaml", STRICT)],
                files: &[("foretaste.yaml", "version: 1\n")],
            },
        ],
        good: &[Example {
            title: "more is required, and a dataset is described",
            base: &[("foretaste.yaml", STRICT)],
            files: &[(
                "foretaste.yaml",
                "\
version: 1
datasets:
  intents: {files: [\"data/*.jsonl\"], text: text, label: intent}
sources:
  tickets: {match: {path: \"data/**\"}, pin: lock}
require: {signatures: 2}
rules:
  policy-loosened: {severity: error}
",
            )],
        }],
        fix: "Have somebody who answers for the policy review each line; once the change has landed, it counts and is no \
              longer reported. Put the policy under the protection of code owners, or set `require: {policy_change: \
              true}` to make this an error.",
        misses: "Whether a setting of a rule that changes is weaker or stronger; only the rule knows, so every change of \
                 one is told. A widened glob is told as what it is now and was before, and not as the files that it adds. \
                 What a policy given by `--policy` permits is not compared with anything.",
    },
    tags: frameworks::INTEGRITY,
}];

/// See the manual of its rule.
/// See the manual of its rule.
#[derive(Debug)]
pub(crate) struct PolicyLoosened {
    keys: Vec<Key>,
    require: Require,
    as_of: jiff::civil::Date,
}

/// What a change loosens, and whether enough people have signed it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    findings: Vec<Finding>,
    signed: bool,
}

impl Merge for Seen {
    fn merge(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.signed |= other.signed;
    }
}

impl Configured for PolicyLoosened {
    type Settings = NoSettings;

    fn new(_: NoSettings, policy: &Policy) -> Self {
        Self { keys: policy.keys.clone(), require: policy.require.clone(), as_of: policy.as_of }
    }
}

impl Check for PolicyLoosened {
    const RULES: &'static [Rule] = &RULES;
    type Seen = Seen;

    fn observe(&self, seen: &mut Seen, observation: &Observation<'_>) {
        match observation {
            Observation::Policy(proposed) => {
                let default = |id: &str| super::rule(id).map(|rule| rule.severity);
                seen.findings.extend(loosened(proposed, &default).into_iter().map(|found| finding(found, proposed)));
            }
            Observation::Lock(locked) => {
                let rotation = rotation(locked, &self.keys, &self.require, self.as_of);
                seen.signed |= rotation.is_some_and(|rotation| rotation.is_enough());
            }
            _ => {}
        }
    }

    fn finish(&self, mut seen: Seen, findings: &mut Vec<Finding>) {
        if seen.signed {
            // Those whom the policy asks stand up for it: it is told, and does not stop the change.
            for finding in &mut seen.findings {
                finding.severity = finding.severity.min(Severity::Warning);
                finding.evidence.insert("signed", true.into());
            }
        }
        findings.append(&mut seen.findings);
    }
}

fn finding(found: Loosened, proposed: &Proposed<'_>) -> Finding {
    let content = content_hash(found.cause.as_bytes());
    let mut finding = Finding::new(&RULES[0], found.cause, found.message);
    finding.severity = if proposed.first {
        Severity::Note
    } else if proposed.before.require.policy_change {
        Severity::Error
    } else {
        Severity::Warning
    };
    finding.help = "have somebody who answers for the policy review this; it counts once it has landed".into();
    finding.evidence.insert("part", found.part.into());
    finding.evidence.insert("first_policy", proposed.first.into());
    match found.places {
        Places::Policy(span) => {
            finding.total = 1;
            if let (Some(file), Some(span)) = (proposed.file, span) {
                finding.marks.push(Mark { content, ..Mark::bytes(file, span) });
            }
        }
        Places::Baseline(entries) => {
            let added: u64 = entries.iter().map(|(_, added)| added).sum();
            finding.evidence.insert("added", added.into());
            finding.total = entries.len() as u64;
            if let Some(file) = proposed.baseline_file {
                let marks = entries.iter().map(|(span, added)| {
                    let note = if *added == 1 { "1 place".to_owned() } else { format!("{added} places") };
                    Mark { content, ..Mark::bytes(file, *span) }.with_note(note)
                });
                finding.marks.extend(marks.take(crate::finding::MAX_MARKS));
            }
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::baseline::Baseline;
    use crate::policy::trust::{Side, Sides, Trusted, judge};
    use crate::span::{At, BlobId};

    /// The findings of a change from one policy to another.
    fn run(before: Option<&str>, after: Option<&str>) -> Vec<Finding> {
        let side = |policy| Side { policy, ..Side::default() };
        let sides =
            Sides { from: Trusted::Base, trusted: side(before), judged: Some(side(after)), head: None, flag: None };
        let judgement = judge(&sides, jiff::civil::date(2026, 11, 23), &crate::check::known()).unwrap();
        let mut findings = Vec::new();
        if let Some(proposed) = judgement.proposed(after.map(|_| BlobId(3)), None) {
            let check = PolicyLoosened::new(NoSettings {}, &judgement.policy);
            let mut seen = Seen::default();
            check.observe(&mut seen, &Observation::Policy(&proposed));
            check.finish(seen, &mut findings);
        }
        findings
    }

    #[test]
    fn the_examples_of_the_manual_are_what_it_says() {
        let manual = &RULES[0].manual;
        let text =
            |files: &[(&str, &'static str)]| files.iter().find(|(path, _)| *path == "foretaste.yaml").map(|(_, t)| *t);
        for example in manual.bad {
            assert!(!run(text(example.base), text(example.files)).is_empty(), "{}", example.title);
        }
        for example in manual.good {
            assert!(run(text(example.base), text(example.files)).is_empty(), "{}", example.title);
        }
    }

    #[test]
    fn the_schema_of_the_policy_holds_the_settings_of_every_check() {
        let schema = crate::check::policy_schema();
        assert!(jsonschema::validator_for(&schema).is_ok());
        for rule in crate::check::rules() {
            assert!(schema["properties"]["rules"]["properties"][rule.id].is_object(), "{}", rule.id);
        }
    }

    #[test]
    fn each_loosened_thing_is_a_finding_at_its_place() {
        let example = &RULES[0].manual.bad[0];
        let after = example.files[0].1;
        let findings = run(Some(STRICT), Some(after));
        let shown: Vec<_> = findings
            .iter()
            .map(|f| {
                let At::Bytes(span) = f.marks[0].place.at else { panic!("bytes") };
                (f.message.as_str(), std::str::from_utf8(span.of(after.as_bytes())).unwrap(), f.severity)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("`policy-loosened` is turned off; it was error", "policy-loosened", Severity::Warning),
                ("`data/new/` is excluded: nothing in it is judged any more", "data/new/", Severity::Warning),
            ]
        );
        let prints: std::collections::BTreeSet<String> = findings.iter().map(Finding::fingerprint).collect();
        assert_eq!(prints.len(), 2);
    }

    #[test]
    fn the_first_policy_is_a_note_and_a_protected_one_an_error() {
        let after = "version: 1\nexclude: [x]\n";
        assert_eq!(run(None, Some(after))[0].severity, Severity::Note);
        assert_eq!(run(Some("version: 1\n"), Some(after))[0].severity, Severity::Warning);
        let protected = "version: 1\nrequire: {policy_change: true}\n";
        let kept = "version: 1\nrequire: {policy_change: true}\nexclude: [x]\n";
        assert_eq!(run(Some(protected), Some(kept))[0].severity, Severity::Error);
        // Whoever loosens the protection itself is judged by it.
        assert_eq!(
            run(Some(protected), Some(after)).iter().map(|f| f.severity).collect::<Vec<_>>(),
            [Severity::Error; 2]
        );
    }

    #[test]
    fn a_deleted_policy_has_no_place_and_is_still_told() {
        let findings = run(Some(STRICT), None);
        assert_eq!((findings.len(), findings[0].marks.len(), findings[0].total), (1, 0, 1));
    }

    #[test]
    fn a_baseline_that_grows_points_at_its_entries() {
        let print = "0123456789abcdef0123456789abcdef";
        let text = format!("# foretaste baseline, version 1\nlabel-flip {print} 2 x\n");
        let after = Baseline::parse("b", &text).unwrap();
        let policy = Policy::builtin(jiff::civil::date(2026, 11, 23));
        let none = Baseline::default();
        let proposed = Proposed {
            before: &policy,
            after: &policy,
            baseline_before: &none,
            baseline_after: &after,
            first: false,
            file: None,
            baseline_file: Some(BlobId(1)),
        };
        let mut seen = Seen::default();
        PolicyLoosened::new(NoSettings {}, &policy).observe(&mut seen, &Observation::Policy(&proposed));
        assert_eq!(seen.findings[0].message, "the baseline accepts 2 more places of `label-flip`");
        assert_eq!(seen.findings[0].marks[0].note.as_deref(), Some("2 places"));
    }
}
