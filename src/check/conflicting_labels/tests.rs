use proptest::prelude::*;

use super::*;
use crate::diff::trial::Table;
use crate::lens::Role;
use crate::span::{Fresh, Span};

fn finish(seen: Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    ConflictingLabels.finish(seen, &mut findings);
    findings
}

fn look(tables: &[Table]) -> Vec<Finding> {
    let mut seen = Seen::default();
    for table in tables {
        table.indexed(2, |indexed| ConflictingLabels.observe(&mut seen, &Observation::Indexed(indexed)));
    }
    finish(seen)
}

fn table(path: &str, blob: u32, text: &str) -> Table {
    let mut table = Table::labelled(path, text);
    table.blob = BlobId(blob);
    table
}

#[test]
fn one_text_under_two_labels_is_found_across_files_of_a_folder() {
    let tables =
        [table("d/a.csv", 0, "win\tspam\nlunch\tham\nhome\tham\n"), table("d/b.csv", 1, "Win \tham\nbye\tham\n")];
    let findings = look(&tables);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].message, "1 text stands under several labels");
    let notes: Vec<_> = findings[0].marks.iter().map(|mark| mark.note.as_deref().unwrap_or_default()).collect();
    assert_eq!(notes, ["`spam` here, `ham` elsewhere", "`ham` here, `spam` elsewhere"]);
    assert_eq!(
        findings[0].marks[1].place,
        crate::span::Place { blob: BlobId(1), at: crate::span::At::Bytes(Span::new(0, 8)) }
    );
    // Another folder is another data set.
    let apart = [table("d/a.csv", 0, "win\tspam\nlunch\tham\n"), table("e/b.csv", 1, "win\tham\nbye\tspam\n")];
    assert!(look(&apart).is_empty());
}

#[test]
fn what_is_no_conflict_is_not_told() {
    // The same label twice, no label, no text, and classes that have nothing to do with each other.
    let quiet = [
        table("d/a.csv", 0, "win\tspam\nwin\tspam\nlunch\t\nlunch\tham\n\tham\n\tspam\n"),
        table("d/b.csv", 1, "win\tshort\nlunch\tlong\n"),
    ];
    assert!(look(&quiet).is_empty());
    let unlabelled = Table::new("d/a.csv", &[("text", Role::Text)], "win\nwin\n");
    assert!(look(&[unlabelled]).is_empty());
}

#[test]
fn in_a_change_only_its_own_conflicts_count() {
    let text = "win\tspam\nwin\tham\nlunch\tham\nbye\tham\nlunch\tspam\n";
    let mut changed = table("d/a.csv", 0, text);
    changed.fresh = Fresh::Only(vec![Span::new(35, 45)]);
    let findings = look(&[changed]);
    assert_eq!(findings[0].message, "1 text stands under several labels");
    let records: Vec<_> = findings[0].marks.iter().filter_map(|mark| mark.record).collect();
    assert_eq!(records, [3, 5]);
    let mut quiet = table("d/a.csv", 0, text);
    quiet.fresh = Fresh::Only(vec![Span::new(27, 34)]);
    assert!(look(&[quiet]).is_empty());
}

#[test]
fn many_annotators_are_a_design() {
    let rows: String = (0..100).map(|n| format!("text {}\t{}\n", n / 2, ["a", "b"][n % 2])).collect();
    let findings = look(&[table("d/a.csv", 0, &rows)]);
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Note));
    let columns = [("text", Role::Text), ("annotator", Role::User), ("label", Role::Label)];
    let findings = look(&[Table::new("d/a.csv", &columns, "win\tann\tspam\nwin\tbob\tham\nbye\tann\tham\n")]);
    assert_eq!(findings[0].severity, Severity::Note);
}

#[test]
fn preferences_that_contradict_each_other_conflict() {
    let columns = [("prompt", Role::Text), ("chosen", Role::Text), ("rejected", Role::Text)];
    let rows = "p\tgood\tbad\nq\tyes\tno\np\tbad\tgood\n";
    let findings = look(&[Table::new("d/a.csv", &columns, rows)]);
    assert_eq!(findings[0].message, "1 text stands under several labels");
}

proptest! {
    #[test]
    fn batches_threads_and_their_order_make_no_difference(
        files in proptest::collection::vec(proptest::collection::vec((0_u8..20, 0_u8..4), 1..20), 1..6),
        size in 1_usize..9,
        owners in proptest::collection::vec(0_usize..3, 6),
        turn in any::<bool>(),
    ) {
        let mut whole = Seen::default();
        let mut parts: [Seen; 3] = Default::default();
        for (number, (rows, &owner)) in files.iter().zip(&owners).enumerate() {
            let text: String = rows.iter().map(|(text, label)| format!("t{text}\tl{label}\n")).collect();
            let table = table(&format!("d/{number}.csv"), number as u32, &text);
            table.indexed(1000, |indexed| ConflictingLabels.observe(&mut whole, &Observation::Indexed(indexed)));
            table.indexed(size, |indexed| {
                ConflictingLabels.observe(&mut parts[owner], &Observation::Indexed(indexed));
            });
        }
        if turn { parts.reverse(); }
        let mut merged = Seen::default();
        for part in parts { merged.merge(part); }
        prop_assert_eq!(format!("{:?}", finish(whole)), format!("{:?}", finish(merged)));
    }
}
