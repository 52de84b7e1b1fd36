//! The flip matrix: which classes records went between, as a table whose cells are coloured by how many.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::labels::{self, Flow, meaning};
use super::page::{Page, attribute, data};
use crate::diff::Kind;
use crate::report::words::{count, grouped};

/// Classes with a row and a column of their own; the others share one.
const CLASSES: usize = 12;
/// Shades of the scale.
const SHADES: usize = 7;

/// Writes the section on changed labels.
pub(super) fn write(flows: &[Flow<'_>], scope: &str, page: &mut Page) {
    page.section("labels", "Labels that changed");
    if flows.is_empty() {
        page.put("<p>No record got another label.</p>\n");
        page.end();
        return;
    }
    kinds(flows, page);
    let flips: Vec<&Flow<'_>> = flows.iter().filter(|flow| flow.kind == Kind::Flip).collect();
    if flips.is_empty() {
        page.put("<p>No record went from one living class to another.</p>\n");
    } else {
        table(&Matrix::new(&flips), scope, page);
    }
    labels::table(flows, page);
    page.end();
}

/// How many changes there are of each kind.
fn kinds(flows: &[Flow<'_>], page: &mut Page) {
    let mut sums: BTreeMap<Kind, u64> = BTreeMap::new();
    for flow in flows {
        *sums.entry(flow.kind).or_default() += flow.count;
    }
    page.put("<dl class=\"kinds\">\n");
    for (kind, sum) in sums {
        page.put(&format!("<div><dt>{}</dt><dd><b>{}</b> {}</dd></div>\n", kind.as_str(), grouped(sum), meaning(kind)));
    }
    page.put("</dl>\n");
}

/// Flips between the classes with the most of them.
struct Matrix<'a> {
    /// The classes that have a row and a column.
    names: Vec<&'a str>,
    /// How many other classes there are.
    others: usize,
    /// Flips by row and column; what lies behind the names are the others.
    cells: BTreeMap<(usize, usize), u64>,
}

impl<'a> Matrix<'a> {
    fn new(flips: &[&Flow<'a>]) -> Self {
        let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
        for flow in flips {
            for class in [flow.from, flow.to].into_iter().flatten() {
                *sizes.entry(class).or_default() += flow.count;
            }
        }
        let mut names: Vec<&str> = sizes.keys().copied().collect();
        names.sort_by_key(|name| (Reverse(sizes[name]), *name));
        // Two others would be no fewer rows than themselves.
        let others = if names.len() > CLASSES + 1 { names.len() - CLASSES } else { 0 };
        names.truncate(names.len() - others);
        let mut cells = BTreeMap::new();
        for flow in flips {
            let at = |class: Option<&str>| names.iter().position(|name| Some(*name) == class).unwrap_or(names.len());
            *cells.entry((at(flow.from), at(flow.to))).or_default() += flow.count;
        }
        Self { names, others, cells }
    }

    fn len(&self) -> usize {
        self.names.len() + usize::from(self.others > 0)
    }

    fn name(&self, at: usize) -> (String, String) {
        match self.names.get(at) {
            Some(name) => (data(name, 40), attribute(name, 200)),
            None => {
                let words = count(self.others as u64, "other class");
                (format!("<i>{words}</i>"), words)
            }
        }
    }
}

/// The smallest number of each shade: steps of 1, 2 and 5, as many as there are shades.
fn steps(most: u64) -> Vec<u64> {
    let mut all = vec![1_u64];
    'decades: for decade in (0..19).map(|power| 10_u64.pow(power)) {
        for step in [2, 5, 10] {
            let next = decade * step;
            if next > most {
                break 'decades;
            }
            all.push(next);
        }
    }
    let stride = all.len().div_ceil(SHADES);
    all.into_iter().step_by(stride).collect()
}

/// The shade of a number, from 1.
fn shade(n: u64, steps: &[u64]) -> usize {
    let at = steps.iter().filter(|&&step| step <= n).count().max(1);
    match steps.len() {
        1 => SHADES / 2 + 1,
        len => 1 + (at - 1) * (SHADES - 1) / (len - 1),
    }
}

fn table(matrix: &Matrix<'_>, scope: &str, page: &mut Page) {
    let n = matrix.len();
    let steps = steps(matrix.cells.values().copied().max().unwrap_or(1));
    page.put(&format!(
        "<div class=\"scroll fit\" tabindex=\"0\"><table class=\"matrix\"><caption>Records that went from the class of the row to the \
         class of the column, {scope}. What came by several commits counts once for each.</caption>\n<thead><tr><td \
         class=\"corner\">from ↓ to →</td>"
    ));
    for at in 0..n {
        let (name, title) = matrix.name(at);
        page.put(&format!("<th scope=\"col\" title=\"{title}\"><span>{name}</span></th>"));
    }
    page.put("<th scope=\"col\" class=\"sum\"><span>all</span></th></tr></thead><tbody>\n");
    let cell = |from: usize, to: usize| matrix.cells.get(&(from, to)).copied().unwrap_or(0);
    for from in 0..n {
        let (name, title) = matrix.name(from);
        page.put(&format!("<tr><th scope=\"row\" title=\"{title}\"><span>{name}</span></th>"));
        for to in 0..n {
            page.put(&match cell(from, to) {
                0 if from == to => "<td class=\"self\"></td>".to_owned(),
                0 => "<td></td>".to_owned(),
                flips => {
                    let title = format!("{} → {}: {}", title, matrix.name(to).1, count(flips, "record"));
                    format!("<td class=\"h{}\" title=\"{title}\">{}</td>", shade(flips, &steps), grouped(flips))
                }
            });
        }
        page.put(&format!("<td class=\"sum\">{}</td></tr>\n", grouped((0..n).map(|to| cell(from, to)).sum())));
    }
    page.put("<tr><th scope=\"row\" class=\"sum\"><span>all</span></th>");
    for to in 0..n {
        page.put(&format!("<td class=\"sum\">{}</td>", grouped((0..n).map(|from| cell(from, to)).sum())));
    }
    page.put(&format!(
        "<td class=\"sum\">{}</td></tr>\n</tbody></table></div>\n",
        grouped(matrix.cells.values().sum())
    ));
    page.put("<p class=\"legend\" aria-hidden=\"true\">");
    for (at, &step) in steps.iter().enumerate() {
        let until = match steps.get(at + 1) {
            Some(&next) if next == step + 1 => String::new(),
            Some(&next) => format!("–{}", grouped(next - 1)),
            None => "+".to_owned(),
        };
        page.put(&format!("<span><i class=\"h{}\"></i>{}{until}</span>", shade(step, &steps), grouped(step)));
    }
    page.put("</p>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_follow_the_numbers() {
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(36), [1, 2, 5, 10, 20]);
        assert_eq!(steps(4000), [1, 5, 20, 100, 500, 2000]);
        assert!(steps(u64::MAX).len() <= SHADES);
        let steps = steps(36);
        assert_eq!([1, 2, 36].map(|n| shade(n, &steps)), [1, 2, 7]);
        assert_eq!(shade(1, &[1]), 4);
    }

    #[test]
    fn many_classes_become_twelve_and_the_others() {
        let names: Vec<String> = (0..150).map(|n| format!("class_{n:03}")).collect();
        let flow = |(at, name): (usize, &'static str)| Flow {
            kind: Kind::Flip,
            from: Some(name),
            to: Some("other_end"),
            count: 150 - at as u64,
        };
        let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
        let flows: Vec<Flow<'_>> = names.iter().copied().enumerate().map(flow).collect();
        let matrix = Matrix::new(&flows.iter().collect::<Vec<_>>());
        assert_eq!((matrix.len(), matrix.others), (13, 139));
        assert_eq!(matrix.cells.values().sum::<u64>(), (1..=150).sum::<u64>());
        assert_eq!(matrix.cells[&(12, 0)], (1..=139).sum::<u64>());
    }
}
