use bstr::BStr;
use jiff::civil::date;

use super::*;
use crate::format::{Blob, Decoded, Encoding, Offsets, Records, Sink};
use crate::policy::{Known, Limits};
use crate::source::{Content, Entry, Mode};
use crate::span::{BlobId, Fresh};

const SOURCES: &str = "version: 1\ndatasets:\n  told: {files: [\"data/told/*.jsonl\"], source: labels}\n  untold: {files: [\"data/untold/*.jsonl\"]}\n\
    \x20 covered: {files: [\"data/covered/*.jsonl\"]}\nsources:\n  labels: {match: {path: \"labels/**\"}, expires: 2026-06-01}\n\
    \x20 covered: {match: {path: \"data/covered/**\"}}\n  base: {match: {hub: \"huggingface:meta-llama/Llama-3.2-1B\"}}\n\
    \x20 old: {match: {hub: \"huggingface:acme/old\"}, expires: 2026-10-31}\n  site: {match: {url: \"https://data.acme.org/\"}}\n";

fn policy(text: &str) -> Policy {
    let known = Known { rule: &RULES[0], settings: RULES[0].id };
    Policy::parse("foretaste.yaml", text, date(2026, 11, 1), &[known]).expect("the policy is right")
}

struct Show<'s>(&'s UnlistedSource, &'s mut Seen);

impl Sink for Show<'_> {
    fn records(&mut self, _: &Records<'_>) {}
    fn references(&mut self, references: &References<'_>) {
        self.0.observe(self.1, &Observation::References(references));
    }
}

fn found(policy: &Policy, files: &[(&str, &str)]) -> Vec<Finding> {
    let check = UnlistedSource::new(Settings::default(), policy);
    let mut seen = Seen::default();
    let entries: Vec<Entry> = files
        .iter()
        .map(|(path, _)| Entry {
            path: (*path).into(),
            mode: Mode::File,
            content: Some(Content::File(path.into())),
            before: None,
            unchanged: false,
        })
        .collect();
    let list: Vec<_> = entries.iter().enumerate().map(|(n, entry)| (BlobId(n as u32), entry)).collect();
    check.observe(&mut seen, &Observation::Files(&Files { list: &list, branch: None }));
    for (number, (path, text)) in files.iter().enumerate() {
        let lens = policy.lens(BStr::new(path));
        let decoded = Decoded { bytes: text.as_bytes().into(), offsets: Offsets::Same, encoding: Encoding::Utf8 };
        let blob = Blob {
            id: BlobId(number as u32),
            path: BStr::new(path),
            lens: &lens,
            decoded: &decoded,
            fresh: &Fresh::All,
        };
        let mut one = Seen::default();
        crate::format::read(&blob, &Limits::default(), &mut Show(&check, &mut one)).expect("the file can be read");
        seen.merge(one);
    }
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    findings
}

fn told(policy: &Policy, files: &[(&str, &str)]) -> Vec<String> {
    let line = |finding: &Finding| {
        let of = |key: &str| finding.evidence.get(key).and_then(|value| value.as_str()).unwrap_or("").to_owned();
        format!(
            "{} {} {}",
            finding.severity.as_str(),
            of("finding"),
            [of("target"), of("dataset"), of("source")].concat()
        )
    };
    found(policy, files).iter().map(line).collect()
}

#[test]
fn what_no_source_matches_is_found_where_it_is_named() {
    let text = "load_dataset('somebody/set', revision='0123456789abcdef0123456789abcdef01234567')\n\
                AutoModel.from_pretrained('meta-llama/Llama-3.2-1B')\nload_dataset('./data/local')\nload_dataset(args.name)\n\
                pd.read_csv('https://data.acme.org/x.csv')\npd.read_csv('https://data.acme.org.evil.net/x.csv')\n";
    assert_eq!(
        told(&policy(SOURCES), &[("train.py", text)]),
        ["error source-not-allowed somebody/set", "error source-not-allowed https://data.acme.org.evil.net/x.csv"]
    );
    let findings = found(&policy(SOURCES), &[("train.py", text)]);
    assert_eq!(findings[0].marks[0].note.as_deref(), Some("no entry under `sources:` in foretaste.yaml matches this"));
}

#[test]
fn imitations_are_called_out() {
    let text = "AutoModel.from_pretrained('meta-1lama/Llama-3.2-1B')\nload_dataset('meta_llama/x')\nload_dataset('met\u{0430}-llama/x')\n";
    let findings = found(&policy(SOURCES), &[("train.py", text)]);
    let ids: Vec<_> = findings.iter().map(|finding| finding.evidence["finding"].as_str().unwrap_or("")).collect();
    assert_eq!(ids, ["look-alike-org"; 3], "{findings:?}");
    assert!(findings.iter().all(|finding| finding.message.contains("looks like the allowed `meta-llama`")));
}

#[test]
fn what_looks_like_a_placeholder_is_judged_by_the_list() {
    assert_eq!(
        told(&policy(SOURCES), &[("train.py", "load_dataset('my-org/set')\n")]),
        ["error source-not-allowed my-org/set"]
    );
    assert_eq!(
        told(&policy(SOURCES), &[("train.py", "load_dataset('<owner>/set')\nload_dataset('path/to/set')\n")]),
        [""; 0]
    );
}

#[test]
fn an_expired_review_warns_where_its_source_is_used() {
    assert_eq!(told(&policy(SOURCES), &[("train.py", "load_dataset('acme/old')\n")]), ["warning review-expired old"]);
}

#[test]
fn declared_datasets_say_where_they_come_from() {
    let row = "{\"text\": \"a\", \"label\": \"b\"}\n";
    assert_eq!(
        told(
            &policy(SOURCES),
            &[("data/told/a.jsonl", row), ("data/untold/a.jsonl", row), ("data/covered/a.jsonl", row)]
        ),
        ["error source-not-allowed untold", "warning review-expired labels"]
    );
}

#[test]
fn without_a_list_nothing_is_unlisted() {
    let policy = policy("version: 1\ndatasets:\n  untold: {files: [\"data/*.jsonl\"]}\n");
    assert_eq!(
        told(&policy, &[("train.py", "load_dataset('somebody/set')\n"), ("data/a.jsonl", "{\"text\": \"a\"}\n")]),
        [""; 0]
    );
}

#[test]
fn documentation_is_a_note_and_tests_are_left_out() {
    let text = "```python\nload_dataset('somebody/set')\n```\n";
    assert_eq!(told(&policy(SOURCES), &[("docs/a.md", text)]), ["note source-not-allowed somebody/set"]);
    assert_eq!(told(&policy(SOURCES), &[("tests/test_a.py", "load_dataset('somebody/set')\n")]), [""; 0]);
}
