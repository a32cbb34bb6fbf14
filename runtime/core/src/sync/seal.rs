//! The envelope of what connectors tell each other: a head that everybody can read, and the rest sealed with XChaCha20-Poly1305.
//!
//! `{"topoc-sync":1,"from":"site-1.gc-1","epoch":3,"sequence":17,"kind":"hello"}`, a line feed, 24 bytes of nonce, the sealed body.
//! The head, as it stands there, and the deployment's name are part of what is authenticated: nothing of a message can be changed,
//! and none of another deployment or kind taken for it, also where deployments share a key.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The version of the format. Within one, fields and kinds are added, and never renamed or removed.
pub const VERSION: u32 = 1;
/// Longest message, in bytes. Ours: the frame of a broker has 100 MB (`wireFormat.maxFrameSize`), a piece of a snapshot a tenth of
/// this.
pub const LONGEST: usize = 1 << 20;
/// Longest head, in bytes. Ours: four times the longest that is written.
const LONGEST_HEAD: usize = 4096;
/// Of XChaCha20-Poly1305, in bytes (draft-irtf-cfrg-xchacha-03, 2.3): so long that chance alone never gives one twice.
const NONCE: usize = 24;
/// So many bytes of a nonce are chance; the others count.
pub const CHANCE: usize = 16;

/// A key. It shows itself to nobody, and is overwritten when the last copy goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<Zeroizing<[u8; 32]>>);

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// A key as it stands in a file or a variable: 64 hexadecimal digits, blanks around them dropped.
    ///
    /// # Errors
    ///
    /// [`NoKey`] if it is something else. A passphrase is none: whoever reads the topic could try words for it.
    pub fn read(text: &str) -> Result<Self, NoKey> {
        let text = text.trim();
        if text.len() != 64 {
            return Err(NoKey);
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |at: usize| pair.get(at).and_then(|letter| char::from(*letter).to_digit(16)).ok_or(NoKey);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).map_err(|_| NoKey)?;
        }
        Ok(Self(Arc::new(bytes)))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(chacha20poly1305::Key::from_slice(self.0.as_slice()))
    }
}

/// `[key]`.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key has 64 hexadecimal digits: make one with `openssl rand -hex 32`")
    }
}

impl std::error::Error for NoKey {}

/// The keys of a deployment. To change the key: give every connector the new one as `other`, then exchange both, then drop the old
/// one; each step one connector after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// What is sent is sealed with it.
    pub first: Key,
    /// What is received may be sealed with it.
    pub other: Option<Key>,
}

/// What everybody can read of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`VERSION`]: the lowest that a reader has to know.
    #[serde(rename = "topoc-sync")]
    pub version: u32,
    /// The connector that sent it.
    pub from: String,
    /// Its start: rises with each.
    pub epoch: u64,
    /// Rises by one with each message of this start.
    pub sequence: u64,
    /// What the body is.
    pub kind: String,
}

/// Why a message does not count. It is dropped, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dropped {
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It has no head that can be read.
    NoHead,
    /// A reader of it has to know a later version.
    TooNew,
    /// It is our own, as a topic brings it back.
    Own,
    /// Another process has our name.
    Twin,
    /// Its sender is no connector of the deployment.
    Stranger,
    /// It was not sealed with a key of ours, or for another deployment, or changed on its way.
    Forged,
    /// Its sender has been started again since.
    OldEpoch,
    /// One with this number, or a later one, came already.
    Replayed,
    /// Nothing shows yet that it was sent since we started: it may be an old one, sent again by somebody.
    Unproven,
    /// Its body cannot be read.
    Unreadable,
    /// Its kind is not known: it is of a newer release.
    UnknownKind,
}

impl Dropped {
    /// A word for metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::NoHead => "no-head",
            Self::TooNew => "too-new",
            Self::Own => "own",
            Self::Twin => "twin",
            Self::Stranger => "stranger",
            Self::Forged => "forged",
            Self::OldEpoch => "old-epoch",
            Self::Replayed => "replayed",
            Self::Unproven => "unproven",
            Self::Unreadable => "unreadable",
            Self::UnknownKind => "unknown-kind",
        }
    }
}

/// Seals a body. `nonce` must never have been used before with the key.
///
/// # Panics
///
/// Never: a head and bodies of this size can always be written.
#[must_use]
pub fn seal(keys: &Keys, deployment: &str, head: &Head, nonce: [u8; NONCE], body: &[u8]) -> Vec<u8> {
    let mut message = serde_json::to_vec(head).expect("texts and numbers can always be written");
    let aad = bound(deployment, &message);
    let payload = Payload { msg: body, aad: &aad };
    let sealed = keys.first.cipher().encrypt(XNonce::from_slice(&nonce), payload);
    message.push(b'\n');
    message.extend_from_slice(&nonce);
    message.extend(sealed.expect("a body of less than 256 GB can be sealed"));
    message
}

/// Reads the head, which nobody vouches for yet.
///
/// # Errors
///
/// [`Dropped::TooLong`], [`Dropped::NoHead`], [`Dropped::TooNew`].
pub fn head(message: &[u8]) -> Result<(Head, usize), Dropped> {
    if message.len() > LONGEST {
        return Err(Dropped::TooLong);
    }
    let end = message.iter().take(LONGEST_HEAD).position(|byte| *byte == b'\n').ok_or(Dropped::NoHead)?;
    let head: Head = serde_json::from_slice(&message[..end]).map_err(|_| Dropped::NoHead)?;
    if head.version > VERSION { Err(Dropped::TooNew) } else { Ok((head, end)) }
}

/// Opens the body behind a head that ends there.
///
/// # Errors
///
/// [`Dropped::Forged`] if neither key fits.
pub fn open(keys: &Keys, deployment: &str, message: &[u8], end: usize) -> Result<Zeroizing<Vec<u8>>, Dropped> {
    let (head, rest) = message.split_at_checked(end).ok_or(Dropped::Forged)?;
    let (nonce, sealed) = rest.get(1..).and_then(|rest| rest.split_at_checked(NONCE)).ok_or(Dropped::Forged)?;
    let aad = bound(deployment, head);
    let with = |key: &Key| {
        let payload = Payload { msg: sealed, aad: &aad };
        key.cipher().decrypt(XNonce::from_slice(nonce), payload).ok().map(Zeroizing::new)
    };
    with(&keys.first).or_else(|| keys.other.as_ref().and_then(with)).ok_or(Dropped::Forged)
}

/// What is authenticated beside the body.
fn bound(deployment: &str, head: &[u8]) -> Vec<u8> {
    let length = u64::try_from(deployment.len()).unwrap_or(u64::MAX);
    [&length.to_le_bytes()[..], deployment.as_bytes(), head].concat()
}

/// Gives nonces: chance of one start, and a number.
#[derive(Clone, Debug)]
pub(super) struct Nonces {
    chance: [u8; CHANCE],
    next: u64,
}

impl Nonces {
    pub(super) const fn new(chance: [u8; CHANCE]) -> Self {
        Self { chance, next: 0 }
    }

    pub(super) fn next(&mut self) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce[..CHANCE].copy_from_slice(&self.chance);
        nonce[CHANCE..].copy_from_slice(&self.next.to_le_bytes());
        self.next += 1;
        nonce
    }
}
