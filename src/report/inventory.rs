//! The inventory: tables for people, and `foretaste-inventory/1` for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::{Escaped, ascii_json, json_path};
use super::words::{count, grouped};
use crate::engine::inventory::{Inventory, Spot};

/// JSON Schema of the JSON form (`foretaste schema inventory`).
pub(crate) const SCHEMA: &str = include_str!("../../fixtures/schema/foretaste-inventory-1.schema.json");

/// Rows of one table beyond this are counted; the JSON form has them all.
const MAX_ROWS: usize = 200;
/// Cells are shown up to this many code points.
const MAX_CELL: usize = 60;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    references: Vec<Reference<'a>>,
    pipelines: Vec<Pipeline<'a>>,
    datasets: Vec<Data<'a>>,
    loaders: Vec<Loader<'a>>,
    unread: Vec<Unread<'a>>,
    scope: String,
    tool: Tool,
}

#[derive(Serialize)]
struct Place {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    line: u64,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(flatten)]
    place: Place,
    kind: &'static str,
    target: &'a str,
    verdict: &'static str,
    r#where: &'static str,
    hub: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<&'a str>,
    framework: &'static str,
    by: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remote_code: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    missing: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    fix: &'a str,
}

#[derive(Serialize)]
struct Pipeline<'a> {
    #[serde(flatten)]
    place: Place,
    purpose: &'static str,
    by: &'static str,
    r#where: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    references: u64,
    missing: &'a [String],
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    files: u64,
    records: u64,
    r#where: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    retrieval: bool,
    locked: u64,
    missing: &'a [String],
}

#[derive(Serialize)]
struct Loader<'a> {
    #[serde(flatten)]
    place: Place,
    name: &'a str,
    wanted: &'a str,
    exact: bool,
    r#where: &'static str,
    missing: &'a [String],
}

#[derive(Serialize)]
struct Unread<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

fn place(spot: &Spot) -> Place {
    let (path, path_hex) = json_path(&spot.path);
    Place { path, path_hex, line: spot.line }
}

/// Writes the JSON form.
///
/// # Errors
/// Where `out` cannot be written to.
pub(crate) fn json(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: "foretaste-inventory/1",
        references: inventory
            .references
            .iter()
            .map(|named| Reference {
                place: place(&named.spot),
                kind: named.reference.kind.as_str(),
                target: &named.reference.target,
                verdict: named.reference.verdict.as_str(),
                r#where: named.standing.as_str(),
                hub: named.reference.hub,
                pin: named.reference.pin.as_deref(),
                framework: named.reference.framework,
                by: &named.reference.by,
                remote_code: named.reference.remote_code,
                source: named.source.as_deref(),
                missing: &named.missing,
                fix: &named.reference.fix,
            })
            .collect(),
        pipelines: inventory
            .pipelines
            .iter()
            .map(|pipeline| Pipeline {
                place: place(&pipeline.spot),
                purpose: pipeline.purpose.as_str(),
                by: pipeline.by,
                r#where: pipeline.standing.as_str(),
                run: pipeline.run.as_deref(),
                references: pipeline.references,
                missing: &pipeline.missing,
            })
            .collect(),
        datasets: inventory
            .data
            .iter()
            .map(|data| {
                let (path, path_hex) = json_path(&data.path);
                Data {
                    name: data.name.as_deref(),
                    path,
                    path_hex,
                    files: data.files,
                    records: data.records,
                    r#where: data.standing.as_str(),
                    source: data.source.as_deref(),
                    retrieval: data.retrieval,
                    locked: data.locked,
                    missing: &data.missing,
                }
            })
            .collect(),
        loaders: inventory
            .loaders
            .iter()
            .map(|loader| Loader {
                place: place(&loader.spot),
                name: &loader.dependency.name,
                wanted: &loader.dependency.wanted,
                exact: loader.dependency.exact,
                r#where: loader.standing.as_str(),
                missing: &loader.missing,
            })
            .collect(),
        unread: inventory
            .unread
            .iter()
            .map(|unread| {
                let (path, path_hex) = json_path(&unread.path);
                Unread { path, path_hex, reason: &unread.reason }
            })
            .collect(),
        scope: Escaped::new(&inventory.scope).cap(2000).to_string(),
        tool: Tool { name: "foretaste", version: env!("CARGO_PKG_VERSION") },
    };
    ascii_json(&document, out)
}

/// Writes the tables for people.
///
/// # Errors
/// Where `out` cannot be written to.
pub(crate) fn human(inventory: &Inventory, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "foretaste looked at {}\n", Escaped::new(&inventory.scope).cap(200))?;
    let at = |spot: &Spot| format!("{}:{}", Escaped::new(&spot.path).cap(MAX_CELL), spot.line);
    let cell = |text: &str| Escaped::new(text).cap(MAX_CELL).to_string();
    let missing = |list: &[String]| {
        let text = Escaped::new(&list.join(", ")).cap(200).to_string();
        if text.is_empty() { Vec::new() } else { wrapped(&format!("missing: {text}")) }
    };
    let rows = inventory.pipelines.iter().map(|pipeline| {
        let run = pipeline.run.as_deref().map_or_else(|| "-".to_owned(), &cell);
        let cells = [pipeline.purpose.as_str().to_owned(), pipeline.by.to_owned(), run];
        Row { cells, last: at(&pipeline.spot), below: missing(&pipeline.missing) }
    });
    table(out, "pipeline", ["purpose", "told by", "run", "place"], rows.collect())?;
    let rows = inventory.data.iter().map(|data| {
        let name = data.name.as_deref().map_or_else(|| "-".to_owned(), &cell);
        let last = Escaped::new(&data.path).cap(MAX_CELL).to_string();
        Row { cells: [name, grouped(data.files), grouped(data.records)], last, below: missing(&data.missing) }
    });
    table(out, "dataset", ["name", "files", "records", "path"], rows.collect())?;
    let rows = inventory.loaders.iter().map(|loader| {
        let (name, standing) = (loader.dependency.name.clone(), loader.standing.as_str().to_owned());
        let cells = [name, cell(&loader.dependency.wanted), standing];
        Row { cells, last: at(&loader.spot), below: missing(&loader.missing) }
    });
    table(out, "loader", ["package", "version", "where", "place"], rows.collect())?;
    let rows = inventory.references.iter().map(|named| {
        let (reference, standing) = (&named.reference, named.standing.as_str().to_owned());
        let cells = [reference.verdict.as_str().to_owned(), standing, reference.kind.as_str().to_owned()];
        let mut below = vec![at(&named.spot)];
        below.extend(missing(&named.missing));
        Row { cells, last: cell(&reference.target), below }
    });
    table(out, "reference", ["verdict", "where", "kind", "name, and its place below"], rows.collect())?;
    for unread in inventory.unread.iter().take(MAX_ROWS) {
        writeln!(out, "{}: not read: {}", Escaped::new(&unread.path).cap(1024), Escaped::new(&unread.reason).cap(200))?;
    }
    Ok(())
}

/// One thing of a table: cells in columns, the longest last, and what is said of it in lines below.
struct Row {
    cells: [String; 3],
    last: String,
    below: Vec<String>,
}

/// Columns of the narrowest terminal.
const WIDTH: usize = 80;
/// Spaces before what is said below a row.
const INDENT: usize = 6;

/// Text in lines that fit the narrowest terminal behind their indentation.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("it begins with a line");
        let length = line.chars().count();
        if length > 0 && INDENT + length + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            line.push_str(if length > 0 { " " } else { "" });
            line.push_str(word);
        }
    }
    lines
}

/// One table: what it lists, its columns, its rows. Only a long name or path makes it wider than a terminal.
fn table(out: &mut dyn Write, noun: &str, heads: [&str; 4], rows: Vec<Row>) -> io::Result<()> {
    writeln!(out, "{}", count(rows.len() as u64, noun))?;
    if rows.is_empty() {
        return writeln!(out);
    }
    let shown = &rows[..rows.len().min(MAX_ROWS)];
    let [a, b, c, last] = heads.map(str::to_owned);
    let head = Row { cells: [a, b, c], last, below: Vec::new() };
    let all = || std::iter::once(&head).chain(shown);
    let widths = [0, 1, 2].map(|at| all().map(|row| row.cells[at].chars().count()).max().unwrap_or_default());
    for row in all() {
        let mut line = String::from("  ");
        for (text, width) in row.cells.iter().zip(widths) {
            line.push_str(text);
            line.push_str(&" ".repeat(width - text.chars().count() + 2));
        }
        writeln!(out, "{}", format!("{line}{}", row.last).trim_end())?;
        for text in &row.below {
            writeln!(out, "{}{text}", " ".repeat(INDENT))?;
        }
    }
    if let Some(more @ 1..) = rows.len().checked_sub(MAX_ROWS) {
        writeln!(out, "  and {}; `--format json` has them all", count(more as u64, &format!("more {noun}")))?;
    }
    writeln!(out)
}
