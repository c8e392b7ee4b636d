//! Dates, times, durations and recurrences in the text, after TIMEX3.
//!
//! Tokens are looked up in a small [`lexicon`], a [`grammar`] reads phrases from them, and the
//! [`timeline`] places what they mean in the [`calendar`]. Spans leave prepositions outside
//! and take modifiers in ("late Friday", "nearly 40 years ago"); ages and names that contain a
//! date are left out.

mod calendar;
mod grammar;
mod lexicon;
mod tense;
mod timeline;

use crate::document::{PublishTime, TemporalExpression, TemporalKind};
use crate::text::{Segmented, SegmentedArticle, TokenKind};

use calendar::{Count, Unit, duration, part_code, season_code};
use grammar::{Meaning, Reader};
use lexicon::Word;
use tense::{Clause, Tense};
use timeline::Timeline;

/// Every temporal expression of title and body, sorted (body first); relative ones are resolved
/// against `anchor`, the publication time, or against the date that the text told of before.
pub fn find(article: &SegmentedArticle, anchor: Option<PublishTime>) -> Vec<TemporalExpression> {
    let mut found = Vec::new();
    find_in(&article.body, anchor, &mut found);
    find_in(&article.title, anchor, &mut found);
    found
}

fn find_in(text: &Segmented<'_>, anchor: Option<PublishTime>, found: &mut Vec<TemporalExpression>) {
    let words: Vec<Word> = (0..text.tokens.len())
        .map(|token| match text.tokens[token].kind {
            TokenKind::Word | TokenKind::Number => Word::read(text.word(token)),
            _ => Word::Other,
        })
        .collect();
    let mut timeline = Timeline::new(anchor);
    for sentence in &text.sentences {
        timeline.begin_sentence();
        let mut reader = Reader::new(text, &words, sentence.tokens.clone());
        let mut at = sentence.tokens.start;
        while at < sentence.tokens.end {
            let Some(read) = reader.read(at) else {
                at += 1;
                continue;
            };
            at = read.tokens.end;
            let clause = Clause { text, sentence: sentence.tokens.clone(), inner: read.tokens.clone() };
            found.push(resolve(&clause, read.meaning, &mut timeline));
        }
    }
}

/// Gives an expression its value.
fn resolve(clause: &Clause<'_>, meaning: Meaning, timeline: &mut Timeline) -> TemporalExpression {
    let plain = |kind, value: String| (kind, value, String::new());
    let (kind, value, anchor) = match meaning {
        Meaning::Point(when, time) => timeline.place(when, time, clause),
        Meaning::Length(count, unit) => plain(TemporalKind::Duration, duration(count, unit)),
        Meaning::Every(Count::ONE, Unit::Weekend) => plain(TemporalKind::Set, "XXXX-WXX-WE".to_owned()),
        Meaning::Every(count, unit) => plain(TemporalKind::Set, duration(count, unit)),
        Meaning::EveryWeekday(day) => plain(TemporalKind::Set, format!("XXXX-WXX-{day}")),
        Meaning::EveryPart(part) => plain(TemporalKind::Set, format!("XXXX-XX-XXT{}", part_code(part))),
        Meaning::EverySeason(season) => plain(TemporalKind::Set, format!("XXXX-{}", season_code(season))),
        Meaning::OneDay if clause.tense() == Tense::Future => {
            plain(TemporalKind::Date, "FUTURE_REF".to_owned())
        }
        Meaning::OneDay => plain(TemporalKind::Duration, "P1D".to_owned()),
        Meaning::Reference(name) => plain(TemporalKind::Date, name.to_owned()),
    };
    let span = clause.text.text_span(clause.text.span_of(clause.inner.clone()));
    TemporalExpression { span, kind, value, anchor }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::Article;
    use crate::text::segment_article;

    /// `expression = value` of what is found in a text published on Wednesday, 15 August 2018.
    fn found(text: &str) -> Vec<String> {
        found_at(text, "2018-08-15".parse().ok())
    }

    fn found_at(text: &str, anchor: Option<PublishTime>) -> Vec<String> {
        let article = Article { text: text.to_owned(), ..Article::default() };
        let read = find(&segment_article(&article), anchor);
        read.iter().map(|found| format!("{} = {}", found.span.span.of(text), found.value)).collect()
    }

    #[track_caller]
    fn assert_found(cases: &[(&str, &[&str])]) {
        for (text, expected) in cases {
            assert_eq!(&found(text), expected, "{text}");
        }
    }

    #[test]
    fn written_out_dates_have_their_value_without_an_anchor() {
        assert_found(&[
            ("She was born on May 3, 1971, in Hue.", &["May 3, 1971 = 1971-05-03"]),
            ("It opened on 30 March 2023.", &["30 March 2023 = 2023-03-30"]),
            ("They met from August 24 to 26, 2021.", &["August 24 = 2021-08-24", "26, 2021 = 2021-08-26"]),
            ("Sales fell in October and November 2016.", &["October = 2016-10", "November 2016 = 2016-11"]),
            ("Rents rose in the late 1990s.", &["the late 1990s = 199"]),
            ("The fort dates from the 17th century.", &["the 17th century = 16"]),
            ("Profits grew in fiscal 2017.", &["fiscal 2017 = 2017"]),
            ("He returned in the fall of 2019.", &["the fall of 2019 = 2019-FA"]),
        ]);
        let absolute = found_at("He left on May 3, 2012. He came back on Friday.", None);
        assert_eq!(absolute, ["May 3, 2012 = 2012-05-03", "Friday = "]);
    }

    #[test]
    fn weekdays_and_months_follow_the_tense() {
        assert_found(&[
            ("The mayor said on Friday that he was tired.", &["Friday = 2018-08-10"]),
            ("The mayor will speak on Friday.", &["Friday = 2018-08-17"]),
            ("The mayor spoke on Wednesday.", &["Wednesday = 2018-08-15"]),
            ("The council is expected to vote late Thursday.", &["late Thursday = 2018-08-16"]),
            ("She resigned last Wednesday.", &["last Wednesday = 2018-08-08"]),
            ("She leaves next Monday.", &["next Monday = 2018-08-20"]),
            ("The bridge collapsed in October.", &["October = 2017-10"]),
            ("The bridge will open in October.", &["October = 2018-10"]),
            ("He was fired on Dec. 4.", &["Dec. 4 = 2017-12-04"]),
            ("He has been here since October of last year.", &["October of last year = 2017-10"]),
        ]);
    }

    #[test]
    fn relative_expressions_count_from_publication() {
        assert_found(&[
            ("He called three days ago.", &["three days ago = 2018-08-12"]),
            ("It broke a week ago.", &["a week ago = 2018-W32"]),
            ("They married nearly 40 years ago.", &["nearly 40 years ago = 1978"]),
            ("It passed last month, and again this week.", &["last month = 2018-07", "this week = 2018-W33"]),
            ("Shops shut over the weekend.", &["the weekend = 2018-W32-WE"]),
            ("He flew home last night.", &["last night = 2018-08-14TNI"]),
            ("It won last fall.", &["last fall = 2017-FA"]),
            ("Growth slowed in the second quarter.", &["the second quarter = 2018-Q2"]),
            ("A few weeks ago all was well.", &["A few weeks ago = PAST_REF"]),
            ("The plan is due by the end of the year.", &["the end of the year = 2018"]),
        ]);
    }

    #[test]
    fn the_text_is_an_anchor_for_what_it_tells_next() {
        assert_found(&[
            (
                "He was shot on May 3, 2011. He died the same day.",
                &["May 3, 2011 = 2011-05-03", "the same day = 2011-05-03"],
            ),
            (
                "The war began in 1990. It ended the following year.",
                &["1990 = 1990", "the following year = 1991"],
            ),
            (
                "She quit on Aug. 10, 2017. Two months later she ran.",
                &["Aug. 10, 2017 = 2017-08-10", "Two months later = 2017-10"],
            ),
        ]);
        let article =
            Article { text: "He left on May 3, 2011, and died that year.".to_owned(), ..Article::default() };
        let found = find(&segment_article(&article), "2018-08-15".parse().ok());
        assert_eq!(found[1].anchor, "2011-05-03");
        assert_eq!(found[0].anchor, "");
    }

    #[test]
    fn times_take_their_day_and_zone_in() {
        assert_found(&[
            ("The storm hit around 8 a.m. ET Sunday.", &["around 8 a.m. ET Sunday = 2018-08-12T08:00"]),
            ("Polls will close at 7:30 p.m. on Friday.", &["7:30 p.m. on Friday = 2018-08-17T19:30"]),
            (
                "They met on Monday. At 10:45 a.m. they left.",
                &["Monday = 2018-08-13", "10:45 a.m. = 2018-08-13T10:45"],
            ),
            ("He was arrested on Friday evening.", &["Friday evening = 2018-08-10TEV"]),
            ("The law lapses at midnight.", &["midnight = 2018-08-15T24:00"]),
        ]);
    }

    #[test]
    fn the_day_may_stand_before_its_month() {
        assert_found(&[
            ("The vote is on Thursday 23 August.", &["Thursday 23 August = 2018-08-23"]),
            ("It fell on Friday, 3rd of May 2019.", &["Friday, 3rd of May 2019 = 2019-05-03"]),
            ("They met at 2 p.m. on 5 February 2018.", &["2 p.m. on 5 February 2018 = 2018-02-05T14:00"]),
            ("They met on 5 February 2018 at 14:30.", &["5 February 2018 at 14:30 = 2018-02-05T14:30"]),
            ("They met at 14:30 on 5 March 2018.", &["14:30 on 5 March 2018 = 2018-03-05T14:30"]),
        ]);
    }

    #[test]
    fn days_in_figures_and_days_beside_days_are_read() {
        assert_found(&[
            ("He left on 2018-02-05.", &["2018-02-05 = 2018-02-05"]),
            ("He left on 13/02/2018, not on 05/02/2018.", &["13/02/2018 = 2018-02-13"]),
            ("Sales fell in Q3 2017.", &["Q3 2017 = 2017-Q3"]),
            ("He bought an Audi Q3.", &[]),
            ("He left the day before yesterday.", &["the day before yesterday = 2018-08-13"]),
            ("He leaves the day after tomorrow.", &["the day after tomorrow = 2018-08-17"]),
        ]);
    }

    #[test]
    fn lengths_and_recurrences_need_no_anchor() {
        assert_found(&[
            ("It took two and a half years.", &["two and a half years = P30M"]),
            ("A six-month sentence followed weeks of talks.", &["six-month = P6M", "weeks = PXW"]),
            ("It lasted half an hour.", &["half an hour = PT30M"]),
            ("He meets them every Monday.", &["every Monday = XXXX-WXX-1"]),
            ("The tests cost $3 million a year.", &["a year = P1Y"]),
            ("Over the last six months it rose.", &["the last six months = P6M"]),
            ("Pills are due every four hours.", &["every four hours = PT4H"]),
        ]);
    }

    #[test]
    fn ages_names_and_numbers_are_no_dates() {
        assert_found(&[
            ("The 28-year-old is 12 years old and 5 years of age.", &[]),
            ("He was on Saturday Night Live and 60 Minutes.", &[]),
            ("You may march. Theresa May said so.", &[]),
            ("It cost $2000 and 2000 people came.", &[]),
            ("Reporting by USA TODAY and the Daily Planet.", &[]),
            ("Now and then he calls.", &[]),
        ]);
    }

    #[test]
    fn titles_come_after_the_body() {
        let article = Article {
            title: "Storm to Hit Friday".to_owned(),
            text: "It will hit Friday.".to_owned(),
            ..Article::default()
        };
        let found = find(&segment_article(&article), "2018-08-15".parse().ok());
        assert!(found.is_sorted_by_key(|found| found.span));
        assert_eq!(found.len(), 2);
    }

    proptest! {
        #[test]
        fn spans_are_in_order_apart_and_inside_whatever_the_words(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "the", "end", "of", "May", "3", "31", ",", "2016", "last", "Friday", "at", "5", "p.m.", "a", "few", "years", "ago",
                    "later", "early", "and", "half", "every", "to", "week", "99999", "1990s", "in", "night", "noon", "same", "12:30", "past",
                    "first", "quarter", "century", "Election", "Day", "New", "Year", "'s", "Eve", "9999", "that", "–", ".", "from", "now",
                ]),
                0..60,
            ),
            day in "[0-9]{4}-[01][0-9]-[0-3][0-9]",
        ) {
            let text = words.join(" ");
            let article = Article { text, ..Article::default() };
            let found = find(&segment_article(&article), day.parse().ok());
            prop_assert!(found.windows(2).all(|pair| pair[0].span.span.end <= pair[1].span.span.begin));
            prop_assert!(found.iter().all(|found| article.text.get(found.span.span.range()).is_some_and(|text| !text.is_empty())));
        }
    }
}
