//! Authentication: PLAIN (RFC 4616), SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677), without channel binding.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// How often a server may have a password hashed. Below, RFC 5802 (5.1) sees too little; above, one answer of a server would
/// keep a thread that serves thousands of agents busy for a tenth of a second.
pub const ITERATIONS: RangeInclusive<u32> = 4_096..=100_000;

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// Proves the password without saying it, and has the server prove that it knows it.
    ScramSha256,
    /// The same with an older hash.
    ScramSha1,
    /// Says the password: within TLS only.
    Plain,
}

impl Mechanism {
    /// All, the best first.
    pub const ALL: [Self; 3] = [Self::ScramSha256, Self::ScramSha1, Self::Plain];

    /// As servers list it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
        }
    }
}

/// The first of the wanted mechanisms that the server offers.
#[must_use]
pub fn choose(offered: &[String], wanted: &[Mechanism], may_say_password: bool) -> Option<Mechanism> {
    let fits = |mechanism: &Mechanism| {
        (may_say_password || *mechanism != Mechanism::Plain) && offered.iter().any(|name| name == mechanism.name())
    };
    wanted.iter().copied().find(fits)
}

/// What is wrong with what a server says while one authenticates. None of it is a wrong password: servers say that themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// It cannot be read.
    Malformed,
    /// Its nonce does not begin with ours: the answer is to somebody else.
    Nonce,
    /// It asks for too few or too many iterations: this many.
    Iterations(u32),
    /// It does not prove that it knows the password.
    Unproven,
    /// It says something when nothing is to be said.
    Unexpected,
}

impl fmt::Display for SaslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("its challenge cannot be read"),
            Self::Nonce => f.write_str("its challenge answers somebody else"),
            Self::Iterations(count) => {
                write!(f, "it asks for {count} iterations: {} to {} are done", ITERATIONS.start(), ITERATIONS.end())
            }
            Self::Unproven => f.write_str("it does not prove that it knows the password"),
            Self::Unexpected => f.write_str("it says something when nothing is to be said"),
        }
    }
}

impl std::error::Error for SaslError {}

/// One authentication.
#[derive(Clone)]
pub struct Exchange {
    mechanism: Mechanism,
    step: Step,
}

#[derive(Clone)]
enum Step {
    /// PLAIN has nothing to wait for.
    Said,
    /// SCRAM: the first challenge is to come.
    Begun { password: Secret, nonce: String, first: String },
    /// SCRAM: the server's proof is to come; what it must be.
    Proved { signature: Vec<u8> },
    /// SCRAM: it has come.
    Verified,
}

/// Without passwords, keys and proofs.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Said => "said",
            Step::Begun { .. } => "begun",
            Step::Proved { .. } => "proved",
            Step::Verified => "verified",
        };
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).field("step", &step).finish()
    }
}

impl Exchange {
    /// Begins, and returns what to say first, in Base64. `nonce` is chance in printable ASCII without a comma.
    #[must_use]
    pub fn begin(mechanism: Mechanism, user: &str, password: &Secret, nonce: &str) -> (Self, String) {
        if mechanism == Mechanism::Plain {
            let said = STANDARD.encode(format!("\0{user}\0{}", password.expose()));
            return (Self { mechanism, step: Step::Said }, said);
        }
        // RFC 5802, 5.1: `saslname`.
        let first = format!("n={},r={nonce}", user.replace('=', "=3D").replace(',', "=2C"));
        let said = STANDARD.encode(format!("n,,{first}"));
        let step = Step::Begun { password: password.clone(), nonce: nonce.to_owned(), first };
        (Self { mechanism, step }, said)
    }

    /// What to answer to a challenge, both in Base64.
    ///
    /// # Errors
    ///
    /// [`SaslError`]; the authentication is over then.
    pub fn challenge(&mut self, said: &str) -> Result<String, SaslError> {
        let said = decoded(said)?;
        match &self.step {
            Step::Begun { password, nonce, first } => {
                let challenge = Challenge::read(&said)?;
                if !challenge.nonce.starts_with(nonce.as_str()) || challenge.nonce.len() == nonce.len() {
                    return Err(SaslError::Nonce);
                }
                let (answer, signature) = match self.mechanism {
                    Mechanism::ScramSha1 => sha1_proof(password, first, &challenge),
                    _ => sha256_proof(password, first, &challenge),
                };
                self.step = Step::Proved { signature };
                Ok(STANDARD.encode(answer))
            }
            // Where a server proves itself before it says that all is well.
            Step::Proved { .. } => {
                self.prove(&said)?;
                Ok(String::new())
            }
            Step::Said | Step::Verified => Err(SaslError::Unexpected),
        }
    }

    /// Whether the server may be believed when it says that all is well, with what it says beside, in Base64.
    ///
    /// # Errors
    ///
    /// [`SaslError::Unproven`] where it should have proved something.
    pub fn success(&mut self, said: &str) -> Result<(), SaslError> {
        match self.step {
            Step::Said | Step::Verified => Ok(()),
            Step::Begun { .. } => Err(SaslError::Unproven),
            Step::Proved { .. } => self.prove(&decoded(said)?),
        }
    }

    fn prove(&mut self, said: &str) -> Result<(), SaslError> {
        let Step::Proved { signature } = &self.step else { return Err(SaslError::Unexpected) };
        let proof = said.split(',').next().and_then(|field| field.strip_prefix("v=")).ok_or(SaslError::Unproven)?;
        let proof = STANDARD.decode(proof).map_err(|_| SaslError::Malformed)?;
        if proof != *signature {
            return Err(SaslError::Unproven);
        }
        self.step = Step::Verified;
        Ok(())
    }
}

/// RFC 6120, 6.4.2: a single `=` is the empty text.
fn decoded(said: &str) -> Result<String, SaslError> {
    let said = said.trim();
    let bytes = STANDARD.decode(if said == "=" { "" } else { said }).map_err(|_| SaslError::Malformed)?;
    String::from_utf8(bytes).map_err(|_| SaslError::Malformed)
}

/// The `server-first-message` of RFC 5802.
struct Challenge<'a> {
    text: &'a str,
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> Challenge<'a> {
    fn read(text: &'a str) -> Result<Self, SaslError> {
        // An extension that must be understood (`m=`) would come first, and is none that we do.
        let mut fields = text.split(',');
        let mut field = |name| fields.next().and_then(|field| field.strip_prefix(name)).ok_or(SaslError::Malformed);
        let (nonce, salt, iterations) = (field("r=")?, field("s=")?, field("i=")?);
        let salt = STANDARD.decode(salt).map_err(|_| SaslError::Malformed)?;
        let iterations: u32 = iterations.parse().map_err(|_| SaslError::Malformed)?;
        if !ITERATIONS.contains(&iterations) {
            return Err(SaslError::Iterations(iterations));
        }
        Ok(Self { text, nonce, salt, iterations })
    }
}

/// RFC 5802, 3, once for each hash: what to answer, and the signature that the server must show.
macro_rules! proof {
    ($name:ident, $hash:ty, $length:literal) => {
        fn $name(password: &Secret, first: &str, challenge: &Challenge<'_>) -> (String, Vec<u8>) {
            let sign = |key: &[u8], text: &str| -> [u8; $length] {
                // HMAC takes a key of any length.
                let Ok(mac) = <Hmac<$hash> as Mac>::new_from_slice(key) else { return [0; $length] };
                mac.chain_update(text).finalize().into_bytes().into()
            };
            let mut salted = [0; $length];
            pbkdf2::pbkdf2_hmac::<$hash>(
                password.expose().as_bytes(),
                &challenge.salt,
                challenge.iterations,
                &mut salted,
            );
            let client_key = sign(&salted, "Client Key");
            let stored_key = <$hash>::digest(client_key);
            // `biws` is `n,,`: no channel binding.
            let last = format!("c=biws,r={}", challenge.nonce);
            let everything = format!("{first},{},{last}", challenge.text);
            let signature = sign(&stored_key, &everything);
            let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, byte)| key ^ byte).collect();
            let expected = sign(&sign(&salted, "Server Key"), &everything);
            (format!("{last},p={}", STANDARD.encode(proof)), expected.to_vec())
        }
    };
}

proof!(sha1_proof, Sha1, 20);
proof!(sha256_proof, Sha256, 32);
