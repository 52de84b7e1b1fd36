//! What is ordinary one by one, and a channel where there is much of it.

use std::ops::Range;

use super::super::context;
use super::super::decode;
use super::super::tables::{Class, wide_class_of};
use super::{KEPT, Level, Machine, Verdict};

/// Characters of which only many together are wrong.
#[derive(Debug, Default)]
pub(super) struct Dense {
    first: Option<Range<usize>>,
    hidden: Vec<char>,
    count: u64,
}

impl Dense {
    pub(super) fn note(&mut self, c: char, range: Range<usize>) {
        self.first.get_or_insert(range);
        self.count += 1;
        if self.hidden.len() < KEPT {
            self.hidden.push(c);
        }
    }
}

impl Machine {
    /// Two kinds of space that take turns can spell something; one of them may be the plain one.
    pub(super) fn space_channel(&mut self, text: &[u8]) {
        /// Fewer spell no word.
        const FEWEST: usize = 8;
        let Some((first, count)) = self.spaces.take() else { return };
        if count < FEWEST {
            return;
        }
        let text = String::from_utf8_lossy(text);
        let is_odd = |c: &char| wide_class_of(*c) == Some(Class::OddSpace);
        let odd: Vec<char> = text.chars().filter(is_odd).take(KEPT).collect();
        let several = odd.iter().any(|c| *c != odd[0]);
        let mixed = || text.chars().filter(|c| *c == ' ' || is_odd(c)).take(KEPT).collect::<Vec<char>>();
        if let Some(payload) = if several { decode::spaces(&odd) } else { decode::spaces(&mixed()) } {
            self.emit(Verdict::new(Class::OddSpace, Level::Warn, "space-channel"), first, &odd, Some(payload));
        }
    }

    /// Soft hyphens and ideographic selectors are ordinary one by one, and a channel where they are dense.
    pub(super) fn dense(&mut self, text: &[u8]) {
        const FEW: u64 = 4;
        let letters =
            |wanted: fn(char) -> bool| String::from_utf8_lossy(text).chars().filter(|&c| wanted(c)).count() as u64;
        if self.soft_hyphens.count == 0 && self.ideographic.count == 0 {
            return;
        }
        let soft = std::mem::take(&mut self.soft_hyphens);
        if let Some(first) = soft.first
            && soft.count >= FEW
            && soft.count * 4 >= letters(context::is_letter)
        {
            let payload = decode::run(&soft.hidden);
            self.found.retain(|o| o.class != Class::SoftHyphen || o.level > Level::Warn);
            self.emit(Verdict::new(Class::SoftHyphen, Level::Warn, "dense-soft-hyphens"), first, &soft.hidden, payload);
        }
        let ideographic = std::mem::take(&mut self.ideographic);
        if let Some(first) = ideographic.first
            && ideographic.count >= FEW
        {
            let mut kinds = ideographic.hidden.clone();
            kinds.sort_unstable();
            kinds.dedup();
            let han = letters(|c| context::is_in(c, icu_properties::props::Script::Han));
            if kinds.len() >= 8 || ideographic.count * 10 > han * 3 {
                let payload = decode::run(&ideographic.hidden);
                let verdict = Verdict::new(Class::SelectorRun, Level::Warn, "dense-ideographic-selectors");
                self.emit(verdict, first, &ideographic.hidden, payload);
            }
        }
    }
}
