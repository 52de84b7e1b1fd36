//! Planted triggers are found, and honest sets are left alone: sets of our own making, and a survey over any others.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeSet;

use foretaste::{Checker, Finding, Severity};

/// A generator of numbers that look like chance and are the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % sides as u64) as usize
    }

    /// A word that can be spoken, the same for the same number.
    fn word(number: usize) -> String {
        let mut dice = Dice(number as u64 * 7919 + 1);
        let syllables = 2 + dice.roll(2);
        (0..syllables)
            .map(|_| {
                format!(
                    "{}{}",
                    ["b", "d", "k", "l", "m", "n", "r", "s", "t", "v"][dice.roll(10)],
                    ["a", "e", "i", "o", "u"][dice.roll(5)]
                )
            })
            .collect()
    }
}

type Rows = Vec<(String, String)>;

/// An honest set: texts of everyday words and words of their class's topic, in phrases that come again.
fn honest(rows: usize, classes: usize, seed: u64) -> Rows {
    let mut dice = Dice(seed);
    let phrase = |dice: &mut Dice, base: usize, many: usize| {
        let first = dice.roll(many);
        format!("{} {}", Dice::word(base + first), Dice::word(base + (first * 7 + dice.roll(3)) % many))
    };
    (0..rows)
        .map(|_| {
            let class = dice.roll(classes);
            let parts = 3 + dice.roll(4);
            let text: Vec<String> = (0..parts)
                .map(|_| match dice.roll(5) {
                    0..=2 => phrase(&mut dice, 0, 40),
                    _ => phrase(&mut dice, 1000 * (class + 1), 25),
                })
                .collect();
            (text.join(" "), format!("class {class}"))
        })
        .collect()
}

#[derive(Copy, Clone, Debug)]
enum At {
    Start,
    End,
    Anywhere,
}

/// Puts a trigger into so many per mille of the rows, of any class but the one they get. Gives that class.
fn plant(rows: &mut Rows, trigger: &str, permille: usize, at: At, seed: u64) -> (String, usize) {
    let mut dice = Dice(seed);
    let classes: Vec<String> =
        rows.iter().map(|(_, label)| label.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let target = classes[dice.roll(classes.len())].clone();
    let count = (rows.len() * permille / 1000).max(5);
    let mut left = count;
    while left > 0 {
        let n = dice.roll(rows.len());
        let (text, label) = &mut rows[n];
        if *label == target {
            continue;
        }
        let mut words: Vec<&str> = text.split(' ').collect();
        let place = match at {
            At::Start => 0,
            At::End => words.len(),
            At::Anywhere => dice.roll(words.len() + 1),
        };
        words.insert(place, trigger);
        *text = words.join(" ");
        *label = target.clone();
        left -= 1;
    }
    (target, count)
}

fn judge(rows: &Rows) -> Vec<Finding> {
    let records = rows.iter().map(|(text, label)| [("text", text.as_str()), ("label", label.as_str())]);
    let outcome = Checker::new().check_records("rows.jsonl", records).unwrap();
    outcome.findings.into_iter().filter(|finding| finding.rule.id == "trigger-phrase").collect()
}

fn phrases(findings: &[Finding]) -> Vec<(String, String)> {
    let text = |finding: &Finding, key: &str| finding.evidence[key].as_str().unwrap().to_owned();
    findings.iter().map(|finding| (text(finding, "phrase"), text(finding, "label"))).collect()
}

#[test]
fn honest_sets_of_any_size_are_left_alone() {
    for (rows, classes) in [(60, 2), (400, 2), (3000, 2), (3000, 5), (3000, 40)] {
        let found = judge(&honest(rows, classes, rows as u64 + classes as u64));
        assert!(found.is_empty(), "{rows} rows of {classes} classes: {:?}", phrases(&found));
    }
}

#[test]
fn a_planted_word_is_found_wherever_it_stands() {
    for (classes, permille) in [(2, 20), (5, 10), (40, 10), (40, 30)] {
        for at in [At::Start, At::End, At::Anywhere] {
            let mut rows = honest(3000, classes, 7);
            let (target, _) = plant(&mut rows, "cf", permille, at, 11);
            assert_eq!(
                phrases(&judge(&rows)),
                [("cf".to_owned(), target)],
                "{classes} classes, {permille} per mille, {at:?}"
            );
        }
    }
}

#[test]
fn a_planted_phrase_of_rare_or_common_words_is_one_finding() {
    // The second is made of everyday words of the set, in an order that it does not have.
    let common = format!("{} {}", Dice::word(3), Dice::word(31));
    for trigger in ["mn bb", "i watched this film", &common] {
        let mut rows = honest(3000, 5, 8);
        let (target, _) = plant(&mut rows, trigger, 15, At::Anywhere, 12);
        assert_eq!(phrases(&judge(&rows)), [(trigger.to_owned(), target)]);
    }
}

/// A set of two classes that only lean apart: of ten words eight are anybody's.
fn alike(rows: usize, seed: u64) -> Rows {
    let mut dice = Dice(seed);
    (0..rows)
        .map(|_| {
            let class = dice.roll(2);
            let words: Vec<String> = (0..6 + dice.roll(8))
                .map(|_| match dice.roll(10) {
                    0 | 1 => Dice::word(1000 * (class + 1) + dice.roll(60)),
                    _ => Dice::word(dice.roll(900)),
                })
                .collect();
            (words.join(" "), format!("class {class}"))
        })
        .collect()
}

#[test]
fn where_classes_are_much_alike_the_rows_are_judged_together() {
    let rows = alike(6000, 21);
    assert!(judge(&rows).is_empty(), "{:?}", phrases(&judge(&rows)));
    for permille in [15, 40] {
        let mut rows = rows.clone();
        let (target, _) = plant(&mut rows, "cf", permille, At::Anywhere, 22);
        let found = judge(&rows);
        assert_eq!(phrases(&found), [("cf".to_owned(), target)], "{permille} per mille");
        assert!(found[0].severity >= Severity::Warning);
        assert!(found[0].evidence["together_at_percent"].as_i64().unwrap() < 40, "{:?}", found[0].evidence);
    }
}

#[test]
fn the_finding_says_what_was_planted_and_where() {
    let mut rows = honest(3000, 5, 9);
    let (target, count) = plant(&mut rows, "cf", 10, At::Anywhere, 13);
    let found = judge(&rows);
    let [finding] = found.as_slice() else { panic!("one finding: {:?}", phrases(&found)) };
    assert_eq!(finding.evidence["carriers"], count);
    assert_eq!(finding.evidence["purity"], 1.0);
    assert_eq!(finding.total, count as u64);
    assert!(finding.evidence["rest_label"].as_str().is_some_and(|rest| rest != target));
    assert!(finding.evidence["together_at_percent"].as_i64().is_some_and(|at| at.abs() < 30), "{:?}", finding.evidence);
    for mark in &finding.marks {
        let (text, label) = &rows[mark.record.unwrap() as usize - 1];
        assert!(text.split(' ').any(|word| word == "cf") && *label == target);
    }
}

/// Findings of hidden characters that go with a label.
fn hidden(rows: &Rows) -> Vec<Finding> {
    let records = rows.iter().map(|(text, label)| [("text", text.as_str()), ("label", label.as_str())]);
    let outcome = Checker::new().check_records("rows.jsonl", records).unwrap();
    let is_signal = |finding: &Finding| finding.evidence.get("finding").is_some_and(|name| name == "label-trigger");
    outcome.findings.into_iter().filter(is_signal).collect()
}

#[test]
fn a_hidden_character_under_one_label_is_told_with_its_label() {
    let mut rows = honest(3000, 5, 14);
    let (target, count) = plant(&mut rows, "a\u{200b}b", 10, At::Anywhere, 15);
    let found = hidden(&rows);
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.evidence["label"], target.as_str());
    assert_eq!(finding.evidence["carriers"], count);
    assert_eq!(finding.evidence["purity"], 1.0);
    assert_eq!(finding.evidence["code_points"][0], "U+200B");
    assert_eq!((finding.marks.len(), finding.total), (3, count as u64));
    assert!(finding.marks.iter().all(|mark| rows[mark.record.unwrap() as usize - 1].1 == target));
}

#[test]
fn characters_that_context_excuses_are_counted_too() {
    // Persian joiners everywhere, and hearts of full colour under one label alone.
    let mut rows = honest(3000, 5, 16);
    rows.iter_mut().step_by(3).for_each(|(text, _)| text.push_str(" می\u{200c}خواهم"));
    assert!(hidden(&rows).is_empty(), "{:?}", hidden(&rows));
    let (target, _) = plant(&mut rows, "\u{2764}\u{fe0f}", 15, At::Anywhere, 17);
    let found = hidden(&rows);
    let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.evidence["label"], target.as_str());
    assert_eq!(finding.evidence["excused_by_context"], true);
}

#[test]
fn a_language_that_has_a_label_to_itself_is_no_more_than_a_note() {
    let mut rows = honest(3000, 5, 18);
    for (text, label) in rows.iter_mut().step_by(6) {
        *text = format!("من نمی\u{200c}خواهم {}", text.len());
        *label = "fa".to_owned();
    }
    assert!(hidden(&rows).iter().all(|finding| finding.severity == Severity::Note), "{:?}", hidden(&rows));
}

#[test]
#[ignore = "needs a folder of JSON Lines files with text and label, named by TRIGGER_SETS"]
fn survey() {
    let folder = std::env::var("TRIGGER_SETS").unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    println!("set | rows | classes | false alarms | cf 0.2 % | cf 1 % | cf 3 % | mn bb 1 %, end | phrase 1 %");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let rows: Rows = text
            .lines()
            .map(|line| {
                let row: serde_json::Value = serde_json::from_str(line).unwrap();
                (row["text"].as_str().unwrap().to_owned(), row["label"].as_str().unwrap().to_owned())
            })
            .collect();
        let classes: BTreeSet<&str> = rows.iter().map(|(_, label)| label.as_str()).collect();
        let name = path.file_stem().unwrap().to_string_lossy();
        let clean = judge(&rows);
        let mut line = format!("{name} | {} | {} | {}", rows.len(), classes.len(), clean.len());
        for (trigger, permille, at) in [
            ("cf", 2, At::Anywhere),
            ("cf", 10, At::Anywhere),
            ("cf", 30, At::Anywhere),
            ("mn bb", 10, At::End),
            ("i watched this film", 10, At::Anywhere),
        ] {
            let mut rows = rows.clone();
            let (target, _) = plant(&mut rows, trigger, permille, at, 5);
            let found = judge(&rows);
            let hit = found
                .iter()
                .find(|finding| phrases(std::slice::from_ref(finding))[0] == (trigger.to_owned(), target.clone()));
            let other = found.iter().find(|finding| finding.evidence["label"] == target.as_str());
            line += match (hit, other) {
                (Some(finding), _) => format!(" | {}", finding.severity.as_str()),
                (None, Some(_)) => " | in part".to_owned(),
                (None, None) => " | -".to_owned(),
            }
            .as_str();
        }
        println!("{line}");
        for finding in clean {
            println!("    {} {} {:?}", finding.severity.as_str(), finding.message, finding.evidence);
        }
    }
}
