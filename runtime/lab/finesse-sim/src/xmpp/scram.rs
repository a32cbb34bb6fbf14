//! SCRAM, as RFC 5802 and RFC 7677 have it, for the side that knows passwords. Without channel binding.

use std::collections::HashMap;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// Rounds of PBKDF2: what RFC 7677 asks for at least.
const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");

/// Which hash is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        }
    }

    fn digest(self, bytes: &[u8]) -> digest::Digest {
        match self {
            Self::Sha1 => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes),
            Self::Sha256 => digest::digest(&digest::SHA256, bytes),
        }
    }

    /// What a password becomes.
    fn salted(self, password: &str, salt: &[u8]) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
        };
        let mut out = vec![0; length];
        pbkdf2::derive(algorithm, ROUNDS, salt, password.as_bytes(), &mut out);
        out
    }
}

/// A conversation that has begun.
#[derive(Debug)]
pub(super) struct Scram {
    hash: Hash,
    /// Who wants to be let in.
    pub(super) user: String,
    nonce: String,
    salt: Vec<u8>,
    /// What both have said so far, as it is signed.
    said: String,
    /// The `c=` that the client has to repeat.
    binding: String,
}

impl Scram {
    /// Takes the client's first message: gives the answer to it. Nothing where the message is none.
    pub(super) fn begin(hash: Hash, first: &str, nonce: &str, salt: &[u8]) -> Option<(Self, String)> {
        // "n,," or "y,,": no channel binding, perhaps somebody to act for.
        let mut parts = first.splitn(3, ',');
        let (flag, authzid, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if !matches!(flag, "n" | "y") {
            return None;
        }
        let fields = fields(bare);
        let user = fields.get(&'n')?.replace("=2C", ",").replace("=3D", "=");
        let nonce = format!("{}{nonce}", fields.get(&'r')?);
        let answer = format!("r={nonce},s={},i={ROUNDS}", STANDARD.encode(salt));
        let binding = STANDARD.encode(format!("{flag},{authzid},"));
        let said = format!("{bare},{answer}");
        Some((Self { hash, user, nonce, salt: salt.to_vec(), said, binding }, answer))
    }

    /// Takes the client's last message: gives the answer where the password is this one.
    pub(super) fn finish(&self, last: &str, password: &str) -> Option<String> {
        let (without_proof, _) = last.rsplit_once(",p=")?;
        let fields = fields(last);
        if fields.get(&'r') != Some(&self.nonce.as_str()) || fields.get(&'c') != Some(&self.binding.as_str()) {
            return None;
        }
        let proof = STANDARD.decode(fields.get(&'p')?).ok()?;
        let signed = format!("{},{without_proof}", self.said);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(self.hash.hmac(), key), text);
        let salted = self.hash.salted(password, &self.salt);
        let stored = self.hash.digest(sign(&salted, b"Client Key").as_ref());
        let signature = sign(stored.as_ref(), signed.as_bytes());
        if proof.len() != signature.as_ref().len() {
            return None;
        }
        let key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        if self.hash.digest(&key).as_ref() != stored.as_ref() {
            return None;
        }
        let server = sign(sign(&salted, b"Server Key").as_ref(), signed.as_bytes());
        Some(format!("v={}", STANDARD.encode(server)))
    }
}

fn fields(message: &str) -> HashMap<char, &str> {
    let pairs = message.split(',').filter_map(|part| part.split_once('='));
    pairs.filter_map(|(name, value)| Some((name.chars().next().filter(|_| name.len() == 1)?, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Hash, STANDARD, Scram};
    use base64::Engine;

    /// The examples of RFC 5802, section 5, and RFC 7677, section 3.
    const EXAMPLES: &[(Hash, &str, &str, &str, &str, &str)] = &[
        (
            Hash::Sha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            Hash::Sha256,
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ];

    #[test]
    fn the_examples_of_the_standards_come_out() {
        for (hash, client, server, salt, proof, verifier) in EXAMPLES {
            let salt = STANDARD.decode(salt).unwrap();
            let (scram, _) = Scram::begin(*hash, &format!("n,,n=user,r={client}"), server, &salt).unwrap();
            assert_eq!(scram.user, "user");
            let last = format!("c=biws,r={client}{server},p={proof}");
            assert_eq!(scram.finish(&last, "pencil"), Some(format!("v={verifier}")));
            assert_eq!(scram.finish(&last, "Pencil"), None, "another password");
            assert_eq!(scram.finish(&last.replace("biws", "eSws"), "pencil"), None, "another binding");
            assert_eq!(scram.finish(&last.replace(server, "other"), "pencil"), None, "another nonce");
        }
    }

    #[test]
    fn nonsense_is_no_message() {
        for first in ["", "n,,", "p=tls-unique,,n=user,r=x", "n,,n=user", "n,,r=x"] {
            assert!(Scram::begin(Hash::Sha256, first, "nonce", b"salt").is_none(), "{first}");
        }
    }
}
