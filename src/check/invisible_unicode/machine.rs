//! The state machine: walks the hits of one text and says of each what it is, how bad it is here, and why.
//!
//! A hit is judged by what stands around it, never by itself: the same joiner is orthography in Persian and a trigger in
//! English. Adjacent hidden characters are one run, and a run is one occurrence.

use std::ops::Range;

use super::around::Around;
use super::bidi;
use super::context::{self, Groups, Paragraph, after, before};
use super::controls;
use super::decode::{self, Payload};
use super::prefilter::Hits;
use super::runs;
use super::tables::{Class, class_of, wide_class_of};
use dense::Dense;

mod dense;
mod join;
mod remedy;

/// How bad an occurrence is where it stands.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub(super) enum Level {
    /// Orthography, or as good as: counted only.
    Silent,
    /// Worth knowing on request.
    Info,
    /// Doubtful: a note.
    Low,
    /// Somebody should look.
    Warn,
    /// No honest text has it.
    Error,
}

/// What the machine is asked for.
#[derive(Copy, Clone, Debug)]
pub(super) struct Modes {
    /// Keep what is only worth knowing.
    pub(super) info: bool,
    /// Let no context excuse a hidden character.
    pub(super) strict: bool,
    /// The families of scripts whose orthography excuses.
    pub(super) lenient: Groups,
}

impl Default for Modes {
    fn default() -> Self {
        Self { info: false, strict: false, lenient: Groups::ALL }
    }
}

/// A run of hidden characters, or another thing of the catalogue, that context does not excuse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Occurrence {
    pub(super) class: Class,
    pub(super) level: Level,
    /// The finer name of what it is: `unexplained-joiner`, `bit-channel`.
    pub(super) finding: &'static str,
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Its code points, those that context excuses left out; at most [`KEPT`].
    pub(super) hidden: Vec<char>,
    /// Number of hidden characters.
    pub(super) characters: u64,
    /// What it spells.
    pub(super) payload: Option<Payload>,
    /// Lines around it in these families of scripts make it a slip, though its own line has none of them.
    pub(super) slips_among: Groups,
}

/// More characters of one occurrence are counted and not kept.
pub(super) const KEPT: usize = 4096;
/// Runs of one text that are kept for what they say of the whole data set.
const PASSED: usize = 256;
/// A run of this many carriers is a channel, whatever it says.
const CHANNEL: usize = 8;
/// Direction controls of one line that are drawn as a reader sees them.
const DRAWN: usize = 8;
/// A run of one carrier this long is no key that was held down.
const HELD: usize = 32;

/// How a class, a level and a reason come together for one character.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    pub(super) class: Class,
    pub(super) level: Level,
    pub(super) finding: &'static str,
    /// See [`Occurrence::slips_among`].
    slips_among: Groups,
}

impl Verdict {
    pub(super) fn new(class: Class, level: Level, finding: &'static str) -> Self {
        Self { class, level, finding, slips_among: Groups::NONE }
    }

    /// Where the lines around are written in these families of scripts, it is a slip.
    pub(super) fn slips_among(self, groups: Groups) -> Self {
        Self { slips_among: groups, ..self }
    }

    pub(super) fn silent(class: Class) -> Self {
        Self::new(class, Level::Silent, "")
    }
}

/// Occurrences that context excused, by class.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally([u64; Class::ALL.len()]);

impl Tally {
    pub(super) fn count(&mut self, class: Class, n: u64) {
        let slot = &mut self.0[class as usize];
        *slot = slot.saturating_add(n);
    }

    pub(super) fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    pub(super) fn add(&mut self, other: &Tally) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }
}

/// The machine, with the buffers it keeps from text to text.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) modes: Modes,
    pub(super) paragraph: Paragraph,
    /// The scripts around the texts of a batch.
    pub(super) around: Around,
    /// Whether the text starts at the first byte of its file.
    pub(super) at_file_start: bool,
    pub(super) found: Vec<Occurrence>,
    /// What context excused.
    pub(super) excused: Tally,
    /// The first [`PASSED`] runs of the text, excused or not.
    pub(super) passed: Vec<Range<usize>>,
    /// Whether all lines of the text end as they did on old machines, once that was asked.
    pub(super) old_line_ends: Option<bool>,
    run: Vec<(char, usize)>,
    soft_hyphens: Dense,
    ideographic: Dense,
    /// The first odd space of the text, and how many there are.
    spaces: Option<(Range<usize>, usize)>,
}

impl Machine {
    pub(super) fn new(modes: Modes) -> Self {
        Self {
            modes,
            paragraph: Paragraph::new(modes.lenient),
            around: Around::default(),
            at_file_start: false,
            found: Vec::new(),
            excused: Tally::default(),
            passed: Vec::new(),
            old_line_ends: None,
            run: Vec::new(),
            soft_hyphens: Dense::default(),
            ideographic: Dense::default(),
            spaces: None,
        }
    }

    /// Judges every hit of one text. What was found is in `found` until the next text. `hits` may be those of a larger
    /// text, of which this one starts at `base`: bytes that were searched once are not searched again.
    pub(super) fn scan(&mut self, text: &[u8], hits: &mut Hits<'_>, base: usize, at_file_start: bool) {
        self.found.clear();
        self.passed.clear();
        self.old_line_ends = None;
        self.paragraph.reset();
        self.at_file_start = at_file_start;
        let mut bidi_to = 0;
        let mut at = 0;
        while let Some(hit) = hits.first_from(base + at).map(|hit| hit - base).filter(|&hit| hit < text.len()) {
            let Some((c, end)) = after(text, hit) else { break };
            at = end;
            let Some(class) = wide_class_of(c) else { continue };
            if !self.modes.strict && runs::is_plainly_honest(self, text, c, hit, end) {
                self.excused.count(class, 1);
                self.pass(hit..end);
                continue;
            }
            at = match class {
                _ if class.runs() => self.run(text, hit, c, end),
                Class::BidiOverride | Class::BidiEmbedding => {
                    if hit >= bidi_to {
                        bidi_to = self.directions(text, hit);
                    }
                    end
                }
                Class::OddSpace => {
                    self.spaces.get_or_insert((hit..end, 0)).1 += 1;
                    controls::judge(self, text, hit, c, end)
                }
                _ => controls::judge(self, text, hit, c, end),
            };
            self.pass(hit..at);
        }
        self.dense(text);
        self.space_channel(text);
        if self.found.len() > 1 {
            self.spread_payload();
            self.cluster();
        }
    }

    fn pass(&mut self, range: Range<usize>) {
        if self.passed.len() < PASSED {
            self.passed.push(range);
        }
    }

    /// Notes an occurrence, or counts it where context excuses it or nobody asked.
    pub(super) fn emit(&mut self, verdict: Verdict, range: Range<usize>, hidden: &[char], payload: Option<Payload>) {
        let wanted = if self.modes.info { Level::Info } else { Level::Low };
        if verdict.level < wanted {
            self.excused.count(verdict.class, 1);
            return;
        }
        self.found.push(Occurrence {
            class: verdict.class,
            level: verdict.level,
            finding: verdict.finding,
            range,
            characters: hidden.len() as u64,
            hidden: hidden[..hidden.len().min(KEPT)].to_vec(),
            payload,
            slips_among: verdict.slips_among,
        });
    }

    /// Judges the run of hidden characters that starts at `start`; returns the offset behind it.
    fn run(&mut self, text: &[u8], start: usize, c: char, mut end: usize) -> usize {
        let hidden = |at: usize| after(text, at).filter(|&(c, _)| class_of(c).is_some_and(Class::runs));
        let Some(mut next) = hidden(end) else {
            // Nearly every run of nearly every script is one character long.
            self.judge_run(text, &[(c, start)], end);
            return end;
        };
        let mut run = std::mem::take(&mut self.run);
        run.clear();
        run.push((c, start));
        loop {
            run.push((next.0, end));
            end = next.1;
            match hidden(end) {
                Some(more) => next = more,
                None => break,
            }
        }
        self.judge_run(text, &run, end);
        self.run = run;
        end
    }

    fn judge_run(&mut self, text: &[u8], run: &[(char, usize)], end: usize) {
        let start = run[0].1;
        let mut worst: Option<Verdict> = None;
        let mut hidden: Vec<char> = Vec::new();
        let mut at = 0;
        while at < run.len() {
            let (len, verdict) = runs::judge(self, text, run, at, end);
            let verdict = self.strictly(verdict, &run[at..at + len]);
            for &(c, from) in &run[at..at + len] {
                match verdict.class {
                    Class::SoftHyphen => self.soft_hyphens.note(c, from..from + c.len_utf8()),
                    Class::LoneSelector if verdict.level == Level::Silent && c >= '\u{E0100}' => {
                        self.ideographic.note(c, from..from + c.len_utf8());
                    }
                    _ => {}
                }
            }
            if verdict.level > Level::Silent {
                hidden.extend(run[at..at + len].iter().map(|&(c, _)| c));
                worst = Some(match worst {
                    Some(w) if verdict.level < w.level => w,
                    Some(w) if verdict.level == w.level => w.slips_among(w.slips_among.within(verdict.slips_among)),
                    _ => verdict,
                });
            } else {
                self.excused.count(verdict.class, len as u64);
            }
            at += len;
        }
        if let Some(channel) = self.channel(text, run) {
            hidden = run.iter().map(|&(c, _)| c).collect();
            worst = Some(worst.filter(|w| w.level == Level::Error).unwrap_or(channel));
        }
        if let Some(verdict) = worst {
            let payload = if verdict.level > Level::Info { decode::run(&hidden) } else { None };
            self.emit(verdict, start..end, &hidden, payload);
        }
    }

    /// Under `strict` nothing that is drawn as nothing is excused.
    fn strictly(&self, verdict: Verdict, part: &[(char, usize)]) -> Verdict {
        if self.modes.strict
            && verdict.level < Level::Warn
            && part.iter().all(|&(c, _)| super::tables::is_default_ignorable(c))
        {
            return Verdict::new(verdict.class, Level::Warn, "strict");
        }
        verdict
    }

    /// A long run of carriers is a channel. Khmer and its neighbours honestly pile up one of them.
    fn channel(&mut self, text: &[u8], run: &[(char, usize)]) -> Option<Verdict> {
        if run.len() < CHANNEL {
            return None;
        }
        let carriers = || {
            run.iter().filter_map(|&(c, _)| class_of(c).filter(|class| class.carries_bits()).map(|class| (class, c)))
        };
        if carriers().count() < CHANNEL {
            return None;
        }
        let (class, first) = carriers().min()?;
        let several = carriers().any(|(_, c)| c != first);
        if !several && class == Class::ZeroWidthSpace && self.paragraph.groups(text, run[0].1).has(Groups::UNSPACED) {
            return None;
        }
        if several {
            return Some(Verdict::new(class, Level::Error, "bit-channel"));
        }
        // A key that was held down beside a letter that takes such a character.
        let (start, end) = (run[0].1, run[run.len() - 1].1 + first.len_utf8());
        let sides = [before(text, start), after(text, end)].map(|side| side.map(|(c, _)| c));
        let own = |side: &Option<char>| side.is_some_and(|c| self.serves(first, c));
        let blank = |side: &Option<char>| side.is_none_or(char::is_whitespace);
        let held = run.len() < HELD && sides.iter().any(own) && sides.iter().all(|side| own(side) || blank(side));
        Some(Verdict::new(class, if held { Level::Low } else { Level::Error }, "long-run"))
    }

    /// Whether a hidden character is orthography beside a letter.
    fn serves(&self, hidden: char, letter: char) -> bool {
        match hidden {
            '\u{200C}' | '\u{200D}' => self.paragraph.lenient(letter).has(Groups::JOIN | Groups::INDIC),
            '\u{180B}'..='\u{180F}' => context::is_in(letter, icu_properties::props::Script::Mongolian),
            _ => false,
        }
    }

    /// Judges the direction controls of the paragraph around `at`; returns the offset up to which that holds.
    fn directions(&mut self, text: &[u8], at: usize) -> usize {
        let groups = self.paragraph.groups(text, at);
        let range = self.paragraph.range(text, at);
        for (nth, region) in bidi::regions(text, at, range.end).into_iter().enumerate() {
            let verdict = match runs::direction_in(text, &range, &region, groups) {
                verdict if self.modes.strict && verdict.level < Level::Warn => {
                    Verdict::new(verdict.class, Level::Warn, "strict")
                }
                verdict => verdict,
            };
            // Of a line full of them the first say enough, and drawing a line costs more than reading it.
            let is_drawn = verdict.level > Level::Info && nth < DRAWN;
            let payload = is_drawn.then(|| rendering(text, &range, &region)).flatten();
            let span = region.start..region.run_end;
            self.emit(verdict, span, &region.controls, payload);
        }
        range.end
    }
}

/// What is stored and what a reader sees, for the line around a region of direction controls.
fn rendering(text: &[u8], line: &Range<usize>, region: &bidi::Region) -> Option<Payload> {
    const AROUND: usize = 60;
    let mut from = region.start;
    for _ in 0..AROUND {
        match before(text, from) {
            Some((_, next)) if next >= line.start => from = next,
            _ => break,
        }
    }
    let mut to = region.start;
    for _ in 0..3 * AROUND {
        match after(text, to) {
            Some((_, next)) if next <= line.end => to = next,
            _ => break,
        }
    }
    let shown = String::from_utf8_lossy(&text[from..to]);
    let (logical, rendered) = bidi::logical_and_rendered(shown.trim_end());
    (logical != rendered).then(|| Payload { base: decode::shown(&logical), ..Payload::new("S10", &rendered) })
}

#[cfg(test)]
mod tests;
