//! Shares of the classes over time: one small chart a class, all of a data set on the same time axis.

use std::cmp::Reverse;

use super::chart::Axis;
use super::labels::number;
use super::page::{Page, class, data, percent};
use crate::engine::audit::{Point, Shares};
use crate::report::Report;
use crate::report::history::{History, ranked};
use crate::report::words::count;
use crate::rule::Severity;

/// Length and height of a chart, in its own units.
const LENGTH: u64 = 600;
const HEIGHT: u64 = 120;
/// A share of everything.
const WHOLE: u64 = 1_000_000;
/// Commits that are marked in the charts.
const MARKS: usize = 20;

pub(super) fn write(report: &Report, history: &History, page: &mut Page) {
    let (all, more) = &history.shares;
    let shown: Vec<&Shares> = all.iter().filter(|shares| !shares.points.is_empty()).collect();
    if shown.is_empty() {
        return;
    }
    page.section("shares", "Shares of the classes over time");
    page.put(
        "<p>Along the first parents of HEAD, the classes that moved most first. Each chart spans its own range, and at least one \
         percentage point; dashed lines are the commits of warnings and errors. While a data set was less than half its \
         size, shares may lie beyond the edge.</p>\n",
    );
    let marks: Vec<(i64, String)> = ranked(report, history)
        .iter()
        .filter(|ranked| ranked.severity() >= Some(Severity::Warning))
        .filter_map(|ranked| {
            let touch = history.touches.iter().find(|touch| touch.commit == ranked.commit.commit)?;
            Some((touch.seconds, ranked.commit.commit.get(..10)?.to_owned()))
        })
        .take(MARKS)
        .collect();
    for (at, shares) in shown.iter().enumerate() {
        if at == 1 {
            page.put(&format!("<details><summary>{}</summary>\n", count(shown.len() as u64 - 1, "more data set")));
        }
        set(shares, &marks, page);
    }
    if shown.len() > 1 {
        page.put("</details>\n");
    }
    page.more(*more as u64, "more data set");
    page.end();
}

fn set(shares: &Shares, marks: &[(i64, String)], page: &mut Page) {
    let axis = Axis::new(shares.points.iter().map(|point| point.seconds));
    let (first, last) = axis.days();
    let rows = |point: &Point| point.rows.iter().sum::<u64>();
    let now = shares.points.last().map_or(0, rows);
    page.put(&format!(
        "<h3>{} <small>{} now; {first} to {last}</small></h3>\n<div class=\"charts\">\n",
        data(&shares.set, 200),
        count(now, "record")
    ));
    let names: Vec<String> = shares
        .classes
        .iter()
        .map(|name| class(name.as_deref()))
        .chain((shares.others > 0).then(|| format!("<i>{}</i>", count(shares.others, "other class"))))
        .collect();
    let ranges: Vec<Range> = (0..names.len()).map(|at| Range::of(shares, at)).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    // The others are many, and come last.
    order.sort_by_key(|&at| (at == shares.classes.len(), Reverse(ranges[at].high - ranges[at].low), at));
    page.list(order.iter(), names.len(), |&at| chart(&names[at], shares, at, ranges[at], (axis, marks)));
    page.put("</div>\n<details><summary>The numbers</summary>\n");
    let head = ["Class", "#Rows first", "#Rows now", "#Share first", "#Share now", "#Lowest", "#Highest"];
    page.table(("", &head), order.iter(), (names.len(), "more class"), |&at| {
        let of = |point: Option<&Point>| point.map_or((0, 0), |point| (point.rows[at], rows(point)));
        let ((was, all_then), (is, all_now)) = (of(shares.points.first()), of(shares.points.last()));
        let Range { low, high } = ranges[at];
        let shares = [percent(was, all_then), percent(is, all_now), percent(low, WHOLE), percent(high, WHOLE)];
        let shares: String = shares.iter().map(|share| format!("<td class=\"n\">{share}</td>")).collect();
        format!("<tr><td>{}</td>{}{}{shares}</tr>\n", names[at], number(was), number(is))
    });
    page.put("</details>\n");
}

/// The shares between which a class stayed while its data set had at least half the size that it has now.
#[derive(Copy, Clone)]
struct Range {
    low: u64,
    high: u64,
}

impl Range {
    fn of(shares: &Shares, at: usize) -> Self {
        let size = |point: &Point| point.rows.iter().sum::<u64>();
        let now = shares.points.last().map_or(0, size);
        let grown = shares.points.iter().filter(|point| size(point) >= now / 2);
        let all: Vec<u64> = grown.map(|point| share(point, at)).collect();
        Self { low: all.iter().copied().min().unwrap_or(0), high: all.iter().copied().max().unwrap_or(0) }
    }
}

/// The share of a class, as parts of [`WHOLE`].
fn share(point: &Point, at: usize) -> u64 {
    let all = point.rows.iter().sum::<u64>().max(1);
    u64::try_from(u128::from(point.rows[at]) * u128::from(WHOLE) / u128::from(all)).unwrap_or(0)
}

/// The share of one class as a line that changes in steps.
fn chart(name: &str, shares: &Shares, at: usize, range: Range, (axis, marks): (Axis, &[(i64, String)])) -> String {
    let span = (range.high - range.low).max(WHOLE / 100);
    let spare = span - (range.high - range.low);
    let bottom = range.low.saturating_sub(spare / 2);
    let mut line = String::new();
    let mut latest = 0;
    for point in &shares.points {
        let up = share(point, at).saturating_sub(bottom).min(span) * (HEIGHT - 8) / span;
        // Commits may claim to be older than their parents; a chart goes on.
        latest = latest.max(axis.at(point.seconds, LENGTH));
        let y = HEIGHT - 4 - up;
        line.push_str(&if line.is_empty() { format!("M{latest} {y}") } else { format!("H{latest}V{y}") });
    }
    let of = |point: Option<&Point>| point.map_or(0, |point| share(point, at));
    let words = format!("{} → {}", percent(of(shares.points.first()), WHOLE), percent(of(shares.points.last()), WHOLE));
    let ends = format!("{} to {}", percent(range.low, WHOLE), percent(range.high, WHOLE));
    let mut out = format!(
        "<figure><figcaption>{name}<span title=\"first and now\">{words}</span></figcaption><svg viewBox=\"0 0 {LENGTH} \
         {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"share over time: {words}, between {ends}\">"
    );
    for (seconds, id) in marks {
        let x = axis.at(*seconds, LENGTH);
        out.push_str(&format!("<path class=\"mark\" d=\"M{x} 0V{HEIGHT}\"><title>{id}</title></path>"));
    }
    let area = format!("{line}H{LENGTH}V{HEIGHT}H0Z");
    out.push_str(&format!(
        "<path class=\"area\" d=\"{area}\"/><path class=\"line\" d=\"{line}H{LENGTH}\"/></svg></figure>\n"
    ));
    out
}
