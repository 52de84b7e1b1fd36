//! `foretaste blame`: which commits set and changed the label of a record.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::check::checker_of;
use super::{AsOf, Console, Verdict};
use crate::report::{blame_exit_code, blame_json, blame_text};

/// What `foretaste blame` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The record: a file and a line of it, as reports show places (PATH:LINE or PATH:LINE:COLUMN); in a columnar file,
    /// the number of the record.
    #[arg(value_name = "PATH:LINE", value_parser = OsStringValueParser::new().try_map(target))]
    target: Target,
    /// Look the record up in this revision instead of HEAD.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Read the fields of data by this policy file instead of the one in the revision.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    as_of: AsOf,
    /// What standard output gets.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
}

#[derive(Copy, Clone, Debug, Default, ValueEnum)]
enum Form {
    #[default]
    Human,
    Json,
}

/// A line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Target {
    path: PathBuf,
    line: u64,
}

fn target(text: OsString) -> Result<Target, String> {
    let wrong = || "write a file and a line, for example data/train.jsonl:120".to_owned();
    let (rest, last) = split(&text).ok_or_else(wrong)?;
    // Reports show a column, too.
    let (path, line) = split(rest).unwrap_or((rest, last));
    if line == 0 {
        return Err("lines count from 1".to_owned());
    }
    Ok(Target { path: Path::new(path).to_owned(), line })
}

/// What stands before the last colon, and the number behind it.
fn split(text: &OsStr) -> Option<(&OsStr, u64)> {
    let (rest, number) = text.as_encoded_bytes().rsplit_once_str(":")?;
    let digits = number.to_str().ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let rest = rest.to_os_str().ok().filter(|rest| !rest.is_empty())?;
    Some((rest, digits.parse().ok()?))
}

pub(super) fn run(arguments: &Arguments, console: &Console) -> Verdict {
    let Target { path, line } = &arguments.target;
    let checker = checker_of(arguments.policy.as_deref(), &arguments.as_of)?;
    let blame = checker.blame(Path::new("."), path, *line, arguments.rev.as_deref())?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Human => blame_text(&blame, console.color, &mut out)?,
        Form::Json => blame_json(&blame, &mut out)?,
    }
    out.flush()?;
    Ok(blame_exit_code(&blame))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, u64), String> {
        target(OsString::from(text)).map(|target| (target.path.display().to_string(), target.line))
    }

    #[test]
    fn a_record_is_named_as_reports_show_places() {
        assert_eq!(read("data/a.jsonl:12"), Ok(("data/a.jsonl".to_owned(), 12)));
        assert_eq!(read("data/a.jsonl:12:34"), Ok(("data/a.jsonl".to_owned(), 12)));
        assert_eq!(read("a:b.csv:7"), Ok(("a:b.csv".to_owned(), 7)));
        for wrong in ["data/a.jsonl", "a.csv:", "a.csv:x", ":3", "a.csv:0", "a.csv:+3", "a.csv:99999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
