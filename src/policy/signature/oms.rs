//! OpenSSF model signatures made with a key: a Sigstore bundle around a signed list of every file of a model.
//!
//! Format: <https://github.com/ossf/model-signing-spec>, made by `model_signing sign key`. The bundle (version 0.3) holds a
//! DSSE envelope, that an in-toto Statement of the predicate `signature/v1.0`. Bundles with a certificate name a person
//! and not a key; whether that certificate was good cannot be known without the network, so they are refused.

mod key;
mod manifest;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::{BString, ByteSlice};
use serde::Deserialize;

use super::{Refused, Signed, Trust, bad, in_force};
use crate::policy::node::short;
use crate::span::BlobId;

pub(crate) use key::PublicKey;
pub(crate) use manifest::{Manifest, Sum};

/// Bytes of a bundle: a hundred thousand files and more.
pub(crate) const MAX_BUNDLE: u64 = 64 << 20;
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD: &str = "application/vnd.in-toto+json";

/// A model and what became of its signature.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// Its folder; empty for the top of the repository.
    pub(crate) folder: String,
    /// The signature file; `None` where one is asked for and none is there.
    pub(crate) bundle: Option<String>,
    /// That file, or the policy.
    pub(crate) blob: BlobId,
    /// Who signed, and what is not as it was signed.
    pub(crate) verdict: Result<(Signed, Differs), Refused>,
    /// Whether the lock says which version of the model it is: the signature of an older one holds for that as well.
    pub(crate) bound: bool,
}

/// What of a model is not as it was signed: paths below its folder, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Differs {
    pub(crate) changed: Vec<BString>,
    pub(crate) added: Vec<BString>,
    pub(crate) missing: Vec<BString>,
    /// Files that the signature leaves out.
    pub(crate) ignored: Vec<BString>,
    /// Links in the place of files: wherever one leads, it is not followed.
    pub(crate) links: Vec<BString>,
}

/// What is said where a signature is asked for and there is none, be it that the model `is_there` or not.
pub(crate) fn missing(is_there: bool) -> Refused {
    let why = if is_there { "it carries no signature" } else { "nothing lies there" };
    Refused { finding: "signature-missing", why: format!("{why}, and the policy asks for a signed model") }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<serde::de::IgnoredAny>,
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Mark>,
}

#[derive(Deserialize)]
struct Mark {
    sig: String,
}

/// Whether a file says that it is such a bundle, of whatever version.
pub(crate) fn is_bundle(file: &[u8]) -> bool {
    file.trim_start().starts_with(b"{") && file.contains_str("vnd.dev.sigstore.bundle")
}

/// Judges a bundle: who signed it, and what it speaks of. It holds no day, so that a key counts today or not at all.
///
/// # Errors
/// Why it does not count.
pub(crate) fn verify(file: &[u8], trust: &Trust<'_>) -> Result<(Signed, Manifest), Refused> {
    let bundle: Bundle =
        serde_json::from_slice(file).map_err(|error| bad(format!("it is no bundle of Sigstore ({error})")))?;
    if bundle.media_type != BUNDLE {
        let version = short(&bundle.media_type);
        return Err(unread(format!(
            "it is a bundle of another version ({version}); sign with model_signing 1.0 or later"
        )));
    }
    let material = &bundle.verification_material;
    let certified = material.certificate.is_some() || material.x509_certificate_chain.is_some();
    let hint = match &material.public_key {
        Some(named) => named.hint.as_str(),
        None if certified => "",
        None => return Err(bad("it names no key")),
    };
    let envelope = &bundle.dsse_envelope;
    let [mark] = &envelope.signatures[..] else { return Err(bad("it has not one signature")) };
    if envelope.payload_type != PAYLOAD {
        return Err(bad("what it signs is no in-toto statement"));
    }
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| bad("it is not base64"));
    let (payload, signature) = (decoded(&envelope.payload)?, decoded(&mark.sig)?);
    let keys = trust.keys.iter().filter_map(|key| Some((key, PublicKey::parse(key.ecdsa.as_deref()?).ok()?)));
    let listed: Vec<_> = keys.filter(|(_, public)| hint.is_empty() || hint == public.hint()).collect();
    let sealed = pre_authentication(PAYLOAD, &payload);
    let by = listed.iter().find(|(_, public)| public.holds(&sealed, &signature));
    let Some((key, _)) = by else {
        return Err(match listed.first() {
            // Whom a certificate names is not asked: whether it was good then cannot be known without the network.
            _ if certified => unread(
                "it was made with a certificate, which cannot be judged without the network, and by no key that the policy \
                 lists; list the public key of that certificate as `ecdsa` in the policy, or sign with `model_signing sign key`"
                    .to_owned(),
            ),
            Some((first, _)) => bad(format!("it does not match what it signs under key {}", first.name)),
            None => {
                let why = format!("it is by key {}, which the policy does not list", short(hint));
                Refused { finding: "signature-unknown-key", why }
            }
        });
    };
    in_force(key, None, trust)?;
    Ok((Signed::by(key), manifest::read(&payload)?))
}

/// A refusal of what may be good and cannot be gone by.
fn unread(why: String) -> Refused {
    Refused { finding: "signature-not-judged", why }
}

/// What is signed of an envelope. <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>
fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}
