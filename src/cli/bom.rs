//! `foretaste bom`: what went into one fine-tuning run, in the forms that others read.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::check::checker_of;
use super::{AsOf, Console, Stop, Verdict, write_file};
use crate::report::bom::{self, Form};
use crate::source::Scope;

/// What `foretaste bom` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run, by its name under `runs` in the policy.
    #[arg(long, value_name = "NAME")]
    run: String,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: Kind,
    /// Version of CycloneDX.
    #[arg(long, value_name = "VERSION", default_value = "1.6", value_parser = ["1.6", "1.7"])]
    spec_version: String,
    /// Write it to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Make it of a revision instead of the work tree.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Look things up in this policy file instead of the one on the trusted side.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    as_of: AsOf,
}

#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// CycloneDX, as JSON.
    #[default]
    Cyclonedx,
    /// SPDX 3.0.1, as JSON-LD.
    Spdx,
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let form = match (arguments.format, arguments.spec_version.as_str()) {
        (Kind::Spdx, _) => Form::Spdx,
        (Kind::Cyclonedx, "1.7") => Form::CycloneDx17,
        (Kind::Cyclonedx, _) => Form::CycloneDx16,
    };
    let scope = arguments.rev.clone().map_or(Scope::Worktree, Scope::Revision);
    let checker = checker_of(arguments.policy.as_deref(), &arguments.as_of)?.scope(scope);
    let name = &arguments.run;
    let Some(bill) = checker.bill(Path::new("."), name)? else {
        return Err(Stop::Say(format!(
            "the policy has no run `{name}`; add it under `runs` in foretaste.yaml with its `config` and `datasets`"
        )));
    };
    let mut bytes = Vec::new();
    bom::write(&bill, form, &mut bytes)?;
    match &arguments.output {
        Some(path) => write_file(path, &bytes)?,
        None => io::stdout().lock().write_all(&bytes)?,
    }
    if !console.quiet {
        let mut err = io::stderr().lock();
        for what in &bill.missing {
            let _ = writeln!(err, "foretaste: not in the bill: {}", crate::report::escaped(what));
        }
    }
    Ok(0)
}
