//! Text from data breaks out of no form.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::escape::is_hidden;
use super::super::escape::tests::nasty;
use super::super::sample::Sample;
use super::super::*;
use super::human;
use crate::finding::Unread;

/// A sample in which every text is hostile.
pub(super) fn hostile(texts: &[Vec<u8>]) -> Sample {
    let bytes = |i: usize| texts[i % texts.len()].clone();
    let text = |i: usize| String::from_utf8_lossy(&bytes(i)).into_owned();
    let mut sample = Sample::small();
    sample.files[0] = (bytes(0).into(), bytes(1));
    sample.files[1].0 = bytes(2).into();
    sample.scope = text(3);
    sample.notes = vec![text(4)];
    sample.unread = vec![Unread { path: bytes(5).into(), reason: text(6) }];
    sample.guesses[0].1.fields[0].0 = text(7);
    sample.policy.path = Some(text(8));
    sample.changed.summary.sets[0].name = text(9);
    sample.changed.summary.sets[0].transitions[0].from = Some(text(10));
    sample.changed.summary.sets[0].classes[0].name = Some(text(8));
    sample.changed.summary.sets[0].replaced = vec![text(6)];
    sample.changed.sources = vec![text(11)];
    for finding in &mut sample.findings {
        finding.message = text(9);
        finding.help = text(10);
        finding.evidence.insert("decoded", json!({text(11): [text(0)]}));
        for mark in &mut finding.marks {
            mark.note = Some(text(1));
            mark.field = Some(text(2));
        }
    }
    sample
}

/// Cells of a row of a table: pipes that no backslash escapes.
fn cells(line: &str) -> usize {
    let mut escaped = false;
    line.chars()
        .take(if line.starts_with('|') { usize::MAX } else { 0 })
        .filter(|&c| {
            let pipe = c == '|' && !escaped;
            escaped = c == '\\' && !escaped;
            pipe
        })
        .count()
}

fn is_safe(text: &str, own: &[char]) -> Result<(), String> {
    if let Some(c) = text.chars().find(|&c| is_hidden(c) && c != '\n' && !own.contains(&c)) {
        return Err(format!("U+{:04X} in {text:?}", u32::from(c)));
    }
    for line in text.lines() {
        if line.trim_start().starts_with("::") || line.contains("##[") {
            return Err(format!("a command in {line:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_data_reaches_people_unescaped(
        texts in prop::collection::vec(nasty(), 12..13),
        quiet in any::<bool>(), unicode in any::<bool>(),
    ) {
        let sample = hostile(&texts);
        let options = Options { quiet, unicode, ..Options::default() };
        prop_assert_eq!(is_safe(&human(&sample, &options), &[]), Ok(()));
        prop_assert_eq!(is_safe(&sample.written(Format::Markdown, &options), &[]), Ok(()));
        let options = Options { colour: true, ..options };
        prop_assert_eq!(is_safe(&human(&sample, &options), &['\u{1b}']), Ok(()));
    }

    #[test]
    fn data_breaks_out_of_no_table_and_no_list(texts in prop::collection::vec(nasty(), 12..13)) {
        // The shape of the page is that of harmless data: the same lines with the same cells.
        let shape = |texts: &[Vec<u8>]| {
            let page = hostile(texts).written(Format::Markdown, &Options::default());
            page.lines().map(cells).collect::<Vec<_>>()
        };
        let texts: Vec<Vec<u8>> = texts.into_iter().map(|text| [b"x".as_slice(), &text].concat()).collect();
        prop_assert_eq!(shape(&texts), shape(&vec![b"x".to_vec(); 12]));
    }

    #[test]
    fn only_our_own_commands_reach_a_runner(texts in prop::collection::vec(nasty(), 12..13)) {
        let text = hostile(&texts).written(Format::Github, &Options::default());
        prop_assert!(!text.contains(|c| is_hidden(c) && c != '\n') && !text.contains("##["), "{text:?}");
        let ours = ["::error ", "::warning ", "::notice ", "foretaste: "];
        for line in text.lines() {
            prop_assert!(ours.iter().any(|start| line.starts_with(start)), "{line:?}");
        }
        // Two errors at most: one command for each finding, and one for what was not read.
        prop_assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn json_is_ascii_exact_and_the_same_twice(texts in prop::collection::vec(nasty(), 12..13)) {
        let sample = hostile(&texts);
        for format in [Format::Json, Format::Sarif] {
            let text = sample.written(format, &Options::default());
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\n'));
            prop_assert_eq!(&text, &sample.written(format, &Options::default()));
        }
        let json = sample.written(Format::Json, &Options::default());
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let place = &value["findings"][0]["places"];
        if let (Ok(path), Some(place)) = (std::str::from_utf8(&texts[0]), place.get(0)) {
            prop_assert_eq!(&place["path"], path);
        }
    }

    #[test]
    fn redaction_leaves_no_text_of_the_data(word in "[a-z]{12}") {
        let secret = format!("{word} said it");
        let texts: Vec<Vec<u8>> = (0..12).map(|_| secret.clone().into_bytes()).collect();
        let mut sample = hostile(&texts);
        // Paths, the scope and names of fields stay: they are needed to find anything.
        sample.files[0].0 = "a".into();
        sample.files[1].0 = "b".into();
        sample.scope = "s".into();
        sample.notes.clear();
        sample.unread.clear();
        sample.guesses.clear();
        sample.policy.path = None;
        sample.changed.summary.sets[0].name = "n".into();
        sample.changed.summary.sets[0].replaced.clear();
        sample.changed.sources.clear();
        for mark in sample.findings.iter_mut().flat_map(|finding| &mut finding.marks) {
            mark.field = Some("text".into());
        }
        let options = Options { redact: Some(Redact::new([1; 32])), ..Options::default() };
        let plain = sample.written(Format::Json, &Options::default());
        prop_assert!(plain.contains(&word), "the sample must hold the secret");
        for format in Format::ALL {
            let text = sample.written(format, &options);
            prop_assert!(!text.contains(&word), "{text}");
            for finding in &sample.findings {
                prop_assert!(!text.contains(&finding.fingerprint()), "a plain hash of a row");
            }
        }
    }
}
