//! Dockerfiles: base images, downloads, and the scripts of `RUN`.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::format::references::collector::{Collector, Nested};
use crate::format::references::passage::Passage;
use crate::format::references::pin::is_digest;
use crate::format::references::url;
use crate::format::references::variables::Variables;

/// Finds the references of a Dockerfile.
pub(in crate::format::references) fn find(file: &Passage<'_>, out: &mut Collector) {
    let (mut stages, mut variables, mut scripts) = (BTreeSet::new(), Variables::default(), Vec::new());
    let text = file.text();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        // One instruction runs over continued lines; comments and empty lines among them do not end it.
        let mut open = true;
        while open && at < text.len() {
            let line = text[at..].split_inclusive('\n').next().unwrap_or("");
            let bare = line.trim();
            open = bare.ends_with('\\') || (at > start && (bare.is_empty() || bare.starts_with('#')));
            at += line.len();
        }
        let whole = &text[start..at];
        let lead = whole.len() - whole.trim_start().len();
        let (word, rest) = whole.trim_start().split_once(char::is_whitespace).unwrap_or((whole.trim(), ""));
        let rest_at = start + lead + word.len() + 1;
        match word.to_ascii_uppercase().as_str() {
            "FROM" => from(file, rest, rest_at, &mut stages, out),
            "ARG" | "ENV" => {
                for (offset, pair) in words(rest) {
                    if let Some((name, value)) = pair.split_once('=') {
                        let quotes = usize::from(value.starts_with(['"', '\'']));
                        let value_at = rest_at + offset + name.len() + 1 + quotes;
                        let value = value.trim_matches(['"', '\'']);
                        let mut passage = Passage::default();
                        passage.append(file, value_at..value_at + value.len());
                        variables.set(name, passage);
                    }
                }
            }
            "RUN" => {
                // The body of a here-document follows the instruction.
                let mut script = Passage::default();
                let flags: usize = words(rest)
                    .take_while(|(_, word)| word.starts_with("--"))
                    .map(|(at, word)| at + word.len())
                    .last()
                    .unwrap_or(0);
                let body = &rest[flags..];
                let mut end = rest_at + rest.len();
                if let Some(delimiter) = heredoc(body) {
                    while at < text.len() {
                        let line = text[at..].split_inclusive('\n').next().unwrap_or("");
                        at += line.len();
                        end = at;
                        if line.trim() == delimiter {
                            break;
                        }
                    }
                }
                script.append(file, rest_at + flags..end.min(text.len()));
                scripts.push(script);
            }
            "ADD" => {
                let checksum =
                    words(rest).find_map(|(_, word)| word.strip_prefix("--checksum=")).filter(|sum| is_digest(sum));
                for (offset, word) in words(rest).filter(|(_, word)| word.contains("://")) {
                    let range = rest_at + offset..rest_at + offset + word.len();
                    let span = file.span(range);
                    let Some(found) = url::locate(word, url::Asked::Any) else { continue };
                    out.located(found, checksum, span, "docker", "ADD");
                }
            }
            _ => {}
        }
    }
    let variables = Rc::new(variables);
    for script in scripts {
        out.nest(Nested::Shell { script, framework: "docker", variables: Rc::clone(&variables) });
    }
}

fn from(file: &Passage<'_>, rest: &str, at: usize, stages: &mut BTreeSet<String>, out: &mut Collector) {
    let mut parts = words(rest).filter(|(_, word)| !word.starts_with("--"));
    let Some((offset, image)) = parts.next() else { return };
    let known = image == "scratch" || stages.contains(&image.to_ascii_lowercase());
    if parts.next().is_some_and(|(_, word)| word.eq_ignore_ascii_case("as"))
        && let Some((_, name)) = parts.next()
    {
        stages.insert(name.to_ascii_lowercase());
    }
    if !known {
        let range = at + offset..at + offset + image.len();
        out.image(image, file.span(range), "docker", "FROM");
    }
}

/// The delimiter of a here-document that the line opens.
fn heredoc(body: &str) -> Option<String> {
    let rest = &body[body.find("<<")? + 2..];
    let rest = rest.trim_start_matches('-').trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

/// Words and where they begin. Backslashes of continued lines are no words.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr() as usize;
    text.split_whitespace().filter(|word| *word != "\\").map(move |word| (word.as_ptr() as usize - base, word))
}
