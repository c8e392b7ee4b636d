//! One summary of several documents about the same.

use super::centrality::Vectors;
use super::features;
use super::words::{Lexicon, Words};
use super::{FULL_WORTH, Options, Order, Summarizer, budget, query, select};
use crate::document::{Entity, JointSummary, JointSummarySentence};
use crate::text::SegmentedArticle;

/// What a sentence is worth, beside its worth to its own document, that only says what all the
/// other documents say too.
const AGREEMENT: f32 = 1.0;
/// What the most central sentence of all documents is worth more than the least.
const CENTRALITY: f32 = 1.0;
/// What a sentence is worth more that has e times as many tokens: it tells more of the story.
const LENGTH: f32 = 0.7;
/// Sentences from so many tokens on are all equally long.
const LONG: usize = 55;
/// How much a sentence loses that says nothing new: documents about the same repeat each other.
const REDUNDANCY: f32 = 3.0;

/// A document to be summarised together with others.
pub struct Source<'a> {
    pub article: SegmentedArticle<'a>,
    pub entities: Vec<Entity>,
}

impl Summarizer {
    /// The sentences that tell the common story of several documents: those that carry each
    /// document's own, that the other documents bear out, and that do not repeat each other.
    ///
    /// A query that nothing in any text matches is as good as none.
    pub fn summarize_together(&self, sources: &[Source], options: &Options) -> JointSummary {
        let vectors = vectors(sources, &self.reader.lexicon);
        let places: Vec<(usize, usize)> = sources
            .iter()
            .enumerate()
            .flat_map(|(document, source)| {
                (0..source.article.body.sentences.len()).map(move |at| (document, at))
            })
            .collect();
        let text = |document: usize| sources[document].article.body.text;
        let all = (0..sources.len()).map(|document| text(document).chars().count()).sum();
        let budget = budget(options.length, all);
        let mut worth: Vec<Option<f32>> =
            sources.iter().flat_map(|source| self.worth(source, budget.sentences)).collect();
        let agreement = agreement(&vectors, &places, sources.len());
        let centrality = features::order(&vectors.rank());
        for (at, worth) in worth.iter_mut().enumerate() {
            let (document, sentence) = places[at];
            let length = sources[document].article.body.sentences[sentence].tokens.len();
            let length = (length.clamp(1, LONG) as f32).ln();
            let common = AGREEMENT * agreement[at] + CENTRALITY * centrality[at] + LENGTH * length;
            *worth = worth.map(|worth| worth + common);
        }
        let answers = turn_to(&mut worth, &options.query, sources);
        let span = |(document, at): (usize, usize)| sources[document].article.body.sentences[at].span;
        let characters: Vec<usize> =
            places.iter().map(|&place| span(place).of(text(place.0)).chars().count()).collect();
        let choices = select::choose(&worth, &characters, &vectors, REDUNDANCY, budget);
        let full_worth = FULL_WORTH + AGREEMENT + CENTRALITY + LENGTH * (LONG as f32).ln();
        let mut sentences: Vec<JointSummarySentence> = choices
            .into_iter()
            .enumerate()
            .map(|(nth, choice)| JointSummarySentence {
                document: places[choice.sentence].0,
                span: span(places[choice.sentence]),
                score: (choice.worth / full_worth).clamp(0.0, 1.0),
                rank: nth + 1,
            })
            .collect();
        if options.order == Order::Position {
            sentences.sort_by_key(|sentence| (sentence.document, sentence.span));
        }
        JointSummary { sentences, source_sentence_count: places.len(), answers }
    }

    /// What each sentence is worth to its own document, in a summary of at most so many.
    fn worth(&self, source: &Source, sentences: usize) -> Vec<Option<f32>> {
        self.judge.worth(&self.reader.read(&source.article, &source.entities), sentences)
    }
}

/// The words of all documents' sentences, one document's after the other's.
fn vectors(sources: &[Source], lexicon: &Lexicon) -> Vectors {
    let articles: Vec<_> = sources.iter().map(|source| features::without_dateline(&source.article)).collect();
    let bodies: Vec<_> = articles.iter().map(|article| &article.body).collect();
    Vectors::new(&Words::read_all(&bodies, lexicon))
}

/// For each sentence, the mean share of its content that another document has too.
fn agreement(vectors: &Vectors, places: &[(usize, usize)], documents: usize) -> Vec<f32> {
    // By stem: how many documents have it, and which was the last that was seen to.
    let mut spread = vec![(0_u32, usize::MAX); vectors.stems()];
    for (sentence, &(document, _)) in places.iter().enumerate() {
        for &(stem, _) in vectors.sentence(sentence) {
            let (count, last) = &mut spread[stem as usize];
            if *last != document {
                (*count, *last) = (*count + 1, document);
            }
        }
    }
    let others = documents.saturating_sub(1).max(1) as f32;
    let agreement = |sentence| {
        let shared = |&(stem, value): &(u32, f32)| value * value * (spread[stem as usize].0 - 1) as f32;
        vectors.sentence(sentence).iter().map(shared).sum::<f32>() / others
    };
    (0..places.len()).map(agreement).collect()
}

/// Turns the sentences of all documents to a query, if there is one, and says whether any document
/// answers it; a document that does not is left out, unless none does.
fn turn_to(worth: &mut [Option<f32>], query: &str, sources: &[Source]) -> bool {
    let mut rest = &*worth;
    let relevance: Vec<Option<Vec<f32>>> = sources
        .iter()
        .map(|Source { article, entities }| {
            let own = rest.split_off(..article.body.sentences.len()).unwrap_or_default();
            query::relevance(query, &article.body, entities, own)
        })
        .collect();
    if relevance.iter().all(Option::is_none) {
        return query.trim().is_empty();
    }
    let relevance: Vec<f32> = relevance
        .into_iter()
        .zip(sources)
        .flat_map(|(relevance, source)| {
            relevance.unwrap_or_else(|| vec![0.0; source.article.body.sentences.len()])
        })
        .collect();
    query::turn_to(worth, &relevance);
    true
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::document::Article;
    use crate::summary::Length;
    use crate::text::segment_article;

    static SUMMARIZER: LazyLock<Summarizer> = LazyLock::new(|| Summarizer::load().unwrap());

    const FERRY: [&str; 3] = [
        "A ferry with 212 people on board ran aground off the island of Hellsund early on Tuesday, the coastguard \
         said. All passengers were brought to safety within three hours. The operator, Norlines, said that both \
         engines had lost power. A school choir from the mainland sang on deck while it waited for the boats.",
        "The coastguard said that a ferry carrying 212 people ran aground near Hellsund island on Tuesday. Shares in \
         the operator, Norlines, fell 4 percent after it said that both engines had lost power. The company will \
         keep two sister ships in port.",
        "A ferry of Norlines with 212 people on board ran aground off Hellsund on Tuesday. The company kept two sister \
         ships in port on Wednesday. The mayor of Hellsund asked for a second ferry. He has done so every year since 2019.",
    ];

    fn summarize(texts: &[&str], options: &Options) -> Vec<(usize, String)> {
        let articles: Vec<Article> =
            texts.iter().map(|text| Article { text: (*text).to_owned(), ..Article::default() }).collect();
        let source = |article| Source { article: segment_article(article), entities: Vec::new() };
        let sources: Vec<Source> = articles.iter().map(source).collect();
        let summary = SUMMARIZER.summarize_together(&sources, options);
        assert!(summary.sentences.iter().all(|sentence| (0.0..=1.0).contains(&sentence.score)));
        let text = |sentence: &JointSummarySentence| {
            (sentence.document, sentence.span.of(texts[sentence.document]).to_owned())
        };
        summary.sentences.iter().map(text).collect()
    }

    #[test]
    fn what_the_documents_agree_on_is_told_once() {
        let options = Options { length: Length::Sentences(2), ..Options::default() };
        let summary = summarize(&FERRY, &options);
        assert_eq!(summary.len(), 2);
        let saying = |words: &str| summary.iter().filter(|(_, text)| text.contains(words)).count();
        assert_eq!(saying("212"), 1, "{summary:?}");
        assert_eq!(saying("choir") + saying("2019"), 0, "{summary:?}");
        assert!(summary.is_sorted());
    }

    #[test]
    fn a_query_is_answered_from_whichever_document_does() {
        let options = Options { query: "share price".into(), ..Options::default() };
        let summary = summarize(&FERRY, &options);
        assert!(summary.len() == 1 && summary[0].0 == 1 && summary[0].1.contains("Shares"), "{summary:?}");
        let unanswered = Options { query: "volcano".into(), ..Options::default() };
        assert_eq!(summarize(&FERRY, &unanswered), summarize(&FERRY, &Options::default()));
    }

    #[test]
    fn the_budget_is_of_all_documents_together() {
        let all: usize = FERRY.iter().map(|text| text.chars().count()).sum();
        let options = Options { length: Length::Share(0.4), ..Options::default() };
        let chosen: usize = summarize(&FERRY, &options).iter().map(|(_, text)| text.chars().count()).sum();
        assert!(chosen > 0 && chosen as f64 <= all as f64 * 0.4);
        assert!(summarize(&[], &options).is_empty());
        assert!(summarize(&["", ""], &options).is_empty());
    }

    #[test]
    fn megabytes_are_summarised_in_linear_time() {
        let text = "The council of Hellsund met on Monday and voted for a ferry. ".repeat(8_000);
        let started = std::time::Instant::now();
        summarize(&[&text, &text, &text], &Options::default());
        assert!(started.elapsed().as_secs() < 20, "took {:?}", started.elapsed());
    }
}
