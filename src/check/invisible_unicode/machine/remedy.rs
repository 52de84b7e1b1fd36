//! Which bytes of a text `foretaste fix` may cut: the same walk and the same context rules as the scan, but character by
//! character instead of cause by cause, and with an answer to "is it safe to take out" instead of "how bad is it".

use std::ops::Range;

use super::super::context::{self, after, before};
use super::super::prefilter::Hits;
use super::super::tables::{Class, class_of, wide_class_of};
use super::super::{bidi, controls, runs};
use super::{Level, Machine};

/// Something that can be taken out of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Remedy {
    /// Its bytes.
    pub(in super::super) range: Range<usize>,
    /// Whether no honest text loses anything by it. What is not safe is only cut on request.
    pub(in super::super) safe: bool,
    /// Whether a space takes its place.
    pub(in super::super) space: bool,
    pub(in super::super) characters: u64,
}

/// What is done about a part of a run.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Care {
    /// It stays: it is honest, or nobody can say what the text would be without it.
    Leave,
    OnRequest,
    Safe,
}

impl Machine {
    /// What can be cut out of a text, in order and apart from each other. See [`Machine::scan`] for `hits` and `base`.
    pub(in super::super) fn remedies(
        &mut self,
        text: &[u8],
        hits: &mut Hits<'_>,
        base: usize,
        at_file_start: bool,
    ) -> Vec<Remedy> {
        self.paragraph.reset();
        self.at_file_start = at_file_start;
        let mut out = Vec::new();
        let mut soft_hyphens = Vec::new();
        let mut bidi_to = 0;
        let mut at = 0;
        while let Some(hit) = hits.first_from(base + at).map(|hit| hit - base).filter(|&hit| hit < text.len()) {
            let Some((c, end)) = after(text, hit) else { break };
            at = end;
            let Some(class) = wide_class_of(c) else { continue };
            at = match class {
                _ if class.runs() => self.run_remedies(text, hit, &mut out, &mut soft_hyphens),
                Class::BidiOverride | Class::BidiEmbedding => {
                    if hit >= bidi_to {
                        bidi_to = self.direction_remedies(text, hit, &mut out);
                    }
                    end
                }
                _ => control_remedy(text, hit, c, end, &mut out),
            };
        }
        // Ordinary one by one, a channel where they are dense.
        let letters = || String::from_utf8_lossy(text).chars().filter(|&c| context::is_letter(c)).count();
        if soft_hyphens.len() >= 4 && soft_hyphens.len() * 4 >= letters() {
            out.extend(soft_hyphens.into_iter().map(|range| cut(range, false, 1)));
        }
        out.sort_by_key(|remedy| (remedy.range.start, remedy.range.end));
        // A control inside a terminal sequence goes with the sequence.
        let mut done = 0;
        out.retain(|remedy| {
            let apart = remedy.range.start >= done;
            done = done.max(remedy.range.end);
            apart
        });
        out
    }

    fn run_remedies(
        &mut self,
        text: &[u8],
        start: usize,
        out: &mut Vec<Remedy>,
        soft_hyphens: &mut Vec<Range<usize>>,
    ) -> usize {
        let mut run = Vec::new();
        let mut end = start;
        while let Some((c, next)) = after(text, end).filter(|&(c, _)| class_of(c).is_some_and(Class::runs)) {
            run.push((c, end));
            end = next;
        }
        let channel = self.channel(text, &run).is_some();
        let mut at = 0;
        while at < run.len() {
            let (len, verdict) = runs::judge(self, text, &run, at, end);
            let stop = run.get(at + len).map_or(end, |&(_, next)| next);
            let (first, mut from) = run[at];
            let mut care = care(verdict.class, verdict.level);
            if channel && care == Care::Leave && class_of(first).is_some_and(Class::carries_bits) {
                care = Care::OnRequest;
            }
            let mut characters = len as u64;
            if verdict.class == Class::SelectorRun
                && matches!(first, '\u{FE0E}' | '\u{FE0F}')
                && before(text, from).is_some_and(|(c, _)| context::takes_emoji_selector(c))
            {
                // The emoji in front has a selector of its own.
                from += first.len_utf8();
                characters -= 1;
            }
            match care {
                Care::Leave if verdict.class == Class::SoftHyphen => soft_hyphens.push(from..stop),
                Care::Leave => {}
                care => out.push(cut(from..stop, care == Care::Safe, characters)),
            }
            at += len;
        }
        end
    }

    /// Direction controls are only cut as whole regions: half of one would turn more text around than before.
    fn direction_remedies(&mut self, text: &[u8], at: usize, out: &mut Vec<Remedy>) -> usize {
        let groups = self.paragraph.groups(text, at);
        let range = self.paragraph.range(text, at);
        for region in bidi::regions(text, at, range.end) {
            if runs::direction_in(text, &range, &region, groups).level < Level::Low {
                continue;
            }
            let mut from = region.start;
            while let Some(skip) = memchr::memchr(0xE2, &text[from..region.end]) {
                let start = from + skip;
                let Some((c, end)) = after(text, start) else { break };
                if matches!(class_of(c), Some(Class::BidiOverride | Class::BidiEmbedding)) {
                    out.push(cut(start..end, false, 1));
                }
                from = end.min(region.end);
            }
        }
        range.end
    }
}

fn cut(range: Range<usize>, safe: bool, characters: u64) -> Remedy {
    Remedy { range, safe, space: false, characters }
}

fn care(class: Class, level: Level) -> Care {
    match class {
        Class::Tag | Class::UnassignedIgnorable | Class::HangulFiller | Class::NotationFormat
            if level == Level::Error =>
        {
            Care::Safe
        }
        Class::InvisibleOperator => Care::Safe,
        Class::SelectorRun if level >= Level::Low => Care::Safe,
        Class::ByteOrderMark if level >= Level::Info => Care::Safe,
        Class::ZeroWidthSpace | Class::Joiner | Class::BidiMark | Class::GraphemeJoiner | Class::LoneSelector
            if level >= Level::Low =>
        {
            Care::OnRequest
        }
        Class::SoftHyphen if level >= Level::Info => Care::OnRequest,
        _ => Care::Leave,
    }
}

/// What does not stand in runs; returns the offset behind what was looked at.
fn control_remedy(text: &[u8], at: usize, c: char, end: usize, out: &mut Vec<Remedy>) -> usize {
    let next = text.get(end).copied();
    let to = match (wide_class_of(c), c) {
        (Some(Class::Control), '\u{1B}') => {
            let sequence = match next {
                Some(b'[') => controls::control_sequence(text, end + 1),
                Some(b']') => controls::string_sequence(text, end + 1),
                _ => None,
            };
            // Of anything shorter only the escape goes: what follows may as well be a letter of the text.
            sequence.unwrap_or(end)
        }
        // Blanks of a kind, and line ends for some readers: without them words would run together.
        (Some(Class::Control), '\u{B}' | '\u{C}' | '\r') => return end,
        (Some(Class::Control | Class::ErasingControl | Class::Noncharacter), _) => end,
        (Some(Class::C1Control), _) => {
            let mojibake = before(text, at).is_some_and(|(c, _)| matches!(c as u32, 0x80..=0xFF));
            let sequence = match c {
                '\u{9B}' if !mojibake => controls::control_sequence(text, end),
                '\u{9D}' if !mojibake => controls::string_sequence(text, end),
                _ => None,
            };
            match sequence {
                Some(to) => to,
                None => return end,
            }
        }
        (Some(Class::OddSpace), '\u{A0}') => {
            out.push(Remedy { space: true, ..cut(at..end, false, 1) });
            return end;
        }
        _ => return end,
    };
    out.push(cut(at..to, true, 1));
    to
}

#[cfg(test)]
mod tests {
    use super::super::super::machine::Modes;
    use super::super::super::prefilter::Prefilter;
    use super::*;

    /// The text with what is safe cut, and with everything cut that can be.
    fn cured(text: &str) -> (String, String) {
        let mut machine = Machine::new(Modes::default());
        let filter = Prefilter { escapes: false, wide: true };
        let remedies = machine.remedies(text.as_bytes(), &mut filter.hits(text.as_bytes()), 0, false);
        let with = |wanted: &dyn Fn(&Remedy) -> bool| {
            let mut out = String::new();
            let mut at = 0;
            for remedy in remedies.iter().filter(|remedy| wanted(remedy)) {
                out.push_str(&text[at..remedy.range.start]);
                out.push_str(if remedy.space { " " } else { "" });
                at = remedy.range.end;
            }
            out + &text[at..]
        };
        (with(&|remedy| remedy.safe), with(&|_| true))
    }

    fn safe(text: &str) -> String {
        cured(text).0
    }

    fn bold(text: &str) -> String {
        let (safe, bold) = cured(text);
        assert_eq!(safe, text, "nothing of this is safe to cut unasked");
        bold
    }

    #[test]
    fn what_no_honest_text_has_is_safe_to_cut() {
        assert_eq!(safe("he\u{E0048}\u{E0069}llo"), "hello");
        assert_eq!(safe("ok\u{FE01}\u{E0138}\u{E0159}"), "ok");
        assert_eq!(safe("a\u{2062}b\u{2064}"), "ab");
        assert_eq!(safe("a\u{2065}b\u{FFF0}c\u{E0FFF}"), "abc");
        assert_eq!(safe("x\u{3164}y\u{115F}"), "xy");
        assert_eq!(safe("x\u{1D173}y"), "xy");
        assert_eq!(safe("x\u{FDD0}y\u{1FFFF}"), "xy");
        assert_eq!(safe("a\u{FEFF}b"), "ab");
        assert_eq!(safe("ab\u{8}c\u{7F}"), "abc");
        assert_eq!(safe("a\0b\u{1}c"), "abc");
    }

    #[test]
    fn a_terminal_sequence_goes_as_a_whole_and_leaves_the_text_around() {
        assert_eq!(safe("a\u{1B}[8mhidden\u{1B}[0mb"), "ahiddenb");
        assert_eq!(safe("a\u{1B}]8;;https://example.org\u{7}link\u{1B}]8;;\u{7}b"), "alinkb");
        assert_eq!(safe("a\u{9B}8mb"), "ab");
        // Not a sequence: no letter is lost.
        assert_eq!(safe("a\u{1B}Hello"), "aHello");
    }

    #[test]
    fn what_may_be_honest_is_cut_on_request_only() {
        assert_eq!(bold("pay\u{200B}pal"), "paypal");
        assert_eq!(bold("pay\u{200D}pal \u{200C}x"), "paypal x");
        assert_eq!(bold("a\u{AD}b"), "ab");
        assert_eq!(bold("user\u{202E} \u{2066}x\u{2069}"), "user x");
        assert_eq!(bold("a\u{34F}b"), "ab");
        assert_eq!(bold("a\u{A0}b"), "a b");
        assert_eq!(bold("a\u{FE0F}b"), "ab");
        assert_eq!(bold("x\u{200E}y"), "xy");
    }

    #[test]
    fn what_a_script_or_an_emoji_needs_stays() {
        let honest = [
            "من نمی\u{200C}خواهم",
            "ශ\u{0DCA}\u{200D}රී",
            "\u{1F469}\u{200D}\u{1F4BB} \u{2764}\u{FE0F}",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "\u{1100}\u{1160}",
            "ភាសា\u{200B}ខ្មែរ",
            "葛\u{E0100}",
            "a\u{C}b\u{B}c",
            "\u{2068}name\u{2069}",
        ];
        for text in honest {
            assert_eq!(cured(text), (text.to_owned(), text.to_owned()));
        }
        // Annotation hides text; what it hides is for a person to judge.
        assert_eq!(cured("a\u{FFF9}b\u{FFFA}c\u{FFFB}").1, "a\u{FFF9}b\u{FFFA}c\u{FFFB}");
    }

    #[test]
    fn an_emoji_keeps_its_own_selector_before_a_payload() {
        assert_eq!(safe("\u{2764}\u{FE0F}\u{E0138}\u{E0159}"), "\u{2764}\u{FE0F}");
        assert_eq!(safe("\u{1F60A}\u{E0138}\u{E0159}"), "\u{1F60A}");
    }

    #[test]
    fn dense_soft_hyphens_are_a_channel_and_rare_ones_orthography() {
        let word = "hyphen\u{AD}ation and more letters of honest text";
        assert_eq!(cured(word).1, word);
        assert_eq!(bold("ab\u{AD}cde\u{AD}fgh\u{AD}ijk\u{AD}lm"), "abcdefghijklm");
    }
}
