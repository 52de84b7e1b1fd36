use bstr::{BStr, BString};
use proptest::prelude::*;

use super::*;
use crate::format::{Blob, Decoded, Encoding, Offsets};
use crate::lens::{Lens, Role};
use crate::source::{Content, Entry, Mode};
use crate::span::Fresh;

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

/// One honest carrier of each class of the catalogue: a text that must be found. `None` where the class is not looked
/// for yet.
const CATALOGUE: [(&str, Option<&str>); 41] = [
    ("U01", Some("pay\u{200B}pal")),
    ("U02", Some("pay\u{200C}pal")),
    ("U03", Some("pay\u{2060}pal")),
    ("U04", Some("pay\u{FEFF}pal")),
    ("U05", Some("pay\u{202E}lap\u{202C}")),
    ("U06", Some("pay\u{2067}pal")),
    ("U07", Some("pay\u{200F}pal")),
    ("U08", Some("hi\u{E0048}\u{E0069}")),
    ("U09", Some("hi\u{E0158}\u{E0159}\u{E0155}\u{E0164}")),
    ("U10", Some("pay\u{FE01}pal")),
    ("U11", Some("pay\u{3164}pal")),
    ("U12", Some("pay\u{180E}pal")),
    ("U13", Some("p\u{AD}a\u{AD}y\u{AD}p\u{AD}a\u{AD}l")),
    ("U14", Some("pay\u{34F}pal")),
    ("U15", Some("pay\u{2063}pal")),
    ("U16", Some("pay\u{E0080}pal")),
    ("U17", Some("\u{FFF9}pay\u{FFFA}pal\u{FFFB}")),
    ("U18", Some("pay\u{206B}pal")),
    ("U19", Some("pay\u{1D173}pal")),
    ("U20", Some("pay\u{17B4}pal")),
    ("U21", Some("pay\u{2800}pal")),
    ("U22", Some("pay\u{2003}pal")),
    ("U23", Some("pay\u{2028}pal")),
    ("U24", Some("pay\u{1B}[8mpal")),
    ("U25", Some("pay\u{8}\u{8}\u{8}pal")),
    ("U26", Some("pay \u{9B}8mpal")),
    ("U27", Some("pay\u{E000}pal")),
    ("U28", Some("pay\u{FFFE}pal")),
    ("U29", Some("p\u{300}\u{301}\u{302}ay")),
    ("U30", None), // homoglyphs and mixed scripts: `mixed-script` speaks of them
    ("U31", None), // styled letters: likewise
    ("U32", None), // normalisation variants: likewise
    ("U33", None), // malformed UTF-8: `unreadable-data` speaks of it
    ("U34", None), // lone surrogates: `unreadable-data` speaks of them
    ("U35", None), // the escaped form of any class: the second half of the test below
    ("U36", Some("pay&amp;ZeroWidthSpace;pal")),
    ("U37", Some("pay%E2%80%8Bpal")),
    ("U38", None), // UTF-16 and UTF-32: taken off before this check sees the text
    ("U39", None), // hidden markup: `hidden-markup` speaks of it
    ("U40", None), // visible format characters: never wrong
    ("U41", Some("pay\u{FFFC}pal")),
];

#[test]
fn every_class_is_found_raw_and_escaped_in_every_container() {
    for (class, text) in CATALOGUE {
        let Some(text) = text else {
            assert!(Class::ALL.iter().all(|c| c.id() != class), "{class} has no fixture");
            continue;
        };
        let control = text.contains(|c: char| c < ' ');
        // A JSON string holds no raw control character.
        let mut files = vec![
            File::json(&[("text", &escaped(text))]),
            File::csv(&[text]),
            File::columnar(&[text]),
            File::lines(&[text]),
        ];
        if !control {
            files.push(File::json(&[("text", text)]));
        }
        for file in files {
            let found = file.check(ALL, &Fresh::All);
            assert_eq!(found.len(), 1, "{class} in {:?}: {found:?}", file.kind);
            assert_eq!(evidence(&found[0], "class"), class, "{:?}", file.kind);
            assert!(!found[0].evidence["code_points"].as_array().expect("a list").is_empty());
            assert!(!found[0].help.is_empty() && found[0].message.len() > 20);
        }
    }
}

#[test]
fn a_place_covers_the_hidden_run_and_nothing_else() {
    let raw = File::json(&[("text", "pay\u{200B}\u{2060}pal")]);
    assert_eq!(raw.covered(&raw.found()[0]), "\u{200B}\u{2060}".as_bytes());
    let short = File::json(&[("text", r"a \n pay\u200b\u2060pal \u00e9")]);
    assert_eq!(short.covered(&short.found()[0]), br"\u200b\u2060");
    let pairs = File::json(&[("text", r"\ud83d\ude00 \udb40\udc48\udb40\udc69 \ud83d\ude00")]);
    let found = pairs.found();
    assert_eq!(pairs.covered(&found[0]), br"\udb40\udc48\udb40\udc69");
    assert_eq!(evidence(&found[0], "decoded"), "Hi");
    assert_eq!(found[0].evidence["escaped"], json!(1));
    let quoted = File::csv(&["she said \"pay\u{200B}pal\" twice"]);
    assert_eq!(quoted.covered(&quoted.found()[0]), "\u{200B}".as_bytes());
}

#[test]
fn what_layers_hide_is_placed_on_what_is_written() {
    let tags = "x&#xE0048;&#xE0069;&#xE0021;&#xE0021; &amp;#8203;";
    let file = File::json(&[("text", tags)]);
    let found = file.found();
    assert_eq!(found.len(), 1, "a zero-width space as an entity is only worth knowing: {found:?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(evidence(&found[0], "decoded"), "Hi!!");
    assert_eq!((evidence(&found[0], "class"), evidence(&found[0], "of_class")), ("U36", "U08"));
    assert_eq!(file.covered(&found[0]), "&#xE0048;&#xE0069;&#xE0021;&#xE0021;".as_bytes());
    assert!(found[0].marks[0].note.as_deref().is_some_and(|note| note.ends_with(", written as an HTML entity")));
    let go = File::json(&[("text", r#"a \u0026 \n \u0026#x200B; \"quoted\" %f3%a0%81%88%f3%a0%81%a9"#)]);
    let found = go.check(ALL, &Fresh::All);
    let mut covered: Vec<_> = found.iter().map(|f| go.covered(f)).collect();
    covered.sort_unstable();
    assert_eq!(covered, [br"%f3%a0%81%88%f3%a0%81%a9".as_slice(), br"\u0026#x200B;"]);
    let twice = File::json(&[("text", r"a \\u200b b")]);
    let found = twice.found();
    assert_eq!(evidence(&found[0], "layer"), "escaped-twice");
    assert_eq!((found[0].severity, twice.covered(&found[0])), (Severity::Note, br"\\u200b".as_slice()));
}

#[test]
fn honest_text_behind_layers_is_silent() {
    for honest in [
        "&#1606;&#1605;&#1740;&#8204;&#1582;&#1608;&#1575;&#1607;&#1605;",
        "%D9%86%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85",
        "Tom &amp; Jerry &#39;100%&#39; &nbsp; &lt;b&gt; C:\\new\\users \\d+ \\e",
        "&#x1F469;&#x200D;&#x1F4BB; &#10084;&#65039;",
    ] {
        assert!(File::csv(&[honest]).found().is_empty(), "{honest}");
    }
}

#[test]
fn what_translators_leave_beside_spaces_is_a_note_and_inside_words_a_warning() {
    for (text, severity) in [
        ("බිකම් කරනවා \u{200B}, බලාගෙන", Severity::Note),
        ("केलेला \u{200B}\u{200B}केक", Severity::Note),
        ("👍 \u{200C}+1, गजब", Severity::Note),
        ("करनवा\u{200B}बला", Severity::Warning),
        ("plain \u{200B}words", Severity::Warning),
        ("गजब pay\u{200C}pal", Severity::Warning),
        ("गजब pay\u{200B}pal", Severity::Warning),
    ] {
        let found = File::json(&[("text", text)]).found();
        assert_eq!(found.iter().map(|f| f.severity).collect::<Vec<_>>(), [severity], "{}", text.escape_unicode());
    }
}

#[test]
fn piles_of_marks_are_one_occurrence_with_the_text_below() {
    let file = File::json(&[("text", r"say p\u0300\u0301\u0302a\u0316\u031b\u035cy now")]);
    let found = file.found();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].marks[0].note.as_deref().is_some_and(|note| note.ends_with(", on \"pa\"")), "{found:?}");
    assert_eq!(file.covered(&found[0]), br"p\u0300\u0301\u0302a\u0316\u031b\u035c");
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
    assert_eq!((found.len(), found[0].total, found[0].marks.len()), (1, 300, PLACES));
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
fn names_of_files_are_scanned_where_they_are_new() {
    let entry = |path: &str, old: Option<&str>| Entry {
        path: BString::from(path),
        mode: Mode::File,
        content: Some(Content::File(path.into())),
        unchanged: false,
        before: old.map(|old| crate::source::Before {
            path: BString::from(old),
            mode: Mode::File,
            id: gix::ObjectId::null(gix::hash::Kind::Sha1),
        }),
    };
    let entries = [
        entry("data/train\u{202E}lnosj.exe", None),
        entry("data/old\u{200B}.csv", Some("data/old\u{200B}.csv")),
        entry("data/کتاب\u{200C}ها.csv", None),
        entry("data/new\u{200B}.csv", Some("data/new.csv")),
    ];
    let list: Vec<_> = entries.iter().enumerate().map(|(n, e)| (BlobId(n as u32), e)).collect();
    let check = InvisibleUnicode { modes: QUIET };
    let mut seen = Seen::default();
    check.observe(&mut seen, &Observation::Files(&Files { list: &list, branch: None }));
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    let places: Vec<_> = findings.iter().flat_map(|f| &f.marks).map(|m| m.place.clone()).collect();
    assert_eq!(places, [Place { blob: BlobId(3), at: At::Name }, Place { blob: BlobId(0), at: At::Name }],);
    assert!(findings.iter().all(|f| f.message.starts_with("In the name of a file: ")));
}

#[test]
fn names_of_branches_and_authors_are_scanned() {
    let entry = Entry {
        path: BString::from("data/a.csv"),
        mode: Mode::File,
        content: Some(Content::File("data/a.csv".into())),
        unchanged: false,
        before: None,
    };
    let list = [(BlobId(0), &entry)];
    let check = InvisibleUnicode { modes: QUIET };
    let mut seen = Seen::default();
    let branch = Some(BStr::new("feature\u{200B}/x"));
    check.observe(&mut seen, &Observation::Files(&Files { list: &list, branch }));
    let person = |name: &str| crate::source::Person { name: name.into(), ..Default::default() };
    let commit = crate::source::Commit {
        id: gix::ObjectId::null(gix::hash::Kind::Sha1),
        parents: 1,
        author: person("An\u{202E}a"),
        committer: person("Ana"),
        signed: false,
        subject: String::new(),
        paths: vec![BString::from("gone.csv"), BString::from("data/a.csv")],
    };
    let people = People { judged: &[commit], earlier: &[], files: &list };
    check.observe(&mut seen, &Observation::People(&people));
    let mut findings = Vec::new();
    check.finish(seen, &mut findings);
    let mut said: Vec<_> = findings.iter().map(|f| (f.message.as_str(), f.marks[0].commit.is_some())).collect();
    said.sort_unstable();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].0.starts_with("In the name of an author: U+202E") && said[0].1, "{said:?}");
    assert!(said[1].0.starts_with("In the name of the branch: U+200B") && !said[1].1, "{said:?}");
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
