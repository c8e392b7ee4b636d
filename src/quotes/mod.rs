//! Who said what.

mod marks;
mod speaker;

use std::ops::Range;

use marks::Marked;
use speaker::Reader;

use crate::document::{Attribution, Entity, EntityKind, Quote, QuoteKind, Section, Span};
use crate::text::{Segmented, SegmentedArticle, Sentence, TokenKind};

/// Fewer words than this in quotation marks, with nobody saying them, are a title, a nickname or
/// a word held at arm's length.
const LEAST_WORDS: usize = 5;

/// Every quotation of the body, in order.
pub fn find(article: &SegmentedArticle, entities: &[Entity]) -> Vec<Quote> {
    let body = &article.body;
    let marked = marks::marked(body);
    let reader = Reader::new(body);
    let mut found = Finder { body, reader: &reader, marked: &marked }.quotations();
    found.extend(reported(body, &reader, &marked));
    found.sort_by_key(|quotation| quotation.tokens.start);
    Speakers::new(body, &reader, entities).resolve(found)
}

/// A quotation with the words that name its speaker, in tokens.
#[derive(Clone, Debug)]
struct Quotation {
    tokens: Range<usize>,
    kind: QuoteKind,
    speaker: Option<Range<usize>>,
}

/// Looks for the speakers of quotations in marks.
struct Finder<'a> {
    body: &'a Segmented<'a>,
    reader: &'a Reader<'a>,
    marked: &'a [Marked],
}

impl Finder<'_> {
    fn quotations(&self) -> Vec<Quotation> {
        let mut found: Vec<Quotation> = Vec::new();
        let mut last: Option<usize> = None;
        // Whether somebody else has been spoken of since the last quotation.
        let mut another = false;
        for nth in 0..self.marked.len() {
            let marked = &self.marked[nth];
            let beside = self.beside(nth);
            another |= self.names_another(nth, found.last());
            let heir = beside.is_none() && !another && self.goes_on(nth, last);
            let speaker = match &beside {
                Some(speaker) => Some(speaker.clone()),
                None if heir => found.last().and_then(|quotation| quotation.speaker.clone()),
                None => None,
            };
            if self.is_title(nth) || (speaker.is_none() && !self.is_speech(nth)) {
                continue;
            }
            last = Some(nth);
            another = false;
            found.push(Quotation { tokens: marked.tokens.clone(), kind: self.kind(marked), speaker });
        }
        found
    }

    /// The speaker named in the words before or after, within the paragraph and up to the next
    /// quotation.
    fn beside(&self, nth: usize) -> Option<Range<usize>> {
        let marked = &self.marked[nth];
        let before = self.before(nth);
        let after = self.after(nth);
        let last = self.body.word(marked.inner().end.saturating_sub(1));
        let ends_open = marked.closed && matches!(last, "," | "?" | "!" | "—" | "–" | "-");
        let goes_on =
            self.body.tokens.get(marked.tokens.end).is_some_and(|_| self.body.word(marked.tokens.end) == ",");
        if (ends_open || goes_on) && !self.reader.opens_contrast(&after) {
            let stands_alone = marked.closed && last == "," && before.is_empty();
            let speaker = self.reader.after(after.clone()).or_else(|| self.reader.before(before));
            return speaker.or_else(|| if stands_alone { self.reader.name_with_verb(after) } else { None });
        }
        let ended = marked.closed && matches!(last, "." | "…");
        let before = self.reader.before(before);
        if ended { before } else { before.or_else(|| self.reader.after(after)) }
    }

    /// The words of the sentence before a quotation, from the last one on.
    fn before(&self, nth: usize) -> Range<usize> {
        let begin = self.marked[nth].tokens.start;
        if begin > 0 && self.body.word(begin - 1) == ":" {
            // An introduction may be a paragraph of its own.
            let introduction =
                sentence_at(self.body, begin - 1).map_or(begin, |sentence| sentence.tokens.start);
            return introduction..begin;
        }
        let floor = nth.checked_sub(1).map_or(0, |previous| self.marked[previous].tokens.end);
        sentence_at(self.body, begin).map_or(begin, |sentence| sentence.tokens.start).max(floor).min(begin)
            ..begin
    }

    /// The words after a quotation, to the end of the sentence or the next quotation.
    fn after(&self, nth: usize) -> Range<usize> {
        let end = self.marked[nth].tokens.end;
        let ceiling = self.marked.get(nth + 1).map_or(self.body.tokens.len(), |next| next.tokens.start);
        let limit = sentence_at(self.body, end)
            .filter(|sentence| sentence.paragraph == self.marked[nth].paragraph)
            .map_or(end, |sentence| sentence.tokens.end);
        end..limit.min(ceiling).max(end)
    }

    /// Whether a sentence that begins between the marks before a quotation and itself has another
    /// subject, by name, than the speaker of the last one.
    fn names_another(&self, nth: usize, last: Option<&Quotation>) -> bool {
        let Some(speaker) = last.and_then(|quotation| quotation.speaker.as_ref()) else { return false };
        let floor = nth.checked_sub(1).map_or(0, |previous| self.marked[previous].tokens.end);
        let begin = self.marked[nth].tokens.start;
        let first = self.body.sentences.partition_point(|sentence| sentence.tokens.start < floor);
        let mut between =
            self.body.sentences[first..].iter().take_while(|sentence| sentence.tokens.start < begin);
        between.any(|sentence| {
            let clause = sentence.tokens.start..sentence.tokens.end.min(begin);
            let subject = self.reader.subject_of_clause(clause);
            subject.is_some_and(|subject| self.reader.is_another(&subject, speaker))
        })
    }

    /// Whether nobody else has come to speak since quotation `last`.
    fn goes_on(&self, nth: usize, last: Option<usize>) -> bool {
        let Some(last) = last else { return false };
        let (marked, earlier) = (&self.marked[nth], &self.marked[last]);
        if marked.paragraph == earlier.paragraph {
            return true;
        }
        let opens_paragraph = self.before(nth).is_empty();
        marked.paragraph == earlier.paragraph + 1 && opens_paragraph && self.words(marked) >= LEAST_WORDS
    }

    /// Whether words in marks that nobody is said to have said are speech all the same.
    fn is_speech(&self, nth: usize) -> bool {
        let marked = &self.marked[nth];
        let words = self.words(marked);
        let inner = marked.inner();
        let ends = inner.end > inner.start
            && matches!(self.body.word(inner.end - 1), "," | "." | "?" | "!" | "…" | "—");
        let least = if marked.single { LEAST_WORDS * 2 } else { LEAST_WORDS };
        words >= least && (ends || words >= 2 * least)
    }

    /// Whether the words in marks name a book, a broadcast or the like: capitals throughout, and
    /// no sentence of their own.
    fn is_title(&self, nth: usize) -> bool {
        let marked = &self.marked[nth];
        let mut words = 0;
        for token in marked.inner().filter(|&token| self.body.tokens[token].kind == TokenKind::Word) {
            let word = self.body.word(token);
            if word.chars().count() > 4 && word.starts_with(char::is_lowercase) {
                return false;
            }
            words += usize::from(word.starts_with(char::is_uppercase));
        }
        let all = self.words(marked);
        (2..=12).contains(&all) && words * 2 > all && self.kind(marked) == QuoteKind::Mixed
    }

    fn words(&self, marked: &Marked) -> usize {
        marked.inner().filter(|&token| self.body.tokens[token].kind == TokenKind::Word).count()
    }

    /// Direct where the speech stands on its own, mixed where it is a piece of the sentence.
    fn kind(&self, marked: &Marked) -> QuoteKind {
        let begin = marked.tokens.start;
        let opens_sentence =
            sentence_at(self.body, begin).is_some_and(|sentence| sentence.tokens.start == begin);
        let introduced = begin > 0 && matches!(self.body.word(begin - 1), "," | ":");
        let lower =
            marked.inner().next().is_some_and(|token| self.body.word(token).starts_with(char::is_lowercase));
        if (opens_sentence || introduced) && !lower { QuoteKind::Direct } else { QuoteKind::Mixed }
    }
}

/// Reported speech without marks, where the cue is plain: `X said that ...`.
fn reported(body: &Segmented, reader: &Reader, marked: &[Marked]) -> Vec<Quotation> {
    let mut marked = marked.iter().peekable();
    let mut found = Vec::new();
    for sentence in &body.sentences {
        while marked.next_if(|marked| marked.tokens.end <= sentence.tokens.start).is_some() {}
        if marked.peek().is_some_and(|marked| marked.tokens.start < sentence.tokens.end) {
            continue;
        }
        found.extend(reported_in(body, reader, sentence));
    }
    found
}

fn reported_in(body: &Segmented, reader: &Reader, sentence: &Sentence) -> Option<Quotation> {
    let verb = sentence.tokens.clone().find(|&token| reader.is_plain_cue(token))?;
    let end = sentence.tokens.end
        - usize::from(body.tokens[sentence.tokens.end - 1].kind == TokenKind::Punctuation);
    let concedes = reader.opens_subordinate(sentence.tokens.start);
    let said_twice = (verb + 1..end).any(|token| reader.is_cue(token));
    if verb + 3 >= end || !reader.is(verb + 1, " that ") || concedes || said_twice {
        return None;
    }
    let speaker = reader.subject_before(verb, sentence.tokens.start)?;
    Some(Quotation { tokens: verb + 1..end, kind: QuoteKind::Indirect, speaker: Some(speaker) })
}

/// The sentence that a token stands in.
fn sentence_at<'a>(body: &'a Segmented, token: usize) -> Option<&'a Sentence> {
    let place = body.sentences.partition_point(|sentence| sentence.tokens.end <= token);
    body.sentences.get(place).filter(|sentence| sentence.tokens.contains(&token))
}

/// Ties the words that name speakers to entities.
struct Speakers<'a> {
    body: &'a Segmented<'a>,
    reader: &'a Reader<'a>,
    entities: &'a [Entity],
    /// Mentions in the body with their entity, by position.
    mentions: Vec<(Span, usize)>,
}

impl<'a> Speakers<'a> {
    fn new(body: &'a Segmented<'a>, reader: &'a Reader<'a>, entities: &'a [Entity]) -> Self {
        let mut mentions: Vec<(Span, usize)> = entities
            .iter()
            .enumerate()
            .flat_map(|(entity, found)| found.mentions.iter().map(move |mention| (mention.span, entity)))
            .filter(|(span, _)| span.section == Section::Body)
            .map(|(span, entity)| (span.span, entity))
            .collect();
        mentions.sort_unstable();
        Self { body, reader, entities, mentions }
    }

    fn resolve(&self, quotations: Vec<Quotation>) -> Vec<Quote> {
        let mut previous: Option<(usize, usize)> = None;
        let mut quotes = Vec::with_capacity(quotations.len());
        for quotation in quotations {
            let speaker = quotation.speaker.as_ref().map(|speaker| self.body.span_of(speaker.clone()));
            // "Obama's former strategist" is not Obama.
            let head = quotation.speaker.clone().map(|speaker| self.reader.head(speaker));
            let mentioned = head.clone().and_then(|head| self.entity_at(self.body.span_of(head)));
            let entity = mentioned.or_else(|| self.meant_by_pronoun(&quotation, previous));
            match entity {
                Some(entity) => previous = Some((entity, quotation.tokens.end)),
                // Whoever it was, the next "he" is no clearer: nothing is searched twice.
                None if quotation.speaker.as_ref().is_some_and(|speaker| self.is_he_or_she(speaker)) => {
                    previous = None;
                }
                None => {}
            }
            quotes.push(Quote {
                span: self.body.text_span(self.body.span_of(quotation.tokens.clone())),
                kind: quotation.kind,
                speaker: speaker.map(|span| self.body.text_span(span)),
                speaker_entity: entity,
                attribution: self.attribution(head.as_ref(), entity),
            });
        }
        quotes
    }

    fn attribution(&self, speaker: Option<&Range<usize>>, entity: Option<usize>) -> Attribution {
        match speaker {
            _ if entity.is_some() => Attribution::Resolved,
            Some(speaker) if self.reader.ends_in_name(speaker) => Attribution::Resolved,
            Some(speaker) if !self.reader.is_pronoun(speaker) => Attribution::Anonymous,
            _ => Attribution::Unknown,
        }
    }

    /// The entity that the last word of the span is a mention of: "a Harbour Trust official" is not the trust.
    fn entity_at(&self, span: Span) -> Option<usize> {
        let after = self.mentions.partition_point(|(mention, _)| mention.begin < span.end);
        let mut within =
            self.mentions[..after].iter().rev().take_while(|(mention, _)| mention.overlaps(span));
        within.find(|(mention, _)| mention.end >= span.end).map(|&(_, entity)| entity)
    }

    fn is_he_or_she(&self, speaker: &Range<usize>) -> bool {
        self.reader.is_pronoun(speaker) && self.reader.is(speaker.start, " he she ")
    }

    /// "he said" right after a quotation of a person means the same one, if no other person was
    /// named in between.
    fn meant_by_pronoun(&self, quotation: &Quotation, previous: Option<(usize, usize)>) -> Option<usize> {
        let speaker = quotation.speaker.as_ref().filter(|speaker| self.is_he_or_she(speaker))?;
        let (entity, since) = previous?;
        let since = self.body.tokens.get(since).map_or(self.body.text.len(), |token| token.begin as usize);
        let until = self.body.tokens[speaker.start].begin as usize;
        let first = self.mentions.partition_point(|(mention, _)| mention.begin < since);
        let mut between = self.mentions[first..].iter().take_while(|(mention, _)| mention.begin < until);
        let is_person = |entity: usize| self.entities[entity].kind == EntityKind::Person;
        let other = between.any(|&(_, other)| other != entity && is_person(other));
        (is_person(entity) && !other).then_some(entity)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::{Article, Mention, MentionKind, TextSpan};
    use crate::text::segment_article;

    fn article(text: &str) -> Article {
        Article { text: text.to_owned(), ..Article::default() }
    }

    /// Each quotation with its speaker, in brackets where it is no direct one.
    fn said(text: &str) -> Vec<(String, String)> {
        let article = article(text);
        let words = |span: TextSpan| span.span.of(text).to_owned();
        find(&segment_article(&article), &[])
            .into_iter()
            .map(|quote| {
                let span = words(quote.span);
                let span = if quote.kind == QuoteKind::Direct { span } else { format!("[{span}]") };
                (span, quote.speaker.map(words).unwrap_or_default())
            })
            .collect()
    }

    fn assert_said(text: &str, expected: &[(&str, &str)]) {
        let found = said(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(quote, speaker)| (quote.as_str(), speaker.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    /// Whether each quotation is `name`'s, the one entity of the text.
    fn resolved(text: &str, name: &str) -> Vec<(Option<usize>, Attribution)> {
        let begin = text.find(name).unwrap();
        let span = TextSpan::body(begin, begin + name.len());
        let entity = Entity {
            name: name.into(),
            kind: EntityKind::Person,
            salience: 1.0,
            mentions: vec![Mention { span, kind: MentionKind::Proper, confidence: 1.0 }],
            links: vec![],
        };
        let article = article(text);
        let quotes = find(&segment_article(&article), &[entity]);
        quotes.iter().map(|quote| (quote.speaker_entity, quote.attribution)).collect()
    }

    #[test]
    fn the_speaker_stands_before_behind_or_inside_a_quotation() {
        assert_said("“The bridge is safe,” Maria Lund said.", &[("“The bridge is safe,”", "Maria Lund")]);
        assert_said(
            "“The bridge is safe,” said Maria Lund, who built it.",
            &[("“The bridge is safe,”", "Maria Lund")],
        );
        assert_said(
            "Maria Lund told reporters: \"The bridge is safe.\"",
            &[("\"The bridge is safe.\"", "Maria Lund")],
        );
        assert_said(
            "\"The bridge is safe,\" according to the engineer.",
            &[("\"The bridge is safe,\"", "the engineer")],
        );
        assert_said(
            "“The bridge,” she said, “is safe.”",
            &[("“The bridge,”", "she"), ("[“is safe.”]", "she")],
        );
        assert_said(
            "“It held,” said chief engineer Maria Lund. “It always will.”",
            &[
                ("“It held,”", "chief engineer Maria Lund"),
                ("“It always will.”", "chief engineer Maria Lund"),
            ],
        );
        assert_said(
            "Maria Lund, who built the bridge, said, “It is safe.”",
            &[("“It is safe.”", "Maria Lund")],
        );
    }

    #[test]
    fn every_style_of_marks_is_read() {
        for (open, close) in
            [("\"", "\""), ("“", "”"), ("«", "»"), ("„", "“"), ("‘", "’"), ("'", "'"), ("''", "''")]
        {
            let quote = format!("{open}We will not sell the old mill,{close}");
            assert_said(&format!("{quote} said Ana Costa."), &[(&quote, "Ana Costa")]);
        }
        assert_said(
            "‘They called it “the mill” for years,’ said Ana Costa.",
            &[("‘They called it “the mill” for years,’", "Ana Costa")],
        );
    }

    #[test]
    fn whoever_speaks_for_somebody_is_the_speaker() {
        assert_said(
            "“It is safe,” a spokeswoman for the Harbour Trust said.",
            &[("“It is safe,”", "a spokeswoman for the Harbour Trust")],
        );
        assert_said("“It is safe,” Lund's former aide said.", &[("“It is safe,”", "Lund's former aide")]);
    }

    #[test]
    fn a_name_behind_the_role_is_part_of_the_speaker() {
        for (text, speaker) in [
            ("“It is safe,” the bank's president, Ana Costa, said.", "the bank's president, Ana Costa"),
            ("“It is safe,” said the bank's president, Ana Costa.", "the bank's president, Ana Costa"),
            (
                "“It is safe,” said the head of the union, Tom Lund, on Monday.",
                "the head of the union, Tom Lund",
            ),
            ("The mayor, Tom Lund, said: “It is safe.”", "The mayor, Tom Lund"),
            ("The union's leader, Tom Lund, said: “It is safe.”", "The union's leader, Tom Lund"),
            ("“It is safe,” said a resident of Springfield, Ohio.", "a resident of Springfield"),
            ("“It is safe,” said Ana Costa, Norway.", "Ana Costa"),
            ("“It is safe,” said the mayor, Reuters reported.", "the mayor"),
        ] {
            assert_said(text, &[(&text[text.find('“').unwrap()..text.find('”').unwrap() + 3], speaker)]);
        }
        let text = "“It is safe,” said the bank's president, Ana Costa.";
        assert_eq!(resolved(text, "Ana Costa"), [(Some(0), Attribution::Resolved)]);
    }

    #[test]
    fn another_speaker_does_not_inherit_the_quotation() {
        let (lund, costa) = ("“It will not hold,” Tom Lund said. ", "“I never said that it would,” ");
        for (text, speaker) in [
            (format!("{lund}Ana Costa disagreed at length. “It was built for us all.”"), ""),
            (format!("{lund}In a letter, Ana Costa gave the prize to “all of the women here”."), ""),
            (format!("{lund}The bridge is old. “It was built for us all.”"), "Tom Lund"),
            (format!("{lund}{costa}Costa shot back."), "Costa"),
            (format!("{lund}{costa}Costa went on."), "Costa"),
            (format!("{lund}{costa}she shot back."), "she"),
            (format!("{lund}{costa}fired back Costa."), "Costa"),
        ] {
            // Words that nobody is seen to say may be left out.
            let second = said(&text).into_iter().nth(1).unwrap_or_default();
            assert_eq!(second.1, speaker, "{text}");
        }
    }

    #[test]
    fn a_clause_behind_and_a_dateline_before_are_no_speakers() {
        for (text, speaker) in [
            ("Lund said the towns must “speak with one voice”, while Costa wrote to Oslo.", "Lund"),
            (
                "OSLO (Reuters) - The High Court stayed the order, asking why it was “so late”.",
                "The High Court",
            ),
            ("OSLO: The High Court stayed the order, asking why it was “so very late”.", "The High Court"),
        ] {
            assert_eq!(said(text)[0].1, speaker, "{text}");
        }
    }

    #[test]
    fn days_and_places_are_no_speakers() {
        for (text, speaker) in [
            ("Lund on Tuesday called the plan “a very bad joke”.", "Lund"),
            ("Ana Costa late Wednesday said: “We will not sell the old mill.”", "Ana Costa"),
            ("“We will not sell the old mill,” Costa on May 5 told reporters.", "Costa"),
            ("Norway last week said its dams had “taken all the water”.", "Norway"),
            ("The ministry on Monday said it had “no news for anybody”.", "The ministry"),
            ("Police in London on Sunday said the mill had “burnt to the ground”.", "Police"),
            ("Theresa May said the mill had “burnt to the ground”.", "Theresa May"),
        ] {
            let speakers: Vec<String> = said(text).into_iter().map(|(_, speaker)| speaker).collect();
            assert_eq!(speakers, [speaker], "{text}");
        }
    }

    #[test]
    fn a_quotation_over_several_paragraphs_keeps_its_speaker() {
        assert_said(
            "“We looked for him all night,” Ana Costa said. “Nobody slept.\n\n“In the morning he came home by himself.”",
            &[
                ("“We looked for him all night,”", "Ana Costa"),
                ("“Nobody slept.", "Ana Costa"),
                ("“In the morning he came home by himself.”", "Ana Costa"),
            ],
        );
        assert_said(
            "‘We looked for him,’ Ana Costa said. ‘Nobody slept.\n\n‘It didn’t help. I am ashamed of that.\n\n‘He came home by himself.’",
            &[
                ("‘We looked for him,’", "Ana Costa"),
                ("‘Nobody slept.", "Ana Costa"),
                ("‘It didn’t help. I am ashamed of that.", "Ana Costa"),
                ("‘He came home by himself.’", "Ana Costa"),
            ],
        );
        assert_said("They sang of the ‘flowers and the rain.\n\nThe rest left.", &[]);
        assert_said(
            "The mayor added:\n\n“Nobody will have to leave.”",
            &[("“Nobody will have to leave.”", "The mayor")],
        );
    }

    #[test]
    fn titles_and_words_at_arms_length_are_no_quotations() {
        assert_said("The so-called “experts” met in a hall.", &[]);
        assert_said("She wrote the novel “The Long Winter of Hope” in a year.", &[]);
        assert_said("The teachers' union and the drivers' union met.", &[]);
    }

    #[test]
    fn pieces_are_mixed_and_reports_indirect() {
        assert_said("Lund called the plan “a very bad joke” on Monday.", &[("[“a very bad joke”]", "Lund")]);
        assert_said("Lund said that the plan would fail.", &[("[that the plan would fail]", "Lund")]);
    }

    #[test]
    fn speakers_are_tied_to_entities_and_pronouns_to_the_last_speaker() {
        let text = "“We won,” said Maria Lund. “Nobody believed it,” she added. “They paid,” a senior official said.";
        assert_eq!(
            resolved(text, "Maria Lund"),
            [
                (Some(0), Attribution::Resolved),
                (Some(0), Attribution::Resolved),
                (None, Attribution::Anonymous)
            ]
        );
    }

    #[test]
    fn whoever_is_called_after_a_name_is_not_its_bearer() {
        for (text, name) in [
            ("“We won,” a Harbour Trust official told reporters.", "Harbour Trust"),
            ("“We won,” said a Trump adviser.", "Trump"),
            ("The US President wrote: “We have won again.”", "US"),
        ] {
            assert_eq!(resolved(text, name), [(None, Attribution::Anonymous)], "{text}");
        }
        for text in [
            "“We won,” said US President Ana Costa.",
            "“We won,” Secretary of State Ana Costa said.",
            "In an interview, Ana Costa went even further: “We won.”",
        ] {
            assert_eq!(resolved(text, "Ana Costa"), [(Some(0), Attribution::Resolved)], "{text}");
        }
    }

    #[test]
    fn a_megabyte_of_marks_takes_linear_time() {
        let words = ["he said, ", "Ann kept saying: “we go” "];
        for unit in ["“", "\"", "“ ", "\"a", "' ", "‘a ", "“a” "].into_iter().chain(words) {
            let article = article(&unit.repeat((1 << 20) / unit.len()));
            let started = std::time::Instant::now();
            find(&segment_article(&article), &[]);
            assert!(started.elapsed().as_secs() < 10, "{unit:?}");
        }
    }

    proptest! {
        #[test]
        fn spans_lie_in_the_text_in_order(text in "([“”\"'‘’«»„,.:?!\n ]|[a-z]{1,6} |said |He |Łódź |😀|,” said ){0,60}") {
            let article = article(&text);
            let quotes = find(&segment_article(&article), &[]);
            for quote in &quotes {
                for span in [Some(quote.span), quote.speaker].into_iter().flatten() {
                    prop_assert!(text.get(span.span.range()).is_some_and(|words| !words.is_empty()));
                }
            }
            prop_assert!(quotes.windows(2).all(|pair| pair[0].span.span.end <= pair[1].span.span.begin));
        }
    }
}
