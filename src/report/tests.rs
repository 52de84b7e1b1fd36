//! What holds for all forms.

mod hostile;
mod machines;
mod summary;

use insta::assert_snapshot;
use serde_json::json;

use super::sample::{RULES, Sample};
use super::*;
use crate::finding::Mark;
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
fn lines_are_those_of_the_text_and_bytes_those_of_the_file() {
    let mut sample = Sample::default();
    let utf16 = "\u{FEFF}id\nä\u{200B}b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    sample.files.push(("a.csv".into(), utf16));
    let mut finding = Finding::new(&RULES[0], "c", "m");
    finding.marks = vec![Mark::bytes(BlobId(0), Span::new(10, 12))];
    sample.findings.push(finding);
    let report = sample.report(&Options::default());
    let spot = &report.findings[0].spots[0];
    assert_eq!((spot.line, spot.column, spot.byte_start, spot.byte_end), (2, 2, 10, 12));
    assert!(human(&sample, &Options::default()).contains("ä<U+200B>b"));
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
fn formats_are_asked_for_by_name() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    let error = "xml".parse::<Format>().expect_err("there is no such form");
    assert!(error.contains("\"xml\"") && error.contains("human, json, sarif, github, markdown"), "{error}");
}
