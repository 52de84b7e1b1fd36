//! The context rules for what does not stand in runs: control characters and the sequences they start, annotation,
//! separators, blanks, noncharacters.

use super::context::{Groups, after, before};
use super::decode::{self, Payload};
use super::machine::{Level, Machine, Verdict};
use super::tables::{Class, wide_class_of};

/// At most this many bytes of a sequence, or of what it hides, are walked.
const REACH: usize = 1024;

/// Judges the character at `at`; returns the offset behind what was judged with it.
pub(super) fn judge(machine: &mut Machine, text: &[u8], at: usize, c: char, end: usize) -> usize {
    let Some(class) = wide_class_of(c) else { return end };
    let prev = before(text, at).map(|(c, _)| c);
    let next = after(text, end).map(|(c, _)| c);
    let verdict = match class {
        Class::ErasingControl => return erasing(machine, text, at),
        Class::Control if c == '\u{1B}' => return escape(machine, text, at, end),
        Class::Control => match c {
            '\0' => Verdict::new(class, Level::Error, "nul"),
            '\u{B}' | '\u{C}' => Verdict::new(class, Level::Info, "vertical-space"),
            '\r' => carriage_return(machine, text, end),
            _ => Verdict::new(class, Level::Warn, "control-character"),
        },
        Class::C1Control => {
            // Mojibake pairs these with other characters of Latin-1.
            let mojibake = prev.is_some_and(|c| matches!(c as u32, 0x80..=0xFF));
            let sequence = match c {
                '\u{9B}' if !mojibake => control_sequence(text, end),
                '\u{9D}' if !mojibake => string_sequence(text, end),
                _ => None,
            };
            if let Some(to) = sequence {
                let verdict = Verdict::new(class, Level::Error, "c1-escape-sequence");
                let payload = hidden_text(text, end, to, c == '\u{9B}');
                machine.emit(verdict, at..to, &[c], payload);
                return to;
            }
            Verdict::new(class, Level::Info, "mojibake")
        }
        Class::Annotation => return annotation(machine, text, at),
        Class::BrailleBlank => return braille(machine, text, at),
        Class::LineSeparator => Verdict::new(class, Level::Warn, "line-separator"),
        Class::Noncharacter => Verdict::new(class, Level::Error, "noncharacter"),
        Class::OddSpace if is_honest_space(machine, text, at, c, prev, next) => Verdict::silent(class),
        Class::OddSpace => Verdict::new(class, Level::Info, "odd-space"),
        Class::PrivateUse => Verdict::new(class, Level::Info, "private-use"),
        Class::Replacement => Verdict::new(class, Level::Info, "mojibake"),
        other => Verdict::new(other, Level::Warn, "hidden-character"),
    };
    machine.emit(verdict, at..end, &[c], None);
    end
}

/// A bare carriage return lets a terminal write over what it has shown. Text whose lines all end so is merely old.
fn carriage_return(machine: &mut Machine, text: &[u8], end: usize) -> Verdict {
    let class = Class::Control;
    if matches!(text.get(end), None | Some(b'\n' | b'\r')) {
        return Verdict::silent(class);
    }
    let rest = &text[end..text.len().min(end + REACH)];
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let first = text[..end - 1].iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |at| at + 1);
    let ends = |b: Option<&u8>| matches!(b, None | Some(b'\n'));
    // Nothing that is read comes before it or after it.
    let covers_nothing = ends(text.get(end + blanks)) || ends(text[..first].last());
    let letter = |side: Option<(char, usize)>| side.is_some_and(|(c, _)| machine.paragraph.lenient(c).has(Groups::ALL));
    // Old programs and tables part lines with it, and what is shown in a terminal is seldom written in these scripts.
    if covers_nothing || letter(before(text, first)) && letter(after(text, end + blanks)) {
        return Verdict::new(class, Level::Low, "bare-carriage-return");
    }
    // Asked once for a text: a text full of them costs no more than any other.
    let are_old = || memchr::memchr(b'\n', text).is_none() && memchr::memchr_iter(b'\r', text).take(3).count() == 3;
    if *machine.old_line_ends.get_or_insert_with(are_old) {
        return Verdict::new(class, Level::Info, "old-line-ends");
    }
    Verdict::new(class, Level::Warn, "bare-carriage-return")
}

/// Backspaces and deletes, with the characters they take back.
fn erasing(machine: &mut Machine, text: &[u8], at: usize) -> usize {
    let mut end = at;
    let mut hidden = Vec::new();
    while let Some(c @ (b'\x08' | b'\x7F')) = text.get(end) {
        hidden.push(char::from(*c));
        end += 1;
    }
    let mut erased = Vec::new();
    let mut from = at;
    for _ in 0..hidden.len().min(200) {
        match before(text, from) {
            Some((c, next)) if !matches!(c, '\u{8}' | '\u{7F}' | '\n') => {
                erased.push(c);
                from = next;
            }
            _ => break,
        }
    }
    let erased: String = erased.iter().rev().collect();
    let payload = (!erased.is_empty()).then(|| Payload::new("S11", &erased));
    machine.emit(Verdict::new(Class::ErasingControl, Level::Error, "erased-text"), at..end, &hidden, payload);
    end
}

/// What an escape character starts.
fn escape(machine: &mut Machine, text: &[u8], at: usize, end: usize) -> usize {
    let sequence = match text.get(end) {
        Some(b'[') => control_sequence(text, end + 1),
        Some(b']') => string_sequence(text, end + 1),
        Some(b' '..=b'~') => Some(end + 1),
        _ => None,
    };
    let Some(to) = sequence else {
        machine.emit(Verdict::new(Class::Control, Level::Warn, "escape-character"), at..end, &['\u{1B}'], None);
        return end;
    };
    let payload = match text[end] {
        b'[' => hidden_text(text, end + 1, to, true),
        b']' => hidden_text(text, end + 1, to, false),
        _ => None,
    };
    let finding = match (&payload, text[end]) {
        (Some(_), b'[') => "concealed-text",
        (Some(_), _) => "terminal-link",
        _ => "escape-sequence",
    };
    machine.emit(Verdict::new(Class::Control, Level::Error, finding), at..to, &['\u{1B}'], payload);
    to
}

/// The end of a control sequence whose parameters start at `at`.
pub(super) fn control_sequence(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..text.len().min(at + REACH)];
    let parameters = rest.iter().take_while(|b| matches!(b, 0x30..=0x3F)).count();
    let intermediates = rest[parameters..].iter().take_while(|b| matches!(b, 0x20..=0x2F)).count();
    let last = parameters + intermediates;
    matches!(rest.get(last), Some(0x40..=0x7E)).then_some(at + last + 1)
}

/// The end of an operating system command whose text starts at `at`.
pub(super) fn string_sequence(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..text.len().min(at + REACH)];
    let ends = rest.iter().enumerate().find_map(|(i, &b)| match b {
        0x07 => Some(i + 1),
        0x1B if rest.get(i + 1) == Some(&b'\\') => Some(i + 2),
        0xC2 if rest.get(i + 1) == Some(&0x9C) => Some(i + 2),
        b'\n' => Some(0),
        _ => None,
    })?;
    (ends > 0).then_some(at + ends)
}

/// What a sequence hides: the text behind a conceal, or the target of a link.
fn hidden_text(text: &[u8], start: usize, end: usize, control: bool) -> Option<Payload> {
    let payload = |text: &str| Payload::new("S12", text);
    let own = String::from_utf8_lossy(&text[start..end]);
    if control {
        let parameters = own.strip_suffix('m')?;
        if !parameters.split(';').any(|p| p == "8") {
            return None;
        }
        let rest = &text[end..text.len().min(end + REACH)];
        // The next sequence ends it, in either way of writing one.
        let ends = |at: usize| matches!(rest[at..], [0x1B | b'\n', ..] | [0xC2, 0x9B, ..]);
        let stop = (0..rest.len()).find(|&at| ends(at)).unwrap_or(rest.len());
        let concealed = String::from_utf8_lossy(&rest[..stop]);
        return (!concealed.is_empty()).then(|| payload(&concealed));
    }
    let target = own.strip_prefix("8;")?.split_once(';')?.1.trim_end_matches(['\u{7}', '\u{1B}', '\\', '\u{9C}']);
    (!target.is_empty()).then(|| payload(target))
}

/// An annotation hides its second part as if it were ruby.
fn annotation(machine: &mut Machine, text: &[u8], at: usize) -> usize {
    let mut hidden = Vec::new();
    let (mut base, mut inside) = (String::new(), String::new());
    let mut separated = false;
    let mut end = at;
    let mut last = at;
    while let Some((c, next)) = after(text, end) {
        end = next;
        match c {
            '\u{FFF9}'..='\u{FFFB}' => {
                hidden.push(c);
                last = next;
                separated |= c == '\u{FFFA}';
                if c == '\u{FFFB}' {
                    break;
                }
            }
            '\n' => break,
            c if separated => inside.push(c),
            c => base.push(c),
        }
        if end - at > REACH {
            break;
        }
    }
    let complete = hidden.last() == Some(&'\u{FFFB}');
    let payload = (complete && !inside.is_empty())
        .then(|| Payload { base: decode::shown(&base), ..Payload::new("annotation", &inside) });
    machine.emit(Verdict::new(Class::Annotation, Level::Error, "annotation"), at..last, &hidden, payload);
    last
}

/// Blank cells are part of Braille text and of pictures drawn in Braille; alone they are a blank that is no space.
fn braille(machine: &mut Machine, text: &[u8], at: usize) -> usize {
    let class = Class::BrailleBlank;
    let mut end = at;
    let mut hidden = Vec::new();
    while let Some(('\u{2800}', next)) = after(text, end) {
        hidden.push('\u{2800}');
        end = next;
    }
    let sides = [before(text, at), after(text, end)].map(|side| side.map(|(c, _)| c));
    let cell = |side: &Option<char>| side.is_some_and(|c| matches!(c, '\u{2801}'..='\u{28FF}'));
    let verdict = if sides.iter().any(cell) {
        Verdict::silent(class)
    } else {
        // Who wants an empty line in an application that takes spaces away puts it between sentences.
        let inside = hidden.len() == 1 && sides.iter().all(|side| side.is_some_and(char::is_alphanumeric));
        Verdict::new(class, if inside { Level::Warn } else { Level::Low }, "braille-blank")
    };
    machine.emit(verdict, at..end, &hidden, None);
    end
}

fn is_honest_space(
    machine: &mut Machine,
    text: &[u8],
    at: usize,
    c: char,
    prev: Option<char>,
    next: Option<char>,
) -> bool {
    match c {
        '\u{3000}' => machine.paragraph.groups(text, at).has(Groups::EAST_ASIAN),
        '\u{202F}' => {
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            next.is_some_and(|c| matches!(c, ';' | ':' | '!' | '?' | '%' | '»' | '€' | '$' | '£' | '¥'))
                || digit(prev) && digit(next)
                || next.is_some_and(|c| super::context::is_in(c, icu_properties::props::Script::Mongolian))
        }
        _ => false,
    }
}
