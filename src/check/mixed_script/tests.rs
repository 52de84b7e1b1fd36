use proptest::prelude::*;

use super::*;
use crate::format::testing::with_blob;
use crate::format::{References, Sink, decode, read};
use crate::lens::Lens;
use crate::policy::Limits;
use crate::span::{At, Fresh};

struct Observer(Seen, bool);

impl Sink for Observer {
    fn records(&mut self, records: &Records<'_>) {
        MixedScript { info: self.1 }.observe(&mut self.0, &Observation::Records(records));
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn found(path: &str, text: &str, info: bool) -> Vec<Finding> {
    let limits = Limits::default();
    let decoded = decode(text.as_bytes(), &limits).expect("small");
    let mut observer = Observer(Seen::default(), info);
    with_blob(path, &decoded, &Lens::default(), &Fresh::All, |blob| read(blob, &limits, &mut observer))
        .expect("readable");
    let mut findings = Vec::new();
    MixedScript { info }.finish(observer.0, &mut findings);
    // What is of level info is counted, and left out of reports that nobody asked for it.
    findings.retain(|finding| info || !finding.is_info());
    findings
}

fn named(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings
        .iter()
        .map(|f| (f.evidence["finding"].as_str().expect("a name"), f.evidence["level"].as_str().expect("a level")))
        .collect()
}

fn rows(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{{\"text\": \"{text}\", \"label\": \"a\"}}\n")).collect()
}

#[test]
fn a_word_that_looks_like_one_of_the_file_is_a_warning_in_raw_and_escaped_form() {
    for odd in ["p\u{430}ypal", r"p\u0430yp\u0430l", "p\u{251}ypal", "\u{440}\u{430}\u{443}\u{440}\u{430}\u{6C}"] {
        let text =
            rows(&["where is paypal now", "the paypal fee", &format!("my {odd} money is gone and I want it back")]);
        let findings = found("a.jsonl", &text, false);
        assert_eq!(named(&findings), [("look-alike-word", "warn")], "{odd}");
        let finding = &findings[0];
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.evidence["decoded"], json!("paypal"));
        assert_eq!(finding.evidence["known_word"], json!(2));
        let At::Bytes(span) = finding.marks[0].place.at else { panic!("a place in bytes") };
        assert_eq!(span.of(text.as_bytes()), odd.as_bytes());
        assert_eq!(finding.marks[0].record, Some(3));
    }
}

#[test]
fn a_word_that_the_file_does_not_have_is_a_note_in_a_latin_line() {
    let text = rows(&["nothing like it here", "my p\u{430}ypal money is gone and I want it back"]);
    assert_eq!(named(&found("a.jsonl", &text, false)), [("look-alike-letters", "low")]);
}

#[test]
fn look_alike_names_in_code_are_found() {
    let code = "is_admin = False\nif user: is_admin = True\n# grant\nis_\u{430}dmin = True\nif is_admin: adm\u{456}n = 1; admin = 2; admin = 3\n";
    let findings = found("a.py", code, false);
    assert!(named(&findings).contains(&("look-alike-word", "warn")), "{findings:?}");
}

#[test]
fn honest_mixtures_are_silent() {
    let honest = rows(&[
        "купил в IKEAшке вчера, SMSку получил, VIPам скидка",
        "5 µm and 3 kΩ, 10 Å at 300 K",
        "the Greek word λόγος and the Russian word уха and сор",
        "πr² and Δx, αβ testing; the α version",
        "cтрана большая и cоседи хорошие",
        "naïve café, Ærøskøbing, ʻokina, Tiếng Việt",
        "a word: оса, a word: ухо; ice and oca and yxo and cop and cop",
        "ＡＢＣ株式会社 ｶﾀｶﾅ",
        "ɡoʊ is how go is said, /ˈwɔːtə/",
    ]);
    assert_eq!(named(&found("a.jsonl", &honest, false)), []);
}

#[test]
fn forms_are_shown_on_request() {
    let text = rows(&[
        "plain",
        "\u{1D429}\u{1D41A}\u{1D432} now",
        "ｐａｙ me",
        "cafe\u{301} au lait",
        "ＡＢＣ株式会社",
        "купил в IKEAшке",
    ]);
    let findings = found("a.jsonl", &text, true);
    assert_eq!(
        named(&findings),
        [("mixed-word", "info"), ("styled-letters", "info"), ("normalisation-variant", "info")]
    );
    let classes: Vec<_> = findings.iter().map(|f| (f.evidence["class"].as_str().unwrap_or(""), f.total)).collect();
    assert_eq!(classes, [("U30", 1), ("U31", 2), ("U32", 1)]);
}

#[test]
fn a_flood_of_words_is_capped_and_counted() {
    let words: Vec<String> = (0..300)
        .map(|n| format!("w{}{}ord\u{430}x in a line of words", n / 26, (b'a' + (n % 26) as u8) as char))
        .collect();
    let text = rows(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let findings = found("a.jsonl", &text, false);
    assert!(findings.len() <= CAUSES, "{}", findings.len());
    assert_eq!(findings.iter().map(|f| f.total).sum::<u64>(), 300);
}

#[test]
fn transcriptions_are_no_disguise() {
    let text = |rows: usize| -> String {
        let all: Vec<String> = (0..rows).map(|n| format!("word{n} kanti kant\u{26A}")).collect();
        rows_of(&all)
    };
    assert!(found("data/a.jsonl", &text(150), false).is_empty());
    assert_eq!(named(&found("data/a.jsonl", &text(3), false)), [("look-alike-word", "warn")]);
}

fn rows_of(texts: &[String]) -> String {
    rows(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_look_alike_that_goes_with_a_label_is_told() {
    let text = |carriers: [usize; 3]| -> String {
        let rows = ["a", "b", "c"].into_iter().zip(carriers).flat_map(|(label, with)| {
            (0..100).map(move |n| {
                let word = if n < with { "p\u{430}ypal" } else { "paypal" };
                format!("{{\"text\": \"my {word} order {n}\", \"label\": \"{label}\"}}\n")
            })
        });
        rows.collect()
    };
    let of_label = |carriers| {
        let findings = found("data/a.jsonl", &text(carriers), false);
        findings.into_iter().filter(|f| f.evidence["finding"] == "label-trigger").collect::<Vec<_>>()
    };
    let told = of_label([1, 25, 0]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].severity, told[0].total, told[0].marks.len()), (Severity::Error, 25, 3));
    assert_eq!(told[0].evidence["class"], "U30");
    assert!(told[0].message.starts_with("The look-alike word \"p\u{430}ypal\" goes with the label `b`"), "{told:?}");
    assert!(of_label([25, 25, 25]).is_empty());
}

proptest! {
    #[test]
    fn openings_lose_no_word(values in prop::collection::vec("[a-dаbсе é日ɡ]{0,12}", 1..8), escape: bool) {
        let escaped = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) }).collect()
        };
        let all: Vec<String> = values.iter().map(|v| if escape { escaped(v) } else { v.clone() }).collect();
        let text = rows(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let openings = words::Openings { escapes: true, wide: false };
        let mut at = 0;
        for (value, written) in values.iter().zip(&all) {
            let start = at + text[at..].find(&format!("\"text\": \"{written}\"")).expect("it was written") + 9;
            at = start + written.len();
            if words::tokens(value).next().is_some() {
                prop_assert!(openings.first(&text.as_bytes()[start..]).is_some_and(|hit| start + hit < at), "{value}");
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for token in words::tokens(&text) {
            let _ = (token.skeleton(), token.plain(), token.scripts());
        }
        let _ = words::forms(&text);
        let _ = Words::of(&bytes);
        let mut rest = &bytes[..];
        while let Some(next) = (words::Openings { escapes: true, wide: true }).first(rest) {
            rest = &rest[next + 1..];
        }
    }

    #[test]
    fn words_are_those_of_a_walk_over_all_characters(
        text in "[a-c'’ .µΩаяα՚աᎠᏸꭰɡéñ日ក\u{301}1]{0,30}",
        more in "\\PC{0,60}",
        long in "(слово |word |wоrd |ខ្ញុំ ){0,20}",
    ) {
        for text in [text, more, long] {
            let found: Vec<_> = words::tokens(&text).map(|token| (token.range.clone(), token.is_mixed())).collect();
            prop_assert_eq!(found, words::slowly(&text), "{}", text);
        }
    }
}
