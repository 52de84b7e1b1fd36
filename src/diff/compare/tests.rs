//! The ladder step by step, and the kinds.

use proptest::prelude::*;

use super::*;
use crate::diff::trial::{Table, Trial};
use crate::lens::Role;

const BEFORE: &str =
    "where is my parcel\tdelivery\nit never came\tdelivery\ni want my money back\trefund\nthank you\tchat\n";

/// Classes that live on elsewhere, so that every change between them is a flip.
fn living() -> [(&'static str, u64); 3] {
    [("delivery", 50), ("refund", 50), ("chat", 50)]
}

fn one(after: &str) -> Vec<String> {
    Trial::default().file("d/a.csv", Some(BEFORE), Some(after)).rest("d/", &living()).transitions()
}

#[test]
fn a_flip_is_found_wherever_the_row_went() {
    let flipped =
        "thank you\tchat\nit never came\trefund\nwhere is my parcel\tdelivery\ni want my money back\trefund\n";
    assert_eq!(one(flipped), ["flip delivery>refund 1+0+0"]);
    let moved = Trial::default()
        .file("d/a.csv", Some(BEFORE), Some("thank you\tchat\n"))
        .file("d/b.csv", None, Some("i want my money back\trefund\nIt  never came\trefund\n"))
        .rest("d/", &living());
    assert_eq!(moved.transitions(), ["flip delivery>refund 1+0+0"]);
    moved.compare(|changes| {
        let set = &changes.summary.sets[0];
        assert_eq!((set.moved, set.changed, set.removed, set.added), (1, 1, 1, 0));
        assert_eq!(set.scope, "dataset");
    });
}

#[test]
fn kinds_follow_from_the_classes_of_the_whole_set() {
    let table = |before: &str, after: &str, rest: &[(&str, u64)]| {
        Trial::default().file("d/a.csv", Some(before), Some(after)).rest("d/", rest).transitions()
    };
    assert_eq!(table("a\tx\nb\tx\n", "a\ty\nb\ty\n", &[]), ["rename x>y 2+0+0"]);
    assert_eq!(table("a\tx\nb\ty\n", "a\ty\nb\ty\n", &[]), ["merge x>y 1+0+0"]);
    assert_eq!(table("a\tx\nb\ty\n", "a\ty\nb\ty\n", &[("x", 3)]), ["flip x>y 1+0+0"]);
    assert_eq!(table("a\tx\nb\tx\n", "a\tz\nb\tx\n", &[]), ["carve-out x>z 1+0+0"]);
    assert_eq!(table("a\t\nb\tx\n", "a\tx\nb\t\n", &[]), ["fill >x 1+0+0", "blank x> 1+0+0"]);
    assert_eq!(table("a\tnull\n", "a\tx\n", &[]), ["fill >x 1+0+0"]);
}

#[test]
fn without_the_other_files_only_what_changed_decides() {
    let trial = Trial::default().file("d/a.csv", Some("a\tx\nb\ty\n"), Some("a\ty\nb\ty\n"));
    assert_eq!(trial.transitions(), ["merge x>y 1+0+0"]);
    trial.compare(|changes| assert_eq!(changes.summary.sets[0].scope, "changed-files"));
}

#[test]
fn several_rows_of_one_text_are_kept_apart() {
    // All of them alike: they are copies, outside the exact count.
    assert_eq!(
        Trial::default()
            .file("d/a.csv", Some("a\tx\na\tx\nb\tx\n"), Some("a\ty\na\ty\nb\tx\n"))
            .rest("d/", &[("x", 9), ("y", 9)])
            .transitions(),
        ["flip x>y 0+2+0"]
    );
    // One of two changed: what did not change cancels.
    assert_eq!(
        Trial::default()
            .file("d/a.csv", Some("a\tx\na\tx\n"), Some("a\ty\na\tx\n"))
            .rest("d/", &[("x", 9), ("y", 9)])
            .transitions(),
        ["flip x>y 1+0+0"]
    );
    // Files without a field for labels do not matter.
    let unlabelled = |text| Some(Table::new("d/b.csv", &[("text", Role::Text)], text));
    assert_eq!(
        Trial::default()
            .file("d/a.csv", Some("a\tx\n"), Some("a\ty\n"))
            .tables(unlabelled("a\nb\n"), unlabelled("b\n"))
            .rest("d/", &[("x", 9), ("y", 9)])
            .transitions(),
        ["flip x>y 1+0+0"]
    );
    // Two labels became two others: nobody can say which became which.
    let conflict = Trial::default()
        .file("d/a.csv", Some("a\tx\na\ty\n"), Some("a\tz\na\tw\n"))
        .rest("d/", &[("x", 9), ("y", 9), ("z", 9), ("w", 9)]);
    assert_eq!(conflict.transitions(), [""; 0]);
    conflict.compare(|changes| assert_eq!(changes.summary.sets[0].conflicts, 1));
    // Labels of duplicates that changed places changed nothing.
    assert_eq!(Trial::default().file("d/a.csv", Some("a\tx\na\ty\n"), Some("a\ty\na\tx\n")).transitions(), [""; 0]);
}

#[test]
fn identifiers_tell_duplicates_apart_and_carry_edited_texts() {
    let columns = [("id", Role::Id), ("text", Role::Text), ("label", Role::Label)];
    let table = |text: &str| Some(Table::new("d/a.csv", &columns, text));
    let rest = [("x", 9), ("y", 9), ("z", 9), ("w", 9)];
    let trial = |before, after| Trial::default().tables(table(before), table(after)).rest("d/", &rest);
    let conflict = trial("1\ta\tx\n2\ta\ty\n", "1\ta\tz\n2\ta\tw\n");
    assert_eq!(conflict.transitions(), ["flip x>z 1+0+0", "flip y>w 1+0+0"]);
    let edited = trial("7\tmy parcel is late again\tx\n", "7\tmy parcel is late\ty\n");
    assert_eq!(edited.transitions(), ["flip x>y 1+0+0"]);
    // The number was given to another text: a record went and another came.
    let reused = trial("7\tmy parcel is late again\tx\n", "7\tguten morgen\ty\n");
    assert_eq!(reused.transitions(), [""; 0]);
    reused.compare(|changes| {
        let set = &changes.summary.sets[0];
        assert_eq!((set.added, set.removed, set.changed), (1, 1, 0));
    });
}

#[test]
fn near_duplicates_stand_outside_the_exact_counts() {
    let before = "please cancel the order that i made on the website last monday\tx\n";
    let after = "please cancel the order that i made on the website last monday now\ty\n";
    let trial = Trial::default().file("d/a.csv", Some(before), Some(after)).rest("d/", &[("x", 9), ("y", 9)]);
    assert_eq!(trial.transitions(), ["flip x>y 0+0+1"]);
}

#[test]
fn an_invisible_character_does_not_make_another_record() {
    let after = BEFORE.replace("it never came\tdelivery", "it never\u{200b} came\trefund");
    assert_eq!(one(&after), ["flip delivery>refund 1+0+0"]);
}

#[test]
fn a_file_that_was_replaced_has_no_flips() {
    let rows = |word: &str, label: &str| (0..40).map(|n| format!("{word} {n}\t{label}\n")).collect::<String>();
    let before = rows("bonjour", "x") + "ok\tx\n";
    let after = rows("guten tag", "y") + "ok\ty\n";
    let trial = Trial::default().file("d/a.csv", Some(&before), Some(&after)).rest("d/", &[("x", 9), ("y", 9)]);
    assert_eq!(trial.transitions(), [""; 0]);
    trial.compare(|changes| assert_eq!(changes.summary.sets[0].replaced, ["d/a.csv"]));
}

#[test]
fn a_split_of_a_file_replaces_nothing() {
    let rows = |from: usize, label: &str| (from..from + 40).map(|n| format!("text {n}\t{label}\n")).collect::<String>();
    let trial = Trial::default().file("d/a.csv", Some(&rows(0, "x")), Some(&rows(100, "x"))).file(
        "d/b.csv",
        Some(&rows(100, "x")),
        Some(&rows(0, "y")),
    );
    assert_eq!(trial.transitions(), ["carve-out x>y 40+0+0"]);
}

#[test]
fn another_layout_of_the_same_records_is_only_that() {
    let after = BEFORE.replace("where is", "Where  is");
    let trial = Trial::default().file("d/a.csv", Some(BEFORE), Some(&after));
    trial.compare(|changes| {
        let set = &changes.summary.sets[0];
        assert_eq!(set.format_only, ["d/a.csv"]);
        assert_eq!((set.added, set.removed, set.changed), (0, 0, 0));
    });
}

#[test]
fn chosen_and_rejected_that_change_places_are_a_flip() {
    let columns = [("prompt", Role::Text), ("chosen", Role::Text), ("rejected", Role::Text)];
    let table = |text: &str| Some(Table::new("d/a.csv", &columns, text));
    let trial = Trial::default().tables(table("p\tgood\tbad\nq\tyes\tno\n"), table("p\tbad\tgood\nq\tyes\tno\n"));
    let transitions = trial.transitions();
    assert_eq!(transitions.len(), 1);
    assert!(transitions[0].starts_with("flip ") && transitions[0].ends_with(" 1+0+0"), "{transitions:?}");
}

#[test]
fn data_sets_that_share_a_text_do_not_flip_each_other() {
    let trial = Trial::default().file("mood/a.csv", Some("hello\tgood\n"), None).file(
        "topic/a.csv",
        None,
        Some("hello\tgreeting\n"),
    );
    assert_eq!(trial.transitions(), [""; 0]);
}

#[test]
fn scores_are_no_classes() {
    let rows = |add: u32| (0..60).map(|n| format!("text {n}\t0.{}\n", n + add)).collect::<String>();
    let trial = Trial::default().file("d/a.csv", Some(&rows(100)), Some(&rows(200)));
    assert_eq!(trial.transitions(), [""; 0]);
    trial.compare(|changes| assert_eq!(changes.summary.sets[0].changed, 60));
}

#[test]
fn files_whose_folder_is_the_label() {
    let index = |files: &[(&str, &str)]| {
        let mut index = Index::default();
        for (number, (path, content)) in files.iter().enumerate() {
            index.file(path.as_bytes(), content.as_bytes(), crate::span::BlobId(number as u32));
        }
        std::sync::Arc::new(index)
    };
    let before = index(&[("train/cat/1.png", "aa"), ("train/cat/2.png", "bb"), ("train/dog/3.png", "cc")]);
    let after = index(&[("train/cat/1.png", "aa"), ("train/dog/2.png", "bb"), ("train/dog/3.png", "cc")]);
    let blob = crate::span::BlobId(0);
    let sides = [Side::new(blob, "train/".into(), &Default::default(), Some(before), Some(after))];
    let changes = compare(&sides, &crate::diff::Never);
    assert_eq!(changes.summary.sets[0].transitions[0].to.as_deref(), Some("dog"));
    assert_eq!(changes.flips[0].marks[0].place.blob, crate::span::BlobId(1));
}

proptest! {
    #[test]
    fn the_multiset_rule_holds(
        before in proptest::collection::vec((0_u8..12, 0_u8..4), 0..40),
        after in proptest::collection::vec((0_u8..12, 0_u8..4), 0..40),
        cut in 0_usize..40,
    ) {
        let text = |rows: &[(u8, u8)]| rows.iter().map(|(text, label)| format!("t{text}\tl{label}\n")).collect::<String>();
        let cut = cut.min(after.len());
        let living = [("l0", 9), ("l1", 9), ("l2", 9), ("l3", 9)];
        let trial = Trial::default()
            .file("d/a.csv", Some(&text(&before)), Some(&text(&after[..cut])))
            .file("d/b.csv", None, Some(&text(&after[cut..])))
            .rest("d/", &living);
        // As the reference reader counts: multiset differences, then one gone and one come for a key.
        let mut difference: BTreeMap<u8, BTreeMap<u8, i64>> = BTreeMap::new();
        for (text, label) in &after { *difference.entry(*text).or_default().entry(*label).or_default() += 1; }
        for (text, label) in &before { *difference.entry(*text).or_default().entry(*label).or_default() -= 1; }
        let mut expected: BTreeMap<(u8, u8), u64> = BTreeMap::new();
        for labels in difference.values() {
            let gone: Vec<_> = labels.iter().filter(|(_, n)| **n < 0).collect();
            let come: Vec<_> = labels.iter().filter(|(_, n)| **n > 0).collect();
            if let ([(from, -1)], [(to, 1)]) = (&gone[..], &come[..]) {
                *expected.entry((**from, **to)).or_default() += 1;
            }
        }
        let found = trial.compare(|changes| {
            let number = |class: &Option<String>| class.as_deref().and_then(|class| class[1..].parse().ok()).unwrap_or(99);
            let all = changes.summary.sets.iter().flat_map(|set| &set.transitions);
            all.filter(|t| t.count > 0).map(|t| ((number(&t.from), number(&t.to)), t.count)).collect::<BTreeMap<(u8, u8), u64>>()
        });
        // A file of fewer than twenty rows is never held to be replaced.
        if before.len() < 20 || cut < 20 {
            prop_assert_eq!(found, expected);
        }
    }
}
