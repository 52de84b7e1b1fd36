//! `foretaste check`: the main job.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::progress::Bar;
use super::{AsOf, Console, Stop, Verdict, as_of, environment, write_file};
use crate::engine::{Checker, Outcome};
use crate::report::{self, Format, Options, Redact, Report};
use crate::rule::Severity;
use crate::source::Scope;

/// What `foretaste check` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Judge what is staged, against HEAD.
    #[arg(long, group = "scope")]
    staged: bool,
    /// Judge what HEAD brings over its merge base with BASE.
    #[arg(long, value_name = "BASE..HEAD", group = "scope")]
    range: Option<String>,
    /// Judge all files of a revision.
    #[arg(long, value_name = "REV", group = "scope")]
    rev: Option<String>,
    /// Files and folders to judge; everything in scope without them. Outside a repository: plain files.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

/// Which policy judges, and how strictly.
#[derive(Clone, Debug, Args)]
pub(super) struct Judging {
    /// Judge by this policy file instead of the one on the trusted side.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Judge by the work tree's policy, as a preview of what it says once it has landed.
    #[arg(long, value_name = "SIDE", value_parser = ["worktree"], conflicts_with = "policy")]
    pub(super) policy_from: Option<String>,
    /// Fail (exit code 1) on findings of this severity or above.
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severity)]
    pub(super) fail_on: Severity,
    #[command(flatten)]
    pub(super) as_of: AsOf,
}

/// How the result is shown.
#[derive(Clone, Debug, Args)]
pub(super) struct Showing {
    /// What standard output gets: human, json, sarif, github, markdown or html.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write another report to a file, any number of times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    output: Vec<(Format, PathBuf)>,
    /// For public logs: no excerpts, pseudonyms for people, hashes for rows.
    #[arg(long)]
    redact: bool,
    /// Show what is harmless alone, too: hidden characters that are usually honest.
    #[arg(long)]
    show_info: bool,
}

impl Showing {
    /// Writes one more report, where there is a file for it.
    pub(super) fn also(&mut self, format: Format, file: Option<std::ffi::OsString>) {
        self.output.extend(file.map(|file| (format, PathBuf::from(file))));
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" => Ok(Severity::Note),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("one of: note, warning, error".to_owned()),
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write it as FORMAT=FILE, for example sarif=report.sarif")?;
    if file.is_empty() {
        return Err("the file name is missing after the =".to_owned());
    }
    Ok((format.parse()?, PathBuf::from(file)))
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let scope = match (&arguments.range, &arguments.rev) {
        (Some(range), _) => range_of(range)?,
        (_, Some(rev)) => Scope::Revision(rev.clone()),
        _ if arguments.staged => Scope::Staged,
        _ => Scope::Worktree,
    };
    let show_info = arguments.showing.show_info;
    let checker = checker(&arguments.judging)?.scope(scope).paths(&arguments.paths).show_info(show_info);
    let bar = Bar::new(console.quiet);
    let outcome = checker.run_with(".", &bar)?;
    show(&outcome, &arguments.judging, &arguments.showing, console)
}

/// A checker that judges as asked.
pub(super) fn checker(judging: &Judging) -> Result<Checker, Stop> {
    let checker = checker_of(judging.policy.as_deref(), &judging.as_of)?;
    Ok(if judging.policy_from.is_some() { checker.policy_from_worktree() } else { checker })
}

/// A checker of the work tree, by the policy in this file where one is named.
pub(super) fn checker_of(policy: Option<&Path>, day: &AsOf) -> Result<Checker, Stop> {
    let checker = Checker::new().environment(environment()).as_of(as_of(day)?);
    let Some(path) = policy else { return Ok(checker) };
    let text = fs::read_to_string(path).map_err(|error| {
        Stop::Say(format!(
            "cannot read the policy {}: {error}; check its name, and that you may read it",
            path.display()
        ))
    })?;
    Ok(checker.policy(&path.display().to_string(), &text))
}

/// Writes every report that was asked for and gives the exit code.
pub(super) fn show(outcome: &Outcome, judging: &Judging, showing: &Showing, console: &Console) -> Verdict {
    let options = Options {
        colour: console.color,
        quiet: console.quiet,
        fail_on: judging.fail_on,
        redact: showing.redact.then(redact),
        ..Options::default()
    };
    let report = Report::new(outcome, outcome, &options);
    for (format, path) in &showing.output {
        let mut bytes = Vec::new();
        report.write(*format, &Options { colour: false, ..options.clone() }, &mut bytes)?;
        write_file(path, &bytes)?;
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match report.write(showing.format, &options, &mut out).and_then(|()| out.flush()) {
        // Whoever read has gone; the verdict stands all the same.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(report::exit_code(outcome, judging.fail_on))
}

/// A key that nobody knows, unless the environment names one: with the same key, reports of several runs can be compared.
fn redact() -> Redact {
    use std::hash::{BuildHasher, RandomState};
    let mut key = [0; 32];
    match std::env::var_os("FORETASTE_REDACT_KEY") {
        Some(text) => {
            use sha2::Digest;
            key = sha2::Sha256::digest(text.as_encoded_bytes()).into();
        }
        None => {
            for part in key.chunks_mut(8) {
                part.copy_from_slice(&RandomState::new().hash_one(0_u8).to_le_bytes());
            }
        }
    }
    Redact::new(key)
}

/// `BASE..HEAD` or `BASE...HEAD`: both mean what HEAD brings over the merge base.
pub(super) fn range_of(text: &str) -> Result<Scope, Stop> {
    let (base, head) = text
        .split_once("...")
        .or_else(|| text.split_once(".."))
        .ok_or_else(|| Stop::Say(format!("{text} is no range; write BASE..HEAD, for example origin/main..HEAD")))?;
    let side = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
    Ok(Scope::Range { base: side(base), head: side(head) })
}
