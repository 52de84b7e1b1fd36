//! `foretaste sign`: signs foretaste.lock as it is in the work tree.

use std::io::{self, Cursor, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Console, Stop, Verdict, environment, root, write_file};
use crate::engine::Checker;
use crate::policy::lock::{Lock, signature};
use crate::policy::{self};

/// What `foretaste sign` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The secret key, as `foretaste key` or minisign made it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Until when the signature holds (YYYY-MM-DD); a year without it.
    #[arg(long, value_name = "DATE")]
    until: Option<jiff::civil::Date>,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let root = root()?;
    let path = root.join(policy::LOCK);
    let text = std::fs::read(&path).map_err(|error| {
        Stop::Say(format!("cannot read {}: {error}; write it with `foretaste lock`", path.display()))
    })?;
    let lock =
        Lock::parse(&text).map_err(|error| Stop::Say(format!("{error}; write it anew with `foretaste lock`")))?;
    let policy = Checker::new().environment(environment()).policy_from_worktree().judged_by(&root)?.0;
    if let Some(repo) = policy.repo.filter(|repo| *repo != lock.repo) {
        return Err(Stop::Say(format!(
            "{} is the lock of {}, and {} says `repo: {repo}`: write it anew with `foretaste lock`",
            path.display(),
            lock.repo,
            policy::FILE
        )));
    }

    let failed = |error: minisign::PError| Stop::Say(format!("cannot sign with {}: {error}", arguments.key.display()));
    let secret = std::fs::read_to_string(&arguments.key)
        .map_err(|error| Stop::Say(format!("cannot read the key {}: {error}", arguments.key.display())))?;
    let sealed = minisign::SecretKeyBox::from_string(&secret).map_err(failed)?;
    let secret = match minisign::SecretKeyBox::from_string(&secret).map_err(failed)?.into_unencrypted_secret_key() {
        Ok(key) => key,
        // Asks for the password on the terminal.
        Err(_) => sealed.into_secret_key(None).map_err(failed)?,
    };
    let public = minisign::PublicKey::from_secret_key(&secret).map_err(failed)?;

    let now = jiff::Timestamp::now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC);
    let until = match arguments.until {
        Some(date) => date,
        None => today.date().saturating_add(jiff::Span::new().years(1)),
    };
    if until < today.date() {
        return Err(Stop::Say(format!("{until} has passed; name a day to come")));
    }
    let expires = until
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| Stop::Say(format!("{until} is no day that can be signed: {error}")))?
        .timestamp();
    let comment = signature::trusted_comment(&lock, &text, now, expires);
    let signed =
        minisign::sign(Some(&public), &secret, Cursor::new(&text), Some(&comment), Some("signature of foretaste.lock"))
            .map_err(failed)?;
    let number = signature::key_number(&public.to_base64())
        .ok_or_else(|| Stop::Say(format!("{} is no Ed25519 key", arguments.key.display())))?;
    let name = format!("{}.{}.minisig", policy::LOCK, signature::number_text(number));
    write_file(&root.join(&name), signed.into_string().as_bytes())?;
    writeln!(
        io::stdout().lock(),
        "Wrote {name}, which holds until {until}. Commit it with {}.\nIt counts once the policy on the base branch lists \
         the key {}.",
        policy::LOCK,
        public.to_base64(),
    )?;
    Ok(0)
}
