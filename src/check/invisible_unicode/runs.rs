//! The context rules for hidden characters that can stand in runs, and for direction controls.

use icu_properties::props::{JoiningType, Script};

mod direction;
mod edges;

use super::context::{self, Groups, after, before};
use super::machine::{Level, Machine, Verdict};
use super::tables::{Class, class_of, is_selector};
pub(super) use direction::direction_in;
use edges::Near;

/// Judges the part of a run that begins at its `at`-th character: how many characters the part has, and the verdict.
pub(super) fn judge(
    machine: &mut Machine,
    text: &[u8],
    run: &[(char, usize)],
    at: usize,
    end: usize,
) -> (usize, Verdict) {
    let (c, start) = run[at];
    let behind = run.get(at + 1).map_or(end, |&(_, next)| next);
    let near = Near {
        prev: before(text, start).map(|(c, _)| c),
        next: after(text, behind).map(|(c, _)| c),
        start,
        end: behind,
    };
    let class = class_of(c).unwrap_or(Class::UnassignedIgnorable);
    let verdict = match class {
        Class::Tag | Class::UnassignedIgnorable => return tags(text, run, at),
        Class::LoneSelector | Class::SelectorRun => return selectors(text, run, at),
        Class::Joiner if c == '\u{200C}' => non_joiner(machine, text, near),
        Class::Joiner => joiner(machine, text, near),
        Class::ZeroWidthSpace => zero_width_space(machine, text, near),
        Class::BidiMark => direction::mark(machine, text, c, near),
        Class::ByteOrderMark => byte_order_mark(machine, text, near),
        Class::HangulFiller => hangul_filler(machine, text, c, near),
        Class::SoftHyphen => soft_hyphen(text, near),
        Class::GraphemeJoiner if near.any(context::is_mark) => Verdict::silent(class),
        Class::GraphemeJoiner => Verdict::new(class, Level::Warn, "grapheme-joiner"),
        Class::MongolianFormat if near.any(|c| context::is_in(c, Script::Mongolian)) => Verdict::silent(class),
        Class::MongolianFormat => Verdict::new(class, Level::Warn, "mongolian-format"),
        Class::KhmerVowel if near.prev.is_some_and(|c| context::is_in(c, Script::Khmer)) => {
            Verdict::new(class, Level::Low, "khmer-inherent-vowel")
        }
        Class::KhmerVowel => Verdict::new(class, Level::Warn, "khmer-inherent-vowel"),
        Class::InvisibleOperator if is_from_keyboard(machine, text, run) => {
            Verdict::new(class, Level::Low, "invisible-operator")
        }
        Class::InvisibleOperator => Verdict::new(class, Level::Error, "invisible-operator"),
        Class::NotationFormat if near.any(|n| same_notation(c, n)) => Verdict::silent(class),
        Class::NotationFormat => Verdict::new(class, Level::Error, "notation-format"),
        Class::DeprecatedFormat => Verdict::new(class, Level::Warn, "deprecated-format"),
        _ => word_joiner(machine, text, near),
    };
    (1, verdict)
}

/// The short way through the rules for what is all but always orthography: a joiner or a break right behind a letter of
/// a script that needs it, a selector behind an emoji, with nothing hidden after it.
pub(super) fn is_plainly_honest(machine: &Machine, text: &[u8], c: char, start: usize, end: usize) -> bool {
    if !matches!(c, '\u{200B}'..='\u{200D}' | '\u{FE0F}') {
        return false;
    }
    let Some((prev, _)) = before(text, start) else { return false };
    let own = match c {
        '\u{200B}' => Groups::UNSPACED,
        // Behind a letter, a joiner is none of an emoji.
        '\u{200D}' if prev >= '\u{2000}' => Groups::NONE,
        _ => Groups::JOIN | Groups::INDIC,
    };
    let honest = match c {
        '\u{FE0F}' => context::takes_emoji_selector(prev),
        _ => {
            let found = machine.paragraph.lenient(prev);
            // A non-joiner looks through the marks of a cursive letter.
            let mark =
                || c == '\u{200C}' && !found.has(Groups::INDIC) && context::joining(prev) == JoiningType::Transparent;
            found.has(own) && !mark()
        }
    };
    honest && after(text, end).is_none_or(|(next, _)| class_of(next).is_none())
}

/// The nearest character on a side that joining does not look through. Bounded, since marks can be piled up.
fn joins_before(text: &[u8], mut at: usize) -> Option<char> {
    for _ in 0..32 {
        let (c, next) = before(text, at)?;
        if context::joining(c) != JoiningType::Transparent {
            return Some(c);
        }
        at = next;
    }
    None
}

fn joins_after(text: &[u8], mut at: usize) -> Option<char> {
    for _ in 0..32 {
        let (c, next) = after(text, at)?;
        if context::joining(c) != JoiningType::Transparent {
            return Some(c);
        }
        at = next;
    }
    None
}

fn non_joiner(machine: &mut Machine, text: &[u8], near: Near) -> Verdict {
    let class = Class::Joiner;
    let silent = Verdict::silent(class);
    if machine.paragraph.allows(Groups::INDIC) && near.prev.is_some_and(context::is_virama) {
        return silent;
    }
    let a = joins_before(text, near.start);
    let b = joins_after(text, near.end);
    let from = |c: char| matches!(context::joining(c), JoiningType::LeftJoining | JoiningType::DualJoining);
    let to = |c: char| matches!(context::joining(c), JoiningType::RightJoining | JoiningType::DualJoining);
    if machine.paragraph.allows(Groups::JOIN) && a.is_some_and(from) && b.is_some_and(to) {
        return silent;
    }
    let line = machine.paragraph.groups(text, near.start);
    if near.any(|c| c == '\u{200C}') {
        let honest = line.has(Groups::JOIN | Groups::INDIC | Groups::RTL);
        return if honest {
            Verdict::new(class, Level::Low, "double-joiner")
        } else {
            near.slip(machine, text, class, "double-joiner")
        };
    }
    let paragraph = &machine.paragraph;
    if [a, b].iter().flatten().any(|&c| paragraph.lenient(c).has(Groups::JOIN))
        || near.any(|c| paragraph.lenient(c).has(Groups::INDIC))
        || line.has(Groups::RTL)
    {
        return silent;
    }
    // Translators leave it beside spaces and signs; inside a Latin word it is none of their letters.
    let inside =
        near.prev.is_some_and(|c| c.is_ascii_alphabetic()) && near.next.is_some_and(|c| c.is_ascii_alphabetic());
    if line.has(Groups::JOIN | Groups::INDIC) && !inside {
        return Verdict::new(class, Level::Low, "unexplained-joiner");
    }
    near.slip(machine, text, class, "unexplained-joiner")
}

fn joiner(machine: &mut Machine, text: &[u8], near: Near) -> Verdict {
    let class = Class::Joiner;
    if let Some(base) = emoji_base(text, near.start) {
        let joinable = |c| context::is_pictographic(c) || context::is_emoji_modifier(c);
        if near.next.is_some_and(joinable) {
            return Verdict::silent(class);
        }
        if context::is_pictographic(base) || context::is_regional(base) {
            return Verdict::new(class, Level::Low, "dangling-emoji-joiner");
        }
    }
    // Whoever takes emoji out of a text leaves the second half of some.
    if near.next.is_some_and(|c| context::is_pictographic(c) || context::is_emoji_modifier(c))
        && !near.prev.is_some_and(char::is_alphanumeric)
    {
        return Verdict::new(class, Level::Low, "dangling-emoji-joiner");
    }
    let paragraph = &machine.paragraph;
    if paragraph.allows(Groups::INDIC) && near.any(context::is_virama)
        || near.any(|c| paragraph.lenient(c).has(Groups::JOIN))
        || near.prev.is_some_and(|c| paragraph.lenient(c).has(Groups::INDIC))
    {
        return Verdict::silent(class);
    }
    let line = machine.paragraph.groups(text, near.start);
    // It keeps a point of Hebrew apart from the letter before it.
    if line.has(Groups::RTL) && near.prev.is_some_and(|c| !c.is_ascii()) && near.next.is_some_and(context::is_mark) {
        return Verdict::silent(class);
    }
    if line.has(Groups::JOIN | Groups::INDIC) {
        return Verdict::new(class, Level::Low, "unexplained-joiner");
    }
    near.slip(machine, text, class, "unexplained-joiner")
}

/// The emoji that a joiner stands behind, seen through its selector, skin tone and keycap.
fn emoji_base(text: &[u8], mut at: usize) -> Option<char> {
    loop {
        let (c, next) = before(text, at)?;
        if c == '\u{FE0F}' || c == '\u{20E3}' || context::is_emoji_modifier(c) {
            at = next;
            continue;
        }
        let tag = matches!(c as u32, 0xE0020..=0xE007F);
        return (tag || context::is_pictographic(c) || context::is_regional(c)).then_some(c);
    }
}

fn zero_width_space(machine: &mut Machine, text: &[u8], near: Near) -> Verdict {
    let class = Class::ZeroWidthSpace;
    let unspaced = |machine: &Machine, c| machine.paragraph.lenient(c).has(Groups::UNSPACED);
    let double = near.any(|c| c == '\u{200B}');
    if !double && near.any(|c| unspaced(machine, c)) || machine.paragraph.groups(text, near.start).has(Groups::UNSPACED)
    {
        return Verdict::silent(class);
    }
    let finding = if double { "double-zero-width-space" } else { "unexplained-zero-width-space" };
    // Writers of India part long words and compounds with it, as others do with a hyphen.
    let parts = near.beyond(text, |c| matches!(c, '\u{200B}'..='\u{200D}')).is_some_and(|sides| {
        sides.map(|c| machine.paragraph.lenient(c)).iter().all(|groups| groups.has(Groups::INDIC))
    });
    if parts || near.is_between_spaces() || near.is_beside_tag(text) {
        return Verdict::new(class, Level::Low, finding);
    }
    near.slip(machine, text, class, finding)
}

fn word_joiner(machine: &mut Machine, text: &[u8], near: Near) -> Verdict {
    let class = Class::WordJoiner;
    let unspaced = |c: Option<char>| c.is_some_and(|c| machine.paragraph.lenient(c).has(Groups::UNSPACED));
    if unspaced(near.prev) && unspaced(near.next) {
        // It keeps a number or a word on one line where lines break anywhere.
        return Verdict::new(class, Level::Low, "word-joiner");
    }
    near.slip(machine, text, class, "word-joiner")
}

/// Keyboards for Sinhala leave separators between and beside its words. A few of one kind carry nothing.
fn is_from_keyboard(machine: &mut Machine, text: &[u8], run: &[(char, usize)]) -> bool {
    const MOST: usize = 3;
    if run.len() > MOST || run.iter().any(|&(c, _)| c != '\u{2063}') {
        return false;
    }
    let latin = |side: Option<(char, usize)>| side.is_some_and(|(c, _)| c.is_ascii_alphanumeric());
    let (start, end) = (run[0].1, run[run.len() - 1].1 + '\u{2063}'.len_utf8());
    let inside = latin(before(text, start)) && latin(after(text, end));
    !inside && machine.paragraph.groups(text, start).has(Groups::INDIC)
}

fn byte_order_mark(machine: &mut Machine, text: &[u8], near: Near) -> Verdict {
    const RUN: usize = 8;
    let class = Class::ByteOrderMark;
    if near.start == 0 && machine.at_file_start {
        return Verdict::silent(class);
    }
    let mut start = near.start;
    for _ in 0..RUN {
        match before(text, start) {
            Some(('\u{FEFF}', next)) => start = next,
            _ => break,
        }
    }
    if before(text, start).is_none_or(|(c, _)| matches!(c, '\n' | '\r')) {
        return Verdict::new(class, Level::Info, "byte-order-mark-at-start");
    }
    // It once was the way to keep words together, and is so still in scripts that break lines by rules of their own.
    let line = machine.paragraph.groups(text, near.start);
    let inside = near.any(|c| c.is_ascii_alphabetic());
    if line.has(Groups::JOIN | Groups::INDIC | Groups::UNSPACED) && !inside {
        return Verdict::new(class, Level::Low, "byte-order-mark-inside");
    }
    near.slip(machine, text, class, "byte-order-mark-inside")
}

fn hangul_filler(machine: &mut Machine, text: &[u8], c: char, near: Near) -> Verdict {
    let class = Class::HangulFiller;
    let filler = |c| matches!(c, '\u{115F}' | '\u{1160}');
    let jamo = |c: char| matches!(c as u32, 0x1100..=0x115E | 0x1161..=0x11FF | 0xA960..=0xA97C | 0xD7B0..=0xD7FB);
    let honest = match c {
        '\u{3164}' => in_compose_form(text, near),
        '\u{FFA0}' => near.any(|c| matches!(c, '\u{FFA1}'..='\u{FFDC}')),
        // A syllable of a final consonant alone begins with both fillers.
        _ => {
            let beyond = || match near.next {
                Some(n) if filler(n) => after(text, near.end + 3).map(|(c, _)| c),
                _ => None,
            };
            let behind = || match near.prev {
                Some(p) if filler(p) => near.start.checked_sub(3).and_then(|at| before(text, at)).map(|(c, _)| c),
                _ => None,
            };
            near.any(jamo) || beyond().is_some_and(jamo) || behind().is_some_and(jamo)
        }
    };
    if honest {
        return Verdict::silent(class);
    }
    // Applications that take spaces away make people pad lines with it.
    let padding = near.is_at_edge(text) && machine.paragraph.groups(text, near.start).has(Groups::RTL);
    Verdict::new(class, if padding { Level::Low } else { Level::Error }, "hangul-filler")
}

/// The filler as head of the four-character form in which KS X 1001 composes a syllable, or as its empty last part.
fn in_compose_form(text: &[u8], near: Near) -> bool {
    let jamo = |c: char| matches!(c, '\u{3131}'..='\u{3163}' | '\u{3165}'..='\u{318E}');
    let ahead = || {
        let (first, at) = after(text, near.end)?;
        let (second, at) = after(text, at)?;
        let (third, _) = after(text, at)?;
        Some(jamo(first) && jamo(second) && (jamo(third) || third == '\u{3164}'))
    };
    let behind = || {
        let (second, at) = before(text, near.start)?;
        let (first, at) = before(text, at)?;
        let (head, _) = before(text, at)?;
        Some(jamo(first) && jamo(second) && head == '\u{3164}')
    };
    ahead() == Some(true) || behind() == Some(true)
}

fn soft_hyphen(text: &[u8], near: Near) -> Verdict {
    let class = Class::SoftHyphen;
    let letter = |c: Option<char>| c.is_some_and(context::is_letter);
    if letter(near.prev) && letter(near.next) && word_letters(text, near) >= 5 {
        return Verdict::silent(class);
    }
    Verdict::new(class, Level::Info, "soft-hyphen")
}

/// Letters of the word around, counted up to five; other soft hyphens of it are looked through.
fn word_letters(text: &[u8], near: Near) -> usize {
    const ENOUGH: usize = 5;
    let mut letters = 0;
    let mut at = near.start;
    for _ in 0..2 * ENOUGH {
        match before(text, at) {
            Some((c, next)) if context::is_letter(c) || c == '\u{AD}' || context::is_mark(c) => {
                letters += usize::from(context::is_letter(c));
                at = next;
            }
            _ => break,
        }
    }
    let mut at = near.end;
    for _ in 0..2 * ENOUGH {
        match after(text, at) {
            Some((c, next)) if context::is_letter(c) || c == '\u{AD}' || context::is_mark(c) => {
                letters += usize::from(context::is_letter(c));
                at = next;
            }
            _ => break,
        }
    }
    letters
}

fn same_notation(c: char, near: char) -> bool {
    let music = |c: char| matches!(c as u32, 0x1D100..=0x1D172 | 0x1D17B..=0x1D1FF);
    if c as u32 >= 0x1D000 { music(near) } else { context::is_in(near, Script::Duployan) && class_of(near).is_none() }
}

/// Tags and what lax encoders put beside them. A black flag before three to six of them and a cancel tag is a flag.
fn tags(text: &[u8], run: &[(char, usize)], at: usize) -> (usize, Verdict) {
    let part = |c: char| matches!(class_of(c), Some(Class::Tag | Class::UnassignedIgnorable));
    let len = run[at..].iter().take_while(|&&(c, _)| part(c)).count();
    let (_, start) = run[at];
    let codes: Vec<u32> = run[at..at + len].iter().take(8).map(|&(c, _)| c as u32).collect();
    if before(text, start).is_some_and(|(c, _)| c == '\u{1F3F4}')
        && let Some(cancel) = codes.iter().position(|&c| c == 0xE007F)
        && (3..=6).contains(&cancel)
        && codes[..cancel].iter().all(|c| matches!(c, 0xE0030..=0xE0039 | 0xE0061..=0xE007A))
    {
        let region: String = codes[..cancel].iter().filter_map(|c| char::from_u32(c - 0xE0000)).collect();
        let known = ["gbeng", "gbsct", "gbwls"].contains(&region.as_str());
        // What follows the flag is judged by itself.
        let verdict =
            if known { Verdict::silent(Class::Tag) } else { Verdict::new(Class::Tag, Level::Low, "unknown-flag") };
        return (cancel + 1, verdict);
    }
    let tagged = run[at..at + len].iter().any(|&(c, _)| class_of(c) == Some(Class::Tag));
    let verdict = if tagged {
        Verdict::new(Class::Tag, Level::Error, "tag-characters")
    } else {
        Verdict::new(Class::UnassignedIgnorable, Level::Error, "unassigned-code-points")
    };
    (len, verdict)
}

fn selectors(text: &[u8], run: &[(char, usize)], at: usize) -> (usize, Verdict) {
    let len = run[at..].iter().take_while(|&&(c, _)| is_selector(c)).count();
    let (c, start) = run[at];
    let base = before(text, start).map(|(c, _)| c);
    if len == 1 {
        return (1, lone_selector(base, c));
    }
    let part = &run[at..at + len];
    let verdict = match (len, part.iter().all(|&(c, _)| c == '\u{FE0F}')) {
        (2..=3, true) => Verdict::new(Class::SelectorRun, Level::Low, "repeated-emoji-selector"),
        (_, true) => Verdict::new(Class::SelectorRun, Level::Warn, "repeated-emoji-selector"),
        (2..=3, false) => Verdict::new(Class::SelectorRun, Level::Warn, "selector-run"),
        _ => Verdict::new(Class::SelectorRun, Level::Error, "selector-run"),
    };
    (len, verdict)
}

pub(super) fn lone_selector(base: Option<char>, c: char) -> Verdict {
    let class = Class::LoneSelector;
    let silent = Verdict::silent(class);
    match c {
        '\u{FE0E}' | '\u{FE0F}' if base.is_some_and(context::takes_emoji_selector) => silent,
        '\u{FE0E}' | '\u{FE0F}' => Verdict::new(class, Level::Low, "orphan-selector"),
        '\u{FE00}'..='\u{FE0D}' if base.is_some_and(|b| context::takes_selector(b, c)) => silent,
        '\u{FE00}'..='\u{FE0D}' => Verdict::new(class, Level::Warn, "selector-on-wrong-base"),
        _ if base.is_some_and(|b| context::is_in(b, Script::Han)) => silent,
        _ => Verdict::new(class, Level::Warn, "selector-on-wrong-base"),
    }
}
