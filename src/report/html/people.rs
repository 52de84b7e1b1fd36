//! The people behind the data over time: rows above the line, changed labels below it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Axis, day};
use super::page::{Page, data};
use crate::engine::audit::Touch;
use crate::report::history::History;
use crate::report::words::{count, grouped};

/// People who have a line of their own.
const PEOPLE: usize = 25;
/// Bars of a line, and the size of one in pixels.
const BARS: u64 = 80;
const WIDTH: u64 = 4;
/// The highest bar in pixels, above the line and below it.
const HIGH: u64 = 26;
const LOW: u64 = 18;

/// What one person did.
#[derive(Default)]
struct Person<'a> {
    names: BTreeSet<&'a str>,
    touches: Vec<&'a Touch>,
    added: u64,
    removed: u64,
    relabelled: u64,
    flipped: u64,
    signed: usize,
}

pub(super) fn write(history: &History, page: &mut Page) {
    if history.touches.is_empty() {
        return;
    }
    let mut people: BTreeMap<usize, Person<'_>> = BTreeMap::new();
    for touch in &history.touches {
        let person = people.entry(touch.person).or_default();
        person.names.insert(&touch.author);
        person.added += touch.added;
        person.removed += touch.removed;
        person.relabelled += touch.relabelled;
        person.flipped += touch.flipped;
        person.signed += usize::from(touch.signed);
        person.touches.push(touch);
    }
    let mut people: Vec<Person<'_>> = people.into_values().collect();
    people.sort_by_key(|person| {
        (Reverse(person.flipped), Reverse(person.relabelled), Reverse(person.added), person.touches[0].author.clone())
    });
    let axis = Axis::new(history.touches.iter().map(|touch| touch.seconds));
    let (first, last) = axis.days();
    page.section("people", "Who changed the data");
    page.put(&format!(
        "<p>{} in {} that touch data, {first} to {last}. Names, addresses and dates are what the commits claim; signed \
         means by a key of the policy where it lists SSH keys, and elsewhere by anybody.</p>\n",
        count(people.len() as u64, "contributor"),
        count(history.touches.len() as u64, "commit"),
    ));
    let signs = history.touches.iter().any(|touch| touch.signed);
    let signed = match signs {
        true => "<i class=\"rows hollow\"></i>hollow: not all signed",
        false => "no commit carries a signature",
    };
    page.put(&format!(
        "<p class=\"legend\"><span><i class=\"rows\"></i>rows added and removed</span><span><i class=\"flips\"></i>labels \
         changed</span><span>{signed}</span><span>heights are logarithmic</span></p>\n",
    ));
    let head = ["Contributor", "Over time", "#Commits", "#Rows", "#Labels changed", "#Signed", "#Active"];
    page.table(("people", &head), people.iter(), (PEOPLE, "more contributor"), |person| row(person, axis, signs));
    page.end();
}

fn row(person: &Person<'_>, axis: Axis, signs: bool) -> String {
    let mut names = person.names.iter();
    let name = match names.next().map(|name| (name, name.rsplit_once(" <"))) {
        Some((_, Some((name, mail)))) => {
            format!("{}<small>{}</small>", data(name, 60), data(mail.strip_suffix('>').unwrap_or(mail), 80))
        }
        Some((name, None)) => data(name, 80),
        None => String::new(),
    };
    let also = match names.len() {
        0 => String::new(),
        n => format!("<small>and under {}</small>", count(n as u64, "other name")),
    };
    let days = |seconds: Option<i64>| seconds.map(day).unwrap_or_default();
    let times = || person.touches.iter().map(|touch| touch.seconds);
    let flips = match person.flipped {
        0 => String::new(),
        n => format!("<small>{}</small>", count(n, "flip")),
    };
    format!(
        "<tr><th scope=\"row\">{name}{also}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">+{}<small>−{}</small></td><td \
         class=\"n\">{}{flips}</td><td class=\"n\">{}<small>of {}</small></td><td \
         class=\"n\">{}<small>{}</small></td></tr>\n",
        strip(person, axis, signs),
        grouped(person.touches.len() as u64),
        grouped(person.added),
        grouped(person.removed),
        grouped(person.relabelled),
        grouped(person.signed as u64),
        grouped(person.touches.len() as u64),
        days(times().min()),
        days(times().max()),
    )
}

/// What happened within one bar.
#[derive(Default)]
struct Bar {
    commits: u64,
    unsigned: u64,
    rows: u64,
    labels: u64,
    first: i64,
}

fn strip(person: &Person<'_>, axis: Axis, signs: bool) -> String {
    let mut bars: BTreeMap<u64, Bar> = BTreeMap::new();
    for touch in &person.touches {
        let at = axis.at(touch.seconds, BARS - 1);
        let bar = bars.entry(at).or_insert_with(|| Bar { first: touch.seconds, ..Bar::default() });
        bar.commits += 1;
        bar.unsigned += u64::from(!touch.signed);
        bar.rows += touch.added + touch.removed;
        bar.labels += touch.relabelled;
        bar.first = bar.first.min(touch.seconds);
    }
    let (width, height) = (BARS * WIDTH, HIGH + LOW + 2);
    let mut out = format!(
        "<svg class=\"strip\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"rows and labels over time\">"
    );
    for (seconds, year) in axis.years() {
        let x = axis.at(seconds, width);
        out.push_str(&format!("<path class=\"year\" d=\"M{x} 0V{height}\"><title>{year}</title></path>"));
    }
    let middle = HIGH + 1;
    out.push_str(&format!("<path class=\"base\" d=\"M0 {middle}H{width}\"/>"));
    for (at, bar) in &bars {
        let x = at * WIDTH;
        let hollow = if signs && bar.unsigned > 0 { " hollow" } else { "" };
        let title = format!(
            "from {}: {}, {}, {} changed, {} not signed",
            day(bar.first),
            count(bar.commits, "commit"),
            count(bar.rows, "row"),
            count(bar.labels, "label"),
            grouped(bar.unsigned)
        );
        let up = tall(bar.rows, HIGH).max(2);
        let body = WIDTH - 1;
        out.push_str(&format!(
            "<g><title>{title}</title><rect class=\"rows{hollow}\" x=\"{x}\" y=\"{}\" width=\"{body}\" height=\"{up}\"/>",
            middle - up,
        ));
        if bar.labels > 0 {
            let down = tall(bar.labels, LOW).max(3);
            out.push_str(&format!(
                "<rect class=\"flips{hollow}\" x=\"{x}\" y=\"{}\" width=\"{body}\" height=\"{down}\"/>",
                middle + 1
            ));
        }
        out.push_str("</g>");
    }
    out.push_str("</svg>");
    out
}

/// A height by the number of binary digits: from a few rows to many thousands.
fn tall(n: u64, highest: u64) -> u64 {
    let digits = u64::from(u64::BITS - n.leading_zeros());
    (digits * highest / 12).min(highest)
}
