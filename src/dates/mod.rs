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

use calendar::{duration, part_code, season_code};
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
