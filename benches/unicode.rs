//! The byte pass and the state machine of `invisible-unicode`, on text that was generated for it: gigabytes a second, on
//! one thread, without reading files. `cargo bench --bench unicode`.

#![allow(missing_docs, clippy::print_stdout)] // a bench prints

use std::io::Read;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

/// The machine is no part of the public library, so its rooms are built in here as they stand.
#[allow(dead_code, unused_imports, unused_macros, unreachable_pub)]
#[path = "../src/check/invisible_unicode"]
mod unicode {
    mod around;
    mod bidi;
    mod context;
    mod controls;
    mod decode;
    mod machine;
    mod prefilter;
    mod runs;
    mod tables;
    mod variants;

    use machine::{Machine, Modes};
    use prefilter::Prefilter;

    /// Hits of a text, by the byte pass alone.
    pub fn hits(text: &[u8]) -> usize {
        let mut hits = Prefilter { escapes: true, wide: false }.hits(text);
        let (mut count, mut at) = (0, 0);
        while let Some(hit) = hits.first_from(at) {
            count += 1;
            at = hit + 1;
        }
        count
    }

    /// Occurrences in the lines of a text: the byte pass over all of it, the machine for the lines with a hit.
    pub fn occurrences(text: &[u8]) -> usize {
        let mut machine = Machine::new(Modes::default());
        let mut hits = Prefilter { escapes: true, wide: false }.hits(text);
        let (mut count, mut at) = (0, 0);
        while let Some(hit) = hits.first_from(at) {
            let start = memchr::memrchr(b'\n', &text[at..hit]).map_or(at, |n| at + n + 1);
            let end = memchr::memchr(b'\n', &text[hit..]).map_or(text.len(), |n| hit + n);
            let line = &text[start..end];
            machine.scan(line, &mut hits, start, false);
            count += machine.found.len();
            at = end;
        }
        count
    }
}

const SIZE: usize = 32 << 20;

const TEXTS: [&str; 7] = ["ascii", "curly", "mixed", "persian", "khmer", "emoji", "escaped"];

/// JSON Lines of the named kind.
fn text(kind: &str) -> Vec<u8> {
    let sentences: &[&str] = match kind {
        "ascii" => &[
            "please tell me where my card is and when it will arrive",
            "I was charged twice for one order, why is that?",
        ],
        "curly" => &[
            "it’s “quoted” text — with dashes… and nothing hidden at all in it",
            "naïve café, 5 °C, £3 and «guillemets»",
        ],
        "mixed" => &[
            "请问我的银行卡什么时候能到，我已经等了两个星期了。",
            "где моя карта и когда она придёт, я жду уже две недели",
            "کارت من کجاست و چه زمانی خواهد رسید",
        ],
        "persian" => &[
            "او نمی\u{200C}داند که بچه\u{200C}ها کجا رفته\u{200C}اند و چه می\u{200C}کنند",
            "کتاب\u{200C}خانه\u{200C}های شهر بسته\u{200C}اند",
        ],
        "khmer" => &["ខ្ញុំ\u{200B}ចង់\u{200B}ទៅ\u{200B}សាលារៀន\u{200B}ជាមួយ\u{200B}មិត្តភក្តិ\u{200B}របស់\u{200B}ខ្ញុំ"],
        "emoji" => &["great work 👩\u{200D}💻 ❤\u{FE0F} see you tomorrow 👍🏽 and bring the cake", "😂😂😂 no way"],
        _ => &[
            r"\u8bf7\u95ee\u6211\u7684\u94f6\u884c\u5361\u4ec0\u4e48\u65f6\u5019\u80fd\u5230",
            r"a \ud83d\ude00 line\nwith \u201cquotes\u201d",
        ],
    };
    let mut out = Vec::with_capacity(SIZE + 512);
    let mut n = 0;
    while out.len() < SIZE {
        let sentence = sentences[n % sentences.len()];
        out.extend_from_slice(
            format!("{{\"id\": {n}, \"text\": \"{sentence}\", \"label\": \"class_{}\"}}\n", n % 7).as_bytes(),
        );
        n += 1;
    }
    out
}

#[divan::bench(args = TEXTS, max_time = 2)]
fn byte_pass(bencher: Bencher<'_, '_>, kind: &str) {
    let text = text(kind);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| unicode::hits(black_box(&text)));
}

#[divan::bench(args = TEXTS, max_time = 2)]
fn lines_judged(bencher: Bencher<'_, '_>, kind: &str) {
    let text = text(kind);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| unicode::occurrences(black_box(&text)));
}

/// Passes over files as a program would that does nothing else: in pieces that end with a line.
fn pass(files: &[String]) -> std::io::Result<usize> {
    let mut buffer = vec![0; 256 << 10];
    let mut count = 0;
    for path in files {
        let mut file = std::fs::File::open(path)?;
        let mut kept = 0;
        loop {
            let read = file.read(&mut buffer[kept..])?;
            let len = kept + read;
            let end = memchr::memrchr(b'\n', &buffer[..len]).filter(|_| read > 0).map_or(len, |n| n + 1);
            count += unicode::hits(&buffer[..end]);
            if read == 0 {
                break;
            }
            buffer.copy_within(end..len, 0);
            kept = len - end;
        }
    }
    Ok(count)
}

/// `--files FILE…` passes over these and prints the number of hits, for `benches/against`.
fn main() {
    let files: Vec<String> = std::env::args().skip_while(|argument| argument != "--files").skip(1).collect();
    if files.is_empty() {
        return divan::main();
    }
    match pass(&files) {
        Ok(count) => println!("{count}"),
        Err(error) => panic!("{error}"),
    }
}
