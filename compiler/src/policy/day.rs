//! A day of the calendar, as `until` and `--today` write it.

use std::fmt;

/// A day, ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// `2027-01-31`, in no other form (RFC 3339, full-date).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = bytes.len() == 10 && bytes.iter().enumerate().all(|(at, byte)| shaped(at, *byte));
        if !shape {
            return None;
        }
        let (year, month, day) =
            (text.get(..4)?.parse().ok()?, text.get(5..7)?.parse().ok()?, text.get(8..)?.parse().ok()?);
        let real = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
        real.then_some(Self { year, month, day })
    }

    /// The day that is so many days after 1970-01-01.
    #[must_use]
    pub fn since_1970(mut days: u64) -> Self {
        let (mut year, mut month) = (1970_u16, 1_u8);
        while days >= in_year(year) && year < 9999 {
            days -= in_year(year);
            year += 1;
        }
        while days >= u64::from(length(year, month)) && month < 12 {
            days -= u64::from(length(year, month));
            month += 1;
        }
        let day = u8::try_from(days + 1).unwrap_or(u8::MAX).min(length(year, month));
        Self { year, month, day }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn shaped(at: usize, byte: u8) -> bool {
    if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn in_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn length(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_days() {
        for (text, expected) in [
            ("2027-01-31", true),
            ("2028-02-29", true),
            ("2027-02-29", false),
            ("2100-02-29", false),
            ("2000-02-29", true),
            ("2027-04-31", false),
            ("2027-13-01", false),
            ("2027-00-10", false),
            ("2027-1-31", false),
            ("31.01.2027", false),
            ("+027-01-31", false),
            ("tomorrow", false),
            ("2027-01-ü", false),
        ] {
            assert_eq!(Day::parse(text).map(|day| day.to_string()), expected.then(|| text.to_owned()), "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(Day::since_1970(days).to_string(), text);
        }
    }

    #[test]
    fn days_are_in_the_order_of_time() {
        let days: Vec<Day> =
            ["2026-12-31", "2027-01-30", "2027-01-31", "2027-02-01"].map(|day| Day::parse(day).unwrap()).into();
        assert!(days.is_sorted());
    }
}
