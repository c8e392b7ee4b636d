//! The words that temporal expressions are made of.

use std::sync::LazyLock;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::calendar::{Count, Part, Season, Unit};

/// What a token can contribute to a temporal expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Other,
    /// 1 is Monday.
    Weekday(i8),
    /// "Mondays".
    Weekdays(i8),
    Month(i8),
    Season(Season),
    Part(Part),
    Unit(Unit),
    Units(Unit),
    /// "Q3"
    Quarter(i8),
    /// "2024-02-05", "13/02/2024"
    Calendar(Date),
    /// A number in words or digits.
    Number(u32),
    /// "24-26" and "2010-2016".
    Range(u32, u32),
    /// "10th" and "tenth".
    Ordinal(u32),
    /// "1990s": the years by ten.
    Decade(i16),
    /// "10-year", "weeks-long".
    Length(Count, Unit),
    /// "17-year-old": not a temporal expression.
    Age,
    /// "10:45", and "10:45am" with its half of the day; minutes from midnight.
    Clock {
        minute: u16,
        certain: bool,
    },
    /// "a.m." and "p.m.".
    HalfDay {
        after_noon: bool,
    },
    Zone,
    Noon,
    Midnight,
    /// Days from the day it is said.
    Day(i8),
    Tonight,
    /// TIMEX3's references to no date in particular.
    Reference(&'static str),
    /// "annual", "weekly": every so often.
    Every(u32, Unit),
    Each,
    Per,
    Once,
    Times,
    Early,
    Mid,
    /// "earlier" and "later".
    Relative(i8),
    Ago,
    Approximately,
    More,
    Than,
    Well,
    A,
    The,
    Of,
    On,
    At,
    In,
    And,
    To,
    Half,
    Couple,
    Several,
    /// "straight", "consecutive", "full": may stand between a number and its unit.
    Straight,
    This,
    That,
    Last,
    Past,
    Next,
    Previous,
    Following,
    Same,
    Coming,
    Recent,
    Remaining,
    Ahead,
    From,
    Now,
    Old,
    /// "end", "beginning", "middle".
    Edge,
    Fiscal,
    Date,
    Holiday(Holiday),
}

/// Days of the year with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holiday {
    Christmas,
    Thanksgiving,
    Halloween,
    Easter,
    /// Only with "Day" after it: Election, Labor, Memorial, Independence, Veterans, Valentine.
    Election,
    Labor,
    Memorial,
    Independence,
    Veterans,
    /// "New", of "New Year's Eve".
    NewYear,
}

impl Word {
    /// Reads a token.
    pub(super) fn read(text: &str) -> Self {
        const LONGEST: usize = 16;
        let bytes = text.as_bytes();
        let mut buffer = [0; LONGEST];
        let Some(lower) = buffer.get_mut(..bytes.len()) else { return Self::Other };
        if !bytes.is_ascii() {
            return Self::Other;
        }
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        // ASCII stays UTF-8.
        let Ok(lower) = std::str::from_utf8(lower) else { return Self::Other };
        match WORDS.get(lower) {
            Some(Self::Month(_) | Self::Weekday(_) | Self::Weekdays(_) | Self::Holiday(_))
                if bytes[0].is_ascii_lowercase() =>
            {
                Self::Other
            }
            Some(word) => *word,
            None if bytes[0].is_ascii_digit() => digits(lower),
            None if lower.contains('-') => hyphenated(lower),
            None => Self::Other,
        }
    }

    pub(super) const fn unit(self) -> Option<Unit> {
        match self {
            Self::Unit(unit) | Self::Units(unit) => Some(unit),
            _ => None,
        }
    }
}

/// "2016", "10th", "1990s", "5pm", "10:45am", "24-26", "3-year".
fn digits(text: &str) -> Word {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let Ok(value) = number.parse::<u32>() else { return Word::Other };
    match rest {
        "" => Word::Number(value),
        "st" | "nd" | "rd" | "th" => Word::Ordinal(value),
        "s" if number.len() == 4 && value % 10 == 0 => Word::Decade((value / 10) as i16),
        "s" if number.len() == 2 && value % 10 == 0 && value >= 20 => Word::Decade((190 + value / 10) as i16),
        "am" | "a.m." => clock(value, 0, Some(false)),
        "pm" | "p.m." => clock(value, 0, Some(true)),
        _ => {
            if let Some(date) = calendar_day(text) {
                return Word::Calendar(date);
            }
            // Without its half of the day "8.30" is a number.
            if let Some(minutes) = rest.strip_prefix('.').filter(|minutes| minutes.ends_with(['m', '.'])) {
                return with_minutes(value, minutes);
            }
            if let Some(minutes) = rest.strip_prefix(':') {
                return with_minutes(value, minutes);
            }
            if let Some(second) =
                rest.strip_prefix('-').filter(|second| second.bytes().all(|b| b.is_ascii_digit()))
            {
                return second.parse().map_or(Word::Other, |second| Word::Range(value, second));
            }
            if rest.starts_with('-') { hyphenated(text) } else { Word::Other }
        }
    }
}

/// A day written in figures, where they can be read in one way only: the year first, or a day
/// that is no month.
fn calendar_day(text: &str) -> Option<Date> {
    let separator = text.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let mut parts = text.split(separator);
    let mut part = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, second, third) = (part()?, part()?, part()?);
    let number = |part: &str| part.parse::<i8>().ok();
    let (year, month, day) = match (first.len(), second.len(), third.len()) {
        (4, 2, 2) => (first, number(second)?, number(third)?),
        (1..=2, 1..=2, 4) => match (number(first)?, number(second)?) {
            (day @ 13.., month) | (month, day @ 13..) => (third, month, day),
            (same, other) if same == other => (third, same, same),
            _ => return None,
        },
        _ => return None,
    };
    let year = year.parse().ok().filter(|year| (1700..2100).contains(year))?;
    if parts.next().is_some() { None } else { Date::new(year, month, day).ok() }
}

fn with_minutes(hour: u32, rest: &str) -> Word {
    let Some((minutes, half)) = rest.split_at_checked(2) else { return Word::Other };
    let Ok(minutes) = minutes.parse::<u32>() else { return Word::Other };
    match half {
        "" => clock(hour, minutes, None),
        "am" | "a.m." => clock(hour, minutes, Some(false)),
        "pm" | "p.m." => clock(hour, minutes, Some(true)),
        _ => Word::Other,
    }
}

/// A time of day; `after_noon` where the text says which half.
pub(super) fn clock(hour: u32, minutes: u32, after_noon: Option<bool>) -> Word {
    let hour = match after_noon {
        _ if minutes > 59 => return Word::Other,
        None if hour < 24 => hour,
        Some(after_noon) if (1..=12).contains(&hour) => hour % 12 + if after_noon { 12 } else { 0 },
        _ => return Word::Other,
    };
    Word::Clock { minute: (hour * 60 + minutes) as u16, certain: after_noon.is_some() }
}

/// "three-year", "mid-February", "weeks-long", "year-old".
fn hyphenated(text: &str) -> Word {
    if let Some(rest) = text.strip_prefix("mid-") {
        return match WORDS.get(rest) {
            Some(word @ (Word::Month(_) | Word::Weekday(_) | Word::Season(_))) => *word,
            _ if rest.starts_with(|c: char| c.is_ascii_digit()) => digits(rest),
            _ => Word::Other,
        };
    }
    let (first, rest) = match text.split_once('-') {
        Some(pieces) => pieces,
        None => return Word::Other,
    };
    if let (Some(Word::Units(unit)), "long" | "old") = (WORDS.get(first), rest) {
        return Word::Length(Count::VAGUE, *unit);
    }
    if let (Some(Word::Unit(unit)), "long") = (WORDS.get(first), rest) {
        return Word::Length(Count::ONE, *unit);
    }
    if rest == "old" || rest.ends_with("-old") || rest.ends_with("-olds") {
        return Word::Age;
    }
    let unit = match WORDS.get(rest.strip_suffix("-long").unwrap_or(rest)) {
        Some(Word::Unit(unit)) => *unit,
        Some(Word::Number(ones)) if *ones < 10 => {
            return match WORDS.get(first) {
                Some(Word::Number(tens)) if *tens >= 20 => Word::Number(tens + ones),
                _ => Word::Other,
            };
        }
        _ => return Word::Other,
    };
    let count = match WORDS.get(first) {
        Some(Word::Number(number)) => Count::whole(*number),
        Some(Word::Several) => Count::VAGUE,
        Some(Word::Half) => Count { number: Some(0), half: true },
        _ => match first.parse() {
            Ok(number) => Count::whole(number),
            Err(_) => return Word::Other,
        },
    };
    Word::Length(count, unit)
}

static WORDS: LazyLock<FxHashMap<&'static str, Word>> = LazyLock::new(|| {
    let mut words: FxHashMap<_, _> = ENTRIES.iter().copied().collect();
    let weekdays = ["mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays"];
    words.extend(weekdays.into_iter().zip(1..).map(|(word, day)| (word, Word::Weekdays(day))));
    let numbers = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];
    words.extend(numbers.into_iter().zip(1..).map(|(word, number)| (word, Word::Number(number))));
    let ordinals = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
        "eleventh", "twelfth",
    ];
    words.extend(ordinals.into_iter().zip(1..).map(|(word, number)| (word, Word::Ordinal(number))));
    words
});

#[rustfmt::skip]
const ENTRIES: &[(&str, Word)] = &[
    ("monday", Word::Weekday(1)), ("mon.", Word::Weekday(1)),
    ("tuesday", Word::Weekday(2)), ("tue.", Word::Weekday(2)), ("tues.", Word::Weekday(2)),
    ("wednesday", Word::Weekday(3)), ("wed.", Word::Weekday(3)),
    ("thursday", Word::Weekday(4)), ("thu.", Word::Weekday(4)), ("thur.", Word::Weekday(4)), ("thurs.", Word::Weekday(4)),
    ("friday", Word::Weekday(5)), ("fri.", Word::Weekday(5)),
    ("saturday", Word::Weekday(6)), ("sat.", Word::Weekday(6)),
    ("sunday", Word::Weekday(7)), ("sun.", Word::Weekday(7)),
    ("january", Word::Month(1)), ("jan.", Word::Month(1)), ("jan", Word::Month(1)),
    ("february", Word::Month(2)), ("feb.", Word::Month(2)), ("feb", Word::Month(2)),
    ("march", Word::Month(3)), ("mar.", Word::Month(3)),
    ("april", Word::Month(4)), ("apr.", Word::Month(4)), ("apr", Word::Month(4)),
    ("may", Word::Month(5)),
    ("june", Word::Month(6)), ("jun.", Word::Month(6)),
    ("july", Word::Month(7)), ("jul.", Word::Month(7)),
    ("august", Word::Month(8)), ("aug.", Word::Month(8)), ("aug", Word::Month(8)),
    ("september", Word::Month(9)), ("sept.", Word::Month(9)), ("sep.", Word::Month(9)), ("sept", Word::Month(9)),
    ("october", Word::Month(10)), ("oct.", Word::Month(10)), ("oct", Word::Month(10)),
    ("november", Word::Month(11)), ("nov.", Word::Month(11)), ("nov", Word::Month(11)),
    ("december", Word::Month(12)), ("dec.", Word::Month(12)), ("dec", Word::Month(12)),
    ("winter", Word::Season(Season::Winter)), ("spring", Word::Season(Season::Spring)),
    ("summer", Word::Season(Season::Summer)), ("fall", Word::Season(Season::Fall)), ("autumn", Word::Season(Season::Fall)),
    ("morning", Word::Part(Part::Morning)), ("afternoon", Word::Part(Part::Afternoon)),
    ("evening", Word::Part(Part::Evening)), ("night", Word::Part(Part::Night)),
    ("seconds", Word::Units(Unit::Second)),
    ("minute", Word::Unit(Unit::Minute)), ("minutes", Word::Units(Unit::Minute)),
    ("hour", Word::Unit(Unit::Hour)), ("hours", Word::Units(Unit::Hour)),
    ("day", Word::Unit(Unit::Day)), ("days", Word::Units(Unit::Day)),
    ("week", Word::Unit(Unit::Week)), ("weeks", Word::Units(Unit::Week)),
    ("weekend", Word::Unit(Unit::Weekend)), ("weekends", Word::Units(Unit::Weekend)),
    ("month", Word::Unit(Unit::Month)), ("months", Word::Units(Unit::Month)),
    ("quarter", Word::Unit(Unit::Quarter)), ("quarters", Word::Units(Unit::Quarter)),
    ("year", Word::Unit(Unit::Year)), ("years", Word::Units(Unit::Year)),
    ("decade", Word::Unit(Unit::Decade)), ("decades", Word::Units(Unit::Decade)),
    ("century", Word::Unit(Unit::Century)), ("centuries", Word::Units(Unit::Century)),
    ("thirty", Word::Number(30)), ("forty", Word::Number(40)), ("fifty", Word::Number(50)), ("sixty", Word::Number(60)),
    ("seventy", Word::Number(70)), ("eighty", Word::Number(80)), ("ninety", Word::Number(90)), ("hundred", Word::Number(100)),
    ("a.m.", Word::HalfDay { after_noon: false }), ("am", Word::HalfDay { after_noon: false }),
    ("p.m.", Word::HalfDay { after_noon: true }), ("pm", Word::HalfDay { after_noon: true }),
    ("et", Word::Zone), ("est", Word::Zone), ("edt", Word::Zone), ("ct", Word::Zone), ("cst", Word::Zone), ("cdt", Word::Zone),
    ("mt", Word::Zone), ("mst", Word::Zone), ("mdt", Word::Zone), ("pt", Word::Zone), ("pst", Word::Zone), ("pdt", Word::Zone),
    ("gmt", Word::Zone), ("bst", Word::Zone), ("utc", Word::Zone), ("cet", Word::Zone), ("cest", Word::Zone),
    ("noon", Word::Noon), ("midday", Word::Noon), ("midnight", Word::Midnight),
    ("today", Word::Day(0)), ("yesterday", Word::Day(-1)), ("tomorrow", Word::Day(1)), ("tonight", Word::Tonight),
    ("recently", Word::Reference("PAST_REF")), ("lately", Word::Reference("PAST_REF")),
    ("someday", Word::Reference("FUTURE_REF")), ("nowadays", Word::Reference("PRESENT_REF")),
    ("daily", Word::Every(1, Unit::Day)), ("nightly", Word::Every(1, Unit::Day)), ("weekly", Word::Every(1, Unit::Week)),
    ("monthly", Word::Every(1, Unit::Month)), ("quarterly", Word::Every(1, Unit::Quarter)), ("annual", Word::Every(1, Unit::Year)),
    ("annually", Word::Every(1, Unit::Year)), ("yearly", Word::Every(1, Unit::Year)),
    ("biennial", Word::Every(2, Unit::Year)),
    ("each", Word::Each), ("every", Word::Each), ("per", Word::Per), ("once", Word::Once), ("twice", Word::Once), ("times", Word::Times),
    ("early", Word::Early), ("late", Word::Early), ("mid", Word::Mid), ("earlier", Word::Relative(-1)), ("later", Word::Relative(1)),
    ("ago", Word::Ago), ("about", Word::Approximately), ("around", Word::Approximately), ("roughly", Word::Approximately),
    ("nearly", Word::Approximately), ("almost", Word::Approximately), ("approximately", Word::Approximately), ("over", Word::Approximately),
    ("more", Word::More), ("less", Word::More), ("fewer", Word::More), ("than", Word::Than), ("well", Word::Well), ("just", Word::Well),
    ("a", Word::A), ("an", Word::A), ("the", Word::The), ("of", Word::Of), ("on", Word::On), ("at", Word::At), ("in", Word::In),
    ("and", Word::And), ("or", Word::And), ("to", Word::To), ("through", Word::To), ("half", Word::Half), ("couple", Word::Couple),
    ("several", Word::Several), ("few", Word::Several), ("many", Word::Several),
    ("straight", Word::Straight), ("consecutive", Word::Straight), ("full", Word::Straight), ("long", Word::Straight),
    ("this", Word::This), ("that", Word::That), ("last", Word::Last), ("past", Word::Past), ("next", Word::Next),
    ("previous", Word::Previous), ("prior", Word::Previous), ("following", Word::Following), ("same", Word::Same), ("coming", Word::Coming),
    ("upcoming", Word::Coming), ("recent", Word::Recent), ("remaining", Word::Remaining), ("ahead", Word::Ahead), ("from", Word::From),
    ("now", Word::Now), ("old", Word::Old), ("end", Word::Edge), ("beginning", Word::Edge), ("start", Word::Edge), ("middle", Word::Edge),
    ("q1", Word::Quarter(1)), ("q2", Word::Quarter(2)), ("q3", Word::Quarter(3)), ("q4", Word::Quarter(4)),
    ("fiscal", Word::Fiscal), ("date", Word::Date),
    ("christmas", Word::Holiday(Holiday::Christmas)), ("thanksgiving", Word::Holiday(Holiday::Thanksgiving)),
    ("halloween", Word::Holiday(Holiday::Halloween)), ("easter", Word::Holiday(Holiday::Easter)),
    ("election", Word::Holiday(Holiday::Election)), ("labor", Word::Holiday(Holiday::Labor)),
    ("memorial", Word::Holiday(Holiday::Memorial)), ("independence", Word::Holiday(Holiday::Independence)),
    ("veterans", Word::Holiday(Holiday::Veterans)), ("new", Word::Holiday(Holiday::NewYear)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_by_their_form() {
        for (text, word) in [
            ("10th", Word::Ordinal(10)),
            ("1990s", Word::Decade(199)),
            ("90s", Word::Decade(199)),
            ("10:45", Word::Clock { minute: 645, certain: false }),
            ("12pm", Word::Clock { minute: 720, certain: true }),
            ("three-year", Word::Length(Count::whole(3), Unit::Year)),
            ("weeks-long", Word::Length(Count::VAGUE, Unit::Week)),
            ("17-year-old", Word::Age),
            ("mid-February", Word::Month(2)),
            ("twenty-five", Word::Number(25)),
            ("24-26", Word::Range(24, 26)),
            ("8.30pm", Word::Clock { minute: 1230, certain: true }),
            ("8.30", Word::Other),
            ("2024-02-05", Word::Calendar(jiff::civil::date(2024, 2, 5))),
            ("13/02/2024", Word::Calendar(jiff::civil::date(2024, 2, 13))),
            ("05/02/2024", Word::Other),
            ("2024-02-05-1", Word::Other),
            ("99/99/2024", Word::Other),
            ("march", Word::Other),
            ("99:99", Word::Other),
            ("4294967296", Word::Other),
        ] {
            assert_eq!(Word::read(text), word, "{text}");
        }
    }
}
