//! A page under way, and the only way for text to get into it.

use std::fmt::Write;

use crate::report::escape::{Drawn, Unit, draw, units};
use crate::report::excerpt::Excerpt;
use crate::report::words::count;

/// Lists stop where a page has grown to this size; no browser likes more.
const MAX_BYTES: usize = 8 << 20;

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Puts markup down.
    pub(super) fn put(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Puts down at most `cap` of the items, and gives how many there was no room for.
    pub(super) fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        cap: usize,
        mut item: impl FnMut(T) -> String,
    ) -> u64 {
        let total = items.len();
        let mut shown = 0;
        for one in items.take(cap) {
            let markup = item(one);
            if self.0.len() + markup.len() > MAX_BYTES {
                break;
            }
            self.0.push_str(&markup);
            shown += 1;
        }
        (total - shown) as u64
    }

    /// A table in a frame that scrolls by itself. `head` are the cells of its head; rows that have no room are counted
    /// below it.
    pub(super) fn table<T>(
        &mut self,
        (class, head): (&str, &[&str]),
        rows: impl ExactSizeIterator<Item = T>,
        (cap, noun): (usize, &str),
        row: impl FnMut(T) -> String,
    ) {
        self.put(&format!("<div class=\"scroll\" tabindex=\"0\"><table class=\"{class}\"><thead><tr>"));
        for cell in head {
            let class = if cell.starts_with('#') { " class=\"n\"" } else { "" };
            self.put(&format!("<th scope=\"col\"{class}>{}</th>", cell.trim_start_matches('#')));
        }
        self.put("</tr></thead><tbody>\n");
        let more = self.list(rows, cap, row);
        self.put("</tbody></table></div>\n");
        self.more(more, noun);
    }

    /// Says that there is more, where there is.
    pub(super) fn more(&mut self, more: u64, noun: &str) {
        if more > 0 {
            self.put(&format!("<p class=\"more\">and {}; the JSON report has them all</p>\n", count(more, noun)));
        }
    }

    /// Opens a section with a heading.
    pub(super) fn section(&mut self, id: &str, title: &str) {
        self.put(&format!("<section id=\"{id}\">\n<h2>{title}</h2>\n"));
    }

    /// Closes a section.
    pub(super) fn end(&mut self) {
        self.put("</section>\n");
    }
}

/// Text of the data: what is hidden stands out, and nothing of ours looks like it. Cut at `cap` code points.
pub(super) fn data<T: AsRef<[u8]> + ?Sized>(text: &T, cap: usize) -> String {
    let (drawn, cut) = drawn(text.as_ref(), cap, true);
    format!("<bdi>{}{}</bdi>", marked(&drawn, None), if cut { "…" } else { "" })
}

/// A sentence of ours, which may quote the data.
pub(super) fn sentence<T: AsRef<[u8]> + ?Sized>(text: &T, cap: usize) -> String {
    let (drawn, cut) = drawn(text.as_ref(), cap, false);
    format!("{}{}", marked(&drawn, None), if cut { "…" } else { "" })
}

/// The value of an attribute.
pub(super) fn attribute<T: AsRef<[u8]> + ?Sized>(text: &T, cap: usize) -> String {
    let (drawn, cut) = drawn(text.as_ref(), cap, false);
    let mut out = String::new();
    escape(&drawn.text, &mut out);
    if cut {
        out.push('…');
    }
    out
}

/// An excerpt, with what is meant marked.
pub(super) fn excerpt(excerpt: &Excerpt) -> String {
    let drawn = Drawn { text: excerpt.text.clone(), hidden: excerpt.hidden.clone(), starts: Vec::new() };
    format!("<bdi>{}</bdi>", marked(&drawn, Some(&excerpt.focus)))
}

/// Two versions of a text, each with the part marked that the other has not.
pub(super) fn both(before: &str, after: &str, cap: usize) -> (String, String) {
    let ((before, cut_before), (after, cut_after)) =
        (drawn(before.as_bytes(), cap, true), drawn(after.as_bytes(), cap, true));
    let same = |a: char, b: char| a == b;
    let start: usize =
        before.text.chars().zip(after.text.chars()).take_while(|&(a, b)| same(a, b)).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (&before.text[start..], &after.text[start..]);
    let end: usize =
        a.chars().rev().zip(b.chars().rev()).take_while(|&(a, b)| same(a, b)).map(|(a, _)| a.len_utf8()).sum();
    let one = |drawn: &Drawn, cut: bool| {
        let focus = start..drawn.text.len() - end;
        format!("<bdi>{}{}</bdi>", marked(drawn, Some(&focus)), if cut { "…" } else { "" })
    };
    (one(&before, cut_before), one(&after, cut_after))
}

fn drawn(bytes: &[u8], cap: usize, exact: bool) -> (Drawn, bool) {
    let mut units: Vec<Unit> = units(bytes).take(cap + 1).collect();
    let cut = units.len() > cap;
    units.truncate(cap);
    (draw(&units, exact), cut)
}

/// Escapes a drawn text; hidden characters and what is meant are wrapped.
fn marked(drawn: &Drawn, focus: Option<&std::ops::Range<usize>>) -> String {
    let mut cuts: Vec<usize> = drawn.hidden.iter().flat_map(|range| [range.start, range.end]).collect();
    cuts.extend(focus.iter().flat_map(|range| [range.start, range.end]));
    cuts.extend([0, drawn.text.len()]);
    cuts.retain(|&at| at <= drawn.text.len() && drawn.text.is_char_boundary(at));
    cuts.sort_unstable();
    cuts.dedup();
    let mut out = String::with_capacity(drawn.text.len() + 32);
    for pair in cuts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let hidden = drawn.hidden.iter().any(|range| range.start <= start && end <= range.end);
        let meant = focus.is_some_and(|range| range.start <= start && end <= range.end);
        let class = match (hidden, meant) {
            (true, _) => "u",
            (_, true) => "m",
            _ => "",
        };
        if class.is_empty() {
            escape(&drawn.text[start..end], &mut out);
        } else {
            let _ = write!(out, "<span class=\"{class}\">");
            escape(&drawn.text[start..end], &mut out);
            out.push_str("</span>");
        }
    }
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// A class, as a label.
pub(super) fn class(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("<span class=\"label\">{}</span>", data(name, 80)),
        None => "<span class=\"label none\">no label</span>".to_owned(),
    }
}

/// `12.3 %` of a whole.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::escape::is_hidden;
    use crate::report::escape::tests::nasty;

    #[test]
    fn markup_is_text_and_what_is_hidden_stands_out() {
        assert_eq!(
            data("<b onclick='x'>\u{202E}&", 80),
            "<bdi>&lt;b onclick=&#39;x&#39;&gt;<span class=\"u\">&lt;U+202E&gt;</span>&amp;</bdi>"
        );
        assert_eq!(data("abc", 2), "<bdi>ab…</bdi>");
        assert_eq!(attribute("a\" onload=\"b\0", 80), "a&quot; onload=&quot;b&lt;U+0000&gt;");
    }

    #[test]
    fn what_differs_is_marked_in_both_versions() {
        let (before, after) = both("please cancel it", "please can\u{200B}cel it", 80);
        assert_eq!(before, "<bdi>please cancel it</bdi>");
        assert_eq!(after, "<bdi>please can<span class=\"u\">&lt;U+200B&gt;</span>cel it</bdi>");
        let (before, after) = both("send it", "sell it", 80);
        assert!(before.contains("<span class=\"m\">nd</span>") && after.contains("<span class=\"m\">ll</span>"));
    }

    proptest! {
        #[test]
        fn no_data_becomes_markup(text in nasty(), other in nasty()) {
            let (a, b) = both(&String::from_utf8_lossy(&text), &String::from_utf8_lossy(&other), 60);
            for html in [data(&text, 60), sentence(&text, 60), a, b] {
                let own = html.replace("<bdi>", "").replace("</bdi>", "").replace("<span class=\"u\">", "")
                    .replace("<span class=\"m\">", "").replace("</span>", "");
                prop_assert!(!own.contains(['<', '>', '"', '\'']), "{own:?}");
                prop_assert!(!html.contains(is_hidden), "{html:?}");
            }
            prop_assert!(!attribute(&text, 60).contains(['<', '>', '"', '\'']));
        }
    }
}
