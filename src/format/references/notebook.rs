//! References in notebooks: cells of code, with what is not Python in them told apart.

use super::collector::{Collector, Nested};
use super::passage::Passage;
use super::tree::{Tree, View};

/// Finds the references of a notebook. Its outputs are never read.
pub(super) fn find(file: &Passage<'_>, depth: u32, out: &mut Collector) {
    let tree = Tree::json(file.text(), depth);
    let mut code = Passage::default();
    for root in tree.documents(file) {
        let kernel =
            root.get("metadata").and_then(|m| m.get("kernelspec")).and_then(|k| k.get("language")).and_then(View::text);
        let python = kernel.is_none_or(|language| language.eq_ignore_ascii_case("python"));
        // Notebooks before version 4 have their cells in worksheets.
        let old = root.get("worksheets").into_iter().flat_map(View::items).filter_map(|sheet| sheet.get("cells"));
        let cells = root.get("cells").into_iter().chain(old).flat_map(View::items);
        for cell in cells.filter(|cell| cell.get("cell_type").and_then(View::text) == Some("code")) {
            let Some(source) = cell.first(&["source", "input"]) else { continue };
            let mut text = Passage::default();
            for line in std::iter::once(source).chain(source.items()).filter(|line| line.text().is_some()) {
                let inner = line.inner();
                text.append(&inner, 0..inner.text().len());
            }
            cell_of(&text, python, &mut code, out);
        }
    }
    if let Some(reason) = tree.broken {
        out.unread(format!("is not a valid notebook: {reason}"));
    }
    // Cells are one program: a name that one sets is used in the next.
    out.nest(Nested::Python(code));
}

/// Sorts the lines of a cell into Python and shell.
fn cell_of(cell: &Passage<'_>, python: bool, code: &mut Passage<'static>, out: &mut Collector) {
    let text = cell.text();
    let first = text.trim_start();
    if let Some(magic) = first.strip_prefix("%%") {
        let name = magic.split_whitespace().next().unwrap_or("");
        if matches!(name, "bash" | "sh" | "shell" | "script" | "cmd") {
            let start = text.find('\n').map_or(text.len(), |n| n + 1);
            let mut script = Passage::default();
            script.append(cell, start..text.len());
            return out.nest(Nested::shell(script, "notebook"));
        }
        if !matches!(name, "time" | "timeit" | "capture" | "python" | "python3" | "prun") {
            return;
        }
    }
    let (mut at, mut lines) = (0, text.split_inclusive('\n').peekable());
    while let Some(line) = lines.next() {
        let start = at;
        at += line.len();
        let bare = line.trim_start();
        if let Some(command) = bare.strip_prefix('!') {
            let from = start + (line.len() - bare.len()) + (bare.len() - command.len());
            // A command goes on behind a backslash at the end of its line.
            let mut last = line;
            while last.trim_end().ends_with('\\') {
                let Some(next) = lines.next() else { break };
                at += next.len();
                last = next;
            }
            let mut script = Passage::default();
            script.append(cell, from..at);
            out.nest(Nested::shell(script, "notebook"));
            code.append(cell, start..start + (line.len() - bare.len()));
            code.append_as("pass\n", cell, from..from);
        } else if bare.starts_with('%') || bare.starts_with('?') {
            code.append(cell, start..start + (line.len() - bare.len()));
            code.append_as("pass\n", cell, start..start);
        } else if python {
            code.append(cell, start..at);
        }
    }
    if !code.text().is_empty() && !code.text().ends_with('\n') {
        let end = text.len();
        code.append_as("\n", cell, end..end);
    }
}
