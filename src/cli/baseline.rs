//! `foretaste baseline`: accepts what is there today, so that only what is new fails.

use std::io::{self, Write};

use clap::Args;

use super::progress::Bar;
use super::{AsOf, Console, Stop, Verdict, as_of, environment, root, write_file};
use crate::engine::Checker;
use crate::policy::accept::shrunk;
use crate::policy::baseline::Baseline;
use crate::policy::{self};

/// What `foretaste baseline` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Accept what has come since as well. Without it, an existing baseline only shrinks.
    #[arg(long)]
    grow: bool,
    #[command(flatten)]
    as_of: AsOf,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let root = root()?;
    let path = root.join(policy::BASELINE);
    let old = match std::fs::read_to_string(&path) {
        Ok(text) => Some(Baseline::parse(policy::BASELINE, &text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Stop::Say(format!(
                "cannot read {}: {error}; check its name, and that you may read it",
                path.display()
            )));
        }
    };
    let outcome = Checker::new()
        .environment(environment())
        .as_of(as_of(&arguments.as_of)?)
        .everything()
        .run_with(&root, &Bar::new(console.quiet))?;
    let mut out = io::stdout().lock();
    if let Some(first) = outcome.unread.first() {
        writeln!(
            out,
            "{} not read, among them {} ({}): what is in them is not accepted",
            outcome.unread.len(),
            crate::report::escaped(&first.path),
            crate::report::escaped(&first.reason)
        )?;
    }
    let path_of = |id: crate::span::BlobId| outcome.blobs[id.0 as usize].path.clone();
    let now = Baseline::from_findings(&outcome.findings, &path_of);
    let kept = old.as_ref().map(|old| shrunk(old, &outcome.findings, &path_of));
    let new = match &kept {
        Some(kept) if !arguments.grow => kept.clone(),
        _ => now.clone(),
    };
    write_file(&path, new.to_string().as_bytes())?;
    let total: u64 = new.counts().values().sum();
    writeln!(out, "Wrote {}: {total} place{} accepted", policy::BASELINE, if total == 1 { "" } else { "s" })?;
    for (rule, count) in new.counts() {
        writeln!(out, "  {count:>7}  {rule}")?;
    }
    if let (Some(old), Some(kept)) = (&old, &kept) {
        let before: u64 = old.counts().values().sum();
        let gone = before.saturating_sub(kept.counts().values().sum());
        writeln!(out, "{gone} of the {before} from before match nothing any more and were taken out")?;
        let left: u64 = now.counts().values().sum::<u64>().saturating_sub(total);
        if left > 0 {
            writeln!(out, "{left} are new and were not accepted; look at them, or accept them with --grow")?;
        }
    }
    writeln!(out, "It counts once it is on the base branch. Whoever reviews it reviews these places.")?;
    Ok(0)
}
