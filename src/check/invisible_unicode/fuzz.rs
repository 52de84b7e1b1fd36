//! Mutated bytes for the state machine, the decoders and the mapper of JSON escapes. What an input makes them say stands
//! in for coverage: an input that makes them say something new is kept, and others are made of it.
//!
//! A short run belongs to every test run. A long one is asked for by name, one minute or as many as are wanted:
//! `FORETASTE_FUZZ_MINUTES=10 cargo test --lib invisible_unicode::fuzz -- --ignored --nocapture`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::layers::Layers;
use super::machine::{Machine, Modes};
use super::prefilter::Prefilter;
use super::{Groups, bidi, context, decode, stacked};
use crate::check::visible;
use crate::format::coding::{self, Trail};
use crate::format::{Coding, Kind};

/// What inputs are made of: members of every class, letters whose context excuses them, escapes, and malformed bytes.
#[rustfmt::skip]
const PIECES: &[&[u8]] = &[
    b"a", b"hello ", b"\n", b"\r", b"\t", b"\"", b"\"\"", b"\\", b"\\\\", b",", b"0", b"12/3", b"{", b"}",
    b"\\n", b"\\u200b", b"\\u200B", b"\\ud83d", b"\\ude00", b"\\udb40\\udc41", b"\\u0301", b"\\u0000", b"\\uFFFF", b"\\u00",
    b"\\x1b[", b"\\u0026#x200b;", b"\\\\u200b",
    b"&#8203", b"&#x200b;", b"&amp;#x200B;", b"&zwnj;", b"&ZeroWidthSpace;", b"&shy", b"&amp;", b"%E2%80%8B", b"%F3%A0%81%81", b"%25", b"%",
    "\u{200B}".as_bytes(), "\u{200C}".as_bytes(), "\u{200D}".as_bytes(), "\u{2060}".as_bytes(), "\u{FEFF}".as_bytes(),
    "\u{202A}".as_bytes(), "\u{202D}".as_bytes(), "\u{202E}".as_bytes(), "\u{202C}".as_bytes(), "\u{2066}".as_bytes(),
    "\u{2067}".as_bytes(), "\u{2068}".as_bytes(), "\u{2069}".as_bytes(), "\u{200E}".as_bytes(), "\u{200F}".as_bytes(),
    "\u{61C}".as_bytes(), "\u{E0001}".as_bytes(), "\u{E0041}".as_bytes(), "\u{E0067}".as_bytes(), "\u{E007F}".as_bytes(),
    "\u{1F3F4}".as_bytes(), "\u{FE00}".as_bytes(), "\u{FE0E}".as_bytes(), "\u{FE0F}".as_bytes(), "\u{E0100}".as_bytes(),
    "\u{E0138}".as_bytes(), "\u{E01EF}".as_bytes(), "\u{3164}".as_bytes(), "\u{115F}".as_bytes(), "\u{1160}".as_bytes(),
    "\u{FFA0}".as_bytes(), "\u{1100}".as_bytes(), "\u{3131}".as_bytes(), "\u{180E}".as_bytes(), "\u{180B}".as_bytes(),
    "\u{AD}".as_bytes(), "\u{34F}".as_bytes(), "\u{2061}".as_bytes(), "\u{2062}".as_bytes(), "\u{2063}".as_bytes(),
    "\u{2064}".as_bytes(), "\u{2065}".as_bytes(), "\u{FFF0}".as_bytes(), "\u{E0FFF}".as_bytes(), "\u{E5000}".as_bytes(),
    "\u{FFF9}".as_bytes(), "\u{FFFA}".as_bytes(), "\u{FFFB}".as_bytes(), "\u{206A}".as_bytes(), "\u{1D173}".as_bytes(),
    "\u{1D17A}".as_bytes(), "\u{1BCA0}".as_bytes(), "\u{17B4}".as_bytes(), "\u{2800}".as_bytes(), "\u{A0}".as_bytes(),
    "\u{3000}".as_bytes(), "\u{202F}".as_bytes(), "\u{2028}".as_bytes(), "\u{2029}".as_bytes(), b"\x00", b"\x08", b"\x7f",
    b"\x0b", b"\x1b", b"\x1b[8m", b"\x1b[0m", b"\x1b]8;;x\x07", b"\x1b]", "\u{9B}8m".as_bytes(), "\u{9D}8;;u\u{9C}".as_bytes(),
    "\u{85}".as_bytes(), "\u{E000}".as_bytes(), "\u{FDD0}".as_bytes(), "\u{1FFFF}".as_bytes(), "\u{301}".as_bytes(),
    "\u{30A}".as_bytes(), "\u{FFFD}".as_bytes(), "é".as_bytes(), "ن".as_bytes(), "می".as_bytes(), "א".as_bytes(), "क".as_bytes(),
    "\u{94D}".as_bytes(), "ක".as_bytes(), "ខ".as_bytes(), "ไ".as_bytes(), "中".as_bytes(), "葛".as_bytes(), "ᠠ".as_bytes(),
    "\u{1F469}".as_bytes(), "\u{1F3FD}".as_bytes(), "\u{1F1E9}".as_bytes(), "\u{20E3}".as_bytes(), "\u{2764}".as_bytes(),
    b"\xE2", b"\xE2\x80", b"\xF3\xA0", b"\xED\xA0\x80", b"\xC0\x80", b"\xF5", b"\x80", b"\xFF",
];

/// Longer inputs are cut.
const LONGEST: usize = 1 << 14;
const CORPUS: usize = 8192;
/// Bytes of a text beside one that is four times as long; what looks ahead only so far looks less far than this.
const SHORT: usize = 2048;
/// No byte may cost more steps over characters.
const STEPS: u64 = 8192;

/// A generator of numbers that is the same on every machine: xorshift.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn piece(&mut self) -> &'static [u8] {
        PIECES[self.below(PIECES.len())]
    }

    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(4) {
            let (a, b) = (self.below(input.len() + 1), self.below(input.len() + 1));
            let (a, b) = (a.min(b), a.max(b));
            match self.below(16) {
                0..=6 => drop(input.splice(a..a, self.piece().iter().copied())),
                7 => drop(input.splice(a..b, self.piece().iter().copied())),
                8 => drop(input.drain(a..b.min(a + 8))),
                9 if !input.is_empty() => input[a.min(b.max(1) - 1)] ^= 1 << self.below(8),
                10 => {
                    // What many of one kind do only shows where there are many.
                    let times = 1 << self.below(10);
                    let piece = self.piece().repeat(times);
                    input.splice(a..a, piece);
                }
                11 => {
                    let part = input[a..b.min(a + 64)].repeat(1 << self.below(6));
                    input.splice(b..b, part);
                }
                12 => {
                    let other = &corpus[self.below(corpus.len())];
                    let from = self.below(other.len() + 1);
                    input.splice(a..b, other[from..].iter().copied());
                }
                13 => input.truncate(b),
                _ => input.extend_from_slice(self.piece()),
            }
            input.truncate(LONGEST);
        }
        input
    }
}

/// What an input made a target say, as numbers.
#[derive(Default)]
struct Said(Vec<u64>);

impl Said {
    fn note(&mut self, what: impl std::hash::Hash) {
        use std::hash::BuildHasher;
        self.0.push(rustc_hash::FxBuildHasher.hash_one(what));
    }
}

/// How long a run goes on.
enum Until {
    Executions(u64),
    Minutes(u64),
}

fn fuzz(name: &str, until: &Until, target: impl Fn(&[u8], &mut Said)) {
    let seed = std::env::var("FORETASTE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut corpus: Vec<Vec<u8>> = vec![Vec::new()];
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    let start = Instant::now();
    let (mut executions, mut bytes, mut slowest, mut most_steps) = (0_u64, 0_u64, (0_u128, 0_usize), 0);
    let on = |executions: u64| match until {
        Until::Executions(most) => executions < *most,
        Until::Minutes(minutes) => start.elapsed() < Duration::from_secs(60 * minutes),
    };
    while on(executions) {
        // Every piece by itself first.
        let input = match PIECES.get(executions as usize) {
            Some(piece) => piece.to_vec(),
            None => dice.mutated(&corpus),
        };
        let mut said = Said::default();
        let (began, before) = (Instant::now(), context::steps::taken());
        let fine = catch_unwind(AssertUnwindSafe(|| target(&input, &mut said))).is_ok();
        let took = began.elapsed();
        assert!(fine, "{name} fails on \"{}\" (seed {seed}, execution {executions})", input.escape_ascii());
        let steps = (context::steps::taken() - before) / (input.len() as u64 + 64);
        assert!(
            steps < STEPS,
            "{name} walks on and on \"{}\" (seed {seed}, execution {executions})",
            input.escape_ascii()
        );
        most_steps = most_steps.max(steps);
        if input.len() >= 1024 {
            slowest = slowest.max((took.as_nanos() / input.len() as u128, input.len()));
        }
        executions += 1;
        bytes += input.len() as u64;
        let before = seen.len();
        seen.extend(said.0);
        if seen.len() > before && corpus.len() < CORPUS {
            corpus.push(input);
        }
    }
    println!(
        "{name}: {executions} executions, {bytes} bytes, {} inputs in the corpus ({} bytes), {} behaviours, slowest \
         {} ns a byte (at {} bytes), at most {most_steps} steps a byte, {} s",
        corpus.len(),
        corpus.iter().map(Vec::len).sum::<usize>(),
        seen.len(),
        slowest.0,
        slowest.1,
        start.elapsed().as_secs(),
    );
}

fn long() -> Until {
    Until::Minutes(std::env::var("FORETASTE_FUZZ_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(1))
}

/// The byte pass, the machine, what `fix` cuts, the layers behind a text and marks that are piled up.
fn state_machine(input: &[u8], said: &mut Said) {
    let few = |n: u64| n.checked_ilog2();
    for modes in [
        Modes::default(),
        Modes { info: true, ..Modes::default() },
        Modes { info: true, strict: true, lenient: Groups::NONE },
    ] {
        let mut machine = Machine::new(modes);
        let filter = Prefilter { escapes: false, wide: modes.info };
        machine.scan(input, &mut filter.hits(input), 0, true);
        let mut last = ("", "");
        for found in &machine.found {
            assert!(found.range.start < found.range.end && found.range.end <= input.len(), "{found:?}");
            assert!(found.characters > 0 && !found.finding.is_empty(), "{found:?}");
            let scheme = found.payload.as_ref().map_or("", |payload| payload.scheme);
            said.note((found.class, found.level as u8, found.finding, scheme, few(found.characters)));
            said.note((last, found.finding, scheme));
            last = (found.finding, scheme);
        }
        let first = machine.found.clone();
        machine.scan(input, &mut filter.hits(input), 0, true);
        assert_eq!(machine.found, first, "what was scanned before does not matter");

        let cuts = machine.remedies(input, &mut filter.hits(input), 0, false);
        let mut done = 0;
        for cut in &cuts {
            assert!(done <= cut.range.start && cut.range.start < cut.range.end && cut.range.end <= input.len());
            done = cut.range.end;
            said.note((cut.safe, cut.space, few(cut.characters)));
        }
    }
    for kind in [Kind::JsonLines, Kind::Yaml, Kind::Python] {
        let layers = Layers::of(kind, true);
        let mut last = None;
        for at in layers.openings(input, kind == Kind::JsonLines) {
            assert!(at < input.len() && last.is_none_or(|last| last <= at));
            last = Some(at);
        }
        let mut peeled = super::layers::Peeled::default();
        if layers.peel(input, &mut peeled) {
            let mut machine = Machine::new(Modes { info: true, ..Modes::default() });
            let filter = Prefilter { escapes: false, wide: true };
            machine.scan(&peeled.text, &mut filter.hits(&peeled.text), 0, false);
            for found in &machine.found {
                let source = peeled.source(&found.range);
                assert!(source.start <= source.end && source.end <= input.len(), "{found:?} {source:?}");
                said.note((peeled.layer(&found.range).map(|layer| layer.name()), found.finding));
            }
        }
    }
    for stack in stacked::find(input) {
        assert!(stack.range.start < stack.range.end && stack.range.end <= input.len());
        said.note(("stack", few(stack.count), stack.marks.len().min(8)));
    }
    let text = String::from_utf8_lossy(input);
    let seen = visible(&text);
    assert_eq!(visible(&seen), visible(&visible(&seen)));
    let (logical, rendered) = bidi::logical_and_rendered(&text);
    assert!(rendered.chars().count() <= logical.chars().count());
    said.note((logical == rendered, few(rendered.chars().count() as u64)));
}

/// The decoders on what the input says, and on the input itself as a payload of every scheme that is exact.
fn decoders(input: &[u8], said: &mut Said) {
    let hidden: Vec<char> = String::from_utf8_lossy(input).chars().collect();
    if let Some(payload) = decode::run(&hidden) {
        assert!(payload.text.chars().count() <= 200 * 10, "{payload:?}");
        assert!(!payload.text.chars().any(char::is_control), "{payload:?}");
        said.note((payload.scheme, payload.text.is_empty(), payload.bits.and_then(usize::checked_ilog2)));
        said.note((payload.scheme, payload.kind, decode::is_words(&payload.text)));
    }
    let short = &hidden[..hidden.len().min(256)];
    for candidate in decode::candidates(short) {
        said.note((candidate.scheme, candidate.bytes.len().checked_ilog2()));
    }
    let payload = &input[..input.len().min(256)];
    let selectors: Vec<char> = payload
        .iter()
        .filter_map(|&b| char::from_u32(if b < 16 { 0xFE00 + u32::from(b) } else { 0xE0100 + u32::from(b) - 16 }))
        .collect();
    assert_eq!(decode::selector_bytes(&selectors).as_deref(), Some(payload));
    let is_read = |hidden: &[char]| decode::candidates(hidden).iter().any(|c| c.bytes == payload);
    assert!(payload.len() < 2 || is_read(&selectors));
    let Ok(text) = std::str::from_utf8(payload) else { return };
    if text.len() < 2 {
        return;
    }
    said.note((decode::kind_of(payload), decode::is_words(text)));
    let bits: Vec<char> = payload
        .iter()
        .flat_map(|&b| (0..8).rev().map(move |n| if b >> n & 1 == 1 { '\u{2064}' } else { '\u{2062}' }))
        .collect();
    let both = bits.contains(&'\u{2062}') && bits.contains(&'\u{2064}');
    assert!(!both || is_read(&bits));
}

/// The mapper of escapes: every range of a decoded value leads to the raw bytes that decode to it.
fn json_escapes(input: &[u8], said: &mut Said) {
    for coding in [Coding::Json, Coding::Csv, Coding::Plain] {
        let text = coding::decode(coding, input);
        let mut again = String::new();
        coding::decode_into(coding, input, &mut again);
        assert_eq!(text, again);
        let mut trail = Trail::new(coding, input);
        let (mut done, mut last) = (0, 0);
        for (n, (at, c)) in text.char_indices().enumerate() {
            let range = at..at + c.len_utf8();
            let raw = trail.lead(range.clone());
            assert!(done <= raw.start && raw.start < raw.end && raw.end <= input.len(), "{range:?} {raw:?}");
            assert_eq!(coding::decode(coding, &input[raw.clone()]), text[range.clone()], "{range:?} {raw:?}");
            if n < 16 {
                assert_eq!(Trail::new(coding, input).lead(range), raw, "alone and one after the other");
            }
            said.note((c.len_utf8(), raw.len(), last));
            (done, last) = (raw.end, raw.len());
        }
        assert_eq!(done, input.len(), "no byte belongs to nothing");
    }
    let quoted = [b"\"", input, b"\""].concat();
    if let Ok(value) = serde_json::from_slice::<String>(&quoted) {
        assert_eq!(coding::decode(Coding::Json, input), value);
        said.note(value.len().checked_ilog2());
    }
}

#[test]
fn a_few_thousand_mutated_inputs_break_nothing() {
    fuzz("state machine", &Until::Executions(600), state_machine);
    fuzz("decoders", &Until::Executions(600), decoders);
    fuzz("JSON escapes", &Until::Executions(600), json_escapes);
}

#[test]
#[ignore = "runs for FORETASTE_FUZZ_MINUTES minutes"]
fn long_state_machine() {
    fuzz("state machine", &long(), state_machine);
}

#[test]
#[ignore = "runs for FORETASTE_FUZZ_MINUTES minutes"]
fn long_decoders() {
    fuzz("decoders", &long(), decoders);
}

#[test]
#[ignore = "runs for FORETASTE_FUZZ_MINUTES minutes"]
fn long_json_escapes() {
    fuzz("JSON escapes", &long(), json_escapes);
}

/// Four times the text costs about four times the steps: pieces, and pairs of pieces, repeated.
#[test]
fn work_grows_with_the_text_and_no_faster() {
    let steps = |input: &[u8]| {
        let before = context::steps::taken();
        let mut machine = Machine::new(Modes { info: true, ..Modes::default() });
        let filter = Prefilter { escapes: false, wide: true };
        machine.scan(input, &mut filter.hits(input), 0, true);
        machine.remedies(input, &mut filter.hits(input), 0, false);
        stacked::find(input);
        context::steps::taken() - before + input.len() as u64
    };
    let mut worst = (0, Vec::new());
    for (n, a) in PIECES.iter().enumerate() {
        for b in [&b""[..], PIECES[(n * 7 + 3) % PIECES.len()]] {
            let unit = [*a, b].concat();
            let text = |size: usize| unit.repeat(size / unit.len());
            let (small, large) = (steps(&text(SHORT)), steps(&text(4 * SHORT)));
            let tenths = large * 10 / small;
            assert!(tenths < 55, "{} times 4: {small} -> {large} steps", unit.escape_ascii());
            worst = worst.max((tenths, unit));
        }
    }
    println!("4 times the text costs at most {} tenths of the steps, for \"{}\"", worst.0, worst.1.escape_ascii());
}
