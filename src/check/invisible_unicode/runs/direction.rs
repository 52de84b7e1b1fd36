//! Marks and controls of direction.

use std::ops::Range;

use super::super::bidi::Region;
use super::super::context::{Groups, after, before};
use super::super::machine::{Level, Machine, Verdict};
use super::super::tables::Class;
use super::edges::{Near, beside_figures};

pub(super) fn mark(machine: &mut Machine, text: &[u8], c: char, near: Near) -> Verdict {
    let class = Class::BidiMark;
    if machine.paragraph.groups(text, near.start).has(Groups::RTL) {
        return Verdict::silent(class);
    }
    // At the edge of a word, names that are copied from pages keep the mark that changes nothing there. Where words are
    // not parted, every letter is at an edge.
    let unspaced = |c: char| machine.paragraph.lenient(c).has(Groups::UNSPACED);
    let inside = match (near.prev, near.next) {
        (Some(a), Some(b)) if unspaced(a) && unspaced(b) => false,
        (Some(a), Some(b)) => a.is_alphanumeric() && b.is_alphanumeric() && a.is_ascii() == b.is_ascii(),
        _ => false,
    };
    if beside_figures(text, near) || c == '\u{200E}' && !inside {
        return Verdict::new(class, Level::Low, "direction-mark-without-rtl");
    }
    near.slip(machine, text, class, "direction-mark-without-rtl")
}

/// Judges a region of direction controls of the paragraph `line`, which is written in scripts of these families.
pub(in super::super) fn direction_in(text: &[u8], line: &Range<usize>, region: &Region, groups: Groups) -> Verdict {
    let verdict = direction(region, groups.has(Groups::RTL));
    if verdict.level <= Level::Low {
        return verdict;
    }
    let low = Verdict::new(verdict.class, Level::Low, verdict.finding);
    let reach = &text[region.start..if region.unbalanced { line.end } else { region.end }];
    // What turns nothing but signs around moves nothing that is read, and what runs from left to right anyway moves no
    // figures.
    let figures = !region.unbalanced && region.has_only_ltr();
    if region.depth == 1 && !holds(reach, if figures { char::is_alphabetic } else { char::is_alphanumeric }) {
        return low;
    }
    if region.overrides || region.isolates {
        return verdict;
    }
    let is_word = |side: Option<(char, usize)>| side.is_some_and(|(c, _)| c.is_alphanumeric());
    let inside = is_word(before(text, region.start)) && is_word(after(text, region.run_end));
    match region.has_only_ltr() && !inside {
        // It moves nothing where nothing runs from right to left.
        true if groups.has(Groups::ALL) => low,
        true => verdict.slips_among(Groups::ALL),
        // Writers from right to left begin lines with it and never close it, be there letters of theirs or not.
        false => verdict.slips_among(Groups::RTL),
    }
}

/// Whether there is a character of a kind in a text. A long one is not looked through, since there can be many of them.
fn holds(text: &[u8], is: impl Fn(char) -> bool) -> bool {
    const LONG: usize = 1024;
    text.len() > LONG || String::from_utf8_lossy(text).chars().any(is)
}

/// Direction controls: overrides, embeddings and isolates, with the direction of their paragraph.
fn direction(region: &Region, rtl: bool) -> Verdict {
    let swap = region.depth >= 3;
    if region.overrides {
        let class = Class::BidiOverride;
        return match (rtl, region.unbalanced, swap && region.isolates) {
            (_, _, true) => Verdict::new(class, Level::Error, "nested-direction-controls"),
            (true, false, _) => Verdict::new(class, Level::Low, "override-in-rtl"),
            (true, true, _) => Verdict::new(class, Level::Warn, "unbalanced-override"),
            (false, ..) => Verdict::new(class, Level::Error, "override-without-rtl"),
        };
    }
    let class = Class::BidiEmbedding;
    if region.isolates {
        return match (region.depth, region.unbalanced, rtl) {
            // Apps wrap names that are mentioned, and whoever cuts them forgets to close.
            (2.., ..) if !region.beyond_mentions => Verdict::new(class, Level::Low, "nested-isolate"),
            (3.., ..) => Verdict::new(class, Level::Error, "nested-direction-controls"),
            // Apps wrap names that are mentioned, and whoever takes the names out leaves half of it.
            (_, true, false) if !region.beyond_mentions => Verdict::new(class, Level::Low, "unbalanced-isolate"),
            (_, true, false) => Verdict::new(class, Level::Error, "unbalanced-isolate"),
            (_, true, true) => Verdict::new(class, Level::Low, "unbalanced-isolate"),
            (2, ..) => Verdict::new(class, Level::Low, "nested-isolate"),
            _ => Verdict::silent(class),
        };
    }
    match (region.unbalanced, rtl) {
        (false, true) => Verdict::silent(class),
        (true, true) => Verdict::new(class, Level::Low, "unbalanced-embedding"),
        (false, false) if swap => Verdict::new(class, Level::Error, "nested-direction-controls"),
        (false, false) => Verdict::new(class, Level::Low, "embedding-without-rtl"),
        (true, false) => Verdict::new(class, Level::Error, "unbalanced-embedding"),
    }
}
