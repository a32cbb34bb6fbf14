//! Whether an ELF file is whole, as far as its own head tells (System V Application Binary Interface, "Object Files").

/// `e_ident` of a 64-bit little-endian file: magic, class and order of bytes.
const IDENT: &[u8] = b"\x7fELF\x02\x01";
/// Bytes of the head.
const HEAD: usize = 64;

/// A table in the file: where its offset, the size of an entry and the number of entries stand in the head.
struct Table {
    offset: usize,
    entry: usize,
    count: usize,
}

/// `e_phoff`, `e_phentsize`, `e_phnum`: segments, without which no program is loaded.
const SEGMENTS: Table = Table { offset: 32, entry: 54, count: 56 };
/// `e_shoff`, `e_shentsize`, `e_shnum`: sections, which linkers write last.
const SECTIONS: Table = Table { offset: 40, entry: 58, count: 60 };
/// `p_offset` and `p_filesz` in an entry of [`SEGMENTS`].
const SEGMENT: (usize, usize) = (8, 32);

/// Whether a 64-bit little-endian ELF file ends before something that is said to be in it. Other files are not looked at.
pub(super) fn is_cut_off(file: &[u8]) -> bool {
    file.starts_with(IDENT) && ends(file).is_none_or(|end| end > file.len() as u64)
}

/// Where what the head names ends. None where even that cannot be read.
fn ends(file: &[u8]) -> Option<u64> {
    let head = file.get(..HEAD)?;
    let (segments, sections) = (SEGMENTS.read(head)?, SECTIONS.read(head)?);
    let mut end = segments.end()?.max(sections.end()?);
    for number in 0..segments.count {
        let at = segments.offset.checked_add(number.checked_mul(segments.entry)?)?;
        let entry = file.get(usize::try_from(at).ok()?..)?;
        end = end.max(long(entry, SEGMENT.0)?.checked_add(long(entry, SEGMENT.1)?)?);
    }
    Some(end)
}

/// What the head says of a table.
struct Read {
    offset: u64,
    entry: u64,
    count: u64,
}

impl Table {
    fn read(&self, head: &[u8]) -> Option<Read> {
        let short = |at| Some(u64::from(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?)));
        Some(Read { offset: long(head, self.offset)?, entry: short(self.entry)?, count: short(self.count)? })
    }
}

impl Read {
    fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.entry.checked_mul(self.count)?)
    }
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head, two segments and a section's entry behind their content.
    fn program() -> Vec<u8> {
        let mut file = vec![0; 512];
        file[..IDENT.len()].copy_from_slice(IDENT);
        let mut put = |at: usize, value: u64, size: usize| {
            file[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        };
        for (table, offset, entry, count) in [(SEGMENTS, 64, 56, 2), (SECTIONS, 448, 64, 1)] {
            put(table.offset, offset, 8);
            put(table.entry, entry, 2);
            put(table.count, count, 2);
        }
        for (number, offset, length) in [(0, 0, 200), (1, 200, 248)] {
            put(64 + number * 56 + SEGMENT.0, offset, 8);
            put(64 + number * 56 + SEGMENT.1, length, 8);
        }
        file
    }

    #[test]
    fn every_cut_of_a_program_is_noticed() {
        let whole = program();
        assert!(!is_cut_off(&whole));
        for length in IDENT.len()..whole.len() {
            assert!(is_cut_off(&whole[..length]), "{length}");
        }
    }

    #[test]
    fn a_program_without_sections_ends_with_its_segments() {
        let mut file = program();
        for at in [SECTIONS.offset, SECTIONS.offset + 1, SECTIONS.count] {
            file[at] = 0;
        }
        assert!(!is_cut_off(&file[..448]));
        assert!(is_cut_off(&file[..447]));
    }

    #[test]
    fn numbers_that_cannot_be_are_a_cut_and_other_files_are_none() {
        let mut file = program();
        file[SECTIONS.offset..SECTIONS.offset + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(is_cut_off(&file));
        assert!(!is_cut_off(b""));
        assert!(!is_cut_off(b"MZ and so on"));
    }
}
