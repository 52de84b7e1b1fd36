use bstr::BStr;
use jiff::civil::date;

use super::*;
use crate::format::{Blob, Decoded, Encoding, Offsets, Records, Sink};
use crate::policy::Limits;
use crate::span::{At, BlobId, Fresh, Span};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn policy(text: &str) -> Policy {
    let known = crate::policy::Known { rule: &RULES[0], settings: RULES[0].id };
    Policy::parse("foretaste.yaml", &format!("version: 1\n{text}"), date(2026, 11, 1), &[known])
        .expect("the policy is right")
}

/// Shows the references of files to the check, as the engine does.
struct Show<'s>(&'s UnpinnedReference, &'s mut Seen);

impl Sink for Show<'_> {
    fn records(&mut self, _: &Records<'_>) {}
    fn references(&mut self, references: &References<'_>) {
        self.0.observe(self.1, &Observation::References(references));
    }
}

fn found(policy: &Policy, files: &[(&str, &str, Fresh)]) -> Vec<Finding> {
    let settings = policy.settings(RULES[0].id).expect("the settings are right");
    let check = UnpinnedReference::new(settings, policy);
    let mut seen = Seen::default();
    for (number, (path, text, fresh)) in files.iter().enumerate() {
        let lens = policy.lens(BStr::new(path));
        let text = text.replace("SHA", SHA);
        let decoded = Decoded { bytes: text.as_bytes().into(), offsets: Offsets::Same, encoding: Encoding::Utf8 };
        let blob = Blob { id: BlobId(number as u32), path: BStr::new(path), lens: &lens, decoded: &decoded, fresh };
        // Each file apart, then merged, as threads do.
        let mut one = Seen::default();
        crate::format::read(&blob, &Limits::default(), &mut Show(&check, &mut one)).expect("the file can be read");
        seen.merge(one);
    }
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    findings
}

fn told(policy: &Policy, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, *text, Fresh::All)).collect();
    let line = |finding: &Finding| {
        format!(
            "{} {} x{}",
            finding.severity.as_str(),
            finding.evidence["finding"].as_str().unwrap_or(""),
            finding.total
        ) + &format!(" {}", finding.evidence["target"].as_str().unwrap_or(""))
    };
    found(policy, &files).iter().map(line).collect()
}

#[test]
fn one_finding_for_each_dataset_with_all_its_places() {
    let files = [
        ("configs/a.yaml", "base_model: acme/base\nadapter: lora\ndatasets:\n- path: acme/set\n"),
        (
            "configs/b.yaml",
            "base_model: acme/base\nrevision_of_model: SHA\nadapter: lora\ndatasets:\n- path: acme/set\n",
        ),
        ("docs/use.md", "```python\nload_dataset('acme/set')\nload_dataset('acme/shown')\n```\n"),
        ("tests/test_a.py", "load_dataset('acme/tested')\n"),
        ("lib/load.py", "AutoModel.from_pretrained('acme/coded')\nload_dataset('acme/tagged', revision='v1')\n"),
    ];
    assert_eq!(
        told(&policy(""), &files),
        [
            "error unpinned-dataset x3 acme/set",
            "note unpinned-dataset x1 acme/shown",
            "warning weak-pin x1 acme/tagged",
            "error unpinned-model x1 acme/base",
            "warning unpinned-model x1 acme/coded",
        ]
    );
}

#[test]
fn settings_move_documentation_and_tests() {
    let policy = policy("rules: {unpinned-reference: {docs: \"off\", tests: warning}}\n");
    let files = [
        ("a.md", "```python\nload_dataset('acme/shown')\n```\n"),
        ("tests/test_a.py", "load_dataset('acme/tested')\n"),
    ];
    assert_eq!(told(&policy, &files), ["warning unpinned-dataset x1 acme/tested"]);
}

#[test]
fn code_of_the_other_side_is_a_finding_of_its_own() {
    let text = "from_pretrained('acme/a', trust_remote_code=True)\nAutoModel.from_pretrained('acme/a', trust_remote_code=True)\n\
                AutoModel.from_pretrained('acme/b', revision='SHA', trust_remote_code=True)\nAutoModel.from_pretrained('./c', trust_remote_code=True)\n";
    assert_eq!(
        told(&policy(""), &[("train.py", text)]),
        ["error unpinned-model x2 acme/a", "error remote-code x2 acme/a", "warning remote-code x1 acme/b"]
    );
}

#[test]
fn a_source_that_asks_for_a_commit_makes_a_tag_an_error() {
    let policy = policy("sources:\n  a: {match: {hub: \"huggingface:acme/*\"}, pin: commit}\n");
    assert_eq!(told(&policy, &[("train.py", "load_dataset('acme/a', revision='v1')")]), ["error weak-pin x1 acme/a"]);
}

#[test]
fn only_what_a_change_brought_speaks() {
    let text = "load_dataset('acme/old')\nload_dataset('acme/new')\n";
    let at = text.find("acme/new").expect("it is there") as u64;
    let fresh = Fresh::Only(vec![Span::new(at - 15, at + 10)]);
    let findings = found(&policy(""), &[("train.py", text, fresh)]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].marks[0].place.at, At::Bytes(Span::new(at, at + 8)));
    assert_eq!(findings[0].marks[0].field.as_deref(), Some("load_dataset"));
    assert!(findings[0].help.contains("revision="));
}

#[test]
fn a_place_is_known_again_after_its_line_has_moved() {
    let one = found(&policy(""), &[("train.py", "load_dataset('acme/set')\n", Fresh::All)]);
    let two = found(&policy(""), &[("train.py", "\n\n\nload_dataset('acme/set')\n", Fresh::All)]);
    assert_eq!(one[0].fingerprint(), two[0].fingerprint());
    let place = |finding: &Finding| finding.place_fingerprint(b"train.py", &finding.marks[0]);
    assert_eq!(place(&one[0]), place(&two[0]));
}

#[test]
fn long_names_are_cut_in_the_middle() {
    let long = format!("https://data.acme.org/{}/train.csv", "x".repeat(200));
    assert_eq!(short(&long).chars().count(), 60);
    assert_eq!(short("acme/set"), "acme/set");
}
