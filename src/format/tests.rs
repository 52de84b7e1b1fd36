//! Whole blobs, read the way a check sees them. What Python reads is noted where it was asked (3.11, `json` and `csv`).

use super::testing::{Seen, read_bytes, read_with};
use super::*;
use crate::lens::FieldRoles;
use crate::policy::Limits;

fn kind(path: &str, text: &str) -> Kind {
    read_bytes(path, text.as_bytes()).read().kind
}

fn values(path: &str, text: &str) -> Vec<Vec<(String, String)>> {
    let seen = read_bytes(path, text.as_bytes());
    let own = |row: Vec<(&str, &str)>| row.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    seen.values().into_iter().map(own).collect()
}

fn flaws(path: &str, text: &str) -> Vec<(&'static str, Option<u64>)> {
    read_bytes(path, text.as_bytes()).flaws()
}

fn row(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect()
}

fn declared(fields: &[(&str, Role)]) -> Lens {
    let fields = fields.iter().map(|&(field, role)| (field.to_owned(), role)).collect();
    Lens { dataset: Some("d".into()), roles: Some(FieldRoles { fields }), ..Lens::default() }
}

#[test]
fn json_lines_become_records_with_dotted_names() {
    let text = "{\"id\": 7, \"messages\": [{\"role\": \"user\", \"content\": \"hi\\n\"}, {\"role\": \"assistant\", \"content\": \"\"}], \
                \"tags\": [\"a\", null], \"meta\": {\"ok\": true}, \"none\": {}, \"empty\": []}\r\n\n{\"id\": 8}";
    let rows = values("chat.jsonl", text);
    assert_eq!(
        rows[0],
        row(&[
            ("id", "7"),
            ("messages.0.role", "user"),
            ("messages.0.content", "hi\n"),
            ("messages.1.role", "assistant"),
            ("messages.1.content", ""),
            ("tags.0", "a"),
            ("tags.1", ""),
            ("meta.ok", "true"),
        ])
    );
    assert_eq!(rows[1], row(&[("id", "8")]));
    assert_eq!(kind("chat.jsonl", text), Kind::JsonLines);
    assert_eq!(flaws("chat.jsonl", text), []);
}

#[test]
fn lists_in_lists_keep_the_outermost_index() {
    let rows = values("a.jsonl", "{\"history\": [[\"q\", \"a\"], [\"r\"]]}\n{\"history\": []}\n");
    assert_eq!(rows[0], row(&[("history.0[]", "q"), ("history.0[]", "a"), ("history.1[]", "r")]));
}

#[test]
fn keys_that_are_missing_or_moved_find_their_names_again() {
    let text = "{\"a\": 1, \"b\": 2, \"c\": 3}\n{\"c\": 4, \"a\": 5}\n{\"b\": 6, \"d\": 7, \"c\": 8}\n";
    let rows = values("a.jsonl", text);
    assert_eq!(rows[1], row(&[("c", "4"), ("a", "5")]));
    assert_eq!(rows[2], row(&[("b", "6"), ("d", "7"), ("c", "8")]));
}

/// Python's `json.loads` keeps the last of two equal keys, `serde_json` too; other readers keep the first.
#[test]
fn the_last_of_two_equal_keys_counts_and_both_are_seen() {
    let text =
        "{\"text\": \"x\", \"label\": \"ham\", \"\\u006cabel\": \"spam\"}\n{\"text\": \"y\", \"label\": \"ham\"}\n";
    let seen = read_bytes("a.jsonl", text.as_bytes());
    assert_eq!(seen.rows[0].get("label"), Some("spam"));
    assert_eq!(seen.rows[0].get("label (overwritten)"), Some("ham"));
    assert_eq!(seen.flaws(), [("duplicate-key", Some(1))]);
    assert_eq!(seen.flaws[0].span.of(text.as_bytes()), br#""\u006cabel""#);
    assert_eq!(seen.role("label (overwritten)"), Role::Other);
    // Equal keys in different objects are no duplicates.
    assert_eq!(flaws("a.jsonl", "{\"m\": [{\"a\": 1}, {\"a\": 2}], \"n\": {\"a\": 3}}\n{\"a\": 1}\n"), []);
}

/// Python's `json.loads` accepts all of these: nan, inf, -inf, inf, '\ud800'.
#[test]
fn what_python_accepts_is_read_and_flagged() {
    let text =
        "{\"a\": NaN}\n{\"a\": Infinity}\n{\"a\": -Infinity}\n{\"a\": 1e999}\n{\"a\": \"\\ud800\"}\n{\"a\": 1e3}\n";
    let seen = read_bytes("a.jsonl", text.as_bytes());
    let expected: Vec<_> = (1..=4).map(|n| ("not-a-number", Some(n))).chain([("lone-surrogate", Some(5))]).collect();
    assert_eq!(seen.flaws(), expected);
    assert_eq!(
        seen.rows.iter().filter_map(|r| r.get("a")).collect::<Vec<_>>(),
        ["NaN", "Infinity", "-Infinity", "1e999", "\u{FFFD}", "1e3"]
    );
}

/// Python's `json.loads` raises on each of these lines.
#[test]
fn lines_that_are_no_json_are_kept_and_flagged() {
    for broken in [
        "{\"a\": 01}",
        "{\"a\": 1.}",
        "{\"a\": .5}",
        "{\"a\": +1}",
        "{\"a\": 'x'}",
        "{'a': 1}",
        "{\"a\": 1,}",
        "{\"a\": [1,]}",
        "{\"a\" 1}",
        "{\"a\": tru}",
        "{\"a\": \"x}",
        "{\"a\": 1} // comment",
        "{\"a\": 1}{\"a\": 2}",
        "{\"a\": \"\\q\"}",
        "{\"a\": \"\\u12\"}",
        "{\"a\": \"tab\there\"}",
        "# comment",
        "{\"a\": 1",
    ] {
        let text = format!("{{\"a\": 0}}\n{broken}\n{{\"a\": 3}}\n{{\"a\": 4}}\n");
        let seen = read_bytes("a.jsonl", text.as_bytes());
        assert_eq!(seen.read().kind, Kind::JsonLines, "{broken}");
        assert_eq!(seen.rows.len(), 4, "{broken}");
        assert_eq!(seen.flaws.len(), 1, "{broken}: {:?}", seen.flaws);
        assert!(matches!(seen.flaws()[0], ("unparsable-record" | "trailing-garbage", Some(2))), "{broken}");
    }
}

#[test]
fn depth_is_capped_and_the_record_is_kept() {
    let deep = |n: usize| format!("{{\"a\": 0}}\n{{\"a\": {}1{}}}\n", "[".repeat(n), "]".repeat(n));
    assert_eq!(flaws("a.jsonl", &deep(100)), []);
    assert_eq!(flaws("a.jsonl", &deep(200_000)), [("unparsable-record", Some(2))]);
}

#[test]
fn too_many_names_share_one() {
    let keys: Vec<String> = (0..5000).map(|n| format!("\"k{n}\": {n}")).collect();
    let text = format!("{{\"a\": 0}}\n{{{}, \"k4999\": 1}}\n", keys.join(", "));
    let seen = read_bytes("a.jsonl", text.as_bytes());
    assert_eq!(seen.rows[1].fields.len(), 5001);
    assert!(seen.names.len() <= 4098);
    // Also those without a name of their own are known when they come again.
    assert_eq!(seen.flaws(), [("duplicate-key", Some(2))]);
}

#[test]
fn a_long_record_is_read_in_pieces() {
    let limits = Limits { record: 1000, ..Limits::default() };
    let text = format!("{{\"text\": \"{}\"}}\n{{\"text\": \"b\"}}\n", "a\\u200bc".repeat(500));
    let seen = read_with("a.jsonl", text.as_bytes(), &Lens::default(), &limits);
    assert_eq!(seen.flaws(), [("oversized-record", Some(1))]);
    let whole: String = seen.rows[0].fields.iter().map(|f| f.text.as_str()).collect();
    assert_eq!(whole, "a\u{200b}c".repeat(500));
    assert!(seen.rows[0].fields.iter().all(|f| f.span.len() <= 1000));
}

#[test]
fn arrays_of_objects_and_of_pairs_are_data() {
    let rows = values("a.json", "[{\"text\": \"x\", \"label\": 1}, {\"text\": \"y\", \"label\": 0}]\n");
    assert_eq!(rows[1], row(&[("text", "y"), ("label", "0")]));
    let rows = values("a.json", "[[\"book a flight\", \"travel\"], [\"play jazz\", \"music\"]]");
    assert_eq!(rows[1], row(&[("column1", "play jazz"), ("column2", "music")]));
}

#[test]
fn objects_of_splits_are_data() {
    let text = "{\"train\": [[\"a b\", \"x\"], [\"c d\", \"y\"]], \"oos_val\": [[\"e f\", \"oos\"]], \"note\": \"n\"}";
    let seen = read_bytes("data_full.json", text.as_bytes());
    assert_eq!(seen.read().kind, Kind::Json);
    assert_eq!(seen.read().records, 3);
    assert_eq!(seen.values()[2], [("column1", "e f"), ("column2", "oos")]);
    // What stands beside the records is looked at, too.
    assert_eq!(seen.values()[3], [("$.note", "n")]);
    let rasa =
        "{\"rasa_nlu_data\": {\"common_examples\": [{\"text\": \"hi\", \"intent\": \"greet\", \"entities\": []}]}}";
    assert_eq!(values("nlu.json", rasa), [row(&[("text", "hi"), ("intent", "greet")])]);
    let squad = "{\"version\": \"1.1\", \"data\": [{\"title\": \"T\", \"paragraphs\": [{\"context\": \"C\", \"qas\": \
                 [{\"id\": \"1\", \"question\": \"Q?\", \"answers\": [{\"text\": \"A\", \"answer_start\": 0}]}]}]}]}";
    let seen = read_bytes("dev-v1.1.json", squad.as_bytes());
    assert_eq!(seen.read().guess.as_ref().map(|g| g.shape), Some("question answering"));
    assert_eq!(seen.role("paragraphs[].qas[].question"), Role::Text);
}

#[test]
fn configurations_are_no_data() {
    for (path, text) in [
        (
            "package.json",
            "{\"name\": \"x\", \"version\": \"1.0.0\", \"scripts\": {\"test\": \"t\"}, \"files\": [\"a\"], \
                          \"contributors\": [{\"name\": \"n\", \"email\": \"e\"}]}",
        ),
        ("tsconfig.json", "{\"compilerOptions\": {\"strict\": true}, \"references\": [{\"path\": \"../a\"}]}"),
        ("dataset_info.json", "{\"mydata\": {\"file_name\": \"d.jsonl\", \"columns\": {\"prompt\": \"q\"}}}"),
        ("config.json", "{\"model\": \"org/model\", \"train\": [\"a.txt\", \"b.txt\"]}"),
        ("one.json", "{\"text\": \"a\", \"label\": \"b\"}"),
        ("list.json", "[\"a\", \"b\"]"),
        ("empty.json", "{}"),
    ] {
        let seen = read_bytes(path, text.as_bytes());
        assert_eq!(seen.read().kind, Kind::JsonConfig, "{path}");
        assert_eq!(seen.read().records, 0, "{path}");
        assert!(!seen.rows.is_empty(), "{path}");
    }
    assert_eq!(kind("a.ipynb", "{\"cells\": [], \"nbformat\": 4}"), Kind::Notebook);
    assert_eq!(kind("pyproject.toml", "[project]\nname = \"x\"\n"), Kind::Toml);
    assert_eq!(kind("README.md", "[link](https://example.org)\n\n{\"a\": 1}\n"), Kind::Markdown);
}

#[test]
fn the_policy_makes_data_of_what_would_not_be() {
    let lens = declared(&[("text", Role::Text), ("label", Role::Label)]);
    let seen = read_with("one.json", b"{\"text\": \"a\", \"label\": \"b\"}", &lens, &Limits::default());
    assert_eq!((seen.read().records, seen.role("label")), (1, Role::Label));
    let seen = read_with("one.json", b"{\"text\": \"a\", \"label\": \"b\"", &lens, &Limits::default());
    assert_eq!(seen.read().unread, ["not JSON from byte 26 on: a comma or a closing brace is missing"]);
    let seen = read_with("other.csv", b"a,b\n1,2\n3,4\n", &lens, &Limits::default());
    assert_eq!(seen.read().unread, ["none of the declared fields (text, label) is in it"]);
}

#[test]
fn a_document_that_breaks_off_is_read_as_far_as_it_goes() {
    let text =
        "[{\"text\": \"a\", \"label\": 1}, {\"text\": \"b\", \"label\": 0}, {\"text\": \"c\", \"la\nhidden here\n";
    let seen = read_bytes("a.json", text.as_bytes());
    assert_eq!(seen.read().unread.len(), 1);
    assert_eq!(seen.rows[1].get("text"), Some("b"));
    assert!(seen.rows.iter().any(|r| r.get("(unparsed)") == Some("hidden here")));
    let seen = read_bytes("a.json", b"[{\"text\": \"a\"}, {\"text\": \"b\"}]\n, {\"text\": \"c\"}]\n");
    assert_eq!(seen.flaws(), [("trailing-garbage", None)]);
}

#[test]
fn values_one_after_the_other_are_records() {
    let text = "{\n  \"text\": \"a\",\n  \"label\": 1\n}\n{\n  \"text\": \"b\",\n  \"label\": 0\n}\n";
    assert_eq!(values("a.json", text).len(), 2);
    // An array that calls itself JSON Lines.
    assert_eq!(kind("a.jsonl", "[{\"a\": 1},\n {\"a\": 2}]\n"), Kind::Json);
}

#[test]
fn tables_are_told_by_content() {
    assert_eq!(
        values("a.csv", "text,label\nhello,ham\n\nbye,spam\n"),
        [row(&[("text", "hello"), ("label", "ham")]), row(&[("text", "bye"), ("label", "spam")]),]
    );
    assert_eq!(values("a.csv", "id;text\r\n1;a, b\r\n2;\"c;\nd\"\r\n")[1], row(&[("id", "2"), ("text", "c;\nd")]));
    assert_eq!(
        values("a.tsv", "text\tlabel\nit is \"so\" good\tpos\n")[0],
        row(&[("text", "it is \"so\" good"), ("label", "pos")])
    );
    let spam = "ham\tGo until jurong point\nham\tOk lar\nspam\tFree entry in 2 a wkly comp\n";
    assert_eq!(
        values("SMSSpamCollection", spam)[2],
        row(&[("column1", "spam"), ("column2", "Free entry in 2 a wkly comp")])
    );
    let sentiment = "\"0\",\"1467810369\",\"Mon Apr 06\",\"NO_QUERY\",\"a\",\"so sad, \"\"really\"\"\"\n".repeat(3);
    assert_eq!(values("train.csv", &sentiment)[0][5], ("column6".to_owned(), "so sad, \"really\"".to_owned()));
    assert_eq!(
        kind("notes.txt", "It rained, and we stayed.\nThen, at noon, it stopped, at last.\nGood.\nWell.\nSo.\n"),
        Kind::Text
    );
    assert_eq!(kind("main.rs", "fn main() {\n    println!(\"a, b\");\n}\n"), Kind::Code);
    // A table with the name of a text, and a carriage return alone as line end.
    assert_eq!(values("a.csv", "text,label\ra,b\rc,d\r").len(), 2);
    // A lone carriage return ends a row for Python's csv, also where other rows end otherwise.
    assert_eq!(values("a.csv", "text,label\na,b\rc,d\n").len(), 2);
}

#[test]
fn headers_are_told_from_rows() {
    let header = |text: &str| read_bytes("a.csv", text.as_bytes()).names[0].path.clone();
    assert_eq!(header("word,kind\napple,fruit\nkale,vegetable\npear,fruit\n"), "word");
    assert_eq!(header("apple,fruit\nkale,vegetable\npear,fruit\n"), "column1");
    assert_eq!(header("a,1\nb,2\n"), "column1");
    assert_eq!(header("name,value\nb,2\nc,3\n"), "name");
    assert_eq!(header(",text,label\n0,a,b\n1,c,d\n"), "column1");
    assert_eq!(header("I like this a lot.,pos\nI do not like it.,neg\nMeh.,neg\n"), "column1");
    let seen = read_bytes("a.csv", b"text,label\n1,a b,c\n2,d e,f\n");
    assert_eq!(seen.values()[1], [("row_names", "2"), ("text", "d e"), ("label", "f")]);
    assert_eq!(seen.flaws(), []);
    let seen = read_bytes("a.csv", b"text,label,label\na,b,c\n");
    assert_eq!(seen.values()[0], [("text", "a"), ("label", "b"), ("label.1", "c")]);
    assert_eq!(seen.flaws(), [("duplicate-key", None)]);
}

/// `csv.reader` gives `['1', 'hello,ham\n2,ok,spam\n3,bye', 'ham']` for the swallowed rows.
#[test]
fn a_swallowed_quote_is_flagged() {
    let rows: String = (0..40).map(|n| format!("{n},hello there,ham\n")).collect();
    let text = format!("id,text,label\n{rows}40,\"hello,ham\n41,ok,spam\n42,\"bye\",ham\n43,x,ham\n");
    let seen = read_bytes("a.csv", text.as_bytes());
    assert!(seen.flaws().contains(&("swallowed-quote", Some(41))), "{:?}", seen.flaws());
    let never = format!("id,text,label\n{rows}40,\"hello,ham\n{rows}");
    let seen = read_bytes("a.csv", never.as_bytes());
    assert!(seen.flaws().contains(&("swallowed-quote", Some(41))), "{:?}", seen.flaws());
    // Balanced on purpose: 41 rows in one field of a row of the right width.
    let balanced = format!("id,text,label\n{rows}40,\"hello\n{rows}\",ham\n{rows}");
    assert!(flaws("a.csv", &balanced).contains(&("swallowed-quote", Some(41))));
    // Honest text of several lines.
    let honest =
        format!("id,text,label\n{rows}40,\"Dear all,\n\nI was there, and it was fine,\nthank you\n\nBob\",ham\n");
    assert_eq!(flaws("a.csv", &honest), []);
}

#[test]
fn ragged_rows_are_flagged_and_read() {
    let text = "text,label\na,b\nc\nd,e,f\n";
    let seen = read_bytes("a.csv", text.as_bytes());
    assert_eq!(seen.flaws(), [("ragged-row", Some(2)), ("ragged-row", Some(3))]);
    assert_eq!(seen.values()[2], [("text", "d"), ("label", "e"), ("column3", "f")]);
}

#[test]
fn tabs_without_quoting_do_not_swallow() {
    let rows: String = (0..30).map(|n| format!("{}\tHe said \"no\" {n}\n", n % 2)).collect();
    let text = format!("label\ttext\n1\t\"I never said that\n{rows}0\t\"So what\n");
    let seen = read_bytes("a.tsv", text.as_bytes());
    assert_eq!(seen.rows.len(), 32);
    assert_eq!(seen.flaws(), [("stray-quote", Some(1)), ("stray-quote", Some(32))]);
}

#[test]
fn fasttext_lines_carry_labels() {
    let text = "__label__pos good film\n__label__neg __label__short bad\n";
    let seen = read_bytes("train.txt", text.as_bytes());
    assert_eq!(seen.values()[1], [("label", "neg"), ("label", "short"), ("text", "bad")]);
    assert_eq!(seen.read().guess.as_ref().map(|g| g.shape), Some("plain text"));
}

#[test]
fn references_are_found_in_code() {
    let seen = read_bytes("train.py", b"from datasets import load_dataset\nd = load_dataset(\"org/data\")\n");
    assert_eq!((seen.read().references, seen.references.len(), seen.rows.len()), (1, 1, 2));
    // A Dockerfile keeps its name in front.
    for name in ["Dockerfile", "docker/Dockerfile-cloud-uv", "Dockerfile.gpu2"] {
        let seen = read_bytes(name, b"ARG BASE\nFROM acme/train:$BASE\n");
        assert_eq!((seen.read().kind, seen.references.len()), (Kind::Shell, 1), "{name}");
    }
}

#[test]
fn text_has_a_record_a_line() {
    let seen = read_bytes("notes.txt", b"one\r\n\r\nthree\n");
    assert_eq!(seen.values(), [vec![("text", "one")], vec![], vec![("text", "three")]]);
    assert_eq!((seen.rows[2].number, seen.read().records), (3, 2));
    assert_eq!(seen.role("text"), Role::Text);
    let seen = read_bytes("a.py", b"import x\n");
    assert_eq!((seen.read().kind, seen.read().records, seen.role("line")), (Kind::Python, 0, Role::Other));
}

#[test]
fn what_is_not_utf8_is_flagged_and_read() {
    let latin = read_bytes("a.csv", b"text,label\ncaf\xE9 ole,ham\nfoo,spam\n");
    assert_eq!(latin.rows[0].get("text"), Some("café ole"));
    assert_eq!(latin.flaws(), [("not-utf8", None)]);
    let broken = read_bytes("a.jsonl", b"{\"text\": \"a\xFFb\"}\n{\"text\": \"c\"}\n");
    assert_eq!(broken.flaws(), [("malformed-utf8", None)]);
    assert_eq!(broken.rows[0].get("text"), Some("a\u{FFFD}b"));
    let wide: Vec<u8> = "text,label\na,b\nc,d\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_bytes("a.csv", &wide).rows[1].get("label"), Some("d"));
}

#[test]
fn a_mark_at_the_start_of_json_lines_is_taken_off() {
    let seen = read_bytes("a.jsonl", b"\xEF\xBB\xBF{\"a\": 1}\n{\"a\": 2}\n");
    assert_eq!((seen.rows.len(), seen.flaws.len()), (2, 0));
}

#[test]
fn compressed_tables_are_read() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"text,label\na,b\nc,d\n").expect("writes into memory");
    let bytes = gzip.finish().expect("writes into memory");
    assert_eq!(read_bytes("a.csv.gz", &bytes).rows.len(), 2);
}

#[test]
fn binaries_have_no_reader() {
    let seen: Seen = read_bytes("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0");
    assert_eq!((seen.read().kind, seen.rows.len()), (Kind::Unknown, 0));
}

#[test]
fn batches_count_on() {
    let text: String = (0..10_000).map(|n| format!("{{\"n\": {n}, \"t\": \"{}\"}}\n", "x".repeat(n % 90))).collect();
    let seen = read_bytes("a.jsonl", text.as_bytes());
    assert_eq!(seen.read().records, 10_000);
    for (index, row) in seen.rows.iter().enumerate() {
        assert_eq!(row.number, index as u64 + 1);
        assert_eq!(row.get("n"), Some(index.to_string().as_str()));
    }
}

#[test]
fn line_feeds_are_counted_on_the_way_in_every_format() {
    let many = |row: &str| row.repeat(30_000);
    for (path, text) in [
        ("a.jsonl", many("{\"text\": \"some words\", \"label\": \"x\"}\n\n{\"text\": \"more\"}\r\n")),
        ("a.json", format!("[{}\n{{}}]", many("\n{\"text\":\n\"some words\", \"label\": \"x\"},"))),
        ("a.csv", format!("text,label\n{}", many("\"two\nlines\",x\none,y\n"))),
        ("a.txt", many("words\n\nmore of them\n")),
        ("a.py", many("x = 1\n# some words\n")),
    ] {
        let seen = read_bytes(path, text.as_bytes());
        assert!(seen.feeds.len() > 2, "{path}");
        assert!(seen.feeds.is_sorted_by_key(|feeds| feeds.at), "{path}");
        for feeds in &seen.feeds {
            let before = &text.as_bytes()[..feeds.at as usize];
            assert_eq!(feeds.count, before.iter().filter(|b| **b == b'\n').count() as u64, "{path} at {}", feeds.at);
        }
        let last = seen.feeds.last().expect("there are some").at as usize;
        assert!(text.len() - last < 1 << 20, "{path}: up to the end");
    }
}
