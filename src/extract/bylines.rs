//! Publication times and bylines as people and machines write them.
//!
//! Both parsers read short texts, a line or an attribute, and answer with nothing rather
//! than with a guess.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use rustc_hash::FxHashMap;

use crate::document::PublishTime;

/// Bytes of a text that are read; a byline or dateline is shorter.
const LONGEST_LINE: usize = 300;

/// The publication time named by a dateline ("Published March 30, 2023 8:09 AM GMT+7") or a
/// machine-readable value ("2023-03-30T01:09:00Z").
///
/// Only the day where no zone is given. None for a time of modification ("Last updated
/// …"), for a date without its year, and where day and month could be swapped
/// ("03/04/2023", but not "Monday, 03/04/2023").
pub fn parse_publish_time(text: &str) -> Option<PublishTime> {
    dates(text).find(|date| date.label != Some(Label::Modified)).map(|date| date.time)
}

/// A date in a line, with what the words before it make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) struct LabelledDate {
    pub time: PublishTime,
    pub label: Option<Label>,
}

/// What a date is the date of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) enum Label {
    Published,
    /// A change, a review or an end.
    Modified,
}

/// The dates in a line. Only the day where no zone is given.
pub(in crate::extract) fn dates(text: &str) -> impl Iterator<Item = LabelledDate> {
    let text = head(text);
    let has_number = text.bytes().any(|byte| byte.is_ascii_digit());
    let tokens = if has_number { DateToken::split(text) } else { Vec::new() };
    let (mut begin, mut previous_end) = (0, 0);
    std::iter::from_fn(move || {
        while begin < tokens.len() {
            let Some((date, length)) = date_at(&tokens[begin..], &tokens[..begin]) else {
                begin += 1;
                continue;
            };
            let before = &tokens[previous_end..begin];
            let label = label(before);
            begin += length;
            previous_end = begin;
            let time = first_time(&tokens[begin..]).or_else(|| last_time(before));
            return Some(LabelledDate { time: at(date, time), label });
        }
        None
    })
}

/// What a line without a date says of the date behind it ("Last updated:").
pub(in crate::extract) fn date_label(text: &str) -> Option<Label> {
    label(&DateToken::split(head(text)))
}

/// The names in a byline ("By Ann Lee and Bob Ray, staff writers" gives Ann Lee and Bob
/// Ray), without job titles, agencies, addresses and dates. Empty where no name is sure.
pub fn parse_byline(text: &str) -> Vec<String> {
    let (before, dated) = split_at_date(without_label(head(text).trim()));
    let mut names: Vec<String> = Vec::new();
    for piece in ByNameSeparator::split(before).chain(ByNameSeparator::split(dated)) {
        let Some(name) = person_name(piece) else {
            // "Ann Lee, a reporter in Hanoi": what follows the first name that is none
            // describes her, but "Ann Lee, Reuters, and Bob Ray" goes on.
            continue;
        };
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// How a line that is a byline and nothing else says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) enum Byline {
    /// "By Ann Lee, Transport Correspondent | March 30, 2023"
    Labelled,
    /// The same without "By": a name and what makes it an author's.
    Described,
    /// A name, or what somebody is, alone: a byline only beside another or a date.
    Bare,
}

/// What kind of byline a line is; None where it says anything beside who wrote, what they are
/// and when.
pub(in crate::extract) fn byline(text: &str) -> Option<Byline> {
    const LONGEST: usize = 160;
    let text = text.trim();
    if text.len() > LONGEST || text.ends_with(['.', '!', '?', ':', '…']) {
        return None;
    }
    let rest = without_label(text);
    let label = text[..text.len() - rest.len()].trim_end();
    // "Terminal hit by" and "From" begin headings, too.
    let is_labelled = label.contains(char::is_alphabetic)
        && label.split_whitespace().nth(2).is_none()
        && !label.eq_ignore_ascii_case("from");
    let (before, dated) = split_at_date(rest);
    if !dated.is_empty() && !is_date_alone(dated) {
        return None;
    }
    let (mut names, mut others) = (0, usize::from(!dated.is_empty()));
    for piece in ByNameSeparator::split(before).filter(|piece| !piece.is_empty()) {
        if is_agency(piece) || person_name(piece).is_some() {
            names += 1;
        } else if is_role(piece) {
            others += 1;
        } else {
            return None;
        }
    }
    match (names, others) {
        (0, 0) => None,
        (0, _) if dated.is_empty() => Some(Byline::Bare),
        (0, _) => None,
        _ if is_labelled => Some(Byline::Labelled),
        (_, 0) => Some(Byline::Bare),
        _ => Some(Byline::Described),
    }
}

/// Whether a few words say what somebody is ("Transport Correspondent", "a reporter").
fn is_role(piece: &str) -> bool {
    const LONGEST: usize = 4;
    piece.split_whitespace().nth(LONGEST).is_none()
        && piece.split_whitespace().next_back().is_some_and(is_title_word)
}

/// A byline before and from its first date, or the word that announces one ("Updated").
fn split_at_date(text: &str) -> (&str, &str) {
    let (tokens, begins) = DateToken::placed(text);
    let begins_date =
        |&at: &usize| label(&tokens[at..=at]).is_some() || date_at(&tokens[at..], &tokens[..at]).is_some();
    let Some(mut at) = (0..tokens.len()).find(begins_date) else { return (text, "") };
    let is_weekday = |token: &DateToken| token.word().is_some_and(|word| weekday_named(word).is_some());
    let belongs = |token: &DateToken| token.mark() == Some(',') || is_weekday(token);
    while at > 0 && belongs(&tokens[at - 1]) {
        at -= 1;
    }
    text.split_at(begins[at])
}

/// Whether a text reads as the name of one person and nothing else.
pub(in crate::extract) fn is_person_name(text: &str) -> bool {
    person_name(text).is_some_and(|name| name.len() == text.len())
}

/// A name from a field that holds a name and nothing else, be it of a person, a team or a
/// site: None for addresses, placeholders and whole sentences.
pub fn parse_declared_name(text: &str) -> Option<&str> {
    const PLACEHOLDERS: [&str; 14] = [
        "admin", "administrator", "anonymous", "author", "editor", "guest", "none", "null", "root", "staff",
        "team", "undefined", "unknown", "webmaster",
    ];
    let name = without_label(head(text).trim()).trim();
    let is_placeholder = PLACEHOLDERS.iter().any(|word| {
        let is_staff = matches!(name.split_once(' '), Some(("Staff" | "staff" | "Guest", _)));
        word.eq_ignore_ascii_case(name) || is_staff
    });
    let is_name = name.contains(char::is_alphabetic)
        && !name.contains(['@', ':', '/', '<', '>', '{', '}', '[', ']', '=', '?'])
        && name.split_whitespace().count() <= 6
        && !name.contains("www.")
        && !reads_on(name);
    (is_name && !is_placeholder).then_some(name)
}

/// Whether a text begins like a name and goes on like a sentence ("Ann Lee is our editor").
fn reads_on(text: &str) -> bool {
    let is_small = |word: &str| {
        word.starts_with(char::is_lowercase)
            && !is_name_word(word)
            && !is_title_word(word)
            && !matches!(word, "of" | "the" | "and" | "at" | "for" | "in")
    };
    text.starts_with(char::is_uppercase) && text.split_whitespace().any(is_small)
}

/// The beginning of a text, as far as the parsers read.
fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_LINE)]
}

// --- Dates -----------------------------------------------------------------------------

/// A piece of a dateline; white space separates and is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DateToken {
    Number {
        value: u32,
        digits: usize,
        /// Whether no white space stands before it.
        glued: bool,
    },
    /// Letters, in lower case.
    Word(String),
    Mark {
        mark: char,
        glued: bool,
    },
}

impl DateToken {
    fn split(text: &str) -> Vec<Self> {
        Self::placed(text).0
    }

    /// The pieces of a text, and where each begins.
    fn placed(text: &str) -> (Vec<Self>, Vec<usize>) {
        let (mut tokens, mut begins) = (Vec::new(), Vec::new());
        let mut rest = text;
        let mut glued = false;
        while let Some(first) = rest.chars().next() {
            let length = |member: fn(char) -> bool| rest.find(|c| !member(c)).unwrap_or(rest.len());
            let length = if first.is_whitespace() {
                length(char::is_whitespace)
            } else if first.is_ascii_digit() {
                let digits = length(|c| c.is_ascii_digit());
                // More digits than a date holds make a number that no rule matches.
                let value = rest[..digits].parse().unwrap_or(u32::MAX);
                tokens.push(Self::Number { value, digits, glued });
                digits
            } else if first.is_alphabetic() {
                let letters = length(char::is_alphabetic);
                tokens.push(Self::Word(rest[..letters].to_lowercase()));
                letters
            } else {
                tokens.push(Self::Mark { mark: first, glued });
                first.len_utf8()
            };
            if tokens.len() > begins.len() {
                begins.push(text.len() - rest.len());
            }
            glued = !first.is_whitespace();
            rest = &rest[length..];
        }
        (tokens, begins)
    }

    fn number(&self, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
        match self {
            Self::Number { value, digits: n, .. } if digits.contains(n) => Some(*value),
            _ => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    fn mark(&self) -> Option<char> {
        match self {
            Self::Mark { mark, .. } => Some(*mark),
            _ => None,
        }
    }

    fn is_glued(&self) -> bool {
        matches!(self, Self::Mark { glued: true, .. } | Self::Number { glued: true, .. })
    }
}

/// A calendar day at the beginning of `tokens`, with the number of tokens it takes.
///
/// A day of the week at the end of `before` tells which number is the month.
fn date_at(tokens: &[DateToken], before: &[DateToken]) -> Option<(Date, usize)> {
    year_first(tokens)
        .or_else(|| numeric(tokens, before))
        .or_else(|| day_month_year(tokens))
        .or_else(|| month_day_year(tokens))
}

fn calendar_day(year: u32, month: u32, day: u32) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1700..=2200).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// "2023-03-30", "2023/3/30", "2023年3月30日", "20230330".
fn year_first(tokens: &[DateToken]) -> Option<(Date, usize)> {
    if let Some(compact) = tokens.first()?.number(8..=8) {
        return Some((calendar_day(compact / 10_000, compact / 100 % 100, compact % 100)?, 1));
    }
    let [year, first, month, second, day, rest @ ..] = tokens else { return None };
    let (year, month, day) = (year.number(4..=4)?, month.number(1..=2)?, day.number(1..=2)?);
    let length = match (first, second) {
        (DateToken::Mark { mark: a, .. }, DateToken::Mark { mark: b, .. })
            if a == b && matches!(a, '-' | '/' | '.') =>
        {
            5
        }
        (DateToken::Word(a), DateToken::Word(b))
            if matches!((a.as_str(), b.as_str()), ("年", "月") | ("년", "월")) =>
        {
            5 + usize::from(matches!(rest.first().and_then(DateToken::word), Some("日" | "일")))
        }
        _ => return None,
    };
    Some((calendar_day(year, month, day)?, length))
}

/// "30/03/2023", "3/30/2023", "30.03.2023", "12/18/25", where only one reading is a date.
fn numeric(tokens: &[DateToken], before: &[DateToken]) -> Option<(Date, usize)> {
    let [first, mark, second, same_mark, year, ..] = tokens else { return None };
    let mark = mark.mark().filter(|mark| matches!(mark, '/' | '.' | '-'))?;
    if same_mark.mark() != Some(mark) {
        return None;
    }
    let (first, second) = (first.number(1..=2)?, second.number(1..=2)?);
    let year = year.number(4..=4).or_else(|| year.number(2..=2).map(|short| 2000 + short))?;
    let day_first = calendar_day(year, second, first);
    let month_first = calendar_day(year, first, second);
    let date = match (day_first, month_first) {
        // Where full stops are used, the day comes first.
        (Some(date), _) if mark == '.' => date,
        (Some(date), None) | (None, Some(date)) => date,
        (Some(one), Some(other)) if one == other => one,
        (Some(one), Some(other)) => {
            let weekday = weekday_before(before)?;
            match (weekday == one.weekday(), weekday == other.weekday()) {
                (true, false) => one,
                (false, true) => other,
                _ => return None,
            }
        }
        (None, None) => return None,
    };
    Some((date, 5))
}

/// The day of the week that stands right before a date ("Monday, 12/08/2024").
fn weekday_before(before: &[DateToken]) -> Option<Weekday> {
    before.iter().rev().take(2).find_map(DateToken::word).and_then(weekday_named)
}

/// English, German, French, Spanish, Portuguese, Italian and Dutch.
fn weekday_named(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday mon montag lundi lunes segunda lunedì maandag", Weekday::Monday),
        ("tuesday tue tues dienstag mardi martes terça martedì dinsdag", Weekday::Tuesday),
        ("wednesday wed mittwoch mercredi miércoles quarta mercoledì woensdag", Weekday::Wednesday),
        ("thursday thu thur thurs donnerstag jeudi jueves quinta giovedì donderdag", Weekday::Thursday),
        ("friday fri freitag vendredi viernes sexta venerdì vrijdag", Weekday::Friday),
        ("saturday sat samstag sonnabend samedi sábado sabato zaterdag", Weekday::Saturday),
        ("sunday sun sonntag dimanche domingo domenica zondag", Weekday::Sunday),
    ];
    let of_day = |(names, _): &&(&str, Weekday)| names.split(' ').any(|name| name == word);
    DAYS.iter().find(of_day).map(|&(_, day)| day)
}

/// Whether a line holds a date, perhaps with a time and what it is the date of, and nothing else.
pub(in crate::extract) fn is_date_alone(text: &str) -> bool {
    let says_more = |word: &str| {
        // "t" stands between day and time in machine form.
        !matches!(word, "at" | "on" | "last" | "date" | "am" | "pm" | "a" | "p" | "m" | "h" | "t")
            && !is_filler(word)
            && month_named(word).is_none()
            && weekday_named(word).is_none()
            && Zone::named(word).is_none()
            && label(&[DateToken::Word(word.to_owned())]).is_none()
    };
    text.len() <= LONGEST_LINE
        && dates(text).next().is_some()
        && !DateToken::split(text).iter().filter_map(DateToken::word).any(says_more)
}

/// "30 March, 2023", "30th of March 2023", "30. März 2023", "30 de marzo de 2023",
/// "30-Mar-2023", "30 tháng 3, 2023".
fn day_month_year(tokens: &[DateToken]) -> Option<(Date, usize)> {
    let day = tokens.first()?.number(1..=2)?;
    let after_day = 1 + fillers(&tokens[1..]);
    let (month, length) = month_at(&tokens[after_day..])?;
    let after_month = after_day + length;
    let year_at = after_month + fillers(&tokens[after_month..]);
    let year = tokens.get(year_at)?.number(4..=4)?;
    Some((calendar_day(year, month, day)?, year_at + 1))
}

/// "March 30, 2023", "Mar. 30th 2023".
fn month_day_year(tokens: &[DateToken]) -> Option<(Date, usize)> {
    let month = month_named(tokens.first()?.word()?)?;
    let day_at = 1 + fillers(&tokens[1..]);
    let day = tokens.get(day_at)?.number(1..=2)?;
    let after_day = day_at + 1;
    let year_at = after_day + fillers(&tokens[after_day..]);
    let year = tokens.get(year_at)?.number(4..=4)?;
    Some((calendar_day(year, month, day)?, year_at + 1))
}

/// How many tokens of no weight stand between the parts of a date: ordinal endings,
/// prepositions, commas, at most three of them.
fn fillers(tokens: &[DateToken]) -> usize {
    let has_no_weight = |token: &&DateToken| match token {
        DateToken::Word(word) => is_filler(word),
        DateToken::Mark { mark, .. } => matches!(mark, ',' | '.' | '-' | '/' | '،'),
        DateToken::Number { .. } => false,
    };
    tokens.iter().take(3).take_while(has_no_weight).count()
}

fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "st" | "nd" | "rd" | "th" | "º" | "ª" | "er" | "of" | "the" | "de" | "del" | "di" | "năm" | "г"
    )
}

fn month_at(tokens: &[DateToken]) -> Option<(u32, usize)> {
    let word = tokens.first()?.word()?;
    if word == "tháng" {
        return Some((tokens.get(1)?.number(1..=2)?, 2));
    }
    Some((month_named(word)?, 1))
}

/// January is 1. English, German, French, Spanish, Portuguese, Italian, Dutch, the
/// Scandinavian languages, Polish, Indonesian, Turkish and Russian, as dates use them.
fn month_named(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari stycznia ocak января янв",
        "february feb febr februar februari février févr fév febrero fevereiro fev febbraio lutego şubat февраля фев",
        "march mar märz mrz mars marzo março maart mrt marts marca maret mart марта мар",
        "april apr avril avr abril abr aprile kwietnia nisan апреля апр",
        "may mai mayo maio maggio mag mei maj maja mayıs мая май",
        "june jun juni juin junio junho giugno giu czerwca haziran июня июн",
        "july jul juli juillet juil julio julho luglio lug lipca temmuz июля июл",
        "august aug août aout agosto ago augustus augusti sierpnia agustus ağustos августа авг",
        "september sep sept septembre septiembre setembro set settembre września eylül сентября сен",
        "october oct oktober okt octobre octubre outubro out ottobre ott oktober października ekim октября окт",
        "november nov novembre noviembre novembro listopada kasım ноября ноя",
        "december dec dezember dez décembre déc diciembre dic dezembro dicembre desember des grudnia aralık декабря дек",
    ];
    static MONTHS: LazyLock<FxHashMap<&str, u32>> = LazyLock::new(|| {
        let named = |(names, month): (&'static str, u32)| names.split(' ').map(move |name| (name, month));
        NAMES.into_iter().zip(1..).flat_map(named).collect()
    });
    MONTHS.get(word).copied()
}

/// What the words before a date make of it; the last of them decides.
fn label(before: &[DateToken]) -> Option<Label> {
    before.iter().rev().filter_map(DateToken::word).find_map(|word| match word {
        "published" | "posted" | "publié" | "publicado" | "publicada" | "veröffentlicht" | "pubblicato" => {
            Some(Label::Published)
        }
        "updated" | "update" | "updates" | "modified" | "edited" | "revised" | "reviewed" | "changed"
        | "expires" | "until" | "aktualisiert" | "stand" | "actualizado" | "actualizada"
        | "actualización" | "atualizado" | "atualizada" | "modifié" | "jour" | "aggiornato" | "modifica"
        | "bijgewerkt" | "uppdaterad" | "oppdatert" | "opdateret" | "обновлено" | "nhật" => {
            Some(Label::Modified)
        }
        _ => None,
    })
}

/// A time of day and the zone behind it.
type ZonedTime = (Time, Option<Zone>);

#[derive(Clone, Copy, Debug)]
enum Zone {
    Fixed(Offset),
    /// A zone with summer time, as a POSIX rule.
    Seasonal(&'static str),
}

fn at(date: Date, time: Option<ZonedTime>) -> PublishTime {
    let zoned = time.and_then(|(time, zone)| {
        let local = date.to_datetime(time);
        Some(PublishTime::Time { local, offset: zone?.offset(local)? })
    });
    zoned.unwrap_or(PublishTime::Day(date))
}

impl Zone {
    fn offset(self, local: DateTime) -> Option<Offset> {
        match self {
            Self::Fixed(offset) => Some(offset),
            // The rules below hold since 2007.
            Self::Seasonal(_) if local.year() < 2007 => None,
            Self::Seasonal(rule) => Some(TimeZone::posix(rule).ok()?.to_zoned(local).ok()?.offset()),
        }
    }

    fn named(word: &str) -> Option<Self> {
        let hours = match word {
            "z" | "utc" | "gmt" | "wet" => 0,
            "est" | "cdt" => -5,
            "edt" => -4,
            "mst" | "pdt" => -7,
            "mdt" => -6,
            "pst" | "akdt" => -8,
            "akst" => -9,
            "hst" => -10,
            "bst" | "cet" | "mez" | "west" | "wat" => 1,
            "cest" | "mesz" | "eet" | "sast" | "cat" => 2,
            "eest" | "msk" | "eat" => 3,
            "gst" => 4,
            "pkt" => 5,
            "ict" | "wib" => 7,
            "hkt" | "sgt" | "awst" | "wita" => 8,
            "jst" | "kst" => 9,
            "aest" => 10,
            "aedt" => 11,
            "nzst" => 12,
            "nzdt" => 13,
            "et" => return Some(Self::Seasonal("EST5EDT,M3.2.0,M11.1.0")),
            "ct" => return Some(Self::Seasonal("CST6CDT,M3.2.0,M11.1.0")),
            "mt" => return Some(Self::Seasonal("MST7MDT,M3.2.0,M11.1.0")),
            "pt" => return Some(Self::Seasonal("PST8PDT,M3.2.0,M11.1.0")),
            // CST, IST and AST name several zones each.
            _ => return None,
        };
        Some(Self::Fixed(Offset::constant(hours)))
    }
}

/// How far from its date a time may stand, in tokens.
const REACH: usize = 12;

fn first_time(after: &[DateToken]) -> Option<ZonedTime> {
    let next_date = (0..after.len().min(REACH)).find(|&i| date_at(&after[i..], &[]).is_some());
    let near = &after[..after.len().min(REACH + 8)];
    (0..next_date.unwrap_or(near.len().min(REACH))).find_map(|i| time_at(&near[i..]))
}

fn last_time(before: &[DateToken]) -> Option<ZonedTime> {
    (before.len().saturating_sub(REACH)..before.len()).find_map(|i| time_at(&before[i..]))
}

/// "8:09", "20:00:05.123", "8.09 pm", "8 a.m.", "11h45", with the zone behind it.
fn time_at(tokens: &[DateToken]) -> Option<ZonedTime> {
    let hour = tokens.first()?.number(1..=2)?;
    let mut rest = &tokens[1..];
    let (mut minute, mut second) = (0, 0);
    let mut weak = true;
    if let [mark, number, tail @ ..] = rest
        && let Some(value) = number.number(2..=2)
        && (matches!(mark.mark(), Some(':' | '.')) || mark.word() == Some("h"))
    {
        (minute, weak, rest) = (value, mark.mark() == Some('.'), tail);
        if let [mark, number, tail @ ..] = rest
            && let (Some(':'), Some(value)) = (mark.mark(), number.number(2..=2))
        {
            (second, rest) = (value, tail);
            if let [mark, fraction, tail @ ..] = rest
                && let (Some('.'), DateToken::Number { .. }) = (mark.mark(), fraction)
            {
                rest = tail;
            }
        }
    }
    let (half, length) = half_of_day(rest);
    rest = &rest[length..];
    let zone = zone_at(rest);
    if weak && half.is_none() && (zone.is_none() || minute == 0) {
        return None;
    }
    let hour = match half {
        Some(_) if hour > 12 => hour,
        Some(Half::Morning) => hour % 12,
        Some(Half::Afternoon) => hour % 12 + 12,
        None => hour,
    };
    let time = Time::new(hour as i8, minute as i8, second.min(59) as i8, 0).ok()?;
    Some((time, zone))
}

#[derive(Clone, Copy, Debug)]
enum Half {
    Morning,
    Afternoon,
}

fn half_of_day(tokens: &[DateToken]) -> (Option<Half>, usize) {
    let half = |word: &str| match word {
        "am" | "a" => Some(Half::Morning),
        "pm" | "p" => Some(Half::Afternoon),
        _ => None,
    };
    match tokens {
        [DateToken::Word(one), dot, DateToken::Word(two), rest @ ..]
            if dot.mark() == Some('.') && two == "m" && one.len() == 1 =>
        {
            (half(one), 3 + usize::from(rest.first().and_then(DateToken::mark) == Some('.')))
        }
        [DateToken::Word(word), ..] if word.len() == 2 => match half(word) {
            None => (None, 0),
            found => (found, 1),
        },
        _ => (None, 0),
    }
}

/// "Z", "EST", "(ET)", "GMT+7", "UTC+05:30", "+0700".
fn zone_at(tokens: &[DateToken]) -> Option<Zone> {
    let tokens = match tokens {
        [bracket, rest @ ..] if bracket.mark() == Some('(') => rest,
        _ => tokens,
    };
    let (name, rest) = match tokens {
        [DateToken::Word(name), rest @ ..] => (Some(name.as_str()), rest),
        _ => (None, tokens),
    };
    if matches!(name, None | Some("gmt" | "utc"))
        && let Some(offset) = numeric_offset(rest, name.is_none())
    {
        return Some(Zone::Fixed(offset));
    }
    Zone::named(name?)
}

/// "+0700", "-05:00", "+7"; `alone` where no zone's name stands before it.
fn numeric_offset(tokens: &[DateToken], alone: bool) -> Option<Offset> {
    let [sign, number, rest @ ..] = tokens else { return None };
    let direction = match sign.mark()? {
        '+' => 1,
        '-' | '−' => -1,
        _ => return None,
    };
    let (hours, minutes) = match (number, rest) {
        (DateToken::Number { value, digits: 4, .. }, _) => (value / 100, value % 100),
        (DateToken::Number { value, digits: 1..=2, .. }, [colon, minutes, ..])
            if colon.mark() == Some(':') && colon.is_glued() =>
        {
            (*value, minutes.number(2..=2)?)
        }
        // "10:00 - 5 March" holds no offset.
        (DateToken::Number { value, digits: 1..=2, .. }, _) if !alone || sign.is_glued() => (*value, 0),
        _ => return None,
    };
    if !number.is_glued() || hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(direction * (hours * 3600 + minutes * 60) as i32).ok()
}

// --- Bylines ---------------------------------------------------------------------------

/// What stands before names in a byline, longest first.
const LABELS: [&str; 26] = [
    "article written by", "article by", "written by", "reported by", "published by", "posted by",
    "created by", "submitted by", "story by", "words by", "text by", "post by", "authored by", "author:",
    "authors:", "author", "authors", "words:", "text:", "story:", "from", "von", "por", "par", "by:", "by",
];

/// Takes "By", "Written by" and the like off the front of a byline.
fn without_label(text: &str) -> &str {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '@');
    let label = LABELS.iter().find(|label| {
        text.get(..label.len()).is_some_and(|head| {
            let rest = &text[label.len()..];
            // Elements that stand apart for the eye may not do so in the markup ("ByAnn Lee").
            let glued = head.ends_with('y') && rest.starts_with(char::is_uppercase);
            head.eq_ignore_ascii_case(label) && (glued || !rest.starts_with(char::is_alphanumeric))
        })
    });
    let rest = label.map(|label| &text[label.len()..]).or_else(|| behind_kind(text)).unwrap_or(text);
    rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—'))
}

/// What stands behind "by" where a word or two before it say what was made ("Analysis by Ann Lee");
/// none for pictures, and for what others did with the text.
fn behind_kind(text: &str) -> Option<&str> {
    const LONGEST: usize = 3;
    const OTHERS: [&str; 13] = [
        "photo", "picture", "image", "illustration", "graphic", "video", "edit", "review", "updat", "check",
        "translat", "sponsor", "power",
    ];
    let (kind, rest) = text.split_once(" by ")?;
    let is_others = |word: &str| {
        let word = word.to_lowercase();
        OTHERS.iter().any(|other| word.starts_with(other))
    };
    let words = || kind.split_whitespace();
    let is_kind = words().nth(LONGEST).is_none()
        && kind.chars().all(|c| c.is_alphabetic() || c == ' ')
        && !words().any(is_others)
        && rest.starts_with(char::is_uppercase);
    is_kind.then_some(rest)
}

/// What sets names apart in a byline.
struct ByNameSeparator;

impl ByNameSeparator {
    fn split(text: &str) -> impl Iterator<Item = &str> {
        text.split([',', ';', '&', '|', '/', '•', '·', '\n', '\t', '(', ')', '—', '–', '+'])
            .flat_map(|piece| piece.split(" - "))
            .flat_map(split_at_words)
            .map(|piece| piece.trim_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '@'))
    }
}

/// Splits at "and" and its kin, whole words only.
fn split_at_words(piece: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(piece);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut =
            ["and", "und", "et", "y", "with", "for", "in", "at", "on", "from"].iter().filter_map(|word| {
                let at = text
                    .match_indices(word)
                    .map(|(at, _)| at)
                    .find(|&at| text[..at].ends_with(' ') && text[at + word.len()..].starts_with(' '))?;
                Some((at, at + word.len()))
            });
        let Some((begin, end)) = cut.min() else {
            rest = None;
            return Some(text);
        };
        // What follows "for", "in" and the like says where and when, not who.
        let names_follow = !matches!(&text[begin..end], "for" | "in" | "at" | "on" | "from");
        rest = names_follow.then(|| &text[end..]);
        Some(&text[..begin])
    })
}

/// Takes academic degrees and the like off the end of a name ("Ann Lee RN").
fn without_credentials(name: &str) -> &str {
    let is_credential = |word: &str| {
        let letters = word.trim_end_matches('.');
        (2..=5).contains(&letters.len()) && letters.chars().all(|c| c.is_ascii_uppercase())
            || matches!(
                letters,
                "PhD" | "Ph.D" | "M.D" | "B.A" | "M.A" | "MSc" | "BSc" | "DPhil" | "EdD" | "PharmD"
            )
    };
    match name.rsplit_once(' ') {
        Some((rest, last))
            if rest.contains(' ') && is_credential(last) && rest.contains(char::is_lowercase) =>
        {
            without_credentials(rest)
        }
        _ => name,
    }
}

/// The piece of a byline itself if it reads as the name of one person.
fn person_name(piece: &str) -> Option<&str> {
    let piece = without_credentials(without_label(piece.trim()).trim());
    if piece.len() < 2 || piece.chars().any(|c| c.is_ascii_digit() || "@:_<>{}[]=?!%$#\"“”".contains(c)) {
        return None;
    }
    let mut words = 0;
    for word in piece.split_whitespace() {
        words += 1;
        if !is_name_word(word) || is_title_word(word) {
            return None;
        }
    }
    // A single word is a nickname or an organisation as often as a person.
    let spaced_script = piece.is_ascii() || piece.chars().any(char::is_lowercase);
    let enough = words >= 2 || !spaced_script;
    (enough && words <= 5 && !is_agency(piece)).then_some(piece)
}

/// Whether a word may stand in a name: with a capital, a particle, or both ("el-Sayed", "d’Arcy").
fn is_name_word(word: &str) -> bool {
    let starts_a_name = |word: &str| word.starts_with(|c: char| c.is_alphabetic() && !c.is_lowercase());
    let is_joined = || {
        word.split_once(['-', '\'', '’']).is_some_and(|(particle, name)| {
            (is_particle(particle) || matches!(particle, "d" | "l")) && starts_a_name(name)
        })
    };
    starts_a_name(word) || is_particle(word) || is_joined()
}

/// A part of a name that is written small ("de", "van der").
fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "de" | "da"
            | "do"
            | "dos"
            | "das"
            | "del"
            | "della"
            | "di"
            | "du"
            | "des"
            | "la"
            | "le"
            | "van"
            | "von"
            | "der"
            | "den"
            | "ter"
            | "ten"
            | "zu"
            | "bin"
            | "ibn"
            | "al"
            | "el"
            | "af"
            | "av"
            | "e"
            | "bint"
            | "abu"
            | "d'"
            | "y"
    )
}

/// Words of job titles, desks and sites, which no person is called.
fn is_title_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "about", "admin", "administrator", "advisor", "agency", "analyst", "anchor", "and", "article",
        "articles", "assistant", "associate", "attorney", "author", "bio", "biography", "blog", "bureau",
        "business", "by", "categories", "category", "ceo", "certified", "chief", "chronicle", "co-founder",
        "coach", "cofounder", "columnist", "comments", "community", "company", "consultant", "contact",
        "content", "contributing", "contributor", "contributors", "copywriter", "correspondent", "critic",
        "daily", "desk", "dietitian", "director", "editor", "editor-in-chief", "editorial", "editors",
        "engineer", "expert", "facebook", "follow", "founder", "freelance", "full", "gazette", "guardian",
        "guest", "head", "herald", "home", "inc", "institute", "journal", "journalist", "lawyer", "lead",
        "leader", "less", "llc", "ltd", "magazine", "manager", "marketing", "media", "medically", "min",
        "minutes", "more", "network", "news", "newspaper", "newsroom", "observer", "of", "officer", "online",
        "our", "photographer", "photos", "post", "posted", "posts", "president", "press", "producer",
        "published", "read", "reporter", "reporters", "reporting", "research", "researcher", "reviewed",
        "reviewer", "science", "senior", "seo", "service", "services", "share", "special", "specialist",
        "sponsored", "staff", "strategist", "studio", "team", "technology", "telegraph", "the", "this",
        "times", "tribune", "twitter", "university", "updated", "updates", "user", "view", "vp", "webmaster",
        "wire", "writer", "writers", "written", "your",
    ];
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric()).trim_end_matches("'s").to_lowercase();
    let singular = word.strip_suffix('s').unwrap_or(&word);
    [&*word, singular].iter().any(|word| WORDS.binary_search(word).is_ok())
}

/// Whether a name is that of a news agency, which bylines hold beside people's names.
pub fn is_agency(name: &str) -> bool {
    const AGENCIES: &[&str] = &[
        "afp", "agence france-presse", "agencia efe", "ani", "ansa", "ap", "associated press", "bloomberg",
        "bloomberg news", "dpa", "efe", "ians", "interfax", "kyodo", "kyodo news", "pa media",
        "press association", "pti", "reuters", "ria novosti", "tass", "the associated press", "upi", "vna",
        "xinhua", "yonhap",
    ];
    AGENCIES.binary_search(&name.trim().to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> String {
        parse_publish_time(text).map(|time| time.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_time_with_its_zone_keeps_both() {
        for (text, expected) in [
            ("March 30, 2023 8:09 AM GMT+7", "2023-03-30T08:09:00+07:00"),
            ("2023-03-30T01:09:00Z", "2023-03-30T01:09:00Z"),
            ("2023-03-30 01:09:05.120 +0530", "2023-03-30T01:09:05+05:30"),
            ("Wed, 29 Mar 2023 20:00 EST", "2023-03-29T20:00:00-05:00"),
            ("Thu 30 Mar 2023 08.09 BST", "2023-03-30T08:09:00+01:00"),
            ("8:30 p.m. ET, July 4, 2023", "2023-07-04T20:30:00-04:00"),
            ("Published January 4, 2023 at 12:30 a.m. (ET)", "2023-01-04T00:30:00-05:00"),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }

    #[test]
    fn without_a_zone_only_the_day_is_known() {
        for text in [
            "30 March, 2023, 11:45 am",
            "Posted on March 30th, 2023 by Ann Lee",
            "30. März 2023 um 11:45 Uhr",
            "30 de marzo de 2023",
            "30 tháng 3, 2023",
            "2023年3月30日",
            "30/03/2023",
            "3/30/2023",
            "30.03.2023 - 09:10",
            "20230330",
            "30-Mar-2023",
            "10:00 - 30 March 2023",
        ] {
            assert_eq!(time(text), "2023-03-30", "{text}");
        }
    }

    #[test]
    fn what_is_no_publication_day_is_left_alone() {
        for text in [
            "Last modified: March 30, 2023",
            "Updated 2023-03-30T01:09:00Z",
            "03/04/2023",
            "March 2023",
            "March 30",
            "30 February 2023",
            "20:00",
            "",
            "4294967296/99999999999999999999",
        ] {
            assert_eq!(time(text), "", "{text}");
        }
        assert_eq!(time("Updated March 31, 2023 | Published March 30, 2023"), "2023-03-30");
        assert_eq!(time("March 30, 2023 (updated March 31, 2023)"), "2023-03-30");
    }

    #[test]
    fn bylines_give_names_alone() {
        for (text, expected) in [
            ("By Ann Lee and Bob Ray, staff writers", vec!["Ann Lee", "Bob Ray"]),
            ("Written by: Ann Lee, MD | Reuters", vec!["Ann Lee"]),
            ("BY ANN LEE", vec!["ANN LEE"]),
            ("ByAnn Lee", vec!["Ann Lee"]),
            ("Byron Bay, Lyall Bay", vec!["Byron Bay", "Lyall Bay"]),
            ("Ann Lee, Senior Political Correspondent in Hanoi", vec!["Ann Lee"]),
            ("By Ann Lee and Bob Ray, Transport Correspondents", vec!["Ann Lee", "Bob Ray"]),
            ("By Ann van der Lee ann@example.com", vec![]),
            ("By Ann van der Lee (ann@example.com)", vec!["Ann van der Lee"]),
            ("By Staff Writer", vec![]),
            ("By Tom Reed 6 February 2024", vec!["Tom Reed"]),
            ("By Tom Reed Updated February 6, 2024 6:05 PM EST", vec!["Tom Reed"]),
            ("By Tom Reed Monday, 5 February 2024", vec!["Tom Reed"]),
            ("February 6, 2024 | Tom Reed", vec!["Tom Reed"]),
            (
                "By Ahmed el-Sayed and Jean-Luc d’Arcy and Tom Reed",
                vec!["Ahmed el-Sayed", "Jean-Luc d’Arcy", "Tom Reed"],
            ),
            ("Analysis by Tom Reed", vec!["Tom Reed"]),
            ("From Tom Reed in Harwick", vec!["Tom Reed"]),
            ("Words: Tom Reed", vec!["Tom Reed"]),
            ("Photos by Ann Lee", vec![]),
            ("Medically reviewed by Ann Lee", vec![]),
            ("Tom Reed, Harwick Herald", vec!["Tom Reed"]),
            ("Admin", vec![]),
            ("Reuters", vec![]),
            ("By The Associated Press", vec![]),
            ("https://example.com/ann-lee", vec![]),
            ("It rained all night", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(parse_byline(text), expected, "{text}");
        }
    }

    #[test]
    fn bylines_alone_are_told_from_headings() {
        for (text, expected) in [
            ("By Tom Reed", Some(Byline::Labelled)),
            ("By Tom Reed and Ann Lee, Transport Correspondents", Some(Byline::Labelled)),
            ("By Tom Reed | February 6, 2024 | 6:05 PM EST", Some(Byline::Labelled)),
            ("By Reuters", Some(Byline::Labelled)),
            ("Tom Reed, Transport Correspondent", Some(Byline::Described)),
            ("Tom Reed, 6 February 2024", Some(Byline::Described)),
            ("Tom Reed", Some(Byline::Bare)),
            ("Terminal hit by Storm Ann", Some(Byline::Bare)),
            ("Senior Reporter", Some(Byline::Bare)),
            ("By the time the ferry left", None),
            ("By February 6, 2024, the terminal will be closed", None),
            ("What Tom Reed said", None),
            ("6 February 2024", None),
            ("By Tom Reed. He left", None),
            ("", None),
        ] {
            assert_eq!(byline(text), expected, "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_known_in_machine_form_too() {
        for text in ["2024-02-06T18:05:00Z", "30th of March 2023", "Updated: 6 de febrero de 2024"] {
            assert!(is_date_alone(text), "{text}");
        }
        assert!(!is_date_alone("The vote of 6 February 2024"));
    }

    #[test]
    fn a_declared_name_is_no_sentence() {
        assert_eq!(parse_declared_name("Bureau of Sport"), Some("Bureau of Sport"));
        assert_eq!(parse_declared_name("Herald staff"), Some("Herald staff"));
        assert_eq!(parse_declared_name("Tom Reed is the transport editor"), None);
    }

    #[test]
    fn word_lists_are_sorted() {
        for word in ["admin", "your", "the", "news", "editor-in-chief", "staff"] {
            assert!(is_title_word(word), "{word}");
        }
        for name in ["AFP", "Yonhap", "Reuters", "The Associated Press"] {
            assert!(is_agency(name), "{name}");
        }
    }
}
