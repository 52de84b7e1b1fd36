//! How fast blobs become records, beside a pass that only looks for line ends.
//!
//! Prints gigabytes per CPU second of this thread, best of several runs: wall time means little on a shared machine.
//! `cargo bench --bench formats`.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a bench prints

use std::hint::black_box;
use std::time::Instant;

const SIZE: usize = 32 << 20;

/// Nanoseconds that this process has spent on a CPU, as the kernel counts them; wall time where it does not say.
fn cpu(start: Instant) -> u128 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_cpu = said.and_then(|text| text.split(' ').next()?.parse().ok());
    on_cpu.unwrap_or_else(|| start.elapsed().as_nanos())
}

fn measure(name: &str, bytes: &[u8], pass: impl Fn(&[u8]) -> u64) -> f64 {
    let start = Instant::now();
    let mut best = 0.0_f64;
    let mut count = 0;
    for _ in 0..5 {
        // The kernel counts in ticks, so that a single pass is too short to be timed.
        let (before, mut passes) = (cpu(start), 0);
        while cpu(start) - before < 200_000_000 {
            count = black_box(pass(black_box(bytes)));
            passes += 1;
        }
        best = best.max(bytes.len() as f64 * f64::from(passes) / (cpu(start) - before) as f64);
    }
    let speed = best;
    println!("{name:28} {speed:7.2} GB/CPU-s {count:>12}");
    speed
}

/// Words that vary without a generator of random numbers: the same on every machine.
fn words(n: usize, count: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "flight", "please", "book", "to", "money", "a", "tomorrow", "card", "is", "lost", "weather", "in", "my",
        "play", "account",
    ];
    (0..count).map(|i| WORDS[(n.wrapping_mul(2_654_435_761) >> (i % 24)) % 16]).collect::<Vec<_>>().join(" ")
}

fn filled(mut row: impl FnMut(usize) -> String, head: &str) -> Vec<u8> {
    let mut text = head.to_owned();
    let mut n = 0;
    while text.len() < SIZE {
        text.push_str(&row(n));
        n += 1;
    }
    text.into_bytes()
}

fn main() {
    let label = |n: usize| ["travel", "banking", "smalltalk"][n % 3];
    let rows = filled(
        |n| format!("{{\"id\": \"{n:08}\", \"text\": \"{}\", \"label\": \"{}\"}}\n", words(n, 30), label(n)),
        "",
    );
    let short = filled(|n| format!("{{\"text\": \"{}\", \"label\": {}}}\n", words(n, 8), n % 7), "");
    let chat = filled(
        |n| {
            let (q, a) = (words(n, 20), words(n + 1, 120));
            format!(
                "{{\"messages\": [{{\"role\": \"user\", \"content\": \"{q}\\n\"}}, {{\"role\": \"assistant\", \"content\": \"{a}\"}}]}}\n"
            )
        },
        "",
    );
    let array = {
        let mut text = vec![b'['];
        let lines = rows.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        for (i, line) in lines.enumerate() {
            text.extend_from_slice(if i == 0 { b"\n" } else { b",\n" });
            text.extend_from_slice(line);
        }
        text.extend_from_slice(b"\n]\n");
        text
    };
    let table = filled(|n| format!("{n},{},{}\n", words(n, 30), label(n)), "id,text,label\n");
    let quoted = filled(
        |n| format!("\"{n}\",\"{}, \"\"so\"\"\",\"{}\"\n", words(n, 30), label(n)),
        "\"id\",\"text\",\"label\"\n",
    );
    let prose = filled(|n| words(n, 12) + "\n", "");

    measure("line ends (memchr)", &rows, |bytes| memchr::memchr_iter(b'\n', bytes).count() as u64);
    measure("UTF-8 check (simdutf8)", &rows, |bytes| u64::from(simdutf8::basic::from_utf8(bytes).is_ok()));
    for (name, path, bytes) in [
        ("JSON Lines, 215 B", "a.jsonl", &rows),
        ("JSON Lines, 75 B", "a.jsonl", &short),
        ("JSON Lines, chat", "a.jsonl", &chat),
        ("JSON array", "a.json", &array),
        ("CSV", "a.csv", &table),
        ("CSV, quoted", "a.csv", &quoted),
        ("text", "a.txt", &prose),
    ] {
        measure(name, bytes, |bytes| foretaste::count_cells(path, bytes).expect("is readable"));
    }
}
