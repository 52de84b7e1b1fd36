//! `template-token`: control tokens of chat templates that stand inside data as text.

mod manual;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::json;

use super::places::{Openings, Places, cut, fields_with_hits, find_from, mark_in, text_of};
use super::{Check, Merge, Observation};
use crate::finding::Finding;
use crate::format::sieve::{ANGLE, BRACKET, ESCAPE};
use crate::format::{Field, Records};
use crate::rule::{Confidence, Rule, Severity};
use crate::span::BlobId;
use manual::RULES;

/// How a token of two marks begins, as it stands in files.
const BEGINNINGS: [&str; 5] = ["<|", "<\u{FF5C}", "\\u003c|", "\\u003C|", "<\\uff5c"];

/// Tokens that are whole words of their own.
const WHOLE: [&str; 10] = [
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
];

/// What stands between `<|` and `|>` in the templates that are known, with `_` for a space and in small letters.
const INSIDE: [&str; 40] = [
    "assistant",
    "begin_of_text",
    "bot",
    "call",
    "channel",
    "chatbot_token",
    "constrain",
    "end",
    "end_header_id",
    "end_of_role",
    "end_of_turn_token",
    "endofprompt",
    "eom",
    "eom_id",
    "eot",
    "eot_id",
    "header_end",
    "header_start",
    "im_end",
    "im_middle",
    "im_sep",
    "im_start",
    "im_system",
    "im_user",
    "ipython",
    "message",
    "observation",
    "python_tag",
    "return",
    "start",
    "start_header_id",
    "start_of_role",
    "start_of_turn_token",
    "system",
    "system_token",
    "tool_call",
    "tool_calls_section_begin",
    "user",
    "user_token",
    "value",
];

/// Between the same marks, and honest as what separates documents.
const SEPARATORS: [&str; 6] = ["endoftext", "end_of_text", "startoftext", "padding", "pad", "fim_middle"];

static OPENINGS: LazyLock<Openings> =
    LazyLock::new(|| Openings::new(BEGINNINGS.into_iter().chain(WHOLE), [b'<', b'[', b'\\']));

/// At most so many rows carry a token before a file counts as written in its template, …
const TEMPLATE_ROWS: u64 = 20;
/// … where they are this share of its rows, in hundredths, …
const TEMPLATE_SHARE: u64 = 33;
/// … or this one, however few they are.
const NEARLY_ALL: u64 = 75;
/// Tokens that are told apart in one file.
const TOKENS: usize = 32;

/// See the manual of its rule.
#[derive(Debug, Default)]
pub(crate) struct TemplateToken;

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct File {
    rows: u64,
    tokens: BTreeMap<String, Carriers>,
}

#[derive(Debug, Default)]
struct Carriers {
    /// Rows that hold the token, old ones too.
    rows: u64,
    /// Places where it is used, and where it is only spoken of.
    used: Places,
    named: Places,
}

impl Merge for File {
    fn merge(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        for (token, carriers) in other.tokens {
            let mine = self.tokens.entry(token).or_default();
            mine.rows = mine.rows.saturating_add(carriers.rows);
            mine.used.merge(carriers.used);
            mine.named.merge(carriers.named);
        }
        while self.tokens.len() > TOKENS {
            self.tokens.pop_last();
        }
    }
}

impl Check for TemplateToken {
    const RULES: &'static [Rule] = &RULES;
    type Seen = BTreeMap<BlobId, File>;

    fn observe(&self, seen: &mut Self::Seen, observation: &Observation<'_>) {
        let Observation::Records(records) = observation else { return };
        // Documents and code that speak of templates are no data unless the policy says so.
        if !(records.kind.is_data() || records.blob.lens.dataset.is_some()) {
            return;
        }
        let file = seen.entry(records.blob.id).or_default();
        file.rows = file.rows.saturating_add(records.rows.iter().filter(|row| row.len > 0).count() as u64);
        let mut last = (0, String::new());
        let text = text_of(records);
        let next = |at| find_from(records, text, at, ANGLE | BRACKET | ESCAPE, |piece| OPENINGS.next(piece, 0));
        fields_with_hits(records, true, next, |field| file.look(field, &mut last));
        file.old_rows(records);
    }

    fn finish(&self, seen: Self::Seen, findings: &mut Vec<Finding>) {
        let mut causes: BTreeMap<(Severity, String), (Places, u64)> = BTreeMap::new();
        for file in seen.into_values() {
            for (token, carriers) in file.tokens {
                let share = carriers.rows * 100;
                let template = carriers.rows >= TEMPLATE_ROWS && share >= file.rows * TEMPLATE_SHARE
                    || file.rows >= 3 && share >= file.rows * NEARLY_ALL;
                if template {
                    continue;
                }
                let used = if is_separator(&token) { Severity::Note } else { Severity::Warning };
                for (severity, places) in [(used, carriers.used), (Severity::Note, carriers.named)] {
                    if places.total() > 0 {
                        let cause = causes.entry((severity, token.clone())).or_default();
                        cause.0.merge(places);
                        cause.1 += carriers.rows;
                    }
                }
            }
        }
        for ((severity, token), (places, rows)) in causes {
            let message =
                format!("\"{}\" is a control token of a chat template and stands inside data", cut(&token, 40));
            let mut finding = Finding::new(&RULES[0], format!("{} {token}", severity.as_str()), message);
            finding.severity = severity;
            finding.help = "Take the token apart or remove the row: a tokenizer reads it as the real control token, \
                            whoever wrote it."
                .to_owned();
            if severity == Severity::Note {
                finding.confidence = Confidence::Low;
            }
            finding.evidence.insert("class", json!("template-token"));
            finding
                .evidence
                .insert("finding", json!(if is_separator(&token) { "separator-token" } else { "control-token" }));
            finding.evidence.insert("code_points", json!([]));
            finding.evidence.insert("token", json!(token));
            finding.evidence.insert("rows", json!(rows));
            finding.total = places.total();
            finding.marks = places.into_marks();
            findings.push(finding);
        }
    }
}

impl File {
    /// Notes the tokens of a field of a fresh row. `last` is the row and token that were counted last.
    fn look(&mut self, field: Field<'_>, last: &mut (u64, String)) {
        let text = field.text();
        let record = field.record();
        let mut at = 0;
        while let Some((range, token)) = next_token(&text, at) {
            at = range.end;
            if self.tokens.len() >= TOKENS && !self.tokens.contains_key(&token) {
                continue;
            }
            let carriers = self.tokens.entry(token.clone()).or_default();
            if *last != (record.number(), token.clone()) {
                carriers.rows += 1;
                *last = (record.number(), token.clone());
            }
            let beside = |c: Option<char>| c.is_some_and(|c| matches!(c, '`' | '\'' | '"' | '“' | '”' | '’'));
            let named = beside(text[..range.start].chars().next_back()) && beside(text[range.end..].chars().next());
            let places = if named { &mut carriers.named } else { &mut carriers.used };
            places.add(record.batch().blob.id, || mark_in(field, range.clone()).with_note(around(&text, &range)));
        }
    }

    /// Counts the rows with a token that the change did not bring: they tell whether the file is written in a template.
    fn old_rows(&mut self, records: &Records<'_>) {
        if self.tokens.is_empty() || records.iter().all(|record| record.is_fresh()) {
            return;
        }
        for record in records.iter().filter(|record| !record.is_fresh()) {
            let mut of_row: Vec<String> = Vec::new();
            for field in record.fields() {
                if OPENINGS.next(field.raw(), 0).is_none() {
                    continue;
                }
                let text = field.text();
                let mut at = 0;
                while let Some((range, token)) = next_token(&text, at) {
                    at = range.end;
                    if !of_row.contains(&token) {
                        of_row.push(token);
                    }
                }
            }
            for token in of_row {
                if let Some(carriers) = self.tokens.get_mut(&token) {
                    carriers.rows += 1;
                }
            }
        }
    }
}

fn is_separator(token: &str) -> bool {
    let inside = token.trim_start_matches("<|").trim_end_matches("|>");
    SEPARATORS.contains(&inside)
}

/// A few characters on both sides of a token, on one line.
fn around(text: &str, range: &std::ops::Range<usize>) -> String {
    let left: Vec<char> = text[..range.start].chars().rev().take(16).collect();
    let right = text[range.end..].chars().take(24);
    let line = left.into_iter().rev().chain(text[range.clone()].chars()).chain(right);
    format!("\"{}\"", line.map(|c| if c.is_whitespace() { ' ' } else { c }).collect::<String>().trim())
}

/// The first token at or behind `at`.
fn next_token(text: &str, at: usize) -> Option<(std::ops::Range<usize>, String)> {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(next) = memchr::memchr2(b'<', b'[', &bytes[at..]).map(|n| at + n) {
        at = next + 1;
        let rest = &text[next..];
        if let Some(whole) = WHOLE.iter().find(|whole| rest.starts_with(**whole)) {
            return Some((next..next + whole.len(), (*whole).to_owned()));
        }
        if let Some((inside, end)) = between_bars(rest)
            && (INSIDE.contains(&inside.as_str())
                || SEPARATORS.contains(&inside.as_str())
                || inside.starts_with("reserved_special_token")
                || inside.ends_with("of_sentence"))
        {
            let token = format!("<|{inside}|>");
            return Some((next..next + end, token));
        }
    }
    None
}

/// What stands between the bars of a token at the start of `rest`, and where the token ends.
fn between_bars(rest: &str) -> Option<(String, usize)> {
    const LONGEST: usize = 48;
    let bar = |c: char| matches!(c, '|' | '\u{FF5C}');
    let mut characters = rest.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if !bar(first) {
        return None;
    }
    let mut inside = String::new();
    for (at, c) in characters.take(LONGEST) {
        if bar(c) {
            let end = at + c.len_utf8();
            return (rest.as_bytes().get(end) == Some(&b'>') && !inside.is_empty()).then_some((inside, end + 1));
        }
        match c {
            'a'..='z' | '0'..='9' | '_' => inside.push(c),
            'A'..='Z' => inside.push(c.to_ascii_lowercase()),
            ' ' | '\u{2581}' => inside.push('_'),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests;
