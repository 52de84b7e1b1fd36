//! `foretaste schema`: what the policy and the JSON report look like, for editors and programs.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::{Console, Stop, Verdict};
use crate::{check, report};

/// What `foretaste schema` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which schema.
    #[arg(value_enum, default_value_t)]
    of: Of,
}

#[derive(Copy, Clone, Debug, Default, ValueEnum)]
enum Of {
    /// foretaste.yaml.
    #[default]
    Policy,
    /// The JSON report of check and audit.
    Report,
    /// The JSON report of blame.
    Blame,
    /// The JSON inventory.
    Inventory,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let text = match arguments.of {
        Of::Policy => serde_json::to_string_pretty(&check::policy_schema()).map_err(|error| {
            Stop::Say(format!(
                "the schema cannot be written: {error}; this is a mistake in foretaste, please report it"
            ))
        })?,
        Of::Report => report::SCHEMA.trim_end().to_owned(),
        Of::Blame => report::BLAME_SCHEMA.trim_end().to_owned(),
        Of::Inventory => report::inventory::SCHEMA.trim_end().to_owned(),
    };
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(0)
}
