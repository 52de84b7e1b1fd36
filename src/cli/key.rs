//! `foretaste key`: makes a minisign key pair.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Console, Stop, Verdict};

/// What `foretaste key` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the secret key goes: a new file, outside every repository. The public key goes beside it, as FILE.pub.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do not protect the secret key with a password.
    #[arg(long)]
    no_password: bool,
}

pub(super) fn run(arguments: &Arguments, _: &Console) -> Verdict {
    let public = {
        let mut name = arguments.file.clone().into_os_string();
        name.push(".pub");
        PathBuf::from(name)
    };
    for path in [&arguments.file, &public] {
        if path.symlink_metadata().is_ok() {
            return Err(Stop::Say(format!(
                "{} is there already; a key is never overwritten; name another file",
                path.display()
            )));
        }
    }
    let failed = |error: minisign::PError| {
        Stop::Say(format!(
            "the key pair could not be made: {error}; without a terminal for the password, use --no-password"
        ))
    };
    let pair = if arguments.no_password {
        minisign::KeyPair::generate_unencrypted_keypair()
    } else {
        // Asks on the terminal, twice.
        minisign::KeyPair::generate_encrypted_keypair(None)
    }
    .map_err(failed)?;
    let secret = pair.sk.to_box(Some("foretaste secret key")).map_err(failed)?.into_string();
    create(&arguments.file, secret.as_bytes(), 0o600)?;
    create(&public, pair.pk.to_box().map_err(failed)?.into_string().as_bytes(), 0o644)?;

    let name = arguments.file.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    writeln!(
        io::stdout().lock(),
        "Wrote {} (secret: keep it, do not commit it) and {}.\n\nTo let this key sign, add to foretaste.yaml on the base \
         branch:\n\nkeys:\n  {name}: {{minisign: \"{}\", principal: you@example.org}}",
        arguments.file.display(),
        public.display(),
        pair.pk.to_base64(),
    )?;
    Ok(0)
}

/// Makes a new file and never follows or replaces what is there.
fn create(path: &std::path::Path, bytes: &[u8], mode: u32) -> Result<(), Stop> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| Stop::Say(format!("cannot write {}: {error}; name another file", path.display())))
}
