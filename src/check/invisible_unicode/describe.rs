//! What stands at a place, in words.

use super::machine::Occurrence;
use super::{context, tables};
use crate::check::places::cut;

/// `<U+200B> between "pay" and "pal"`.
pub(super) fn describe(text: &[u8], occurrence: &Occurrence) -> String {
    let mut words = match occurrence.hidden.as_slice() {
        hidden if hidden.len() <= 3 => {
            let points: Vec<String> = hidden.iter().map(|&c| format!("<U+{:04X}>", c as u32)).collect();
            points.join("")
        }
        hidden => format!("<U+{:04X}> and {} more", hidden[0] as u32, occurrence.characters - 1),
    };
    let (left, right) = (beside(text, occurrence.range.start, true), beside(text, occurrence.range.end, false));
    match (left.is_empty(), right.is_empty()) {
        (false, false) => words.push_str(&format!(" between \"{left}\" and \"{right}\"")),
        (false, true) => words.push_str(&format!(" after \"{left}\"")),
        (true, false) => words.push_str(&format!(" before \"{right}\"")),
        (true, true) => {}
    }
    if let Some(payload) = occurrence.payload.as_ref().filter(|p| !p.text.is_empty()) {
        let text = cut(&payload.text, 60);
        match payload.scheme {
            "S10" => words.push_str(&format!(", shown as \"{text}\"")),
            "S11" => words.push_str(&format!(", takes back \"{text}\"")),
            "annotation" => words.push_str(&format!(", over \"{}\"", cut(&payload.base, 60))),
            "stripped" => words.push_str(&format!(", on \"{text}\"")),
            _ => {}
        }
    }
    words
}

/// A few visible characters on one side of a place, of the same line.
fn beside(text: &[u8], at: usize, left: bool) -> String {
    const SHOWN: usize = 12;
    let mut seen = Vec::new();
    let mut at = at;
    for _ in 0..3 * SHOWN {
        let step = if left { context::before(text, at) } else { context::after(text, at) };
        let Some((c, next)) = step else { break };
        if matches!(c, '\n' | '\r') || seen.len() == SHOWN {
            break;
        }
        at = next;
        if !tables::is_default_ignorable(c) && !c.is_control() {
            seen.push(c);
        }
    }
    if left {
        seen.reverse();
    }
    seen.into_iter().collect::<String>().trim().to_owned()
}
