//! What is in a file that is to be written, without holding it where that is many megabytes.
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Digest;

/// All of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// As it is.
    Whole(Vec<u8>),
    /// A base that other files share, with a patch of its own: what programs are that differ in their plan only. Only while
    /// it is compared or written is there a copy.
    Patched {
        /// The base.
        base: Arc<[u8]>,
        /// Where the patch begins, which ends before the base does.
        at: usize,
        /// What is there instead.
        patch: Vec<u8>,
    },
}

impl Bytes {
    /// What many files have in common.
    #[must_use]
    pub fn shared(bytes: &[u8]) -> Self {
        Self::Patched { base: Arc::from(bytes), at: 0, patch: Vec::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        let len = match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Patched { base, .. } => base.len(),
        };
        len as u64
    }

    /// All of them.
    #[must_use]
    pub fn get(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Whole(bytes) => Cow::Borrowed(bytes),
            Self::Patched { base, at, patch } => {
                let mut whole = base.to_vec();
                whole[Self::patched(*at, patch)].copy_from_slice(patch);
                Cow::Owned(whole)
            }
        }
    }

    /// Their hash.
    pub(super) fn digest(&self) -> Digest {
        self.parts().iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).into()
    }

    /// Whether these are the same.
    pub(super) fn same_as(&self, other: &[u8]) -> bool {
        let mut rest = other;
        self.parts().iter().all(|part| rest.strip_prefix(*part).inspect(|behind| rest = behind).is_some())
            && rest.is_empty()
    }

    /// What they are made of, in order.
    fn parts(&self) -> [&[u8]; 3] {
        match self {
            Self::Whole(bytes) => [bytes, &[], &[]],
            Self::Patched { base, at, patch } => [&base[..*at], patch, &base[Self::patched(*at, patch).end..]],
        }
    }

    fn patched(at: usize, patch: &[u8]) -> Range<usize> {
        at..at + patch.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patched_file_is_the_same_as_a_whole_one() {
        for (at, patch, whole) in [(0, "XY", "XYcdef"), (2, "XY", "abXYef"), (4, "XY", "abcdXY"), (6, "", "abcdef")] {
            let base: Arc<[u8]> = Arc::from(b"abcdef".as_slice());
            let patched = Bytes::Patched { base, at, patch: patch.into() };
            let plain = Bytes::Whole(whole.into());
            assert_eq!(patched.get(), plain.get());
            assert_eq!((patched.len(), patched.digest()), (plain.len(), Digest::of(whole.as_bytes())));
            for bytes in [&patched, &plain] {
                assert!(bytes.same_as(whole.as_bytes()));
                assert!(!bytes.same_as(&whole.as_bytes()[..5]));
                assert!(!bytes.same_as(format!("{whole}g").as_bytes()));
                assert!(!bytes.same_as(b"abcdeg"));
            }
        }
    }
}
