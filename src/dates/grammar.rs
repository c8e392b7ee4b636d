//! How words make temporal expressions: a hand-written matcher over one sentence's tokens.
//!
//! Each method reads one kind of phrase at a token and says where it ends and what it means,
//! looking a few tokens ahead at most. What a phrase means in the calendar is not decided
//! here.

use std::ops::Range;

use super::calendar::{Count, Part, Season, Stretch, Unit};
use super::lexicon::{Holiday, Word, clock};
use crate::text::{Segmented, TokenKind};

/// What a temporal expression says, before it is placed in the calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Point(When, Option<Time>),
    Length(Count, Unit),
    Every(Count, Unit),
    EveryWeekday(i8),
    EveryPart(Part),
    EverySeason(Season),
    /// TIMEX3's `PAST_REF` and the like.
    Reference(&'static str),
    /// "one day": a length of time, or some day in the future.
    OneDay,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Time {
    Part(Part),
    /// Minutes from midnight; 1440 is midnight at the day's end.
    Clock(u16),
}

/// A stretch of the calendar as words name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    Absolute(Stretch),
    /// So many units from the day of publication.
    FromPublication(i32, Unit),
    /// So many units from the date that the text told of last.
    FromTold(i32, Unit),
    Weekday(i8, Shift),
    Weekend(Shift),
    MonthDay(i8, i8),
    Month(i8, Shift),
    Season(Season, Shift),
    Quarter(i8, Shift),
    Holiday(Holiday, Shift),
    /// The day that a bare time of day belongs to.
    DayOfTime,
    /// Too vague for a value: "a few days later".
    Unknown,
}

/// Which of the many Mondays or Mays is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shift {
    /// The text leaves it to tense.
    Open,
    Last,
    This,
    Next,
    /// In the year, or week, so many after that of publication ("October of last year").
    Within(i32),
    Year(i16),
}

/// A temporal expression that was read.
pub(super) struct Match {
    /// Tokens of the sentence.
    pub(super) tokens: Range<usize>,
    pub(super) meaning: Meaning,
}

/// An end and what stands before it.
type Read<T> = Option<(usize, T)>;

/// Reads the temporal expressions of one sentence.
pub(super) struct Reader<'a> {
    text: &'a Segmented<'a>,
    words: &'a [Word],
    /// The sentence.
    tokens: Range<usize>,
    /// The day of a month's list that a number may go on ("August 24 to 26, 2021"): the
    /// number's token, the month, and the year if there is one.
    next_day: Option<(usize, i8, Option<i16>)>,
}

impl<'a> Reader<'a> {
    /// `words` are those of all tokens of `text`.
    pub(super) fn new(text: &'a Segmented<'a>, words: &'a [Word], tokens: Range<usize>) -> Self {
        Self { text, words, tokens, next_day: None }
    }

    fn word(&self, token: usize) -> Word {
        if self.tokens.contains(&token) { self.words[token] } else { Word::Other }
    }

    fn spelled(&self, token: usize) -> &'a str {
        if self.tokens.contains(&token) { self.text.word(token) } else { "" }
    }

    fn before(&self, token: usize) -> Word {
        token.checked_sub(1).map_or(Word::Other, |token| self.word(token))
    }

    fn spelled_before(&self, token: usize) -> &'a str {
        token.checked_sub(1).map_or("", |token| self.spelled(token))
    }

    /// The temporal expression that begins at token `at`, if one does.
    pub(super) fn read(&mut self, at: usize) -> Option<Match> {
        let (end, meaning) = self.expression(at)?;
        let tokens = at..end;
        (!self.is_name(tokens.clone())).then_some(Match { tokens, meaning })
    }

    fn expression(&mut self, at: usize) -> Read<Meaning> {
        match self.word(at) {
            Word::Other => None,
            Word::Approximately => self.approximate(at + 1),
            Word::More if self.word(at + 1) == Word::Than => self.approximate(at + 2),
            Word::Well if self.word(at + 1) == Word::Approximately => self.approximate(at + 2),
            Word::Early | Word::Mid => self.early(at),
            Word::Relative(_) => self.earlier(at),
            Word::Each => self.every(at),
            Word::Per => self.per(at),
            Word::Once => self.times(at + 1),
            Word::Number(_) | Word::Several if self.word(at + 1) == Word::Times => self.times(at + 2),
            Word::Every(count, unit) => Some((at + 1, Meaning::Every(Count::whole(count), unit))),
            Word::Weekdays(day) => Some((at + 1, Meaning::EveryWeekday(day))),
            Word::Reference(name) => Some((at + 1, Meaning::Reference(name))),
            Word::Length(count, unit) => Some((at + 1, Meaning::Length(count, unit))),
            Word::Ordinal(number) => self.ordinal(at, number),
            Word::A if self.is_while_ago(at + 1) => {
                let end = at + 3 + usize::from(self.spelled(at + 1) != "while");
                Some((end, Meaning::Reference("PAST_REF")))
            }
            _ => self.point(at).or_else(|| self.counted_expression(at)),
        }
    }

    /// "while ago", "little while ago", "long time ago".
    fn is_while_ago(&self, at: usize) -> bool {
        let noun = at + usize::from(self.spelled(at) != "while");
        matches!(self.spelled(noun), "while" | "time") && self.word(noun + 1) == Word::Ago
    }

    /// After "about", "more than": a time of day, or a number of units.
    fn approximate(&mut self, at: usize) -> Read<Meaning> {
        match self.word(at) {
            Word::Length(count, unit) => Some((at + 1, Meaning::Length(count, unit))),
            Word::Clock { .. } | Word::Noon | Word::Midnight => self.time_of_day(at),
            Word::Number(_) => self.time_of_day(at).or_else(|| self.counted_expression(at)),
            Word::A | Word::Half | Word::Several | Word::Couple => self.counted_expression(at),
            _ => None,
        }
    }

    /// "early Friday", "late last year", "early in the 2030s", "early morning".
    fn early(&mut self, at: usize) -> Read<Meaning> {
        if let Word::Part(part) = self.word(at + 1) {
            // "an early morning tweet on Sunday"
            let when = (at + 2..at + 5).find_map(|token| match (self.word(token), self.word(token + 1)) {
                (Word::On, Word::Weekday(day)) => Some(When::Weekday(day, Shift::Open)),
                _ => None,
            });
            return Some((at + 2, Meaning::Point(when.unwrap_or(When::DayOfTime), Some(Time::Part(part)))));
        }
        let inner = at + 1 + usize::from(self.word(at + 1) == Word::In);
        let bare_unit = self.word(inner).unit().is_some();
        if bare_unit || matches!(self.word(inner), Word::Clock { .. }) {
            return None;
        }
        self.point(inner)
    }

    /// "earlier this week", "later in September", "later that day".
    fn earlier(&mut self, at: usize) -> Read<Meaning> {
        let inner = at + 1 + usize::from(self.word(at + 1) == Word::In);
        match self.word(inner) {
            Word::This
            | Word::That
            | Word::Day(_)
            | Word::Weekday(_)
            | Word::Month(_)
            | Word::Number(_)
            | Word::Last => self.point(inner),
            Word::The if self.word(inner + 1) == Word::Same || inner > at + 1 => self.point(inner),
            _ => None,
        }
    }

    /// "every day", "every four years", "each Monday".
    fn every(&self, at: usize) -> Read<Meaning> {
        let next = at + 1;
        Some(match self.word(next) {
            Word::Unit(unit) if unit > Unit::Hour => (next + 1, Meaning::Every(Count::ONE, unit)),
            Word::Weekday(day) => (next + 1, Meaning::EveryWeekday(day)),
            Word::Season(season) => (next + 1, Meaning::EverySeason(season)),
            Word::Part(part) => (next + 1, Meaning::EveryPart(part)),
            Word::Number(number) => {
                (next + 2, Meaning::Every(Count::whole(number), self.word(next + 1).unit()?))
            }
            Word::Several => (next + 2, Meaning::Every(Count::VAGUE, self.word(next + 1).unit()?)),
            Word::Ordinal(number) => {
                (next + 2, Meaning::Every(Count::whole(number), self.word(next + 1).unit()?))
            }
            _ if self.spelled(next) == "other" => {
                (next + 2, Meaning::Every(Count::whole(2), self.word(next + 1).unit()?))
            }
            _ => return None,
        })
    }

    /// "per month"; speeds are none.
    fn per(&self, at: usize) -> Read<Meaning> {
        match self.word(at + 1) {
            Word::Unit(unit) if unit > Unit::Hour => Some((at + 2, Meaning::Every(Count::ONE, unit))),
            _ => None,
        }
    }

    /// "once a week": the part behind "once", "twice" or "times".
    fn times(&self, at: usize) -> Read<Meaning> {
        match (self.word(at), self.word(at + 1)) {
            (Word::A | Word::Per | Word::Each, Word::Unit(unit)) => {
                Some((at + 2, Meaning::Every(Count::ONE, unit)))
            }
            _ => None,
        }
    }

    /// "first quarter", "17th century", "30th of March", "first six months".
    fn ordinal(&self, at: usize, number: u32) -> Read<Meaning> {
        match self.word(at + 1) {
            Word::Unit(Unit::Quarter) if (1..=4).contains(&number) => {
                let (end, shift) = self.year_after(at + 2).unwrap_or((at + 2, Shift::Open));
                Some((end, Meaning::Point(When::Quarter(number as i8, shift), None)))
            }
            Word::Unit(Unit::Century) => {
                let century = i16::try_from(number.checked_sub(1)?).ok()?;
                Some((at + 2, Meaning::Point(When::Absolute(Stretch::Century(century)), None)))
            }
            Word::Month(_) => self.day_before_month(number, at + 1),
            Word::Of if matches!(self.word(at + 2), Word::Month(_)) => self.day_before_month(number, at + 2),
            Word::Number(_) | Word::Several | Word::Unit(Unit::Year) if number == 1 => {
                let (end, count, unit) = self.amount(at + 1)?;
                let lasts = self.word(at + 1) != Word::Unit(Unit::Year) || count.half;
                (lasts && unit >= Unit::Day).then_some((end, Meaning::Length(count, unit)))
            }
            _ => None,
        }
    }

    /// A place in the calendar, or a time of day.
    fn point(&mut self, at: usize) -> Read<Meaning> {
        match self.word(at) {
            Word::The => self.after_the(at),
            Word::This
            | Word::That
            | Word::Last
            | Word::Next
            | Word::Past
            | Word::Previous
            | Word::Coming
            | Word::Same
            | Word::Following
            | Word::Recent
            | Word::Remaining => self.deictic(at, false),
            Word::Edge => self.edge_of(at),
            Word::Day(days) => Some(self.with_time(at + 1, When::FromPublication(days.into(), Unit::Day))),
            Word::Tonight => Some((
                at + 1,
                Meaning::Point(When::FromPublication(0, Unit::Day), Some(Time::Part(Part::Night))),
            )),
            Word::Weekday(day) => Some(self.weekday(at, day)),
            Word::Month(month) => self.month(at, month),
            Word::Season(season) => {
                let (end, shift) = self.year_after(at + 1)?;
                Some((end, Meaning::Point(When::Season(season, shift), None)))
            }
            Word::Quarter(quarter) => {
                let (end, shift) = self.year_after(at + 1)?;
                Some((end, Meaning::Point(When::Quarter(quarter, shift), None)))
            }
            Word::Calendar(date) => Some(self.with_time(at + 1, When::Absolute(Stretch::Day(date)))),
            Word::Decade(decade) if self.is_decade(at) => {
                Some((at + 1, Meaning::Point(When::Absolute(Stretch::Decade(decade)), None)))
            }
            Word::Fiscal => {
                let year = at + 1 + usize::from(self.word(at + 1) == Word::Unit(Unit::Year));
                let (end, year) = self.plain_year(year)?;
                Some((end, Meaning::Point(When::Absolute(Stretch::Year(year)), None)))
            }
            Word::Holiday(holiday) => self.holiday(at, holiday),
            Word::Clock { .. } | Word::Noon | Word::Midnight => self.time_of_day(at),
            Word::Number(number) => self.number(at, number),
            Word::Range(first, last)
                if is_year(first) && last > first && (is_year(last) || last % 100 == (first + 1) % 100) =>
            {
                Some((at + 1, Meaning::Point(When::Absolute(Stretch::Year(first as i16)), None)))
            }
            _ => None,
        }
    }

    /// What begins with a number in digits: a day of a list, a time, a day before its month, a year.
    fn number(&mut self, at: usize, number: u32) -> Read<Meaning> {
        if let Some((token, month, year)) = self.next_day.take()
            && token == at
        {
            return self.month_day(at, month, number, year);
        }
        if let Some(time) = self.time_of_day(at) {
            return Some(time);
        }
        if let Word::Month(_) = self.word(at + 1) {
            return self.day_before_month(number, at + 1);
        }
        let (end, year) = self.year(at)?;
        Some((end, Meaning::Point(When::Absolute(Stretch::Year(year)), None)))
    }

    /// Whether the "90s" at `at` are years: after "the" or an apostrophe, not a person's.
    fn is_decade(&self, at: usize) -> bool {
        self.spelled(at).len() >= 5
            || matches!(self.before(at), Word::The | Word::Early | Word::Mid)
            || matches!(self.spelled_before(at), "'" | "’" | "‘")
    }

    /// "Friday", "Friday evening", "Friday, May 3, 2019", "Friday of last week".
    fn weekday(&mut self, at: usize, day: i8) -> (usize, Meaning) {
        let comma = at + 1 + usize::from(self.spelled(at + 1) == ",");
        if let Some(read) = self.dated(comma) {
            return read;
        }
        if self.word(at + 1) == Word::Of
            && let Some((end, Meaning::Point(When::FromPublication(weeks, Unit::Week), None))) =
                self.deictic(at + 2, false)
        {
            return (end, Meaning::Point(When::Weekday(day, Shift::Within(weeks)), None));
        }
        self.with_time(at + 1, When::Weekday(day, Shift::Open))
    }

    /// A day with its month, in either order, or a month with its year.
    fn dated(&mut self, at: usize) -> Read<Meaning> {
        match self.word(at) {
            Word::Month(month) => self.dated_month(at, month),
            Word::Number(day) | Word::Ordinal(day) => {
                self.day_before_month(day, at + 1 + usize::from(self.word(at + 1) == Word::Of))
            }
            _ => None,
        }
    }

    /// A month and its day or year.
    fn dated_month(&mut self, at: usize, month: i8) -> Read<Meaning> {
        match self.word(at + 1) {
            Word::Number(day) | Word::Ordinal(day) if (1..=31).contains(&day) => {
                self.month_day(at + 1, month, day, None)
            }
            Word::Range(first, last) if first < last && last <= 31 => {
                let (end, year) =
                    self.year_behind_comma(at + 2).map_or((at + 2, None), |(end, year)| (end, Some(year)));
                Some((end, Meaning::Point(day_of_month(month, first, year)?, None)))
            }
            _ => {
                let (end, shift) = self.year_after(at + 1)?;
                Some((end, Meaning::Point(When::Month(month, shift), None)))
            }
        }
    }

    /// The day at token `at`, with the year and the time of day behind it.
    fn month_day(&mut self, at: usize, month: i8, day: u32, year: Option<i16>) -> Read<Meaning> {
        let written = self.year_behind_comma(at + 1).or_else(|| self.year_of_day(at + 1));
        let (end, year) = written.map_or((at + 1, year), |(end, year)| (end, Some(year)));
        let when = day_of_month(month, day, year.or_else(|| self.year_of_list(at + 1)))?;
        if written.is_none() && self.is_list_mark(end) && matches!(self.word(end + 1), Word::Number(1..=31)) {
            self.next_day = Some((end + 1, month, year));
        }
        Some(self.with_time(end, when))
    }

    /// "30 March 2023", "30th of March".
    fn day_before_month(&self, day: u32, month: usize) -> Read<Meaning> {
        let Word::Month(name) = self.word(month) else { return None };
        let written = self.plain_year(month + 1).or_else(|| self.year_behind_comma(month + 1));
        let (end, year) = written.map_or((month + 1, None), |(end, year)| (end, Some(year)));
        Some(self.with_time(end, day_of_month(name, day, year)?))
    }

    fn month(&mut self, at: usize, month: i8) -> Read<Meaning> {
        if let Some(read) = self.dated_month(at, month) {
            return Some(read);
        }
        if !self.is_month(at) {
            return None;
        }
        let shift = self.year_of_list(at + 1).map_or(Shift::Open, Shift::Year);
        Some((at + 1, Meaning::Point(When::Month(month, shift), None)))
    }

    /// Whether the bare name at `at` is a month's: "May" may be a verb, "April" a woman,
    /// "March" a demonstration.
    fn is_month(&self, at: usize) -> bool {
        let spelled = self.spelled(at);
        let led = matches!(
            self.before(at),
            Word::In
                | Word::Of
                | Word::Last
                | Word::This
                | Word::Next
                | Word::Early
                | Word::Relative(_)
                | Word::Past
                | Word::To
                | Word::From
        ) || matches!(
            self.spelled_before(at),
            "since"
                | "Since"
                | "until"
                | "by"
                | "By"
                | "before"
                | "after"
                | "After"
                | "during"
                | "between"
                | "late"
                | "mid"
                | "for"
                | "For"
        );
        let capital_next = self.spelled(at + 1).starts_with(char::is_uppercase);
        match spelled {
            "May" => {
                led || matches!(self.before(at), Word::And)
                    && matches!(self.word(at.saturating_sub(2)), Word::Month(_))
            }
            "March" | "April" | "June" | "August" if led => spelled != "March" || !capital_next,
            "March" => {
                !capital_next
                    && self.spelled(at + 1) != "for"
                    && !self.spelled_before(at).starts_with(char::is_uppercase)
            }
            "April" | "June" | "August" => !capital_next,
            // "Jan" and "Mar" without a full stop are names.
            _ => spelled.len() > 3,
        }
    }

    /// A year behind a month or season: "2016", ", 2016", "of 2016", "of last year", "last year".
    fn year_after(&self, at: usize) -> Read<Shift> {
        let next = at + usize::from(self.word(at) == Word::Of);
        if let Some((end, year)) = self.plain_year(next) {
            return Some((end, Shift::Year(year)));
        }
        if next == at
            && let Some((end, year)) = self.year_behind_comma(at)
        {
            return Some((end, Shift::Year(year)));
        }
        if self.word(next + 1) != Word::Unit(Unit::Year) {
            return None;
        }
        let years = match self.word(next) {
            Word::This => 0,
            Word::Last => -1,
            Word::Next => 1,
            _ => return None,
        };
        Some((next + 2, Shift::Within(years)))
    }

    fn plain_year(&self, at: usize) -> Read<i16> {
        match self.word(at) {
            Word::Number(year) if is_year(year) && self.spelled(at).len() == 4 => Some((at + 1, year as i16)),
            _ => None,
        }
    }

    fn year_behind_comma(&self, at: usize) -> Read<i16> {
        if self.spelled(at) == "," { self.plain_year(at + 1) } else { None }
    }

    /// "May 3 2019", "May 3 of 2019".
    fn year_of_day(&self, at: usize) -> Read<i16> {
        self.plain_year(at + usize::from(self.word(at) == Word::Of))
    }

    fn is_list_mark(&self, at: usize) -> bool {
        matches!(self.word(at), Word::To | Word::And) || matches!(self.spelled(at), "-" | "–" | "—")
    }

    /// The year at the end of a list that goes on at `at`: "October and November 2016",
    /// "24 to 26, 2021".
    fn year_of_list(&self, mut at: usize) -> Option<i16> {
        // Lists of dates are short; what is longer is something else.
        for _ in 0..4 {
            if !self.is_list_mark(at) && self.spelled(at) != "," {
                return None;
            }
            at += 1;
            if let Word::Month(_) = self.word(at) {
                at += 1;
            }
            if let Word::Number(1..=31) = self.word(at) {
                at += 1;
            }
            let year = self.year_behind_comma(at).or_else(|| self.year_of_day(at));
            if let Some((_, year)) = year {
                return Some(year);
            }
        }
        None
    }

    /// A year that stands by itself; a number of people is none.
    fn year(&self, at: usize) -> Read<i16> {
        const COUNTED: &[&str] = &[
            "people", "troops", "soldiers", "workers", "employees", "jobs", "dollars", "euros", "pounds",
            "miles", "kilometers", "kilometres", "meters", "metres", "feet", "votes", "points", "words",
            "pages", "homes", "students", "children", "acres", "tons", "percent", "men", "women", "members",
            "calories", "square",
        ];
        let (end, year) = self.plain_year(at)?;
        if COUNTED.contains(&self.spelled(end)) || matches!(self.before(at), Word::Approximately | Word::Than)
        {
            return None;
        }
        if matches!(self.spelled_before(at), "$" | "£" | "€" | "#" | "No." | "/" | ":")
            || matches!(self.spelled(end), "%" | "/" | "°")
        {
            return None;
        }
        // "the Volstead Act of 1919" is a name.
        if self.before(at) == Word::Of
            && at >= 2
            && matches!(self.spelled(at - 2), "Act" | "Law" | "Code" | "Treaty")
        {
            return None;
        }
        let led = matches!(self.before(at), Word::In | Word::Of | Word::From | Word::To | Word::And)
            || matches!(
                self.spelled_before(at),
                "since" | "Since" | "by" | "until" | "before" | "after" | "(" | "–" | "-"
            );
        (year >= 1900 || led).then_some((end, year))
    }

    /// What a day's name is followed by: a part of the day, a time.
    fn with_time(&self, at: usize, when: When) -> (usize, Meaning) {
        if let Word::Part(part) = self.word(at) {
            return (at + 1, Meaning::Point(when, Some(Time::Part(part))));
        }
        if self.word(at) == Word::At
            && let Some((end, time)) = self.clock(at + 1)
        {
            return (end, Meaning::Point(when, Some(time)));
        }
        (at, Meaning::Point(when, None))
    }

    /// "2 p.m.", "8 a.m. ET Sunday", "midnight on Friday".
    fn time_of_day(&mut self, at: usize) -> Read<Meaning> {
        let (end, time) = self.clock(at)?;
        let day = end + usize::from(self.word(end) == Word::On);
        let when = match self.word(day) {
            Word::Weekday(_) | Word::Day(_) | Word::Month(_) | Word::Calendar(_) => self.point(day),
            Word::Number(_) | Word::Ordinal(_) => self.dated(day),
            _ => None,
        };
        match when {
            Some((end, Meaning::Point(when, None))) => Some((end, Meaning::Point(when, Some(time)))),
            _ => Some((end, Meaning::Point(When::DayOfTime, Some(time)))),
        }
    }

    /// A time by the clock, with its zone.
    fn clock(&self, at: usize) -> Read<Time> {
        let (end, minute) = match self.word(at) {
            Word::Noon => return Some((at + 1, Time::Clock(720))),
            Word::Midnight => return Some((at + 1, Time::Clock(1440))),
            Word::Clock { minute, certain: true } => (at + 1, minute),
            Word::Clock { minute, .. } => match self.word(at + 1) {
                Word::HalfDay { after_noon } => {
                    let Word::Clock { minute, .. } =
                        clock((minute / 60).into(), (minute % 60).into(), Some(after_noon))
                    else {
                        return None;
                    };
                    (at + 2, minute)
                }
                _ if self.before(at) == Word::At || self.is_zone(at + 1) => (at + 1, minute),
                _ => return None,
            },
            Word::Number(hour) => {
                let Word::HalfDay { after_noon } = self.word(at + 1) else { return None };
                let Word::Clock { minute, .. } = clock(hour, 0, Some(after_noon)) else { return None };
                (at + 2, minute)
            }
            _ => return None,
        };
        Some((self.zone(end), Time::Clock(minute)))
    }

    /// The end of a time's zone: "ET", "local time", "Eastern".
    fn zone(&self, at: usize) -> usize {
        let named = matches!(self.spelled(at), "local" | "Eastern" | "Central" | "Mountain" | "Pacific");
        if named && matches!(self.spelled(at + 1), "time" | "Time") {
            return at + 2;
        }
        at + usize::from(self.is_zone(at) || named && self.spelled(at) != "local")
    }

    fn is_zone(&self, at: usize) -> bool {
        self.word(at) == Word::Zone && self.spelled(at).starts_with(char::is_uppercase)
    }

    /// What begins with "the".
    fn after_the(&mut self, the: usize) -> Read<Meaning> {
        let at = the + 1;
        match self.word(at) {
            Word::Last
            | Word::Past
            | Word::Next
            | Word::Previous
            | Word::Following
            | Word::Same
            | Word::Coming
            | Word::Recent
            | Word::Remaining => self.deictic(at, true),
            Word::Unit(Unit::Weekend) => Some((at + 1, Meaning::Point(When::Weekend(Shift::Open), None))),
            Word::Unit(unit @ (Unit::Week | Unit::Month | Unit::Year)) if self.is_led_by_time(the) => {
                Some((at + 1, Meaning::Point(When::FromPublication(0, unit), None)))
            }
            Word::Unit(Unit::Day) => {
                let Word::Day(days) = self.word(at + 2) else { return None };
                let days = match self.spelled(at + 1) {
                    "before" => days - 1,
                    "after" => days + 1,
                    _ => return None,
                };
                Some((at + 3, Meaning::Point(When::FromPublication(days.into(), Unit::Day), None)))
            }
            Word::Units(_) if self.word(at + 1) == Word::Ahead => {
                Some((at + 2, Meaning::Reference("FUTURE_REF")))
            }
            Word::Units(unit) if unit >= Unit::Hour && unit != Unit::Quarter => {
                Some((at + 1, Meaning::Length(Count::VAGUE, unit)))
            }
            Word::Decade(_) => self.point(at),
            Word::Early | Word::Mid if matches!(self.word(at + 1), Word::Decade(_)) => self.point(at + 1),
            Word::Early if matches!(self.word(at + 1), Word::Part(_)) => self.early(at),
            Word::Part(part) => self.part_of(the, part),
            Word::Season(season) => match self.year_after(at + 1) {
                Some((end, shift)) => Some((end, Meaning::Point(When::Season(season, shift), None))),
                None if self.is_led_by_time(the) && self.word(at + 1) != Word::Of => {
                    Some((at + 1, Meaning::Point(When::Season(season, Shift::Open), None)))
                }
                None => None,
            },
            Word::Ordinal(number) => self.ordinal(at, number),
            Word::Edge => self.edge_of(at),
            Word::Number(_) | Word::Several if self.plain_year(at).is_none() => {
                let (end, count, unit) = self.amount(at)?;
                Some((end, Meaning::Length(count, unit)))
            }
            _ if self.spelled(at) == "future"
                && self.before(the) == Word::In
                && self.stands_alone(at + 1) =>
            {
                Some((at + 1, Meaning::Reference("FUTURE_REF")))
            }
            _ => None,
        }
    }

    /// Whether a preposition of time stands before `at`.
    fn is_led_by_time(&self, at: usize) -> bool {
        matches!(self.before(at), Word::In | Word::Of)
            || self.before(at) == Word::Approximately && self.spelled_before(at) == "over"
            || matches!(
                self.spelled_before(at),
                "for"
                    | "For"
                    | "during"
                    | "During"
                    | "through"
                    | "throughout"
                    | "within"
                    | "since"
                    | "by"
                    | "before"
                    | "after"
                    | "until"
                    | "Over"
            )
    }

    /// Whether no noun follows that the word before would belong to.
    fn stands_alone(&self, at: usize) -> bool {
        !self.tokens.contains(&at) || self.text.tokens[at].kind == TokenKind::Punctuation
    }

    /// "the evening", "the night of Oct. 1".
    fn part_of(&mut self, the: usize, part: Part) -> Read<Meaning> {
        let at = the + 2;
        if self.word(at) == Word::Of
            && !self.is_nested(at + 1)
            && let Some((end, Meaning::Point(when, None))) = self.point(at + 1)
        {
            return Some((end, Meaning::Point(when, Some(Time::Part(part)))));
        }
        (self.before(the) == Word::In)
            .then_some((at, Meaning::Point(When::DayOfTime, Some(Time::Part(part)))))
    }

    /// "end of October 2016", "middle of the day".
    fn edge_of(&mut self, at: usize) -> Read<Meaning> {
        if self.word(at + 1) != Word::Of || self.is_nested(at + 2) {
            return None;
        }
        if self.word(at + 2) == Word::The && self.word(at + 3) == Word::Unit(Unit::Day) {
            let noon = self.spelled(at) == "middle";
            return noon.then_some((at + 4, Meaning::Point(When::DayOfTime, Some(Time::Clock(720)))));
        }
        match self.point(at + 2)? {
            (end, meaning @ Meaning::Point(_, None)) => Some((end, meaning)),
            _ => None,
        }
    }

    /// Whether another "end of" or "night of" follows: read no deeper than one.
    fn is_nested(&self, at: usize) -> bool {
        let inner = at + usize::from(self.word(at) == Word::The);
        matches!(self.word(inner), Word::Edge | Word::Part(_))
    }

    /// "last", "this", "next" and their kin, and what they point at.
    fn deictic(&mut self, at: usize, the: bool) -> Read<Meaning> {
        let pointer = self.word(at);
        if pointer == Word::This && self.word(at + 1) == Word::Past {
            return self.this_past(at + 2);
        }
        let next = at + 1;
        match self.word(next) {
            Word::Number(_) | Word::Several | Word::Couple | Word::Straight => {
                let (end, count, unit) = self.amount(next)?;
                matches!(
                    pointer,
                    Word::Last | Word::Past | Word::Next | Word::Previous | Word::Coming | Word::Following
                )
                .then_some((end, Meaning::Length(count, unit)))
            }
            Word::Units(unit) => match pointer {
                Word::Recent => Some((next + 1, Meaning::Reference("PAST_REF"))),
                Word::Coming => Some((next + 1, Meaning::Reference("FUTURE_REF"))),
                Word::Last | Word::Past | Word::Next | Word::Remaining | Word::Following => {
                    Some((next + 1, Meaning::Length(Count::VAGUE, unit)))
                }
                _ => None,
            },
            Word::Unit(unit) => self.deictic_unit(at, unit, the),
            Word::Date => {
                matches!(pointer, Word::That | Word::Same).then_some((next + 1, told(0, Unit::Day)))
            }
            Word::Part(part) => {
                let when = match pointer {
                    Word::This => When::FromPublication(0, Unit::Day),
                    Word::Last => When::FromPublication(-1, Unit::Day),
                    Word::That | Word::Same => When::FromTold(0, Unit::Day),
                    Word::Next | Word::Following => When::FromTold(1, Unit::Day),
                    Word::Previous => When::FromTold(-1, Unit::Day),
                    _ => return None,
                };
                Some((next + 1, Meaning::Point(when, Some(Time::Part(part)))))
            }
            Word::Weekday(day) => {
                let when = When::Weekday(day, self.shift(pointer)?);
                Some(self.with_time(next + 1, when))
            }
            Word::Month(month) => {
                Some((next + 1, Meaning::Point(When::Month(month, self.shift(pointer)?), None)))
            }
            Word::Season(season) => {
                Some((next + 1, Meaning::Point(When::Season(season, self.shift(pointer)?), None)))
            }
            Word::Holiday(holiday) => match self.holiday(next, holiday)? {
                (end, Meaning::Point(When::Holiday(holiday, _), _)) => {
                    Some((end, Meaning::Point(When::Holiday(holiday, self.shift(pointer)?), None)))
                }
                _ => None,
            },
            _ if pointer == Word::Past
                && the
                && self.word(at.checked_sub(2)?) == Word::In
                && self.stands_alone(next) =>
            {
                Some((next, Meaning::Reference("PAST_REF")))
            }
            _ => None,
        }
    }

    fn shift(&self, pointer: Word) -> Option<Shift> {
        match pointer {
            Word::Last | Word::Past | Word::Previous => Some(Shift::Last),
            Word::This | Word::Coming => Some(Shift::This),
            Word::Next | Word::Following => Some(Shift::Next),
            _ => None,
        }
    }

    /// "last week", "the last week", "that year", "the same day".
    fn deictic_unit(&self, at: usize, unit: Unit, the: bool) -> Read<Meaning> {
        let end = at + 2;
        // "over the last year" is as long as a year; "last year" is one of the calendar's.
        let lasts = the && (self.is_led_by_time(at - 1) || self.word(at) == Word::Past);
        let length = Some((end, Meaning::Length(Count::ONE, unit)));
        let published = |count| Some((end, Meaning::Point(When::FromPublication(count, unit), None)));
        if unit < Unit::Day {
            return if lasts { length } else { None };
        }
        match self.word(at) {
            Word::This if unit == Unit::Weekend => {
                Some((end, Meaning::Point(When::Weekend(Shift::Open), None)))
            }
            Word::This if unit == Unit::Day => None,
            Word::This => published(0),
            Word::That | Word::Same => Some((end, told(0, unit))),
            Word::Next | Word::Following if unit == Unit::Day => Some((end, told(1, unit))),
            Word::Past => length,
            Word::Last | Word::Next | Word::Previous if lasts && unit != Unit::Weekend => length,
            Word::Last if unit == Unit::Day => None,
            Word::Last => published(-1),
            Word::Next => published(1),
            Word::Coming if unit != Unit::Day => published(1),
            Word::Previous => Some((end, told(-1, unit))),
            Word::Following => Some((end, told(1, unit))),
            _ => None,
        }
    }

    /// "this past week": what comes after "past".
    fn this_past(&mut self, at: usize) -> Read<Meaning> {
        let when = match self.word(at) {
            Word::Unit(Unit::Weekend) => When::Weekend(Shift::Last),
            Word::Unit(unit @ (Unit::Week | Unit::Month)) => When::FromPublication(0, unit),
            Word::Unit(unit @ Unit::Year) => return Some((at + 1, Meaning::Length(Count::ONE, unit))),
            Word::Weekday(day) => return Some(self.with_time(at + 1, When::Weekday(day, Shift::Last))),
            Word::Month(month) => When::Month(month, Shift::Last),
            Word::Season(season) => When::Season(season, Shift::Last),
            _ => return None,
        };
        Some((at + 1, Meaning::Point(when, None)))
    }

    fn holiday(&mut self, at: usize, holiday: Holiday) -> Read<Meaning> {
        let day = self.spelled(at + 1);
        let end = match holiday {
            Holiday::Christmas if matches!(day, "Day" | "Eve") => at + 2,
            Holiday::Thanksgiving | Holiday::Christmas | Holiday::Halloween | Holiday::Easter => {
                at + 1 + usize::from(matches!(day, "Day" | "Sunday"))
            }
            Holiday::NewYear if day == "Year" && matches!(self.spelled(at + 2), "'s" | "’s") => {
                matches!(self.spelled(at + 3), "Day" | "Eve").then_some(at + 4)?
            }
            Holiday::NewYear => return None,
            _ if day == "Day" => at + 2,
            _ => return None,
        };
        let eve = self.spelled(end - 1) == "Eve";
        if eve {
            let (month, day) = if holiday == Holiday::NewYear { (12, 31) } else { (12, 24) };
            return Some((end, Meaning::Point(When::MonthDay(month, day), None)));
        }
        let (end, shift) = self.year_after(end).unwrap_or((end, Shift::Open));
        Some((end, Meaning::Point(When::Holiday(holiday, shift), None)))
    }

    /// A number of units by itself or with "ago", "later", "from now".
    fn counted_expression(&self, at: usize) -> Read<Meaning> {
        let (end, count, unit) = self.amount(at)?;
        let signed = |sign: i32| {
            count.number.and_then(|number| i32::try_from(number).ok()).map(|number| number * sign)
        };
        let point = |when| Some((end + 1, Meaning::Point(when, None)));
        match self.word(end) {
            Word::Ago => match signed(-1) {
                Some(number) => point(When::FromPublication(number, unit)),
                None => Some((end + 1, Meaning::Reference("PAST_REF"))),
            },
            Word::Relative(sign) => {
                point(signed(sign.into()).map_or(When::Unknown, |number| When::FromTold(number, unit)))
            }
            Word::From if self.word(end + 1) == Word::Now => Some((
                end + 2,
                signed(1).map_or(Meaning::Reference("FUTURE_REF"), |number| {
                    Meaning::Point(When::FromPublication(number, unit), None)
                }),
            )),
            Word::Old => None,
            Word::Of if self.spelled(end + 1) == "age" => None,
            _ => self.bare_amount(at, end, count, unit),
        }
    }

    /// An amount that nothing follows: a length, or how often ("$4 trillion a year").
    fn bare_amount(&self, at: usize, end: usize, count: Count, unit: Unit) -> Read<Meaning> {
        match self.word(at) {
            Word::A if count == Count::ONE && end == at + 2 => {
                if unit == Unit::Hour
                    && self.spelled_before(at).ends_with('s')
                    && !self.spelled_before(at).starts_with('\'')
                {
                    return None; // miles an hour
                }
                if self.is_rate(at) {
                    return Some((end, Meaning::Every(count, unit)));
                }
            }
            Word::Number(1) if unit == Unit::Day && self.spelled(at) != "1" => {
                return Some((end, Meaning::OneDay));
            }
            Word::Units(Unit::Second | Unit::Quarter) => return None,
            Word::Units(Unit::Weekend) => return Some((end, Meaning::Every(Count::ONE, unit))),
            _ => {}
        }
        Some((end, Meaning::Length(count, unit)))
    }

    /// Whether "a year" says how often: right behind an amount and no preposition.
    fn is_rate(&self, at: usize) -> bool {
        let spelled = self.spelled_before(at);
        let led = matches!(
            self.before(at),
            Word::In
                | Word::Of
                | Word::To
                | Word::Than
                | Word::Approximately
                | Word::And
                | Word::Well
                | Word::At
        ) || matches!(
            spelled,
            "for"
                | "after"
                | "within"
                | "before"
                | "by"
                | "only"
                | ","
                | "last"
                | "lasted"
                | "take"
                | "takes"
                | "took"
                | "with"
                | "is"
                | "was"
        );
        let amount = (at.saturating_sub(4)..at).any(|token| {
            let spelled = self.spelled(token);
            spelled.starts_with(|c: char| c.is_ascii_digit())
                || matches!(spelled, "million" | "billion" | "trillion" | "hundreds" | "thousands")
        });
        amount && !led
    }

    /// A number and its unit: "three years", "a few weeks", "two and a half years", "weeks".
    fn amount(&self, at: usize) -> Option<(usize, Count, Unit)> {
        let (mut next, mut count) = match (self.word(at), self.word(at + 1)) {
            (Word::A, Word::Several) => (at + 2, Count::VAGUE),
            (Word::A, Word::Couple) | (Word::Couple, _) => {
                let next = at + 1 + usize::from(self.word(at) == Word::A);
                (next + usize::from(self.word(next) == Word::Of), Count::VAGUE)
            }
            (Word::A, Word::Number(100)) => (at + 2, Count::whole(100)),
            (Word::A, _) => (at + 1, Count::ONE),
            (Word::Half, Word::A) => (at + 2, Count { number: Some(0), half: true }),
            (Word::Number(number), Word::Number(100)) if number < 10 => (at + 2, Count::whole(number * 100)),
            (Word::Number(number), _) if number < 10_000 => (at + 1, Count::whole(number)),
            (Word::Several, _) => (self.many(at), Count::VAGUE),
            (Word::Unit(Unit::Year), Word::And) => (at, Count::ONE),
            (Word::Units(_), _) => (at, Count::VAGUE),
            _ => return None,
        };
        if self.is_and_a_half(next) {
            count.half = true;
            next += 3;
        }
        if self.word(next) == Word::Straight || self.spelled(next) == "more" && next > at {
            next += 1;
        }
        let unit = self.word(next).unit()?;
        // "three quarters" of something, unless they are in a row.
        if unit == Unit::Quarter && self.word(next - 1) != Word::Straight {
            return None;
        }
        next += 1;
        if self.is_and_a_half(next) {
            count.half = true;
            next += 3;
        }
        if count == Count::VAGUE && self.word(next) == Word::And && self.word(next + 1) == Word::Units(unit) {
            next += 2;
        }
        Some((next, count, unit))
    }

    fn is_and_a_half(&self, at: usize) -> bool {
        self.word(at) == Word::And && self.word(at + 1) == Word::A && self.word(at + 2) == Word::Half
    }

    /// The end of "many, many, many".
    fn many(&self, mut at: usize) -> usize {
        for _ in 0..4 {
            if self.spelled(at + 1) != "," || self.word(at + 2) != Word::Several {
                break;
            }
            at += 2;
        }
        at + 1
    }

    /// Whether the words are (part of) a name, as "This Week" or "Saturday Night Live": with
    /// capitals where prose has none.
    fn is_name(&self, tokens: Range<usize>) -> bool {
        tokens.clone().any(|token| self.is_odd_capital(token)) && !self.is_headline(tokens.start)
            || self.spelled(tokens.start) == "TODAY" && self.spelled_before(tokens.start) == "USA"
    }

    /// Whether a word that is no name has a capital though no sentence begins there.
    fn is_odd_capital(&self, token: usize) -> bool {
        let proper = matches!(
            self.words[token],
            Word::Weekday(_)
                | Word::Weekdays(_)
                | Word::Month(_)
                | Word::Quarter(_)
                | Word::Holiday(_)
                | Word::Zone
                | Word::HalfDay { .. }
        );
        if proper || !self.spelled(token).starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        }
        let begins = token == self.tokens.start
            || matches!(self.text.tokens[token - 1].kind, TokenKind::Punctuation | TokenKind::Symbol)
                && !matches!(self.spelled(token - 1), "," | "-" | "&");
        // The rest of a holiday's name ("Election Day", "New Year's Eve").
        let of_holiday = matches!(self.spelled(token), "Day" | "Eve" | "Year");
        !begins && !of_holiday
    }

    /// Whether most words around the token have capitals and no full stop ends them, as in a
    /// headline.
    fn is_headline(&self, at: usize) -> bool {
        if self.spelled(self.tokens.end - 1) == "." {
            return false;
        }
        let around = at.saturating_sub(8).max(self.tokens.start)..(at + 8).min(self.tokens.end);
        let (mut words, mut capitals) = (0, 0);
        for token in around {
            let spelled = self.spelled(token);
            if self.text.tokens[token].kind == TokenKind::Word && spelled.len() > 3 {
                words += 1;
                capitals += usize::from(spelled.starts_with(char::is_uppercase));
            }
        }
        capitals * 4 > words * 3
    }
}

fn told(count: i32, unit: Unit) -> Meaning {
    Meaning::Point(When::FromTold(count, unit), None)
}

fn is_year(number: u32) -> bool {
    (1000..2100).contains(&number)
}

/// None where the month has no such day.
fn day_of_month(month: i8, day: u32, year: Option<i16>) -> Option<When> {
    let day = i8::try_from(day).ok()?;
    // A leap year stands for the year that is not known.
    let date = jiff::civil::Date::new(year.unwrap_or(2000), month, day).ok()?;
    Some(if year.is_some() { When::Absolute(Stretch::Day(date)) } else { When::MonthDay(month, day) })
}
