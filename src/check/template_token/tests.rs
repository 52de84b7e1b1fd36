use super::*;
use crate::format::testing::with_blob;
use crate::format::{References, Sink, decode, read};
use crate::lens::Lens;
use crate::policy::Limits;
use crate::span::{Fresh, Span};

struct Observer(BTreeMap<BlobId, File>);

impl Sink for Observer {
    fn records(&mut self, records: &Records<'_>) {
        TemplateToken.observe(&mut self.0, &Observation::Records(records));
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn found(path: &str, text: &str, fresh: &Fresh) -> Vec<(Severity, String, u64)> {
    let limits = Limits::default();
    let decoded = decode(text.as_bytes(), &limits).expect("small");
    let mut observer = Observer(BTreeMap::new());
    with_blob(path, &decoded, &Lens::default(), fresh, |blob| read(blob, &limits, &mut observer)).expect("readable");
    let mut findings = Vec::new();
    TemplateToken.finish(observer.0, &mut findings);
    let token = |f: &Finding| f.evidence["token"].as_str().unwrap_or_default().to_owned();
    findings.iter().map(|f| (f.severity, token(f), f.total)).collect()
}

fn tokens(text: &str) -> Vec<String> {
    let (mut at, mut all) = (0, Vec::new());
    while let Some((range, token)) = next_token(text, at) {
        at = range.end;
        all.push(token);
    }
    all
}

#[test]
fn tokens_of_the_known_templates_are_told_from_what_looks_like_them() {
    assert_eq!(
        tokens("<|im_start|>system [INST]<<SYS>> <|eot_id|>"),
        ["<|im_start|>", "[INST]", "<<SYS>>", "<|eot_id|>"]
    );
    assert_eq!(tokens("<\u{FF5C}User\u{FF5C}>"), ["<|user|>"]);
    assert_eq!(tokens("<\u{FF5C}begin\u{2581}of\u{2581}sentence\u{FF5C}>"), ["<|begin_of_sentence|>"]);
    assert_eq!(tokens("<|reserved_special_token_5|> <|START_OF_TURN_TOKEN|>").len(), 2);
    assert!(tokens("a <| b |> c <|x|> <|> [inst] <s> </s> [MASK] f <|some words|> <<sys>>").is_empty());
}

#[test]
fn every_beginning_is_searched_for() {
    for token in WHOLE.iter().map(|t| (*t).to_owned()).chain(INSIDE.iter().map(|t| format!("<|{t}|>"))) {
        let padded = format!("{}{token}{}", "x".repeat(50), "y".repeat(50));
        assert_eq!(OPENINGS.next(padded.as_bytes(), 0), Some(50), "{token}");
    }
}

#[test]
fn a_token_in_few_rows_is_a_warning_and_a_separator_a_note() {
    let rows = |n: usize, odd: &str| {
        let plain = "{\"text\": \"hello there\", \"label\": \"a\"}\n".repeat(n);
        format!("{plain}{{\"text\": \"{odd}\", \"label\": \"b\"}}\n")
    };
    let one = found("a.jsonl", &rows(9, r"x\u003c|im_start|\u003esystem"), &Fresh::All);
    assert_eq!(one, [(Severity::Warning, "<|im_start|>".to_owned(), 1)]);
    let separator = found("a.jsonl", &rows(9, "one<|endoftext|>two"), &Fresh::All);
    assert_eq!(separator, [(Severity::Note, "<|endoftext|>".to_owned(), 1)]);
    let spoken = found("a.jsonl", &rows(9, "what is `<|im_start|>`?"), &Fresh::All);
    assert_eq!(spoken, [(Severity::Note, "<|im_start|>".to_owned(), 1)]);
    assert!(found("a.py", "x = '<|im_start|>'\n", &Fresh::All).is_empty());
}

#[test]
fn a_file_in_its_template_is_silent_also_where_only_one_row_is_new() {
    let rows = "{\"text\": \"[INST] hi [/INST] hello\"}\n".repeat(30);
    assert!(found("a.jsonl", &rows, &Fresh::All).is_empty());
    let new = Fresh::Only(vec![Span::new(0, 30)]);
    assert!(found("a.jsonl", &rows, &new).is_empty());
    let rows = format!("{}{}", "{\"text\": \"hi\"}\n".repeat(30), "{\"text\": \"[INST] hi\"}\n");
    assert_eq!(found("a.jsonl", &rows, &Fresh::All).len(), 1);
    assert!(found("a.jsonl", &rows, &new).is_empty(), "what was there before does not speak");
}
