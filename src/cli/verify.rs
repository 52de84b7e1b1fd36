//! `foretaste verify`: compares the data on disk with foretaste.lock, checks its signatures, and lets a run begin only then.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sha2::{Digest, Sha256};

use super::check::{self, Judging, Showing};
use super::progress::Bar;
use super::{Console, Stop, Verdict, lock, root, sign, write_file};
use crate::engine::{Checker, Outcome};
use crate::policy;
use crate::policy::lock::{Moment, hex, is_name};
use crate::policy::signature::{Kind, Subject};
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
    #[arg(long, value_name = "NAME", requires_all = ["key", "command"])]
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
    if let Some(name) = &arguments.run {
        known(name, &checker, &root)?;
    }
    let outcome = checker.run_with(&root, &Bar::new(console.quiet))?;
    let code = check::show(&outcome, &arguments.judging, &arguments.showing, console)?;
    match (&arguments.run, &arguments.key) {
        (Some(name), Some(key)) if code == 0 => begin(name, key, arguments, &outcome, &root),
        (Some(name), _) => {
            writeln!(io::stderr(), "foretaste: the run {name} was not begun: mend what is told above first")?;
            Ok(code)
        }
        _ => Ok(code),
    }
}

/// Refuses a run that the policy does not name.
fn known(name: &str, checker: &Checker, root: &Path) -> Result<(), Stop> {
    let policy = checker.judged_by(root)?.0;
    if is_name(name) && !name.contains('/') && policy.runs.0.iter().any(|(known, _)| known.value == name) {
        return Ok(());
    }
    Err(Stop::Say(format!("the policy at HEAD names no run {name}; add it under `runs:` and commit that first")))
}

/// Runs the command that the user typed and leaves the receipt: what was verified, when, and under which policy.
#[expect(
    clippy::disallowed_methods,
    reason = "the command is the user's own, behind --, and nothing of the repository"
)]
fn begin(name: &str, key: &Path, arguments: &Arguments, outcome: &Outcome, root: &Path) -> Verdict {
    let text = std::fs::read(root.join(policy::LOCK))?;
    let lock = policy::lock::Lock::parse(&text).map_err(|error| Stop::Say(error.to_string()))?;
    let (program, rest) =
        arguments.command.split_first().ok_or_else(|| Stop::Say("name the command behind --".to_owned()))?;
    let started = sign::now()?;
    let status = Command::new(program).args(rest).status().map_err(|error| {
        Stop::Say(format!("cannot begin {}: {error}; no receipt was written", program.to_string_lossy()))
    })?;
    let words: Vec<String> = arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let receipt = serde_json::json!({
        "schema": "foretaste-receipt/1",
        "run": name,
        "repo": lock.repo,
        "lock_sha256": hex(&Sha256::digest(&text)),
        "policy_sha256": lock.policy.map(|digest| hex(&digest)),
        "policy": outcome.policy,
        "hash": if arguments.blake3 { "blake3" } else { "sha256" },
        "files": outcome.looked_at.files,
        "bytes": outcome.looked_at.bytes,
        "command": words,
        "exit_code": status.code(),
        "started": started.to_string(),
        "ended": sign::now()?.to_string(),
    });
    let receipt = format!("{receipt:#}\n");
    let file = policy::lock::receipt(name);
    let (kind, bytes) = (Kind::Run, receipt.as_bytes());
    let subject = Subject { kind, repo: &lock.repo, file: file.as_str().into(), bytes, seq: 0, day: None };
    let made = sign::made(key, &subject, None)?;
    write_file(&root.join(&file), receipt.as_bytes())?;
    let beside = format!("{file}.{}", made.ending);
    write_file(&root.join(&beside), made.text.as_bytes())?;
    writeln!(io::stderr(), "foretaste: wrote {file} and {beside}; commit them with what the run made")?;
    // The run's own answer, where it has one.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(3))
}
