//! What a command names: downloads by the program that makes them, and the flags of any program.

use self::line::Line;
use super::around::Around;
use crate::format::references::collector::{Collector, Nested};
use crate::format::references::passage::Passage;

mod fetch;
mod hub;
mod line;
mod settings;

/// Finds the references of a command.
pub(super) fn find(words: &[Passage<'_>], framework: &'static str, around: &Around, out: &mut Collector) {
    const BEFORE: &[&str] = &[
        "if", "then", "else", "elif", "do", "while", "until", "!", "time", "sudo", "exec", "nohup", "env", "command",
        "eval", "{", "}", "uv", "uvx", "poetry", "pixi", "pipenv", "run", "-", "@",
    ];
    let skip = words
        .iter()
        .take_while(|word| {
            let text = word.text();
            let sets = text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
            BEFORE.contains(&text) || sets
        })
        .count();
    let all = words;
    let words = &words[skip.min(words.len())..];
    let Some(first) = words.first() else { return kept(all, framework, around, out) };
    let line = Line::new(words, framework, around);
    // The elements of an array of addresses, which a loop downloads.
    if words.iter().all(|word| word.text().contains("://")) {
        return line.addresses(out);
    }
    let program = first.text().rsplit('/').next().unwrap_or("");
    let verb = line.text(1);
    match (program, verb) {
        ("sh" | "bash" | "zsh", _) if line.has(&["-c", "-lc", "-ec", "-xc", "-exc"]) => {
            if let Some(at) =
                (1..words.len()).find(|&at| line.text(at).starts_with('-') && line.text(at).ends_with('c'))
            {
                line.script(at + 1, out);
            }
        }
        ("python" | "python3", "-c") => {
            if let Some(code) = words.get(2) {
                out.nest(Nested::Python(code.clone().into_owned()));
            }
        }
        ("hf" | "huggingface-cli", "download") => line.hub_download(2, "hf download", line::COMMIT_FLAG, out),
        ("tune", "download") => line.hub_download(2, "tune download", line::NO_FLAG, out),
        ("modelscope", "download") => line.modelscope(out),
        ("wget" | "curl" | "aria2c" | "axel", _) => line.download(out),
        ("git", _) => line.git(out),
        ("aws", "s3") if matches!(line.text(2), "cp" | "sync" | "mv") => line.copy(3, out),
        ("aws", "s3api") if line.text(2) == "get-object" => line.get_object(out),
        ("gsutil", _) => line.copy_after(&["cp", "rsync", "mv"], out),
        ("gcloud", "storage") if matches!(line.text(2), "cp" | "rsync" | "mv") => line.copy(3, out),
        ("azcopy", "copy" | "cp" | "sync") => line.copy(2, out),
        ("s5cmd", _) => line.copy_after(&["cp", "sync"], out),
        ("kaggle", "datasets" | "competitions" | "models") => line.kaggle(out),
        ("gdown", _) => line.gdown(out),
        ("dvc", "get" | "import" | "import-url" | "get-url") => line.dvc(out),
        (
            "pip" | "pip3" | "apt" | "apt-get" | "npm" | "cargo" | "docker" | "podman" | "echo" | "cd" | "export"
            | "cat" | "grep" | "sed",
            _,
        ) => {}
        _ => {
            if matches!(program, "vllm") && verb == "serve" || matches!(program, "mlx_lm" | "sglang") {
                line.served(out);
            }
            line.flags(program, out);
        }
    }
}

/// A command that a variable keeps until it is run: `LAUNCH="accelerate launch train.py --model_name_or_path …"`.
fn kept(words: &[Passage<'_>], framework: &'static str, around: &Around, out: &mut Collector) {
    for word in words {
        let Some((name, value)) = word.text().split_once('=').filter(|(_, value)| value.contains(" --")) else {
            continue;
        };
        let mut script = Passage::default();
        script.append(word, name.len() + 1..name.len() + 1 + value.len());
        out.nest(Nested::Shell { script, framework, variables: around.variables.clone() });
    }
}
