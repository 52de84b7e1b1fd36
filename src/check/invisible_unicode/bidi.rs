//! Direction controls: whether they are balanced, how deep they nest, and what a reader sees of a text that has them.

mod render;

use super::context::after;
pub(super) use render::logical_and_rendered;

/// A stretch of direction controls from the first opening to where all are closed again.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Region {
    /// First byte of the first control.
    pub(super) start: usize,
    /// Behind the first control, or the run of controls it begins.
    pub(super) run_end: usize,
    /// Behind the last control.
    pub(super) end: usize,
    /// The controls.
    pub(super) controls: Vec<char>,
    /// How many there are, with those that a cap left out of the list.
    pub(super) count: u64,
    /// The deepest nesting.
    pub(super) depth: usize,
    pub(super) overrides: bool,
    pub(super) embeddings: bool,
    pub(super) isolates: bool,
    /// Something opens and never closes, or closes and never opened.
    pub(super) unbalanced: bool,
    /// Something opens that is not the isolate from left to right of a name that is mentioned.
    pub(super) beyond_mentions: bool,
}

/// More controls than these are counted and not kept.
const KEPT: usize = 256;

impl Region {
    /// Whether everything that opens runs from left to right, as far as it was kept.
    pub(super) fn has_only_ltr(&self) -> bool {
        let ltr = |&c: &char| matches!(c, '\u{202A}' | '\u{202C}' | '\u{202D}' | '\u{2066}' | '\u{2069}');
        self.count as usize == self.controls.len() && self.controls.iter().all(ltr)
    }
}

fn is_explicit(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The regions of one paragraph.
pub(super) fn regions(text: &[u8], from: usize, to: usize) -> Vec<Region> {
    let mut all = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut isolates = 0_usize;
    let mut region = Region::default();
    let mut at = from;
    while let Some(skip) = memchr::memchr(0xE2, &text[at..to]) {
        let start = at + skip;
        let Some((c, end)) = after(text, start) else { break };
        at = end.min(to);
        if !is_explicit(c) {
            continue;
        }
        if region.count == 0 {
            region.start = start;
            region.run_end = end;
        } else if region.run_end == start {
            region.run_end = end;
        }
        region.end = end;
        region.count += 1;
        if region.controls.len() < KEPT {
            region.controls.push(c);
        }
        match c {
            '\u{202C}' => match open.last() {
                Some('\u{202A}' | '\u{202B}' | '\u{202D}' | '\u{202E}') => {
                    open.pop();
                }
                _ => region.unbalanced = true,
            },
            '\u{2069}' if isolates > 0 => {
                // What was embedded in the isolate and not closed ends with it.
                while let Some(c) = open.pop() {
                    if matches!(c, '\u{2066}'..='\u{2068}') {
                        break;
                    }
                    region.unbalanced = true;
                }
                isolates -= 1;
            }
            '\u{2069}' => region.unbalanced = true,
            _ => {
                isolates += usize::from(c >= '\u{2066}');
                region.beyond_mentions |= c != '\u{2066}' || text.get(end) != Some(&b'@');
                region.overrides |= matches!(c, '\u{202D}' | '\u{202E}');
                region.embeddings |= matches!(c, '\u{202A}' | '\u{202B}');
                region.isolates |= c >= '\u{2066}';
                open.push(c);
                region.depth = region.depth.max(open.len());
            }
        }
        if open.is_empty() {
            all.push(std::mem::take(&mut region));
        }
    }
    if region.count > 0 {
        region.unbalanced = true;
        all.push(region);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(text: &str) -> String {
        logical_and_rendered(text).1
    }

    fn only(text: &str) -> Region {
        let all = regions(text.as_bytes(), 0, text.len());
        assert_eq!(all.len(), 1);
        all.into_iter().next().expect("one region")
    }

    #[test]
    fn plain_text_is_rendered_as_it_stands() {
        assert_eq!(rendered("access granted (1, 2)"), "access granted (1, 2)");
        assert_eq!(rendered("abc \u{5D0}\u{5D1}\u{5D2} def"), "abc \u{5D2}\u{5D1}\u{5D0} def");
        assert_eq!(rendered("\u{5D0}\u{5D1} 12 \u{5D2}"), "\u{5D2} 12 \u{5D1}\u{5D0}");
    }

    #[test]
    fn an_override_turns_what_it_holds() {
        assert_eq!(rendered("a\u{202E}bcd\u{202C}e"), "adcbe");
        assert_eq!(rendered("a\u{202E}b(c\u{202C}"), "ac)b");
        assert_eq!(logical_and_rendered("a\u{202E}bcd\u{202C}e").0, "abcde");
    }

    #[test]
    fn the_swap_template_shows_the_second_part_first() {
        let swap = |a: &str, b: &str| {
            format!("\u{202D}\u{2066}\u{202E}\u{2066}{a}\u{2069}\u{2066}{b}\u{2069}\u{202C}\u{2069}\u{202C}")
        };
        assert_eq!(rendered(&swap("a", "b")), "ba");
        assert_eq!(rendered(&format!("x{}y", swap("first", "second"))), "xsecondfirsty");
        let region = only(&swap("a", "b"));
        assert_eq!((region.depth, region.unbalanced, region.count), (4, false, 10));
    }

    #[test]
    fn the_commented_out_code_of_trojan_source_is_seen_as_code() {
        let stored = "/*\u{202E} } \u{2066}if (isAdmin)\u{2069} \u{2066} begin admins only */";
        let seen = rendered(stored);
        assert!(seen.contains("if (isAdmin)"), "{seen}");
        assert!(only(stored).unbalanced);
    }

    #[test]
    fn balance_is_counted_by_kind() {
        assert!(!only("\u{2068}name\u{2069}").unbalanced);
        assert!(!only("\u{202B}x\u{202C}").unbalanced);
        assert!(only("\u{202B}x").unbalanced);
        assert!(only("x\u{202C}").unbalanced);
        assert!(only("x\u{2069}").unbalanced);
        // A pop of an embedding does not close an isolate, but the pop of an isolate closes what it held.
        assert!(only("\u{2066}x\u{202C}\u{2069}").unbalanced);
        assert!(only("\u{2066}\u{202B}x\u{2069}").unbalanced);
        assert_eq!(regions("\u{2068}a\u{2069} \u{2068}b\u{2069}".as_bytes(), 0, 14).len(), 2);
    }

    proptest! {
        #[test]
        fn rendering_keeps_every_visible_character(text in "[a-d\u{5D0}-\u{5D3}0-3 ,\u{202A}-\u{202E}\u{2066}-\u{2069}]{0,60}") {
            let (logical, rendered) = logical_and_rendered(&text);
            let sorted = |s: &str| { let mut v: Vec<char> = s.chars().collect(); v.sort_unstable(); v };
            prop_assert_eq!(sorted(&logical), sorted(&rendered));
        }

        #[test]
        fn no_text_panics(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = logical_and_rendered(&text);
            let _ = regions(&bytes, 0, bytes.len());
        }
    }
}
