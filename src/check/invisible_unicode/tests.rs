use bstr::{BStr, BString};
use proptest::prelude::*;

use std::borrow::Cow;

use serde_json::json;

use super::causes::PAYLOADS;
use super::machine::Machine;
use super::prefilter::Prefilter;
use super::tables::Class;
use super::*;
use crate::finding::{MAX_MARKS, content_hash};
use crate::format::{Blob, Cell, Coding, Decoded, Encoding, Kind, Name, Offsets, Records, Row};
use crate::lens::{Lens, Role};
use crate::rule::Severity;
use crate::source::{Content, Entry, Files, Mode, People};
use crate::span::{At, BlobId, Fresh, Place, Span};

mod catalogue;
mod names;
mod signal;

const ALL: Modes = Modes { info: true, strict: false, lenient: Groups::ALL };
const QUIET: Modes = Modes { info: false, ..ALL };

/// A file of one field a row, as a reader would hand it over. The value of a row is what stands between the marks.
struct File {
    text: Vec<u8>,
    rows: Vec<Row>,
    cells: Vec<Cell>,
    kind: Kind,
}

impl File {
    /// JSON Lines with a key and a value in each row, as they stand in the file.
    fn json(rows: &[(&str, &str)]) -> Self {
        let mut file = Self { text: Vec::new(), rows: Vec::new(), cells: Vec::new(), kind: Kind::JsonLines };
        for (key, value) in rows {
            let start = file.text.len() as u64;
            file.text.extend_from_slice(format!("{{\"{key}\": \"").as_bytes());
            file.cell(value, Coding::Json);
            file.text.extend_from_slice(b"\"}");
            file.row(start);
            file.text.push(b'\n');
        }
        file
    }

    fn lines(lines: &[&str]) -> Self {
        let mut file = Self { text: Vec::new(), rows: Vec::new(), cells: Vec::new(), kind: Kind::Text };
        for line in lines {
            let start = file.text.len() as u64;
            file.cell(line, Coding::Plain);
            file.row(start);
            file.text.push(b'\n');
        }
        file
    }

    fn csv(values: &[&str]) -> Self {
        let mut file = Self { text: b"text\n".to_vec(), rows: Vec::new(), cells: Vec::new(), kind: Kind::Csv };
        for value in values {
            let start = file.text.len() as u64;
            file.text.push(b'"');
            file.cell(&value.replace('"', "\"\""), Coding::Csv);
            file.text.push(b'"');
            file.row(start);
            file.text.push(b'\n');
        }
        file
    }

    fn columnar(values: &[&str]) -> Self {
        let mut file = Self { text: Vec::new(), rows: Vec::new(), cells: Vec::new(), kind: Kind::Parquet };
        for value in values {
            let start = file.text.len() as u64;
            file.cell(value, Coding::Columnar);
            file.row(start);
        }
        file
    }

    fn cell(&mut self, value: &str, coding: Coding) {
        let start = self.text.len() as u64;
        self.text.extend_from_slice(value.as_bytes());
        self.cells.push(Cell { start, end: self.text.len() as u64, name: 0, index: 0, coding });
    }

    fn row(&mut self, start: u64) {
        let cells = self.rows.len() as u32;
        self.rows.push(Row { start, end: self.text.len() as u64, cells, len: 1 });
    }

    fn check(&self, modes: Modes, fresh: &Fresh) -> Vec<Finding> {
        let check = InvisibleUnicode { modes };
        let mut seen = Seen::default();
        self.observe(&check, &mut seen, BlobId(0), fresh);
        let mut findings = Vec::new();
        check.finish(seen, &mut findings);
        // What is of level info is counted, and left out of reports that nobody asked for it.
        findings.retain(|finding| modes.info || !finding.is_info());
        findings
    }

    fn observe(&self, check: &InvisibleUnicode, seen: &mut Seen, id: BlobId, fresh: &Fresh) {
        let lens = Lens::default();
        let decoded = Decoded { bytes: Cow::Borrowed(&self.text), offsets: Offsets::Same, encoding: Encoding::Utf8 };
        let names = [Name { path: "text".into(), role: Role::Text, column: 0 }];
        let records = Records {
            blob: Blob { id, path: BStr::new("data/a.jsonl"), lens: &lens, decoded: &decoded, fresh },
            kind: self.kind,
            names: &names,
            text: &self.text,
            first: 0,
            rows: &self.rows,
            cells: &self.cells,
            flaws: &[],
            sieve: None,
        };
        check.observe(seen, &Observation::Records(&records));
    }

    fn found(&self) -> Vec<Finding> {
        self.check(QUIET, &Fresh::All)
    }

    /// What the first place of a finding covers.
    fn covered(&self, finding: &Finding) -> &[u8] {
        match finding.marks[0].place.at {
            At::Bytes(span) => span.of(&self.text),
            other => panic!("{other:?} is no span"),
        }
    }
}

fn evidence<'a>(finding: &'a Finding, key: &str) -> &'a str {
    finding.evidence[key].as_str().expect("a string")
}

/// As Python's `json.dumps` writes it.
fn escaped(text: &str) -> String {
    let mut units = [0; 2];
    text.chars()
        .map(|c| match c {
            ' '..='~' => c.to_string(),
            c => c.encode_utf16(&mut units).iter().map(|u| format!("\\u{u:04x}")).collect(),
        })
        .collect()
}

#[test]
fn a_mark_says_where_and_between_what() {
    let file = File::json(&[("text", "fine"), ("text", "please pay\u{200B}pal me")]);
    let found = file.found();
    let mark = &found[0].marks[0];
    assert_eq!((mark.record, mark.field.as_deref()), (Some(2), Some("text")));
    assert_eq!(mark.note.as_deref(), Some("<U+200B> between \"please pay\" and \"pal me\""));
    assert_eq!(mark.content, content_hash("{\"text\": \"please pay\u{200B}pal me\"}".as_bytes()));
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(found[0].message, "U+200B ZERO WIDTH SPACE stands where no script needs it");
}

#[test]
fn keys_are_scanned_too() {
    for key in ["te\u{200B}xt", r"te\u200bxt"] {
        let file = File::json(&[("text", "a"), (key, "b")]);
        let found = file.found();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].marks[0].record, Some(2));
        assert_eq!(found[0].marks[0].field, None);
        assert_eq!(file.covered(&found[0]), &key.as_bytes()[2..key.len() - 2]);
    }
}

#[test]
fn a_byte_order_mark_at_the_start_of_a_file_is_silent() {
    let file = File::lines(&["\u{FEFF}one", "two"]);
    assert!(file.check(ALL, &Fresh::All).is_empty());
    let file = File::lines(&["one", "\u{FEFF}two"]);
    assert_eq!(file.check(ALL, &Fresh::All).len(), 1);
}

#[test]
fn only_fresh_rows_speak() {
    let file = File::json(&[("text", "pay\u{200B}pal"), ("text", "b\u{200B}b")]);
    let row = &file.rows[1];
    let fresh = Fresh::Only(vec![Span::new(row.start, row.end)]);
    let found = file.check(QUIET, &fresh);
    assert_eq!((found.len(), found[0].total), (1, 1));
    assert_eq!(found[0].marks[0].record, Some(2));
    assert!(file.check(QUIET, &Fresh::Only(Vec::new())).is_empty());
}

#[test]
fn one_cause_is_one_finding_and_another_payload_another() {
    let tags = |text: &str| -> String { text.chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect() };
    let (a, b) = (tags("obey me"), tags("leak it"));
    let file = File::lines(&[&a, &b, &a, "pay\u{200B}pal", "x\u{200B}y", "x\u{2060}y"]);
    let mut found: Vec<_> = file.found().iter().map(|f| (f.cause.clone(), f.total, f.marks.len())).collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("U01 unexplained-zero-width-space U+200B".into(), 2, 2),
            ("U03 word-joiner U+2060".into(), 1, 1),
            ("U08 tag-characters S1 leak it".into(), 1, 1),
            ("U08 tag-characters S1 obey me".into(), 2, 2),
        ]
    );
}

#[test]
fn places_are_capped_and_the_total_is_true() {
    let lines = vec!["pay\u{200B}pal"; 300];
    let found = File::lines(&lines).found();
    assert_eq!((found.len(), found[0].total, found[0].marks.len()), (1, 300, MAX_MARKS));
    assert!(found[0].marks.is_sorted());
}

#[test]
fn a_flood_of_payloads_is_one_cause_beyond_the_cap() {
    let lines: Vec<String> = (0..500)
        .map(|n| format!("note {n}").chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect())
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = File::lines(&lines).found();
    assert_eq!(found.len(), PAYLOADS + 1);
    assert_eq!(found.iter().map(|f| f.total).sum::<u64>(), 500);
}

#[test]
fn columns_are_placed_by_cell() {
    let found = File::columnar(&["fine", "pay\u{200B}pal"]).found();
    assert_eq!(found[0].marks[0].place.at, At::Cell { row: 1, column: 0 });
}

#[test]
fn the_order_of_threads_does_not_show() {
    let check = InvisibleUnicode { modes: ALL };
    let files: Vec<File> = (0..6)
        .map(|n| {
            let lines: Vec<String> = (0..60)
                .map(|k| {
                    let tags: String = format!("{}", (n * 31 + k * 7) % 90)
                        .chars()
                        .filter_map(|c| char::from_u32(0xE0000 + c as u32))
                        .collect();
                    format!("a{tags} pay\u{200B}pal")
                })
                .collect();
            File::lines(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect();
    let run = |order: &[usize], split: usize| {
        let mut parts = [Seen::default(), Seen::default()];
        for (i, &n) in order.iter().enumerate() {
            files[n].observe(&check, &mut parts[usize::from(i >= split)], BlobId(n as u32), &Fresh::All);
        }
        let [mut a, b] = parts;
        a.merge(b);
        let mut findings = Vec::new();
        check.finish(a, &mut findings);
        findings.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>()
    };
    let one = run(&[0, 1, 2, 3, 4, 5], 6);
    assert_eq!(one, run(&[5, 3, 1, 0, 4, 2], 3));
    assert_eq!(one, run(&[2, 0, 5, 4, 1, 3], 1));
}

#[test]
fn malformed_bytes_do_not_shift_places() {
    let mut file = File::lines(&["ab pay\u{200B}pal"]);
    file.text[0] = 0xFF;
    let found = file.found();
    assert_eq!(file.covered(&found[0]), "\u{200B}".as_bytes());
}

/// What the machine finds in every field when no prefilter chooses the fields.
fn without_prefilter(values: &[String]) -> usize {
    values
        .iter()
        .filter(|value| {
            let mut machine = Machine::new(ALL);
            let text = value.as_bytes();
            machine.scan(text, &mut Prefilter { escapes: false, wide: true }.hits(text), 0, false);
            !machine.found.is_empty()
        })
        .count()
}

proptest! {
    #[test]
    fn the_prefilter_over_a_file_loses_no_field(
        values in prop::collection::vec("[a-z\u{e9}ک-یក-ខ\u{200B}-\u{200F}\u{2028}-\u{202E}\u{E0041}\u{1F600}\u{FE0F}\u{AD} ]{0,20}", 1..12),
        escape: bool,
    ) {
        let written: Vec<String> = values.iter().map(|v| if escape { escaped(v) } else { v.clone() }).collect();
        let rows: Vec<(&str, &str)> = written.iter().map(|v| ("text", v.as_str())).collect();
        let found = File::json(&rows).check(ALL, &Fresh::All);
        let mut records: Vec<_> = found.iter().flat_map(|f| &f.marks).filter_map(|m| m.record).collect();
        records.sort_unstable();
        records.dedup();
        prop_assert_eq!(records.len(), without_prefilter(&values));
    }

    #[test]
    fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300, json: bool) {
        let cut = cut.min(bytes.len()) as u64;
        let len = bytes.len() as u64;
        let file = File {
            rows: vec![Row { start: 0, end: cut, cells: 0, len: 1 }, Row { start: cut, end: len, cells: 1, len: 1 }],
            cells: vec![
                Cell { start: cut / 2, end: cut, name: 0, index: 0, coding: if json { Coding::Json } else { Coding::Csv } },
                Cell { start: cut, end: len - (len - cut) / 3, name: 0, index: 0, coding: Coding::Plain },
            ],
            text: bytes,
            kind: if json { Kind::JsonLines } else { Kind::Csv },
        };
        let _ = file.check(ALL, &Fresh::All);
    }
}
