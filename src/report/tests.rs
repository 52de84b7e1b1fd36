//! What holds for all forms.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::escape::is_hidden;
use super::escape::tests::nasty;
use super::sample::{RULES, Sample};
use super::*;
use crate::finding::{Mark, Unread};
use crate::span::{BlobId, Span};

fn human(sample: &Sample, options: &Options) -> String {
    sample.written(Format::Human, options)
}

#[test]
#[cfg(feature = "cli")]
fn people_see_the_row_the_hidden_character_and_the_way_out() {
    assert_snapshot!(human(&Sample::small(), &Options::default()), @r##"
foretaste judged main..topic, 2 commits; policy foretaste.yaml of base 1a2b3c4d1a2b
guessed data/train.jsonl: classification table (text = text, label = label), 9 of 9 records
note: There is no lock yet, so digest-mismatch is off.

data/train.jsonl:2:30 error[invisible-unicode] 4 records hold U+200B ZERO WIDTH SPACE inside of a word
   ╭─[data/train.jsonl:2:30]
 2 │ {"id": 2, "text": "please can<U+200B>cel order 2", "label": "cancel"}
   ·                              ────┬───
   ·                                  ╰── U+200B between two letters
   ╰────
  also data/train.jsonl:4:30  {"id": 4, "text": "please can<U+200B>cel order 4", "label": "cancel"}
  also data/train.jsonl:6:30  {"id": 6, "text": "please can<U+200B>cel order 6", "label": "cancel"}
  also data/train.jsonl:8:30  {"id": 8, "text": "please can<U+200B>cel order 8", "label": "cancel"}
  and 100 more places
  help: Remove the character, or accept it where the writing system needs it.
  to accept it: foretaste accept 1918026ab5f4cab96ba6069fbfdf0efd --reason "…"

data/eval.parquet:1:1 warning[label-flip] "cancel" became "refund" in 1 record
  record 4,097, field label: was "cancel"
  to accept it: foretaste accept dfab99c364685d38e98390bb13bb0004 --reason "…"

not read:
  data/big.bin: lfs object missing

2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read
what a rule means and what to do: `foretaste explain invisible-unicode`
"##);
}

#[test]
#[cfg(feature = "cli")]
fn without_unicode_the_drawing_is_ascii() {
    let options = Options { unicode: false, ..Options::default() };
    let text = human(&Sample::small(), &options);
    let drawing: String = text.lines().skip(5).take(5).collect::<Vec<_>>().join("\n");
    assert_snapshot!(drawing, @r##"
  ,-[data/train.jsonl:2:30]
2 | {"id": 2, "text": "please can<U+200B>cel order 2", "label": "cancel"}
  :                              ^^^^|^^^
  :                                  `-- U+200B between two letters
  `----
"##);
}

#[test]
fn quiet_is_a_line_a_finding_and_silence_where_all_is_well() {
    let options = Options { quiet: true, ..Options::default() };
    assert_snapshot!(human(&Sample::small(), &options), @r##"
data/train.jsonl:2:30 error[invisible-unicode] 4 records hold U+200B ZERO WIDTH SPACE inside of a word
data/eval.parquet:1:1 warning[label-flip] "cancel" became "refund" in 1 record
not read:
  data/big.bin: lfs object missing
2 findings (1 error, 1 warning) in 2 files; 2 files, 1.2 MB, 3,409 records looked at; 1 file that no reader knows as data; 1 not read
"##);
    assert_eq!(human(&Sample::default(), &options), "");
}

#[test]
fn an_empty_scope_is_said_in_one_line() {
    let mut sample = Sample::default();
    sample.looked_at.no_reader = 3;
    assert_eq!(
        human(&sample, &Options::default()).lines().last(),
        Some("nothing to judge: 3 files, none of them data")
    );
    sample.looked_at.files = 1;
    let text = human(&sample, &Options::default());
    assert!(
        text.lines().last().is_some_and(|line| line.starts_with("no findings; 1 file, 0 bytes looked at")),
        "{text}"
    );
}

#[test]
fn colours_are_ours_alone_and_hidden_characters_stand_in_reverse() {
    let options = Options { colour: true, ..Options::default() };
    let text = human(&Sample::small(), &options);
    assert!(text.contains("can\u{1b}[7m<U+200B>\u{1b}[27mcel"), "{text:?}");
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern").replace_all(&text, "").into_owned();
    assert_eq!(plain, human(&Sample::small(), &Options::default()));
}

#[test]
#[cfg(feature = "cli")]
fn a_policy_error_points_at_its_place() {
    let text = "version: 1\ndatsets: {}\n";
    let error = crate::policy::PolicyError {
        message: "unknown key `datsets`".into(),
        help: Some("did you mean `datasets`?".into()),
        file: "foretaste.yaml".into(),
        text: text.into(),
        span: Some(Span::new(11, 18)),
    };
    assert_snapshot!(policy_error(&error, false), @r##"
foretaste.yaml:2:1 error: unknown key `datsets`
   ╭─[foretaste.yaml:2:1]
 2 │ datsets: {}
   · ───────
   ╰────
  help: did you mean `datasets`?
"##);
}

#[test]
fn json_keeps_the_contract() {
    assert_snapshot!(Sample::small().written(Format::Json, &Options::default()), @r##"
{
  "schema": "foretaste/1",
  "findings": [
    {
      "rule": "invisible-unicode",
      "severity": "error",
      "confidence": "high",
      "message": "4 records hold U+200B ZERO WIDTH SPACE inside of a word",
      "help": "Remove the character, or accept it where the writing system needs it.",
      "places": [
        {
          "path": "data/train.jsonl",
          "line": 2,
          "column": 30,
          "byte_start": 91,
          "byte_end": 94,
          "record": 2,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 2,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 2, \"text\": \"please can<U+200B>cel order 2\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 4,
          "column": 30,
          "byte_start": 218,
          "byte_end": 221,
          "record": 4,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 4,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 4, \"text\": \"please can<U+200B>cel order 4\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 6,
          "column": 30,
          "byte_start": 345,
          "byte_end": 348,
          "record": 6,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 6,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 6, \"text\": \"please can<U+200B>cel order 6\", \"label\": \"cancel\"}"
        },
        {
          "path": "data/train.jsonl",
          "line": 8,
          "column": 30,
          "byte_start": 472,
          "byte_end": 475,
          "record": 8,
          "field": "text",
          "note": "U+200B between two letters",
          "end_line": 8,
          "end_column": 31,
          "fingerprint": "4774cd020bd1908bcb6cb6f1e00c0739",
          "untrusted_excerpt": "{\"id\": 8, \"text\": \"please can<U+200B>cel order 8\", \"label\": \"cancel\"}"
        }
      ],
      "evidence": {
        "code_points": [
          "U+200B"
        ],
        "decoded": "p\u200bwn"
      },
      "fingerprint": "1918026ab5f4cab96ba6069fbfdf0efd",
      "total": 104,
      "gates": true,
      "layer": 4,
      "tags": [
        "OWASP LLM04:2025",
        "MITRE ATLAS AML.T0020"
      ]
    },
    {
      "rule": "label-flip",
      "severity": "warning",
      "confidence": "medium",
      "message": "\"cancel\" became \"refund\" in 1 record",
      "help": "",
      "places": [
        {
          "path": "data/eval.parquet",
          "line": 1,
          "column": 1,
          "byte_start": 0,
          "byte_end": 0,
          "record": 4097,
          "field": "label",
          "note": "was \"cancel\"",
          "end_line": 1,
          "end_column": 1,
          "fingerprint": "1fd62a07fec15082350b254083f7862e"
        }
      ],
      "evidence": {},
      "fingerprint": "dfab99c364685d38e98390bb13bb0004",
      "total": 1,
      "gates": true,
      "layer": 4,
      "tags": []
    }
  ],
  "unread": [
    {
      "path": "data/big.bin",
      "reason": "lfs object missing"
    }
  ],
  "looked_at": {
    "files": 2,
    "bytes": 1260000,
    "records": 3409,
    "references": 0,
    "commits": 0,
    "no_reader": 1,
    "excluded": 0,
    "ignored": 0
  },
  "policy": {
    "from": "base",
    "path": "foretaste.yaml",
    "commit": "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
  },
  "scope": "main..topic, 2 commits",
  "exit_code": 1,
  "accepted": 0,
  "not_shown": 0,
  "guesses": [
    {
      "path": "data/train.jsonl",
      "shape": "classification table",
      "fields": [
        {
          "field": "text",
          "role": "text"
        },
        {
          "field": "label",
          "role": "label"
        }
      ],
      "matched": 9,
      "sampled": 9
    }
  ],
  "notes": [
    "There is no lock yet, so digest-mismatch is off."
  ],
  "redacted": false,
  "tool": {
    "name": "foretaste",
    "version": "0.1.0"
  }
}
"##);
}

#[test]
fn json_keeps_its_published_schema() {
    let schema = include_str!("../../fixtures/schema/foretaste-1.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let redacted = Options { redact: Some(Redact::new([1; 32])), ..Options::default() };
    for (sample, options) in [
        (Sample::default(), Options::default()),
        (Sample::small(), Options::default()),
        (Sample::small(), redacted),
        (hostile(&[b"\xff\x1b".to_vec()]), Options::default()),
    ] {
        let mut value: Value = serde_json::from_str(&sample.written(Format::Json, &options)).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        value["looked_at"]["records"] = json!("many");
        assert!(!validator.is_valid(&value), "the schema says no to what is wrong");
    }
}

#[test]
fn columns_are_code_points_and_bytes_are_bytes() {
    let mut sample = Sample::default();
    sample.files.push(("ä.txt".into(), "x\näö\u{200B}y\n".into()));
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(0), sample.spans(0, "\u{200B}")[0])];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.column, spot.end_line, spot.end_column), (2, 3, 2, 4));
    assert_eq!((spot.byte_start, spot.byte_end), (6, 9));
}

#[test]
fn a_blob_that_is_gone_keeps_its_offsets() {
    let mut sample = Sample::default();
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(9), Span::new(5, 6))];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.byte_start, spot.has_lines), (1, 5, false));
}

#[test]
fn the_exit_code_follows_its_table() {
    let finding = |rule: usize, severity, level: Option<&str>| {
        let mut finding = Finding { severity, ..Finding::new(&RULES[rule], "c", "m") };
        if let Some(level) = level {
            finding.evidence.insert("level", json!(level));
        }
        finding
    };
    use Severity::{Error, Note, Warning};
    let table: [(&[Finding], bool, bool, Severity, u8); 12] = [
        (&[], false, false, Error, 0),
        (&[finding(0, Error, None)], false, false, Error, 1),
        (&[finding(0, Error, None)], true, true, Error, 1),
        (&[finding(0, Warning, None)], false, false, Error, 0),
        (&[finding(0, Warning, None)], false, false, Warning, 1),
        (&[finding(0, Note, None)], false, false, Warning, 0),
        (&[finding(0, Note, None)], false, false, Note, 1),
        (&[finding(0, Note, Some("info"))], false, false, Note, 0),
        (&[finding(2, Error, None)], false, false, Note, 0),
        (&[finding(2, Error, None)], true, false, Error, 3),
        (&[], true, false, Error, 3),
        (&[], false, true, Error, 3),
    ];
    for (findings, unread, uncovered, fail_on, expected) in table {
        assert_eq!(
            code(findings, unread, uncovered, fail_on),
            expected,
            "{findings:?} {unread} {uncovered} {fail_on:?}"
        );
    }
}

#[test]
fn files_without_a_reader_count_only_where_coverage_is_asked_for() {
    let mut sample = Sample::default();
    sample.looked_at.no_reader = 2;
    assert_eq!(sample.report(&Options::default()).exit_code, 0);
    sample.full_coverage = true;
    assert_eq!(sample.report(&Options::default()).exit_code, 3);
}

#[test]
fn findings_of_level_info_are_shown_on_request() {
    let mut sample = Sample::small();
    sample.findings[1].evidence.insert("level", json!("info"));
    let report = sample.report(&Options::default());
    assert_eq!((report.findings.len(), report.not_shown), (1, 1));
    let options = Options { show_info: true, ..Options::default() };
    assert_eq!(sample.report(&options).findings.len(), 2);
}

#[test]
fn formats_are_asked_for_by_name() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().expect_err("there is no such form");
    assert!(error.contains("\"xml\"") && error.contains("human, json"), "{error}");
}

/// A sample in which every text is hostile.
fn hostile(texts: &[Vec<u8>]) -> Sample {
    let bytes = |i: usize| texts[i % texts.len()].clone();
    let text = |i: usize| String::from_utf8_lossy(&bytes(i)).into_owned();
    let mut sample = Sample::small();
    sample.files[0] = (bytes(0).into(), bytes(1));
    sample.files[1].0 = bytes(2).into();
    sample.scope = text(3);
    sample.notes = vec![text(4)];
    sample.unread = vec![Unread { path: bytes(5).into(), reason: text(6) }];
    sample.guesses[0].1.fields[0].0 = text(7);
    sample.policy.path = Some(text(8));
    for finding in &mut sample.findings {
        finding.message = text(9);
        finding.help = text(10);
        finding.evidence.insert("decoded", json!({text(11): [text(0)]}));
        for mark in &mut finding.marks {
            mark.note = Some(text(1));
            mark.field = Some(text(2));
        }
    }
    sample
}

fn is_safe(text: &str, own: &[char]) -> Result<(), String> {
    if let Some(c) = text.chars().find(|&c| is_hidden(c) && c != '\n' && !own.contains(&c)) {
        return Err(format!("U+{:04X} in {text:?}", u32::from(c)));
    }
    for line in text.lines() {
        if line.trim_start().starts_with("::") || line.contains("##[") {
            return Err(format!("a command in {line:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_data_reaches_people_unescaped(
        texts in prop::collection::vec(nasty(), 12..13),
        quiet in any::<bool>(), unicode in any::<bool>(),
    ) {
        let sample = hostile(&texts);
        let options = Options { quiet, unicode, ..Options::default() };
        prop_assert_eq!(is_safe(&human(&sample, &options), &[]), Ok(()));
        let options = Options { colour: true, ..options };
        prop_assert_eq!(is_safe(&human(&sample, &options), &['\u{1b}']), Ok(()));
    }

    #[test]
    fn json_is_ascii_exact_and_the_same_twice(texts in prop::collection::vec(nasty(), 12..13)) {
        let sample = hostile(&texts);
        let json = sample.written(Format::Json, &Options::default());
        prop_assert!(json.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\n'));
        prop_assert_eq!(&json, &sample.written(Format::Json, &Options::default()));
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let place = &value["findings"][0]["places"];
        if let (Ok(path), Some(place)) = (std::str::from_utf8(&texts[0]), place.get(0)) {
            prop_assert_eq!(&place["path"], path);
        }
    }

    #[test]
    fn redaction_leaves_no_text_of_the_data(word in "[a-z]{12}") {
        let secret = format!("{word} said it");
        let texts: Vec<Vec<u8>> = (0..12).map(|_| secret.clone().into_bytes()).collect();
        let mut sample = hostile(&texts);
        // Paths, the scope and names of fields stay: they are needed to find anything.
        sample.files[0].0 = "a".into();
        sample.files[1].0 = "b".into();
        sample.scope = "s".into();
        sample.notes.clear();
        sample.unread.clear();
        sample.guesses.clear();
        sample.policy.path = None;
        for mark in sample.findings.iter_mut().flat_map(|finding| &mut finding.marks) {
            mark.field = Some("text".into());
        }
        let options = Options { redact: Some(Redact::new([1; 32])), show_info: true, ..Options::default() };
        let plain = sample.written(Format::Json, &Options::default());
        prop_assert!(plain.contains(&word), "the sample must hold the secret");
        for format in Format::ALL {
            let text = sample.written(format, &options);
            prop_assert!(!text.contains(&word), "{text}");
            for finding in &sample.findings {
                prop_assert!(!text.contains(&finding.fingerprint()), "a plain hash of a row");
            }
        }
    }
}
