//! `foretaste explain`: the manual of a rule, or the table of all.

use std::io::{self, Write};

use clap::Args;

use super::{Console, Stop, Verdict};
use crate::{check, report};

/// What `foretaste explain` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The rule; without it, the table of all rules.
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let text = match &arguments.rule {
        None => report::rules_table(),
        Some(id) => match check::rule(id) {
            Some(rule) => report::explain(rule),
            None => {
                let known: Vec<_> = check::rules().map(|rule| rule.id).collect();
                return Err(Stop::Say(format!("there is no rule {id}; the rules are {}", known.join(", "))));
            }
        },
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(0)
}
