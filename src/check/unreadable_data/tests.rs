use super::*;
use crate::format::testing::with_blob;
use crate::format::{References, Sink, decode, read};
use crate::lens::Lens;
use crate::policy::Limits;
use crate::span::{At, Fresh, Span};

struct Observer(Seen);

impl Sink for Observer {
    fn records(&mut self, records: &Records<'_>) {
        UnreadableData.observe(&mut self.0, &Observation::Records(records));
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn seen(path: &str, bytes: &[u8], fresh: &Fresh) -> Seen {
    let decoded = decode(bytes, &Limits::default()).expect("small");
    let mut observer = Observer(Seen::new());
    with_blob(path, &decoded, &Lens::default(), fresh, |blob| read(blob, &Limits::default(), &mut observer))
        .expect("can be read");
    observer.0
}

fn findings(path: &str, bytes: &[u8], fresh: &Fresh) -> Vec<Finding> {
    let mut findings = Vec::new();
    UnreadableData.finish(seen(path, bytes, fresh), &mut findings);
    findings
}

fn severities(path: &str, bytes: &[u8]) -> Vec<(String, Severity, u64)> {
    let all = findings(path, bytes, &Fresh::All);
    all.into_iter().map(|f| (f.evidence["finding"].as_str().unwrap_or("").to_owned(), f.severity, f.total)).collect()
}

const TWICE: &str =
    "{\"text\": \"a b\", \"label\": \"ham\", \"label\": \"spam\"}\n{\"text\": \"c d\", \"label\": \"ham\"}\n";

#[test]
fn a_label_given_twice_is_an_error_and_another_field_a_warning() {
    assert_eq!(severities("a.jsonl", TWICE.as_bytes()), [("duplicate-key".to_owned(), Severity::Error, 1)]);
    let other = TWICE.replace("\"text\"", "\"n\": 1, \"n\": 2, \"text\"").replace(", \"label\": \"spam\"", "");
    assert_eq!(severities("a.jsonl", other.as_bytes()), [("duplicate-key".to_owned(), Severity::Warning, 2)]);
}

#[test]
fn two_label_columns_are_an_error() {
    let table = |a: &str, b: &str| format!("text,{a},{b}\nsome words,ham,spam\nmore words,ham,ham\n");
    let severity = |text: String| findings("a.csv", text.as_bytes(), &Fresh::All)[0].severity;
    assert_eq!(severity(table("label", "label")), Severity::Error);
    assert_eq!(severity(table("note", "note")), Severity::Warning);
}

#[test]
fn the_place_is_the_second_key_and_the_content_is_the_record() {
    let finding = &findings("a.jsonl", TWICE.as_bytes(), &Fresh::All)[0];
    let mark = &finding.marks[0];
    let At::Bytes(span) = mark.place.at else { panic!("a place in bytes") };
    assert_eq!(span.of(TWICE.as_bytes()), b"\"label\"");
    assert_eq!(span.start as usize, TWICE.match_indices("\"label\"").nth(1).expect("is there").0);
    let first = TWICE.lines().next().expect("is there");
    assert_eq!(
        (mark.record, mark.field.as_deref(), mark.content),
        (Some(1), Some("label"), content_hash(first.as_bytes()))
    );
}

#[test]
fn only_what_a_change_touched_speaks() {
    let line = TWICE.find('\n').expect("is there") as u64;
    let second = Fresh::Only(vec![Span::new(line + 1, TWICE.len() as u64)]);
    assert!(findings("a.jsonl", TWICE.as_bytes(), &second).is_empty());
    let first = Fresh::Only(vec![Span::new(0, line)]);
    assert_eq!(findings("a.jsonl", TWICE.as_bytes(), &first).len(), 1);
}

#[test]
fn an_old_quote_that_swallows_new_rows_speaks() {
    let old = "id,text,label\n1,\"hello,ham\n";
    let text = format!("{old}2,new,spam\n3,newer,spam\n");
    let fresh = Fresh::Only(vec![Span::new(old.len() as u64, text.len() as u64)]);
    assert_eq!(findings("a.csv", text.as_bytes(), &fresh)[0].severity, Severity::Error);
}

#[test]
fn encodings_are_weighed() {
    assert_eq!(severities("a.csv", b"text,label\ncaf\xE9,ham\n"), [("not-utf8".to_owned(), Severity::Note, 1)]);
    let wide: Vec<u8> = "\u{feff}text,label\na,b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(severities("a.csv", &wide), [("not-utf8".to_owned(), Severity::Warning, 1)]);
    let broken = b"{\"text\": \"\xC0\x80\"}\n{\"text\": \"b\"}\n";
    assert_eq!(severities("a.jsonl", broken), [("malformed-utf8".to_owned(), Severity::Error, 1)]);
    let apart = b"{\"text\": \"\xED\xA0\xBC\xED\xBD\x95\"}\n{\"text\": \"b\xFF\"}\n";
    assert_eq!(severities("a.jsonl", apart), [("malformed-utf8".to_owned(), Severity::Error, 2)]);
    let last = b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n\xFF";
    assert!(severities("a.jsonl", last).contains(&("malformed-utf8".to_owned(), Severity::Error, 1)));
    assert!(findings("a.py", b"# caf\xE9\n", &Fresh::All).is_empty());
}

#[test]
fn one_finding_for_each_kind_with_capped_places() {
    let text: String = (0..300).map(|n| format!("{{\"a\": NaN, \"n\": {n}, \"n\": {n}}}\n")).collect();
    let all = findings("a.jsonl", text.as_bytes(), &Fresh::All);
    assert_eq!(all.iter().map(|f| (f.total, f.marks.len())).collect::<Vec<_>>(), [(300, 100), (300, 100)]);
    assert!(all[1].message.starts_with("300 values are not finite"), "{}", all[1].message);
}

#[test]
fn states_merge_in_any_order() {
    let parts = [TWICE, "{\"a\": NaN}\n{\"a\": 1}\n", "{\"a\": 1, \"a\": Infinity}\n{\"a\": 1}\n"];
    let merged = |order: [usize; 3]| {
        let mut all = Seen::new();
        order.iter().for_each(|&i| Merge::merge(&mut all, seen("a.jsonl", parts[i].as_bytes(), &Fresh::All)));
        let mut findings = Vec::new();
        UnreadableData.finish(all, &mut findings);
        format!("{findings:?}")
    };
    assert_eq!(merged([0, 1, 2]), merged([2, 0, 1]));
    assert_eq!(merged([0, 1, 2]), merged([1, 2, 0]));
}

#[test]
fn every_kind_has_its_words() {
    for kind in &KINDS {
        assert!(kind.severity <= kind.in_label);
        assert!(kind.message(1, 1).ends_with("and it is the label"));
        assert!(!kind.message(3, 0).contains("{}") && !kind.message(1, 0).ends_with('.'));
        assert!(kind.help.ends_with('.'));
    }
}

#[test]
fn what_is_no_character_is_named_by_its_class_and_its_digits() {
    let one = |path: &str, bytes: &[u8]| findings(path, bytes, &Fresh::All).remove(0).evidence;
    let half = one("a.jsonl", b"{\"text\": \"a \\ud83d b\"}\n{\"text\": \"b\"}\n");
    assert_eq!((&half["class"], &half["code_points"]), (&json!("U34"), &json!(["U+D83D"])));
    let broken = one(
        "a.jsonl",
        b"{\"text\": \"a \xC0\x80 b, and enough text to be sure of it \xE2\x82\xAC\"}\n{\"text\": \"b\"}\n",
    );
    assert_eq!((&broken["class"], &broken["code_points"]), (&json!("U33"), &json!([])));
    assert_eq!(broken["bytes"], json!(["C0 80"]));
    let wide: Vec<u8> = "text,label\nhello there,a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(one("a.csv", &[&[0xFF, 0xFE][..], &wide].concat())["class"], json!("U38"));
}
