use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::Checker;

/// What is to be done about a file of this name and content, outside of any repository.
fn planned(name: &str, content: &[u8], bold: bool) -> Plan {
    with_fixer(name, content, bold, |fixer, entry| fixer.plan(entry).expect("a file that can be read"))
}

fn with_fixer<T>(name: &str, content: &[u8], bold: bool, act: impl FnOnce(&Fixer<'_>, &Entry) -> T) -> T {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), content).expect("a file");
    let listed = Checker::new().paths(&[name.into()]).listed(folder.path()).expect("a listing");
    let fixer = Fixer::new(&listed, bold).expect("the policy of nobody");
    assert_eq!(listed.entries.len(), 1);
    act(&fixer, &listed.entries[0])
}

fn fixed(name: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    match planned(name, content.as_ref(), false) {
        Plan::Rewrite(change) => change.after,
        other => panic!("{name} should be rewritten, but: {other:?}"),
    }
}

fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    match planned(name, content.as_ref(), false) {
        Plan::Refused(reason) => reason,
        other => panic!("{name} should be refused, but: {other:?}"),
    }
}

fn left_alone(name: &str, content: impl AsRef<[u8]>) -> u64 {
    match planned(name, content.as_ref(), false) {
        Plan::Nothing { left } => left,
        other => panic!("{name} should be left alone, but: {other:?}"),
    }
}

const TAIL: &str =
    "{\"text\": \"where is my card\", \"label\": \"card\"}\n{\"text\": \"bye now\", \"label\": \"leave\"}\n";

#[test]
fn only_the_bytes_of_hidden_characters_go() {
    let before = format!(
        "{{ \"label\":\"a\" ,\t\"text\" : \"h\u{E0041}i \\u00e9 \\\"x\\\" \\udb40\\udc41\\u2062\" }}\r\n{TAIL}"
    );
    let after = format!("{{ \"label\":\"a\" ,\t\"text\" : \"hi \\u00e9 \\\"x\\\" \" }}\r\n{TAIL}");
    assert_eq!(fixed("a.jsonl", before), after.as_bytes());

    let before = "\u{FEFF}text,label\r\n\"say \"\"a\u{2062}b\"\", then\",x\r\nplain\u{E0041},y\r\nthird,x\r\n";
    let after = "\u{FEFF}text,label\r\n\"say \"\"ab\"\", then\",x\r\nplain,y\r\nthird,x\r\n";
    assert_eq!(fixed("a.csv", before), after.as_bytes());

    let before = "[\n  {\"text\": \"a\u{2062}b\", \"label\": \"x\"},\n  {\"text\": \"c\", \"label\": \"y\"}\n]";
    assert_eq!(fixed("train.json", before), before.replace('\u{2062}', "").as_bytes());

    let before = "# Rules\n\nBe kind.\u{E0042}\u{E0043} Always.\n";
    assert_eq!(fixed("CLAUDE.md", before), "# Rules\n\nBe kind. Always.\n".as_bytes());
}

#[test]
fn wide_encodings_are_cut_in_their_own_units() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let text = "\u{FEFF}text,label\na\u{E0041}b,x\nc\u{1F600}d,y\nlast one,z\n";
    assert_eq!(fixed("a.csv", wide(text)), wide(&text.replace('\u{E0041}', "")));
    let text = "\u{FEFF}text,label\na\u{A0}b,x\nc,y\nlast one,z\n";
    match planned("a.csv", &wide(text), true) {
        Plan::Rewrite(change) => assert_eq!(change.after, wide(&text.replace('\u{A0}', " "))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_may_be_honest_stays_and_is_counted() {
    assert_eq!(left_alone("a.jsonl", format!("{{\"text\": \"pay\u{200B}pal\", \"label\": \"a\"}}\n{TAIL}")), 1);
    assert_eq!(left_alone("a.jsonl", TAIL), 0);
    match planned("a.jsonl", format!("{{\"text\": \"pay\u{200B}pal\", \"label\": \"a\"}}\n{TAIL}").as_bytes(), true) {
        Plan::Rewrite(change) => assert_eq!((change.characters, change.left), (1, 0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_label_a_name_and_a_row_count_never_change() {
    let reason = refused("a.jsonl", format!("{{\"text\": \"hello you\", \"label\": \"ca\u{E0041}rd\"}}\n{TAIL}"));
    assert!(reason.contains("the label of row 1"), "{reason}");
    let hidden = TAIL.replace("text", "te\u{E0041}xt");
    let reason = refused("a.jsonl", hidden);
    assert!(reason.contains("the name of a field"), "{reason}");
    // Without the mark between them the quotes would become a part of the value.
    let reason = refused("a.csv", "text,label\n\"a\"\u{2062}\"b\",x\nc,y\nd,x\n");
    assert!(reason.contains("row 1") || reason.contains("parser"), "{reason}");
}

#[test]
fn a_row_is_not_emptied_and_not_made_the_twin_of_another() {
    let reason = refused("a.jsonl", format!("{{\"text\": \"\u{E0041}\u{E0042}\", \"label\": \"a\"}}\n{TAIL}"));
    assert!(reason.contains("nothing would be left") && reason.contains("row 1"), "{reason}");
    let reason = refused("a.jsonl", format!("{{\"text\": \"bye\u{2062} now\", \"label\": \"a\"}}\n{TAIL}"));
    assert!(reason.contains("rows 1 and 3"), "{reason}");
    // Two rows that were the same stay the same.
    let row = "{\"text\": \"hello\u{E0041} you\", \"label\": \"a\"}\n";
    assert_eq!(
        fixed("a.jsonl", format!("{row}{row}{TAIL}")),
        format!("{row}{row}{TAIL}").replace('\u{E0041}', "").as_bytes()
    );
}

#[test]
fn a_mark_between_joined_files_goes_and_the_row_behind_it_can_be_read() {
    let before = format!("{TAIL}\u{FEFF}{{\"text\": \"another one\", \"label\": \"card\"}}\n");
    assert_eq!(fixed("a.jsonl", &before), before.replace('\u{FEFF}', "").as_bytes());
}

#[test]
fn what_is_packed_is_refused_with_the_way_out() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{{\"text\": \"a\u{E0041}b\", \"label\": \"a\"}}\n{TAIL}").as_bytes()).expect("memory");
    let packed = packed.finish().expect("memory");
    assert!(refused("a.jsonl.gz", packed).contains("expand it"));
}

fn moving(name: &str, content: &str, named: &[u64]) -> Moving {
    let named: BTreeSet<u64> = named.iter().copied().collect();
    with_fixer(name, content.as_bytes(), false, |fixer, entry| fixer.aside(entry, &named).expect("can be read"))
}

/// What is left of a file, and what a new side file gets.
fn moved(name: &str, content: &str, named: &[u64]) -> (String, String) {
    let Moving::Rows(aside) = moving(name, content, named) else { panic!("{name} has rows to move") };
    let folder = tempfile::tempdir().expect("a folder");
    let mut shelf = Shelf::open(&folder.path().join("side"), 1 << 20).expect("a new file");
    shelf.take(&aside).expect("the first rows");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(aside.after), text(shelf.bytes().expect("a side file")))
}

#[test]
fn suspicious_lines_move_and_the_others_stay_as_they_are() {
    let bad = "{\"text\": \"pay\u{200B}pal\", \"label\": \"a\"}";
    let (left, side) = moved("a.jsonl", &format!("{bad}\r\n{TAIL}{bad}"), &[]);
    assert_eq!((left.as_str(), side), (TAIL, format!("{bad}\r\n{bad}\r\n")));
    let (left, side) = moved("a.csv", "text,label\n\"a\u{E0041}\nb\",x\nc,y\nd,z\n", &[3]);
    assert_eq!((left.as_str(), side.as_str()), ("text,label\nc,y\n", "text,label\n\"a\u{E0041}\nb\",x\nd,z\n"));
    assert!(matches!(moving("a.jsonl", TAIL, &[]), Moving::Nothing));
    // A note is no reason to lose a row.
    assert!(matches!(moving("a.jsonl", &TAIL.replace("card", "card\u{202B}x\u{202C}"), &[]), Moving::Nothing));
}

#[test]
fn a_list_without_its_suspicious_elements_is_a_list() {
    let row = |n: usize| format!("{{\"text\": \"row number {n}\", \"label\": \"x\"}}");
    let list = |rows: &[usize]| format!("[\n  {}\n]\n", rows.iter().map(|&n| row(n)).collect::<Vec<_>>().join(",\n  "));
    for gone in [vec![1], vec![4], vec![2, 3], vec![1, 2], vec![3, 4], vec![1, 3], vec![1, 4], vec![1, 2, 3, 4]] {
        let named: Vec<u64> = gone.iter().map(|&n| n as u64).collect();
        let (left, side) = moved("train.json", &list(&[1, 2, 3, 4]), &named);
        let read = |text: &str| -> Vec<serde_json::Value> { serde_json::from_str(text).expect("a list") };
        let texts = |text: &str| read(text).iter().map(|row| row["text"].to_string()).collect::<Vec<_>>();
        let expected = |keep: bool| {
            (1..=4).filter(|n| gone.contains(n) != keep).map(|n| format!("\"row number {n}\"")).collect::<Vec<_>>()
        };
        assert_eq!(texts(&left), expected(true), "{left}");
        assert_eq!(texts(&side), expected(false), "{side}");
    }
    let split = "{\"train\": [{\"text\": \"one\", \"label\": \"x\"}, {\"text\": \"two\", \"label\": \"y\"}], \
                 \"test\": [{\"text\": \"three\", \"label\": \"x\"}, {\"text\": \"four\", \"label\": \"y\"}]}";
    let (left, _) = moved("data.json", split, &[2, 3]);
    let expected = "{\"train\": [{\"text\": \"one\", \"label\": \"x\"}], \
                    \"test\": [{\"text\": \"four\", \"label\": \"y\"}]}";
    assert_eq!(left, expected);
}

#[test]
fn a_side_file_is_added_to_and_never_mixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let side = folder.path().join("side");
    let rows = |name: &str, content: &str| match moving(name, content, &[1]) {
        Moving::Rows(aside) => aside,
        other => panic!("{other:?}"),
    };
    let csv = rows("a.csv", "text,label\na,x\nb,y\nc,z\n");
    std::fs::write(&side, "text,label\nold,x").expect("written");
    let mut shelf = Shelf::open(&side, 1 << 20).expect("a file");
    shelf.take(&csv).expect("the first rows");
    assert_eq!(shelf.bytes(), Ok(b"text,label\nold,x\na,x\n".to_vec()));
    assert!(shelf.take(&rows("a.jsonl", TAIL)).is_err(), "another format");
    assert!(shelf.take(&rows("b.csv", "label,text\na,x\nb,y\nc,z\n")).is_err(), "other columns");
    std::fs::write(&side, "something else\n").expect("written");
    let mut shelf = Shelf::open(&side, 1 << 20).expect("a file");
    shelf.take(&csv).expect("the first rows");
    assert!(shelf.bytes().is_err());
    std::fs::write(&side, "[{\"text\": \"old\"}]\n").expect("written");
    let mut shelf = Shelf::open(&side, 1 << 20).expect("a file");
    shelf
        .take(&rows("train.json", "[{\"text\": \"one\", \"label\": \"x\"}, {\"text\": \"two\", \"label\": \"y\"}]"))
        .expect("rows");
    assert_eq!(shelf.bytes(), Ok(b"[{\"text\": \"old\"},\n{\"text\": \"one\", \"label\": \"x\"}\n]\n".to_vec()));
}

/// Pieces that texts are made of: letters, scripts with their joiners, everything that can be cut, and what breaks
/// containers.
fn piece() -> impl Strategy<Value = String> {
    #[rustfmt::skip]
    const ALL: &[&str] = &[
        "a", "b ", "Zz", "é", "中", "ش", "\u{200C}", "\u{200B}", "\u{200D}", "\u{E0041}", "\u{E007F}", "\u{1F3F4}",
        "\u{FE0F}", "\u{E0138}", "\u{2764}", "\u{2062}", "\u{2064}", "\u{2065}", "\u{3164}", "\u{1100}", "\u{FEFF}",
        "\u{1B}[8m", "\u{1B}", "\u{9B}", "\u{8}", "\u{7F}", "\0", "\u{1}", "\u{FFFF}", "\u{1D173}", "\u{AD}",
        "\u{202E}", "\u{2066}", "\u{2069}", "\u{34F}", "\u{A0}", "\"", "\\", ",", "u200b", "\\u200b", "\n", "\r",
        "\t", "{", "]",
    ];
    prop::sample::select(ALL).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

/// JSON as a writer of ASCII, or of UTF-8, makes it.
fn json(text: &str, ascii: bool) -> String {
    let plain = serde_json::to_string(text).expect("text");
    if !ascii {
        return plain;
    }
    let mut units = [0; 2];
    plain.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// serde_json and Python's rules for CSV are the oracle: whatever is cut, the other values, the keys and the number
    /// of rows are as before, and the text that was cut differs by hidden characters alone.
    #[test]
    fn a_rewritten_file_says_the_same(
        texts in prop::collection::vec((text(), any::<bool>()), 2..6), bold: bool,
    ) {
        let lines: String = texts
            .iter()
            .enumerate()
            .map(|(n, (text, ascii))| format!("{{\"text\": {}, \"label\": \"l{}\", \"n\": {n}}}\n", json(&format!("{n} {text}"), *ascii), n % 2))
            .collect();
        if let Plan::Rewrite(change) = planned("a.jsonl", lines.as_bytes(), bold) {
            let after = String::from_utf8(change.after).expect("UTF-8 stays UTF-8");
            let read = |text: &str| -> Vec<serde_json::Value> {
                text.split_terminator('\n').map(|line| serde_json::from_str(line).expect("JSON stays JSON")).collect()
            };
            let (old, new) = (read(&lines), read(&after));
            prop_assert_eq!(old.len(), new.len());
            for (old, new) in old.iter().zip(&new) {
                prop_assert_eq!((&old["label"], &old["n"]), (&new["label"], &new["n"]));
                let (old, new) = (old["text"].as_str().unwrap_or_default(), new["text"].as_str().unwrap_or_default());
                let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric() && !('\u{1100}'..'\u{3200}').contains(c)).collect::<String>();
                if !old.contains('\u{1B}') && !old.contains('\u{9B}') {
                    prop_assert_eq!(letters(old), letters(new));
                }
                prop_assert!(new.len() <= old.len());
            }
            let again = planned("a.jsonl", after.as_bytes(), bold);
            let done = matches!(again, Plan::Nothing { .. });
            prop_assert!(done, "a second run has nothing to do: {:?}", again);
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_leave_a_file_it_would_change_again(
        bytes in prop::collection::vec(prop_oneof![3 => piece().prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..4)], 0..40),
        name in prop::sample::select(&["a.jsonl", "a.csv", "a.json", "a.txt", "a.md", "a.py"][..]),
        bold: bool,
    ) {
        let bytes = bytes.concat();
        let first = with_fixer(name, &bytes, bold, |fixer, entry| fixer.plan(entry));
        if let Ok(Plan::Rewrite(change)) = first {
            prop_assert!(change.after.len() <= bytes.len());
            let again = with_fixer(name, &change.after, bold, |fixer, entry| fixer.plan(entry));
            let done = matches!(again, Ok(Plan::Nothing { .. }));
            prop_assert!(done, "{:?}", again);
        }
        let _ = with_fixer(name, &bytes, bold, |fixer, entry| fixer.aside(entry, &BTreeSet::from([1, 3])).map(|_| ()));
    }
}
