//! `foretaste sign`: signs foretaste.lock as it is in the work tree, or any other file.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use bstr::BString;
use clap::Args;
use jiff::civil::Date;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::{Console, Stop, Verdict, environment, root, write_file};
use crate::engine::Checker;
use crate::policy::lock::{Lock, is_name};
use crate::policy::signature::{Kind, Subject, minisign as form, rotation, ssh};
use crate::policy::{self};

/// What `foretaste sign` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to sign, such as weights or the manifest of a delivery; foretaste.lock without it.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The secret key, as `foretaste key` or minisign made it, or an SSH key as ssh-keygen made it.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    /// Until when the signature holds (YYYY-MM-DD); a year without it. SSH signatures hold as long as their key.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Name of the repository that the signature of a FILE is bound to; that of the lock without it.
    #[arg(long, value_name = "NAME", requires = "file")]
    repo: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let root = root()?;
    let lock = read_lock(&root);
    let (kind, path, name) = match &arguments.file {
        None => (Kind::Lock, root.join(policy::LOCK), BString::from(policy::LOCK)),
        Some(file) => (Kind::File, file.clone(), inside(&root, file)?),
    };
    let policy = Checker::new().environment(environment()).policy_from_worktree().judged_by(&root)?.0;
    if let (Ok(lock), Some(repo)) = (&lock, &policy.repo)
        && *repo != lock.repo
    {
        return Err(Stop::Say(format!(
            "{} is the lock of {}, and {} says `repo: {repo}`: write it anew with `foretaste lock`",
            policy::LOCK,
            lock.repo,
            policy::FILE
        )));
    }
    let (lock, repo) = match (kind, lock, &arguments.repo) {
        (_, Ok(lock), None) => (Some(lock.clone()), lock.repo),
        (Kind::File, lock, Some(repo)) if is_name(repo) => (lock.ok(), repo.clone()),
        (Kind::File, _, Some(_)) => {
            return Err(Stop::Say("name the repository with --repo, in letters, digits and . _ / -".to_owned()));
        }
        (Kind::File, Err(_), None) => {
            return Err(Stop::Say("name the repository with --repo: there is no foretaste.lock that does".to_owned()));
        }
        (_, Err(stop), _) => return Err(stop),
        (_, Ok(lock), Some(repo)) => (Some(lock), repo.clone()),
    };
    let bytes = crate::source::read_file(&path, u64::MAX)
        .map_err(|reason| Stop::Say(format!("cannot read {}: {reason}", path.display())))?;
    let subject = match (kind, &lock) {
        (Kind::Lock, Some(lock)) => rotation::subject(lock, &bytes),
        _ => Subject { kind, repo: &repo, file: name.as_ref(), bytes: &bytes, seq: 0, day: None },
    };

    let made = made(&arguments.key, &subject, arguments.until)?;
    let beside = PathBuf::from(format!("{}.{}", path.display(), made.ending));
    write_file(&beside, made.text.as_bytes())?;
    let shown = beside.strip_prefix(&root).unwrap_or(&beside);
    writeln!(
        io::stdout().lock(),
        "Wrote {}, which holds {}. Commit it with {name}.\nIt counts once the policy on the base branch lists the key \
         {}.",
        shown.display(),
        made.holds,
        made.public,
    )?;
    Ok(0)
}

/// Signs with a key of either kind.
pub(super) fn made(key: &Path, subject: &Subject<'_>, until: Option<Date>) -> Result<Made, Stop> {
    let secret = std::fs::read_to_string(key)
        .map_err(|error| Stop::Say(format!("cannot read the key {}: {error}", key.display())))?;
    if secret.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        by_ssh(&secret, subject, key)
    } else {
        by_minisign(&secret, subject, key, until)
    }
}

/// A signature, and what to say of it.
pub(super) struct Made {
    pub(super) text: String,
    pub(super) ending: String,
    public: String,
    holds: String,
}

fn read_lock(root: &Path) -> Result<Lock, Stop> {
    let path = root.join(policy::LOCK);
    let text = std::fs::read(&path).map_err(|error| {
        Stop::Say(format!("cannot read {}: {error}; write it with `foretaste lock`", path.display()))
    })?;
    Lock::parse(&text).map_err(|error| Stop::Say(format!("{error}; write it anew with `foretaste lock`")))
}

/// The path of a file as the repository names it.
pub(super) fn inside(root: &Path, file: &Path) -> Result<BString, Stop> {
    let failed = |error: io::Error| Stop::Say(format!("cannot find {}: {error}", file.display()));
    let (root, full) = (root.canonicalize()?, file.canonicalize().map_err(failed)?);
    let path = full.strip_prefix(&root).map_err(|_| {
        Stop::Say(format!("{} lies outside the repository; what is signed is named by its path in it", file.display()))
    })?;
    let parts: Vec<_> = path.iter().map(|part| part.as_encoded_bytes()).collect();
    Ok(bstr::join("/", parts).into())
}

fn by_minisign(secret: &str, subject: &Subject<'_>, key: &Path, until: Option<Date>) -> Result<Made, Stop> {
    let failed = |error: minisign::PError| Stop::Say(format!("cannot sign with {}: {error}", key.display()));
    let sealed = minisign::SecretKeyBox::from_string(secret).map_err(failed)?;
    let secret = match minisign::SecretKeyBox::from_string(secret).map_err(failed)?.into_unencrypted_secret_key() {
        Ok(key) => key,
        // Asks for the password on the terminal.
        Err(_) => sealed.into_secret_key(None).map_err(failed)?,
    };
    let public = minisign::PublicKey::from_secret_key(&secret).map_err(failed)?;
    let now = now()?;
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let until = until.unwrap_or_else(|| today.saturating_add(jiff::Span::new().years(1)));
    if until < today {
        return Err(Stop::Say(format!("{until} has passed; name a day to come")));
    }
    let expires = until
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|error| Stop::Say(format!("{until} is no day that can be signed: {error}")))?
        .timestamp();
    let comment = form::trusted_comment(subject, now, expires);
    let untrusted = format!("signature of {}", subject.kind.as_str());
    let signed = minisign::sign(Some(&public), &secret, Cursor::new(subject.bytes), Some(&comment), Some(&untrusted))
        .map_err(failed)?;
    let number = form::key_number(&public.to_base64())
        .ok_or_else(|| Stop::Say(format!("{} is no Ed25519 key", key.display())))?;
    Ok(Made {
        text: signed.into_string(),
        ending: format!("{}.minisig", form::number_text(number)),
        public: public.to_base64(),
        holds: format!("until {until}"),
    })
}

/// The time that a signature says it was made at: now, or SOURCE_DATE_EPOCH where runs are to be the same.
pub(super) fn now() -> Result<jiff::Timestamp, Stop> {
    if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
        return Ok(jiff::Timestamp::now());
    }
    let day = super::as_of(&super::AsOf::default())?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| Stop::Say(error.to_string()))?;
    Ok(start.timestamp())
}

fn by_ssh(secret: &str, subject: &Subject<'_>, file: &Path) -> Result<Made, Stop> {
    let failed = |error: &dyn std::fmt::Display| Stop::Say(format!("cannot sign with {}: {error}", file.display()));
    let Some(namespace) = ssh::namespace(subject.kind) else {
        return Err(Stop::Say(
            "an SSH signature of a file would fit any repository; sign it with a minisign key (`foretaste key`)"
                .to_owned(),
        ));
    };
    let key = PrivateKey::from_openssh(secret).map_err(|error| failed(&error))?;
    let public = key.public_key();
    let ending = format!("{}.sshsig", ssh::short_id(public));
    if key.is_encrypted() {
        let name = subject.file;
        return Err(Stop::Say(format!(
            "this SSH key has a password, which ssh-keygen asks for: ssh-keygen -Y sign -n {namespace} -f {} {name} && mv \
             {name}.sig {name}.{ending}",
            file.display(),
        )));
    }
    let line = public.to_openssh().map_err(|error| failed(&error))?;
    ssh::public_key(&line).map_err(|why| failed(&why))?;
    let signature = key.sign(namespace, HashAlg::Sha512, subject.bytes).map_err(|error| failed(&error))?;
    let mut text = signature.to_pem(LineEnding::LF).map_err(|error| failed(&error))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Made { text, ending, public: line, holds: "as long as its key does".to_owned() })
}
