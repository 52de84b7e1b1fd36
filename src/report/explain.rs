//! The manual of a rule as Markdown, and the table of all rules. Both come from the rules' own statics.

use super::escape::{code_span, draw, units};
use crate::check;
use crate::rule::{Example, Layer, Rule, frameworks};

/// The manual of a rule as Markdown. What cannot be seen in its examples is drawn.
pub(crate) fn explain(rule: &Rule) -> String {
    let manual = &rule.manual;
    let mut out = format!(
        "# {}\n\n{}.\n\nSeverity {} · confidence {} · layer {}, {}{}\n",
        rule.id,
        rule.summary.trim_end_matches('.'),
        rule.severity.as_str(),
        rule.confidence.as_str(),
        rule.layer as u8,
        layer(rule.layer),
        if rule.gates { "" } else { " · never fails a run by itself" },
    );
    section(&mut out, "What it does", manual.what);
    section(&mut out, "Why it matters", manual.why);
    out.push_str("\n## Examples\n");
    for (heading, examples) in [("Bad", manual.bad), ("Good", manual.good)] {
        for example in examples {
            out.push_str(&format!("\n### {heading}: {}\n", example.title));
            files(&mut out, example);
        }
    }
    section(&mut out, "What to do", manual.fix);
    section(&mut out, "What it misses", manual.misses);
    if !rule.tags.is_empty() {
        out.push_str("\n## In public frameworks\n\n");
        for tag in rule.tags {
            match frameworks::find(tag) {
                Some((framework, _, title)) => {
                    out.push_str(&format!("- {tag}: {title} ({} {})\n", framework.name, framework.version));
                }
                None => out.push_str(&format!("- {tag}\n")),
            }
        }
    }
    out
}

/// A Markdown table of all rules, for the README.
pub(crate) fn rules_table() -> String {
    table(check::rules())
}

fn table(rules: impl Iterator<Item = &'static Rule>) -> String {
    let mut out = String::from("| Rule | Finds | Severity | Layer |\n|---|---|---|---|\n");
    for rule in rules {
        let summary = rule.summary.trim_end_matches('.').replace('|', "\\|");
        let severity = if rule.gates { rule.severity.as_str().into() } else { format!("{}*", rule.severity.as_str()) };
        out.push_str(&format!(
            "| `{}` | {summary} | {severity} | {}, {} |\n",
            rule.id,
            rule.layer as u8,
            layer(rule.layer)
        ));
    }
    out.push_str("\n\\* never fails a run by itself\n");
    out
}

fn section(out: &mut String, heading: &str, text: &str) {
    out.push_str(&format!("\n## {heading}\n\n{}\n", text.trim()));
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Provenance => "provenance",
        Layer::Sources => "sources",
        Layer::Integrity => "integrity",
        Layer::Anomalies => "anomalies",
        Layer::Vendors => "vendors",
    }
}

/// The files of an example, before and after where it is about a change.
fn files(out: &mut String, example: &Example) {
    for (when, files) in [("before", example.base), (if example.base.is_empty() { "" } else { "after" }, example.files)]
    {
        for (path, content) in files {
            let when = if when.is_empty() { String::new() } else { format!(", {when}") };
            out.push_str(&format!("\n{}{when}:\n\n", code_span(path, 200, false)));
            fenced(out, content);
        }
    }
}

/// A code block that its content cannot end, with everything hidden drawn.
fn fenced(out: &mut String, content: &str) {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    out.push_str(&format!("{fence}text\n"));
    for line in content.lines() {
        let units: Vec<_> = units(line.as_bytes()).collect();
        out.push_str(&draw(&units, true).text);
        out.push('\n');
    }
    out.push_str(&format!("{fence}\n"));
}

#[cfg(test)]
mod tests {
    use super::super::sample::RULES;
    use super::*;

    #[test]
    fn a_manual_shows_what_cannot_be_seen() {
        insta::assert_snapshot!(explain(&RULES[0]), @r##"
# invisible-unicode

Characters that nobody sees.

Severity error · confidence high · layer 4, anomalies

## What it does

Finds characters that are not drawn.

## Why it matters

A model learns them as a trigger.

## Examples

### Bad: a zero-width space

`a.txt`:

```text
can<U+200B>cel `now`
```

### Good: plain text

`a.txt`, before:

```text
cancel
```

`a.txt`, after:

```text
cancel it
```

## What to do

Remove them.

## What it misses

What can be seen.

## In public frameworks

- OWASP LLM04:2025
- MITRE ATLAS AML.T0020
"##);
    }

    #[test]
    fn the_table_has_a_row_for_every_rule() {
        insta::assert_snapshot!(table(RULES.iter()), @r##"
| Rule | Finds | Severity | Layer |
|---|---|---|---|
| `invisible-unicode` | Characters that nobody sees | error | 4, anomalies |
| `label-flip` | Labels that were turned around | warning | 4, anomalies |
| `maintainer-risk` | People who behave oddly | error* | 1, provenance |

\* never fails a run by itself
"##);
    }
}
