use proptest::prelude::*;

use super::super::index::Stretch;
use super::*;
use crate::lens::Lens;
use crate::span::BlobId;

/// Everything that an index says of its rows and its classes.
fn told(index: &Index) -> (Vec<String>, Vec<String>, Option<Stretch>) {
    let title = |label| index.classes().title(label).map(Cow::into_owned);
    let row = |row| {
        let id = index.ids.get(row).copied().unwrap_or(0);
        let label = index.label(row);
        format!(
            "{:?} {id} {label:?} {:?} {} {:?}",
            index.key(row),
            title(label),
            index.number(row),
            index.place(row, BlobId(0))
        )
    };
    let classes = index.classes().counts().map(|(label, rows)| format!("{:?} {rows}", title(label))).collect();
    ((0..index.len()).map(row).collect(), classes, index.one_stretch().cloned())
}

fn of<T>(path: &str, text: &[u8], look: impl FnOnce(&Blob<'_>) -> T) -> T {
    let decoded = format::decode(text, &Limits::default()).expect("a small text");
    let lens = Lens { null: vec![String::new()], ..Lens::default() };
    look(&Blob { id: BlobId(0), path: path.into(), lens: &lens, decoded: &decoded, fresh: &Fresh::All })
}

/// Reads `after` by way of `before` and alone. Says whether the short way was taken; what both come to must be the same.
fn both(path: &str, before: &[u8], after: &[u8]) -> bool {
    let limits = Limits::default();
    let known = of(path, before, |blob| {
        read(None, blob, &limits).expect("it can be read").known.map(|known| known.owned(None))
    });
    of(path, after, |blob| {
        let plain = read(None, blob, &limits).expect("it can be read");
        let Some(known) = known else { return false };
        let by_line = format::by_line(blob);
        let short = by_line.and_then(|by_line| known.next(&by_line, blob, &limits));
        let Some(short) = short else { return false };
        assert_eq!(told(&short.index), told(&plain.index));
        assert_eq!(short.is_data, plain.is_data);
        // What is read by way of it must be right, too.
        let again = read(Some(&short.known.expect("it can be gone on from")), blob, &limits).expect("it can be read");
        assert_eq!(told(&again.index), told(&plain.index));
        true
    })
}

fn line(n: usize, class: usize) -> String {
    format!("{{\"id\": {n}, \"text\": \"row number {n} of many\", \"label\": \"c{class}\"}}\n")
}

fn table(rows: usize) -> Vec<String> {
    (0..rows).map(|n| line(n, n % 5)).collect()
}

#[test]
fn changed_added_and_removed_lines_are_read_and_all_others_taken_over() {
    let before = table(3000);
    let mut after = before.clone();
    after[100] = line(100, 7);
    after[2000] = line(2000, 9);
    after.remove(1500);
    after.insert(2500, line(9999, 3));
    after.insert(2600, "\n".to_owned());
    after.insert(2700, "no JSON at all\n".to_owned());
    after.push("{\"text\": \"the last line has no end\", \"label\": \"c1\"}".to_owned());
    assert!(both("a.jsonl", before.concat().as_bytes(), after.concat().as_bytes()));
    // Here the start differs, and a field is gone: all is read anew, and comes to the same.
    assert!(!both("a.jsonl", after.concat().as_bytes(), before.concat().as_bytes()));
}

#[test]
fn lines_of_fasttext_and_of_plain_text_are_taken_over() {
    let fast: Vec<String> = (0..2000).map(|n| format!("__label__c{} some words {n}\n", n % 4)).collect();
    let mut after = fast.clone();
    after[1000] = "__label__c9 some words 1000\n".to_owned();
    assert!(both("a.txt", fast.concat().as_bytes(), after.concat().as_bytes()));
    let plain: Vec<String> = (0..2000).map(|n| format!("Some sentence with the number {n}.\n")).collect();
    let mut after = plain.clone();
    after.insert(700, "\n".to_owned());
    assert!(both("corpus.txt", plain.concat().as_bytes(), after.concat().as_bytes()));
}

#[test]
fn where_another_start_changes_the_roles_all_is_read_anew() {
    let before = table(3000);
    // The label has another name in the first records, so that it is another field that counts.
    let mut after = before.clone();
    for row in &mut after[..600] {
        *row = row.replace("\"label\"", "\"intent\"");
    }
    both("a.jsonl", before.concat().as_bytes(), after.concat().as_bytes());
    // A field for labels that comes late counts from its batch on, wherever that begins.
    let unlabelled: Vec<String> = (0..6000).map(|n| format!("{{\"text\": \"row {n} of many rows\"}}\n")).collect();
    let mut late = unlabelled.clone();
    late[5000] = line(5000, 1);
    assert!(!both("a.jsonl", unlabelled.concat().as_bytes(), late.concat().as_bytes()));
    assert!(!both("a.jsonl", late.concat().as_bytes(), unlabelled.concat().as_bytes()));
}

#[test]
fn what_is_no_text_of_lines_is_read_the_plain_way() {
    let csv: String = (0..2000).map(|n| format!("\"text, with {n}\",label\n")).collect();
    assert!(!both("a.csv", csv.as_bytes(), csv.as_bytes()));
    let array = format!("[{}]", table(1000).concat().trim_end().replace('\n', ",\n"));
    assert!(!both("a.json", array.as_bytes(), array.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_short_way_comes_to_the_same(
        edits in proptest::collection::vec((0_usize..2000, 0_usize..9), 1..40),
        ends in any::<bool>(),
    ) {
        let mut before = table(1500);
        let mut after = before.clone();
        for (at, what) in edits {
            let at = at % after.len();
            match what {
                0 => _ = after.remove(at),
                1 => after.insert(at, line(at + 5000, at % 7)),
                2 => after[at] = line(at, 8),
                3 => after[at] = "\n".to_owned(),
                4 => after[at] = "{broken\n".to_owned(),
                5 => after[at] = format!("{{\"text\": \"short {at}\", \"more\": [1, {at}]}}\n"),
                6 => after[at] = line(at, at % 5).replace('\n', "\r\n"),
                7 => after.swap(at, 0),
                _ => before[at % 1500] = format!("{{\"text\": \"tags\", \"label\": [\"a\", \"b{at}\"]}}\n"),
            }
        }
        let mut after = after.concat();
        if ends { after.pop(); }
        both("a.jsonl", before.concat().as_bytes(), after.as_bytes());
        both("a.jsonl", after.as_bytes(), before.concat().as_bytes());
    }
}
