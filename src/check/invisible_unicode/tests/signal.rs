//! The signal of the whole data set.

use super::*;
use crate::format::testing::with_blob;
use crate::format::{References, Sink, decode, read};
use crate::policy::Limits;

/// A file of rows with a text and a label, some of which a change brings.
struct Labelled {
    path: &'static str,
    text: String,
    fresh: Vec<Span>,
    split: Option<&'static str>,
}

impl Labelled {
    fn new(path: &'static str) -> Self {
        Self { path, text: String::new(), fresh: Vec::new(), split: None }
    }

    fn row(&mut self, text: &str, label: &str, fresh: bool) {
        let start = self.text.len() as u64;
        self.text.push_str(&serde_json::json!({"text": text, "label": label}).to_string());
        self.text.push('\n');
        if fresh {
            self.fresh.push(Span::new(start, self.text.len() as u64));
        }
    }
}

/// Shows batches to one state after the other, so many rows at once.
struct Dealt<'s> {
    check: &'s InvisibleUnicode,
    states: &'s mut [Seen],
    rows: usize,
    turn: usize,
}

impl Sink for Dealt<'_> {
    fn records(&mut self, records: &Records<'_>) {
        let mut at = 0;
        while at < records.rows.len() {
            let to = (at + self.rows).min(records.rows.len());
            let part = Records { rows: &records.rows[at..to], first: records.first + at as u64, ..*records };
            let state = self.turn * 7 % self.states.len();
            self.check.observe(&mut self.states[state], &Observation::Records(&part));
            (at, self.turn) = (to, self.turn + 1);
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

/// Reads files, in this order, into so many states, so many rows at once.
fn seen(files: &[(u32, &Labelled)], states: usize, rows: usize) -> Vec<Seen> {
    let check = InvisibleUnicode { modes: QUIET };
    let mut all: Vec<Seen> = std::iter::repeat_with(Seen::default).take(states).collect();
    let limits = Limits::default();
    let mut sink = Dealt { check: &check, states: &mut all, rows, turn: 0 };
    for (id, file) in files {
        let decoded = decode(file.text.as_bytes(), &limits).expect("within the limits");
        let lens = Lens { split: file.split, ..Lens::default() };
        let fresh = Fresh::Only(file.fresh.clone());
        with_blob(file.path, &decoded, &lens, &fresh, |blob| {
            let blob = Blob { id: BlobId(*id), ..*blob };
            read(&blob, &limits, &mut sink).expect("rows");
        });
    }
    all
}

fn told(seen: Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    InvisibleUnicode { modes: QUIET }.finish(seen, &mut findings);
    findings
}

fn named<'f>(findings: &'f [Finding], name: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|finding| evidence(finding, "finding") == name).collect()
}

fn one_state(files: &[(u32, &Labelled)]) -> Seen {
    seen(files, 1, usize::MAX).pop().expect("one state")
}

const TEXTS: [&str; 6] =
    ["plain words", "می\u{200C}خواهم", "pay\u{200B}pal", "a\u{A0}b", "x\u{E0041}y", "\u{200F}שלום"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// However the batches are dealt to threads, and in whatever order these are merged, the same is said.
    #[test]
    fn states_merge_in_any_order_to_the_same_findings(
        rows in prop::collection::vec((0..5_u32, 0..TEXTS.len(), 0..3_usize, any::<bool>()), 60..240),
        states in 1..6_usize, at_once in 1..40_usize, order in any::<u64>(),
    ) {
        let paths = ["d/a.jsonl", "d/train/b.jsonl", "d/test/c.jsonl", "d/e.jsonl", "f/g.jsonl"];
        let mut files: Vec<Labelled> = paths.iter().map(|path| Labelled::new(path)).collect();
        (files[1].split, files[2].split) = (Some("train"), Some("test"));
        for (n, (file, text, label, fresh)) in rows.iter().enumerate() {
            let label = if *text == 2 && n % 9 > 0 { 2 } else { *label };
            files[*file as usize].row(&format!("{} {n}", TEXTS[*text]), ["a", "b", "c"][label], *fresh);
        }
        let mut list: Vec<(u32, &Labelled)> = (0..).zip(&files).collect();
        let expected = format!("{:?}", told(one_state(&list)));
        list.rotate_left(order as usize % 5);
        let mut parts = seen(&list, states, at_once);
        let mut dice = order;
        while parts.len() > 1 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let one = parts.swap_remove((dice >> 33) as usize % parts.len());
            let into = (dice >> 13) as usize % parts.len();
            parts[into].merge(one);
        }
        prop_assert_eq!(format!("{:?}", told(parts.pop().expect("one is left"))), expected);
    }
}

/// Rows of three labels, and of them those with a sequence, by label.
fn planted(sequence: &str, carriers: [usize; 3]) -> Labelled {
    let mut file = Labelled::new("d/train.jsonl");
    for (label, with) in ["a", "b", "c"].into_iter().zip(carriers) {
        for n in 0..100 {
            let text = if n < with { format!("کتاب ها{sequence} {n}") } else { format!("کتاب ها {n}") };
            file.row(&text, label, true);
        }
    }
    file
}

#[test]
fn a_sequence_that_goes_with_a_label_is_told_excused_or_not() {
    // Nothing excuses a tag; Persian excuses a mark from right to left.
    for (sequence, severity) in [("\u{E0041}", Severity::Error), ("\u{200F}", Severity::Note)] {
        let file = planted(sequence, [0, 30, 1]);
        let findings = told(one_state(&[(0, &file)]));
        let of_label = named(&findings, "label-trigger");
        assert_eq!(of_label.len(), 1, "{findings:?}");
        let first = of_label[0];
        assert_eq!((first.severity, evidence(first, "label"), first.total), (severity, "b", 30));
        assert_eq!(first.evidence["carriers"], json!(31));
        assert_eq!(first.evidence["excused_by_context"], json!(severity == Severity::Note));
        assert_eq!(first.marks.len(), 3, "three rows of the file are shown");
        let spread = told(one_state(&[(0, &planted(sequence, [30, 30, 30]))]));
        assert!(named(&spread, "label-trigger").is_empty(), "{spread:?}");
    }
}

#[test]
fn what_was_there_before_counts_and_is_not_told() {
    let mut file = Labelled::new("d/train.jsonl");
    for n in 0..400 {
        // All labels have had the sequence for long; the change brings more of one of them.
        let (text, label) = (if n % 4 == 0 { "pay\u{200B}pal" } else { "paypal" }, ["a", "b", "c"][n % 3]);
        file.row(&format!("{text} {n}"), label, false);
    }
    for n in 0..20 {
        file.row(&format!("pay\u{200B}pal again {n}"), "a", true);
    }
    let findings = told(one_state(&[(0, &file)]));
    assert!(named(&findings, "label-trigger").is_empty(), "{findings:?}");
    let single = named(&findings, "unexplained-zero-width-space");
    assert_eq!((single.len(), single[0].total), (1, 20), "only the rows of the change are told");
    // Without what was there before, the same rows would be a trigger.
    let mut new = Labelled::new("d/train.jsonl");
    for n in 0..400 {
        new.row(&format!("paypal {n}"), ["a", "b", "c"][n % 3], false);
    }
    for n in 0..20 {
        new.row(&format!("pay\u{200B}pal again {n}"), "a", true);
    }
    assert_eq!(named(&told(one_state(&[(0, &new)])), "label-trigger").len(), 1);
}

fn commit(author: &str, number: u8, path: &str) -> crate::source::Commit {
    crate::source::Commit {
        id: gix::ObjectId::from_bytes_or_panic(&[number; 20]),
        parents: 1,
        before: Vec::new(),
        reviewed: false,
        author: crate::source::Person { name: author.into(), mail: "x@example.org".into(), ..Default::default() },
        committer: Default::default(),
        signed: false,
        verdict: None,
        subject: String::new(),
        paths: vec![BString::from(path)],
    }
}

/// What is said of a sequence in rows that one commit of two brings, without any tie to a label.
fn of_hands(sequence: &str, authors: [&str; 2]) -> Vec<Finding> {
    let paths = ["d/new.jsonl", "d/old.jsonl"];
    let mut files = paths.map(Labelled::new);
    for n in 0..60 {
        files[0].row(&format!("more of these {n} {sequence}"), ["a", "b", "c"][n % 3], true);
    }
    for n in 0..900 {
        files[1].row(&format!("some of those {n}"), ["a", "b", "c"][n % 3], true);
    }
    let entries = paths.map(|path| Entry {
        path: BString::from(path),
        mode: Mode::File,
        content: Some(Content::File(path.into())),
        unchanged: false,
        before: None,
    });
    let list: Vec<(BlobId, &Entry)> = entries.iter().enumerate().map(|(n, entry)| (BlobId(n as u32), entry)).collect();
    let judged = [commit(authors[0], 1, paths[0]), commit(authors[1], 2, paths[1])];
    let mut seen = one_state(&[(0, &files[0]), (1, &files[1])]);
    let check = InvisibleUnicode { modes: QUIET };
    check.observe(&mut seen, &Observation::People(&People { judged: &judged, earlier: &[], files: &list }));
    told(seen)
}

#[test]
fn a_sequence_that_one_hand_brings_is_told_with_its_author_and_commit() {
    let findings = of_hands("pay\u{2060}pal", ["Eve", "Ana"]);
    let of_author = named(&findings, "author-trigger");
    assert_eq!(of_author.len(), 1, "{findings:?}");
    assert_eq!((of_author[0].severity, of_author[0].total), (Severity::Warning, 60));
    assert_eq!(evidence(of_author[0], "author"), "Eve <x@example.org>");
    assert!(evidence(of_author[0], "commit").starts_with("0101"));
    // One author of everything is no sign; which commit it was still is one.
    let findings = of_hands("pay\u{2060}pal", ["Ana", "Ana"]);
    assert!(named(&findings, "author-trigger").is_empty());
    assert_eq!(named(&findings, "commit-trigger").len(), 1, "{findings:?}");
    // What orthography excuses is worth a note.
    let findings = of_hands("\u{5E9}\u{5DC}\u{5D5}\u{5DD}\u{200F}", ["Eve", "Ana"]);
    assert_eq!(named(&findings, "author-trigger")[0].severity, Severity::Note);
}

#[test]
fn a_sequence_of_one_split_is_told() {
    let files = |rate: usize| {
        let mut files = [Labelled::new("d/train.jsonl"), Labelled::new("d/test.jsonl")];
        (files[0].split, files[1].split) = (Some("train"), Some("test"));
        for n in 0..600 {
            let text = if n % 100 == 0 { "pay\u{2060}pal" } else { "paypal" };
            files[0].row(&format!("{text} {n}"), ["a", "b", "c"][n % 3], true);
        }
        for n in 0..200 {
            let text = if n % rate == 0 { "pay\u{2060}pal" } else { "paypal" };
            files[1].row(&format!("{text} {n}"), ["a", "b", "c"][n % 3], true);
        }
        files
    };
    let [train, test] = files(5);
    let findings = told(one_state(&[(0, &train), (1, &test)]));
    let told_of = named(&findings, "split-trigger");
    assert_eq!(told_of.len(), 1, "{findings:?}");
    assert_eq!((evidence(told_of[0], "split"), told_of[0].severity), ("test", Severity::Warning));
    let [train, test] = files(50);
    assert!(named(&told(one_state(&[(0, &train), (1, &test)])), "split-trigger").is_empty());
}
