//! Places what expressions mean in the calendar: against the day of publication, tense, and
//! the dates the text told of before.

use jiff::civil::{Date, Weekday};

use super::calendar::{Season, Stretch, Unit, days_after, easter, part_code, weekday_of_week};
use super::grammar::{Shift, Time, When};
use super::lexicon::Holiday;
use super::tense::{Clause, Tense};
use crate::document::{PublishTime, TemporalKind};

/// How many dates back "that day" may look for a day.
const MEMORY: usize = 4;

/// How near a date without a year must lie ahead to be meant where no verb tells, in days.
const NEAR: i32 = 60;

/// When the text was published, and what it has told of so far.
pub(super) struct Timeline {
    publication: Option<PublishTime>,
    /// The latest dates, the last one at the end.
    told: Vec<Stretch>,
    /// How many sentences ago the last one was told.
    sentences_since: usize,
}

/// What a stretch was found against.
enum Basis {
    Text,
    Publication,
    Told(Stretch),
}

impl Timeline {
    pub(super) fn new(publication: Option<PublishTime>) -> Self {
        Self { publication, told: Vec::with_capacity(MEMORY), sentences_since: 0 }
    }

    pub(super) fn begin_sentence(&mut self) {
        self.sentences_since += 1;
    }

    /// Kind, TIMEX3 value and anchor of a point; value and anchor are empty where it cannot be
    /// placed.
    pub(super) fn place(
        &mut self,
        when: When,
        time: Option<Time>,
        clause: &Clause<'_>,
    ) -> (TemporalKind, String, String) {
        let clock_unit =
            matches!(when, When::FromPublication(_, unit) | When::FromTold(_, unit) if unit < Unit::Day);
        let kind = if time.is_some() || clock_unit { TemporalKind::Time } else { TemporalKind::Date };
        let Some((stretch, basis)) = self.stretch(when, clause) else {
            return (kind, String::new(), String::new());
        };
        let value = match (time, stretch) {
            (None, _) => stretch.to_string(),
            (Some(Time::Part(part)), Stretch::Day(day)) => format!("{day}T{}", part_code(part)),
            (Some(Time::Clock(minute)), Stretch::Day(day)) => {
                format!("{day}T{:02}:{:02}", minute / 60, minute % 60)
            }
            // No part of a day without the day.
            (Some(_), _) => return (kind, String::new(), String::new()),
        };
        let anchor = match basis {
            Basis::Text => String::new(),
            Basis::Publication => self.publication.map(|time| time.to_string()).unwrap_or_default(),
            Basis::Told(stretch) => stretch.to_string(),
        };
        self.tell(stretch);
        (kind, value, anchor)
    }

    fn tell(&mut self, stretch: Stretch) {
        if self.told.len() == MEMORY {
            self.told.remove(0);
        }
        self.told.push(stretch);
        self.sentences_since = 0;
    }

    fn stretch(&self, when: When, clause: &Clause<'_>) -> Option<(Stretch, Basis)> {
        match when {
            When::Absolute(stretch) => return Some((stretch, Basis::Text)),
            When::FromTold(count, unit) => {
                let told = *self.told.iter().rev().find(|told| told.unit() <= unit)?;
                return Some((told.moved(count, unit)?, Basis::Told(told)));
            }
            When::DayOfTime => {
                if let Some(&told @ Stretch::Day(_)) = self.told.last()
                    && self.sentences_since <= 1
                {
                    return Some((told, Basis::Told(told)));
                }
            }
            When::Month(month, Shift::Year(year)) => return Some((Stretch::Month(year, month), Basis::Text)),
            When::Season(season, Shift::Year(year)) => {
                return Some((Stretch::Season(year, season), Basis::Text));
            }
            When::Quarter(quarter, Shift::Year(year)) => {
                return Some((Stretch::Quarter(year, quarter), Basis::Text));
            }
            When::Holiday(holiday, Shift::Year(year)) => {
                return Some((Stretch::Day(holiday_in(holiday, year)?), Basis::Text));
            }
            When::Holiday(holiday, Shift::Open) => {
                if let Some(&told @ Stretch::Year(year)) = self.told.last() {
                    return Some((Stretch::Day(holiday_in(holiday, year)?), Basis::Told(told)));
                }
            }
            _ => {}
        }
        let day = self.publication?.day();
        let published = Published { day, tense: self.tense(when, day, clause) };
        Some((published.place(when)?, Basis::Publication))
    }
}

impl Timeline {
    /// Which way an expression points, where its own words leave it open.
    fn tense(&self, when: When, published: Date, clause: &Clause<'_>) -> Tense {
        match when {
            When::Month(month, Shift::Open) if clause.is_about_election() => {
                // An election is news before it and for a while after.
                let since = (published.month() - month).rem_euclid(12);
                if (1..=3).contains(&since) { Tense::Past } else { Tense::Future }
            }
            When::Weekday(_, Shift::Open) | When::MonthDay(..) => match clause.tense() {
                // What is told next to a day ahead is ahead, too.
                Tense::Unknown
                    if self.sentences_since <= 1
                        && matches!(self.told.last(), Some(Stretch::Day(day)) if *day > published) =>
                {
                    Tense::Future
                }
                tense => tense,
            },
            _ => clause.tense(),
        }
    }
}

/// The day of publication, seen from a clause.
struct Published {
    day: Date,
    tense: Tense,
}

impl Published {
    fn place(&self, when: When) -> Option<Stretch> {
        let year = self.day.year();
        Some(match when {
            When::FromPublication(count, unit) => Stretch::Day(self.day).moved(count, unit)?,
            When::DayOfTime => Stretch::Day(self.day),
            When::Weekday(day, shift) => {
                Stretch::Day(self.weekday(Weekday::from_monday_one_offset(day).ok()?, shift)?)
            }
            When::Weekend(shift) => Stretch::Day(self.day).moved(self.weekends(shift), Unit::Weekend)?,
            When::MonthDay(month, day) => {
                Stretch::Day(self.nearest(|year| Date::new(year, month, day).ok())?)
            }
            When::Holiday(holiday, shift) => Stretch::Day(match shift {
                Shift::Last => self.latest(|year| holiday_in(holiday, year))?,
                Shift::Next => self.earliest(|year| holiday_in(holiday, year))?,
                Shift::This => holiday_in(holiday, year)?,
                Shift::Within(years) => holiday_in(holiday, moved(year, years)?)?,
                Shift::Open | Shift::Year(_) => self.nearest(|year| holiday_in(holiday, year))?,
            }),
            When::Month(month, shift) => {
                Stretch::Month(moved(year, self.years_to_month(month, shift))?, month)
            }
            When::Season(season, shift) => {
                Stretch::Season(moved(year, self.years_to_season(season, shift))?, season)
            }
            When::Quarter(quarter, shift) => {
                Stretch::Quarter(moved(year, self.years_to_quarter(quarter, shift))?, quarter)
            }
            When::Absolute(_) | When::FromTold(..) | When::Unknown => return None,
        })
    }

    fn is_ahead(&self) -> bool {
        self.tense == Tense::Future
    }

    /// Open weekdays are the latest one, or the next one where the clause looks ahead.
    fn weekday(&self, weekday: Weekday, shift: Shift) -> Option<Date> {
        let since = i32::from(self.day.weekday().since(weekday));
        match shift {
            Shift::Open if self.is_ahead() => {
                days_after(self.day, i32::from(self.day.weekday().until(weekday)))
            }
            Shift::Open => days_after(self.day, -since),
            Shift::Last => days_after(self.day, if since == 0 { -7 } else { -since }),
            Shift::This => weekday_of_week(self.day, weekday),
            Shift::Next => weekday_of_week(days_after(self.day, 7)?, weekday),
            Shift::Within(weeks) => weekday_of_week(days_after(self.day, weeks.checked_mul(7)?)?, weekday),
            Shift::Year(_) => None,
        }
    }

    /// How many weeks the weekend meant lies from that of the week of publication.
    fn weekends(&self, shift: Shift) -> i32 {
        let at_weekend = matches!(self.day.weekday(), Weekday::Saturday | Weekday::Sunday);
        match shift {
            Shift::Next => 1,
            Shift::This => 0,
            Shift::Open if self.is_ahead() || at_weekend => 0,
            _ => -1,
        }
    }

    /// The day's latest return, or its next where the clause looks ahead or it is near.
    fn nearest(&self, in_year: impl Fn(i16) -> Option<Date>) -> Option<Date> {
        let ahead = self.earliest(&in_year);
        let near = days_after(self.day, NEAR);
        match self.tense {
            Tense::Future => ahead,
            Tense::Unknown if ahead <= near => ahead,
            _ => self.latest(&in_year),
        }
    }

    /// The last of the days not after publication. Leap days may be eight years apart.
    fn latest(&self, in_year: impl Fn(i16) -> Option<Date>) -> Option<Date> {
        (0..=8).find_map(|years| in_year(self.day.year() - years).filter(|day| *day <= self.day))
    }

    /// The first of the days not before publication.
    fn earliest(&self, in_year: impl Fn(i16) -> Option<Date>) -> Option<Date> {
        (0..=8).find_map(|years| in_year(self.day.year() + years).filter(|day| *day >= self.day))
    }

    fn years_to_month(&self, month: i8, shift: Shift) -> i32 {
        let now = self.day.month();
        let months_ahead = (month - now).rem_euclid(12);
        match shift {
            Shift::Last => -i32::from(month >= now),
            Shift::Next => i32::from(month <= now),
            Shift::This => 0,
            Shift::Within(years) => years,
            Shift::Open | Shift::Year(_) => {
                let ahead = self.is_ahead() || self.tense == Tense::Unknown && months_ahead == 1;
                if ahead { i32::from(month < now) } else { -i32::from(month > now) }
            }
        }
    }

    fn years_to_season(&self, season: Season, shift: Shift) -> i32 {
        let (now, first) = (self.day.month(), season.first_month());
        let over = now > first + 2;
        match shift {
            Shift::Last => -i32::from(!over),
            Shift::Next => i32::from(now >= first),
            Shift::This => 0,
            Shift::Within(years) => years,
            Shift::Open | Shift::Year(_) => {
                if self.is_ahead() {
                    i32::from(over)
                } else {
                    -i32::from(now < first)
                }
            }
        }
    }

    fn years_to_quarter(&self, quarter: i8, shift: Shift) -> i32 {
        let now = (self.day.month() - 1) / 3 + 1;
        match shift {
            Shift::Last => -i32::from(quarter >= now),
            Shift::Next => i32::from(quarter <= now),
            Shift::This => 0,
            Shift::Within(years) => years,
            Shift::Open | Shift::Year(_) => {
                if self.is_ahead() {
                    i32::from(quarter < now)
                } else {
                    -i32::from(quarter > now)
                }
            }
        }
    }
}

fn moved(year: i16, years: i32) -> Option<i16> {
    i16::try_from(i32::from(year) + years).ok()
}

/// The day of a holiday, as kept in the United States where countries differ.
fn holiday_in(holiday: Holiday, year: i16) -> Option<Date> {
    let nth = |month, nth, weekday| Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok();
    match holiday {
        Holiday::Christmas => Date::new(year, 12, 25).ok(),
        Holiday::Thanksgiving => nth(11, 4, Weekday::Thursday),
        Holiday::Halloween => Date::new(year, 10, 31).ok(),
        Holiday::Easter => easter(year),
        // The Tuesday after the first Monday.
        Holiday::Election => days_after(nth(11, 1, Weekday::Monday)?, 1),
        Holiday::Labor => nth(9, 1, Weekday::Monday),
        Holiday::Memorial => nth(5, -1, Weekday::Monday),
        Holiday::Independence => Date::new(year, 7, 4).ok(),
        Holiday::Veterans => Date::new(year, 11, 11).ok(),
        Holiday::NewYear => Date::new(year, 1, 1).ok(),
    }
}
