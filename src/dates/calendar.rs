//! Stretches of the calendar, and how TIMEX3 writes them.

use std::fmt;

use jiff::civil::{Date, ISOWeekDate, Weekday};

/// What durations are counted in and the calendar is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Weekend,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
}

impl Unit {
    /// Whether ISO 8601 writes it behind the `T` of a duration.
    const fn is_clock(self) -> bool {
        matches!(self, Self::Second | Self::Minute | Self::Hour)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Season {
    Winter,
    Spring,
    Summer,
    Fall,
}

impl Season {
    /// The month a season begins in, as newspapers count.
    pub(super) const fn first_month(self) -> i8 {
        match self {
            Self::Winter => 12,
            Self::Spring => 3,
            Self::Summer => 6,
            Self::Fall => 9,
        }
    }
}

/// A part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    Day(Date),
    /// By its Saturday.
    Weekend(Date),
    /// By its Monday.
    Week(Date),
    Month(i16, i8),
    Quarter(i16, i8),
    Season(i16, Season),
    Year(i16),
    /// Years divided by ten.
    Decade(i16),
    /// Years divided by a hundred.
    Century(i16),
}

impl Stretch {
    /// The stretch of length `unit` that `day` lies in; for a weekend, the one of its week.
    pub(super) fn around(day: Date, unit: Unit) -> Option<Self> {
        Some(match unit {
            Unit::Second | Unit::Minute | Unit::Hour => return None,
            Unit::Day => Self::Day(day),
            Unit::Weekend => Self::Weekend(weekday_of_week(day, Weekday::Saturday)?),
            Unit::Week => Self::Week(weekday_of_week(day, Weekday::Monday)?),
            Unit::Month => Self::Month(day.year(), day.month()),
            Unit::Quarter => Self::Quarter(day.year(), (day.month() - 1) / 3 + 1),
            Unit::Year => Self::Year(day.year()),
            Unit::Decade => Self::Decade(day.year().div_euclid(10)),
            Unit::Century => Self::Century(day.year().div_euclid(100)),
        })
    }

    /// The length of the stretch; a season counts as a quarter.
    pub(super) const fn unit(self) -> Unit {
        match self {
            Self::Day(_) => Unit::Day,
            Self::Weekend(_) => Unit::Weekend,
            Self::Week(_) => Unit::Week,
            Self::Month(..) => Unit::Month,
            Self::Quarter(..) | Self::Season(..) => Unit::Quarter,
            Self::Year(_) => Unit::Year,
            Self::Decade(_) => Unit::Decade,
            Self::Century(_) => Unit::Century,
        }
    }

    /// Its first day; none where the calendar of four-digit years has none.
    pub(super) fn first_day(self) -> Option<Date> {
        let (year, month) = match self {
            Self::Day(day) | Self::Weekend(day) | Self::Week(day) => return Some(day),
            Self::Month(year, month) => (year, month),
            Self::Quarter(year, quarter) => (year, quarter * 3 - 2),
            Self::Season(year, season) => (year, season.first_month()),
            Self::Year(year) => (year, 1),
            Self::Decade(tens) => (tens.checked_mul(10)?, 1),
            Self::Century(hundreds) => (hundreds.checked_mul(100)?, 1),
        };
        Date::new(year, month, 1).ok()
    }

    /// The stretch of length `unit` that holds this one, moved by `count` of it; none where this
    /// one is longer ("three days after 1990").
    pub(super) fn moved(self, count: i32, unit: Unit) -> Option<Self> {
        if self.unit() > unit {
            return None;
        }
        let day = self.first_day()?;
        let months = |count: i32| {
            let month = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + count;
            let year = i16::try_from(month.div_euclid(12)).ok()?;
            // The remainder of a division by twelve fits.
            Date::new(year, month.rem_euclid(12) as i8 + 1, 1).ok()
        };
        let moved = match unit {
            Unit::Second | Unit::Minute | Unit::Hour => return None,
            Unit::Day => days_after(day, count)?,
            Unit::Weekend | Unit::Week => days_after(day, count.checked_mul(7)?)?,
            Unit::Month => months(count)?,
            Unit::Quarter => months(count.checked_mul(3)?)?,
            Unit::Year => months(count.checked_mul(12)?)?,
            Unit::Decade => months(count.checked_mul(120)?)?,
            Unit::Century => months(count.checked_mul(1200)?)?,
        };
        Self::around(moved, unit)
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = |day: Date| day.iso_week_date();
        match *self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Weekend(day) => write!(f, "{:04}-W{:02}-WE", week(day).year(), week(day).week()),
            Self::Week(day) => write!(f, "{:04}-W{:02}", week(day).year(), week(day).week()),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Quarter(year, quarter) => write!(f, "{year:04}-Q{quarter}"),
            Self::Season(year, season) => write!(f, "{year:04}-{}", season_code(season)),
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Decade(tens) => write!(f, "{tens:03}"),
            Self::Century(hundreds) => write!(f, "{hundreds:02}"),
        }
    }
}

pub(super) const fn season_code(season: Season) -> &'static str {
    match season {
        Season::Winter => "WI",
        Season::Spring => "SP",
        Season::Summer => "SU",
        Season::Fall => "FA",
    }
}

pub(super) const fn part_code(part: Part) -> &'static str {
    match part {
        Part::Morning => "MO",
        Part::Afternoon => "AF",
        Part::Evening => "EV",
        Part::Night => "NI",
    }
}

/// How many: none where the text is vague about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) number: Option<u32>,
    /// "and a half".
    pub(super) half: bool,
}

impl Count {
    pub(super) const ONE: Self = Self { number: Some(1), half: false };
    pub(super) const VAGUE: Self = Self { number: None, half: false };

    pub(super) const fn whole(number: u32) -> Self {
        Self { number: Some(number), half: false }
    }
}

/// A duration as TIMEX3 writes it: `P3D`, `PT5H`, `PXW`.
pub(super) fn duration(count: Count, unit: Unit) -> String {
    let Some(number) = count.number else {
        let code = match unit {
            Unit::Second => "TXS",
            Unit::Minute => "TXM",
            Unit::Hour => "TXH",
            Unit::Day => "XD",
            Unit::Weekend => "XWE",
            Unit::Week => "XW",
            Unit::Month => "XM",
            Unit::Quarter => "XQ",
            Unit::Year => "XY",
            Unit::Decade => "XDE",
            Unit::Century => "XCE",
        };
        return format!("P{code}");
    };
    // Twice the number, so that halves stay whole.
    let halves = u64::from(number) * 2 + u64::from(count.half);
    let (amount, letter) = match unit {
        Unit::Second => (halves * 5, "S"),
        Unit::Minute => (halves * 5, "M"),
        Unit::Hour if count.half => (halves * 300, "M"),
        Unit::Hour => (halves * 5, "H"),
        Unit::Day | Unit::Weekend => (halves * 5, "D"),
        Unit::Week => (halves * 5, "W"),
        Unit::Month => (halves * 5, "M"),
        Unit::Quarter => (halves * 15, "M"),
        Unit::Year if count.half => (halves * 60, "M"),
        Unit::Year => (halves * 5, "Y"),
        Unit::Decade => (halves * 50, "Y"),
        Unit::Century => (halves * 500, "Y"),
    };
    let time = if unit.is_clock() { "T" } else { "" };
    if amount % 10 == 0 {
        format!("P{time}{}{letter}", amount / 10)
    } else {
        format!("P{time}{}.5{letter}", amount / 10)
    }
}

pub(super) fn days_after(day: Date, days: i32) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// The given day of the ISO week that `day` lies in.
pub(super) fn weekday_of_week(day: Date, weekday: Weekday) -> Option<Date> {
    let week = day.iso_week_date();
    ISOWeekDate::new(week.year(), week.week(), weekday).ok().map(ISOWeekDate::date)
}

/// Easter Sunday in the Gregorian calendar (Butcher's algorithm).
pub(super) fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 114;
    Date::new(year, (days / 31) as i8, (days % 31) as i8 + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_move_by_their_own_length() {
        let day = Stretch::Day(Date::constant(2018, 1, 31));
        for (count, unit, value) in [
            (1, Unit::Day, "2018-02-01"),
            (-1, Unit::Week, "2018-W04"),
            (1, Unit::Month, "2018-02"),
            (-1, Unit::Quarter, "2017-Q4"),
            (1, Unit::Weekend, "2018-W06-WE"),
            (-2, Unit::Decade, "199"),
            (-1, Unit::Century, "19"),
        ] {
            assert_eq!(day.moved(count, unit).unwrap().to_string(), value);
        }
        assert_eq!(Stretch::Year(1990).moved(3, Unit::Day), None);
        assert_eq!(day.moved(i32::MAX, Unit::Century), None);
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        let days = [2016, 2018, 2024, 2025].map(|year| easter(year).unwrap().to_string());
        assert_eq!(days, ["2016-03-27", "2018-04-01", "2024-03-31", "2025-04-20"]);
    }
}
