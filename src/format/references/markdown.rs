//! References in Markdown: the card at the top, and blocks of code.

use super::collector::{Collector, Nested};
use super::config::card;
use super::passage::Passage;
use super::tree::Tree;
use super::url::{self, Asked};
use crate::format::Verdict;

/// Finds the references of a Markdown file.
pub(super) fn find(file: &Passage<'_>, depth: u32, out: &mut Collector) {
    let text = file.text();
    let (mut at, mut is_card) = (0, false);
    if let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) {
        let start = text.len() - rest.len();
        if let Some(len) = rest.find("\n---") {
            let front = part(file, start, start + len + 1);
            let tree = Tree::yaml(front.text(), depth);
            for root in
                tree.documents(&front).filter(|root| card::is_card(*root) || root.has(&["datasets", "base_model"]))
            {
                card::find(root, out);
                is_card |= card::is_card(root);
            }
            at = start + len + 4;
        }
    }
    // Code of one language in one file often builds on earlier blocks, but each is read by itself: most do not.
    let mut fence: Option<Fence> = None;
    let mut offset = at;
    for line in text[at..].split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        // A block may stand in a quotation.
        let bare = line.trim().trim_start_matches(['>', ' ']);
        match &mut fence {
            None => {
                if is_card {
                    links(file, start, line, out);
                }
                let mark = if bare.starts_with("```") { '`' } else { '~' };
                let length = bare.len() - bare.trim_start_matches(mark).len();
                if length >= 3 {
                    let info = bare[length..].trim().trim_start_matches(['{', '.']);
                    let language =
                        info.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("").to_ascii_lowercase();
                    let quoted = line.trim_start().starts_with('>');
                    fence = Some(Fence {
                        quoted,
                        mark,
                        length,
                        language,
                        start: offset,
                        indent: line.len() - line.trim_start().len(),
                    });
                }
            }
            Some(open) => {
                let length = bare.len() - bare.trim_start_matches(open.mark).len();
                if length >= open.length && length == bare.len() {
                    block(file, open, start, out);
                    fence = None;
                }
            }
        }
    }
    if let Some(open) = fence {
        block(file, &open, text.len(), out);
    }
}

/// Addresses in the text of a card: where the data is said to have come from.
fn links(file: &Passage<'_>, start: usize, line: &str, out: &mut Collector) {
    let mut at = 0;
    while let Some(found) = line[at..].find("://") {
        let scheme = line[..at + found].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        let from = at + found - scheme;
        let end = line[from..].find(|c: char| c.is_whitespace() || "<>()[]\"'`|".contains(c));
        let text =
            line[from..end.map_or(line.len(), |end| from + end)].trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
        at = (from + text.len()).max(at + found + 3);
        let located = url::locate(text, Asked::Any)
            .filter(|found| !matches!(found.verdict, Verdict::NotADataset | Verdict::Local));
        if let Some(found) = located {
            out.located(found, None, file.span(start + from..start + from + text.len()), "hf-card", "text");
        }
    }
}

struct Fence {
    mark: char,
    length: usize,
    language: String,
    start: usize,
    indent: usize,
    quoted: bool,
}

fn part(file: &Passage<'_>, start: usize, end: usize) -> Passage<'static> {
    let mut passage = Passage::default();
    passage.append(file, start..end.max(start));
    passage
}

fn block(file: &Passage<'_>, fence: &Fence, end: usize, out: &mut Collector) {
    let plain = || lines(file, fence, end, &[]);
    out.nest(match fence.language.as_str() {
        "python" | "py" | "python3" | "pycon" | "ipython" => {
            Nested::Python(lines(file, fence, end, &[">>> ", "... ", ">>>", "..."]))
        }
        "bash" | "sh" | "shell" | "console" | "zsh" | "shellsession" => {
            Nested::shell(lines(file, fence, end, &["$ ", "% "]), "shell")
        }
        // Many blocks do not say what they are, and begin with a program that nothing else is called.
        "" if begins_with_a_command(file.text().get(fence.start..end.max(fence.start)).unwrap_or("")) => {
            Nested::shell(lines(file, fence, end, &["$ ", "% "]), "shell")
        }
        "dockerfile" | "docker" => Nested::Docker(plain()),
        "yaml" | "yml" => Nested::Yaml(plain()),
        "json" | "jsonc" => Nested::Json(plain()),
        _ => return,
    });
}

/// Whether the first line of a block, behind comments, is a command line of the programs that load data and models.
fn begins_with_a_command(block: &str) -> bool {
    let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# "));
    let Some(line) = lines.next() else { return false };
    let mut words = line.strip_prefix("$ ").unwrap_or(line).split_whitespace();
    let program = words.find(|word| !word.contains('=')).unwrap_or("");
    const PROGRAMS: &[&str] = &[
        "python",
        "python3",
        "uv",
        "accelerate",
        "torchrun",
        "deepspeed",
        "hf",
        "huggingface-cli",
        "wget",
        "curl",
        "git",
        "trl",
        "axolotl",
        "llamafactory-cli",
        "lm_eval",
        "lm-eval",
        "lighteval",
        "tune",
        "vllm",
        "aws",
        "gsutil",
        "dvc",
        "kaggle",
        "bash",
        "sh",
    ];
    PROGRAMS.contains(&program) && words.next().is_some()
}

/// The lines of a block without its indentation. Where lines have prompts, only those are code; the others are output.
fn lines(file: &Passage<'_>, fence: &Fence, end: usize, prompts: &[&str]) -> Passage<'static> {
    let body = file.text().get(fence.start..end.max(fence.start)).unwrap_or("");
    let first = prompts.first().copied().unwrap_or("\0");
    let prompted = body.lines().any(|line| line.trim_start().starts_with(first));
    let mut code = Passage::default();
    let mut at = fence.start;
    for line in body.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let mut lead = line.bytes().take(fence.indent).take_while(|b| matches!(b, b' ' | b'\t')).count();
        if fence.quoted && line[lead..].starts_with('>') {
            lead += if line[lead..].starts_with("> ") { 2 } else { 1 };
        }
        let rest = &line[lead..];
        if !prompted {
            code.append(file, start + lead..at);
        } else if let Some(prompt) = prompts.iter().find(|prompt| rest.trim_start().starts_with(**prompt)) {
            let white = rest.len() - rest.trim_start().len();
            code.append(file, start + lead + white + prompt.len()..at);
        }
    }
    code
}
