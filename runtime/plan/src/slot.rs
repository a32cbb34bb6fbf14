//! The place for a plan in a program: found in its file by a marker, filled in place, and read by the program itself.
//!
//! The place has its full size from the start, so that filling it moves nothing: `strip`, `objcopy` and a signature that is
//! made afterwards leave it alone, and the same plan gives the same bytes. A plan is not compressed: it is a few kilobytes of
//! JSON, which anybody can look at with `strings`.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::encoding;

mod elf;

/// How many bytes a plan may have: those of a deployment with some 1,000 connectors.
pub const CAPACITY: usize = 64 * 1024;

/// Where a place begins. The second half was drawn once, so that no other bytes of a program are the same.
const MARKER: [u8; 32] = *b"topoc: a plan\n\0\0\x9b\x1e\xd6\x47\x83\xaa\x05\xf1\x2c\x70\xbe\x59\xc8\x34\xe7\x12";
/// Behind the marker, each as four bytes, little-endian: the capacity, and the oldest and the newest version of a plan that
/// the program understands.
const HEAD: usize = MARKER.len() + 4 * NUMBERS;
const NUMBERS: usize = 3;
/// A place begins at a multiple of this, also in the file: sections are laid out by pages.
const ALIGN: usize = 64;

/// The place. A program has one, as a `static` with `#[used]`.
///
/// ```
/// use topoc_plan::slot::Slot;
///
/// #[used]
/// static SLOT: Slot = Slot::empty();
///
/// assert!(SLOT.read().iter().all(|byte| *byte == 0));
/// ```
///
/// Its bytes are atomic although nobody changes them: a compiler may compute with the content of a plain `static`, which is
/// another once a plan is there, but not with what `#[used]` says may be touched by others.
#[repr(C, align(64))]
pub struct Slot([AtomicU8; HEAD + CAPACITY]);

impl Slot {
    /// A place without a plan.
    #[must_use]
    pub const fn empty() -> Self {
        let mut bytes = [const { AtomicU8::new(0) }; HEAD + CAPACITY];
        let numbers = [CAPACITY as u32, encoding::KNOWN.0, encoding::KNOWN.1];
        let mut at = 0;
        while at < HEAD {
            let behind = at.wrapping_sub(MARKER.len());
            let byte = if at < MARKER.len() { MARKER[at] } else { numbers[behind / 4].to_le_bytes()[behind % 4] };
            bytes[at] = AtomicU8::new(byte);
            at += 1;
        }
        Self(bytes)
    }

    /// The place as it lies in a program's file: the smallest program that a plan can be put into, for tests of those who do.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().map(|byte| byte.load(Ordering::Relaxed)).collect()
    }

    /// What is in the place: a plan and zeros behind it, or zeros alone.
    #[must_use]
    pub fn read(&self) -> Vec<u8> {
        self.0[HEAD..].iter().map(|byte| byte.load(Ordering::Relaxed)).collect()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// Why a plan cannot be put into a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedError {
    /// It has no place for one.
    NoSlot,
    /// It has several, and nobody knows which one it reads.
    SeveralSlots,
    /// There is a plan in it already.
    AlreadyFilled,
    /// There is something in its place that is no plan.
    Damaged,
    /// Its file ends before what its own head says is in it.
    CutOff,
    /// What is to be put in is no plan.
    NotAPlan,
    /// It does not understand plans of that version of the format.
    OtherVersion {
        /// Of the plan.
        plan: u32,
        /// The oldest and the newest version that it understands.
        known: (u32, u32),
    },
    /// The plan has so many bytes, and there is room for so many.
    TooLong {
        /// Of the plan.
        plan: usize,
        /// Of the place.
        room: usize,
    },
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlot => f.write_str("it has no place for a plan"),
            Self::SeveralSlots => f.write_str("it has several places for a plan"),
            Self::AlreadyFilled => f.write_str("it has a plan already"),
            Self::Damaged => f.write_str("it has something in the place of the plan that is none"),
            Self::CutOff => f.write_str("it is cut off: its file ends too early"),
            Self::OtherVersion { plan, known: (oldest, newest) } => {
                write!(f, "it understands plans of version {oldest} to {newest} of the format, and this one has {plan}")
            }
            Self::NotAPlan => f.write_str("what is to be put into it is no plan"),
            Self::TooLong { plan, room } => write!(f, "it has room for {room} bytes, and the plan has {plan}"),
        }
    }
}

impl std::error::Error for EmbedError {}

/// The place for a plan in the file of a pristine template: a program that was looked at and has nothing in it yet.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where the plan goes.
    at: usize,
    room: usize,
    /// The oldest and the newest version of a plan that the program understands.
    known: (u32, u32),
}

impl Place {
    /// Looks at a program.
    ///
    /// # Errors
    /// [`EmbedError`] if it is no pristine template.
    pub fn of(program: &[u8]) -> Result<Self, EmbedError> {
        let place = only(program)?;
        let content = place.content(program);
        if encoding::is_begun(content) {
            return Err(EmbedError::AlreadyFilled);
        }
        if content.iter().any(|byte| *byte != 0) {
            return Err(EmbedError::Damaged);
        }
        if elf::is_cut_off(program) { Err(EmbedError::CutOff) } else { Ok(place) }
    }

    /// Where in the program's file the bytes of this plan go, which [`crate::encode`] has made: they replace as many zeros.
    ///
    /// # Errors
    /// [`EmbedError::NotAPlan`], [`EmbedError::OtherVersion`] and [`EmbedError::TooLong`].
    pub fn take(self, plan: &[u8]) -> Result<usize, EmbedError> {
        let Self { at, room, known } = self;
        let version = encoding::version(plan).ok_or(EmbedError::NotAPlan)?;
        if version < known.0 || version > known.1 {
            return Err(EmbedError::OtherVersion { plan: version, known });
        }
        if plan.len() > room { Err(EmbedError::TooLong { plan: plan.len(), room }) } else { Ok(at) }
    }

    fn content(self, program: &[u8]) -> &[u8] {
        &program[self.at..self.at + self.room]
    }
}

/// A program with a plan in its place.
///
/// # Errors
/// [`EmbedError`].
pub fn embed(template: &[u8], plan: &[u8]) -> Result<Vec<u8>, EmbedError> {
    let at = Place::of(template)?.take(plan)?;
    let mut program = template.to_vec();
    program[at..at + plan.len()].copy_from_slice(plan);
    Ok(program)
}

/// What is in the one place of a program's file.
///
/// # Errors
/// [`EmbedError::NoSlot`] and [`EmbedError::SeveralSlots`].
pub fn read(program: &[u8]) -> Result<&[u8], EmbedError> {
    Ok(only(program)?.content(program))
}

fn only(program: &[u8]) -> Result<Place, EmbedError> {
    let mut places = places(program);
    let first = places.next().ok_or(EmbedError::NoSlot)?;
    if places.next().is_some() { Err(EmbedError::SeveralSlots) } else { Ok(first) }
}

/// The places of a program. The marker alone is none: code that looks for it has it too.
fn places(program: &[u8]) -> impl Iterator<Item = Place> {
    let starts = (0..program.len()).step_by(ALIGN).filter(|at| program[*at..].starts_with(&MARKER));
    starts.filter_map(|start| {
        let numbers = program.get(start + MARKER.len()..start + HEAD)?;
        let mut numbers = numbers.chunks_exact(4).filter_map(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let room = usize::try_from(numbers.next()?).ok()?;
        let known = (numbers.next()?, numbers.next()?);
        let at = start + HEAD;
        (room > 0 && room <= program.len() - at).then_some(Place { at, room, known })
    })
}
