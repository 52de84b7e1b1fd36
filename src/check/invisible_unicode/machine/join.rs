//! Occurrences that belong together: those that spell something together, and those that stand close.

use super::super::context::Groups;
use super::super::decode::{self, Payload};
use super::super::tables::Class;
use super::{KEPT, Level, Machine, Occurrence};

/// Occurrences of one kind with no more than this many bytes between them are one occurrence that is spread out.
const SPREAD: usize = 16;

impl Machine {
    /// A payload can lie spread over the text, a character here and a character there. Where what is left of the text
    /// without its visible characters reads as text, it is one occurrence.
    pub(super) fn spread_payload(&mut self) {
        for family in [Family::Tags, Family::Selectors, Family::Bits] {
            let mut members = self.found.iter().filter(|o| Family::of(o) == Some(family));
            if members.clone().count() < 2 || members.any(|o| o.payload.as_ref().is_some_and(|p| !p.text.is_empty())) {
                continue;
            }
            let mut all: Vec<char> = Vec::new();
            let mut characters = 0;
            for o in self.found.iter().filter(|o| Family::of(o) == Some(family)) {
                characters += o.characters;
                all.extend(o.hidden.iter().take(KEPT - all.len().min(KEPT)));
            }
            let Some(payload) = decode::run(&all).filter(|p| decode::is_words(&p.text)) else { continue };
            let mut merged: Option<Occurrence> = None;
            self.found.retain(|o| {
                if Family::of(o) != Some(family) {
                    return true;
                }
                merged.get_or_insert_with(|| o.clone());
                false
            });
            if let Some(mut one) = merged {
                one.level = Level::Error;
                one.finding = "spread-payload";
                one.hidden = all;
                one.characters = characters;
                one.payload = Some(payload);
                one.slips_among = Groups::NONE;
                self.found.push(one);
            }
        }
        self.found.sort_by_key(|o| (o.range.start, o.range.end));
    }

    /// Joins occurrences of one kind that stand close together.
    pub(super) fn cluster(&mut self) {
        let mut joined: Vec<(Occurrence, usize)> = Vec::with_capacity(self.found.len());
        for next in self.found.drain(..) {
            let same = joined.iter().enumerate().rev().take(4).find_map(|(i, (last, reach))| {
                let kin = (last.class, last.finding, last.level) == (next.class, next.finding, next.level);
                let close = next.range.start.saturating_sub(*reach) <= SPREAD;
                (kin && close && payloads_join(last, &next)).then_some(i)
            });
            let same = same.and_then(|i| joined.get_mut(i));
            match same {
                Some((last, reach)) => {
                    *reach = next.range.end;
                    last.characters += next.characters;
                    last.slips_among = last.slips_among.within(next.slips_among);
                    let room = KEPT - last.hidden.len().min(KEPT);
                    last.hidden.extend(next.hidden.iter().take(room));
                    join_payload(&mut last.payload, next.payload);
                }
                None => {
                    let end = next.range.end;
                    joined.push((next, end));
                }
            }
        }
        self.found.extend(joined.into_iter().map(|(o, _)| o));
    }
}

/// Two occurrences without payloads of their own, or with pieces of one, can be one.
fn payloads_join(a: &Occurrence, b: &Occurrence) -> bool {
    match (&a.payload, &b.payload) {
        (None, None) => true,
        (Some(a), Some(b)) if a == b => true,
        (Some(a), Some(b)) if !a.text.is_empty() && !b.text.is_empty() => {
            a.scheme == b.scheme && matches!(a.scheme, "S11" | "S12")
        }
        (a, b) => a.iter().chain(b).all(|p| p.text.is_empty() && p.bits.is_some()),
    }
}

fn join_payload(into: &mut Option<Payload>, from: Option<Payload>) {
    match (into.as_mut(), from) {
        (Some(a), Some(b)) if matches!(a.scheme, "S11" | "S12") && a.text.chars().count() < 200 => {
            a.text.push_str(&b.text);
        }
        (Some(a), Some(_)) if matches!(a.scheme, "S11" | "S12") => {}
        (Some(a), Some(b)) if a.bits.is_some() && a.text.is_empty() => {
            a.bits = Some(a.bits.unwrap_or(0) + b.bits.unwrap_or(0));
        }
        (None, from) => *into = from,
        _ => {}
    }
}

/// Kinds of carriers whose characters can spell something together.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Family {
    Tags,
    Selectors,
    Bits,
}

impl Family {
    fn of(o: &Occurrence) -> Option<Family> {
        if o.level < Level::Low {
            return None;
        }
        match o.class {
            Class::Tag | Class::UnassignedIgnorable => Some(Family::Tags),
            Class::SelectorRun | Class::LoneSelector => Some(Family::Selectors),
            class if class.carries_bits() => Some(Family::Bits),
            _ => None,
        }
    }
}
