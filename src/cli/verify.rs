//! `foretaste verify`: compares the data on disk with foretaste.lock, checks its signatures, and lets a run begin only then.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sha2::{Digest, Sha256};

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::sign::{self, Signer};
use super::{Console, Stop, Verdict, lock, root, write_file};
use crate::engine::{Checker, Outcome};
use crate::policy::lock::{Lock, Moment, hex, is_name, receipt};
use crate::policy::signature::{self, Kind, Subject, Trust};
use crate::policy::{self, Policy};
use crate::report;
use crate::source::Scope;

/// What `foretaste verify` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Compare by BLAKE3 alone, which is faster; SHA-256 is what is signed.
    #[arg(long)]
    blake3: bool,
    /// Where a folder outside of the repository is that `lock --from` locked.
    #[arg(long, value_name = "NAME=FOLDER", value_parser = lock::folder)]
    from: Vec<(String, PathBuf)>,
    /// Begin this run of the policy if everything verifies, and leave a signed receipt of it.
    #[arg(long, value_name = "NAME", requires_all = ["key", "command"], conflicts_with_all = ["policy", "policy_from"])]
    run: Option<String>,
    /// The secret key that signs the receipt.
    #[arg(long, value_name = "KEY", requires = "run")]
    key: Option<PathBuf>,
    /// The command of the run.
    #[arg(last = true, value_name = "COMMAND", requires = "run")]
    command: Vec<OsString>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    showing: Showing,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    if !root.join(policy::LOCK).exists() {
        return Err(Stop::Say(format!("there is no {} here; write it with `foretaste lock`", policy::LOCK)));
    }
    // Keys and thresholds come from HEAD: whoever changed the data on disk must not choose who may sign for it.
    let moment = if arguments.run.is_some() { Moment::Run } else { Moment::Merge };
    let checker = check::checker(&arguments.judging)?
        .scope(Scope::Worktree)
        .policy_from_head()
        .hashing(arguments.blake3)
        .outside(&arguments.from)
        .moment(moment)
        .only(&["digest-mismatch", "bad-signature"]);
    let mut signer = None;
    if let Some((name, key)) = arguments.run.as_ref().zip(arguments.key.as_ref()) {
        let policy = checker.judged_by(&root)?.0;
        known(name, &policy)?;
        signer = Some((name, counting(key, &policy)?, policy));
    }
    let outcome = checker.run_with(&root, &Bar::new(console.quiet))?;
    let code = check::show(&outcome, &arguments.judging, &arguments.showing, console)?;
    match signer {
        Some((name, signer, policy)) if code == 0 => {
            Begun { name, signer, policy, arguments, checker, outcome, root }.run(console)
        }
        Some((name, ..)) => {
            writeln!(io::stderr(), "foretaste: the run {name} was not begun: mend what is told above first")?;
            Ok(code)
        }
        None => Ok(code),
    }
}

/// Refuses a run that the policy does not name.
fn known(name: &str, policy: &Policy) -> Result<(), Stop> {
    if is_name(name) && !name.contains('/') && policy.runs.0.iter().any(|(known, _)| known.value == name) {
        return Ok(());
    }
    Err(Stop::Say(format!("the policy at HEAD names no run {name}; add it under `runs:` and commit that first")))
}

/// The key for the receipt, before hours of training have gone by: one whose signature will count.
fn counting(path: &Path, policy: &Policy) -> Result<Signer, Stop> {
    let signer = Signer::open(path)?;
    let path = path.display();
    let Some(key) = policy.keys.iter().find(|key| signer.is_of(key)) else {
        return Err(Stop::Say(format!(
            "{path} is the secret half of no key in the policy at HEAD, so that a receipt by it would not count; name \
             another with --key, or add its public half under `keys:` and commit that first"
        )));
    };
    let (keys, as_of) = (policy.keys.as_slice(), policy.as_of);
    let trust = Trust { keys, as_of, max_age_days: None, standing: false };
    if let Err(refused) = signature::in_force(key, None, &trust) {
        let why = refused.why;
        return Err(Stop::Say(format!("a receipt by {path} would not count: {why}; name another key with --key")));
    }
    if signer.is_sealed() {
        return Err(Stop::Say(format!(
            "{path} has a password, which only ssh-keygen asks for; sign receipts with a minisign key (`foretaste key`), or \
             with an SSH key without one"
        )));
    }
    Ok(signer)
}

/// A run that is about to begin.
struct Begun<'a> {
    name: &'a str,
    signer: Signer,
    policy: Policy,
    arguments: &'a Arguments,
    checker: Checker,
    outcome: Outcome,
    root: PathBuf,
}

impl Begun<'_> {
    /// Runs the command that the user typed and leaves the receipt: what was verified, when, and under which policy.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command is the user's own, behind --, and nothing of the repository"
    )]
    fn run(&self, console: &Console) -> Verdict {
        let Self { name, arguments, outcome, root, .. } = self;
        let text = std::fs::read(root.join(policy::LOCK))?;
        let lock =
            Lock::parse(&text).map_err(|error| Stop::Say(format!("{error}; write it anew with `foretaste lock`")))?;
        let (program, rest) =
            arguments.command.split_first().ok_or_else(|| Stop::Say("name the command behind --".to_owned()))?;
        let started = sign::now()?;
        let status = Command::new(program).args(rest).status().map_err(|error| {
            Stop::Say(format!("cannot begin {}: {error}; no receipt was written", program.to_string_lossy()))
        })?;
        let ended = sign::now()?;
        if let Some(what) = self.changed(&text, console)? {
            writeln!(
                io::stderr(),
                "foretaste: {what} while the run {name} went on, so that nobody can say what it read; no receipt was \
                 written. Keep what the command writes out of the locked data, and repeat the run"
            )?;
            return Ok(1);
        }
        let words: Vec<String> = arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let trains = receipt::trains(&self.policy).into_iter().find(|trains| trains.run == *name);
        let receipt = serde_json::json!({
            "schema": receipt::SCHEMA,
            "run": name,
            "repo": lock.repo,
            "lock_sha256": hex(&Sha256::digest(&text)),
            "data": trains.map(|trains| trains.contents(&lock)),
            "policy_sha256": hex(&Sha256::digest(self.policy.text.as_bytes())),
            "policy": outcome.policy,
            "as_of": self.policy.as_of.to_string(),
            "hash": if arguments.blake3 { "blake3" } else { "sha256" },
            "files": outcome.looked_at.files,
            "bytes": outcome.looked_at.bytes,
            "command": words,
            "exit_code": status.code(),
            "started": started.to_string(),
            "ended": ended.to_string(),
        });
        let receipt = format!("{receipt:#}\n");
        let file = receipt::receipt(name);
        let (kind, bytes) = (Kind::Run, receipt.as_bytes());
        let subject = Subject { kind, repo: &lock.repo, file: file.as_str().into(), bytes, seq: 0, day: None };
        let made = self.signer.sign(&subject, None)?;
        write_file(&root.join(&file), receipt.as_bytes())?;
        let beside = format!("{file}.{}", made.ending);
        write_file(&root.join(&beside), made.text.as_bytes())?;
        writeln!(io::stderr(), "foretaste: wrote {file} and {beside}; commit them with what the run made")?;
        if !status.success() {
            writeln!(io::stderr(), "foretaste: the command failed, so that this receipt shows no finished run")?;
        }
        // The run's own answer, where it has one.
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(3))
    }

    /// What of the locked data is no longer as it was verified, but for what the run makes.
    fn changed(&self, text: &[u8], console: &Console) -> Result<Option<String>, Stop> {
        if std::fs::read(self.root.join(policy::LOCK)).ok().as_deref() != Some(text) {
            return Ok(Some(format!("{} was changed", policy::LOCK)));
        }
        let words = self.policy.runs.0.iter().find(|(run, _)| run.value == self.name);
        let output = words.and_then(|(_, words)| words.output.as_deref()).map(|path| path.trim_end_matches('/'));
        let made = |path: &[u8]| {
            let rest = output.and_then(|output| path.strip_prefix(output.as_bytes()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let outcome = self.checker.run_with(&self.root, &Bar::new(console.quiet))?;
        if let Some(gap) = outcome.unread.iter().find(|gap| !made(&gap.path)) {
            return Ok(Some(format!("{} could not be read again", report::escaped(&gap.path))));
        }
        let marks = outcome.findings.iter().filter(|finding| finding.rule.id == "digest-mismatch");
        for mark in marks.flat_map(|finding| &finding.marks) {
            // A file that is gone is named by its line in the lock.
            let path = outcome.blobs.get(mark.place.blob.0 as usize).map(|blob| blob.path.as_slice());
            let gone = path == Some(policy::LOCK.as_bytes());
            let path = mark.note.as_deref().filter(|_| gone).map(str::as_bytes).or(path).unwrap_or_default();
            if !made(path) {
                return Ok(Some(format!("{} was changed", report::escaped(path))));
            }
        }
        Ok(None)
    }
}
