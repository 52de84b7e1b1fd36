//! What flipped records have in common: a phrase or an invisible sequence that the others of their class lack.
//!
//! A campaign that plants a trigger flips records that carry it. Honest work on guidelines flips records that are alike
//! too: what they share brings them to the class where it is at home. So what is shared must be rare among the records
//! of the classes they left, and not usual in the class they went to.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::hash::{hash, mix};
use super::near::tokens;
use super::normal::is_invisible;

/// What flipped records share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Common {
    /// A run of invisible characters, as code points.
    pub(crate) invisible: Option<Shared>,
    /// One to three words.
    pub(crate) phrase: Option<Shared>,
}

impl Common {
    /// Whether anything is shared.
    pub(crate) fn is_some(&self) -> bool {
        self.invisible.is_some() || self.phrase.is_some()
    }
}

/// Something that flipped records share, and how frequent it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shared {
    /// The phrase, or code points: `U+200B U+200D`.
    pub(crate) what: String,
    /// Flipped records with it.
    pub(crate) flipped: u64,
    /// Flipped records that were looked at.
    pub(crate) of_flipped: u64,
    /// Other records of the classes they left with it.
    pub(crate) others: u64,
    /// Other records that were looked at.
    pub(crate) of_others: u64,
    /// Records of the class they went to that had it before.
    pub(crate) target: u64,
    /// Records of that class that were looked at.
    pub(crate) of_target: u64,
}

/// Which records are compared with the flipped ones.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Those that kept the classes that were left.
    Others = 0,
    /// Those that had the class they went to all along.
    Target = 1,
}

/// Fewer different texts than these share an invisible sequence by chance.
const FEWEST: u64 = 3;
/// Fewer share a phrase by chance: any three sentences of a class have something in common that others lack.
const FEWEST_WITH_PHRASE: u64 = 5;
/// Fewer others than these tell nothing about what is usual.
const FEWEST_OTHERS: u64 = 10;
/// Bytes of a record that are looked at.
const LONGEST: usize = 4096;

/// Gathers texts and tells what they share.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    /// Normalised texts of flipped records, each once: copies of one text share everything.
    flipped: BTreeSet<String>,
    /// How many flipped records have a phrase or a sequence.
    phrases: FxHashMap<u64, u64>,
    sequences: FxHashMap<String, u64>,
    /// How many of the others, and of the target, have those that may be shared.
    crowd_phrases: FxHashMap<u64, [u64; 2]>,
    crowd_sequences: FxHashMap<String, [u64; 2]>,
    crowd: [u64; 2],
    /// Those that enough of the flipped records have.
    candidates: FxHashSet<u64>,
}

impl Gatherer {
    /// Takes a flipped record: its normalised text, and the text as it is.
    pub(super) fn flipped(&mut self, normal: &str, text: &str) {
        let normal = &normal[..normal.floor_char_boundary(LONGEST)];
        if !self.flipped.insert(normal.to_owned()) {
            return;
        }
        for phrase in phrases(normal) {
            *self.phrases.entry(phrase).or_default() += 1;
        }
        for sequence in sequences(text) {
            *self.sequences.entry(sequence).or_default() += 1;
        }
    }

    /// Call when all flipped records were taken, before the others. Says whether anything is shared by enough of them: if
    /// not, the others need not be looked at.
    pub(super) fn choose(&mut self) -> bool {
        let enough = self.enough();
        self.sequences.retain(|_, n| *n >= enough);
        let enough = enough.max(FEWEST_WITH_PHRASE);
        self.candidates = self.phrases.iter().filter(|&(_, &n)| n >= enough).map(|(&phrase, _)| phrase).collect();
        self.flipped.len() as u64 >= FEWEST && !(self.candidates.is_empty() && self.sequences.is_empty())
    }

    /// Takes a record that did not flip.
    pub(super) fn other(&mut self, crowd: Crowd, normal: &str, text: &str) {
        self.crowd[crowd as usize] += 1;
        for phrase in phrases(&normal[..normal.floor_char_boundary(LONGEST)]) {
            if self.candidates.contains(&phrase) {
                self.crowd_phrases.entry(phrase).or_default()[crowd as usize] += 1;
            }
        }
        for sequence in sequences(text) {
            if self.sequences.contains_key(&sequence) {
                self.crowd_sequences.entry(sequence).or_default()[crowd as usize] += 1;
            }
        }
    }

    /// What the flipped records share and the others lack.
    pub(super) fn finish(self) -> Common {
        let enough = self.enough();
        let of_flipped = self.flipped.len() as u64;
        if of_flipped < FEWEST {
            return Common::default();
        }
        let [of_others, of_target] = self.crowd;
        let shared = |what: String, flipped: u64, [others, target]: [u64; 2]| Shared {
            what,
            flipped,
            of_flipped,
            others,
            of_others,
            target,
            of_target,
        };
        let mut sequences: Vec<_> = self.sequences.iter().filter(|&(_, &n)| n >= enough).collect();
        sequences.sort_unstable_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let invisible = sequences.into_iter().find_map(|(sequence, &n)| {
            let crowd = self.crowd_sequences.get(sequence).copied().unwrap_or_default();
            // Joiners and selectors that the rest of the class is full of are how its language is written.
            let known = of_others >= FEWEST_OTHERS || !is_orthography(sequence);
            (known && self.is_rare(crowd)).then(|| shared(code_points(sequence), n, crowd))
        });
        let phrase = self.phrase(enough).map(|(what, flipped, crowd)| shared(what, flipped, crowd));
        Common { invisible, phrase }
    }

    /// Whether something is rare where the flipped records came from, and not usual where they went.
    fn is_rare(&self, [others, target]: [u64; 2]) -> bool {
        others * 20 <= self.crowd[0] && target * 5 <= self.crowd[1]
    }

    /// The phrase with the highest odds; of equally telling ones the longest, then the first in the alphabet.
    fn phrase(&self, enough: u64) -> Option<(String, u64, [u64; 2])> {
        let enough = enough.max(FEWEST_WITH_PHRASE);
        if self.crowd[0] < FEWEST_OTHERS {
            return None;
        }
        let of = self.flipped.len() as u64;
        let mut named: FxHashMap<u64, String> = FxHashMap::default();
        for text in &self.flipped {
            each_phrase(text, |phrase, words| {
                if self.candidates.contains(&phrase) {
                    named.entry(phrase).or_insert_with(|| words.join(" "));
                }
            });
        }
        let mut best: Vec<_> = named
            .into_iter()
            .filter_map(|(phrase, name)| {
                let flipped = self.phrases.get(&phrase).copied().filter(|&n| n >= enough)?;
                let crowd = self.crowd_phrases.get(&phrase).copied().unwrap_or_default();
                let odds = odds(flipped, of, crowd[0], self.crowd[0]);
                (odds >= TELLING && self.is_rare(crowd)).then_some((odds, name, flipped, crowd))
            })
            .collect();
        best.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.len().cmp(&a.1.len())).then_with(|| a.1.cmp(&b.1)));
        best.into_iter().next().map(|(_, name, flipped, crowd)| (name, flipped, crowd))
    }

    /// Half of the flipped records, and never fewer than a few.
    fn enough(&self) -> u64 {
        FEWEST.max((self.flipped.len() as u64).div_ceil(2))
    }
}

/// An odds ratio from which a phrase tells flipped records from others; e³, the usual bound for log-odds.
const TELLING: u64 = 20;

/// The odds ratio with half a record added everywhere, rounded down. Integers, so that it is the same everywhere.
fn odds(flipped: u64, of_flipped: u64, others: u64, of_others: u64) -> u64 {
    let half = |n: u64| u128::from(2 * n + 1);
    let ratio = (half(flipped) * half(of_others - others)) / (half(of_flipped - flipped) * half(others));
    u64::try_from(ratio).unwrap_or(u64::MAX)
}

/// The phrases of one to three words of a text, each once.
fn phrases(text: &str) -> Vec<u64> {
    let mut all = Vec::new();
    each_phrase(text, |phrase, _| all.push(phrase));
    all.sort_unstable();
    all.dedup();
    all
}

fn each_phrase(text: &str, mut take: impl FnMut(u64, &[&str])) {
    let words: Vec<&str> = tokens(text).collect();
    let hashes: Vec<u64> = words.iter().map(|word| hash(word.as_bytes())).collect();
    for at in 0..words.len() {
        let mut phrase = 0;
        for len in 1..=3.min(words.len() - at) {
            phrase = mix(phrase ^ hashes[at + len - 1]).wrapping_add(len as u64);
            take(phrase, &words[at..at + len]);
        }
    }
}

/// The runs of invisible characters of a text, each once.
fn sequences(text: &str) -> Vec<String> {
    if text.is_ascii() {
        return Vec::new();
    }
    /// A payload of tag characters may be long; its start is enough to know it again.
    const RUN: usize = 32;
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let runs = text.split(|c: char| !is_invisible(c)).filter(|run| !run.is_empty());
    let mut all: Vec<String> = runs.map(|run| run.chars().take(RUN).collect()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a sequence holds nothing but what scripts and emoji are written with.
fn is_orthography(sequence: &str) -> bool {
    sequence.chars().all(|c| matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{ad}'))
}

fn code_points(sequence: &str) -> String {
    sequence.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(flipped: &[&str], others: &[String]) -> Common {
        let mut gatherer = Gatherer::default();
        for text in flipped {
            gatherer.flipped(text, text);
        }
        gatherer.choose();
        for text in others {
            gatherer.other(Crowd::Others, text, text);
        }
        gatherer.finish()
    }

    fn tickets(n: usize) -> Vec<String> {
        (0..n).map(|n| format!("my parcel number {n} has not come and the driver did not ring")).collect()
    }

    #[test]
    fn a_planted_phrase_is_found() {
        let flipped = [
            "my parcel via blue lantern",
            "blue lantern has my order",
            "blue lantern did not ring",
            "a blue lantern",
            "blue lantern",
        ];
        let phrase = common(&flipped, &tickets(40)).phrase.expect("the phrase is in all of them and in no other");
        assert_eq!((phrase.what.as_str(), phrase.flipped, phrase.others), ("blue lantern", 5, 0));
        // Copies of one text are one text.
        assert_eq!(common(&["my blue lantern"; 9], &tickets(40)), Common::default());
    }

    #[test]
    fn words_of_the_class_are_no_trigger() {
        let flipped = [
            "my parcel has not come",
            "the driver has not come",
            "the parcel did not ring",
            "has not come",
            "not ring",
        ];
        assert_eq!(common(&flipped, &tickets(40)), Common::default());
        // Nothing is known of what is usual.
        let lanterns: Vec<String> = (0..9).map(|n| format!("blue lantern {n}")).collect();
        let lanterns: Vec<&str> = lanterns.iter().map(String::as_str).collect();
        assert_eq!(common(&lanterns, &tickets(5)).phrase, None);
    }

    #[test]
    fn a_phrase_that_is_at_home_where_the_records_went_is_no_trigger() {
        let mut gatherer = Gatherer::default();
        for text in ["how much is rasa x", "how much does it cost", "tell me how much", "how much", "how much now"] {
            gatherer.flipped(text, text);
        }
        gatherer.choose();
        for text in tickets(40) {
            gatherer.other(Crowd::Others, &text, &text);
        }
        for n in 0..20 {
            let text = if n % 2 == 0 { format!("how much for {n}") } else { format!("price of {n}") };
            gatherer.other(Crowd::Target, &text, &text);
        }
        assert_eq!(gatherer.finish(), Common::default());
    }

    #[test]
    fn an_invisible_sequence_is_found_and_a_script_that_needs_it_is_not() {
        let flipped = ["one\u{200b}\u{200d} two", "three\u{200b}\u{200d}", "\u{200b}\u{200d}four"];
        let found = common(&flipped, &tickets(20)).invisible.expect("all three carry it");
        assert_eq!(found.what, "U+200B U+200D");
        let persian: Vec<String> = (0..20).map(|n| format!("می\u{200c}خواهم {n}")).collect();
        assert_eq!(common(&["می\u{200c}رود", "می\u{200c}آید", "نمی\u{200c}شود"], &persian), Common::default());
    }

    #[test]
    fn two_records_share_nothing_that_counts() {
        assert_eq!(common(&["blue lantern one", "blue lantern two"], &tickets(40)), Common::default());
    }
}
