//! Public keys of model signatures: the three curves that `model_signing` takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::policy::lock::hex;

/// A public key, as its PEM file has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PublicKey {
    curve: usize,
    /// The whole of its DER.
    der: Vec<u8>,
}

/// A curve: how its keys are written, and what their signatures are.
struct Curve {
    /// How a public key in DER begins: what it is, and that an uncompressed point follows.
    head: &'static [u8],
    /// Bytes of the point.
    point: usize,
    is_on: fn(&[u8]) -> bool,
    /// Whether a signature (in DER) of some bytes is by the key with this point. Each curve has its hash.
    holds: fn(&[u8], &[u8], &[u8]) -> bool,
}

/// A curve by the crate that computes on it.
macro_rules! curve {
    ($curve:ident, $point:expr, $head:expr) => {
        Curve {
            head: &$head,
            point: $point,
            is_on: |point| $curve::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
            holds: |point, signed, signature| {
                use $curve::ecdsa::signature::Verifier;
                use $curve::ecdsa::{Signature, VerifyingKey};
                let Ok(key) = VerifyingKey::from_sec1_bytes(point) else { return false };
                Signature::from_der(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
            },
        }
    };
}

/// The curves of Sigstore, with SHA-256, SHA-384 and SHA-512.
static CURVES: [Curve; 3] = [
    curve!(
        p256,
        65,
        [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
            0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ]
    ),
    curve!(
        p384,
        97,
        [
            0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04,
            0x00, 0x22, 0x03, 0x62, 0x00,
        ]
    ),
    curve!(
        p521,
        133,
        [
            0x30, 0x81, 0x9B, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81,
            0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00,
        ]
    ),
];

impl PublicKey {
    /// The key that the text between the lines of a PEM file stands for, with or without the breaks in it.
    ///
    /// # Errors
    /// What is wrong with it, in a phrase.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text: String = text.split_whitespace().collect();
        let der = STANDARD.decode(text).map_err(|_| "it is not base64".to_owned())?;
        let is_of = |curve: &Curve| der.len() == curve.head.len() + curve.point && der.starts_with(curve.head);
        let curve = CURVES
            .iter()
            .position(is_of)
            .ok_or("only keys on the curves P-256, P-384 and P-521 are read (prime256v1, secp384r1, secp521r1)")?;
        let key = Self { curve, der };
        if !(CURVES[curve].is_on)(key.point()) {
            return Err("it names no point of its curve".to_owned());
        }
        Ok(key)
    }

    /// The uncompressed point.
    fn point(&self) -> &[u8] {
        &self.der[CURVES[self.curve].head.len()..]
    }

    /// Whether a signature of some bytes is by this key.
    pub(crate) fn holds(&self, signed: &[u8], signature: &[u8]) -> bool {
        (CURVES[self.curve].holds)(self.point(), signed, signature)
    }

    /// What bundles call a key: SHA-256 of its PEM file.
    pub(crate) fn hint(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        hex(&Sha256::digest(pem + "-----END PUBLIC KEY-----\n"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The text of a key with this point on a curve, counted from the smallest.
    pub(in super::super) fn written(curve: usize, point: &[u8]) -> String {
        STANDARD.encode([CURVES[curve].head, point].concat())
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        let ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert!(PublicKey::parse(ed25519).unwrap_err().contains("P-256, P-384 and P-521"));
        assert!(PublicKey::parse("").is_err() && PublicKey::parse("no base64").is_err());
        for (number, curve) in CURVES.iter().enumerate() {
            let nowhere = [vec![4], vec![1; curve.point - 1]].concat();
            assert!(PublicKey::parse(&written(number, &nowhere)).unwrap_err().contains("point"), "{number}");
            assert!(PublicKey::parse(&written(number, &nowhere[1..])).is_err(), "{number}");
        }
    }
}
